use std::collections::HashSet;

use telstack_catalog::ComponentKind;
use telstack_diagnostics::{RuleInfo, Severity};
use telstack_system::{
    Bind, ComponentId, ComponentRef, Edge, EdgeId, NodeId, Pipeline, Purpose, Reference, link, shortest_circle,
};

use crate::{Cx, Rule, words::ticked};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        code: "M011",
        name: "telemetry-loop",
        severity: Severity::Error,
        summary: "Collectors send to each other in a circle, or one takes in what it put out.",
        why: "What enters the circle is sent round for ever, and multiplies where it also leaves it: every queue \
              fills, and the stores keep the same data again and again.",
        bad: r#"collector "a" { receiver "otlp"; pipeline "traces" { from "otlp"; to "b" } }
collector "b" { receiver "otlp"; pipeline "traces" { from "otlp"; to "a" } }"#,
        good: r#"collector "a" { receiver "otlp"; pipeline "traces" { from "otlp"; to "b" } }
collector "b" { receiver "otlp"; pipeline "traces" { from "otlp"; to "tempo" } }"#,
        silent: "A processor on the way drops or routes some of the data, or the receiver that is dialled feeds no \
                 pipeline that leads on.",
        sources: &[
            "https://github.com/open-telemetry/opentelemetry-collector-contrib/issues/12782",
            "https://github.com/open-telemetry/opentelemetry-collector-contrib/issues/35686",
        ],
    },
    check,
};

fn check(cx: &mut Cx<'_>) {
    with_others(cx);
    with_itself(cx);
}

/// A collector that dials itself, and whose pipeline sends on what comes in so.
fn with_itself(cx: &mut Cx<'_>) {
    let system = cx.system;
    let edges = system.edges().filter(|(_, from, _, to)| from == to);
    let edges = edges.filter_map(|(_, from, edge, _)| Some((edge.purpose, from, edge.dial.clone()?)));
    let scrapes = link::scrapes(system);
    let calls = cx.facts.unlinked.iter().chain(&scrapes);
    let mine = calls.filter(|it| {
        let dial = &it.dial;
        // Whoever is called that: its own listener has that port.
        Bind::parse(&dial.host) == Bind::Loopback || system.reached(it.from, &dial.host, dial.port) == Some(it.from)
    });
    for (purpose, from, dial) in edges.chain(mine.map(|it| (it.purpose, it.from, it.dial.clone()))).collect::<Vec<_>>()
    {
        let mut listeners = system.node(from).listeners.iter();
        let listener = listeners.find(|it| it.port == dial.port && it.protocol == dial.protocol);
        let (Some(dialer), Some(owner)) = (&dial.component, listener.and_then(|it| it.owner.as_ref())) else {
            continue;
        };
        let (receiver, exporter) = if purpose == Purpose::Scrape { (dialer, owner) } else { (owner, dialer) };
        let Some(end) = put_out(cx, from, receiver, exporter) else { continue };
        let finding = if purpose == Purpose::Scrape {
            let message =
                format!("receiver `{}` scrapes what exporter `{}` beside it exposes", receiver.id, exporter.id);
            // Each round gives the series of the one before another name, and then no more.
            cx.finding(message, &dial.origin, "what it put out itself").severity(Severity::Warning)
        } else {
            cx.finding(
                format!("exporter `{}` sends to its own receiver `{}`", exporter.id, receiver.id),
                &dial.origin,
                "comes in again there",
            )
        };
        let finding = finding.label(end.origin.span(), "and the same pipeline puts it out again");
        cx.report(finding.help("dial somebody else, or take one of the two out of this pipeline"));
    }
}

/// Where a pipeline that takes in from a receiver puts all of it out by an exporter.
fn put_out<'a>(cx: &Cx<'a>, id: NodeId, receiver: &ComponentRef, exporter: &ComponentRef) -> Option<&'a Reference> {
    if (receiver.kind, exporter.kind) != (ComponentKind::Receiver, ComponentKind::Exporter) {
        return None;
    }
    let all = &cx.system.node(id).collector()?.pipelines;
    let closes = |it: &&Pipeline| it.receivers.iter().any(|it| it.id == receiver.id) && keeps_all(cx, id, it);
    all.iter().filter(closes).flat_map(|it| &it.exporters).find(|it| it.id == exporter.id)
}

