use telstack_diagnostics::{RuleInfo, Severity};
use telstack_system::Protocol;

use super::m001_remote_write_receiver_flag::judge;
use crate::{Cx, Rule};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        code: "M002",
        name: "otlp-receiver-flag",
        severity: Severity::Error,
        summary: "Something sends OTLP to Prometheus, but Prometheus is started without its OTLP receiver.",
        why: "Without the flag `/api/v1/otlp` answers 404, and the exporter drops the data as refused for good. Before \
              3.0 it is a feature, from 3.0 a flag of its own.",
        bad: r#"services:
  prometheus:
    image: prom/prometheus:v3.14.0
    command: ["--config.file=/etc/prometheus/prometheus.yml"]"#,
        good: r#"services:
  prometheus:
    image: prom/prometheus:v3.14.0
    command: ["--config.file=/etc/prometheus/prometheus.yml", "--web.enable-otlp-receiver"]"#,
        silent: "The target is not a Prometheus of the stack, or its command line is not known. A stack description \
                 need not say it: the flag follows from the link.",
        sources: &[
            "https://prometheus.io/docs/guides/opentelemetry/",
            "https://github.com/prometheus/prometheus/issues/16063",
        ],
    },
    check,
};

fn check(cx: &mut Cx<'_>) {
    judge(cx, Protocol::OTLP_HTTP, "sends OTLP");
}

#[cfg(test)]
mod tests {
    use telstack_catalog::product::Product;
    use telstack_diagnostics::Severity;
    use telstack_system::{Flag, Protocol};

    use crate::test_support::Bench;

    fn sends(version: &str, flag: Option<(&str, Option<&str>)>) -> Bench {
        let yaml = "exporters: {otlphttp: {endpoint: 'http://prometheus:9090/api/v1/otlp'}}\n\
                    service: {pipelines: {metrics: {receivers: [otlp], exporters: [otlphttp]}}}";
        let mut bench = Bench::collector("0.140.0", yaml);
        let id = bench.add(Product::Prometheus, version);
        let mut query = bench.listener("query", 9090, "service");
        query.protocol = Protocol::HTTP;
        bench.node(id).listeners.push(query);
        let origin = bench.at("service");
        let facet = bench.node(id).store_mut().and_then(|it| it.prometheus_mut()).expect("prometheus");
        facet.flags.extend(flag.map(|(name, value)| Flag {
            name: name.to_owned(),
            value: value.map(str::to_owned),
            origin,
        }));
        bench
    }

    #[test]
    fn fails_without_the_flag() {
        let found = sends("3.14.0", None).finds("M002", "'http://prometheus:9090/api/v1/otlp'");
        assert_eq!(found, Severity::Error);
        sends("3.14.0", Some(("web.enable-remote-write-receiver", None)))
            .finds("M002", "'http://prometheus:9090/api/v1/otlp'");
    }

    #[test]
    fn fails_without_the_feature_that_it_was() {
        sends("2.53.5", None).finds("M002", "'http://prometheus:9090/api/v1/otlp'");
    }

    #[test]
    fn passes_with_it() {
        sends("3.14.0", Some(("web.enable-otlp-receiver", None))).silent("M002");
    }

    #[test]
    fn silent_where_it_was_a_feature_that_is_switched_on() {
        sends("2.53.5", Some(("enable-feature", Some("otlp-write-receiver")))).silent("M002");
    }
}
