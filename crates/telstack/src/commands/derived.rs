//! `build --explain` and `build --dump-ir`: what the passes made, and why.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use telstack_system::OriginKind;
use telstack_workspace::{Compiled, DerivedReason, DiskFiles, DumpError, derivation, dump_ir, pass_list};

use super::{cannot_read, in_a_line};
use crate::output::{Fatal, Outcome, Output};

/// How many of the things that follow from one reason are listed.
const LISTED: usize = 6;
/// How long a listed thing may be, in characters.
const LONGEST: usize = 110;
/// The word for the list of passes.
const LIST: &str = "list";

/// The System after a pass.
pub fn dump(output: &Output, stack: &Path, pass: &str) -> Result<Outcome, Fatal> {
    if pass == LIST {
        output.print(&passes());
        return Ok(Outcome::Clean);
    }
    match dump_ir(&DiskFiles, stack, pass) {
        Ok(dump) => {
            if dump.findings > 0 {
                let telling = format!("as far as it goes: {} findings; see `telstack check`", dump.findings);
                output.remark(&telling);
            }
            match dump.text {
                Some(text) => {
                    output.print(&text);
                    Ok(Outcome::Clean)
                }
                None => Ok(Outcome::Findings),
            }
        }
        Err(DumpError::Stack(failure)) => Err(cannot_read(stack, &failure)),
        Err(DumpError::UnknownPass(near)) => {
            output.remark(passes().trim_end());
            let help = near.map(|near| format!("did you mean `{near}`?"));
            Err(Fatal::new(format!("there is no pass `{pass}`"))
                .help(help.unwrap_or_else(|| "the passes are listed above".to_owned())))
        }
    }
}

fn passes() -> String {
    let lines: Vec<String> = pass_list().iter().map(|(name, reason)| format!("{name:12} {reason}\n")).collect();
    lines.concat()
}

/// What was derived, and why, on one page of Markdown.
pub fn explain(output: &Output, compiled: &Compiled) -> Outcome {
    let Some(derivation) = derivation(compiled) else { return Outcome::Clean };
    output.print(&format!("{}\n", output.strong(&format!("# What was derived for the stack {}", derivation.stack))));
    for group in &derivation.groups {
        let title = match &group.node {
            Some(node) => format!("## `{node}`: {}", group.title),
            None => format!("## {}", group.title),
        };
        output.print(&format!("\n{}\n\n", output.strong(&title)));
        for reason in &group.reasons {
            show(output, compiled, reason);
        }
    }
    Outcome::Clean
}

fn show(output: &Output, compiled: &Compiled, reason: &DerivedReason) {
    let origin = &reason.origin;
    let kind = match origin.kind {
        OriginKind::Written => "the stack says so",
        OriginKind::Derived => "follows from the stack",
        OriginKind::Fact => "a fact of the catalog",
        OriginKind::Builtin => "telstack's own choice",
    };
    output.print(&format!("- {}\n", output.strong(&origin.reason)));
    for thing in reason.things.iter().take(LISTED) {
        output.print(&format!("  - `{}`\n", in_a_line(thing, LONGEST)));
    }
    if let Some(more) = reason.things.len().checked_sub(LISTED + 1) {
        output.print(&format!("  - and {} more\n", more + 1));
    }
    let mut places: BTreeMap<&str, BTreeSet<usize>> = BTreeMap::new();
    for span in &origin.spans {
        let file = compiled.sources.file(span.file).name();
        places.entry(file).or_default().insert(compiled.sources.start(*span).line);
    }
    let lines = |lines: BTreeSet<usize>| lines.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let places = places.into_iter().map(|(file, of)| format!("{file}:{}", lines(of)));
    let from = places.collect::<Vec<_>>().join("; ");
    output.print(&format!("  {}\n", output.faint(&format!("{kind}; pass {}; from {from}", origin.pass.0))));
}
