//! Settings that work, and seldom do what whoever wrote them wants (`data/otelcol/unusual.json`).

use std::sync::OnceLock;

use serde::Deserialize;

use super::component::{Component, component};
use crate::signal::ComponentKind;

/// What a value is held against.
#[derive(Deserialize, Debug)]
#[serde(untagged)]
pub enum Bound {
    /// A plain number, in the setting's own unit.
    Number(f64),
    /// A duration as Go writes it.
    Duration(String),
}

/// A value that is seldom meant, and what comes of it.
#[derive(Deserialize, Debug)]
pub struct Unusual {
    component: String,
    /// Dotted path, without the numbers of items; `*.` in front stands for any depth.
    setting: String,
    /// Less than this: a number, or a duration as Go writes it.
    #[serde(default)]
    pub below: Option<Bound>,
    /// More than this.
    #[serde(default)]
    pub above: Option<Bound>,
    /// One of these, as text.
    #[serde(default)]
    pub is: Vec<String>,
    /// Text that ends in one of these.
    #[serde(default)]
    pub ends: Vec<String>,
    /// An address that others than this host reach.
    #[serde(default)]
    pub reaches: bool,
    /// Not where one of these is set too.
    #[serde(default)]
    pub unless: Vec<String>,
    /// What comes of it.
    pub so: String,
    /// What to write instead.
    pub help: String,
}

#[derive(Deserialize)]
struct Table {
    rows: Vec<Unusual>,
}

/// The section of the configuration that is no component.
const SERVICE: &str = "service";

fn rows() -> &'static [Unusual] {
    static TABLE: OnceLock<Table> = OnceLock::new();
    let table = TABLE.get_or_init(|| {
        let text = include_str!("../../data/otelcol/unusual.json");
        serde_json::from_str(text).expect("unusual.json is embedded and read by the tests")
    });
    &table.rows
}

impl Unusual {
    /// Does it speak of the setting at that path?
    pub fn is_at(&self, path: &str) -> bool {
        match self.setting.strip_prefix("*.") {
            Some(end) => path.strip_suffix(end).is_some_and(|before| before.is_empty() || before.ends_with('.')),
            None => path == self.setting,
        }
    }
}

/// What may be unusual about the `service` section.
pub fn unusual_service() -> impl Iterator<Item = &'static Unusual> {
    rows().iter().filter(|row| row.component == SERVICE)
}

impl Component {
    /// What may be unusual about its settings.
    pub fn unusual(self) -> impl Iterator<Item = &'static Unusual> {
        rows().iter().filter(move |row| match row.component.split_once('/') {
            Some((kind, "*")) => kind == self.kind().as_str(),
            Some((kind, name)) => {
                ComponentKind::parse(kind).and_then(|kind| component(kind, name)).is_some_and(|it| it == self)
            }
            None => row.component == "*",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_names_a_component_and_a_value() {
        for row in rows() {
            if let Some((kind, name)) = row.component.split_once('/').filter(|(_, name)| *name != "*") {
                let kind = ComponentKind::parse(kind).expect("a kind");
                let known = component(kind, name).unwrap_or_else(|| panic!("{} is known", row.component));
                assert_eq!(known.newest_name(), name);
            }
            let bounds = usize::from(row.below.is_some()) + usize::from(row.above.is_some());
            let words = usize::from(!row.is.is_empty()) + usize::from(!row.ends.is_empty());
            assert_eq!(bounds + words + usize::from(row.reaches), 1, "{row:?}");
        }
    }

    #[test]
    fn rows_by_component_and_place() {
        let batch = component(ComponentKind::Processor, "batch").expect("known");
        assert!(batch.unusual().any(|row| row.is_at("timeout")) && !batch.unusual().any(|row| row.is_at("a.timeout")));
        let otlp = component(ComponentKind::Receiver, "otlp").expect("known");
        assert!(otlp.unusual().any(|row| row.is_at("protocols.http.cors.allowed_origins")));
        assert!(unusual_service().any(|row| row.is_at("telemetry.logs.level")));
    }
}
