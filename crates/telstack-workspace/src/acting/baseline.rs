//! A baseline: findings that were there when telstack was adopted, and are not reported again.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use telstack_diagnostics::{Diagnostic, SourceMap, fingerprint};

use super::{findings::Findings, relative};
use crate::files::{Files, Mode, tidy};

/// The version of the format; grows only when a reader of the old one would break.
const VERSION: u32 = 1;

#[derive(Serialize, Deserialize, Debug)]
struct File {
    version: u32,
    findings: Vec<Entry>,
}

/// Findings that are known.
#[derive(Clone, Serialize, Deserialize, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Entry {
    /// Relative to the folder of the baseline; none for findings about a run as a whole.
    file: Option<String>,
    code: String,
    fingerprint: String,
    /// How often there is one like that.
    count: usize,
    /// For people.
    message: String,
}

/// Why there is no baseline.
#[derive(Debug)]
pub enum BaselineError {
    /// It cannot be read, in words.
    Unreadable(String),
    /// It is of a later release.
    Newer(u32),
    /// It cannot be written.
    Write(io::Error),
}

type Key = (Option<String>, String, String);

/// Findings that are known, and the folder that their paths start from.
#[derive(Clone, Debug)]
pub struct Baseline {
    path: PathBuf,
    entries: BTreeMap<Key, Entry>,
}

impl Baseline {
    /// An empty one, to be written to `path`.
    pub fn new(path: &Path) -> Self {
        Self { path: path.to_owned(), entries: BTreeMap::new() }
    }

    /// Reads one.
    pub fn read(files: &dyn Files, path: &Path) -> Result<Self, BaselineError> {
        let text = files.read(path).map_err(|failure| BaselineError::Unreadable(failure.to_string()))?;
        let unreadable = |error: serde_json::Error| BaselineError::Unreadable(error.to_string());
        let version: serde_json::Value = serde_json::from_str(&text).map_err(unreadable)?;
        if let Some(version) = version["version"].as_u64().filter(|it| *it > u64::from(VERSION)) {
            return Err(BaselineError::Newer(u32::try_from(version).unwrap_or(u32::MAX)));
        }
        let file: File = serde_json::from_value(version).map_err(unreadable)?;
        let entries =
            file.findings.into_iter().map(|it| ((it.file.clone(), it.code.clone(), it.fingerprint.clone()), it));
        Ok(Self { path: path.to_owned(), entries: entries.collect() })
    }

    /// Takes out what is known. What is left over of the entries is stale: a line for each.
    pub(super) fn apply(
        &self,
        files: &dyn Files,
        findings: &mut Findings,
        reported: impl Fn(Option<&str>, &str) -> bool,
    ) -> Vec<String> {
        let mut left: BTreeMap<&Key, usize> = self.entries.iter().map(|(key, it)| (key, it.count)).collect();
        let sources = &findings.sources;
        findings.diagnostics.retain(|it| {
            let key = self.key(files, it, sources);
            match left.get_mut(&key) {
                Some(count) if *count > 0 => {
                    *count -= 1;
                    false
                }
                _ => true,
            }
        });
        let read = self.read_files(files, sources);
        let stale = left.into_iter().filter(|(_, count)| *count > 0).filter(|((file, code, _), _)| {
            // What was not looked at may still be there.
            let gone = |file: &str| !read.contains_key(file) && !self.is_there(files, file);
            let looked = file.as_deref().is_none_or(|it| read.contains_key(it) || gone(it));
            let name = file.as_ref().and_then(|it| read.get(it)).map(String::as_str);
            looked && reported(name, code)
        });
        stale
            .filter_map(|(key, _)| self.entries.get(key))
            .map(|it| format!("{}: {} {}", it.file.as_deref().unwrap_or("(no file)"), it.code, it.message))
            .collect()
    }

    /// Writes all findings of a run, after which they are known; what is known of files that were not looked at stays.
    /// How many findings it knows then.
    pub fn write(&self, files: &dyn Files, findings: &Findings) -> Result<usize, BaselineError> {
        let read = self.read_files(files, &findings.sources);
        let mut entries: BTreeMap<Key, Entry> = self.entries.clone();
        entries.retain(|(file, ..), _| {
            file.as_ref().is_some_and(|file| !read.contains_key(file) && self.is_there(files, file))
        });
        for it in &findings.diagnostics {
            let key = self.key(files, it, &findings.sources);
            let (file, code, fingerprint) = key.clone();
            let new = Entry { file, code, fingerprint, count: 0, message: it.message.clone() };
            entries.entry(key).or_insert(new).count += 1;
        }
        let file = File { version: VERSION, findings: entries.into_values().collect() };
        let mut text =
            serde_json::to_string_pretty(&file).map_err(|error| BaselineError::Write(io::Error::other(error)))?;
        text.push('\n');
        files.write(&self.path, text.as_bytes(), Mode::Same).map_err(BaselineError::Write)?;
        Ok(file.findings.iter().map(|it| it.count).sum())
    }

    fn folder(&self, files: &dyn Files) -> PathBuf {
        tidy(&files.absolute(&self.path)).parent().map(Path::to_owned).unwrap_or_default()
    }

    fn key(&self, files: &dyn Files, it: &Diagnostic, sources: &SourceMap) -> Key {
        let file = it.primary.as_ref().map(|label| sources.file(label.span.file).name());
        let file = file.map(|name| relative(&tidy(&files.absolute(Path::new(name))), &self.folder(files)));
        (file, it.rule.code.to_owned(), fingerprint(it, sources))
    }

    /// The files of a run as the baseline calls them, with the name that the run has for them.
    fn read_files(&self, files: &dyn Files, sources: &SourceMap) -> BTreeMap<String, String> {
        let folder = self.folder(files);
        let named = |name: &str| (relative(&tidy(&files.absolute(Path::new(name))), &folder), name.to_owned());
        sources.files().map(|(_, file)| named(file.name())).collect()
    }

    fn is_there(&self, files: &dyn Files, file: &str) -> bool {
        files.read_bytes(&self.folder(files).join(file)).is_ok_and(|it| it.is_some())
    }
}

/// Files that have changed, by their absolute paths.
pub type Changed = BTreeSet<PathBuf>;

/// Keeps the findings of which some end lies in a file that has changed. One without a place stays if any file of
/// the run has.
pub(super) fn keep_changed(files: &dyn Files, findings: &mut Findings, changed: &Changed) {
    let sources = &findings.sources;
    let has = |name: &str| changed.contains(&tidy(&files.absolute(Path::new(name))));
    let touched: BTreeSet<_> = sources.files().filter(|(_, file)| has(file.name())).map(|(id, _)| id).collect();
    findings.diagnostics.retain(|it| match it.primary {
        Some(_) => it.places().any(|span| touched.contains(&span.file)),
        None => !touched.is_empty(),
    });
}
