//! One service of the compose file.

use std::collections::HashMap;

use telstack_catalog::{
    SignalSet,
    otelcol::Transport,
    product::{Product, image_facts},
};
use telstack_system::{
    ConfigFile, Container, EnvValue, HealthCheck, Mount, MountSource, Node, NodeId, NodeKind, Origin, Published,
    Purpose, Sourced, System, Value,
    units::{Bytes, Cpu},
};

use super::environment;
use crate::{
    Artefact,
    doc::{self, Block, double_dollar},
};

/// What gives volumes to the user of an image that has no shell to do it with.
pub(super) const INIT_IMAGE: &str = "busybox:1.37";
/// A digest of what a service reads from its files, and how much of it is written.
const HASH_LABEL: &str = "telstack.config-hash";
const HASH_BYTES: usize = 6;
/// How often a health check runs, how long it may take, and how often it must fail to count.
const HEALTH_RHYTHM: [(&str, &str); 2] = [("interval", "10s"), ("timeout", "5s")];
const HEALTH_RETRIES: i64 = 5;
/// Log files of a container: at most this large, at most so many.
const LOG_LIMITS: [(&str, &str); 2] = [("max-size", "10m"), ("max-file", "3")];

/// A line that says what the service is there for.
pub(super) fn purpose(system: &System, id: NodeId, node: &Node) -> String {
    let title = doc::title(node);
    match &node.kind {
        NodeKind::Collector(_) => {
            let mut routes: Vec<(SignalSet, Vec<String>)> = Vec::new();
            for (edge, to) in system.outgoing(id, Purpose::Telemetry) {
                let (signals, name) = (system.edge(edge).signals, system.node(to).name.clone());
                match routes.iter_mut().find(|(known, _)| *known == signals) {
                    Some((_, names)) => names.push(name),
                    None => routes.push((signals, vec![name])),
                }
            }
            let sent: Vec<String> =
                routes.iter().map(|(signals, names)| format!("{signals} to {}", doc::enumerate(names))).collect();
            if sent.is_empty() { title } else { format!("{title}: sends {}.", doc::enumerate(&sent)) }
        }
        NodeKind::Store(store) => {
            let mut held = SignalSet::default();
            for signal in
                system.incoming(id, Purpose::Telemetry).iter().flat_map(|(edge, _)| system.edge(*edge).signals.iter())
            {
                held.insert(signal);
            }
            let until = match &store.retention {
                Some(retention) => format!(" for {}", retention.value),
                // The others limit themselves.
                None if store.product() == Product::Loki => " for ever: the stack names no `retention`".to_owned(),
                None => String::new(),
            };
            if held.is_empty() { title } else { format!("{title}: keeps {held}{until}.") }
        }
        NodeKind::Viewer(_) => match system.outgoing(id, Purpose::Query).as_slice() {
            [] => title,
            [(_, one)] => format!("{title}: shows what {} holds.", system.node(*one).name),
            several => {
                let names: Vec<String> = several.iter().map(|(_, to)| system.node(*to).name.clone()).collect();
                format!("{title}: shows what {} hold.", doc::enumerate(&names))
            }
        },
        NodeKind::Alerter(_) => format!("{title}: passes on alerts."),
        NodeKind::Informer(_) | NodeKind::Proxy(_) | NodeKind::Broker(_) | NodeKind::External(_) => title,
    }
}

pub(super) fn purpose_of_init(node: &Node) -> String {
    format!("Gives the volumes of {} to the user that it runs as, then ends.", node.name)
}

/// The service that gives volumes to the user of `node`: its name and definition. None where none is
/// needed, or nobody knows who that user is.
pub(super) fn init(node: &Node, container: &Container) -> Option<(String, Value)> {
    let first = container.owned_paths.first()?;
    let image = &container.image.value;
    let owner = match &container.user {
        Some(user) if user.value.contains(':') => user.value.clone(),
        Some(user) => format!("{0}:{0}", user.value),
        None => image_facts(&image.repository, &image.tag)?.user_id.map(|id| format!("{id}:{id}"))?,
    };
    let origin = &first.origin;
    let root = doc::fact("only root may give files away", &[origin]);
    let once = doc::chosen("it runs once before each start, and touches nothing but the volumes", origin);
    let owner_origin = container.user.as_ref().map_or_else(
        || {
            doc::fact(
                format!("the image {}:{} runs as {owner}", image.repository, image.tag),
                &[&container.image.origin],
            )
        },
        |user| user.origin.clone(),
    );
    let mut command = vec![origin.string("chown"), origin.string("-R"), owner_origin.string(owner)];
    command.extend(container.owned_paths.iter().map(|path| path.origin.string(double_dollar(&path.value))));
    let holds = |mount: &&Mount| {
        let mine = |path: &str| container.mount_of(path) == Some(*mount);
        container.owned_paths.iter().any(|path| mine(&path.value))
    };
    let mut out = Block::new();
    out.put("image", doc::chosen("a small image with `chown`", origin).string(INIT_IMAGE));
    out.put("user", root.string("0"));
    out.put("command", origin.flow(command));
    out.put("volumes", origin.block(container.mounts.iter().filter(holds).filter_map(mount)));
    out.put("network_mode", once.string("none"));
    out.put("restart", once.string("no"));
    Some((container.init_service(&node.name)?, out.finish(origin)))
}

