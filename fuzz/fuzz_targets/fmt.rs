//! The layout of stack files: it keeps the meaning, and what is laid out stays as it is.

#![no_main]

use libfuzzer_sys::fuzz_target;
use telstack_diagnostics::{FileId, SourceMap};
use telstack_syntax::stack::{Atom, Node, format_kdl, parse_kdl};

/// A tree without its places.
fn tree(nodes: &[Node]) -> String {
    let atom = |it: &Atom| format!("{:?} {:?}", it.tag.as_ref().map(|tag| &tag.value), it.scalar);
    nodes.iter().fold(String::new(), |out, node| {
        let args: Vec<String> = node.args.iter().map(atom).collect();
        let props: Vec<String> = node.props.iter().map(|it| format!("{:?}={}", it.key.value, atom(&it.value))).collect();
        let block = node.children.as_ref().map(|children| tree(children));
        out + &format!("{:?} {args:?} {props:?} {block:?}\n", node.name.value)
    })
}

fn read(file: FileId, text: &str) -> String {
    let (document, errors) = parse_kdl(file, text);
    assert!(errors.is_empty(), "what was laid out cannot be read: {errors:?}\n{text}");
    tree(&document.nodes)
}

fuzz_target!(|text: &str| {
    let mut sources = SourceMap::default();
    let file = sources.add("fuzz", text);
    let Ok(once) = format_kdl(file, text) else { return };
    assert_eq!(read(file, text), read(file, &once), "another meaning:\n{text}\n---\n{once}");
    assert_eq!(format_kdl(file, &once).as_deref(), Ok(&*once), "laid out twice is not laid out once");
});
