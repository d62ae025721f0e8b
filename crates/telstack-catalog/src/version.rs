//! Versions and inclusive version ranges.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error};

/// A release version: major, minor and patch.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Version {
    /// Major number.
    pub major: u32,
    /// Minor number.
    pub minor: u32,
    /// Patch number.
    pub patch: u32,
}

impl Version {
    /// A version from its three numbers.
    pub const fn new(major: u32, minor: u32, patch: u32) -> Self {
        Self { major, minor, patch }
    }

    /// Reads `0.158.0`, `v0.158.0` or `3.7` (patch 0). Anything else is `None`.
    pub fn parse(text: &str) -> Option<Self> {
        let (version, _) = Self::parse_with_precision(text)?;
        Some(version)
    }

    /// Reads a version and says whether the text gave a patch number.
    pub(crate) fn parse_with_precision(text: &str) -> Option<(Self, bool)> {
        let text = text.strip_prefix('v').unwrap_or(text);
        let mut numbers = text.split('.').map(|part| {
            let digits = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
            if digits { part.parse::<u32>().ok() } else { None }
        });
        let major = numbers.next()??;
        let minor = numbers.next()??;
        let patch = match numbers.next() {
            None => None,
            Some(number) => Some(number?),
        };
        if numbers.next().is_some() {
            return None;
        }
        Some((Self::new(major, minor, patch.unwrap_or(0)), patch.is_some()))
    }

    /// True when both versions have the same major and minor number.
    pub const fn same_minor(self, other: Self) -> bool {
        self.major == other.major && self.minor == other.minor
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

impl<'de> Deserialize<'de> for Version {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| D::Error::custom(format!("not a version: {text}")))
    }
}

/// A range of versions with both ends included. An absent end is open: `since: None` means "from
/// before the oldest version the catalog knows", `until: None` means "still so in the newest".
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct VersionRange {
    /// First version of the range.
    pub since: Option<Version>,
    /// Last version of the range.
    pub until: Option<Version>,
}

impl VersionRange {
    /// True when the version lies in the range.
    pub fn contains(self, version: Version) -> bool {
        self.since.is_none_or(|since| since <= version) && self.until.is_none_or(|until| version <= until)
    }

    /// A range from two optional texts. An `until` of two numbers covers every patch of that minor.
    pub(crate) fn from_text(since: Option<&str>, until: Option<&str>) -> Self {
        let until = until
            .and_then(Version::parse_with_precision)
            .map(|(version, patch)| if patch { version } else { Version { patch: u32::MAX, ..version } });
        Self { since: since.and_then(Version::parse), until }
    }
}

impl<'de> Deserialize<'de> for VersionRange {
    /// Reads `["0.70.0", null]`.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (since, until) = <(Option<String>, Option<String>)>::deserialize(deserializer)?;
        Ok(Self::from_text(since.as_deref(), until.as_deref()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_versions() {
        assert_eq!(Version::parse("v0.158.0"), Some(Version::new(0, 158, 0)));
        assert_eq!(Version::parse("3.7"), Some(Version::new(3, 7, 0)));
        for bad in ["", "3", "latest", "1.2.3.4", "1.x", "1..2", "+1.2", "99999999999.1"] {
            assert_eq!(Version::parse(bad), None, "{bad}");
        }
        assert_eq!(Version::new(0, 9, 1).to_string(), "0.9.1");
    }

    #[test]
    fn range_ends_are_included_and_a_minor_covers_its_patches() {
        let range = VersionRange::from_text(Some("2.3"), Some("2.7"));
        assert!(range.contains(Version::new(2, 3, 0)));
        assert!(range.contains(Version::new(2, 7, 9)));
        assert!(!range.contains(Version::new(2, 8, 0)));
        assert!(!range.contains(Version::new(2, 2, 9)));
        assert!(VersionRange::default().contains(Version::new(9, 0, 0)));
    }
}
