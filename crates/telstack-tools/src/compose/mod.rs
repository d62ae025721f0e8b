//! docker compose: the services, and the files beside them.
//!
//! Written so that both docker compose 2 and docker-compose 1.29 take it. The latter refuses a top-level
//! `name:`, so the project's name is in `.env.example` and volumes carry theirs.

mod environment;
pub(crate) mod read;
mod scripts;
mod service;

use std::collections::{HashMap, HashSet};

pub use read::files;
pub(crate) use read::{find, read};
use telstack_syntax::yaml;
use telstack_system::{Mount, MountSource, Origin, System, Value, tls};

use crate::{
    Artefact,
    doc::{self, Block},
};

const PATH: &str = "docker-compose.yml";

/// Writes what compose reads; `written` are the files that its services mount.
pub(crate) fn emit(system: &System, written: &[Artefact]) -> Vec<Artefact> {
    let mut header = doc::header(system, &format!("{}: docker compose", system.name), PATH)
        + "\n\nTo start: copy .env.example to .env, fill it in, then `docker compose up -d`.";
    let certificates = tls::files(system);
    if !certificates.is_empty() {
        header += "\nThese files must be there first; docker makes folders of those that are missing:\n";
        header += &certificates.iter().map(|file| format!("  {}", file.value)).collect::<Vec<_>>().join("\n");
    }
    let mark = doc::follows_all(
        "says what the file is and which stack it comes from",
        certificates.iter().map(|file| &file.origin).chain([&system.origin]),
        &system.origin,
    );
    let compose = Artefact::new(PATH, yaml::write(&header, &mark, &document(system, written)));
    let mut out = vec![compose];
    out.extend(environment::emit(system));
    out.extend(scripts::emit(system));
    out
}

fn document(system: &System, written: &[Artefact]) -> Value {
    let written: HashMap<&str, &Artefact> = written.iter().map(|it| (&*it.path, it)).collect();
    let mut services = Block::new();
    let mut origins = Vec::new();
    for (id, node) in system.nodes() {
        let Some(container) = &node.container else { continue };
        let init = service::init(node, container);
        let waits_for = init.as_ref().map(|(name, _)| name.clone());
        if let Some((name, value)) = init {
            services.gap().comment(&service::purpose_of_init(node)).put(&name, value);
        }
        services.gap().comment(&service::purpose(system, id, node));
        services.put(&node.name, service::service(node, container, waits_for.as_deref(), &written));
        origins.push(&node.origin);
    }
    let mut out = Block::new();
    let reason = "each node of the stack is a service";
    out.put("services", services.finish(&doc::follows_all(reason, origins, &system.origin)));
    out.gap().put_some("volumes", volumes(system));
    out.finish(&system.origin)
}

/// The named volumes in the order first mounted, with names that do not depend on the folder.
fn volumes(system: &System) -> Option<Value> {
    let reason = "named after the stack: its data is found again from a folder of another name";
    let mut names = HashSet::new();
    let mut origins: Vec<&Origin> = Vec::new();
    let mut out = Block::new();
    for mount in system.nodes().filter_map(|(_, node)| node.container.as_ref()).flat_map(|it| &it.mounts) {
        if let Some(name) = volume(mount)
            && names.insert(name)
        {
            let full = doc::follows(reason, &[&system.origin, &mount.origin]).string(volume_name(system, name));
            out.put(name, mount.origin.map([("name", full)]));
            origins.push(&mount.origin);
        }
    }
    out.finish_some(&doc::follows_all("what outlives the containers", origins, &system.origin))
}

/// What docker calls a volume.
fn volume_name(system: &System, name: &str) -> String {
    format!("{}_{name}", system.name)
}

