//! Exporters whose address was written out: what they dial is an edge like any other.

use telstack_diagnostics::Diagnostics;

use super::Pass;
use crate::{graph::System, link};

pub(super) const PASS: Pass = Pass {
    name: "links",
    reason: "follow the exporters whose address was written out to the node that answers there",
    run,
};

fn run(system: &mut System, _: &mut Diagnostics) {
    let calls = link::telemetry(system);
    link::connect(system, calls);
}
