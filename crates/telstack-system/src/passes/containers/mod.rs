//! Containers: image, command, files, volumes, ports, health check and order of each node.

pub(super) mod around;
mod certificates;
mod environment;
mod issuing;
mod lengths;
mod names;
pub(super) mod pods;
mod ports;

use telstack_catalog::{
    ComponentKind, Version, operator,
    product::{Layout, Product, image_facts},
};
use telstack_diagnostics::Diagnostics;

use self::ports::HostPorts;
use super::{Pass, negotiate::telemetry_into};
use crate::{
    graph::{Circles, NodeId, System},
    known::Known,
    model::{
        Collector, ConfigFile, Container, Dependency, HealthCheck, ImageRef, JaegerStorage, Listener, Mount,
        MountSource, Node, NodeKind, Platform, Protocol, Published, Purpose, Store, StoreFacet, Tls,
    },
    origin::{Origin, Sourced},
    units::Period,
};

const NAME: &str = "containers";

pub use pods::labels;

pub(super) const PASS: Pass =
    Pass { name: NAME, reason: "give each node a container: image, command, files, volumes, ports, health check", run };

fn run(system: &mut System, diagnostics: &mut Diagnostics) {
    let circles = system.circles(Purpose::Telemetry);
    let mut ports = HostPorts::default();
    for id in system.node_ids() {
        if let Some(container) = container(system, id, &circles, &mut ports) {
            let node = system.node_mut(id);
            if let NodeKind::Store(store) = &mut node.kind
                && let Some(mount) = container.mounts.iter().find(|it| matches!(it.source, MountSource::Volume(_)))
            {
                store.data_path.get_or_insert_with(|| Sourced::new(mount.target.clone(), mount.origin.clone()));
            }
            node.container = Some(container);
            if node.placement.operated.is_some()
                && let Some(collector) = node.collector_mut()
            {
                collector.components.iter_mut().for_each(|it| pods::fill(&mut it.settings));
            }
        }
    }
    if system.platform.value == Platform::Kubernetes {
        around::surround(system);
    }
    names::check(system, diagnostics);
    lengths::check(system, diagnostics);
}

fn container(system: &System, id: NodeId, circles: &Circles, ports: &mut HostPorts) -> Option<Container> {
    let node = system.node(id);
    if node.placement.host.is_some() {
        return None;
    }
    let (product, version) = (node.product()?, node.version.as_ref()?);
    let layout = product.layout(version.value)?;
    let image = if let Some(collector) = node.collector() {
        let repository = collector.distribution.value.image_at(version.value).to_owned();
        ImageRef { repository, tag: version.value.to_string() }
    } else {
        let image = product.image(version.value);
        ImageRef { repository: image.repository.to_owned(), tag: image.tag }
    };
    let because = [&version.origin, &node.origin];
    let image_origin = Origin::fact(NAME, format!("the official image of {}", node.title()), &because);
    let mut container = Container::new(Sourced::new(image, image_origin), node.origin.clone());
    container.resources.clone_from(&node.resources);
    container.env.clone_from(&node.environment);
    let operated = node.placement.operated.as_ref().map(|_| operator::made().config.as_str());
    files(&mut container, node, product, operated.or(layout.config_path));
    command(&mut container, node, layout.data_path);
    environment::set(&mut container, node, layout.data_path);
    if let Some(collector) = node.collector() {
        container.user.clone_from(&collector.user);
        container.mounts.extend(collector.mounts.iter().cloned());
        storage(&mut container, node, collector, version.value, &layout);
    } else {
        data(&mut container, node, &layout);
    }
    certificates::mount(&mut container, system, id, product);
    match system.platform.value {
        Platform::Compose => {
            publish(&mut container, system, id, ports);
            container.health = health_check(&container, node);
            depend(&mut container, system, id, circles);
        }
        Platform::Kubernetes => pods::place(&mut container, system, node),
    }
    if node.collector().is_some() || node.store().is_some() {
        let reason = "time to hand on or write down what is in memory before the process is killed";
        container.stop_grace =
            Some(Sourced::new(Period::from_secs(30), Origin::builtin(NAME, reason, &[&node.origin])));
    }
    Some(container)
}

