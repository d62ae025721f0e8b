//! Kubernetes manifests: names over Services to containers, configurations inside of ConfigMaps at their own lines,
//! and what goes together.

mod common;

use std::path::{Path, PathBuf};

use common::{checked, errors};

use telstack_diagnostics::{Diagnostic, Severity, apply};
use telstack_workspace::{Chosen, Findings, Input, MemoryFiles, Policy, Request, SettingsFrom, Told, check_all};

/// `CODE file:line text` of everything that is worse than a remark.
fn found<const N: usize>(files: &[(&str, &str); N]) -> Vec<String> {
    let checked = checked(*files);
    let all = checked.diagnostics.iter().filter(|it| it.severity > Severity::Info);
    let line = |it: &Diagnostic| {
        let span = it.primary.as_ref().expect("a place").span;
        let text = checked.sources.slice(span).lines().next().unwrap_or_default();
        let line = checked.sources.start(span).line;
        format!("{} {}:{line} {text}", it.rule.code, checked.sources.file(span.file).name())
    };
    all.map(line).collect()
}

/// The codes alone.
fn codes<const N: usize>(files: &[(&str, &str); N]) -> Vec<String> {
    found(files).iter().map(|it| it.split(' ').next().unwrap_or_default().to_owned()).collect()
}

/// A collector that sends traces to an address.
fn collector(endpoint: &str) -> String {
    format!(
        "receivers:\n  otlp:\n    protocols:\n      grpc:\n        endpoint: 0.0.0.0:4317\nexporters:\n  otlp_grpc:\n    \
         endpoint: {endpoint}\n    tls:\n      insecure: true\nservice:\n  pipelines:\n    traces:\n      receivers: \
         [otlp]\n      exporters: [otlp_grpc]\n"
    )
}

fn indented(text: &str, by: &str) -> String {
    let lines: Vec<String> = text.lines().map(|line| format!("{by}{line}\n")).collect();
    lines.concat()
}

fn config_map(name: &str, text: &str) -> String {
    let text = indented(text, "    ");
    format!("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\ndata:\n  config.yaml: |\n{text}")
}

const IMAGE: &str = "otel/opentelemetry-collector-contrib:0.150.0";

/// A Deployment of a collector that reads its ConfigMap; `more` is indented as keys of the container.
fn deployment(name: &str, more: &str) -> String {
    format!(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: {name}\nspec:\n  selector: {{matchLabels: {{app: \
         {name}}}}}\n  template:\n    metadata: {{labels: {{app: {name}}}}}\n    spec:\n      volumes:\n      - name: \
         config\n        configMap: {{name: {name}}}\n      containers:\n      - name: collector\n        image: \
         {IMAGE}\n        args: [--config=/conf/config.yaml]\n        volumeMounts:\n        - {{name: config, mountPath: \
         /conf}}\n{more}"
    )
}

fn service(name: &str, port: u16, target: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Service\nmetadata:\n  name: {name}\nspec:\n  selector: {{app: {name}}}\n  ports:\n  - \
         {{port: {port}, targetPort: {target}}}\n"
    )
}

/// An agent that sends to an address, and a gateway behind a Service.
fn two(endpoint: &str, port: u16, target: &str) -> String {
    [
        config_map("agent", &collector(endpoint)),
        deployment("agent", ""),
        config_map("gw", &collector("elsewhere:4317").replace("insecure: true", "insecure: false")),
        deployment("gw", "        ports:\n        - {name: grpc, containerPort: 4317}\n"),
        service("gw", port, target),
    ]
    .join("---\n")
}

const ALL: &str = "d/all.yaml";

#[test]
fn a_template_is_read_when_it_is_filled_in() {
    let template = collector("elsewhere:4317").replace("otlp_grpc:\n", "{{PROJECT}}: {{ID}}\n");
    let mounted = [config_map("gw", &template), deployment("gw", "")].join("---\n");
    assert!(found(&[("d/all.yaml", &mounted)]).is_empty());
    assert!(found(&[("d/all.yaml", &config_map("gw", &template))]).is_empty(), "nobody reads it");
}

