//! Writing it: a folder for each namespace, with a file for each node and all that it needs, and kustomizations.
//!
//! What a node reads is in a ConfigMap that is named after its contents: another text is another name, and that
//! starts the pods anew.

mod access;
mod certificates;
mod config;
mod notes;
mod operator;
mod patch;
mod policy;
mod scale;
mod smoke;
mod workload;

use std::collections::HashMap;

use telstack_catalog::otelcol::Transport;
use telstack_syntax::yaml::{self, Texts};
use telstack_system::{
    Cluster, Container, EnvVar, Node, Origin, Pod, Service, ServiceType, System, TargetPort, Value, WorkloadKind,
    cluster::{Labels, Namespace},
};

use crate::{
    Artefact,
    doc::{self, Block},
};

/// The file that names all others of a folder.
const KUSTOMIZATION: &str = "kustomization.yaml";
/// The file with what cert-manager is asked for.
const CERTIFICATES: &str = "certificates.yaml";
/// The file with the namespace itself.
const NAMESPACE: &str = "namespace.yaml";

/// Writes what Kubernetes reads: a folder for each namespace. `written` are the files that its containers see, which
/// become part of it.
pub(crate) fn emit(system: &System, written: &[Artefact]) -> Vec<Artefact> {
    let Some(cluster) = system.cluster.as_deref() else { return Vec::new() };
    let written: HashMap<&str, &Artefact> = written.iter().map(|it| (&*it.path, it)).collect();
    let mut out = Vec::new();
    let mut folders = Vec::new();
    let spaces = spaces(cluster);
    for space in &spaces {
        let mut files = Vec::new();
        let mut add = |name: &str, what: &str, from: &Origin, documents: &[Value], texts: &Texts<'_, Origin>| {
            let path = format!("{}/{name}", space.name);
            let header = doc::header(system, what, &path);
            let mark = doc::follows("says what the file is and which stack it comes from", &[from, &system.origin]);
            out.push(Artefact::new(path, yaml::write_all(&header, &mark, documents, texts)));
            files.push((name.to_owned(), from.clone()));
        };
        if cluster.namespace(&space.name).is_some() {
            let what = format!("{}: the namespace", space.name);
            let mut documents = vec![namespace(system, space)];
            documents.extend(policy::of_namespace(system, &space.name));
            add(NAMESPACE, &what, &space.origin, &documents, &Texts::new());
        }
        for (_, node) in system.nodes() {
            let Some((container, pod)) = node.container.as_ref().and_then(|it| Some((it, it.pod.as_deref()?))) else {
                continue;
            };
            if pod.is_in(Some(&space.name)) {
                let of = Of { system, cluster, node, container, pod };
                let what = format!("{}: {}", node.name, doc::title(node));
                add(&file_name(&node.name), &what, &node.origin, &of.documents(&written), &of.texts(&written));
            }
        }
        for it in cluster.instrumentations.iter().filter(|it| it.namespace.as_deref() == Some(&space.name)) {
            let what = operator::instruments(it);
            add(&file_name(&it.name), &what, &it.origin, &[operator::instrumentation(system, it)], &Texts::new());
        }
        let certificates = certificates::documents(system, cluster, &space.name);
        if !certificates.is_empty() {
            let what = format!("{}: certificates, which need cert-manager in the cluster", space.name);
            add(CERTIFICATES, &what, &space.origin, &certificates, &Texts::new());
        }
        let what = format!("{}: everything in the namespace", space.name);
        out.push(kustomization(system, Some(&space.name), &what, &space.origin, &files));
        folders.push((space.name.clone(), space.origin.clone()));
    }
    out.extend(system.nodes().filter_map(|(_, node)| patch::emit(system, node)));
    for it in &cluster.certificates {
        let Some(elsewhere) = &it.elsewhere else { continue };
        let path = format!("for-{elsewhere}/{}.yaml", it.name);
        let what = format!("{}: a certificate for this cluster, to be applied in the cluster `{elsewhere}`", it.name);
        let header = doc::header(system, &what, &path);
        out.push(Artefact::new(path, yaml::write(&header, &it.origin, &certificates::certificate(system, it))));
    }
    let what = format!("{}: everything", system.name);
    out.push(kustomization(system, None, &what, &system.origin, &folders));
    out.push(smoke::emit(system));
    out.push(notes::emit(system, cluster));
    out
}

