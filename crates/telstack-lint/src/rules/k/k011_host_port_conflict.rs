use telstack_diagnostics::{RuleInfo, Severity};
use telstack_system::{Container, ContainerPort, Node, Origin, Pod, WorkloadKind};

use crate::{Cx, Rule, facts::own_pod};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        code: "K011",
        name: "host-port-conflict",
        severity: Severity::Error,
        summary: "Two DaemonSets want the same port of every node.",
        why: "A port of a node belongs to one pod. The scheduler leaves the pods of the second DaemonSet `Pending`, \
              and in the network of the node its process does not start: `address already in use`.",
        bad: r"kind: DaemonSet
metadata: {name: otel-agent}
… ports: [{containerPort: 4317, hostPort: 4317}]
---
kind: DaemonSet
metadata: {name: alloy}
… ports: [{containerPort: 4317, hostPort: 4317}]",
        good: r"kind: DaemonSet
metadata: {name: otel-agent}
… ports: [{containerPort: 4317, hostPort: 4317}]
---
kind: DaemonSet
metadata: {name: alloy}
… ports: [{containerPort: 4317, hostPort: 14317}]",
        silent: "They run on different nodes, or something more than labels of nodes decides where; one of them is no \
                 DaemonSet: then they need not meet.",
        sources: &["https://github.com/open-telemetry/opentelemetry-helm-charts/pull/490"],
    },
    check,
};

fn check(cx: &mut Cx<'_>) {
    let system = cx.system;
    let mut taken: Vec<(&Pod, &ContainerPort, u16, &Origin)> = Vec::new();
    let mut told: Vec<[&Pod; 2]> = Vec::new();
    for (_, node) in system.nodes() {
        let Some(container) = node.container.as_ref().filter(|it| !it.is_patched()) else { continue };
        let Some(pod) = container.pod.as_deref().filter(|it| is_on_each(it)) else { continue };
        for (port, number, at) in host_ports(container, pod) {
            let clash = taken.iter().find(|(other, it, taken, _)| {
                *taken == number && it.transport == port.transport && !other.is_same(pod) && meet(pod, other)
            });
            if let Some((other, _, _, first)) = clash {
                let message = format!("`{}` and `{}` both want port {number} of every node", other.name, pod.name);
                let finding = cx
                    .finding(message, at, "its pods stay `Pending`, or do not start")
                    .label(first.span(), format!("`{}` has it", other.name))
                    .help("give one of them another port of the node, or none");
                cx.report(finding);
                told.push([other, pod]);
            } else {
                taken.push((pod, port, number, at));
            }
        }
    }
    listening(cx, told);
}

/// The same of what DaemonSets in the network of the node listen on, which need not be declared. `told`: those that
/// have met already.
fn listening<'a>(cx: &mut Cx<'a>, mut told: Vec<[&'a Pod; 2]>) {
    let system = cx.system;
    let mut seen: Vec<(&Node, &'a Pod)> = Vec::new();
    for (_, node) in system.nodes() {
        let Some(pod) = own_pod(node).filter(|it| is_on_each(it) && it.host_network.is_some()) else { continue };
        for (other, earlier) in &seen {
            let pair = [*earlier, pod];
            let is_told = told.iter().any(|it| it.iter().zip(pair).all(|(one, other)| one.is_same(other)));
            if is_told || earlier.is_same(pod) || !meet(earlier, pod) {
                continue;
            }
            let mut all = node.listeners.iter();
            let clash = all.find_map(|it| Some((other.listeners.iter().find(|old| old.clashes(it))?, it)));
            let Some((old, new)) = clash else { continue };
            let (port, one) = (new.port, &earlier.name);
            let message = format!("`{one}` and `{}` both listen on port {port} of every node", pod.name);
            let finding = cx
                .finding(message, &new.origin, "`address already in use`, wherever the other one was first")
                .label(old.origin.span(), format!("`{one}` listens on it"))
                .label(pod.host_network.as_ref().and_then(Origin::span), "in the network of the node")
                .help("give one of them other ports, or a network of its own");
            cx.report(finding);
            told.push(pair);
        }
        seen.push((node, pod));
    }
}

/// Does it run on each node, as far as labels decide?
fn is_on_each(pod: &Pod) -> bool {
    pod.kind == WorkloadKind::DaemonSet && !pod.affinity
}

/// The ports of the node that a container takes.
fn host_ports<'a>(
    container: &'a Container,
    pod: &'a Pod,
) -> impl Iterator<Item = (&'a ContainerPort, u16, &'a Origin)> {
    let all = pod.host_network.is_some();
    container.ports.iter().filter_map(move |it| match &it.host_port {
        Some(port) => Some((it, port.value, &port.origin)),
        None => all.then_some((it, it.port, &it.origin)),
    })
}

/// Can both be on one node?
fn meet(one: &Pod, other: &Pod) -> bool {
    one.node_selector.iter().all(|(key, it)| other.node_selector.get(key).is_none_or(|other| other.value == it.value))
}

#[cfg(test)]
mod tests {
    use telstack_catalog::otelcol::Transport;
    use telstack_diagnostics::Severity;
    use telstack_system::{ContainerPort, Sourced, WorkloadKind};

    use crate::test_support::Bench;

    fn two(ports: [u16; 2], pools: [&str; 2]) -> Bench {
        let mut bench = Bench::new("first second");
        for (at, name) in ["first", "second"].into_iter().enumerate() {
            let id = bench.add_collector(name, telstack_catalog::Distribution::Contrib, "0.158.0", "");
            let origin = bench.at(name);
            let pool = Sourced::new(pools[at].to_owned(), origin.clone());
            bench.pod_of(id, WorkloadKind::DaemonSet).node_selector.insert("pool".to_owned(), pool);
            let host_port = Some(Sourced::new(ports[at], origin.clone()));
            let transport = Transport::Tcp;
            bench.container(id).ports.push(ContainerPort { name: None, port: 4317, transport, host_port, origin });
        }
        bench
    }

    #[test]
    fn fails_on_one_port_for_two() {
        assert_eq!(two([4317, 4317], ["a", "a"]).finds("K011", "second"), Severity::Error);
    }

    #[test]
    fn passes_on_other_ports_and_other_nodes() {
        two([4317, 4318], ["a", "a"]).silent("K011");
        two([4317, 4317], ["a", "b"]).silent("K011");
    }

    #[test]
    fn what_listens_in_the_network_of_the_node() {
        let agents = |second: u16, network: bool| {
            let mut bench = Bench::new("first second");
            for (name, port) in [("first", 4317), ("second", second)] {
                let id = bench.add_collector(name, telstack_catalog::Distribution::Contrib, "0.158.0", "");
                let host = network.then(|| bench.at(name));
                bench.pod_of(id, WorkloadKind::DaemonSet).host_network = host;
                let listener = bench.listener("otlp-grpc", port, name);
                bench.node(id).listeners.push(listener);
            }
            bench
        };
        assert_eq!(agents(4317, true).finds("K011", "second"), Severity::Error);
        agents(4318, true).silent("K011");
        agents(4317, false).silent("K011");
    }
}
