//! One service: the container that it describes.

use std::{collections::HashMap, rc::Rc};

use telstack_catalog::otelcol::Transport;
use telstack_syntax::tree::Kind;
use telstack_system::{
    Container, ContainerGaps, Dependency, EnvValue, EnvVar, HealthCheck, ImageRef, Known, Mount, MountSource, Network,
    Origin, Published, Resources, SecretRef, Settings, Sourced, Value,
    units::{Bytes, Cpu, Period},
};

use super::values::{self, Variables, env_file, word, words};
use crate::folder::Folder;

/// Most ports that a range may stand for.
const MOST_PORTS: u16 = 1_000;

/// A service as written.
pub(super) struct Service<'a> {
    pub(super) variables: &'a Variables,
    pub(super) settings: &'a Settings,
    /// Top-level `configs` and `secrets`: their files.
    pub(super) shared: &'a Settings,
    /// The key that names it.
    pub(super) origin: &'a Origin,
}

impl Service<'_> {
    fn word(&self, key: &str) -> Option<Sourced<String>> {
        word(self.settings.get(key)?, self.variables)
    }

    fn list(&self, key: &str) -> Vec<Sourced<String>> {
        self.settings.get(key).map(|value| words(value, self.variables)).unwrap_or_default()
    }

    fn items(&self, key: &str) -> &[Value] {
        self.settings.get(key).and_then(Value::as_seq).unwrap_or_default()
    }

    /// The names by which others dial it, besides that of the service.
    pub(super) fn aliases(&self) -> Vec<String> {
        let named = ["container_name", "hostname"].into_iter().filter_map(|key| self.word(key)).map(|it| it.value);
        let networks = self.settings.get("networks").and_then(Value::as_map).into_iter().flatten();
        let more = networks.filter_map(|network| network.value.at("aliases"));
        named.chain(more.flat_map(|list| words(list, self.variables)).map(|it| it.value)).collect()
    }

    /// The container; none for a service that names no image and builds none.
    pub(super) fn container(&self, name: &str, folder: &mut Folder<'_>) -> Option<Container> {
        let build = self.settings.entry("build");
        let image = match (self.word("image"), build) {
            (Some(image), _) => Sourced::new(image_ref(&image.value), image.origin),
            // It is called after the service, in the project.
            (None, Some(build)) => {
                let image = ImageRef { repository: name.to_owned(), tag: "latest".to_owned() };
                Sourced::new(image, build.key_mark.clone())
            }
            (None, None) => return None,
        };
        let mut container = Container::new(image, self.origin.clone());
        if build.is_some() || self.settings.contains("extends") || self.settings.contains("volumes_from") {
            container.gaps = ContainerGaps { files: true, env: true };
        }
        container.user = self.word("user");
        container.command = self.command();
        self.environment(&mut container, folder);
        container.published = self.ports();
        self.mounts(&mut container, folder);
        container.health = self.health();
        container.depends_on = self.depends_on();
        container.resources = self.resources();
        container.replicas = self.replicas();
        container.stop_grace = period(self.word("stop_grace_period"));
        container.profiles = self.list("profiles").into_iter().map(|it| it.value).collect();
        container.network = match self.word("network_mode").map(|it| it.value) {
            None => Network::Own,
            Some(mode) if mode == "host" => Network::Host,
            Some(mode) if mode == "bridge" => Network::Own,
            Some(mode) => Network::Other(mode),
        };
        Some(container)
    }

    /// Is the image built here?
    pub(super) fn is_built(&self) -> bool {
        self.settings.contains("build")
    }

    fn command(&self) -> Vec<Sourced<String>> {
        let of = |key: &str| match self.settings.get(key) {
            Some(value) if value.as_seq().is_none() => {
                let line = word(value, self.variables);
                let split = |line: Sourced<String>| -> Vec<Sourced<String>> {
                    values::split(&line.value).into_iter().map(|it| Sourced::new(it, line.origin.clone())).collect()
                };
                line.map(split).unwrap_or_default()
            }
            _ => self.list(key),
        };
        // What follows the program of an entry point is an argument like those of the command.
        let mut all = of("entrypoint");
        if !all.is_empty() {
            all.remove(0);
        }
        all.extend(of("command"));
        all
    }

    fn environment(&self, container: &mut Container, folder: &mut Folder<'_>) {
        let mut found: Vec<EnvVar> = Vec::new();
        let mut places: HashMap<String, usize> = HashMap::new();
        let mut set = |name: &str, value: EnvValue, origin: &Origin| {
            let variable = EnvVar { name: name.to_owned(), value, origin: origin.clone() };
            if let Some(at) = places.get(name) {
                found[*at] = variable;
            } else {
                places.insert(name.to_owned(), found.len());
                found.push(variable);
            }
        };
        for item in
            self.settings.get("env_file").into_iter().flat_map(|it| it.as_seq().unwrap_or(std::slice::from_ref(it)))
        {
            let Some(path) = word(item.at("path").unwrap_or(item), self.variables) else { continue };
            match folder.at(&path.value, &path.origin) {
                Some(file) => {
                    for (name, value) in env_file(&file.text, self.variables) {
                        set(&name, EnvValue::Literal(value), &path.origin);
                    }
                }
                // It is not there, or not here: secrets are kept out of repositories.
                None => container.gaps.env = true,
            }
        }
        match self.settings.get("environment").map(|it| &it.kind) {
            Some(Kind::Map(map)) => {
                for entry in map {
                    set(&entry.key, self.variable(&entry.key, Some(&entry.value)), &entry.value.mark);
                }
            }
            Some(Kind::Seq(seq)) => {
                for item in &seq.items {
                    let Some(text) = item.as_str() else { continue };
                    let (name, value) = text.split_once('=').map_or((text, None), |(name, value)| (name, Some(value)));
                    let value = value.map(|value| Value::string(value, item.mark.clone()));
                    set(name, self.variable(name, value.as_ref()), &item.mark);
                }
            }
            _ => {}
        }
        container.env = found;
    }

    /// A variable without a value is handed through from outside.
    fn variable(&self, name: &str, value: Option<&Value>) -> EnvValue {
        let handed_on = |name: &str| EnvValue::Required(SecretRef::Env(name.to_owned()));
        let Some(value) = value else { return handed_on(name) };
        let from_outside = value.as_str().and_then(values::required).filter(|it| !self.variables.contains_key(*it));
        match (from_outside, word(value, self.variables)) {
            (Some(name), _) => handed_on(name),
            (None, Some(text)) => EnvValue::Literal(text.value),
            (None, None) => handed_on(name),
        }
    }

    fn ports(&self) -> Vec<Published> {
        let mut found = Vec::new();
        for item in self.items("ports") {
            let long = item.as_map();
            let part = |key: &str| word(long?.get(key)?, self.variables).map(|it| it.value);
            let text = word(item, self.variables).map(|it| it.value).unwrap_or_default();
            let (ip, host, inside) = match long {
                Some(_) => (part("host_ip"), part("published"), part("target")),
                None => short_port(&text),
            };
            let udp = text.ends_with("/udp") || part("protocol").as_deref() == Some("udp");
            let transport = if udp { Transport::Udp } else { Transport::Tcp };
            // Without a port of the host, docker picks one.
            let (Some(host), Some(inside)) = (host.as_deref().and_then(range), inside.as_deref().and_then(range))
            else {
                continue;
            };
            let ip = ip.filter(|ip| !matches!(ip.as_str(), "0.0.0.0" | "::" | ""));
            let count = inside.1.abs_diff(inside.0).min(host.1.abs_diff(host.0)).min(MOST_PORTS);
            for at in 0..=count {
                let (Some(host_port), Some(container_port)) = (host.0.checked_add(at), inside.0.checked_add(at)) else {
                    break;
                };
                let (what, origin) = (String::new(), item.mark.clone());
                let new = Published { host_ip: ip.clone(), host_port, container_port, transport, what, origin };
                // The same one in another file is the same one.
                if !found.iter().any(|it: &Published| Published { origin: it.origin.clone(), ..new.clone() } == *it) {
                    found.push(new);
                }
            }
        }
        found
    }

    fn mounts(&self, container: &mut Container, folder: &mut Folder<'_>) {
        let mut found = Vec::new();
        for item in self.items("volumes") {
            let mount = match (item.as_map(), word(item, self.variables)) {
                (Some(long), _) => self.long_mount(long),
                (None, Some(text)) => short_mount(&text.value),
                (None, None) => None,
            };
            match mount {
                Some((source, target, read_only)) => {
                    let source = self.device(source);
                    found.push(Mount { source, target, read_only, origin: item.mark.clone() });
                }
                None => container.gaps.files = true,
            }
        }
        for path in self.list("tmpfs") {
            let target = path.value.split(':').next().unwrap_or_default().to_owned();
            found.push(Mount { source: MountSource::Ephemeral, target, read_only: false, origin: path.origin });
        }
        for (key, root) in [("configs", "/"), ("secrets", "/run/secrets/")] {
            for item in self.items(key) {
                let Some(name) = word(item.at("source").unwrap_or(item), self.variables) else { continue };
                let target = item.at("target").and_then(|it| word(it, self.variables)).map(|it| it.value);
                let target = target.unwrap_or_else(|| name.value.clone());
                let target = if target.starts_with('/') { target } else { format!("{root}{target}") };
                let definition = self.shared.get(key).and_then(|all| all.as_map()?.get(&name.value));
                let source = self.shared_file(&format!("{key}.{}", name.value), definition, &item.mark, folder);
                found.push(Mount { source, target, read_only: true, origin: item.mark.clone() });
            }
        }
        container.mounts = found;
    }

    /// The file that a config or secret is: one beside the compose file, or inside of the compose file itself.
    fn shared_file(&self, name: &str, definition: Option<&Value>, by: &Origin, folder: &mut Folder<'_>) -> MountSource {
        if let Some(file) = definition.and_then(|it| word(it.at("file")?, self.variables)) {
            // The place of a mount says where its path starts; here the definition's does.
            let here = folder.base_of(by);
            if folder.base_of(&file.origin) == here {
                return MountSource::Bind(file.value);
            }
            let resolved = folder.resolve(&file.value, &file.origin);
            return MountSource::Bind(resolved.map_or(file.value, |path| format!("{}{path}", up(here))));
        }
        if let Some(content) = definition.and_then(|it| it.at("content")) {
            let variables = self.variables.clone();
            let path = folder.resolve(name, by).unwrap_or_else(|| name.to_owned());
            folder.embed(&path, content, Some(Rc::new(move |text| values::interpolate(text, &variables))));
            return MountSource::Bind(name.to_owned());
        }
        // It is made elsewhere.
        MountSource::Bind(format!("/{name}"))
    }

    /// A volume that is a folder of the host under a name.
    fn device(&self, source: MountSource) -> MountSource {
        let MountSource::Volume(name) = &source else { return source };
        let volume = self.shared.get("volumes").and_then(|all| all.as_map()?.get(name));
        let device = volume.and_then(|it| word(it.at("driver_opts.device")?, self.variables));
        match device.filter(|it| it.value.starts_with(['/', '.', '~', '$'])) {
            Some(device) => MountSource::Bind(device.value),
            None => source,
        }
    }

    fn long_mount(&self, long: &Settings) -> Option<(MountSource, String, bool)> {
        let part = |key: &str| word(long.get(key)?, self.variables).map(|it| it.value);
        let source = match (part("type").as_deref(), part("source")) {
            (Some("tmpfs"), _) | (_, None) => MountSource::Ephemeral,
            (Some("bind"), Some(path)) => MountSource::Bind(from_here(&path)),
            (_, Some(name)) => MountSource::Volume(name),
        };
        let read_only = long.get("read_only").and_then(Value::as_bool).unwrap_or_default();
        Some((source, part("target")?, read_only))
    }

    fn health(&self) -> Option<HealthCheck> {
        let check = self.settings.get("healthcheck")?;
        let off = check.at("disable").and_then(Value::as_bool).unwrap_or_default();
        let test = check.at("test").filter(|_| !off)?;
        let mut command: Vec<String> = words(test, self.variables).into_iter().map(|it| it.value).collect();
        let shell = if test.as_seq().is_some() && !command.is_empty() {
            match command.remove(0).as_str() {
                "CMD" => false,
                "CMD-SHELL" => true,
                // Switched off, or nothing that compose knows.
                _ => return None,
            }
        } else {
            true
        };
        let start_period = check.at("start_period").and_then(|it| word(it, self.variables));
        let start_period = period(start_period).map_or(Period::from_secs(0), |it| it.value);
        Some(HealthCheck { command, shell, start_period, origin: check.mark.clone() })
    }

    fn depends_on(&self) -> Vec<Dependency> {
        let Some(value) = self.settings.get("depends_on") else { return Vec::new() };
        let on = |node: &str, condition: &str, origin: &Origin| Dependency {
            node: node.to_owned(),
            healthy: condition == "service_healthy",
            completed: condition == "service_completed_successfully",
            origin: origin.clone(),
        };
        match &value.kind {
            Kind::Map(map) => {
                let condition =
                    |value: &Value| value.at("condition").and_then(Value::as_str).unwrap_or_default().to_owned();
                map.iter().map(|entry| on(&entry.key, &condition(&entry.value), &entry.key_mark)).collect()
            }
            _ => words(value, self.variables).iter().map(|name| on(&name.value, "", &name.origin)).collect(),
        }
    }

    fn replicas(&self) -> Known<Sourced<u64>> {
        let deployed = self.settings.get("deploy").and_then(|it| it.at("replicas"));
        let Some(value) = deployed.or_else(|| self.settings.get("scale")) else { return Known::Absent };
        let number = word(value, self.variables).and_then(|it| Some(Sourced::new(it.value.parse().ok()?, it.origin)));
        number.map_or(Known::Unknown, Known::Value)
    }

    fn resources(&self) -> Resources {
        let at = |path: &str| {
            let (key, rest) = path.split_once('.').unwrap_or((path, ""));
            word(self.settings.get(key)?.at(rest)?, self.variables)
        };
        let cpu = |path: &str| at(path).and_then(|it| Some(Sourced::new(Cpu::parse(&it.value)?, it.origin)));
        let memory = |path: &str| at(path).and_then(|it| Some(Sourced::new(size(&it.value)?, it.origin)));
        Resources {
            cpu: cpu("deploy.resources.limits.cpus").or_else(|| cpu("cpus")),
            memory: memory("deploy.resources.limits.memory").or_else(|| memory("mem_limit")),
            cpu_request: cpu("deploy.resources.reservations.cpus"),
            memory_request: memory("deploy.resources.reservations.memory").or_else(|| memory("mem_reservation")),
        }
    }
}

