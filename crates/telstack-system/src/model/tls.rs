//! Encryption that a stack asks for: the files of a server, and where they lie in containers.

use telstack_catalog::product::Product;

use crate::origin::{Origin, Sourced};

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

fn folder(product: Product) -> String {
    format!("/etc/{}/tls", product.id())
}
