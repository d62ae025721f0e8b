//! What is done with findings once they are found, whatever found them: which are reported and how bad they are, which
//! are ignored, known already or not asked for, and what can be put right. No rule knows of any of it.

mod baseline;
mod codes;
mod findings;
mod fix;
mod settings;
mod suppress;

use std::{
    collections::BTreeMap,
    path::{Component, Path, PathBuf},
};

use telstack_diagnostics::{Diagnostic, Diagnostics, Severity, SourceMap};

pub use baseline::{Baseline, BaselineError, Changed};
pub use codes::RULES;
pub use findings::Findings;
pub use fix::{Fixed, FixedFile, fix, fixable};
pub use settings::{Chosen, SETTINGS, Settings, SettingsFile, settings_schema};

use crate::{
    check::{Assumed, AssumedError, Told},
    files::{Files, ReadFailure, tidy},
};

/// Where settings come from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SettingsFrom {
    /// The nearest [`SETTINGS`] at or above each file, up to the root of its repository.
    Nearest,
    /// This file, for everything.
    File(PathBuf),
    /// Nowhere.
    Nothing,
}

/// What is reported.
pub struct Policy<'a> {
    files: &'a dyn Files,
    from: SettingsFrom,
    chosen: Chosen,
    baseline: Option<Baseline>,
    changed: Option<Changed>,
    loaded: Vec<Settings>,
    by_folder: BTreeMap<PathBuf, Option<usize>>,
    sources: SourceMap,
    wrong: Diagnostics,
}

impl<'a> Policy<'a> {
    /// A policy by settings, and by codes that were chosen on the command line.
    pub fn new(files: &'a dyn Files, from: SettingsFrom, chosen: Chosen) -> Result<Self, ReadFailure> {
        let mut policy = Self {
            files,
            from,
            chosen,
            baseline: None,
            changed: None,
            loaded: Vec::new(),
            by_folder: BTreeMap::new(),
            sources: SourceMap::default(),
            wrong: Diagnostics::default(),
        };
        if let SettingsFrom::File(path) = policy.from.clone() {
            policy.load(&path)?;
        }
        Ok(policy)
    }

    /// What a baseline knows is not reported.
    #[must_use]
    pub fn without(mut self, baseline: Option<Baseline>) -> Self {
        self.baseline = baseline;
        self
    }

    /// Only what has to do with changed files is reported.
    #[must_use]
    pub fn only(mut self, changed: Option<Changed>) -> Self {
        self.changed = changed;
        self
    }

    fn load(&mut self, path: &Path) -> Result<usize, ReadFailure> {
        let settings = settings::read(self.files, path, &mut self.sources, &mut self.wrong)?;
        self.loaded.push(settings);
        Ok(self.loaded.len() - 1)
    }

    /// The settings for the file at a path; none if there are none.
    pub fn settings(&mut self, path: &Path) -> Option<&Settings> {
        let at = match self.from {
            SettingsFrom::Nothing => None,
            SettingsFrom::File(_) => Some(0),
            SettingsFrom::Nearest => {
                let path = tidy(&self.files.absolute(path));
                path.parent().and_then(|folder| self.nearest(folder))
            }
        };
        self.loaded.get(at?)
    }

    /// The nearest settings file, from a folder upwards.
    fn nearest(&mut self, folder: &Path) -> Option<usize> {
        if let Some(known) = self.by_folder.get(folder) {
            return *known;
        }
        let path = folder.join(SETTINGS);
        let found = if let Ok(None) = self.files.read_bytes(&path) {
            let root = !matches!(self.files.read_bytes(&folder.join(".git")), Ok(None));
            folder.parent().filter(|_| !root).and_then(|above| self.nearest(above))
        } else {
            let shown = PathBuf::from(relative(&path, &tidy(&self.files.absolute(Path::new(".")))));
            let loaded = self.load(&shown);
            // One that cannot be read is a finding, not a reason to look further up.
            if let Err(failure) = &loaded {
                let message = format!("{} cannot be read: {failure}", shown.display());
                self.wrong.push(Diagnostic::new(&codes::INVALID_SETTING, message));
            }
            loaded.ok()
        };
        self.by_folder.insert(folder.to_owned(), found);
        found
    }

