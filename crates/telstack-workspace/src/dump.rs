//! The System after a pass, as JSON: what people look at who want to know which pass did what.

use std::path::Path;

use telstack_system::{System, passes};

use crate::{
    compile::{lowered, read_stack},
    explain::nearest,
    files::{Files, ReadFailure},
    ir,
};

/// The name for the System before any pass.
pub const RAW: &str = "raw";

/// Why there is nothing to show.
#[derive(Debug)]
pub enum DumpError {
    /// There is no pass of that name; the nearest one.
    UnknownPass(Option<&'static str>),
    /// The stack cannot be read.
    Stack(ReadFailure),
}

/// A System as text.
#[derive(Debug)]
pub struct Dump {
    /// JSON; none if the text does not even name a stack.
    pub text: Option<String>,
    /// How many findings there were until then.
    pub findings: usize,
}

/// All that can be asked for, in the order of running, each with what it does.
pub fn pass_list() -> Vec<(&'static str, &'static str)> {
    let raw = (RAW, "before any pass: what the stack says");
    std::iter::once(raw).chain(passes::ALL.iter().map(|pass| (pass.name, pass.reason))).collect()
}

/// The System of the stack at `path` after the pass of that name, or [`RAW`]. The same stack gives the same
/// bytes.
pub fn dump_ir(files: &dyn Files, path: &Path, pass: &str) -> Result<Dump, DumpError> {
    let names = pass_list();
    if !names.iter().any(|(name, _)| *name == pass) {
        return Err(DumpError::UnknownPass(nearest(pass, names.into_iter().map(|(name, _)| name))));
    }
    let text = read_stack(files, path).map_err(DumpError::Stack)?;
    let (mut systems, mut diagnostics) = lowered(files, path, text);
    if pass != RAW {
        for system in &mut systems {
            system.complete = !diagnostics.has_errors();
            passes::run_until(system, &mut diagnostics, pass);
        }
    }
    let whole = match &*systems {
        [first, others @ ..] if !others.is_empty() => Some(System::joined(first, others)),
        _ => systems.pop(),
    };
    let text = whole.map(|system| telstack_syntax::json::write(&ir::system(&system)).text);
    Ok(Dump { text, findings: diagnostics.iter().count() })
}
