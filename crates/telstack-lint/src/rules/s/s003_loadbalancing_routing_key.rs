use telstack_catalog::{Signal, otelcol, otelcol::Trait};
use telstack_diagnostics::{RuleInfo, Severity};
use telstack_syntax::tree::Kind;
use telstack_system::{Pipeline, Value, link::Address};

use crate::{
    Cx, Rule,
    facts::{Part, Place},
    words::{either, is_reference, ticked, with_release},
};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        code: "S003",
        name: "loadbalancing-routing-key",
        severity: Severity::Error,
        summary: "The load balancing exporter is to go by a key that it does not know for that signal, or has two \
                  resolvers.",
        why: "With a key that a signal does not have, or with two resolvers, the collector does not start. Of logs the \
              key had no effect until 0.154.0. With the key `service` the spans of a trace that spans several services \
              arrive at several collectors, and a tail sampler behind them decides about pieces.",
        bad: r#"collector "front" {
    receiver "otlp"
    exporter "load_balancing" {
        routing_key "metric"
        protocol { otlp { tls insecure=#true } }
        resolver { static { hostnames "a.example:4317" "b.example:4317" } }
    }
    pipeline "traces" { from "otlp"; to "load_balancing" }
}"#,
        good: r#"collector "front" {
    receiver "otlp"
    exporter "load_balancing" {
        routing_key "traceID"
        protocol { otlp { tls insecure=#true } }
        resolver { static { hostnames "a.example:4317" "b.example:4317" } }
    }
    pipeline "traces" { from "otlp"; to "load_balancing" }
}"#,
        silent: "The key comes from the environment. That `service` splits traces is said only where a tail sampler of \
                 the stack is seen to be behind it; there, and for logs, it is a warning.",
        sources: &[
            "https://github.com/open-telemetry/opentelemetry-collector-contrib/tree/main/exporter/loadbalancingexporter",
            "https://github.com/open-telemetry/opentelemetry-collector-contrib/issues/42422",
            "https://github.com/open-telemetry/opentelemetry-collector-contrib/issues/13635",
        ],
    },
    check,
};

const KEY: &str = "routing_key";
/// The key that sends a trace to the places of all its services.
const SERVICE: &str = "service";

fn check(cx: &mut Cx<'_>) {
    let facts = cx.facts;
    for part in facts.parts.iter().filter(|part| part.has(Trait::Balances)) {
        resolvers(cx, part);
        let Some(value) = part.component.setting(KEY) else { continue };
        let Some(key) = value.as_str().filter(|key| !key.is_empty() && !is_reference(key)) else { continue };
        let mut told = Vec::new();
        for pipeline in part.pipelines() {
            if told.contains(&pipeline.signal) {
                continue;
            }
            told.push(pipeline.signal);
            unsupported(cx, part, pipeline, key, value);
        }
        if key == SERVICE && told.contains(&Signal::Traces) {
            splits(cx, part, value);
        }
    }
}

fn resolvers(cx: &mut Cx<'_>, part: &Part<'_>) {
    let Some(map) = part.component.setting("resolver").and_then(Value::as_map) else { return };
    let given: Vec<_> = map.iter().filter(|entry| entry.value.as_map().is_some()).collect();
    if let [first, second, ..] = given.as_slice() {
        let names = ticked(given.iter().map(|entry| &entry.key));
        let message = format!("{} has several resolvers: {names}", part.title());
        let finding = cx
            .finding(message, &second.key_mark, "the collector does not start with a second one")
            .label(first.key_mark.span(), "the first")
            .help("keep one of them");
        cx.report(finding);
    }
}

fn unsupported(cx: &mut Cx<'_>, part: &Part<'_>, pipeline: &Pipeline, key: &str, value: &Value) {
    let Some((_, version)) = part.usable() else { return };
    let keys = otelcol::routing_keys(pipeline.signal, version);
    if keys.is_empty() || keys.contains(&key) {
        return;
    }
    let reference = pipeline.exporters.iter().find(|it| it.id == part.component.id);
    // A release that goes by one key only does not look at what is written.
    let ignored = pipeline.signal == Signal::Logs && keys.len() == 1;
    let message = if ignored {
        format!("{} goes by {} for {}, whatever `{KEY}` says", part.title(), ticked(&keys), pipeline.signal)
    } else {
        format!("{} cannot go by `{key}` for {}", part.title(), pipeline.signal)
    };
    let finding = cx
        .finding(message, &value.mark, if ignored { "has no effect" } else { "the collector does not start" })
        .severity(if ignored { Severity::Warning } else { Severity::Error })
        .label(reference.and_then(|it| it.origin.span()), format!("in pipeline `{}`", pipeline.id()))
        .help(format!("go by {}", either(&keys)));
    cx.report(with_release(finding, part.node));
}

