use proptest::prelude::*;

use super::*;

fn card(height: i32) -> Card {
    Card { width: 100, height, place: Place::Between }
}

fn wire(from: usize, to: usize) -> Wire {
    Wire { from: (from, 20), to: (to, 20), bundle: to, label: 60 }
}

#[test]
fn nothing_and_one_and_a_wire_to_oneself() {
    assert_eq!(layout(&[], &[]), Layout::default());
    let one = layout(&[card(40)], &[wire(0, 0)]);
    assert_eq!((one.cards, one.routes), (vec![(0, 0)], vec![None]));
}

#[test]
fn a_chain_is_a_straight_line() {
    let chain = layout(&[card(40), card(80), card(40)], &[wire(0, 1), wire(1, 2)]);
    assert_eq!(chain.layers, [0, 1, 2]);
    for route in chain.routes.iter().flatten() {
        assert_eq!(route.start.1, route.end.1);
        assert!(route.start.0 < route.end.0);
    }
}

#[test]
fn in_a_circle_one_wire_runs_backwards() {
    let ring = layout(&[card(40), card(40), card(40)], &[wire(0, 1), wire(1, 2), wire(2, 0)]);
    let backwards: Vec<bool> = ring.routes.iter().flatten().map(|route| route.backwards).collect();
    assert_eq!(backwards, [false, false, true]);
}

#[test]
fn ends_are_kept() {
    let mut cards = [card(40), card(40), card(40)];
    cards[0].place = Place::First;
    cards[2].place = Place::Last;
    assert_eq!(layout(&cards, &[wire(0, 2), wire(0, 1)]).layers, [0, 1, 2]);
}

fn drawings() -> impl Strategy<Value = (Vec<Card>, Vec<Wire>)> {
    (1_usize..14).prop_flat_map(|count| {
        let cards = prop::collection::vec((40..300, 30..200, 0..8), count);
        let wires = prop::collection::vec((0..count, 0..count, 0..200, 0..200), 0..30);
        (cards, wires).prop_map(|(cards, wires)| {
            let place = |at| match at {
                0 => Place::First,
                1 => Place::Last,
                _ => Place::Between,
            };
            let cards: Vec<Card> = cards
                .iter()
                .map(|(width, height, at)| Card { width: *width, height: *height, place: place(*at) })
                .collect();
            let wires = wires.iter().enumerate().map(|(bundle, (from, to, out, into))| Wire {
                from: (*from, out % cards[*from].height),
                to: (*to, into % cards[*to].height),
                bundle,
                label: 60,
            });
            // What stands first is fed by nothing, and what stands last feeds nothing.
            let wires = wires
                .filter(|it| cards[it.to.0].place != Place::First && cards[it.from.0].place != Place::Last)
                .collect();
            (cards, wires)
        })
    })
}

proptest! {
    #[test]
    fn boxes_never_touch_and_wires_pass_none((cards, wires) in drawings()) {
        let drawing = layout(&cards, &wires);
        prop_assert_eq!(&drawing, &layout(&cards, &wires), "the same every time");
        let frames: Vec<_> = cards.iter().zip(&drawing.cards)
            .map(|(card, (x, y))| (*x, *y, x + card.width, y + card.height)).collect();
        for (at, a) in frames.iter().enumerate() {
            prop_assert!(a.0 >= 0 && a.1 >= 0 && a.2 <= drawing.width && a.3 <= drawing.height);
            for b in &frames[at + 1..] {
                let apart = a.2 < b.0 || b.2 < a.0 || a.3 + 10 < b.1 || b.3 + 10 < a.1;
                prop_assert!(apart, "{:?} and {:?} touch", a, b);
            }
        }
        for route in drawing.routes.iter().flatten() {
            let mut at = route.start;
            for (from, to) in &route.curves {
                // Straight from one curve to the next: across a column, in which it may meet no box.
                prop_assert_eq!(at.1, from.1);
                prop_assert!(at.0 <= from.0 && from.0 < to.0);
                for frame in &frames {
                    let touches = from.1 > frame.1 && from.1 < frame.3 && frame.0 < from.0 && at.0 < frame.2;
                    let own = at == route.start && frame.2 == at.0;
                    prop_assert!(!touches || own, "{:?} goes through {:?}", route, frame);
                    prop_assert!(!(frame.0 < to.0 && from.0 < frame.2), "curves stay between the columns");
                }
                at = *to;
            }
            prop_assert_eq!(at.1, route.end.1);
        }
    }
}
