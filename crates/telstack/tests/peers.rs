//! What other checkers report is reported here too: docs/peers.md says by which rule, and each row with a code has a
//! small configuration that shows it.

mod support;

use std::{collections::BTreeMap, fs};

use support::{root, stdout, telstack_in};

/// A configuration in which nothing is to be found.
const SOUND: &str = "\
receivers:
  otlp:
    protocols:
      grpc:
        endpoint: 0.0.0.0:4317
processors:
  memory_limiter:
    check_interval: 1s
    limit_percentage: 80
    spike_limit_percentage: 25
  batch:
    timeout: 1s
exporters:
  otlp_grpc:
    endpoint: tempo:4317
    tls:
      insecure: true
service:
  pipelines:
    traces:
      receivers: [otlp]
      processors: [memory_limiter, batch]
      exporters: [otlp_grpc]
";

/// What makes it bad: what is replaced by what.
type Edits = &'static [(&'static str, &'static str)];

const NO_LIMITER: Edits = &[("[memory_limiter, batch]", "[batch]"), (LIMITER, "")];
const LIMITER: &str =
    "  memory_limiter:\n    check_interval: 1s\n    limit_percentage: 80\n    spike_limit_percentage: 25\n";
const NO_BATCH: Edits = &[("[memory_limiter, batch]", "[memory_limiter]"), ("  batch:\n    timeout: 1s\n", "")];
const LATE_LIMITER: Edits = &[("[memory_limiter, batch]", "[batch, memory_limiter]")];
const EARLY_BATCH: Edits = &[
    ("[memory_limiter, batch]", "[memory_limiter, batch, tail_sampling]"),
    ("  batch:\n", "  tail_sampling: {policies: [{name: all, type: always_sample}]}\n  batch:\n"),
];
const NO_EXPORTER: Edits = &[("      exporters: [otlp_grpc]\n", "")];
const NO_PIPELINES: Edits = &[(
    "service:\n  pipelines:\n    traces:\n      receivers: [otlp]\n      processors: [memory_limiter, batch]\n      exporters: [otlp_grpc]\n",
    "service: {}\n",
)];
const UNUSED_RECEIVER: Edits = &[("receivers:\n  otlp:", "receivers:\n  zipkin: {}\n  otlp:")];
const UNDEFINED: Edits = &[("receivers: [otlp]", "receivers: [otlp, jaeger]")];
const UNSTARTED: Edits = &[("service:\n", "extensions: {health_check: {}}\nservice:\n")];
const TO_PUBLIC: Edits = &[("tempo:4317", "otlp.vendor.com:4317")];
const SECRET: Edits = &[("    tls:\n", "    headers: {authorization: Bearer 8f14e45fceea167a}\n    tls:\n")];
const PRINTS: Edits = &[
    ("exporters: [otlp_grpc]", "exporters: [otlp_grpc, debug]"),
    ("exporters:\n", "exporters:\n  debug: {verbosity: detailed}\n"),
];
const CIRCLE: Edits = &[
    ("receivers: [otlp]", "receivers: [otlp, forward]"),
    ("exporters: [otlp_grpc]", "exporters: [otlp_grpc, forward]"),
    ("service:\n", "connectors: {forward: {}}\nservice:\n"),
];
const DIMENSION: Edits = &[
    (
        "exporters: [otlp_grpc]\n",
        "exporters: [otlp_grpc, span_metrics]\n    metrics: {receivers: [span_metrics], exporters: [otlp_grpc]}\n",
    ),
    ("service:\n", "connectors: {span_metrics: {dimensions: [{name: url.full}]}}\nservice:\n"),
];
const OPEN_PAGE: Edits =
    &[("service:\n", "extensions: {pprof: {endpoint: 0.0.0.0:1777}}\nservice:\n  extensions: [pprof]\n")];

