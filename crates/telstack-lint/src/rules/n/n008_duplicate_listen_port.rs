use std::collections::HashMap;

use telstack_diagnostics::{RuleInfo, Severity};
use telstack_system::{Container, Listener, Network, Node, NodeId, Published};

use crate::{Cx, Rule, words::OWN_METRICS};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        code: "N008",
        name: "duplicate-listen-port",
        severity: Severity::Error,
        summary: "Two listeners of one collector or of one network, or two published ports of one host, claim the same \
                  port.",
        why: "The second one to start gets `address already in use`: the collector stops, or the container does not \
              start.",
        bad: r#"collector "gateway" {
    receiver "otlp"      { protocols { grpc endpoint="0.0.0.0:4317" } }
    receiver "otlp/tls"  { protocols { grpc endpoint="0.0.0.0:4317" } }
    pipeline "traces" { from "otlp" "otlp/tls"; to "tempo" }
}"#,
        good: r#"collector "gateway" {
    receiver "otlp"      { protocols { grpc endpoint="0.0.0.0:4317" } }
    receiver "otlp/tls"  { protocols { grpc endpoint="0.0.0.0:5317" } }
    pipeline "traces" { from "otlp" "otlp/tls"; to "tempo" }
}"#,
        silent: "The two bind different addresses, one of them is TCP and the other UDP, or the address comes from the \
                 environment. Stores answer many requests on one port: that is one listener. Compose is \
                 to run none of a service: `replicas: 0`.",
        sources: &[
            "https://github.com/open-telemetry/opentelemetry-collector-contrib/issues/27822",
            "https://github.com/open-telemetry/opentelemetry-collector/issues/8090",
        ],
    },
    check,
};

fn check(cx: &mut Cx<'_>) {
    for (_, node, _) in cx.system.collectors() {
        let mut by_port: HashMap<u16, Vec<&Listener>> = HashMap::new();
        for later in &node.listeners {
            let before = by_port.entry(later.port).or_default();
            let earlier = before.iter().copied().find(|it| it.clashes(later));
            before.push(later);
            let Some(earlier) = earlier else { continue };
            let (port, one, other) = (later.port, owner(earlier), owner(later));
            let message = format!("{one} and {other} of `{}` both listen on port {port}", node.name);
            let finding = cx
                .finding(message, &later.origin, format!("{other} listens on {port}"))
                .label(earlier.origin.span(), format!("{one} listens on it already"))
                .help("give one of them another port, and dial it there");
            cx.report(finding);
        }
    }
    beside_each_other(cx);
    let mut published: HashMap<_, Vec<(&str, &Container, &Published)>> = HashMap::new();
    for (_, node) in cx.system.nodes() {
        // In the network of the host, or of another service, nothing is published.
        let Some(container) = node.container.as_ref().filter(|it| it.network == Network::Own) else { continue };
        for port in container.published.iter().filter(|it| it.host_port != 0) {
            let same_port = published.entry((port.host_port, port.transport)).or_default();
            let clashes = |(_, there, other): &&(&str, &Container, &Published)| {
                there.runs_beside(container)
                    && (other.host_ip.is_none() || port.host_ip.is_none() || other.host_ip == port.host_ip)
            };
            if let Some((name, _, other)) = same_port.iter().find(clashes) {
                let message = format!("`{name}` and `{}` both publish port {} of the host", node.name, port.host_port);
                let finding = cx
                    .finding(message, &port.origin, format!("`{}` publishes {}", node.name, port.host_port))
                    .label(other.origin.span(), format!("`{name}` publishes it already"))
                    .help("publish one of them on another port of the host, or not at all");
                cx.report(finding);
            }
            same_port.push((&node.name, container, port));
        }
    }
}

/// Listeners of two containers that have one network: those of a pod, of a service that joins another one's, and of
/// the host.
fn beside_each_other(cx: &mut Cx<'_>) {
    let system = cx.system;
    let known = |node: &&(NodeId, &Node)| {
        let gaps = node.1.container.as_ref().map(|it| it.gaps);
        gaps.is_some_and(|it| !(it.files && it.env)) && !node.1.listeners.is_empty()
    };
    let all: Vec<(NodeId, &Node)> = system.nodes().collect();
    let all: Vec<_> = all.iter().filter(known).collect();
    for (at, (id, node)) in all.iter().enumerate() {
        for (other, earlier) in &all[..at] {
            let Some((one, two)) = earlier.container.as_ref().zip(node.container.as_ref()) else { continue };
            let one_network = match system.cluster {
                Some(_) => one.shares_pod(two),
                None if one.network == Network::Own && two.network == Network::Own => false,
                None => one.runs_beside(two) && system.share_localhost(*id, *other),
            };
            // One of their ports is enough to tell.
            let clash = || {
                node.listeners.iter().find_map(|it| Some((earlier.listeners.iter().find(|old| old.clashes(it))?, it)))
            };
            let Some((old, new)) = one_network.then(clash).flatten() else { continue };
            let port = new.port;
            let message =
                format!("`{}` and `{}` have one network, and both listen on port {port}", earlier.name, node.name);
            let finding = cx
                .finding(message, &new.origin, format!("{} listens on {port}", whose(node, new)))
                .label(old.origin.span(), format!("{} listens on it already", whose(earlier, old)))
                .help("give one of them other ports, and dial it there");
            cx.report(finding);
        }
    }
}

