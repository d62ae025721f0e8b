//! What a file is, by what stands in it. Only the keys at the start of lines and those right below them are
//! looked at, so that a file with a mistake in its YAML is still recognised.

mod collector;
mod outline;

use std::path::Path;

use telstack_catalog::product::Product;
use telstack_diagnostics::SourceMap;
use telstack_syntax::yaml;

pub(super) use collector::{MANIFEST, is_section, is_whole};
use outline::{Keys, Top};

/// What a file is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FileKind {
    /// A stack description.
    Stack,
    /// The whole configuration of an OpenTelemetry Collector.
    Collector,
    /// A part of one, which another file completes.
    Fragment,
    /// A docker compose file.
    Compose,
    /// Kubernetes manifests.
    Kubernetes,
    /// The configuration of a product other than the collector.
    Config(Product),
    /// Rules of Prometheus, or of Loki, which look alike.
    AlertRules,
    /// Data sources that Grafana is given.
    DataSources,
    /// Where Grafana finds its dashboards.
    DashboardProviders,
    /// A dashboard of Grafana.
    Dashboard,
    /// Grafana's own configuration.
    GrafanaIni,
    /// Something that is known by sight but not read, in words.
    Other(&'static str),
    /// Nothing that telstack knows.
    Unknown,
}

/// Endings of names that only stack descriptions have.
const STACK_ENDINGS: [&str; 3] = [".stack.kdl", ".stack.yaml", ".stack.yml"];
/// Keys of a collector's configuration beside its kinds of components.
const SERVICE: &str = "service";
/// Keys of a compose service, one of which gives it away.
const SERVICE_KEYS: [&str; 9] =
    ["image", "build", "extends", "container_name", "command", "environment", "env_file", "volumes", "ports"];
/// What holds the objects of a list in Kubernetes.
const ITEMS: &str = "items";
/// All keys of a Prometheus configuration.
const PROMETHEUS: [&str; 11] = [
    "global",
    "runtime",
    "rule_files",
    "scrape_configs",
    "scrape_config_files",
    "alerting",
    "remote_write",
    "remote_read",
    "storage",
    "tracing",
    "otlp",
];
/// Extensions of Jaeger 2, which is built from the collector's parts.
const JAEGER: [&str; 2] = ["jaeger_storage", "jaeger_query"];
/// What a rule of Prometheus or Loki has.
const RULE_KEYS: [&str; 3] = ["alert", "record", "expr"];
/// Sections of grafana.ini, two of which give it away.
const GRAFANA_INI: [&str; 9] =
    ["server", "database", "security", "users", "auth", "auth.anonymous", "paths", "analytics", "dashboards"];
/// Settings of grafana.ini one of which gives it away in the section `security`.
const GRAFANA_SECURITY: [&str; 3] = ["admin_user", "admin_password", "admin_email"];
/// First words of sections of haproxy.cfg.
const HAPROXY: [&str; 5] = ["global", "defaults", "frontend", "backend", "listen"];

/// What a file is, by its content; only stack descriptions and Alloy's go by their names.
pub fn kind(path: &Path, text: &str) -> FileKind {
    let name = path.to_string_lossy();
    if is_named_a_stack(path) {
        return FileKind::Stack;
    }
    if name.ends_with(".alloy") || name.ends_with(".river") {
        return FileKind::Other("a configuration of Alloy");
    }
    let keys = Keys::of(text);
    let known = if is_kustomization(path) { FileKind::Kubernetes } else { of_keys(path, text, &keys) };
    if known != FileKind::Unknown {
        return known;
    }
    if is_haproxy(text) {
        return FileKind::Config(Product::Haproxy);
    }
    if is_grafana_ini(path, text) {
        return FileKind::GrafanaIni;
    }
    if name.ends_with(".kdl") { FileKind::Stack } else { FileKind::Unknown }
}

/// Kustomizations need not say what they are.
pub(super) fn is_kustomization(path: &Path) -> bool {
    let name = path.file_name().and_then(|it| it.to_str());
    matches!(name, Some("kustomization.yaml" | "kustomization.yml" | "Kustomization"))
}

