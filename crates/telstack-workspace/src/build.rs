//! Writing a compiled stack: all or nothing, never outside the folder, never over what is not ours.

use std::{
    collections::BTreeMap,
    io,
    path::{Component, Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{
    compile::Compiled,
    files::{Files, Mode, tidy},
};

/// The file in a build folder that lists what telstack wrote there.
pub const MANIFEST: &str = ".telstack.json";

/// What telstack wrote, and from what.
#[derive(Clone, Serialize, Deserialize, PartialEq, Eq, Debug)]
struct Manifest {
    version: u32,
    /// The stack file, relative to the build folder.
    stack: String,
    /// SHA-256 of each file written.
    files: BTreeMap<String, String>,
    /// While a build goes on, SHA-256 of the files that it replaces or removes: if it is cut off, either is ours.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    earlier: BTreeMap<String, String>,
}

impl Manifest {
    /// Every file that it names.
    fn paths(&self) -> impl Iterator<Item = &String> {
        self.files.keys().chain(self.earlier.keys().filter(|path| !self.files.contains_key(*path)))
    }

    /// Did telstack write a file of that name?
    fn names(&self, path: &str) -> bool {
        self.files.contains_key(path) || self.earlier.contains_key(path)
    }

    /// Did telstack write these bytes to the file of that name?
    fn wrote(&self, path: &str, bytes: &[u8]) -> bool {
        let hash = hash(bytes);
        [&self.files, &self.earlier].into_iter().any(|files| files.get(path) == Some(&hash))
    }
}

/// Why nothing was written.
#[derive(Debug)]
pub enum BuildError {
    /// Files are there that telstack did not write.
    NotOurs(Vec<String>),
    /// Files that telstack wrote were changed by somebody since.
    ChangedByHand(Vec<String>),
    /// A path of the output would leave the folder.
    Outside(String),
    /// The manifest cannot be read.
    Manifest(String),
    /// Another build is at work in the folder.
    Busy,
    /// The disk refused; the file and the system's words. Nothing in the folder was changed.
    Io(PathBuf, io::Error),
    /// The caller wanted it stopped. Nothing in the folder was changed.
    Interrupted,
    /// The disk refused while files took the places of their predecessors; the file and the system's words.
    CutOff(PathBuf, io::Error),
}

/// A difference between the folder and what the stack compiles to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Stale {
    /// The file is not there.
    Missing(String),
    /// The file has other contents.
    Different(String),
    /// Somebody changed the file since it was written.
    Changed(String),
    /// The file comes from an earlier build and is not part of the stack any more.
    Obsolete(String),
}

/// What a build does.
struct Plan<'a> {
    writes: Vec<(&'a str, &'a [u8], Mode)>,
    removes: Vec<String>,
    /// What the folder's manifest says before.
    known: Option<Manifest>,
    manifest: Manifest,
}

/// What a build did.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct BuildReport {
    /// Files that were new or changed.
    pub written: Vec<String>,
    /// Files that were as they should be.
    pub unchanged: usize,
    /// Files of an earlier build that were removed.
    pub removed: Vec<String>,
}

fn hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"))
}

/// Only plain names, joined below the folder.
fn inside(path: &str) -> bool {
    !path.is_empty() && Path::new(path).components().all(|part| matches!(part, Component::Normal(_)))
}

fn read_manifest(files: &dyn Files, folder: &Path) -> Result<Option<Manifest>, BuildError> {
    let path = folder.join(MANIFEST);
    let bytes = files.read_bytes(&path).map_err(|error| BuildError::Io(path.clone(), error))?;
    let Some(bytes) = bytes else { return Ok(None) };
    let manifest: Manifest = serde_json::from_slice(&bytes).map_err(|error| BuildError::Manifest(error.to_string()))?;
    if let Some(bad) = manifest.paths().find(|path| !inside(path) || files.leaves(folder, &folder.join(path))) {
        return Err(BuildError::Outside(bad.clone()));
    }
    Ok(Some(manifest))
}

/// Where the manifest of a build says that its stack is.
pub(crate) fn stack_of(files: &dyn Files, folder: &Path) -> Result<Option<String>, BuildError> {
    Ok(read_manifest(files, folder)?.map(|manifest| manifest.stack))
}

