//! The graph behind our own API: ids are stable, iteration is in the order of making.

use std::{
    collections::{HashMap, VecDeque},
    hash::Hash,
};

use petgraph::{
    Direction,
    algo::kosaraju_scc,
    graph::DiGraph,
    stable_graph::{EdgeIndex, NodeIndex, StableDiGraph},
    visit::{EdgeFiltered, EdgeRef, IntoEdgeReferences},
};

use crate::{
    model::{Cluster, Collector, Edge, Isolation, Node, Platform, Purpose},
    origin::{Origin, Sourced},
};

/// A node of a System.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct NodeId(NodeIndex);

/// An edge of a System.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct EdgeId(EdgeIndex);

/// The whole.
#[derive(Clone, Debug)]
pub struct System {
    /// The stack's name.
    pub name: String,
    /// The line that names it.
    pub origin: Origin,
    /// Where it runs.
    pub platform: Sourced<Platform>,
    /// False while something that was written could not be understood: what is missing here may not be
    /// missing there, so nothing may be said about absence.
    pub complete: bool,
    /// Was it read from the files of its tools? Then nobody wrote a stack, and advice is about those files.
    pub from_files: bool,
    /// Which cluster it is, of a stack of several.
    pub cluster_name: Option<Sourced<String>>,
    /// Which environment it is, of a stack of several.
    pub environment: Option<Sourced<String>>,
    /// Who may talk to whom in Kubernetes, if the stack says anything of that.
    pub isolation: Option<Isolation>,
    /// What is between and around the pods, where it runs in Kubernetes.
    pub cluster: Option<Box<Cluster>>,
    graph: StableDiGraph<Node, Edge>,
    /// The first node of each name. Names stay what they are once a node is added.
    names: HashMap<String, NodeId>,
}

/// What another cluster of the same environment calls `name`.
fn elsewhere(system: &System, name: &str) -> String {
    system.environment.as_ref().map_or_else(|| name.to_owned(), |it| format!("{}/{name}", it.value))
}

/// Which nodes lie on circles together; see [`System::circles`].
#[derive(Clone, Debug)]
pub struct Circles(HashMap<NodeId, usize>);

impl Circles {
    /// Does a way lead from the one to the other, and one back?
    pub fn join(&self, one: NodeId, other: NodeId) -> bool {
        self.0.get(&one).is_some_and(|number| self.0.get(&other) == Some(number))
    }
}

impl System {
    /// A System without nodes.
    pub fn new(name: impl Into<String>, origin: Origin, platform: Sourced<Platform>) -> Self {
        Self {
            name: name.into(),
            origin,
            platform,
            complete: true,
            from_files: false,
            cluster_name: None,
            environment: None,
            isolation: None,
            cluster: None,
            graph: StableDiGraph::new(),
            names: HashMap::new(),
        }
    }

    /// Which of several it is, as a path: environment, cluster. None of a stack that is one System.
    pub fn place(&self) -> Option<String> {
        let names: Vec<&str> =
            [&self.environment, &self.cluster_name].into_iter().flatten().map(|it| &*it.value).collect();
        (!names.is_empty()).then(|| names.join("/"))
    }

    /// Several clusters of one stack as one System, to look at: nodes are named `ENVIRONMENT/CLUSTER/NODE`, and what one reaches
    /// in another is the node there.
    pub fn joined(first: &System, others: &[System]) -> System {
        let mut out = Self::new(first.name.clone(), first.origin.clone(), first.platform.clone());
        let clusters = || std::iter::once(first).chain(others);
        out.complete = clusters().all(|it| it.complete);
        let mut ids: Vec<HashMap<NodeId, NodeId>> = Vec::new();
        for system in clusters() {
            let place = system.place().unwrap_or_default();
            let ours = system.nodes().filter(|(_, node)| node.external().is_none_or(|it| it.exposed.is_none()));
            ids.push(ours.map(|(id, node)| (id, out.add(node.renamed(format!("{place}/{}", node.name))))).collect());
        }
        for (system, ids) in clusters().zip(&ids) {
            let id = |id: NodeId| ids.get(&id).copied().or_else(|| out.find(&elsewhere(system, &system.node(id).name)));
            let edges: Vec<_> =
                system.edges().filter_map(|(_, from, edge, to)| Some((id(from)?, id(to)?, edge))).collect();
            for (from, to, edge) in edges {
                out.connect(from, to, edge.clone());
            }
        }
        out
    }

    /// Adds a node. Its name is its name for good.
    pub fn add(&mut self, node: Node) -> NodeId {
        let name = node.name.clone();
        let id = NodeId(self.graph.add_node(node));
        self.names.entry(name).or_insert(id);
        id
    }

    /// Adds an edge from the node that dials to the one that listens.
    pub fn connect(&mut self, from: NodeId, to: NodeId, edge: Edge) -> EdgeId {
        EdgeId(self.graph.add_edge(from.0, to.0, edge))
    }

    /// A node.
    pub fn node(&self, id: NodeId) -> &Node {
        &self.graph[id.0]
    }

    /// A node, to change.
    pub fn node_mut(&mut self, id: NodeId) -> &mut Node {
        &mut self.graph[id.0]
    }

    /// An edge.
    pub fn edge(&self, id: EdgeId) -> &Edge {
        &self.graph[id.0]
    }

    /// An edge, to change.
    pub fn edge_mut(&mut self, id: EdgeId) -> &mut Edge {
        &mut self.graph[id.0]
    }

    /// Both ends: the one that dials, the one that listens.
    ///
    /// # Panics
    ///
    /// For an edge of another System.
    pub fn ends(&self, id: EdgeId) -> (NodeId, NodeId) {
        let (from, to) = self.graph.edge_endpoints(id.0).expect("edges of a System are never removed");
        (NodeId(from), NodeId(to))
    }

