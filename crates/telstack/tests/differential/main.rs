//! The verdict of `telstack check` on collector configurations, against that of a real collector.
//!
//! Valid configurations are changed in one place, by rule (`mutate.rs`) and by hand (`written.rs`), and each
//! is given to `otelcol validate` and to telstack. Where one of the two refuses and the other does not, the
//! reason stands in `agreed.rs`, or the test fails. `scripts/tools.sh` installs the collector; without it the
//! test fails.

mod agreed;
mod bases;
mod mutate;
mod schema;
#[path = "../support/mod.rs"]
mod support;
mod written;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    process::Command,
    sync::{Mutex, atomic::AtomicUsize, atomic::Ordering},
};

use mutate::Case;
use telstack_diagnostics::{Diagnostic, Severity, SourceMap};
use telstack_workspace::{Assumed, MemoryFiles, check};

const COLLECTOR: &str = "otelcol-0.135.0";
const RELEASE: &str = "0.135.0";

/// What the real collector says: nothing, or its first complaint.
fn collector(folder: &Path, at: usize, text: &str) -> Option<String> {
    let path = folder.join(format!("{at}.yaml"));
    std::fs::write(&path, text).expect("writable");
    let output = Command::new(COLLECTOR)
        .arg("validate")
        .arg("--config")
        .arg(&path)
        .env_clear()
        .env("PATH", "/usr/local/bin:/usr/bin:/bin")
        .output()
        .unwrap_or_else(|error| panic!("{COLLECTOR} is needed ({error}): run scripts/tools.sh"));
    if output.status.success() {
        return None;
    }
    let text = String::from_utf8_lossy(&output.stderr);
    let end = text.find(" collector server run finished").unwrap_or(text.len());
    Some(text[..end].lines().filter(|line| !line.trim().is_empty()).collect::<Vec<_>>().join(" "))
}

/// What telstack says.
struct Verdict {
    errors: Vec<Diagnostic>,
    sources: SourceMap,
}

fn telstack(text: &str) -> Verdict {
    let files = MemoryFiles::new([("otel.yaml", text)]);
    let assumed = Assumed::new(Some(RELEASE), Some("contrib")).expect("a release");
    let checked = check(&files, Path::new("otel.yaml"), assumed).expect("a collector's configuration");
    let errors = checked.diagnostics.into_iter().filter(|it| it.severity == Severity::Error).collect();
    Verdict { errors, sources: checked.sources }
}

impl Verdict {
    /// Lines that findings point at, by any of their labels.
    fn lines(&self) -> BTreeSet<usize> {
        let labels = self.errors.iter().flat_map(|it| it.primary.iter().chain(&it.labels));
        labels.map(|label| self.sources.start(label.span).line).collect()
    }

    fn codes(&self) -> BTreeSet<&'static str> {
        self.errors.iter().map(|it| it.rule.code).collect()
    }
}

/// Every case with what both say.
fn judged(cases: &[Case]) -> Vec<(&Case, Option<String>, Verdict)> {
    let folder = tempfile::tempdir().expect("a folder");
    let (next, done) = (AtomicUsize::new(0), Mutex::new(BTreeMap::new()));
    let workers = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some(case) = cases.get(at) else { break };
                    let both = (collector(folder.path(), at, &case.text), telstack(&case.text));
                    done.lock().expect("no worker panicked").insert(at, both);
                }
            });
        }
    });
    let done = done.into_inner().expect("no worker panicked");
    done.into_iter().map(|(at, (real, ours))| (&cases[at], real, ours)).collect()
}

/// The figures of the document are those of the run.
fn documented(row: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/differential.md");
    let text = std::fs::read_to_string(path).expect("docs/differential.md");
    assert!(text.contains(row), "docs/differential.md does not say: {row}");
}

fn single_cases() -> Vec<Case> {
    let mut seen = BTreeSet::new();
    let all = mutate::cases().into_iter().chain(written::cases());
    all.filter(|case| seen.insert(case.text.clone())).collect()
}

#[test]
fn the_real_collector_agrees() {
    let cases = single_cases();
    assert!(cases.len() >= 800, "{} configurations", cases.len());
    let (mut wrong, mut agreed_used) = (String::new(), BTreeSet::new());
    let (mut valid, mut refused, mut agreed, mut placed) = (0, 0, 0, 0);
    for (case, real, ours) in judged(&cases) {
        match (&real, ours.errors.is_empty()) {
            (None, true) => valid += 1,
            (Some(_), false) => {
                refused += 1;
                let lines = ours.lines();
                if case.lines.is_empty() || case.lines.iter().any(|line| lines.contains(line)) {
                    placed += 1;
                } else if let Some(at) = agreed::elsewhere(&ours.codes()) {
                    agreed_used.insert(at);
                } else {
                    wrong += &format!(
                        "PLACE {}: changed {:?}, found {:?} at {lines:?}\n",
                        case.name,
                        case.lines,
                        ours.codes()
                    );
                }
            }
            (None, false) => match agreed::stricter(&ours.errors) {
                Some(at) => {
                    agreed += 1;
                    agreed_used.insert(at);
                }
                None => wrong += &format!("STRICTER {}: {:?} {}\n", case.name, ours.codes(), ours.errors[0].message),
            },
            (Some(error), true) => match agreed::laxer(error) {
                Some(at) => {
                    agreed += 1;
                    agreed_used.insert(at);
                }
                None => wrong += &format!("LAXER {}: {error}\n", case.name),
            },
        }
    }
    let total = cases.len();
    println!(
        "{total} configurations: {valid} valid, {refused} refused by both ({placed} at the place), {agreed} agreed differences"
    );
    assert!(wrong.is_empty(), "{} of {total}:\n{wrong}", wrong.lines().count());
    documented(&format!("| configurations with one change | {total} |"));
    documented(&format!("| accepted by both | {valid} |"));
    documented(&format!("| refused by both | {refused}, of which {placed} with a finding at the changed line |"));
    documented(&format!("| agreed differences, below | {agreed} |"));
    assert!(valid >= 150 && refused >= 400, "{valid} valid, {refused} refused");
    assert_eq!(agreed::unused(&agreed_used), Vec::<&str>::new(), "agreed differences that nothing shows");
}

#[test]
fn every_mistake_is_found_where_the_collector_stops_at_the_first() {
    let cases = mutate::several(&single_cases());
    assert!(cases.len() >= 100, "{} configurations", cases.len());
    let mut wrong = String::new();
    for (case, real, ours) in judged(&cases) {
        let lines = ours.lines();
        let missed: Vec<_> = case.lines.iter().filter(|line| !lines.contains(line)).collect();
        if real.is_none() || !missed.is_empty() {
            wrong += &format!("{}: missed {missed:?} of {:?}, found {lines:?}, real {real:?}\n", case.name, case.lines);
        }
    }
    let total = cases.len();
    println!("{total} configurations with several mistakes, each found");
    assert!(wrong.is_empty(), "{} of {total}:\n{wrong}", wrong.lines().count());
    documented(&format!("| configurations with two or three changes, each found at its line | {total} |"));
}

#[test]
fn the_bases_are_valid_for_both() {
    let cases: Vec<Case> = bases::ALL
        .iter()
        .map(|(name, text)| Case { name: (*name).to_owned(), text: (*text).to_owned(), lines: Vec::new(), edit: None })
        .collect();
    for (case, real, ours) in judged(&cases) {
        assert_eq!(real, None, "{}", case.name);
        let errors: Vec<_> = ours.errors.iter().map(|it| &it.message).collect();
        assert!(errors.is_empty(), "{}: {errors:?}", case.name);
    }
}