fn files(container: &mut Container, node: &Node, product: Product, config_path: Option<&str>) {
    let Some(config_path) = config_path else { return };
    let name = &node.name;
    let extension = config_path.rsplit('.').next().filter(|it| !it.contains('/')).unwrap_or("yaml");
    let origin = Origin::fact(NAME, format!("where {} is told to look for it", node.title()), &[&node.origin]);
    let mut add = |role: &'static str, path: String, target: String| {
        container.files.push(ConfigFile { role, path, target, origin: origin.clone() });
    };
    if let Some(viewer) = node.viewer() {
        // Here the path is the folder of provisioning files.
        add(
            "datasources",
            format!("{name}/provisioning/datasources/datasources.yaml"),
            format!("{config_path}/datasources/datasources.yaml"),
        );
        if !viewer.dashboards.is_empty() {
            add(
                "dashboards",
                format!("{name}/provisioning/dashboards/dashboards.yaml"),
                format!("{config_path}/dashboards/dashboards.yaml"),
            );
        }
        for dashboard in &viewer.dashboards {
            let file = format!("{}.json", dashboard.uid);
            add("dashboard", format!("{name}/dashboards/{file}"), format!("{DASHBOARDS}/{file}"));
        }
        return;
    }
    add("config", format!("configs/{name}.{extension}"), config_path.to_owned());
    let has_alerts = node.store().and_then(Store::prometheus).is_some_and(|facet| !facet.alerts.is_empty());
    if product == Product::Prometheus && has_alerts {
        let folder = config_path.rsplit_once('/').map_or("", |(folder, _)| folder);
        add(
            "rules",
            format!("configs/{name}-rules/pipeline-health.yml"),
            format!("{folder}/rules/pipeline-health.yml"),
        );
    }
    if let Some(tls) = node.tls().filter(|_| product == Product::Prometheus) {
        let folder = config_path.rsplit_once('/').map_or("", |(folder, _)| folder);
        let reason = "Prometheus keeps what it encrypts with in a file of its own";
        let (path, target) = (format!("configs/{name}-web.yml"), format!("{folder}/web.yml"));
        let origin = Origin::fact(NAME, reason, &[&tls.origin]);
        container.files.push(ConfigFile { role: "web", path, target, origin });
    }
}

/// Where dashboards lie inside Grafana's container; the dashboard provider names it.
const DASHBOARDS: &str = "/etc/grafana/dashboards";

fn command(container: &mut Container, node: &Node, data_path: Option<&str>) {
    let origin =
        Origin::fact(NAME, format!("how {} is told where its configuration is", node.title()), &[&node.origin]);
    let Some(config) = container.file("config").map(|file| file.target.clone()) else { return };
    let web = container.file("web").map(|file| (format!("--web.config.file={}", file.target), file.origin.clone()));
    let mut say = |text: String, origin: &Origin| container.command.push(Sourced::new(text, origin.clone()));
    match &node.kind {
        NodeKind::Collector(_) => say(format!("--config={config}"), &origin),
        NodeKind::Alerter(_) => {
            say(format!("--config.file={config}"), &origin);
            let reason = "a `command` replaces the image's own, which names this path too";
            let origin = Origin::fact(NAME, reason, &[&node.origin]);
            say(format!("--storage.path={}", data_path.unwrap_or_default()), &origin);
        }
        NodeKind::Store(store) => match &store.facet {
            StoreFacet::Prometheus(facet) => {
                say(format!("--config.file={config}"), &origin);
                let reason = "a `command` replaces the image's own, which names this path too";
                let own = Origin::fact(NAME, reason, &[&node.origin]);
                say(format!("--storage.tsdb.path={}", data_path.unwrap_or_default()), &own);
                if let Some((text, origin)) = web {
                    say(text, &origin);
                }
                for flag in &facet.flags {
                    let text = flag
                        .value
                        .as_ref()
                        .map_or_else(|| format!("--{}", flag.name), |value| format!("--{}={value}", flag.name));
                    say(text, &flag.origin);
                }
            }
            StoreFacet::Loki(_) | StoreFacet::Tempo(_) | StoreFacet::Mimir(_) => {
                say(format!("-config.file={config}"), &origin);
            }
            StoreFacet::Jaeger(_) => say(format!("--config={config}"), &origin),
        },
        NodeKind::Viewer(_)
        | NodeKind::Informer(_)
        | NodeKind::Proxy(_)
        | NodeKind::Broker(_)
        | NodeKind::External(_) => {}
    }
}

