use telstack_catalog::product::Product;
use telstack_diagnostics::{Diagnostic, RuleInfo, Severity};
use telstack_system::{Bind, Container, DataSource, Network, Node, Purpose, link::Address};

use crate::{
    Cx, Rule,
    facts::{Link, mesh_marker},
    rules::n::{n002_protocol_port_mismatch as stranger, n003_no_listener_on_peer_port as nobody},
    words::either,
};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        code: "G003",
        name: "datasource-url-unreachable",
        severity: Severity::Error,
        summary: "A data source of Grafana leads to a port that nobody answers queries on, to a store of another type, \
                  or to Grafana's own container.",
        why: "Every panel of it shows an error: `connection refused`, or `dial tcp 127.0.0.1`. Tempo's queries are on \
              3200, not on the port that spans go to; `localhost` is the container of Grafana itself.",
        bad: r"datasources:
  - name: Tempo
    type: tempo
    url: http://tempo:4317",
        good: r"datasources:
  - name: Tempo
    type: tempo
    url: http://tempo:3200",
        silent: "A type that belongs to none of the products that are known. The browser dials it (`access: direct`); Grafana shares a network with the host or with others; the \
                 target is not part of what is checked.",
        sources: &[
            "https://github.com/grafana/grafana/issues/46434",
            "https://github.com/grafana/metrics-drilldown/pull/1222",
        ],
    },
    check,
};

fn check(cx: &mut Cx<'_>) {
    nobody::report(cx, |purpose| purpose == Purpose::Query);
    stranger::report(cx, |purpose| purpose == Purpose::Query);
    for (_, node) in cx.system.nodes() {
        let sources = node.viewer().map(|it| it.data_sources.as_slice()).unwrap_or_default();
        for source in sources.iter().filter(|it| !it.by_browser) {
            if let Some(finding) = itself(cx, node, source) {
                cx.report(finding);
            }
            let of_it = |link: &&Link<'_>| link.purpose == Purpose::Query && link.dial.origin == source.url.origin;
            for link in cx.facts.links.iter().filter(of_it) {
                if let Some(finding) = of_another_type(cx, source, link) {
                    cx.report(finding);
                }
            }
        }
    }
}

/// A data source of one product's type that asks another product.
fn of_another_type(cx: &Cx<'_>, source: &DataSource, link: &Link<'_>) -> Option<Diagnostic> {
    let asked = |node: &Node| node.product().is_some_and(|it| it.data_sources().contains(&source.ty));
    let right = link.to.product()?.data_sources();
    let known = Product::ALL.iter().any(|it| it.data_sources().contains(&source.ty));
    if right.is_empty() || asked(link.to) || !known || link.through.is_some() || link.answer().is_none() {
        return None;
    }
    let message = format!(
        "data source `{}` is of type `{}`, and `{}` is {}, which answers none of its queries",
        source.name,
        source.ty,
        link.to.name,
        link.to.title()
    );
    let finding = cx.finding(message, &source.url.origin, format!("a data source of type `{}`", source.ty));
    let finding = finding.label(link.to.span(), format!("answers data sources of type {}", either(right)));
    let mut others = cx.system.nodes().filter(|(_, node)| asked(node));
    let finding = match (others.next(), others.next()) {
        (Some((_, one)), None) => finding.help(format!("dial `{}`, which is {}", one.name, one.title())),
        _ => finding,
    };
    Some(finding.help(format!("or let its type be {}", either(right))))
}

/// A data source that is said to be in Grafana's own container.
fn itself(cx: &Cx<'_>, node: &Node, source: &DataSource) -> Option<Diagnostic> {
    let container = node.container.as_ref().filter(|it| it.network == Network::Own && is_alone(cx, node, it))?;
    let address = Address::parse(&source.url.value).filter(|it| Bind::parse(&it.host) == Bind::Loopback)?;
    let port = address.port_or_default();
    if node.listeners.is_empty() || node.listeners.iter().any(|it| it.port == port) || container.gaps.files {
        return None;
    }
    let own = if container.pod.is_some() { "pod" } else { "container" };
    let message = format!(
        "data source `{}` of `{}` dials `{}:{port}`, which is Grafana's own {own}",
        source.name, node.name, address.host
    );
    let mut finding = cx.finding(message, &source.url.origin, "nothing listens there");
    let others = || cx.system.nodes().map(|(_, it)| it).filter(|it| it.listeners.iter().any(|it| it.port == port));
    if container.pod.is_some() {
        if let (Some(one), None) = (others().next(), others().nth(1)) {
            finding = finding.label(one.span(), format!("{} listens on {port}", one.title()));
        }
        finding = finding.help("dial the Service by its name: `NAME.NAMESPACE`");
    } else if let (Some(one), None) = (others().next(), others().nth(1)) {
        finding = finding.label(one.span(), format!("{} listens on {port}", one.title()));
        finding = finding.help(format!("dial `{}:{port}`", one.name));
    } else {
        finding = finding.help("dial the service by its name");
    }
    Some(finding)
}

