//! What is around pods, and what of a container only Kubernetes has.

use super::{Lines, joined, transport};
use crate::{
    known::Known,
    model::{
        Cluster, Container, Pod, ProbeAction, Selector, Service, TargetPort,
        cluster::{Binding, Certificate, Claim, Labels, NetworkPolicy, Role},
    },
    origin::Sourced,
};

pub(super) fn cluster(out: &mut Lines, cluster: &Cluster) {
    for it in &cluster.namespaces {
        out.say(&format!("namespace {}", it.name), "declared");
    }
    for it in &cluster.services {
        out.within(&format!("service {}", place(it.namespace.as_deref(), &it.name)), |out| service(out, it));
    }
    for it in &cluster.accounts {
        out.say(&format!("account {}", place(it.namespace.as_deref(), &it.name)), "declared");
    }
    for it in &cluster.roles {
        out.within(&format!("role {}", place(it.namespace.as_deref(), &it.name)), |out| role(out, it));
    }
    for it in &cluster.bindings {
        out.within(&format!("binding {}", place(it.namespace.as_deref(), &it.name)), |out| binding(out, it));
    }
    for it in &cluster.autoscalers {
        let name = place(it.namespace.as_deref(), &it.name);
        let (min, max) = (it.min.as_ref().map(|it| it.value), it.max.as_ref().map(|it| it.value));
        out.say(&format!("autoscaler {name}"), format!("{} {} {min:?} {max:?}", it.target_kind, it.target));
    }
    for it in &cluster.budgets {
        out.say(&format!("budget {}", place(it.namespace.as_deref(), &it.name)), selector(it.selector.as_ref()));
    }
    for it in &cluster.issuers {
        out.say(&format!("issuer {}", place(it.namespace.as_deref(), &it.name)), format!("{:?}", it.authority));
    }
    for it in &cluster.certificates {
        out.within(&format!("certificate {}", place(it.namespace.as_deref(), &it.name)), |out| certificate(out, it));
    }
    for it in &cluster.policies {
        out.within(&format!("policy {}", place(it.namespace.as_deref(), &it.name)), |out| policy(out, it));
    }
    for it in &cluster.instrumentations {
        out.within(&format!("instrumentation {}", place(it.namespace.as_deref(), &it.name)), |out| {
            out.say_some("to", it.endpoint.as_ref().map(|it| &it.value));
            out.say("propagators", joined(it.propagators.iter().map(|it| &it.value)));
            let sampler = it.sampler.as_ref();
            out.say_some(
                "sampler",
                sampler.map(|(it, share)| format!("{} {:?}", it.value, share.as_ref().map(|it| &it.value))),
            );
            for variable in &it.env {
                out.say(&format!("env {}", variable.name), super::environment(variable));
            }
        });
    }
    for it in &cluster.claims {
        out.within(&format!("claim {}", place(it.namespace.as_deref(), &it.name)), |out| claim(out, it));
    }
}

fn certificate(out: &mut Lines, it: &Certificate) {
    out.say("in", it.secret.clone());
    let hosts = it.hosts.iter().chain(&it.common_name).map(|it| it.value.clone());
    out.say("for", format!("{} {:?}{}", joined(hosts), it.usages, if it.is_authority { " authority" } else { "" }));
    out.say("by", format!("{:?}", it.issuer.value));
}

fn place(namespace: Option<&str>, name: &str) -> String {
    namespace.map_or_else(|| name.to_owned(), |namespace| format!("{namespace}/{name}"))
}

fn labels(labels: &Labels) -> String {
    joined(labels.iter().map(|(key, value)| format!("{key}={}", value.value)))
}

fn selector(selector: Option<&Selector>) -> String {
    selector.map_or_else(|| "nothing".to_owned(), |it| format!("{} {:?}", labels(&it.labels), it.expressions))
}

fn service(out: &mut Lines, it: &Service) {
    out.say(
        "is",
        format!("{:?}{}{}", it.ty, if it.headless { " headless" } else { "" }, if it.sticky { " sticky" } else { "" }),
    );
    out.say("picks", selector(it.selector.as_ref()));
    for port in &it.ports {
        let speaks = port.app_protocol.as_ref().map_or("", |it| it.value.as_str());
        let name = port.name.as_deref().unwrap_or_default();
        let target = format!("to {} {name} {speaks}", port.target);
        out.say(&format!("port {}{}", port.port, transport(port.transport)), target);
    }
}