/// The check as docs/peers.md names it, the code that must be found, and what makes the configuration bad.
const CASES: &[(&str, &str, Edits)] = &[
    ("unknown-top-level-key", "R004", &[("receivers:\n  otlp", "recievers:\n  otlp")]),
    ("service-required", "R005", NO_PIPELINES),
    ("unknown-service-key", "R004", &[("service:\n", "service:\n  piplines: {}\n")]),
    ("invalid-pipeline-key", "R007", &[("    traces:\n", "    tracez:\n")]),
    ("empty-pipeline", "P013", NO_EXPORTER),
    ("unknown-pipeline-key", "R004", &[("      receivers: [otlp]", "      recievers: []\n      receivers: [otlp]")]),
    ("duplicate-key", "R002", &[("    timeout: 1s\n", "    timeout: 1s\n    timeout: 2s\n")]),
    ("wrong-node-type", "R003", &[("receivers: [otlp]", "receivers: {otlp: 1}")]),
    ("undefined-reference", "P001", UNDEFINED),
    ("unused-component", "P005", UNUSED_RECEIVER),
    ("duplicate-reference", "P014", &[("[memory_limiter, batch]", "[memory_limiter, batch, batch]")]),
    (
        "duplicate-reference, receivers and exporters",
        "P016",
        &[("exporters: [otlp_grpc]", "exporters: [otlp_grpc, otlp_grpc]")],
    ),
    (
        "connector-wiring",
        "P011",
        &[
            ("exporters: [otlp_grpc]", "exporters: [otlp_grpc, forward]"),
            ("service:\n", "connectors: {forward: {}}\nservice:\n"),
        ],
    ),
    ("connector-wiring, loops", "P012", CIRCLE),
    (
        "unknown-component",
        "Y006",
        &[
            ("  otlp:\n    protocols", "  otlpreceiver: {}\n  otlp:\n    protocols"),
            ("receivers: [otlp]", "receivers: [otlp, otlpreceiver]"),
        ],
    ),
    ("unknown-component, other releases", "V001", LOGGING),
    (
        "unknown-component, other distributions",
        "V002",
        &[
            (
                "receivers:\n  otlp:",
                "# telstack: distribution=core\nreceivers:\n  redis: {endpoint: 'redis:6379'}\n  otlp:",
            ),
            (
                "receivers: [otlp]",
                "receivers: [otlp]\n      exporters: [otlp_grpc]\n    metrics:\n      receivers: [redis]",
            ),
        ],
    ),
    (
        "signal-support",
        "P006",
        &[
            ("receivers: [otlp]", "receivers: [otlp, host_metrics]"),
            ("receivers:\n  otlp:", "receivers:\n  host_metrics: {scrapers: {load: {}}}\n  otlp:"),
        ],
    ),
    ("component-stability", "V009", DIMENSION),
    (
        "deprecated-component",
        "V006",
        &[("  otlp_grpc:\n", "  otlp:\n"), ("exporters: [otlp_grpc]", "exporters: [otlp]")],
    ),
    ("unknown-field", "Y001", &[("timeout: 1s", "timout: 1s")]),
    ("required-field", "Y005", &[("    endpoint: tempo:4317\n", "")]),
    ("invalid-value", "Y002", &[("timeout: 1s", "send_batch_size: many")]),
    ("invalid-value, durations", "Y003", &[("timeout: 1s", "timeout: 5")]),
    (
        "invalid-value, words",
        "Y004",
        &[
            ("exporters: [otlp_grpc]", "exporters: [otlp_grpc, debug]"),
            ("exporters:\n", "exporters:\n  debug: {verbosity: chatty}\n"),
        ],
    ),
    ("invalid-value, numbers", "Y009", &[("timeout: 1s", "timeout: -1s")]),
    (
        "deprecated-field",
        "V006",
        &[
            (
                "exporters: [otlp_grpc]\n",
                "exporters: [otlp_grpc, span_metrics]\n    metrics: {receivers: [span_metrics], exporters: [otlp_grpc]}\n",
            ),
            ("service:\n", "connectors: {span_metrics: {dimensions_cache_size: 100}}\nservice:\n"),
        ],
    ),
    ("processor-order", "D002", LATE_LIMITER),
    ("processor-order, batches", "P017", EARLY_BATCH),
    ("missing-memory-limiter", "D013", NO_LIMITER),
    ("missing-batch", "D014", NO_BATCH),
    ("insecure-tls", "X003", TO_PUBLIC),
    ("OTEL-001", "D013", NO_LIMITER),
    ("OTEL-002", "D013", NO_LIMITER),
    ("OTEL-003", "D014", NO_BATCH),
    ("OTEL-004", "X001", SECRET),
    (
        "OTEL-005",
        "X001",
        &[
            (
                "receivers: [otlp]",
                "receivers: [otlp]\n      exporters: [otlp_grpc]\n    metrics:\n      receivers: [redis]",
            ),
            ("receivers:\n  otlp:", "receivers:\n  redis: {endpoint: 'redis:6379', password: hunter22}\n  otlp:"),
        ],
    ),
    ("OTEL-006", "R005", NO_PIPELINES),
    ("OTEL-007", "P013", NO_EXPORTER),
    ("OTEL-012", "P005", UNSTARTED),
    ("OTEL-013", "P017", EARLY_BATCH),
    ("OTEL-014", "D002", LATE_LIMITER),
    ("OTEL-015", "Y010", PRINTS),
    ("OTEL-016", "Y010", &[("service:\n", "service:\n  telemetry: {logs: {level: debug}}\n")]),
    ("OTEL-018", "X003", TO_PUBLIC),
    ("OTEL-020", "P005", UNUSED_RECEIVER),
    ("OTEL-021", "P005", &[("exporters:\n", "exporters:\n  debug: {}\n")]),
    (
        "OTEL-022",
        "P005",
        &[
            ("[memory_limiter, batch]", "[memory_limiter]"),
            ("    tls:\n", "    sending_queue: {batch: {}}\n    tls:\n"),
        ],
    ),
    ("OTEL-024", "D008", &[("timeout: 1s", "send_batch_max_size: 10\n    send_batch_size: 20")]),
    ("OTEL-025", "Y010", &[("timeout: 1s", "timeout: 10ms")]),
    ("OTEL-026", "Y010", &[("timeout: 1s", "timeout: 5m")]),
    ("OTEL-027", "Y005", &[("    check_interval: 1s\n", "")]),
    (
        "OTEL-028",
        "D008",
        &[(
            "    limit_percentage: 80\n    spike_limit_percentage: 25\n",
            "    limit_mib: 400\n    spike_limit_mib: 400\n",
        )],
    ),
    ("OTEL-029", "Y005", &[("    limit_percentage: 80\n    spike_limit_percentage: 25\n", "")]),
    ("OTEL-030", "Y010", &[("limit_percentage: 80", "limit_percentage: 95")]),
    ("OTEL-031", "Y010", &[("insecure: true", "min_version: '1.0'")]),
    ("OTEL-032", "X003", &[("tempo:4317", "otlp.vendor.com:4317"), ("insecure: true", "insecure_skip_verify: true")]),
    (
        "OTEL-034",
        "Y010",
        &[("      grpc:", "      http: {endpoint: 0.0.0.0:4318, cors: {allowed_origins: ['*']}}\n      grpc:")],
    ),
    (
        "OTEL-035",
        "X001",
        &[(
            "service:\n",
            "extensions: {bearertokenauth: {token: 8f14e45fceea167a}}\nservice:\n  extensions: [bearertokenauth]\n",
        )],
    ),
    (
        "OTEL-036",
        "Y010",
        &[("        endpoint: 0.0.0.0:4317\n", "        endpoint: 0.0.0.0:4317\n        max_recv_msg_size_mib: 256\n")],
    ),
    ("OTEL-037", "X001", &[("insecure: true", "key_pem: MIIEvQIBADANBgkqhkiG\n      cert_file: /c.pem")]),
    (
        "OTEL-038",
        "P017",
        &[
            ("[memory_limiter, batch]", "[memory_limiter, batch, filter]"),
            ("  batch:\n", "  filter: {traces: {span: ['name == \"x\"']}}\n  batch:\n"),
        ],
    ),
    ("OTEL-040", "P012", CIRCLE),
    (
        "OTEL-041",
        "P007",
        &[
            (
                "exporters: [otlp_grpc]\n",
                "exporters: [routing]\n    traces/b: {receivers: [routing], exporters: [otlp_grpc]}\n",
            ),
            (
                "service:\n",
                "connectors: {routing: {table: [{context: resource, condition: 'attributes[\"x\"] == \"y\"', pipelines: [traces/b]}]}}\nservice:\n",
            ),
        ],
    ),
    ("OTEL-042", "P014", &[("[memory_limiter, batch]", "[memory_limiter, batch, batch]")]),
    ("OTEL-043", "P017", EARLY_BATCH),
    ("OTEL-044", "N007", &[("tempo:4317", "https://tempo:4317")]),
    ("OTEL-045", "Y009", &[("tempo:4317", "tempo")]),
    ("OTEL-046", "Y009", &[("  otlp_grpc:\n", "  otlp_http:\n"), ("exporters: [otlp_grpc]", "exporters: [otlp_http]")]),
    (
        "OTEL-047",
        "N002",
        &[
            ("  otlp_grpc:\n", "  otlp_http:\n"),
            ("exporters: [otlp_grpc]", "exporters: [otlp_http]"),
            ("tempo:4317", "http://tempo:4317"),
        ],
    ),
    ("OTEL-048", "Y010", &[("    tls:\n", "    sending_queue: {enabled: false}\n    tls:\n")]),
    ("OTEL-049", "Y010", &[("    tls:\n", "    sending_queue: {queue_size: 5}\n    tls:\n")]),
    ("OTEL-050", "Y010", &[("    tls:\n", "    sending_queue: {queue_size: 60000}\n    tls:\n")]),
    ("OTEL-051", "Y010", &[("    tls:\n", "    sending_queue: {num_consumers: 1}\n    tls:\n")]),
    ("OTEL-052", "Y010", &[("    tls:\n", "    compression: none\n    tls:\n")]),
    ("OTEL-053", "Y010", &[("    tls:\n", "    retry_on_failure: {max_elapsed_time: 0s}\n    tls:\n")]),
    (
        "OTEL-054",
        "Y010",
        &[
            (
                "receivers: [otlp]",
                "receivers: [otlp]\n      exporters: [otlp_grpc]\n    metrics:\n      receivers: [prometheus]",
            ),
            (
                "receivers:\n  otlp:",
                "receivers:\n  prometheus: {config: {scrape_configs: [{job_name: a, scrape_interval: 1s, static_configs: [{targets: ['a:80']}]}]}}\n  otlp:",
            ),
        ],
    ),
    (
        "OTEL-055",
        "Y010",
        &[
            (
                "receivers: [otlp]",
                "receivers: [otlp]\n      exporters: [otlp_grpc]\n    metrics:\n      receivers: [host_metrics]",
            ),
            (
                "receivers:\n  otlp:",
                "receivers:\n  host_metrics: {collection_interval: 1s, scrapers: {load: {}}}\n  otlp:",
            ),
        ],
    ),
    ("OTEL-056", "F002", FOLLOWS),
    ("OTEL-057", "Y010", FOLLOWS),
    (
        "OTEL-058",
        "N008",
        &[
            ("receivers: [otlp]", "receivers: [otlp, otlp/2]"),
            ("receivers:\n  otlp:", "receivers:\n  otlp/2: {protocols: {grpc: {endpoint: 0.0.0.0:4317}}}\n  otlp:"),
        ],
    ),
    ("OTEL-059", "Y010", OPEN_PAGE),
    (
        "OTEL-060",
        "Y010",
        &[("service:\n", "extensions: {zpages: {endpoint: 0.0.0.0:55679}}\nservice:\n  extensions: [zpages]\n")],
    ),
    (
        "OTEL-061",
        "V001",
        &[("service:\n", "extensions: {memory_ballast: {size_mib: 64}}\nservice:\n  extensions: [memory_ballast]\n")],
    ),
    ("OTEL-062", "P001", &[("service:\n", "service:\n  extensions: [zpages]\n")]),
    (
        "OTEL-064",
        "S007",
        &[
            ("[memory_limiter, batch]", "[memory_limiter, probabilistic_sampler, tail_sampling, batch]"),
            (
                "  batch:\n",
                "  probabilistic_sampler: {sampling_percentage: 10}\n  tail_sampling: {policies: [{name: all, type: always_sample}]}\n  batch:\n",
            ),
        ],
    ),
    ("OTEL-066", "P002", &[("    tls:\n", "    sending_queue: {storage: file_storage}\n    tls:\n")]),
    ("OTEL-069", "Y010", &[("service:\n", "service:\n  telemetry: {metrics: {level: none}}\n")]),
    ("OTEL-071", "V001", LOGGING),
    (
        "OTEL-072",
        "V001",
        &[
            ("receivers: [otlp]", "receivers: [otlp, opencensus]"),
            ("receivers:\n  otlp:", "receivers:\n  opencensus: {}\n  otlp:"),
        ],
    ),
    ("OTEL-073", "Y001", &[("    check_interval: 1s\n", "    check_interval: 1s\n    ballast_size_mib: 64\n")]),
    ("OTEL-074", "V004", &[("service:\n", "service:\n  telemetry: {metrics: {address: '0.0.0.0:8888'}}\n")]),
    ("OTEL-STRUCT-001", "P001", UNDEFINED),
    ("-002", "P001", &[("[memory_limiter, batch]", "[memory_limiter, batch, filter]")]),
    ("-003", "P001", &[("exporters: [otlp_grpc]", "exporters: [otlp_grpc, debug]")]),
    ("-004", "P001", &[("service:\n", "service:\n  extensions: [zpages]\n")]),
    ("OTEL-STRUCT-005", "P005", UNUSED_RECEIVER),
    ("-006", "P005", &[("  batch:\n", "  filter: {}\n  batch:\n")]),
    ("-007", "P005", &[("exporters:\n", "exporters:\n  debug: {}\n")]),
    ("OTEL-STRUCT-008", "P013", NO_EXPORTER),
    ("OTEL-REL-101", "D013", NO_LIMITER),
    ("OTEL-REL-102", "D002", LATE_LIMITER),
    ("OTEL-REL-103", "D014", NO_BATCH),
    ("OTEL-REL-104", "P017", EARLY_BATCH),
    ("OTEL-REL-108", "P005", UNSTARTED),
    (
        "OTEL-SEC-201",
        "X003",
        &[
            ("  otlp_grpc:\n", "  otlp_http:\n"),
            ("exporters: [otlp_grpc]", "exporters: [otlp_http]"),
            ("tempo:4317", "http://otlp.vendor.com:4318"),
        ],
    ),
    ("OTEL-SEC-202", "X001", SECRET),
    ("OTEL-SEC-204", "Y010", PRINTS),
    ("OTEL-COST-304", "Y010", PRINTS),
    ("OTEL-SEC-205", "Y010", OPEN_PAGE),
    ("OTEL-SEC-206", "X003", TO_PUBLIC),
    (
        "OTEL-SEC-207",
        "P002",
        &[
            ("    tls:\n", "    auth: {authenticator: basicauth}\n    tls:\n"),
            ("service:\n", "extensions: {basicauth: {client_auth: {username: a, password: '${env:P}'}}}\nservice:\n"),
        ],
    ),
    ("OTEL-COST-301", "M009", DIMENSION),
    ("OTEL-COST-303", "M009", DIMENSION),
    (
        "OTEL-SEM-402",
        "Y011",
        &[
            ("[memory_limiter, batch]", "[memory_limiter, resource, batch]"),
            ("  batch:\n", "  resource: {attributes: [{key: app_name, value: shop, action: upsert}]}\n  batch:\n"),
        ],
    ),
    (
        "OTEL-SEM-405",
        "Y011",
        &[
            ("[memory_limiter, batch]", "[memory_limiter, attributes, batch]"),
            ("  batch:\n", "  attributes: {actions: [{key: http.method, value: GET, action: upsert}]}\n  batch:\n"),
        ],
    ),
    ("OTEL-K8S-501", "D001", &[("    limit_percentage: 80\n    spike_limit_percentage: 25\n", "    limit_mib: 512\n")]),
];