fn with_others(cx: &mut Cx<'_>) {
    let mut done: HashSet<EdgeId> = HashSet::new();
    let circles = cx.system.circles(Purpose::Telemetry);
    for (start, from, edge, to) in cx.system.edges() {
        if edge.purpose != Purpose::Telemetry || !circles.join(from, to) || done.contains(&start) {
            continue;
        }
        let round = shortest_circle(start, |edge| onward(cx, edge));
        let Some(round) = round.filter(|round| !round.iter().any(|edge| done.contains(edge))) else {
            continue;
        };
        done.extend(&round);
        let Some((first, rest)) = round.split_first() else { continue };
        let names: Vec<&str> = round.iter().map(|edge| cx.system.node(cx.system.ends(*edge).0).name.as_str()).collect();
        let goes = |edge: EdgeId| {
            let (from, to) = cx.system.ends(edge);
            format!(
                "`{}` sends {} to `{}`",
                cx.system.node(from).name,
                cx.system.edge(edge).signals,
                cx.system.node(to).name
            )
        };
        let message = format!("collectors send to each other in a circle: {}", ticked(&names));
        let mut finding = cx.finding(message, &cx.system.edge(*first).origin, goes(*first));
        for edge in rest {
            finding = finding.label(cx.system.edge(*edge).origin.span(), goes(*edge));
        }
        cx.report(finding.help("take one of these links out, or send it to a store"));
    }
}

/// The edges that surely carry on what arrives along an edge.
fn onward(cx: &Cx<'_>, edge: EdgeId) -> Vec<EdgeId> {
    let (_, id) = cx.system.ends(edge);
    let Some(collector) = cx.system.node(id).collector() else { return Vec::new() };
    let arriving = cx.system.edge(edge);
    let Some(receiver) = receiver(cx, id, arriving) else { return Vec::new() };
    let passes = |at: usize| {
        collector.pipelines.get(at).is_some_and(|pipeline| {
            arriving.signals.contains(pipeline.signal)
                && pipeline.receivers.iter().any(|it| it.id == receiver)
                && keeps_all(cx, id, pipeline)
        })
    };
    let out = cx.system.outgoing(id, Purpose::Telemetry).into_iter();
    out.filter(|(out, _)| cx.system.edge(*out).pipelines.iter().any(|it| passes(it.value)))
        .map(|(out, _)| out)
        .collect()
}

/// The receiver that an edge ends at.
fn receiver(cx: &Cx<'_>, node: NodeId, edge: &Edge) -> Option<ComponentId> {
    let (dial, port) = (edge.dial.as_ref()?, edge.port()?);
    let mut listeners = cx.system.node(node).listeners.iter();
    let owner = listeners.find(|it| it.port == port && it.protocol == dial.protocol)?.owner.as_ref()?;
    (owner.kind == ComponentKind::Receiver).then(|| owner.id.clone())
}

/// Processors that drop some of what passes, by their own choice.
const MAY_DROP: [&str; 7] =
    ["filter", "tail_sampling", "probabilistic_sampler", "routing", "log_dedup", "logdedup", "drain"];

fn keeps_all(cx: &Cx<'_>, id: NodeId, pipeline: &Pipeline) -> bool {
    pipeline.processors.iter().all(|it| {
        let part = cx.facts.named(id, ComponentKind::Processor, &it.id);
        part.is_some_and(|it| !MAY_DROP.contains(&it.component.id.ty.as_str()))
    })
}

#[cfg(test)]
mod tests {
    use telstack_catalog::{ComponentKind, Distribution, Signal, SignalSet};
    use telstack_system::{ComponentId, ComponentRef, NodeId, Protocol, Sourced};

    use crate::test_support::Bench;

