//! The schema of stacks, and what the language says of the same text.

use std::{fs, path::Path};

use proptest::{
    collection::vec,
    prelude::any,
    test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner},
};
use telstack_workspace::{Compiled, Described, MemoryFiles, Syntax, compile, convert};

use crate::{check_jsonschema, complaints, stacks, support::root, validator};

/// A bit of everything that YAML stacks may say.
const SHOP: &str = "\
let: {keep: 31d, most: 2GiB}
stack:
  shop:
    platform: compose
    versions:
      otelcol: {is: 0.158.0, distribution: contrib}
      loki: 3.7.6
    collector:
      gateway:
        version: 0.157.0
        resources: {cpu: 0.5..2, memory: {let: most}}
        receiver: otlp
        processor:
          batch: {timeout: 5s}
          attributes: {actions: [{key: k, action: delete}]}
        exporter:
          debug:
          otlp_http/vendor: {endpoint: https://otlp.example.com, headers: {authorization: !secret vendor/token}}
        pipeline:
          traces, logs/all:
            from: otlp
            through: [attributes, batch]
            to: [debug, {is: [cloud, vendor], protocol: otlp}, otlp_http/vendor]
        telemetry: {logs: {level: warn}}
        mount: [/var/log, {is: /, to: /hostfs, writable: true}]
        user: \"1000:998\"
        durable: {queue_size: 10000, give_up_after: 5m}
      agent:
        block:
          - receiver: {otlp: , zipkin: {}}
          - pipeline: {traces: {from: [otlp, zipkin], to: gateway}}
    loki: {retention: {let: keep}, tls: {cert: ./a.pem, key: ./b.pem, ca: ./c.pem}}
    prometheus:
      main: {retention: {is: 30d, size: 40GB}, external_labels: {cluster: eu, env: prod}, flag: web.enable-lifecycle}
      other:
    tempo: spans
    jaeger:
    grafana: {reads: [loki, main], admin_password: {secret: grafana/admin-password}}
    alertmanager: {webhook: http://pager.example.com/alerts, repeat_interval: 4h}
    external:
      cloud:
        otlp: {endpoint: https://otlp.example.com, token: {env: TOKEN}, compression: gzip}
      vendor:
        datadog: {site: datadoghq.com, key: {secret: datadog/api-key}}
";

fn compiled(text: &str) -> Compiled {
    compile(&MemoryFiles::new([("s.stack.yaml", text)]), Path::new("s.stack.yaml")).expect("readable")
}

/// Codes of the language that a schema is to know as well: words, parts and values, and words of later releases.
const SHARED: [&str; 4] = ["Z002", "Z003", "Z004", "Z008"];

fn shared(compiled: &Compiled) -> Vec<&'static str> {
    compiled.diagnostics.iter().map(|it| it.rule.code).filter(|code| SHARED.contains(code)).collect()
}

fn in_yaml(name: &str, text: &str) -> Option<String> {
    convert(name, text, Syntax::Yaml).text
}

#[test]
fn what_the_language_takes_is_taken() {
    let validator = validator(Described::Stack);
    assert_eq!(complaints(&validator, SHOP), []);
    assert_eq!(shared(&compiled(SHOP)), Vec::<&str>::new());
    let mut texts = Vec::new();
    for stack in crate::support::stacks() {
        texts.push(fs::read_to_string(root().join(format!("stacks/{stack}.stack.kdl"))).expect("a stack"));
    }
    let reference = fs::read_to_string(root().join("docs/language.md")).expect("docs/language.md");
    let blocks = reference.split("```kdl\n").skip(1).filter_map(|it| it.split("```").next());
    texts.extend(blocks.filter(|it| it.starts_with("stack ") || it.starts_with("let ")).map(str::to_owned));
    assert!(texts.len() > 10, "{}", texts.len());
    for text in texts {
        let yaml = in_yaml("s.stack.kdl", &text).expect("in YAML");
        assert_eq!(complaints(&validator, &yaml), [], "{yaml}");
    }
    let example = reference.split("```yaml\n").nth(1).and_then(|it| it.split("```").next()).expect("an example");
    assert_eq!(complaints(&validator, example), []);
    // Any order, spelt out.
    let spelt =
        "- stack: {is: s, block: [{platform: compose}, {loki: {is: a}}, {loki: [b, {is: c, retention: 2w}]}]}\n";
    assert_eq!(complaints(&validator, spelt), []);
    // The platform may come from another file.
    assert_eq!(complaints(&validator, "stack: {s: {include: more.yaml}}\n"), []);
}

#[test]
fn mistakes_are_found_at_their_place() {
    let validator = validator(Described::Stack);
    // What is written instead, where, and a part of what is said.
    let cases = [
        ("platform: compose", "platform: swarm", "/stack/shop/platform", "compose"),
        ("platform: compose", "platfrom: compose", "/stack/shop", "platfrom"),
        ("    platform: compose\n", "", "/stack/shop", "platform"),
        ("stack:\n  shop:", "stack:\n  Shop:", "/stack", "Shop"),
        ("otelcol: {is: 0.158.0,", "otelcol: {is: latest,", "/stack/shop/versions/otelcol/is", "latest"),
        ("distribution: contrib", "distribution: contirb", "/stack/shop/versions/otelcol/distribution", "contirb"),
        ("loki: 3.7.6", "loki: 3.7", "/stack/shop/versions/loki", "3.7"),
        ("loki: 3.7.6", "mimir: 3.0.0", "/stack/shop/versions", "mimir"),
        ("cpu: 0.5..2", "cpu: 2 cores", "/stack/shop/collector/gateway/resources/cpu", "2 cores"),
        ("memory: {let: most}", "memory: 2Gi", "/stack/shop/collector/gateway/resources/memory", "2Gi"),
        ("memory: {let: most}", "memory: {env: MOST}", "/stack/shop/collector/gateway/resources/memory", "env"),
        ("traces, logs/all", "traces, log", "/stack/shop/collector/gateway/pipeline", "log"),
        (
            "protocol: otlp",
            "protocol: grpc",
            "/stack/shop/collector/gateway/pipeline/traces, logs~1all/to/1/protocol",
            "grpc",
        ),
        ("{is: [cloud, vendor], p", "{p", "/stack/shop/collector/gateway/pipeline/traces, logs~1all/to/1", "is"),
        ("writable: true", "writable: 1", "/stack/shop/collector/gateway/mount/1/writable", "boolean"),
        ("user: \"1000:998\"", "user: 0", "/stack/shop/collector/gateway/user", "0"),
        ("queue_size: 10000", "queue_size: 0", "/stack/shop/collector/gateway/durable/queue_size", "0"),
        ("give_up_after: 5m", "give_up_after: 5 min", "/stack/shop/collector/gateway/durable/give_up_after", "5 min"),
        ("zipkin: {}}", "zip kin: {}}", "/stack/shop/collector/agent/block/0/receiver", "zip kin"),
        ("- receiver:", "- reciever:", "/stack/shop/collector/agent/block/0", "reciever"),
        ("retention: {let: keep}", "retention: 30", "/stack/shop/loki/retention", "30"),
        ("retention: {let: keep}", "retnetion: 30d", "/stack/shop/loki", "retnetion"),
        (", ca: ./c.pem", "", "/stack/shop/loki/tls", "ca"),
        ("{is: 30d, size: 40GB}", "{size: 40GB}", "/stack/shop/prometheus/main/retention", "is"),
        ("      other:\n", "      Other:\n", "/stack/shop/prometheus", "Other"),
        ("tempo: spans", "tempo: [spans, More]", "/stack/shop/tempo/1", "More"),
        (
            "{secret: grafana/admin-password}",
            "{secret: grafana}",
            "/stack/shop/grafana/admin_password/secret",
            "grafana",
        ),
        ("http://pager.example.com/alerts", "pager.example.com", "/stack/shop/alertmanager/webhook", "pager"),
        ("endpoint: https://otlp.example.com, token", "token", "/stack/shop/external/cloud/otlp", "endpoint"),
        ("        otlp: {endpoint", "        otpl: {endpoint", "/stack/shop/external/cloud", "otpl"),
    ];
    for (from, to, place, words) in cases {
        assert!(SHOP.contains(from), "{from}");
        let text = SHOP.replacen(from, to, 1);
        let found = complaints(&validator, &text);
        let here = found.iter().any(|(at, said)| at == place && said.contains(words));
        assert!(here, "{to}: {found:#?}");
        // The language says so, too.
        let compiled = compiled(&text);
        let refused = compiled.diagnostics.iter().any(|it| it.rule.code.starts_with('Z'));
        assert!(refused, "{to}: {:#?}", compiled.diagnostics);
    }
    assert!(!complaints(&validator, "let: {keep: 31d}\n").is_empty(), "no stack");
}

/// Of the stacks that are kept with a mistake of words, parts or values: those that no schema can find.
const BEYOND: &[(&str, &str)] = &[
    ("collector-without-pipelines", "a line for one cluster or environment may add them"),
    ("constant-made-of-itself", "what a constant means stands elsewhere"),
    ("constant-of-the-wrong-kind", "what a constant means stands elsewhere"),
    ("instrumentation-without-", "what a word means depends on the platform"),
    ("kubernetes-", "what a word means depends on the platform"),
    ("link-two-protocols-for-one-node", "the two stand in two pipelines"),
    ("link-two-tenants-for-one-node", "the two stand in two pipelines"),
    ("machine-", "what a word means depends on `host`, and what a name is stands elsewhere"),
    ("operator-in-compose", "what a word means depends on the platform"),
    ("pipeline-without-ends", "a line for one cluster or environment may add them"),
    ("pod-logs-", "what a preset means depends on where it runs"),
    ("preset-", "the presets of a component are data, and its settings are open"),
    ("secret-reference-misspelt", "a schema does not see tags"),
    ("stack-with-nothing-to-run", "any of many words would do"),
    ("tenant-where-there-are-none", "what a name is stands elsewhere"),
    ("workload-", "what a word means depends on the platform, and what a name is stands elsewhere"),
];

#[test]
fn kept_mistakes_get_the_same_verdict() {
    let validator = validator(Described::Stack);
    let (mut wrong, mut refused, mut taken) = (String::new(), 0, 0);
    let folder = root().join("tests/mistakes");
    for name in crate::support::files_ending(&folder, &["kdl"]) {
        let text = fs::read_to_string(folder.join(&name)).expect("text");
        let Some(yaml) = in_yaml(&name, &text).filter(|_| name.ends_with(".stack.kdl") && !text.contains("include"))
        else {
            continue;
        };
        let (ours, found) = (compiled(&yaml), complaints(&validator, &yaml));
        if ours.diagnostics.iter().any(|it| it.rule.code == "Z001") {
            continue;
        }
        match (shared(&ours).is_empty(), found.is_empty()) {
            // What stands twice is one list, of one too many.
            (true, false) if ours.diagnostics.iter().any(|it| it.rule.code == "Z005") => refused += 1,
            (true, false) => wrong += &format!("{name} is taken: {found:?}\n{yaml}\n"),
            (false, true) if !BEYOND.iter().any(|it| name.starts_with(it.0)) => {
                let said: Vec<&str> = ours.diagnostics.iter().map(|it| it.message.as_str()).collect();
                wrong += &format!("{name} is refused: {said:?}\n{yaml}\n");
            }
            (true, true) => taken += 1,
            (false, _) => refused += 1,
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    assert!(taken > 50 && refused > 20, "{taken} taken, {refused} refused");
}

#[test]
fn random_stacks_are_taken() {
    let validator = validator(Described::Stack);
    let config = Config { cases: 200, failure_persistence: None, ..Config::default() };
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let result = TestRunner::new_with_rng(config, rng).run(&vec(any::<u16>(), 0..400), |tape| {
        let text = stacks::stack(&tape);
        let yaml = in_yaml("s.stack.kdl", &text).ok_or_else(|| TestCaseError::fail("not in YAML"))?;
        if !shared(&compiled(&yaml)).is_empty() {
            return Ok(());
        }
        let found = complaints(&validator, &yaml);
        if found.is_empty() { Ok(()) } else { Err(TestCaseError::fail(format!("{found:#?}\n{yaml}"))) }
    });
    if let Err(error) = result {
        panic!("{error}");
    }
}

#[test]
fn the_validator_that_users_have_agrees() {
    let folder = tempfile::tempdir().expect("a folder");
    let schema = root().join("schemas/stack.schema.json");
    let schema = schema.to_str().expect("UTF-8");
    let mut args = vec!["--schemafile".to_owned(), schema.to_owned()];
    for stack in crate::support::stacks() {
        let text = fs::read_to_string(root().join(format!("stacks/{stack}.stack.kdl"))).expect("a stack");
        let name = format!("{stack}.stack.yaml");
        let yaml = in_yaml("s.stack.kdl", &text).expect("in YAML");
        // That validator reads no tags of ours, which settings need.
        if !yaml.contains(": !") && !yaml.contains("- !") {
            fs::write(folder.path().join(&name), yaml).expect("writable");
            args.push(name);
        }
    }
    assert!(args.len() > 4, "{args:?}");
    let all: Vec<&str> = args.iter().map(String::as_str).collect();
    let (valid, said) = check_jsonschema(folder.path(), &all);
    assert!(valid, "{said}");
    let text = fs::read_to_string(folder.path().join("single-node.stack.yaml")).expect("text");
    let broken = text.replacen("retention: 31d", "retention: 31", 1);
    assert_ne!(text, broken);
    fs::write(folder.path().join("broken.stack.yaml"), broken).expect("writable");
    let (valid, said) = check_jsonschema(folder.path(), &["--schemafile", schema, "broken.stack.yaml"]);
    assert!(!valid && said.contains("retention"), "{said}");
}
