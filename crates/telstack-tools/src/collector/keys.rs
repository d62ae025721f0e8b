//! Keys that stand for several: `exporters::debug::verbosity` is a key in a map in a map.

use telstack_syntax::tree::{Entry, Map};
use telstack_system::{Origin, Value};

/// What splits a key in two, one inside the other: `exporters::debug: …`.
const KEY_DELIMITER: &str = "::";

/// Makes maps of keys with the delimiter in them, as the collector does, but for what lists hold.
pub(super) fn split(mut document: Value) -> Value {
    split_in(&mut document);
    document
}

fn split_in(value: &mut Value) {
    let Some(map) = value.as_map_mut() else { return };
    if map.iter().any(|entry| entry.key.contains(KEY_DELIMITER)) {
        let mut split = Map::default();
        for entry in map.iter() {
            let parts: Vec<&str> = entry.key.split(KEY_DELIMITER).collect();
            nest(&mut split, &parts, entry);
        }
        *map = split;
    }
    map.iter_mut().for_each(|entry| split_in(&mut entry.value));
}

/// Puts an entry where the parts of its key say, beside what is there.
fn nest(into: &mut Map<Origin>, parts: &[&str], entry: &Entry<Origin>) {
    let [key, rest @ ..] = parts else { return };
    let both = |there: &Value| there.as_map().is_some() && (!rest.is_empty() || entry.value.as_map().is_some());
    if let Some(there) = into.get_mut(key).filter(|it| both(it)).and_then(Value::as_map_mut) {
        match rest {
            [] => entry.value.as_map().into_iter().flatten().for_each(|it| nest(there, &[it.key.as_str()], it)),
            rest => nest(there, rest, entry),
        }
        return;
    }
    let value = if rest.is_empty() {
        entry.value.clone()
    } else {
        let mut inner = Value::map(entry.key_mark.clone());
        inner.as_map_mut().into_iter().for_each(|map| nest(map, rest, entry));
        inner
    };
    into.push(Entry { key: (*key).to_owned(), value, ..entry.clone() });
}

#[cfg(test)]
mod tests {
    use telstack_diagnostics::{Diagnostics, SourceMap};

    use super::split;
    use crate::reading;

    #[test]
    fn keys_become_maps_beside_what_is_there() {
        let text = "a::b::c: 1\na:\n  b::d: 2\n  e: [{f::g: 3}]\nh::: 4\n";
        let mut sources = SourceMap::default();
        let file = sources.add("t", text);
        let mut out = Diagnostics::default();
        let value = split(reading::document(file, text, &mut out).expect("YAML"));
        let number = |path: &str| value.at(path).and_then(telstack_syntax::tree::Value::as_int);
        assert_eq!((number("a.b.c"), number("a.b.d"), number("a.e")), (Some(1), Some(2), None));
        let keys: Vec<&str> = value.as_map().into_iter().flatten().map(|it| it.key.as_str()).collect();
        assert_eq!(keys, ["a", "h"]);
        assert!(value.at("h").and_then(|it| it.as_map()).is_some_and(|it| it.contains("")));
    }
}
