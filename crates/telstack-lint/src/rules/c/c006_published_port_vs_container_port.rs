use telstack_catalog::{otelcol::Transport, product::Product};
use telstack_diagnostics::{Diagnostic, Fix, RuleInfo, Severity};
use telstack_system::{Container, EnvValue, EnvVar, Gaps, Network, Node, Platform, Published};

use crate::{
    Cx, Rule,
    facts::{Link, opens_unknown_ports},
    repair,
};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        code: "C006",
        name: "published-port-vs-container-port",
        severity: Severity::Error,
        summary: "The two sides of a published port are mixed up: another container dials the host's side, or the \
                  container's side is not what the program listens on.",
        why: "In `8081:80` the host's port is 8081, and it leads to 80 inside. Containers reach each other directly, \
              so between them only 80 counts. `3001:3001` does not move a program to another port: nothing listens on \
              3001 inside.",
        bad: "services:\n  grafana:\n    image: grafana/grafana:12.0.0\n    ports: ['3001:3001']",
        good: "services:\n  grafana:\n    image: grafana/grafana:12.0.0\n    ports: ['3001:3000']",
        silent: "The ports of the program are not known. For a collector it is a warning, and for a store where both \
                 sides are the same port and nobody dials it. For programs other than collectors it is said only where \
                 none of the ports that they publish leads anywhere.",
        sources: &[
            "https://docs.docker.com/compose/how-tos/networking/",
            "https://github.com/alphagov/govuk-helm-charts/pull/3263",
        ],
    },
    check,
};

fn check(cx: &mut Cx<'_>) {
    for link in &cx.facts.links {
        if let Some(finding) = host_side(cx, link) {
            cx.report_once(finding);
        }
    }
    for (_, node) in cx.system.nodes() {
        for finding in nowhere(cx, node) {
            cx.report(finding);
        }
    }
}

fn host_side(cx: &Cx<'_>, link: &Link<'_>) -> Option<Diagnostic> {
    let published = link.published_as()?;
    let (wrong, right) = (published.host_port, published.container_port);
    let message = format!("{} dials `{}`, which is the host's port", link.dialer(), link.address());
    let finding = cx
        .finding(message, &link.dial.origin, format!("between containers it is port {right}"))
        .label(published.origin.span(), format!("port {wrong} of the host leads to {right} inside"))
        .help(format!("dial `{}:{right}`", link.dial.host));
    let change = repair::word(&link.dial.origin, &format!(":{wrong}"), &format!(":{right}"));
    Some(repair::with(finding, change.map(|it| Fix::safe(format!("dial port {right}"), it))))
}

/// Published ports behind which nothing listens.
fn nowhere(cx: &Cx<'_>, node: &Node) -> Vec<Diagnostic> {
    let own = |it: &&Container| it.network == Network::Own && !it.published.is_empty();
    let Some(container) = node.container.as_ref().filter(own) else { return Vec::new() };
    let listens = |port: u16| node.listeners.iter().any(|it| it.port == port);
    let collector = node.product() == Some(Product::Otelcol);
    // Jaeger has more ports than are known.
    let known = match node.product() {
        Some(Product::Otelcol) => {
            let whole =
                |gaps: &Gaps| gaps.sections.is_empty() && !gaps.pipelines && !gaps.extensions && !gaps.distribution;
            node.collector().is_some_and(|it| whole(&it.gaps)) && !opens_unknown_ports(node)
        }
        None | Some(Product::Jaeger) => false,
        Some(_) => true,
    };
    // A port that only run time knows.
    let open = |it: &EnvVar| {
        it.name.contains("PORT") && !matches!(&it.value, EnvValue::Literal(text) if text.parse::<u16>().is_ok())
    };
    let any = container.published.iter().any(|it| listens(it.container_port));
    let compose = cx.system.from_files && cx.system.platform.value == Platform::Compose;
    if !known || node.listeners.is_empty() || (any && !collector) || !compose || container.env.iter().any(open) {
        return Vec::new();
    }
    let mut ports: Vec<u16> = node.listeners.iter().map(|it| it.port).collect();
    ports.sort_unstable();
    ports.dedup();
    let open = ports.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let wrong = container.published.iter().filter(|it| it.transport == Transport::Tcp && !listens(it.container_port));
    // A port left over from another configuration does no harm while nobody needs it.
    let dialled = |port: u16| cx.facts.links.iter().any(|it| std::ptr::eq(it.to, node) && it.port() == port);
    let idle =
        |it: &Published| node.store().is_some() && it.host_port == it.container_port && !dialled(it.container_port);
    let finding = |port: &Published| {
        let message = format!("nothing in `{}` listens on port {}", node.name, port.container_port);
        let finding = cx
            .finding(message, &port.origin, format!("port {} of the host leads nowhere", port.host_port))
            .label(node.span(), format!("{} listens on {open}", node.title()))
            .severity(if collector || idle(port) { Severity::Warning } else { Severity::Error });
        match ports.as_slice() {
            [only] if !collector => finding.help(format!("publish `{}:{only}`", port.host_port)),
            _ => finding.help("publish a port that it listens on"),
        }
    };
    wrong.map(finding).collect()
}