#[test]
fn a_service_leads_from_its_port_to_that_of_the_pod() {
    let of = |endpoint: &str, port: u16, target: &str| found(&[(ALL, &two(endpoint, port, target))]);
    for (port, target) in [(4317, "4317"), (80, "4317"), (80, "grpc")] {
        for host in ["gw", "gw.default", "gw.obs.svc.cluster.local"] {
            assert!(of(&format!("{host}:{port}"), port, target).is_empty(), "{host}:{port} {target}");
        }
    }
    // The Service has another port than the pod.
    assert_eq!(of("gw:4317", 80, "4317"), ["N003 d/all.yaml:14 gw:4317"]);
    // The pod has no such port.
    assert_eq!(of("gw:80", 80, "4319"), ["N003 d/all.yaml:14 gw:80"]);
    // Nobody knows which port that is, and the Service is to blame; and another host.
    assert_eq!(of("gw:80", 80, "nothing"), ["K006 d/all.yaml:92 {port: 80, targetPort: nothing}"]);
    assert!(of("gw.other.local:1", 80, "4317").is_empty());
}

#[test]
fn messages_speak_of_the_service() {
    let checked = checked([(ALL, &two("gw:4317", 80, "grpc"))]);
    let finding = checked.diagnostics.iter().find(|it| it.rule.code == "N003").expect("found");
    assert!(finding.message.contains("but the Service has no such port"), "{}", finding.message);
    assert_eq!(finding.help, ["dial `gw:80`, which speaks OTLP over gRPC"]);
}

#[test]
fn namespaces_keep_names_apart() {
    let text = two("gw:4319", 4317, "4317");
    let apart =
        text.replace("name: gw\nspec:\n  selector: {app", "name: gw\n  namespace: obs\nspec:\n  selector: {app");
    assert_ne!(text, apart);
    assert_eq!(found(&[(ALL, &text)]), ["N003 d/all.yaml:14 gw:4319"]);
    // Only one of them is written: it may be the same, or not.
    assert_eq!(found(&[(ALL, &apart)]), [""; 0]);
    // Everything is where things are that name no namespace.
    assert_eq!(found(&[(ALL, &apart.replace("namespace: obs", "namespace: default"))]).len(), 1);
}

#[test]
fn configurations_are_checked_at_their_own_lines() {
    let wrong = collector("elsewhere:4317").replace("otlp_grpc]", "otlp_grpc, nothing]");
    let text = format!("{}---\n{}", deployment("agent", ""), config_map("agent", &wrong));
    let line = text.lines().position(|it| it.contains("nothing")).expect("there") + 1;
    assert_eq!(found(&[(ALL, &text)]), [format!("P001 d/all.yaml:{line} nothing")]);
    // It does not matter in which file it is, or in what.
    let (workload, config) = (deployment("agent", ""), config_map("agent", &wrong));
    assert_eq!(codes(&[("d/a.yaml", workload.as_str()), ("d/sub/b.yaml", &config)]), ["P001"]);
    let items: Vec<String> = text.split("---\n").map(|it| format!("-{}", &indented(it, "  ")[1..])).collect();
    let list = items.concat();
    assert_eq!(codes(&[(ALL, &format!("apiVersion: v1\nkind: List\nitems:\n{list}"))]), ["P001"]);
}

#[test]
fn one_that_nothing_reads_is_checked_by_itself() {
    let wrong = collector("elsewhere:4317").replace("otlp_grpc]", "otlp_grpc, nothing]");
    assert_eq!(found(&[(ALL, &config_map("x", &wrong))]), ["P001 d/all.yaml:21 nothing"]);
    // Another product's.
    let prometheus = "global:\n  scrape_interval: fast\nscrape_configs:\n- job_name: x\n  scrape_interval: 10s\n";
    assert_eq!(found(&[(ALL, &config_map("x", prometheus))]), ["Y003 d/all.yaml:8 fast"]);
    // Something else, and nothing of ours.
    for other in ["server:\n  port: 1\n", "a: b: c\n", "receivers: [me]\n"] {
        assert!(found(&[(ALL, &config_map("x", other))]).is_empty(), "{other}");
    }
}

#[test]
fn fixes_and_comments_inside_of_a_config_map() {
    let old = collector("elsewhere:4317").replace("otlp_grpc", "otlp");
    let text = format!("{}---\n{}", config_map("agent", &old), deployment("agent", ""));
    let files = [(ALL, text.as_str())];
    let checked = checked(files);
    let finding = checked.diagnostics.iter().find(|it| it.rule.code == "V006").expect("found");
    let fix = finding.fix.as_ref().expect("a fix");
    let fixed = apply(&text, &fix.edits.iter().collect::<Vec<_>>());
    assert_eq!(
        fixed,
        text.replace("  otlp:\n        endpoint: elsewhere", "  otlp_grpc:\n        endpoint: elsewhere")
            .replace("exporters: [otlp]", "exporters: [otlp_grpc]")
    );
}

