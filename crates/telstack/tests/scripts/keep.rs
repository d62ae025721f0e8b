//! `backup.sh` and `restore.sh`.

use std::{fs, path::Path, process::Command};

use super::{
    KEEPERS, World, backup, fill,
    support::{stderr, stdout},
};

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
    refused(&world, "restore.sh", &["--yes", path, "loki", "lokki"], "\"lokki\" has no volumes");
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

#[test]
fn nothing_is_touched_while_nobody_knows_what_runs() {
    let world = World::new();
    fill(&world);
    let saved = backup(&world);
    fs::write(world.volume("loki").join("later"), "kept").expect("writable");
    fs::write(world.path("unreadable"), "required variable X is missing a value").expect("writable");
    refused(&world, "backup.sh", &["-o", "elsewhere", "loki"], "required variable X is missing a value");
    assert!(!world.path("elsewhere").exists());
    refused(&world, "restore.sh", &["--yes", saved.to_str().expect("UTF-8")], "required variable X is missing a value");
    assert!(world.volume("loki").join("later").exists());
}

#[test]
fn a_node_that_nobody_can_tell_of_is_left_alone() {
    let world = World::new();
    fill(&world);
    let saved = backup(&world);
    // Compose answers, docker does not know the container.
    world.program("docker", &super::DOCKER.replace("*) echo true ;;", "*) echo 'no such object' >&2; exit 1 ;;"));
    for (script, args) in [("backup.sh", vec!["loki"]), ("restore.sh", vec!["--yes", saved.to_str().expect("UTF-8")])] {
        let before = world.log();
        let output = world.run(script, &args, &[]);
        assert_eq!(output.status.code(), Some(1), "{script}");
        assert!(stderr(&output).contains("no such object") && stderr(&output).contains("loki: it is not known"));
        assert_eq!(world.log(), before, "{script}");
    }
}

#[test]
fn what_does_not_unpack_leaves_the_volume_as_it_was() {
    let world = World::new();
    fill(&world);
    let saved = backup(&world);
    fs::write(saved.join("single-node_loki-data.tar.gz"), "no archive").expect("writable");
    sums(&saved);
    fs::write(world.volume("loki").join("later"), "kept").expect("writable");
    let output = world.run("restore.sh", &["--yes", saved.to_str().expect("UTF-8"), "loki", "jaeger"], &[]);
    assert_eq!(output.status.code(), Some(1));
    let words = stderr(&output);
    assert!(words.contains("failed  loki: cannot be unpacked; single-node_loki-data holds what it held"), "{words}");
    assert!(stdout(&output).contains("back    jaeger"));
    let volume = world.volume("loki");
    assert!(volume.join("later").exists() && volume.join("deep/er/data").exists());
    assert!(!volume.join(".restoring").exists());
    assert_eq!(world.log().lines().filter(|line| *line == "start id-loki").count(), 2, "it runs again");
}

#[test]
fn what_was_replaced_in_part_does_not_run() {
    let world = World::new();
    fill(&world);
    let saved = backup(&world);
    // The helper dies at a moment that nobody knows.
    world.program("docker", &super::DOCKER.replace("exec \"${arguments[@]}\"", "exit 137"));
    let output = world.run("restore.sh", &["--yes", saved.to_str().expect("UTF-8"), "loki"], &[]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("may be replaced in part: restore it again"), "{}", stderr(&output));
    assert_eq!(world.log().lines().filter(|line| *line == "start id-loki").count(), 1, "of the backup alone");
}

#[test]
fn needed_programs_are_there_first() {
    let world = World::new();
    fill(&world);
    let saved = backup(&world);
    let tools = world.path("tools");
    fs::create_dir(&tools).expect("a folder");
    let all = std::env::var("PATH").expect("a path");
    let programs = std::env::split_paths(&all).filter_map(|folder| fs::read_dir(folder).ok()).flatten().flatten();
    for program in programs.filter(|it| it.file_name() != "sha256sum" && it.file_name() != "docker") {
        // The first of a name is the one that counts.
        let _ = std::os::unix::fs::symlink(program.path(), tools.join(program.file_name()));
    }
    let path = format!("{}:{}", world.path("bin").display(), tools.display());
    for (script, args) in [("backup.sh", vec![]), ("restore.sh", vec!["--yes", saved.to_str().expect("UTF-8")])] {
        let before = world.log();
        let output = world.run(script, &args, &[("PATH", &path)]);
        assert_eq!((output.status.code(), world.log()), (Some(2), before), "{}", stderr(&output));
        assert!(stderr(&output).contains("needs sha256sum"), "{}", stderr(&output));
    }
    assert_eq!(fs::read_dir(world.path("backups")).expect("backups").count(), 1);
}

#[test]
fn the_usage_warns_of_queues() {
    let usage = stdout(&World::new().run("restore.sh", &["--help"], &[]));
    assert!(usage.contains("it is sent once more"), "{usage}");
}
