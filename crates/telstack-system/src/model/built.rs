//! A distribution of the collector that somebody built.

use std::collections::BTreeSet;

use telstack_catalog::{ComponentKind, otelcol};

use crate::origin::Origin;

/// A distribution that somebody built from modules of their choice.
#[derive(Clone, Debug)]
pub struct BuiltDistribution {
    /// What it is called.
    pub name: String,
    /// The Go modules of each kind, without versions.
    pub modules: BTreeSet<(ComponentKind, String)>,
    /// What describes it.
    pub origin: Origin,
}

impl BuiltDistribution {
    /// Was it built with that component?
    pub fn has(&self, component: otelcol::Component) -> bool {
        self.modules.iter().any(|(kind, module)| *kind == component.kind() && module == component.module())
    }

    /// May it hold components of a kind that nobody knows the types of?
    pub fn has_unknown(&self, kind: ComponentKind) -> bool {
        let known: BTreeSet<&str> = otelcol::components(kind).map(otelcol::Component::module).collect();
        self.modules.iter().any(|(of, module)| *of == kind && !known.contains(module.as_str()))
    }
}
