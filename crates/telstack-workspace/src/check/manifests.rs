//! Kubernetes manifests: which of them are applied together, and what stands in ConfigMaps that nothing reads.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    path::Path,
};

use telstack_diagnostics::{Diagnostics, FileId, SourceMap};
use telstack_syntax::{tree::Value, yaml};
use telstack_tools::{Manifests, Said, SourceFile, without_definitions};

use super::{
    About, Assumed, CheckFailure, Known,
    bundle::Texts,
    discover::Found,
    kind::{is_kustomization, is_whole, kind},
    kustomize::{self, Kustomization},
    lone::{self, Extent},
    unnamed,
};
use crate::FileKind;

/// What was found.
#[derive(Default)]
pub(super) struct Done {
    pub(super) used: BTreeSet<FileId>,
    /// Files that hold configurations which were checked for a collector that nobody named.
    pub(super) unnamed: BTreeMap<FileId, Assumed>,
}

/// Checks all manifests. `templates` are folders with manifests that are still to be filled in.
pub(super) fn check(
    found: &[Found],
    templates: &BTreeSet<String>,
    texts: &mut Texts<'_>,
    known: &mut Known<'_>,
    sources: &mut SourceMap,
    out: &mut Diagnostics,
) -> Result<Done, CheckFailure> {
    let mut done = Done::default();
    let all: Vec<&Found> = found.iter().filter(|it| it.kind == FileKind::Kubernetes).collect();
    if all.is_empty() {
        return Ok(done);
    }
    for bundle in bundles(&all, texts, sources) {
        let Some(first) = bundle.manifests.paths.first() else { continue };
        let main = all.iter().copied().find(|it| path_of(it) == first).or_else(|| all.first().copied());
        let Some(main) = main else { continue };
        let about = known.about(&main.path, sources)?;
        one(main, bundle, templates, &about, texts, sources, out, &mut done);
    }
    // Those that are in no bundle say nothing by themselves: patches, kustomizations.
    done.used.extend(all.iter().map(|it| it.file));
    Ok(done)
}

/// Manifests that are applied together.
#[derive(Default)]
struct Bundle {
    manifests: Manifests,
    /// The folder of all of them, with a `/` at its end.
    folder: String,
}

/// The path that a file goes by here: a text that is in no file has its name.
fn path_of(found: &Found) -> &str {
    if found.absolute.is_empty() { found.path.to_str().unwrap_or_default() } else { &found.absolute }
}

#[allow(clippy::too_many_arguments)]
fn one(
    main: &Found,
    mut bundle: Bundle,
    templates: &BTreeSet<String>,
    about: &About,
    texts: &mut Texts<'_>,
    sources: &SourceMap,
    out: &mut Diagnostics,
    done: &mut Done,
) {
    bundle.manifests.open |= templates.iter().any(|it| it.starts_with(&bundle.folder));
    let generated = bundle.manifests.generated.iter().flat_map(|it| it.files.iter().map(|(_, path)| path));
    let paths: BTreeSet<&String> = bundle.manifests.paths.iter().chain(generated).collect();
    let list: Vec<(&str, FileId)> = paths.iter().filter_map(|path| Some((path.as_str(), texts.given(path)?))).collect();
    let given: Vec<SourceFile<'_>> =
        list.iter().map(|(path, file)| SourceFile { path, file: *file, text: sources.file(*file).text() }).collect();
    let mut findings = Diagnostics::default();
    let mut reading = telstack_tools::read_manifests(&given, &bundle.manifests, about.said(), &mut findings);
    about.built_into(&mut reading.system);
    // Most manifests of the world have nothing to do with telemetry.
    if reading.system.nodes().any(|(_, node)| node.product().is_some()) {
        telstack_lint::check(&reading.system, &mut findings);
        unnamed::check(&reading.system, &mut findings, |version| {
            let said = Said { unnamed: Some(version), ..about.said() };
            let mut formal = Diagnostics::default();
            let mut system = telstack_tools::read_manifests(&given, &bundle.manifests, said, &mut formal).system;
            about.built_into(&mut system);
            system
        });
    }
    out.append(findings);
    done.used.extend(reading.used);
    for loose in reading.loose.iter().filter(|it| !telstack_tools::is_template(&it.name, &it.plain)) {
        let what = kind(Path::new(&loose.name), &loose.plain);
        let extent = match what {
            FileKind::Collector if is_whole(&loose.plain) => Extent::Whole,
            FileKind::Collector | FileKind::Fragment => Extent::Part,
            // Only YAML can stand at any indentation.
            FileKind::GrafanaIni => continue,
            _ => {
                if let Some(what) = lone::product_file(what) {
                    lone::loose_product(loose, what, about, out);
                }
                continue;
            }
        };
        let system = lone::loose(&main.path, loose, about, extent, out);
        done.unnamed.extend(lone::is_assumed(&system).then_some((loose.file, about.assumed)));
    }
}

