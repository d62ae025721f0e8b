//! What is done with findings: settings, comments, baselines, changes in git, fixes; on files of the disk.

mod support;

use std::{fs, path::Path, process::Command};

use support::{stderr, stdout, telstack_in};

/// A configuration with a remark that has a safe fix, and an error that has another.
const CONFIG: &str = "# telstack: otelcol=0.159.0\nreceivers:\n  otlp:\n    protocols:\n      grpc:\nprocessors:\n  memory_limiter: {check_interval: 1s, limit_mib: 400}\n  batch:\n    timout: 1s # mine\nexporters:\n  \
                      otlphttp: # ours\n    endpoint: http://gw:4318\nservice:\n  pipelines:\n    traces:\n      receivers: [otlp]\n      \
                      processors: [memory_limiter, batch]\n      exporters: [otlphttp]\n";

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    put(&folder, "deploy/otel.yaml", CONFIG);
    // Nothing above counts.
    fs::create_dir(folder.path().join(".git")).expect("a folder");
    folder
}

fn put(folder: &tempfile::TempDir, name: &str, text: &str) {
    let path = folder.path().join(name);
    fs::create_dir_all(path.parent().expect("a folder")).expect("writable");
    fs::write(path, text).expect("writable");
}

fn read(folder: &tempfile::TempDir, name: &str) -> String {
    fs::read_to_string(folder.path().join(name)).expect("there")
}

/// Exit code, and the lines of `--format github` down to their titles.
fn check(folder: &Path, args: &[&str]) -> (Option<i32>, Vec<String>, String) {
    let args = [&["check", "--format", "github"], args].concat();
    let output = telstack_in(folder, &args);
    let codes = stdout(&output);
    let codes = codes.lines().filter_map(|line| line.split_once("title=")?.1.split(' ').next().map(str::to_owned));
    (output.status.code(), codes.collect(), stderr(&output))
}

fn git(folder: &Path, args: &[&str]) {
    let output = Command::new("git")
        .args(["-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false"])
        .args(args)
        .current_dir(folder)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .output()
        .expect("git runs");
    assert!(output.status.success(), "{args:?}: {}", stderr(&output));
}

#[test]
fn settings_are_found_and_can_be_left_out() {
    let folder = folder();
    let run = |args: &[&str]| {
        let (code, codes, _) = check(folder.path(), &[args, &["deploy/otel.yaml"]].concat());
        (code, codes.join(" "))
    };
    assert_eq!(run(&[]), (Some(1), "Y001 V006".to_owned()));
    put(&folder, "telstack.toml", "ignore = ['Y001']\n[severity]\nV006 = 'error'\n");
    assert_eq!(run(&[]), (Some(1), "V006".to_owned()));
    assert_eq!(run(&["--ignore", "V"]), (Some(0), String::new()));
    assert_eq!(run(&["--isolated"]), (Some(1), "Y001 V006".to_owned()));
    put(&folder, "other.toml", "select = ['U']\n");
    assert_eq!(run(&["--settings", "other.toml"]), (Some(0), String::new()));
    assert_eq!(run(&["--settings", "missing.toml"]).0, Some(2));
    assert_eq!(run(&["--select", "K999"]).0, Some(2));
    // From below, the same file counts.
    let below = check(&folder.path().join("deploy"), &["otel.yaml"]);
    assert_eq!((below.0, below.1), (Some(1), vec!["V006".to_owned()]));
    put(&folder, "telstack.toml", "ignroe = ['Y001']\n");
    let (code, codes, told) = check(folder.path(), &["deploy/otel.yaml"]);
    assert_eq!((code, codes), (Some(2), vec!["U006".to_owned()]));
    let shown = telstack_in(&folder.path().join("deploy"), &["check", "otel.yaml"]);
    assert!(stdout(&shown).contains("[ ../telstack.toml:1:1 ]"), "{}", stdout(&shown));
    assert!(told.contains("nothing was checked"), "{told}");
}

