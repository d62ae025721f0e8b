//! What an exporter dials, as far as its settings say.

use telstack_catalog::{Signal, SignalSet, Version, otelcol};
use telstack_syntax::tree::Kind;

use crate::{
    expansion::is_open,
    known::Known,
    model::{Component, Dial, Protocol, Tls},
    origin::Value,
};

/// The header that names a tenant.
pub(crate) const TENANT: &str = "X-Scope-OrgID";
/// Ports that an address without one means.
const HTTP_PORT: u16 = 80;
pub(crate) const HTTPS_PORT: u16 = 443;

/// An address as people write it: `https://host:port/path`, `host:port`, `host`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Address {
    /// What stands before `://`; empty if nothing does.
    pub scheme: String,
    /// The host.
    pub host: String,
    /// The port, if one is written.
    pub port: Option<u16>,
    /// What follows, from the `/` on.
    pub path: String,
}

impl Address {
    /// Reads an address; none if it has no host or its port is no number.
    pub fn parse(text: &str) -> Option<Self> {
        let (scheme, rest) = text.trim().split_once("://").unwrap_or(("", text.trim()));
        let (authority, path) = rest.find(['/', '?', '#']).map_or((rest, ""), |at| rest.split_at(at));
        let authority = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
        // `[::1]:80`: only what follows the bracket can be a port.
        let bracket = authority.rfind(']').map_or(0, |at| at + 1);
        let (host, port) = match authority[bracket..].rfind(':') {
            Some(at) => (&authority[..bracket + at], Some(authority[bracket + at + 1..].parse().ok()?)),
            None => (authority, None),
        };
        let host = host.trim_matches(['[', ']']);
        let (scheme, host) = (scheme.to_ascii_lowercase(), host.to_owned());
        (!host.is_empty()).then(|| Self { scheme, host, port, path: path.to_owned() })
    }

    /// The port written, else the one that the scheme means; encrypted without a scheme.
    pub fn port_or_default(&self) -> u16 {
        self.port.unwrap_or(if self.scheme == "http" { HTTP_PORT } else { HTTPS_PORT })
    }
}

/// The address that an exporter of OTLP over HTTP has for one signal, in place of the one for all.
pub fn own_address(exporter: &Component, signal: Signal) -> Option<&Value> {
    exporter.setting(&format!("{signal}_endpoint")).filter(|it| it.as_str().is_none_or(|text| !text.is_empty()))
}

/// What an exporter dials, with the signals that may go there: where its settings give a signal an address of its
/// own, it goes nowhere else. `version` is that of the collector.
pub fn of_exporter(exporter: &Component, version: Option<Version>) -> Vec<(Dial, SignalSet)> {
    let all = SignalSet::of(Signal::ALL);
    let Some(fact) = exporter.fact() else { return Vec::new() };
    let Some(protocol) = fact.protocol().map(Protocol) else { return Vec::new() };
    if protocol == Protocol::KAFKA {
        return message_addresses(exporter).into_iter().map(|dial| (dial, all)).collect();
    }
    let address = fact.address_setting();
    // The address of some is their own: they are asked, and do not dial.
    if version.is_some_and(|version| fact.listens(version).iter().any(|listen| listen.setting == address)) {
        return Vec::new();
    }
    let setting = exporter.setting(address);
    let shared = setting.and_then(|it| dial(exporter, protocol, it));
    if protocol != Protocol::OTLP_HTTP {
        return shared.map(|dial| (dial, all)).into_iter().collect();
    }
    let own = |signal: &Signal| Some((*signal, own_address(exporter, *signal)?));
    let known = version.and_then(|version| fact.signals(version));
    let own: Vec<(Signal, &Value)> =
        Signal::ALL.iter().filter(|it| known.is_none_or(|all| all.contains(**it))).filter_map(own).collect();
    let rest: SignalSet = all.iter().filter(|signal| own.iter().all(|(it, _)| it != signal)).collect();
    let mut dials: Vec<_> = shared.map(|dial| (dial, rest)).into_iter().collect();
    for (signal, endpoint) in own {
        let Some(dial) = dial(exporter, protocol, endpoint) else { continue };
        dials.push((Dial { only: Some(signal), ..dial }, SignalSet::of(&[signal])));
    }
    dials
}

/// What a job of a receiver scrapes.
pub(super) fn of_job(receiver: &Component, job: &Value) -> Vec<Dial> {
    let items =
        |value: &'_ Value, key: &str| value.at(key).and_then(Value::as_seq).map(<[Value]>::to_vec).unwrap_or_default();
    let text = |key: &str| job.at(key).and_then(Value::as_str);
    // Targets may be renamed before they are dialled.
    if !items(job, "relabel_configs").is_empty() {
        return Vec::new();
    }
    let scheme = text("scheme").unwrap_or("http");
    let tls = match scheme {
        "https" => Known::Value(Tls::On),
        "http" => Known::Value(Tls::Off),
        _ => Known::Unknown,
    };
    let port = if scheme == "https" { HTTPS_PORT } else { HTTP_PORT };
    let targets = items(job, "static_configs").iter().flat_map(|it| items(it, "targets")).collect::<Vec<_>>();
    let dial = |target: &Value| {
        let address = Address::parse(target.as_str().filter(|text| !is_open(text))?)?;
        Some(Dial {
            component: Some(receiver.reference()),
            protocol: Protocol::EXPOSITION,
            port: address.port.unwrap_or(port),
            host: address.host,
            path: text("metrics_path").unwrap_or("/metrics").to_owned(),
            only: None,
            tls,
            tenant: None,
            origin: target.mark.clone(),
        })
    };
    targets.iter().filter_map(dial).collect()
}

