//! What makes the pods of a node.

use telstack_system::{
    EnvValue, EnvVar, Known, Mount, MountSource, Origin, Probe, ProbeAction, SecretRef, System, Value,
    cluster::Claim,
    units::{Bytes, Cpu},
};

use super::{Of, chosen, config::Config, count, plain, target, transport};
use crate::doc::{self, Block};

/// The user that may do everything.
const ROOT: &str = "0";

impl Of<'_> {
    pub(super) fn workload(&self, config: Option<&Config<'_>>) -> Value {
        let origin = &self.pod.origin;
        let mut out = self.object("apps/v1", self.pod.kind.as_str(), &self.pod.name, true, origin);
        let mut spec = Block::new();
        if let Known::Value(replicas) = &self.container.replicas {
            spec.put("replicas", replicas.origin.int(count(replicas.value)));
        }
        spec.put_some("serviceName", self.pod.service_name.as_ref().map(|it| it.origin.string(&*it.value)));
        let picked = doc::follows("the pods that are its own", &[origin]);
        spec.put("selector", chosen(self.selector(), &picked));
        let metadata = origin.map([("labels", self.labels(origin))]);
        spec.put("template", origin.map([("metadata", metadata), ("spec", self.pod_spec(config))]));
        spec.put_some("volumeClaimTemplates", self.templates());
        out.put("spec", spec.finish(origin));
        out.finish(origin)
    }

    /// The name that pods give a volume which a StatefulSet makes for each.
    fn short<'n>(&self, volume: &'n str) -> &'n str {
        volume.strip_suffix(&format!("-{}", self.pod.name)).unwrap_or(volume)
    }

    /// What is asked of the volumes that each pod has for itself.
    pub(super) fn templates(&self) -> Option<Value> {
        let own = self.cluster.claims.iter().filter(|it| it.template_of.as_deref() == Some(&*self.pod.name));
        let templates: Vec<Value> = own.map(|it| self.template(it)).collect();
        let reason = "each pod has a volume of its own";
        (!templates.is_empty()).then(|| doc::follows(reason, &[&self.pod.origin]).block(templates))
    }

    fn template(&self, claim: &Claim) -> Value {
        let origin = &claim.origin;
        let name = origin.map([("name", origin.string(self.short(&claim.name)))]);
        origin.map([("metadata", name), ("spec", claim_spec(claim))])
    }

    fn pod_spec(&self, config: Option<&Config<'_>>) -> Value {
        let (pod, container) = (self.pod, self.container);
        let origin = &pod.origin;
        let mut out = Block::new();
        if let Some(account) = &pod.service_account {
            out.put("serviceAccountName", account.origin.string(&*account.value));
        } else {
            let reason = "it asks nothing of the API, so it gets no token for it";
            out.put("automountServiceAccountToken", doc::follows(reason, &[origin]).bool(false));
        }
        let reason = "it finds others by their names, not by variables";
        out.put("enableServiceLinks", doc::chosen(reason, origin).bool(false));
        if let Some(grace) = &container.stop_grace {
            out.put("terminationGracePeriodSeconds", grace.origin.int(count(grace.value.millis() / 1000)));
        }
        if let Some(host) = &pod.host_network {
            out.put("hostNetwork", host.bool(true));
            let reason = "in the network of its machine a pod asks for names of the cluster only if it is told to";
            out.put("dnsPolicy", doc::fact(reason, &[host]).string("ClusterFirstWithHostNet"));
        }
        out.put("securityContext", self.pod_security());
        let all = pod.tolerant.as_ref().map(|it| it.block([it.map([("operator", it.string("Exists"))])]));
        out.put_some("tolerations", all);
        out.put_some("topologySpreadConstraints", self.spread());
        let node = &self.node.origin;
        out.put("containers", node.block([self.container_spec(config)]));
        let volumes = self.volumes(config);
        if !volumes.is_empty() {
            out.put("volumes", doc::follows("what its container mounts", &[origin]).block(volumes));
        }
        out.finish(origin)
    }

    pub(super) fn pod_security(&self) -> Value {
        let origin = &self.pod.origin;
        let mut out = Block::new();
        if let Some(user) = &self.container.user {
            let id = user.value.split(':').next().and_then(|it| it.parse::<i64>().ok());
            if user.value != ROOT {
                out.put("runAsNonRoot", doc::follows("it needs no root", &[&user.origin]).bool(true));
            }
            out.put_some("runAsUser", id.map(|id| user.origin.int(id)));
        }
        out.put_some("fsGroup", self.pod.fs_group.as_ref().map(|it| it.origin.int(it.value)));
        let reason = "the system calls that containers usually make, and no others";
        let seccomp = restricted(reason, origin);
        out.put("seccompProfile", seccomp.map([("type", seccomp.string("RuntimeDefault"))]));
        out.finish(origin)
    }

    fn container_spec(&self, config: Option<&Config<'_>>) -> Value {
        let (node, container) = (self.node, self.container);
        let image = &container.image;
        let mut out = Block::new();
        out.put("name", node.origin.string(&*node.name));
        out.put("image", image.origin.string(format!("{}:{}", image.value.repository, image.value.tag)));
        if !container.command.is_empty() {
            let origins = container.command.iter().map(|word| &word.origin);
            let origin = doc::follows_all("its command line", origins, &container.origin);
            let words = container.command.iter().map(|word| word.origin.string(plain(&word.value)));
            out.put("args", origin.block(words));
        }
        if !container.env.is_empty() {
            let origins = container.env.iter().map(|variable| &variable.origin);
            let origin = doc::follows_all("its environment", origins, &container.origin);
            out.put("env", origin.block(container.env.iter().map(|it| self.variable(it))));
        }
        if !container.ports.is_empty() {
            let ports = container.ports.iter().map(|port| {
                let mut out = Block::new();
                out.put_some("name", port.name.as_ref().map(|it| port.origin.string(&**it)));
                out.put("containerPort", port.origin.int(port.port));
                out.put_some("protocol", transport(port.transport, &port.origin));
                out.finish(&port.origin)
            });
            out.put("ports", doc::follows("what it listens on", &[&node.origin]).block(ports));
        }
        for it in &container.probes {
            out.put(it.kind.key(), probe(it));
        }
        out.put_some("resources", self.resources());
        out.put("securityContext", self.security());
        let mounts = self.mounts(config);
        if !mounts.is_empty() {
            out.put("volumeMounts", doc::follows("what it reads and keeps", &[&container.origin]).block(mounts));
        }
        out.finish(&node.origin)
    }

    pub(super) fn variable(&self, variable: &EnvVar) -> Value {
        self::variable(self.system, variable, plain)
    }

    pub(super) fn resources(&self) -> Option<Value> {
        let of = &self.container.resources;
        let mut out = Block::new();
        let (mut least, mut most) = (Block::new(), Block::new());
        least.put_some("cpu", of.cpu_request.as_ref().map(|it| it.origin.string(cores(it.value))));
        least.put_some("memory", of.memory_request.as_ref().map(|it| it.origin.string(quantity(it.value))));
        most.put_some("cpu", of.cpu.as_ref().map(|it| it.origin.string(cores(it.value))));
        most.put_some("memory", of.memory.as_ref().map(|it| it.origin.string(quantity(it.value))));
        let origin = &self.node.origin;
        out.put_some("requests", least.finish_some(&doc::follows("what is kept for it", &[origin])));
        out.put_some("limits", most.finish_some(&doc::follows("the most that it gets", &[origin])));
        out.finish_some(origin)
    }

    pub(super) fn security(&self) -> Value {
        let origin = &self.container.origin;
        let mut out = Block::new();
        let never = restricted("a program in it gets no more rights than it started with", origin);
        out.put("allowPrivilegeEscalation", never.bool(false));
        if let Some(it) = &self.container.read_only_root {
            out.put("readOnlyRootFilesystem", it.origin.bool(it.value));
        }
        let none = restricted("it needs none of what root may do", origin);
        out.put("capabilities", none.map([("drop", none.flow([none.string("ALL")]))]));
        out.finish(origin)
    }

    pub(super) fn mounts(&self, config: Option<&Config<'_>>) -> Vec<Value> {
        let mut out = Vec::new();
        if let Some(config) = config {
            for (at, (folder, _)) in config.folders().into_iter().enumerate() {
                let origin = &config.origin;
                let name = origin.string(config_volume(at));
                out.push(origin.map([
                    ("name", name),
                    ("mountPath", origin.string(folder)),
                    ("readOnly", doc::follows("nobody can write there", &[origin]).bool(true)),
                ]));
            }
        }
        for (at, mount) in self.container.mounts.iter().enumerate() {
            let Some(name) = self.volume_name(at, mount) else { continue };
            let mut item = Block::new();
            item.put("name", mount.origin.string(name)).put("mountPath", mount.origin.string(&*mount.target));
            if mount.read_only {
                item.put("readOnly", mount.origin.bool(true));
            }
            if matches!(&mount.source, MountSource::Bind(path) if path == "/") {
                let reason = "what the machine mounts later is seen too";
                item.put("mountPropagation", doc::chosen(reason, &mount.origin).string("HostToContainer"));
            }
            out.push(item.finish(&mount.origin));
        }
        out
    }

    /// How the pod calls the volume behind a mount.
    fn volume_name(&self, at: usize, mount: &Mount) -> Option<String> {
        match &mount.source {
            MountSource::Volume(name) if self.pod.own_volumes.contains(name) => Some(self.short(name).to_owned()),
            MountSource::Volume(name) | MountSource::Ephemeral(Some(name)) => Some(name.clone()),
            MountSource::Bind(_) => Some(format!("host-{at}")),
            MountSource::Ephemeral(None) => Some(format!("scratch-{at}")),
            MountSource::Handed(_) => mount.source.secret_name().map(str::to_owned),
            MountSource::Copied(_) => None,
        }
    }

    pub(super) fn volumes(&self, config: Option<&Config<'_>>) -> Vec<Value> {
        let mut out = Vec::new();
        if let Some(config) = config {
            let folders = config.folders();
            let several = folders.len() > 1;
            for (at, (_, files)) in folders.into_iter().enumerate() {
                let origin = &config.origin;
                let mut source = Block::new();
                source.put("name", origin.string(&*config.name));
                if several || files.iter().any(|(key, name, _)| key != name) {
                    let items = files.iter().map(|(key, name, origin)| {
                        origin.map([("key", origin.string(*key)), ("path", origin.string(*name))])
                    });
                    source.put("items", origin.block(items));
                }
                let source = source.finish(origin);
                out.push(origin.map([("name", origin.string(config_volume(at))), ("configMap", source)]));
            }
        }
        for (at, mount) in self.container.mounts.iter().enumerate() {
            let Some(name) = self.volume_name(at, mount) else { continue };
            let origin = &mount.origin;
            let source = match &mount.source {
                MountSource::Volume(volume) if self.pod.own_volumes.contains(volume) => continue,
                MountSource::Volume(volume) => {
                    ("persistentVolumeClaim", origin.map([("claimName", origin.string(&**volume))]))
                }
                MountSource::Bind(path) => {
                    let mut host = Block::new();
                    host.put("path", origin.string(&**path));
                    if !mount.read_only {
                        let reason = "made where it is not there yet";
                        host.put("type", doc::chosen(reason, origin).string("DirectoryOrCreate"));
                    }
                    ("hostPath", host.finish(origin))
                }
                MountSource::Handed(_) => ("secret", origin.map([("secretName", origin.string(&*name))])),
                _ => ("emptyDir", Block::new().finish(origin)),
            };
            out.push(origin.map([("name", origin.string(name)), source]));
        }
        out
    }
}