const LOGGING: Edits =
    &[("exporters: [otlp_grpc]", "exporters: [otlp_grpc, logging]"), ("exporters:\n", "exporters:\n  logging: {}\n")];
const FOLLOWS: Edits = &[
    ("receivers: [otlp]", "receivers: [otlp]\n      exporters: [otlp_grpc]\n    logs:\n      receivers: [file_log]"),
    ("receivers:\n  otlp:", "receivers:\n  file_log: {include: [/var/log/app/*], start_at: beginning}\n  otlp:"),
];

/// A project around the configuration: what a container alone decides, and who answers.
const PROJECT: &str = "\
services:
  collector:
    image: otel/opentelemetry-collector-contrib:0.158.0
    command: [--config=/etc/otel/config.yaml]
    mem_limit: 512m
    volumes: ['./config.yaml:/etc/otel/config.yaml', './logs:/var/log/app']
";

/// What is found in a folder with one configuration, by code.
fn found(config: &str, project: bool) -> BTreeMap<String, String> {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("config.yaml"), config).expect("writable");
    if project {
        fs::write(folder.path().join("compose.yaml"), PROJECT).expect("writable");
    }
    let output = telstack_in(folder.path(), &["check", ".", "--format", "json"]);
    let report: serde_json::Value = serde_json::from_str(&stdout(&output)).expect("a report");
    let findings = report["diagnostics"].as_array().expect("findings");
    let text = |it: &serde_json::Value| it.as_str().unwrap_or_default().to_owned();
    findings.iter().map(|it| (text(&it["code"]), text(&it["message"]))).collect()
}

