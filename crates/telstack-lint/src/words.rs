//! Words for messages.

use std::fmt::Display;

use telstack_diagnostics::Diagnostic;
use telstack_system::Node;

/// `` `a` ``, `` `a` and `b` ``, `` `a`, `b` and `c` ``.
pub(crate) fn ticked<T: Display>(items: impl IntoIterator<Item = T>) -> String {
    joined(items.into_iter().map(|item| format!("`{item}`")), "and")
}

/// `` `a` ``, `` `a` or `b` ``, `` `a`, `b` or `c` ``.
pub(crate) fn either<T: Display>(items: impl IntoIterator<Item = T>) -> String {
    joined(items.into_iter().map(|item| format!("`{item}`")), "or")
}

fn joined(items: impl Iterator<Item = String>, word: &str) -> String {
    let items: Vec<String> = items.collect();
    match items.as_slice() {
        [] => "nothing".to_owned(),
        [one] => one.clone(),
        [start @ .., last] => format!("{} {word} {last}", start.join(", ")),
    }
}

/// "a map", "an exporter".
pub(crate) fn article(noun: &str) -> &'static str {
    if noun.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" }
}

/// Longer words are no slips of known ones, and comparing them takes long.
const LONGEST: usize = 100;

/// The candidate closest to a misspelt word, if it is close enough to be a slip.
pub(crate) fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if word.len() > LONGEST {
        return None;
    }
    let scored = candidates.into_iter().filter_map(|candidate| {
        let distance = strsim::damerau_levenshtein(word, candidate);
        let limit = word.len().max(candidate.len()) / 3;
        (distance > 0 && distance <= limit.clamp(1, 4)).then_some((distance, candidate))
    });
    scored.min().map(|(_, candidate)| candidate)
}

/// The finding with the place that decides the release of a node.
pub(crate) fn with_release(finding: Diagnostic, node: &Node) -> Diagnostic {
    let Some(version) = &node.version else { return finding };
    let how = if version.origin.is_written() { "is pinned here" } else { "runs here, as no release is named" };
    finding.label(version.span(), format!("{} {how}", version.value))
}

/// Does run time decide any of this text? `${env:X}`, `$X`.
pub(crate) fn is_reference(text: &str) -> bool {
    telstack_system::expansion::is_open(text)
}
