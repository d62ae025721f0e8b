//! Random stacks as text: releases and distributions that exist, collectors in a chain, components that they
//! ship, every store, things outside, viewers.
//!
//! A stack follows from a tape of numbers: each choice takes the next one, and zero is the plainest choice. A
//! shorter tape with smaller numbers is a simpler stack, which is how a failing one is made small.

use std::fmt::Write as _;

use telstack_catalog::{
    ComponentKind, Distribution, Version,
    otelcol::{self, Presence},
    product::Product,
};

/// The choices that make a stack.
struct Tape<'a> {
    left: std::slice::Iter<'a, u16>,
}

impl Tape<'_> {
    /// A number below `most`; zero when the tape is at its end.
    fn below(&mut self, most: usize) -> usize {
        self.left.next().map_or(0, |it| usize::from(*it)) % most.max(1)
    }

    fn pick<T: Copy>(&mut self, items: &[T]) -> T {
        items[self.below(items.len())]
    }

    /// True once in so many times.
    fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == times - 1
    }

    /// Each item once in so many times.
    fn some<T: Copy>(&mut self, items: &[T], times: usize) -> Vec<T> {
        items.iter().copied().filter(|_| self.once_in(times)).collect()
    }
}

/// Texts that a careless writer or reader of YAML changes.
const TEXTS: [&str; 22] = [
    "production",
    "a: b # c",
    "yes",
    "1.0",
    "1e3",
    "é ☃",
    " lead",
    "trail ",
    "a\\\"b",
    "back\\\\slash",
    "null",
    "~",
    "0x1F",
    "1_000",
    "2024-01-01",
    "",
    "- item",
    "{a}",
    "it's",
    "line\\nbreak",
    "%percent",
    "*star",
];
const NUMBERS: [&str; 9] = ["1", "0", "-3", "0.5", "1.0", "100000", "#true", "#false", "1e3"];
const SIZES: [&str; 5] = ["512MiB", "1GiB", "2GB", "1500MiB", "768MiB"];

const SIGNALS: [&str; 3] = ["traces", "metrics", "logs"];

/// Receivers with the signals that they bring.
const RECEIVERS: [(&str, &str, &[usize]); 12] = [
    ("otlp", "", &[0, 1, 2]),
    ("otlp", "{ protocols { grpc } }", &[0, 1, 2]),
    (
        "otlp",
        "{ protocols { http { endpoint \"0.0.0.0:24318\"; cors { allowed_origins \"*\" \"https://a.example\" } } } }",
        &[0, 1, 2],
    ),
    (
        "otlp/second",
        "{ protocols { grpc endpoint=\"0.0.0.0:14317\" max_recv_msg_size_mib=16; http endpoint=\"localhost:14318\" } }",
        &[0, 1, 2],
    ),
    ("zipkin", "", &[0]),
    ("zipkin/b", "{ endpoint \"0.0.0.0:19411\" }", &[0]),
    ("jaeger", "{ protocols { grpc; thrift_http } }", &[0]),
    ("hostmetrics", "{ collection_interval \"30s\"; scrapers { cpu; memory; filesystem } }", &[1]),
    (
        "prometheus",
        "{ config { scrape_configs { - job_name=\"own\" { static_configs { - { targets \"localhost:9999\" \"b.example:1\" } } } } } }",
        &[1],
    ),
    ("filelog", "{ include \"/var/log/*.log\" \"/var/log/x.log\"; start_at \"beginning\" }", &[2]),
    ("statsd", "", &[1]),
    ("fluentforward", "{ endpoint \"0.0.0.0:8006\" }", &[2]),
];

