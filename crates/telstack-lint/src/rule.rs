//! What a rule is, and what it is given.

use std::collections::HashSet;

use telstack_diagnostics::{Diagnostic, Diagnostics, RuleInfo, Span};
use telstack_system::{Container, Origin, System};

use crate::facts::Facts;

/// A rule: what it is, and how it judges.
#[derive(Debug)]
pub struct Rule {
    /// Code, name and documentation.
    pub info: RuleInfo,
    /// Reports what it finds.
    pub check: fn(&mut Cx<'_>),
}

/// What a rule is given: the System, facts worked out from it, and a way to report.
#[derive(Debug)]
pub struct Cx<'a> {
    /// The System to judge.
    pub(crate) system: &'a System,
    /// What several rules need to know of it.
    pub(crate) facts: &'a Facts<'a>,
    rule: &'static RuleInfo,
    out: &'a mut Diagnostics,
    /// Where the findings of this rule point.
    told: HashSet<Vec<Span>>,
    /// How many names may still be compared; see [`Cx::may_compare`].
    comparisons: usize,
}

/// Names that a rule compares in search of what was meant: far more than all the slips of a person, and done at once.
const COMPARED: usize = 200_000;

impl<'a> Cx<'a> {
    pub(crate) fn new(
        system: &'a System,
        facts: &'a Facts<'a>,
        rule: &'static RuleInfo,
        out: &'a mut Diagnostics,
    ) -> Self {
        Self { system, facts, rule, out, told: HashSet::new(), comparisons: COMPARED }
    }

    /// Starts a finding at a value of the System. A value that nobody wrote is shown at what it follows
    /// from, and a note says why it is there.
    pub(crate) fn finding(&self, message: impl Into<String>, at: &Origin, remark: impl Into<String>) -> Diagnostic {
        let mut finding = Diagnostic::new(self.rule, message).at(at.span(), remark);
        if self.system.from_files {
            for span in at.spans().iter().skip(1) {
                finding = finding.label(*span, "the value comes from here");
            }
            return finding;
        }
        match at.reason() {
            "" => finding,
            reason => finding.note(format!("this was not written, it follows from what was: {reason}")),
        }
    }

    /// Advice in the words of what people write: a stack, or files of tools.
    pub(crate) fn words(&self, stack: impl Into<String>, files: impl Into<String>) -> String {
        if self.system.from_files { files.into() } else { stack.into() }
    }

    /// May a container hold files, or be given mounts, that are not known?
    pub(crate) fn may_have_more_files(&self, container: &Container) -> bool {
        // In files, what of a container is not known is noted with it.
        container.gaps.files || !self.system.complete && !self.system.from_files
    }

    /// May a name be compared with so many others? Where thousands of names are wrong, not all are searched for.
    pub(crate) fn may_compare(&mut self, candidates: usize) -> bool {
        let left = self.comparisons.checked_sub(candidates);
        self.comparisons = left.unwrap_or_default();
        left.is_some()
    }

    /// Reports a finding.
    pub(crate) fn report(&mut self, finding: Diagnostic) {
        self.told.insert(places(&finding));
        self.out.push(finding);
    }

    /// Reports a finding about a pipeline, unless one that points at the same places was reported: pipelines
    /// that were written together share their mistakes.
    pub(crate) fn report_once(&mut self, finding: Diagnostic) {
        if finding.primary.is_none() || self.told.insert(places(&finding)) {
            self.out.push(finding);
        }
    }
}

/// Where a finding points.
fn places(finding: &Diagnostic) -> Vec<Span> {
    finding.primary.iter().chain(&finding.labels).map(|label| label.span).collect()
}
