//! What programs with an SDK of OpenTelemetry are told, by the stack that they send to.

use telstack_system::{NodeId, System, passes};
use telstack_tools::SdkFormat;

use crate::{Compiled, explain::nearest};

/// Why nothing is told.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SdkError {
    /// No node has that name; the nearest one that takes OTLP or sends it, and all of those.
    Unknown(Option<String>, Vec<String>),
    /// The node takes no OTLP from programs; those that do, or send it.
    TakesNone(Vec<String>),
    /// Several clusters have one of that name: `CLUSTER/NODE` for each.
    Several(Vec<String>),
}

/// The environment for programs that send to a node, or that are one: `NODE`, or `CLUSTER/NODE` where a stack has several.
pub fn sdk_env(compiled: &Compiled, node: &str, format: SdkFormat) -> Result<String, SdkError> {
    let all = || compiled.systems.iter().flat_map(|system| system.nodes().map(move |(id, node)| (system, id, node)));
    let found: Vec<(&System, NodeId, String)> = all()
        .filter(|(system, _, it)| it.name == node || called(system, &it.name) == node)
        .map(|(system, id, it)| (system, id, called(system, &it.name)))
        .collect();
    let told = || -> Vec<String> {
        let told = all().filter(|(system, id, _)| passes::environment_for(system, *id).is_some());
        told.map(|(system, _, it)| called(system, &it.name)).collect()
    };
    match found.as_slice() {
        [] => {
            let known = told();
            let near = nearest(node, known.iter().map(String::as_str)).map(str::to_owned);
            Err(SdkError::Unknown(near, known))
        }
        [(system, id, _)] => telstack_tools::sdk_env(system, *id, format).ok_or_else(|| SdkError::TakesNone(told())),
        several => Err(SdkError::Several(several.iter().map(|it| it.2.clone()).collect())),
    }
}

/// `NODE`, or `CLUSTER/NODE`.
fn called(system: &System, node: &str) -> String {
    system.cluster_name.as_ref().map_or_else(|| node.to_owned(), |cluster| format!("{}/{node}", cluster.value))
}
