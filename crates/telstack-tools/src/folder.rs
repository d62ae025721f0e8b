//! The files that were given to be read, and which of them a container sees.

use telstack_catalog::product::Product;
use telstack_diagnostics::{Diagnostics, FileId};
use telstack_system::{ConfigFile, Container, Dial, MountSource, Node, Purpose, Sourced, Value};

use crate::reading;

/// A file to read.
#[derive(Clone, Copy, Debug)]
pub struct SourceFile<'a> {
    /// Its path, with `/`, relative to the folder that all paths are relative to.
    pub path: &'a str,
    /// Its id among the sources, for places.
    pub file: FileId,
    /// Its text.
    pub text: &'a str,
}

/// All that is read, and where findings go.
pub(crate) struct Folder<'a> {
    files: Vec<(String, &'a SourceFile<'a>)>,
    /// The folder of the compose file, below that of all paths.
    pub(crate) base: String,
    pub(crate) out: &'a mut Diagnostics,
    /// Was everything there that files name?
    pub(crate) complete: bool,
}

/// A configuration that a program is told to read.
pub(crate) enum Config {
    /// This one; none if it holds nothing.
    Given(Option<Value>),
    /// It is somewhere, but was not given, or is no YAML.
    Elsewhere,
    /// Nothing is mounted there: the image's own.
    Own,
}

/// Something that a node dials, as its files say it.
pub(crate) struct Dialled {
    pub(crate) purpose: Purpose,
    pub(crate) dial: Dial,
}

impl<'a> Folder<'a> {
    /// All that was given; what leads out of the folder is left out.
    pub(crate) fn new(files: &'a [SourceFile<'a>], base: String, out: &'a mut Diagnostics) -> Self {
        let files = files.iter().filter_map(|file| Some((joined("", file.path)?, file))).collect();
        Self { files, base, out, complete: true }
    }

    /// The file at a path relative to the compose file.
    pub(crate) fn at(&self, path: &str) -> Option<&'a SourceFile<'a>> {
        let path = joined(&self.base, path)?;
        self.files.iter().find(|(known, _)| *known == path).map(|(_, file)| *file)
    }

    /// The files that a container sees at a path inside or below it, with their paths inside, in the order
    /// of those.
    pub(crate) fn seen(&self, container: &Container, inside: &str) -> Vec<(String, &'a SourceFile<'a>)> {
        let mut found = Vec::new();
        for mount in &container.mounts {
            let MountSource::Bind(source) = &mount.source else { continue };
            let Some(source) = joined(&self.base, source) else { continue };
            for (path, file) in &self.files {
                // The whole folder, or something in it.
                let whole = source.is_empty();
                let Some(rest) = (if whole { Some(path.as_str()) } else { below(path, &source) }) else { continue };
                let target = format!("{}{}{rest}", mount.target.trim_end_matches('/'), if whole { "/" } else { "" });
                if below(&target, inside).is_some() {
                    found.push((target, *file));
                }
            }
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
    ) -> Option<&'a SourceFile<'a>> {
        let seen = self.seen(container, inside);
        let Some((_, file)) = seen.into_iter().find(|(path, _)| path == inside) else {
            self.complete &= container.mount_of(inside).is_none();
            return None;
        };
        let path = joined("", file.path)?;
        let relative = below(&path, &self.base).unwrap_or(&path).trim_start_matches('/').to_owned();
        let at = container.mounts.iter().position(|mount| mount.target == inside);
        let origin = match at {
            Some(at) => container.mounts.remove(at).origin,
            None => container.mount_of(inside).map_or_else(|| container.origin.clone(), |it| it.origin.clone()),
        };
        container.files.push(ConfigFile { role, path: relative, target: inside.to_owned(), origin });
        Some(file)
    }

    /// The YAML that a container sees at a path inside.
    pub(crate) fn config(&mut self, container: &mut Container, role: &'static str, inside: &str) -> Config {
        let mounted = container.mount_of(inside).is_some();
        let Some(file) = self.take(container, role, inside) else {
            return if mounted { Config::Elsewhere } else { Config::Own };
        };
        let errors = self.out.iter().count();
        match reading::document(file.file, file.text, self.out) {
            None if self.out.iter().count() > errors => {
                self.complete = false;
                Config::Elsewhere
            }
            document => Config::Given(document),
        }
    }
}

