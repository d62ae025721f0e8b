//! The certificate of a server, as collectors, Tempo, Loki and Prometheus write it.

use telstack_system::{
    Known, Listener, Node, Sourced, Tls, Value,
    tls::{cert_path, key_path},
};

use crate::doc;

/// `cert_file` and `key_file` for a listener that encrypts; none for one in plain text.
pub(crate) fn server(node: &Node, listener: &Listener) -> Option<Value> {
    let (tls, product) = (node.tls()?, node.product()?);
    if matches!(listener.tls, Known::Value(Tls::Off)) {
        return None;
    }
    let file = |host: &Sourced<String>, path: String| {
        doc::follows(format!("where `{}` lies inside the container", host.value), &[&host.origin]).string(path)
    };
    let (cert, key) = (file(&tls.cert, cert_path(product)), file(&tls.key, key_path(product)));
    Some(tls.origin.map([("cert_file", cert), ("key_file", key)]))
}

#[cfg(test)]
mod tests {
    use telstack_catalog::product::Product;

    #[test]
    fn every_release_knows_the_settings() {
        for product in [Product::Loki, Product::Tempo] {
            for version in product.minors() {
                for key in ["cert_file", "key_file"] {
                    let path = format!("server.http_tls_config.{key}");
                    assert!(product.option(version, &path).is_some(), "{product} {version} has no {path}");
                }
            }
        }
    }
}