/// Processors with the signals that they treat; `T` and `N` become a text and a number.
const PROCESSORS: [(&str, &str, &[usize]); 12] = [
    ("batch", "", &[0, 1, 2]),
    ("batch/sized", "{ timeout \"5s\"; send_batch_size 10000; send_batch_max_size 15000 }", &[0, 1, 2]),
    ("memory_limiter", "{ check_interval \"2s\"; limit_percentage 75; spike_limit_percentage 20 }", &[0, 1, 2]),
    (
        "resource",
        "{ attributes { - key=\"k\" value=\"T\" action=\"upsert\"; - key=\"T.x\" action=\"delete\" } }",
        &[0, 1, 2],
    ),
    (
        "attributes/n",
        "{ actions { - key=\"n\" value=N action=\"insert\"; - key=\"t\" value=\"T\" action=\"update\" } }",
        &[0, 1, 2],
    ),
    ("attributes", "{ actions { - key=\"e\" value=(env)\"SITE\" action=\"insert\" } }", &[0, 1, 2]),
    (
        "filter",
        "{ error_mode \"ignore\"; traces { span \"attributes[\\\"http.route\\\"] == \\\"/healthz\\\"\" } }",
        &[0],
    ),
    (
        "transform",
        "{ log_statements { - context=\"log\" { statements \"set(attributes[\\\"a\\\"], \\\"b\\\")\" } } }",
        &[2],
    ),
    ("probabilistic_sampler", "{ sampling_percentage 12.5 }", &[0]),
    ("cumulativetodelta", "", &[1]),
    ("resourcedetection", "{ detectors \"env\" \"system\"; timeout \"2s\" }", &[0, 1, 2]),
    ("groupbytrace", "{ wait_duration \"10s\"; num_traces 1000 }", &[0]),
];

const EXTENSIONS: [(&str, &str); 4] = [
    ("zpages", ""),
    ("pprof", "{ endpoint \"0.0.0.0:1777\" }"),
    ("health_check", "{ endpoint \"0.0.0.0:13134\"; path \"/up\" }"),
    ("health_check/second", "{ endpoint \"0.0.0.0:13139\" }"),
];

/// What a collector gets of its host.
const HOST: [&str; 4] = [
    "mount \"/var/log\"",
    "mount \"/\" to=\"/hostfs\"",
    "mount \"./tail.d\" to=\"/etc/tail.d\" writable=#true",
    "user \"0\"",
];

/// Exporters whose address is written out.
const WRITTEN_OUT: [(&str, &str, &str); 5] = [
    ("otlp_http", "out", "{ endpoint \"https://written.example.com/x\"; headers { x-scope-orgid \"one\" } }"),
    ("otlp_grpc", "out", "{ endpoint \"written.example.com:4317\"; tls insecure=#true }"),
    ("otlp_grpc", "open", "{ endpoint \"${env:GATEWAY}:4317\" }"),
    (
        "otlp_http",
        "parts",
        "{ traces_endpoint \"http://t.example.com:4318/v1/traces\"; logs_endpoint \"https://l.example.com/in\"; metrics_endpoint \"http://t.example.com:4318/v1/metrics\" }",
    ),
    ("file", "kept", "{ path \"/tmp/out.json\" }"),
];

/// Things outside, with the exporter that reaches them and the signals that they take.
const EXTERNALS: [(&str, &str, &str, &[usize]); 7] = [
    (
        "cloud",
        "otlp_http",
        "{ otlp endpoint=\"https://otlp.example.com/v2\" token=(secret)\"otlp/token\" { compression \"gzip\" } }",
        &[0, 1, 2],
    ),
    ("wire", "otlp_grpc", "{ otlp endpoint=\"otlp.example.com:4317\" }", &[0, 1, 2]),
    ("plain", "otlp_grpc", "{ otlp_grpc endpoint=\"http://10.1.2.3:4317\" }", &[0, 1, 2]),
    (
        "push",
        "prometheus_remote_write",
        "{ prometheus_remote_write endpoint=\"https://push.example.com/api/v1/write\" token=(env)\"PUSH_TOKEN\" }",
        &[1],
    ),
    (
        "hec",
        "splunk_hec",
        "{ splunk_hec endpoint=\"https://splunk.example.com:8088/services/collector\" token=(secret)\"hec/token\" index=\"main\" }",
        &[0, 1, 2],
    ),
    ("dog", "datadog", "{ datadog site=\"datadoghq.eu\" key=(env)\"DD_API_KEY\" }", &[0, 1, 2]),
    ("zip", "zipkin", "{ zipkin endpoint=\"https://zipkin.example.com/api/v2/spans\" }", &[0]),
];

/// A store of the stack: its name, what it is, the signals that it takes.
struct Stored {
    name: String,
    product: Product,
    signal: usize,
}

