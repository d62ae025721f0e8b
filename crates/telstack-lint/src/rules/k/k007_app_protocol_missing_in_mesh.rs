use telstack_catalog::otelcol;
use telstack_diagnostics::{RuleInfo, Severity};
use telstack_system::{Known, Tls};

use crate::{Cx, Rule, facts::mesh_marker};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        code: "K007",
        name: "app-protocol-missing-in-mesh",
        severity: Severity::Warning,
        summary: "A mesh cannot tell that a port of a Service speaks gRPC.",
        why: "Istio goes by `appProtocol`, or by what the name of the port starts with. Without either it guesses, or \
              takes the port for plain bytes: requests of one connection all go to one pod, retries and metrics of the \
              mesh are missing, and what is taken for HTTP/1.1 breaks.",
        bad: r"kind: Namespace
metadata: {labels: {istio-injection: enabled}}
---
kind: Service
spec: {ports: [{name: otlp, port: 4317}]}",
        good: r"kind: Namespace
metadata: {labels: {istio-injection: enabled}}
---
kind: Service
spec: {ports: [{name: otlp, port: 4317, appProtocol: grpc}]}",
        silent: "Nothing among the files puts the pods into a mesh; the port is encrypted; nobody listens there.",
        sources: &[
            "https://istio.io/latest/docs/ops/configuration/traffic-management/protocol-selection/",
            "https://github.com/open-telemetry/opentelemetry-operator/issues/1306",
        ],
    },
    check,
};

fn check(cx: &mut Cx<'_>) {
    let Some(cluster) = cx.system.cluster.as_deref() else { return };
    let mesh = otelcol::mesh();
    for (_, node) in cx.system.nodes() {
        let Some(container) = node.container.as_ref().filter(|it| !it.is_patched()) else { continue };
        let Some(pod) = container.pod.as_deref() else { continue };
        let Some(marker) = mesh_marker(cx.system, node) else { continue };
        for listener in node.listeners.iter().filter(|it| it.protocol.is_grpc()) {
            if !matches!(listener.tls, Known::Value(Tls::Off)) {
                continue;
            }
            for service in cluster.services_of(pod) {
                for port in service.ports.iter().filter(|it| container.port_number(&it.target) == Some(listener.port)) {
                    let name = port.name.as_deref().unwrap_or_default();
                    if port.app_protocol.is_some() || mesh.grpc_names.iter().any(|it| name.starts_with(it.as_str())) {
                        continue;
                    }
                    let message = format!(
                        "nothing tells the mesh that port {} of the Service `{}` speaks gRPC",
                        port.port, service.name
                    );
                    let finding = cx
                        .finding(message, &port.origin, "without `appProtocol`")
                        .label(marker.span(), "these pods are in a mesh")
                        .label(listener.origin.span(), format!("speaks {}", listener.protocol))
                        .help(format!("write `appProtocol: {}`", mesh.write));
                    cx.report(finding);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use telstack_diagnostics::Severity;
    use telstack_system::{Sourced, TargetPort, WorkloadKind};

    use crate::test_support::Bench;

    fn meshed(name: &str, mesh: &str) -> Bench {
        let mut bench = Bench::new("port listens mesh");
        let id = bench.add_collector("gateway", telstack_catalog::Distribution::Contrib, "0.158.0", "");
        let listener = bench.listener("otlp-grpc", 4317, "listens");
        bench.node(id).listeners.push(listener);
        let marker = Sourced::new(mesh.to_owned(), bench.at("mesh"));
        let pod = bench.in_pod(WorkloadKind::Deployment);
        pod.labels.insert("sidecar.istio.io/inject".to_owned(), marker);
        let labels = pod.labels.clone();
        bench.service(labels, TargetPort::Number(4317), "port").ports[0].name = Some(name.to_owned());
        bench
    }

    #[test]
    fn warns_in_a_mesh() {
        assert_eq!(meshed("otlp", "true").finds("K007", "port"), Severity::Warning);
    }

    #[test]
    fn passes_by_name() {
        meshed("grpc-otlp", "true").silent("K007");
    }

    #[test]
    fn silent_outside_of_meshes() {
        meshed("otlp", "false").silent("K007");
    }
}
