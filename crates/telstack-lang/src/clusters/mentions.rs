//! `to "hub/gateway"`: what a cluster sends to another, at what the other exposes.

use std::collections::BTreeMap;

use telstack_catalog::{ComponentKind, SignalSet, otelcol};
use telstack_diagnostics::{Diagnostic, Diagnostics, Span};
use telstack_syntax::stack::{Atom, Node as Line, Scalar};

use telstack_system::{ComponentId, Exposure, Origin, Remote};

use super::{Environment, Member};
use crate::{
    codes, exposure,
    external::ALL,
    names::did_you_mean,
    placement::Placed,
    stack::name_of,
    words::{signal, text},
};

/// A node of a cluster that others may send to, if it is exposed.
#[derive(Clone, Debug)]
pub(crate) struct Exposed {
    /// How, if it is.
    exposure: Option<Exposure>,
    /// Does a line say how that means nothing, which is reported there?
    is_broken: bool,
    /// What its pipelines take in that others send.
    signals: SignalSet,
    /// Its namespace.
    namespace: String,
    /// Where it is declared.
    head: Span,
}

/// What a cluster reaches in another one.
#[derive(Debug)]
pub(crate) struct Reached {
    /// Cluster and node.
    pub name: String,
    /// What it is there.
    pub remote: Remote,
    /// What it takes.
    pub signals: SignalSet,
    /// Where it is first sent to.
    pub mention: Span,
}

const COLLECTOR: &str = "collector";
const EXPOSE: &str = "expose";

/// The collectors of all clusters by cluster and name. Of a stack in which nothing is exposed, none: nobody is
/// reached then, and a fleet is not gone through twice.
pub(super) fn exposed(environment: &Environment) -> BTreeMap<(String, String), Exposed> {
    let mut found = BTreeMap::new();
    let has = |lines: &[Line]| lines.iter().any(has_exposed);
    let in_all = has(environment.stack.children()) || environment.templates.values().any(|it| has(it.children()));
    for member in &environment.members {
        let Some(cluster) = &member.name else { continue };
        if !in_all && !has(&member.lines) {
            continue;
        }
        let line = environment.lines_of(member, &mut Diagnostics::default());
        let placed = Placed::read(&line, &Origin::written(line.head()), &mut Diagnostics::default());
        for line in line.children().iter().filter(|it| it.name.value == COLLECTOR) {
            let expose = line.children().iter().find(|it| it.name.value == EXPOSE);
            let exposure = expose.and_then(exposure::of);
            let is_broken = expose.is_some() && exposure.is_none();
            let namespace = placed.namespace_of(line).map(|it| it.value).unwrap_or_default();
            let node = Exposed { exposure, is_broken, signals: taken(line), namespace, head: line.head() };
            found.insert((cluster.value.clone(), name_of(line).to_owned()), node);
        }
    }
    found
}

/// The signals of the pipelines that begin with what takes OTLP; all where that is not known, or reported elsewhere.
fn taken(collector: &Line) -> SignalSet {
    let lines = |line: &'_ Line, word: &str| -> Vec<Line> {
        line.children().iter().filter(|it| it.name.value == word).cloned().collect()
    };
    let mut found = SignalSet::EMPTY;
    for pipeline in lines(collector, "pipeline") {
        let mut from = lines(&pipeline, "from").into_iter().flat_map(|it| it.args);
        if from.any(|it| text(&it).is_some_and(|it| ComponentId::parse(it).ty == exposure::RECEIVER)) {
            for it in pipeline.args.iter().filter_map(|it| Some(signal(it)?.0)) {
                found.insert(it);
            }
        }
    }
    if found.is_empty() || collector.is_incomplete() { ALL } else { found }
}

fn has_exposed(line: &Line) -> bool {
    line.name.value == EXPOSE || line.children().iter().any(has_exposed)
}

