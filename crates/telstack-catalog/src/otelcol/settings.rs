//! Settings trees.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use serde::Deserialize;

use super::component::Component;
use super::merge;
use super::releases::samples_for;
use crate::text::Lines;
use crate::version::Version;

const TREES: Lines = Lines(include_str!("../../data/otelcol/trees.jsonl"));

/// What a setting may hold.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SettingType {
    /// A text.
    String,
    /// A whole number.
    Int,
    /// A number.
    Float,
    /// True or false.
    Bool,
    /// A text in Go's duration syntax: `200ms`, `1m30s`. (A bare number counts nanoseconds.)
    Duration,
    /// A list; the element is [`SettingsNode::item`]. For a list of texts the collector also takes one
    /// text, which it splits at its commas.
    List,
    /// A map.
    Map,
    /// Anything. What is known below it describes the value when it is a list (`item`) or a map (`children`,
    /// unless it is `open`: then the keys are known, but not what they hold).
    Any,
}

/// A setting and what is below it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SettingsNode {
    /// Its type.
    pub ty: SettingType,
    /// Known keys of a map.
    pub children: BTreeMap<Box<str>, Arc<SettingsNode>>,
    /// True when a map takes other keys too.
    pub open: bool,
    /// Element of a list; value of the keys that an open map takes beside its children.
    pub item: Option<Arc<SettingsNode>>,
    /// Allowed values of a text; empty when any will do.
    pub enumeration: Vec<Box<str>>,
    /// True when upstream calls the setting deprecated.
    pub deprecated: bool,
    /// What to use in place of a deprecated setting.
    pub replaced_by: Option<Box<str>>,
    /// True when it holds a secret: a password, a token, a key. Decided by a table of key names.
    pub opaque: bool,
}

impl SettingsNode {
    /// A node of a type with nothing else known.
    pub fn new(ty: SettingType) -> Self {
        Self {
            ty,
            children: BTreeMap::new(),
            open: false,
            item: None,
            enumeration: Vec::new(),
            deprecated: false,
            replaced_by: None,
            opaque: false,
        }
    }

    /// The setting of that name directly below.
    pub fn child(&self, key: &str) -> Option<&Arc<Self>> {
        self.children.get(key)
    }

    /// The setting at a dotted path. `item`, `[]` or a number step into a list. The empty path is the
    /// node itself. Keys that hold dots (metric names) are found too.
    pub fn at(&self, path: &str) -> Option<&Self> {
        if path.is_empty() {
            return Some(self);
        }
        let mut end = path.len();
        loop {
            let (key, rest) = (&path[..end], path.get(end + 1..).unwrap_or(""));
            let (key, list) = key.strip_suffix("[]").map_or((key, false), |key| (key, true));
            let step = if key.is_empty() && list { self.item.as_ref() } else { self.step(key) };
            let step = if list && !key.is_empty() { step.and_then(|n| n.item.as_ref()) } else { step };
            if let Some(found) = step.and_then(|node| node.at(rest)) {
                return Some(found);
            }
            end = path[..end].rfind('.')?;
        }
    }

    fn step(&self, key: &str) -> Option<&Arc<Self>> {
        let element = || key == "item" || (!key.is_empty() && key.bytes().all(|b| b.is_ascii_digit()));
        self.children.get(key).or_else(|| self.item.as_ref().filter(|_| element()))
    }

    /// The known key closest to a misspelt one.
    pub fn nearest_child(&self, key: &str) -> Option<&str> {
        super::near::closest(key, self.children.keys().map(AsRef::as_ref))
    }
}

/// Why a setting that once was there is unknown.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SettingGone {
    /// The release that removed it, when known.
    pub removed_in: Option<Version>,
    /// The last sampled version with it.
    pub present_at: Version,
    /// The first sampled version without it.
    pub absent_at: Version,
    /// What to use in its place: a dotted path of the same component, or words.
    pub replacement: Option<&'static str>,
    /// True when no release lies between `present_at` and `absent_at`, or `removed_in` is known.
    pub exact: bool,
}

/// Open maps of these names hold texts.
const TEXT_MAPS: [&str; 4] = ["headers", "response_headers", "external_labels", "const_labels"];

/// The tree in a text of its own.
pub(super) fn parse(text: &str) -> Option<Arc<SettingsNode>> {
    let stored: Stored = serde_json::from_str(text).ok()?;
    Some(build(&stored, &mut Built::new()))
}

