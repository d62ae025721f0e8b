use telstack_catalog::product::Product;
use telstack_diagnostics::{RuleInfo, Severity};
use telstack_system::{Container, EnvValue, EnvVar, Mount, MountSource, Node, Sourced, StoreFacet, WorkloadKind};

use crate::{Cx, Rule, facts::flags, words::is_reference};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        code: "C003",
        name: "data-dir-not-persisted",
        severity: Severity::Warning,
        summary: "A store keeps its data in a folder of its container that is on no volume.",
        why: "The folder goes when the container goes: an update of the image, a changed line of the compose file or \
              `docker compose down` is enough, in Kubernetes another pod. No retention is ever reached.",
        bad: "services:\n  loki:\n    image: grafana/loki:3.7.6\n    volumes: \
              ['./loki.yaml:/etc/loki/local-config.yaml']   # with `path_prefix: /tmp/loki`",
        good: "services:\n  loki:\n    image: grafana/loki:3.7.6\n    volumes: \
               ['./loki.yaml:/etc/loki/local-config.yaml', 'loki:/tmp/loki']\nvolumes: {loki: }",
        silent: "The path is not known (it is read from the configuration, never guessed), the data goes to an object \
                 store or another database, the image is not known, the service runs only in a profile, or is one part \
                 of several. A remark where an `emptyDir` was chosen, and for Grafana in Kubernetes, which is often \
                 given all that it shows.",
        sources: &[
            "https://github.com/grafana/loki/issues/8011",
            "https://github.com/grafana/loki/issues/4254",
            "https://docs.docker.com/engine/storage/volumes/",
        ],
    },
    check,
};

/// Variables that give Grafana another database, and the one that gives it another folder.
const DATABASE: [&str; 2] = ["GF_DATABASE_TYPE", "GF_DATABASE_URL"];
const FOLDER: &str = "GF_PATHS_DATA";
/// Flags of programs that keep nothing for long, or are one part of several.
const AGENT: &str = "agent";
const TARGET: &str = "target";

fn check(cx: &mut Cx<'_>) {
    for (_, node) in cx.system.nodes() {
        let Some(container) = node.container.as_ref().filter(|it| it.profiles.is_empty()) else { continue };
        if cx.may_have_more_files(container) || !stays(container) {
            continue;
        }
        let lost =
            kept(node, container).into_iter().find_map(|path| Some((passing(cx, container, &path.value)?, path)));
        let Some((mount, path)) = lost else { continue };
        let (end, written) = match (container.pod.is_some(), &mount) {
            (true, Place::Mount(_)) => ("on a volume that ends with the pod", true),
            (false, Place::Mount(_)) => ("on a mount that ends with the container", false),
            (_, Place::Container) => ("in the container itself", false),
        };
        let mount = match mount {
            Place::Mount(mount) => Some(mount),
            Place::Container => None,
        };
        // An empty volume is what somebody chose, and what Grafana shows is often given to it.
        let remark = written || container.pod.is_some() && node.product() == Some(Product::Grafana);
        let message = format!("`{}` keeps its data in `{}`, {end}", node.name, path.value);
        let help = match &container.pod {
            None => format!("give it a volume: `{}-data:{}` among its `volumes`", node.name, path.value),
            Some(pod) if pod.kind == WorkloadKind::StatefulSet => {
                format!("give it a volume of `volumeClaimTemplates`, mounted at `{}`", path.value)
            }
            Some(_) => format!("give it a volume with a `persistentVolumeClaim`, mounted at `{}`", path.value),
        };
        let finding = cx
            .finding(message, &path.origin, format!("data in `{}`", path.value))
            .severity(if remark { Severity::Info } else { Severity::Warning })
            .label(mount.and_then(|it| it.origin.span()), "is empty again with each pod")
            .label(node.span(), "its history ends with the container")
            .help(help);
        cx.report(finding);
    }
}

/// Is it to run on and on, by what is written here alone?
fn stays(container: &Container) -> bool {
    let kept = [WorkloadKind::Deployment, WorkloadKind::StatefulSet];
    container.pod.as_deref().is_none_or(|pod| kept.contains(&pod.kind) && !pod.operated)
}

