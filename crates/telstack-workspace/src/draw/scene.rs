//! A System as boxes and wires: what stands in each box, what is written at each wire.

use telstack_catalog::{ComponentKind, SignalSet};
use telstack_system::{ComponentId, Known, Listener, Node, NodeId, NodeKind, Purpose, StoreFacet, System, Tls};

use super::{
    card::{Card, Port, SMALL, card, pill, signal_class},
    layout::{self, Layout, Place, Wire},
    open_to_applications,
    text::width,
};

/// Room left and right of a label.
const LABEL_ROOM: i32 = 44;

/// A wire with what is written at it.
#[derive(Clone, Debug)]
pub struct Link {
    /// The boxes at its ends, in the direction that data flows.
    pub from: usize,
    pub to: usize,
    /// The line above the wire.
    pub above: String,
    /// The words below it, each with its class.
    pub below: Vec<(String, &'static str)>,
    /// The class of the line: a signal, `several`, `query`, `alert`.
    pub class: &'static str,
    from_component: Option<ComponentId>,
    to_component: Option<ComponentId>,
    /// For the tooltip.
    pub title: String,
}

impl Link {
    /// The width of what is written at it, in pixels.
    pub fn width(&self) -> i32 {
        let below: Vec<&str> = self.below.iter().map(|(word, _)| word.as_str()).collect();
        width(&self.above, SMALL, false).max(width(&below.join(" · "), SMALL, false))
    }
}

/// A drawing before it is written down.
#[derive(Clone, Debug)]
pub struct Scene {
    /// Names of the boxes, for tooltips.
    pub titles: Vec<String>,
    pub cards: Vec<Card>,
    pub places: Vec<Place>,
    pub links: Vec<Link>,
    pub layout: Layout,
}

/// Makes the drawing of a System.
pub fn scene(system: &System) -> Scene {
    let nodes: Vec<(NodeId, &Node)> = system.nodes().collect();
    let at = |wanted: NodeId| nodes.iter().position(|(id, _)| *id == wanted).unwrap_or_default();
    let mut links = Vec::new();
    for (_, dialler, edge, listener) in system.edges() {
        links.extend(link(system, edge, (dialler, at(dialler)), (listener, at(listener))));
    }
    // Applications come last, for the other boxes to keep their numbers.
    let applications = nodes.len();
    for (id, node) in &nodes {
        for listener in open_to_applications(system, *id) {
            links.push(from_applications(applications, at(*id), node, listener));
        }
    }
    let with_applications = links.iter().any(|link| link.from == applications);

    let place = |node: &Node| match node.external() {
        Some(it) if it.programs.is_some() => Place::First,
        Some(_) => Place::Last,
        None => Place::Between,
    };
    let mut places: Vec<Place> = nodes.iter().map(|(_, node)| place(node)).collect();
    if with_applications {
        places.push(Place::First);
    }
    // Which wires must run against the rest is known before anything has a size.
    let sizeless: Vec<layout::Card> =
        places.iter().map(|place| layout::Card { width: 0, height: 0, place: *place }).collect();
    let bare: Vec<Wire> =
        links.iter().map(|link| Wire { from: (link.from, 0), to: (link.to, 0), bundle: 0, label: 0 }).collect();
    let backwards = layout::backwards(&sizeless, &bare);

    let mut left: Vec<Vec<Port>> = vec![Vec::new(); places.len()];
    let mut right = left.clone();
    let mut ends = Vec::new();
    for (link, back) in links.iter().zip(backwards) {
        let label = format!("{}\n{}\n{:?}", link.class, link.above, link.below);
        ends.push(if back {
            let port = |node: usize| Port { component: None, key: format!("backwards {node} {label}") };
            (End::new(&mut left, link.from, true, port(link.to)), End::new(&mut right, link.to, false, port(link.from)))
        } else {
            // Wires of one kind leave at one point.
            let out = Port { component: link.from_component.clone(), key: link.class.to_owned() };
            let into = Port { component: link.to_component.clone(), key: label };
            (End::new(&mut right, link.from, false, out), End::new(&mut left, link.to, true, into))
        });
    }
    let mut cards: Vec<Card> =
        nodes.iter().map(|(id, node)| card(node, &facts(system, *id, node), &left[at(*id)], &right[at(*id)])).collect();
    let mut titles: Vec<String> = nodes.iter().map(|(_, node)| format!("{}: {}", node.name, node.title())).collect();
    if with_applications {
        cards.push(pill("applications", "send telemetry", &right[applications]));
        titles.push("applications outside the stack".to_owned());
    }

    same_widths(&mut cards, &nodes);

    let boxes: Vec<layout::Card> = cards
        .iter()
        .zip(&places)
        .map(|(card, place)| layout::Card { width: card.width, height: card.height, place: *place })
        .collect();
    let mut bundles: Vec<End> = Vec::new();
    let mut wires = bare;
    for ((wire, link), (_, into)) in wires.iter_mut().zip(&links).zip(&ends) {
        wire.bundle = bundles.iter().position(|known| known == into).unwrap_or_else(|| {
            bundles.push(*into);
            bundles.len() - 1
        });
        wire.label = LABEL_ROOM + link.width();
    }
    // Twice: once one knows where everything is, ports change places so that fewer wires cross. Until then
    // those of a box without an inside count as one.
    let mut layout = Layout::default();
    for round in 0..2 {
        for (wire, (out, into)) in wires.iter_mut().zip(&ends) {
            let height = |end: &End| {
                let card = &cards[end.card];
                if round == 0 && card.inset == 0 { card.height / 2 } else { end.height(card) }
            };
            (wire.from.1, wire.to.1) = (height(out), height(into));
        }
        layout = layout::layout(&boxes, &wires);
        if round == 0 {
            exchange(&mut cards, &left, &right, &ends, &layout);
        }
    }
    Scene { titles, cards, places, links, layout }
}

/// An end of a wire: which port of which box.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct End {
    card: usize,
    left: bool,
    number: usize,
}

