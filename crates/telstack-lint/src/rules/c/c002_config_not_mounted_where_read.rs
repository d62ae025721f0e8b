use telstack_catalog::product::{Product, image_facts};
use telstack_diagnostics::{Diagnostic, Fix, RuleInfo, Severity};
use telstack_system::{ConfigPath, Container, Handed, Looked, Mount, MountSource, Node};

use crate::{Cx, Rule, repair, words::is_reference};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        code: "C002",
        name: "config-not-mounted-where-read",
        severity: Severity::Error,
        summary: "A configuration is mounted at a path that its program does not read, or the path that is read is not \
                  there.",
        why: "Each image looks in a place of its own. The contrib collector reads `/etc/otelcol-contrib/config.yaml`, \
              the core one `/etc/otelcol/config.yaml`, others nothing at all unless they are told. A file elsewhere is \
              ignored without a word: the program runs with what its image brings along, or does not start. Where the \
              file of the host is not there, docker makes an empty folder of that name. In Kubernetes, the keys of a \
              ConfigMap are the names of its files, unless `items` gives them others.",
        bad: "services:\n  collector:\n    image: otel/opentelemetry-collector-contrib:0.158.0\n    volumes: \
              ['./otelcol.yaml:/etc/otel-collector-config.yaml']",
        good: "services:\n  collector:\n    image: otel/opentelemetry-collector-contrib:0.158.0\n    command: \
               [--config=/etc/otel-collector-config.yaml]\n    volumes: \
               ['./otelcol.yaml:/etc/otel-collector-config.yaml']",
        silent: "The image is not known, is built here or may have the file; something else is started in it; the file \
                 is a config or a secret, or stands outside of the project. A file that should be beside the project \
                 and is not is a warning: a script may write it. A ConfigMap or a Secret is not among the files, is \
                 optional, or is made by a kustomization; an operator, an init container or another one of the pod may \
                 put files there.",
        sources: &[
            "https://github.com/open-telemetry/opentelemetry-collector-releases/issues/59",
            "https://github.com/open-telemetry/opentelemetry-collector-contrib/issues/29447",
            "https://github.com/docker/compose/issues/424",
        ],
    },
    check,
};

fn check(cx: &mut Cx<'_>) {
    for (_, node) in cx.system.nodes().filter(|(_, node)| node.product().is_some()) {
        let Some(container) = node.container.as_ref().filter(|it| !is_given_more(it)) else { continue };
        let mut findings: Vec<Diagnostic> =
            container.reads.iter().filter_map(|it| judge(cx, node, container, it)).collect();
        findings.extend(without_any(cx, node, container));
        for finding in findings {
            cx.report_once(finding);
        }
    }
}

/// Does somebody else put files into it: an operator, or what injects them into pods that ask for it?
fn is_given_more(container: &Container) -> bool {
    container.pod.as_deref().is_some_and(|pod| {
        pod.operated || pod.annotations.iter().any(|(key, it)| key.contains("inject") && it.value != "false")
    })
}

