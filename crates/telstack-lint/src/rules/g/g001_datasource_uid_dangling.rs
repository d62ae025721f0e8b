use telstack_diagnostics::{Fix, RuleInfo, Severity};
use telstack_system::{DataSource, Node, Sourced, Viewer};

use crate::{
    Cx, Rule, repair,
    words::{either, is_reference, nearest},
};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        code: "G001",
        name: "datasource-uid-dangling",
        severity: Severity::Error,
        summary: "A dashboard, an alert of Grafana's or a link between data sources names a data source that is not \
                  provisioned.",
        why: "The panel shows `Datasource … was not found`; the link from a log line to its trace is not there, or \
              opens an error; the alert fires for `data source not found`. A data source without a written uid gets one that is made of its name: \
              `PBFA97CFB590B2093` of `Prometheus`.",
        bad: r#"datasources: [{name: Loki, type: loki, uid: logs, url: "http://loki:3100"},
  {name: Tempo, type: tempo, uid: tempo, jsonData: {tracesToLogsV2: {datasourceUid: loki}}}]"#,
        good: r#"datasources: [{name: Loki, type: loki, uid: loki, url: "http://loki:3100"},
  {name: Tempo, type: tempo, uid: tempo, jsonData: {tracesToLogsV2: {datasourceUid: loki}}}]"#,
        silent: "A source of that name, which Grafana takes as well; Grafana's own sources (`-- Grafana --`, `-- Mixed \
                 --`, `__expr__`), variables, and those of Grafana Cloud; a source whose uid is from a variable of \
                 unknown value. A file of data sources by itself: others may \
                 be beside it. A stack description need not say it: uids and links follow from what Grafana reads.",
        sources: &[
            "https://grafana.com/docs/grafana/latest/administration/provisioning/#data-sources",
            "https://github.com/grafana/grafana/issues/41763",
        ],
    },
    check,
};

/// Sources that every Grafana has, and the name of whichever is the default.
const BUILT_IN: [&str; 7] =
    ["default", "grafana", "-- Grafana --", "-- Mixed --", "-- Dashboard --", "__expr__", "-100"];
/// So many of those are shown that ask for one.
const SHOWN: usize = 3;
/// How the uids start that Grafana Cloud provisions.
const CLOUD: &str = "grafanacloud-";

fn check(cx: &mut Cx<'_>) {
    // Of a file by itself, and of a container that may be given more of them, nobody knows all data sources.
    let all = |node: &Node| match &node.container {
        None => !cx.system.from_files,
        Some(container) => !container.gaps.files,
    };
    let nodes = cx.system.nodes().map(|(_, node)| node).filter(|it| all(it));
    let viewers: Vec<&Viewer> = nodes.filter_map(Node::viewer).collect();
    for viewer in viewers {
        let unnamed = asked_by_name(cx, viewer);
        let known = |uid: &Sourced<String>| unnamed.contains(&uid.value.as_str());
        for source in &viewer.data_sources {
            for link in source.links.iter().filter(|it| !known(it)) {
                judge(cx, viewer, &format!("data source `{}` links to", source.name), link, None);
            }
        }
        for dashboard in &viewer.dashboards {
            for uid in dashboard.data_sources.iter().filter(|it| !known(it)) {
                let ty = dashboard.types.get(&uid.value).map(String::as_str);
                judge(cx, viewer, &format!("dashboard `{}` queries", dashboard.title), uid, ty);
            }
        }
        for alert in &viewer.asking_alerts {
            for (uid, ty) in &alert.data_sources {
                judge(cx, viewer, &format!("alert `{}` asks", alert.title), uid, ty.as_deref());
            }
        }
    }
}

/// Data sources without a uid that several ask for by their names in small letters: one mistake each, at the source.
/// The uids that were asked for.
fn asked_by_name<'a>(cx: &mut Cx<'_>, viewer: &'a Viewer) -> Vec<&'a str> {
    let links = viewer.data_sources.iter().flat_map(|it| &it.links);
    let all: Vec<&Sourced<String>> = links.chain(viewer.dashboards.iter().flat_map(|it| &it.data_sources)).collect();
    let mut found = Vec::new();
    for source in viewer.data_sources.iter().filter(|it| !it.uid_written) {
        let uid = source.name.to_lowercase();
        let other =
            |it: &DataSource| it.uid == uid || it.name == uid || is_reference(&it.uid) || is_reference(&it.name);
        let mut asked = all.iter().filter(|it| it.value == uid);
        let (Some(first), more) = (asked.next(), asked.clone().count()) else { continue };
        if more == 0 || found.contains(&first.value.as_str()) || viewer.data_sources.iter().any(other) {
            continue;
        }
        let message = format!("{} places ask for data source `{uid}`, which is not provisioned", more + 1);
        let mut finding = cx.finding(message, &source.origin, format!("`{}` has no `uid`", source.name));
        for place in std::iter::once(first).chain(asked).take(SHOWN) {
            finding = finding.label(place.origin.span(), "no such uid");
        }
        cx.report(finding.help(format!("give it one: `uid: {uid}`")));
        found.push(first.value.as_str());
    }
    found
}

