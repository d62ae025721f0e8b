//! Kafka: who writes and who reads, and the broker between them, in one compose project.

mod common;

use common::found;

/// A writer and a reader at an address of the broker `kafka`.
fn project(broker: &str, address: &str, more: &str) -> Vec<String> {
    let service = |name: &str| {
        format!(
            "  {name}:\n    image: otel/opentelemetry-collector-contrib:0.120.0\n    command: \
             [--config=/{name}.yaml]\n    volumes: [./{name}.yaml:/{name}.yaml]\n"
        )
    };
    let compose = format!("services:\n  kafka:\n{broker}{}{}{more}", service("writer"), service("reader"));
    let writer = format!(
        "receivers:\n  otlp:\n    protocols:\n      http:\n        endpoint: 0.0.0.0:4318\nexporters:\n  kafka:\n    \
         brokers: ['{address}']\nservice:\n  pipelines:\n    logs:\n      receivers: [otlp]\n      exporters: [kafka]\n"
    );
    let reader = format!(
        "receivers:\n  kafka:\n    brokers: ['{address}']\nexporters:\n  debug:\nservice:\n  pipelines:\n    logs:\n      \
         receivers: [kafka]\n      exporters: [debug]\n"
    );
    found([("d/compose.yaml", &compose), ("d/writer.yaml", &writer), ("d/reader.yaml", &reader)])
}

fn apache(listeners: &str, advertised: &str) -> String {
    format!(
        "    image: apache/kafka:4.0.0\n    environment:\n      KAFKA_LISTENERS: {listeners}\n      \
         KAFKA_ADVERTISED_LISTENERS: {advertised}\n      KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: \
         IN:PLAINTEXT,OUT:PLAINTEXT,TLS:SSL\n"
    )
}

const TWO: &str = "'IN://:9092,OUT://:19092'";

#[test]
fn the_right_listener() {
    let good = apache(TWO, "'IN://kafka:9092,OUT://localhost:19092'");
    assert_eq!(project(&good, "kafka:9092", ""), Vec::<String>::new());
    // Nobody tells where it listens.
    assert_eq!(project("    image: apache/kafka:4.0.0\n", "kafka:9094", ""), Vec::<String>::new());
    assert_eq!(project("    image: example.com/broker:1\n", "kafka:9094", ""), Vec::<String>::new());
}

#[test]
fn no_listener_or_one_for_others() {
    let broker = apache(TWO, "'IN://kafka:9092,OUT://localhost:19092'");
    assert_eq!(
        project(&broker, "kafka:9094", ""),
        ["N003 d/reader.yaml 'kafka:9094'", "N003 d/writer.yaml 'kafka:9094'"]
    );
    let sent_home = ["N003 d/compose.yaml 'IN://kafka:9092,OUT://localhost:19092'"];
    assert_eq!(project(&broker, "kafka:19092", ""), sent_home);
    let confluent = "    image: confluentinc/cp-kafka:7.6.0\n    environment:\n      KAFKA_ADVERTISED_LISTENERS: \
                     PLAINTEXT://localhost:9092\n";
    assert_eq!(project(confluent, "kafka:9092", ""), ["N003 d/compose.yaml PLAINTEXT://localhost:9092"]);
    let redpanda = "    image: docker.redpanda.com/redpandadata/redpanda:v24.1.1\n    command:\n      - redpanda start\n      \
                    - --kafka-addr internal://0.0.0.0:9092,external://0.0.0.0:19092\n      - --advertise-kafka-addr=\
                    internal://redpanda:9092,external://localhost:19092\n";
    assert_eq!(project(redpanda, "kafka:19092", "").len(), 1);
    assert_eq!(project(redpanda, "kafka:9092", ""), Vec::<String>::new());
}

#[test]
fn encryption() {
    let broker = apache("'TLS://:9093'", "'TLS://kafka:9093'");
    assert_eq!(
        project(&broker, "kafka:9093", ""),
        ["N006 d/reader.yaml 'kafka:9093'", "N006 d/writer.yaml 'kafka:9093'"]
    );
}

/// Two collectors that name different topics, and another container.
fn apart(other: &str) -> Vec<String> {
    let compose = format!(
        "services:\n  kafka:\n{}  writer:\n    image: otel/opentelemetry-collector-contrib:0.150.0\n    command: \
         [--config=/writer.yaml]\n    volumes: [./writer.yaml:/writer.yaml]\n{other}",
        apache("'IN://:9092'", "'IN://kafka:9092'")
    );
    let writer = "receivers:\n  kafka:\n    brokers: ['kafka:9092']\n    traces: {topics: [clean]}\nexporters:\n  \
                  kafka:\n    brokers: ['kafka:9092']\n    traces: {topic: raw}\n  debug:\nservice:\n  pipelines:\n    \
                  traces/in:\n      receivers: [kafka]\n      exporters: [debug]\n    traces/out:\n      receivers: \
                  [otlp]\n      exporters: [kafka]\n";
    let writer = writer.replace("receivers:\n  kafka:", "receivers:\n  otlp: {protocols: {http: }}\n  kafka:");
    found([("d/compose.yaml", &compose), ("d/writer.yaml", &writer)])
}

#[test]
fn a_program_between_topics() {
    let service = |env: &str| format!("  filter:\n    image: example.com/filter:1\n    environment: {{{env}}}\n");
    assert_eq!(apart(""), ["Q001 d/writer.yaml clean"]);
    assert_eq!(apart(&service("LEVEL: info")), ["Q001 d/writer.yaml clean"]);
    assert_eq!(apart(&service("FROM: raw, TO: clean")), Vec::<String>::new());
}

#[test]
fn a_broker_has_other_doors() {
    let broker = apache("'IN://:9092'", "'IN://kafka:9092'");
    let scrape = |port: u16| {
        let compose = format!(
            "services:\n  kafka:\n{broker}  prometheus:\n    image: prom/prometheus:v3.1.0\n    volumes: \
             [./prometheus.yml:/etc/prometheus/prometheus.yml, 'data:/prometheus']\nvolumes: {{data: }}\n"
        );
        let job = format!("scrape_configs: [{{job_name: kafka, static_configs: [{{targets: ['kafka:{port}']}}]}}]\n");
        found([("d/compose.yaml", compose.as_str()), ("d/prometheus.yml", job.as_str())])
    };
    // An agent in its process, its administration: the listeners tell of neither.
    assert_eq!(scrape(7071), Vec::<String>::new());
    assert_eq!(scrape(9092).len(), 1);
}
