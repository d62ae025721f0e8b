//! Keys of the collector core's own structs, exact to the release.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use crate::version::{Version, VersionRange};

/// Keys of one struct with the ranges of releases that know them.
pub(super) type Struct = BTreeMap<String, Vec<VersionRange>>;

/// The table of structs, read from Go struct tags at every core tag.
pub(super) fn table() -> &'static BTreeMap<String, Struct> {
    static TABLE: OnceLock<BTreeMap<String, Struct>> = OnceLock::new();
    TABLE
        .get_or_init(|| serde_json::from_str(include_str!("../../data/otelcol/core_settings.json")).unwrap_or_default())
}

/// True when the struct knows the key at a version; `None` when it never knows it.
pub(super) fn knows(name: &str, key: &str, version: Version) -> Option<bool> {
    let ranges = table().get(name)?.get(key)?;
    Some(ranges.iter().any(|range| range.contains(version)))
}
