use telstack_catalog::product::{self, Need};
use telstack_diagnostics::{Fix, RuleInfo, Severity};
use telstack_system::{Node, Protocol, Store};

use crate::{Cx, Rule, facts::Arrival, repair};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        code: "M001",
        name: "remote-write-receiver-flag",
        severity: Severity::Error,
        summary: "Something writes to Prometheus, but Prometheus is started without its remote write receiver.",
        why: "Without the flag `/api/v1/write` answers 404, and the exporter drops the data as refused for good.",
        bad: r#"services:
  prometheus:
    image: prom/prometheus:v3.14.0
    command: ["--config.file=/etc/prometheus/prometheus.yml"]"#,
        good: r#"services:
  prometheus:
    image: prom/prometheus:v3.14.0
    command: ["--config.file=/etc/prometheus/prometheus.yml", "--web.enable-remote-write-receiver"]"#,
        silent: "The target is not a Prometheus of the stack, or its command line is not known; a metrics generator of Tempo \
                 that makes nothing (T001). A stack description \
                 need not say it: the flag follows from the link.",
        sources: &[
            "https://prometheus.io/docs/prometheus/latest/querying/api/#remote-write-receiver",
            "https://github.com/prometheus/prometheus/issues/16209",
        ],
    },
    check,
};

fn check(cx: &mut Cx<'_>) {
    judge(cx, Protocol::REMOTE_WRITE, "writes");
}

/// Reports who sends in a protocol to a server that takes it only with a flag, and is started without.
pub(crate) fn judge(cx: &mut Cx<'_>, protocol: Protocol, does: &str) {
    for link in cx.facts.links.iter().filter(|link| link.dial.protocol == protocol) {
        // It writes nothing, which T001 says; what is refused to it shows once it does.
        if link.from.store().is_some_and(Store::makes_no_metrics) {
            continue;
        }
        let (need, origin) = match &link.arrival {
            Arrival::Closed(endpoint) => (endpoint.needs, &link.to.origin),
            Arrival::Answer(listener) => {
                let unmet = listener.requirement.as_ref().filter(|it| !it.met);
                (unmet.map(|it| it.need), &listener.origin)
            }
            _ => continue,
        };
        let flag = match need {
            Some(Need::Flag(flag)) => flag.trim_start_matches('-').to_owned(),
            Some(Need::Feature(feature)) => format!("enable-feature={feature}"),
            Some(Need::Setting(_) | Need::Env(_)) | None => continue,
        };
        let message = format!("{} {does} to `{}`, which runs without `--{flag}`", link.dialer(), link.to.name);
        let mut finding = cx
            .finding(message, &link.dial.origin, format!("{does} to `{}`", link.address()))
            .label(origin.span(), format!("{} refuses it without the flag", link.to.title()));
        finding = link.shows_the_way(finding);
        if let Some(better) = link.better() {
            finding = finding.help(better);
        }
        let mut finding = finding.help(format!("start `{}` with `--{flag}`", link.to.name));
        if let Some(whole) = whole_command(link.to, &flag).filter(|_| cx.system.from_files) {
            finding = finding.note(format!("a command takes the place of the image's own: write all of it, `{whole}`"));
        }
        let container = link.to.container.as_ref().filter(|it| cx.system.from_files && it.pod.is_none());
        let change = container.and_then(|it| repair::argument(it, &format!("--{flag}")));
        cx.report(repair::with(finding, change.map(|it| Fix::safe(format!("start it with `--{flag}`"), it))));
    }
}

/// What to write where nothing is: the arguments of the image, which a command takes the place of, and the flag.
fn whole_command(node: &Node, flag: &str) -> Option<String> {
    let container = node.container.as_ref().filter(|it| it.command.is_empty() && it.base.is_none())?;
    let image = &container.image.value;
    let mut words = product::image_facts(&image.repository, &image.tag)?.default_args;
    if words.is_empty() {
        return None;
    }
    let flag = format!("--{flag}");
    words.push(&flag);
    let key = if container.pod.is_some() { "args" } else { "command" };
    Some(format!("{key}: [{}]", words.join(", ")))
}

#[cfg(test)]
mod tests {
    use telstack_diagnostics::Applicability;

    use telstack_catalog::product::{Need, Product};
    use telstack_system::{Edge, Flag, Listener, Protocol, Requirement};

    use crate::test_support::Bench;

