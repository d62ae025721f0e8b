//! What a node looks like: its name, what it is, and inside a collector its pipelines.

use telstack_catalog::{ComponentKind, Signal};
use telstack_system::{Collector, ComponentId, Node, NodeKind, Pipeline, Reference};

use super::{
    layout::near,
    text::{fit, width, wrap},
};

/// Sizes of text, in pixels.
pub const NAME: i32 = 14;
pub const PLAIN: i32 = 11;
pub const SMALL: i32 = 10;
/// Room inside a box before its content.
pub const PAD: i32 = 12;
/// Height that a wire with its label needs.
pub const LABEL: i32 = 34;
/// Width that text in a box may take, and in a collector's.
const TEXT: (i32, i32) = (250, 340);
/// Width that the processors of a pipeline may take.
const PROCESSORS: i32 = 170;
/// Width from which a component's id is broken at its slash, and from which it is cut.
const CHIP: (i32, i32) = (120, 190);
/// Between receivers, pipelines and exporters.
const INNER: i32 = 26;
/// Between what stands below each other inside.
const BETWEEN: i32 = 6;

/// Where text stands around its point.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Anchor {
    Start,
    Middle,
    End,
}

/// A piece of a drawing. Classes are those of the style sheet.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Shape {
    Rect {
        x: i32,
        y: i32,
        width: i32,
        height: i32,
        round: i32,
        class: String,
    },
    Text {
        x: i32,
        y: i32,
        anchor: Anchor,
        class: String,
        text: String,
    },
    /// From left to right.
    Curve {
        from: (i32, i32),
        to: (i32, i32),
        class: String,
    },
}

/// An end of a wire, before it has a height.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Port {
    /// The component that it belongs to, in a collector; none for wires that reach no component of that side.
    pub component: Option<ComponentId>,
    /// Wires with the same key share the port.
    pub key: String,
}

/// A drawn node: its shapes, seen from its upper left corner.
#[derive(Clone, Debug, Default)]
pub struct Card {
    pub width: i32,
    pub height: i32,
    pub shapes: Vec<Shape>,
    /// Heights of the ports on the left and on the right, in the order asked for.
    pub left: Vec<i32>,
    pub right: Vec<i32>,
    /// How far inside the box wires end: at the component, not at the border.
    pub inset: i32,
}

impl Card {
    /// Makes a box without an inside wider.
    pub fn widen(&mut self, to: i32) {
        if let Some(Shape::Rect { width, .. }) = self.shapes.first_mut() {
            *width = to;
            self.width = to;
        }
    }
}

/// The class of a signal.
pub fn signal_class(signal: Signal) -> &'static str {
    match signal {
        Signal::Traces => "traces",
        Signal::Metrics => "metrics",
        Signal::Logs => "logs",
        Signal::Profiles => "profiles",
    }
}

/// Draws a node with the lines under its name, and the ports that wires want.
pub fn card(node: &Node, facts: &[String], left: &[Port], right: &[Port]) -> Card {
    let class = match &node.kind {
        NodeKind::Collector(_) => "collector",
        NodeKind::Store(_) => "store",
        NodeKind::Viewer(_)
        | NodeKind::Alerter(_)
        | NodeKind::Informer(_)
        | NodeKind::Proxy(_)
        | NodeKind::Broker(_) => "viewer",
        NodeKind::External(_) => "outside",
    };
    let title = if node.external().is_some() { "outside the stack".to_owned() } else { node.title() };
    match node.collector() {
        Some(collector) if !collector.pipelines.is_empty() => {
            // It is wide anyway: what is said of it goes into one line where it can.
            let head = heading(&node.name, &title, &[facts.join(" · ")], TEXT.1);
            with_pipelines(head, collector, left, right)
        }
        _ => plain(heading(&node.name, &title, facts, TEXT.0), class, left, right),
    }
}

/// A box with a name alone.
pub fn pill(name: &str, title: &str, right: &[Port]) -> Card {
    plain(heading(name, title, &[], TEXT.0), "outside", &[], right)
}

/// The lines at the top of a box, with the width that they need.
fn heading(name: &str, title: &str, facts: &[String], limit: i32) -> Card {
    let mut card = Card::default();
    let mut y = 24;
    let mut line = |card: &mut Card, text: &str, class: &str, size: i32| {
        let bold = class == "name";
        let text = fit(text, size, bold, limit);
        card.width = card.width.max(width(&text, size, bold) + 2 * PAD);
        card.shapes.push(Shape::Text { x: PAD, y, anchor: Anchor::Start, class: class.to_owned(), text });
        y += 15;
    };
    line(&mut card, name, "name", NAME);
    line(&mut card, title, "title", PLAIN);
    for fact in facts.iter().filter(|fact| !fact.is_empty()) {
        let words: Vec<String> = fact.split(' ').map(str::to_owned).collect();
        for text in wrap(&words, "", SMALL, limit) {
            line(&mut card, &text, "fact", SMALL);
        }
    }
    card.height = y - 15 + PAD;
    card.width = card.width.max(110);
    card
}

