//! Kubernetes: the pod of each node, and what stands around it.

use std::{collections::BTreeMap, sync::Arc};

use telstack_catalog::{
    otelcol::Transport,
    product::{Product, image_facts},
};

use super::NAME;
use crate::{
    access::{self, Asked},
    graph::System,
    known::Known,
    model::{
        Bind, Cluster, Collector, Container, ContainerPort, Listener, Mount, MountSource, Node, NodeKind, Pod, Probe,
        ProbeAction, ProbeKind, Protocol, ScrapeJob, Selector, Service, ServicePort, ServiceType, Store, TargetPort,
        Tls, WorkloadKind,
        cluster::{
            Autoscaler, Binding, Budget, Claim, Labels, Namespace, Role, RoleRef, RoleRule, ServiceAccount, Subject,
        },
    },
    origin::{Origin, Sourced},
    units::{Bytes, Period},
    wiring::Wiring,
};

/// What a volume holds where the stack names no size.
const VOLUME: Bytes = Bytes::from_mib(10 * 1024);
/// The longest name of a port.
const LONGEST_PORT_NAME: usize = 15;
/// Where programs write passing files, and how its volume is called.
const TEMPORARY: (&str, &str) = ("/tmp", "tmp");
/// The listener that does nothing but say whether all is well.
const HEALTH: &str = "health";
/// The user that owns folders of a machine.
const ROOT: &str = "0";

