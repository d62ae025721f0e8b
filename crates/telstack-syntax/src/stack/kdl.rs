//! KDL 2 into the stack tree.

use kdl::{KdlDocument, KdlEntry, KdlIdentifier, KdlNode, KdlValue};
use telstack_diagnostics::{FileId, Span};

use super::{Atom, Node, Prop, Scalar, Spanned};

/// A place where the text is not KDL, or holds a value that no tool here can hold.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SyntaxError {
    /// What is wrong.
    pub message: String,
    /// Where.
    pub span: Span,
    /// What to write instead.
    pub help: Option<String>,
}

/// Deepest nesting that is read: the KDL parser recurses, so the text is measured first.
const DEEPEST: usize = 64;

/// Reads KDL 2. The tree is empty if the text does not parse at all.
pub fn parse_kdl(file: FileId, text: &str) -> (Vec<Node>, Vec<SyntaxError>) {
    if let Some(at) = too_deep(text) {
        let message = format!("blocks are nested more than {DEEPEST} deep");
        return (Vec::new(), vec![SyntaxError { message, span: Span::new(file, at, at + 1), help: None }]);
    }
    match KdlDocument::parse(text) {
        Ok(document) => {
            let mut reader = Reader { file, text, errors: Vec::new() };
            let nodes = document.nodes().iter().map(|node| reader.node(node)).collect();
            (nodes, reader.errors)
        }
        Err(error) => (Vec::new(), errors(file, text, &error)),
    }
}

/// Braces outside strings would be exact; all braces are a safe upper bound for honest files.
fn too_deep(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'{' => depth += 1,
            b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > DEEPEST {
            return Some(at);
        }
    }
    None
}

/// What the parser reports, without what follows from it: it goes on behind a fault, having lost count of the
/// blocks, and then finds fault with every brace.
fn errors(file: FileId, text: &str, error: &kdl::KdlError) -> Vec<SyntaxError> {
    const LOST: &str = "Expected end of document";
    let mut found: Vec<(usize, usize, String, Option<&str>)> = error
        .diagnostics
        .iter()
        .map(|it| {
            let start = floor(text, it.span.offset());
            let end = floor(text, it.span.offset() + it.span.len());
            let message = it.message.clone().or_else(|| it.label.clone());
            (start, end, message.unwrap_or_else(|| "This is not KDL".to_owned()), it.help.as_deref())
        })
        .collect();
    found.sort_by_key(|it| (it.0, it.1));
    let is_brace = |message: &str| message.to_lowercase().contains("closing '}'");
    if found.iter().any(|it| !is_brace(&it.2)) {
        found.retain(|it| !is_brace(&it.2));
    } else {
        found.truncate(1);
    }
    if let Some(lost) = found.iter().position(|it| it.2.starts_with(LOST)) {
        found.truncate(lost + 1);
    }
    found.dedup_by_key(|it| it.0);
    let plain = |(start, end, message, help): (usize, usize, String, Option<&str>)| {
        let (mut start, mut end) = (start, end);
        if text.get(start..end).is_some_and(|it| it.ends_with(',')) {
            start = end - 1;
        }
        if message.starts_with(LOST) {
            // The parser points at all that is left, or at nothing.
            end = start + text.get(start..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8);
        }
        let (message, help) = in_plain_words(&message, help, text.get(start..end).unwrap_or_default().trim());
        SyntaxError { message, span: Span::new(file, start, end), help }
    };
    found.into_iter().map(plain).collect()
}

/// The parser speaks of its grammar; people wrote a text.
fn in_plain_words(message: &str, help: Option<&str>, bare: &str) -> (String, Option<String>) {
    let say = |message: String, help: &str| (message, Some(help.to_owned()));
    match (message.trim().trim_end_matches('.'), bare) {
        (_, "true" | "false" | "null") => say(format!("`{bare}` needs a `#` in KDL 2"), &format!("write `#{bare}`")),
        (_, "}") => say("this `}` closes nothing".to_owned(), "take it out, or look for a `}` too many before it"),
        (_, "=") => say(
            "this `=` has no key in front of it".to_owned(),
            "write `word \"value\"` without `=`, or a property `key=\"value\"` without spaces",
        ),
        (_, "[" | "]") => {
            say("KDL has no `[…]`".to_owned(), "write the values side by side: `from \"otlp\" \"zipkin\"`")
        }
        (_, ",") => {
            say("KDL has no commas".to_owned(), "put a space between values, and `;` or a new line between words")
        }
        ("Expected integer" | "Expected number" | "Expected float", _) if !bare.is_empty() => {
            say(format!("`{bare}` is neither a number nor a text"), &format!("write it in quotes: `\"{bare}\"`"))
        }
        (it, _) if it.starts_with("Unexpected newline in single-line") => {
            say("this text does not end on its line".to_owned(), "close it with `\"`")
        }
        (it, _) if it.starts_with("No closing '}'") => {
            say("this block is not closed".to_owned(), "add the `}` of this block, or of one inside it")
        }
        (it, _) => {
            let mut plain = it.to_owned();
            if let Some(first) = plain.get(..1).map(str::to_lowercase) {
                plain.replace_range(..1, &first);
            }
            (plain, help.map(|help| help.trim().trim_end_matches('.').to_owned()))
        }
    }
}