#[test]
fn what_is_not_known_is_not_guessed_at() {
    let wrong = collector("gw:4319").replace("[otlp]\n      exporters", "[otlp, nothing]\n      exporters");
    // No ConfigMap, one that is encoded, one that something writes.
    let alone = deployment("agent", "");
    assert!(found(&[(ALL, &alone)]).is_empty());
    let written = alone.replace("configMap: {name: agent}", "emptyDir: {}");
    assert!(found(&[(ALL, &format!("{written}---\n{}", service("gw", 4317, "4317")))]).is_empty());
    // Whoever makes the image may read other files.
    let theirs = deployment("agent", "").replace(IMAGE, "acme/agent:1");
    assert!(!found(&[(ALL, &format!("{theirs}---\n{}", config_map("agent", &wrong)))]).is_empty());
    // A template.
    let template = deployment("{{ .Release.Name }}", "");
    let request = Request { inputs: vec![Input::Path(PathBuf::from("d"))], ..Request::default() };
    let mut told = |_: &Path| Ok(Told::default());
    assert!(check_all(&MemoryFiles::new([(ALL, template.as_str())]), &request, &mut told).is_err());
}

#[test]
fn the_environment_of_a_pod() {
    let config = config_map("agent", &collector("${env:TARGET}"));
    let gateway = two("elsewhere:1", 4317, "4317");
    let of = |env: &str| {
        let agent = deployment("edge", &format!("        env:\n{env}")).replace("name: edge}", "name: agent}");
        let values = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: values}\ndata: {target: 'gw:4319'}\n";
        let gateway = gateway.replace("name: agent\n", "name: other\n").replace("name: agent}", "name: other}");
        codes(&[(ALL, &[config.as_str(), agent.as_str(), values, gateway.as_str()].join("---\n"))])
    };
    assert_eq!(of("        - {name: TARGET, value: 'gw:4319'}\n"), ["N003"]);
    assert_eq!(of("        - {name: P, value: '4319'}\n        - {name: TARGET, value: 'gw:$(P)'}\n"), ["N003"]);
    let key = "        - {name: TARGET, valueFrom: {configMapKeyRef: {name: values, key: target}}}\n";
    assert_eq!(of(key), ["N003"]);
    for unknown in [
        "        - {name: TARGET, valueFrom: {configMapKeyRef: {name: none, key: target}}}\n",
        "        - {name: TARGET, valueFrom: {secretKeyRef: {name: values, key: target}}}\n",
        "        - {name: TARGET, valueFrom: {fieldRef: {fieldPath: status.hostIP}}}\n",
        "        - {name: TARGET, value: 'gw:4317'}\n",
    ] {
        assert!(of(unknown).is_empty(), "{unknown}");
    }
    assert_eq!(of("        - {name: TARGET, value: '$(HOST):4319'}\n"), ["K012"]);
}

#[test]
fn containers_of_one_pod_share_localhost() {
    let sidecar = "      - name: proxy\n        image: acme/proxy:1\n";
    let plain = "      - name: jaeger\n        image: jaegertracing/all-in-one:1.53\n";
    // On another port than the collector.
    let jaeger = &format!("{plain}        env: [{{name: COLLECTOR_OTLP_GRPC_HOST_PORT, value: ':14317'}}]\n");
    let of = |endpoint: &str, more: &str| {
        let text = format!("{}---\n{}", config_map("agent", &collector(endpoint)), deployment("agent", more));
        codes(&[(ALL, &text)])
    };
    // Jaeger 1.53 speaks OTLP over HTTP on 4318.
    assert_eq!(of("localhost:4318", jaeger), ["N002"]);
    assert!(of("localhost:14317", jaeger).is_empty());
    assert!(of("localhost:4318", sidecar).is_empty());
    assert_eq!(of("tempo:4317", plain), ["N008"]);
}

