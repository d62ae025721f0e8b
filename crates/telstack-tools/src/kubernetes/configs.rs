//! ConfigMaps and Secrets: files that containers are given, and variables.

use std::collections::BTreeMap;

use telstack_system::{EnvValue, Handed, MountSource, Origin, SecretRef, Value, cluster::same_namespace};

use super::{
    objects::{Kind, Object, Objects},
    values::word,
};
use crate::folder::Folder;

/// A ConfigMap or a Secret.
pub(super) struct Config {
    /// Keys with their values; of a Secret that is encoded, keys alone.
    keys: BTreeMap<String, Option<(String, Origin)>>,
    /// Is it a Secret?
    secret: bool,
    name: String,
    namespace: Option<String>,
    /// May it have more keys: those of a kustomization's generator, or of what is written twice?
    open: bool,
}

/// All of them, by where their files are.
pub(super) struct Configs(BTreeMap<String, Config>);

/// Where the files of a ConfigMap or a Secret are, from where all paths start.
pub(super) fn root(kind: Kind, namespace: Option<&str>, name: &str) -> String {
    match MountSource::secret(namespace, name) {
        MountSource::Handed(path) if kind == Kind::Secret => path,
        _ => format!("configmap:{}:{name}", namespace.unwrap_or_default()),
    }
}

impl Configs {
    /// Takes them in, and makes a file of each of their keys.
    pub(super) fn of(objects: &Objects, folder: &mut Folder<'_>) -> Self {
        let mut all = BTreeMap::new();
        for object in objects.of_kind(Kind::ConfigMap).chain(objects.of_kind(Kind::Secret)) {
            let root = root(object.kind, object.namespace.as_deref(), &object.name.value);
            let secret = object.kind == Kind::Secret;
            let mut keys = BTreeMap::new();
            let (open, encoded) = if secret { ("stringData", "data") } else { ("data", "binaryData") };
            for entry in entries(object, encoded) {
                keys.insert(entry.0.to_owned(), None);
            }
            for (key, value) in entries(object, open) {
                let Some(text) = word(value) else {
                    keys.insert(key.to_owned(), None);
                    continue;
                };
                let path = format!("{root}/{key}");
                if secret {
                    folder.embed_secret(&path, value);
                } else {
                    folder.embed(&path, value, None);
                }
                keys.insert(key.to_owned(), Some((text.value, text.origin)));
            }
            // One without any is filled by somebody else, and so is a name that is filled in.
            let open = keys.is_empty() || keys.keys().any(|it| it.contains(['{', '$', '<'])) || all.contains_key(&root);
            let (name, namespace) = (object.name.value.clone(), object.namespace.clone());
            all.insert(root, Config { keys, secret, name, namespace, open });
        }
        Self(all)
    }

    /// Takes in files that a kustomization makes a ConfigMap of.
    pub(super) fn add_files(
        &mut self,
        namespace: Option<&str>,
        name: &str,
        files: &[(String, String)],
        folder: &mut Folder<'_>,
    ) {
        let root = root(Kind::ConfigMap, namespace, name);
        let config = self.0.entry(root.clone()).or_insert_with(|| Config {
            keys: BTreeMap::new(),
            secret: false,
            name: name.to_owned(),
            namespace: namespace.map(str::to_owned),
            open: true,
        });
        config.open = true;
        for (key, path) in files {
            folder.alias(&format!("{root}/{key}"), path);
            config.keys.insert(key.clone(), None);
        }
    }

    /// The one of that name, with where its files are; where only one of two namespaces is written, they may well be
    /// the same.
    pub(super) fn find(&self, kind: Kind, namespace: Option<&str>, name: &str) -> Option<(&str, &Config)> {
        let exact = self.0.get_key_value(&root(kind, namespace, name));
        let near = || {
            let mut near = self.0.iter().filter(|(_, it)| {
                it.secret == (kind == Kind::Secret)
                    && it.name == name
                    && same_namespace(it.namespace.as_deref(), namespace).is_none()
            });
            near.next().filter(|_| near.next().is_none())
        };
        exact.or_else(near).map(|(root, config)| (root.as_str(), config))
    }

    /// The value of a key as that of a variable.
    pub(super) fn variable(
        &self,
        kind: Kind,
        namespace: Option<&str>,
        name: &str,
        key: &str,
    ) -> Option<(EnvValue, Origin)> {
        let (_, config) = self.find(kind, namespace, name)?;
        let value = config.keys.get(key)?;
        config.value(key, value.as_ref())
    }

    /// All keys of one as variables.
    pub(super) fn variables(
        &self,
        kind: Kind,
        namespace: Option<&str>,
        name: &str,
    ) -> Option<Vec<(String, EnvValue, Origin)>> {
        let (_, config) = self.find(kind, namespace, name)?;
        let all = config.keys.iter();
        Some(
            all.filter_map(|(key, value)| {
                config.value(key, value.as_ref()).map(|(value, at)| (key.clone(), value, at))
            })
            .collect(),
        )
    }
}

impl Config {
    /// All that it holds, if that is known. `root`: where its files are.
    pub(super) fn handed(&self, root: &str) -> Option<Handed> {
        let kind = if self.secret { "Secret" } else { "ConfigMap" };
        let title = format!("{kind} `{}`", self.name);
        let keys = self.keys.keys().cloned().collect();
        (!self.open).then(|| Handed { files: root.to_owned(), title, keys })
    }

    /// What is secret is never shown, even where it is written in the open.
    fn value(&self, key: &str, value: Option<&(String, Origin)>) -> Option<(EnvValue, Origin)> {
        let (text, origin) = match value {
            Some((text, origin)) => (Some(text), origin.clone()),
            None => (None, Origin::builtin("read", "it is encoded", &[])),
        };
        let value = match text {
            Some(text) if !self.secret => EnvValue::Literal(text.clone()),
            None if !self.secret => return None,
            _ => EnvValue::Required(SecretRef::Secret { name: self.name.clone(), key: key.to_owned() }),
        };
        Some((value, origin))
    }
}

fn entries<'o>(object: &'o Object, key: &str) -> impl Iterator<Item = (&'o str, &'o Value)> {
    let map = object.body.at(key).and_then(Value::as_map);
    map.into_iter().flatten().map(|entry| (entry.key.as_str(), &entry.value))
}
