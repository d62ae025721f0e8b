//! Settings trees: expansion, corrections, and sharing of equal subtrees.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use super::Error;
use super::facts::{Facts, V, list, version, word};

const LEAVES: [&str; 5] = ["string", "int", "float", "bool", "duration"];

/// Open maps that surely are maps of texts; any other open map without keys may be any value.
const SURE_MAPS: [&str; 4] = ["headers", "response_headers", "external_labels", "const_labels"];

/// Resolves references; every node becomes an object.
pub fn expand(facts: &Facts, node: &Value) -> Result<Value, Error> {
    if let Some(name) = node.as_str() {
        if LEAVES.contains(&name) {
            return Ok(json!({ "type": name }));
        }
        let shared = name.strip_prefix('#').and_then(|name| facts.shared.get(name));
        return expand(facts, shared.ok_or_else(|| format!("no shared node {name}"))?);
    }
    let mut object = node.as_object().ok_or("a node that is neither text nor object")?.clone();
    if let Some(children) = object.get("children").and_then(Value::as_object) {
        let expanded = children
            .iter()
            .map(|(key, child)| Ok((key.clone(), expand(facts, child)?)))
            .collect::<Result<Map<_, _>, Error>>()?;
        object.insert("children".to_owned(), Value::Object(expanded));
    }
    Ok(Value::Object(object))
}

/// The tree of our corrections, for a component of which the facts have none at a sample.
pub fn own(facts: &Facts, names: &[String], sample: V) -> Result<Option<Value>, Error> {
    let mut rows = list(&facts.fix_trees, "trees").iter();
    let Some(row) = rows.find(|row| names.iter().any(|name| name == word(row, "component"))) else { return Ok(None) };
    let mut tree = None;
    for (path, setting) in super::facts::entries(row, "settings") {
        let part = |at: usize| setting.get(at).and_then(Value::as_str).unwrap_or("");
        if version(part(1))? <= sample && sample <= version(part(2))? {
            let (parent, key) = path.rsplit_once('.').unwrap_or(("", path));
            let parent = at(tree.get_or_insert_with(|| json!({"type": "map"})), parent);
            let parent = parent.ok_or_else(|| format!("{}: nothing above {path}", word(row, "component")))?;
            add(parent, key, json!({ "type": part(0) }));
        }
    }
    Ok(tree)
}

fn children(node: &mut Value) -> Option<&mut Map<String, Value>> {
    node.get_mut("children")?.as_object_mut()
}

fn at<'a>(tree: &'a mut Value, path: &str) -> Option<&'a mut Value> {
    path.split('.').filter(|key| !key.is_empty()).try_fold(tree, |node, key| children(node)?.get_mut(key))
}

fn add(node: &mut Value, key: &str, child: Value) {
    if let Some(object) = node.as_object_mut() {
        let children = object.entry("children").or_insert_with(|| json!({}));
        if let Some(children) = children.as_object_mut() {
            children.entry(key).or_insert(child);
        }
    }
}

fn within(row: &Value, sample: V) -> Result<bool, Error> {
    Ok(version(word(row, "from"))? <= sample && sample <= version(word(row, "to"))?)
}

