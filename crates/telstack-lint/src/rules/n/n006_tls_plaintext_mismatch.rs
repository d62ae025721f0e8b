use telstack_catalog::{ComponentKind, sdk};
use telstack_diagnostics::{Change, Diagnostic, Fix, RuleInfo, Severity};
use telstack_syntax::tree::Kind;
use telstack_system::{Known, Protocol, Tls, Value, link::Address};

use crate::{
    Cx, Rule,
    facts::{Link, is_public, mesh_marker},
    repair,
};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        code: "N006",
        name: "tls-plaintext-mismatch",
        severity: Severity::Error,
        summary: "One end of a link encrypts and the other does not.",
        why: "The handshake fails before the first byte of data: `first record does not look like a TLS handshake` on \
              one side, a closed connection on the other. gRPC exporters encrypt unless `tls.insecure` is true; HTTP \
              exporters go by the scheme of the address.",
        bad: r#"collector "agent" {
    receiver "otlp"
    exporter "otlp_http" { endpoint "https://loki:3100/otlp" }   // Loki has no certificate
    pipeline "logs" { from "otlp"; to "otlp_http" }
}"#,
        good: r#"collector "agent" {
    receiver "otlp"
    exporter "otlp_http" { endpoint "http://loki:3100/otlp" }
    pipeline "logs" { from "otlp"; to "otlp_http" }
}"#,
        silent: "Either end is not known, or the link does not arrive at all (N002, N003). The pods are in a mesh. Plain text to port 443 of \
                 something outside is a warning.",
        sources: &[
            "https://github.com/open-telemetry/opentelemetry-collector/issues/11630",
            "https://github.com/open-telemetry/opentelemetry-helm-charts/issues/87",
        ],
    },
    check,
};

fn check(cx: &mut Cx<'_>) {
    for link in &cx.facts.links {
        if let Some(finding) = by_convention(cx, link) {
            cx.report_once(finding);
        }
    }
    for link in &cx.facts.links {
        let Some(listener) = link.peer() else { continue };
        let (Known::Value(client), Known::Value(server)) = (link.dial.tls, listener.tls) else { continue };
        let (sends, takes) = (client != Tls::Off, server != Tls::Off);
        if sends == takes {
            continue;
        }
        // What a mesh does between its pods, the files do not say.
        if [link.from, link.to].iter().any(|it| mesh_marker(cx.system, it).is_some()) {
            continue;
        }
        let word = |tls| if tls { "TLS" } else { "plain text" };
        let message = format!(
            "{} dials `{}` with {}, but {} expects {}",
            link.dialer(),
            link.address(),
            word(sends),
            link.to.title(),
            word(takes)
        );
        let mut finding = cx
            .finding(message, &link.dial.origin, format!("{} from here", word(sends)))
            .label(listener.origin.span(), format!("{} expected here", word(takes)));
        finding = match (link.dial.protocol.is_grpc(), takes) {
            _ if link.dial.protocol == Protocol::KAFKA && takes => {
                finding.help("let the collector encrypt: `tls: {ca_file: …}`")
            }
            _ if link.dial.protocol == Protocol::KAFKA => finding.help("take the `tls` block out of its settings"),
            _ if link.dial.protocol == Protocol::ANY && takes => finding.help("add `ssl` to the line of the server"),
            _ if link.dial.protocol == Protocol::ANY => finding.help("take `ssl` off the line of the server"),
            (_, true) if let Some(variables) = told_by(link) => {
                finding.help(format!("write `https://`, and name the authority's file in `{}`", variables.certificate))
            }
            (_, false) if told_by(link).is_some() => finding.help("write the address with `http://`"),
            (true, true) => finding.help("set `tls.insecure` of the exporter to false, and its `tls.ca_file`"),
            (true, false) if https(link) && insecure(link) => {
                finding.help("leave `https://` out: it asks for TLS, whatever `tls.insecure` says")
            }
            (true, false) if https(link) => {
                finding.help("leave `https://` out, and set `tls.insecure` of the exporter to true")
            }
            (true, false) => finding.help("set `tls.insecure` of the exporter to true"),
            (false, true) => finding.help("write the address with `https://`"),
            (false, false) => finding.help("write the address with `http://`"),
        };
        if !takes {
            finding = finding.help(format!("give `{}` a certificate, so that it listens with TLS", link.to.name));
        }
        if takes && let Some(own) = link.to.tls() {
            let ca = format!(
                "`{}` is vouched for by `{}`: name it in the exporter's `tls.ca_file`",
                link.to.name, own.ca.value
            );
            finding = finding.note(ca);
        }
        if let Some(better) = link.better() {
            finding = finding.help(better);
        }
        let fix =
            plain(link).filter(|_| !takes && link.through.is_none()).map(|it| Fix::unsafe_("send in plain text", it));
        cx.report(repair::with(link.shows_the_way(finding), fix));
    }
}

