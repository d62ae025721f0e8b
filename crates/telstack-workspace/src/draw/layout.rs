//! Where boxes and wires go: layers from left to right, few crossings, no wire through a box.
//!
//! The method is the usual one for layered drawings: break cycles, take the longest path as layer, lead
//! long wires through empty slots of the layers between, order each layer by the mean place of its
//! neighbours, then move boxes towards what they are wired to without touching each other. Only whole
//! pixels are used, and ties go to what was made first, so that a drawing is the same on every machine.

use std::collections::{BTreeMap, BTreeSet};

/// Space above and below what stands in a layer.
const GAP: i32 = 28;
/// The same between wires that only pass.
const WIRE_GAP: i32 = 16;
/// Rounds of ordering, and of moving towards neighbours.
const ROUNDS: usize = 16;
/// Wires that pass a layer pull harder than boxes, so that long wires are straight.
const STRAIGHT: i64 = 6;
/// Room that curves between two layers get: at least, at most.
const CURVES: (i32, i32) = (44, 150);

/// Which layers a box may stand in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    /// Left of all others.
    First,
    /// Where its wires want it.
    Between,
    /// Right of all others.
    Last,
}

/// A box, in pixels.
#[derive(Clone, Copy, Debug)]
pub struct Card {
    /// Its width.
    pub width: i32,
    /// Its height.
    pub height: i32,
    /// Which layers it may stand in.
    pub place: Place,
}

/// A wire from the right side of a box to the left side of another.
#[derive(Clone, Copy, Debug)]
pub struct Wire {
    /// The box where it starts, and how far below its top.
    pub from: (usize, i32),
    /// The box where it ends, and how far below its top.
    pub to: (usize, i32),
    /// Wires of one bundle end at one point, and share their way there.
    pub bundle: usize,
    /// Room for a label before the end.
    pub label: i32,
}

/// A point of the drawing.
pub type Point = (i32, i32);

/// The way of a wire.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Route {
    /// The curves between layers, each from its left to its right end; what joins them is straight.
    pub curves: Vec<(Point, Point)>,
    /// Where it leaves the left box, on its right side.
    pub start: Point,
    /// Where it reaches the right box, on its left side.
    pub end: Point,
    /// The wire runs against the reading direction: `start` is where it ends.
    pub backwards: bool,
}

/// A finished drawing.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Layout {
    /// The upper left corner of each box.
    pub cards: Vec<Point>,
    /// The layer of each box.
    pub layers: Vec<usize>,
    /// The way of each wire; none where it would begin and end at one box.
    pub routes: Vec<Option<Route>>,
    /// Width of the whole.
    pub width: i32,
    /// Height of the whole.
    pub height: i32,
}

/// What stands in a layer: a box, or a wire that passes.
struct Item {
    layer: usize,
    height: i32,
    top: i32,
    place: usize,
    passing: bool,
}

/// A piece of wire between neighbouring layers.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Piece {
    from: (usize, i32),
    to: (usize, i32),
}

/// Lays out boxes and wires.
pub fn layout(cards: &[Card], wires: &[Wire]) -> Layout {
    let back = backwards(cards, wires);
    let turned: Vec<(usize, i32, usize, i32)> = wires
        .iter()
        .zip(&back)
        .map(|(wire, back)| {
            let (a, b) = if *back { (wire.to, wire.from) } else { (wire.from, wire.to) };
            (a.0, a.1, b.0, b.1)
        })
        .collect();
    let layers = layers(cards, &turned);
    let mut items: Vec<Item> = cards
        .iter()
        .zip(&layers)
        .map(|(card, layer)| Item { layer: *layer, height: card.height, top: 0, place: 0, passing: false })
        .collect();

    // Each wire in pieces from layer to layer.
    let mut slots: BTreeMap<(usize, bool, usize), usize> = BTreeMap::new();
    let mut ways: Vec<Vec<Piece>> = Vec::new();
    for ((wire, back), (a, out, b, into)) in wires.iter().zip(&back).zip(&turned) {
        let mut way = Vec::new();
        let mut last = (*a, *out);
        for layer in layers[*a] + 1..layers[*b] {
            let slot = *slots.entry((wire.bundle, *back, layer)).or_insert_with(|| {
                items.push(Item { layer, height: 2, top: 0, place: 0, passing: true });
                items.len() - 1
            });
            way.push(Piece { from: last, to: (slot, 1) });
            last = (slot, 1);
        }
        if a != b {
            way.push(Piece { from: last, to: (*b, *into) });
        }
        ways.push(way);
    }
    let mut pieces: Vec<Piece> = ways.iter().flatten().copied().collect();
    pieces.sort_unstable();
    pieces.dedup();

    let count = layers.iter().max().map_or(0, |last| last + 1);
    let mut rows: Vec<Vec<usize>> = vec![Vec::new(); count];
    for (at, item) in items.iter().enumerate() {
        rows[item.layer].push(at);
    }
    order(&mut rows, &mut items, &pieces);
    stack(&rows, &mut items, &pieces);
    place(cards, wires, &rows, &items, &ways, &turned, &back, layers)
}

