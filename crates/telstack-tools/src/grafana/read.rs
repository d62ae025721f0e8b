//! Reading it.

use std::{borrow::Cow, collections::BTreeSet};

use sha2::{Digest, Sha256};
use telstack_catalog::product::Product;
use telstack_syntax::tree::Kind;
use telstack_system::{
    AskingAlert, Bind, Container, DashboardFolder, DataSource, Dial, EnvValue, EnvVar, Known, Node, NodeKind, Protocol,
    Purpose, SecretRef, Sourced, Tls, Value,
    link::{self, Door},
};

use super::{dashboard, ini::Ini};
use crate::{
    doc,
    folder::{Config, Dialled, Folder},
    reading::{TENANT, dial, items, text, truth},
};

/// Settings of its configuration file, by section and key. A variable goes before each.
const PROVISIONING: (&str, &str) = ("paths", "provisioning");
const ADMIN_USER: (&str, &str) = ("security", "admin_user");
const ADMIN_PASSWORD: (&str, &str) = ("security", "admin_password");
const NO_ADMIN: (&str, &str) = ("security", "disable_initial_admin_creation");
const NO_FORM: (&str, &str) = ("auth", "disable_login_form");
const BASIC: (&str, &str) = ("auth.basic", "enabled");
const HTTP_PORT: (&str, &str) = ("server", "http_port");
const PROTOCOL: (&str, &str) = ("server", "protocol");
const ANONYMOUS: (&str, &str) = ("auth.anonymous", "enabled");
const ANONYMOUS_ROLE: (&str, &str) = ("auth.anonymous", "org_role");
/// As what visitors are taken if nothing else is said.
const VISITOR: &str = "Viewer";
/// The variable that names its configuration file, and where that is by itself.
const CONFIG: &str = "GF_PATHS_CONFIG";
const OWN_CONFIG: &str = "/etc/grafana/grafana.ini";
/// The roles of its files.
const INI: &str = "ini";
const DATA_SOURCES: &str = "datasources";
const ALERTING: &str = "alerting";
const PROVIDERS: &str = "dashboards";
const DASHBOARD: &str = "dashboard";
pub(crate) fn read(node: &mut Node, folder: &mut Folder<'_>) -> Vec<Dialled> {
    let layout = node.version().and_then(|version| Product::Grafana.layout(version));
    let given = Given::of(node, folder);
    let root = given.literal(PROVISIONING).map(|it| it.value);
    let root = root.unwrap_or_else(|| layout.and_then(|it| it.config_path).unwrap_or_default().to_owned());
    let (user, password) = (given.literal(ADMIN_USER), given.secret(ADMIN_PASSWORD));
    let says = |setting, word: &str| given.literal(setting).is_some_and(|it| it.value.eq_ignore_ascii_case(word));
    let no_passwords = says(NO_ADMIN, "true") || says(NO_FORM, "true") && says(BASIC, "false");
    let port = given.literal(HTTP_PORT).and_then(|it| it.value.parse::<u16>().ok());
    let tls = match given.literal(PROTOCOL).as_ref().map(|it| it.value.as_str()) {
        Some("https" | "h2") => Tls::On,
        _ => Tls::Off,
    };
    let anonymous = given
        .literal(ANONYMOUS)
        .filter(|it| it.value.eq_ignore_ascii_case("true"))
        .map(|on| given.literal(ANONYMOUS_ROLE).unwrap_or_else(|| Sourced::new(VISITOR.to_owned(), on.origin)));

    // The first one is meant where none is named.
    let mut organisations = BTreeSet::from(["1".to_owned()]);
    let mut sources = Vec::new();
    let mut dialled = Vec::new();
    for document in documents(node, DATA_SOURCES, &format!("{root}/datasources"), folder) {
        for settings in items(&document, "datasources").iter().filter(|it| it.as_map().is_some()) {
            let source = data_source(settings, &given.variables);
            organisations.extend(text(settings, "orgId").map(|it| it.value));
            dialled.extend(query(&source));
            sources.push(source);
        }
    }
    let (mut dashboards, mut folders) = (Vec::new(), Vec::new());
    for document in documents(node, PROVIDERS, &format!("{root}/dashboards"), folder) {
        for provider in items(&document, "providers") {
            let Some(path) = text(provider, "options.path") else { continue };
            organisations.extend(text(provider, "orgId").map(|it| it.value));
            let Some(container) = &mut node.container else { continue };
            // Looking at them takes their mounts away.
            let known = folder.knows(container, &path.value) && path.value.starts_with('/');
            let exists = path.value.starts_with(&root) || container.mount_of(&path.value).is_some();
            let found = files(container, DASHBOARD, &path.value, folder);
            let holds = (known && !path.value.contains('$') || !found.is_empty()).then_some(found.len());
            folders.push(DashboardFolder { exists: exists || !found.is_empty(), holds, path });
            for inside in found {
                dashboards.extend(folder.json_file(container, DASHBOARD, &inside).as_ref().map(dashboard::read));
            }
        }
    }
    let alerts = documents(node, ALERTING, &format!("{root}/alerting"), folder);
    let alerts = alerts.iter().flat_map(|it| asking_alerts(it, &given.variables)).collect();
    if let NodeKind::Viewer(viewer) = &mut node.kind {
        viewer.asking_alerts = alerts;
        viewer.admin_user = user;
        viewer.admin_password = password;
        viewer.no_passwords = no_passwords;
        viewer.data_sources = sources;
        viewer.dashboards = dashboards;
        viewer.dashboard_folders = folders;
        viewer.anonymous = anonymous;
        viewer.several_organisations = organisations.len() > 1;
    }
    if let Some(version) = node.version() {
        node.listeners = link::listeners(node, Product::Grafana, version, |endpoint| {
            let (bind, tls, origin) = (Bind::All, Known::Value(tls), node.origin.clone());
            Some(Door { port: port.unwrap_or(endpoint.port), bind, tls, origin })
        });
    }
    dialled
}

