//! What is read of Kubernetes manifests, for whoever asks the System: pods, probes, volumes, rights, policies.

use telstack_catalog::otelcol::Transport;
use telstack_diagnostics::{Diagnostics, SourceMap};
use telstack_system::{
    Cluster, Container, EnvValue, Instances, Known, MountSource, Node, Pod, ProbeAction, ProbeKind, System, TargetPort,
    WorkloadKind,
};
use telstack_tools::{Manifests, Said, SourceFile, read_manifests};

fn read(text: &str) -> System {
    let mut sources = SourceMap::default();
    let file = sources.add("all.yaml", text);
    let files = [SourceFile { path: "all.yaml", file, text }];
    let manifests = Manifests { paths: vec!["all.yaml".to_owned()], ..Manifests::default() };
    let mut out = Diagnostics::default();
    let reading = read_manifests(&files, &manifests, Said::default(), &mut out);
    assert!(!out.has_errors(), "{out:?}");
    reading.system
}

fn node<'a>(system: &'a System, name: &str) -> &'a Node {
    system.node(system.find(name).unwrap_or_else(|| panic!("no {name}")))
}

fn container<'a>(system: &'a System, name: &str) -> &'a Container {
    node(system, name).container.as_ref().expect("a container")
}

fn pod<'a>(system: &'a System, name: &str) -> &'a Pod {
    container(system, name).pod.as_ref().expect("a pod")
}

fn cluster(system: &System) -> &Cluster {
    system.cluster.as_ref().expect("a cluster")
}

/// A workload with one container; `pod` and `container` are written in flow style.
fn workload(kind: &str, outer: &str, pod: &str, container: &str) -> String {
    format!(
        "apiVersion: apps/v1\nkind: {kind}\nmetadata: {{name: otel, namespace: obs}}\nspec: {{{outer}template: {{metadata: \
         {{labels: {{app: otel, tier: hub}}}}, spec: {{{pod}containers: [{{name: c, image: \
         'otel/opentelemetry-collector-contrib:0.150.0'{container}}}]}}}}}}\n"
    )
}

#[test]
fn what_a_pod_says() {
    let text = workload(
        "StatefulSet",
        "replicas: 3, serviceName: otel-pods, volumeClaimTemplates: [{metadata: {name: data}, spec: {accessModes: \
         [ReadWriteOnce], resources: {requests: {storage: 2Gi}}}}], ",
        "serviceAccountName: reader, hostNetwork: true, terminationGracePeriodSeconds: 60, securityContext: {fsGroup: \
         10001, runAsUser: 10001}, volumes: [{name: tmp, emptyDir: {}}, {name: logs, hostPath: {path: /var/log}}, {name: \
         old, persistentVolumeClaim: {claimName: shared}}], ",
        ", securityContext: {readOnlyRootFilesystem: true}, resources: {limits: {cpu: 500m, memory: 1Gi}, requests: \
         {memory: 512Mi}}, ports: [{name: otlp, containerPort: 4317, hostPort: 4317}], volumeMounts: [{name: data, \
         mountPath: /data}, {name: tmp, mountPath: /tmp}, {name: logs, mountPath: /logs, subPath: pods}, {name: old, \
         mountPath: /old}]",
    );
    let system = read(&text);
    let (it, pod) = (container(&system, "otel"), pod(&system, "otel"));
    assert_eq!((pod.kind, pod.namespace.as_deref()), (WorkloadKind::StatefulSet, Some("obs")));
    assert_eq!(pod.service_account.as_ref().map(|it| it.value.as_str()), Some("reader"));
    assert_eq!(pod.service_name.as_ref().map(|it| it.value.as_str()), Some("otel-pods"));
    assert_eq!(pod.fs_group.as_ref().map(|it| it.value), Some(10_001));
    assert!(pod.host_network.is_some() && pod.links);
    assert_eq!(it.user.as_ref().map(|it| it.value.as_str()), Some("10001"));
    assert_eq!(it.read_only_root.as_ref().map(|it| it.value), Some(true));
    assert_eq!(it.resources.memory.as_ref().map(|it| it.value.mib()), Some(1024));
    assert_eq!(it.resources.memory_request.as_ref().map(|it| it.value.mib()), Some(512));
    assert_eq!(it.resources.cpu.as_ref().map(|it| it.value.millis()), Some(500));
    assert_eq!(it.stop_grace.as_ref().map(|it| it.value.to_string()).as_deref(), Some("1m"));
    assert!(matches!(it.instances(), Instances::Count(3, Some(_))));
    assert_eq!((it.ports[0].port, it.ports[0].host_port.as_ref().map(|it| it.value)), (4317, Some(4317)));
    assert_eq!(it.port_number(&TargetPort::Name("otlp".to_owned())), Some(4317));

    let at = |path: &str| it.mount_of(path).expect("a mount");
    assert_eq!(at("/data/x").source, MountSource::Volume("data-otel".to_owned()));
    assert_eq!(at("/tmp").source, MountSource::Ephemeral(Some("tmp".to_owned())));
    assert_eq!(at("/logs").source, MountSource::Bind("/var/log/pods".to_owned()));
    // Each pod has one of its own; the other one is for all of them.
    assert!(!it.is_shared(at("/data")) && it.is_shared(at("/old")));
    let claim = cluster(&system).claim(pod, "data-otel").expect("a claim");
    assert_eq!((claim.template_of.as_deref(), claim.access_modes[0].value.as_str()), (Some("otel"), "ReadWriteOnce"));
}

