//! Kubernetes: the pod of each node.

use std::sync::Arc;

use telstack_catalog::{
    operator as facts,
    product::{Product, image_facts},
};

use telstack_syntax::tree::Kind;

use super::NAME;
use crate::{
    access,
    graph::System,
    known::Known,
    model::{
        Allocator, Bind, Container, ContainerPort, EnvValue, EnvVar, Listener, Mount, MountSource, Node, Pod, Probe,
        ProbeAction, ProbeKind, TargetPort, Tls, WorkloadKind,
        cluster::{Labels, operator},
    },
    origin::{Origin, Settings, Sourced, Value},
    units::Period,
};

/// The longest name of a port.
const LONGEST_PORT_NAME: usize = 15;
/// Where programs write passing files, and how its volume is called.
const TEMPORARY: (&str, &str) = ("/tmp", "tmp");
/// The listener that does nothing but say whether all is well.
pub(super) const HEALTH: &str = "health";
/// The user that owns folders of a machine.
const ROOT: &str = "0";

/// Completes a container as one of a pod.
pub(super) fn place(container: &mut Container, system: &System, node: &Node) {
    let placement = &node.placement;
    let keeps = container.mounts.iter().find(|it| it.source.volume().is_some()).map(|it| it.origin.clone());
    let kind = placement.kind.clone().unwrap_or_else(|| {
        if let Some(allocated) = &placement.allocated {
            let reason = "the target allocator gives targets to pods whose names last";
            Sourced::new(WorkloadKind::StatefulSet, Origin::fact(NAME, reason, &[&node.origin, allocated]))
        } else if let Some(keeps) = &keeps {
            let reason = "it keeps data: each pod has a volume of its own, and finds it again";
            Sourced::new(WorkloadKind::StatefulSet, Origin::derived(NAME, reason, &[&node.origin, keeps]))
        } else {
            let reason = "it keeps nothing: any pod is as good as any other";
            Sourced::new(WorkloadKind::Deployment, Origin::derived(NAME, reason, &[&node.origin]))
        }
    });
    let namespace = placement.namespace.as_ref().map(|it| it.value.clone());
    user(container, node);
    let name = workload(node);
    let own_volumes = volumes(container, system, node, kind.value, &name);
    // A sidecar asks as the account of the pod that it is put into.
    let account = (placement.sidecar().is_none() && !access::asked_by(node).is_empty()).then(|| {
        let reason = "an account of its own: what it may do is for it alone";
        Sourced::new(node.name.clone(), Origin::derived(NAME, reason, &[&node.origin]))
    });
    container.owned_paths.clear();
    if node.viewer().is_some() {
        let reason = "it writes passing files there, and its root is read only";
        let origin = Origin::fact(NAME, reason, &[&node.origin]);
        let source = MountSource::Ephemeral(Some(TEMPORARY.1.to_owned()));
        container.mounts.push(Mount { source, target: TEMPORARY.0.to_owned(), read_only: false, origin });
    }
    // Where an autoscaler says how many there are, nobody else does.
    let written = placement.replicas.clone().filter(|_| placement.most_replicas.is_none());
    container.replicas = written.map_or(Known::Absent, Known::Value);
    container.most_replicas = placement.most_replicas.clone().map_or(Known::Absent, Known::Value);
    let mut labels = labels(system, node);
    if let Some(operated) = &placement.operated {
        labels.extend(operator::labels(&resource(node, operated), namespace.as_deref()));
        if placement.sidecar().is_some() {
            labels.extend(picked(node));
        }
        let (variable, field) = &facts::made().variable;
        if !container.env.iter().any(|it| it.name == *variable) {
            let origin = Origin::fact(NAME, "the operator gives it to each collector", &[operated]);
            container.env.push(EnvVar::new(variable.clone(), EnvValue::Field(field.clone()), origin));
        }
    } else {
        container.ports = ports(node);
        container.probes = probes(node);
    }
    let reason = "it writes to its volumes only: whatever breaks in cannot change the program";
    container.read_only_root = Some(Sourced::new(true, Origin::builtin(NAME, reason, &[&node.origin])));
    let group = container.user.as_ref().filter(|_| keeps.is_some() && kind.value != WorkloadKind::DaemonSet);
    container.pod = Some(Arc::new(Pod {
        kind: kind.value,
        name,
        namespace,
        labels,
        annotations: Labels::new(),
        workload_annotations: Labels::new(),
        service_account: account,
        host_network: node.collector().and_then(|it| it.host_network.clone()),
        groups: Vec::new(),
        fs_group: group.and_then(|user| {
            let reason = "the volumes are given to the user that it runs as";
            let origin = Origin::derived(NAME, reason, &[&user.origin]);
            Some(Sourced::new(user.value.split(':').next_back()?.parse().ok()?, origin))
        }),
        strategy: None,
        max_surge: None,
        service_name: (kind.value == WorkloadKind::StatefulSet && placement.operated.is_none()).then(|| {
            let reason = "the Service that gives each pod its name";
            Sourced::new(headless(system, node), Origin::derived(NAME, reason, &[&kind.origin]))
        }),
        own_volumes,
        node_selector: Labels::new(),
        tolerant: tolerant(node, &kind),
        affinity: false,
        links: placement.operated.is_some(),
        operated: placement.operated.is_some(),
        patched: false,
        targets_shared: allocator(node, kind.value),
        origin: kind.origin,
    }));
}

