//! How changes look in a text, with its quotes, comments and layout.

use super::{Change, Edit, Spot};
use crate::{SourceMap, Span};

impl Change {
    /// The edits that make it; none where the text is written in a way that does not allow it.
    pub(super) fn edits(&self, sources: &SourceMap) -> Option<Vec<Edit>> {
        match self {
            Change::Replace(edit) => Some(vec![edit.clone()]),
            Change::Rename { span, from, to } => rename(*span, from, to, sources).map(|edit| vec![edit]),
            Change::Reorder { items, order } => reorder(items, order, sources),
            Change::Lines { entry, lines } => whole_lines(*entry, lines, sources).map(|edit| vec![edit]),
            Change::Append { last, item } => append(*last, item, sources).map(|edit| vec![edit]),
            Change::Add { spot, lines, flow } => add(*spot, lines, flow, sources).map(|edit| vec![edit]),
            Change::Remove { entry } => remove(*entry, sources).map(|edit| vec![edit]),
            Change::Drop { item } => drop_item(*item, sources).map(|edit| vec![edit]),
            Change::Word { line, word } => one_more_word(*line, word, sources).map(|edit| vec![edit]),
        }
    }
}

fn rename(span: Span, from: &str, to: &str, sources: &SourceMap) -> Option<Edit> {
    let slice = sources.slice(span);
    let quoted = usize::from(slice.starts_with(['"', '\'']));
    let at = if from.is_empty() {
        return None;
    } else if slice.get(quoted..)?.starts_with(from) {
        quoted
    } else {
        let mut places = slice.match_indices(from);
        let (at, _) = places.next()?;
        // Which of several is meant, nobody can tell.
        if places.next().is_some() {
            return None;
        }
        at
    };
    if quoted == 0 && to.contains(['{', '}', '[', ']', ',']) && !from.contains(['{', '}', '[', ']', ',']) {
        let behind = sources.file(span.file).text().get(span.end as usize..)?;
        // In brackets and braces these end a value that has no quotes.
        if behind_remarks(behind).starts_with([',', '}', ']']) {
            let quote = ['"', '\''].into_iter().find(|it| !slice.contains([*it, '\\']) && !to.contains(*it))?;
            let text = format!("{quote}{}{to}{}{quote}", &slice[..at], &slice[at + from.len()..]);
            return Some(Edit { span, text });
        }
    }
    let start = span.start as usize + at;
    Some(Edit { span: Span::new(span.file, start, start + from.len()), text: to.to_owned() })
}

/// Where the line around a byte starts, and where it ends without its line end.
fn line(text: &str, at: usize) -> Option<(usize, usize)> {
    let start = text.get(..at)?.rfind('\n').map_or(0, |it| it + 1);
    let end = text.get(at..)?.find('\n').map_or(text.len(), |it| at + it);
    Some((start, if text.get(start..end)?.ends_with('\r') { end - 1 } else { end }))
}

fn is_comment(line: &str) -> bool {
    let line = line.trim_start();
    line.starts_with('#') || line.starts_with("//")
}

fn reorder(items: &[Span], order: &[usize], sources: &SourceMap) -> Option<Vec<Edit>> {
    let first = *items.first()?;
    if items.len() != order.len() || items.iter().any(|it| it.file != first.file) {
        return None;
    }
    let text = sources.file(first.file).text();
    let lines: Vec<(usize, usize)> = items.iter().map(|it| line(text, it.start as usize)).collect::<Option<_>>()?;
    let own_lines = lines.windows(2).all(|pair| pair[0].1 < pair[1].0);
    let dashed = |(span, (start, _)): (&Span, &(usize, usize))| {
        text.get(*start..span.start as usize).is_some_and(|before| before.trim() == "-")
    };
    if own_lines && items.len() > 1 && items.iter().zip(&lines).all(dashed) {
        return reorder_lines(first, &lines, order, text).map(|edit| vec![edit]);
    }
    // The values change places; a remark beside one would then stand beside another.
    let one_line = lines.iter().all(|it| it.0 == lines[0].0);
    let remarked = |(span, (_, end)): (&Span, &(usize, usize))| {
        text.get(span.end as usize..*end).is_none_or(|rest| rest.contains('#') || rest.contains("//"))
    };
    if !one_line && items.iter().zip(&lines).any(remarked) {
        return None;
    }
    let mut edits = Vec::new();
    for (span, from) in items.iter().zip(order) {
        let new = sources.slice(*items.get(*from)?);
        if new != sources.slice(*span) {
            edits.push(Edit { span: *span, text: new.to_owned() });
        }
    }
    Some(edits)
}

