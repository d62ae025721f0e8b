use telstack_catalog::{ComponentKind, otelcol::Transport, product};
use telstack_diagnostics::{Diagnostic, RuleInfo, Severity};
use telstack_system::{
    Bind, Collector, ComponentId, Container, Known, Listener, Node, Origin, ProbeAction, Protocol, Tls,
};

use crate::{Cx, Rule, facts::opens_unknown_ports, repair, words::is_reference};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        code: "K001",
        name: "probe-without-health-check",
        severity: Severity::Error,
        summary: "A probe asks a collector where nothing answers it.",
        why: "A collector answers probes only by the extension `health_check`: declared, listed in \
              `service.extensions`, and on an address that the kubelet reaches. Without, the probe is refused, the \
              container is killed again and again (`CrashLoopBackOff`), or its pod never gets ready and no Service \
              sends to it.",
        bad: r"livenessProbe:
  httpGet: {path: /, port: 13133}
---
service:
  pipelines: …",
        good: r"livenessProbe:
  httpGet: {path: /, port: 13133}
---
extensions:
  health_check:
    endpoint: 0.0.0.0:13133
service:
  extensions: [health_check]
  pipelines: …",
        silent: "An operator makes the pod, and its probes; a patch may change them; the probe runs a command that is not known; part of the \
                 configuration stands elsewhere; another extension may answer; a component opens a port that only run \
                 time knows, or one that the catalog does not know.",
        sources: &[
            "https://github.com/open-telemetry/opentelemetry-collector-contrib/issues/29558",
            "https://github.com/open-telemetry/opentelemetry-collector-contrib/issues/24655",
            "https://github.com/open-telemetry/opentelemetry-operator/issues/3688",
        ],
    },
    check,
};

/// The extension that answers.
const EXTENSION: &str = "health_check";
/// Where it answers unless told otherwise.
const EVERYTHING: &str = "/";

/// Who asks, and for what.
struct Asks<'a> {
    /// `the liveness probe`.
    what: String,
    origin: &'a Origin,
    port: u16,
    /// The path; none for a mere connection.
    path: Option<&'a str>,
    tls: bool,
    /// From inside of the container?
    inside: bool,
}

fn check(cx: &mut Cx<'_>) {
    for (_, node) in cx.system.nodes() {
        let (Some(collector), Some(container)) = (node.collector(), &node.container) else { continue };
        if container.pod.as_deref().is_some_and(|pod| pod.operated || pod.patched) {
            continue;
        }
        let mut told: Vec<u16> = Vec::new();
        for asks in probes(cx, node, container).into_iter().chain(health_check(container)) {
            // Several probes of one port are one mistake.
            if told.contains(&asks.port) {
                continue;
            }
            if let Some(finding) = judge(cx, node, collector, &asks) {
                told.push(asks.port);
                let others = container.probes.iter().filter_map(telstack_system::Probe::port);
                let also = others
                    .filter(|it| it.origin != *asks.origin && container.port_number(&it.value) == Some(asks.port));
                cx.report(also.fold(finding, |finding, it| finding.label(it.origin.span(), "so does this one")));
            }
        }
    }
}

fn probes<'a>(cx: &mut Cx<'_>, node: &Node, container: &'a Container) -> Vec<Asks<'a>> {
    let mut found = Vec::new();
    for probe in &container.probes {
        let Some(port) = probe.port() else { continue };
        let Some(number) = container.port_number(&port.value) else {
            let message = format!("{} of `{}` asks for a port that has no such name", probe.kind.title(), node.name);
            let names: Vec<String> = container.ports.iter().filter_map(|it| it.name.clone()).collect();
            let mut finding = cx.finding(message, &port.origin, format!("no port is called `{}`", port.value));
            finding = match names.as_slice() {
                [] => finding.help("write its number, or give a port of the container that name"),
                names => finding.help(format!("ports of this container are called {}", crate::words::ticked(names))),
            };
            cx.report(finding);
            continue;
        };
        let elsewhere = |host: &Option<String>| host.as_deref().is_some_and(|it| Bind::parse(it) != Bind::Loopback);
        let (path, tls, host) = match &probe.action {
            ProbeAction::Http { path, host, tls, .. } => (Some(path.as_str()), *tls, host),
            ProbeAction::Tcp { host, .. } => (None, false, host),
            ProbeAction::Grpc { .. } | ProbeAction::Exec(_) => continue,
        };
        if elsewhere(host) {
            continue;
        }
        let inside = host.is_some() && container.pod.as_deref().is_some_and(|pod| pod.host_network.is_some());
        let what = probe.kind.title().to_owned();
        found.push(Asks { what, origin: &port.origin, port: number, path, tls, inside });
    }
    found
}

