//! The objects of manifests: documents, and the items of lists.

use std::borrow::Cow;

use telstack_diagnostics::Span;
use telstack_syntax::{tree, yaml};
use telstack_system::{Origin, Sourced, Value, cluster::Labels};

use super::values;
use crate::folder::SourceFile;

/// An object.
pub(super) struct Object {
    pub(super) kind: Kind,
    pub(super) name: Sourced<String>,
    pub(super) namespace: Option<String>,
    pub(super) body: Value,
}

impl Object {
    pub(super) fn labels(&self) -> Labels {
        values::labels(self.body.at("metadata.labels"))
    }

    pub(super) fn annotations(&self) -> Labels {
        values::labels(self.body.at("metadata.annotations"))
    }

    /// `spec`, or whatever else there is.
    pub(super) fn spec(&self) -> &Value {
        self.body.at("spec").unwrap_or(&self.body)
    }
}

/// The kinds that are read.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Kind {
    Deployment,
    ReplicaSet,
    StatefulSet,
    DaemonSet,
    Job,
    CronJob,
    Pod,
    Service,
    ConfigMap,
    Secret,
    Namespace,
    ServiceAccount,
    Role,
    ClusterRole,
    RoleBinding,
    ClusterRoleBinding,
    NetworkPolicy,
    Claim,
    Autoscaler,
    ScaledObject,
    Budget,
    Ingress,
    Issuer,
    Certificate,
    ServiceMonitor,
    PodMonitor,
    Collector,
    Instrumentation,
}

/// Group of the API, kind, and what it is.
const KINDS: [(&str, &str, Kind); 28] = [
    ("apps", "Deployment", Kind::Deployment),
    ("apps", "ReplicaSet", Kind::ReplicaSet),
    ("apps", "StatefulSet", Kind::StatefulSet),
    ("apps", "DaemonSet", Kind::DaemonSet),
    ("batch", "Job", Kind::Job),
    ("batch", "CronJob", Kind::CronJob),
    ("", "Pod", Kind::Pod),
    ("", "Service", Kind::Service),
    ("", "ConfigMap", Kind::ConfigMap),
    ("", "Secret", Kind::Secret),
    ("", "Namespace", Kind::Namespace),
    ("", "ServiceAccount", Kind::ServiceAccount),
    ("rbac.authorization.k8s.io", "Role", Kind::Role),
    ("rbac.authorization.k8s.io", "ClusterRole", Kind::ClusterRole),
    ("rbac.authorization.k8s.io", "RoleBinding", Kind::RoleBinding),
    ("rbac.authorization.k8s.io", "ClusterRoleBinding", Kind::ClusterRoleBinding),
    ("networking.k8s.io", "NetworkPolicy", Kind::NetworkPolicy),
    ("", "PersistentVolumeClaim", Kind::Claim),
    ("autoscaling", "HorizontalPodAutoscaler", Kind::Autoscaler),
    ("keda.sh", "ScaledObject", Kind::ScaledObject),
    ("policy", "PodDisruptionBudget", Kind::Budget),
    ("networking.k8s.io", "Ingress", Kind::Ingress),
    ("monitoring.coreos.com", "ServiceMonitor", Kind::ServiceMonitor),
    ("monitoring.coreos.com", "PodMonitor", Kind::PodMonitor),
    ("cert-manager.io", "Issuer", Kind::Issuer),
    ("cert-manager.io", "Certificate", Kind::Certificate),
    ("opentelemetry.io", "OpenTelemetryCollector", Kind::Collector),
    ("opentelemetry.io", "Instrumentation", Kind::Instrumentation),
];

/// What says at the start of a line that a document only describes a kind of objects.
const DEFINITION: &str = "kind: CustomResourceDefinition";

/// A text without the documents that describe kinds of objects: they say nothing of what runs, and are the largest that
/// people have. Everything else stays at its place.
pub fn without_definitions(text: &str) -> Cow<'_, str> {
    if !text.contains(DEFINITION) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.find("\n---").map_or(rest.len(), |at| at + 1);
        let (document, behind) = rest.split_at(end);
        let (mark, body) = match document.split_once('\n') {
            Some((line, _)) if line.starts_with("---") => document.split_at(line.len()),
            _ => document.split_at(0),
        };
        out.push_str(mark);
        if body.lines().any(|line| line.trim_end() == DEFINITION) {
            out.extend(body.bytes().map(|byte| if byte == b'\n' { '\n' } else { ' ' }));
        } else {
            out.push_str(body);
        }
        rest = behind;
    }
    Cow::Owned(out)
}

/// What files hold.
#[derive(Default)]
pub(super) struct Objects {
    pub(super) all: Vec<Object>,
    /// Kinds that are there and are not read.
    pub(super) unread: Vec<Sourced<String>>,
    /// Was there more than was understood?
    pub(super) open: bool,
}

impl Objects {
    /// All objects of the files.
    pub(super) fn of(files: &[&SourceFile<'_>]) -> Self {
        let mut found = Self::default();
        for file in files {
            match yaml::read(file.file, &without_definitions(file.text)) {
                Ok(documents) => documents.into_iter().for_each(|it| found.document(it)),
                // What is wrong with a manifest itself, kubectl says.
                Err(_) => found.open = true,
            }
        }
        found
    }

    /// The objects of a kind, in order.
    pub(super) fn of_kind(&self, kind: Kind) -> impl Iterator<Item = &Object> {
        self.all.iter().filter(move |it| it.kind == kind)
    }

    fn document(&mut self, mut document: tree::Value<Span>) {
        let Some(map) = document.as_map() else { return };
        let text = |key: &str| map.get(key).and_then(|it| it.as_str());
        let (Some(version), Some(kind)) = (text("apiVersion"), text("kind")) else { return };
        // `v1` is the core.
        let group = version.split_once('/').map_or("", |(group, _)| group);
        if kind.ends_with("List") && map.get("items").is_some() {
            if let Some(tree::Kind::Seq(items)) =
                document.as_map_mut().and_then(|it| it.remove("items")).map(|it| it.kind)
            {
                items.items.into_iter().for_each(|it| self.document(it));
            }
            return;
        }
        let known = KINDS.iter().find(|(in_group, name, _)| *in_group == group && *name == kind);
        let Some((_, _, kind)) = known else {
            let at = map.entry("kind").map_or(document.mark, |entry| entry.value.mark);
            self.unread.push(Sourced::new(kind.to_owned(), Origin::written(at)));
            return;
        };
        let kind = *kind;
        yaml::merge_keys(&mut document);
        let body = document.map_marks(&mut |span| Origin::written(*span));
        let named = values::at(&body, "metadata.name").or_else(|| values::at(&body, "metadata.generateName"));
        match named {
            Some(name) => {
                let namespace = values::plain(&body, "metadata.namespace").filter(|it| !it.is_empty());
                self.all.push(Object { kind, name, namespace, body });
            }
            None => self.open = true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::without_definitions;

    #[test]
    fn definitions_are_passed_over() {
        let definition = "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nspec: {é: [\n";
        let pod = "kind: Pod\nspec:\n  text: |\n    kind: CustomResourceDefinition\n";
        let text = format!("# all\n{definition}---\n{pod}--- # next\n{definition}---\n{pod}");
        let left = without_definitions(&text);
        assert_eq!(left.len(), text.len());
        assert_eq!(left.matches(pod).count(), 2);
        assert_eq!(left.find(pod), text.find(pod));
        assert!(!left.contains("apiextensions"), "{left}");
        assert_eq!(without_definitions(pod), pod);
    }
}
