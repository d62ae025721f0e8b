//! The verdict of `telstack check` on collector configurations, against that of a real collector.
//!
//! Valid configurations are changed in one place, by rule (`mutate.rs`) and by hand (`written.rs`), and each
//! is given to `otelcol validate` and to telstack; so are whole ones (`whole.rs`), as they are and changed. Where one of the two refuses and the other does not, the
//! reason stands in `agreed.rs`, or the test fails. `scripts/tools.sh` installs the collector; without it the
//! test fails.

mod agreed;
mod bases;
mod mutate;
mod products;
mod schema;
#[path = "../support/mod.rs"]
mod support;
mod whole;
mod written;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    process::Command,
    sync::{Mutex, atomic::AtomicUsize, atomic::Ordering},
};

use mutate::Case;
use telstack_diagnostics::{Diagnostic, Severity, SourceMap};
use telstack_workspace::{Assumed, MemoryFiles, Request, Told, check, check_all};

const COLLECTOR: &str = "otelcol-0.135.0";
const RELEASE: &str = "0.135.0";

/// What the real collector says of texts that it is given together: nothing, or its first complaint.
fn collector(folder: &Path, at: usize, texts: &[&str]) -> Option<String> {
    let configs = texts.iter().enumerate().map(|(file, text)| {
        let path = folder.join(format!("{at}-{file}.yaml"));
        std::fs::write(&path, text).expect("writable");
        format!("--config={}", path.display())
    });
    let output = Command::new(COLLECTOR)
        .arg("validate")
        .args(configs)
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
    /// What does not stop a collector, and is wrong all the same.
    warnings: Vec<Diagnostic>,
    sources: SourceMap,
}

fn telstack(texts: &[&str]) -> Verdict {
    let names: Vec<String> = (0..texts.len()).map(name_of).collect();
    let files = MemoryFiles::new(names.iter().map(String::as_str).zip(texts.iter().copied()));
    let assumed = Assumed::new(Some(RELEASE), Some("contrib")).expect("a release");
    let (found, sources) = if let [name] = &*names {
        let checked = check(&files, Path::new(name), assumed).expect("a collector's configuration");
        (checked.diagnostics, checked.sources)
    } else {
        let request = Request { configs: names.iter().map(Into::into).collect(), ..Request::default() };
        let mut told = |_: &Path| Ok(Told { assumed, ..Told::default() });
        let checked = check_all(&files, &request, &mut told).expect("configurations of a collector");
        (checked.diagnostics, checked.sources)
    };
    let found = found.into_iter().filter(|it| it.severity > Severity::Info);
    let (errors, warnings) = found.partition(|it| it.severity == Severity::Error);
    Verdict { errors, warnings, sources }
}

/// What a file is called, of those that a collector is given together.
fn name_of(file: usize) -> String {
    format!("{file}.yaml")
}

impl Verdict {
    /// Lines of a file that findings point at, by any of their labels.
    fn lines(&self, file: usize) -> BTreeSet<usize> {
        self.errors.iter().flat_map(|it| self.lines_of(it, file)).collect()
    }