#[test]
fn how_many_run() {
    let of = |text: &str| container(&read(text), "otel").instances();
    let scaler = "---\napiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: {name: h, namespace: \
                  obs}\nspec: {scaleTargetRef: {kind: Deployment, name: otel}, maxReplicas: 5}\n";
    let deployment = workload("Deployment", "", "", "");
    assert_eq!(of(&deployment), Instances::Count(1, None));
    assert!(of(&deployment).several().is_none());
    assert!(matches!(of(&format!("{deployment}{scaler}")), Instances::UpTo(5, _)));
    assert!(matches!(of(&workload("DaemonSet", "", "", "")), Instances::EachMachine(_)));
    assert!(matches!(of(&workload("Deployment", "replicas: some, ", "", "")), Instances::Unknown));
}

#[test]
fn probes() {
    let text = workload(
        "Deployment",
        "",
        "",
        ", livenessProbe: {httpGet: {path: /live, port: 13133, scheme: HTTPS}, initialDelaySeconds: 5, \
         failureThreshold: 4}, readinessProbe: {tcpSocket: {port: otlp}}, startupProbe: {exec: {command: [/check, now]}}",
    );
    let system = read(&text);
    let probes = &container(&system, "otel").probes;
    let kinds: Vec<ProbeKind> = probes.iter().map(|it| it.kind).collect();
    assert_eq!(kinds, [ProbeKind::Liveness, ProbeKind::Readiness, ProbeKind::Startup]);
    let ProbeAction::Http { path, port, tls, host } = &probes[0].action else { panic!("{probes:?}") };
    assert_eq!((path.as_str(), &port.value, *tls, host), ("/live", &TargetPort::Number(13_133), true, &None));
    assert_eq!(probes[0].initial_delay.as_ref().map(|it| it.value.to_string()).as_deref(), Some("5s"));
    assert_eq!(probes[0].failures.as_ref().map(|it| it.value), Some(4));
    assert_eq!(probes[1].port().map(|it| it.value.clone()), Some(TargetPort::Name("otlp".to_owned())));
    assert_eq!(probes[2].action, ProbeAction::Exec(vec!["/check".to_owned(), "now".to_owned()]));
}