/// The namespaces that something is written for; those of programs are somebody else's to make.
fn spaces(cluster: &Cluster) -> Vec<Namespace> {
    let mut spaces = cluster.namespaces.clone();
    for it in &cluster.instrumentations {
        if let Some(name) = it.namespace.as_ref().filter(|name| !spaces.iter().any(|it| it.name == **name)) {
            spaces.push(Namespace { name: name.clone(), labels: Labels::new(), origin: it.origin.clone() });
        }
    }
    spaces
}

/// The file of a node; the name of one of the others, it leaves to that.
fn file_name(name: &str) -> String {
    let name = format!("{name}.yaml");
    if [KUSTOMIZATION, NAMESPACE, CERTIFICATES].contains(&&*name) { format!("node-{name}") } else { name }
}

/// A variable of a container, in which Kubernetes fills in what its text refers to.
pub(crate) fn variable(system: &System, it: &EnvVar) -> Value {
    workload::variable(system, it, str::to_owned)
}

/// A node, and what is around it.
struct Of<'a> {
    system: &'a System,
    cluster: &'a Cluster,
    node: &'a Node,
    container: &'a Container,
    pod: &'a Pod,
}

impl<'a> Of<'a> {
    /// What its own files hold, each with what its lines come from: another node may well have the same text.
    fn texts(&self, written: &HashMap<&str, &'a Artefact>) -> Texts<'a, Origin> {
        let files = self.container.files.iter().filter_map(|it| written.get(&*it.path));
        files.map(|it| (&*it.written.text, &it.written)).collect()
    }
}

impl Of<'_> {
    fn documents(&self, written: &HashMap<&str, &Artefact>) -> Vec<Value> {
        let mut out = self.permissions();
        if self.pod.operated {
            out.extend(self.claims());
            out.extend(self.services());
            out.extend(self.policies());
            out.push(self.resource(written));
            return out;
        }
        let config = config::Config::of(self, written);
        out.extend(config.as_ref().map(|it| it.document(self)));
        out.extend(self.claims());
        out.extend(self.services());
        out.extend(self.policies());
        out.push(self.workload(config.as_ref()));
        out.extend(self.scaling());
        out
    }

    /// The beginning of an object: what it is, and its name.
    fn object(&self, api: &str, kind: &str, name: &str, namespaced: bool, origin: &Origin) -> Block {
        let own = self.node.placement.namespace.as_ref().filter(|_| namespaced);
        self.object_in(api, kind, name, own.map(|it| it.origin.string(&*it.value)), origin)
    }

    /// The same in a namespace that may be another one; none is outside of all.
    fn object_in(&self, api: &str, kind: &str, name: &str, namespace: Option<Value>, origin: &Origin) -> Block {
        let fact = doc::fact(format!("how Kubernetes calls a {kind}"), &[origin]);
        let mut out = Block::new();
        out.put("apiVersion", fact.string(api)).put("kind", fact.string(kind));
        let mut metadata = Block::new();
        metadata.put("name", origin.string(name));
        metadata.put_some("namespace", namespace);
        metadata.put("labels", self.labels(origin));
        out.put("metadata", metadata.finish(origin));
        out
    }

    /// Labels of its objects.
    fn labels(&self, origin: &Origin) -> Value {
        if self.pod.operated {
            // The operator puts its own in their place on what it makes.
            return labels(&telstack_system::passes::labels(self.system, self.node), origin);
        }
        labels(&self.pod.labels, origin)
    }

    /// Labels by which its pods are picked.
    fn selector(&self) -> &Labels {
        let selector = self.cluster.services_of(self.pod).find_map(|it| it.selector.as_ref());
        selector.map_or(&self.pod.labels, |it| &it.labels)
    }

    fn services(&self) -> impl Iterator<Item = Value> {
        // Those that an operator makes are not written.
        self.cluster.services_of(self.pod).filter(|it| !it.open_ports).map(|it| self.service(it))
    }

