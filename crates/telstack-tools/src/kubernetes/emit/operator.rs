//! A collector as a resource of the OpenTelemetry operator, which makes everything else of it.

use std::collections::HashMap;

use telstack_catalog::operator;
use telstack_system::{EnvValue, Known, System, Value, WorkloadKind, cluster::Instrumentation};

use super::{Of, count, scale::BUSY_PERCENT, workload::variable};
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
        spec.put_some("targetAllocator", self.allocator());
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
        spec.put_some("hostNetwork", pod.host_network.as_ref().map(|it| it.bool(true)));
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
            spec.gap().put("config", config.clone());
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

    /// What shares out what its pods scrape.
    fn allocator(&self) -> Option<Value> {
        let shared = self.pod.targets_shared.as_ref()?;
        let mut out = Block::new();
        out.put("enabled", shared.origin.bool(true));
        out.put_some("serviceAccount", shared.account.as_ref().map(|it| it.origin.string(&*it.value)));
        out.put_some("allocationStrategy", shared.strategy.as_ref().map(|it| it.origin.string(&*it.value)));
        Some(out.finish(&shared.origin))
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

/// What a file with such a resource is.
pub(super) fn instruments(it: &Instrumentation) -> String {
    let (name, namespace) = (&it.name, it.namespace.as_deref().unwrap_or_default());
    format!(
        "{name}: what programs are told that send telemetry\nPods ask for it by an annotation, for each language one: \
         `instrumentation.opentelemetry.io/inject-java: {namespace}/{name}`.\nThe namespace must be there."
    )
}

/// The resource that tells programs where to send.
pub(super) fn instrumentation(system: &System, it: &Instrumentation) -> Value {
    let origin = &it.origin;
    let facts = operator::instrumentation();
    let named = doc::fact(format!("how the operator calls an {}", facts.kind), &[origin]);
    let mut metadata = Block::new();
    metadata.put("name", origin.string(&*it.name));
    metadata.put_some("namespace", it.namespace.as_ref().map(|it| origin.string(&**it)));
    let part = doc::follows("the stack that it is part of", &[&system.origin]).string(&*system.name);
    let managed = doc::follows("it is compiled from the stack", &[&system.origin]).string("telstack");
    metadata
        .put("labels", origin.map([("app.kubernetes.io/managed-by", managed), ("app.kubernetes.io/part-of", part)]));
    let mut spec = Block::new();
    spec.put_some(
        "exporter",
        it.endpoint.as_ref().map(|it| it.origin.map([("endpoint", it.origin.string(&*it.value))])),
    );
    if let Some(first) = it.propagators.first() {
        let words = it.propagators.iter().map(|it| it.origin.string(&*it.value));
        spec.put("propagators", first.origin.flow(words));
    }
    if let Some((sampler, share)) = &it.sampler {
        let mut out = Block::new();
        out.put("type", sampler.origin.string(&*sampler.value));
        out.put_some("argument", share.as_ref().map(|it| it.origin.string(&*it.value)));
        spec.put("sampler", out.finish(&sampler.origin));
    }
    if !it.env.is_empty() {
        // What they refer to, Kubernetes fills in.
        let env = it.env.iter().map(|it| variable(system, it, str::to_owned));
        spec.put(
            "env",
            doc::follows_all("what the operator does not say by itself", it.env.iter().map(|it| &it.origin), origin)
                .block(env),
        );
    }
    let mut out = Block::new();
    out.put("apiVersion", named.string(&*facts.api)).put("kind", named.string(&*facts.kind));
    out.put("metadata", metadata.finish(origin)).put("spec", spec.finish(origin));
    out.finish(origin)
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
