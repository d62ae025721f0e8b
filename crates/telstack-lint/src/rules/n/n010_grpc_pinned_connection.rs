use telstack_catalog::{ComponentKind, otelcol};
use telstack_diagnostics::{Diagnostic, RuleInfo, Severity};
use telstack_system::{Dial, Layer, Listener, Node, NodeId, Purpose};

use crate::{
    Cx, Rule,
    facts::{Link, Part, proxies},
};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        code: "N010",
        name: "grpc-pinned-connection",
        severity: Severity::Warning,
        summary: "A gRPC client keeps one connection to something that spreads connections over several servers.",
        why: "gRPC opens one connection and keeps it. A Service with an address of its own, and a proxy in `mode \
              tcp`, choose a server when a connection is opened: one server gets all that this client sends, and new \
              servers get nothing until somebody restarts.",
        bad: "# agent\nexporters: {otlp_grpc: {endpoint: \"haproxy:4317\", tls: {insecure: true}}}\n# haproxy.cfg\n\
              backend gateways\n    mode tcp\n    server one gateway-1:4317\n    server two gateway-2:4317",
        good: "# gateways\nreceivers:\n  otlp:\n    protocols:\n      grpc:\n        keepalive:\n          \
               server_parameters: {max_connection_age: 60s, max_connection_age_grace: 60s}",
        silent: "The receiver ends old connections; the Service is headless, so that the client sees all pods; a mesh \
                 may spread requests; the proxy spreads requests itself (`mode http` with `proto h2`); there is one \
                 server only, or nobody knows how many; who sends is not part of the stack.",
        sources: &[
            "https://github.com/open-telemetry/opentelemetry-collector/issues/9211",
            "https://github.com/observIQ/bindplane-op/pull/991",
            "https://github.com/vectordotdev/vector/issues/19457",
        ],
    },
    check,
};

/// Beside the address of a receiver: when it ends connections.
const MAX_AGE: &str = "keepalive.server_parameters.max_connection_age";

fn check(cx: &mut Cx<'_>) {
    for (id, proxy, number) in proxies::backends(cx.system) {
        let backend = &proxy.backends[number];
        let connections = backend.layer.as_ref().filter(|it| it.value == Layer::Connections);
        if connections.is_none() || backend.turns().is_none_or(|size| size < 2) {
            continue;
        }
        let all = proxies::behind(cx.system, id, number);
        let servers: Option<Vec<(&Node, &Listener)>> =
            all.iter().map(|it| Some((it.to?.1, it.listener.filter(|it| it.protocol.is_grpc())?))).collect();
        let pinned = |it: &(&Node, &Listener)| never_ends(cx, *it) && !needs_whole_traces(cx, it.0);
        let Some(servers) = servers.filter(|it| !it.is_empty() && it.iter().all(pinned)) else {
            continue;
        };
        for (from, dial) in proxies::clients(cx.system, id, number) {
            if !dial.protocol.is_grpc() || !by_collector(cx, from, &dial) {
                continue;
            }
            let from = &cx.system.node(from).name;
            let message =
                format!("`{from}` sends all it has over one connection, and so to one server of `{}`", backend.name);
            let balance = backend.balance.as_ref().map_or(&backend.origin, |it| &it.origin);
            let finding = cx
                .finding(message, &dial.origin, "one gRPC connection, kept")
                .label(balance.span(), format!("`{}` spreads connections", cx.system.node(id).name))
                .label(servers[0].1.origin.span(), "never ends a connection")
                .help("or spread requests: `mode http` with `proto h2` on each server");
            cx.report(advised(finding));
        }
    }
    for link in cx.facts.links.iter().filter(|it| it.purpose == Purpose::Telemetry && it.through.is_none()) {
        if let Some(finding) = over_service(cx, link) {
            cx.report(finding);
        }
    }
}

fn advised(mut finding: Diagnostic) -> Diagnostic {
    let way = format!("let the receiver end old connections: `{MAX_AGE}: 60s`, and `max_connection_age_grace: 60s`");
    finding.help.insert(0, way);
    finding
}

/// A Service whose address stands for several pods.
fn over_service(cx: &Cx<'_>, link: &Link<'_>) -> Option<Diagnostic> {
    let service = link.service.filter(|it| !it.headless)?;
    let listener = link.answer().filter(|it| it.protocol.is_grpc())?;
    if link.via.is_none_or(|via| via.pods) || !by_collector(cx, link.from_id, &link.dial) {
        return None;
    }
    let container = link.to.container.as_ref()?;
    let instances = container.instances();
    let several = instances.several()?;
    if needs_whole_traces(cx, link.to)
        || meshed(cx, link.to)
        || meshed(cx, link.from)
        || !never_ends(cx, (link.to, listener))
    {
        return None;
    }
    let message = format!("{} keeps one connection, and so one pod behind `{}`", link.dialer(), service.name);
    let finding = cx
        .finding(message, &link.dial.origin, "one gRPC connection, kept")
        .label(service.origin.span(), "one address for all pods: it chooses when a connection is opened")
        .label(several.span(), format!("runs {}", instances.words()))
        .label(listener.origin.span(), "never ends a connection")
        .help("or make the Service headless (`clusterIP: None`), and let the exporter spread: `balancer_name: round_robin`");
    Some(advised(finding))
}