#[test]
fn kustomizations_say_what_goes_together() {
    let base = two("gw:4319", 4317, "4317");
    let kustomization = "kind: Kustomization\napiVersion: kustomize.config.k8s.io/v1beta1\nresources: [all.yaml]\n";
    let overlay = |more: &str| format!("resources: [../../base]\n{more}");
    let patch = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: gw}\nspec: {replicas: 3}\n";
    let (plain, patched) = (overlay(""), overlay("patches:\n- path: patch.yaml\n"));
    let files = [
        ("d/base/all.yaml", base.as_str()),
        ("d/base/kustomization.yaml", kustomization),
        ("d/overlays/a/kustomization.yaml", &plain),
        ("d/overlays/b/kustomization.yaml", &patched),
        ("d/overlays/b/patch.yaml", patch),
    ];
    // Once, although three of them take it in.
    assert_eq!(found(&files), ["N003 d/base/all.yaml:14 gw:4319"]);
    // A configuration that is a file.
    let agent = deployment("agent", "");
    let gateway = base.split("---\n").skip(2).collect::<Vec<_>>().join("---\n");
    let all = format!("{agent}---\n{gateway}");
    let generated = format!("{kustomization}configMapGenerator:\n- name: agent\n  files: [config.yaml=otel.yaml]\n");
    let otel = collector("gw:4319");
    let files = [("d/all.yaml", all.as_str()), ("d/kustomization.yaml", &generated), ("d/otel.yaml", &otel)];
    assert_eq!(found(&files), ["N003 d/otel.yaml:8 gw:4319"]);
    // Another image.
    let old = collector("gw:4317")
        .replace("otlp_grpc", "logging")
        .replace("endpoint: gw:4317\n    tls:\n      insecure: true", "verbosity: normal");
    let of = |tag: &str| {
        let generated = format!("{generated}images:\n- name: otel/opentelemetry-collector-contrib\n  newTag: {tag}\n");
        codes(&[("d/all.yaml", agent.as_str()), ("d/kustomization.yaml", &generated), ("d/otel.yaml", &old)])
    };
    assert_eq!((of("0.100.0"), of("0.150.0")), (Vec::new(), vec!["V001".to_owned()]));
    // It is shown where the tag that runs is written.
    let images = "images: [{name: otel/opentelemetry-collector-contrib, newTag: 0.151.0}]\n";
    let generated = format!("{generated}{images}");
    let files = [("d/all.yaml", agent.as_str()), ("d/kustomization.yaml", &generated), ("d/otel.yaml", &old)];
    let checked = checked(files);
    let removed = checked.diagnostics.iter().find(|it| it.rule.code == "V001").expect("found");
    let places: Vec<&str> = removed.labels.iter().map(|it| checked.sources.slice(it.span)).collect();
    assert_eq!(places, ["0.151.0"]);
}

#[test]
fn copies_are_not_mixed() {
    let (one, other) = (two("gw:4317", 4317, "4317"), two("gw:4318", 4318, "4317"));
    let files = [("d/one/all.yaml", one.as_str()), ("d/other/all.yaml", other.as_str())];
    assert!(found(&files).is_empty());
    let wrong = two("gw:4319", 4318, "4317");
    let files = [("d/one/all.yaml", one.as_str()), ("d/other/all.yaml", wrong.as_str())];
    assert_eq!(found(&files), ["N003 d/other/all.yaml:14 gw:4319"]);
    let files = [("d/one.yaml", one.as_str()), ("d/other.yaml", wrong.as_str())];
    assert_eq!(found(&files), ["N003 d/other.yaml:14 gw:4319"]);
}

#[test]
fn manifests_of_other_things_say_nothing() {
    let app = deployment("shop", "").replace(IMAGE, "acme/shop:1").replace("/conf", "/app");
    let broken = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata: {a: b\n";
    let odd = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: [x]}\nspec: {template: 5}\n";
    let nothing = "apiVersion: v1\nkind: List\nitems: nothing\n---\n- 1\n---\n";
    for text in [app.as_str(), broken, odd, nothing] {
        assert!(found(&[(ALL, text)]).is_empty(), "{text}");
    }
}

/// A custom resource of the operator, with its configuration as text or as a tree.
fn resource(name: &str, config: &str, text: bool, more: &str) -> String {
    let (version, bar) = if text { ("v1alpha1", " |") } else { ("v1beta1", "") };
    format!(
        "apiVersion: opentelemetry.io/{version}\nkind: OpenTelemetryCollector\nmetadata:\n  name: {name}\nspec:\n{more}  \
         config:{bar}\n{}",
        indented(config, "    ")
    )
}

#[test]
fn resources_of_the_operator() {
    for text in [true, false] {
        let image = format!("  image: {IMAGE}\n");
        let of = |endpoint: &str, config: &str| {
            let agent = resource("agent", &collector(endpoint), text, "");
            let gateway = resource("gw", config, text, &image);
            found(&[(ALL, &format!("{agent}---\n{gateway}"))])
        };
        let gateway = collector("elsewhere:4317");
        for host in ["gw-collector", "gw-collector.obs.svc", "gw-collector-headless"] {
            assert_eq!(of(&format!("{host}:4317"), &gateway), [""; 0], "{host}");
            assert_eq!(of(&format!("{host}:4319"), &gateway), [format!("N003 d/all.yaml:14 {host}:4319")]);
        }
        // The operator writes addresses that are not written.
        let bare = gateway.replace("      grpc:\n        endpoint: 0.0.0.0:4317\n", "      grpc: {}\n");
        assert!(of("gw-collector:4317", &bare).is_empty());
        let local = gateway.replace("0.0.0.0:4317", "localhost:4317");
        assert_eq!(of("gw-collector:4317", &local).len(), 1);
        // At its own lines, and repaired there.
        let old = resource("agent", &collector("elsewhere:4317").replace("otlp_grpc", "otlp"), text, &image);
        let checked = checked([(ALL, &old)]);
        let finding = checked.diagnostics.iter().find(|it| it.rule.code == "V006").expect("found");
        let fixed = apply(&old, &finding.fix.as_ref().expect("a fix").edits.iter().collect::<Vec<_>>());
        assert_eq!(fixed, resource("agent", &collector("elsewhere:4317"), text, &image));
    }
}

