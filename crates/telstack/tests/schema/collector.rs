//! Schemas of collectors' configurations.

use std::{collections::BTreeMap, fs, path::Path, sync::Arc};

use jsonschema::Validator;
use proptest::{
    collection::vec,
    prelude::any,
    test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner},
};
use serde_json::{Value, json};
use telstack_catalog::{
    ComponentKind, Distribution, Version,
    otelcol::{self, Presence, Required, SettingType, SettingsNode},
};
use telstack_diagnostics::Severity;
use telstack_system::NodeKind;
use telstack_workspace::{Compiled, MemoryFiles, compile};

use crate::{
    check_jsonschema, complaints, otelcol as described, stacks,
    support::{root, stdout, telstack},
    validator,
};

fn compiled(text: &str) -> Compiled {
    compile(&MemoryFiles::new([("s.stack.kdl", text)]), Path::new("s.stack.kdl")).expect("readable")
}

/// Validators by release and distribution: they are slow to make.
#[derive(Default)]
struct Validators(BTreeMap<(Version, &'static str), Arc<Validator>>);

impl Validators {
    fn of(&mut self, version: Version, distribution: Distribution) -> Arc<Validator> {
        let make = || Arc::new(validator(described(&version.to_string(), distribution.as_str())));
        Arc::clone(self.0.entry((version, distribution.as_str())).or_insert_with(make))
    }
}

/// What the schemas say of the collectors that a stack was compiled to.
fn refused(compiled: &Compiled, validators: &mut Validators) -> (usize, Vec<String>) {
    let Some(system) = compiled.whole() else { return (0, Vec::new()) };
    let (mut seen, mut found) = (0, Vec::new());
    for (_, node) in system.nodes() {
        let NodeKind::Collector(collector) = &node.kind else { continue };
        let path = format!("configs/{}.yaml", node.name);
        let Some(file) = compiled.artefacts.iter().find(|it| it.path == path) else { continue };
        let version = node.version().expect("a release");
        let validator = validators.of(version, collector.distribution.value);
        let said = complaints(&validator, &file.written.text);
        found.extend(said.iter().map(|(at, said)| format!("{version} {path} {at}: {said}")));
        seen += 1;
    }
    (seen, found)
}

const STACK: &str = r#"
stack "s" {
    platform "compose"
    versions { otelcol "VERSION" distribution="NAME"; prometheus "2.48.0"; loki "LOKI"; jaeger "1.53.0" }
    collector "front" {
        resources memory="1GiB"
        receiver "otlp" { protocols { grpc max_recv_msg_size_mib=16; http } }
        processor "batch" { timeout "5s"; send_batch_size 1000 }
        exporter "otlp/extra" { endpoint "extra:4317"; tls { insecure #true }; timeout "9s" }
        pipeline "traces"  { from "otlp"; to "jaeger" "otlp/extra" }
        pipeline "metrics" { from "otlp"; to "prometheus" }
        pipeline "logs"    { from "otlp"; to "cloud" }
        telemetry { logs { level "warn" } }
        durable queue_size=2000 give_up_after="5m"
    }
    prometheus { retention "30d" }
    jaeger
    external "cloud" { otlp endpoint="https://otlp.example.com" token=(secret)"otlp/token" }
}
"#;

#[test]
fn what_is_emitted_for_many_releases_is_taken() {
    let mut validators = Validators::default();
    let all = otelcol::releases();
    let mut seen = 0;
    // Every sixth, and the first and last.
    let some = all.iter().step_by(6).chain(all.last());
    for release in some {
        for distribution in [Distribution::Core, Distribution::Contrib] {
            let text = STACK.replace("VERSION", &release.version.to_string()).replace("NAME", distribution.as_str());
            let compiled = compiled(&text.replace("; loki \"LOKI\"", ""));
            if compiled.has(Severity::Error) {
                // An old core distribution lacks what the stack needs.
                assert!(distribution != Distribution::Contrib, "{:#?}", compiled.diagnostics);
                continue;
            }
            let (collectors, found) = refused(&compiled, &mut validators);
            assert_eq!(found, Vec::<String>::new());
            seen += collectors;
        }
    }
    assert!(seen >= 20, "{seen} configurations");
}

#[test]
fn what_random_stacks_are_compiled_to_is_taken() {
    let validators = std::cell::RefCell::new(Validators::default());
    let config = Config { cases: 48, failure_persistence: None, ..Config::default() };
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let seen = std::cell::Cell::new(0);
    let result = TestRunner::new_with_rng(config, rng).run(&vec(any::<u16>(), 0..400), |tape| {
        let text = stacks::stack(&tape);
        let (collectors, found) = refused(&compiled(&text), &mut validators.borrow_mut());
        seen.set(seen.get() + collectors);
        if found.is_empty() { Ok(()) } else { Err(TestCaseError::fail(format!("{found:#?}\n{text}"))) }
    });
    if let Err(error) = result {
        panic!("{error}");
    }
    assert!(seen.get() > 40, "{} configurations", seen.get());
}

/// A value that a setting takes, with everything below it.
fn sample(node: &SettingsNode) -> Value {
    match node.ty {
        SettingType::String => node.enumeration.iter().find(|it| !it.is_empty()).map_or("x".into(), |it| (**it).into()),
        SettingType::Int => json!(5),
        SettingType::Float => json!(0.5),
        SettingType::Bool => json!(true),
        SettingType::Duration => json!("1m30s"),
        SettingType::List => json!([node.item.as_ref().map_or(json!("x"), |item| sample(item))]),
        SettingType::Map => {
            let below = node.children.iter().map(|(key, child)| (key.to_string(), sample(child)));
            let other = node.open.then(|| ("other".to_owned(), node.item.as_ref().map_or(json!(1), |it| sample(it))));
            below.chain(other).collect()
        }
        SettingType::Any => json!({}),
    }
}

#[test]
fn every_setting_that_is_known_is_taken_and_a_slip_is_not() {
    for (version, distribution) in
        [(otelcol::newest(), Distribution::Contrib), (Version::new(0, 100, 0), Distribution::K8s)]
    {
        let validator = validator(described(&version.to_string(), distribution.as_str()));
        let (mut count, mut slips) = (0, 0);
        for kind in ComponentKind::ALL {
            for component in otelcol::components(*kind) {
                if component.presence(distribution, version) != Presence::Present {
                    continue;
                }
                let Some(tree) = component.settings(version) else { continue };
                let name = component.name_at(version);
                let mut whole = json!({
                    "receivers": {"otlp": {"protocols": {"grpc": null}}},
                    "exporters": {"debug": {}},
                    "service": {"pipelines": {"traces": {"receivers": ["otlp"], "exporters": ["debug"]}}},
                });
                let id = format!("{name}/sample");
                whole[kind.section()][&id] = sample(&tree);
                let errors: Vec<String> =
                    validator.iter_errors(&whole).map(|it| format!("{}: {it}", it.instance_path())).collect();
                assert_eq!(errors, Vec::<String>::new(), "{kind} {name} {version}");
                count += 1;
                if tree.ty == SettingType::Map && !tree.open {
                    whole[kind.section()][&id]["surplus"] = json!(1);
                    let place = format!("/{}/{name}~1sample", kind.section());
                    let errors: Vec<String> =
                        validator.iter_errors(&whole).map(|it| it.instance_path().to_string()).collect();
                    assert_eq!(errors, [place], "{kind} {name} {version}");
                    slips += 1;
                }
                let wanted = component.required(version).into_iter().find_map(|it| match it {
                    Required::All(path) if tree.at(path).is_some() => Some(path),
                    _ => None,
                });
                if let Some(path) = wanted {
                    whole[kind.section()][&id] = json!({});
                    assert!(!validator.is_valid(&whole), "{kind} {name}: `{path}` must be set");
                }
            }
        }
        assert!(count > 50 && slips > 50, "{count} components, {slips} slips");
    }
}

const VALID: &str = "\
receivers:
  otlp:
    protocols:
      grpc:
      http: {endpoint: '${env:HOST}:4318', include_metadata: '${env:META:-false}'}
  otlp/two: {protocols: {grpc: {endpoint: 0.0.0.0:5317, max_recv_msg_size_mib: '${env:SIZE}'}}}
processors:
  memory_limiter: {check_interval: 1s, limit_mib: 400}
  batch:
  batch/slow: {timeout: 90s}
exporters:
  debug: {verbosity: Detailed}
  otlp_http/a b: {endpoint: http://x:4318, headers: {x: '${file:/x}'}, sending_queue: {enabled: true, queue_size: 5}}
connectors:
  forward:
extensions:
  health_check:
service:
  extensions: [health_check]
  telemetry:
    logs: {level: INFO}
    metrics: {level: normal, readers: [{pull: {exporter: {prometheus: {host: 0.0.0.0, port: 8888}}}}]}
  pipelines:
    traces: {receivers: [otlp], processors: [memory_limiter, batch], exporters: [debug, forward]}
    traces/two: {receivers: [otlp/two, forward], exporters: [otlp_http/a b]}
    logs: {receivers: '${env:RECEIVERS}', exporters: [debug]}
";

#[test]
fn mistakes_are_found_at_their_place() {
    let validator = validator(described("0.158.0", "contrib"));
    assert_eq!(complaints(&validator, VALID), []);
    let cases = [
        ("  otlp:\n", "  otpl:\n", "/receivers", "otpl"),
        ("receivers:\n  otlp:", "recievers:\n  otlp:", "", "recievers"),
        ("  batch/slow: {timeout: 90s}", "  batch/slow: {timeuot: 90s}", "/processors/batch~1slow", "timeuot"),
        ("timeout: 90s", "timeout: 90 s", "/processors/batch~1slow/timeout", "90 s"),
        ("timeout: 90s", "timeout: 2d", "/processors/batch~1slow/timeout", "2d"),
        ("limit_mib: 400", "limit_mib: 400MiB", "/processors/memory_limiter/limit_mib", "400MiB"),
        ("enabled: true", "enabled: 'yes'", "/exporters/otlp_http~1a b/sending_queue/enabled", "yes"),
        ("verbosity: Detailed", "verbosity: loud", "/exporters/debug/verbosity", "loud"),
        ("endpoint: http://x:4318, ", "", "/exporters/otlp_http~1a b", ""),
        ("  health_check:\n", "  health_chekc:\n", "/extensions", "health_chekc"),
        ("    traces/two:", "    trace/two:", "/service/pipelines", "trace/two"),
        ("exporters: [debug, forward]", "exporters: []", "/service/pipelines/traces/exporters", "[]"),
        (", exporters: [debug, forward]", "", "/service/pipelines/traces", "exporters"),
        ("processors: [memory", "procesors: [memory", "/service/pipelines/traces", "procesors"),
        ("  extensions: [health_check]", "  extension: [health_check]", "/service", "extension"),
        ("level: INFO", "level: LOUD", "/service/telemetry/logs/level", "LOUD"),
    ];
    for (from, to, place, words) in cases {
        assert!(VALID.contains(from), "{from}");
        let found = complaints(&validator, &VALID.replacen(from, to, 1));
        let here = found.iter().any(|(at, said)| at == place && said.contains(words));
        assert!(here, "{to}: {found:#?}");
    }
    // Old names are taken, and marked; names of other releases are not taken.
    let schema = crate::parsed(described("0.158.0", "contrib"));
    assert_eq!(schema.pointer("/properties/exporters/properties/otlphttp/deprecated"), Some(&json!(true)));
    assert_eq!(schema.pointer("/properties/exporters/properties/otlp_http/deprecated"), None);
    assert_eq!(complaints(&validator, &VALID.replace("otlp_http/", "otlphttp/")), []);
    let old = self::validator(described("0.91.0", "contrib"));
    assert!(complaints(&old, VALID).iter().any(|(at, said)| at == "/exporters" && said.contains("otlp_http/a b")));
}

/// A collector of before 0.105.0 makes one type of another.
#[test]
fn what_a_collector_converts_is_taken() {
    let (old, new) = (validator(described("0.91.0", "contrib")), validator(described("0.158.0", "contrib")));
    let text = VALID.replace("otlp_http/", "otlphttp/").replace("limit_mib: 400", "limit_mib: '400'");
    let at = |found: &[(String, String)]| found.iter().map(|it| it.0.clone()).collect::<Vec<_>>();
    assert_eq!(at(&complaints(&old, &text)), Vec::<String>::new());
    assert_eq!(at(&complaints(&new, &text)), ["/processors/memory_limiter/limit_mib"]);
    // And replaces what has no braces.
    let text = VALID.replace("otlp_http/", "otlphttp/").replace("limit_mib: 400", "limit_mib: $LIMIT");
    assert_eq!(at(&complaints(&old, &text)), Vec::<String>::new());
    assert_eq!(at(&complaints(&new, &text)), ["/processors/memory_limiter/limit_mib"]);
}

#[test]
fn the_validator_that_users_have_agrees() {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).expect("writable");
    let agrees = |schema: &str, files: &[&str]| {
        let args: Vec<&str> = ["--schemafile", schema].into_iter().chain(files.iter().copied()).collect();
        check_jsonschema(folder.path(), &args)
    };
    write("schema.json", &telstack_workspace::schema(described("0.158.0", "contrib")));
    write("valid.yaml", VALID);
    let (valid, said) = agrees("schema.json", &["valid.yaml"]);
    assert!(valid, "{said}");
    let slips = [
        ("timeout: 90s", "timeout: 2d", "$.processors['batch/slow'].timeout"),
        ("timeout: 90s", "timeuot: 90s", "timeuot"),
        ("limit_mib: 400", "limit_mib: true", "$.processors.memory_limiter.limit_mib"),
        ("  batch:\n", "  btach:\n", "btach"),
    ];
    for (from, to, words) in slips {
        assert!(VALID.contains(from), "{from}");
        write("broken.yaml", &VALID.replacen(from, to, 1));
        let (valid, said) = agrees("schema.json", &["broken.yaml"]);
        assert!(!valid && said.contains(words), "{to}: {said}");
    }
    let mut seen = 0;
    for stack in crate::support::stacks_with("docker-compose.yml") {
        let text = fs::read_to_string(root().join(format!("stacks/{stack}.stack.kdl"))).expect("a stack");
        let compiled = compiled(&text);
        let system = compiled.whole().expect("a system");
        for (_, node) in system.nodes() {
            let NodeKind::Collector(collector) = &node.kind else { continue };
            let (version, distribution) = (node.version().expect("a release"), collector.distribution.value);
            let args = ["--version", &version.to_string(), "--distribution", distribution.as_str()];
            let output = telstack(&[&["schema", "otelcol"], &args[..]].concat());
            write("its.json", &stdout(&output));
            let golden = root().join(format!("golden/{stack}/configs/{}.yaml", node.name));
            let (valid, said) = agrees("its.json", &[golden.to_str().expect("UTF-8")]);
            assert!(valid, "{said}");
            seen += 1;
        }
    }
    assert!(seen >= 2, "{seen} configurations");
}
