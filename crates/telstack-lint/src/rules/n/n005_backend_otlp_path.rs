use telstack_catalog::{Signal, SignalSet, container, sdk};
use telstack_diagnostics::{Diagnostic, Fix, RuleInfo, Severity};
use telstack_system::{Dial, Listener, Protocol, Purpose};

use crate::{
    Cx, Rule,
    facts::{Link, flags},
    repair,
    words::is_reference,
};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        code: "N005",
        name: "backend-otlp-path",
        severity: Severity::Error,
        summary: "Telemetry is sent to the right port of a store, but below a path that the store does not serve.",
        why: "Stores take OTLP over HTTP below a path of their own (`/otlp`, `/api/v1/otlp`), and remote write at one \
              exact path. Anything else is answered with 404, which exporters treat as permanent: the data is dropped \
              without a retry.",
        bad: r#"collector "agent" {
    receiver "otlp"
    exporter "otlp_http" { endpoint "http://loki:3100/loki/api/v1/push" }
    pipeline "logs" { from "otlp"; to "otlp_http" }
}"#,
        good: r#"collector "agent" {
    receiver "otlp"
    exporter "otlp_http" { endpoint "http://loki:3100/otlp" }
    pipeline "logs" { from "otlp"; to "otlp_http" }
}"#,
        silent: "The target is not part of the stack, the path or what it is served below comes from the environment, \
                 or the protocol is already wrong (N002).",
        sources: &[
            "https://github.com/grafana/loki/issues/14037",
            "https://github.com/grafana/loki/issues/14238",
            "https://github.com/prometheus/prometheus/issues/18358",
        ],
    },
    check,
};

fn check(cx: &mut Cx<'_>) {
    for link in cx.facts.links.iter().filter(|link| link.purpose == Purpose::Telemetry) {
        let Some(listener) = link.answer() else { continue };
        let dial = &link.dial;
        if dial.protocol == Protocol::OTLP_HTTP && (dial.only.is_some() || !listener.paths.is_empty()) {
            whole(cx, link, listener);
            continue;
        }
        let wanted = if dial.protocol == Protocol::OTLP_HTTP {
            listener.base.as_deref().unwrap_or_default()
        } else if let Some(path) = &listener.path {
            path
        } else {
            continue;
        };
        if is_reference(&dial.path)
            || is_reference(wanted)
            || bare(&dial.path) == bare(wanted)
            || is_doubled(dial, &bare(wanted))
        {
            continue;
        }
        let below = if dial.protocol == Protocol::OTLP_HTTP { " before `/v1/…`" } else { "" };
        let message = otherwise(link, &link.to.title(), wanted);
        let finding = cx
            .finding(message, &dial.origin, format!("{}{below}", shown(&dial.path)))
            .label(listener.origin.span(), format!("takes {} with {}{below}", dial.protocol, shown(wanted)))
            .help(format!("end the endpoint with {}: `http://{}/{}`", shown(wanted), link.address(), bare(wanted)));
        let finding = link.shows_the_way(finding);
        let finding = match link.better() {
            Some(better) => finding.help(better),
            None => finding,
        };
        let exact = dial.component.is_some() && link.from.collector().is_some() && link.through.is_none();
        let change = repair::path(dial, wanted).filter(|_| exact && cx.system.from_files);
        let fix = change.map(|it| Fix::safe(format!("end it with {}", shown(wanted)), it));
        cx.report(repair::with(finding, fix));
    }
    queries(cx);
    for link in cx.facts.links.iter().filter(|it| it.purpose == Purpose::Telemetry) {
        if let Some(finding) = at_others(cx, link) {
            cx.report(finding);
        }
    }
}

/// Who sends where, and which path is wanted there.
fn otherwise(link: &Link<'_>, taker: &str, wanted: &str) -> String {
    let (dialer, dial, address) = (link.dialer(), &link.dial, link.address());
    let (given, wanted) = (shown(&dial.path), shown(wanted));
    format!("{dialer} sends {} to `{address}` with {given}, but {taker} takes it with {wanted}", dial.protocol)
}

