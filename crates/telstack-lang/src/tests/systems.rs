//! Texts without mistakes.

use telstack_catalog::{ComponentKind, Distribution, Signal, SignalSet, Version, product::Product};
use telstack_syntax::tree::Kind;
use telstack_system::{ComponentId, EnvValue, JaegerStorage, OriginKind, Protocol, Purpose, SecretRef, System, Value};

use super::{Folder, collector, run, run_in, stack};

const SINGLE_NODE: &str = r#"
stack "single-node" {
    platform "compose"
    versions { otelcol "0.158.0"; jaeger "2.20.0"; prometheus "3.14.0"; loki "3.7.6"; grafana "13.0.1" }

    collector "otel-collector" {
        resources cpu=2 memory="2GiB"
        receiver "otlp"
        processor "resource" { attributes { - key="deployment.environment" value="production" action="upsert" } }
        processor "batch" { timeout "5s"; send_batch_size 10000; send_batch_max_size 15000 }

        pipeline "traces"  { from "otlp"; to "jaeger" }
        pipeline "metrics" { from "otlp"; to "prometheus" }
        pipeline "logs"    { from "otlp"; to "loki" }
        durable queue_size=10000 give_up_after="5m"      // queues on disk: storage extension, volume, per-exporter keys
    }

    jaeger "jaeger"         { retention "30d" }
    prometheus "prometheus" { retention "30d" size="40GB" }
    loki "loki"             { retention "31d" }
    grafana "grafana"       { reads "prometheus" "jaeger" "loki" }
}
"#;

/// Settings as JSON-like text, to compare.
fn plain(value: &Value) -> String {
    match &value.kind {
        Kind::Null => "null".to_owned(),
        Kind::Bool(it) => it.to_string(),
        Kind::Int(it) => it.to_string(),
        Kind::Float(it) => it.to_string(),
        Kind::String(it) => format!("{it:?}"),
        Kind::Seq(seq) => format!("[{}]", seq.items.iter().map(plain).collect::<Vec<_>>().join(", ")),
        Kind::Map(map) => {
            let entries = map.iter().map(|entry| format!("{}: {}", entry.key, plain(&entry.value)));
            format!("{{{}}}", entries.collect::<Vec<_>>().join(", "))
        }
    }
}

fn settings(system: &System, kind: ComponentKind, id: &str) -> String {
    let collector = system.collectors().next().expect("a collector").2;
    plain(&collector.component(kind, &ComponentId::parse(id)).expect("the component").settings)
}

fn edges(system: &System, purpose: Purpose) -> Vec<(String, String)> {
    let edges = system.edges().filter(|it| it.2.purpose == purpose);
    edges.map(|it| (system.node(it.1).name.clone(), system.node(it.3).name.clone())).collect()
}

