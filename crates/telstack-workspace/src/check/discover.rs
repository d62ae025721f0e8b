//! Which files there are, and what each of them is.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use telstack_catalog::{ComponentKind, near};
use telstack_diagnostics::{FileId, SourceMap};
use telstack_syntax::yaml;

use super::{
    CheckFailure, Checked, Input, Request,
    kind::{self, FileKind},
};
use crate::{
    compile::{LARGEST_STACK, shown},
    files::{Files, ReadFailure, Walk, tidy},
};

/// How far folders are looked through.
const WALK: Walk = Walk { as_git: true, deepest: 24, most: 20_000, largest: 4 << 20 };

/// A file that can be checked.
#[derive(Clone, Debug)]
pub(super) struct Found {
    /// Its path, as reports show it.
    pub(super) path: PathBuf,
    /// Its path from the root of the file system on; empty for a text that is in no file.
    pub(super) absolute: String,
    pub(super) file: FileId,
    pub(super) kind: FileKind,
}

/// Everything that was asked for, each file once, in the order asked.
pub(super) fn discover(
    files: &dyn Files,
    request: &Request,
    checked: &mut Checked,
) -> Result<Vec<Found>, CheckFailure> {
    let mut seen = BTreeSet::new();
    let mut found = Vec::new();
    let only = request.inputs.len() == 1 && request.configs.is_empty() && !request.pass_over_unknown;
    for input in &request.inputs {
        match input {
            Input::Text(name, text) => {
                let kind = kind::kind(Path::new(name), text);
                let kind = if kind == FileKind::Unknown { FileKind::Collector } else { kind };
                if let FileKind::Other(what) = kind {
                    return Err(CheckFailure::NotYet(PathBuf::from(name), what));
                }
                let file = checked.sources.add(name.as_str(), text.as_str());
                found.push(Found { path: PathBuf::from(name), absolute: String::new(), file, kind });
            }
            Input::Path(path) if files.is_folder(path) => {
                let walked = files.walk(path, WALK, &kind::may_be_read);
                if walked.more {
                    checked.cut.push(path.clone());
                }
                let before = found.len();
                for path in walked.files {
                    let absolute = absolute(files, &path);
                    // Whatever is no text is nothing to check.
                    let Some(text) = files.read(&path).ok().filter(|_| !seen.contains(&absolute)) else { continue };
                    let kind = kind::kind(&path, &text);
                    let left_alone = matches!(kind, FileKind::Unknown | FileKind::Other(_)) || too_large(&text, kind);
                    if left_alone || kind != FileKind::Stack && telstack_tools::is_template(&text) {
                        if kind == FileKind::Kubernetes {
                            checked.templates.extend(absolute.rfind('/').map(|at| absolute[..=at].to_owned()));
                        }
                        continue;
                    }
                    // Whoever names a file means all of it; one that is come by may be completed by another.
                    let part = kind == FileKind::Collector && !kind::is_whole(&text);
                    let kind = if part { FileKind::Fragment } else { kind };
                    seen.insert(absolute.clone());
                    let file = checked.sources.add(shown(&path), text);
                    found.push(Found { path, absolute, file, kind });
                }
                if found.len() == before && only {
                    return Err(CheckFailure::Nothing(path.clone()));
                }
            }
            Input::Path(path) => {
                let absolute = absolute(files, path);
                let text = match files.read(path) {
                    Err(ReadFailure::NotText(_) | ReadFailure::TooLarge(_)) if request.pass_over_unknown => continue,
                    read => read.map_err(|failure| CheckFailure::Read(path.clone(), failure))?,
                };
                if !seen.insert(absolute.clone()) {
                    continue;
                }
                let kind = match kind::kind(path, &text) {
                    FileKind::Stack if request.pass_over_unknown && !kind::is_named_a_stack(path) => FileKind::Unknown,
                    FileKind::Unknown if !request.pass_over_unknown && is_empty(path, &text) => FileKind::Collector,
                    FileKind::Unknown if holds_nothing(&text) => FileKind::Other(EMPTY),
                    FileKind::Unknown if only && means_a_collector(path, &text) => FileKind::Collector,
                    FileKind::Other(what) if only => return Err(CheckFailure::NotYet(path.clone(), what)),
                    kind if kind != FileKind::Stack && telstack_tools::is_template(&text) => FileKind::Other(TEMPLATE),
                    kind => kind,
                };
                if too_large(&text, kind) {
                    return Err(CheckFailure::Read(path.clone(), ReadFailure::TooLarge(LARGEST_STACK)));
                }
                match kind {
                    FileKind::Unknown | FileKind::Other(_) if request.pass_over_unknown => {}
                    FileKind::Unknown => checked.left_alone.push((path.clone(), None)),
                    FileKind::Other(what) => checked.left_alone.push((path.clone(), Some(what))),
                    kind => {
                        let file = checked.sources.add(shown(path), text);
                        found.push(Found { path: path.clone(), absolute, file, kind });
                    }
                }
            }
        }
    }
    Ok(found)
}

/// Is a stack larger than those that are read?
fn too_large(text: &str, kind: FileKind) -> bool {
    kind == FileKind::Stack && text.len() as u64 > LARGEST_STACK
}

/// The path of a file from the root of the file system on, without the first `/`.
pub(super) fn absolute(files: &dyn Files, path: &Path) -> String {
    let path = tidy(&files.absolute(path)).to_string_lossy().replace('\\', "/");
    path.trim_start_matches('/').to_owned()
}

/// What says nothing, such as a file of comments that others may fill in.
const EMPTY: &str = "a file that holds nothing yet";

/// Somebody who names an empty file means to fill it.
fn is_empty(path: &Path, text: &str) -> bool {
    text.trim().is_empty() && path.extension().is_some_and(|it| it == "yaml" || it == "yml")
}

fn holds_nothing(text: &str) -> bool {
    text.contains('#') && text.lines().all(|line| matches!(line.trim_start().chars().next(), None | Some('#')))
}

/// What becomes one of the others only when it is filled in.
const TEMPLATE: &str = "a template; check what is rendered from it";

/// Somebody who names one YAML file that nothing else claims means a collector's, unless it is a sound file of
/// other things.
fn means_a_collector(path: &Path, text: &str) -> bool {
    if path.extension().is_none_or(|it| it != "yaml" && it != "yml" && it != "json") {
        return false;
    }
    let Ok(documents) = yaml::read(SourceMap::default().add("", ""), text) else { return true };
    let Some(map) = documents.first().and_then(|it| it.as_map()) else { return true };
    let sections = ComponentKind::ALL.iter().map(|kind| kind.section()).chain(["service"]);
    let near = |key: &str| sections.clone().any(|it| near::distance(key, it) < 3);
    let mut keys = BTreeSet::new();
    map.is_empty() || map.iter().any(|entry| !keys.insert(&entry.key) || near(&entry.key.to_lowercase()))
}
