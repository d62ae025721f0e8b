use telstack_catalog::ComponentKind;
use telstack_diagnostics::{RuleInfo, Severity};
use telstack_system::{ComponentId, ComponentRef, Known, MountSource, Origin};

use crate::{Cx, Rule, facts::Part, words::is_reference};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        code: "D010",
        name: "shared-queue-directory",
        severity: Severity::Error,
        summary: "Several collectors keep the queue of the same component in one folder.",
        why: "Each component has a file of its own in the folder, named after it, and locks it. A second collector \
              with the same component waits for the lock, gives up after a second, and does not start.",
        bad: r#"services:
  gateway-a:
    image: otel/opentelemetry-collector-contrib:0.158.0
    volumes: ["queue:/var/lib/otelcol"]
  gateway-b:
    image: otel/opentelemetry-collector-contrib:0.158.0
    volumes: ["queue:/var/lib/otelcol"]"#,
        good: r#"services:
  gateway-a:
    image: otel/opentelemetry-collector-contrib:0.158.0
    volumes: ["queue-a:/var/lib/otelcol"]
  gateway-b:
    image: otel/opentelemetry-collector-contrib:0.158.0
    volumes: ["queue-b:/var/lib/otelcol"]"#,
        silent: "The folders or the components differ; the folder comes from the environment; it is not known how many \
                 of a collector run.",
        sources: &[
            "https://github.com/open-telemetry/opentelemetry-collector/issues/5894",
            "https://github.com/open-telemetry/opentelemetry-collector-contrib/issues/32456",
        ],
    },
    check,
};

/// What a component keeps, and where that is outside of the container.
struct Kept<'a> {
    component: ComponentRef,
    storage: ComponentId,
    source: &'a MountSource,
    /// Do all replicas have the same one?
    shared: bool,
    /// Below the mount.
    below: String,
    directory: Origin,
    mount: &'a Origin,
    part: &'a Part<'a>,
}

fn check(cx: &mut Cx<'_>) {
    let facts = cx.facts;
    let all: Vec<Kept<'_>> = facts.parts.iter().filter_map(|part| kept(cx, part)).collect();
    let mut told: Vec<(usize, usize)> = Vec::new();
    for (at, one) in all.iter().enumerate() {
        let several = one.part.node.container.as_ref().map(|it| &it.replicas);
        if let Some(Known::Value(replicas)) =
            several.filter(|it| matches!(it, Known::Value(many) if many.value > 1 && one.shared))
        {
            if all[..at].iter().any(|it| it.part.id == one.part.id) {
                continue;
            }
            let message = format!("{} of `{}` keep their queues in one folder", replicas.value, one.part.node.name);
            let finding = cx
                .finding(message, &one.directory, "all but one wait for its lock and do not start")
                .label(replicas.span(), format!("{} of it run", replicas.value))
                .label(one.mount.span(), "one volume for all of them")
                .help(if one.part.node.container.as_ref().is_some_and(|it| it.pod.is_some()) {
                    "give each pod a volume of its own: a StatefulSet with `volumeClaimTemplates`"
                } else {
                    "run each as a service of its own, with a volume of its own"
                });
            cx.report(finding);
        }
        let beside = |it: &Kept<'_>| match (&it.part.node.container, &one.part.node.container) {
            (Some(other), Some(this)) => other.runs_beside(this),
            _ => false,
        };
        let same = |it: &&Kept<'_>| {
            let folder = it.source == one.source && it.below == one.below && (!ends(it) || is_one_pod(it, one));
            it.component == one.component && it.part.id != one.part.id && folder && beside(it)
        };
        // Several components of the same two collectors are one mistake.
        let pair = |it: &Kept<'_>| (place(facts, it), place(facts, one));
        let Some(other) = all[..at].iter().find(same).filter(|it| !told.contains(&pair(it))) else { continue };
        told.push(pair(other));
        let message = format!(
            "`{}` and `{}` keep the queue of `{}` in one folder",
            other.part.node.name, one.part.node.name, one.component.id
        );
        let finding = cx
            .finding(message, &one.directory, "the second one waits for the lock and does not start")
            .label(other.directory.span().filter(|it| one.directory.span() != Some(*it)), "the first")
            .label(one.mount.span(), format!("what `{}` mounts", one.part.node.name))
            .label(other.mount.span(), format!("what `{}` mounts", other.part.node.name))
            .help(format!("give each a volume, or a folder in `{}`, of its own", one.storage));
        cx.report(finding);
    }
}

/// Is it on a volume that ends with the pod, and is nobody else's?
fn ends(kept: &Kept<'_>) -> bool {
    matches!(kept.source, MountSource::Ephemeral(_))
}

fn is_one_pod(one: &Kept<'_>, other: &Kept<'_>) -> bool {
    let pod = |it: &Kept<'_>| it.part.node.container.as_ref().and_then(|it| it.pod.clone());
    pod(one).zip(pod(other)).is_some_and(|(one, other)| std::sync::Arc::ptr_eq(&one, &other))
}

/// Which node a part is of, as a number.
fn place(facts: &crate::facts::Facts<'_>, kept: &Kept<'_>) -> usize {
    facts.parts.iter().position(|part| part.id == kept.part.id).unwrap_or_default()
}

