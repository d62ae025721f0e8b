//! What a cluster puts around collectors, as manifests say it: each mistake is found at both its ends, and what is
//! right is left alone.

mod common;

use common::{changed, checked, errors, of_rules};

const ALL: &str = "d/all.yaml";

/// An agent on every node, with everything that it needs.
const AGENT: &str = r#"apiVersion: v1
kind: ServiceAccount
metadata: {name: agent, namespace: obs}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: agent}
rules:
- {apiGroups: [""], resources: [pods, namespaces, nodes], verbs: [get, list, watch]}
- {apiGroups: [apps], resources: [replicasets], verbs: [get, list, watch]}
- {apiGroups: [""], resources: [nodes/stats], verbs: [get]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: agent}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: agent}
subjects: [{kind: ServiceAccount, name: agent, namespace: obs}]
---
apiVersion: v1
kind: ConfigMap
metadata: {name: agent, namespace: obs}
data:
  config.yaml: |
    receivers:
      otlp:
        protocols:
          grpc: {endpoint: "0.0.0.0:4317"}
      kubelet_stats:
        auth_type: serviceAccount
        endpoint: https://${env:K8S_NODE_NAME}:10250
        insecure_skip_verify: true
    processors:
      memory_limiter: {check_interval: 1s, limit_mib: 400}
      k8s_attributes:
        auth_type: serviceAccount
        filter: {node_from_env_var: K8S_NODE_NAME}
    exporters:
      otlp_grpc: {endpoint: "gateway.obs:4317", tls: {insecure: true}}
    extensions:
      health_check: {endpoint: "0.0.0.0:13133"}
    service:
      extensions: [health_check]
      pipelines:
        traces: {receivers: [otlp], processors: [memory_limiter, k8s_attributes], exporters: [otlp_grpc]}
        metrics: {receivers: [kubelet_stats], processors: [memory_limiter, k8s_attributes], exporters: [otlp_grpc]}
---
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: agent, namespace: obs}
spec:
  selector: {matchLabels: {app: agent}}
  template:
    metadata: {labels: {app: agent}}
    spec:
      serviceAccountName: agent
      tolerations: [{operator: Exists}]
      containers:
      - name: otel
        image: otel/opentelemetry-collector-k8s:0.158.0
        args: [--config=/conf/config.yaml]
        env:
        - {name: K8S_NODE_NAME, valueFrom: {fieldRef: {fieldPath: spec.nodeName}}}
        resources: {limits: {memory: 512Mi}}
        livenessProbe: {httpGet: {path: /, port: 13133}}
        volumeMounts: [{name: conf, mountPath: /conf}]
      volumes: [{name: conf, configMap: {name: agent}}]
"#;

/// A gateway behind a Service.
const GATEWAY: &str = r#"---
apiVersion: v1
kind: ConfigMap
metadata: {name: gateway, namespace: obs}
data:
  config.yaml: |
    receivers:
      otlp:
        protocols:
          grpc: {endpoint: "0.0.0.0:4317"}
    processors:
      batch: {}
    exporters:
      debug: {}
    service:
      pipelines:
        traces: {receivers: [otlp], processors: [batch], exporters: [debug]}
        metrics: {receivers: [otlp], processors: [batch], exporters: [debug]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: gateway, namespace: obs}
spec:
  replicas: 3
  selector: {matchLabels: {app: gateway}}
  template:
    metadata: {labels: {app: gateway}}
    spec:
      containers:
      - name: otel
        image: otel/opentelemetry-collector-contrib:0.158.0
        args: [--config=/conf/config.yaml]
        ports: [{name: grpc, containerPort: 4317}]
        resources: {limits: {memory: 512Mi}}
        volumeMounts: [{name: conf, mountPath: /conf}]
      volumes: [{name: conf, configMap: {name: gateway}}]
---
apiVersion: v1
kind: Service
metadata: {name: gateway, namespace: obs}
spec:
  selector: {app: gateway}
  ports: [{name: grpc, port: 4317, targetPort: grpc}]
"#;

const CODES: [&str; 19] = [
    "K001", "K002", "K003", "K004", "K005", "K006", "K007", "K008", "K010", "K011", "K012", "K013", "K014", "S001",
    "S002", "S005", "D011", "D012", "X003",
];