fn bundles(all: &[&Found], texts: &mut Texts<'_>, sources: &mut SourceMap) -> Vec<Bundle> {
    let mut kustomizations = BTreeMap::new();
    let mut rest = Vec::new();
    for it in all {
        let text = sources.file(it.file).text();
        let read = is_kustomization(&it.path) || text.contains(kustomize::GROUP);
        match read.then(|| kustomize::read(it.file, text, it.folder())).flatten() {
            Some(read) => {
                kustomizations.insert(it.folder().to_owned(), (*it, read));
            }
            None => rest.push(*it),
        }
    }
    let mut found = Vec::new();
    let mut taken = BTreeSet::new();
    let parts: BTreeSet<String> =
        kustomizations.values().flat_map(|(_, it)| it.resources.iter()).map(|it| as_folder(it)).collect();
    for (folder, (_, root)) in &kustomizations {
        let mut bundle = Bundle { folder: folder.clone(), ..Bundle::default() };
        let mut seen = BTreeSet::new();
        gather(folder, root, &kustomizations, texts, sources, all, &mut bundle, &mut seen);
        taken.extend(bundle.manifests.paths.iter().cloned());
        taken.extend(root.patches.iter().cloned());
        // What others build on is checked as they build on it.
        if !parts.contains(folder) {
            bundle.manifests.name = named(folder);
            found.push(bundle);
        }
    }
    rest.retain(|it| !taken.contains(path_of(it)));
    let ids = rest.iter().map(|it| (it.file, objects(it.file, sources.file(it.file).text()))).collect();
    trees(&rest, 0, false, &ids, &mut found);
    found
}

/// Everything that a kustomization takes in.
#[allow(clippy::too_many_arguments)]
fn gather(
    folder: &str,
    root: &Kustomization,
    all: &BTreeMap<String, (&Found, Kustomization)>,
    texts: &mut Texts<'_>,
    sources: &mut SourceMap,
    found: &[&Found],
    bundle: &mut Bundle,
    seen: &mut BTreeSet<String>,
) {
    if !seen.insert(folder.to_owned()) {
        return;
    }
    let manifests = &mut bundle.manifests;
    manifests.open |= root.open;
    manifests.patched |= root.patched;
    manifests.images.extend(root.images.iter().cloned());
    // The outermost one decides.
    manifests.namespace = manifests.namespace.take().or_else(|| root.namespace.clone());
    manifests.renamed |= root.renames;
    let Some((by, _)) = all.get(folder) else { return };
    for change in &root.changes {
        let file = change.path.as_ref().and_then(|path| texts.file(path, by, sources));
        let text = file.map(|it| sources.file(it).text());
        manifests.patches.extend(change.patches(by.file, text));
    }
    for generated in &root.generated {
        let mut generated = generated.clone();
        generated.files.retain(|(_, path)| texts.file(path, by, sources).is_some());
        manifests.generated.push(generated);
    }
    for resource in &root.resources {
        if let Some((_, inner)) = all.get(&as_folder(resource)) {
            gather(&as_folder(resource), inner, all, texts, sources, found, bundle, seen);
        } else if found.iter().any(|it| path_of(it) == resource) {
            if !bundle.manifests.paths.contains(resource) {
                bundle.manifests.paths.push(resource.clone());
            }
        } else {
            bundle.manifests.open = true;
        }
    }
}

