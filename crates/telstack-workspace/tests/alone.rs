//! Configurations that stand alone, of which nothing says what runs them.

mod common;

use common::of_rules;

/// A configuration with these exporters, of which `debug` is used.
fn collector(exporters: &str) -> String {
    format!(
        "receivers:\n  otlp:\n    protocols:\n      grpc:\nexporters:\n  debug:\n{exporters}service:\n  pipelines:\n    \
         traces:\n      receivers: [otlp]\n      exporters: [debug]\n"
    )
}

fn found(exporters: &str, codes: &[&str]) -> Vec<String> {
    of_rules([("d/otel.yaml", &collector(exporters))], codes)
}

#[test]
fn what_another_release_takes_is_a_remark() {
    assert_eq!(found("  logging:\n", &["V001"]), ["V001 info logging"]);
    // What no release takes stays one, and makes nothing else worse.
    let slips = "  logging:\n    bogus: 1\n  otlp:\n    endpiont: a:4317\n    endpoint: a:4317\n";
    assert_eq!(found(slips, &["V001", "Y001"]), ["V001 info logging", "Y001 error endpiont"]);
    // Releases from before those that are known may have had it.
    let old = |exporter: &str| format!("{exporter}  otlp:\n    endpoint: a:4317\n    bogus: 1\n");
    assert_eq!(found(&old("  logging:\n"), &["Y001"]), ["Y001 warning bogus"]);
    assert_eq!(found(&old(""), &["Y001"]), ["Y001 error bogus"]);
    // No release has both.
    let never = "  logging:\n  otlp:\n    endpoint: a:4317\n    sending_queue:\n      batch:\n        min_size: 5\n";
    assert_eq!(found(never, &["V001"]), ["V001 error logging"]);
}

#[test]
fn a_foreign_component_makes_the_rest_uncertain() {
    let bogus = "  otlp:\n    endpoint: a:4317\n    bogus: 1\n";
    assert_eq!(found(bogus, &["Y001", "Y006"]), ["Y001 error bogus"]);
    let foreign = format!("{bogus}  acme_cloud:\n");
    assert_eq!(found(&foreign, &["Y001", "Y006"]), ["Y001 warning bogus", "Y006 warning acme_cloud"]);
    // One letter wrong is a slip; a word before or behind is a name.
    assert_eq!(found(&format!("{bogus}  dbug:\n"), &["Y001", "Y006"]), ["Y001 error bogus", "Y006 error dbug"]);
    assert_eq!(found("  fileplus:\n", &["Y006"]), ["Y006 warning fileplus"]);
}

#[test]
fn an_empty_section_is_for_others_to_fill() {
    let empty = |section: &str| collector("").replace("exporters:\n  debug:\n", section).replace("[debug]", "");
    let codes = ["R005", "P001", "P013"];
    for section in ["exporters:\n", "exporters: {}\n", "exporters:\n  # yours\n"] {
        assert_eq!(of_rules([("d/otel.yaml", &empty(section))], &codes), Vec::<String>::new());
    }
    assert_eq!(of_rules([("d/otel.yaml", &empty("exporters: {debug: }\n"))], &codes), ["P013 error traces"]);
    // Something runs it, and nothing else.
    let compose = "services:\n  otel:\n    image: otel/opentelemetry-collector:0.150.0\n    volumes: \
                   ['./otel.yaml:/etc/otelcol/config.yaml']\n";
    let run = of_rules([("d/compose.yaml", compose), ("d/otel.yaml", &empty("exporters: {}\n"))], &codes);
    assert_eq!(run, ["R005 error exporters", "P013 error traces"]);
}

#[test]
fn a_component_of_ones_own_may_have_a_name_that_is_known() {
    let manifest =
        |origin: &str| format!("dist: {{name: x}}\nreceivers:\n  - gomod: {origin}/receiver/gitlabreceiver v0.1.0\n");
    let config = "receivers: {gitlab: {}}\nexporters: {debug: {}}\nservice: {pipelines: {metrics: {receivers: \
                  [gitlab], exporters: [debug]}}}\n";
    let of = |origin: &str| of_rules([("d/a/m.yaml", &manifest(origin)), ("d/b/c.yaml", config)], &["P006", "Y006"]);
    assert_eq!(of("github.com/acme/collector"), [""; 0]);
    // Upstream's own, whichever way it is built in, and no manifest at all.
    let upstream = "github.com/open-telemetry/opentelemetry-collector-contrib";
    assert_eq!(of(upstream), ["P006 error gitlab"]);
    assert_eq!(of_rules([("d/b/c.yaml", config)], &["P006"]), ["P006 error gitlab"]);
    // What runs is told.
    let compose = "services:\n  o:\n    image: otel/opentelemetry-collector-contrib:0.158.0\n    volumes: \
                   ['./c.yaml:/etc/otelcol-contrib/config.yaml']\n";
    let own = manifest("github.com/acme/collector");
    let run = of_rules([("d/a/m.yaml", &own), ("d/b/c.yaml", config), ("d/b/compose.yaml", compose)], &["P006"]);
    assert_eq!(run, ["P006 error gitlab"]);
}

#[test]
fn a_file_beside_completes_one_that_is_named_after_it() {
    let over = "exporters: {debug: {}, debug/2: {}}\nreceivers: {nop: {}}\nservice: {pipelines: {traces: {receivers: [otlp], \
                processors: [batch], exporters: [debug, spans]}}}\n";
    let base = "receivers: {otlp: {protocols: {grpc: {}}}}\nprocessors: {batch: {}}\nconnectors: {spans: {}}\n";
    let of = |name: &str, base: &str| of_rules([(name, over), ("d/collector.yaml", base)], &["P001"]);
    assert_eq!(of("d/collector.prod.yaml", base), [""; 0]);
    assert_eq!(of("d/collector.prod.yml", base), [""; 0]);
    // Of another name, elsewhere, and beside one that lacks some of it.
    assert_eq!(of("d/other.prod.yaml", base).len(), 3);
    assert_eq!(of("d/b/collector.prod.yaml", base).len(), 3);
    assert_eq!(of("d/collector.prod.yaml", &base.replace("batch", "filter")).len(), 3);
}
