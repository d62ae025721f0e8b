//! What a code means. Each code is declared once, beside the code that reports it.

use crate::Severity;

/// A finding's identity and its documentation: the docs page, `telstack explain` and editor hovers
/// are all made from this.
#[derive(Debug)]
pub struct RuleInfo {
    /// `N002`: a letter for the family, three digits.
    pub code: &'static str,
    /// `protocol-port-mismatch`: reads as the thing that is wrong.
    pub name: &'static str,
    /// The severity unless a rule lowers it for a case that it cannot prove.
    pub severity: Severity,
    /// One sentence: what is wrong.
    pub summary: &'static str,
    /// Why it matters: what happens at run time.
    pub why: &'static str,
    /// An example that is reported, in the language people write it in.
    pub bad: &'static str,
    /// The same, put right.
    pub good: &'static str,
    /// When the rule says nothing although it might look as if it should.
    pub silent: &'static str,
    /// Where the fact comes from: upstream documents, issues, releases.
    pub sources: &'static [&'static str],
}

impl PartialEq for RuleInfo {
    fn eq(&self, other: &Self) -> bool {
        self.code == other.code
    }
}

impl Eq for RuleInfo {}
