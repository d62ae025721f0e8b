use telstack_diagnostics::{RuleInfo, Severity};

use crate::{Cx, Rule, facts::ProblemKind};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        code: "Y002",
        name: "wrong-type",
        severity: Severity::Error,
        summary: "A setting is given a value of another type than it takes.",
        why: "The collector does not start: `expected type 'bool', got unconvertible type 'string'`.",
        bad: r#"processor "batch" { send_batch_size "many" }"#,
        good: r#"processor "batch" { send_batch_size 8192 }"#,
        silent: "The value comes from the environment; the collector converts it (a number where text is wanted, one \
                 value where a list is wanted, text that is a number).",
        sources: &["https://opentelemetry.io/docs/collector/configuration/"],
    },
    check,
};

fn check(cx: &mut Cx<'_>) {
    for problem in &cx.facts.problems {
        let ProblemKind::Type { wanted, found, hint } = &problem.kind else { continue };
        let message = match problem.path.as_str() {
            "" => format!("the settings of {} are {found}, not {wanted}", problem.owner()),
            path => format!("`{path}` of {} takes {wanted}, not {found}", problem.owner()),
        };
        let finding = cx.finding(message, problem.at, format!("this is {found}"));
        let key = problem.key();
        cx.report(finding.help(hint.clone().unwrap_or_else(|| match *wanted {
            "a boolean" => format!("write `{key} #true` or `{key} #false`"),
            "a list" => format!("write its items, each with a `-`: `{key} {{ - …; - … }}`"),
            "a map" if !key.is_empty() => format!("write its keys in a block: `{key} {{ … }}`"),
            wanted => format!("write {wanted}"),
        })));
    }
}

#[cfg(test)]
mod tests {
    use crate::test_support::Bench;

    fn batch(settings: &str) -> Bench {
        Bench::collector("0.158.0", &format!("processors: {{batch: {{{settings}}}}}"))
    }

    #[test]
    fn fails_on_another_type() {
        batch("send_batch_size: many").finds("Y002", "many");
        batch("send_batch_size: true").finds("Y002", "true");
        batch("timeout: [5s]").finds("Y002", "[5s]");
        let yaml = "exporters: {otlp_grpc: {endpoint: 'a:1', tls: {insecure: 'true'}}}";
        Bench::collector("0.158.0", yaml).finds("Y002", "'true'");
    }

    #[test]
    fn passes_with_the_right_one() {
        batch("send_batch_size: 10, timeout: 5s, metadata_keys: [a]").silent("Y002");
    }

    #[test]
    fn silent_for_what_is_converted_or_not_known() {
        batch("send_batch_size: '10', metadata_keys: a").silent("Y002");
        batch("send_batch_size: '${env:SIZE}'").silent("Y002");
    }
}
