//! The findings of the stack language.

use telstack_diagnostics::{RuleInfo, Severity};

/// Every finding of the stack language, by code.
pub static RULES: &[&RuleInfo] = &[
    &SYNTAX_ERROR,
    &UNKNOWN_WORD,
    &MISSING_PART,
    &WRONG_VALUE,
    &DECLARED_TWICE,
    &UNKNOWN_NAME,
    &INCLUDE_FAILS,
    &NOT_SUPPORTED_YET,
    &UNKNOWN_RELEASE,
    &WRONG_END,
];

/// The specification of the text format.
const KDL: &[&str] = &["https://kdl.dev/spec/", "https://yaml.org/spec/1.2.2/"];

pub(crate) static SYNTAX_ERROR: RuleInfo = RuleInfo {
    code: "Z001",
    name: "syntax-error",
    severity: Severity::Error,
    summary: "The text of a stack description is not KDL 2, or not YAML where its name says so.",
    why: "What a line says whose text does not parse is anybody's guess, so nothing is compiled from the file. The \
          other lines are checked all the same.",
    bad: r#"stack "shop" {
    platform "compose
    loki "loki"
}
"#,
    good: r#"stack "shop" {
    platform "compose"
    loki "loki"
}
"#,
    silent: "Never: text that does not parse is always reported.",
    sources: KDL,
};

pub(crate) static UNKNOWN_WORD: RuleInfo = RuleInfo {
    code: "Z002",
    name: "unknown-word",
    severity: Severity::Error,
    summary: "A line starts with a word, or has a property, that means nothing where it stands.",
    why: "A word that is skipped silently is a wish that nobody fulfils: a misspelt `retention` would keep data \
          for another time than the one asked for.",
    bad: r#"stack "shop" {
    platform "compose"
    loki "loki" { retentoin "31d" }
}
"#,
    good: r#"stack "shop" {
    platform "compose"
    loki "loki" { retention "31d" }
}
"#,
    silent: "Inside the block of a receiver, processor, exporter, connector or extension: those settings are \
             upstream's, and other rules check them against the release that runs.",
    sources: &[],
};

pub(crate) static MISSING_PART: RuleInfo = RuleInfo {
    code: "Z003",
    name: "missing-part",
    severity: Severity::Error,
    summary: "A line lacks a value, a property or a word in its block without which it means nothing.",
    why: "A pipeline without an end, an endpoint without an address or a stack without a platform cannot be \
          compiled to anything that runs.",
    bad: r#"stack "shop" {
    platform "compose"
    collector "gateway" {
        receiver "otlp"
        pipeline "logs" { from "otlp" }
    }
    loki "loki"
}
"#,
    good: r#"stack "shop" {
    platform "compose"
    collector "gateway" {
        receiver "otlp"
        pipeline "logs" { from "otlp"; to "loki" }
    }
    loki "loki"
}
"#,
    silent: "Where the missing part can be derived: `through`, `reads`, names of stores, releases.",
    sources: &[],
};

pub(crate) static WRONG_VALUE: RuleInfo = RuleInfo {
    code: "Z004",
    name: "wrong-value",
    severity: Severity::Error,
    summary: "A value is of another kind than its word takes, or out of its range.",
    why: "Durations and sizes need their unit, names become host names: a value that is guessed at would give a \
          stack that runs, but not as it was meant.",
    bad: r#"stack "shop" {
    platform "compose"
    loki "loki" { retention 31 }
}
"#,
    good: r#"stack "shop" {
    platform "compose"
    loki "loki" { retention "31d" }
}
"#,
    silent: "For values of component settings, which other rules check against the release that runs.",
    sources: &[],
};

pub(crate) static DECLARED_TWICE: RuleInfo = RuleInfo {
    code: "Z005",
    name: "declared-twice",
    severity: Severity::Error,
    summary: "A name, a setting or a word that may stand once stands twice.",
    why: "Only one of the two can hold, and which one would depend on the order of lines. Names are host names, \
          so two nodes cannot share one even if they are of different kinds.",
    bad: r#"stack "shop" {
    platform "compose"
    loki "store"
    prometheus "store"
}
"#,
    good: r#"stack "shop" {
    platform "compose"
    loki "loki"
    prometheus "prometheus"
}
"#,
    silent: "Settings that upstream reads as a list may be repeated: each line adds to the list.",
    sources: &[],
};

