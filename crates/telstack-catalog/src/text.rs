//! Lookup of one record in embedded text without parsing the rest.
//!
//! A data file has one record a line, sorted by key: `["key",value]`. A record is found by binary
//! search over byte offsets; only the value that was asked for is ever parsed.

/// An embedded file of sorted `["key",value]` lines.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lines(pub(crate) &'static str);

impl Lines {
    /// The JSON text of the value under a key.
    pub(crate) fn get(self, key: &str) -> Option<&'static str> {
        let (mut low, mut high) = (0, self.0.len());
        while low < high {
            let (start, end) = self.line_at(low + (high - low) / 2);
            let (found, value) = split(&self.0[start..end])?;
            match found.cmp(key) {
                std::cmp::Ordering::Equal => return Some(value),
                std::cmp::Ordering::Less => low = end + 1,
                std::cmp::Ordering::Greater => high = start,
            }
        }
        None
    }

    /// The records whose keys start with a text, in order.
    pub(crate) fn starting_with(self, start: &str) -> impl Iterator<Item = (&'static str, &'static str)> {
        let (mut low, mut high) = (0, self.0.len());
        while low < high {
            let (begin, end) = self.line_at(low + (high - low) / 2);
            match split(&self.0[begin..end]) {
                Some((found, _)) if found < start => low = end + 1,
                _ => high = begin,
            }
        }
        let start = start.to_owned();
        let rest = self.0.get(low..).unwrap_or_default();
        rest.lines().filter_map(split).take_while(move |(key, _)| key.starts_with(&start))
    }

    /// Where the line around a byte starts and ends.
    fn line_at(self, byte: usize) -> (usize, usize) {
        let (before, after) = self.0.as_bytes().split_at(byte);
        // Lines are long: some have tens of kilobytes.
        let start = memchr::memrchr(b'\n', before).map_or(0, |at| at + 1);
        (start, memchr::memchr(b'\n', after).map_or(self.0.len(), |at| byte + at))
    }

    /// The records in order of their keys.
    pub(crate) fn iter(self) -> impl Iterator<Item = (&'static str, &'static str)> {
        self.0.lines().filter_map(split)
    }
}

/// Splits `["key",value]`. Keys hold no escapes.
fn split(line: &'static str) -> Option<(&'static str, &'static str)> {
    let inner = line.strip_prefix("[\"")?.strip_suffix(']')?;
    let (key, rest) = inner.split_once('"')?;
    Some((key, rest.strip_prefix(',')?))
}

/// Texts kept for the life of the program, each once.
pub(crate) struct Words(std::sync::Mutex<std::collections::BTreeSet<&'static str>>);

impl Words {
    pub(crate) const fn new() -> Self {
        Self(std::sync::Mutex::new(std::collections::BTreeSet::new()))
    }

    /// The kept copy of a text. Meant for texts of a small fixed set.
    pub(crate) fn keep(&self, text: &str) -> &'static str {
        let mut kept = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(known) = kept.get(text) {
            return known;
        }
        let leaked: &'static str = Box::leak(text.into());
        kept.insert(leaked);
        leaked
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_every_line_and_nothing_else() {
        let lines = Lines("[\"a\",1]\n[\"b/c\",{\"x\":[2]}]\n[\"d\",\"e\"]\n");
        assert_eq!(lines.get("a"), Some("1"));
        assert_eq!(lines.get("b/c"), Some("{\"x\":[2]}"));
        assert_eq!(lines.get("d"), Some("\"e\""));
        for missing in ["", "0", "b", "c", "e"] {
            assert_eq!(lines.get(missing), None, "{missing}");
        }
        assert_eq!(Lines("").get("a"), None);
        assert_eq!(lines.iter().count(), 3);
    }
}
