//! Settings of a release that lies between two sampled versions.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::component::Component;
use super::settings::{SettingType, SettingsNode, is_secret};
use super::structs;
use crate::version::Version;

type Node = Option<Arc<SettingsNode>>;

/// The settings of a component between a lower and an upper sample.
pub(super) fn merge(
    component: Component,
    version: Version,
    lower: Option<&Arc<SettingsNode>>,
    upper: Option<&Arc<SettingsNode>>,
) -> Node {
    let mut merged = Merge { component, version }.node(&mut Vec::new(), lower, upper)?;
    for gone in &component.record.gone {
        if gone.removed.is_some_and(|removed| removed <= version) && version < gone.by {
            remove(&mut merged, &gone.p);
        }
    }
    let within = |from: Version, to: Version| from <= version && version <= to;
    for (path, from, to) in &component.record.absent {
        if within(*from, *to) {
            remove(&mut merged, path);
        }
    }
    for (path, ty, from, to) in &component.record.between {
        if within(*from, *to) {
            insert(&mut merged, path, *ty);
        }
    }
    Some(merged)
}

/// The first step of a dotted path that is there, and the rest: a key may hold dots.
fn split<'p>(node: &SettingsNode, path: &'p str) -> Option<(&'p str, &'p str)> {
    let mut end = path.len();
    loop {
        let key = &path[..end];
        if node.children.contains_key(key) || (key == "item" && node.item.is_some()) {
            return Some((key, path.get(end + 1..).unwrap_or("")));
        }
        end = path[..end].rfind('.')?;
    }
}

/// Puts a setting at a dotted path; what is there stays.
fn insert(node: &mut Arc<SettingsNode>, path: &str, ty: SettingType) {
    let Some((key, rest)) = split(node, path) else {
        let mut new = SettingsNode::new(ty);
        new.opaque = is_secret(path);
        let node = Arc::make_mut(node);
        if path == "item" && node.ty == SettingType::List {
            node.item = Some(Arc::new(new));
        } else {
            node.children.insert(path.into(), Arc::new(new));
        }
        return;
    };
    let node = Arc::make_mut(node);
    if let (false, Some(below)) = (rest.is_empty(), node.children.get_mut(key).or(node.item.as_mut())) {
        insert(below, rest, ty);
    }
}

/// Takes out the setting at a dotted path.
fn remove(node: &mut Arc<SettingsNode>, path: &str) {
    let Some((key, rest)) = split(node, path) else { return };
    let node = Arc::make_mut(node);
    if rest.is_empty() {
        node.children.remove(key);
    } else if let Some(child) = node.children.get_mut(key) {
        remove(child, rest);
    } else if let Some(item) = &mut node.item {
        remove(item, rest);
    }
}

struct Merge {
    component: Component,
    version: Version,
}

impl Merge {
    fn node(
        &self,
        path: &mut Vec<String>,
        lower: Option<&Arc<SettingsNode>>,
        upper: Option<&Arc<SettingsNode>>,
    ) -> Node {
        let (first, second) = match (lower, upper) {
            (Some(lower), Some(upper)) => (lower, Some(upper)),
            (Some(one), None) | (None, Some(one)) => (one, None),
            (None, None) => return None,
        };
        let same_type = second.is_none_or(|second| second.ty == first.ty);
        let empty = BTreeMap::new();
        let lower_keys = lower.map_or(&empty, |node| &node.children);
        let upper_keys = upper.map_or(&empty, |node| &node.children);
        let all: BTreeSet<&str> = lower_keys.keys().chain(upper_keys.keys()).map(AsRef::as_ref).collect();
        let candidates = self.candidates(path, &all);
        let mut children = BTreeMap::new();
        for key in all {
            let (below, above) = (lower_keys.get(key), upper_keys.get(key));
            if !(below.is_some() && above.is_some() || accepted(&candidates, key, self.version)) {
                continue;
            }
            path.push(key.to_owned());
            if let Some(child) = self.node(path, below, above) {
                children.insert(key.into(), child);
            }
            path.pop();
        }
        for (key, ty) in self.missing(path, &children) {
            children.insert(key.into(), Arc::new(SettingsNode::new(ty)));
        }
        path.push("item".to_owned());
        let item =
            self.node(path, lower.and_then(|node| node.item.as_ref()), upper.and_then(|node| node.item.as_ref()));
        path.pop();
        let both = |what: fn(&SettingsNode) -> bool| what(first) && second.is_none_or(|s| what(s));
        let either = |what: fn(&SettingsNode) -> bool| what(first) || second.is_some_and(|s| what(s));
        Some(Arc::new(SettingsNode {
            ty: if same_type { first.ty } else { SettingType::Any },
            children,
            open: either(|node| node.open),
            item,
            enumeration: join_words(first, second.map(AsRef::as_ref)),
            deprecated: both(|node| node.deprecated),
            replaced_by: first.replaced_by.clone().or_else(|| second.and_then(|second| second.replaced_by.clone())),
            opaque: either(|node| node.opaque)
                || path.last().is_some_and(|k| is_secret(k)) && both(|n| n.children.is_empty()),
        }))
    }

