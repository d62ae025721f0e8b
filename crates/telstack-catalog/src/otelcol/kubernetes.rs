//! What components of a collector need of a Kubernetes cluster (`data/otelcol/kubernetes.json`).

use std::{collections::BTreeMap, sync::OnceLock};

use serde::Deserialize;
use serde_json::Value;

use super::component::Component;
use crate::version::{Version, VersionRange};

/// A condition on the settings of a component. Without `is`, `has` and `absent`: something is set.
#[derive(Deserialize, PartialEq, Eq, Debug)]
pub struct Condition {
    /// The setting, as a dotted path; `[]` behind a key stands for each item of a list.
    pub setting: String,
    /// It is this truth value.
    #[serde(default)]
    pub is: Option<bool>,
    /// It is, or lists, one of these words.
    #[serde(default)]
    pub has: Vec<String>,
    /// It is not written.
    #[serde(default)]
    pub absent: bool,
}

/// Something that is asked of the API of the cluster.
#[derive(Deserialize, PartialEq, Eq, Debug)]
pub struct Need {
    /// The group of the API; empty is the core.
    pub group: String,
    /// The resources.
    pub resources: Vec<String>,
    /// Is one of the resources enough?
    #[serde(default)]
    pub any: bool,
    /// What is done with them.
    pub verbs: Vec<String>,
    /// Do the resources lie outside of all namespaces?
    #[serde(default)]
    pub cluster: bool,
    #[serde(default, rename = "in")]
    range: Option<VersionRange>,
    /// It is needed where any of these holds; always, where there are none.
    #[serde(default)]
    pub when: Vec<Condition>,
    /// It is not needed where any of these holds.
    #[serde(default)]
    pub unless: Vec<Condition>,
}

impl Need {
    /// Does a release ask for it?
    pub fn holds(&self, version: Version) -> bool {
        self.range.is_none_or(|range| range.contains(version))
    }
}

/// What a component asks of the API of the cluster, as the account of its pod.
#[derive(Deserialize, PartialEq, Eq, Debug)]
pub struct Access {
    component: String,
    /// The setting that says as whom it asks.
    #[serde(default)]
    pub auth: Option<String>,
    /// As whom it asks where nothing is written.
    pub default_auth: String,
    /// Settings that name the namespaces it keeps to.
    #[serde(default)]
    pub within: Vec<String>,
    /// It asks for nothing where any of these holds.
    #[serde(default)]
    pub unless: Vec<Condition>,
    /// What becomes of it when it is refused.
    pub without: String,
    /// What it asks for.
    pub needs: Vec<Need>,
}

/// The word for asking as the account of the pod.
pub const SERVICE_ACCOUNT: &str = "serviceAccount";

/// A component that finds its targets by the API of the cluster.
#[derive(Deserialize, PartialEq, Eq, Debug)]
struct Discoverer {
    component: String,
    below: String,
}

/// How Prometheus and what embeds it find targets by the API of the cluster.
#[derive(Deserialize, PartialEq, Eq, Debug)]
pub struct Discovery {
    /// The list of jobs.
    pub list: String,
    /// The list in a job.
    pub block: String,
    /// The setting that says what is looked for.
    pub role: String,
    /// Settings that ask another cluster, or as somebody else.
    pub elsewhere: Vec<String>,
    /// The setting that names the namespaces it keeps to.
    pub namespaces: String,
    /// The list of their names in it.
    pub names: String,
    /// What becomes of it when it is refused.
    pub without: String,
    components: Vec<Discoverer>,
    roles: BTreeMap<String, Vec<Need>>,
}

impl Discovery {
    /// What is asked for in a role.
    pub fn needs(&self, role: &str) -> &[Need] {
        self.roles.get(role).map_or(&[], Vec::as_slice)
    }
}

/// A component whose settings list the objects that it asks for.
#[derive(Deserialize, PartialEq, Eq, Debug)]
pub struct Objects {
    component: String,
    /// The list.
    pub list: String,
    /// The setting of an item that names the resource.
    pub name: String,
    /// The setting of an item that names the group of the API.
    pub group: String,
    /// The setting of an item that says how they are asked for.
    pub mode: String,
    /// How they are asked for where nothing is written.
    pub default_mode: String,
    /// The setting of an item that names the namespaces it keeps to.
    pub namespaces: String,
    /// The setting that says as whom it asks.
    pub auth: String,
    /// As whom it asks where nothing is written.
    pub default_auth: String,
    /// What becomes of it when it is refused.
    pub without: String,
    verbs: BTreeMap<String, Vec<String>>,
}

impl Objects {
    /// What is done with the objects in a mode.
    pub fn verbs(&self, mode: &str) -> &[String] {
        self.verbs.get(mode).map_or(&[], Vec::as_slice)
    }
}