fn judge(cx: &Cx<'_>, node: &Node, container: &Container, read: &ConfigPath) -> Option<Diagnostic> {
    let path = &read.path;
    match read.state {
        Looked::Found | Looked::Elsewhere => None,
        Looked::Missing => {
            let mount = container.mount_of(path)?;
            if let MountSource::Handed(_) = mount.source {
                return handed_in(cx, node, container, read, mount);
            }
            let MountSource::Bind(source) = &mount.source else { return None };
            if is_reference(source) {
                return None;
            }
            let rest = path.strip_prefix(mount.target.trim_end_matches('/')).unwrap_or_default();
            let file = format!("{}{rest}", source.trim_end_matches('/'));
            let message = format!("`{}` reads `{path}`, and `{file}` is not there", node.name);
            let finding = cx.finding(message, &mount.origin, "nothing beside the project has that name");
            let finding = finding.severity(Severity::Warning);
            Some(if rest.is_empty() {
                finding.note("docker makes an empty folder where a file to mount is not there")
            } else {
                finding.help(format!("write `{file}`, or mount the folder that it is in"))
            })
        }
        Looked::Image if cx.may_have_more_files(container) => None,
        Looked::Image => {
            let inside = |it: &&Mount| it.target.strip_prefix(path.as_str()).is_some_and(|it| it.starts_with('/'));
            if let Some(mount) = container.mounts.iter().find(inside).filter(|_| container.pod.is_some()) {
                return handed_in(cx, node, container, read, mount);
            }
            let image = &container.image.value;
            let facts = image_facts(&image.repository, &image.tag)?;
            let brought = facts.default_config == Some(path) || facts.own_paths.iter().any(|it| path.starts_with(it));
            let candidates = candidates(node, container);
            let what = match (read.told, brought) {
                (true, true) => return None,
                (true, false) => format!("`{}` is told to read `{path}`, which its container does not have", node.name),
                (false, _) if facts.default_config != Some(path) => return None,
                (false, _) => {
                    let (_, given) = candidates.first()?;
                    format!("`{}` reads `{path}`, and is given `{given}`", node.name)
                }
            };
            let remark = if read.told { "is not there" } else { "is not told to read anything else" };
            let mut finding = cx.finding(what, &read.origin, remark);
            for (mount, given) in &candidates {
                finding = finding.label(mount.origin.span(), format!("is never read: `{given}`"));
            }
            if let Some((_, given)) = candidates.first() {
                finding = finding
                    .help(format!("mount it where it is read: `{path}`"))
                    .help(format!("or name it: `{}`", flag(node, given)));
            } else {
                finding = finding.help(format!("mount the file at `{path}`"));
            }
            let [(only, _)] = candidates.as_slice() else { return Some(finding) };
            if only.target.as_str() == path || container.pod.is_some() {
                return Some(finding);
            }
            let change = repair::word(&only.origin, &only.target, path);
            Some(repair::with(finding, change.map(|it| Fix::safe(format!("mount it at `{path}`"), it))))
        }
    }
}

/// What is handed in where the configuration is read has no such key, or makes a folder of the file.
fn handed_in(cx: &Cx<'_>, node: &Node, container: &Container, read: &ConfigPath, mount: &Mount) -> Option<Diagnostic> {
    let path = &read.path;
    let image = &container.image.value;
    let own = || image_facts(&image.repository, &image.tag).is_some_and(|it| it.default_config == Some(path));
    // Grafana does without.
    if cx.may_have_more_files(container) || node.product() == Some(Product::Grafana) || !read.told && !own() {
        return None;
    }
    let (folder, wanted) = path.rsplit_once('/')?;
    if let Some(rest) = mount.target.strip_prefix(path.as_str()).filter(|_| mount.is_folder() || mount.target != *path)
    {
        let key = rest.trim_matches('/');
        let key = if key.is_empty() { wanted } else { key };
        let finding = cx.finding(format!("`{}` reads `{path}`, which is a folder", node.name), &read.origin, "no file");
        return Some(
            finding
                .label(mount.origin.span(), "without `subPath`, a volume is a folder")
                .help(format!("mount it at `{folder}`"))
                .help(format!("or mount the one file: `subPath: {key}`")),
        );
    }
    let (Handed { title, keys, .. }, _) = container.handed_at(mount)?;
    let message = format!("`{}` reads `{path}`, and {title} has no key for that", node.name);
    let finding = cx.finding(message, &read.origin, "is not there");
    let finding = finding.label(mount.origin.span(), format!("{title} has {}", several(keys)));
    Some(match candidates(node, container).as_slice() {
        [(_, given)] => finding
            .help(format!("name what is there: `{}`", flag(node, given)))
            .help(format!("or call the key `{wanted}`")),
        _ => finding.help(format!("give {title} the key `{wanted}`, or name one that it has")),
    })
}

/// Keys, as they are told to people.
fn several(keys: &[String]) -> String {
    const SHOWN: usize = 4;
    let shown: Vec<String> = keys.iter().take(SHOWN).map(|it| format!("`{it}`")).collect();
    let more = if keys.len() > SHOWN { " and more" } else { "" };
    format!("{}{more}", shown.join(", "))
}

