use telstack_catalog::otelcol::Trait;
use telstack_diagnostics::{RuleInfo, Severity};
use telstack_system::{Cluster, Instances, Node, Origin, Service, ServiceType, link};

use crate::{
    Cx, Rule,
    facts::{Part, several, spreads},
};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        code: "S002",
        name: "loadbalancing-to-clusterip",
        severity: Severity::Warning,
        summary: "A `load_balancing` exporter finds one address where there are several pods, or not all of them.",
        why: "It sends each trace to one of the addresses that it finds. The name of a Service with an address of its \
              own leads to that one address, and the cluster spreads what is sent there over all pods: traces are \
              split as if nothing balanced them. Pods that no list names get nothing.",
        bad: r"exporters:
  load_balancing:
    resolver: {dns: {hostname: gateway.observability}}
---
kind: Service
metadata: {name: gateway, namespace: observability}
spec: {selector: {app: gateway}}",
        good: r"exporters:
  load_balancing:
    resolver: {dns: {hostname: gateway.observability}}
---
kind: Service
metadata: {name: gateway, namespace: observability}
spec: {selector: {app: gateway}, clusterIP: None}",
        silent: "The Service is headless; it is not among the files; one pod runs; the `k8s` resolver, which asks for \
                 the pods behind a Service; the host comes from the environment.",
        sources: &[
            "https://github.com/open-telemetry/opentelemetry-collector-contrib/tree/main/exporter/loadbalancingexporter",
            "https://github.com/open-telemetry/opentelemetry-collector-contrib/issues/27014",
        ],
    },
    check,
};

/// The resolver that asks the cluster.
const ASKS: &str = "k8s";
const LIST: &str = "static";

fn check(cx: &mut Cx<'_>) {
    let Some(cluster) = cx.system.cluster.as_deref() else { return };
    for part in cx.facts.parts.iter().filter(|part| part.has(Trait::Balances) && part.runs()) {
        let found = spreads(part);
        for host in found.iter().filter(|it| it.resolver != ASKS) {
            let link::Way::To(to, Some(via)) = link::way(cx.system, part.id, host.host, host.port) else { continue };
            let Some(service) = via.service.and_then(|at| cluster.services.get(at)) else { continue };
            let node = cx.system.node(to);
            let Some(instances) = several(node).filter(|_| !via.pods) else { continue };
            if service.headless || matches!(service.ty, ServiceType::ExternalName(_)) {
                continue;
            }
            let message = format!(
                "{} finds one address behind `{}`, and `{}` runs {}",
                part.title(),
                host.host,
                node.name,
                instances.words()
            );
            let finding = cx
                .finding(message, &host.value.mark, "one address for all pods")
                .label(service.origin.span(), "has an address of its own: it is not headless")
                .label(instances.several().and_then(Origin::span), format!("runs {}", instances.words()))
                .help(match beside(cluster, node) {
                    Some(other) => format!("name the headless Service of the same pods: `{}`", other.name),
                    None => {
                        format!(
                            "make a headless Service of it, or one beside it: `clusterIP: None` in `{}`",
                            service.name
                        )
                    }
                })
                .help("or ask the cluster for the pods: `resolver: {k8s: {service: …}}`");
            cx.report(finding);
        }
        too_few(cx, part);
    }
}

/// A headless Service that stands for the pods of a node.
fn beside<'a>(cluster: &'a Cluster, node: &'a Node) -> Option<&'a Service> {
    let pod = node.container.as_ref()?.pod.as_deref()?;
    cluster.services_of(pod).find(|it| it.headless)
}

/// A list that names fewer pods than there are.
fn too_few(cx: &mut Cx<'_>, part: &Part<'_>) {
    let all = spreads(part);
    let listed: Vec<_> = all
        .iter()
        .filter(|it| it.resolver == LIST)
        .filter_map(|it| match link::way(cx.system, part.id, it.host, it.port) {
            link::Way::To(to, Some(via)) if via.pods && via.service.is_some() => Some((it, to)),
            _ => None,
        })
        .collect();
    let Some((first, to)) = listed.first() else { return };
    let named = listed.iter().filter(|(_, it)| it == to).count();
    let node = cx.system.node(*to);
    let Some(Instances::Count(count, _)) = several(node) else { return };
    let instances = several(node);
    if listed.len() != all.len() || u64::try_from(named).is_ok_and(|named| named >= count) {
        return;
    }
    let message = format!("{} sends to {named} of the {count} pods of `{}`", part.title(), node.name);
    let place = instances.as_ref().and_then(Instances::several).and_then(Origin::span);
    let finding = cx
        .finding(message, &first.value.mark, "the others get nothing")
        .label(place, format!("{count} of it run"))
        .help("name all of them, or let them be found: `resolver: {dns: …}` with a headless Service");
    cx.report(finding);
}

#[cfg(test)]
mod tests {
    use telstack_catalog::Distribution;
    use telstack_diagnostics::Severity;
    use telstack_system::{Known, Sourced, TargetPort, WorkloadKind};

    use crate::test_support::Bench;

    fn balanced(resolver: &str, headless: bool, replicas: u64) -> Bench {
        let mut bench = Bench::new("service replicas listens");
        let yaml = format!(
            "exporters: {{load_balancing: {{protocol: {{otlp: {{}}}}, resolver: {{{resolver}}}}}}}\n\
             service: {{pipelines: {{traces: {{receivers: [otlp], exporters: [load_balancing]}}}}}}"
        );
        let agent = bench.add_collector("agent", Distribution::Contrib, "0.158.0", &yaml);
        let gateway = bench.add_collector("gateway", Distribution::Contrib, "0.158.0", "");
        let listener = bench.listener("otlp-grpc", 4317, "listens");
        bench.node(gateway).listeners.push(listener);
        bench.pod_of(agent, WorkloadKind::DaemonSet);
        let labels = bench.pod_of(gateway, WorkloadKind::StatefulSet).labels.clone();
        let many = bench.at("replicas");
        bench.container(gateway).replicas = Known::Value(Sourced::new(replicas, many));
        bench.service(labels, TargetPort::Number(4317), "service").headless = headless;
        bench
    }

    #[test]
    fn warns_of_one_address_for_several() {
        assert_eq!(balanced("dns: {hostname: gw}", false, 3).finds("S002", "gw"), Severity::Warning);
    }

    #[test]
    fn warns_of_a_list_that_is_too_short() {
        balanced("static: {hostnames: ['gw-0.gw:4317', 'gw-1.gw:4317']}", true, 3).finds("S002", "'gw-0.gw:4317'");
    }

    #[test]
    fn passes_where_all_are_found() {
        balanced("dns: {hostname: gw}", true, 3).silent("S002");
        balanced("dns: {hostname: gw}", false, 1).silent("S002");
        balanced("k8s: {service: gw}", false, 3).silent("S002");
        balanced("static: {hostnames: ['gw-0.gw:4317', 'gw-1.gw:4317']}", true, 2).silent("S002");
    }

    #[test]
    fn silent_when_the_host_is_not_known() {
        balanced("dns: {hostname: '${env:GATEWAY}'}", false, 3).silent("S002");
        balanced("dns: {hostname: elsewhere}", false, 3).silent("S002");
    }
}