/// Completes a container as one of a pod.
pub(super) fn place(container: &mut Container, system: &System, node: &Node) {
    let placement = &node.placement;
    let keeps = container.mounts.iter().find(|it| it.source.volume().is_some()).map(|it| it.origin.clone());
    let kind = placement.kind.clone().unwrap_or_else(|| {
        if let Some(keeps) = &keeps {
            let reason = "it keeps data: each pod has a volume of its own, and finds it again";
            Sourced::new(WorkloadKind::StatefulSet, Origin::derived(NAME, reason, &[&node.origin, keeps]))
        } else {
            let reason = "it keeps nothing: any pod is as good as any other";
            Sourced::new(WorkloadKind::Deployment, Origin::derived(NAME, reason, &[&node.origin]))
        }
    });
    let namespace = placement.namespace.as_ref().map(|it| it.value.clone());
    user(container, node);
    let own_volumes = volumes(container, system, node, kind.value);
    let account = (!asks(node).is_empty()).then(|| {
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
    container.ports = ports(node);
    container.probes = probes(node);
    let reason = "it writes to its volumes only: whatever breaks in cannot change the program";
    container.read_only_root = Some(Sourced::new(true, Origin::builtin(NAME, reason, &[&node.origin])));
    let group = container.user.as_ref().filter(|_| keeps.is_some() && kind.value != WorkloadKind::DaemonSet);
    container.pod = Some(Arc::new(Pod {
        kind: kind.value,
        name: node.name.clone(),
        namespace,
        labels: labels(system, node),
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
        service_name: (kind.value == WorkloadKind::StatefulSet).then(|| {
            let reason = "the Service that gives each pod its name";
            Sourced::new(node.name.clone(), Origin::derived(NAME, reason, &[&kind.origin]))
        }),
        own_volumes,
        node_selector: Labels::new(),
        affinity: false,
        links: false,
        operated: false,
        patched: false,
        targets_shared: None,
        origin: kind.origin,
    }));
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
fn volumes(container: &mut Container, system: &System, node: &Node, kind: WorkloadKind) -> Vec<String> {
    let mut own = Vec::new();
    let mut of_machine = None;
    for mount in &mut container.mounts {
        let MountSource::Volume(name) = &mount.source else { continue };
        match kind {
            WorkloadKind::StatefulSet => {
                let short = name.strip_prefix(&format!("{}-", node.name)).unwrap_or(name);
                let volume = format!("{short}-{}", node.name);
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

/// Labels by which people and selectors find its pods.
fn labels(system: &System, node: &Node) -> Labels {
    let mut labels = chosen(node);
    let origin = Origin::derived(NAME, "the stack that it is part of", &[&system.origin]);
    labels.insert("app.kubernetes.io/part-of".to_owned(), Sourced::new(system.name.clone(), origin));
    let origin = Origin::derived(NAME, "it is compiled from the stack", &[&system.origin]);
    labels.insert("app.kubernetes.io/managed-by".to_owned(), Sourced::new("telstack".to_owned(), origin));
    labels
}

/// Labels that tell its pods from all others.
fn chosen(node: &Node) -> Labels {
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

/// Ports that others reach.
fn open(node: &Node) -> impl Iterator<Item = &Listener> {
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

/// What the components of a node ask of the API of the cluster, each with where it is declared.
fn asks(node: &Node) -> Vec<(Asked, Origin)> {
    let of = |collector: &Collector| -> Vec<(Asked, Origin)> {
        let Some(version) = node.version() else { return Vec::new() };
        let wiring = Wiring::of(collector);
        let running = collector.components.iter().filter(|it| wiring.runs(it));
        let asked = running.filter_map(|it| Some((access::asked(it, it.fact()?, version)?.0, &it.origin)));
        asked.flat_map(|(all, origin)| all.into_iter().map(|it| (it, origin.clone()))).collect()
    };
    if let (NodeKind::Informer(product), Some(version)) = (&node.kind, node.version()) {
        let asked = access::asked_by_product(*product, version).into_iter();
        return asked.map(|it| (it, node.origin.clone())).collect();
    }
    if let Some(facet) = node.store().and_then(Store::prometheus) {
        let of_job = |job: &ScrapeJob| {
            let asked = access::asked_by_jobs(job.settings().iter()).into_iter();
            asked.map(|it| (it, job.origin.clone())).collect::<Vec<_>>()
        };
        return facet.jobs.iter().flat_map(of_job).collect();
    }
    node.collector().map(of).unwrap_or_default()
}

/// Makes the Services, accounts, roles and claims of all pods.
pub(super) fn surround(system: &mut System) {
    let mut cluster = Cluster::default();
    for (_, node) in system.nodes() {
        let Some((container, pod)) = node.container.as_ref().and_then(|it| Some((it, it.pod.as_deref()?))) else {
            continue;
        };
        namespace(&mut cluster, node);
        permit(&mut cluster, node, pod);
        claim(&mut cluster, node, container, pod);
        cluster.services.extend(service(node, container, pod));
        scale(&mut cluster, node, pod);
    }
    system.cluster = Some(Box::new(cluster));
}

fn namespace(cluster: &mut Cluster, node: &Node) {
    let Some(namespace) = &node.placement.namespace else { return };
    if cluster.namespace(&namespace.value).is_none() {
        let (name, origin) = (namespace.value.clone(), namespace.origin.clone());
        cluster.namespaces.push(Namespace { name, labels: Labels::new(), origin });
    }
}

/// An account, and roles with what its components ask for and nothing more.
fn permit(cluster: &mut Cluster, node: &Node, pod: &Pod) {
    let Some(account) = &pod.service_account else { return };
    let origin = &account.origin;
    let account =
        ServiceAccount { name: account.value.clone(), namespace: pod.namespace.clone(), origin: origin.clone() };
    // By place: the whole cluster first, then namespaces, its own where nothing names another.
    let mut places: BTreeMap<Option<String>, Vec<RoleRule>> = BTreeMap::new();
    for (mut asked, at) in asks(node) {
        let own = || pod.namespace.clone().unwrap_or_default();
        let named = std::mem::take(&mut asked.namespaces);
        let within: Vec<Option<String>> = match (asked.everywhere, named.is_empty()) {
            (true, _) => vec![None],
            (false, true) => vec![Some(own())],
            (false, false) => named.into_iter().map(Some).collect(),
        };
        for place in within {
            allow(places.entry(place).or_default(), &asked, &at);
        }
    }
    for (namespace, rules) in places {
        let everywhere = namespace.is_none();
        // Cluster roles share one set of names, and so do those of a namespace that is not its own.
        let name = match &pod.namespace {
            Some(own) if namespace.as_ref() != Some(own) => format!("{own}-{}", node.name),
            _ => node.name.clone(),
        };
        let namespace = namespace.filter(|it| !it.is_empty());
        let role = Role {
            name: name.clone(),
            namespace: namespace.clone(),
            cluster: everywhere,
            rules,
            aggregated: false,
            origin: Origin::derived(NAME, "what its components ask of the API, and nothing more", &[&node.origin]),
        };
        let subject = Subject {
            kind: "ServiceAccount".to_owned(),
            name: account.name.clone(),
            namespace: pod.namespace.clone(),
            origin: origin.clone(),
        };
        cluster.bindings.push(Binding {
            name: name.clone(),
            namespace,
            cluster: everywhere,
            role: Sourced::new(RoleRef { cluster: everywhere, name }, role.origin.clone()),
            subjects: vec![subject],
            origin: Origin::derived(NAME, "gives the role to its account", &[&node.origin]),
        });
        cluster.roles.push(role);
    }
    cluster.accounts.push(account);
}

/// Adds what is asked for, beside what is done likewise with others of the group.
fn allow(rules: &mut Vec<RoleRule>, asked: &Asked, at: &Origin) {
    let Asked { group, mut resources, any, verbs, .. } = asked.clone();
    if any {
        resources.truncate(1);
    }
    let group = group.unwrap_or_default();
    if let Some(rule) = rules.iter_mut().find(|it| it.groups == [group.clone()] && it.verbs == verbs) {
        for resource in resources {
            if !rule.resources.contains(&resource) {
                rule.resources.push(resource);
            }
        }
        return;
    }
    let origin = Origin::fact(NAME, "asked for by this component", &[at]);
    rules.push(RoleRule { groups: vec![group], resources, names: Vec::new(), urls: Vec::new(), verbs, origin });
}

/// What decides how many pods there are, and that they do not all go at once.
fn scale(cluster: &mut Cluster, node: &Node, pod: &Pod) {
    let (least, most) = (&node.placement.replicas, &node.placement.most_replicas);
    if let Some(most) = most {
        cluster.autoscalers.push(Autoscaler {
            name: node.name.clone(),
            namespace: pod.namespace.clone(),
            target_kind: pod.kind.as_str().to_owned(),
            target: pod.name.clone(),
            min: least.clone(),
            max: Some(most.clone()),
            origin: Origin::derived(NAME, "a range of replicas: as many as are busy", &[&most.origin]),
        });
    }
    if let Some(several) = least.as_ref().filter(|it| it.value > 1) {
        let reason = "while nodes are drained, all but one of them stay";
        let origin = Origin::derived(NAME, reason, &[&several.origin]);
        let selector = Selector { labels: chosen(node), expressions: Vec::new(), origin: origin.clone() };
        let (name, namespace) = (node.name.clone(), pod.namespace.clone());
        cluster.budgets.push(Budget { name, namespace, selector: Some(selector), origin });
    }
}

/// Claims for what outlives the pods.
fn claim(cluster: &mut Cluster, node: &Node, container: &Container, pod: &Pod) {
    for mount in &container.mounts {
        let MountSource::Volume(name) = &mount.source else { continue };
        let reason = "the stack names no size";
        let size = Sourced::new(VOLUME, Origin::builtin(NAME, reason, &[&mount.origin]));
        let once = Origin::builtin(NAME, "one pod at a time writes to it", &[&mount.origin]);
        cluster.claims.push(Claim {
            name: name.clone(),
            namespace: pod.namespace.clone(),
            access_modes: vec![Sourced::new("ReadWriteOnce".to_owned(), once)],
            storage_class: None,
            size: Some(size),
            template_of: pod.own_volumes.contains(name).then(|| node.name.clone()),
            origin: mount.origin.clone(),
        });
    }
}

/// The Service by whose name others dial it. Health is asked for at the pods themselves.
fn service(node: &Node, container: &Container, pod: &Pod) -> Option<Service> {
    let shown: Vec<&Listener> = open(node).filter(|it| it.name != HEALTH).collect();
    if shown.is_empty() {
        return None;
    }
    let origin = Origin::derived(NAME, "others dial it by this name", &[&node.origin]);
    let port = |it: &&Listener| ServicePort {
        name: container.port_name(it.port).map(str::to_owned),
        port: it.port,
        target: container.port_name(it.port).map_or(TargetPort::Number(it.port), |it| TargetPort::Name(it.to_owned())),
        transport: it.transport,
        app_protocol: (it.protocol == Protocol::OTLP_GRPC && it.transport == Transport::Tcp).then(|| {
            let reason = "a mesh and a load balancer then know that connections carry many calls";
            Sourced::new("grpc".to_owned(), Origin::builtin(NAME, reason, &[&it.origin]))
        }),
        node_port: None,
        origin: it.origin.clone(),
    };
    Some(Service {
        name: node.name.clone(),
        namespace: pod.namespace.clone(),
        ty: ServiceType::ClusterIp,
        headless: false,
        selector: Some(Selector {
            labels: chosen(node),
            expressions: Vec::new(),
            origin: Origin::derived(NAME, "the pods that answer", &[&node.origin]),
        }),
        ports: shown.iter().map(port).collect(),
        open_ports: false,
        lacks: Vec::new(),
        labels: pod.labels.clone(),
        annotations: Labels::new(),
        sticky: false,
        origin,
    })
}
