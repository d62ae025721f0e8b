use core::net::IpAddr;

use telstack_catalog::otelcol::Kubelet;
use telstack_diagnostics::{Diagnostic, RuleInfo, Severity};
use telstack_system::{
    Bind, EnvValue, Instances, Pod, access,
    expansion::{self, Piece},
    link::Address,
};

use crate::{
    Cx, Rule,
    facts::{Part, own_pod, several},
    words::is_reference,
};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        code: "K004",
        name: "kubeletstats-endpoint",
        severity: Severity::Error,
        summary: "`kubelet_stats` asks its own pod for what the kubelet of the node knows.",
        why: "The kubelet listens on the node, not in the pod. Inside of a pod `localhost`, the pod's own name (which \
              is asked where no endpoint is written) and the pod's own address lead to the pod, where the connection \
              is refused on every round.",
        bad: r"receivers:
  kubelet_stats:
    auth_type: serviceAccount
    endpoint: https://localhost:10250",
        good: r"receivers:
  kubelet_stats:
    auth_type: serviceAccount
    endpoint: https://${env:K8S_NODE_NAME}:10250
---
env:
  - name: K8S_NODE_NAME
    valueFrom: {fieldRef: {fieldPath: spec.nodeName}}",
        silent: "The pod is in the network of its node; the API of the cluster passes the request on (`kubeConfig`); \
                 the address is a name, or comes from a variable that is not known. A warning where a DaemonSet names \
                 one address for all nodes: a cluster may have one. A variable that nothing \
                 sets is K012. Whether the name of a node can be resolved, and whether its certificate is checked \
                 well, no file says.",
        sources: &[
            "https://github.com/open-telemetry/opentelemetry-collector-contrib/blob/main/receiver/kubeletstatsreceiver/README.md",
            "https://github.com/open-telemetry/opentelemetry-collector-contrib/issues/22843",
            "https://github.com/open-telemetry/opentelemetry-collector-contrib/issues/26481",
        ],
    },
    check,
};

fn check(cx: &mut Cx<'_>) {
    for part in cx.facts.parts.iter().filter(|part| part.runs()) {
        let Some(kubelet) = part.usable().and_then(|(fact, _)| fact.kubelet()) else { continue };
        let Some(pod) = own_pod(part.node).filter(|pod| pod.host_network.is_none()) else { continue };
        if access::holds(part.component, &kubelet.proxied) != Some(false) {
            continue;
        }
        if let Some(finding) = judge(cx, part, kubelet, pod) {
            let help = ask_the_node(cx, kubelet);
            cx.report(finding.label(pod.origin.span(), "a pod with a network of its own").help(help));
        }
    }
    for part in cx.facts.parts.iter().filter(|part| part.runs()) {
        if let Some(finding) = one_for_all(cx, part) {
            cx.report(finding);
        }
    }
}

/// An address that all pods ask, where each is to ask its own node.
fn one_for_all(cx: &Cx<'_>, part: &Part<'_>) -> Option<Diagnostic> {
    let kubelet = part.usable().and_then(|(fact, _)| fact.kubelet())?;
    let pod = own_pod(part.node)?;
    if access::holds(part.component, &kubelet.proxied) != Some(false) {
        return None;
    }
    let Some(Instances::EachMachine(_)) = several(part.node) else { return None };
    let endpoint = part.component.setting(&kubelet.endpoint)?;
    let text = endpoint.as_str().filter(|it| !is_reference(it))?;
    let host = Address::parse(text)?.host;
    // An address of the link may well be another one on each node.
    let fixed = match host.trim_matches(['[', ']']).parse::<IpAddr>().ok()? {
        IpAddr::V4(it) => !it.is_loopback() && !it.is_link_local() && !it.is_unspecified(),
        IpAddr::V6(it) => !it.is_loopback() && !it.is_unicast_link_local() && !it.is_unspecified(),
    };
    let message = format!("{} asks `{host}` from every node, and each of the others is asked by nobody", part.title());
    let help = ask_the_node(cx, kubelet);
    fixed.then(|| {
        cx.finding(message, &endpoint.mark, "one node")
            .severity(Severity::Warning)
            .label(pod.origin.span(), "runs on every node")
            .help(help)
    })
}

