//! Reading a compose file: each service is a node, what runs in it follows from its image.

pub(crate) mod dollars;
mod merge;
mod project;
mod service;
mod values;

use telstack_diagnostics::Span;
use telstack_system::{Container, MountSource, Node, Origin, Platform, Settings, Sourced, System, Value};

use crate::{
    folder::{Folder, SourceFile},
    image,
    reading::wrong_shape,
};
use project::Project;
use service::Service;
use values::{Variables, env_file, interpolate};

/// The files that docker compose looks for, in its order.
const NAMES: [&str; 4] = ["compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml"];
/// Where the name of the whole may stand besides.
const ENV_EXAMPLE: &str = ".env.example";
const PROJECT: &str = "COMPOSE_PROJECT_NAME";
/// The files of a project, and what stands between them.
const FILES: &str = "COMPOSE_FILE";
const SEPARATOR: &str = "COMPOSE_PATH_SEPARATOR";

/// The compose file among those given: the first that docker compose would take.
pub(crate) fn find<'a>(files: &'a [SourceFile<'a>]) -> Option<&'a SourceFile<'a>> {
    let named = |file: &SourceFile<'_>, name: &str| file.path.rsplit('/').next() == Some(name);
    let depth = |file: &&SourceFile<'_>| file.path.matches('/').count();
    NAMES.iter().find_map(|name| files.iter().filter(|file| named(file, name)).min_by_key(depth))
}

/// The files that a `.env` says a project beside it is made of, the first one first; none where it says nothing.
pub fn files(env: &str) -> Option<Vec<String>> {
    let variables: Variables = env_file(env, &Variables::new()).into_iter().collect();
    let separator = variables.get(SEPARATOR).filter(|it| !it.is_empty()).map_or(":", String::as_str);
    let files: Vec<String> = variables.get(FILES)?.split(separator).map(|it| it.trim().to_owned()).collect();
    files.iter().all(|it| !it.is_empty()).then_some(files)
}

/// Reads the project of a compose file and those that override it. Services of images that nobody knows are
/// nodes too: others depend on them.
pub(crate) fn read(files: &[&SourceFile<'_>], folder: &mut Folder<'_>) -> System {
    let origin = files.first().map(|file| Origin::written(Span::new(file.file, 0, 0)));
    let origin = origin.unwrap_or_else(|| Origin::builtin("read", "nothing was given", &[]));
    let paths: Vec<&str> = files.iter().map(|file| file.path).collect();
    let Project { map, variables } = project::load(&paths, folder);
    let platform = Sourced::new(Platform::Compose, origin.clone());
    let mut system = System::new(name(&map, &variables, folder), origin, platform);
    let none = Settings::default();
    let services = match map.get("services") {
        Some(value) if value.as_map().is_none() => {
            let help = "write each service as a key: `services: {NAME: {image: …}}`".to_owned();
            wrong_shape("`services`", "a map of services", value, help, folder.out);
            folder.complete = false;
            &none
        }
        other => other.and_then(Value::as_map).unwrap_or(&none),
    };
    let mut nodes = Vec::new();
    let named = |container: &str| {
        let name = |value: &Value| Some(interpolate(value.at("container_name")?.as_str()?, &variables));
        let mut all = services.iter();
        all.find(|it| name(&it.value).as_deref() == Some(container)).map(|it| it.key.clone())
    };
    for entry in services {
        let Some(settings) = entry.value.as_map() else {
            let what = format!("service `{}`", entry.key);
            let help = format!("write its settings as keys: `{}: {{image: …}}`", entry.key);
            wrong_shape(&what, "a map", &entry.value, help, folder.out);
            folder.complete = false;
            continue;
        };
        let service = Service { variables: &variables, settings, shared: &map, origin: &entry.key_mark };
        nodes.push(node(&entry.key, &service, &named, folder));
    }
    give_volumes_away(&mut nodes);
    for node in nodes {
        system.add(node);
    }
    system
}

/// What compose calls the whole: `name:`, the variable, else the folder.
fn name(map: &Settings, variables: &Variables, folder: &mut Folder<'_>) -> String {
    let written = map.get("name").and_then(Value::as_str).map(|it| interpolate(it, variables));
    if let Some(known) = written.or_else(|| variables.get(PROJECT).cloned()) {
        return known;
    }
    let base = folder.base.clone();
    let example = folder.at_root(&project::beside(&base, ENV_EXAMPLE));
    let example = example.and_then(|file| {
        let mut all = env_file(&file.text, variables).into_iter();
        all.find(|(name, value)| name == PROJECT && !value.is_empty()).map(|(_, value)| value)
    });
    let of_folder = || base.rsplit('/').next().filter(|it| !it.is_empty()).map(str::to_owned);
    example.or_else(of_folder).unwrap_or_else(|| "stack".to_owned())
}

fn node(name: &str, service: &Service<'_>, named: &dyn Fn(&str) -> Option<String>, folder: &mut Folder<'_>) -> Node {
    let (container, running) = service.container(name, named, folder).unzip();
    let mut node = image::node(name, service.origin.clone(), container, running.flatten());
    node.aliases = service.aliases();
    node
}

/// A service that only runs `chown` on volumes of others, which wait for its end, is part of those.
fn give_volumes_away(nodes: &mut Vec<Node>) {
    let mut at = 0;
    while at < nodes.len() {
        match owned_by_others(&nodes[at], nodes) {
            Some(paths) => {
                let init = nodes.remove(at);
                for (name, path) in paths {
                    let container = nodes.iter_mut().find(|it| it.name == name).and_then(|it| it.container.as_mut());
                    let Some(container) = container else { continue };
                    container.depends_on.retain(|it| it.node != init.name);
                    if !container.owned_paths.iter().any(|it| it.value == path.value) {
                        container.owned_paths.push(path);
                    }
                }
            }
            None => at += 1,
        }
    }
}

/// The paths that an init service gives away, as those see them that wait for it; none if it is no such service.
fn owned_by_others(init: &Node, nodes: &[Node]) -> Option<Vec<(String, Sourced<String>)>> {
    let container = init.container.as_ref().filter(|_| init.product().is_none())?;
    let (program, arguments) = container.command.split_first()?;
    if program.value != "chown" || !container.depends_on.is_empty() {
        return None;
    }
    let paths: Vec<&Sourced<String>> = arguments.iter().filter(|word| word.value.starts_with('/')).collect();
    let waits = |container: &&Container| container.depends_on.iter().any(|it| it.node == init.name && it.completed);
    let mut found = Vec::new();
    for other in nodes {
        let Some(waiting) = other.container.as_ref().filter(waits) else { continue };
        for path in &paths {
            let here = container.mount_of(&path.value)?;
            let MountSource::Volume(_) = here.source else { return None };
            let there = waiting.mounts.iter().find(|mount| mount.source == here.source)?;
            let rest = &path.value[here.target.trim_end_matches('/').len()..];
            let path = Sourced::new(format!("{}{rest}", there.target), path.origin.clone());
            found.push((other.name.clone(), path));
        }
    }
    (!found.is_empty()).then_some(found)
}
