use telstack_catalog::product::Product;
use telstack_diagnostics::{RuleInfo, Severity};
use telstack_system::{Listener, Purpose};

use crate::{
    Cx, Rule,
    facts::{Arrival, Link},
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
        silent: "The target is not part of the stack, or its address comes from the environment. Queries, scrapes and \
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
    // Scrapes are M004, and queries of Grafana G003.
    report(cx, |purpose| matches!(purpose, Purpose::Telemetry | Purpose::Alert));
}

/// Reports links for some purpose that are answered in another protocol.
pub(crate) fn report(cx: &mut Cx<'_>, concerns: impl Fn(Purpose) -> bool) {
    let facts = cx.facts;
    for link in facts.links.iter().filter(|it| concerns(it.purpose)) {
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
}

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
