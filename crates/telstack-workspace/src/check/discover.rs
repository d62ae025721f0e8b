//! Which files there are, and what each of them is.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use telstack_diagnostics::{FileId, SourceMap, Span};
use telstack_syntax::{
    tree::{Entry, Kind, Map},
    yaml,
};
use telstack_system::OwnComponent;

use super::{
    CheckFailure, Checked, Input, Request,
    kind::{self, FileKind, is_section},
    overlay,
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
    /// Its path from the root of the file system on; that of a text that is in no file is in the working folder.
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
                let path = PathBuf::from(name);
                let kind = match kind::kind(&path, text) {
                    FileKind::Other(what) => return Err(CheckFailure::NotYet(path, what)),
                    FileKind::Unknown if text.trim().is_empty() || has_parts(text) => FileKind::Collector,
                    kind => kind,
                };
                if kind == FileKind::Unknown || kind != FileKind::Stack && telstack_tools::is_template(name, text) {
                    checked.left_alone.push((path, (kind != FileKind::Unknown).then_some(TEMPLATE)));
                    continue;
                }
                let file = checked.sources.add(name.as_str(), text.as_str());
                // What it names is looked for from the working folder on.
                let absolute = absolute(files, &path);
                found.push(Found { path, absolute, file, kind });
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
                    if left_alone || kind != FileKind::Stack && telstack_tools::is_template(&absolute, &text) {
                        if kind == FileKind::Other(kind::MANIFEST) {
                            checked.own.extend(own_components(&text));
                        }
                        if kind == FileKind::Kubernetes {
                            checked.templates.extend(absolute.rfind('/').map(|at| absolute[..=at].to_owned()));
                        }
                        continue;
                    }
                    // Whoever names a file means all of it; one that is come by may be completed by another.
                    let part = kind == FileKind::Collector
                        && (!kind::is_whole(&text) || overlay::is_completed(files, &path, &text));
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
                    kind if kind != FileKind::Stack && telstack_tools::is_template(&absolute, &text) => {
                        FileKind::Other(TEMPLATE)
                    }
                    FileKind::Collector if overlay::is_completed(files, path, &text) => FileKind::Fragment,
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

/// The components of somebody's own that a manifest of the builder names.
fn own_components(text: &str) -> Vec<OwnComponent> {
    let manifest = telstack_tools::collector::manifest(SourceMap::default().add("", ""), text, "");
    manifest.map(|it| it.distribution.own().collect()).unwrap_or_default()
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
    let mut keys = BTreeSet::new();
    map.is_empty() || map.iter().any(|entry| !keys.insert(&entry.key)) || are_parts(map)
}

/// Are there sections of a collector in a text, be it YAML or not?
fn has_parts(text: &str) -> bool {
    match yaml::read(SourceMap::default().add("", ""), text) {
        Ok(documents) => documents.first().and_then(|it| it.as_map()).is_some_and(are_parts),
        Err(_) => text.lines().filter_map(|line| line.split_once(':')).any(|(key, _)| is_section(key)),
    }
}

/// Are most keys sections of a collector, misspelt or not?
fn are_parts(map: &Map<Span>) -> bool {
    let part = |entry: &&Entry<Span>| {
        let others = entry.key == OTHER_SERVICES && entry.value.at("pipelines").is_none();
        is_section(&entry.key) && !others && matches!(entry.value.kind, Kind::Map(_) | Kind::Null)
    };
    let parts = map.iter().filter(part).count();
    parts > 0 && parts * 2 >= map.len()
}

/// What many programs have at the start of a file, and no collector.
const OTHER_SERVICES: &str = "services";