/// A variable. `text` makes what is written of a text.
pub(super) fn variable(system: &System, variable: &EnvVar, text: impl Fn(&str) -> String) -> Value {
    let origin = &variable.origin;
    let secret = |name: &str, key: &str| {
        let reference = origin.map([("name", origin.string(name)), ("key", origin.string(key))]);
        ("valueFrom", origin.map([("secretKeyRef", reference)]))
    };
    let value = match &variable.value {
        EnvValue::Literal(it) | EnvValue::Required(SecretRef::Literal(it)) => ("value", origin.string(text(it))),
        EnvValue::Field(field) => {
            let field = origin.map([("fieldPath", origin.string(&**field))]);
            ("valueFrom", origin.map([("fieldRef", field)]))
        }
        EnvValue::Required(SecretRef::Secret { name, key }) => secret(name, key),
        EnvValue::Required(SecretRef::Env(key)) => secret(&system.name, key),
    };
    origin.map([("name", origin.string(&*variable.name)), value])
}

/// A size as Kubernetes writes it, exactly.
fn quantity(size: Bytes) -> String {
    const UNITS: [(&str, u32); 4] = [("Ti", 40), ("Gi", 30), ("Mi", 20), ("Ki", 10)];
    let bytes = size.bytes();
    let exact = UNITS.iter().find(|(_, shift)| bytes >> shift > 0 && bytes.is_multiple_of(1 << shift));
    exact.map_or_else(|| bytes.to_string(), |(unit, shift)| format!("{}{unit}", bytes >> shift))
}

