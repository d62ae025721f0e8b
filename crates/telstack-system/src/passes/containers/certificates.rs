//! Certificates: the files of a server that encrypts, and of those who dial it.

use telstack_catalog::product::Product;

use super::NAME;
use crate::{
    graph::{NodeId, System},
    known::Known,
    model::{
        Container, Mount, MountSource, Node, Purpose, Tls,
        tls::{ca_path, cert_path, key_path},
    },
    origin::{Origin, Sourced},
};

/// The certificate that a node answers with, and the authorities that it checks those of others against.
pub(super) fn mount(container: &mut Container, system: &System, id: NodeId, product: Product) {
    let node = system.node(id);
    let mut add = |source: &Sourced<String>, target: String, reason: String| {
        if !container.mounts.iter().any(|known| known.target == target) {
            container.mounts.push(Mount {
                source: MountSource::Bind(source.value.clone()),
                target,
                read_only: true,
                origin: Origin::derived(NAME, reason, &[&source.origin]),
            });
        }
    };
    if let Some(tls) = node.tls() {
        add(&tls.cert, cert_path(product), format!("the certificate that `{}` answers with", node.name));
        add(&tls.key, key_path(product), "the key of its certificate".to_owned());
    }
    let mut dialled: Vec<(&Node, bool)> = Vec::new();
    for purpose in [Purpose::Telemetry, Purpose::Scrape, Purpose::Query, Purpose::Alert] {
        for (edge, to) in system.outgoing(id, purpose) {
            let tls = system.edge(edge).dial.as_ref().map(|dial| dial.tls);
            dialled.push((system.node(to), matches!(tls, Some(Known::Value(Tls::On | Tls::Mutual)))));
        }
    }
    // Prometheus scrapes itself too.
    dialled.push((node, node.store().is_some_and(|store| store.prometheus().is_some())));
    for (other, encrypted) in dialled {
        if let Some(tls) = other.tls().filter(|_| encrypted) {
            let reason = format!("what the certificate of `{}` is checked against", other.name);
            add(&tls.ca, ca_path(product, &other.name), reason);
        }
    }
}
