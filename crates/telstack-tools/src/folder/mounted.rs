//! Files as a container sees them: at the paths where they are mounted, and in the roles that its program gives them.

use std::rc::Rc;

use telstack_catalog::product::Product;
use telstack_system::{
    ConfigFile, ConfigPath, Container, Looked, Mount, MountSource, Node, Origin, Value, WrittenFile, expansion,
};

use super::{CONFIG, Config, Folder, Piece, below};
use crate::{command::config_path, remark};

impl<'a> Folder<'a> {
    /// The files that a container sees at a path inside or below it, with their paths inside, in the order
    /// of those.
    pub(crate) fn seen(&mut self, container: &Container, inside: &str) -> Vec<(String, Rc<Piece<'a>>)> {
        let mut found = Vec::new();
        if inside.is_empty() {
            return found;
        }
        for mount in &container.mounts {
            let source = match &mount.source {
                MountSource::Bind(source) | MountSource::Copied(source) => self.resolve(source, &mount.origin),
                MountSource::Handed(path) => Some(path.clone()),
                MountSource::Volume(_) | MountSource::Ephemeral(_) => None,
            };
            let Some(source) = source else { continue };
            let target = mount.target.trim_end_matches('/');
            for piece in &self.files {
                // The whole folder, or something in it.
                let whole = source.is_empty();
                let path = piece.path.as_str();
                let Some(rest) = (if whole { Some(path) } else { below(path, &source) }) else { continue };
                let target = format!("{target}{}{rest}", if whole { "/" } else { "" });
                if below(&target, inside).is_some() {
                    found.push((target, piece.clone()));
                }
            }
            // The mount is at the path or below it, or it holds the path: what was given may not be all.
            let part = below(inside, target).map(|rest| format!("{source}{rest}"));
            self.wanted.extend(part.or_else(|| below(target, inside).map(|_| source)));
        }
        found.sort_by(|(one, _), (other, _)| one.cmp(other));
        found
    }

