//! The lines of a file that a report shows, made fit for a terminal: control characters as pictures, of long
//! lines only what surrounds the labels.

use std::{borrow::Cow, collections::BTreeMap};

use crate::{SourceFile, Span};

/// Longest line that is shown whole, in characters.
const LONGEST_LINE: usize = 400;
/// Longest word of a message that is shown whole, in characters.
const LONGEST_WORD: usize = 120;
/// Most words of a message that are shown.
const MOST_WORDS: usize = 300;
/// How much is shown on both sides of a label in a longer line, in characters.
const AROUND: usize = 60;
/// Most of a label that is shown in a longer line, in characters.
const LABEL: usize = 120;

/// Text without characters that do something to a terminal: control characters become the pictures that Unicode
/// has for them, marks that turn the direction of writing become `�`. Tabs and line feeds stay.
pub fn printable(text: &str) -> Cow<'_, str> {
    if text.chars().all(|c| picture(c) == c) { Cow::Borrowed(text) } else { text.chars().map(picture).collect() }
}

/// Words of a finding, fit to be shown: printable, and not longer than anybody reads.
pub(super) fn told(text: &str) -> String {
    let text = printable(text);
    let mut out = String::new();
    for (count, word) in text.split_inclusive([' ', '\n']).enumerate() {
        if count >= MOST_WORDS {
            out.push('…');
            break;
        }
        if word.len() <= LONGEST_WORD {
            out += word;
        } else {
            // The end of a name tells as much as its start.
            let length = word.chars().count();
            let end = LONGEST_WORD / 4;
            out.extend(word.chars().take(LONGEST_WORD.min(length) - end));
            out += if length > LONGEST_WORD { "…" } else { "" };
            out.extend(word.chars().skip(length - end));
        }
    }
    out
}

fn picture(c: char) -> char {
    match c {
        '\t' | '\n' => c,
        '\0'..='\u{1f}' => char::from_u32(0x2400 + u32::from(c)).unwrap_or('\u{fffd}'),
        '\u{7f}' => '\u{2421}',
        '\u{80}'..='\u{9f}'
        | '\u{200e}'
        | '\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2066}'..='\u{2069}'
        | '\u{feff}' => '\u{fffd}',
        c => c,
    }
}

/// A file as far as a report shows it. It has the same line numbers.
pub(super) struct Excerpt {
    pub(super) text: String,
    /// Byte offsets in the file, and where they are here.
    places: BTreeMap<u32, usize>,
    /// Lines of which only a part is shown: the column that a label has here, and in the file.
    pub(super) columns: Vec<Column>,
}

/// A column that is another one in the excerpt. All are 1-based.
pub(super) struct Column {
    pub(super) line: usize,
    pub(super) shown: usize,
    pub(super) real: usize,
}

impl Excerpt {
    /// The lines of `file` that `spans` start in. A span that goes on behind its line ends with it.
    pub(super) fn new(file: &SourceFile, spans: &[Span]) -> Self {
        let mut lines: BTreeMap<usize, Vec<Span>> = BTreeMap::new();
        for span in spans {
            lines.entry(file.line_column(span.start).line).or_default().push(*span);
        }
        let mut out = Self { text: String::new(), places: BTreeMap::new(), columns: Vec::new() };
        let mut at = 1;
        for (line, spans) in lines {
            out.text.extend(std::iter::repeat_n('\n', line - at));
            out.line(file, line, &spans);
            // What points at the end of a line points at this.
            out.text.push('\n');
            at = line + 1;
        }
        out
    }

    /// Where a span is shown.
    pub(super) fn place(&self, span: Span) -> std::ops::Range<usize> {
        let of = |at: u32| self.places.get(&at).copied().unwrap_or_default();
        let start = of(span.start);
        start..of(span.end).max(start + 1)
    }

    fn line(&mut self, file: &SourceFile, line: usize, spans: &[Span]) {
        let whole = file.line_text(line).unwrap_or_default();
        let start = file.line_start(line);
        let inside = |at: u32| (at as usize).saturating_sub(start).min(whole.len());
        let shown = shown(whole, spans.iter().map(|span| inside(span.start)..inside(span.end)));
        let from = self.text.len();
        let mut last = 0;
        let mut places: Vec<u32> = spans.iter().flat_map(|span| [span.start, span.end]).collect();
        places.sort_unstable();
        let mut places = places.into_iter().peekable();
        for part in shown {
            if part.start > last {
                self.text.push('…');
            }
            for (at, c) in whole[part.clone()].char_indices() {
                while let Some(place) = places.next_if(|place| inside(*place) <= part.start + at) {
                    self.places.insert(place, self.text.len());
                }
                self.text.push(picture(c));
            }
            // A label that is not shown to its end ends here.
            while let Some(place) = places.next_if(|place| inside(*place) <= part.end) {
                self.places.insert(place, self.text.len());
            }
            last = part.end;
        }
        for place in places {
            self.places.insert(place, self.text.len());
        }
        if last < whole.len() {
            self.text.push('…');
        }
        for span in spans {
            let place = self.place(*span).start;
            let shown = self.text[from..place].chars().count() + 1;
            let real = file.line_column(span.start).column;
            if shown != real {
                self.columns.push(Column { line, shown, real });
            }
        }
    }
}