    /// All nodes, in the order of making.
    pub fn nodes(&self) -> impl Iterator<Item = (NodeId, &Node)> {
        self.graph.node_indices().map(|id| (NodeId(id), &self.graph[id]))
    }

    /// All ids of nodes, in the order of making; for passes that change nodes.
    pub fn node_ids(&self) -> Vec<NodeId> {
        self.graph.node_indices().map(NodeId).collect()
    }

    /// All edges, in the order of making.
    pub fn edges(&self) -> impl Iterator<Item = (EdgeId, NodeId, &Edge, NodeId)> {
        self.graph
            .edge_references()
            .map(|edge| (EdgeId(edge.id()), NodeId(edge.source()), edge.weight(), NodeId(edge.target())))
    }

    /// All ids of edges, in the order of making; for passes that change edges.
    pub fn edge_ids(&self) -> Vec<EdgeId> {
        self.graph.edge_indices().map(EdgeId).collect()
    }

    /// Edges of a purpose that a node dials, in the order of making.
    pub fn outgoing(&self, node: NodeId, purpose: Purpose) -> Vec<(EdgeId, NodeId)> {
        self.of_direction(node, purpose, Direction::Outgoing)
    }

    /// Edges of a purpose that a node listens to, in the order of making.
    pub fn incoming(&self, node: NodeId, purpose: Purpose) -> Vec<(EdgeId, NodeId)> {
        self.of_direction(node, purpose, Direction::Incoming)
    }

    fn of_direction(&self, node: NodeId, purpose: Purpose, direction: Direction) -> Vec<(EdgeId, NodeId)> {
        let mut found: Vec<_> = self
            .graph
            .edges_directed(node.0, direction)
            .filter(|edge| edge.weight().purpose == purpose)
            .map(|edge| {
                let other = if direction == Direction::Outgoing { edge.target() } else { edge.source() };
                (EdgeId(edge.id()), NodeId(other))
            })
            .collect();
        found.sort();
        found
    }

    /// The node of that name.
    pub fn find(&self, name: &str) -> Option<NodeId> {
        self.names.get(name).copied()
    }

    /// Which nodes reach each other both ways along edges of a purpose: two of one number do.
    pub fn circles(&self, purpose: Purpose) -> Circles {
        let edges = EdgeFiltered::from_fn(&self.graph, |edge| edge.weight().purpose == purpose);
        let circles = (0..).zip(kosaraju_scc(&edges));
        Circles(circles.flat_map(|(number, ids)| ids.into_iter().map(move |id| (NodeId(id), number))).collect())
    }

    /// The node that others dial by that name.
    pub fn answering(&self, host: &str) -> Option<NodeId> {
        // In a stack names are all that there is.
        if let (false, Some(found)) = (self.from_files, self.find(host)) {
            return Some(found);
        }
        // In Kubernetes names are those of Services, and depend on who asks: see `link::way`.
        if self.cluster.is_some() {
            return None;
        }
        let mut answering = self.nodes().filter(|(_, node)| node.answers_to(host)).map(|(id, _)| id);
        let first = answering.next()?;
        // Alternatives that go by one name: nobody can tell which of them runs.
        answering.next().is_none().then_some(first)
    }

    /// All collectors.
    pub fn collectors(&self) -> impl Iterator<Item = (NodeId, &Node, &Collector)> {
        self.nodes().filter_map(|(id, node)| Some((id, node, node.collector()?)))
    }
}

/// Circles of nodes by number, each with those that it leads to. Of nodes that all reach each other, one circle, and
/// a shortest one through the first of them.
pub fn circles_among(targets: &[Vec<usize>]) -> Vec<Vec<usize>> {
    let mut number = vec![0; targets.len()];
    let mut firsts = Vec::new();
    for (at, group) in groups(targets).iter().enumerate() {
        for node in group {
            number[*node] = at;
        }
        let first = group.iter().min().copied();
        firsts.extend(first.filter(|first| group.len() > 1 || targets[*first].contains(first)));
    }
    firsts.sort_unstable();
    let beside = |at: usize| targets[at].iter().copied().filter(|it| number[*it] == number[at]).collect();
    firsts.into_iter().filter_map(|first| shortest_circle(first, beside)).collect()
}

/// A shortest way from a place back to itself, without its end; none if no way leads back. `next` says where each leads.
pub fn shortest_circle<T: Copy + Eq + Hash>(start: T, mut next: impl FnMut(T) -> Vec<T>) -> Option<Vec<T>> {
    let mut came_from: HashMap<T, T> = HashMap::new();
    let mut queue = VecDeque::from([start]);
    while let Some(at) = queue.pop_front().filter(|_| !came_from.contains_key(&start)) {
        for next in next(at) {
            came_from.entry(next).or_insert_with(|| {
                queue.push_back(next);
                at
            });
        }
    }
    let mut circle = vec![start];
    let mut at = *came_from.get(&start)?;
    while at != start {
        circle.push(at);
        at = *came_from.get(&at)?;
    }
    circle[1..].reverse();
    Some(circle)
}

/// Of nodes by number, each with those that it leads to: those that reach each other both ways, together.
fn groups(targets: &[Vec<usize>]) -> Vec<Vec<usize>> {
    let mut graph = DiGraph::<(), ()>::new();
    let nodes: Vec<NodeIndex> = targets.iter().map(|_| graph.add_node(())).collect();
    for (from, targets) in targets.iter().enumerate() {
        for to in targets {
            graph.add_edge(nodes[from], nodes[*to], ());
        }
    }
    let index = |node: &NodeIndex| node.index();
    kosaraju_scc(&graph).iter().map(|group| group.iter().map(index).collect()).collect()
}
