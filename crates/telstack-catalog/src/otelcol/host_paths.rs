//! Settings that name files of the host (`data/otelcol/host_paths.json`).

use std::sync::OnceLock;

use serde::Deserialize;

/// A setting that names files of the host.
#[derive(Deserialize, PartialEq, Eq, Debug)]
pub struct HostPath {
    component: String,
    /// The setting, as a dotted path. Its value is a text or a list of texts.
    pub setting: String,
    /// What it holds.
    pub holds: HostPathKind,
    /// What the component takes where the setting is not written.
    pub default: Option<String>,
    /// The setting whose keys say what is looked at.
    pub block: Option<String>,
    /// The keys of `block` that look at the container where this setting is not written; the others see the host
    /// anyway, because containers share its `/proc`.
    #[serde(default)]
    pub blind: Vec<String>,
}

/// What a setting that names files of the host holds.
#[derive(Deserialize, Clone, Copy, PartialEq, Eq, Debug)]
#[serde(rename_all = "snake_case")]
pub enum HostPathKind {
    /// Files or folders, by path or pattern (`*`, `?`, `[…]`, `{…}`).
    Files,
    /// A socket, as `unix://` and its path; another scheme is no file.
    Socket,
    /// The folder at which the root of the host is found.
    Root,
}

#[derive(Deserialize)]
struct Table {
    paths: Vec<HostPath>,
    own_logs: Vec<String>,
    root_only: Vec<String>,
    root_group: Vec<String>,
}

fn table() -> &'static Table {
    static TABLE: OnceLock<Table> = OnceLock::new();
    TABLE.get_or_init(|| {
        let text = include_str!("../../data/otelcol/host_paths.json");
        serde_json::from_str(text).expect("host_paths.json is embedded and read by the tests")
    })
}

/// Where Kubernetes and Docker keep the output of a container, for one of a name that no pattern means on purpose.
pub fn own_logs() -> &'static [String] {
    &table().own_logs
}

/// May only root of the host read what is at a path?
pub fn is_roots(path: &str) -> bool {
    is_below(path, &table().root_only)
}

/// May only root of a machine of a cluster, and its group, read what is at a path?
pub fn is_of_roots_group(path: &str) -> bool {
    is_below(path, &table().root_group)
}

fn is_below(path: &str, folders: &[String]) -> bool {
    let below = |folder: &String| {
        path.strip_prefix(folder.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    folders.iter().any(below)
}

/// The settings of a component that name files of the host, by its key: `receiver/file_log`.
pub(super) fn of(key: &str) -> impl Iterator<Item = &'static HostPath> {
    table().paths.iter().filter(move |path| path.component == key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        ComponentKind,
        otelcol::{component, newest},
    };

    #[test]
    fn every_row_names_a_setting_of_a_component() {
        let text = include_str!("../../data/otelcol/host_paths.json");
        let table: Table = serde_json::from_str(text).expect("it is read");
        for path in &table.paths {
            let (kind, name) = path.component.split_once('/').expect("a kind and a name");
            let kind = ComponentKind::parse(kind).expect("a kind");
            let component = component(kind, name).unwrap_or_else(|| panic!("{name} is known"));
            assert!(component.host_paths().any(|it| it == path), "{} is the newest name", path.component);
            let settings = component.settings(newest()).unwrap_or_else(|| panic!("{name} has settings"));
            for setting in [Some(&path.setting), path.block.as_ref()].into_iter().flatten() {
                assert!(settings.at(setting).is_some(), "{name}.{setting}");
            }
            let block = path.block.as_deref().unwrap_or_default();
            for key in &path.blind {
                assert!(settings.at(&format!("{block}.{key}")).is_some(), "{name}.{block}.{key}");
            }
        }
    }
}
