//! Changes by hand: what no rule would come up with.

use crate::{bases, mutate::Case};

/// The first `old` of a base is replaced by each of `new`.
struct Swap {
    base: &'static str,
    old: &'static str,
    new: &'static [&'static str],
}

const fn small(old: &'static str, new: &'static [&'static str]) -> Swap {
    Swap { base: bases::SMALL, old, new }
}

const fn full(old: &'static str, new: &'static [&'static str]) -> Swap {
    Swap { base: bases::FULL, old, new }
}

const fn named(old: &'static str, new: &'static [&'static str]) -> Swap {
    Swap { base: bases::NAMED, old, new }
}

#[rustfmt::skip]
const SWAPS: &[Swap] = &[
    // Signals and ids of pipelines.
    small("    logs:", &[
        "    log:", "    Logs:", "    metrics:", "    traces:", "    logs/:", "    logs/two words:", "    logs/a/b:",
        "    'logs ':", "    'logs / a':", "    logs/ä!?:", "    /a:", "    '':", "    logs-a:", "    7:",
    ]),
    // Ids of components.
    named("  batch/slower:", &[
        "  batch/:", "  /slower:", "  'batch/ ':", "  ba tch:", "  batch//:", "  batch/ü:", "  batch/a b:", "  Batch:",
        "  1batch:", "  batch-x:", "  batch.x:", "  '':", "  batch/a:b:", "  batch/a$b:", "  'batch/slower ':",
        "  ' batch / slower ':", "  '${env:UNSET:-batch}':",
    ]),
    // Sections.
    small("service:", &["services:", "surplus:\n  a: 1\nservice:", "x-own:\n  a: 1\nservice:", "extensions:\nservice:",
        "connectors:\nservice:", "processors:\nservice:", "processors: []\nservice:", "exporters:\n  otlphttp/b:\nservice:",
        "receivers:\n  nosuch:\nservice:", "processors:\n  otlphttp:\nservice:", "---\nservice:", "service: &s",
        "extensions: hello\nservice:", "service:\n  surplus: 1", "service:\n  extensions:", "service:\n  extensions: []",
        "service:\n  extensions: [health_check]", "service:\n  extensions: health_check",
        "service:\n  extensions: {a: }", "service:\n  telemetry:", "service:\n  telemetry: []",
        "service:\n  telemetry: hello", "service:\n  telemetry: {surplus: 1}", "service:\n  telemetry: {metric: {}}",
        "service:\n  telemetry: {logs: , metrics: , traces: }",
    ]),
    // Lists of pipelines.
    small("receivers: [filelog]", &[
        "receivers: filelog", "receivers: 'filelog,filelog'", "receivers:", "receivers: []", "receivers: [filelog, filelog]",
        "receivers: [filelog/x]", "receivers: [[filelog]]", "receivers: [~]", "receivers: [1]", "receivers: {filelog: }",
        "receivers: [' filelog ']", "receivers: ['filelog/ ']", "receivers: [otlphttp]", "receivers: true",
        "receivers: [filelog]\n      processors:", "receivers: [filelog]\n      processors: []",
        "receivers: [filelog]\n      processors: [batch]", "receivers: [filelog]\n      surplus: [batch]",
        "receivers: [filelog]\n      receivers: [filelog]", "receiver: [filelog]", "receivers: [filelog, nosuch, neither]",
    ]),
    named("processors: [memory_limiter, batch, batch/slower]", &[
        "processors: [batch, batch]", "processors: [batch/slower, batch, batch/slower]", "processors: batch",
        "processors: [batch, ~]", "processors: [7]", "processors: [batch, batch/slowest]", "processors: ['batch ']",
        "processors: [memory_limiter, filelog/app]", "processors: [otlphttp/one]",
    ]),
    small("exporters: [otlphttp]", &[
        "exporters:", "exporters: []", "exporters: [otlphttp, otlphttp]", "exporters: [otlphtp]", "exporters: otlphttp",
        "exporters: [filelog]", "surplus: 1", "exporters: [otlphttp]\n    logs/more:",
        "exporters: [otlphttp]\n    logs/more: hello", "exporters: [otlphttp]\n    logs/more: []",
        "exporters: [otlphttp]\n    logs:\n      receivers: []",
    ]),
    // Durations.
    full("timeout: 10s", &[
        "timeout: 0", "timeout: '0'", "timeout: +5s", "timeout: .5s", "timeout: 1.s", "timeout: 1.5h", "timeout: 1m1",
        "timeout: 5S", "timeout: 5sec", "timeout: 1e3s", "timeout: 1_000s", "timeout: 1µs", "timeout: 1us", "timeout: 1w",
        "timeout: 2562047h", "timeout: 2562048h", "timeout: 1h1m1s1ms1us1ns", "timeout: ' 5s'", "timeout: 5s5s", "timeout: s",
        "timeout: -", "timeout: +", "timeout: .s", "timeout: 0.0s", "timeout: ''", "timeout: {s: 5}", "timeout: [5s]",
        "timeout: true", "timeout: !!str 5s", "timeout: ${env:UNSET}5s", "timeout: ${env:UNSET:-}", "timeout: ${env:UNSET}",
        "timeout: ${env:UNSET:-1d}", "timeout: ${env:UNSET:-5}s", "timeout: -5s",
    ]),
    // Numbers.
    full("num_consumers: 4", &[
        "num_consumers: 0", "num_consumers: -4", "num_consumers: '4'", "num_consumers: 4.0", "num_consumers: 0b11",
        "num_consumers: 0o17", "num_consumers: 017", "num_consumers: 4_0", "num_consumers: 4k", "num_consumers: four",
        "num_consumers: ~", "num_consumers: []", "num_consumers: no", "num_consumers: ${env:UNSET:-0}",
        "num_consumers: ${env:UNSET:-4}", "num_consumers: ${env:UNSET:-four}", "num_consumers: $$4", "num_consumers: 2023-01-01",
        "num_consumers: '0x10'", "num_consumers: +4",
    ]),
    full("send_batch_size: 4096", &[
        "send_batch_size: 0", "send_batch_size: 8192", "send_batch_size: 8193", "send_batch_size: -1", "send_batch_size: 1e3",
        "send_batch_size: '4096'", "send_batch_size: 4096.0", "send_batch_size: ~", "send_batch_size: 4kb",
    ]),
    full("metadata_keys:\n      - tenant", &[
        "metadata_keys: [a, a]", "metadata_keys: [a, A]", "metadata_keys: a", "metadata_keys: 'a,b'", "metadata_keys: [1]",
        "metadata_keys: [true]", "metadata_keys: [[a]]", "metadata_keys: {a: b}", "metadata_keys: ''", "metadata_keys: 1",
        "metadata_keys: [a, b]", "metadata_keys: [a, ~]",
    ]),
    full("multiplier: 1.8", &[
        "multiplier: 0", "multiplier: 1", "multiplier: '1.8'", "multiplier: true", "multiplier: .inf", "multiplier: -0.5",
        "multiplier: 0.5", "multiplier: 2x", "multiplier: ~",
    ]),
    full("randomization_factor: 0.3", &[
        "randomization_factor: 0", "randomization_factor: 1", "randomization_factor: 1.1", "randomization_factor: -0.1",
        "randomization_factor: '0.3'", "randomization_factor: 30%",
    ]),
    // Truth.
    full("insecure: false", &[
        "insecure: True", "insecure: TRUE", "insecure: yes", "insecure: on", "insecure: 'true'", "insecure: 1", "insecure: t",
        "insecure: ''", "insecure: ~", "insecure: 1.0", "insecure: [true]", "insecure: ${env:UNSET:-true}",
        "insecure: ${env:UNSET:-yes}", "insecure: ${env:UNSET:-1}", "insecure: a${env:UNSET:-true}",
        "insecure: \"${env:UNSET:-true}\"", "insecure: n",
    ]),
    // Texts.
    small("endpoint: http://localhost:4318", &[
        "endpoint: localhost", "endpoint: 1", "endpoint: true", "endpoint: 1.5", "endpoint: ~", "endpoint: ''",
        "endpoint: [a]", "endpoint: {a: b}", "endpoint: yes", "endpoint: !!str 1", "endpoint: http://[::1]:4318",
        "endpoint: http://a:99999", "endpoint: ${env:UNSET:-http://a:1}", "endpoint: http://${env:UNSET}:4318",
        "endpoint: $$", "endpoint: $$$", "endpoint: a$", "endpoint: $1", "endpoint: ${", "endpoint: $UNSET",
        "endpoint: http://$UNSET", "endpoint: ${}", "endpoint: ${env:}", "endpoint: ${env:1X}", "endpoint: ${env:a b}",
        "endpoint: ${env:A-B}", "endpoint: ${UNSET:-http://a}", "endpoint: ${env:UNSET-http://a}",
        "endpoint: ${env:UNSET:http}", "endpoint: ${1}", "endpoint: http://a/${1}", "endpoint: ${vault:x}",
        "endpoint: ${ENV:X}", "endpoint: ${a.b}", "endpoint: ${a-b}", "endpoint: ${a b}", "endpoint: http://a/$$${env:X}",
        "endpoint: http://a/$$X", "endpoint: ${env:${env:UNSET:-UNSET}:-http://a}", "endpoint: ${env:UNSET:-${env:UNSET:-http://a}}",
        "endpoint: ${yaml:http://a:1}", "endpoint: '${env: X}'", "endpoint: ${ env:X}",
        "logs_endpoint: http://a:1/v1/logs", "endpoints: http://a:1", "url: http://a:1",
        "endpoint: http://a:1\n    traces_endpoint: http://b:1", "traces_endpoint: http://b:1",
        "endpoint: http://a b", "endpoint: '://'", "endpoint: 'http://a\tb'", "endpoint: http://a:b",
        "endpoint: ${env:UNSET}", "endpoint: ${env:UNSET:-}",
    ]),
    // Words.
    full("compression: zstd", &[
        "compression: gzip", "compression: none", "compression: snappy", "compression: deflate", "compression: lz4",
        "compression: ''", "compression: GZIP", "compression: brotli", "compression: gzip\n    compression_params:\n      level: 5",
        "compression: gzip\n    compression_params:\n      level: 50", "compression: gzip\n    compression_params:\n      level: -3",
        "compression: zstd\n    compression_params:\n      level: 50", "compression: snappy\n    compression_params:\n      level: 5",
        "compression: none\n    compression_params:\n      level: 50", "compression_params:\n      level: 50",
        "compression: gzip\n    compression_params:", "compression: zstd\n    compression_params:\n      surplus: 1",
        "compression: zlib\n    compression_params:\n      level: 10", "compression: ${env:UNSET:-GZIP}", "compression: gz",
    ]),
    full("    encoding: json", &["    encoding: proto", "    encoding: JSON", "    encoding: xml", "    encoding: ''", "    encoding: ~"]),
    full("sizer: requests", &["sizer: items", "sizer: bytes", "sizer: Items", "sizer: ''", "sizer: rows", "sizer: 1"]),
    full("start_at: beginning", &["start_at: end", "start_at: End", "start_at: middle", "start_at: ''", "start_at: 1", "start_at: ~"]),
    full("min_version: \"1.2\"", &["min_version: 1.2", "min_version: \"1.4\"", "min_version: ''", "min_version: TLS1.2", "min_version: \"1.0\""]),
    full("max_version: \"1.3\"", &["max_version: \"1.1\"", "max_version: 1.3", "max_version: \"1.2\"", "max_version: ''"]),
    full("max_log_size: 2MiB", &["max_log_size: 2", "max_log_size: 1.5MiB", "max_log_size: '5'", "max_log_size: 0", "max_log_size: -1",
        "max_log_size: 2MB", "max_log_size: 2 MiB", "max_log_size: big", "max_log_size: ''", "max_log_size: true"]),
    full("fingerprint_size: 2kb", &["fingerprint_size: 16", "fingerprint_size: 15", "fingerprint_size: 1kib"]),
    full("max_concurrent_files: 64", &["max_concurrent_files: 0", "max_concurrent_files: 1", "max_concurrent_files: -1",
        "max_concurrent_files: 64\n    max_batches: -1", "max_concurrent_files: 64\n    max_batches: 3"]),
    // Blocks.
    full("    tls:\n      insecure: false", &[
        "    tls:\n      insecure: true", "    tls:\n      surplus: 1", "    tls:\n      ca_pem: x", "    tls:\n      client_ca_file: /a",
        "    tls:\n      cert_file: /a\n      key_file: /b", "    tls:\n      server_name_override: a",
        "    tls:\n      cipher_suites: [TLS_AES_128_GCM_SHA256]", "    tls:\n      include_system_ca_certs_pool: yes",
        "    auth:\n      authenticator: nosuch\n    tls:\n      insecure: false", "    auth:\n    tls:\n      insecure: false",
        "    auth: hello\n    tls:\n      insecure: false", "    auth:\n      surplus: 1\n    tls:\n      insecure: false",
        "    auth:\n      authenticator: 1\n    tls:\n      insecure: false",
        "    auth:\n      authenticator: ''\n    tls:\n      insecure: false",
        "    auth:\n      authenticator: a/\n    tls:\n      insecure: false",
    ]),
    full("      queue_size: 200", &[
        "      queue_size: 0", "      queue_size: -1", "      storage: nosuch", "      storage: ''", "      storage: 1", "      storage: 'a/'",
        "      wait_for_result: true", "      wait_for_result: true\n      storage: file_storage", "      blocking: true",
        "      batch:", "      batch:\n        min_size: -1", "      batch:\n        enabled: true",
        "      batch:\n        sizer: items\n        flush_timeout: 1s\n        min_size: 10\n        max_size: 5",
        "      batch:\n        sizer: items\n        flush_timeout: 0s",
        "      batch:\n        sizer: items\n        flush_timeout: 1s\n        min_size: 10\n        max_size: 20",
        "      batch:\n        sizer: items\n        flush_timeout: 1s\n        surplus: 20",
        "      batch:\n        sizer: rows\n        flush_timeout: 1s",
        "      batch:\n        flush_timeout: 1s", "      batch: {}",
    ]),
    named("enabled: false", &["enabled: false\n      queue_size: -1", "enabled: false\n      surplus: 1", "enabled: false\n      num_consumers: many",
        "enabled: no", "enabled: 'false'", "enabled: true\n      queue_size: -1", "enabled: ~"]),
    full("max_elapsed_time: 2m", &["max_elapsed_time: 0", "max_elapsed_time: 500ms", "max_elapsed_time: 10s", "max_elapsed_time: -1s"]),
    full("initial_interval: 1s", &["initial_interval: 0s", "initial_interval: -1s", "initial_interval: 5m"]),
    full("check_interval: 1s", &["check_interval: 0s", "check_interval: ~", "check_interval: ''", "check_interval: -1s", "surplus: 1",
        "check_interval: 1s\n    min_gc_interval_when_soft_limited: 10s\n    min_gc_interval_when_hard_limited: 20s",
        "check_interval: 1s\n    ballast_size_mib: 5", "check_interval: 1s\n    limit_percentage: 160"]),
    full("limit_mib: 512", &["limit_mib: 128", "limit_mib: 100", "limit_mib: 0", "limit_mib: -1", "limit_mib: 512MiB", "limit_mib: 0.5GiB",
        "limit_mib: '512'", "limit_percentage: 80", "limit_percentage: 101", "limit_percentage: 80%"]),
    named("limit_percentage: 75", &["limit_percentage: 0", "limit_percentage: 100", "limit_percentage: 101", "limit_percentage: 20",
        "limit_percentage: 10", "limit_percentage: -5"]),
    // Headers and other free maps.
    full("x-tenant: shop", &["x-tenant: ''", "x-tenant: ~", "'x tenant': shop", "X-TENANT: shop", "7: shop", "x-tenant: 2023-01-01",
        "x-tenant: !!str 5", "x-tenant: $$shop", "authorization: Bearer abc", "x-tenant: ${env:UNSET:-5}", "x-origin: shop"]),
    // The collector's own telemetry.
    full("level: normal", &["level: none", "level: DETAILED", "level: verbose", "level: ''", "level: ~", "level: 1", "level: normal\n      surplus: 1",
        "address: 0.0.0.0:8888", "level: normal\n      address: ''", "level: ${env:UNSET:-loud}", "level: normal\n      views:",
        "level: detailed\n      views: []", "level: normal\n      views: []"]),
    full("level: info", &["level: DEBUG", "level: trace", "level: warning", "level: warn", "level: ''", "level: fatal", "level: Info", "level: 1"]),
    full("      readers:\n        - pull:", &["      readers:\n        - pul:"]),
    full("                port: 8888", &["                port: '8888'", "                port: 8888\n                without_units: yes",
        "                port: 8888\n                without_units: true", "                port: http"]),
    named("level: none", &["level: basic", "level: loud", "level: ''", "level: none\n      surplus: 1", "level: detailed"]),
    named("propagators: [tracecontext]", &["propagators: [b3]", "propagators: tracecontext", "propagators: [1]", "propagators: []",
        "propagators: {a: b}", "sampler: {}"]),
    named("      initial_fields:\n        zone: a", &["      initial_fields: hello", "      initial_fields: [a]", "      initial_fields: {a: 1}",
        "      initial_fields:", "      output_paths: stdout", "      output_paths: [1]", "      disable_stacktrace: 0"]),
    full("service.name: edge", &["service.name: ~", "service.name: 5", "service.name: [a]", "service.name: true", "attributes: []"]),
    // Anchors, aliases, merges.
    named("<<: *slow", &["<<: [*slow, *slow]", "<<: {send_batch_size: 1}", "<<: [*slow, 5]", "<<: ~", "<<: *fast", "'timeout': 5s",
        "<<: {surplus: 1}", "<<: {timeout: 1d}"]),
    named("batch/slow: &slow", &["batch/slow: &slow {}\n  batch/other:", "batch/slow: &fast"]),
    // Keys that stand for several.
    small("exporters:\n  otlphttp:\n    endpoint: http://localhost:4318", &["exporters::otlphttp::endpoint: http://localhost:4318",
        "exporters:\n  otlphttp::endpoint: http://localhost:4318", "exporters::otlphttp:\n  endpoint: http://localhost:4318",
        "exporters::otlphttp::endpiont: http://localhost:4318", "exporters:\n  otlphttp:\n    endpoint: http://localhost:4318\n    headers: {a::b: c}",
        "exporters:\n  otlphttp:\n    endpoint: http://localhost:4318\n    tls::insecure: true",
        "exporters:\n  otlphttp:\n    endpoint: http://localhost:4318\n    tls::: true",
        "exporters:\n  otlphttp:\n    endpoint: http://localhost:4318\n    tls: {ca_file: /a}\n    tls::insecure: true"]),
    // Tags of YAML's own.
    full("send_batch_size: 4096", &["send_batch_size: !!int \"5\"", "send_batch_size: !!int 5", "send_batch_size: !!float 5", "send_batch_size: !!str 5",
        "send_batch_size: !!int x", "send_batch_size: !!int \"\"", "send_batch_size: !!int 1.5", "send_batch_size: !!null ~", "send_batch_size: !own 5",
        "send_batch_size: 1e400", "send_batch_size: ${yaml:5}", "send_batch_size: ${yaml:\"5\"}", "send_batch_size: ${N:-5}", "send_batch_size: '${:-5}'",
        "send_batch_size: ${env:N:-\"5\"}", "send_batch_size: ${env:N:-'5'}", "send_batch_size: ${env:N:-[5]}", "send_batch_size: ${env:N:-1e400}",
        "send_batch_size: ${env:N:-!!int 5}"]),
    full("include_file_path: true", &["include_file_path: !!bool \"true\"", "include_file_path: !!bool yes", "include_file_path: ${env:B:-\"true\"}",
        "include_file_path: ${yaml:true}", "include_file_path: ${B:-true}"]),
    full("compression: zstd", &["compression: ${env:C:-\"gzip\"}", "compression: !!str gzip", "compression: ${yaml:gzip}"]),
    full("service.name: edge", &["service.name: !!str 5", "service.name: !!int \"5\""]),
    // Addresses of one signal.
    small("    endpoint: http://localhost:4318", &["    endpoint: http://localhost:4318\n    traces_endpoint: ':::'",
        "    endpoint: http://localhost:4318\n    logs_endpoint: ':::'", "    traces_endpoint: http://localhost:4318",
        "    logs_endpoint: http://localhost:4318", "    profiles_endpoint: http://localhost:4318"]),
    // Colons at commas.
    small("  otlphttp:\n    endpoint: http://localhost:4318", &["  otlphttp: {endpoint: 'http://a', sending_queue:, tls:}",
        "  otlphttp: {endpoint: \"https://a\", retry_on_failure: null, sending_queue:, tls:, headers: }",
        "  otlphttp: {endpoint: 'http://a', sending_queue: , tls: }", "  otlphttp: {'endpoint':'http://a'}", "  otlphttp: 'http://a:4318'",
        "  otlphttp: [http://a:4318]"]),
    // What a log receiver knows besides.
    small("    include: /var/log/*.log", &[
        "    include: [a]\n    start_at: beginning\n    header: {pattern: '^#', metadata_operators: [{type: regex_parser, regex: '(?P<a>.*)'}]}",
        "    include: [a]\n    header: {pattern: '^#', metadata_operators: [{type: regex_parser, regex: '(?P<a>.*)'}]}",
        "    include: ['[']", "    include: [a]\n    exclude: ['[']", "    include: [a]\n    multiline: {line_start_pattern: '('}",
        "    include: [a]\n    multiline: {line_start_pattern: '(?=a)'}", "    include: [a]\n    multiline: {}",
        "    include: [a]\n    ordering_criteria: {regex: '(', sort_by: [{sort_type: numeric, regex_key: a}]}",
        "    include: [a]\n    ordering_criteria: {regex: '(?P<a>x)', sort_by: [{sort_type: foo, regex_key: a}]}",
        "    include: [a]\n    ordering_criteria: {regex: '(?P<a>x)', sort_by: [{sort_type: numeric, regex_key: a}]}",
        "    include: [a]\n    ordering_criteria: {regex: '(?P<a>x)', sort_by: [{sort_type: numeric}]}",
        "    include: [a]\n    ordering_criteria: {sort_by: [{sort_type: mtime}]}", "    include: [a]\n    ordering_criteria: {group_by: '('}",
        "    include: [a]\n    ordering_criteria: {sort_by: {sort_type: numeric}}", "    include: [a]\n    ordering_criteria: {top: 1}",
        "    include: [a]\n    delete_after_read: true", "    include: [a]\n    delete_after_read: false", "    include: [a]\n    attributes: []",
        "    include: [a]\n    attributes: {a: [b]}", "    include: [a]\n    attributes: {a: 1}", "    include: [a]\n    attributes: {a: {b: c}}",
        "    include: [a]\n    attributes: {a: b}", "    include: [a]\n    resource: {a: 1}", "    include: [a]\n    resource: {a: b}",
        "    include: [a]\n    resource: []", "    include: [a]\n    output: y", "    include: [a]\n    output: [y]", "    include: [a]\n    output: []",
        "    include: [a]\n    id: x", "    include: [a]\n    type: y", "    include: [a]\n    exclude_older_than: 1d",
        "    include: [a]\n    exclude_older_than: 24h", "    include: [a]\n    poll_interval: 0s", "    include: [a]\n    force_flush_period: soon",
        "    include: [a]\n    acquire_fs_lock: 1", "    include: [a]\n    compression: foo", "    include: [a]\n    polls_to_archive: -1",
        "    include: [a]\n    storage: 1", "    include: [a]\n    preserve_leading_whitespaces: yes", "    include: [a]\n    include_file_record_number: x"]),
    full("      level: normal\n", &["      level: normal\n    surplus: 1\n"]),
    full("      development: false\n", &["      development: false\n      processors: [{batch: {schedule_delay: 5s}}]\n",
        "      development: false\n      processors: [{batch: {schedule_delay: 5000, exporter: {console: {}}}}]\n"]),
    // Text that is no YAML, or nearly.
    small("    include: /var/log/*.log", &["\tinclude: /var/log/*.log", "    include: *.log", "    include: [a", "    include: a: b", "    include: 'a",
        "    include: \"a\\q\"", "    include: {a", "   include: a\n    exclude: b", "    include: @a", "    include: %a", "    include: a # b",
        "    include: >-\n      a", "    include: |\n      a", "    ? include\n    : a", "    \"include\": a", "    include : a", "    include:a",
        "    include: [a, b,]", "    include: [, a]", "    include: &a [x]\n    exclude: *a", "    include: &a x\n    exclude: *a"]),
];

/// Whole texts.
#[rustfmt::skip]
const TEXTS: &[(&str, &str)] = &[
    ("empty", ""), ("a comment", "# nothing\n"), ("a text", "hello\n"), ("a list", "- a\n"), ("null", "~\n"), ("an empty map", "{}\n"),
    ("a number", "5\n"), ("only receivers", "receivers:\n  filelog:\n    include: [a]\n"),
    ("no service", "receivers:\n  filelog:\n    include: [a]\nexporters:\n  otlphttp:\n    endpoint: http://a:1\n"),
    ("an empty service", "receivers:\n  filelog:\n    include: [a]\nexporters:\n  otlphttp:\n    endpoint: http://a:1\nservice:\n"),
    ("a service that is a list", "receivers:\n  filelog:\n    include: [a]\nexporters:\n  otlphttp:\n    endpoint: http://a:1\nservice:\n  - a\n"),
    ("a service that is a text", "receivers:\n  filelog:\n    include: [a]\nexporters:\n  otlphttp:\n    endpoint: http://a:1\nservice: a\n"),
    ("pipelines that are a list", "receivers:\n  filelog:\n    include: [a]\nexporters:\n  otlphttp:\n    endpoint: http://a:1\nservice:\n  pipelines: [logs]\n"),
    ("no pipelines", "receivers:\n  filelog:\n    include: [a]\nexporters:\n  otlphttp:\n    endpoint: http://a:1\nservice:\n  pipelines: {}\n"),
    ("null pipelines", "receivers:\n  filelog:\n    include: [a]\nexporters:\n  otlphttp:\n    endpoint: http://a:1\nservice:\n  pipelines:\n"),
    ("flow style", "{receivers: {filelog: {include: [a]}}, exporters: {otlphttp: {endpoint: 'http://a:1'}}, service: {pipelines: {logs: {receivers: [filelog], exporters: [otlphttp]}}}}\n"),
    ("JSON", "{\"receivers\": {\"filelog\": {\"include\": [\"a\"]}}, \"exporters\": {\"otlphttp\": {\"endpoint\": \"http://a:1\"}}, \"service\": {\"pipelines\": {\"logs\": {\"receivers\": [\"filelog\"], \"exporters\": [\"otlphttp\"]}}}}\n"),
];

/// All cases by hand.
pub fn cases() -> Vec<Case> {
    let mut out: Vec<Case> =
        TEXTS.iter().map(|(name, text)| Case::new((*name).to_owned(), (*text).to_owned(), Vec::new())).collect();
    for swap in SWAPS {
        let at = swap.base.find(swap.old).unwrap_or_else(|| panic!("`{}` is in the base", swap.old));
        let first = swap.base[..at].matches('\n').count() + 1;
        for new in swap.new {
            let text = swap.base.replacen(swap.old, new, 1);
            let lines = (first..=first + new.matches('\n').count()).collect();
            let name = format!("{} -> {new}", swap.old).replace('\n', " / ");
            out.push(Case::new(name, text, lines));
        }
    }
    for (name, text) in bases::ALL {
        out.push(Case::new(format!("{name} with CRLF"), text.replace('\n', "\r\n"), Vec::new()));
        out.push(Case::new(format!("{name} with a mark"), format!("\u{feff}{text}"), Vec::new()));
        out.push(Case::new(format!("{name} after ---"), format!("---\n{text}"), Vec::new()));
        out.push(Case::new(format!("{name} before another"), format!("{text}---\nsurplus: 1\n"), Vec::new()));
        out.push(Case::new(format!("{name} after %YAML"), format!("%YAML 1.1\n---\n{text}"), Vec::new()));
    }
    out
}
