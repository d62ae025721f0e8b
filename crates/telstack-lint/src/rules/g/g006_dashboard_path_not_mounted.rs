use std::collections::BTreeMap;

use telstack_diagnostics::{RuleInfo, Severity};
use telstack_system::{Node, Origin, Viewer};

use crate::{Cx, Rule, words::mount_files};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        code: "G006",
        name: "dashboard-path-not-mounted",
        severity: Severity::Error,
        summary: "Grafana looks for dashboards in a folder that its container does not have; or two data sources or \
                  dashboards have one uid.",
        why: "No dashboard shows up; the log says `Cannot read directory`. Of two with one uid, one is lost, or \
              neither is kept up to date.",
        bad: r"# the provider
options: {path: /var/lib/grafana/dashboards}
# compose.yaml
volumes: ['./dashboards:/etc/grafana/dashboards']",
        good: r"# the provider
options: {path: /var/lib/grafana/dashboards}
# compose.yaml
volumes: ['./dashboards:/var/lib/grafana/dashboards']",
        silent: "A volume, or a folder that is not there to be read, may hold them; the image is not an official one; \
                 several organisations, each of which has uids of its own; a data source that is written again under \
                 its own name. A warning where the folder is there and empty.",
        sources: &[
            "https://github.com/grafana/grafana/issues/110740",
            "https://github.com/grafana/grafana/issues/41763",
        ],
    },
    check,
};

fn check(cx: &mut Cx<'_>) {
    for (_, node) in cx.system.nodes() {
        let Some(viewer) = node.viewer() else { continue };
        for folder in viewer.dashboard_folders.iter().filter(|it| it.holds == Some(0)) {
            let path = &folder.path.value;
            let message = format!("`{}` looks for dashboards in `{path}`, where there are none", node.name);
            let remark = if folder.exists { "empty" } else { "not in the container" };
            let severity = if folder.exists { Severity::Warning } else { Severity::Error };
            let mut finding = cx.finding(message, &folder.path.origin, remark).severity(severity);
            if let Some((target, origin)) = mounted_elsewhere(node, path) {
                finding = finding.label(origin.span(), format!("this is at `{target}`"));
            }
            cx.report(finding.help(mount_files(node.container.as_ref(), "the folder with dashboards", path)));
        }
        if !viewer.several_organisations {
            twice(cx, viewer);
        }
    }
}

/// A folder of the same name that is mounted in another place.
fn mounted_elsewhere<'a>(node: &'a Node, path: &str) -> Option<(&'a str, &'a Origin)> {
    let name = |path: &str| path.trim_end_matches('/').rsplit('/').next().unwrap_or_default().to_owned();
    let mounts = node.container.iter().flat_map(|it| &it.mounts);
    mounts.map(|it| (it.target.as_str(), &it.origin)).find(|(target, _)| name(target) == name(path))
}

/// What data sources are called in findings.
const SOURCE: &str = "data source";

/// Reports what has the uid of another one.
fn twice(cx: &mut Cx<'_>, viewer: &Viewer) {
    let sources = viewer.data_sources.iter().map(|it| (SOURCE, &it.uid, &it.name, &it.origin));
    let dashboards = viewer.dashboards.iter().map(|it| ("dashboard", &it.uid, &it.title, &it.origin));
    let mut known: BTreeMap<(&str, &str), (&String, &Origin)> = BTreeMap::new();
    for (what, uid, name, origin) in sources.chain(dashboards).filter(|it| !it.1.is_empty() && !it.1.contains('$')) {
        let Some((first, at)) = known.get(&(what, uid.as_str())) else {
            known.insert((what, uid), (name, origin));
            continue;
        };
        // A data source that is there already is brought up to date.
        if *at == origin || what == SOURCE && *first == name {
            continue;
        }
        let message = format!("{what}s `{first}` and `{name}` have one uid, `{uid}`");
        let finding = cx.finding(message, origin, "again").label(at.span(), "has it already");
        cx.report(finding.help("give one of them another uid"));
    }
}

#[cfg(test)]
mod tests {
    use telstack_diagnostics::Severity;

    use crate::test_support::Bench;

    const DASHBOARD: &str = r#"{"title": "t", "uid": "a", "panels": []}"#;

    fn grafana(volume: &str, path: &str, files: &[(&str, &str)]) -> Bench {
        let compose = format!(
            "services:\n  grafana:\n    image: grafana/grafana:12.0.0\n    volumes:\n      - \
             './p.yml:/etc/grafana/provisioning/dashboards/p.yml'\n      - '{volume}'\nvolumes:\n  kept:\n"
        );
        let provider = format!("providers: [{{name: a, options: {{path: {path}}}}}]\n");
        let mut all = vec![("compose.yaml", compose.as_str()), ("p.yml", provider.as_str()), ("d/a.json", DASHBOARD)];
        all.extend(files);
        Bench::project(&all)
    }

    #[test]
    fn fails_where_there_is_no_such_folder() {
        let bench = grafana("./d:/etc/grafana/dashboards", "/var/lib/grafana/dashboards", &[]);
        assert_eq!(bench.finds("G006", "/var/lib/grafana/dashboards"), Severity::Error);
    }

    #[test]
    fn warns_where_it_is_empty() {
        let bench = grafana("./d:/x", "/etc/grafana/provisioning/dashboards", &[]);
        assert_eq!(bench.finds("G006", "/etc/grafana/provisioning/dashboards"), Severity::Warning);
    }

    #[test]
    fn fails_on_two_of_one_uid() {
        grafana("./d:/x", "/x", &[("d/b.json", DASHBOARD)]).finds("G006", DASHBOARD.trim_end());
        let sources = "datasources:\n  - {name: a, uid: x, type: loki}\n  - {name: b, uid: x, type: loki}\n";
        Bench::data_sources(sources).finds("G006", "{name: b, uid: x, type: loki}");
        let apart = sources.replace("{name: b,", "{name: b, orgId: 2,");
        Bench::data_sources(&apart).silent("G006");
        Bench::data_sources(&sources.replace("name: b", "name: a")).silent("G006");
    }

    #[test]
    fn passes_where_they_are() {
        grafana("./d:/var/lib/grafana/dashboards", "/var/lib/grafana/dashboards", &[]).silent("G006");
    }

    #[test]
    fn silent_where_others_may_bring_them() {
        grafana("kept:/var/lib/grafana", "/var/lib/grafana/dashboards", &[]).silent("G006");
        grafana("./made:/dash", "/dash", &[]).silent("G006");
    }
}
