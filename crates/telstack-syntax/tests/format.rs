//! `telstack fmt`: what it writes means the same, keeps every comment, and is left alone the second time.

mod support;

use proptest::{prelude::*, strategy::ValueTree};
use support::{PIECES, damaged, file, pieces, read_kdl, tree};
use telstack_syntax::stack::format_kdl;

fn format(text: &str) -> String {
    format_kdl(file(), text).unwrap_or_else(|errors| panic!("{text}\n{errors:?}"))
}

/// Comments in order, without the white space at their ends. Texts of the tests hold no `//` and no `/*`.
fn comments(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find('/') {
        rest = &rest[at..];
        let length = if rest.starts_with("//") {
            rest.find(['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}', '\u{b}', '\u{c}']).unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            let (mut depth, mut at) = (0, 0);
            loop {
                match rest.get(at..at + 2) {
                    Some("/*") => {
                        depth += 1;
                        at += 2;
                    }
                    Some("*/") => {
                        depth -= 1;
                        at += 2;
                    }
                    _ => at += rest[at..].chars().next().map_or(1, char::len_utf8),
                }
                if depth == 0 || at >= rest.len() {
                    break at.min(rest.len());
                }
            }
        } else {
            rest = &rest[1..];
            continue;
        };
        found.push(rest[..length].trim_end().replace("\r\n", "\n"));
        rest = &rest[length..];
    }
    found
}

/// `told`: are all comments plain to see?
fn holds(text: &str, told: bool) -> Result<(), TestCaseError> {
    let (document, errors) = read_kdl(text);
    if !errors.is_empty() {
        prop_assert!(format_kdl(file(), text).is_err());
        return Ok(());
    }
    let once = format(text);
    let (again, errors) = read_kdl(&once);
    prop_assert_eq!(&errors, &[], "{:?}\n{}", text, once);
    prop_assert_eq!(tree(&document.nodes), tree(&again.nodes), "{:?}\n{}", text, once);
    prop_assert_eq!(&format(&once), &once, "{:?}", text);
    prop_assert!(!told || comments(text) == comments(&once), "{:?}\n{}", text, once);
    prop_assert!(!once.contains("\n\n\n") || text.contains("\"\"\"") || text.contains("/*"), "{:?}", once);
    Ok(())
}

/// Texts that are nearly always KDL, with comments and switched-off parts in every place.
fn valid() -> impl Strategy<Value = String> {
    let space = prop::sample::select(vec![
        " ",
        "  ",
        "\t",
        " /* c */ ",
        " \\\n",
        " \\ // e\n  ",
        " \\ /* d */ \n",
        "\u{3000}",
        " \\\r\n ",
    ]);
    let glue = prop::sample::select(vec!["", "", "", " ", " /* g */ ", " \\\n", " \\ // h\n"]);
    let off = prop::sample::select(vec!["", "", "", "", "/-", "/- ", "/- // o\n", "/-\n /* p */ "]);
    let word = prop::sample::select(vec!["a", "-", "\"b c\"", "#\"r\"#", "é", "\"\"\"\n  m\n  \"\"\""]);
    let value = prop::sample::select(vec![
        "1",
        "0x1F",
        "1_0.50",
        "#true",
        "x",
        "\"y z\"",
        "\"\"\"\n    m\n\n   n\n  \"\"\"",
        "#\"\\\"#",
        "#-inf",
    ]);
    let end = prop::sample::select(vec![
        "\n",
        "\n\n\n",
        ";",
        "; ",
        " // l\n",
        " /* k */ // l  \n",
        "\r\n",
        ";\n// own\n",
        "\n/* own */ ",
        "; /* n */ ",
    ]);
    let tag =
        (glue.clone(), word.clone(), glue.clone(), glue.clone()).prop_map(|(a, w, b, c)| format!("({a}{w}{b}){c}"));
    let tag = prop::option::weighted(0.2, tag).prop_map(Option::unwrap_or_default);
    let key =
        prop::option::weighted(0.3, (word.clone(), glue.clone(), glue).prop_map(|(w, a, b)| format!("{w}{a}={b}")));
    let entry = (space.clone(), off.clone(), key, tag.clone(), value)
        .prop_map(|(s, o, k, t, v)| format!("{s}{o}{}{t}{v}", k.unwrap_or_default()));
    let entries = prop::collection::vec(entry, 0..3).prop_map(|it| it.concat());
    let leaf = (off.clone(), tag, word, entries).prop_map(|(o, _, w, e)| format!("{o}{w}{e}"));
    let open = prop::sample::select(vec!["{", "{ ", "{\n", "{ // f\n", "{\n\n  // g\n", "{ /* h */ "]);
    leaf.clone().prop_recursive(3, 24, 4, move |inner| {
        let lines = prop::collection::vec((inner, end.clone()), 0..4)
            .prop_map(|it| it.into_iter().map(|(line, end)| line + end).collect::<String>());
        let block = (space.clone(), off.clone(), open.clone(), lines)
            .prop_map(|(s, o, open, it)| format!("{s}{o}{open}{it}}}"));
        (leaf.clone(), prop::collection::vec(block, 0..2)).prop_map(|(leaf, blocks)| leaf + &blocks.concat())
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_kdl_keeps_its_meaning_and_comments(lines in prop::collection::vec(valid(), 0..4), ends in "[;\n]") {
        holds(&lines.join(&ends), true)?;
    }

    #[test]
    fn random_texts_keep_their_meaning(text in pieces()) {
        holds(&text, false)?;
    }

    #[test]
    fn damaged_stacks_keep_their_meaning(text in damaged()) {
        holds(&text, false)?;
    }
}

#[test]
fn most_of_what_is_made_up_is_kdl() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let texts = (0..300).map(|_| valid().new_tree(&mut runner).expect("a text").current());
    let good = texts.filter(|text| read_kdl(text).1.is_empty()).count();
    assert!(good > 150, "{good} of 300");
}

#[test]
fn pieces_alone() {
    for piece in PIECES {
        holds(piece, true).expect("it holds");
    }
}

#[test]
fn by_example() {
    let text = r##"

// Head

a   "x"  k = 1 ;b // behind b
c { d 1;e   2 ; } /* behind c */
f {  // behind the brace

    // own line


  g 0x1F 1_000 #"raw"#   /- off
    /-h   { i }
 j { k
   }

}
/- kdl-version 2
l \
   "one" \ // why
   "two"
m {}
n {
}
o { p { q "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"; r "cccccccccccccccccccccccc" }; s 1 }
// Tail
"##;
    let wanted = r##"// Head

a "x" k=1
b // behind b
c { d 1; e 2 } /* behind c */
f { // behind the brace

    // own line

    g 0x1F 1_000 #"raw"# /-off
    /-h { i }
    j {
        k
    }
}
/- kdl-version 2
l \
    "one" \ // why
    "two"
m {}
n {}
o {
    p { q "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"; r "cccccccccccccccccccccccc" }
    s 1
}
// Tail
"##;
    assert_eq!(format(text), wanted);
}
