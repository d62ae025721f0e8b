use telstack_catalog::ComponentKind;
use telstack_diagnostics::{RuleInfo, Severity};
use telstack_system::{ComponentId, MountSource};

use super::d004_storage_dir_missing_or_unwritable::missing;
use crate::{Cx, Rule, words::is_reference};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        code: "D003",
        name: "persistent-queue-not-durable",
        severity: Severity::Warning,
        summary: "A queue or checkpoint on disk is kept in a folder that ends with its container.",
        why: "The folder is there as long as the container is. When it is recreated (an upgrade, a changed setting, a \
              node that goes away), the queue is gone with everything that was waiting in it, which is the one moment \
              it was meant for.",
        bad: r#"collector "gateway" {
    receiver "otlp"
    extension "file_storage" { directory "queue" }      // in no folder that anybody mounts
    exporter "otlp_grpc" { endpoint "gw:4317"; sending_queue storage="file_storage" }
    pipeline "traces" { from "otlp"; to "otlp_grpc" }
}"#,
        good: r#"collector "gateway" {
    receiver "otlp"
    pipeline "traces" { from "otlp"; to "tempo" }
    durable     // queues on disk, on a volume; so is any folder of a `file_storage` that is written from the root
}"#,
        silent: "The folder is on a named volume or a host folder; the storage is a database; the extension is not \
                 enabled (P002); the folder comes from the environment, or is not there at all (D004). An error where \
                 the stack says `durable`, and of the queue of an exporter on an `emptyDir`: every rollout empties it.",
        sources: &[
            "https://github.com/open-telemetry/opentelemetry-collector-contrib/tree/main/extension/storage/filestorage",
            "https://github.com/open-telemetry/opentelemetry-collector/issues/12711",
        ],
    },
    check,
};

fn check(cx: &mut Cx<'_>) {
    for (part, fact, _) in cx.facts.usable() {
        let Some(setting) = fact.storage_setting() else { continue };
        let Some(value) = part.component.setting(setting) else { continue };
        let Some(name) = value.as_str().filter(|name| !is_reference(name)) else { continue };
        let id = ComponentId::parse(name);
        let Some(storage) = part.wiring.component(ComponentKind::Extension, &id) else { continue };
        let Some(storage) = cx.facts.part(storage) else { continue };
        // That it is not there at all is worse.
        let Some((_, version)) = storage.usable().filter(|_| missing(cx, storage).is_none()) else { continue };
        let Some(directory) = storage.component.storage_directory(version) else { continue };
        let (directory, place) = (directory.value, directory.origin);
        let Some(container) = &part.node.container else { continue };
        let mount = container.mount_of(&directory);
        let source = mount.map(|it| &it.source);
        // What others put into a mount does not change what becomes of it.
        let passes = matches!(source, Some(MountSource::Ephemeral(_))) && !container.gaps.env;
        if cx.may_have_more_files(container) && !passes {
            continue;
        }
        let what = match source {
            Some(MountSource::Volume(_) | MountSource::Bind(_) | MountSource::Handed(_)) => continue,
            Some(MountSource::Ephemeral(_)) if container.pod.is_some() => "on a volume that ends with the pod",
            Some(MountSource::Ephemeral(_)) => "on a mount that ends with the container",
            Some(MountSource::Copied(_)) | None => "in the container itself",
        };
        let message = format!("{} keeps `{setting}` in `{directory}`, {what}", part.title());
        let mut finding = cx
            .finding(message, &place, what)
            .label(value.mark.span(), format!("kept with {}", storage.title()))
            .label(mount.and_then(|it| it.origin.span()), "mounted here")
            .help(if let (Some(_), Some(MountSource::Ephemeral(_))) = (&container.pod, source) {
                "put a claim in the place of the `emptyDir`: `persistentVolumeClaim`, or `volumeClaimTemplates` of a \
                 StatefulSet"
                    .to_owned()
            } else if directory.starts_with('/') {
                format!("mount a volume at `{directory}`")
            } else {
                format!(
                    "write the folder from the root, such as `/var/lib/otelcol/{directory}`, and mount a volume there"
                )
            });
        if part.collector.delivery.is_none() && !cx.system.from_files {
            finding = finding.help("write `durable` in the collector: storage, folder and volume follow from it");
        }
        let ends_with_pod = container.pod.is_some() && matches!(source, Some(MountSource::Ephemeral(_)));
        if ends_with_pod && part.component.kind == ComponentKind::Exporter {
            finding = finding.severity(Severity::Error);
        }
        if let Some(delivery) = &part.collector.delivery {
            finding =
                finding.severity(Severity::Error).label(delivery.origin.span(), "delivery is to outlive the process");
        }
        cx.report(finding);
    }
}

#[cfg(test)]
mod tests {
    use telstack_diagnostics::Severity;
    use telstack_system::{Mount, MountSource, WorkloadKind};

    use crate::test_support::Bench;

    fn queue(directory: &str, mount: Option<MountSource>) -> Bench {
        let mut bench = Bench::collector(
            "0.158.0",
            &format!(
                "extensions: {{file_storage: {{directory: {directory}, create_directory: true}}}}\n\
                 exporters: {{otlp_grpc: {{endpoint: 'gw:4317', sending_queue: {{storage: file_storage}}}}}}\n\
                 service: {{extensions: [file_storage]}}"
            ),
        );
        let origin = bench.at("extensions");
        let container = bench.first().container.as_mut().expect("container");
        container.mounts.extend(mount.map(|source| Mount {
            source,
            target: "/queue".into(),
            read_only: false,
            origin,
        }));
        bench
    }

    #[test]
    fn fails_on_memory_that_others_prepare() {
        let mut bench = queue("/queue", Some(MountSource::Ephemeral(None)));
        bench.first().container.as_mut().expect("container").gaps.files = true;
        bench.finds("D003", "/queue");
        bench.first().container.as_mut().expect("container").gaps.env = true;
        bench.silent("D003");
    }

    #[test]
    fn fails_in_the_container_layer_and_on_memory() {
        assert_eq!(queue("/queue", None).finds("D003", "/queue"), Severity::Warning);
        queue("/queue/a", Some(MountSource::Ephemeral(None))).finds("D003", "/queue/a");
    }

    #[test]
    fn speaks_of_claims_in_a_cluster() {
        let mut bench = queue("/queue", Some(MountSource::Ephemeral(None)));
        assert_eq!(bench.helps("D003")[0], "mount a volume at `/queue`");
        assert_eq!(bench.finds("D003", "/queue"), Severity::Warning);
        bench.in_pod(WorkloadKind::Deployment);
        assert_eq!(bench.finds("D003", "/queue"), Severity::Error);
        assert!(bench.helps("D003")[0].contains("persistentVolumeClaim"), "{:?}", bench.helps("D003"));
    }

    #[test]
    fn passes_on_a_volume() {
        queue("/queue/a", Some(MountSource::Volume("queue".into()))).silent("D003");
    }

    #[test]
    fn silent_when_the_folder_is_not_known() {
        queue("'${env:QUEUE}'", None).silent("D003");
    }
}
