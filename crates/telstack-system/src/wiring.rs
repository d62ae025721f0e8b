//! The wiring of a collector: who mentions whom, looked up.

use std::collections::{HashMap, HashSet, VecDeque};

use telstack_catalog::{ComponentKind, Signal};

use crate::{
    graph::groups,
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
        let groups = groups(&targets);
        let mut number = vec![0; edges.len()];
        for (at, group) in groups.iter().enumerate() {
            for node in group {
                number[*node] = at;
            }
        }
        // Between two pipelines lies a connector, so that a circle has two nodes or more.
        let on_circles = groups.iter().filter(|group| group.len() > 1);
        let mut firsts: Vec<usize> = on_circles.filter_map(|group| group.iter().min().copied()).collect();
        firsts.sort_unstable();
        firsts.into_iter().map(|first| circle(&edges, first, |it| number[it] == number[first])).collect()
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

/// A shortest way from a pipeline back to itself, which there is, within what `reaches_it`.
fn circle<'a>(edges: &[Vec<Step<'a>>], start: usize, reaches_it: impl Fn(usize) -> bool) -> Vec<Mention<'a>> {
    let mut came_from: HashMap<usize, Mention<'a>> = HashMap::new();
    let mut connectors: HashMap<usize, usize> = HashMap::new();
    let mut queue = VecDeque::from([start]);
    let mut end = None;
    while let Some(at) = queue.pop_front().filter(|_| end.is_none()) {
        for (next, by) in edges[at].iter().copied().filter(|(next, _)| reaches_it(*next)) {
            match by {
                // From a pipeline into a connector.
                Some(by) if !came_from.contains_key(&next) => {
                    came_from.insert(next, (at, by));
                    queue.push_back(next);
                }
                None if next == start => end = end.or(Some(at)),
                None if !connectors.contains_key(&next) => {
                    connectors.insert(next, at);
                    queue.push_back(next);
                }
                _ => {}
            }
        }
    }
    let mut circle = Vec::new();
    while let Some(mention) = end.and_then(|gate| came_from.get(&gate)).copied() {
        circle.push(mention);
        end = connectors.get(&mention.0).copied().filter(|_| mention.0 != start);
    }
    circle.reverse();
    circle
}
