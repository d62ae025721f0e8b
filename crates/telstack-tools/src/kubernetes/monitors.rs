//! Monitors of the Prometheus operator.

use telstack_system::cluster::{Monitor, Within};

use super::{
    objects::{Kind, Object},
    values::{at, plain_words, selector},
};
use crate::reading::{items, truth};

/// A monitor; none where what it means is not written.
pub(super) fn monitor(object: &Object) -> Option<Monitor> {
    let spec = object.spec();
    let of_pods = object.kind == Kind::PodMonitor;
    let names = plain_words(spec, "namespaceSelector.matchNames");
    let within = match truth(spec, "namespaceSelector.any") {
        Some(any) if any.value => Within::Any,
        _ if !names.is_empty() => Within::Named(names),
        _ => Within::Own,
    };
    let endpoints = items(spec, if of_pods { "podMetricsEndpoints" } else { "endpoints" });
    Some(Monitor {
        name: object.name.value.clone(),
        namespace: object.namespace.clone(),
        of_pods,
        selector: selector(spec.at("selector")?),
        within,
        ports: endpoints.iter().filter_map(|it| at(it, "port")).collect(),
        origin: object.name.origin.clone(),
    })
}
