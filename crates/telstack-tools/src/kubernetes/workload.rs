//! Pods, as workloads describe them: a node for each container.

use std::sync::Arc;

use telstack_system::{
    Cluster, Container, ContainerGaps, Known, Mount, Network, Node, Origin, Pod, Sourced, Value, WorkloadKind,
    cluster::{Autoscaler, Labels},
};

use super::{
    Manifests,
    around::{self, is_off},
    configs::Configs,
    container::{Around, most},
    objects::{Kind, Object, Objects},
    values::{at, labels, number, plain, seconds, words},
};
use crate::{image, reading::items};

/// The nodes of all pods. Claims that StatefulSets make for each pod are noted in the cluster.
pub(super) fn nodes(manifests: &Manifests, objects: &Objects, configs: &Configs, cluster: &mut Cluster) -> Vec<Node> {
    let mut found = Vec::new();
    for object in &objects.all {
        let (kind, template) = match object.kind {
            Kind::Deployment => (WorkloadKind::Deployment, "spec.template"),
            Kind::ReplicaSet => (WorkloadKind::ReplicaSet, "spec.template"),
            Kind::StatefulSet => (WorkloadKind::StatefulSet, "spec.template"),
            Kind::DaemonSet => (WorkloadKind::DaemonSet, "spec.template"),
            Kind::Job => (WorkloadKind::Job, "spec.template"),
            Kind::CronJob => (WorkloadKind::CronJob, "spec.jobTemplate.spec.template"),
            Kind::Pod => (WorkloadKind::Pod, ""),
            _ => continue,
        };
        let template = if template.is_empty() { Some(&object.body) } else { object.body.at(template) };
        match template.and_then(|it| Some((it, it.at("spec")?))) {
            Some((template, spec)) => {
                let workload = Workload { object, kind, template, spec };
                found.extend(workload.nodes(manifests, configs, cluster));
            }
            None => cluster.open = true,
        }
    }
    found
}

struct Workload<'a> {
    object: &'a Object,
    kind: WorkloadKind,
    template: &'a Value,
    spec: &'a Value,
}

