//! The stored form of a component and of its runtime facts.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, OnceLock, PoisonError};

use serde::Deserialize;
use serde_json::Value;

use super::settings::SettingType;
use crate::text::Lines;
use crate::version::{Version, VersionRange};

pub(super) const COMPONENTS: Lines = Lines(include_str!("../../data/otelcol/components.jsonl"));
pub(super) const NAMES: Lines = Lines(include_str!("../../data/otelcol/names.jsonl"));
pub(super) const RUNTIME: Lines = Lines(include_str!("../../data/otelcol/runtime.jsonl"));

/// Ranges over releases, by distribution and then by component name.
type Presence = BTreeMap<String, BTreeMap<String, Vec<VersionRange>>>;

/// A value that holds from one sampled version to another, both included.
#[derive(Deserialize, Debug)]
pub(super) struct Ranged<T>(pub Version, pub Version, pub T);

/// A component as stored, one line of `components.jsonl`.
#[derive(Deserialize, Debug)]
pub(super) struct Record {
    /// `exporter/otlp_grpc`: kind and newest name.
    #[serde(default)]
    pub key: String,
    pub module: String,
    /// Every name, oldest first.
    pub names: Vec<String>,
    #[serde(rename = "in")]
    pub presence: Presence,
    #[serde(default)]
    pub signals: Vec<Ranged<Vec<String>>>,
    #[serde(default)]
    pub pairs: Vec<Ranged<Vec<String>>>,
    #[serde(default)]
    pub stability: Vec<Ranged<BTreeMap<String, String>>>,
    #[serde(default)]
    pub trees: Vec<Ranged<Option<String>>>,
    #[serde(default)]
    pub deprecated: Option<Version>,
    #[serde(default)]
    pub replacement: Option<StoredReplacement>,
    #[serde(default)]
    pub gone: Vec<Gone>,
    /// Settings of only one of the two samples around a release, with the first and last release without them.
    #[serde(default)]
    pub absent: Vec<(String, Version, Version)>,
    /// Settings of neither sample around a release: type, first and last release with them.
    #[serde(default)]
    pub between: Vec<(String, SettingType, Version, Version)>,
    #[serde(default)]
    pub src: Vec<String>,
}

#[derive(Deserialize, Debug)]
pub(super) struct StoredReplacement {
    pub name: String,
    pub kind: Option<String>,
    pub note: Option<String>,
    #[serde(default)]
    pub settings: BTreeMap<String, StoredSuccessor>,
}

/// What a setting of a component is in the one that replaces it.
#[derive(Deserialize, PartialEq, Eq, Debug)]
pub(super) struct StoredSuccessor {
    pub name: String,
    pub values: BTreeMap<String, String>,
}

/// A setting that vanished.
#[derive(Deserialize, Debug)]
pub(super) struct Gone {
    /// Dotted path.
    pub p: String,
    /// Last sampled version with the setting.
    pub at: Version,
    /// First sampled version without it.
    pub by: Version,
    /// Release that removed it, when known.
    #[serde(rename = "in")]
    pub removed: Option<Version>,
    /// What to use in its place.
    #[serde(rename = "r")]
    pub replacement: Option<String>,
}

/// Runtime facts as stored, one line of `runtime.jsonl`.
#[derive(Deserialize, Debug, Default)]
pub(super) struct Runtime {
    pub protocol: Option<String>,
    #[serde(default)]
    pub listens: Vec<StoredListen>,
    pub placement: Option<String>,
    pub scope: Option<String>,
    #[serde(default)]
    pub same_instance: bool,
    pub storage: Option<String>,
    #[serde(default)]
    pub provides: Vec<String>,
    #[serde(default)]
    pub defaults: BTreeMap<String, Value>,
    #[serde(default)]
    pub required: Vec<StoredRequired>,
    pub order: Option<String>,
    #[serde(default)]
    pub reads_context: bool,
    #[serde(default)]
    pub rbac: Vec<Value>,
    #[serde(default)]
    pub src: Vec<String>,
}

#[derive(Deserialize, Debug)]
pub(super) struct StoredListen {
    pub setting: String,
    pub port: Option<u16>,
    pub transport: String,
    pub app: Option<String>,
    /// `gate` (localhost since 0.104.0), a fixed host, or absent when the setting is required.
    pub host: Option<String>,
    pub when: Option<String>,
}

#[derive(Deserialize, Debug)]
#[serde(rename_all = "lowercase")]
pub(super) enum StoredRequired {
    All(String),
    One(Vec<String>),
}

/// Makes a thing once and keeps it for the life of the program.
pub(super) struct Memo<T: 'static>(OnceLock<Mutex<HashMap<String, &'static T>>>);

impl<T> Memo<T> {
    pub(super) const fn new() -> Self {
        Self(OnceLock::new())
    }

    /// The value under the key, made on first use. What there is not is not remembered: keys come from users.
    pub(super) fn get(&self, key: &str, make: impl FnOnce() -> Option<T>) -> Option<&'static T> {
        let memo = self.0.get_or_init(Mutex::default);
        if let Some(known) = memo.lock().unwrap_or_else(PoisonError::into_inner).get(key) {
            return Some(known);
        }
        let kept = &*Box::leak(Box::new(make()?));
        Some(memo.lock().unwrap_or_else(PoisonError::into_inner).entry(key.to_owned()).or_insert(kept))
    }
}

/// The record under a canonical key, `exporter/otlp_grpc`.
pub(super) fn record(key: &str) -> Option<&'static Record> {
    static MEMO: Memo<Record> = Memo::new();
    MEMO.get(key, || {
        let mut record: Record = serde_json::from_str(COMPONENTS.get(key)?).ok()?;
        key.clone_into(&mut record.key);
        Some(record)
    })
}

/// The runtime facts of a component, when there are any.
pub(super) fn runtime(key: &str) -> Option<&'static Runtime> {
    static MEMO: Memo<Option<Runtime>> = Memo::new();
    MEMO.get(key, || Some(RUNTIME.get(key).and_then(|line| serde_json::from_str(line).ok())))?.as_ref()
}
