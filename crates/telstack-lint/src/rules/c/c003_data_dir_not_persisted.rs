use telstack_catalog::product::Product;
use telstack_diagnostics::{RuleInfo, Severity};
use telstack_system::{Container, Mount, MountSource, Node, Platform, Sourced};

use crate::{Cx, Rule};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        code: "C003",
        name: "data-dir-not-persisted",
        severity: Severity::Warning,
        summary: "A store keeps its data in a folder of its container that is on no volume.",
        why: "The folder goes when the container goes: an update of the image, a changed line of the compose file or \
              `docker compose down` is enough. No retention is ever reached.",
        bad: "services:\n  loki:\n    image: grafana/loki:3.7.6\n    volumes: \
              ['./loki.yaml:/etc/loki/local-config.yaml']   # with `path_prefix: /tmp/loki`",
        good: "services:\n  loki:\n    image: grafana/loki:3.7.6\n    volumes: \
               ['./loki.yaml:/etc/loki/local-config.yaml', 'loki:/tmp/loki']\nvolumes: {loki: }",
        silent: "The path is not known (it is read from the configuration, never guessed), the data goes to an object \
                 store or another database, the image is not known, the service runs only in a profile.",
        sources: &[
            "https://github.com/grafana/loki/issues/8011",
            "https://github.com/grafana/loki/issues/4254",
            "https://docs.docker.com/engine/storage/volumes/",
        ],
    },
    check,
};

/// Variables that give Grafana another database, or another folder.
const DATABASE: [&str; 3] = ["GF_DATABASE_TYPE", "GF_DATABASE_URL", "GF_PATHS_DATA"];

fn check(cx: &mut Cx<'_>) {
    if cx.system.platform.value != Platform::Compose {
        return;
    }
    for (_, node) in cx.system.nodes() {
        let Some(container) = node.container.as_ref().filter(|it| it.profiles.is_empty()) else { continue };
        let Some(path) = kept(node, container).filter(|_| !cx.may_have_more_files(container)) else { continue };
        // A volume for a part of it is somebody's choice.
        let below = |target: &str| target.starts_with(&format!("{}/", path.value.trim_end_matches('/')));
        let stays = |it: &Mount| !matches!(it.source, MountSource::Ephemeral(_));
        let on_volume = container.mounts.iter().any(|it| below(&it.target) && stays(it));
        let what = match container.mount_of(&path.value).map(|it| &it.source) {
            _ if on_volume || !path.value.starts_with('/') => continue,
            Some(MountSource::Volume(_) | MountSource::Bind(_) | MountSource::Handed(_)) => continue,
            Some(MountSource::Ephemeral(_)) => "on a mount that ends with the container",
            Some(MountSource::Copied(_)) | None => "in the container itself",
        };
        let message = format!("`{}` keeps its data in `{}`, {what}", node.name, path.value);
        let finding = cx
            .finding(message, &path.origin, format!("data in `{}`", path.value))
            .label(node.span(), "its history ends with the container")
            .help(format!("give it a volume: `{}-data:{}` among its `volumes`", node.name, path.value));
        cx.report(finding);
    }
}

/// The folder with data worth keeping, if it is known to be on this host.
fn kept(node: &Node, container: &Container) -> Option<Sourced<String>> {
    match node.product()? {
        Product::Grafana => {
            let elsewhere = container.env.iter().any(|it| DATABASE.contains(&it.name.as_str())) || container.gaps.env;
            // A configuration of its own may name another database.
            let ini = |target: &String| target.contains(".ini");
            let own = container.mounts.iter().map(|it| &it.target).any(ini)
                || container.files.iter().map(|it| &it.target).any(ini);
            let path = Product::Grafana.layout(node.version()?)?.data_path?;
            (!elsewhere && !own).then(|| Sourced::new(path.to_owned(), node.origin.clone()))
        }
        Product::Prometheus => node.store()?.data_path.clone(),
        Product::Loki | Product::Tempo | Product::Mimir => {
            let store = node.store().filter(|it| it.local.is_some())?;
            store.data_path.clone()
        }
        Product::Otelcol | Product::Jaeger | Product::Alertmanager | Product::Haproxy => None,
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
}
