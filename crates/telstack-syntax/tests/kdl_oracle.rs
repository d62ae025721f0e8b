//! Our KDL reader against the `kdl` crate: on the official test suite's inputs, which that crate carries, and on
//! random text.
//!
//! Where the two differ on purpose, [`differs_on_purpose`] says so and why.

mod support;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use kdl::{KdlDocument, KdlNode, KdlValue};
use proptest::prelude::*;
use support::{damaged, pieces, read_kdl};
use telstack_syntax::stack::{Node, Scalar};

/// A value, as both readers see it.
#[derive(PartialEq, Debug)]
enum Plain {
    Null,
    Bool(bool),
    Int(i128),
    /// By its bits: not-a-number equals itself.
    Float(u64),
    String(String),
}

/// A line, as both readers see it.
#[derive(PartialEq, Debug)]
struct Line {
    name: String,
    args: Vec<(Option<String>, Plain)>,
    props: Vec<(String, Option<String>, Plain)>,
    children: Option<Vec<Line>>,
}

fn theirs(node: &KdlNode) -> Line {
    let tag = |ty: Option<&kdl::KdlIdentifier>| ty.map(|it| it.value().to_owned());
    let value = |value: &KdlValue| match value {
        KdlValue::Null => Plain::Null,
        KdlValue::Bool(it) => Plain::Bool(*it),
        KdlValue::Integer(it) => Plain::Int(*it),
        KdlValue::Float(it) => Plain::Float(it.to_bits()),
        KdlValue::String(it) => Plain::String(it.clone()),
    };
    let (mut args, mut props) = (Vec::new(), Vec::new());
    for entry in node.entries() {
        match entry.name() {
            Some(key) => props.push((key.value().to_owned(), tag(entry.ty()), value(entry.value()))),
            None => args.push((tag(entry.ty()), value(entry.value()))),
        }
    }
    let children = node.children().map(|block| block.nodes().iter().map(theirs).collect());
    Line { name: node.name().value().to_owned(), args, props, children }
}

fn ours(node: &Node) -> Line {
    let value = |atom: &telstack_syntax::stack::Atom| {
        let plain = match &atom.scalar {
            Scalar::Null => Plain::Null,
            Scalar::Bool(it) => Plain::Bool(*it),
            Scalar::Int(it) => Plain::Int((*it).into()),
            Scalar::Float(it) => Plain::Float(it.to_bits()),
            Scalar::String(it) => Plain::String(it.clone()),
        };
        (atom.tag.as_ref().map(|tag| tag.value.clone()), plain)
    };
    Line {
        name: node.name.value.clone(),
        args: node.args.iter().map(value).collect(),
        props: node
            .props
            .iter()
            .map(|prop| {
                let (tag, plain) = value(&prop.value);
                (prop.key.value.clone(), tag, plain)
            })
            .collect(),
        children: node.children.as_ref().map(|children| children.iter().map(ours).collect()),
    }
}

/// The reason for which our reader and the crate may say different things of a text.
fn differs_on_purpose(text: &str) -> Option<&'static str> {
    let hidden = |c: char| matches!(c, '\u{7f}' | '\u{200e}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}');
    let without_mark = text.strip_prefix('\u{feff}').unwrap_or(text);
    if without_mark.contains(hidden) || text.chars().any(|c| c.is_control() && !c.is_whitespace()) {
        return Some(
            "the specification bans these characters everywhere; the crate takes them in comments and raw texts",
        );
    }
    if text.match_indices("#\"\"\"").any(|(at, it)| !text[at + it.len()..].starts_with(['\n', '\r', '\u{85}'])) {
        return Some("by the test suite, a raw text on one line cannot start with three quotes; the crate takes it");
    }
    if text.match_indices("-inf").any(|(at, _)| !text[..at].ends_with('#')) {
        return Some("the specification bans `-inf` without `#` as a word; the crate takes it");
    }
    None
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_texts_are_read_alike(text in pieces()) {
        prop_assert!(differs_on_purpose(&text).is_some() || compare(&text) == Ok(()), "{text:?}\n{:?}", compare(&text));
    }

    #[test]
    fn damaged_stacks_are_read_alike(text in damaged()) {
        prop_assert!(differs_on_purpose(&text).is_some() || compare(&text) == Ok(()), "{text}\n{:?}", compare(&text));
    }
}

