//! The variables that a service is given.

use std::collections::HashMap;

use telstack_syntax::tree::Kind;
use telstack_system::{Container, EnvValue, EnvVar, Origin, SecretRef, Value};

use super::Service;
use crate::{
    compose::read::values::{self, env_file, word},
    folder::Folder,
};

impl Service<'_> {
    pub(super) fn environment(&self, container: &mut Container, folder: &mut Folder<'_>) {
        let mut found: Vec<EnvVar> = Vec::new();
        let mut places: HashMap<String, usize> = HashMap::new();
        let mut set = |name: &str, value: EnvValue, origin: &Origin, filled: bool| {
            let variable = EnvVar { name: name.to_owned(), value, origin: origin.clone(), filled };
            if let Some(at) = places.get(name) {
                found[*at] = variable;
            } else {
                places.insert(name.to_owned(), found.len());
                found.push(variable);
            }
        };
        for item in
            self.settings.get("env_file").into_iter().flat_map(|it| it.as_seq().unwrap_or(std::slice::from_ref(it)))
        {
            let Some(path) = word(item.at("path").unwrap_or(item), self.variables) else { continue };
            match folder.at(&path.value, &path.origin) {
                Some(file) => {
                    for (name, value) in env_file(&file.text, self.variables) {
                        set(&name, EnvValue::Literal(value), &path.origin, true);
                    }
                }
                // It is not there, or not here: secrets are kept out of repositories.
                None => container.gaps.env = true,
            }
        }
        match self.settings.get("environment").map(|it| &it.kind) {
            Some(Kind::Map(map)) => {
                for entry in map {
                    let filled = entry.value.as_str().is_some_and(|it| it.contains('$'));
                    set(&entry.key, self.variable(&entry.key, Some(&entry.value)), &entry.value.mark, filled);
                }
            }
            Some(Kind::Seq(seq)) => {
                for item in &seq.items {
                    let Some(text) = item.as_str() else { continue };
                    let (name, value) = text.split_once('=').map_or((text, None), |(name, value)| (name, Some(value)));
                    let value = value.map(|value| Value::string(value, item.mark.clone()));
                    let filled = value.as_ref().is_none_or(|it| it.as_str().is_some_and(|it| it.contains('$')));
                    set(name, self.variable(name, value.as_ref()), &item.mark, filled);
                }
            }
            _ => {}
        }
        container.env = found;
    }

    /// A variable without a value is handed through from outside.
    fn variable(&self, name: &str, value: Option<&Value>) -> EnvValue {
        let handed_on = |name: &str| EnvValue::Required(SecretRef::Env(name.to_owned()));
        let Some(value) = value else { return handed_on(name) };
        let from_outside = value.as_str().and_then(values::required).filter(|it| !self.variables.contains_key(*it));
        match (from_outside, word(value, self.variables)) {
            (Some(name), _) => handed_on(name),
            (None, Some(text)) => EnvValue::Literal(text.value),
            (None, None) => handed_on(name),
        }
    }
}