impl Workload<'_> {
    fn nodes(&self, manifests: &Manifests, configs: &Configs, cluster: &mut Cluster) -> Vec<Node> {
        let name = &self.object.name.value;
        let namespace = self.object.namespace.as_deref();
        let own = self.own_claims(cluster);
        let around = Around {
            configs,
            namespace,
            volumes: items(self.spec, "volumes"),
            own: &own,
            security: self.spec.at("securityContext"),
        };
        let mut pod = self.pod(&own, manifests);
        let starts_first = items(self.spec, "initContainers");
        let stays = |it: &&Value| plain(it, "restartPolicy").as_deref() == Some("Always");
        let specs: Vec<&Value> =
            items(self.spec, "containers").iter().chain(starts_first.iter().filter(stays)).collect();
        let mut containers = Vec::new();
        for spec in &specs {
            let called = plain(spec, "name").unwrap_or_default();
            if let Some(mut container) = around.container(spec, &mut pod.own_volumes) {
                container.gaps.files |= self.shares_files(spec, &specs);
                containers.push((called, container));
            }
        }
        for spec in starts_first.iter().filter(|it| !stays(it)) {
            if let Some(before) = around.container(spec, &mut Vec::new()) {
                prepared(&before, spec, &mut containers);
            }
        }
        let scaled = scaler(cluster, self.kind, name, namespace).map(|it| most(it.max.as_ref()));
        let pod = Arc::new(pod);
        let alone = containers.len() == 1;
        let mut nodes = Vec::new();
        for (called, mut container) in containers {
            container.replicas = self.replicas();
            container.most_replicas = scaled.clone().unwrap_or(Known::Absent);
            container.stop_grace = seconds(self.spec, "terminationGracePeriodSeconds");
            if pod.host_network.is_some() {
                container.network = Network::Host;
            }
            container.pod = Some(pod.clone());
            if manifests.patched {
                container.gaps = ContainerGaps { files: true, env: true };
                container.replicas = Known::Unknown;
            }
            if manifests.patches_of(self.kind.as_str(), name).any(|it| it.image) {
                container.image.value.tag.clear();
            }
            let mut changed = None;
            let image = &mut container.image.value;
            if let Some(change) = manifests.images.iter().find(|it| it.name == image.repository) {
                image.repository = change.repository.clone().unwrap_or_else(|| image.repository.clone());
                image.tag = change.tag.clone().unwrap_or_else(|| image.tag.clone());
                changed.clone_from(&change.origin);
            }
            let name = if alone || called == *name { name.clone() } else { format!("{name}/{called}") };
            let running = image::running(&container);
            let mut node = image::node(&name, self.object.name.origin.clone(), Some(container), running);
            if let Some((version, place)) = node.version.as_mut().zip(changed) {
                version.origin = Origin::derived("read", "a kustomization says so", &[&place]);
            }
            nodes.push(node);
        }
        nodes
    }

    /// Does it mount an empty volume that another container of the pod mounts too, which may well fill it?
    fn shares_files(&self, spec: &Value, all: &[&Value]) -> bool {
        let mounted = |spec: &Value| -> Vec<String> {
            items(spec, "volumeMounts").iter().filter_map(|it| plain(it, "name")).collect()
        };
        let empty = |name: &String| {
            let mut volumes = items(self.spec, "volumes").iter();
            volumes.any(|it| plain(it, "name").as_ref() == Some(name) && it.at("emptyDir").is_some())
        };
        let others = all.iter().filter(|it| !std::ptr::eq(**it, spec));
        let theirs: Vec<String> = others.flat_map(|it| mounted(it)).collect();
        mounted(spec).iter().any(|it| theirs.contains(it) && empty(it))
    }

    /// The claims that a StatefulSet makes for each pod: the name in the pod, and that of the volume.
    fn own_claims(&self, cluster: &mut Cluster) -> Vec<(String, String)> {
        let (workload, namespace) = (&self.object.name.value, &self.object.namespace);
        let mut own = Vec::new();
        for template in items(self.object.spec(), "volumeClaimTemplates") {
            let (Some(name), Some(spec)) = (at(template, "metadata.name"), template.at("spec")) else { continue };
            let volume = format!("{}-{workload}", name.value);
            let of = Some(workload.clone());
            cluster.claims.push(around::claim(spec, volume.clone(), namespace.clone(), of, name.origin));
            own.push((name.value, volume));
        }
        own
    }

    fn pod(&self, own: &[(String, String)], manifests: &Manifests) -> Pod {
        let (spec, outer) = (self.spec, self.object.spec());
        let yes = |path: &str| spec.at(path).filter(|it| it.as_bool() == Some(true)).map(|it| it.mark.clone());
        let strategy = ["strategy", "updateStrategy"].into_iter().find_map(|key| outer.at(key));
        let account = at(spec, "serviceAccountName").or_else(|| at(spec, "serviceAccount"));
        let affine = ["affinity", "nodeName"];
        Pod {
            kind: self.kind,
            name: self.object.name.value.clone(),
            namespace: self.object.namespace.clone(),
            labels: self.labels("metadata.labels"),
            annotations: self.labels("metadata.annotations"),
            workload_annotations: self.object.annotations(),
            service_account: account.filter(|it| !it.value.is_empty()),
            host_network: yes("hostNetwork"),
            fs_group: at(spec, "securityContext.fsGroup")
                .and_then(|it| Some(Sourced::new(it.value.parse().ok()?, it.origin))),
            groups: super::container::groups(spec.at("securityContext")),
            strategy: strategy.and_then(|it| at(it, "type")),
            max_surge: strategy.and_then(|it| at(it, "rollingUpdate.maxSurge")),
            service_name: at(outer, "serviceName"),
            own_volumes: own.iter().map(|(_, volume)| volume.clone()).collect(),
            node_selector: labels(spec.at("nodeSelector")),
            tolerant: tolerant(spec),
            affinity: affine.iter().any(|key| spec.at(key).is_some()),
            links: !is_off(spec, "enableServiceLinks"),
            operated: false,
            patched: manifests.may_change(self.kind.as_str(), &self.object.name.value),
            targets_shared: None,
            origin: self.object.name.origin.clone(),
        }
    }

    fn labels(&self, path: &str) -> Labels {
        labels(self.template.at(path))
    }

    fn replicas(&self) -> Known<Sourced<u64>> {
        match self.kind {
            WorkloadKind::Job | WorkloadKind::CronJob => Known::Unknown,
            _ => match self.object.spec().at("replicas") {
                None => Known::Absent,
                Some(_) => number(self.object.spec(), "replicas").map_or(Known::Unknown, Known::Value),
            },
        }
    }
}

