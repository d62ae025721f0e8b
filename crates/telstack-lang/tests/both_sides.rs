//! What is chosen on one side of an edge appears on the other, from the text of a stack to the files.

use telstack_diagnostics::{Diagnostic, Diagnostics, SourceMap};
use telstack_lang::{Loaded, Loader};
use telstack_tools::Artefact;

struct NoFiles;

impl Loader for NoFiles {
    fn load(&self, _: &str, path: &str) -> Result<Loaded, String> {
        Err(format!("there is no {path}"))
    }
}

/// What a stack becomes.
struct Outcome {
    artefacts: Vec<Artefact>,
    findings: Vec<Diagnostic>,
}

impl Outcome {
    /// The text of a file, of a stack without mistakes.
    fn file(&self, path: &str) -> &str {
        let mistakes: Vec<&Diagnostic> = self.findings.iter().filter(|it| it.rule.code != "D020").collect();
        assert!(mistakes.is_empty(), "{mistakes:#?}");
        let paths: Vec<&str> = self.artefacts.iter().map(|it| it.path.as_str()).collect();
        let found = self.artefacts.iter().find(|it| it.path == path);
        &found.unwrap_or_else(|| panic!("no {path} among {paths:?}")).written.text
    }

    /// The lines below a key of a file, the outermost of that name, up to the next of its depth.
    fn part(&self, path: &str, key: &str) -> String {
        let lines: Vec<&str> = self.file(path).lines().collect();
        let depth = |line: &str| line.len() - line.trim_start().len();
        let named = (0..lines.len()).filter(|at| lines[*at].trim() == key);
        let first = named.min_by_key(|at| depth(lines[*at])).unwrap_or_else(|| panic!("no `{key}` in {path}"));
        let below = lines[first + 1..].iter().take_while(|line| line.is_empty() || depth(line) > depth(lines[first]));
        below.map(|line| line.trim()).filter(|line| !line.starts_with('#')).collect::<Vec<_>>().join("\n")
    }

    fn codes(&self) -> Vec<&str> {
        self.findings.iter().map(|it| it.rule.code).collect()
    }
}

/// A stack on compose around some lines.
fn compile(lines: &str) -> Outcome {
    let mut sources = SourceMap::default();
    let file = sources.add("shop.stack.kdl", format!("stack \"shop\" {{\n    platform \"compose\"\n{lines}\n}}\n"));
    let mut out = Diagnostics::default();
    let system = telstack_lang::lower(file, &mut sources, &NoFiles, &mut out);
    let artefacts = system.map(|mut system| {
        telstack_system::passes::run(&mut system, &mut out);
        telstack_tools::emit(&system)
    });
    Outcome { artefacts: artefacts.unwrap_or_default(), findings: out.sorted(&sources) }
}

#[track_caller]
fn has(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "no\n{part}\nin\n{text}");
    }
}

/// A collector that sends every signal to its store, and stores with certificates.
fn encrypted(versions: &str) -> Outcome {
    let tls = |name: &str| format!("tls cert=\"./certs/{name}.pem\" key=\"certs/{name}-key.pem\" ca=\"/etc/ca.pem\"");
    compile(&format!(
        "versions {{ {versions} }}
        collector \"agent\" {{
            receiver \"otlp\"
            pipeline \"traces\" {{ from \"otlp\"; to \"tempo\" \"jaeger\" }}
            pipeline \"metrics\" {{ from \"otlp\"; to \"prometheus\" }}
            pipeline \"logs\" {{ from \"otlp\"; to \"loki\" }}
        }}
        tempo {{ {} }}
        jaeger {{ {}; storage \"memory\" }}
        prometheus {{ {} }}
        loki {{ {} }}
        alertmanager
        grafana",
        tls("tempo"),
        tls("jaeger"),
        tls("prometheus"),
        tls("loki")
    ))
}

