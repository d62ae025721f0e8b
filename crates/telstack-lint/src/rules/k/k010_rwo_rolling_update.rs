use telstack_diagnostics::{RuleInfo, Severity};
use telstack_system::{Sourced, WorkloadKind};

use crate::{Cx, Rule, facts::several};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        code: "K010",
        name: "rwo-rolling-update",
        severity: Severity::Warning,
        summary: "A Deployment starts a new pod while the old one still holds the volume of both.",
        why: "A volume with `ReadWriteOnce` is on one node at a time. A rolling update starts the new pod first: on \
              another node it waits for the volume (`Multi-Attach error`) while the old pod waits for it to be ready, \
              and the rollout stands still. On the same node both write to the same files, and databases refuse to \
              start on the lock of the other.",
        bad: r"kind: Deployment
spec:
  replicas: 1
  template:
    spec:
      volumes: [{name: data, persistentVolumeClaim: {claimName: grafana}}]
---
kind: PersistentVolumeClaim
spec: {accessModes: [ReadWriteOnce]}",
        good: r"kind: Deployment
spec:
  replicas: 1
  strategy: {type: Recreate}
  template:
    spec:
      volumes: [{name: data, persistentVolumeClaim: {claimName: grafana}}]
---
kind: PersistentVolumeClaim
spec: {accessModes: [ReadWriteOnce]}",
        silent: "The claim is not among the files; others may mount the volume too (`ReadWriteMany`); a StatefulSet; \
                 `Recreate`; `maxSurge: 0`, where the old pod goes first. That several replicas share such a volume is \
                 the same mistake, and an error with `ReadWriteOncePod`.",
        sources: &[
            "https://kubernetes.io/docs/concepts/storage/persistent-volumes/#access-modes",
            "https://github.com/helm/charts/issues/12057",
        ],
    },
    check,
};

/// On one node at a time; in one pod at a time.
const ONE_NODE: &str = "ReadWriteOnce";
const ONE_POD: &str = "ReadWriteOncePod";
/// The old pods go before new ones come.
const RECREATE: &str = "Recreate";

fn check(cx: &mut Cx<'_>) {
    let Some(cluster) = cx.system.cluster.as_deref() else { return };
    let mut told: Vec<(&str, &str)> = Vec::new();
    for (_, node) in cx.system.nodes() {
        let Some(container) = node.container.as_ref().filter(|it| !it.is_patched()) else { continue };
        let Some(pod) = container.pod.as_deref().filter(|it| it.kind == WorkloadKind::Deployment) else { continue };
        for mount in &container.mounts {
            let Some(name) = mount.source.volume() else { continue };
            let Some(claim) = cluster.claim(pod, name) else { continue };
            let single = |it: &Sourced<String>| [ONE_NODE, ONE_POD].contains(&it.value.as_str());
            let Some(mode) = claim.access_modes.iter().find(|it| single(it)) else { continue };
            if !claim.access_modes.iter().all(single) || told.contains(&(&pod.name, name)) {
                continue;
            }
            let many = several(node);
            let recreates = pod.strategy.as_ref().is_some_and(|it| it.value == RECREATE);
            let old_first = pod.max_surge.as_ref().is_some_and(|it| it.value.trim_end_matches('%') == "0");
            if many.is_none() && (recreates || old_first) {
                continue;
            }
            told.push((&pod.name, name));
            let alone = mode.value == ONE_POD;
            let mut finding = if let Some(many) = &many {
                let words = many.words();
                let where_ = if alone { "in one pod" } else { "on one node" };
                let message = format!("`{}` runs {words} on a volume that can be {where_} at a time", pod.name);
                let place = many.several().and_then(telstack_system::Origin::span);
                cx.finding(message, &mount.origin, format!("`{name}`, the same for all of them"))
                    .severity(if alone { Severity::Error } else { Severity::Warning })
                    .label(place, format!("runs {words}"))
                    .help(cx.words(
                        "run one, or write `mode=\"statefulset\"`: a volume for each",
                        "run one, or make it a StatefulSet with `volumeClaimTemplates`: a volume for each",
                    ))
            } else {
                let message =
                    format!("a rollout of `{}` waits for a volume that the old pod holds until it is done", pod.name);
                cx.finding(message, &mount.origin, format!("`{name}`, the same for the old and the new pod")).help(
                    cx.words(
                        "write `mode=\"statefulset\"`: there the old pod goes first",
                        "let the old pod go first: `strategy: {type: Recreate}`",
                    ),
                )
            };
            finding = finding.label(mode.span(), format!("`{}`", mode.value));
            if let Some(strategy) = &pod.strategy {
                finding = finding.label(strategy.span(), "the new pod comes first");
            }
            cx.report(finding);
        }
    }
}

#[cfg(test)]
mod tests {
    use telstack_catalog::product::Product;
    use telstack_diagnostics::Severity;
    use telstack_system::{Known, Mount, MountSource, Sourced, WorkloadKind, cluster::Claim};

    use crate::test_support::Bench;

    fn grafana(kind: WorkloadKind, mode: &str, strategy: Option<&str>) -> Bench {
        let mut bench = Bench::new("mount mode strategy");
        let id = bench.add(Product::Grafana, "12.0.0");
        let strategy = strategy.map(|it| Sourced::new(it.to_owned(), bench.at("strategy")));
        bench.in_pod(kind).strategy = strategy;
        let (source, origin) = (MountSource::Volume("data".to_owned()), bench.at("mount"));
        bench.container(id).mounts.push(Mount {
            source,
            target: "/var/lib/grafana".to_owned(),
            read_only: false,
            origin,
        });
        let mode = Sourced::new(mode.to_owned(), bench.at("mode"));
        let origin = mode.origin.clone();
        bench.cluster().claims.push(Claim {
            name: "data".to_owned(),
            namespace: None,
            access_modes: vec![mode],
            storage_class: None,
            size: None,
            template_of: None,
            origin,
        });
        bench
    }

    #[test]
    fn warns_of_a_rolling_update() {
        let bench = grafana(WorkloadKind::Deployment, "ReadWriteOnce", None);
        assert_eq!(bench.finds("K010", "mount"), Severity::Warning);
    }

    #[test]
    fn replicas_are_worse_where_one_pod_only_may_have_it() {
        let mut bench = grafana(WorkloadKind::Deployment, "ReadWriteOncePod", Some("Recreate"));
        let (origin, id) = (bench.at("strategy"), bench.system.node_ids()[0]);
        bench.container(id).replicas = Known::Value(Sourced::new(2, origin));
        assert_eq!(bench.finds("K010", "mount"), Severity::Error);
    }

    #[test]
    fn passes_where_the_old_one_goes_first_or_all_may_have_it() {
        grafana(WorkloadKind::Deployment, "ReadWriteOnce", Some("Recreate")).silent("K010");
        grafana(WorkloadKind::Deployment, "ReadWriteMany", None).silent("K010");
        grafana(WorkloadKind::StatefulSet, "ReadWriteOnce", None).silent("K010");
    }
}
