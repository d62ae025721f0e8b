//! Encryption that a stack asks for: the files of a server, and where they lie in containers.

use telstack_catalog::product::Product;

use crate::{
    graph::System,
    origin::{Origin, Sourced},
};

/// The keys of a Secret that holds a certificate, as Kubernetes and cert-manager call them.
pub(crate) const CERTIFICATE: &str = "tls.crt";
/// The key that belongs to it.
pub(crate) const KEY: &str = "tls.key";
/// The authority that made it out.
pub(crate) const AUTHORITY: &str = "ca.crt";

/// The certificate of a server, with what its clients trust. Paths are those of the host, relative to the
/// output folder.
#[derive(Clone, PartialEq, Debug)]
pub struct ServerTls {
    /// The certificate, with what stands between it and the authority.
    pub cert: Sourced<String>,
    /// Its key.
    pub key: Sourced<String>,
    /// The authority that clients trust.
    pub ca: Sourced<String>,
    /// The line that asks for it.
    pub origin: Origin,
}

/// Every file of the host that the certificates of a stack are made of, each once, in the order of nodes.
pub fn files(system: &System) -> Vec<&Sourced<String>> {
    let mut out: Vec<&Sourced<String>> = Vec::new();
    for tls in system.nodes().filter_map(|(_, node)| node.tls()) {
        for file in [&tls.cert, &tls.key, &tls.ca] {
            if !out.iter().any(|known| known.value == file.value) {
                out.push(file);
            }
        }
    }
    out
}

/// Where the certificate of a product lies inside its container.
pub fn cert_path(server: Product) -> String {
    format!("{}/tls.crt", folder(server))
}

/// Where the key of its certificate lies inside its container.
pub fn key_path(server: Product) -> String {
    format!("{}/tls.key", folder(server))
}

/// Where the authority that vouches for the node `server` lies inside a container that dials it.
pub fn ca_path(dialer: Product, server: &str) -> String {
    format!("{}/{server}-ca.crt", folder(dialer))
}

/// Where a collector finds what it shows to who comes from outside.
pub(crate) fn exposed_folder(product: Product) -> String {
    format!("{}/exposed", secrets(product))
}

/// Where a collector finds what it trusts and shows when it dials the collector of another cluster.
pub(crate) fn remote_folder(cluster: &str, node: &str) -> String {
    format!("{}/{cluster}-{node}", secrets(Product::Otelcol))
}

/// Where Secrets of Kubernetes are mounted: not below the folder with the configuration, which is read only, so that
/// nobody could make their places in it.
fn secrets(product: Product) -> String {
    format!("/etc/{}-tls", product.id())
}

fn folder(product: Product) -> String {
    format!("/etc/{}/tls", product.id())
}