    /// The file that a container sees at a path inside; from here on it is one of its configuration files.
    pub(crate) fn take(
        &mut self,
        container: &mut Container,
        role: &'static str,
        inside: &str,
    ) -> Option<Rc<Piece<'a>>> {
        // Only run time knows which file that is.
        if is_open(inside) {
            self.complete = false;
            return None;
        }
        let seen = self.seen(container, inside);
        let found = seen.into_iter().find(|(path, _)| path == inside);
        let state = self.looked(container, inside, found.is_some());
        container.reads.push(path_read(container, inside, state));
        let Some((_, piece)) = found else {
            self.complete &= container.mount_of(inside).is_none();
            return None;
        };
        self.used.insert(piece.file);
        self.taken.insert(piece.path.clone());
        let relative = below(&piece.path, &self.base).unwrap_or(&piece.path).trim_start_matches('/').to_owned();
        let at = container.mounts.iter().position(|mount| mount.target == inside);
        let origin = match at {
            Some(at) => container.mounts.remove(at).origin,
            None => container.mount_of(inside).map_or_else(|| container.origin.clone(), |it| it.origin.clone()),
        };
        container.files.push(ConfigFile { role, path: relative, target: inside.to_owned(), origin });
        Some(piece)
    }

    /// What a program finds at a path inside.
    fn looked(&self, container: &Container, inside: &str, found: bool) -> Looked {
        match container.mount_of(inside).map(|mount| (&mount.source, &mount.origin)) {
            _ if found => Looked::Found,
            Some((MountSource::Bind(source), by)) if self.said.searched && self.resolve(source, by).is_some() => {
                Looked::Missing
            }
            Some(_) if container.mounts_of(inside).all(|it| surely_lacks(container, it, inside)) => Looked::Missing,
            Some(_) => Looked::Elsewhere,
            None => Looked::Image,
        }
    }

    /// The YAML that a container sees at a path inside.
    pub(crate) fn config(&mut self, container: &mut Container, role: &'static str, inside: &str) -> Config {
        match self.piece(container, role, inside) {
            Ok(piece) => self.config_of(&piece),
            Err(config) => config,
        }
    }

    /// The text that a container sees at a path inside, else what that means.
    pub(crate) fn piece(
        &mut self,
        container: &mut Container,
        role: &'static str,
        inside: &str,
    ) -> Result<Rc<Piece<'a>>, Config> {
        let mounted = container.mount_of(inside).is_some();
        let elsewhere = mounted || container.gaps.files || is_open(inside);
        self.take(container, role, inside).ok_or(if elsewhere { Config::Elsewhere } else { Config::Own })
    }

    /// Is it known which files a container has at or below a path inside? Volumes and folders that were not given
    /// may hold any, and so may images that nobody knows.
    pub(crate) fn knows(&self, container: &Container, inside: &str) -> bool {
        let image = &container.image.value;
        let own = telstack_catalog::product::image_facts(&image.repository, &image.tag).is_some();
        if container.gaps.files || !own {
            return false;
        }
        let given = |source: &str, by: &Origin| {
            let source = self.resolve(source, by);
            source.is_some_and(|source| self.files.iter().any(|it| below(&it.path, &source).is_some()))
        };
        let known = |source: &MountSource, by: &Origin| match source {
            MountSource::Bind(source) | MountSource::Copied(source) => given(source, by),
            MountSource::Handed(path) => self.files.iter().any(|it| below(&it.path, path).is_some()),
            MountSource::Volume(_) | MountSource::Ephemeral(_) => false,
        };
        let here = container.mounts.iter().filter(|it| below(&it.target, inside).is_some());
        here.chain(container.mount_of(inside)).all(|it| known(&it.source, &it.origin))
    }

    /// The configuration that the program of a node reads: what its flag says, else where its image has it.
    pub(crate) fn config_for(&mut self, node: &mut Node, flag: &str) -> Config {
        let path = config_path(node, flag);
        let piece = match (&mut node.container, path) {
            (Some(container), Some(path)) => self.piece(container, CONFIG, &path),
            // It looks nowhere, as far as anybody knows.
            (Some(container), None) => Err(if container.gaps.files { Config::Elsewhere } else { Config::Own }),
            (None, _) => self.by_itself(CONFIG).ok_or(Config::Elsewhere),
        };
        match piece {
            Ok(piece) => self.config_in(node, CONFIG, &piece),
            Err(config) => config,
        }
    }

    /// The YAML of a text that a node reads in some role, from here on one of those that its people wrote. What it
    /// says of the release holds where nothing else does.
    pub(crate) fn config_in(&mut self, node: &mut Node, role: &'static str, piece: &Piece<'_>) -> Config {
        self.release_of(node, piece);
        let config = self.config_of(piece);
        if let Config::Given(Some(document)) = &config {
            node.written.push(WrittenFile { role, document: document.clone() });
        }
        config
    }

    /// Lets what a text says of the release of a node hold, if nothing else does.
    pub(crate) fn release_of(&mut self, node: &mut Node, piece: &Piece<'_>) {
        if let Some(product) = node.product().filter(|_| node.version.is_none()) {
            let remark = remark::release(product, piece.file, &piece.text, piece.place, self.out);
            node.version = remark.or_else(|| self.told.clone());
        }
    }

    /// The one file that there is, if it has that role.
    pub(crate) fn by_itself(&self, role: &str) -> Option<Rc<Piece<'a>>> {
        self.files.first().filter(|_| self.alone == Some(role)).cloned()
    }

    /// The JSON that a container sees at a path inside.
    pub(crate) fn json_file(&mut self, container: &mut Container, role: &'static str, inside: &str) -> Option<Value> {
        let piece = self.piece(container, role, inside).ok()?;
        let errors = self.out.iter().count();
        let document = self.json(&piece);
        self.complete &= document.is_some() || self.out.iter().count() == errors;
        document
    }
}

/// Is a path inside, which a mount holds, surely not there, by the keys of what is handed in?
fn surely_lacks(container: &Container, mount: &Mount, inside: &str) -> bool {
    if mount.is_folder() && mount.target.trim_end_matches('/') == inside {
        return true;
    }
    let Some((handed, key)) = container.handed_at(mount) else { return false };
    let rest = below(inside, mount.target.trim_end_matches('/')).unwrap_or_default();
    // Where its files really are, every such volume has hidden folders.
    let hidden = rest.starts_with("/..");
    let wanted = format!("{}{rest}", key.unwrap_or_default());
    let wanted = wanted.trim_start_matches('/');
    !hidden && !wanted.is_empty() && !handed.keys.iter().any(|it| it == wanted)
}

/// Is a path inside one that only run time knows: with a variable in it, from a working folder, or not of a file?
fn is_open(inside: &str) -> bool {
    expansion::is_unsettled(inside) || !inside.starts_with('/')
}

/// Where a program looked for a file, and what it found.
fn path_read(container: &Container, inside: &str, state: Looked) -> ConfigPath {
    let word = container.command.iter().find(|word| word.value.contains(inside));
    let origin = word.map_or_else(|| container.origin.clone(), |word| word.origin.clone());
    ConfigPath { path: inside.to_owned(), state, origin, told: word.is_some() }
}

/// Where the product keeps its data if nothing says otherwise.
pub(crate) fn own_data_path(product: Product, node: &Node) -> Option<&'static str> {
    product.layout(node.version().unwrap_or_else(|| product.newest()))?.data_path
}
