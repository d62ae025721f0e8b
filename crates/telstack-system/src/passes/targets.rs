//! Targets: what collectors scrape, as the jobs of their receivers.

use telstack_catalog::{
    ComponentKind, Json, operator,
    otelcol::{self, Targets},
    product::Product,
};
use telstack_diagnostics::Diagnostics;
use telstack_syntax::tree::Kind;

use super::{
    Pass,
    containers::pods::picked,
    encryption,
    kubernetes::{NODE_NAME, field},
    presets::value,
};
use crate::{
    graph::{NodeId, System},
    known::Known,
    model::{Component, ComponentRef, Dial, Edge, Node, Protocol, Purpose, Scrape, Tls, WorkloadKind},
    origin::{Origin, Settings, Sourced, Value},
};

const NAME: &str = "targets";

pub(super) const PASS: Pass = Pass { name: NAME, reason: "tell receivers what they scrape, each target once", run };

fn run(system: &mut System, _: &mut Diagnostics) {
    for id in system.node_ids() {
        let Some(collector) = system.node(id).collector() else { continue };
        for scrape in collector.scrapes.clone() {
            // A Service of another namespace may well be called like a node.
            let named = || system.find(&scrape.target.value).filter(|target| *target != id);
            let inside = scrape.namespace.is_none() && !system.node(id).placement.is_beside();
            let target = if inside { named() } else { None };
            let (job, edge) = job(system, id, target, &scrape);
            let node = system.node_mut(id);
            let machine = on_each(node).filter(|_| names_machine(&job));
            if let Some(kind) = machine {
                field(node, NODE_NAME, &Origin::derived(NAME, "each scrapes what is on its own machine", &[&kind]));
            }
            if let Some(collector) = node.collector_mut()
                && let Some(receiver) = collector.component_mut(ComponentKind::Receiver, &scrape.receiver)
            {
                add(receiver, &scrape, job);
            }
            if let (Some(target), Some(edge)) = (target, edge) {
                system.connect(id, target, edge);
            }
        }
    }
}

/// Adds a job to those that a receiver has.
fn add(receiver: &mut Component, scrape: &Scrape, job: Value) {
    let (block, key) = JOBS;
    let inner = receiver.settings.as_map_mut().and_then(|it| it.get_mut(block));
    let known = inner.and_then(Value::as_map_mut).and_then(|it| it.get_mut(key));
    if let Some(Kind::Seq(jobs)) = known.map(|it| &mut it.kind) {
        jobs.items.push(job);
    } else {
        receiver.put(&format!("{block}.{key}"), scrape.origin.block([job]));
    }
}

/// Where a receiver has its jobs: a block, and a list in it.
const JOBS: (&str, &str) = ("config", "scrape_configs");

/// What puts one of a node on each machine, each with an eye on its own.
fn on_each(node: &Node) -> Option<Origin> {
    // The allocator is on one machine, and tells the targets of all apart.
    if node.placement.allocated.is_some() {
        return None;
    }
    on_machines(node)
}

/// What puts one of a node on each machine.
fn on_machines(node: &Node) -> Option<Origin> {
    node.placement.kind.as_ref().filter(|it| it.value == WorkloadKind::DaemonSet).map(|it| it.origin.clone())
}

fn names_machine(value: &Value) -> bool {
    match &value.kind {
        Kind::Map(map) => map.iter().any(|it| names_machine(&it.value)),
        Kind::Seq(seq) => seq.items.iter().any(names_machine),
        Kind::String(text) => text.contains(NODE_NAME),
        _ => false,
    }
}

/// The job of a receiver, and the edge to a node of the stack.
fn job(system: &System, id: NodeId, target: Option<NodeId>, scrape: &Scrape) -> (Value, Option<Edge>) {
    let origin = &scrape.origin;
    let mut job = Settings::default();
    job.set("job_name", scrape.target.origin.string(&*scrape.target.value));
    if let Some(interval) = &scrape.interval {
        job.set("scrape_interval", interval.origin.string(interval.value.prometheus()));
    }
    let edge = if let Some(target) = target {
        Some(of_node(&mut job, system.node(id), system.node(target), scrape))
    } else if system.node(id).placement.is_beside() {
        beside_it(&mut job, system.node(id), scrape);
        None
    } else {
        in_cluster(&mut job, system.node(id), scrape);
        None
    };
    (Value { kind: Kind::Map(job), mark: origin.clone() }, edge)
}

