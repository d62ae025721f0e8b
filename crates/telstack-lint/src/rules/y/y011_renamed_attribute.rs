use telstack_catalog::otelcol::{Trait, renamed_attribute};
use telstack_diagnostics::{RuleInfo, Severity};
use telstack_system::Value;

use crate::{Cx, Rule};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        code: "Y011",
        name: "renamed-attribute",
        severity: Severity::Info,
        summary: "A processor sets an attribute by a name that the semantic conventions have replaced, or never had.",
        why: "Dashboards, service maps and links between signals look for today's names; SDKs send them. What is set \
              by the old name stands beside the rest, and is not found with it.",
        bad: "processors: {resource: {attributes: [{key: app_name, value: shop, action: upsert}]}}
service: {pipelines: {traces: {receivers: [otlp], processors: [resource], exporters: [debug]}}}",
        good: "processors: {resource: {attributes: [{key: service.name, value: shop, action: upsert}]}}
service: {pipelines: {traces: {receivers: [otlp], processors: [resource], exporters: [debug]}}}",
        silent: "Actions that take an old name away, or read it; the new name is set as well; processors that nothing \
                 uses; `transform`, whose statements are not read.",
        sources: &["https://opentelemetry.io/docs/specs/semconv/registry/attributes/"],
    },
    check,
};

/// Where the actions stand, by processor.
const LISTS: [&str; 2] = ["attributes", "actions"];
/// Actions that make an attribute.
const MAKES: [&str; 2] = ["insert", "upsert"];

fn check(cx: &mut Cx<'_>) {
    for part in cx.facts.parts.iter().filter(|part| part.has(Trait::SetsAttributes) && part.runs()) {
        let lists = LISTS.iter().filter_map(|list| part.component.setting(list)?.as_seq());
        let actions: Vec<(&Value, &str)> = lists
            .flatten()
            .filter(|it| it.at("action").and_then(Value::as_str).is_some_and(|it| MAKES.contains(&it)))
            .filter_map(|it| it.at("key").and_then(|key| Some((key, key.as_str()?))))
            .collect();
        for (key, name) in &actions {
            let Some(new) = renamed_attribute(name).filter(|new| actions.iter().all(|(_, it)| it != new)) else {
                continue;
            };
            let message = format!("{} sets `{name}`, which is `{new}` now", part.title());
            let finding =
                cx.finding(message, &key.mark, "the name of before, or of nobody else").help(format!("write `{new}`"));
            cx.report_once(finding);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::test_support::Bench;

    fn acts(actions: &str) -> Bench {
        Bench::collector(
            "0.158.0",
            &format!(
                "processors: {{attributes: {{actions: [{actions}]}}}}\n\
                 service: {{pipelines: {{traces: {{receivers: [otlp], processors: [attributes], exporters: [debug]}}}}}}"
            ),
        )
    }

    #[test]
    fn tells_of_old_names() {
        acts("{key: http.method, value: GET, action: insert}").finds("Y011", "http.method");
    }

    #[test]
    fn passes_on_todays() {
        acts("{key: http.request.method, value: GET, action: insert}").silent("Y011");
    }

    #[test]
    fn silent_about_taking_away_and_about_both() {
        acts("{key: http.method, action: delete}").silent("Y011");
        acts("{key: http.method, value: a, action: insert}, {key: http.request.method, value: a, action: insert}")
            .silent("Y011");
    }
}
