//! What is between and around pods: Services, policies, roles, claims and the like.

use telstack_system::{
    Origin, Service, ServicePort, ServiceType, Sourced, TargetPort, Value,
    cluster::{
        Autoscaler, Binding, Budget, Certificate, Claim, Cluster, ConfigMap, Ingress, IpBlock, Issuer, IssuerRef,
        Namespace, NetworkPolicy, Peer, PolicyPort, PolicyRule, Role, RoleRef, RoleRule, ServiceAccount, Subject,
    },
};

use super::{
    Manifests,
    objects::{Kind, Object, Objects},
    values::{at, labels, number, plain, plain_words, port, selector, size, transport, word, words},
};
use crate::reading::{items, truth};

/// Everything but the pods.
pub(super) fn cluster(objects: &Objects, open: bool) -> Cluster {
    let mut cluster = Cluster { unread: objects.unread.clone(), open: objects.open || open, ..Cluster::default() };
    for it in &objects.all {
        let (name, namespace, origin) = (it.name.value.clone(), it.namespace.clone(), it.name.origin.clone());
        match it.kind {
            Kind::Namespace => cluster.namespaces.push(Namespace { name, labels: it.labels(), origin }),
            Kind::Service => cluster.services.push(service(it)),
            Kind::ConfigMap if !truth(&it.body, "immutable").is_some_and(|it| it.value) => {
                let files = super::configs::root(it.kind, it.namespace.as_deref(), &name);
                cluster.configs.push(ConfigMap { name, files, origin });
            }
            Kind::NetworkPolicy => cluster.policies.push(policy(it)),
            Kind::ServiceAccount => cluster.accounts.push(ServiceAccount { name, namespace, origin }),
            Kind::Role | Kind::ClusterRole => cluster.roles.push(Role {
                cluster: it.kind == Kind::ClusterRole,
                rules: items(&it.body, "rules").iter().map(role_rule).collect(),
                aggregated: it.body.at("aggregationRule").is_some(),
                name,
                namespace,
                origin,
            }),
            Kind::RoleBinding | Kind::ClusterRoleBinding => cluster.bindings.extend(binding(it)),
            Kind::Claim => cluster.claims.push(claim(it.spec(), name, namespace, None, origin)),
            Kind::Autoscaler => cluster.autoscalers.extend(autoscaler(it, "maxReplicas", "minReplicas")),
            Kind::ScaledObject => cluster.autoscalers.extend(autoscaler(it, "maxReplicaCount", "minReplicaCount")),
            Kind::Budget => {
                let selector = it.body.at("spec.selector").map(selector);
                cluster.budgets.push(Budget { name, namespace, selector, origin });
            }
            Kind::Ingress => cluster.ingresses.push(ingress(it)),
            Kind::Issuer => {
                let authority = plain(&it.body, "spec.ca.secretName");
                cluster.issuers.push(Issuer { name, namespace, authority, origin });
            }
            Kind::Certificate => cluster.certificates.extend(certificate(it)),
            Kind::Instrumentation => cluster.instrumentations.push(super::operator::instrumentation(it)),
            Kind::ServiceMonitor | Kind::PodMonitor => cluster.monitors.extend(super::monitors::monitor(it)),
            _ => {}
        }
    }
    cluster
}

fn certificate(object: &Object) -> Option<Certificate> {
    let spec = object.spec();
    let issuer = spec.at("issuerRef")?;
    let is_of_cluster = plain(issuer, "kind").as_deref() == Some("ClusterIssuer");
    let issuer = IssuerRef { cluster: is_of_cluster, name: plain(issuer, "name")? };
    let hosts = ["dnsNames", "ipAddresses"].into_iter().flat_map(|key| words(spec, key));
    Some(Certificate {
        name: object.name.value.clone(),
        namespace: object.namespace.clone(),
        secret: plain(spec, "secretName")?,
        common_name: spec.at("commonName").and_then(word),
        hosts: hosts.collect(),
        is_authority: truth(spec, "isCA").is_some_and(|it| it.value),
        usages: plain_words(spec, "usages"),
        issuer: Sourced::new(issuer, object.name.origin.clone()),
        elsewhere: None,
        origin: object.name.origin.clone(),
    })
}

