//! The same stack gives the same bytes: whenever, wherever and in whatever order it is said that says nothing.

#[path = "support/big.rs"]
mod big;
#[path = "support/mod.rs"]
mod support;

use std::{collections::BTreeMap, path::Path, process::Command};

use support::{files, root, stacks};

/// Builds a stack and returns the files, without the manifest.
fn build(folder: &Path, stack: &str, environment: &[(&str, &str)]) -> BTreeMap<String, Vec<u8>> {
    let out = tempfile::tempdir().expect("a folder");
    let output = Command::new(env!("CARGO_BIN_EXE_telstack"))
        .args(["build", stack, "-o"])
        .arg(out.path())
        .current_dir(folder)
        .envs(environment.iter().copied())
        .output()
        .expect("the binary runs");
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stdout));
    let read = |name: String| std::fs::read(out.path().join(&name)).map(|bytes| (name, bytes)).expect("readable");
    files(out.path()).into_iter().filter(|name| name != ".telstack.json").map(read).collect()
}

fn build_text(text: &str) -> BTreeMap<String, Vec<u8>> {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("s.stack.kdl"), text).expect("writable");
    build(folder.path(), "s.stack.kdl", &[])
}

/// Which files differ.
fn differ(a: &BTreeMap<String, Vec<u8>>, b: &BTreeMap<String, Vec<u8>>) -> Vec<String> {
    let names: std::collections::BTreeSet<&String> = a.keys().chain(b.keys()).collect();
    names.into_iter().filter(|name| a.get(*name) != b.get(*name)).cloned().collect()
}

/// A few orders of the same things, made without a clock.
fn shuffled<T: Clone>(things: &[T], seed: u64) -> Vec<T> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut rest = things.to_vec();
    let mut out = Vec::new();
    while !rest.is_empty() {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        let at = usize::try_from(state % rest.len() as u64).expect("small");
        out.push(rest.remove(at));
    }
    out
}

#[test]
fn every_run_gives_the_same_bytes() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("big.stack.kdl"), big::stack(big::Shape::Tiers, 30)).expect("writable");
    // Each process has seeds of its own for its maps, and addresses of its own.
    let first = build(folder.path(), "big.stack.kdl", &[]);
    for _ in 0..5 {
        assert_eq!(differ(&first, &build(folder.path(), "big.stack.kdl", &[])), Vec::<String>::new());
    }
    let text =
        std::fs::read_to_string(folder.path().join("big.stack.kdl")).expect("there").replace("\"otlp\"", "\"oltp\"");
    std::fs::write(folder.path().join("bad.stack.kdl"), text).expect("writable");
    let check = |format: &str| {
        let output = support::telstack_in(folder.path(), &["check", "--format", format, "bad.stack.kdl"]);
        assert_eq!(output.status.code(), Some(1));
        output.stdout
    };
    for format in ["human", "json"] {
        let first = check(format);
        assert!((0..5).all(|_| check(format) == first), "{format}");
    }
}

#[test]
fn the_machine_does_not_matter() {
    for stack in stacks() {
        let file = format!("{stack}.stack.kdl");
        let first = build(&root().join("stacks"), &file, &[]);
        for environment in [
            [("TZ", "Pacific/Kiritimati"), ("LANG", "tr_TR.UTF-8"), ("LC_ALL", "tr_TR.UTF-8")],
            [("TZ", ""), ("LANG", "C"), ("LC_ALL", "C")],
            [("HOME", "/nowhere"), ("USER", "somebody"), ("COLUMNS", "20")],
            [("NO_COLOR", "1"), ("CLICOLOR_FORCE", "1"), ("HOSTNAME", "x")],
        ] {
            assert_eq!(differ(&first, &build(&root().join("stacks"), &file, &environment)), Vec::<String>::new());
        }
        // From another working folder, and by its whole path. The name of a file in a header would tell.
        assert_eq!(differ(&first, &build(&root(), &format!("stacks/{file}"), &[])), Vec::<String>::new());
        let whole = root().join("stacks").join(&file);
        assert_eq!(differ(&first, &build(Path::new("/"), whole.to_str().expect("text"), &[])), Vec::<String>::new());
        let copy = tempfile::tempdir().expect("a folder");
        std::fs::copy(&whole, copy.path().join("other.stack.kdl")).expect("readable");
        assert_eq!(differ(&first, &build(copy.path(), "other.stack.kdl", &[])), Vec::<String>::new());
    }
}