/// The rows of docs/peers.md: the checks that each names, and the first code of its last column.
fn rows() -> Vec<(String, Option<String>)> {
    let text = fs::read_to_string(root().join("docs/peers.md")).expect("docs/peers.md");
    let mut rows = Vec::new();
    for line in text.lines().filter(|line| line.starts_with("| `")) {
        let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        let [names, _, here] = cells.as_slice() else { panic!("three cells: {line}") };
        let first = here.split([' ', ',', ';']).next().unwrap_or_default();
        let is_code = first.len() == 4 && first[1..].bytes().all(|it| it.is_ascii_digit());
        assert!(is_code || here.starts_with("nothing: "), "a code or a reason: {line}");
        let code = is_code.then(|| first.to_owned());
        match names.split_once("`, ").filter(|(_, rest)| !rest.starts_with('`')) {
            // A part of a check: `` `name`, the part ``.
            Some((name, part)) => rows.push((format!("{}, {part}", name.trim_matches('`')), code)),
            None => rows.extend(names.split(", ").map(|name| (name.trim_matches('`').to_owned(), code.clone()))),
        }
    }
    rows
}

#[test]
fn nothing_is_found_in_a_sound_configuration() {
    assert_eq!(found(SOUND, false), BTreeMap::new());
}

#[test]
fn every_check_of_others_is_made_here_or_has_a_reason() {
    let mut wrong = Vec::new();
    let mut tried = vec![false; CASES.len()];
    for (name, code) in rows() {
        let mut cases = CASES.iter().enumerate().filter(|(_, (case, ..))| *case == name);
        let (Some((at, (_, wanted, edits))), Some(code)) = (cases.next(), &code) else {
            if code.is_some() {
                wrong.push(format!("{name}: no configuration shows it"));
            }
            continue;
        };
        tried[at] = true;
        if wanted != code {
            wrong.push(format!("{name}: {code} is documented, {wanted} tested"));
        }
        let mut config = SOUND.to_owned();
        for (from, to) in *edits {
            assert!(config.contains(from), "{name}: `{from}` is not there");
            config = config.replacen(from, to, 1);
        }
        let project = name == "OTEL-K8S-501" || name == "OTEL-056";
        let found = found(&config, project);
        if !found.contains_key(*wanted) {
            wrong.push(format!("{name}: wanted {wanted}, found {found:?}\n{config}"));
        }
    }
    let untold = CASES.iter().zip(&tried).filter(|(_, tried)| !**tried).map(|((name, ..), _)| *name);
    wrong.extend(untold.map(|name| format!("{name}: docs/peers.md does not name it")));
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}