#[test]
fn the_command_line_stands_above_the_settings() {
    let folder = folder();
    put(&folder, "telstack.toml", "[[collector]]\nversion = '0.120.0'\n");
    let of = |args: &[&str]| check(folder.path(), &[args, &["deploy/otel.yaml"]].concat()).1.join(" ");
    assert_eq!(of(&[]), "Y001");
    assert_eq!(of(&["--otelcol-version", "0.158.0"]), "Y001 V006");
}

#[test]
fn a_baseline_is_written_and_kept() {
    let folder = folder();
    let baseline = ["--baseline", "known.json", "deploy/otel.yaml"];
    assert_eq!(check(folder.path(), &baseline).0, Some(2), "there is none yet");
    let write = [&["check", "--write-baseline"], &baseline[..]].concat();
    let output = telstack_in(folder.path(), &write);
    assert_eq!((output.status.code(), stdout(&output).as_str()), (Some(0), "wrote known.json with 2 findings\n"));
    let before = read(&folder, "known.json");
    assert_eq!(check(folder.path(), &baseline), (Some(0), vec![], String::new()));
    // From elsewhere too: paths start at the folder of the baseline.
    let below = check(&folder.path().join("deploy"), &["--baseline", "../known.json", "otel.yaml"]);
    assert_eq!(below, (Some(0), vec![], String::new()));
    telstack_in(folder.path(), &write);
    assert_eq!(read(&folder, "known.json"), before, "the same again");

    put(&folder, "deploy/otel.yaml", &format!("\n{}", CONFIG.replace("timout", "tiemout")));
    let (code, codes, told) = check(folder.path(), &baseline);
    assert_eq!((code, codes), (Some(1), vec!["Y001".to_owned()]));
    assert!(told.contains("deploy/otel.yaml: Y001"), "what is stale is told: {told}");
}

#[test]
fn only_changed_files_are_reported() {
    let folder = folder();
    fs::remove_dir(folder.path().join(".git")).expect("a folder");
    let since = |folder: &Path, rev: &str, files: &[&str]| check(folder, &[&["--changed-since", rev], files].concat());
    let (code, _, told) = since(folder.path(), "HEAD", &["deploy/otel.yaml"]);
    assert_eq!(code, Some(2));
    assert!(told.contains("run it inside a repository"), "{told}");

    put(&folder, "deploy/same.yaml", CONFIG);
    git(folder.path(), &["init", "--quiet", "--initial-branch=main"]);
    git(folder.path(), &["add", "."]);
    git(folder.path(), &["commit", "--quiet", "-m", "one"]);
    put(&folder, "deploy/otel.yaml", &format!("# changed\n{CONFIG}"));
    put(&folder, "deploy/neu ü.yaml", CONFIG);
    let all = ["deploy/otel.yaml", "deploy/same.yaml", "deploy/neu ü.yaml"];
    let (code, codes, _) = since(folder.path(), "main", &all);
    assert_eq!((code, codes.len()), (Some(1), 4), "the changed and the new one: {codes:?}");
    let (_, codes, _) = since(&folder.path().join("deploy"), "HEAD", &["otel.yaml", "same.yaml"]);
    assert_eq!(codes.len(), 2);
    // A commit later it is no change since then, but still one since before.
    git(folder.path(), &["add", "."]);
    git(folder.path(), &["commit", "--quiet", "-m", "two"]);
    assert_eq!(since(folder.path(), "HEAD", &all), (Some(0), vec![], String::new()));
    assert_eq!(since(folder.path(), "HEAD~1", &all).1.len(), 4);
    for revision in ["nothing", "--output=x", ""] {
        let (code, _, told) = check(folder.path(), &[&format!("--changed-since={revision}"), "deploy/otel.yaml"]);
        assert_eq!(code, Some(2), "{revision}");
        assert!(told.contains("git knows no revision"), "{told}");
    }
    assert!(!folder.path().join("x").exists());
}

