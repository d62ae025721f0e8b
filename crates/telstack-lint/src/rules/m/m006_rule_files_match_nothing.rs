use telstack_diagnostics::{RuleInfo, Severity};

use crate::{Cx, Rule, words::mount_files};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        code: "M006",
        name: "rule-files-match-nothing",
        severity: Severity::Warning,
        summary: "Prometheus is told to read files, and none of that name is where it looks.",
        why: "A pattern that matches nothing is no mistake to Prometheus or `promtool`: no rule is evaluated, no alert \
              fires, and nothing says so. Nearly always the files are mounted in another folder.",
        bad: r"# prometheus.yml
rule_files: [/etc/prometheus/rules/*.yml]
# compose.yaml
volumes: ['./rules:/prometheus/rules']",
        good: r"# prometheus.yml
rule_files: [/etc/prometheus/rules/*.yml]
# compose.yaml
volumes: ['./rules:/etc/prometheus/rules']",
        silent: "A volume, or a folder that is not there to be read, may hold them; the image is not an official one; \
                 the configuration stands by itself; it is a file of targets (`file_sd_configs`), which something may \
                 write later, and nothing of that name is mounted elsewhere.",
        sources: &[
            "https://github.com/prometheus/prometheus/pull/10435",
            "https://github.com/prometheus/prometheus/issues/13186",
        ],
    },
    check,
};

fn check(cx: &mut Cx<'_>) {
    for (_, node) in cx.system.nodes() {
        let named = node.store().and_then(|it| it.prometheus()).map(|it| it.named_files.as_slice()).unwrap_or_default();
        for files in named.iter().filter(|it| it.there == Some(false)) {
            let path = &files.path.value;
            let message = format!("`{}` of `{}` names `{path}`, where nothing is", files.setting, node.name);
            let mut finding = cx.finding(message, &files.path.origin, "matches no file in the container");
            let name = |path: &str| path.rsplit('/').next().unwrap_or_default().to_owned();
            let container = node.container.as_ref();
            let mounts = container.into_iter().flat_map(|it| {
                let files = it.files.iter().map(|it| (&it.target, &it.origin));
                files.chain(it.mounts.iter().map(|it| (&it.target, &it.origin)))
            });
            // A file or folder of the same name in another place.
            let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
            let meant = mounts.into_iter().find(|(target, _)| {
                **target != *folder && [name(path), name(folder)].contains(&name(target)) && !name(target).is_empty()
            });
            if let Some((target, origin)) = meant {
                finding = finding.label(origin.span(), format!("this is at `{target}`"));
            } else if files.comes_later {
                continue;
            }
            let place = if container.is_some_and(|it| it.pod.is_some()) { folder } else { path };
            let help = mount_files(container, "the files", place);
            cx.report(finding.help(help).help("or name the place where they are"));
        }
    }
}

#[cfg(test)]
mod tests {
    use telstack_diagnostics::Severity;

    use crate::test_support::Bench;

    const RULES: &str = "groups: [{name: a, rules: [{record: x, expr: up}]}]\n";

    fn prometheus(volume: &str, named: &str) -> Bench {
        let compose = format!(
            "services:\n  prometheus:\n    image: prom/prometheus:v3.5.0\n    volumes:\n      - \
             './prometheus.yml:/etc/prometheus/prometheus.yml'\n      - '{volume}'\nvolumes:\n  rules:\n"
        );
        Bench::project(&[("compose.yaml", &compose), ("prometheus.yml", &format!("{named}\n")), ("rules/a.yml", RULES)])
    }

    #[test]
    fn warns_where_nothing_matches() {
        let bench = prometheus("./rules:/prometheus/rules", "rule_files: ['/etc/prometheus/rules/*.yml']");
        assert_eq!(bench.finds("M006", "'/etc/prometheus/rules/*.yml'"), Severity::Warning);
        prometheus("./rules:/etc/prometheus/rules", "rule_files: [rules/b.yml]").finds("M006", "rules/b.yml");
        prometheus("./rules:/x", "scrape_config_files: [jobs/*.yml]").finds("M006", "jobs/*.yml");
    }

    const TARGETS: &str = "[{\"targets\": [\"collector:8889\"]}]";

    /// A Prometheus that reads a file of targets, in the folder `targets`.
    fn discovering(volume: &str, named: &str) -> Bench {
        let compose = format!(
            "services:\n  prometheus:\n    image: prom/prometheus:v3.5.0\n    volumes:\n      - \
             './prometheus.yml:/etc/prometheus/prometheus.yml'\n      - '{volume}'\n"
        );
        let config = format!("scrape_configs: [{{job_name: a, file_sd_configs: [{{files: ['{named}']}}]}}]\n");
        Bench::project(&[("compose.yaml", &compose), ("prometheus.yml", &config), ("targets/a.json", TARGETS)])
    }

    #[test]
    fn files_of_targets_may_come_later() {
        discovering("./targets:/etc/prometheus/targets", "targets/*.json").silent("M006");
        discovering("./targets:/etc/prometheus/targets", "targets/*.yml").silent("M006");
        discovering("./targets:/etc/prometheus/targets", "others/*.yml").silent("M006");
        let bench = discovering("./targets:/prometheus/targets", "targets/*.json");
        assert_eq!(bench.finds("M006", "'targets/*.json'"), Severity::Warning);
    }

    #[test]
    fn passes_where_something_does() {
        for named in
            ["rule_files: ['/etc/prometheus/rules/*.yml']", "rule_files: [rules/a.yml]", "rule_files: ['*/?.yml']"]
        {
            prometheus("./rules:/etc/prometheus/rules", named).silent("M006");
        }
    }

    #[test]
    fn silent_where_others_may_bring_the_files() {
        prometheus("rules:/etc/prometheus/rules", "rule_files: [rules/b.yml]").silent("M006");
        prometheus("./made:/etc/prometheus/rules", "rule_files: [rules/b.yml]").silent("M006");
        prometheus("./rules:/etc/prometheus/rules", "rule_files: ['rules/${NAME}.yml', rules/b.txt]").silent("M006");
    }
}
