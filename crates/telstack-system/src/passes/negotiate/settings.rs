//! The settings of an exporter that reach a door, and what they dial.

use telstack_catalog::{otelcol, product::Product};
use telstack_syntax::tree::{Entry, Kind};

use super::{
    super::encryption,
    NAME, called,
    doors::{Address, Door, Place},
};
use crate::{
    known::Known,
    link::{self, Address as Outside, TENANT},
    model::{Dial, ExternalEndpoint, Node, Protocol, SecretRef, Tls},
    origin::{Origin, Settings, Sourced, Value},
};

/// What an exporter is written for.
pub(super) struct Edge<'a> {
    pub(super) sender: &'a Node,
    pub(super) receiver: &'a Node,
    pub(super) door: &'a Door,
    pub(super) tenant: Option<&'a Sourced<String>>,
    /// The exporter's settings at its release, where they are known.
    pub(super) tree: Option<&'a otelcol::SettingsNode>,
    /// Why that exporter was chosen.
    pub(super) origin: &'a Origin,
}

impl Edge<'_> {
    /// The settings that reach the receiver, and what they dial.
    pub(super) fn settings(&self) -> (Value, Dial) {
        let mut settings = Settings::default();
        let mut dial = match &self.door.place {
            Place::Inside(address) => self.inside(address, &mut settings),
            Place::Outside(outside) => self.outside(outside, &mut settings),
        };
        if let Some(tenant) = self.tenant
            && self.tree.is_none_or(|tree| tree.open || tree.child("headers").is_some())
        {
            let origin = Origin::derived(NAME, "the tenant that both sides name", &[&tenant.origin]);
            let headers = settings.map_mut("headers", &origin);
            if !contains(headers, TENANT) {
                headers.push(Entry::new(TENANT, origin.string(&tenant.value)));
            }
            dial.tenant = Some(tenant.value.clone());
        }
        (Value { kind: Kind::Map(settings), mark: self.origin.clone() }, dial)
    }

    fn dial(&self, host: String, port: u16, path: String, tls: Tls, origin: Origin) -> Dial {
        let (protocol, tls) = (self.door.protocol, Known::Value(tls));
        Dial { component: None, protocol, host, port, path, only: None, tls, tenant: None, origin }
    }

    fn inside(&self, address: &Address, settings: &mut Settings) -> Dial {
        let (receiver, protocol) = (self.receiver, self.door.protocol);
        let Address { port, path, tls, .. } = address;
        let host = receiver.host_for(self.sender);
        let endpoint = if protocol.is_grpc() {
            format!("{host}:{port}")
        } else {
            let scheme = if *tls == Tls::Off { "http" } else { "https" };
            format!("{scheme}://{host}:{port}{path}")
        };
        let reason = format!("{} takes {} at this address", called(receiver), protocol.title());
        let mut because = vec![self.origin, &receiver.origin];
        because.extend(&address.origin);
        because.extend(receiver.version.iter().map(|version| &version.origin));
        let origin = Origin::fact(NAME, reason, &because);
        settings.push(Entry::new("endpoint", origin.string(endpoint)));
        if *tls != Tls::Off {
            if let Some(file) = encryption::authority(NAME, Product::Otelcol, receiver) {
                settings
                    .push(Entry::new("tls", file.origin.map([("ca_file", file.origin.string(file.value.clone()))])));
            }
        } else if protocol.is_grpc() {
            let reason = "the receiver listens without TLS, and gRPC assumes TLS";
            let origin = Origin::derived(NAME, reason, &[&receiver.origin]);
            settings.push(Entry::new("tls", origin.map([("insecure", origin.bool(true))])));
        }
        self.dial(host, *port, path.clone(), *tls, origin)
    }

    fn outside(&self, outside: &ExternalEndpoint, settings: &mut Settings) -> Dial {
        let address = &outside.endpoint;
        if !outside.in_settings {
            settings.push(Entry::new("endpoint", address.origin.string(&address.value)));
        }
        for (key, value) in &outside.settings {
            settings.set(key, value.clone());
        }
        if let Some(token) = &outside.token {
            token_setting(self.door.protocol, token, settings);
        }
        let plain = address.value.starts_with("http://");
        let written = settings.get("tls").and_then(|tls| tls.at("insecure")).and_then(Value::as_bool);
        if plain && self.door.protocol.is_grpc() && written.is_none() {
            let reason = "the address is in plain text, and gRPC assumes TLS";
            let origin = Origin::derived(NAME, reason, &[&address.origin]);
            settings.map_mut("tls", &origin).push(Entry::new("insecure", origin.bool(true)));
        }
        let insecure = plain || (self.door.protocol.is_grpc() && written == Some(true));
        let shows = settings.get("tls").is_some_and(|tls| tls.at("cert_file").is_some());
        let tls = match (insecure, shows) {
            (true, _) => Tls::Off,
            (false, true) => Tls::Mutual,
            (false, false) => Tls::On,
        };
        let dialled = Outside::parse(&address.value);
        let (host, port, path) = dialled.map_or_else(
            || (address.value.clone(), link::HTTPS_PORT, String::new()),
            |it| (it.host.clone(), it.port_or_default(), it.path),
        );
        self.dial(host, port, path, tls, address.origin.clone())
    }
}

/// Puts a token where the exporter of that protocol sends it from, unless the stack wrote that setting.
fn token_setting(protocol: Protocol, token: &Sourced<SecretRef>, settings: &mut Settings) {
    let reference = match &token.value {
        // In the open: a rule says so, and points at it.
        SecretRef::Literal(text) => Sourced::new(text.clone(), token.origin.clone()),
        SecretRef::Secret { .. } | SecretRef::Env(_) => {
            let Some(variable) = token.value.variable() else { return };
            let origin = Origin::derived(NAME, "the token arrives in the environment", &[&token.origin]);
            Sourced::new(format!("${{env:{variable}}}"), origin)
        }
    };
    let Sourced { value, origin } = reference;
    if protocol.0 == "splunk-hec" {
        if !settings.contains("token") {
            settings.push(Entry::new("token", origin.string(value)));
        }
        return;
    }
    let headers = settings.map_mut("headers", &origin);
    if !contains(headers, "Authorization") {
        headers.push(Entry::new("Authorization", origin.string(format!("Bearer {value}"))));
    }
}

/// Is a header there, in whatever case?
fn contains(headers: &Settings, name: &str) -> bool {
    headers.iter().any(|entry| entry.key.eq_ignore_ascii_case(name))
}
