//! What each tool reads, written from the System, and read into it.
//!
//! One module a tool. `emit` turns its nodes into trees whose every value carries the origin it came from,
//! and the writers of `telstack-syntax` turn those into text: that is how `telstack why` explains any line.
//! `read` goes the other way: the text that somebody wrote, with the place of every value.
//!
//! Invariants: a tool never calls another tool; nothing is decided here that another tool must know of
//! (that is the passes' work); the same System gives the same bytes.

mod alertmanager;
mod alone;
pub mod collector;
mod command;
mod compose;
mod doc;
mod escapes;
mod folder;
mod grafana;
pub mod haproxy;
mod image;
mod jaeger;
mod kafka;
mod kubernetes;
mod launchd;
mod loki;
mod mimir;
mod prometheus;
mod reading;
mod receivers;
mod remark;
mod rule_files;
mod script;
mod sdk;
mod server;
mod template;
mod tempo;
#[cfg(test)]
mod testing;
mod tls;

pub use alone::{Alone, read_alone, read_loose_alone};
pub use compose::files as compose_files;
use folder::{Dialled, Folder};
pub use folder::{Loose, Said, SourceFile, plain_path};
pub use kubernetes::{Generated, ImageChange, Manifests, Patch, without_definitions};
pub use reading::RULES;
pub use sdk::{SdkFormat, sdk_env};
use telstack_catalog::{Signal, SignalSet, product::Product};
use telstack_diagnostics::{Diagnostics, FileId};
use telstack_syntax::Written;
use telstack_system::{
    Bind, Container, Known, Network, Node, NodeKind, Origin, Platform, Protocol, StoreFacet, System, Tls, Value, link,
};
pub use template::is_template;

/// The step behind what is added while files are written, and its one-line reason; the passes come before it.
pub const STEP: (&str, &str) = (doc::STEP, "write each tool's files in that tool's own shape");

/// A file of the output.
#[derive(Clone, Debug)]
pub struct Artefact {
    /// Its path below the output folder, with `/`.
    pub path: String,
    /// Its text, and the origins behind each line.
    pub written: Written<Origin>,
    /// Is it a program?
    pub executable: bool,
    /// What it says as a tree, for a platform that makes it part of another one.
    document: Option<Value>,
}

impl Artefact {
    fn new(path: impl Into<String>, written: Written<Origin>) -> Self {
        Self { path: path.into(), written, executable: false, document: None }
    }
}

/// Writes everything that the tools of a completed System read: the files of each node in the order of
/// nodes, then those of the platform. A node without a container has no files.
pub fn emit(system: &System) -> Vec<Artefact> {
    let mut out = Vec::new();
    for (id, node) in system.nodes() {
        out.extend(match &node.kind {
            NodeKind::Collector(collector) => collector::emit(system, node, collector),
            NodeKind::Store(store) => match &store.facet {
                StoreFacet::Prometheus(facet) => prometheus::emit(system, id, node, facet),
                StoreFacet::Loki(facet) => loki::emit(system, id, node, store, facet),
                StoreFacet::Tempo(_) => tempo::emit(system, node, store),
                // No stack declares it: it is only ever read.
                StoreFacet::Mimir(_) => Vec::new(),
                StoreFacet::Jaeger(storage) => jaeger::emit(system, node, store, storage.as_ref()),
            },
            NodeKind::Viewer(viewer) => grafana::emit(system, node, viewer),
            NodeKind::Alerter(alerter) => alertmanager::emit(system, node, alerter),
            NodeKind::Informer(_) | NodeKind::Proxy(_) | NodeKind::Broker(_) | NodeKind::External(_) => Vec::new(),
        });
    }
    match system.platform.value {
        Platform::Compose => {
            let platform = compose::emit(system, &out);
            out.extend(platform);
        }
        // What containers read becomes part of the manifests; machines outside read theirs.
        Platform::Kubernetes => {
            let machines = || system.nodes().filter_map(|(_, node)| Some((node, node.machine.as_deref()?)));
            let is_outside = |it: &Artefact| machines().any(|(_, machine)| machine.config.path == it.path);
            let (outside, inside): (Vec<Artefact>, Vec<Artefact>) = out.into_iter().partition(is_outside);
            out = kubernetes::emit(system, &inside);
            out.extend(outside);
            out.extend(machines().filter_map(|(node, _)| launchd::emit(system, node)));
        }
    }
    for artefact in &mut out {
        artefact.path = doc::in_place(system, &artefact.path);
    }
    out
}

/// What was read.
#[derive(Debug)]
pub struct Reading {
    /// All of it.
    pub system: System,
    /// Files and folders that are named and were not given, from where all paths start. Asked for again with
    /// those of them that exist, `read` sees more.
    pub wanted: Vec<String>,
    /// The files that are part of it.
    pub used: Vec<FileId>,
    /// Texts of ConfigMaps that no container reads, as far as is known.
    pub loose: Vec<Loose>,
}

