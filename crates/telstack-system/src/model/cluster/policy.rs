//! Network policies: who may talk to whom.

use telstack_catalog::otelcol::Transport;

use super::{Selector, TargetPort};
use crate::origin::{Origin, Sourced};

/// A network policy. Pods that no policy picks talk to everybody; those that several pick may do what any allows.
#[derive(Clone, Debug)]
pub struct NetworkPolicy {
    /// Its name.
    pub name: String,
    /// Where it is.
    pub namespace: Option<String>,
    /// The pods that it is about.
    pub pods: Selector,
    /// What may reach them; none where it says nothing of that, empty where nothing may.
    pub ingress: Option<Vec<PolicyRule>>,
    /// What they may reach; none where it says nothing of that, empty where they may reach nothing.
    pub egress: Option<Vec<PolicyRule>>,
    /// What declares it.
    pub origin: Origin,
}

/// One thing that a policy allows.
#[derive(Clone, Debug)]
pub struct PolicyRule {
    /// From or to whom: any of these; everybody, where there are none.
    pub peers: Vec<Peer>,
    /// On which ports: any of these; on all, where there are none.
    pub ports: Vec<PolicyPort>,
    /// What declares it.
    pub origin: Origin,
}

/// Whom a policy allows.
#[derive(Clone, Debug)]
pub struct Peer {
    /// Pods; all of them, where only namespaces are picked.
    pub pods: Option<Selector>,
    /// Namespaces; that of the policy, where none is picked.
    pub namespaces: Option<Selector>,
    /// Addresses.
    pub block: Option<IpBlock>,
    /// What declares it.
    pub origin: Origin,
}

/// Addresses.
#[derive(Clone, PartialEq, Debug)]
pub struct IpBlock {
    /// `10.0.0.0/8`.
    pub cidr: Sourced<String>,
    /// Those among them that are left out.
    pub except: Vec<String>,
}

/// Ports that a policy allows.
#[derive(Clone, PartialEq, Debug)]
pub struct PolicyPort {
    /// TCP or UDP.
    pub transport: Transport,
    /// The port; all of them, where none is written. It is that of the pod, not of a Service.
    pub port: Option<TargetPort>,
    /// The last of a range of ports.
    pub end: Option<u16>,
    /// What declares it.
    pub origin: Origin,
}

impl PolicyPort {
    /// Does it let a port pass? `name` is what the container that listens there calls it.
    pub fn admits(&self, port: u16, name: Option<&str>, transport: Transport) -> bool {
        self.transport == transport
            && match (&self.port, self.end) {
                (None, _) => true,
                (Some(TargetPort::Number(first)), Some(last)) => (*first..=last).contains(&port),
                (Some(TargetPort::Number(number)), None) => *number == port,
                (Some(TargetPort::Name(wanted)), _) => name == Some(wanted.as_str()),
            }
    }
}
