//! The files that were given to be read, and which of them a container sees.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
};

use telstack_catalog::{Distribution, Version, product::Product};
use telstack_diagnostics::{Diagnostics, FileId, Span};
use telstack_syntax::yaml;
use telstack_system::{
    ConfigFile, ConfigPath, Container, Dial, Looked, MountSource, Node, Origin, Purpose, Sourced, Value, WrittenFile,
    expansion,
};

use crate::{
    command::config_path,
    doc,
    reading::{self, Place},
    remark,
};

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

/// The role of the file that says what a program does.
pub(crate) const CONFIG: &str = "config";

/// A text to read, and where it stands.
pub(crate) struct Piece<'a> {
    /// Its path from where all paths start, without `.` and `..`.
    pub(crate) path: String,
    pub(crate) file: FileId,
    pub(crate) text: Cow<'a, str>,
    pub(crate) place: Place,
    /// What fills in its `$` before its program sees it.
    fill: Option<Fill>,
    /// Is it kept where secrets are? Then none of its values is written in the open.
    secret: bool,
}

/// A text that stands inside of a file, such as a key of a ConfigMap.
#[derive(Clone, Debug)]
pub struct Loose {
    /// What it is called there: the key.
    pub name: String,
    /// The file.
    pub file: FileId,
    /// The text, with its indentation where it is a block.
    pub(crate) text: String,
    /// The text as its program sees it.
    pub plain: String,
    pub(crate) place: Place,
}

impl Loose {
    pub(crate) fn of(piece: &Piece<'_>) -> Self {
        let name = piece.path.rsplit('/').next().unwrap_or_default().to_owned();
        let text = piece.text.clone().into_owned();
        let indent =
            text.find(|c| c != ' ' && c != '\n').map_or(0, |at| at - text[..at].rfind('\n').map_or(0, |it| it + 1));
        let lines = text.split_inclusive('\n').map(|line| line.get(indent..).unwrap_or("\n"));
        let plain = if piece.place == Place::Start { text.clone() } else { lines.collect() };
        Self { name, file: piece.file, plain, text, place: piece.place }
    }
}

impl Piece<'_> {
    /// A word of the text, as its program sees it.
    pub(crate) fn filled(&self, word: &str) -> String {
        self.fill.as_ref().map_or_else(|| word.to_owned(), |fill| fill(word))
    }
}

/// What a platform makes of a text before a program sees it.
pub(crate) type Fill = Rc<dyn Fn(&str) -> String>;

/// What is said of the collectors that run, whatever their images are.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Said {
    /// Their release.
    pub version: Option<Version>,
    /// Their distribution.
    pub distribution: Option<Distribution>,
    /// What is wanted and not given was looked for, and is not there.
    pub searched: bool,
}

/// All that is read, and where findings go.
pub(crate) struct Folder<'a> {
    files: Vec<Rc<Piece<'a>>>,
    /// The folder of the compose file, below that of all paths.
    pub(crate) base: String,
    /// The folders of files whose paths start elsewhere.
    pub(crate) bases: BTreeMap<FileId, String>,
    pub(crate) said: Said,
    pub(crate) out: &'a mut Diagnostics,
    /// Was everything there that files name?
    pub(crate) complete: bool,
    /// What was asked for and not given: files, and folders.
    pub(crate) wanted: BTreeSet<String>,
    /// What was read.
    pub(crate) used: BTreeSet<FileId>,
    /// Paths of texts inside of files that were read.
    taken: BTreeSet<String>,
    /// The role of the one file that there is, where it is read by itself: nodes have no containers then.
    pub(crate) alone: Option<&'static str>,
    /// The release that reads it, where it says none.
    pub(crate) told: Option<Sourced<Version>>,
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

/// Nobody can tell what a configuration says.
#[derive(Debug)]
pub(crate) struct NotKnown;

impl Config {
    /// What it says, and nothing where the image's own holds.
    pub(crate) fn known(self) -> Result<Option<Value>, NotKnown> {
        match self {
            Config::Given(document) => Ok(document),
            Config::Own => Ok(None),
            Config::Elsewhere => Err(NotKnown),
        }
    }
}

/// Something that a node dials, as its files say it.
pub(crate) struct Dialled {
    pub(crate) purpose: Purpose,
    pub(crate) dial: Dial,
}