/// The text of the stack that a tape stands for.
pub fn stack(tape: &[u16]) -> String {
    let tape = &mut Tape { left: tape.iter() };
    let mut out = String::new();
    let _ = writeln!(out, "let keep \"30d\"");
    let _ = writeln!(out, "stack \"{}\" {{\n    platform \"compose\"", tape.pick(&["demo", "a", "shop-eu-1"]));
    let (version, distribution) = versions(tape, &mut out);
    let stores = stores(tape, &mut out);
    let mut externals = tape.some(&EXTERNALS, 5);
    externals.retain(|it| ships(ComponentKind::Exporter, it.2, (version, distribution)) || tape.once_in(20));
    for (name, _, block, _) in &externals {
        let _ = writeln!(out, "    external \"{name}\" {block}");
    }
    let count = 1 + tape.below(4);
    for at in 0..count {
        collector(tape, &mut out, at, count, (version, distribution), &stores, &externals);
    }
    viewers(tape, &mut out, &stores);
    out.push_str("}\n");
    out
}

/// A release that is known: the newest first.
fn release(tape: &mut Tape<'_>, product: Product) -> Version {
    if product == Product::Otelcol {
        let all = otelcol::releases();
        return all[all.len() - 1 - tape.below(all.len())].version;
    }
    let minors = product.minors();
    match tape.below(minors.len() + 1) {
        0 => product.newest(),
        at => minors[minors.len() - at],
    }
}

fn versions(tape: &mut Tape<'_>, out: &mut String) -> (Version, Distribution) {
    let version = release(tape, Product::Otelcol);
    let there = |it: &Distribution| otelcol::distribution_has_release(*it, version);
    let fits = |it: &Distribution| matches!(it, Distribution::Contrib | Distribution::Core | Distribution::K8s);
    let mut all: Vec<Distribution> = Distribution::ALL.iter().copied().filter(there).filter(fits).collect();
    all.sort_by_key(|it| *it != Distribution::Contrib);
    let distribution = if tape.once_in(3) { tape.pick(&all) } else { all[0] };
    let _ = write!(out, "    versions {{ otelcol \"{version}\" distribution=\"{distribution}\"");
    for product in
        Product::ALL.iter().filter(|it| **it != Product::Otelcol && telstack_system::is_declared_in_stacks(**it))
    {
        if !tape.once_in(4) {
            let _ = write!(out, "; {} \"{}\"", product.id(), release(tape, *product));
        }
    }
    out.push_str(" }\n");
    (version, distribution)
}

fn resources(tape: &mut Tape<'_>) -> String {
    match tape.below(4) {
        0 => String::new(),
        1 => format!("resources memory=\"{}\"; ", tape.pick(&SIZES)),
        2 => "resources cpu=0.5 memory=\"1GiB\"; ".to_owned(),
        _ => "resources cpu=\"0.25..1.5\" memory=\"256MiB..2GiB\"; ".to_owned(),
    }
}

fn stores(tape: &mut Tape<'_>, out: &mut String) -> Vec<Stored> {
    let mut found = Vec::new();
    for (product, signal) in [(Product::Prometheus, 1), (Product::Loki, 2), (Product::Tempo, 0), (Product::Jaeger, 0)] {
        if tape.once_in(4) {
            continue;
        }
        let name = if tape.once_in(3) { format!("my-{}", product.id()) } else { product.id().to_owned() };
        let _ = write!(out, "    {} \"{name}\" {{ {}", product.id(), resources(tape));
        match tape.below(3) {
            0 => out.push_str("retention (let)\"keep\"; "),
            1 => {
                let _ = write!(out, "retention \"{}\"; ", tape.pick(&["7d", "36h", "2w", "90d"]));
            }
            _ => {}
        }
        if product == Product::Prometheus {
            let lines = [
                "size \"40GB\"; ",
                "size \"10GiB\"; ",
                "scrape_interval \"1m30s\"; ",
                "external_labels cluster=\"eu-1\" replica=\"a: b\"; ",
                "flag \"web.enable-admin-api\"; ",
                "flag \"storage.tsdb.wal-compression\"; ",
                "flag \"web.enable-remote-write-receiver\"; ",
                "flag \"query.timeout=1m\"; ",
            ];
            let mut lines = tape.some(&lines, 6);
            if lines.iter().filter(|it| it.starts_with("size")).count() > 1 {
                lines.retain(|it| !it.contains("10GiB"));
            }
            out.push_str(&lines.concat());
        }
        if product == Product::Jaeger && tape.once_in(3) {
            out.push_str("storage \"memory\"; ");
        }
        if matches!(product, Product::Loki | Product::Tempo) && tape.once_in(4) {
            out.push_str("tenant \"acme\"; ");
        }
        if tape.once_in(5) {
            out.push_str("tls cert=\"./certs/s.pem\" key=\"certs/s-key.pem\" ca=\"/etc/ssl/ca.pem\"; ");
        }
        out.push_str("}\n");
        found.push(Stored { name, product, signal });
    }
    found
}

