//! Every command in the documents is run, and every output in them is what it prints.
//!
//! In a document the blocks run from top to bottom, in one folder:
//!
//! - `console`: lines that start with `$ ` are commands for bash, what follows is their output, both streams
//!   together. A line `? 1` right behind a command says its exit code; without one it is 0. A line `…` stands for
//!   any lines.
//! - `diff`: a change to a file, which is applied.
//!
//! With `UPDATE_DOCS=1` outputs without `…` are written anew: read the difference before it is committed.

mod support;

use std::{fs, path::Path, process::Command};

use support::root;

/// Stands for any lines.
const ANY: &str = "…";

struct Session {
    folder: tempfile::TempDir,
}

impl Session {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        // What a clone has that documents refer to.
        for part in ["stacks", "docs", "golden", "schemas"] {
            std::os::unix::fs::symlink(root().join(part), folder.path().join(part)).expect("a link");
        }
        Self { folder }
    }

    /// What a command prints, and its exit code.
    fn run(&self, command: &str) -> (String, i32) {
        let binary = Path::new(env!("CARGO_BIN_EXE_telstack")).parent().expect("a folder");
        let path = format!("{}:{}", binary.display(), std::env::var("PATH").expect("a path"));
        let output = Command::new("bash")
            .args(["-c", &format!("exec 2>&1; {command}")])
            .current_dir(self.folder.path())
            .env("PATH", path)
            .output()
            .expect("bash runs");
        (String::from_utf8(output.stdout).expect("UTF-8"), output.status.code().unwrap_or(-1))
    }

    fn apply(&self, change: &str) {
        let file = self.folder.path().join(".change");
        fs::write(&file, change).expect("writable");
        let applied = Command::new("git")
            .args(["apply", "--recount", "--unidiff-zero", "--unsafe-paths", ".change"])
            .current_dir(self.folder.path())
            // Not a part of whatever repository the folder may lie in.
            .env("GIT_CEILING_DIRECTORIES", self.folder.path())
            .output()
            .expect("git runs");
        assert!(applied.status.success(), "{change}\n{}", String::from_utf8_lossy(&applied.stderr));
        fs::remove_file(file).expect("removable");
    }
}

/// Does the output fit what the document shows?
fn fits(shown: &[&str], printed: &[&str]) -> bool {
    match shown.split_first() {
        None => printed.is_empty(),
        Some((&ANY, rest)) => (0..=printed.len()).any(|skipped| fits(rest, &printed[skipped..])),
        Some((first, rest)) => printed.split_first().is_some_and(|(line, left)| line == first && fits(rest, left)),
    }
}

/// Runs a `console` block; what it looks like with the true output.
fn console(session: &Session, name: &str, block: &[&str], wrong: &mut Vec<String>) -> Vec<String> {
    let mut out = Vec::new();
    let mut lines = block.iter().peekable();
    while let Some(line) = lines.next() {
        let command = line.strip_prefix("$ ").unwrap_or_else(|| panic!("{name}: `{line}` is no command's output"));
        let code = lines.next_if(|line| line.starts_with("? ")).map(|line| &line[2..]);
        let mut shown = Vec::new();
        while let Some(line) = lines.next_if(|line| !line.starts_with("$ ")) {
            shown.push(*line);
        }
        let (text, status) = session.run(command);
        let printed: Vec<&str> = text.trim_end_matches('\n').lines().map(str::trim_end).collect();
        let same = fits(&shown, &printed);
        if !same || code.unwrap_or("0") != status.to_string() {
            wrong.push(format!("{name}\n$ {command}\n? {status}\n{text}"));
        }
        out.push((*line).to_owned());
        if status != 0 {
            out.push(format!("? {status}"));
        }
        if same || shown.contains(&ANY) {
            out.extend(shown.iter().map(|line| (*line).to_owned()));
        } else {
            out.extend(printed.iter().map(|line| (*line).to_owned()));
            // The gap before the next command is part of the document.
            if lines.peek().is_some() && shown.last().is_some_and(|line| line.is_empty()) {
                out.push(String::new());
            }
        }
    }
    out
}

fn document(path: &Path, wrong: &mut Vec<String>) {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let text = fs::read_to_string(path).expect("readable");
    let session = Session::new();
    let mut out: Vec<String> = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        out.push(line.to_owned());
        let Some(kind) = line.strip_prefix("```").filter(|kind| !kind.is_empty()) else { continue };
        let block: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
        match kind {
            "console" => out.extend(console(&session, &name, &block, wrong)),
            kind => {
                if kind == "diff" {
                    session.apply(&(block.join("\n") + "\n"));
                }
                out.extend(block.iter().map(|line| (*line).to_owned()));
            }
        }
        out.push("```".to_owned());
    }
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(path, out.join("\n") + "\n").expect("writable");
    }
}

#[test]
fn commands_print_what_the_documents_show() {
    let mut wrong = Vec::new();
    document(&root().join("README.md"), &mut wrong);
    let mut found = 0;
    let mut paths: Vec<_> =
        fs::read_dir(root().join("docs")).expect("docs/").map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    for path in paths.iter().filter(|path| path.extension().is_some_and(|it| it == "md")) {
        if fs::read_to_string(path).expect("readable").contains("\n```console\n") {
            found += 1;
            document(path, &mut wrong);
        }
    }
    assert!(found > 0, "the tutorial is there");
    assert!(wrong.is_empty(), "not what is printed now (UPDATE_DOCS=1 writes it):\n\n{}", wrong.join("\n"));
}