/// The files that are mounted and are, by their names, configurations of the node's program.
fn candidates<'a>(node: &Node, container: &'a Container) -> Vec<(&'a Mount, String)> {
    let mut found = Vec::new();
    for mount in &container.mounts {
        match (&mount.source, container.handed_at(mount)) {
            (MountSource::Bind(_), _) | (_, Some((_, Some(_)))) => found.push((mount, mount.target.clone())),
            (_, Some((handed, None))) => {
                let target = mount.target.trim_end_matches('/');
                found.extend(handed.keys.iter().map(|key| (mount, format!("{target}/{key}"))));
            }
            _ => {}
        }
    }
    found.retain(|(_, path)| is_config(node, path));
    found
}

/// A collector of an image without a configuration, which is told of none.
fn without_any(cx: &Cx<'_>, node: &Node, container: &Container) -> Option<Diagnostic> {
    let told = container.command.iter().any(|word| word.value.contains("config") || word.value.contains("--set"));
    let image = &container.image.value;
    let facts = image_facts(&image.repository, &image.tag)?;
    let nothing = container.reads.iter().all(|it| !it.told && matches!(it.state, Looked::Image | Looked::Found));
    let known = cx.system.from_files && nothing && !told && !cx.may_have_more_files(container);
    if !known || node.product() != Some(Product::Otelcol) || facts.default_config.is_some() {
        return None;
    }
    let message = format!("`{}` is told to read no configuration, and its image brings none", node.name);
    let mut finding =
        cx.finding(message, &node.origin, "does not start").label(container.image.span(), "no configuration");
    let candidates = candidates(node, container);
    if let Some((mount, _)) = candidates.first() {
        finding = finding.label(mount.origin.span(), "is never read");
    }
    let found = container.reads.iter().find(|it| it.state == Looked::Found);
    let given = candidates.first().map(|(_, given)| given).or(found.map(|it| &it.path));
    let path = given.map_or("/etc/otelcol/config.yaml", String::as_str);
    let key = if container.pod.is_some() { "args" } else { "command" };
    Some(finding.help(format!("name it: `{key}: [{}]`", flag(node, path))))
}

fn flag(node: &Node, path: &str) -> String {
    match node.product() {
        Some(Product::Otelcol | Product::Jaeger) => format!("--config={path}"),
        Some(Product::Prometheus | Product::Alertmanager) => format!("--config.file={path}"),
        _ => format!("-config.file={path}"),
    }
}

