//! `grafana.ini`: sections of keys and values.

use telstack_diagnostics::Span;
use telstack_system::{Origin, Sourced};

use crate::folder::Piece;

/// What a file says, in order.
#[derive(Debug, Default)]
pub(super) struct Ini {
    /// Section, key and value.
    values: Vec<(String, String, Sourced<String>)>,
}

impl Ini {
    pub(super) fn read(piece: &Piece<'_>) -> Self {
        let mut found = Self::default();
        let mut section = String::new();
        let mut start = 0;
        for line in piece.text.split_inclusive('\n') {
            let at = start;
            start += line.len();
            let text = line.trim();
            if text.is_empty() || text.starts_with([';', '#']) {
                continue;
            }
            if let Some(name) = text.strip_prefix('[').and_then(|it| it.strip_suffix(']')) {
                name.trim().clone_into(&mut section);
                continue;
            }
            let Some((key, value)) = text.split_once('=') else { continue };
            let value = value.trim();
            let from = at + (value.as_ptr() as usize - line.as_ptr() as usize);
            let origin = Origin::written(piece.place.of(Span::new(piece.file, from, from + value.len())));
            let value = ["\"\"\"", "\"", "`"]
                .iter()
                .find_map(|quote| value.strip_prefix(quote)?.strip_suffix(quote))
                .unwrap_or(value);
            found.values.push((section.clone(), key.trim().to_owned(), Sourced::new(value.to_owned(), origin)));
        }
        found
    }

    /// The last value of a key; what is empty counts as not there.
    pub(super) fn get(&self, section: &str, key: &str) -> Option<&Sourced<String>> {
        let mut all = self.values.iter().rev().filter(|it| it.0 == section && it.1 == key);
        all.next().map(|it| &it.2).filter(|it| !it.value.is_empty())
    }
}
