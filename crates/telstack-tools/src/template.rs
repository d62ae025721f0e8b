//! Texts that become what they are for only when something fills them in.

use telstack_diagnostics::SourceMap;
use telstack_syntax::yaml;

use crate::without_definitions;

/// What ytt reads stands in remarks of YAML that start like this.
const YTT: &str = "#@";
/// What follows there at the start of a line: a module of ytt's, or a statement.
const YTT_MODULES: [&str; 5] = ["data/", "overlay/", "schema/", "yaml/", "library/"];
const YTT_STATEMENTS: [&str; 6] = ["load(", "if ", "if/end ", "for ", "for/end ", "def "];
/// Words in the name of a file that others fill in.
const NAMES: [&str; 3] = ["template", "tmpl", "tpl"];
/// What is filled in in the manner of a shell.
const OPENS: &str = "${";

/// Is it a template, and nothing to judge before it is filled in? That of ytt is YAML, in which all that it fills in is
/// missing; others are none. What is filled in in the manner of a shell counts in a file that is named a template.
pub fn is_template(name: &str, text: &str) -> bool {
    if text.contains(YTT) && text.lines().any(is_of_ytt) {
        return true;
    }
    let filled_in =
        |line: &str| line.trim().strip_prefix(OPENS).is_some_and(|rest| rest.find('}') == rest.len().checked_sub(1));
    let marked = text.contains("{{") || text.contains("{%") || text.lines().any(filled_in);
    let named = || {
        let name = name.rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
        NAMES.iter().any(|word| name.contains(word)) && text.contains(OPENS)
    };
    if marked {
        return !is_yaml(&without_definitions(text));
    }
    named() && !is_yaml(&without_definitions(text)) && is_yaml(&without_definitions(&substituted(text)))
}

fn is_yaml(text: &str) -> bool {
    yaml::read(SourceMap::default().add("", ""), text).is_ok()
}

/// Does ytt read something in a line: a statement, or a value?
fn is_of_ytt(line: &str) -> bool {
    let Some((before, told)) = line.split_once(YTT) else { return false };
    let before = before.trim();
    if !before.is_empty() {
        return told.starts_with(' ') && !before.starts_with('#') && (before.ends_with(':') || before == "-");
    }
    let statement = told.trim_start();
    YTT_MODULES.iter().any(|it| told.starts_with(it)) || YTT_STATEMENTS.iter().any(|it| statement.starts_with(it))
}

/// A text with a word where a variable is filled in.
fn substituted(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once(OPENS) {
        let Some((_, after)) = behind.split_once('}') else { break };
        out.push_str(before);
        out.push('x');
        rest = after;
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ytt_fills_in() {
        for text in [
            "exporters:\n  otlp:\n    endpoint: #@ data.values.endpoint\n",
            "a:\n- #@ data.values.item\n",
            "#@ load(\"@ytt:data\", \"data\")\na: 1\n",
            "#@data/values\n---\na: 1\n",
            "a: 1\n#@ if data.values.more:\nb: 2\n#@ end\n",
            "#@overlay/match missing_ok=True\na: 1\n",
        ] {
            assert!(is_template("a.yaml", text), "{text}");
        }
        // Remarks and texts like it.
        for text in ["a: 1 #@ me\n", "#@me\na: 1\n", "#@ see there\na: 1\n", "a: x#@y\n", "a: \"#@ x\"\n"] {
            assert!(!is_template("a.yaml", text), "{text}");
        }
    }

    #[test]
    fn what_a_shell_fills_in() {
        let list = "a: [${IDS}]\n";
        assert!(is_template("d/prometheus-template.yml", list) && is_template("p.yml.tmpl", list));
        assert!(!is_template("template/prometheus.yml", list), "only the folder is named so");
        assert!(!is_template("prometheus.yml", list));
        // It is YAML already, or not even then.
        assert!(!is_template("a-template.yml", "a: ${ID}\n"));
        assert!(!is_template("a-template.yml", "a: b: ${ID}\n"));
        assert!(!is_template("a-template.yml", "a: [${ID\n"));
    }
}
