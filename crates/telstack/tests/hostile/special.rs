//! What is no plain file: folders, pipes, devices, links.

use std::{os::unix::fs::symlink, path::Path, process::Command};

use super::{expect, support};

const GOOD: &str = "stack \"s\" {\n    platform \"compose\"\n    loki\n}\n";

fn pipe(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().expect("mkfifo").success());
}

#[test]
fn only_files_are_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    std::fs::create_dir(at("folder.stack.kdl")).expect("a folder");
    pipe(&at("pipe.stack.kdl"));
    pipe(&at("pipe.yaml"));
    for (link, target) in [("zero.stack.kdl", "/dev/zero"), ("null.yaml", "/dev/null"), ("loop.yaml", "loop.yaml")] {
        symlink(target, at(link)).expect("a link");
    }
    symlink("pipe.stack.kdl", at("to-pipe.stack.kdl")).expect("a link");
    for command in ["check", "graph", "fmt"] {
        for name in ["pipe.stack.kdl", "to-pipe.stack.kdl", "zero.stack.kdl", "/dev/zero"] {
            expect(folder.path(), &[command, name], 2, &["a pipe or a device, not a file", "to a file first"]);
        }
    }
    for name in ["pipe.yaml", "null.yaml"] {
        expect(folder.path(), &["check", name], 2, &["a pipe or a device"]);
    }
    expect(folder.path(), &["check", "loop.yaml"], 2, &["cannot read loop.yaml"]);
    expect(folder.path(), &["graph", "folder.stack.kdl"], 2, &["it is a folder"]);
    expect(folder.path(), &["build", "folder.stack.kdl", "-o", "out"], 2, &["it is a folder"]);
    expect(folder.path(), &["why", "pipe.yaml:1"], 2, &[]);
    assert!(!at("out").exists());
}

#[test]
fn standard_input_has_an_end() {
    let folder = tempfile::tempdir().expect("a folder");
    let output = super::limited(folder.path(), "ulimit -v 1048576 && exec </dev/zero", &["fmt", "-"]);
    assert_eq!(output.status.code(), Some(2), "{}", super::said(&output));
    assert!(super::said(&output).contains("larger than the 16 MiB"));
}

#[test]
fn what_is_included_lies_with_the_stack() {
    let outer = tempfile::tempdir().expect("a folder");
    let folder = outer.path().join("stacks");
    std::fs::create_dir_all(folder.join("sub")).expect("a folder");
    std::fs::write(outer.path().join("secret.kdl"), "SECRET\n").expect("writable");
    std::fs::write(folder.join("sub/loki.kdl"), "loki\n").expect("writable");
    symlink("../secret.kdl", folder.join("link.kdl")).expect("a link");
    symlink("..", folder.join("up")).expect("a link");
    symlink("sub/loki.kdl", folder.join("inner.kdl")).expect("a link");
    symlink("/dev/zero", folder.join("zero.kdl")).expect("a link");
    pipe(&folder.join("pipe.kdl"));
    std::fs::write(folder.join("large.kdl"), "// x\n".repeat(300_000)).expect("writable");
    for at in 0..3 {
        std::fs::write(folder.join(format!("part{at}.kdl")), format!("loki \"l{at}\" // {}\n", "x".repeat(400_000)))
            .expect("writable");
    }
    let absolute = outer.path().join("secret.kdl");
    let cases = [
        ("../secret.kdl", "the folder of the stack"),
        ("sub/../../secret.kdl", "the folder of the stack"),
        ("../../../../../../../../../etc/passwd", "the folder of the stack"),
        (absolute.to_str().expect("text"), "the folder of the stack"),
        ("link.kdl", "a link on the way leads outside"),
        ("up/secret.kdl", "a link on the way leads outside"),
        ("zero.kdl", "a link on the way leads outside"),
        ("pipe.kdl", "a pipe or a device"),
        ("sub", "it is a folder"),
        ("", "cannot include"),
        ("large.kdl", "larger than the 1 MiB"),
        ("part0.kdl\"; include \"part1.kdl\"; include \"part2.kdl", "larger than the 1 MiB"),
    ];
    for (path, word) in cases {
        let text = GOOD.replace("    loki\n", &format!("    include \"{path}\"\n"));
        std::fs::write(folder.join("a.stack.kdl"), &text).expect("writable");
        for from in [&folder, outer.path()] {
            let name = if from == folder { "a.stack.kdl" } else { "stacks/a.stack.kdl" };
            let said = expect(from, &["check", name], 1, &["Z007", word]);
            assert!(!said.contains("SECRET"), "{said}");
        }
    }
    for path in ["inner.kdl", "sub/loki.kdl", "./sub/../sub/loki.kdl"] {
        let text = GOOD.replace("    loki\n", &format!("    include \"{path}\"\n"));
        std::fs::write(folder.join("a.stack.kdl"), &text).expect("writable");
        expect(&folder, &["check", "a.stack.kdl"], 0, &[]);
        expect(outer.path(), &["check", "stacks/a.stack.kdl"], 0, &[]);
    }
}

