use telstack_diagnostics::{Fix, RuleInfo, Severity};

use crate::{
    Cx, Rule,
    facts::ProblemKind,
    repair,
    words::{at_its_end, either, nearest, one_line},
};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        code: "Y004",
        name: "unknown-value",
        severity: Severity::Error,
        summary: "A setting takes one of a few words, and is given another.",
        why: "The collector does not start, or falls back to something nobody asked for.",
        bad: "service: {telemetry: {metrics: {level: verbose}}}",
        good: "service: {telemetry: {metrics: {level: detailed}}}",
        silent: "The value comes from the environment; letters differ only in case, or nothing is written, and it is \
                 not known that this matters there.",
        sources: &["https://opentelemetry.io/docs/collector/configuration/"],
    },
    check,
};

fn check(cx: &mut Cx<'_>) {
    for problem in &cx.facts.problems {
        let (kind, _) = problem.kind.behind_default();
        let ProblemKind::Word { found, allowed } = kind else { continue };
        let message = format!("`{}` of {} cannot be `{}`", problem.path, problem.owner(), one_line(found));
        let finding = cx.finding(message, problem.at, format!("`{}` takes {}", problem.key(), either(allowed)));
        if let Some(help) = at_its_end(found) {
            cx.report(finding.help(help));
            continue;
        }
        let slip = nearest(&found.to_lowercase(), allowed.iter().map(String::as_str));
        cx.report(match slip {
            Some(slip) => {
                let change = repair::word(problem.at, found, slip);
                let finding = finding.help(format!("did you mean `{slip}`?"));
                repair::with(finding, change.map(|it| Fix::unsafe_(format!("write `{slip}`"), it)))
            }
            None => finding,
        });
    }
}

#[cfg(test)]
mod tests {
    use telstack_diagnostics::Applicability;

    use crate::test_support::Bench;

    fn level(value: &str) -> Bench {
        Bench::collector("0.158.0", &format!("service: {{telemetry: {{metrics: {{level: {value}}}}}}}"))
    }

    #[test]
    fn fails_on_another_word() {
        level("verbose").finds("Y004", "verbose");
    }

    #[test]
    fn passes_on_one_of_them() {
        level("detailed").silent("Y004");
    }

    #[test]
    fn knows_the_words_of_a_component() {
        let debug = |value: &str| Bench::collector("0.158.0", &format!("exporters: {{debug: {{verbosity: {value}}}}}"));
        debug("verbose").finds("Y004", "verbose");
        debug("Detailed").silent("Y004");
        debug("''").silent("Y004");
        let encoding = |value: &str| {
            let yaml = format!("exporters: {{otlp_http: {{endpoint: 'http://a:1', encoding: {value}}}}}");
            Bench::collector("0.158.0", &yaml)
        };
        encoding("JSON").finds("Y004", "JSON");
        encoding("''").finds("Y004", "''");
        encoding("'${env:ENCODING:-xml}'").finds("Y004", "'${env:ENCODING:-xml}'");
        encoding("json").silent("Y004");
        let policies = "[{name: a, type: status_code, status_code: {status_codes: [ERROR, FAILED]}}]";
        let yaml = format!("processors: {{tail_sampling: {{policies: {policies}}}}}");
        Bench::collector("0.158.0", &yaml).finds("Y004", "FAILED");
    }

    #[test]
    fn fails_on_a_block_that_keeps_its_line_break() {
        let yaml = |mark: &str| format!("exporters:\n  debug:\n    verbosity: {mark}\n      normal\n");
        Bench::collector("0.158.0", &yaml(">")).finds("Y004", "normal\n");
        Bench::collector("0.158.0", &yaml(">-")).silent("Y004");
    }

    #[test]
    fn silent_about_case_and_the_environment() {
        level("Detailed").silent("Y004");
        level("'${env:LEVEL}'").silent("Y004");
    }

    #[test]
    fn a_slip_can_be_put_right() {
        let yaml = |word: &str| format!("exporters:\n  debug: {{verbosity: '{word}'}} # mine\n");
        let bench = Bench::collector("0.158.0", &yaml("detialed"));
        assert_eq!(bench.fixed("Y004", &yaml("detailed")), Applicability::Unsafe);
    }
}
