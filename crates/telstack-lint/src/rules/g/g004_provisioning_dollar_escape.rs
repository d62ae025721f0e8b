use telstack_diagnostics::{Fix, RuleInfo, Severity};
use telstack_syntax::tree::Kind;
use telstack_system::{Node, Value};

use crate::{Cx, Rule, repair};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        code: "G004",
        name: "provisioning-dollar-escape",
        severity: Severity::Error,
        summary: "A `$` in a provisioning file of Grafana is meant for Grafana's own variables, and is taken for one \
                  of the environment.",
        why: "Files of data sources and dashboard providers are filled in from the environment before they are read: \
              `${__value.raw}` becomes nothing, and the link to the trace is broken. A `$` that is to stay is `$$`.",
        bad: r"jsonData: {derivedFields: [{name: trace, matcherRegex: 'trace_id=(\w+)', url: '${__value.raw}', datasourceUid: tempo}]}",
        good: r"jsonData: {derivedFields: [{name: trace, matcherRegex: 'trace_id=(\w+)', url: '$${__value.raw}', datasourceUid: tempo}]}",
        silent: "The variable is there, or nobody knows which there are; `$__file{…}`, `$__env{…}` and `$__vault{…}`; \
                 the JSON of dashboards, which is not filled in. All but `${__…}` is a warning.",
        sources: &[
            "https://grafana.com/docs/grafana/latest/administration/provisioning/#using-environment-variables",
            "https://github.com/grafana/grafana/issues/17986",
            "https://github.com/grafana/grafana/issues/63651",
        ],
    },
    check,
};

/// The roles of files that are filled in.
const FILLED: [&str; 2] = ["datasources", "dashboards"];
/// What Grafana itself looks up.
const LOOKED_UP: [&str; 3] = ["__file", "__env", "__vault"];
/// What starts the names of Grafana's own variables.
const OWN: &str = "__";

fn check(cx: &mut Cx<'_>) {
    for (_, node) in cx.system.nodes().filter(|(_, node)| node.viewer().is_some()) {
        for file in node.written.iter().filter(|it| FILLED.contains(&it.role)) {
            walk(cx, node, &file.document);
        }
    }
}

fn walk(cx: &mut Cx<'_>, node: &Node, value: &Value) {
    match &value.kind {
        Kind::Seq(seq) => seq.items.iter().for_each(|item| walk(cx, node, item)),
        Kind::Map(map) => map.iter().for_each(|entry| walk(cx, node, &entry.value)),
        Kind::String(text) => {
            for variable in variables(text) {
                judge(cx, node, value, &variable);
            }
        }
        _ => {}
    }
}

/// A variable in a text.
#[derive(PartialEq, Eq, Debug)]
struct Variable<'t> {
    /// As it is written.
    text: &'t str,
    name: &'t str,
    braces: bool,
}

/// The variables of a text that the environment is asked for.
fn variables(text: &str) -> Vec<Variable<'_>> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(start) = text[at..].find('$').map(|it| at + it) {
        let rest = &text[start + 1..];
        if rest.starts_with('$') {
            at = start + 2;
            continue;
        }
        let in_braces = rest.strip_prefix('{').and_then(|inner| Some(&inner[..inner.find('}')?]));
        let bare = || {
            // A digit is a name of its own.
            let longest = if rest.starts_with(|c: char| c.is_ascii_digit()) { 1 } else { rest.len() };
            let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
            &rest[..end.min(longest)]
        };
        let name = in_braces.unwrap_or_else(bare);
        let length = name.len() + if in_braces.is_some() { 2 } else { 0 };
        at = start + 1 + length;
        if !name.is_empty() && !LOOKED_UP.contains(&name) {
            found.push(Variable { text: &text[start..at], name, braces: rest.starts_with('{') });
        }
    }
    found
}

fn judge(cx: &mut Cx<'_>, node: &Node, value: &Value, variable: &Variable<'_>) {
    let Variable { text, name, braces } = *variable;
    let own = name.starts_with(OWN) || name.bytes().all(|it| it.is_ascii_digit());
    let container = node.container.as_ref();
    let given = container.is_some_and(|it| it.env.iter().any(|it| it.name == name));
    let sure = container.is_some_and(|it| !it.gaps.env);
    if given || !(own || sure) {
        return;
    }
    let message = if own {
        format!("`{text}` is for Grafana, and the environment is asked for it: nothing is left of it")
    } else {
        format!("`{text}` becomes nothing: `{}` has no variable `{name}`", node.name)
    };
    let escaped = format!("${text}");
    let severity = if own && braces && name.starts_with(OWN) { Severity::Error } else { Severity::Warning };
    let finding = cx.finding(message, &value.mark, "filled in before it is read").severity(severity);
    let finding = finding.help(format!("write `{escaped}`, if it is to stay"));
    let change = repair::word(&value.mark, text, &escaped)
        .filter(|_| own && value.as_str().is_some_and(|it| it.matches('$').count() == 1));
    let fix = change.map(|it| Fix::safe(format!("write `{escaped}`"), it));
    cx.report(repair::with(if own { finding } else { finding.help("or give it the variable") }, fix));
}

#[cfg(test)]
mod tests {
    use telstack_diagnostics::{Applicability, Severity};

    use super::variables;
    use crate::test_support::Bench;

    fn source(url: &str) -> String {
        format!(
            "datasources:\n  - name: Loki\n    type: loki\n    jsonData:\n      derivedFields:\n        - url: '{url}' # trace\n"
        )
    }

    #[test]
    fn fails_on_grafanas_own_variables() {
        let bench = Bench::data_sources(&source("${__value.raw}"));
        assert_eq!(bench.finds("G004", "'${__value.raw}'"), Severity::Error);
        assert_eq!(bench.fixed("G004", &source("$${__value.raw}")), Applicability::Safe);
    }

    #[test]
    fn warns_of_others_that_become_nothing() {
        assert_eq!(Bench::data_sources(&source("a{$__tags}")).finds("G004", "'a{$__tags}'"), Severity::Warning);
        assert_eq!(Bench::data_sources(&source("https://x/$1")).finds("G004", "'https://x/$1'"), Severity::Warning);
        let in_project = |environment: &str| {
            let compose = format!(
                "services:\n  grafana:\n    image: grafana/grafana:12.0.0\n    environment: {environment}\n    volumes: \
                 ['./data.yml:/etc/grafana/provisioning/datasources/data.yml']\n"
            );
            Bench::project(&[("compose.yaml", &compose), ("data.yml", &source("${TOKEN}"))])
        };
        assert_eq!(in_project("{A: b}").finds("G004", "'${TOKEN}'"), Severity::Warning);
        in_project("{TOKEN: b}").silent("G004");
    }

    #[test]
    fn silent_for_what_is_escaped_looked_up_or_not_known() {
        for fine in ["$${__value.raw}", "$__file{/run/x}", "$__env{X}", "${TOKEN}", "^a$", "5 $ each"] {
            Bench::data_sources(&source(fine)).silent("G004");
        }
    }

    #[test]
    fn names_in_texts() {
        let names = |text| variables(text).into_iter().map(|it| it.name.to_owned()).collect::<Vec<_>>();
        assert_eq!(names("$a-${b.c} $$d $$${e} $1x $"), ["a", "b.c", "e", "1"]);
        assert_eq!(names("${open"), Vec::<String>::new());
    }
}
