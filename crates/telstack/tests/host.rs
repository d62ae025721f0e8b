//! Where a stack meets its host and its own machinery: ports, scrapes, mounts, volumes, names.

use std::path::Path;

use telstack_workspace::{Compiled, MemoryFiles, compile};

fn stack(lines: &str) -> Compiled {
    let versions = if lines.contains("versions") { "" } else { "versions { otelcol \"0.158.0\" }" };
    let text = format!("stack \"s\" {{\n platform \"compose\"\n {versions}\n {lines}\n}}\n");
    compile(&MemoryFiles::new([("s.stack.kdl", &text)]), Path::new("s.stack.kdl")).expect("readable")
}

/// A stack of one collector `a`.
fn collector(lines: &str, rest: &str) -> Compiled {
    stack(&format!("collector \"a\" {{\n {lines}\n }}\n {rest}"))
}

fn file<'a>(compiled: &'a Compiled, path: &str) -> &'a str {
    let found = compiled.artefacts.iter().find(|artefact| artefact.path == path);
    &found.unwrap_or_else(|| panic!("{path} is written; findings: {:?}", messages(compiled))).written.text
}

fn messages(compiled: &Compiled) -> Vec<(&str, &str)> {
    compiled.diagnostics.iter().map(|it| (it.rule.code, it.message.as_str())).collect()
}

fn codes(compiled: &Compiled) -> Vec<&str> {
    compiled.diagnostics.iter().map(|it| it.rule.code).collect()
}

#[track_caller]
fn has(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "no\n{part}\nin\n{text}");
    }
}

#[track_caller]
fn lacks(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(!text.contains(part), "{part}\nin\n{text}");
    }
}

#[test]
fn udp_is_published_as_udp_and_not_asked_by_tcp() {
    let it = collector(
        "receiver \"statsd\"; receiver \"udp_log\" { listen_address \"0.0.0.0:5514\" }
         receiver \"tcp_log\" { listen_address \"0.0.0.0:5514\" }
         receiver \"syslog\" { protocol \"rfc3164\"; udp { listen_address \"0.0.0.0:514\" } }
         receiver \"jaeger\" { protocols { thrift_compact; grpc } }
         exporter \"debug\"
         pipeline \"metrics\" { from \"statsd\"; to \"debug\" }
         pipeline \"traces\" { from \"jaeger\"; to \"debug\" }
         pipeline \"logs\" { from \"udp_log\" \"tcp_log\" \"syslog\"; to \"debug\" }",
        "",
    );
    assert_eq!(codes(&it), [""; 0], "{:?}", messages(&it));
    let compose = file(&it, "docker-compose.yml");
    has(
        compose,
        &["8125:8125/udp", "5514:5514/udp", "\"5514:5514\"\n", "514:514/udp", "6831:6831/udp", "\"14250:14250\"\n"],
    );
    has(compose, &["# 8125/udp: StatsD\n", "# 5514/udp: udp log\n", "# 5514: tcp log\n", "# 514/udp: syslog\n"]);
    let script = file(&it, "scripts/health-check.sh");
    has(script, &["check_port 'a' '127.0.0.1' 5514 'tcp log'"]);
    lacks(script, &["8125", "6831", "udp log"]);
}

#[test]
fn the_transport_that_is_written_holds() {
    let it = |setting: &str| {
        collector(
            &format!(
                "receiver \"statsd\" {{ {setting} }}; exporter \"debug\"\n pipeline \"metrics\" {{ from \"statsd\"; to \"debug\" }}"
            ),
            "",
        )
    };
    has(file(&it("transport \"tcp\""), "docker-compose.yml"), &["\"8125:8125\"\n"]);
    let socket = it("transport \"unixgram\"; endpoint \"/run/statsd.sock\"");
    lacks(file(&socket, "docker-compose.yml"), &["8125", "statsd"]);
}