/// What compose asks inside of the container, where its image has the program for it.
fn health_check(container: &Container) -> Option<Asks<'_>> {
    let health = container.health.as_ref()?;
    let image = &container.image.value;
    let facts = product::image_facts(&image.repository, &image.tag)?;
    let words = || health.command.iter().flat_map(|word| word.split_whitespace());
    let program = words().next()?.rsplit('/').next()?;
    let there = match program {
        "wget" => facts.has_wget,
        "curl" => facts.has_curl,
        _ => false,
    };
    let (_, rest) = words().find_map(|word| {
        let (scheme, rest) = word.trim_matches(['"', '\'']).split_once("://")?;
        (scheme == "http").then_some((scheme, rest))
    })?;
    let (address, path) = rest.find('/').map_or((rest, EVERYTHING), |at| rest.split_at(at));
    let (host, port) = address.rsplit_once(':')?;
    let local = there && Bind::parse(host) == Bind::Loopback;
    let (what, origin) = ("the health check".to_owned(), &health.origin);
    let port = port.parse().ok().filter(|_| local)?;
    Some(Asks { what, origin, port, path: Some(path), tls: false, inside: true })
}

fn judge(cx: &Cx<'_>, node: &Node, collector: &Collector, asks: &Asks<'_>) -> Option<Diagnostic> {
    let here = |it: &&Listener| it.port == asks.port && it.transport == Transport::Tcp;
    let Some(listener) = node.listeners.iter().find(here) else { return nothing(cx, node, collector, asks) };
    let start = |message: String, remark: String| {
        cx.finding(message, asks.origin, remark).label(listener.origin.span(), "what listens there")
    };
    let (what, name, port) = (&asks.what, &node.name, asks.port);
    if listener.bind == Bind::Loopback && !asks.inside {
        let message = format!("{what} of `{name}` asks port {port}, which only answers inside of the pod");
        let finding = start(message, "the kubelet asks the address of the pod".to_owned());
        return Some(finding.help(format!("bind every interface: `0.0.0.0:{port}`")));
    }
    let path = asks.path?;
    if matches!(listener.tls, Known::Value(Tls::Off)) && asks.tls {
        let message = format!("{what} of `{name}` asks with TLS, and port {port} speaks plain text");
        return Some(start(message, "`scheme: HTTPS`".to_owned()).help("leave `scheme` out"));
    }
    if [Protocol::OTLP_GRPC, Protocol::OTLP_HTTP].contains(&listener.protocol) {
        let message =
            format!("{what} of `{name}` asks port {port}, which takes {} and no such request", listener.protocol);
        let finding = start(message, format!("`GET {path}` fails there"));
        return Some(finding.help(format!("ask the extension `{EXTENSION}` instead")));
    }
    let health = listener.owner.as_ref().filter(|it| it.kind == ComponentKind::Extension && it.id.ty == EXTENSION)?;
    let extension = collector.component(ComponentKind::Extension, &health.id)?;
    let written = extension.setting("path")?;
    let served = written.as_str().filter(|it| !is_reference(it) && *it != EVERYTHING && it.starts_with('/'))?;
    if served.trim_end_matches('/') == path.trim_end_matches('/') || path.starts_with(&format!("{served}/")) {
        return None;
    }
    let message = format!("{what} of `{name}` asks for `{path}`, and `{}` answers at `{served}` only", health.id);
    Some(
        cx.finding(message, asks.origin, "answered 404")
            .label(written.mark.span(), "answers here")
            .help(format!("ask for `{served}`, or leave the extension's `path` out: then it answers everywhere")),
    )
}

