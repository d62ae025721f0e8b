use telstack_diagnostics::{RuleInfo, Severity};
use telstack_system::Purpose;

use crate::{Cx, Rule};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        code: "M007",
        name: "alert-routing-missing",
        severity: Severity::Warning,
        summary: "Prometheus evaluates alerts and is told nobody to send them to.",
        why: "They fire on its own page and nowhere else: nobody is woken.",
        bad: r"rule_files: [alerts.yml]
scrape_configs: []",
        good: r"rule_files: [alerts.yml]
alerting:
  alertmanagers:
    - static_configs:
        - targets: [alertmanager:9093]
scrape_configs: []",
        silent: "Only series are recorded; somebody is named, in whichever way. A remark where Grafana reads it, which \
                 may watch the alerts. A stack description need not say it: the link follows from `alertmanager`.",
        sources: &["https://prometheus.io/docs/prometheus/latest/configuration/configuration/#alertmanager_config"],
    },
    check,
};

fn check(cx: &mut Cx<'_>) {
    for (id, node) in cx.system.nodes() {
        let Some(facet) = node.store().and_then(|it| it.prometheus()) else { continue };
        let (Some(false), Some(first)) = (facet.sends_alerts, facet.alerts.first()) else { continue };
        let seen = cx.facts.links.iter().any(|it| it.to_id == id && it.purpose == Purpose::Query);
        let what = match facet.alerts.len() {
            1 => "an alert and sends it".to_owned(),
            count => format!("{count} alerts and sends them"),
        };
        let message = format!("`{}` evaluates {what} to nobody", node.name);
        let severity = if seen { Severity::Info } else { Severity::Warning };
        let finding = cx
            .finding(message, &first.origin, format!("`{}` fires on its own page only", first.name))
            .label(node.span(), "its configuration has no `alerting`")
            .severity(severity)
            .help("name an Alertmanager in `alerting.alertmanagers`");
        cx.report(finding);
    }
}

#[cfg(test)]
mod tests {
    use telstack_diagnostics::Severity;

    use crate::test_support::Bench;

    fn prometheus(rule: &str, more: &str, services: &str) -> Bench {
        let compose = format!(
            "services:\n{services}  prometheus:\n    image: prom/prometheus:v3.5.0\n    volumes: ['./prom:/etc/prometheus']\n"
        );
        Bench::project(&[
            ("compose.yaml", &compose),
            ("prom/prometheus.yml", &format!("rule_files: [rules.yml]\n{more}\n")),
            ("prom/rules.yml", &format!("groups: [{{name: a, rules: [{{{rule}}}]}}]\n")),
            ("data.yml", "datasources: [{name: p, type: prometheus, url: 'http://prometheus:9090'}]\n"),
        ])
    }

    const ALERT: &str = "alert: Down, expr: up == 0";

    #[test]
    fn warns_of_alerts_that_nobody_gets() {
        assert_eq!(prometheus(ALERT, "", "").finds("M007", "{alert: Down, expr: up == 0}"), Severity::Warning);
    }

    #[test]
    fn a_remark_where_grafana_looks() {
        let grafana = "  grafana:\n    image: grafana/grafana:12.0.0\n    volumes: \
                       ['./data.yml:/etc/grafana/provisioning/datasources/data.yml']\n";
        assert_eq!(prometheus(ALERT, "", grafana).finds("M007", "{alert: Down, expr: up == 0}"), Severity::Info);
    }

    #[test]
    fn passes_where_somebody_is_named() {
        for named in [
            "alerting: {alertmanagers: [{static_configs: [{targets: ['alertmanager:9093']}]}]}",
            "alerting: {alertmanagers: [{dns_sd_configs: [{names: [a]}]}]}",
        ] {
            prometheus(ALERT, named, "").silent("M007");
        }
    }

    #[test]
    fn silent_for_recorded_series() {
        prometheus("record: x, expr: up", "", "").silent("M007");
    }
}
