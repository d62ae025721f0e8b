//! Kubernetes manifests: reading and judging them never fails, and the report can be drawn.

#![no_main]

use std::path::{Path, PathBuf};

use libfuzzer_sys::fuzz_target;
use telstack_diagnostics::render::{Colour, human};
use telstack_workspace::{Input, MemoryFiles, Request, Told, check_all};

fuzz_target!(|text: &str| {
    // Two files, so that what is split between them meets again.
    let (one, other) = text.split_once("\n+++\n").unwrap_or((text, ""));
    let files = MemoryFiles::new([("d/a.yaml", one), ("d/kustomization.yaml", other)]);
    let request = Request { inputs: vec![Input::Path(PathBuf::from("d"))], ..Request::default() };
    let Ok(checked) = check_all(&files, &request, &mut |_: &Path| Ok(Told::default())) else { return };
    for finding in checked.diagnostics.iter().take(20) {
        human(finding, &checked.sources, Colour::Off);
    }
});