/// A component of which one for a cluster is enough: several say everything several times.
#[derive(Deserialize, PartialEq, Eq, Debug)]
pub struct Once {
    component: String,
    /// The setting that names the extension by which one of several is chosen.
    pub leader: String,
    /// A list and a setting of its items: where all of them have it, each replica looks at a part.
    #[serde(default)]
    pub limited_by: Option<(String, String)>,
    /// What comes several times.
    pub what: String,
}

/// The extension by which one of several is chosen.
#[derive(Deserialize, PartialEq, Eq, Debug)]
pub struct Leader {
    component: String,
    /// The setting that names what the chosen one holds.
    pub lease: String,
    /// The setting that names where that is.
    pub namespace: String,
}

/// How a component is told by what it knows the pods that data is of.
#[derive(Deserialize, PartialEq, Debug)]
pub struct PodsBy {
    component: String,
    /// The setting.
    pub setting: String,
    beside: Vec<String>,
    /// What to write.
    pub value: Value,
    /// Why, of what it stands beside.
    pub why: String,
}

/// How a component is told to look at its own node only.
#[derive(Deserialize, PartialEq, Eq, Debug)]
pub struct NodeFilter {
    component: String,
    /// Settings any of which does it.
    pub any: Vec<String>,
    /// It looks at nothing where any of these holds.
    #[serde(default)]
    pub unless: Vec<Condition>,
    /// What to write.
    pub write: String,
}

/// A setting that holds the name of an environment variable.
#[derive(Deserialize, PartialEq, Eq, Debug)]
pub struct NamedVariable {
    component: String,
    /// The setting.
    pub setting: String,
    /// The variable where nothing is written.
    #[serde(default)]
    pub default: Option<String>,
    /// It is looked at only where this holds.
    #[serde(default)]
    pub when: Option<Condition>,
    /// The field of the pod that the variable is meant to hold.
    pub field: String,
    /// Does the collector not start without it?
    #[serde(default)]
    pub stops: bool,
    /// What becomes of it without the variable.
    pub without: String,
}

/// The component that asks the kubelet of its node.
#[derive(Deserialize, PartialEq, Eq, Debug)]
pub struct Kubelet {
    component: String,
    /// The setting with the kubelet's address.
    pub endpoint: String,
    /// The kubelet's port.
    pub port: u16,
    /// What to write.
    pub write: String,
    /// Fields of the pod that are of the pod, and not of its node.
    pub pod_fields: Vec<String>,
    /// Where this holds, the address is the name of a node.
    pub proxied: Condition,
}

/// How a mesh finds out what is spoken on a port of a Service.
#[derive(Deserialize, PartialEq, Eq, Debug)]
pub struct Mesh {
    namespace: Vec<(String, String)>,
    pod: Vec<(String, String)>,
    names: Vec<String>,
    /// What the names of ports start with that speak gRPC.
    pub grpc_names: Vec<String>,
    /// What to write as `appProtocol`.
    pub write: String,
}

impl Mesh {
    /// Does a label of a namespace put its pods into a mesh?
    pub fn takes_namespace(&self, label: &str, value: &str) -> bool {
        self.namespace.iter().any(|(key, set)| key == label && set == value)
    }

    /// Does a label or annotation of a pod put it into a mesh?
    pub fn takes_pod(&self, label: &str, value: &str) -> bool {
        self.pod.iter().any(|(key, set)| key == label && set == value)
    }

    /// Does a label or annotation speak of some mesh, whatever it says?
    pub fn speaks_of(&self, label: &str) -> bool {
        self.names.iter().any(|it| label.contains(it.as_str()))
    }
}

#[derive(Deserialize)]
struct Balancers {
    annotations: Vec<(String, String)>,
}

/// A feature by which the series of one collector differ from those of another.
#[derive(Deserialize, PartialEq, Eq, Debug)]
pub struct ToldApart {
    component: String,
    /// What switches it on or off.
    pub gate: String,
    default: VersionRange,
}

impl ToldApart {
    /// Is it on unless somebody switches it off?
    pub fn by_default(&self, version: Version) -> bool {
        self.default.contains(version)
    }
}

#[derive(Deserialize)]
struct Apart {
    rows: Vec<ToldApart>,
}

#[derive(Deserialize)]
struct Dns {
    port: u16,
    others: Vec<u16>,
    namespace: String,
    on_node: String,
}

#[derive(Deserialize)]
struct Askers {
    components: Vec<String>,
}

#[derive(Deserialize)]
struct Detectors {
    component: String,
    setting: String,
    has: Vec<String>,
}

#[derive(Deserialize)]
struct Api {
    ports: Vec<u16>,
}

