use telstack_diagnostics::{RuleInfo, Severity};
use telstack_system::{Origin, access};

use crate::{Cx, Rule, facts::several};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        code: "K002",
        name: "cluster-singleton-replicated",
        severity: Severity::Warning,
        summary: "A receiver that looks at the whole cluster runs in several collectors.",
        why: "Each of them asks the API for everything and reports all of it. Every event comes as often as there are \
              replicas, every series is written by all of them at once, and sums over the cluster are too large by \
              that factor.",
        bad: r"kind: DaemonSet
…
receivers:
  k8s_cluster:
    collection_interval: 30s",
        good: r"kind: Deployment
spec:
  replicas: 1
…
receivers:
  k8s_cluster:
    collection_interval: 30s",
        silent: "The receiver names a `k8s_leader_elector`; there is one replica, and an autoscaler makes no more; it \
                 is not known how many there are; the DaemonSet runs on chosen nodes; each `k8s_objects` entry has a \
                 `field_selector`, by which a replica may look at its own node. An error in a stack, whose collectors \
                 choose a leader by themselves from 0.126.0 on (`k8s_events`: 0.137.0).",
        sources: &[
            "https://github.com/open-telemetry/opentelemetry-helm-charts/issues/924",
            "https://github.com/open-telemetry/opentelemetry-collector-contrib/issues/24678",
            "https://github.com/open-telemetry/opentelemetry-collector-contrib/issues/36962",
        ],
    },
    check,
};

fn check(cx: &mut Cx<'_>) {
    for part in cx.facts.parts.iter().filter(|part| part.runs()) {
        let Some(once) = part.usable().and_then(|(fact, _)| fact.once()) else { continue };
        if part.component.setting(&once.leader).is_some() || access::is_limited(part.component, once) {
            continue;
        }
        let Some(instances) = several(part.node) else { continue };
        let words = instances.words();
        let message = format!("{} looks at the whole cluster, and `{}` runs {words}", part.title(), part.node.name);
        // Where a stack is compiled, this is what will surely come.
        let severity = if cx.system.from_files { Severity::Warning } else { Severity::Error };
        let mut finding = cx
            .finding(message, &part.component.origin, format!("{} comes from each of them", once.what))
            .severity(severity)
            .label(instances.several().and_then(Origin::span), format!("runs {words}"))
            .help(cx.words(
                "run it in a collector of its own, with `replicas=1`",
                "run it in a collector of its own, a Deployment with `replicas: 1`",
            ));
        if part.knows(&once.leader) {
            let key = &once.leader;
            finding =
                finding.help(format!("or let one of them be chosen: an extension `{key}`, named by `{key}:` here"));
        }
        cx.report(finding);
    }
}

#[cfg(test)]
mod tests {
    use telstack_diagnostics::Severity;
    use telstack_system::{Known, Sourced, WorkloadKind};

    use crate::test_support::Bench;

    fn in_pod(kind: WorkloadKind, receiver: &str) -> Bench {
        let name = receiver.split_once(':').map_or(receiver, |(name, _)| name);
        let mut bench = Bench::collector(
            "0.158.0",
            &format!(
                "receivers: {{{receiver}}}\n\
                 service: {{pipelines: {{logs: {{receivers: [{name}], exporters: [debug]}}}}}}"
            ),
        );
        bench.in_pod(kind);
        bench
    }

    #[test]
    fn warns_of_a_daemon_set() {
        let mut bench = in_pod(WorkloadKind::DaemonSet, "k8s_cluster: {}");
        assert_eq!(bench.finds("K002", "k8s_cluster"), Severity::Error, "in a stack");
        bench.system.from_files = true;
        assert_eq!(bench.finds("K002", "k8s_cluster"), Severity::Warning, "in files");
        in_pod(WorkloadKind::DaemonSet, "k8s_objects: {objects: [{name: events, mode: watch}]}")
            .finds("K002", "k8s_objects");
    }

    #[test]
    fn warns_of_replicas_anywhere() {
        let mut bench = in_pod(WorkloadKind::Deployment, "k8s_events: {}");
        let origin = bench.at("receivers");
        bench.first().container.as_mut().expect("a container").replicas = Known::Value(Sourced::new(3, origin));
        bench.finds("K002", "k8s_events");
    }

    #[test]
    fn passes_for_one_and_for_a_chosen_one() {
        in_pod(WorkloadKind::Deployment, "k8s_cluster: {}").silent("K002");
        in_pod(WorkloadKind::DaemonSet, "k8s_cluster: {k8s_leader_elector: k8s_leader_elector}").silent("K002");
        let by_node = "k8s_objects: {objects: [{name: pods, field_selector: 'spec.nodeName=${env:NODE}'}]}";
        in_pod(WorkloadKind::DaemonSet, by_node).silent("K002");
    }

    #[test]
    fn silent_when_it_is_not_known() {
        let mut bench = in_pod(WorkloadKind::Deployment, "k8s_cluster: {}");
        bench.first().container.as_mut().expect("a container").replicas = Known::Unknown;
        bench.silent("K002");
    }
}
