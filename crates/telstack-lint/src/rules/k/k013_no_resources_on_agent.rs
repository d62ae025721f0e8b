use telstack_diagnostics::{RuleInfo, Severity};
use telstack_system::{NodeKind, Origin};

use crate::{Cx, Rule, facts::own_pod};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        code: "K013",
        name: "no-resources-on-agent",
        severity: Severity::Info,
        summary: "A collector or store in a pod has neither a request nor a limit of memory.",
        why: "A pod that asks for nothing is the first to be evicted when its node runs out of memory, which is when \
              telemetry is wanted most, and the scheduler packs it wherever it likes. Shares of a limit that is not \
              there, such as the `limit_percentage` of a memory limiter, are shares of the whole node.",
        bad: r"containers:
  - name: otel
    image: otel/opentelemetry-collector-k8s:0.158.0",
        good: r"containers:
  - name: otel
    image: otel/opentelemetry-collector-k8s:0.158.0
    resources:
      requests: {memory: 256Mi, cpu: 100m}
      limits: {memory: 512Mi}",
        silent: "One of the two is set; a `LimitRange` is among the files; an operator makes the pod; what runs is no \
                 collector and no store.",
        sources: &["https://kubernetes.io/docs/concepts/workloads/pods/pod-qos/"],
    },
    check,
};

/// What sets defaults for a namespace.
const DEFAULTS: &str = "LimitRange";

fn check(cx: &mut Cx<'_>) {
    let Some(cluster) = cx.system.cluster.as_deref() else { return };
    if cluster.open || cluster.unread.iter().any(|it| it.value == DEFAULTS) {
        return;
    }
    for (_, node) in cx.system.nodes() {
        if !matches!(node.kind, NodeKind::Collector(_) | NodeKind::Store(_)) {
            continue;
        }
        let (Some(pod), Some(container)) = (own_pod(node), &node.container) else { continue };
        let resources = &container.resources;
        if resources.memory.is_some() || resources.memory_request.is_some() {
            continue;
        }
        let message = format!("`{}` asks for no memory and has no limit", node.name);
        let place = if container.image.origin.is_written() { &container.image.origin } else { &container.origin };
        let write = if cx.system.from_files {
            "write `resources: {requests: {memory: …}, limits: {memory: …}}`"
        } else {
            "write `resources memory=\"512MiB..1GiB\"`"
        };
        let finding = cx
            .finding(message, place, "no `resources`")
            .label(Some(&pod.origin).and_then(Origin::span), "the first to be evicted")
            .help(write);
        cx.report(finding);
    }
}

#[cfg(test)]
mod tests {
    use telstack_diagnostics::Severity;
    use telstack_system::{Sourced, WorkloadKind, units::Bytes};

    use crate::test_support::Bench;

    fn bare() -> Bench {
        let mut bench = Bench::new("pod");
        bench.add_collector("otel", telstack_catalog::Distribution::K8s, "0.158.0", "receivers: {}");
        bench.in_pod(WorkloadKind::DaemonSet);
        bench
    }

    #[test]
    fn tells_of_none_at_all() {
        assert_eq!(bare().finds("K013", ""), Severity::Info);
    }

    #[test]
    fn passes_with_one_of_the_two() {
        let mut bench = bare();
        let (origin, id) = (bench.at("pod"), bench.system.node_ids()[0]);
        let memory = Bytes::parse("256MiB").map(|it| Sourced::new(it, origin));
        bench.container(id).resources.memory_request = memory;
        bench.silent("K013");
    }

    #[test]
    fn silent_for_what_an_operator_makes() {
        let mut bench = bare();
        bench.in_pod(WorkloadKind::DaemonSet).operated = true;
        bench.silent("K013");
    }
}
