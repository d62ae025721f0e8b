//! A container of a pod.

use telstack_catalog::product;
use telstack_system::{
    Container, ContainerPort, EnvValue, EnvVar, Handed, Known, Mount, MountSource, Probe, ProbeAction, ProbeKind,
    Resources, SecretRef, Sourced, Unfilled, Value,
};

use super::{
    configs::{Configs, root},
    objects::Kind,
    values::{at, cpu, number, plain, plain_words, port, seconds, size, transport, word, words},
};
use crate::{
    image::image_ref,
    reading::{items, truth},
};

/// What containers of a pod share while they are read.
pub(super) struct Around<'a> {
    pub(super) configs: &'a Configs,
    pub(super) namespace: Option<&'a str>,
    /// `volumes` of the pod.
    pub(super) volumes: &'a [Value],
    /// Names of the claims that a StatefulSet makes for each pod, and the volume that each is.
    pub(super) own: &'a [(String, String)],
    /// The security context of the pod.
    pub(super) security: Option<&'a Value>,
}

/// The type of a folder of the host that is made where it is not there.
const MADE: &str = "DirectoryOrCreate";
/// Shells, which start what their arguments say.
const SHELLS: [&str; 4] = ["sh", "bash", "ash", "busybox"];

impl Around<'_> {
    /// The container; none for one that names no image. The second: volumes of its own, beyond those of its pod's.
    pub(super) fn container(&self, spec: &Value, own: &mut Vec<String>) -> Option<Container> {
        let image = at(spec, "image").filter(|it| !it.value.trim().is_empty())?;
        let origin = at(spec, "name").map_or_else(|| image.origin.clone(), |it| it.origin);
        let mut container = Container::new(Sourced::new(image_ref(image.value.trim()), image.origin), origin);
        let entry = words(spec, "command");
        let shell = entry.first().is_some_and(|it| SHELLS.contains(&base_name(&it.value)));
        let image = &container.image.value;
        let program = product::image_facts(&image.repository, &image.tag).map(|it| base_name(it.entrypoint));
        let wrapped = entry.first().zip(program).is_some_and(|(it, program)| base_name(&it.value) != program);
        // What follows the program is an argument like the others.
        container.command = entry.into_iter().skip(1).chain(words(spec, "args")).collect();
        // What a script makes and sets, nobody knows, nor what another program does before it starts the image's own.
        container.gaps.files = shell || wrapped;
        container.gaps.env = shell;
        self.environment(spec, &mut container);
        for argument in &mut container.command {
            argument.value = filled(&argument.value, &container.env).0;
        }
        self.mounts(spec, &mut container, own);
        container.ports = items(spec, "ports").iter().filter_map(container_port).collect();
        let probes = [ProbeKind::Liveness, ProbeKind::Readiness, ProbeKind::Startup];
        container.probes = probes.into_iter().filter_map(|kind| probe(kind, spec)).collect();
        container.resources = Resources {
            cpu: cpu(spec, "resources.limits.cpu"),
            memory: size(spec, "resources.limits.memory"),
            cpu_request: cpu(spec, "resources.requests.cpu"),
            memory_request: size(spec, "resources.requests.memory"),
        };
        let own = spec.at("securityContext");
        let first = |key: &str| own.and_then(|it| at(it, key)).or_else(|| at(self.security?, key));
        container.user = match (first("runAsUser"), first("runAsGroup")) {
            (Some(user), Some(group)) => Some(Sourced::new(format!("{}:{}", user.value, group.value), user.origin)),
            // The image's own user, in another group.
            (None, Some(group)) => Some(Sourced::new(format!(":{}", group.value), group.origin)),
            (user, None) => user,
        };
        container.privileged = own.and_then(|it| truth(it, "privileged")).is_some_and(|it| it.value);
        container.read_only_root = own.and_then(|it| truth(it, "readOnlyRootFilesystem"));
        Some(container)
    }

    fn environment(&self, spec: &Value, container: &mut Container) {
        let mut found: Vec<EnvVar> = Vec::new();
        for source in items(spec, "envFrom") {
            let prefix = plain(source, "prefix").unwrap_or_default();
            let named = [(Kind::ConfigMap, "configMapRef.name"), (Kind::Secret, "secretRef.name")];
            let name = named.into_iter().find_map(|(kind, path)| Some((kind, plain(source, path)?)));
            let all = name.and_then(|(kind, name)| self.configs.variables(kind, self.namespace, &name));
            match all {
                Some(all) => all.into_iter().for_each(|(key, value, origin)| {
                    set(&mut found, EnvVar::new(format!("{prefix}{key}"), value, origin));
                }),
                None => container.gaps.env = true,
            }
        }
        for item in items(spec, "env") {
            let Some(name) = at(item, "name") else { continue };
            // Those above, and nothing else, can be named in a value.
            let (value, origin) = match item.at("value").and_then(word) {
                Some(text) => {
                    let (value, open) = filled(&text.value, &found);
                    let unfilled = |other: &str| Unfilled {
                        by: name.value.clone(),
                        name: other.to_owned(),
                        origin: text.origin.clone(),
                    };
                    container.unfilled.extend(open.into_iter().map(unfilled));
                    (EnvValue::Literal(value), text.origin)
                }
                None => match item.at("valueFrom") {
                    Some(from) => self.from(from),
                    None => (EnvValue::Literal(String::new()), name.origin.clone()),
                },
            };
            let filled = item.at("value").and_then(Value::as_str).is_some_and(|it| it.contains("$("));
            set(&mut found, EnvVar { name: name.value, value, origin, filled });
        }
        container.env = found;
    }

    fn from(&self, from: &Value) -> (EnvValue, telstack_system::Origin) {
        let origin = from.mark.clone();
        let unknown = |name: String| EnvValue::Required(SecretRef::Env(name));
        if let Some(field) = plain(from, "fieldRef.fieldPath") {
            return (EnvValue::Field(field), origin);
        }
        if let Some(resource) = plain(from, "resourceFieldRef.resource") {
            return (EnvValue::Field(resource), origin);
        }
        for (kind, path) in [(Kind::ConfigMap, "configMapKeyRef"), (Kind::Secret, "secretKeyRef")] {
            let Some(reference) = from.at(path) else { continue };
            let (Some(name), Some(key)) = (plain(reference, "name"), plain(reference, "key")) else { continue };
            let known = self.configs.variable(kind, self.namespace, &name, &key);
            return known.unwrap_or_else(|| match kind {
                Kind::Secret => (EnvValue::Required(SecretRef::Secret { name, key }), origin),
                _ => (unknown(format!("{name}/{key}")), origin),
            });
        }
        (unknown(String::new()), origin)
    }

    fn mounts(&self, spec: &Value, container: &mut Container, own: &mut Vec<String>) {
        for item in items(spec, "volumeMounts") {
            let (Some(name), Some(target)) = (plain(item, "name"), plain(item, "mountPath")) else {
                container.gaps.files = true;
                continue;
            };
            let below = plain(item, "subPath").filter(|it| !it.is_empty());
            let named = below.clone().or_else(|| plain(item, "subPathExpr"));
            let read_only = truth(item, "readOnly").is_some_and(|it| it.value);
            let sources = self.sources(&name, &mut container.handed);
            let volume = self.volumes.iter().find(|it| plain(it, "name").as_ref() == Some(&name));
            if volume.and_then(|it| plain(it, "hostPath.type")).as_deref() == Some(MADE) {
                container.made.push(target.clone());
            }
            if sources.is_empty() {
                container.gaps.files = true;
            }
            for (source, key) in sources {
                let (source, target) = match (source, key, &below) {
                    // One file of several under another name: below the target, or at it.
                    (MountSource::Handed(path), Some(inside), None) => {
                        (MountSource::Handed(path), format!("{}/{inside}", target.trim_end_matches('/')))
                    }
                    (MountSource::Handed(path), Some(inside), Some(below)) if inside == *below => {
                        (MountSource::Handed(path), target.clone())
                    }
                    (MountSource::Handed(_), Some(_), Some(_)) => continue,
                    (MountSource::Handed(path), None, Some(below)) => {
                        (MountSource::Handed(format!("{path}/{below}")), target.clone())
                    }
                    (MountSource::Bind(path), _, Some(below)) => {
                        (MountSource::Bind(format!("{}/{below}", path.trim_end_matches('/'))), target.clone())
                    }
                    (MountSource::Ephemeral(Some(volume)), ..) => {
                        let folder = named.iter().map(|it| format!("/{}", it.trim_matches('/')));
                        (MountSource::Ephemeral(Some(folder.fold(volume, |name, it| name + &it))), target.clone())
                    }
                    (MountSource::Volume(volume), _, Some(below)) => {
                        (MountSource::Volume(format!("{volume}/{}", below.trim_matches('/'))), target.clone())
                    }
                    (source, ..) => (source, target.clone()),
                };
                if let (MountSource::Volume(name), true) = (&source, item.at("subPathExpr").is_some()) {
                    own.push(name.clone());
                }
                let read_only = read_only || matches!(source, MountSource::Handed(_));
                container.mounts.push(Mount { source, target, read_only, origin: item.mark.clone() });
            }
        }
    }

    /// Where the files of a volume come from; a single one of a ConfigMap with its path in the volume. Empty for a
    /// volume that nobody declares.
    fn sources(&self, name: &str, all: &mut Vec<Handed>) -> Vec<(MountSource, Option<String>)> {
        if let Some((_, volume)) = self.own.iter().find(|(claim, _)| claim == name) {
            return vec![(MountSource::Volume(volume.clone()), None)];
        }
        let Some(volume) = self.volumes.iter().find(|it| plain(it, "name").as_deref() == Some(name)) else {
            return Vec::new();
        };
        if let Some(path) = plain(volume, "hostPath.path") {
            return vec![(MountSource::Bind(path), None)];
        }
        if let Some(claim) = plain(volume, "persistentVolumeClaim.claimName") {
            return vec![(MountSource::Volume(claim), None)];
        }
        let projected = items(volume, "projected.sources");
        let mut found: Vec<_> = self.handed(volume, all);
        for source in projected {
            let of_source = self.handed(source, all);
            // Tokens and fields of the pod.
            let other = of_source.is_empty().then(|| (MountSource::Handed(format!("volume:{name}")), None));
            found.extend(of_source.into_iter().chain(other));
        }
        if !found.is_empty() || volume.at("projected").is_some() {
            return found;
        }
        // Without a source it is empty; a claim that ends with the pod is as good as that.
        let passing = ["emptyDir", "ephemeral"].iter().any(|it| volume.at(it).is_some());
        let bare = volume.as_map().is_some_and(|it| it.len() == 1);
        let handed = ["downwardAPI", "csi", "image"].iter().any(|it| volume.at(it).is_some());
        vec![match (passing || bare, handed) {
            (true, _) => (MountSource::Ephemeral(Some(name.to_owned())), None),
            (_, true) => (MountSource::Handed(format!("volume:{name}")), None),
            _ => (MountSource::Volume(name.to_owned()), None),
        }]
    }

    fn handed(&self, source: &Value, all: &mut Vec<Handed>) -> Vec<(MountSource, Option<String>)> {
        let kinds = [
            (Kind::ConfigMap, "configMap", "name"),
            (Kind::Secret, "secret", "secretName"),
            // In a projected volume.
            (Kind::Secret, "secret", "name"),
        ];
        let named = kinds.into_iter().find_map(|(kind, key, name)| {
            let inside = source.at(key)?;
            Some((kind, inside, plain(inside, name)?))
        });
        let Some((kind, inside, name)) = named else { return Vec::new() };
        let known = self.configs.find(kind, self.namespace, &name);
        let optional = truth(inside, "optional").is_some_and(|it| it.value);
        let whole = known.filter(|_| !optional).and_then(|(root, config)| config.handed(root));
        all.extend(whole.filter(|it| !all.contains(it)));
        let path = known.map_or_else(|| root(kind, self.namespace, &name), |(root, _)| root.to_owned());
        let of_items = items(inside, "items").iter().filter_map(|it| {
            Some((MountSource::Handed(format!("{path}/{}", plain(it, "key")?)), Some(plain(it, "path")?)))
        });
        let of_items: Vec<_> = of_items.collect();
        if of_items.is_empty() { vec![(MountSource::Handed(path), None)] } else { of_items }
    }
}

