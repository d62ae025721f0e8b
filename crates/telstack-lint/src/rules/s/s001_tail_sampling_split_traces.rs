use telstack_catalog::Signal;
use telstack_diagnostics::{Diagnostic, RuleInfo, Severity};
use telstack_system::{Instances, Known, NodeId, Origin, Purpose};

use crate::{
    Cx, Rule,
    facts::{Link, Part, several, spread_over},
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
                 exporter sends here, by trace; pods have a headless Service and nobody is seen to send by another way. \
                 It is an error only where several are seen to send through a plain Service.",
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
        told.push(part.id);
        let words = instances.words();
        let message = format!("{} needs whole traces, and `{}` runs {words}", part.title(), part.node.name);
        let mut finding = cx
            .finding(message, &part.component.origin, "spans of one trace come to several of them")
            .label(instances.several().and_then(Origin::span), format!("runs {words}"));
        for link in senders.iter().take(SHOWN) {
            let how = match link.service {
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
    let facts = cx.facts;
    let comes =
        |link: &&Link<'_>| link.to_id == part.id && link.purpose == Purpose::Telemetry && link.answer().is_some();
    for link in facts.links.iter().filter(comes) {
        let Some((proxy, server)) = link.through else { continue };
        let backend = proxy.proxy()?.backends.iter().find(|it| it.servers.iter().any(|it| std::ptr::eq(it, server)))?;
        if backend.keyed != Known::Value(false) {
            continue;
        }
        let beside = |it: &&Link<'_>| {
            it.from_id == link.from_id
                && it.dial.origin == link.dial.origin
                && it.through.is_some_and(|(to, _)| std::ptr::eq(to, proxy))
        };
        let mut all: Vec<NodeId> = facts.links.iter().filter(beside).map(|it| it.to_id).collect();
        all.sort_unstable();
        all.dedup();
        if all.len() < 2 {
            continue;
        }
        let names = all.iter().map(|id| &cx.system.node(*id).name);
        let message =
            format!("{} needs whole traces, and `{}` spreads them over {}", part.title(), proxy.name, ticked(names));
        let mut finding = cx
            .finding(message, &part.component.origin, "spans of one trace come to several of them")
            .label(link.dial.origin.span(), format!("`{}` sends to the proxy", link.from.name));
        for server in &backend.servers {
            finding = finding.label(server.host.span(), "in turn");
        }
        let finding = finding.help(HELP).help("or let one server have all that needs whole traces");
        return Some((finding, all));
    }
    None
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
    let handed = |id| part.wiring.component(telstack_catalog::ComponentKind::Connector, id).is_some();
    pipeline.receivers.iter().any(|it| owns(&it.id) || handed(&it.id))
}

fn is_headless(cx: &Cx<'_>, part: &Part<'_>) -> bool {
    let pod = part.node.container.as_ref().and_then(|it| it.pod.as_deref());
    let services = cx.system.cluster.as_deref().zip(pod).map(|(cluster, pod)| cluster.services_of(pod));
    services.is_some_and(|mut services| services.any(|it| it.headless))
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

    #[test]
    fn silent_when_it_is_not_known_how_many_there_are() {
        gateway("tail_sampling", Known::Unknown).silent("S001");
    }
}