/// Has a file a name that only stacks have?
pub(super) fn is_named_a_stack(path: &Path) -> bool {
    let name = path.to_string_lossy();
    STACK_ENDINGS.iter().any(|ending| name.ends_with(ending))
}

/// May a file of that name be something that is checked? Names do not decide what it is, but nobody writes
/// YAML into a picture.
pub(super) fn may_be_read(path: &Path) -> bool {
    const ENDINGS: [&str; 10] = ["yaml", "yml", "json", "cfg", "conf", "config", "ini", "alloy", "river", "rules"];
    if is_named_a_stack(path) {
        return true;
    }
    match path.extension().and_then(|it| it.to_str()) {
        Some(ending) => ENDINGS.contains(&ending.to_ascii_lowercase().as_str()),
        None => true,
    }
}

fn of_keys(path: &Path, text: &str, keys: &Keys<'_>) -> FileKind {
    let has = |key: &str| keys.top(key).is_some();
    let below = |key: &str, inner: &str| keys.top(key).is_some_and(|top| top.keys.contains(&inner));
    if has("apiVersion") && has("kind") {
        return FileKind::Kubernetes;
    }
    let config = FileKind::Config;
    if below("extensions", JAEGER[0]) || below("extensions", JAEGER[1]) {
        return config(Product::Jaeger);
    }
    if has("receivers") && has("route") {
        return config(Product::Alertmanager);
    }
    if let Some(known) = collector::of_keys(path, text, keys) {
        return known;
    }
    // Others have lists of that name.
    let services = keys.top("services").is_some_and(|it| {
        let others = keys.tops.iter().any(|it| !is_compose_key(it.key));
        !(it.is_list || others && it.keys.contains(&ITEMS) && lists_items(text))
            && it.deeper.iter().any(|key| SERVICE_KEYS.contains(key))
    });
    if services || has("include") && keys.tops.iter().all(|it| is_compose_key(it.key)) {
        return FileKind::Compose;
    }
    if collector::is_fragment(keys) {
        return FileKind::Fragment;
    }
    let mostly = |product: Product| {
        let Some(level) = product.settings() else { return true };
        let others = keys.tops.iter().filter(|it| level.setting(it.key).is_none()).count();
        others * 3 <= keys.tops.len()
    };
    if below("ingester", "lifecycler") && has("blocks_storage")
        || below("distributor", "shard_by_all_labels")
        || below("storage", "engine") && has("distributor")
    {
        return FileKind::Other("a configuration of Cortex");
    }
    if (has("blocks_storage") || has("multitenancy_enabled") && has("limits")) && mostly(Product::Mimir) {
        return config(Product::Mimir);
    }
    let loki = has("schema_config") || has("limits_config") && (has("common") || has("ruler") || has("compactor"));
    if loki && mostly(Product::Loki) {
        return config(Product::Loki);
    }
    // Values of its chart have the same words, and others beside.
    if (below("storage", "trace") || below("distributor", "receivers")) && mostly(Product::Tempo) {
        return config(Product::Tempo);
    }
    let of_prometheus = ["scrape_configs", "rule_files", "remote_write", "remote_read"];
    let prometheus = of_prometheus.iter().any(|key| has(key)) || below("global", "scrape_interval");
    if prometheus && keys.tops.iter().all(|it| PROMETHEUS.contains(&it.key)) {
        return config(Product::Prometheus);
    }
    let are_rules = |it: &Top<'_>| {
        let holds = |key: &&str| it.deeper.contains(key) || it.keys.contains(key);
        it.is_list && holds(&"rules") && RULE_KEYS.iter().any(holds)
    };
    if keys.top("groups").is_some_and(are_rules) && !has("apiVersion") {
        return FileKind::AlertRules;
    }
    let of_list = |key: &str, inner: &str| {
        keys.top(key).is_some_and(|it| it.is_list && (it.keys.contains(&inner) || it.deeper.contains(&inner)))
    };
    if of_list("datasources", "type") {
        return FileKind::DataSources;
    }
    if of_list("providers", "path") || of_list("providers", "options") {
        return FileKind::DashboardProviders;
    }
    if has("panels") && (has("schemaVersion") || has("templating")) {
        return FileKind::Dashboard;
    }
    FileKind::Unknown
}

