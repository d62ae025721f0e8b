//! Options of configuration files and command lines, by path.

use serde::Deserialize;
use serde_json::Value;

use super::Product;
use crate::text::Lines;
use crate::version::{Version, VersionRange};

const LOKI: Lines = Lines(include_str!("../../data/loki_options.jsonl"));
const TEMPO: Lines = Lines(include_str!("../../data/tempo_options.jsonl"));
const MIMIR: Lines = Lines(include_str!("../../data/mimir_options.jsonl"));
const LOKI_FLAGS: Lines = Lines(include_str!("../../data/loki_flags.jsonl"));
const TEMPO_FLAGS: Lines = Lines(include_str!("../../data/tempo_flags.jsonl"));
const MIMIR_FLAGS: Lines = Lines(include_str!("../../data/mimir_flags.jsonl"));
const PROMETHEUS: Lines = Lines(include_str!("../../data/prometheus_options.jsonl"));

/// A setting of a product's configuration file at one version.
#[derive(Clone, PartialEq, Debug)]
pub struct OptionFact {
    /// Type in upstream's words: `string`, `int`, `uint`, `bool`, `duration`, `bytes`, `float`,
    /// `block`, `secret`, `url`, `list<...>`, `map<...>`. Empty when not known.
    pub ty: String,
    /// Default, when known.
    pub default: Option<Value>,
    /// Allowed values; empty when any will do.
    pub enumeration: Vec<String>,
    /// First minor version with it; `None` when the oldest known has it.
    pub since: Option<Version>,
}

impl OptionFact {
    /// Is its default a word, whatever its type is to the program?
    pub fn is_word(&self) -> bool {
        self.default.as_ref().is_some_and(Value::is_string)
    }
}

/// One row of a setting: it holds for a range of minor versions.
#[derive(Deserialize)]
pub(super) struct Row {
    #[serde(rename = "t", default)]
    pub(super) ty: String,
    #[serde(rename = "d")]
    default: Option<Value>,
    #[serde(rename = "e", default)]
    enumeration: Vec<Value>,
    #[serde(rename = "s")]
    since: Option<String>,
    #[serde(rename = "u")]
    until: Option<String>,
    /// Group of settings below this one.
    #[serde(rename = "g")]
    pub(super) group: Option<String>,
}

impl From<Row> for OptionFact {
    fn from(row: Row) -> Self {
        let words = row.enumeration.iter();
        Self {
            since: row.range().since,
            enumeration: words.map(|w| w.as_str().map_or_else(|| w.to_string(), str::to_owned)).collect(),
            ty: row.ty,
            default: row.default,
        }
    }
}

impl Row {
    pub(super) fn range(&self) -> VersionRange {
        VersionRange::from_text(self.since.as_deref(), self.until.as_deref())
    }
}

pub(super) fn lines(product: Product) -> Option<Lines> {
    match product {
        Product::Loki => Some(LOKI),
        Product::Tempo => Some(TEMPO),
        Product::Mimir => Some(MIMIR),
        Product::Prometheus => Some(PROMETHEUS),
        _ => None,
    }
}

/// The setting that a flag of the command line, without dashes, goes before.
pub(super) fn set_by_flag(product: Product, name: &str) -> Option<&'static str> {
    let lines = match product {
        Product::Loki => LOKI_FLAGS,
        Product::Tempo => TEMPO_FLAGS,
        Product::Mimir => MIMIR_FLAGS,
        _ => return None,
    };
    // Paths hold no escapes.
    lines.get(name)?.strip_prefix('"')?.strip_suffix('"')
}

pub(super) fn rows(lines: Lines, key: &str) -> Vec<Row> {
    lines.get(key).and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
}

