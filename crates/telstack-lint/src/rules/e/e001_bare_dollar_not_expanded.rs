use telstack_catalog::{Version, otelcol, otelcol::BareDollar};
use telstack_diagnostics::{Diagnostic, Fix, RuleInfo, Severity};
use telstack_syntax::tree::Kind;
use telstack_system::{Container, Value};

use crate::{Cx, Rule, repair};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        code: "E001",
        name: "bare-dollar-not-expanded",
        severity: Severity::Error,
        summary: "A `$` without braces is not what it looks like: old collectors replace it, newer ones keep it.",
        why: "Until 0.103.1 `$NAME` is the environment variable, from 0.104.0 to 0.106.1 the collector refuses to \
              start, since 0.107.0 the text stays as it is: a token is sent as the six characters `$TOKEN` and the \
              backend answers 401. Until 0.106.1 the same goes for `$1`: the group of a regular expression becomes \
              nothing, or the collector does not start. `${1}` is read as an environment variable whose name is not \
              allowed.",
        bad: r#"exporter "otlp_http" {
    endpoint "https://otlp.example.com"
    headers authorization="Bearer $TOKEN"
}"#,
        good: r#"exporter "otlp_http" {
    endpoint "https://otlp.example.com"
    headers authorization="Bearer ${env:TOKEN}"
}"#,
        silent: "`$$` and a `$` before anything but a letter or digit; until 0.103.1 a name that the container is \
                 given, or whose environment is not known; since 0.107.0 `$1`, lower-case names, and any name outside \
                 addresses, headers, credentials and paths: regular expressions and OTTL are full of them. Since \
                 0.107.0 a bare name is a warning.",
        sources: &[
            "https://github.com/open-telemetry/opentelemetry-collector/blob/v0.103.0/confmap/converter/expandconverter/expand.go",
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
            let owner = Owner { title: part.title(), version, container: part.node.container.as_ref() };
            walk(cx, &owner, "", &part.component.settings);
        }
    }
    for (_, node, collector) in cx.system.collectors() {
        let Some(version) = node.version() else { continue };
        let owner = Owner { title: "`service.telemetry`".to_owned(), version, container: node.container.as_ref() };
        for entry in &collector.telemetry {
            walk(cx, &owner, &entry.key, &entry.value);
        }
    }
}

/// Whose settings are read.
struct Owner<'a> {
    title: String,
    version: Version,
    /// What gives it its environment; nobody knows where there is none.
    container: Option<&'a Container>,
}

impl Owner<'_> {
    /// Is that variable surely not there? Docker itself sets a few.
    fn lacks(&self, name: &str) -> bool {
        const OF_DOCKER: [&str; 4] = ["HOME", "HOSTNAME", "PATH", "TERM"];
        !OF_DOCKER.contains(&name) && self.container.is_some_and(|it| it.variable(name).is_absent())
    }
}

fn walk(cx: &mut Cx<'_>, owner: &Owner<'_>, path: &str, value: &Value) {
    match &value.kind {
        Kind::String(text) => {
            if let Some(finding) = judge(cx, owner, path, text, value) {
                cx.report(finding);
            }
        }
        Kind::Seq(seq) => seq.items.iter().for_each(|item| walk(cx, owner, path, item)),
        Kind::Map(map) => {
            for entry in map {
                walk(cx, owner, &format!("{path}.{}", entry.key), &entry.value);
            }
        }
        _ => {}
    }
}

