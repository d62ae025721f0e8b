//! Container images.

use std::sync::OnceLock;

use serde::Deserialize;

use super::Product;
use crate::{
    Distribution,
    version::{Version, VersionRange},
};

/// A container image.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Image {
    /// Repository without a tag: `grafana/loki`.
    pub repository: &'static str,
    /// Tag: `3.7.6`, or `v3.14.0` for Prometheus and Alertmanager.
    pub tag: String,
}

impl std::fmt::Display for Image {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.repository, self.tag)
    }
}

/// What an image contains. A health check that calls an absent tool never succeeds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ImageFacts {
    /// A shell that Docker's `CMD-SHELL` reaches.
    pub has_shell: bool,
    /// `wget`, of `BusyBox` or GNU.
    pub has_wget: bool,
    /// `curl`.
    pub has_curl: bool,
    /// User the process runs as; `None` when not known.
    pub user_id: Option<u32>,
    /// Program that starts.
    pub entrypoint: &'static str,
    /// The arguments that it starts with, where a command takes their place; none where they are not known.
    pub default_args: Vec<&'static str>,
    /// A command in the image that checks the server and needs no shell.
    pub builtin_health: Option<Vec<&'static str>>,
    /// Directory of the image that its user owns: a new named volume mounted there is writable. `None`
    /// means a new volume belongs to root wherever it is mounted.
    pub data_dir: Option<&'static str>,
    /// Configuration file the image reads when no command is given; `None` when the configuration
    /// must be named (or there is none).
    pub default_config: Option<&'static str>,
    /// Folders in which the image has files of its own: what is named there may be one of them.
    pub own_paths: Vec<&'static str>,
}

#[derive(Deserialize)]
struct Stored {
    repository: String,
    since: Option<String>,
    until: Option<String>,
    /// Tag suffix of a variant, `-distroless`.
    #[serde(default)]
    variant: String,
    #[serde(default)]
    sh: bool,
    #[serde(default)]
    wget: bool,
    #[serde(default)]
    curl: bool,
    uid: Option<u32>,
    entrypoint: String,
    #[serde(default)]
    args: Vec<String>,
    health: Option<Vec<String>>,
    config: Option<String>,
    data: Option<String>,
    #[serde(default)]
    holds: Vec<String>,
}

/// Facts about an image by repository and tag. A registry in front (`docker.io/`, `quay.io/`) does
/// not matter; `latest` and the like stand for the newest version known. `None` for an image the
/// catalog does not know, or a tag it cannot read.
pub fn image_facts(repository: &str, tag: &str) -> Option<ImageFacts> {
    let repository = canonical(repository);
    for &distribution in Distribution::ALL {
        if repository == distribution.image() || repository == distribution.ghcr_image() {
            return collector(distribution, tag);
        }
    }
    let (version, variant) = split_tag(tag);
    let row = stored(repository, version, variant)?;
    Some(ImageFacts {
        has_shell: row.sh,
        has_wget: row.wget,
        has_curl: row.curl,
        user_id: row.uid,
        entrypoint: &row.entrypoint,
        default_args: row.args.iter().map(String::as_str).collect(),
        builtin_health: row.health.as_ref().map(|words| words.iter().map(String::as_str).collect()),
        data_dir: row.data.as_deref(),
        default_config: row.config.as_deref(),
        own_paths: row.holds.iter().map(String::as_str).collect(),
    })
}

/// What runs in an image.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Running {
    /// The product.
    pub product: Product,
    /// For the collector, the distribution.
    pub distribution: Option<Distribution>,
    /// The release; none for a tag that names none, such as `latest`.
    pub version: Option<Version>,
}

