use telstack_catalog::{ComponentKind, Signal};
use telstack_diagnostics::{Diagnostic, RuleInfo, Severity};
use telstack_system::{
    Backend, Instances, Known, Layer, NodeId, Origin, Purpose,
    link::{self, Sender},
};

use crate::{
    Cx, Rule,
    facts::{Link, Part, proxies, several, spread_over},
    words::ticked,
};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        code: "S001",
        name: "tail-sampling-split-traces",
        severity: Severity::Warning,
        summary: "What needs whole traces runs in several replicas, and spans of one trace come to several of them.",
        why: "Each replica decides about the spans that it happens to have. Of a trace that is spread over three of \
              them, one keeps the error and the others drop what led to it; what pairs the client's span with the \
              server's finds no pair. Nothing reports it: traces merely have holes.",
        bad: r"kind: Deployment
spec: {replicas: 3}        # behind a Service
…
processors:
  tail_sampling: {policies: […]}",
        good: r"# in front: collectors that send each trace to one of them
exporters:
  load_balancing:
    routing_key: traceID
    protocol: {otlp: {tls: {insecure: true}}}
    resolver: {dns: {hostname: sampler-headless.observability}}",
        silent: "One replica runs, and an autoscaler makes no more; it is not known how many run; a `load_balancing` \
                 exporter sends here, by trace; pods have a headless Service and nobody is seen to send by another \
                 way; a proxy chooses by something in the request, or by the sender and only one sends. It is an error \
                 only where several are seen to send through a plain Service.",
        sources: &[
            "https://github.com/open-telemetry/opentelemetry-collector-contrib/tree/main/processor/tailsamplingprocessor#scaling-collectors-with-the-tail-sampling-processor",
            "https://github.com/open-telemetry/opentelemetry-collector-contrib/issues/4758",
            "https://github.com/grafana/k8s-monitoring-helm/issues/1793",
        ],
    },
    check,
};

fn check(cx: &mut Cx<'_>) {
    let facts = cx.facts;
    let mut told: Vec<NodeId> = Vec::new();
    for part in facts.parts.iter().filter(|part| part.runs()) {
        let whole = part.usable().is_some_and(|(fact, _)| fact.is_stateful_by_trace());
        let traces = part.pipelines().any(|it| it.signal == Signal::Traces && listens(part, it));
        if !whole || !traces || told.contains(&part.id) {
            continue;
        }
        let Some(instances) = several(part.node) else {
            if let Some((finding, all)) = proxied(cx, part) {
                told.extend(all);
                cx.report(finding);
            }
            continue;
        };
        let here = |link: &&Link<'_>| {
            link.to_id == part.id && link.purpose == Purpose::Telemetry && !link.inside && link.answer().is_some()
        };
        let senders: Vec<&Link<'_>> = facts.links.iter().filter(here).collect();
        if senders.is_empty() && (!spread_over(cx.system, facts, part.id).is_empty() || is_headless(cx, part)) {
            continue;
        }
        // All that is sent goes to one and the same pod.
        if senders.first().is_some_and(|first| {
            one_pod(first).is_some() && senders.iter().all(|link| link.dial.host == first.dial.host)
        }) {
            continue;
        }
        told.push(part.id);
        let words = instances.words();
        let message = format!("{} needs whole traces, and `{}` runs {words}", part.title(), part.node.name);
        let mut finding = cx
            .finding(message, &part.component.origin, "spans of one trace come to several of them")
            .label(instances.several().and_then(Origin::span), format!("runs {words}"));
        for link in senders.iter().take(SHOWN) {
            let how = match link.service {
                Some(_) if let Some(pod) = one_pod(link) => format!("sends to the pod `{pod}` only"),
                Some(service) if !plain(link) => format!("sends to one pod after the other of `{}`", service.name),
                Some(service) => format!("sends through the Service `{}`: to whichever pod", service.name),
                None => "sends to whichever of them".to_owned(),
            };
            finding = finding.label(link.dial.origin.span(), how);
        }
        if splits(&instances, &senders) {
            finding = finding.severity(Severity::Error);
        }
        let finding = finding.help(HELP).help("or run one");
        cx.report(finding);
    }
}

