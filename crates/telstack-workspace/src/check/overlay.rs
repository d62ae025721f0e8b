//! Configurations that another file beside them completes: `collector.prod.yaml` is put on top of `collector.yaml`.

use std::{collections::BTreeSet, path::Path};

use telstack_catalog::ComponentKind;
use telstack_diagnostics::{SourceMap, Span};
use telstack_syntax::{
    tree::{Map, Value},
    yaml,
};

use crate::files::Files;

/// The endings of such files.
const ENDINGS: [&str; 2] = ["yaml", "yml"];

/// Does a file that its name says to be below this one declare all that is used here and not declared?
pub(super) fn is_completed(files: &dyn Files, path: &Path, text: &str) -> bool {
    let below = || {
        let (name, _) = path.file_stem()?.to_str()?.split_once('.').filter(|(name, _)| !name.is_empty())?;
        let mut beside = ENDINGS.iter().map(|ending| path.with_file_name(format!("{name}.{ending}")));
        beside.find_map(|it| files.read(&it).ok())
    };
    let Some(below) = below() else { return false };
    let here = Names::of(text);
    let missing: BTreeSet<&Name> = here.used.difference(&here.declared).collect();
    let there = Names::of(&below).declared;
    !missing.is_empty() && missing.into_iter().all(|it| there.contains(it))
}

/// The list that names a component, and its name.
type Name = (&'static str, String);

/// The names of components in a configuration.
#[derive(Default)]
struct Names {
    declared: BTreeSet<Name>,
    used: BTreeSet<Name>,
}

impl Names {
    fn of(text: &str) -> Self {
        let mut found = Self::default();
        let documents = yaml::read(SourceMap::default().add("", ""), text).unwrap_or_default();
        let Some(map) = documents.first().and_then(Value::as_map) else { return found };
        for kind in ComponentKind::ALL {
            let section = kind.section();
            // A connector is named where receivers and exporters are.
            let lists = match kind {
                ComponentKind::Connector => vec![ComponentKind::Receiver.section(), ComponentKind::Exporter.section()],
                _ => vec![section],
            };
            let declared = map.get(section).and_then(Value::as_map);
            for entry in declared.into_iter().flat_map(Map::iter) {
                found.declared.extend(lists.iter().map(|list| (*list, entry.key.clone())));
            }
            let Some(service) = map.get("service") else { continue };
            let pipelines = service.at("pipelines").and_then(Value::as_map);
            let lists = pipelines.into_iter().flat_map(Map::iter).filter_map(|it| it.value.at(section));
            for list in lists.chain(service.at(section)) {
                found.used.extend(names(list).map(|name| (section, name)));
            }
        }
        found
    }
}

fn names(list: &Value<Span>) -> impl Iterator<Item = String> {
    list.as_seq().unwrap_or_default().iter().filter_map(|it| it.as_str().map(str::to_owned))
}