fn container_port(item: &Value) -> Option<ContainerPort> {
    Some(ContainerPort {
        name: plain(item, "name"),
        port: u16::try_from(number(item, "containerPort")?.value).ok()?,
        transport: transport(item)?,
        host_port: number(item, "hostPort").and_then(|it| Some(Sourced::new(u16::try_from(it.value).ok()?, it.origin))),
        origin: item.mark.clone(),
    })
}

fn probe(kind: ProbeKind, spec: &Value) -> Option<Probe> {
    let value = spec.at(kind.key())?;
    let port_of = |value: &Value| value.at("port").and_then(port);
    let host = |value: &Value| plain(value, "host").filter(|it| !it.is_empty());
    let action = if let Some(http) = value.at("httpGet") {
        ProbeAction::Http {
            path: plain(http, "path").unwrap_or_else(|| "/".to_owned()),
            port: port_of(http)?,
            host: host(http),
            tls: plain(http, "scheme").as_deref() == Some("HTTPS"),
        }
    } else if let Some(tcp) = value.at("tcpSocket") {
        ProbeAction::Tcp { port: port_of(tcp)?, host: host(tcp) }
    } else if let Some(grpc) = value.at("grpc") {
        ProbeAction::Grpc { port: port_of(grpc)? }
    } else {
        ProbeAction::Exec(words(value.at("exec")?, "command").into_iter().map(|it| it.value).collect())
    };
    Some(Probe {
        kind,
        action,
        initial_delay: seconds(value, "initialDelaySeconds"),
        period: seconds(value, "periodSeconds"),
        timeout: seconds(value, "timeoutSeconds"),
        failures: number(value, "failureThreshold"),
        origin: value.mark.clone(),
    })
}

