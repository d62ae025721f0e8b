//! KDL: no text makes the reader fail, every place lies in the text, and a text without errors has no holes.

#![no_main]

use libfuzzer_sys::fuzz_target;
use telstack_diagnostics::{SourceMap, Span};
use telstack_syntax::stack::{Node, parse_kdl};

fn inside(text: &str, span: Span) {
    assert!(text.get(span.range()).is_some(), "{span:?} lies outside the text, or inside a character");
}

fn walk(text: &str, nodes: &[Node]) {
    for node in nodes {
        inside(text, node.span);
        inside(text, node.name.span);
        inside(text, node.head());
        node.args.iter().for_each(|it| inside(text, it.span));
        node.props.iter().for_each(|it| inside(text, it.key.span.to(it.value.span)));
        walk(text, node.children());
    }
}

fuzz_target!(|text: &str| {
    let mut sources = SourceMap::default();
    let file = sources.add("fuzz", text);
    let (document, errors) = parse_kdl(file, text);
    walk(text, &document.nodes);
    errors.iter().for_each(|it| inside(text, it.span));
    assert!(!errors.is_empty() || !document.is_incomplete(), "something is missing, and nothing was said");
});
