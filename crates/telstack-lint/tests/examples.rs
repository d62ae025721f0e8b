//! What the docs of rules say is reported is, and what they say is right is not.

use telstack_diagnostics::{Diagnostics, Severity, SourceMap};
use telstack_lang::{Loaded, Loader};

struct NoFiles;

impl Loader for NoFiles {
    fn load(&self, _: &str, path: &str) -> Result<Loaded, String> {
        Err(format!("{path} is not there"))
    }
}

/// A stack around an example: what it leaves out because every reader can guess it.
fn stack(example: &str) -> String {
    let (versions, rest): (Vec<&str>, Vec<&str>) = example.lines().partition(|line| line.starts_with("versions"));
    let rest = rest.join("\n");
    let word = rest.split([' ', '{']).next().unwrap_or_default();
    let id = rest.split('"').nth(1).unwrap_or_default();
    let signal = if id.starts_with("prometheus") { "metrics" } else { "traces" };
    let body = match word {
        "exporter" => format!("receiver \"otlp\"\n{rest}\npipeline \"{signal}\" {{ from \"otlp\"; to \"{id}\" }}"),
        "receiver" => {
            format!("{rest}\nexporter \"debug\"\npipeline \"{signal}\" {{ from \"{id}\"; to \"debug\" }}")
        }
        "processor" => format!(
            "receiver \"otlp\"\n{rest}\nexporter \"debug\"\npipeline \"{signal}\" {{ from \"otlp\"; to \"debug\" }}"
        ),
        _ => String::new(),
    };
    let body = if body.is_empty() { rest } else { format!("collector \"it\" {{\n{body}\n}}") };
    let declared = |name: &str| body.lines().any(|line| line.starts_with(name));
    let stores = ["prometheus", "loki", "tempo"].into_iter().filter(|name| !declared(name));
    let stores: Vec<&str> = stores.collect();
    format!("stack \"example\" {{\nplatform \"compose\"\n{}\n{body}\n{}\n}}\n", versions.join("\n"), stores.join("\n"))
}

fn codes(text: &str) -> Vec<(&'static str, Severity, String)> {
    let (mut sources, mut out) = (SourceMap::default(), Diagnostics::default());
    let file = sources.add("example.stack.kdl", text);
    if let Some(mut system) = telstack_lang::lower(file, &mut sources, &NoFiles, &mut out) {
        telstack_system::passes::run(&mut system, &mut out);
        telstack_lint::check(&system, &mut out);
    }
    out.sorted(&sources).into_iter().map(|it| (it.rule.code, it.severity, it.message)).collect()
}

/// Examples in the language of another tool cannot be tried here: YAML, and what starts with `# FILE`.
fn is_ours(example: &str) -> bool {
    !example.lines().next().is_some_and(|line| {
        line.starts_with("# ")
            || line.starts_with('{')
            || line.split_once(':').is_some_and(|(key, _)| key.chars().all(|c| c.is_alphanumeric() || c == '_'))
    })
}

#[test]
fn examples_of_rules_are_true() {
    let mut lies = Vec::new();
    for rule in telstack_lint::RULES.iter().filter(|rule| is_ours(rule.bad)) {
        let (bad, good) = (codes(&stack(rule.bad)), codes(&stack(rule.good)));
        if !bad.iter().any(|(code, ..)| *code == rule.code) {
            lies.push(format!("{}: the bad example gives {bad:?}", rule.code));
        }
        if good.iter().any(|(code, severity, _)| *code == rule.code || *severity == Severity::Error) {
            lies.push(format!("{}: the good example gives {good:?}", rule.code));
        }
    }
    assert!(lies.is_empty(), "{}", lies.join("\n"));
}
