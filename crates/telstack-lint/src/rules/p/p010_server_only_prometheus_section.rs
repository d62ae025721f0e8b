use telstack_diagnostics::{Fix, RuleInfo, Severity};
use telstack_syntax::tree::Kind;
use telstack_system::Value;

use crate::{Cx, Rule, repair, words::is_reference};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        code: "P010",
        name: "server-only-prometheus-section",
        severity: Severity::Error,
        summary: "The configuration inside a Prometheus receiver has sections that only a Prometheus server has.",
        why: "A receiver scrapes and does nothing else. With `remote_write`, `remote_read`, `rule_files` or `alerting` \
              the collector does not start: `unsupported features`.",
        bad: r#"receivers:
  prometheus:
    config:
      scrape_configs:
        - job_name: app
          static_configs: [{targets: ["app:8080"]}]
      remote_write:
        - url: http://metrics.example/api/v1/push"#,
        good: r#"receivers:
  prometheus:
    config:
      scrape_configs:
        - job_name: app
          static_configs: [{targets: ["app:8080"]}]
exporters:
  prometheus_remote_write:
    endpoint: http://metrics.example/api/v1/push"#,
        silent: "The section is empty, or comes from the environment.",
        sources: &[
            "https://github.com/open-telemetry/opentelemetry-collector-contrib/blob/main/receiver/prometheusreceiver/config.go",
            "https://github.com/open-telemetry/opentelemetry-collector-contrib/blob/main/receiver/prometheusreceiver/README.md#unsupported-features",
        ],
    },
    check,
};

fn check(cx: &mut Cx<'_>) {
    for (part, fact, _) in cx.facts.usable() {
        let Some((block, settings)) = fact.server_only() else { continue };
        for path in settings {
            let Some((at, value)) = entry(&part.component.settings, &format!("{block}.{path}")) else { continue };
            if is_empty(value) {
                continue;
            }
            let message = format!("{} cannot do what `{path}` asks for: it only scrapes", part.title());
            let mut finding = cx
                .finding(message, at, "the collector does not start with this")
                .help(format!("take `{path}` out of `{block}`"));
            if path.starts_with("remote_write") {
                finding = finding.help("send with an exporter, such as `prometheus_remote_write`, from a pipeline");
            }
            let fix = repair::remove(at, value).map(|it| Fix::unsafe_(format!("take `{path}` out"), it));
            cx.report(repair::with(finding, fix));
        }
    }
}

/// The key and the value at a path.
fn entry<'a>(value: &'a Value, path: &str) -> Option<(&'a telstack_system::Origin, &'a Value)> {
    let (parent, key) = path.rsplit_once('.')?;
    let entry = value.at(parent)?.as_map()?.iter().find(|entry| entry.key == key)?;
    Some((&entry.key_mark, &entry.value))
}

fn is_empty(value: &Value) -> bool {
    match &value.kind {
        Kind::Null => true,
        Kind::Seq(seq) => seq.items.is_empty(),
        Kind::String(text) => text.is_empty() || is_reference(text),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use telstack_diagnostics::Applicability;

    use crate::test_support::Bench;

    fn receiver(config: &str) -> Bench {
        Bench::collector("0.140.0", &format!("receivers: {{prometheus: {{config: {{scrape_configs: [], {config}}}}}}}"))
    }

    #[test]
    fn fails_on_what_a_server_does() {
        receiver("remote_write: [{url: 'http://m/api/v1/push'}]").finds("P010", "remote_write");
        receiver("rule_files: [a.yml]").finds("P010", "rule_files");
        receiver("alerting: {alertmanagers: [{static_configs: []}]}").finds("P010", "alertmanagers");
    }

    #[test]
    fn passes_on_what_a_receiver_does() {
        receiver("global: {scrape_interval: 15s}").silent("P010");
    }

    #[test]
    fn silent_when_it_is_empty_or_not_known() {
        receiver("rule_files: [], remote_write: , alerting: {}").silent("P010");
        receiver("remote_write: '${file:rw.yaml}'").silent("P010");
    }

    #[test]
    fn it_can_be_taken_out() {
        let otel =
            |more: &str| format!("receivers:\n  prometheus:\n    config:\n{more}      scrape_configs: [] # here\n");
        let bench = Bench::collector("0.140.0", &otel("      remote_write:\n        - url: http://m/api/v1/push\n"));
        assert_eq!(bench.fixed("P010", &otel("")), Applicability::Unsafe);
    }
}
