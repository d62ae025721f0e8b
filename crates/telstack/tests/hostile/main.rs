//! Input that means no good, and disks that do not play along: a clear error, no panic, no half of anything, within
//! bounds of time and memory.

#[path = "../support/mod.rs"]
mod support;

#[path = "../support/big.rs"]
mod big;

mod folders;
mod input;
mod interrupted;
mod special;

use std::{
    path::Path,
    process::{Command, Output, Stdio},
    time::{Duration, Instant},
};

/// Address space that a run may take, in MiB. The program alone takes about 20.
const MEMORY: usize = 1024;
/// How many seconds of processors a run may take, unoptimised. What else the machine does has no part in that.
const PROCESSOR_TIME: u32 = 180;
/// How long a run may take, working or waiting.
const TIME: Duration = Duration::from_mins(15);

/// The binary within bounds: it is killed when it works or waits too long, and gets no more memory than [`MEMORY`].
fn bounded(folder: &Path, args: &[&str]) -> Output {
    limited(folder, &format!("ulimit -v {} && ulimit -t {PROCESSOR_TIME}", MEMORY * 1024), args)
}

/// The binary after a word to the shell that starts it.
fn limited(folder: &Path, limit: &str, args: &[&str]) -> Output {
    let script = format!("{limit} && exec \"$0\" \"$@\"");
    let mut child = Command::new("sh")
        .args(["-c", &script, env!("CARGO_BIN_EXE_telstack")])
        .args(args)
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(std::fs::File::create(folder.join("stdout")).expect("writable"))
        .stderr(std::fs::File::create(folder.join("stderr")).expect("writable"))
        .spawn()
        .expect("a shell");
    let started = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().expect("a child") {
            break status;
        }
        if started.elapsed() > TIME {
            child.kill().expect("killable");
            panic!("{args:?} takes longer than {TIME:?}");
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    let read = |name| std::fs::read(folder.join(name)).expect("readable");
    Output { status, stdout: read("stdout"), stderr: read("stderr") }
}

/// Everything that was printed.
fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// Runs the binary and expects an end, and words.
fn expect(folder: &Path, args: &[&str], code: i32, words: &[&str]) -> String {
    let output = bounded(folder, args);
    let said = said(&output);
    let start: String = said.chars().take(2000).collect();
    assert_eq!(output.status.code(), Some(code), "{args:?}: {:?}\n{start}", output.status);
    assert!(!said.contains("panicked"), "{args:?}: {start}");
    for word in words {
        // Long lines of an error are broken.
        let flat = said.split_whitespace().filter(|it| *it != "│").collect::<Vec<_>>().join(" ");
        assert!(said.contains(word) || flat.contains(word), "{args:?} does not say `{word}`: {start}");
    }
    assert!(said.len() < 200_000, "{args:?} prints {} bytes", said.len());
    said
}

/// Writes a file and checks it.
fn check(name: &str, bytes: impl AsRef<[u8]>, code: i32, words: &[&str]) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join(name), bytes).expect("writable");
    expect(folder.path(), &["check", name], code, words)
}
