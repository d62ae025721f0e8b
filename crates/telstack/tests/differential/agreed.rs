//! Where the two may differ, and why. Nothing else may; docs/differential.md has the same list.

use std::collections::BTreeSet;

use telstack_diagnostics::Diagnostic;

/// telstack refuses what `validate` accepts: by code and a part of the message.
const STRICTER: &[(&str, &str, &str)] = &[
    ("P002", "names extension", "the collector looks for extensions when it starts, not in `validate`"),
    ("Y003", "without a unit is", "a bare number is nanoseconds: it starts, and does not do what was meant"),
    ("Y004", "`logs.encoding`", "the logger that knows the encodings is made when the collector starts"),
];

/// `validate` refuses what telstack accepts: by a part of its complaint.
const LAXER: &[(&str, &str)] = &[
    ("operators", "what is inside the operators of a log receiver is not known"),
    ("unsupported encoding", "the names of character encodings are not known"),
    (
        "at least one endpoint must be specified",
        "a variable that is not set is empty; telstack does not know the environment",
    ),
    (
        "either endpoint or logs_endpoint must be specified",
        "which address serves which signal is not compared with the pipelines",
    ),
    ("time.Time", "a plain date is neither text nor number to the collector; telstack takes it for text"),
    ("supports only `items` or `bytes` sizer", "what a batch takes over from its queue, before 0.138.0, is not known"),
    (
        "'spike_limit_mib' must be smaller",
        "what stands in for a variable that is not set is not compared with other settings",
    ),
    (
        "'max_elapsed_time' must not be less",
        "what stands in for a variable that is not set is not compared with other settings",
    ),
    ("`num_consumers` must be positive", "what stands in for a variable that is not set is not compared with zero"),
    (
        "environment variable \"not-a-name\"",
        "a reference in place of a list of a pipeline is taken for a list from elsewhere",
    ),
];

/// The finding points at another line than the one that was changed: by code.
const ELSEWHERE: &[(&str, &str)] = &[
    ("R001", "text that is no YAML any more shows where it stops to fit"),
    ("R005", "what is missing has no line"),
    ("P001", "a name that was declared and is not any more shows where it is used"),
    ("P013", "a pipeline that lacks an end shows at its name"),
];

pub fn stricter(errors: &[Diagnostic]) -> Option<&'static str> {
    let entry = |it: &Diagnostic| {
        STRICTER
            .iter()
            .find(|(code, part, _)| it.rule.code == *code && it.message.contains(part))
            .map(|(code, ..)| *code)
    };
    errors.iter().map(entry).collect::<Option<Vec<_>>>()?.first().copied()
}

pub fn laxer(error: &str) -> Option<&'static str> {
    LAXER.iter().map(|(part, _)| *part).find(|part| error.contains(part))
}

pub fn elsewhere(codes: &BTreeSet<&'static str>) -> Option<&'static str> {
    ELSEWHERE.iter().map(|(code, _)| *code).find(|code| codes.contains(code))
}

/// Entries that no case needs.
pub fn unused(used: &BTreeSet<&'static str>) -> Vec<&'static str> {
    let all = STRICTER.iter().map(|(code, ..)| *code).chain(LAXER.iter().chain(ELSEWHERE).map(|(part, _)| *part));
    all.filter(|part| !used.contains(part)).collect()
}