fn data(container: &mut Container, node: &Node, layout: &Layout) {
    let Some(path) = layout.data_path else { return };
    let needed = match &node.kind {
        NodeKind::Store(store) => match &store.facet {
            StoreFacet::Jaeger(Some(storage)) if storage.value == JaegerStorage::Memory => None,
            _ => Some(node.origin.clone()),
        },
        _ => Some(node.origin.clone()),
    };
    let Some(because) = needed else { return };
    keep(container, node, format!("{}-data", node.name), path, &because, layout);
}

/// Each folder that a storage extension of a collector writes to, unless the stack mounts one there.
fn storage(container: &mut Container, node: &Node, collector: &Collector, version: Version, layout: &Layout) {
    for extension in collector.of_kind(ComponentKind::Extension).filter(|it| collector.is_enabled(&it.id)) {
        let Some(folder) = extension.storage_directory(version).filter(|it| it.value.starts_with('/')) else {
            continue;
        };
        if container.mount_of(&folder.value).is_some() {
            continue;
        }
        let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
        let name = if layout.data_path == Some(folder.value.as_str()) {
            "data".to_owned()
        } else {
            extension.id.to_string().chars().map(plain).collect()
        };
        keep(container, node, format!("{}-{name}", node.name), &folder.value, &extension.origin, layout);
    }
}

/// A named volume at `path`, given to the user of the node where its image does not see to that.
fn keep(container: &mut Container, node: &Node, volume: String, path: &str, because: &Origin, layout: &Layout) {
    let origin = Origin::derived(NAME, "a named volume: the data outlives the container", &[because, &node.origin]);
    let source = MountSource::Volume(volume);
    container.mounts.push(Mount { source, target: path.to_owned(), read_only: false, origin });
    if !layout.data_owned {
        let reason = layout.owner_reason.map_or_else(
            || {
                format!(
                    "the image of {} does not hold this folder, so a new volume belongs to root, and the process is \
                     not root",
                    node.title()
                )
            },
            str::to_owned,
        );
        container.owned_paths.push(Sourced::new(path.to_owned(), Origin::fact(NAME, reason, &[because, &node.origin])));
    }
}

/// Collectors take telemetry from outside the stack, and Grafana asks for a password: they are open to
/// the network. The rest answers anyone who asks, so only this host may.
fn publish(container: &mut Container, system: &System, id: NodeId, ports: &mut HostPorts) {
    const HOST_ONLY: &str = "127.0.0.1";
    let node = system.node(id);
    let dialled: Vec<u16> = telemetry_into(system, id)
        .into_iter()
        .filter_map(|edge| system.edge(edge).dial.as_ref().map(|dial| dial.port))
        .collect();
    let fed_from_inside: Vec<_> =
        node.listeners.iter().filter(|it| dialled.contains(&it.port)).map(|it| &it.owner).collect();
    let mut add = |listener: &Listener, open: bool, what: &str, origin: Origin| {
        let (port, transport) = (listener.port, listener.transport);
        if container.published.iter().any(|known| (known.container_port, known.transport) == (port, transport)) {
            return;
        }
        let host_ip = (!open).then(|| HOST_ONLY.to_owned());
        let Some(host_port) = ports.take(port, transport) else { return };
        let origin = if host_port == port {
            origin
        } else {
            let reason = format!("{port} of this host belongs to another service: the next free one");
            Origin::derived(NAME, reason, &[&origin])
        };
        let what = what.to_owned();
        container.published.push(Published { host_ip, host_port, container_port: port, transport, what, origin });
    };
    let mut listeners: Vec<_> = node.listeners.iter().collect();
    // A port that is both is better called by what people open.
    listeners.sort_by_key(|it| it.name != "ui");
    for listener in listeners {
        match &node.kind {
            // A receiver that other collectors feed is theirs: applications send to those.
            NodeKind::Collector(_) if fed_from_inside.contains(&&listener.owner) => {}
            NodeKind::Collector(_) if !listener.signals.is_empty() => {
                let origin = Origin::derived(
                    NAME,
                    "applications outside the stack send here",
                    &[&listener.origin, &node.origin],
                );
                add(listener, true, &spoken(listener), origin);
            }
            NodeKind::Collector(_) if listener.name != "metrics" => {
                let reason = "for a look from this host only; it has no authentication";
                let origin = Origin::builtin(NAME, reason, &[&listener.origin, &node.origin]);
                add(listener, false, &spoken(listener), origin);
            }
            NodeKind::Viewer(_) if matches!(listener.name.as_str(), "ui" | "query") => {
                let origin = Origin::derived(NAME, "people open it in a browser", &[&node.origin]);
                add(listener, true, "user interface", origin);
            }
            NodeKind::Store(_) | NodeKind::Alerter(_) if matches!(listener.name.as_str(), "ui" | "query") => {
                let reason = "for a look from this host only; it answers anyone who asks";
                let what = if listener.name == "ui" { "user interface" } else { "queries" };
                add(listener, false, what, Origin::builtin(NAME, reason, &[&node.origin]));
            }
            _ => {}
        }
    }
}

