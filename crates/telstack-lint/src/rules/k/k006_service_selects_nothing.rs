use telstack_diagnostics::{Diagnostic, RuleInfo, Severity};
use telstack_system::{
    Cluster, Container, Node, Origin, Pod, Selector, Service, Sourced, System, TargetPort,
    cluster::{Labels, Monitor, same_namespace},
};

use crate::{
    Cx, Rule,
    words::{nearest, ticked},
};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        code: "K006",
        name: "service-selects-nothing",
        severity: Severity::Error,
        summary: "A Service, monitor, autoscaler, network policy or disruption budget means pods that there are not.",
        why: "A Service whose selector fits no pod has no endpoints: every connection to it is refused, and nothing \
              says why. A port by name that no container gives leads nowhere either. An autoscaler, policy or budget \
              that fits nothing does nothing. A ServiceMonitor or PodMonitor picks by labels and ports by name, and \
              scrapes nothing where either is another; Prometheus shows no target, not one that is down.",
        bad: r"kind: Service
spec:
  selector: {app: otel-gateway}
---
kind: Deployment
spec:
  template:
    metadata: {labels: {app: otelcol-gateway}}",
        good: r"kind: Service
spec:
  selector: {app: otel-gateway}
---
kind: Deployment
spec:
  template:
    metadata: {labels: {app: otel-gateway}}",
        silent: "Nothing among the files resembles what is meant: it may be elsewhere. Files were not understood, are \
                 templates, or come from elsewhere; namespaces of a monitor that nobody can tell; an operator makes pods here, whose labels no file shows; a patch may \
                 give a pod other labels.",
        sources: &[
            "https://kubernetes.io/docs/tasks/debug/debug-application/debug-service/",
            "https://github.com/SigNoz/charts/issues/66",
            "https://github.com/open-telemetry/opentelemetry-operator/issues/1968",
        ],
    },
    check,
};

fn check(cx: &mut Cx<'_>) {
    let system = cx.system;
    let Some(cluster) = system.cluster.as_deref().filter(|it| !it.open) else { return };
    if pods(system).any(|(_, pod)| pod.operated) {
        return;
    }
    for service in &cluster.services {
        let Some(selector) = service.selector.as_ref().filter(|it| !it.is_empty()) else { continue };
        if !selects(
            cx,
            selector,
            service.namespace.as_deref(),
            &format!("the Service `{}`", service.name),
            Some(&service.name),
            Severity::Error,
        ) {
            continue;
        }
        ports(cx, service);
    }
    for policy in cluster.policies.iter().filter(|it| !it.pods.is_empty()) {
        let what = format!("the network policy `{}`", policy.name);
        selects(cx, &policy.pods, policy.namespace.as_deref(), &what, None, Severity::Warning);
    }
    for budget in &cluster.budgets {
        let Some(selector) = budget.selector.as_ref().filter(|it| !it.is_empty()) else { continue };
        let what = format!("the disruption budget `{}`", budget.name);
        selects(cx, selector, budget.namespace.as_deref(), &what, None, Severity::Warning);
    }
    autoscalers(cx, cluster);
    for monitor in cluster.monitors.iter().filter(|it| !it.selector.is_empty()) {
        let finding = if monitor.of_pods { pod_monitor(cx, monitor) } else { service_monitor(cx, cluster, monitor) };
        if let Some(finding) = finding {
            cx.report(finding);
        }
    }
}

