//! What is said of a file for a release that was made up, because nothing tells which one runs.

use std::collections::{HashMap, HashSet};

use telstack_catalog::{Version, otelcol};
use telstack_diagnostics::{Applicability, Diagnostic, Diagnostics, Severity, Span};

/// The rules on what is there in one release and not in another.
const OF_RELEASES: char = 'V';
/// How many releases are asked whether they take what the newest one refuses: one of so many.
const EVERY: usize = 6;
/// Of a file with more errors than that, fewer are asked: the work stays bounded, whatever the file.
const MANY: usize = 1000;

/// An error is what no release takes. What another one takes is a remark, and nothing is rewritten for the newest
/// unasked. `at` says what another release refuses; only rules that judge by the release need to be asked.
pub(super) fn soften(found: Diagnostics, mut at: impl FnMut(Version) -> Diagnostics) -> Diagnostics {
    let refused_here: HashSet<Span> = errors(&found, |_| true).collect();
    let mut open: HashSet<Span> = errors(&found, telstack_lint::differs_by_release).collect();
    let mut taken: HashMap<Span, Version> = HashMap::new();
    let step = EVERY * (1 + open.len() / MANY);
    for release in otelcol::releases().iter().rev().step_by(step).skip(1) {
        if open.is_empty() {
            break;
        }
        let there = at(release.version);
        // One that lacks something else, such as a component that came later, is not meant.
        if errors(&there, |code| code.starts_with(OF_RELEASES)).any(|span| !refused_here.contains(&span)) {
            continue;
        }
        let refused: HashSet<Span> = errors(&there, |_| true).collect();
        let gone = open.extract_if(|span| !refused.contains(span));
        taken.extend(gone.map(|span| (span, release.version)));
    }
    let mut softened = Diagnostics::default();
    for it in found {
        softened.push(softer(it, &taken));
    }
    softened
}

/// Where the errors of some rules are.
fn errors(found: &Diagnostics, of: impl Fn(&str) -> bool) -> impl Iterator<Item = Span> {
    let errors = found.iter().filter(move |it| it.severity == Severity::Error && of(it.rule.code));
    errors.filter_map(|it| it.primary.as_ref().map(|label| label.span))
}

fn softer(mut it: Diagnostic, taken: &HashMap<Span, Version>) -> Diagnostic {
    let by = it.primary.as_ref().and_then(|label| taken.get(&label.span));
    if let Some(release) =
        by.filter(|_| it.severity == Severity::Error && telstack_lint::differs_by_release(it.rule.code))
    {
        it.severity = Severity::Info;
        it.notes.push(format!("{release} takes it, and nothing says which release runs this"));
    }
    if let Some(fix) = it.fix.as_mut().filter(|_| it.rule.code.starts_with(OF_RELEASES)) {
        fix.applicability = Applicability::Unsafe;
    }
    it
}
