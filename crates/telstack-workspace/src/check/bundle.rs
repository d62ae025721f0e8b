//! Files that belong together: a compose project, with everything that its services are given.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

use telstack_diagnostics::{Diagnostics, FileId, SourceMap};
use telstack_tools::{Said, SourceFile};

use super::{About, CheckFailure, Known, discover::Found, kind, unnamed};
use crate::{
    FileKind,
    compile::shown,
    files::{Files, Walk, tidy},
};

/// The files that docker compose looks for, in its order, and those that it puts on top of them.
const NAMES: [&str; 4] = ["compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml"];
const OVERRIDES: [&str; 4] =
    ["compose.override.yml", "compose.override.yaml", "docker-compose.override.yml", "docker-compose.override.yaml"];
/// What compose reads first.
const ENV: &str = ".env";
/// How far folders are looked through that a container is given.
const WALK: Walk = Walk { as_git: false, deepest: 8, most: 2_000, largest: 4 << 20 };
/// How often what was read may name more to read.
const ROUNDS: usize = 8;

/// Checks every bundle. The files that are part of one.
pub(super) fn check(
    found: &[Found],
    texts: &mut Texts<'_>,
    known: &mut Known<'_>,
    sources: &mut SourceMap,
    out: &mut Diagnostics,
) -> Result<BTreeSet<FileId>, CheckFailure> {
    let mut used = BTreeSet::new();
    let compose: Vec<&Found> = found.iter().filter(|it| it.kind == FileKind::Compose).collect();
    // Those that compose starts by itself come first: others may be parts of them.
    let (first, rest): (Vec<_>, Vec<_>) = compose.into_iter().partition(|it| NAMES.contains(&it.name()));
    for main in first.into_iter().chain(rest) {
        if used.contains(&main.file) {
            continue;
        }
        let mut project = vec![main.absolute.clone()];
        let told = texts.told(main, sources).filter(|told| told.contains(&main.absolute));
        let beside = |name: &&str| {
            let path = format!("{}{name}", main.folder());
            (path != main.absolute).then_some(path)
        };
        if let Some(told) = told {
            project = told;
        } else if NAMES.contains(&main.name()) {
            let mut overrides = OVERRIDES.iter().filter_map(beside);
            project.extend(overrides.find(|path| texts.file(path, main, sources).is_some()));
        } else if OVERRIDES.contains(&main.name()) {
            let mut mains = NAMES.iter().filter_map(beside);
            if let Some(under) = mains.find(|path| texts.file(path, main, sources).is_some()) {
                project.insert(0, under);
            }
        }
        used.extend(project.iter().filter_map(|path| texts.known.get(path).copied().flatten()));
        let about = known.about(&main.path, sources)?;
        used.extend(texts.project(main, &project, &about, sources, out));
    }
    Ok(used)
}

impl Found {
    fn name(&self) -> &str {
        self.absolute.rsplit('/').next().unwrap_or_default()
    }

    /// The folder with a `/` at its end; empty for the root.
    pub(super) fn folder(&self) -> &str {
        self.absolute.rfind('/').map_or("", |at| &self.absolute[..=at])
    }
}

/// Texts by their paths from the root on; none for what cannot be read.
pub(super) struct Texts<'a> {
    files: &'a dyn Files,
    known: BTreeMap<String, Option<FileId>>,
}

impl<'a> Texts<'a> {
    /// Those that were found.
    pub(super) fn of(files: &'a dyn Files, found: &[Found]) -> Self {
        let named = |it: &Found| if it.absolute.is_empty() { shown(&it.path) } else { it.absolute.clone() };
        Self { files, known: found.iter().map(|it| (named(it), Some(it.file))).collect() }
    }

    /// The file at a path, if it was read.
    pub(super) fn given(&self, path: &str) -> Option<FileId> {
        self.known.get(path).copied().flatten()
    }

    /// The file at a path, read when it is asked for first. It is shown as seen from `by`.
    pub(super) fn file(&mut self, path: &str, by: &Found, sources: &mut SourceMap) -> Option<FileId> {
        if let Some(known) = self.known.get(path) {
            return *known;
        }
        let at = seen_from(by, path);
        let text = if self.files.is_folder(&at) { None } else { self.files.read(&at).ok() };
        let file = text.map(|text| sources.add(shown(&at), text));
        self.known.insert(path.to_owned(), file);
        file
    }

