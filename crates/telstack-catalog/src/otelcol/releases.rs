//! Collector releases, sampled versions and containers.

use std::sync::OnceLock;

use serde::Deserialize;

use crate::signal::Distribution;
use crate::version::{Version, VersionRange};

/// A collector release.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Release {
    /// The released version, the tag without its `v`.
    pub version: Version,
    /// Day of the tag, `2026-07-20`.
    pub date: &'static str,
}

/// What the image of a collector distribution looks like at one version.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
pub struct CollectorContainer {
    /// User the process runs as; `None` means the base image's default.
    pub uid: Option<u32>,
    /// Group the process runs as, when the image sets one.
    pub gid: Option<u32>,
    /// Absolute path of the program.
    pub entrypoint: String,
    /// Configuration file read when no `--config` is given; `None` means the flag is mandatory.
    pub default_config: Option<String>,
}

#[derive(Deserialize)]
struct StoredDistribution {
    first: Version,
    containers: Vec<(VersionRange, CollectorContainer)>,
}

#[derive(Deserialize)]
struct Stored {
    /// Version, date, samples whose settings stand for it.
    releases: Vec<(Version, String, Vec<Version>)>,
    samples: Vec<Version>,
    distributions: std::collections::BTreeMap<String, StoredDistribution>,
}

fn stored() -> &'static Stored {
    static STORED: OnceLock<Stored> = OnceLock::new();
    STORED.get_or_init(|| {
        serde_json::from_str(include_str!("../../data/otelcol/releases.json")).unwrap_or(Stored {
            releases: Vec::new(),
            samples: Vec::new(),
            distributions: std::collections::BTreeMap::new(),
        })
    })
}

/// Every release the catalog knows, oldest first.
pub fn releases() -> &'static [Release] {
    static RELEASES: OnceLock<Vec<Release>> = OnceLock::new();
    RELEASES.get_or_init(|| {
        let stored = stored();
        stored.releases.iter().map(|(version, date, _)| Release { version: *version, date }).collect()
    })
}

/// The versions whose settings trees were read; the others take those of their neighbours.
pub fn sampled_versions() -> &'static [Version] {
    &stored().samples
}

/// The newest release the catalog knows.
pub fn newest() -> Version {
    releases().last().map_or(Version::new(0, 0, 0), |release| release.version)
}

/// True when exactly this version was released (`0.76.0` never was, for example).
pub fn is_released(version: Version) -> bool {
    releases().binary_search_by_key(&version, |release| release.version).is_ok()
}

/// The release closest to a version, for a hint: the newest one of the same minor, else the newest
/// below it, else the oldest.
pub fn nearest_release(version: Version) -> Version {
    let all = releases();
    let same_minor = all.iter().rev().find(|release| release.version.same_minor(version));
    let below = all.iter().rev().find(|release| release.version <= version);
    same_minor.or(below).or(all.first()).map_or(version, |release| release.version)
}

/// The first release after a version.
pub(super) fn release_after(version: Version) -> Option<Version> {
    releases().iter().map(|release| release.version).find(|&release| release > version)
}

/// True when the distribution was published at that release. `k8s` starts at 0.98.0, `otlp` at
/// 0.111.0, `ebpf-profiler` at 0.125.0.
pub fn distribution_has_release(distribution: Distribution, version: Version) -> bool {
    is_released(version) && stored().distributions.get(distribution.as_str()).is_some_and(|d| d.first <= version)
}

/// The first release at which a distribution was published, if any is known.
pub fn first_release_of(distribution: Distribution) -> Option<Version> {
    stored().distributions.get(distribution.as_str()).map(|it| it.first)
}

/// The one or two sampled versions whose settings stand for a version.
pub(super) fn samples_for(version: Version) -> &'static [Version] {
    let all = &stored().releases;
    let at = match all.binary_search_by_key(&version, |release| release.0) {
        Ok(at) => at,
        Err(0) => 0,
        Err(at) => at - 1,
    };
    all.get(at).map_or(&[], |release| &release.2)
}

impl Distribution {
    /// Facts about the image of this distribution at a version, from its Dockerfile at that tag.
    pub fn container(self, version: Version) -> Option<CollectorContainer> {
        let stored = stored().distributions.get(self.as_str())?;
        stored.containers.iter().find(|(range, _)| range.contains(version)).map(|(_, c)| c.clone())
    }
}
