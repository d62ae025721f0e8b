//! The commands as people and programs use them: output, exit codes, and what happens to their files.

mod support;

use std::{fs, path::Path};

use support::{files, root, stderr, stdout, telstack, telstack_in};

const BROKEN: &str = r#"stack "broken" {
    platform "compose"
    versions { otelcol "0.158.0"; loki "2.9.3" }
    collector "c" {
        receiver "otlp"
        pipeline "logs" { from "otlp"; to "loki" }
    }
    loki
}
"#;

fn folder_with(stack: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("s.stack.kdl"), stack).expect("writable");
    folder
}

fn first_stack() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let output = telstack_in(folder.path(), &["new", "s"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    folder
}

#[test]
fn a_new_stack_compiles_without_findings_but_remarks() {
    let folder = first_stack();
    let output = telstack_in(folder.path(), &["check", "--fail-on", "warning", "s.stack.kdl"]);
    assert_eq!(output.status.code(), Some(0), "{}", stdout(&output));
    let output = telstack_in(folder.path(), &["build", "s.stack.kdl", "-o", "build"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(stdout(&output).contains("docker compose up -d"));
    let output = telstack_in(folder.path(), &["new", "s"]);
    assert_eq!(output.status.code(), Some(2), "what is there is not overwritten");
    let output = telstack_in(folder.path(), &["new", "../evil"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("cannot be a stack's name"), "{}", stderr(&output));
}

#[test]
fn findings_exit_with_1_and_failures_with_2() {
    let folder = folder_with(BROKEN);
    assert_eq!(telstack_in(folder.path(), &["check", "s.stack.kdl"]).status.code(), Some(1));
    let output = telstack_in(folder.path(), &["build", "s.stack.kdl", "-o", "build"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(!folder.path().join("build").exists(), "nothing is written while there are errors");
    for args in [["check", "nothing-here"], ["explain", "Q999"], ["why", "s.stack.kdl"], ["check", "--frob"]] {
        assert_eq!(telstack_in(folder.path(), &args).status.code(), Some(2), "{args:?}");
    }
}

#[test]
fn json_reports_follow_the_published_schema() {
    let folder = folder_with(BROKEN);
    let output = telstack_in(folder.path(), &["check", "--format", "json", "s.stack.kdl"]);
    assert_eq!(output.status.code(), Some(1));
    let report: serde_json::Value = serde_json::from_str(&stdout(&output)).expect("JSON and nothing else");
    let schema = fs::read_to_string(root().join("schemas/diagnostics.schema.json")).expect("the schema");
    let schema: serde_json::Value = serde_json::from_str(&schema).expect("JSON");
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    let errors: Vec<String> = validator.iter_errors(&report).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{errors:?}");
    let finding = &report["diagnostics"][0];
    assert_eq!(finding["code"], "N020");
    assert_eq!(finding["file"], "s.stack.kdl");
    assert_eq!((finding["line"].as_u64(), finding["column"].as_u64()), (Some(6), Some(43)));
    assert_eq!((finding["end_line"].as_u64(), finding["end_column"].as_u64()), (Some(6), Some(49)));
    assert_eq!(finding["labels"][0]["primary"], true);
    assert!(finding["labels"].as_array().expect("labels").len() >= 3, "both ends are named");
}

#[test]
fn colour_only_where_it_is_wanted() {
    let folder = folder_with(BROKEN);
    let plain = telstack_in(folder.path(), &["check", "s.stack.kdl"]);
    assert!(!stdout(&plain).contains('\u{1b}'), "a pipe gets no colour");
    let coloured = telstack_in(folder.path(), &["--color", "always", "check", "s.stack.kdl"]);
    assert!(stdout(&coloured).contains('\u{1b}'));
}

#[test]
fn build_is_idempotent_and_check_names_stale_files() {
    let folder = first_stack();
    let build = ["build", "s.stack.kdl", "-o", "out"];
    let check = ["build", "s.stack.kdl", "-o", "out", "--check"];
    assert_eq!(telstack_in(folder.path(), &check).status.code(), Some(1), "nothing is there yet");
    assert!(!folder.path().join("out").exists(), "--check writes nothing");
    telstack_in(folder.path(), &build);
    let before = files(&folder.path().join("out"));
    let again = telstack_in(folder.path(), &build);
    assert!(stdout(&again).contains("is up to date"), "{}", stdout(&again));
    assert_eq!(before, files(&folder.path().join("out")));
    assert_eq!(telstack_in(folder.path(), &check).status.code(), Some(0));

    fs::remove_file(folder.path().join("out/configs/loki.yaml")).expect("there");
    fs::write(folder.path().join("out/configs/tempo.yaml"), "by hand\n").expect("writable");
    let stale = telstack_in(folder.path(), &check);
    assert_eq!(stale.status.code(), Some(1));
    assert!(stdout(&stale).contains("out/configs/loki.yaml is missing"), "{}", stdout(&stale));
    assert!(stdout(&stale).contains("out/configs/tempo.yaml was changed by hand"), "{}", stdout(&stale));
}

#[test]
fn what_was_changed_by_hand_is_not_lost() {
    let folder = first_stack();
    let build = ["build", "s.stack.kdl", "-o", "out"];
    telstack_in(folder.path(), &build);
    let mine = folder.path().join("out/configs/loki.yaml");
    fs::write(&mine, "by hand\n").expect("writable");
    let refused = telstack_in(folder.path(), &build);
    assert_eq!(refused.status.code(), Some(2));
    assert!(stderr(&refused).contains("changed by hand"), "{}", stderr(&refused));
    assert_eq!(fs::read_to_string(&mine).expect("there"), "by hand\n");
    let forced = telstack_in(folder.path(), &["build", "s.stack.kdl", "-o", "out", "--force"]);
    assert_eq!(forced.status.code(), Some(0), "{}", stderr(&forced));
    assert_ne!(fs::read_to_string(&mine).expect("there"), "by hand\n");
}

#[test]
fn what_telstack_did_not_write_is_never_overwritten() {
    let folder = first_stack();
    fs::create_dir(folder.path().join("out")).expect("a folder");
    let theirs = folder.path().join("out/docker-compose.yml");
    fs::write(&theirs, "services: {}\n").expect("writable");
    for args in [&["build", "s.stack.kdl", "-o", "out"][..], &["build", "s.stack.kdl", "-o", "out", "--force"]] {
        let refused = telstack_in(folder.path(), args);
        assert_eq!(refused.status.code(), Some(2));
        assert!(stderr(&refused).contains("did not write"), "{}", stderr(&refused));
    }
    assert_eq!(files(&folder.path().join("out")), ["docker-compose.yml"], "and nothing else was written");
}

#[cfg(unix)]
#[test]
fn containers_can_read_what_is_built_whatever_the_mask() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = first_stack();
    let run = |script: &str| {
        let run = std::process::Command::new("sh")
            .args(["-c", script, env!("CARGO_BIN_EXE_telstack")])
            .current_dir(folder.path())
            .output()
            .expect("a shell");
        assert!(run.status.success(), "{}", stderr(&run));
    };
    let bits = |path: &Path| fs::metadata(path).expect("it is there").permissions().mode() & 0o777;
    let build = folder.path().join("out/build");
    let all_is_readable = || {
        for file in files(&build) {
            let path = build.join(&file);
            let wanted = if file.starts_with("scripts/") { 0o755 } else { 0o644 };
            assert_eq!(bits(&path), wanted, "{file}");
            for above in path.ancestors().skip(1).take_while(|it| *it != folder.path()) {
                assert_eq!(bits(above), 0o755, "{}", above.display());
            }
        }
    };
    run(r#"umask 077; "$0" build s.stack.kdl -o out/build; "$0" new own"#);
    all_is_readable();
    assert_eq!(bits(&folder.path().join("own.stack.kdl")), 0o600, "what nobody else needs is left to the mask");
    // What an earlier release, or somebody's `chmod`, closed is opened by the next build.
    run(r#"chmod 600 out/build/configs/*.yaml; "$0" build s.stack.kdl -o out/build"#);
    all_is_readable();
}

#[test]
fn files_of_earlier_builds_are_removed_and_others_are_not() {
    let folder = first_stack();
    let stack = folder.path().join("s.stack.kdl");
    telstack_in(folder.path(), &["build", "s.stack.kdl", "-o", "out"]);
    fs::write(folder.path().join("out/notes.txt"), "mine\n").expect("writable");
    let text = fs::read_to_string(&stack).expect("there");
    let smaller: Vec<String> = text
        .lines()
        .filter(|line| !line.contains("pipeline \"traces\"") && !line.trim_start().starts_with("tempo "))
        .map(|line| line.replace("\"tempo\" ", ""))
        .collect();
    fs::write(&stack, smaller.join("\n")).expect("writable");
    let output = telstack_in(folder.path(), &["build", "s.stack.kdl", "-o", "out"]);
    assert_eq!(output.status.code(), Some(0), "{}{}", stdout(&output), stderr(&output));
    assert!(stdout(&output).contains("removed out/configs/tempo.yaml"), "{}", stdout(&output));
    let left = files(&folder.path().join("out"));
    assert!(!left.iter().any(|file| file.contains("tempo")), "{left:?}");
    assert!(left.iter().any(|file| file == "notes.txt"));
    let leftovers: Vec<_> =
        left.iter().filter(|file| Path::new(file).extension().is_some_and(|it| it == "tmp")).collect();
    assert!(leftovers.is_empty(), "{leftovers:?}");
}

#[cfg(unix)]
#[test]
fn a_link_in_the_folder_does_not_lead_out_of_it() {
    let folder = first_stack();
    let elsewhere = tempfile::tempdir().expect("a folder");
    fs::create_dir(folder.path().join("out")).expect("a folder");
    std::os::unix::fs::symlink(elsewhere.path(), folder.path().join("out/configs")).expect("a link");
    let output = telstack_in(folder.path(), &["build", "s.stack.kdl", "-o", "out"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("leads outside"), "{}", stderr(&output));
    assert!(files(elsewhere.path()).is_empty());
}

#[test]
fn a_changed_manifest_cannot_reach_outside() {
    let folder = first_stack();
    telstack_in(folder.path(), &["build", "s.stack.kdl", "-o", "out"]);
    let manifest = folder.path().join("out/.telstack.json");
    let text = fs::read_to_string(&manifest).expect("there").replace("\"docker-compose.yml\"", "\"../s.stack.kdl\"");
    fs::write(&manifest, text).expect("writable");
    let output = telstack_in(folder.path(), &["build", "s.stack.kdl", "-o", "out"]);
    assert_eq!(output.status.code(), Some(2), "{}", stdout(&output));
    assert!(folder.path().join("s.stack.kdl").exists());
}

#[test]
fn an_output_that_is_a_file_is_refused() {
    let folder = first_stack();
    fs::write(folder.path().join("out"), "a file\n").expect("writable");
    let output = telstack_in(folder.path(), &["build", "s.stack.kdl", "-o", "out"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("is not a folder"), "{}", stderr(&output));
}

#[test]
fn bad_bytes_are_named() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("s.stack.kdl"), b"stack \"x\" {\n \xff\xfe }").expect("writable");
    let output = telstack_in(folder.path(), &["check", "s.stack.kdl"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("not UTF-8"), "{}", stderr(&output));
    for text in
        ["", "\u{feff}", "{{{{", "stack", "stack \"x\"", "\0\0\0", "stack \"x\" {\r\n platform \"compose\"\r\n}\r\n"]
    {
        fs::write(folder.path().join("s.stack.kdl"), text).expect("writable");
        let output = telstack_in(folder.path(), &["check", "s.stack.kdl"]);
        assert_eq!(output.status.code(), Some(1), "{text:?}: {}", stderr(&output));
        assert!(!stdout(&output).is_empty(), "{text:?}");
    }
}

#[test]
fn why_answers_from_any_working_folder() {
    let folder = first_stack();
    telstack_in(folder.path(), &["build", "s.stack.kdl", "-o", "out"]);
    let text = fs::read_to_string(folder.path().join("out/configs/otel-collector.yaml")).expect("there");
    let line = text.lines().position(|line| line.contains("limit_mib")).expect("a limit") + 1;
    let answer = telstack_in(folder.path(), &["why", &format!("out/configs/otel-collector.yaml:{line}")]);
    assert_eq!(answer.status.code(), Some(0), "{}", stderr(&answer));
    let answer = stdout(&answer);
    assert!(answer.contains("80 % of the 1GiB"), "{answer}");
    assert!(answer.contains("resources cpu=1 memory=\"1GiB\""), "{answer}");
    assert!(answer.contains("pass sizing"), "{answer}");
    let inside = telstack_in(&folder.path().join("out"), &["why", &format!("configs/otel-collector.yaml:{line}")]);
    assert_eq!(inside.status.code(), Some(0), "{}", stderr(&inside));
    for (place, text) in [("out/configs/loki.yaml:99999", "lines"), ("s.stack.kdl:1", "no folder"), ("x", "FILE:LINE")]
    {
        let output = telstack_in(folder.path(), &["why", place]);
        assert_eq!(output.status.code(), Some(2), "{place}");
        assert!(stderr(&output).contains(text), "{place}: {}", stderr(&output));
    }
}

#[test]
fn every_line_names_a_pass_and_a_stack_line() {
    let folder = first_stack();
    telstack_in(folder.path(), &["build", "s.stack.kdl", "-o", "out"]);
    let file = "out/docker-compose.yml";
    let lines = fs::read_to_string(folder.path().join(file)).expect("there").lines().count();
    for line in (1..=lines).step_by(9) {
        let answer = stdout(&telstack_in(folder.path(), &["why", &format!("{file}:{line}")]));
        assert!(answer.contains("\n  pass ") && answer.contains("  s.stack.kdl:"), "{line}: {answer}");
    }
}

#[test]
fn a_folder_elsewhere_finds_its_stack() {
    let folder = first_stack();
    fs::create_dir(folder.path().join("work")).expect("a folder");
    fs::rename(folder.path().join("s.stack.kdl"), folder.path().join("work/s.stack.kdl")).expect("movable");
    let work = folder.path().join("work");
    let absolute = folder.path().join("absolute");
    for out in ["../beside", absolute.to_str().expect("UTF-8")] {
        assert_eq!(telstack_in(&work, &["build", "s.stack.kdl", "-o", out]).status.code(), Some(0));
        let answer = telstack_in(&work, &["why", &format!("{out}/docker-compose.yml:12")]);
        assert_eq!(answer.status.code(), Some(0), "{}", stderr(&answer));
    }
    let manifest = |name: &str| fs::read(folder.path().join(name).join(".telstack.json")).expect("there");
    assert_eq!(manifest("beside"), manifest("absolute"), "however the folders are named");
    let stack = work.join("s.stack.kdl");
    let output = telstack_in(folder.path(), &["build", stack.to_str().expect("UTF-8"), "-o", "beside", "--check"]);
    assert_eq!(output.status.code(), Some(0), "{}", stdout(&output));
}

#[test]
fn every_code_is_listed_and_explained() {
    let output = telstack(&["rules", "--format", "json"]);
    let rules: serde_json::Value = serde_json::from_str(&stdout(&output)).expect("JSON");
    let rules = rules.as_array().expect("a list");
    for wanted in [
        "D001", "D002", "D003", "D007", "D008", "E001", "N001", "N002", "N003", "N005", "N006", "N008", "P001", "P002",
        "P003", "P005", "P006", "V001", "V002", "V003", "V004", "V006", "G001", "X001", "X002", "M001", "L001", "L002",
        "C001",
    ] {
        assert!(rules.iter().any(|rule| rule["code"] == wanted), "{wanted}");
    }
    for rule in rules {
        let code = rule["code"].as_str().expect("a code");
        let output = telstack(&["explain", code]);
        assert_eq!(output.status.code(), Some(0));
        assert!(stdout(&output).contains("## Why it matters"), "{code}");
        assert!(root().join(format!("docs/rules/{code}.md")).exists(), "{code} has a page: cargo xtask gen");
    }
    let near = telstack(&["explain", "protocol-port-mismach"]);
    assert!(stderr(&near).contains("did you mean `protocol-port-mismatch`"), "{}", stderr(&near));
}

#[test]
fn graphs_and_completions() {
    let mermaid = telstack(&["graph", "stacks/single-node.stack.kdl"]);
    assert!(stdout(&mermaid).starts_with("flowchart LR"), "{}", stdout(&mermaid));
    let dot = telstack(&["graph", "--format", "dot", "stacks/single-node.stack.kdl"]);
    assert!(stdout(&dot).starts_with("digraph"), "{}", stdout(&dot));
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        assert!(stdout(&telstack(&["completions", shell])).contains("telstack"), "{shell}");
    }
}

const COLLECTOR: &str = "receivers:\n  otlp:\n    protocols:\n      grpc:\nexporters:\n  debug:\n    verbosity: loud\nservice:\n  \
                         pipelines:\n    traces:\n      receivers: [otlp]\n      exporters: [debug, otlp]\n";

#[test]
fn a_collector_configuration_is_checked_for_a_release() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("otel.yaml"), COLLECTOR).expect("writable");
    let output = telstack_in(folder.path(), &["check", "otel.yaml", "--format", "json"]);
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    let report: serde_json::Value = serde_json::from_str(&stdout(&output)).expect("JSON");
    let codes: Vec<_> = report["diagnostics"].as_array().expect("findings").iter().map(|it| &it["code"]).collect();
    assert_eq!(codes, ["Y004", "P001"]);

    // `debug` came with 0.86.0.
    let old =
        telstack_in(folder.path(), &["check", "otel.yaml", "--otelcol-version", "0.80.0", "--distribution", "core"]);
    assert_eq!(old.status.code(), Some(1));
    assert!(stdout(&old).contains("V001"), "{}", stdout(&old));
}

#[test]
fn what_cannot_be_checked_is_said() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("otel.yaml"), COLLECTOR).expect("writable");
    fs::write(folder.path().join("a.alloy"), "").expect("writable");
    fs::create_dir(folder.path().join("empty")).expect("a folder");
    for (args, why) in [
        (&["check", "a.alloy"][..], "Alloy"),
        (&["check", "empty"], "nothing in empty"),
        (&["check"], "required"),
        (&["check", "--config", "none.yaml"], "no such file"),
        (&["check", "otel.yaml", "--otelcol-version", "0.76.0"], "no collector release"),
        (&["check", "otel.yaml", "--distribution", "all"], "no distribution"),
        (&["check", "otel.yaml", "--otelcol-version", "0.80.0", "--distribution", "k8s"], "not published"),
    ] {
        let output = telstack_in(folder.path(), args);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(stderr(&output).contains(why), "{}", stderr(&output));
    }
}

/// A folder with these files.
fn folder_of(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (path, text) in files {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().expect("below the folder")).expect("folders");
        fs::write(path, text).expect("writable");
    }
    folder
}

/// Codes and files of what a check finds.
fn found(folder: &Path, args: &[&str]) -> Vec<(String, String)> {
    let output = telstack_in(folder, &[&["check", "--format", "json"], args].concat());
    let report: serde_json::Value =
        serde_json::from_str(&stdout(&output)).unwrap_or_else(|_| panic!("{}", stderr(&output)));
    let text = |it: &serde_json::Value| it.as_str().unwrap_or_default().to_owned();
    let all = report["diagnostics"].as_array().expect("findings").iter();
    all.map(|it| (text(&it["code"]), text(&it["file"]))).collect()
}

#[test]
fn folders_are_looked_through_as_git_sees_them() {
    let folder = folder_of(&[
        (".gitignore", "secret/\n*.local.yaml\n"),
        ("deploy/otel", COLLECTOR),
        ("deploy/a/other.yaml", COLLECTOR),
        ("deploy/mine.local.yaml", COLLECTOR),
        ("secret/otel.yaml", COLLECTOR),
        (".hidden/otel.yaml", COLLECTOR),
        ("deploy/picture.png", COLLECTOR),
        ("deploy/values.yaml", "mode: daemonset\nconfig:\n  receivers:\n"),
        ("charts/x/templates/c.yaml", "receivers:\n  {{- toYaml .Values.x | nindent 2 }}\nexporters:\n"),
        ("broken.yaml", "receivers:\n\totlp:\nexporters:\n"),
        ("notes.txt", "receivers:\nexporters:\n"),
    ]);
    let mut files: Vec<String> = found(folder.path(), &["."]).into_iter().map(|(_, file)| file).collect();
    files.dedup();
    assert_eq!(files, ["broken.yaml", "deploy/a/other.yaml", "deploy/otel"]);
    // Whoever names a file means it, and twice is once.
    let named = found(folder.path(), &["secret/otel.yaml", "secret", "./secret/otel.yaml"]);
    assert_eq!(named.len(), 2, "{named:?}");
    assert!(named.iter().all(|(_, file)| file == "secret/otel.yaml"));
}

#[test]
fn standard_input_is_checked() {
    use std::{io::Write, process::Stdio};
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_telstack"))
        .args(["check", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("telstack runs");
    child.stdin.take().expect("a pipe").write_all(COLLECTOR.as_bytes()).expect("it reads");
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(1));
    assert!(stdout(&output).contains("<stdin>:7:16"), "{}", stdout(&output));
}

#[test]
fn several_files_of_one_collector_are_merged() {
    let base = COLLECTOR.replace("verbosity: loud", "verbosity: normal");
    let over = "exporters:\n  otlp:\n    endpoint: gateway:4317\n";
    let folder = folder_of(&[("base.yaml", &base), ("over.yaml", over)]);
    assert_eq!(found(folder.path(), &["base.yaml"]), [("P001".to_owned(), "base.yaml".to_owned())]);
    let both = ["--config", "base.yaml", "--config", "over.yaml"];
    assert!(
        found(folder.path(), &both).iter().all(|(code, _)| ["V006", "D013", "D014"].contains(&code.as_str())),
        "advice"
    );
    // By itself, a part lacks nothing.
    assert!(found(folder.path(), &["over.yaml"]).iter().all(|(code, _)| code == "V006"));
    // Given as the whole, it does.
    assert!(found(folder.path(), &["--config", "over.yaml"]).iter().any(|(code, _)| code == "R005"));
}

#[test]
fn what_is_nothing_to_check_is_left_alone() {
    let folder = folder_of(&[
        ("a.yaml", COLLECTOR),
        ("b.yaml", "jobs:\n  build:\n    steps: []\n"),
        ("c.yaml", "image: {{ .Values.image }}\nreceivers:\nexporters:\n"),
    ]);
    let output = telstack_in(folder.path(), &["check", "a.yaml", "b.yaml", "c.yaml"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("b.yaml was left alone"), "{}", stderr(&output));
    assert!(stderr(&output).contains("a template"), "{}", stderr(&output));
    assert_eq!(telstack_in(folder.path(), &["check", "b.yaml"]).status.code(), Some(0));
}