/// Scrapes a node of the stack.
fn of_node(job: &mut Settings, scraper: &Node, node: &Node, scrape: &Scrape) -> Edge {
    let origin = &scrape.origin;
    let listener = node.listeners.iter().find(|it| match &scrape.port {
        Some(port) => it.port == port.value,
        None => it.name == METRICS,
    });
    // One that shows none is a finding, not a choice.
    let usual = || node.version().map(|version| otelcol::telemetry(version).default_port);
    let written = scrape.port.as_ref().map(|it| it.value);
    let port = written.or(listener.map(|it| it.port)).or_else(usual).unwrap_or_default();
    let place = Origin::fact(NAME, format!("{} shows its metrics here", node.title()), &[origin, &node.origin]);
    let shown = listener.and_then(|it| it.path.as_ref()).map(|it| Sourced::new(it.clone(), place.clone()));
    let path = scrape.path.clone().or(shown).filter(|it| it.value != METRICS_PATH);
    if let Some(path) = &path {
        job.set("metrics_path", path.origin.string(&*path.value));
    }
    let tls = listener.map_or(Known::Value(Tls::Off), |it| it.tls);
    if tls != Known::Value(Tls::Off) {
        job.set("scheme", place.string("https"));
        if let Some(ca) = encryption::authority(NAME, Product::Otelcol, node) {
            job.set("tls_config", ca.origin.map([("ca_file", ca.origin.string(&*ca.value))]));
        }
    }
    let host = node.host_for(scraper);
    // What has no machine, an allocator gives to none of those that are on each.
    let spread = scraper.placement.allocated.as_ref().and_then(|_| on_machines(scraper));
    if let Some(several) = node.placement.several() {
        let reason = "several pods have that name: each of them is asked, and not whichever answers";
        let origin = Origin::derived(NAME, reason, &[origin, &several]);
        job_of_pods(job, &origin, node, port, on_each(scraper).as_ref(), true);
    } else if let Some(spread) = spread {
        let reason = "the target allocator gives it to the pod on its machine, and must know that";
        let origin = Origin::derived(NAME, reason, &[origin, &spread]);
        job_of_pods(job, &origin, node, port, None, true);
    } else {
        let targets = origin.map([("targets", origin.flow([place.string(format!("{host}:{port}"))]))]);
        job.set("static_configs", origin.block([targets]));
    }
    let mut edge = Edge::new(Purpose::Scrape, origin.clone());
    edge.dial = Some(Dial {
        component: Some(ComponentRef { kind: ComponentKind::Receiver, id: scrape.receiver.clone() }),
        protocol: Protocol::EXPOSITION,
        host,
        port,
        path: path.map_or_else(|| METRICS_PATH.to_owned(), |it| it.value),
        only: None,
        tls,
        tenant: None,
        origin: place,
    });
    edge
}

/// Scrapes another program of the machine, or of the pod, that a collector runs on.
fn beside_it(job: &mut Settings, scraper: &Node, scrape: &Scrape) {
    let what =
        if scraper.placement.host.is_some() { "a program of the same machine" } else { "a program of the same pod" };
    let place = Origin::derived(NAME, what, &[&scrape.origin, &scraper.origin]);
    let usual = || scraper.version().map(|version| otelcol::telemetry(version).default_port);
    let port = scrape.port.as_ref().map(|it| it.value).or_else(usual).unwrap_or_default();
    if let Some(path) = scrape.path.as_ref().filter(|it| it.value != METRICS_PATH) {
        job.set("metrics_path", path.origin.string(&*path.value));
    }
    let targets = place.map([("targets", place.flow([place.string(format!("localhost:{port}"))]))]);
    job.set("static_configs", scrape.origin.block([targets]));
}

