//! An escape that YAML 1.2 took over from JSON, and that the reader of all these programs does not know: `\/`.

use telstack_diagnostics::{Diagnostic, Diagnostics, FileId, Span};
use telstack_syntax::{
    tree::{Kind, Value},
    yaml,
};

use crate::reading::{NOT_YAML, Place};

const ESCAPE: &str = "\\/";

/// Reports each of them in a text that is YAML otherwise.
pub(crate) fn check(file: FileId, text: &str, place: Place, out: &mut Diagnostics) {
    if !text.contains(ESCAPE) {
        return;
    }
    let documents = yaml::read(file, text).unwrap_or_default();
    let mut found = Vec::new();
    documents.first().into_iter().for_each(|document| collect(document, text, &mut found));
    for at in found {
        out.push(
            Diagnostic::new(
                &NOT_YAML,
                format!("this is not YAML that the program reads: it knows no escape `{ESCAPE}`"),
            )
            .at(place.of(at), "its reader gives up here")
            .help("write `/`: it needs no escape"),
        );
    }
}

fn collect(value: &Value<Span>, text: &str, found: &mut Vec<Span>) {
    match &value.kind {
        Kind::Map(map) => {
            for entry in map {
                quoted(entry.key_mark, &entry.key, text, found);
                collect(&entry.value, text, found);
            }
        }
        Kind::Seq(seq) => seq.items.iter().for_each(|item| collect(item, text, found)),
        Kind::String(said) => quoted(value.mark, said, text, found),
        _ => {}
    }
}

/// The first such escape of a scalar in double quotes. In a block quotes are part of what it says.
fn quoted(at: Span, said: &str, text: &str, found: &mut Vec<Span>) {
    let is_quoted = |written: &&str| written.starts_with('"') && !said.starts_with('"');
    let Some(written) = text.get(at.range()).filter(is_quoted) else { return };
    let mut letters = written.char_indices();
    while let Some((start, letter)) = letters.next() {
        if letter == '\\' && letters.next().is_some_and(|(_, escaped)| escaped == '/') {
            let start = at.range().start + start;
            found.push(Span::new(at.file, start, start + ESCAPE.len()));
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use telstack_diagnostics::SourceMap;

    use super::*;

    fn found(text: &str) -> Vec<usize> {
        let (mut sources, mut out) = (SourceMap::default(), Diagnostics::default());
        let file = sources.add("a.yaml", text);
        check(file, text, Place::Start, &mut out);
        out.iter().filter_map(|it| it.primary.as_ref()).map(|label| label.span.range().start).collect()
    }

    #[test]
    fn an_escaped_slash_is_found_in_double_quotes() {
        assert_eq!(found("a: \"http:\\/\\/b\"\n"), [9]);
        assert_eq!(found("{\"a\\/b\": [\"c\\\\\\/\"]}\n"), [3, 14]);
    }

    #[test]
    fn elsewhere_it_is_text() {
        assert_eq!(found("a: 'b\\/c'\nd: e\\/f\ng: |\n  \"\\/\"\nh: \"\\\\/\"\n# \"\\/\"\n"), Vec::<usize>::new());
    }
}
