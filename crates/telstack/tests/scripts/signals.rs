//! Scripts that somebody ends before they are done.

use std::{
    fs,
    os::unix::process::CommandExt as _,
    path::Path,
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};

use super::{
    World, backup, fill,
    support::{stderr, stdout},
};

/// Starts a script as a terminal does: in a group of its own, all of which Ctrl-C reaches.
fn start(world: &World, script: &str, args: &[&str]) -> Child {
    let mut command = world.command(script, args);
    command.process_group(0).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().expect("the script runs")
}

/// Waits until docker has begun with something.
fn begun(world: &World, what: &str) {
    let started = Instant::now();
    while !fs::read_to_string(world.path("begun")).unwrap_or_default().lines().any(|line| line == what) {
        assert!(started.elapsed() < Duration::from_mins(1), "`{what}` never begins");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Sends a signal: to the script alone, or as Ctrl-C does to all of its group.
fn ended(child: Child, signal: &str, group: bool) -> Output {
    let to = if group { format!("-{}", child.id()) } else { child.id().to_string() };
    assert!(Command::new("kill").args([signal, "--", &to]).status().expect("kill").success());
    let started = Instant::now();
    let output = child.wait_with_output().expect("ends");
    assert!(started.elapsed() < Duration::from_secs(30), "it does not end");
    output
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("a folder").flatten();
    entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}

#[test]
fn a_backup_leaves_no_half_and_no_node_stopped() {
    for (signal, group, code) in [("-INT", true, 130), ("-INT", false, 130), ("-TERM", false, 143)] {
        let world = World::new();
        fill(&world);
        world.trouble("slow");
        let child = start(&world, "backup.sh", &["loki"]);
        begun(&world, "begin run");
        let output = ended(child, signal, group);
        assert_eq!(output.status.code(), Some(code), "{}", stderr(&output));
        assert!(stderr(&output).contains("interrupted: nothing was saved"), "{}", stderr(&output));
        assert_eq!(names(&world.path("backups")), Vec::<String>::new());
        assert_eq!(world.log(), "stop id-loki\nrun single-node_loki-data\nstart id-loki\n");
    }
}

#[test]
fn a_stop_that_has_begun_is_waited_for() {
    let world = World::new();
    fill(&world);
    world.trouble("late");
    let child = start(&world, "backup.sh", &["loki"]);
    begun(&world, "begin stop id-loki");
    let output = ended(child, "-INT", true);
    assert_eq!(output.status.code(), Some(130), "{}", stderr(&output));
    // Were it started while it stops, it would be down in the end.
    assert_eq!(world.log(), "stop id-loki\nstart id-loki\n");
    assert_eq!(names(&world.path("backups")), Vec::<String>::new());
}

#[test]
fn a_restore_ends_after_the_volume_at_hand() {
    for (signal, group, code) in [("-INT", true, 130), ("-TERM", false, 143)] {
        let world = World::new();
        fill(&world);
        let saved = backup(&world);
        fs::remove_file(world.path("begun")).expect("removable");
        let before = world.log();
        for node in ["jaeger", "loki"] {
            fs::write(world.volume(node).join("later"), "not in the backup").expect("writable");
        }
        world.trouble("late");
        let child = start(&world, "restore.sh", &["--yes", saved.to_str().expect("UTF-8"), "jaeger", "loki"]);
        begun(&world, "begin run");
        let output = ended(child, signal, group);
        assert_eq!(output.status.code(), Some(code), "{}", stderr(&output));
        assert!(stdout(&output).contains("back    jaeger") && !stdout(&output).contains("back    loki"));
        assert!(stderr(&output).contains("ends after the volume at hand"), "{}", stderr(&output));
        let after = world.log();
        assert_eq!(&after[before.len()..], "stop id-jaeger\nrun single-node_jaeger-data\nstart id-jaeger\n");
        assert!(!world.volume("jaeger").join("later").exists() && world.volume("loki").join("later").exists());
        assert!(!world.volume("jaeger").join(".restoring").exists());
    }
}
