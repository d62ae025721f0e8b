use core::net::IpAddr;

use telstack_catalog::otelcol::{self, Transport};
use telstack_diagnostics::{Diagnostic, RuleInfo, Severity};
use telstack_system::{
    Cluster, Container, Edge, NodeId, Origin, Pod, Selector, WorkloadKind,
    access::Asked,
    cluster::{Labels, NetworkPolicy, Peer, PolicyRule, same_namespace},
};

use crate::{Cx, Rule};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        code: "K008",
        name: "networkpolicy-blocks-flow",
        severity: Severity::Error,
        summary: "A network policy cuts a link that the files otherwise make.",
        why: "A pod that a policy picks talks only to what some policy allows, and connections to anything else time \
              out, without a word in any log of the network. A policy for what leaves a pod must allow names to be \
              asked for, too: port 53, by UDP and TCP.",
        bad: r"kind: NetworkPolicy
spec:
  podSelector: {matchLabels: {app: tempo}}
  policyTypes: [Ingress]
  ingress:
    - from: [{podSelector: {matchLabels: {app: otel-gateway}}}]
      ports: [{port: 4317}]
# and Grafana has a data source at http://tempo:3200",
        good: r"kind: NetworkPolicy
spec:
  podSelector: {matchLabels: {app: tempo}}
  policyTypes: [Ingress]
  ingress:
    - from: [{podSelector: {matchLabels: {app: otel-gateway}}}]
      ports: [{port: 4317}]
    - from: [{podSelector: {matchLabels: {app: grafana}}}]
      ports: [{port: 3200}]",
        silent: "No policy picks the pod; policies of another kind (Cilium, Calico, the administrator's) are among the \
                 files; one allows addresses, which may be those of the pod; it picks namespaces by labels that no \
                 file shows; a pod is in the network of its node, a patch may change \
                 it, or it is that of a program with a sidecar; there may be more policies than these files have. \
                 Names and the API of the cluster are a warning.",
        sources: &[
            "https://kubernetes.io/docs/concepts/services-networking/network-policies/",
            "https://github.com/grafana/loki/issues/19073",
            "https://github.com/kubernetes/website/issues/54997",
        ],
    },
    check,
};

/// Which way a policy looks.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    In,
    Out,
}

fn check(cx: &mut Cx<'_>) {
    let system = cx.system;
    let Some(cluster) = system.cluster.as_deref().filter(|it| !it.open && !it.policies.is_empty()) else { return };
    if cluster.unread.iter().any(|kind| otelcol::is_other_policy(&kind.value)) {
        return;
    }
    let mut told: Vec<(NodeId, NodeId, u16, bool)> = Vec::new();
    for (_, from, edge, to) in system.edges() {
        let (Some(one), Some(other)) = (container(cx, from), container(cx, to)) else { continue };
        let Some((own, there)) = one.pod.as_deref().zip(other.pod.as_deref()) else { continue };
        let Some(port) = edge.port() else { continue };
        let unsure = [own, there].into_iter().any(may_be_outside);
        if unsure || own.is_same(there) {
            continue;
        }
        let name = other.port_name(port);
        for (way, picked, far) in [(Way::Out, own, there), (Way::In, there, own)] {
            let Some(policy) = denies(cluster, way, picked, far, port, name) else { continue };
            let key = (from, to, port, way == Way::In);
            if told.contains(&key) {
                continue;
            }
            told.push(key);
            if let Some(finding) = cut(cx, way, edge, (from, to), policy, (far, port)) {
                cx.report(finding);
            }
        }
    }
    names(cx, cluster);
    api(cx, cluster);
}

/// Is it in the network of its node, where no policy holds, may a patch put it there or under other labels, or is it in
/// the pods of others?
fn may_be_outside(pod: &Pod) -> bool {
    pod.host_network.is_some() || pod.patched || pod.kind == WorkloadKind::Sidecar
}

fn container<'a>(cx: &Cx<'a>, id: NodeId) -> Option<&'a Container> {
    cx.system.node(id).container.as_ref()
}