/// A program that is none of the products, and takes OTLP below a path of its own. Older releases had others, which
/// are named alike.
fn at_others(cx: &Cx<'_>, link: &Link<'_>) -> Option<Diagnostic> {
    const ALIKE: &str = "opentelemetry";
    let container = link.to.container.as_ref().filter(|_| link.to.external().is_some() && link.through.is_none())?;
    let fact = container::otlp_http(&container.image.value.repository)?;
    let dial = &link.dial;
    let moved = flags(link.to).iter().any(|flag| fact.moved_by.iter().any(|it| flag.name.starts_with(it.as_str())));
    let here = dial.protocol == Protocol::OTLP_HTTP && dial.port == fact.port && dial.only.is_none();
    if !here || moved || link.via.is_some() || is_reference(&dial.path) || dial.path.contains(ALIKE) {
        return None;
    }
    let message = otherwise(link, &fact.what, &fact.base);
    let finding = cx
        .finding(message, &dial.origin, format!("{} before `/v1/…`", shown(&dial.path)))
        .label(link.to.span(), format!("{} runs here", fact.what))
        .help(format!("end the endpoint with {}: `http://{}{}`", shown(&fact.base), link.address(), fact.base));
    let change = repair::path(dial, &fact.base).filter(|_| link.from.collector().is_some() && cx.system.from_files);
    Some(repair::with(finding, change.map(|it| Fix::safe(format!("end it with {}", shown(&fact.base)), it))))
}

/// A path without the slashes around it.
fn bare(path: &str) -> String {
    path.trim_matches('/').to_owned()
}

/// A path in words.
fn shown(path: &str) -> String {
    if bare(path).is_empty() { "no path".to_owned() } else { format!("`/{}`", bare(path)) }
}

/// The same signal by signal, where an address is for one only, or the other end takes one elsewhere.
fn whole(cx: &mut Cx<'_>, link: &Link<'_>, listener: &Listener) {
    let dial = &link.dial;
    let signals = dial.only.map_or(link.signals, |it| SignalSet::of(&[it]));
    // An address for one signal without any path is N004's; the path of profiles is not settled.
    if is_reference(&dial.path) || dial.only.is_some() && bare(&dial.path).is_empty() {
        return;
    }
    for signal in signals.iter().filter(|it| *it != Signal::Profiles && listener.signals.contains(*it)) {
        let posts = match dial.only {
            Some(_) => dial.path.clone(),
            None if is_doubled(dial, &bare(listener.base.as_deref().unwrap_or_default())) => return,
            None => format!("{}/v1/{signal}", dial.path.trim_end_matches('/')),
        };
        let Some(wanted) = listener.path_of(signal).filter(|it| !is_reference(it) && bare(it) != bare(&posts)) else {
            continue;
        };
        let message = format!(
            "{} posts {signal} to `{}` with {}, but {} takes them with {}",
            link.dialer(),
            link.address(),
            shown(&posts),
            link.to.title(),
            shown(&wanted),
        );
        let address = format!("http://{}/{}", link.address(), bare(&wanted));
        let help = match (dial.only, &dial.component) {
            (Some(_), _) => format!("end the address with {}: `{address}`", shown(&wanted)),
            (None, Some(_)) => format!("write `{signal}_endpoint: {address}`, which is taken as it is"),
            (None, None) => {
                let own = sdk::of_signal(signal).map_or("", |it| it.endpoint.as_str());
                format!("set `{own}={address}`, which is taken as it is")
            }
        };
        let finding = cx
            .finding(message, &dial.origin, format!("posts {signal} with {}", shown(&posts)))
            .label(listener.origin.span(), format!("takes {signal} with {}", shown(&wanted)))
            .help(help);
        let exact = dial.only.is_some() && dial.component.is_some() && link.through.is_none();
        let change = repair::path(dial, &wanted).filter(|_| exact && cx.system.from_files);
        let fix = change.map(|it| Fix::safe(format!("end it with {}", shown(&wanted)), it));
        cx.report(repair::with(link.shows_the_way(finding), fix));
    }
}

/// Data sources that ask a store below another path than it answers on.
fn queries(cx: &mut Cx<'_>) {
    let facts = cx.facts;
    for link in facts.links.iter().filter(|link| link.purpose == Purpose::Query) {
        let base = link.answer().filter(|it| it.name == QUERY).and_then(|it| it.base.as_deref());
        let Some(base) = base.map(|it| it.trim_matches('/')).filter(|it| !it.is_empty()) else { continue };
        let sources = link.from.viewer().map(|it| it.data_sources.as_slice()).unwrap_or_default();
        let source = sources.iter().find(|it| it.url.origin == link.dial.origin);
        // Others ask for other things: rules, alerts.
        let asks = source.is_some_and(|it| it.ty == ASKS);
        let path = link.dial.path.trim_matches('/');
        if !asks || path == base || is_reference(path) || is_reference(base) {
            continue;
        }
        let message = format!("{} queries `{}`, which answers below `/{base}`", link.dialer(), link.address());
        let remark = if path.is_empty() { "no path".to_owned() } else { format!("`/{path}`") };
        let finding = cx
            .finding(message, &link.dial.origin, remark)
            .label(link.to.span(), format!("{} answers below `/{base}`", link.to.title()))
            .help(format!("write `http://{}/{base}`", link.address()));
        cx.report(link.shows_the_way(finding));
    }
}

