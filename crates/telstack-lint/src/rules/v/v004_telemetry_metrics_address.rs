use telstack_catalog::otelcol::{self, AddressState};
use telstack_diagnostics::{Fix, RuleInfo, Severity};
use telstack_syntax::{tree::Entry, yaml::MERGE_KEY};
use telstack_system::{Origin, Value};

use crate::{
    Cx, Rule, repair,
    words::{is_reference, with_release},
};

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
        let metrics = collector.telemetry.get("metrics").and_then(|metrics| metrics.as_map());
        let Some(entry) = metrics.and_then(|it| it.entry("address")) else { continue };
        let facts = otelcol::telemetry(version);
        let (what, severity) = match facts.metrics_address {
            AddressState::Accepted | AddressState::Deprecated => continue,
            AddressState::Ignored => (format!("is ignored by {version}"), Severity::Warning),
            AddressState::Rejected => (format!("does not exist in {version}"), Severity::Error),
        };
        let address = host_and_port(&entry.value);
        let (host, port) = address.unwrap_or((EVERY_INTERFACE, facts.default_port));
        let help = if cx.system.from_files {
            format!("`readers: [{{pull: {{exporter: {{prometheus: {{host: {host}, port: {port}}}}}}}}}]`")
        } else {
            format!("`readers {{ - {{ pull {{ exporter {{ prometheus host=\"{host}\" port={port} }} }} }} }}`")
        };
        let mut finding = cx
            .finding(format!("`service.telemetry.metrics.address` {what}"), &entry.key_mark, "use a reader instead")
            .severity(severity)
            .help(format!("write a reader in its place: {help}"));
        let alone = metrics.is_some_and(|it| !it.contains(READERS) && !it.contains(MERGE_KEY));
        if let Some((host, port)) = address.filter(|_| alone) {
            let new = Entry::new(READERS, reader(&entry.key_mark, host, port));
            let change = repair::entry(cx.system, entry, new);
            let title = "write a reader in its place";
            let safe = facts.metrics_address == AddressState::Rejected;
            let fix = change.map(|it| if safe { Fix::safe(title, it) } else { Fix::unsafe_(title, it) });
            finding = repair::with(finding, fix);
        }
        if let Some(removed) = facts.address_removed_in {
            finding = finding.note(format!("the key was removed in {removed}: the collector does not start with it"));
        } else {
            let (host, port) = (facts.default_bind, facts.default_port);
            finding = finding.note(format!("the metrics are served on `{host}:{port}` whatever the address says"));
        }
        cx.report(with_release(finding, node));
    }
}

/// Where the collector's own metrics are served since addresses are not read any more.
const READERS: &str = "readers";
/// What an address without a host stands for.
const EVERY_INTERFACE: &str = "0.0.0.0";

fn host_and_port(value: &Value) -> Option<(&str, u16)> {
    let (host, port) = value.as_str().filter(|it| !is_reference(it))?.rsplit_once(':')?;
    let host = host.trim_start_matches('[').trim_end_matches(']');
    Some((if host.is_empty() { EVERY_INTERFACE } else { host }, port.parse().ok()?))
}

fn reader(at: &Origin, host: &str, port: u16) -> Value {
    let prometheus = at.map([("host", at.string(host)), ("port", at.int(port))]);
    let exporter = at.map([("exporter", at.map([("prometheus", prometheus)]))]);
    at.block([at.map([("pull", exporter)])])
}

#[cfg(test)]
mod tests {
    use telstack_diagnostics::{Applicability, Severity};

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
    fn fixes_write_a_reader() {
        let yaml = |lines: &str| {
            format!("service:\n  telemetry:\n    metrics:\n      level: detailed\n{lines}    logs: {{level: info}}\n")
        };
        let reader = "      readers: # mine\n        - pull:\n            exporter:\n              prometheus:\n                \
                      host: 127.0.0.1\n                port: 9999\n";
        let fixed = |version: &str| {
            let mut bench = Bench::collector(version, &yaml("      address: 127.0.0.1:9999 # mine\n"));
            bench.system.from_files = true;
            bench.fixed("V004", &yaml(reader))
        };
        assert_eq!(fixed("0.158.0"), Applicability::Safe);
        assert_eq!(fixed("0.125.0"), Applicability::Unsafe);
        let mut flow = address("0.158.0");
        flow.system.from_files = true;
        flow.leaves("V004");
    }

    #[test]
    fn silent_while_it_works() {
        address("0.110.0").silent("V004");
    }
}
