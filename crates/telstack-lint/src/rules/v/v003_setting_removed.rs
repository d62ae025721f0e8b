use telstack_catalog::{otelcol::SettingGone, product::Product};
use telstack_diagnostics::{Diagnostic, Fix, RuleInfo, Severity};

use crate::{
    Cx, Rule,
    facts::{FileProblemKind, Problem, ProblemKind},
    repair,
    rules::l::l003_loki_config_removed_field::gone,
    words::with_release,
};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        code: "V003",
        name: "setting-removed",
        severity: Severity::Error,
        summary: "A setting exists in other releases of the component, but not in the pinned one.",
        why: "Collectors refuse unknown keys: `has invalid keys`. A key that was removed or renamed stops the \
              collector on the day of the upgrade; one that came later stops it today.",
        bad: r#"versions { otelcol "0.158.0" }
receiver "kafka" { topic "otlp_spans"; encoding "otlp_proto" }"#,
        good: r#"versions { otelcol "0.158.0" }
receiver "kafka" { traces { topics "otlp_spans"; encoding "otlp_proto" } }"#,
        silent: "The settings at that release are not known. Between two releases whose settings are known, the ones \
                 of either are accepted.",
        sources: &[
            "https://github.com/open-telemetry/opentelemetry-collector/blob/main/CHANGELOG.md",
            "https://github.com/open-telemetry/opentelemetry-collector-contrib/issues/46916",
        ],
    },
    check,
};

fn check(cx: &mut Cx<'_>) {
    for problem in &cx.facts.problems {
        let finding = match &problem.kind {
            ProblemKind::Gone(gone) => gone_finding(cx, problem, gone),
            ProblemKind::NotYet(by) => {
                let message = format!(
                    "`{}` of {} is not there in {} yet: it came with {by} at the latest",
                    problem.path,
                    problem.owner(),
                    problem.version
                );
                cx.finding(message, problem.at, format!("unknown at {}", problem.version))
                    .help(format!("pin {by} or later"))
                    .help("or leave it out")
            }
            _ => continue,
        };
        cx.report(with_release(problem.if_read_over(finding), problem.node));
    }
    for problem in &cx.facts.files {
        let finding = match &problem.kind {
            FileProblemKind::NotYet(by) => {
                let by = format!("{}.{}", by.major, by.minor);
                let message = format!("`{}` is not there in {} yet: it came with {by}", problem.path, problem.owner());
                let finding = cx.finding(message, problem.at, "unknown to it").help(format!("pin {by} or later"));
                with_release(finding.help("or leave it out"), problem.node)
            }
            // Those of Loki, Tempo and Mimir are L003.
            FileProblemKind::Gone { last, moved } if problem.node.product() == Some(Product::Prometheus) => {
                gone(cx, problem, *last, moved.as_ref())
            }
            _ => continue,
        };
        cx.report(finding);
    }
}

fn gone_finding(cx: &Cx<'_>, problem: &Problem<'_>, gone: &SettingGone) -> Diagnostic {
    let when = match gone.removed_in {
        Some(removed) => format!("it was removed in {removed}"),
        None => format!("it was removed after {} and by {}", gone.present_at, gone.absent_at),
    };
    let message = format!("`{}` of {} does not exist in {}: {when}", problem.path, problem.owner(), problem.version);
    let finding = cx.finding(message, problem.at, format!("unknown at {}", problem.version));
    match gone.replacement {
        // A path of the same component has no spaces; anything else says what to do.
        Some(path) if !path.contains(' ') => {
            let path = path.replace(".item", "[]");
            let finding = finding.help(format!("use `{path}`"));
            let key = repair::sibling(&problem.path, &path);
            let settings = problem.component.iter().map(|it| &it.settings);
            let key = key.filter(|key| problem.fits(key));
            let change = key.and_then(|key| repair::key(settings, problem.at, problem.key(), key));
            repair::with(finding, change.map(|it| Fix::unsafe_(format!("rename to `{path}`"), it)))
        }
        Some(words) => finding.help(words),
        None => finding.help("leave it out"),
    }
}

#[cfg(test)]
mod tests {
    use telstack_catalog::product::Product;
    use telstack_diagnostics::Applicability;

    use crate::test_support::Bench;

    fn kafka(version: &str) -> Bench {
        Bench::collector(version, "receivers: {kafka: {topic: otlp_spans}}")
    }

    #[test]
    fn fails_on_a_key_that_is_gone() {
        let bench = kafka("0.158.0");
        bench.finds("V003", "topic");
        bench.silent("Y001");
    }

    #[test]
    fn fails_on_a_key_that_came_later() {
        let yaml = "receivers: {kafka: {traces: {topics: [a]}}}";
        let bench = Bench::collector("0.100.0", yaml);
        bench.finds("V003", "traces");
        Bench::collector("0.158.0", yaml).silent("V003");
    }

    #[test]
    fn settings_of_products_that_come_later() {
        let loki = |release: &str| Bench::file(Product::Loki, release, "limits_config: {otlp_config: {}}");
        loki("2.9.3").finds("V003", "otlp_config");
        loki("3.0.0").silent("V003");
        loki("").silent("V003");
    }

    #[test]
    fn passes_while_it_is_there() {
        kafka("0.120.0").silent("V003");
    }

    #[test]
    fn silent_for_keys_that_never_were() {
        Bench::collector("0.158.0", "receivers: {kafka: {tropic: a}}").silent("V003");
    }

    #[test]
    fn fixes_write_the_new_key() {
        let yaml = |key: &str| format!("connectors:\n  servicegraph:\n    {key}: [db.name] # mine\n");
        let bench = Bench::collector("0.130.0", &yaml("database_name_attribute"));
        assert_eq!(bench.fixed("V003", &yaml("database_name_attributes")), Applicability::Unsafe);
    }
}
