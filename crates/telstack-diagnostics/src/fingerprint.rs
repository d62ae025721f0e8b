//! What tells a finding from others when lines have moved since.

use std::{collections::BTreeMap, fmt::Write as _};

use sha2::{Digest, Sha256};

use crate::{Diagnostic, SourceMap};

/// How many bytes of a hash tell findings apart.
const KEPT: usize = 8;

/// What a finding is about: its code, the text that it points at and the line around it, but neither the number
/// of the line nor its indentation, nor the file. The same mistake written twice has the same fingerprint.
pub fn fingerprint(diagnostic: &Diagnostic, sources: &SourceMap) -> String {
    match &diagnostic.primary {
        Some(label) => {
            let line = sources.start(label.span).line;
            let line = sources.file(label.span.file).line_text(line).unwrap_or_default();
            let words = line.split_whitespace().collect::<Vec<_>>().join(" ");
            let slice = sources.slice(label.span).lines().next().unwrap_or_default().trim();
            hashed(&[diagnostic.rule.code, slice, &words])
        }
        None => hashed(&[diagnostic.rule.code, &diagnostic.message]),
    }
}

/// For each finding, in order, a fingerprint that no other finding of the report has.
pub fn unique_fingerprints(diagnostics: &[Diagnostic], sources: &SourceMap) -> Vec<String> {
    let mut seen: BTreeMap<(String, String), usize> = BTreeMap::new();
    let mut all = Vec::new();
    for it in diagnostics {
        let file = it.primary.as_ref().map_or("", |label| sources.file(label.span.file).name()).to_owned();
        let print = fingerprint(it, sources);
        let count = seen.entry((file.clone(), print.clone())).or_default();
        *count += 1;
        all.push(hashed(&[&file, &print, &count.to_string()]));
    }
    all
}

/// Each part ends in a byte that text cannot hold, so that no two lists are one text.
fn hashed(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.as_bytes());
        hash.update([0xff]);
    }
    hash.finalize().iter().take(KEPT).fold(String::new(), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{RuleInfo, Severity, Span};

    static RULE: RuleInfo = RuleInfo {
        code: "N002",
        name: "x",
        severity: Severity::Error,
        summary: "",
        why: "",
        bad: "",
        good: "",
        silent: "",
        sources: &[],
    };

    fn at(text: &str, slice: &str) -> (Diagnostic, SourceMap) {
        let mut sources = SourceMap::default();
        let file = sources.add("a.yaml", text);
        let start = text.find(slice).expect("there");
        (Diagnostic::new(&RULE, "m").at(Span::new(file, start, start + slice.len()), ""), sources)
    }

    fn print(text: &str, slice: &str) -> String {
        let (it, sources) = at(text, slice);
        fingerprint(&it, &sources)
    }

    #[test]
    fn moved_and_indented_lines_keep_it_and_changed_ones_do_not() {
        let before = print("endpoint: loki:4317\n", "loki:4317");
        assert_eq!(before, print("# more\n\nx:\n    endpoint:  loki:4317\n", "loki:4317"));
        assert_ne!(before, print("endpoint: loki:4318\n", "loki:4318"));
        assert_ne!(before, print("endpoint: loki:4317\n", "endpoint"));
    }

    #[test]
    fn the_same_mistake_twice_is_two_findings() {
        let (it, sources) = at("a: 1\n", "1");
        let all = unique_fingerprints(&[it.clone(), it], &sources);
        assert_ne!(all[0], all[1]);
        assert_eq!(all[0].len(), KEPT * 2);
    }
}