    fn lines_of(&self, error: &Diagnostic, file: usize) -> Vec<usize> {
        let labels = error.primary.iter().chain(&error.labels);
        let here = labels.filter(|label| self.sources.file(label.span.file).name() == name_of(file));
        here.flat_map(|label| self.sources.start(label.span).line..=self.sources.end(label.span).line).collect()
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
                    let both = (collector(folder.path(), at, &case.texts()), telstack(&case.texts()));
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

/// How the verdicts on some cases go together.
#[derive(Default)]
struct Tally {
    total: usize,
    valid: usize,
    refused: usize,
    placed: usize,
    agreed: usize,
    /// The agreed differences that were seen.
    used: BTreeSet<&'static str>,
    wrong: String,
}

impl Tally {
    fn of(cases: &[Case]) -> Self {
        let mut tally = Self { total: cases.len(), ..Self::default() };
        for (case, real, ours) in judged(cases) {
            tally.count(case, real.as_deref(), &ours);
        }
        tally
    }

    fn count(&mut self, case: &Case, real: Option<&str>, ours: &Verdict) {
        let agreed = match (real, ours.errors.is_empty()) {
            (None, true) => {
                self.valid += 1;
                return;
            }
            (Some(_), false) => {
                self.refused += 1;
                let lines = ours.lines(case.beside[0].len());
                let codes = ours.codes();
                if case.lines.is_empty() || case.lines.iter().any(|line| lines.contains(line)) {
                    self.placed += 1;
                } else if let Some(at) = agreed::elsewhere(&codes) {
                    self.used.insert(at);
                } else {
                    let Case { name, lines: changed, .. } = case;
                    self.wrong += &format!("PLACE {name}: changed {changed:?}, found {codes:?} at {lines:?}\n");
                }
                return;
            }
            (None, false) => agreed::stricter(&ours.errors)
                .ok_or_else(|| format!("STRICTER {}: {:?} {}\n", case.name, ours.codes(), ours.errors[0].message)),
            (Some(error), true) => agreed::laxer(error).ok_or_else(|| format!("LAXER {}: {error}\n", case.name)),
        };
        match agreed {
            Ok(at) => {
                self.agreed += 1;
                self.used.insert(at);
            }
            Err(wrong) => self.wrong += &wrong,
        }
    }

    /// The row of the document about them.
    fn row(&self, what: &str) -> String {
        let Self { total, valid, refused, placed, agreed, .. } = self;
        format!("| {what} | {total} | {valid} | {refused} | {placed} | {agreed} |")
    }
}

#[test]
fn the_real_collector_agrees() {
    let (single, whole) = (Tally::of(&single_cases()), Tally::of(&whole::changed()));
    let as_written: Vec<Case> = whole::all().iter().map(whole::Whole::as_written).collect();
    let written = Tally::of(&as_written);
    let tallies = [("one change of a base", &single), ("whole, as written", &written), ("whole, one change", &whole)];
    let rows = tallies.map(|(what, tally)| tally.row(what));
    println!("{}", rows.join("\n"));
    let wrong = tallies.map(|(_, tally)| tally.wrong.as_str()).concat();
    assert!(wrong.is_empty(), "{}:\n{wrong}", wrong.lines().count());
    for row in &rows {
        documented(row);
    }
    assert!(single.valid >= 150 && single.refused >= 400, "{} valid, {} refused", single.valid, single.refused);
    assert!(whole.valid >= 30 && whole.refused >= 200, "{} valid, {} refused", whole.valid, whole.refused);
    let used = [single, written, whole].into_iter().flat_map(|it| it.used).collect();
    assert_eq!(agreed::unused(&used), Vec::<&str>::new(), "agreed differences that nothing shows");
}

#[test]
fn whole_files_are_what_they_say_and_each_mistake_is_found() {
    let wholes = whole::all();
    assert!(wholes.len() >= 40, "{} configurations", wholes.len());
    let cases: Vec<Case> = wholes.iter().map(whole::Whole::as_written).collect();
    let mut wrong = String::new();
    for (whole, (_, real, ours)) in wholes.iter().zip(judged(&cases)) {
        let name = &whole.name;
        if real.is_some() != whole.is_refused {
            wrong += &format!("{name}: refused: {}, real {real:?}\n", whole.is_refused);
        }
        let marks = whole.marks();
        let points_at = |error: &Diagnostic, (file, line): (usize, usize)| ours.lines_of(error, file).contains(&line);
        for mark in &marks {
            if !ours.errors.iter().chain(&ours.warnings).any(|it| points_at(it, *mark)) {
                wrong += &format!("{name}: nothing said of {mark:?}\n");
            }
        }
        for error in ours.errors.iter().filter(|_| !marks.is_empty()) {
            if !marks.iter().any(|mark| points_at(error, *mark)) {
                wrong += &format!("{name}: not marked: {} {}\n", error.rule.code, error.message);
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn every_mistake_is_found_where_the_collector_stops_at_the_first() {
    let cases = mutate::several(&single_cases());
    assert!(cases.len() >= 100, "{} configurations", cases.len());
    let mut wrong = String::new();
    for (case, real, ours) in judged(&cases) {
        let lines = ours.lines(0);
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
    let cases: Vec<Case> =
        bases::ALL.iter().map(|(name, text)| Case::new((*name).to_owned(), (*text).to_owned(), Vec::new())).collect();
    for (case, real, ours) in judged(&cases) {
        assert_eq!(real, None, "{}", case.name);
        let errors: Vec<_> = ours.errors.iter().map(|it| &it.message).collect();
        assert!(errors.is_empty(), "{}: {errors:?}", case.name);
    }
}