fn rules(policy: &NetworkPolicy, way: Way) -> Option<&[PolicyRule]> {
    match way {
        Way::In => policy.ingress.as_deref(),
        Way::Out => policy.egress.as_deref(),
    }
}

/// The policies that surely pick a pod and say something of a way; none where more of them may.
fn picking<'a>(cluster: &'a Cluster, way: Way, pod: &'a Pod) -> Option<Vec<&'a NetworkPolicy>> {
    let about = |it: &&NetworkPolicy| rules(it, way).is_some();
    let unsure = |it: &NetworkPolicy| {
        same_namespace(it.namespace.as_deref(), pod.namespace.as_deref()).is_none() && it.pods.picks(&pod.labels)
    };
    if cluster.policies.iter().filter(about).any(unsure) {
        return None;
    }
    let found: Vec<_> = cluster.policies_of(pod).filter(about).collect();
    (!found.is_empty()).then_some(found)
}

/// A policy for a pod, if all of those for it surely forbid what comes from, or goes to, another pod.
fn denies<'a>(
    cluster: &'a Cluster,
    way: Way,
    pod: &'a Pod,
    far: &Pod,
    port: u16,
    name: Option<&str>,
) -> Option<&'a NetworkPolicy> {
    let policies = picking(cluster, way, pod)?;
    let admits = |policy: &NetworkPolicy, rule: &PolicyRule| {
        let ports = rule.ports.is_empty() || rule.ports.iter().any(|it| it.admits(port, name, Transport::Tcp));
        ports && (rule.peers.is_empty() || rule.peers.iter().any(|it| may_mean(cluster, policy, it, far)))
    };
    let any = policies.iter().any(|policy| rules(policy, way).into_iter().flatten().any(|it| admits(policy, it)));
    policies.first().copied().filter(|_| !any)
}

/// May a peer of a policy be that pod?
fn may_mean(cluster: &Cluster, policy: &NetworkPolicy, peer: &Peer, pod: &Pod) -> bool {
    if peer.block.is_some() {
        return true;
    }
    let near = match &peer.namespaces {
        None => same_namespace(policy.namespace.as_deref(), pod.namespace.as_deref()) != Some(false),
        Some(selector) => may_pick(cluster, selector, pod.namespace.as_deref()),
    };
    near && peer.pods.as_ref().is_none_or(|it| it.picks(&pod.labels))
}

/// May a selector pick a namespace?
fn may_pick(cluster: &Cluster, selector: &Selector, namespace: Option<&str>) -> bool {
    let Some(name) = namespace.filter(|_| !selector.is_empty()) else { return true };
    let declared = cluster.namespace(name);
    let known = |key: &String| key == otelcol::namespace_label();
    if declared.is_none()
        && !(selector.labels.keys().all(known) && selector.expressions.iter().all(|it| known(&it.key)))
    {
        return true;
    }
    let mut labels = declared.map_or_else(Labels::new, |it| it.labels.clone());
    let own = telstack_system::Sourced::new(name.to_owned(), selector.origin.clone());
    labels.entry(otelcol::namespace_label().to_owned()).or_insert(own);
    selector.picks(&labels)
}

