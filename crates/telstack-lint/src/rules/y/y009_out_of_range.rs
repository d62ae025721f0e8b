use std::collections::BTreeMap;

use telstack_diagnostics::{RuleInfo, Severity};
use telstack_system::Origin;

use crate::{Cx, Rule, facts::ProblemKind, words::is_reference};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        code: "Y009",
        name: "out-of-range",
        severity: Severity::Error,
        summary: "A setting has a value that its component does not take: too small, too large, or twice in a list; two \
                  scrape jobs of Prometheus share a name.",
        why: "The collector checks such values when it starts, and refuses: `timeout must be greater or equal to 0`. So \
              does Prometheus: `found multiple scrape configs with job name`.",
        bad: r#"processor "batch" { timeout "-5s" }"#,
        good: r#"processor "batch" { timeout "5s" }"#,
        silent: "The value comes from the environment; the block that it stands in is switched off. Values that \
                 contradict each other are D008. A component that nothing uses is a warning where the collector looks \
                 only when it builds it.",
        sources: &["https://opentelemetry.io/docs/collector/configuration/"],
    },
    check,
};

fn check(cx: &mut Cx<'_>) {
    for problem in &cx.facts.problems {
        match &problem.kind {
            ProblemKind::Range(words) => {
                let message = format!("`{}` of {} {words}", problem.path, problem.owner());
                let finding = cx.finding(message, problem.at, "the collector does not start with this");
                cx.report(problem.if_noticed(finding));
            }
            ProblemKind::Beside(other) => {
                let message = format!("{} takes `{other}` or `{}`, not both", problem.owner(), problem.path);
                let finding = cx.finding(message, problem.at, format!("`{other}` is given too"));
                cx.report(problem.if_noticed(finding.help("leave one of them out")));
            }
            _ => {}
        }
    }
    for (_, node) in cx.system.nodes().filter(|_| cx.system.from_files) {
        let Some(prometheus) = node.store().and_then(|store| store.prometheus()) else { continue };
        let mut first: BTreeMap<&str, &Origin> = BTreeMap::new();
        for job in &prometheus.jobs {
            let Some(named) = job.named.as_ref().filter(|_| !is_reference(&job.name)) else { continue };
            let Some(before) = first.insert(&job.name, named) else { continue };
            let message = format!("two scrape jobs of `{}` are called `{}`", node.name, job.name);
            let finding = cx
                .finding(message, named, "Prometheus does not start with this")
                .label(before.span(), "the same name")
                .help("call one of them otherwise, or put the targets of both into one job");
            cx.report(finding);
        }
    }
}

#[cfg(test)]
mod tests {
    use telstack_diagnostics::Severity;

    use crate::test_support::Bench;

    fn batch(settings: &str) -> Bench {
        Bench::collector("0.158.0", &format!("processors: {{batch: {{{settings}}}}}"))
    }

    fn exporter(settings: &str) -> Bench {
        Bench::collector("0.158.0", &format!("exporters: {{otlp_http: {{endpoint: 'http://a:1', {settings}}}}}"))
    }

    #[test]
    fn fails_outside() {
        batch("timeout: -5s").finds("Y009", "-5s");
        batch("send_batch_size: -1").finds("Y009", "-1");
        exporter("retry_on_failure: {randomization_factor: 1.5}").finds("Y009", "1.5");
        exporter("compression: gzip, compression_params: {level: 50}").finds("Y009", "50");
        exporter("compression_params: {level: 50}").finds("Y009", "50");
        let yaml = "service: {telemetry: {metrics: {readers: []}}}";
        Bench::collector("0.158.0", yaml).finds("Y009", "[]");
    }

    #[test]
    fn warns_of_what_is_looked_at_only_when_it_is_built() {
        let exporter = |used: &str| {
            let yaml = format!(
                "exporters: {{otlp_http: {{endpoint: 'a:4318'}}}}\n\
                 service: {{pipelines: {{traces: {{receivers: [otlp], exporters: [{used}]}}}}}}"
            );
            Bench::collector("0.158.0", &yaml).finds("Y009", "'a:4318'")
        };
        assert_eq!((exporter(""), exporter("otlp_http")), (Severity::Warning, Severity::Error));
        // One that is not declared: this one may be meant.
        assert_eq!(exporter("otlphtp"), Severity::Error);
    }

    #[test]
    fn fails_on_one_thing_twice_or_two_ways() {
        batch("metadata_keys: [a, A]").finds("Y009", "[a, A]");
        exporter("tls: {ca_file: a, ca_pem: b}").finds("Y009", "b");
    }

    #[test]
    fn passes_inside() {
        batch("timeout: 0s, send_batch_size: 0, metadata_keys: [a, b]").silent("Y009");
        exporter("compression: zstd, compression_params: {level: 50}").silent("Y009");
        Bench::collector("0.158.0", "service: {telemetry: {metrics: {level: none, readers: []}}}").silent("Y009");
    }

    #[test]
    fn silent_when_switched_off_or_decided_later() {
        batch("timeout: '${env:TIMEOUT}'").silent("Y009");
        exporter("retry_on_failure: {enabled: false, multiplier: -1}").silent("Y009");
        exporter("compression: '${env:COMPRESSION}', compression_params: {level: 50}").silent("Y009");
    }

    fn jobs(second: &str) -> Bench {
        let text = format!("scrape_configs:\n- job_name: first\n- job_name: {second}\n");
        let mut bench = Bench::file(telstack_catalog::product::Product::Prometheus, "3.0.0", &text);
        bench.system.from_files = true;
        bench
    }

    #[test]
    fn fails_on_two_jobs_of_one_name() {
        assert_eq!(jobs("first").finds("Y009", "first"), Severity::Error);
        assert_eq!(jobs("'first'").finds("Y009", "'first'"), Severity::Error);
    }

    #[test]
    fn passes_on_two_jobs_of_two_names() {
        jobs("First").silent("Y009");
        jobs("'{{ first }}'").silent("Y009");
    }
}
