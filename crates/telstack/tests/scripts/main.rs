//! The emitted shell scripts do what they say. There is no docker here: stand-ins answer in its place, with
//! folders for volumes; `tar`, `sha256sum` and the shell are the real ones.

#[path = "../support/mod.rs"]
mod support;

mod health;
mod keep;
#[cfg(unix)]
mod signals;

use std::{
    fs,
    path::PathBuf,
    process::{Command, Output},
};

use support::{stderr, stdout, telstack};

/// Answers as docker would. `$WORLD/down/NODE` marks a node that does not run; `$WORLD/volumes/NAME` is a volume.
/// More files of `$WORLD` say what goes wrong: `unreadable` what compose cannot read, `full` a disk, `slow` a copy that
/// takes for ever, `late` what takes a second.
const DOCKER: &str = r#"#!/usr/bin/env bash
case "$1 ${2-}" in
    'compose version' | 'info ') ;;
    'compose ps')
        if [ -e "$WORLD/unreadable" ]; then cat "$WORLD/unreadable" >&2; exit 1; fi
        [ "${!#}" = -q ] || [ -e "$WORLD/down/${!#}" ] || echo "id-${!#}" ;;
    'compose up') mkdir -p "$WORLD/volumes/single-node_${!#}-data" ;;
    'volume inspect') [ -d "$WORLD/volumes/$3" ] ;;
    'inspect --format')
        case "$3" in
            *Health*) echo "running ${HEALTH-healthy} 0" ;;
            *) echo true ;;
        esac ;;
    'stop '* | 'start '*)
        echo "begin $*" >>"$WORLD/begun"
        [ ! -e "$WORLD/late" ] || sleep 1
        echo "$*" >>"$WORLD/log" ;;
    'rm -f') [ -e "$WORLD/helper-$3" ] && kill "$(cat "$WORLD/helper-$3")" ;;
    'run --rm')
        shift 2
        name=none
        while [ "$1" != busybox:1.37 ]; do
            case "$1" in
                -v) volume=${2%%:*} ;;
                --name) name=$2 ;;
            esac
            shift
        done
        shift
        echo "$$" >"$WORLD/helper-$name"
        echo "run $volume" >>"$WORLD/log"
        echo "begin run" >>"$WORLD/begun"
        arguments=()
        for word in "$@"; do
            word=${word//\/from/$WORLD/volumes/$volume}
            arguments+=("${word//\/into/$WORLD/volumes/$volume}")
        done
        [ ! -e "$WORLD/full" ] || { echo "no space left on device" >&2; exit 125; }
        [ ! -e "$WORLD/slow" ] || exec sleep 60
        [ ! -e "$WORLD/late" ] || sleep 1
        exec "${arguments[@]}" ;;
    *) echo "unexpected: docker $*" >&2; exit 99 ;;
esac
"#;

/// Prometheus answers queries from `$WORLD/answers`. The rest answers with `$CODE`, or as the real programs do where
/// they are asked nothing in particular.
const CURL: &str = r#"#!/usr/bin/env bash
address=${!#}
address=${address#*://*:}
case "$address $*" in
    9090/api/v1/query*'up == 0'*) cat "$WORLD/answers/down" ;;
    9090/api/v1/query*'up == 1'*) cat "$WORLD/answers/up" ;;
    9090/api/v1/query*ALERTS*) cat "$WORLD/answers/alerts" ;;
    9090/-/ready\ * | 9090/-/healthy\ * | 9093/-/ready\ * | 9093/-/healthy\ * | 3100/ready\ * | 3200/ready\ * | \
        3000/api/health\ * | 13133/\ * | 8889/metrics\ * | 14269/\ * | 16686/\ * | 16686/api/services\ *) printf %s "${CODE-200}" ;;
    9090/api/v1/query\ * | 3100/loki/api/v1/query_range\ * | 16686/api/traces\ *) printf %s "${CODE-400}" ;;
    *) printf %s "${CODE-404}" ;;
esac
"#;

struct World {
    folder: tempfile::TempDir,
}

impl World {
    fn new() -> Self {
        Self::of("stacks/single-node.stack.kdl")
    }

    /// With what a stack compiles to.
    fn of(stack: &str) -> Self {
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
        let output = telstack(&["build", stack, "-o", built.to_str().expect("UTF-8")]);
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

    /// What goes wrong from here on.
    fn trouble(&self, name: &str) {
        fs::write(self.path(name), "").expect("writable");
    }

    fn run(&self, script: &str, args: &[&str], env: &[(&str, &str)]) -> Output {
        self.command(script, args).envs(env.iter().copied()).output().expect("the script runs")
    }

    fn command(&self, script: &str, args: &[&str]) -> Command {
        let path = format!("{}:{}", self.path("bin").display(), std::env::var("PATH").expect("a path"));
        let mut command = Command::new("env");
        // Whoever starts the tests in the background has them ignore Ctrl-C, which a shell cannot undo.
        command.arg("--default-signal=INT").arg(self.path("build/scripts").join(script)).args(args);
        command.current_dir(self.folder.path()).env("PATH", path).env("WORLD", self.folder.path());
        command
    }

    fn volume(&self, node: &str) -> PathBuf {
        self.path("volumes").join(format!("single-node_{node}-data"))
    }

    fn log(&self) -> String {
        fs::read_to_string(self.path("log")).unwrap_or_default()
    }
}

const KEEPERS: [&str; 6] = ["otel-collector", "jaeger", "prometheus", "loki", "alertmanager", "grafana"];

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
