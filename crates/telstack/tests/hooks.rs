//! telstack as a hook of pre-commit, and as an action of GitHub, run as they run it. `scripts/tools.sh` installs what
//! is needed; a missing tool fails here.

mod support;

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use support::{root, stderr, stdout};
use telstack_diagnostics::{SourceMap, Span};
use telstack_syntax::{tree::Value, yaml};

const BINARY: &str = env!("CARGO_BIN_EXE_telstack");

/// A configuration with a mistake.
const BROKEN: &str = "receivers:\n  otlp:\n    protocols:\n      grpc:\nprocessors:\n  batch:\n    timout: 1s\nexporters:\n  debug:\n\
                      service:\n  pipelines:\n    traces:\n      receivers: [otlp]\n      processors: [batch]\n      exporters: [debug]\n";

fn run(program: &str, folder: &Path, args: &[&str], env: &[(&str, &str)]) -> Output {
    Command::new(program)
        .args(args)
        .current_dir(folder)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CEILING_DIRECTORIES", folder.parent().expect("a folder"))
        .envs(env.iter().copied())
        .output()
        .unwrap_or_else(|error| panic!("{program} is needed ({error}): run scripts/tools.sh"))
}

fn git(folder: &Path, args: &[&str]) {
    let who = ["-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false"];
    let output = run("git", folder, &[&who, args].concat(), &[]);
    assert!(output.status.success(), "{args:?}: {}", stderr(&output));
}

fn committed(folder: &Path) {
    git(folder, &["init", "--quiet", "--initial-branch=main"]);
    git(folder, &["add", "--all"]);
    git(folder, &["commit", "--quiet", "-m", "all"]);
}

fn copy(from: &Path, to: &Path) {
    if from.is_dir() {
        fs::create_dir_all(to).expect("writable");
        for entry in fs::read_dir(from).expect("a folder") {
            let entry = entry.expect("an entry");
            if entry.file_name() != "target" {
                copy(&entry.path(), &to.join(entry.file_name()));
            }
        }
    } else {
        // With what it allows: scripts stay programs.
        fs::copy(from, to).expect("writable");
    }
}

/// These parts of the project, as a repository.
fn hooks(parts: &[&str]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for part in parts {
        let to = folder.path().join(part);
        fs::create_dir_all(to.parent().expect("a folder")).expect("writable");
        copy(&root().join(part), &to);
    }
    committed(folder.path());
    folder
}

/// A repository of somebody with a mistake, and with files that are nothing of ours.
fn theirs() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    fs::create_dir_all(folder.path().join("deploy")).expect("writable");
    fs::write(folder.path().join("deploy/otel.yaml"), BROKEN).expect("writable");
    fs::write(folder.path().join("ci.yml"), "on: push\njobs: {}\n").expect("writable");
    fs::write(folder.path().join("values.yaml"), "service:\n  port: 80\n").expect("writable");
    committed(folder.path());
    folder
}

fn try_repo(hooks: &Path, hook: &str, theirs: &Path, env: &[(&str, &str)]) -> Output {
    let home = tempfile::tempdir().expect("a folder");
    let home = home.path().to_str().expect("UTF-8");
    let args = ["try-repo", hooks.to_str().expect("UTF-8"), hook, "--all-files", "--verbose", "--color", "never"];
    run("pre-commit", theirs, &args, &[&[("PRE_COMMIT_HOME", home)], env].concat())
}

/// The hook fails over the mistake, and passes without it.
fn judges(hooks: &Path, hook: &str, env: &[(&str, &str)]) {
    let theirs = theirs();
    let output = try_repo(hooks, hook, theirs.path(), env);
    let text = stdout(&output) + &stderr(&output);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("error[Y001]") && text.contains("deploy/otel.yaml:7:5"), "{text}");
    assert!(text.contains("- exit code: 1\n") && !text.contains("ci.yml"), "{text}");
    fs::write(theirs.path().join("deploy/otel.yaml"), BROKEN.replace("timout", "timeout")).expect("writable");
    let output = try_repo(hooks, hook, theirs.path(), env);
    assert_eq!(output.status.code(), Some(0), "{}{}", stdout(&output), stderr(&output));
    assert!(stdout(&output).contains("Passed"), "{}", stdout(&output));
}

#[test]
fn the_manifest_of_hooks_is_one() {
    let output = run("pre-commit", &root(), &["validate-manifest", ".pre-commit-hooks.yaml"], &[]);
    assert!(output.status.success(), "{}{}", stdout(&output), stderr(&output));
}