/// What variables and the configuration file say.
struct Given {
    variables: Vec<EnvVar>,
    file: Ini,
}

impl Given {
    fn of(node: &mut Node, folder: &mut Folder<'_>) -> Self {
        let variables = node.container.as_ref().map(|it| it.env.clone()).unwrap_or_default();
        let path = variables.iter().rev().find(|it| it.name == CONFIG).map(|it| it.value.clone());
        let piece = match (&mut node.container, path) {
            (None, _) => folder.by_itself(INI),
            (Some(container), None) => folder.piece(container, INI, OWN_CONFIG).ok(),
            (Some(container), Some(EnvValue::Literal(path))) => folder.piece(container, INI, &path).ok(),
            (Some(_), Some(EnvValue::Required(_) | EnvValue::Field(_))) => None,
        };
        if let Some(piece) = &piece {
            folder.release_of(node, piece);
        }
        Self { variables, file: piece.map(|it| Ini::read(&it)).unwrap_or_default() }
    }

    /// A value, if it is known: a variable goes before the file.
    fn value(&self, (section, key): (&str, &str)) -> Option<Sourced<EnvValue>> {
        let name = format!("GF_{section}_{key}").to_ascii_uppercase().replace(['.', '-'], "_");
        if let Some(it) = self.variables.iter().find(|it| it.name == name) {
            return Some(Sourced::new(it.value.clone(), it.origin.clone()));
        }
        let Sourced { value, origin } = self.file.get(section, key)?.clone();
        let filled = ["$__env{", "${"].iter().find_map(|start| value.strip_prefix(start)?.strip_suffix('}'));
        Some(Sourced::new(
            match filled {
                Some(variable) => EnvValue::Required(SecretRef::Env(variable.to_owned())),
                // It is in a file of its own, or a store of secrets.
                None if value.starts_with("$__") => EnvValue::Required(SecretRef::Env(name)),
                None => EnvValue::Literal(value),
            },
            origin,
        ))
    }

