//! Proxies: what is dialled is followed through them.

mod common;

use common::found;

/// An agent that sends to `haproxy`, which hands on to `gateway`.
fn project(exporter: &str, cfg: &str) -> Vec<String> {
    let service = |name: &str| {
        format!(
            "  {name}:\n    image: otel/opentelemetry-collector-contrib:0.120.0\n    command: \
             [--config=/{name}.yaml]\n    volumes: [./{name}.yaml:/{name}.yaml]\n"
        )
    };
    let compose = format!(
        "services:\n  haproxy:\n    image: haproxy:2.9\n    volumes: \
         [./haproxy.cfg:/usr/local/etc/haproxy/haproxy.cfg]\n{}{}",
        service("agent"),
        service("gateway")
    );
    let agent = format!(
        "receivers:\n  otlp:\n    protocols:\n      http:\n        endpoint: 0.0.0.0:4318\nexporters:\n  \
         {exporter}\nservice:\n  pipelines:\n    traces:\n      receivers: [otlp]\n      exporters: [{}]\n",
        exporter.split(':').next().unwrap_or_default()
    );
    let gateway = "receivers:\n  otlp:\n    protocols:\n      grpc:\n        endpoint: 0.0.0.0:4317\n      http:\n        \
                   endpoint: 0.0.0.0:4318\nexporters:\n  debug:\nservice:\n  pipelines:\n    traces:\n      receivers: \
                   [otlp]\n      exporters: [debug]\n";
    found([
        ("d/compose.yaml", compose.as_str()),
        ("d/haproxy.cfg", cfg),
        ("d/agent.yaml", agent.as_str()),
        ("d/gateway.yaml", gateway),
    ])
}

const GRPC: &str = "otlp: {endpoint: 'haproxy:4317', tls: {insecure: true}}";
const HTTP: &str = "otlphttp: {endpoint: 'http://haproxy:4317'}";
const CFG: &str = "defaults\n  timeout client 2h\n  timeout server 2h\nfrontend f\n  bind :4317\n  default_backend b\nbackend \
                   b\n  server one gateway:4317\n";

#[test]
fn what_arrives_is_fine() {
    assert_eq!(project(GRPC, CFG), Vec::<String>::new());
    assert_eq!(project(HTTP, &CFG.replace("gateway:4317", "gateway:4318")), Vec::<String>::new());
    let requests =
        CFG.replace("2h\nfrontend", "2h\n  mode http\nfrontend").replace("gateway:4317", "gateway:4317 proto h2");
    assert_eq!(project(GRPC, &requests), Vec::<String>::new());
}

#[test]
fn what_does_not_arrive() {
    assert_eq!(project(GRPC, &CFG.replace("bind :4317", "bind :4319")), ["N003 d/agent.yaml 'haproxy:4317'"]);
    assert_eq!(project(GRPC, &CFG.replace("gateway:4317", "gateway:4319")), ["N003 d/haproxy.cfg gateway:4319"]);
    assert_eq!(project(HTTP, CFG), ["N002 d/agent.yaml 'http://haproxy:4317'"]);
    assert_eq!(project(GRPC, &CFG.replace("bind :4317", "bind 127.0.0.1:4317")), ["N001 d/haproxy.cfg 127.0.0.1:4317"]);
}

#[test]
fn encryption_on_both_legs() {
    // Bytes go on as they come.
    assert_eq!(project(&GRPC.replace("true", "false"), CFG), ["N006 d/agent.yaml 'haproxy:4317'"]);
    let to_server = CFG.replace("gateway:4317", "gateway:4317 ssl verify none");
    assert_eq!(project(GRPC, &to_server), ["N006 d/haproxy.cfg gateway:4317"]);
    let decrypted = CFG.replace("bind :4317", "bind :4317 ssl crt /x.pem");
    assert_eq!(project(&GRPC.replace("true", "false"), &decrypted), Vec::<String>::new());
    assert_eq!(project(GRPC, &decrypted), ["N006 d/agent.yaml 'haproxy:4317'"]);
}

#[test]
fn a_configuration_alone() {
    let cfg = "defaults\n  mode http\n  option httpchk\nbackend b\n  server one gateway:4317 chek\n";
    assert_eq!(found([("d/haproxy.cfg", cfg)]), ["R020 d/haproxy.cfg chek"]);
    let cfg = cfg.replace("chek", "check");
    let all = ["H001 d/haproxy.cfg httpchk", "H003 d/haproxy.cfg gateway:4317"];
    assert_eq!(found([("d/haproxy.cfg", cfg.as_str())]), all);
}

#[test]
fn silent_where_more_happens_on_the_way() {
    let rewrites = CFG.replace("bind :4317", "mode http\n  bind :4317\n  http-request set-path /x");
    let rewrites = rewrites.replace("backend b\n", "backend b\n  mode http\n").replace("gateway:4317", "gateway:4318");
    assert_eq!(project(HTTP, &rewrites), Vec::<String>::new());
    let by_path = CFG.replace("default_backend b", "use_backend b if { path / }\n  default_backend c");
    assert_eq!(project(HTTP, &format!("{by_path}backend c\n  server x elsewhere:1\n")), Vec::<String>::new());
    assert_eq!(project(GRPC, &format!("{{{{ x }}}}\n{CFG}").replace("bind :4317", "bind :1")), Vec::<String>::new());
}
