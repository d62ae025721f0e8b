//! Valid configurations that mutations start from: one setting a line, within the components of the binary.

/// Logs from files, by way of everything that the exporter can be told.
pub const FULL: &str = "\
receivers:
  filelog:
    include:
      - /var/log/app/*.log
    exclude:
      - /var/log/app/debug.log
    start_at: beginning
    poll_interval: 500ms
    max_log_size: 2MiB
    max_concurrent_files: 64
    fingerprint_size: 2kb
    encoding: utf-8
    include_file_path: true
    retry_on_failure:
      enabled: true
      initial_interval: 2s
      max_interval: 20s
processors:
  memory_limiter:
    check_interval: 1s
    limit_mib: 512
    spike_limit_mib: 128
  batch:
    timeout: 2s
    send_batch_size: 4096
    send_batch_max_size: 8192
    metadata_keys:
      - tenant
    metadata_cardinality_limit: 50
exporters:
  otlphttp:
    endpoint: https://backend.example.com:4318
    timeout: 10s
    compression: zstd
    encoding: json
    headers:
      x-tenant: shop
      x-origin: collector
    read_buffer_size: 1024
    write_buffer_size: 2048
    max_idle_conns: 20
    idle_conn_timeout: 30s
    disable_keep_alives: false
    tls:
      insecure: false
      insecure_skip_verify: false
      ca_file: /etc/ca.pem
      min_version: \"1.2\"
      max_version: \"1.3\"
      reload_interval: 1h
    sending_queue:
      enabled: true
      num_consumers: 4
      queue_size: 200
      sizer: requests
      block_on_overflow: true
    retry_on_failure:
      enabled: true
      initial_interval: 1s
      randomization_factor: 0.3
      multiplier: 1.8
      max_interval: 15s
      max_elapsed_time: 2m
service:
  telemetry:
    logs:
      level: info
      encoding: json
      development: false
      disable_caller: true
      sampling:
        enabled: true
        tick: 10s
        initial: 5
        thereafter: 100
      output_paths:
        - stderr
    metrics:
      level: normal
      readers:
        - pull:
            exporter:
              prometheus:
                host: 0.0.0.0
                port: 8888
    resource:
      service.name: edge
      deployment: test
  pipelines:
    logs:
      receivers:
        - filelog
      processors:
        - memory_limiter
        - batch
      exporters:
        - otlphttp
";

/// Two flows, named components, aliases, merge keys and null bodies.
pub const NAMED: &str = "\
receivers:
  filelog/app:
    include: [/var/log/app.log]
    operators:
      - type: json_parser
        parse_from: body
  filelog/sys:
    include: [/var/log/syslog, /var/log/auth.log]
    multiline:
      line_start_pattern: '^\\d{4}'
processors:
  memory_limiter:
    check_interval: 500ms
    limit_percentage: 75
    spike_limit_percentage: 20
  batch:
  batch/slow: &slow
    timeout: 30s
    send_batch_size: 100
  batch/slower:
    <<: *slow
    timeout: 60s
exporters:
  otlphttp/one:
    logs_endpoint: http://one.example.com:4318/v1/logs
    tls:
      insecure: true
  otlphttp/two:
    endpoint: http://two.example.com:4318
    sending_queue:
      enabled: false
    retry_on_failure:
      enabled: false
service:
  extensions: []
  telemetry:
    traces:
      level: none
      propagators: [tracecontext]
    logs:
      level: WARN
      initial_fields:
        zone: a
  pipelines:
    logs/app:
      receivers: [filelog/app]
      processors: [memory_limiter, batch/slow]
      exporters: [otlphttp/one]
    logs/sys:
      receivers: [filelog/sys]
      processors: [memory_limiter, batch, batch/slower]
      exporters: [otlphttp/one, otlphttp/two]
";

/// Much of it from the environment.
pub const REFERENCES: &str = "\
receivers:
  filelog:
    include: ['${env:LOGS:-/var/log/*.log}']
    start_at: ${env:START:-end}
    include_file_name: ${env:NAMES:-true}
processors:
  memory_limiter:
    check_interval: ${env:INTERVAL:-1s}
    limit_mib: ${env:LIMIT:-400}
  batch:
    timeout: ${env:TIMEOUT:-200ms}
    send_batch_size: ${env:SIZE:-1000}
exporters:
  otlphttp:
    endpoint: http://${env:HOST:-backend}:4318
    headers:
      x-price: $$5
      x-key: ${env:KEY:-none}
    compression: ${env:COMPRESSION:-gzip}
    tls:
      insecure: ${env:INSECURE:-false}
service:
  telemetry:
    logs:
      level: ${env:LEVEL:-info}
    metrics:
      level: ${env:METRICS:-basic}
  pipelines:
    logs:
      receivers: [filelog]
      processors: [memory_limiter, batch]
      exporters: [otlphttp]
";

/// The least that starts.
pub const SMALL: &str = "\
receivers:
  filelog:
    include: /var/log/*.log
exporters:
  otlphttp:
    endpoint: http://localhost:4318
service:
  pipelines:
    logs:
      receivers: [filelog]
      exporters: [otlphttp]
";

/// All of them, by name.
pub const ALL: [(&str, &str); 4] = [("full", FULL), ("named", NAMED), ("references", REFERENCES), ("small", SMALL)];
