//! Applying fixes: what fits together at once, then another look, until nothing is left to do.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

use telstack_diagnostics::{Applicability, Diagnostic, Edit, FileId, Severity, Span, apply};

use super::findings::Findings;
use crate::files::{Claim, Files, Mode, ReadFailure, Walk, Walked, tidy};

/// How often is looked again before it is given up: two fixes may undo each other for ever.
const ROUNDS: usize = 100;

/// Files with some texts changed, of which the disk knows nothing.
struct Overlay<'a> {
    below: &'a dyn Files,
    texts: Mutex<BTreeMap<PathBuf, String>>,
}

impl Overlay<'_> {
    fn texts(&self) -> MutexGuard<'_, BTreeMap<PathBuf, String>> {
        self.texts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn changed(&self, path: &Path) -> Option<String> {
        self.texts().get(&tidy(path)).cloned()
    }
}

impl Files for Overlay<'_> {
    fn read_most(&self, path: &Path, most: u64) -> Result<String, ReadFailure> {
        self.changed(path).map_or_else(|| self.below.read_most(path, most), Ok)
    }

    fn read_bytes(&self, path: &Path) -> Result<Option<Vec<u8>>, io::Error> {
        self.changed(path).map_or_else(|| self.below.read_bytes(path), |text| Ok(Some(text.into_bytes())))
    }

    fn stage(&self, path: &Path, bytes: &[u8], _: Mode) -> Result<(), io::Error> {
        let text = String::from_utf8(bytes.to_vec()).map_err(io::Error::other)?;
        self.texts().insert(tidy(path), text);
        Ok(())
    }

    fn settle(&self, _: &Path) -> Result<(), io::Error> {
        Ok(())
    }

    fn sweep(&self, _: &Path, _: &Path) {}

    fn claim(&self, folder: &Path) -> Result<Option<Claim>, io::Error> {
        self.below.claim(folder)
    }

    fn permit(&self, path: &Path, mode: Mode) -> Result<(), io::Error> {
        self.below.permit(path, mode)
    }

    fn remove(&self, path: &Path, root: &Path) -> Result<(), io::Error> {
        self.below.remove(path, root)
    }

    fn leaves(&self, root: &Path, path: &Path) -> bool {
        self.below.leaves(root, path)
    }

    fn absolute(&self, path: &Path) -> PathBuf {
        self.below.absolute(path)
    }

    fn reach(&self, path: &Path) -> PathBuf {
        self.below.reach(path)
    }

    fn list(&self, folder: &Path) -> Result<Vec<String>, io::Error> {
        self.below.list(folder)
    }

    fn is_folder(&self, path: &Path) -> bool {
        self.below.is_folder(path)
    }

    fn walk(&self, folder: &Path, how: Walk, wanted: &dyn Fn(&Path) -> bool) -> Walked {
        self.below.walk(folder, how, wanted)
    }
}

/// A file with its fixes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FixedFile {
    /// Its name in reports, which is its path.
    pub name: String,
    /// Its text as it is.
    pub before: String,
    /// Its text with the fixes.
    pub after: String,
}

impl FixedFile {
    /// The difference as a unified diff that `git apply` takes; empty if there is none.
    pub fn diff(&self) -> String {
        let (old, new) = (format!("a/{}", self.name), format!("b/{}", self.name));
        similar::TextDiff::from_lines(&self.before, &self.after).unified_diff().header(&old, &new).to_string()
    }

    /// Writes the new text in place of the old one: in one step, and only if nobody changed the file meanwhile.
    pub fn write(&self, files: &dyn Files) -> Result<(), io::Error> {
        let path = Path::new(&self.name);
        let bytes = files.read_bytes(path)?.unwrap_or_default();
        let mark = "\u{feff}".as_bytes();
        let (start, text) = if bytes.starts_with(mark) { bytes.split_at(mark.len()) } else { bytes.split_at(0) };
        if text != self.before.as_bytes() {
            return Err(io::Error::other("it was changed meanwhile"));
        }
        files.write(path, &[start, self.after.as_bytes()].concat(), Mode::Same)
    }
}

