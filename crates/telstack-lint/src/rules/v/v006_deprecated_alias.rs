use telstack_diagnostics::{Fix, RuleInfo, Severity};

use crate::{
    Cx, Rule,
    facts::{Part, ProblemKind},
    repair,
};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        code: "V006",
        name: "deprecated-alias",
        severity: Severity::Info,
        summary: "A component or setting has a newer name in the pinned release, or is deprecated there.",
        why: "It still works. Upstream removes old names and deprecated components some releases later, and then the \
              collector does not start.",
        bad: r#"versions { otelcol "0.158.0" }
exporter "otlphttp" { endpoint "http://gw:4318" }"#,
        good: r#"versions { otelcol "0.158.0" }
exporter "otlp_http" { endpoint "http://gw:4318" }"#,
        silent: "The release is older than the new name, or that of another collector that reads the same file is; the name was not written but follows from something else.",
        sources: &[
            "https://github.com/open-telemetry/opentelemetry-collector/blob/main/CHANGELOG.md",
            "https://github.com/open-telemetry/opentelemetry-collector/issues/15728",
        ],
    },
    check,
};

fn check(cx: &mut Cx<'_>) {
    for part in &cx.facts.parts {
        if part.component.origin.is_written() {
            judge(cx, part);
        }
    }
    for problem in &cx.facts.problems {
        let ProblemKind::Deprecated(instead) = &problem.kind else { continue };
        if !problem.at.is_written() {
            continue;
        }
        let message = format!("`{}` of {} is deprecated at {}", problem.path, problem.owner(), problem.version);
        let finding = cx.finding(message, problem.at, "still accepted");
        cx.report(match instead {
            Some(instead) => {
                let finding = finding.help(format!("use `{instead}`"));
                let key = repair::sibling(&problem.path, instead);
                let settings = problem.component.iter().map(|it| &it.settings);
                let key = key.filter(|key| problem.fits(key));
                let change = key.and_then(|key| repair::key(settings, problem.at, problem.key(), key));
                repair::with(finding, change.map(|it| Fix::unsafe_(format!("rename to `{instead}`"), it)))
            }
            None => finding,
        });
    }
}

fn judge(cx: &mut Cx<'_>, part: &Part<'_>) {
    let Some((fact, version)) = part.usable() else { return };
    let (at, ty) = (&part.component.origin, part.component.id.ty.as_str());
    let newer = part.called(fact).filter(|newer| *newer != ty);
    if let Some(newer) = newer.filter(|it| cx.facts.others_take(part, it)) {
        let mut finding = cx.finding(
            format!("{} is called `{newer}` in {version}", part.title()),
            at,
            format!("`{ty}` is the old name, still accepted"),
        );
        if let Some(since) = fact.name_since(newer) {
            finding = finding.note(format!("`{newer}` is accepted since {since}"));
        }
        let change = repair::component_type(cx.facts, part, newer);
        let fix = change.map(|it| Fix::safe(format!("rename to `{newer}`"), it));
        cx.report(repair::with(finding.help(format!("write `{newer}`")), fix));
    } else if fact.deprecated_since().is_some_and(|since| since <= version) {
        let finding = cx.finding(format!("{} is deprecated at {version}", part.title()), at, "still there");
        cx.report(match fact.replacement() {
            Some(replacement) => finding.help(format!("use `{}` in its place", replacement.name)),
            None => finding,
        });
    }
}

#[cfg(test)]
mod tests {
    use telstack_diagnostics::{Applicability, Severity};

    use crate::test_support::Bench;

    fn exporter(version: &str, name: &str) -> Bench {
        Bench::collector(version, &format!("exporters: {{{name}: {{endpoint: 'http://gw:4318'}}}}"))
    }

    #[test]
    fn advises_the_new_name() {
        assert_eq!(exporter("0.158.0", "otlphttp").finds("V006", "otlphttp"), Severity::Info);
    }

    #[test]
    fn passes_with_the_new_name() {
        exporter("0.158.0", "otlp_http").silent("V006");
    }

    #[test]
    fn silent_before_there_is_one() {
        exporter("0.120.0", "otlphttp").silent("V006");
    }

    #[test]
    fn the_old_name_is_replaced_wherever_it_stands() {
        let yaml = |name: &str| {
            format!(
                "exporters:\n  {name}/a: # ours\n    endpoint: http://gw:4318\nservice:\n  pipelines:\n    traces:\n      \
                 exporters: ['{name}/a']\n    logs:\n      exporters:\n        # by hand\n        - {name}/a\n"
            )
        };
        let bench = Bench::collector("0.158.0", &yaml("otlphttp"));
        assert_eq!(bench.fixed("V006", &yaml("otlp_http")), Applicability::Safe);
        // The new name is taken.
        exporter("0.158.0", "otlp_http: , otlphttp").leaves("V006");
    }

    #[test]
    fn what_might_be_meant_elsewhere_stays() {
        let yaml = "exporters: {otlphttp: {endpoint: 'http://gw:4318'}}\nprocessors: {transform: {x: otlphttp}}";
        Bench::collector("0.158.0", yaml).leaves("V006");
    }

    #[test]
    fn silent_where_an_older_collector_reads_the_same_file() {
        let project = |other: &str| {
            let service = |name: &str, tag: &str| {
                format!(
                    "  {name}:\n    image: otel/opentelemetry-collector-contrib:{tag}\n    command: [--config=/c.yaml]\n    \
                     volumes: [./c.yaml:/c.yaml]\n"
                )
            };
            let compose = format!("services:\n{}{}", service("old", other), service("new", "0.158.0"));
            let config = "exporters: {otlp: {endpoint: 'g.internal:4317'}}\n";
            Bench::project(&[("compose.yaml", &compose), ("c.yaml", config)])
        };
        project("0.130.0").silent("V006");
        project("0.158.0").finds("V006", "otlp");
    }

    #[test]
    fn a_value_that_the_new_setting_does_not_take_is_left() {
        let filter = |traces: &str| format!("processors: {{filter: {{traces: {traces}}}}}");
        let bench = Bench::collector("0.152.0", &filter("{span: ['true']}"));
        bench.finds("V006", "traces");
        bench.leaves("V006");
        let bench = Bench::collector("0.152.0", "extensions: {oidc: {issuer_url: 'https://i.x', audience: a}}");
        bench.leaves("V006");
    }

    #[test]
    fn extensions_are_renamed_in_all_that_uses_them() {
        let yaml = |name: &str| {
            format!(
                "extensions:\n  {name}:\n    scopes: [a]\nexporters:\n  otlp_http:\n    \
                 endpoint: https://gw:4318\n    auth: {{authenticator: {name}}}\nservice:\n  extensions: [{name}]\n"
            )
        };
        let bench = Bench::collector("0.158.0", &yaml("azureauth"));
        assert_eq!(bench.fixed("V006", &yaml("azure_auth")), Applicability::Safe);
    }
}