/// The variables that tell a program where to send, if it is one that is told so.
fn told_by(link: &Link<'_>) -> Option<&'static sdk::Variables> {
    let variable = link.told_by()?;
    Some(sdk::signal_of(&variable.name).and_then(sdk::of_signal).unwrap_or(sdk::shared()))
}

/// Of something outside only the number of the port speaks. A public address is X003's.
fn by_convention(cx: &Cx<'_>, link: &Link<'_>) -> Option<Diagnostic> {
    let outside = link.to.container.is_none() && link.service.is_none() && !is_public(&link.dial.host);
    let plain = link.dial.tls == Known::Value(Tls::Off) && link.dial.component.is_some();
    if !outside || !plain || link.dial.port != Address::parse(&link.dial.host)?.port_or_default() {
        return None;
    }
    let message = format!("{} sends in plain text to port {}", link.dialer(), link.dial.port);
    Some(
        cx.finding(message, &link.dial.origin, "usually a port that expects TLS")
            .severity(Severity::Warning)
            .help(if link.dial.protocol.is_grpc() { "leave `tls.insecure` out" } else { "write `https://`" }),
    )
}

fn setting<'a>(link: &Link<'a>, name: &str) -> Option<&'a Value> {
    let id = &link.dial.component.as_ref()?.id;
    link.from.collector()?.component(ComponentKind::Exporter, id)?.setting(name)
}

/// Does the address ask for TLS, whatever the settings say?
fn https(link: &Link<'_>) -> bool {
    setting(link, "endpoint").and_then(|it| it.as_str()).is_some_and(|it| it.starts_with("https:"))
}

fn insecure(link: &Link<'_>) -> bool {
    setting(link, "tls.insecure").is_some_and(|it| matches!(it.kind, Kind::Bool(true)))
}

/// The exporter sends in plain text.
fn plain(link: &Link<'_>) -> Option<Vec<Change>> {
    let id = &link.dial.component.as_ref()?.id;
    let exporter = link.from.collector()?.component(ComponentKind::Exporter, id)?;
    if !link.dial.protocol.is_grpc() {
        return repair::word(&link.dial.origin, "https://", "http://");
    }
    exporter.setting("endpoint")?.as_str()?;
    let mut changes = Vec::new();
    if https(link) {
        changes.extend(repair::word(&link.dial.origin, "https://", "")?);
    }
    if !insecure(link) {
        changes.extend(repair::set(&exporter.origin, &exporter.settings, "tls.insecure", "true")?);
    }
    Some(changes)
}

#[cfg(test)]
mod tests {
    use telstack_diagnostics::{Applicability, Severity};

    use telstack_system::{Known, Sourced, Tls, WorkloadKind};

    use crate::test_support::Bench;

    #[test]
    fn fails_when_only_one_end_encrypts() {
        Bench::link(|edge, _| edge.dial.as_mut().expect("dial").tls = Known::Value(Tls::On)).finds("N006", "dials");
        Bench::link(|_, listener| listener.tls = Known::Value(Tls::On)).finds("N006", "dials");
    }

    #[test]
    fn passes_when_both_do() {
        Bench::link(|edge, listener| {
            edge.dial.as_mut().expect("dial").tls = Known::Value(Tls::On);
            listener.tls = Known::Value(Tls::Mutual);
        })
        .silent("N006");
    }

    #[test]
    fn silent_when_one_end_is_not_known() {
        Bench::link(|edge, _| edge.dial.as_mut().expect("dial").tls = Known::Unknown).silent("N006");
        Bench::link(|_, listener| listener.tls = Known::Absent).silent("N006");
    }

    #[test]
    fn silent_in_a_mesh() {
        for (key, value, found) in [("sidecar.istio.io/inject", "true", 0), ("sidecar.istio.io/inject", "false", 1)] {
            let mut bench = Bench::link(|edge, _| edge.dial.as_mut().expect("dial").tls = Known::Value(Tls::On));
            let marker = Sourced::new(value.to_owned(), bench.at("binds"));
            bench.in_pod(WorkloadKind::Deployment).labels.insert(key.to_owned(), marker);
            assert_eq!(bench.found().iter().filter(|it| it.0 == "N006").count(), found, "{value}");
        }
    }

    #[test]
    fn warns_where_only_the_number_speaks() {
        let project = |endpoint: &str| {
            let compose = "services:\n  otel:\n    image: otel/opentelemetry-collector:0.158.0\n    volumes: \
                           ['./o.yaml:/etc/otelcol/config.yaml']\n";
            let otel = format!(
                "receivers: {{otlp: {{protocols: {{grpc: }}}}}}\nexporters: {{otlp_grpc: {{endpoint: '{endpoint}', tls: {{insecure: \
                 true}}}}}}\nservice: {{pipelines: {{traces: {{receivers: [otlp], exporters: [otlp_grpc]}}}}}}\n"
            );
            Bench::project(&[("compose.yaml", compose), ("o.yaml", &otel)])
        };
        assert_eq!(project("hub.internal:443").finds("N006", "'hub.internal:443'"), Severity::Warning);
        project("hub.internal:4317").silent("N006");
        project("otlp.vendor.com:443").silent("N006");
    }