/// A monitor of Services: none has its labels, though one is surely meant; or those that have them call no port so.
fn service_monitor(cx: &Cx<'_>, cluster: &Cluster, monitor: &Monitor) -> Option<Diagnostic> {
    let meant: Vec<&Service> = cluster.services.iter().filter(|it| monitor.may_mean(it)).collect();
    if meant.is_empty() {
        let wanted = &monitor.selector.labels;
        let near = cluster.services.iter().filter(|it| monitor.looks_into(it.namespace.as_deref()) == Some(true));
        let all = |labels: &Labels| !wanted.is_empty() && wanted.iter().all(|(key, it)| has(labels, key, &it.value));
        let slip = |labels: &Labels| one_slip(wanted, labels);
        let service = near
            .filter(|it| monitor.selector.expressions.is_empty() && !it.open_ports)
            .find(|it| it.selector.as_ref().is_some_and(|picked| all(&picked.labels)) || slip(&it.labels))?;
        let message = format!("the {} `{}` picks no Service", monitor.kind(), monitor.name);
        let remark = if service.selector.as_ref().is_some_and(|it| all(&it.labels)) {
            format!("the Service `{}` has them in its selector, and not among its own labels", service.name)
        } else {
            format!("the Service `{}` has others", service.name)
        };
        let finding = cx.finding(message, &monitor.selector.origin, "no Service has these labels");
        let help = format!("give both the same labels, if the Service `{}` is meant: `metadata.labels`", service.name);
        return Some(finding.label(service.origin.span(), remark).help(help));
    }
    let names: Vec<&str> = meant.iter().flat_map(|it| &it.ports).filter_map(|it| it.name.as_deref()).collect();
    let open = meant.iter().any(|it| it.open_ports || monitor.looks_into(it.namespace.as_deref()).is_none());
    let port = monitor.ports.iter().find(|it| !names.contains(&it.value.as_str())).filter(|_| !open)?;
    let finding = lost(cx, monitor, port, &format!("the Service `{}`", meant[0].name), &names);
    Some(finding.label(meant[0].origin.span(), "the Service that it means"))
}

/// The same of pods.
fn pod_monitor(cx: &Cx<'_>, monitor: &Monitor) -> Option<Diagnostic> {
    let meant: Vec<&Node> =
        pods(cx.system).filter(|(_, pod)| monitor.may_mean_pod(pod)).map(|(node, _)| node).collect();
    let Some((_, first)) = pods(cx.system).find(|(_, pod)| monitor.may_mean_pod(pod)) else {
        let near = |pod: &Pod| monitor.looks_into(pod.namespace.as_deref()) == Some(true);
        let slip =
            |pod: &Pod| monitor.selector.expressions.is_empty() && one_slip(&monitor.selector.labels, &pod.labels);
        let (_, pod) = pods(cx.system).find(|(_, pod)| near(pod) && slip(pod))?;
        let message = format!("the {} `{}` picks no pod", monitor.kind(), monitor.name);
        let finding = cx.finding(message, &monitor.selector.origin, "no pod has these labels");
        let place = format!("pods of the {} `{}` have others", pod.kind, pod.name);
        let help = format!("give both the same labels, if the {} `{}` is meant", pod.kind, pod.name);
        return Some(finding.label(pod.origin.span(), place).help(help));
    };
    let containers = meant.iter().filter_map(|node| node.container.as_ref());
    let names: Vec<&str> = containers.flat_map(|it| &it.ports).filter_map(|it| it.name.as_deref()).collect();
    let sure = pods(cx.system).filter(|(_, pod)| monitor.may_mean_pod(pod));
    let open = sure.into_iter().any(|(_, pod)| monitor.looks_into(pod.namespace.as_deref()).is_none());
    let port = monitor.ports.iter().find(|it| !names.contains(&it.value.as_str())).filter(|_| !open)?;
    let what = format!("the {} `{}`", first.kind, first.name);
    Some(lost(cx, monitor, port, &what, &names).label(first.origin.span(), "the pods that it means"))
}

/// A port that nobody has whom a monitor means.
fn lost(cx: &Cx<'_>, monitor: &Monitor, port: &Sourced<String>, what: &str, names: &[&str]) -> Diagnostic {
    let message = format!(
        "the {} `{}` scrapes the port `{}`, and {what} calls no port so",
        monitor.kind(),
        monitor.name,
        port.value
    );
    let finding = cx.finding(message, &port.origin, "nothing is scraped");
    match names {
        [] => finding.help("give the port a name there: `name:`"),
        names => finding.help(format!("write one of the names {}", ticked(names))),
    }
}