/// Is nobody else on its `localhost`? What a mesh or the like puts into a pod is not known.
pub(crate) fn is_alone(cx: &Cx<'_>, node: &Node, container: &Container) -> bool {
    let Some(pod) = container.pod.as_deref() else { return true };
    let mut others = cx.system.nodes().filter(|(_, it)| !std::ptr::eq(*it, node));
    let injected = pod.annotations.keys().chain(pod.labels.keys()).any(|key| key.contains("inject"));
    let beside = |it: &Container| it.shares_pod(container);
    !injected
        && mesh_marker(cx.system, node).is_none()
        && !others.any(|(_, it)| it.container.as_ref().is_some_and(beside))
}

#[cfg(test)]
mod tests {
    use telstack_diagnostics::Severity;

    use crate::test_support::Bench;

    fn grafana(url: &str, more: &str) -> Bench {
        let compose = format!(
            "services:\n  grafana:\n    image: grafana/grafana:12.0.0\n    volumes: \
             ['./data.yml:/etc/grafana/provisioning/datasources/data.yml']\n{more}  tempo:\n    image: \
             grafana/tempo:2.8.1\n    command: [-config.file=/tempo.yml]\n    volumes: ['./tempo.yml:/tempo.yml']\n"
        );
        let tempo = "server: {http_listen_port: 3200}\ndistributor: {receivers: {otlp: {protocols: {grpc: {endpoint: \
                     '0.0.0.0:4317'}}}}}\n";
        let data = format!("datasources: [{{name: t, type: tempo, url: '{url}'}}]\n");
        Bench::project(&[("compose.yaml", &compose), ("data.yml", &data), ("tempo.yml", tempo)])
    }

    #[test]
    fn fails_on_a_port_where_nobody_answers() {
        let bench = grafana("http://tempo:3100", "");
        assert_eq!(bench.finds("G003", "'http://tempo:3100'"), Severity::Error);
        bench.silent("N003");
    }

    #[test]
    fn fails_on_the_port_that_spans_go_to() {
        let bench = grafana("http://tempo:4317", "");
        bench.finds("G003", "'http://tempo:4317'");
        bench.silent("N002");
    }

    #[test]
    fn fails_on_the_container_itself() {
        grafana("http://localhost:3200", "").finds("G003", "'http://localhost:3200'");
    }

    #[test]
    fn passes_where_queries_are_answered() {
        grafana("http://tempo:3200", "").silent("G003");
        // Itself, and meant.
        grafana("http://localhost:3000", "").silent("G003");
    }

    /// A store that is started with flags, and Grafana that asks it.
    fn flagged(image: &str, flags: &str, config: &str, url: &str) -> Bench {
        let compose = format!(
            "services:\n  store:\n    image: {image}\n    command: [-config.file=/s.yml, {flags}]\n    volumes: \
             ['./s.yml:/s.yml']\n  grafana:\n    image: grafana/grafana:12.0.0\n    volumes: \
             ['./data.yml:/etc/grafana/provisioning/datasources/data.yml']\n"
        );
        let ty = ["loki", "tempo"].into_iter().find(|it| image.contains(it)).unwrap_or("prometheus");
        let data = format!("datasources: [{{name: s, type: {ty}, url: '{url}'}}]\n");
        Bench::project(&[("compose.yaml", &compose), ("data.yml", &data), ("s.yml", config)])
    }

