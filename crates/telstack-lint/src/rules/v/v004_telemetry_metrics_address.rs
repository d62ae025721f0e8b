use telstack_catalog::otelcol::{self, AddressState};
use telstack_diagnostics::{RuleInfo, Severity};

use crate::{Cx, Rule, words::with_release};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        code: "V004",
        name: "telemetry-metrics-address",
        severity: Severity::Error,
        summary: "`service.telemetry.metrics.address` has no effect any more, or stops the collector.",
        why: "From 0.123.0 the address is ignored: the collector's own metrics are served on `localhost:8888`, where \
              nobody outside its container can scrape them. From 0.128.0 the key is unknown and the collector does not \
              start.",
        bad: r"service: {telemetry: {metrics: {address: 0.0.0.0:8888}}}      # 0.130.0",
        good: r"service:
  telemetry:
    metrics:
      readers: [{pull: {exporter: {prometheus: {host: 0.0.0.0, port: 8888}}}}]",
        silent: "Releases before 0.123.0. An ignored address is a warning.",
        sources: &[
            "https://github.com/open-telemetry/opentelemetry-collector/blob/v0.123.0/service/telemetry/config.go",
            "https://github.com/open-telemetry/opentelemetry-helm-charts/issues/1935",
        ],
    },
    check,
};

fn check(cx: &mut Cx<'_>) {
    for (_, node, collector) in cx.system.collectors() {
        let Some(version) = node.version() else { continue };
        let address = collector.telemetry.get("metrics").and_then(|metrics| metrics.as_map()?.entry("address"));
        let Some(entry) = address else { continue };
        let facts = otelcol::telemetry(version);
        let (what, severity) = match facts.metrics_address {
            AddressState::Accepted | AddressState::Deprecated => continue,
            AddressState::Ignored => (format!("is ignored by {version}"), Severity::Warning),
            AddressState::Rejected => (format!("does not exist in {version}"), Severity::Error),
        };
        let mut finding = cx
            .finding(format!("`service.telemetry.metrics.address` {what}"), &entry.key_mark, "use a reader instead")
            .severity(severity)
            .help(
                "write a reader in its place: \
                 `readers { - { pull { exporter { prometheus host=\"0.0.0.0\" port=8888 } } } }`",
            );
        if let Some(removed) = facts.address_removed_in {
            finding = finding.note(format!("the key was removed in {removed}: the collector does not start with it"));
        } else {
            let (host, port) = (facts.default_bind, facts.default_port);
            finding = finding.note(format!("the metrics are served on `{host}:{port}` whatever the address says"));
        }
        cx.report(with_release(finding, node));
    }
}

#[cfg(test)]
mod tests {
    use telstack_diagnostics::Severity;

    use crate::test_support::Bench;

    fn address(version: &str) -> Bench {
        Bench::collector(version, "service: {telemetry: {metrics: {address: '0.0.0.0:8888'}}}")
    }

    #[test]
    fn fails_once_the_key_is_gone() {
        let bench = address("0.130.0");
        assert_eq!(bench.finds("V004", "address"), Severity::Error);
        bench.silent("Y001");
    }

    #[test]
    fn warns_while_it_is_ignored() {
        assert_eq!(address("0.125.0").finds("V004", "address"), Severity::Warning);
    }

    #[test]
    fn passes_with_a_reader() {
        let yaml = "service: {telemetry: {metrics: {readers: [{pull: {exporter: {prometheus: {port: 8888}}}}]}}}";
        Bench::collector("0.158.0", yaml).silent("V004");
    }

    #[test]
    fn silent_while_it_works() {
        address("0.110.0").silent("V004");
    }
}
