//! Telemetry signals, component kinds and collector distributions.

use std::fmt;
use std::str::FromStr;

/// The error of a `FromStr` on a fixed set of words.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UnknownWord {
    /// What was expected, for example `signal`.
    pub expected: &'static str,
    /// The text that was given.
    pub given: String,
}

impl fmt::Display for UnknownWord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is not a {}", self.given, self.expected)
    }
}

impl std::error::Error for UnknownWord {}

macro_rules! words {
    ($name:ident, $what:literal, { $($variant:ident => $word:literal),+ $(,)? }) => {
        impl $name {
            /// Every value, in order.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word used for it in configuration files and in messages.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }

            /// Reads the word; `None` for any other text.
            pub fn parse(text: &str) -> Option<Self> {
                match text { $($word => Some(Self::$variant),)+ _ => None }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl FromStr for $name {
            type Err = UnknownWord;
            fn from_str(text: &str) -> Result<Self, UnknownWord> {
                Self::parse(text)
                    .ok_or_else(|| UnknownWord { expected: $what, given: text.to_owned() })
            }
        }
    };
}
/// A kind of telemetry.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Signal {
    /// Spans.
    Traces,
    /// Metric points.
    Metrics,
    /// Log records.
    Logs,
    /// Profiles (still experimental upstream).
    Profiles,
}

words!(Signal, "signal", {
    Traces => "traces",
    Metrics => "metrics",
    Logs => "logs",
    Profiles => "profiles",
});

/// A set of signals.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct SignalSet(u8);

impl SignalSet {
    /// The empty set.
    pub const EMPTY: Self = Self(0);

    /// A set of the given signals.
    pub const fn of(signals: &[Signal]) -> Self {
        let (mut bits, mut at) = (0, 0);
        while at < signals.len() {
            bits |= 1 << signals[at] as u8;
            at += 1;
        }
        Self(bits)
    }

    /// True when the signal is in the set.
    pub const fn contains(self, signal: Signal) -> bool {
        self.0 & (1 << signal as u8) != 0
    }

    /// Adds a signal; says whether it was new.
    pub fn insert(&mut self, signal: Signal) -> bool {
        let new = !self.contains(signal);
        self.0 |= 1 << signal as u8;
        new
    }

    /// The signals of both sets.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The signals in both sets.
    #[must_use]
    pub const fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// True when no signal is in the set.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// How many signals are in the set.
    pub const fn len(self) -> usize {
        self.0.count_ones() as usize
    }

    /// The signals in order.
    pub fn iter(self) -> impl Iterator<Item = Signal> {
        Signal::ALL.iter().copied().filter(move |&signal| self.contains(signal))
    }
}

impl<const N: usize> From<[Signal; N]> for SignalSet {
    fn from(signals: [Signal; N]) -> Self {
        Self::of(&signals)
    }
}

impl FromIterator<Signal> for SignalSet {
    fn from_iter<I: IntoIterator<Item = Signal>>(signals: I) -> Self {
        signals.into_iter().fold(Self::EMPTY, |mut set, signal| {
            set.insert(signal);
            set
        })
    }
}

impl fmt::Display for SignalSet {
    /// `traces, metrics and logs`; the empty set is `no signal`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words: Vec<&str> = self.iter().map(Signal::as_str).collect();
        match words.as_slice() {
            [] => f.write_str("no signal"),
            [one] => f.write_str(one),
            [start @ .., last] => write!(f, "{} and {last}", start.join(", ")),
        }
    }
}

impl fmt::Debug for SignalSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

/// The five kinds of collector component.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum ComponentKind {
    /// Brings data in.
    Receiver,
    /// Changes or drops data.
    Processor,
    /// Sends data out.
    Exporter,
    /// Joins pipelines: an exporter of one and a receiver of another.
    Connector,
    /// Adds a service to the collector itself.
    Extension,
}