/// Writes a compiled stack into `folder`, or refuses what must not be done. `force` overwrites files that were
/// changed by hand, never files that telstack did not write. `interrupted` is asked before each file is laid ready
/// and before the first takes its place; from then on the build goes to its end.
pub fn build(
    files: &dyn Files,
    compiled: &Compiled,
    stack: &Path,
    folder: &Path,
    force: bool,
    interrupted: &dyn Fn() -> bool,
) -> Result<BuildReport, BuildError> {
    let claim = files.claim(folder).map_err(|error| BuildError::Io(folder.to_owned(), error))?;
    let Some(claim) = claim else { return Err(BuildError::Busy) };
    let done = plan(files, compiled, stack, folder, force).and_then(|plan| write(files, &plan, folder, interrupted));
    if let (Err(_), Some(above)) = (&done, claim.made.as_deref().and_then(Path::parent)) {
        files.sweep(folder, above);
    }
    done
}

fn plan<'a>(
    files: &dyn Files,
    compiled: &'a Compiled,
    stack: &Path,
    folder: &Path,
    force: bool,
) -> Result<Plan<'a>, BuildError> {
    let known = read_manifest(files, folder)?;
    let mut writes = Vec::new();
    let (mut foreign, mut changed) = (Vec::new(), Vec::new());
    let mut hashes = BTreeMap::new();
    let read =
        |path: &str| files.read_bytes(&folder.join(path)).map_err(|error| BuildError::Io(folder.join(path), error));
    for artefact in &compiled.artefacts {
        let path = &artefact.path;
        if !inside(path) || files.leaves(folder, &folder.join(path)) {
            return Err(BuildError::Outside(path.clone()));
        }
        let bytes = artefact.written.text.as_bytes();
        hashes.insert(path.clone(), hash(bytes));
        if let Some(there) = read(path)?.filter(|there| there != bytes) {
            match &known {
                Some(known) if known.names(path) => {
                    if !force && !known.wrote(path, &there) {
                        changed.push(path.clone());
                    }
                }
                _ => foreign.push(path.clone()),
            }
        }
        writes.push((path.as_str(), bytes, if artefact.executable { Mode::Program } else { Mode::Text }));
    }
    let mut removes = Vec::new();
    if let Some(known) = &known {
        for path in known.paths().filter(|path| !hashes.contains_key(*path)) {
            match read(path)? {
                Some(there) if !force && !known.wrote(path, &there) => changed.push(path.clone()),
                Some(_) => removes.push(path.clone()),
                None => {}
            }
        }
    }
    if !foreign.is_empty() {
        return Err(BuildError::NotOurs(foreign));
    }
    if !changed.is_empty() {
        return Err(BuildError::ChangedByHand(changed));
    }
    let stack = relative(files, stack, folder);
    Ok(Plan {
        writes,
        removes,
        known,
        manifest: Manifest { version: 1, stack, files: hashes, earlier: BTreeMap::new() },
    })
}

/// `to` as seen from the folder `from`: the same wherever the build was started.
fn relative(files: &dyn Files, to: &Path, from: &Path) -> String {
    let parts = |path: &Path| -> Vec<String> {
        let path = tidy(&files.absolute(path));
        path.components().map(|part| part.as_os_str().to_string_lossy().into_owned()).collect()
    };
    let (to_parts, from_parts) = (parts(to), parts(from));
    let common = to_parts.iter().zip(&from_parts).take_while(|(a, b)| a == b).count();
    let up = std::iter::repeat_n("..", from_parts.len() - common);
    up.chain(to_parts[common..].iter().map(String::as_str)).collect::<Vec<_>>().join("/")
}

