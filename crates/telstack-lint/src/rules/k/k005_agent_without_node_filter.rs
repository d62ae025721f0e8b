use telstack_diagnostics::{RuleInfo, Severity};
use telstack_system::{WorkloadKind, access};

use crate::{Cx, Rule, facts::own_pod};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        code: "K005",
        name: "agent-without-node-filter",
        severity: Severity::Warning,
        summary: "An agent on every node watches the pods of the whole cluster.",
        why: "Each agent keeps all pods of the cluster in memory and is told of each change to any of them. The load \
              on the API and the memory of all agents together grow with the nodes times the pods; an agent only needs \
              those of its own node.",
        bad: r"kind: DaemonSet
…
processors:
  k8s_attributes:
    auth_type: serviceAccount",
        good: r"kind: DaemonSet
…
processors:
  k8s_attributes:
    auth_type: serviceAccount
    filter: {node_from_env_var: K8S_NODE_NAME}",
        silent: "It is no DaemonSet; a Service stands for the agents, so that pods of other nodes may send to it; \
                 `passthrough`, which asks for nothing; the filter comes from the environment.",
        sources: &[
            "https://github.com/open-telemetry/opentelemetry-collector-contrib/blob/main/processor/k8sattributesprocessor/README.md",
            "https://github.com/open-telemetry/opentelemetry-collector-contrib/tree/main/extension/observer/k8sobserver",
        ],
    },
    check,
};

fn check(cx: &mut Cx<'_>) {
    let Some(cluster) = cx.system.cluster.as_deref() else { return };
    for part in cx.facts.parts.iter().filter(|part| part.runs()) {
        let Some(filter) = part.usable().and_then(|(fact, _)| fact.node_filter()) else { continue };
        let Some(pod) = own_pod(part.node).filter(|pod| pod.kind == WorkloadKind::DaemonSet) else { continue };
        let filtered = filter.any.iter().any(|it| part.component.setting(it).is_some());
        let off = access::any_holds(part.component, &filter.unless) != Some(false);
        if filtered || off || cluster.open || cluster.services_of(pod).next().is_some() {
            continue;
        }
        let message = format!("{} watches the pods of all nodes, on every node", part.title());
        let finding = cx
            .finding(message, &part.component.origin, "no filter by node")
            .label(pod.origin.span(), "runs on every node")
            .help(format!("watch those of the own node: `{}`", filter.write))
            .help("with `spec.nodeName` in that variable, by `valueFrom: {fieldRef: {fieldPath: spec.nodeName}}`");
        cx.report(finding);
    }
}

#[cfg(test)]
mod tests {
    use telstack_system::WorkloadKind;

    use crate::test_support::Bench;

    fn agent(kind: WorkloadKind, settings: &str) -> Bench {
        let mut bench = Bench::collector(
            "0.158.0",
            &format!(
                "processors: {{k8s_attributes: {{{settings}}}}}\n\
                 service: {{pipelines: {{logs: {{receivers: [file_log], processors: [k8s_attributes]}}}}}}"
            ),
        );
        bench.in_pod(kind);
        bench
    }

    #[test]
    fn warns_on_every_node() {
        agent(WorkloadKind::DaemonSet, "").finds("K005", "k8s_attributes");
    }

    #[test]
    fn passes_with_a_filter_and_on_gateways() {
        agent(WorkloadKind::DaemonSet, "filter: {node_from_env_var: NODE}").silent("K005");
        agent(WorkloadKind::DaemonSet, "filter: {node: '${env:NODE}'}").silent("K005");
        agent(WorkloadKind::Deployment, "").silent("K005");
    }

    #[test]
    fn silent_where_nothing_is_watched() {
        agent(WorkloadKind::DaemonSet, "passthrough: true").silent("K005");
    }
}
