//! What runs in pods, and how many of it.

use telstack_catalog::otelcol;
use telstack_system::{Instances, Node, Origin, Pod, System};

/// The pod that a node runs in, as far as it is what is written: unless an operator makes it, which adds what pods
/// need, or a patch changes it.
pub(crate) fn own_pod(node: &Node) -> Option<&Pod> {
    node.container.as_ref()?.pod.as_deref().filter(|pod| !pod.operated && !pod.patched)
}

/// How many of a node run, where that is more than one, or may be.
pub(crate) fn several(node: &Node) -> Option<Instances> {
    let container = node.container.as_ref()?;
    let instances = container.instances();
    // On some nodes only: that may be one.
    let chosen = container.pod.as_deref().is_some_and(is_on_chosen_nodes);
    if matches!(instances, Instances::EachMachine(_)) && chosen {
        return None;
    }
    instances.several().is_some().then_some(instances)
}

/// Does a pod run on some nodes of the cluster only?
fn is_on_chosen_nodes(pod: &Pod) -> bool {
    pod.affinity || pod.patched || pod.node_selector.keys().any(|key| !otelcol::is_plain_node_label(key))
}

/// What puts the pod of a node into a mesh.
pub(crate) fn mesh_marker<'a>(system: &'a System, node: &'a Node) -> Option<&'a Origin> {
    let mesh = otelcol::mesh();
    let pod = node.container.as_ref()?.pod.as_deref()?;
    let own = pod.labels.iter().chain(&pod.annotations).find(|(key, it)| mesh.takes_pod(key, &it.value));
    let of_namespace = || {
        let namespace = system.cluster.as_deref()?.namespace(pod.namespace.as_deref()?)?;
        let (_, it) = namespace.labels.iter().find(|(key, it)| mesh.takes_namespace(key, &it.value))?;
        Some(&it.origin)
    };
    own.map(|(_, it)| &it.origin).or_else(of_namespace)
}

/// What to write so that a variable of a container holds a field of its pod.
pub(crate) fn downward(variable: &str, field: &str) -> String {
    format!("`- {{name: {variable}, valueFrom: {{fieldRef: {{fieldPath: {field}}}}}}}`")
}
