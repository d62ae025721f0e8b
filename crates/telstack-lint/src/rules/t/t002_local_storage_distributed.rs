use telstack_diagnostics::{RuleInfo, Severity};
use telstack_system::{Instances, Node, Origin};

use crate::{Cx, Rule, facts::several};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        code: "T002",
        name: "local-storage-distributed",
        severity: Severity::Error,
        summary: "Several of a store run, and each keeps its data on a disk of its own.",
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

fn check(cx: &mut Cx<'_>) {
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
