use telstack_catalog::otelcol;
use telstack_diagnostics::{Diagnostic, Fix, RuleInfo, Severity};
use telstack_system::{Bind, Listener, Network, Node, NodeId, Purpose, link};

use crate::{
    Cx, Rule,
    facts::Link,
    repair,
    words::{bind_all, served},
};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        code: "N001",
        name: "loopback-bind-in-container",
        severity: Severity::Error,
        summary: "A listener binds only its own container's loopback interface, but something outside dials it.",
        why: "Every container has a loopback interface of its own. A connection from another container or from a \
              published port arrives on another interface and is refused. Collectors bind `localhost` unless told \
              otherwise since 0.104.0.",
        bad: r#"collector "gateway" {
    receiver "otlp" { protocols { grpc endpoint="localhost:4317" } }
    pipeline "traces" { from "otlp"; to "tempo" }
}"#,
        good: r#"collector "gateway" {
    receiver "otlp" { protocols { grpc endpoint="0.0.0.0:4317" } }
    pipeline "traces" { from "otlp"; to "tempo" }
}"#,
        silent: "Whoever dials runs in the same node; the address comes from the environment; nobody dials the port \
                 and it is not published. A port that is only published is a warning.",
        sources: &[
            "https://github.com/open-telemetry/opentelemetry-collector-contrib/issues/33896",
            "https://github.com/open-telemetry/opentelemetry-collector-contrib/issues/34133",
            "https://github.com/open-telemetry/opentelemetry-collector/issues/13723",
        ],
    },
    check,
};

fn check(cx: &mut Cx<'_>) {
    for (id, node) in cx.system.nodes() {
        for (at, listener) in node.listeners.iter().enumerate().filter(|(_, it)| it.bind == Bind::Loopback) {
            if node.listeners[..at].iter().any(|it| is_one_server(it, listener)) {
                continue;
            }
            if let Some(finding) = judge(cx, id, node, listener) {
                cx.report(finding);
            }
        }
    }
}

/// Is a listener dialled by nobody but those who scrape it (M004)?
pub(crate) fn only_scraped(cx: &Cx<'_>, id: NodeId, listener: &Listener) -> bool {
    let mut dialers = dialers(cx, id, listener).peekable();
    dialers.peek().is_some() && dialers.all(|it| it.purpose == Purpose::Scrape)
}

/// Do two doors stand in one server? What is told its address once is one mistake.
fn is_one_server(one: &Listener, other: &Listener) -> bool {
    one.owner.is_none() && other.owner.is_none() && (one.port, &one.origin) == (other.port, &other.origin)
}

/// Who dials a listener from elsewhere.
fn dialers<'a>(cx: &Cx<'a>, id: NodeId, listener: &'a Listener) -> impl Iterator<Item = &'a Link<'a>> {
    let reaches = move |link: &&Link<'_>| {
        link.to_id == id
            && !link.inside
            && link.listener().is_some_and(|it| std::ptr::eq(it, listener) || is_one_server(it, listener))
    };
    cx.facts.links.iter().filter(reaches)
}

fn judge(cx: &Cx<'_>, id: NodeId, node: &Node, listener: &Listener) -> Option<Diagnostic> {
    if only_scraped(cx, id, listener) {
        return None;
    }
    let dialers: Vec<_> = dialers(cx, id, listener).collect();
    let published = node
        .container
        .iter()
        // In the network of the host, or of another service, nothing is published.
        .filter(|it| it.network == Network::Own)
        .flat_map(|it| &it.published)
        .find(|it| (it.container_port, it.transport) == (listener.port, listener.transport));
    let several = node.listeners.iter().filter(|it| is_one_server(it, listener)).count() > 1;
    let what = if several { format!("`{}`", node.name) } else { served(node, listener) };
    let port = listener.port;
    let mut finding = match (dialers.first(), published) {
        (Some(first), _) => {
            let message = format!("{what} listens only inside its own container, but {} dials it", first.dialer());
            cx.finding(message, &listener.origin, format!("binds loopback, port {port}"))
        }
        (None, Some(published)) => {
            let message = format!("{what} listens only inside its own container, so its published port leads nowhere");
            cx.finding(message, &listener.origin, format!("binds loopback, port {port}"))
                .label(published.origin.span(), format!("published as {}", published.host_port))
                .severity(Severity::Warning)
        }
        (None, None) => {
            let services = link::leading_to(cx.system, id, listener.port);
            let (service, leads) = services.first()?;
            let message =
                format!("{what} listens only inside its own pod, so the Service `{}` leads nowhere", service.name);
            cx.finding(message, &listener.origin, format!("binds loopback, port {port}"))
                .label(leads.origin.span(), format!("port {} leads here", leads.port))
                .severity(Severity::Warning)
        }
    };
    for link in dialers {
        finding = finding.label(link.dial.origin.span(), format!("dials `{}` from another container", link.address()));
    }
    if let (Some(_), Some(version), false) = (node.collector(), node.version(), listener.origin.is_written()) {
        let host = otelcol::default_host(version);
        if Bind::parse(host) == Bind::Loopback {
            finding = finding.note(format!("collectors bind `{host}` at {version} unless an endpoint is written"));
        }
    }
    let finding = finding.help(bind_all(node, listener));
    Some(repair::with(finding, every_interface(node, listener)))
}