fn ships(kind: ComponentKind, id: &str, (version, distribution): (Version, Distribution)) -> bool {
    let ty = id.split('/').next().unwrap_or(id);
    otelcol::component(kind, ty).is_some_and(|it| it.presence(distribution, version) == Presence::Present)
}

fn filled(tape: &mut Tape<'_>, block: &str) -> String {
    let mut out = block.to_owned();
    while out.contains("\"T") {
        out = out.replacen("\"T", &format!("\"{}", tape.pick(&TEXTS)), 1);
    }
    while out.contains("=N ") {
        out = out.replacen("=N ", &format!("={} ", tape.pick(&NUMBERS)), 1);
    }
    out
}

fn collector(
    tape: &mut Tape<'_>,
    out: &mut String,
    at: usize,
    count: usize,
    run: (Version, Distribution),
    stores: &[Stored],
    externals: &[(&str, &str, &str, &[usize])],
) {
    let last = at + 1 == count;
    let _ = writeln!(out, "    collector \"c{at}\" {{\n        {}", resources(tape));
    let mut receivers = vec![RECEIVERS[0]];
    if at == 0 {
        receivers = vec![RECEIVERS[tape.below(4)]];
        for it in &RECEIVERS[3..] {
            let new = receivers.iter().all(|known| known.0 != it.0);
            if tape.once_in(8) && new && ships(ComponentKind::Receiver, it.0, run) {
                receivers.push(*it);
            }
        }
    }
    for (id, block, _) in &receivers {
        let _ = writeln!(out, "        receiver \"{id}\" {block}");
    }
    let mut processors = Vec::new();
    for it in PROCESSORS {
        if tape.once_in(4) && ships(ComponentKind::Processor, it.0, run) {
            let _ = writeln!(out, "        processor \"{}\" {}", it.0, filled(tape, it.1));
            processors.push(it);
        }
    }
    for (id, block) in tape.some(&EXTENSIONS, 6) {
        if ships(ComponentKind::Extension, id, run) {
            let _ = writeln!(out, "        extension \"{id}\" {block}");
        }
    }
    // Until 0.86 there was another one to print with.
    let printer = if ships(ComponentKind::Exporter, "debug", run) { "debug" } else { "logging" };
    let _ = writeln!(out, "        exporter \"{printer}\" {}", tape.pick(&["", "{ verbosity \"detailed\" }"]));
    let written = written_out(tape, out, run);
    let mut host = tape.some(&HOST, 6);
    if receivers.iter().any(|it| it.0 == "filelog") && !host.contains(&HOST[0]) {
        host.push(HOST[0]);
    }
    for line in host {
        let _ = writeln!(out, "        {line}");
    }
    if tape.once_in(6) && ships(ComponentKind::Extension, "file_storage", run) {
        let _ = writeln!(out, "        extension \"file_storage/spool\" {{ directory \"/var/spool/otel\" }}");
    }
    for (signal, word) in SIGNALS.iter().enumerate() {
        let brings = receivers.iter().filter(|it| it.2.contains(&signal));
        let from: Vec<String> = brings.map(|it| format!("\"{}\"", it.0)).collect();
        let mut to: Vec<String> = Vec::new();
        if !last {
            to.push(format!("\"c{}\"{}", at + 1, if tape.once_in(4) { " protocol=\"otlp-http\"" } else { "" }));
        }
        for store in stores.iter().filter(|it| it.signal == signal) {
            if last || tape.once_in(4) {
                let tenant = matches!(store.product, Product::Loki | Product::Tempo) && tape.once_in(6);
                let way = match store.product {
                    Product::Prometheus if tape.once_in(4) => " protocol=\"otlp\"",
                    _ => "",
                };
                to.push(format!("\"{}\"{way}{}", store.name, if tenant { " tenant=\"acme\"" } else { "" }));
            }
        }
        for (name, _, _, signals) in externals {
            if signals.contains(&signal) && (last || tape.once_in(4)) {
                to.push(format!("\"{name}\""));
            }
        }
        to.extend(written.iter().filter(|_| tape.once_in(2)).map(|id| format!("\"{id}\"")));
        if to.is_empty() || tape.once_in(6) {
            to.push(format!("\"{printer}\""));
        }
        let mut through = String::new();
        let treats: Vec<&str> = processors.iter().filter(|it| it.2.contains(&signal)).map(|it| it.0).collect();
        if tape.once_in(4) && !treats.is_empty() {
            through =
                format!("through {}; ", treats.iter().map(|id| format!("\"{id}\"")).collect::<Vec<_>>().join(" "));
        }
        let to: Vec<String> = to.iter().map(|it| format!("to {it}")).collect();
        let _ = writeln!(out, "        pipeline \"{word}\" {{ from {}; {through}{} }}", from.join(" "), to.join("; "));
    }
    match tape.below(6) {
        0..=2 => {}
        3 => out.push_str("        durable\n"),
        4 => out.push_str("        durable queue_size=500 give_up_after=\"10m\"\n"),
        _ => out.push_str(
            "        telemetry { logs { level \"warn\"; encoding \"json\" }; metrics { level \"detailed\" } }\n",
        ),
    }
    if tape.once_in(6) {
        out.push_str("        tls cert=\"./certs/c.pem\" key=\"./certs/c-key.pem\" ca=\"./certs/ca.pem\"\n");
    }
    out.push_str("    }\n");
}

