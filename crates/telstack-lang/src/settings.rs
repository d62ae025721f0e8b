//! KDL to component settings, shaped by what the catalog says of them.

use telstack_catalog::otelcol::{SettingType, SettingsNode};
use telstack_diagnostics::{Diagnostic, Diagnostics, Span};
use telstack_syntax::{
    stack::{Atom, Node as Line, Prop, Scalar},
    tree::{Entry, Kind, Map, Seq},
};
use telstack_system::{EnvValue, EnvVar, Origin, SecretRef, Settings, Value};

use crate::{check::twice, codes, presets::PRESET, stack::PASS, words};

/// The name of list items.
const ITEM: &str = "-";

/// Makes settings of lines. What they take from the environment is noted in `environment`.
pub(crate) struct Shaper<'a> {
    /// Variables of the node that the settings belong to.
    pub environment: &'a mut Vec<EnvVar>,
    /// Findings.
    pub out: &'a mut Diagnostics,
}

impl Shaper<'_> {
    /// The settings of a component: the properties and the block of its line.
    pub(crate) fn component(&mut self, line: &Line, tree: Option<&SettingsNode>) -> Value {
        let mark = Origin::written(line.head());
        let is_preset = |key: &str| key == PRESET;
        let props = line.props.iter().filter(|it| !is_preset(&it.key.value));
        let children = line.children().iter().filter(|it| !is_preset(&it.name.value));
        if props.clone().next().is_none() && children.clone().next().is_none() {
            return Value { kind: Kind::Null, mark };
        }
        Value { kind: Kind::Map(self.map(props, children, tree)), mark }
    }

    /// The block of a line alone.
    pub(crate) fn block(&mut self, line: &Line, tree: Option<&SettingsNode>) -> Settings {
        let mut map = Settings::default();
        self.children(line.children().iter(), tree, &mut map);
        map
    }

    fn map<'l>(
        &mut self,
        props: impl Iterator<Item = &'l Prop>,
        children: impl Iterator<Item = &'l Line>,
        tree: Option<&SettingsNode>,
    ) -> Settings {
        let mut map = Settings::default();
        for prop in props {
            let tree = child(tree, &prop.key.value);
            if let Some(value) = self.values(std::slice::from_ref(&prop.value), prop.key.span, tree) {
                self.add(&mut map, &prop.key.value, prop.key.span, value, tree);
            }
        }
        self.children(children, tree, &mut map);
        map
    }

    fn children<'l>(&mut self, lines: impl Iterator<Item = &'l Line>, tree: Option<&SettingsNode>, map: &mut Settings) {
        for line in lines {
            let key = &line.name;
            if key.value == ITEM {
                let finding = Diagnostic::new(&codes::WRONG_VALUE, "a list item stands among settings with names");
                let finding = finding.at(line.head(), "an item");
                self.out.push(
                    finding.help("give it a name, or put all items in a block of their own: `name { - …; - … }`"),
                );
                continue;
            }
            let tree = child(tree, &key.value);
            if let Some(value) = self.line(line, tree) {
                self.add(map, &key.value, key.span, value, tree);
            }
        }
    }

    /// Adds a setting. One that is there already is added to where upstream reads a list.
    fn add(&mut self, map: &mut Settings, key: &str, span: Span, value: Value, tree: Option<&SettingsNode>) {
        let first = map.entry(key).and_then(|entry| entry.key_mark.span()).unwrap_or(span);
        let Some(old) = map.get_mut(key) else {
            let entry =
                Entry { key: key.to_owned(), key_mark: Origin::written(span), value, comment: None, gap: false };
            map.push(entry);
            return;
        };
        let list = tree.is_some_and(|tree| tree.ty == SettingType::List);
        let maybe_list = list || tree.is_none_or(|tree| tree.ty == SettingType::Any);
        match (&mut old.kind, value.kind) {
            (Kind::Seq(old), Kind::Seq(new)) if list => {
                old.flow &= new.flow;
                old.items.extend(new.items);
            }
            _ => {
                let finding = twice(format!("`{key}` is set twice"), span, first);
                self.out.push(if maybe_list {
                    finding.help(format!("for a list write its items in one block: `{key} {{ - …; - … }}`"))
                } else {
                    finding.help("keep one of the two")
                });
            }
        }
    }

    /// The value of a line: its values, or its properties and block.
    fn line(&mut self, line: &Line, tree: Option<&SettingsNode>) -> Option<Value> {
        let mark = Origin::written(line.head());
        if line.broken {
            // Reported. Set, but nobody knows to what: rules are silent about values that only the environment knows.
            return Some(Value::string("${env:UNREADABLE}", mark));
        }
        let keyed = !line.props.is_empty() || !line.children().is_empty();
        if !line.args.is_empty() && keyed {
            let key = line.props.first().map(|prop| prop.key.span);
            let key = key.or_else(|| line.children().first().map(|line| line.name.span));
            let finding =
                Diagnostic::new(&codes::WRONG_VALUE, format!("`{}` is both a value and a map", line.name.value));
            let finding = finding.at(line.args[0].span, "a value").label(key, "a key of a map");
            self.out.push(finding.help("write values, or keys with values, but not both"));
            return None;
        }
        if !line.args.is_empty() {
            return self.values(&line.args, line.head(), tree);
        }
        if let Some(first) = line.children().iter().find(|child| child.name.value == ITEM) {
            let named = line.children().iter().find(|child| child.name.value != ITEM).map(|child| child.name.span);
            if let Some(other) = named.or_else(|| line.props.first().map(|prop| prop.key.span)) {
                let finding =
                    Diagnostic::new(&codes::WRONG_VALUE, format!("`{}` is both a list and a map", line.name.value));
                let finding = finding.at(other, "a key of a map").label(first.name.span, "an item of a list");
                self.out.push(finding.help("write only items, each a line that starts with `-`, or only keys"));
                return None;
            }
            let item = tree.and_then(|tree| tree.item.as_deref());
            let items = line.children().iter().filter_map(|line| self.line(line, item)).collect();
            return Some(Value { kind: Kind::Seq(Seq { items, flow: false }), mark });
        }
        if keyed {
            return Some(Value { kind: Kind::Map(self.map(line.props.iter(), line.children().iter(), tree)), mark });
        }
        let kind = if line.children.is_some() { Kind::Map(Map::default()) } else { Kind::Null };
        Some(Value { kind, mark })
    }

    /// The value of atoms: a list of several, or of one where upstream reads a list.
    fn values(&mut self, atoms: &[Atom], head: Span, tree: Option<&SettingsNode>) -> Option<Value> {
        let list = tree.is_some_and(|tree| tree.ty == SettingType::List);
        match atoms {
            [one] if !list || one.scalar == Scalar::Null => self.atom(one),
            _ => {
                let items = atoms.iter().filter_map(|atom| self.atom(atom)).collect();
                Some(Value::flow(items, Origin::written(head)))
            }
        }
    }

    fn atom(&mut self, atom: &Atom) -> Option<Value> {
        let written = Origin::written(atom.span);
        if let Some(reference) = words::reference(atom, self.out).ok()? {
            return self.variable(reference, &written);
        }
        if let Scalar::String(text) = &atom.scalar {
            // The author's own spelling of a reference: the container needs the variable all the same.
            for name in variables(text) {
                require(self.environment, name.to_owned(), SecretRef::Env(name.to_owned()), &written, self.out);
            }
        }
        let kind = match &atom.scalar {
            Scalar::Null => Kind::Null,
            Scalar::Bool(it) => Kind::Bool(*it),
            Scalar::Int(it) => Kind::Int(*it),
            Scalar::Float(it) => Kind::Float(*it),
            Scalar::String(it) => Kind::String(it.clone()),
        };
        Some(Value { kind, mark: written })
    }

    /// `${env:NAME}` for a reference, or the text of a literal.
    pub(crate) fn variable(&mut self, reference: SecretRef, written: &Origin) -> Option<Value> {
        let Some(name) = reference.variable() else {
            let SecretRef::Literal(text) = reference else { return None };
            return Some(Value::string(text, written.clone()));
        };
        let reason = match &reference {
            SecretRef::Secret { name: secret, key } => {
                format!("the secret `{secret}/{key}` arrives in the environment as `{name}`")
            }
            _ => format!("`{name}` is taken from the environment"),
        };
        let value = Value::string(format!("${{env:{name}}}"), Origin::derived(PASS, reason, &[written]));
        require(self.environment, name, reference, written, self.out);
        Some(value)
    }
}