/// Nothing listens on the port that is asked.
fn nothing(cx: &Cx<'_>, node: &Node, collector: &Collector, asks: &Asks<'_>) -> Option<Diagnostic> {
    let unknown = collector.may_have_more(ComponentKind::Extension)
        || collector.gaps.extensions
        || node.version().is_none()
        || opens_unknown_ports(node);
    let extensions = || collector.of_kind(ComponentKind::Extension);
    // There is a newer one by another name.
    let other = extensions().any(|it| it.id.ty != EXTENSION && it.id.ty.contains("health"));
    if unknown || other {
        return None;
    }
    let version = node.version()?;
    let declared = extensions().find(|it| it.id.ty == EXTENSION);
    let fact = telstack_catalog::otelcol::component(ComponentKind::Extension, EXTENSION)?;
    let usual = fact.listens(version).first().and_then(|it| it.port);
    let (what, name, port) = (&asks.what, &node.name, asks.port);
    let start = |remark: &str| {
        cx.finding(format!("{what} of `{name}` asks port {port}, where nothing answers"), asks.origin, remark)
    };
    match declared {
        None if usual == Some(port) => Some(
            start("refused, again and again")
                .label(collector_place(node), format!("this collector has no `{EXTENSION}`"))
                .help(format!("declare it: `extensions: {{{EXTENSION}: {{endpoint: 0.0.0.0:{port}}}}}`"))
                .help(format!("and start it: `service: {{extensions: [{EXTENSION}]}}`")),
        ),
        Some(extension) if !collector.is_enabled(&extension.id) => {
            let id: &ComponentId = &extension.id;
            let finding = start("refused, again and again")
                .label(extension.origin.span(), "declared, and not started")
                .help(format!("start it: add `{id}` to `service.extensions`"));
            let written = extension.setting("endpoint").map(|it| it.as_str().and_then(|it| it.rsplit_once(':')));
            let own = written.map_or(usual, |it| it.and_then(|(_, port)| port.parse().ok()));
            if let Some(own) = own.filter(|own| *own != port) {
                return Some(finding.help(format!("and ask port {own}, where it listens then")));
            }
            let fix = repair::enable(collector, id)
                .map(|changes| telstack_diagnostics::Fix::safe(format!("start `{id}`"), changes));
            Some(repair::with(finding, fix))
        }
        Some(extension) => {
            let listener = node.listeners.iter().find(|it| {
                it.owner.as_ref().is_some_and(|owner| owner.id == extension.id && owner.kind == extension.kind)
            })?;
            if mentions_port(node, port) {
                return None;
            }
            Some(
                start("another port than the extension's")
                    .label(listener.origin.span(), format!("answers on {}", listener.port))
                    .help(format!("ask port {}", listener.port)),
            )
        }
        None => None,
    }
}

/// May a component listen on that port in a way that the catalog does not know?
fn mentions_port(node: &Node, port: u16) -> bool {
    let end = format!(":{port}");
    node.collector()
        .is_some_and(|collector| collector.components.iter().any(|it| mentions(&it.settings, &end, i64::from(port))))
}

fn mentions(value: &telstack_system::Value, end: &str, port: i64) -> bool {
    value.as_str().is_some_and(|text| text.ends_with(end))
        || value.as_int() == Some(port)
        || value.as_seq().is_some_and(|items| items.iter().any(|it| mentions(it, end, port)))
        || value.as_map().is_some_and(|map| map.iter().any(|it| mentions(&it.value, end, port)))
}

/// Where a collector is configured, as far as anything of it is written.
fn collector_place(node: &Node) -> Option<telstack_diagnostics::Span> {
    let collector = node.collector()?;
    let written = collector.pipelines.first().map(|it| &it.origin);
    written.or(collector.components.first().map(|it| &it.origin)).and_then(Origin::span)
}

