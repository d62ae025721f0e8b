//! What a code means, as a page.

use std::fmt::Write as _;

use crate::RuleInfo;

/// The documentation of a code as Markdown: its page in `docs/rules`, and what `telstack explain` prints.
pub fn rule_page(rule: &RuleInfo) -> String {
    let mut text = format!("# {} `{}`\n\n**{}** · {}\n\n", rule.code, rule.name, rule.severity, rule.summary);
    let mut section = |title: &str, body: &str| {
        if !body.trim().is_empty() {
            let _ = write!(text, "## {title}\n\n{}\n\n", body.trim_end());
        }
    };
    section("Why it matters", rule.why);
    section("Reported", &fenced(rule.bad));
    section("Put right", &fenced(rule.good));
    section("Says nothing when", rule.silent);
    let entry =
        |source: &&str| if source.starts_with("http") { format!("- <{source}>") } else { format!("- {source}") };
    let sources: Vec<String> = rule.sources.iter().map(entry).collect();
    section("Sources", &sources.join("\n"));
    format!("{}\n", text.trim_end())
}

/// The example in a fence of its own language.
fn fenced(example: &str) -> String {
    if example.trim().is_empty() {
        return String::new();
    }
    let yaml = example.lines().next().is_some_and(|line| {
        let key = line.split(':').next().unwrap_or_default();
        line.contains(':') && !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    });
    let toml = example.lines().next().is_some_and(|line| line.starts_with('[') || line.contains(" = "));
    let language = if yaml {
        "yaml"
    } else if toml {
        "toml"
    } else {
        "kdl"
    };
    format!("```{language}\n{}\n```", example.trim_end())
}
