//! `convert`: a stack in the other syntax.

use telstack_diagnostics::render;
use telstack_workspace::{DiskFiles, Files, Mode, Syntax};

use super::cannot_read;
use crate::{
    args::{Convert, SyntaxName},
    output::{Fatal, Outcome, Output},
};

/// `convert`.
pub fn convert(output: &Output, args: &Convert) -> Result<Outcome, Fatal> {
    let name = args.stack.display().to_string();
    let from = Syntax::of(&name);
    let other = if from == Syntax::Kdl { Syntax::Yaml } else { Syntax::Kdl };
    let named = args.output.as_ref().map(|path| Syntax::of(&path.to_string_lossy()));
    let to = match args.to {
        Some(SyntaxName::Kdl) => Syntax::Kdl,
        Some(SyntaxName::Yaml) => Syntax::Yaml,
        None => named.unwrap_or(other),
    };
    if let (Some(path), Some(named)) = (&args.output, named.filter(|named| *named != to)) {
        let end = if named == Syntax::Kdl { "YAML ends in `.yaml`" } else { "KDL ends in `.kdl`" };
        return Err(Fatal::new(format!("{} has the name of a file in another syntax", path.display())).help(end));
    }
    let text = DiskFiles.read(&args.stack).map_err(|failure| cannot_read(&args.stack, &failure))?;
    let done = telstack_workspace::convert(&name, &text, to);
    for it in &done.diagnostics {
        output.remark(render::human(it, &done.sources, render::Colour::Off).trim_end_matches('\n'));
    }
    let Some(converted) = done.text else { return Ok(Outcome::Findings) };
    let Some(path) = args.output.as_ref().map(|path| DiskFiles.reach(path)) else {
        output.print(&converted);
        return Ok(Outcome::Clean);
    };
    if path.exists() {
        return Err(Fatal::new(format!("{} is there already", path.display())).help("choose another name"));
    }
    DiskFiles
        .write(&path, converted.as_bytes(), Mode::Text)
        .map_err(|error| Fatal::new(format!("cannot write {}: {error}", path.display())))?;
    output.print(&format!("wrote {}\n", path.display()));
    if path.parent() != args.stack.parent() {
        let includes = telstack_workspace::includes(&name, &text);
        let named: Vec<String> = includes.iter().map(|it| format!("`{it}`")).collect();
        if !named.is_empty() {
            output.remark(&format!("it includes {}: those are looked for beside the new file", named.join(", ")));
        }
    }
    Ok(Outcome::Clean)
}