/// Items with a dash on lines of their own: they take with them the remark beside them and those above.
fn reorder_lines(first: Span, lines: &[(usize, usize)], order: &[usize], text: &str) -> Option<Edit> {
    let (mut start, _) = *lines.first()?;
    while let Some((above, end)) = start.checked_sub(1).and_then(|end| line(text, end)) {
        if !is_comment(text.get(above..end)?) {
            break;
        }
        start = above;
    }
    let newline = if text.get(..lines[0].1 + 2).is_some_and(|it| it.ends_with("\r\n")) { "\r\n" } else { "\n" };
    let mut chunks = Vec::new();
    let mut from = start;
    for (_, end) in lines {
        chunks.push(text.get(from..*end)?);
        from = text.get(*end..)?.find('\n').map_or(text.len(), |it| end + it + 1);
    }
    let moved: Vec<&str> = order.iter().map(|at| chunks.get(*at).copied()).collect::<Option<_>>()?;
    let (_, end) = *lines.last()?;
    Some(Edit { span: Span::new(first.file, start, end), text: moved.join(newline) })
}

/// A remark beside the entry stays beside the first of its lines.
fn whole_lines(entry: Span, lines: &str, sources: &SourceMap) -> Option<Edit> {
    let text = sources.file(entry.file).text();
    let (start, end) = line(text, entry.start as usize)?;
    let indent = text.get(start..entry.start as usize)?;
    let rest = text.get(entry.end as usize..end)?.trim_start();
    let newline = if text.get(end..)?.starts_with("\r\n") { "\r\n" } else { "\n" };
    let remark = if rest.is_empty() { String::new() } else { format!(" {rest}") };
    let alone = indent.trim().is_empty() && (rest.is_empty() || is_comment(rest));
    let mut lines = lines.lines();
    let mut new = format!("{}{remark}", lines.next()?);
    for line in lines {
        new.push_str(&format!("{newline}{indent}{line}"));
    }
    alone.then(|| Edit { span: Span::new(entry.file, entry.start as usize, end), text: new })
}

fn append(last: Span, item: &str, sources: &SourceMap) -> Option<Edit> {
    let text = sources.file(last.file).text();
    let (start, end) = line(text, last.start as usize)?;
    let before = text.get(start..last.start as usize)?;
    let ends = end_of(last, text)?;
    // Only in brackets does a comma part items.
    if behind_remarks(text.get(ends..)?).starts_with([']', ',']) {
        return Some(Edit { span: Span::new(last.file, ends, ends), text: format!(", {item}") });
    }
    let (_, end) = line(text, ends)?.max((start, end));
    let rest = text.get(ends..end)?.trim_start();
    let plain = before.trim() == "-" && (rest.is_empty() || is_comment(rest)) && !keeps_lines(text.get(last.range())?);
    let newline = if text.get(end..)?.starts_with("\r\n") { "\r\n" } else { "\n" };
    plain.then(|| Edit { span: Span::new(last.file, end, end), text: format!("{newline}{before}{item}") })
}

/// What follows behind blanks, line ends and remarks. In brackets and braces that is a comma or what closes them,
/// outside of them neither.
fn behind_remarks(text: &str) -> &str {
    let mut rest = text.trim_start();
    while rest.starts_with('#') {
        rest = rest.find('\n').map_or("", |at| &rest[at..]).trim_start();
    }
    rest
}

/// Does it hold a text in lines that keeps the empty ones behind it (`|+`)? What is put behind it would change it.
fn keeps_lines(raw: &str) -> bool {
    let header = |line: &str| {
        let line = line.split(" #").next().unwrap_or_default();
        let word = line.rsplit(' ').next().unwrap_or_default().trim_end();
        word.starts_with(['|', '>']) && word.len() <= 3 && word.contains('+')
    };
    raw.lines().any(|line| header(line.trim_end()))
}

/// Where a value ends without the line ends behind it.
fn end_of(span: Span, text: &str) -> Option<usize> {
    let raw = text.get(span.range())?;
    Some(span.start as usize + raw.trim_end().len())
}