/// What runs in an image, by repository and tag. A registry in front does not matter. `None` for an image
/// that the catalog does not know.
pub fn running(repository: &str, tag: &str) -> Option<Running> {
    let repository = canonical(repository);
    let version = split_tag(tag).0;
    let ships = |it: &&Distribution| repository == it.image() || repository == it.ghcr_image();
    if let Some(distribution) = Distribution::ALL.iter().find(ships) {
        return Some(Running { product: Product::Otelcol, distribution: Some(*distribution), version });
    }
    // Variants of an image are named after it: `grafana/grafana-oss`.
    let runs = |product: &Product, repository: &str| super::repositories(*product).any(|known| known == repository);
    let product = Product::ALL.iter().copied().find(|product| runs(product, repository)).or_else(|| {
        let plain = rows().iter().find(|row| row.repository == repository)?.repository.rsplit_once('-')?.0;
        Product::ALL.iter().copied().find(|product| runs(product, plain))
    })?;
    Some(Running { product, distribution: None, version })
}

/// The stored facts about an image; without a version the newest of them.
fn stored(repository: &str, version: Option<Version>, variant: &str) -> Option<&'static Stored> {
    rows().iter().filter(|row| row.repository == repository && row.variant == variant).find(|row| match version {
        Some(version) => VersionRange::from_text(row.since.as_deref(), row.until.as_deref()).contains(version),
        None => row.until.is_none(),
    })
}

fn rows() -> &'static [Stored] {
    static STORED: OnceLock<Vec<Stored>> = OnceLock::new();
    STORED.get_or_init(|| serde_json::from_str(include_str!("../../data/images.json")).unwrap_or_default())
}

/// Collector images are built from nothing: the program and its configuration only. Those that have more are
/// stored like any other image.
fn collector(distribution: Distribution, tag: &str) -> Option<ImageFacts> {
    static LEAKED: crate::text::Words = crate::text::Words::new();
    let version = split_tag(tag).0.unwrap_or_else(crate::otelcol::newest);
    let container = distribution.container(version)?;
    let more = stored(distribution.image(), Some(version), "");
    // An image for debugging is there for its shell.
    let debugged = tag.ends_with(DEBUG);
    let has = |tool: fn(&Stored) -> bool| debugged || more.is_some_and(tool);
    Some(ImageFacts {
        has_shell: has(|image| image.sh),
        has_wget: has(|image| image.wget),
        has_curl: has(|image| image.curl),
        user_id: container.uid,
        entrypoint: LEAKED.keep(&container.entrypoint),
        default_args: Vec::new(),
        builtin_health: None,
        data_dir: None,
        default_config: container.default_config.map(|path| LEAKED.keep(&path)),
        own_paths: Vec::new(),
    })
}

/// What tags end with of images that have the usual tools too, to look around.
const DEBUG: &str = "-debug";

/// The repository without a registry that only mirrors or fronts it.
fn canonical(repository: &str) -> &str {
    let repository = repository.strip_prefix("index.").unwrap_or(repository);
    ["docker.io/", "quay.io/prometheus/"].iter().find_map(|front| repository.strip_prefix(front)).map_or(
        repository,
        |rest| match rest {
            "prometheus" => "prom/prometheus",
            "alertmanager" => "prom/alertmanager",
            rest => rest,
        },
    )
}

/// Splits `v3.14.0-distroless`. A tag that is no version, such as `latest`, has none, and a variant that is known.
fn split_tag(tag: &str) -> (Option<Version>, &str) {
    let end = tag.find('-').unwrap_or(tag.len());
    let version = Version::parse(&tag[..end]).or_else(|| {
        // A tag of the major number only: `13`.
        let major = tag[..end].parse::<u32>().ok()?;
        Some(Version::new(major, 0, 0))
    });
    if version.is_some() {
        return (version, &tag[end..]);
    }
    // `lts-alpine`, `alpine`
    let variants = || rows().iter().map(|row| row.variant.as_str()).filter(|it| !it.is_empty());
    let of = |it: &&str| tag.strip_suffix(it).is_some() || tag == &it[1..];
    (None, variants().find(of).unwrap_or_default())
}