    /// `a` and `b`, each with one pipeline; `processors` are b's.
    fn pair(processors: &str) -> (Bench, NodeId, NodeId) {
        let mut bench = Bench::new("there back");
        let yaml = |processors: &str| {
            format!(
                "receivers: {{otlp: {{protocols: {{grpc: }}}}}}\nprocessors: {{batch: , filter: }}\nexporters: {{otlp: }}\n\
                 service: {{pipelines: {{traces: {{receivers: [otlp], processors: [{processors}], exporters: [otlp]}}}}}}"
            )
        };
        let a = bench.add_collector("a", Distribution::Contrib, "0.140.0", &yaml("batch"));
        let b = bench.add_collector("b", Distribution::Contrib, "0.140.0", &yaml(processors));
        for id in [a, b] {
            let mut listener = bench.listener("otlp-grpc", 4317, "there");
            let id_of = ComponentId::new("otlp", None);
            listener.owner = Some(ComponentRef { kind: ComponentKind::Receiver, id: id_of });
            bench.node(id).listeners.push(listener);
        }
        (bench, a, b)
    }

    fn connect(bench: &mut Bench, from: NodeId, to: NodeId, host: &str, slice: &str) {
        let mut edge = bench.edge(Protocol::OTLP_GRPC, host, 4317, slice);
        edge.signals = SignalSet::of(&[Signal::Traces]);
        edge.pipelines = vec![Sourced::new(0, edge.origin.clone())];
        bench.system.connect(from, to, edge);
    }

    #[test]
    fn fails_on_a_circle_once() {
        let (mut bench, a, b) = pair("batch");
        connect(&mut bench, a, b, "b", "there");
        connect(&mut bench, b, a, "a", "back");
        bench.finds("M011", "there");
    }

    #[test]
    fn fails_on_one_that_dials_itself() {
        use telstack_diagnostics::Severity::{Error, Warning};
        let round = |receiver: &str, exporter: &str, pipelines: &str| {
            let mut bench = Bench::collector(
                "0.140.0",
                &format!(
                    "receivers: {{otlp: {{protocols: {{grpc: {{endpoint: 'localhost:4317'}}}}}}, prometheus: {{config: \
                     {{scrape_configs: [{{job_name: me, static_configs: [{{targets: ['{receiver}']}}]}}]}}}}}}\nexporters: \
                     {{otlp: {{endpoint: '{exporter}', tls: {{insecure: true}}}}, prometheus: {{endpoint: \
                     'localhost:8889'}}}}\nservice: {{pipelines: {{{pipelines}}}}}"
                ),
            );
            let node = bench.first();
            let version = node.version().expect("a release");
            node.listeners = telstack_system::passes::collector_listeners(node.collector().expect("one"), version);
            bench
        };
        let scraped = "metrics: {receivers: [prometheus], exporters: [prometheus]}";
        assert_eq!(round("localhost:8889", "a:4317", scraped).finds("M011", "'localhost:8889'"), Warning);
        // Another port, and another pipeline.
        round("localhost:8888", "a:4317", scraped).silent("M011");
        let apart = "metrics: {receivers: [prometheus], exporters: [otlp]}, metrics/2: {receivers: [otlp], exporters: \
                     [prometheus]}";
        round("localhost:8889", "a:4317", apart).silent("M011");
        let sent = "traces: {receivers: [otlp], exporters: [otlp]}";
        assert_eq!(round("b:1", "localhost:4317", sent).finds("M011", "'localhost:4317'"), Error);
        round("b:1", "b:4317", sent).silent("M011");
    }

    #[test]
    fn passes_on_a_chain() {
        let (mut bench, a, b) = pair("batch");
        connect(&mut bench, a, b, "b", "there");
        bench.silent("M011");
    }

    #[test]
    fn silent_where_something_is_dropped_on_the_way() {
        let (mut bench, a, b) = pair("filter");
        connect(&mut bench, a, b, "b", "there");
        connect(&mut bench, b, a, "a", "back");
        bench.silent("M011");
    }
}
