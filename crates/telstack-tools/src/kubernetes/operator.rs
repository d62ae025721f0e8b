//! Collectors that the OpenTelemetry operator makes of its custom resources.
//!
//! Source: opentelemetry-operator `internal/naming`, `internal/manifests/collector`, `internal/manifests/manifestutils`.

use std::sync::Arc;

use telstack_catalog::{Distribution, operator as facts};
use telstack_syntax::tree;
use telstack_system::{
    Allocator, Bind, Cluster, Collector, Container, ContainerGaps, EnvValue, EnvVar, ImageRef, Known, Mount,
    MountSource, Node, NodeKind, Origin, Pod, SecretRef, Service, ServicePort, Sourced, System, TargetPort, Value,
    WorkloadKind,
    cluster::{Autoscaler, Instrumentation, Labels, operator},
};

use super::{
    Manifests, around,
    configs::Configs,
    container::{Around, most},
    objects::{Kind, Object, Objects},
    values::{at, labels, number, plain, seconds, word, words},
};
use crate::{
    folder::Folder,
    image,
    reading::{items, truth},
};

/// The nodes of all collectors that an operator runs.
pub(super) fn nodes(
    manifests: &Manifests,
    objects: &Objects,
    configs: &Configs,
    cluster: &mut Cluster,
    folder: &mut Folder<'_>,
) -> Vec<Node> {
    let mut found = Vec::new();
    for object in objects.of_kind(Kind::Collector) {
        let spec = object.spec();
        let (name, namespace) = (operator::workload(&object.name.value), object.namespace.clone());
        let (_, file) = facts::made().config.rsplit_once('/').unwrap_or_default();
        let root = format!("collector:{}:{}", namespace.as_deref().unwrap_or_default(), object.name.value);
        match spec.at("config") {
            Some(config) if config.as_str().is_some() => folder.embed(&format!("{root}/{file}"), config, None),
            Some(config) => folder.embed_tree(&format!("{root}/{file}"), config),
            None => {}
        }
        let kind = match plain(spec, "mode").as_deref() {
            None | Some("deployment") => WorkloadKind::Deployment,
            Some("daemonset") => WorkloadKind::DaemonSet,
            Some("statefulset") => WorkloadKind::StatefulSet,
            Some("sidecar") => WorkloadKind::Sidecar,
            Some(_) => continue,
        };
        let own = own_claims(spec, &name, namespace.as_ref(), cluster);
        let around = Around {
            configs,
            namespace: namespace.as_deref(),
            volumes: items(spec, "volumes"),
            own: &own,
            security: spec.at("podSecurityContext"),
        };
        let mut own_volumes = own.iter().map(|(_, volume)| volume.clone()).collect();
        let place = &object.name.origin;
        let mut container = around.container(spec, &mut own_volumes).unwrap_or_else(|| {
            // The operator's own.
            let image = ImageRef { repository: String::new(), tag: String::new() };
            Container::new(Sourced::new(image, place.clone()), place.clone())
        });
        let running = image::running(&container);
        configured(spec, &root, &mut container);
        container.stop_grace = seconds(spec, "terminationGracePeriodSeconds");
        container.replicas = match spec.at("replicas") {
            None => Known::Absent,
            Some(_) => number(spec, "replicas").map_or(Known::Unknown, Known::Value),
        };
        let scaled = number(spec, "autoscaler.maxReplicas").or_else(|| number(spec, "maxReplicas"));
        if spec.at("autoscaler").is_some() || scaled.is_some() {
            container.most_replicas = most(scaled.as_ref());
            cluster.autoscalers.push(Autoscaler {
                name: name.clone(),
                namespace: namespace.clone(),
                target_kind: facts::collector().kind.clone(),
                target: object.name.value.clone(),
                min: number(spec, "autoscaler.minReplicas").or_else(|| number(spec, "minReplicas")),
                max: scaled,
                origin: place.clone(),
            });
        }
        let mut carried: Labels = object.labels();
        carried.extend(labels(spec.at("podLabels")));
        carried.extend(operator::labels(&object.name, namespace.as_deref()));
        if kind == WorkloadKind::Sidecar {
            carried.extend(operator::sidecar_labels(&object.name, namespace.as_deref()));
        } else {
            cluster.services.extend(services(&object.name, namespace.as_deref(), spec));
        }
        let pod = Pod {
            kind,
            name: name.clone(),
            namespace,
            labels: carried,
            annotations: labels(spec.at("podAnnotations")),
            workload_annotations: object.annotations(),
            service_account: at(spec, "serviceAccount"),
            host_network: spec.at("hostNetwork").filter(|it| it.as_bool() == Some(true)).map(|it| it.mark.clone()),
            fs_group: at(spec, "podSecurityContext.fsGroup")
                .and_then(|it| Some(Sourced::new(it.value.parse().ok()?, it.origin))),
            groups: super::container::groups(spec.at("podSecurityContext")),
            strategy: None,
            max_surge: None,
            service_name: None,
            own_volumes,
            node_selector: labels(spec.at("nodeSelector")),
            tolerant: super::workload::tolerant(spec),
            affinity: spec.at("affinity").is_some() || spec.at("tolerations").is_some(),
            links: true,
            operated: true,
            patched: manifests.may_change(&facts::collector().kind, &object.name.value),
            targets_shared: allocator(spec),
            origin: place.clone(),
        };
        container.pod = Some(Arc::new(pod));
        let mut node = image::node(&object.name.value, place.clone(), Some(container), running);
        if node.collector().is_none() {
            // Whatever image it is, a collector is in it.
            let mut collector = Collector::new(Sourced::new(Distribution::Contrib, place.clone()));
            collector.gaps.distribution = true;
            node.kind = NodeKind::Collector(Box::new(collector));
        }
        found.push(node);
    }
    found
}

