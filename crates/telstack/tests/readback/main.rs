//! What is written is read back as what it was: `read(emit(system)) ≅ system`, and the link check over what was
//! read finds nothing that it did not find before.

mod stacks;

use std::{
    cell::{Cell, RefCell},
    path::Path,
};

use proptest::{
    collection::vec,
    prelude::any,
    test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner},
};

use telstack_diagnostics::{Diagnostic, Diagnostics, Severity, SourceMap};
use telstack_system::{System, canonical};
use telstack_tools::{Manifests, Said, SourceFile};
use telstack_workspace::{Compiled, MemoryFiles, compile};

#[path = "../support/mod.rs"]
mod support;

fn compiled(text: &str) -> Compiled {
    let files = MemoryFiles::new([("s.stack.kdl", text)]);
    compile(&files, Path::new("s.stack.kdl")).expect("readable")
}

/// The paths and texts of what was written.
fn written(compiled: &Compiled) -> Vec<(String, String)> {
    compiled.artefacts.iter().map(|it| (it.path.clone(), it.written.text.clone())).collect()
}

/// What is read back from files, with what is wrong with their form.
fn read_back(name: &str, written: &[(String, String)]) -> (System, Diagnostics, SourceMap) {
    let mut sources = SourceMap::default();
    let ids: Vec<_> = written.iter().map(|(path, text)| sources.add(path.as_str(), text.as_str())).collect();
    let given = written.iter().zip(ids);
    let files: Vec<SourceFile<'_>> = given.map(|((path, text), file)| SourceFile { path, file, text }).collect();
    let mut findings = Diagnostics::default();
    let system = telstack_tools::read(&files, &mut findings).unwrap_or_else(|| manifests(name, &files, &mut findings));
    (system, findings, sources)
}