/// The target allocator, where the stack asks for one.
fn allocator(node: &Node, kind: WorkloadKind) -> Option<Allocator> {
    let asked = node.placement.allocated.as_ref()?;
    let facts = facts::allocator();
    let reason = "an account of its own: it looks for targets in place of the collector";
    let account = Sourced::new(operator::allocator(&node.name), Origin::derived(NAME, reason, &[asked, &node.origin]));
    let (strategy, reason) = if kind == WorkloadKind::DaemonSet {
        (&facts.strategy_on_machines, "each pod scrapes what is on its own machine")
    } else {
        (&facts.strategy, "few targets move when pods come and go")
    };
    let strategy = Sourced::new(strategy.clone(), Origin::fact(NAME, reason, &[asked]));
    Some(Allocator { account: Some(account), strategy: Some(strategy), origin: asked.clone() })
}

/// The name of the Service that stands for the pods of a StatefulSet one by one.
fn headless(system: &System, node: &Node) -> String {
    let mut name = format!("{}-headless", node.name);
    while system.find(&name).is_some() {
        name.push_str("-pods");
    }
    name
}

/// May it run on machines with taints? Those that are to be on each machine are to be on those too.
fn tolerant(node: &Node, kind: &Sourced<WorkloadKind>) -> Option<Origin> {
    match &node.placement.tolerant {
        Some(it) => it.value.then(|| it.origin.clone()),
        None => (kind.value == WorkloadKind::DaemonSet).then(|| {
            let reason = "one on each node: also where a taint keeps other pods away, for there is something to look \
                          after there too";
            Origin::derived(NAME, reason, &[&kind.origin])
        }),
    }
}

/// What makes its pods is called like the node; an operator has a name of its own for that.
fn workload(node: &Node) -> String {
    if node.placement.operated.is_some() { operator::workload(&node.name) } else { node.name.clone() }
}

/// Puts an empty map in place of every nothing: an API drops keys that hold nothing, and what they switch on with them.
pub(super) fn fill(value: &mut Value) {
    match &mut value.kind {
        Kind::Null => value.kind = Kind::Map(Settings::default()),
        Kind::Map(map) => map.iter_mut().for_each(|entry| fill(&mut entry.value)),
        Kind::Seq(seq) => seq.items.iter_mut().for_each(fill),
        _ => {}
    }
}

/// The name of the resource that the operator makes pods of.
pub(in crate::passes) fn resource(node: &Node, operated: &Origin) -> Sourced<String> {
    let reason = "what the operator makes of the resource";
    Sourced::new(node.name.clone(), Origin::fact(NAME, reason, &[&node.origin, operated]))
}

/// Who it runs as: the stack says so, or the image.
fn user(container: &mut Container, node: &Node) {
    let image = &container.image;
    let known = image_facts(&image.value.repository, &image.value.tag).and_then(|facts| facts.user_id);
    if let (None, Some(id)) = (&container.user, known) {
        let reason =
            format!("the image of {} runs as {id}, written out so that the pod is refused otherwise", node.title());
        container.user = Some(Sourced::new(id.to_string(), Origin::fact(NAME, reason, &[&image.origin])));
    }
}

/// Names volumes as Kubernetes does: those that a StatefulSet makes for each pod, which are told, and folders of each
/// machine for a DaemonSet.
fn volumes(container: &mut Container, system: &System, node: &Node, kind: WorkloadKind, workload: &str) -> Vec<String> {
    let mut own = Vec::new();
    let mut of_machine = None;
    for mount in &mut container.mounts {
        let MountSource::Volume(name) = &mount.source else { continue };
        match kind {
            WorkloadKind::StatefulSet => {
                let short = name.strip_prefix(&format!("{}-", node.name)).unwrap_or(name);
                let volume = format!("{short}-{workload}");
                own.push(volume.clone());
                mount.source = MountSource::Volume(volume);
            }
            WorkloadKind::DaemonSet => {
                mount.source = MountSource::Bind(format!("/var/lib/{}/{name}", system.name));
                let reason = "a folder of the machine: the next pod there finds it again";
                mount.origin = Origin::derived(NAME, reason, &[&mount.origin, &node.origin]);
                of_machine.get_or_insert_with(|| mount.origin.clone());
            }
            _ => {}
        }
    }
    if let Some(origin) = of_machine {
        let reason = "folders of a machine belong to root";
        container.user = Some(Sourced::new(ROOT.to_owned(), Origin::fact(NAME, reason, &[&origin])));
    }
    own
}

