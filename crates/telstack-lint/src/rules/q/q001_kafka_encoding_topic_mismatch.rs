use std::collections::BTreeSet;

use telstack_catalog::{ComponentKind, Signal, otelcol::Trait, product::kafka};
use telstack_diagnostics::{Fix, RuleInfo, Severity};
use telstack_system::{
    EnvValue, Instances, Known, NodeId, Origin, Sourced,
    link::{self, Channel},
};

use crate::{
    Cx, Rule,
    facts::{Follow, Part, Place, reached},
    repair,
    words::ticked,
};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        code: "Q001",
        name: "kafka-encoding-topic-mismatch",
        severity: Severity::Error,
        summary: "Who writes to Kafka and who reads from it disagree on topic, encoding or signal, or traces are \
                  split.",
        why: "Neither side notices: the broker takes everything. With another topic nothing arrives, and the messages \
              are deleted when they are old; with another encoding or signal each message is an error in the \
              receiver's log and is lost. Messages without a key are spread over the partitions, so that several \
              readers each get a part of every trace, and `tail_sampling` decides about parts.",
        bad: "# agent\nexporters: {kafka: {brokers: [\"kafka:9092\"], traces: {topic: spans, encoding: otlp_json}}}\n# \
              gateway\nreceivers: {kafka: {brokers: [\"kafka:9092\"], traces: {topics: [otlp_spans]}}}",
        good: "# agent\nexporters: {kafka: {brokers: [\"kafka:9092\"], traces: {topic: spans, encoding: otlp_json}}}\n# \
               gateway\nreceivers: {kafka: {brokers: [\"kafka:9092\"], traces: {topics: [spans], encoding: \
               otlp_json}}}",
        silent: "A topic, encoding or broker comes from the environment or from the data, or is a pattern; encodings \
                 of extensions, and those that take any text (`raw`, `text`, `json`); a topic that nobody of the stack \
                 reads, while all readers have what they want: others may read it; a topic that another container \
                 names, which may write to it. A warning where it is not sure who should read what, where other \
                 containers know the broker, and for traces that are split.",
        sources: &[
            "https://github.com/open-telemetry/opentelemetry-collector-contrib/issues/31679",
            "https://github.com/open-telemetry/opentelemetry-collector-contrib/issues/36776",
            "https://github.com/open-telemetry/opentelemetry-collector-contrib/issues/34850",
            "https://github.com/open-telemetry/opentelemetry-collector-contrib/pull/38985",
        ],
    },
    check,
};

/// The setting that keeps traces together.
const BY_TRACE: &str = "partition_traces_by_id";

fn check(cx: &mut Cx<'_>) {
    let (writers, readers) = (link::producers(cx.system), link::consumers(cx.system));
    for reader in &readers {
        for writer in writers.iter().filter(|it| it.same_topic(reader)) {
            if writer.signal == reader.signal {
                encodings(cx, writer, reader);
            } else {
                signals(cx, writer, reader);
            }
        }
    }
    for signal in Signal::ALL.iter().copied() {
        topics(cx, signal, &writers, &readers);
    }
    let traces: Vec<&Channel> = readers.iter().filter(|it| it.signal == Signal::Traces).collect();
    for writer in writers.iter().filter(|it| it.signal == Signal::Traces && it.keyed == Known::Value(false)) {
        keys(cx, writer, &traces);
    }
}

fn name(topic: Option<&Sourced<String>>) -> Option<&str> {
    topic.map(|it| it.value.as_str())
}

fn encodings(cx: &mut Cx<'_>, writer: &Channel, reader: &Channel) {
    let (Some(written), Some(read)) = (&writer.encoding, &reader.encoding) else { return };
    let known = kafka::is_encoding(&written.value) && kafka::is_encoding(&read.value);
    if !known || written.value == read.value {
        return;
    }
    let topic = name(reader.topic.as_ref()).unwrap_or_default();
    let message = format!(
        "receiver `{}` reads `{}` from topic `{topic}`, to which exporter `{}` writes `{}`",
        reader.component, read.value, writer.component, written.value
    );
    let part = cx.facts.named(reader.node, ComponentKind::Receiver, &reader.component);
    let of_signal = format!("{}.encoding", reader.signal);
    let key = if part.is_some_and(|it| it.knows(&of_signal)) { of_signal } else { "encoding".to_owned() };
    let mut finding = cx
        .finding(message, &read.origin, format!("reads `{}`", read.value))
        .label(written.origin.span(), format!("writes `{}`", written.value))
        .help(format!("read what is written: `{key}: {}`", written.value));
    // A key that its release does not know says nothing.
    let there = part.is_none_or(|it| it.component.setting(&key).is_some_and(|value| value.mark == read.origin));
    if read.origin.is_written() && there {
        let change = repair::word(&read.origin, &read.value, &written.value);
        finding = repair::with(finding, change.map(|it| Fix::unsafe_(format!("read `{}`", written.value), it)));
    }
    cx.report_once(finding);
}