#[test]
fn variables() {
    let values =
        "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: values, namespace: obs}\ndata: {HOST: tempo}\n";
    let secret =
        "---\napiVersion: v1\nkind: Secret\nmetadata: {name: token, namespace: obs}\nstringData: {TOKEN: hush}\n";
    let container_of = |more: &str| {
        let text = workload(
            "Deployment",
            "",
            "",
            &format!(
                ", envFrom: [{{configMapRef: {{name: values}}, prefix: A_}}, {{secretRef: {{name: token}}}}{more}], env: \
                 [{{name: IP, valueFrom: {{fieldRef: {{fieldPath: status.podIP}}}}}}, {{name: URL, value: \
                 'http://$(IP)'}}, {{name: EMPTY}}]"
            ),
        );
        container(&read(&format!("{text}{values}{secret}")), "otel").clone()
    };
    let it = container_of("");
    let value = |name: &str| it.variable(name).value().map(|it| it.value.clone());
    assert_eq!(value("A_HOST"), Some(EnvValue::Literal("tempo".to_owned())));
    // What is secret stays so.
    assert!(matches!(value("TOKEN"), Some(EnvValue::Required(_))));
    assert_eq!(value("IP"), Some(EnvValue::Field("status.podIP".to_owned())));
    assert_eq!(value("URL"), Some(EnvValue::Literal("http://$(IP)".to_owned())));
    assert_eq!(value("EMPTY"), Some(EnvValue::Literal(String::new())));
    assert!(it.variable("OTHER").is_absent());
    // Kubernetes sets it, if there is such a Service.
    assert!(matches!(it.variable("TEMPO_SERVICE_HOST"), Known::Unknown));
    assert!(matches!(container_of(", {configMapRef: {name: none}}").variable("OTHER"), Known::Unknown));
}

#[test]
fn who_may_do_what() {
    let pods = workload("Deployment", "", "serviceAccountName: reader, ", "");
    let account = "---\napiVersion: v1\nkind: ServiceAccount\nmetadata: {name: reader, namespace: obs}\n";
    let role = "---\napiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: pods}\nrules: \
                [{apiGroups: [''], resources: [pods, nodes/stats], verbs: [get, list]}]\n";
    let binding = "---\napiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRoleBinding\nmetadata: {name: b}\nroleRef: \
                   {kind: ClusterRole, name: pods}\nsubjects: [{kind: ServiceAccount, name: reader, namespace: obs}]\n";
    let granted = |text: &str| {
        let system = read(text);
        let rules = cluster(&system).granted(pod(&system, "otel"));
        rules.map(|all| {
            let may = |resource: &str, verb: &str| all.iter().any(|(it, _)| it.allows("", resource, verb));
            (may("pods", "list"), may("pods", "watch"), may("nodes/stats", "get"), may("nodes", "get"))
        })
    };
    let all = format!("{pods}{account}{role}{binding}");
    assert_eq!(granted(&all), Some((true, false, true, false)));
    assert_eq!(granted(&format!("{pods}{account}")), Some((false, false, false, false)));
    // Not all of it is known.
    for text in [format!("{pods}{role}{binding}"), format!("{pods}{account}{binding}")] {
        assert_eq!(granted(&text), None);
    }
    assert_eq!(granted(&all.replace("rules:", "aggregationRule: {}\nrules:")), None);
}

#[test]
fn policies_and_services() {
    let text = format!(
        "{}---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {{name: p, namespace: obs}}\nspec: \
         {{podSelector: {{matchLabels: {{app: otel}}}}, policyTypes: [Ingress, Egress], ingress: [{{from: \
         [{{podSelector: {{matchExpressions: [{{key: tier, operator: In, values: [edge]}}]}}}}, {{namespaceSelector: \
         {{}}}}], ports: [{{port: 4317}}, {{port: otlp-http}}, {{port: 9000, endPort: 9010, protocol: UDP}}]}}]}}\n---\n\
         apiVersion: v1\nkind: Service\nmetadata: {{name: otel, namespace: obs}}\nspec: {{clusterIP: None, type: \
         ClusterIP, selector: {{app: otel}}, ports: [{{name: grpc, port: 80, targetPort: 4317, appProtocol: grpc}}]}}\n",
        workload("Deployment", "", "", "")
    );
    let system = read(&text);
    let (cluster, pod) = (cluster(&system), pod(&system, "otel"));
    let policy = cluster.policies_of(pod).next().expect("a policy");
    // It says of the way out that nothing may leave.
    assert!(policy.egress.as_ref().is_some_and(Vec::is_empty));
    let rule = &policy.ingress.as_ref().expect("said")[0];
    assert!(!rule.peers[0].pods.as_ref().expect("pods").picks(&pod.labels));
    assert!(rule.peers[1].namespaces.as_ref().is_some_and(telstack_system::Selector::is_empty));
    let admits = |port: u16, name: Option<&str>, transport: Transport| {
        rule.ports.iter().any(|it| it.admits(port, name, transport))
    };
    assert!(admits(4317, None, Transport::Tcp) && admits(4318, Some("otlp-http"), Transport::Tcp));
    assert!(admits(9005, None, Transport::Udp));
    assert!(!admits(4318, None, Transport::Tcp) && !admits(9005, None, Transport::Tcp));
    let service = cluster.services_of(pod).next().expect("a Service");
    assert!(service.headless && !service.is_open_to_outside());
    assert_eq!(service.ports[0].app_protocol.as_ref().map(|it| it.value.as_str()), Some("grpc"));
}