/// Makes unknown what patches may change.
pub(super) fn patched(cluster: &mut Cluster, manifests: &Manifests) {
    for it in cluster.services.iter_mut().filter(|it| manifests.may_change("Service", &it.name)) {
        (it.selector, it.open_ports) = (None, true);
    }
    for it in &mut cluster.autoscalers {
        if ["HorizontalPodAutoscaler", "ScaledObject"].iter().any(|kind| manifests.may_change(kind, &it.name)) {
            (it.max, cluster.open) = (None, true);
        }
    }
    cluster.claims.retain(|it| !manifests.may_change("PersistentVolumeClaim", &it.name));
    // One that is not there as written says nothing of who is let through.
    if cluster.policies.iter().any(|it| manifests.may_change("NetworkPolicy", &it.name)) {
        cluster.policies.clear();
    }
    let account = cluster.accounts.iter().map(|it| ("ServiceAccount", &it.name));
    let role = |cluster: bool| if cluster { "ClusterRole" } else { "Role" };
    let binding = |cluster: bool| if cluster { "ClusterRoleBinding" } else { "RoleBinding" };
    let roles = cluster.roles.iter().map(|it| (role(it.cluster), &it.name));
    let bindings = cluster.bindings.iter().map(|it| (binding(it.cluster), &it.name));
    let budgets = cluster.budgets.iter().map(|it| ("PodDisruptionBudget", &it.name));
    let mut all = account.chain(roles).chain(bindings).chain(budgets);
    cluster.open |= all.any(|(kind, name)| manifests.may_change(kind, name));
}

fn service(object: &Object) -> Service {
    let spec = object.spec();
    let ty = match plain(spec, "type").as_deref() {
        Some("NodePort") => ServiceType::NodePort,
        Some("LoadBalancer") => ServiceType::LoadBalancer,
        Some("ExternalName") => ServiceType::ExternalName(plain(spec, "externalName").unwrap_or_default()),
        _ => ServiceType::ClusterIp,
    };
    let ports = items(spec, "ports").iter().filter_map(|it| {
        let number = u16::try_from(number(it, "port")?.value).ok()?;
        Some(ServicePort {
            name: plain(it, "name"),
            port: number,
            target: it.at("targetPort").and_then(port).map_or(TargetPort::Number(number), |it| it.value),
            transport: transport(it)?,
            app_protocol: at(it, "appProtocol"),
            node_port: plain(it, "nodePort").and_then(|it| it.parse().ok()),
            origin: it.mark.clone(),
        })
    });
    let picked = spec.at("selector").filter(|it| it.as_map().is_some_and(|map| !map.is_empty()));
    Service {
        name: object.name.value.clone(),
        namespace: object.namespace.clone(),
        headless: plain(spec, "clusterIP").as_deref() == Some("None"),
        selector: picked.map(|it| telstack_system::Selector {
            labels: labels(Some(it)),
            expressions: Vec::new(),
            origin: it.mark.clone(),
        }),
        ports: ports.collect(),
        open_ports: false,
        lacks: Vec::new(),
        labels: object.labels(),
        annotations: object.annotations(),
        sticky: plain(spec, "sessionAffinity").as_deref() == Some("ClientIP"),
        ty,
        origin: object.name.origin.clone(),
    }
}

fn policy(object: &Object) -> NetworkPolicy {
    let spec = object.spec();
    let types = plain_words(spec, "policyTypes");
    let says = |ty: &str, key: &str, default: bool| {
        let about = if types.is_empty() { default || spec.at(key).is_some() } else { types.iter().any(|it| it == ty) };
        let peers = if key == "ingress" { "from" } else { "to" };
        about.then(|| items(spec, key).iter().map(|it| policy_rule(it, peers)).collect())
    };
    let everybody = || Value::map(object.name.origin.clone());
    NetworkPolicy {
        name: object.name.value.clone(),
        namespace: object.namespace.clone(),
        pods: spec.at("podSelector").map_or_else(|| selector(&everybody()), selector),
        ingress: says("Ingress", "ingress", true),
        egress: says("Egress", "egress", false),
        origin: object.name.origin.clone(),
    }
}