/// The same of manifests, which are applied together by what a kustomization names.
fn manifests(name: &str, files: &[SourceFile<'_>], findings: &mut Diagnostics) -> System {
    let is_manifest = |path: &&str| {
        let path = Path::new(path);
        let outside = path.starts_with("hosts");
        path.extension().is_some_and(|it| it == "yaml") && !path.ends_with("kustomization.yaml") && !outside
    };
    let manifests = Manifests {
        paths: files.iter().map(|it| it.path).filter(is_manifest).map(str::to_owned).collect(),
        name: name.to_owned(),
        ..Manifests::default()
    };
    telstack_tools::read_manifests(files, &manifests, Said::default(), findings).system
}

/// What differs, as lines that start with `-` (written) or `+` (read).
fn difference(written: &System, read: &System) -> Vec<String> {
    let (written, read) = (canonical(written), canonical(read));
    let gone = written.iter().filter(|line| !read.contains(line)).map(|line| format!("- {line}"));
    let new = read.iter().filter(|line| !written.contains(line)).map(|line| format!("+ {line}"));
    gone.chain(new).collect()
}

/// What only files can be told: a stack without an Alertmanager has its own alerts, and chose where they show.
const OF_FILES: [&str; 1] = ["M007"];

/// What the check finds in what was read, beyond what it found in what was compiled.
fn new_findings(compiled: &Compiled, read: &System, form: Diagnostics, sources: &SourceMap) -> Vec<String> {
    let mut found = form;
    telstack_lint::check(read, &mut found);
    let mut known: Vec<&str> = compiled.diagnostics.iter().map(|it| it.rule.code).collect();
    let mut new = Vec::new();
    let counts = |it: &Diagnostic| it.severity >= Severity::Warning && !OF_FILES.contains(&it.rule.code);
    for finding in found.sorted(sources).into_iter().filter(counts) {
        if let Some(at) = known.iter().position(|code| *code == finding.rule.code) {
            known.remove(at);
        } else {
            let place = finding.primary.as_ref().map(|label| sources.slice(label.span)).unwrap_or_default();
            new.push(format!("{}: {} at `{place}`", finding.rule.code, finding.message));
        }
    }
    new
}

/// Checks one stack that compiles. What is wrong, in lines; nothing if all is well.
fn verdict(compiled: &Compiled) -> Vec<String> {
    if compiled.systems.is_empty() {
        return vec!["no system".to_owned()];
    }
    compiled.systems.iter().flat_map(|system| verdict_of(compiled, system)).collect()
}

/// The same of one cluster, whose files are in a folder of their own where there are several.
fn verdict_of(compiled: &Compiled, system: &System) -> Vec<String> {
    let folder = system.place().map_or(String::new(), |it| format!("{it}/"));
    let files = written(compiled).into_iter();
    let files: Vec<_> = files.filter_map(|(path, text)| Some((path.strip_prefix(&folder)?.to_owned(), text))).collect();
    let (read, form, sources) = read_back(&system.name, &files);
    let mut wrong = difference(system, &read);
    if !read.complete {
        wrong.push("something was not understood".to_owned());
    }
    wrong.extend(new_findings(compiled, &read, form, &sources));
    wrong
}

fn of_stack(stack: &str) -> Compiled {
    let path = support::root().join(format!("stacks/{stack}.stack.kdl"));
    compiled(&std::fs::read_to_string(path).expect("a stack"))
}

#[test]
fn stacks_are_read_back() {
    for stack in support::stacks() {
        let compiled = of_stack(&stack);
        assert!(!compiled.artefacts.is_empty(), "{stack} compiles");
        let wrong = verdict(&compiled);
        assert!(wrong.is_empty(), "{stack}:\n{}", wrong.join("\n"));
    }
}

/// Presets, leaders, and whatever is found by the API of the cluster.
const FOUND: &str = r#"stack "found" {
    platform "kubernetes" { namespace "obs" }
    collector "agent" mode="daemonset" {
        resources cpu="100m..500m" memory="256MiB..512MiB"
        receiver "otlp"
        receiver "file_log" preset="pod-logs"
        receiver "host_metrics" { scrapers { cpu; network } }
        receiver "k8s_cluster"
        scrape "annotated-pods" interval="30s"
        processor "k8s_attributes"
        processor "redaction" preset="pii"
        pipeline "metrics" { to "prometheus" }
        pipeline "metrics/node" { from "host_metrics" "k8s_cluster"; to "prometheus" }
        pipeline "logs" { from "otlp" "file_log"; to "loki" }
        durable
    }
    collector "scraper" {
        resources cpu="100m..500m" memory="256MiB..512MiB"
        scrape "kube-state-metrics"
        scrape "agent"
        scrape "dcgm-exporter" namespace="gpu-operator" port=9400 path="/gpu"
        pipeline "metrics" { to "prometheus" }
    }
    kube-state-metrics { resources cpu="10m..100m" memory="64MiB..256MiB" }
    prometheus { resources memory="1GiB..2GiB" }
    loki { resources memory="1GiB..2GiB" }
}
"#;

#[test]
fn what_is_found_by_the_api_is_read_back() {
    let compiled = compiled(FOUND);
    assert!(!compiled.artefacts.is_empty(), "{:?}", compiled.diagnostics);
    let wrong = verdict(&compiled);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Targets that an allocator gives to the pods of a StatefulSet, and of a DaemonSet; and a sidecar.
const ALLOCATED: &str = r#"stack "allocated" {
    platform "kubernetes" { namespace "obs"; via "operator"; network-policies default="deny" }
    collector "scraper" replicas=3 {
        resources cpu="100m..500m" memory="256MiB..512MiB"
        target-allocator
        scrape "annotated-pods" interval="30s"
        scrape "kube-state-metrics"
        pipeline "metrics" { to "store" }
    }
    collector "agent" mode="daemonset" {
        resources cpu="100m..500m" memory="256MiB..512MiB"
        target-allocator
        receiver "k8s_cluster"
        scrape "kube-state-metrics"
        pipeline "metrics" { from "k8s_cluster" "prometheus"; to "store" }
    }
    collector "beside" mode="sidecar" {
        resources cpu="100m..500m" memory="256MiB..512MiB"
        receiver "otlp"
        pipeline "metrics" { from "otlp"; to "store" }
    }
    kube-state-metrics { resources cpu="10m..100m" memory="64MiB..256MiB" }
    prometheus "store" { resources memory="1GiB..2GiB" }
}
"#;

