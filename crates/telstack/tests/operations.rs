//! What an operator meets after the first start: upgrades on the same volumes, changed files, long outages, batches
//! that are larger than a server takes.

use std::path::Path;

use telstack_workspace::{Compiled, MemoryFiles, compile};

fn stack(versions: &str, lines: &str) -> Compiled {
    let text = format!("stack \"s\" {{\n platform \"compose\"\n versions {{ {versions} }}\n {lines}\n}}\n");
    compile(&MemoryFiles::new([("s.stack.kdl", &text)]), Path::new("s.stack.kdl")).expect("readable")
}

fn file<'a>(compiled: &'a Compiled, path: &str) -> &'a str {
    let found = compiled.artefacts.iter().find(|artefact| artefact.path == path);
    let codes: Vec<_> = compiled.diagnostics.iter().map(|it| (it.rule.code, &it.message)).collect();
    &found.unwrap_or_else(|| panic!("{path} is written; findings: {codes:?}")).written.text
}

#[track_caller]
fn has(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "no\n{part}\nin\n{text}");
    }
}

#[track_caller]
fn lacks(text: &str, part: &str) {
    assert!(!text.contains(part), "{part}\nin\n{text}");
}

const EVERYTHING: &str = r#"
    collector "c" {
        receiver "otlp"
        processor "batch"
        pipeline "traces" { from "otlp"; to "jaeger" "tempo" }
        pipeline "metrics" { from "otlp"; to "prometheus" }
        pipeline "logs" { from "otlp"; to "loki" }
        durable
    }
    jaeger; prometheus; loki; tempo; grafana; alertmanager"#;

#[test]
fn an_upgraded_jaeger_finds_its_spans() {
    let old = stack("otelcol \"0.91.0\"; jaeger \"1.76.0\"; loki \"2.9.3\"", EVERYTHING);
    has(
        file(&old, "docker-compose.yml"),
        &["BADGER_DIRECTORY_VALUE: /badger/data", "BADGER_DIRECTORY_KEY: /badger/key"],
    );
    has(file(&stack("", EVERYTHING), "configs/jaeger.yaml"), &["keys: /badger/key\n", "values: /badger/data\n"]);
}

#[test]
fn an_upgraded_tempo_may_write() {
    let compose = |version: &str| stack(&format!("tempo \"{version}\""), EVERYTHING);
    has(file(&compose("2.5.0"), "docker-compose.yml"), &["  tempo-init:", "10001:10001", "/var/tempo"]);
    lacks(file(&compose("2.4.2"), "docker-compose.yml"), "tempo-init");
}

/// The label of a service.
fn hash(compiled: &Compiled, service: &str) -> String {
    let compose = file(compiled, "docker-compose.yml");
    let from = compose.find(&format!("\n  {service}:\n")).expect("the service");
    let label = compose[from..].split("telstack.config-hash: ").nth(1).expect("the label");
    label.lines().next().unwrap_or_default().trim_matches('"').to_owned()
}

#[test]
fn a_changed_file_changes_its_service_and_no_other() {
    let before = stack("", EVERYTHING);
    let after = stack("", &EVERYTHING.replace("loki;", "loki { retention \"30d\" };"));
    assert_eq!(hash(&before, "loki").len(), 12);
    assert_eq!(hash(&before, "loki"), hash(&stack("", EVERYTHING), "loki"));
    assert_ne!(hash(&before, "loki"), hash(&after, "loki"));
    assert_eq!(hash(&before, "tempo"), hash(&after, "tempo"));
    // Nothing is reloaded in place, so nobody needs the door for it, which can also stop Prometheus.
    lacks(file(&before, "docker-compose.yml"), "web.enable-lifecycle");
}

#[test]
fn a_durable_queue_outlasts_five_minutes() {
    let never = stack("", EVERYTHING);
    has(file(&never, "configs/c.yaml"), &["    retry_on_failure:\n      max_elapsed_time: 0s\n"]);
    let hour = stack("", &EVERYTHING.replace("durable", "durable give_up_after=\"1h\""));
    has(file(&hour, "configs/c.yaml"), &["max_elapsed_time: 1h"]);
    lacks(file(&hour, "configs/c.yaml"), "max_elapsed_time: 0s");
    lacks(file(&stack("", &EVERYTHING.replace("durable", "")), "configs/c.yaml"), "max_elapsed_time");
}

#[test]
fn grafana_is_told_what_its_release_knows() {
    let sources = |versions: &str| {
        let compiled = stack(versions, EVERYTHING);
        file(&compiled, "grafana/provisioning/datasources/datasources.yaml").to_owned()
    };
    let reads = EVERYTHING.replace("grafana;", "grafana { reads \"alertmanager\" \"loki\" \"tempo\" };");
    let all = stack("", &reads);
    has(file(&all, "grafana/provisioning/datasources/datasources.yaml"), &["implementation: prometheus"]);
    has(&sources(""), &["tracesToLogsV2:", "matcherType: label"]);
    // Loki 3 takes OTLP and keeps the trace id beside the line, where this Grafana does not look.
    let old = sources("otelcol \"0.120.0\"; grafana \"9.3.0\"");
    has(&old, &["tracesToLogs:", "mapTagNamesEnabled: true", "mappedTags:"]);
    lacks(&old, "tracesToLogsV2");
    lacks(&old, "derivedFields");
    lacks(&old, "filterByTraceID");
    let line = sources("otelcol \"0.91.0\"; loki \"2.9.3\"; grafana \"9.3.0\"; jaeger \"1.53.0\"");
    has(&line, &["derivedFields:", "filterByTraceID: true", "tracesToLogs:"]);
}

