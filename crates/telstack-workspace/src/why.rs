//! `why FILE:LINE`: the stack line and the pass behind a line of an emitted file.

use std::path::{Path, PathBuf};

use telstack_diagnostics::{SourceMap, Span};
use telstack_system::{Origin, OriginKind, passes};

use crate::{
    build::{BuildError, stack_of},
    compile::{Compiled, compile},
    files::{Files, ReadFailure, tidy},
};

/// What is behind one line.
#[derive(Debug)]
pub struct Why {
    /// The stack's files.
    pub sources: SourceMap,
    /// The line itself.
    pub text: String,
    /// Everything that put something on the line, the most telling first.
    pub origins: Vec<WhyOrigin>,
}

/// One reason.
#[derive(Clone, PartialEq, Debug)]
pub struct WhyOrigin {
    /// The kind.
    pub kind: OriginKind,
    /// The pass that made the value, or the step that wrote it to the file as it stands in the stack; with its
    /// one-line reason.
    pub pass: (&'static str, &'static str),
    /// Why the pass made it.
    pub reason: String,
    /// The places in the stack.
    pub spans: Vec<Span>,
}

impl WhyOrigin {
    /// What an origin says.
    pub(crate) fn new(origin: &Origin) -> Self {
        let pass = passes::ALL.iter().find(|pass| origin.pass() == Some(pass.name));
        let pass = pass.map_or(telstack_tools::STEP, |pass| (pass.name, pass.reason));
        Self { kind: origin.kind(), pass, reason: origin.reason().to_owned(), spans: origin.spans().to_vec() }
    }
}

/// Why there is no answer.
#[derive(Debug)]
pub enum WhyError {
    /// The file is in no folder that telstack wrote.
    NotBuilt(PathBuf),
    /// The folder's manifest cannot be used.
    Manifest(BuildError),
    /// The stack cannot be read.
    Stack(PathBuf, ReadFailure),
    /// The stack has errors: nothing can be said about what it compiles to.
    Errors(Box<Compiled>),
    /// The file is not one of the stack's.
    Unknown {
        /// The build folder.
        folder: PathBuf,
        /// The file, below it.
        file: String,
        /// The files that the stack compiles to.
        known: Vec<String>,
    },
    /// The file has fewer lines.
    NoLine {
        /// How many it has.
        lines: usize,
    },
    /// The file on disk is not what the stack compiles to now, so lines do not match.
    Stale(PathBuf),
}

/// Explains the 1-based `line` of `file`. The build folder is the nearest one above the file that has a
/// manifest.
pub fn why(files: &dyn Files, file: &Path, line: usize) -> Result<Why, WhyError> {
    let (folder, stack) = built_by(files, file)?;
    let compiled = compile(files, &stack).map_err(|failure| WhyError::Stack(stack, failure))?;
    if compiled.artefacts.is_empty() {
        return Err(WhyError::Errors(Box::new(compiled)));
    }
    let inner = file.strip_prefix(&folder).unwrap_or(file).to_string_lossy().replace('\\', "/");
    let Some(artefact) = compiled.artefacts.iter().find(|artefact| artefact.path == inner) else {
        let known = compiled.artefacts.iter().map(|artefact| artefact.path.clone()).collect();
        return Err(WhyError::Unknown { folder, file: inner, known });
    };
    let there = files.read_bytes(file).ok().flatten();
    if there.as_deref() != Some(artefact.written.text.as_bytes()) {
        return Err(WhyError::Stale(folder));
    }
    let lines = artefact.written.lines.len();
    let origins = line.checked_sub(1).and_then(|at| artefact.written.lines.get(at));
    let Some(origins) = origins else { return Err(WhyError::NoLine { lines }) };
    let text = artefact.written.text.lines().nth(line - 1).unwrap_or_default().to_owned();
    Ok(Why { text, origins: reasons(origins), sources: compiled.sources })
}

/// What was written or decided for this line comes before what merely surrounds it.
fn reasons(origins: &[Origin]) -> Vec<WhyOrigin> {
    let mut out: Vec<WhyOrigin> = Vec::new();
    // Keys come before values on a line; the value says more.
    for origin in origins.iter().rev() {
        let reason = WhyOrigin { spans: Vec::new(), ..WhyOrigin::new(origin) };
        let same = |known: &WhyOrigin| WhyOrigin { spans: Vec::new(), ..known.clone() } == reason;
        let at = out.iter().position(same).unwrap_or_else(|| {
            out.push(reason.clone());
            out.len() - 1
        });
        for span in origin.spans() {
            if !out[at].spans.contains(span) {
                out[at].spans.push(*span);
            }
        }
    }
    out
}

fn built_by(files: &dyn Files, file: &Path) -> Result<(PathBuf, PathBuf), WhyError> {
    let mut folder = file.parent();
    while let Some(candidate) = folder {
        if let Some(stack) = stack_of(files, candidate).map_err(WhyError::Manifest)? {
            let stack =
                if Path::new(&stack).is_absolute() { PathBuf::from(stack) } else { tidy(&candidate.join(stack)) };
            return Ok((candidate.to_owned(), stack));
        }
        folder = candidate.parent();
    }
    Err(WhyError::NotBuilt(file.to_owned()))
}
