//! The collector's own metrics: reachable for Prometheus, in the way that its release knows.

use telstack_catalog::otelcol;
use telstack_diagnostics::Diagnostics;
use telstack_syntax::tree::Entry;

use super::Pass;
use crate::{graph::System, origin::Origin};

const NAME: &str = "telemetry";

pub(super) const PASS: Pass = Pass {
    name: NAME,
    reason: "open the collector's own metrics to Prometheus, by address or by reader as its release wants",
    run,
};

fn run(system: &mut System, _: &mut Diagnostics) {
    for id in system.node_ids() {
        let node = system.node(id);
        if node.placement.host.is_some() {
            continue;
        }
        let Some(version) = node.version.clone() else { continue };
        let facts = otelcol::telemetry(version.value);
        let own = node.origin.clone();
        let (host, reason) = match node.placement.sidecar() {
            Some(_) => ("localhost", "written out, for the operator opens it otherwise: it is in the pod of a program"),
            None => ("0.0.0.0", "Prometheus scrapes it from another container"),
        };
        let Some(collector) = system.node_mut(id).collector_mut() else { continue };
        let because = [&own, &version.origin];
        let open = Origin::derived(NAME, reason, &because);
        let metrics = collector.telemetry.map_mut("metrics", &open);
        if metrics.contains("address") || metrics.contains("readers") {
            continue;
        }
        if facts.readers {
            let reader = Origin::fact(NAME, format!("{} replaces `address` by readers", version.value), &because);
            let mut exporter = open.map([("host", open.string(host)), ("port", open.int(facts.default_port))]);
            if facts.readers_add_suffixes
                && let Some(map) = exporter.as_map_mut()
            {
                let reason = format!(
                    "keeps the metric names of all other releases: a reader of {} adds suffixes",
                    version.value
                );
                let plain = Origin::fact(NAME, reason, &because);
                for key in ["without_scope_info", "without_type_suffix", "without_units"] {
                    map.push(Entry::new(key, plain.bool(true)));
                }
            }
            let exporter = reader.map([("prometheus", exporter)]);
            let pull = reader.map([("exporter", exporter)]);
            metrics.set("readers", reader.block([reader.map([("pull", pull)])]));
        } else {
            metrics.set("address", open.string(format!("{host}:{}", facts.default_port)));
        }
    }
}