/// Carries out a plan. All new contents are laid beside the files that they replace before the first is replaced:
/// a full disk changes nothing. The manifest names old and new files in between, so that a build that is cut off
/// leaves nothing that the next one does not know as its own.
fn write(
    files: &dyn Files,
    plan: &Plan<'_>,
    folder: &Path,
    interrupted: &dyn Fn() -> bool,
) -> Result<BuildReport, BuildError> {
    let go_on = || if interrupted() { Err(BuildError::Interrupted) } else { Ok(()) };
    let io = |path: &str| {
        let path = folder.join(path);
        |error| BuildError::Io(path, error)
    };
    let cut_off = |path: &str| {
        let path = folder.join(path);
        |error| BuildError::CutOff(path, error)
    };
    let mut folders: Vec<PathBuf> =
        plan.writes.iter().filter_map(|(path, ..)| Some(folder.join(path).parent()?.to_owned())).collect();
    folders.push(folder.to_owned());
    folders.sort();
    folders.dedup();
    // Deepest first, so that folders that are left empty go too.
    let sweep = || folders.iter().rev().for_each(|it| files.sweep(it, folder));
    sweep();

    let mut report = BuildReport::default();
    let mut changed = Vec::new();
    for (path, bytes, mode) in &plan.writes {
        let target = folder.join(path);
        if files.read_bytes(&target).map_err(io(path))?.as_deref() == Some(bytes) {
            files.permit(&target, *mode).map_err(io(path))?;
            report.unchanged += 1;
        } else {
            changed.push((*path, *bytes, *mode));
        }
    }
    let settled = changed.is_empty() && plan.removes.is_empty();
    if settled && plan.known.as_ref() == Some(&plan.manifest) {
        return Ok(report);
    }
    let manifest = folder.join(MANIFEST);
    let mut interim = plan.manifest.clone();
    interim.earlier = plan.known.iter().flat_map(|known| known.files.clone()).collect();
    let interim = text(&interim)?;
    let stage = |path: &str, bytes: &[u8], mode| {
        go_on()?;
        files.stage(&folder.join(path), bytes, mode).map_err(io(path))
    };
    let staged = stage(MANIFEST, &interim, Mode::Text)
        .and_then(|()| changed.iter().try_for_each(|(path, bytes, mode)| stage(path, bytes, *mode)))
        .and_then(|()| go_on());
    if staged.is_err() {
        sweep();
    }
    staged?;

    files.settle(&manifest).map_err(cut_off(MANIFEST))?;
    for (path, ..) in changed {
        files.settle(&folder.join(path)).map_err(cut_off(path))?;
        report.written.push(path.to_owned());
    }
    for path in &plan.removes {
        files.remove(&folder.join(path), folder).map_err(cut_off(path))?;
        report.removed.push(path.clone());
    }
    files.write(&manifest, &text(&plan.manifest)?, Mode::Text).map_err(cut_off(MANIFEST))?;
    Ok(report)
}

/// A manifest as it stands in the folder.
fn text(manifest: &Manifest) -> Result<Vec<u8>, BuildError> {
    let mut text = serde_json::to_vec_pretty(manifest).map_err(|error| BuildError::Manifest(error.to_string()))?;
    text.push(b'\n');
    Ok(text)
}

/// How a folder differs from what the stack compiles to.
pub fn check_folder(
    files: &dyn Files,
    compiled: &Compiled,
    stack: &Path,
    folder: &Path,
) -> Result<Vec<Stale>, BuildError> {
    let known = read_manifest(files, folder)?;
    let mut stale = Vec::new();
    for artefact in &compiled.artefacts {
        let path = folder.join(&artefact.path);
        match files.read_bytes(&path).map_err(|error| BuildError::Io(path.clone(), error))? {
            None => stale.push(Stale::Missing(artefact.path.clone())),
            Some(bytes) if bytes != artefact.written.text.as_bytes() => {
                let named = known.as_ref().filter(|known| known.names(&artefact.path));
                let changed = named.is_some_and(|known| !known.wrote(&artefact.path, &bytes));
                let path = artefact.path.clone();
                stale.push(if changed { Stale::Changed(path) } else { Stale::Different(path) });
            }
            Some(_) => {}
        }
    }
    match known {
        None => stale.push(Stale::Missing(MANIFEST.to_owned())),
        Some(known) => {
            for path in known.paths() {
                if !compiled.artefacts.iter().any(|artefact| artefact.path == *path) {
                    stale.push(Stale::Obsolete(path.clone()));
                }
            }
            if stale.is_empty() && (known.stack != relative(files, stack, folder) || !known.earlier.is_empty()) {
                stale.push(Stale::Different(MANIFEST.to_owned()));
            }
        }
    }
    Ok(stale)
}
