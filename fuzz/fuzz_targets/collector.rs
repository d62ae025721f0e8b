//! Configurations of collectors: reading and judging them never fails, and the report can be drawn.

#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use telstack_diagnostics::render::{Colour, human};
use telstack_workspace::{Assumed, MemoryFiles, check};

fuzz_target!(|text: &str| {
    let name = "collector.yaml";
    let assumed = Assumed::new(Some("0.135.0"), None).expect("a release that there is");
    let files = MemoryFiles::new([(name, text)]);
    let Ok(checked) = check(&files, Path::new(name), assumed) else { return };
    for finding in checked.diagnostics.iter().take(20) {
        human(finding, &checked.sources, Colour::Off);
    }
});
