//! Durations, byte sizes and CPU shares: parsed once, written in each tool's own spelling.

use std::fmt;

/// A length of time, in milliseconds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Period(u64);

/// Parts of a written duration, largest first, in milliseconds.
const UNITS: [(&str, u64); 7] = [
    ("y", 365 * 24 * 3_600_000),
    ("w", 7 * 24 * 3_600_000),
    ("d", 24 * 3_600_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1_000),
    ("ms", 1),
];

impl Period {
    /// So many milliseconds.
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis)
    }

    /// So many seconds.
    pub const fn from_secs(seconds: u64) -> Self {
        Self(seconds * 1_000)
    }

    /// Reads `30d`, `1h30m`, `1.5s`, `500ms`: numbers with units `y w d h m s ms`, largest first or not. More than 292
    /// years is no period: the programs that read it count nanoseconds in 63 bits.
    pub fn parse(text: &str) -> Option<Self> {
        let mut rest = text;
        let mut total = 0.0_f64;
        if rest.is_empty() {
            return None;
        }
        while !rest.is_empty() {
            let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
            let number: f64 = rest[..digits].parse().ok()?;
            rest = &rest[digits..];
            let letters = rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len());
            let (_, millis) = UNITS.iter().find(|(unit, _)| *unit == &rest[..letters])?;
            #[allow(clippy::cast_precision_loss)]
            let millis = *millis as f64;
            total += number * millis;
            rest = &rest[letters..];
        }
        #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        (total <= (i64::MAX / 1_000_000) as f64).then_some(Self(total.round() as u64))
    }

    /// In milliseconds.
    pub const fn millis(self) -> u64 {
        self.0
    }

    /// In whole seconds, rounded down.
    pub const fn secs(self) -> u64 {
        self.0 / 1_000
    }

    /// In hours where that is exact, else as Go writes it: `720h`, `1h30m`, `90s`. For Loki, Tempo, Jaeger
    /// and the collector, whose durations know no days.
    pub fn go(self) -> String {
        self.spell(&UNITS[3..])
    }

    /// As Prometheus writes it: `30d`, `1h30m`.
    pub fn prometheus(self) -> String {
        self.spell(&UNITS[2..])
    }

    fn spell(self, units: &[(&str, u64)]) -> String {
        if self.0 == 0 {
            return "0s".to_owned();
        }
        let mut rest = self.0;
        let mut out = String::new();
        for (unit, millis) in units {
            if rest >= *millis {
                out.push_str(&(rest / millis).to_string());
                out.push_str(unit);
                rest %= millis;
            }
        }
        out
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.prometheus())
    }
}

/// An amount of memory or disk, in bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Bytes(u64);

const SIZES: [(&str, u64); 9] = [
    ("TiB", 1 << 40),
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("TB", 1_000_000_000_000),
    ("GB", 1_000_000_000),
    ("MB", 1_000_000),
    ("KB", 1_000),
    ("B", 1),
];

impl Bytes {
    /// So many bytes.
    pub const fn new(bytes: u64) -> Self {
        Self(bytes)
    }

    /// So many MiB.
    pub const fn from_mib(mib: u64) -> Self {
        Self(mib << 20)
    }

    /// More than a host has; the programs that read sizes count in 32 bits of MiB, or in 63 of bytes.
    const MOST: u64 = 1 << 50;

