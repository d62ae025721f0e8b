use super::*;
use crate::{Fix, apply};

fn done(text: &str, change: impl FnOnce(&dyn Fn(&str) -> Span) -> Change) -> Option<String> {
    let mut sources = SourceMap::default();
    let file = sources.add("a.yaml", text);
    let span = |slice: &str| {
        let start = text.find(slice).expect("there");
        Span::new(file, start, start + slice.len())
    };
    let mut fix = Fix::safe("x", vec![change(&span)]);
    fix.resolve(&sources).then(|| apply(text, &fix.edits.iter().collect::<Vec<_>>()))
}

#[test]
fn words_change_and_quotes_stay() {
    let renamed = |text, slice: &'static str| done(text, |at| Change::rename(at(slice), "otlphttp", "otlp_http"));
    assert_eq!(renamed("a: 'otlphttp/x' # y\n", "'otlphttp/x'").as_deref(), Some("a: 'otlp_http/x' # y\n"));
    assert_eq!(renamed("otlphttp/otlphttp:\n", "otlphttp/otlphttp").as_deref(), Some("otlp_http/otlphttp:\n"));
    assert_eq!(renamed("a otlphttp b", "a otlphttp b").as_deref(), Some("a otlp_http b"));
    assert_eq!(renamed("a otlphttp otlphttp", "a otlphttp otlphttp"), None);
    assert_eq!(renamed("another", "another"), None);
}

#[test]
fn values_get_quotes_where_they_need_them() {
    let renamed = |text, slice: &'static str| done(text, |at| Change::rename(at(slice), "$X", "${env:X}"));
    assert_eq!(renamed("a: {b: $X}\n", "$X").as_deref(), Some("a: {b: \"${env:X}\"}\n"));
    assert_eq!(
        renamed("a: [http://$X:80 # c\n, d]\n", "http://$X:80").as_deref(),
        Some("a: [\"http://${env:X}:80\" # c\n, d]\n")
    );
    assert_eq!(renamed("a: {b: a\"$X}\n", "a\"$X").as_deref(), Some("a: {b: 'a\"${env:X}'}\n"));
    assert_eq!(renamed("a: {b: '$X'}\n", "'$X'").as_deref(), Some("a: {b: '${env:X}'}\n"));
    assert_eq!(renamed("a:\n  b: $X\n", "$X").as_deref(), Some("a:\n  b: ${env:X}\n"), "not in lines");
}

fn last_first(text: &str, items: &[&str]) -> Option<String> {
    let mut order: Vec<usize> = (0..items.len()).collect();
    order.rotate_right(1);
    done(text, |at| Change::Reorder { items: items.iter().map(|it| at(it)).collect(), order })
}

#[test]
fn items_move_with_their_remarks() {
    assert_eq!(last_first("p: [aa, 'bb', cc]\n", &["aa", "'bb'", "cc"]).as_deref(), Some("p: [cc, aa, 'bb']\n"));
    let block = "p:\n  # first\n  - aa # one\n  # second\n\n  - bb\nq:\n";
    let moved = "p:\n  # second\n\n  - bb\n  # first\n  - aa # one\nq:\n";
    assert_eq!(last_first(block, &["aa", "bb"]).as_deref(), Some(moved));
    assert_eq!(last_first("p:\r\n- aa\r\n- bb", &["aa", "bb"]).as_deref(), Some("p:\r\n- bb\r\n- aa"));
    let lines = "p: [\n  aa,\n  bb,\n]\n";
    assert_eq!(last_first(lines, &["aa", "bb"]).as_deref(), Some("p: [\n  bb,\n  aa,\n]\n"));
    assert_eq!(last_first("p: [\n  aa, # one\n  bb,\n]\n", &["aa", "bb"]), None, "the remark would lie");
}

#[test]
fn an_entry_becomes_other_lines() {
    let lines = |text, slice: &'static str| {
        done(text, |at| Change::Lines { entry: at(slice), lines: "x:\n  - y: 1\n".to_owned() })
    };
    assert_eq!(lines("m:\n  a: b # c\n  d: e\n", "a: b").as_deref(), Some("m:\n  x: # c\n    - y: 1\n  d: e\n"));
    assert_eq!(lines("m:\r\n  a: b", "a: b").as_deref(), Some("m:\r\n  x:\n    - y: 1"));
    assert_eq!(lines("m: {a: b}\n", "a: b"), None);
}

fn behind(text: &str, slice: &str) -> Option<String> {
    let (lines, flow) = ("x:\n  y: 1".to_owned(), "x: {y: 1}".to_owned());
    done(text, |at| Change::Add { spot: Spot::Behind(at(slice)), lines, flow })
}

fn under(text: &str, key: &str, value: Option<&str>) -> Option<String> {
    let (lines, flow) = ("x:\n  y: 1".to_owned(), "x: {y: 1}".to_owned());
    done(text, |at| Change::Add { spot: Spot::Under { key: at(key), value: value.map(at) }, lines, flow })
}