#[test]
fn what_is_shared_out_is_read_back() {
    let compiled = compiled(ALLOCATED);
    assert!(!compiled.artefacts.is_empty(), "{:?}", compiled.diagnostics);
    let wrong = verdict(&compiled);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// How many stacks are tried: `PROPTEST_CASES` says otherwise.
const CASES: u32 = 128;
/// Most of what is tried must compile, or it proves little.
const COMPILE_PERCENT: u32 = 80;

#[test]
fn random_stacks_are_read_back() {
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|it| it.parse().ok()).unwrap_or(CASES);
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    // The same stacks on each run: more cases go on where fewer end.
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let (tried, skipped) = (Cell::new(0_u32), RefCell::new(Vec::<String>::new()));
    let result = TestRunner::new_with_rng(config, rng).run(&vec(any::<u16>(), 0..400), |tape| {
        let text = stacks::stack(&tape);
        let compiled = compiled(&text);
        tried.set(tried.get() + 1);
        if compiled.has(Severity::Error) {
            let errors = compiled.diagnostics.iter().filter(|it| it.severity == Severity::Error);
            skipped.borrow_mut().extend(errors.take(1).map(|it| format!("{} {}", it.rule.code, it.message)));
            return Ok(());
        }
        let wrong = verdict(&compiled);
        if wrong.is_empty() { Ok(()) } else { Err(TestCaseError::fail(format!("{}\n{text}", wrong.join("\n")))) }
    });
    if let Err(error) = result {
        panic!("{error}");
    }
    let skipped = skipped.into_inner();
    let compile = tried.get() - u32::try_from(skipped.len()).unwrap_or(u32::MAX);
    assert!(
        compile * 100 > tried.get() * COMPILE_PERCENT,
        "{compile} of {} compile:\n{}",
        tried.get(),
        skipped.join("\n")
    );
}

/// What the tools write by themselves, and the System does not hold: by file, the keys.
const NOT_HELD: [(&str, &[&str]); 6] = [
    (
        "docker-compose.yml",
        &[
            "condition",
            "driver",
            "image",
            "interval",
            "max-file",
            "max-size",
            "name",
            "network_mode",
            "restart",
            "retries",
            "telstack.config-hash",
            "timeout",
            "user",
        ],
    ),
    ("configs/jaeger.yaml", &["ephemeral", "exporters", "processors", "trace_storage", "use_v2", "values"]),
    ("configs/prometheus.yml", &["evaluation_interval", "out_of_order_time_window"]),
    ("configs/prometheus-rules/pipeline-health.yml", &["service"]),
    (
        "configs/loki.yaml",
        &[
            "cache_results",
            "chunks_directory",
            "enabled",
            "grpc_server_max_send_msg_size",
            "ingestion_burst_size_mb",
            "ingestion_rate_mb",
            "instance_addr",
            "max_global_streams_per_user",
            "max_size_mb",
            "object_store",
            "period",
            "prefix",
            "replication_factor",
            "rules_directory",
            "store",
            "working_directory",
        ],
    ),
    ("configs/alertmanager.yml", &["group_by", "name", "receiver"]),
];
const NOT_HELD_BY_GRAFANA: [&str; 4] = ["access", "apiVersion", "name", "type"];