/// Where a folder is that ends with its container.
enum Place<'a> {
    /// On that mount.
    Mount(&'a Mount),
    /// In the container itself.
    Container,
}

/// Where a folder is; none if it does not end with its container, or may not.
fn passing<'a>(cx: &Cx<'_>, container: &'a Container, path: &str) -> Option<Place<'a>> {
    // A volume for a part of it is somebody's choice.
    let below = |target: &str| target.starts_with(&format!("{}/", path.trim_end_matches('/')));
    let stays = |it: &Mount| !matches!(it.source, MountSource::Ephemeral(_));
    if !path.starts_with('/') || container.mounts.iter().any(|it| below(&it.target) && stays(it)) {
        return None;
    }
    let mount = container.mount_of(path);
    match mount.map(|it| &it.source) {
        Some(MountSource::Volume(_) | MountSource::Bind(_) | MountSource::Handed(_)) => None,
        // Another one of the pod may well carry it elsewhere.
        Some(source @ MountSource::Ephemeral(Some(_))) if shares(cx, container, source) => None,
        Some(MountSource::Ephemeral(_)) => mount.map(Place::Mount),
        Some(MountSource::Copied(_)) | None => Some(Place::Container),
    }
}

/// Does another container of the pod see the same volume?
fn shares(cx: &Cx<'_>, container: &Container, source: &MountSource) -> bool {
    let others = cx.system.nodes().filter_map(|(_, node)| node.container.as_ref());
    let mut others = others.filter(|it| !std::ptr::eq(*it, container) && it.shares_pod(container));
    others.any(|it| it.mounts.iter().any(|it| it.source.pod_volume() == source.pod_volume()))
}

/// The folders with data worth keeping, as far as they are known to be on this host.
fn kept(node: &Node, container: &Container) -> Vec<Sourced<String>> {
    let whole = flags(node).iter().all(|it| it.name != AGENT && (it.name != TARGET || it.value == Some("all")));
    match (node.product(), node.store()) {
        (Some(Product::Grafana), _) => of_grafana(node, container).into_iter().collect(),
        (Some(Product::Prometheus), Some(store)) if whole => store.data_path.iter().cloned().collect(),
        (Some(Product::Loki | Product::Tempo | Product::Mimir), Some(store)) if whole && store.local.is_some() => {
            let head = match &store.facet {
                StoreFacet::Mimir(facet) => facet.head_path.as_ref(),
                _ => None,
            };
            store.data_path.iter().chain(head).cloned().collect()
        }
        _ => Vec::new(),
    }
}

fn of_grafana(node: &Node, container: &Container) -> Option<Sourced<String>> {
    let elsewhere = container.env.iter().any(|it| DATABASE.contains(&it.name.as_str())) || container.gaps.env;
    // A configuration of its own may name another database.
    let ini = |target: &String| target.contains(".ini");
    let own =
        container.mounts.iter().map(|it| &it.target).any(ini) || container.files.iter().map(|it| &it.target).any(ini);
    if elsewhere || own {
        return None;
    }
    match container.env.iter().find(|it| it.name == FOLDER) {
        Some(EnvVar { value: EnvValue::Literal(path), origin, .. }) => {
            (!is_reference(path)).then(|| Sourced::new(path.clone(), origin.clone()))
        }
        Some(_) => None,
        None => {
            let path = Product::Grafana.layout(node.version()?)?.data_path?;
            Some(Sourced::new(path.to_owned(), node.origin.clone()))
        }
    }
}

#[cfg(test)]
mod tests {
    use telstack_diagnostics::Severity;

    use crate::test_support::Bench;

    fn loki(volumes: &str, storage: &str) -> Bench {
        let compose = format!(
            "services:\n  loki:\n    image: grafana/loki:3.5.0\n    volumes: \
             ['./loki.yaml:/etc/loki/local-config.yaml'{volumes}]\n"
        );
        let config = format!(
            "common: {{path_prefix: /tmp/loki}}\nschema_config: {{configs: [{{from: 2024-01-01, store: tsdb, \
             object_store: {storage}, schema: v13}}]}}\n"
        );
        Bench::project(&[("compose.yaml", &compose), ("loki.yaml", &config)])
    }