fn ask_the_node(cx: &Cx<'_>, kubelet: &Kubelet) -> String {
    cx.words(
        format!("leave `{}` out: the address of the node follows from where it runs", kubelet.endpoint),
        format!("ask the node: `{}: {}`, with `spec.nodeName` in that variable", kubelet.endpoint, kubelet.write),
    )
}

fn judge(cx: &Cx<'_>, part: &Part<'_>, kubelet: &Kubelet, pod: &Pod) -> Option<Diagnostic> {
    let Some(endpoint) = part.component.setting(&kubelet.endpoint).filter(|it| it.as_str() != Some("")) else {
        let message = format!("{} asks the pod `{}` itself, where no kubelet listens", part.title(), pod.name);
        return Some(cx.finding(message, &part.component.origin, "without an endpoint, it asks the name of the pod"));
    };
    let text = endpoint.as_str()?;
    if !is_reference(text) {
        let address = Address::parse(text).filter(|it| Bind::parse(&it.host) == Bind::Loopback)?;
        let message = format!("{} asks `{}` inside of the pod, where no kubelet listens", part.title(), address.host);
        return Some(cx.finding(message, &endpoint.mark, "leads to the pod itself"));
    }
    let pieces = expansion::pieces(text);
    let named = pieces.iter().find_map(|it| match it {
        Piece::Reference(it) if it.scheme == expansion::ENV => Some(it.name),
        _ => None,
    })?;
    let container = part.node.container.as_ref()?;
    let variable = container.env.iter().find(|it| it.name == named)?;
    let EnvValue::Field(field) = &variable.value else { return None };
    if !kubelet.pod_fields.contains(field) {
        return None;
    }
    let message = format!("{} asks `{named}`, which is the pod's own `{field}`", part.title());
    let finding = cx.finding(message, &endpoint.mark, "leads to the pod itself");
    Some(finding.label(variable.origin.span(), format!("`{field}`")))
}

#[cfg(test)]
mod tests {
    use telstack_diagnostics::Severity;
    use telstack_system::{EnvValue, EnvVar, WorkloadKind};

    use crate::test_support::Bench;

    fn stats(settings: &str) -> Bench {
        let mut bench = Bench::collector(
            "0.158.0",
            &format!(
                "receivers: {{kubelet_stats: {{{settings}}}}}\n\
                 service: {{pipelines: {{metrics: {{receivers: [kubelet_stats], exporters: [debug]}}}}}}"
            ),
        );
        bench.in_pod(WorkloadKind::DaemonSet);
        let origin = bench.at("service");
        let env = &mut bench.first().container.as_mut().expect("a container").env;
        for (name, field) in [("NODE", "spec.nodeName"), ("POD", "status.podIP")] {
            let value = EnvValue::Field(field.to_owned());
            env.push(EnvVar::new(name, value, origin.clone()));
        }
        bench
    }

    #[test]
    fn fails_where_the_pod_is_asked() {
        stats("auth_type: serviceAccount").finds("K004", "kubelet_stats");
        stats("endpoint: 'https://localhost:10250'").finds("K004", "'https://localhost:10250'");
        stats("endpoint: 'https://${env:POD}:10250'").finds("K004", "'https://${env:POD}:10250'");
    }

    #[test]
    fn passes_where_the_node_is_asked() {
        stats("endpoint: 'https://${env:NODE}:10250'").silent("K004");
        stats("endpoint: '169.254.20.10:10250'").silent("K004");
        stats("endpoint: 'kubelet.example:10250'").silent("K004");
        stats("auth_type: kubeConfig").silent("K004");
    }

    #[test]
    fn silent_in_the_network_of_the_node() {
        let mut bench = stats("endpoint: 'https://localhost:10250'");
        let origin = bench.at("service");
        bench.in_pod(WorkloadKind::DaemonSet).host_network = Some(origin);
        bench.silent("K004");
    }

    #[test]
    fn warns_of_one_node_for_all() {
        let mut bench = stats("endpoint: '10.0.0.1:10250'");
        assert_eq!(bench.finds("K004", "'10.0.0.1:10250'"), Severity::Warning);
        bench.in_pod(WorkloadKind::Deployment);
        bench.silent("K004");
    }
}
