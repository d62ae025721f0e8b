//! Kinds of values as JSON Schemas. Each is at most as strict as [`words`](crate::words), which has the last word.

use serde_json::{Value, json};
use telstack_catalog::Distribution;

use crate::{form::Kind, words};

/// A number as durations and sizes have it.
const NUMBER: &str = r"([0-9]+\.?[0-9]*|\.[0-9]+)";
/// Somewhere there is a digit that is not zero.
const ABOVE_ZERO: &str = "(?=.*[1-9])";

/// The name of a kind among the schema's definitions; none for words that stand at one place.
pub(super) fn name(kind: Kind) -> Option<&'static str> {
    Some(match kind {
        Kind::Name => "a-host-name",
        Kind::Id => "a-component-id",
        Kind::Mention => "a-name",
        Kind::Signal => "signals",
        Kind::Text => "a-text",
        Kind::Period => "a-duration",
        Kind::Bytes => "a-size",
        Kind::Cpu => "processor-time",
        Kind::Count => "a-count",
        Kind::Replicas => "replicas",
        Kind::Release => "a-release",
        Kind::Distribution => "a-distribution",
        Kind::Secret => "a-secret",
        Kind::Url => "a-url",
        Kind::Address => "an-address",
        Kind::HostPath => "a-path-of-the-host",
        Kind::InnerPath => "a-path-inside",
        Kind::Share => "a-share",
        Kind::Truth => "a-truth-value",
        Kind::Any => "a-value",
        Kind::Word(..) => return None,
    })
}

/// What a kind takes: a scalar, or a map that refers to one.
pub(super) fn schema(kind: Kind) -> Value {
    let reference = if kind == Kind::Secret { "a-secret-elsewhere" } else { "a-constant" };
    let mut schema = json!({
        "if": {"type": "object"},
        "then": {"$ref": format!("#/$defs/{reference}")},
        "else": scalar(kind),
    });
    if let (Some(schema), Some(words)) = (schema.as_object_mut(), examples(kind)) {
        schema.insert(EXAMPLES.to_owned(), words);
    }
    schema
}

/// The key of values to propose.
pub(super) const EXAMPLES: &str = "examples";

/// What editors propose: they do not look for words below conditions.
pub(super) fn examples(kind: Kind) -> Option<Value> {
    match kind {
        Kind::Word(words, _) => Some(json!(words)),
        Kind::Distribution => Some(Distribution::ALL.iter().map(|it| it.as_str()).collect()),
        Kind::Truth => Some(json!([true, false])),
        _ => None,
    }
}

/// The name of what is no reference.
pub(super) const SPELT_OUT: &str = "spelt-out";

/// What the maps are that refer to a value, and those that do not.
pub(super) fn references() -> [(&'static str, Value); 3] {
    let constant = json!({
        "description": "The constant of that name, from `let`.",
        "type": "object",
        "properties": {"let": {"type": "string"}},
        "required": ["let"],
        "additionalProperties": false,
    });
    let secret = json!({
        "description": "A key of a secret (`{secret: name/key}`), an environment variable (`{env: NAME}`), or a constant \
                        (`{let: name}`).",
        "type": "object",
        "properties": {
            "secret": {"type": "string", "pattern": "^[A-Za-z][A-Za-z0-9_.-]*/[A-Za-z][A-Za-z0-9_.-]*$"},
            "env": {"type": "string", "pattern": "^[A-Za-z_][A-Za-z0-9_]*$"},
            "let": {"type": "string"},
        },
        "minProperties": 1,
        "maxProperties": 1,
        "additionalProperties": false,
    });
    let one_key = ["secret", "env", "let"].map(|it| json!({"required": [it]}));
    let spelt_out = json!({"type": "object", "not": {"maxProperties": 1, "anyOf": one_key}});
    [("a-constant", constant), ("a-secret-elsewhere", secret), (SPELT_OUT, spelt_out)]
}

fn scalar(kind: Kind) -> Value {
    let text = |about: &str, pattern: &str| json!({"description": about, "type": "string", "pattern": pattern});
    match kind {
        Kind::Name => text(
            "A host name: lower case letters, digits and `-`, a letter first, at most 63.",
            "^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$",
        ),
        Kind::Id => text("A component id: `type`, or `type/name`.", ID),
        Kind::Mention => text("A name that is declared elsewhere.", r"\S"),
        Kind::Signal => text("A pipeline id: a signal, or `signal/name`; several are joined by `, `.", &signals()),
        Kind::Text => text("A text.", r"\S"),
        Kind::Period => {
            let about = "A duration, with its unit: `500ms`, `5s`, `1h30m`, `30d`, `2w`.";
            text(about, &format!("^{ABOVE_ZERO}({NUMBER}(ms|[smhdwy]))+$"))
        }
        Kind::Bytes => {
            let about = "A size, with its unit, or a range: `512MiB`, `2GiB`, `40GB`, `256MiB..512MiB`.";
            text(about, &range(&format!(r"{NUMBER}\s*([KMGT]i?B|B)")))
        }
        Kind::Cpu => {
            let pattern = range(&format!("([0-9]+m|{NUMBER})"));
            json!({
                "description": "Processor time, in cores or thousandths of one, or a range: `2`, `0.5`, `500m`, `200m..500m`.",
                "type": ["number", "string"],
                "exclusiveMinimum": 0,
                "pattern": pattern,
            })
        }
        Kind::Count => json!({"description": "A whole number above zero.", "type": "integer", "minimum": 1}),
        Kind::Replicas => json!({
            "description": "A whole number above zero, or a range of them: `3`, `2..10`.",
            "type": ["integer", "string"],
            "minimum": 1,
            "pattern": r"^\s*0*[1-9][0-9]*\s*\.\.\s*[0-9]+\s*$",
        }),
        Kind::Release => {
            text("One release, in quotes where YAML needs them: `0.158.0`.", r"^v?[0-9]+\.[0-9]+(\.[0-9]+)?$")
        }
        Kind::Distribution => {
            let words: Vec<&str> = Distribution::ALL.iter().map(|it| it.as_str()).collect();
            json!({"description": "A distribution of the collector.", "enum": words})
        }
        Kind::Word(words, _) => json!({"enum": words}),
        Kind::Secret => text("A secret, which is best not written here: `{secret: name/key}` or `{env: NAME}`.", r"\S"),
        Kind::Url => text("A URL.", URL),
        Kind::Address => text("A URL, or `host:port`.", &format!("{URL}|^[^/ ]+:[0-9]{{1,5}}$")),
        Kind::HostPath => text("A file or folder of the host, without `:`.", r"^[^:]*[^:\s][^:]*$"),
        Kind::InnerPath => text("A path in the container, from its root, without `:`.", "^/[^:]*$"),
        Kind::Share => {
            json!({"description": "A share: a number from zero to one.", "type": "number", "minimum": 0, "maximum": 1})
        }
        Kind::Truth => json!({"description": "`true` or `false`.", "type": "boolean"}),
        Kind::Any => {
            json!({"description": "A text, a number, `true` or `false`.", "type": ["string", "number", "boolean"]})
        }
    }
}

const ID: &str = r"^[A-Za-z][A-Za-z0-9_]*(/\S+)?$";
const URL: &str = r"^https?://[^/:\s]\S*$";

fn range(one: &str) -> String {
    format!(r"^{ABOVE_ZERO}({one}|\s*{one}\s*\.\.\s*{one}\s*)$")
}

fn signals() -> String {
    let one = format!(r"({})(/.*\S.*)?", words::SIGNALS.join("|"));
    format!("^{one}(, {one})*$")
}
