//! What whole runs of the optimised binary cost: instructions, time, memory. The table of docs/performance.md.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

#[path = "../../crates/telstack/tests/support/big.rs"]
mod big;

#[path = "../../crates/telstack/tests/support/many.rs"]
mod many;

#[path = "../../crates/telstack/tests/support/fleet.rs"]
mod fleet;

use big::Shape;

/// How often a run is timed; the least time counts, the others waited for something.
const RUNS: usize = 15;

/// Builds the binary, measures it and prints a table of those runs that have `only` in their names.
pub fn run(only: &str) -> Result<(), String> {
    let root = crate::tidy::root();
    let status = Command::new(env!("CARGO")).args(["build", "--release"]).current_dir(&root).status();
    if !status.map_err(|error| error.to_string())?.success() {
        return Err("the binary cannot be built".to_owned());
    }
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    let binary = target.join("release/telstack");
    let folder = target.join("measure");
    std::fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let input = |name: &str, text: &str| {
        let path = folder.join(name);
        std::fs::write(&path, text).map(|()| path.display().to_string()).map_err(|error| error.to_string())
    };
    let single = root.join("stacks/single-node.stack.kdl").display().to_string();
    let out = folder.join("out").display().to_string();

    let mut runs = vec![
        ("start, and nothing else: `--version`".to_owned(), vec!["--version".to_owned()]),
        ("single-node: parse and lay out, `fmt --check`".to_owned(), args(&["fmt", "--check", &single])),
        ("single-node: `check`".to_owned(), args(&["check", &single])),
        ("single-node: `build`".to_owned(), args(&["build", &single, "-o", &out])),
    ];
    for (shape, counts) in [(Shape::Tiers, &[10, 100, 1000, 2000][..]), (Shape::Star, &[1000]), (Shape::Chain, &[1000])]
    {
        for collectors in counts {
            let name = format!("{shape:?}{collectors}").to_lowercase();
            let path = input(&format!("{name}.stack.kdl"), &big::stack(shape, *collectors))?;
            if shape == Shape::Tiers {
                runs.push((format!("{collectors} collectors: parse and lay out"), args(&["fmt", "--check", &path])));
            }
            runs.push((format!("{collectors} collectors ({shape:?}): `check`"), args(&["check", &path])));
            if shape == Shape::Tiers {
                runs.push((
                    format!("{collectors} collectors ({shape:?}): `build`"),
                    args(&["build", &path, "-o", &out]),
                ));
            }
        }
    }
    for configurations in [1, 100, 1000, 4000] {
        let name = format!("many{configurations}");
        std::fs::create_dir_all(folder.join(&name)).map_err(|error| error.to_string())?;
        for at in 0..configurations {
            input(&format!("{name}/{at}.yaml"), &many::configuration(at))?;
        }
        let folder = folder.join(&name).display().to_string();
        runs.push((format!("{configurations} configurations by hand: `check`"), args(&["check", &folder])));
    }
    let federated = std::fs::read_to_string(root.join("stacks/federated.stack.kdl")).map_err(|it| it.to_string())?;
    for clusters in [10, 100, 1000, 2000] {
        let table = format!("fleet{clusters}.csv");
        input(&table, &fleet::table(clusters))?;
        let path = input(&format!("fleet{clusters}.stack.kdl"), &fleet::stack(&federated, &table))?;
        runs.push((format!("a fleet of {clusters} clusters: `check`"), args(&["check", &path])));
        runs.push((format!("a fleet of {clusters} clusters: `build`"), args(&["build", &path, "-o", &out])));
    }
    println!("| run | instructions, millions | time, ms | memory, MiB |\n|---|---:|---:|---:|");
    for (title, args) in runs.into_iter().filter(|(title, _)| title.contains(only)) {
        // A build is cold when it has everything to write.
        let fresh = || drop(std::fs::remove_dir_all(&out));
        fresh();
        let instructions = instructions(&binary, &args)?;
        let mut least = Duration::MAX;
        for _ in 0..RUNS {
            fresh();
            let started = Instant::now();
            silent(&binary, &args)?;
            least = least.min(started.elapsed());
        }
        fresh();
        let memory = memory(&binary, &args)?;
        println!("| {title} | {:.1} | {:.1} | {:.1} |", instructions / 1e6, least.as_secs_f64() * 1e3, memory / 1024.0);
    }
    Ok(())
}

fn args(args: &[&str]) -> Vec<String> {
    args.iter().map(|it| (*it).to_owned()).collect()
}

fn silent(binary: &Path, args: &[String]) -> Result<(), String> {
    let run = Command::new(binary).args(args).stdout(Stdio::null()).stderr(Stdio::null()).status();
    run.map(drop).map_err(|error| format!("{}: {error}", binary.display()))
}

/// Instructions of a whole process, as valgrind counts them.
fn instructions(binary: &Path, args: &[String]) -> Result<f64, String> {
    let run = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(binary)
        .args(args)
        .output()
        .map_err(|error| format!("valgrind: {error}"))?;
    let said = String::from_utf8_lossy(&run.stderr).into_owned();
    let count = said.lines().find_map(|line| line.split_once("Collected : ")?.1.trim().parse().ok());
    count.ok_or_else(|| format!("valgrind says nothing that can be counted:\n{said}"))
}

/// The most memory that a process had, in KiB, as GNU time tells it.
fn memory(binary: &Path, args: &[String]) -> Result<f64, String> {
    let run = Command::new("time")
        .args(["-f", "%M"])
        .arg(binary)
        .args(args)
        .stdout(Stdio::null())
        .output()
        .map_err(|error| format!("time: {error}"))?;
    let said = String::from_utf8_lossy(&run.stderr).into_owned();
    let last = said.lines().last().and_then(|line| line.trim().parse().ok());
    last.ok_or_else(|| format!("`time` says no number:\n{said}"))
}
