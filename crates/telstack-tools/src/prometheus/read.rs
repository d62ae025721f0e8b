//! Reading it.

use telstack_catalog::{otelcol, product::Product};
use telstack_system::{
    AlertRule, Bind, Container, Dial, Flag, Known, NamedFiles, Node, Origin, Protocol, Purpose, ScrapeJob, Settings,
    Sourced, Store, Tls, Value, expansion, glob,
    link::{self, Address, Door},
    units::{Bytes, Period},
};

use crate::{
    command,
    folder::{self, Config, Dialled, Folder},
    reading::{self, dial, items, period, text, truth},
    rule_files, server,
};

/// Flags that say where files are: the container knows them.
const PLACES: [&str; 3] = ["config.file", "storage.tsdb.path", "web.config.file"];
/// How much older than the newest a sample may be.
const OUT_OF_ORDER: &str = "storage.tsdb.out_of_order_time_window";
/// How the names of files end that were looked for.
const READ: [&str; 4] = [".yml", ".yaml", ".json", ".rules"];
/// What a scrape asks for where nothing else is said.
const METRICS_PATH: &str = "/metrics";

/// The role of files of rules.
const RULES: &str = "rules";
/// The role of files of targets, and the setting of a job that names them.
const TARGETS: &str = "targets";
const DISCOVERED: &str = "file_sd_configs";
/// Settings that name files, with the role of those that are read.
const NAMED: [(&str, Option<&str>); 2] = [("rule_files", Some(RULES)), ("scrape_config_files", None)];

/// The flag that says where it listens.
const LISTEN: &str = "web.listen-address";

pub(crate) fn read(node: &mut Node, folder: &mut Folder<'_>) -> Vec<Dialled> {
    let path = command::config_path(node, "config.file").unwrap_or_default();
    let all = command::flags(node);
    let web = command::flag(node, "web.config.file");
    let listen = command::flag(node, LISTEN);
    let prefix = prefix(node);
    let data = command::flag(node, "storage.tsdb.path");
    let config = folder.config_for(node, "config.file").known();
    let mut dialled = Vec::new();
    let known = config.is_ok();
    let document = config.ok().flatten();
    let (mut alerts, mut recorded) = (Vec::new(), Vec::new());
    let Some(mut container) = node.container.take() else {
        if let Some(piece) = folder.by_itself(RULES)
            && let Config::Given(Some(rules)) = folder.config_in(node, RULES, &piece)
        {
            rule_files::read(&rules, &mut alerts, &mut recorded);
        }
        let declared = node.origin.clone();
        if let Some(store) = node.store_mut() {
            facet(store, document.as_ref(), Vec::new(), alerts, &declared);
            if let Some(facet) = store.prometheus_mut() {
                facet.recorded = recorded;
            }
        }
        return dialled;
    };
    let mut named = Vec::new();
    for (setting, role) in NAMED {
        for value in document.as_ref().map(|it| items(it, setting)).unwrap_or_default() {
            let Some((files, paths)) = named_by(value, setting, &path, &container, folder) else { continue };
            named.push(files);
            let Some(role) = role else { continue };
            for inside in paths {
                let Ok(piece) = folder.piece(&mut container, role, &inside) else { continue };
                if let Config::Given(Some(rules)) = folder.config_in(node, role, &piece) {
                    rule_files::read(&rules, &mut alerts, &mut recorded);
                }
            }
        }
    }
    let jobs = document.as_ref().map(|it| items(it, "scrape_configs")).unwrap_or_default();
    let mut from_files: Vec<Vec<Sourced<String>>> = Vec::new();
    for job in jobs.iter().filter(|it| it.as_map().is_some()) {
        let mut targets = Vec::new();
        for value in items(job, DISCOVERED).iter().flat_map(|it| items(it, "files")) {
            let Some((files, paths)) = named_by(value, DISCOVERED, &path, &container, folder) else { continue };
            named.push(NamedFiles { comes_later: true, ..files });
            for inside in paths {
                if let Config::Given(Some(groups)) = folder.config(&mut container, TARGETS, &inside) {
                    targets.extend(discovered(&groups));
                }
            }
        }
        from_files.push(targets);
    }
    let tls = web.map(|path| match folder.config(&mut container, "web", &absolute("/", &path)) {
        Config::Given(Some(document)) => reading::server_tls(document.at("tls_server_config")),
        Config::Given(None) => Known::Value(Tls::Off),
        Config::Elsewhere | Config::Own => Known::Unknown,
    });
    let words = container.command.clone();
    let origin = container.origin.clone();
    node.container = Some(container);

    let flags: Vec<Flag> = all
        .into_iter()
        .filter(|(name, ..)| !PLACES.contains(&name.as_str()))
        .map(|(name, value, at)| Flag {
            name,
            value,
            origin: words.get(at).map_or_else(|| origin.clone(), |it| it.origin.clone()),
        })
        .collect();
    let own_data = folder::own_data_path(Product::Prometheus, node).map(str::to_owned);
    let declared = node.origin.clone();
    if let Some(store) = node.store_mut() {
        let of = |name: &str| {
            let flag = flags.iter().rev().find(|flag| flag.name == name)?;
            Some(Sourced::new(flag.value.clone()?, flag.origin.clone()))
        };
        store.retention =
            of("storage.tsdb.retention.time").and_then(|it| Some(Sourced::new(Period::parse(&it.value)?, it.origin)));
        store.size = of("storage.tsdb.retention.size").and_then(|it| Some(Sourced::new(size(&it.value)?, it.origin)));
        store.data_path = data.or(own_data).map(|path| Sourced::new(path, origin.clone()));
        facet(store, document.as_ref(), flags, alerts, &declared);
        if let Some(facet) = store.prometheus_mut() {
            for (job, targets) in facet.jobs.iter_mut().zip(from_files) {
                job.targets.extend(targets);
            }
            facet.named_files = named;
            facet.sends_alerts = known.then(|| document.as_ref().is_some_and(sends_alerts));
            facet.recorded = recorded;
        }
    }
    if let Some(document) = &document {
        alert_managers(document, &mut dialled);
        dialled.extend(reading::remote_writes(items(document, "remote_write")));
    }
    if let Some(facet) = node.store().and_then(Store::prometheus) {
        for (job, settings) in facet.jobs.iter().zip(jobs.iter().filter(|it| it.as_map().is_some())) {
            dialled.extend(scrapes(job, settings).filter(|it| !node.answers_to(&it.dial.host)));
        }
    }
    if let Some(facet) = node.store_mut().and_then(|it| it.prometheus_mut()) {
        let home = |it: &&Dialled| {
            [Purpose::Scrape, Purpose::Alert].contains(&it.purpose) && Bind::parse(&it.dial.host) == Bind::Loopback
        };
        facet.dials_home = dialled.iter().filter(home).map(|it| (it.purpose, it.dial.clone())).collect();
    }
    let listens = listen.as_deref().is_none_or(|it| !expansion::is_unsettled(it));
    if let Some(version) = node.version().filter(|_| known && listens) {
        let (host, port) = listen.as_deref().and_then(|it| it.rsplit_once(':')).unwrap_or(("", ""));
        let (bind, port) = (Bind::parse(host), port.parse::<u16>().ok());
        let tls = tls.unwrap_or(Known::Value(Tls::Off));
        let origin = command::flag_origin(node, LISTEN).unwrap_or(&node.origin).clone();
        node.listeners = link::listeners(node, Product::Prometheus, version, |endpoint| {
            Some(Door { port: port.unwrap_or(endpoint.port), bind: bind.clone(), tls, origin: origin.clone() })
        });
        for listener in &mut node.listeners {
            server::below(listener, &prefix);
        }
    }
    dialled
}