fn compare(text: &str) -> Result<(), String> {
    let (document, mut errors) = read_kdl(text);
    let refused = errors.iter().any(|error| error.grammatical);
    errors.retain(|error| !error.grammatical);
    match (KdlDocument::parse(text), errors.as_slice()) {
        (Err(_), [_, ..]) => Ok(()),
        // What cannot be held, or cannot be meant.
        (_, []) if refused => Ok(()),
        (Ok(theirs_), []) => {
            let theirs: Vec<Line> = theirs_.nodes().iter().map(theirs).collect();
            let ours: Vec<Line> = document.nodes.iter().map(ours).collect();
            if theirs == ours { Ok(()) } else { Err(format!("other trees\nours   {ours:?}\ntheirs {theirs:?}")) }
        }
        // The crate is lax around what is switched off: no line end behind a line, no space behind a value,
        // `/-` twice. The grammar is not.
        (Ok(_), _) if text.contains("/-") => Ok(()),
        (Ok(_), errors) => Err(format!("we refuse: {errors:?}")),
        // The crate does not take a `;` behind a line that is switched off, if it is the last one.
        (Err(_), []) if text.contains("/-") && text.contains(';') => compare(&text.replace(';', "\n")),
        (Err(error), []) => {
            let said: Vec<String> = error.diagnostics.iter().map(|it| format!("{:?}", it.message)).collect();
            Err(format!("they refuse: {said:?}"))
        }
    }
}

/// The test cases in the sources of the `kdl` crate.
fn test_cases() -> PathBuf {
    let cargo = |args: &[&str]| {
        let output = Command::new(env!("CARGO")).args(args).output().expect("cargo runs");
        String::from_utf8(output.stdout).expect("cargo writes text")
    };
    let about = cargo(&["-vV"]);
    let host = about.lines().find_map(|line| line.strip_prefix("host: ")).expect("cargo names its host");
    let project = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
    let project = project.to_str().expect("a path in UTF-8");
    // Without the platform it would ask for what only other ones need, which nobody has downloaded.
    let metadata =
        cargo(&["metadata", "--format-version=1", "--offline", "--filter-platform", host, "--manifest-path", project]);
    let manifest = metadata
        .split("\"manifest_path\":\"")
        .filter_map(|it| it.split('"').next())
        .find(|path| path.contains("/kdl-6.") || path.contains("\\\\kdl-6."))
        .expect("the kdl crate is a dependency of the tests");
    let manifest = PathBuf::from(manifest.replace("\\\\", "\\"));
    manifest.parent().expect("a folder").join("tests/test_cases")
}

#[test]
fn the_official_test_cases() {
    let folder = test_cases();
    let mut names: Vec<PathBuf> = fs::read_dir(folder.join("input"))
        .expect("the kdl crate carries the test cases")
        .map(|entry| entry.expect("readable").path())
        .collect();
    names.sort();
    assert!(names.len() > 300, "{} test cases", names.len());
    let mut wrong = Vec::new();
    for path in &names {
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        let text = fs::read_to_string(path).expect("text");
        let valid = !read_kdl(&text).1.iter().any(|error| !error.grammatical);
        if valid == name.ends_with("_fail") {
            wrong.push(format!("{name}: by its name it must {}", if valid { "fail" } else { "be read" }));
        }
        if let Err(why) = compare(&text)
            && differs_on_purpose(&text).is_none()
        {
            wrong.push(format!("{name}: {why}\n{text}"));
        }
    }
    assert!(wrong.is_empty(), "{} of {}\n{}", wrong.len(), names.len(), wrong.join("\n"));
}
