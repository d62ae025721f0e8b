use std::collections::BTreeMap;

use telstack_diagnostics::{Diagnostic, RuleInfo, Severity, Span};
use telstack_system::{Instances, Node, Origin};

use crate::{
    Cx, Rule,
    facts::{flags, several},
    words::is_reference,
};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        code: "T002",
        name: "local-storage-distributed",
        severity: Severity::Error,
        summary: "Several of a store run, or parts of one, and each keeps its data on a disk of its own.",
        why: "What one of them wrote the others cannot read: a query finds a part of the data, another part the next \
              time, and compaction never sees all of it.",
        bad: r"storage:
  trace:
    backend: local
    local:
      path: /var/tempo
# compose.yaml: deploy: {replicas: 3}",
        good: r"storage:
  trace:
    backend: s3
    s3:
      bucket: traces
      endpoint: objects.example:9000
# compose.yaml: deploy: {replicas: 3}",
        silent: "One of it runs, or it is not known how many. A warning where all share one volume or folder, and \
                 where an autoscaler or the number of nodes decides how many run.",
        sources: &[
            "https://github.com/grafana/tempo/blob/main/cmd/tempo/app/config.go",
            "https://github.com/grafana/loki/issues/6231",
        ],
    },
    check,
};

/// The flag that lets a process be one part of a store; parts that write what they keep, and parts that read it.
const TARGET: &str = "target";
const WRITERS: [&str; 2] = ["write", "ingester"];
const READERS: [&str; 5] = ["read", "querier", "backend", "store-gateway", "compactor"];

fn check(cx: &mut Cx<'_>) {
    for finding in parts(cx) {
        cx.report(finding);
    }
    for (_, node) in cx.system.nodes() {
        let Some(store) = node.store() else { continue };
        let Some((local, instances)) = store.local.as_ref().zip(several(node)) else { continue };
        let words = instances.words();
        let shared = is_shared(node);
        let message = if shared {
            format!("`{}` runs {words}, and all write to one folder that is meant for one", node.name)
        } else {
            format!("`{}` runs {words}, and each keeps its data for itself", node.name)
        };
        // What scales may run once, for now, and a cluster may have one node.
        let surely = !shared && matches!(instances, Instances::Count(..));
        let finding = cx
            .finding(message, local, "on a disk of its own")
            .severity(if surely { Severity::Error } else { Severity::Warning })
            .label(instances.several().and_then(Origin::span), format!("runs {words}"))
            .help("keep the data in an object store, such as S3, which all of them reach")
            .help("run one of it");
        cx.report(finding);
    }
}

/// Parts of one store, each in a container of its own, that read one configuration and keep data on disks of their own.
fn parts(cx: &Cx<'_>) -> Vec<Diagnostic> {
    let mut clusters: BTreeMap<Span, Vec<Part<'_>>> = BTreeMap::new();
    for (_, node) in cx.system.nodes() {
        let Some(place) = node.store().and_then(|it| it.local.as_ref()?.span()) else { continue };
        let given = flags(node).into_iter().find(|it| it.name == TARGET);
        let part = given.and_then(|it| Some(Part { node, target: it.value?, at: it.origin }));
        clusters.entry(place).or_default().extend(part.filter(|it| !is_reference(it.target)));
    }
    let mut found = Vec::new();
    for all in clusters.values() {
        let written = |part: &&Part<'_>| WRITERS.contains(&part.target);
        let Some(writer) = all.iter().find(written) else { continue };
        let apart = |part: &&Part<'_>| READERS.contains(&part.target) && !one_folder(writer.node, part.node);
        let (Some(reader), Some(local)) =
            (all.iter().find(apart), writer.node.store().and_then(|it| it.local.as_ref()))
        else {
            continue;
        };
        let message = format!(
            "`{}` keeps what it writes on a disk of its own, where `{}` does not find it",
            writer.node.name, reader.node.name
        );
        found.push(
            cx.finding(message, local, "on a disk of its own")
                .label(writer.at.span(), "writes")
                .label(reader.at.span(), "reads")
                .help("keep the data in an object store, such as S3, which all of them reach")
                .help("or give all of them one volume"),
        );
    }
    found
}

/// A part of a store that runs by itself.
struct Part<'a> {
    node: &'a Node,
    target: &'a str,
    at: &'a Origin,
}

/// Have both surely, or maybe, the same folder?
fn one_folder(one: &Node, other: &Node) -> bool {
    let mount = |node: &Node| {
        let (container, path) = (node.container.as_ref()?, node.store()?.data_path.as_ref()?);
        // Of a folder that is not said, and of what else may be mounted, nobody knows.
        let known = !container.gaps.files;
        known.then(|| container.mount_of(&path.value).map(|it| it.source.clone()))
    };
    match (mount(one), mount(other)) {
        (Some(one), Some(other)) => one.is_some() && one == other,
        _ => true,
    }
}