fn policy_rule(rule: &Value, peers: &str) -> PolicyRule {
    let peer = |it: &Value| Peer {
        pods: it.at("podSelector").map(selector),
        namespaces: it.at("namespaceSelector").map(selector),
        block: it
            .at("ipBlock")
            .and_then(|block| Some(IpBlock { cidr: at(block, "cidr")?, except: plain_words(block, "except") })),
        origin: it.mark.clone(),
    };
    let ports = items(rule, "ports").iter().filter_map(|it| {
        Some(PolicyPort {
            transport: transport(it)?,
            port: it.at("port").and_then(port).map(|it| it.value),
            end: plain(it, "endPort").and_then(|it| it.parse().ok()),
            origin: it.mark.clone(),
        })
    });
    PolicyRule {
        peers: items(rule, peers).iter().map(peer).collect(),
        ports: ports.collect(),
        origin: rule.mark.clone(),
    }
}

fn role_rule(rule: &Value) -> RoleRule {
    RoleRule {
        groups: plain_words(rule, "apiGroups"),
        resources: plain_words(rule, "resources"),
        names: plain_words(rule, "resourceNames"),
        urls: plain_words(rule, "nonResourceURLs"),
        verbs: plain_words(rule, "verbs"),
        origin: rule.mark.clone(),
    }
}

fn binding(object: &Object) -> Option<Binding> {
    let role = object.body.at("roleRef")?;
    let named = at(role, "name")?;
    let reference = RoleRef { cluster: plain(role, "kind")? == "ClusterRole", name: named.value };
    let subjects = items(&object.body, "subjects").iter().filter_map(|it| {
        Some(Subject {
            kind: plain(it, "kind")?,
            name: plain(it, "name")?,
            namespace: plain(it, "namespace").filter(|it| !it.is_empty()),
            origin: it.mark.clone(),
        })
    });
    Some(Binding {
        name: object.name.value.clone(),
        namespace: object.namespace.clone(),
        cluster: object.kind == Kind::ClusterRoleBinding,
        role: Sourced::new(reference, named.origin),
        subjects: subjects.collect(),
        origin: object.name.origin.clone(),
    })
}

/// A claim, or the template of one.
pub(super) fn claim(
    spec: &Value,
    name: String,
    namespace: Option<String>,
    template_of: Option<String>,
    origin: Origin,
) -> Claim {
    Claim {
        name,
        namespace,
        access_modes: words(spec, "accessModes"),
        storage_class: at(spec, "storageClassName"),
        size: size(spec, "resources.requests.storage"),
        template_of,
        origin,
    }
}

fn autoscaler(object: &Object, most: &str, fewest: &str) -> Option<Autoscaler> {
    let spec = object.spec();
    let target = spec.at("scaleTargetRef")?;
    Some(Autoscaler {
        name: object.name.value.clone(),
        namespace: object.namespace.clone(),
        target_kind: plain(target, "kind").unwrap_or_else(|| "Deployment".to_owned()),
        target: plain(target, "name")?,
        min: number(spec, fewest),
        max: number(spec, most),
        origin: object.name.origin.clone(),
    })
}

fn ingress(object: &Object) -> Ingress {
    let spec = object.spec();
    let rules = items(spec, "rules");
    let paths = rules.iter().flat_map(|it| items(it, "http.paths")).filter_map(|it| it.at("backend"));
    let backend = |it: &Value| {
        let service = it.at("service")?;
        let number = service.at("port.number").or_else(|| service.at("port.name"));
        Some((at(service, "name")?, number.and_then(port).map(|it| it.value)))
    };
    Ingress {
        name: object.name.value.clone(),
        namespace: object.namespace.clone(),
        hosts: rules.iter().filter_map(|it| it.at("host").and_then(word)).collect(),
        backends: paths.chain(spec.at("defaultBackend")).filter_map(backend).collect(),
        tls: !items(spec, "tls").is_empty(),
        annotations: object.annotations(),
        class: plain(spec, "ingressClassName"),
        origin: object.name.origin.clone(),
    }
}

/// Does it switch a thing off that is on unless somebody says so?
pub(super) fn is_off(value: &Value, path: &str) -> bool {
    truth(value, path).is_some_and(|it| !it.value)
}
