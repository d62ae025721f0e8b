//! What the Prometheus operator is told to scrape.

use super::{Labels, Selector, Service, same_namespace};
use crate::{
    model::pod::Pod,
    origin::{Origin, Sourced},
};

/// A `ServiceMonitor` or a `PodMonitor`.
#[derive(Clone, Debug)]
pub struct Monitor {
    /// Its name.
    pub name: String,
    /// Where it is.
    pub namespace: Option<String>,
    /// Does it mean pods, rather than Services?
    pub of_pods: bool,
    /// What it means.
    pub selector: Selector,
    /// Where that is.
    pub within: Within,
    /// The ports that are scraped, by the names that Services or containers give them.
    pub ports: Vec<Sourced<String>>,
    /// What declares it.
    pub origin: Origin,
}

/// The namespaces that a monitor looks into.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Within {
    /// Its own.
    Own,
    /// All of them.
    Any,
    /// Those of these names.
    Named(Vec<String>),
}

impl Monitor {
    /// `ServiceMonitor`, `PodMonitor`.
    pub fn kind(&self) -> &'static str {
        if self.of_pods { "PodMonitor" } else { "ServiceMonitor" }
    }

    /// Does it look into a namespace? None where nobody can tell.
    pub fn looks_into(&self, namespace: Option<&str>) -> Option<bool> {
        match &self.within {
            Within::Own => same_namespace(self.namespace.as_deref(), namespace),
            Within::Any => Some(true),
            Within::Named(names) => namespace.map(|it| names.iter().any(|name| name == it)),
        }
    }

    /// Does it mean a Service, as far as is known?
    pub fn may_mean(&self, service: &Service) -> bool {
        !self.of_pods && self.fits(service.namespace.as_deref(), &service.labels)
    }

    /// Does it mean a pod, as far as is known?
    pub fn may_mean_pod(&self, pod: &Pod) -> bool {
        self.of_pods && self.fits(pod.namespace.as_deref(), &pod.labels)
    }

    fn fits(&self, namespace: Option<&str>, labels: &Labels) -> bool {
        self.looks_into(namespace) != Some(false) && self.selector.picks(labels)
    }
}