/// What shares targets out, if that is switched on.
fn allocator(spec: &Value) -> Option<Allocator> {
    let enabled = truth(spec, "targetAllocator.enabled").filter(|it| it.value)?;
    Some(Allocator {
        account: at(spec, "targetAllocator.serviceAccount"),
        strategy: at(spec, "targetAllocator.allocationStrategy"),
        origin: enabled.origin,
    })
}

/// What programs are told that send telemetry.
pub(super) fn instrumentation(object: &Object) -> Instrumentation {
    let spec = object.spec();
    Instrumentation {
        name: object.name.value.clone(),
        namespace: object.namespace.clone(),
        endpoint: at(spec, "exporter.endpoint"),
        propagators: words(spec, "propagators"),
        sampler: at(spec, "sampler.type").map(|it| (it, at(spec, "sampler.argument"))),
        env: items(spec, "env").iter().filter_map(variable).collect(),
        origin: object.name.origin.clone(),
    }
}

fn variable(item: &Value) -> Option<EnvVar> {
    let name = at(item, "name")?;
    let field = || plain(item, "valueFrom.fieldRef.fieldPath").map(EnvValue::Field);
    let secret = || {
        let of = item.at("valueFrom.secretKeyRef")?;
        Some(EnvValue::Required(SecretRef::Secret { name: plain(of, "name")?, key: plain(of, "key")? }))
    };
    let value = plain(item, "value").map(EnvValue::Literal).or_else(field).or_else(secret)?;
    Some(EnvVar::new(name.value, value, name.origin))
}

/// Where it reads its configuration, with which flags, and what the operator adds to its environment.
fn configured(spec: &Value, root: &str, container: &mut Container) {
    let made = facts::made();
    let place = spec.at("config").map_or_else(|| container.origin.clone(), |it| it.mark.clone());
    let mut flags = vec![Sourced::new(format!("--config={}", made.config), place.clone())];
    for entry in spec.at("args").and_then(Value::as_map).into_iter().flatten() {
        let Some(value) = word(&entry.value).filter(|_| entry.key != "config") else { continue };
        flags.push(Sourced::new(format!("--{}={}", entry.key, value.value), value.origin));
    }
    container.command = flags;
    let (folder, _) = made.config.rsplit_once('/').unwrap_or_default();
    let (source, target) = (MountSource::Handed(root.to_owned()), folder.to_owned());
    container.mounts.push(Mount { source, target, read_only: true, origin: place.clone() });
    let (name, field) = &made.variable;
    if !container.env.iter().any(|it| it.name == *name) {
        container.env.push(EnvVar::new(name.clone(), EnvValue::Field(field.clone()), place));
    }
    // It adds what components need, as far as its release knows them.
    container.gaps = ContainerGaps { env: true, ..container.gaps };
}

