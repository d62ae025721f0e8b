//! Changes that put findings right, where there is one right answer. They are said in words of the System: ids, keys
//! and orders. How that looks in the text is for [`Change`] to know.

use telstack_catalog::ComponentKind;
use telstack_diagnostics::{Change, Diagnostic, Fix, Span, Spot};
use telstack_syntax::{
    tree::{Entry, Kind, Map},
    yaml,
};
use telstack_system::{Collector, ComponentId, Container, Dial, Node, Origin, Pipeline, Reference, System, Value};

use crate::facts::{Facts, Link, Part};

/// The finding with a fix, if there is one.
pub(crate) fn with(finding: Diagnostic, fix: Option<Fix>) -> Diagnostic {
    match fix {
        Some(fix) => finding.fix(fix),
        None => finding,
    }
}

/// A word that somebody wrote becomes another one.
pub(crate) fn word(at: &Origin, from: &str, to: &str) -> Option<Vec<Change>> {
    let span = at.span().filter(|_| at.is_written())?;
    Some(vec![Change::rename(span, from, to)])
}

/// A key becomes another one, unless its map has that too: twice the same key is refused.
pub(crate) fn key<'a>(
    mut documents: impl Iterator<Item = &'a Value>,
    at: &Origin,
    from: &str,
    to: &str,
) -> Option<Vec<Change>> {
    fn beside(value: &Value, at: &Origin, other: &str) -> bool {
        match &value.kind {
            Kind::Seq(seq) => seq.items.iter().any(|it| beside(it, at, other)),
            Kind::Map(map) if map.iter().any(|it| it.key_mark == *at) => map.entry(other).is_some(),
            Kind::Map(map) => map.iter().any(|it| beside(&it.value, at, other)),
            _ => false,
        }
    }
    if documents.any(|it| beside(it, at, to)) { None } else { word(at, from, to) }
}

/// A component gets another type, and so does whatever names it. None if something might name it that is not known
/// to, the new id is taken, or another collector reads the same file and does not take the new type.
pub(crate) fn component_type(facts: &Facts<'_>, part: &Part<'_>, ty: &str) -> Option<Vec<Change>> {
    let (collector, component) = (part.collector, part.component);
    let (id, kind) = (&component.id, component.kind);
    let new = ComponentId::new(ty, id.name.as_deref());
    if part.wiring.component(kind, &new).is_some() || !facts.others_take(part, ty) {
        return None;
    }
    let mut changes = word(&component.origin, &id.ty, ty)?;
    let rename = |changes: &mut Vec<Change>, at: &Origin| {
        let span = at.span().filter(|_| at.is_written());
        changes.extend(span.map(|span| Change::rename(span, &*id.ty, ty)));
    };
    for (_, reference) in part.wiring.mentions(component) {
        rename(&mut changes, &reference.origin);
    }
    let mut known: Vec<&Origin> = Vec::new();
    if kind == ComponentKind::Extension {
        for reference in collector.extensions.iter().filter(|it| it.id == *id) {
            rename(&mut changes, &reference.origin);
        }
        for at in facts.texts().extension(part.id, id) {
            rename(&mut changes, at);
            known.push(at);
        }
    }
    let unknown = facts.texts().places(part.id, &id.to_string()).iter().any(|it| !known.contains(&it));
    (!unknown).then_some(changes)
}

/// Longer pipelines are nobody's: a list for each finding would take long.
const REORDERED: usize = 500;

/// One processor of a pipeline comes to an earlier place.
pub(crate) fn processor_to(pipeline: &Pipeline, from: usize, to: usize) -> Option<Vec<Change>> {
    if pipeline.open || from <= to || pipeline.processors.len() > REORDERED {
        return None;
    }
    let written = |it: &Reference| it.origin.span().filter(|_| it.origin.is_written());
    let items = pipeline.processors.iter().map(written).collect::<Option<Vec<_>>>()?;
    let mut order: Vec<usize> = (0..items.len()).collect();
    order.get_mut(to..=from)?.rotate_right(1);
    Some(vec![Change::Reorder { items, order }])
}

