//! Merge keys (`<<`), as YAML 1.1 has them and Go's readers apply them.

use std::collections::HashSet;

use crate::tree::{Entry, Kind, Map, Value};

/// The key that merges.
pub const MERGE_KEY: &str = "<<";

/// Puts the entries of merged maps in place of `<<`, everywhere in a value. What is written beside it wins,
/// then the first map of a list. A `<<` that holds neither a map nor a list of maps stays as it is, for the
/// caller to report.
pub fn merge_keys<M: Clone>(value: &mut Value<M>) {
    match &mut value.kind {
        Kind::Seq(seq) => seq.items.iter_mut().for_each(merge_keys),
        Kind::Map(map) => {
            map.iter_mut().for_each(|entry| merge_keys(&mut entry.value));
            if map.contains(MERGE_KEY) {
                *map = merged(map);
            }
        }
        _ => {}
    }
}

fn merged<M: Clone>(map: &Map<M>) -> Map<M> {
    let mut taken: HashSet<&str> = map.iter().map(|entry| entry.key.as_str()).collect();
    let mut out: Vec<Entry<M>> = Vec::new();
    for entry in map {
        let sources: Option<Vec<&Map<M>>> = match &entry.value.kind {
            _ if entry.key != MERGE_KEY => None,
            Kind::Map(source) => Some(vec![source]),
            Kind::Seq(seq) => seq.items.iter().map(Value::as_map).collect(),
            _ => None,
        };
        match sources {
            Some(sources) => {
                let new = sources.into_iter().flatten().filter(|it| taken.insert(it.key.as_str()));
                out.extend(new.cloned());
            }
            None => out.push(entry.clone()),
        }
    }
    out.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use telstack_diagnostics::SourceMap;

    use super::merge_keys;
    use crate::yaml;

    fn keys(text: &str, path: &str) -> Vec<String> {
        let mut sources = SourceMap::default();
        let file = sources.add("t", text);
        let mut value = yaml::read(file, text).expect("valid").remove(0);
        merge_keys(&mut value);
        let map = value.at(path).and_then(|it| it.as_map()).expect("a map");
        map.iter().map(|entry| format!("{}={:?}", entry.key, entry.value.as_int())).collect()
    }

    #[test]
    fn what_is_written_wins_and_then_the_first_map() {
        let text = "a: &a {x: 1, y: 1}\nb: &b {y: 2, z: 2}\nc:\n  <<: [*a, *b]\n  x: 3\n";
        assert_eq!(keys(text, "c"), ["y=Some(1)", "z=Some(2)", "x=Some(3)"]);
    }

    #[test]
    fn merged_maps_are_merged_first() {
        assert_eq!(keys("a: &a {x: 1}\nb: &b {<<: *a, y: 2}\nc: {<<: *b}\n", "c"), ["x=Some(1)", "y=Some(2)"]);
    }

    #[test]
    fn what_is_no_map_stays() {
        assert_eq!(keys("c: {<<: 5, x: 1}\n", "c"), ["<<=Some(5)", "x=Some(1)"]);
    }
}
