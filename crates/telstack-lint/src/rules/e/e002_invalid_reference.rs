use telstack_diagnostics::{Diagnostic, RuleInfo, Severity};
use telstack_syntax::tree::Kind;
use telstack_system::{
    Value,
    expansion::{self, ENV, Piece, Reference, YAML},
};

use crate::{Cx, Rule, words::either};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        code: "E002",
        name: "invalid-reference",
        severity: Severity::Error,
        summary: "A reference names no environment variable that can exist, or a provider that there is not.",
        why: "The collector does not start: `environment variable \"a-b\" has invalid name`, `scheme \"x\" is not \
              supported`. `${NAME:-default}` is one of these: a default needs the `env:` in front.",
        bad: "exporters: {otlp_http: {endpoint: '${HOST:-http://localhost:4318}'}}",
        good: "exporters: {otlp_http: {endpoint: '${env:HOST:-http://localhost:4318}'}}",
        silent: "References inside references; `$$`, which stands for one `$`; `${1}`, which is E001.",
        sources: &["https://opentelemetry.io/docs/collector/configuration/#environment-variables"],
    },
    check,
};

/// What provides values in the distributions' collectors.
const PROVIDERS: [&str; 5] = [ENV, "file", "http", "https", YAML];

fn check(cx: &mut Cx<'_>) {
    let mut values: Vec<&Value> = cx.facts.parts.iter().map(|part| &part.component.settings).collect();
    for (_, _, collector) in cx.system.collectors() {
        values.extend(collector.telemetry.iter().map(|entry| &entry.value));
    }
    for value in values {
        walk(cx, value);
    }
}

fn walk(cx: &mut Cx<'_>, value: &Value) {
    match &value.kind {
        Kind::String(text) if text.contains("${") => {
            let references = expansion::pieces(text).into_iter().filter_map(|it| match it {
                Piece::Reference(reference) => Some(reference),
                _ => None,
            });
            if let Some(finding) = references.into_iter().find_map(|it| judge(cx, it, value)) {
                // One value in two pipelines, or by an alias in two components, is one mistake.
                cx.report_once(finding);
            }
        }
        Kind::Seq(seq) => seq.items.iter().for_each(|item| walk(cx, item)),
        Kind::Map(map) => map.iter().for_each(|entry| walk(cx, &entry.value)),
        _ => {}
    }
}

fn judge(cx: &Cx<'_>, reference: Reference<'_>, value: &Value) -> Option<Diagnostic> {
    let Reference { scheme, name, .. } = reference;
    if reference.is_nested() {
        return None;
    }
    if !PROVIDERS.contains(&scheme) {
        let finding = cx
            .finding(format!("nothing provides `{scheme}:` values"), &value.mark, "not a provider")
            .note(format!("values come from {}", either(PROVIDERS)));
        return Some(match name.strip_prefix('-') {
            Some(default) => finding.help(format!("write `${{env:{scheme}:-{default}}}`: a default needs the `env:`")),
            None => finding.help(format!("write `$${{{scheme}:{name}}}` if it is meant literally")),
        });
    }
    let number = !name.is_empty() && name.bytes().all(|it| it.is_ascii_digit());
    if scheme != ENV || reference.names_a_variable() || number {
        return None;
    }
    let message = format!("`{name}` cannot be the name of an environment variable");
    Some(
        cx.finding(message, &value.mark, "the collector does not start")
            .help("use letters, digits and underscores, and start with no digit")
            .help(format!("write `$${{{name}}}` if it is meant literally")),
    )
}

#[cfg(test)]
mod tests {
    use crate::test_support::Bench;

    fn endpoint(value: &str) -> Bench {
        Bench::collector("0.158.0", &format!("exporters: {{otlp_http: {{endpoint: '{value}'}}}}"))
    }

    #[test]
    fn fails_on_names_and_providers_that_cannot_be() {
        for value in [
            "${env:a-b}",
            "${}",
            "${env:}",
            "x${env:a b}y",
            "${HOST:-http://a}",
            "${vault:a}",
            "${N:-5}",
            "${:-5}",
            "${ENV:X}",
        ] {
            endpoint(value).finds("E002", &format!("'{value}'"));
        }
    }

    #[test]
    fn passes_on_what_there_is() {
        for value in ["${env:HOST}", "${HOST}", "${env:HOST:-http://a:1}", "${file:/host}"] {
            endpoint(value).silent("E002");
        }
    }

    #[test]
    fn silent_for_escapes_and_nesting() {
        for value in ["$${a-b}", "${env:${env:X}}", "${env:a-b"] {
            endpoint(value).silent("E002");
        }
    }
}
