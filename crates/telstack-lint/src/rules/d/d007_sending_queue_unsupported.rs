use telstack_diagnostics::{RuleInfo, Severity};
use telstack_system::Origin;

use crate::{Cx, Rule, facts::ProblemKind, words::either};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        code: "D007",
        name: "sending-queue-unsupported",
        severity: Severity::Error,
        summary: "An exporter is given a queue or retry settings that it does not have.",
        why: "Most exporters share one queue and one retry helper, some bring their own and some have none. To those \
              the keys are unknown, and the collector does not start: `has invalid keys: sending_queue`.",
        bad: r#"exporter "prometheus_remote_write" {
    endpoint "http://mimir:9009/api/v1/push"
    sending_queue queue_size=10000
}"#,
        good: r#"exporter "prometheus_remote_write" {
    endpoint "http://mimir:9009/api/v1/push"
    remote_write_queue queue_size=10000
}"#,
        silent: "The settings of that exporter at that release are not known.",
        sources: &[
            "https://github.com/open-telemetry/opentelemetry-collector/pull/2951",
            "https://github.com/open-telemetry/opentelemetry-collector-contrib/issues/37770",
        ],
    },
    check,
};

fn check(cx: &mut Cx<'_>) {
    for problem in &cx.facts.problems {
        let ProblemKind::NoQueue(instead) = &problem.kind else { continue };
        let message = format!("{} has no `{}`", problem.owner(), problem.path);
        let origin = problem.component.map(|it| &it.origin);
        let finding = cx
            .finding(message, problem.at, format!("not a setting of this exporter at {}", problem.version))
            .label(origin.and_then(Origin::span), "this exporter");
        let finding = if instead.is_empty() {
            finding.help(format!("leave `{}` out: what it sends is not queued here", problem.path))
        } else {
            finding.help(format!("use its own {}", either(instead)))
        };
        cx.report(finding);
    }
}

#[cfg(test)]
mod tests {
    use crate::test_support::Bench;

    #[test]
    fn fails_on_an_exporter_with_a_queue_of_its_own() {
        let bench = Bench::collector(
            "0.158.0",
            "exporters: {prometheusremotewrite: {endpoint: 'http://p:9090/api/v1/write', sending_queue: {enabled: true}}}",
        );
        bench.finds("D007", "sending_queue");
        bench.silent("Y001");
    }

    #[test]
    fn passes_where_there_is_one() {
        Bench::collector("0.158.0", "exporters: {otlp_grpc: {endpoint: 'gw:4317', sending_queue: {queue_size: 10}}}")
            .silent("D007");
    }

    #[test]
    fn silent_when_the_settings_are_not_known() {
        Bench::collector("0.158.0", "exporters: {datadog: {sending_queue: {queue_size: 10}}}").silent("D007");
    }
}
