//! Presets: settings for one task, with the mounts and the storage that they need. What the stack writes wins.

use telstack_catalog::{
    Version, operator as facts,
    otelcol::{Preset, PresetMount},
};
use telstack_diagnostics::Diagnostics;
use telstack_syntax::tree::{Entry, Kind};

use super::{Pass, delivery};
use crate::{
    expansion::is_open,
    graph::{NodeId, System},
    model::{Collector, Component, ComponentRef, Mount, MountSource, Platform, cluster::operator},
    origin::{Origin, Sourced, Value},
};

const NAME: &str = "presets";

pub(super) const PASS: Pass = Pass {
    name: NAME,
    reason: "give components the settings of their presets, with the mounts and the storage that these need",
    run,
};

fn run(system: &mut System, _: &mut Diagnostics) {
    for id in system.node_ids() {
        let node = system.node(id);
        let (Some(version), Some(collector)) = (node.version(), node.collector()) else { continue };
        let asked = collector.presets.iter().filter_map(|wanted| {
            let component = collector.component(wanted.component.kind, &wanted.component.id)?;
            let preset = component.fact()?.preset(&wanted.name.value)?;
            Some(Use { preset, component: component.reference(), origin: wanted.name.origin.clone() })
        });
        let in_a_pod = system.platform.value == Platform::Kubernetes && system.node(id).placement.host.is_none();
        let unasked = collector.components.iter().filter(|_| in_a_pod);
        let unasked = unasked.filter_map(|component| {
            let preset = component.fact()?.unasked_preset()?;
            Some(Use { preset, component: component.reference(), origin: component.origin.clone() })
        });
        let uses: Vec<Use> = asked.chain(unasked).collect();
        for one in uses {
            apply(system, id, version, &one);
        }
    }
}

/// A preset, and the component that gets it.
struct Use {
    preset: &'static Preset,
    component: ComponentRef,
    /// What asks for it.
    origin: Origin,
}

fn apply(system: &mut System, id: NodeId, version: Version, one: &Use) {
    let node = system.node(id);
    let namespace = node.placement.namespace.as_ref().map_or("*", |it| &it.value);
    let (workload, container) = match &node.placement.operated {
        Some(_) => (operator::workload(&node.name), facts::made().container.clone()),
        None => (node.name.clone(), node.name.clone()),
    };
    let places = [("{workload}", workload), ("{container}", container), ("{namespace}", namespace.to_owned())];
    let preset = one.preset;
    let because = |why: &str| {
        let reason = if preset.unasked { why.to_owned() } else { format!("the preset `{}`: {why}", preset.name) };
        Origin::fact(NAME, reason, &[&one.origin])
    };
    change(system, id, &one.component, |component| {
        let tree = component.fact().and_then(|fact| fact.settings(version));
        for setting in &preset.settings {
            let known = tree.as_ref().is_none_or(|tree| tree.at(&setting.setting).is_some());
            if known && is_free(component, &setting.setting) {
                let origin = because(&setting.why);
                let patterns = setting.patterns.iter().map(|it| because(&it.what).string(&*it.pattern));
                let value = match setting.patterns.as_slice() {
                    [] => value(&setting.value, &origin, &places),
                    _ => origin.block(patterns),
                };
                component.put(&setting.setting, value);
            }
        }
    });
    let store = preset.storage.as_ref().filter(|setting| {
        system
            .node(id)
            .collector()
            .and_then(|it| of(it, &one.component))
            .is_some_and(|it| it.setting(setting).is_none())
    });
    if let Some(setting) = store {
        let reason = "where the receiver keeps how far it has read: what is read once is not read again";
        let name = delivery::storage(system, id, NAME, reason, &one.origin);
        change(system, id, &one.component, |component| {
            let origin = because("how far it has read survives a restart");
            component.put(setting, origin.string(name));
        });
    }
    let Some(collector) = system.node_mut(id).collector_mut() else { return };
    let Some(component) = of(collector, &one.component) else { return };
    let network = preset.host_network.iter().find_map(|it| component.setting(it)).map(|it| it.mark.clone());
    let mounts: Vec<Mount> = preset
        .mounts
        .iter()
        .filter_map(|mount| {
            let place = place(component, mount)?;
            let target = place.value;
            if collector.mounts.iter().any(|it| is_within(&target, &it.target)) {
                return None;
            }
            let source = MountSource::Bind(mount.path.clone());
            let origin = Origin::fact(NAME, &*mount.why, &[&place.origin, &one.origin]);
            Some(Mount { source, target, read_only: true, origin })
        })
        .collect();
    collector.mounts.extend(mounts);
    if let (Some(setting), None) = (network, &collector.host_network) {
        let reason = "the network that it measures is the one that its pod is in";
        collector.host_network = Some(Origin::fact(NAME, reason, &[&setting]));
    }
}

fn of<'a>(collector: &'a Collector, component: &ComponentRef) -> Option<&'a Component> {
    collector.component(component.kind, &component.id)
}

fn change(system: &mut System, id: NodeId, component: &ComponentRef, change: impl FnOnce(&mut Component)) {
    let collector = system.node_mut(id).collector_mut();
    if let Some(component) = collector.and_then(|it| it.component_mut(component.kind, &component.id)) {
        change(component);
    }
}

/// Has the stack left a setting open? Not where it, or what is around it, is something else than a map.
fn is_free(component: &Component, path: &str) -> bool {
    let around = path.match_indices('.').map(|(at, _)| &path[..at]);
    component.setting(path).is_none() && around.filter_map(|it| component.setting(it)).all(|it| it.as_map().is_some())
}

/// Where a folder of the machine is to be in the container; none where the component does not look there.
fn place(component: &Component, mount: &PresetMount) -> Option<Sourced<String>> {
    if let Some(at) = &mount.at {
        let written = component.setting(at)?;
        let text = written.as_str().filter(|it| it.starts_with('/') && *it != "/" && !is_open(it))?;
        return Some(Sourced::new(text.to_owned(), written.mark.clone()));
    }
    let files = component.setting(mount.files.as_ref()?)?;
    let texts = files.as_seq().unwrap_or(std::slice::from_ref(files));
    let within = texts.iter().find(|it| it.as_str().is_some_and(|text| is_within(text, &mount.path)))?;
    Some(Sourced::new(mount.path.clone(), within.mark.clone()))
}

/// Is a path that of a folder, or in it?
fn is_within(path: &str, folder: &str) -> bool {
    let folder = folder.trim_end_matches('/');
    path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// A value of the catalog as one of a component. `places` are filled into its texts.
pub(super) fn value(json: &telstack_catalog::Json, origin: &Origin, places: &[(&str, String)]) -> Value {
    if let Some(items) = json.as_array() {
        let items: Vec<Value> = items.iter().map(|item| value(item, origin, places)).collect();
        let plain = items.iter().all(|item| item.as_map().is_none() && item.as_seq().is_none());
        return if plain { origin.flow(items) } else { origin.block(items) };
    }
    if let Some(map) = json.as_object() {
        let entries = map.iter().map(|(key, item)| Entry::new(key.as_str(), value(item, origin, places)));
        return Value { kind: Kind::Map(entries.collect()), mark: origin.clone() };
    }
    if let Some(text) = json.as_str() {
        let filled = places.iter().fold(text.to_owned(), |text, (place, with)| text.replace(place, with));
        return origin.string(filled);
    }
    let number = json.as_i64().map(|number| origin.int(number));
    let truth = json.as_bool().map(|truth| origin.bool(truth));
    number.or(truth).unwrap_or_else(|| Value { kind: Kind::Null, mark: origin.clone() })
}
