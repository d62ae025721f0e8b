//! Is a component there at all, in this distribution at this release?

use telstack_catalog::{
    ComponentKind, Distribution, Version,
    otelcol::{self, Presence},
    product::Product,
};
use telstack_system::{Collector, Component, Node, NodeId, System};

/// A component of a collector with what the catalog says about its presence.
#[derive(Debug)]
pub(crate) struct Part<'a> {
    /// The collector's id.
    pub(crate) id: NodeId,
    /// The collector's node.
    pub(crate) node: &'a Node,
    /// The collector.
    pub(crate) collector: &'a Collector,
    /// The component.
    pub(crate) component: &'a Component,
    /// Whether it is there.
    pub(crate) standing: Standing,
}

/// Whether a component is there. Rules about its settings and wires judge only what is.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Standing {
    /// It is there, under that name.
    Usable(otelcol::Component, Version),
    /// It is there under another name.
    Renamed { version: Version, is_called: &'static str, since: Option<Version> },
    /// It is not there any more, in no distribution.
    Removed { fact: otelcol::Component, version: Version, last: Version, removed_in: Version },
    /// It came later.
    NotYet { version: Version, since: Version },
    /// Another distribution has it.
    Elsewhere { fact: otelcol::Component, version: Version },
    /// No release of any distribution knows it.
    Unknown { nearest: Option<&'static str> },
    /// The collector's release is not known, or older than the catalog.
    Undecided,
}

impl Part<'_> {
    /// What the catalog knows, if the component is there.
    pub(crate) fn usable(&self) -> Option<(otelcol::Component, Version)> {
        match self.standing {
            Standing::Usable(fact, version) => Some((fact, version)),
            _ => None,
        }
    }

    /// Does the collector start it: is it in a pipeline, or an extension that is switched on?
    pub(crate) fn runs(&self) -> bool {
        match self.component.kind {
            ComponentKind::Extension => self.collector.is_enabled(&self.component.id),
            _ => self.collector.pipelines_with(self.component).next().is_some(),
        }
    }

    /// ``exporter `otlp/gateway` ``.
    pub(crate) fn title(&self) -> String {
        format!("{} `{}`", self.component.kind, self.component.id)
    }

    /// Is it the component of that name, in whatever spelling?
    pub(crate) fn is(&self, name: &str) -> bool {
        self.usable().is_some_and(|(fact, _)| fact.names().contains(&name))
    }

    /// The collector's distribution.
    pub(crate) fn distribution(&self) -> Distribution {
        self.collector.distribution.value
    }
}

pub(super) fn parts(system: &System) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    for (id, node, collector) in system.collectors() {
        for component in &collector.components {
            let known = node.version().filter(|version| *version >= Product::Otelcol.oldest());
            let standing =
                known.map_or(Standing::Undecided, |version| standing(component, collector.distribution.value, version));
            parts.push(Part { id, node, collector, component, standing });
        }
    }
    parts
}

fn standing(component: &Component, distribution: Distribution, version: Version) -> Standing {
    let Some(fact) = component.fact() else {
        let nearest = otelcol::nearest_in(component.kind, &component.id.ty, distribution, version)
            .or_else(|| otelcol::nearest(component.kind, &component.id.ty));
        return Standing::Unknown { nearest };
    };
    let named = |name: &str| fact.name_presence(name, distribution, version) == Presence::Present;
    if named(&component.id.ty) {
        return Standing::Usable(fact, version);
    }
    if let Some(is_called) = fact.names().into_iter().rev().find(|name| named(name)) {
        let since = fact.name_since(&component.id.ty).filter(|since| *since > version);
        return Standing::Renamed { version, is_called, since };
    }
    if !fact.distributions_at(version).is_empty() {
        return Standing::Elsewhere { fact, version };
    }
    // Gone from all: the distribution itself speaks first, then whichever had it last.
    let elsewhere = Distribution::ALL.iter().copied().filter(|it| *it != distribution);
    let mut presences = std::iter::once(distribution).chain(elsewhere).map(|it| fact.presence(it, version));
    presences
        .find_map(|presence| match presence {
            Presence::Removed { last, removed_in } => Some(Standing::Removed { fact, version, last, removed_in }),
            Presence::NotYet { since } => Some(Standing::NotYet { version, since }),
            Presence::Present | Presence::Never => None,
        })
        .unwrap_or(Standing::Undecided)
}
