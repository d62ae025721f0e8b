//! Reading a dashboard.

use std::collections::BTreeMap;

use telstack_system::{Dashboard, Panel, Query, Sourced, Value};

use crate::reading::{items, text};

/// The type of a panel that only holds others.
const ROW: &str = "row";
/// Types of panels that query nothing, whatever is written in them. Source: `skipDataQuery` of grafana v12.0.0
/// `public/app/plugins/panel/*/plugin.json`.
const ASK_NOTHING: [&str; 8] = [ROW, "text", "alertlist", "annolist", "dashlist", "gettingstarted", "news", "welcome"];
/// Panels of a dashboard that are looked through, those in rows included.
const MOST_PANELS: usize = 10_000;

/// What a dashboard shows, and whom it asks.
pub(super) fn read(document: &Value) -> Dashboard {
    // Exported dashboards are wrapped.
    let document = document.at("dashboard").filter(|it| it.as_map().is_some()).unwrap_or(document);
    let of = |key: &str| text(document, key).map(|it| it.value).unwrap_or_default();
    let mut data_sources: Vec<Sourced<String>> = Vec::new();
    let (mut types, mut asking) = (BTreeMap::new(), Vec::new());
    let mut add = |value: &Value| {
        // Before Grafana 8 it was a name.
        let uid = value.at("datasource.uid").or_else(|| value.at("datasource"));
        let uid = uid.and_then(|it| Some(Sourced::new(it.as_str()?.to_owned(), it.mark.clone())));
        if let (Some(uid), Some(ty)) = (&uid, text(value, "datasource.type")) {
            types.entry(uid.value.clone()).or_insert(ty.value);
        }
        asking.extend(uid.clone().filter(|uid| uid.value.starts_with("${")));
        if let Some(uid) = uid.filter(|uid| !data_sources.iter().any(|known| known.value == uid.value)) {
            data_sources.push(uid);
        }
    };
    let asked = inputs(document);
    let mut open: Vec<&Value> = items(document, "panels").iter().rev().collect();
    let mut panels = Vec::new();
    while let Some(panel) = open.pop() {
        if panels.len() >= MOST_PANELS {
            break;
        }
        open.extend(items(panel, "panels").iter().rev());
        let ty = text(panel, "type").map(|it| it.value).unwrap_or_default();
        let targets = if ASK_NOTHING.contains(&ty.as_str()) {
            &[]
        } else {
            add(panel);
            items(panel, "targets")
        };
        targets.iter().for_each(&mut add);
        if ty == ROW {
            continue;
        }
        let of = |value: &Value, path: &str| text(value, path).map(|it| it.value).unwrap_or_default();
        let query = |target: &Value| {
            let expr = text(target, "expr").unwrap_or_else(|| Sourced::new(String::new(), target.mark.clone()));
            Query { expr, legend: of(target, "legendFormat") }
        };
        panels.push(Panel {
            title: of(panel, "title"),
            description: of(panel, "description"),
            queries: targets.iter().map(query).collect(),
            unit: of(panel, "fieldConfig.defaults.unit"),
            origin: panel.mark.clone(),
        });
    }
    let chosen = |uid: &Sourced<String>| {
        let name = uid.value.strip_prefix("${")?.strip_suffix('}')?;
        asked.contains(&name).then(|| Sourced::new(name.to_owned(), uid.origin.clone()))
    };
    let inputs = asking.iter().filter_map(chosen).collect();
    Dashboard {
        inputs,
        uid: of("uid"),
        title: of("title"),
        description: of("description"),
        data_sources,
        types,
        panels,
        origin: document.mark.clone(),
    }
}

/// What whoever imports a dashboard is to choose, without what it asks for by itself.
fn inputs(document: &Value) -> Vec<&str> {
    let names = |list: &'static str| items(document, list).iter().filter_map(|it| it.at("name")?.as_str());
    let own: Vec<&str> = names("templating.list").collect();
    names("__inputs").filter(|name| !own.contains(name)).collect()
}
