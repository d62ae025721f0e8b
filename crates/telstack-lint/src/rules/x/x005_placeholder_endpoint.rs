use telstack_catalog::{
    ComponentKind,
    container::{is_of_ones_own, placeholder},
};
use telstack_diagnostics::{Diagnostic, RuleInfo, Severity};
use telstack_syntax::tree::Kind;
use telstack_system::{Bind, Network, Origin, Platform, Value, link};

use crate::{
    Cx, Rule,
    facts::{Part, opens_unknown_ports},
};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        code: "X005",
        name: "placeholder-endpoint",
        severity: Severity::Warning,
        summary: "An address or a credential is still what documentation had in its place.",
        why: "`<your-token>` and `CHANGE_ME` let nobody in, and nothing says so but a line of the log. `localhost` in \
              a container is the container itself: an exporter that was tried on a desk dials itself there.",
        bad: r#"exporter "otlp_http" { endpoint "https://<your-instance>.vendor.com" }"#,
        good: r#"exporter "otlp_http" { endpoint "https://otlp.vendor.com" }"#,
        silent: "Hosts that are reserved for examples (`example.com`); components in no pipeline; what comes from the \
                 environment; `localhost` where something else shares the container's network, or the collector opens \
                 ports that are not known.",
        sources: &[
            "https://github.com/open-telemetry/opentelemetry-collector-contrib/tree/main/exporter/prometheusremotewriteexporter",
            "https://docs.docker.com/compose/how-tos/networking/",
        ],
    },
    check,
};

fn check(cx: &mut Cx<'_>) {
    for part in cx.facts.parts.iter().filter(|part| part.runs()) {
        let mut found = Vec::new();
        if matches!(part.component.kind, ComponentKind::Exporter | ComponentKind::Extension) {
            placeholders("", &part.component.settings, &mut found);
        }
        let mut findings: Vec<Diagnostic> = found
            .into_iter()
            .map(|(word, at)| {
                cx.finding(
                    format!("{} still has `{word}`", part.title()),
                    at,
                    "to be replaced by something of your own",
                )
                .help("write what it stands for, or refer to a variable: `${env:NAME}`")
            })
            .collect();
        findings.extend(itself(cx, part));
        for finding in findings {
            cx.report_once(finding);
        }
    }
}

/// Addresses and credentials that somebody was to fill in.
fn placeholders<'a>(key: &str, value: &'a Value, found: &mut Vec<(&'a str, &'a Origin)>) {
    match &value.kind {
        Kind::String(text) if is_of_ones_own(key) => found.extend(placeholder(text).map(|word| (word, &value.mark))),
        Kind::Seq(seq) => seq.items.iter().for_each(|item| placeholders(key, item, found)),
        Kind::Map(map) => {
            // Below `headers` every key is somebody's own.
            let all = is_of_ones_own(key);
            map.iter().for_each(|entry| placeholders(if all { key } else { &entry.key }, &entry.value, found));
        }
        _ => {}
    }
}

/// An exporter that dials its own container, in which nothing listens on that port.
fn itself(cx: &Cx<'_>, part: &Part<'_>) -> Option<Diagnostic> {
    let container = part.node.container.as_ref()?;
    let alone =
        cx.system.from_files && cx.system.platform.value == Platform::Compose && container.network == Network::Own;
    let shared = || cx.system.nodes().any(|(id, _)| id != part.id && cx.system.share_localhost(id, part.id));
    if !alone || part.component.kind != ComponentKind::Exporter || opens_unknown_ports(part.node) || shared() {
        return None;
    }
    let (_, version) = part.usable()?;
    let dials = link::exporter_dials(part.component, Some(version)).into_iter().map(|(dial, _)| dial);
    let mut lost = dials.filter(|dial| {
        Bind::parse(&dial.host) == Bind::Loopback && part.node.listeners.iter().all(|it| it.port != dial.port)
    });
    let dial = lost.next().filter(|_| !part.node.listeners.is_empty())?;
    let message = format!("{} dials its own container, where nothing listens on port {}", part.title(), dial.port);
    let mut finding = cx.finding(message, &dial.origin, "`localhost` is the container itself");
    finding = finding.label(part.node.span(), "the container");
    let right = cx.system.nodes().filter(|(id, _)| *id != part.id).find_map(|(_, node)| {
        node.listeners.iter().find(|it| it.port == dial.port && it.protocol == dial.protocol).map(|_| node)
    });
    Some(match right {
        Some(node) => finding.help(format!("dial the service: `{}:{}`", node.name, dial.port)),
        None => finding.help("dial the name of a service, or `host.docker.internal` for a program of the host"),
    })
}

#[cfg(test)]
mod tests {
    use telstack_diagnostics::Severity;

    use crate::test_support::Bench;

    fn exporter(settings: &str) -> Bench {
        Bench::exporter("0.158.0", &format!("otlp_http: {{{settings}}}"))
    }

    fn project(endpoint: &str, service: &str) -> Bench {
        let compose = format!(
            "services:\n  otel:\n    image: otel/opentelemetry-collector:0.158.0\n    volumes: \
             ['./o.yaml:/etc/otelcol/config.yaml']\n{service}  jaeger:\n    image: jaegertracing/all-in-one:1.62.0\n"
        );
        let config = format!(
            "receivers: {{otlp: {{protocols: {{http: {{endpoint: '0.0.0.0:4318'}}}}}}}}\nexporters: {{otlp_grpc: {{endpoint: \
             '{endpoint}', tls: {{insecure: true}}}}}}\nservice: {{pipelines: {{traces: {{receivers: [otlp], exporters: \
             [otlp_grpc]}}}}}}\n"
        );
        Bench::project(&[("compose.yaml", &compose), ("o.yaml", &config)])
    }

    #[test]
    fn warns_of_what_was_to_be_replaced() {
        let found = exporter("endpoint: 'https://<your-instance>.vendor.com'")
            .finds("X005", "'https://<your-instance>.vendor.com'");
        assert_eq!(found, Severity::Warning);
        exporter("endpoint: 'https://a.vendor.com', headers: {authorization: Bearer CHANGE_ME}")
            .finds("X005", "Bearer CHANGE_ME");
    }

    #[test]
    fn warns_of_dialling_oneself() {
        project("localhost:4317", "").finds("X005", "'localhost:4317'");
    }

    #[test]
    fn passes_on_real_ones() {
        exporter("endpoint: 'https://otlp.example.com', headers: {x: '${env:TOKEN}'}").silent("X005");
        project("jaeger:4317", "").silent("X005");
    }

    #[test]
    fn silent_where_it_may_be_meant() {
        project("localhost:4317", "    network_mode: host\n").silent("X005");
        project("localhost:4317", "  beside:\n    image: acme/x:1\n    network_mode: service:otel\n").silent("X005");
        project("localhost:4318", "").silent("X005");
        exporter("endpoint: 'localhost:4317'").silent("X005");
    }
}