#[test]
fn fixes_are_shown_or_written() {
    let folder = folder();
    let path = "deploy/otel.yaml";
    let renamed = CONFIG.replace("otlphttp", "otlp_http");
    let shown = telstack_in(folder.path(), &["check", "--diff", path]);
    assert_eq!(shown.status.code(), Some(1));
    assert_eq!(read(&folder, path), CONFIG, "nothing is written");
    fs::write(folder.path().join("fix.patch"), stdout(&shown)).expect("writable");
    let applied = Command::new("git")
        .args(["apply", "fix.patch"])
        .current_dir(folder.path())
        .env("GIT_CEILING_DIRECTORIES", folder.path().parent().expect("a folder"))
        .output()
        .expect("git runs");
    assert!(applied.status.success(), "{}", stderr(&applied));
    assert_eq!(read(&folder, path), renamed, "the diff is one");

    put(&folder, path, CONFIG);
    let (code, codes, told) = check(folder.path(), &["--fix", path]);
    assert_eq!((code, codes), (Some(1), vec!["Y001".to_owned()]));
    assert_eq!(read(&folder, path), renamed);
    assert_eq!(told, "put 1 finding right, in deploy/otel.yaml\n");
    assert_eq!(check(folder.path(), &["--unsafe-fixes", path]).0, Some(2));
    assert_eq!(check(folder.path(), &["--fix", "--unsafe-fixes", path]).0, Some(0));
    assert_eq!(read(&folder, path), renamed.replace("timout", "timeout"));
    let none = telstack_in(folder.path(), &["check", "--diff", path]);
    assert_eq!((none.status.code(), stdout(&none)), (Some(0), String::new()));
}

#[test]
fn what_is_ignored_or_known_is_not_fixed() {
    let folder = folder();
    let path = "deploy/otel.yaml";
    let kept = CONFIG.replace("# ours", "# telstack: ignore[V006] old hosts");
    put(&folder, path, &kept);
    check(folder.path(), &["--fix", path]);
    assert_eq!(read(&folder, path), kept);
    put(&folder, path, CONFIG);
    check(folder.path(), &["--fix", "--select", "Y", path]);
    assert_eq!(read(&folder, path), CONFIG);
    telstack_in(folder.path(), &["check", "--baseline", "b.json", "--write-baseline", path]);
    check(folder.path(), &["--fix", "--baseline", "b.json", path]);
    assert_eq!(read(&folder, path), CONFIG);
}

#[cfg(unix)]
#[test]
fn fixed_files_stay_what_they_are() {
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    let folder = folder();
    let real = folder.path().join("deploy/otel.yaml");
    fs::set_permissions(&real, fs::Permissions::from_mode(0o640)).expect("mine");
    symlink("deploy/otel.yaml", folder.path().join("link.yaml")).expect("a link");
    fs::write(&real, format!("\u{feff}{}", CONFIG.replace('\n', "\r\n"))).expect("writable");
    assert_eq!(check(folder.path(), &["--fix", "link.yaml"]).0, Some(1));
    assert!(folder.path().join("link.yaml").symlink_metadata().expect("there").is_symlink());
    assert_eq!(fs::metadata(&real).expect("there").permissions().mode() & 0o777, 0o640);
    let text = fs::read_to_string(&real).expect("there");
    assert_eq!(text, format!("\u{feff}{}", CONFIG.replace("otlphttp", "otlp_http").replace('\n', "\r\n")));
    let left: Vec<_> = fs::read_dir(folder.path().join("deploy")).expect("there").collect();
    assert_eq!(left.len(), 1, "nothing is left over");
}

#[test]
fn hooks_may_name_every_file() {
    let folder = folder();
    put(&folder, "ci.yaml", "on: push\njobs: {}\n");
    put(&folder, "package.json", "{}");
    put(&folder, "part.kdl", "receiver \"otlp\"\n");
    put(&folder, "values.yaml", "service:\n  port: 80\n");
    fs::write(folder.path().join("picture.yaml"), [0xff, 0xfe, 0x00]).expect("writable");
    let files = ["ci.yaml", "package.json", "part.kdl", "values.yaml", "picture.yaml", "deploy/otel.yaml"];
    let (code, codes, told) = check(folder.path(), &[&["--pass-over-unknown"], &files[..]].concat());
    assert_eq!((code, codes.join(" ")), (Some(1), "Y001 V006".to_owned()), "{told}");
    assert_eq!(
        check(folder.path(), &[&["--pass-over-unknown"], &files[..5]].concat()),
        (Some(0), vec![], String::new())
    );
}