/// What lets pods run on machines with any taint.
pub(super) fn tolerant(spec: &Value) -> Option<Origin> {
    let any = |it: &&Value| {
        let narrow = ["key", "effect", "value"].iter().any(|key| it.at(key).is_some());
        !narrow && plain(it, "operator").as_deref() == Some("Exists")
    };
    items(spec, "tolerations").iter().find(any).map(|it| it.mark.clone())
}

/// What decides how many pods of a workload run.
pub(super) fn scaler<'a>(
    cluster: &'a Cluster,
    kind: WorkloadKind,
    name: &str,
    namespace: Option<&str>,
) -> Option<&'a Autoscaler> {
    let is = |it: &&Autoscaler| {
        let here = telstack_system::cluster::same_namespace(it.namespace.as_deref(), namespace) != Some(false);
        it.target == name && it.target_kind == kind.as_str() && here
    };
    cluster.autoscalers.iter().find(is)
}

/// Commands that prepare files for those that come after.
const GIVES_AWAY: [&str; 3] = ["chown", "chmod", "mkdir"];

/// What a container that ends before the others start leaves to them: folders of volumes that belong to their user
/// from then on, and files that nobody knows.
fn prepared(before: &Container, spec: &Value, containers: &mut [(String, Container)]) {
    let line: Vec<Sourced<String>> = words(spec, "command").into_iter().chain(words(spec, "args")).collect();
    let all: Vec<(&str, &Origin)> =
        line.iter().flat_map(|it| it.value.split_whitespace().map(|word| (word, &it.origin))).collect();
    let gives_away = all.iter().any(|(word, _)| GIVES_AWAY.contains(&word.rsplit('/').next().unwrap_or_default()));
    for mount in before.mounts.iter().filter(|it| !it.read_only) {
        for (_, container) in containers.iter_mut() {
            let same = container.mounts.iter().find(|it| it.source == mount.source).map(|it| it.target.clone());
            if let Some(target) = same.filter(|_| gives_away) {
                let (there, here) = (mount.target.trim_end_matches('/'), target.trim_end_matches('/'));
                for (word, origin) in &all {
                    let word = word.trim_matches(|c: char| matches!(c, '"' | '\'' | ';' | '&'));
                    let Some(rest) = word.strip_prefix(there) else { continue };
                    if rest.is_empty() || rest.starts_with('/') {
                        container.owned_paths.push(Sourced::new(format!("{here}{rest}"), (*origin).clone()));
                    }
                }
            }
            // Whoever has it first may let others write there.
            container.made.retain(|made| {
                let is = |it: &Mount| it.target == *made && it.source == mount.source;
                !container.mounts.iter().any(is)
            });
            // What is put into all of a volume may be in a folder of it.
            let shared = mount.source.pod_volume();
            container.gaps.files |=
                shared.is_some() && container.mounts.iter().any(|it| it.source.pod_volume() == shared);
        }
    }
}
