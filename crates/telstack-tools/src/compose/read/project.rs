//! A compose project: its files, those that they include, and the services that others extend, as one map.

use telstack_syntax::tree::{Entry, Kind, Seq};
use telstack_system::{Origin, Settings, Value};

use super::{
    dollars,
    merge::{merged, merged_service},
    values::{Variables, env_file, interpolate},
};
use crate::{folder::Folder, reading::wrong_shape};

/// Variables that compose knows by itself.
const ENV: &str = ".env";
/// Deepest chain of files that include each other, and of services that extend each other.
const DEEPEST: u8 = 16;
/// Most files that are included.
const MOST_FILES: usize = 200;

/// What all files of a project say together.
pub(super) struct Project {
    pub(super) map: Settings,
    pub(super) variables: Variables,
}

/// Reads a project from its files, of which later ones override earlier ones. Their paths start where all
/// paths do. None of the first file holds a map.
pub(super) fn load(paths: &[&str], folder: &mut Folder<'_>) -> Project {
    let base = folder.base.clone();
    let mut loader = Loader { variables: Variables::new(), files: 0 };
    loader.variables_of(&[beside(&base, ENV)], folder);
    let map = loader.files(paths, folder, 0);
    Project { map, variables: loader.variables }
}

struct Loader {
    variables: Variables,
    files: usize,
}

impl Loader {
    /// Variables of files, where they are not known yet.
    fn variables_of(&mut self, paths: &[String], folder: &mut Folder<'_>) {
        for path in paths {
            let Some(piece) = folder.at_root(path) else { continue };
            for (name, value) in env_file(&piece.text, &self.variables) {
                self.variables.entry(name).or_insert(value);
            }
        }
    }

    fn files(&mut self, paths: &[&str], folder: &mut Folder<'_>, depth: u8) -> Settings {
        let mut all = Settings::default();
        for path in paths {
            self.files += 1;
            let piece = folder.at_root(path).filter(|_| self.files <= MOST_FILES && depth < DEEPEST);
            let Some(piece) = piece else {
                folder.complete = false;
                continue;
            };
            let Some(document) = folder.document(&piece) else {
                folder.complete = false;
                continue;
            };
            dollars::check(&document, &self.variables, folder);
            let Kind::Map(mut map) = document.kind else {
                let help = "write its services: `services: {NAME: {image: …}}`".to_owned();
                wrong_shape("the compose file", "a map", &document, help, folder.out);
                folder.complete = false;
                continue;
            };
            let included = map.remove("include").map(|value| self.included(&value, folder, depth));
            self.extend(&mut map, folder, depth);
            all = merged(all, map, folder);
            if let Some(included) = included {
                all = merged(included, all, folder);
            }
        }
        all
    }

    fn included(&mut self, value: &Value, folder: &mut Folder<'_>, depth: u8) -> Settings {
        let mut all = Settings::default();
        for item in value.as_seq().unwrap_or_default() {
            let texts = |value: Option<&Value>| -> Vec<String> {
                let list = value.map(|it| it.as_seq().unwrap_or(std::slice::from_ref(it))).unwrap_or_default();
                list.iter().filter_map(Value::as_str).map(|it| interpolate(it, &self.variables)).collect()
            };
            let named = texts(Some(item.at("path").unwrap_or(item)));
            let paths: Vec<String> = named.iter().filter_map(|path| folder.resolve(path, &item.mark)).collect();
            let Some(first) = paths.first().filter(|_| paths.len() == named.len()) else {
                folder.complete = false;
                continue;
            };
            let own = first.rsplit_once('/').map_or("", |(folder, _)| folder).to_owned();
            let told = texts(item.at("project_directory"));
            let base = told.first().map_or(Some(own), |path| folder.resolve(path, &item.mark)).unwrap_or_default();
            let env = texts(item.at("env_file"));
            let env: Vec<String> = if env.is_empty() {
                vec![beside(&base, ENV)]
            } else {
                env.iter().filter_map(|path| folder.resolve(path, &item.mark)).collect()
            };
            self.variables_of(&env, folder);
            for path in &paths {
                self.moved(path, &base, folder);
            }
            let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
            let map = self.files(&paths, folder, depth + 1);
            all = merged(all, map, folder);
        }
        all
    }