/// Which wires run against the order that the boxes are best read in. Sizes and heights do not matter.
pub fn backwards(cards: &[Card], wires: &[Wire]) -> Vec<bool> {
    let count = cards.len();
    let mut open: Vec<usize> = vec![0; count];
    let mut next: Vec<Vec<usize>> = vec![Vec::new(); count];
    for wire in wires.iter().filter(|wire| wire.from.0 != wire.to.0) {
        open[wire.to.0] += 1;
        next[wire.from.0].push(wire.to.0);
    }
    let mut rank: Vec<Option<usize>> = vec![None; count];
    let mut ready: BTreeSet<usize> = (0..count).filter(|at| open[*at] == 0).collect();
    let mut left: BTreeSet<usize> = (0..count).collect();
    for turn in 0..count {
        // In a circle nobody is ready: the one that was made first is read first.
        let inner = |left: &BTreeSet<usize>| left.iter().copied().find(|at| cards[*at].place != Place::Last);
        let Some(at) = ready.pop_first().or_else(|| inner(&left)).or_else(|| left.first().copied()) else { break };
        left.remove(&at);
        rank[at] = Some(turn);
        for to in &next[at] {
            open[*to] = open[*to].saturating_sub(1);
            if open[*to] == 0 && left.contains(to) {
                ready.insert(*to);
            }
        }
    }
    wires.iter().map(|wire| rank[wire.from.0] > rank[wire.to.0]).collect()
}

/// The layer of each box: as far left as its wires allow; a box that nothing reaches stands beside what it
/// reaches.
fn layers(cards: &[Card], wires: &[(usize, i32, usize, i32)]) -> Vec<usize> {
    let first = usize::from(cards.iter().any(|card| card.place == Place::First));
    let mut layer: Vec<usize> = cards.iter().map(|card| if card.place == Place::First { 0 } else { first }).collect();
    // Without circles this ends after at most as many rounds as there are boxes.
    for _ in 0..cards.len() {
        let mut moved = false;
        for (a, _, b, _) in wires.iter().filter(|wire| wire.0 != wire.2) {
            if layer[*b] <= layer[*a] {
                layer[*b] = layer[*a] + 1;
                moved = true;
            }
        }
        if !moved {
            break;
        }
    }
    let end = |layer: &[usize]| {
        cards.iter().zip(layer).filter(|(card, _)| card.place != Place::Last).map(|(_, layer)| *layer + 1).max()
    };
    let last = end(&layer).unwrap_or(first);
    for at in 0..cards.len() {
        if cards[at].place == Place::Last {
            layer[at] = last;
        }
    }
    for at in (0..cards.len()).filter(|at| cards[*at].place == Place::Between) {
        let reached = wires.iter().any(|wire| wire.2 == at && wire.0 != at);
        let nearest = wires.iter().filter(|wire| wire.0 == at && wire.2 != at).map(|wire| layer[wire.2]).min();
        if let (false, Some(nearest)) = (reached, nearest) {
            layer[at] = nearest.saturating_sub(1).max(first).min(last.saturating_sub(1).max(first));
        }
    }
    layer
}