    /// The core structs a node is an instance of, told by its key, or by the keys it holds.
    fn candidates(&self, path: &[String], keys: &BTreeSet<&str>) -> Vec<&'static str> {
        let has = |key: &str| keys.contains(key);
        let mut found: Vec<&'static str> = Vec::new();
        if path.is_empty() {
            let own = structs::table().keys().find(|name| **name == self.component.record.key);
            found.extend(own.map(String::as_str));
        }
        if has("endpoint") && has("tls") && has("wait_for_ready") {
            found.push("configgrpc.client");
        }
        if has("endpoint") && has("tls") && has("max_conns_per_host") {
            found.push("confighttp.client");
        }
        if has("endpoint") && has("max_recv_msg_size_mib") {
            found.push("configgrpc.server");
        }
        if has("endpoint") && has("max_request_body_size") && has("cors") {
            found.push("confighttp.server");
        }
        if has("collection_interval") {
            found.push("scraperhelper.controller");
        }
        let parent = path.len().checked_sub(2).map(|at| path[at].as_str());
        found.extend_from_slice(match path.last().map(String::as_str) {
            Some("tls") => &["configtls.base", "configtls.client", "configtls.server"],
            Some("tpm") => &["configtls.tpm"],
            Some("sending_queue") => &["exporterhelper.sending_queue"],
            Some("batch") if parent == Some("sending_queue") => &["exporterhelper.sending_queue.batch"],
            Some("partition") if parent == Some("batch") => &["exporterhelper.sending_queue.batch.partition"],
            Some("batcher") => &["exporterhelper.batcher"],
            Some("retry_on_failure") => &["exporterhelper.retry_on_failure"],
            Some("cors") => &["confighttp.server.cors"],
            Some("auth") if has("authenticator") => &["configauth", "confighttp.server.auth"],
            Some("dialer") => &["confignet.dialer"],
            _ => &[],
        });
        found
    }

    /// Settings in neither sample that a core struct knows at this version.
    fn missing(
        &self,
        path: &[String],
        children: &BTreeMap<Box<str>, Arc<SettingsNode>>,
    ) -> Vec<(&'static str, SettingType)> {
        if path.last().is_none_or(|key| key != "batcher") || !children.contains_key("flush_timeout") {
            return Vec::new();
        }
        let ty = |key: &str| match key {
            "sizer" => SettingType::String,
            "enabled" => SettingType::Bool,
            "flush_timeout" => SettingType::Duration,
            _ => SettingType::Int,
        };
        let Some(keys) = structs::table().get("exporterhelper.batcher") else { return Vec::new() };
        let now = keys.iter().filter(|(_, ranges)| ranges.iter().any(|r| r.contains(self.version)));
        now.filter(|(key, _)| !children.contains_key(key.as_str())).map(|(key, _)| (key.as_str(), ty(key))).collect()
    }
}

/// Whether a key of only one sample is accepted: yes, unless a struct that knows the key says no.
fn accepted(candidates: &[&str], key: &str, version: Version) -> bool {
    let mut told = candidates.iter().filter_map(|name| structs::knows(name, key, version)).peekable();
    told.peek().is_none() || told.any(|known| known)
}

fn join_words(first: &SettingsNode, second: Option<&SettingsNode>) -> Vec<Box<str>> {
    let Some(second) = second else { return first.enumeration.clone() };
    if first.enumeration.is_empty() || second.enumeration.is_empty() {
        return Vec::new();
    }
    let mut words = first.enumeration.clone();
    words.extend(second.enumeration.iter().filter(|w| !first.enumeration.contains(w)).cloned());
    words
}
