use telstack_diagnostics::{RuleInfo, Severity};

use crate::{Cx, Rule, words::either};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        code: "G005",
        name: "dashboard-input-placeholder",
        severity: Severity::Error,
        summary: "A dashboard that is provisioned still asks whoever imports it for its data source.",
        why: "Exported for sharing, a dashboard names `${DS_PROMETHEUS}` and lists it in `__inputs`; only an import by \
              hand fills it in. Provisioned, every panel says `Datasource ${DS_PROMETHEUS} was not found`.",
        bad: r#"{"__inputs": [{"name": "DS_PROMETHEUS"}],
 "panels": [{"datasource": {"uid": "${DS_PROMETHEUS}"}}]}"#,
        good: r#"{"panels": [{"datasource": {"uid": "prometheus"}}]}"#,
        silent: "The dashboard has a variable of that name itself; nothing provisions it.",
        sources: &[
            "https://github.com/grafana/grafana/issues/10786",
            "https://github.com/rfmoz/grafana-dashboards/pull/187",
        ],
    },
    check,
};

fn check(cx: &mut Cx<'_>) {
    for (_, node) in cx.system.nodes() {
        let Some(viewer) = node.viewer() else { continue };
        for dashboard in &viewer.dashboards {
            let Some(input) = dashboard.inputs.first() else { continue };
            let name = &input.value;
            let message = format!("dashboard `{}` is provisioned and asks for `{name}`", dashboard.title);
            let finding = cx.finding(message, &input.origin, "no data source has this name");
            let uids: Vec<&str> = viewer.data_sources.iter().map(|it| it.uid.as_str()).collect();
            let finding = match uids.as_slice() {
                [] => finding.help("name the uid of a data source in its place"),
                uids => finding.help(format!("name the uid of a data source in its place: {}", either(uids))),
            };
            cx.report(finding.help(format!("or give the dashboard a variable `{name}` of the type `datasource`")));
        }
    }
}

#[cfg(test)]
mod tests {
    use telstack_diagnostics::Severity;

    use crate::test_support::Bench;

    fn dashboard(json: &str) -> Bench {
        let compose = "services:\n  grafana:\n    image: grafana/grafana:12.0.0\n    volumes:\n      - \
                       './p.yml:/etc/grafana/provisioning/dashboards/p.yml'\n      - './d:/dash'\n";
        let provider = "providers: [{name: a, options: {path: /dash}}]\n";
        Bench::project(&[("compose.yaml", compose), ("p.yml", provider), ("d/a.json", json)])
    }

    #[test]
    fn fails_on_what_only_an_import_fills_in() {
        let json = r#"{"title": "t", "__inputs": [{"name": "DS_P"}], "panels": [{"datasource": {"uid": "${DS_P}"}}]}"#;
        assert_eq!(dashboard(json).finds("G005", r#""${DS_P}""#), Severity::Error);
        let old = r#"{"title": "t", "__inputs": [{"name": "DS_P"}], "panels": [{"datasource": "${DS_P}"}]}"#;
        dashboard(old).finds("G005", r#""${DS_P}""#);
    }

    #[test]
    fn passes_with_a_data_source() {
        dashboard(r#"{"title": "t", "__inputs": [], "panels": [{"datasource": {"uid": "p"}}]}"#).silent("G005");
        // Nothing uses it.
        dashboard(r#"{"title": "t", "__inputs": [{"name": "DS_P"}], "panels": []}"#).silent("G005");
    }

    #[test]
    fn silent_for_variables_of_the_dashboard() {
        let json = r#"{"title": "t", "__inputs": [{"name": "DS_P"}], "templating": {"list": [{"name": "DS_P"}]},
            "panels": [{"datasource": {"uid": "${DS_P}"}}]}"#;
        dashboard(json).silent("G005");
    }
}