/// Scrapes what others run in the cluster.
fn in_cluster(job: &mut Settings, scraper: &Node, scrape: &Scrape) {
    if let Some(path) = scrape.path.as_ref().filter(|it| it.value != METRICS_PATH) {
        job.set("metrics_path", path.origin.string(&*path.value));
    }
    let annotated = scrape.target.value == otelcol::ANNOTATED_PODS;
    let (way, reason) = if annotated {
        let reason = "pods ask for it by the annotations `prometheus.io/scrape`, `port`, `path` and `scheme`";
        (Targets::AnnotatedPods, reason)
    } else {
        (Targets::Service, "what the Service leads to, pod by pod")
    };
    let namespace = scrape.namespace.as_ref().or(scraper.placement.namespace.as_ref());
    let places = [
        ("{name}", scrape.target.value.clone()),
        ("{namespace}", namespace.map(|it| it.value.clone()).unwrap_or_default()),
        ("{port}", scrape.port.as_ref().map_or_else(|| ".+".to_owned(), |it| it.value.to_string())),
    ];
    let origin = Origin::derived(NAME, reason, &[&scrape.origin]);
    discover(job, &origin, way, &places, on_each(scraper).as_ref(), true);
}

/// Where metrics are unless something else is written.
const METRICS_PATH: &str = "/metrics";

/// What the listener is called that shows a node's own metrics.
const METRICS: &str = "metrics";

/// The settings of a job that asks each pod of a node. `escaped` where the collector would read `$` as the start of a
/// reference.
pub(super) fn job_of_pods(
    job: &mut Settings,
    origin: &Origin,
    node: &Node,
    port: u16,
    machine: Option<&Origin>,
    escaped: bool,
) {
    let namespace = node.placement.namespace.as_ref().map(|it| it.value.clone()).unwrap_or_default();
    let product = node.product().map_or("", Product::id);
    let instance = picked(node).remove(&operator::made().instance);
    let places = [
        ("{name}", instance.map_or_else(|| node.name.clone(), |it| it.value)),
        ("{namespace}", namespace),
        ("{product}", product.to_owned()),
        ("{port}", port.to_string()),
    ];
    discover(job, origin, Targets::Pods, &places, machine, escaped);
}

fn discover(
    job: &mut Settings,
    origin: &Origin,
    way: Targets,
    places: &[(&str, String)],
    machine: Option<&Origin>,
    escaped: bool,
) {
    let finding = otelcol::finding(way);
    let dollar = if escaped { "$$" } else { "$" };
    // First, so that what is filled in stays as it is.
    let mut all = vec![("$", dollar.to_owned())];
    all.extend(places.iter().cloned());
    let fill = |json: &Json| value(json, origin, &all);
    let mut asked = fill(&finding.kubernetes_sd_configs);
    let mut taken = fill(&finding.relabel_configs);
    if let Some(machine) = machine {
        let (rules, selector) = otelcol::on_own_machine();
        let reason = "one of it runs on each machine, and each scrapes what is on its own: every target once";
        let origin = Origin::derived(NAME, reason, &[machine, origin]);
        match way {
            // A Service leads to pods of any machine: the API does not tell them apart.
            Targets::Service => {
                if let (Kind::Seq(taken), Some(rules)) = (&mut taken.kind, value(rules, &origin, &[]).as_seq()) {
                    taken.items.extend(rules.iter().cloned());
                }
            }
            Targets::AnnotatedPods | Targets::Pods => {
                if let Kind::Seq(asked) = &mut asked.kind {
                    let blocks = asked.items.iter_mut().filter_map(Value::as_map_mut);
                    blocks.for_each(|block| of_machine(block, &origin, selector));
                }
            }
        }
    }
    job.set("kubernetes_sd_configs", asked);
    job.set("relabel_configs", taken);
}

/// Lets the API tell the pods of one machine only.
fn of_machine(block: &mut Settings, origin: &Origin, selector: &str) {
    let first = match block.get_mut("selectors").map(|it| &mut it.kind) {
        Some(Kind::Seq(selectors)) => selectors.items.first_mut().and_then(Value::as_map_mut),
        _ => None,
    };
    if let Some(first) = first {
        first.set("field", origin.string(selector));
    } else {
        let entry = origin.map([("role", origin.string("pod")), ("field", origin.string(selector))]);
        block.set("selectors", origin.block([entry]));
    }
}
