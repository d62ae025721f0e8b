//! Settings of a component for one task (`data/otelcol/presets.json`).

use std::sync::OnceLock;

use serde::Deserialize;
use serde_json::Value;

use super::component::Component;
use crate::version::Version;

/// Settings of a component for one task.
#[derive(Deserialize, PartialEq, Debug)]
pub struct Preset {
    component: String,
    /// What the stack calls it.
    pub name: String,
    /// What it is for, in a few words.
    pub about: String,
    /// The first release that has all it needs.
    pub since: Version,
    /// What releases before lack.
    pub lacks: String,
    /// Does it mean something in Kubernetes only?
    #[serde(default)]
    pub kubernetes: bool,
    /// Does the component get it there without being asked to?
    #[serde(default)]
    pub unasked: bool,
    /// Does it read what is on its machine, so that one has to run on each?
    #[serde(default)]
    pub each_machine: bool,
    /// The setting that names where it keeps how far it has read.
    #[serde(default)]
    pub storage: Option<String>,
    /// Folders of the machine that it reads.
    #[serde(default)]
    pub mounts: Vec<PresetMount>,
    /// Settings that mean the network of its machine.
    #[serde(default)]
    pub host_network: Vec<String>,
    /// Its settings.
    pub settings: Vec<PresetSetting>,
}

/// A folder of the machine that a preset reads.
#[derive(Deserialize, PartialEq, Eq, Debug)]
pub struct PresetMount {
    /// The folder.
    pub path: String,
    /// The setting that names files in it, which are at the same place in the container.
    #[serde(default)]
    pub files: Option<String>,
    /// The setting that says where it is in the container.
    #[serde(default)]
    pub at: Option<String>,
    /// Why it is this one.
    pub why: String,
}

/// A setting of a preset.
#[derive(Deserialize, PartialEq, Debug)]
pub struct PresetSetting {
    /// The setting, as a dotted path.
    pub setting: String,
    /// Its value, where it is no list of patterns; `{workload}`, `{container}` and `{namespace}` in texts are to be filled in.
    #[serde(default)]
    pub value: Value,
    /// The patterns that it lists.
    #[serde(default)]
    pub patterns: Vec<Pattern>,
    /// What it is good for.
    pub why: String,
}

/// A regular expression, as Go has them, and what it is for.
#[derive(Deserialize, PartialEq, Eq, Debug)]
pub struct Pattern {
    /// What it finds.
    pub what: String,
    /// The expression.
    pub pattern: String,
    /// Texts that hold such a thing.
    pub examples: Vec<String>,
    /// Texts that look like it, and hold none.
    pub near: Vec<String>,
}

#[derive(Deserialize)]
struct Table {
    presets: Vec<Preset>,
}

fn table() -> &'static Table {
    static TABLE: OnceLock<Table> = OnceLock::new();
    TABLE.get_or_init(|| {
        let text = include_str!("../../data/otelcol/presets.json");
        serde_json::from_str(text).expect("presets.json is embedded and read by the tests")
    })
}

impl Component {
    /// Its presets that a stack asks for by name.
    pub fn presets(self) -> impl Iterator<Item = &'static Preset> {
        self.all_presets().filter(|preset| !preset.unasked)
    }

    /// What it gets without being asked to.
    pub fn unasked_preset(self) -> Option<&'static Preset> {
        self.all_presets().find(|preset| preset.unasked)
    }

    fn all_presets(self) -> impl Iterator<Item = &'static Preset> {
        table().presets.iter().filter(move |preset| preset.component == self.record.key)
    }

    /// Its preset of that name.
    pub fn preset(self, name: &str) -> Option<&'static Preset> {
        self.presets().find(|preset| preset.name == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        ComponentKind,
        otelcol::{component, newest},
    };

    #[test]
    fn every_preset_names_a_component_and_its_settings() {
        for preset in &table().presets {
            let (kind, name) = preset.component.split_once('/').expect("a kind and a name");
            let kind = ComponentKind::parse(kind).expect("a kind");
            let component = component(kind, name).unwrap_or_else(|| panic!("{name} is known"));
            assert!(component.all_presets().any(|it| it == preset), "{} is the newest name", preset.component);
            // What came later than the preset is left out before, but for what it cannot do without.
            for (version, needed) in [(preset.since, 2), (newest(), preset.settings.len())] {
                let tree = component.settings(version).unwrap_or_else(|| panic!("{name} has settings"));
                let named = preset.settings.iter().take(needed).map(|it| &it.setting).chain(&preset.storage);
                let named = named.chain(preset.mounts.iter().flat_map(|it| it.files.iter().chain(&it.at)));
                let further = preset.host_network.iter().filter(|_| version == newest());
                for setting in named.chain(further) {
                    assert!(tree.at(setting).is_some(), "{name}.{setting} at {version}");
                }
            }
        }
    }

    #[test]
    fn patterns_find_what_they_are_for_and_nothing_that_looks_like_it() {
        let mut tried = 0;
        for pattern in table().presets.iter().flat_map(|it| &it.settings).flat_map(|it| &it.patterns) {
            let expression = regex::Regex::new(&pattern.pattern).unwrap_or_else(|error| panic!("{error}"));
            // The collector would take it for a reference.
            assert!(!pattern.pattern.contains('$'), "{}", pattern.pattern);
            assert!(!pattern.examples.is_empty() && !pattern.near.is_empty(), "{}", pattern.what);
            for example in &pattern.examples {
                assert!(expression.is_match(example), "{}: `{example}`", pattern.what);
            }
            for near in &pattern.near {
                assert!(!expression.is_match(near), "{}: `{near}`", pattern.what);
            }
            tried += 1;
        }
        assert!(tried > 10, "{tried}");
    }
}