/// What one pattern stands for, and the paths of the files that it fits.
fn named_by(
    value: &Value,
    setting: &'static str,
    config: &str,
    container: &Container,
    folder: &mut Folder<'_>,
) -> Option<(NamedFiles, Vec<String>)> {
    // Two stars are one: it looks into no folders below.
    let pattern = absolute(config, &value.as_str()?.replace("**", "*"));
    let fixed = pattern.find(['*', '?', '[']).map_or(pattern.as_str(), |at| &pattern[..at]);
    let start = fixed.rsplit_once('/').map_or("/", |(start, _)| start).to_owned();
    let seen = folder.seen(container, &start).into_iter().map(|(inside, _)| inside);
    let paths: Vec<String> = seen.filter(|inside| glob::matches(&pattern, inside)).collect();
    // Files of other names were not looked at.
    let plain = !pattern.contains(['[', '{', '\\', '$']) && READ.iter().any(|it| pattern.ends_with(it));
    let sure = plain && folder.knows(container, &start);
    let there = (!paths.is_empty()).then_some(true).or(sure.then_some(false));
    let path = Sourced::new(pattern, value.mark.clone());
    Some((NamedFiles { setting, path, there, comes_later: false }, paths))
}

/// The targets that a file lists. Those whose labels say where they are in another way are passed over.
fn discovered(groups: &Value) -> Vec<Sourced<String>> {
    let plain = |group: &&Value| {
        let labels = group.at("labels").and_then(Value::as_map);
        labels.is_none_or(|labels| labels.iter().all(|it| !it.key.starts_with("__")))
    };
    let groups = groups.as_seq().unwrap_or_default().iter().filter(plain);
    let targets = groups.flat_map(|it| items(it, "targets"));
    targets.filter_map(|it| Some(Sourced::new(it.as_str()?.to_owned(), it.mark.clone()))).collect()
}

/// The path that everything it answers is below: as a flag says, else that of the address that others know it by.
fn prefix(node: &Node) -> String {
    if let Some(prefix) = command::flag(node, "web.route-prefix") {
        return prefix;
    }
    let url = command::flag(node, "web.external-url").unwrap_or_default();
    // Where run time decides it, so it does the path.
    if expansion::is_unsettled(&url) || url.starts_with('/') {
        return url;
    }
    Address::parse(&url).filter(|it| !it.scheme.is_empty()).map(|it| it.path).unwrap_or_default()
}