#[test]
fn settings_name_releases_of_products() {
    let folder = folder();
    // The setting came with 3.0.
    put(&folder, "loki/loki.yaml", "schema_config:\n  configs: []\nlimits_config:\n  discover_service_name: [app]\n");
    let of = |settings: &str| {
        put(&folder, "telstack.toml", settings);
        let (code, codes, told) = check(folder.path(), &["loki"]);
        (code, codes.join(" "), told)
    };
    let loki = |version: &str| format!("[[product]]\nname = 'loki'\nversion = '{version}'\npaths = ['loki/**']\n");
    assert_eq!(of(""), (Some(0), String::new(), String::new()));
    assert_eq!(of(&loki("3.4.2")).0, Some(0));
    let (code, codes, _) = of(&loki("2.9.8"));
    assert_eq!((code, codes.as_str()), (Some(1), "V003"));
    // An image is nearer.
    put(
        &folder,
        "loki/compose.yaml",
        "services:\n  loki:\n    image: grafana/loki:3.4.2\n    volumes: [./loki.yaml:/etc/loki/local-config.yaml]\n",
    );
    let (_, codes, _) = of(&loki("2.9.8"));
    assert!(!codes.contains("V003"), "{codes}");
}

/// What a manifest for the builder lists.
const MANIFEST: &str = "dist:\n  name: shop-otelcol\nreceivers:\n  - gomod: go.opentelemetry.io/collector/receiver/otlpreceiver v0.135.0\n\
                        exporters:\n  - gomod: go.opentelemetry.io/collector/exporter/otlphttpexporter v0.135.0\n";

#[test]
fn a_distribution_of_ones_own() {
    let folder = folder();
    put(&folder, "build/builder.yaml", MANIFEST);
    put(
        &folder,
        "telstack.toml",
        "[[collector]]\ndistribution = 'ours'\n[distributions.ours]\nmanifest = 'build/builder.yaml'\n",
    );
    let output = telstack_in(folder.path(), &["check", "deploy/otel.yaml"]);
    assert_eq!(output.status.code(), Some(1));
    let text = stdout(&output);
    assert!(text.contains("processor `batch` is not in the distribution `shop-otelcol`"), "{text}");
    assert!(text.contains("build/builder.yaml:1:1"), "both ends are shown: {text}");
    put(&folder, "build/builder.yaml", &format!("{MANIFEST}processors:\n  - gomod: example.com/ours v1.0.0\n"));
    assert_eq!(
        check(folder.path(), &["deploy/otel.yaml"]),
        (Some(0), vec![], String::new()),
        "who knows what it holds"
    );
    // The command line may name it too.
    put(&folder, "telstack.toml", "[distributions.ours]\nmanifest = 'build/builder.yaml'\n");
    assert_eq!(check(folder.path(), &["--distribution", "ours", "deploy/otel.yaml"]).1, [""; 0]);
    assert_eq!(check(folder.path(), &["deploy/otel.yaml"]).1.len(), 2);
}

#[test]
fn the_settings_in_the_documents_are_some() {
    let folder = folder();
    let text = fs::read_to_string(support::root().join("docs/acting.md")).expect("the page");
    let example = text.split("```toml\n").nth(1).and_then(|it| it.split("```").next()).expect("an example");
    put(&folder, "telstack.toml", example);
    put(&folder, "build/builder.yaml", MANIFEST);
    let (code, codes, told) = check(folder.path(), &["deploy/otel.yaml"]);
    assert_eq!((code, codes), (Some(1), vec!["V002".to_owned(); 2]), "{told}");
}