/// Do all of them have the same folder?
fn is_shared(node: &Node) -> bool {
    let mounts = || {
        let container = node.container.as_ref()?;
        let path = node.store()?.data_path.as_ref()?;
        Some(container.is_shared(container.mount_of(&path.value)?))
    };
    mounts().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use telstack_catalog::product::Product;
    use telstack_diagnostics::Severity;
    use telstack_system::{Known, Mount, MountSource, Sourced};

    use crate::test_support::Bench;

    fn tempo(local: bool, replicas: Known<u64>) -> Bench {
        let mut bench = Bench::new("local replicas");
        let id = bench.add(Product::Tempo, "2.10.8");
        let (at, many) = (bench.at("local"), bench.at("replicas"));
        let store = bench.node(id).store_mut().expect("store");
        store.data_path = Some(Sourced::new("/var/tempo".to_owned(), at.clone()));
        store.local = local.then_some(at);
        bench.container(id).replicas = replicas.map(|it| Sourced::new(it, many));
        bench
    }

    #[test]
    fn fails_for_several_with_disks_of_their_own() {
        let mut bench = tempo(true, Known::Value(3));
        assert_eq!(bench.finds("T002", "local"), Severity::Error);
        let origin = bench.at("local");
        let source = MountSource::Volume("tempo".into());
        let id = bench.system.node_ids()[0];
        bench.container(id).mounts.push(Mount { source, target: "/var/tempo".into(), read_only: false, origin });
        assert_eq!(bench.finds("T002", "local"), Severity::Warning);
    }

    #[test]
    fn warns_where_more_may_run() {
        let scaled = |most: u64| {
            let mut bench = tempo(true, Known::Value(1));
            let origin = bench.at("replicas");
            let id = bench.system.node_ids()[0];
            bench.container(id).most_replicas = Known::Value(Sourced::new(most, origin));
            bench
        };
        assert_eq!(scaled(5).finds("T002", "local"), Severity::Warning);
        scaled(1).silent("T002");
    }

    #[test]
    fn passes_for_one_and_with_an_object_store() {
        tempo(true, Known::Value(1)).silent("T002");
        tempo(false, Known::Value(3)).silent("T002");
    }

    #[test]
    fn silent_when_it_is_not_known_how_many() {
        tempo(true, Known::Unknown).silent("T002");
        tempo(true, Known::Absent).silent("T002");
    }

    #[test]
    fn parts_that_do_not_find_what_others_wrote() {
        let loki = |writes: &str, reads: &str, volumes: &str| {
            let service = |name: &str, target: &str| {
                let volumes = volumes.replace("NAME", name);
                format!(
                    "  {name}:\n    image: grafana/loki:3.5.0\n    command: [-config.file=/l.yml, {target}]\n    volumes: \
                     ['./l.yml:/l.yml'{volumes}]\n"
                )
            };
            let compose = format!(
                "services:\n{}{}volumes: {{d: , one: , two: }}\n",
                service("one", writes),
                service("two", reads)
            );
            let config = "common: {path_prefix: /loki}\nschema_config: {configs: [{from: 2024-04-01, store: tsdb, \
                          object_store: filesystem, schema: v13}]}\n";
            Bench::project(&[("compose.yaml", &compose), ("l.yml", config)])
        };
        let apart = loki("-target=write", "-target=read", "");
        assert_eq!(apart.finds("T002", "filesystem"), Severity::Error);
        loki("-target=write", "-target=read", ", 'NAME:/loki'").finds("T002", "filesystem");
        loki("-target=write", "-target=read", ", 'd:/loki'").silent("T002");
        loki("-target=write", "-target=${TARGET}", "").silent("T002");
        loki("-target=all", "-target=all", "").silent("T002");
        loki("-target=write", "-target=distributor", "").silent("T002");
    }

    #[test]
    fn a_flag_goes_before_the_file() {
        let project = |flag: &str| {
            let compose = format!(
                "services:\n  tempo:\n    image: grafana/tempo:2.8.2\n    command: [-config.file=/t.yaml, {flag}]\n    \
                 volumes: ['./t.yaml:/t.yaml']\n    deploy: {{replicas: 3}}\n"
            );
            let config = "storage: {trace: {backend: local, local: {path: /var/tempo}}}\n";
            Bench::project(&[("compose.yaml", &compose), ("t.yaml", config)])
        };
        project("-storage.trace.backend=s3").silent("T002");
        project("-storage.trace.wal.path=/wal").finds("T002", "local");
    }
}
