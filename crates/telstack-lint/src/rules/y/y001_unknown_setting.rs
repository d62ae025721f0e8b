use telstack_diagnostics::{Fix, RuleInfo, Severity};

use crate::{Cx, Rule, facts::ProblemKind, repair, words::ticked};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        code: "Y001",
        name: "unknown-setting",
        severity: Severity::Error,
        summary: "A component is given a setting that no release of it has.",
        why: "Collectors refuse unknown keys: `has invalid keys`. It is nearly always a slip of the keyboard, or a key \
              that belongs a level higher or lower.",
        bad: r#"processor "batch" { time_out "5s" }"#,
        good: r#"processor "batch" { timeout "5s" }"#,
        silent: "The settings at that release are not known, or that place takes any key. Keys of other releases are \
                 V003, queues that an exporter does not have D007. Where the catalog may be incomplete it is a warning, and so it is for the few components that \
                 pass over keys that they do not know.",
        sources: &["https://opentelemetry.io/docs/collector/configuration/"],
    },
    check,
};

/// Most keys that help a reader.
const SHOWN: usize = 12;

fn check(cx: &mut Cx<'_>) {
    for problem in &cx.facts.problems {
        let ProblemKind::Unknown { nearest, known, doubtful } = &problem.kind else { continue };
        let message = format!("{} has no setting `{}`", problem.owner(), problem.path);
        let mut finding = cx.finding(message, problem.at, format!("unknown at {}", problem.version));
        if let Some(component) = problem.component {
            finding = finding.label(component.origin.span(), format!("settings of this {}", component.kind));
        }
        finding = problem.if_read_over(finding);
        if *doubtful {
            finding = finding.severity(Severity::Warning).note("some optional blocks take `enabled` without saying so");
        }
        if let Some(nearest) = nearest {
            let change = repair::word(problem.at, problem.key(), nearest);
            finding = finding.help(format!("did you mean `{nearest}`?"));
            finding =
                repair::with(finding, change.map(|it| Fix::unsafe_(format!("rename the key to `{nearest}`"), it)));
        }
        if known.is_empty() {
            finding = finding.note("no settings are known there");
        } else if known.len() <= SHOWN {
            finding = finding.note(format!("there is {}", ticked(known)));
        } else if nearest.is_none() {
            let more = known.len() - SHOWN;
            finding = finding.note(format!("there is {} and {more} more", ticked(&known[..SHOWN])));
        }
        cx.report(finding);
    }
}

#[cfg(test)]
mod tests {
    use telstack_diagnostics::{Applicability, Severity};

    use crate::test_support::Bench;

    #[test]
    fn fails_on_a_slip() {
        Bench::collector("0.158.0", "processors: {batch: {time_out: 5s}}").finds("Y001", "time_out");
    }

    #[test]
    fn warns_where_the_key_is_passed_over() {
        let yaml = "receivers: {hostmetrics: {scrape_interval: 5s, scrapers: {cpu: {}}}}";
        assert_eq!(Bench::collector("0.112.0", yaml).finds("Y001", "scrape_interval"), Severity::Warning);
    }

    #[test]
    fn fails_deep_inside() {
        let yaml = "receivers: {otlp: {protocols: {grpc: {endpiont: '0.0.0.0:4317'}}}}";
        Bench::collector("0.158.0", yaml).finds("Y001", "endpiont");
    }

    #[test]
    fn passes_on_the_wrong_case_where_that_does_not_count() {
        Bench::collector("0.70.0", "exporters: {logging: {logLevel: debug}}").silent("Y001");
        Bench::collector("0.71.0", "exporters: {logging: {logLevel: debug}}").finds("Y001", "logLevel");
    }

    #[test]
    fn passes_when_it_is_known() {
        Bench::collector("0.158.0", "processors: {batch: {timeout: 5s}}").silent("Y001");
    }

    #[test]
    fn silent_where_any_key_goes() {
        let yaml = "exporters: {otlp_http: {endpoint: 'http://a:4318', headers: {x-any-key: a}}}";
        Bench::collector("0.158.0", yaml).silent("Y001");
    }
    #[test]
    fn a_list_of_texts_or_of_maps() {
        let flat = r#"processors: {transform: {log_statements: ['set(log.body, "a")']}}"#;
        let bench = Bench::collector("0.158.0", flat);
        bench.silent("Y001");
        bench.silent("Y002");
        let maps = r#"processors: {transform: {log_statements: [{contxt: log, statements: ['set(log.body, "a")']}]}}"#;
        Bench::collector("0.158.0", maps).finds("Y001", "contxt");
    }

    #[test]
    fn log_receivers_of_early_releases_are_checked() {
        let yaml = "receivers: {filelog: {include: [/var/log/a.log], inclde_file_path: true}}";
        Bench::collector("0.100.0", yaml).finds("Y001", "inclde_file_path");
    }

    #[test]
    fn a_slip_can_be_put_right() {
        let yaml = |key: &str| format!("processors:\n  batch:\n    # slow\n    \"{key}\": 1s # mine\n");
        let bench = Bench::collector("0.158.0", &yaml("timout"));
        assert_eq!(bench.fixed("Y001", &yaml("timeout")), Applicability::Unsafe);
        Bench::collector("0.158.0", "processors: {batch: {nothing_like_it: 1}}").leaves("Y001");
    }
}
