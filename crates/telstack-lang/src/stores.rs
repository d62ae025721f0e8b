//! `prometheus`, `loki`, `tempo`, `jaeger`.

use telstack_catalog::product::Product;
use telstack_syntax::{
    stack::{Atom, Node as Line},
    tree::Entry,
};
use telstack_system::{
    Flag, JaegerStorage, Node, NodeKind, Origin, PrometheusFacet, ServerTls, Store, StoreFacet, Value,
};

use crate::{
    check::{twice, value},
    stack::{Context, name_of, resources},
    words::{self, sourced, sourced_text, text},
};

/// The node of a store's line; none for a word that is no store.
pub(crate) fn node(line: &Line, context: &mut Context<'_>) -> Option<Node> {
    let product = Product::parse(&line.name.value)?;
    let mut store = Store::new(product)?;
    store.retention = value(line, "retention").and_then(|atom| Some(sourced(atom, words::period(atom)?)));
    store.size = size(line, context).and_then(|atom| Some(sourced(atom, words::bytes(atom)?)));
    store.tenant = value(line, "tenant").and_then(sourced_text);
    store.tls = tls(line);
    match &mut store.facet {
        StoreFacet::Prometheus(facet) => prometheus(facet, line, context),
        StoreFacet::Jaeger(storage) => {
            *storage = value(line, "storage").and_then(|atom| Some(sourced(atom, jaeger_storage(text(atom)?)?)));
        }
        StoreFacet::Loki(_) | StoreFacet::Tempo(_) | StoreFacet::Mimir(_) => {}
    }
    let version = context.versions.of(product, line);
    let kind = NodeKind::Store(Box::new(store));
    let mut node = Node::new(name_of(line), Origin::written(line.head()), Some(version), kind);
    node.resources = resources(line);
    Some(node)
}

/// `size "40GB"`, or `size=` beside `retention`.
fn size<'a>(line: &'a Line, context: &mut Context<'_>) -> Option<&'a Atom> {
    let own = value(line, "size");
    let beside = line.children().iter().find(|it| it.name.value == "retention").and_then(|it| it.prop("size"));
    if let (Some(own), Some(beside)) = (own, beside) {
        context.out.push(twice("`size` is set twice".to_owned(), own.span, beside.span));
    }
    own.or(beside)
}

/// `tls`, wherever it stands: all three files, or none.
pub(crate) fn tls(line: &Line) -> Option<ServerTls> {
    let line = line.children().iter().find(|child| child.name.value == "tls")?;
    let file = |prop: &str| line.prop(prop).and_then(sourced_text);
    Some(ServerTls { cert: file("cert")?, key: file("key")?, ca: file("ca")?, origin: Origin::written(line.head()) })
}

fn jaeger_storage(word: &str) -> Option<JaegerStorage> {
    match word {
        "badger" => Some(JaegerStorage::Badger),
        "memory" => Some(JaegerStorage::Memory),
        _ => None,
    }
}

fn prometheus(facet: &mut PrometheusFacet, line: &Line, context: &mut Context<'_>) {
    facet.scrape_interval = value(line, "scrape_interval").and_then(|atom| Some(sourced(atom, words::period(atom)?)));
    for child in line.children() {
        match child.name.value.as_str() {
            "external_labels" => {
                for prop in &child.props {
                    let Some(label) = text(&prop.value) else { continue };
                    let value = Value::string(label, Origin::written(prop.value.span));
                    let mut entry = Entry::new(prop.key.value.clone(), value);
                    entry.key_mark = Origin::written(prop.key.span);
                    facet.external_labels.push(entry);
                }
            }
            "flag" => {
                for atom in &child.args {
                    flag(facet, atom, context);
                }
            }
            _ => {}
        }
    }
}

/// `web.enable-lifecycle`, `storage.tsdb.min-block-duration=2h`, with or without dashes in front.
fn flag(facet: &mut PrometheusFacet, atom: &Atom, context: &mut Context<'_>) {
    let Some(written) = text(atom) else { return };
    let bare = written.trim().trim_start_matches('-');
    let (name, value) = bare.split_once('=').map_or((bare, None), |(name, value)| (name, Some(value.to_owned())));
    let first = facet.flag(name).and_then(|flag| flag.origin.span());
    // `enable-feature` and its like add up; the same flag with the same value does not.
    if let Some(first) = first
        && facet.flags.iter().any(|flag| flag.name == name && flag.value == value)
    {
        context.out.push(twice(format!("the flag `{name}` is set twice"), atom.span, first));
        return;
    }
    facet.flags.push(Flag { name: name.to_owned(), value, origin: Origin::written(atom.span) });
}
