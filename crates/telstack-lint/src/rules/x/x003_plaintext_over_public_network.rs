use telstack_catalog::{ComponentKind, otelcol};
use telstack_diagnostics::{RuleInfo, Severity};
use telstack_system::{
    Cluster, Component, Known, Listener, Node, Protocol, ServicePort, ServiceType, TargetPort, Tls,
    cluster::{Ingress, same_namespace},
    link,
};

use crate::{Cx, Rule, facts::is_public};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        code: "X003",
        name: "plaintext-over-public-network",
        severity: Severity::Warning,
        summary: "Telemetry leaves for a public address unencrypted, or to whoever answers there, or comes in \
                  unencrypted.",
        why: "Logs and traces hold addresses, names and, again and again, tokens. In plain text everybody on the way \
              reads them, and the credentials that the exporter sends with them. With `insecure_skip_verify` it is \
              encrypted, for anybody who claims to be the server.",
        bad: r#"exporter "otlp_http" { endpoint "http://otlp.vendor.com:4318" }"#,
        good: r#"exporter "otlp_http" { endpoint "https://otlp.vendor.com" }"#,
        silent: "The host is private, in the stack, in a cluster (`*.svc`, one or two labels), or comes from the \
                 environment: nobody guesses about a name that may be inside. Of receivers, only those are looked at \
                 that a Service of type `LoadBalancer` leads to, one that an annotation keeps inside is none, and those \
                 behind an Ingress of a public name that has neither encryption nor annotations that may say more. \
                 What compose publishes on a host is not judged: whether others reach that host, no file says.",
        sources: &[
            "https://opentelemetry.io/docs/security/config-best-practices/",
            "https://github.com/open-telemetry/opentelemetry-collector-contrib/issues/17311",
        ],
    },
    check,
};

const UNVERIFIED: &str = "tls.insecure_skip_verify";

fn check(cx: &mut Cx<'_>) {
    for part in cx.facts.parts.iter().filter(|part| part.component.kind == ComponentKind::Exporter && part.runs()) {
        let Some((_, version)) = part.usable() else { continue };
        for (dial, _) in link::exporter_dials(part.component, Some(version)) {
            // What another cluster of the stack exposes is told there.
            let exposes = |node: &Node| {
                let host = node.external().and_then(|it| Some(&it.exposed.as_ref()?.exposure.host));
                host.is_some_and(|host| host.value == dial.host)
            };
            if cx.system.nodes().any(|(_, node)| exposes(node)) {
                continue;
            }
            let ours = cx
                .system
                .reached(part.id, &dial.host, dial.port)
                .is_some_and(|id| cx.system.node(id).external().is_none());
            if ours || !is_public(&dial.host) {
                continue;
            }
            let unverified = part.component.setting(UNVERIFIED).filter(|it| it.as_bool() == Some(true));
            let (message, remark, help) = match (&dial.tls, unverified) {
                (Known::Value(Tls::Off), _) => (
                    format!("{} sends to `{}` in plain text", part.title(), dial.host),
                    "a public address, unencrypted",
                    match dial.protocol {
                        Protocol::KAFKA if part.knows("tls") => "encrypt: `tls: {}`, on the port of the brokers for it",
                        Protocol::KAFKA => "encrypt: `auth: {tls: {}}`, on the port of the brokers for it",
                        protocol if protocol.is_grpc() => "leave `tls.insecure` out",
                        _ => "write `https://`",
                    },
                ),
                (Known::Value(_), Some(_)) => (
                    format!("{} sends to whoever answers for `{}`", part.title(), dial.host),
                    "a public address",
                    "name the authority that vouches for the server: `tls.ca_file`, and leave `insecure_skip_verify` out",
                ),
                _ => continue,
            };
            let mut finding = cx.finding(message, &dial.origin, remark).help(help);
            if let Some(value) = unverified {
                finding = finding.label(value.mark.span(), "the server's certificate is not looked at");
            }
            if sends_credentials(part.component) {
                finding = finding.note("the exporter's credentials go the same way");
            }
            cx.report(finding);
        }
    }
    balancers(cx);
    ingresses(cx);
}