/// Exporters whose address is written out, by the names that they have in a release.
fn written_out(tape: &mut Tape<'_>, out: &mut String, run: (Version, Distribution)) -> Vec<String> {
    let mut found = Vec::new();
    for (ty, name, block) in tape.some(&WRITTEN_OUT, 8) {
        let Some(fact) =
            otelcol::component(ComponentKind::Exporter, ty).filter(|_| ships(ComponentKind::Exporter, ty, run))
        else {
            continue;
        };
        let id = format!("{}/{name}", fact.name_at(run.0));
        let _ = writeln!(out, "        exporter \"{id}\" {block}");
        found.push(id);
    }
    found
}

fn viewers(tape: &mut Tape<'_>, out: &mut String, stores: &[Stored]) {
    let alerts = !tape.once_in(3);
    if alerts {
        let line = match tape.below(3) {
            0 => "",
            1 => " { webhook \"http://pager.example.com/alerts?x=$y\" }",
            _ => {
                " { webhook \"http://a.example.com/1\"; webhook \"http://b.example.com/2\"; repeat_interval \"4h\"; resources memory=\"256MiB\" }"
            }
        };
        let _ = writeln!(out, "    alertmanager{line}");
    }
    if !tape.once_in(3) {
        let _ = write!(out, "    grafana {{ {}", resources(tape));
        let mut read: Vec<String> = Vec::new();
        if tape.once_in(3) {
            for store in stores {
                if !tape.once_in(3) {
                    read.push(format!("\"{}\"", store.name));
                }
            }
            if alerts && tape.once_in(2) {
                read.push("\"alertmanager\"".to_owned());
            }
        }
        if !read.is_empty() {
            let _ = write!(out, "reads {}; ", read.join(" "));
        }
        out.push_str(tape.pick(&[
            "",
            "admin_user \"ops\"; admin_password (secret)\"grafana/pass\"; ",
            "admin_password (env)\"ADMIN_PASS\"; ",
        ]));
        out.push_str("}\n");
    }
}
