//! Reading it.

use std::borrow::Cow;

use sha2::{Digest, Sha256};
use telstack_catalog::product::Product;
use telstack_syntax::tree::Kind;
use telstack_system::{
    Bind, Dashboard, DataSource, Dial, EnvValue, Known, Node, NodeKind, Panel, Protocol, Purpose, Query, SecretRef,
    Sourced, Tls, Value,
    link::{self, Door},
};

use crate::{
    doc,
    folder::{Config, Dialled, Folder},
    reading::{dial, items, text, truth},
};

/// Variables that stand for what Grafana's own configuration file says.
const PROVISIONING: &str = "GF_PATHS_PROVISIONING";
const ADMIN_USER: &str = "GF_SECURITY_ADMIN_USER";
const ADMIN_PASSWORD: &str = "GF_SECURITY_ADMIN_PASSWORD";
const HTTP_PORT: &str = "GF_SERVER_HTTP_PORT";
const PROTOCOL: &str = "GF_SERVER_PROTOCOL";
/// The header that names a tenant.
const TENANT: &str = "X-Scope-OrgID";
/// Panels of a dashboard that are looked through, those in rows included.
const MOST_PANELS: usize = 10_000;

pub(crate) fn read(node: &mut Node, folder: &mut Folder<'_>) -> Vec<Dialled> {
    let variable = |name: &str| {
        let found = node.container.as_ref()?.env.iter().find(|it| it.name == name)?;
        Some(Sourced::new(found.value.clone(), found.origin.clone()))
    };
    let literal = |name: &str| match variable(name)? {
        Sourced { value: EnvValue::Literal(text), origin } => Some(Sourced::new(text, origin)),
        Sourced { value: EnvValue::Required(_) | EnvValue::Field(_), .. } => None,
    };
    let layout = node.version().and_then(|version| Product::Grafana.layout(version));
    let root = literal(PROVISIONING).map(|it| it.value);
    let root = root.unwrap_or_else(|| layout.and_then(|it| it.config_path).unwrap_or_default().to_owned());
    let (user, password) = (literal(ADMIN_USER), variable(ADMIN_PASSWORD));
    let port = literal(HTTP_PORT).and_then(|it| it.value.parse::<u16>().ok());
    let tls = match literal(PROTOCOL).as_ref().map(|it| it.value.as_str()) {
        Some("https" | "h2") => Tls::On,
        _ => Tls::Off,
    };
    let Some(mut container) = node.container.take() else { return Vec::new() };

    let mut sources = Vec::new();
    let mut dialled = Vec::new();
    for document in documents(&mut container, "datasources", &format!("{root}/datasources"), folder) {
        for settings in items(&document, "datasources").iter().filter(|it| it.as_map().is_some()) {
            let source = data_source(settings);
            dialled.extend(query(&source, settings));
            sources.push(source);
        }
    }
    let mut dashboards = Vec::new();
    for document in documents(&mut container, "dashboards", &format!("{root}/dashboards"), folder) {
        for provider in items(&document, "providers") {
            let Some(path) = text(provider, "options.path") else { continue };
            for document in documents(&mut container, "dashboard", &path.value, folder) {
                dashboards.push(dashboard(&document));
            }
        }
    }
    node.container = Some(container);
    if let NodeKind::Viewer(viewer) = &mut node.kind {
        viewer.admin_user = user;
        viewer.admin_password = password.map(|Sourced { value, origin }| match value {
            EnvValue::Literal(text) => Sourced::new(SecretRef::Literal(text), origin),
            EnvValue::Required(secret) => Sourced::new(secret, origin),
            EnvValue::Field(name) => Sourced::new(SecretRef::Env(name), origin),
        });
        viewer.data_sources = sources;
        viewer.dashboards = dashboards;
    }
    if let Some(version) = node.version() {
        node.listeners = link::listeners(node, Product::Grafana, version, |endpoint| {
            let (bind, tls, origin) = (Bind::All, Known::Value(tls), node.origin.clone());
            Some(Door { port: port.unwrap_or(endpoint.port), bind, tls, origin })
        });
    }
    dialled
}

/// The files of a kind below a folder inside, in the order of their names.
fn documents(
    container: &mut telstack_system::Container,
    role: &'static str,
    inside: &str,
    folder: &mut Folder<'_>,
) -> Vec<Value> {
    let endings: &[&str] = if role == "dashboard" { &["json"] } else { &["yaml", "yml"] };
    let wanted = |path: &str| path.rsplit_once('.').is_some_and(|(_, ending)| endings.contains(&ending));
    let seen: Vec<String> = folder.seen(container, inside).into_iter().map(|(path, _)| path).collect();
    let mut found = Vec::new();
    for path in seen.into_iter().filter(|path| wanted(path)) {
        // JSON is YAML too.
        if let Config::Given(Some(document)) = folder.config(container, role, &path) {
            found.push(document);
        }
    }
    found
}

