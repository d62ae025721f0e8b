//! Health: every collector answers a probe from outside; its image has no command that could ask inside.

use telstack_catalog::ComponentKind;
use telstack_diagnostics::Diagnostics;

use super::Pass;
use crate::{
    graph::System,
    model::{Component, ComponentId, Reference},
    origin::{Origin, Value},
};

const NAME: &str = "health";

pub(super) const PASS: Pass =
    Pass { name: NAME, reason: "give every collector an endpoint that says whether it is up", run };

/// The extension that answers whether the collector is up.
pub(super) const HEALTH_CHECK: &str = "health_check";

fn run(system: &mut System, _: &mut Diagnostics) {
    for id in system.node_ids() {
        let node = system.node(id);
        let (Some(version), Some(collector)) = (node.version(), node.collector()) else { continue };
        let extension = ComponentId::new(HEALTH_CHECK, None);
        // Not every distribution ships it.
        let shipped = collector.ships(ComponentKind::Extension, HEALTH_CHECK, version);
        let declared = collector.of_kind(ComponentKind::Extension).any(|it| it.id.ty == HEALTH_CHECK);
        if !shipped || declared {
            continue;
        }
        let reason = "every collector gets one: its image has no command that could check it from inside";
        let origin = Origin::builtin(NAME, reason, &[&node.origin]);
        if let Some(collector) = system.node_mut(id).collector_mut() {
            let component = Component {
                kind: ComponentKind::Extension,
                id: extension.clone(),
                settings: Value::map(origin.clone()),
                origin: origin.clone(),
            };
            let at = collector.components.iter().position(|it| it.kind == ComponentKind::Extension);
            collector.components.insert(at.unwrap_or(collector.components.len()), component);
            collector.extensions.insert(0, Reference { id: extension, origin });
        }
    }
}
