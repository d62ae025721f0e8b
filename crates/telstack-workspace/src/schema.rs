//! JSON Schemas, for editors and for validators of YAML and JSON.

use telstack_diagnostics::render;

use crate::{acting::settings_schema, check::Assumed};

/// What a schema describes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Described {
    /// A stack in YAML.
    Stack,
    /// The report of `check --format json`.
    Diagnostics,
    /// A settings file.
    Settings,
    /// The configuration of a collector.
    Collector(Assumed),
}

/// A JSON Schema (draft 2020-12) as text, the same bytes every time.
pub fn schema(described: Described) -> String {
    let schema = match described {
        Described::Stack => telstack_lang::schema(),
        Described::Diagnostics => render::json::schema(),
        Described::Settings => settings_schema(),
        Described::Collector(it) => telstack_tools::collector::schema(it.version(), it.distribution()),
    };
    // A tree of JSON can always be printed.
    let mut text = serde_json::to_string_pretty(&schema).unwrap_or_default();
    text.push('\n');
    text
}
