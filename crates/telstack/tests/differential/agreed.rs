//! Where the two may differ, and why. Nothing else may; docs/differential.md has the same list.

use std::collections::BTreeSet;

use telstack_diagnostics::Diagnostic;

/// telstack refuses what `validate` accepts: by code and a part of the message.
const STRICTER: &[(&str, &str, &str)] = &[
    ("P002", "names extension", "the collector looks for extensions when it starts, not in `validate`"),
    ("Y003", "without a unit is", "a bare number is nanoseconds: it starts, and does not do what was meant"),
    (
        "Y009",
        "does not start with `http://`",
        "an address without a scheme is dialled by nobody: it starts, and sends nothing",
    ),
    ("Y004", "`logs.encoding`", "the logger that knows the encodings is made when the collector starts"),
];

/// `validate` refuses what telstack accepts: its complaint, where `*` is anything, and the reason.
const LAXER: &[(&str, &str)] = &[
    (
        "*operator '*' does not exist: {\"operator_id\":\"file_input\"}*",
        "which operators an `output` may name is not known",
    ),
    ("*'receivers' error reading configuration for \"filelog*'operators*", OPERATORS),
    ("*unsupported encoding*", "the names of character encodings are not known"),
    (
        "*at least one endpoint must be specified*",
        "a variable that is not set is empty; telstack does not know the environment",
    ),
    (
        "*got unconvertible type 'time.Time'*",
        "a plain date is neither text nor number to the collector; telstack takes it for text",
    ),
    (
        "*supports only `items` or `bytes` sizer*",
        "what a batch takes over from its queue, before 0.138.0, is not known",
    ),
    ("*'spike_limit_mib' must be smaller*", DEFAULTS),
    ("*'max_elapsed_time' must not be less*", DEFAULTS),
    ("*`num_consumers` must be positive*", DEFAULTS),
    (
        "*environment variable \"not-a-name\" has invalid name*",
        "a reference in place of a list of a pipeline is taken for a list from elsewhere",
    ),
    ("*requires feature gate 'filelog.allowFileDeletion'*", GATES),
    ("*the \"filelog.mtimeSortType\" feature gate must be enabled*", GATES),
    ("*'receivers' error reading configuration for \"filelog\"*'attributes*", LABELS),
    ("*'receivers' error reading configuration for \"filelog\"*'resource*", LABELS),
    ("*sort: regex key must be specified*", "what the items of a list need is not compared with their kind"),
    ("*'service.telemetry.logs' decoding failed*'processors[*", PROCESSORS),
    ("*'service.telemetry.traces' decoding failed*'processors[*", PROCESSORS),
    ("*clude: parse glob: *", "patterns of file names are not read"),
    ("*: error parsing regexp: *", "regular expressions are not read: Go has a dialect of its own"),
];

const PROCESSORS: &str =
    "processors of the collector's own logs and traces follow a schema of their own, which the catalog does not hold";
const LABELS: &str = "the catalog does not say what the labels of a log receiver hold before 0.145.0";
const OPERATORS: &str = "what is inside the operators of a log receiver is not known";
const DEFAULTS: &str = "what stands in for a variable that is not set is not compared with other settings";
const GATES: &str = "feature gates are set where the collector is started, which its configuration does not show";

/// The finding points at another line than the one that was changed: by code.
const ELSEWHERE: &[(&str, &str)] = &[
    ("R001", "text that is no YAML any more shows where it stops to fit"),
    ("R005", "what is missing has no line"),
    ("Y005", "what a file before held, and does not any more, is missed where the component is"),
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
    let error = error.strip_prefix("Error: ").unwrap_or(error);
    LAXER.iter().map(|(pattern, _)| *pattern).find(|pattern| matches(pattern, error))
}

/// Is the text what the pattern says? The time follows each complaint.
fn matches(pattern: &str, text: &str) -> bool {
    let (start, rest) = pattern.split_once('*').unwrap_or((pattern, ""));
    let Some(mut text) = text.strip_prefix(start) else { return false };
    for piece in rest.split('*') {
        let Some(at) = text.find(piece) else { return false };
        text = &text[at + piece.len()..];
    }
    true
}

pub fn elsewhere(codes: &BTreeSet<&'static str>) -> Option<&'static str> {
    ELSEWHERE.iter().map(|(code, _)| *code).find(|code| codes.contains(code))
}

/// Entries that no case needs.
pub fn unused(used: &BTreeSet<&'static str>) -> Vec<&'static str> {
    let all = STRICTER.iter().map(|(code, ..)| *code).chain(LAXER.iter().chain(ELSEWHERE).map(|(part, _)| *part));
    all.filter(|part| !used.contains(part)).collect()
}