/// One processor of a pipeline that has others goes.
pub(crate) fn without_processor(pipeline: &Pipeline, reference: &Reference) -> Option<Vec<Change>> {
    let span = reference.origin.span().filter(|_| reference.origin.is_written() && !pipeline.open)?;
    (pipeline.processors.len() > 1).then(|| vec![Change::Drop { item: span }])
}

/// An extension that is declared is started too.
pub(crate) fn enable(collector: &Collector, id: &ComponentId) -> Option<Vec<Change>> {
    let last = collector.extensions.last().filter(|it| it.origin.is_written())?;
    Some(vec![Change::Append { last: last.origin.span()?, item: id.to_string() }])
}

/// An entry of a map in a file becomes another one.
pub(crate) fn entry(system: &System, old: &Entry<Origin>, new: Entry<Origin>) -> Option<Vec<Change>> {
    let span = |it: &Origin| it.span().filter(|_| it.is_written() && system.from_files);
    let (key, value) = (span(&old.key_mark)?, span(&old.value.mark)?);
    let mut map = Map::default();
    map.push(new);
    let document = Value { kind: Kind::Map(map), mark: old.key_mark.clone() };
    let lines = yaml::write("", &old.key_mark, &document).text;
    Some(vec![Change::Lines { entry: key.to(value), lines }])
}

/// A setting becomes another one, or is written, with the maps that it stands in. `key` names what `value` holds, and
/// `path` is below that.
pub(crate) fn set(key: &Origin, value: &Value, path: &str, new: &str) -> Option<Vec<Change>> {
    set_all(key, value, &[(path, new)])
}

/// The same of several settings of one map.
pub(crate) fn set_all(key: &Origin, value: &Value, settings: &[(&str, &str)]) -> Option<Vec<Change>> {
    let split = |path| str::rsplit_once(path, '.').unwrap_or(("", path));
    let (above, _) = split(settings.first()?.0);
    let written = |it: &Origin| it.span().filter(|_| it.is_written());
    let (mut key, mut here) = (key, value);
    let mut missing: Vec<&str> = above.split('.').filter(|it| !it.is_empty()).collect();
    while let Some(entry) = missing.first().and_then(|name| here.as_map()?.entry(name)) {
        missing.remove(0);
        (key, here) = (&entry.key_mark, &entry.value);
    }
    let mut changes = Vec::new();
    let mut more = Vec::new();
    for (path, new) in settings {
        let (map, name) = split(path);
        if map != above {
            return None;
        }
        match here.as_map().filter(|_| missing.is_empty()).and_then(|it| it.entry(name)) {
            Some(entry) => changes.extend(word(&entry.value.mark, &plain(&entry.value)?, new)?),
            None => more.push((name, *new)),
        }
    }
    if more.is_empty() {
        return Some(changes);
    }
    let spot = match &here.kind {
        Kind::Map(map) if !map.is_empty() => {
            // What an alias brings stands elsewhere.
            let whole = written(&here.mark)?;
            let inside = |span: &Span| span.file == whole.file && span.start >= whole.start && span.end <= whole.end;
            let places = map.iter().filter_map(|it| Some(written(&it.key_mark)?.to(written(&it.value.mark)?)));
            Spot::Behind(places.rev().find(inside)?)
        }
        Kind::Map(_) => Spot::Under { key: written(key)?, value: Some(written(&here.mark)?) },
        Kind::Null => Spot::Under { key: written(key)?, value: None },
        _ => return None,
    };
    let (lines, flow) = nested(&missing, &more);
    changes.push(Change::Add { spot, lines, flow });
    Some(changes)
}

/// The same in the file that a node reads, where somebody wrote it.
pub(crate) fn set_in_file(node: &Node, role: &str, path: &str, new: &str) -> Option<Vec<Change>> {
    let document = written_for(node, role)?;
    set(&document.mark, document, path, new)
}

/// The document that a node reads in a role.
pub(crate) fn written_for<'a>(node: &'a Node, role: &str) -> Option<&'a Value> {
    Some(&node.written.iter().find(|it| it.role == role)?.document)
}