words!(ComponentKind, "component kind", {
    Receiver => "receiver",
    Processor => "processor",
    Exporter => "exporter",
    Connector => "connector",
    Extension => "extension",
});

impl ComponentKind {
    /// The top-level section of the collector's configuration: `receivers`.
    pub const fn section(self) -> &'static str {
        match self {
            Self::Receiver => "receivers",
            Self::Processor => "processors",
            Self::Exporter => "exporters",
            Self::Connector => "connectors",
            Self::Extension => "extensions",
        }
    }
}

/// An official collector distribution.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Distribution {
    /// `otelcol`.
    Core,
    /// `otelcol-contrib`.
    Contrib,
    /// `otelcol-k8s`.
    K8s,
    /// `otelcol-otlp`.
    Otlp,
    /// `otelcol-ebpf-profiler`.
    EbpfProfiler,
}

words!(Distribution, "collector distribution", {
    Core => "core",
    Contrib => "contrib",
    K8s => "k8s",
    Otlp => "otlp",
    EbpfProfiler => "ebpf-profiler",
});

impl Distribution {
    /// The image on Docker Hub, without a tag.
    pub const fn image(self) -> &'static str {
        match self {
            Self::Core => "otel/opentelemetry-collector",
            Self::Contrib => "otel/opentelemetry-collector-contrib",
            Self::K8s => "otel/opentelemetry-collector-k8s",
            Self::Otlp => "otel/opentelemetry-collector-otlp",
            Self::EbpfProfiler => "otel/opentelemetry-collector-ebpf-profiler",
        }
    }

    /// The image on the GitHub registry, without a tag.
    pub const fn ghcr_image(self) -> &'static str {
        match self {
            Self::Core => "ghcr.io/open-telemetry/opentelemetry-collector-releases/opentelemetry-collector",
            Self::Contrib => "ghcr.io/open-telemetry/opentelemetry-collector-releases/opentelemetry-collector-contrib",
            Self::K8s => "ghcr.io/open-telemetry/opentelemetry-collector-releases/opentelemetry-collector-k8s",
            Self::Otlp => "ghcr.io/open-telemetry/opentelemetry-collector-releases/opentelemetry-collector-otlp",
            Self::EbpfProfiler => {
                "ghcr.io/open-telemetry/opentelemetry-collector-releases/opentelemetry-collector-ebpf-profiler"
            }
        }
    }

    /// The name of the program.
    pub const fn binary(self) -> &'static str {
        match self {
            Self::Core => "otelcol",
            Self::Contrib => "otelcol-contrib",
            Self::K8s => "otelcol-k8s",
            Self::Otlp => "otelcol-otlp",
            Self::EbpfProfiler => "otelcol-ebpf-profiler",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signal_sets_read_as_text() {
        let mut set = SignalSet::EMPTY;
        assert_eq!(set.to_string(), "no signal");
        assert!(set.insert(Signal::Logs));
        assert!(!set.insert(Signal::Logs));
        assert_eq!(set.to_string(), "logs");
        set.insert(Signal::Traces);
        assert_eq!(set.to_string(), "traces and logs");
        set.insert(Signal::Metrics);
        assert_eq!(set.to_string(), "traces, metrics and logs");
        assert_eq!(set, SignalSet::from([Signal::Metrics, Signal::Logs, Signal::Traces]));
        assert_eq!(set.len(), 3);
    }

    #[test]
    fn words_read_back() {
        for &kind in ComponentKind::ALL {
            assert_eq!(kind.to_string().parse(), Ok(kind));
            assert_eq!(kind.section(), format!("{kind}s"));
        }
        for &distribution in Distribution::ALL {
            assert_eq!(Distribution::parse(distribution.as_str()), Some(distribution));
            assert!(distribution.ghcr_image().ends_with(&distribution.image()[5..]));
        }
        assert!(Signal::parse("Traces").is_none());
        assert!("x".parse::<Signal>().is_err());
    }
}
