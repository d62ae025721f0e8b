//! The ports of the host that services are given, each once.

use std::collections::HashMap;

use telstack_catalog::otelcol::Transport;

/// The ports of the host that are given away.
#[derive(Default)]
pub(super) struct HostPorts {
    /// A port that is given away, and one behind it that no port in between is free before.
    next: HashMap<(u16, Transport), u32>,
}

impl HostPorts {
    /// The port itself if it is free, else the next one that is; none when there is no more.
    pub(super) fn take(&mut self, port: u16, transport: Transport) -> Option<u16> {
        let mut passed = Vec::new();
        let mut at = u32::from(port);
        let free = loop {
            let key = (u16::try_from(at).ok()?, transport);
            match self.next.get(&key) {
                Some(next) => {
                    passed.push(key);
                    at = *next;
                }
                None => break key,
            }
        };
        // Whoever asks next goes straight to the end: thousands may ask for one port.
        for key in passed.into_iter().chain([free]) {
            self.next.insert(key, u32::from(free.0) + 1);
        }
        Some(free.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_free_one() {
        let mut ports = HostPorts::default();
        let mut take = |port| ports.take(port, Transport::Tcp);
        assert_eq!([take(80), take(82), take(80), take(80), take(81)].map(Option::unwrap), [80, 82, 81, 83, 84]);
        assert_eq!([take(65535), take(65535), take(65534), take(65534)], [Some(65535), None, Some(65534), None]);
        assert_eq!(ports.take(80, Transport::Udp), Some(80));
    }
}
