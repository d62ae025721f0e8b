//! Suggestions for misspelt component names.

use super::component::{Presence, component, component_names};
use crate::near::{LONGEST, distance};
use crate::signal::{ComponentKind, Distribution};
use crate::version::Version;

/// The known name closest to a misspelt one, among all names of that kind.
pub fn nearest(kind: ComponentKind, name: &str) -> Option<&'static str> {
    closest(name, component_names(kind))
}

/// The name closest to a misspelt one among those that resolve in a distribution at a version.
pub fn nearest_in(
    kind: ComponentKind,
    name: &str,
    distribution: Distribution,
    version: Version,
) -> Option<&'static str> {
    let here = |known: &&'static str| {
        component(kind, known)
            .is_some_and(|component| component.name_presence(known, distribution, version) == Presence::Present)
    };
    closest(name, component_names(kind).filter(here))
}

/// The candidate closest to a word, when it is close enough to be a slip. Underscores, hyphens and
/// letter case count for nothing except to choose between equals.
pub(crate) fn closest<'a>(word: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let plain = simplify(word);
    if plain.is_empty() || word.len() > LONGEST {
        return None;
    }
    let score = |candidate: &str| {
        let other = simplify(candidate);
        let limit = plain.len().max(other.len()) / 4;
        let apart = distance(&plain, &other);
        let shares_start =
            plain.len() >= 4 && other.len() >= 4 && (other.starts_with(&plain) || plain.starts_with(&other));
        let exact = distance(word, candidate);
        if apart <= limit.clamp(1, 4) && apart < plain.len() {
            Some((apart, exact))
        } else if shares_start {
            Some((5 + apart, exact))
        } else {
            None
        }
    };
    candidates.filter_map(|c| Some((score(c)?, c))).min().map(|(_, candidate)| candidate)
}

fn simplify(word: &str) -> String {
    word.chars().filter(|c| !matches!(c, '_' | '-')).flat_map(char::to_lowercase).collect()
}
