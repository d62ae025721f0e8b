//! What a text is taken for, and what in it is still to be written.

mod common;

use std::path::{Path, PathBuf};

use common::{found, of_rules};
use telstack_workspace::{Checked, Input, MemoryFiles, Request, Told, check_all};

fn run(input: Input) -> Checked {
    let files = MemoryFiles::new([("travis.yml", TRAVIS), ("typo.yaml", "recievers:\n  otlp:\n")]);
    let request = Request { inputs: vec![input], ..Request::default() };
    let mut told = |_: &Path| Ok(Told::default());
    check_all(&files, &request, &mut told).expect("something to look at")
}

fn codes(checked: &Checked) -> Vec<&'static str> {
    checked.diagnostics.iter().map(|it| it.rule.code).collect()
}

const TRAVIS: &str = "language: go\nservices: [docker]\n";

#[test]
fn a_text_is_what_its_content_says() {
    let text = |text: &str| run(Input::Text("<stdin>".to_owned(), text.to_owned()));
    let haproxy = "global\n  maxconn 5\nfrontend x\n  bind :80\n  mode tcp\n  default_backend nope\n";
    assert_eq!(codes(&text(haproxy)), ["R022"]);
    assert_eq!(codes(&text("[security]\nadmin_password = admin\n")), ["X002"]);
    assert_eq!(codes(&text("services:\n  g:\n    image: grafana/grafana:latest\n")), ["V007"]);
    assert_eq!(codes(&text("recievers:\n  otlp:\n")), ["R004", "R005", "R005"]);
    assert_eq!(codes(&text("")), ["R005"]);
    for foreign in [TRAVIS, "hello\n", "a: b: c\n"] {
        let checked = text(foreign);
        assert!(checked.diagnostics.is_empty() && checked.left_alone.len() == 1, "{foreign}");
    }
}

#[test]
fn a_file_of_others_is_left_alone() {
    let named = |path: &str| run(Input::Path(PathBuf::from(path)));
    let checked = named("travis.yml");
    assert!(checked.diagnostics.is_empty());
    assert_eq!(checked.left_alone, [(PathBuf::from("travis.yml"), None)]);
    assert_eq!(codes(&named("typo.yaml")), ["R004", "R005", "R005"]);
}

/// A collector that sends to an address, with a timeout.
fn collector(endpoint: &str, timeout: &str) -> String {
    format!(
        "receivers:\n  otlp:\n    protocols:\n      grpc:\n        endpoint: 0.0.0.0:4317\nprocessors:\n  memory_limiter:\n    \
         check_interval: 1s\n    limit_mib: 400\n  batch:\n    timeout: {timeout}\nexporters:\n  otlp_http:\n    endpoint: \
         {endpoint}\nservice:\n  pipelines:\n    traces:\n      receivers: [otlp]\n      processors: [memory_limiter, \
         batch]\n      exporters: [otlp_http]\n"
    )
}

#[test]
fn what_is_still_to_be_written_is_not_known() {
    let of = |endpoint: &str, timeout: &str| found([("d/a.yaml", &collector(endpoint, timeout))]);
    let url = "http://gateway:4318";
    for endpoint in ["\"{{ .Values.t }}\"", "https://t-{{ .Name }}-gw:80/api", "[[ .Service.x.url ]]", "'%s'"] {
        assert_eq!(of(endpoint, "1s"), [""; 0], "{endpoint}");
    }
    for timeout in ["'{{ .Values.x }}'", "__TIMEOUT__", "'@@TIMEOUT@@'", "<SIZE>", "<FLUSH-INTERVAL>", "'%s'"] {
        assert_eq!(of(url, timeout), [""; 0], "{timeout}");
        let map = collector(url, timeout).lines().map(|line| format!("    {line}\n")).collect::<Vec<_>>().concat();
        let map = format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: a}}\ndata:\n  config.yaml: |\n{map}");
        assert_eq!(found([("d/a.yaml", &map)]), [""; 0], "{timeout}");
        let prometheus = format!("global: {{scrape_interval: {timeout}}}\nscrape_configs: []\n");
        assert_eq!(found([("d/a.yaml", &prometheus)]), [""; 0], "{timeout}");
    }
    assert_eq!(of("<your-otlp-endpoint>", "1s"), ["X005 d/a.yaml <your-otlp-endpoint>"]);
    assert_eq!(of(url, "soon"), ["Y003 d/a.yaml soon"]);
    assert_eq!(of("[[gateway]]", "1s"), ["Y002 d/a.yaml [[gateway]]"]);
    let prometheus = "global: {scrape_interval: soon}\nscrape_configs: []\n";
    assert_eq!(found([("d/a.yaml", prometheus)]), ["Y003 d/a.yaml soon"]);
}

#[test]
fn what_others_fill_in_is_left_alone() {
    let ytt = collector("#@ data.values.endpoint", "1s");
    let image = "otel/opentelemetry-collector-contrib:0.150.0";
    let compose =
        format!("services:\n  otel:\n    image: {image}\n    volumes: ['./a.yaml:/etc/otelcol-contrib/config.yaml']\n");
    assert_eq!(found([("d/a.yaml", &ytt), ("d/compose.yaml", &compose)]), [""; 0]);
    // A remark is none of ytt's: the address is missing.
    let remark = collector("# still to come", "1s");
    assert_eq!(of_rules([("d/a.yaml", &remark)], &["Y005"]).len(), 1);
    let prometheus = "scrape_configs: [{job_name: a, params: {id: [${IDS}]}}]\n";
    let sound = ("d/b.yaml", "receivers:\n  nop:\n");
    assert_eq!(found([("d/prometheus-template.yml", prometheus), sound]), [""; 0]);
    assert_eq!(of_rules([("d/prometheus.yml", prometheus), sound], &["R001"]).len(), 1);
}

#[test]
fn a_part_is_not_asked_for_what_it_lacks() {
    let part = "exporters:\n  otlp_http:\n    compression: gzip\n";
    assert_eq!(of_rules([("d/a.yaml", part)], &["Y005"]), [""; 0]);
    let whole = collector("a", "1s").replace("endpoint: a", "compression: gzip");
    assert_eq!(of_rules([("d/a.yaml", &whole)], &["Y005"]), ["Y005 error otlp_http"]);
}
