//! One tree, two syntaxes: whatever tree there is, KDL and YAML hold it, and give it back.

mod support;

use proptest::prelude::*;
use support::{file, read_kdl, tree};
use telstack_diagnostics::Span;
use telstack_syntax::stack::{
    Atom, Document, Node, Notes, Prop, Scalar, Spanned, Words, kdl_notes, parse_yaml, write_kdl, write_yaml, yaml_notes,
};

/// A small grammar with every kind of word.
#[allow(clippy::struct_excessive_bools)]
struct Word {
    text: &'static str,
    named: bool,
    nameless: bool,
    several: bool,
    one: bool,
    props: &'static [&'static str],
    settings: bool,
    words: &'static [Word],
}

const PLAIN: Word = Word {
    text: "",
    named: false,
    nameless: false,
    several: false,
    one: false,
    props: &[],
    settings: false,
    words: &[],
};

static FILE: Word = Word {
    words: &[
        Word {
            text: "stack",
            named: true,
            props: &["size"],
            words: &[
                Word {
                    text: "store",
                    named: true,
                    nameless: true,
                    props: &["size"],
                    words: &[Word { text: "keep", one: true, props: &["size"], ..PLAIN }],
                    ..PLAIN
                },
                Word {
                    text: "pipe",
                    named: true,
                    several: true,
                    words: &[Word { text: "to", several: true, props: &["size"], ..PLAIN }],
                    ..PLAIN
                },
                Word { text: "part", named: true, settings: true, ..PLAIN },
                Word { text: "keep", one: true, ..PLAIN },
                Word { text: "speech", settings: true, props: &["url"], ..PLAIN },
            ],
            ..PLAIN
        },
        Word { text: "let", several: true, props: &["size", "env", "is"], ..PLAIN },
    ],
    ..PLAIN
};

impl Words for Word {
    fn child(&self, word: &str) -> Option<&dyn Words> {
        self.words.iter().find(|it| it.text == word).map(|it| it as &dyn Words)
    }
    fn is_named(&self) -> bool {
        self.named
    }
    fn may_be_nameless(&self) -> bool {
        self.nameless
    }
    fn takes_several(&self) -> bool {
        self.several
    }
    fn takes_one(&self) -> bool {
        self.one
    }
    fn has_property(&self, key: &str) -> bool {
        self.props.contains(&key)
    }
    fn has_settings(&self) -> bool {
        self.settings
    }
}

fn nowhere() -> Span {
    Span::new(file(), 0, 0)
}

fn spanned(value: &str) -> Spanned<String> {
    Spanned { value: value.to_owned(), span: nowhere() }
}

fn atom() -> impl Strategy<Value = Atom> {
    let texts = prop::sample::select(vec![
        "x",
        "a b",
        "1",
        "true",
        "",
        "null",
        "a: b",
        "a #b",
        "[x]",
        "- y",
        "~",
        "two\nlines",
        "two\n  lines\n",
        "\"q\"",
        "c:\\d",
        "é",
        "@",
        "env",
        "a\"\"\"\nb",
        "\u{202e}",
        "\t",
        "2024-01-01",
        "0x1F",
        "30d",
        "0.158.0",
        "a\\\n  \\b",
        "!t",
        "${env:X}",
        "a, b",
        "{x}",
    ]);
    let scalar = prop_oneof![
        5 => texts.prop_map(|it| Scalar::String(it.to_owned())),
        1 => any::<i64>().prop_map(Scalar::Int),
        1 => any::<f64>().prop_filter("one kind of not-a-number", |it| !it.is_nan()).prop_map(Scalar::Float),
        1 => any::<bool>().prop_map(Scalar::Bool),
        1 => prop::sample::select(vec![Scalar::Null, Scalar::Float(f64::INFINITY), Scalar::Float(1e15), Scalar::Float(-0.0)]),
    ];
    let tag = prop::option::weighted(0.2, prop::sample::select(vec!["secret", "env", "let", "t"]));
    (scalar, tag).prop_map(|(scalar, tag)| Atom { tag: tag.map(spanned), scalar, span: nowhere() })
}

fn name() -> impl Strategy<Value = String> {
    let words = vec![
        "stack",
        "store",
        "pipe",
        "part",
        "keep",
        "to",
        "let",
        "speech",
        "x",
        "is",
        "block",
        "size",
        "env",
        "k=",
        "a b",
        "-",
        "1",
        "retention",
    ];
    prop::sample::select(words).prop_map(str::to_owned)
}

fn node(name: &str, args: Vec<Atom>, props: Vec<(String, Atom)>, children: Option<Vec<Node>>) -> Node {
    let mut seen = std::collections::BTreeSet::new();
    let props = props.into_iter().filter(|it| seen.insert(it.0.clone()));
    let props = props.map(|(key, value)| Prop { key: spanned(&key), value }).collect();
    let name = spanned(name);
    Node { name, args, props, children, span: nowhere(), head: nowhere(), broken: false, holes: false }
}

fn nodes() -> impl Strategy<Value = Vec<Node>> {
    let props = || prop::collection::vec((name(), atom()), 0..3);
    let leaf = (name(), prop::collection::vec(atom(), 0..3), props()).prop_map(|(n, a, p)| node(&n, a, p, None));
    let tree = leaf.prop_recursive(4, 40, 5, move |inner| {
        let children = prop::option::of(prop::collection::vec(inner, 0..5));
        (name(), prop::collection::vec(atom(), 0..3), props(), children).prop_map(|(n, a, p, c)| node(&n, a, p, c))
    });
    prop::collection::vec(tree, 0..5)
}

