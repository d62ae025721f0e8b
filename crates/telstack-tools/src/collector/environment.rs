//! What a collector makes of `${env:NAME}` in the environment of its container.

use telstack_syntax::tree::{Entry, Kind, Map, Seq};
use telstack_system::{
    Container, EnvValue, Known, Origin, Value,
    expansion::{self, Piece, Reference},
};

/// The step that a value from the environment is attributed to.
const STEP: &str = "environment";

/// The same document with the values of the container's variables, as far as they are known. `defaults`: does
/// the release know defaults in references?
pub(super) fn filled(value: &Value, container: &Container, defaults: bool) -> Value {
    let (kind, mark) = match &value.kind {
        Kind::String(text) if text.contains("${") => {
            return text_filled(text, &value.mark, container, defaults).unwrap_or_else(|| value.clone());
        }
        Kind::Seq(seq) => {
            let items = seq.items.iter().map(|item| filled(item, container, defaults)).collect();
            (Kind::Seq(Seq { items, flow: seq.flow }), &value.mark)
        }
        Kind::Map(map) => {
            let entry =
                |entry: &Entry<Origin>| Entry { value: filled(&entry.value, container, defaults), ..entry.clone() };
            (Kind::Map(map.iter().map(entry).collect::<Map<Origin>>()), &value.mark)
        }
        other => (other.clone(), &value.mark),
    };
    Value { kind, mark: mark.clone() }
}

/// What is known of a variable.
enum Variable<'a> {
    Set(&'a str, &'a Origin),
    Unset,
    Unknown,
}

fn variable<'a>(reference: &Reference<'_>, container: &'a Container) -> Variable<'a> {
    if reference.scheme != expansion::ENV || !reference.names_a_variable() {
        return Variable::Unknown;
    }
    match container.variable(reference.name) {
        Known::Value(variable) => match &variable.value {
            EnvValue::Literal(text) if !text.contains('$') => Variable::Set(text, &variable.origin),
            EnvValue::Literal(_) | EnvValue::Required(_) | EnvValue::Field(_) => Variable::Unknown,
        },
        Known::Unknown => Variable::Unknown,
        Known::Absent => Variable::Unset,
    }
}

fn text_filled(text: &str, mark: &Origin, container: &Container, defaults: bool) -> Option<Value> {
    let pieces = expansion::pieces(text);
    let mut from = vec![mark];
    let mut out = String::new();
    for piece in &pieces {
        match piece {
            Piece::Text(text) => out.push_str(text),
            Piece::Escape => out.push_str("$$"),
            Piece::Bare(name) => out.extend(["$", name]),
            Piece::Reference(reference) if reference.default.is_some() && !defaults => return None,
            Piece::Reference(reference) => match (variable(reference, container), reference.default) {
                (Variable::Set("", _) | Variable::Unset, Some(default)) if !default.contains('$') => {
                    out.push_str(default);
                }
                (Variable::Set(value, origin), _) => {
                    out.push_str(value);
                    from.push(origin);
                }
                // Empty: the rules that look for that see the reference.
                (Variable::Unset | Variable::Unknown, _) => return None,
            },
        }
    }
    let sole = matches!(pieces.as_slice(), [Piece::Reference(_)]);
    // A value that is YAML is read as such.
    if sole && (out.is_empty() || out.starts_with(['[', '{', '"', '\'']) || out.contains('\n')) {
        return None;
    }
    let kind = if sole { Kind::plain(&out) } else { Kind::String(out) };
    Some(Value { kind, mark: Origin::derived(STEP, "its container's environment says so", &from) })
}

#[cfg(test)]
mod tests {
    use telstack_diagnostics::{FileId, SourceMap, Span};
    use telstack_system::{ContainerGaps, EnvVar, ImageRef, SecretRef, Sourced};

    use super::*;

    fn origin(file: FileId) -> Origin {
        Origin::written(Span::new(file, 0, 1))
    }

    fn read(text: &str, open: bool) -> Kind<Origin> {
        read_in(text, open, true)
    }

    fn read_in(text: &str, open: bool, defaults: bool) -> Kind<Origin> {
        let file = SourceMap::default().add("t", "x");
        let image = ImageRef { repository: "x".to_owned(), tag: "1".to_owned() };
        let mut container = Container::new(Sourced::new(image, origin(file)), origin(file));
        container.gaps = ContainerGaps { files: false, env: open };
        let literal = |text: &str| EnvValue::Literal(text.to_owned());
        for (name, value) in [
            ("HOST", literal("tempo")),
            ("PORT", literal("4317")),
            ("EMPTY", literal("")),
            ("OPEN", literal("${X}")),
            ("SECRET", EnvValue::Required(SecretRef::Env("S".to_owned()))),
        ] {
            container.env.push(EnvVar::new(name, value, origin(file)));
        }
        filled(&Value::string(text, origin(file)), &container, defaults).kind
    }

    #[test]
    fn what_is_known_is_filled_in() {
        let text = |text: &str| Kind::String(text.to_owned());
        assert_eq!(read("${env:HOST}:${env:PORT}", false), text("tempo:4317"));
        assert_eq!(read("${HOST}", false), text("tempo"));
        assert_eq!(read("${env:PORT}", false), Kind::Int(4317));
        assert_eq!(read("${env:NONE:-mimir}:9009", false), text("mimir:9009"));
        assert_eq!(read("${env:EMPTY:-x}y", false), text("xy"));
        assert_eq!(read("$${env:HOST}", false), text("$${env:HOST}"));
    }

    #[test]
    fn what_is_not_known_stays() {
        for unknown in
            ["${env:SECRET}", "${env:OPEN}", "${env:NONE}", "${file:HOST}", "a${env:SECRET}b", "${env:EMPTY}"]
        {
            assert_eq!(read(unknown, false), Kind::String(unknown.to_owned()));
        }
        // Before 0.110.0 it is part of the name.
        assert_eq!(read_in("${env:NONE:-mimir}", false, false), Kind::String("${env:NONE:-mimir}".to_owned()));
        // A default is for what is surely not set.
        assert_eq!(read("${env:NONE:-mimir}", true), Kind::String("${env:NONE:-mimir}".to_owned()));
    }
}