    fn literal(&self, setting: (&str, &str)) -> Option<Sourced<String>> {
        match self.value(setting)? {
            Sourced { value: EnvValue::Literal(text), origin } => Some(Sourced::new(text, origin)),
            Sourced { value: EnvValue::Required(_) | EnvValue::Field(_), .. } => None,
        }
    }

    fn secret(&self, setting: (&str, &str)) -> Option<Sourced<SecretRef>> {
        Some(match self.value(setting)? {
            Sourced { value: EnvValue::Literal(text), origin } => Sourced::new(SecretRef::Literal(text), origin),
            Sourced { value: EnvValue::Required(secret), origin } => Sourced::new(secret, origin),
            Sourced { value: EnvValue::Field(name), origin } => Sourced::new(SecretRef::Env(name), origin),
        })
    }
}

/// The paths of files of a kind below a folder inside, in their order.
fn files(container: &Container, role: &str, inside: &str, folder: &mut Folder<'_>) -> Vec<String> {
    let endings: &[&str] = if role == DASHBOARD { &["json"] } else { &["yaml", "yml"] };
    let wanted = |path: &String| path.rsplit_once('.').is_some_and(|(_, ending)| endings.contains(&ending));
    folder.seen(container, inside).into_iter().map(|(path, _)| path).filter(wanted).collect()
}

/// The files of a kind below a folder inside, in the order of their names.
fn documents(node: &mut Node, role: &'static str, inside: &str, folder: &mut Folder<'_>) -> Vec<Value> {
    let Some(mut container) = node.container.take() else {
        let found = folder.by_itself(role).map(|piece| folder.config_in(node, role, &piece));
        return found.and_then(|it| it.known().ok().flatten()).into_iter().collect();
    };
    let mut found = Vec::new();
    for path in files(&container, role, inside, folder) {
        let Ok(piece) = folder.piece(&mut container, role, &path) else { continue };
        if let Config::Given(Some(document)) = folder.config_in(node, role, &piece) {
            found.push(document);
        }
    }
    node.container = Some(container);
    found
}

/// What Grafana makes of a text in a provisioning file, where it can be told: `$$` is one `$`, and what else
/// begins with `$` is filled in at run time and stays as it is written.
fn meant(text: &str) -> Cow<'_, str> {
    let halved = text.replace("$$", "");
    if halved.contains('$') || !text.contains('$') { Cow::Borrowed(text) } else { Cow::Owned(text.replace("$$", "$")) }
}

/// A text with the variables filled in whose values are known; the others stay as they are written.
fn filled(text: &str, variables: &[EnvVar]) -> String {
    const FROM_ENV: &str = "__env{";
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        let behind = &rest[at + 1..];
        let braced = |start: &str| {
            let inner = behind.strip_prefix(start)?;
            let name = &inner[..inner.find('}')?];
            Some((name, start.len() + name.len() + 1))
        };
        let end = behind.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(behind.len());
        let (name, length) = braced(FROM_ENV).or_else(|| braced("{")).unwrap_or((&behind[..end], end));
        let value = variables.iter().rev().find(|it| it.name == name).and_then(|it| match &it.value {
            EnvValue::Literal(value) if !value.contains('$') => Some(value),
            _ => None,
        });
        // Of `$$` each half stays.
        let length = if behind.starts_with('$') { 1 } else { length };
        match value {
            Some(value) => out.push_str(value),
            None => out.push_str(&rest[at..=at + length]),
        }
        rest = &behind[length..];
    }
    out + rest
}

