//! `why`: who put that line there.

use std::path::PathBuf;

use telstack_diagnostics::Severity;
use telstack_system::OriginKind;
use telstack_workspace::{DiskFiles, Why, WhyError, WhyOrigin};

use super::report;
use crate::{
    args,
    output::{Fatal, Outcome, Output},
};

/// `why`.
pub fn why(output: &Output, args: &args::Why) -> Result<Outcome, Fatal> {
    let place =
        args.place.rsplit_once(':').and_then(|(file, line)| Some((PathBuf::from(file), line.parse::<usize>().ok()?)));
    let Some((file, line)) = place else {
        return Err(Fatal::new(format!("`{}` does not name a line", args.place))
            .help("write FILE:LINE, as in build/configs/otel-collector.yaml:42"));
    };
    match telstack_workspace::why(&DiskFiles, &file, line) {
        Ok(why) => {
            show(output, &why);
            Ok(Outcome::Clean)
        }
        Err(WhyError::Errors(compiled)) => {
            output.remark("the stack has errors; they come first:");
            Ok(report(output, &compiled, Severity::Error))
        }
        Err(error) => Err(explain(error)),
    }
}

fn show(output: &Output, why: &Why) {
    output.print(&format!("{}\n", output.strong(why.text.trim_end())));
    for origin in &why.origins {
        output.print(&format!("\n{}\n", sentence(origin)));
        let mut shown = Vec::new();
        for span in &origin.spans {
            let file = why.sources.file(span.file);
            let start = why.sources.start(*span);
            if shown.contains(&(span.file, start.line)) {
                continue;
            }
            shown.push((span.file, start.line));
            let text = file.line_text(start.line).unwrap_or_default().trim();
            output.print(&format!("  {}\n", output.faint(&format!("{}:{}:{}", file.name(), start.line, start.column))));
            output.print(&format!("    {text}\n"));
        }
        let (name, reason) = origin.pass;
        output.print(&format!("  {}\n", output.faint(&format!("pass {name}: {reason}"))));
    }
}

fn sentence(origin: &WhyOrigin) -> String {
    match origin.kind {
        OriginKind::Written => "the stack says so:".to_owned(),
        OriginKind::Derived => format!("it follows from the stack: {}", origin.reason),
        OriginKind::Fact => format!("a fact of the catalog decides: {}", origin.reason),
        OriginKind::Builtin => format!("telstack's own choice: {}", origin.reason),
    }
}

fn explain(error: WhyError) -> Fatal {
    match error {
        WhyError::NotBuilt(file) => Fatal::new(format!("{} is in no folder that telstack built", file.display()))
            .help("`why` explains files that `telstack build` wrote"),
        WhyError::Manifest(error) => Fatal::new(format!("the build folder's manifest cannot be used: {error:?}")),
        WhyError::Stack(path, failure) => {
            Fatal::new(format!("cannot read {}, the stack that the folder was built from: {failure}", path.display()))
                .help("build the folder again from where the stack is now")
        }
        WhyError::Unknown { folder, file, known } => {
            Fatal::new(format!("{file} is not a file of the stack in {}", folder.display()))
                .help(format!("its files are {}", known.join(", ")))
        }
        WhyError::NoLine { lines } => Fatal::new(format!("the file has {lines} lines")),
        WhyError::Stale(folder) => {
            Fatal::new("the file is not what the stack compiles to now, so its lines cannot be explained")
                .help(format!("run `telstack build STACK -o {}` first", folder.display()))
        }
        WhyError::Errors(_) => Fatal::new("the stack has errors"),
    }
}