/// Are the same labels there, and of one the value is misspelt?
fn one_slip(wanted: &Labels, there: &Labels) -> bool {
    let mut odd = wanted.iter().filter(|(key, it)| !has(there, key, &it.value));
    let slip = odd.next().and_then(|(key, it)| nearest(&it.value, [there.get(key)?.value.as_str()]));
    slip.is_some() && odd.next().is_none()
}

fn pods(system: &System) -> impl Iterator<Item = (&Node, &Pod)> {
    system.nodes().filter_map(|(_, node)| Some((node, node.container.as_ref()?.pod.as_deref()?)))
}

/// Does a selector pick any pod? If not, and one resembles what it means, that is reported.
fn selects(
    cx: &mut Cx<'_>,
    selector: &Selector,
    namespace: Option<&str>,
    what: &str,
    name: Option<&str>,
    severity: Severity,
) -> bool {
    let system = cx.system;
    let near = |pod: &Pod| same_namespace(namespace, pod.namespace.as_deref()) != Some(false);
    if pods(system).any(|(_, pod)| near(pod) && (pod.patched || selector.picks(&pod.labels))) {
        return true;
    }
    // One that has some of the labels, or the name.
    let shared = |pod: &Pod| selector.labels.iter().filter(|(key, it)| has(&pod.labels, key, &it.value)).count();
    let resembles = |pod: &&Pod| {
        let slip = |(key, it): (&String, &Sourced<String>)| {
            pod.labels.get(key).is_some_and(|other| nearest(&it.value, [other.value.as_str()]).is_some())
        };
        near(pod) && (shared(pod) > 0 || name == Some(pod.name.as_str()) || selector.labels.iter().any(slip))
    };
    // All that a common label holds together resembles everything.
    let Some(pod) = pods(system).map(|(_, pod)| pod).filter(resembles).max_by_key(|pod| shared(pod)) else {
        return false;
    };
    let likely = name == Some(pod.name.as_str()) || shared(pod) + 1 >= selector.labels.len();
    if !likely {
        return false;
    }
    let lacks: Vec<String> = selector
        .labels
        .iter()
        .filter(|(key, it)| !has(&pod.labels, key, &it.value))
        .map(|(key, it)| format!("{key}: {}", it.value))
        .collect();
    let message = format!("{what} picks no pod: none has {}", ticked(&lacks));
    let mut finding = cx.finding(message, &selector.origin, "fits no pod of these files").severity(severity);
    let other =
        selector.labels.iter().find_map(|(key, it)| pod.labels.get(key).filter(|other| other.value != it.value));
    finding = match other {
        Some(other) => finding.label(other.span(), format!("pods of the {} `{}` have this", pod.kind, pod.name)),
        None => finding.label(pod.origin.span(), format!("pods of the {} `{}` lack it", pod.kind, pod.name)),
    };
    cx.report(finding.help(format!("give both the same labels, if the {} `{}` is meant", pod.kind, pod.name)));
    false
}

fn has(labels: &Labels, key: &str, value: &str) -> bool {
    labels.get(key).is_some_and(|it| it.value == value)
}

