//! What each command does.

mod build;
mod check;
mod convert;
mod derived;
mod diff;
mod fmt;
mod git;
mod schema;
mod sdk;
mod why;

use std::{
    io::Read as _,
    path::{Path, PathBuf},
};

use clap::CommandFactory;
use telstack_diagnostics::{Diagnostic, Severity, SourceMap, render};
use telstack_workspace::{
    Assumed, AssumedError, CheckFailure, Compiled, DiskFiles, Files, Input, LARGEST, Mode, NewError, ReadFailure,
    Theme, compile, first_stack,
};

use crate::{
    args::{Args, Explain, Graph, GraphFormat, GraphTheme, ListFormat, New, Rules},
    output::{Fatal, Outcome, Output},
};

pub use build::build;
pub use check::check;
pub use convert::convert;
pub use diff::diff;
pub use fmt::fmt;
pub use schema::schema;
pub use sdk::sdk_env;
pub use why::why;

/// The end of a new stack file's name.
const STACK: &str = ".stack.kdl";
/// The ends that a stack file's name may have.
const STACKS: [&str; 3] = [STACK, ".stack.yaml", ".stack.yml"];

fn cannot_read(path: &Path, failure: &ReadFailure) -> Fatal {
    let fatal = Fatal::new(format!("cannot read {}: {failure}", path.display()));
    match failure {
        ReadFailure::Missing => fatal.help("`telstack new NAME` writes a first stack"),
        _ => fatal,
    }
}

/// The path as reports show it: relative to the working folder, however the file was named.
fn short(path: &Path) -> PathBuf {
    let here = std::env::current_dir().unwrap_or_default();
    let near = path.strip_prefix(&here).unwrap_or(path);
    // The working folder itself has a name, too.
    if near.as_os_str().is_empty() { PathBuf::from(".") } else { near.to_owned() }
}

fn read(path: &Path) -> Result<Compiled, Fatal> {
    compile(&DiskFiles, &short(path)).map_err(|failure| cannot_read(path, &failure))
}

/// What `check` knows.
const CHECKED: &str = "stacks, collectors' configurations, docker compose projects, Kubernetes manifests, haproxy.cfg, and \
                       the files of Prometheus, Loki, Tempo, Mimir, Jaeger, Alertmanager and Grafana";

fn cannot_check(failure: CheckFailure, version: Option<&str>, distribution: Option<&str>) -> Fatal {
    match failure {
        CheckFailure::Read(path, failure) => cannot_read(&path, &failure),
        CheckFailure::NotYet(path, what) => Fatal::new(format!("{} looks like {what}", path.display()))
            .help(format!("that is not checked; what is: {CHECKED}")),
        CheckFailure::Nothing(path) => Fatal::new(format!("nothing in {} can be checked", path.display()))
            .help(format!("that is: {CHECKED}; what git ignores, and what is larger than 4 MiB, is left alone")),
        CheckFailure::Assumed(error) => assumed_failed(error, version, distribution),
    }
}

fn assumed(version: Option<&str>, distribution: Option<&str>) -> Result<Assumed, Fatal> {
    Assumed::new(version, distribution).map_err(|error| assumed_failed(error, version, distribution))
}

/// Why no such collector can be assumed.
fn assumed_failed(error: AssumedError, version: Option<&str>, distribution: Option<&str>) -> Fatal {
    match error {
        AssumedError::NoRelease(near) => {
            let asked = version.unwrap_or_default();
            Fatal::new(format!("no collector release `{asked}` is known")).help(format!("the nearest is {near}"))
        }
        AssumedError::NoDistribution { near, known } => {
            let asked = distribution.unwrap_or_default();
            let fatal = Fatal::new(format!("there is no distribution `{asked}`"));
            fatal.help(match near {
                Some(near) => format!("did you mean `{near}`? There is {}", known.join(", ")),
                None => format!("there is {}", known.join(", ")),
            })
        }
        AssumedError::NotTogether { distribution, first } => {
            let fatal = Fatal::new(format!("the distribution `{distribution}` was not published at that release"));
            match first {
                Some(first) => fatal.help(format!("its first release is {first}")),
                None => fatal,
            }
        }
    }
}

/// A text in one line of at most so many characters.
fn in_a_line(text: &str, longest: usize) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if text.chars().count() <= longest {
        return text;
    }
    format!("{}…", text.chars().take(longest.saturating_sub(1)).collect::<String>().trim_end())
}

/// Most findings of a run that are shown to people: nobody reads more in one go, and many follow from the first.
const SHOWN: usize = 100;