fn data_source(settings: &Value, variables: &[EnvVar]) -> DataSource {
    let named = |text: &str| meant(&filled(text, variables)).into_owned();
    let name = text(settings, "name").map(|it| named(&it.value)).unwrap_or_default();
    let uid = text(settings, "uid").map(|it| named(&it.value)).filter(|it| !it.is_empty());
    let mut links = Vec::new();
    settings.at("jsonData").into_iter().for_each(|it| uids(it, &mut links));
    links.extend(items(settings, "correlations").iter().filter_map(|it| text(it, "targetUID")));
    for link in &mut links {
        link.value = named(&link.value);
    }
    let settings = doc::map_text(settings, &|text| meant(text).into_owned());
    let of = |key: &str| text(&settings, key).map(|it| it.value);
    let block = |key: &str| match settings.at(key) {
        Some(value) if value.as_map().is_some() => value.clone(),
        _ => Value::map(settings.mark.clone()),
    };
    DataSource {
        uid_written: uid.is_some(),
        uid: uid.unwrap_or_else(|| made_up_uid(&name)),
        name,
        ty: of("type").unwrap_or_default(),
        url: text(&settings, "url").unwrap_or_else(|| Sourced::new(String::new(), settings.mark.clone())),
        by_browser: of("access").is_some_and(|it| it == "direct"),
        default: truth(&settings, "isDefault").is_some_and(|it| it.value),
        json_data: block("jsonData"),
        secure_json_data: block("secureJsonData"),
        links,
        origin: settings.mark.clone(),
    }
}

/// The alerts of a file of alerting, and what they ask.
fn asking_alerts(document: &Value, variables: &[EnvVar]) -> Vec<AskingAlert> {
    let asked = |query: &Value| {
        let Sourced { value, origin } = text(query, "datasourceUid")?;
        let uid = meant(&filled(&value, variables)).into_owned();
        Some((Sourced::new(uid, origin), text(query, "model.datasource.type").map(|it| it.value)))
    };
    let rules = items(document, "groups").iter().flat_map(|group| items(group, "rules"));
    rules
        .map(|rule| AskingAlert {
            title: text(rule, "title").map(|it| it.value).unwrap_or_default(),
            data_sources: items(rule, "data").iter().filter_map(asked).collect(),
        })
        .collect()
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

fn query(source: &DataSource) -> Option<Dialled> {
    let dial = dial(Protocol::HTTP, &source.url).filter(|_| !source.by_browser)?;
    let header = |at: usize| text(&source.json_data, &format!("httpHeaderName{at}"));
    let named = (1..10).find(|at| header(*at).is_some_and(|it| it.value.eq_ignore_ascii_case(TENANT)));
    // The value may be given by other means: then a tenant is named, and nobody can tell which.
    let value = |at: usize| {
        let key = format!("httpHeaderValue{at}");
        text(&source.secure_json_data, &key).map_or_else(|| format!("${{{key}}}"), |it| it.value)
    };
    Some(Dialled { purpose: Purpose::Query, dial: Dial { tenant: named.map(value), ..dial } })
}

#[cfg(test)]
mod tests {
    use telstack_system::{EnvValue, EnvVar, Origin};

    use super::{filled, made_up_uid, meant};

    #[test]
    fn variables_whose_values_are_known() {
        let variable = |name: &str, value: &str| {
            EnvVar::new(name, EnvValue::Literal(value.into()), Origin::builtin("test", "made by hand", &[]))
        };
        let known = [variable("UID", "prom"), variable("ODD", "a$b")];
        for (text, says) in [
            ("$UID", "prom"),
            ("a-${UID}-b", "a-prom-b"),
            ("$__env{UID}", "prom"),
            ("$UIDS", "$UIDS"),
            ("${OTHER}", "${OTHER}"),
            ("$__file{/a}", "$__file{/a}"),
            ("$ODD", "$ODD"),
            ("$$UID", "$$UID"),
            ("${UID", "${UID"),
            ("é$", "é$"),
        ] {
            assert_eq!(filled(text, &known), says);
        }
    }

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
