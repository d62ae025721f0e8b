//! Where a product keeps its files inside its official image, and what its releases support.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use serde::Deserialize;

use super::Product;
use crate::version::{Version, VersionRange};

/// Paths inside a container.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Layout {
    /// The configuration file telstack mounts; for Grafana the folder of provisioning files. `None` for a
    /// product that is configured by environment alone (Jaeger 1).
    pub config_path: Option<&'static str>,
    /// The folder with data worth keeping.
    pub data_path: Option<&'static str>,
    /// True when the image holds that folder and its user owns it, so that a new named volume mounted
    /// there is writable: Docker copies owner and mode from the image. Otherwise it belongs to root.
    pub data_owned: bool,
    /// Why the volume may belong to another user, where it is not for the image's lack of the folder.
    pub owner_reason: Option<&'static str>,
}

#[derive(Deserialize)]
struct Stored {
    config: Option<String>,
    data: Option<String>,
    owned: bool,
    why: Option<String>,
    since: Option<String>,
    until: Option<String>,
}

#[derive(Deserialize)]
struct Support {
    since: Option<String>,
    until: Option<String>,
}

impl Product {
    /// Paths inside its official image at a version. Source: the Dockerfiles at each tag.
    pub fn layout(self, version: Version) -> Option<Layout> {
        static STORED: OnceLock<BTreeMap<String, Vec<Stored>>> = OnceLock::new();
        let all =
            STORED.get_or_init(|| serde_json::from_str(include_str!("../../data/layouts.json")).unwrap_or_default());
        let here =
            |row: &&Stored| VersionRange::from_text(row.since.as_deref(), row.until.as_deref()).contains(version);
        let row = all.get(self.id())?.iter().find(here)?;
        Some(Layout {
            config_path: row.config.as_deref(),
            data_path: row.data.as_deref(),
            data_owned: row.owned,
            owner_reason: row.why.as_deref(),
        })
    }

    /// Does a release support a feature of `data/support.json`? For Grafana: `derived-field-labels`
    /// (a Loki derived field may match a label; pull request 76162), `traces-to-metrics` (without a
    /// feature toggle; pull request 82884), `traces-to-logs-v2` (tags with names of their own and custom
    /// queries; `tracesToLogs` before 9.4).
    pub fn supports(self, version: Version, feature: &str) -> bool {
        static STORED: OnceLock<BTreeMap<String, BTreeMap<String, Support>>> = OnceLock::new();
        let all =
            STORED.get_or_init(|| serde_json::from_str(include_str!("../../data/support.json")).unwrap_or_default());
        let row = all.get(self.id()).and_then(|features| features.get(feature));
        row.is_some_and(|row| VersionRange::from_text(row.since.as_deref(), row.until.as_deref()).contains(version))
    }
}