fn base_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// The groups that a security context puts the processes of a pod into, besides their own.
pub(super) fn groups(security: Option<&Value>) -> Vec<String> {
    let Some(security) = security else { return Vec::new() };
    let more = plain_words(security, "supplementalGroups");
    plain(security, "fsGroup").into_iter().chain(more).collect()
}

/// Sets a variable, in the place of the one of that name.
fn set(all: &mut Vec<EnvVar>, variable: EnvVar) {
    match all.iter_mut().find(|it| it.name == variable.name) {
        Some(it) => *it = variable,
        None => all.push(variable),
    }
}

/// A text with `$(NAME)` filled in, as far as values are known, and the names of those that there are not. Both stay
/// as they are written.
fn filled<'t>(text: &'t str, known: &[EnvVar]) -> (String, Vec<&'t str>) {
    let mut out = String::with_capacity(text.len());
    let mut open = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        let tail = &rest[at + 1..];
        if let Some(behind) = tail.strip_prefix("$(") {
            // `$$(NAME)` is no reference.
            out.push_str("$(");
            rest = behind;
            continue;
        }
        let reference = tail.strip_prefix('(').and_then(|it| it.split_once(')'));
        let value =
            reference.and_then(|(name, behind)| match known.iter().find(|it| it.name == name).map(|it| &it.value) {
                Some(EnvValue::Literal(text)) => Some((text, behind)),
                Some(EnvValue::Required(_) | EnvValue::Field(_)) => None,
                None => {
                    open.push(name);
                    None
                }
            });
        if let Some((value, behind)) = value {
            out.push_str(value);
            rest = behind;
        } else {
            out.push('$');
            rest = tail;
        }
    }
    out.push_str(rest);
    (out, open)
}

/// How many there are at most, once autoscalers are known.
pub(super) fn most(max: Option<&Sourced<u64>>) -> Known<Sourced<u64>> {
    max.map_or(Known::Unknown, |it| Known::Value(it.clone()))
}

#[cfg(test)]
mod tests {
    use telstack_system::Origin;

    use super::*;

    #[test]
    fn references_to_variables() {
        let origin = || Origin::builtin("test", "made by hand", &[]);
        let variable = |name: &str, value: EnvValue| EnvVar::new(name, value, origin());
        let known = [
            variable("NS", EnvValue::Literal("obs".to_owned())),
            variable("IP", EnvValue::Field("status.podIP".to_owned())),
        ];
        for (text, wanted, open) in [
            ("gw.$(NS).svc", "gw.obs.svc", None),
            ("$(IP):4317", "$(IP):4317", None),
            ("$$(NS) $$(NONE)", "$(NS) $(NONE)", None),
            ("$(NONE)$(NS)", "$(NONE)obs", Some("NONE")),
            ("${env:NS} $NS $( $", "${env:NS} $NS $( $", None),
        ] {
            assert_eq!(filled(text, &known), (wanted.to_owned(), open.into_iter().collect()), "{text}");
        }
    }
}