/// Of collectors behind one backend of a proxy: all of them, and what to say of them.
fn proxied(cx: &Cx<'_>, part: &Part<'_>) -> Option<(Diagnostic, Vec<NodeId>)> {
    let senders = link::senders(cx.system, part.id);
    for sender in &senders {
        let Some((spread, number)) = sender.through.as_ref().and_then(|it| it.backend.map(|number| (it, number)))
        else {
            continue;
        };
        let node = cx.system.node(spread.node);
        let proxy = node.proxy().filter(|it| !it.open)?;
        let backend = &proxy.backends[number];
        if spread.over.len() < 2 || spread.keyed != Known::Value(false) || !takes_traces(cx, part, spread.node, number)
        {
            continue;
        }
        let here =
            |it: &&Sender| it.through.as_ref().is_some_and(|it| (it.node, it.backend) == (spread.node, Some(number)));
        let together: Vec<&Sender> =
            senders.iter().filter(here).filter(|it| sends_traces(cx, it, spread.node)).collect();
        if !scatters(cx, backend, spread.node, &together) {
            continue;
        }
        let names = spread.over.iter().map(|id| &cx.system.node(*id).name);
        let message =
            format!("{} needs whole traces, and `{}` spreads them over {}", part.title(), node.name, ticked(names));
        let balance = backend.balance.as_ref().map_or(&backend.origin, |it| &it.origin);
        let mut finding = cx
            .finding(message, &part.component.origin, "spans of one trace come to several of them")
            .label(balance.span(), format!("`{}` chooses without looking at the trace", backend.name));
        for sender in together.iter().filter(|it| it.from != spread.node).take(SHOWN) {
            let remark = format!("`{}` sends to the proxy", cx.system.node(sender.from).name);
            finding = finding.label(sender.dial.origin.span(), remark);
        }
        for server in backend.servers.iter().filter(|it| it.takes_turns).take(SHOWN) {
            finding = finding.label(server.host.span(), "in turn");
        }
        let finding = finding.help(HELP).help("or let one server have all that needs whole traces");
        return Some((finding, spread.over.clone()));
    }
    None
}

/// Do traces come in where a backend of a proxy dials the collector?
fn takes_traces(cx: &Cx<'_>, part: &Part<'_>, proxy: NodeId, number: usize) -> bool {
    let here = proxies::behind(cx.system, proxy, number);
    let listeners = here.iter().filter(|it| it.to.is_some_and(|(id, _)| id == part.id)).filter_map(|it| it.listener);
    listeners.into_iter().any(|it| {
        let receiver = it.owner.as_ref().is_some_and(|it| it.kind == ComponentKind::Receiver);
        receiver && it.signals.contains(Signal::Traces)
    })
}

/// Does somebody send traces to a proxy, as far as is known? Applications may.
fn sends_traces(cx: &Cx<'_>, sender: &Sender, proxy: NodeId) -> bool {
    let edges = cx.system.incoming(proxy, Purpose::Telemetry).into_iter();
    let mut same = edges.filter(|(edge, from)| {
        *from == sender.from && cx.system.edge(*edge).dial.as_ref().is_some_and(|it| it.origin == sender.dial.origin)
    });
    sender.from == proxy || same.any(|(edge, _)| cx.system.edge(edge).signals.contains(Signal::Traces))
}

/// Do spans of one trace come to several servers? What keeps to one server matters where several send.
fn scatters(cx: &Cx<'_>, backend: &Backend, proxy: NodeId, senders: &[&Sender]) -> bool {
    // Of a proxy of connections, gRPC keeps to the one that it opened.
    let whole = backend.layer.as_ref().is_none_or(|it| it.value == Layer::Connections);
    let keeps = |it: &Sender| backend.by_client || whole && it.dial.protocol.is_grpc();
    let Some(first) = senders.first() else { return false };
    if senders.iter().any(|it| it.from == proxy) {
        return !backend.by_client;
    }
    let many = senders.iter().any(|it| it.from != first.from || several(cx.system.node(it.from)).is_some());
    many || senders.iter().any(|it| !keeps(it))
}

