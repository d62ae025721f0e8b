//! The emitted shell scripts do what they say. There is no docker here: stand-ins answer in its place, with
//! folders for volumes; `tar`, `sha256sum` and the shell are the real ones.

mod support;

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use serde_json::Value;
use support::{stderr, stdout, telstack};

/// Answers as docker would. `$WORLD/down/NODE` marks a node that does not run; `$WORLD/volumes/NAME` is a volume.
const DOCKER: &str = r#"#!/usr/bin/env bash
case "$1 ${2-}" in
    'compose version' | 'info ') ;;
    'compose ps') [ -e "$WORLD/down/${!#}" ] || echo "id-${!#}" ;;
    'compose up') mkdir -p "$WORLD/volumes/single-node_${!#}-data" ;;
    'volume inspect') [ -d "$WORLD/volumes/$3" ] ;;
    'inspect --format')
        case "$3" in
            *Health*) echo "running ${HEALTH-healthy} 0" ;;
            *) echo true ;;
        esac ;;
    'stop '* | 'start '*) echo "$*" >>"$WORLD/log" ;;
    'run --rm')
        shift 2
        while [ "$1" != busybox:1.37 ]; do
            if [ "$1" = -v ]; then volume=${2%%:*}; fi
            shift
        done
        shift
        arguments=()
        for word in "$@"; do
            word=${word//\/from/$WORLD/volumes/$volume}
            arguments+=("${word//\/into/$WORLD/volumes/$volume}")
        done
        [ ! -e "$WORLD/full" ] || { echo "no space left on device" >&2; exit 1; }
        exec "${arguments[@]}" ;;
    *) echo "unexpected: docker $*" >&2; exit 99 ;;
esac
"#;

/// Prometheus answers from `$WORLD/answers`, everything else with `$CODE`.
const CURL: &str = r#"#!/usr/bin/env bash
case "$*" in
    *'up == 0'*) cat "$WORLD/answers/down" ;;
    *'up == 1'*) cat "$WORLD/answers/up" ;;
    *ALERTS*) cat "$WORLD/answers/alerts" ;;
    *) printf %s "${CODE-200}" ;;
esac
"#;

struct World {
    folder: tempfile::TempDir,
}