/// Prints findings for people.
fn show(output: &Output, all: &[Diagnostic], sources: &SourceMap) {
    // Where there are too many the worst are shown, in reading order.
    let mut shown: Vec<usize> = (0..all.len()).collect();
    shown.sort_by_key(|at| std::cmp::Reverse(all[*at].severity));
    shown.truncate(SHOWN);
    shown.sort_unstable();
    for at in shown {
        output.print(&render::human(&all[at], sources, output.colour()));
    }
    if all.len() > SHOWN {
        let more = all.len() - SHOWN;
        output.print(&format!("and {more} more findings: `telstack check --format json` lists them all\n\n"));
    }
}

/// Prints findings for people and says whether one of them is at or above `level`.
fn report(output: &Output, compiled: &Compiled, level: Severity) -> Outcome {
    show(output, &compiled.diagnostics, &compiled.sources);
    if compiled.has(level) { Outcome::Findings } else { Outcome::Clean }
}

/// `new`.
pub fn new(output: &Output, args: &New) -> Result<Outcome, Fatal> {
    let text = first_stack(&args.name).map_err(|NewError::BadName(name)| {
        Fatal::new(format!("`{name}` cannot be a stack's name"))
            .help("use lower-case letters, digits and dashes, and start with a letter")
    })?;
    let name = format!("{}{STACK}", args.name);
    let path = if args.dir == Path::new(".") { PathBuf::from(name) } else { DiskFiles.reach(&args.dir).join(name) };
    if path.exists() {
        return Err(Fatal::new(format!("{} is there already", path.display())).help("choose another name"));
    }
    DiskFiles
        .write(&path, text.as_bytes(), Mode::Own)
        .map_err(|error| Fatal::new(format!("cannot write {}: {error}", path.display())))?;
    output.print(&format!("wrote {}\n", path.display()));
    output.print(&format!("next: telstack build {} -o build\n", path.display()));
    Ok(Outcome::Clean)
}

/// Files named, and stacks that lie directly in folders named.
fn stacks(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Fatal> {
    let mut found = Vec::new();
    for path in paths {
        if !path.is_dir() {
            found.push(path.clone());
            continue;
        }
        let names =
            DiskFiles.list(path).map_err(|error| Fatal::new(format!("cannot read {}: {error}", path.display())))?;
        let here: Vec<PathBuf> = names
            .into_iter()
            .filter(|name| STACKS.iter().any(|end| name.ends_with(end)))
            .map(|name| path.join(name))
            .collect();
        if here.is_empty() {
            return Err(Fatal::new(format!("no stack in {}", path.display()))
                .help(format!("stack files end in `{STACK}` or `.stack.yaml`")));
        }
        found.extend(here);
    }
    Ok(found)
}

/// The name of standard input, on the command line and in reports.
const STDIN: (&str, &str) = ("-", "<stdin>");

/// The text of standard input.
fn stdin() -> Result<String, Fatal> {
    let mut bytes = Vec::new();
    let read = std::io::stdin().lock().take(LARGEST + 1).read_to_end(&mut bytes);
    read.map_err(|error| Fatal::new(format!("cannot read standard input: {error}")))?;
    if bytes.len() as u64 > LARGEST {
        return Err(Fatal::new(format!("standard input is larger than the {} MiB that are read", LARGEST >> 20)));
    }
    String::from_utf8(bytes)
        .map_err(|error| Fatal::new(format!("standard input is not UTF-8 text: {}", error.utf8_error())))
}

fn input(path: &Path) -> Result<Input, Fatal> {
    if path != Path::new(STDIN.0) {
        return Ok(Input::Path(short(path)));
    }
    let text = stdin()?;
    Ok(Input::Text(STDIN.1.to_owned(), text))
}

/// `rules`.
pub fn rules(output: &Output, args: &Rules) -> Outcome {
    let rules = telstack_workspace::all_rules();
    match args.format {
        ListFormat::Human => {
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
        ListFormat::Json => output.print(&render::json::rules(&rules)),
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
    let Some(system) = compiled.whole() else {
        return Ok(report(output, &compiled, Severity::Info));
    };
    let findings = compiled.diagnostics.len();
    if compiled.has(Severity::Error) {
        output.remark(&format!("drawn as far as it goes: `telstack check` has {findings} findings"));
    }
    output.print(&match args.format {
        GraphFormat::Mermaid => telstack_workspace::mermaid(&system),
        GraphFormat::Dot => telstack_workspace::dot(&system),
        GraphFormat::Svg => {
            let theme = match args.theme {
                GraphTheme::Light => Theme::Light,
                GraphTheme::Dark => Theme::Dark,
                GraphTheme::Auto => Theme::Auto,
            };
            telstack_workspace::svg(&system, theme)
        }
    });
    Ok(Outcome::Clean)
}

/// `completions`.
pub fn completions(shell: clap_complete::Shell) {
    clap_complete::generate(shell, &mut Args::command(), "telstack", &mut std::io::stdout());
}
