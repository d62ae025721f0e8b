use telstack_diagnostics::{Change, Diagnostic, Fix, RuleInfo, Severity};
use telstack_system::{Container, Node, link::Hearing};

use crate::{
    Cx, Rule,
    facts::{Link, is_public},
    repair,
    words::ticked,
};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        code: "C005",
        name: "compose-network-split",
        severity: Severity::Error,
        summary: "A service dials another one that it cannot hear: no network holds both.",
        why: "Names of services are known only inside the networks that both joined. Elsewhere the name does not \
              resolve: `no such host`. A service in the network of the host, or of another service, has no name at \
              all.",
        bad: "services:\n  collector:\n    image: otel/opentelemetry-collector:0.158.0\n    networks: [backend]\n  app:\n    \
              image: acme/app:1\n    networks: [frontend]\n    environment: \
              [OTEL_EXPORTER_OTLP_ENDPOINT=http://collector:4317]",
        good: "services:\n  collector:\n    image: otel/opentelemetry-collector:0.158.0\n    networks: [backend]\n  app:\n    \
               image: acme/app:1\n    networks: [frontend, backend]\n    environment: \
               [OTEL_EXPORTER_OTLP_ENDPOINT=http://collector:4317]",
        silent: "A network is shared, by whatever key; `extra_hosts` has an address for the name; what a service \
                 extends is not known.",
        sources: &[
            "https://docs.docker.com/compose/how-tos/networking/",
            "https://github.com/grafana/grafana/issues/46434",
        ],
    },
    check,
};

fn check(cx: &mut Cx<'_>) {
    for link in &cx.facts.links {
        if let Some(finding) = judge(cx, link).or_else(|| shut_in(cx, link)) {
            cx.report_once(finding);
        }
    }
}

fn judge(cx: &Cx<'_>, link: &Link<'_>) -> Option<Diagnostic> {
    let (from, to) = (link.from, link.to);
    let (one, other) = (from.container.as_ref()?, to.container.as_ref()?);
    let message = format!("{} dials `{}`, which it cannot reach", link.dialer(), link.address());
    Some(match link.hearing {
        Hearing::Open | Hearing::Unknown => return None,
        Hearing::Apart => {
            let finding = cx.finding(message, &link.dial.origin, format!("no network holds `{}` too", to.name));
            let finding = labelled(labelled(finding, from, one), to, other);
            let finding = match other.networks.first() {
                Some(network) => finding.help(format!("let `{}` join `{}` too", from.name, network.name)),
                None => finding.help(format!("let `{}` join `default` too", from.name)),
            };
            repair::with(finding, join(one, other))
        }
        Hearing::Nameless => cx
            .finding(message, &link.dial.origin, "nothing goes by that name")
            .label(to.span(), "has no network of its own, and so no name in any")
            .help("dial the service whose network it is in, or the host: `host.docker.internal`"),
        Hearing::Outside => cx
            .finding(message, &link.dial.origin, "names of services mean nothing in the network of the host")
            .label(from.span(), "is in the network of the host")
            .help(format!("publish the port of `{}`, and dial `localhost`", to.name)),
    })
}

fn labelled(finding: Diagnostic, node: &Node, container: &Container) -> Diagnostic {
    match container.networks.first() {
        Some(first) => {
            let names = ticked(container.networks.iter().map(|it| &it.name));
            finding.label(first.origin.span(), format!("`{}` is in {names}", node.name))
        }
        None => finding.label(node.span(), format!("`{}` is in `default`, as it names no network", node.name)),
    }
}

/// Another network for whoever dials, where there is one only that it can be.
fn join(one: &Container, other: &Container) -> Option<Fix> {
    let [network] = other.networks.as_slice() else { return None };
    let last = one.networks.last().filter(|it| it.origin.is_written())?;
    let change = Change::Append { last: last.origin.span()?, item: network.name.clone() };
    Some(Fix::unsafe_(format!("join `{}`", network.name), vec![change]))
}

/// Something outside is dialled from networks that no way leads out of.
fn shut_in(cx: &Cx<'_>, link: &Link<'_>) -> Option<Diagnostic> {
    let outside = link.to.container.is_none() && is_public(&link.dial.host);
    if !outside || !cx.system.is_shut_in(link.from_id) {
        return None;
    }
    let joined = link.from.container.as_ref()?.networks.first()?;
    let message = format!("{} dials `{}`, and no way leads there", link.dialer(), link.address());
    Some(
        cx.finding(message, &link.dial.origin, "is outside")
            .label(joined.origin.span(), format!("`{}` is `internal`: nothing in it reaches the outside", joined.name))
            .help(format!("let `{}` join a network that is not internal, too", link.from.name)),
    )
}

#[cfg(test)]
mod tests {
    use telstack_diagnostics::{Applicability, Severity};

    use crate::test_support::Bench;

    fn text(app: &str, collector: &str, more: &str) -> String {
        format!(
            "services:\n  app:\n    image: acme/app:1\n    environment: [OTEL_EXPORTER_OTLP_ENDPOINT=http://otel:4318]\n    \
             {app}\n  otel:\n    image: otel/opentelemetry-collector:0.158.0\n    {collector}\n{more}"
        )
    }

    fn project(app: &str, collector: &str, more: &str) -> Bench {
        Bench::project(&[("compose.yaml", &text(app, collector, more))])
    }

    const DIALS: &str = "OTEL_EXPORTER_OTLP_ENDPOINT=http://otel:4318";

    #[test]
    fn fails_without_a_network_in_common() {
        let found = project("networks: [front]", "networks: {back: }", "").finds("C005", DIALS);
        assert_eq!(found, Severity::Error);
        project("networks: [front]", "user: root", "").finds("C005", DIALS);
    }

    #[test]
    fn fails_where_names_mean_nothing() {
        project("network_mode: host", "user: root", "").finds("C005", DIALS);
        project("user: root", "network_mode: host", "").finds("C005", DIALS);
        project("user: root", "network_mode: service:app", "").finds("C005", DIALS);
    }

    #[test]
    fn fails_where_no_way_leads_out() {
        let compose = "services:\n  app:\n    image: acme/app:1\n    environment: \
                       [OTEL_EXPORTER_OTLP_ENDPOINT=https://otlp.vendor.com:443]\n    networks: [back]\nnetworks: {back: \
                       {internal: true}}\n";
        let found = "OTEL_EXPORTER_OTLP_ENDPOINT=https://otlp.vendor.com:443";
        Bench::project(&[("compose.yaml", compose)]).finds("C005", found);
        let open = compose.replace("[back]\n", "[back, front]\n");
        Bench::project(&[("compose.yaml", &open)]).silent("C005");
    }

    #[test]
    fn it_can_join() {
        let bench = project("networks: [front]", "networks: [back]", "");
        let after = text("networks: [front, back]", "networks: [back]", "");
        assert_eq!(bench.fixed("C005", &after), Applicability::Unsafe);
    }

    #[test]
    fn passes_with_one() {
        project("networks: [front, back]", "networks: {back: {aliases: [o]}}", "").silent("C005");
        project("user: root", "networks: [default, back]", "").silent("C005");
        project("networks: [a]", "networks: [b]", "networks: {a: {name: n, external: true}, b: {name: n}}")
            .silent("C005");
    }

    #[test]
    fn silent_where_it_is_not_known() {
        project("networks: [front]\n    extra_hosts: ['otel:10.0.0.1']", "networks: [back]", "").silent("C005");
        project("network_mode: bridge", "networks: [back]", "").silent("C005");
        project("extends: {file: other.yaml, service: x}", "networks: [back]", "").silent("C005");
    }
}