#[test]
fn the_single_node_stack() {
    let outcome = run(SINGLE_NODE);
    let sources = outcome.sources.clone();
    let system = outcome.system();
    assert_eq!(system.name, "single-node");
    let names: Vec<&str> = system.nodes().map(|it| it.1.name.as_str()).collect();
    assert_eq!(names, ["otel-collector", "jaeger", "prometheus", "loki", "grafana"]);

    let (id, node, collector) = system.collectors().next().expect("a collector");
    assert_eq!(node.version(), Some(Version::new(0, 158, 0)));
    assert_eq!(collector.distribution.value, Distribution::Contrib);
    assert_eq!(node.resources.cpu.as_ref().map(|it| it.value.millis()), Some(2000));
    assert_eq!(node.resources.memory.as_ref().map(|it| it.value.mib()), Some(2048));
    assert_eq!(
        settings(&system, ComponentKind::Processor, "resource"),
        r#"{attributes: [{key: "deployment.environment", value: "production", action: "upsert"}]}"#
    );
    assert_eq!(settings(&system, ComponentKind::Receiver, "otlp"), "null");
    let ids: Vec<String> = collector.pipelines.iter().map(telstack_system::Pipeline::id).collect();
    assert_eq!(ids, ["traces", "metrics", "logs"]);
    for pipeline in &collector.pipelines {
        let processors: Vec<String> = pipeline.processors.iter().map(|it| it.id.to_string()).collect();
        assert_eq!(processors, ["resource", "batch"]);
        assert!(!pipeline.ordered && pipeline.exporters.is_empty());
    }
    let delivery = collector.delivery.as_ref().expect("durable");
    assert_eq!(delivery.queue_size.as_ref().map(|it| it.value), Some(10_000));
    assert_eq!(delivery.give_up_after.as_ref().map(|it| it.value.secs()), Some(300));

    let out = system.outgoing(id, Purpose::Telemetry);
    assert_eq!(out.len(), 3);
    let edge = system.edge(out[1].0);
    assert_eq!(edge.signals, SignalSet::from([Signal::Metrics]));
    assert_eq!(edge.pipelines[0].value, 1);
    assert_eq!(edge.origin.span().map(|span| sources.slice(span)), Some("\"prometheus\""));
    let reads = [("grafana", "prometheus"), ("grafana", "jaeger"), ("grafana", "loki")];
    assert_eq!(edges(&system, Purpose::Query), reads.map(|(a, b)| (a.to_owned(), b.to_owned())));
    let store = |name: &str| system.find(name).and_then(|id| system.node(id).store()).expect("a store");
    assert_eq!(store("prometheus").size.as_ref().map(|it| it.value.bytes()), Some(40_000_000_000));
    assert_eq!(store("loki").retention.as_ref().map(|it| it.value.go()), Some("744h".to_owned()));
}

#[test]
fn several_signals_make_several_pipelines_and_one_edge() {
    let system = stack(
        r#"collector "c" {
            receiver "otlp"; exporter "debug"
            pipeline "traces" "logs/all" { from "otlp"; to "cloud" "debug"; to "loki" protocol="otlp" tenant="acme" }
        }
        loki
        external "cloud" { otlp endpoint="https://otlp.example.com:443" token=(secret)"otlp/token" }"#,
    )
    .system();
    let (id, node, collector) = system.collectors().next().expect("a collector");
    let ids: Vec<String> = collector.pipelines.iter().map(telstack_system::Pipeline::id).collect();
    assert_eq!(ids, ["traces", "logs/all"]);
    assert_eq!(collector.pipelines[1].exporters[0].id.to_string(), "debug");
    let out = system.outgoing(id, Purpose::Telemetry);
    assert_eq!(out.len(), 2);
    let cloud = system.edge(out[0].0);
    assert_eq!(cloud.signals, SignalSet::from([Signal::Traces, Signal::Logs]));
    assert_eq!(cloud.pipelines.iter().map(|it| it.value).collect::<Vec<_>>(), [0, 1]);
    let loki = system.edge(out[1].0);
    assert_eq!(loki.wanted.as_ref().map(|it| it.value), Some(Protocol("otlp")));
    assert_eq!(loki.tenant.as_ref().map(|it| it.value.as_str()), Some("acme"));
    let external = system.node(out[0].1).external().expect("external");
    assert_eq!(external.endpoints[0].protocol, Protocol::OTLP_HTTP);
    // The exporter of the collector will refer to the token.
    assert_eq!(node.environment[0].name, "OTLP_TOKEN");
}

#[test]
fn processors_that_cannot_treat_the_signal_are_left_out() {
    let system = stack(
        r#"collector "c" {
            receiver "otlp"; exporter "debug"
            processor "tail_sampling"; processor "batch"
            pipeline "traces" "logs" { from "otlp"; to "debug" }
            pipeline "traces/plain" { from "otlp"; through "batch"; to "debug" }
        }"#,
    )
    .system();
    let collector = system.collectors().next().expect("a collector").2;
    let processors =
        |at: usize| -> Vec<String> { collector.pipelines[at].processors.iter().map(|it| it.id.to_string()).collect() };
    assert_eq!(processors(0), ["tail_sampling", "batch"]);
    assert_eq!(processors(1), ["batch"]);
    assert_eq!(processors(2), ["batch"]);
    assert!(collector.pipelines[2].ordered);
    assert_eq!(collector.pipelines[0].processors[0].origin.kind(), OriginKind::Derived);
}