    fn write(need: Option<bool>) -> impl FnOnce(&mut Edge, &mut Listener) {
        move |edge, listener| {
            edge.dial.as_mut().expect("dial").protocol = Protocol::REMOTE_WRITE;
            listener.protocol = Protocol::REMOTE_WRITE;
            let need_flag = Need::Flag("--web.enable-remote-write-receiver");
            listener.requirement = need.map(|met| Requirement { need: need_flag, met });
        }
    }

    #[test]
    fn fails_without_the_flag() {
        Bench::link(write(Some(false))).finds("M001", "dials");
    }

    #[test]
    fn fails_for_a_store_of_the_stack_that_nobody_opened() {
        let yaml = "exporters: {prometheusremotewrite: {endpoint: 'http://prometheus:9090/api/v1/write'}}\n\
                    service: {pipelines: {metrics: {receivers: [otlp], exporters: [prometheusremotewrite]}}}";
        let mut bench = Bench::collector("0.140.0", yaml);
        let id = bench.add(Product::Prometheus, "3.14.0");
        let mut query = bench.listener("query", 9090, "service");
        query.protocol = Protocol::HTTP;
        bench.node(id).listeners.push(query);
        bench.finds("M001", "'http://prometheus:9090/api/v1/write'");
        bench.silent("N002");
        let origin = bench.at("service");
        let flag = Flag { name: "web.enable-remote-write-receiver".to_owned(), value: None, origin };
        bench.node(id).store_mut().and_then(|it| it.prometheus_mut()).expect("prometheus").flags.push(flag);
        bench.silent("M001");
    }

    #[test]
    fn fails_at_another_port_than_the_usual() {
        let of = |flag: &str| {
            let compose = format!(
                "services:\n  otel:\n    image: otel/opentelemetry-collector-contrib:0.140.0\n    volumes: \
                 ['./c.yaml:/etc/otelcol-contrib/config.yaml']\n  prom:\n    image: prom/prometheus:v3.5.0\n    command: \
                 [--config.file=/p.yml, '--web.listen-address=:9091'{flag}]\n    volumes: ['./p.yml:/p.yml']\n"
            );
            let otel = "receivers: {otlp: {protocols: {grpc: }}}\nexporters: {prometheusremotewrite: {endpoint: \
                        'http://prom:9091/api/v1/write'}}\nservice: {pipelines: {metrics: {receivers: [otlp], \
                        exporters: [prometheusremotewrite]}}}\n";
            Bench::project(&[("compose.yaml", &compose), ("c.yaml", otel), ("p.yml", "scrape_configs: []\n")])
        };
        of("").finds("M001", "'http://prom:9091/api/v1/write'");
        of("").silent("N002");
        of(", --web.enable-remote-write-receiver").silent("M001");
    }

    #[test]
    fn the_whole_command_where_none_is_written() {
        let notes = |prometheus: &str| {
            let compose = format!(
                "services:\n  otel:\n    image: otel/opentelemetry-collector-contrib:0.140.0\n    volumes: \
                 ['./c.yaml:/etc/otelcol-contrib/config.yaml']\n  prom:\n    {prometheus}\n"
            );
            let otel = "receivers: {otlp: {protocols: {grpc: }}}\nexporters: {prometheusremotewrite: {endpoint: \
                        'http://prom:9090/api/v1/write'}}\nservice: {pipelines: {metrics: {receivers: [otlp], \
                        exporters: [prometheusremotewrite]}}}\n";
            Bench::project(&[("compose.yaml", &compose), ("c.yaml", otel)]).notes("M001")
        };
        let whole = "a command takes the place of the image's own: write all of it, `command: \
                     [--config.file=/etc/prometheus/prometheus.yml, --storage.tsdb.path=/prometheus, \
                     --web.enable-remote-write-receiver]`";
        assert_eq!(notes("image: prom/prometheus:v3.5.0"), [whole]);
        let given = "image: prom/prometheus:v3.5.0\n    command: [--config.file=/etc/prometheus/prometheus.yml]";
        assert!(notes(given).is_empty());
    }