/// The parts of a line that are shown, for labels at these places.
fn shown(line: &str, labels: impl Iterator<Item = std::ops::Range<usize>>) -> Vec<std::ops::Range<usize>> {
    if line.len() <= LONGEST_LINE || line.chars().count() <= LONGEST_LINE {
        return std::iter::once(0..line.len()).collect();
    }
    let back = |at: usize| line[..at].char_indices().rev().take(AROUND).last().map_or(at, |it| it.0);
    let on = |at: usize, count| line[at..].char_indices().nth(count).map_or(line.len(), |it| at + it.0);
    let whole = |at: usize| (0..=at).rev().find(|at| line.is_char_boundary(*at)).unwrap_or(0);
    let mut parts: Vec<_> = labels
        .map(|label| {
            let (start, end) = (whole(label.start), whole(label.end));
            back(start)..on(end.clamp(start, on(start, LABEL)), AROUND)
        })
        .collect();
    parts.sort_by_key(|part| part.start);
    let mut joined: Vec<std::ops::Range<usize>> = Vec::new();
    for part in parts {
        match joined.last_mut() {
            Some(last) if part.start <= last.end => last.end = last.end.max(part.end),
            _ => joined.push(part),
        }
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SourceMap;

    fn excerpt(text: &str, spans: &[(usize, usize)]) -> (String, Vec<String>) {
        let mut sources = SourceMap::default();
        let file = sources.add("t", text);
        let spans: Vec<Span> = spans.iter().map(|(start, end)| Span::new(file, *start, *end)).collect();
        let it = Excerpt::new(sources.file(file), &spans);
        let shown = spans.iter().map(|span| it.text[it.place(*span)].to_owned()).collect();
        (it.text, shown)
    }

    #[test]
    fn the_lines_that_are_pointed_at() {
        let (text, shown) = excerpt("a\nb c\r\nd\né f", &[(9, 11), (4, 5), (3, 4)]);
        assert_eq!(text, "\nb c\n\né f\n");
        assert_eq!(shown, ["é", "c", " "]);
        assert_eq!(excerpt("ab\n", &[(2, 3), (3, 3)]), ("ab\n\n".to_owned(), vec!["\n".to_owned(); 2]));
        assert_eq!(excerpt("", &[(0, 0)]), ("\n".to_owned(), vec!["\n".to_owned()]));
    }

    #[test]
    fn what_a_terminal_would_obey_is_drawn() {
        let (text, shown) = excerpt("x\u{1b}[31m\u{202e}y", &[(1, 2), (9, 10)]);
        assert_eq!(text, "x␛[31m\u{fffd}y\n");
        assert_eq!(shown, ["␛", "y"]);
        assert_eq!(printable("a\tb\nc\rd\u{9b}\u{7f}"), "a\tb\nc␍d\u{fffd}␡");
        assert!(matches!(printable("plain, é, 漢"), Cow::Borrowed(_)));
    }

    #[test]
    fn of_a_long_line_what_surrounds_the_label() {
        let line = "é".repeat(10_000);
        let text = format!("first\n{line}X{line}Y");
        let at = 6 + line.len();
        let (text, shown) = excerpt(&text, &[(at, at + 1), (at + 1 + line.len(), at + 2 + line.len())]);
        assert_eq!(text, format!("\n…{0}X{0}…{0}Y\n", "é".repeat(AROUND)));
        assert_eq!(shown, ["X", "Y"]);
        let (text, shown) = excerpt(&line, &[(0, line.len())]);
        assert_eq!((text.chars().count(), shown[0].chars().count()), (LABEL + AROUND + 2, LABEL + AROUND));
    }

    #[test]
    fn messages_are_as_long_as_anybody_reads() {
        let word = "é".repeat(LONGEST_WORD);
        for text in ["plain `words` of a message", &word, ""] {
            assert_eq!(told(text), text);
        }
        assert_eq!(told(&format!("a {word}x b")), format!("a {}…{}x b", "é".repeat(90), "é".repeat(28)));
        assert_eq!(told(&"a ".repeat(1000)), "a ".repeat(MOST_WORDS) + "…");
    }

    #[test]
    fn columns_are_those_of_the_file() {
        let mut sources = SourceMap::default();
        let file = sources.add("t", format!("{}X", " ".repeat(1000)));
        let it = Excerpt::new(sources.file(file), &[Span::new(file, 1000, 1001)]);
        let columns: Vec<_> = it.columns.iter().map(|it| (it.line, it.shown, it.real)).collect();
        assert_eq!(columns, [(1, AROUND + 2, 1001)]);
    }
}
