use telstack_catalog::{ComponentKind, otelcol::Trait};
use telstack_diagnostics::{Change, Fix, RuleInfo, Severity};
use telstack_syntax::tree::Kind;
use telstack_system::{NodeId, Reference, Value};

use crate::{
    Cx, Rule,
    facts::{
        Part, Place,
        headers::{self, Wanted},
    },
    repair,
};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        code: "P009",
        name: "include-metadata-off",
        severity: Severity::Error,
        summary: "A value is taken from a header of the request, and the receiver throws headers away.",
        why: "Receivers keep the headers of a request only with `include_metadata: true`. Without it the value is \
              always empty: the tenant is missing, every route is the default one, and nothing is logged.",
        bad: r#"collector "gateway" {
    receiver "otlp"
    processor "attributes" { actions { - { key "tenant"; from_context "metadata.x-tenant"; action "upsert" } } }
    pipeline "traces" { from "otlp"; through "attributes"; to "tempo" }
}"#,
        good: r#"collector "gateway" {
    receiver "otlp" { protocols { grpc { include_metadata #true } } }
    processor "attributes" { actions { - { key "tenant"; from_context "metadata.x-tenant"; action "upsert" } } }
    pipeline "traces" { from "otlp"; through "attributes"; to "tempo" }
}"#,
        silent: "One of the receivers keeps headers, has no such setting, or is a connector; the setting comes from \
                 the environment; the value is one that an authenticator knows (`auth.…`), or has a default.",
        sources: &[
            "https://github.com/open-telemetry/opentelemetry-collector/tree/main/config/confighttp",
            "https://github.com/open-telemetry/opentelemetry-collector-contrib/issues/29271",
            "https://github.com/open-telemetry/opentelemetry-collector-contrib/issues/27901",
        ],
    },
    check,
};

fn check(cx: &mut Cx<'_>) {
    let facts = cx.facts;
    for place in Place::all(cx.system).filter(|place| !place.pipeline.open) {
        let Some(receiver) = without_headers(cx, place) else { continue };
        for (_, part) in place.processors(facts) {
            for wanted in part.map(headers::of_processor).unwrap_or_default() {
                report(cx, wanted, place.id, receiver);
            }
        }
        for (_, part) in place.exporters(facts) {
            let Some(part) = part else { continue };
            let wanted = if part.has(Trait::Routes) {
                conditions(part)
            } else {
                headers::of_exporter(facts, part).map(|(_, wanted)| wanted).unwrap_or_default()
            };
            for wanted in wanted {
                report(cx, wanted, place.id, receiver);
            }
        }
    }
}

/// The first receiver of a pipeline, if surely none of them keeps headers.
fn without_headers<'a>(cx: &Cx<'a>, place: Place<'a>) -> Option<&'a Reference> {
    for reference in &place.pipeline.receivers {
        if headers::are_kept(cx.facts.named(place.id, ComponentKind::Receiver, &reference.id)?)? {
            return None;
        }
    }
    place.pipeline.receivers.first()
}

/// The headers that routes go by: `request["X-Tenant"]`.
fn conditions<'a>(part: &Part<'a>) -> Vec<Wanted<'a>> {
    let table = part.component.setting("table").and_then(Value::as_seq).unwrap_or_default();
    let by_request = |it: &&Value| it.at("context").and_then(Value::as_str) == Some("request");
    let condition = |it: &'a Value| {
        let value = it.at("condition")?;
        Some(Wanted { header: requested(value)?, at: &value.mark })
    };
    table.iter().filter(by_request).filter_map(condition).collect()
}

fn requested(value: &Value) -> Option<&str> {
    let Kind::String(text) = &value.kind else { return None };
    let rest = text.split_once("request[")?.1;
    Some(rest.split_once(']')?.0.trim_matches(['"', '\'']))
}

/// The setting that keeps headers.
const KEEP: &str = "include_metadata";

fn report(cx: &mut Cx<'_>, wanted: Wanted<'_>, collector: NodeId, receiver: &Reference) {
    let message = format!("the header `{}` is never there: `{}` throws headers away", wanted.header, receiver.id);
    let finding =
        cx.finding(message, wanted.at, "always empty").label(receiver.origin.span(), "keeps no headers").help(format!(
            "set `include_metadata: true` beside the address of `{}`, for each of its protocols",
            receiver.id
        ));
    let change = keep(cx, collector, receiver);
    let fix = change.map(|it| Fix::safe(format!("keep headers in `{}`", receiver.id), it));
    cx.report_once(repair::with(finding, fix));
}