/// A node as stored.
#[derive(Deserialize)]
#[serde(untagged)]
enum Stored {
    /// A type, or `#id` of another line.
    Word(String),
    Node(StoredNode),
}

#[derive(Deserialize)]
struct StoredNode {
    #[serde(rename = "t")]
    ty: SettingType,
    #[serde(rename = "c", default)]
    children: BTreeMap<Box<str>, Stored>,
    #[serde(rename = "o", default)]
    open: bool,
    #[serde(rename = "i")]
    item: Option<Box<Stored>>,
    #[serde(rename = "e", default)]
    enumeration: Vec<Box<str>>,
    #[serde(rename = "d", default)]
    deprecated: bool,
    #[serde(rename = "r")]
    replaced_by: Option<Box<str>>,
}

/// Trees that were built, by their id.
type Built = HashMap<String, Arc<SettingsNode>>;

/// The tree under an id.
fn tree(id: &str, built: &mut Built) -> Option<Arc<SettingsNode>> {
    if let Some(node) = built.get(id) {
        return Some(Arc::clone(node));
    }
    let stored: Stored = serde_json::from_str(TREES.get(id)?).ok()?;
    let node = build(&stored, built);
    built.insert(id.to_owned(), Arc::clone(&node));
    Some(node)
}

fn build(stored: &Stored, built: &mut Built) -> Arc<SettingsNode> {
    let any = || Arc::new(SettingsNode::new(SettingType::Any));
    match stored {
        Stored::Word(word) => match word.strip_prefix('#') {
            Some(id) => tree(id, built).unwrap_or_else(any),
            None => Arc::new(SettingsNode::new(word_type(word))),
        },
        Stored::Node(node) => {
            let mut child = |key: &str, value: &Stored| {
                let mut child = build(value, built);
                // `credentials` is a secret where a file may be given instead; elsewhere it names a kind.
                let beside_file = key == "credentials" && node.children.contains_key("credentials_file");
                if (is_secret(key) || beside_file) && child.children.is_empty() && !child.opaque {
                    Arc::make_mut(&mut child).opaque = true;
                }
                let holds_texts = child.ty == SettingType::Map && child.open && child.children.is_empty();
                if holds_texts && child.item.is_none() && TEXT_MAPS.contains(&key) {
                    Arc::make_mut(&mut child).item = Some(Arc::new(SettingsNode::new(SettingType::String)));
                }
                (key.into(), child)
            };
            let children = node.children.iter().map(|(key, value)| child(key, value)).collect();
            Arc::new(SettingsNode {
                ty: node.ty,
                children,
                open: node.open,
                item: node.item.as_ref().map(|item| build(item, built)),
                enumeration: node.enumeration.clone(),
                deprecated: node.deprecated,
                replaced_by: node.replaced_by.clone(),
                opaque: false,
            })
        }
    }
}

fn word_type(word: &str) -> SettingType {
    match word {
        "string" => SettingType::String,
        "int" => SettingType::Int,
        "float" => SettingType::Float,
        "bool" => SettingType::Bool,
        "duration" => SettingType::Duration,
        _ => SettingType::Any,
    }
}

/// Whole words at the end of a key that mark its value as a secret.
const SECRETS: &[&str] = &[
    "access_key",
    "access_key_secret",
    "access_token",
    "account_key",
    "agent_key",
    "api_key",
    "api_token",
    "apikey",
    "app_key",
    "application_key",
    "auth_token",
    "bearer_token",
    "client_certificate_key",
    "client_secret",
    "community",
    "connection_string",
    "credentials",
    "datasource",
    "dsn",
    "hmac_key",
    "ingest_key",
    "instrumentation_key",
    "key_pem",
    "license_key",
    "passphrase",
    "password",
    "private_key",
    "sas_token",
    "secret",
    "secret_access_key",
    "secret_id",
    "secret_key",
    "security_token",
    "service_account_key",
    "session_token",
    "shared_key",
    "ssh_key",
    "token",
    "tokens",
];

/// Keys that end like a secret and hold none.
const NOT_SECRETS: &[&str] = &["credentials", "max_token", "next_token", "split_token"];

/// True when a setting of that name holds a secret. `token_url`, `password_file` and the like do not:
/// they end in another word.
pub fn is_secret(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    !NOT_SECRETS.contains(&key.as_str())
        && SECRETS
            .iter()
            .any(|secret| key.strip_suffix(secret).is_some_and(|start| start.is_empty() || start.ends_with('_')))
}

