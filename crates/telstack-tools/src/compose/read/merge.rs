//! How compose puts one file on top of another, and a service on top of the one that it extends.

use telstack_diagnostics::Span;
use telstack_syntax::tree::{Entry, Kind};
use telstack_system::{Origin, Settings, Value};

use super::project::{entry, list};
use crate::folder::Folder;

/// Parts of a service that are taken whole from the later file.
const REPLACED: [&str; 2] = ["command", "entrypoint"];
/// Lists of a service whose items are told apart by a name or by `NAME=value`: in maps they mean the same.
const PAIRS: [&str; 7] = ["environment", "labels", "extra_hosts", "depends_on", "networks", "sysctls", "annotations"];

/// A file on top of another.
pub(super) fn merged(under: Settings, over: Settings, folder: &Folder<'_>) -> Settings {
    each(under, over, folder, &|key, under, over| match (key, under.kind, over.kind) {
        ("services", Kind::Map(one), Kind::Map(other)) => Kind::Map(each(one, other, folder, &|_, one, other| {
            match (one.kind, other.kind) {
                (Kind::Map(one), Kind::Map(other)) => Kind::Map(merged_service(one, other, folder)),
                // A service of which a later file says nothing stays what it is.
                (one, Kind::Null) => one,
                (_, other) => other,
            }
        })),
        (_, one, other) => deep(one, other, folder),
    })
}

/// A service on top of the one that it extends, or of the same one in an earlier file.
pub(super) fn merged_service(under: Settings, over: Settings, folder: &Folder<'_>) -> Settings {
    each(under, over, folder, &|key, under, over| {
        if REPLACED.contains(&key) {
            return over.kind;
        }
        if PAIRS.contains(&key) {
            return deep(pairs(under), pairs(over), folder);
        }
        match (key, under.kind, over.kind) {
            ("volumes", Kind::Seq(one), Kind::Seq(other)) => {
                let mut items = one.items;
                for item in other.items {
                    items.retain(|known| target(known).is_none() || target(known) != target(&item));
                    items.push(item);
                }
                list(items)
            }
            ("healthcheck", Kind::Map(one), Kind::Map(other)) => {
                Kind::Map(each(one, other, folder, &|_, _, over| over.kind))
            }
            (_, one, other) => deep(one, other, folder),
        }
    })
}

/// Maps are merged, lists follow each other, and anything else is replaced.
fn deep(under: Kind<Origin>, over: Kind<Origin>, folder: &Folder<'_>) -> Kind<Origin> {
    match (under, over) {
        (Kind::Map(one), Kind::Map(other)) => {
            Kind::Map(each(one, other, folder, &|_, one, other| deep(one.kind, other.kind, folder)))
        }
        (Kind::Seq(one), Kind::Seq(other)) => {
            let mut items = one.items;
            items.extend(other.items);
            list(items)
        }
        (_, over) => over,
    }
}

/// What stands in both maps is made one by `both`; `!reset` takes away, and `!override` replaces.
fn each(
    under: Settings,
    over: Settings,
    folder: &Folder<'_>,
    both: &dyn Fn(&str, Value, Value) -> Kind<Origin>,
) -> Settings {
    let mut all = under;
    for new in over {
        let tag = tag(&new, folder);
        let Some(known) = all.get_mut(&new.key) else {
            if tag != Tag::Reset {
                all.push(new);
            }
            continue;
        };
        match tag {
            Tag::Reset => {
                all.remove(&new.key);
            }
            Tag::Override => *known = new.value,
            Tag::None => {
                let mark = new.value.mark.clone();
                let was = std::mem::replace(known, Value { kind: Kind::Null, mark: mark.clone() });
                // Where both say something, the place is that of the earlier one.
                let keeps = matches!((&was.kind, &new.value.kind), (Kind::Map(_), Kind::Map(_) | Kind::Null));
                let mark = if keeps { was.mark.clone() } else { mark };
                *known = Value { kind: both(&new.key, was, new.value), mark };
            }
        }
    }
    all
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Tag {
    None,
    Reset,
    Override,
}

/// What stands between a key and its value.
fn tag(entry: &Entry<Origin>, folder: &Folder<'_>) -> Tag {
    let (Some(key), Some(value)) = (entry.key_mark.span(), entry.value.mark.span()) else { return Tag::None };
    if key.file != value.file || key.end > value.start {
        return Tag::None;
    }
    let between = folder.source(Span { start: key.end, end: value.start, ..key });
    match between {
        text if text.contains("!reset") => Tag::Reset,
        text if text.contains("!override") => Tag::Override,
        _ => Tag::None,
    }
}

/// `[A=1, B]` as `{A: 1, B: null}`.
pub(super) fn pairs(value: Value) -> Kind<Origin> {
    let Kind::Seq(seq) = value.kind else { return value.kind };
    let mut map = Settings::default();
    for item in seq.items {
        let Some(text) = item.as_str() else { continue };
        let new = match text.split_once('=') {
            Some((name, value)) => entry(name, &item.mark, Kind::String(value.to_owned())),
            None => entry(text, &item.mark, Kind::Null),
        };
        map.remove(&new.key);
        map.push(new);
    }
    Kind::Map(map)
}

/// The path inside that a mount makes.
fn target(mount: &Value) -> Option<String> {
    if let Some(target) = mount.at("target") {
        return target.as_str().map(str::to_owned);
    }
    let parts = super::service::parts(mount.as_str()?);
    Some((*parts.get(1).or_else(|| parts.first())?).to_owned())
}