/// `registry:5000/repository:tag@digest`; without a tag it is the digest, and `latest` without both.
pub(super) fn image_ref(text: &str) -> ImageRef {
    let (named, digest) = text.split_once('@').map_or((text, None), |(named, digest)| (named, Some(digest)));
    // A colon in front of a slash belongs to the registry, one inside `${…}` to a variable.
    let start = named.rfind('/').map_or(0, |at| at + 1);
    let (repository, tag) = match named[start..].find(':') {
        Some(at) => (&named[..start + at], &named[start + at + 1..]),
        None => (named, digest.unwrap_or("latest")),
    };
    ImageRef { repository: repository.to_owned(), tag: tag.to_owned() }
}

/// Address, port of the host and port inside of `127.0.0.1:8080:80/tcp`.
fn short_port(text: &str) -> (Option<String>, Option<String>, Option<String>) {
    let text = text.split_once('/').map_or(text, |(ports, _)| ports);
    let mut parts = text.rsplitn(3, ':');
    let (inside, host, ip) = (parts.next(), parts.next(), parts.next());
    (ip.map(|it| it.trim_matches(['[', ']']).to_owned()), host.map(str::to_owned), inside.map(str::to_owned))
}

/// The first and the last port of `80` or `80-90`.
fn range(text: &str) -> Option<(u16, u16)> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    Some((first.trim().parse().ok()?, last.trim().parse().ok()?)).filter(|(first, last)| first <= last)
}