fn as_folder(path: &str) -> String {
    format!("{}/", path.trim_end_matches('/'))
}

fn named(folder: &str) -> String {
    folder.trim_end_matches('/').rsplit('/').next().unwrap_or_default().to_owned()
}

/// Files that no kustomization names: those of a folder and below go together, unless something is there twice;
/// then each folder goes by itself, and after that each file.
fn trees(files: &[&Found], depth: usize, open: bool, objects: &HashMap<FileId, Vec<Id>>, found: &mut Vec<Bundle>) {
    if files.is_empty() {
        return;
    }
    let folder = common(files);
    if !clashes(files, objects) {
        let paths = files.iter().map(|it| path_of(it).to_owned()).collect();
        let manifests = Manifests { name: named(&folder), paths, open, ..Manifests::default() };
        found.push(Bundle { manifests, folder });
        return;
    }
    let mut here = Vec::new();
    let mut below: BTreeMap<&str, Vec<&Found>> = BTreeMap::new();
    for it in files {
        let rest = path_of(it).strip_prefix(&folder).unwrap_or_default();
        match rest.split_once('/') {
            Some((name, _)) if depth < DEEPEST => below.entry(name).or_default().push(it),
            _ => here.push(*it),
        }
    }
    if below.is_empty() || clashes(&here, objects) {
        for it in here {
            let manifests = Manifests {
                name: named(&folder),
                paths: vec![path_of(it).to_owned()],
                open: true,
                ..Manifests::default()
            };
            found.push(Bundle { manifests, folder: folder.clone() });
        }
    } else {
        trees(&here, depth + 1, true, objects, found);
    }
    for files in below.values() {
        trees(files, depth + 1, true, objects, found);
    }
}

/// Deepest folder that is gone into.
const DEEPEST: usize = 24;

/// The folder that all of them are in, with a `/` at its end.
fn common(files: &[&Found]) -> String {
    let folders = files.iter().map(|it| &path_of(it)[..path_of(it).rfind('/').map_or(0, |at| at + 1)]);
    let shared = folders.reduce(|one, other| {
        let same = one.split_inclusive('/').zip(other.split_inclusive('/')).take_while(|(one, other)| one == other);
        &one[..same.map(|(part, _)| part.len()).sum()]
    });
    shared.unwrap_or_default().to_owned()
}

/// Kind, namespace and name of an object.
type Id = (String, String, String);

/// The objects of a file.
fn objects(file: FileId, text: &str) -> Vec<Id> {
    let Ok(documents) = yaml::read(file, &without_definitions(text)) else { return Vec::new() };
    let mut found = Vec::new();
    for document in &documents {
        let listed = document.at("items").and_then(Value::as_seq).unwrap_or_default();
        for object in std::iter::once(document).chain(listed) {
            let text = |path: &str| object.at(path).and_then(Value::as_str).unwrap_or_default().to_owned();
            let id = (text("kind"), text("metadata.namespace"), text("metadata.name"));
            // What is said of a namespace twice is the same.
            if !id.2.is_empty() && id.0 != "Namespace" {
                found.push(id);
            }
        }
    }
    found
}

/// Is an object in two of the files?
fn clashes(files: &[&Found], objects: &HashMap<FileId, Vec<Id>>) -> bool {
    let mut seen: HashMap<&Id, FileId> = HashMap::new();
    files.iter().any(|it| {
        let mut ids = objects.get(&it.file).into_iter().flatten();
        ids.any(|id| *seen.entry(id).or_insert(it.file) != it.file)
    })
}
