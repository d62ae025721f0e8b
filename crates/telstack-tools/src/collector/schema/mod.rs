//! The JSON Schema of a whole configuration, of one release in one distribution.
//!
//! It takes whatever that collector takes, as far as the catalog knows: where a collector converts, the schema
//! does not complain, and run time may fill in anything. What needs several places of the text (names that are
//! declared nowhere, limits that depend on each other) is left to `telstack check`.

mod scalars;
mod settings;

use serde_json::{Map, Value, json};
use telstack_catalog::{
    ComponentKind, Distribution, Signal, Version,
    otelcol::{self, Component, Presence, Required, SettingsNode},
};

use self::{scalars::Scalars, settings::Settings};

/// The section that joins the others.
const SERVICE: &str = "service";
/// The key in it that holds the pipelines.
const PIPELINES: &str = "pipelines";
/// The key in it that switches extensions on.
const EXTENSIONS: &str = "extensions";

type Keywords = Map<String, Value>;

/// The JSON Schema (draft 2020-12) of a collector's configuration.
pub fn schema(version: Version, distribution: Distribution) -> Value {
    let scalars = Scalars::of(version);
    let mut components: Vec<Component> = Vec::new();
    for kind in ComponentKind::ALL {
        let here = |it: &Component| it.presence(distribution, version) == Presence::Present;
        components.extend(otelcol::components(*kind).filter(here));
    }
    let service = otelcol::service_settings(version);
    let trees = components.iter().filter_map(|it| it.settings(version)).chain([service.clone()]);
    let mut settings = Settings::new(&scalars, trees);
    let mut defs = Keywords::new();
    for component in &components {
        defs.insert(key(*component), one(*component, version, &mut settings));
    }
    let mut sections = Keywords::new();
    for kind in ComponentKind::ALL {
        let here = components.iter().filter(|it| it.kind() == *kind);
        sections.insert(kind.section().to_owned(), section(*kind, here, version, distribution));
    }
    sections.insert(SERVICE.to_owned(), service_section(&service, &mut settings));
    defs.extend(settings.into_defs());
    defs.extend(scalars.into_defs());
    defs.sort_keys();
    let wanted = [ComponentKind::Receiver.section(), ComponentKind::Exporter.section(), SERVICE];
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": format!("{} {version}", distribution.binary()),
        "description": format!("The configuration of an OpenTelemetry Collector, {version} in the distribution {distribution}."),
        "type": "object",
        "properties": sections,
        "additionalProperties": false,
        "required": wanted,
        "$defs": defs,
    })
}

/// The name of a component's definition.
fn key(component: Component) -> String {
    format!("{}.{}", component.kind(), component.newest_name())
}

/// The settings of a component, with what must be set.
fn one(component: Component, version: Version, settings: &mut Settings<'_>) -> Value {
    let mut schema = Keywords::from_iter([("description".to_owned(), Value::String(about(component, version)))]);
    if is_deprecated(component, version) {
        schema.insert("deprecated".to_owned(), json!(true));
    }
    let Some(tree) = component.settings(version) else { return Value::Object(schema) };
    schema.extend(settings.root(&tree));
    let wanted: Vec<Value> = component.required(version).iter().filter_map(|it| demand(it, &tree)).collect();
    if !wanted.is_empty() {
        // Without a body nothing is set.
        schema.extend(Scalars::given_map());
        schema.insert("allOf".to_owned(), Value::Array(wanted));
    }
    Value::Object(schema)
}

fn is_deprecated(component: Component, version: Version) -> bool {
    component.deprecated_since().is_some_and(|since| since <= version)
}

/// What a component is, in a line.
fn about(component: Component, version: Version) -> String {
    let kind = component.kind();
    let mut text = format!("{kind} `{}`", component.name_at(version));
    if let Some(signals) = component.signals(version).filter(|it| !it.is_empty()) {
        text += &format!(" for {signals}");
    }
    if is_deprecated(component, version)
        && let Some(other) = component.replacement()
    {
        text += &format!("; use `{}`", other.name);
    }
    if component.settings(version).is_none() {
        text += "; its settings are not known to telstack";
    }
    text
}

/// What must be set, as a schema of the component's body; none if this release does not know the setting.
fn demand(required: &Required, tree: &SettingsNode) -> Option<Value> {
    let paths = match required {
        Required::All(path) => vec![*path],
        Required::OneOf(paths) => paths.clone(),
    };
    let mut ways: Vec<Value> = paths.into_iter().filter(|path| tree.at(path).is_some()).map(given).collect();
    match ways.len() {
        0 | 1 => ways.pop(),
        _ => Some(json!({"anyOf": ways})),
    }
}

