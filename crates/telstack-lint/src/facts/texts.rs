//! What the settings of a collector's components say, by its text.

use std::collections::HashMap;

use telstack_syntax::tree::Kind;
use telstack_system::{ComponentId, NodeId, Origin, Value};

use super::Part;
use crate::rules::p::p002_extension_reference_not_enabled::references;

/// Texts in settings, found at once: for rules that ask for every component whether something names it.
#[derive(Debug, Default)]
pub(crate) struct Texts {
    all: HashMap<NodeId, HashMap<String, Vec<Origin>>>,
    extensions: HashMap<NodeId, HashMap<ComponentId, Vec<Origin>>>,
}

impl Texts {
    pub(super) fn of(parts: &[Part<'_>]) -> Self {
        let mut texts = Self::default();
        for part in parts {
            note(&part.component.settings, texts.all.entry(part.id).or_default());
            let extensions = texts.extensions.entry(part.id).or_default();
            for (_, value) in references(part) {
                let Some(text) = value.as_str() else { continue };
                extensions.entry(ComponentId::parse(text)).or_default().push(value.mark.clone());
            }
        }
        texts
    }

    /// Where a text is a value of its own.
    pub(crate) fn places(&self, collector: NodeId, text: &str) -> &[Origin] {
        self.all.get(&collector).and_then(|it| it.get(text)).map_or(&[], Vec::as_slice)
    }

    /// The settings that are known to name an extension.
    pub(crate) fn extension(&self, collector: NodeId, id: &ComponentId) -> &[Origin] {
        self.extensions.get(&collector).and_then(|it| it.get(id)).map_or(&[], Vec::as_slice)
    }
}

fn note(value: &Value, all: &mut HashMap<String, Vec<Origin>>) {
    match &value.kind {
        Kind::String(text) => all.entry(text.clone()).or_default().push(value.mark.clone()),
        Kind::Seq(seq) => seq.items.iter().for_each(|it| note(it, all)),
        Kind::Map(map) => map.iter().for_each(|it| note(&it.value, all)),
        _ => {}
    }
}