#[test]
fn a_feature_joins_those_that_the_stack_names() {
    let lines = EVERYTHING.replace("prometheus;", "prometheus { flag \"enable-feature=native-histograms\" };");
    let compiled = stack("", &lines);
    has(file(&compiled, "docker-compose.yml"), &["--enable-feature=native-histograms,exemplar-storage"]);
    let twice = EVERYTHING.replace("prometheus;", "prometheus { flag \"enable-feature=exemplar-storage\" };");
    has(file(&stack("", &twice), "docker-compose.yml"), &["--enable-feature=exemplar-storage\n"]);
}

#[test]
fn servers_take_what_their_senders_send() {
    let all = stack("", EVERYTHING);
    has(file(&all, "configs/jaeger.yaml"), &["max_recv_msg_size_mib: 16\n"]);
    has(file(&all, "configs/tempo.yaml"), &["max_recv_msg_size_mib: 16\n"]);
    lacks(file(&all, "configs/tempo.yaml"), "grpc_server_max");
    has(file(&all, "configs/loki.yaml"), &["grpc_server_max_recv_msg_size: 16777216\n"]);
    let old = stack("otelcol \"0.91.0\"; jaeger \"1.53.0\"; loki \"2.9.3\"", EVERYTHING);
    has(file(&old, "docker-compose.yml"), &["COLLECTOR_OTLP_GRPC_MAX_MESSAGE_SIZE: \"16777216\""]);
    // Small batches fit, and so does what nobody batches.
    let small = EVERYTHING
        .replace("processor \"batch\"", "processor \"batch\" { send_batch_size 500; send_batch_max_size 1000 }");
    let none = EVERYTHING.replace("processor \"batch\"", "");
    for lines in [small, none] {
        let compiled = stack("", &lines);
        lacks(file(&compiled, "configs/jaeger.yaml"), "max_recv");
        lacks(file(&compiled, "configs/loki.yaml"), "max_recv");
    }
}

#[test]
fn a_large_message_fits_all_along_a_chain() {
    let chain = |receiver: &str| {
        stack(
            "",
            &format!(
                r#"collector "a" {{
                    receiver "otlp"
                    processor "batch" {{ send_batch_max_size 20000; send_batch_size 20000 }}
                    pipeline "traces" {{ from "otlp"; to "b" }}
                }}
                collector "b" {{ {receiver}; pipeline "traces" {{ from "otlp"; to "tempo" }} }}
                tempo"#
            ),
        )
    };
    let open = chain("receiver \"otlp\"");
    has(file(&open, "configs/b.yaml"), &["max_recv_msg_size_mib: 32\n"]);
    has(file(&open, "configs/tempo.yaml"), &["max_recv_msg_size_mib: 32\n", "grpc_server_max_recv_msg_size: 33554432"]);
    lacks(file(&open, "configs/a.yaml"), "max_recv");
    // What the stack says stays.
    let own = chain("receiver \"otlp\" { protocols { grpc max_recv_msg_size_mib=64 } }");
    has(file(&own, "configs/b.yaml"), &["max_recv_msg_size_mib: 64\n"]);
    lacks(file(&own, "configs/b.yaml"), "max_recv_msg_size_mib: 32");
    has(file(&own, "configs/tempo.yaml"), &["max_recv_msg_size_mib: 64\n"]);
}

#[test]
fn a_store_that_is_down_is_noticed() {
    let compiled = stack("", &EVERYTHING.replace(" alertmanager", ""));
    let rules = file(&compiled, "configs/prometheus-rules/pipeline-health.yml");
    for store in ["jaeger", "loki", "tempo"] {
        has(rules, &[&format!("up{{job=\"{store}\"}} == 0")]);
    }
    lacks(rules, "up{job=\"prometheus\"}");
    has(rules, &["# Nobody is told"]);
    lacks(file(&stack("", EVERYTHING), "configs/prometheus-rules/pipeline-health.yml"), "Nobody is told");
}

#[test]
fn logs_that_nobody_deletes_are_said_to_stay() {
    let for_ever = stack("", EVERYTHING);
    has(file(&for_ever, "configs/loki.yaml"), &["# Logs are kept for ever"]);
    has(file(&for_ever, "docker-compose.yml"), &["keeps logs for ever"]);
    let month = stack("", &EVERYTHING.replace("loki;", "loki { retention \"30d\" };"));
    lacks(file(&month, "configs/loki.yaml"), "for ever");
}