fn judge(cx: &Cx<'_>, owner: &Owner<'_>, path: &str, text: &str, value: &Value) -> Option<Diagnostic> {
    let (version, title) = (owner.version, &owner.title);
    let facts = otelcol::env_expansion(version);
    let verbatim = path.split('.').any(|key| VERBATIM.iter().any(|word| key.to_ascii_lowercase().ends_with(word)));
    let path = path.trim_start_matches('.');
    let at = |message, remark| cx.finding(message, &value.mark, remark);
    for reference in references(text) {
        let name = match reference {
            Dollar::Group(number) if facts.bare_dollar == BareDollar::Literal => {
                let message = format!("`${{{number}}}` in `{path}` of {title} is read as an environment variable");
                let finding = at(message, "no variable can have that name: the collector does not start".to_owned())
                    .help(format!("write `$${{{number}}}`: two `$` stand for one"))
                    .help(format!("write `${number}`, which stays as it is"));
                return Some(repair::with(finding, doubled(value, &format!("${{{number}}}"))));
            }
            Dollar::Number(_) if facts.bare_dollar == BareDollar::Literal => continue,
            Dollar::Group(number) | Dollar::Number(number) => {
                let braced = matches!(reference, Dollar::Group(_));
                let shown = if braced { format!("${{{number}}}") } else { format!("${number}") };
                let message = format!("`{shown}` in `{path}` of {title} is read as an environment variable");
                let becomes = match facts.bare_dollar {
                    BareDollar::Expanded => "becomes nothing, or stops the collector",
                    _ => "stops the collector",
                };
                let finding = at(message, format!("{becomes} at {version}"))
                    .help(format!("write `$${number}`: two `$` stand for one"))
                    .note(format!("`${number}` is left as it is since {}", facts.literal_since));
                return Some(repair::with(finding, doubled(value, &shown)));
            }
            Dollar::Name(name) => name,
        };
        let loud = verbatim && name.len() > 1 && !name.chars().any(|c| c.is_ascii_lowercase());
        let finding = match facts.bare_dollar {
            BareDollar::Expanded if owner.lacks(name) => at(
                format!("`${name}` in `{path}` of {title} is replaced by nothing"),
                format!("an environment variable at {version}, and the container has none of that name"),
            ),
            BareDollar::Error => at(
                format!("`${name}` in `{path}` of {title} stops the collector"),
                format!("{version} takes only `${{env:{name}}}` and `${{{name}}}`"),
            ),
            BareDollar::Literal if loud => at(
                format!("`${name}` in `{path}` of {title} is not replaced by the environment variable"),
                format!("stays as it is at {version}"),
            )
            .severity(Severity::Warning),
            BareDollar::Expanded | BareDollar::Literal => continue,
        };
        let finding = finding.note(format!(
            "`${name}` is replaced until {}, and left as it is since {}",
            facts.expanded_until, facts.literal_since
        ));
        return Some(if facts.bare_dollar == BareDollar::Expanded {
            finding.help(format!("write `$${name}` if it is meant literally")).help(cx.words(
                format!("write `(env)\"{name}\"` for the whole value: the container is then given the variable"),
                format!("give the container the variable `{name}`"),
            ))
        } else {
            let change = repair::word(&value.mark, &format!("${name}"), &format!("${{env:{name}}}"));
            // In quotes it is right in braces, too.
            let whole = text.replacen(&format!("${name}"), &format!("${{env:{name}}}"), 1);
            let finding = finding
                .help(if whole.contains(['"', '\n']) || whole.len() > 80 {
                    format!("write `${{env:{name}}}`, in quotes where the value stands in braces")
                } else {
                    format!("write `\"{whole}\"`")
                })
                .help(format!("write `$${name}` if it is meant literally"));
            repair::with(finding, change.map(|it| Fix::unsafe_(format!("write `${{env:{name}}}`"), it)))
        });
    }
    None
}

/// Two `$` stand for one. No variable can be called like a number: nothing else can have been meant.
fn doubled(value: &Value, shown: &str) -> Option<Fix> {
    let change = repair::word(&value.mark, shown, &format!("${shown}"));
    change.map(|it| Fix::safe(format!("write `${shown}`"), it))
}