/// Is there a tail sampler behind it, which then sees pieces of traces?
fn splits(cx: &mut Cx<'_>, part: &Part<'_>, value: &Value) {
    let facts = cx.facts;
    for host in hosts(part) {
        let Some(id) = cx.system.answering(&host).filter(|id| *id != part.id) else { continue };
        let traces = |place: &Place<'_>| place.id == id && place.pipeline.signal == Signal::Traces;
        for place in Place::all(cx.system).filter(traces) {
            let mut all = place.processors(facts).filter_map(|(reference, part)| Some((reference, part?)));
            let Some((reference, sampler)) = all.find(|(_, part)| part.has(Trait::SamplesByTrace)) else { continue };
            let message = format!(
                "{} of `{}` sees pieces of traces: they are spread by service",
                sampler.title(),
                place.node.name
            );
            let finding = cx
                .finding(message, &value.mark, "the spans of one trace go to several collectors")
                .severity(Severity::Warning)
                .label(reference.origin.span(), "decides about what it sees of a trace")
                .help(format!("set `{KEY}: traceID`"));
            cx.report(finding);
            return;
        }
    }
}

/// The hosts that it spreads over, as far as they are written.
fn hosts(part: &Part<'_>) -> Vec<String> {
    let mut found = Vec::new();
    let mut add = |value: &Value| {
        let text = value.as_str().filter(|it| !is_reference(it));
        found.extend(text.and_then(Address::parse).map(|address| address.host));
    };
    if let Some(Kind::Seq(seq)) = part.component.setting("resolver.static.hostnames").map(|it| &it.kind) {
        seq.items.iter().for_each(&mut add);
    }
    if let Some(value) = part.component.setting("resolver.dns.hostname") {
        add(value);
    }
    found
}

#[cfg(test)]
mod tests {
    use telstack_catalog::Distribution;
    use telstack_diagnostics::Severity;

    use crate::test_support::Bench;

    fn balanced(version: &str, key: &str, resolver: &str, signal: &str) -> Bench {
        Bench::collector(
            version,
            &format!(
                "exporters: {{loadbalancing: {{{key} protocol: {{otlp: }}, resolver: {{{resolver}}}}}}}\n\
                 service: {{pipelines: {{{signal}: {{receivers: [otlp], exporters: [loadbalancing]}}}}}}"
            ),
        )
    }

    const STATIC: &str = "static: {hostnames: ['gateway:4317']}";

    #[test]
    fn fails_on_keys_that_a_signal_does_not_have() {
        assert_eq!(
            balanced("0.140.0", "routing_key: metric,", STATIC, "traces").finds("S003", "metric"),
            Severity::Error
        );
        balanced("0.140.0", "routing_key: traceID,", STATIC, "metrics").finds("S003", "traceID");
        balanced("0.158.0", "routing_key: streamID,", STATIC, "logs").finds("S003", "streamID");
    }

    #[test]
    fn warns_of_a_key_without_effect() {
        assert_eq!(
            balanced("0.140.0", "routing_key: service,", STATIC, "logs").finds("S003", "service"),
            Severity::Warning
        );
    }

    #[test]
    fn fails_on_two_resolvers() {
        balanced("0.140.0", "", &format!("{STATIC}, dns: {{hostname: gw}}"), "traces").finds("S003", "dns");
    }

    #[test]
    fn warns_where_a_tail_sampler_gets_pieces() {
        let mut bench = balanced("0.140.0", "routing_key: service,", STATIC, "traces");
        let yaml = "processors: {tail_sampling: {policies: []}}\n\
                    service: {pipelines: {traces: {receivers: [otlp], processors: [tail_sampling]}}}";
        bench.add_collector("gateway", Distribution::Contrib, "0.140.0", yaml);
        assert_eq!(bench.finds("S003", "service"), Severity::Warning);
    }

    #[test]
    fn passes_on_keys_that_there_are() {
        balanced("0.140.0", "", STATIC, "metrics").silent("S003");
        balanced("0.140.0", "routing_key: service,", STATIC, "traces").silent("S003");
        balanced("0.158.0", "routing_key: service,", STATIC, "logs").silent("S003");
    }

    #[test]
    fn silent_when_it_is_not_known() {
        balanced("0.140.0", "routing_key: '${env:KEY}',", &format!("{STATIC}, dns: "), "traces").silent("S003");
    }
}
