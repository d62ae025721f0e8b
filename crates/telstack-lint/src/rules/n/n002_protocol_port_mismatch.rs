use telstack_catalog::{ComponentKind, Signal, Version, otelcol, product::Product, sdk};
use telstack_diagnostics::{Fix, RuleInfo, Severity};
use telstack_system::{EnvValue, Listener, Protocol, Purpose, link};

use crate::{
    Cx, Rule,
    facts::{Arrival, Link, is_public},
    repair,
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
        silent: "The address comes from the environment. Of a target that is not part of the stack only the number of \
                 the port is known: a warning, where it is the usual one of the other form of OTLP. Queries, scrapes \
                 and probes are plain HTTP to each other. A program that has `OTEL_EXPORTER_OTLP_ENDPOINT` and no \
                 protocol speaks what its language speaks.",
        sources: &[
            "https://github.com/open-telemetry/opentelemetry-collector/issues/7680",
            "https://github.com/grafana/loki/issues/14037",
            "https://github.com/grafana/alloy/issues/4093",
        ],
    },
    check,
};

/// The receiver whose ports others take over.
const RECEIVER: &str = "otlp";

fn check(cx: &mut Cx<'_>) {
    by_convention(cx);
    // Scrapes are M004, and queries of Grafana G003.
    report(cx, |purpose| matches!(purpose, Purpose::Telemetry | Purpose::Alert | Purpose::Forward));
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
        let own = own_protocol(link);
        for right in to.listeners.iter().filter(|it| it.protocol == dial.protocol) {
            // The address is that of other signals too.
            finding = finding.help(match own.filter(|_| link.service.is_none()) {
                Some(own) => {
                    let bare = if dial.protocol == Protocol::OTLP_HTTP { "/v1/…" } else { "" };
                    format!("give that signal an address: `{}=http://{}:{}{bare}`", own.endpoint, dial.host, right.port)
                }
                None => link.way_to(right),
            });
        }
        match own.map(|it| it.protocol.as_str()).or_else(|| said_by(link)) {
            Some(variable) => {
                let word = sdk::protocol_word(stranger.protocol.0);
                let help = word.map(|word| format!("or let the program speak {spoken}: `{variable}={word}`"));
                finding.help.extend(help);
            }
            None if finding.help.is_empty() => {
                // For telemetry there is one.
                let takes = to.listeners.iter().any(|it| it.port == stranger.port && !it.signals.is_empty());
                let any = takes.then(|| format!("use an exporter that speaks {spoken}"));
                finding.help.extend(exporter_for(cx, link).or(any));
            }
            None => {}
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
        let fix =
            repair::port(link).filter(|_| own.is_none()).map(|it| Fix::unsafe_("dial the port that speaks it", it));
        cx.report(repair::with(link.shows_the_way(finding), fix));
    }
}

/// The usual exporter for a door of the other end that takes the signals that flow, with the address to write.
fn exporter_for(cx: &Cx<'_>, link: &Link<'_>) -> Option<String> {
    let component = link.dial.component.as_ref()?;
    let version = link.from.version()?;
    let collector = link.from.collector().filter(|_| link.service.is_none() && link.through.is_none())?;
    let part = cx.facts.named(link.from_id, component.kind, &component.id)?;
    let takes = |it: &&Listener| link.signals.iter().all(|signal| it.signals.contains(signal));
    let doors = link.to.listeners.iter().filter(|_| !link.signals.is_empty()).filter(takes);
    let ships = |name: &str| collector.ships(ComponentKind::Exporter, name, version);
    let named = doors.filter_map(|door| {
        let exporter = otelcol::plain_exporters(door.protocol.0).into_iter().find(|it| ships(it.name_at(version)))?;
        let otlp = [Protocol::OTLP_HTTP, Protocol::OTLP_GRPC].contains(&door.protocol);
        let path = door.base.as_deref().or(door.path.as_deref()).unwrap_or_default();
        let scheme = if door.protocol.is_grpc() { "" } else { "http://" };
        let address = format!("{scheme}{}:{}{}", link.dial.host, door.port, path.trim_end_matches('/'));
        Some((
            !otlp,
            format!(
                "use the exporter `{}` with `{}: {address}`",
                exporter.name_at(version),
                exporter.address_setting()
            ),
        ))
    });
    let best = named.min_by_key(|(other, _)| *other).map(|(_, help)| help);
    best.filter(|_| part.usable().is_some())
}

