//! Connections: receivers of several pods end old ones, so that senders do not stay with one pod.

use telstack_catalog::ComponentKind;
use telstack_diagnostics::Diagnostics;

use super::Pass;
use crate::{
    graph::System,
    model::{Component, WorkloadKind},
    origin::Origin,
};

const NAME: &str = "connections";

pub(super) const PASS: Pass = Pass {
    name: NAME,
    reason: "let receivers of several pods end old gRPC connections, so that senders do not stay with one pod",
    run,
};

/// Where a gRPC server is told how long a connection lasts, beside its address.
const SERVER: &str = "keepalive.server_parameters";
/// How long one lasts, and how long calls on it may still take.
const AGES: [&str; 2] = ["max_connection_age", "max_connection_age_grace"];
const AGE: &str = "60s";

fn run(system: &mut System, _: &mut Diagnostics) {
    for id in system.node_ids() {
        let node = system.node_mut(id);
        let placement = &node.placement;
        // Who dials the Service of a DaemonSet gets the pod of the same machine.
        if placement.kind.as_ref().is_some_and(|it| it.value == WorkloadKind::DaemonSet) {
            continue;
        }
        let several = placement.replicas.clone().filter(|it| it.value > 1);
        let (Some(several), Some(version)) = (placement.most_replicas.clone().or(several), node.version()) else {
            continue;
        };
        let Some(collector) = node.collector_mut() else { continue };
        for component in collector.components.iter_mut().filter(|it| it.kind == ComponentKind::Receiver) {
            let Some((fact, tree)) = component.fact().and_then(|fact| Some((fact, fact.settings(version)?))) else {
                continue;
            };
            for listen in fact.listens(version) {
                let block = listen.setting.rsplit_once('.').map_or("", |(block, _)| block);
                let takes = tree.at(&format!("{block}.{SERVER}.{}", AGES[0])).is_some();
                if takes && component.setting(listen.setting).is_some() {
                    let reason = "one address stands for several pods: a sender keeps its connection, and so one of \
                                  them, until it is ended";
                    let origin = Origin::derived(NAME, reason, &[&component.origin, &several.origin]);
                    end(component, block, &origin);
                }
            }
        }
    }
}

fn end(component: &mut Component, block: &str, origin: &Origin) {
    let map = component.block_mut(&format!("{block}.{SERVER}"), origin);
    for age in AGES {
        if !map.contains(age) {
            map.set(age, origin.string(AGE));
        }
    }
}
