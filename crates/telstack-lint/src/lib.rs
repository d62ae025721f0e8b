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
    let facts = facts::Facts::of(system);
    let mut found = Diagnostics::default();
    for rule in generated::ALL {
        (rule.check)(&mut Cx::new(system, &facts, &rule.info, &mut found));
    }
    alike::together(system, found, out);
}
