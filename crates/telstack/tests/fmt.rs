//! `telstack fmt` as people and programs use it.

mod support;

use std::{
    fs,
    io::Write,
    process::{Command, Stdio},
};

use support::{stderr, stdout, telstack, telstack_in};

#[test]
fn the_stacks_and_new_ones_are_laid_out() {
    let output = telstack(&["fmt", "--check", "stacks"]);
    assert_eq!(output.status.code(), Some(0), "{}", stdout(&output));
    let folder = tempfile::tempdir().expect("a folder");
    telstack_in(folder.path(), &["new", "s"]);
    let output = telstack_in(folder.path(), &["fmt", "--check"]);
    assert_eq!((output.status.code(), stdout(&output).as_str()), (Some(0), "1 file is laid out already\n"));
}

#[test]
fn files_are_laid_out_in_place() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("s.stack.kdl");
    let text = "\u{feff}stack   \"s\" {\r\n  platform \"compose\" // here\r\n}\r\n";
    fs::write(&path, text).expect("writable");
    let output = telstack_in(folder.path(), &["fmt", "--check", "s.stack.kdl"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stdout(&output).starts_with("s.stack.kdl is not laid out\n  line 1\n"), "{}", stdout(&output));
    assert_eq!(fs::read_to_string(&path).expect("text"), text, "--check writes nothing");
    let output = telstack_in(folder.path(), &["fmt"]);
    assert_eq!((output.status.code(), stdout(&output).as_str()), (Some(0), "laid out s.stack.kdl\n"));
    let wanted = "stack \"s\" {\n    platform \"compose\" // here\n}\n";
    assert_eq!(fs::read_to_string(&path).expect("text"), wanted);
    let output = telstack_in(folder.path(), &["fmt", "s.stack.kdl"]);
    assert_eq!(stdout(&output), "1 file is laid out already\n");
}

#[test]
fn a_file_with_slips_is_left_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("a.kdl"), "a   1\n").expect("writable");
    fs::write(folder.path().join("b.kdl"), "b =  1\n").expect("writable");
    let output = telstack_in(folder.path(), &["fmt", "b.kdl", "a.kdl"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("Z001") && stderr(&output).contains("b.kdl: left alone"), "{}", stderr(&output));
    assert_eq!(fs::read_to_string(folder.path().join("b.kdl")).expect("text"), "b =  1\n");
    assert_eq!(fs::read_to_string(folder.path().join("a.kdl")).expect("text"), "a 1\n");
    assert_eq!(telstack_in(folder.path(), &["fmt", "missing.kdl"]).status.code(), Some(2));
    assert_eq!(telstack_in(folder.path(), &["fmt", "x.stack.yaml"]).status.code(), Some(2));
}

fn through(args: &[&str], text: &str) -> (Option<i32>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_telstack"));
    let mut child = command
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it runs");
    child.stdin.take().expect("a pipe").write_all(text.as_bytes()).expect("it reads");
    let output = child.wait_with_output().expect("it ends");
    (output.status.code(), stdout(&output))
}

#[test]
fn standard_input() {
    assert_eq!(through(&["fmt", "-"], "a   1;b\n"), (Some(0), "a 1\nb\n".to_owned()));
    assert_eq!(through(&["fmt", "-"], "a = 1\n"), (Some(1), String::new()));
    assert_eq!(through(&["fmt", "--check", "-"], "a 1\n"), (Some(0), String::new()));
    assert_eq!(through(&["fmt", "--check", "-"], "a  1\n").0, Some(1));
}
