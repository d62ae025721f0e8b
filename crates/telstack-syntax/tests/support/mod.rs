//! What the tests of the two stack syntaxes share: texts to damage, trees without their places.

#![allow(dead_code, reason = "each test uses a part")]

use proptest::prelude::*;
use telstack_diagnostics::{FileId, SourceMap};
use telstack_syntax::stack::{Atom, Document, Node, Scalar, SyntaxError, parse_kdl};

/// Pieces that texts are made of: each form of each thing, right and wrong.
pub const PIECES: &[&str] = &[
    "a",
    "node",
    "key=",
    "=",
    " = ",
    "true",
    "null",
    "inf",
    "-",
    "--",
    "+.",
    ".x",
    "-x",
    "r",
    "é",
    ",",
    "<",
    "#true",
    "#false",
    "#null",
    "#inf",
    "#-inf",
    "#nan",
    "#x",
    "1",
    "-1",
    "+1_0",
    "1.5",
    "1.",
    ".5",
    "1e3",
    "1.5E-2",
    "1_",
    "_1",
    "1__2",
    "1._2",
    "0x1F",
    "0xg",
    "0x_1",
    "0o17",
    "-0b1_0",
    "0b2",
    "99999999999999999999",
    "1e999",
    "(t)",
    "( t )",
    "(\"t\")",
    "()",
    "(",
    ")",
    "\"\"",
    "\"x\"",
    "\"a b\"",
    "\"\\n\"",
    "\"\\s\\t\\u{e9}\"",
    "\"\\u{d800}\"",
    "\"\\q\"",
    "\"\\  \n  x\"",
    "\"",
    "\"\\\"\"",
    "#\"x\"#",
    "##\"a\"#b\"##",
    "#\"\\n\"#",
    "#\"",
    "\"#",
    "\"\"\"\n  x\n   y\n  \"\"\"",
    "\"\"\"\n\"\"\"",
    "\"\"\"\n x\n  \"\"\"",
    "\"\"\"",
    "\"\"\"\n\n\tx\\n\\\n  z\n\t\"\"\"",
    "#\"\"\"\n  x\\\n  \"\"\"#",
    "\\\"\"\"",
    " ",
    "  ",
    "\t",
    "\u{3000}",
    "\n",
    "\r\n",
    "\r",
    "\u{85}",
    "\n\n",
    ";",
    "{",
    "}",
    " { ",
    " }",
    "{}",
    "// c",
    "// c\n",
    "/* c */",
    "/* /* c */\n*/",
    "/*",
    "*/",
    "/",
    "/-",
    "/- ",
    " /-",
    "\\",
    "\\\n",
    " \\ // c\n",
    " \\ /* c */\n",
    "[",
    "]",
    "\u{feff}",
    "#",
    "# x\n",
    "/- kdl-version 2\n",
    "a:",
    "x//y",
];

/// A text as people write it, to be damaged.
pub const STACK: &str = r##"// One host
stack "shop" {
    platform "compose"
    versions { otelcol "0.158.0"; loki "3.7.6" }
    /-collector "old" { receiver "otlp" }
    collector "gateway" distribution="contrib" { // behind a brace
        processor "resource" { attributes { - key="a" value=1.5 action="insert"; - { key "b" } } }
        exporter "otlp_http" { headers { authorization (env)"TOKEN" }; retries 0x1F /* in between */ }
        processor "transform" { statements #"set(x, "y")"# """
            several
              lines
            """
        }
        pipeline "traces" "logs" {
            from "otlp" \
                "zipkin"
            to "loki" tenant="acme" /-protocol="otlp"
        }
    }

    loki { retention (let)"keep"; enabled #true }
}
"##;

/// Pieces in a row.
pub fn pieces() -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(PIECES), 0..14).prop_map(|it| it.concat())
}

/// The stack with some bytes taken out and something put in.
pub fn damaged() -> impl Strategy<Value = String> {
    let slip = (0..STACK.len(), 0..4_usize, prop::option::of(prop::sample::select(PIECES)));
    prop::collection::vec(slip, 1..4).prop_map(|slips| {
        let mut text = STACK.to_owned();
        for (at, gone, put) in slips {
            let floor = |at: usize| (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
            let (at, end) = (floor(at), floor(at + gone));
            text.replace_range(at..end, put.unwrap_or_default());
        }
        text
    })
}

/// Any file.
pub fn file() -> FileId {
    SourceMap::default().add("t", "")
}

/// A value by its type and bits: not-a-number equals itself.
fn plain(atom: &Atom) -> String {
    let tag = atom.tag.as_ref().map_or(String::new(), |tag| format!("({:?})", tag.value));
    match &atom.scalar {
        Scalar::Float(number) => format!("{tag}{:x}f", number.to_bits()),
        scalar => format!("{tag}{scalar:?}"),
    }
}

/// A tree as text, without places.
pub fn tree(nodes: &[Node]) -> String {
    let line = |node: &Node| {
        let args: Vec<String> = node.args.iter().map(plain).collect();
        let props: Vec<String> =
            node.props.iter().map(|prop| format!("{:?}={}", prop.key.value, plain(&prop.value))).collect();
        let block = node.children.as_ref().map_or(String::new(), |children| format!(" {{{}}}", tree(children)));
        format!("{:?} {} {}{block}", node.name.value, args.join(" "), props.join(" "))
    };
    nodes.iter().map(line).collect::<Vec<_>>().join("; ")
}

/// The tree of a KDL text, and its errors.
pub fn read_kdl(text: &str) -> (Document, Vec<SyntaxError>) {
    parse_kdl(file(), text)
}