#[test]
fn orders_that_say_nothing_change_nothing() {
    let pins =
        ["otelcol \"0.158.0\"", "loki \"3.7.6\"", "prometheus \"3.14.0\"", "jaeger \"2.20.0\"", "grafana \"13.0.1\""];
    let parts = ["receivers.kdl", "stores.kdl", "viewers.kdl"];
    let constants = ["let keep \"30d\"", "let cluster=\"eu\"", "let big=\"2GiB\""];
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).expect("writable");
    write("receivers.kdl", "let batch \"5s\"\n");
    write("stores.kdl", "let size \"40GiB\"\n");
    write("viewers.kdl", "let admin \"ops\"\n");
    let mut first = None;
    for seed in 0..6 {
        let (pins, parts, constants) = (shuffled(&pins, seed), shuffled(&parts, seed), shuffled(&constants, seed));
        let includes: Vec<String> = parts.iter().map(|it| format!("include \"{it}\"")).collect();
        write(
            "s.stack.kdl",
            &format!(
                "{}\nstack \"s\" {{\n{}\nversions {{ {} }}\nplatform \"compose\"\ncollector \"c\" {{\nresources \
                 memory=(let)\"big\"\nreceiver \"otlp\"\nprocessor \"batch\" {{ timeout (let)\"batch\" }}\npipeline \
                 \"traces\" {{ from \"otlp\"; to \"jaeger\" }}\npipeline \"metrics\" {{ to \"prometheus\"; from \
                 \"otlp\" }}\npipeline \"logs\" {{ from \"otlp\"; to \"loki\" }}\n}}\njaeger {{ retention \
                 (let)\"keep\" }}\nprometheus {{ retention (let)\"keep\" size=(let)\"size\" }}\nloki\ngrafana {{ \
                 admin_user (let)\"admin\" }}\n}}\n",
                constants.join("\n"),
                includes.join("\n"),
                pins.join("; "),
            ),
        );
        let built = build(folder.path(), "s.stack.kdl", &[]);
        let first = first.get_or_insert_with(|| built.clone());
        assert_eq!(differ(first, &built), Vec::<String>::new(), "seed {seed}");
    }
}

/// Nodes that do not know of each other: each file of a node is the same wherever the node stands. What lists nodes
/// lists them in the order of the stack.
#[test]
fn the_order_of_nodes_is_that_of_lists_and_of_nothing_else() {
    let nodes = [
        "collector \"a\" { receiver \"otlp\"; processor \"batch\"; pipeline \"logs\" { from \"otlp\"; to \"loki\" } }",
        "collector \"b\" { receiver \"otlp\" { protocols { grpc endpoint=\"0.0.0.0:5317\" } }; pipeline \"traces\" { from \"otlp\"; to \"jaeger\" } }",
        "loki { retention \"30d\" }",
        "jaeger",
        "prometheus",
        "grafana",
        "alertmanager",
    ];
    let stack = |nodes: &[&str]| format!("stack \"s\" {{\nplatform \"compose\"\n{}\n}}\n", nodes.join("\n"));
    let first = build_text(&stack(&nodes));
    // What lists several nodes: services, scrape jobs, alert rules, data sources, panels, checks, volumes.
    let lists = |name: &str| {
        [
            "docker-compose.yml",
            "configs/prometheus.yml",
            "scripts/health-check.sh",
            "scripts/backup.sh",
            "scripts/restore.sh",
        ]
        .contains(&name)
            || ["grafana/", "configs/prometheus-rules/"].iter().any(|start| name.starts_with(start))
    };
    for seed in 1..8 {
        let other = build_text(&stack(&shuffled(&nodes, seed)));
        let unlike: Vec<String> = differ(&first, &other).into_iter().filter(|name| !lists(name)).collect();
        assert_eq!(unlike, Vec::<String>::new(), "seed {seed}");
        // The lists hold the same things.
        for (name, bytes) in &first {
            let sorted = |bytes: &[u8]| {
                let text = String::from_utf8_lossy(bytes).into_owned();
                let mut words: Vec<String> =
                    text.split(|c: char| c.is_whitespace() || c == ',').map(str::to_owned).collect();
                // Hashes of files that are lists.
                let hash = |it: &str| {
                    let it = it.trim_matches('"');
                    it.len() == 12 && it.chars().all(|c| c.is_ascii_hexdigit())
                };
                words.retain(|it| !it.is_empty() && it != "#" && !hash(it));
                words.sort();
                words
            };
            if !name.starts_with("grafana/") {
                assert_eq!(sorted(bytes), sorted(&other[name]), "{name}, seed {seed}");
            }
        }
    }
}
