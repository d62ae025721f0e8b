use telstack_diagnostics::{Diagnostic, Fix, RuleInfo, Severity};
use telstack_system::{Frontend, Known, Layer, NodeId, Origin, Proxy, ProxyDoor, Sourced, Tls, units::Period};

use crate::{
    Cx, Rule,
    facts::proxies::{self, Behind, Grpc},
    repair,
};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        code: "H003",
        name: "haproxy-grpc-mode",
        severity: Severity::Warning,
        summary: "gRPC passes a proxy that turns it into HTTP/1, pins each client to one server, or cuts it off.",
        why: "With `mode http` a server is spoken to in HTTP/1 unless its line says `proto h2` (or `alpn h2` with \
              `ssl`), and gRPC servers refuse that. With `mode tcp` it starts with no `proto h2` at all, and a connection stays with the server that it came \
              to first, and gRPC clients open one for good: `balance roundrobin` spreads clients, not their data, and \
              a new server gets none. A connection that is silent for longer than `timeout client` or `timeout \
              server` is cut.",
        bad: "# haproxy.cfg\nbackend gateways\n    mode http\n    balance roundrobin\n    server one gateway-1:4317\n    server two \
              gateway-2:4317",
        good: "# haproxy.cfg\nbackend gateways\n    mode http\n    balance roundrobin\n    server one gateway-1:4317 proto h2\n    \
               server two gateway-2:4317 proto h2",
        silent: "`mode tcp` before receivers that end old connections (`max_connection_age`), or where no `balance` is \
                 written; TLS with `alpn h2`. An error where the server is known to speak gRPC and gets HTTP/1, and where `proto h2` keeps HAProxy from \
                 starting. That \
                 silent connections are cut is advice, and only where the server is known and no sender of the stack \
                 keeps its connection alive.",
        sources: &[
            "https://github.com/haproxy/haproxy/issues/683",
            "https://github.com/open-telemetry/opentelemetry-collector/issues/9211",
            "https://github.com/observIQ/bindplane-op/pull/991",
        ],
    },
    check,
};

/// How long a silent connection should be kept.
const LONG: &str = "1h";
/// Beside the address of a receiver: when it ends connections.
const MAX_AGE: &str = "keepalive.server_parameters.max_connection_age";

fn check(cx: &mut Cx<'_>) {
    for finding in refused(cx) {
        cx.report(finding);
    }
    for (id, proxy, number) in proxies::backends(cx.system) {
        let all = proxies::behind(cx.system, id, number);
        let backend = &proxy.backends[number];
        let layer = backend.layer.as_ref().map(|it| it.value);
        if layer == Some(Layer::Requests) {
            for behind in &all {
                if let Some(finding) = degraded(cx, behind) {
                    cx.report(finding);
                }
            }
        }
        if all.iter().any(|it| it.grpc() == Some(Grpc::Surely)) {
            for frontend in proxy.before(number).filter(|it| it.only_backend() == Some(number)) {
                for door in &frontend.doors {
                    if let Some(finding) = not_taken(cx, frontend, door) {
                        cx.report(finding);
                    }
                }
            }
            if let Some(finding) = pinned(cx, id, proxy, number, &all) {
                cx.report(finding);
            }
            if let Some(finding) = cut(cx, id, proxy, number) {
                cx.report_once(finding);
            }
        }
    }
}

/// HTTP/2 where connections are handed on as they are: HAProxy does not start.
fn refused(cx: &Cx<'_>) -> Vec<Diagnostic> {
    let connections = |layer: &Option<Sourced<Layer>>| layer.clone().filter(|it| it.value == Layer::Connections);
    let finding = |name: &str, at: &Origin, layer: &Sourced<Layer>| {
        let message = format!("`proto h2` is no word for `{name}`, which hands on connections as they are");
        cx.finding(message, at, "HAProxy does not start: `MUX protocol 'h2' is not usable`")
            .severity(Severity::Error)
            .label(layer.span(), "with `mode tcp`, which holds where no other is written")
            .help("leave `proto h2` out: HTTP/2 passes as it is")
            .help("or hand on requests: `mode http`, in frontend and backend")
    };
    let mut found = Vec::new();
    for proxy in cx.system.nodes().filter_map(|(_, node)| node.proxy()) {
        for (frontend, layer) in proxy.frontends.iter().filter_map(|it| Some((it, connections(&it.layer)?))) {
            let doors = frontend.doors.iter().filter(|it| it.only_http2);
            found.extend(doors.map(|door| finding(&frontend.name, &door.origin, &layer)));
        }
        for (backend, layer) in proxy.backends.iter().filter_map(|it| Some((it, connections(&it.layer)?))) {
            let servers = backend.servers.iter().filter(|it| it.only_http2);
            found.extend(servers.map(|server| finding(&backend.name, &server.host.origin, &layer)));
        }
    }
    found
}

