//! Scalars of manifests, and the small things that many kinds have.

use telstack_catalog::otelcol::Transport;
use telstack_system::{
    Selector, Sourced, TargetPort, Value,
    cluster::{Expression, Labels},
    units::{Bytes, Cpu, Period},
};

use crate::reading::items;
pub(super) use crate::reading::{text as at, word};

/// The text at a dotted path, without its place.
pub(super) fn plain(value: &Value, path: &str) -> Option<String> {
    at(value, path).map(|it| it.value)
}

/// The items of a list of scalars at a dotted path.
pub(super) fn words(value: &Value, path: &str) -> Vec<Sourced<String>> {
    items(value, path).iter().filter_map(word).collect()
}

/// The same without their places.
pub(super) fn plain_words(value: &Value, path: &str) -> Vec<String> {
    words(value, path).into_iter().map(|it| it.value).collect()
}

/// A number that is not negative, at a dotted path. What run time or somebody else fills in is none.
pub(super) fn number(value: &Value, path: &str) -> Option<Sourced<u64>> {
    let word = at(value, path)?;
    Some(Sourced::new(word.value.parse().ok()?, word.origin))
}

/// Seconds at a dotted path.
pub(super) fn seconds(value: &Value, path: &str) -> Option<Sourced<Period>> {
    let number = number(value, path)?;
    Some(Sourced::new(Period::from_secs(number.value), number.origin))
}

/// Labels or annotations.
pub(super) fn labels(value: Option<&Value>) -> Labels {
    let entries = value.and_then(Value::as_map).into_iter().flatten();
    entries.filter_map(|entry| Some((entry.key.clone(), word(&entry.value)?))).collect()
}

/// What picks by labels, with `matchLabels` and `matchExpressions`.
pub(super) fn selector(value: &Value) -> Selector {
    let expressions = items(value, "matchExpressions").iter().map(|it| Expression {
        key: plain(it, "key").unwrap_or_default(),
        operator: plain(it, "operator").unwrap_or_default(),
        values: plain_words(it, "values"),
    });
    let labels = labels(value.at("matchLabels"));
    Selector { labels, expressions: expressions.collect(), origin: value.mark.clone() }
}

/// A port by its number or its name.
pub(super) fn port(value: &Value) -> Option<Sourced<TargetPort>> {
    let word = word(value)?;
    let port = match word.value.parse::<u16>() {
        Ok(number) => TargetPort::Number(number),
        Err(_) => TargetPort::Name(word.value),
    };
    Some(Sourced::new(port, word.origin))
}

/// `protocol:`; none for what is neither TCP nor UDP.
pub(super) fn transport(value: &Value) -> Option<Transport> {
    match plain(value, "protocol").as_deref() {
        None | Some("TCP") => Some(Transport::Tcp),
        Some("UDP") => Some(Transport::Udp),
        Some(_) => None,
    }
}

/// Processor time.
pub(super) fn cpu(value: &Value, path: &str) -> Option<Sourced<Cpu>> {
    let word = at(value, path)?;
    Some(Sourced::new(Cpu::parse(&word.value)?, word.origin))
}

/// An amount of memory or disk.
pub(super) fn size(value: &Value, path: &str) -> Option<Sourced<Bytes>> {
    let word = at(value, path)?;
    Some(Sourced::new(quantity(&word.value)?, word.origin))
}

/// Kubernetes' suffixes, and what they stand for.
const SUFFIXES: [(&str, f64); 14] = [
    ("", 1.0),
    ("m", 1e-3),
    ("k", 1e3),
    ("M", 1e6),
    ("G", 1e9),
    ("T", 1e12),
    ("P", 1e15),
    ("E", 1e18),
    ("Ki", 1024.0),
    ("Mi", 1_048_576.0),
    ("Gi", 1_073_741_824.0),
    ("Ti", 1_099_511_627_776.0),
    ("Pi", 1_125_899_906_842_624.0),
    ("Ei", 1_152_921_504_606_846_976.0),
];
/// More than there is.
const MOST: f64 = 1e18;

/// `512Mi`, `1G`, `1e9`, `128974848`.
fn quantity(text: &str) -> Option<Bytes> {
    let text = text.trim();
    let number = |text: &str| text.parse::<f64>().ok().filter(|it| it.is_finite() && *it >= 0.0);
    let bytes = match text.find(|c: char| c.is_ascii_alphabetic()) {
        // `1e9` has a number behind its letter.
        Some(at) if !text.ends_with(|c: char| c.is_ascii_digit()) => {
            let (_, factor) = SUFFIXES.iter().find(|(suffix, _)| *suffix == &text[at..])?;
            number(&text[..at])? * factor
        }
        _ => number(text)?,
    };
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    (bytes <= MOST).then_some(Bytes::new(bytes.round() as u64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities() {
        let bytes = |text: &str| quantity(text).map(Bytes::bytes);
        assert_eq!(bytes("512Mi"), Some(512 << 20));
        assert_eq!(bytes("1.5Gi"), Some(3 << 29));
        assert_eq!((bytes("1G"), bytes("1e9"), bytes("1000")), (Some(1_000_000_000), Some(1_000_000_000), Some(1000)));
        assert_eq!(bytes("1500m"), Some(2));
        for odd in ["", "x", "1GB", "-1", "1e99", "{{ .Values.memory }}", "1Mi2"] {
            assert_eq!(bytes(odd), None, "{odd}");
        }
    }
}