/// The address as it is written, with another host.
fn every_interface(node: &Node, listener: &Listener) -> Option<Fix> {
    let components = &node.collector()?.components;
    let address = components.iter().find_map(|it| repair::text_at(&it.settings, &listener.origin))?;
    let host = address.strip_suffix(&format!(":{}", listener.port))?;
    let change = repair::word(&listener.origin, host, "0.0.0.0").filter(|_| Bind::parse(host) == Bind::Loopback)?;
    Some(Fix::unsafe_(format!("bind `0.0.0.0:{}`", listener.port), change))
}

#[cfg(test)]
mod tests {
    use telstack_catalog::otelcol::Transport;
    use telstack_diagnostics::{Applicability, Severity};
    use telstack_system::{Bind, Published, passes};

    use crate::test_support::Bench;

    #[test]
    fn a_flag_is_shown_where_it_is_given() {
        let compose = "services:\n  loki:\n    image: grafana/loki:3.5.0\n    command: [-config.file=/l.yml, \
                       -server.http-listen-address=127.0.0.1]\n    volumes: ['./l.yml:/l.yml']\n  grafana:\n    image: \
                       grafana/grafana:12.0.0\n    volumes: ['./d.yml:/etc/grafana/provisioning/datasources/d.yml']\n";
        let data = "datasources: [{name: l, type: loki, url: 'http://loki:3100'}]\n";
        let bench = Bench::project(&[
            ("compose.yaml", compose),
            ("d.yml", data),
            ("l.yml", "auth_enabled: false\nserver: {http_listen_port: 3100}\n"),
        ]);
        bench.finds("N001", "-server.http-listen-address=127.0.0.1");
        let help = "bind every interface: `-server.http-listen-address=0.0.0.0`, which it does by itself";
        assert!(bench.helps("N001").contains(&help.to_owned()), "{:?}", bench.helps("N001"));
    }

    #[test]
    fn fails_when_another_node_dials() {
        let bench = Bench::link(|_, listener| listener.bind = Bind::Loopback);
        assert_eq!(bench.finds("N001", "binds"), Severity::Error);
    }

    #[test]
    fn warns_when_the_port_is_only_published() {
        let mut bench = Bench::link(|edge, listener| {
            edge.dial = None;
            listener.bind = Bind::Loopback;
        });
        let gateway = bench.system.find("gateway").expect("gateway");
        let origin = bench.at("dials");
        bench.container(gateway).published.push(Published {
            host_ip: None,
            host_port: 4317,
            container_port: 4317,
            transport: Transport::Tcp,
            what: String::new(),
            origin,
        });
        assert_eq!(bench.finds("N001", "binds"), Severity::Warning);
    }

    #[test]
    fn passes_when_every_interface_is_bound() {
        Bench::link(|_, _| {}).silent("N001");
    }

    #[test]
    fn silent_when_nobody_dials_or_run_time_decides() {
        Bench::link(|edge, listener| {
            edge.dial = None;
            listener.bind = Bind::Loopback;
        })
        .silent("N001");
        Bench::link(|_, listener| listener.bind = Bind::Unknown).silent("N001");
    }

    #[test]
    fn the_address_can_be_opened() {
        let yaml = |host: &str| {
            format!(
                "receivers:\n  otlp:\n    protocols:\n      grpc:\n        endpoint: '{host}:4317' # mine\n\
                 service: {{pipelines: {{traces: {{receivers: [otlp], exporters: [debug]}}}}}}\n"
            )
        };
        let mut bench = Bench::collector("0.158.0", &yaml("localhost"));
        let published = Published {
            host_ip: None,
            host_port: 4317,
            container_port: 4317,
            transport: Transport::Tcp,
            what: String::new(),
            origin: bench.at("4317"),
        };
        let node = bench.first();
        let version = node.version().expect("a release");
        node.listeners = passes::collector_listeners(node.collector().expect("a collector"), version);
        node.container.as_mut().expect("a container").published.push(published);
        assert_eq!(bench.fixed("N001", &yaml("0.0.0.0")), Applicability::Unsafe);
    }

    #[test]
    fn a_flag_is_told_of_once() {
        let of = |address: &str| {
            let compose = format!(
                "services:\n  prometheus:\n    image: prom/prometheus:v3.5.0\n    command: [--config.file=/p.yml, \
                 '--web.listen-address={address}']\n    ports: ['9090:9090']\n    volumes: ['./p.yml:/p.yml']\n"
            );
            Bench::project(&[("compose.yaml", &compose), ("p.yml", "scrape_configs: []\n")])
        };
        of("127.0.0.1:9090").finds("N001", "'--web.listen-address=127.0.0.1:9090'");
        of(":9090").silent("N001");
    }
}
