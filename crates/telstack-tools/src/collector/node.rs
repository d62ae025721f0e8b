//! Reading the configuration of a collector that runs in a container: which files it is told to read, in which
//! environment, in which release.

use std::rc::Rc;

use telstack_catalog::{Distribution, otelcol, product::Product};
use telstack_diagnostics::FileId;
use telstack_syntax::{tree::Kind, yaml};
use telstack_system::{
    Collector, Container, EnvValue, MountSource, Node, NodeKind, Origin, Sourced, Value, expansion, passes,
};

use super::{
    environment::filled,
    read::{Configuration, Extent, Lists, Runs, nothing_is_known},
    replaced,
};
use crate::{
    command,
    folder::{Config, Dialled, Folder, Piece},
    remark::{Remark, remark},
};

/// The flag that names a configuration, and the one that sets a single value.
const CONFIG: &str = "config";
const SET: &str = "set";
/// Flags of vendors' distributions that bring more of a configuration. Source: signalfx/splunk-otel-collector
/// `internal/settings`.
const OF_VENDORS: [&str; 3] = ["discovery", "configd", "config-dir"];
/// The flag that switches on what is not on by itself.
const GATES: &str = "feature-gates";

/// Reads the configuration of a node that runs a collector, as its command line names it.
pub(crate) fn read_node(node: &mut Node, folder: &mut Folder<'_>) -> Vec<Dialled> {
    let named: Vec<(String, Origin)> = flags(node, CONFIG);
    let mut sets: Vec<(String, Origin)> = flags(node, SET);
    let more = OF_VENDORS.iter().any(|flag| command::flags(node).iter().any(|(name, ..)| name == flag));
    if more {
        // Settings of that too.
        sets.clear();
    }
    let gates = flags(node, GATES);
    // `+name` is on as well, `-name` is off.
    let mut gates = gates.iter().flat_map(|(names, _)| names.split(','));
    let appends = gates.any(|name| name.trim_start_matches('+') == replaced::APPENDS);
    let lists = if appends { Lists::Appended } else { Lists::Replaced };
    let own = || command::config_path(node, CONFIG).map(|path| (path, node.origin.clone())).into_iter().collect();
    let named = if named.is_empty() { own() } else { named };
    // Nobody says which of the files it is given is read.
    let given: Vec<(String, Origin)> = if named.is_empty() { given(node, folder) } else { Vec::new() };
    let guessed = !given.is_empty();
    let named = if guessed { given } else { named };
    let said = folder.said;
    let (Some(container), NodeKind::Collector(collector)) = (&mut node.container, &mut node.kind) else {
        return Vec::new();
    };
    let mut documents = Vec::new();
    let mut told = Remark::default();
    let mut all = !named.is_empty() && !guessed && !more;
    for (name, _) in &named {
        match document(name, container, &mut told, folder) {
            Config::Given(document) => documents.extend(document),
            // Another provider's, the image's own, not given, or no YAML.
            Config::Elsewhere | Config::Own => all = false,
        }
    }
    if let Some(version) = told.version.filter(|_| said.version.is_none()) {
        node.version = Some(version);
    }
    if let Some(distribution) = told.distribution.filter(|_| said.distribution.is_none()) {
        collector.distribution = distribution;
        collector.gaps.distribution = false;
    }
    let version = node.version.as_ref().map(|it| it.value);
    // Old releases are the more lenient.
    let runs = Runs {
        distribution: collector.distribution.clone(),
        certain: !collector.gaps.distribution,
        version: version.unwrap_or_else(|| Product::Otelcol.oldest()),
        operated: container.pod.as_ref().is_some_and(|it| it.operated),
    };
    if documents.is_empty() && !all {
        nothing_is_known(collector);
        return Vec::new();
    }
    let defaults = version.is_some_and(|version| otelcol::env_expansion(version).defaults);
    for document in &mut documents {
        *document = filled(document, container, defaults);
    }
    documents.extend(sets.iter().filter_map(|(text, origin)| set(text, origin)));
    let extent = if all { Extent::Whole } else { Extent::Part };
    let start = documents.first().and_then(|it| it.mark.span()).or_else(|| container.files.first()?.origin.span());
    let merged = Configuration::of_documents(documents, start, lists, folder.out);
    **collector = merged.collector(runs, extent, folder.out);
    if let Some(version) = version.filter(|_| all) {
        node.listeners = passes::collector_listeners(collector, version);
    }
    Vec::new()
}

/// The document of one `--config`.
fn document(name: &str, container: &mut Container, told: &mut Remark, folder: &mut Folder<'_>) -> Config {
    let piece = if let Some(variable) = name.strip_prefix("env:") {
        of_variable(variable, container, folder)
    } else {
        let Some(path) = command::of_provider(name) else { return Config::Elsewhere };
        let path = path.strip_prefix("./").unwrap_or(path);
        let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
        folder.take(container, CONFIG, &path)
    };
    let Some(piece) = piece else { return Config::Elsewhere };
    told.extend(remark(piece.file, &piece.text, piece.place, folder.out));
    folder.config_of(&piece)
}

