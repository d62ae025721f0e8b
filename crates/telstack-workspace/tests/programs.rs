//! Programs with an SDK are told by variables where to send: links like any other.

mod common;

use common::of_rules;

/// A program with variables, and a collector that takes OTLP over both protocols.
fn of(variables: &str) -> Vec<String> {
    let compose = format!(
        "services:\n  shop:\n    image: example/shop:1\n    environment:\n{}  otel:\n    image: \
         otel/opentelemetry-collector-contrib:0.158.0\n    command: [--config=/etc/otel.yaml]\n    volumes: \
         [./otel.yaml:/etc/otel.yaml]\n",
        variables.lines().map(|line| format!("      {line}\n")).collect::<Vec<_>>().concat()
    );
    let otel = "receivers:\n  otlp:\n    protocols:\n      grpc:\n        endpoint: 0.0.0.0:4317\n      http:\n        \
                endpoint: 0.0.0.0:4318\n  otlp/inside:\n    protocols:\n      grpc:\n        endpoint: \
                localhost:4319\nexporters:\n  debug:\nservice:\n  pipelines:\n    traces:\n      receivers: [otlp, \
                otlp/inside]\n      exporters: [debug]\n";
    let files = [("d/compose.yaml", compose.as_str()), ("d/otel.yaml", otel)];
    of_rules(files, &["N001", "N002", "N003", "N004", "N005", "N006"])
}

#[test]
fn what_fits_is_silent() {
    for variables in [
        "OTEL_EXPORTER_OTLP_ENDPOINT: http://otel:4317",
        "OTEL_EXPORTER_OTLP_ENDPOINT: http://otel:4318",
        "OTEL_EXPORTER_OTLP_ENDPOINT: http://otel:4317\nOTEL_EXPORTER_OTLP_PROTOCOL: grpc",
        "OTEL_EXPORTER_OTLP_ENDPOINT: http://otel:4318\nOTEL_EXPORTER_OTLP_PROTOCOL: http/protobuf",
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: http://otel:4318/v1/traces\nOTEL_EXPORTER_OTLP_PROTOCOL: http/json",
        "OTEL_EXPORTER_OTLP_ENDPOINT: http://elsewhere:4318/v1/traces",
        "OTEL_EXPORTER_OTLP_ENDPOINT: http://localhost:4320",
    ] {
        assert_eq!(of(variables), [""; 0], "{variables}");
    }
}

#[test]
fn the_other_protocol() {
    let http = "OTEL_EXPORTER_OTLP_ENDPOINT: http://otel:4317\nOTEL_EXPORTER_OTLP_PROTOCOL: http/protobuf";
    assert_eq!(of(http), ["N002 error http://otel:4317"]);
    let grpc = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: http://otel:4318\nOTEL_EXPORTER_OTLP_TRACES_PROTOCOL: grpc";
    assert_eq!(of(grpc), ["N002 error http://otel:4318"]);
}

#[test]
fn the_wrong_port_host_or_encryption() {
    assert_eq!(of("OTEL_EXPORTER_OTLP_ENDPOINT: http://otel:4320"), ["N003 error http://otel:4320"]);
    assert_eq!(of("OTEL_EXPORTER_OTLP_ENDPOINT: https://otel:4318"), ["N006 error https://otel:4318"]);
    assert_eq!(of("OTEL_EXPORTER_OTLP_ENDPOINT: http://otel:4319"), ["N001 error localhost:4319"]);
}

#[test]
fn paths() {
    let doubled = "OTEL_EXPORTER_OTLP_ENDPOINT: http://otel:4318/v1/traces";
    assert_eq!(of(doubled), ["N004 error http://otel:4318/v1/traces"]);
    let bare = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: http://otel:4318";
    assert_eq!(of(bare), ["N004 error http://otel:4318"]);
}

#[test]
fn switched_off_or_sent_elsewhere() {
    let wrong = "OTEL_EXPORTER_OTLP_ENDPOINT: http://otel:4320\n";
    for more in [
        "OTEL_SDK_DISABLED: 'true'",
        "OTEL_TRACES_EXPORTER: none\nOTEL_METRICS_EXPORTER: none\nOTEL_LOGS_EXPORTER: console",
    ] {
        assert_eq!(of(&format!("{wrong}{more}")), [""; 0], "{more}");
    }
    assert_eq!(of(&format!("{wrong}OTEL_LOGS_EXPORTER: none")).len(), 1);
}
