//! What a rule is, and what it is given.

use telstack_diagnostics::{Diagnostic, Diagnostics, RuleInfo};
use telstack_system::{Origin, System};

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
}

impl<'a> Cx<'a> {
    pub(crate) fn new(
        system: &'a System,
        facts: &'a Facts<'a>,
        rule: &'static RuleInfo,
        out: &'a mut Diagnostics,
    ) -> Self {
        Self { system, facts, rule, out }
    }

    /// Starts a finding at a value of the System. A value that nobody wrote is shown at what it follows
    /// from, and a note says why it is there.
    pub(crate) fn finding(&self, message: impl Into<String>, at: &Origin, remark: impl Into<String>) -> Diagnostic {
        let finding = Diagnostic::new(self.rule, message).at(at.span(), remark);
        match at.reason() {
            "" => finding,
            reason => finding.note(format!("this was not written, it follows from what was: {reason}")),
        }
    }

    /// Reports a finding.
    pub(crate) fn report(&mut self, finding: Diagnostic) {
        self.out.push(finding);
    }

    /// Reports a finding about a pipeline, unless one that points at the same places was reported: pipelines
    /// that were written together share their mistakes.
    pub(crate) fn report_once(&mut self, finding: Diagnostic) {
        let places = |it: &Diagnostic| it.primary.iter().chain(&it.labels).map(|label| label.span).collect::<Vec<_>>();
        let told = |it: &Diagnostic| it.rule == finding.rule && it.primary.is_some() && places(it) == places(&finding);
        if !self.out.iter().any(told) {
            self.out.push(finding);
        }
    }
}