/// The service of a node. `waits_for` must have ended well before it starts; `written` are the files of the stack.
pub(super) fn service(
    node: &Node,
    container: &Container,
    waits_for: Option<&str>,
    written: &HashMap<&str, &Artefact>,
) -> Value {
    let image = &container.image;
    let mut out = Block::new();
    out.put("image", image.origin.string(format!("{}:{}", image.value.repository, image.value.tag)));
    if let Some(user) = &container.user {
        out.put("user", user.origin.string(double_dollar(&user.value)));
    }
    if !container.command.is_empty() {
        let origins = container.command.iter().map(|word| &word.origin);
        let origin = doc::follows_all("its command line", origins, &container.origin);
        let words = container.command.iter().map(|word| word.origin.string(double_dollar(&word.value)));
        // One flag reads well on the key's line, more do not.
        let command = if container.command.len() == 1 { origin.flow(words) } else { origin.block(words) };
        out.put("command", command);
    }
    out.put_some("environment", environment(container));
    if !container.published.is_empty() {
        out.comment(&ports_comment(&container.published));
        let origins = container.published.iter().map(|port| &port.origin);
        let origin = doc::follows_all("what is reachable from outside", origins, &container.origin);
        out.put("ports", origin.block(container.published.iter().map(port)));
    }
    out.put_some("volumes", volumes(container));
    out.put_some("tmpfs", tmpfs(container));
    out.put_some("healthcheck", container.health.as_ref().map(health));
    out.put_some("depends_on", depends_on(container, waits_for));
    out.put_some("deploy", deploy(container));
    out.put_some("labels", labels(container, written));
    let kept = doc::chosen("it comes back after a crash or a reboot, unless somebody stopped it", &container.origin);
    out.put("restart", kept.string("unless-stopped"));
    if let Some(grace) = &container.stop_grace {
        out.put("stop_grace_period", grace.origin.string(grace.value.go()));
    }
    out.put("logging", logging(container));
    out.finish(&node.origin)
}

/// Compose makes a container anew when its service changes, not when a file does that it mounts; and a running
/// container still holds the file as it was, because writers replace a file, not its content.
fn labels(container: &Container, written: &HashMap<&str, &Artefact>) -> Option<Value> {
    let files = container.files.iter().filter_map(|file| Some((file, *written.get(&*file.path)?)));
    let files: Vec<(&ConfigFile, &Artefact)> = files.collect();
    if files.is_empty() {
        return None;
    }
    let parts = files.iter().flat_map(|(file, artefact)| [&*file.target, &*artefact.written.text]);
    let hex = doc::digest(parts, HASH_BYTES);
    let reason = "changes with the files above: `docker compose up -d` then makes the container anew, and only that \
                  shows it a changed file";
    let origin = doc::follows_all(reason, files.iter().map(|(file, _)| &file.origin), &container.origin);
    Some(origin.map([(HASH_LABEL, origin.string(hex))]))
}

fn environment(container: &Container) -> Option<Value> {
    let mut out = Block::new();
    for variable in &container.env {
        let text = match &variable.value {
            EnvValue::Literal(text) => double_dollar(text),
            EnvValue::Required(secret) => environment::reference(secret),
            // Only pods have fields.
            EnvValue::Field(_) => continue,
        };
        out.put(&variable.name, variable.origin.string(text));
    }
    let origins = container.env.iter().map(|variable| &variable.origin);
    out.finish_some(&doc::follows_all("its environment", origins, &container.origin))
}

fn ports_comment(published: &[Published]) -> String {
    let line = |port: &Published| format!("{}{}: {}", port.host_port, transport(port), port.what);
    published.iter().filter(|port| !port.what.is_empty()).map(line).collect::<Vec<_>>().join("\n")
}

/// Compose takes a port without a word for TCP.
fn transport(port: &Published) -> &'static str {
    match port.transport {
        Transport::Tcp => "",
        Transport::Udp => "/udp",
    }
}

fn port(port: &Published) -> Value {
    let pair = format!("{}:{}{}", port.host_port, port.container_port, transport(port));
    port.origin.string(match &port.host_ip {
        Some(ip) if ip.contains(':') => format!("[{ip}]:{pair}"),
        Some(ip) => format!("{ip}:{pair}"),
        None => pair,
    })
}

fn volumes(container: &Container) -> Option<Value> {
    let files = container.files.iter().map(|file| {
        let path = format!("./{}:{}:ro", file.path, file.target);
        file.origin.string(double_dollar(&path))
    });
    let all: Vec<Value> = files.chain(container.mounts.iter().filter_map(mount)).collect();
    let origins: Vec<Origin> = all.iter().map(|value| value.mark.clone()).collect();
    let origin = doc::follows_all("the files it reads and the volumes it writes", &origins, &container.origin);
    (!all.is_empty()).then(|| origin.block(all))
}

