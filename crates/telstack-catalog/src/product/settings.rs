//! Walking through the settings of a file, level by level.

use serde_json::Value;

use super::{OptionFact, Product, options};
use crate::text::Lines;
use crate::version::{Version, VersionRange};

const RULE_FILE: Lines = Lines(include_str!("../../data/rule_file_options.jsonl"));
const MOVED: &str = include_str!("../../data/moved_settings.json");

/// A level of a file: what stands there side by side.
#[derive(Clone, Debug)]
pub struct Level {
    lines: Lines,
    /// What keys below start with, and in which releases.
    starts: Vec<(String, VersionRange)>,
}

/// A setting, in whichever releases it exists.
#[derive(Clone, Debug)]
pub struct Setting {
    rows: Vec<(OptionFact, VersionRange)>,
    /// What stands below it; none where any key may.
    pub below: Option<Level>,
}

/// What stands for keys that people choose.
const ANY: [&str; 2] = ["<any>", "<key>"];
/// How deep groups of settings may hold each other.
const DEEPEST: u8 = 8;

impl Product {
    /// The settings of its file, all releases together. `None` where the catalog does not have them.
    pub fn settings(self) -> Option<Level> {
        Level::root(options::lines(self)?)
    }
}

/// The settings of a file of alert and recording rules, as Prometheus, Loki and Mimir take them.
pub fn rule_file() -> Option<Level> {
    Level::root(RULE_FILE)
}

impl Level {
    fn root(lines: Lines) -> Option<Self> {
        Self::new(lines, vec![(String::new(), VersionRange::default())])
    }

    /// The level with groups that stand for a part of it; none where nothing is known of it.
    fn new(lines: Lines, mut starts: Vec<(String, VersionRange)>) -> Option<Self> {
        let mut at = 0;
        let mut depth = DEEPEST;
        while let Some((start, range)) = starts.get(at).cloned() {
            at += 1;
            for row in options::rows(lines, &format!("{start}<inline>")) {
                let row = options::narrow(row, range).filter(|_| depth > 0);
                if let Some((group, range)) = row.and_then(|row| Some((row.group.clone()?, row.range()))) {
                    depth -= 1;
                    starts.push((format!("#{group}/"), range));
                }
            }
        }
        starts.retain(|(start, _)| lines.starting_with(start).next().is_some());
        let takes_any =
            |start: &str| ANY.iter().any(|any| lines.starting_with(&format!("{start}{any}")).next().is_some());
        if starts.iter().any(|(start, _)| takes_any(start)) {
            return None;
        }
        (!starts.is_empty()).then_some(Self { lines, starts })
    }

    /// The setting of that name.
    pub fn setting(&self, key: &str) -> Option<Setting> {
        if key.is_empty() || key.contains(['"', '#', '.', '<', '/', '[']) || key.starts_with("--") {
            return None;
        }
        let (mut rows, mut below) = (Vec::new(), Vec::new());
        let mut known = true;
        for (start, range) in &self.starts {
            let path = format!("{start}{key}");
            for row in options::rows(self.lines, &path).into_iter().filter_map(|row| options::narrow(row, *range)) {
                let range = row.range();
                let list = row.ty.starts_with("list<block");
                known &= list || row.ty == "block";
                match &row.group {
                    Some(group) if list => {
                        below.push((format!("#{group}/[]."), range));
                        below.push((format!("#{group}/"), range));
                    }
                    Some(group) => below.push((format!("#{group}/"), range)),
                    None if list => below.push((format!("{path}[]."), range)),
                    None => below.push((format!("{path}."), range)),
                }
                rows.push((row.into(), range));
            }
        }
        let below = if known { Self::new(self.lines, below) } else { None };
        (!rows.is_empty()).then_some(Setting { rows, below })
    }

    /// Everything that may stand here in some release, by name.
    pub fn keys(&self) -> Vec<&'static str> {
        let mut found = Vec::new();
        for (start, _) in &self.starts {
            let below = self.lines.starting_with(start);
            let names = below.filter_map(|(key, _)| key.get(start.len()..));
            found.extend(names.filter(|it| !it.contains(['.', '<', '#', '/', '[']) && !it.starts_with("--")));
        }
        found.sort_unstable();
        found.dedup();
        found
    }
}

impl Setting {
    /// What it is at a release.
    pub fn at(&self, version: Version) -> Option<&OptionFact> {
        self.rows.iter().find(|(_, range)| range.contains(version)).map(|(fact, _)| fact)
    }

    /// The one thing that it is in every release that has it; none if that changed.
    pub fn always(&self) -> Option<&OptionFact> {
        let (first, _) = self.rows.first()?;
        let same = |(fact, _): &(OptionFact, VersionRange)| fact.ty == first.ty;
        self.rows.iter().all(same).then_some(first)
    }

    /// The last minor release that has it, if it is gone since, or before one.
    pub fn last_before(&self, version: Version) -> Option<Version> {
        self.rows.iter().filter_map(|(_, range)| range.until).filter(|until| *until < version).max()
    }

    /// The first minor release after one that has it.
    pub fn first_after(&self, version: Version) -> Option<Version> {
        self.rows.iter().filter_map(|(_, range)| range.since).filter(|since| *since > version).min()
    }
}

/// What became of a setting that is gone.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Moved {
    /// What to write in its place: a dotted path, or words.
    pub to: Option<String>,
    /// A setting that brings it back where it is on.
    pub unless: Option<String>,
    /// A flag that does the same, without dashes.
    pub unless_flag: Option<String>,
}

/// What became of a setting, or of the block that it stands in.
pub fn moved(product: Product, path: &str) -> Option<Moved> {
    let all: Value = serde_json::from_str(MOVED).ok()?;
    let known = all.get(product.id())?.as_object()?;
    let mut at = path;
    let row = loop {
        match known.get(at) {
            Some(row) => break row,
            None => at = at.rsplit_once('.')?.0,
        }
    };
    let text = |key: &str| row.get(key).and_then(Value::as_str).map(str::to_owned);
    Some(Moved { to: text("to"), unless: text("unless"), unless_flag: text("flag") })
}
