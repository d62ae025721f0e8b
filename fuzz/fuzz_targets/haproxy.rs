//! Configurations of HAProxy: reading and judging them never fails, and the report can be drawn.

#![no_main]

use std::path::{Path, PathBuf};

use libfuzzer_sys::fuzz_target;
use telstack_diagnostics::render::{Colour, human};
use telstack_workspace::{Input, MemoryFiles, Request, Told, check_all};

fuzz_target!(|text: &str| {
    // It is known by its content.
    let text = format!("global\n mode tcp\n bind :1\nbackend b\n server s a:1\n{text}");
    let files = MemoryFiles::new([("d/haproxy.cfg", text.as_str())]);
    let request = Request { inputs: vec![Input::Path(PathBuf::from("d"))], ..Request::default() };
    let Ok(checked) = check_all(&files, &request, &mut |_: &Path| Ok(Told::default())) else { return };
    for finding in checked.diagnostics.iter().take(20) {
        human(finding, &checked.sources, Colour::Off);
    }
});