/// Keys that are secrets only where they stand: Datadog's `api: {key}`.
const SECRET_PATHS: &[&str] = &["api.key"];

/// True when a setting at that dotted path holds a secret, by its name or by where it stands.
pub fn is_secret_path(path: &str) -> bool {
    let here = |known: &&str| path.strip_suffix(*known).is_some_and(|start| start.is_empty() || start.ends_with('.'));
    is_secret(path.rsplit('.').next().unwrap_or(path)) || SECRET_PATHS.iter().any(here)
}

type SettingsMemo = Mutex<HashMap<(&'static str, Version), Option<Arc<SettingsNode>>>>;

impl Component {
    /// Its settings at a version. `None` means unknown: check nothing. Corrections are applied; for a
    /// release between two sampled versions a setting of either is accepted, less what is known
    /// exactly to be of another version.
    pub fn settings(self, version: Version) -> Option<Arc<SettingsNode>> {
        static MEMO: OnceLock<SettingsMemo> = OnceLock::new();
        let key = (self.record.key.as_str(), version);
        let memo = MEMO.get_or_init(Mutex::default);
        if let Some(known) = memo.lock().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return known.clone();
        }
        let settings = self.build_settings(version);
        let mut memo = memo.lock().unwrap_or_else(PoisonError::into_inner);
        memo.entry(key).or_insert(settings).clone()
    }

    fn build_settings(self, version: Version) -> Option<Arc<SettingsNode>> {
        static BUILT: OnceLock<Mutex<Built>> = OnceLock::new();
        let samples = samples_for(version);
        let mut built = BUILT.get_or_init(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner);
        let mut trees = Vec::new();
        for &sample in samples {
            let stored = self.record.trees.iter().find(|range| range.0 <= sample && sample <= range.1);
            // No entry: the component was not there at that sample, so its neighbour decides alone.
            let Some(stored) = stored else { continue };
            trees.push((sample, tree(stored.2.as_deref()?, &mut built)?));
        }
        drop(built);
        match trees.as_slice() {
            [] => None,
            [(_, only)] if samples.len() < 2 => Some(Arc::clone(only)),
            [(sample, only)] if *sample == samples[0] => merge::merge(self, version, Some(only), None),
            [(_, only)] => merge::merge(self, version, None, Some(only)),
            [(_, lower), (_, upper), ..] => merge::merge(self, version, Some(lower), Some(upper)),
        }
    }

    /// What is wanted of its values beyond their types.
    pub fn limits(self, version: Version) -> impl Iterator<Item = &'static super::Limit> {
        super::limits::limits(&self.record.key, version)
    }

    /// Does the collector compare its settings with each other and with their limits where nothing uses it?
    pub fn is_checked_unused(self, version: Version) -> bool {
        super::behaviour::checks_unused(&self.record.key, version)
    }

    /// Settings of which one at most may be given.
    pub fn alternatives(self) -> impl Iterator<Item = &'static super::Alternatives> {
        super::limits::alternatives(&self.record.key)
    }

    /// The settings of the newest version that has any.
    pub(super) fn last_settings(self) -> Option<Arc<SettingsNode>> {
        let last = self.record.trees.iter().rev().find(|range| range.2.is_some())?;
        self.settings(last.1)
    }

    /// Why a setting that once was there is unknown at a version. `path` is dotted, `item` or `[]`
    /// standing for a list's element; a setting below a vanished one is found too.
    pub fn setting_gone(self, path: &str, version: Version) -> Option<SettingGone> {
        let path = path.replace("[]", ".item").replace("..", ".");
        let covers = |gone: &str| path.strip_prefix(gone).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
        let left = |gone: &super::record::Gone| match gone.removed {
            Some(removed) => removed <= version,
            None => gone.at < version,
        };
        let gone = self.record.gone.iter().rev().find(|gone| covers(&gone.p) && left(gone))?;
        if self.settings(version).is_some_and(|tree| tree.at(&gone.p).is_some()) {
            return None;
        }
        let adjacent = super::releases::release_after(gone.at).is_none_or(|next| next >= gone.by);
        Some(SettingGone {
            removed_in: gone.removed.or(adjacent.then_some(gone.by)),
            present_at: gone.at,
            absent_at: gone.by,
            replacement: gone.replacement.as_deref(),
            exact: adjacent || gone.removed.is_some(),
        })
    }
}
