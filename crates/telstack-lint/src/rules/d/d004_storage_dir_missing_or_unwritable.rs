use telstack_catalog::ComponentKind;
use telstack_diagnostics::{Diagnostic, Fix, RuleInfo, Severity};
use telstack_system::{Container, Mount, MountSource, Node, Sourced};

use crate::{
    Cx, Rule,
    facts::{Part, own_pod},
    repair,
};

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
                 (`create_directory`) as a user who may, or who is not known; it comes from the environment; the \
                 files of the container are not all known, or its image is one of your own. A warning below a volume: something else may have made the folder \
                 there. Who may write to a folder of the host is not looked at, but for one that Kubernetes makes \
                 (`DirectoryOrCreate`); to a new volume, which is root's, only \
                 where nothing else has it. A stack description need not mount it: the volume follows from the folder.",
        sources: &[
            "https://github.com/open-telemetry/opentelemetry-collector-contrib/tree/main/extension/storage/filestorage",
            "https://github.com/open-telemetry/opentelemetry-collector-contrib/issues/40381",
        ],
    },
    check,
};

const CREATE: &str = "create_directory";
/// The folder that every image lets everybody write to.
const TEMPORARY: &str = "/tmp";

fn check(cx: &mut Cx<'_>) {
    for part in &cx.facts.parts {
        if let Some(finding) = unwritable(cx, part) {
            cx.report(finding);
        }
    }
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
        finding = finding.help(if severity == Severity::Error {
            format!("mount a volume at `{}`, so that it outlives the container", directory.value)
        } else {
            "mount the volume at the folder itself".to_owned()
        });
        let container = part.node.container.as_ref();
        let makes = part.knows(CREATE) && container.is_some_and(|it| may_make(it, &directory.value) == Some(true));
        if makes || part.knows(CREATE) && !cx.system.from_files {
            finding = finding.help(format!("or set `{CREATE}: true`"));
        }
        let change = repair::set(&part.component.origin, &part.component.settings, CREATE, "true");
        let change = change.filter(|_| makes && cx.system.from_files);
        cx.report(repair::with(finding, change.map(|it| Fix::safe("make the folder", it))));
    }
}

/// A folder that is there, or would be made, and that nobody may write to.
fn unwritable(cx: &Cx<'_>, part: &Part<'_>) -> Option<Diagnostic> {
    let (_, version) = part.usable().filter(|_| part.component.kind == ComponentKind::Extension && part.runs())?;
    let directory = part.component.storage_directory(version)?;
    let container = part.node.container.as_ref().filter(|it| !cx.may_have_more_files(it))?;
    let folder = directory.value.trim_end_matches('/');
    if !folder.starts_with('/') || !cx.system.from_files || missing(cx, part).is_some() {
        return None;
    }
    let message = |what: &str| format!("{} cannot write to `{folder}`: {what}", part.title());
    let Some(mount) = container.mount_of(folder) else {
        let Some(read_only) = container.read_only_root.as_ref().filter(|it| it.value) else {
            let makes = part.truth(CREATE) == Some(true);
            if !makes || exists(container, folder) || may_make(container, folder) != Some(false) {
                return None;
            }
            let user = container.user.as_ref().map_or(container.image.span(), Sourced::span);
            return Some(
                cx.finding(message("only root may make it there"), &directory.origin, "the collector does not start")
                    .label(user, "runs as another user")
                    .help(format!("mount a volume at `{folder}`, so that it outlives the container")),
            );
        };
        return Some(
            cx.finding(message("all but mounts is read only"), &directory.origin, "the collector does not start")
                .label(read_only.span(), "nothing but mounts can be written to")
                .help(format!("mount a volume at `{folder}`")),
        );
    };
    if mount.read_only {
        return Some(
            cx.finding(message("it is mounted read only"), &directory.origin, "the collector does not start")
                .label(mount.origin.span(), "read only")
                .help(if container.pod.is_some() {
                    "mount it without `readOnly: true`"
                } else {
                    "mount it without `:ro`"
                }),
        );
    }
    if let Some(finding) = of_the_node(cx, part, container, mount, &directory) {
        return Some(finding);
    }
    // A new volume belongs to root where its image has no such folder.
    let MountSource::Volume(_) = mount.source else { return None };
    let image = &container.image.value;
    let facts = telstack_catalog::product::image_facts(&image.repository, &image.tag)?;
    let user = facts.user_id.filter(|it| *it != 0 && container.user.is_none())?;
    let owned = facts.data_dir.is_some_and(|it| mount.target.trim_end_matches('/') == it)
        || container.owned_paths.iter().any(|it| it.value.trim_end_matches('/') == mount.target.trim_end_matches('/'))
        || folder == TEMPORARY;
    // A service that nobody understands may have given it away.
    let helped = container.depends_on.iter().any(|it| it.completed);
    let other = |node: &Node| {
        node.name != part.node.name
            && node.container.as_ref().is_some_and(|it| it.mounts.iter().any(|other| other.source == mount.source))
    };
    let group = container.pod.as_ref().is_some_and(|it| it.fs_group.is_some());
    if owned || helped || group || cx.system.nodes().any(|(_, node)| other(node)) {
        return None;
    }
    let remark = format!("user {user} may not write here");
    let finding = cx
        .finding(message("a new volume belongs to root"), &directory.origin, remark)
        .severity(Severity::Warning)
        .label(mount.origin.span(), "a volume, made for root")
        .label(container.image.span(), format!("runs as user {user}, and holds no such folder"));
    Some(if let Some(pod) = &container.pod {
        let key = if pod.operated { "podSecurityContext" } else { "securityContext" };
        finding.help(format!("give its volumes to a group of the pod: `{key}: {{fsGroup: {user}}}`"))
    } else {
        finding
            .help("run it as root: `user: \"0\"`")
            .help(format!("or give the volume to user {user} before: a service that runs `chown` on it, to wait for"))
    })
}