/// The rows of a path within a group (`""` is the file itself), following references. A row found
/// below references carries the ranges of all of them: they are narrowed to `within`.
fn find(lines: Lines, group: &str, path: &str, within: VersionRange, depth: u8) -> Vec<Row> {
    if depth == 0 {
        return Vec::new();
    }
    let key = |path: &str| if group.is_empty() { path.to_owned() } else { format!("#{group}/{path}") };
    let direct = rows(lines, &key(path));
    if !direct.is_empty() {
        return direct.into_iter().filter_map(|row| narrow(row, within)).collect();
    }
    let mut found = Vec::new();
    // The longest start of the path that refers to a group.
    let mut end = path.len();
    while let Some(cut) = path[..end].rfind(['.', '[']) {
        end = cut;
        let rest = path[cut..].trim_start_matches('.');
        for row in rows(lines, &key(&path[..end])) {
            let Some(group) = row.group.clone() else { continue };
            let Some(row) = narrow(row, within) else { continue };
            let range = row.range();
            found = find(lines, &group, rest, range, depth - 1);
            if found.is_empty() {
                let bare = rest.trim_start_matches("[]").trim_start_matches('.');
                if bare != rest && !bare.is_empty() {
                    found = find(lines, &group, bare, range, depth - 1);
                }
            }
            if !found.is_empty() {
                return found;
            }
        }
    }
    for row in rows(lines, &key("<inline>")) {
        let Some(inline) = row.group.clone() else { continue };
        let Some(row) = narrow(row, within) else { continue };
        found.extend(find(lines, &inline, path, row.range(), depth - 1));
    }
    found
}

/// The row within a range; `None` when they do not meet.
pub(super) fn narrow(mut row: Row, within: VersionRange) -> Option<Row> {
    let range = row.range();
    let since = range.since.max(within.since);
    let until = match (range.until, within.until) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    };
    if since.is_some() && until.is_some() && since > until {
        return None;
    }
    row.since = since.map(|since| since.to_string());
    row.until = until.map(|until| until.to_string());
    Some(row)
}

/// Numbers that step into a list become `[]`; where a key is free, `<key>` is tried for it.
fn spellings(path: &str) -> Vec<String> {
    let mut plain = String::new();
    for part in path.split('.') {
        if !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()) {
            plain.push_str("[]");
        } else {
            if !plain.is_empty() {
                plain.push('.');
            }
            plain.push_str(part);
        }
    }
    let parts: Vec<&str> = plain.split('.').collect();
    let free = (1..parts.len()).map(|at| {
        let mut parts = parts.clone();
        parts[at] = "<key>";
        parts.join(".")
    });
    let free: Vec<String> = free.collect();
    std::iter::once(plain.clone()).chain(free).collect()
}

fn all_rows(product: Product, path: &str) -> Vec<Row> {
    let Some(lines) = lines(product) else { return Vec::new() };
    if path.is_empty() || path.contains(['"', '#']) {
        return Vec::new();
    }
    let tried = spellings(path).into_iter();
    tried
        .map(|path| find(lines, "", &path, VersionRange::default(), 8))
        .find(|rows| !rows.is_empty())
        .unwrap_or_default()
}

pub(super) fn option(product: Product, version: Version, path: &str) -> Option<OptionFact> {
    all_rows(product, path).into_iter().find(|row| row.range().contains(version)).map(OptionFact::from)
}

pub(super) fn ranges(product: Product, path: &str) -> Vec<VersionRange> {
    all_rows(product, path).iter().map(Row::range).collect()
}

pub(super) fn flag(product: Product, version: Version, name: &str) -> bool {
    flag_type(product, version, name).is_some()
}

/// The type of a flag, in upstream's words.
pub(super) fn flag_type(product: Product, version: Version, name: &str) -> Option<String> {
    if product != Product::Prometheus {
        return None;
    }
    let mut rows = rows(PROMETHEUS, &format!("--{name}")).into_iter();
    rows.find(|row| row.range().contains(version)).map(|row| row.ty)
}

/// The one flag at a version that goes on with the name of another, of the type that the other had.
pub(super) fn flag_instead(product: Product, version: Version, name: &str) -> Option<&'static str> {
    let ty = rows(PROMETHEUS, &format!("--{name}")).pop()?.ty;
    let goes_on = |it: &&str| it.strip_prefix(name).is_some_and(|rest| rest.starts_with('.'));
    let mut all = flags(product, version).filter(goes_on);
    let mut same = all.by_ref().filter(|it| flag_type(product, version, it).as_ref() == Some(&ty));
    same.next().filter(|_| same.next().is_none())
}

pub(super) fn flags(product: Product, version: Version) -> impl Iterator<Item = &'static str> {
    let names = PROMETHEUS.iter().filter_map(|(key, _)| key.strip_prefix("--")).filter(|name| !name.contains('='));
    names.filter(move |name| flag(product, version, name))
}

pub(super) fn feature(product: Product, version: Version, name: &str) -> bool {
    product == Product::Prometheus
        && rows(PROMETHEUS, &format!("--enable-feature={name}"))
            .iter()
            .any(|row| row.range().contains(version) && row.ty != "no-op")
}
