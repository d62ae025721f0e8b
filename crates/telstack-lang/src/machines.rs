//! `host=`: collectors on machines outside of the cluster, and what they reach in it.

use telstack_catalog::{
    Signal, SignalSet,
    host::{HostLayout, HostSystem},
};
use telstack_diagnostics::Diagnostic;
use telstack_syntax::stack::Atom;
use telstack_system::{
    Exposure, ExposureTls, External, ExternalEndpoint, Node, NodeId, NodeKind, Origin, Protocol, Sourced, System, Value,
};

use crate::{
    codes, sidecar,
    stack::{Context, PASS},
};

const ALL: SignalSet = SignalSet::of(&[Signal::Traces, Signal::Metrics, Signal::Logs]);

/// What a node reaches of another one that it names: that itself, or what the cluster shows of it to who is outside.
/// None where it does not; that is reported.
pub(crate) fn reached(
    system: &mut System,
    from: NodeId,
    to: NodeId,
    atom: &Atom,
    context: &mut Context<'_>,
) -> Option<NodeId> {
    let (sender, receiver) = (system.node(from), system.node(to));
    if let Some(finding) = sidecar::unreached(receiver, Some(atom.span)) {
        context.out.push(finding);
        return None;
    }
    if let Some(host) = &receiver.placement.host {
        let message = format!("nothing reaches `{}`: it is on a machine outside of the cluster", receiver.name);
        let finding = Diagnostic::new(&codes::WRONG_END, message).at(atom.span, "sent to from here");
        let finding = finding.label(host.span(), "only programs of that machine reach it");
        context.out.push(finding.help("let it send, and not be sent to"));
        return None;
    }
    let Some(host) = sender.placement.host.as_ref().filter(|_| receiver.external().is_none()) else { return Some(to) };
    let Some(exposure) = receiver.placement.exposure.as_ref() else {
        let (one, other) = (&sender.name, &receiver.name);
        let message = format!("`{one}` does not reach `{other}`: one is outside of the cluster, the other inside");
        let finding = Diagnostic::new(&codes::WRONG_END, message).at(atom.span, "sent to from outside");
        let finding = finding.label(receiver.span(), "reached from inside only");
        context.out.push(if receiver.collector().is_some() {
            finding.help("write in it how it is reached: `expose \"load-balancer\" host=\"otlp.example.com\"`")
        } else {
            finding.help("send to a collector that the cluster exposes, and let that send on")
        });
        return None;
    };
    let name = &exposure.host.value;
    if let Some(known) = system.find(name) {
        return Some(known);
    }
    let endpoint = endpoint(exposure, host, &Origin::written(atom.span))?;
    let kind = NodeKind::External(Box::new(External { endpoints: vec![endpoint], ..External::default() }));
    let node = Node::new(&**name, exposure.origin.clone(), None, kind);
    Some(system.add(node))
}

/// How a machine reaches what a cluster exposes.
fn endpoint(exposure: &Exposure, host: &Sourced<HostSystem>, mention: &Origin) -> Option<ExternalEndpoint> {
    let reason = "the cluster exposes it by this name";
    let origin = Origin::derived(PASS, reason, &[&exposure.host.origin, mention]);
    let address = format!("{}:{}", exposure.host.value, Exposure::port()?);
    let settings = encryption(exposure, host);
    Some(ExternalEndpoint {
        protocol: Protocol::OTLP_GRPC,
        signals: ALL,
        endpoint: Sourced::new(address, origin.clone()),
        in_settings: false,
        token: None,
        settings: settings.into_iter().map(|it| ("tls".to_owned(), it)).collect(),
        origin,
    })
}

/// What it must say of encryption; nothing where the machine trusts who issued the certificate.
fn encryption(exposure: &Exposure, host: &Sourced<HostSystem>) -> Option<Value> {
    let by = exposure.encrypted_by();
    let HostLayout { configs, .. } = host.value.layout();
    let reason = "a file that is to be put there: what the cluster's own authority made out";
    let at = Origin::derived(PASS, reason, &[by, &host.origin]);
    let file = |name: &str| at.string(format!("{configs}/{name}"));
    match (exposure.encryption(), &exposure.issuer) {
        (ExposureTls::Off, _) => Some(by.map([("insecure", by.bool(true))])),
        (ExposureTls::On, Some(_)) => None,
        (ExposureTls::On, None) => Some(at.map([("ca_file", file("ca.crt"))])),
        (ExposureTls::Mutual, _) => {
            Some(at.map([("ca_file", file("ca.crt")), ("cert_file", file("tls.crt")), ("key_file", file("tls.key"))]))
        }
    }
}