/// Labels by which people find what belongs to a node, and selectors its pods.
pub fn labels(system: &System, node: &Node) -> Labels {
    let mut labels = chosen(node);
    let origin = Origin::derived(NAME, "the stack that it is part of", &[&system.origin]);
    labels.insert("app.kubernetes.io/part-of".to_owned(), Sourced::new(system.name.clone(), origin));
    let origin = Origin::derived(NAME, "it is compiled from the stack", &[&system.origin]);
    labels.insert("app.kubernetes.io/managed-by".to_owned(), Sourced::new("telstack".to_owned(), origin));
    labels
}

/// Labels that tell its pods from all others.
pub(in crate::passes) fn chosen(node: &Node) -> Labels {
    let product = node.product().map_or("", Product::id);
    let origin = |reason: &str| Origin::derived(NAME, reason, &[&node.origin]);
    [
        ("app.kubernetes.io/name", Sourced::new(product.to_owned(), origin("what runs in it"))),
        ("app.kubernetes.io/instance", Sourced::new(node.name.clone(), origin("which one it is"))),
    ]
    .into_iter()
    .map(|(key, value)| (key.to_owned(), value))
    .collect()
}

/// Labels that tell its pods from all others, as they are once there.
pub(in crate::passes) fn picked(node: &Node) -> Labels {
    let namespace = node.placement.namespace.as_ref().map(|it| it.value.as_str());
    if let Some(sidecar) = node.placement.sidecar() {
        let reason = "the operator labels pods so that it has put one into";
        let resource = Sourced::new(node.name.clone(), Origin::fact(NAME, reason, &[sidecar]));
        return operator::sidecar_labels(&resource, namespace);
    }
    match &node.placement.operated {
        Some(operated) => operator::labels(&resource(node, operated), namespace),
        None => chosen(node),
    }
}

/// Ports that others reach.
pub(super) fn open(node: &Node) -> impl Iterator<Item = &Listener> {
    let mut seen = Vec::new();
    node.listeners.iter().filter(move |it| {
        let number = (it.port, it.transport);
        let first = it.bind != Bind::Loopback && !seen.contains(&number);
        seen.push(number);
        first
    })
}

fn ports(node: &Node) -> Vec<ContainerPort> {
    let mut names: Vec<String> = Vec::new();
    let mut port = |listener: &Listener| {
        let name = port_name(&listener.name, &names);
        names.push(name.clone());
        ContainerPort {
            name: Some(name),
            port: listener.port,
            transport: listener.transport,
            host_port: None,
            origin: listener.origin.clone(),
        }
    };
    open(node).map(&mut port).collect()
}

/// A name as ports may have it, that is none of those.
fn port_name(name: &str, taken: &[String]) -> String {
    let plain: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' }).collect();
    let cut = |length: usize| plain.chars().take(length).collect::<String>().trim_matches('-').to_owned();
    let short = cut(LONGEST_PORT_NAME);
    let free = |it: &String| !taken.contains(it);
    if free(&short) {
        return short;
    }
    // One of that many is free.
    let mut others = (2..taken.len() + 3).map(|at| format!("{}-{at}", cut(LONGEST_PORT_NAME - 4)));
    others.find(free).unwrap_or(short)
}

/// The listener that says whether it is well.
fn health(node: &Node) -> Option<&Listener> {
    let reached = |name: &&str| node.listeners.iter().find(|it| it.name == **name && it.bind != Bind::Loopback);
    let asked = ["ready", HEALTH].iter().find_map(reached);
    // Whoever probes shows no certificate.
    asked.filter(|it| it.tls != Known::Value(Tls::Mutual))
}

fn probes(node: &Node) -> Vec<Probe> {
    let Some(listener) = health(node) else { return Vec::new() };
    let ask = |kind: ProbeKind, reason: &str| Probe {
        kind,
        action: ProbeAction::Http {
            path: listener.path.clone().unwrap_or_else(|| "/".to_owned()),
            port: Sourced::new(TargetPort::Number(listener.port), listener.origin.clone()),
            host: None,
            tls: listener.tls != Known::Value(Tls::Off),
        },
        initial_delay: None,
        period: None,
        timeout: None,
        failures: None,
        origin: Origin::derived(NAME, reason, &[&listener.origin, &node.origin]),
    };
    let mut probes = vec![ask(ProbeKind::Readiness, "nothing is sent to it before it answers")];
    // A store that is not ready may be putting its data in order: it must not be killed for that.
    if node.collector().is_some() {
        let reason = "one that does not answer any more is started anew";
        let period = Sourced::new(Period::from_secs(10), Origin::builtin(NAME, reason, &[&node.origin]));
        probes.insert(0, Probe { period: Some(period), ..ask(ProbeKind::Liveness, reason) });
    }
    probes
}