fn add(spot: Spot, lines: &str, flow: &str, sources: &SourceMap) -> Option<Edit> {
    match spot {
        Spot::Behind(entry) => {
            let text = sources.file(entry.file).text();
            let mut end = end_of(entry, text)?;
            // The colon of a key that holds nothing.
            let colon = text.get(end..)?.trim_start_matches(' ').starts_with(':');
            if colon {
                end += text.get(end..)?.find(':')? + 1;
            }
            if behind_remarks(text.get(end..)?).starts_with([',', '}']) {
                // Without a blank the colon would belong to the key.
                let comma = if colon { " ," } else { "," };
                return Some(Edit { span: Span::new(entry.file, end, end), text: format!("{comma} {flow}") });
            }
            let (start, _) = line(text, entry.start as usize)?;
            let before = text.get(start..entry.start as usize)?;
            // The first entry of an item stands behind its dash.
            let alone = before.chars().all(|c| c == ' ' || c == '-');
            let (_, last) = line(text, end)?;
            let rest = text.get(end..last)?.trim_start();
            let plain = alone && (rest.is_empty() || is_comment(rest)) && !keeps_lines(text.get(entry.range())?);
            plain.then(|| below(text, entry, last, before.len(), lines))
        }
        Spot::Under { key, value } => {
            let text = sources.file(key.file).text();
            let written = value.filter(|it| !text.get(it.range()).unwrap_or_default().trim().is_empty());
            if let Some(value) = written {
                let raw = text.get(value.range())?;
                let inside = raw.strip_prefix('{')?.strip_suffix('}')?;
                return inside.trim().is_empty().then(|| Edit { span: value, text: format!("{{{flow}}}") });
            }
            let behind = text.get(key.end as usize..)?;
            let colon = behind.find(|c: char| c != ' ').filter(|at| behind[*at..].starts_with(':'))?;
            let at = key.end as usize + colon + 1;
            if behind_remarks(text.get(at..)?).starts_with([',', '}']) {
                return Some(Edit { span: Span::new(key.file, at, at), text: format!(" {{{flow}}}") });
            }
            let (start, last) = line(text, at)?;
            let before = text.get(start..key.start as usize)?;
            let rest = text.get(at..last)?.trim_start();
            let plain = before.chars().all(|c| c == ' ' || c == '-') && (rest.is_empty() || is_comment(rest));
            plain.then(|| below(text, key, last, before.len() + 2, lines))
        }
    }
}

/// Lines behind the one that ends at a byte.
fn below(text: &str, near: Span, end: usize, indent: usize, lines: &str) -> Edit {
    let newline = if text.get(end..).is_some_and(|it| it.starts_with("\r\n")) { "\r\n" } else { "\n" };
    let indent = " ".repeat(indent);
    let mut new = String::new();
    for line in lines.lines() {
        new.extend([newline, &indent, line]);
    }
    Edit { span: Span::new(near.file, end, end), text: new }
}

fn remove(entry: Span, sources: &SourceMap) -> Option<Edit> {
    let text = sources.file(entry.file).text();
    let end = end_of(entry, text)?;
    let (start, _) = line(text, entry.start as usize)?;
    let (_, last) = line(text, end)?;
    let rest = text.get(end..last)?.trim();
    let gone = |from: usize, to: usize| Edit { span: Span::new(entry.file, from, to), text: String::new() };
    let own_line = text.get(start..entry.start as usize)?.trim().is_empty();
    if own_line && (rest.is_empty() || rest == "," || is_comment(rest)) {
        let next = text.get(last..)?.find('\n').map_or(text.len(), |at| last + at + 1);
        return Some(gone(start, next));
    }
    let tail = text.get(end..)?;
    let gap = tail.len() - tail.trim_start().len();
    let before = text.get(..entry.start as usize)?.trim_end();
    if let Some(behind) = tail.trim_start().strip_prefix(',') {
        let spaces = behind.len() - behind.trim_start_matches(' ').len();
        return Some(gone(entry.start as usize, end + gap + 1 + spaces));
    }
    let closes = tail.trim_start().starts_with('}');
    match before.strip_suffix(',') {
        Some(rest) if closes => Some(gone(rest.len(), end)),
        None if closes && before.ends_with('{') => Some(gone(entry.start as usize, end)),
        _ => None,
    }
}

fn drop_item(item: Span, sources: &SourceMap) -> Option<Edit> {
    let text = sources.file(item.file).text();
    let end = end_of(item, text)?;
    let (start, _) = line(text, item.start as usize)?;
    let (_, last) = line(text, end)?;
    let gone = |from: usize, to: usize| Edit { span: Span::new(item.file, from, to), text: String::new() };
    let rest = text.get(end..last)?.trim();
    if text.get(start..item.start as usize)?.trim() == "-" {
        let next = text.get(last..)?.find('\n').map_or(text.len(), |at| last + at + 1);
        return (rest.is_empty() || is_comment(rest)).then(|| gone(start, next));
    }
    let tail = text.get(end..)?;
    if let Some(behind) = tail.trim_start().strip_prefix(',') {
        let to = text.len() - behind.trim_start_matches(' ').len();
        return Some(gone(item.start as usize, to));
    }
    let before = text.get(..item.start as usize)?.trim_end().strip_suffix(',')?;
    tail.trim_start().starts_with(']').then(|| gone(before.len(), end))
}

fn one_more_word(line: Span, word: &str, sources: &SourceMap) -> Option<Edit> {
    let text = sources.file(line.file).text();
    let end = end_of(line, text)?;
    let raw = text.get(line.start as usize..end)?;
    let quote = raw.chars().next().filter(|c| matches!(c, '"' | '\''));
    let at = match quote {
        Some(quote) => end - raw.ends_with(quote).then_some(1).filter(|_| raw.len() > 1)?,
        None => end,
    };
    Some(Edit { span: Span::new(line.file, at, at), text: format!(" {word}") })
}

#[cfg(test)]
mod tests;