#[derive(Deserialize)]
struct Fields {
    names: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Ingresses {
    annotations: Vec<String>,
    inner_classes: Vec<String>,
}

#[derive(Deserialize)]
struct Rollouts {
    words: Vec<String>,
    sidecars: Vec<String>,
}

#[derive(Deserialize)]
struct Table {
    access: Vec<Access>,
    discovery: Discovery,
    objects: Objects,
    once: Vec<Once>,
    leader: Leader,
    pods_by: PodsBy,
    node_filters: Vec<NodeFilter>,
    variables: Vec<NamedVariable>,
    fields: Fields,
    mesh: Mesh,
    private_balancers: Balancers,
    plain_ingresses: Ingresses,
    rollouts: Rollouts,
    other_policies: Vec<String>,
    plain_node_labels: Vec<String>,
    dns: Dns,
    namespace_label: String,
    local_detectors: Detectors,
    other_askers: Askers,
    no_pods: Vec<String>,
    api: Api,
    grace_seconds: u64,
    told_apart: Apart,
    kubelet: Kubelet,
}

fn table() -> &'static Table {
    static TABLE: OnceLock<Table> = OnceLock::new();
    TABLE.get_or_init(|| {
        let text = include_str!("../../data/otelcol/kubernetes.json");
        serde_json::from_str(text).expect("kubernetes.json is embedded and read by the tests")
    })
}

/// How Prometheus and what embeds it find targets by the API of the cluster.
pub fn discovery() -> &'static Discovery {
    &table().discovery
}

/// The extension by which one of several is chosen.
pub fn leader() -> &'static Leader {
    &table().leader
}

/// The field of a pod that people keep in a variable of that name.
pub fn field_of(variable: &str) -> Option<&'static str> {
    table().fields.names.get(variable).map(String::as_str)
}

/// How a mesh finds out what is spoken.
pub fn mesh() -> &'static Mesh {
    &table().mesh
}

/// Does an annotation keep the load balancer of a Service inside a network?
pub fn is_private_balancer(annotation: &str, value: &str) -> bool {
    table().private_balancers.annotations.iter().any(|(key, set)| key == annotation && set.eq_ignore_ascii_case(value))
}

/// May an annotation of an Ingress say something of who reaches it, or how it is encrypted?
pub fn may_guard_an_ingress(annotation: &str) -> bool {
    !table().plain_ingresses.annotations.iter().any(|end| annotation.ends_with(end.as_str()))
}

/// Is a class of Ingresses called after a network that not everybody is in?
pub fn is_inner_class(class: &str) -> bool {
    table().plain_ingresses.inner_classes.iter().any(|word| class.contains(word.as_str()))
}

/// Does somebody who writes an annotation, a label or a variable of that name mean that pods start anew when their
/// configuration changes?
pub fn tells_of_a_change(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    table().rollouts.words.iter().any(|word| name.contains(word.as_str()))
}

/// Does an image watch files and tell the program beside it of changes?
pub fn is_reloader(repository: &str) -> bool {
    table().rollouts.sidecars.iter().any(|word| repository.contains(word.as_str()))
}

/// Is that a kind of network policy that not Kubernetes itself brings?
pub fn is_other_policy(kind: &str) -> bool {
    table().other_policies.iter().any(|it| it == kind)
}

/// Is that a kind of object that surely runs no pods?
pub fn runs_no_pods(kind: &str) -> bool {
    table().no_pods.iter().any(|it| it == kind)
}

/// Is that a label that says nothing about which of the nodes of a cluster are meant?
pub fn is_plain_node_label(label: &str) -> bool {
    table().plain_node_labels.iter().any(|it| it == label)
}

/// The ports at which pods ask for addresses, the usual one first.
pub fn dns_ports() -> impl Iterator<Item = u16> {
    let dns = &table().dns;
    std::iter::once(dns.port).chain(dns.others.iter().copied())
}

/// The namespace of those that are asked for addresses.
pub fn dns_namespace() -> &'static str {
    &table().dns.namespace
}

/// Addresses of each node that may be asked for addresses in their place.
pub fn dns_on_node() -> &'static str {
    &table().dns.on_node
}

/// The label that every namespace has: its name.
pub fn namespace_label() -> &'static str {
    &table().namespace_label
}

/// The ports of the API of a cluster.
pub fn api_ports() -> &'static [u16] {
    &table().api.ports
}

/// How many seconds a pod has to stop in where nothing is written.
pub fn grace_seconds() -> u64 {
    table().grace_seconds
}

