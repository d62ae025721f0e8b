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
#[derive(Serialize, Deserialize, PartialEq, Eq, Debug)]
struct Manifest {
    version: u32,
    /// The stack file, relative to the build folder.
    stack: String,
    /// SHA-256 of each file written.
    files: BTreeMap<String, String>,
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
    /// The disk refused; the file and the system's words.
    Io(PathBuf, io::Error),
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
#[derive(Debug)]
pub struct BuildPlan {
    writes: Vec<(String, Vec<u8>, Mode)>,
    removes: Vec<String>,
    manifest: Vec<u8>,
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
    if let Some(bad) = manifest.files.keys().find(|path| !inside(path)) {
        return Err(BuildError::Outside(bad.clone()));
    }
    Ok(Some(manifest))
}

/// Where the manifest of a build says that its stack is.
pub(crate) fn stack_of(files: &dyn Files, folder: &Path) -> Result<Option<String>, BuildError> {
    Ok(read_manifest(files, folder)?.map(|manifest| manifest.stack))
}

/// Plans a build into `folder`, and refuses what must not be done. `force` overwrites files that were
/// changed by hand, never files that telstack did not write.
pub fn plan(
    files: &dyn Files,
    compiled: &Compiled,
    stack: &Path,
    folder: &Path,
    force: bool,
) -> Result<BuildPlan, BuildError> {
    let known = read_manifest(files, folder)?;
    let known = known.map(|manifest| manifest.files).unwrap_or_default();
    let mut writes = Vec::new();
    let (mut foreign, mut changed) = (Vec::new(), Vec::new());
    let mut hashes = BTreeMap::new();
    for artefact in &compiled.artefacts {
        let path = &artefact.path;
        if !inside(path) || files.leaves(folder, &folder.join(path)) {
            return Err(BuildError::Outside(path.clone()));
        }
        let bytes = artefact.written.text.as_bytes().to_vec();
        hashes.insert(path.clone(), hash(&bytes));
        let there = files.read_bytes(&folder.join(path)).map_err(|error| BuildError::Io(folder.join(path), error))?;
        match (there, known.get(path)) {
            (Some(there), _) if there == bytes => {}
            (Some(_), None) => foreign.push(path.clone()),
            (Some(there), Some(ours)) if hash(&there) != *ours && !force => changed.push(path.clone()),
            _ => {}
        }
        let mode = if artefact.executable { Mode::Program } else { Mode::Text };
        writes.push((path.clone(), bytes, mode));
    }
    let mut removes = Vec::new();
    for (path, ours) in known.iter().filter(|(path, _)| !hashes.contains_key(*path)) {
        let there = files.read_bytes(&folder.join(path)).map_err(|error| BuildError::Io(folder.join(path), error))?;
        match there {
            Some(there) if hash(&there) != *ours && !force => changed.push(path.clone()),
            Some(_) => removes.push(path.clone()),
            None => {}
        }
    }
    if !foreign.is_empty() {
        return Err(BuildError::NotOurs(foreign));
    }
    if !changed.is_empty() {
        return Err(BuildError::ChangedByHand(changed));
    }
    let manifest = Manifest { version: 1, stack: relative(files, stack, folder), files: hashes };
    let mut manifest = serde_json::to_vec_pretty(&manifest).map_err(|error| BuildError::Manifest(error.to_string()))?;
    manifest.push(b'\n');
    Ok(BuildPlan { writes, removes, manifest })
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

/// Carries out a plan. The manifest names old and new files before the first is touched, so that an
/// interrupted build leaves nothing that the next one does not know as its own.
pub fn write(files: &dyn Files, plan: &BuildPlan, folder: &Path) -> Result<BuildReport, BuildError> {
    let io = |path: &Path, error: io::Error| BuildError::Io(path.to_owned(), error);
    let mut report = BuildReport::default();
    let mut changed = Vec::new();
    for (path, bytes, mode) in &plan.writes {
        let target = folder.join(path);
        if files.read_bytes(&target).map_err(|error| io(&target, error))?.as_ref() == Some(bytes) {
            files.permit(&target, *mode).map_err(|error| io(&target, error))?;
            report.unchanged += 1;
        } else {
            changed.push((path, bytes, *mode));
        }
    }
    let manifest = folder.join(MANIFEST);
    let settled = changed.is_empty() && plan.removes.is_empty();
    let known = files.read_bytes(&manifest).map_err(|error| io(&manifest, error))?;
    if settled && known.as_deref() == Some(&plan.manifest) {
        return Ok(report);
    }
    if !settled {
        let interim = interim_manifest(plan, known.as_deref());
        files.write(&manifest, &interim, Mode::Text).map_err(|error| io(&manifest, error))?;
    }
    for (path, bytes, mode) in changed {
        let target = folder.join(path);
        files.write(&target, bytes, mode).map_err(|error| io(&target, error))?;
        report.written.push(path.clone());
    }
    for path in &plan.removes {
        let target = folder.join(path);
        files.remove(&target, folder).map_err(|error| io(&target, error))?;
        report.removed.push(path.clone());
    }
    files.write(&manifest, &plan.manifest, Mode::Text).map_err(|error| io(&manifest, error))?;
    Ok(report)
}

/// The new manifest with the old files still in it.
fn interim_manifest(plan: &BuildPlan, known: Option<&[u8]>) -> Vec<u8> {
    let old = known.and_then(|bytes| serde_json::from_slice::<Manifest>(bytes).ok());
    let Ok(mut manifest) = serde_json::from_slice::<Manifest>(&plan.manifest) else { return plan.manifest.clone() };
    for (path, hash) in old.map(|old| old.files).unwrap_or_default() {
        manifest.files.insert(path, hash);
    }
    serde_json::to_vec_pretty(&manifest).unwrap_or_else(|_| plan.manifest.clone())
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
                let ours = known.as_ref().and_then(|known| known.files.get(&artefact.path));
                let changed = ours.is_some_and(|ours| hash(&bytes) != *ours);
                let path = artefact.path.clone();
                stale.push(if changed { Stale::Changed(path) } else { Stale::Different(path) });
            }
            Some(_) => {}
        }
    }
    match known {
        None => stale.push(Stale::Missing(MANIFEST.to_owned())),
        Some(known) => {
            for path in known.files.keys() {
                if !compiled.artefacts.iter().any(|artefact| artefact.path == *path) {
                    stale.push(Stale::Obsolete(path.clone()));
                }
            }
            if stale.is_empty() && known.stack != relative(files, stack, folder) {
                stale.push(Stale::Different(MANIFEST.to_owned()));
            }
        }
    }
    Ok(stale)
}
