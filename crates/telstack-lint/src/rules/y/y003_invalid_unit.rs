use telstack_catalog::ComponentKind;
use telstack_diagnostics::{RuleInfo, Severity};

use crate::{
    Cx, Rule,
    facts::{FileProblemKind, ProblemKind},
    words::{at_its_end, one_line},
};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        code: "Y003",
        name: "invalid-unit",
        severity: Severity::Error,
        summary: "A duration has no unit, or one that the collector does not know.",
        why: "The collector reads durations as Go does: numbers with `ns`, `us`, `ms`, `s`, `m` or `h`. There are no \
              days: `1d` stops it. A bare number is taken for nanoseconds, so that `5` is a timeout that has always \
              passed already.",
        bad: r#"processor "batch" { timeout 5 }"#,
        good: r#"processor "batch" { timeout "5s" }"#,
        silent: "In a file that somebody wrote for a collector, a bare number is a warning, but for the `timeout` of \
                 an exporter, which no request keeps. Zero, which needs no unit; values from the environment.",
        sources: &["https://pkg.go.dev/time#ParseDuration"],
    },
    check,
};

fn check(cx: &mut Cx<'_>) {
    for problem in &cx.facts.problems {
        let (kind, default) = problem.kind.behind_default();
        let ProblemKind::Unit { found, hint, stops } = kind else { continue };
        let message = if *stops {
            format!("`{}` is not a duration for `{}` of {}", one_line(found), problem.path, problem.owner())
        } else {
            // What is behind the point is cut off.
            let whole = found.split('.').next().unwrap_or(found);
            let unit = if whole == "1" { "nanosecond" } else { "nanoseconds" };
            format!("`{found}` without a unit is {whole} {unit} for `{}` of {}", problem.path, problem.owner())
        };
        let remark = match default {
            Some(_) => "stands in where the variable is not set",
            None => "no unit that the collector knows",
        };
        // It starts, and works after a fashion; but no request is answered in nanoseconds.
        let sends = problem.component.is_some_and(|it| it.kind == ComponentKind::Exporter);
        let fails = *stops || sends && problem.key() == "timeout" || !cx.system.from_files;
        let severity = if fails { Severity::Error } else { Severity::Warning };
        let finding = cx
            .finding(message, problem.at, remark)
            .severity(severity)
            .note("units are `ns`, `us`, `ms`, `s`, `m` and `h`");
        cx.report(match at_its_end(found).map(str::to_owned).or_else(|| hint.clone()) {
            Some(hint) => finding.help(hint),
            None => finding.help("write a number with a unit: `30s`, `1h30m`"),
        });
    }
    for problem in &cx.facts.files {
        let FileProblemKind::Unit { found } = &problem.kind else { continue };
        let message = format!("`{found}` is not a duration for `{}` of {}", problem.path, problem.owner());
        let finding = cx.finding(message, problem.at, "no duration");
        cx.report(finding.help("write a number with a unit: `30s`, `1h30m`"));
    }
}

#[cfg(test)]
mod tests {
    use telstack_diagnostics::Severity;

    use crate::test_support::Bench;

    fn timeout(value: &str) -> Bench {
        Bench::collector("0.158.0", &format!("processors: {{batch: {{timeout: {value}}}}}"))
    }

    #[test]
    fn fails_without_a_unit() {
        timeout("'5'").finds("Y003", "'5'");
        assert_eq!(timeout("5").finds("Y003", "5"), Severity::Error);
        let mut written = timeout("5");
        written.system.from_files = true;
        assert_eq!(written.finds("Y003", "5"), Severity::Warning);
        let mut written =
            Bench::collector("0.158.0", "exporters: {otlp_http: {endpoint: 'http://a:4318', timeout: 5}}");
        written.system.from_files = true;
        assert_eq!(written.finds("Y003", "5"), Severity::Error);
    }

    #[test]
    fn warns_of_bounds_that_are_too_small() {
        let yaml = "connectors: {service_graph: {latency_histogram_buckets: [100]}}";
        let mut bench = Bench::collector("0.158.0", yaml);
        bench.system.from_files = true;
        assert_eq!(bench.finds("Y003", "100"), Severity::Warning);
    }

    #[test]
    fn what_is_less_than_a_nanosecond_is_none() {
        assert!(timeout("0.05").messages("Y003")[0].starts_with("`0.05` without a unit is 0 nanoseconds"));
        assert!(timeout("1.5").messages("Y003")[0].starts_with("`1.5` without a unit is 1 nanosecond "));
    }

    #[test]
    fn fails_on_days() {
        timeout("1d").finds("Y003", "1d");
    }

    #[test]
    fn passes_as_go_reads_it() {
        timeout("1h30m").silent("Y003");
    }

    #[test]
    fn silent_for_zero_and_for_the_environment() {
        timeout("0").silent("Y003");
        timeout("'${env:TIMEOUT}'").silent("Y003");
    }
}