/// Ports by names that no container gives.
fn ports(cx: &mut Cx<'_>, service: &Service) {
    let system = cx.system;
    let picked: Vec<&Container> = system
        .nodes()
        .filter_map(|(_, node)| node.container.as_ref())
        .filter(|it| it.pod.as_deref().is_some_and(|pod| service.stands_for(pod)))
        .collect();
    let Some(first) = picked.first().filter(|_| !picked.iter().any(|it| it.is_patched())) else { return };
    for port in &service.ports {
        let TargetPort::Name(name) = &port.target else { continue };
        if picked.iter().any(|it| it.port_number(&port.target).is_some()) {
            continue;
        }
        let message = format!(
            "port {} of the Service `{}` leads to `{name}`, and no container calls a port so",
            port.port, service.name
        );
        let names: Vec<&str> = picked.iter().flat_map(|it| &it.ports).filter_map(|it| it.name.as_deref()).collect();
        let place = first.ports.first().map(|it| &it.origin).or_else(|| first.pod.as_deref().map(|it| &it.origin));
        let mut finding = cx
            .finding(message, &port.origin, "leads nowhere")
            .label(place.and_then(Origin::span), "the pods that the Service stands for");
        finding = match names.as_slice() {
            [] => finding.help("write the number of the port in `targetPort`"),
            names => finding.help(format!("write a number in `targetPort`, or one of the names {}", ticked(names))),
        };
        cx.report(finding);
    }
}

fn autoscalers(cx: &mut Cx<'_>, cluster: &Cluster) {
    for scaler in &cluster.autoscalers {
        let near = |pod: &&Pod| same_namespace(scaler.namespace.as_deref(), pod.namespace.as_deref()) != Some(false);
        let all: Vec<&Pod> = pods(cx.system).map(|(_, pod)| pod).filter(near).collect();
        if all.iter().any(|pod| pod.name == scaler.target && pod.kind.as_str() == scaler.target_kind) {
            continue;
        }
        let names = all.iter().map(|pod| pod.name.as_str());
        let meant = nearest(&scaler.target, names);
        let pod = all.iter().find(|pod| pod.name == scaler.target || Some(pod.name.as_str()) == meant);
        let Some(pod) = pod else { continue };
        let message = format!(
            "the autoscaler `{}` scales the {} `{}`, which there is not",
            scaler.name, scaler.target_kind, scaler.target
        );
        let finding = cx
            .finding(message, &scaler.origin, "scales nothing")
            .label(pod.origin.span(), format!("there is the {} `{}`", pod.kind, pod.name))
            .help(format!("write `scaleTargetRef: {{kind: {}, name: {}}}`", pod.kind, pod.name));
        cx.report(finding);
    }
}

#[cfg(test)]
mod tests {
    use telstack_diagnostics::Severity;
    use telstack_system::{Sourced, TargetPort, WorkloadKind};

    use crate::test_support::Bench;

    fn service(labels: &[(&str, &str)], target: TargetPort) -> Bench {
        let mut bench = Bench::new("selector");
        bench.add_collector("gateway", telstack_catalog::Distribution::Contrib, "0.158.0", "");
        bench.in_pod(WorkloadKind::Deployment);
        let origin = bench.at("selector");
        let label =
            |(key, value): &(&str, &str)| ((*key).to_owned(), Sourced::new((*value).to_owned(), origin.clone()));
        bench.service(labels.iter().map(label).collect(), target, "selector");
        bench
    }

    #[test]
    fn fails_on_a_slip() {
        let bench = service(&[("app", "gatewy")], TargetPort::Number(4317));
        assert_eq!(bench.finds("K006", "selector"), Severity::Error);
        service(&[("app", "gateway"), ("part", "x")], TargetPort::Number(4317)).finds("K006", "selector");
    }

    #[test]
    fn fails_on_a_name_that_no_port_has() {
        service(&[("app", "gateway")], TargetPort::Name("otlp".to_owned())).finds("K006", "selector");
    }

    #[test]
    fn passes_where_a_pod_fits() {
        service(&[("app", "gateway")], TargetPort::Number(4317)).silent("K006");
    }

    #[test]
    fn silent_where_what_is_meant_is_elsewhere() {
        service(&[("app", "postgres")], TargetPort::Number(5432)).silent("K006");
        let mut bench = service(&[("app", "gatewy")], TargetPort::Number(4317));
        bench.cluster().open = true;
        bench.silent("K006");
    }
}