#[test]
fn hooks_judge_what_is_committed() {
    let hooks = hooks(&[".pre-commit-hooks.yaml", "scripts/telstack.sh"]);
    judges(hooks.path(), "telstack", &[("TELSTACK_BIN", BINARY)]);
    let installed = Path::new(BINARY).parent().expect("a folder").display();
    let path = format!("{installed}:{}", std::env::var("PATH").expect("a path"));
    judges(hooks.path(), "telstack-system", &[("PATH", &path)]);
}

#[test]
fn the_hook_builds_what_it_runs() {
    let parts = [".pre-commit-hooks.yaml", "scripts/telstack.sh", "Cargo.toml", "Cargo.lock", "rust-toolchain.toml"];
    let hooks = hooks(&[&parts[..], &[".cargo", "crates", "xtask", "schemas"]].concat());
    let theirs = theirs();
    // Quickly: what is built here is not for use.
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("hook");
    let env = [
        ("CARGO_TARGET_DIR", target.to_str().expect("UTF-8")),
        ("CARGO_PROFILE_RELEASE_OPT_LEVEL", "0"),
        ("CARGO_PROFILE_RELEASE_LTO", "off"),
        ("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "64"),
        ("CARGO_NET_OFFLINE", "true"),
    ];
    let output = try_repo(hooks.path(), "telstack", theirs.path(), &env);
    let text = stdout(&output) + &stderr(&output);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("telstack: building it, once") && text.contains("error[Y001]"), "{text}");
}

fn action() -> Value<Span> {
    let text = fs::read_to_string(root().join("action.yml")).expect("the action");
    let file = SourceMap::default().add("action.yml", &*text);
    yaml::read(file, &text).expect("YAML").remove(0)
}

#[test]
fn the_action_is_one() {
    let args = ["--builtin-schema", "vendor.github-actions", "action.yml"];
    let output = run("check-jsonschema", &root(), &args, &[]);
    assert!(output.status.success(), "{}{}", stdout(&output), stderr(&output));
}

/// Runs the steps of the action that run something, with these inputs, as a runner does; what the last one said.
fn act(folder: &Path, inputs: &[(&str, &str)]) -> Output {
    let action = action();
    let outputs: PathBuf = folder.join(".outputs");
    let value = |input: &str| {
        let given = inputs.iter().find(|(name, _)| *name == input).map(|(_, value)| (*value).to_owned());
        given.or_else(|| action.at(&format!("inputs.{input}.default"))?.as_str().map(str::to_owned)).expect("an input")
    };
    let mut last = None;
    for step in action.at("runs.steps").and_then(Value::as_seq).expect("steps") {
        let Some(script) = step.at("run").and_then(Value::as_str) else { continue };
        assert_eq!(step.at("shell").and_then(Value::as_str), Some("bash"));
        let mut command = Command::new("bash");
        command.args(["--noprofile", "--norc", "-eo", "pipefail", "-c", script]).current_dir(folder);
        command.env("GITHUB_ACTION_PATH", root()).env("GITHUB_OUTPUT", &outputs).env("TELSTACK_BIN", BINARY);
        for entry in step.at("env").and_then(Value::as_map).into_iter().flatten() {
            let text = entry.value.as_str().expect("text");
            let input = text.trim_start_matches("${{ inputs.").trim_end_matches(" }}");
            command.env(&entry.key, value(input));
        }
        let output = command.output().expect("bash runs");
        assert!(output.status.code().is_some_and(|it| it < 2), "{script}: {}", stderr(&output));
        last = Some(output);
    }
    let sum = fs::read_to_string(&outputs).expect("the key of the cache");
    assert!(sum.lines().all(|line| line.strip_prefix("sum=").is_some_and(|it| it.len() == 40)), "{sum}");
    last.expect("a step that checks")
}

#[test]
fn the_action_annotates_and_reports() {
    let theirs = theirs();
    let inputs = [("paths", "deploy/otel.yaml\n"), ("args", "--select Y"), ("sarif-file", "report.sarif")];
    let output = act(theirs.path(), &inputs);
    assert_eq!(output.status.code(), Some(1));
    assert!(stdout(&output).starts_with("::error file=deploy/otel.yaml,line=7,"), "{}", stdout(&output));
    let report = fs::read_to_string(theirs.path().join("report.sarif")).expect("the report");
    let report: serde_json::Value = serde_json::from_str(&report).expect("JSON");
    assert_eq!(report["runs"][0]["results"].as_array().map(Vec::len), Some(1));
    let clean = act(theirs.path(), &[("paths", "deploy/otel.yaml"), ("args", "--ignore Y001")]);
    assert_eq!(clean.status.code(), Some(0), "{}", stdout(&clean));
}

#[test]
fn scripts_are_sound() {
    for script in ["scripts/telstack.sh", "scripts/action.sh", "scripts/tools.sh"] {
        let output = run("shellcheck", &root(), &["--severity=style", script], &[]);
        assert!(output.status.success(), "{}", stdout(&output));
    }
}