/// Receivers in plain text behind a load balancer that may be reached from outside.
fn balancers(cx: &mut Cx<'_>) {
    let Some(cluster) = cx.system.cluster.as_deref() else { return };
    for (_, node) in cx.system.nodes() {
        let Some(container) = &node.container else { continue };
        let Some(pod) = container.pod.as_deref() else { continue };
        for service in cluster.services_of(pod).filter(|it| it.ty == ServiceType::LoadBalancer) {
            if service.annotations.iter().any(|(key, it)| otelcol::is_private_balancer(key, &it.value)) {
                continue;
            }
            let leads = |it: &&ServicePort| container.port_number(&it.target);
            let open: Vec<(&ServicePort, &Listener)> = service
                .ports
                .iter()
                .filter_map(|port| {
                    let number = leads(&port)?;
                    let takes = |it: &&Listener| {
                        it.port == number && !it.signals.is_empty() && matches!(it.tls, Known::Value(Tls::Off))
                    };
                    Some((port, node.listeners.iter().find(takes)?))
                })
                .collect();
            let Some((first, _)) = open.first() else { continue };
            let ports: Vec<String> = open.iter().map(|(port, _)| port.port.to_string()).collect();
            let message = format!(
                "`{}` takes telemetry in plain text through the load balancer `{}`, port {}",
                node.name,
                service.name,
                ports.join(" and ")
            );
            if let Some(exposure) = &node.placement.exposure {
                let finding = cx.finding(message, exposure.encrypted_by(), "readable for everybody on the way");
                let finding = finding.label(exposure.host.span(), "reached at this name");
                cx.report(
                    finding.help(
                        "leave `tls` out, which encrypts, or write `tls=\"mutual\"`, which lets in whom you know",
                    ),
                );
                continue;
            }
            let mut finding = cx.finding(message, &first.origin, "may be reached from outside of the cluster");
            for (_, listener) in &open {
                finding = finding.label(listener.origin.span(), "not encrypted");
            }
            let finding = finding
                .help("give the receiver a certificate: `tls: {cert_file: …, key_file: …}`, and an `auth` extension")
                .help("or keep the load balancer inside, by the annotation that your provider has for it");
            cx.report(finding);
        }
    }
}

/// Receivers that ask nobody who they are, behind an Ingress with a public name and without encryption.
fn ingresses(cx: &mut Cx<'_>) {
    let Some(cluster) = cx.system.cluster.as_deref() else { return };
    for ingress in &cluster.ingresses {
        let guarded = ingress.tls || ingress.annotations.keys().any(|key| otelcol::may_guard_an_ingress(key));
        let inner = ingress.class.as_deref().is_some_and(otelcol::is_inner_class);
        let Some(host) = ingress.hosts.iter().find(|host| is_public(&host.value)) else { continue };
        if guarded || inner {
            continue;
        }
        let open = cx.system.nodes().find_map(|(_, node)| Some((node, behind(cx, cluster, ingress, node)?)));
        let Some((node, listener)) = open else { continue };
        let message = format!(
            "`{}` takes telemetry from anybody, in plain text, at `{}` through the Ingress `{}`",
            node.name, host.value, ingress.name
        );
        let finding = cx
            .finding(message, &host.origin, "a public name, unencrypted")
            .label(listener.origin.span(), "asks nobody who they are")
            .help("give the Ingress a certificate: `tls: [{hosts: […], secretName: …}]`")
            .help("and let the receiver ask for credentials: an `auth` extension");
        cx.report(finding);
    }
}

