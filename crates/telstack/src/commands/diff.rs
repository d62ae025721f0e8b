//! `diff`: what an upgrade, or any other change of a stack, would do.

use std::path::Path;

use telstack_diagnostics::Severity;
use telstack_workspace::{Change, Compiled, EdgeDiff, FileDiff, Kind, NodeDiff, StackDiff};

use super::{in_a_line, read, report};
use crate::{
    args::{Diff, ListFormat},
    output::{Fatal, Outcome, Output, counted},
};

/// How long a shown value may be, in characters.
const LONGEST: usize = 70;

/// `diff`.
pub fn diff(output: &Output, args: &Diff) -> Result<Outcome, Fatal> {
    let (before, after) = (compiled(output, &args.before)?, compiled(output, &args.after)?);
    let Some(diff) = telstack_workspace::diff(&before, &after, args.files) else {
        return Err(Fatal::new("nothing to compare: one of the files names no stack"));
    };
    match args.format {
        ListFormat::Json => output.print(&diff.json()),
        ListFormat::Human => show(output, &diff),
    }
    Ok(if diff.is_empty() { Outcome::Clean } else { Outcome::Findings })
}

/// A stack without errors: what a broken one compiles to is not known.
fn compiled(output: &Output, path: &Path) -> Result<Compiled, Fatal> {
    let compiled = read(path)?;
    if !compiled.has(Severity::Error) {
        return Ok(compiled);
    }
    output.remark(&format!("{} has errors; they come first:", path.display()));
    report(output, &compiled, Severity::Error);
    Err(Fatal::new(format!("{} cannot be compared", path.display())).help("put its errors right first"))
}

fn show(output: &Output, diff: &StackDiff) {
    if diff.is_empty() {
        output.print("no difference\n");
        return;
    }
    for change in &diff.stack {
        output.print(&format!("stack {}\n", value(output, change)));
    }
    section(output, "nodes", diff.nodes.is_empty());
    for it in &diff.nodes {
        node(output, it);
    }
    section(output, "links", diff.edges.is_empty());
    for it in &diff.edges {
        edge(output, it);
    }
    section(output, "files", diff.files.is_empty());
    for it in &diff.files {
        file(output, it);
    }
    for text in diff.files.iter().filter_map(|it| it.diff.as_ref()) {
        output.print("\n");
        for line in text.lines() {
            let line = match line.bytes().next() {
                Some(b'+') => output.added(line),
                Some(b'-') => output.removed(line),
                Some(b'@') => output.faint(line),
                _ => line.to_owned(),
            };
            output.print(&format!("{line}\n"));
        }
    }
    output.print(&format!(
        "\n{}, {} and {} differ\n",
        counted(diff.nodes.len(), "node", "nodes"),
        counted(diff.edges.len(), "link", "links"),
        counted(diff.files.len(), "file", "files"),
    ));
}

fn section(output: &Output, title: &str, empty: bool) {
    if !empty {
        output.print(&format!("\n{}\n", output.strong(title)));
    }
}

/// The sign of a change, and the text behind it, in its colour.
fn marked(output: &Output, change: Kind, text: &str) -> String {
    match change {
        Kind::Added => output.added(&format!("+ {text}")),
        Kind::Removed => output.removed(&format!("- {text}")),
        Kind::Changed => output.changed(&format!("~ {text}")),
    }
}

fn node(output: &Output, node: &NodeDiff) {
    let runs = match (&node.before, &node.after) {
        (Some(before), Some(after)) if before != after => {
            // The product once, where only its release differs.
            let product = |title: &str| title.rsplit_once(' ').map(|(product, _)| product.to_owned());
            let release = after.rsplit_once(' ').filter(|_| product(before) == product(after));
            format!(": {before} → {}", release.map_or(after.as_str(), |(_, release)| release))
        }
        (Some(one), _) | (None, Some(one)) => format!(": {one}"),
        (None, None) => String::new(),
    };
    output.print(&format!("  {}{runs}\n", marked(output, node.change, &format!("{} `{}`", node.kind, node.name))));
    for change in &node.changes {
        output.print(&format!("      {}\n", value(output, change)));
    }
}

fn value(output: &Output, change: &Change) -> String {
    let text = |value: &str| in_a_line(value, LONGEST);
    match (change.before.as_deref(), change.after.as_deref()) {
        (Some(before), Some(after)) => format!("{}: {} → {}", change.what, text(before), text(after)),
        (None, Some("")) => output.added(&format!("+ {}", change.what)),
        (Some(""), None) => output.removed(&format!("- {}", change.what)),
        (None, Some(after)) => output.added(&format!("+ {}: {}", change.what, text(after))),
        (Some(before), None) => output.removed(&format!("- {}: {}", change.what, text(before))),
        (None, None) => change.what.clone(),
    }
}

fn edge(output: &Output, edge: &EdgeDiff) {
    let ends = format!("`{}` → `{}`", edge.from, edge.to);
    let what = match edge.purpose {
        "telemetry" => ends,
        purpose => format!("{ends} ({purpose})"),
    };
    let changes: Vec<String> = edge
        .changes
        .iter()
        // The host is the other node; that it is there, or not, says nothing more.
        .filter(|change| edge.change == Kind::Changed || change.what != "host")
        .map(|change| match (&change.before, &change.after) {
            (Some(before), Some(after)) => format!("{} {before} → {after}", change.what),
            (None, Some(one)) | (Some(one), None) if edge.change != Kind::Changed => format!("{} {one}", change.what),
            (None, Some(after)) => format!("{} {after} is new", change.what),
            (Some(before), None) => format!("{} {before} is gone", change.what),
            (None, None) => change.what.clone(),
        })
        .collect();
    let says = if changes.is_empty() || edge.purpose == "scrape" && edge.change != Kind::Changed {
        String::new()
    } else {
        format!(": {}", changes.join("; "))
    };
    output.print(&format!("  {}{says}\n", marked(output, edge.change, &what)));
}

fn file(output: &Output, file: &FileDiff) {
    let lines = match file.change {
        Kind::Added => format!("{} lines", file.lines_added),
        Kind::Removed => format!("{} lines", file.lines_removed),
        Kind::Changed => format!("+{} -{}", file.lines_added, file.lines_removed),
    };
    output.print(&format!("  {}  {}\n", marked(output, file.change, &file.path), output.faint(&lines)));
}