/// What stands behind a `$`.
#[derive(Clone, Copy)]
enum Dollar<'a> {
    /// `$NAME`.
    Name(&'a str),
    /// `$1`: one digit, the next is text.
    Number(&'a str),
    /// `${1}`.
    Group(&'a str),
}

fn references(text: &str) -> Vec<Dollar<'_>> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        rest = &rest[at + 1..];
        if let Some(escaped) = rest.strip_prefix('$') {
            rest = escaped;
        } else if let Some(braced) = rest.strip_prefix('{') {
            let digits = braced.bytes().take_while(u8::is_ascii_digit).count();
            if digits > 0 && braced[digits..].starts_with('}') {
                found.push(Dollar::Group(&braced[..digits]));
            }
        } else if rest.starts_with(|c: char| c.is_ascii_digit()) {
            found.push(Dollar::Number(&rest[..1]));
        } else {
            let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
            if end > 0 {
                found.push(Dollar::Name(&rest[..end]));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use telstack_diagnostics::{Applicability, Severity};
    use telstack_system::{EnvValue, EnvVar};

    use crate::test_support::Bench;

    fn header(version: &str, value: &str) -> Bench {
        let yaml = format!("exporters: {{otlphttp: {{endpoint: 'https://x', headers: {{authorization: {value}}}}}}}");
        Bench::collector(version, &yaml)
    }

    /// An old collector whose container has one variable.
    fn given(name: &str) -> Bench {
        let mut bench = header("0.91.0", "Bearer $TOKEN");
        let origin = bench.at("Bearer $TOKEN");
        let value = EnvValue::Literal("x".to_owned());
        let container = bench.first().container.as_mut().expect("a container");
        container.env.push(EnvVar::new(name, value, origin));
        bench
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
    fn fails_on_groups_where_they_are_variables() {
        for (version, value) in [("0.91.0", "'$1:8080'"), ("0.103.0", "'${2}:8080'"), ("0.105.0", "'$1:8080'")] {
            let yaml = format!("processors: {{transform: {{x: {value}}}}}");
            assert_eq!(Bench::collector(version, &yaml).finds("E001", value), Severity::Error, "{version}");
        }
    }

    #[test]
    fn fails_on_a_name_that_the_container_is_not_given() {
        assert_eq!(given("OTHER").finds("E001", "Bearer $TOKEN"), Severity::Error);
        given("TOKEN").silent("E001");
        let mut unknown = given("OTHER");
        unknown.first().container = None;
        unknown.silent("E001");
        header("0.91.0", "$HOME/x").silent("E001");
    }

    #[test]
    fn passes_with_braces_and_where_it_is_expanded() {
        header("0.158.0", "'Bearer ${env:TOKEN}'").silent("E001");
    }

    #[test]
    fn silent_for_escapes_groups_and_expressions() {
        header("0.158.0", "Bearer $$TOKEN").silent("E001");
        Bench::collector("0.158.0", "processors: {transform: {x: '$1 a$ $FOO'}}").silent("E001");
    }

    #[test]
    fn what_was_meant_can_be_written() {
        let yaml = |value: &str| format!("exporters:\n  otlp_http:\n    endpoint: \"http://{value}:4318\" # mine\n");
        let bench = Bench::collector("0.105.0", &yaml("$HOST_NAME").replace("otlp_http", "otlphttp"));
        let after = yaml("${env:HOST_NAME}").replace("otlp_http", "otlphttp");
        assert_eq!(bench.fixed("E001", &after), Applicability::Unsafe);
        let braces = |value: &str| format!("exporters: {{otlphttp: {{endpoint: {value}, compression: none}}}}\n");
        let bench = Bench::collector("0.105.0", &braces("$GATEWAY"));
        assert_eq!(bench.fixed("E001", &braces("\"${env:GATEWAY}\"")), Applicability::Unsafe);
        let bench = Bench::collector("0.158.0", &yaml("${1}"));
        assert_eq!(bench.fixed("E001", &yaml("$${1}")), Applicability::Safe);
    }
}