/// What sends each trace to one of several.
const HELP: &str = "put collectors in front that send each trace to one of them: exporter `load_balancing` with \
                    `routing_key: traceID`, and a resolver that finds them all";
/// Senders that are shown.
const SHOWN: usize = 3;

/// Does data come to a pipeline by connections that others make?
fn listens(part: &Part<'_>, pipeline: &telstack_system::Pipeline) -> bool {
    let owns = |id: &telstack_system::ComponentId| {
        part.node.listeners.iter().any(|it| it.owner.as_ref().is_some_and(|owner| owner.id == *id))
    };
    // What other pipelines of the same collector hand on came to it in the same way.
    let handed = |id| part.wiring.component(ComponentKind::Connector, id).is_some();
    pipeline.receivers.iter().any(|it| owns(&it.id) || handed(&it.id))
}

fn is_headless(cx: &Cx<'_>, part: &Part<'_>) -> bool {
    let pod = part.node.container.as_ref().and_then(|it| it.pod.as_deref());
    let services = cx.system.cluster.as_deref().zip(pod).map(|(cluster, pod)| cluster.services_of(pod));
    // An operator makes one for each collector, whoever asks it.
    services.is_some_and(|mut services| services.any(|it| it.headless && !it.open_ports))
}

/// The only pod that a link leads to, where its address has the name of one: `gateway-0.gateway-headless`.
fn one_pod<'a>(link: &'a Link<'_>) -> Option<&'a str> {
    let service = link.service.filter(|_| link.via.is_some_and(|via| via.pods))?;
    let (first, _) = link.dial.host.split_once('.')?;
    (first != service.name).then_some(first)
}

/// Does a link lead to whichever pod a Service picks?
fn plain(link: &Link<'_>) -> bool {
    link.service.is_some_and(|service| !service.headless && !service.sticky) && link.via.is_some_and(|via| !via.pods)
}