/// Notes a variable once. Two references that would share one are reported.
pub(crate) fn require(
    environment: &mut Vec<EnvVar>,
    name: String,
    reference: SecretRef,
    written: &Origin,
    out: &mut Diagnostics,
) {
    let value = EnvValue::Required(reference);
    match environment.iter().find(|it| it.name == name) {
        None => environment.push(EnvVar::new(name, value, written.clone())),
        Some(known) if known.value == value => {}
        Some(known) => {
            let message = format!("two references arrive in one environment variable, `{name}`");
            let finding = Diagnostic::new(&codes::DECLARED_TWICE, message).at(written.span(), "this one");
            let finding = finding.label(known.origin.span(), "and that one");
            out.push(finding.help("rename one of them, or name the variable itself: `(env)\"…\"`"));
        }
    }
}

/// Names behind `${env:…}` in a text, without a default to fall back on.
fn variables(text: &str) -> impl Iterator<Item = &str> {
    // `$$` stands for a dollar sign.
    let starts = text.match_indices("${env:").filter(|(at, _)| !text[..*at].ends_with('$'));
    let name = |(at, start): (usize, &str)| text.get(at + start.len()..)?.split_once('}').map(|(name, _)| name);
    let plain = |name: &&str| !name.is_empty() && name.bytes().all(|it| it.is_ascii_alphanumeric() || it == b'_');
    starts.filter_map(move |(at, start)| name((at, start))).filter(plain).collect::<Vec<_>>().into_iter()
}

fn child<'a>(tree: Option<&'a SettingsNode>, key: &str) -> Option<&'a SettingsNode> {
    tree?.child(key).map(AsRef::as_ref)
}
