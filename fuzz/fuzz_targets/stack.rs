//! Stacks, as a whole: compiling them never fails, the report can be drawn, and the same text gives the same files.

#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use telstack_diagnostics::render::{Colour, human};
use telstack_workspace::{MemoryFiles, compile};

fuzz_target!(|text: &str| {
    let name = "fuzz.stack.kdl";
    let files = MemoryFiles::new([(name, text)]);
    let Ok(compiled) = compile(&files, Path::new(name)) else { return };
    for finding in compiled.diagnostics.iter().take(20) {
        human(finding, &compiled.sources, Colour::Off);
    }
    let Ok(again) = compile(&files, Path::new(name)) else { return };
    let texts = |compiled: &telstack_workspace::Compiled| {
        let files = compiled.artefacts.iter().map(|it| (it.path.clone(), it.written.text.clone()));
        files.collect::<Vec<_>>()
    };
    assert_eq!(texts(&compiled), texts(&again));
});
