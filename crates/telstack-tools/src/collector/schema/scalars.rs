//! What a release takes for a value of a type: as lenient as it is itself.

use serde_json::{Map, Value, json};
use telstack_catalog::{
    Version,
    otelcol::{self, BareDollar, SettingType},
};

type Keywords = Map<String, Value>;

/// A duration as Go writes it.
const DURATION: &str = r"^[-+]?(0|(([0-9]+\.?[0-9]*|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h))+)$";
/// What an old collector may take for a number, or for nothing.
const NUMERIC: &str = "^([-+]?[0-9.][0-9A-Za-z_.+-]*)?$";
/// What it may take for a truth value.
const TRUTH: &str = "^([01tTfF]|true|True|TRUE|false|False|FALSE)?$";
/// Words of which some stand for numbers as well.
const LEVELS: [&str; 2] = ["detailed", "dpanic"];

/// The types of one release.
pub(super) struct Scalars {
    /// Is a value of another type refused?
    strict: bool,
    /// A text that run time fills in, in whole or in part.
    reference: &'static str,
}

/// The name of a type's definition.
fn name(ty: SettingType) -> Option<&'static str> {
    Some(match ty {
        SettingType::String => "type.text",
        SettingType::Int => "type.integer",
        SettingType::Float => "type.number",
        SettingType::Bool => "type.bool",
        SettingType::Duration => "type.duration",
        SettingType::List => "type.list",
        SettingType::Map => "type.map",
        SettingType::Any => return None,
    })
}

/// What editors say of a type.
fn about(name: &str) -> Option<&'static str> {
    Some(match name {
        "type.text" => "A text.",
        "type.integer" => "A whole number.",
        "type.number" => "A number.",
        "type.bool" => "`true` or `false`.",
        "type.duration" => "A duration, with its unit: `500ms`, `5s`, `1h30m`.",
        _ => return None,
    })
}

fn refer(name: &str) -> Keywords {
    Keywords::from_iter([("$ref".to_owned(), json!(format!("#/$defs/{name}")))])
}

const TEXTS: &str = "type.texts";
const MAYBE_TEXTS: &str = "type.list-or-text";
const GIVEN_MAP: &str = "type.given-map";

impl Scalars {
    pub(super) fn of(version: Version) -> Self {
        let bare = otelcol::env_expansion(version).bare_dollar == BareDollar::Expanded;
        let reference = if bare { r"\$[{A-Za-z_]" } else { r"\$\{" };
        Self { strict: otelcol::is_strictly_typed(version), reference }
    }

    /// A value of a type.
    pub(super) fn typed(ty: SettingType) -> Keywords {
        name(ty).map_or_else(Keywords::new, refer)
    }

    /// A map, or nothing.
    pub(super) fn map() -> Keywords {
        Self::typed(SettingType::Map)
    }

    /// A map that must be there.
    pub(super) fn given_map() -> Keywords {
        refer(GIVEN_MAP)
    }

    /// A list of texts, or one text that is divided at its commas.
    pub(super) fn texts() -> Keywords {
        refer(TEXTS)
    }

    /// A list of names of components: these are not divided.
    pub(super) fn ids() -> Keywords {
        let mut list = Self::typed(SettingType::List);
        list.insert("items".to_owned(), Value::Object(Self::typed(SettingType::String)));
        list
    }

    /// A list of what may be texts, or one text that is divided at its commas.
    pub(super) fn maybe_texts() -> Keywords {
        refer(MAYBE_TEXTS)
    }

    /// One of some words, in whatever case, or nothing.
    pub(super) fn word(&self, words: &[Box<str>]) -> Keywords {
        let any_case: Vec<String> = words.iter().map(|word| in_any_case(word)).collect();
        let pattern = format!("^({})?$|{}", any_case.join("|"), self.reference);
        let mut others = vec!["string", "null"];
        if !self.strict || words.iter().any(|word| LEVELS.contains(&&**word)) {
            others.push("number");
        }
        if !self.strict {
            others.push("boolean");
        }
        // The words by themselves are what editors propose.
        let ways = json!([{"enum": words}, {"type": others, "pattern": pattern}]);
        Keywords::from_iter([("anyOf".to_owned(), ways)])
    }

    /// The definitions that the others refer to.
    pub(super) fn into_defs(self) -> Vec<(String, Value)> {
        let or_reference = |pattern: &str| format!("{pattern}|{}", self.reference);
        let (numeric, truth) = (or_reference(NUMERIC), or_reference(TRUTH));
        let (duration, reference) = (or_reference(DURATION), self.reference);
        let text = Value::Object(Self::typed(SettingType::String));
        let empty_too = or_reference(&format!("{DURATION}|^$"));
        let defs = if self.strict {
            [
                ("type.text", json!({"type": ["string", "null"]})),
                // The collector cuts fractions off.
                ("type.integer", json!({"type": ["number", "string", "null"], "pattern": reference})),
                ("type.number", json!({"type": ["number", "string", "null"], "pattern": reference})),
                ("type.bool", json!({"type": ["boolean", "string", "null"], "pattern": reference})),
                // A bare number counts nanoseconds.
                ("type.duration", json!({"type": ["string", "number", "null"], "pattern": duration})),
                ("type.list", json!({"type": ["array", "string", "null"], "pattern": reference})),
                (MAYBE_TEXTS, json!({"type": ["array", "string", "null"]})),
                (TEXTS, json!({"type": ["array", "string", "null"], "items": text})),
                (GIVEN_MAP, json!({"type": ["object", "string"], "pattern": reference})),
                ("type.map", json!({"type": ["object", "string", "null"], "pattern": reference})),
            ]
        } else {
            let scalar = ["string", "number", "boolean", "null"];
            [
                ("type.text", json!({"type": scalar})),
                ("type.integer", json!({"type": scalar, "pattern": numeric})),
                ("type.number", json!({"type": scalar, "pattern": numeric})),
                ("type.bool", json!({"type": scalar, "pattern": truth})),
                ("type.duration", json!({"type": scalar, "pattern": empty_too})),
                ("type.list", json!(true)),
                (MAYBE_TEXTS, json!(true)),
                (TEXTS, json!({"items": text})),
                (GIVEN_MAP, json!({"type": ["object", "array", "string"], "pattern": reference})),
                // A list of maps is put together.
                ("type.map", json!({"type": ["object", "array", "string", "null"], "pattern": reference})),
            ]
        };
        let with_words = |(name, mut schema): (&str, Value)| {
            if let (Some(words), Some(schema)) = (about(name), schema.as_object_mut()) {
                schema.insert("description".to_owned(), json!(words));
            }
            (name.to_owned(), schema)
        };
        defs.into_iter().map(with_words).collect()
    }
}

/// A pattern of a word, in upper and lower case.
fn in_any_case(word: &str) -> String {
    let mut out = String::new();
    for c in word.chars() {
        if c.is_ascii_alphabetic() {
            out += &format!("[{}{}]", c.to_ascii_uppercase(), c.to_ascii_lowercase());
        } else {
            if !c.is_ascii_alphanumeric() && !matches!(c, '_' | '-' | ' ' | '/' | ':') && c.is_ascii() {
                out.push('\\');
            }
            out.push(c);
        }
    }
    out
}
