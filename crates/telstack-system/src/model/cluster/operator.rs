//! What the OpenTelemetry operator makes of a collector's resource.

use std::collections::BTreeMap;

use telstack_catalog::{ComponentKind, operator};

use super::{Cluster, Labels, Selector, Service, ServicePort, ServiceType, TargetPort, same_namespace};
use crate::{
    model::{Listener, Node, WorkloadKind},
    origin::Sourced,
};

/// A Service that stands for the pods of a collector.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Operated {
    /// The one that others dial.
    Base,
    /// The one whose name stands for all pods.
    Headless,
    /// The one that leads to the collector's own metrics.
    Monitoring,
}

impl Operated {
    const ALL: [Self; 3] = [Operated::Base, Operated::Headless, Operated::Monitoring];

    /// What the operator calls it, for a resource of that name.
    pub fn name(self, resource: &str) -> String {
        let made = operator::made();
        let behind = match self {
            Operated::Base => "",
            Operated::Headless => &made.headless,
            Operated::Monitoring => &made.monitoring,
        };
        format!("{resource}{}{behind}", made.suffix)
    }

    /// The Services that lead to what a collector listens on.
    pub fn leading_to(listener: &Listener) -> &'static [Self] {
        match listener.owner.as_ref().map(|it| it.kind) {
            Some(ComponentKind::Receiver | ComponentKind::Exporter) => &[Operated::Base, Operated::Headless],
            Some(_) => &[],
            None => &[Operated::Monitoring],
        }
    }
}

/// The name of the workload that it makes, and the prefix of all Services.
pub fn workload(resource: &str) -> String {
    Operated::Base.name(resource)
}

/// The label of pods into which a resource was put as a sidecar.
pub fn sidecar_labels(resource: &Sourced<String>, namespace: Option<&str>) -> Labels {
    let value = format!("{}.{}", namespace.unwrap_or_default(), resource.value);
    [(operator::sidecar().label.clone(), Sourced::new(value, resource.origin.clone()))].into()
}

/// The name of what belongs to the target allocator of a resource.
pub fn allocator(resource: &str) -> String {
    format!("{resource}{}", operator::allocator().suffix)
}

/// The labels of the pods of the target allocator of a resource.
pub fn allocator_labels(resource: &Sourced<String>, namespace: Option<&str>) -> Labels {
    instance_and(&operator::allocator().labels, resource, namespace)
}

/// The labels by which it finds the pods again.
pub fn labels(resource: &Sourced<String>, namespace: Option<&str>) -> Labels {
    instance_and(&operator::made().labels, resource, namespace)
}

fn instance_and(labels: &BTreeMap<String, String>, resource: &Sourced<String>, namespace: Option<&str>) -> Labels {
    let label = |key: &str, value: &str| (key.to_owned(), Sourced::new(value.to_owned(), resource.origin.clone()));
    let instance = format!("{}.{}", namespace.unwrap_or_default(), resource.value);
    let own = label(&operator::made().instance, &instance);
    labels.iter().map(|(key, value)| label(key, value)).chain([own]).collect()
}

/// The Services that it makes for a resource. `ports` are what the resource itself says; others follow from what the
/// collector listens on ([`open`]).
pub fn services(
    resource: &Sourced<String>,
    namespace: Option<&str>,
    ports: &[ServicePort],
    sticky: bool,
) -> Vec<Service> {
    let origin = &resource.origin;
    let service = |which: Operated| Service {
        name: which.name(&resource.value),
        namespace: namespace.map(str::to_owned),
        ty: ServiceType::ClusterIp,
        headless: which == Operated::Headless,
        selector: Some(Selector {
            labels: labels(resource, namespace),
            expressions: Vec::new(),
            origin: origin.clone(),
        }),
        ports: if which == Operated::Monitoring { Vec::new() } else { ports.to_vec() },
        open_ports: true,
        lacks: Vec::new(),
        labels: Labels::new(),
        annotations: Labels::new(),
        sticky,
        origin: origin.clone(),
    };
    Operated::ALL.map(service).into()
}

/// Gives its Services the ports that follow from what a collector listens on.
pub fn open(cluster: &mut Cluster, node: &Node) {
    let Some(pod) = node.container.as_ref().and_then(|it| it.pod.as_deref()).filter(|it| it.operated) else { return };
    if pod.kind == WorkloadKind::Sidecar {
        return;
    }
    let resource = pod.name.strip_suffix(&*operator::made().suffix).unwrap_or(&pod.name);
    for listener in &node.listeners {
        let port = ServicePort {
            name: None,
            port: listener.port,
            target: TargetPort::Number(listener.port),
            transport: listener.transport,
            app_protocol: None,
            node_port: None,
            origin: listener.origin.clone(),
        };
        for which in Operated::leading_to(listener) {
            if let Some(service) = made(cluster, &which.name(resource), pod.namespace.as_deref())
                && service.port(port.port).is_none()
            {
                service.ports.push(port.clone());
            }
        }
        // The Service that others send to does not lead to the collector's own metrics.
        if listener.owner.is_none()
            && let Some(service) = made(cluster, &pod.name, pod.namespace.as_deref())
            && service.port(listener.port).is_none()
        {
            service.lacks.push(listener.port);
        }
    }
}

/// A Service that the operator makes.
fn made<'a>(cluster: &'a mut Cluster, name: &str, namespace: Option<&str>) -> Option<&'a mut Service> {
    cluster
        .services
        .iter_mut()
        .find(|it| it.name == name && same_namespace(it.namespace.as_deref(), namespace) == Some(true) && it.open_ports)
}
