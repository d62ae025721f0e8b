//! Many configurations of collectors, made up.

#![allow(dead_code, reason = "each test and benchmark uses its part")]

/// What comes in, one of each in turn: id, settings, and the signal it is of.
const RECEIVERS: [(&str, &str, &str); 8] = [
    (
        "host_metrics",
        "    collection_interval: 30s\n    scrapers:\n      cpu:\n      memory:\n      filesystem:\n        \
         exclude_mount_points:\n          mount_points: [/proc/*, /sys/*]\n          match_type: regexp\n",
        "metrics",
    ),
    (
        "file_log",
        "    include: [/var/log/nginx/*.log]\n    start_at: end\n    include_file_path: true\n    operators:\n      \
         - type: json_parser\n",
        "logs",
    ),
    (
        "prometheus",
        "    config:\n      scrape_configs:\n        - job_name: apps\n          scrape_interval: 15s\n          \
         static_configs:\n            - targets: [app-1.example.com:9090, app-2.example.com:9090]\n",
        "metrics",
    ),
    (
        "kafka",
        "    brokers: [kafka-1.example.com:9092, kafka-2.example.com:9092]\n    group_id: collectors\n    traces:\n      \
         topics: [spans]\n      encoding: otlp_proto\n",
        "traces",
    ),
    (
        "redis",
        "    endpoint: redis.example.com:6379\n    collection_interval: 10s\n    password: ${env:REDIS_PASSWORD}\n",
        "metrics",
    ),
    ("zipkin", "    endpoint: 127.0.0.1:9411\n", "traces"),
    (
        "postgresql",
        "    endpoint: db.example.com:5432\n    username: otel\n    password: ${env:PGPASSWORD}\n    databases: \
         [orders, stock]\n    collection_interval: 30s\n",
        "metrics",
    ),
    ("journald", "    directory: /var/log/journal\n    units: [sshd, kubelet]\n    priority: info\n", "logs"),
];

/// What shapes it, one of each in turn.
const PROCESSORS: [(&str, &str); 5] = [
    ("resource_detection", "    detectors: [env, system]\n    timeout: 2s\n    override: false\n"),
    (
        "attributes",
        "    actions:\n      - key: deployment.environment\n        value: production\n        action: upsert\n      \
         - key: http.request.header.authorization\n        action: delete\n",
    ),
    ("resource", "    attributes:\n      - key: service.namespace\n        value: shop\n        action: insert\n"),
    (
        "k8s_attributes",
        "    auth_type: serviceAccount\n    extract:\n      metadata: [k8s.namespace.name, k8s.pod.name]\n    \
         pod_association:\n      - sources:\n          - from: resource_attribute\n            name: k8s.pod.ip\n",
    ),
    ("probabilistic_sampler", "    sampling_percentage: 25\n"),
];

/// One configuration of a collector: some 70 lines, 1.5 kB. Half of contrib's own examples have 24 lines or fewer, nine in
/// ten have 68. No two of 1,000 are the same, and nothing is wrong with them.
pub fn configuration(at: usize) -> String {
    let (receiver, reads, signal) = RECEIVERS[at % RECEIVERS.len()];
    let (processor, shapes) = PROCESSORS[at % PROCESSORS.len()];
    let pipeline = |signal: &str, receivers: &str, processors: &str| {
        format!(
            "    {signal}:\n      receivers: [{receivers}]\n      processors: [memory_limiter, {processors}batch]\n      \
             exporters: [otlp_grpc/hub, debug]\n"
        )
    };
    let sampled = processor == "probabilistic_sampler";
    let pipelines: String = ["traces", "metrics", "logs"]
        .into_iter()
        .map(|it| {
            let receivers = if it == signal { format!("otlp, {receiver}") } else { "otlp".to_owned() };
            let processors = if sampled && it == "metrics" { String::new() } else { format!("{processor}, ") };
            pipeline(it, &receivers, &processors)
        })
        .collect();
    format!(
        "# Gateway {at}\nextensions:\n  health_check:\n    endpoint: 127.0.0.1:13133\n  file_storage:\n    directory: \
         /var/lib/otelcol/{at}\n    create_directory: true\n\nreceivers:\n  otlp:\n    protocols:\n      grpc:\n        \
         endpoint: 127.0.0.1:4317\n      http:\n        endpoint: 127.0.0.1:4318\n  {receiver}:\n{reads}\nprocessors:\n  \
         memory_limiter:\n    check_interval: 1s\n    limit_percentage: 80\n    spike_limit_percentage: 20\n  \
         {processor}:\n{shapes}  batch:\n    send_batch_size: {size}\n    timeout: 5s\n\nexporters:\n  otlp_grpc/hub:\n    \
         endpoint: hub-{at}.example.com:4317\n    headers:\n      x-tenant: team-{at}\n    sending_queue:\n      storage: \
         file_storage\n      queue_size: 5000\n    retry_on_failure:\n      max_elapsed_time: 0s\n  debug:\n    verbosity: \
         basic\n\nservice:\n  extensions: [health_check, file_storage]\n  telemetry:\n    logs:\n      level: info\n    \
         metrics:\n      level: normal\n  pipelines:\n{pipelines}",
        size = 1024 + at,
    )
}