#[cfg(test)]
mod tests {
    use telstack_diagnostics::Severity;
    use telstack_system::{Probe, ProbeAction, ProbeKind, Sourced, TargetPort, WorkloadKind, passes};

    use crate::test_support::Bench;

    fn probed(port: u16, path: &str, yaml: &str) -> Bench {
        let mut bench = Bench::new("liveness");
        let yaml = format!("{yaml}\nreceivers: {{otlp: {{protocols: {{grpc: {{endpoint: '0.0.0.0:4317'}}}}}}}}");
        let id = bench.add_collector("otel", telstack_catalog::Distribution::Contrib, "0.158.0", &yaml);
        bench.in_pod(WorkloadKind::Deployment);
        let origin = bench.at("liveness");
        let port = Sourced::new(TargetPort::Number(port), origin.clone());
        let action = ProbeAction::Http { path: path.to_owned(), port, host: None, tls: false };
        let (initial_delay, period, timeout, failures) = (None, None, None, None);
        let kind = ProbeKind::Liveness;
        bench.container(id).probes.push(Probe { kind, action, initial_delay, period, timeout, failures, origin });
        let node = bench.node(id);
        let version = node.version().expect("a release");
        node.listeners = passes::collector_listeners(node.collector().expect("a collector"), version);
        bench
    }

    const PIPELINES: &str = "pipelines: {traces: {receivers: [otlp], exporters: [debug]}}";

    fn with(extension: &str, enabled: &str) -> String {
        format!("extensions: {{{extension}}}\nservice: {{extensions: [{enabled}], {PIPELINES}}}")
    }

    #[test]
    fn fails_without_the_extension() {
        let bench = probed(13133, "/", &format!("service: {{{PIPELINES}}}"));
        assert_eq!(bench.finds("K001", "liveness"), Severity::Error);
        probed(13133, "/", &with("health_check: {}", "")).finds("K001", "liveness");
        probed(13133, "/", &with("health_check: {endpoint: '0.0.0.0:13134'}", "health_check"))
            .finds("K001", "liveness");
    }

    #[test]
    fn fails_where_the_kubelet_does_not_reach_it_or_asks_for_something_else() {
        // Since 0.104.0 it binds localhost.
        probed(13133, "/", &with("health_check: {}", "health_check")).finds("K001", "liveness");
        let health = "health_check: {endpoint: '0.0.0.0:13133', path: /health}";
        probed(13133, "/healthz", &with(health, "health_check")).finds("K001", "liveness");
        probed(4317, "/", &with(health, "health_check")).finds("K001", "liveness");
    }

    #[test]
    fn passes_where_it_answers() {
        let health = "health_check: {endpoint: '0.0.0.0:13133'}";
        probed(13133, "/", &with(health, "health_check")).silent("K001");
        probed(13133, "/live", &with(health, "health_check")).silent("K001");
        probed(13133, "/", &with("health_check: {endpoint: '${env:MY_POD_IP}:13133'}", "health_check")).silent("K001");
    }

    #[test]
    fn hosts_that_only_run_time_knows_open_no_other_ports() {
        let pages = |endpoint: &str| {
            let yaml = format!(
                "extensions: {{zpages: {{endpoint: '{endpoint}'}}}}\nservice: {{extensions: [zpages], {PIPELINES}}}"
            );
            probed(13133, "/", &yaml)
        };
        pages("${env:MY_POD_IP}:55679").finds("K001", "liveness");
        pages("${env:MY_POD_IP}:${env:PORT}").silent("K001");
        pages("${env:ADDRESS:-0.0.0.0:55679}").silent("K001");
        pages("${env:ADDRESS}").silent("K001");
    }

    #[test]
    fn silent_when_something_else_may_answer() {
        probed(13133, "/", &with("healthcheckv2: {use_v2: true}", "healthcheckv2")).silent("K001");
        probed(13133, "/", &format!("service: {{extensions: '${{file:e.yaml}}', {PIPELINES}}}")).silent("K001");
        probed(8080, "/", &format!("service: {{{PIPELINES}}}")).silent("K001");
    }
}