    /// Reads `2GiB`, `512MiB`, `40GB`, `1.5GiB`: binary and decimal units are kept apart. More than 1 PiB is no size.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let number: f64 = text[..digits].parse().ok()?;
        let (_, bytes) = SIZES.iter().find(|(unit, _)| *unit == text[digits..].trim_start())?;
        #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let total = number * *bytes as f64;
        #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        (total <= Self::MOST as f64).then_some(Self(total.round() as u64))
    }

    /// In bytes.
    pub const fn bytes(self) -> u64 {
        self.0
    }

    /// In MiB, rounded down.
    pub const fn mib(self) -> u64 {
        self.0 >> 20
    }

    /// As Prometheus writes sizes: its `KB`, `MB`, `GB` are powers of two. Rounded down to whole `MB`
    /// unless it is exact in a larger or smaller one.
    pub fn prometheus(self) -> String {
        let units = [("TB", 40), ("GB", 30), ("MB", 20)];
        let exact = units.iter().find(|(_, shift)| self.0 >> shift > 0 && self.0.is_multiple_of(1 << shift));
        match exact {
            Some((unit, shift)) => format!("{}{unit}", self.0 >> shift),
            None if self.0 >= 1 << 20 => format!("{}MB", self.0 >> 20),
            None => format!("{}B", self.0),
        }
    }

    /// A share of it in percent, rounded down to whole bytes.
    #[must_use]
    pub const fn percent(self, percent: u64) -> Self {
        Self(self.0 / 100 * percent + self.0 % 100 * percent / 100)
    }
}

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Of the units that hold it exactly, the one with the smallest number: 40GB, not 39062500KiB.
        let exact = SIZES.iter().filter(|(_, size)| self.0.is_multiple_of(*size));
        let (unit, size) = exact.max_by_key(|(_, size)| if self.0 < *size { 0 } else { *size }).unwrap_or(&SIZES[8]);
        write!(f, "{}{unit}", self.0 / size)
    }
}

/// A share of processor time, in thousandths of a core.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Cpu(u64);

impl Cpu {
    /// Reads `2`, `0.5`, `500m`.
    pub fn parse(text: &str) -> Option<Self> {
        if let Some(millis) = text.strip_suffix('m') {
            return millis.parse().ok().map(Self);
        }
        Self::from_cores(text.parse().ok()?)
    }

    /// So many cores; none if negative or absurd.
    pub fn from_cores(cores: f64) -> Option<Self> {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        (cores.is_finite() && (0.0..=100_000.0).contains(&cores)).then_some(Self((cores * 1_000.0).round() as u64))
    }

    /// In thousandths of a core.
    pub const fn millis(self) -> u64 {
        self.0
    }
}

impl fmt::Display for Cpu {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_multiple_of(1_000) {
            write!(f, "{}", self.0 / 1_000)
        } else {
            let text = format!("{}.{:03}", self.0 / 1_000, self.0 % 1_000);
            f.write_str(text.trim_end_matches('0'))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        assert_eq!(Period::parse("30d").map(Period::go).as_deref(), Some("720h"));
        assert_eq!(Period::parse("1h30m").map(Period::prometheus).as_deref(), Some("1h30m"));
        assert_eq!(Period::parse("500ms").map(Period::go).as_deref(), Some("500ms"));
        assert_eq!(Period::parse("1.5s").map(Period::millis), Some(1_500));
        for bad in ["", "5", "5 s", "five", "-5s", "5x", "s"] {
            assert_eq!(Period::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn sizes() {
        assert_eq!(Bytes::parse("2GiB").map(Bytes::mib), Some(2048));
        assert_eq!(Bytes::parse("40GB").map(|it| it.to_string()).as_deref(), Some("40GB"));
        assert_eq!(Bytes::parse("1.5GiB").map(|it| it.to_string()).as_deref(), Some("1536MiB"));
        assert_eq!(Bytes::parse("2Gi"), None);
        assert_eq!(Bytes::parse("40GiB").map(Bytes::prometheus).as_deref(), Some("40GB"));
        assert_eq!(Bytes::parse("40GB").map(Bytes::prometheus).as_deref(), Some("38146MB"));
        assert_eq!(Bytes::from_mib(2048).percent(80).mib(), 1638);
    }

    #[test]
    fn cpus() {
        assert_eq!(Cpu::parse("500m").map(|it| it.to_string()).as_deref(), Some("0.5"));
        assert_eq!(Cpu::parse("2").map(|it| it.to_string()).as_deref(), Some("2"));
        assert_eq!(Cpu::parse("-1"), None);
    }
}
