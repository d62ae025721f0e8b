//! What the edges must come out as, by the versions at both ends.

use std::path::Path;

use telstack_workspace::{Compiled, MemoryFiles, compile};

fn stack(versions: &str, pipeline: &str, rest: &str) -> Compiled {
    let text = format!(
        "stack \"s\" {{\n platform \"compose\"\n versions {{ {versions} }}\n \
         collector \"c\" {{\n receiver \"otlp\"\n {pipeline}\n }}\n {rest}\n}}\n"
    );
    compile(&MemoryFiles::new([("s.stack.kdl", &text)]), Path::new("s.stack.kdl")).expect("readable")
}

fn file<'a>(compiled: &'a Compiled, path: &str) -> &'a str {
    let found = compiled.artefacts.iter().find(|artefact| artefact.path == path);
    let codes: Vec<_> = compiled.diagnostics.iter().map(|it| (it.rule.code, &it.message)).collect();
    &found.unwrap_or_else(|| panic!("{path} is written; findings: {codes:?}")).written.text
}

fn collector(compiled: &Compiled) -> &str {
    file(compiled, "configs/c.yaml")
}

fn codes(compiled: &Compiled) -> Vec<&str> {
    compiled.diagnostics.iter().map(|it| it.rule.code).collect()
}

fn logs(otelcol: &str, loki: &str) -> Compiled {
    stack(
        &format!("otelcol \"{otelcol}\"; loki \"{loki}\""),
        "pipeline \"logs\" { from \"otlp\"; to \"loki\" }",
        "loki",
    )
}

fn metrics(otelcol: &str, prometheus: &str, to: &str) -> Compiled {
    stack(
        &format!("otelcol \"{otelcol}\"; prometheus \"{prometheus}\""),
        &format!("pipeline \"metrics\" {{ from \"otlp\"; to \"prometheus\" {to} }}\n durable queue_size=500"),
        "prometheus",
    )
}

fn traces(otelcol: &str, product: &str, version: &str) -> Compiled {
    stack(
        &format!("otelcol \"{otelcol}\"; {product} \"{version}\""),
        &format!("pipeline \"traces\" {{ from \"otlp\"; to \"{product}\" }}"),
        product,
    )
}

#[test]
fn logs_to_loki() {
    let old = logs("0.91.0", "2.9.3");
    assert!(
        collector(&old).contains("  loki:\n    endpoint: http://loki:3100/loki/api/v1/push\n"),
        "{}",
        collector(&old)
    );
    let new = logs("0.158.0", "3.7.6");
    assert!(
        collector(&new).contains("  otlp_http/loki:\n    endpoint: http://loki:3100/otlp\n"),
        "{}",
        collector(&new)
    );
    let middle = logs("0.120.0", "3.0.0");
    assert!(
        collector(&middle).contains("  otlphttp/loki:\n    endpoint: http://loki:3100/otlp\n"),
        "{}",
        collector(&middle)
    );
}

#[test]
fn the_newest_collector_cannot_reach_loki_2() {
    let broken = logs("0.158.0", "2.9.3");
    assert_eq!(codes(&broken), ["N020"]);
    assert!(broken.artefacts.is_empty());
    let finding = &broken.diagnostics[0];
    assert!(
        finding.message.contains("otelcol-contrib 0.158.0") && finding.message.contains("Loki 2.9.3"),
        "both sides"
    );
    assert!(
        finding.notes.iter().any(|note| note.contains("0.131.0")),
        "the release that removed it: {:?}",
        finding.notes
    );
    assert_eq!(finding.help.len(), 2, "both ways out: {:?}", finding.help);
    // Both ways out lead out.
    assert_eq!(codes(&logs("0.158.0", "3.0.0")), [""; 0]);
    assert_eq!(codes(&logs("0.130.1", "2.9.3")), [""; 0]);
    assert_eq!(codes(&logs("0.131.0", "2.9.3")), ["N020"]);
    assert_eq!(codes(&logs("0.122.1", "2.9.3")), ["N020"], "two releases went without it");
    assert_eq!(codes(&logs("0.123.0", "2.9.3")), [""; 0]);
}

