//! Durations as the collector reads them: Go's syntax.

/// Units, in nanoseconds.
const UNITS: [(&str, f64); 8] =
    [("ns", 1.0), ("us", 1e3), ("µs", 1e3), ("μs", 1e3), ("ms", 1e6), ("s", 1e9), ("m", 6e10), ("h", 3.6e12)];

/// Longest duration, in nanoseconds.
#[allow(clippy::cast_precision_loss)]
const LONGEST: f64 = i64::MAX as f64;

/// The length of a duration in nanoseconds; none if Go does not take the text for one.
pub(crate) fn nanoseconds(text: &str) -> Option<f64> {
    let (sign, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (-1.0, rest),
        None => (1.0, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest == "0" {
        return Some(0.0);
    }
    if rest.is_empty() {
        return None;
    }
    let mut total = 0.0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let number: f64 = rest[..digits].parse().ok()?;
        rest = &rest[digits..];
        let end = rest.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(rest.len());
        let (_, nanoseconds) = UNITS.iter().find(|(unit, _)| *unit == &rest[..end])?;
        total += number * nanoseconds;
        rest = &rest[end..];
    }
    // Go counts in 64 bits: 292 years.
    (total <= LONGEST).then_some(sign * total)
}

#[cfg(test)]
mod tests {
    use super::nanoseconds;

    #[test]
    fn as_go_reads_them() {
        for (text, wanted) in
            [("5s", 5e9), ("1h30m", 5.4e12), ("1.5s", 1.5e9), ("100µs", 1e5), ("0", 0.0), ("-1s", -1e9)]
        {
            assert_eq!(nanoseconds(text), Some(wanted), "{text}");
        }
        for text in ["", "5", "1d", "5 s", "s", "1w", ".s", "five", "2562048h"] {
            assert_eq!(nanoseconds(text), None, "{text}");
        }
    }
}