impl Component {
    /// What it asks of the API of the cluster, if anything is known.
    pub fn access(self) -> Option<&'static Access> {
        table().access.iter().find(|row| row.component == self.record.key)
    }

    /// Where it keeps jobs that find targets by the API of the cluster, as a dotted path.
    pub fn discovers_below(self) -> Option<&'static str> {
        let row = table().discovery.components.iter().find(|row| row.component == self.record.key)?;
        Some(&row.below)
    }

    /// How it is told which objects to ask for, if it is.
    pub fn asked_objects(self) -> Option<&'static Objects> {
        Some(&table().objects).filter(|row| row.component == self.record.key)
    }

    /// Why one for a cluster is enough, if it is.
    pub fn once(self) -> Option<&'static Once> {
        table().once.iter().find(|row| row.component == self.record.key)
    }

    /// How it is told by what it knows the pods that data is of, if it is.
    pub fn pods_by(self) -> Option<&'static PodsBy> {
        Some(&table().pods_by).filter(|row| row.component == self.record.key)
    }

    /// Does its data name the pods that it is of, and come from none of them?
    pub fn names_pods(self) -> bool {
        table().pods_by.beside.contains(&self.record.key)
    }

    /// How it is told to look at its own node only, if it can be.
    pub fn node_filter(self) -> Option<&'static NodeFilter> {
        table().node_filters.iter().find(|row| row.component == self.record.key)
    }

    /// Its settings that hold the names of environment variables.
    pub fn named_variables(self) -> impl Iterator<Item = &'static NamedVariable> {
        table().variables.iter().filter(move |row| row.component == self.record.key)
    }

    /// The feature by which its series differ from those of another collector, if there is one.
    pub fn told_apart(self) -> Option<&'static ToldApart> {
        table().told_apart.rows.iter().find(|row| row.component == self.record.key)
    }

    /// The setting that lists what it asks to find out where it runs, with those that ask nobody in the network.
    pub fn local_detectors(self) -> Option<(&'static str, &'static [String])> {
        let row = &table().local_detectors;
        (row.component == self.record.key).then_some((&row.setting, &row.has))
    }

    /// Does it ask the API of the cluster for what is not known here?
    pub fn asks_otherwise(self) -> bool {
        table().other_askers.components.contains(&self.record.key)
    }

    /// How it asks the kubelet, if it does.
    pub fn kubelet(self) -> Option<&'static Kubelet> {
        Some(&table().kubelet).filter(|row| row.component == self.record.key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        ComponentKind,
        otelcol::{component::component, newest},
    };

    fn named(key: &str) -> Component {
        let (kind, name) = key.split_once('/').expect("a kind and a name");
        let kind = ComponentKind::parse(kind).expect("a kind");
        let component = component(kind, name).unwrap_or_else(|| panic!("{name} is known"));
        assert_eq!(component.record.key, key, "its newest name");
        component
    }

    #[test]
    fn every_row_names_a_component_and_its_settings() {
        let table = table();
        let mut settings: Vec<(&str, &str)> = Vec::new();
        for row in &table.access {
            let key = row.component.as_str();
            settings.extend(row.auth.iter().chain(&row.within).map(|it| (key, it.as_str())));
            let conditions = row.needs.iter().flat_map(|need| need.when.iter().chain(&need.unless)).chain(&row.unless);
            settings.extend(conditions.map(|it| (key, it.setting.as_str())));
        }
        settings.extend(table.once.iter().map(|it| (it.component.as_str(), it.leader.as_str())));
        settings.extend(
            table.node_filters.iter().flat_map(|row| row.any.iter().map(|it| (row.component.as_str(), it.as_str()))),
        );
        settings.extend(table.variables.iter().map(|it| (it.component.as_str(), it.setting.as_str())));
        settings.push((&table.kubelet.component, &table.kubelet.endpoint));
        settings.extend([&table.leader.lease, &table.leader.namespace].map(|it| (&*table.leader.component, &**it)));
        settings.push((&table.pods_by.component, &table.pods_by.setting));
        for key in &table.pods_by.beside {
            named(key);
        }
        settings.push((&table.objects.component, &table.objects.list));
        for key in &table.other_askers.components {
            named(key);
        }
        settings.push((&table.local_detectors.component, &table.local_detectors.setting));
        for (key, setting) in settings {
            let tree = named(key).settings(newest()).unwrap_or_else(|| panic!("{key} has settings"));
            // Names of metrics have dots of their own.
            assert!(setting.starts_with("metrics.") || tree.at(setting).is_some(), "{key}: {setting}");
        }
        for row in &table.discovery.components {
            named(&row.component);
        }
    }

    #[test]
    fn what_a_release_asks_for() {
        let needs = |version: &str| -> Vec<&str> {
            let version = Version::parse(version).expect("a version");
            let access = named("exporter/load_balancing").access().expect("it asks");
            access.needs.iter().filter(|it| it.holds(version)).map(|it| it.group.as_str()).collect()
        };
        assert_eq!(needs("0.139.0"), [""]);
        assert_eq!(needs("0.140.0"), ["discovery.k8s.io"]);
    }
}