#[test]
fn ports_say_what_answers_there() {
    let it = collector(
        "receiver \"otlp\"; extension \"pprof\"; extension \"zpages\"; exporter \"prometheus\" { endpoint \"0.0.0.0:8889\" }
         pipeline \"metrics\" { from \"otlp\"; to \"prometheus\" }",
        "",
    );
    let compose = file(&it, "docker-compose.yml");
    has(compose, &["# 1777: pprof\n", "# 55679: zpages\n", "# 13133: health\n", "# 8889: metrics for Prometheus\n"]);
    let script = file(&it, "scripts/health-check.sh");
    has(script, &["check_http 'a' 'http://127.0.0.1:13133/'", "check_http 'a' 'http://127.0.0.1:8889/metrics'"]);
    has(script, &["check_port 'a' '127.0.0.1' 1777 'pprof'"]);
    // Who must show a certificate to be answered is not asked: the script has none.
    let tls = |more: &str| {
        let lines = format!(
            "mount \"/a\"; mount \"/c\"; mount \"/k\"; extension \"health_check\" {{ path \"/well\"; tls {{ cert_file \"/c\"; key_file \"/k\"; {more} }} }}"
        );
        let it = collector(
            &format!(
                "receiver \"otlp\"; exporter \"debug\"; {lines}; pipeline \"logs\" {{ from \"otlp\"; to \"debug\" }}"
            ),
            "",
        );
        file(&it, "scripts/health-check.sh").to_owned()
    };
    has(&tls(""), &["check_http 'a' 'https://127.0.0.1:13133/well'"]);
    has(&tls("client_ca_file \"/a\""), &["check_port 'a' '127.0.0.1' 13133 'health'"]);
}

#[test]
fn what_waits_to_be_scraped_is_scraped() {
    let lines = "mount \"/c\"; mount \"/k\"; receiver \"otlp\"; exporter \"prometheus\" { endpoint \"0.0.0.0:8889\" }
         exporter \"prometheus/tls\" { endpoint \"0.0.0.0:8890\"; tls { cert_file \"/c\"; key_file \"/k\" } }
         pipeline \"metrics\" { from \"otlp\"; to \"prometheus\" \"prometheus/tls\" }";
    let it = collector(lines, "prometheus \"one\"\n prometheus \"two\"\n grafana");
    for name in ["one", "two"] {
        let config = file(&it, &format!("configs/{name}.yml"));
        has(config, &["job_name: a/prometheus\n    honor_labels: true\n", "targets: [a:8889]", "job_name: a\n"]);
        lacks(config, &["8890"]);
        let rules = file(&it, &format!("configs/{name}-rules/pipeline-health.yml"));
        assert_eq!(rules.matches("alert: CollectorDown").count(), 1, "{rules}");
    }
    let loopback = collector(&lines.replace("0.0.0.0:8889", "localhost:8889"), "prometheus");
    assert_eq!(codes(&loopback), ["M004"], "{:?}", messages(&loopback));
    has(file(&collector(lines, ""), "docker-compose.yml"), &["127.0.0.1:8889:8889"]);
}

#[test]
fn names_that_follow_from_others_are_not_taken_twice() {
    let lines = "receiver \"otlp\"; pipeline \"logs\" { from \"otlp\"; to \"loki\" }; durable";
    let first = collector(lines, "loki\n tempo \"a-init\"");
    assert_eq!(messages(&first), [("C020", "two services would be called `a-init`")]);
    assert!(first.artefacts.is_empty(), "nothing is written");
    let last = stack(&format!("tempo \"a-init\"\n loki\n collector \"a\" {{ {lines} }}"));
    assert_eq!(messages(&last), messages(&first));
    // Without `durable` the collector needs nobody to give it volumes.
    assert_eq!(codes(&collector(&lines.replace("durable", ""), "loki\n tempo \"a-init\"")), [""; 0]);
    let tls = "tls cert=\"./c\" key=\"./k\" ca=\"./a\"";
    let file = stack(&format!("prometheus \"x\" {{ {tls} }}\n prometheus \"x-web\""));
    assert_eq!(messages(&file), [("C020", "two files would be called `configs/x-web.yml`")]);
    // Another ending, another file.
    assert_eq!(codes(&stack(&format!("prometheus \"x\" {{ {tls} }}\n loki \"x-web\""))), [""; 0]);
}

