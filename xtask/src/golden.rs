//! Rebuilds `golden/` from `stacks/`.

use std::path::{Path, PathBuf};

use telstack_diagnostics::Severity;
use telstack_workspace::{DiskFiles, Files, build, compile};

/// Compiles every stack into its golden folder; the work tree's own difference is the review.
pub fn run() -> Result<(), String> {
    // Names in the output are relative to the project's folder.
    std::env::set_current_dir(crate::tidy::root()).map_err(|error| error.to_string())?;
    let stacks = DiskFiles.list(Path::new("stacks")).map_err(|error| format!("stacks: {error}"))?;
    for stack in stacks.iter().filter_map(|name| name.strip_suffix(".stack.kdl")) {
        let path = PathBuf::from(format!("stacks/{stack}.stack.kdl"));
        let folder = PathBuf::from(format!("golden/{stack}"));
        let compiled = compile(&DiskFiles, &path).map_err(|error| format!("{}: {error}", path.display()))?;
        if compiled.has(Severity::Error) {
            return Err(format!("{} has errors: see `telstack check {}`", path.display(), path.display()));
        }
        // Ctrl-C simply ends it: git has what was there.
        let done =
            build(&DiskFiles, &compiled, &path, &folder, true, &|| false).map_err(|error| format!("{error:?}"))?;
        println!(
            "{}: {} written, {} unchanged, {} removed",
            folder.display(),
            done.written.len(),
            done.unchanged,
            done.removed.len()
        );
    }
    Ok(())
}
