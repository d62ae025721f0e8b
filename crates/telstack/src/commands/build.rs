//! `build`: compile a stack into a folder.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use signal_hook::consts::{SIGINT, SIGTERM};
use telstack_diagnostics::{Severity, render};
use telstack_workspace::{BuildError, DiskFiles, Files as _, Stale, check_folder};

use super::{derived, read, report};
use crate::{
    args::Build,
    output::{Fatal, Outcome, Output},
};

/// `build`.
pub fn build(output: &Output, args: &Build) -> Result<Outcome, Fatal> {
    if let Some(pass) = &args.dump_ir {
        return derived::dump(output, &args.stack, pass);
    }
    let compiled = read(&args.stack)?;
    let outcome = report(output, &compiled, Severity::Error);
    if outcome != Outcome::Clean {
        output.remark(&format!("{}: nothing was written", render::summary(&compiled.diagnostics)));
        return Ok(outcome);
    }
    let folder = match &args.output {
        Some(folder) if !args.explain => DiskFiles.reach(folder),
        _ => return Ok(derived::explain(output, &compiled)),
    };
    let folder = folder.as_path();
    if folder.exists() && !folder.is_dir() {
        return Err(Fatal::new(format!("{} is not a folder", folder.display())));
    }
    if args.check {
        let stale = check_folder(&DiskFiles, &compiled, &args.stack, folder).map_err(|error| explain(error, folder))?;
        for it in &stale {
            let (path, what) = match it {
                Stale::Missing(path) => (path, "is missing"),
                Stale::Different(path) => (path, "is out of date"),
                Stale::Changed(path) => (path, "was changed by hand"),
                Stale::Obsolete(path) => (path, "is not part of the stack any more"),
            };
            output.print(&format!("{} {what}\n", folder.join(path).display()));
        }
        if stale.is_empty() {
            output.print(&format!("{} is up to date\n", folder.display()));
            return Ok(Outcome::Clean);
        }
        let again = format!("telstack build {} -o {}", args.stack.display(), folder.display());
        output.remark(&if stale.iter().any(|it| matches!(it, Stale::Changed(_))) {
            format!("take the changes into the stack, then run `{again} --force`")
        } else {
            format!("run `{again}` to bring it up to date")
        });
        return Ok(Outcome::Findings);
    }
    let asked = interruption();
    let interrupted = || asked.load(Ordering::Relaxed);
    let done = match telstack_workspace::build(&DiskFiles, &compiled, &args.stack, folder, args.force, &interrupted) {
        Err(error @ BuildError::Interrupted) => {
            output.fatal(&explain(error, folder));
            return Ok(Outcome::Interrupted);
        }
        done => done.map_err(|error| explain(error, folder))?,
    };
    for path in &done.written {
        output.print(&format!("wrote   {}\n", folder.join(path).display()));
    }
    for path in &done.removed {
        output.print(&format!("removed {}\n", folder.join(path).display()));
    }
    if interrupted() {
        output.remark(&format!(
            "interrupted, but the files were in their places already: {} is up to date",
            folder.display()
        ));
        return Ok(Outcome::Interrupted);
    }
    if done.written.is_empty() && done.removed.is_empty() {
        output.print(&format!("{} is up to date: {} files\n", folder.display(), done.unchanged));
        return Ok(Outcome::Clean);
    }
    next_steps(output, &compiled, folder);
    Ok(Outcome::Clean)
}

/// Becomes true when somebody wants the command to end. From here on that does not end it in the middle of a step.
fn interruption() -> Arc<AtomicBool> {
    let asked = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        // Where the system refuses, signals end the command as ever; the next build puts right what that leaves.
        let _ = signal_hook::flag::register(signal, Arc::clone(&asked));
    }
    asked
}

fn next_steps(output: &Output, compiled: &telstack_workspace::Compiled, folder: &Path) {
    let has = |path: &str| compiled.artefacts.iter().any(|artefact| artefact.path == path);
    if !has("docker-compose.yml") {
        return;
    }
    output.print(&format!("\nnext:  cd {}\n", folder.display()));
    if has(".env.example") {
        output.print("       cp .env.example .env      # then fill it in\n");
    }
    let certificates: Vec<&str> =
        compiled.systems.iter().flat_map(telstack_system::tls::files).map(|file| file.value.as_str()).collect();
    if !certificates.is_empty() {
        output.print(&format!("       ls {}      # put them there first\n", certificates.join(" ")));
    }
    output.print("       docker compose up -d\n");
}

fn explain(error: BuildError, folder: &Path) -> Fatal {
    let list = |paths: &[String]| {
        paths.iter().map(|path| folder.join(path).display().to_string()).collect::<Vec<_>>().join(", ")
    };
    match error {
        BuildError::NotOurs(paths) => {
            Fatal::new(format!("telstack did not write {}, so it will not overwrite", list(&paths)))
                .help("choose another folder with -o, or move these files away")
        }
        BuildError::ChangedByHand(paths) => {
            Fatal::new(format!("changed by hand since the last build: {}", list(&paths)))
                .help("take the change into the stack and build with --force; nothing was written")
        }
        BuildError::Outside(path) => Fatal::new(format!("{} leads outside {}", path, folder.display()))
            .help("a link in the folder, or a changed manifest, points elsewhere; nothing was written"),
        BuildError::Manifest(why) => {
            Fatal::new(format!("{} cannot be read: {why}", folder.join(telstack_workspace::MANIFEST).display()))
                .help("restore it, or build into an empty folder")
        }
        BuildError::Busy => Fatal::new(format!("another build is writing into {}", folder.display()))
            .help("wait until it is done, and run this again; nothing was written"),
        BuildError::Interrupted => Fatal::new("interrupted: nothing was written"),
        BuildError::Io(path, error) => Fatal::new(format!("{}: {error}", path.display())).help("nothing was written"),
        BuildError::CutOff(path, error) => Fatal::new(format!("{}: {error}", path.display()))
            .help("some files are new and some are old: put this right, and run the build again"),
    }
}
