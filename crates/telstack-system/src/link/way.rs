//! The way from an address in a pod to the container that answers: over a Service, or on `localhost`.

use crate::{
    graph::{NodeId, System},
    model::{
        Bind, Container, Node, Service, ServicePort, TargetPort, Via,
        cluster::{Cluster, Named},
    },
};

/// Where an address leads.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Way {
    /// To a node, over what stands in between.
    To(NodeId, Option<Via>),
    /// To a Service that is known, but nobody knows who answers there.
    Service(Via),
    /// Out of what is known.
    Out,
    /// Nowhere, or nobody can tell.
    Nowhere,
}

/// Where an address leads that a node dials.
pub fn way(system: &System, from: NodeId, host: &str, port: u16) -> Way {
    let named = Bind::parse(host) == Bind::Host(host.to_owned());
    let Some(cluster) = &system.cluster else {
        return match system.reached(from, host, port) {
            Some(to) => Way::To(to, None),
            // Itself, or whoever is there.
            None if !named => Way::Nowhere,
            None => Way::Out,
        };
    };
    let dialler = system.node(from).container.as_ref();
    if !named {
        return dialler.and_then(|it| beside(system, from, it, port)).unwrap_or(Way::Nowhere);
    }
    let namespace = dialler.and_then(|it| it.pod.as_ref()).and_then(|it| it.namespace.as_deref());
    match cluster.named(host, namespace) {
        Named::Nobody => Way::Out,
        Named::Service(at, pods) => over(system, cluster, at, pods, port),
        Named::Unknown => Way::Nowhere,
    }
}

/// The container of the same pod that listens on a port of `localhost`.
fn beside(system: &System, from: NodeId, dialler: &Container, port: u16) -> Option<Way> {
    let mut found = system.nodes().filter(|(id, node)| {
        let shares = node.container.as_ref().is_some_and(|it| it.shares_pod(dialler));
        *id != from && shares && node.listeners.iter().any(|it| it.port == port)
    });
    let (to, _) = found.next()?;
    let via = Via { service: None, port: Some(port), pods: true };
    found.next().is_none().then_some(Way::To(to, Some(via)))
}

fn over(system: &System, cluster: &Cluster, at: usize, pod: bool, dialled: u16) -> Way {
    let Some(service) = cluster.services.get(at) else { return Way::Nowhere };
    let direct = pod || service.headless;
    let itself = TargetPort::Number(dialled);
    // Without an address of its own it only gives names to pods, whatever its ports are.
    let open = service.open_ports && service.port(dialled).is_none() && !service.lacks.contains(&dialled);
    let target = if direct || open { Some(&itself) } else { service.port(dialled).map(|it| &it.target) };
    let via = |port: Option<u16>| Via { service: Some(at), port, pods: direct };
    let containers: Vec<(NodeId, &Container)> = selected(system, service).collect();
    let Some((_, first)) = containers.first() else { return Way::Service(via(target.map(|_| dialled))) };
    // Different workloads behind one name: nobody can tell which of them answers.
    if service.selector.is_none() || containers.iter().any(|(_, it)| !it.shares_pod(first)) {
        return Way::Service(via(target.map(|_| dialled)));
    }
    let Some(target) = target else {
        let known = containers.iter().filter(|(id, _)| system.node(*id).product().is_some());
        return match known.map(|(id, _)| *id).collect::<Vec<_>>().as_slice() {
            [only] => Way::To(*only, Some(via(None))),
            _ => Way::Service(via(None)),
        };
    };
    match container_at(system, &containers, target) {
        Some((to, port)) => Way::To(to, Some(via(Some(port)))),
        None => Way::Service(via(Some(dialled))),
    }
}

/// The container of a pod that a port leads to, and its number there.
fn container_at(system: &System, containers: &[(NodeId, &Container)], target: &TargetPort) -> Option<(NodeId, u16)> {
    let number = match target {
        TargetPort::Number(number) => *number,
        TargetPort::Name(_) => containers.iter().find_map(|(_, it)| it.port_number(target))?,
    };
    let listens = |node: &Node| node.listeners.iter().any(|it| it.port == number);
    let listening = containers.iter().find(|(id, _)| listens(system.node(*id)));
    let declaring = || containers.iter().find(|(_, it)| it.ports.iter().any(|it| it.port == number));
    let only = || containers.first().filter(|_| containers.len() == 1);
    listening.or_else(declaring).or_else(only).map(|(id, _)| (*id, number))
}

/// The containers of the pods that a Service stands for.
fn selected<'a>(system: &'a System, service: &'a Service) -> impl Iterator<Item = (NodeId, &'a Container)> {
    system.nodes().filter_map(|(id, node)| {
        let container = node.container.as_ref()?;
        service.stands_for(container.pod.as_ref()?).then_some((id, container))
    })
}

/// The ports of Services that lead to a port of a node.
pub fn leading_to(system: &System, node: NodeId, port: u16) -> Vec<(&Service, &ServicePort)> {
    let container = system.node(node).container.as_ref();
    let (Some(cluster), Some(container)) = (&system.cluster, container) else { return Vec::new() };
    let Some(pod) = &container.pod else { return Vec::new() };
    let leads = |it: &&ServicePort| container.port_number(&it.target) == Some(port);
    cluster
        .services_of(pod)
        .flat_map(|service| service.ports.iter().filter(leads).map(move |it| (service, it)))
        .collect()
}
