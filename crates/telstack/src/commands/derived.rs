//! `build --explain` and `build --dump-ir`: what the passes made, and why.

use std::path::Path;

use telstack_system::OriginKind;
use telstack_workspace::{Compiled, Decision, DiskFiles, DumpError, derivation, dump_ir, pass_list};

use super::{cannot_read, in_a_line};
use crate::output::{Fatal, Outcome, Output, counted};

/// How many facts of a pass are told.
const LISTED: usize = 3;
/// How long a listed thing may be, in characters.
const LONGEST: usize = 80;
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

/// What was derived, and why, on one page of Markdown: a line for each decision, and one for all facts of a pass.
pub fn explain(output: &Output, compiled: &Compiled) -> Outcome {
    let Some(derivation) = derivation(compiled) else { return Outcome::Clean };
    output.print(&format!("{}\n", output.strong(&format!("# What was derived for the stack {}", derivation.stack))));
    for group in &derivation.groups {
        let title = match group.kind {
            OriginKind::Written => "The stack says so",
            OriginKind::Derived => "What follows from the stack",
            OriginKind::Fact => "What the catalog knows of these releases",
            OriginKind::Builtin => "What telstack chose",
        };
        let values: usize = group.decisions.iter().map(|it| it.things.len()).sum();
        output
            .print(&format!("\n{}\n\n", output.strong(&format!("## {title}: {}", counted(values, "value", "values")))));
        if group.kind == OriginKind::Fact {
            facts(output, &group.decisions);
        } else {
            group.decisions.iter().for_each(|it| decision(output, it));
        }
    }
    let telling = "`telstack why FILE:LINE` tells of any line of the files which lines of the stack it follows from.";
    output.print(&format!("\n{telling}\n"));
    Outcome::Clean
}

fn decision(output: &Output, it: &Decision) {
    let what = match it.things.as_slice() {
        [one] => format!("`{}`", in_a_line(one, LONGEST)),
        more => counted(more.len(), "value", "values"),
    };
    let whose = match it.nodes.as_slice() {
        [] => String::new(),
        [one] => format!("{one}, "),
        more => format!("{} nodes, ", more.len()),
    };
    output.print(&format!("- {}: {}\n", output.strong(&it.reason), output.faint(&format!("{whose}{what}"))));
}

/// Facts decide nothing: those of a pass share a line.
fn facts(output: &Output, decisions: &[Decision]) {
    let mut passes: Vec<&str> = Vec::new();
    for decision in decisions {
        if !passes.contains(&decision.pass) {
            passes.push(decision.pass);
        }
    }
    for pass in passes {
        let of = || decisions.iter().filter(|it| it.pass == pass);
        let values: usize = of().map(|it| it.things.len()).sum();
        let mut reasons: Vec<&str> = of().map(|it| it.reason.as_str()).take(LISTED).collect();
        let more = of().count().saturating_sub(LISTED);
        let rest = format!("and {more} more");
        if more > 0 {
            reasons.push(&rest);
        }
        let line = format!("{}: {}", counted(values, "value", "values"), reasons.join("; "));
        output.print(&format!("- {}: {line}\n", output.strong(&format!("`{pass}`"))));
    }
}