impl<'a> Folder<'a> {
    /// All that was given; what leads out of the folder is left out.
    pub(crate) fn new(files: &'a [SourceFile<'a>], base: String, out: &'a mut Diagnostics) -> Self {
        let piece = |file: &'a SourceFile<'a>| {
            let (path, text) = (joined("", file.path)?, Cow::Borrowed(file.text));
            Some(Rc::new(Piece { path, file: file.file, text, place: Place::Start, fill: None, secret: false }))
        };
        Self {
            files: files.iter().filter_map(piece).collect(),
            base,
            bases: BTreeMap::new(),
            said: Said::default(),
            out,
            complete: true,
            wanted: BTreeSet::new(),
            used: BTreeSet::new(),
            taken: BTreeSet::new(),
            alone: None,
            told: None,
        }
    }

    /// A text that stands inside of a file, alone.
    pub(crate) fn of_loose(path: &str, loose: &'a Loose, out: &'a mut Diagnostics) -> Self {
        let mut folder = Self::new(&[], String::new(), out);
        let (path, text) = (path.to_owned(), Cow::Borrowed(loose.text.as_str()));
        let (file, place) = (loose.file, loose.place);
        folder.files.push(Rc::new(Piece { path, file, text, place, fill: None, secret: false }));
        folder
    }

    /// A path that a file names, from where all paths start; none if it leads out.
    pub(crate) fn resolve(&self, path: &str, by: &Origin) -> Option<String> {
        joined(self.base_of(by), path)
    }

    /// The folder that paths in a file start from.
    pub(crate) fn base_of(&self, origin: &Origin) -> &str {
        origin.span().and_then(|span| self.bases.get(&span.file)).unwrap_or(&self.base)
    }

    /// The file at a path that another file names.
    pub(crate) fn at(&mut self, path: &str, by: &Origin) -> Option<Rc<Piece<'a>>> {
        let path = self.resolve(path, by)?;
        self.at_root(&path)
    }

    /// The file at a path from where all paths start.
    pub(crate) fn at_root(&mut self, path: &str) -> Option<Rc<Piece<'a>>> {
        let Some(piece) = self.given(path) else {
            self.wanted.insert(path.to_owned());
            return None;
        };
        self.used.insert(piece.file);
        self.taken.insert(piece.path.clone());
        Some(piece)
    }

    fn given(&self, path: &str) -> Option<Rc<Piece<'a>>> {
        self.files.iter().find(|piece| piece.path == path).cloned()
    }

    /// Makes a text that stands inside a file one that can be read at a path from where all paths start.
    pub(crate) fn embed(&mut self, path: &str, value: &Value, fill: Option<Fill>) {
        self.embed_piece(path, value, fill, false);
    }

    /// The same of a text that is kept where secrets are.
    pub(crate) fn embed_secret(&mut self, path: &str, value: &Value) {
        self.embed_piece(path, value, None, true);
    }

    /// The same of the value of an environment variable. Containers may have different ones of one name.
    pub(crate) fn embed_variable(&mut self, name: &str, value: &Value) -> Option<Rc<Piece<'a>>> {
        let span = value.mark.span()?;
        let file = self.files.iter().position(|it| it.file == span.file)?;
        let path = format!("env/{file}.{}/{name}", span.range().start);
        self.embed(&path, value, None);
        self.at_root(&path)
    }

    fn embed_piece(&mut self, path: &str, value: &Value, fill: Option<Fill>, secret: bool) {
        let (Some(text), Some(span)) = (value.as_str(), value.mark.span()) else { return };
        if self.given(path).is_some() {
            return;
        }
        let whole = self.files.iter().find(|piece| piece.file == span.file && piece.place == Place::Start);
        let (text, place) = match whole.and_then(|it| block(&it.text, span, text)) {
            Some((raw, offset)) => (raw.to_owned(), Place::Offset(offset)),
            None => (text.to_owned(), Place::Inside(span)),
        };
        let (path, text) = (path.to_owned(), Cow::Owned(text));
        self.files.push(Rc::new(Piece { path, file: span.file, text, place, fill, secret }));
    }

    /// Makes a part of a file's own tree a text that can be read at a path from where all paths start.
    pub(crate) fn embed_tree(&mut self, path: &str, value: &Value) {
        let Some(span) = value.mark.span() else { return };
        let whole = self.files.iter().find(|piece| piece.file == span.file && piece.place == Place::Start);
        let Some(whole) = whole.filter(|_| self.given(path).is_none()) else { return };
        let Some(before) = whole.text.get(..span.range().start) else { return };
        let line = before.rfind('\n').map_or(0, |at| at + 1);
        // A block starts on a line of its own, and needs its indentation.
        let start = if before[line..].trim().is_empty() { line } else { span.range().start };
        // What it says by aliases of other parts of the file, it does not say by itself.
        let Some(text) = closed(&whole.text, start, span) else { return };
        let (path, text, place) = (path.to_owned(), Cow::Owned(text.to_owned()), Place::Offset(start));
        self.files.push(Rc::new(Piece { path, file: span.file, text, place, fill: None, secret: false }));
    }

    /// Lets a file be found at another path too.
    pub(crate) fn alias(&mut self, path: &str, of: &str) {
        let Some(piece) = joined("", of).and_then(|of| self.at_root(&of)) else { return };
        let (text, place) = (piece.text.clone(), piece.place);
        self.files.push(Rc::new(Piece {
            path: path.to_owned(),
            file: piece.file,
            text,
            place,
            fill: None,
            secret: false,
        }));
    }

    /// Texts that stand inside of files and that nobody read.
    pub(crate) fn loose(&self) -> impl Iterator<Item = &Piece<'a>> {
        self.files
            .iter()
            .map(AsRef::as_ref)
            .filter(|it| it.place != Place::Start && !it.secret && !self.taken.contains(&it.path))
    }

    /// The text that something was read from, as it stands in its file.
    pub(crate) fn source(&self, span: Span) -> &str {
        let whole = self.files.iter().find(|piece| piece.file == span.file && piece.place == Place::Start);
        whole.and_then(|it| it.text.get(span.range())).unwrap_or_default()
    }

    /// The document that a text holds.
    pub(crate) fn document(&mut self, piece: &Piece<'_>) -> Option<Value> {
        let document = reading::document_at(piece.file, &piece.text, piece.place, self.out)?;
        Some(filled(piece, document))
    }

    /// The document of JSON that a text holds.
    fn json(&mut self, piece: &Piece<'_>) -> Option<Value> {
        let document = reading::json_at(piece.file, &piece.text, piece.place, self.out)?;
        Some(filled(piece, document))
    }

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

    /// The YAML of a text.
    pub(crate) fn config_of(&mut self, piece: &Piece<'_>) -> Config {
        // Something fills it in before it is read.
        if reading::is_template(&piece.text) {
            self.complete = false;
            return Config::Elsewhere;
        }
        let errors = self.out.iter().count();
        match self.document(piece) {
            None if self.out.iter().count() > errors => {
                self.complete = false;
                Config::Elsewhere
            }
            document => Config::Given(document),
        }
    }
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