/// Are `services` objects of Kubernetes, such as tests write them down?
fn lists_items(text: &str) -> bool {
    let Ok(documents) = yaml::read(SourceMap::default().add("", ""), text) else { return false };
    let items = documents.first().and_then(|it| it.at("services")?.at(ITEMS));
    items.is_some_and(|it| it.as_seq().is_some())
}

fn is_compose_key(key: &str) -> bool {
    ["version", "name", "include", "services", "volumes", "networks", "configs", "secrets"].contains(&key)
        || key.starts_with("x-")
}

fn is_haproxy(text: &str) -> bool {
    let first = |line: &str| line.split_whitespace().next().unwrap_or_default().to_owned();
    let sections = text.lines().filter(|line| !line.starts_with([' ', '\t', '#']));
    let section = sections.map(first).any(|word| HAPROXY.contains(&word.as_str()));
    let inside = text.lines().filter(|line| line.starts_with([' ', '\t'])).map(first);
    section
        && inside.filter(|word| ["bind", "server", "mode", "balance", "timeout"].contains(&word.as_str())).count() > 1
}

fn is_grafana_ini(path: &Path, text: &str) -> bool {
    let section = |line: &str| line.trim().strip_prefix('[').and_then(|it| it.strip_suffix(']')).map(str::to_owned);
    let sections: Vec<String> = text.lines().filter_map(section).collect();
    let known = sections.iter().filter(|name| GRAFANA_INI.contains(&name.as_str())).count();
    let named = path.file_name().is_some_and(|it| it == "grafana.ini");
    let key = |line: &str| line.split_once('=').map(|(key, _)| key.trim().to_owned());
    let secured = || text.lines().filter_map(key).any(|key| GRAFANA_SECURITY.contains(&key.as_str()));
    let enough = known > 1 || known > 0 && (named || sections.iter().any(|it| it == "security") && secured());
    enough && text.contains('=')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is(text: &str) -> FileKind {
        kind(Path::new("f.yaml"), text)
    }

    #[test]
    fn lists_of_services_are_no_compose_file() {
        for text in [
            "services: [docker]\nimage: x\n",
            "services:\n- name: a\n  image: x\n  spec:\n    ports: [80]\n",
            "services:\n  - type: web\n    image: x\n    run:\n      command: y\n",
            "{\"services\": [{\"a\": {\"image\": \"x\"}}]}",
            "routes:\n  items: []\nservices:\n  items:\n  - spec: {ports: [{port: 80}]}\n  metadata: {}\n",
        ] {
            assert_eq!(is(text), FileKind::Unknown, "{text}");
        }
        assert_eq!(is("services:\n  a:\n    image: x\n"), FileKind::Compose);
        // A service may be called like that, and be written wrong.
        assert_eq!(is("x: 1\nservices:\n  items:\n    image: x\n"), FileKind::Compose);
        assert_eq!(is("services:\n  items:\n  - image: x\n    ports: [80]\n"), FileKind::Compose);
        assert_eq!(is("{\"services\": {\"a\": {\"image\": \"x\"}}}"), FileKind::Compose);
    }

    #[test]
    fn compose_files() {
        for text in [
            "services:\n  a:\n    image: x\n",
            "version: '3'\nx-a: &a {}\nservices:\n  a: {image: x}\n",
            "services: {a: {build: .}}\n",
            "include:\n  - a.yml\n",
        ] {
            assert_eq!(is(text), FileKind::Compose, "{text}");
        }
        for text in [
            "services:\n  - postgres\n",
            "services:\n  App\\Kernel:\n    autowire: true\n",
            "include:\n  - local: a\njobs:\n",
        ] {
            assert_eq!(is(text), FileKind::Unknown, "{text}");
        }
    }

    #[test]
    fn products() {
        let product = FileKind::Config;
        assert_eq!(
            is("global:\n  scrape_interval: 15s\nscrape_configs:\n- job_name: x\n"),
            product(Product::Prometheus)
        );
        assert_eq!(is("server:\npositions:\nclients:\nscrape_configs:\n"), FileKind::Unknown);
        assert_eq!(is("route:\n  receiver: x\nreceivers:\n- name: x\n"), product(Product::Alertmanager));
        assert_eq!(is("auth_enabled: false\nschema_config:\n  configs:\n"), product(Product::Loki));
        assert_eq!(is("server:\nstorage:\n  trace:\n    backend: local\n"), product(Product::Tempo));
        assert_eq!(is("storage:\n  trace:\n    backend: s3\ntraces:\n  x: 1\nminio:\n  x: 1\n"), FileKind::Unknown);
        assert_eq!(is("multitenancy_enabled: false\nlimits:\n  a: 1\n"), product(Product::Mimir));
        assert_eq!(is("extensions:\n  jaeger_storage:\nreceivers:\nexporters:\n"), product(Product::Jaeger));
        assert_eq!(is("groups:\n- name: a\n  rules:\n  - alert: x\n"), FileKind::AlertRules);
        assert_eq!(is("groups:\n  - name: a\n    rules:\n      - record: x\n"), FileKind::AlertRules);
        assert_eq!(is("apiVersion: 1\ndatasources:\n  - name: a\n    type: loki\n"), FileKind::DataSources);
        assert_eq!(is("apiVersion: 1\ndatasources: [{name: a, type: loki}]\n"), FileKind::DataSources);
        assert_eq!(is("providers:\n- name: a\n  options:\n    path: /x\n"), FileKind::DashboardProviders);
        assert_eq!(is(r#"{"panels": [], "schemaVersion": 3}"#), FileKind::Dashboard);
        assert_eq!(is("apiVersion: v1\nkind: Pod\n"), FileKind::Kubernetes);
        assert_eq!(is("datasources:\n  - {name: Loki, type: loki, url: 'http://loki:3100'}\n"), FileKind::DataSources);
        assert_eq!(is("providers:\n- {name: a, options: {path: /x}}\n"), FileKind::DashboardProviders);
        assert_eq!(is("groups:\n- {name: a, rules: [{alert: X, expr: up}]}\n"), FileKind::AlertRules);
        for text in [
            "groups: [admin]\n",
            "groups:\n  - rules:\n      - matches:\n          - namespaces: [{exact: a}]\nname: deny\n",
            "groups:\n  - name: a\n    rules:\n      - services: [x]\n",
        ] {
            assert_eq!(is(text), FileKind::Unknown, "{text}");
        }
        let mimir = "target: all\nblocks_storage:\n  backend: filesystem\ningester:\n  ring:\n    kvstore:\n";
        assert_eq!(is(mimir), product(Product::Mimir));
        let cortex = FileKind::Other("a configuration of Cortex");
        assert_eq!(is(&mimir.replace("ring:", "lifecycler:")), cortex);
        assert_eq!(is(&format!("distributor:\n  shard_by_all_labels: true\n{mimir}")), cortex);
    }

    #[test]
    fn other_forms() {
        let of = |name: &str, text: &str| kind(Path::new(name), text);
        let haproxy = "global\n  maxconn 5\nfrontend x\n  bind :80\n  mode tcp\n";
        assert_eq!(of("haproxy.cfg", haproxy), FileKind::Config(Product::Haproxy));
        assert_eq!(of("setup.cfg", "[metadata]\nname = x\n"), FileKind::Unknown);
        assert_eq!(of("g.ini", "[server]\nhttp_port = 1\n[security]\n"), FileKind::GrafanaIni);
        assert_eq!(of("g.ini", "[security]\nadmin_password = admin\n"), FileKind::GrafanaIni);
        assert_eq!(of("grafana/grafana.ini", "[server]\nhttp_port = 1\n"), FileKind::GrafanaIni);
        assert_eq!(of("other.ini", "[server]\nhttp_port = 1\n"), FileKind::Unknown);
        assert_eq!(of("other.ini", "[security]\nlevel = 1\n"), FileKind::Unknown);
        assert_eq!(of("a.alloy", ""), FileKind::Other("a configuration of Alloy"));
        assert_eq!(of("a.stack.yaml", "receivers:\nexporters:\n"), FileKind::Stack);
        assert_eq!(of("README", "Services: a list\n"), FileKind::Unknown);
        assert!(may_be_read(Path::new("a/config")) && !may_be_read(Path::new("a.png")));
    }
}