/// Is that, by its name, a configuration of the node's program?
fn is_config(node: &Node, path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default();
    let Some(stem) = [".yaml", ".yml"].iter().find_map(|end| name.strip_suffix(end)) else { return false };
    match node.product() {
        Some(Product::Otelcol) => true,
        Some(product @ (Product::Prometheus | Product::Loki | Product::Tempo | Product::Alertmanager)) => {
            stem == product.id() || stem.contains("config") && !stem.contains("web")
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use telstack_diagnostics::{Applicability, Severity};

    use crate::test_support::Bench;

    const OTEL: (&str, &str) = ("otel.yaml", "receivers: {otlp: {protocols: {grpc: }}}\n");

    fn collector(service: &str) -> Bench {
        let compose =
            format!("services:\n  otel:\n    image: otel/opentelemetry-collector-contrib:0.158.0\n    {service}\n");
        Bench::project(&[("compose.yaml", &compose), OTEL])
    }

    #[test]
    fn fails_where_nobody_reads() {
        let elsewhere = "volumes: ['./otel.yaml:/etc/otel.yaml']";
        assert_eq!(collector(elsewhere).finds("C002", "otel"), Severity::Error);
        let other = "command: [--config=/etc/otelcol/config.yaml]\n    volumes: ['./otel.yaml:/etc/otel.yaml']";
        collector(other).finds("C002", "--config=/etc/otelcol/config.yaml");
        let named = "command: [--config=/etc/other.yaml]";
        collector(named).finds("C002", "--config=/etc/other.yaml");
    }

    #[test]
    fn silent_about_folders_that_a_variable_names() {
        let at = |folder: &str| {
            let compose = format!(
                "services:\n  prometheus:\n    image: prom/prometheus:v3.5.0\n    command: [--config.file=/gen/p.yml]\n    volumes: \
                 ['{folder}:/gen']\n"
            );
            Bench::project(&[("compose.yaml", &compose), OTEL])
        };
        at("${CONF_DIR}").silent("C002");
        assert_eq!(at("./conf").finds("C002", "'./conf:/gen'"), Severity::Warning);
    }

    #[test]
    fn fails_without_any() {
        let compose = "services:\n  otel:\n    image: otel/opentelemetry-collector-k8s:0.158.0\n";
        Bench::project(&[("compose.yaml", compose)]).finds("C002", "otel");
        let given = format!("{compose}    command: [--config=/a.yaml]\n    volumes: ['./otel.yaml:/a.yaml']\n");
        Bench::project(&[("compose.yaml", &given), OTEL]).silent("C002");
        // It is where packages for hosts have it, and the image names it nowhere.
        let named = format!("{compose}    volumes: ['./otel.yaml:/etc/otelcol/config.yaml']\n");
        Bench::project(&[("compose.yaml", &named), OTEL]).finds("C002", "otel");
    }

    #[test]
    fn it_is_mounted_where_it_is_read() {
        let compose = |target: &str| {
            format!(
                "services:\n  otel:\n    image: otel/opentelemetry-collector-contrib:0.158.0\n    volumes:\n      # mine\n      \
                 - ./otel.yaml:{target}:ro\n"
            )
        };
        let before = compose("/etc/otel.yaml");
        let bench = Bench::project(&[("compose.yaml", &before), OTEL]);
        assert_eq!(bench.fixed("C002", &compose("/etc/otelcol-contrib/config.yaml")), Applicability::Safe);
    }

    #[test]
    fn passes_where_it_is_read() {
        collector("volumes: ['./otel.yaml:/etc/otelcol-contrib/config.yaml']").silent("C002");
        collector("command: --config /c/otel.yaml\n    volumes: ['./:/c']").silent("C002");
        collector("command: --feature-gates=x").silent("C002");
    }

    #[test]
    fn jaeger_reads_what_it_is_told_to() {
        let jaeger = |image: &str, service: &str| {
            let compose = format!("services:\n  jaeger:\n    image: {image}\n    {service}\n");
            Bench::project(&[("compose.yaml", &compose), ("j.yaml", "receivers: {otlp: {protocols: {grpc: }}}\n")])
        };
        for image in ["jaegertracing/all-in-one", "jaegertracing/jaeger:latest", "'jaegertracing/jaeger:${V}'"] {
            jaeger(image, "command: [--memory.max-traces=10000]").silent("C002");
        }
        let two = "jaegertracing/jaeger:2.10.0";
        let told = "command: ['--config=file:/conf/j.yaml']";
        jaeger(two, &format!("{told}\n    volumes: ['./j.yaml:/conf/j.yaml']")).silent("C002");
        jaeger(two, "command: ['--config=env:CONFIG']").silent("C002");
        let named = jaeger(two, &format!("{told}\n    volumes: ['./j.yaml:/conf/other.yaml']"));
        named.finds("C002", "'--config=file:/conf/j.yaml'");
    }

    #[test]
    fn paths_that_only_run_time_knows() {
        let prometheus = |path: &str| {
            let compose = format!(
                "services:\n  prom:\n    image: prom/prometheus:v3.5.0\n    command: ['--config.file={path}']\n    volumes: \
                 ['./p.yml:/conf/p.yml']\n"
            );
            Bench::project(&[("compose.yaml", &compose), ("p.yml", "global: {scrape_interval: 15s}\n")])
        };
        prometheus("/conf/p${SFX}.yml").silent("C002");
        prometheus("p.yml").silent("C002");
        prometheus("/conf/q.yml").finds("C002", "'--config.file=/conf/q.yml'");
    }

    #[test]
    fn silent_where_it_may_be_there() {
        for service in [
            "build: .\n    command: [--config=/etc/other.yaml]",
            "command: [--config=/etc/other.yaml]\n    volumes: ['/srv:/etc']",
            "command: [--config=/etc/other.yaml]\n    configs: [{source: x, target: /etc/other.yaml}]",
            "command: [--config=env:CONFIG]",
            "command: ['--config=yaml:receivers::otlp::protocols::grpc:']",
            "command: ['--config=/etc/otelcol/${WHICH}.yaml']",
            "command: [--config=/etc/other.yaml]\n    volumes: ['./otel.yaml:/etc/${WHICH}.yaml']",
            "entrypoint: [/start.sh]\n    volumes: ['./otel.yaml:/etc/otel.yaml']",
        ] {
            collector(service).silent("C002");
        }
        let compose =
            "services:\n  g:\n    image: grafana/grafana:12.0.0\n    volumes: ['./otel.yaml:/x/config.yaml']\n";
        Bench::project(&[("compose.yaml", compose), OTEL]).silent("C002");
    }

    /// A Deployment of a collector beside a ConfigMap whose only key is `relay.yaml`.
    fn pod(image: &str, container: &str, volume: &str) -> Bench {
        Bench::manifests(&format!(
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: c}}\ndata:\n  relay.yaml: |\n    receivers: {{otlp: \
             {{protocols: {{grpc: }}}}}}\n---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: d}}\nspec:\n  \
             template:\n    spec:\n      containers:\n      - name: otel\n        image: \
             otel/opentelemetry-collector-{image}:0.130.0\n        {container}\n      volumes: [{{name: v, {volume}}}]\n"
        ))
    }

    const CONFIG_MAP: &str = "configMap: {name: c}";

    #[test]
    fn keys_of_a_config_map_are_the_files() {
        let mounted = |args: &str, mount: &str, volume: &str| {
            pod("contrib", &format!("args: [{args}]\n        volumeMounts: [{{name: v, {mount}}}]"), volume)
        };
        let (told, at) = ("--config=/conf/config.yaml", "mountPath: /conf");
        let bench = mounted(told, at, CONFIG_MAP);
        assert_eq!(bench.finds("C002", told), Severity::Error);
        assert_eq!(bench.helps("C002")[0], "name what is there: `--config=/conf/relay.yaml`");
        mounted("--config=/conf/relay.yaml", at, CONFIG_MAP).silent("C002");
        mounted("--config=/conf/..data/relay.yaml", at, CONFIG_MAP).silent("C002");
        let renamed = "configMap: {name: c, items: [{key: relay.yaml, path: config.yaml}]}";
        mounted(told, at, renamed).silent("C002");
        mounted("--config=/conf/relay.yaml", at, renamed).finds("C002", "--config=/conf/relay.yaml");
        mounted(told, "mountPath: /conf/config.yaml, subPath: relay.yaml", CONFIG_MAP).silent("C002");
        mounted(told, "mountPath: /conf/config.yaml, subPath: config.yaml", CONFIG_MAP).finds("C002", told);
        mounted(told, "mountPath: /etc/otel", CONFIG_MAP).finds("C002", told);
        for volume in [CONFIG_MAP, "configMap: {name: other}", renamed] {
            let bench = mounted(told, "mountPath: /conf/config.yaml", volume);
            bench.finds("C002", told);
            assert_eq!(bench.helps("C002"), ["mount it at `/conf`", "or mount the one file: `subPath: config.yaml`"]);
        }
        // The mount hides what the image has there.
        mounted("--feature-gates=x", "mountPath: /etc/otelcol-contrib", CONFIG_MAP).finds("C002", "otel");
    }

    #[test]
    fn pods_without_any() {
        let mount = "volumeMounts: [{name: v, mountPath: /conf}]";
        let bench = pod("k8s", mount, CONFIG_MAP);
        bench.finds("C002", "d");
        assert_eq!(bench.helps("C002"), ["name it: `args: [--config=/conf/relay.yaml]`"]);
        pod("k8s", &format!("command: [/start]\n        {mount}"), CONFIG_MAP).silent("C002");
    }

    #[test]
    fn silent_about_pods_that_may_be_given_it() {
        let told = "args: [--config=/conf/config.yaml]\n        volumeMounts: [{name: v, mountPath: /conf}]";
        for volume in [
            "configMap: {name: other}",
            "configMap: {name: c, optional: true}",
            "secret: {secretName: c}",
            "projected: {sources: [{configMap: {name: c}}, {configMap: {name: other}}]}",
            "projected: {sources: [{configMap: {name: c}}, {downwardAPI: {items: []}}]}",
            "emptyDir: {}",
            "persistentVolumeClaim: {claimName: c}",
        ] {
            pod("contrib", told, volume).silent("C002");
        }
        let shell =
            "command: [sh, -c, 'x --config=/conf/config.yaml']\n        volumeMounts: [{name: v, mountPath: /conf}]";
        pod("contrib", shell, CONFIG_MAP).silent("C002");
    }
}