    #[test]
    fn programs_are_told_by_variables() {
        let compose = "services:\n  app:\n    image: acme/app:1\n    environment: {OTEL_EXPORTER_OTLP_ENDPOINT: \
                       'http://otel:5317', OTEL_EXPORTER_OTLP_PROTOCOL: grpc}\n  otel:\n    image: \
                       otel/opentelemetry-collector:0.158.0\n    volumes: ['./o.yaml:/etc/otelcol/config.yaml']\n";
        let otel = "receivers: {otlp: {protocols: {grpc: {endpoint: '0.0.0.0:5317', tls: {cert_file: /c, key_file: \
                    /k}}}}}\nexporters: {debug: }\nservice: {pipelines: {traces: {receivers: [otlp], exporters: [debug]}}}\n";
        let bench = Bench::project(&[("compose.yaml", compose), ("o.yaml", otel)]);
        bench.finds("N006", "'http://otel:5317'");
        let helps = bench.helps("N006");
        assert!(helps.len() == 1 && helps[0].contains("OTEL_EXPORTER_OTLP_CERTIFICATE"), "{helps:?}");
    }

    #[test]
    fn silent_about_what_stood_outside_of_tls() {
        let project = |insecure: &str| {
            let collector = |name: &str| {
                let mount = format!("['./{name}.yaml:/etc/otelcol/config.yaml']");
                format!("  {name}:\n    image: otel/opentelemetry-collector:0.28.0\n    volumes: {mount}\n")
            };
            let compose = format!("services:\n{}{}", collector("agent"), collector("hub"));
            let end = |name: &str| {
                format!("service: {{pipelines: {{traces: {{receivers: [otlp], exporters: [{name}]}}}}}}\n")
            };
            let receivers = "receivers: {otlp: {protocols: {grpc: }}}\n";
            let agent = format!("{receivers}exporters: {{otlp: {{endpoint: 'hub:4317'{insecure}}}}}\n{}", end("otlp"));
            let hub = format!("{receivers}exporters: {{logging: }}\n{}", end("logging"));
            Bench::project(&[("compose.yaml", &compose), ("agent.yaml", &agent), ("hub.yaml", &hub)])
        };
        project(", insecure: true").silent("N006");
        project("").finds("N006", "'hub:4317'");
    }

    #[test]
    fn both_can_do_without() {
        let compose = "services:\n  otel:\n    image: otel/opentelemetry-collector:0.158.0\n    volumes: \
                       ['./o.yaml:/etc/otelcol/config.yaml']\n  jaeger: {image: 'jaegertracing/all-in-one:1.53.0'}\n";
        let otel = |exporter: &str| {
            let id = exporter.split(':').next().unwrap_or_default();
            format!(
                "receivers: {{otlp: {{protocols: {{grpc: }}}}}}\nexporters:\n  {exporter}\nservice: {{pipelines: {{traces: \
                 {{receivers: [otlp], exporters: [{id}]}}}}}}\n"
            )
        };
        for (before, after) in [
            (
                "otlp_grpc:\n    endpoint: jaeger:4317 # traces\n    # the end",
                "otlp_grpc:\n    endpoint: jaeger:4317 # traces\n    tls:\n      insecure: true\n    # the end",
            ),
            (
                "otlp_grpc: {endpoint: 'jaeger:4317', tls: {insecure: false}}",
                "otlp_grpc: {endpoint: 'jaeger:4317', tls: {insecure: true}}",
            ),
            ("otlp_grpc: {endpoint: 'jaeger:4317'}", "otlp_grpc: {endpoint: 'jaeger:4317', tls: {insecure: true}}"),
            (
                "otlp_grpc: {endpoint: 'https://jaeger:4317', tls: {insecure: true}}",
                "otlp_grpc: {endpoint: 'jaeger:4317', tls: {insecure: true}}",
            ),
            (
                "otlp_grpc: {endpoint: 'https://jaeger:4317'}",
                "otlp_grpc: {endpoint: 'jaeger:4317', tls: {insecure: true}}",
            ),
            ("otlp_http: {endpoint: 'https://jaeger:4318'}", "otlp_http: {endpoint: 'http://jaeger:4318'}"),
        ] {
            let bench = Bench::project(&[("compose.yaml", compose), ("o.yaml", &otel(before))]);
            assert_eq!(bench.fixed("N006", &otel(after)), Applicability::Unsafe);
        }
    }
}
