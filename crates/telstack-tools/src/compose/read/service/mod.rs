//! One service: the container that it describes.

mod dockerfile;
mod environment;
mod mounts;
mod network;
mod ports;
mod start;

use telstack_catalog::product::{self, Running};
use telstack_syntax::tree::Kind;
use telstack_system::{
    Container, ContainerGaps, Dependency, HealthCheck, ImageRef, Known, Origin, Resources, Settings, Sourced, Value,
    units::{Bytes, Cpu, Period},
};

pub(super) use mounts::parts;

use super::values::{Variables, word, words};
use crate::{folder::Folder, image::image_ref};

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
        named.chain(self.networks().into_iter().flat_map(|it| it.aliases)).collect()
    }

    /// The container, and what is known to run in it; none for a service that names no image and builds none.
    pub(super) fn container(
        &self,
        name: &str,
        named: &dyn Fn(&str) -> Option<String>,
        folder: &mut Folder<'_>,
    ) -> Option<(Container, Option<Running>)> {
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
        let dockerfile = self.built(folder);
        container.base = dockerfile.as_ref().and_then(|it| {
            let from = it.from.as_ref()?;
            Some(Sourced::new(image_ref(&from.value), from.origin.clone()))
        });
        let runs = if build.is_some() { container.base.as_ref() } else { Some(&container.image) };
        let runs = runs.map(|it| it.value.clone());
        let told = self.started(dockerfile.as_ref(), runs.as_ref());
        let running = runs.filter(|_| told.is_some()).and_then(|it| product::running(&it.repository, &it.tag));
        container.command = told.unwrap_or_default();
        self.environment(&mut container, folder);
        container.published = self.ports();
        self.mounts(&mut container, folder);
        self.copies(&mut container, dockerfile.as_ref());
        container.health = self.health();
        container.depends_on = self.depends_on();
        container.resources = self.resources();
        container.replicas = self.replicas();
        if !container.runs() {
            container.published.clear();
        }
        container.stop_grace = period(self.word("stop_grace_period"));
        container.profiles = self.list("profiles").into_iter().map(|it| it.value).collect();
        container.read_only_root =
            self.settings.get("read_only").and_then(|it| Some(Sourced::new(it.as_bool()?, it.mark.clone())));
        container.network = self.network(named);
        container.networks = self.networks();
        container.hosts = self.hosts();
        container.links = self.links();
        Some((container, running))
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
    fn sizes() {
        let mib = |text: &str| size(text).map(Bytes::mib);
        assert_eq!((mib("2G"), mib("512m"), mib("1.5gb")), (Some(2048), Some(512), Some(1536)));
        assert_eq!((size("7"), size("x"), size("99999999999T")), (Some(Bytes::new(7)), None, None));
    }
}
