use telstack_catalog::{
    otelcol::{self, HostPathKind},
    product::image_facts,
};
use telstack_diagnostics::{Diagnostic, RuleInfo, Severity};
use telstack_system::{Container, MountSource, Origin, Sourced, Value};

use crate::{
    Cx, Rule,
    facts::Part,
    words::{is_reference, mount_host},
};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        code: "F003",
        name: "log-path-not-mounted",
        severity: Severity::Error,
        summary: "A component reads files or a socket of the host that its container does not have.",
        why: "A container sees its own files only. The receiver starts, finds nothing (or stops, for a socket), and no \
              line ever arrives.",
        bad: r#"collector "agent" {
    receiver "file_log" { include "/var/log/app/*.log" }
    pipeline "logs" { from "file_log"; to "loki" }
}"#,
        good: r#"collector "agent" {
    mount "/var/log/app"
    receiver "file_log" { include "/var/log/app/*.log" }
    pipeline "logs" { from "file_log"; to "loki" }
}"#,
        silent: "The path, or a part of what its pattern means, is on a mount or a volume; the path comes from the \
                 environment; the collector runs in no container; the component is in no pipeline (P005). What is \
                 mounted and only root may read is a warning, where the image runs as somebody else.",
        sources: &[
            "https://github.com/open-telemetry/opentelemetry-collector-contrib/issues/39491",
            "https://github.com/open-telemetry/opentelemetry-collector-contrib/issues/35686",
            "https://github.com/open-telemetry/opentelemetry-collector-releases/issues/462",
            "https://github.com/open-telemetry/opentelemetry-collector-releases/pull/921",
            "https://github.com/open-telemetry/opentelemetry-collector-contrib/issues/38002",
        ],
    },
    check,
};

fn check(cx: &mut Cx<'_>) {
    for (part, fact, _) in cx.facts.usable() {
        let Some(container) = part.node.container.as_ref().filter(|_| part.runs()) else { continue };
        // A mount may be among what was not understood.
        if cx.may_have_more_files(container) {
            continue;
        }
        for path in fact.host_paths() {
            for (text, origin) in written(part.component.setting(&path.setting), path.default.as_deref(), part) {
                let file = match path.holds {
                    HostPathKind::Files => Some(text),
                    HostPathKind::Socket => text.strip_prefix("unix://"),
                    HostPathKind::Root => None,
                };
                let Some(file) = file.filter(|file| file.starts_with('/')) else { continue };
                if is_there(container, file) {
                    if let Some(finding) = unreadable(cx, part, container, file, origin) {
                        cx.report_once(finding);
                    }
                    continue;
                }
                let message = format!("{} reads `{file}`, which its container does not have", part.title());
                let folder = if path.holds == HostPathKind::Files { folder(file) } else { file };
                let mut finding = cx
                    .finding(message, origin, "a path of the host, not of the container")
                    .label(part.node.span(), format!("`{}` is given no such path", part.node.name))
                    .help(format!("mount it: {}", mount_host(cx, folder, folder)));
                if path.holds == HostPathKind::Socket {
                    finding =
                        finding.note("the socket belongs to root and its group: `user` says who the collector runs as");
                }
                cx.report(finding);
            }
        }
    }
}

/// What is mounted may be root's alone.
fn unreadable(cx: &Cx<'_>, part: &Part<'_>, container: &Container, file: &str, at: &Origin) -> Option<Diagnostic> {
    let mount = container.mount_of(fixed(file))?;
    let MountSource::Bind(source) = &mount.source else { return None };
    let rest = fixed(file).strip_prefix(mount.target.trim_end_matches('/'))?;
    let path = format!("{}{rest}", source.trim_end_matches('/'));
    let image = &container.image.value;
    let user = image_facts(&image.repository, &image.tag)?.user_id.filter(|it| *it != 0)?;
    let (who, runs) = if otelcol::is_roots(&path) && container.user.is_none() {
        ("only root of the host may read it", format!("runs as user {user}"))
    } else {
        let group = stranger(part, container).filter(|_| otelcol::is_of_roots_group(&path))?;
        ("only root of the node and its group may read it", format!("runs as user {user} of group {group}"))
    };
    let place = container.user.as_ref().map_or(container.image.span(), Sourced::span);
    Some(
        cx.finding(format!("{} may not read `{file}`", part.title()), at, who)
            .severity(Severity::Warning)
            .label(place, runs)
            .help(if container.pod.is_some() {
                "run the collector as root: `securityContext: {runAsUser: 0}`".to_owned()
            } else {
                cx.words("run the collector as root: `user \"0\"`", "run the collector as root: `user: \"0\"`")
            }),
    )
}

