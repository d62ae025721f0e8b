use telstack_catalog::{ComponentKind, otelcol, product::Product};
use telstack_diagnostics::{RuleInfo, Severity};
use telstack_system::{Listener, Protocol, link};

use crate::{
    Cx, Rule,
    facts::{Arrival, Link},
    words::is_reference,
};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        code: "N002",
        name: "protocol-port-mismatch",
        severity: Severity::Error,
        summary: "The dialled port is open, but what listens there speaks another protocol.",
        why: "A gRPC client and an HTTP server do not understand each other's first bytes: the connection breaks with \
              a message about HTTP/2 frames or a malformed response, and the exporter retries for ever. Two HTTP \
              protocols on one port end in 404 or 415.",
        bad: r#"collector "agent" {
    receiver "otlp"
    exporter "otlp_grpc" { endpoint "loki:3100"; tls insecure=#true }   // Loki speaks HTTP there
    pipeline "logs" { from "otlp"; to "otlp_grpc" }
}"#,
        good: r#"collector "agent" {
    receiver "otlp"
    exporter "otlp_http" { endpoint "http://loki:3100/otlp" }
    pipeline "logs" { from "otlp"; to "otlp_http" }
}"#,
        silent: "The target's address comes from the environment. Of a target that is not part of the stack only OTLP's own ports are \
                 known, and a mix-up of those is a warning. Queries, scrapes and \
                 probes are plain HTTP to each other.",
        sources: &[
            "https://github.com/open-telemetry/opentelemetry-collector/issues/7680",
            "https://github.com/grafana/loki/issues/14037",
            "https://github.com/grafana/alloy/issues/4093",
        ],
    },
    check,
};

fn check(cx: &mut Cx<'_>) {
    for link in &cx.facts.links {
        let Arrival::Stranger(stranger) = link.arrival else { continue };
        let (dial, to) = (&link.dial, link.to);
        let spoken = spoken_at(link, stranger);
        let message =
            format!("{} speaks {} to `{}`, which speaks {spoken}", link.dialer(), dial.protocol, link.address());
        let mut finding = cx
            .finding(message, &dial.origin, format!("dials port {} with {}", dial.port, dial.protocol))
            .label(stranger.origin.span(), format!("port {} of {} speaks {spoken}", stranger.port, to.title()));
        for right in to.listeners.iter().filter(|it| it.protocol == dial.protocol) {
            finding = finding.help(link.way_to(right));
        }
        if finding.help.is_empty() {
            finding = finding.help(format!("use an exporter that speaks {spoken}"));
        }
        if let Some(better) = link.better() {
            finding = finding.help(better);
        }
        let refuses = |product: &Product| {
            let endpoints = to.version().map_or_else(Vec::new, |version| product.endpoints(version));
            !product.rejects().is_empty() && !endpoints.iter().any(|it| it.protocol == dial.protocol.0)
        };
        if let Some(product) = to.product().filter(refuses) {
            finding = finding.note(format!("{product} does not take {}", product.rejects().join("; ")));
        }
        cx.report(link.shows_the_way(finding));
    }
    by_convention(cx);
}

/// Of a host that nobody sees, the number of the port alone says what is spoken there.
fn by_convention(cx: &mut Cx<'_>) {
    for part in cx.facts.parts.iter().filter(|part| part.component.kind == ComponentKind::Exporter && part.runs()) {
        let Some((_, version)) = part.usable() else { continue };
        let doors = otelcol::component(ComponentKind::Receiver, OTLP).map(|it| it.listens(version)).unwrap_or_default();
        for (dial, _) in link::exporter_dials(part.component, Some(version)) {
            let speaks = |it: &&otelcol::Listen| it.protocol == Some(dial.protocol.0);
            let Some(right) = doors.iter().find(speaks) else { continue };
            let Some(wrong) = doors.iter().find(|it| it.port == Some(dial.port) && !speaks(it)) else { continue };
            // Who is seen has been judged; what else the same number means to others is theirs.
            let judged = cx.facts.links.iter().any(|link| link.from_id == part.id && link.dial.origin == dial.origin);
            if judged || cx.system.answering(&dial.host).is_some() || is_reference(&dial.host) {
                continue;
            }
            let spoken = wrong.protocol.map_or_else(String::new, |it| Protocol(it).to_string());
            let message = format!(
                "{} speaks {} to port {}, on which others speak {spoken}",
                part.title(),
                dial.protocol,
                dial.port
            );
            let mut finding = cx
                .finding(message, &dial.origin, format!("dials port {} with {}", dial.port, dial.protocol))
                .severity(Severity::Warning);
            if let Some(port) = right.port {
                finding = finding.help(format!("dial port {port}, if that is open there"));
            }
            cx.report(finding.help(format!("or use an exporter that speaks {spoken}")));
        }
    }
}

/// The receiver whose ports everybody uses for OTLP.
const OTLP: &str = "otlp";

/// Everything that is spoken on the port.
fn spoken_at(link: &Link<'_>, first: &Listener) -> String {
    let mut spoken = Vec::new();
    for listener in link.to.listeners.iter().filter(|it| it.port == first.port) {
        if !spoken.contains(&listener.protocol) {
            spoken.push(listener.protocol);
        }
    }
    spoken.iter().map(ToString::to_string).collect::<Vec<_>>().join(" and ")
}

#[cfg(test)]
mod tests {
    use telstack_diagnostics::Severity;
    use telstack_system::Protocol;

    use crate::test_support::Bench;

    #[test]
    fn fails_when_http_meets_grpc() {
        let bench = Bench::link(|edge, _| edge.dial.as_mut().expect("dial").protocol = Protocol::OTLP_HTTP);
        bench.finds("N002", "dials");
        bench.silent("N005");
        bench.silent("N006");
    }

    #[test]
    fn warns_of_the_other_port_of_a_host_that_nobody_sees() {
        let sends = |exporter: &str| {
            let name = exporter.split_once(':').map_or(exporter, |(name, _)| name);
            let yaml = format!(
                "exporters: {{{exporter}}}\nservice: {{pipelines: {{traces: {{receivers: [otlp], exporters: [{name}]}}}}}}"
            );
            Bench::collector("0.158.0", &yaml)
        };
        let severity = sends("otlp_http: {endpoint: 'http://tempo:4317'}").finds("N002", "'http://tempo:4317'");
        assert_eq!(severity, Severity::Warning);
        sends("otlp_grpc: {endpoint: 'tempo:4318'}").finds("N002", "'tempo:4318'");
        sends("otlp_http: {endpoint: 'http://tempo:4318'}").silent("N002");
        sends("otlp_http: {endpoint: 'http://tempo:9999'}").silent("N002");
        sends("otlp_http: {endpoint: 'http://${env:GW}:4317'}").silent("N002");
    }

    #[test]
    fn passes_when_both_speak_the_same() {
        Bench::link(|_, _| {}).silent("N002");
    }

    #[test]
    fn silent_for_scrapes_of_plain_http_and_for_hosts_elsewhere() {
        Bench::link(|edge, listener| {
            edge.dial.as_mut().expect("dial").protocol = Protocol::EXPOSITION;
            listener.protocol = Protocol::HTTP;
        })
        .silent("N002");
        Bench::link(|edge, _| {
            let dial = edge.dial.as_mut().expect("dial");
            dial.protocol = Protocol::OTLP_HTTP;
            dial.host = "${env:GATEWAY}".to_owned();
        })
        .silent("N002");
    }
}
