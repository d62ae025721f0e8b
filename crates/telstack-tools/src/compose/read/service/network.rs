//! The networks that a service joins.

use telstack_syntax::tree::{Entry, Kind};
use telstack_system::{Joined, Network, Origin, Sourced, Value};

use super::Service;
use crate::compose::read::values::{word, words};

impl Service<'_> {
    /// Whose network it is in. `named` finds the service of a container by the name of that.
    pub(super) fn network(&self, named: &dyn Fn(&str) -> Option<String>) -> Network {
        let Some(mode) = self.word("network_mode").map(|it| it.value) else {
            // What the service that it extends says is not known.
            let open = self.settings.contains("extends");
            return if open { Network::Other("extended".to_owned()) } else { Network::Own };
        };
        match mode.split_once(':') {
            _ if mode == "host" => Network::Host,
            Some(("service", name)) => Network::With(name.to_owned()),
            Some(("container", name)) => named(name).map_or_else(|| Network::Other(mode.clone()), Network::With),
            _ => Network::Other(mode),
        }
    }

    pub(super) fn networks(&self) -> Vec<Joined> {
        let Some(value) = self.settings.get("networks") else { return Vec::new() };
        let joined = |key: &str, settings: Option<&Value>, origin: &Origin| {
            let aliases = settings.and_then(|it| it.at("aliases"));
            let aliases = aliases.map(|it| words(it, self.variables)).unwrap_or_default();
            let definition = self.shared.get("networks").and_then(|all| all.as_map()?.get(key));
            let real = ["name", "external.name"].iter().find_map(|path| definition?.at(path));
            let real = real.and_then(|it| word(it, self.variables)).map(|it| it.value);
            Joined {
                name: real.unwrap_or_else(|| key.to_owned()),
                aliases: aliases.into_iter().map(|it| it.value).collect(),
                internal: definition.and_then(|it| it.at("internal")?.as_bool()).unwrap_or_default(),
                origin: origin.clone(),
            }
        };
        match &value.kind {
            Kind::Map(map) => map.iter().map(|it| joined(&it.key, Some(&it.value), &it.key_mark)).collect(),
            _ => words(value, self.variables).iter().map(|it| joined(&it.value, None, &it.origin)).collect(),
        }
    }

    /// The names that the container alone knows other services by: `links: ["SERVICE:ALIAS"]`.
    pub(super) fn links(&self) -> Vec<(String, String)> {
        let all = self.list("links").into_iter();
        all.filter_map(|it| it.value.split_once(':').map(|(name, alias)| (alias.to_owned(), name.to_owned()))).collect()
    }

    /// The names that the container has addresses of its own for.
    pub(super) fn hosts(&self) -> Vec<Sourced<String>> {
        let name = |text: &str| text.split([':', '=']).next().unwrap_or_default().trim().to_owned();
        let of_key = |entry: &Entry<Origin>| Sourced::new(name(&entry.key), entry.key_mark.clone());
        match self.settings.get("extra_hosts").map(|it| &it.kind) {
            Some(Kind::Map(map)) => map.iter().map(of_key).collect(),
            Some(Kind::Seq(_)) => {
                self.list("extra_hosts").into_iter().map(|it| Sourced::new(name(&it.value), it.origin)).collect()
            }
            _ => Vec::new(),
        }
    }
}
