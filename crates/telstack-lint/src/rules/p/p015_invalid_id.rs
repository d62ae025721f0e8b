use telstack_catalog::{Version, otelcol};
use telstack_diagnostics::{RuleInfo, Severity};
use telstack_system::{ComponentId, Origin, expansion};

use super::p002_extension_reference_not_enabled::references;
use crate::{Cx, Rule, words::is_reference};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        code: "P015",
        name: "invalid-id",
        severity: Severity::Error,
        summary: "The id of a component or a pipeline is not one: a part of it is missing or holds other characters.",
        why: "An id is a type, or a type, a slash and a name. The collector does not start with anything else: `the \
              part after / should not be empty`, `invalid character(s) in name`. References are not replaced in ids.",
        bad: "processors: {batch/: {}}",
        good: "processors: {batch/slow: {}}",
        silent: "Blanks around the parts, which are cut off; other characters before 0.106.0.",
        sources: &["https://github.com/open-telemetry/opentelemetry-collector/blob/main/component/identifiable.go"],
    },
    check,
};

fn check(cx: &mut Cx<'_>) {
    let mut found: Vec<(String, &Origin, &'static str)> = Vec::new();
    for (_, node, collector) in cx.system.collectors() {
        let Some(version) = node.version() else { continue };
        for component in &collector.components {
            found.extend(fault(&component.id, version).map(|it| (component.id.to_string(), &component.origin, it)));
        }
        for pipeline in &collector.pipelines {
            let id = ComponentId::new(pipeline.signal.as_str(), pipeline.name.as_deref());
            found.extend(fault(&id, version).map(|it| (id.to_string(), &pipeline.origin, it)));
            let lists = [&pipeline.receivers, &pipeline.processors, &pipeline.exporters];
            for reference in lists.into_iter().flatten() {
                found.extend(fault(&reference.id, version).map(|it| (reference.id.to_string(), &reference.origin, it)));
            }
        }
        for reference in &collector.extensions {
            found.extend(fault(&reference.id, version).map(|it| (reference.id.to_string(), &reference.origin, it)));
        }
    }
    for part in &cx.facts.parts {
        let Some((_, version)) = part.usable() else { continue };
        for (_, value) in references(part) {
            let id = value.as_str().and_then(expansion::literal).map(|text| ComponentId::parse(&text));
            found.extend(id.and_then(|id| Some((id.to_string(), &value.mark, fault(&id, version)?))));
        }
    }
    for (id, at, what) in found {
        let finding = cx.finding(format!("`{id}` is no id: {what}"), at, "not an id");
        cx.report_once(finding.help("write a type, or a type, a slash and a name: `batch`, `batch/slow`"));
    }
}

/// What is wrong with an id.
pub(crate) fn fault(id: &ComponentId, version: Version) -> Option<&'static str> {
    let strict = otelcol::checks_ids(version);
    let odd = |c: char| c.is_whitespace() || c.is_control() || "$+<=>^`|~".contains(c);
    let letters = |c: char| c.is_ascii_alphanumeric() || c == '_';
    match &id.name {
        _ if expansion::is_placeholder(&id.to_string()) => None,
        _ if id.ty.is_empty() => Some("it has no type"),
        Some(name) if name.is_empty() => Some("nothing stands behind the slash"),
        _ if is_reference(&id.ty) => Some("references are not replaced in ids"),
        _ if strict && !(id.ty.starts_with(|c: char| c.is_ascii_alphabetic()) && id.ty.chars().all(letters)) => {
            Some("a type has letters, digits and underscores only")
        }
        Some(name) if strict && name.chars().any(odd) => Some("a name has neither blanks nor symbols"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use crate::test_support::Bench;

    fn processor(id: &str) -> Bench {
        Bench::collector("0.158.0", &format!("processors: {{'{id}': }}"))
    }

    #[test]
    fn fails_on_what_is_missing_or_odd() {
        for id in ["batch/", "/slow", "batch/a b", "batch-x", "1batch", "batch/ ", "${env:TYPE}"] {
            processor(id).finds("P015", &format!("'{id}'"));
        }
    }

    #[test]
    fn fails_where_it_is_named() {
        Bench::collector("0.158.0", "service: {pipelines: {'logs/': }}").finds("P015", "'logs/'");
        Bench::collector("0.158.0", "service: {extensions: [zpages/]}").finds("P015", "zpages/");
        let yaml = "exporters: {otlp_http: {endpoint: 'http://a:1', sending_queue: {storage: ''}}}";
        Bench::collector("0.158.0", yaml).finds("P015", "''");
    }

    #[test]
    fn passes_on_any_letters_in_a_name() {
        for id in ["batch", "batch/a/b", "batch/ü.1-x", " batch / slow "] {
            processor(id).silent("P015");
        }
    }

    #[test]
    fn silent_where_names_were_free() {
        Bench::collector("0.100.0", "processors: {'batch/a b': }").silent("P015");
    }
}