/// A configuration that a variable of the container holds.
fn of_variable<'a>(name: &str, container: &Container, folder: &mut Folder<'a>) -> Option<Rc<Piece<'a>>> {
    let variable = container.env.iter().find(|it| it.name == name)?;
    let EnvValue::Literal(text) = &variable.value else { return None };
    folder.embed_variable(name, &Value::string(text.clone(), variable.origin.clone()))
}

/// The values of a flag that is given once or more.
fn flags(node: &Node, wanted: &str) -> Vec<(String, Origin)> {
    let words = node.container.as_ref().map(|it| it.command.as_slice()).unwrap_or_default();
    let origin = |at: usize| words.get(at).map_or_else(|| node.origin.clone(), |it| it.origin.clone());
    let given = command::flags(node).into_iter().filter(|(name, ..)| name == wanted);
    given.filter_map(|(_, value, at)| Some((value?, origin(at)))).collect()
}

/// `processors.batch.timeout=2s` as a document.
fn set(text: &str, origin: &Origin) -> Option<Value> {
    let (path, value) = text.split_once('=')?;
    let leaf = Value { kind: Kind::plain(value), mark: origin.clone() };
    let keys = if path.contains("::") { path.split("::").collect::<Vec<_>>() } else { path.split('.').collect() };
    Some(keys.into_iter().rev().fold(leaf, |value, key| origin.map([(key, value)])))
}

/// What is said of all collectors goes for this one; and a container of an image that nobody knows, which is
/// given a collector's configuration, is a collector.
pub(crate) fn adopt(node: &mut Node, folder: &mut Folder<'_>) {
    let said = folder.said;
    let told = |what: &str| Origin::builtin("check", format!("whoever asked said which {what} runs"), &[]);
    if node.product().is_none()
        && let Some(container) = &node.container
        && runs_a_collector(node, container, folder)
    {
        let place = container.image.origin.clone();
        let mut collector = Collector::new(Sourced::new(Distribution::Contrib, place));
        collector.gaps.distribution = true;
        node.kind = NodeKind::Collector(Box::new(collector));
    }
    if let Some(version) = said.unnamed.filter(|_| names_no_release(node)) {
        node.version = Some(Sourced::new(version, told("release")));
    }
    let NodeKind::Collector(collector) = &mut node.kind else { return };
    if let Some(version) = said.version {
        node.version = Some(Sourced::new(version, told("release")));
    }
    if let Some(distribution) = said.distribution {
        collector.distribution = Sourced::new(distribution, told("distribution"));
        collector.gaps.distribution = false;
    }
}

/// Does an image that is known name no release of its collector, but whatever there is, such as `latest`? A digest and
/// what run time fills in stand for one that somebody chose.
pub fn names_no_release(node: &Node) -> bool {
    let (Some(collector), Some(container)) = (node.collector(), &node.container) else { return false };
    let tag = &container.base.as_ref().unwrap_or(&container.image).value.tag;
    let chosen = tag.contains(':') || tag.is_empty() || expansion::is_unsettled(tag);
    node.version.is_none() && !collector.gaps.distribution && !chosen
}

fn runs_a_collector(node: &Node, container: &Container, folder: &mut Folder<'_>) -> bool {
    let mut paths: Vec<String> = flags(node, CONFIG).into_iter().map(|(path, _)| path).collect();
    if paths.is_empty() {
        paths = Distribution::ALL.iter().filter_map(|it| it.container(otelcol::newest())?.default_config).collect();
    }
    paths.iter().any(|path| {
        let Some(path) = command::of_provider(path) else { return false };
        let seen = folder.seen(container, path);
        seen.into_iter().any(|(inside, piece)| inside == path && is_a_collectors(&piece.text, piece.file))
    }) || !given(node, folder).is_empty()
}

/// The files of a container of an unknown image that look like a collector's configuration, one by one, not
/// those in whole folders.
fn given(node: &Node, folder: &mut Folder<'_>) -> Vec<(String, Origin)> {
    let Some(container) = node.container.as_ref().filter(|it| it.gaps.files) else { return Vec::new() };
    let yaml = |path: &str| [".yaml", ".yml"].iter().any(|ending| path.ends_with(ending));
    let mounts = container
        .mounts
        .iter()
        .filter(|it| matches!(it.source, MountSource::Bind(_) | MountSource::Handed(_)) && yaml(&it.target));
    let mut found = Vec::new();
    for mount in mounts {
        let seen = folder.seen(container, &mount.target);
        let piece = seen.into_iter().find(|(inside, _)| *inside == mount.target);
        if piece.is_some_and(|(_, piece)| is_a_collectors(&piece.text, piece.file)) {
            found.push((mount.target.clone(), mount.origin.clone()));
        }
    }
    found
}

/// Does a text look like a collector's configuration, whatever may be wrong with it?
fn is_a_collectors(text: &str, file: FileId) -> bool {
    let Ok(documents) = yaml::read(file, text) else { return false };
    let Some(map) = documents.first().and_then(|it| it.as_map()) else { return false };
    let pipelines = map.get("service").is_some_and(|it| it.at("pipelines").is_some());
    pipelines || map.contains("receivers") && map.contains("exporters")
}