/// The name of a listener that answers queries.
const QUERY: &str = "query";
/// The type of data source that asks in Prometheus's words.
const ASKS: &str = "prometheus";

/// Is all that is wrong the path of a signal, which the exporter adds by itself (N004)?
fn is_doubled(dial: &Dial, wanted: &str) -> bool {
    let Some(at) = dial.path.find("/v1/").filter(|_| dial.protocol == Protocol::OTLP_HTTP) else { return false };
    let rest = dial.path[at + 4..].trim_end_matches('/');
    dial.path[..at].trim_matches('/') == wanted && Signal::parse(rest).is_some()
}

#[cfg(test)]
mod tests {
    use telstack_diagnostics::Applicability;

    use telstack_system::{Edge, Listener, Protocol};

    use crate::test_support::Bench;

    fn loki(path: &'static str) -> impl FnOnce(&mut Edge, &mut Listener) {
        move |edge, listener| {
            let dial = edge.dial.as_mut().expect("dial");
            (dial.protocol, dial.path) = (Protocol::OTLP_HTTP, path.to_owned());
            (listener.protocol, listener.base) = (Protocol::OTLP_HTTP, Some("/otlp".to_owned()));
        }
    }

    #[test]
    fn fails_on_another_path() {
        Bench::link(loki("/loki/api/v1/push")).finds("N005", "dials");
        Bench::link(loki("")).finds("N005", "dials");
    }

    #[test]
    fn fails_on_another_remote_write_path() {
        let bench = Bench::link(|edge, listener| {
            let dial = edge.dial.as_mut().expect("dial");
            (dial.protocol, dial.path) = (Protocol::REMOTE_WRITE, "/api/v1/push".to_owned());
            (listener.protocol, listener.path) = (Protocol::REMOTE_WRITE, Some("/api/v1/write".to_owned()));
        });
        bench.finds("N005", "dials");
    }

    #[test]
    fn silent_on_the_path_of_a_signal_alone() {
        Bench::link(loki("/otlp/v1/logs")).silent("N005");
        Bench::link(loki("/v1/logs")).finds("N005", "dials");
    }

    #[test]
    fn passes_on_the_path_served() {
        Bench::link(loki("/otlp/")).silent("N005");
    }

    #[test]
    fn silent_when_the_path_is_not_known() {
        Bench::link(loki("/${env:PREFIX}/otlp")).silent("N005");
    }

    const VM: &str = "victoriametrics/victoria-metrics:v1.110.0";

    #[test]
    fn stores_that_are_none_of_the_products() {
        let vm = |path: &str, service: &str| {
            let compose = format!(
                "services:\n  otel:\n    image: otel/opentelemetry-collector:0.158.0\n    volumes: \
                 ['./o.yaml:/etc/otelcol/config.yaml']\n  vm:\n    image: {service}\n"
            );
            let otel = format!(
                "receivers: {{otlp: {{protocols: {{grpc: }}}}}}\nexporters: {{otlp_http: {{endpoint: \
                 'http://vm:8428{path}'}}}}\nservice: {{pipelines: {{metrics: {{receivers: [otlp], exporters: \
                 [otlp_http]}}}}}}\n"
            );
            Bench::project(&[("compose.yaml", &compose), ("o.yaml", &otel)])
        };
        vm("", VM).finds("N005", "'http://vm:8428'");
        vm("/api/v1/write", VM).finds("N005", "'http://vm:8428/api/v1/write'");
        for path in ["/opentelemetry", "/opentelemetry/api/v1/push", "/${env:P}"] {
            vm(path, VM).silent("N005");
        }
        vm("", "acme/vm:1").silent("N005");
        vm("", &format!("{VM}\n    command: ['-http.pathPrefix=/x']")).silent("N005");
    }