impl End {
    /// The port of that kind, which is added where there is none.
    fn new(ports: &mut [Vec<Port>], card: usize, left: bool, wanted: Port) -> Self {
        let ports = &mut ports[card];
        let number = ports.iter().position(|port| *port == wanted).unwrap_or_else(|| {
            ports.push(wanted);
            ports.len() - 1
        });
        Self { card, left, number }
    }

    fn height(self, card: &Card) -> i32 {
        if self.left { card.left[self.number] } else { card.right[self.number] }
    }
}

/// Stores among each other are of one width, and so are viewers.
fn same_widths(cards: &mut [Card], nodes: &[(NodeId, &Node)]) {
    let kinds: [fn(&Node) -> bool; 3] = [
        |node| node.store().is_some(),
        |node| node.viewer().is_some() || node.alerter().is_some(),
        |node| node.external().is_some(),
    ];
    for kind in kinds {
        let of_kind: Vec<usize> = (0..nodes.len()).filter(|at| kind(nodes[*at].1)).collect();
        let widest = of_kind.iter().map(|at| cards[*at].width).max().unwrap_or_default();
        for at in of_kind {
            cards[at].widen(widest);
        }
    }
}

/// Ports of one component, or of one side of a box, stand in the order of what they are wired to.
fn exchange(cards: &mut [Card], left: &[Vec<Port>], right: &[Vec<Port>], ends: &[(End, End)], layout: &Layout) {
    for at in 0..cards.len() {
        for (ports, leftwards) in [(&left[at], true), (&right[at], false)] {
            // The mean height of the other ends of a port's wires.
            let far = |number: usize| {
                let own = End { card: at, left: leftwards, number };
                let wires = ends.iter().zip(&layout.routes).filter_map(|((a, b), route)| {
                    let route = route.as_ref().filter(|_| *a == own || *b == own)?;
                    Some(i64::from(if leftwards { route.start.1 } else { route.end.1 }))
                });
                let (sum, count) = wires.fold((0, 0), |(sum, count), y| (sum + y, count + 1));
                if count == 0 { 0 } else { sum / count }
            };
            let mut groups: Vec<Vec<usize>> = Vec::new();
            for (number, port) in ports.iter().enumerate() {
                match groups.iter_mut().find(|group| ports[group[0]].component == port.component) {
                    Some(group) => group.push(number),
                    None => groups.push(vec![number]),
                }
            }
            for group in groups.into_iter().filter(|group| group.len() > 1) {
                let card = &mut cards[at];
                let heights = if leftwards { &mut card.left } else { &mut card.right };
                let mut free: Vec<i32> = group.iter().map(|number| heights[*number]).collect();
                free.sort_unstable();
                let mut wanted = group;
                wanted.sort_by_key(|number| (far(*number), *number));
                for (number, height) in wanted.into_iter().zip(free) {
                    heights[number] = height;
                }
            }
        }
    }
}

