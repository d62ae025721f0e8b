//! Collectors of somebody's own: what published ones refuse, they may take.

use std::collections::BTreeMap;

use telstack_diagnostics::{Diagnostic, Diagnostics, FileId, Severity};

use crate::facts::{Facts, Part};

/// The rules that judge by what published distributions hold.
const BY_CATALOG: [char; 2] = ['V', 'Y'];

/// Nothing says which distribution runs a configuration, and it names a component that none has: so one of their own may
/// run, whose other components may differ too, and nothing about components is certain.
pub(crate) fn softened(facts: &Facts<'_>, found: Diagnostics) -> Diagnostics {
    let foreign = facts.parts.iter().filter(|part| part.is_foreign());
    let foreign: BTreeMap<FileId, &Part<'_>> =
        foreign.filter_map(|part| Some((part.component.origin.span()?.file, part))).collect();
    if foreign.is_empty() {
        return found;
    }
    let mut softened = Diagnostics::default();
    for it in found {
        let own = it.primary.as_ref().and_then(|label| foreign.get(&label.span.file));
        let certain = it.severity < Severity::Error || !it.rule.code.starts_with(BY_CATALOG);
        softened.push(match own.filter(|_| !certain) {
            Some(part) => milder(it, part),
            None => it,
        });
    }
    softened
}

fn milder(it: Diagnostic, part: &Part<'_>) -> Diagnostic {
    let note = format!("{} is in no published distribution: one of your own may run, and have this too", part.title());
    it.severity(Severity::Warning).note(note)
}