fn signals(cx: &mut Cx<'_>, writer: &Channel, reader: &Channel) {
    let (Some(written), Some(read)) = (&writer.topic, &reader.topic) else { return };
    let message = format!(
        "receiver `{}` reads {} from topic `{}`, to which exporter `{}` writes {}",
        reader.component, reader.signal, read.value, writer.component, writer.signal
    );
    let finding = cx
        .finding(message, &read.origin, format!("reads {}", reader.signal))
        .label(written.origin.span(), format!("writes {}", writer.signal))
        .help("give each signal a topic of its own");
    cx.report_once(finding);
}

/// Somebody writes what nobody reads, and somebody reads what nobody writes.
fn topics(cx: &mut Cx<'_>, signal: Signal, writers: &[Channel], readers: &[Channel]) {
    let of_signal = |it: &&Channel| it.signal == signal;
    for reader in readers.iter().filter(of_signal) {
        let here = |it: &&Channel| it.same_brokers(reader);
        let unknown = |it: &Channel| it.topic.is_none() || it.brokers.is_empty();
        if unknown(reader) || writers.iter().chain(readers).any(|it| unknown(it) && it.signal == signal) {
            continue;
        }
        if writers.iter().any(|it| it.same_topic(reader)) {
            continue;
        }
        let read_by_none = |it: &&Channel| !readers.iter().any(|other| other.same_topic(it));
        let unread: Vec<&Channel> = writers.iter().filter(of_signal).filter(here).filter(read_by_none).collect();
        let (Some(first), Some(read)) = (unread.first(), &reader.topic) else { continue };
        let Some(written) = &first.topic else { continue };
        if others_name(cx, &read.value) {
            continue;
        }
        let others: BTreeSet<&str> = unread.iter().filter_map(|it| name(it.topic.as_ref())).collect();
        let inside =
            reader.brokers.iter().any(|it| cx.system.find(it).is_some_and(|id| cx.system.node(id).broker().is_some()));
        let sure = others.len() == 1 && inside && !reader.brokers.iter().any(|it| others_name(cx, it));
        let message = format!(
            "receiver `{}` reads {signal} from topic `{}`, to which nobody writes; exporter `{}` writes to {}",
            reader.component,
            read.value,
            first.component,
            ticked(&others)
        );
        let mut finding = cx
            .finding(message, &read.origin, "nobody of the stack writes to it")
            .severity(if sure { Severity::Error } else { Severity::Warning })
            .label(written.origin.span(), "nobody of the stack reads it")
            .help(format!("read {}", ticked(&others)));
        if others.len() == 1 && read.origin.is_written() {
            let change = repair::word(&read.origin, &read.value, &written.value);
            finding = repair::with(finding, change.map(|it| Fix::unsafe_(format!("read `{}`", written.value), it)));
        }
        cx.report_once(finding);
    }
}

/// Does something of the stack that is not read name a topic or a broker? It may write what is read.
fn others_name(cx: &Cx<'_>, name: &str) -> bool {
    let containers = cx.system.nodes().filter(|(_, node)| node.external().is_some());
    let mut containers = containers.filter_map(|(_, node)| node.container.as_ref());
    containers.any(|it| {
        let words = it.command.iter().map(|word| word.value.as_str());
        let values = it.env.iter().filter_map(|variable| match &variable.value {
            EnvValue::Literal(text) => Some(text.as_str()),
            _ => None,
        });
        words.chain(values).any(|text| text.contains(name))
    })
}

