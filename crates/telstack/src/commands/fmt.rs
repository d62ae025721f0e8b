//! `fmt`: the layout of stack files.

use std::path::{Path, PathBuf};

use telstack_diagnostics::render;
use telstack_workspace::{DiskFiles, Files, Mode, Syntax, format};

use super::{cannot_read, stacks};
use crate::{
    args::Fmt,
    output::{Fatal, Outcome, Output, counted},
};

/// `fmt`.
pub fn fmt(output: &Output, args: &Fmt) -> Result<Outcome, Fatal> {
    if args.files.iter().any(|path| path == Path::new("-")) {
        if args.files.len() > 1 {
            return Err(Fatal::new("`-` stands for standard input, and alone"));
        }
        return stdin(output, args.check);
    }
    let files = if args.files.is_empty() { stacks(&[PathBuf::from(".")])? } else { stacks(&args.files)? };
    // Of what was not named itself, what is not KDL is passed over.
    let files: Vec<PathBuf> = files.into_iter().filter(|path| args.files.contains(path) || !is_yaml(path)).collect();
    let mut outcome = Outcome::Clean;
    let (mut changed, mut same) = (0_usize, 0_usize);
    for path in &files {
        let path = path.strip_prefix(".").unwrap_or(path);
        if is_yaml(path) {
            return Err(Fatal::new(format!("{} is YAML", path.display()))
                .help("`telstack fmt` lays out KDL; for YAML there are prettier and yamlfmt"));
        }
        let text = DiskFiles.read(path).map_err(|failure| cannot_read(path, &failure))?;
        let Some(laid_out) = one(output, &path.display().to_string(), &text) else {
            outcome = Outcome::Findings;
            continue;
        };
        // What is compared are the bytes: a byte order mark goes too.
        let bytes = DiskFiles.read_bytes(path).ok().flatten();
        if bytes.as_deref() == Some(laid_out.as_bytes()) {
            same += 1;
            continue;
        }
        changed += 1;
        if args.check {
            output.print(&format!("{} is not laid out\n{}", path.display(), first_difference(&text, &laid_out)));
            outcome = Outcome::Findings;
            continue;
        }
        // A link stays a link.
        let target = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        DiskFiles
            .write(&target, laid_out.as_bytes(), Mode::Text)
            .map_err(|error| Fatal::new(format!("cannot write {}: {error}", path.display())))?;
        output.print(&format!("laid out {}\n", path.display()));
    }
    if args.check && changed > 0 {
        output.remark("run `telstack fmt` with these files to lay them out");
    } else if outcome == Outcome::Clean && changed == 0 {
        output.print(&format!("{} laid out already\n", counted(same, "file is", "files are")));
    }
    Ok(outcome)
}

fn is_yaml(path: &Path) -> bool {
    Syntax::of(&path.to_string_lossy()) == Syntax::Yaml
}

fn stdin(output: &Output, check: bool) -> Result<Outcome, Fatal> {
    let text = super::stdin()?;
    let Some(laid_out) = one(output, "<stdin>", &text) else { return Ok(Outcome::Findings) };
    if !check {
        output.print(&laid_out);
        return Ok(Outcome::Clean);
    }
    if laid_out == text {
        return Ok(Outcome::Clean);
    }
    output.print(&format!("<stdin> is not laid out\n{}", first_difference(&text, &laid_out)));
    Ok(Outcome::Findings)
}

/// The new text of one file. Findings go to standard error, which leaves standard output to the text.
fn one(output: &Output, name: &str, text: &str) -> Option<String> {
    let done = format(name, text.strip_prefix('\u{feff}').unwrap_or(text));
    for it in &done.diagnostics {
        output.remark(render::human(it, &done.sources, render::Colour::Off).trim_end_matches('\n'));
    }
    if done.text.is_none() {
        output.remark(&format!("{name}: left alone until it can be read"));
    }
    done.text
}

/// The first lines that differ, old and new.
fn first_difference(old: &str, new: &str) -> String {
    const MOST: usize = 3;
    let (old_lines, new_lines): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
    let same = old_lines.iter().zip(&new_lines).take_while(|(a, b)| a == b).count();
    if same == old_lines.len() && same == new_lines.len() {
        return "  the line ends differ\n".to_owned();
    }
    let rest = |lines: &[&str]| lines.get(same..).unwrap_or_default().iter().rev().map(|it| (*it).to_owned()).collect();
    let (old_rest, new_rest): (Vec<String>, Vec<String>) = (rest(&old_lines), rest(&new_lines));
    let tail = old_rest.iter().zip(&new_rest).take_while(|(a, b)| a == b).count();
    let shown = |mark: char, lines: &[String]| -> String {
        let lines = lines.iter().rev().take(lines.len() - tail.min(lines.len())).take(MOST);
        lines.fold(String::new(), |text, line| text + &format!("  {mark} {line}\n"))
    };
    format!("  line {}\n{}{}", same + 1, shown('-', &old_rest), shown('+', &new_rest))
}