#[test]
fn an_operator_drops_sections_that_it_does_not_know() {
    let config = format!("feature-gates: {{x: true}}\n{}", collector("elsewhere:4317"));
    for text in [true, false] {
        let resource = resource("gw", &config, text, &format!("  image: {IMAGE}\n"));
        let checked = checked([(ALL, &resource)]);
        let finding = checked.diagnostics.iter().find(|it| it.rule.code == "R004").expect("found");
        assert_eq!(finding.severity, Severity::Warning);
        assert!(finding.notes.iter().any(|it| it.contains("the operator drops")), "{:?}", finding.notes);
    }
    // A collector that reads it by itself stops.
    assert_eq!(errors([("d/otel.yaml", &config)]), ["R004 the collector has no section `feature-gates`"]);
}

/// What is found of resources of the operator, by the code of a rule.
fn of_resource(code: &str, config: &str, more: &str) -> Vec<String> {
    let image = "  image: otel/opentelemetry-collector-contrib:0.140.0\n";
    let text = resource("gw", config, false, &format!("{image}{more}"));
    found(&[(ALL, &text)]).into_iter().filter(|it| it.starts_with(code)).collect()
}

#[test]
fn resources_of_the_operator_run_several_times() {
    let config = "receivers: {otlp: {protocols: {grpc: {endpoint: '0.0.0.0:4317'}}}}\nprocessors: {tail_sampling: {policies: \
                  [{name: all, type: always_sample}]}}\nexporters: {debug: {}}\nservice: {pipelines: {traces: {receivers: \
                  [otlp], processors: [tail_sampling], exporters: [debug]}}}\n";
    for several in ["  replicas: 3\n", "  mode: daemonset\n", "  autoscaler: {minReplicas: 2, maxReplicas: 6}\n"] {
        assert_eq!(of_resource("S001", config, several).len(), 1, "{several}");
    }
    for one in ["", "  replicas: 1\n", "  mode: sidecar\n"] {
        assert_eq!(of_resource("S001", config, one), [""; 0], "{one}");
    }
    // Somebody sends each trace to one of them.
    let sampler = resource("gw", config, false, "  replicas: 3\n");
    let agent = "receivers: {otlp: {protocols: {grpc: {endpoint: '0.0.0.0:4317'}}}}\nexporters: {loadbalancing: {routing_key: \
                 traceID, protocol: {otlp: {tls: {insecure: true}}}, resolver: {dns: {hostname: gw-collector-headless}}}}\n\
                 service: {pipelines: {traces: {receivers: [otlp], exporters: [loadbalancing]}}}\n";
    let both = found(&[(ALL, &format!("{sampler}---\n{}", resource("agent", agent, false, "")))]);
    assert!(both.iter().all(|it| !it.starts_with("S001")), "{both:?}");
}

#[test]
fn resources_of_the_operator_have_services_of_their_own() {
    let image = format!("  image: {IMAGE}\n");
    let advice = |code: &str, config: &str, more: &str| {
        let text = format!(
            "{}---\n{}",
            resource("gw", &collector("elsewhere:4317"), false, more),
            resource("a", config, false, &image)
        );
        let found = checked([(ALL, &text)]).diagnostics;
        found.into_iter().filter(|it| it.rule.code == code).flat_map(|it| it.help).collect::<Vec<_>>().join("; ")
    };
    let spreads = "receivers: {otlp: {protocols: {grpc: {endpoint: '0.0.0.0:4317'}}}}\nexporters: {loadbalancing: {protocol: \
                   {otlp: {tls: {insecure: true}}}, resolver: {dns: {hostname: gw-collector}}}}\nservice: {pipelines: {traces: \
                   {receivers: [otlp], exporters: [loadbalancing]}}}\n";
    assert!(advice("S002", spreads, &format!("{image}  replicas: 2\n")).contains("`gw-collector-headless`"));
    let scrapes = "receivers: {prometheus: {config: {scrape_configs: [{job_name: a, static_configs: [{targets: \
                   ['gw-collector:8889']}]}]}}}\nexporters: {debug: {}}\nservice: {pipelines: {metrics: {receivers: \
                   [prometheus], exporters: [debug]}}}\n";
    let help = advice("M004", scrapes, &image);
    assert!(help.contains("dial `gw-collector-monitoring:8888`"), "{help}");
}

