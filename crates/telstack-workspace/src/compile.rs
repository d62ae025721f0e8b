//! From a stack file to a System, its findings and its artefacts.

use std::{
    borrow::Cow,
    cell::Cell,
    path::{Path, PathBuf},
};

use telstack_diagnostics::{Diagnostic, Diagnostics, FileId, Severity, SourceMap};
use telstack_lang::{Description, Loaded, Loader};
use telstack_system::{System, passes};
use telstack_tools::Artefact;

use crate::{
    clusters,
    files::{Files, ReadFailure},
};

/// All that one stack file says.
#[derive(Debug)]
pub struct Compiled {
    /// Every file that was read.
    pub sources: SourceMap,
    /// The Systems after all passes: one, or one for each cluster; none if the text does not even name a stack.
    pub systems: Vec<System>,
    /// Findings in reading order.
    pub diagnostics: Vec<Diagnostic>,
    /// Files to write. Empty while there are errors: no half of a stack is ever written.
    pub artefacts: Vec<Artefact>,
}

impl Compiled {
    /// All of it as one System; none if the text does not even name a stack. Of several environments or clusters,
    /// nodes are named `ENVIRONMENT/CLUSTER/NODE`.
    pub fn whole(&self) -> Option<Cow<'_, System>> {
        match &*self.systems {
            [] => None,
            [one] => Some(Cow::Borrowed(one)),
            [first, others @ ..] => Some(Cow::Owned(System::joined(first, others))),
        }
    }

    /// Is a finding at least this bad?
    pub fn has(&self, level: Severity) -> bool {
        self.diagnostics.iter().any(|it| it.severity >= level)
    }
}

/// Largest stack with all that it includes, in bytes. A line of text becomes about 700 times its length in files and in memory;
/// this is some thousand collectors, more than a host runs.
pub(crate) const LARGEST_STACK: u64 = 1 << 20;

struct FileLoader<'a> {
    files: &'a dyn Files,
    folder: PathBuf,
    /// How many bytes may still be read.
    left: Cell<u64>,
}

impl Loader for FileLoader<'_> {
    fn load(&self, including: &str, path: &str) -> Result<Loaded, String> {
        let folder = Path::new(including).parent().unwrap_or(Path::new("")).to_owned();
        let target = normal(&folder.join(path)).ok_or_else(|| "it leads above the folder of the stack".to_owned())?;
        if Path::new(path).is_absolute() || !target.starts_with(&self.folder) {
            return Err("only files in the folder of the stack, or below it, can be included".to_owned());
        }
        if self.files.leaves(&self.folder, &target) {
            return Err("a link on the way leads outside the folder of the stack".to_owned());
        }
        let text = self.files.read_most(&target, self.left.get()).map_err(|failure| match failure {
            ReadFailure::TooLarge(_) => {
                format!("with it the stack is larger than the {} MiB that are read", LARGEST_STACK >> 20)
            }
            failure => failure.to_string(),
        })?;
        self.left.set(self.left.get().saturating_sub(text.len() as u64));
        Ok(Loaded { name: shown(&target), text })
    }
}

/// The path without `.` and `..`; none if it climbs above where it starts.
fn normal(path: &Path) -> Option<PathBuf> {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            std::path::Component::CurDir => {}
            std::path::Component::ParentDir => {
                if !out.pop() {
                    return None;
                }
            }
            part => out.push(part),
        }
    }
    Some(out)
}

/// A path as reports show it: forward slashes, no leading `./`.
pub(crate) fn shown(path: &Path) -> String {
    let text = path.to_string_lossy().replace('\\', "/");
    text.strip_prefix("./").map_or_else(|| text.clone(), str::to_owned)
}

/// The first path that two artefacts have.
fn written_twice(artefacts: &[Artefact]) -> Option<String> {
    let mut paths: Vec<&str> = artefacts.iter().map(|it| it.path.as_str()).collect();
    paths.sort_unstable();
    paths.windows(2).find(|pair| pair[0] == pair[1]).map(|pair| pair[0].to_owned())
}

