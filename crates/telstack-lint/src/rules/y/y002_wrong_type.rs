use telstack_diagnostics::{RuleInfo, Severity};

use crate::{
    Cx, Rule,
    facts::{FileProblemKind, ProblemKind},
};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        code: "Y002",
        name: "wrong-type",
        severity: Severity::Error,
        summary: "A setting is given a value of another type than it takes.",
        why: "The collector does not start: `expected type 'bool', got unconvertible type 'string'`. Since 0.105.0 it \
              converts nothing but whole numbers to fractions and one text to a list of texts.",
        bad: r#"processor "batch" { send_batch_size "many" }"#,
        good: r#"processor "batch" { send_batch_size 8192 }"#,
        silent: "The value comes from the environment, without text around it and without a default that is wrong; the \
                 collector converts it: one text where a list of texts is wanted and, before 0.105.0, a number where \
                 text is wanted, text that is a number. A fraction where a whole number is wanted is a warning.",
        sources: &["https://opentelemetry.io/docs/collector/configuration/"],
    },
    check,
};

fn check(cx: &mut Cx<'_>) {
    for problem in &cx.facts.problems {
        let (kind, default) = problem.kind.behind_default();
        let ProblemKind::Type { wanted, found, hint, stops } = kind else { continue };
        let message = match problem.path.as_str() {
            "" => format!("the settings of {} are {found}, not {wanted}", problem.owner()),
            path => format!("`{path}` of {} takes {wanted}, not {found}", problem.owner()),
        };
        let remark = match default {
            Some(default) => format!("`{default}`, which is {found}, stands in where the variable is not set"),
            None => format!("this is {found}"),
        };
        let finding = cx.finding(message, problem.at, remark);
        let finding = if *stops { finding } else { finding.severity(Severity::Warning) };
        let key = problem.key();
        cx.report(finding.help(hint.clone().unwrap_or_else(|| match *wanted {
            "a byte size" => "write a number of bytes, or one with a unit: `1MiB`".to_owned(),
            "a boolean" => cx.words(
                format!("write `{key} #true` or `{key} #false`"),
                format!("write `{key}: true` or `{key}: false`"),
            ),
            "a list" => cx.words(
                format!("write its items, each with a `-`: `{key} {{ - …; - … }}`"),
                format!("write its items as a list: `{key}: […, …]`"),
            ),
            "a map" if !key.is_empty() => cx.words(
                format!("write its keys in a block: `{key} {{ … }}`"),
                format!("write its keys below it, as a map: `{key}: {{…}}`"),
            ),
            wanted => format!("write {wanted}"),
        })));
    }
    for problem in &cx.facts.files {
        let FileProblemKind::Type { wanted, found } = problem.kind else { continue };
        let message = format!("`{}` of {} takes {wanted}, not {found}", problem.path, problem.owner());
        cx.report(cx.finding(message, problem.at, format!("this is {found}")).help(format!("write {wanted}")));
    }
}

#[cfg(test)]
mod tests {
    use telstack_catalog::product::Product;
    use telstack_diagnostics::Severity;

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
        batch("send_batch_size: '10'").finds("Y002", "'10'");
        batch("metadata_keys: [1]").finds("Y002", "1");
        let yaml = "exporters: {otlp: {endpoint: 'a:1', headers: {x-a: 5}}}";
        Bench::collector("0.135.0", yaml).finds("Y002", "5");
        assert_eq!(batch("send_batch_size: 1.5").finds("Y002", "1.5"), Severity::Warning);
    }

    #[test]
    fn files_of_products() {
        let loki = |yaml: &str| Bench::file(Product::Loki, "3.5.0", yaml);
        loki("schema_config:\n  configs: a\n").finds("Y002", "a");
        loki("server: {http_listen_port: http}").finds("Y002", "http");
        loki("auth_enabled: [1]").finds("Y002", "[1]");
        for fine in [
            "server: {http_listen_port: 3_100}",
            "auth_enabled: no",
            "server: {http_listen_port: '${PORT}'}",
            "limits_config:",
        ] {
            loki(fine).silent("Y002");
        }
        Bench::file(Product::Prometheus, "", "rule_files: a.yml").finds("Y002", "a.yml");
    }

    #[test]
    fn fails_on_what_is_known_of_a_reference() {
        batch("send_batch_size: '${env:SIZE}0'").finds("Y002", "'${env:SIZE}0'");
        batch("send_batch_size: '${env:SIZE:-many}'").finds("Y002", "'${env:SIZE:-many}'");
        batch("send_batch_size: '$$5'").finds("Y002", "'$$5'");
    }

    #[test]
    fn passes_with_the_right_one() {
        batch("send_batch_size: 10, timeout: 5s, metadata_keys: [a]").silent("Y002");
    }

    #[test]
    fn silent_for_what_is_converted_or_not_known() {
        batch("metadata_keys: a").silent("Y002");
        batch("send_batch_size: '${env:SIZE}'").silent("Y002");
        batch("send_batch_size: '${env:SIZE:-5}', timeout: '${env:TIMEOUT}s'").silent("Y002");
        Bench::collector("0.100.0", "processors: {batch: {send_batch_size: '10'}}").silent("Y002");
    }
}
