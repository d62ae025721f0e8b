//! Texts that were made to take long: reading them takes time and memory by their length, and no more.

use telstack_diagnostics::SourceMap;
use telstack_syntax::stack::parse_kdl;

#[test]
fn hostile_texts_cost_no_more_than_their_length() {
    let times = |piece: &str| piece.repeat(200_000 / piece.len());
    let texts = [
        times("{"),
        times("}"),
        times("a{"),
        times("\""),
        times("#\""),
        times("{\""),
        times("\"a\"b;"),
        times("\"\"\"\n"),
        times("#\"\"\"\n"),
        times("\"a\\\n"),
        times("/*"),
        times("/-"),
        times("\\"),
        times("("),
        times("a="),
        times("a/"),
        times("#"),
        times("\"{\\\""),
        times("a \"b\nc {\n"),
        times(";"),
        times("a;"),
        times("#\"a\"# "),
        times("}{"),
        times("\r"),
        times(" }\n  }\n"),
        times("  a {\n"),
        times("a//"),
        times("99999999999"),
        times("a\\\n"),
        times("\"\"\"x\"\"\" "),
    ];
    let mut sources = SourceMap::default();
    let started = std::time::Instant::now();
    for text in &texts {
        let file = sources.add("t", "");
        let (_, errors) = parse_kdl(file, text);
        assert!(errors.len() <= 310, "{} errors", errors.len());
    }
    assert!(started.elapsed().as_secs() < 60, "{:?}", started.elapsed());
}