/// Several readers, each of which gets a part of every trace.
fn keys(cx: &mut Cx<'_>, writer: &Channel, readers: &[&Channel]) {
    let mine: Vec<&&Channel> = readers.iter().filter(|it| it.same_topic(writer)).collect();
    let groups: BTreeSet<&str> = mine.iter().filter_map(|it| it.group.as_deref()).collect();
    for group in groups {
        let together: Vec<&&&Channel> = mine.iter().filter(|it| it.group.as_deref() == Some(group)).collect();
        let nodes: BTreeSet<NodeId> = together.iter().map(|it| it.node).collect();
        let count: u64 = nodes.iter().map(|it| copies(cx, *it)).sum();
        let sampler = together.iter().find_map(|it| Some((*it, sampler(cx, it)?)));
        let (Some((reader, (processor, at))), true) = (sampler, count > 1) else { continue };
        let topic = name(writer.topic.as_ref()).unwrap_or_default();
        let message = format!(
            "exporter `{}` spreads each trace over {count} readers of topic `{topic}`, and `{processor}` decides about \
             its part",
            writer.component
        );
        let names = nodes.iter().map(|it| cx.system.node(*it).name.clone());
        let readers =
            if nodes.len() > 1 { format!("one of {count}: {}", ticked(names)) } else { format!("one of {count}") };
        let mut finding = cx
            .finding(message, &writer.origin, "writes messages without a key")
            .severity(Severity::Warning)
            .label(reader.origin.span(), readers)
            .label(at.span(), "wants whole traces")
            .note("readers of one group share the partitions of a topic; with one partition only one of them reads");
        let part = cx.facts.named(writer.node, ComponentKind::Exporter, &writer.component);
        let when = if part.is_some_and(|it| it.knows(BY_TRACE)) { "" } else { ", which a later release has" };
        finding = finding.help(format!("key messages by trace: `{BY_TRACE}: true`{when}"));
        let fix = part.filter(|it| it.knows(BY_TRACE)).and_then(keyed);
        cx.report_once(repair::with(finding, fix));
    }
}

/// How many of a collector run, as far as is known.
fn copies(cx: &Cx<'_>, id: NodeId) -> u64 {
    match cx.system.node(id).container.as_ref().map(telstack_system::Container::instances) {
        Some(Instances::Count(count, _) | Instances::UpTo(count, _)) => count,
        Some(Instances::EachMachine(_)) => 2,
        Some(Instances::Unknown) | None => 1,
    }
}

/// The processor behind a receiver that wants whole traces, with its place in a pipeline.
fn sampler(cx: &Cx<'_>, reader: &Channel) -> Option<(String, Origin)> {
    let part = cx.facts.named(reader.node, ComponentKind::Receiver, &reader.component)?;
    let starts = Place::fed_by(part).filter(|it| it.pipeline.signal == Signal::Traces);
    starts.flat_map(|start| reached(cx.system, cx.facts, start, Follow::Any, |_| true)).find_map(|place| {
        let mut processors = place.processors(cx.facts);
        let (reference, _) = processors.find(|(_, part)| part.is_some_and(|it| it.has(Trait::SamplesByTrace)))?;
        Some((reference.id.to_string(), reference.origin.clone()))
    })
}

/// The exporter with a key for its messages.
fn keyed(part: &Part<'_>) -> Option<Fix> {
    let changes = repair::set(&part.component.origin, &part.component.settings, BY_TRACE, "true")?;
    Some(Fix::unsafe_("key messages by trace", changes))
}

#[cfg(test)]
mod tests {
    use telstack_diagnostics::{Applicability, Severity};

    use crate::test_support::Bench;

    fn writer(settings: &str) -> String {
        format!(
            "receivers: {{otlp: {{protocols: {{http: }}}}}}\nexporters:\n  kafka:\n    brokers: \
             [kafka:9092]\n{settings}\nservice: {{pipelines: {{traces: {{receivers: [otlp], exporters: [kafka]}}}}}}\n"
        )
    }

    fn reader(settings: &str) -> String {
        format!(
            "receivers:\n  kafka:\n    brokers: [kafka:9092]\n{settings}\nprocessors: {{tail_sampling: {{policies: \
             [{{name: a, type: always_sample}}]}}}}\nexporters: {{debug: }}\nservice: {{pipelines: {{traces: \
             {{receivers: [kafka], processors: [tail_sampling], exporters: [debug]}}}}}}\n"
        )
    }