/// The keys of a list item may be properties or a block.
fn items(nodes: &[Node]) -> Vec<Node> {
    let one = |it: &Node| {
        let mut it = it.clone();
        it.children = it.children.map(|children| items(&children));
        if it.name.value == "-" && it.args.is_empty() && !it.props.is_empty() {
            let lines = it.props.drain(..).map(|prop| node(&prop.key.value, vec![prop.value], Vec::new(), None));
            it.children = Some(lines.chain(it.children.take().unwrap_or_default()).collect());
        }
        it
    };
    nodes.iter().map(one).collect()
}

/// In settings, properties and lines of the block are the same, and a setting without a value is null.
fn canonical(nodes: &[Node], words: Option<&dyn Words>, settings: bool) -> Vec<Node> {
    let mut out: Vec<Node> = Vec::new();
    for it in nodes {
        let own = words.and_then(|words| words.child(&it.name.value));
        let inside = settings || own.is_some_and(Words::has_settings);
        let mut it = it.clone();
        it.children = it.children.map(|children| canonical(&children, own, inside));
        if inside {
            let moved: Vec<Prop> = it
                .props
                .iter()
                .filter(|prop| settings || !own.is_some_and(|own| own.has_property(&prop.key.value)))
                .cloned()
                .collect();
            it.props.retain(|prop| !moved.iter().any(|it| it.key.value == prop.key.value));
            if !moved.is_empty() {
                let lines = moved.into_iter().map(|prop| node(&prop.key.value, vec![prop.value], Vec::new(), None));
                let lines: Vec<Node> = lines.chain(it.children.take().unwrap_or_default()).collect();
                it.children = Some(canonical(&lines, None, true));
            }
        }
        let null = |atom: &Atom| atom.tag.is_none() && atom.scalar == Scalar::Null;
        if settings && it.args.len() == 1 && null(&it.args[0]) {
            it.args.clear();
        }
        // A list that is set twice adds up.
        let same = out.iter().position(|old| settings && old.name.value == it.name.value && it.name.value != "-");
        match same {
            Some(at) => out[at].args.extend(it.args),
            None => out.push(it),
        }
    }
    out
}

fn same(document: &Document, other: &Document) -> Result<(), TestCaseError> {
    let plain = |it: &Document| tree(&canonical(&it.nodes, Some(&FILE), false));
    prop_assert_eq!(plain(document), plain(other));
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn kdl_gives_every_tree_back(nodes in nodes()) {
        let document = Document { nodes, holes: false };
        let text = write_kdl(&document, &Notes::default());
        let (back, errors) = read_kdl(&text);
        prop_assert_eq!(&errors, &[], "{}", text);
        prop_assert_eq!(tree(&items(&document.nodes)), tree(&items(&back.nodes)), "{}", text);
    }

    #[test]
    fn yaml_gives_every_tree_back(nodes in nodes()) {
        let document = Document { nodes, holes: false };
        // What YAML cannot hold is refused, and only in settings.
        let Ok(text) = write_yaml(&document, &Notes::default(), &FILE) else { return Ok(()) };
        let (back, errors) = parse_yaml(file(), &text, &FILE);
        prop_assert_eq!(&errors, &[], "{}\n{}", text, tree(&document.nodes));
        same(&document, &back).map_err(|error| TestCaseError::fail(format!("{error}\n{text}")))?;
    }
}

const KDL: &str = r#"// Head

// About it
stack "shop" { // behind
    keep "30d" // kept

    store "a" { keep "1d" size="2GB" } // twice
    /-store "off" { keep "2d" }
    store { keep "3d" }
    /* one
       two */
    part "otlp/x" grpc=#true {
        list "a" "b"
        items {
            // an item
            - key="k" value=1
            - "x"
        }
    }
    pipe "traces" "logs" { to "a"; to "b" size="1" }
}
// Tail
"#;

const YAML: &str = "\
# Head

# About it
stack:
  shop: # behind
    keep: 30d # kept

    store:
      - a
";

#[test]
fn comments_come_along() {
    let (document, errors) = read_kdl(KDL);
    assert_eq!(errors, []);
    let yaml = write_yaml(&document, &kdl_notes(file(), KDL, &document), &FILE).expect("it can be said");
    assert!(yaml.starts_with(YAML.split("    store").next().expect("a start")), "{yaml}");
    let (back, errors) = parse_yaml(file(), &yaml, &FILE);
    assert_eq!(errors, [], "{yaml}");
    let kdl = write_kdl(&back, &yaml_notes(file(), &yaml, &back));
    for comment in ["Head", "About it", "behind", "kept", "twice", "/-store \"off\"", "one", "two", "an item", "Tail"] {
        assert!(yaml.contains(comment), "{comment} is lost in\n{yaml}");
        assert!(kdl.contains(comment), "{comment} is lost in\n{kdl}");
    }
    let (again, errors) = read_kdl(&kdl);
    assert_eq!(errors, [], "{kdl}");
    assert_eq!(
        tree(&canonical(&document.nodes, Some(&FILE), false)),
        tree(&canonical(&again.nodes, Some(&FILE), false)),
        "{yaml}\n{kdl}"
    );
}
