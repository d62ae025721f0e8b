use telstack_catalog::{Version, otelcol};
use telstack_diagnostics::{Fix, RuleInfo, Severity};
use telstack_system::{Bind, Network, Origin, Protocol, Purpose, Value};

use crate::{
    Cx, Rule,
    facts::{Arrival, Link},
    repair,
    words::own_metrics_at,
};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        code: "N003",
        name: "no-listener-on-peer-port",
        severity: Severity::Error,
        summary: "An address names a node of the stack on which nothing listens on that port.",
        why: "The connection is refused. An exporter retries until its queue is full and then drops; a scrape target \
              stays down; a data source shows an error on every panel.",
        bad: r#"collector "agent" {
    receiver "otlp"
    exporter "otlp_grpc" { endpoint "tempo:4319"; tls insecure=#true }
    pipeline "traces" { from "otlp"; to "otlp_grpc" }
}"#,
        good: r#"collector "agent" {
    receiver "otlp"
    pipeline "traces" { from "otlp"; to "tempo" }   // the port follows from what tempo listens on
}"#,
        silent: "The target is not part of the stack; its address or one of its own ports comes from the environment; \
                 it opens a port for a component that the catalog does not know.",
        sources: &[
            "https://github.com/open-telemetry/opentelemetry-operator/issues/3139",
            "https://github.com/alphagov/govuk-helm-charts/pull/3263",
        ],
    },
    check,
};

fn check(cx: &mut Cx<'_>) {
    sent_home(cx);
    // Scrapes are M004, and queries of Grafana G003.
    report(cx, |purpose| !matches!(purpose, Purpose::Scrape | Purpose::Query));
}

/// Reports links for some purpose that nobody answers.
pub(crate) fn report(cx: &mut Cx<'_>, concerns: impl Fn(Purpose) -> bool) {
    let facts = cx.facts;
    for link in facts.links.iter().filter(|it| concerns(it.purpose)) {
        let Arrival::NoSuchPort(service) = link.arrival else { continue };
        let message = format!("{} dials `{}`, but the Service has no such port", link.dialer(), link.address());
        let ports = service.ports.iter().map(|it| it.port.to_string()).collect::<Vec<_>>().join(", ");
        let mut finding = cx
            .finding(message, &link.dial.origin, format!("no such port of `{}`", service.name))
            .label(service.origin.span(), format!("its ports: {ports}"));
        for right in link.to.listeners.iter().filter(|it| it.protocol == link.dial.protocol) {
            finding = finding.help(link.way_to(right));
        }
        if finding.help.is_empty() {
            finding = finding.help(format!("add the port to the Service `{}`, or dial one that it has", service.name));
        }
        cx.report(finding);
    }
    let nothing = |link: &&Link<'_>| {
        concerns(link.purpose) && matches!(link.arrival, Arrival::Nothing) && link.published_as().is_none()
    };
    for link in facts.links.iter().filter(nothing) {
        let (dial, to) = (&link.dial, link.to);
        let message = format!("{} dials `{}`, where nothing listens", link.dialer(), link.address());
        let label = match (link.service, link.port()) {
            (Some(service), port) if port != dial.port => {
                format!("the Service `{}` leads to port {port} of `{}`", service.name, to.name)
            }
            _ => format!("no such port on `{}`", to.name),
        };
        let mut ports: Vec<u16> = to.listeners.iter().map(|listener| listener.port).collect();
        ports.sort_unstable();
        ports.dedup();
        let open = ports.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        let mut finding =
            cx.finding(message, &dial.origin, label).label(to.span(), format!("{} listens on {open}", to.title()));
        if let Some((off, version)) = metrics_off(link) {
            let address = format!("0.0.0.0:{}", link.port());
            let help = "leave `level` out of `service.telemetry.metrics`, and bind what others reach";
            cx.report(
                finding
                    .label(off.mark.span(), "switches the collector's own metrics off: nothing serves them")
                    .help(format!("{help}: {}", own_metrics_at(version, &address))),
            );
            continue;
        }
        for right in to.listeners.iter().filter(|it| it.protocol.is_spoken_by(dial.protocol)) {
            finding = finding.help(link.way_to(right));
        }
        match link.better() {
            Some(better) => finding = finding.help(better),
            None if finding.help.is_empty() => {
                let with =
                    if dial.protocol == Protocol::ANY { String::new() } else { format!(" with {}", dial.protocol) };
                let way = format!("let `{}` listen on port {}{with}", to.name, link.port());
                finding = finding.help(way);
            }
            None => {}
        }
        let fix = repair::port(link).map(|it| Fix::unsafe_("dial the port that is open for it", it));
        cx.report(repair::with(finding, fix));
    }
}

/// What switches off the metrics of its own that a collector is scraped for, and the release of it.
fn metrics_off<'a>(link: &Link<'a>) -> Option<(&'a Value, Version)> {
    let version = link.to.version()?;
    let own = link.purpose == Purpose::Scrape && link.port() == otelcol::telemetry(version).default_port;
    Some((link.to.collector().filter(|_| own)?.metrics_off()?, version))
}

/// A broker tells its clients where to come back to. `localhost` is their own container.
fn sent_home(cx: &mut Cx<'_>) {
    let mut told: Vec<&Origin> = Vec::new();
    for link in &cx.facts.links {
        let (Some(broker), Some(listener)) = (link.to.broker(), link.answer()) else { continue };
        let shares = link.from.container.as_ref().is_none_or(|it| it.network != Network::Own);
        let mine = broker.advertised.iter().find(|it| it.listener == listener.name && it.binds == Some(listener.port));
        let Some(sent) = mine.filter(|it| Bind::parse(&it.host) == Bind::Loopback) else { continue };
        if link.inside || shares || told.contains(&&sent.origin) {
            continue;
        }
        told.push(&sent.origin);
        let message = format!(
            "`{}` sends {} on to `{}:{}`, which is its own container",
            link.to.name,
            link.dialer(),
            sent.host,
            sent.port
        );
        let finding = cx
            .finding(message, &sent.origin, format!("clients of port {} are sent here", listener.port))
            .label(link.dial.origin.span(), "comes from another container")
            .help(format!("advertise the name that others dial: `{}:{}`", link.dial.host, listener.port))
            .help("give clients on the host a listener of their own, on another port");
        cx.report(finding);
    }
}

#[cfg(test)]
mod tests {
    use crate::test_support::Bench;

    #[test]
    fn fails_on_a_closed_port_and_says_nothing_else() {
        let bench = Bench::link(|edge, _| edge.dial.as_mut().expect("dial").port = 4319);
        bench.finds("N003", "dials");
        for code in ["N001", "N002", "N005", "N006"] {
            bench.silent(code);
        }
    }

    #[test]
    fn passes_on_an_open_port() {
        Bench::link(|_, _| {}).silent("N003");
    }

    #[test]
    fn silent_when_the_target_opens_ports_that_run_time_decides() {
        let mut bench = Bench::new("dials binds");
        let from = bench.add_collector("agent", telstack_catalog::Distribution::Contrib, "0.158.0", "");
        let yaml = "receivers: {otlp: {protocols: {grpc: {endpoint: '0.0.0.0:${env:PORT}'}}}}";
        let to = bench.add_collector("gateway", telstack_catalog::Distribution::Contrib, "0.158.0", yaml);
        let listener = bench.listener("health", 13133, "binds");
        bench.node(to).listeners.push(listener);
        let edge = bench.edge(telstack_system::Protocol::OTLP_GRPC, "gateway", 4317, "dials");
        bench.system.connect(from, to, edge);
        bench.silent("N003");
    }
}