/// The claims that it makes for each pod of a StatefulSet: the name in the pod, and that of the volume.
fn own_claims(
    spec: &Value,
    workload: &str,
    namespace: Option<&String>,
    cluster: &mut Cluster,
) -> Vec<(String, String)> {
    let mut own = Vec::new();
    for template in items(spec, "volumeClaimTemplates") {
        let Some(name) = at(template, "metadata.name") else { continue };
        let volume = format!("{}-{workload}", name.value);
        if let Some(spec) = template.at("spec") {
            let of = Some(workload.to_owned());
            cluster.claims.push(around::claim(spec, volume.clone(), namespace.cloned(), of, name.origin));
        }
        own.push((name.value, volume));
    }
    own
}

/// The Services that the operator makes. Their ports follow from what the collector listens on.
fn services(name: &Sourced<String>, namespace: Option<&str>, spec: &Value) -> Vec<Service> {
    let ports = items(spec, "ports").iter().filter_map(|it| {
        let port = u16::try_from(number(it, "port")?.value).ok()?;
        Some(ServicePort {
            name: plain(it, "name"),
            port,
            target: it.at("targetPort").and_then(super::values::port).map_or(TargetPort::Number(port), |it| it.value),
            transport: super::values::transport(it)?,
            app_protocol: at(it, "appProtocol"),
            node_port: None,
            origin: it.mark.clone(),
        })
    });
    let ports: Vec<ServicePort> = ports.collect();
    let sticky = plain(spec, "sessionAffinity").as_deref() == Some("ClientIP");
    operator::services(name, namespace, &ports, sticky)
}

/// The places of all texts in settings, of which addresses are some.
fn addresses(node: &Node) -> Vec<Origin> {
    fn texts(value: &Value, found: &mut Vec<Origin>) {
        match &value.kind {
            tree::Kind::String(_) => found.push(value.mark.clone()),
            tree::Kind::Map(map) => {
                // Of a host and a port apart, the place is that of the port, or of both.
                if map.get("host").is_some() {
                    found.push(value.mark.clone());
                    found.extend(map.get("port").map(|it| it.mark.clone()));
                }
                map.iter().for_each(|entry| texts(&entry.value, found));
            }
            tree::Kind::Seq(seq) => seq.items.iter().for_each(|item| texts(item, found)),
            _ => {}
        }
    }
    let mut found = Vec::new();
    if let Some(collector) = node.collector() {
        collector.components.iter().for_each(|it| texts(&it.settings, &mut found));
        collector.telemetry.iter().for_each(|entry| texts(&entry.value, &mut found));
    }
    found
}

/// What follows for collectors of the operator once their configurations are read: the ports of their Services,
/// and servers that the operator lets listen on every interface.
pub(crate) fn finish(system: &mut System) {
    let Some(mut cluster) = system.cluster.take() else { return };
    for id in system.node_ids() {
        let node = system.node_mut(id);
        if !node.container.as_ref().and_then(|it| it.pod.as_ref()).is_some_and(|it| it.operated) {
            continue;
        }
        let written = addresses(node);
        for listener in &mut node.listeners {
            // Where no address is written, newer releases of the operator write one.
            if listener.bind == Bind::Loopback && !written.contains(&listener.origin) {
                listener.bind = Bind::Unknown;
            }
        }
        operator::open(&mut cluster, node);
    }
    system.cluster = Some(cluster);
}
