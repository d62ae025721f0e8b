//! The files that were given to be read: by their paths, inside of each other, and as a container sees them.

mod embedded;
mod mounted;

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
};

use telstack_catalog::{Distribution, Version};
use telstack_diagnostics::{Diagnostics, FileId, Span};
use telstack_system::{Dial, Origin, Purpose, Sourced, Value};

use crate::{
    doc, is_template,
    reading::{self, Place},
};

pub(crate) use mounted::own_data_path;

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
    /// The release of those whose images name none.
    pub unnamed: Option<Version>,
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

    /// The YAML of a text.
    pub(crate) fn config_of(&mut self, piece: &Piece<'_>) -> Config {
        // Something fills it in before it is read.
        if is_template(&piece.path, &piece.text) {
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

/// A document as its program sees it.
fn filled(piece: &Piece<'_>, document: Value) -> Value {
    match &piece.fill {
        Some(fill) => doc::map_text(&document, &|text| fill(text)),
        None if piece.secret => document.map_marks(&mut |it| Origin::derived("read", "a Secret holds it", &[it])),
        None => document,
    }
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
