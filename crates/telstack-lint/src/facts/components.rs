//! Is a component there at all, in this distribution at this release?

use std::{collections::HashMap, rc::Rc};

use telstack_catalog::{
    ComponentKind, Distribution, Version,
    near::distance,
    otelcol::{self, Presence, Trait},
    product::Product,
};
use telstack_system::{
    BuiltDistribution, Collector, Component, Known, Node, NodeId, Pipeline, System, Wiring,
    access::{self, Asked},
};

/// A component of a collector with what the catalog says about its presence.
#[derive(Debug)]
pub(crate) struct Part<'a> {
    /// The collector's id.
    pub(crate) id: NodeId,
    /// The collector's node.
    pub(crate) node: &'a Node,
    /// The collector.
    pub(crate) collector: &'a Collector,
    /// Who in it mentions whom.
    pub(crate) wiring: Rc<Wiring<'a>>,
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
    /// The distribution that somebody built leaves it out.
    NotBuilt { fact: otelcol::Component, version: Version },
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

    /// Is it a known name with one letter wrong? One with something before or behind it may be somebody's own component.
    pub(crate) fn is_slip(&self) -> bool {
        let Standing::Unknown { nearest: Some(nearest) } = self.standing else { return false };
        let ty = self.component.id.ty.as_str();
        distance(ty, nearest) == 1 && !ty.contains(nearest) && !nearest.contains(ty)
    }

    /// Is it a component of somebody's own, as far as is known? Then the collector is of their own too.
    pub(crate) fn is_foreign(&self) -> bool {
        let unknown = matches!(self.standing, Standing::Unknown { .. });
        unknown && self.collector.gaps.distribution && !self.is_slip()
    }

    /// Is it the first of its kind and name in the collector?
    pub(crate) fn is_first(&self) -> bool {
        let first = self.wiring.component(self.component.kind, &self.component.id);
        first.is_some_and(|first| std::ptr::eq(first, self.component))
    }

    /// Does the collector start it: is it in a pipeline, or an extension that is switched on?
    pub(crate) fn runs(&self) -> bool {
        self.wiring.runs(self.component)
    }

    /// Is it compared with its limits? Some collectors do so only for what they build.
    pub(crate) fn is_compared(&self) -> bool {
        self.usable().is_none_or(|(fact, version)| fact.is_checked_unused(version))
            || self.wiring.may_run(self.component)
    }

    /// The pipelines that it stands in, whichever side of them.
    pub(crate) fn pipelines(&self) -> impl Iterator<Item = &Pipeline> {
        self.wiring.mentions(self.component).filter_map(|(at, _)| self.collector.pipelines.get(at))
    }

    /// ``exporter `otlp/gateway` ``.
    pub(crate) fn title(&self) -> String {
        format!("{} `{}`", self.component.kind, self.component.id)
    }

    /// Is it the component of that name, in whatever spelling?
    pub(crate) fn is(&self, name: &str) -> bool {
        self.usable().is_some_and(|(fact, _)| fact.names().contains(&name))
    }

    /// Does the collector at that release call the component by that name?
    pub(crate) fn answers_to(&self, fact: otelcol::Component, name: &str, version: Version) -> bool {
        let in_one = |it: &Distribution| fact.name_presence(name, *it, version) == Presence::Present;
        match &self.collector.built {
            Some(_) => Distribution::ALL.iter().any(in_one),
            None => in_one(&self.distribution()),
        }
    }

    /// What its release calls a component, if the collector answers to that.
    pub(crate) fn called(&self, fact: otelcol::Component) -> Option<&'static str> {
        let version = self.node.version()?;
        Some(fact.name_at(version)).filter(|name| self.answers_to(fact, name, version))
    }

    /// What it surely asks of the API of the cluster, and what becomes of it without.
    pub(crate) fn asked(&self) -> Option<(Vec<Asked>, &'static str)> {
        let (fact, version) = self.usable()?;
        let pod = self.node.container.as_ref().and_then(|it| it.pod.as_deref());
        if pod.is_some_and(|it| it.allocates(self.component)) {
            return None;
        }
        access::asked(self.component, fact, version)
    }

    /// Is it there, and does it do that?
    pub(crate) fn has(&self, what: Trait) -> bool {
        self.usable().is_some_and(|(fact, _)| fact.has(what))
    }

    /// The number at a path, or its default; none if run time decides it.
    pub(crate) fn number(&self, path: &str) -> Option<i64> {
        let (fact, version) = self.usable()?;
        match self.component.number(path) {
            Known::Value(number) => Some(number),
            Known::Unknown => None,
            Known::Absent => fact.default_value(path, version)?.as_i64(),
        }
    }

    /// The truth at a path, or its default; none if run time decides it.
    pub(crate) fn truth(&self, path: &str) -> Option<bool> {
        let (fact, version) = self.usable()?;
        match self.component.truth(path) {
            Known::Value(truth) => Some(truth),
            Known::Unknown => None,
            Known::Absent => fact.default_value(path, version)?.as_bool(),
        }
    }

    /// The text at a path, or its default; none if run time decides it.
    pub(crate) fn text(&self, path: &str) -> Option<&str> {
        let (fact, version) = self.usable()?;
        match self.component.text(path) {
            Known::Value(text) => Some(text),
            Known::Unknown => None,
            Known::Absent => fact.default_value(path, version)?.as_str(),
        }
    }

    /// Does its release surely not know a setting of that path, whose last part may be anything? Another rule says so.
    pub(crate) fn lacks(&self, path: &str) -> bool {
        let settings = self.usable().and_then(|(fact, version)| fact.settings(version));
        let first = path.split(['.', '[']).next().unwrap_or_default();
        settings.is_some_and(|settings| settings.at(first).is_none())
    }

    /// Does its release know a setting of that path?
    pub(crate) fn knows(&self, path: &str) -> bool {
        let settings = self.usable().and_then(|(fact, version)| fact.settings(version));
        settings.is_some_and(|settings| settings.at(path).is_some())
    }

    /// Does it speak OTLP, by whatever transport?
    pub(crate) fn speaks_otlp(&self) -> bool {
        self.usable().and_then(|(fact, _)| fact.protocol()).is_some_and(|it| it.starts_with("otlp"))
    }

    /// A component that does that, by its name at this release; none if this distribution has none.
    pub(crate) fn helper(&self, what: Trait) -> Option<&'static str> {
        let (_, version) = self.usable()?;
        let named = otelcol::with_trait(what).map(|it| (it.kind(), it.name_at(version)));
        named.filter(|(kind, name)| self.collector.ships(*kind, name, version)).map(|(_, name)| name).next()
    }

    /// The collector's distribution.
    pub(crate) fn distribution(&self) -> Distribution {
        self.collector.distribution.value
    }
}