    /// Paths in that file start from a folder of its own.
    #[allow(clippy::unused_self)]
    fn moved(&self, path: &str, base: &str, folder: &mut Folder<'_>) {
        if let Some(piece) = folder.at_root(path) {
            folder.bases.entry(piece.file).or_insert_with(|| base.to_owned());
        }
    }

    /// Puts what services extend in front of what they say.
    fn extend(&mut self, map: &mut Settings, folder: &mut Folder<'_>, depth: u8) {
        let Some(Kind::Map(services)) = map.get("services").map(|it| it.kind.clone()) else { return };
        let names: Vec<String> = services.iter().map(|it| it.key.clone()).collect();
        for name in names {
            let Some(service) = services.get(&name).and_then(Value::as_map) else { continue };
            if service.contains("extends") {
                let whole = self.whole(&services, service, folder, depth);
                if let Some(Kind::Map(all)) = map.get_mut("services").map(|it| &mut it.kind)
                    && let Some(value) = all.get_mut(&name)
                {
                    value.kind = Kind::Map(whole);
                }
            }
        }
    }

    /// A service with what it extends. Where that is not known, `extends` stays.
    fn whole(&mut self, services: &Settings, service: &Settings, folder: &mut Folder<'_>, depth: u8) -> Settings {
        let Some(extends) = service.get("extends") else { return service.clone() };
        let text = |key: &str| extends.at(key).and_then(Value::as_str).map(|it| interpolate(it, &self.variables));
        let name = extends.as_str().map(str::to_owned).or_else(|| text("service"));
        let base = match (name, text("file")) {
            _ if depth >= DEEPEST => None,
            (Some(name), Some(file)) => self.elsewhere(&file, &name, &extends.mark, folder, depth),
            (Some(name), None) => {
                let base = services.get(&name).and_then(Value::as_map).cloned();
                base.map(|base| self.whole(services, &base, folder, depth + 1))
            }
            (None, _) => None,
        };
        let Some(base) = base else { return service.clone() };
        let mut own = service.clone();
        own.remove("extends");
        merged_service(base, own, folder)
    }

    /// A service of another file, whose paths start where that file is.
    fn elsewhere(
        &mut self,
        file: &str,
        name: &str,
        by: &Origin,
        folder: &mut Folder<'_>,
        depth: u8,
    ) -> Option<Settings> {
        let path = folder.resolve(file, by)?;
        self.files += 1;
        let piece = folder.at_root(&path).filter(|_| self.files <= MOST_FILES)?;
        let base = path.rsplit_once('/').map_or("", |(folder, _)| folder).to_owned();
        self.moved(&path, &base, folder);
        let document = folder.document(&piece)?;
        let services = document.at("services")?.as_map()?;
        let service = services.get(name)?.as_map()?;
        Some(self.whole(services, service, folder, depth + 1))
    }
}

/// The path of a file in a folder.
pub(super) fn beside(base: &str, name: &str) -> String {
    if base.is_empty() { name.to_owned() } else { format!("{base}/{name}") }
}

/// An entry whose key is where its value is.
pub(super) fn entry(key: &str, mark: &Origin, kind: Kind<Origin>) -> Entry<Origin> {
    let value = Value { kind, mark: mark.clone() };
    Entry { key: key.to_owned(), key_mark: mark.clone(), value, comment: None, gap: false }
}

/// A list, as it is written in blocks.
pub(super) fn list(items: Vec<Value>) -> Kind<Origin> {
    Kind::Seq(Seq { items, flow: false })
}
