//! Where data goes on to: from pipeline to pipeline, over connectors and over links to other collectors.

use std::collections::HashSet;

use telstack_catalog::{ComponentKind, otelcol::Trait};
use telstack_system::{Collector, Node, NodeId, Pipeline, Purpose, Reference, System};

use super::{Arrival, Facts, Part};

/// A pipeline, and where it is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place<'a> {
    /// The collector's id.
    pub(crate) id: NodeId,
    /// The collector's node.
    pub(crate) node: &'a Node,
    /// The collector.
    pub(crate) collector: &'a Collector,
    /// The pipeline's number.
    pub(crate) at: usize,
    /// The pipeline.
    pub(crate) pipeline: &'a Pipeline,
}

impl<'a> Place<'a> {
    /// All pipelines of a System.
    pub(crate) fn all(system: &'a System) -> impl Iterator<Item = Self> {
        super::pipelines(system).map(|(id, node, collector, at, pipeline)| Place { id, node, collector, at, pipeline })
    }

    /// The pipelines of the same collector that a component feeds.
    pub(crate) fn fed_by(part: &Part<'a>) -> impl Iterator<Item = Self> {
        let Part { id, node, collector, component, .. } = *part;
        collector.pipelines.iter().enumerate().filter_map(move |(at, pipeline)| {
            let feeds = pipeline.receivers.iter().any(|it| it.id == component.id);
            feeds.then_some(Place { id, node, collector, at, pipeline })
        })
    }

    /// Its processors in order, each with its part; none for one that is not known.
    pub(crate) fn processors<'f>(
        self,
        facts: &'f Facts<'a>,
    ) -> impl Iterator<Item = (&'a Reference, Option<&'f Part<'a>>)> {
        self.parts(facts, &self.pipeline.processors, &[ComponentKind::Processor])
    }

    /// What it feeds, each with its part; none for one that is not known.
    pub(crate) fn exporters<'f>(
        self,
        facts: &'f Facts<'a>,
    ) -> impl Iterator<Item = (&'a Reference, Option<&'f Part<'a>>)> {
        self.parts(facts, &self.pipeline.exporters, &[ComponentKind::Exporter, ComponentKind::Connector])
    }

    fn parts<'f>(
        self,
        facts: &'f Facts<'a>,
        references: &'a [Reference],
        kinds: &'static [ComponentKind],
    ) -> impl Iterator<Item = (&'a Reference, Option<&'f Part<'a>>)> {
        references.iter().map(move |reference| {
            let part = kinds.iter().find_map(|kind| facts.named(self.id, *kind, &reference.id));
            (reference, part.filter(|part| part.usable().is_some()))
        })
    }

    /// Does somebody send to it, by a receiver that listens? Said only of pipelines that are known as a whole.
    pub(crate) fn is_sent_to(self, facts: &Facts<'a>) -> bool {
        let mut receivers = self.parts(facts, &self.pipeline.receivers, &[ComponentKind::Receiver]);
        let listens = |part: &Part<'_>| part.usable().is_some_and(|(fact, version)| !fact.listens(version).is_empty());
        !self.pipeline.open && !self.collector.gaps.pipelines && receivers.any(|(_, part)| part.is_some_and(listens))
    }

    /// Has one of its processors that trait? True also where one is not known.
    pub(crate) fn may(self, facts: &Facts<'a>, what: Trait) -> bool {
        self.pipeline.open || self.processors(facts).any(|(_, part)| part.is_none_or(|part| part.has(what)))
    }
}

/// How data is followed.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Follow {
    /// Wherever any of it may go.
    Any,
    /// Only where all of it goes.
    All,
}

/// The pipelines that data of one reaches while it `goes_on`, the first among them.
pub(crate) fn reached<'a>(
    system: &'a System,
    facts: &Facts<'a>,
    start: Place<'a>,
    follow: Follow,
    mut goes_on: impl FnMut(&Place<'a>) -> bool,
) -> Vec<Place<'a>> {
    let mut found = Vec::new();
    let mut seen = HashSet::from([(start.id, start.at)]);
    let mut open = vec![start];
    while let Some(place) = open.pop() {
        if !goes_on(&place) {
            continue;
        }
        found.push(place);
        for next in onward(system, facts, place, follow) {
            if seen.insert((next.id, next.at)) {
                open.push(next);
            }
        }
    }
    found
}

fn onward<'a>(system: &'a System, facts: &Facts<'a>, place: Place<'a>, follow: Follow) -> Vec<Place<'a>> {
    let signal = place.pipeline.signal;
    let mut found = Vec::new();
    for (reference, part) in place.exporters(facts) {
        let Some(part) = part else { continue };
        if part.component.kind == ComponentKind::Connector {
            if part.has(Trait::PassesOn) && (follow == Follow::Any || !part.has(Trait::Chooses)) {
                found.extend(Place::fed_by(part).filter(|next| next.pipeline.signal == signal));
            }
            continue;
        }
        let mine = facts.links.iter().filter(|link| {
            let dials = link.dial.component.as_ref().is_some_and(|it| it.id == reference.id);
            link.from_id == place.id && link.purpose == Purpose::Telemetry && dials
        });
        for link in mine {
            let Arrival::Answer(listener) = &link.arrival else { continue };
            let node = system.node(link.to_id);
            let (Some(owner), Some(collector)) = (&listener.owner, node.collector()) else { continue };
            let all = collector.pipelines.iter().enumerate();
            let fed = all.filter(|(_, it)| it.signal == signal && it.receivers.iter().any(|it| it.id == owner.id));
            found.extend(fed.map(|(at, pipeline)| Place { id: link.to_id, node, collector, at, pipeline }));
        }
    }
    found
}
