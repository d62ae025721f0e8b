//! Addresses: where to listen, and whom to dial.

use telstack_system::Bind;

/// Families of addresses that are no hosts.
const NO_HOSTS: [&str; 8] = ["unix@", "abns@", "abnsz@", "fd@", "sockpair@", "rhttp@", "udp", "quic"];
/// Most ports that a range may stand for.
const MOST_PORTS: u16 = 1_000;

/// What a word says about where to listen or whom to dial.
#[derive(PartialEq, Eq, Debug)]
pub(super) enum Address {
    /// A host, and a port if one is written.
    Host(String, Option<Port>),
    /// A socket in the file system, a descriptor, or the like.
    NoHost,
    /// It is not an address.
    Wrong,
}

/// A port as written.
#[derive(PartialEq, Eq, Debug)]
pub(super) enum Port {
    /// From the one to the other.
    Range(u16, u16),
    /// As far from the client's: `+1`.
    Offset,
    /// No number.
    Wrong,
}

/// Reads an address.
pub(super) fn address(text: &str) -> Address {
    if text.starts_with('/') || NO_HOSTS.iter().any(|it| text.starts_with(it) && text.contains('@')) {
        return Address::NoHost;
    }
    let text = ["ipv4@", "ipv6@", "tcp4@", "tcp6@", "tcp@", "mptcp@", "mptcp4@", "mptcp6@"]
        .iter()
        .find_map(|it| text.strip_prefix(it))
        .unwrap_or(text);
    // What follows the bracket of `[::1]:80`, or the last colon of `::1:80`.
    let bracket = text.rfind(']').map_or(0, |at| at + 1);
    let Some((before, after)) = text.split_at_checked(bracket) else { return Address::Wrong };
    let (host, port) = match after.rsplit_once(':') {
        Some((rest, port)) => (format!("{before}{rest}"), Some(port)),
        None => (text.to_owned(), None),
    };
    let host = host.trim_matches(['[', ']']).to_owned();
    Address::Host(host, port.filter(|it| !it.is_empty()).map(number))
}

fn number(text: &str) -> Port {
    if text.starts_with(['+', '-']) {
        return Port::Offset;
    }
    let (from, to) = text.split_once('-').unwrap_or((text, text));
    match (from.parse(), to.parse()) {
        (Ok(from), Ok(to)) => Port::Range(from, to),
        _ => Port::Wrong,
    }
}

/// The interface that a host stands for.
pub(super) fn interface(host: &str) -> Bind {
    Bind::parse(if host == "*" { "" } else { host })
}

/// The ports of a range, as far as anybody means them all.
pub(super) fn ports(from: u16, to: u16) -> impl Iterator<Item = u16> {
    from..=to.min(from.saturating_add(MOST_PORTS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_and_ports() {
        let host = |text: &str, host: &str, port: Option<Port>| {
            assert_eq!(address(text), Address::Host(host.to_owned(), port), "{text}");
        };
        let port = |it| Some(Port::Range(it, it));
        host("gateway:4317", "gateway", port(4317));
        host("gateway", "gateway", None);
        host(":80", "", port(80));
        host("*:80", "*", port(80));
        host("[::1]:80", "::1", port(80));
        host(":::80", "::", port(80));
        host("ipv4@127.0.0.1:1-3", "127.0.0.1", Some(Port::Range(1, 3)));
        host("a:+1", "a", Some(Port::Offset));
        host("a:http", "a", Some(Port::Wrong));
        for none in ["/run/x.sock", "unix@x", "fd@3", "quic4@:443", "abns@x"] {
            assert_eq!(address(none), Address::NoHost, "{none}");
        }
        assert_eq!([interface("*"), interface("127.0.0.1")], [Bind::All, Bind::Loopback]);
        assert_eq!(ports(1, 65_535).count(), 1_001);
    }
}
