//! Exporters whose endpoint was written out and names a node of the stack. No edge was declared, but a link
//! is what it is.

use telstack_catalog::{ComponentKind, otelcol};
use telstack_system::{Collector, Component, Dial, Known, NodeId, Protocol, System, Tls, Value};

use crate::words::is_reference;

/// Who dials what.
pub(super) fn dials(system: &System) -> Vec<(NodeId, Dial, NodeId)> {
    let mut dials = Vec::new();
    for (from, _, collector) in system.collectors() {
        for exporter in collector.of_kind(ComponentKind::Exporter) {
            if serves_an_edge(system, from, exporter) || collector.pipelines_with(exporter).next().is_none() {
                continue;
            }
            for dial in written(collector, exporter) {
                if let Some(to) = system.find(&dial.host) {
                    dials.push((from, dial, to));
                }
            }
        }
    }
    dials
}

fn serves_an_edge(system: &System, from: NodeId, exporter: &Component) -> bool {
    let mut dialled =
        system.edges().filter(|(_, source, ..)| *source == from).filter_map(|(_, _, edge, _)| edge.exporter());
    dialled.any(|id| *id == exporter.id)
}

/// What an exporter dials, as far as its settings say.
fn written(collector: &Collector, exporter: &Component) -> Vec<Dial> {
    let Some(protocol) = exporter.fact().and_then(otelcol::Component::protocol).map(Protocol) else {
        return Vec::new();
    };
    let mut dials: Vec<Dial> =
        exporter.setting("endpoint").and_then(|it| dial(exporter, protocol, it)).into_iter().collect();
    if protocol == Protocol::OTLP_HTTP {
        // An endpoint for one signal is the whole address; only signals that it sends count.
        for pipeline in collector.pipelines_with(exporter) {
            let Some(endpoint) = exporter.setting(&format!("{}_endpoint", pipeline.signal)) else { continue };
            let Some(mut dial) = dial(exporter, protocol, endpoint) else { continue };
            let end = format!("/v1/{}", pipeline.signal);
            if dial.path.ends_with(&end) {
                dial.path.truncate(dial.path.len() - end.len());
            }
            if !dials.contains(&dial) {
                dials.push(dial);
            }
        }
    }
    dials
}

fn dial(exporter: &Component, protocol: Protocol, endpoint: &Value) -> Option<Dial> {
    let text = endpoint.as_str().filter(|text| !is_reference(text))?;
    let (scheme, rest) = text.split_once("://").unwrap_or(("", text));
    let (authority, path) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) => (host, port.parse().ok()?),
        None => (authority, scheme_port(scheme)?),
    };
    Some(Dial {
        component: Some(exporter.reference()),
        protocol,
        host: host.to_owned(),
        port,
        path: path.to_owned(),
        tls: tls(exporter, protocol, scheme),
        tenant: None,
        origin: endpoint.mark.clone(),
    })
}

fn scheme_port(scheme: &str) -> Option<u16> {
    match scheme {
        "http" => Some(80),
        "https" => Some(443),
        _ => None,
    }
}

/// HTTP goes by the scheme. gRPC encrypts unless told otherwise, and always when the scheme is `https`;
/// `http` alone does not switch it off.
fn tls(exporter: &Component, protocol: Protocol, scheme: &str) -> Known<Tls> {
    let mutual = if exporter.setting("tls.cert_file").is_some() { Tls::Mutual } else { Tls::On };
    match (protocol.is_grpc(), scheme) {
        (_, "https") => Known::Value(mutual),
        (false, "http") => Known::Value(Tls::Off),
        (false, _) => Known::Unknown,
        (true, _) if exporter.setting("tls").is_some_and(|it| it.as_str().is_some()) => Known::Unknown,
        (true, _) => match exporter.truth("tls.insecure") {
            Known::Value(true) => Known::Value(Tls::Off),
            Known::Value(false) | Known::Absent => Known::Value(mutual),
            Known::Unknown => Known::Unknown,
        },
    }
}

#[cfg(test)]
mod tests {
    use telstack_catalog::Distribution;
    use telstack_system::Protocol;

    use crate::test_support::Bench;

    /// `gateway` takes OTLP over gRPC on 4317 and over HTTP on 4318, in plain text.
    fn agent(exporters: &str, name: &str) -> Bench {
        let mut bench = Bench::new("grpc http");
        let yaml = format!(
            "exporters: {{{exporters}}}\n\
             service: {{pipelines: {{traces: {{receivers: [otlp], exporters: [{name}]}}}}}}"
        );
        bench.add_collector("agent", Distribution::Contrib, "0.158.0", &yaml);
        let gateway = bench.add_collector("gateway", Distribution::Contrib, "0.158.0", "");
        let mut http = bench.listener("otlp-http", 4318, "http");
        http.protocol = Protocol::OTLP_HTTP;
        let grpc = bench.listener("otlp-grpc", 4317, "grpc");
        bench.node(gateway).listeners = vec![grpc, http];
        bench
    }

    #[test]
    fn a_written_endpoint_is_followed() {
        agent("otlp_http: {endpoint: 'http://gateway:4317'}", "otlp_http").finds("N002", "'http://gateway:4317'");
        agent("otlp_http: {endpoint: 'http://gateway:4319'}", "otlp_http").finds("N003", "'http://gateway:4319'");
        agent("otlp_http: {traces_endpoint: 'http://gateway:4318/x'}", "otlp_http")
            .finds("N005", "'http://gateway:4318/x'");
        agent("otlp_grpc: {endpoint: 'gateway:4317'}", "otlp_grpc").finds("N006", "'gateway:4317'");
        agent("otlp_grpc: {endpoint: 'http://gateway:4317'}", "otlp_grpc").finds("N006", "'http://gateway:4317'");
    }

    #[test]
    fn what_fits_is_not_reported() {
        for (exporters, name) in [
            ("otlp_http: {endpoint: 'http://gateway:4318'}", "otlp_http"),
            ("otlp_http: {traces_endpoint: 'http://gateway:4318/v1/traces'}", "otlp_http"),
            ("otlp_grpc: {endpoint: 'gateway:4317', tls: {insecure: true}}", "otlp_grpc"),
            ("otlp_grpc: {endpoint: 'elsewhere:1'}", "otlp_grpc"),
            ("otlp_grpc: {endpoint: '${env:GATEWAY}:1'}", "otlp_grpc"),
            ("otlp_http: {endpoint: 'http://gateway:4317'}", "debug"),
        ] {
            let bench = agent(exporters, name);
            for code in ["N002", "N003", "N005", "N006"] {
                bench.silent(code);
            }
        }
    }
}
