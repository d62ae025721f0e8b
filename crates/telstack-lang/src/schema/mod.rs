//! The grammar as a JSON Schema, for editors and validators of `*.stack.yaml`.
//!
//! It says what [`parse_yaml`](telstack_syntax::stack::parse_yaml) and [`check`](crate::check) would say of one file
//! by itself, as far as a schema can, and accepts whatever they accept. What needs more than one place of the text
//! (names that are declared nowhere, words that stand twice) is left to `telstack check`, and so are the settings of
//! components: they depend on the release and the distribution, which the file itself names.

mod kinds;

use serde_json::{Map, Value, json};
use telstack_diagnostics::SourceMap;
use telstack_syntax::stack::{Notes, Words, parse_kdl, write_yaml};

use crate::{
    form::{Args, Block, Form, Kind, Props},
    grammar,
};

/// The values of a line, where they stand beside other keys.
const VALUES: &str = "is";
/// A block as a list.
const BLOCK: &str = "block";

/// The JSON Schema (draft 2020-12) of a stack in YAML.
pub fn schema() -> Value {
    let mut schemas = Schemas { forms: Vec::new(), defs: Map::new() };
    let mut whole = map([
        ("$schema", json!("https://json-schema.org/draft/2020-12/schema")),
        ("title", json!("telstack stack")),
        ("description", json!("Collectors, stores and viewers, which telstack compiles to what they read.")),
    ]);
    if let Value::Object(file) = schemas.block(&grammar::FILE, "file") {
        whole.extend(file);
    }
    for (name, schema) in kinds::references() {
        schemas.defs.insert(name.to_owned(), schema);
    }
    schemas.defs.sort_keys();
    whole.insert("$defs".to_owned(), Value::Object(schemas.defs));
    Value::Object(whole)
}

type Keywords = Map<String, Value>;

struct Schemas {
    /// Forms that have a definition, with its name.
    forms: Vec<(&'static Form, String)>,
    defs: Keywords,
}

fn map<const N: usize>(entries: [(&str, Value); N]) -> Keywords {
    entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}

fn reference(name: &str) -> Value {
    json!({"$ref": format!("#/$defs/{name}")})
}

fn choice(when: Value, then: Value, otherwise: Value) -> Value {
    Value::Object(map([("if", when), ("then", then), ("else", otherwise)]))
}

fn is(ty: &str) -> Value {
    json!({"type": ty})
}

fn array(items: Value) -> Value {
    Value::Object(map([("type", json!("array")), ("items", items)]))
}

/// Is it a map, and no reference to a value?
fn is_spelt_out() -> Value {
    reference(kinds::SPELT_OUT)
}

/// Does a line say a name and its value, or several as properties?
fn is_pairs(form: &Form) -> bool {
    matches!((form.args, form.props), (Args::Some(_), Props::Any(_)))
}

impl Schemas {
    /// What may stand behind a word.
    fn entry(&mut self, form: &'static Form, parent: &'static Form) -> Value {
        if let Some((_, name)) = self.forms.iter().find(|it| std::ptr::eq(it.0, form)) {
            return reference(name);
        }
        // The stack's own words come first.
        let taken = self.forms.iter().any(|it| it.1 == form.word)
            || grammar::STACK.child(form.word).is_some_and(|it| !std::ptr::eq(it, form));
        let name = if taken { format!("{}.{}", parent.word, form.word) } else { form.word.to_owned() };
        self.forms.push((form, name.clone()));
        let rules = if form.is_named() { self.named(form, &name) } else { self.plain(form, &name) };
        let mut schema = map([("description", Value::String(description(form, parent)))]);
        if let Args::One(kind) = form.args
            && let Some(words) = kinds::examples(kind)
        {
            schema.insert(kinds::EXAMPLES.to_owned(), words);
        }
        if let Value::Object(rules) = rules {
            schema.extend(rules);
        }
        self.defs.insert(name.clone(), Value::Object(schema));
        reference(&name)
    }

    /// A word without a name.
    fn plain(&mut self, form: &'static Form, name: &str) -> Value {
        let (Args::One(kind) | Args::Maybe(kind) | Args::Some(kind)) = form.args else { return self.block(form, name) };
        let mut scalar = self.value(kind);
        if let Some(inline) = scalar.as_object_mut() {
            // The line says them.
            inline.remove(kinds::EXAMPLES);
        }
        let alone = if is_pairs(form) { json!(false) } else { scalar.clone() };
        let line = choice(is_spelt_out(), self.line(form, name), scalar);
        let alone = choice(is_spelt_out(), reference(&format!("{name}.line")), alone);
        // A list of values is one line, any other list is several lines.
        let mut list = map([("type", json!("array")), ("minItems", json!(1)), ("items", line)]);
        if form.once && !form.takes_several() {
            list.insert("maxItems".to_owned(), json!(1));
        }
        choice(is("array"), Value::Object(list), alone)
    }

    /// A word with a name: a map by name, one line that is spelt out, a name alone, or a list of the latter two.
    fn named(&mut self, form: &'static Form, name: &str) -> Value {
        let (Args::One(kind) | Args::Maybe(kind) | Args::Some(kind)) = form.args else { return json!(false) };
        let names = self.value(kind);
        let body = format!("{name}.block");
        let block = self.block(form, name);
        self.defs.insert(body.clone(), block);
        let line = self.line(form, name);
        let by_name = json!({"type": "object", "propertyNames": names, "additionalProperties": reference(&body)});
        let (is_line, bare) = if form.may_be_nameless() {
            // Words of the block, and values that are no blocks, are not below a name.
            let words = form.words().iter().map(|it| it.word).chain([VALUES, BLOCK]);
            let only_names = json!({
                "propertyNames": {"not": {"enum": words.collect::<Vec<_>>()}},
                "additionalProperties": {"type": ["object", "array", "null"]},
            });
            (json!({"not": only_names}), choice(is("null"), json!(true), names))
        } else {
            let bare = if sure(form).is_empty() { names } else { json!({"type": ["object", "array"]}) };
            (json!({"required": [VALUES]}), bare)
        };
        let one = choice(is("object"), line.clone(), bare.clone());
        let map = choice(is_line, line, by_name);
        choice(is("array"), array(one), choice(is("object"), map, bare))
    }

