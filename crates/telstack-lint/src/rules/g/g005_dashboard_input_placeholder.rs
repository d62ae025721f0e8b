use telstack_diagnostics::{Fix, RuleInfo, Severity};
use telstack_system::Sourced;

use crate::{
    Cx, Rule, repair,
    words::{either, is_reference},
};

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
            let ty = dashboard.types.get(&format!("${{{name}}}"));
            let fits = viewer.data_sources.iter().filter(|it| ty.is_none_or(|ty| it.ty == *ty));
            let uids: Vec<&str> = fits.map(|it| it.uid.as_str()).collect();
            let finding = match uids.as_slice() {
                [] => finding.help("name the uid of a data source in its place"),
                uids => finding.help(format!("name the uid of a data source in its place: {}", either(uids))),
            };
            let finding = finding.help(format!("or give the dashboard a variable `{name}` of the type `datasource`"));
            let fix = match uids.as_slice() {
                [only] if !is_reference(only) => in_its_place(&dashboard.inputs, name, only),
                _ => None,
            };
            cx.report(repair::with(finding, fix));
        }
    }
}

/// The only data source that may be meant, wherever the placeholder stands.
fn in_its_place(inputs: &[Sourced<String>], name: &str, uid: &str) -> Option<Fix> {
    let mut changes = Vec::new();
    for input in inputs.iter().filter(|it| it.value == name) {
        changes.extend(repair::word(&input.origin, &format!("${{{name}}}"), uid)?);
    }
    Some(Fix::unsafe_(format!("name data source `{uid}`"), changes))
}

#[cfg(test)]
mod tests {
    use telstack_diagnostics::{Applicability, Severity};

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
    fn names_the_only_one_that_may_be_meant() {
        let json = |uid: &str| {
            format!(
                r#"{{"title": "t", "__inputs": [{{"name": "DS_P"}}], "panels": [{{"datasource": {{"type": "loki", "uid": "{uid}"}}}},
                {{"type": "logs", "datasource": {{"type": "loki", "uid": "{uid}"}}}}]}}"#
            )
        };
        let compose = "services:\n  grafana:\n    image: grafana/grafana:12.0.0\n    volumes: \
                       ['./p:/etc/grafana/provisioning', './d:/dash']\n";
        let with = |sources: &str| {
            let sources = format!("datasources: [{sources}]\n");
            let provider = "providers: [{name: a, options: {path: /dash}}]\n";
            Bench::project(&[
                ("compose.yaml", compose),
                ("p/dashboards/p.yml", provider),
                ("p/datasources/s.yml", &sources),
                ("d/a.json", &json("${DS_P}")),
            ])
        };
        let (loki, tempo) = ("{name: L, type: loki, uid: logs}", "{name: T, type: tempo, uid: traces}");
        let one = with(&format!("{loki}, {tempo}"));
        assert_eq!(one.fixed("G005", &json("logs")), Applicability::Unsafe);
        with(&format!("{loki}, {{name: M, type: loki, uid: more}}")).leaves("G005");
        with(tempo).leaves("G005");
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
