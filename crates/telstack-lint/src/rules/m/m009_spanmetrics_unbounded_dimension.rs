use telstack_catalog::otelcol::{self, Trait};
use telstack_diagnostics::{RuleInfo, Severity};
use telstack_syntax::tree::Kind;
use telstack_system::Value;

use crate::{
    Cx, Rule,
    facts::{Part, Place},
};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        code: "M009",
        name: "spanmetrics-unbounded-dimension",
        severity: Severity::Warning,
        summary: "A connector makes a series for each value of an attribute that has no end of values.",
        why: "Addresses, ids and texts differ from request to request: each is a new series, in the memory of the \
              collector and in the store. The collector grows until it is killed, and the store refuses series.",
        bad: r#"collector "gateway" {
    receiver "otlp"
    connector "span_metrics" { dimensions { - name="http.route"; - name="user.id" } }
    pipeline "traces" { from "otlp"; to "span_metrics" "tempo" }
    pipeline "metrics" { from "span_metrics"; to "prometheus" }
}"#,
        good: r#"collector "gateway" {
    receiver "otlp"
    connector "span_metrics" { dimensions { - name="http.route" } }
    pipeline "traces" { from "otlp"; to "span_metrics" "tempo" }
    pipeline "metrics" { from "span_metrics"; to "prometheus" }
}"#,
        silent: "The number of series is limited (`aggregation_cardinality_limit`); a processor before the connector \
                 rewrites the attribute. Only attributes of the semantic conventions are known; nobody knows your own.",
        sources: &[
            "https://github.com/open-telemetry/opentelemetry-collector-contrib/issues/35449",
            "https://github.com/open-telemetry/opentelemetry-collector-contrib/tree/main/connector/spanmetricsconnector",
        ],
    },
    check,
};

const LIMIT: &str = "aggregation_cardinality_limit";
/// What a connector calls its dimensions, and the key of each that names an attribute.
const LISTS: [(&str, &str); 2] = [("dimensions", "name"), ("attributes", "key")];

fn check(cx: &mut Cx<'_>) {
    let facts = cx.facts;
    for part in facts.parts.iter().filter(|part| part.has(Trait::CountsByAttributes) && part.runs()) {
        let limited = part.component.setting(LIMIT).is_some_and(|it| it.as_int() != Some(0));
        if limited {
            continue;
        }
        let mut named = Vec::new();
        attributes(&part.component.settings, &mut named);
        for (attribute, value) in named {
            if !otelcol::is_unbounded(attribute) || rewritten(cx, part, attribute) {
                continue;
            }
            let message = format!("{} makes a series for each `{attribute}`", part.title());
            let mut finding = cx
                .finding(message, &value.mark, "no end of values")
                .help("leave it out, or use an attribute with few values, such as `http.route`");
            if part.knows(LIMIT) {
                finding = finding.help(format!("limit the number of series: `{LIMIT}`"));
            }
            cx.report(finding);
        }
    }
}

/// The attributes that settings make dimensions of.
fn attributes<'a>(value: &'a Value, found: &mut Vec<(&'a str, &'a Value)>) {
    match &value.kind {
        Kind::Map(map) => {
            for entry in map {
                let list = LISTS.iter().find(|(list, _)| *list == entry.key);
                match list.and_then(|(_, key)| Some((key, entry.value.as_seq()?))) {
                    Some((key, items)) => found.extend(items.iter().filter_map(|item| {
                        let name = item.at(key)?;
                        Some((name.as_str()?, name))
                    })),
                    None => attributes(&entry.value, found),
                }
            }
        }
        Kind::Seq(seq) => seq.items.iter().for_each(|item| attributes(item, found)),
        _ => {}
    }
}

/// Does a processor before the connector say anything about the attribute?
fn rewritten(cx: &Cx<'_>, part: &Part<'_>, attribute: &str) -> bool {
    let feeds =
        |place: &Place<'_>| place.id == part.id && place.pipeline.exporters.iter().any(|it| it.id == part.component.id);
    Place::all(cx.system).filter(feeds).any(|place| {
        let mut processors = place.processors(cx.facts);
        processors.any(|(_, part)| {
            part.is_none_or(|it| it.has(Trait::Rewrites) && mentions(&it.component.settings, attribute))
        })
    })
}

/// Does a text in these settings mention a word?
pub(crate) fn mentions(value: &Value, word: &str) -> bool {
    match &value.kind {
        Kind::String(text) => text.contains(word),
        Kind::Seq(seq) => seq.items.iter().any(|item| mentions(item, word)),
        Kind::Map(map) => map.iter().any(|entry| mentions(&entry.value, word)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use crate::test_support::Bench;

    fn metrics(connector: &str, processors: &str) -> Bench {
        let name = connector.split_once(':').map_or(connector, |(name, _)| name);
        Bench::collector(
            "0.158.0",
            &format!(
                "processors: {{transform: {{trace_statements: ['replace_pattern(span.attributes[\"user.id\"], \".*\", \"x\")']}}}}\n\
                 connectors: {{{connector}}}\n\
                 service: {{pipelines: {{traces: {{receivers: [otlp], processors: [{processors}], exporters: [{name}]}}, \
                 metrics: {{receivers: [{name}], exporters: [debug]}}}}}}"
            ),
        )
    }

    #[test]
    fn warns_of_attributes_without_end() {
        metrics("span_metrics: {dimensions: [{name: http.route}, {name: user.id}]}", "").finds("M009", "user.id");
        metrics("count: {spans: {a.b: {attributes: [{key: url.full}]}}}", "").finds("M009", "url.full");
    }

    #[test]
    fn passes_on_others() {
        metrics("span_metrics: {dimensions: [{name: http.route}]}", "").silent("M009");
    }

    #[test]
    fn silent_when_limited_or_rewritten() {
        let user = "dimensions: [{name: user.id}]";
        metrics(&format!("span_metrics: {{aggregation_cardinality_limit: 1000, {user}}}"), "").silent("M009");
        metrics(&format!("span_metrics: {{{user}}}"), "transform").silent("M009");
    }
}