/// The group that a collector of a pod runs in, if neither it nor its user is root's. Where only a user is set, that
/// is root's.
fn stranger(part: &Part<'_>, container: &Container) -> Option<u32> {
    container
        .pod
        .as_deref()
        .filter(|_| !container.privileged)
        .filter(|it| !it.operated && !it.groups.iter().any(|it| it == "0"))?;
    let own = || part.node.collector()?.distribution.value.container(part.node.version()?);
    let (user, group) = match &container.user {
        None => own().and_then(|it| it.uid.zip(it.gid))?,
        Some(said) => {
            let (user, group) = said.value.split_once(':')?;
            (user.parse().ok()?, group.parse().ok()?)
        }
    };
    (user != 0 && group != 0).then_some(group)
}

/// The texts of a setting, each with its place; the default where it is not written.
fn written<'a>(value: Option<&'a Value>, default: Option<&'a str>, part: &Part<'a>) -> Vec<(&'a str, &'a Origin)> {
    let Some(value) = value else {
        return default.map(|text| (text, &part.component.origin)).into_iter().collect();
    };
    let items = value.as_seq().unwrap_or(std::slice::from_ref(value));
    let texts = items.iter().filter_map(|item| Some((item.as_str()?, &item.mark)));
    texts.filter(|(text, _)| !is_reference(text)).collect()
}

/// The part of a pattern in front of its first wildcard, up to a `/`.
fn fixed(path: &str) -> &str {
    let end = path.find(['*', '?', '[', '{']).unwrap_or(path.len());
    if end == path.len() { path } else { &path[..path[..end].rfind('/').unwrap_or_default()] }
}

/// Can anything that the path or pattern means come from outside the container?
fn is_there(container: &Container, path: &str) -> bool {
    let fixed = fixed(path);
    let below = |target: &str| target.strip_prefix(fixed).is_some_and(|rest| rest.starts_with('/'));
    container.mount_of(fixed).is_some() || container.mounts.iter().any(|mount| below(&mount.target))
}

/// What to mount: the folder, because files are replaced when they are rotated.
fn folder(path: &str) -> &str {
    let fixed = fixed(path);
    let folder = if fixed.len() == path.len() { &path[..path.rfind('/').unwrap_or_default()] } else { fixed };
    if folder.is_empty() { "/" } else { folder }
}

#[cfg(test)]
mod tests {
    use telstack_diagnostics::Severity;
    use telstack_system::{Mount, MountSource};

    use crate::test_support::Bench;

    fn reads(receiver: &str, target: Option<&str>) -> Bench {
        let name = receiver.split_once(':').map_or(receiver, |(name, _)| name);
        let mut bench = Bench::collector(
            "0.158.0",
            &format!(
                "receivers: {{{receiver}}}\nexporters: {{debug: {{}}}}\n\
                 service: {{pipelines: {{logs: {{receivers: [{name}], exporters: [debug]}}}}}}"
            ),
        );
        let origin = bench.at("receivers");
        let container = bench.first().container.as_mut().expect("container");
        container.mounts.extend(target.map(|target| Mount {
            source: MountSource::Bind(target.to_owned()),
            target: target.to_owned(),
            read_only: true,
            origin,
        }));
        bench
    }

    const PODS: &str = "file_log: {include: [/var/log/pods/*/*.log]}";

