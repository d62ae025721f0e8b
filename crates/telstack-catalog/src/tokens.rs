//! What credentials look like that their makers give a shape of its own (`data/live_tokens.json`).

use std::{collections::BTreeSet, sync::OnceLock};

use serde::Deserialize;

/// A credential that is known by its shape alone.
#[derive(Deserialize, PartialEq, Eq, Debug)]
#[serde(deny_unknown_fields)]
pub struct Token {
    /// What it is: `a token of Grafana Cloud`.
    pub what: String,
    shape: Vec<Piece>,
    /// Where the shape is told.
    pub source: String,
}

#[derive(Deserialize, PartialEq, Eq, Debug)]
#[serde(untagged)]
enum Piece {
    Text(String),
    Some { of: Letters, least: usize, most: usize },
}

#[derive(Deserialize, Clone, Copy, PartialEq, Eq, Debug)]
#[serde(rename_all = "snake_case")]
enum Letters {
    Digits,
    Hex,
    /// Upper-case letters and digits.
    Upper,
    Alnum,
    /// Letters, digits and `_`.
    Word,
    /// Letters, digits and what base64 writes besides.
    Base64,
}

impl Letters {
    fn hold(self, c: u8) -> bool {
        match self {
            Letters::Digits => c.is_ascii_digit(),
            Letters::Hex => c.is_ascii_hexdigit(),
            Letters::Upper => c.is_ascii_uppercase() || c.is_ascii_digit(),
            Letters::Alnum => c.is_ascii_alphanumeric(),
            Letters::Word => c.is_ascii_alphanumeric() || c == b'_',
            Letters::Base64 => c.is_ascii_alphanumeric() || matches!(c, b'+' | b'/' | b'-' | b'_'),
        }
    }
}

#[derive(Deserialize)]
struct Table {
    tokens: Vec<Token>,
    made_up: Vec<String>,
}

fn table() -> &'static Table {
    static TABLE: OnceLock<Table> = OnceLock::new();
    TABLE.get_or_init(|| {
        let text = include_str!("../data/live_tokens.json");
        serde_json::from_str(text).expect("live_tokens.json is embedded and read by the tests")
    })
}

/// The credential in a text that is one beyond doubt, by its shape. One that somebody made up for an example is none.
pub fn live_token(text: &str) -> Option<&'static Token> {
    let bytes = text.as_bytes();
    let part = |at: usize| bytes.get(at).is_some_and(|c| c.is_ascii_alphanumeric() || *c == b'_');
    let mut starts = (0..bytes.len()).filter(|at| *at == 0 || !part(*at - 1));
    starts.find_map(|from| {
        table().tokens.iter().find(|token| {
            let chance = token.end(bytes, from).filter(|to| !part(*to)).map(|to| &bytes[from..to]);
            chance.is_some_and(looks_drawn)
        })
    })
}

impl Token {
    /// Where it ends, if it starts there.
    fn end(&self, text: &[u8], from: usize) -> Option<usize> {
        self.shape.iter().try_fold(from, |at, piece| {
            let rest = text.get(at..)?;
            match piece {
                Piece::Text(word) => rest.starts_with(word.as_bytes()).then_some(at + word.len()),
                Piece::Some { of, least, most } => {
                    let long = rest.iter().take(*most).take_while(|c| of.hold(**c)).count();
                    (long >= *least).then_some(at + long)
                }
            }
        })
    }
}

/// Was it drawn by chance, rather than typed by somebody who wanted to show where one goes?
fn looks_drawn(token: &[u8]) -> bool {
    const DIFFERENT: usize = 10;
    let lower = String::from_utf8_lossy(token).to_ascii_lowercase();
    let different: BTreeSet<&u8> = token.iter().collect();
    different.len() >= DIFFERENT && !table().made_up.iter().any(|word| lower.contains(word.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Letters by chance, put together here, so that nobody takes this file for one that leaks something.
    const DRAWN: &str = "Q7mZ2kVx9TbR4cNw8HsJ5dLf3GpY6aEu1WqX0oBiMvKtCz";

    fn what(text: &str) -> Option<&'static str> {
        live_token(text).map(|token| token.what.as_str())
    }

    #[test]
    fn shapes_that_are_known() {
        let of = |start: &str, long: usize| format!("{start}{}", &DRAWN[..long]);
        let upper = DRAWN.to_ascii_uppercase();
        for (text, made_by) in [
            (of("glc_eyJ", 40), "Grafana Cloud"),
            (format!("{}_1a2b3c4d", of("glsa_", 32)), "Grafana"),
            (format!("AKIA{}", &upper[..16]), "AWS"),
            (of("ghp_", 36), "GitHub"),
            (format!("xoxb-{}-{}-{}", "481516234299", "481516234242", &DRAWN[..24]), "Slack"),
            (format!("NRAK-{}", &upper[..27]), "New Relic"),
        ] {
            for text in [text.clone(), format!("Bearer {text}"), format!("user:{text}")] {
                assert!(what(&text).is_some_and(|it| it.contains(made_by)), "{text}");
            }
            assert_eq!(what(&format!("x{text}")), None);
            assert_eq!(what(&text[..text.len() / 2]), None, "{text}");
        }
    }

    #[test]
    fn what_stands_for_one_is_none() {
        let none = [
            "glc_xxx".to_owned(),
            "glc_<token>".to_owned(),
            format!("AKIA{}", "IOSFODNN7EXAMPLE"),
            format!("ghp_{}", "x".repeat(36)),
            format!("ghp_{}", "0123456789".repeat(4).get(..36).unwrap_or_default()),
            format!("glsa_{}_00000000", "a".repeat(32)),
            DRAWN.to_owned(),
            "ThisIsThePassword1".to_owned(),
            String::new(),
        ];
        for text in none {
            assert_eq!(what(&text), None, "{text}");
        }
    }
}