/// What names a data source, of a type if that is said.
fn judge(cx: &mut Cx<'_>, viewer: &Viewer, who: &str, named: &Sourced<String>, ty: Option<&str>) {
    let uid = named.value.as_str();
    let elsewhere = uid.is_empty() || is_reference(uid) || BUILT_IN.contains(&uid) || uid.starts_with(CLOUD);
    // Grafana looks for a name where there is no such uid. One from a variable may be any.
    let may_be = |it: &DataSource| it.uid == uid || it.name == uid || is_reference(&it.uid) || is_reference(&it.name);
    if elsewhere || viewer.data_sources.iter().any(may_be) {
        return;
    }
    let finding =
        cx.finding(format!("{who} data source `{uid}`, which is not provisioned"), &named.origin, "no such uid");
    // As a rule uids are called after types.
    let meant = ty.unwrap_or(uid);
    let fitting: Vec<&DataSource> = viewer.data_sources.iter().filter(|it| it.ty == meant).collect();
    if let [only] = fitting.as_slice()
        && !only.uid_written
    {
        let finding = finding
            .label(only.origin.span(), format!("the only one of type `{meant}`, and its uid is not written"))
            .help(format!("give data source `{}` the uid: `uid: {uid}`", only.name));
        return cx.report(finding);
    }
    let fits = |it: &&DataSource| ty.is_none_or(|ty| it.ty == ty);
    let uids = || viewer.data_sources.iter().filter(fits).map(|source| source.uid.as_str());
    let finding = match viewer.data_sources.iter().find(|it| Some(it.uid.as_str()) == nearest(uid, uids())) {
        Some(close) => finding
            .label(close.origin.span(), format!("`{}` is provisioned here", close.uid))
            .help(format!("did you mean `{}`?", close.uid)),
        None if uids().next().is_none() => finding.help("provision a data source with that uid"),
        None => finding.help(format!("name one that is provisioned: {}", either(uids()))),
    };
    // Nothing else can be meant where one alone has the type.
    let change = match fitting.as_slice() {
        [only] => repair::word(&named.origin, uid, &only.uid)
            .map(|it| Fix::unsafe_(format!("name data source `{}`", only.uid), it)),
        _ => None,
    };
    cx.report(repair::with(finding, change));
}

#[cfg(test)]
mod tests {
    use telstack_catalog::product::Product;
    use telstack_diagnostics::Applicability;
    use telstack_system::{DataSource, Sourced, Value};

    use crate::test_support::Bench;

    fn links_to(uid: &str) -> Bench {
        let mut bench = Bench::new("source link");
        let id = bench.add(Product::Grafana, "13.0.1");
        let (origin, link) = (bench.at("source"), bench.at("link"));
        let source = DataSource {
            name: "Loki".into(),
            uid: "loki".into(),
            uid_written: true,
            ty: "loki".into(),
            url: Sourced::new("http://loki:3100".into(), origin.clone()),
            by_browser: false,
            default: false,
            json_data: Value::map(origin.clone()),
            secure_json_data: Value::map(origin.clone()),
            links: vec![Sourced::new(uid.to_owned(), link)],
            origin,
        };
        bench.node(id).viewer_mut().expect("viewer").data_sources.push(source);
        bench
    }

    #[test]
    fn fails_on_a_uid_that_nobody_has() {
        links_to("tempo").finds("G001", "link");
        // Whichever is the default goes by that name.
        links_to("default").silent("G001");
    }

