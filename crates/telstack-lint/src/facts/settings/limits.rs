//! Is a value within what the collector takes, beyond its type? What run time decides is not judged.

use std::borrow::Cow;

use telstack_catalog::{
    Version, container,
    otelcol::{self, Demand, Limit},
};
use telstack_syntax::tree::Kind;
use telstack_system::{Origin, Value, expansion, units::Bytes};

use super::ProblemKind;
use crate::{facts::nanoseconds, words::either};

/// What is wrong with the value that a limit is about, and where.
pub(super) fn problem<'a>(
    limit: &Limit,
    at: impl Fn(&str) -> Option<&'a Value>,
    default: impl Fn(&str) -> Option<String>,
    allowed: &[Box<str>],
) -> Option<(&'a Origin, ProblemKind)> {
    let value = at(&limit.path)?;
    let is_off = |path: &String| at(path).is_some_and(|it| it.as_bool() != Some(true));
    if limit.unless_off.as_ref().is_some_and(is_off) {
        return None;
    }
    let holds = |(path, words): (&String, &Vec<String>)| {
        let word = match at(path) {
            Some(value) => value.as_str().and_then(expansion::literal).map(|it| it.to_lowercase()),
            None => default(path),
        };
        word.is_some_and(|word| words.contains(&word))
    };
    if !limit.when.iter().all(holds) {
        return None;
    }
    Some((&value.mark, judge(limit, value, allowed)?))
}

/// The text as far as it is settled: as written, or as it is where the variable that it refers to is not set.
fn settled(text: &str) -> Option<Cow<'_, str>> {
    let default = || expansion::sole(text)?.default.filter(|it| !it.is_empty() && !expansion::is_open(it));
    // What is still to be filled in is another rule's matter.
    let text = Some(text).filter(|it| container::placeholder(it).is_none())?;
    expansion::literal(text).or_else(|| default().map(Cow::Borrowed))
}

fn judge(limit: &Limit, value: &Value, allowed: &[Box<str>]) -> Option<ProblemKind> {
    if limit.wants(Demand::Absent) && !matches!(value.kind, Kind::Null) {
        let (other, words) = limit.when.iter().next()?;
        return Some(ProblemKind::Range(format!("must not be given while `{other}` is {}", either(words))));
    }
    if limit.wants(Demand::Url) {
        let fault = value.as_str().and_then(settled).and_then(|text| url_fault(&text))?;
        return Some(ProblemKind::Range(format!("is no URL: {fault}")));
    }
    if limit.wants(Demand::HostPort) {
        let fault = value.as_str().and_then(settled).and_then(|text| address_fault(&text))?;
        return Some(ProblemKind::Range(format!("is no address: {fault}")));
    }
    if limit.wants(Demand::Size) && !is_size(value) {
        return Some(ProblemKind::Type { wanted: "a byte size", found: value.describe(), hint: None, stops: true });
    }
    if let Some(text) = value.as_str().filter(|_| limit.wants(Demand::Exact) || limit.wants(Demand::Given)) {
        let text = settled(text)?;
        let fits = allowed.iter().any(|word| **word == *text);
        let other_case = limit.wants(Demand::Exact) && allowed.iter().any(|word| word.eq_ignore_ascii_case(&text));
        return if (text.is_empty() && limit.wants(Demand::Given)) || (!text.is_empty() && other_case && !fits) {
            let allowed = allowed.iter().filter(|word| !word.is_empty()).map(ToString::to_string).collect();
            Some(ProblemKind::Word { found: text.into_owned(), allowed })
        } else {
            None
        };
    }
    if limit.wants(Demand::Given) && limit.wants(Demand::Exact) && matches!(value.kind, Kind::Null) {
        let allowed = allowed.iter().map(ToString::to_string).collect();
        return Some(ProblemKind::Word { found: String::new(), allowed });
    }
    if let Kind::Seq(seq) = &value.kind {
        if limit.wants(Demand::Some) && seq.items.is_empty() {
            return Some(ProblemKind::Range("must have at least one item".to_owned()));
        }
        let words: Vec<String> = seq.items.iter().filter_map(|it| it.as_str().map(str::to_lowercase)).collect();
        let twice = words.iter().enumerate().find(|(at, word)| words[..*at].contains(word));
        return twice
            .filter(|_| limit.wants(Demand::Unique))
            .map(|(_, word)| ProblemKind::Range(format!("names `{word}` twice, which case does not change")));
    }
    let number = number(value)?;
    let found = |words: String| Some(ProblemKind::Range(words));
    match limit {
        Limit { least: Some(least), .. } if number < *least => found(format!("must be at least {least}")),
        Limit { most: Some(most), .. } if number > *most => found(format!("must be at most {most}")),
        Limit { above: Some(above), .. } if number <= *above => found(format!("must be above {above}")),
        _ => None,
    }
}

