//! Comments and blank lines around the lines of a stack, by the place of each line's word, so that another
//! syntax can put them where they belong.

use std::collections::BTreeMap;

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
    lines: BTreeMap<u32, Note>,
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
        self.lines.get(&node.name.span.start).cloned().unwrap_or_default()
    }

    /// Gives each comment to the line that it stands behind, or above.
    pub(super) fn new(text: &str, nodes: &[Node], comments: Vec<Comment>) -> Self {
        let mut starts = Vec::new();
        places(nodes, &mut starts);
        starts.sort_unstable();
        let mut found = Self::default();
        let mut first: BTreeMap<u32, usize> = BTreeMap::new();
        for comment in comments {
            let line = line_start(text, comment.at);
            let next = starts.partition_point(|start| (*start as usize) < comment.at);
            let own = text.get(line..comment.at).unwrap_or_default().trim().is_empty();
            let before = next.checked_sub(1).and_then(|at| starts.get(at)).filter(|start| **start as usize >= line);
            match (before, starts.get(next)) {
                (Some(start), _) if !own => found.lines.entry(*start).or_default().behind.extend(comment.lines),
                (_, Some(start)) => {
                    first.entry(*start).or_insert(line);
                    let above = &mut found.lines.entry(*start).or_default().above;
                    if !above.is_empty() && is_behind_blank(text, line) {
                        above.push(None);
                    }
                    above.extend(comment.lines.into_iter().map(Some));
                }
                (_, None) => found.end.extend(comment.lines),
            }
        }
        for (at, start) in starts.iter().copied().enumerate() {
            let mut line = line_start(text, start as usize);
            let leads =
                text.get(line..start as usize).unwrap_or_default().chars().all(|c| c.is_whitespace() || c == '-');
            // In YAML the word of a line with a name may stand on a line of its own, above the name.
            let word = line.checked_sub(1).map(|end| line_start(text, end)).filter(|word| {
                let alone = at.checked_sub(1).is_none_or(|at| (starts[at] as usize) < *word);
                alone && text.get(*word..line).is_some_and(|it| it.trim_end().ends_with(':'))
            });
            line = word.unwrap_or(line);
            let top = first.get(&start).copied().unwrap_or(line).min(line);
            if leads && is_behind_blank(text, top) {
                found.lines.entry(start).or_default().gap = true;
            }
            if leads && top < line && is_behind_blank(text, line) {
                found.lines.entry(start).or_default().above.push(None);
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

fn places(nodes: &[Node], starts: &mut Vec<u32>) {
    for node in nodes {
        starts.push(node.name.span.start);
        places(node.children(), starts);
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
