//! Lists of one configuration that a later one replaces.

use telstack_diagnostics::{Diagnostic, Diagnostics, RuleInfo, Severity};
use telstack_system::{ComponentId, Value};

pub(crate) static RULE: RuleInfo = RuleInfo {
    code: "E004",
    name: "duplicate-or-null-section",
    severity: Severity::Warning,
    summary: "A configuration given later replaces a list of an earlier one, and some of its items are lost.",
    why: "The collector merges maps and replaces lists. A later `exporters: [file]` of the same pipeline is all that \
          is left of it: what the earlier configuration named there gets nothing any more, without a word.",
    bad: "base.yaml: service: {pipelines: {traces: {receivers: [otlp], exporters: [otlp_grpc, debug]}}}\nover.yaml: service: \
          {pipelines: {traces: {exporters: [file]}}}",
    good: "base.yaml: service: {pipelines: {traces: {receivers: [otlp], exporters: [otlp_grpc, debug]}}}\nover.yaml: \
           service: {pipelines: {traces: {exporters: [otlp_grpc, debug, file]}}}",
    silent: "The feature gate `confmap.enableMergeAppendOption` is on. Keys that stand twice in one file are R002, \
             names of sections that hold nothing P001. Where fewer are meant, a comment says so: `# telstack: \
             ignore[E004] why`.",
    sources: &[
        "https://github.com/open-telemetry/opentelemetry-collector/issues/12645",
        "https://github.com/open-telemetry/opentelemetry-operator/issues/2105",
    ],
};

/// The gate that puts lists behind each other.
pub(super) const APPENDS: &str = "confmap.enableMergeAppendOption";
/// Lists of a pipeline.
const LISTS: [&str; 3] = ["receivers", "processors", "exporters"];

/// Reports the items of lists of pipelines, and of the extensions, that are in none of the later ones: their names.
pub(super) fn report(documents: &[Value], out: &mut Diagnostics) -> Vec<ComponentId> {
    let mut all = Vec::new();
    for (at, over) in documents.iter().enumerate().skip(1) {
        for (path, list) in lists(over) {
            let before = documents[..at].iter().rev().find_map(|it| it.at(&path).filter(|it| it.as_seq().is_some()));
            let Some(before) = before else { continue };
            let here: Vec<&str> = list.as_seq().unwrap_or_default().iter().filter_map(Value::as_str).collect();
            let items = before.as_seq().unwrap_or_default().iter().filter_map(|item| Some((item, item.as_str()?)));
            let lost: Vec<(&Value, &str)> = items.filter(|(_, item)| !here.contains(item)).collect();
            let Some((first, _)) = lost.first() else { continue };
            let names = lost.iter().map(|(_, name)| format!("`{name}`")).collect::<Vec<_>>().join(", ");
            all.extend(lost.iter().map(|(_, name)| ComponentId::parse(name)));
            let mut finding = Diagnostic::new(&RULE, format!("`{path}` loses {names}"))
                .at(list.mark.span(), "replaces the whole list")
                .help(format!(
                    "write them again: `[{}]`",
                    lost.iter().map(|it| it.1).chain(here).collect::<Vec<_>>().join(", ")
                ));
            finding = finding.label(first.mark.span(), "of an earlier configuration, no longer there");
            out.push(finding);
        }
    }
    all
}

/// The lists that a document has, with their paths.
fn lists(document: &Value) -> Vec<(String, &Value)> {
    let is_list = |value: &&Value| value.as_seq().is_some();
    let extensions = document.at("service.extensions").filter(is_list);
    let mut found: Vec<(String, &Value)> =
        extensions.map(|it| ("service.extensions".to_owned(), it)).into_iter().collect();
    let pipelines = document.at("service.pipelines").and_then(Value::as_map);
    for entry in pipelines.into_iter().flatten().filter(|entry| !entry.key.contains('.')) {
        for list in LISTS {
            if let Some(value) = entry.value.at(list).filter(is_list) {
                found.push((format!("service.pipelines.{}.{list}", entry.key), value));
            }
        }
    }
    found
}
