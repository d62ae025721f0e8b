//! What git knows of changes.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use telstack_workspace::Changed;

use crate::output::Fatal;

/// The files below the repository's root that changed since a revision, and those that git does not know yet.
/// What others did since the ways parted does not count.
pub fn changed_since(revision: &str) -> Result<Changed, Fatal> {
    let here = std::env::current_dir().map_err(|error| Fatal::new(format!("there is no working folder: {error}")))?;
    let prefix = git(&["rev-parse", "--show-prefix"])
        .map_err(|why| Fatal::new(format!("`--changed-since` asks git: {why}")).help("run it inside a repository"))?;
    let depth = Path::new(prefix.trim_end_matches('\n')).components().count();
    let root: PathBuf = here.ancestors().nth(depth).map(Path::to_owned).unwrap_or_default();

    let commit = format!("{revision}^{{commit}}");
    let commit = git(&["rev-parse", "--verify", "--quiet", "--end-of-options", &commit]).map_err(|_| {
        Fatal::new(format!("git knows no revision `{revision}`"))
            .help("name a branch, a tag or a commit; a shallow clone may lack it")
    })?;
    let commit = commit.trim();
    // A shallow clone may not know where the ways parted.
    let base = git(&["merge-base", commit, "HEAD"]).unwrap_or_else(|_| commit.to_owned());
    let failed = |why: String| Fatal::new(format!("`--changed-since` asks git: {why}"));
    let changed = git(&["diff", "--name-only", "--no-ext-diff", "-z", base.trim(), "--"]).map_err(failed)?;
    // Paths from the root, like those of `diff`.
    let new = git(&["ls-files", "--others", "--exclude-standard", "--full-name", "-z", "--", ":/"]).map_err(failed)?;
    Ok(changed.split('\0').chain(new.split('\0')).filter(|it| !it.is_empty()).map(|name| root.join(name)).collect())
}

/// What git prints, or why it did not.
fn git(args: &[&str]) -> Result<String, String> {
    let output = Command::new("git")
        .args(args)
        // Words for programs, and no lock on what the user works with.
        .env("LC_ALL", "C")
        .env("GIT_OPTIONAL_LOCKS", "0")
        .output()
        .map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => "there is no program `git`".to_owned(),
            _ => error.to_string(),
        })?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(said.lines().next().unwrap_or("it failed").trim_start_matches("fatal: ").to_owned())
}