#[test]
fn resources_of_the_operator_give_volumes_to_a_group() {
    let config = "receivers: {otlp: {protocols: {grpc: {endpoint: '0.0.0.0:4317'}}}}\nextensions: {file_storage: {directory: \
                  /q}}\nexporters: {debug: {}}\nservice: {extensions: [file_storage], pipelines: {traces: {receivers: \
                  [otlp], exporters: [debug]}}}\n";
    let volume =
        "  volumes: [{name: q, persistentVolumeClaim: {claimName: q}}]\n  volumeMounts: [{name: q, mountPath: /q}]\n";
    assert_eq!(of_resource("D004", config, volume).len(), 1);
    assert_eq!(of_resource("D004", config, &format!("{volume}  podSecurityContext: {{fsGroup: 10001}}\n")), [""; 0]);
    assert_eq!(of_resource("D004", config, &format!("{volume}  podSecurityContext: {{runAsUser: 0}}\n")), [""; 0]);
}

#[test]
fn resources_of_the_operator_in_any_layout() {
    let block = "    receivers: {otlp: {protocols: {grpc: {endpoint: \"0.0.0.0:4317\"}}}}\n    exporters: {debug: {}}\n    \
                 service:\n      pipelines:\n        traces: {receivers: [otlp], exporters: [debug, nope]}\n";
    let head = "apiVersion: opentelemetry.io/v1beta1\nkind: OpenTelemetryCollector\nmetadata: {name: a}\nspec:\n";
    let yaml = format!("{head}  config:\n{block}");
    assert_eq!(found(&[(ALL, &yaml)]), ["P001 d/all.yaml:10 nope"]);
    let flow = yaml.replace("    service:\n      pipelines:\n        traces: {", "    service: {pipelines: {traces: {");
    let flow = flow.replace("nope]}", "nope]}, } }");
    assert_eq!(found(&[(ALL, &flow)]), ["P001 d/all.yaml:8 nope"]);
    assert_eq!(found(&[(ALL, &flow.replace(", nope", ""))]), [""; 0]);
    let json = |exporters: &str| {
        format!(
            r#"{{
  "apiVersion": "opentelemetry.io/v1beta1",
  "kind": "OpenTelemetryCollector",
  "metadata": {{"name": "a"}},
  "spec": {{
    "config": {{
      "receivers": {{"otlp": {{"protocols": {{"grpc": {{"endpoint": "0.0.0.0:4317"}}}}}}}},
      "exporters": {{"debug": {{}}}},
      "service": {{
        "pipelines": {{
          "traces": {{"receivers": ["otlp"], "exporters": [{exporters}]}}
        }}
      }}
    }}
  }}
}}
"#
        )
    };
    let broken = json("\"nope\"");
    let list = format!("{{\"apiVersion\": \"v1\", \"kind\": \"List\", \"items\": [\n{broken}]}}\n");
    for (text, line) in [(&broken, 11), (&list, 12)] {
        let found = found(&[("d/all.json", text)]);
        assert_eq!(
            found,
            [format!("P005 d/all.json:{} \"debug\"", line - 3), format!("P001 d/all.json:{line} \"nope\"")]
        );
    }
    assert_eq!(found(&[("d/all.json", &json("\"debug\""))]), [""; 0]);
}

#[test]
fn definitions_of_kinds_are_passed_over() {
    let definition = "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nspec: {a: {{b\n";
    let manifests = format!("{definition}---\n{}", two("nowhere.obs:4317", 4317, "4317"));
    assert_eq!(codes(&[(ALL, &manifests)]), codes(&[(ALL, &two("nowhere.obs:4317", 4317, "4317"))]));
    let broken = format!("{definition}---\n{}", config_map("a", &collector("a:4317").replace("[otlp]", "[nope]")));
    assert_eq!(codes(&[(ALL, &broken)]), ["P005", "P001"]);
}