/// A share of processor time as Kubernetes writes it.
fn cores(cpu: Cpu) -> String {
    let millis = cpu.millis();
    if millis.is_multiple_of(1000) { (millis / 1000).to_string() } else { format!("{millis}m") }
}

/// The restricted Pod Security Standard asks for it.
fn restricted(reason: &str, origin: &Origin) -> Origin {
    doc::fact(format!("{reason}; the restricted Pod Security Standard asks for it"), &[origin])
}

/// How a pod calls the volume with its configuration.
fn config_volume(at: usize) -> String {
    if at == 0 { "config".to_owned() } else { format!("config-{}", at + 1) }
}

fn probe(probe: &Probe) -> Value {
    let origin = &probe.origin;
    let mut out = Block::new();
    match &probe.action {
        ProbeAction::Http { path, port, tls, .. } => {
            let mut get = Block::new();
            get.put("path", port.origin.string(&**path)).put("port", target(&port.value, &port.origin));
            if *tls {
                get.put("scheme", port.origin.string("HTTPS"));
            }
            out.put("httpGet", get.finish(origin));
        }
        ProbeAction::Tcp { port, .. } => {
            out.put("tcpSocket", origin.map([("port", target(&port.value, &port.origin))]));
        }
        ProbeAction::Grpc { port } => {
            out.put("grpc", origin.map([("port", target(&port.value, &port.origin))]));
        }
        ProbeAction::Exec(words) => {
            let words = origin.flow(words.iter().map(|it| origin.string(&**it)));
            out.put("exec", origin.map([("command", words)]));
        }
    }
    if let Some(period) = &probe.period {
        out.put("periodSeconds", period.origin.int(count(period.value.millis() / 1000)));
    }
    out.finish(origin)
}

/// What is asked of a volume.
pub(super) fn claim_spec(claim: &Claim) -> Value {
    let origin: &Origin = &claim.origin;
    let mut out = Block::new();
    let modes = claim.access_modes.iter().map(|it| it.origin.string(&*it.value));
    out.put("accessModes", origin.flow(modes));
    out.put_some("storageClassName", claim.storage_class.as_ref().map(|it| it.origin.string(&*it.value)));
    if let Some(size) = &claim.size {
        let storage = size.origin.string(quantity(size.value));
        out.put("resources", size.origin.map([("requests", size.origin.map([("storage", storage)]))]));
    }
    out.finish(origin)
}