/// What fixing came to. Nothing is written yet.
#[derive(Debug)]
pub struct Fixed {
    /// What is still found.
    pub findings: Findings,
    /// Files that are different now, by name.
    pub files: Vec<FixedFile>,
    /// How many of the findings that could be put right are gone.
    pub applied: usize,
}

/// What tells a finding from others from one round to the next.
type Name = (&'static str, String, Option<String>);

/// Applies the fixes of what `check` finds, up to some applicability. `check` reads through the files that it is
/// given, which hold what was fixed so far. A fix is taken back, and not tried again, if its finding is still there
/// after it, if a file cannot be read any more, or if it puts errors in the place of something milder; what is in no
/// file, such as standard input, is not fixed.
pub fn fix<E>(
    files: &dyn Files,
    most: Applicability,
    mut check: impl FnMut(&dyn Files) -> Result<Findings, E>,
) -> Result<Fixed, E> {
    let overlay = Overlay { below: files, texts: Mutex::default() };
    let mut originals: BTreeMap<String, String> = BTreeMap::new();
    let mut refused: BTreeSet<Name> = BTreeSet::new();
    // What is left of the findings with a name that was put right: where there are more again, something undid it.
    let mut left: BTreeMap<Name, usize> = BTreeMap::new();
    let mut limit = usize::MAX;
    let mut findings = check(&overlay)?;
    let offered = counted(fixable(files, &findings, most).map(|it| name(it, &findings)));
    for _ in 0..ROUNDS {
        let all = counted(findings.diagnostics.iter().map(|it| name(it, &findings)));
        let back = |name: &&Name| left.get(name).is_some_and(|known| all.get(name) > Some(known));
        refused.extend(all.keys().filter(back).cloned().collect::<Vec<_>>());
        let chosen = chosen(files, &findings, most, &refused, limit);
        if chosen.is_empty() {
            break;
        }
        let before = overlay.texts().clone();
        for (name, text) in rewritten(&findings, &chosen) {
            let old = findings.sources.files().find(|(_, file)| file.name() == name).map(|(_, file)| file.text());
            originals.entry(name.clone()).or_insert_with(|| old.unwrap_or_default().to_owned());
            overlay.texts().insert(tidy(Path::new(&name)), text);
        }
        let next = check(&overlay)?;
        let tried = counted(chosen.iter().map(|it| name(it, &findings)));
        let still = counted(next.diagnostics.iter().map(|it| name(it, &next)));
        let of = |counts: &BTreeMap<Name, usize>, name: &Name| counts.get(name).copied().unwrap_or_default();
        let stays: Vec<&Name> =
            tried.iter().filter(|(it, count)| of(&still, it) + **count > of(&all, it)).map(|(it, _)| it).collect();
        if stays.is_empty() && !worse(&findings, &next, &chosen) {
            left.extend(tried.keys().map(|it| (it.clone(), of(&still, it))));
            limit = limit.saturating_mul(2);
            findings = next;
            continue;
        }
        *overlay.texts() = before;
        if !stays.is_empty() {
            refused.extend(stays.into_iter().cloned());
        } else if chosen.len() == 1 {
            refused.extend(tried.into_keys());
        } else {
            // Which of them it was shows when fewer are done at once.
            limit = chosen.len() / 2;
        }
    }
    let texts = overlay.texts().clone();
    let changed = originals.into_iter().filter_map(|(name, before)| {
        let after = texts.get(&tidy(Path::new(&name)))?.clone();
        (after != before).then_some(FixedFile { name, before, after })
    });
    let files: Vec<FixedFile> = changed.collect();
    let now = counted(findings.diagnostics.iter().map(|it| name(it, &findings)));
    let gone = |(name, count): (&Name, &usize)| count.saturating_sub(now.get(name).copied().unwrap_or_default());
    let applied = if files.is_empty() { 0 } else { offered.iter().map(gone).sum() };
    Ok(Fixed { findings, files, applied })
}

/// The findings whose fixes can be applied, as far as can be told beforehand.
pub fn fixable<'a>(
    files: &'a dyn Files,
    findings: &'a Findings,
    most: Applicability,
) -> impl Iterator<Item = &'a Diagnostic> {
    let mut known: BTreeMap<FileId, bool> = BTreeMap::new();
    let mut in_file = move |edit: &Edit| {
        let path = || Path::new(findings.sources.file(edit.span.file).name());
        *known.entry(edit.span.file).or_insert_with(|| files.read_bytes(path()).is_ok_and(|it| it.is_some()))
    };
    findings.diagnostics.iter().filter(move |it| {
        let fix = it.fix.as_ref().filter(|fix| fix.applicability <= most && !fix.edits.is_empty());
        fix.is_some_and(|fix| fix.edits.iter().all(&mut in_file))
    })
}

