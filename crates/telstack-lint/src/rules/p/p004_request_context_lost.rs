use telstack_catalog::otelcol::{self, Trait};
use telstack_diagnostics::{Diagnostic, RuleInfo, Severity};
use telstack_system::Origin;

use crate::{
    Cx, Rule,
    facts::{
        Part, Place,
        headers::{self, Wanted},
    },
};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        code: "P004",
        name: "request-context-lost",
        severity: Severity::Error,
        summary: "An exporter hands on a header of the request, and what stands before it has joined many requests.",
        why: "`batch`, `tail_sampling` and `groupbytrace` put data of many requests into one, and so does an exporter \
              that batches. What comes out has no headers: the tenant is empty, and the store refuses the data or \
              keeps all of it under one tenant. Until 0.131.0 a queue on disk forgot them too.",
        bad: r#"collector "gateway" {
    receiver "otlp" { protocols { http { include_metadata #true } } }
    processor "batch"
    extension "headers_setter" { headers { - { key "X-Scope-OrgID"; from_context "x-tenant" } } }
    exporter "otlp_http" { endpoint "https://logs.example/otlp"; auth authenticator="headers_setter" }
    pipeline "logs" { from "otlp"; through "batch"; to "otlp_http" }
}"#,
        good: r#"collector "gateway" {
    receiver "otlp" { protocols { http { include_metadata #true } } }
    processor "batch" { metadata_keys "x-tenant" }
    extension "headers_setter" { headers { - { key "X-Scope-OrgID"; from_context "x-tenant" } } }
    exporter "otlp_http" { endpoint "https://logs.example/otlp"; auth authenticator="headers_setter" }
    pipeline "logs" { from "otlp"; through "batch"; to "otlp_http" }
}"#,
        silent: "The header is among those that batches are kept apart by; it has a default, or is one that an \
                 authenticator knows (`auth.…`); a setting comes from the environment. Processors that read headers \
                 are P003's.",
        sources: &[
            "https://github.com/open-telemetry/opentelemetry-collector/issues/4544",
            "https://github.com/open-telemetry/opentelemetry-collector/pull/13437",
            "https://github.com/open-telemetry/opentelemetry-collector-contrib/issues/29852",
        ],
    },
    check,
};

/// Of `batch`: the headers that batches are kept apart by.
const KEYS: &str = "metadata_keys";
/// The same of an exporter that batches.
const PARTITION: &str = "sending_queue.batch.partition.metadata_keys";

fn check(cx: &mut Cx<'_>) {
    let facts = cx.facts;
    for place in Place::all(cx.system) {
        for (_, exporter) in place.exporters(facts) {
            let Some(exporter) = exporter else { continue };
            let Some((extension, all)) = headers::of_exporter(facts, exporter) else { continue };
            for wanted in all {
                if let Some(finding) = joined(cx, place, wanted).or_else(|| in_exporter(cx, exporter, wanted)) {
                    let taken = format!("{} hands it on", extension.title());
                    cx.report_once(finding.label(wanted.at.span(), taken));
                }
            }
        }
    }
}

fn lost(cx: &Cx<'_>, what: &str, wanted: Wanted<'_>, at: &Origin) -> Diagnostic {
    let message = format!("the header `{}` is lost {what}", wanted.header);
    cx.finding(message, at, "what comes out has no headers")
}

/// Behind the first processor that joins requests.
fn joined(cx: &Cx<'_>, place: Place<'_>, wanted: Wanted<'_>) -> Option<Diagnostic> {
    let mut all = place.processors(cx.facts).filter_map(|(reference, part)| Some((reference, part?)));
    let (reference, part) = all.find(|(_, part)| part.has(Trait::JoinsRequests))?;
    let keeps = part.knows(KEYS);
    if keeps && headers::lists(part, KEYS, wanted.header) != Some(false) {
        return None;
    }
    let finding = lost(
        cx,
        &format!("behind `{}` in pipeline `{}`", reference.id, place.pipeline.id()),
        wanted,
        &reference.origin,
    );
    Some(if keeps {
        finding.help(format!("keep batches apart by it: `{KEYS}: [{}]` of `{}`", wanted.header, reference.id))
    } else {
        finding.help("keep the tenant as an attribute of the data, before this processor, and route by that")
    })
}

/// In an exporter that batches, or whose queue on disk forgets.
fn in_exporter(cx: &Cx<'_>, exporter: &Part<'_>, wanted: Wanted<'_>) -> Option<Diagnostic> {
    let (_, version) = exporter.usable()?;
    if exporter.truth("sending_queue.enabled") != Some(true) {
        return None;
    }
    if let Some(storage) = exporter.component.setting("sending_queue.storage").filter(|it| it.as_str().is_some())
        && !otelcol::queues_keep_context(version)
    {
        let finding = lost(cx, &format!("in the queue on disk of {}", exporter.title()), wanted, &storage.mark);
        return Some(finding.help("keep the queue in memory, or run a release that stores headers with it"));
    }
    let batch = exporter.component.setting("sending_queue.batch").filter(|it| it.as_map().is_some())?;
    let off = batch.at("enabled").is_some_and(|it| it.as_bool() != Some(true));
    if off || !exporter.knows(PARTITION) || headers::lists(exporter, PARTITION, wanted.header) != Some(false) {
        return None;
    }
    let finding = lost(cx, &format!("where {} makes batches", exporter.title()), wanted, &batch.mark);
    Some(finding.help(format!("keep batches apart by it: `{PARTITION}: [{}]`", wanted.header)))
}

#[cfg(test)]
mod tests {
    use telstack_diagnostics::Severity;

    use crate::test_support::Bench;

    fn tenant(version: &str, header: &str, processor: &str, exporter: &str) -> Bench {
        let name = processor.split_once(':').map_or(processor, |(name, _)| name);
        Bench::collector(
            version,
            &format!(
                "extensions: {{headers_setter: {{headers: [{{key: X-Scope-OrgID, {header}}}]}}}}\n\
                 processors: {{{processor}}}\n\
                 exporters: {{otlp: {{endpoint: 'a:1', auth: {{authenticator: headers_setter}}, {exporter}}}}}\n\
                 service: {{extensions: [headers_setter], pipelines: {{\n\
                 traces: {{receivers: [otlp], processors: [{name}], exporters: [otlp]}}}}}}"
            ),
        )
    }

    const FROM: &str = "from_context: x-tenant";

    #[test]
    fn fails_behind_what_joins_requests() {
        assert_eq!(tenant("0.140.0", FROM, "batch: ", "").finds("P004", "batch"), Severity::Error);
        tenant("0.140.0", FROM, "batch: {metadata_keys: [other]}", "").finds("P004", "batch");
        tenant("0.140.0", FROM, "tail_sampling: {policies: []}", "").finds("P004", "tail_sampling");
    }

    #[test]
    fn fails_in_queues_that_forget_and_exporters_that_batch() {
        tenant("0.130.0", FROM, "", "sending_queue: {storage: file_storage}").finds("P004", "file_storage");
        tenant("0.158.0", FROM, "", "sending_queue: {batch: {min_size: 1}}").finds("P004", "{min_size: 1}");
    }

    #[test]
    fn passes_where_it_is_kept() {
        tenant("0.140.0", FROM, "batch: {metadata_keys: [X-Tenant]}", "").silent("P004");
        tenant("0.140.0", FROM, "", "sending_queue: {storage: file_storage}").silent("P004");
        let kept = "sending_queue: {batch: {min_size: 1, partition: {metadata_keys: [x-tenant]}}}";
        tenant("0.158.0", FROM, "", kept).silent("P004");
    }

    #[test]
    fn silent_for_constants_and_what_is_not_known() {
        tenant("0.140.0", "value: a", "batch: ", "").silent("P004");
        tenant("0.140.0", "from_context: auth.tenant", "batch: ", "").silent("P004");
        tenant("0.140.0", "from_context: x-tenant, default_value: a", "batch: ", "").silent("P004");
        tenant("0.140.0", FROM, "batch: {metadata_keys: ['${env:K}']}", "").silent("P004");
    }
}