    #[test]
    fn fails_without_a_mount_or_with_another() {
        assert_eq!(reads(PODS, None).finds("F003", "/var/log/pods/*/*.log"), Severity::Error);
        reads(PODS, Some("/var/lib")).finds("F003", "/var/log/pods/*/*.log");
        reads(PODS, Some("/var/log/podsy")).finds("F003", "/var/log/pods/*/*.log");
        reads("docker_stats: {}", None).finds("F003", "docker_stats");
    }

    #[test]
    fn passes_where_anything_of_it_is_mounted() {
        for target in ["/var/log", "/var/log/pods", "/var/log/pods/shop", "/"] {
            reads(PODS, Some(target)).silent("F003");
        }
        reads("docker_stats: {}", Some("/var/run/docker.sock")).silent("F003");
        reads("docker_stats: {endpoint: 'tcp://docker:2375'}", None).silent("F003");
    }

    #[test]
    fn silent_when_the_path_is_not_known_or_there_is_no_container() {
        reads("file_log: {include: ['${env:LOGS}/*.log']}", None).silent("F003");
        let mut bench = reads(PODS, None);
        bench.first().container = None;
        bench.silent("F003");
    }

    #[test]
    fn folders_are_mounted_rather_than_files() {
        assert_eq!(super::folder("/var/log/app.log"), "/var/log");
        assert_eq!(super::folder("/var/log/*/app*.log"), "/var/log");
        assert_eq!(super::folder("/app.log"), "/");
    }

    #[test]
    fn warns_where_only_root_may_read() {
        let project = |more: &str| {
            let compose = format!(
                "services:\n  otel:\n    image: otel/opentelemetry-collector-contrib:0.158.0\n    volumes: \
                 ['./o.yaml:/etc/otelcol-contrib/config.yaml', '/var/lib/docker/containers:/logs:ro']\n{more}"
            );
            let otel = "receivers: {file_log: {include: ['/logs/*/*.log']}}\nexporters: {debug: }\nservice: {pipelines: {logs: \
                        {receivers: [file_log], exporters: [debug]}}}\n";
            Bench::project(&[("compose.yaml", &compose), ("o.yaml", otel)])
        };
        assert_eq!(project("").finds("F003", "'/logs/*/*.log'"), Severity::Warning);
        project("    user: '0'\n").silent("F003");
    }

    #[test]
    fn output_of_pods_is_for_root_and_its_group() {
        let agent = |version: &str, container: &str, pod: &str| {
            Bench::manifests(&format!(
                "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: c}}\ndata:\n  c.yaml: |\n    receivers: {{file_log: {{include: \
                 [/var/log/pods/*/*/*.log]}}}}\n    exporters: {{debug: }}\n    service: {{pipelines: {{logs: {{receivers: \
                 [file_log], exporters: [debug]}}}}}}\n---\napiVersion: apps/v1\nkind: DaemonSet\nmetadata: {{name: d}}\nspec:\n  \
                 template:\n    spec:\n      securityContext: {{{pod}}}\n      containers:\n      - name: otel\n        image: \
                 otel/opentelemetry-collector-contrib:{version}\n        args: [--config=/conf/c.yaml]\n        \
                 securityContext: {{{container}}}\n        volumeMounts: [{{name: c, mountPath: /conf}}, {{name: l, mountPath: \
                 /var/log}}]\n      volumes: [{{name: c, configMap: {{name: c}}}}, {{name: l, hostPath: {{path: /var/log}}}}]\n"
            ))
        };
        assert_eq!(agent("0.153.0", "", "").finds("F003", "/var/log/pods/*/*/*.log"), Severity::Warning);
        agent("0.153.0", "runAsUser: 10001, runAsGroup: 10001", "").finds("F003", "/var/log/pods/*/*/*.log");
        // Without a group of their own, containers are in root's.
        agent("0.110.0", "", "").silent("F003");
        agent("0.153.0", "runAsUser: 10001", "").silent("F003");
        for root in ["runAsUser: 0", "runAsGroup: 0, runAsUser: 10001"] {
            agent("0.153.0", root, "").silent("F003");
        }
        agent("0.153.0", "", "supplementalGroups: [0]").silent("F003");
        agent("0.153.0", "privileged: true", "").silent("F003");
    }
}