#[test]
fn one_more_entry() {
    assert_eq!(behind("m:\n  a: b # c\n\nn: 1\n", "a: b").as_deref(), Some("m:\n  a: b # c\n  x:\n    y: 1\n\nn: 1\n"));
    assert_eq!(
        behind("m:\n  a:\n    b: |\n      c\n", "a:\n    b: |\n      c\n").as_deref(),
        Some("m:\n  a:\n    b: |\n      c\n  x:\n    y: 1\n")
    );
    assert_eq!(behind("- a: b\n", "a: b").as_deref(), Some("- a: b\n  x:\n    y: 1\n"));
    assert_eq!(behind("m: {a: b}\n", "a: b").as_deref(), Some("m: {a: b, x: {y: 1}}\n"));
    assert_eq!(behind("m: {\n  a: b\n}\n", "a: b").as_deref(), Some("m: {\n  a: b, x: {y: 1}\n}\n"));
    assert_eq!(behind("m:\r\n  a: b\r\n", "a: b").as_deref(), Some("m:\r\n  a: b\r\n  x:\r\n    y: 1\r\n"));
    // What stands in braces ends with them, and the map around it may have lines.
    assert_eq!(behind("m:\n  a: {b: c}\n", "a: {b: c}").as_deref(), Some("m:\n  a: {b: c}\n  x:\n    y: 1\n"));
    assert_eq!(behind("m: {a: b # c\n  }\n", "a: b").as_deref(), Some("m: {a: b, x: {y: 1} # c\n  }\n"));
    assert_eq!(behind("m: {a: b,}\n", "a: b").as_deref(), Some("m: {a: b, x: {y: 1},}\n"));
    assert_eq!(behind("m: {a: b, c: }\n", "c").as_deref(), Some("m: {a: b, c: , x: {y: 1} }\n"));
    assert_eq!(behind("m:\n  a:  # c\n", "a").as_deref(), Some("m:\n  a:  # c\n  x:\n    y: 1\n"));
    assert_eq!(behind("m:\n  a: |+\n    b\n\nn: 1\n", "a: |+\n    b\n"), None, "its last line would go");
    assert_eq!(
        under("m:\n  grpc: # c\n  http:\n", "grpc", None).as_deref(),
        Some("m:\n  grpc: # c\n    x:\n      y: 1\n  http:\n")
    );
    assert_eq!(under("m: {grpc: , http: }\n", "grpc", None).as_deref(), Some("m: {grpc: {x: {y: 1}} , http: }\n"));
    assert_eq!(under("m: {grpc: {}}\n", "grpc", Some("{}")).as_deref(), Some("m: {grpc: {x: {y: 1}}}\n"));
    assert_eq!(under("grpc", "grpc", None), None);
    assert_eq!(under("grpc: ~\n", "grpc", Some("~")), None);
}

#[test]
fn one_entry_less() {
    let less = |text, slice: &'static str| done(text, |at| Change::Remove { entry: at(slice) });
    assert_eq!(less("m:\n  # of a\n  a: b # c\n  d: e\n", "a: b").as_deref(), Some("m:\n  # of a\n  d: e\n"));
    assert_eq!(less("m:\n  a:\n    - b\n    - c\nd: e", "a:\n    - b\n    - c\n").as_deref(), Some("m:\nd: e"));
    assert_eq!(less("m: {a: b, d: e}\n", "a: b").as_deref(), Some("m: {d: e}\n"));
    assert_eq!(less("m: {a: b, d: e}\n", "d: e").as_deref(), Some("m: {a: b}\n"));
    assert_eq!(less("m: {a: b}\n", "a: b").as_deref(), Some("m: {}\n"));
    assert_eq!(less("- a: b\n  c: d\n", "a: b"), None);
}

#[test]
fn one_more_word_of_a_line() {
    let more = |text, slice: &'static str| done(text, |at| Change::Word { line: at(slice), word: "--x".to_owned() });
    assert_eq!(more("c: --a --b # d\n", "--a --b").as_deref(), Some("c: --a --b --x # d\n"));
    assert_eq!(more("c: '--a'\n", "'--a'").as_deref(), Some("c: '--a --x'\n"));
    assert_eq!(more("c: >\n  --a\n  --b\n", ">\n  --a\n  --b\n").as_deref(), Some("c: >\n  --a\n  --b --x\n"));
}

#[test]
fn one_more_item() {
    let append =
        |text, slice: &'static str| done(text, |at| Change::Append { last: at(slice), item: "new".to_owned() });
    assert_eq!(append("e: [a, bb]\n", "bb").as_deref(), Some("e: [a, bb, new]\n"));
    assert_eq!(append("e:\n  - bb # x\nf:\n", "bb").as_deref(), Some("e:\n  - bb # x\n  - new\nf:\n"));
    assert_eq!(append("e: bb\n", "bb"), None);
    assert_eq!(append("e: [\n  bb # x\n]\n", "bb").as_deref(), Some("e: [\n  bb, new # x\n]\n"));
    assert_eq!(append("e:\n- \"b\n  b\"\nf:\n", "\"b\n  b\"").as_deref(), Some("e:\n- \"b\n  b\"\n- new\nf:\n"));
    assert_eq!(append("e:\n- |\n  b\n  c\nf:\n", "b\n  c\n").as_deref(), None);
    assert_eq!(append("e:\n- |+\n  b\n\nf:\n", "|+\n  b\n"), None);
}

#[test]
fn an_item_goes() {
    let dropped = |text, slice: &'static str| done(text, |at| Change::Drop { item: at(slice) });
    assert_eq!(dropped("p: [aa, bb, cc]\n", "bb").as_deref(), Some("p: [aa, cc]\n"));
    assert_eq!(dropped("p: [aa, 'bb' ]\n", "'bb'").as_deref(), Some("p: [aa ]\n"));
    assert_eq!(dropped("p:\n- aa\n- bb # two\nq:\n", "bb").as_deref(), Some("p:\n- aa\nq:\n"));
    assert_eq!(dropped("p:\r\n  - aa\r\n  - bb", "aa").as_deref(), Some("p:\r\n  - bb"));
    assert_eq!(dropped("p: [aa]\n", "aa"), None);
    assert_eq!(dropped("p: aa\n", "aa"), None);
}
