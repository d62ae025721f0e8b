//! Is a host on the public network? Said only of those that surely are.

use core::net::{IpAddr, Ipv4Addr};

/// Ends of names that companies and people buy. A cluster may have a namespace of any other name.
const BOUGHT: [&str; 3] = ["com", "net", "org"];
/// Ends of names that are bought too, and that a short name inside a cluster may have as well.
const ALSO: [&str; 15] =
    ["io", "dev", "app", "cloud", "co", "ai", "tech", "eu", "de", "uk", "fr", "nl", "us", "in", "br"];
/// Names that nobody has, kept for examples (RFC 2606).
const EXAMPLES: [&str; 3] = ["example.com", "example.net", "example.org"];

/// Does a request to that host surely cross a network that others share?
pub(crate) fn is_public(host: &str) -> bool {
    if let Ok(address) = host.parse::<IpAddr>() {
        return match address {
            IpAddr::V4(address) => is_public_v4(address),
            IpAddr::V6(address) => (0x2000..0x4000).contains(&address.segments()[0]),
        };
    }
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    let labels: Vec<&str> = host.split('.').collect();
    let Some(end) = labels.last() else { return false };
    if labels.iter().any(|label| label.is_empty()) || EXAMPLES.iter().any(|it| host == *it) {
        return false;
    }
    (BOUGHT.contains(end) && labels.len() >= 2) || (ALSO.contains(end) && labels.len() >= 3)
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [first, second, ..] = address.octets();
    let shared = first == 100 && (64..128).contains(&second);
    let reserved = first == 0 || first >= 224 || (first == 198 && (18..20).contains(&second));
    !(address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_documentation()
        || shared
        || reserved)
}

#[cfg(test)]
mod tests {
    use super::is_public;

    #[test]
    fn only_what_surely_is() {
        for host in ["otlp.vendor.com", "vendor.net", "otlp.eu.vendor.io", "8.8.8.8", "2001:4860:4860::8888"] {
            assert!(is_public(host), "{host}");
        }
        for host in [
            "tempo",
            "tempo.dev",
            "tempo.tracing",
            "tempo.tracing.svc.cluster.local",
            "10.0.0.1",
            "192.168.1.2",
            "172.16.3.4",
            "100.64.0.1",
            "127.0.0.1",
            "169.254.169.254",
            "::1",
            "fd00::1",
            "fe80::1",
            "hub.internal",
            "192.0.2.1",
            "example.com",
            "",
            "a..com",
        ] {
            assert!(!is_public(host), "{host}");
        }
    }
}