    /// The block of a word, with its properties.
    fn block(&mut self, form: &'static Form, name: &str) -> Value {
        let mut types = vec!["object"];
        let mut block = self.keys(form, name);
        if let Block::Words(_) = form.block {
            types.push("array");
            block.insert("items".to_owned(), reference(&format!("{name}.words")));
        }
        if sure(form).is_empty() {
            types.push("null");
        }
        let mut schema = Keywords::from_iter([("type".to_owned(), json!(types))]);
        schema.extend(block);
        Value::Object(schema)
    }

    /// A line with everything in a map: its values, its properties and its block.
    fn line(&mut self, form: &'static Form, name: &str) -> Value {
        let mut line = Keywords::from_iter([("type".to_owned(), json!("object"))]);
        line.extend(self.keys(form, name));
        let (Args::One(kind) | Args::Maybe(kind) | Args::Some(kind)) = form.args else { return Value::Object(line) };
        let one = self.value(kind);
        let values = match form.takes_several() {
            true if is_pairs(form) => json!({"type": "array", "items": one, "minItems": 2, "maxItems": 2}),
            true => choice(is("array"), array(one.clone()), one),
            false => one,
        };
        if let Some(Value::Object(known)) = line.get_mut("properties") {
            known.shift_insert(0, VALUES.to_owned(), values);
        }
        if !form.may_be_nameless() && !is_pairs(form) {
            let others = line.get("required").and_then(Value::as_array).into_iter().flatten().cloned();
            let wanted: Vec<Value> = [json!(VALUES)].into_iter().chain(others).collect();
            line.insert("required".to_owned(), Value::Array(wanted));
        }
        let name = format!("{name}.line");
        self.defs.insert(name.clone(), Value::Object(line));
        reference(&name)
    }

    /// What is said of the keys of a word's map.
    fn keys(&mut self, form: &'static Form, name: &str) -> Keywords {
        let mut known = Keywords::new();
        let mut others = json!(false);
        match form.props {
            Props::Only(props) => {
                for (key, kind) in props {
                    known.insert((*key).to_owned(), self.value(*kind));
                }
            }
            Props::Any(kind) => others = self.value(kind),
            Props::Settings => {}
        }
        match form.block {
            Block::None => {}
            Block::Settings => others = json!(true),
            Block::Words(children) => {
                let lines: Keywords =
                    children.iter().map(|child| (child.word.to_owned(), self.entry(child, form))).collect();
                let words = format!("{name}.words");
                known.extend(lines.clone());
                known.insert(BLOCK.to_owned(), array(reference(&words)));
                let items = json!({"type": "object", "properties": lines, "additionalProperties": false});
                self.defs.insert(words, items);
            }
        }
        let mut keys = Keywords::new();
        keys.insert("properties".to_owned(), Value::Object(known));
        keys.insert("additionalProperties".to_owned(), others);
        if !sure(form).is_empty() {
            needs(form, &mut keys);
        }
        keys
    }

    /// A value of a kind.
    fn value(&mut self, kind: Kind) -> Value {
        let Some(name) = kinds::name(kind) else { return kinds::schema(kind) };
        if !self.defs.contains_key(name) {
            self.defs.insert(name.to_owned(), kinds::schema(kind));
        }
        reference(name)
    }
}

/// Words that lines over them may complete: of a template, for one cluster or environment. Only a whole stack tells what
/// they lack.
const COMPLETED: [&str; 2] = [grammar::COLLECTOR.word, grammar::PIPELINE.word];

/// What a word surely needs where it stands.
fn sure(form: &Form) -> Vec<&'static str> {
    let spared = |need: &&str| form.spared.iter().any(|it| it.0 == *need) || COMPLETED.contains(&form.word);
    form.needs.iter().copied().filter(|need| !spared(need)).collect()
}

/// What must be there, unless it may come from where a schema cannot see it.
fn needs(form: &Form, keys: &mut Keywords) {
    let sure = sure(form);
    let wanted = json!({"required": sure});
    let elsewhere: Vec<&str> =
        [BLOCK, grammar::INCLUDE.word].into_iter().filter(|it| *it == BLOCK || form.child(it).is_some()).collect();
    if let Block::Words(_) = form.block {
        let any: Vec<Value> = elsewhere.iter().map(|it| json!({"required": [it]})).collect();
        keys.insert("if".to_owned(), json!({"anyOf": any}));
        keys.insert("else".to_owned(), wanted);
    } else {
        keys.insert("required".to_owned(), json!(sure));
    }
}

/// What a word says, and how it is written.
fn description(form: &Form, parent: &Form) -> String {
    match example(form, parent) {
        Some(example) => format!("{}\n\n{}", form.about, example.trim_end()),
        None => form.about.to_owned(),
    }
}

/// The example of a word, in YAML; none if it is no whole text.
fn example(form: &Form, parent: &Form) -> Option<String> {
    let mut sources = SourceMap::default();
    let file = sources.add("example.kdl", form.example);
    let (document, errors) = parse_kdl(file, form.example);
    if !errors.is_empty() {
        return None;
    }
    write_yaml(&document, &Notes::default(), parent).ok()
}