#[test]
fn certificates_of_stores_reach_every_dialer() {
    let stack = encrypted("");
    for (store, exporter, endpoint) in [
        ("tempo", "otlp_grpc/tempo:", "endpoint: tempo:4317"),
        ("jaeger", "otlp_grpc/jaeger:", "endpoint: jaeger:4317"),
        ("prometheus", "prometheus_remote_write/prometheus:", "endpoint: https://prometheus:9090/api/v1/write"),
        ("loki", "otlp_http/loki:", "endpoint: https://loki:3100/otlp"),
    ] {
        let exporter = stack.part("configs/agent.yaml", exporter);
        assert_eq!(exporter.trim(), format!("{endpoint}\ntls:\nca_file: /etc/otelcol/tls/{store}-ca.crt"));

        let compose = "docker-compose.yml";
        let server = [
            format!("- ./certs/{store}.pem:/etc/{store}/tls/tls.crt:ro"),
            format!("- ./certs/{store}-key.pem:/etc/{store}/tls/tls.key:ro"),
        ];
        has(&stack.part(compose, &format!("{store}:")), &[&server[0], &server[1]]);
        has(&stack.part(compose, "agent:"), &[&format!("- /etc/ca.pem:/etc/otelcol/tls/{store}-ca.crt:ro")]);
        has(&stack.part(compose, "grafana:"), &[&format!("- /etc/ca.pem:/etc/grafana/tls/{store}-ca.crt:ro")]);

        let sources = stack.file("grafana/provisioning/datasources/datasources.yaml");
        has(sources, &[&format!("url: https://{store}:"), &format!("\"$__file{{/etc/grafana/tls/{store}-ca.crt}}\"")]);
    }
    let sources = stack.file("grafana/provisioning/datasources/datasources.yaml");
    assert_eq!(sources.matches("tlsAuthWithCACert: true").count(), 4);
    assert!(!stack.file("configs/agent.yaml").contains("insecure"));
}

#[test]
fn stores_answer_with_their_certificates() {
    let stack = encrypted("");
    let files = |store: &str| format!("cert_file: /etc/{store}/tls/tls.crt\nkey_file: /etc/{store}/tls/tls.key");
    for store in ["loki", "tempo"] {
        let server = stack.part(&format!("configs/{store}.yaml"), "http_tls_config:");
        assert_eq!(server.trim(), files(store));
    }
    for (store, key, address) in [
        ("tempo", "grpc:", "0.0.0.0:4317"),
        ("jaeger", "grpc:", "0.0.0.0:16685"),
        ("jaeger", "http:", "0.0.0.0:13133"),
        ("jaeger", "jaeger_query:", "0.0.0.0:16686"),
        ("jaeger", "receivers:", "0.0.0.0:4317"),
    ] {
        let part = stack.part(&format!("configs/{store}.yaml"), key);
        has(&part, &[&format!("endpoint: {address}")]);
        // The health check of Jaeger has a port of its own.
        assert_eq!(part.contains(&files(store)), !address.ends_with(":13133"), "{store} {key} {part}");
    }
    let web = stack.part("configs/prometheus-web.yml", "tls_server_config:");
    assert_eq!(web, files("prometheus"));
    let prometheus = stack.part("docker-compose.yml", "prometheus:");
    has(&prometheus, &["- --web.config.file=/etc/prometheus/web.yml", ":/etc/prometheus/web.yml:ro"]);
}

#[test]
fn encrypted_stores_are_scraped_and_watched() {
    let stack = encrypted("");
    let jobs = stack.file("configs/prometheus.yml");
    for (store, target) in [("tempo", "tempo:3200"), ("loki", "loki:3100"), ("prometheus", "prometheus:9090")] {
        has(
            jobs,
            &[&format!(
                "job_name: {store}\n    scheme: https\n    tls_config:\n      ca_file: \
                 /etc/prometheus/tls/{store}-ca.crt\n    static_configs:\n      - targets: [{target}]"
            )],
        );
    }
    has(jobs, &["job_name: jaeger\n    static_configs:\n      - targets: [jaeger:8888]"]);
    has(jobs, &["    - static_configs:\n        - targets: [alertmanager:9093]"]);
    has(stack.file("configs/loki.yaml"), &["alertmanager_url: http://alertmanager:9093"]);

    let check = |stack: &Outcome, store: &str| {
        let service = stack.part("docker-compose.yml", &format!("{store}:"));
        service.lines().find(|line| line.starts_with("test:")).map(str::to_owned)
    };
    let wget = "test: [CMD, wget, --spider, -q, --no-check-certificate, https://127.0.0.1:9090/-/ready]";
    assert_eq!(check(&stack, "prometheus").as_deref(), Some(wget));
    assert_eq!(check(&stack, "loki"), None, "an image without wget, whose own check asks in plain text");
    assert!(check(&stack, "jaeger").is_some_and(|it| it.contains("http://127.0.0.1:13133/status")));
    let older = encrypted("loki \"2.9.3\"; otelcol \"0.91.0\"");
    assert!(check(&older, "loki").is_some_and(|it| it.contains("https://127.0.0.1:3100/ready")));
    has(&older.part("configs/agent.yaml", "loki:"), &["endpoint: https://loki:3100/loki/api/v1/push"]);
}