/// The line with another first letter or digit in its value; none if it has no value.
fn changed(line: &str) -> Option<String> {
    let start = line.find(": ").map(|at| at + 2).or_else(|| line.find("- ").map(|at| at + 2))?;
    let at = start + line[start..].find(|c: char| c.is_ascii_alphanumeric())?;
    let other = match line.as_bytes()[at] {
        b'7' => "3",
        b'0'..=b'9' => "7",
        b'q' => "k",
        _ => "q",
    };
    (!line.trim_start().starts_with('#')).then(|| format!("{}{other}{}", &line[..at], &line[at + 1..]))
}

#[test]
fn every_value_that_the_system_holds_is_read() {
    let before = written(&of_stack("single-node"));
    let whole = canonical(&read_back("single-node", &before).0);
    let mut unread = Vec::new();
    for (at, (path, text)) in before.iter().enumerate() {
        if !path.ends_with("ml") {
            continue;
        }
        let not_held = NOT_HELD.iter().find(|(file, _)| file == path).map(|(_, keys)| *keys);
        let not_held = not_held.unwrap_or(if path.starts_with("grafana/") { &NOT_HELD_BY_GRAFANA } else { &[] });
        for (number, line) in text.lines().enumerate() {
            let key = line.trim_start().trim_start_matches("- ").split(':').next().unwrap_or_default();
            let Some(other) = changed(line).filter(|_| !not_held.contains(&key)) else { continue };
            let mut files = before.clone();
            let lines = text.lines().enumerate().map(|(it, line)| if it == number { other.as_str() } else { line });
            files[at].1 = lines.collect::<Vec<_>>().join("\n");
            let (system, findings, _) = read_back("single-node", &files);
            if findings.iter().next().is_none() && canonical(&system) == whole {
                unread.push(format!("{path}:{}: {other}", number + 1));
            }
        }
    }
    assert!(unread.is_empty(), "{}", unread.join("\n"));
}

/// What people write by mistake where something else is wanted.
const ODD: [&str; 18] = [
    "",
    "null",
    "[]",
    "{}",
    "-1",
    "99999999999999999999",
    "1e400",
    "${X}",
    "${X:-}",
    "$$",
    "\"\"",
    "'a: b'",
    "[[[]]]",
    "{a: {b: {c: []}}}",
    "http://:99999/",
    "é☃",
    "!!binary x",
    "&a [*a]",
];

#[test]
fn odd_shapes_are_survived() {
    let before: Vec<_> = support::stacks().iter().map(|stack| written(&of_stack(stack))).collect();
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|it| it.parse().ok()).unwrap_or(CASES);
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let change = (any::<u16>(), any::<u16>(), any::<u16>());
    let result = TestRunner::new_with_rng(config, rng).run(&(any::<u16>(), vec(change, 1..5)), |(stack, changes)| {
        let mut files = before[usize::from(stack) % before.len()].clone();
        let count = files.len();
        for (file, line, what) in changes {
            let text = &mut files[usize::from(file) % count].1;
            let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
            if lines.is_empty() {
                continue;
            }
            let at = usize::from(line) % lines.len();
            match usize::from(what) % (ODD.len() + 4) {
                0 => drop(lines.remove(at)),
                1 => lines.insert(at, lines[at].clone()),
                2 => lines.truncate(at),
                3 => lines[at].insert_str(0, "  "),
                odd => {
                    let end = lines[at].find(": ").map_or(lines[at].len(), |colon| colon + 1);
                    lines[at] = format!("{} {}", &lines[at][..end], ODD[odd - 4]);
                }
            }
            *text = lines.join("\n");
        }
        let (system, form, sources) = read_back("odd", &files);
        let mut findings = form;
        telstack_lint::check(&system, &mut findings);
        for finding in findings.sorted(&sources) {
            let label = finding.primary.as_ref().map(|label| sources.slice(label.span));
            assert!(!finding.message.is_empty() && label.is_none_or(|it| it.len() <= 1 << 20));
        }
        Ok(())
    });
    if let Err(error) = result {
        panic!("{error}");
    }
}
