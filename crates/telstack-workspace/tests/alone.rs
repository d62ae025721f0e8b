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
    let slips = "  logging:\n    bogus: 1\n  otlp:\n    endpoint: a:4317\n    bogus: 1\n";
    assert_eq!(found(slips, &["V001", "Y001"]), ["V001 info logging", "Y001 error bogus"]);
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