/// Are spans of one trace surely spread? One sender may keep to one connection.
fn splits(instances: &Instances, senders: &[&Link<'_>]) -> bool {
    let plain: Vec<&&Link<'_>> = senders.iter().filter(|link| plain(link)).collect();
    let Some(first) = plain.first() else { return false };
    let others = plain.iter().any(|link| link.from_id != first.from_id) || several(first.from).is_some();
    matches!(instances, Instances::Count(..)) && others
}

#[cfg(test)]
mod tests {
    use telstack_catalog::{ComponentKind, Distribution};
    use telstack_diagnostics::Severity;
    use telstack_system::{ComponentId, ComponentRef, Known, Sourced};

    use crate::test_support::Bench;

    fn gateway(processor: &str, replicas: Known<u64>) -> Bench {
        let mut bench = Bench::new("replicas grpc dials");
        let yaml = format!(
            "receivers: {{otlp: {{protocols: {{grpc: {{}}}}}}}}\nprocessors: {{{processor}: {{}}}}\n\
             service: {{pipelines: {{traces: {{receivers: [otlp], processors: [{processor}], exporters: [debug]}}}}}}"
        );
        let id = bench.add_collector("gateway", Distribution::Contrib, "0.158.0", &yaml);
        let mut grpc = bench.listener("otlp-grpc", 4317, "grpc");
        grpc.owner = Some(ComponentRef { kind: ComponentKind::Receiver, id: ComponentId::parse("otlp") });
        bench.node(id).listeners.push(grpc);
        let origin = bench.at("replicas");
        bench.container(id).replicas = replicas.map(|it| Sourced::new(it, origin));
        bench
    }

    #[test]
    fn warns_of_several() {
        assert_eq!(gateway("tail_sampling", Known::Value(3)).finds("S001", "tail_sampling"), Severity::Warning);
        gateway("groupbytrace", Known::Value(2)).finds("S001", "groupbytrace");
    }

    #[test]
    fn passes_for_one_and_for_what_needs_no_traces() {
        gateway("tail_sampling", Known::Value(1)).silent("S001");
        gateway("tail_sampling", Known::Absent).silent("S001");
        gateway("batch", Known::Value(3)).silent("S001");
    }

    #[test]
    fn passes_behind_what_sends_by_trace() {
        let mut bench = gateway("tail_sampling", Known::Value(3));
        let yaml = "exporters: {load_balancing: {protocol: {otlp: {}}, resolver: {dns: {hostname: gateway}}}}\n\
                    service: {pipelines: {traces: {receivers: [otlp], exporters: [load_balancing]}}}";
        bench.add_collector("agent", Distribution::Contrib, "0.158.0", yaml);
        bench.silent("S001");
    }

    /// Two samplers behind a proxy, and who sends to it.
    fn behind(cfg: &str, agents: &[&str]) -> Bench {
        let sampler = "receivers: {otlp: {protocols: {grpc: {endpoint: '0.0.0.0:4317'}}}}\nprocessors: {tail_sampling: \
                       {policies: [{name: all, type: always_sample}]}}\nexporters: {debug: , prometheus: {endpoint: \
                       '0.0.0.0:8889'}}\nservice: {pipelines: {traces: {receivers: [otlp], processors: [tail_sampling], \
                       exporters: [debug]}, metrics: {receivers: [otlp], exporters: [prometheus]}}}";
        let collectors: Vec<(&str, &str)> =
            [("one", sampler), ("two", sampler)].into_iter().chain(agents.iter().map(|it| ("agent", *it))).collect();
        Bench::proxy(cfg, &collectors)
    }

    const TURNS: &str = "frontend f\n mode http\n bind :4317 proto h2\n default_backend b\nbackend b\n mode http\n balance \
                         roundrobin\n server s one:4317 proto h2\n server t two:4317 proto h2\n";

    /// An agent that sends one signal to the proxy.
    fn agent(signal: &str) -> String {
        format!(
            "receivers: {{otlp: {{protocols: {{http: }}}}}}\nexporters: {{otlp_grpc: {{endpoint: 'lb:4317', tls: \
             {{insecure: true}}}}}}\nservice: {{pipelines: {{{signal}: {{receivers: [otlp], exporters: [otlp_grpc]}}}}}}"
        )
    }

    #[test]
    fn warns_behind_a_proxy_that_takes_turns() {
        assert_eq!(behind(TURNS, &[]).finds("S001", "tail_sampling"), Severity::Warning);
        behind(TURNS, &[&agent("traces")]).finds("S001", "tail_sampling");
        // Each of two keeps to a server, and a trace has spans of both.
        let agent = agent("traces");
        let connections = TURNS.replace("mode http", "mode tcp").replace(" proto h2", "");
        behind(&connections, &[&agent, &agent]).finds("S001", "tail_sampling");
        behind(&TURNS.replace("roundrobin", "source"), &[&agent, &agent]).finds("S001", "tail_sampling");
    }

    #[test]
    fn passes_behind_a_proxy_where_traces_stay_whole() {
        let (agent, metrics) = (agent("traces"), agent("metrics"));
        let balanced = |word: &str| TURNS.replace("roundrobin", word);
        for word in ["source", "first", "hash req.hdr(x-trace)", "\"${BALANCE}\""] {
            behind(&balanced(word), &[&agent]).silent("S001");
            behind(&balanced(word), &[]).silent("S001");
        }
        behind(&balanced("first"), &[&agent, &agent]).silent("S001");
        // One connection, which is N010's.
        behind(&TURNS.replace("mode http", "mode tcp").replace(" proto h2", ""), &[&agent]).silent("S001");
        behind(&TURNS.replace("two:4317", "two:4317 backup"), &[]).silent("S001");
        behind(&TURNS.replace(" server t two:4317 proto h2\n", ""), &[]).silent("S001");
        // What is not sampled may go anywhere, and so may who asks for metrics.
        behind(TURNS, &[&metrics]).silent("S001");
        behind(&TURNS.replace("one:4317", "one:8889").replace("two:4317", "two:8889"), &[]).silent("S001");
        behind(&format!("{TURNS} stick on src\n"), &[]).silent("S001");
    }

    #[test]
    fn silent_when_it_is_not_known_how_many_there_are() {
        gateway("tail_sampling", Known::Unknown).silent("S001");
    }
}