#[test]
fn small_things_of_stores_and_viewers() {
    let it = stack(
        "versions { tempo \"2.6.1\"; jaeger \"1.60.0\" }\n tempo; jaeger { storage \"memory\" }
         grafana { reads \"tempo\"; admin_password (secret)\"g/p\" }",
    );
    has(file(&it, "configs/tempo.yaml"), &["http_listen_port: 3200\n"]);
    has(file(&it, "grafana/provisioning/datasources/datasources.yaml"), &["url: http://tempo:3200\n"]);
    let compose = file(&it, "docker-compose.yml");
    has(compose, &["127.0.0.1:3200:3200\n", "http://127.0.0.1:3200/ready", "MEMORY_MAX_TRACES: \"100000\"\n"]);
    has(compose, &["shows what tempo holds.\n", "GF_SECURITY_ADMIN_PASSWORD: \"${G_P:?"]);
    lacks(compose, &[" G_P:"]);
    has(file(&it, ".env.example"), &["\nG_P=\n"]);
}

#[test]
fn durable_says_what_it_cannot_reach_and_leaves_debug_alone() {
    let it = collector(
        "receiver \"otlp\"; exporter \"debug\"; pipeline \"logs\" { from \"otlp\"; to \"debug\" \"dd\" }; durable",
        "external \"dd\" { datadog site=\"datadoghq.eu\" key=(secret)\"dd/key\" }",
    );
    assert_eq!(
        messages(&it),
        [("D020", "`durable` leaves `datadog/dd` as it is: its settings at this release are not known")]
    );
    lacks(file(&it, "configs/a.yaml"), &["sending_queue", "file_storage"]);
}

#[test]
fn what_belongs_to_the_host_is_mounted() {
    let it = collector(
        "mount \"/var/log\"; mount \"/\" to=\"/hostfs\"; mount \"./out\" to=\"/data\" writable=#true; user \"0\"
         receiver \"file_log\" { include \"/var/log/*.log\"; start_at \"beginning\"; delete_after_read #true }
         receiver \"host_metrics\" { root_path \"/hostfs\"; scrapers { filesystem } }
         exporter \"file\" { path \"/data/out.json\" }
         pipeline \"logs\" { from \"file_log\"; to \"file\" }
         pipeline \"metrics\" { from \"host_metrics\"; to \"file\" }",
        "",
    );
    assert_eq!(codes(&it), [""; 0], "{:?}", messages(&it));
    let compose = file(&it, "docker-compose.yml");
    has(compose, &["- /var/log:/var/log:ro\n", "- /:/hostfs:ro\n", "- ./out:/data\n", "    user: \"0\"\n"]);
}

#[test]
fn every_folder_of_a_storage_is_on_a_volume() {
    let lines = |mount: &str| {
        format!(
            "{mount}; receiver \"otlp\"; extension \"file_storage/offsets\" {{ directory \"/var/lib/otelcol/offsets\"; create_directory #true }}
             receiver \"tcp_log\" {{ listen_address \"0.0.0.0:5514\"; storage \"file_storage/offsets\" }}
             pipeline \"logs\" {{ from \"otlp\" \"tcp_log\"; to \"loki\" }}; durable"
        )
    };
    let own = collector(&lines("resources memory=\"1GiB\""), "loki");
    assert_eq!(codes(&own), [""; 0], "{:?}", messages(&own));
    let compose = file(&own, "docker-compose.yml");
    has(compose, &["- a-data:/var/lib/otelcol/storage\n", "- a-file-storage-offsets:/var/lib/otelcol/offsets\n"]);
    has(compose, &["chown, -R, \"10001:10001\", /var/lib/otelcol/offsets, /var/lib/otelcol/storage"]);
    has(file(&own, "scripts/backup.sh"), &["a|s_a-data|", "a|s_a-file-storage-offsets|"]);
    let mounted = collector(&lines("mount \"/srv/otelcol\" to=\"/var/lib/otelcol\" writable=#true"), "loki");
    assert_eq!(codes(&mounted), [""; 0], "{:?}", messages(&mounted));
    let compose = file(&mounted, "docker-compose.yml");
    has(compose, &["- /srv/otelcol:/var/lib/otelcol\n"]);
    lacks(compose, &["a-data", "offsets", "a-init"]);
}

#[test]
fn certificates_must_be_there_first() {
    let tls = "tls cert=\"./certs/c.pem\" key=\"./certs/k.pem\" ca=\"/etc/ca.pem\"";
    let it = stack(&format!("loki {{ {tls} }}\n prometheus {{ {tls} }}"));
    has(
        file(&it, "docker-compose.yml"),
        &[
            "# These files must be there first; docker makes folders of those that are missing:\n#   ./certs/c.pem\n#   ./certs/k.pem\n#   /etc/ca.pem\n",
        ],
    );
    lacks(file(&stack("loki"), "docker-compose.yml"), &["must be there"]);
}