#[test]
fn jaeger_1_is_told_by_its_environment() {
    let stack = encrypted("jaeger \"1.53.0\"");
    let service = stack.part("docker-compose.yml", "jaeger:");
    for server in ["COLLECTOR_OTLP_GRPC", "COLLECTOR_OTLP_HTTP", "QUERY_HTTP", "QUERY_GRPC"] {
        has(
            &service,
            &[
                &format!("{server}_TLS_ENABLED: \"true\""),
                &format!("{server}_TLS_CERT: /etc/jaeger/tls/tls.crt"),
                &format!("{server}_TLS_KEY: /etc/jaeger/tls/tls.key"),
            ],
        );
    }
    has(&service, &["http://127.0.0.1:14269/"]);
    has(stack.file("configs/prometheus.yml"), &["job_name: jaeger\n    static_configs:"]);
}

#[test]
fn stores_without_certificates_are_dialled_in_plain_text() {
    let stack = compile(
        r#"collector "agent" { receiver "otlp"; pipeline "traces" { from "otlp"; to "tempo" } }
        tempo
        grafana"#,
    );
    let exporter = stack.part("configs/agent.yaml", "otlp_grpc/tempo:");
    assert_eq!(exporter.trim(), "endpoint: tempo:4317\ntls:\ninsecure: true");
    let sources = stack.file("grafana/provisioning/datasources/datasources.yaml");
    assert!(sources.contains("url: http://tempo:3200") && !sources.contains("tls"), "{sources}");
}

#[test]
fn a_tenant_of_the_store_is_named_by_senders_and_readers() {
    let stack = compile(
        r#"collector "agent" {
            receiver "otlp"
            pipeline "logs" { from "otlp"; to "loki" }
            pipeline "traces" { from "otlp"; to "tempo" }
        }
        loki { tenant "acme" }
        tempo { tenant "emca" }
        grafana"#,
    );
    has(&stack.part("configs/agent.yaml", "otlp_http/loki:"), &["X-Scope-OrgID: acme"]);
    has(&stack.part("configs/agent.yaml", "otlp_grpc/tempo:"), &["X-Scope-OrgID: emca"]);
    has(stack.file("configs/loki.yaml"), &["auth_enabled: true"]);
    has(stack.file("configs/tempo.yaml"), &["multitenancy_enabled: true"]);
    let sources = stack.file("grafana/provisioning/datasources/datasources.yaml");
    has(sources, &["httpHeaderName1: X-Scope-OrgID", "httpHeaderValue1: acme", "httpHeaderValue1: emca"]);
}

#[test]
fn a_tenant_of_one_sender_is_named_by_all() {
    let stack = compile(
        r#"collector "first" { receiver "otlp"; pipeline "logs" { from "otlp"; to "loki" } }
        collector "second" { receiver "otlp"; pipeline "logs" { from "otlp"; to "loki" tenant="acme" } }
        loki
        grafana"#,
    );
    for sender in ["first", "second"] {
        has(&stack.part(&format!("configs/{sender}.yaml"), "otlp_http/loki:"), &["X-Scope-OrgID: acme"]);
    }
    has(stack.file("configs/loki.yaml"), &["auth_enabled: true"]);
    has(stack.file("grafana/provisioning/datasources/datasources.yaml"), &["httpHeaderValue1: acme"]);
}

#[test]
fn senders_may_have_tenants_of_their_own() {
    let stack = compile(
        r#"collector "a" { receiver "otlp"; pipeline "logs" { from "otlp"; to "loki" tenant="a" } }
        collector "b" { receiver "otlp"; pipeline "logs" { from "otlp"; to "loki" tenant="b" } }
        loki { tenant "all" }
        grafana"#,
    );
    for sender in ["a", "b"] {
        let header = format!("X-Scope-OrgID: {sender}");
        has(&stack.part(&format!("configs/{sender}.yaml"), "otlp_http/loki:"), &[&header]);
    }
    has(stack.file("grafana/provisioning/datasources/datasources.yaml"), &["httpHeaderValue1: all"]);
}