/// Every protocol of a receiver keeps headers.
fn keep(cx: &Cx<'_>, collector: NodeId, receiver: &Reference) -> Option<Vec<Change>> {
    let part = cx.facts.named(collector, ComponentKind::Receiver, &receiver.id)?;
    let (component, (fact, version)) = (part.component, part.usable()?);
    let tree = fact.settings(version)?;
    let mut changes = Vec::new();
    for listen in fact.listens(version) {
        let block = listen.setting.rsplit_once('.').map_or("", |(block, _)| block);
        let path = if block.is_empty() { KEEP.to_owned() } else { format!("{block}.{KEEP}") };
        // A protocol that is not written is not open.
        let written = block.is_empty() || component.settings.at(block).is_some();
        if written && tree.at(&path).is_some() {
            changes.extend(repair::set(&component.origin, &component.settings, &path, "true")?);
        }
    }
    (!changes.is_empty()).then_some(changes)
}

#[cfg(test)]
mod tests {
    use telstack_diagnostics::{Applicability, Severity};

    use crate::test_support::Bench;

    fn reads(receiver: &str, rest: &str) -> Bench {
        Bench::collector(
            "0.140.0",
            &format!(
                "receivers: {{otlp: {{protocols: {receiver}}}, filelog: {{include: [/a]}}}}\n\
                 extensions: {{headers_setter: {{headers: [{{key: X-Scope-OrgID, from_context: x-tenant}}]}}}}\n\
                 processors: {{attributes: {{actions: [{{key: t, from_context: metadata.x-one, action: upsert}}]}}}}\n\
                 connectors: {{routing: {{default_pipelines: [traces/a], table: [{{context: request, \
                 condition: 'request[\"X-Two\"] == \"a\"', pipelines: [traces/a]}}]}}}}\n\
                 exporters: {{otlp: {{endpoint: 'a:1', auth: {{authenticator: headers_setter}}}}}}\n\
                 service: {{extensions: [headers_setter], pipelines: {{traces: {{{rest}}}}}}}"
            ),
        )
    }

    const OFF: &str = "{grpc: {endpoint: '0.0.0.0:4317'}}";

    #[test]
    fn fails_for_processors_exporters_and_routes() {
        let found = reads(OFF, "receivers: [otlp], processors: [attributes]").finds("P009", "metadata.x-one");
        assert_eq!(found, Severity::Error);
        reads(OFF, "receivers: [otlp], exporters: [otlp]").finds("P009", "x-tenant");
        reads(OFF, "receivers: [otlp], exporters: [routing]").finds("P009", "'request[\"X-Two\"] == \"a\"'");
    }

    #[test]
    fn passes_where_headers_are_kept() {
        let on = "{grpc: , http: {include_metadata: true}}";
        reads(on, "receivers: [otlp], processors: [attributes], exporters: [otlp, routing]").silent("P009");
    }

    #[test]
    fn silent_when_it_is_not_known() {
        for receiver in ["{grpc: {include_metadata: '${env:X}'}}", "'${file:p.yaml}'", "{grpc: '${file:p.yaml}'}"] {
            reads(receiver, "receivers: [otlp], processors: [attributes]").silent("P009");
        }
        reads(OFF, "receivers: [otlp, filelog], processors: [attributes]").silent("P009");
        reads(OFF, "receivers: [routing], processors: [attributes]").silent("P009");
    }

    #[test]
    fn headers_can_be_kept() {
        let otel = |protocols: &str| {
            format!(
                "receivers:\n  otlp:\n    protocols:\n{protocols}processors: {{attributes: {{actions: [{{key: t, from_context: \
                 metadata.x-one, action: upsert}}]}}}}\nexporters: {{debug: }}\nservice: {{pipelines: {{traces: {{receivers: \
                 [otlp], processors: [attributes], exporters: [debug]}}}}}}\n"
            )
        };
        let before = otel("      grpc: # all\n      http:\n        endpoint: 'a:1' # one\n");
        let after = otel(
            "      grpc: # all\n        include_metadata: true\n      http:\n        endpoint: 'a:1' # one\n        \
             include_metadata: true\n",
        );
        assert_eq!(Bench::collector("0.140.0", &before).fixed("P009", &after), Applicability::Safe);
    }
}
