//! Self-monitoring: Prometheus scrapes every part of the stack that has metrics.

use std::collections::HashSet;

use telstack_catalog::{ComponentKind, product::Product};
use telstack_diagnostics::Diagnostics;

use super::{Pass, encryption, targets};
use crate::{
    graph::{EdgeId, NodeId, System},
    known::Known,
    model::{Dial, Edge, Listener, Node, NodeKind, Protocol, Purpose, ScrapeJob, Tls},
    origin::{Origin, Settings, Sourced},
};

const NAME: &str = "scrape";

pub(super) const PASS: Pass =
    Pass { name: NAME, reason: "let Prometheus scrape every part of the stack, itself included", run };

fn run(system: &mut System, _: &mut Diagnostics) {
    for prometheus in system.node_ids() {
        if system.node(prometheus).store().is_some_and(|it| it.product() == Product::Prometheus) {
            let mut names = jobs(system, prometheus).map(|job| job.name.clone()).collect();
            for target in system.node_ids() {
                scrape(system, prometheus, target, &mut names);
            }
        }
    }
}

fn jobs(system: &System, prometheus: NodeId) -> impl Iterator<Item = &ScrapeJob> {
    let facet = system.node(prometheus).store().and_then(|store| store.prometheus());
    facet.into_iter().flat_map(|facet| &facet.jobs)
}

/// `names` are those of the jobs that there are.
fn scrape(system: &mut System, prometheus: NodeId, target: NodeId, names: &mut HashSet<String>) {
    let node = system.node(target);
    // What a collector is told to scrape, and does nothing else, is not scraped twice.
    let scraped =
        |(edge, _): (EdgeId, NodeId)| system.edge(edge).dial.as_ref().is_some_and(|dial| dial.component.is_some());
    let taken =
        matches!(node.kind, NodeKind::Informer(_)) && system.incoming(target, Purpose::Scrape).into_iter().any(scraped);
    if taken || matches!(node.kind, NodeKind::External(_)) || node.placement.is_beside() {
        return;
    }
    let own = node.listeners.iter().find(|it| it.name == "metrics").map(|it| (own_job(node), it.clone()));
    let handed_on = node.listeners.iter().filter_map(|it| Some((handed_on_job(node, it)?, it.clone())));
    for ((name, what, honor_labels), listener) in own.into_iter().chain(handed_on).collect::<Vec<_>>() {
        let job = add(system, (prometheus, target), name, &what, honor_labels, &listener);
        if let Some(facet) = system.node_mut(prometheus).store_mut().and_then(|store| store.prometheus_mut())
            && names.insert(job.name.clone())
        {
            facet.jobs.push(job);
        }
    }
}

/// The nodes whose own metrics a Prometheus scrapes.
pub(super) fn watched(system: &System, prometheus: NodeId) -> Vec<NodeId> {
    let jobs: HashSet<&str> = jobs(system, prometheus).map(|job| job.name.as_str()).collect();
    let mut seen = HashSet::new();
    let targets = system.outgoing(prometheus, Purpose::Scrape).into_iter().map(|(_, target)| target);
    targets.filter(|target| jobs.contains(&*system.node(*target).name) && seen.insert(*target)).collect()
}

/// The name of a job, why there is one, and why its labels are kept if they are.
type Wanted = (String, String, Option<Origin>);

/// What the node says of itself.
fn own_job(node: &Node) -> Wanted {
    let why = format!("{} has metrics of its own, and Prometheus is there to watch them", node.title());
    (node.name.clone(), why, None)
}

/// What an exporter of a collector hands on to whoever scrapes it.
fn handed_on_job(node: &Node, listener: &Listener) -> Option<Wanted> {
    let owner = listener.owner.as_ref().filter(|owner| owner.kind == ComponentKind::Exporter)?;
    // With a certificate of the exporter's own, nobody here knows what to check it against.
    let open = listener.protocol == Protocol::EXPOSITION && listener.tls == Known::Value(Tls::Off);
    let why = format!("the exporter `{}` waits to be scraped, and there is a Prometheus", owner.id);
    let kept = "the exporter says which service each metric is of; without this Prometheus puts its own `job` there";
    let kept = Origin::fact(NAME, kept, &[&listener.origin]);
    open.then(|| (format!("{}/{}", node.name, owner.id), why, Some(kept)))
}

/// Joins the two, and says what the job is.
fn add(
    system: &mut System,
    (prometheus, target): (NodeId, NodeId),
    name: String,
    why: &str,
    honor_labels: Option<Origin>,
    listener: &Listener,
) -> ScrapeJob {
    let node = system.node(target);
    let itself = prometheus == target;
    let tls = listener.tls.value().unwrap_or(Tls::Off);
    // A certificate names the node, not `localhost`.
    let host = if itself && tls == Tls::Off {
        "localhost".to_owned()
    } else {
        node.host_at(Some(listener), system.node(prometheus))
    };
    let ca = encryption::authority(NAME, Product::Prometheus, node).filter(|_| tls != Tls::Off);
    let mut because = vec![&node.origin, &system.node(prometheus).origin];
    because.extend(honor_labels.is_some().then_some(&listener.origin));
    let origin = Origin::derived(NAME, why, &because);
    let place =
        Origin::fact(NAME, format!("{} shows its metrics here", node.title()), &[&node.origin, &listener.origin]);
    let path = listener.path.clone().unwrap_or_else(|| "/metrics".to_owned());
    let mut discovery = Settings::default();
    let mut targets = vec![Sourced::new(format!("{host}:{}", listener.port), place.clone())];
    if let Some(several) = node.placement.several().filter(|_| !itself) {
        let reason = "several pods have that name: each of them is asked, and not whichever answers";
        let origin = Origin::derived(NAME, reason, &[&several, &place]);
        targets::job_of_pods(&mut discovery, &origin, node, listener.port, None, false);
        targets.clear();
    }
    let job = ScrapeJob {
        named: None,
        name,
        targets,
        discovery,
        path: path.clone(),
        honor_labels,
        ca,
        origin: origin.clone(),
    };
    let dial = Dial {
        component: None,
        protocol: Protocol::EXPOSITION,
        host,
        port: listener.port,
        path,
        only: None,
        tls: Known::Value(tls),
        tenant: None,
        origin: place,
    };
    if !itself {
        let mut edge = Edge::new(Purpose::Scrape, origin);
        edge.dial = Some(dial);
        system.connect(prometheus, target, edge);
    }
    job
}