/// Why a gRPC client takes a text for no address. Words of resolvers other than `dns` are not judged.
fn address_fault(text: &str) -> Option<&'static str> {
    let plain = ["http://", "https://", "dns:///", "dns://"].iter().find_map(|scheme| text.strip_prefix(scheme));
    let address = plain.unwrap_or(text);
    if address.is_empty() || address.contains("://") || address.starts_with("unix:") {
        return None;
    }
    let (host, port) = match address.strip_prefix('[') {
        Some(rest) => rest.split_once(']').and_then(|(host, rest)| Some((host, rest.strip_prefix(':')?)))?,
        None => match address.rsplit_once(':') {
            Some(parts) => parts,
            None => return Some("it names no port"),
        },
    };
    if host.contains(':') && !address.starts_with('[') {
        return Some("it has too many colons; an IPv6 address stands in brackets");
    }
    let is_number = port.strip_prefix(['+', '-']).unwrap_or(port).parse::<u64>().is_ok();
    (!is_number).then_some("its port is no number")
}

/// Why a text is no URL that an HTTP client of Go dials.
fn url_fault(text: &str) -> Option<&'static str> {
    if text.chars().any(char::is_control) {
        return Some("a control character stands in it");
    }
    let (scheme, rest) = text.split_once(':').unwrap_or(("", text));
    let is_scheme = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'));
    if text.starts_with(':') {
        return Some("it has no scheme");
    }
    if text.is_empty() {
        return None;
    }
    // `host:4318` has a scheme, as Go reads it, of a protocol that nothing speaks.
    if !is_scheme || !["http", "https"].iter().any(|it| scheme.eq_ignore_ascii_case(it)) {
        return Some("it does not start with `http://` or `https://`");
    }
    let host = rest.strip_prefix("//")?.split(['/', '?', '#']).next().unwrap_or_default();
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    if host.contains([' ', '"', '<', '>', '\\', '^', '`', '{', '|', '}']) {
        return Some("its host holds a blank or another character that no host has");
    }
    let port = host.rsplit_once(']').map_or(host, |(_, port)| port).rsplit_once(':').map(|(_, port)| port);
    port.filter(|it| !it.bytes().all(|c| c.is_ascii_digit())).map(|_| "its port is no number")
}

/// A number of bytes, or one with a unit: `2MiB`. What run time decides may be one.
fn is_size(value: &Value) -> bool {
    let Some(text) = value.as_str() else {
        return matches!(value.kind, Kind::Int(_) | Kind::Float(_) | Kind::Null);
    };
    let default = expansion::sole(text).and_then(|it| it.default);
    if default.is_none() && expansion::is_open(text) {
        return true;
    }
    let text = default.unwrap_or(text).to_ascii_lowercase();
    let number = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let units = ["", "b", "kb", "kib", "mb", "mib", "gb", "gib", "tb", "tib", "pb", "pib"];
    number.trim().parse::<f64>().is_ok() && units.contains(&&text[number.len()..])
}

/// A number, the nanoseconds of a duration, or the bytes of a size.
fn number(value: &Value) -> Option<f64> {
    match &value.kind {
        #[allow(clippy::cast_precision_loss)]
        Kind::Int(number) => Some(*number as f64),
        Kind::Float(number) => Some(*number),
        #[allow(clippy::cast_precision_loss)]
        Kind::String(text) => {
            let text = settled(text)?;
            nanoseconds(&text).or_else(|| text.parse().ok()).or_else(|| Bytes::parse(&text).map(|it| it.bytes() as f64))
        }
        _ => None,
    }
}

/// The default of a setting of the collector's own telemetry.
pub(super) fn telemetry_default(path: &str, version: Version) -> Option<String> {
    (path == "metrics.level").then(|| otelcol::telemetry(version).default_metrics_level.to_owned())
}

#[cfg(test)]
mod tests {
    use super::{address_fault, url_fault};

    #[test]
    fn what_go_takes_for_a_url() {
        for text in ["http://a:1", "http://", "HTTPS://a", "", "http://[::1]:1", "http://a:1/b c", "http://u:p@a:1"] {
            assert_eq!(url_fault(text), None, "{text}");
        }
        for text in [
            "a:1",
            "localhost",
            "/x",
            "grpc://a",
            "http://a b",
            "://",
            "12:30:45",
            "http://a:b",
            "http://a\tb",
            "${env:X",
        ] {
            assert!(url_fault(text).is_some(), "{text}");
        }
    }

    #[test]
    fn what_grpc_dials() {
        for text in ["a:1", "http://a:1", "dns:///a:1", "[::1]:1", "unix:///a", "passthrough:///a", ""] {
            assert_eq!(address_fault(text), None, "{text}");
        }
        for text in ["a", "http://a", "a:b", "a:", "::1:1", "http://a:1/x"] {
            assert!(address_fault(text).is_some(), "{text}");
        }
    }
}