/// The variable by which a program is told the protocol, if it was told where to send by one.
fn said_by(link: &Link<'_>) -> Option<&'static str> {
    let endpoint = link.told_by()?;
    let variables = &link.from.container.as_ref()?.env;
    let own = sdk::signal_of(&endpoint.name).and_then(sdk::of_signal);
    let set = |it: &&sdk::Variables| variables.iter().any(|variable| variable.name == it.protocol);
    Some(&own.filter(set).unwrap_or(sdk::shared()).protocol)
}

/// The variables of the signal for which a program is told another protocol than for the rest, at the address of all.
fn own_protocol(link: &Link<'_>) -> Option<&'static sdk::Variables> {
    if sdk::signal_of(&link.told_by()?.name).is_some() {
        return None;
    }
    let variables = &link.from.container.as_ref()?.env;
    let says = |name: &str| {
        let variable = variables.iter().rev().find(|it| it.name == name)?;
        let EnvValue::Literal(text) = &variable.value else { return None };
        sdk::protocol(text)
    };
    let mut signals = Signal::ALL.iter().filter_map(|signal| sdk::of_signal(*signal));
    signals.find(|it| says(&it.protocol) == Some(link.dial.protocol.0))
}

/// Of something outside only the number of the port speaks.
fn by_convention(cx: &mut Cx<'_>) {
    for part in cx.facts.parts.iter().filter(|part| part.component.kind == ComponentKind::Exporter && part.runs()) {
        let Some((_, version)) = part.usable() else { continue };
        for (dial, _) in link::exporter_dials(part.component, Some(version)) {
            let other = match dial.protocol {
                Protocol::OTLP_GRPC => Protocol::OTLP_HTTP,
                Protocol::OTLP_HTTP => Protocol::OTLP_GRPC,
                _ => continue,
            };
            let known = cx.system.reached(part.id, &dial.host, dial.port).map(|id| cx.system.node(id));
            let outside = known.is_none_or(|node| node.container.is_none() && node.listeners.is_empty());
            // A Service may lead anywhere.
            let inside = cx.system.cluster.is_some() && !is_public(&dial.host);
            if !outside || inside || usual(other, version) != Some(dial.port) {
                continue;
            }
            let message = format!("{} speaks {} to port {}", part.title(), dial.protocol, dial.port);
            let mut finding =
                cx.finding(message, &dial.origin, format!("usually the port of {other}")).severity(Severity::Warning);
            if let Some(port) = usual(dial.protocol, version) {
                finding = finding.help(format!("dial port {port}, if it is the usual one"));
            }
            cx.report_once(finding.help(format!("or use an exporter that speaks {other}")));
        }
    }
}

/// The port that receivers of OTLP have for a protocol where nothing else is written.
fn usual(protocol: Protocol, version: Version) -> Option<u16> {
    let receiver = otelcol::component(ComponentKind::Receiver, RECEIVER)?;
    receiver.listens(version).into_iter().find(|it| it.protocol == Some(protocol.0))?.port
}

/// Everything that is spoken on the port.
fn spoken_at(link: &Link<'_>, first: &Listener) -> String {
    let here = || link.to.listeners.iter().filter(|it| it.port == first.port);
    // Scrapes and queries are plain HTTP.
    let plain = here().any(|it| it.protocol == Protocol::HTTP);
    let mut spoken = Vec::new();
    for listener in here().filter(|it| !plain || it.protocol == Protocol::HTTP || !it.signals.is_empty()) {
        if !spoken.contains(&listener.protocol) {
            spoken.push(listener.protocol);
        }
    }
    spoken.iter().map(ToString::to_string).collect::<Vec<_>>().join(" and ")
}

#[cfg(test)]
mod tests {
    use telstack_diagnostics::{Applicability, Severity};

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
    fn names_that_a_link_gives() {
        let linked = |links: &str, host: &str| {
            let compose = format!(
                "services:\n  c:\n    image: otel/opentelemetry-collector-contrib:0.150.0\n    volumes: \
                 ['./o.yaml:/etc/otelcol-contrib/config.yaml']\n  app:\n    image: app\n{links}    environment: {{OTEL_EXPORTER_OTLP_ENDPOINT: \
                 'http://{host}:4318', OTEL_EXPORTER_OTLP_PROTOCOL: grpc}}\n  other:\n    image: app\n    links: \
                 ['c:theirs']\n"
            );
            let config = "receivers: {otlp: {protocols: {grpc: {endpoint: '0.0.0.0:4317'}, http: {endpoint: \
                          '0.0.0.0:4318'}}}}\nexporters: {debug: }\nservice: {pipelines: {traces: {receivers: [otlp], \
                          exporters: [debug]}}}\n";
            Bench::project(&[("compose.yaml", &compose), ("o.yaml", config)])
        };
        let links = "    links: ['c:telemetry']\n";
        linked(links, "telemetry").finds("N002", "'http://telemetry:4318'");
        linked(links, "c").finds("N002", "'http://c:4318'");
        // Another service's name for it, and no name of its own.
        linked(links, "theirs").silent("N002");
        linked("    links: [c]\n", "telemetry").silent("N002");
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

    #[test]
    fn warns_where_only_the_number_speaks() {
        let sends = |settings: &str| Bench::exporter("0.158.0", settings);
        let found = sends("otlp_grpc: {endpoint: 'gw.example.com:4318'}").finds("N002", "'gw.example.com:4318'");
        assert_eq!(found, Severity::Warning);
        sends("otlp_http: {endpoint: 'https://gw.example.com:4317'}").finds("N002", "'https://gw.example.com:4317'");
        sends("otlp_grpc: {endpoint: 'gw.example.com:443'}").silent("N002");
        sends("otlp_http: {endpoint: 'https://gw.example.com:4318'}").silent("N002");
    }

    #[test]
    fn names_the_exporter_that_fits() {
        let compose = "services:\n  otel:\n    image: otel/opentelemetry-collector:0.158.0\n    volumes: \
                       ['./o.yaml:/etc/otelcol/config.yaml']\n  loki:\n    image: grafana/loki:3.5.0\n";
        let otel = "receivers: {otlp: {protocols: {grpc: }}}\nexporters: {otlp_grpc: {endpoint: 'loki:3100', tls: {insecure: \
                    true}}}\nservice: {pipelines: {logs: {receivers: [otlp], exporters: [otlp_grpc]}}}\n";
        let bench = Bench::project(&[("compose.yaml", compose), ("o.yaml", otel)]);
        bench.finds("N002", "'loki:3100'");
        let helps = bench.helps("N002");
        assert_eq!(helps, ["use the exporter `otlp_http` with `endpoint: http://loki:3100/otlp`"]);
    }

    #[test]
    fn one_signal_of_a_program_has_a_protocol_of_its_own() {
        let compose = "services:\n  app:\n    image: acme/app:1\n    environment: {OTEL_EXPORTER_OTLP_ENDPOINT: \
                       'http://otel:4318', OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: grpc}\n  otel:\n    image: \
                       otel/opentelemetry-collector:0.158.0\n    volumes: ['./o.yaml:/etc/otelcol/config.yaml']\n";
        let otel = "receivers: {otlp: {protocols: {grpc: {endpoint: '0.0.0.0:4317'}, http: {endpoint: '0.0.0.0:4318'}}}}\n\
                    exporters: {debug: }\nservice: {pipelines: {traces: {receivers: [otlp], exporters: [debug]}}}\n";
        let bench = Bench::project(&[("compose.yaml", compose), ("o.yaml", otel)]);
        bench.leaves("N002");
        assert_eq!(
            bench.helps("N002"),
            [
                "give that signal an address: `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=http://otel:4317`",
                "or let the program speak OTLP over HTTP: `OTEL_EXPORTER_OTLP_TRACES_PROTOCOL=http/protobuf`"
            ]
        );
    }

    #[test]
    fn the_port_that_speaks_it_can_be_dialled() {
        let compose = "services:\n  otel:\n    image: otel/opentelemetry-collector:0.158.0\n    volumes: \
                       ['./o.yaml:/etc/otelcol/config.yaml']\n  jaeger: {image: 'jaegertracing/all-in-one:1.53.0'}\n";
        let otel = |port: &str| {
            format!(
                "receivers: {{otlp: {{protocols: {{grpc: }}}}}}\nexporters:\n  otlp_grpc:\n    endpoint: \"jaeger:{port}\" # \
                 traces\n    tls: {{insecure: true}}\nservice: {{pipelines: {{traces: {{receivers: [otlp], exporters: \
                 [otlp_grpc]}}}}}}\n"
            )
        };
        for (code, wrong) in [("N002", "4318"), ("N003", "4319")] {
            let bench = Bench::project(&[("compose.yaml", compose), ("o.yaml", &otel(wrong))]);
            assert_eq!(bench.fixed(code, &otel("4317")), Applicability::Unsafe);
        }
    }
}