/// A server that is spoken to in HTTP/1.
fn degraded(cx: &Cx<'_>, behind: &Behind<'_>) -> Option<Diagnostic> {
    let server = behind.server;
    let grpc = behind.grpc().filter(|_| matches!(server.http2, Known::Absent | Known::Value(false)))?;
    let sure = grpc == Grpc::Surely;
    let address = behind.address();
    let speaks = if sure { "speaks gRPC" } else { "has the port of gRPC" };
    let message = format!("`{address}` {speaks}, and `{}` speaks HTTP/1 to it", behind.backend.name);
    let words = if server.tls == Known::Value(Tls::Off) { "proto h2" } else { "alpn h2" };
    let mut finding = cx
        .finding(message, &server.host.origin, "in HTTP/1, which gRPC cannot pass")
        .severity(if sure { Severity::Error } else { Severity::Warning })
        .label(behind.backend.layer.as_ref().and_then(Sourced::span), "handed on as HTTP requests")
        .help(format!("speak HTTP/2 to the server: add `{words}` to its line"))
        .help("or hand on whole connections: `mode tcp`, in the frontend too");
    if let Some(listener) = behind.listener {
        finding = finding.label(listener.origin.span(), format!("speaks {}", listener.protocol));
    }
    // `proto h1` is there already.
    if server.http2 != Known::Absent {
        return Some(finding);
    }
    let span = server.host.span().filter(|_| server.host.origin.is_written())?;
    let end = telstack_diagnostics::Span::new(span.file, span.range().end, span.range().end);
    let edit = telstack_diagnostics::Edit { span: end, text: format!(" {words}") };
    let changes = vec![telstack_diagnostics::Change::Replace(edit)];
    let title = format!("add `{words}`");
    Some(finding.fix(if sure { Fix::safe(title, changes) } else { Fix::unsafe_(title, changes) }))
}

/// A frontend that takes no HTTP/2.
fn not_taken(cx: &Cx<'_>, frontend: &Frontend, door: &ProxyDoor) -> Option<Diagnostic> {
    let requests = frontend.layer.as_ref().filter(|it| it.value == Layer::Requests)?;
    if door.http2 != Known::Value(false) {
        return None;
    }
    let words = if door.tls == Known::Value(Tls::Off) { "proto h2" } else { "alpn h2,http/1.1" };
    let message = format!("`{}` takes no HTTP/2 on port {}, and gRPC is behind it", frontend.name, door.port);
    Some(
        cx.finding(message, &door.origin, "HTTP/1 only")
            .label(requests.span(), "takes HTTP requests")
            .help(format!("add `{words}` to the `bind` line")),
    )
}

/// Several servers of which each connection sees one.
fn pinned(cx: &Cx<'_>, id: NodeId, proxy: &Proxy, number: usize, all: &[Behind<'_>]) -> Option<Diagnostic> {
    let backend = &proxy.backends[number];
    let connections = backend.layer.as_ref().filter(|it| it.value == Layer::Connections)?;
    let balance = backend.balance.as_ref().filter(|_| !backend.by_client)?;
    // Who of the stack is pinned, N010 says.
    if backend.turns().is_none_or(|size| size < 2) || !proxies::clients(cx.system, id, number).is_empty() {
        return None;
    }
    let ends = |it: &Behind<'_>| {
        let Some(((_, node), listener)) = it.to.zip(it.listener) else { return true };
        proxies::beside(cx.facts, node, listener, MAX_AGE).is_none_or(|(_, set)| !set.is_absent())
    };
    if all.iter().any(ends) {
        return None;
    }
    let message = format!("`{}` spreads connections, and gRPC clients open one for good", backend.name);
    let mut finding = cx
        .finding(message, &balance.origin, "spreads clients, not what they send")
        .label(connections.span(), "hands on whole connections")
        .help(format!("let the receivers end old connections: `{MAX_AGE}: 60s`"))
        .help("or spread requests: `mode http` with `proto h2` on each server");
    if let Some(listener) = all.iter().find_map(|it| it.listener) {
        finding = finding.label(listener.origin.span(), "never ends a connection");
    }
    Some(finding)
}

/// Silent connections are cut.
fn cut(cx: &Cx<'_>, id: NodeId, proxy: &Proxy, number: usize) -> Option<Diagnostic> {
    let long = Period::parse(LONG)?;
    let clients = proxies::clients(cx.system, id, number);
    let keeps_alive = |(from, dial): &(NodeId, telstack_system::Dial)| {
        let exporter =
            dial.component.as_ref().and_then(|it| cx.system.node(*from).collector()?.component(it.kind, &it.id));
        exporter.is_none_or(|it| it.setting("keepalive").is_some())
    };
    if clients.iter().any(keeps_alive) {
        return None;
    }
    let short = |it: &Option<Sourced<Period>>| it.clone().filter(|it| it.value.millis() < long.millis());
    let client = proxy.before(number).find_map(|it| short(&it.idle));
    let server = short(&proxy.backends[number].idle);
    let (first, second): (Sourced<Period>, Option<&Origin>) = match (&client, &server) {
        (Some(client), Some(server)) => (client.clone(), Some(&server.origin)),
        (Some(one), None) | (None, Some(one)) => (one.clone(), None),
        (None, None) => return None,
    };
    let message = format!("gRPC connections that are silent for {} are cut", first.value);
    let mut finding = cx
        .finding(message, &first.origin, "a client that sends less often connects anew each time")
        .severity(Severity::Info)
        .help(format!("allow more for gRPC: `timeout client {LONG}` and `timeout server {LONG}`"))
        .help("or let clients say that they are still there: `keepalive: {time: 30s}` of the exporter");
    if let Some(second) = second {
        finding = finding.label(second.span(), "and this");
    }
    Some(repair::with(finding, None))
}