/// A box without an inside: ports in the middle of its sides.
fn plain(mut card: Card, class: &str, left: &[Port], right: &[Port]) -> Card {
    let most = i32::try_from(left.len().max(right.len())).unwrap_or(i32::MAX / 64);
    card.height = card.height.max(most * LABEL + BETWEEN);
    let middle = |ports: &[Port]| -> Vec<i32> {
        let room = card.height / i32::try_from(ports.len().max(1)).unwrap_or(i32::MAX);
        let room = room.min(LABEL + BETWEEN);
        let count = i32::try_from(ports.len()).unwrap_or(i32::MAX / 64);
        let first = (card.height - room * (count - 1)) / 2;
        (0..count).map(|at| first + at * room).collect()
    };
    (card.left, card.right) = (middle(left), middle(right));
    let round = if class == "outside" { 18 } else { 6 };
    card.shapes.insert(0, frame(&card, round, class));
    card
}

fn frame(card: &Card, round: i32, class: &str) -> Shape {
    Shape::Rect { x: 0, y: 0, width: card.width, height: card.height, round, class: format!("box {class}") }
}

/// Receivers or exporters of a collector, in the order of the pipelines that name them.
struct Column {
    ids: Vec<ComponentId>,
    /// The pipelines of each.
    lanes: Vec<Vec<usize>>,
}

impl Column {
    fn new<'a>(pipelines: &'a [Pipeline], side: impl Fn(&'a Pipeline) -> &'a Vec<Reference>) -> Self {
        let mut column = Column { ids: Vec::new(), lanes: Vec::new() };
        for (lane, pipeline) in pipelines.iter().enumerate() {
            for reference in side(pipeline) {
                let at = column.ids.iter().position(|id| *id == reference.id).unwrap_or_else(|| {
                    column.ids.push(reference.id.clone());
                    column.lanes.push(Vec::new());
                    column.ids.len() - 1
                });
                column.lanes[at].push(lane);
            }
        }
        column
    }
}

/// The id in one line, or in two where it is long.
fn chip_lines(id: &ComponentId) -> Vec<String> {
    let whole = id.to_string();
    let lines = match &id.name {
        Some(name) if width(&whole, PLAIN, false) > CHIP.0 => vec![id.ty.clone(), format!("/{name}")],
        _ => vec![whole],
    };
    lines.iter().map(|line| fit(line, PLAIN, false, CHIP.1)).collect()
}

fn chip_height(lines: &[String]) -> i32 {
    8 + 13 * i32::try_from(lines.len()).unwrap_or(1)
}

