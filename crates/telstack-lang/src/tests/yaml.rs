//! Stacks in YAML: the same System, and findings that point into the YAML.

use telstack_diagnostics::{Diagnostics, SourceMap};
use telstack_system::Value;

use super::{Folder, Outcome};
use crate::lower;

fn yaml(text: &str) -> Outcome {
    let mut sources = SourceMap::default();
    let file = sources.add("shop.stack.yaml", text);
    let mut out = Diagnostics::default();
    let folder = Folder([("more.yaml", "tempo:\n  spans: {retention: 2w}\n"), ("stores.kdl", "jaeger\n")].into());
    let system = lower(file, &mut sources, &folder, &mut out);
    let findings = out.sorted(&sources);
    Outcome { system, findings, sources }
}

const SHOP: &str = "\
stack:
  shop:
    platform: compose
    let: {keep: 31d}
    include: [more.yaml, stores.kdl]
    collector:
      gateway:
        distribution: contrib
        receiver: otlp
        processor:
          batch: {timeout: 5s}
        exporter:
          debug:
        pipeline:
          traces, logs/all:
            from: otlp
            to: [debug, {is: cloud, protocol: otlp}]
    loki: {retention: {let: keep}}
    prometheus:
      main: {external_labels: {cluster: eu}}
    external:
      cloud:
        otlp: {endpoint: https://otlp.example.com, token: {secret: otlp/token}, compression: gzip}
";

#[test]
fn a_stack_in_yaml_is_a_stack() {
    let system = yaml(SHOP).system();
    let names: Vec<&str> = system.nodes().map(|it| it.1.name.as_str()).collect();
    assert_eq!(names, ["spans", "jaeger", "gateway", "loki", "main", "cloud"]);
    let (_, node, collector) = system.collectors().next().expect("a collector");
    let ids: Vec<String> = collector.pipelines.iter().map(telstack_system::Pipeline::id).collect();
    assert_eq!(ids, ["traces", "logs/all"]);
    assert_eq!(node.environment[0].name, "OTLP_TOKEN");
    let loki = system.node(system.find("loki").expect("Loki"));
    assert_eq!(loki.store().and_then(|it| it.retention.as_ref()).map(|it| it.value.go()), Some("744h".to_owned()));
}

#[test]
fn anchors_and_merge_keys_are_followed() {
    let text = SHOP.replace(
        "batch: {timeout: 5s}",
        "batch: &b {timeout: 5s, send_batch_size: 10}\n          batch/two: {<<: *b, timeout: 9s}",
    );
    let system = yaml(&text).system();
    let collector = system.collectors().next().expect("a collector").2;
    let id = telstack_system::ComponentId::parse("batch/two");
    let settings = &collector.component(telstack_catalog::ComponentKind::Processor, &id).expect("it").settings;
    assert_eq!(settings.at("timeout").and_then(Value::as_str), Some("9s"));
    assert_eq!(settings.at("send_batch_size").and_then(Value::as_int), Some(10));
    assert!(settings.as_map().is_some_and(|map| !map.contains("<<")));

    // A tag is part of what an alias stands for.
    let tagged = "attributes: {actions: [{key: k, action: insert, value: &x !env KEY}]}";
    let text = SHOP.replace("batch: {timeout: 5s}", tagged).replace("debug:\n", "debug: {a: *x}\n");
    let outcome = yaml(&text);
    assert_eq!(outcome.marks(), []);
    let system = outcome.system();
    let collector = system.collectors().next().expect("a collector").2;
    let debug = telstack_system::ComponentId::parse("debug");
    let settings = &collector.component(telstack_catalog::ComponentKind::Exporter, &debug).expect("it").settings;
    assert_eq!(settings.at("a").and_then(Value::as_str), Some("${env:KEY}"));
}

#[test]
fn the_example_in_the_reference_compiles() {
    let reference = include_str!("../../../../docs/language.md");
    let example = reference.split("```yaml\n").nth(1).and_then(|it| it.split("```").next()).expect("an example");
    let system = yaml(example).system();
    assert_eq!(system.nodes().count(), 3);
}

#[test]
fn findings_point_into_the_yaml() {
    let broken = SHOP
        .replace("platform: compose", "platform: swarm")
        .replace("distribution: contrib", "distributoin: contrib")
        .replace("from: otlp", "from: zipkin")
        .replace("{let: keep}", "31")
        .replace("main:", "Main:")
        .replace("is: cloud", "is: clouds");
    let outcome = yaml(&broken);
    let marks = outcome.marks();
    let wanted = [
        ("Z004", "swarm"),
        ("Z002", "distributoin"),
        ("Z006", "zipkin"),
        ("Z006", "clouds"),
        ("Z004", "31"),
        ("Z004", "Main"),
    ];
    assert_eq!(marks, wanted, "{:#?}", outcome.findings);
}

#[test]
fn what_is_not_yaml_or_not_a_stack_is_said() {
    let cases = [
        ("stack: [\n", "not YAML"),
        ("stack:\n  s: {platform: compose, platform: compose}\n", "stands twice"),
        ("stack:\n  s: 5\n", "the block of `stack` is a whole number"),
        ("- 1\n", "words with their values"),
        ("stack: {s: {platform: compose}}\n---\nstack: {t: }\n", "one YAML document"),
        (
            "stack: {s: {platform: compose, collector: {c: {receiver: {otlp: {x: []}}, exporter: debug, \
             pipeline: {logs: {from: otlp, to: debug}}}}}}\n",
            "empty list",
        ),
        ("stack: {s: {platform: compose, loki: {retention: [{a: b}]}}}\n", "needs a value"),
    ];
    for (text, words) in cases {
        let outcome = yaml(text);
        let first = outcome.findings.first().map(|it| it.message.clone()).unwrap_or_default();
        assert!(first.contains(words), "{text}: {:#?}", outcome.findings);
    }
}
