//! Names that follow from the names of nodes and are longer than Kubernetes takes.

use telstack_diagnostics::{Diagnostic, Diagnostics};

use super::super::codes;
use crate::{
    graph::System,
    model::{Cluster, Node, Pod, WorkloadKind, cluster::operator},
};

/// The most that a name of a Service or a volume and a value of a label have. Source: Kubernetes,
/// docs/concepts/overview/working-with-objects (names, labels).
const LONGEST: usize = 63;
/// The most that a StatefulSet's has: its pods have a label with it and up to eleven characters more. Source:
/// kubernetes/kubernetes, pkg/controller/history (`ControllerRevisionName`), label `controller-revision-hash`.
const LONGEST_STATEFUL: usize = 52;

/// A name that something has, and the most that it may have.
struct Derived {
    what: &'static str,
    name: String,
    most: usize,
}

impl Derived {
    fn excess(&self) -> usize {
        self.name.chars().count().saturating_sub(self.most)
    }
}

/// Reports each node with a name that is too long, by that which is so by most.
pub(super) fn check(system: &System, out: &mut Diagnostics) {
    let Some(cluster) = system.cluster.as_deref() else { return };
    for (_, node) in system.nodes() {
        let Some(pod) = node.container.as_ref().and_then(|it| it.pod.as_deref()) else { continue };
        let all = derived(cluster, node, pod);
        // The first of those that are equally bad.
        let Some(worst) = all.iter().rev().max_by_key(|it| it.excess()).filter(|it| it.excess() > 0) else { continue };
        let Derived { what, name, most } = worst;
        let length = name.chars().count();
        let message = if *name == node.name {
            format!("the name of {what} has {length} characters, and Kubernetes takes {most}")
        } else {
            format!("{what} of `{}` would be `{name}`: {length} characters, and Kubernetes takes {most}", node.name)
        };
        let finding =
            Diagnostic::new(&codes::NAME_TOO_LONG, message).at(node.span(), "too long for what follows from it");
        let finding = if *most == LONGEST_STATEFUL {
            finding.note("its pods carry that name and a hash as a label, and no label has more than 63 characters")
        } else {
            finding
        };
        let own = node.name.chars().count().saturating_sub(worst.excess());
        out.push(if own > 0 {
            finding.help(format!("give `{}` a name of at most {own} characters", node.name))
        } else {
            finding.help("give it, and the namespace, shorter names")
        });
    }
}

/// The names that follow from a node.
fn derived(cluster: &Cluster, node: &Node, pod: &Pod) -> Vec<Derived> {
    let mut out = Vec::new();
    let mut add = |what: &'static str, name: String, most: usize| out.push(Derived { what, name, most });
    if pod.kind == WorkloadKind::StatefulSet {
        add("the StatefulSet", pod.name.clone(), LONGEST_STATEFUL);
    }
    for service in cluster.services_of(pod) {
        add("a Service", service.name.clone(), LONGEST);
    }
    if pod.targets_shared.is_some() {
        add("the target allocator", operator::allocator(&node.name), LONGEST);
    }
    for volume in &pod.own_volumes {
        let short = volume.strip_suffix(&format!("-{}", pod.name)).unwrap_or(volume);
        add("a volume", short.to_owned(), LONGEST);
    }
    for label in pod.labels.values() {
        add("a label", label.value.clone(), LONGEST);
    }
    out
}
