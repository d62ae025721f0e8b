//! Rules over the System.
//!
//! A rule is one file below `rules/`: what it is (a [`RuleInfo`](telstack_diagnostics::RuleInfo), from
//! which docs and explanations are made), how it judges, and cases that fail, pass and nearly fail. What
//! several rules need to know is worked out once, in [`facts`]: a rule only judges. That is also where one
//! cause is kept from being reported twice.
//!
//! `cargo xtask gen` writes the registry and the docs pages. A new rule needs no other place.
//!
//! Invariant: no rule knows a file format or the stack language; a rule that cannot know says nothing.

mod alike;
mod facts;
mod generated;
mod own;
mod repair;
mod rule;
mod rules;
#[cfg(test)]
mod test_support;
mod words;

use telstack_diagnostics::Diagnostics;
use telstack_system::System;

pub use generated::RULES;
pub use rule::{Cx, Rule};

/// Judges a complete System by every rule.
pub fn check(system: &System, out: &mut Diagnostics) {
    judge(system, |_| true, out);
}

/// Judges a System by those rules only whose verdict [depends on the release](differs_by_release).
pub fn check_by_release(system: &System, out: &mut Diagnostics) {
    judge(system, differs_by_release, out);
}

/// The same, with what no release ever knew: all that needs a release to be told.
pub fn check_of_release(system: &System, out: &mut Diagnostics) {
    judge(system, |code| code.starts_with(OF_RELEASES), out);
}

/// How the codes of rules begin that know what is there in a release.
const OF_RELEASES: [char; 3] = ['E', 'V', 'Y'];

/// Does what a rule says of a configuration depend on the release of its collector? Those do that know what is there,
/// which settings it has, and how text is expanded; but what no release ever knew (Y001, Y006) is unknown to all.
pub fn differs_by_release(code: &str) -> bool {
    code.starts_with(OF_RELEASES) && !["Y001", "Y006"].contains(&code)
}

fn judge(system: &System, by: impl Fn(&str) -> bool, out: &mut Diagnostics) {
    let facts = facts::Facts::of(system);
    let mut found = Diagnostics::default();
    for rule in generated::ALL.iter().filter(|rule| by(rule.info.code)) {
        (rule.check)(&mut Cx::new(system, &facts, &rule.info, &mut found));
    }
    alike::together(system, own::softened(&facts, found), out);
}
