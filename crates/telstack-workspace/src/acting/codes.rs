//! What can be wrong with telstack's own comments and settings.

use telstack_diagnostics::{RuleInfo, Severity};

/// Every code of this module.
pub const RULES: &[&RuleInfo] = &[
    &UNUSED_SUPPRESSION,
    &SUPPRESSION_WITHOUT_REASON,
    &UNKNOWN_CODE,
    &UNREADABLE_SUPPRESSION,
    &INVALID_SETTING,
    &UNKNOWN_SETTING,
    &INVALID_MANIFEST,
];

pub(super) static UNUSED_SUPPRESSION: RuleInfo = RuleInfo {
    code: "U001",
    name: "unused-suppression",
    severity: Severity::Warning,
    summary: "A comment asks to ignore a code that is not reported there.",
    why: "What it once hid is gone, or was never there: it may stand on the wrong line. Left behind, it hides the next \
          finding of that code, which nobody has looked at.",
    bad: "receivers:\n  otlp: # telstack: ignore[N001] the sidecar dials it from inside\n    protocols:\n      grpc:",
    good: "receivers:\n  otlp:\n    protocols:\n      grpc:",
    silent: "The code is not selected, or is ignored by the settings: then nobody knows.",
    sources: &[],
};

pub(super) static SUPPRESSION_WITHOUT_REASON: RuleInfo = RuleInfo {
    code: "U002",
    name: "suppression-without-reason",
    severity: Severity::Warning,
    summary: "A comment that asks to ignore a code does not say why.",
    why: "The next reader cannot tell a decision from a shortcut, and cannot know when it is out of date.",
    bad: "exporters:\n  otlphttp: # telstack: ignore[V006]\n    endpoint: http://gw:4318",
    good: "exporters:\n  otlphttp: # telstack: ignore[V006] edge hosts still run 0.120\n    endpoint: http://gw:4318",
    silent: "",
    sources: &[],
};

pub(super) static UNKNOWN_CODE: RuleInfo = RuleInfo {
    code: "U003",
    name: "unknown-code",
    severity: Severity::Warning,
    summary: "A comment or a settings file names a code that does not exist.",
    why: "It has no effect: what it should hide is still reported, what it should select is not.",
    bad: "exporters:\n  otlphttp: # telstack: ignore[V0006] edge hosts still run 0.120",
    good: "exporters:\n  otlphttp: # telstack: ignore[V006] edge hosts still run 0.120",
    silent: "",
    sources: &[],
};

pub(super) static UNREADABLE_SUPPRESSION: RuleInfo = RuleInfo {
    code: "U004",
    name: "unreadable-suppression",
    severity: Severity::Warning,
    summary: "A comment looks like one that asks to ignore a code, and cannot be read as one.",
    why: "It has no effect: what it should hide is still reported.",
    bad: "exporters:\n  otlphttp: # telstack: ignore V006 edge hosts still run 0.120",
    good: "exporters:\n  otlphttp: # telstack: ignore[V006] edge hosts still run 0.120",
    silent: "The word behind `telstack:` is not near `ignore` or `ignore-file`.",
    sources: &[],
};

pub(super) static INVALID_SETTING: RuleInfo = RuleInfo {
    code: "U005",
    name: "invalid-setting",
    severity: Severity::Error,
    summary: "A settings file is no TOML, or a setting has a value that it cannot have.",
    why: "Nothing is checked by settings that are only half understood.",
    bad: "select = \"N\"",
    good: "select = [\"N\"]",
    silent: "",
    sources: &["https://toml.io/en/v1.0.0"],
};

pub(super) static UNKNOWN_SETTING: RuleInfo = RuleInfo {
    code: "U006",
    name: "unknown-setting-of-telstack",
    severity: Severity::Error,
    summary: "A settings file has a key that telstack does not know.",
    why: "What was meant does not happen. Nothing is checked by settings that are only half understood.",
    bad: "selct = [\"N\"]",
    good: "select = [\"N\"]",
    silent: "",
    sources: &[],
};

pub(super) static INVALID_MANIFEST: RuleInfo = RuleInfo {
    code: "U007",
    name: "invalid-builder-manifest",
    severity: Severity::Error,
    summary: "The manifest that describes a distribution cannot be read.",
    why: "What the distribution holds is not known, so nothing can be said about its components.",
    bad: "[distributions.ours]\nmanifest = \"missing.yaml\"",
    good: "[distributions.ours]\nmanifest = \"builder.yaml\"",
    silent: "A module of the manifest is not known to telstack: then nothing is said about components that it may \
             hold.",
    sources: &["https://github.com/open-telemetry/opentelemetry-collector/tree/main/cmd/builder"],
};
