//! The wiring of a collector: who mentions whom, looked up.

use std::collections::{HashMap, HashSet};

use telstack_catalog::{ComponentKind, Signal};

use crate::{
    graph::circles_among,
    model::{Collector, Component, ComponentId, Pipeline, Reference},
};

/// A pipeline, by its place, with the reference in it.
pub type Mention<'a> = (usize, &'a Reference);

/// What [`Collector`] finds by going through its lists, found at once: for whoever asks for each component or each
/// reference. It shows the collector as it was when this was made.
#[derive(Debug)]
pub struct Wiring<'a> {
    collector: &'a Collector,
    components: HashMap<(ComponentKind, &'a ComponentId), &'a Component>,
    receivers: Mentions<'a>,
    processors: Mentions<'a>,
    exporters: Mentions<'a>,
    extensions: HashSet<&'a ComponentId>,
    open: bool,
}

type Mentions<'a> = HashMap<&'a ComponentId, Vec<Mention<'a>>>;

impl<'a> Wiring<'a> {
    /// Goes through a collector once.
    pub fn of(collector: &'a Collector) -> Self {
        let mut components = HashMap::new();
        for component in &collector.components {
            components.entry((component.kind, &component.id)).or_insert(component);
        }
        let side = |list: fn(&Pipeline) -> &[Reference]| {
            let mut mentions: Mentions<'a> = HashMap::new();
            for (at, pipeline) in collector.pipelines.iter().enumerate() {
                for reference in list(pipeline) {
                    mentions.entry(&reference.id).or_default().push((at, reference));
                }
            }
            mentions
        };
        Self {
            collector,
            components,
            receivers: side(|it| &it.receivers),
            processors: side(|it| &it.processors),
            exporters: side(|it| &it.exporters),
            extensions: collector.extensions.iter().map(|it| &it.id).collect(),
            open: collector.has_open_pipelines(),
        }
    }

    /// The collector.
    pub fn collector(&self) -> &'a Collector {
        self.collector
    }

    /// The component of that kind and id; the first, where there are two.
    pub fn component(&self, kind: ComponentKind, id: &ComponentId) -> Option<&'a Component> {
        self.components.get(&(kind, id)).copied()
    }

    /// The pipelines that name an id in `receivers`.
    pub fn fed_by(&self, id: &ComponentId) -> &[Mention<'a>] {
        self.receivers.get(id).map_or(&[], Vec::as_slice)
    }

    /// The pipelines that name an id in `exporters`.
    pub fn feeding(&self, id: &ComponentId) -> &[Mention<'a>] {
        self.exporters.get(id).map_or(&[], Vec::as_slice)
    }

    /// All mentions of a component in pipelines, list by list.
    pub fn mentions(&self, component: &Component) -> impl Iterator<Item = Mention<'a>> + '_ {
        let id = &component.id;
        let processors = || self.processors.get(id).map_or(&[][..], Vec::as_slice);
        let (first, then): (&[Mention<'a>], &[Mention<'a>]) = match component.kind {
            ComponentKind::Receiver => (self.fed_by(id), &[]),
            ComponentKind::Processor => (processors(), &[]),
            ComponentKind::Exporter => (self.feeding(id), &[]),
            ComponentKind::Connector => (self.fed_by(id), self.feeding(id)),
            ComponentKind::Extension => (&[], &[]),
        };
        first.iter().chain(then).copied()
    }

    /// Does the collector start it: is it in a pipeline, or an extension that is switched on, as far as is known?
    pub fn runs(&self, component: &Component) -> bool {
        match component.kind {
            ComponentKind::Extension => self.collector.gaps.extensions || self.extensions.contains(&component.id),
            _ => self.mentions(component).next().is_some(),
        }
    }

    /// Does the collector start it, or may a pipeline that names something that is not declared mean it?
    pub fn may_run(&self, component: &Component) -> bool {
        use ComponentKind::{Connector, Exporter, Processor, Receiver};
        let lost = |named: &Mentions<'a>, kinds: &[ComponentKind]| {
            named.keys().any(|id| kinds.iter().all(|kind| self.component(*kind, id).is_none()))
        };
        let meant = || match component.kind {
            Receiver => lost(&self.receivers, &[Receiver, Connector]),
            Processor => lost(&self.processors, &[Processor]),
            Exporter => lost(&self.exporters, &[Exporter, Connector]),
            Connector | ComponentKind::Extension => false,
        };
        self.runs(component) || meant()
    }

    /// May pipelines mention more than is known here?
    pub fn has_open_pipelines(&self) -> bool {
        self.open
    }

    /// Circles of pipelines: each pipeline on one, with the connector that it leaves by. Of pipelines that all reach
    /// each other, one circle, and a shortest one through the first of them. `joins` says whether a connector turns
    /// one signal into another.
    pub fn circles(&self, joins: impl Fn(&Component, Signal, Signal) -> bool) -> Vec<Vec<Mention<'a>>> {
        let edges = self.edges(joins);
        let targets: Vec<Vec<usize>> = edges.iter().map(|out| out.iter().map(|(to, _)| *to).collect()).collect();
        let mention = |at: usize, to: usize| {
            edges[at].iter().find(|step| step.0 == to).and_then(|(_, by)| by.map(|reference| (at, reference)))
        };
        let mentions = |circle: Vec<usize>| {
            let ends = circle.iter().cycle().skip(1);
            circle.iter().zip(ends).filter_map(|(at, to)| mention(*at, *to)).collect()
        };
        circles_among(&targets).into_iter().map(mentions).collect()
    }

    /// What each node leads to. Pipelines are nodes by their places; behind them stand connectors by the signal that
    /// they give. An edge into a connector knows the reference.
    fn edges(&self, joins: impl Fn(&Component, Signal, Signal) -> bool) -> Vec<Vec<Step<'a>>> {
        let pipelines = &self.collector.pipelines;
        let mut edges: Vec<Vec<Step<'a>>> = pipelines.iter().map(|_| Vec::new()).collect();
        let mut gates: HashMap<(&ComponentId, Signal), usize> = HashMap::new();
        for (from, pipeline) in pipelines.iter().enumerate() {
            for reference in &pipeline.exporters {
                let Some(connector) = self.component(ComponentKind::Connector, &reference.id) else { continue };
                for signal in Signal::ALL.iter().copied().filter(|it| joins(connector, pipeline.signal, *it)) {
                    let gate = *gates.entry((&connector.id, signal)).or_insert_with(|| {
                        let fed = self.fed_by(&connector.id).iter().filter(|it| pipelines[it.0].signal == signal);
                        edges.push(fed.map(|(to, _)| (*to, None)).collect());
                        edges.len() - 1
                    });
                    edges[from].push((gate, Some(reference)));
                }
            }
        }
        edges
    }
}

/// Where an edge leads, with the reference that it is, if it is one.
type Step<'a> = (usize, Option<&'a Reference>);