/// Applies the facts' corrections of trees, and ours, for one component at one sample.
pub fn correct(facts: &Facts, name: &str, names: &[String], sample: V, tree: &mut Value) -> Result<(), Error> {
    for row in list(&facts.overlay, "spurious_keys") {
        if word(row, "component") != name || !within(row, sample)? {
            continue;
        }
        if let Some(children) = at(tree, word(row, "path")).and_then(children) {
            for key in list(row, "keys").iter().filter_map(Value::as_str) {
                children.shift_remove(key);
            }
        }
    }
    for row in list(&facts.overlay, "open") {
        let mut covered =
            std::iter::once(word(row, "component")).chain(list(row, "aliases").iter().filter_map(Value::as_str));
        if !covered.any(|covered| names.iter().any(|name| name == covered)) || !within(row, sample)? {
            continue;
        }
        if row.get("add_open_map").is_some() {
            add(tree, word(row, "path"), json!({"type": "map", "open": true}));
        } else if let Some(node) = at(tree, word(row, "path")).and_then(Value::as_object_mut) {
            node.insert("open".to_owned(), json!(true));
        }
    }
    let optional = list(&facts.overlay, "optional_enabled");
    let mut rules = Vec::new();
    for row in optional {
        if version(word(row, "since"))? > sample {
            continue;
        }
        let rule = &row["match"];
        if rule.get("key").is_some() {
            rules.push(rule);
        } else if names.iter().any(|name| name == word(rule, "component")) {
            for path in list(rule, "path").iter().filter_map(Value::as_str) {
                if let Some(node) = at(tree, path) {
                    add(node, "enabled", json!({"type": "bool"}));
                }
            }
        }
    }
    optional_enabled(tree, "", "", &rules);
    deprecate(facts, names, sample, tree);
    set_keys(tree, name, list(&facts.fix_settings, "keys"));
    for row in list(&facts.fix_settings, "set") {
        let covered = list(row, "components").iter().any(|covered| names.iter().any(|name| covered == name));
        if covered && within(row, sample)? {
            list(row, "paths").iter().filter_map(Value::as_str).for_each(|path| set(tree, path, row));
        }
    }
    super::enums::apply(facts, names, sample, tree)?;
    Ok(())
}

/// Replaces the setting at a path or adds it to a parent that is there (`node`), or changes a setting that is there.
fn set(tree: &mut Value, path: &str, row: &Value) {
    let (parent, key) = path.rsplit_once('.').unwrap_or(("", path));
    let Some(children) = at(tree, parent).and_then(children) else { return };
    if let Some(node) = row.get("node") {
        children.insert(key.to_owned(), node.clone());
    } else if let Some(object) = children.get_mut(key).and_then(Value::as_object_mut) {
        object.extend(row["change"].as_object().cloned().unwrap_or_default());
    }
}

/// Marks the settings that an event calls deprecated, ignored or without effect.
fn deprecate(facts: &Facts, names: &[String], sample: V, tree: &mut Value) {
    let exporter = names.iter().any(|name| name.starts_with("exporter/"));
    for event in &facts.events {
        let sort = word(event, "event");
        if !["setting_deprecated", "setting_ignored", "setting_noop"].contains(&sort) {
            continue;
        }
        let mut components = word(event, "component").split(',');
        let covered = components.any(|c| names.iter().any(|n| n == c) || (c == "exporterhelper" && exporter));
        let begun = event["version"].as_str().is_some_and(|v| version(v).is_ok_and(|since| since <= sample));
        if !covered || !begun {
            continue;
        }
        for setting in alternatives(word(event, "setting")) {
            let Some(node) = at(tree, &setting.replace("[]", ".item")).and_then(Value::as_object_mut) else {
                continue;
            };
            node.insert("deprecated".to_owned(), json!(true));
            if let Some(replacement) = event["replacement"].as_str() {
                node.entry("replaced_by").or_insert_with(|| json!(replacement));
            }
        }
    }
}

/// Expands `a,b` and `{a,b}.c`.
pub fn alternatives(text: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut depth = 0;
    for c in text.chars() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if c == ',' && depth == 0 {
            parts.push(String::new());
        } else if let Some(part) = parts.last_mut() {
            part.push(c);
        }
    }
    let mut out = Vec::new();
    for part in parts {
        match part.split_once('{').and_then(|(start, rest)| Some((start, rest.split_once('}')?))) {
            Some((start, (words, end))) => {
                for word in words.split(',') {
                    out.extend(alternatives(&format!("{start}{word}{end}")));
                }
            }
            None => out.push(part),
        }
    }
    out
}

/// Sets the type of settings by their key, wherever they occur.
fn set_keys(node: &mut Value, name: &str, rows: &[Value]) {
    let Some(children) = children(node) else { return };
    for (key, child) in children {
        let covers = |row: &&Value| {
            let components = list(row, "components");
            word(row, "key") == key && (components.is_empty() || components.iter().any(|c| c == name))
        };
        match rows.iter().find(covers) {
            Some(row) => *child = row["node"].clone(),
            None => set_keys(child, name, rows),
        }
    }
}

