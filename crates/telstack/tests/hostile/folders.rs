//! Output folders that cannot be written, builds that are cut off, builds at the same time.

use std::{
    collections::BTreeMap,
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use super::{big, expect, limited, said, support};

/// Everything in a folder.
fn contents(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let read = |name: String| std::fs::read(folder.join(&name)).map(|bytes| (name, bytes)).expect("readable");
    support::files(folder).into_iter().map(read).collect()
}

pub(super) fn stack(folder: &Path, name: &str, collectors: usize) {
    std::fs::write(folder.join(name), big::stack(big::Shape::Star, collectors)).expect("writable");
}

#[test]
fn a_full_disk_changes_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    stack(folder.path(), "a.stack.kdl", 3);
    stack(folder.path(), "b.stack.kdl", 12);
    // No file may become larger than so many blocks; the signal for that is not what a full disk sends.
    let full = |blocks: usize, name: &str| {
        let limit = format!("trap '' XFSZ && ulimit -f {blocks}");
        limited(folder.path(), &limit, &["build", name, "-o", "deep/out"])
    };
    let blocks = [1, 2, 4, 8, 16];
    let mut failed = 0;
    for blocks in blocks {
        let output = full(blocks, "a.stack.kdl");
        if output.status.code() == Some(0) {
            std::fs::remove_dir_all(folder.path().join("deep")).expect("removable");
            continue;
        }
        failed += 1;
        // What it says may not fit either.
        assert_eq!(output.status.code(), Some(2), "{}", said(&output));
        assert!(!folder.path().join("deep/out").exists(), "a half of the output is left");
    }
    assert!(failed >= 2);
    expect(folder.path(), &["build", "a.stack.kdl", "-o", "deep/out"], 0, &["wrote"]);
    let before = contents(&folder.path().join("deep/out"));
    for blocks in blocks {
        let output = full(blocks, "b.stack.kdl");
        if output.status.code() != Some(0) {
            assert_eq!(contents(&folder.path().join("deep/out")), before, "{}", said(&output));
        }
    }
}

#[test]
fn folders_that_cannot_be_written() {
    let folder = tempfile::tempdir().expect("a folder");
    stack(folder.path(), "a.stack.kdl", 1);
    std::fs::write(folder.path().join("file"), "").expect("writable");
    for output in ["/proc/telstack", "/proc/telstack/a/b", "/dev/null/x", "file/x", "file", "/dev/null"] {
        expect(folder.path(), &["build", "a.stack.kdl", "-o", output], 2, &[output]);
    }
    expect(folder.path(), &["build", "a.stack.kdl", "-o", &"x".repeat(300)], 2, &["nothing was written"]);
    expect(folder.path(), &["build", "a.stack.kdl", "-o", &"x/".repeat(3000)], 2, &["nothing was written"]);
    assert_eq!(support::files(folder.path()), ["a.stack.kdl", "file", "stderr", "stdout"]);
}

#[cfg(target_os = "linux")]
#[test]
fn a_folder_that_only_others_may_write() {
    use std::{fs::Permissions, os::unix::fs::PermissionsExt as _};
    let folder = tempfile::tempdir().expect("a folder");
    stack(folder.path(), "a.stack.kdl", 1);
    let out = folder.path().join("out");
    std::fs::create_dir(&out).expect("a folder");
    std::fs::set_permissions(&out, Permissions::from_mode(0o555)).expect("ours");
    // Whoever may do everything may write here too.
    let all_powerful = std::fs::write(out.join("x"), "").and_then(|()| std::fs::remove_file(out.join("x"))).is_ok();
    if all_powerful {
        expect(folder.path(), &["build", "a.stack.kdl", "-o", "out"], 0, &["wrote"]);
    } else {
        expect(folder.path(), &["build", "a.stack.kdl", "-o", "out"], 2, &["ermission denied", "nothing was written"]);
        assert_eq!(support::files(&out), Vec::<String>::new());
    }
    std::fs::set_permissions(&out, Permissions::from_mode(0o755)).expect("ours");
}