impl World {
    fn new() -> Self {
        let world = Self { folder: tempfile::tempdir().expect("a folder") };
        for folder in ["bin", "down", "answers", "volumes"] {
            fs::create_dir(world.path(folder)).expect("a folder");
        }
        // Ports are tried by the shell itself: nothing listens here, so `timeout` answers.
        for (name, text) in [("docker", DOCKER), ("curl", CURL), ("timeout", "#!/bin/sh\nexit \"${PORTS-0}\"\n")] {
            world.program(name, text);
        }
        world.answer("down", r#"{"data":{"result":[]}}"#);
        world.answer("up", r#"{"data":{"result":[{"metric":{"job":"loki"}},{"metric":{"job":"jaeger"}}]}}"#);
        world.answer("alerts", r#"{"data":{"result":[]}}"#);
        let built = world.path("build");
        let output = telstack(&["build", "stacks/single-node.stack.kdl", "-o", built.to_str().expect("UTF-8")]);
        assert!(output.status.success(), "{}", stderr(&output));
        world
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn program(&self, name: &str, text: &str) {
        let path = self.path("bin").join(name);
        fs::write(&path, text).expect("writable");
        assert!(Command::new("chmod").arg("+x").arg(path).status().expect("chmod").success());
    }

    fn answer(&self, to: &str, text: &str) {
        fs::write(self.path("answers").join(to), text).expect("writable");
    }

    fn run(&self, script: &str, args: &[&str], env: &[(&str, &str)]) -> Output {
        let path = format!("{}:{}", self.path("bin").display(), std::env::var("PATH").expect("a path"));
        Command::new(self.path("build/scripts").join(script))
            .args(args)
            .current_dir(self.folder.path())
            .env("PATH", path)
            .env("WORLD", self.folder.path())
            .envs(env.iter().copied())
            .output()
            .expect("the script runs")
    }

    fn health(&self, env: &[(&str, &str)]) -> (i32, Value) {
        let output = self.run("health-check.sh", &["--json"], env);
        let answer = serde_json::from_str(&stdout(&output))
            .unwrap_or_else(|error| panic!("{error}: {}{}", stdout(&output), stderr(&output)));
        (output.status.code().expect("a code"), answer)
    }

    fn volume(&self, node: &str) -> PathBuf {
        self.path("volumes").join(format!("single-node_{node}-data"))
    }

    fn log(&self) -> String {
        fs::read_to_string(self.path("log")).unwrap_or_default()
    }
}

const KEEPERS: [&str; 6] = ["otel-collector", "jaeger", "prometheus", "loki", "alertmanager", "grafana"];

fn failing(answer: &Value) -> Vec<String> {
    let checks = answer["checks"].as_array().expect("checks");
    let failed = checks.iter().filter(|check| check["status"] != "ok");
    failed.map(|check| format!("{} {}", check["check"], check["name"]).replace('"', "")).collect()
}

#[test]
fn a_stack_that_is_well() {
    let world = World::new();
    let (code, answer) = world.health(&[]);
    assert_eq!((code, &answer["status"]), (0, &Value::from("ok")), "{answer:#}");
    assert_eq!(answer["stack"], "single-node");
    let names: Vec<&str> =
        answer["checks"].as_array().expect("checks").iter().filter_map(|check| check["name"].as_str()).collect();
    for node in KEEPERS {
        assert!(names.contains(&node), "{node} is checked");
    }
    let text = stdout(&world.run("health-check.sh", &[], &[]));
    assert!(text.ends_with("all is well\n") && text.contains("scrapes jaeger loki"), "{text}");
}

#[test]
fn what_is_not_well_is_named() {
    let world = World::new();
    fs::write(world.path("down/loki"), "").expect("writable");
    world.answer("down", r#"{"data":{"result":[{"metric":{"job":"loki"}}]}}"#);
    world.answer("alerts", r#"{"data":{"result":[{"metric":{"alertname":"CollectorSendFailing"}}]}}"#);
    let (code, answer) = world.health(&[]);
    assert_eq!(code, 1);
    assert_eq!(failing(&answer), ["pipeline prometheus", "pipeline prometheus", "container loki"]);
    let (code, answer) = world.health(&[("CODE", "503"), ("PORTS", "1"), ("HEALTH", "unhealthy")]);
    assert_eq!(code, 1);
    let failing = failing(&answer).join("\n");
    for check in ["http grafana", "http otel-collector", "port otel-collector", "container jaeger"] {
        assert!(failing.contains(check), "{check}: {failing}");
    }
}

#[test]
fn a_check_that_cannot_run_says_so() {
    let world = World::new();
    assert_eq!(world.run("health-check.sh", &["--jsno"], &[]).status.code(), Some(2));
    world.program("docker", "#!/bin/sh\nexit 1\n");
    let output = world.run("health-check.sh", &[], &[]);
    assert_eq!(output.status.code(), Some(2));
    assert!(!stderr(&output).is_empty());
}

fn fill(world: &World) {
    for node in KEEPERS {
        let volume = world.volume(node);
        fs::create_dir_all(volume.join("deep/er")).expect("a volume");
        fs::write(volume.join("deep/er/data"), node).expect("writable");
        fs::write(volume.join(".hidden"), "kept").expect("writable");
    }
}

fn backup(world: &World) -> PathBuf {
    let output = world.run("backup.sh", &[], &[]);
    assert!(output.status.success(), "{}{}", stdout(&output), stderr(&output));
    let mut folders = fs::read_dir(world.path("backups")).expect("backups");
    folders.next().expect("one backup").expect("readable").path()
}

#[test]
fn what_is_saved_comes_back() {
    let world = World::new();
    fill(&world);
    let saved = backup(&world);
    assert_eq!(world.log().lines().filter(|line| line.starts_with("stop")).count(), KEEPERS.len());
    assert_eq!(world.log().lines().filter(|line| line.starts_with("start")).count(), KEEPERS.len());

    fs::write(world.volume("loki").join("deep/er/data"), "spoilt").expect("writable");
    fs::write(world.volume("loki").join("later"), "not in the backup").expect("writable");
    fs::remove_dir_all(world.volume("grafana")).expect("removable");
    fs::write(world.path("down/grafana"), "").expect("writable");
    let output = world.run("restore.sh", &["--yes", saved.to_str().expect("UTF-8")], &[]);
    assert!(output.status.success(), "{}{}", stdout(&output), stderr(&output));
    for node in KEEPERS {
        let volume = world.volume(node);
        assert_eq!(fs::read_to_string(volume.join("deep/er/data")).expect(node), node);
        assert!(
            volume.join(".hidden").exists() && !volume.join("later").exists() && !volume.join(".restoring").exists()
        );
    }
}

#[test]
fn one_node_alone() {
    let world = World::new();
    fill(&world);
    let saved = backup(&world);
    for node in ["loki", "jaeger"] {
        fs::write(world.volume(node).join("deep/er/data"), "new").expect("writable");
    }
    let output = world.run("restore.sh", &["--yes", saved.to_str().expect("UTF-8"), "loki"], &[]);
    assert!(output.status.success(), "{}", stderr(&output));
    let data = |node: &str| fs::read_to_string(world.volume(node).join("deep/er/data")).expect("data");
    assert_eq!((data("loki").as_str(), data("jaeger").as_str()), ("loki", "new"));
}

fn refused(world: &World, script: &str, args: &[&str], words: &str) {
    let before = world.log();
    let output = world.run(script, args, &[]);
    assert_eq!(output.status.code(), Some(2), "{}{}", stdout(&output), stderr(&output));
    let text = stdout(&output) + &stderr(&output);
    assert!(text.contains(words), "{text}");
    assert_eq!(world.log(), before, "nothing was stopped");
}

#[test]
fn nothing_is_touched_for_a_bad_backup() {
    let world = World::new();
    fill(&world);
    let saved = backup(&world);
    let path = saved.to_str().expect("UTF-8");
    refused(&world, "backup.sh", &["lokki"], "no volumes");
    refused(&world, "restore.sh", &["--yes", "nowhere"], "no such backup");
    refused(&world, "restore.sh", &[path], "nothing was touched");
    let archive = saved.join("single-node_loki-data.tar.gz");
    let mut bytes = fs::read(&archive).expect("readable");
    bytes[20] ^= 1;
    fs::write(&archive, bytes).expect("writable");
    refused(&world, "restore.sh", &["--yes", path], "not a whole backup");
    fs::write(saved.join("STACK"), "another\n").expect("writable");
    sums(&saved);
    refused(&world, "restore.sh", &["--yes", path], "a backup of \"another\"");
}

fn sums(folder: &Path) {
    let sum = Command::new("sh").args(["-c", "sha256sum -- STACK *.tar.gz >SHA256SUMS"]).current_dir(folder).status();
    assert!(sum.expect("sha256sum").success());
}

#[test]
fn a_full_disk_costs_nothing() {
    let world = World::new();
    fill(&world);
    fs::write(world.path("full"), "").expect("writable");
    let output = world.run("backup.sh", &[], &[]);
    assert_eq!(output.status.code(), Some(1));
    let starts = world.log().lines().filter(|line| line.starts_with("start")).count();
    assert_eq!(starts, KEEPERS.len(), "what was stopped runs again");
    let left = fs::read_dir(world.path("backups")).expect("backups").count();
    assert_eq!(left, 0, "no half backup is left");
}
