//! The whole output of each stack is kept in `golden/`; `cargo xtask golden` renews it.

mod support;

use support::{files, root, stacks, stdout, telstack, telstack_in};

#[test]
fn golden_folders_are_what_their_stacks_compile_to() {
    for stack in stacks() {
        let output =
            telstack(&["build", &format!("stacks/{stack}.stack.kdl"), "-o", &format!("golden/{stack}"), "--check"]);
        assert_eq!(output.status.code(), Some(0), "{stack}: {}\nrun `cargo xtask golden` and review", stdout(&output));
    }
}

#[test]
fn stacks_have_no_errors_and_no_warnings() {
    for stack in stacks() {
        let output = telstack(&["check", "--fail-on", "warning", &format!("stacks/{stack}.stack.kdl")]);
        assert_eq!(output.status.code(), Some(0), "{}", stdout(&output));
    }
}

#[test]
fn stacks_stay_short() {
    for stack in stacks() {
        let text = std::fs::read_to_string(root().join(format!("stacks/{stack}.stack.kdl"))).expect("a stack");
        assert!(text.lines().count() < 60, "{stack}");
    }
}

#[test]
fn every_line_of_every_file_is_explained() {
    use telstack_workspace::{DiskFiles, compile};
    for stack in stacks() {
        let compiled = compile(&DiskFiles, &root().join(format!("stacks/{stack}.stack.kdl"))).expect("readable");
        for artefact in &compiled.artefacts {
            let text: Vec<&str> = artefact.written.text.lines().collect();
            assert_eq!(text.len(), artefact.written.lines.len(), "{}", artefact.path);
            for (at, origins) in artefact.written.lines.iter().enumerate() {
                let place = format!("{}/{}:{}: {}", stack, artefact.path, at + 1, text[at]);
                assert!(!origins.is_empty(), "{place}: nothing is behind it");
                for origin in origins {
                    assert!(origin.span().is_some(), "{place}: {origin:?} names no stack line");
                    assert!(origin.is_written() || !origin.reason().is_empty(), "{place}: no reason");
                }
            }
        }
    }
}

#[test]
fn the_same_bytes_every_time() {
    let (one, two) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    for stack in stacks() {
        let text = std::fs::read(root().join(format!("stacks/{stack}.stack.kdl"))).expect("a stack");
        for folder in [one.path(), two.path()] {
            std::fs::write(folder.join("s.stack.kdl"), &text).expect("writable");
            let output = telstack_in(folder, &["build", "s.stack.kdl", "-o", &stack]);
            assert_eq!(output.status.code(), Some(0));
        }
        let (a, b) = (one.path().join(&stack), two.path().join(&stack));
        assert_eq!(files(&a), files(&b));
        for file in files(&a) {
            assert_eq!(std::fs::read(a.join(&file)).ok(), std::fs::read(b.join(&file)).ok(), "{stack}/{file}");
        }
    }
}