#[test]
fn collectors_send_to_collectors() {
    let stack = compile(
        r#"collector "agent" {
            receiver "otlp"
            pipeline "traces" "metrics" "logs" { from "otlp"; to "gateway" }
            durable
        }
        collector "gateway" {
            receiver "otlp" { protocols { grpc endpoint="0.0.0.0:14317"; http } }
            exporter "debug"
            pipeline "traces" "metrics" "logs" { from "otlp"; to "debug" }
        }"#,
    );
    let exporter = stack.part("configs/agent.yaml", "otlp_grpc/gateway:");
    let expected = "endpoint: gateway:14317\ntls:\ninsecure: true\nsending_queue:\nstorage: file_storage\nretry_on_failure:\nmax_elapsed_time: 0s";
    assert_eq!(exporter.trim(), expected);
    has(&stack.part("configs/gateway.yaml", "grpc:"), &["endpoint: 0.0.0.0:14317"]);
    let compose = "docker-compose.yml";
    has(&stack.part(compose, "agent:"), &["- \"4317:4317\"", "gateway:\ncondition: service_started"]);
    let gateway = stack.part(compose, "gateway:");
    assert!(!gateway.contains("14317") && !gateway.contains("4318"), "its senders are inside\n{gateway}");
    has(&gateway, &["- 127.0.0.1:13134:13133"]);
}

#[test]
fn a_protocol_asked_for_finds_the_receiver_that_speaks_it() {
    let stack = compile(
        r#"collector "agent" {
            receiver "otlp"
            pipeline "metrics" { from "otlp"; to "gateway" protocol="otlp-http" }
            pipeline "logs" { from "otlp"; to "store" }
        }
        collector "gateway" {
            receiver "otlp"; exporter "debug"
            pipeline "metrics" { from "otlp"; to "debug" }
        }
        collector "store" {
            receiver "loki" { protocols { http; grpc } }
            exporter "debug"
            pipeline "logs" { from "loki"; to "debug" }
        }
        versions { otelcol "0.120.0" }"#,
    );
    let http = stack.part("configs/agent.yaml", "otlphttp/gateway:");
    assert_eq!(http.trim(), "endpoint: http://gateway:4318");
    let loki = stack.part("configs/agent.yaml", "loki/store:");
    assert_eq!(loki.trim(), "endpoint: http://store:3500/loki/api/v1/push");
}

#[test]
fn encryption_of_a_collector_reaches_its_senders() {
    let stack = compile(
        r#"collector "agent" { receiver "otlp"; pipeline "logs" { from "otlp"; to "gateway" "public" } }
        collector "gateway" {
            tls cert="./gw.pem" key="./gw-key.pem" ca="./ca.pem"
            receiver "otlp"; exporter "debug"
            pipeline "logs" { from "otlp"; to "debug" }
        }
        collector "public" {
            receiver "otlp" { protocols { http { tls { cert_file "/c"; key_file "/k" } } } }
            exporter "debug"
            pipeline "logs" { from "otlp"; to "debug" }
        }"#,
    );
    let exporter = stack.part("configs/agent.yaml", "otlp_grpc/gateway:");
    assert_eq!(exporter.trim(), "endpoint: gateway:4317\ntls:\nca_file: /etc/otelcol/tls/gateway-ca.crt");
    let receiver = stack.part("configs/gateway.yaml", "receivers:");
    assert_eq!(receiver.matches("cert_file: /etc/otelcol/tls/tls.crt\nkey_file: /etc/otelcol/tls/tls.key").count(), 2);
    has(&stack.part("docker-compose.yml", "agent:"), &["- ./ca.pem:/etc/otelcol/tls/gateway-ca.crt:ro"]);
    has(&stack.part("docker-compose.yml", "gateway:"), &["- ./gw.pem:/etc/otelcol/tls/tls.crt:ro"]);
    // Its own settings say TLS; the authorities of the sender's image have to do.
    assert_eq!(stack.part("configs/agent.yaml", "otlp_http/public:").trim(), "endpoint: https://public:4318");
}