fn optional_enabled(node: &mut Value, key: &str, parent: &str, rules: &[&Value]) {
    let is_map = word(node, "type") == "map" && node.get("open") != Some(&json!(true));
    for rule in rules {
        let has_all = list(rule, "has_children")
            .iter()
            .filter_map(Value::as_str)
            .all(|child| node.get("children").is_some_and(|children| children.get(child).is_some()));
        let right_parent = rule.get("parent").is_none_or(|wanted| wanted == parent);
        if is_map && word(rule, "key") == key && has_all && right_parent {
            add(node, "enabled", json!({"type": "bool"}));
        }
    }
    if let Some(children) = children(node) {
        for (name, child) in children {
            optional_enabled(child, name, key, rules);
        }
    }
}

/// A node with its children shared.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
struct Node {
    ty: String,
    open: bool,
    deprecated: bool,
    replaced_by: Option<String>,
    words: Vec<String>,
    children: BTreeMap<String, usize>,
    item: Option<usize>,
}

impl Node {
    fn is_plain(&self) -> bool {
        let Self { ty, open, deprecated, replaced_by, words, children, item } = self;
        let bare = !open && !deprecated && replaced_by.is_none() && words.is_empty();
        bare && children.is_empty() && item.is_none() && ty != "map" && ty != "list"
    }
}

/// Equal subtrees, kept once.
#[derive(Default)]
pub struct Store {
    nodes: Vec<Node>,
    /// A key under which the node was seen, for a readable id.
    hints: Vec<String>,
    hashes: Vec<u64>,
    known: HashMap<Node, usize>,
}

impl Store {
    /// Takes in a corrected tree of the facts; gives its number.
    pub fn insert(&mut self, value: &Value, key: &str) -> Result<usize, Error> {
        let open = value.get("open") == Some(&json!(true));
        let ty = word(value, "type");
        let mut node = Node {
            open,
            deprecated: value.get("deprecated") == Some(&json!(true)),
            replaced_by: value.get("replaced_by").and_then(Value::as_str).map(str::to_owned),
            words: list(value, "enum").iter().filter_map(Value::as_str).map(str::to_owned).collect(),
            ..Node::default()
        };
        let below: Vec<(&String, &Value)> = super::facts::entries(value, "children").collect();
        match ty {
            "map" if open && below.is_empty() && !key.contains('/') && !SURE_MAPS.contains(&key) => {
                "any".clone_into(&mut node.ty);
                node.open = false;
            }
            "map" => {
                "map".clone_into(&mut node.ty);
                for (name, child) in below {
                    node.children.insert(name.clone(), self.insert(child, name)?);
                }
            }
            // A map, or a value of another type: what is below is checked where it is a map.
            "any" => {
                "any".clone_into(&mut node.ty);
                for (name, child) in below {
                    node.children.insert(name.clone(), self.insert(child, name)?);
                }
            }
            "list" | "" => {
                (if ty.is_empty() { "any" } else { "list" }).clone_into(&mut node.ty);
                let only_item = below.iter().all(|(name, _)| *name == "item");
                if !only_item && !ty.is_empty() {
                    return Err(format!("{key}: keys beside a list's item"));
                }
                // Keys without a type: upstream parses the value itself. They are known, not checked.
                node.open = !only_item;
                for (name, child) in below {
                    let child = self.insert(child, name)?;
                    if only_item {
                        node.item = Some(child);
                    } else {
                        node.children.insert(name.clone(), child);
                    }
                }
            }
            leaf if LEAVES.contains(&leaf) => leaf.clone_into(&mut node.ty),
            other => return Err(format!("{key}: unknown type {other}")),
        }
        if let Some(&number) = self.known.get(&node) {
            let hint = &mut self.hints[number];
            if hint == "item" || (key != "item" && (key.len(), key) < (hint.len(), hint.as_str())) {
                key.clone_into(hint);
            }
            return Ok(number);
        }
        let number = self.nodes.len();
        self.hashes.push(self.hash(&node));
        self.hints.push(key.to_owned());
        self.known.insert(node.clone(), number);
        self.nodes.push(node);
        Ok(number)
    }