#[test]
fn files_of_config_maps() {
    let text = workload(
        "Deployment",
        "",
        "volumes: [{name: a, configMap: {name: files, items: [{key: one, path: sub/first.yaml}]}}, {name: b, projected: \
         {sources: [{configMap: {name: files}}, {secret: {name: s}}]}}], initContainers: [{name: i, image: busybox, \
         command: [sh, -c, 'chown -R 10001 /queue/q'], volumeMounts: [{name: w, mountPath: /queue}]}], ",
        ", volumeMounts: [{name: a, mountPath: /a}, {name: b, mountPath: /b}, {name: a, mountPath: /c.yaml, subPath: \
         sub/first.yaml}, {name: nothing, mountPath: /d}]",
    );
    let system = read(&text);
    let it = container(&system, "otel");
    let sources = |target: &str| -> Vec<&MountSource> {
        it.mounts.iter().filter(|mount| mount.target == target).map(|mount| &mount.source).collect()
    };
    let handed = |path: &str| MountSource::Handed(path.to_owned());
    assert_eq!(sources("/a/sub/first.yaml"), [&handed("configmap:obs:files/one")]);
    assert_eq!(sources("/c.yaml"), [&handed("configmap:obs:files/one")]);
    assert_eq!(sources("/b"), [&handed("configmap:obs:files"), &handed("secret:obs:s")]);
    // A volume that is not declared may hold anything.
    assert!(sources("/d").is_empty() && it.gaps.files);
}

#[test]
fn folders_of_a_claim_are_told_apart() {
    let text = workload(
        "Deployment",
        "",
        "volumes: [{name: v, persistentVolumeClaim: {claimName: data}}], ",
        ", volumeMounts: [{name: v, mountPath: /all}, {name: v, mountPath: /queue, subPath: queue/a}]",
    );
    let system = read(&text);
    let sources: Vec<_> = container(&system, "otel").mounts.iter().map(|it| &it.source).collect();
    let volume = |name: &str| MountSource::Volume(name.to_owned());
    assert_eq!(sources, [&volume("data"), &volume("data/queue/a")]);
    assert!(sources.iter().all(|it| it.volume() == Some("data")));
}

#[test]
fn volumes_that_end_with_the_pod_are_told_apart() {
    let prepared = |mount: &str| {
        let text = workload(
            "Deployment",
            "",
            "volumes: [{name: a, emptyDir: {}}, {name: b, emptyDir: {}}], initContainers: [{name: i, image: busybox, command: \
             [chown, '10001', /made/q], volumeMounts: [{name: a, mountPath: /made}]}], ",
            &format!(", volumeMounts: [{{mountPath: /queue, {mount}}}]"),
        );
        let system = read(&text);
        let it = container(&system, "otel");
        let owned: Vec<String> = it.owned_paths.iter().map(|it| it.value.clone()).collect();
        (owned, it.gaps.files)
    };
    assert_eq!(prepared("name: a"), (vec!["/queue/q".to_owned()], true));
    assert_eq!(prepared("name: b"), (Vec::new(), false));
    // What is put into all of it may be in a folder of it.
    assert_eq!(prepared("name: a, subPath: q"), (Vec::new(), true));
    assert_eq!(prepared("name: a, subPathExpr: $(NAME)"), (Vec::new(), true));
}
