//! The findings that passes make themselves.

use telstack_diagnostics::{RuleInfo, Severity};

/// All of them.
pub static RULES: &[&RuleInfo] = &[
    &NO_COMMON_PROTOCOL,
    &SIGNAL_NOT_ACCEPTED,
    &PROTOCOL_NOT_AVAILABLE,
    &CLIENT_CERTIFICATE,
    &QUEUE_IN_MEMORY,
    &NAME_COLLIDES,
    &NAME_TOO_LONG,
];

/// C020.
pub static NAME_COLLIDES: RuleInfo = RuleInfo {
    code: "C020",
    name: "derived-name-collides",
    severity: Severity::Error,
    summary: "Two services, volumes or files that follow from the stack would have one name.",
    why: "Services, volumes and files are called after the nodes that need them: `gateway-init` gives `gateway` its \
          volumes. Where a node itself is called so, one of the two would silently replace the other.",
    bad: "collector \"gateway\" { receiver \"otlp\"; pipeline \"logs\" { from \"otlp\"; to \"loki\" }; durable }\n\
          loki \"gateway-init\"",
    good: "collector \"gateway\" { receiver \"otlp\"; pipeline \"logs\" { from \"otlp\"; to \"loki\" }; durable }\n\
           loki \"loki\"",
    silent: "Never: all names are known when a stack is compiled. Names of nodes that are equal are Z005.",
    sources: &["compose-spec: spec.md, services and volumes"],
};

/// C021.
pub(super) static NAME_TOO_LONG: RuleInfo = RuleInfo {
    code: "C021",
    name: "derived-name-too-long",
    severity: Severity::Error,
    summary: "A name that follows from the name of a node is longer than Kubernetes takes.",
    why: "Services, volumes and values of labels have at most 63 characters, a StatefulSet 52, for its pods have a label with its \
          name and more. What is called after a node has something behind that: `-headless`, `-exposed`, or what the \
          OpenTelemetry operator puts there, `-collector-monitoring`. Kubernetes would refuse what is too long, or make no \
          pods; the operator would cut it, and nobody would find it.",
    bad: "platform \"kubernetes\"\nloki \"logs-of-all-the-shops-in-all-of-the-regions-of-the-world\"",
    good: "platform \"kubernetes\"\nloki \"logs-of-all-shops\"",
    silent: "In docker compose. Ports have names of 15 characters at most, to which longer ones are cut.",
    sources: &[
        "kubernetes.io/docs/concepts/overview/working-with-objects/names",
        "kubernetes/kubernetes: pkg/controller/history/controller_history.go",
        "opentelemetry-operator: internal/naming",
    ],
};

/// N020.
pub(super) static NO_COMMON_PROTOCOL: RuleInfo = RuleInfo {
    code: "N020",
    name: "no-common-protocol",
    severity: Severity::Error,
    summary: "The sender and the receiver of an edge have no protocol in common at their versions.",
    why: "Each release of each product speaks some protocols and accepts some. When the two sets do not meet, \
          no configuration can make the edge work: one of the two versions has to move.",
    bad: "versions { otelcol \"0.158.0\"; loki \"2.9.3\" }\n// … pipeline \"logs\" { from \"otlp\"; to \"loki\" }",
    good: "versions { otelcol \"0.158.0\"; loki \"3.7.6\" }",
    silent: "Never: both versions are known when a stack is compiled.",
    sources: &[
        "opentelemetry-collector-releases: distributions/*/manifest.yaml at each tag",
        "the stores' release notes and HTTP API documents",
    ],
};

/// N021.
pub(super) static SIGNAL_NOT_ACCEPTED: RuleInfo = RuleInfo {
    code: "N021",
    name: "signal-not-accepted",
    severity: Severity::Error,
    summary: "A pipeline sends a signal to something that does not take that signal.",
    why: "Loki keeps logs, Prometheus metrics, Tempo and Jaeger traces. None of them accepts another signal by \
          any protocol, so the data would be refused.",
    bad: "pipeline \"traces\" { from \"otlp\"; to \"loki\" }",
    good: "pipeline \"traces\" { from \"otlp\"; to \"tempo\" }",
    silent: "Never.",
    sources: &["the stores' HTTP API documents"],
};

/// N022.
pub(super) static PROTOCOL_NOT_AVAILABLE: RuleInfo = RuleInfo {
    code: "N022",
    name: "protocol-not-available",
    severity: Severity::Error,
    summary: "The protocol that the stack asks for on an edge is not one that both sides have.",
    why: "`protocol=` on `to` overrides what telstack would choose; it cannot make a release speak what it does not.",
    bad: "versions { prometheus \"2.45.6\" }\n// … to \"prometheus\" protocol=\"otlp\"",
    good: "versions { prometheus \"3.14.0\" }\n// … to \"prometheus\" protocol=\"otlp\"",
    silent: "Never.",
    sources: &["the stores' HTTP API documents"],
};

/// N023.
pub(super) static CLIENT_CERTIFICATE: RuleInfo = RuleInfo {
    code: "N023",
    name: "client-certificate-missing",
    severity: Severity::Error,
    summary: "A collector asks its senders for a certificate, and the sender of an edge has none.",
    why: "`client_ca_file` of a receiver turns away everybody who shows no certificate. The exporter that telstack \
          writes for an edge has none to show, so no connection would come about.",
    bad: "// in `gateway`: receiver \"otlp\" { protocols { grpc { tls { cert_file \"/c\"; key_file \"/k\"; client_ca_file \"/ca\" } } } }\n\
          // in `agent`:\npipeline \"logs\" { from \"otlp\"; to \"gateway\" }",
    good: "// in `gateway`: receiver \"otlp\" { protocols { grpc { tls { cert_file \"/c\"; key_file \"/k\" } } } }\n\
           // in `agent`:\npipeline \"logs\" { from \"otlp\"; to \"gateway\" }",
    silent: "Another receiver of the collector takes the signals without a certificate of the sender.",
    sources: &["opentelemetry-collector: config/configtls/configtls.go"],
};

/// D020.
pub(super) static QUEUE_IN_MEMORY: RuleInfo = RuleInfo {
    code: "D020",
    name: "queue-in-memory",
    severity: Severity::Info,
    summary: "`durable` cannot reach an exporter whose queue is in memory only, or of which nothing is known.",
    why: "The exporter has a queue of its own kind, which cannot use a storage extension; or the catalog does not know \
          its settings at that release. What waits in it is lost when the collector restarts; the other exporters of \
          the collector keep theirs on disk. (The `wal` of remote write keeps metrics on disk before they are sent. It \
          is a setting of its own, which `durable` leaves to the stack.)",
    bad: "pipeline \"metrics\" { from \"otlp\"; to \"prometheus\" }\ndurable",
    good: "pipeline \"metrics\" { from \"otlp\"; to \"prometheus\" protocol=\"otlp\" }\ndurable",
    silent: "When the collector is not `durable`; for exporters that hand nothing on, such as `debug`.",
    sources: &["opentelemetry-collector-contrib: exporter/prometheusremotewriteexporter/config.go"],
};