/// A folder of the node that is made for root, and that the collector, which is somebody else, is to write to.
fn of_the_node(
    cx: &Cx<'_>,
    part: &Part<'_>,
    container: &Container,
    mount: &Mount,
    directory: &Sourced<String>,
) -> Option<Diagnostic> {
    own_pod(part.node).filter(|_| container.made.contains(&mount.target) && !container.privileged)?;
    let user = user_of(container).filter(|it| *it != 0)?;
    let given = container.owned_paths.iter().any(|it| it.value.starts_with(mount.target.trim_end_matches('/')));
    let others = cx.system.nodes().filter(|(_, node)| node.name != part.node.name);
    let shared = others.filter_map(|(_, node)| node.container.as_ref());
    let mut shared = shared.flat_map(|it| &it.mounts).filter(|it| it.source == mount.source);
    if given || shared.next().is_some() {
        return None;
    }
    let place = container.user.as_ref().map_or(container.image.span(), Sourced::span);
    let message = format!("{} cannot write to `{}`: on a new node it belongs to root", part.title(), directory.value);
    Some(
        cx.finding(message, &directory.origin, format!("user {user} may not write here"))
            .severity(Severity::Warning)
            .label(mount.origin.span(), "a folder of the node, made for root where it is not there")
            .label(place, format!("runs as user {user}"))
            .help("run it as root: `securityContext: {runAsUser: 0}`")
            .help(format!("or give it to user {user} before, in an init container that runs `chown` on it")),
    )
}

/// The user that a container runs as; none if that is not known.
fn user_of(container: &Container) -> Option<u32> {
    let image = &container.image.value;
    let facts = telstack_catalog::product::image_facts(&image.repository, &image.tag)?;
    match &container.user {
        Some(said) => {
            let name = said.value.split(':').next().unwrap_or_default();
            if name == "root" { Some(0) } else { name.parse().ok() }
        }
        None => facts.user_id,
    }
}

/// May the program of a container make a folder? None if that is not known.
fn may_make(container: &Container, folder: &str) -> Option<bool> {
    let facts = telstack_catalog::product::image_facts(&container.image.value.repository, &container.image.value.tag)?;
    let user = user_of(container)?;
    let within = |path: &str| {
        folder.strip_prefix(path.trim_end_matches('/')).is_some_and(|it| it.is_empty() || it.starts_with('/'))
    };
    let owned = facts.data_dir.is_some_and(within)
        || within(TEMPORARY)
        || container.owned_paths.iter().any(|it| within(&it.value));
    match container.mount_of(folder) {
        Some(mount) if mount.read_only => Some(false),
        None if container.read_only_root.as_ref().is_some_and(|it| it.value) => Some(false),
        _ if user == 0 || owned => Some(true),
        None => Some(false),
        Some(mount) => match mount.source {
            MountSource::Ephemeral(_) => Some(true),
            MountSource::Volume(_) if container.pod.as_ref().is_some_and(|it| it.fs_group.is_some()) => Some(true),
            _ => None,
        },
    }
}

/// Is a folder there because something is put below it?
fn exists(container: &Container, folder: &str) -> bool {
    let below = |target: &str| target.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'));
    container.mounts.iter().any(|mount| below(&mount.target)) || container.files.iter().any(|it| below(&it.target))
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
    if exists(container, folder) {
        return None;
    }
    match container.mount_of(folder) {
        None => Some(Severity::Error),
        Some(mount) if mount.target.trim_end_matches('/') == folder => None,
        Some(mount) => match mount.source {
            MountSource::Bind(_) | MountSource::Copied(_) | MountSource::Handed(_) => None,
            MountSource::Volume(_) => Some(Severity::Warning),
            MountSource::Ephemeral(_) => Some(Severity::Error),
        },
    }
}

#[cfg(test)]
mod tests {
    use telstack_diagnostics::{Applicability, Severity};
    use telstack_system::{Mount, MountSource, Sourced, WorkloadKind};

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
        let memory = (MountSource::Ephemeral(None), "/data");
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