    #[test]
    fn a_feature_before_it_had_a_flag() {
        let writes = |version: &str, flag: &str| {
            let compose = format!(
                "services:\n  otel:\n    image: otel/opentelemetry-collector-contrib:0.140.0\n    volumes: \
                 ['./c.yaml:/etc/otelcol-contrib/config.yaml']\n  prom:\n    image: prom/prometheus:{version}\n    \
                 command: [--config.file=/p.yml{flag}]\n    volumes: ['./p.yml:/p.yml']\n"
            );
            let otel = "receivers: {otlp: {protocols: {grpc: }}}\nexporters: {prometheusremotewrite: {endpoint: \
                        'http://prom:9090/api/v1/write'}}\nservice: {pipelines: {metrics: {receivers: [otlp], \
                        exporters: [prometheusremotewrite]}}}\n";
            Bench::project(&[("compose.yaml", &compose), ("c.yaml", otel), ("p.yml", "scrape_configs: []\n")])
        };
        let feature = ", '--enable-feature=exemplar-storage,remote-write-receiver'";
        for version in ["v2.30.0", "v2.53.0"] {
            let given = writes(version, feature);
            given.silent("M001");
            given.silent("N002");
            let missing = writes(version, "");
            missing.finds("M001", "'http://prom:9090/api/v1/write'");
            missing.silent("N002");
        }
        let helps = writes("v2.30.0", "").helps("M001");
        assert!(helps.iter().any(|it| it.contains("--enable-feature=remote-write-receiver")), "{helps:?}");
        // It is a feature no more.
        writes("v3.5.0", feature).finds("M001", "'http://prom:9090/api/v1/write'");
    }

    #[test]
    fn passes_with_it() {
        Bench::link(write(Some(true))).silent("M001");
    }

    #[test]
    fn silent_when_nothing_is_needed_or_nobody_writes() {
        Bench::link(write(None)).silent("M001");
        Bench::link(|edge, listener| {
            write(Some(false))(edge, listener);
            edge.dial = None;
        })
        .silent("M001");
    }

    #[test]
    fn the_flag_can_be_given_in_a_list_and_in_a_line() {
        let otel = "receivers: {otlp: {protocols: {grpc: }}}\nexporters: {prometheusremotewrite: {endpoint: \
                    'http://prom:9090/api/v1/write'}}\nservice: {pipelines: {metrics: {receivers: [otlp], exporters: \
                    [prometheusremotewrite]}}}\n";
        for (before, after) in [
            (
                "[--config.file=/p.yml, '--x=1'] # why",
                "[--config.file=/p.yml, '--x=1', --web.enable-remote-write-receiver] # why",
            ),
            (
                "\n      - --config.file=/p.yml # mine\n      # more\n",
                "\n      - --config.file=/p.yml # mine\n      - --web.enable-remote-write-receiver\n      # more\n",
            ),
            ("'--config.file=/p.yml --x=1'", "'--config.file=/p.yml --x=1 --web.enable-remote-write-receiver'"),
        ] {
            let compose = |command: &str| {
                format!(
                    "services:\n  otel:\n    image: otel/opentelemetry-collector-contrib:0.140.0\n    volumes: \
                     ['./o.yaml:/etc/otelcol-contrib/config.yaml']\n  prom:\n    image: prom/prometheus:v3.0.0\n    volumes: \
                     ['./p.yml:/p.yml']\n    command: {command}\n"
                )
            };
            let files =
                [("compose.yaml", &*compose(before)), ("o.yaml", otel), ("p.yml", "global: {scrape_interval: 15s}\n")];
            assert_eq!(Bench::project(&files).fixed("M001", &compose(after)), Applicability::Safe);
        }
    }

    #[test]
    fn silent_while_the_generator_makes_nothing() {
        let project = |overrides: &str| {
            let compose = "services:\n  tempo:\n    image: grafana/tempo:2.8.0\n    command: [-config.file=/t.yaml]\n    volumes: \
                           ['./t.yaml:/t.yaml']\n  prometheus:\n    image: prom/prometheus:v3.4.0\n";
            let config = format!(
                "metrics_generator: {{storage: {{path: /g, remote_write: [{{url: 'http://prometheus:9090/api/v1/write'}}]}}}}\n{overrides}"
            );
            Bench::project(&[("compose.yaml", compose), ("t.yaml", &config)])
        };
        project("").silent("M001");
        assert!(project("").found().iter().any(|(code, ..)| *code == "T001"));
        let on = project("overrides: {defaults: {metrics_generator: {processors: [span-metrics]}}}\n");
        on.finds("M001", "'http://prometheus:9090/api/v1/write'");
        on.silent("T001");
    }
}
