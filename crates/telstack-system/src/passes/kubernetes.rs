//! Kubernetes: components that ask the cluster do so as their pod, and agents look at their own machine only.

use telstack_catalog::{
    ComponentKind,
    otelcol::{self, Condition, NamedVariable, SERVICE_ACCOUNT},
};
use telstack_diagnostics::Diagnostics;
use telstack_syntax::tree::Kind;

use super::{Pass, presets};
use crate::{
    access,
    expansion::{Piece, pieces},
    graph::System,
    model::{Collector, Component, ComponentRef, EnvValue, EnvVar, Node, Platform, SecretRef, WorkloadKind},
    origin::{Origin, Value},
};

const NAME: &str = "kubernetes";

pub(super) const PASS: Pass = Pass {
    name: NAME,
    reason: "let components ask the cluster as their pod, and agents look at their own machine only",
    run,
};

fn run(system: &mut System, _: &mut Diagnostics) {
    if system.platform.value != Platform::Kubernetes {
        return;
    }
    for id in system.node_ids() {
        let node = system.node_mut(id);
        if node.placement.host.is_some() {
            continue;
        }
        let each_machine = node.placement.kind.clone().filter(|it| it.value == WorkloadKind::DaemonSet);
        let Some(collector) = node.collector_mut() else { continue };
        know_pods(collector);
        let mut wanted: Vec<(String, Origin)> = Vec::new();
        for component in &mut collector.components {
            let Some(fact) = component.fact() else { continue };
            ask_as_account(component, fact);
            ask_own_kubelet(component, fact);
            if let Some(kind) = &each_machine {
                look_here(component, fact, &kind.origin);
            }
            name_variables(component, fact, &mut wanted);
            name_references(&component.settings, &mut wanted);
        }
        for (name, origin) in wanted {
            field(node, &name, &origin);
        }
    }
}

/// Gives a node the variable with a field of its pod, if people keep one in a variable of that name.
pub(super) fn field(node: &mut Node, name: &str, because: &Origin) {
    let Some(field) = otelcol::field_of(name) else { return };
    let reason = format!("`{field}` of the pod, which a setting asks for by this name");
    let origin = Origin::derived(NAME, reason, &[because]);
    let variable = EnvVar::new(name.to_owned(), EnvValue::Field(field.to_owned()), origin);
    match node.environment.iter_mut().find(|it| it.name == name) {
        None => node.environment.push(variable),
        // A setting that only names the variable asks nobody to keep a Secret for it.
        Some(known) if matches!(&known.value, EnvValue::Required(SecretRef::Env(_))) => *known = variable,
        Some(_) => {}
    }
}

/// The kubelet and the API are asked with the token of the pod.
fn ask_as_account(component: &mut Component, fact: otelcol::Component) {
    let Some(access) = fact.access() else { return };
    let Some(setting) = &access.auth else { return };
    if access.default_auth != SERVICE_ACCOUNT && component.setting(setting).is_none() {
        let reason = "the pod has a token of its account, and no certificate";
        let origin = Origin::derived(NAME, reason, &[&component.origin]);
        component.put(setting, origin.string(SERVICE_ACCOUNT));
    }
}

fn ask_own_kubelet(component: &mut Component, fact: otelcol::Component) {
    let Some(kubelet) = fact.kubelet() else { return };
    if component.setting(&kubelet.endpoint).is_none() {
        let reason = "the kubelet of the machine that the pod is on";
        let origin = Origin::fact(NAME, reason, &[&component.origin]);
        component.put(&kubelet.endpoint, origin.string(kubelet.write.clone()));
    }
}

/// Tells processors by what they know pods, beside receivers whose data names them.
fn know_pods(collector: &mut Collector) {
    let names: Vec<(ComponentRef, Origin)> = collector
        .of_kind(ComponentKind::Receiver)
        .filter(|it| it.fact().is_some_and(otelcol::Component::names_pods))
        .map(|it| (it.reference(), it.origin.clone()))
        .collect();
    let pipelines = collector.pipelines.clone();
    for component in collector.components.iter_mut().filter(|it| it.kind == ComponentKind::Processor) {
        let Some(row) = component.fact().and_then(otelcol::Component::pods_by) else { continue };
        let beside = names.iter().find(|(receiver, _)| {
            pipelines.iter().any(|pipeline| {
                pipeline.receivers.iter().any(|it| it.id == receiver.id)
                    && pipeline.processors.iter().any(|it| it.id == component.id)
            })
        });
        if let Some((receiver, at)) = beside.filter(|_| component.setting(&row.setting).is_none()) {
            let reason = format!("what `{}` says {}", receiver.id, row.why);
            let origin = Origin::fact(NAME, reason, &[&component.origin, at]);
            component.put(&row.setting, presets::value(&row.value, &origin, &[]));
        }
    }
}

/// Of an agent on each machine.
fn look_here(component: &mut Component, fact: otelcol::Component, agent: &Origin) {
    let Some(filter) = fact.node_filter() else { return };
    let holds = |it: &Condition| access::holds(component, it) != Some(false);
    if filter.any.iter().any(|it| component.setting(it).is_some()) || filter.unless.iter().any(holds) {
        return;
    }
    let Some(setting) = filter.any.first() else { return };
    let named = fact.named_variables().any(|it| it.setting == *setting);
    let reason = "one of it runs on each machine: without this each would watch the pods of all";
    let origin = Origin::derived(NAME, reason, &[&component.origin, agent]);
    let text = if named { NODE_NAME.to_owned() } else { format!("${{env:{NODE_NAME}}}") };
    component.put(setting, origin.string(text));
}

/// The variable that holds the name of the machine, as upstream's examples call it.
pub(super) const NODE_NAME: &str = "K8S_NODE_NAME";

/// Variables that settings hold the names of.
fn name_variables(component: &Component, fact: otelcol::Component, wanted: &mut Vec<(String, Origin)>) {
    let needed = |it: &&NamedVariable| it.when.as_ref().is_none_or(|it| access::holds(component, it) == Some(true));
    for row in fact.named_variables().filter(needed) {
        match component.setting(&row.setting) {
            Some(value) => wanted.extend(value.as_str().map(|name| (name.to_owned(), value.mark.clone()))),
            None => wanted.extend(row.default.clone().map(|name| (name, component.origin.clone()))),
        }
    }
}

/// Variables that settings refer to.
fn name_references(value: &Value, wanted: &mut Vec<(String, Origin)>) {
    match &value.kind {
        Kind::Map(map) => map.iter().for_each(|it| name_references(&it.value, wanted)),
        Kind::Seq(seq) => seq.items.iter().for_each(|it| name_references(it, wanted)),
        Kind::String(text) => wanted.extend(pieces(text).into_iter().filter_map(|piece| match piece {
            Piece::Reference(it) => Some((it.name.to_owned(), value.mark.clone())),
            _ => None,
        })),
        _ => {}
    }
}
