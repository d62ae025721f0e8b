use telstack_catalog::otelcol::Trait;
use telstack_diagnostics::{RuleInfo, Severity};
use telstack_syntax::tree::Kind;
use telstack_system::{Known, Value};

use crate::{Cx, Rule, facts::Part};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        code: "P007",
        name: "no-default-route",
        severity: Severity::Warning,
        summary: "Data that fits no route is dropped, or a redaction takes every attribute away.",
        why: "What none of the conditions of a routing connector fits is dropped without a word, unless \
              `default_pipelines` say where it goes. A redaction without a list of keys allows none.",
        bad: r#"collector "gateway" {
    receiver "otlp"
    connector "routing" {
        table { - { context "resource"; condition "attributes[\"env\"] == \"prod\""; pipelines "traces/prod" } }
    }
    pipeline "traces" { from "otlp"; to "routing" }
    pipeline "traces/prod" { from "routing"; to "tempo" }
}"#,
        good: r#"collector "gateway" {
    receiver "otlp"
    connector "routing" {
        default_pipelines "traces/prod"
        table { - { context "resource"; condition "attributes[\"env\"] == \"prod\""; pipelines "traces/prod" } }
    }
    pipeline "traces" { from "otlp"; to "routing" }
    pipeline "traces/prod" { from "routing"; to "tempo" }
}"#,
        silent: "A condition takes everything, or says what it does not take (`not`, `!=`): then the routes may well \
                 cover all. Drop on purpose with a default pipeline that ends in `nop`.",
        sources: &[
            "https://github.com/open-telemetry/opentelemetry-collector-contrib/tree/main/connector/routingconnector",
            "https://github.com/open-telemetry/opentelemetry-collector-contrib/tree/main/processor/redactionprocessor",
        ],
    },
    check,
};

const DEFAULT: &str = "default_pipelines";
const ALLOW_ALL: &str = "allow_all_keys";
const ALLOWED: &str = "allowed_keys";

fn check(cx: &mut Cx<'_>) {
    for part in cx.facts.parts.iter().filter(|part| part.runs()) {
        if part.has(Trait::Routes) {
            routes(cx, part);
        } else if part.has(Trait::KeepsListed) {
            keeps_nothing(cx, part);
        }
    }
}

fn routes(cx: &mut Cx<'_>, part: &Part<'_>) {
    let table = part.component.setting("table").and_then(Value::as_seq).unwrap_or_default();
    let defaults = part.component.setting(DEFAULT);
    let given =
        defaults.is_some_and(|it| it.as_seq().is_none_or(|it| !it.is_empty()) && !matches!(it.kind, Kind::Null));
    if given || table.is_empty() || !table.iter().all(is_narrow) {
        return;
    }
    let Some(last) = table.last() else { return };
    let message = format!("{} drops what fits none of its routes", part.title());
    let finding = cx
        .finding(message, &part.component.origin, format!("no `{DEFAULT}`"))
        .label(last.mark.span(), "the last route")
        .help(format!("say where the rest goes: `{DEFAULT}`"));
    cx.report(finding);
}

/// Is it a route by conditions that look for something only?
fn is_narrow(route: &Value) -> bool {
    let text = |key: &str| route.at(key).and_then(Value::as_str);
    let Some(condition) = text("condition").or_else(|| text("statement")) else { return false };
    let words = || condition.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    // `route()` alone, and `true`, take everything.
    let looks = condition.contains(['=', '<', '>']) || condition.contains("IsMatch");
    looks && !condition.contains("!=") && !condition.contains('$') && !words().any(|it| it == "not")
}

fn keeps_nothing(cx: &mut Cx<'_>, part: &Part<'_>) {
    let all = part.component.truth(ALLOW_ALL);
    if all.is_unknown() || all == Known::Value(true) {
        return;
    }
    let listed = part.component.setting(ALLOWED);
    if listed.is_some_and(|it| it.as_seq().is_none_or(|it| !it.is_empty()) && !matches!(it.kind, Kind::Null)) {
        return;
    }
    let finding = cx
        .finding(format!("{} takes every attribute away", part.title()), &part.component.origin, "allows no keys")
        .help(format!("list the keys to keep: `{ALLOWED}`"))
        .help(format!("to keep all of them and only mask values, set `{ALLOW_ALL}: true`"));
    cx.report(finding);
}

#[cfg(test)]
mod tests {
    use crate::test_support::Bench;

    fn routing(settings: &str) -> Bench {
        Bench::collector(
            "0.140.0",
            &format!(
                "connectors: {{routing: {{{settings}}}}}\n\
                 service: {{pipelines: {{traces: {{receivers: [otlp], exporters: [routing]}}, \
                 traces/a: {{receivers: [routing], exporters: [debug]}}}}}}"
            ),
        )
    }

    fn redaction(settings: &str) -> Bench {
        Bench::collector(
            "0.140.0",
            &format!(
                "processors: {{redaction: {{{settings}}}}}\n\
                 service: {{pipelines: {{traces: {{receivers: [otlp], processors: [redaction]}}}}}}"
            ),
        )
    }

    const PROD: &str = "{condition: 'attributes[\"env\"] == \"prod\"', pipelines: [traces/a]}";

    #[test]
    fn warns_where_the_rest_is_dropped() {
        routing(&format!("table: [{PROD}]")).finds("P007", "routing");
        let statement = "{statement: 'route() where attributes[\"env\"] == \"prod\"', pipelines: [traces/a]}";
        routing(&format!("default_pipelines: [], table: [{statement}]")).finds("P007", "routing");
    }

    #[test]
    fn warns_where_nothing_is_kept() {
        redaction("blocked_values: ['4[0-9]{12}']").finds("P007", "redaction");
    }

    #[test]
    fn passes_with_a_way_for_the_rest() {
        routing(&format!("default_pipelines: [traces/a], table: [{PROD}]")).silent("P007");
        redaction("allow_all_keys: true").silent("P007");
        redaction("allowed_keys: [id]").silent("P007");
    }

    #[test]
    fn silent_where_the_routes_may_cover_all() {
        let rest = "{condition: 'attributes[\"env\"] != \"prod\"', pipelines: [traces/a]}";
        routing(&format!("table: [{PROD}, {rest}]")).silent("P007");
        routing(&format!("table: [{PROD}, {{condition: 'true', pipelines: [traces/a]}}]")).silent("P007");
        routing(&format!("table: [{PROD}, {{statement: 'route()', pipelines: [traces/a]}}]")).silent("P007");
        redaction("allow_all_keys: '${env:ALL}'").silent("P007");
    }
}