    fn project(service: &str) -> Bench {
        let compose = format!(
            "services:\n  otel:\n    image: otel/opentelemetry-collector-contrib:0.158.0\n    volumes: \
             ['./o.yaml:/etc/otelcol-contrib/config.yaml', {service}\n"
        );
        let config = "receivers: {otlp: {protocols: {grpc: }}}\nexporters: {debug: }\nextensions: {file_storage: {directory: \
                      /queue, create_directory: true}}\nservice: {extensions: [file_storage], pipelines: {traces: \
                      {receivers: [otlp], exporters: [debug]}}}\n";
        Bench::project(&[("compose.yaml", &compose), ("o.yaml", config)])
    }

    #[test]
    fn fails_where_nobody_may_write() {
        assert_eq!(project("]").finds("D004", "/queue"), Severity::Error);
        assert_eq!(project("]\n    user: '1000:0'").finds("D004", "/queue"), Severity::Error);
        assert_eq!(project("]\n    read_only: true").finds("D004", "/queue"), Severity::Error);
        assert_eq!(project("'./q:/queue:ro']").finds("D004", "/queue"), Severity::Error);
        assert_eq!(project("'q:/queue']").finds("D004", "/queue"), Severity::Warning);
    }

    #[test]
    fn a_pod_gives_its_volumes_to_a_group() {
        let mut bench = project("'q:/queue']");
        assert!(bench.helps("D004")[0].contains("user"), "{:?}", bench.helps("D004"));
        bench.in_pod(WorkloadKind::StatefulSet);
        assert!(bench.helps("D004")[0].contains("fsGroup: 10001"), "{:?}", bench.helps("D004"));
        let group = Sourced::new(10_001, bench.system.origin.clone());
        bench.in_pod(WorkloadKind::StatefulSet).fs_group = Some(group);
        bench.silent("D004");
    }

    #[test]
    fn silent_where_somebody_may() {
        for service in [
            "'./q:/queue/x']",
            "]\n    user: '0'",
            "]\n    user: '${UID}'",
            "'q:/queue']\n    read_only: true\n    user: '0'",
            "'./q:/queue']",
            "'q:/queue']\n    depends_on: {x: {condition: service_completed_successfully}}",
            "'q:/queue']\n  other:\n    image: acme/x:1\n    volumes: ['q:/x']",
        ] {
            project(service).silent("D004");
        }
    }

    #[test]
    fn the_folder_can_be_made() {
        let otel = |more: &str| {
            format!(
                "receivers: {{otlp: {{protocols: {{grpc: }}}}}}\nexporters: {{debug: }}\nextensions:\n  file_storage:\n    directory: \
                 /queue # ours\n{more}service: {{extensions: [file_storage], pipelines: {{traces: {{receivers: [otlp], \
                 exporters: [debug]}}}}}}\n"
            )
        };
        let compose = |more: &str| {
            format!(
                "services:\n  otel:\n    image: otel/opentelemetry-collector-contrib:0.158.0\n    volumes: \
                 ['./o.yaml:/etc/otelcol-contrib/config.yaml']\n{more}"
            )
        };
        let bench = |more: &str| Bench::project(&[("compose.yaml", &compose(more)), ("o.yaml", &otel(""))]);
        let fixed = bench("    user: '0'\n").fixed("D004", &otel("    create_directory: true\n"));
        assert_eq!(fixed, Applicability::Safe);
        // The images of the collector run as somebody who may not.
        for more in ["", "    user: '0'\n    read_only: true\n"] {
            bench(more).leaves("D004");
            assert!(bench(more).helps("D004").iter().all(|it| it.starts_with("mount ")), "{more}");
        }
    }

    #[test]
    fn folders_that_a_node_makes() {
        let agent = |ty: &str, user: &str, more: &str| {
            Bench::manifests(&format!(
                "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: c}}\ndata:\n  c.yaml: |\n    extensions: {{file_storage: \
                 {{directory: /queue}}}}\n    service: {{extensions: [file_storage]}}\n---\napiVersion: apps/v1\nkind: \
                 DaemonSet\nmetadata: {{name: d}}\nspec:\n  template:\n    spec:\n      securityContext: {{{user}}}\n      \
                 containers:\n      - name: otel\n        image: otel/opentelemetry-collector-contrib:0.153.0\n        args: \
                 [--config=/conf/c.yaml]\n        volumeMounts: [{{name: c, mountPath: /conf}}, {{name: q, mountPath: \
                 /queue}}]\n      volumes: [{{name: c, configMap: {{name: c}}}}, {{name: q, hostPath: {{path: /var/q, type: \
                 {ty}}}}}]\n{more}"
            ))
        };
        assert_eq!(agent("DirectoryOrCreate", "", "").finds("D004", "/queue"), Severity::Warning);
        agent("DirectoryOrCreate", "runAsUser: 0", "").silent("D004");
        agent("Directory", "", "").silent("D004");
        let init = "      initContainers: [{name: i, image: busybox, command: [/prepare], volumeMounts: [{name: q, mountPath: /q}]}]\n";
        agent("DirectoryOrCreate", "", init).silent("D004");
    }
}