#[test]
fn comments_inside_of_a_config_map_ignore() {
    let wrong = collector("elsewhere:4317").replace("[otlp_grpc]", "[otlp_grpc, nothing]");
    let ignored = wrong.replace("nothing]", "nothing] # telstack: ignore[P001] made elsewhere");
    let left = |config: &str| {
        let text = config_map("x", config);
        let files = MemoryFiles::new([(ALL, text.as_str())]);
        let checked = checked([(ALL, &text)]);
        let mut findings = Findings::default();
        findings.add(&checked.sources, checked.diagnostics);
        let chosen = Chosen::new(&[], &[]).expect("codes");
        let mut policy = Policy::new(&files, SettingsFrom::Nothing, chosen).expect("settings");
        policy.apply(&mut findings);
        let errors = findings.diagnostics.iter().filter(|it| it.severity == Severity::Error);
        errors.map(|it| it.rule.code).collect::<Vec<_>>()
    };
    assert_eq!(left(&wrong), ["P001"]);
    assert!(left(&ignored).is_empty());
}

#[test]
fn what_another_container_fills_is_not_known() {
    let grafana = |sidecar: &str| {
        format!(
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: grafana}}\nspec:\n  template:\n    spec:\n      \
             volumes:\n      - {{name: sources, emptyDir: {{}}}}\n      - {{name: boards, configMap: {{name: boards}}}}\n      \
             containers:\n      - name: grafana\n        image: grafana/grafana:11.0.0\n        volumeMounts:\n        - \
             {{name: sources, mountPath: /etc/grafana/provisioning/datasources}}\n        - {{name: boards, mountPath: \
             /etc/grafana/provisioning/dashboards}}\n{sidecar}---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: \
             boards}}\ndata:\n  p.yaml: |\n    apiVersion: 1\n    providers:\n    - name: a\n      options: {{path: \
             /etc/grafana/provisioning/dashboards}}\n  b.json: |\n    {{\"uid\": \"b\", \"title\": \"B\", \"panels\": \
             [{{\"type\": \"timeseries\", \"datasource\": {{\"type\": \"loki\", \"uid\": \"logs\"}}, \"targets\": \
             []}}], \"schemaVersion\": 39}}\n"
        )
    };
    let sidecar = "      - name: sidecar\n        image: kiwigrid/k8s-sidecar:1.27.0\n        volumeMounts:\n        - {name: \
                   sources, mountPath: /etc/grafana/provisioning/datasources}\n";
    assert_eq!(codes(&[(ALL, &grafana(sidecar))]), [""; 0]);
    assert!(codes(&[(ALL, &grafana(""))]).contains(&"G001".to_owned()));
}

/// Behind `|2` some of the indentation is text: it has lines of its own all the same.
#[test]
fn a_block_that_says_its_indentation_has_lines() {
    let text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata:\n  config.yaml: |2\n      receivers: {otlp: \
                {protocols: {grpc: }}}\n      exporters: {nosuch: }\n      service: {pipelines: {traces: {receivers: \
                [otlp], exporters: [nosuch]}}}\n";
    let found = common::found([("d/c.yaml", text)]);
    assert!(found.iter().any(|it| it == "Y006 d/c.yaml nosuch"), "{found:?}");
}

