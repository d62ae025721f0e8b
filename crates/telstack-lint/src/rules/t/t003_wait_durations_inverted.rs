use telstack_catalog::{ComponentKind, otelcol};
use telstack_diagnostics::{RuleInfo, Severity};
use telstack_system::{Node, Sourced, Value, units::Period};

use crate::{Cx, Rule, words::is_reference};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        code: "T003",
        name: "wait-durations-inverted",
        severity: Severity::Error,
        summary: "A scrape may take longer than the time to the next one; or a link from a span to its logs starts \
                  looking after the span did.",
        why: "Prometheus, and the collector's receiver of that name, refuse such a job: `scrape timeout greater than \
              scrape interval`. A shift of the start without a minus makes Grafana miss what was logged first.",
        bad: r"scrape_configs:
  - job_name: app
    scrape_interval: 5s
    scrape_timeout: 10s",
        good: r"scrape_configs:
  - job_name: app
    scrape_interval: 5s
    scrape_timeout: 4s",
        silent: "A value is not known. A timeout that is only inherited: it is cut to the interval. The shift is a \
                 warning.",
        sources: &[
            "https://prometheus.io/docs/prometheus/latest/configuration/configuration/#scrape_config",
            "https://grafana.com/docs/grafana/latest/datasources/tempo/configure-tempo-data-source/#trace-to-logs",
            "https://github.com/grafana/grafana/issues/88919",
        ],
    },
    check,
};

/// The role of the file that says what a program does.
const CONFIG: &str = "config";
/// Where a link from a span to something else says how early to look.
const LINKS: [&str; 4] = ["tracesToLogsV2", "tracesToLogs", "tracesToMetrics", "tracesToProfiles"];

fn check(cx: &mut Cx<'_>) {
    for (_, node) in cx.system.nodes() {
        for file in node.written.iter().filter(|it| it.role == CONFIG && node.store().is_some()) {
            scrapes(cx, node, &file.document);
        }
        let receivers = node.collector().into_iter().flat_map(|it| it.of_kind(ComponentKind::Receiver));
        for receiver in receivers {
            // Whoever takes no more than the part of Prometheus that scrapes, takes that.
            let block = receiver.fact().and_then(otelcol::Component::server_only);
            if let Some(config) = block.and_then(|(block, _)| receiver.setting(block)) {
                scrapes(cx, node, config);
            }
        }
        let sources = node.viewer().map(|it| it.data_sources.as_slice()).unwrap_or_default();
        for shift in sources.iter().flat_map(|it| shifts(&it.json_data)) {
            let text = &shift.value;
            if text.starts_with('-') || is_reference(text) || Period::parse(text).is_none_or(|it| it.millis() == 0) {
                continue;
            }
            let message =
                format!("links from spans of `{}` look from {text} after the start of the span on", node.name);
            let finding = cx.finding(message, &shift.origin, "after it, not before").severity(Severity::Warning);
            cx.report(finding.help(format!("write `-{text}`")));
        }
    }
}

/// Judges the times of a Prometheus configuration.
fn scrapes(cx: &mut Cx<'_>, node: &Node, config: &Value) {
    let global = config.at("global");
    let of = |map: Option<&Value>, key: &str| period(map?.at(key)?);
    judge(cx, node, "every job", of(global, "scrape_interval"), of(global, "scrape_timeout"));
    for job in config.at("scrape_configs").and_then(Value::as_seq).unwrap_or_default() {
        let interval = match job.at("scrape_interval") {
            Some(own) => period(own),
            None => of(global, "scrape_interval"),
        };
        let name = job.at("job_name").and_then(Value::as_str).unwrap_or("?");
        judge(cx, node, &format!("job `{name}`"), interval, of(Some(job), "scrape_timeout"));
    }
}

fn judge(
    cx: &mut Cx<'_>,
    node: &Node,
    what: &str,
    interval: Option<Sourced<Period>>,
    timeout: Option<Sourced<Period>>,
) {
    let (Some(interval), Some(timeout)) = (interval, timeout) else { return };
    if timeout.value.millis() <= interval.value.millis() || interval.value.millis() == 0 {
        return;
    }
    let message = format!(
        "`{}` waits {} for an answer of {what}, and asks again after {}",
        node.name, timeout.value, interval.value
    );
    let finding = cx
        .finding(message, &timeout.origin, "longer than the interval: refused")
        .label(interval.span(), "asked again after this")
        .help(format!("set it to {} or less", interval.value));
    cx.report(finding);
}

fn period(value: &Value) -> Option<Sourced<Period>> {
    Some(Sourced::new(Period::parse(value.as_str()?)?, value.mark.clone()))
}

/// How far links from spans shift the start of what they look for.
fn shifts(json_data: &Value) -> Vec<Sourced<String>> {
    let shift = |link: &&str| {
        let value = json_data.at(link)?.at("spanStartTimeShift")?;
        Some(Sourced::new(value.as_str()?.to_owned(), value.mark.clone()))
    };
    LINKS.iter().filter_map(shift).collect()
}

#[cfg(test)]
mod tests {
    use telstack_catalog::product::Product;
    use telstack_diagnostics::Severity;

    use crate::test_support::Bench;

    fn job(global: &str, job: &str) -> Bench {
        Bench::file(Product::Prometheus, "", &format!("global: {{{global}}}\nscrape_configs: [{{job_name: a, {job}}}]"))
    }

    #[test]
    fn fails_where_a_scrape_outlasts_its_interval() {
        assert_eq!(job("", "scrape_interval: 5s, scrape_timeout: 10s").finds("T003", "10s"), Severity::Error);
        job("scrape_interval: 5s", "scrape_timeout: 10s").finds("T003", "10s");
        job("scrape_interval: 5s, scrape_timeout: 10s", "x: 1").finds("T003", "10s");
        let receiver = "receivers: {prometheus/2: {config: {scrape_configs: [{job_name: a, scrape_interval: 1s, \
                        scrape_timeout: 2s}]}}}";
        Bench::collector("0.140.0", receiver).finds("T003", "2s");
    }

    #[test]
    fn passes_where_it_does_not() {
        job("scrape_interval: 1m", "scrape_interval: 10s, scrape_timeout: 10s").silent("T003");
    }

    #[test]
    fn silent_for_what_is_inherited_or_not_known() {
        // The inherited timeout is cut.
        job("scrape_interval: 1m, scrape_timeout: 10s", "scrape_interval: 5s").silent("T003");
        job("", "scrape_interval: '${I}', scrape_timeout: 10s").silent("T003");
        job("", "scrape_timeout: 50s").silent("T003");
    }

    #[test]
    fn warns_of_a_shift_to_after_the_start() {
        let source = |shift: &str| {
            let yaml = format!(
                "datasources: [{{name: t, type: tempo, jsonData: {{tracesToLogsV2: {{spanStartTimeShift: '{shift}'}}}}}}]"
            );
            Bench::data_sources(&yaml)
        };
        assert_eq!(source("1h").finds("T003", "'1h'"), Severity::Warning);
        for fine in ["-1h", "0", "0s", "$$shift"] {
            source(fine).silent("T003");
        }
    }
}