#[cfg(test)]
mod tests {
    use telstack_diagnostics::{Applicability, Severity};

    use crate::test_support::Bench;

    const CONFIG: &str = "receivers: {otlp: {protocols: {http: {endpoint: '0.0.0.0:4318'}}}}\nexporters: {debug: }\nservice: \
                          {telemetry: {metrics: {level: none}}, pipelines: {traces: {receivers: [otlp], exporters: \
                          [debug]}}}\n";

    fn text(port: &str, published: &str) -> String {
        format!(
            "services:\n  app:\n    image: acme/app:1\n    environment:\n      OTEL_EXPORTER_OTLP_ENDPOINT: \
             http://otel:{port} # here\n  otel:\n    image: otel/opentelemetry-collector:0.158.0\n    volumes: \
             ['./o.yaml:/etc/otelcol/config.yaml']\n    ports: ['{published}']\n"
        )
    }

    fn project(port: &str, published: &str) -> Bench {
        Bench::project(&[("compose.yaml", &text(port, published)), ("o.yaml", CONFIG)])
    }

    fn grafana(service: &str) -> Bench {
        let compose = format!("services:\n  grafana:\n    image: grafana/grafana:12.0.0\n    {service}\n");
        Bench::project(&[("compose.yaml", &compose)])
    }

    #[test]
    fn fails_for_the_hosts_side_and_puts_it_right() {
        let bench = project("14318", "14318:4318");
        assert_eq!(bench.finds("C006", "http://otel:14318"), Severity::Error);
        bench.silent("N003");
        assert_eq!(bench.fixed("C006", &text("4318", "14318:4318")), Applicability::Safe);
    }

    #[test]
    fn fails_where_nothing_listens() {
        assert_eq!(grafana("ports: ['3001:3001']").finds("C006", "'3001:3001'"), Severity::Error);
        assert_eq!(project("4318", "4317:4317").finds("C006", "'4317:4317'"), Severity::Warning);
    }

    #[test]
    fn warns_of_ports_of_a_store_that_nobody_dials() {
        let tempo = |published: &str, dialled: &str| {
            let compose = format!(
                "services:\n  app:\n    image: acme/app:1\n    environment: {{OTEL_EXPORTER_OTLP_ENDPOINT: \
                 'http://tempo:{dialled}'}}\n  tempo:\n    image: grafana/tempo:2.7.2\n    ports: ['{published}']\n    \
                 volumes: ['./t.yml:/etc/t.yml']\n    command: [-config.file=/etc/t.yml]\n"
            );
            let config = "distributor: {receivers: {otlp: {protocols: {grpc: {endpoint: '0.0.0.0:4317'}}}}}\nstorage: \
                          {trace: {backend: local, local: {path: /var/tempo}}}\n";
            Bench::project(&[("compose.yaml", &compose), ("t.yml", config)])
        };
        assert_eq!(tempo("14250:14250", "4317").finds("C006", "'14250:14250'"), Severity::Warning);
        assert_eq!(tempo("14251:14250", "4317").finds("C006", "'14251:14250'"), Severity::Error);
        assert_eq!(tempo("14250:14250", "14250").finds("C006", "'14250:14250'"), Severity::Error);
    }

    #[test]
    fn passes_with_the_right_side() {
        project("4318", "14318:4318").silent("C006");
        grafana("ports: ['3001:3000']").silent("C006");
        grafana("ports: ['3001:3000', '6060:6060']").silent("C006");
    }

    #[test]
    fn silent_where_the_port_is_set_or_not_known() {
        grafana("ports: ['3001:3001']\n    environment: [GF_SERVER_HTTP_PORT=3001]").silent("C006");
        grafana("ports: ['3001:3001']\n    environment: ['GF_SERVER_HTTP_PORT=${PORT}']").silent("C006");
        grafana("ports: ['3001']").silent("C006");
    }
}