/// The receiver of a collector that an Ingress surely leads to, if it is neither encrypted nor guarded.
fn behind<'a>(cx: &Cx<'_>, cluster: &Cluster, ingress: &Ingress, node: &'a Node) -> Option<&'a Listener> {
    let container = node.container.as_ref()?;
    let pod = container.pod.as_deref()?;
    cluster.services_of(pod).find_map(|service| {
        let near = same_namespace(service.namespace.as_deref(), ingress.namespace.as_deref()) == Some(true);
        let mut named = ingress.backends.iter().filter(|(name, _)| near && name.value == service.name);
        named.find_map(|(_, port)| {
            let port = match port.as_ref()? {
                TargetPort::Number(number) => service.port(*number),
                TargetPort::Name(name) => service.ports.iter().find(|it| it.name.as_deref() == Some(name)),
            };
            let number = container.port_number(&port?.target)?;
            node.listeners.iter().find(|it| it.port == number && is_open(cx, node, it))
        })
    })
}

/// Does a receiver take OTLP from whoever comes?
fn is_open(cx: &Cx<'_>, node: &Node, listener: &Listener) -> bool {
    let receiver = || {
        let owner = listener.owner.as_ref()?;
        let part = cx.facts.part(node.collector()?.component(owner.kind, &owner.id)?)?;
        let (fact, version) = part.usable()?;
        let mine = fact.listens(version).into_iter().find(|it| it.protocol == Some(listener.protocol.0))?;
        let block = mine.setting.rsplit_once('.').map_or(String::new(), |(block, _)| format!("{block}."));
        (part.speaks_otlp() && part.component.setting(&format!("{block}auth")).is_none()).then_some(())
    };
    matches!(listener.tls, Known::Value(Tls::Off)) && receiver().is_some()
}

fn sends_credentials(exporter: &Component) -> bool {
    let named = |key: &str| {
        let key = key.to_ascii_lowercase();
        ["authorization", "token", "api-key", "apikey"].iter().any(|it| key.contains(it))
    };
    let headers = exporter.setting("headers").and_then(|it| it.as_map());
    exporter.setting("auth").is_some() || headers.into_iter().flatten().any(|entry| named(&entry.key))
}

#[cfg(test)]
mod tests {
    use crate::test_support::Bench;

    fn exporter(settings: &str) -> Bench {
        Bench::exporter("0.140.0", settings)
    }

    #[test]
    fn warns_of_plain_text_and_of_servers_that_nobody_checks() {
        exporter("otlphttp: {endpoint: 'http://otlp.vendor.com:4318', headers: {authorization: '${env:T}'}}")
            .finds("X003", "'http://otlp.vendor.com:4318'");
        exporter("otlp: {endpoint: 'otlp.vendor.com:4317', tls: {insecure: true}}")
            .finds("X003", "'otlp.vendor.com:4317'");
        exporter("otlp: {endpoint: 'otlp.vendor.com:4317', tls: {insecure_skip_verify: true}}")
            .finds("X003", "'otlp.vendor.com:4317'");
    }

    #[test]
    fn says_how_brokers_are_dialled() {
        let kafka = |settings: &str| exporter(&format!("kafka: {{brokers: ['kafka.vendor.com:9092']{settings}}}"));
        let helps = kafka("").helps("X003");
        assert_eq!(helps, ["encrypt: `tls: {}`, on the port of the brokers for it"]);
        kafka(", tls: {}").silent("X003");
    }

    #[test]
    fn passes_when_encrypted() {
        exporter("otlphttp: {endpoint: 'https://otlp.vendor.com'}").silent("X003");
        exporter("otlp: {endpoint: 'otlp.vendor.com:4317'}").silent("X003");
    }

    #[test]
    fn silent_inside_and_where_it_is_not_known() {
        for host in ["gateway", "gateway.observability", "gateway.hub.svc.cluster.local", "10.1.2.3", "hub.internal"] {
            exporter(&format!("otlp: {{endpoint: '{host}:4317', tls: {{insecure: true}}}}")).silent("X003");
        }
        exporter("otlp: {endpoint: '${env:HUB}:4317', tls: {insecure: true}}").silent("X003");
        exporter("otlp: {endpoint: 'otlp.vendor.com:4317', tls: {insecure: '${env:P}'}}").silent("X003");
    }
}