/// A relative path without `.` and `..`, below `base`; none if it is absolute or leads out.
fn joined(base: &str, path: &str) -> Option<String> {
    if path.starts_with(['/', '~']) {
        return None;
    }
    let mut parts: Vec<&str> = Vec::new();
    for part in base.split('/').chain(path.split('/')) {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

/// What follows `folder` in a path at or below it: empty, or from a `/` on.
fn below<'p>(path: &'p str, folder: &str) -> Option<&'p str> {
    let folder = folder.trim_end_matches('/');
    if folder.is_empty() {
        return Some(if path.starts_with('/') { path } else { "" }).filter(|it| !it.is_empty() || path.is_empty());
    }
    path.strip_prefix(folder).filter(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Does a path match a pattern with `*` and `?` in any of its parts?
pub(crate) fn matches(pattern: &str, path: &str) -> bool {
    fn part(pattern: &[u8], text: &[u8]) -> bool {
        match (pattern.first(), text.first()) {
            (None, None) => true,
            (Some(b'*'), _) => part(&pattern[1..], text) || (!text.is_empty() && part(pattern, &text[1..])),
            (Some(b'?'), Some(_)) => part(&pattern[1..], &text[1..]),
            (Some(one), Some(other)) if one == other => part(&pattern[1..], &text[1..]),
            _ => false,
        }
    }
    let (patterns, texts): (Vec<&str>, Vec<&str>) = (pattern.split('/').collect(), path.split('/').collect());
    let all = patterns.iter().zip(&texts).all(|(pattern, text)| {
        // So many stars match in too many ways to try.
        pattern.matches('*').count() <= 4 && part(pattern.as_bytes(), text.as_bytes())
    });
    patterns.len() == texts.len() && all
}

/// The flags of a command line, in order: name without dashes, value, and the place in the command.
pub(crate) fn flags(node: &Node) -> Vec<(String, Option<String>, usize)> {
    let words = node.container.as_ref().map(|it| it.command.as_slice()).unwrap_or_default();
    let mut found: Vec<(String, Option<String>, usize)> = Vec::new();
    for (at, word) in words.iter().enumerate() {
        if let Some(flag) = word.value.strip_prefix('-') {
            let flag = flag.strip_prefix('-').unwrap_or(flag);
            let (name, value) = flag.split_once('=').map_or((flag, None), |(name, value)| (name, Some(value)));
            found.push((name.to_owned(), value.map(str::to_owned), at));
        } else if let Some((_, value @ None, before)) = found.last_mut()
            && *before + 1 == at
        {
            *value = Some(word.value.clone());
        }
    }
    found
}

/// The value of the last flag of that name.
pub(crate) fn flag(node: &Node, name: &str) -> Option<String> {
    flags(node).into_iter().rev().find(|(known, ..)| known == name).and_then(|(_, value, _)| value)
}

/// Where a program reads its configuration: as its flag says, else where its image has it.
pub(crate) fn config_path(node: &Node, flag_name: &str) -> Option<String> {
    let own = || {
        let image = &node.container.as_ref()?.image.value;
        let facts = telstack_catalog::product::image_facts(&image.repository, &image.tag);
        let layout = || node.product().zip(node.version()).and_then(|(product, version)| product.layout(version));
        let known = facts.and_then(|facts| facts.default_config).or_else(|| layout()?.config_path);
        known.map(str::to_owned)
    };
    flag(node, flag_name).or_else(own)
}

/// The folder that holds a file or folder.
pub(crate) fn parent(path: Sourced<String>) -> Option<Sourced<String>> {
    let folder = path.value.trim_end_matches('/').rsplit_once('/')?.0.to_owned();
    Some(Sourced::new(folder, path.origin))
}

/// Where the product keeps its data if nothing says otherwise.
pub(crate) fn own_data_path(product: Product, node: &Node) -> Option<&'static str> {
    product.layout(node.version().unwrap_or_else(|| product.newest()))?.data_path
}

#[cfg(test)]
mod tests {
    use super::{below, joined, matches};

    #[test]
    fn paths_are_put_together() {
        assert_eq!(joined("deploy", "./a/../b.yml").as_deref(), Some("deploy/b.yml"));
        assert_eq!(joined("deploy", "../b.yml").as_deref(), Some("b.yml"));
        for out in ["../../b", "/etc/b", "~/b"] {
            assert_eq!(joined("deploy", out), None, "{out}");
        }
        assert_eq!(below("/etc/loki/a.yml", "/etc/loki/"), Some("/a.yml"));
        assert_eq!(below("/etc/lokix", "/etc/loki"), None);
    }

    #[test]
    fn patterns() {
        assert!(matches("/etc/rules/*.yml", "/etc/rules/a.yml") && matches("/r/?.yml", "/r/a.yml"));
        assert!(!matches("/etc/rules/*.yml", "/etc/rules/a/b.yml") && !matches("*.yml", "a.yaml"));
        assert!(!matches(&"*a".repeat(40), &"a".repeat(200)));
    }
}