fn counted(names: impl Iterator<Item = Name>) -> BTreeMap<Name, usize> {
    let mut counts = BTreeMap::new();
    for name in names {
        *counts.entry(name).or_default() += 1;
    }
    counts
}

/// Did fixes do harm? What is put right may uncover errors, but only errors cover any.
fn worse(before: &Findings, after: &Findings, chosen: &[&Diagnostic]) -> bool {
    let errors = |it: &Findings| it.diagnostics.iter().filter(|it| it.severity == Severity::Error).count();
    let milder = chosen.iter().any(|it| it.severity != Severity::Error);
    unreadable(after) > unreadable(before) || (milder && errors(after) > errors(before))
}

/// Findings that say that a file cannot be read as what it is.
fn unreadable(findings: &Findings) -> usize {
    let reading: Vec<&str> = telstack_tools::RULES.iter().chain(telstack_lang::RULES).map(|rule| rule.code).collect();
    let is = |it: &&Diagnostic| it.severity == Severity::Error && reading.contains(&it.rule.code);
    findings.diagnostics.iter().filter(is).count()
}

fn name(it: &Diagnostic, findings: &Findings) -> Name {
    (it.rule.code, it.message.clone(), findings.file_of(it).map(str::to_owned))
}

/// Findings whose fixes do not touch each other, in reading order.
fn chosen<'a>(
    files: &'a dyn Files,
    findings: &'a Findings,
    most: Applicability,
    refused: &BTreeSet<Name>,
    limit: usize,
) -> Vec<&'a Diagnostic> {
    let mut taken: Vec<&Edit> = Vec::new();
    let mut chosen = Vec::new();
    for it in fixable(files, findings, most).filter(|it| !refused.contains(&name(it, findings))) {
        let edits = it.fix.iter().flat_map(|fix| &fix.edits);
        let clashes = |edit: &Edit| taken.iter().any(|other| touch(edit.span, other.span));
        if chosen.len() < limit && !edits.clone().any(clashes) {
            taken.extend(edits);
            chosen.push(it);
        }
    }
    chosen
}

/// Do two edits overlap, or stand side by side? The next round has another look.
fn touch(a: Span, b: Span) -> bool {
    a.file == b.file && a.start <= b.end && b.start <= a.end
}

/// The new texts of the files that the findings' fixes change.
fn rewritten(findings: &Findings, chosen: &[&Diagnostic]) -> Vec<(String, String)> {
    let mut by_file: BTreeMap<_, Vec<&Edit>> = BTreeMap::new();
    for edit in chosen.iter().filter_map(|it| it.fix.as_ref()).flat_map(|fix| &fix.edits) {
        by_file.entry(edit.span.file).or_default().push(edit);
    }
    let mut texts = Vec::new();
    for (file, mut edits) in by_file {
        edits.sort_by_key(|edit| edit.span);
        let source = findings.sources.file(file);
        texts.push((source.name().to_owned(), apply(source.text(), &edits)));
    }
    texts
}