pub(crate) static UNKNOWN_NAME: RuleInfo = RuleInfo {
    code: "Z006",
    name: "unknown-name",
    severity: Severity::Error,
    summary: "A name refers to something that is declared nowhere.",
    why: "A link to nowhere carries no data. The collector refuses a pipeline that names an unknown component; a \
          host that does not exist is only noticed when data is missing.",
    bad: r#"stack "shop" {
    platform "compose"
    collector "gateway" {
        receiver "otlp"
        pipeline "logs" { from "otlp"; to "lokki" }
    }
    loki "loki"
}
"#,
    good: r#"stack "shop" {
    platform "compose"
    collector "gateway" {
        receiver "otlp"
        pipeline "logs" { from "otlp"; to "loki" }
    }
    loki "loki"
}
"#,
    silent: "When an included file could not be read: the name may be declared there.",
    sources: &["https://opentelemetry.io/docs/collector/configuration/#pipelines"],
};

pub(crate) static INCLUDE_FAILS: RuleInfo = RuleInfo {
    code: "Z007",
    name: "include-fails",
    severity: Severity::Error,
    summary: "An included file cannot be read, or includes itself.",
    why: "What the file would have declared is missing from the stack.",
    bad: r#"stack "shop" {
    platform "compose"
    include "missing.kdl"
}
"#,
    good: r#"stack "shop" {
    platform "compose"
    include "stores.kdl"
}
"#,
    silent: "Never: an `include` is always followed.",
    sources: &[],
};

pub(crate) static NOT_SUPPORTED_YET: RuleInfo = RuleInfo {
    code: "Z008",
    name: "not-supported-yet",
    severity: Severity::Error,
    summary: "The word belongs to the language, but this release cannot compile it.",
    why: "Leaving it out silently would give a smaller stack than the one described.",
    bad: r#"stack "shop" {
    platform "compose"
    loki "loki"
    mimir "mimir"
}
"#,
    good: r#"stack "shop" {
    platform "kubernetes" { namespace "shop" }
    loki "loki"
}
"#,
    silent: "Never.",
    sources: &[],
};

pub(crate) static UNKNOWN_RELEASE: RuleInfo = RuleInfo {
    code: "Z009",
    name: "unknown-release",
    severity: Severity::Error,
    summary: "A release is named that does not exist, or that the catalog does not know.",
    why: "Settings, ports and protocols are checked for the release that runs. Without facts about it nothing can \
          be checked, and an image with that tag may not exist.",
    bad: r#"stack "shop" {
    platform "compose"
    versions { otelcol "0.99.9" }
    loki "loki"
}
"#,
    good: r#"stack "shop" {
    platform "compose"
    versions { otelcol "0.158.0" }
    loki "loki"
}
"#,
    silent: "A patch above the last known of its minor release is a warning: it may be newer than the catalog. \
             Patches of Grafana are not known.",
    sources: &[
        "https://github.com/open-telemetry/opentelemetry-collector-releases/releases",
        "the tags of each product's repository",
    ],
};

pub(crate) static WRONG_END: RuleInfo = RuleInfo {
    code: "Z010",
    name: "wrong-end",
    severity: Severity::Error,
    summary: "A link names something that exists, but that is no end for it.",
    why: "Data does not flow out of an exporter or into Grafana: the link cannot be made.",
    bad: r#"stack "shop" {
    platform "compose"
    collector "gateway" {
        receiver "otlp"
        pipeline "logs" { from "otlp"; to "grafana" }
    }
    grafana "grafana"
    loki "loki"
}
"#,
    good: r#"stack "shop" {
    platform "compose"
    collector "gateway" {
        receiver "otlp"
        pipeline "logs" { from "otlp"; to "loki" }
    }
    grafana "grafana"
    loki "loki"
}
"#,
    silent: "Whether both ends share a protocol and a signal is negotiated later, by other rules.",
    sources: &[],
};