fn role(out: &mut Lines, it: &Role) {
    for rule in &it.rules {
        let of = format!("allows {} of {:?} {:?}", joined(&rule.resources), rule.groups, rule.names);
        out.say(&of, joined(&rule.verbs));
    }
}

fn binding(out: &mut Lines, it: &Binding) {
    let (cluster, name) = (it.role.value.cluster, &it.role.value.name);
    out.say("gives", format!("{name}{}", if cluster { " of the cluster" } else { "" }));
    for subject in &it.subjects {
        out.say("to", format!("{} {}", subject.kind, place(subject.namespace.as_deref(), &subject.name)));
    }
}

fn policy(out: &mut Lines, it: &NetworkPolicy) {
    out.say("picks", selector(Some(&it.pods)));
    for (way, rules) in [("in", &it.ingress), ("out", &it.egress)] {
        out.say(way, if rules.is_some() { "limited" } else { "free" });
        for rule in rules.iter().flatten() {
            let peers = rule.peers.iter().map(|it| {
                let picked = |it: &Option<Selector>| it.as_ref().map_or_else(String::new, |it| selector(Some(it)));
                let block = it.block.as_ref().map_or("", |it| it.cidr.value.as_str());
                format!("{} in {} {block}", picked(&it.pods), picked(&it.namespaces))
            });
            let ports = rule.ports.iter().map(|it| format!("{:?}{}", it.port, transport(it.transport)));
            out.say(&format!("{way} {}", joined(peers)), joined(ports));
        }
    }
}

fn claim(out: &mut Lines, it: &Claim) {
    out.say("modes", joined(it.access_modes.iter().map(|it| &it.value)));
    out.say_some("class", it.storage_class.as_ref().map(|it| &it.value));
    out.say_some("size", it.size.as_ref().map(|it| it.value));
    out.say_some("one for each pod of", it.template_of.as_ref());
}

/// What Kubernetes says of a container itself, and of its pod.
pub(super) fn container(out: &mut Lines, it: &Container, pod: &Pod) {
    out.say("pod of", format!("{} {}", pod.kind, place(pod.namespace.as_deref(), &pod.name)));
    out.say("pod labels", labels(&pod.labels));
    out.say_some("account", pod.service_account.as_ref().map(|it| &it.value));
    if let Some(shared) = &pod.targets_shared {
        let text = |it: &Option<Sourced<String>>| it.as_ref().map_or("", |it| &it.value).to_owned();
        out.say("targets shared out", format!("{} as {}", text(&shared.strategy), text(&shared.account)));
    }
    out.say("network of the machine", pod.host_network.is_some());
    out.say_some("group of volumes", pod.fs_group.as_ref().map(|it| it.value));
    out.say_some("names by", pod.service_name.as_ref().map(|it| &it.value));
    out.say("own volumes", joined(&pod.own_volumes));
    out.say("variables of Services", pod.links);
    out.say("wherever taints are", pod.tolerant.is_some());
    if let Known::Value(most) = &it.most_replicas {
        out.say("at most", most.value);
    }
    if let Known::Value(replicas) = &it.replicas {
        out.say("replicas", replicas.value);
    }
    for port in &it.ports {
        let name = port.name.as_deref().unwrap_or_default();
        out.say(&format!("port {}{}", port.port, transport(port.transport)), name);
    }
    for probe in &it.probes {
        let number = |port: &TargetPort| it.port_number(port).map_or_else(|| port.to_string(), |it| it.to_string());
        let asks = match &probe.action {
            ProbeAction::Http { path, port, host, tls } => {
                format!("http {} {path} {host:?}{}", number(&port.value), if *tls { " TLS" } else { "" })
            }
            ProbeAction::Tcp { port, host } => format!("tcp {} {host:?}", number(&port.value)),
            ProbeAction::Grpc { port } => format!("grpc {}", number(&port.value)),
            ProbeAction::Exec(words) => format!("{words:?}"),
        };
        out.say(probe.kind.key(), format!("{asks} every {:?}", probe.period.as_ref().map(|it| it.value)));
    }
    out.say_some("read-only root", it.read_only_root.as_ref().map(|it| it.value));
}