#[test]
fn metrics_to_prometheus() {
    let remote = metrics("0.91.0", "2.48.0", "");
    let text = collector(&remote);
    assert!(
        text.contains("  prometheusremotewrite/prometheus:\n    endpoint: http://prometheus:9090/api/v1/write\n"),
        "{text}"
    );
    assert!(text.contains("    remote_write_queue:\n      queue_size: 500\n"), "{text}");
    assert!(!text.contains("sending_queue"), "{text}");
    assert!(file(&remote, "docker-compose.yml").contains("--web.enable-remote-write-receiver"));
    let newest = metrics("0.158.0", "3.14.0", "");
    assert!(collector(&newest).contains("  prometheus_remote_write/prometheus:\n"), "{}", collector(&newest));

    let otlp = metrics("0.158.0", "3.14.0", "protocol=\"otlp\"");
    let text = collector(&otlp);
    assert!(text.contains("  otlp_http/prometheus:\n    endpoint: http://prometheus:9090/api/v1/otlp\n"), "{text}");
    assert!(text.contains("    sending_queue:\n"), "{text}");
    let compose = file(&otlp, "docker-compose.yml");
    assert!(compose.contains("--web.enable-otlp-receiver") && !compose.contains("remote-write"), "{compose}");
    let feature = metrics("0.91.0", "2.48.0", "protocol=\"otlp\"");
    let compose = file(&feature, "docker-compose.yml");
    assert!(compose.contains("--enable-feature=otlp-write-receiver"), "{compose}");
    assert_eq!(codes(&metrics("0.91.0", "2.45.6", "protocol=\"otlp\"")), ["N022"], "2.45 has no OTLP");
}

#[test]
fn traces_to_jaeger_and_tempo() {
    for (otelcol, name) in [("0.91.0", "otlp"), ("0.143.1", "otlp"), ("0.144.0", "otlp_grpc"), ("0.158.0", "otlp_grpc")]
    {
        for (product, version) in
            [("jaeger", "1.53.0"), ("jaeger", "2.20.0"), ("tempo", "2.3.1"), ("tempo", "2.10.8"), ("tempo", "3.0.3")]
        {
            let compiled = traces(otelcol, product, version);
            let wanted = format!("  {name}/{product}:\n    endpoint: {product}:4317\n    tls:\n      insecure: true\n");
            assert!(collector(&compiled).contains(&wanted), "{product} {version}: {}", collector(&compiled));
        }
    }
    let old = traces("0.91.0", "jaeger", "1.53.0");
    let compose = file(&old, "docker-compose.yml");
    for wanted in ["jaegertracing/all-in-one:1.53.0", "SPAN_STORAGE_TYPE: badger", "BADGER_EPHEMERAL: \"false\""] {
        assert!(compose.contains(wanted), "{wanted}: {compose}");
    }
    let new = traces("0.158.0", "jaeger", "2.20.0");
    assert!(file(&new, "docker-compose.yml").contains("jaegertracing/jaeger:2.20.0"));
    assert!(file(&new, "configs/jaeger.yaml").contains("endpoint: 0.0.0.0:4317"));
    let tempo = traces("0.158.0", "tempo", "2.10.8");
    assert!(
        file(&tempo, "configs/tempo.yaml").contains("endpoint: 0.0.0.0:4317"),
        "Tempo binds localhost by itself from 2.7"
    );
}

#[test]
fn stores_say_what_they_accept() {
    let wrong = stack("loki \"3.7.6\"", "pipeline \"traces\" { from \"otlp\"; to \"loki\" }", "loki");
    assert_eq!(codes(&wrong), ["N021"]);
    assert!(wrong.diagnostics[0].labels.iter().any(|label| label.message.contains("logs only")));
    let wrong = stack("prometheus \"3.14.0\"", "pipeline \"logs\" { from \"otlp\"; to \"prometheus\" }", "prometheus");
    assert_eq!(codes(&wrong), ["N021"]);
    assert!(wrong.diagnostics[0].labels.iter().any(|label| label.message.contains("metrics only")));
}

#[test]
fn the_collectors_own_metrics_are_opened_as_its_release_wants() {
    let old = traces("0.91.0", "tempo", "2.3.1");
    assert!(collector(&old).contains("      address: 0.0.0.0:8888\n"));
    let suffixing = traces("0.128.0", "tempo", "2.8.0");
    assert!(collector(&suffixing).contains("without_type_suffix: true"), "{}", collector(&suffixing));
    let new = traces("0.158.0", "tempo", "2.10.8");
    assert!(!collector(&new).contains("address: 0.0.0.0:8888") && collector(&new).contains("port: 8888"));
    assert!(!collector(&new).contains("without_"), "{}", collector(&new));
}

#[test]
fn every_release_of_every_distribution_compiles_or_says_why_not() {
    for release in telstack_catalog::otelcol::releases() {
        for distribution in ["core", "contrib", "k8s", "otlp"] {
            let versions = format!("otelcol \"{}\" distribution=\"{distribution}\"; tempo \"2.10.8\"", release.version);
            let compiled = stack(&versions, "pipeline \"traces\" { from \"otlp\"; to \"tempo\" }", "tempo");
            let findings = codes(&compiled);
            let fine = findings.iter().all(|code| ["V001", "V002", "Z009", "V006"].contains(code));
            assert!(fine, "{} {distribution}: {findings:?}", release.version);
        }
    }
}