    /// A hash of everything below, the same in every run (FNV-1a).
    fn hash(&self, node: &Node) -> u64 {
        let mut text =
            format!("{}|{}|{}|{:?}|{:?}|", node.ty, node.open, node.deprecated, node.replaced_by, node.words);
        for (key, child) in &node.children {
            let _ = write!(text, "{key}={:x},", self.hashes[*child]);
        }
        if let Some(item) = node.item {
            let _ = write!(text, "[{:x}]", self.hashes[item]);
        }
        text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
    }

    /// The lines of the store and the id of each root.
    pub fn lines(&self, roots: &[usize]) -> (BTreeMap<String, Value>, HashMap<usize, String>) {
        let mut used = vec![0_usize; self.nodes.len()];
        for node in &self.nodes {
            for &child in node.children.values().chain(&node.item) {
                used[child] += 1;
            }
        }
        let mut ids: HashMap<usize, String> = HashMap::new();
        let mut taken: BTreeMap<String, usize> = BTreeMap::new();
        for (number, &uses) in used.iter().enumerate() {
            let shared = uses > 1 && !self.nodes[number].is_plain() && self.size(number) > 2;
            if !shared && !roots.contains(&number) {
                continue;
            }
            let hint: String = self.hints[number]
                .chars()
                .map(|c| if c.is_ascii_alphanumeric() || c == '/' { c } else { '_' })
                .collect();
            let mut digits = 5;
            loop {
                let id = format!("{hint}~{:.*}", digits, format!("{:016x}", self.hashes[number]));
                if taken.insert(id.clone(), number).is_none() {
                    ids.insert(number, id);
                    break;
                }
                digits += 1;
            }
        }
        let lines = ids.iter().map(|(&number, id)| (id.clone(), self.write(number, &ids, true)));
        (lines.collect(), ids)
    }

    /// A tree written out with nothing shared, for comparison.
    pub fn plain(&self, number: usize) -> Value {
        self.write(number, &HashMap::new(), true)
    }

    /// Nodes below and including this one, up to a small limit.
    fn size(&self, number: usize) -> usize {
        let node = &self.nodes[number];
        1 + node.children.len() + usize::from(node.item.is_some()) + node.words.len()
    }

    fn write(&self, number: usize, ids: &HashMap<usize, String>, top: bool) -> Value {
        if let (false, Some(id)) = (top, ids.get(&number)) {
            return Value::String(format!("#{id}"));
        }
        let node = &self.nodes[number];
        if node.is_plain() {
            return Value::String(node.ty.clone());
        }
        let mut object = Map::new();
        object.insert("t".to_owned(), json!(node.ty));
        if !node.children.is_empty() {
            let children =
                node.children.iter().map(|(key, &child)| (key.clone(), self.write(child, ids, false))).collect();
            object.insert("c".to_owned(), Value::Object(children));
        }
        if let Some(item) = node.item {
            object.insert("i".to_owned(), self.write(item, ids, false));
        }
        if node.open {
            object.insert("o".to_owned(), json!(true));
        }
        if !node.words.is_empty() {
            object.insert("e".to_owned(), json!(node.words));
        }
        if node.deprecated {
            object.insert("d".to_owned(), json!(true));
        }
        if let Some(replaced) = &node.replaced_by {
            object.insert("r".to_owned(), json!(replaced));
        }
        Value::Object(object)
    }

    /// Dotted paths of what is in one tree and not in another, topmost only.
    pub fn vanished(&self, before: usize, after: usize, path: &str, found: &mut Vec<String>) {
        if before == after {
            return;
        }
        let (old, new) = (&self.nodes[before], &self.nodes[after]);
        let join = |key: &str| if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
        let takes_any = new.open || new.ty == "any";
        for (key, &child) in &old.children {
            match new.children.get(key) {
                Some(&other) => self.vanished(child, other, &join(key), found),
                None if takes_any => {}
                None => found.push(join(key)),
            }
        }
        if let (Some(old), Some(new)) = (old.item, new.item) {
            self.vanished(old, new, &join("item"), found);
        }
    }
}
