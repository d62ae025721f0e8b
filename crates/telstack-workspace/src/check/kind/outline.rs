//! The outline of a text: the keys at the start of lines and those below them, whether it is YAML or not.

use telstack_diagnostics::SourceMap;
use telstack_syntax::{tree::Kind, yaml};

use super::SERVICE;

/// A key at the start of a line, and what stands below it.
pub(super) struct Top<'a> {
    pub(super) key: &'a str,
    /// Keys one level below; of a list, those of its items.
    pub(super) keys: Vec<&'a str>,
    /// Keys two levels below or deeper.
    pub(super) deeper: Vec<&'a str>,
    pub(super) is_list: bool,
}

impl<'a> Top<'a> {
    fn note(&mut self, key: &'a str, right_below: bool) {
        let list = if right_below { &mut self.keys } else { &mut self.deeper };
        list.push(key);
    }
}

/// The outline of a text.
#[derive(Default)]
pub(super) struct Keys<'a> {
    pub(super) tops: Vec<Top<'a>>,
    /// `receivers`, `processors` and `exporters` inside of pipelines.
    pub(super) pipeline_lists: Vec<&'a str>,
}

impl<'a> Keys<'a> {
    pub(super) fn top(&self, key: &str) -> Option<&Top<'a>> {
        self.tops.iter().find(|top| top.key == key)
    }

    pub(super) fn of(text: &'a str) -> Self {
        if text.trim_start().starts_with('{') { Self::of_flow(text) } else { Self::of_block(text) }
    }

    fn of_block(text: &'a str) -> Self {
        let mut found = Self::default();
        // The indentation of the first level below a key.
        let mut level = None;
        for line in text.lines() {
            let content = line.trim_start_matches([' ', '-']);
            let indent = line.len() - content.len();
            let item = line.trim_start().starts_with("- ") || line.trim() == "-";
            if content.is_empty() && !item || content.starts_with('#') {
                continue;
            }
            if line.starts_with([' ', '\t']) || item {
                let Some(top) = found.tops.last_mut() else { continue };
                let inside = *level.get_or_insert_with(|| {
                    top.is_list = item;
                    indent
                });
                if content.starts_with(['{', '[']) {
                    flow_keys(content, usize::from(indent <= inside), top, &mut found.pipeline_lists);
                    continue;
                }
                let Some(key) = key(content) else { continue };
                top.note(key, indent <= inside);
                let value = content[key.len()..].trim_start_matches(['"', '\'', ' ', ':']);
                if value.starts_with(['{', '[']) {
                    flow_keys(value, 0, top, &mut found.pipeline_lists);
                }
                if top.key == SERVICE && ["receivers", "processors", "exporters"].contains(&key) {
                    found.pipeline_lists.push(key);
                }
            } else if let Some(key) = key(line) {
                let mut top = Top { key, keys: Vec::new(), deeper: Vec::new(), is_list: false };
                level = None;
                // `services: {a: {image: x}}`
                let value = line[line.find(':').map_or(line.len(), |at| at + 1)..].trim_start();
                if value.starts_with(['{', '[']) {
                    top.is_list = value.starts_with('[');
                    let first = if top.is_list { 2 } else { 1 };
                    flow_keys(value, first, &mut top, &mut found.pipeline_lists);
                    level = Some(usize::MAX);
                }
                found.tops.push(top);
            }
        }
        found
    }

    /// JSON, or YAML that is written like it.
    fn of_flow(text: &'a str) -> Self {
        let mut sources = SourceMap::default();
        let file = sources.add("", "");
        let mut found = Self::default();
        let Ok(documents) = yaml::read(file, text) else { return found };
        let Some(Kind::Map(map)) = documents.first().map(|it| &it.kind) else { return found };
        for entry in map {
            let Some(name) = text.get(entry.key_mark.range()).map(|it| it.trim_matches(['"', '\''])) else { continue };
            let mut top =
                Top { key: name, keys: Vec::new(), deeper: Vec::new(), is_list: entry.value.as_seq().is_some() };
            if let Some(value) = text.get(entry.value.mark.range()).filter(|_| name != "panels") {
                let first = if top.is_list { 2 } else { 1 };
                flow_keys(value, first, &mut top, &mut found.pipeline_lists);
            }
            found.tops.push(top);
        }
        found
    }
}

/// Keys of a flow collection by the depth of its brackets; those to `first` are right below the top.
fn flow_keys<'a>(text: &'a str, first: usize, top: &mut Top<'a>, lists: &mut Vec<&'a str>) {
    let (mut depth, mut start) = (0_usize, 0);
    for (at, c) in text.char_indices() {
        match c {
            '{' | '[' => (depth, start) = (depth + 1, at + 1),
            '}' | ']' => (depth, start) = (depth.saturating_sub(1), at + 1),
            ',' => start = at + 1,
            ':' => {
                let key = text[start..at].trim().trim_matches(['"', '\'']);
                top.note(key, depth <= first);
                if top.key == SERVICE && ["receivers", "processors", "exporters"].contains(&key) {
                    lists.push(key);
                }
            }
            _ => {}
        }
    }
}

/// The key that a line starts with.
fn key(line: &str) -> Option<&str> {
    if let Some(quote) = line.chars().next().filter(|it| matches!(it, '"' | '\'')) {
        let (name, rest) = line[1..].split_once(quote)?;
        return rest.trim_start().starts_with(':').then_some(name);
    }
    let mut ends = line.match_indices(':').map(|(at, _)| at);
    let end = ends.find(|at| line[at + 1..].is_empty() || line[at + 1..].starts_with([' ', '\t', '\r']))?;
    Some(line[..end].trim_end()).filter(|it| !it.is_empty() && !it.starts_with(['{', '[', '&', '*', '!', '|', '>']))
}
