//! Kubernetes: workloads, and what is between them.
//!
//! Each container is a node; containers of one pod share its
//! `localhost`. What stands in a ConfigMap is a file like any other, at its own lines.

mod around;
mod configs;
mod container;
mod emit;
mod monitors;
mod objects;
mod operator;
mod values;
mod workload;

use std::collections::BTreeSet;

use telstack_diagnostics::Span;
use telstack_system::{Origin, Platform, Sourced, System};

use crate::folder::{Folder, SourceFile};
use configs::Configs;
pub(crate) use emit::{emit, variable};
use objects::Objects;
pub use objects::without_definitions;
pub(crate) use operator::finish;

/// The namespace of what is applied without naming one.
const DEFAULT: &str = "default";

/// Manifests that are applied together.
#[derive(Clone, Debug, Default)]
pub struct Manifests {
    /// What the whole is called.
    pub name: String,
    /// The files, by their paths.
    pub paths: Vec<String>,
    /// The namespace that all of them are put into.
    pub namespace: Option<String>,
    /// ConfigMaps that are made of files.
    pub generated: Vec<Generated>,
    /// Images that others run in place of.
    pub images: Vec<ImageChange>,
    /// Is what they say changed afterwards, in ways that are not known?
    pub patched: bool,
    /// Which objects are changed so.
    pub patches: Vec<Patch>,
    /// May an object have another name than the one that is written?
    pub renamed: bool,
    /// May there be more than these files say?
    pub open: bool,
}

/// What changes objects in ways that are not known.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Patch {
    /// The kind of those that it changes; any where none is known.
    pub kind: Option<String>,
    /// The name of the one that it changes; any where none is known.
    pub name: Option<String>,
    /// May it change what image runs?
    pub image: bool,
}

impl Manifests {
    /// The patches that may change an object.
    fn patches_of<'a>(&'a self, kind: &'a str, name: &'a str) -> impl Iterator<Item = &'a Patch> {
        let is_named = move |it: &str| it == name || self.renamed && it.contains(name);
        self.patches
            .iter()
            .filter(move |it| it.kind.as_deref().is_none_or(|it| it == kind) && it.name.as_deref().is_none_or(is_named))
    }

    fn may_change(&self, kind: &str, name: &str) -> bool {
        self.patches_of(kind, name).next().is_some()
    }
}

/// An image in place of another.
#[derive(Clone, Debug)]
pub struct ImageChange {
    /// The repository that is written.
    pub name: String,
    /// The repository that runs.
    pub repository: Option<String>,
    /// The tag that runs.
    pub tag: Option<String>,
    /// What says which tag.
    pub origin: Option<Origin>,
}

/// A ConfigMap that is made of files.
#[derive(Clone, Debug)]
pub struct Generated {
    /// Its name.
    pub name: String,
    /// Where it is.
    pub namespace: Option<String>,
    /// Its keys, each with the path of the file.
    pub files: Vec<(String, String)>,
}

/// Reads manifests.
pub(crate) fn read(manifests: &Manifests, files: &[SourceFile<'_>], folder: &mut Folder<'_>) -> System {
    let of_bundle: Vec<&SourceFile<'_>> =
        manifests.paths.iter().filter_map(|path| files.iter().find(|file| file.path == *path)).collect();
    let origin = of_bundle.first().map(|file| Origin::written(Span::new(file.file, 0, 0)));
    let origin = origin.unwrap_or_else(|| Origin::builtin("read", "nothing was given", &[]));
    let mut objects = Objects::of(&of_bundle);
    // Where no other namespace is ever named, that is where all of them are.
    let named: BTreeSet<&str> = objects.all.iter().filter_map(|it| it.namespace.as_deref()).collect();
    let default = (named.len() == 1 && named.contains(DEFAULT)).then(|| DEFAULT.to_owned());
    if let Some(namespace) = manifests.namespace.clone().or(default) {
        for object in &mut objects.all {
            object.namespace = Some(namespace.clone());
        }
    }
    folder.used.extend(of_bundle.iter().map(|file| file.file));
    let mut configs = Configs::of(&objects, folder);
    for it in &manifests.generated {
        let namespace = manifests.namespace.as_deref().or(it.namespace.as_deref());
        configs.add_files(namespace, &it.name, &it.files, folder);
    }
    let mut cluster = around::cluster(&objects, manifests.open);
    if manifests.patched {
        // Labels and names may be others by then.
        cluster.monitors.clear();
        cluster.configs.clear();
        around::patched(&mut cluster, manifests);
    }
    let platform = Sourced::new(Platform::Kubernetes, origin.clone());
    let mut system = System::new(manifests.name.clone(), origin, platform);
    let nodes = workload::nodes(manifests, &objects, &configs, &mut cluster);
    let operated = operator::nodes(manifests, &objects, &configs, &mut cluster, folder);
    for node in nodes.into_iter().chain(operated) {
        system.add(node);
    }
    system.cluster = Some(Box::new(cluster));
    system
}
