use telstack_catalog::{Version, otelcol, otelcol::BareDollar};
use telstack_diagnostics::{Diagnostic, RuleInfo, Severity};
use telstack_syntax::tree::Kind;
use telstack_system::Value;

use crate::{Cx, Rule};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        code: "E001",
        name: "bare-dollar-not-expanded",
        severity: Severity::Error,
        summary: "`$NAME` without braces is not what it looks like: newer collectors take it literally.",
        why: "Until 0.103.1 `$NAME` is the environment variable, from 0.104.0 to 0.106.1 the collector refuses to start, \
              since 0.107.0 the text stays as it is: a token is sent as the six characters `$TOKEN` and the backend \
              answers 401. `${1}` is read as an environment variable whose name is not allowed.",
        bad: r#"exporter "otlp_http" {
    endpoint "https://otlp.example.com"
    headers authorization="Bearer $TOKEN"
}"#,
        good: r#"exporter "otlp_http" {
    endpoint "https://otlp.example.com"
    headers authorization="Bearer ${env:TOKEN}"
}"#,
        silent: "`$1`, `$$` and a `$` before anything but a letter; since 0.107.0 also lower-case names, and any name \
                 outside addresses, headers, credentials and paths: regular expressions and OTTL are full of them. \
                 Since 0.107.0 a bare name is a warning.",
        sources: &[
            "https://github.com/open-telemetry/opentelemetry-collector/pull/10435",
            "https://github.com/open-telemetry/opentelemetry-collector/issues/10585",
            "https://github.com/open-telemetry/opentelemetry-collector/blob/main/confmap/internal/e2e/testdata/expand-escaped-env.yaml",
        ],
    },
    check,
};

/// Words in the keys whose values are sent or opened as they are.
const VERBATIM: [&str; 9] = ["endpoint", "url", "headers", "token", "key", "password", "directory", "path", "host"];

fn check(cx: &mut Cx<'_>) {
    for part in &cx.facts.parts {
        if let Some(version) = part.node.version() {
            walk(cx, &part.title(), version, "", &part.component.settings);
        }
    }
    for (_, node, collector) in cx.system.collectors() {
        let Some(version) = node.version() else { continue };
        for entry in &collector.telemetry {
            walk(cx, "`service.telemetry`", version, &entry.key, &entry.value);
        }
    }
}

fn walk(cx: &mut Cx<'_>, owner: &str, version: Version, path: &str, value: &Value) {
    match &value.kind {
        Kind::String(text) => {
            if let Some(finding) = judge(cx, owner, version, path, text, value) {
                cx.report(finding);
            }
        }
        Kind::Seq(seq) => seq.items.iter().for_each(|item| walk(cx, owner, version, path, item)),
        Kind::Map(map) => {
            for entry in map {
                walk(cx, owner, version, &format!("{path}.{}", entry.key), &entry.value);
            }
        }
        _ => {}
    }
}

fn judge(cx: &Cx<'_>, owner: &str, version: Version, path: &str, text: &str, value: &Value) -> Option<Diagnostic> {
    let facts = otelcol::env_expansion(version);
    let verbatim = path.split('.').any(|key| VERBATIM.iter().any(|word| key.to_ascii_lowercase().ends_with(word)));
    let path = path.trim_start_matches('.');
    for reference in references(text) {
        let at = |message, remark| cx.finding(message, &value.mark, remark);
        let name = match reference {
            Dollar::Number(number) if facts.bare_dollar != BareDollar::Expanded => {
                let message = format!("`${{{number}}}` in `{path}` of {owner} is read as an environment variable");
                return Some(
                    at(message, "no variable can have that name: the collector does not start".to_owned())
                        .help(format!("write `$${{{number}}}`: two `$` stand for one"))
                        .help(format!("write `${number}`, which stays as it is")),
                );
            }
            Dollar::Number(_) => continue,
            Dollar::Name(name) => name,
        };
        let loud = verbatim && !name.chars().any(|c| c.is_ascii_lowercase());
        let finding = match facts.bare_dollar {
            BareDollar::Expanded => return None,
            BareDollar::Error => at(
                format!("`${name}` in `{path}` of {owner} stops the collector"),
                format!("{version} accepts only `${{env:{name}}}`"),
            ),
            BareDollar::Literal if loud => at(
                format!("`${name}` in `{path}` of {owner} is not replaced by the environment variable"),
                format!("stays as it is at {version}"),
            )
            .severity(Severity::Warning),
            BareDollar::Literal => continue,
        };
        let finding = finding.note(format!(
            "`${name}` is replaced until {}, and left as it is since {}",
            facts.expanded_until, facts.literal_since
        ));
        return Some(
            finding.help(format!("write `${{env:{name}}}`")).help(format!("write `$${name}` if it is meant literally")),
        );
    }
    None
}

/// What stands behind a `$`.
enum Dollar<'a> {
    /// `$NAME`.
    Name(&'a str),
    /// `${1}`.
    Number(&'a str),
}

fn references(text: &str) -> Vec<Dollar<'_>> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        rest = &rest[at + 1..];
        if let Some(escaped) = rest.strip_prefix('$') {
            rest = escaped;
        } else if let Some(braced) = rest.strip_prefix('{') {
            let inside = &braced[..braced.find('}').unwrap_or(0)];
            if !inside.is_empty() && inside.bytes().all(|byte| byte.is_ascii_digit()) {
                found.push(Dollar::Number(inside));
            }
        } else {
            let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
            // A capital letter alone is more likely the end of a regular expression.
            if end > 1 && rest.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') {
                found.push(Dollar::Name(&rest[..end]));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use telstack_diagnostics::Severity;

    use crate::test_support::Bench;

    fn header(version: &str, value: &str) -> Bench {
        let yaml = format!("exporters: {{otlphttp: {{endpoint: 'https://x', headers: {{authorization: {value}}}}}}}");
        Bench::collector(version, &yaml)
    }

    #[test]
    fn fails_on_a_bare_name() {
        assert_eq!(header("0.158.0", "Bearer $TOKEN").finds("E001", "Bearer $TOKEN"), Severity::Warning);
        assert_eq!(header("0.105.0", "Bearer $TOKEN").finds("E001", "Bearer $TOKEN"), Severity::Error);
    }

    #[test]
    fn fails_on_a_number_in_braces() {
        let yaml = "processors: {transform: {x: '${1}:8080'}}";
        assert_eq!(Bench::collector("0.158.0", yaml).finds("E001", "'${1}:8080'"), Severity::Error);
    }

    #[test]
    fn passes_with_braces_and_where_it_is_expanded() {
        header("0.158.0", "'Bearer ${env:TOKEN}'").silent("E001");
        header("0.100.0", "Bearer $TOKEN").silent("E001");
    }

    #[test]
    fn silent_for_escapes_groups_and_expressions() {
        header("0.158.0", "Bearer $$TOKEN").silent("E001");
        Bench::collector("0.158.0", "processors: {transform: {x: '$1 a$ $FOO'}}").silent("E001");
    }
}