/// Orders each layer so that few wires cross.
fn order(rows: &mut Vec<Vec<usize>>, items: &mut [Item], pieces: &[Piece]) {
    let number = |rows: &[Vec<usize>], items: &mut [Item]| {
        for row in rows {
            for (place, at) in row.iter().enumerate() {
                items[*at].place = place;
            }
        }
    };
    number(rows, items);
    let mut best = (crossings(rows.len(), items, pieces), rows.clone());
    for round in 0..ROUNDS {
        let rightwards = round % 2 == 0;
        let count = rows.len();
        for step in 1..count {
            let layer = if rightwards { step } else { count - 1 - step };
            let mut sums: BTreeMap<usize, (i64, i64)> = BTreeMap::new();
            for piece in pieces {
                let (own, other) = if rightwards { (piece.to, piece.from) } else { (piece.from, piece.to) };
                if items[own.0].layer == layer {
                    let (sum, number) = sums.entry(own.0).or_default();
                    *sum += height_of(items, other);
                    *number += 1;
                }
            }
            let key = |at: &usize| match sums.get(at) {
                Some((sum, number)) => sum / number,
                None => i64::try_from(items[*at].place).unwrap_or(i64::MAX / 4096) * 1024,
            };
            rows[layer].sort_by_key(key);
            number(&rows[layer..=layer], items);
        }
        let now = crossings(rows.len(), items, pieces);
        if now < best.0 {
            best = (now, rows.clone());
        }
    }
    *rows = best.1;
    number(rows, items);
}

/// The place of a wire's end among all ends of its layer, in a fine scale.
fn height_of(items: &[Item], end: (usize, i32)) -> i64 {
    let item = &items[end.0];
    i64::try_from(item.place).unwrap_or(i64::MAX / 4096) * 1024
        + i64::from(end.1.max(0)) * 1023 / i64::from(item.height.max(end.1).max(1))
}

/// How many pieces of wire cross.
fn crossings(layers: usize, items: &[Item], pieces: &[Piece]) -> usize {
    let mut found = 0;
    for layer in 0..layers.saturating_sub(1) {
        let mut ends: Vec<(i64, i64)> = pieces
            .iter()
            .filter(|piece| items[piece.from.0].layer == layer)
            .map(|piece| (height_of(items, piece.from), height_of(items, piece.to)))
            .collect();
        ends.sort_unstable();
        let mut seen: Vec<i64> = Vec::with_capacity(ends.len());
        for (_, right) in ends {
            let at = seen.partition_point(|known| *known <= right);
            found += seen.len() - at;
            seen.insert(at, right);
        }
    }
    found
}

fn gap(above: &Item, below: &Item) -> i32 {
    if above.passing && below.passing { WIRE_GAP } else { GAP }
}

/// Gives each item its top: near what it is wired to, below what stands above it.
fn stack(rows: &[Vec<usize>], items: &mut [Item], pieces: &[Piece]) {
    let mut before: Vec<Vec<(usize, i32, i32)>> = (0..items.len()).map(|_| Vec::new()).collect();
    let mut behind = before.clone();
    for piece in pieces {
        before[piece.to.0].push((piece.from.0, piece.from.1, piece.to.1));
        behind[piece.from.0].push((piece.to.0, piece.to.1, piece.from.1));
    }
    for row in rows {
        let wishes: Vec<(i64, i64)> = row.iter().map(|_| (0, 1)).collect();
        settle(row, &wishes, items);
    }
    for round in 0..=ROUNDS {
        let last = round == ROUNDS;
        let rightwards = round % 2 == 0;
        for step in 0..rows.len() {
            let row = &rows[if rightwards { step } else { rows.len() - 1 - step }];
            let wishes: Vec<(i64, i64)> = row
                .iter()
                .map(|at| {
                    let (mut sum, mut weight) = (0, 0);
                    let sides = [(&before, rightwards || last), (&behind, !rightwards || last)];
                    for (other, theirs, own) in sides.iter().filter(|side| side.1).flat_map(|side| &side.0[*at]) {
                        let pull = if items[*other].passing && items[*at].passing { STRAIGHT } else { 1 };
                        sum += i64::from(items[*other].top + theirs - own) * pull;
                        weight += pull;
                    }
                    if weight == 0 { (i64::from(items[*at].top), 1) } else { (sum.div_euclid(weight), weight + 1) }
                })
                .collect();
            settle(row, &wishes, items);
        }
    }
    let top = items.iter().map(|item| item.top).min().unwrap_or_default();
    for item in items {
        item.top -= top;
    }
}

