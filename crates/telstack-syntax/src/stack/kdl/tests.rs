//! The reader by example: places, and one finding for one slip.

use telstack_diagnostics::SourceMap;

use super::*;

fn parse(text: &str) -> (Vec<Node>, Vec<SyntaxError>) {
    let mut sources = SourceMap::default();
    let file = sources.add("t", text);
    let (document, errors) = parse_kdl(file, text);
    (document.nodes, errors)
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
        ("s {\n a\n  b 1\n }\n c 1\n}\n", "missing"),
        ("s\n a\n b 1\n}\n", "missing"),
        ("a {\n b { c http://x }\n}\n", "starts a comment"),
        ("a r\"x\"\n", "KDL 2"),
        ("a r#\"x\"#\n", "KDL 2"),
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

#[test]
fn more_slips_are_one_finding_each() {
    let slips = [
        ("a \"x\"\"y\"\n", "no space"),
        ("from otlp, zipkin\n", "commas"),
        ("size 1, 2\n", "commas"),
        ("from otlp/internal\n", "`otlp/internal` must stand in quotes"),
        ("url https://host/x y=1\n", "starts a comment"),
        ("a 'x'\n", "`'…'`"),
        ("a “x”\n", "curly"),
        ("# a comment\na\n", "`//`"),
        ("a #True\n", "`#True` means nothing"),
        ("a \"\\d\"\n", "`\\d` is no escape"),
        ("a k=\n", "`k=` has no value"),
        ("a (t)k=1\n", "in front of a key"),
        ("a ( 1\n", "one word in parentheses"),
        ("a { b } c\n", "behind the block"),
        ("a { b } { c }\n", "second block"),
        ("a\n{\n b\n}\n", "no word in front"),
        ("a /* b\nc\n", "comment is not closed"),
        ("a \"\"\"\n  x\nb \"y\"\n", "does not end"),
        ("a #\"x\n", "close it with `\"#`"),
        ("a \"\"\"x\"\"\"\n", "line of its own"),
        ("a \"\"\"\n x\n  \"\"\"\n", "indented otherwise"),
        ("a \\ b\n", "nothing may follow"),
        ("(t)a 1\n", "in front of a word"),
        ("a;;b\n", "ends nothing"),
        ("/-\n", "nothing to switch off"),
        ("a \u{202e}b\n", "U+202E"),
        ("// \u{7}\n", "U+0007"),
        ("a 99999999999999999999\n", "64 bits"),
        ("/- kdl-version 1\na\n", "KDL 1"),
        ("a otlp\" \"b\"\n", "a quote is missing"),
        ("a [\"x\", \"y\"]\n", "`[…]`"),
        ("- key: \"x\"\n", "looks like YAML"),
    ];
    for (text, words) in slips {
        let (_, errors) = parse(text);
        let said = errors
            .first()
            .map(|it| format!("{} {}", it.message, it.help.as_deref().unwrap_or_default()))
            .unwrap_or_default();
        assert!(errors.len() == 1 && said.contains(words), "{text:?}: wanted `{words}` in {errors:#?}");
    }
}

/// What is left of a text with slips: words and whether their lines are whole.
fn outline(nodes: &[Node]) -> String {
    let line = |node: &Node| {
        let mark = if node.broken { "!" } else { "" };
        let inside = node.children.as_ref().map_or(String::new(), |it| format!("{{{}}}", outline(it)));
        let hole = if node.holes { "?" } else { "" };
        format!("{}{mark}{inside}{hole}", node.name.value)
    };
    nodes.iter().map(line).collect::<Vec<_>>().join(" ")
}

#[test]
fn a_slip_costs_its_line() {
    let cases = [
        ("a {\n b = 1\n c 1\n}\nd\n", "a{b! c} d"),
        ("a = 1 {\n b 1\n c = 2\n}\n", "a!{b c!}"),
        ("a {\n [b]\n c\n}\n", "a{c}?"),
        ("a \"x {\n b 1\n}\nc\n", "a!{b} c"),
        ("a { b \"x; c \"y\" }\nd\n", "a{b!}? d"),
        ("a {\n b \"${env:X\n c\n}\n", "a{b! c}"),
        // Missing braces, by the indentation.
        ("s {\n  a {\n    b 1\n  c {\n    d 1\n  }\n}\n", "s{a{b} c{d}}"),
        ("s {\n  a { b 1\n  c 1\n}\n", "s{a{b} c}"),
        ("s {\n  a {\n    b 1\n}\n", "s{a{b}}"),
        ("s {\n  a {\n    b {\n      c\n  }\n  d\n}\n", "s{a{b{c}} d}"),
        // An opening one.
        ("s {\n  a\n    b 1\n    c {\n      d\n    }\n  }\n  e\n}\n", "s{a{b c{d}} e}"),
        ("s \"x\"\n  a {\n    b\n  }\n  c 1\n}\n", "s{a{b} c}"),
        ("s {\n  a \"x\" // why\n\n    // what\n    b 1\n  }\n}\n", "s{a{b}}"),
        // One too many.
        ("s {\n  a { b } }\n  c 1\n}\n", "s{a{b} c}"),
        ("s {\n  a {\n    b\n  }\n  }\n  c 1\n}\n", "s{a{b} c}"),
        ("s {\n  a\n}\n}\n", "s{a}"),
        // A text that does not end costs the lines that are indented deeper.
        ("s {\n  a \"\"\"\n    x\n    y {\n  b 1\n}\n", "s{a! b}"),
        ("s {\n  a k={\n    b\n  }\n}\n", "s{a!{b}}"),
    ];
    for (text, wanted) in cases {
        let (nodes, errors) = parse(text);
        assert_eq!(outline(&nodes), wanted, "{text}\n{errors:#?}");
        assert!(!errors.is_empty(), "{text}");
    }
}

#[test]
fn braces_that_are_right_may_be_indented_anyhow() {
    let text = "s {\na {\n      b 1\n  }\n      c {\nd }\n}\n";
    let (nodes, errors) = parse(text);
    assert_eq!(errors, []);
    assert_eq!(outline(&nodes), "s{a{b} c{d}}");
}

proptest::proptest! {
    #[test]
    fn every_byte_is_in_one_token(text in proptest::prelude::any::<String>(), more in "[ \\n\"#/*{}a=;\\\\-]{0,60}") {
        let text = text + &more;
        let mut at = 0;
        for token in lex::lex(&text).tokens {
            proptest::prop_assert_eq!(token.start as usize, at);
            at = token.end as usize;
            proptest::prop_assert!(text.is_char_boundary(at));
        }
        proptest::prop_assert_eq!(at, text.len());
        parse(&text);
    }
}
