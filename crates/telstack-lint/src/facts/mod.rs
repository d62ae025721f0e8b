//! What several rules need to know of a System, worked out once.

mod balance;
mod components;
mod duration;
mod files;
mod flags;
mod flow;
pub(crate) mod headers;
mod hosts;
mod links;
mod pods;
mod producers;
pub(crate) mod proxies;
mod queries;
mod settings;
mod texts;

use std::{cell::OnceCell, collections::HashMap, rc::Rc};

use telstack_catalog::{ComponentKind, Version, otelcol};
use telstack_diagnostics::Span;
use telstack_system::{
    Collector, Component, ComponentId, Node, NodeId, Purpose, Reference, System, Wiring,
    link::{self, Call},
};

pub(crate) use balance::{nameless, spread_over, spreads};
pub(crate) use components::{Part, Standing};
pub(crate) use duration::nanoseconds;
pub(crate) use files::{FileProblem, FileProblemKind};
pub(crate) use flags::{GivenFlag, flags};
pub(crate) use flow::{Follow, Place, reached};
pub(crate) use hosts::is_public;
pub(crate) use links::{Arrival, Link, opens_unknown_ports};
pub(crate) use pods::{downward, mesh_marker, own_pod, several};
pub(crate) use producers::{Producers, Verdict};
pub(crate) use queries::{AskedMetric, asked_metrics};
pub(crate) use settings::{Problem, ProblemKind, unnoticed};
use texts::Texts;

/// What several rules need to know.
#[derive(Debug)]
pub(crate) struct Facts<'a> {
    /// Every component of every collector, and whether it is there at all.
    pub(crate) parts: Vec<Part<'a>>,
    /// What is wrong with the settings of those that are there.
    pub(crate) problems: Vec<Problem<'a>>,
    /// What is wrong with the settings of products' files.
    pub(crate) files: Vec<FileProblem<'a>>,
    /// What exporters dial that no edge stands for.
    pub(crate) unlinked: Vec<Call>,
    /// Every edge that dials, and where it arrives.
    pub(crate) links: Vec<Link<'a>>,
    /// Which part each component is: two of one id are two parts, so it goes by the component itself.
    places: HashMap<*const Component, usize>,
    wirings: HashMap<NodeId, Rc<Wiring<'a>>>,
    /// The parts that are written at one place: those of a file that several collectors read.
    written_at: OnceCell<HashMap<Span, Vec<usize>>>,
    texts: OnceCell<Texts>,
}

impl<'a> Facts<'a> {
    pub(crate) fn of(system: &'a System) -> Self {
        let wirings = system.collectors().map(|(id, _, collector)| (id, Rc::new(Wiring::of(collector)))).collect();
        let parts = components::parts(system, &wirings);
        let problems = settings::problems(system, &parts);
        let files = files::problems(system);
        let unlinked = link::telemetry(system);
        let links = links::links(system, &unlinked);
        let places = parts.iter().enumerate().map(|(at, part)| (std::ptr::from_ref(part.component), at)).collect();
        let (written_at, texts) = (OnceCell::new(), OnceCell::new());
        Self { parts, problems, files, unlinked, links, places, wirings, written_at, texts }
    }

    /// The part that a component of a collector is.
    pub(crate) fn part(&self, component: &Component) -> Option<&Part<'a>> {
        self.parts.get(*self.places.get(&std::ptr::from_ref(component))?)
    }

    /// Would every other collector that reads the same file take that name for the component? Several releases may
    /// share one.
    pub(crate) fn others_take(&self, part: &Part<'_>, name: &str) -> bool {
        let fact = otelcol::component(part.component.kind, name);
        let takes = |other: &Part<'_>| {
            fact.zip(other.node.version()).is_some_and(|(fact, version)| other.answers_to(fact, name, version))
        };
        let sharing = part.component.origin.span().and_then(|at| self.written_at().get(&at));
        let others = sharing.into_iter().flatten().filter_map(|at| self.parts.get(*at));
        others.filter(|it| it.id != part.id).all(takes)
    }

    fn written_at(&self) -> &HashMap<Span, Vec<usize>> {
        self.written_at.get_or_init(|| {
            let mut places: HashMap<Span, Vec<usize>> = HashMap::new();
            for (at, part) in self.parts.iter().enumerate() {
                if let Some(span) = part.component.origin.span() {
                    places.entry(span).or_default().push(at);
                }
            }
            places
        })
    }

    /// Who in a collector mentions whom.
    pub(crate) fn wiring(&self, collector: NodeId) -> Option<&Wiring<'a>> {
        self.wirings.get(&collector).map(AsRef::as_ref)
    }

    /// What the settings of components say, for who looks for names in them.
    pub(crate) fn texts(&self) -> &Texts {
        self.texts.get_or_init(|| Texts::of(&self.parts))
    }

    /// The part that a reference of a collector's pipeline is.
    pub(crate) fn named(&self, collector: NodeId, kind: ComponentKind, id: &ComponentId) -> Option<&Part<'a>> {
        self.part(self.wiring(collector)?.component(kind, id)?)
    }

    /// The parts that the catalog knows and that are there, with what it knows.
    pub(crate) fn usable(&self) -> impl Iterator<Item = (&Part<'a>, otelcol::Component, Version)> {
        self.parts.iter().filter_map(|part| part.usable().map(|(fact, version)| (part, fact, version)))
    }
}

/// A pipeline of a collector that still waits for an exporter, because the link it feeds was not
/// negotiated: its missing exporter is not the pipeline's fault.
pub(crate) fn waits_for_a_link(system: &System, node: NodeId, pipeline: usize) -> bool {
    system.outgoing(node, Purpose::Telemetry).into_iter().any(|(edge, _)| {
        let edge = system.edge(edge);
        edge.dial.is_none() && edge.pipelines.iter().any(|it| it.value == pipeline)
    })
}

/// Mentions of what a list mentions before, each behind the first one.
pub(crate) fn repeated(list: &[Reference]) -> Vec<(&Reference, &Reference)> {
    let mut named: HashMap<_, &Reference> = HashMap::new();
    let firsts = list.iter().map(|it| (*named.entry(&it.id).or_insert(it), it));
    firsts.filter(|(first, later)| !std::ptr::eq(*first, *later)).collect()
}

/// All collectors with the place of each pipeline.
pub(crate) fn pipelines(
    system: &System,
) -> impl Iterator<Item = (NodeId, &Node, &Collector, usize, &telstack_system::Pipeline)> {
    system.collectors().flat_map(|(id, node, collector)| {
        collector.pipelines.iter().enumerate().map(move |(at, pipeline)| (id, node, collector, at, pipeline))
    })
}