    #[test]
    fn flags_go_before_the_configuration() {
        let loki = |flags: &str, url: &str| {
            flagged("grafana/loki:3.5.0", flags, "auth_enabled: false\nserver: {http_listen_port: 3101}\n", url)
        };
        loki("-server.http-listen-port=3111", "http://store:3111").silent("G003");
        loki("--server.http-listen-port, '3111'", "http://store:3111").silent("G003");
        loki("-server.http-listen-port=3111", "http://store:3101").finds("G003", "'http://store:3101'");
        loki("-server.grpc-listen-port=3111", "http://store:3111").finds("G003", "'http://store:3111'");
        // Nobody knows.
        for flag in ["-server.something=3111", "'-server.http-listen-port=${PORT}'"] {
            loki(flag, "http://store:3111").silent("G003");
        }
        let tempo = |url: &str| {
            flagged("grafana/tempo:2.7.0", "-server.http-listen-port=3200", "storage: {trace: {backend: local}}\n", url)
        };
        tempo("http://store:3200").silent("G003");
        tempo("http://store:80").finds("G003", "'http://store:80'");
        let mimir = |url: &str| {
            let flags = "-server.http-listen-port=9009, -auth.multitenancy-enabled=false";
            flagged("grafana/mimir:2.17.0", flags, "target: all\n", url)
        };
        mimir("http://store:9009/prometheus").silent("G003");
        mimir("http://store:9009/prometheus").silent("L005");
        mimir("http://store:8080/prometheus").finds("G003", "'http://store:8080/prometheus'");
    }

    #[test]
    fn fails_on_a_store_of_another_type() {
        let of = |ty: &str, url: &str| {
            let compose = "services:\n  grafana:\n    image: grafana/grafana:12.0.0\n    volumes: \
                           ['./d.yml:/etc/grafana/provisioning/datasources/d.yml']\n  prometheus:\n    image: \
                           prom/prometheus:v3.5.0\n  loki:\n    image: grafana/loki:3.5.0\n  odd:\n    image: \
                           prom/prometheus:latest\n";
            let data = format!("datasources: [{{name: s, type: {ty}, url: '{url}'}}]\n");
            Bench::project(&[("compose.yaml", compose), ("d.yml", &data)])
        };
        let bench = of("loki", "http://prometheus:9090");
        bench.finds("G003", "'http://prometheus:9090'");
        assert_eq!(
            bench.helps("G003"),
            ["dial `loki`, which is Loki 3.5.0".to_owned(), "or let its type be `prometheus`".to_owned()]
        );
        of("prometheus", "http://prometheus:9090").silent("G003");
        // It has a door for these too.
        of("prometheus", "http://loki:3100/loki").silent("G003");
        // A plugin's, and a store of which nothing is known.
        of("acme-loki-datasource", "http://prometheus:9090").silent("G003");
        of("loki", "http://elsewhere:9090").silent("G003");
    }

    #[test]
    fn says_each_way_out_once() {
        let bench = grafana("http://tempo:3100", "");
        let helps = bench.helps("G003");
        let distinct: std::collections::BTreeSet<&String> = helps.iter().collect();
        assert_eq!(helps.len(), distinct.len(), "{helps:?}");
    }

    #[test]
    fn silent_where_others_may_answer() {
        grafana("http://localhost:3200", "    network_mode: host\n").silent("G003");
        grafana("http://elsewhere:3100", "").silent("G003");
        grafana("${URL}", "").silent("G003");
        grafana("http://localhost:3200', access: 'direct", "").silent("G003");
    }

    fn pod(port: u16, more: &str) -> Bench {
        Bench::manifests(&format!(
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: c}}\ndata:\n  d.yaml: |\n    datasources: [{{name: t, type: tempo, \
             url: 'http://localhost:{port}'}}]\n---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: g}}\nspec:\n  \
             template:\n    spec:\n      containers:\n      - name: grafana\n        image: grafana/grafana:12.0.0\n        \
             volumeMounts: [{{name: c, mountPath: /etc/grafana/provisioning/datasources}}]\n{more}      volumes: [{{name: c, \
             configMap: {{name: c}}}}]\n"
        ))
    }

    #[test]
    fn fails_on_the_pod_itself() {
        pod(3200, "").finds("G003", "'http://localhost:3200'");
        pod(3000, "").silent("G003");
        pod(3200, "      - {name: proxy, image: 'acme/proxy:1'}\n").silent("G003");
    }
}
