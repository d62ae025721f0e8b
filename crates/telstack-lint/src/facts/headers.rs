//! Headers of requests: who asks for them, and whether they are there.

use telstack_catalog::{
    ComponentKind,
    otelcol::{self, Trait},
};
use telstack_syntax::tree::Kind;
use telstack_system::{ComponentId, Known, Origin, Value};

use super::{Facts, Part};
use crate::words::is_reference;

/// A setting that takes its value from a header of the request that data came with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wanted<'a> {
    /// The header.
    pub(crate) header: &'a str,
    /// The setting.
    pub(crate) at: &'a Origin,
}

/// What stands for headers in settings of processors.
const METADATA: &str = "metadata.";
/// What an authenticator knows of a client: no header.
const AUTH: &str = "auth.";
/// The setting.
const FROM_CONTEXT: &str = "from_context";

/// Headers that carry a credential.
const CREDENTIALS: [&str; 3] = ["authorization", "proxy_authorization", "cookie"];

/// Does a header of that name carry a credential?
pub(crate) fn is_credential(header: &str) -> bool {
    let header = header.to_ascii_lowercase().replace('-', "_");
    CREDENTIALS.contains(&header.as_str()) || otelcol::is_secret(&header)
}

/// The headers that settings of a processor ask for.
pub(crate) fn of_processor<'a>(part: &Part<'a>) -> Vec<Wanted<'a>> {
    let mut found = Vec::new();
    from_context(&part.component.settings, &mut found);
    let header = |it: Wanted<'a>| Some(Wanted { header: it.header.strip_prefix(METADATA)?, ..it });
    found.into_iter().filter_map(header).collect()
}

/// The headers that an exporter hands on, by the extension that sets its headers, with that extension.
pub(crate) fn of_exporter<'a, 'f>(
    facts: &'f Facts<'a>,
    exporter: &Part<'a>,
) -> Option<(&'f Part<'a>, Vec<Wanted<'a>>)> {
    let name = exporter.component.setting("auth.authenticator")?.as_str().filter(|it| !is_reference(it))?;
    let extension = exporter.collector.component(ComponentKind::Extension, &ComponentId::parse(name))?;
    let part = facts.part(extension).filter(|part| part.has(Trait::SetsHeaders))?;
    let mut found = Vec::new();
    for item in extension.setting("headers")?.as_seq()? {
        // With a default there always is a value.
        if item.at("default_value").is_none() {
            from_context(item, &mut found);
        }
    }
    found.retain(|it| !it.header.starts_with(AUTH));
    (!found.is_empty()).then_some((part, found))
}

fn from_context<'a>(value: &'a Value, found: &mut Vec<Wanted<'a>>) {
    match &value.kind {
        Kind::Map(map) => {
            for entry in map {
                match entry.value.as_str().filter(|text| entry.key == FROM_CONTEXT && !is_reference(text)) {
                    Some(header) => found.push(Wanted { header, at: &entry.value.mark }),
                    None => from_context(&entry.value, found),
                }
            }
        }
        Kind::Seq(seq) => seq.items.iter().for_each(|item| from_context(item, found)),
        _ => {}
    }
}

/// Is a header among those that a setting lists? None if that is not known.
pub(crate) fn lists(part: &Part<'_>, path: &str, header: &str) -> Option<bool> {
    let Some(value) = part.component.setting(path) else { return Some(false) };
    let items = value.as_seq()?;
    let mut texts = Vec::new();
    for item in items {
        texts.push(item.as_str().filter(|it| !is_reference(it))?);
    }
    Some(texts.iter().any(|it| it.eq_ignore_ascii_case(header)))
}

/// Does a receiver keep the headers of requests? None if it has no such setting, or run time decides.
pub(crate) fn are_kept(receiver: &Part<'_>) -> Option<bool> {
    const KEEP: &str = "include_metadata";
    let (fact, version) = receiver.usable()?;
    let tree = fact.settings(version)?;
    let mut known = None;
    for listen in fact.listens(version) {
        let block = listen.setting.rsplit_once('.').map_or("", |(block, _)| block);
        let path = if block.is_empty() { KEEP.to_owned() } else { format!("{block}.{KEEP}") };
        if tree.at(&path).is_none() {
            continue;
        }
        if is_elsewhere(receiver, block) {
            return None;
        }
        match receiver.component.truth(&path) {
            Known::Value(true) => return Some(true),
            Known::Unknown => return None,
            Known::Value(false) | Known::Absent => known = Some(false),
        }
    }
    known
}

/// Is a block, or one that it stands in, filled in at run time?
fn is_elsewhere(receiver: &Part<'_>, block: &str) -> bool {
    let ends = block.match_indices('.').map(|(at, _)| at).chain([block.len()]);
    ends.into_iter().any(|end| receiver.component.setting(&block[..end]).is_some_and(|it| it.as_str().is_some()))
}
