//! Which doors of a node answer with its certificate, and what its dialers check that with.

use telstack_catalog::product::{Endpoint, Product};

use crate::{
    link::JAEGER_1_TLS,
    model::{Node, Tls, tls::ca_path},
    origin::{Origin, Sourced},
};

/// Is an endpoint of a store encrypted, as the stack wants it?
pub(super) fn of_endpoint(node: &Node, endpoint: &Endpoint) -> Tls {
    let encrypted = node.tls().is_some() && has_certificate(node, endpoint);
    if encrypted { Tls::On } else { Tls::Off }
}

/// Prometheus and Loki have one port, Tempo one and its receivers: all take the certificate. Jaeger's own
/// health and metrics have ports of their own, which stay in plain text; Jaeger 1, which is configured by
/// its environment, encrypts what [`JAEGER_1_TLS`] lists.
fn has_certificate(node: &Node, endpoint: &Endpoint) -> bool {
    match node.product() {
        Some(Product::Jaeger) if is_configured_by_environment(node) => {
            JAEGER_1_TLS.iter().any(|(names, _)| names.contains(&endpoint.name))
        }
        Some(Product::Jaeger) => !endpoint.signals.is_empty() || matches!(endpoint.name, "query" | "ui" | "query-grpc"),
        _ => true,
    }
}

fn is_configured_by_environment(node: &Node) -> bool {
    let layout = node.product().zip(node.version()).and_then(|(product, version)| product.layout(version));
    layout.is_some_and(|layout| layout.config_path.is_none())
}

/// The file that a node checks the certificate of another with. None where the other has no certificate of
/// the stack's: then the authorities of the dialer's image have to do.
pub(super) fn authority(pass: &'static str, dialer: Product, server: &Node) -> Option<Sourced<String>> {
    let tls = server.tls()?;
    let reason = format!("the certificate of `{}` is checked against the authority that the stack names", server.name);
    Some(Sourced::new(ca_path(dialer, &server.name), Origin::derived(pass, reason, &[&tls.ca.origin])))
}
