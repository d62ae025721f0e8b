//! The server that Loki, Tempo and Mimir have, which are built alike: what their configuration says of it, and what
//! the command line says, which goes before.

use telstack_catalog::{
    Version,
    product::{Endpoint, Product, SettingFlag},
};
use telstack_syntax::tree::Kind;
use telstack_system::{
    Bind, Listener, Node, Value,
    link::{self, Door},
};

use crate::{
    command,
    reading::{server_tls, text},
};

/// Where it says on which port it listens.
const PORT: &str = "server.http_listen_port";
/// Where it says below which path everything is.
const PREFIX: &str = "server.http_path_prefix";

/// Where receivers of a product open an endpoint, if they do.
pub(crate) type Receivers<'a> = dyn Fn(&Endpoint) -> Option<Door> + 'a;

/// The server of a node.
pub(crate) struct Server {
    /// The configuration, as the command line changes it.
    pub(crate) document: Value,
    /// Does nothing else have a say in where it listens?
    known: bool,
}

impl Server {
    /// As the configuration says, if there is one, and the flags of the node.
    pub(crate) fn of(node: &Node, product: Product, document: Option<&Value>) -> Self {
        let mut document = document.cloned().unwrap_or_else(|| Value::map(node.origin.clone()));
        let mut known = true;
        let words = node.container.as_ref().map(|it| it.command.as_slice()).unwrap_or_default();
        for (name, value, at) in command::flags(node) {
            match product.setting_flag(&name) {
                Some(SettingFlag::Sets(path)) => {
                    let mark = words.get(at).map_or(&node.origin, |it| &it.origin);
                    let kind = Kind::plain(value.as_deref().unwrap_or("true"));
                    put(&mut document, path, Value { kind, mark: mark.clone() });
                }
                Some(SettingFlag::Unknown) => known = false,
                None => {}
            }
        }
        known &= document.at(PORT).is_none_or(|port| port.as_int().is_some());
        Self { document, known }
    }

    /// What it listens on; nothing where nobody knows. `receivers`, where a product has such, have doors of their own
    /// for telemetry.
    pub(crate) fn listeners(
        &self,
        node: &Node,
        product: Product,
        version: Version,
        receivers: Option<&Receivers<'_>>,
    ) -> Vec<Listener> {
        if !self.known {
            return Vec::new();
        }
        link::listeners(node, product, version, |endpoint| match receivers {
            Some(receivers) if !endpoint.signals.is_empty() => receivers(endpoint),
            _ => Some(self.door(node, endpoint)),
        })
    }

    fn door(&self, node: &Node, endpoint: &Endpoint) -> Door {
        let port = self.document.at(PORT);
        let written = port.and_then(Value::as_int).and_then(|port| u16::try_from(port).ok());
        let address = text(&self.document, "server.http_listen_address");
        let bind = Bind::parse(address.as_ref().map(|it| it.value.as_str()).unwrap_or_default());
        // Where others cannot reach it, that is what there is to be shown.
        let hidden = address.filter(|_| bind == Bind::Loopback).map(|it| it.origin);
        let origin = hidden.or_else(|| port.map(|port| port.mark.clone()));
        Door {
            port: written.unwrap_or(endpoint.port),
            bind,
            tls: server_tls(self.document.at("server.http_tls_config")),
            origin: origin.unwrap_or_else(|| node.origin.clone()),
        }
    }

    /// Puts a listener of it below the path that all of them are below.
    pub(crate) fn put_below(&self, listener: &mut Listener) {
        if let Some(prefix) = text(&self.document, PREFIX) {
            below(listener, &prefix.value);
        }
    }
}

/// Puts a listener below a path.
pub(crate) fn below(listener: &mut Listener, prefix: &str) {
    let prefix = prefix.trim_matches('/');
    if prefix.is_empty() {
        return;
    }
    listener.path = listener.path.as_ref().map(|path| format!("/{prefix}{path}"));
    listener.base = Some(format!("/{prefix}{}", listener.base.as_deref().unwrap_or_default()));
}

/// Sets what is at a dotted path.
fn put(document: &mut Value, path: &str, value: Value) {
    let Some(mut map) = document.as_map_mut() else { return };
    let (parents, leaf) = path.rsplit_once('.').map_or((None, path), |(parents, leaf)| (Some(parents), leaf));
    for key in parents.into_iter().flat_map(|it| it.split('.')) {
        map = map.map_mut(key, &value.mark);
    }
    map.set(leaf, value);
}