fn class_of(signals: SignalSet) -> &'static str {
    let mut all = signals.iter();
    match (all.next(), all.next()) {
        (Some(signal), None) => signal_class(signal),
        _ => "several",
    }
}

/// The wire of an edge. Scrapes are told in the boxes: Prometheus asks every box of a stack.
fn link(
    system: &System,
    edge: &telstack_system::Edge,
    dialler: (NodeId, usize),
    listener: (NodeId, usize),
) -> Option<Link> {
    let (from, to, class) = match edge.purpose {
        Purpose::Telemetry => (dialler, listener, class_of(edge.signals)),
        Purpose::Alert | Purpose::Forward => (dialler, listener, "alert"),
        // Grafana asks, and the data comes to it.
        Purpose::Query | Purpose::Consume => (listener, dialler, "query"),
        Purpose::Scrape => return None,
    };
    let dial = edge.dial.as_ref();
    let above = match (edge.purpose, dial) {
        (Purpose::Telemetry, Some(dial)) => format!("{} :{}", dial.protocol.title(), dial.port),
        (Purpose::Telemetry, None) => "no protocol".to_owned(),
        (Purpose::Alert, Some(dial)) => format!("alerts :{}", dial.port),
        (Purpose::Alert, None) => "alerts".to_owned(),
        (Purpose::Forward, _) => "forwards".to_owned(),
        (Purpose::Consume, _) => "reads messages".to_owned(),
        _ => "queries".to_owned(),
    };
    let mut below = signal_words(edge.signals);
    if let Some(dial) = dial {
        match dial.tls {
            Known::Value(Tls::On) => below.push(("TLS".to_owned(), "plain")),
            Known::Value(Tls::Mutual) => below.push(("mutual TLS".to_owned(), "plain")),
            _ => {}
        }
        below.extend(dial.tenant.iter().map(|tenant| (format!("tenant {tenant}"), "plain")));
    }
    let receiver = dial.and_then(|dial| {
        let target = system.node(listener.0);
        let found = target.listeners.iter().find(|it| it.port == dial.port && !it.signals.is_empty());
        found.and_then(|it| it.owner.as_ref()).map(|owner| owner.id.clone())
    });
    let names = (&system.node(from.0).name, &system.node(to.0).name);
    let by = edge.exporter().map(|id| format!(" by {id}")).unwrap_or_default();
    Some(Link {
        from: from.1,
        to: to.1,
        title: format!("{} → {}: {above}{by}", names.0, names.1),
        above,
        below,
        class,
        from_component: edge.exporter().filter(|_| edge.purpose == Purpose::Telemetry).cloned(),
        to_component: receiver.filter(|_| edge.purpose == Purpose::Telemetry),
    })
}

fn signal_words(signals: SignalSet) -> Vec<(String, &'static str)> {
    signals.iter().map(|signal| (signal.to_string(), signal_class(signal))).collect()
}