    fn grafana(panel: &str, sources: &str) -> Bench {
        let compose = "services:\n  grafana:\n    image: grafana/grafana:12.0.0\n    environment: {KNOWN: logs}\n    \
                       volumes:\n      - ./p.yml:/etc/grafana/provisioning/dashboards/p.yml\n      - \
                       ./s.yml:/etc/grafana/provisioning/datasources/s.yml\n      - ./d:/d\n";
        let dashboard = format!(r#"{{"title": "t", "uid": "a", "panels": [{panel}]}}"#);
        Bench::project(&[
            ("compose.yaml", compose),
            ("p.yml", "providers: [{name: a, options: {path: /d}}]\n"),
            ("s.yml", &format!("datasources: [{sources}]\n")),
            ("d/a.json", &dashboard),
        ])
    }

    fn alerting(sources: &str, asked: &str) -> Bench {
        let compose = "services:\n  grafana:\n    image: grafana/grafana:12.0.0\n    environment: {KNOWN: logs}\n    \
                       volumes: ['./p:/etc/grafana/provisioning']\n";
        let rules = format!("groups: [{{name: g, rules: [{{uid: r, title: t, data: [{asked}]}}]}}]\n");
        Bench::project(&[
            ("compose.yaml", compose),
            ("p/datasources/s.yml", &format!("datasources: [{sources}]\n")),
            ("p/alerting/a.yml", &rules),
        ])
    }

    #[test]
    fn alerts_and_correlations() {
        let logs = "{name: Loki, type: loki, uid: logs}";
        let expression = "{refId: B, datasourceUid: __expr__}";
        let asks = |uid: &str| format!("{{refId: A, datasourceUid: {uid}}}, {expression}");
        alerting(logs, &asks("mimir")).finds("G001", "mimir");
        for known in ["logs", "$KNOWN", "'${UNKNOWN}'", "'-100'", "grafanacloud-prom"] {
            alerting(logs, &asks(known)).silent("G001");
        }
        let correlates = |uid: &str| {
            let source =
                format!("{{name: Loki, type: loki, uid: logs, correlations: [{{targetUID: {uid}, label: l}}]}}");
            alerting(&source, expression)
        };
        correlates("tempox").finds("G001", "tempox");
        correlates("logs").silent("G001");
        correlates("$KNOWN").silent("G001");
    }

    /// A panel that asks the data source `logs` of the type `loki`.
    const LOGS: &str = r#"{"type": "logs", "title": "l", "datasource": {"type": "loki", "uid": "logs"}}"#;

    #[test]
    fn uids_from_variables() {
        for uid in ["$KNOWN", "'${KNOWN}'", "'$__env{KNOWN}'"] {
            let links = "jsonData: {a: {datasourceUid: $KNOWN}}";
            grafana(LOGS, &format!("{{name: Loki, type: loki, uid: {uid}, {links}}}")).silent("G001");
            grafana(&LOGS.replace("logs\"}", "other\"}"), &format!("{{name: Loki, type: loki, uid: {uid}}}"))
                .finds("G001", "\"other\"");
        }
        // Nobody knows which one it is.
        grafana(LOGS, "{name: Loki, type: loki, uid: $UNKNOWN}").silent("G001");
    }

    #[test]
    fn offers_what_has_the_type() {
        let both = "{name: Loki, type: loki, uid: store}, {name: Tempo, type: tempo, uid: log}";
        let bench = grafana(LOGS, both);
        assert_eq!(bench.helps("G001"), ["name one that is provisioned: `store`"]);
        let fixed = format!(r#"{{"title": "t", "uid": "a", "panels": [{}]}}"#, LOGS.replace("\"logs\"}", "\"store\"}"));
        assert_eq!(bench.fixed("G001", &fixed), Applicability::Unsafe);
        let none = grafana(LOGS, "{name: Tempo, type: tempo, uid: tempo}");
        assert_eq!(none.helps("G001"), ["provision a data source with that uid"]);
    }

    #[test]
    fn shows_the_only_one_that_may_be_meant() {
        let bench = grafana(LOGS, "{name: Loki, type: loki}, {name: Tempo, type: tempo}");
        bench.finds("G001", "\"logs\"");
        assert_eq!(bench.helps("G001"), ["give data source `Loki` the uid: `uid: logs`"]);
        let two = grafana(LOGS, "{name: Loki, type: loki}, {name: Other, type: loki}");
        assert!(two.helps("G001")[0].starts_with("name one"), "{:?}", two.helps("G001"));
        // Nobody asks it anything.
        for ty in ["row", "text"] {
            grafana(&LOGS.replace("\"logs\", \"title", &format!("\"{ty}\", \"title")), "{name: Loki, type: loki}")
                .silent("G001");
        }
    }

    #[test]
    fn one_without_a_uid_is_one_mistake() {
        let panel = LOGS.replace("logs\"}", "loki\"}");
        let two = format!("{panel}, {}", panel.replace("\"l\"", "\"m\""));
        let tempo = "{name: Tempo, type: tempo, uid: t, jsonData: {a: {datasourceUid: loki}}}";
        let bench = grafana(&two, &format!("{{name: Loki, type: loki}}, {tempo}"));
        assert_eq!(bench.helps("G001"), ["give it one: `uid: loki`"]);
        // One alone is told where it stands, and others of another name are others.
        let one = grafana(&panel, "{name: Loki, type: loki}");
        assert_eq!(one.helps("G001"), ["give data source `Loki` the uid: `uid: loki`"]);
        assert_eq!(grafana(&two, &format!("{{name: Loki, type: loki, uid: x}}, {tempo}")).messages("G001").len(), 2);
        grafana(&two, &format!("{{name: Loki, type: loki, uid: loki}}, {tempo}")).silent("G001");
    }

    #[test]
    fn passes_on_one_that_is_provisioned() {
        links_to("loki").silent("G001");
        // By its name.
        links_to("Loki").silent("G001");
    }

    #[test]
    fn silent_for_what_is_made_elsewhere() {
        for uid in ["-- Mixed --", "${ds}", "grafanacloud-logs"] {
            links_to(uid).silent("G001");
        }
        // In another file, which is not here.
        let mut bench = links_to("tempo");
        bench.system.from_files = true;
        bench.first().container.as_mut().expect("a container").gaps.files = true;
        bench.silent("G001");
        bench.first().container = None;
        bench.silent("G001");
    }
}