/// Reads what the tools of a stack read: the compose file, and the files that its services see. None if there
/// is no compose file among them.
///
/// What was not given or not understood is not known (`System::complete`); everything else is followed to the
/// node that answers.
pub fn read(files: &[SourceFile<'_>], out: &mut Diagnostics) -> Option<System> {
    let compose = compose::find(files)?;
    Some(read_project(files, &[compose.path], Said::default(), out).system)
}

/// The same of the compose project that is made of some of the files: the first one and those that override it.
/// `said` is known of its collectors beyond what the files say.
pub fn read_project(files: &[SourceFile<'_>], project: &[&str], said: Said, out: &mut Diagnostics) -> Reading {
    let of_project: Vec<&SourceFile<'_>> =
        project.iter().filter_map(|path| files.iter().find(|file| file.path == *path)).collect();
    let first = project.first().copied().unwrap_or_default();
    let base = first.rsplit_once('/').map_or("", |(folder, _)| folder).to_owned();
    let mut folder = Folder::new(files, base, out);
    folder.said = said;
    let system = compose::read(&of_project, &mut folder);
    completed(system, folder)
}

/// The same of Kubernetes manifests that are applied together.
pub fn read_manifests(files: &[SourceFile<'_>], manifests: &Manifests, said: Said, out: &mut Diagnostics) -> Reading {
    let mut folder = Folder::new(files, String::new(), out);
    folder.said = said;
    let system = kubernetes::read(manifests, files, &mut folder);
    completed(system, folder)
}

/// Reads what each node is configured with, and follows everything that is dialled.
fn completed(mut system: System, mut folder: Folder<'_>) -> Reading {
    system.from_files = true;
    let mut calls = Vec::new();
    for id in system.node_ids() {
        let node = system.node_mut(id);
        collector::adopt(node, &mut folder);
        kafka::adopt(node);
        let dialled = read_node(node, &mut folder);
        if let Some(Container { network: Network::Other(_), .. }) = &node.container {
            // Whom others reach by which name, nobody can tell.
            node.listeners.clear();
        }
        calls.extend(dialled.into_iter().map(|Dialled { purpose, dial }| link::Call {
            purpose,
            from: id,
            signals: SignalSet::of(if dial.protocol == Protocol::REMOTE_WRITE { &[Signal::Metrics] } else { &[] }),
            dial,
            pipelines: Vec::new(),
        }));
    }
    system.complete = folder.complete && !folder.out.has_errors();
    calls.extend(link::telemetry(&system));
    calls.extend(link::scrapes(&system));
    kubernetes::finish(&mut system);
    calls.extend(link::programs(&system));
    let loose = folder.loose().filter(|_| system.cluster.is_some()).map(Loose::of).collect();
    let (wanted, used) = (folder.wanted.into_iter().collect(), folder.used.into_iter().collect());
    link::connect(&mut system, calls);
    link::forward(&mut system);
    Reading { system, wanted, used, loose }
}

/// Reads the files of a node. What it dials, as they say.
fn read_node(node: &mut Node, folder: &mut Folder<'_>) -> Vec<Dialled> {
    match node.product() {
        Some(Product::Otelcol) => collector::read_node(node, folder),
        Some(Product::Prometheus) => prometheus::read(node, folder),
        Some(Product::Loki) => loki::read(node, folder),
        Some(Product::Tempo) => tempo::read(node, folder),
        Some(Product::Mimir) => mimir::read(node, folder),
        Some(Product::Jaeger) => jaeger::read(node, folder),
        Some(Product::Grafana) => grafana::read(node, folder),
        Some(Product::Alertmanager) => alertmanager::read(node, folder),
        Some(Product::Haproxy) => haproxy::read(node, folder),
        Some(Product::KubeStateMetrics) => informer(node),
        None => Vec::new(),
    }
}

/// What shows metrics of what it watches listens where its image says: one that is told otherwise is none of these.
fn informer(node: &mut Node) -> Vec<Dialled> {
    if let Some((product, version)) = node.product().zip(node.version()) {
        let origin = node.origin.clone();
        node.listeners = link::listeners(node, product, version, |endpoint| {
            let (bind, tls) = (Bind::All, Known::Value(Tls::Off));
            Some(link::Door { port: endpoint.port, bind, tls, origin: origin.clone() })
        });
    }
    Vec::new()
}

#[cfg(test)]
mod tests {
    use crate::testing::{Choice, stack, written};

    #[test]
    fn every_file_is_written_once_and_the_same_each_time() {
        let system = stack(&Choice::default());
        let first = written(&system);
        let mut paths: Vec<&str> = first.iter().map(|artefact| artefact.path.as_str()).collect();
        for (one, two) in first.iter().zip(written(&system)) {
            assert_eq!(one.written.text, two.written.text);
        }
        let count = paths.len();
        paths.sort_unstable();
        paths.dedup();
        assert_eq!(paths.len(), count);
    }

    #[test]
    fn what_a_service_mounts_is_what_is_written() {
        let system = stack(&Choice::default());
        let artefacts = written(&system);
        for file in system.nodes().filter_map(|(_, node)| node.container.as_ref()).flat_map(|it| &it.files) {
            assert!(artefacts.iter().any(|artefact| artefact.path == file.path), "{} is not written", file.path);
        }
    }

    #[test]
    fn headers_name_the_stack_and_how_to_ask() {
        for artefact in written(&stack(&Choice::default())).iter().filter(|it| it.path.ends_with("ml")) {
            let text = &artefact.written.text;
            assert!(text.contains("from the stack \"single-node\""), "{}", artefact.path);
            assert!(text.contains(&format!("`telstack why {}:LINE`", artefact.path)), "{}", artefact.path);
        }
    }
}