#[test]
fn kdl_becomes_settings() {
    let system = collector(
        r#"
        receiver "otlp/in" { protocols { grpc; http endpoint="0.0.0.0:4318" { cors { allowed_origins "https://a" } } } }
        processor "resourcedetection" { detectors "env"; timeout "2s"; override #false }
        processor "filter" timeout="1s"
        processor "resource" { attributes { - key="a" value=1.5 action="insert"; - { key "b"; action "delete" } } }
        processor "transform" { trace_statements { - "set(span.name, \"x\")"; - "keep" } ; empty {} }
        exporter "kafka" { brokers "a:1" "b:2" }
        exporter "otlphttp" { headers { authorization (env)"TOKEN"; also (env)"TOKEN" } }
        "#,
    )
    .system();
    let is = |kind, id: &str, text: &str| assert_eq!(settings(&system, kind, id), text);
    is(
        ComponentKind::Receiver,
        "otlp/in",
        r#"{protocols: {grpc: null, http: {endpoint: "0.0.0.0:4318", cors: {allowed_origins: ["https://a"]}}}}"#,
    );
    is(ComponentKind::Processor, "resourcedetection", r#"{detectors: ["env"], timeout: "2s", override: false}"#);
    is(ComponentKind::Processor, "filter", r#"{timeout: "1s"}"#);
    is(
        ComponentKind::Processor,
        "resource",
        r#"{attributes: [{key: "a", value: 1.5, action: "insert"}, {key: "b", action: "delete"}]}"#,
    );
    is(ComponentKind::Processor, "transform", r#"{trace_statements: ["set(span.name, \"x\")", "keep"], empty: {}}"#);
    is(ComponentKind::Exporter, "kafka", r#"{brokers: ["a:1", "b:2"]}"#);
    is(ComponentKind::Exporter, "otlphttp", r#"{headers: {authorization: "${env:TOKEN}", also: "${env:TOKEN}"}}"#);
    let node = system.collectors().next().expect("a collector").1;
    assert_eq!(node.environment.len(), 1);
    assert_eq!(node.environment[0].value, EnvValue::Required(SecretRef::Env("TOKEN".to_owned())));
}

#[test]
fn a_repeated_list_setting_adds_up() {
    let system =
        collector(r#"processor "resourcedetection" { detectors "env"; detectors "system" "docker" }"#).system();
    let text = settings(&system, ComponentKind::Processor, "resourcedetection");
    assert_eq!(text, r#"{detectors: ["env", "system", "docker"]}"#);
}

#[test]
fn stores_and_views() {
    let system = stack(
        r#"
        prometheus { scrape_interval "15s"; external_labels cluster="eu"; flag "web.enable-lifecycle" "--x=2"; size "1GB" }
        loki "logs" { tenant "acme"; tls cert="./c.pem" key="./k.pem" ca="/etc/ssl/ca.pem"; resources cpu="200m..500m" memory="256MiB..512MiB" }
        jaeger { storage "memory" }
        grafana { admin_user "ops"; admin_password (secret)"grafana/admin-password" }
        alertmanager { webhook "http://pager:8080/alerts"; repeat_interval "4h" }"#,
    )
    .system();
    let node = |name: &str| system.node(system.find(name).expect("the node"));
    let facet = node("prometheus").store().and_then(|it| it.prometheus()).expect("Prometheus");
    let flags: Vec<_> = facet.flags.iter().map(|it| (it.name.as_str(), it.value.as_deref())).collect();
    assert_eq!(flags, [("web.enable-lifecycle", None), ("x", Some("2"))]);
    assert_eq!(facet.external_labels.get("cluster").and_then(Value::as_str), Some("eu"));
    let logs = node("logs");
    assert_eq!(logs.resources.cpu.as_ref().map(|it| it.value.millis()), Some(500));
    let tls = logs.tls().expect("encrypted");
    assert_eq!([&tls.cert, &tls.key, &tls.ca].map(|it| it.value.as_str()), ["./c.pem", "./k.pem", "/etc/ssl/ca.pem"]);
    let storage = &node("jaeger").store().expect("a store").facet;
    assert!(matches!(storage, telstack_system::StoreFacet::Jaeger(Some(it)) if it.value == JaegerStorage::Memory));
    let version = node("jaeger").version.as_ref().expect("a release");
    assert_eq!((version.value, version.origin.kind()), (Product::Jaeger.newest(), OriginKind::Fact));
    let password = node("grafana").viewer().and_then(|viewer| viewer.admin_password.as_ref());
    assert_eq!(password.and_then(|it| it.value.variable()).as_deref(), Some("GRAFANA_ADMIN_PASSWORD"));
    assert!(node("grafana").environment.is_empty(), "Grafana knows the password by its own name only");
    assert_eq!(node("alertmanager").product(), Some(Product::Alertmanager));
    assert_eq!(edges(&system, Purpose::Query).len(), 3);
    let alerts = [("prometheus", "alertmanager"), ("logs", "alertmanager")];
    assert_eq!(edges(&system, Purpose::Alert), alerts.map(|(a, b)| (a.to_owned(), b.to_owned())));
}

#[test]
fn ways_to_the_outside() {
    let system = stack(
        r#"
        external "a" { otlp endpoint="otlp.example.com:4317" { compression "gzip" } }
        external "b" { datadog site="datadoghq.eu" key=(env)"DD_API_KEY"; prometheus_remote_write endpoint="https://m/api/v1/write" }"#,
    )
    .system();
    let external = |name: &str| system.node(system.find(name).expect("it")).external().expect("external").clone();
    let a = external("a");
    assert_eq!(a.endpoints[0].protocol, Protocol::OTLP_GRPC);
    assert_eq!(a.endpoints[0].settings[0].0, "compression");
    let b = external("b");
    assert_eq!(plain(&b.endpoints[0].settings[0].1), r#"{site: "datadoghq.eu", key: "${env:DD_API_KEY}"}"#);
    assert_eq!(b.endpoints[1].signals, SignalSet::from([Signal::Metrics]));
}

#[test]
fn constants_and_included_files() {
    let folder = Folder(
        [
            ("stores.kdl", "include \"more.kdl\"\nloki { retention (let)\"keep\" }\n"),
            ("more.kdl", "let keep (let)\"month\"\ntempo { retention (let)\"keep\" }\n"),
        ]
        .into(),
    );
    let text = "let month=\"30d\"\nstack \"shop\" {\n platform \"compose\"\n include \"stores.kdl\"\n}\n";
    let outcome = run_in(&folder, text);
    let sources = outcome.sources.clone();
    let system = outcome.system();
    let names: Vec<&str> = system.nodes().map(|it| it.1.name.as_str()).collect();
    assert_eq!(names, ["tempo", "loki"]);
    let loki = system.nodes().nth(1).and_then(|it| it.1.store()).expect("Loki");
    let retention = loki.retention.as_ref().expect("a retention");
    assert_eq!(retention.value.go(), "720h");
    let span = retention.span().expect("written");
    assert_eq!((sources.file(span.file).name(), sources.slice(span)), ("stores.kdl", "(let)\"keep\""));
}

#[test]
fn a_collector_has_its_own_release() {
    let text = r#"
        versions { otelcol "0.158.0" distribution="k8s" }
        collector "a" { receiver "otlp"; exporter "debug"; pipeline "logs" { from "otlp"; to "debug" } }
        collector "b" distribution="core" version="0.120.0" {
            receiver "otlp"; connector "forward"; extension "zpages"; exporter "debug"
            pipeline "logs" { from "otlp"; to "forward" }
            pipeline "logs/out" { from "forward"; to "debug" }
        }"#;
    let system = stack(text).system();
    let collectors: Vec<_> = system.collectors().collect();
    assert_eq!(collectors[0].2.distribution.value, Distribution::K8s);
    assert_eq!(collectors[1].2.distribution.value, Distribution::Core);
    assert_eq!(collectors[1].1.version(), Some(Version::new(0, 120, 0)));
    assert!(collectors[1].2.is_enabled(&ComponentId::parse("zpages")));
}