/// What is said of both when a text in them is another, and more is there.
fn with(change: &[(&str, &str)], more: &str) -> Vec<String> {
    of(&CODES, change, more)
}

fn of(codes: &[&str], change: &[(&str, &str)], more: &str) -> Vec<String> {
    let text = changed(&format!("{AGENT}{GATEWAY}{more}"), change);
    of_rules([(ALL, &text)], codes)
}

#[test]
fn what_is_right_is_left_alone() {
    assert_eq!(with(&[], ""), [""; 0]);
    assert_eq!(errors([(ALL, &format!("{AGENT}{GATEWAY}"))]), [""; 0]);
}

#[test]
fn probes() {
    assert_eq!(with(&[("extensions: [health_check]", "extensions: []")], ""), ["K001 error 13133"]);
    assert_eq!(with(&[("\"0.0.0.0:13133\"", "localhost:13133")], ""), ["K001 error 13133"]);
    assert_eq!(with(&[("\"0.0.0.0:13133\"", "\"${env:MY_POD_IP}:13133\"")], ""), [""; 0]);
}

#[test]
fn rights() {
    assert_eq!(
        with(&[(", resources: [replicasets]", ", resources: [deployments]")], ""),
        ["K003 error k8s_attributes"]
    );
    assert_eq!(with(&[("nodes/stats", "nodes/metrics")], ""), ["K003 error kubelet_stats"]);
    let narrow = [(
        "kind: ClusterRoleBinding\nmetadata: {name: agent}",
        "kind: RoleBinding\nmetadata: {name: agent, namespace: obs}",
    )];
    assert_eq!(with(&narrow, "").len(), 2);
}

#[test]
fn once_for_a_cluster() {
    let cluster = [
        ("    processors:\n      memory_limiter: {", "      k8s_events: {}\n    processors:\n      memory_limiter: {"),
        (
            "        metrics: {receivers: [kubelet_stats]",
            "        logs: {receivers: [k8s_events], exporters: [otlp_grpc]}\n        metrics: {receivers: [kubelet_stats]",
        ),
        ("[pods, namespaces, nodes]", "[pods, namespaces, nodes, events]"),
    ];
    assert_eq!(with(&cluster, ""), ["K002 warning k8s_events"]);
}

#[test]
fn nodes() {
    assert_eq!(
        with(&[("https://${env:K8S_NODE_NAME}:10250", "https://localhost:10250")], ""),
        ["K004 error https://localhost:10250"]
    );
    assert_eq!(
        with(&[("filter: {node_from_env_var: K8S_NODE_NAME}", "passthrough: false")], ""),
        ["K005 warning k8s_attributes"]
    );
    assert_eq!(with(&[("node_from_env_var: K8S_NODE_NAME", "node_from_env_var: NODE")], ""), ["K012 warning NODE"]);
}

#[test]
fn selectors() {
    assert_eq!(with(&[("selector: {app: gateway}", "selector: {app: gatewy}")], ""), ["K006 error {app: gatewy}"]);
    assert_eq!(
        with(&[("targetPort: grpc", "targetPort: otlp")], ""),
        ["K006 error {name: grpc, port: 4317, targetPort: otlp}"]
    );
}

fn policy(spec: &str) -> String {
    format!(
        "---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {{name: p, namespace: obs}}\nspec:\n{spec}"
    )
}

#[test]
fn policies() {
    let ingress = |from: &str, port: u16| {
        policy(&format!(
            "  podSelector: {{matchLabels: {{app: gateway}}}}\n  policyTypes: [Ingress]\n  ingress:\n  - from: \
             [{{podSelector: {{matchLabels: {{app: {from}}}}}}}]\n    ports: [{{port: {port}}}]\n"
        ))
    };
    assert_eq!(with(&[], &ingress("agent", 4317)), [""; 0]);
    assert_eq!(with(&[], &ingress("loki", 4317)), ["K008 error \"gateway.obs:4317\""]);
    assert_eq!(with(&[], &ingress("agent", 3100)), ["K008 error \"gateway.obs:4317\""]);
    let nothing = policy("  podSelector: {}\n  policyTypes: [Ingress]\n");
    assert_eq!(with(&[], &nothing), ["K008 error \"gateway.obs:4317\""]);
    let out = policy(
        "  podSelector: {matchLabels: {app: agent}}\n  policyTypes: [Egress]\n  egress:\n  - ports: [{port: 4317}]\n",
    );
    // Neither names nor the API.
    assert_eq!(with(&[], &out).len(), 2);
}