    fn service(text: &str) -> Bench {
        Bench::project(&[("compose.yaml", &format!("services:\n  it:\n    {text}\n"))])
    }

    #[test]
    fn warns_where_nothing_is_kept() {
        assert_eq!(loki("", "filesystem").finds("C003", "/tmp/loki"), Severity::Warning);
        service("image: prom/prometheus:v3.0.0").finds("C003", "it");
        service("image: grafana/grafana:12.0.0\n    tmpfs: /var/lib/grafana").finds("C003", "it");
    }

    #[test]
    fn passes_on_a_volume() {
        loki(", 'l:/tmp/loki'", "filesystem").silent("C003");
        loki(", './data:/tmp'", "filesystem").silent("C003");
        service("image: prom/prometheus:v3.0.0\n    volumes: ['p:/prometheus']").silent("C003");
    }

    #[test]
    fn silent_where_it_is_elsewhere_or_not_known() {
        loki("", "s3").silent("C003");
        service("image: prom/prometheus:v3.0.0\n    profiles: [dev]").silent("C003");
        service("image: grafana/grafana:12.0.0\n    environment: [GF_DATABASE_TYPE=postgres]").silent("C003");
        service("image: acme/loki:1").silent("C003");
    }

    #[test]
    fn grafana_in_another_folder() {
        let at = |volumes: &str| {
            service(&format!("image: grafana/grafana:12.0.0\n    environment: [GF_PATHS_DATA=/data]\n    {volumes}"))
        };
        at("volumes: ['g:/var/lib/grafana']").finds("C003", "GF_PATHS_DATA=/data");
        at("volumes: ['g:/data']").silent("C003");
        service("image: grafana/grafana:12.0.0\n    environment: ['GF_PATHS_DATA=${DATA}']").silent("C003");
    }

    #[test]
    fn what_is_in_no_block_yet() {
        let mimir = |volume: &str| {
            let compose = format!(
                "services:\n  mimir:\n    image: grafana/mimir:2.15.0\n    command: [-config.file=/m.yaml]\n    volumes: \
                 ['./m.yaml:/m.yaml', 'm:{volume}']\n"
            );
            let config =
                "blocks_storage: {backend: filesystem, filesystem: {dir: /data/blocks}, tsdb: {dir: /data/tsdb}}\n";
            Bench::project(&[("compose.yaml", &compose), ("m.yaml", config)])
        };
        mimir("/data/blocks").finds("C003", "/data/tsdb");
        mimir("/data").silent("C003");
    }

    fn pod(kind: &str, container: &str, volume: &str) -> Bench {
        Bench::manifests(&format!(
            "apiVersion: apps/v1\nkind: {kind}\nmetadata: {{name: prom}}\nspec:\n  template:\n    spec:\n      containers:\n      \
             - name: p\n        image: prom/prometheus:v3.4.0\n        {container}\n      volumes: [{{name: d, {volume}}}]\n"
        ))
    }

    #[test]
    fn pods() {
        let mount = "volumeMounts: [{name: d, mountPath: /prometheus}]";
        assert_eq!(pod("Deployment", "", "emptyDir: {}").finds("C003", "p"), Severity::Warning);
        assert_eq!(pod("Deployment", mount, "emptyDir: {}").finds("C003", "p"), Severity::Info);
        pod("Deployment", mount, "persistentVolumeClaim: {claimName: p}").silent("C003");
        pod("Job", "", "emptyDir: {}").silent("C003");
        pod("Deployment", "args: [--agent]", "emptyDir: {}").silent("C003");
        let uploaded = format!("{mount}\n      - name: thanos\n        image: acme/thanos\n        {mount}");
        pod("StatefulSet", &uploaded, "emptyDir: {}").silent("C003");
    }
}