/// A listener with whose it is.
fn whose(node: &Node, listener: &Listener) -> String {
    match node.collector() {
        Some(_) => format!("{} of `{}`", owner(listener), node.name),
        None => format!("`{}`", node.name),
    }
}

fn owner(listener: &Listener) -> String {
    match &listener.owner {
        Some(owner) => format!("{} `{}` ({})", owner.kind, owner.id, listener.name),
        None => OWN_METRICS.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use telstack_catalog::{ComponentKind, otelcol::Transport};
    use telstack_system::{Bind, ComponentId, ComponentRef, Published};

    use crate::test_support::Bench;

    fn two(change: impl FnOnce(&mut telstack_system::Listener)) -> Bench {
        let mut bench = Bench::new("first second");
        bench.add_collector("gateway", telstack_catalog::Distribution::Contrib, "0.158.0", "");
        let first = bench.listener("otlp-grpc", 4317, "first");
        let mut second = bench.listener("otlp-grpc", 4317, "second");
        second.owner = Some(ComponentRef { kind: ComponentKind::Receiver, id: ComponentId::parse("otlp/b") });
        change(&mut second);
        bench.first().listeners = vec![first, second];
        bench
    }

    #[test]
    fn fails_on_one_port_twice() {
        two(|_| {}).finds("N008", "second");
    }

    #[test]
    fn fails_on_one_host_port_twice() {
        let mut bench = two(|second| second.port = 4318);
        publish(&mut bench, "first", Transport::Tcp);
        publish(&mut bench, "second", Transport::Udp);
        bench.silent("N008");
        publish(&mut bench, "second", Transport::Tcp);
        bench.finds("N008", "second");
    }

    fn publish(bench: &mut Bench, slice: &str, transport: Transport) {
        let origin = bench.at(slice);
        let container = bench.first().container.as_mut().expect("container");
        container.published.push(Published {
            host_ip: None,
            host_port: 3000,
            container_port: 4317,
            transport,
            what: String::new(),
            origin,
        });
    }

    #[test]
    fn fails_on_one_udp_port_twice() {
        let mut bench = two(|second| second.transport = Transport::Udp);
        bench.silent("N008");
        bench.first().listeners[0].transport = Transport::Udp;
        bench.finds("N008", "second");
    }

    #[test]
    fn passes_on_two_ports() {
        two(|second| second.port = 4318).silent("N008");
    }

    #[test]
    fn silent_for_any_free_port() {
        let mut bench = two(|second| second.port = 0);
        bench.first().listeners[0].port = 0;
        bench.silent("N008");
    }

    #[test]
    fn silent_for_other_addresses() {
        two(|second| second.bind = Bind::Unknown).silent("N008");
    }

    const OTEL: &str = "receivers: {otlp: {protocols: {grpc: {endpoint: '0.0.0.0:4317'}}}}\nexporters: {debug: }\nservice: \
                        {telemetry: {metrics: {level: none}}, pipelines: {traces: {receivers: [otlp], exporters: [debug]}}}\n";

    fn beside(jaeger: &str) -> Bench {
        let compose = format!(
            "services:\n  otel:\n    image: otel/opentelemetry-collector-contrib:0.130.0\n    volumes: \
             ['./otel.yaml:/etc/otelcol-contrib/config.yaml']\n  jaeger:\n    image: jaegertracing/all-in-one:1.62.0\n    \
             {jaeger}\n"
        );
        Bench::project(&[("compose.yaml", &compose), ("otel.yaml", OTEL)])
    }

    #[test]
    fn services_with_one_network() {
        beside("network_mode: service:otel").finds("N008", "jaeger");
        beside("network_mode: host").silent("N008");
        beside("profiles: [x]\n    network_mode: service:otel").silent("N008");
        beside("environment: {COLLECTOR_OTLP_ENABLED: 'false'}\n    network_mode: service:otel").silent("N008");
    }

    fn pod(second: &str, kind: &str) -> Bench {
        let config = |port: &str| OTEL.replace("4317", port).replace('\n', "\n    ");
        let (one, other) = (config("4317"), config("4319"));
        let container = |name: &str, file: &str| {
            format!(
                "      - name: {name}\n        image: otel/opentelemetry-collector-contrib:0.130.0\n        args: \
                 [--config=/conf/{file}.yaml]\n        volumeMounts: [{{name: v, mountPath: /conf}}]\n"
            )
        };
        let (first, second) = (container("a", "one"), container("b", second));
        let volume = "      volumes: [{name: v, configMap: {name: c}}]\n";
        let between = if kind == "one" {
            String::new()
        } else {
            format!(
                "{volume}---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: e}}\nspec:\n  template:\n    spec:\n      containers:\n"
            )
        };
        Bench::manifests(&format!(
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: c}}\ndata:\n  one.yaml: |\n    {one}\n  other.yaml: |\n    {other}\n---\n\
             apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: d}}\nspec:\n  template:\n    spec:\n      \
             containers:\n{first}{between}{second}{volume}"
        ))
    }

    #[test]
    fn containers_of_one_pod() {
        pod("one", "one").finds("N008", "'0.0.0.0:4317'");
        pod("other", "one").silent("N008");
        pod("one", "two").silent("N008");
    }
}
