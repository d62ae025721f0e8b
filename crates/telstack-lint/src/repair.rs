//! Changes that put findings right, where there is one right answer. They are said in words of the System: ids, keys
//! and orders. How that looks in the text is for [`Change`] to know.

use telstack_catalog::ComponentKind;
use telstack_diagnostics::{Change, Diagnostic, Fix};
use telstack_syntax::{
    tree::{Entry, Kind, Map},
    yaml,
};
use telstack_system::{Collector, Component, ComponentId, Origin, Pipeline, Reference, System, Value};

use crate::{facts::Part, rules::p::p002_extension_reference_not_enabled::references};

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

/// A component gets another type, and so does whatever names it. None if something might name it that is not known
/// to, or the new id is taken.
pub(crate) fn component_type(parts: &[Part<'_>], part: &Part<'_>, ty: &str) -> Option<Vec<Change>> {
    let (collector, component) = (part.collector, part.component);
    let (id, kind) = (&component.id, component.kind);
    let new = ComponentId::new(ty, id.name.as_deref());
    if collector.component(kind, &new).is_some() {
        return None;
    }
    let mut changes = word(&component.origin, &id.ty, ty)?;
    let rename = |changes: &mut Vec<Change>, at: &Origin| {
        let span = at.span().filter(|_| at.is_written());
        changes.extend(span.map(|span| Change::rename(span, &*id.ty, ty)));
    };
    for reference in mentions(collector, component) {
        rename(&mut changes, &reference.origin);
    }
    let siblings = || parts.iter().filter(|it| it.id == part.id);
    let mut known: Vec<&Origin> = Vec::new();
    if kind == ComponentKind::Extension {
        for (_, value) in siblings().flat_map(references) {
            if value.as_str().is_some_and(|text| ComponentId::parse(text) == *id) {
                rename(&mut changes, &value.mark);
                known.push(&value.mark);
            }
        }
    }
    let text = id.to_string();
    let unknown = siblings().any(|it| names(&it.component.settings, &text, &known));
    (!unknown).then_some(changes)
}

/// Where pipelines, or the list of extensions, name a component.
fn mentions<'a>(collector: &'a Collector, component: &'a Component) -> impl Iterator<Item = &'a Reference> {
    let of = |pipeline: &'a Pipeline| match component.kind {
        ComponentKind::Receiver => vec![&pipeline.receivers],
        ComponentKind::Processor => vec![&pipeline.processors],
        ComponentKind::Exporter => vec![&pipeline.exporters],
        ComponentKind::Connector => vec![&pipeline.receivers, &pipeline.exporters],
        ComponentKind::Extension => Vec::new(),
    };
    let extensions = if component.kind == ComponentKind::Extension { &collector.extensions[..] } else { &[] };
    let pipelines = collector.pipelines.iter().flat_map(of).flatten();
    pipelines.chain(extensions).filter(|it| it.id == component.id)
}

/// Is that text a value of its own somewhere in these settings, other than in known places?
fn names(value: &Value, text: &str, known: &[&Origin]) -> bool {
    match &value.kind {
        Kind::String(it) => it == text && !known.contains(&&value.mark),
        Kind::Seq(seq) => seq.items.iter().any(|it| names(it, text, known)),
        Kind::Map(map) => map.iter().any(|it| names(&it.value, text, known)),
        _ => false,
    }
}

/// One processor of a pipeline comes to an earlier place.
pub(crate) fn processor_to(pipeline: &Pipeline, from: usize, to: usize) -> Option<Vec<Change>> {
    if pipeline.open || from <= to {
        return None;
    }
    let written = |it: &Reference| it.origin.span().filter(|_| it.origin.is_written());
    let items = pipeline.processors.iter().map(written).collect::<Option<Vec<_>>>()?;
    let mut order: Vec<usize> = (0..items.len()).collect();
    order.get_mut(to..=from)?.rotate_right(1);
    Some(vec![Change::Reorder { items, order }])
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