/// What a port of a collector is there for: its protocol, or the component where the protocol says nothing.
fn spoken(listener: &Listener) -> String {
    let says_nothing = [Protocol::HTTP, Protocol::raw(listener.transport)].contains(&listener.protocol);
    match &listener.owner {
        Some(_) if listener.name == "health" => listener.name.clone(),
        Some(owner) if says_nothing => owner.id.ty.replace('_', " "),
        _ if listener.protocol == Protocol::EXPOSITION => "metrics for Prometheus".to_owned(),
        _ => listener.protocol.title().to_owned(),
    }
}

fn health_check(container: &Container, node: &Node) -> Option<HealthCheck> {
    let image = &container.image.value;
    let facts = image_facts(&image.repository, &image.tag)?;
    let origin = |reason: String| Origin::fact(NAME, reason, &[&container.image.origin, &node.origin]);
    // Loki's ingester waits before it says that it is ready.
    let start_period = Period::from_secs(30);
    let probe = ["ready", "health"].iter().find_map(|name| node.listeners.iter().find(|it| it.name == *name));
    let encrypted = probe.is_some_and(|listener| listener.tls != Known::Value(Tls::Off));
    if let (true, Some(listener)) = (facts.has_wget, probe) {
        let address = format!("127.0.0.1:{}{}", listener.port, listener.path.as_deref().unwrap_or("/"));
        let mut command = ["wget", "--spider", "-q"].map(str::to_owned).to_vec();
        if encrypted {
            // The certificate is for the node's name, and the question is only whether it answers.
            command.push("--no-check-certificate".to_owned());
        }
        command.push(format!("{}://{address}", if encrypted { "https" } else { "http" }));
        let origin = origin(format!("the image of {} has wget", node.title()));
        return Some(HealthCheck { command, shell: false, start_period, origin });
    }
    if encrypted {
        // The image's own check asks in plain text, or trusts public authorities only.
        return None;
    }
    let command = facts.builtin_health?.into_iter().map(str::to_owned).collect();
    let origin = origin(format!("the image of {} has no wget, but a check of its own", node.title()));
    Some(HealthCheck { command, shell: false, start_period, origin })
}

/// Nodes on a circle do not wait for each other: two services that do never start.
fn depend(container: &mut Container, system: &System, id: NodeId, circles: &Circles) {
    let node = system.node(id);
    for (edge, to) in system.outgoing(id, if node.viewer().is_some() { Purpose::Query } else { Purpose::Telemetry }) {
        let other = system.node(to);
        if matches!(other.kind, NodeKind::External(_))
            || container.depends_on.iter().any(|known| known.node == other.name)
            || circles.join(id, to)
        {
            continue;
        }
        let reason = "started together; not waited for: queues and retries cover the time until it is ready";
        let origin = Origin::derived(NAME, reason, &[&system.edge(edge).origin]);
        container.depends_on.push(Dependency { node: other.name.clone(), healthy: false, completed: false, origin });
    }
}