/// Settings below keys, as lines and in braces.
fn nested(names: &[&str], settings: &[(&str, &str)]) -> (String, String) {
    let above = names.iter().enumerate().map(|(depth, name)| format!("{}{name}:", "  ".repeat(depth)));
    let indent = "  ".repeat(names.len());
    let lines: Vec<String> = above.chain(settings.iter().map(|(name, new)| format!("{indent}{name}: {new}"))).collect();
    let inside = settings.iter().map(|(name, new)| format!("{name}: {new}")).collect::<Vec<_>>().join(", ");
    let flow = names.iter().rev().fold(inside, |inside, name| format!("{name}: {{{inside}}}"));
    (lines.join("\n"), flow)
}

/// A scalar as it is written.
fn plain(value: &Value) -> Option<String> {
    match &value.kind {
        Kind::String(text) => Some(text.clone()),
        Kind::Int(it) => Some(it.to_string()),
        Kind::Bool(it) => Some(it.to_string()),
        _ => None,
    }
}

/// An entry of a map goes.
pub(crate) fn remove(key: &Origin, value: &Value) -> Option<Vec<Change>> {
    let span = |it: &Origin| it.span().filter(|_| it.is_written());
    Some(vec![Change::Remove { entry: span(key)?.to(span(&value.mark)?) }])
}

/// One more argument of a container's command, as it is written: a list, or one line.
pub(crate) fn argument(container: &Container, word: &str) -> Option<Vec<Change>> {
    let last = container.command.last()?;
    let span = last.origin.span().filter(|_| last.origin.is_written())?;
    let whole = container.command.iter().filter(|it| it.origin == last.origin).count() > 1;
    let word = word.to_owned();
    Some(vec![if whole { Change::Word { line: span, word } } else { Change::Append { last: span, item: word } }])
}

/// The address of an exporter as it is written, with another path: what follows the port becomes it.
pub(crate) fn path(dial: &Dial, new: &str) -> Option<Vec<Change>> {
    let end = if dial.path.is_empty() { String::new() } else { dial.path.clone() };
    let from = format!("{}:{}{end}", dial.host, dial.port);
    let new = new.trim_matches('/');
    let to = if new.is_empty() {
        format!("{}:{}", dial.host, dial.port)
    } else {
        format!("{}:{}/{new}", dial.host, dial.port)
    };
    word(&dial.origin, &from, &to)
}

/// The address of an exporter as it is written, with the port of the only listener that understands it.
pub(crate) fn port(link: &Link<'_>) -> Option<Vec<Change>> {
    let dial = &link.dial;
    let mut ports: Vec<u16> =
        link.to.listeners.iter().filter(|it| it.protocol == dial.protocol).map(|it| it.port).collect();
    ports.dedup();
    let [only] = ports.as_slice() else { return None };
    let direct = link.service.is_none() && link.via.is_none() && link.through.is_none();
    word(&dial.origin, &format!("{}:{}", dial.host, dial.port), &format!("{}:{only}", dial.host)).filter(|_| direct)
}

/// The text of a value that was written at some place.
pub(crate) fn text_at<'a>(value: &'a Value, at: &Origin) -> Option<&'a str> {
    match &value.kind {
        Kind::String(text) => (value.mark == *at).then_some(text.as_str()),
        Kind::Seq(seq) => seq.items.iter().find_map(|it| text_at(it, at)),
        Kind::Map(map) => map.iter().find_map(|it| text_at(&it.value, at)),
        _ => None,
    }
}

/// The last key of a path, if the other path differs in nothing else.
pub(crate) fn sibling<'a>(path: &str, other: &'a str) -> Option<&'a str> {
    match (path.rsplit_once('.'), other.rsplit_once('.')) {
        // A key alone stands for one beside the old one.
        (_, None) => Some(other),
        (Some((parent, _)), Some((other_parent, key))) if parent == other_parent => Some(key),
        _ => None,
    }
    .filter(|key| key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'))
}

#[cfg(test)]
mod tests;