const SAMPLER: (&str, &str) = (
    "processors:\n      batch: {}",
    "processors:\n      batch: {}\n      tail_sampling: {policies: [{name: all, type: always_sample}]}",
);
const SAMPLED: (&str, &str) = (
    "receivers: [otlp], processors: [batch], exporters: [debug]}\n        metrics",
    "receivers: [otlp], processors: [tail_sampling, batch], exporters: [debug]}\n        metrics",
);

#[test]
fn whole_traces() {
    assert_eq!(with(&[SAMPLER, SAMPLED], ""), ["S001 error tail_sampling"]);
    assert_eq!(with(&[SAMPLER, SAMPLED, ("replicas: 3", "replicas: 1")], ""), [""; 0]);
    assert_eq!(with(&[SAMPLER, SAMPLED, ("replicas: 3", "replicas: 1")], SCALED), ["S001 warning tail_sampling"]);
}

const SCALED: &str = "---\napiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: {name: g, namespace: obs}\nspec: \
                      {scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: gateway}, minReplicas: 1, maxReplicas: 5}\n";

#[test]
fn connections_that_are_kept() {
    const PINNED: [&str; 1] = ["N010 warning \"gateway.obs:4317\""];
    let kept = |change: &[(&str, &str)], more: &str| of(&["N010"], change, more);
    assert_eq!(kept(&[], ""), PINNED);
    // More may run than do now.
    assert_eq!(kept(&[("  replicas: 3\n", "")], SCALED), PINNED);
    assert_eq!(kept(&[("replicas: 3", "replicas: 1")], ""), [""; 0]);
    let ends = "grpc:\n            endpoint: \"0.0.0.0:4317\"\n            keepalive: {server_parameters: {max_connection_age: 60s}}";
    assert_eq!(kept(&[("grpc: {endpoint: \"0.0.0.0:4317\"}", ends)], ""), [""; 0]);
    assert_eq!(
        kept(&[("spec:\n  selector: {app: gateway}", "spec:\n  clusterIP: None\n  selector: {app: gateway}")], ""),
        [""; 0]
    );
    // An exporter that asks who is there finds them all.
    let spread = "load_balancing: {protocol: {otlp: {tls: {insecure: true}}}, resolver: {k8s: {service: gateway.obs}}}";
    let all = [
        ("otlp_grpc: {endpoint: \"gateway.obs:4317\", tls: {insecure: true}}", spread),
        ("exporters: [otlp_grpc]", "exporters: [load_balancing]"),
    ];
    assert_eq!(kept(&all, ""), [""; 0]);
}

#[test]
fn silent_about_connections_where_a_mesh_may_spread_them() {
    let kept = |change: &[(&str, &str)], more: &str| of(&["N010"], change, more);
    let labels =
        [("metadata: {labels: {app: agent}}", "metadata: {labels: {app: agent, sidecar.istio.io/inject: \"true\"}}")];
    assert_eq!(kept(&labels, ""), [""; 0]);
    let namespace = "---\napiVersion: v1\nkind: Namespace\nmetadata: {name: obs, labels: {istio-injection: enabled}}\n";
    assert_eq!(kept(&[], namespace), [""; 0]);
    assert_eq!(kept(&[], &namespace.replace("istio-injection", "team")), ["N010 warning \"gateway.obs:4317\""]);
}

#[test]
fn behind_a_load_balancer() {
    let open = [("spec:\n  selector: {app: gateway}", "spec:\n  type: LoadBalancer\n  selector: {app: gateway}")];
    assert_eq!(with(&open, ""), ["X003 warning {name: grpc, port: 4317, targetPort: grpc}"]);
}