    /// What runs the file at a path: the collector that is given, else what the settings say.
    pub fn told(
        &mut self,
        path: &Path,
        version: Option<&str>,
        distribution: Option<&str>,
    ) -> Result<Told, AssumedError> {
        let absolute = tidy(&self.files.absolute(path));
        let Some(settings) = self.settings(path) else {
            return Ok(Told { assumed: Assumed::new(version, distribution)?, ..Told::default() });
        };
        let products = settings.products(&absolute);
        let (of_file, by_name) = settings.collector(&absolute);
        let (version, distribution) = (version.or(of_file), distribution.or(by_name));
        let (assumed, built) = match distribution.and_then(|name| settings.built.get(name)) {
            Some(built) => {
                let said = version.map(str::to_owned).or_else(|| built.version.map(|it| it.to_string()));
                (Assumed::new(said.as_deref(), None)?, Some(built.by.clone()))
            }
            None => (Assumed::new(version, distribution)?, None),
        };
        Ok(Told { assumed, built, products })
    }

    /// What is wrong with the settings that were read so far. Nothing should be checked by settings with errors.
    pub fn wrong_settings(&self) -> Findings {
        let mut findings = Findings::default();
        findings.add(&self.sources, self.wrong.clone().sorted(&self.sources));
        findings
    }

    /// Keeps what is reported, as bad as it is by the settings, and adds what is wrong with comments that ask to
    /// ignore something. A line for each stale entry of the baseline.
    pub fn apply(&mut self, findings: &mut Findings) -> Vec<String> {
        let names: Vec<String> = findings.sources.files().map(|(_, file)| file.name().to_owned()).collect();
        for name in &names {
            // Settings are read before they are asked about.
            self.settings(Path::new(name));
        }
        let this = &*self;
        let first = names.first().map(String::as_str);
        let reported = |name: Option<&str>, code: &'static str| this.reports(name, first, code);
        let Findings { sources, diagnostics, .. } = findings;
        diagnostics.retain(|it| {
            let name = it.primary.as_ref().map(|label| sources.file(label.span.file).name());
            reported(name, it.rule.code)
        });
        suppress::suppress(findings, |name, code| reported(Some(name), code));
        for at in 0..findings.diagnostics.len() {
            let it = &findings.diagnostics[at];
            let name = findings.file_of(it).or(first);
            if let Some(severity) = this.severity(name, it.rule.code) {
                findings.diagnostics[at].severity = severity;
            }
        }
        let known =
            |name: Option<&str>, code: &str| crate::explain::rule(code).is_none_or(|rule| reported(name, rule.code));
        let stale = this.baseline.as_ref().map(|it| it.apply(this.files, findings, known)).unwrap_or_default();
        if let Some(changed) = &this.changed {
            baseline::keep_changed(this.files, findings, changed);
        }
        stale
    }

    fn known_settings(&self, path: &Path) -> Option<&Settings> {
        let at = match self.from {
            SettingsFrom::Nothing => None,
            SettingsFrom::File(_) => Some(0),
            SettingsFrom::Nearest => path.parent().and_then(|it| self.by_folder.get(it).copied().flatten()),
        };
        self.loaded.get(at?)
    }

    fn reports(&self, name: Option<&str>, first: Option<&str>, code: &'static str) -> bool {
        let path = name.map(|name| tidy(&self.files.absolute(Path::new(name))));
        let place = path.clone().or_else(|| first.map(|name| tidy(&self.files.absolute(Path::new(name)))));
        let none = Settings::default();
        let settings = place.as_deref().and_then(|it| self.known_settings(it)).unwrap_or(&none);
        settings.reports(&self.chosen, path.as_deref(), code)
    }

    fn severity(&self, name: Option<&str>, code: &str) -> Option<Severity> {
        let path = tidy(&self.files.absolute(Path::new(name?)));
        self.known_settings(&path)?.severity(code)
    }
}

/// A path as seen from a folder, both absolute: `../x` if it lies elsewhere. With `/` on every system.
fn relative(path: &Path, folder: &Path) -> String {
    let mut up = 0;
    let mut base = folder;
    let rest = loop {
        match (path.strip_prefix(base), base.parent()) {
            (Ok(rest), _) => break rest,
            (Err(_), Some(parent)) => {
                up += 1;
                base = parent;
            }
            (Err(_), None) => return path.to_string_lossy().replace('\\', "/"),
        }
    };
    let parts = rest.components().filter_map(|it| match it {
        Component::Normal(part) => Some(part.to_string_lossy()),
        _ => None,
    });
    std::iter::repeat_n("..".into(), up).chain(parts).collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests;