/// A collector: receivers at the left, one lane for each pipeline, exporters at the right.
fn with_pipelines(mut card: Card, collector: &Collector, left: &[Port], right: &[Port]) -> Card {
    let receivers = Column::new(&collector.pipelines, |it| &it.receivers);
    let exporters = Column::new(&collector.pipelines, |it| &it.exporters);
    let lanes: Vec<(String, Vec<String>)> = collector
        .pipelines
        .iter()
        .map(|pipeline| {
            let processors: Vec<String> = pipeline.processors.iter().map(|it| it.id.to_string()).collect();
            (fit(&pipeline.id(), PLAIN, true, PROCESSORS), wrap(&processors, " →", SMALL, PROCESSORS))
        })
        .collect();
    let widest = |column: &Column| {
        let names = column.ids.iter().flat_map(chip_lines);
        names.map(|line| width(&line, PLAIN, false) + 16).max().unwrap_or_default()
    };
    let (receivers_width, exporters_width) = (widest(&receivers), widest(&exporters));
    let lane_width = lanes
        .iter()
        .flat_map(|(id, lines)| {
            lines.iter().map(|line| width(line, SMALL, false)).chain([width(id, PLAIN, true)]).collect::<Vec<_>>()
        })
        .max()
        .unwrap_or_default()
        + 16;
    let around = 2 * PAD + receivers_width + exporters_width + 2 * INNER;
    let lane_width = lane_width.max(card.width - around);
    card.width = around + lane_width;

    // Lanes below each other; components beside the lanes they belong to.
    let mut y = card.height + 4;
    let top = y;
    let mut rows = Vec::new();
    for (_, lines) in &lanes {
        let height = 21 + 13 * i32::try_from(lines.len()).unwrap_or(1);
        rows.push((y, height));
        y += height + BETWEEN;
    }
    let slots = |column: &Column, ports: &[Port]| -> Vec<(i32, i32)> {
        let wanted = |id: &ComponentId| {
            let ports = ports.iter().filter(|port| port.component.as_ref() == Some(id)).count();
            let apart = LABEL * (i32::try_from(ports).unwrap_or(i32::MAX / 64) - 1);
            chip_height(&chip_lines(id)).max(apart + 20)
        };
        let gap = if ports.is_empty() { BETWEEN } else { LABEL - 20 };
        let sizes: Vec<(i32, i32)> = column.ids.iter().map(|id| (wanted(id), gap)).collect();
        let wishes: Vec<(i64, i64)> = column
            .lanes
            .iter()
            .zip(&sizes)
            .map(|(of, (height, _))| {
                let sum: i64 = of.iter().map(|lane| i64::from(rows[*lane].0 + rows[*lane].1 / 2)).sum();
                let count = i64::try_from(of.len()).unwrap_or(1).max(1);
                (sum / count - i64::from(height / 2), count)
            })
            .collect();
        near(&sizes, &wishes).into_iter().zip(sizes).map(|(top, (height, _))| (top, height)).collect()
    };
    // Wires from one exporter leave at one point.
    let (mut left_slots, mut right_slots) = (slots(&receivers, left), slots(&exporters, &[]));
    let least = left_slots.iter().chain(&right_slots).map(|slot| slot.0).min().unwrap_or(top);
    let down = (top - least).max(0);
    for slot in rows.iter_mut().chain(&mut left_slots).chain(&mut right_slots) {
        slot.0 += down;
    }
    let end = rows.iter().chain(&left_slots).chain(&right_slots).map(|(top, height)| top + height).max();
    // Wires that belong to no component of their side come in below.
    let end = end.unwrap_or(top) + PAD;
    let loose = |ports: &[Port]| ports.iter().filter(|port| port.component.is_none()).count();
    card.height = end + LABEL * i32::try_from(loose(left).max(loose(right))).unwrap_or(i32::MAX / 64);
    card.inset = PAD;

    let lane_left = PAD + receivers_width + INNER;
    let exporters_left = lane_left + lane_width + INNER;
    let mut shapes = vec![frame(&card, 6, "collector")];
    for (column, slots, leftwards) in [(&receivers, &left_slots, true), (&exporters, &right_slots, false)] {
        for (of, (top, height)) in column.lanes.iter().zip(slots) {
            let middle = top + height / 2;
            for lane in of {
                let lane_middle = rows[*lane].0 + rows[*lane].1 / 2;
                let (from, to) = if leftwards {
                    ((PAD + receivers_width, middle), (lane_left, lane_middle))
                } else {
                    ((lane_left + lane_width, lane_middle), (exporters_left, middle))
                };
                let class = format!("inner line-{}", signal_class(collector.pipelines[*lane].signal));
                shapes.push(Shape::Curve { from, to, class });
            }
        }
    }
    for ((pipeline, (id, lines)), (top, height)) in collector.pipelines.iter().zip(&lanes).zip(&rows) {
        let class = signal_class(pipeline.signal);
        shapes.push(Shape::Rect {
            x: lane_left,
            y: *top,
            width: lane_width,
            height: *height,
            round: 4,
            class: format!("lane lane-{class}"),
        });
        let mut text = |y: i32, class: String, text: &str| {
            shapes.push(Shape::Text { x: lane_left + 8, y, anchor: Anchor::Start, class, text: text.to_owned() });
        };
        text(top + 14, format!("lane-name text-{class}"), id);
        for (at, line) in (0..).zip(lines) {
            text(top + 28 + 13 * at, "processors".to_owned(), line);
        }
    }
    for (column, slots, x, width) in
        [(&receivers, &left_slots, PAD, receivers_width), (&exporters, &right_slots, exporters_left, exporters_width)]
    {
        for (id, (top, height)) in column.ids.iter().zip(slots) {
            let connector = collector.component(ComponentKind::Connector, id).is_some();
            chip(&mut shapes, id, (x, *top, width, *height), connector);
        }
    }
    shapes.append(&mut card.shapes);
    card.shapes = shapes;

    card.left = ports(left, &receivers, &left_slots, (true, end));
    card.right = ports(right, &exporters, &right_slots, (false, end));
    card
}

/// A component in its place: left, top, width, height.
fn chip(shapes: &mut Vec<Shape>, id: &ComponentId, place: (i32, i32, i32, i32), connector: bool) {
    let (x, y, width, height) = place;
    let lines = chip_lines(id);
    let class = if connector { "chip connector" } else { "chip" };
    shapes.push(Shape::Rect { x, y, width, height, round: 10, class: class.to_owned() });
    let top = y + (height - chip_height(&lines)) / 2;
    for (line, text) in (0..).zip(lines) {
        let y = top + 15 + 13 * line;
        shapes.push(Shape::Text { x: x + width / 2, y, anchor: Anchor::Middle, class: "chip-name".to_owned(), text });
    }
}

/// The heights of ports: at their component, `apart` or at one point; below `end` where they have none.
fn ports(ports: &[Port], column: &Column, slots: &[(i32, i32)], (apart, end): (bool, i32)) -> Vec<i32> {
    let mut heights = Vec::new();
    for (at, port) in ports.iter().enumerate() {
        let same = |other: &&Port| other.component == port.component;
        let count = i32::try_from(ports.iter().filter(same).count()).unwrap_or(1);
        let before = i32::try_from(ports[..at].iter().filter(same).count()).unwrap_or(0);
        let slot = column.ids.iter().position(|id| port.component.as_ref() == Some(id)).map(|at| slots[at]);
        heights.push(match slot {
            Some((top, height)) => top + height / 2 + if apart { LABEL * (2 * before - (count - 1)) / 2 } else { 0 },
            None => end + LABEL * before + LABEL / 2 - 4,
        });
    }
    heights
}