fn volume(mount: &Mount) -> Option<&str> {
    match &mount.source {
        MountSource::Volume(name) => Some(name),
        MountSource::Bind(_) | MountSource::Copied(_) | MountSource::Ephemeral(_) | MountSource::Handed(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use telstack_system::{EnvValue, EnvVar, Mount, MountSource, SecretRef};

    use crate::testing::{Choice, parsed, part, stack, text, written};

    const PATH: &str = "docker-compose.yml";

    #[test]
    fn a_service_has_what_its_container_has() {
        let artefacts = written(&stack(&Choice::default()));
        let document = parsed(&artefacts, PATH);
        let service = ["services", "otel-collector"];
        let of = |path: &[&str]| part(&document, &[&service[..], path].concat());
        assert_eq!(of(&["image"]), "\"otel/opentelemetry-collector-contrib:0.158.0\"");
        assert_eq!(of(&["environment", "GOMEMLIMIT"]), "\"1638MiB\"");
        assert_eq!(of(&["deploy", "resources", "limits"]), r#"{ "cpus": "2", "memory": "2G" }"#);
        assert_eq!(of(&["stop_grace_period"]), "\"30s\"");
        assert_eq!(of(&["restart"]), "\"unless-stopped\"");
        assert_eq!(of(&["ports", "0"]), "\"4317:4317\"");
        assert!(of(&["volumes"]).contains("./configs/otel-collector.yaml:/etc/otelcol/config.yaml:ro"));
        assert_eq!(
            part(&document, &["services", "prometheus", "healthcheck", "test", "0"]),
            "\"CMD\"",
            "no shell in between"
        );
        assert!(text(&artefacts, PATH).contains("  # 4317: OTLP over gRPC\n"));
    }

    #[test]
    fn volumes_are_given_to_their_user_first() {
        let artefacts = written(&stack(&Choice::default()));
        let document = parsed(&artefacts, PATH);
        let init = |path: &[&str]| part(&document, &[&["services", "otel-collector-init"], path].concat());
        assert_eq!(init(&["command"]), r#"["chown", "-R", "10001:10001", "/var/lib/otelcol/storage"]"#);
        assert_eq!(init(&["user"]), "\"0\"");
        assert_eq!(init(&["network_mode"]), "\"none\"");
        assert_eq!(init(&["restart"]), "\"no\"");
        assert_eq!(init(&["volumes"]), r#"[ "otel-collector-data:/var/lib/otelcol/storage" ]"#);
        assert_eq!(
            part(&document, &["services", "otel-collector", "depends_on", "otel-collector-init", "condition"]),
            "\"service_completed_successfully\""
        );
        assert!(!text(&artefacts, PATH).contains("loki-init"), "Loki's image owns its volume");
    }

    #[test]
    fn named_volumes_are_declared_and_memory_is_not() {
        let mut system = stack(&Choice::default());
        let id = system.find("loki").expect("a node");
        let origin = system.node(id).origin.clone();
        let container = system.node_mut(id).container.as_mut().expect("a container");
        for (source, target) in
            [(MountSource::Ephemeral(None), "/tmp"), (MountSource::Bind("certs".to_owned()), "/certs")]
        {
            container.mounts.push(Mount { source, target: target.to_owned(), read_only: true, origin: origin.clone() });
        }
        let artefacts = written(&system);
        let document = parsed(&artefacts, PATH);
        assert_eq!(part(&document, &["volumes", "loki-data", "name"]), "\"single-node_loki-data\"");
        assert_eq!(part(&document, &["services", "loki", "tmpfs"]), r#"[ "/tmp" ]"#);
        assert!(part(&document, &["services", "loki", "volumes"]).contains("\"./certs:/certs:ro\""));
    }

    #[test]
    fn secrets_are_asked_for_and_dollars_are_kept() {
        let mut system = stack(&Choice::default());
        let id = system.find("otel-collector").expect("a node");
        let origin = system.node(id).origin.clone();
        let token = SecretRef::Secret { name: "otlp".to_owned(), key: "token".to_owned() };
        for (name, value) in [("OTLP_TOKEN", EnvValue::Required(token)), ("PRICE", EnvValue::Literal("5$".to_owned()))]
        {
            let variable = EnvVar::new(name, value, origin.clone());
            system.node_mut(id).container.as_mut().expect("a container").env.push(variable);
        }
        let artefacts = written(&system);
        let document = parsed(&artefacts, PATH);
        let environment = part(&document, &["services", "otel-collector", "environment"]);
        assert!(environment.contains("${OTLP_TOKEN:?OTLP_TOKEN is not set: see .env.example}"), "{environment}");
        assert!(environment.contains("\"5$$\""), "{environment}");
        let example = text(&artefacts, ".env.example");
        assert!(example.contains("# The key \"token\" of the secret \"otlp\", for otel-collector.\nOTLP_TOKEN=\n"));
        assert!(example.contains("\nGRAFANA_ADMIN_PASSWORD=\n") && example.contains("administrator's password"));
        assert!(text(&artefacts, ".gitignore").lines().any(|line| line == ".env"));
    }
}
