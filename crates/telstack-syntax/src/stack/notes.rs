//! Comments and blank lines around the lines of a stack, by the place of each line's word, so that another
//! syntax can put them where they belong.

use std::{cmp::Reverse, collections::BTreeMap};

use telstack_diagnostics::Span;

use super::Node;

/// What stands around a line.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Note {
    /// Comments above it, a line each, without their marks; none for a blank line between two.
    pub above: Vec<Option<String>>,
    /// Comments behind it.
    pub behind: Vec<String>,
    /// A blank line above it, and above its comments.
    pub gap: bool,
}

/// The notes of a file.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Notes {
    /// By the place of its word: an item of a list and the first line in it start at the same byte.
    lines: BTreeMap<Span, Note>,
    /// Comments behind the last line of the file.
    pub end: Vec<String>,
}

/// A comment as it was found.
pub(super) struct Comment {
    /// Its first byte.
    pub at: usize,
    /// Its lines, without marks.
    pub lines: Vec<String>,
}

impl Notes {
    /// The note of a line.
    pub fn of(&self, node: &Node) -> Note {
        self.lines.get(&node.name.span).cloned().unwrap_or_default()
    }

    /// Gives each comment to the line that it stands in or behind, or else above.
    pub(super) fn new(text: &str, nodes: &[Node], comments: Vec<Comment>) -> Self {
        let mut heads = Vec::new();
        places(nodes, &mut heads);
        // Of two that start together the outer one comes first.
        heads.sort_by_key(|(word, _)| (word.start, Reverse(word.end)));
        let mut found = Self::default();
        let mut first: BTreeMap<Span, usize> = BTreeMap::new();
        for comment in comments {
            let line = line_start(text, comment.at);
            let next = heads.partition_point(|(word, _)| (word.start as usize) < comment.at);
            let own = text.get(line..comment.at).unwrap_or_default().trim().is_empty();
            let before = next.checked_sub(1).and_then(|at| heads.get(at));
            // Values may go on over several lines.
            let behind = before.filter(|(word, end)| !own && (word.start.max(*end) as usize) > line);
            let inside = before.filter(|(_, end)| comment.at < *end as usize);
            match (behind.filter(|_| inside.is_none()), inside, heads.get(next)) {
                (Some((word, _)), ..) => found.lines.entry(*word).or_default().behind.extend(comment.lines),
                (None, inside, Some((word, _))) | (None, inside @ Some((word, _)), None) => {
                    let word = inside.map_or(word, |(word, _)| word);
                    let above = &mut found.lines.entry(*word).or_default().above;
                    if inside.is_none() {
                        first.entry(*word).or_insert(line);
                        if !above.is_empty() && is_behind_blank(text, line) {
                            above.push(None);
                        }
                    }
                    above.extend(comment.lines.into_iter().map(Some));
                }
                (None, None, None) => found.end.extend(comment.lines),
            }
        }
        for (at, (word, _)) in heads.iter().enumerate() {
            let start = word.start as usize;
            let earlier = at.checked_sub(1).map(|at| heads[at].0.start as usize);
            if earlier == Some(start) {
                continue;
            }
            let mut line = line_start(text, start);
            let leads = text.get(line..start).unwrap_or_default().chars().all(|c| c.is_whitespace() || c == '-');
            // In YAML the word of a line with a name may stand on a line of its own, above the name.
            let above = line.checked_sub(1).map(|end| line_start(text, end)).filter(|above| {
                let alone = earlier.is_none_or(|earlier| earlier < *above);
                alone && text.get(*above..line).is_some_and(|it| it.trim_end().ends_with(':'))
            });
            line = above.unwrap_or(line);
            let top = first.get(word).copied().unwrap_or(line).min(line);
            if leads && is_behind_blank(text, top) {
                found.lines.entry(*word).or_default().gap = true;
            }
            if leads && top < line && is_behind_blank(text, line) {
                found.lines.entry(*word).or_default().above.push(None);
            }
        }
        found
    }
}

/// The lines of a comment, without white space around them and without its own margin.
pub(super) fn plain_lines(text: &str) -> Vec<String> {
    let breaks = |c: char| c == '\n' || matches!(c, '\r' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}');
    let lines: Vec<&str> = text.split(breaks).map(str::trim).collect();
    let text = |line: &&&str| !line.is_empty();
    let first = lines.iter().position(|line| text(&line)).unwrap_or(0);
    let last = lines.iter().rposition(|line| text(&line)).unwrap_or(0);
    lines.get(first..=last).unwrap_or_default().iter().map(|line| (*line).to_owned()).collect()
}

/// The words of all lines, and where their values end.
fn places(nodes: &[Node], heads: &mut Vec<(Span, u32)>) {
    for node in nodes {
        heads.push((node.name.span, node.head.end));
        places(node.children(), heads);
    }
}

/// Is the line before the one that starts here empty?
fn is_behind_blank(text: &str, line: usize) -> bool {
    let above = line.checked_sub(1).map(|end| line_start(text, end)..line);
    above.is_some_and(|above| text.get(above).unwrap_or_default().trim().is_empty())
}

fn line_start(text: &str, at: usize) -> usize {
    text.get(..at).and_then(|text| text.rfind('\n')).map_or(0, |at| at + 1)
}