/// What the text of the stack at `path` says, with what it includes, before any pass: a System for each cluster.
pub(crate) fn lowered(files: &dyn Files, path: &Path, text: String) -> (Vec<System>, Diagnostics) {
    let mut sources = SourceMap::default();
    let file = sources.add(shown(path), text);
    let mut diagnostics = Diagnostics::default();
    let description = described(files, path, file, &mut sources, &mut diagnostics);
    let mut systems = Vec::new();
    for index in 0..description.as_ref().map_or(0, Description::len) {
        systems.extend(description.as_ref().map(|it| it.lower(index, &mut diagnostics)));
    }
    (systems, diagnostics)
}

/// Reads a stack that is among the sources already, with what it includes.
fn described(
    files: &dyn Files,
    path: &Path,
    file: FileId,
    sources: &mut SourceMap,
    diagnostics: &mut Diagnostics,
) -> Option<Description> {
    let folder = path.parent().and_then(normal).unwrap_or_else(|| path.parent().unwrap_or(Path::new("")).to_owned());
    let left = Cell::new(LARGEST_STACK.saturating_sub(sources.file(file).text().len() as u64));
    let loader = FileLoader { files, folder, left };
    telstack_lang::read(file, sources, &loader, diagnostics)
}

/// The text of the stack at `path`.
pub(crate) fn read_stack(files: &dyn Files, path: &Path) -> Result<String, ReadFailure> {
    files.read_most(path, LARGEST_STACK)
}

/// Compiles the stack at `path`.
pub fn compile(files: &dyn Files, path: &Path) -> Result<Compiled, ReadFailure> {
    Ok(compile_text(files, path, read_stack(files, path)?))
}

/// Compiles the text of the stack at `path`.
pub(crate) fn compile_text(files: &dyn Files, path: &Path, text: String) -> Compiled {
    let mut sources = SourceMap::default();
    let file = sources.add(shown(path), text);
    let Judged { systems, diagnostics, artefacts } = compile_file(files, path, file, &mut sources);
    let diagnostics = diagnostics.sorted(&sources);
    Compiled { sources, systems, diagnostics, artefacts }
}

/// What is made of a stack that is among the sources already.
#[derive(Default)]
pub(crate) struct Judged {
    pub systems: Vec<System>,
    pub diagnostics: Diagnostics,
    pub artefacts: Vec<Artefact>,
}

/// Compiles a stack that is among the sources already.
pub(crate) fn compile_file(files: &dyn Files, path: &Path, file: FileId, sources: &mut SourceMap) -> Judged {
    let mut judged = Judged::default();
    let Some(description) = described(files, path, file, sources, &mut judged.diagnostics) else { return judged };
    // Mistakes in the text itself may leave any cluster without something.
    let sound = !judged.diagnostics.has_errors();
    let members = clusters::each(description.len(), |index| member(&description, index, sound));
    clusters::gather(members, &mut judged);
    if judged.diagnostics.has_errors() {
        judged.artefacts.clear();
    }
    if let Some(path) = written_twice(&judged.artefacts) {
        // The passes report what can be foreseen; this is the last door before one file replaces another.
        let place = judged.systems.first().and_then(|system| system.origin.span());
        let message = format!("two files would be called `{path}`");
        let finding = Diagnostic::new(&passes::NAME_COLLIDES, message).at(place, "in the output of this stack");
        judged.diagnostics.push(finding);
        judged.artefacts.clear();
    }
    judged
}

/// What becomes of one cluster of a stack, or of the whole of one without clusters.
fn member(description: &Description, index: usize, sound: bool) -> Judged {
    let mut diagnostics = Diagnostics::default();
    let mut system = description.lower(index, &mut diagnostics);
    let known = system.complete;
    system.complete = known && sound && !diagnostics.has_errors();
    passes::run(&mut system, &mut diagnostics);
    system.complete = known && sound && !diagnostics.has_errors();
    telstack_lint::check(&system, &mut diagnostics);
    let artefacts = if sound && !diagnostics.has_errors() { telstack_tools::emit(&system) } else { Vec::new() };
    Judged { systems: vec![system], diagnostics, artefacts }
}