/// What Grafana makes of a text in a provisioning file, where it can be told: `$$` is one `$`, and what else
/// begins with `$` is filled in at run time and stays as it is written.
fn meant(text: &str) -> Cow<'_, str> {
    let halved = text.replace("$$", "");
    if halved.contains('$') || !text.contains('$') { Cow::Borrowed(text) } else { Cow::Owned(text.replace("$$", "$")) }
}

fn data_source(settings: &Value) -> DataSource {
    let settings = doc::map_text(settings, &|text| meant(text).into_owned());
    let of = |key: &str| text(&settings, key).map(|it| it.value);
    let block = |key: &str| match settings.at(key) {
        Some(value) if value.as_map().is_some() => value.clone(),
        _ => Value::map(settings.mark.clone()),
    };
    let name = of("name").unwrap_or_default();
    let json_data = block("jsonData");
    let mut links = Vec::new();
    uids(&json_data, &mut links);
    DataSource {
        uid: of("uid").filter(|it| !it.is_empty()).unwrap_or_else(|| made_up_uid(&name)),
        name,
        ty: of("type").unwrap_or_default(),
        url: of("url").unwrap_or_default(),
        default: truth(&settings, "isDefault").is_some_and(|it| it.value),
        json_data,
        secure_json_data: block("secureJsonData"),
        links,
        origin: settings.mark.clone(),
    }
}

/// The uid that Grafana gives a provisioned data source that has none: it is the same wherever the name is.
/// Source: grafana v8.3.0 `pkg/services/provisioning/datasources/config_reader.go`, `safeUIDFromName`.
fn made_up_uid(name: &str) -> String {
    let digest = Sha256::digest(name.as_bytes());
    digest.iter().take(8).fold("P".to_owned(), |uid, byte| format!("{uid}{byte:02X}"))
}

/// Every `datasourceUid` in a tree.
fn uids(value: &Value, found: &mut Vec<Sourced<String>>) {
    match &value.kind {
        Kind::Seq(seq) => seq.items.iter().for_each(|item| uids(item, found)),
        Kind::Map(map) => {
            for entry in map {
                match entry.value.as_str() {
                    Some(uid) if entry.key == "datasourceUid" => {
                        found.push(Sourced::new(uid.to_owned(), entry.value.mark.clone()));
                    }
                    _ => uids(&entry.value, found),
                }
            }
        }
        _ => {}
    }
}

fn query(source: &DataSource, settings: &Value) -> Option<Dialled> {
    let url = text(settings, "url")?;
    let dial = dial(Protocol::HTTP, &Sourced::new(source.url.clone(), url.origin))?;
    let header = |at: usize| text(&source.json_data, &format!("httpHeaderName{at}"));
    let named = (1..10).find(|at| header(*at).is_some_and(|it| it.value.eq_ignore_ascii_case(TENANT)));
    // The value may be given by other means: then a tenant is named, and nobody can tell which.
    let value = |at: usize| {
        let key = format!("httpHeaderValue{at}");
        text(&source.secure_json_data, &key).map_or_else(|| format!("${{{key}}}"), |it| it.value)
    };
    Some(Dialled { purpose: Purpose::Query, dial: Dial { tenant: named.map(value), ..dial } })
}

fn dashboard(document: &Value) -> Dashboard {
    // Exported dashboards are wrapped.
    let document = document.at("dashboard").filter(|it| it.as_map().is_some()).unwrap_or(document);
    let of = |key: &str| text(document, key).map(|it| it.value).unwrap_or_default();
    let mut data_sources: Vec<Sourced<String>> = Vec::new();
    let mut add = |value: &Value| {
        // Before Grafana 8 it was a name.
        let uid = value.at("datasource.uid").or_else(|| value.at("datasource"));
        let uid = uid.and_then(|it| Some(Sourced::new(it.as_str()?.to_owned(), it.mark.clone())));
        if let Some(uid) = uid.filter(|uid| !data_sources.iter().any(|known| known.value == uid.value)) {
            data_sources.push(uid);
        }
    };
    let mut open: Vec<&Value> = items(document, "panels").iter().rev().collect();
    let mut panels = Vec::new();
    while let Some(panel) = open.pop() {
        if panels.len() >= MOST_PANELS {
            break;
        }
        open.extend(items(panel, "panels").iter().rev());
        let targets = items(panel, "targets");
        add(panel);
        targets.iter().for_each(&mut add);
        if text(panel, "type").is_some_and(|it| it.value == "row") {
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
    Dashboard {
        uid: of("uid"),
        title: of("title"),
        description: of("description"),
        data_sources,
        panels,
        origin: document.mark.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::{made_up_uid, meant};

    #[test]
    fn uids_that_grafana_makes_up() {
        assert_eq!(made_up_uid("Prometheus"), "PBFA97CFB590B2093");
        assert_eq!(made_up_uid("Loki"), "P8E80F9AEF21F6940");
    }

    #[test]
    fn dollars_of_provisioning_files() {
        assert_eq!(meant("$${__value.raw}"), "${__value.raw}");
        assert_eq!(meant("http://loki"), "http://loki");
        assert_eq!(meant("$__file{/a}"), "$__file{/a}");
        assert_eq!(meant("$URL/$$x"), "$URL/$$x");
    }
}
