//! Proxies: what they take in front, and the servers behind that they hand it to. Named after no product, so that
//! each tool can read its own into it.

use telstack_catalog::product::Product;

use crate::{
    known::Known,
    model::link::{Bind, Tls},
    origin::{Origin, Sourced},
    units::Period,
};

/// A proxy.
#[derive(Clone, Debug)]
pub struct Proxy {
    /// What it is.
    pub product: Product,
    /// What listens.
    pub frontends: Vec<Frontend>,
    /// What is dialled.
    pub backends: Vec<Backend>,
    /// May it do more than was understood? Then nothing is known to be missing.
    pub open: bool,
}

/// What a proxy understands of what passes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Layer {
    /// Bytes: a connection goes to one server for as long as it lasts.
    Connections,
    /// HTTP: each request goes its own way.
    Requests,
}

/// The part of a proxy that listens.
#[derive(Clone, Debug)]
pub struct Frontend {
    /// Its name.
    pub name: String,
    /// What declares it.
    pub origin: Origin,
    /// What it understands; none where run time decides.
    pub layer: Option<Sourced<Layer>>,
    /// Where it listens.
    pub doors: Vec<ProxyDoor>,
    /// The backends that it may hand on to.
    pub routes: Vec<Route>,
    /// How long a client may be silent; none where nothing is written.
    pub idle: Option<Sourced<Period>>,
    /// Does it change requests on the way, in ways that are not followed?
    pub changes: bool,
}

/// A port that a proxy listens on.
#[derive(Clone, Debug)]
pub struct ProxyDoor {
    /// The interface.
    pub bind: Bind,
    /// The port.
    pub port: u16,
    /// Encrypted? What a proxy of connections does not decrypt may be either.
    pub tls: Known<Tls>,
    /// Does it take HTTP/2? Not known where the release decides.
    pub http2: Known<bool>,
    /// Is it told to take nothing else, whoever comes?
    pub only_http2: bool,
    /// What opens it.
    pub origin: Origin,
}

/// A way from a frontend to a backend.
#[derive(Clone, Debug)]
pub struct Route {
    /// The backend's number among those of the proxy.
    pub backend: usize,
    /// Is it taken only for some of what comes?
    pub conditional: bool,
    /// What says so.
    pub origin: Origin,
}

/// The part of a proxy that dials.
#[derive(Clone, Debug)]
pub struct Backend {
    /// Its name.
    pub name: String,
    /// What declares it.
    pub origin: Origin,
    /// What it understands; none where run time decides.
    pub layer: Option<Sourced<Layer>>,
    /// How it chooses among its servers, in the word of the proxy, without arguments.
    pub balance: Option<Sourced<String>>,
    /// Does what belongs together reach the same server, by something in it? Not known where it is more than one
    /// word.
    pub keyed: Known<bool>,
    /// Does a client keep to one server, whatever it sends?
    pub by_client: bool,
    /// How it asks its servers whether they are well, where that is more than a connection.
    pub probe: Option<HttpProbe>,
    /// Its servers.
    pub servers: Vec<Server>,
    /// How long a server may be silent; none where nothing is written.
    pub idle: Option<Sourced<Period>>,
    /// Does it change requests on the way, in ways that are not followed?
    pub changes: bool,
}

/// A question over HTTP whether a server is well.
#[derive(Clone, Debug)]
pub struct HttpProbe {
    /// The path asked for.
    pub path: Sourced<String>,
    /// Is every answer fine that says it went well, and no other?
    pub plain: bool,
    /// Is it more than one question, or one that was not understood?
    pub open: bool,
    /// What asks for it.
    pub origin: Origin,
}

/// A server behind a proxy.
#[derive(Clone, Debug)]
pub struct Server {
    /// Its name.
    pub name: String,
    /// The host, with what says so.
    pub host: Sourced<String>,
    /// The port, if one is written.
    pub port: Option<u16>,
    /// How many there are: a template stands for several. None where run time decides.
    pub count: Option<u64>,
    /// Does it surely get a share of what comes, and not only once others are gone?
    pub takes_turns: bool,
    /// Encrypted?
    pub tls: Known<Tls>,
    /// Is it spoken to in HTTP/2?
    pub http2: Known<bool>,
    /// Whatever it says itself?
    pub only_http2: bool,
    /// Is it asked whether it is well?
    pub check: Option<ServerCheck>,
}

/// Whether a server is well, beyond what its backend says.
#[derive(Clone, Debug)]
pub struct ServerCheck {
    /// Another port to ask on.
    pub port: Option<Sourced<u16>>,
    /// Is it asked in a way of its own: another host, encrypted, another protocol?
    pub own_way: bool,
    /// What asks for it.
    pub origin: Origin,
}

impl Frontend {
    /// The door on a port.
    pub fn door(&self, port: u16) -> Option<&ProxyDoor> {
        self.doors.iter().find(|door| door.port == port)
    }

    /// The backend that all goes to, if there is one such.
    pub fn only_backend(&self) -> Option<usize> {
        match self.routes.as_slice() {
            [one] if !one.conditional => Some(one.backend),
            _ => None,
        }
    }
}

impl Proxy {
    /// A proxy that nothing is known of.
    pub fn new(product: Product) -> Self {
        Self { product, frontends: Vec::new(), backends: Vec::new(), open: true }
    }

    /// What listens on a port.
    pub fn on(&self, port: u16) -> impl Iterator<Item = &Frontend> {
        self.frontends.iter().filter(move |it| it.door(port).is_some())
    }

    /// What may hand on to a backend.
    pub fn before(&self, backend: usize) -> impl Iterator<Item = &Frontend> {
        self.frontends.iter().filter(move |it| it.routes.iter().any(|route| route.backend == backend))
    }
}

impl Backend {
    /// How many servers surely get a share; none where run time decides.
    pub fn turns(&self) -> Option<u64> {
        self.servers.iter().filter(|it| it.takes_turns).map(|it| it.count).sum()
    }
}