#[test]
fn a_signal_that_a_collector_does_not_receive_is_found_at_both_ends() {
    let stack = compile(
        r#"collector "agent" { receiver "otlp"; pipeline "traces" "logs" { from "otlp"; to "gateway" "files" } }
        collector "gateway" { receiver "otlp"; exporter "debug"; pipeline "traces" { from "otlp"; to "debug" } }
        collector "files" { receiver "filelog"; exporter "debug"; pipeline "logs" "traces" { from "filelog"; to "debug" } }"#,
    );
    assert_eq!(stack.codes(), ["N021", "N021", "N021"]);
    let finding = &stack.findings[0];
    assert_eq!(finding.message, "`gateway` does not take logs");
    assert!(finding.labels[0].message.contains("OTLP over gRPC for traces"), "{:?}", finding.labels);
    assert!(finding.help[0].contains(r#"`pipeline "logs" { from "otlp"; … }`"#), "{:?}", finding.help);
    assert!(stack.findings[1].help[0].contains(r#"`receiver "otlp"`"#), "{:?}", stack.findings[1].help);
}

#[test]
fn signals_that_no_receiver_takes_together() {
    let stack = compile(
        r#"collector "agent" { receiver "otlp"; pipeline "traces" "logs" { from "otlp"; to "gateway" } }
        collector "gateway" {
            receiver "zipkin"; receiver "otlp"; exporter "debug"
            pipeline "traces" { from "zipkin"; to "debug" }
            pipeline "logs" { from "otlp"; to "debug" }
        }"#,
    );
    assert_eq!(stack.codes(), ["N020"]);
    assert_eq!(stack.findings[0].message, "no protocol takes traces and logs from `agent` to `gateway` together");
}

#[test]
fn a_receiver_that_wants_certificates_is_found() {
    let stack = compile(
        r#"collector "agent" { receiver "otlp"; pipeline "logs" { from "otlp"; to "gateway" } }
        collector "gateway" {
            receiver "otlp" { protocols { grpc { tls { cert_file "/c"; key_file "/k"; client_ca_file "/ca" } } } }
            exporter "debug"
            pipeline "logs" { from "otlp"; to "debug" }
        }"#,
    );
    assert_eq!(stack.codes(), ["N023"]);
}

#[test]
fn collectors_in_a_circle_do_not_wait_for_each_other() {
    let stack = compile(
        r#"collector "a" { receiver "otlp"; pipeline "logs" { from "otlp"; to "b" }; exporter "debug"
            pipeline "traces" { from "otlp"; to "debug" } }
        collector "b" { receiver "otlp"; pipeline "traces" { from "otlp"; to "a" }; exporter "debug"
            pipeline "logs" { from "otlp"; to "debug" } }"#,
    );
    assert!(!stack.file("docker-compose.yml").contains("depends_on"));
}

#[test]
fn tokens_and_headers_of_externals_share_a_block() {
    let stack = compile(
        r#"collector "agent" {
            receiver "otlp"
            pipeline "metrics" { from "otlp"; to "cloud" "dd" }
            pipeline "logs" { from "otlp"; to "otlp" tenant="acme"; to "own" "splunk" }
        }
        external "cloud" { prometheus_remote_write endpoint="https://m.example.com/write" token=(secret)"m/token" }
        external "dd" { datadog site="datadoghq.eu" key=(env)"DD_API_KEY" }
        external "otlp" {
            otlp endpoint="https://o.example.com" token="in-the-open" { headers { X-Team "shop" } }
        }
        external "own" { otlp endpoint="https://p.example.com" token=(env)"T" { headers { authorization "Basic x" } } }
        external "splunk" { splunk_hec endpoint="https://s.example.com:8088" token="hec" }"#,
    );
    let exporter = |id: &str| stack.part("configs/agent.yaml", id).trim().to_owned();
    let cloud = exporter("prometheus_remote_write/cloud:");
    assert_eq!(cloud, "endpoint: https://m.example.com/write\nheaders:\nAuthorization: \"Bearer ${env:M_TOKEN}\"");
    assert_eq!(exporter("datadog/dd:"), "api:\nsite: datadoghq.eu\nkey: ${env:DD_API_KEY}");
    let otlp = exporter("otlp_http/otlp:");
    assert_eq!(
        otlp,
        "endpoint: https://o.example.com\nheaders:\nX-Team: shop\nAuthorization: Bearer in-the-open\nX-Scope-OrgID: acme"
    );
    let own = exporter("otlp_http/own:");
    assert_eq!(own, "endpoint: https://p.example.com\nheaders:\nauthorization: Basic x");
    assert_eq!(exporter("splunk_hec/splunk:"), "endpoint: https://s.example.com:8088\ntoken: hec");
    let service = stack.part("docker-compose.yml", "agent:");
    has(&service, &["M_TOKEN: \"${M_TOKEN:?", "DD_API_KEY: \"${DD_API_KEY:?"]);
}

#[test]
fn encryption_of_externals_is_the_authors() {
    let stack = compile(
        r#"collector "agent" { receiver "otlp"; pipeline "logs" { from "otlp"; to "plain" "own" } }
        external "plain" { otlp_grpc endpoint="http://o.example.com:4317" }
        external "own" { otlp_grpc endpoint="o.example.com:4317" { tls insecure=#true } }"#,
    );
    let exporter = |id: &str| stack.part("configs/agent.yaml", id).trim().to_owned();
    assert_eq!(exporter("otlp_grpc/plain:"), "endpoint: http://o.example.com:4317\ntls:\ninsecure: true");
    assert_eq!(exporter("otlp_grpc/own:"), "endpoint: o.example.com:4317\ntls:\ninsecure: true");
}
