//! What each command does.

mod build;
mod fmt;
mod why;

use std::path::{Path, PathBuf};

use clap::CommandFactory;
use telstack_diagnostics::{Severity, render};
use telstack_workspace::{Compiled, DiskFiles, Files, Mode, NewError, ReadFailure, compile, first_stack};

use crate::{
    args::{Args, Check, Explain, Format, Graph, GraphFormat, Level, New, Rules},
    output::{Fatal, Outcome, Output},
};

pub use build::build;
pub use fmt::fmt;
pub use why::why;

/// The end of a stack file's name.
const STACK: &str = ".stack.kdl";

/// Is it a stack in the second syntax?
fn is_yaml(path: &Path) -> bool {
    path.extension().is_some_and(|it| it == "yaml" || it == "yml")
}

fn cannot_read(path: &Path, failure: &ReadFailure) -> Fatal {
    let fatal = Fatal::new(format!("cannot read {}: {failure}", path.display()));
    match failure {
        ReadFailure::Missing => fatal.help("`telstack new NAME` writes a first stack"),
        _ => fatal,
    }
}

fn read(path: &Path) -> Result<Compiled, Fatal> {
    // Reports show paths relative to the working folder, however the file was named.
    let here = std::env::current_dir().unwrap_or_default();
    let short = path.strip_prefix(&here).unwrap_or(path);
    compile(&DiskFiles, short).map_err(|failure| cannot_read(path, &failure))
}

/// Prints findings for people and says whether one of them is at or above `level`.
fn report(output: &Output, compiled: &Compiled, level: Severity) -> Outcome {
    for it in &compiled.diagnostics {
        output.print(&render::human(it, &compiled.sources, output.colour()));
    }
    if compiled.has(level) { Outcome::Findings } else { Outcome::Clean }
}

/// `new`.
pub fn new(output: &Output, args: &New) -> Result<Outcome, Fatal> {
    let text = first_stack(&args.name).map_err(|NewError::BadName(name)| {
        Fatal::new(format!("`{name}` cannot be a stack's name"))
            .help("use lower-case letters, digits and dashes, and start with a letter")
    })?;
    let name = format!("{}{STACK}", args.name);
    let path = if args.dir == Path::new(".") { PathBuf::from(name) } else { args.dir.join(name) };
    if path.exists() {
        return Err(Fatal::new(format!("{} is there already", path.display())).help("choose another name"));
    }
    DiskFiles
        .write(&path, text.as_bytes(), Mode::Text)
        .map_err(|error| Fatal::new(format!("cannot write {}: {error}", path.display())))?;
    output.print(&format!("wrote {}\n", path.display()));
    output.print(&format!("next: telstack build {} -o build\n", path.display()));
    Ok(Outcome::Clean)
}

/// Stack files named, and those that lie directly in folders named.
fn stacks(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Fatal> {
    let mut found = Vec::new();
    for path in paths {
        if !path.is_dir() {
            found.push(path.clone());
            continue;
        }
        let names =
            DiskFiles.list(path).map_err(|error| Fatal::new(format!("cannot read {}: {error}", path.display())))?;
        let here: Vec<PathBuf> =
            names.into_iter().filter(|name| name.ends_with(STACK)).map(|name| path.join(name)).collect();
        if here.is_empty() {
            return Err(
                Fatal::new(format!("no stack in {}", path.display())).help(format!("stack files end in `{STACK}`"))
            );
        }
        found.extend(here);
    }
    Ok(found)
}

/// `check`.
pub fn check(output: &Output, args: &Check) -> Result<Outcome, Fatal> {
    let level = match args.fail_on {
        Level::Error => Severity::Error,
        Level::Warning => Severity::Warning,
        Level::Info => Severity::Info,
    };
    let compiled = stacks(&args.stacks)?.iter().map(|path| read(path)).collect::<Result<Vec<_>, _>>()?;
    let failed = compiled.iter().any(|it| it.has(level));
    match args.format {
        Format::Human => {
            for it in &compiled {
                report(output, it, level);
            }
            let all: Vec<_> = compiled.iter().flat_map(|it| it.diagnostics.iter().cloned()).collect();
            output.print(&format!("{}\n", render::summary(&all)));
        }
        Format::Json => {
            let mut whole = render::json::JsonReport { version: 1, diagnostics: Vec::new() };
            for it in &compiled {
                whole.diagnostics.extend(render::json::report(&it.diagnostics, &it.sources).diagnostics);
            }
            output.print(&render::json::text(&whole));
        }
    }
    Ok(if failed { Outcome::Findings } else { Outcome::Clean })
}

/// `rules`.
pub fn rules(output: &Output, args: &Rules) -> Outcome {
    let rules = telstack_workspace::all_rules();
    match args.format {
        Format::Human => {
            for rule in rules {
                output.print(&format!(
                    "{}  {:8} {:34} {}\n",
                    output.strong(rule.code),
                    rule.severity.to_string(),
                    rule.name,
                    rule.summary
                ));
            }
        }
        Format::Json => output.print(&render::json::rules(&rules)),
    }
    Outcome::Clean
}

/// `explain`.
pub fn explain(output: &Output, args: &Explain) -> Result<Outcome, Fatal> {
    if let Some(rule) = telstack_workspace::rule(&args.code) {
        output.print(&render::rule_page(rule));
        return Ok(Outcome::Clean);
    }
    let help = match telstack_workspace::nearest_code(&args.code) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "`telstack rules` lists every code".to_owned(),
    };
    Err(Fatal::new(format!("there is no code `{}`", args.code)).help(help))
}

/// `graph`.
pub fn graph(output: &Output, args: &Graph) -> Result<Outcome, Fatal> {
    let compiled = read(&args.stack)?;
    let Some(system) = &compiled.system else {
        return Ok(report(output, &compiled, Severity::Info));
    };
    let findings = compiled.diagnostics.len();
    if compiled.has(Severity::Error) {
        output.remark(&format!("drawn as far as it goes: `telstack check` has {findings} findings"));
    }
    output.print(&match args.format {
        GraphFormat::Mermaid => telstack_workspace::mermaid(system),
        GraphFormat::Dot => telstack_workspace::dot(system),
    });
    Ok(Outcome::Clean)
}

/// `completions`.
pub fn completions(shell: clap_complete::Shell) {
    clap_complete::generate(shell, &mut Args::command(), "telstack", &mut std::io::stdout());
}
