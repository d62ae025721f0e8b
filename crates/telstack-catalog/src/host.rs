//! Machines outside of clusters, on which a collector runs as a program (`data/hosts.json`).

use std::sync::OnceLock;

use serde::Deserialize;

/// A system that a machine may have.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum HostSystem {
    /// macOS, where launchd starts programs.
    MacOs,
}

impl HostSystem {
    /// The word of the stack language.
    pub const fn id(self) -> &'static str {
        match self {
            HostSystem::MacOs => "macos",
        }
    }

    /// As people say it.
    pub const fn title(self) -> &'static str {
        match self {
            HostSystem::MacOs => "macOS",
        }
    }

    /// The system of that word.
    pub fn parse(word: &str) -> Option<Self> {
        [HostSystem::MacOs].into_iter().find(|it| it.id() == word)
    }

    /// Where things are there.
    pub fn layout(self) -> &'static HostLayout {
        match self {
            HostSystem::MacOs => &table().macos,
        }
    }
}

/// Where things are on a machine.
#[derive(Deserialize, Debug)]
pub struct HostLayout {
    /// The folder of programs.
    pub programs: String,
    /// The folder of configurations of collectors.
    pub configs: String,
    /// The folder of logs.
    pub logs: String,
    /// The folder of what is started with the machine.
    pub services: String,
    /// What the name of such a thing starts with.
    pub label: String,
}

#[derive(Deserialize)]
struct Table {
    macos: HostLayout,
}

fn table() -> &'static Table {
    static TABLE: OnceLock<Table> = OnceLock::new();
    TABLE.get_or_init(|| {
        serde_json::from_str(include_str!("../data/hosts.json")).expect("hosts.json is embedded and read by the tests")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_system_is_its_word() {
        let system = HostSystem::parse("macos").expect("known");
        assert_eq!((system.id(), system.title()), ("macos", "macOS"));
        assert!(system.layout().programs.starts_with('/') && HostSystem::parse("beos").is_none());
    }
}