/// A document as its program sees it.
fn filled(piece: &Piece<'_>, document: Value) -> Value {
    match &piece.fill {
        Some(fill) => doc::map_text(&document, &|text| fill(text)),
        None if piece.secret => document.map_marks(&mut |it| Origin::derived("read", "a Secret holds it", &[it])),
        None => document,
    }
}

/// A block of text as it stands in a file, indentation included, and where it starts; none if it is written
/// in a way that changes more than the indentation.
fn block<'t>(whole: &'t str, span: Span, text: &str) -> Option<(&'t str, usize)> {
    let start = whole.get(..span.range().start)?.rfind('\n')? + 1;
    let raw = whole.get(start..span.range().end)?;
    let indent = raw.len() - raw.trim_start_matches(' ').len();
    let mut lines = text.trim_end().lines();
    let same = raw.trim_end().lines().all(|line| {
        lines.next().is_some_and(|wanted| {
            if wanted.trim().is_empty() { line.trim().is_empty() } else { line.get(indent..) == Some(wanted) }
        })
    });
    // Indented, the line is no mark between documents but text.
    let marked = text.lines().any(|line| line.starts_with("---") || line.starts_with('%'));
    (same && lines.next().is_none() && !marked).then_some((raw, start))
}

/// The text of a tree. That of a map in braces ends with its last value: the braces behind it belong to it, as far as
/// they are missing.
fn closed(whole: &str, start: usize, span: Span) -> Option<&str> {
    let mut end = span.range().end;
    while yaml::read(span.file, whole.get(start..end)?).is_err() {
        let rest = whole.get(end..)?;
        let brace = rest.trim_start_matches(|c: char| c.is_whitespace() || c == ',');
        let behind = brace.strip_prefix('}')?;
        end = whole.len() - behind.len();
    }
    whole.get(start..end)
}

/// A relative path without `.` and `..`, below `base`; none if it is absolute or leads out.
fn joined(base: &str, path: &str) -> Option<String> {
    if path.starts_with(['/', '~']) { None } else { plain_path(base, path) }
}

/// Two paths behind each other, without `.` and `..`; none if that leads out.
pub fn plain_path(base: &str, path: &str) -> Option<String> {
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
    use super::{below, joined};

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
}
