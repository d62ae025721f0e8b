//! Grafana's provisioning: data sources, the dashboard provider, dashboards.

use telstack_catalog::product::Product;
use telstack_syntax::json;
use telstack_system::{ConfigFile, Dashboard, DataSource, Node, Panel, Query, System, Value, Viewer};

use crate::{
    Artefact,
    doc::{self, Block},
};

/// Why a dashboard has the parts that it has.
const FORMAT: &str = "a format that every supported Grafana reads";
/// The dashboard format that Grafana 10.2 to 13 read; older ones are migrated on load, newer refused by 10.2.
const SCHEMA_VERSION: i64 = 39;
/// Grafana's grid is 24 wide.
const PANEL_WIDTH: i64 = 12;
const PANEL_HEIGHT: i64 = 8;
const COLUMNS: i64 = 2;

pub(crate) fn emit(system: &System, node: &Node, viewer: &Viewer) -> Vec<Artefact> {
    let Some(container) = &node.container else { return Vec::new() };
    let mut out = Vec::new();
    if let Some(file) = container.file("datasources") {
        out.push(doc::node_yaml(system, node, file, Some("data sources"), &data_sources(node, viewer)));
    }
    let files: Vec<&ConfigFile> = container.files.iter().filter(|file| file.role == "dashboard").collect();
    if let (Some(file), Some(first)) = (container.file("dashboards"), files.first()) {
        let document = provider(system, file, first);
        out.push(doc::node_yaml(system, node, file, Some("where dashboards are"), &document));
    }
    // One file each, in the same order.
    for (file, dashboard) in files.into_iter().zip(&viewer.dashboards) {
        out.push(Artefact::new(&file.path, json::write(&document(system, viewer, dashboard))));
    }
    out
}

/// What a setting of a data source reads from a file: its `$` is meant for Grafana.
const READ_FROM_FILE: &str = "tlsCACert";

/// `$` starts a variable in provisioning files; the System holds what is meant.
fn provisioned(value: &Value) -> Value {
    doc::map_text(value, &doc::double_dollar)
}

fn data_sources(node: &Node, viewer: &Viewer) -> Value {
    let origins = viewer.data_sources.iter().map(|source| &source.origin);
    let origin = doc::follows_all("what Grafana reads", origins, &node.origin);
    let version = doc::fact("the format of Grafana's provisioning files", &[&node.origin]);
    let mut out = Block::new();
    out.put("apiVersion", version.int(1));
    out.gap().put("datasources", origin.block(viewer.data_sources.iter().map(data_source)));
    out.finish(&node.origin)
}

fn data_source(source: &DataSource) -> Value {
    let origin = &source.origin;
    let proxy = doc::chosen("Grafana asks the store itself: browsers need no way to it", origin);
    let mut out = Block::new();
    out.put("name", origin.string(&source.name));
    out.put("uid", origin.string(&source.uid));
    out.put("type", origin.string(&source.ty));
    out.put("access", proxy.string("proxy"));
    out.put("url", origin.string(&source.url.value));
    if source.default {
        out.put("isDefault", origin.bool(true));
    }
    for (key, value) in [("jsonData", &source.json_data), ("secureJsonData", &source.secure_json_data)] {
        if value.as_map().is_some_and(|map| !map.is_empty()) {
            out.put(key, value.clone());
        }
    }
    let mut written = provisioned(&out.finish(origin));
    let secure = written.as_map_mut().and_then(|map| map.get_mut("secureJsonData")).and_then(Value::as_map_mut);
    if let (Some(secure), Some(file)) = (secure, source.secure_json_data.at(READ_FROM_FILE)) {
        secure.set(READ_FROM_FILE, file.clone());
    }
    written
}

fn provider(system: &System, file: &ConfigFile, dashboard: &ConfigFile) -> Value {
    let origin = &file.origin;
    let folder = dashboard.target.rsplit_once('/').map_or(".", |(folder, _)| folder);
    let version = doc::fact("the format of Grafana's provisioning files", &[origin]);
    let named = doc::follows("called after the stack", &[&system.origin]);
    let options = dashboard.origin.map([("path", dashboard.origin.string(folder))]);
    let provider =
        origin.map([("name", named.string(&system.name)), ("type", origin.string("file")), ("options", options)]);
    let mut out = Block::new();
    out.put("apiVersion", version.int(1));
    out.gap().put("providers", origin.block([provisioned(&provider)]));
    out.finish(origin)
}