fn floor(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

struct Reader<'a> {
    file: FileId,
    text: &'a str,
    errors: Vec<SyntaxError>,
}

impl Reader<'_> {
    fn span(&self, offset: usize, length: usize) -> Span {
        Span::new(self.file, floor(self.text, offset), floor(self.text, offset + length))
    }

    fn name(&self, id: &KdlIdentifier) -> Spanned<String> {
        Spanned { value: id.value().to_owned(), span: self.span(id.span().offset(), id.span().len()) }
    }

    fn node(&mut self, node: &KdlNode) -> Node {
        let name = self.name(node.name());
        if name.value.ends_with(':') {
            let bare = name.value.trim_end_matches(':');
            self.errors.push(SyntaxError {
                message: format!("`{}` looks like YAML: KDL has no colon behind a name", name.value),
                span: name.span,
                help: Some(format!("write `{bare} …`")),
            });
        }
        let mut args = Vec::new();
        let mut props = Vec::new();
        for entry in node.entries() {
            let value = self.atom(entry);
            match entry.name() {
                Some(key) => props.push(Prop { key: self.name(key), value }),
                None => args.push(value),
            }
        }
        let children = node.children().map(|block| block.nodes().iter().map(|node| self.node(node)).collect());
        let span = self.span(node.span().offset(), node.span().len());
        Node { name, args, props, children, span }
    }

    fn atom(&mut self, entry: &KdlEntry) -> Atom {
        let whole = self.span(entry.span().offset(), entry.span().len());
        // The entry of a property spans `key=value`; its value starts behind the `=`.
        let start = match entry.name() {
            Some(key) => {
                let after = key.span().offset() + key.span().len();
                let gap = self.text.get(after..whole.end as usize).and_then(|rest| rest.find('='));
                gap.map_or(whole.start as usize, |gap| after + gap + 1)
            }
            None => whole.start as usize,
        };
        let text = self.text.get(start..whole.end as usize).unwrap_or_default();
        let start = start + (text.len() - text.trim_start().len());
        let span = Span::new(self.file, start, whole.end as usize);
        let tag = entry.ty().map(|tag| self.name(tag));
        let scalar = match entry.value() {
            KdlValue::Null => Scalar::Null,
            KdlValue::Bool(it) => Scalar::Bool(*it),
            KdlValue::Float(it) => Scalar::Float(*it),
            KdlValue::String(it) => Scalar::String(it.clone()),
            KdlValue::Integer(it) => i64::try_from(*it).map_or_else(
                |_| {
                    self.errors.push(SyntaxError { message: format!("{it} does not fit 64 bits"), span, help: None });
                    Scalar::Int(0)
                },
                Scalar::Int,
            ),
        };
        Atom { tag, scalar, span }
    }
}

#[cfg(test)]
mod tests {
    use telstack_diagnostics::SourceMap;

    use super::*;

    fn parse(text: &str) -> (Vec<Node>, Vec<SyntaxError>) {
        let mut sources = SourceMap::default();
        let file = sources.add("t", text);
        parse_kdl(file, text)
    }

    #[test]
    fn spans_are_exact_bytes() {
        let text = "// é\nkey \"ä\" a=(secret)\"x/y\" b = 2 {\n  child 1\n}\n";
        let (nodes, errors) = parse(text);
        assert_eq!(errors, []);
        let node = &nodes[0];
        assert_eq!(&text[node.name.span.range()], "key");
        assert_eq!(&text[node.args[0].span.range()], "\"ä\"");
        assert_eq!(&text[node.props[0].key.span.range()], "a");
        assert_eq!(&text[node.props[0].value.span.range()], "(secret)\"x/y\"");
        assert_eq!(&text[node.props[1].value.span.range()], "2");
        assert_eq!(&text[node.children()[0].span.range()], "child 1");
    }

    #[test]
    fn a_yaml_habit_is_named() {
        let (_, errors) = parse("timeout: \"5s\"\n");
        assert_eq!(errors.len(), 1);
        assert!(errors[0].message.contains("looks like YAML"), "{errors:?}");
    }

    #[test]
    fn one_slip_is_one_finding() {
        let slips = [
            ("a {\n b {\n c 1\n}\n", "not closed"),
            ("a {\n b = 1\n}\n", "`=`"),
            ("a {\n b [1]\n}\n", "`[…]`"),
            ("a {\n b \"x\", c\n}\n", "commas"),
            ("a {\n b 30d\n}\n", "neither a number"),
            ("a {\n b \"x\n}\n", "end on its line"),
            ("a {\n}\n}\n", "closes nothing"),
            ("a {\n b true\n}\n", "`#`"),
        ];
        for (text, words) in slips {
            let (_, errors) = parse(text);
            assert_eq!(errors.len(), 1, "{text}: {errors:?}");
            assert!(errors[0].message.contains(words), "{text}: {errors:?}");
        }
    }

    #[test]
    fn deep_nesting_is_refused() {
        let text = "a {".repeat(100_000);
        assert_eq!(parse(&text).1.len(), 1);
    }
}
