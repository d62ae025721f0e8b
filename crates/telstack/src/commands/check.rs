//! `check`: finds what is wrong, puts right what it may, and shows the rest in the format asked for.

use std::{cell::RefCell, path::Path};

use telstack_diagnostics::{Applicability, Severity, render};
use telstack_workspace::{
    Baseline, BaselineError, Checked, Chosen, DiskFiles, Files, Findings, Fixed, Policy, Request, SettingsFrom,
    check_all, checkable, fix, fixable, nearest_code,
};

use super::{cannot_check, git, input, short};
use crate::{
    args::{Check, Format, Level, Reported},
    output::{Fatal, Outcome, Output, counted},
};

/// `check`.
pub fn check(output: &Output, args: &Check) -> Result<Outcome, Fatal> {
    sensible(args)?;
    let level = match args.fail_on {
        Level::Error => Severity::Error,
        Level::Warning => Severity::Warning,
        Level::Info => Severity::Info,
    };
    let request = Request {
        inputs: args.files.iter().map(|path| input(path)).collect::<Result<_, _>>()?,
        configs: args.configs.iter().map(|path| short(path)).collect(),
        pass_over_unknown: args.pass_over_unknown,
    };
    let policy = RefCell::new(policy(&args.reported)?);
    let (version, distribution) = (args.otelcol_version.as_deref(), args.distribution.as_deref());
    let failed = |failure| cannot_check(failure, version, distribution);
    // Settings are read before anything is checked by them.
    for path in &checkable(&DiskFiles, &request).map_err(failed)? {
        policy.borrow_mut().settings(path);
    }
    let wrong = policy.borrow().wrong_settings();
    if wrong.has(Severity::Error) {
        show(output, args, &wrong);
        output.remark("nothing was checked: put the settings right first, or leave them out with `--isolated`");
        return Ok(Outcome::CouldNotRun);
    }
    let stale = RefCell::new(Vec::new());
    let passed_over = RefCell::new(Vec::new());
    let run = |files: &dyn Files| {
        let mut told = |path: &Path| policy.borrow_mut().told(path, version, distribution);
        let checked = check_all(files, &request, &mut told).map_err(failed)?;
        *passed_over.borrow_mut() = remarks(&checked);
        let mut findings = Findings::default();
        findings.add(&checked.sources, checked.diagnostics);
        findings.add(&wrong.sources, wrong.diagnostics.clone());
        *stale.borrow_mut() = policy.borrow_mut().apply(&mut findings);
        Ok(findings)
    };
    if args.reported.write_baseline {
        return write_baseline(output, args, &run(&DiskFiles)?);
    }
    let fixing = args.fixing.fix || args.fixing.diff;
    let most = if args.fixing.unsafe_fixes { Applicability::Unsafe } else { Applicability::Safe };
    let fixed = if fixing {
        fix(&DiskFiles, most, run)?
    } else {
        Fixed { findings: run(&DiskFiles)?, files: Vec::new(), applied: 0 }
    };
    if args.fixing.diff {
        return Ok(diff(output, &fixed, level));
    }
    for file in &fixed.files {
        file.write(&DiskFiles).map_err(|error| Fatal::new(format!("cannot write {}: {error}", file.name)))?;
    }
    show(output, args, &fixed.findings);
    if fixing && fixed.applied > 0 {
        let files: Vec<&str> = fixed.files.iter().map(|it| it.name.as_str()).collect();
        output.remark(&format!("put {} right, in {}", counted_findings(fixed.applied), files.join(", ")));
    } else if args.format == Format::Human {
        offer(output, &fixed.findings);
    }
    tell_stale(output, args, &stale.borrow());
    for remark in passed_over.borrow().iter() {
        output.remark(remark);
    }
    Ok(if fixed.findings.has(level) { Outcome::Findings } else { Outcome::Clean })
}

/// What clap cannot say.
fn sensible(args: &Check) -> Result<(), Fatal> {
    if args.statistics && !matches!(args.format, Format::Human | Format::Json) {
        return Err(
            Fatal::new("`--statistics` is for people and for `--format json`").help("leave one of the two options out")
        );
    }
    if args.fixing.unsafe_fixes && !args.fixing.fix && !args.fixing.diff {
        return Err(Fatal::new("`--unsafe-fixes` says which fixes, and not what to do with them")
            .help("add `--fix` to apply them, or `--diff` to see them"));
    }
    Ok(())
}