pub(super) fn parts<'a>(system: &'a System, wirings: &HashMap<NodeId, Rc<Wiring<'a>>>) -> Vec<Part<'a>> {
    let mut parts = Vec::new();
    for (id, node, collector) in system.collectors() {
        let Some(wiring) = wirings.get(&id) else { continue };
        let mut slips = Slips::default();
        for component in &collector.components {
            let known = node.version().filter(|version| *version >= Product::Otelcol.oldest());
            let own = collector.gaps.own.iter().any(|it| it.is(component.kind, &component.id.ty));
            let standing = known.filter(|_| !own).map_or(Standing::Undecided, |version| {
                if let Some(built) = &collector.built {
                    return standing_in_built(component, built, version, &mut slips);
                }
                // Of an image that never was (V008), the first that is tells what may have been meant.
                let distribution = collector.distribution.value;
                let first = otelcol::first_release_of(distribution).unwrap_or(version);
                standing(component, distribution, version.max(first), &mut slips)
            });
            parts.push(Part { id, node, collector, wiring: Rc::clone(wiring), component, standing });
        }
    }
    parts
}

/// What each unknown type of one collector may have been meant as: a long search, made once.
#[derive(Default)]
struct Slips<'a>(HashMap<(ComponentKind, &'a str), Option<&'static str>>);

impl<'a> Slips<'a> {
    fn standing(&mut self, component: &'a Component, nearest: impl Fn(&str) -> Option<&'static str>) -> Standing {
        let ty = component.id.ty.as_str();
        Standing::Unknown { nearest: *self.0.entry((component.kind, ty)).or_insert_with(|| nearest(ty)) }
    }
}

/// In a distribution that somebody built, upstream's release decides on names, and the list of modules on the rest.
fn standing_in_built<'a>(
    component: &'a Component,
    built: &BuiltDistribution,
    version: Version,
    slips: &mut Slips<'a>,
) -> Standing {
    let kind = component.kind;
    let Some(fact) = component.fact() else {
        // A module that nobody knows may bring any type.
        if built.has_unknown(kind) {
            return Standing::Undecided;
        }
        return slips.standing(component, |ty| otelcol::nearest(kind, ty));
    };
    if !built.has(fact) {
        if built.has_unknown(kind) {
            return Standing::Undecided;
        }
        // What is nowhere at that release cannot be built in.
        return match fact.distributions_at(version).first() {
            Some(_) => Standing::NotBuilt { fact, version },
            None => standing(component, Distribution::Contrib, version, slips),
        };
    }
    let standings = Distribution::ALL.iter().map(|it| standing(component, *it, version, slips));
    let there = standings.filter(|it| matches!(it, Standing::Usable(..) | Standing::Renamed { .. }));
    there.min_by_key(|it| matches!(it, Standing::Renamed { .. })).unwrap_or(Standing::Undecided)
}

fn standing<'a>(
    component: &'a Component,
    distribution: Distribution,
    version: Version,
    slips: &mut Slips<'a>,
) -> Standing {
    let kind = component.kind;
    let Some(fact) = component.fact() else {
        return slips.standing(component, |ty| {
            otelcol::nearest_in(kind, ty, distribution, version).or_else(|| otelcol::nearest(kind, ty))
        });
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
