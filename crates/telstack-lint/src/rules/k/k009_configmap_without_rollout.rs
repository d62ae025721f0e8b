use telstack_catalog::{otelcol, product::Product};
use telstack_diagnostics::{RuleInfo, Severity};
use telstack_system::{
    Mount, MountSource, Node, Pod, WorkloadKind,
    cluster::{Cluster, ConfigMap},
};

use crate::{Cx, Rule};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        code: "K009",
        name: "configmap-without-rollout",
        severity: Severity::Info,
        summary: "The configuration of a pod may change, and nothing starts the pod anew.",
        why: "`kubectl apply` changes the ConfigMap, and a minute later the file in the pod. The program has read it long \
              ago and runs on as before, until some other day a pod is moved: then it starts with what nobody has seen \
              working, and fails, or only some of the pods have the change.",
        bad: r"kind: Deployment
spec:
  template:
    spec:
      volumes: [{name: config, configMap: {name: otelcol}}]",
        good: r"kind: Deployment
spec:
  template:
    metadata: {annotations: {checksum/config: 5f2d…}}
    spec:
      volumes: [{name: config, configMap: {name: otelcol}}]",
        silent: "The ConfigMap is not among the files, is immutable, or has a hash or a release in its name, as those of \
                 `configMapGenerator` have; an annotation, label or variable tells of changes; a sidecar or an operator \
                 sees to it; Prometheus, Alertmanager and Grafana, which can be told to read again; jobs.",
        sources: &[
            "https://kubernetes.io/docs/concepts/configuration/configmap/#mounted-configmaps-are-updated-automatically",
            "https://kubectl.docs.kubernetes.io/references/kustomize/kustomization/configmapgenerator/",
            "https://github.com/open-telemetry/opentelemetry-operator/issues/197",
        ],
    },
    check,
};

fn check(cx: &mut Cx<'_>) {
    let Some(cluster) = cx.system.cluster.as_deref() else { return };
    let mut told: Vec<&Pod> = Vec::new();
    for (_, node) in cx.system.nodes() {
        let Some(pod) = pod(node).filter(|pod| stays(pod) && !told.iter().any(|it| it.is_same(pod))) else { continue };
        let Some((mount, config)) = configured(node, cluster).filter(|_| reads_once(node)) else { continue };
        if is_seen_to(cx, pod) {
            continue;
        }
        told.push(pod);
        let message = format!("a change of `{}` does not reach the {} `{}`", config.name, pod.kind, pod.name);
        let finding = cx
            .finding(message, &mount.origin, "read once, when the pod starts")
            .label(config.origin.span(), "keeps its name when what it holds changes")
            .help("make it by a `configMapGenerator` of a kustomization, which gives it a new name with each change")
            .help("or write a checksum of it into an annotation of the pod: `checksum/config`");
        cx.report(finding);
    }
}

fn pod(node: &Node) -> Option<&Pod> {
    node.container.as_ref()?.pod.as_deref()
}

/// Does it run until somebody starts it anew?
fn stays(pod: &Pod) -> bool {
    let kept = [WorkloadKind::Deployment, WorkloadKind::StatefulSet, WorkloadKind::DaemonSet];
    kept.contains(&pod.kind) && !pod.operated
}

/// Does a program read its configuration only when it starts, as far as is known?
fn reads_once(node: &Node) -> bool {
    match node.collector() {
        Some(collector) => !collector.gaps.distribution,
        None => node.store().is_some() && node.product() != Some(Product::Prometheus),
    }
}

/// The ConfigMap of these files that it is given.
fn configured<'a>(node: &'a Node, cluster: &'a Cluster) -> Option<(&'a Mount, &'a ConfigMap)> {
    node.container.as_ref()?.mounts.iter().find_map(|mount| {
        let MountSource::Handed(path) = &mount.source else { return None };
        let of = |it: &&ConfigMap| path.strip_prefix(&it.files).is_some_and(|it| it.is_empty() || it.starts_with('/'));
        Some((mount, cluster.configs.iter().find(of).filter(|it| !changes_its_name(&it.name))?))
    })
}

/// Has a name a hash or a release at its end?
fn changes_its_name(name: &str) -> bool {
    let end = name.rsplit_once('-').map_or("", |(_, end)| end);
    end.len() > 1 && end.contains(|c: char| c.is_ascii_digit())
}

/// Does something of the pod, or beside it, tell of changes?
fn is_seen_to(cx: &Cx<'_>, pod: &Pod) -> bool {
    let named = pod.annotations.keys().chain(pod.labels.keys()).chain(pod.workload_annotations.keys());
    let mut inside = cx.system.nodes().filter_map(|(_, node)| node.container.as_ref());
    named.into_iter().any(|key| otelcol::tells_of_a_change(key))
        || inside.any(|it| {
            it.pod.as_deref().is_some_and(|other| other.is_same(pod))
                && (otelcol::is_reloader(&it.image.value.repository)
                    || it.env.iter().any(|variable| otelcol::tells_of_a_change(&variable.name)))
        })
}
