//! What a node reads, as a ConfigMap.

use std::collections::HashMap;

use telstack_system::{ConfigFile, Origin, Value};

use super::Of;
use crate::{
    Artefact,
    doc::{self, Block},
};

/// A folder, and the files in it: key, name there, and what makes it.
type InFolder<'a> = (&'a str, Vec<(&'a str, &'a str, &'a Origin)>);

/// How much of the digest is part of the name.
const HASH_BYTES: usize = 5;

/// The files of a node: keys of a ConfigMap.
pub(super) struct Config<'a> {
    /// What it is called: after the node and its contents.
    pub(super) name: String,
    /// The files, each with its key.
    pub(super) files: Vec<(&'a ConfigFile, String)>,
    texts: Vec<&'a str>,
    /// What it follows from.
    pub(super) origin: Origin,
}

impl<'a> Config<'a> {
    /// None where the node reads no file.
    pub(super) fn of(of: &Of<'a>, written: &HashMap<&str, &'a Artefact>) -> Option<Self> {
        let container = of.container;
        let (mut files, mut texts): (Vec<(&ConfigFile, String)>, Vec<&str>) = Default::default();
        for file in &container.files {
            let Some(artefact) = written.get(&*file.path) else { continue };
            let base = file.target.rsplit('/').next().unwrap_or_default();
            let taken = files.iter().any(|(_, key)| key == base);
            let key = if taken { file.target.trim_matches('/').replace('/', "-") } else { base.to_owned() };
            files.push((file, key));
            texts.push(&artefact.written.text);
        }
        if files.is_empty() {
            return None;
        }
        let parts = files.iter().zip(&texts).flat_map(|((_, key), text)| [key.as_str(), *text]);
        let hex = doc::digest(parts, HASH_BYTES);
        let reason = "its name changes with what it holds: a pod that reads another text is made anew";
        let origin = doc::follows_all(reason, files.iter().map(|(file, _)| &file.origin), &container.origin);
        Some(Self { name: format!("{}-{hex}", of.node.name), files, texts, origin })
    }

    pub(super) fn document(&self, of: &Of<'_>) -> Value {
        let mut data = Block::new();
        for ((file, key), text) in self.files.iter().zip(&self.texts) {
            data.put(key, file.origin.string(*text));
        }
        let mut out = of.object("v1", "ConfigMap", &self.name, true, &self.origin);
        let reason = "under this name it is never anything else";
        out.put("immutable", doc::follows(reason, &[&self.origin]).bool(true));
        out.put("data", data.finish(&self.origin));
        out.finish(&self.origin)
    }

    /// Folders that hold its files, in the order of the files, each with the files in it: key, and name there.
    pub(super) fn folders(&self) -> Vec<InFolder<'_>> {
        let mut folders: Vec<InFolder<'_>> = Vec::new();
        for (file, key) in &self.files {
            let (folder, name) = file.target.rsplit_once('/').unwrap_or(("", &file.target));
            let entry = (key.as_str(), name, &file.origin);
            match folders.iter_mut().find(|(known, _)| *known == folder) {
                Some((_, files)) => files.push(entry),
                None => folders.push((folder, vec![entry])),
            }
        }
        folders
    }
}