fn from_applications(applications: usize, to: usize, node: &Node, listener: &Listener) -> Link {
    // What its pipelines take, not what it could.
    let owner = listener.owner.as_ref();
    let taken: SignalSet = node
        .collector()
        .into_iter()
        .flat_map(|collector| &collector.pipelines)
        .filter(|pipeline| pipeline.receivers.iter().any(|it| owner.is_none_or(|owner| owner.id == it.id)))
        .map(|pipeline| pipeline.signal)
        .collect();
    let signals = listener.signals.intersection(taken);
    let above = format!("{} :{}", listener.protocol.title(), listener.port);
    let mut below = signal_words(signals);
    if listener.tls == Known::Value(Tls::On) {
        below.push(("TLS".to_owned(), "plain"));
    }
    Link {
        from: applications,
        to,
        title: format!("applications → {}: {above}", node.name),
        above,
        below,
        class: class_of(signals),
        from_component: None,
        to_component: owner.map(|owner| owner.id.clone()),
    }
}

/// The lines under a node's name.
fn facts(system: &System, id: NodeId, node: &Node) -> Vec<String> {
    let mut lines = Vec::new();
    let limits = &node.resources;
    let mut granted: Vec<String> = limits.cpu.iter().map(|cpu| format!("cpu {}", cpu.value)).collect();
    granted.extend(limits.memory.iter().map(|memory| format!("memory {}", memory.value)));
    if !granted.is_empty() {
        lines.push(granted.join(" · "));
    }
    match &node.kind {
        NodeKind::Collector(collector) if collector.delivery.is_some() => lines.push("queues on disk".to_owned()),
        NodeKind::Store(store) => {
            let mut kept: Vec<String> = store.retention.iter().map(|it| it.value.to_string()).collect();
            kept.extend(store.size.iter().map(|it| format!("at most {}", it.value)));
            if !kept.is_empty() {
                lines.push(format!("keeps {}", kept.join(", ")));
            }
            lines.extend(store.tenant.iter().map(|it| format!("tenant {}", it.value)));
            if let StoreFacet::Jaeger(Some(storage)) = &store.facet
                && storage.value == telstack_system::JaegerStorage::Memory
            {
                lines.push("in memory only".to_owned());
            }
        }
        NodeKind::Alerter(alerter) => lines.extend(alerter.webhooks.iter().map(|it| format!("tells {}", it.url))),
        NodeKind::External(external) => {
            let mut places: Vec<String> = external.endpoints.iter().map(|it| it.endpoint.value.clone()).collect();
            places.dedup();
            lines.extend(places);
        }
        _ => {}
    }
    lines.extend(published(node));
    lines.extend(scrapes(system, id));
    lines
}

/// Ports of the host that lead here, but for those that are drawn as wires.
fn published(node: &Node) -> Option<String> {
    let container = node.container.as_ref()?;
    // A collector's health check answers nobody's question about the flow.
    let is_probe = |it: &Listener| it.owner.as_ref().is_some_and(|owner| owner.kind == ComponentKind::Extension);
    let drawn = |port: u16| {
        node.collector().is_some()
            && node.listeners.iter().any(|it| it.port == port && (!it.signals.is_empty() || is_probe(it)))
    };
    let ports: Vec<String> = container
        .published
        .iter()
        .filter(|it| !drawn(it.container_port))
        .map(|it| match &it.host_ip {
            Some(host) => format!("{host}:{}", it.host_port),
            None => format!(":{}", it.host_port),
        })
        .collect();
    (!ports.is_empty()).then(|| format!("on the host: {}", ports.join(", ")))
}

/// Whom a Prometheus scrapes, in a line.
fn scrapes(system: &System, id: NodeId) -> Option<String> {
    let targets: Vec<&str> =
        system.outgoing(id, Purpose::Scrape).into_iter().map(|(_, node)| system.node(node).name.as_str()).collect();
    if targets.is_empty() {
        return None;
    }
    let others = system.nodes().filter(|(other, node)| *other != id && node.external().is_none()).count();
    Some(match targets.len() {
        count if count == others && count > 1 => format!("scrapes all {count} others"),
        count if count > 8 => format!("scrapes {} and {} more", targets[..7].join(", "), count - 7),
        _ => format!("scrapes {}", targets.join(", ")),
    })
}