/// The working folder is that of the project, as a rule.
fn from_here(path: &str) -> String {
    let rest = ["${PWD}", "$PWD"].iter().find_map(|here| path.strip_prefix(here));
    rest.filter(|rest| rest.starts_with('/')).map_or_else(|| path.to_owned(), |rest| format!(".{rest}"))
}

/// The way from a folder up to where all paths start.
fn up(base: &str) -> String {
    base.split('/').filter(|part| !part.is_empty()).map(|_| "../").collect()
}

/// The parts of a text between colons, those inside `${…}` left alone.
pub(super) fn parts(text: &str) -> Vec<&str> {
    let (mut found, mut start, mut depth) = (Vec::new(), 0, 0_usize);
    for (at, c) in text.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            ':' if depth == 0 => {
                found.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    found.push(&text[start..]);
    found
}

/// `source:target:mode`; without a source the volume has no name, and ends with the container.
fn short_mount(text: &str) -> Option<(MountSource, String, bool)> {
    let parts = parts(text);
    let (source, target, mode) = match parts.as_slice() {
        [target] => (None, target, ""),
        [source, target] => (Some(source), target, ""),
        [source, target, mode] => (Some(source), target, *mode),
        _ => return None,
    };
    let source = match source {
        None => MountSource::Ephemeral,
        Some(path) if path.starts_with(['/', '.', '~', '$']) => MountSource::Bind(from_here(path)),
        Some(name) => MountSource::Volume((*name).to_owned()),
    };
    Some((source, (*target).to_owned(), mode.split(',').any(|it| it == "ro")))
}

fn period(text: Option<Sourced<String>>) -> Option<Sourced<Period>> {
    let text = text?;
    Some(Sourced::new(Period::parse(&text.value)?, text.origin))
}

/// Compose's sizes are powers of two: `2g`, `512M`, `64kb`, `1024`.
fn size(text: &str) -> Option<Bytes> {
    let text = text.trim().to_ascii_lowercase();
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let shift = match text[digits..].trim() {
        "" | "b" => 0,
        "k" | "kb" | "kib" => 10,
        "m" | "mb" | "mib" => 20,
        "g" | "gb" | "gib" => 30,
        "t" | "tb" | "tib" => 40,
        _ => return None,
    };
    if let Ok(whole) = text[..digits].parse::<u64>() {
        return whole.checked_mul(1_u64 << shift).map(Bytes::new);
    }
    let number: f64 = text[..digits].parse().ok()?;
    #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    Some(Bytes::new((number * (1_u64 << shift) as f64) as u64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images() {
        let read = |text: &str| image_ref(text);
        let is = |repository: &str, tag: &str| ImageRef { repository: repository.to_owned(), tag: tag.to_owned() };
        assert_eq!(read("grafana/loki:3.7.6"), is("grafana/loki", "3.7.6"));
        assert_eq!(read("localhost:5000/loki"), is("localhost:5000/loki", "latest"));
        assert_eq!(read("a/b:1.2@sha256:ff"), is("a/b", "1.2"));
        assert_eq!(read("a/b@sha256:ff"), is("a/b", "sha256:ff"));
        assert_eq!(read("a/b:${TAG:-x}"), is("a/b", "${TAG:-x}"));
    }

    #[test]
    fn ports() {
        let read = |text: &str| short_port(text);
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(read("8080:80"), (None, some("8080"), some("80")));
        assert_eq!(read("127.0.0.1:8080:80/udp"), (some("127.0.0.1"), some("8080"), some("80")));
        assert_eq!(read("[::1]:8080:80"), (some("::1"), some("8080"), some("80")));
        assert_eq!(read("80"), (None, None, some("80")));
        assert_eq!(
            (range("80"), range("80-82"), range("82-80"), range("x")),
            (Some((80, 80)), Some((80, 82)), None, None)
        );
    }

    #[test]
    fn sizes() {
        let mib = |text: &str| size(text).map(Bytes::mib);
        assert_eq!((mib("2G"), mib("512m"), mib("1.5gb")), (Some(2048), Some(512), Some(1536)));
        assert_eq!((size("7"), size("x"), size("99999999999T")), (Some(Bytes::new(7)), None, None));
    }

    #[test]
    fn mounts() {
        let volume = |name: &str| MountSource::Volume(name.to_owned());
        let bind = |path: &str| MountSource::Bind(path.to_owned());
        assert_eq!(short_mount("data:/d"), Some((volume("data"), "/d".to_owned(), false)));
        assert_eq!(short_mount("./a:/d:ro,z"), Some((bind("./a"), "/d".to_owned(), true)));
        assert_eq!(short_mount("/d"), Some((MountSource::Ephemeral, "/d".to_owned(), false)));
        assert_eq!(short_mount("a:b:c:d"), None);
    }
}