#[test]
fn one_probe_is_shown_once() {
    let broken = AGENT.replace("extensions: [health_check]", "extensions: []");
    let probe = "livenessProbe: {httpGet: {path: /, port: 13133}}";
    let both =
        broken.replace(probe, &format!("{probe}\n        readinessProbe: {{httpGet: {{path: /, port: 13133}}}}"));
    for (text, more) in [(broken.as_str(), 0), (both.as_str(), 1)] {
        let checked = checked([(ALL, text)]);
        let finding = checked.diagnostics.iter().find(|it| it.rule.code == "K001").expect("found");
        let others: Vec<_> = finding.labels.iter().filter(|it| it.message == "so does this one").collect();
        assert_eq!(others.len(), more, "{text}");
        assert!(others.iter().all(|it| checked.sources.slice(it.span) == "13133"));
    }
}

#[test]
fn references_between_variables() {
    const FIELD: &str = "- {name: K8S_NODE_NAME, valueFrom: {fieldRef: {fieldPath: spec.nodeName}}}";
    let of = |above: &str, below: &str, more: &str| {
        let env = format!("{above}{FIELD}{below}\n{more}");
        with(&[(&format!("{FIELD}\n"), &env)], "")
    };
    let refers = |name: &str| format!("{{name: OTEL_RESOURCE_ATTRIBUTES, value: \"k8s.node.name=$({name})\"}}");
    let after = |name: &str| format!("\n        - {}", refers(name));
    let finding = |name: &str| vec![format!("K012 warning \"k8s.node.name=$({name})\"")];
    // Kubernetes fills in what stands above, wherever its value is from.
    assert_eq!(of("", &after("K8S_NODE_NAME"), ""), [""; 0]);
    let secret = "- {name: TOKEN, valueFrom: {secretKeyRef: {name: a, key: b}}}\n        ";
    assert_eq!(of(secret, &after("TOKEN"), ""), [""; 0]);
    let before = format!("- {}\n        ", refers("K8S_NODE_NAME"));
    assert_eq!(of(&before, "", ""), finding("K8S_NODE_NAME"));
    assert_eq!(of("", &after("POD_NAME"), ""), finding("POD_NAME"));
    // Escaped, of a Service, or perhaps from elsewhere.
    assert_eq!(of("", &after("POD_NAME").replace("$(", "$$("), ""), [""; 0]);
    assert_eq!(of("", &after("GATEWAY_SERVICE_HOST"), ""), [""; 0]);
    assert_eq!(of("", &after("POD_NAME"), "        envFrom: [{configMapRef: {name: elsewhere}}]\n"), [""; 0]);
}

#[test]
fn the_port_of_a_node_is_shown() {
    let daemon = |name: &str| {
        format!(
            "apiVersion: apps/v1\nkind: DaemonSet\nmetadata: {{name: {name}, namespace: obs}}\nspec:\n  template:\n    \
             metadata: {{labels: {{app: {name}}}}}\n    spec:\n      containers:\n      - name: otel\n        image: \
             otel/opentelemetry-collector-contrib:0.158.0\n        ports: [{{containerPort: 4317, hostPort: 4319}}]\n"
        )
    };
    assert_eq!(of_rules([(ALL, &format!("{}---\n{}", daemon("a"), daemon("b")))], &["K011"]), ["K011 error 4319"]);
}

#[test]
fn more_rights_than_anything_asks_for() {
    assert_eq!(
        with(&[("[nodes/stats]", "[nodes/stats, nodes/proxy]")], ""),
        ["K014 warning {apiGroups: [\"\"], resources: [nodes/stats, nodes/proxy], verbs: [get]}"]
    );
    assert_eq!(with(&[("[pods, namespaces, nodes]", "[pods, secrets, nodes]")], "").len(), 1);
    // Who else asks as that account, nobody knows.
    let other = "---\napiVersion: v1\nkind: Pod\nmetadata: {name: other, namespace: obs}\nspec: {serviceAccountName: agent, \
                 containers: [{name: a, image: example.com/a:1}]}\n";
    assert_eq!(with(&[("[nodes/stats]", "[nodes/stats, nodes/proxy]")], other), [""; 0]);
}

#[test]
fn kinds_that_are_not_read_are_heeded_by_their_names() {
    let nothing = policy("  podSelector: {}\n  policyTypes: [Ingress]\n");
    let cilium = "---\napiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {name: c, namespace: obs}\n";
    assert_eq!(with(&[], &format!("{nothing}{cilium}")), [""; 0]);
}
