//! Who may ask the API of a cluster for what.

use super::{Cluster, same_namespace};
use crate::{
    model::pod::Pod,
    origin::{Origin, Sourced},
};

/// A service account.
#[derive(Clone, Debug)]
pub struct ServiceAccount {
    /// Its name.
    pub name: String,
    /// Where it is.
    pub namespace: Option<String>,
    /// What declares it.
    pub origin: Origin,
}

/// A role, or a cluster role.
#[derive(Clone, Debug)]
pub struct Role {
    /// Its name.
    pub name: String,
    /// Where it is; a cluster role is nowhere.
    pub namespace: Option<String>,
    /// Is it a cluster role?
    pub cluster: bool,
    /// What it allows.
    pub rules: Vec<RoleRule>,
    /// Does the cluster add the rules of others to it?
    pub aggregated: bool,
    /// What declares it.
    pub origin: Origin,
}

/// One thing that a role allows. `*` stands for everything.
#[derive(Clone, Debug)]
pub struct RoleRule {
    /// Groups of the API; empty is the core.
    pub groups: Vec<String>,
    /// Resources, such as `pods` or `nodes/stats`.
    pub resources: Vec<String>,
    /// Only those of these names; all of them, where there are none.
    pub names: Vec<String>,
    /// Paths that are no resources.
    pub urls: Vec<String>,
    /// Verbs.
    pub verbs: Vec<String>,
    /// What declares it.
    pub origin: Origin,
}

/// The role that a binding names.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RoleRef {
    /// Is it a cluster role?
    pub cluster: bool,
    /// Its name.
    pub name: String,
}

/// Whom a binding names.
#[derive(Clone, Debug)]
pub struct Subject {
    /// `ServiceAccount`, `User`, `Group`.
    pub kind: String,
    /// The name.
    pub name: String,
    /// Where the account is.
    pub namespace: Option<String>,
    /// What names it.
    pub origin: Origin,
}

/// What gives a role to somebody.
#[derive(Clone, Debug)]
pub struct Binding {
    /// Its name.
    pub name: String,
    /// Where it is; one for the cluster is nowhere.
    pub namespace: Option<String>,
    /// Does it hold in the whole cluster?
    pub cluster: bool,
    /// The role.
    pub role: Sourced<RoleRef>,
    /// Who gets it.
    pub subjects: Vec<Subject>,
    /// What declares it.
    pub origin: Origin,
}

impl RoleRule {
    /// Does it allow a verb on a resource of a group of the API?
    pub fn allows(&self, group: &str, resource: &str, verb: &str) -> bool {
        let has = |list: &[String], wanted: &str| list.iter().any(|it| it == wanted || it == "*");
        // `*/scale` is that part of everything.
        let part = resource.split_once('/').map(|(_, part)| format!("*/{part}"));
        let resources = has(&self.resources, resource) || part.is_some_and(|it| self.resources.contains(&it));
        has(&self.groups, group) && resources && has(&self.verbs, verb) && self.names.is_empty()
    }
}

impl Cluster {
    /// The account of a pod, if it is declared.
    pub fn account(&self, pod: &Pod) -> Option<&ServiceAccount> {
        let name = &pod.service_account.as_ref()?.value;
        self.accounts.iter().find(|it| it.name == *name && pod.is_in(it.namespace.as_deref()))
    }

    /// The bindings that name the account of a pod. One whose namespace is written in only one of the two places
    /// counts.
    pub fn bindings_of(&self, pod: &Pod) -> Vec<&Binding> {
        let name = pod.service_account.as_ref().map_or("default", |it| it.value.as_str());
        let is = |subject: &Subject| {
            let here = same_namespace(subject.namespace.as_deref(), pod.namespace.as_deref()) != Some(false);
            match subject.kind.as_str() {
                "ServiceAccount" => subject.name == name && here,
                // `system:serviceaccounts`, `system:authenticated`, `system:serviceaccount:NAMESPACE:NAME`
                _ => subject.name.starts_with("system:"),
            }
        };
        self.bindings.iter().filter(|it| it.subjects.iter().any(is)).collect()
    }

    /// All that the account of a pod may do, each with whether it holds in the whole cluster; none where not all
    /// of it is known: the account or a role that it has is not declared here, or others add to the role.
    pub fn granted(&self, pod: &Pod) -> Option<Vec<(&RoleRule, bool)>> {
        self.account(pod)?;
        let mut rules = Vec::new();
        for binding in self.bindings_of(pod) {
            let wanted = &binding.role.value;
            let role = self.roles.iter().find(|it| {
                it.cluster == wanted.cluster
                    && it.name == wanted.name
                    && (it.cluster
                        || same_namespace(it.namespace.as_deref(), binding.namespace.as_deref()) != Some(false))
            })?;
            if role.aggregated {
                return None;
            }
            rules.extend(role.rules.iter().map(|it| (it, binding.cluster)));
        }
        Some(rules)
    }
}