/// Moves a row to its wishes as far as its order and gaps allow.
fn settle(row: &[usize], wishes: &[(i64, i64)], items: &mut [Item]) {
    let sizes: Vec<(i32, i32)> = (0..row.len())
        .map(|place| {
            let item = &items[row[place]];
            (item.height, row.get(place + 1).map_or(0, |next| gap(item, &items[*next])))
        })
        .collect();
    for (at, top) in row.iter().zip(near(&sizes, wishes)) {
        items[*at].top = top;
    }
}

/// The tops of a column of (height, gap below), each as near to its wish (top, weight) as the others allow:
/// neighbours that would touch form a block, and a block stands at the mean of its wishes.
pub fn near(sizes: &[(i32, i32)], wishes: &[(i64, i64)]) -> Vec<i32> {
    // Seen from tops that are packed without slack, the only rule left is: never above the one before.
    let mut packed = Vec::with_capacity(sizes.len());
    let mut at_top = 0_i64;
    for (height, gap) in sizes {
        packed.push(at_top);
        at_top += i64::from(*height) + i64::from(*gap);
    }
    // Blocks: how many items, the sum of their weighted wishes, the weight.
    let mut blocks: Vec<(usize, i64, i64)> = Vec::new();
    for ((wish, weight), packed) in wishes.iter().zip(&packed) {
        blocks.push((1, (wish - packed) * weight, *weight));
        while let [.., above, below] = blocks[..]
            && above.1.div_euclid(above.2) >= below.1.div_euclid(below.2)
        {
            blocks.truncate(blocks.len() - 2);
            blocks.push((above.0 + below.0, above.1 + below.1, above.2 + below.2));
        }
    }
    let shifts = blocks.iter().flat_map(|(count, sum, weight)| std::iter::repeat_n(sum.div_euclid(*weight), *count));
    shifts.zip(packed).map(|(shift, packed)| i32::try_from(shift + packed).unwrap_or(i32::MAX / 4)).collect()
}

/// Columns, and the ways of the wires through them.
#[allow(clippy::too_many_arguments)]
fn place(
    cards: &[Card],
    wires: &[Wire],
    rows: &[Vec<usize>],
    items: &[Item],
    ways: &[Vec<Piece>],
    turned: &[(usize, i32, usize, i32)],
    back: &[bool],
    layers: Vec<usize>,
) -> Layout {
    let y = |end: (usize, i32)| items[end.0].top + end.1;
    let mut widths = vec![0; rows.len()];
    for (card, layer) in cards.iter().zip(&layers) {
        widths[*layer] = widths[*layer].max(card.width);
    }
    let (mut labels, mut rises) = (vec![0; rows.len()], vec![0; rows.len()]);
    for ((wire, way), (_, _, b, _)) in wires.iter().zip(ways).zip(turned) {
        labels[layers[*b]] = labels[layers[*b]].max(wire.label);
        for piece in way {
            let layer = items[piece.to.0].layer;
            rises[layer] = rises[layer].max((y(piece.from) - y(piece.to)).abs());
        }
    }
    // Where each column starts, and where the curves before it end.
    let (mut lefts, mut entries) = (vec![0; rows.len()], vec![0; rows.len()]);
    let mut x = 0;
    for layer in 0..rows.len() {
        if layer > 0 {
            x += (rises[layer] / 3).clamp(CURVES.0, CURVES.1);
            entries[layer] = x;
            x += labels[layer];
        }
        lefts[layer] = x;
        x += widths[layer];
    }
    let corners: Vec<Point> = layers.iter().enumerate().map(|(at, layer)| (lefts[*layer], items[at].top)).collect();
    let mut routes = Vec::new();
    for ((way, (a, out, b, into)), back) in ways.iter().zip(turned).zip(back) {
        let curves = way.iter().map(|piece| {
            let (left, right) = (items[piece.from.0].layer, items[piece.to.0].layer);
            ((lefts[left] + widths[left], y(piece.from)), (entries[right], y(piece.to)))
        });
        routes.push((a != b).then(|| Route {
            curves: curves.collect(),
            start: (corners[*a].0 + cards[*a].width, y((*a, *out))),
            end: (corners[*b].0, y((*b, *into))),
            backwards: *back,
        }));
    }
    let height = items.iter().map(|item| item.top + item.height).max().unwrap_or_default();
    Layout { cards: corners, layers, routes, width: x, height }
}

#[cfg(test)]
#[path = "layout_tests.rs"]
mod tests;