fn cut(
    cx: &Cx<'_>,
    way: Way,
    edge: &Edge,
    (from, to): (NodeId, NodeId),
    policy: &NetworkPolicy,
    (far, port): (&Pod, u16),
) -> Option<Diagnostic> {
    let dial = edge.dial.as_ref()?;
    let (from, to) = (cx.system.node(from), cx.system.node(to));
    let (pods, lists, word) = match way {
        Way::In => (&to.name, "ingress", "from"),
        Way::Out => (&from.name, "egress", "to"),
    };
    let message = format!("a network policy keeps `{}` from `{}`, port {port}", from.name, to.name);
    let labels: Vec<String> = far.labels.iter().map(|(key, it)| format!("{key}: {}", it.value)).collect();
    let mut peer = format!("podSelector: {{matchLabels: {{{}}}}}", labels.join(", "));
    if let Some(namespace) = far.namespace.as_deref().filter(|it| policy.namespace.as_deref() != Some(it)) {
        let label = otelcol::namespace_label();
        peer = format!("namespaceSelector: {{matchLabels: {{{label}: {namespace}}}}}, {peer}");
    }
    let finding = cx
        .finding(message, &dial.origin, "times out")
        .label(
            policy.origin.span(),
            format!("`{}` picks the pods of `{pods}`, and no rule of it allows this", policy.name),
        )
        .help(format!("allow it under `{lists}`: `- {{{word}: [{{{peer}}}], ports: [{{port: {port}}}]}}`"));
    Some(finding.label(Some(&to.origin).and_then(Origin::span), "what is dialled"))
}

/// May those to whom a rule lets out be something of the cluster's own?
fn is_wide(rule: &PolicyRule) -> bool {
    rule.peers.is_empty() || rule.peers.iter().any(|it| it.block.is_some() || it.namespaces.is_some())
}

/// Does any policy for a pod let something of the cluster's own be asked at one of the ports? True where none is.
fn lets_out(policies: &[&NetworkPolicy], mut ports: impl Iterator<Item = u16>, transport: Transport) -> bool {
    let all = || policies.iter().flat_map(|it| it.egress.iter().flatten()).filter(|it| is_wide(it));
    ports.any(|port| {
        all().any(|rule| rule.ports.is_empty() || rule.ports.iter().any(|it| it.admits(port, None, transport)))
    })
}

/// Pods that dial by name, and may not ask for addresses.
fn names(cx: &mut Cx<'_>, cluster: &Cluster) {
    let system = cx.system;
    let mut told: Vec<&Pod> = Vec::new();
    for (_, from, edge, _) in system.edges() {
        let Some(pod) = container(cx, from).and_then(|it| it.pod.as_deref()) else { continue };
        let Some(dial) = edge.dial.as_ref().filter(|it| it.host.parse::<IpAddr>().is_err()) else { continue };
        let inside = edge.via.is_some_and(|via| via.service.is_none());
        if inside || may_be_outside(pod) || told.iter().any(|it| it.is_same(pod)) {
            continue;
        }
        let Some(policies) = picking(cluster, Way::Out, pod) else { continue };
        if lets_out(&policies, otelcol::dns_ports(), Transport::Udp) {
            continue;
        }
        told.push(pod);
        let Some(policy) = policies.first() else { continue };
        let port = otelcol::dns_ports().next().unwrap_or_default();
        let message =
            format!("`{}` dials `{}` by name, and a network policy lets it ask for no address", pod.name, dial.host);
        let finding = cx
            .finding(message, &policy.origin, format!("no rule lets out to port {port}"))
            .severity(Severity::Warning)
            .label(dial.origin.span(), "this name")
            .help(format!("allow it under `egress`: `- {{ports: [{{port: {port}, protocol: UDP}}, {{port: {port}, protocol: TCP}}]}}`"));
        cx.report(finding);
    }
}

/// Pods that ask the API of the cluster, and may not.
fn api(cx: &mut Cx<'_>, cluster: &Cluster) {
    let facts = cx.facts;
    let mut told: Vec<&Pod> = Vec::new();
    for part in facts.parts.iter().filter(|part| part.runs()) {
        let Some(pod) = part.node.container.as_ref().and_then(|it| it.pod.as_deref()) else { continue };
        if may_be_outside(pod) || told.iter().any(|it| it.is_same(pod)) {
            continue;
        }
        if !part.asked().is_some_and(|(all, _)| all.iter().any(Asked::is_of_api)) {
            continue;
        }
        let Some(policies) = picking(cluster, Way::Out, pod) else { continue };
        if lets_out(&policies, otelcol::api_ports().iter().copied(), Transport::Tcp) {
            continue;
        }
        told.push(pod);
        let Some(policy) = policies.first() else { continue };
        let message = format!("{} asks the API of the cluster, and a network policy does not let it", part.title());
        let port = otelcol::api_ports().first().copied().unwrap_or_default();
        let finding = cx
            .finding(message, &policy.origin, "no rule lets out to the API")
            .severity(Severity::Warning)
            .label(part.component.origin.span(), "asks the API")
            .help(format!(
                "allow it under `egress`: `- {{ports: [{{port: {port}}}, …]}}`, and the port of the API behind it"
            ));
        cx.report(finding);
    }
}

