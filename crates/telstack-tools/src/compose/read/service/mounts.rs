//! What a service sees of the host and of its volumes.

use std::rc::Rc;

use telstack_system::{Container, Mount, MountSource, Origin, Settings, Value};

use super::Service;
use crate::{
    compose::read::values::{self, word},
    folder::Folder,
};

impl Service<'_> {
    pub(super) fn mounts(&self, container: &mut Container, folder: &mut Folder<'_>) {
        let mut found = Vec::new();
        for item in self.items("volumes") {
            let mount = match (item.as_map(), word(item, self.variables)) {
                (Some(long), _) => self.long_mount(long),
                (None, Some(text)) => short_mount(&text.value),
                (None, None) => None,
            };
            match mount {
                Some((source, target, read_only)) => {
                    // It may hide anything.
                    container.gaps.files |= target.contains('$');
                    let source = self.device(source);
                    found.push(Mount { source, target, read_only, origin: item.mark.clone() });
                }
                None => container.gaps.files = true,
            }
        }
        for path in self.list("tmpfs") {
            let target = path.value.split(':').next().unwrap_or_default().to_owned();
            found.push(Mount { source: MountSource::Ephemeral(None), target, read_only: false, origin: path.origin });
        }
        for (key, root) in [("configs", "/"), ("secrets", "/run/secrets/")] {
            for item in self.items(key) {
                let Some(name) = word(item.at("source").unwrap_or(item), self.variables) else { continue };
                let target = item.at("target").and_then(|it| word(it, self.variables)).map(|it| it.value);
                let target = target.unwrap_or_else(|| name.value.clone());
                let target = if target.starts_with('/') { target } else { format!("{root}{target}") };
                let definition = self.shared.get(key).and_then(|all| all.as_map()?.get(&name.value));
                let source = self.shared_file(&format!("{key}.{}", name.value), definition, &item.mark, folder);
                found.push(Mount { source, target, read_only: true, origin: item.mark.clone() });
            }
        }
        container.mounts = found;
    }

    /// The file that a config or secret is: one beside the compose file, or inside of the compose file itself.
    fn shared_file(&self, name: &str, definition: Option<&Value>, by: &Origin, folder: &mut Folder<'_>) -> MountSource {
        if let Some(file) = definition.and_then(|it| word(it.at("file")?, self.variables)) {
            // The place of a mount says where its path starts; here the definition's does.
            let here = folder.base_of(by);
            if folder.base_of(&file.origin) == here {
                return MountSource::Bind(file.value);
            }
            let resolved = folder.resolve(&file.value, &file.origin);
            return MountSource::Bind(resolved.map_or(file.value, |path| format!("{}{path}", up(here))));
        }
        if let Some(content) = definition.and_then(|it| it.at("content")) {
            let variables = self.variables.clone();
            let path = folder.resolve(name, by).unwrap_or_else(|| name.to_owned());
            folder.embed(&path, content, Some(Rc::new(move |text| values::interpolate_inside(text, &variables))));
            return MountSource::Bind(name.to_owned());
        }
        // It is made elsewhere.
        MountSource::Bind(format!("/{name}"))
    }

    /// A volume that is a folder of the host under a name.
    fn device(&self, source: MountSource) -> MountSource {
        let MountSource::Volume(name) = &source else { return source };
        let volume = self.shared.get("volumes").and_then(|all| all.as_map()?.get(name));
        let device = volume.and_then(|it| word(it.at("driver_opts.device")?, self.variables));
        match device.filter(|it| it.value.starts_with(['/', '.', '~', '$'])) {
            Some(device) => MountSource::Bind(device.value),
            None => source,
        }
    }

    fn long_mount(&self, long: &Settings) -> Option<(MountSource, String, bool)> {
        let part = |key: &str| word(long.get(key)?, self.variables).map(|it| it.value);
        let source = match (part("type").as_deref(), part("source")) {
            (Some("tmpfs"), _) | (_, None) => MountSource::Ephemeral(None),
            (Some("bind"), Some(path)) => MountSource::Bind(from_here(&path)),
            (_, Some(name)) => MountSource::Volume(name),
        };
        let read_only = long.get("read_only").and_then(Value::as_bool).unwrap_or_default();
        Some((source, part("target")?, read_only))
    }
}

/// The working folder is that of the project, as a rule.
fn from_here(path: &str) -> String {
    let rest = ["${PWD}", "$PWD"].iter().find_map(|here| path.strip_prefix(here));
    rest.filter(|rest| rest.starts_with('/')).map_or_else(|| path.to_owned(), |rest| format!(".{rest}"))
}

/// The way from a folder up to where all paths start.
fn up(base: &str) -> String {
    base.split('/').filter(|part| !part.is_empty()).map(|_| "../").collect()
}

/// The parts of a text between colons, those inside `${…}` left alone.
pub(in crate::compose::read) fn parts(text: &str) -> Vec<&str> {
    let (mut found, mut start, mut depth) = (Vec::new(), 0, 0_usize);
    for (at, c) in text.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            ':' if depth == 0 => {
                found.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    found.push(&text[start..]);
    found
}

/// `source:target:mode`; without a source the volume has no name, and ends with the container.
fn short_mount(text: &str) -> Option<(MountSource, String, bool)> {
    let parts = parts(text);
    let (source, target, mode) = match parts.as_slice() {
        [target] => (None, target, ""),
        [source, target] => (Some(source), target, ""),
        [source, target, mode] => (Some(source), target, *mode),
        _ => return None,
    };
    let source = match source {
        None => MountSource::Ephemeral(None),
        Some(path) if path.starts_with(['/', '.', '~', '$']) => MountSource::Bind(from_here(path)),
        Some(name) => MountSource::Volume((*name).to_owned()),
    };
    Some((source, (*target).to_owned(), mode.split(',').any(|it| it == "ro")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mounts() {
        let volume = |name: &str| MountSource::Volume(name.to_owned());
        let bind = |path: &str| MountSource::Bind(path.to_owned());
        assert_eq!(short_mount("data:/d"), Some((volume("data"), "/d".to_owned(), false)));
        assert_eq!(short_mount("./a:/d:ro,z"), Some((bind("./a"), "/d".to_owned(), true)));
        assert_eq!(short_mount("/d"), Some((MountSource::Ephemeral(None), "/d".to_owned(), false)));
        assert_eq!(short_mount("a:b:c:d"), None);
    }
}