    #[test]
    fn the_path_can_be_put_right() {
        let compose = "services:\n  otel:\n    image: otel/opentelemetry-collector:0.158.0\n    volumes: \
                       ['./o.yaml:/etc/otelcol/config.yaml']\n  loki:\n    image: grafana/loki:3.5.0\n";
        let otel = |path: &str| {
            format!(
                "receivers: {{otlp: {{protocols: {{grpc: }}}}}}\nexporters:\n  otlp_http:\n    endpoint: \
                 'http://loki:3100{path}' # logs\n    headers: {{X-Scope-OrgID: a}}\nservice: {{pipelines: {{logs: \
                 {{receivers: [otlp], exporters: [otlp_http]}}}}}}\n"
            )
        };
        for wrong in ["", "/", "/loki/api/v1/push"] {
            let bench = Bench::project(&[("compose.yaml", compose), ("o.yaml", &otel(wrong))]);
            assert_eq!(bench.fixed("N005", &otel("/otlp")), Applicability::Safe, "{wrong}");
        }
    }

    #[test]
    fn the_path_is_below_the_prefix_of_the_store() {
        let writes = |image: &str, flags: &str, url: &str| {
            let compose = format!(
                "services:\n  agent:\n    image: prom/prometheus:v3.5.0\n    command: [--config.file=/a.yml]\n    volumes: \
                 ['./a.yml:/a.yml']\n  store:\n    image: {image}\n    command: [{flags}]\n    volumes: \
                 ['./s.yml:/s.yml']\n"
            );
            let agent = format!("remote_write: [{{url: '{url}'}}]\n");
            let store = if image.contains("mimir") { "multitenancy_enabled: false\n" } else { "scrape_configs: []\n" };
            Bench::project(&[("compose.yaml", &compose), ("a.yml", &agent), ("s.yml", store)])
        };
        let prometheus = |prefix: &str, path: &str| {
            let flags = format!("--config.file=/s.yml, --web.enable-remote-write-receiver, '{prefix}'");
            writes("prom/prometheus:v3.5.0", &flags, &format!("http://store:9090{path}"))
        };
        for prefix in ["--web.route-prefix=/prom", "--web.external-url=https://example.com/prom/"] {
            prometheus(prefix, "/prom/api/v1/write").silent("N005");
            prometheus(prefix, "/api/v1/write").finds("N005", "'http://store:9090/api/v1/write'");
        }
        prometheus("--web.external-url=https://example.com", "/api/v1/write").silent("N005");
        prometheus("--web.external-url=https://example.com", "/prom/api/v1/write")
            .finds("N005", "'http://store:9090/prom/api/v1/write'");
        for unknown in ["--web.route-prefix=${PREFIX}", "--web.external-url=${URL}"] {
            prometheus(unknown, "/prom/api/v1/write").silent("N005");
        }
        let mimir = |path: &str| {
            let flags = "-config.file=/s.yml, -server.path-prefix=/m";
            writes("grafana/mimir:2.17.0", flags, &format!("http://store:8080{path}"))
        };
        mimir("/m/api/v1/push").silent("N005");
        mimir("/api/v1/push").finds("N005", "'http://store:8080/api/v1/push'");
    }

    /// A collector that sends, and what answers: another one, or Loki.
    fn sent(exporter: &str, signal: &str, receiver: &str) -> Bench {
        let compose = "services:\n  otel:\n    image: otel/opentelemetry-collector:0.158.0\n    volumes: \
                       ['./o.yaml:/etc/otelcol/config.yaml']\n  gw:\n    image: otel/opentelemetry-collector:0.158.0\n    \
                       volumes: ['./gw.yaml:/etc/otelcol/config.yaml']\n  loki:\n    image: grafana/loki:3.5.0\n";
        let otel = format!(
            "receivers: {{otlp: {{protocols: {{grpc: }}}}}}\nexporters: {{otlp_http: {{{exporter}}}}}\nservice: {{pipelines: \
             {{{signal}: {{receivers: [otlp], exporters: [otlp_http]}}}}}}\n"
        );
        let gw = format!(
            "receivers: {{otlp: {{protocols: {{http: {{endpoint: '0.0.0.0:4318'{receiver}}}}}}}}}\nexporters: {{debug: \
             }}\nservice: {{pipelines: {{{signal}: {{receivers: [otlp], exporters: [debug]}}}}}}\n"
        );
        Bench::project(&[("compose.yaml", compose), ("o.yaml", &otel), ("gw.yaml", &gw)])
    }