    /// A writer and readers around a broker.
    fn stack(version: &str, writes: &str, reads: &[&str]) -> Bench {
        let mut collectors = vec![("writer".to_owned(), writer(writes))];
        collectors.extend(reads.iter().enumerate().map(|(at, it)| (format!("reader{at}"), reader(it))));
        let given: Vec<(&str, &str)> = collectors.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
        Bench::around_a_broker("kafka", version, &given)
    }

    const NEW: &str = "0.158.0";
    const KEY: &str = "    partition_traces_by_id: true\n";

    #[test]
    fn fails_on_another_encoding() {
        let bench = stack(NEW, "    traces: {topic: a, encoding: otlp_json}", &["    traces: {topics: [a]}"]);
        assert_eq!(bench.finds("Q001", "kafka"), Severity::Error);
        let bench = stack(NEW, "    traces: {topic: a}", &["    traces: {topics: [a], encoding: otlp_json}"]);
        bench.finds("Q001", "otlp_json");
        let old =
            stack("0.110.0", "    topic: a\n    encoding: otlp_json", &["    topic: a\n    encoding: otlp_proto"]);
        old.finds("Q001", "otlp_proto");
    }

    #[test]
    fn fails_on_another_topic() {
        let bench = stack(NEW, "    traces: {topic: spans}", &["    traces: {topics: [otlp_spans]}"]);
        assert_eq!(bench.finds("Q001", "otlp_spans"), Severity::Error);
        let text = reader("    traces: {topics: [otlp_spans]}");
        assert_eq!(bench.fixes("Q001", &text.replace("otlp_spans", "spans")), Applicability::Unsafe);
        let default = stack(NEW, "", &["    traces: {topics: [spans]}"]);
        default.finds("Q001", "spans");
    }

    #[test]
    fn fails_on_another_signal() {
        let metrics = writer("    metrics: {topic: a}").replace("traces:", "metrics:");
        let reads = reader("    traces: {topics: [a]}");
        let given = [("writer", metrics.as_str()), ("reader", reads.as_str())];
        Bench::around_a_broker("kafka", NEW, &given).finds("Q001", "a");
    }

    #[test]
    fn passes_where_both_agree() {
        for (writes, reads) in [
            ("", ""),
            ("    traces: {topic: otlp_spans}", ""),
            ("    traces: {topic: a}", "    traces: {topics: [a, b]}"),
            ("    traces: {topic: a}", "    traces: {topic: a, encoding: otlp_proto}"),
        ] {
            stack("0.140.0", writes, &[reads]).silent("Q001");
        }
    }

    #[test]
    fn silent_where_it_cannot_know() {
        for (writes, reads) in [
            ("    traces: {topic: '${env:T}'}", "    traces: {topics: [a]}"),
            ("    traces: {topic: a}", "    traces: {topics: ['^a.*']}"),
            ("    topic_from_attribute: x", "    traces: {topics: [a]}"),
            ("    traces: {topic: a, encoding: my_encoding}", "    traces: {topics: [a]}"),
            ("    traces: {topic: a, encoding: otlp_json}", "    traces: {topics: [a], encoding: json}"),
            ("    traces: '${env:T}'", "    traces: {topics: [a]}"),
        ] {
            stack(NEW, writes, &[reads]).silent("Q001");
        }
        // Other brokers.
        let apart = reader("    traces: {topics: [b]}").replace("kafka:9092", "other:9092");
        let writes = writer("    traces: {topic: a}");
        Bench::around_a_broker("kafka", NEW, &[("writer", &writes), ("reader", &apart)]).silent("Q001");
    }

    #[test]
    fn warns_of_traces_that_are_split() {
        let bench = stack(NEW, "    client_id: x", &["", ""]);
        assert_eq!(bench.finds("Q001", "kafka"), Severity::Warning);
        let after = writer(&format!("    client_id: x\n{KEY}")).replace("true\n\n", "true\n");
        assert_eq!(bench.fixes("Q001", &after), Applicability::Unsafe);
        // The release has no such setting yet.
        stack("0.91.0", "    topic: a", &["    topic: a", "    topic: a"]).leaves("Q001");
    }

    #[test]
    fn passes_where_traces_stay_together() {
        stack(NEW, KEY, &["", ""]).silent("Q001");
        stack(NEW, "", &[""]).silent("Q001");
        // Each reads everything.
        stack(NEW, "", &["    group_id: a", "    group_id: b"]).silent("Q001");
        stack(NEW, "    partition_traces_by_id: '${env:K}'", &["", ""]).silent("Q001");
    }
}