#[test]
fn builds_that_are_cut_off_are_run_again() {
    let folder = tempfile::tempdir().expect("a folder");
    stack(folder.path(), "a.stack.kdl", 40);
    stack(folder.path(), "b.stack.kdl", 41);
    let start = |name: &str| {
        Command::new(env!("CARGO_BIN_EXE_telstack"))
            .args(["build", name, "-o", "out"])
            .current_dir(folder.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the binary runs")
    };
    let clock = std::time::Instant::now();
    assert!(start("a.stack.kdl").wait().expect("ends").success());
    let whole = clock.elapsed().max(Duration::from_millis(20));
    let mut cut_off = 0;
    for part in 1..=24 {
        let mut child = start(if part % 2 == 0 { "a.stack.kdl" } else { "b.stack.kdl" });
        std::thread::sleep(whole * part / 24);
        if child.try_wait().expect("a child").is_none() {
            cut_off += 1;
        }
        let _ = child.kill();
        child.wait().expect("ends");
    }
    assert!(cut_off > 5, "{cut_off} builds were cut off: too few to tell");
    // Whatever the last one left, another stack is built over it without force.
    for name in ["b.stack.kdl", "a.stack.kdl"] {
        expect(folder.path(), &["build", name, "-o", "out"], 0, &[]);
        expect(folder.path(), &["build", name, "-o", "out", "--check"], 0, &["up to date"]);
    }
    expect(folder.path(), &["build", "a.stack.kdl", "-o", "fresh"], 0, &[]);
    assert_eq!(contents(&folder.path().join("out")), contents(&folder.path().join("fresh")));
}

#[test]
fn what_a_cut_off_build_leaves_is_ours() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    stack(folder.path(), "a.stack.kdl", 2);
    stack(folder.path(), "b.stack.kdl", 3);
    let build = |name: &str, output: &str| expect(folder.path(), &["build", name, "-o", output], 0, &[]);
    build("a.stack.kdl", "a");
    build("b.stack.kdl", "b");
    build("a.stack.kdl", "out");
    // As if a build of `b` over `a` had ended after each of its steps.
    let manifest = |name: &str| std::fs::read_to_string(at(name).join(".telstack.json")).expect("there");
    let files = |text: &str| {
        text.split_once("\"files\": ").expect("files").1.trim_end().trim_end_matches('}').trim_end().to_owned()
    };
    let (old, new) = (manifest("a"), manifest("b"));
    let interim = format!("{},\n  \"earlier\": {}\n}}\n", new.trim_end().trim_end_matches('}').trim_end(), files(&old));
    std::fs::write(at("out/.telstack.json"), interim).expect("writable");
    std::fs::write(at("out/.left.telstack-new"), "x").expect("writable");
    std::fs::write(at("out/configs/.c9.yaml.telstack-new"), "x").expect("writable");
    let paths = support::files(&at("b"));
    for path in paths.iter().filter(|path| !path.starts_with('.')) {
        std::fs::copy(at("b").join(path), at("out").join(path)).expect("writable");
        let said = expect(folder.path(), &["build", "a.stack.kdl", "-o", "out", "--check"], 1, &[]);
        assert!(!said.contains("by hand"), "{said}");
    }
    build("a.stack.kdl", "out");
    assert_eq!(contents(&at("out")), contents(&at("a")));
    // What somebody changed is still theirs.
    std::fs::write(at("out/docker-compose.yml"), "mine").expect("writable");
    expect(folder.path(), &["build", "b.stack.kdl", "-o", "out"], 2, &["changed by hand"]);
}

#[test]
fn builds_at_the_same_time() {
    let folder = tempfile::tempdir().expect("a folder");
    for at in 0..3 {
        stack(folder.path(), &format!("s{at}.stack.kdl"), 5 + at);
    }
    for _ in 0..3 {
        let start = |at: usize| {
            Command::new(env!("CARGO_BIN_EXE_telstack"))
                .args(["build", &format!("s{}.stack.kdl", at % 3), "-o", "out"])
                .current_dir(folder.path())
                .stdout(Stdio::null())
                .stderr(Stdio::piped())
                .spawn()
                .expect("the binary runs")
        };
        let children: Vec<_> = (0..9).map(start).collect();
        let mut done = 0;
        for child in children {
            let output = child.wait_with_output().expect("ends");
            let words = String::from_utf8_lossy(&output.stderr).into_owned();
            match output.status.code() {
                Some(0) => done += 1,
                Some(2) => assert!(words.contains("another build"), "{words}"),
                _ => panic!("{:?} {words}", output.status),
            }
        }
        assert!(done > 0);
        let is = |at: usize| {
            let name = format!("s{at}.stack.kdl");
            limited(folder.path(), "true", &["build", &name, "-o", "out", "--check"]).status.code() == Some(0)
        };
        assert_eq!((0..3).filter(|at| is(*at)).count(), 1, "the folder is what one of them made");
    }
}