    #[test]
    fn a_receiver_can_take_a_signal_at_a_path_of_its_own() {
        let own = ", traces_url_path: /ingest/traces";
        sent("traces_endpoint: 'http://gw:4318/ingest/traces'", "traces", own).silent("N005");
        let base = sent("endpoint: 'http://gw:4318'", "traces", own);
        base.finds("N005", "'http://gw:4318'");
        base.leaves("N005");
        sent("traces_endpoint: 'http://gw:4318/v1/traces'", "traces", own).finds("N005", "'http://gw:4318/v1/traces'");
        // Other signals are taken where they always are, and run time may say where.
        sent("endpoint: 'http://gw:4318'", "metrics", own).silent("N005");
        sent("endpoint: 'http://gw:4318'", "traces", ", traces_url_path: '${env:PATH_OF_TRACES}'").silent("N005");
        sent("endpoint: 'http://gw:4318/ingest'", "traces", ", traces_url_path: ingest/v1/traces").silent("N005");
    }

    #[test]
    fn an_address_for_one_signal_is_taken_as_it_is() {
        let loki = |address: &str| sent(&format!("logs_endpoint: '{address}'"), "logs", "");
        loki("http://loki:3100/otlp/v1/logs").silent("N005");
        loki("http://loki:3100/otlp").finds("N005", "'http://loki:3100/otlp'");
        let bare = loki("http://loki:3100");
        bare.silent("N005");
        assert!(bare.helps("N004").iter().any(|it| it.contains("`http://loki:3100/otlp/v1/logs`")));
        let program = |address: &str| {
            let compose = format!(
                "services:\n  app:\n    image: acme/app:1\n    environment:\n      OTEL_EXPORTER_OTLP_LOGS_ENDPOINT: \
                 {address}\n      OTEL_EXPORTER_OTLP_PROTOCOL: http/protobuf\n  loki:\n    image: grafana/loki:3.5.0\n"
            );
            Bench::project(&[("compose.yaml", &compose)])
        };
        program("http://loki:3100/otlp").finds("N005", "http://loki:3100/otlp");
        program("http://loki:3100/otlp/v1/logs").silent("N005");
    }

    #[test]
    fn tempo_takes_spans_where_nothing_names_a_receiver() {
        let sends = |receivers: &str, port: &str| {
            let compose = "services:\n  otel:\n    image: otel/opentelemetry-collector:0.158.0\n    volumes: \
                           ['./o.yaml:/etc/otelcol/config.yaml']\n  tempo:\n    image: grafana/tempo:2.8.1\n    command: \
                           [-config.file=/t.yml]\n    volumes: ['./t.yml:/t.yml']\n";
            let otel = format!(
                "receivers: {{otlp: {{protocols: {{grpc: }}}}}}\nexporters: {{otlp_grpc: {{endpoint: 'tempo:{port}', tls: \
                 {{insecure: true}}}}}}\nservice: {{pipelines: {{traces: {{receivers: [otlp], exporters: [otlp_grpc]}}}}}}\n"
            );
            let tempo = format!("storage: {{trace: {{backend: local}}}}\n{receivers}");
            Bench::project(&[("compose.yaml", compose), ("o.yaml", &otel), ("t.yml", &tempo)])
        };
        sends("", "4317").silent("N003");
        sends("distributor: {receivers: {}}\n", "4317").silent("N003");
        sends("", "4318").finds("N003", "'tempo:4318'");
        sends("distributor: {receivers: {zipkin: {endpoint: '0.0.0.0:9411'}}}\n", "4317").finds("N003", "'tempo:4317'");
    }

    #[test]
    fn fails_on_queries_beside_the_path_of_mimir() {
        let grafana = |url: &str, ty: &str| {
            let compose = "services:\n  mimir:\n    image: grafana/mimir:2.17.0\n    command: [-config.file=/m.yml]\n    volumes: \
                           ['./m.yml:/m.yml']\n  grafana:\n    image: grafana/grafana:12.0.0\n    volumes: \
                           ['./data.yml:/etc/grafana/provisioning/datasources/data.yml']\n";
            let data = format!("datasources: [{{name: m, type: {ty}, url: '{url}'}}]\n");
            let mimir = "multitenancy_enabled: false\nserver: {http_listen_port: 9009}\n";
            Bench::project(&[("compose.yaml", compose), ("data.yml", &data), ("m.yml", mimir)])
        };
        grafana("http://mimir:9009", "prometheus").finds("N005", "'http://mimir:9009'");
        grafana("http://mimir:9009/prometheus", "prometheus").silent("N005");
        grafana("http://mimir:9009/alertmanager", "alertmanager").silent("N005");
        // Another port than it is told to use.
        grafana("http://mimir:8080/prometheus", "prometheus").finds("G003", "'http://mimir:8080/prometheus'");
    }
}