#[cfg(test)]
mod tests {
    use telstack_diagnostics::{Applicability, Severity};

    use crate::test_support::Bench;

    fn gateway(keepalive: &str) -> String {
        format!(
            "receivers: {{otlp: {{protocols: {{grpc: {{endpoint: '0.0.0.0:4317'{keepalive}}}}}}}}}\nexporters: {{debug: \
             }}\nservice: {{pipelines: {{traces: {{receivers: [otlp], exporters: [debug]}}}}}}"
        )
    }

    fn bench(cfg: &str) -> Bench {
        Bench::proxy(cfg, &[("gateway", &gateway(""))])
    }

    #[test]
    fn fails_where_grpc_is_spoken_to_in_http_1() {
        let cfg = "backend b\n mode http\n server s gateway:4317 check\n";
        let found = bench(cfg);
        assert_eq!(found.finds("H003", "gateway:4317"), Severity::Error);
        let after = cfg.replace("gateway:4317", "gateway:4317 proto h2");
        assert_eq!(found.fixes("H003", &after), Applicability::Safe);
        let unknown = bench(&cfg.replace("gateway", "elsewhere"));
        assert_eq!(unknown.finds("H003", "elsewhere:4317"), Severity::Warning);
    }

    #[test]
    fn fails_on_http_2_where_connections_are_handed_on() {
        let cfg = "backend b\n mode tcp\n server s gateway:4317 proto h2\n";
        assert_eq!(bench(cfg).finds("H003", "gateway:4317"), Severity::Error);
        bench(&cfg.replace(" mode tcp\n", "")).finds("H003", "gateway:4317");
        let front =
            "frontend f\n mode tcp\n bind :4317 proto h2\n default_backend b\nbackend b\n server s gateway:4319\n";
        assert_eq!(bench(front).finds("H003", ":4317"), Severity::Error);
        // What both ends agree on is theirs.
        bench(&cfg.replace("proto h2", "ssl verify none alpn h2")).silent("H003");
        bench(&front.replace("proto h2", "ssl crt x alpn h2")).silent("H003");
        bench(&cfg.replace("mode tcp", "mode http")).silent("H003");
    }

    #[test]
    fn passes_in_http_2() {
        for server in ["gateway:4317 proto h2", "gateway:4317 ssl verify none alpn h2", "gateway:8080"] {
            bench(&format!("backend b\n mode http\n server s {server}\n")).silent("H003");
        }
        bench("backend b\n server s gateway:4317\n").silent("H003");
    }

    #[test]
    fn warns_of_frontends_that_take_http_1_only() {
        let front = |bind: &str, more: &str| {
            format!(
                "frontend f\n mode http\n bind {bind}\n{more} default_backend b\nbackend b\n mode http\n server s \
                 gateway:4317 proto h2\n"
            )
        };
        assert_eq!(bench(&front(":4317 proto h1", "")).finds("H003", ":4317"), Severity::Warning);
        bench(&front(":4317 ssl crt x alpn http/1.1", "")).finds("H003", ":4317");
        bench(&front(":4317", " option disable-h2-upgrade\n")).finds("H003", ":4317");
        // The release decides.
        bench(&front(":4317 ssl crt x", "")).silent("H003");
        bench(&front(":4317", "")).silent("H003");
        bench(&front(":4317 ssl crt x alpn h2", "")).silent("H003");
    }

    #[test]
    fn warns_of_clients_that_stay_with_one_server() {
        let cfg = "backend b\n mode tcp\n balance roundrobin\n server s gateway:4317\n server t gateway:4317\n";
        assert_eq!(bench(cfg).finds("H003", "roundrobin"), Severity::Warning);
        bench(&cfg.replace(" balance roundrobin\n", "")).silent("H003");
        bench(&cfg.replace(" server t gateway:4317\n", "")).silent("H003");
        let ends = gateway(", keepalive: {server_parameters: {max_connection_age: 60s}}");
        Bench::proxy(cfg, &[("gateway", &ends)]).silent("H003");
        let unknown = gateway(", keepalive: '${env:K}'");
        Bench::proxy(cfg, &[("gateway", &unknown)]).silent("H003");
    }

    #[test]
    fn advises_to_keep_silent_connections() {
        let cfg =
            "frontend f\n bind :4317\n timeout client 60s\n default_backend b\nbackend b\n server s gateway:4317\n";
        assert_eq!(bench(cfg).finds("H003", "60s"), Severity::Info);
        bench(&cfg.replace("60s", "2h")).silent("H003");
        bench(&cfg.replace("4317\n", "4319\n")).silent("H003");
    }
}
