//! Builds that somebody ends: the folder is as it was or as it should be, and nothing else is left anywhere.

use std::{
    cell::Cell,
    collections::BTreeMap,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use telstack_workspace::{BuildError, DiskFiles, build, compile};

use super::{expect, folders::stack};

/// Every file and every folder below a folder, with what is in the files. None if the folder is not there.
fn everything(folder: &Path) -> Option<BTreeMap<PathBuf, Option<Vec<u8>>>> {
    fn walk(folder: &Path, below: &Path, found: &mut BTreeMap<PathBuf, Option<Vec<u8>>>) {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let entry = entry.expect("an entry");
            let (path, name) = (entry.path(), below.join(entry.file_name()));
            if path.is_dir() {
                found.insert(name.clone(), None);
                walk(&path, &name, found);
            } else {
                found.insert(name, Some(std::fs::read(&path).expect("readable")));
            }
        }
    }
    let mut found = BTreeMap::new();
    folder.is_dir().then(|| walk(folder, Path::new(""), &mut found))?;
    Some(found)
}

#[test]
fn at_every_step() {
    let folder = tempfile::tempdir().expect("a folder");
    stack(folder.path(), "a.stack.kdl", 3);
    stack(folder.path(), "b.stack.kdl", 5);
    let steps = |name: &str, out: &str, most: usize| {
        let (path, out) = (folder.path().join(name), folder.path().join(out));
        let compiled = compile(&DiskFiles, &path).expect("readable");
        let asked = Cell::new(0);
        let interrupted = || {
            asked.set(asked.get() + 1);
            asked.get() > most
        };
        let done = build(&DiskFiles, &compiled, &path, &out, false, &interrupted);
        (done, asked.get(), compiled.artefacts.len())
    };
    let at = |name: &str| everything(&folder.path().join(name));
    // A new folder: not even those above it are left.
    let mut step = 0;
    let files = loop {
        match steps("a.stack.kdl", "deep/er/out", step) {
            (Err(BuildError::Interrupted), ..) => assert_eq!(at("deep"), None),
            (Err(error), ..) => panic!("{error:?}"),
            (Ok(_), asked, files) => {
                assert_eq!(asked, step);
                break files;
            }
        }
        step += 1;
    };
    // Once for each file and the manifest, and once more before the first takes its place.
    assert_eq!(step, files + 2);
    // A folder that is built already.
    let old = at("deep/er/out");
    step = 0;
    while let (Err(BuildError::Interrupted), ..) = steps("b.stack.kdl", "deep/er/out", step) {
        assert_eq!(at("deep/er/out"), old);
        step += 1;
    }
    assert!(step > 5, "{step} steps");
    expect(folder.path(), &["build", "b.stack.kdl", "-o", "deep/er/out", "--check"], 0, &["up to date"]);
    // Beside each other, so that the manifests name the same way to the stack.
    assert!(steps("b.stack.kdl", "deep/er/new", usize::MAX).0.is_ok());
    assert_eq!(at("deep/er/out"), at("deep/er/new"));
}

/// A shell that sends signals at once: a program of its own would come too late.
#[cfg(unix)]
struct Sender(Child);

#[cfg(unix)]
impl Sender {
    fn new() -> Self {
        Self(Command::new("sh").stdin(Stdio::piped()).stderr(Stdio::null()).spawn().expect("a shell"))
    }

    fn send(&mut self, signal: &str, to: &Child) {
        let shell = self.0.stdin.as_mut().expect("a pipe");
        writeln!(shell, "kill -{signal} {}", to.id()).expect("the shell reads");
    }
}

#[cfg(unix)]
impl Drop for Sender {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}

#[cfg(unix)]
#[test]
fn at_many_moments() {
    use std::os::unix::process::ExitStatusExt as _;
    let folder = tempfile::tempdir().expect("a folder");
    stack(folder.path(), "a.stack.kdl", 100);
    stack(folder.path(), "b.stack.kdl", 101);
    let start = |name: &str, out: &str| {
        Command::new(env!("CARGO_BIN_EXE_telstack"))
            .args(["build", name, "-o", out])
            .current_dir(folder.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the binary runs")
    };
    let at = |name: &str| everything(&folder.path().join(name));
    let clock = Instant::now();
    for (name, out) in [("a.stack.kdl", "a"), ("b.stack.kdl", "b")] {
        assert!(start(name, out).wait().expect("ends").success());
    }
    let whole = (clock.elapsed() / 2).max(Duration::from_millis(20));
    let [a, b] = ["a", "b"].map(at);
    let manifest = folder.path().join("out/..telstack.json.telstack-new");
    let mut sender = Sender::new();
    let (mut noticed, mut last) = (0, None);
    for part in 1..=45_u32 {
        let mut child = start(if part % 2 == 0 { "a.stack.kdl" } else { "b.stack.kdl" }, "out");
        if part % 5 == 0 {
            std::thread::sleep(whole * part / 45);
        } else {
            // Files are written in a small part of the time: from the first that is laid ready.
            while !manifest.exists() && child.try_wait().expect("a child").is_none() {
                std::thread::sleep(Duration::from_micros(50));
            }
            std::thread::sleep(Duration::from_micros(u64::from(part * 200)));
        }
        sender.send(if part % 3 == 0 { "TERM" } else { "INT" }, &child);
        let status = child.wait().expect("ends");
        match status.code() {
            Some(130) => noticed += 1,
            Some(0) => {}
            // Before it began to write.
            None => assert!(matches!(status.signal(), Some(2 | 15)), "{status}"),
            _ => panic!("{status}"),
        }
        let now = at("out");
        let whole = now == last || now == a || now == b;
        assert!(whole, "a half of the output is left: {:?}", now.map(|it| it.into_keys().collect::<Vec<_>>()));
        last = now;
    }
    assert!(noticed > 5, "{noticed} signals came while it wrote: too few to tell");
    expect(folder.path(), &["build", "a.stack.kdl", "-o", "out"], 0, &[]);
    assert_eq!(at("out"), a);
}

#[test]
fn ways_through_what_is_not_there() {
    let folder = tempfile::tempdir().expect("a folder");
    stack(folder.path(), "a.stack.kdl", 1);
    expect(folder.path(), &["build", "a.stack.kdl", "-o", "o4/../o5"], 0, &["wrote   o5/", "cd o5\n"]);
    expect(folder.path(), &["build", "a.stack.kdl", "-o", "o4/o6/../../o5", "--check"], 0, &["o5 is up to date"]);
    expect(folder.path(), &["convert", "a.stack.kdl", "-o", "o4/../a.stack.yaml"], 0, &["wrote a.stack.yaml"]);
    expect(folder.path(), &["new", "shop", "--dir", "o4/.."], 0, &["shop.stack.kdl"]);
    assert_eq!(everything(&folder.path().join("o4")), None);
    // What is there is gone through: it may be a link.
    std::fs::create_dir_all(folder.path().join("else/where")).expect("a folder");
    #[cfg(unix)]
    std::os::unix::fs::symlink("else/where", folder.path().join("link")).expect("a link");
    #[cfg(unix)]
    expect(folder.path(), &["build", "a.stack.kdl", "-o", "link/../out"], 0, &["wrote"]);
    #[cfg(unix)]
    assert!(folder.path().join("else/out/docker-compose.yml").exists() && !folder.path().join("out").exists());
}