#[cfg(test)]
mod tests {
    use telstack_catalog::otelcol::Transport;
    use telstack_diagnostics::Severity;
    use telstack_system::{
        Selector, Sourced, TargetPort, Via, WorkloadKind,
        cluster::{NetworkPolicy, Peer, PolicyPort, PolicyRule},
    };

    use crate::test_support::Bench;

    /// An agent that dials a gateway, and a policy for what reaches pods of that label from pods of another.
    fn linked(picks: &str, from: &str, port: u16, out: bool) -> Bench {
        let mut bench = Bench::link(|edge, _| {
            edge.via = Some(Via { service: Some(0), port: Some(4317), pods: false });
        });
        for id in bench.system.node_ids() {
            bench.pod_of(id, WorkloadKind::Deployment);
        }
        let origin = bench.at("binds");
        let app = |name: &str| Selector {
            labels: [("app".to_owned(), Sourced::new(name.to_owned(), origin.clone()))].into(),
            expressions: Vec::new(),
            origin: origin.clone(),
        };
        let peer = Peer { pods: Some(app(from)), namespaces: None, block: None, origin: origin.clone() };
        let ports = vec![PolicyPort {
            transport: Transport::Tcp,
            port: Some(TargetPort::Number(port)),
            end: None,
            origin: origin.clone(),
        }];
        let mut rules = vec![PolicyRule { peers: vec![peer], ports, origin: origin.clone() }];
        if out {
            rules.push(PolicyRule {
                peers: Vec::new(),
                ports: vec![PolicyPort {
                    transport: Transport::Udp,
                    port: Some(TargetPort::Number(53)),
                    end: None,
                    origin: origin.clone(),
                }],
                origin: origin.clone(),
            });
        }
        let (ingress, egress) = if out { (None, Some(rules)) } else { (Some(rules), None) };
        let policy = NetworkPolicy { name: "p".to_owned(), namespace: None, pods: app(picks), ingress, egress, origin };
        bench.cluster().policies.push(policy);
        bench
    }

    #[test]
    fn fails_where_nothing_allows_it() {
        assert_eq!(linked("gateway", "grafana", 4317, false).finds("K008", "dials"), Severity::Error);
        linked("gateway", "agent", 4318, false).finds("K008", "dials");
        linked("agent", "loki", 4317, true).finds("K008", "dials");
    }

    #[test]
    fn passes_where_a_rule_allows_it_or_none_picks_the_pod() {
        linked("gateway", "agent", 4317, false).silent("K008");
        linked("agent", "gateway", 4317, true).silent("K008");
        linked("tempo", "grafana", 3200, false).silent("K008");
    }

    #[test]
    fn warns_where_names_cannot_be_asked_for() {
        let mut bench = linked("agent", "gateway", 4317, true);
        if let Some(egress) = &mut bench.cluster().policies[0].egress {
            egress.pop();
        }
        assert_eq!(bench.finds("K008", "binds"), Severity::Warning);
    }

    #[test]
    fn silent_when_there_may_be_more() {
        let mut bench = linked("gateway", "grafana", 4317, false);
        bench.cluster().open = true;
        bench.silent("K008");
        let mut bench = linked("gateway", "grafana", 4317, false);
        let origin = bench.at("binds");
        bench.cluster().unread.push(Sourced::new("CiliumNetworkPolicy".to_owned(), origin));
        bench.silent("K008");
    }
}