/// Something stands at the path, in every element of the lists on the way.
fn given(path: &str) -> Value {
    let (key, rest) = path.split_once('.').unwrap_or((path, ""));
    let (key, list) = key.strip_suffix("[]").map_or((key, false), |key| (key, true));
    if rest.is_empty() {
        return json!({"required": [key]});
    }
    let below = if list { json!({"items": given(rest)}) } else { given(rest) };
    json!({"required": [key], "properties": {key: below}})
}

/// Keys that are a type with a name behind a slash.
fn named(ty: &str) -> String {
    format!(r"^\s*{ty}\s*/")
}

/// Keys with blanks, which the collector takes away.
const BLANKS: &str = r"^[^/]*\s";

fn section<'a>(
    kind: ComponentKind,
    components: impl Iterator<Item = &'a Component>,
    version: Version,
    distribution: Distribution,
) -> Value {
    let (mut known, mut patterns) = (Keywords::new(), Keywords::new());
    for component in components {
        let newest = component.name_at(version);
        for name in component.names() {
            if component.name_presence(name, distribution, version) != Presence::Present {
                continue;
            }
            let mut schema = json!({"$ref": format!("#/$defs/{}", key(*component))});
            if let (Some(schema), true) = (schema.as_object_mut(), name != newest) {
                schema.insert("deprecated".to_owned(), json!(true));
                schema.insert("description".to_owned(), json!(format!("an old name of {kind} `{newest}`")));
            }
            known.insert(name.to_owned(), schema.clone());
            patterns.insert(named(name), schema);
        }
    }
    known.sort_keys();
    patterns.sort_keys();
    patterns.insert(BLANKS.to_owned(), json!(true));
    let wanted = matches!(kind, ComponentKind::Receiver | ComponentKind::Exporter);
    let mut section = if wanted { Scalars::given_map() } else { Scalars::map() };
    section.insert("properties".to_owned(), Value::Object(known));
    section.insert("patternProperties".to_owned(), Value::Object(patterns));
    section.insert("additionalProperties".to_owned(), json!(false));
    if wanted {
        section.insert("minProperties".to_owned(), json!(1));
    }
    Value::Object(section)
}

fn service_section(tree: &SettingsNode, settings: &mut Settings<'_>) -> Value {
    let mut known = Keywords::new();
    for (key, node) in &tree.children {
        let schema = match &**key {
            PIPELINES => pipelines(node),
            EXTENSIONS => Value::Object(Scalars::ids()),
            _ => settings.node(node),
        };
        known.insert(key.to_string(), schema);
    }
    let mut section = Scalars::given_map();
    section.insert("properties".to_owned(), Value::Object(known));
    section.insert("additionalProperties".to_owned(), json!(false));
    section.insert("required".to_owned(), json!([PIPELINES]));
    Value::Object(section)
}

fn pipelines(tree: &SettingsNode) -> Value {
    let mut pipeline = Scalars::given_map();
    let ends = [ComponentKind::Receiver.section(), ComponentKind::Exporter.section()];
    let keys = tree.item.iter().flat_map(|it| it.children.keys());
    let lists: Keywords = keys
        .map(|key| {
            let mut list = Scalars::ids();
            if ends.contains(&&**key) {
                list.insert("type".to_owned(), json!(["array", "string"]));
                list.insert("minItems".to_owned(), json!(1));
            }
            (key.to_string(), Value::Object(list))
        })
        .collect();
    pipeline.insert("properties".to_owned(), Value::Object(lists));
    pipeline.insert("additionalProperties".to_owned(), json!(false));
    pipeline.insert("required".to_owned(), json!(ends));
    let pipeline = Value::Object(pipeline);
    let signals: Vec<&str> = Signal::ALL.iter().map(|it| it.as_str()).collect();
    let known: Keywords = signals.iter().map(|signal| ((*signal).to_owned(), pipeline.clone())).collect();
    let mut all = Scalars::given_map();
    all.insert("minProperties".to_owned(), json!(1));
    all.insert("properties".to_owned(), Value::Object(known));
    let patterns = json!({(named(&format!("({})", signals.join("|")))): pipeline, (BLANKS): true});
    all.insert("patternProperties".to_owned(), patterns);
    all.insert("additionalProperties".to_owned(), json!(false));
    Value::Object(all)
}
