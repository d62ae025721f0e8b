//! What is said of collectors whose images name no release, such as `latest`.
//!
//! What no release takes is wrong whichever runs. What some take is a remark, and says so: as for files that nobody
//! names a collector for.

use std::collections::HashSet;

use telstack_catalog::{Version, otelcol};
use telstack_diagnostics::{Diagnostic, Diagnostics, Span};
use telstack_system::System;
use telstack_tools::collector::names_no_release;

use super::soften::soften;

/// Adds what is found for the newest release, beyond what was found for none. `read` reads everything again, for
/// a release of such collectors.
pub(super) fn check(system: &System, found: &mut Diagnostics, mut read: impl FnMut(Version) -> System) {
    if !system.nodes().any(|(_, node)| names_no_release(node)) {
        return;
    }
    let said: HashSet<(&str, Option<Span>)> = found.iter().map(key).collect();
    let mut at = |version: Version, judge: fn(&System, &mut Diagnostics)| {
        let (mut all, mut new) = (Diagnostics::default(), Diagnostics::default());
        judge(&read(version), &mut all);
        // Releases that are known are judged with everything else.
        all.into_iter().filter(|it| !said.contains(&key(it))).for_each(|it| new.push(it));
        new
    };
    let newest = otelcol::newest();
    let here = at(newest, telstack_lint::check_of_release);
    let softened = soften(here, |version| at(version, telstack_lint::check_by_release));
    for (place, mut it) in softened.into_iter().enumerate() {
        if place == 0 {
            it.notes.push(format!("checked for {newest}, as the image names no release"));
        }
        found.push(it);
    }
}

/// By what a finding is known.
fn key(it: &Diagnostic) -> (&'static str, Option<Span>) {
    (it.rule.code, it.primary.as_ref().map(|label| label.span))
}
