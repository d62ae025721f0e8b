use telstack_diagnostics::{RuleInfo, Severity};
use telstack_system::Purpose;

use crate::{Cx, Rule};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        code: "M007",
        name: "alert-routing-missing",
        severity: Severity::Warning,
        summary: "Prometheus or Loki evaluates alerts and is told nobody to send them to.",
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
        let Some(store) = node.store() else { continue };
        let prometheus = store.prometheus().map(|it| (it.sends_alerts, &it.alerts));
        let loki = || store.loki().map(|it| (it.sends_alerts, &it.alerts));
        let Some((Some(false), alerts)) = prometheus.or_else(loki) else { continue };
        let Some(first) = alerts.first() else { continue };
        let seen = cx.facts.links.iter().any(|it| it.to_id == id && it.purpose == Purpose::Query);
        let (lacks, setting, seen_at) = match store.loki() {
            Some(_) => ("ruler.alertmanager_url", "ruler.alertmanager_url", "in its API only"),
            None => ("alerting", "alerting.alertmanagers", "on its own page only"),
        };
        let what = match alerts.len() {
            1 => "an alert and sends it".to_owned(),
            count => format!("{count} alerts and sends them"),
        };
        let message = format!("`{}` evaluates {what} to nobody", node.name);
        let severity = if seen { Severity::Info } else { Severity::Warning };
        let finding = cx
            .finding(message, &first.origin, format!("`{}` fires {seen_at}", first.name))
            .label(node.span(), format!("its configuration has no `{lacks}`"))
            .severity(severity)
            .help(format!("name an Alertmanager in `{setting}`"));
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

    const ERRORS: &str = "alert: Errors, expr: 'sum(rate({app=\"a\"} |= \"error\" [5m])) > 1'";

    #[test]
    fn alerts_of_loki() {
        let loki = |ruler: &str, flag: &str, rule: &str| {
            let compose = format!(
                "services:\n  loki:\n    image: grafana/loki:3.5.0\n    command: [-config.file=/l.yml{flag}]\n    volumes: \
                 ['./l.yml:/l.yml', './rules:/rules']\n"
            );
            let config = format!("ruler: {{storage: {{type: local, local: {{directory: /rules}}}}{ruler}}}\n");
            let rules = format!("groups: [{{name: a, rules: [{{{rule}}}]}}]\n");
            Bench::project(&[("compose.yaml", &compose), ("l.yml", &config), ("rules/fake/r.yml", &rules)])
        };
        let found = loki("", "", ERRORS).finds("M007", &format!("{{{ERRORS}}}"));
        assert_eq!(found, Severity::Warning);
        loki(", alertmanager_url: 'http://alertmanager:9093'", "", ERRORS).silent("M007");
        loki("", ", -ruler.alertmanager-url=http://a:9093", ERRORS).silent("M007");
        loki("", "", "record: x, expr: 'rate({app=\"a\"}[5m])'").silent("M007");
    }

    #[test]
    fn silent_for_recorded_series() {
        prometheus("record: x, expr: up", "", "").silent("M007");
    }
}