/// What the lines of a cluster send to others. Mentions of its own nodes lose the name of the cluster.
pub(super) fn resolve(
    environment: &Environment,
    own: Option<&str>,
    line: &mut Line,
    out: &mut Diagnostics,
) -> Vec<Reached> {
    let mut reached: Vec<Reached> = Vec::new();
    if own.is_none() {
        return reached;
    }
    let mut is_missing = false;
    let collectors = line.children.iter_mut().flatten().filter(|it| it.name.value == COLLECTOR);
    let pipelines = collectors.flat_map(|it| it.children.iter_mut().flatten()).filter(|it| it.name.value == "pipeline");
    for to in pipelines.flat_map(|it| it.children.iter_mut().flatten()).filter(|it| it.name.value == "to") {
        to.args.retain_mut(|atom| {
            let Some((cluster, node)) = text(atom).and_then(|it| it.split_once('/')) else { return true };
            let (cluster, node) = (cluster.to_owned(), node.to_owned());
            if Some(&*cluster) == own {
                atom.scalar = Scalar::String(node);
                return true;
            }
            if !environment.has(&cluster) {
                return is_component(&cluster) || unknown_cluster(environment, &cluster, atom, out);
            }
            let name = format!("{cluster}/{node}");
            if reached.iter().any(|it| it.name == name) {
                return true;
            }
            match environment.reach(&cluster, &node, atom) {
                Ok((remote, signals)) => {
                    reached.push(Reached { name, remote, signals, mention: atom.span });
                    true
                }
                Err(finding) => {
                    is_missing |= finding.is_none();
                    out.extend(finding.map(|it| *it));
                    false
                }
            }
        });
        // What stood there was reported.
        to.broken |= to.args.is_empty();
    }
    line.holes |= is_missing;
    reached
}

/// Does the part before the slash name a kind of component, as in `otlp/second`?
fn is_component(ty: &str) -> bool {
    [ComponentKind::Exporter, ComponentKind::Connector].into_iter().any(|kind| otelcol::component(kind, ty).is_some())
}

/// Reports a cluster that there is not; not to be looked at further.
fn unknown_cluster(environment: &Environment, cluster: &str, atom: &Atom, out: &mut Diagnostics) -> bool {
    if environment.incomplete {
        return false;
    }
    let finding = Diagnostic::new(&codes::UNKNOWN_NAME, format!("there is no cluster `{cluster}`"));
    let known: Vec<&str> = environment.members.iter().filter_map(Member::cluster).collect();
    out.push(did_you_mean(finding.at(atom.span, "`CLUSTER/COLLECTOR`"), cluster, &known, "clusters"));
    false
}

impl Member {
    fn cluster(&self) -> Option<&str> {
        self.name.as_ref().map(|it| &*it.value)
    }
}

impl Environment {
    fn has(&self, cluster: &str) -> bool {
        self.members.iter().any(|it| it.cluster() == Some(cluster))
    }

    /// How a node of another cluster is reached; else why it is not, where nothing else tells.
    fn reach(&self, cluster: &str, node: &str, atom: &Atom) -> Result<(Remote, SignalSet), Option<Box<Diagnostic>>> {
        let declared = self.members.iter().find(|it| it.cluster() == Some(cluster)).map(|it| it.head);
        if let Some(exposed) = self.exposed.get(&(cluster.to_owned(), node.to_owned())) {
            let remote = |exposure: Exposure| Remote {
                cluster: cluster.to_owned(),
                node: node.to_owned(),
                namespace: exposed.namespace.clone(),
                exposure,
            };
            let taken = exposed.exposure.clone().map(|it| (remote(it), exposed.signals));
            return taken.ok_or_else(|| {
                if exposed.is_broken {
                    return None;
                }
                let message =
                    format!("`{node}` of the cluster `{cluster}` is not exposed: no other cluster reaches it");
                let finding = Diagnostic::new(&codes::WRONG_END, message).at(atom.span, "sent to from another cluster");
                let finding = finding.label(exposed.head, "declared here, for its own cluster");
                let help = "write in it how it is reached: `expose \"load-balancer\" host=\"otlp.example.com\"`";
                Some(Box::new(finding.help(help)))
            });
        }
        let in_cluster = self.exposed.keys().filter(|it| it.0 == cluster);
        let known: Vec<&str> = in_cluster.map(|it| &*it.1).collect();
        let message = if known.is_empty() {
            format!("the cluster `{cluster}` exposes nothing")
        } else {
            format!("the cluster `{cluster}` has no collector `{node}`")
        };
        let finding = Diagnostic::new(&codes::UNKNOWN_NAME, message).at(atom.span, "sent to from another cluster");
        let finding = finding.label(declared, "declared here");
        Err(Some(Box::new(if known.is_empty() {
            finding
                .help("write in its collector how it is reached: `expose \"load-balancer\" host=\"otlp.example.com\"`")
        } else {
            did_you_mean(finding, node, &known, "collectors")
        })))
    }
}
