//! A collector as a resource of the OpenTelemetry operator, which makes everything else of it.

use std::collections::HashMap;

use telstack_catalog::operator;
use telstack_syntax::tree::Kind;
use telstack_system::{EnvValue, Known, Value, WorkloadKind};

use super::{Of, count, scale::BUSY_PERCENT};
use crate::{
    Artefact,
    doc::{self, Block},
};

impl Of<'_> {
    /// The resource. What it reads is part of it, as a tree.
    pub(super) fn resource(&self, written: &HashMap<&str, &Artefact>) -> Value {
        let (pod, container) = (self.pod, self.container);
        let origin = &pod.origin;
        let facts = operator::collector();
        let mut out = self.object(&facts.api, &facts.kind, &self.node.name, true, &self.node.origin);
        let mut spec = Block::new();
        spec.put("mode", origin.string(mode(pod.kind)));
        let image = &container.image;
        spec.put("image", image.origin.string(format!("{}:{}", image.value.repository, image.value.tag)));
        let reason = "the stack says what runs: a newer operator does not change it";
        spec.put("upgradeStrategy", doc::chosen(reason, origin).string("none"));
        if let Known::Value(replicas) = &container.replicas {
            spec.put("replicas", replicas.origin.int(count(replicas.value)));
        }
        spec.put_some("autoscaler", self.scaled());
        spec.put_some("serviceAccount", pod.service_account.as_ref().map(|it| it.origin.string(&*it.value)));
        spec.put_some("args", self.arguments());
        // The operator gives it this one by itself.
        let (variable, field) = &operator::made().variable;
        let own = |value: &EnvValue| matches!(value, EnvValue::Field(it) if it == field);
        let told = container.env.iter().filter(|it| !(it.name == *variable && own(&it.value)));
        let told: Vec<Value> = told.map(|it| self.variable(it)).collect();
        if !told.is_empty() {
            let origin =
                doc::follows_all("its environment", container.env.iter().map(|it| &it.origin), &container.origin);
            spec.put("env", origin.block(told));
        }
        spec.put_some("resources", self.resources());
        if let Some(grace) = &container.stop_grace {
            spec.put("terminationGracePeriodSeconds", grace.origin.int(count(grace.value.millis() / 1000)));
        }
        spec.put("podSecurityContext", self.pod_security());
        spec.put("securityContext", self.security());
        let all = pod.tolerant.as_ref().map(|it| it.block([it.map([("operator", it.string("Exists"))])]));
        spec.put_some("tolerations", all);
        spec.put_some("topologySpreadConstraints", self.spread());
        let mounts = self.mounts(None);
        if !mounts.is_empty() {
            spec.put("volumeMounts", doc::follows("what it keeps and sees", &[&container.origin]).block(mounts));
        }
        let volumes = self.volumes(None);
        if !volumes.is_empty() {
            spec.put("volumes", doc::follows("what its container mounts", &[origin]).block(volumes));
        }
        spec.put_some("volumeClaimTemplates", self.templates());
        let config = container.file("config").and_then(|it| written.get(&*it.path)?.document.as_ref());
        if let Some(config) = config {
            spec.gap().put("config", whole(config));
        }
        out.put("spec", spec.finish(origin));
        out.finish(origin)
    }

    /// How many there are, where that follows from how busy they are.
    fn scaled(&self) -> Option<Value> {
        let it = self
            .cluster
            .autoscalers
            .iter()
            .find(|it| it.name == self.pod.name && self.pod.is_in(it.namespace.as_deref()))?;
        let mut out = Block::new();
        out.put_some("minReplicas", it.min.as_ref().map(|it| it.origin.int(count(it.value))));
        out.put_some("maxReplicas", it.max.as_ref().map(|it| it.origin.int(count(it.value))));
        let reason = "there are more of them before those that there are have nothing to spare";
        out.put("targetCPUUtilization", doc::chosen(reason, &it.origin).int(BUSY_PERCENT));
        Some(out.finish(&it.origin))
    }

    /// Its command line as a map, without what names the configuration.
    fn arguments(&self) -> Option<Value> {
        let mut out = Block::new();
        for word in &self.container.command {
            let Some((name, value)) = word.value.strip_prefix("--").and_then(|it| it.split_once('=')) else { continue };
            if name != "config" {
                out.put(name, word.origin.string(value));
            }
        }
        out.finish_some(&self.container.origin)
    }
}

/// The word of the operator for what makes pods.
fn mode(kind: WorkloadKind) -> &'static str {
    match kind {
        WorkloadKind::DaemonSet => "daemonset",
        WorkloadKind::StatefulSet => "statefulset",
        WorkloadKind::Sidecar => "sidecar",
        _ => "deployment",
    }
}

/// The same tree where a key without a value has an empty map: the API drops keys that hold nothing, and a component
/// with them.
fn whole(config: &Value) -> Value {
    fn fill(value: &mut Value, depth: usize) {
        match &mut value.kind {
            Kind::Null => value.kind = Kind::Map(telstack_system::Settings::default()),
            Kind::Map(map) if depth > 0 => map.iter_mut().for_each(|entry| fill(&mut entry.value, depth - 1)),
            _ => {}
        }
    }
    let mut config = config.clone();
    // Sections, and the components in them.
    fill(&mut config, 2);
    config
}