fn mount(mount: &Mount) -> Option<Value> {
    let source = match &mount.source {
        MountSource::Volume(name) => name.clone(),
        // Without a slash in front compose takes it for the name of a volume.
        MountSource::Bind(path) if path.starts_with(['/', '.', '~']) => path.clone(),
        MountSource::Bind(path) => format!("./{path}"),
        MountSource::Copied(_) | MountSource::Ephemeral(_) | MountSource::Handed(_) => return None,
    };
    let mode = if mount.read_only { ":ro" } else { "" };
    Some(mount.origin.string(double_dollar(&format!("{source}:{}{mode}", mount.target))))
}

fn tmpfs(container: &Container) -> Option<Value> {
    let ephemeral: Vec<&Mount> =
        container.mounts.iter().filter(|mount| matches!(mount.source, MountSource::Ephemeral(_))).collect();
    let origins = ephemeral.iter().map(|mount| &mount.origin);
    let origin = doc::follows_all("what may be forgotten at each start", origins, &container.origin);
    let paths = ephemeral.iter().map(|mount| mount.origin.string(double_dollar(&mount.target)));
    (!ephemeral.is_empty()).then(|| origin.block(paths))
}

fn health(check: &HealthCheck) -> Value {
    let origin = &check.origin;
    let words = if check.shell {
        vec!["CMD-SHELL".to_owned(), check.command.join(" ")]
    } else {
        std::iter::once("CMD".to_owned()).chain(check.command.iter().cloned()).collect()
    };
    let rhythm = doc::chosen("often enough to notice within a minute, patient enough for a busy host", origin);
    let mut out = Block::new();
    out.put("test", origin.flow(words.iter().map(|word| origin.string(double_dollar(word)))));
    for (key, period) in HEALTH_RHYTHM {
        out.put(key, rhythm.string(period));
    }
    out.put("retries", rhythm.int(HEALTH_RETRIES));
    if check.start_period.millis() > 0 {
        out.put("start_period", origin.string(check.start_period.go()));
    }
    out.finish(origin)
}

fn depends_on(container: &Container, waits_for: Option<&str>) -> Option<Value> {
    let mut out = Block::new();
    let mut origins = Vec::new();
    if let (Some(init), Some(path)) = (waits_for, container.owned_paths.first()) {
        let origin = doc::follows("it cannot write to volumes that are not its own yet", &[&path.origin]);
        out.put(init, origin.map([("condition", origin.string("service_completed_successfully"))]));
        origins.push(origin);
    }
    for dependency in &container.depends_on {
        let condition = match dependency {
            it if it.completed => "service_completed_successfully",
            it if it.healthy => "service_healthy",
            _ => "service_started",
        };
        let origin = &dependency.origin;
        out.put(&dependency.node, origin.map([("condition", origin.string(condition))]));
        origins.push(origin.clone());
    }
    out.finish_some(&doc::follows_all("what must be there first", &origins, &container.origin))
}

fn deploy(container: &Container) -> Option<Value> {
    let resources = &container.resources;
    let limits = amounts(container, resources.cpu.as_ref(), resources.memory.as_ref(), "what it may use of the host");
    let kept =
        amounts(container, resources.cpu_request.as_ref(), resources.memory_request.as_ref(), "what is kept for it");
    let mut block = Block::new();
    let origin = limits.as_ref().or(kept.as_ref())?.mark.clone();
    for (key, amounts) in [("limits", limits), ("reservations", kept)] {
        if let Some(amounts) = amounts {
            block.put(key, amounts);
        }
    }
    Some(origin.map([("resources", block.finish(&origin))]))
}

fn amounts(
    container: &Container,
    cpu: Option<&Sourced<Cpu>>,
    memory: Option<&Sourced<Bytes>>,
    why: &str,
) -> Option<Value> {
    let mut block = Block::new();
    let mut origins = Vec::new();
    if let Some(cpu) = cpu {
        block.put("cpus", cpu.origin.string(cpu.value.to_string()));
        origins.push(&cpu.origin);
    }
    if let Some(memory) = memory {
        block.put("memory", memory.origin.string(size(memory.value)));
        origins.push(&memory.origin);
    }
    block.finish_some(&doc::follows_all(why, origins, &container.origin))
}

/// Compose's spelling: `2G` is 2 GiB.
fn size(bytes: Bytes) -> String {
    let bytes = bytes.bytes();
    let units = [("G", 1_u64 << 30), ("M", 1 << 20), ("K", 1 << 10)];
    let exact = units.into_iter().find(|(_, unit)| bytes >= *unit && bytes.is_multiple_of(*unit));
    exact.map_or_else(|| format!("{bytes}b"), |(letter, unit)| format!("{}{letter}", bytes / unit))
}

fn logging(container: &Container) -> Value {
    let origin = doc::chosen("logs that nobody limits fill the disk", &container.origin);
    let limits = LOG_LIMITS.map(|(key, limit)| (key, origin.string(limit)));
    let driver = doc::fact("what Docker logs with by itself; these limits are its options", &[&container.origin]);
    let mut options = origin.map(limits);
    options.mark = driver.clone();
    origin.map([("driver", driver.string("json-file")), ("options", options)])
}
