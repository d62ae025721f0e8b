//! What leaves a cluster: the door of a collector that is exposed, and what dials it from other clusters.

use telstack_catalog::{ComponentKind, product::Product};
use telstack_diagnostics::Diagnostics;
use telstack_syntax::tree::Kind;

use super::Pass;
use crate::{
    graph::{NodeId, System},
    model::{
        Collector, Component, ComponentId, Exposure, ExposureTls, Mount, MountSource, Purpose, Reference, Remote,
        tls::{AUTHORITY, CERTIFICATE, KEY, exposed_folder, remote_folder},
    },
    origin::{Origin, Settings, Value},
};

const REACH: &str = "reach";
const EXPOSE: &str = "expose";

pub(super) const REACH_PASS: Pass = Pass {
    name: REACH,
    reason: "trust what other clusters expose, and show it a certificate where it asks",
    run: reach,
};
pub(super) const EXPOSE_PASS: Pass =
    Pass { name: EXPOSE, reason: "give an exposed collector a receiver for what comes from outside", run: expose };

/// The type of the receivers that others send to.
const RECEIVER: &str = "otlp";
/// The port of the door to the outside, inside the pod: beside the one for the cluster.
const PORT: u16 = 14_317;

fn reach(system: &mut System, _: &mut Diagnostics) {
    for id in system.node_ids() {
        let Some(remote) = system.node(id).external().and_then(|it| it.exposed.clone()) else { continue };
        let settings = encryption(&remote);
        if let Some(external) = system.node_mut(id).external_mut() {
            for endpoint in &mut external.endpoints {
                endpoint.settings.extend(settings.clone().map(|it| ("tls".to_owned(), it)));
            }
        }
        if remote.secret().is_none() {
            continue;
        }
        for sender in senders(system, id) {
            let node = system.node_mut(sender);
            let namespace = node.placement.namespace.as_ref().map(|it| it.value.clone());
            let Some(collector) = node.collector_mut() else { continue };
            collector.mounts.extend(credentials(&remote, namespace.as_deref()));
        }
    }
}

fn senders(system: &System, id: NodeId) -> Vec<NodeId> {
    system.incoming(id, Purpose::Telemetry).into_iter().map(|(_, from)| from).collect()
}

/// The `tls` block of who dials it; none: what every image trusts will do.
fn encryption(remote: &Remote) -> Option<Value> {
    let exposure = &remote.exposure;
    let by = exposure.encrypted_by();
    let folder = remote_folder(&remote.cluster, &remote.node);
    let file = |name: &str, reason: &str| {
        let origin = Origin::derived(REACH, reason, &[&exposure.origin, by]);
        origin.string(format!("{folder}/{name}"))
    };
    let around = Origin::derived(REACH, "as the other cluster exposes it", &[&exposure.origin, by]);
    let authority =
        || ("ca_file", file(AUTHORITY, "its certificate is checked against the authority that made it out"));
    match (exposure.encryption(), &exposure.issuer) {
        (ExposureTls::Off, _) => Some(around.map([("insecure", by.bool(true))])),
        (ExposureTls::On, Some(_)) => None,
        (ExposureTls::On, None) => Some(around.map([authority()])),
        (ExposureTls::Mutual, _) => {
            let reason = "it lets in only who shows a certificate of its authority";
            Some(around.map([authority(), ("cert_file", file(CERTIFICATE, reason)), ("key_file", file(KEY, reason))]))
        }
    }
}

/// The Secret with what a sender shows and trusts.
fn credentials(remote: &Remote, namespace: Option<&str>) -> Option<Mount> {
    let exposure = &remote.exposure;
    let reason = "what it trusts and shows there, brought from the other cluster";
    Some(Mount {
        source: MountSource::secret(namespace, &remote.secret()?),
        target: remote_folder(&remote.cluster, &remote.node),
        read_only: true,
        origin: Origin::derived(REACH, reason, &[exposure.encrypted_by()]),
    })
}

fn expose(system: &mut System, _: &mut Diagnostics) {
    for id in system.node_ids() {
        let node = system.node_mut(id);
        let Some(exposure) = node.placement.exposure.clone() else { continue };
        let (name, namespace) = (node.name.clone(), node.placement.namespace.clone().map(|it| it.value));
        let Some(collector) = node.collector_mut() else { continue };
        let receiver = ComponentId::new(RECEIVER, Some(Exposure::RECEIVER));
        if collector.component(ComponentKind::Receiver, &receiver).is_some() {
            continue; // The stack wrote it out.
        }
        open(collector, receiver, &exposure);
        if exposure.encryption() != ExposureTls::Off {
            let reason = "the certificate that it shows to who comes from outside";
            collector.mounts.push(Mount {
                source: MountSource::secret(namespace.as_deref(), &Exposure::secret(&name)),
                target: exposed_folder(Product::Otelcol),
                read_only: true,
                origin: Origin::derived(EXPOSE, reason, &[exposure.encrypted_by()]),
            });
        }
    }
}

/// Adds a receiver, wherever data comes in that others send.
fn open(collector: &mut Collector, id: ComponentId, exposure: &Exposure) {
    let reason = "a door of its own for what comes from outside: inside the cluster all stays as it is";
    let origin = Origin::derived(EXPOSE, reason, &[&exposure.origin]);
    let address = Origin::builtin(EXPOSE, "a port that no component has by itself", &[&exposure.origin]);
    let by = exposure.encrypted_by();
    let file = |name: &str, reason: &str| {
        let path = format!("{}/{name}", exposed_folder(Product::Otelcol));
        Origin::derived(EXPOSE, reason, &[by]).string(path)
    };
    let mut settings = Settings::default();
    let server = settings.map_mut("protocols", &origin).map_mut("grpc", &origin);
    server.set("endpoint", address.string(format!("0.0.0.0:{PORT}")));
    if exposure.encryption() != ExposureTls::Off {
        let reason = "what comes from outside is encrypted, unless the stack says otherwise";
        let tls = server.map_mut("tls", &Origin::derived(EXPOSE, reason, &[by]));
        tls.set("cert_file", file(CERTIFICATE, reason));
        tls.set("key_file", file(KEY, reason));
        if exposure.encryption() == ExposureTls::Mutual {
            tls.set("client_ca_file", file(AUTHORITY, "only who shows a certificate of this authority is let in"));
        }
    }
    let settings = Value { kind: Kind::Map(settings), mark: origin.clone() };
    for pipeline in &mut collector.pipelines {
        let entrance = pipeline.receivers.iter().find(|it| it.id.ty == RECEIVER).map(|it| it.origin.clone());
        if let Some(entrance) = entrance {
            let origin = Origin::derived(EXPOSE, "what comes from outside is treated alike", &[&entrance]);
            pipeline.receivers.push(Reference { id: id.clone(), origin });
        }
    }
    collector.components.push(Component { kind: ComponentKind::Receiver, id, settings, origin });
}