fn facet(store: &mut Store, document: Option<&Value>, flags: Vec<Flag>, alerts: Vec<AlertRule>, origin: &Origin) {
    let Some(facet) = store.prometheus_mut() else { return };
    facet.flags = flags;
    facet.alerts = alerts;
    let Some(document) = document else { return };
    facet.out_of_order = match document.at(OUT_OF_ORDER) {
        Some(_) => period(document, OUT_OF_ORDER),
        None => Some(Sourced::new(Period::from_secs(0), origin.clone())),
    };
    facet.scrape_interval = period(document, "global.scrape_interval");
    facet.external_labels =
        document.at("global.external_labels").and_then(Value::as_map).cloned().unwrap_or_else(Settings::default);
    facet.jobs = items(document, "scrape_configs").iter().filter(|it| it.as_map().is_some()).map(job).collect();
}

fn job(settings: &Value) -> ScrapeJob {
    let origin = settings.mark.clone();
    let targets = items(settings, "static_configs").iter().flat_map(|it| items(it, "targets"));
    let target = |it: &Value| Some(Sourced::new(it.as_str()?.to_owned(), it.mark.clone()));
    let name = text(settings, "job_name");
    ScrapeJob {
        named: name.as_ref().map(|it| it.origin.clone()),
        name: name.map(|it| it.value).unwrap_or_default(),
        targets: targets.filter_map(target).collect(),
        path: text(settings, "metrics_path").map_or_else(|| METRICS_PATH.to_owned(), |it| it.value),
        honor_labels: truth(settings, "honor_labels").filter(|it| it.value).map(|it| it.origin),
        ca: text(settings, "tls_config.ca_file"),
        discovery: discovery(settings),
        origin,
    }
}

/// How it asks the API of the cluster for targets, if it does.
fn discovery(settings: &Value) -> Settings {
    let mut found = Settings::default();
    let asks = otelcol::discovery().block.as_str();
    if settings.at(asks).is_some() {
        for key in [asks, "relabel_configs"] {
            if let Some(value) = settings.at(key) {
                found.set(key, value.clone());
            }
        }
    }
    found
}

fn scrapes<'a>(job: &'a ScrapeJob, settings: &'a Value) -> impl Iterator<Item = Dialled> + 'a {
    let scheme = text(settings, "scheme").map_or_else(|| "http".to_owned(), |it| it.value);
    // Targets may be renamed before they are dialled.
    let renamed = !items(settings, "relabel_configs").is_empty();
    job.targets.iter().filter(move |_| !renamed).filter_map(move |target| {
        let address = Sourced::new(format!("{scheme}://{}", target.value), target.origin.clone());
        let dial = Dial { path: job.path.clone(), ..dial(Protocol::EXPOSITION, &address)? };
        Some(Dialled { purpose: Purpose::Scrape, dial })
    })
}

/// Is anybody named whom alerts are sent to, in whichever way?
fn sends_alerts(document: &Value) -> bool {
    match document.at("alerting.alertmanagers") {
        Some(all) => all.as_seq().is_none_or(|it| !it.is_empty()),
        None => document.at("alerting").is_some_and(|it| it.as_str().is_some()),
    }
}

fn alert_managers(document: &Value, dialled: &mut Vec<Dialled>) {
    for manager in items(document, "alerting.alertmanagers") {
        let scheme = text(manager, "scheme").map_or_else(|| "http".to_owned(), |it| it.value);
        let prefix = text(manager, "path_prefix").map(|it| it.value).unwrap_or_default();
        for target in items(manager, "static_configs").iter().flat_map(|it| items(it, "targets")) {
            let Some(host) = target.as_str() else { continue };
            let address = Sourced::new(format!("{scheme}://{host}{prefix}"), target.mark.clone());
            dialled.extend(dial(Protocol::HTTP, &address).map(|dial| Dialled { purpose: Purpose::Alert, dial }));
        }
    }
}

/// Paths are relative to the file that names them.
fn absolute(file: &str, path: &str) -> String {
    if path.starts_with('/') {
        return path.to_owned();
    }
    let folder = file.rsplit_once('/').map_or("", |(folder, _)| folder);
    format!("{folder}/{}", path.trim_start_matches("./"))
}

/// Prometheus's sizes are powers of two: `40GB`, `512MB`, `100B`.
fn size(text: &str) -> Option<Bytes> {
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let shift = match &text[digits..] {
        "B" => 0,
        "KB" => 10,
        "MB" => 20,
        "GB" => 30,
        "TB" => 40,
        "PB" => 50,
        "EB" => 60,
        _ => return None,
    };
    text[..digits].parse::<u64>().ok()?.checked_mul(1_u64 << shift).map(Bytes::new)
}