    fn service(&self, service: &Service) -> Value {
        let origin = &service.origin;
        let mut spec = Block::new();
        let ty = match &service.ty {
            ServiceType::ClusterIp | ServiceType::ExternalName(_) => "ClusterIP",
            ServiceType::NodePort => "NodePort",
            ServiceType::LoadBalancer => "LoadBalancer",
        };
        spec.put("type", doc::follows("who may dial it", &[origin]).string(ty));
        if service.headless {
            spec.put("clusterIP", origin.string("None"));
        }
        if self.pod.kind == WorkloadKind::DaemonSet {
            let reason = "who dials it gets the pod of the same machine: one runs on each";
            spec.put("internalTrafficPolicy", doc::follows(reason, &[origin, &self.pod.origin]).string("Local"));
        }
        if let Some(selector) = &service.selector {
            spec.put("selector", labels(&selector.labels, &selector.origin));
        }
        let ports = service.ports.iter().map(|port| {
            let mut out = Block::new();
            out.put_some("name", port.name.as_ref().map(|it| port.origin.string(&**it)));
            out.put_some("appProtocol", port.app_protocol.as_ref().map(|it| it.origin.string(&*it.value)));
            out.put("port", port.origin.int(port.port));
            out.put("targetPort", target(&port.target, &port.origin));
            out.put_some("protocol", transport(port.transport, &port.origin));
            out.finish(&port.origin)
        });
        let ports: Vec<Value> = ports.collect();
        if !ports.is_empty() {
            spec.put("ports", doc::follows("what its pods listen on", &[origin]).block(ports));
        }
        let mut out = self.object("v1", "Service", &service.name, true, origin);
        out.put("spec", spec.finish(origin));
        out.finish(origin)
    }

    fn claims(&self) -> impl Iterator<Item = Value> {
        let mine = |name: &str| self.container.mounts.iter().any(|it| it.source.volume() == Some(name));
        let claims = self.cluster.claims.iter().filter(move |it| it.template_of.is_none() && mine(&it.name));
        claims.map(|claim| {
            let mut out = self.object("v1", "PersistentVolumeClaim", &claim.name, true, &claim.origin);
            out.put("spec", workload::claim_spec(claim));
            out.finish(&claim.origin)
        })
    }
}

/// Labels as a map.
fn labels(labels: &Labels, origin: &Origin) -> Value {
    let mut out = Block::new();
    for (key, label) in labels {
        out.put(key, label.origin.string(&*label.value));
    }
    out.finish(origin)
}

/// What picks pods by labels.
fn chosen(labels: &Labels, origin: &Origin) -> Value {
    origin.map([("matchLabels", self::labels(labels, origin))])
}

/// A count as YAML has it.
fn count(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// A text that Kubernetes is to leave as it is: `$(NAME)` would be filled in.
fn plain(text: &str) -> String {
    text.replace("$(", "$$(")
}

/// A port by number or name.
fn target(port: &TargetPort, origin: &Origin) -> Value {
    match port {
        TargetPort::Number(number) => origin.int(*number),
        TargetPort::Name(name) => origin.string(&**name),
    }
}

/// Nothing is TCP.
fn transport(transport: Transport, origin: &Origin) -> Option<Value> {
    match transport {
        Transport::Tcp => None,
        Transport::Udp => Some(origin.string("UDP")),
    }
}

fn namespace(system: &System, space: &Namespace) -> Value {
    let origin = &space.origin;
    let fact = doc::fact("how Kubernetes calls a Namespace", &[origin]);
    let metadata = origin.map([("name", origin.string(&*space.name)), ("labels", of_stack(system, origin))]);
    origin.map([("apiVersion", fact.string("v1")), ("kind", fact.string("Namespace")), ("metadata", metadata)])
}

/// Labels of what belongs to no node.
fn of_stack(system: &System, origin: &Origin) -> Value {
    let part = doc::follows("the stack that it is part of", &[&system.origin]).string(&*system.name);
    let managed = doc::follows("it is compiled from the stack", &[&system.origin]).string("telstack");
    origin.map([("app.kubernetes.io/part-of", part), ("app.kubernetes.io/managed-by", managed)])
}

/// The file that names the others of a folder, or the folders.
fn kustomization(
    system: &System,
    folder: Option<&str>,
    what: &str,
    origin: &Origin,
    paths: &[(String, Origin)],
) -> Artefact {
    let path = folder.map_or_else(|| KUSTOMIZATION.to_owned(), |folder| format!("{folder}/{KUSTOMIZATION}"));
    let mut header = doc::header(system, what, &path);
    if folder.is_none() {
        header += "\n\nTo apply: `kubectl apply -k .`";
    }
    let fact = doc::fact("how kustomize calls its own file", &[origin]);
    let resources = doc::follows_all("everything that is applied", paths.iter().map(|(_, it)| it), origin);
    let named = paths.iter().map(|(path, origin)| doc::follows("part of it", &[origin]).string(&**path));
    let document = origin.map([
        ("apiVersion", fact.string("kustomize.config.k8s.io/v1beta1")),
        ("kind", fact.string("Kustomization")),
        ("resources", resources.block(named)),
    ]);
    Artefact::new(path, yaml::write(&header, origin, &document))
}