#[test]
fn patches_change_what_is_written() {
    let limiter = "processors: {memory_limiter: {check_interval: 1s, limit_mib: 800}}\n";
    let config = collector("elsewhere:4317").replace("exporters:", &format!("{limiter}exporters:"));
    let probed = "        livenessProbe: {httpGet: {port: 13133}}\n        resources: {limits: {memory: 512Mi}}\n";
    let kind_of = |name: &str| format!("kind: Deployment\nmetadata: {{name: {name}}}\n");
    let workload = deployment("agent", probed);
    let service = "apiVersion: v1\nkind: Service\nmetadata: {name: agent}\nspec: {selector: {app: agent, x: y}, ports: \
                   [{port: 4317}]}\n";
    let all = format!("{}---\n{workload}---\n{service}", config_map("agent", &config));
    let judged = ["D001", "K001", "K006"];
    let of = |more: &str, patch: &str| {
        let kustomization = format!("kind: Kustomization\nresources: [all.yaml]\n{more}");
        let files = [("d/kustomization.yaml", kustomization.as_str()), ("d/all.yaml", &all), ("d/patch.yaml", patch)];
        let mut codes = if patch.is_empty() { codes(&[files[0], files[1]]) } else { codes(&files) };
        codes.retain(|it| judged.contains(&it.as_str()));
        codes.sort();
        codes
    };
    assert_eq!(of("", ""), judged);
    let merge = |name: &str| format!("apiVersion: apps/v1\n{}spec: {{}}\n", kind_of(name));
    let steps = "- {op: remove, path: /spec/template/spec/containers/0/livenessProbe}\n";
    let inline = |target: &str| format!("patches:\n- target: {target}\n  patch: |-\n    {steps}");
    let path = "patches: [{path: patch.yaml}]\n";
    for (more, patch) in [
        (path.to_owned(), merge("agent")),
        ("patchesStrategicMerge: [patch.yaml]\n".to_owned(), merge("agent")),
        (
            "patchesJson6902: [{target: {kind: Deployment, name: agent}, path: patch.yaml}]\n".to_owned(),
            steps.to_owned(),
        ),
        (inline("{kind: Deployment}"), String::new()),
        (inline("{name: agent}"), String::new()),
        (inline("{kind: Deployment, name: a.*t}"), String::new()),
        (inline("{labelSelector: app=agent}"), String::new()),
        (format!("namePrefix: prod-\n{}", inline("{kind: Deployment, name: prod-agent}")), String::new()),
        ("components: [../c]\n".to_owned(), String::new()),
        // Nobody knows what it says.
        ("patches: [{path: away.yaml}]\n".to_owned(), String::new()),
    ] {
        assert!(of(&more, &patch).is_empty(), "{more}{patch}");
    }
    // Of others.
    for (more, patch) in [
        (path.to_owned(), merge("other")),
        (inline("{kind: DaemonSet}"), String::new()),
        (inline("{kind: Deployment, name: agent-two}"), String::new()),
        ("namePrefix: prod-\n".to_owned(), String::new()),
        ("replicas: [{name: agent, count: 3}]\n".to_owned(), String::new()),
    ] {
        assert_eq!(of(&more, &patch), judged, "{more}{patch}");
    }
    // The Service alone.
    assert_eq!(of(&inline("{kind: Service, name: agent}"), ""), ["D001", "K001"]);
}

#[test]
fn patches_change_accounts_roles_and_images() {
    let watches = "receivers:\n  k8s_cluster: {auth_type: serviceAccount}\nexporters:\n  logging: \nservice:\n  \
                   pipelines:\n    metrics:\n      receivers: [k8s_cluster]\n      exporters: [logging]\n";
    let spec = "    spec:\n";
    let workload = deployment("agent", "").replace(spec, &format!("{spec}      serviceAccountName: weak\n"));
    let access = "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: weak, namespace: obs}\n---\napiVersion: \
                  rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: weak}\nrules: [{apiGroups: [''], \
                  resources: [pods], verbs: [get]}]\n---\napiVersion: rbac.authorization.k8s.io/v1\nkind: \
                  ClusterRoleBinding\nmetadata: {name: weak}\nroleRef: {apiGroup: rbac.authorization.k8s.io, kind: \
                  ClusterRole, name: weak}\nsubjects: [{kind: ServiceAccount, name: weak, namespace: obs}]\n";
    let all = format!("{}---\n{workload}---\n{access}", config_map("agent", watches));
    let of = |target: &str, patch: &str| {
        let text = format!(
            "kind: Kustomization\nresources: [all.yaml]\nnamespace: obs\npatches: [{{target: {target}, patch: '{patch}'}}]\n"
        );
        let mut codes = codes(&[("d/kustomization.yaml", &text), ("d/all.yaml", &all)]);
        codes.retain(|it| ["K003", "V001"].contains(&it.as_str()));
        codes.sort();
        codes.dedup();
        codes
    };
    let step = |path: &str| format!("[{{op: replace, path: {path}, value: x}}]");
    let account = step("/spec/template/spec/serviceAccountName");
    assert_eq!(of("{kind: Deployment, name: other}", &account), ["K003", "V001"]);
    assert_eq!(of("{kind: Deployment, name: agent}", &account), ["V001"]);
    assert_eq!(of("{kind: ClusterRole, name: weak}", &step("/rules")), ["V001"]);
    assert_eq!(of("{kind: ClusterRole, name: other}", &step("/rules")), ["K003", "V001"]);
    let checked = |target: &str| {
        let text = format!(
            "kind: Kustomization\nresources: [all.yaml]\npatches: [{{target: {target}, patch: '{}'}}]\n",
            step("/spec/template/spec/containers/0/image")
        );
        let checked = checked([("d/kustomization.yaml", text.as_str()), ("d/all.yaml", &all)]);
        checked.diagnostics.iter().filter(|it| it.rule.code == "V001").map(|it| it.severity).collect::<Vec<_>>()
    };
    let (mine, other) = (checked("{kind: Deployment, name: agent}"), checked("{kind: Deployment, name: other}"));
    // Which release runs is not known then.
    assert_eq!((mine, other), (Vec::new(), vec![Severity::Error]));
}