fn policy(args: &Reported) -> Result<Policy<'static>, Fatal> {
    let chosen = Chosen::new(&args.select, &args.ignore).map_err(|code| {
        let help = match nearest_code(&code) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "`telstack rules` lists every code; a letter stands for its family, ALL for all".to_owned(),
        };
        Fatal::new(format!("there is no code `{code}`")).help(help)
    })?;
    let from = match &args.settings {
        Some(path) => SettingsFrom::File(short(path)),
        None if args.isolated => SettingsFrom::Nothing,
        None => SettingsFrom::Nearest,
    };
    let policy = Policy::new(&DiskFiles, from, chosen).map_err(|failure| {
        let path = args.settings.clone().unwrap_or_default();
        Fatal::new(format!("cannot read {}: {failure}", path.display()))
    })?;
    let baseline = match &args.baseline {
        Some(path) if !args.write_baseline => Some(baseline(path)?),
        _ => None,
    };
    let changed = args.changed_since.as_deref().map(git::changed_since).transpose()?;
    Ok(policy.without(baseline).only(changed))
}

fn baseline(path: &Path) -> Result<Baseline, Fatal> {
    Baseline::read(&DiskFiles, path).map_err(|error| baseline_failed(path, error))
}

fn baseline_failed(path: &Path, error: BaselineError) -> Fatal {
    let path = path.display();
    match error {
        BaselineError::Unreadable(why) => {
            Fatal::new(format!("cannot read the baseline {path}: {why}")).help("`--write-baseline` writes one")
        }
        BaselineError::Newer(version) => {
            Fatal::new(format!("the baseline {path} has version {version}, of a later release of telstack"))
        }
        BaselineError::Write(error) => Fatal::new(format!("cannot write the baseline {path}: {error}")),
    }
}

/// What was not checked.
fn remarks(checked: &Checked) -> Vec<String> {
    let left_alone = checked.left_alone.iter().map(|(path, what)| {
        let what = what.unwrap_or("nothing that telstack checks");
        format!("{} was left alone: it looks like {what}", path.display())
    });
    let cut = checked
        .cut
        .iter()
        .map(|folder| format!("{} holds more files than are looked at: name folders in it", folder.display()));
    left_alone.chain(cut).collect()
}

fn write_baseline(output: &Output, args: &Check, findings: &Findings) -> Result<Outcome, Fatal> {
    let Some(path) = &args.reported.baseline else { return Err(Fatal::new("`--baseline` names no file")) };
    // What it knows of other files stays.
    let known = if path.exists() { baseline(path)? } else { Baseline::new(path) };
    let count = known.write(&DiskFiles, findings).map_err(|error| baseline_failed(path, error))?;
    output.print(&format!("wrote {} with {}\n", path.display(), counted_findings(count)));
    Ok(Outcome::Clean)
}

/// Shows what fixes would change.
fn diff(output: &Output, fixed: &Fixed, level: Severity) -> Outcome {
    for file in &fixed.files {
        output.print(&file.diff());
    }
    if fixed.files.is_empty() {
        output.remark("nothing to put right");
        return if fixed.findings.has(level) { Outcome::Findings } else { Outcome::Clean };
    }
    output.remark(&format!("`--fix` would put {} right", counted_findings(fixed.applied)));
    Outcome::Findings
}

fn show(output: &Output, args: &Check, findings: &Findings) {
    let (all, sources) = (&findings.diagnostics, &findings.sources);
    match args.format {
        Format::Human => {
            if args.statistics {
                output.print(&render::statistics(all));
            } else {
                super::show(output, all, sources);
            }
            output.print(&format!("{}\n", render::summary(all)));
        }
        Format::Json if args.statistics => output.print(&render::statistics_json(all)),
        Format::Json => output.print(&render::json::text(&render::json::report(all, sources))),
        Format::Sarif => output.print(&render::sarif(all, sources)),
        Format::Github => output.print(&render::github(all, sources)),
        Format::Gitlab => output.print(&render::gitlab(all, sources)),
        Format::Junit => output.print(&render::junit(all, sources)),
    }
}

/// Says which findings telstack can put right.
fn offer(output: &Output, findings: &Findings) {
    let count = |most| fixable(&DiskFiles, findings, most).count();
    let (safe, all) = (count(Applicability::Safe), count(Applicability::Unsafe));
    match (safe, all - safe) {
        (0, 0) => {}
        (safe, 0) => output.print(&format!("`--fix` puts {} right\n", counted_findings(safe))),
        (0, more) => output.print(&format!("`--fix --unsafe-fixes` puts {} right\n", counted_findings(more))),
        (safe, more) => {
            output.print(&format!("`--fix` puts {} right, `--unsafe-fixes` {more} more\n", counted_findings(safe)));
        }
    }
}

fn counted_findings(count: usize) -> String {
    counted(count, "finding", "findings")
}

fn tell_stale(output: &Output, args: &Check, stale: &[String]) {
    let Some(path) = args.reported.baseline.as_ref().filter(|_| !stale.is_empty()) else { return };
    let what = counted(stale.len(), "entry", "entries");
    output.remark(&format!("{what} of {} no longer found; `--write-baseline` takes out:", path.display()));
    for line in stale {
        output.remark(&format!("  {line}"));
    }
}