/// Must all of a trace come to one of a collector? Then it is S001's matter that they come to several.
fn needs_whole_traces(cx: &Cx<'_>, node: &Node) -> bool {
    let here = cx.facts.parts.iter().filter(|part| std::ptr::eq(part.node, node) && part.runs());
    here.filter_map(Part::usable).any(|(fact, _)| fact.is_stateful_by_trace())
}

/// May a mesh be in the pods of a node?
fn meshed(cx: &Cx<'_>, node: &Node) -> bool {
    let Some(pod) = node.container.as_ref().and_then(|it| it.pod.as_ref()) else { return false };
    let cluster = cx.system.cluster.as_deref();
    let namespace = cluster.zip(pod.namespace.as_deref()).and_then(|(cluster, name)| cluster.namespace(name));
    let around = namespace.into_iter().flat_map(|it| it.labels.keys());
    pod.labels.keys().chain(pod.annotations.keys()).chain(around).any(|key| otelcol::mesh().speaks_of(key))
}

fn by_collector(cx: &Cx<'_>, from: NodeId, dial: &Dial) -> bool {
    let by = dial.component.as_ref().filter(|it| it.kind == ComponentKind::Exporter);
    by.is_some() && cx.system.node(from).collector().is_some()
}

/// Does a receiver surely never end a connection?
fn never_ends(cx: &Cx<'_>, (node, listener): (&Node, &Listener)) -> bool {
    proxies::beside(cx.facts, node, listener, MAX_AGE).is_some_and(|(_, set)| set.is_absent())
}

#[cfg(test)]
mod tests {
    use telstack_diagnostics::Severity;

    use crate::test_support::Bench;

    const AGENT: &str = "receivers: {otlp: {protocols: {http: }}}\nexporters: {otlp_grpc: {endpoint: 'lb:4317', tls: \
                         {insecure: true}}}\nservice: {pipelines: {traces: {receivers: [otlp], exporters: \
                         [otlp_grpc]}}}";

    fn gateway(keepalive: &str) -> String {
        format!(
            "receivers: {{otlp: {{protocols: {{grpc: {{endpoint: '0.0.0.0:4317'{keepalive}}}}}}}}}\nexporters: {{debug: \
             }}\nservice: {{pipelines: {{traces: {{receivers: [otlp], exporters: [debug]}}}}}}"
        )
    }

    fn bench(cfg: &str, keepalive: &str) -> Bench {
        let gateway = gateway(keepalive);
        Bench::proxy(cfg, &[("agent", AGENT), ("one", &gateway), ("two", &gateway)])
    }

    const CFG: &str = "frontend f\n bind :4317\n default_backend b\nbackend b\n mode tcp\n balance roundrobin\n server s \
                       one:4317\n server t two:4317\n";

    #[test]
    fn warns_of_one_connection_to_several_servers() {
        let bench = bench(CFG, "");
        assert_eq!(bench.finds("N010", "'lb:4317'"), Severity::Warning);
        bench.silent("H003");
    }

    #[test]
    fn passes_where_connections_end_or_requests_are_spread() {
        bench(CFG, ", keepalive: {server_parameters: {max_connection_age: 60s}}").silent("N010");
        let requests = CFG.replace("mode tcp", "mode http").replace(":4317\n server", ":4317 proto h2\n server");
        bench(&requests, "").silent("N010");
        bench(&CFG.replace(" server t two:4317\n", ""), "").silent("N010");
    }

    #[test]
    fn silent_where_whole_traces_are_needed() {
        let sampler = gateway("").replace(
            "exporters: {debug: }",
            "processors: {tail_sampling: {policies: [{name: a, type: always_sample}]}}\nexporters: {debug: }",
        );
        let sampler = sampler.replace("receivers: [otlp],", "receivers: [otlp], processors: [tail_sampling],");
        let bench = Bench::proxy(CFG, &[("agent", AGENT), ("one", &sampler), ("two", &sampler)]);
        bench.silent("N010");
    }

    #[test]
    fn silent_where_it_cannot_know() {
        bench(CFG, ", keepalive: '${env:K}'").silent("N010");
        bench(&CFG.replace("two:4317", "elsewhere:4317"), "").silent("N010");
        Bench::proxy(CFG, &[("one", &gateway("")), ("two", &gateway(""))]).silent("N010");
    }
}