#[test]
fn links_in_the_output_folder() {
    let outer = tempfile::tempdir().expect("a folder");
    let at = |name: &str| outer.path().join(name);
    std::fs::write(at("a.stack.kdl"), GOOD).expect("writable");
    std::fs::write(at("mine.txt"), "mine").expect("writable");
    let build = |code, word: &str| expect(outer.path(), &["build", "a.stack.kdl", "-o", "out"], code, &[word]);

    // A file that leads outside, a folder that does, one that leads nowhere.
    for (link, target) in [("docker-compose.yml", "../mine.txt"), ("configs", ".."), ("configs", "/nowhere")] {
        std::fs::create_dir(at("out")).expect("a folder");
        symlink(target, at("out").join(link)).expect("a link");
        build(2, "leads outside");
        assert_eq!(
            support::files(&at("out")).iter().filter(|it| it.starts_with("docker")).count(),
            usize::from(link != "configs")
        );
        std::fs::remove_dir_all(at("out")).expect("removable");
    }
    // Where the new contents will lie, a link waits.
    std::fs::create_dir(at("out")).expect("a folder");
    symlink("../mine.txt", at("out/.docker-compose.yml.telstack-new")).expect("a link");
    build(0, "wrote");
    assert!(std::fs::symlink_metadata(at("out/docker-compose.yml")).expect("there").is_file());
    // The folder itself may be a link: whoever names it means it.
    symlink("out", at("link")).expect("a link");
    expect(outer.path(), &["build", "a.stack.kdl", "-o", "link"], 0, &["up to date"]);
    expect(outer.path(), &["build", "a.stack.kdl", "-o", "link/../out"], 0, &["up to date"]);
    // A pipe in the place of a file, and in the place of the manifest.
    std::fs::remove_file(at("out/docker-compose.yml")).expect("removable");
    pipe(&at("out/docker-compose.yml"));
    build(2, "a pipe or a device");
    std::fs::remove_file(at("out/docker-compose.yml")).expect("removable");
    std::fs::remove_file(at("out/.telstack.json")).expect("removable");
    pipe(&at("out/.telstack.json"));
    build(2, "a pipe or a device");
    assert_eq!(std::fs::read_to_string(at("mine.txt")).expect("there"), "mine");
}

#[test]
fn a_manifest_that_lies() {
    let outer = tempfile::tempdir().expect("a folder");
    let at = |name: &str| outer.path().join(name);
    std::fs::write(at("a.stack.kdl"), GOOD).expect("writable");
    std::fs::create_dir_all(at("out")).expect("a folder");
    std::fs::create_dir_all(at("elsewhere")).expect("a folder");
    std::fs::write(at("elsewhere/mine.txt"), "").expect("writable");
    symlink("../elsewhere", at("out/link")).expect("a link");
    // The hash of nothing.
    let hash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    for path in ["../elsewhere/mine.txt", "/etc/passwd", "link/mine.txt", "", "a/../../elsewhere/mine.txt"] {
        let manifest = format!("{{\"version\": 1, \"stack\": \"x\", \"files\": {{\"{path}\": \"{hash}\"}}}}");
        std::fs::write(at("out/.telstack.json"), manifest).expect("writable");
        for force in [&[][..], &["--force"]] {
            let args = [&["build", "a.stack.kdl", "-o", "out"], force].concat();
            expect(outer.path(), &args, 2, &["leads outside"]);
        }
        assert!(at("elsewhere/mine.txt").exists(), "{path}");
    }
    for text in ["", "{", "[]", "null", "{\"version\": 1}", &"[".repeat(100_000), "{\"version\": 1e999, \"stack\": 1}"]
    {
        std::fs::write(at("out/.telstack.json"), text).expect("writable");
        expect(outer.path(), &["build", "a.stack.kdl", "-o", "out"], 2, &["cannot be read", "empty folder"]);
        expect(outer.path(), &["why", "out/docker-compose.yml:1"], 2, &[]);
    }
}
