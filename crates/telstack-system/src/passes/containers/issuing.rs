//! Kubernetes: the certificates of what is exposed, and of who dials it from other clusters.

use super::NAME;
use crate::{
    graph::System,
    model::{
        Cluster, Exposure, ExposureTls, Node, Pod,
        cluster::{Certificate, Issuer, IssuerRef},
    },
    origin::{Origin, Sourced},
};

/// The certificate that an exposed node shows, and the authority that makes it out, where nobody else does.
pub(super) fn certify(cluster: &mut Cluster, node: &Node, pod: &Pod) {
    let Some(exposure) = node.placement.exposure.as_ref().filter(|it| it.encryption() != ExposureTls::Off) else {
        return;
    };
    let by = exposure.encrypted_by();
    let of = |name: String, secret: String, reason: &str, issuer: Sourced<IssuerRef>| Certificate {
        name,
        namespace: pod.namespace.clone(),
        secret,
        common_name: None,
        hosts: Vec::new(),
        is_authority: false,
        usages: Vec::new(),
        issuer,
        elsewhere: None,
        origin: Origin::derived(NAME, reason, &[by]),
    };
    let authority = authority(&node.name);
    let issuer = exposure.issuer.as_ref().map_or_else(
        || {
            let origin = Origin::derived(NAME, "no issuer is named: an authority of its own", &[by]);
            let issuer = |name: &str, authority: Option<&str>| Issuer {
                name: name.to_owned(),
                namespace: pod.namespace.clone(),
                authority: authority.map(str::to_owned),
                origin: origin.clone(),
            };
            let first = format!("{}-self-signed", node.name);
            cluster.issuers.push(issuer(&first, None));
            cluster.issuers.push(issuer(&authority, Some(&authority)));
            let itself = Sourced::new(IssuerRef { cluster: false, name: first }, origin.clone());
            let reason = "the authority that senders trust, and that lets them in";
            cluster.certificates.push(Certificate {
                common_name: Some(Sourced::new(authority.clone(), origin.clone())),
                is_authority: true,
                ..of(authority.clone(), authority.clone(), reason, itself)
            });
            Sourced::new(IssuerRef { cluster: false, name: authority.clone() }, origin)
        },
        |it| Sourced::new(IssuerRef { cluster: true, name: it.value.clone() }, it.origin.clone()),
    );
    let name = Exposure::secret(&node.name);
    cluster.certificates.push(Certificate {
        hosts: vec![exposure.host.clone()],
        usages: vec!["server auth".to_owned()],
        ..of(name.clone(), name, "what it shows to who comes from outside", issuer)
    });
}

/// The authority of an exposed node: its certificate, its Secret and its issuer.
fn authority(node: &str) -> String {
    format!("{node}-authority")
}

/// The certificates that this cluster shows others who ask for one: asked for there, and brought here.
pub(super) fn introduce(cluster: &mut Cluster, system: &System) {
    let Some(own) = &system.cluster_name else { return };
    for remote in system.nodes().filter_map(|(_, node)| node.external()?.exposed.as_ref()) {
        if remote.exposure.encryption() != ExposureTls::Mutual {
            continue;
        }
        let by = remote.exposure.encrypted_by();
        let name = format!("{}-{}", remote.node, own.value);
        let issuer = IssuerRef { cluster: false, name: authority(&remote.node) };
        let reason = "what this cluster shows there, made out by the authority that lets it in";
        cluster.certificates.push(Certificate {
            name: name.clone(),
            namespace: Some(remote.namespace.clone()),
            secret: name.clone(),
            common_name: Some(Sourced::new(own.value.clone(), own.origin.clone())),
            hosts: Vec::new(),
            is_authority: false,
            usages: vec!["client auth".to_owned()],
            issuer: Sourced::new(issuer, by.clone()),
            elsewhere: Some(remote.cluster.clone()),
            origin: Origin::derived(NAME, reason, &[by, &own.origin]),
        });
    }
}
