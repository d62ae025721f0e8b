use telstack_catalog::ComponentKind;
use telstack_diagnostics::{RuleInfo, Severity};
use telstack_system::MountSource;

use crate::{Cx, Rule, facts::Part};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        code: "D004",
        name: "storage-dir-missing-or-unwritable",
        severity: Severity::Error,
        summary: "A storage extension is to use a folder that its container does not have.",
        why: "The extension checks its folder when the collector starts, and does not make it: `directory must exist`. \
              The images of the collector hold next to no folders.",
        bad: r"extensions:
  file_storage:
    directory: /data/queue      # and nothing is mounted at /data",
        good: r"extensions:
  file_storage:
    directory: /data/queue      # and a volume is mounted at /data
    create_directory: true",
        silent: "The folder is one that is mounted, or lies below a folder of the host; the extension makes it \
                 (`create_directory`); it comes from the environment; the files of the container are not all known, or \
                 its image is one of your own. A warning below a volume: something else may have made the folder there. \
                 Who may write to a folder is not looked at. A stack description \
                 need not mount it: the volume follows from the folder.",
        sources: &[
            "https://github.com/open-telemetry/opentelemetry-collector-contrib/tree/main/extension/storage/filestorage",
            "https://github.com/open-telemetry/opentelemetry-collector-contrib/issues/40381",
        ],
    },
    check,
};

const CREATE: &str = "create_directory";

fn check(cx: &mut Cx<'_>) {
    for part in &cx.facts.parts {
        let Some(severity) = missing(cx, part) else { continue };
        let Some((_, version)) = part.usable() else { continue };
        let Some(directory) = part.component.storage_directory(version) else { continue };
        let what = match severity {
            Severity::Error => "its container does not have it",
            _ => "a new volume is empty",
        };
        let message = format!("{} wants `{}` to be there, and {what}", part.title(), directory.value);
        let mut finding = cx
            .finding(
                message,
                &directory.origin,
                if severity == Severity::Error { "is not there" } else { "may not be there" },
            )
            .severity(severity)
            .label(part.node.span(), "the container");
        if part.knows(CREATE) {
            finding = finding.help(format!("set `{CREATE}: true`"));
        }
        if severity == Severity::Error {
            finding =
                finding.help(format!("mount a volume at `{}`, so that it outlives the container", directory.value));
        } else {
            finding = finding.help("mount the volume at the folder itself");
        }
        cx.report(finding);
    }
}

/// Is the folder of a storage extension surely, or likely, not there?
pub(crate) fn missing(cx: &Cx<'_>, part: &Part<'_>) -> Option<Severity> {
    let (_, version) = part.usable().filter(|_| part.component.kind == ComponentKind::Extension && part.runs())?;
    let directory = part.component.storage_directory(version)?.value;
    let container = part.node.container.as_ref().filter(|it| !cx.may_have_more_files(it))?;
    if part.truth(CREATE) != Some(false) || !directory.starts_with('/') {
        return None;
    }
    let known = telstack_catalog::product::image_facts(&container.image.value.repository, &container.image.value.tag);
    let folder = directory.trim_end_matches('/');
    // Every image has these, or may have.
    if known.is_none() || folder.is_empty() || folder == "/tmp" {
        return None;
    }
    let below = |target: &str| target.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'));
    if container.mounts.iter().any(|mount| below(&mount.target)) || container.files.iter().any(|it| below(&it.target)) {
        return None;
    }
    match container.mount_of(folder) {
        None => Some(Severity::Error),
        Some(mount) if mount.target.trim_end_matches('/') == folder => None,
        Some(mount) => match mount.source {
            MountSource::Bind(_) | MountSource::Handed(_) => None,
            MountSource::Volume(_) => Some(Severity::Warning),
            MountSource::Ephemeral => Some(Severity::Error),
        },
    }
}

#[cfg(test)]
mod tests {
    use telstack_diagnostics::Severity;
    use telstack_system::{Mount, MountSource};

    use crate::test_support::Bench;

    fn storage(settings: &str, mount: Option<(MountSource, &str)>) -> Bench {
        let mut bench = Bench::collector(
            "0.158.0",
            &format!("extensions: {{file_storage: {{{settings}}}}}\nservice: {{extensions: [file_storage]}}"),
        );
        let origin = bench.at("extensions");
        let id = bench.system.node_ids()[0];
        bench.container(id).mounts.extend(mount.map(|(source, target)| Mount {
            source,
            target: target.to_owned(),
            read_only: false,
            origin,
        }));
        bench
    }

    fn volume() -> MountSource {
        MountSource::Volume("queue".into())
    }

    #[test]
    fn fails_on_a_folder_that_is_not_there() {
        assert_eq!(storage("directory: /data/queue", None).finds("D004", "/data/queue"), Severity::Error);
        storage("", None).finds("D004", "file_storage");
        let memory = (MountSource::Ephemeral, "/data");
        assert_eq!(storage("directory: /data/queue", Some(memory)).finds("D004", "/data/queue"), Severity::Error);
    }

    #[test]
    fn warns_of_a_folder_below_a_volume() {
        let found = storage("directory: /data/queue", Some((volume(), "/data"))).finds("D004", "/data/queue");
        assert_eq!(found, Severity::Warning);
    }

    #[test]
    fn passes_on_a_mount_and_where_it_is_made() {
        storage("directory: /data/queue", Some((volume(), "/data/queue"))).silent("D004");
        storage("directory: /data/queue, create_directory: true", None).silent("D004");
    }

    #[test]
    fn silent_when_it_is_not_known() {
        storage("directory: '${env:DIR}'", None).silent("D004");
        storage("directory: /data/queue, create_directory: '${env:C}'", None).silent("D004");
        storage("directory: /data/queue", Some((MountSource::Bind("./data".into()), "/data"))).silent("D004");
        let mut own = storage("directory: /data/queue", None);
        let id = own.system.node_ids()[0];
        own.container(id).image.value.repository = "acme/collector".to_owned();
        own.silent("D004");
    }
}