fn document(system: &System, viewer: &Viewer, dashboard: &Dashboard) -> Value {
    let origin = &dashboard.origin;
    let shown = doc::chosen("the last hour, fresh twice a minute", origin);
    let source = dashboard.data_sources.first().map(|uid| {
        let named = viewer.data_sources.iter().find(|source| source.uid == uid.value);
        let ty = named.map_or(Product::Prometheus.id(), |source| &source.ty);
        uid.origin.map([("type", uid.origin.string(ty)), ("uid", uid.origin.string(&uid.value))])
    });
    let tag = doc::follows("so that all dashboards of the stack are found together", &[&system.origin]);
    let mut out = Block::new();
    out.put("uid", origin.string(&dashboard.uid));
    out.put("title", origin.string(&dashboard.title));
    if !dashboard.description.is_empty() {
        out.put("description", origin.string(&dashboard.description));
    }
    out.put("tags", tag.flow([tag.string("telstack"), tag.string(&system.name)]));
    out.put("schemaVersion", doc::fact(FORMAT, &[origin]).int(SCHEMA_VERSION));
    out.put("time", shown.map([("from", shown.string("now-1h")), ("to", shown.string("now"))]));
    out.put("refresh", shown.string("30s"));
    let panels = (0..).zip(&dashboard.panels).map(|(at, it)| panel(at, it, source.as_ref()));
    out.put("panels", origin.block(panels));
    out.finish(origin)
}

fn panel(at: i64, panel: &Panel, source: Option<&Value>) -> Value {
    let origin = &panel.origin;
    let place = doc::chosen("panels stand two in a row, in reading order", origin);
    let form = doc::fact(FORMAT, &[origin]);
    let named = doc::fact("the metrics as the release that is watched names them", &[origin]);
    let mut out = Block::new();
    out.put("id", form.int(at + 1));
    out.put("type", origin.string("timeseries"));
    out.put("title", origin.string(&panel.title));
    if !panel.description.is_empty() {
        out.put("description", origin.string(&panel.description));
    }
    out.put(
        "gridPos",
        place.map([
            ("x", place.int(at % COLUMNS * PANEL_WIDTH)),
            ("y", place.int(at / COLUMNS * PANEL_HEIGHT)),
            ("w", place.int(PANEL_WIDTH)),
            ("h", place.int(PANEL_HEIGHT)),
        ]),
    );
    out.put_some("datasource", source.cloned());
    let mut unit = origin.map([("unit", origin.string(&panel.unit))]);
    unit.mark = form.clone();
    out.put("fieldConfig", form.map([("defaults", unit), ("overrides", form.flow([]))]));
    let target = |(at, query): (usize, &Query)| {
        let mut target = Block::new();
        target.put("refId", form.string(reference(at)));
        target.put_some("datasource", source.cloned());
        target.put("expr", named.string(&query.expr.value));
        if !query.legend.is_empty() {
            target.put("legendFormat", origin.string(&query.legend));
        }
        target.finish(origin)
    };
    out.put("targets", form.block(panel.queries.iter().enumerate().map(target)));
    out.finish(origin)
}

/// `A` … `Z`, `A1` …
fn reference(at: usize) -> String {
    let letter = char::from(b'A' + u8::try_from(at % 26).unwrap_or(0));
    if at < 26 { letter.to_string() } else { format!("{letter}{}", at / 26) }
}

#[cfg(test)]
mod tests {
    use super::reference;
    use crate::testing::{Choice, parsed, part, stack, text, written};

    const SOURCES: &str = "grafana/provisioning/datasources/datasources.yaml";
    const DASHBOARD: &str = "grafana/dashboards/single-node-pipeline-health.json";

    #[test]
    fn dollars_are_doubled_where_grafana_expands_them_and_nowhere_else() {
        let artefacts = written(&stack(&Choice::default()));
        assert!(text(&artefacts, SOURCES).contains("$${__value.raw}"));
        let dashboard = text(&artefacts, DASHBOARD);
        assert!(dashboard.contains("[$__rate_interval]") && !dashboard.contains("$$"));
    }

    #[test]
    fn data_sources_say_no_defaults() {
        let artefacts = written(&stack(&Choice::default()));
        let sources = text(&artefacts, SOURCES);
        assert_eq!(sources.matches("isDefault").count(), 1);
        assert!(!sources.contains("editable") && !sources.contains("secureJsonData"));
    }

    #[test]
    fn a_tenant_is_named_to_the_store() {
        let artefacts = written(&stack(&Choice { tenant: Some("acme"), ..Choice::default() }));
        assert!(text(&artefacts, SOURCES).contains("httpHeaderValue1: acme"));
    }

    #[test]
    fn panels_fill_a_grid_of_two_columns() {
        let artefacts = written(&stack(&Choice::default()));
        let dashboard = parsed(&artefacts, DASHBOARD);
        assert_eq!(part(&dashboard, &["panels", "3", "gridPos"]), r#"{ "x": 12, "y": 8, "w": 12, "h": 8 }"#);
        assert_eq!(part(&dashboard, &["panels", "0", "datasource", "uid"]), "\"prometheus\"");
        let path = text(&artefacts, "grafana/provisioning/dashboards/dashboards.yaml");
        assert!(path.contains("path: /etc/grafana/dashboards\n"), "{path}");
    }

    #[test]
    fn queries_are_lettered() {
        assert_eq!([0, 25, 26].map(reference), ["A", "Z", "A1"]);
    }
}