/// The address in a target of gRPC, which may say how it is looked up: `dns:///host:port`. Source: grpc
/// `doc/naming.md`.
fn looked_up(target: &str) -> &str {
    let Some((_, rest)) = target.split_once("://").filter(|(scheme, _)| RESOLVERS.contains(scheme)) else {
        return target;
    };
    rest.split_once('/').map_or(rest, |(_, address)| address)
}

/// What looks up the name that follows, and nothing else.
const RESOLVERS: [&str; 2] = ["dns", "passthrough"];

fn dial(exporter: &Component, protocol: Protocol, endpoint: &Value) -> Option<Dial> {
    let text = endpoint.as_str().filter(|text| !is_open(text))?;
    let address = Address::parse(if protocol.is_grpc() { looked_up(text) } else { text })?;
    Some(Dial {
        component: Some(exporter.reference()),
        protocol,
        port: address.port_or_default(),
        tls: tls(exporter, protocol, &address.scheme),
        host: address.host,
        path: address.path,
        only: None,
        tenant: tenant(exporter),
        origin: endpoint.mark.clone(),
    })
}

/// Where the brokers of a component that writes or reads messages are, one by one.
const BROKERS: &str = "brokers";
/// Where it may say that it encrypts.
const MESSAGES_TLS: [&str; 2] = ["tls", "auth.tls"];

/// What a component dials that writes or reads messages.
pub(super) fn message_addresses(component: &Component) -> Vec<Dial> {
    let brokers = component.setting(BROKERS).map(|it| it.as_seq().unwrap_or(std::slice::from_ref(it)));
    let settings: Vec<&Value> = MESSAGES_TLS.iter().filter_map(|path| component.setting(path)).collect();
    let tls = match settings.as_slice() {
        [] => Known::Value(Tls::Off),
        [one] if one.as_map().is_some() && one.at("insecure").is_none() => Known::Value(Tls::On),
        _ => Known::Unknown,
    };
    let dial = |broker: &Value| {
        let address = Address::parse(broker.as_str().filter(|text| !is_open(text))?)?;
        Some(Dial {
            component: Some(component.reference()),
            protocol: Protocol::KAFKA,
            port: address.port?,
            host: address.host,
            path: String::new(),
            only: None,
            tls,
            tenant: None,
            origin: broker.mark.clone(),
        })
    };
    brokers.unwrap_or_default().iter().filter_map(dial).collect()
}

/// The tenant that an exporter names: in whatever case, the header is the same.
fn tenant(exporter: &Component) -> Option<String> {
    let headers = exporter.setting("headers")?;
    let named = |key: &str| key.eq_ignore_ascii_case(TENANT);
    match &headers.kind {
        Kind::Map(map) => map.iter().find(|entry| named(&entry.key))?.value.as_str().map(str::to_owned),
        // Newer releases take a list of names and values too.
        Kind::Seq(seq) => {
            let item = seq.items.iter().find(|item| item.at("name").and_then(Value::as_str).is_some_and(named))?;
            item.at("value")?.as_str().map(str::to_owned)
        }
        _ => None,
    }
}

/// HTTP goes by the scheme. gRPC encrypts unless told otherwise, and always when the scheme is `https`;
/// `http` alone does not switch it off.
fn tls(exporter: &Component, protocol: Protocol, scheme: &str) -> Known<Tls> {
    let mutual = if exporter.setting("tls.cert_file").is_some() { Tls::Mutual } else { Tls::On };
    match (protocol.is_grpc(), scheme) {
        (_, "https") => Known::Value(mutual),
        (false, "http") => Known::Value(Tls::Off),
        (false, _) if exporter.fact().is_some_and(|fact| fact.address_setting() != otelcol::ENDPOINT) => {
            Known::Value(mutual)
        }
        (false, _) => Known::Unknown,
        // Long ago it stood outside of `tls`: other releases take no such setting, and say so.
        (true, _) if exporter.setting("insecure").is_some() => Known::Unknown,
        (true, _) if exporter.setting("tls").is_some_and(|it| it.as_str().is_some()) => Known::Unknown,
        (true, _) => match exporter.truth("tls.insecure") {
            Known::Value(true) => Known::Value(Tls::Off),
            Known::Value(false) | Known::Absent => Known::Value(mutual),
            Known::Unknown => Known::Unknown,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::Address;

    #[test]
    fn addresses() {
        let read = |text: &str| Address::parse(text).map(|it| (it.host.clone(), it.port_or_default(), it.path));
        let is = |host: &str, port: u16, path: &str| Some((host.to_owned(), port, path.to_owned()));
        assert_eq!(read("https://a.example:8443/x/y"), is("a.example", 8443, "/x/y"));
        assert_eq!(read("http://loki"), is("loki", 80, ""));
        assert_eq!(read("HTTPS://loki/otlp"), is("loki", 443, "/otlp"));
        assert_eq!(read("tempo:4317"), is("tempo", 4317, ""));
        assert_eq!(read("tempo"), is("tempo", 443, ""));
        assert_eq!(read("[::1]:4317"), is("::1", 4317, ""));
        assert_eq!(read("http://user:secret@loki:3100"), is("loki", 3100, ""));
        for odd in ["", "http://", ":4317", "tempo:grpc", "tempo:99999"] {
            assert_eq!(read(odd), None, "{odd}");
        }
    }
}
