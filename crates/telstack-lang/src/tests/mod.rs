//! From text to Systems and findings.

mod clusters;
mod mistakes;
mod systems;
mod yaml;

use std::collections::BTreeMap;

use telstack_diagnostics::{Diagnostic, Diagnostics, SourceMap};
use telstack_system::System;

use crate::{Loaded, Loader, lower};

/// Files by name, all in one folder.
#[derive(Default)]
struct Folder(BTreeMap<&'static str, &'static str>);

impl Loader for Folder {
    fn load(&self, _including: &str, path: &str) -> Result<Loaded, String> {
        let text = self.0.get(path).ok_or("there is no such file")?;
        Ok(Loaded { name: path.to_owned(), text: (*text).to_owned() })
    }
}

/// What came of a text.
struct Outcome {
    system: Option<System>,
    findings: Vec<Diagnostic>,
    sources: SourceMap,
}

impl Outcome {
    /// Code and marked text of each finding, in reading order.
    fn marks(&self) -> Vec<(&str, &str)> {
        let mark = |it: &Diagnostic| it.primary.as_ref().map_or("", |label| self.sources.slice(label.span)).to_owned();
        self.findings.iter().map(|it| (it.rule.code, &*mark(it).leak())).collect()
    }

    /// The System of a text without mistakes.
    fn system(self) -> System {
        assert_eq!(self.marks(), [], "{:#?}", self.findings);
        self.system.expect("a text without mistakes has a System")
    }
}

fn run_in(folder: &Folder, text: &str) -> Outcome {
    let mut sources = SourceMap::default();
    let file = sources.add("shop.stack.kdl", text);
    let mut out = Diagnostics::default();
    let system = lower(file, &mut sources, folder, &mut out);
    let findings = out.sorted(&sources);
    Outcome { system, findings, sources }
}

fn run(text: &str) -> Outcome {
    run_in(&Folder::default(), text)
}

/// A stack on compose around some lines.
fn stack(lines: &str) -> Outcome {
    run(&format!("stack \"shop\" {{\n    platform \"compose\"\n{lines}\n}}\n"))
}

/// A collector with an OTLP receiver and a `debug` exporter around some lines.
fn collector(lines: &str) -> Outcome {
    stack(&format!(
        "collector \"c\" {{\n receiver \"otlp\"\n exporter \"debug\"\n pipeline \"traces\" {{ from \"otlp\"; to \"debug\" }}\n{lines}\n}}"
    ))
}