fn kept<'a>(cx: &Cx<'a>, part: &'a Part<'a>) -> Option<Kept<'a>> {
    let (fact, _) = part.usable().filter(|_| part.runs())?;
    let name = part.component.setting(fact.storage_setting()?)?.as_str().filter(|it| !is_reference(it))?;
    let storage = ComponentId::parse(name);
    let extension = part.collector.component(ComponentKind::Extension, &storage)?;
    let (_, version) = cx.facts.part(extension)?.usable().filter(|_| part.collector.is_enabled(&storage))?;
    let directory = extension.storage_directory(version)?;
    let container = part.node.container.as_ref()?;
    let mount = container.mount_of(&directory.value)?;
    let shared = container.is_shared(mount);
    let source = match &mount.source {
        MountSource::Handed(_) | MountSource::Ephemeral(None) => return None,
        MountSource::Ephemeral(Some(name)) if name.contains('$') => return None,
        source => source,
    };
    let below = directory.value.strip_prefix(mount.target.trim_end_matches('/'))?.trim_matches('/').to_owned();
    let component = part.component.reference();
    Some(Kept { component, storage, source, shared, below, directory: directory.origin, mount: &mount.origin, part })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use telstack_catalog::Distribution;
    use telstack_diagnostics::Severity;
    use telstack_system::{Known, Mount, MountSource, Sourced, WorkloadKind};

    use crate::test_support::Bench;

    fn two(volumes: [&str; 2], folders: [&str; 2], names: [&str; 2]) -> Bench {
        let mut bench = Bench::new("mounts replicas");
        for at in 0..2 {
            let yaml = format!(
                "extensions: {{file_storage: {{directory: {}}}}}\n\
                 exporters: {{{}: {{endpoint: 'gw:4317', sending_queue: {{storage: file_storage}}}}}}\n\
                 service: {{extensions: [file_storage], pipelines: {{logs: {{receivers: [otlp], exporters: [{}]}}}}}}",
                folders[at], names[at], names[at]
            );
            let id = bench.add_collector(["a", "b"][at], Distribution::Contrib, "0.158.0", &yaml);
            let (source, origin) = (MountSource::Volume(volumes[at].to_owned()), bench.at("mounts"));
            bench.container(id).mounts.push(Mount { source, target: "/queue".into(), read_only: false, origin });
        }
        bench
    }

    #[test]
    fn fails_on_one_folder_for_two() {
        let bench = two(["q", "q"], ["/queue", "/queue"], ["otlp_grpc", "otlp_grpc"]);
        assert_eq!(bench.finds("D010", "/queue"), Severity::Error);
    }

    #[test]
    fn fails_on_one_folder_for_several_of_one() {
        let mut bench = two(["q", "r"], ["/queue", "/queue"], ["otlp_grpc", "otlp_grpc"]);
        let (origin, id) = (bench.at("replicas"), bench.system.node_ids()[0]);
        bench.container(id).replicas = Known::Value(Sourced::new(3, origin));
        bench.finds("D010", "/queue");
        assert!(bench.helps("D010")[0].contains("service"));
    }

    #[test]
    fn speaks_of_pods_in_a_cluster() {
        let mut bench = two(["q", "r"], ["/queue", "/queue"], ["otlp_grpc", "otlp_grpc"]);
        let (origin, id) = (bench.at("replicas"), bench.system.node_ids()[0]);
        bench.container(id).replicas = Known::Value(Sourced::new(3, origin));
        bench.in_pod(WorkloadKind::Deployment);
        assert!(bench.helps("D010")[0].contains("volumeClaimTemplates"), "{:?}", bench.helps("D010"));
    }

    #[test]
    fn a_volume_that_ends_with_the_pod_is_shared_in_it() {
        let of = |names: [&str; 2], together: bool| {
            let mut bench = two(["q", "q"], ["/queue", "/queue"], ["otlp_grpc", "otlp_grpc"]);
            bench.in_pod(WorkloadKind::Deployment);
            let ids = bench.system.node_ids();
            let mut pod = bench.container(ids[0]).pod.clone().expect("a pod");
            for (id, name) in ids.into_iter().zip(names) {
                let container = bench.container(id);
                container.mounts[0].source = MountSource::Ephemeral(Some(name.to_owned()));
                container.pod = Some(pod.clone());
                if !together {
                    pod = Arc::new(pod.as_ref().clone());
                }
            }
            bench
        };
        assert_eq!(of(["q", "q"], true).finds("D010", "/queue"), Severity::Error);
        of(["q", "r"], true).silent("D010");
        of(["q", "q/a"], true).silent("D010");
        of(["q/$(NAME)", "q/$(NAME)"], true).silent("D010");
        of(["q", "q"], false).silent("D010");
    }

    #[test]
    fn passes_where_something_differs() {
        two(["q", "r"], ["/queue", "/queue"], ["otlp_grpc", "otlp_grpc"]).silent("D010");
        two(["q", "q"], ["/queue/a", "/queue/b"], ["otlp_grpc", "otlp_grpc"]).silent("D010");
        two(["q", "q"], ["/queue", "/queue"], ["otlp_grpc/a", "otlp_grpc/b"]).silent("D010");
    }

    #[test]
    fn silent_when_it_is_not_known() {
        two(["q", "q"], ["'${env:DIR}'", "/queue"], ["otlp_grpc", "otlp_grpc"]).silent("D010");
        let mut bench = two(["q", "r"], ["/queue", "/queue"], ["otlp_grpc", "otlp_grpc"]);
        let id = bench.system.node_ids()[0];
        bench.container(id).replicas = Known::Unknown;
        bench.silent("D010");
    }
}
