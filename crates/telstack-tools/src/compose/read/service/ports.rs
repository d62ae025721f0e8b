//! Ports that a service opens on the host.

use telstack_catalog::otelcol::Transport;
use telstack_system::Published;

use super::Service;
use crate::compose::read::values::word;

/// Most ports that a range may stand for.
const MOST_PORTS: u16 = 1_000;

impl Service<'_> {
    pub(super) fn ports(&self) -> Vec<Published> {
        let mut found = Vec::new();
        for item in self.items("ports") {
            let long = item.as_map();
            let part = |key: &str| word(long?.get(key)?, self.variables).map(|it| it.value);
            let text = word(item, self.variables).map(|it| it.value).unwrap_or_default();
            let (ip, host, inside) = match long {
                Some(_) => (part("host_ip"), part("published"), part("target")),
                None => short_port(&text),
            };
            let udp = text.ends_with("/udp") || part("protocol").as_deref() == Some("udp");
            let transport = if udp { Transport::Udp } else { Transport::Tcp };
            // Without a port of the host, docker picks one.
            let (Some(host), Some(inside)) = (host.as_deref().and_then(range), inside.as_deref().and_then(range))
            else {
                continue;
            };
            let ip = ip.filter(|ip| !matches!(ip.as_str(), "0.0.0.0" | "::" | ""));
            let count = inside.1.abs_diff(inside.0).min(host.1.abs_diff(host.0)).min(MOST_PORTS);
            for at in 0..=count {
                let (Some(host_port), Some(container_port)) = (host.0.checked_add(at), inside.0.checked_add(at)) else {
                    break;
                };
                let (what, origin) = (String::new(), item.mark.clone());
                let new = Published { host_ip: ip.clone(), host_port, container_port, transport, what, origin };
                // The same one in another file is the same one.
                if !found.iter().any(|it: &Published| Published { origin: it.origin.clone(), ..new.clone() } == *it) {
                    found.push(new);
                }
            }
        }
        found
    }
}

/// Address, port of the host and port inside of `127.0.0.1:8080:80/tcp`.
fn short_port(text: &str) -> (Option<String>, Option<String>, Option<String>) {
    let text = text.split_once('/').map_or(text, |(ports, _)| ports);
    let mut parts = text.rsplitn(3, ':');
    let (inside, host, ip) = (parts.next(), parts.next(), parts.next());
    (ip.map(|it| it.trim_matches(['[', ']']).to_owned()), host.map(str::to_owned), inside.map(str::to_owned))
}

/// The first and the last port of `80` or `80-90`.
fn range(text: &str) -> Option<(u16, u16)> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    Some((first.trim().parse().ok()?, last.trim().parse().ok()?)).filter(|(first, last)| first <= last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports() {
        let read = |text: &str| short_port(text);
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(read("8080:80"), (None, some("8080"), some("80")));
        assert_eq!(read("127.0.0.1:8080:80/udp"), (some("127.0.0.1"), some("8080"), some("80")));
        assert_eq!(read("[::1]:8080:80"), (some("::1"), some("8080"), some("80")));
        assert_eq!(read("80"), (None, None, some("80")));
        assert_eq!(
            (range("80"), range("80-82"), range("82-80"), range("x")),
            (Some((80, 80)), Some((80, 82)), None, None)
        );
    }
}