    /// The files that `.env` says the project of a folder is made of, where all of them are there.
    fn told(&mut self, main: &Found, sources: &mut SourceMap) -> Option<Vec<String>> {
        let env = self.file(&format!("{}{ENV}", main.folder()), main, sources)?;
        let named = telstack_tools::compose_files(sources.file(env).text())?;
        let paths: Vec<String> = named.iter().map(|it| absolute(main.folder(), it)).collect();
        paths.iter().all(|path| self.file(path, main, sources).is_some()).then_some(paths)
    }

    /// A file, or what is in a folder: paths from the root on.
    fn below(&mut self, path: &str, by: &Found, sources: &mut SourceMap) -> Vec<String> {
        let at = seen_from(by, path);
        if !self.files.is_folder(&at) {
            return self.file(path, by, sources).map(|_| path.to_owned()).into_iter().collect();
        }
        let mut found = Vec::new();
        for file in self.files.walk(&at, WALK, &kind::may_be_read).files {
            let rest = file.strip_prefix(&at).unwrap_or(&file).to_string_lossy().replace('\\', "/");
            let path = format!("{}/{rest}", path.trim_end_matches('/'));
            found.extend(self.file(&path, by, sources).map(|_| path));
        }
        found
    }

    fn project(
        &mut self,
        main: &Found,
        project: &[String],
        about: &About,
        sources: &mut SourceMap,
        out: &mut Diagnostics,
    ) -> Vec<FileId> {
        let project: Vec<&str> = project.iter().map(String::as_str).collect();
        let mut given: BTreeSet<String> = project.iter().map(|path| (*path).to_owned()).collect();
        for round in 1.. {
            let mut findings = Diagnostics::default();
            let known = |path: &String| Some((path.clone(), self.known.get(path).copied().flatten()?));
            let list: Vec<(String, FileId)> = given.iter().filter_map(known).collect();
            let said = Said { searched: !main.absolute.is_empty(), ..about.said() };
            let texts = source_files(&list, sources);
            let reading = telstack_tools::read_project(&texts, &project, said, &mut findings);
            let mut more = false;
            if round < ROUNDS {
                for path in &reading.wanted {
                    for path in self.below(path, main, sources) {
                        more |= given.insert(path);
                    }
                }
            }
            if !more {
                let mut system = reading.system;
                about.built_into(&mut system);
                telstack_lint::check(&system, &mut findings);
                let texts = source_files(&list, sources);
                unnamed::check(&system, &mut findings, |version| {
                    let said = Said { unnamed: Some(version), ..said };
                    let again = telstack_tools::read_project(&texts, &project, said, &mut Diagnostics::default());
                    let mut system = again.system;
                    about.built_into(&mut system);
                    system
                });
                out.append(findings);
                return reading.used;
            }
        }
        Vec::new()
    }
}

fn source_files<'a>(list: &'a [(String, FileId)], sources: &'a SourceMap) -> Vec<SourceFile<'a>> {
    list.iter().map(|(path, file)| SourceFile { path, file: *file, text: sources.file(*file).text() }).collect()
}

/// A path that a file in a folder names, from the root on.
fn absolute(folder: &str, path: &str) -> String {
    let whole = if path.starts_with('/') { path.to_owned() } else { format!("{folder}{path}") };
    let mut parts: Vec<&str> = Vec::new();
    for part in whole.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// A path from the root on as a path that can be read, shown in the way that `by` is.
fn seen_from(by: &Found, path: &str) -> PathBuf {
    let here: Vec<&str> = by.folder().split('/').filter(|part| !part.is_empty()).collect();
    let there: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    let same = here.iter().zip(&there).take_while(|(one, other)| one == other).count();
    let mut at = by.path.parent().map(PathBuf::from).unwrap_or_default();
    at.extend(here[same..].iter().map(|_| ".."));
    at.extend(&there[same..]);
    tidy(&at)
}
