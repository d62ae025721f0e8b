//! What cert-manager is asked for.

use core::net::IpAddr;

use telstack_system::{
    Cluster, Origin, System, Value,
    cluster::{Certificate, Issuer},
};

use super::of_stack;
use crate::doc::{self, Block};

const API: &str = "cert-manager.io/v1";
/// How long an authority lasts: ten years. cert-manager renews it before.
const LASTS: &str = "87600h";
/// How long a certificate lasts that is brought to another cluster by hand: a year.
const BROUGHT: &str = "8760h";

/// All that a cluster asks for in a namespace.
pub(super) fn documents(system: &System, cluster: &Cluster, namespace: &str) -> Vec<Value> {
    let here = |it: &Option<String>| it.as_deref() == Some(namespace);
    let issuers = cluster.issuers.iter().filter(|it| here(&it.namespace)).map(|it| issuer(system, it));
    let own = cluster.certificates.iter().filter(|it| it.elsewhere.is_none() && here(&it.namespace));
    issuers.chain(own.map(|it| certificate(system, it))).collect()
}

fn object(system: &System, kind: &str, name: &str, namespace: Option<&str>, origin: &Origin) -> Block {
    let fact = doc::fact(format!("how cert-manager calls a {kind}"), &[origin]);
    let mut out = Block::new();
    out.put("apiVersion", fact.string(API)).put("kind", fact.string(kind));
    let mut metadata = Block::new();
    metadata.put("name", origin.string(name));
    metadata.put_some("namespace", namespace.map(|it| origin.string(it)));
    metadata.put("labels", of_stack(system, origin));
    out.put("metadata", metadata.finish(origin));
    out
}

fn issuer(system: &System, issuer: &Issuer) -> Value {
    let origin = &issuer.origin;
    let mut out = object(system, "Issuer", &issuer.name, issuer.namespace.as_deref(), origin);
    let spec = match &issuer.authority {
        Some(secret) => ("ca", origin.map([("secretName", origin.string(&**secret))])),
        None => ("selfSigned", Block::new().finish(origin)),
    };
    out.put("spec", origin.map([spec]));
    out.finish(origin)
}

pub(super) fn certificate(system: &System, certificate: &Certificate) -> Value {
    let origin = &certificate.origin;
    let mut out = object(system, "Certificate", &certificate.name, certificate.namespace.as_deref(), origin);
    let mut spec = Block::new();
    spec.put("secretName", origin.string(&*certificate.secret));
    if certificate.is_authority {
        spec.put("isCA", origin.bool(true));
        let reason = "who trusts it is told by hand: that should not be needed often";
        spec.put("duration", doc::chosen(reason, origin).string(LASTS));
    }
    if certificate.elsewhere.is_some() {
        let reason = "it is brought to this cluster by hand: not every few weeks";
        spec.put("duration", doc::chosen(reason, origin).string(BROUGHT));
    }
    spec.put_some("commonName", certificate.common_name.as_ref().map(|it| it.origin.string(&*it.value)));
    let (addresses, names): (Vec<_>, Vec<_>) =
        certificate.hosts.iter().partition(|it| it.value.parse::<IpAddr>().is_ok());
    for (key, hosts) in [("dnsNames", names), ("ipAddresses", addresses)] {
        if !hosts.is_empty() {
            spec.put(key, origin.block(hosts.into_iter().map(|it| it.origin.string(&*it.value))));
        }
    }
    let keys = doc::chosen("small and fast, and every peer knows it", origin);
    spec.put("privateKey", keys.map([("algorithm", keys.string("ECDSA")), ("size", keys.int(256))]));
    if !certificate.usages.is_empty() {
        spec.put("usages", origin.block(certificate.usages.iter().map(|it| origin.string(&**it))));
    }
    let issuer = &certificate.issuer;
    let kind = if issuer.value.cluster { "ClusterIssuer" } else { "Issuer" };
    let at = &issuer.origin;
    spec.put("issuerRef", at.map([("kind", at.string(kind)), ("name", at.string(&*issuer.value.name))]));
    out.put("spec", spec.finish(origin));
    out.finish(origin)
}
