//! Every code, with its documentation.

use telstack_catalog::near::Near;
use telstack_diagnostics::RuleInfo;

/// Every code that telstack can report, in order.
pub fn all_rules() -> Vec<&'static RuleInfo> {
    let parts = [
        telstack_lint::RULES,
        telstack_system::RULES,
        telstack_lang::RULES,
        telstack_tools::RULES,
        crate::acting::RULES,
    ];
    let mut rules: Vec<&RuleInfo> = parts.into_iter().flatten().copied().collect();
    rules.sort_by_key(|rule| rule.code);
    rules
}

/// The rule of that code or name, in any case.
pub fn rule(code: &str) -> Option<&'static RuleInfo> {
    all_rules().into_iter().find(|it| it.code.eq_ignore_ascii_case(code) || it.name.eq_ignore_ascii_case(code))
}

/// The code nearest to what was asked for.
pub fn nearest_code(code: &str) -> Option<&'static str> {
    nearest(code, all_rules().into_iter().flat_map(|rule| [rule.code, rule.name]))
}

/// The known word nearest to what was asked for, if it is near enough to be meant.
pub(crate) fn nearest<'a>(asked: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    Near::THIRD.nearest(asked, known)
}
