//! Settings trees as schemas. What stands in several places is written once.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use serde_json::{Map, Value, json};
use telstack_catalog::otelcol::{SettingType, SettingsNode};

use super::scalars::Scalars;

type Keywords = Map<String, Value>;

/// What makes two nodes one: all that the schema says of them.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Shape {
    ty: SettingType,
    open: bool,
    words: Vec<Box<str>>,
    deprecated: bool,
    replaced_by: Option<Box<str>>,
    children: Vec<(Box<str>, usize)>,
    item: Option<usize>,
}

/// The trees of one release, and the definitions made for them so far.
pub(super) struct Settings<'a> {
    scalars: &'a Scalars,
    shapes: Vec<Shape>,
    /// The keys under which each shape stands, with how often.
    places: Vec<BTreeMap<Box<str>, usize>>,
    ids: HashMap<Shape, usize>,
    defs: Keywords,
    names: HashMap<usize, String>,
}

/// Blocks of which the catalog may not know that they can be switched off.
const SWITCH: &str = "enabled";

impl<'a> Settings<'a> {
    pub(super) fn new(scalars: &'a Scalars, trees: impl Iterator<Item = Arc<SettingsNode>>) -> Self {
        let mut settings = Self {
            scalars,
            shapes: Vec::new(),
            places: Vec::new(),
            ids: HashMap::new(),
            defs: Keywords::new(),
            names: HashMap::new(),
        };
        for tree in trees {
            settings.learn(&tree);
        }
        settings
    }

    /// The number of a node's shape. A shape that is new is a place for each of its children.
    fn learn(&mut self, node: &SettingsNode) -> usize {
        let children: Vec<(Box<str>, usize)> =
            node.children.iter().map(|(key, child)| (key.clone(), self.learn(child))).collect();
        let item = node.item.as_ref().map(|item| self.learn(item));
        let shape = Shape {
            ty: node.ty,
            open: node.open,
            words: node.enumeration.clone(),
            deprecated: node.deprecated,
            replaced_by: node.replaced_by.clone(),
            children,
            item,
        };
        if let Some(id) = self.ids.get(&shape) {
            return *id;
        }
        let id = self.shapes.len();
        for (key, child) in &shape.children {
            self.place(*child, key);
        }
        if let Some(item) = shape.item {
            self.place(item, "item");
        }
        self.places.push(BTreeMap::new());
        self.ids.insert(shape.clone(), id);
        self.shapes.push(shape);
        id
    }

    fn place(&mut self, id: usize, key: &str) {
        *self.places[id].entry(key.into()).or_default() += 1;
    }

    /// What may stand at a node.
    pub(super) fn node(&mut self, node: &SettingsNode) -> Value {
        let id = self.learn(node);
        self.schema(id)
    }

    /// What a component's body may be.
    pub(super) fn root(&mut self, node: &SettingsNode) -> Keywords {
        let id = self.learn(node);
        self.keywords(id, true)
    }

    /// The definitions that the schemas refer to.
    pub(super) fn into_defs(self) -> Keywords {
        self.defs
    }

    fn schema(&mut self, id: usize) -> Value {
        if let Some(name) = self.names.get(&id) {
            return json!({"$ref": format!("#/$defs/{name}")});
        }
        let shape = &self.shapes[id];
        let is_leaf = shape.children.is_empty() && shape.words.is_empty();
        if (is_leaf && self.is_short(shape.item)) || self.places[id].values().sum::<usize>() < 2 {
            return Value::Object(self.keywords(id, false));
        }
        let Some((key, _)) = self.places[id].iter().rev().max_by_key(|place| place.1) else {
            return Value::Object(self.keywords(id, false));
        };
        let taken = |name: &String| self.defs.contains_key(name);
        let mut name = format!("settings.{key}");
        let mut number = 2;
        while taken(&name) {
            name = format!("settings.{key}.{number}");
            number += 1;
        }
        // The place is taken before what is below it looks for one.
        self.defs.insert(name.clone(), Value::Null);
        self.names.insert(id, name.clone());
        let schema = Value::Object(self.keywords(id, false));
        self.defs.insert(name.clone(), schema);
        json!({"$ref": format!("#/$defs/{name}")})
    }

    /// Is the element of a list a plain scalar, if there is one at all?
    fn is_short(&self, item: Option<usize>) -> bool {
        let plain = |shape: &Shape| shape.children.is_empty() && shape.item.is_none() && shape.words.is_empty();
        item.is_none_or(|item| plain(&self.shapes[item]))
    }

    fn keywords(&mut self, id: usize, is_root: bool) -> Keywords {
        let shape = self.shapes[id].clone();
        let item = shape.item.map(|item| &self.shapes[item]);
        let is_texts = item.is_some_and(|it| it.ty == SettingType::String && it.words.is_empty());
        let may_be_texts =
            item.is_none_or(|it| matches!(it.ty, SettingType::String | SettingType::Any | SettingType::Duration));
        let mut out = match shape.ty {
            SettingType::String if !shape.words.is_empty() => self.scalars.word(&shape.words),
            SettingType::List if is_texts => Scalars::texts(),
            SettingType::List if may_be_texts => Scalars::maybe_texts(),
            ty => Scalars::typed(ty),
        };
        if shape.deprecated {
            out.insert("deprecated".to_owned(), json!(true));
            if let Some(instead) = &shape.replaced_by {
                out.insert("description".to_owned(), json!(format!("use `{instead}`")));
            }
        }
        let may_be_map = matches!(shape.ty, SettingType::Map | SettingType::Any);
        if may_be_map && !shape.children.is_empty() {
            // Of what may be anything, an open map has known keys with unknown values.
            let is_known = shape.ty == SettingType::Map || !shape.open;
            let mut known = Keywords::new();
            for (key, child) in &shape.children {
                let schema = if is_known { self.schema(*child) } else { json!(true) };
                known.insert(key.to_string(), schema);
            }
            out.insert("properties".to_owned(), Value::Object(known));
        }
        if may_be_map && !shape.open && (shape.ty == SettingType::Map || !shape.children.is_empty()) {
            if !is_root && !shape.children.iter().any(|(key, _)| &**key == SWITCH) {
                let switch = Scalars::typed(SettingType::Bool);
                out.insert("patternProperties".to_owned(), json!({(format!("^{SWITCH}$")): switch}));
            }
            out.insert("additionalProperties".to_owned(), json!(false));
        }
        if let Some(item) = shape.item.filter(|_| !(is_texts && shape.ty == SettingType::List)) {
            let item = self.schema(item);
            let key = if shape.ty == SettingType::Map { "additionalProperties" } else { "items" };
            out.insert(key.to_owned(), item);
        }
        out
    }
}
