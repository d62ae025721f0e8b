//! Compose projects: reading them with what stands beside them never fails, the report can be drawn, and fixes lie in
//! the text. Files follow each other, parted by lines of `%%`: the compose file, `.env`, a Dockerfile, a configuration.

#![no_main]

use std::path::{Path, PathBuf};

use libfuzzer_sys::fuzz_target;
use telstack_diagnostics::{
    apply,
    render::{Colour, human},
};
use telstack_workspace::{Input, MemoryFiles, Request, Told, check_all};

const NAMES: [&str; 4] = ["p/compose.yaml", "p/.env", "p/Dockerfile", "p/config.yaml"];

fuzz_target!(|text: &str| {
    let mut parts = text.split("\n%%\n");
    let files = MemoryFiles::new(NAMES.map(|name| (name, parts.next().unwrap_or_default())));
    let request = Request { inputs: vec![Input::Path(PathBuf::from("p"))], ..Request::default() };
    let mut told = |_: &Path| Ok(Told::default());
    let Ok(checked) = check_all(&files, &request, &mut told) else { return };
    for finding in checked.diagnostics.iter().take(20) {
        human(finding, &checked.sources, Colour::Off);
        let Some(fix) = &finding.fix else { continue };
        for edit in &fix.edits {
            let text = checked.sources.file(edit.span.file).text();
            assert!(text.get(edit.span.range()).is_some());
            apply(text, &[edit]);
        }
    }
});
