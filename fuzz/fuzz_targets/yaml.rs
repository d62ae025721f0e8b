//! YAML: no text makes the reader fail, every place lies in the text, and what was read can be written and read
//! again.

#![no_main]

use libfuzzer_sys::fuzz_target;
use telstack_diagnostics::{SourceMap, Span};
use telstack_syntax::{
    tree::{Kind, Value},
    yaml,
};

fn walk(text: &str, value: &Value<Span>) {
    assert!(text.get(value.mark.range()).is_some(), "{:?} lies outside the text, or inside a character", value.mark);
    match &value.kind {
        Kind::Seq(seq) => seq.items.iter().for_each(|item| walk(text, item)),
        Kind::Map(map) => map.iter().for_each(|entry| {
            assert!(text.get(entry.key_mark.range()).is_some(), "{:?} lies outside the text", entry.key_mark);
            walk(text, &entry.value);
        }),
        _ => {}
    }
}

fuzz_target!(|text: &str| {
    let mut sources = SourceMap::default();
    let file = sources.add("fuzz", text);
    let Ok(documents) = yaml::read(file, text) else { return };
    for mut document in documents {
        walk(text, &document);
        yaml::merge_keys(&mut document);
        let written = yaml::write("", &document.mark, &document).text;
        assert!(yaml::read(file, &written).is_ok(), "what was written cannot be read:\n{written}");
    }
});
