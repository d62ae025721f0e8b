use std::path::Path;

use proptest::prelude::*;

use super::*;
use crate::{MemoryFiles, compile};

fn system(text: &str) -> System {
    let files = MemoryFiles::new([("s.stack.kdl", text)]);
    compile(&files, Path::new("s.stack.kdl")).expect("readable").systems.remove(0)
}

const SMALL_STACK: &str = r#"stack "a<b>&c" {
    platform "compose"
    versions { otelcol "0.158.0"; loki "3.7.6"; grafana "13.0.1" }
    collector "front" {
        receiver "otlp"
        processor "batch"
        pipeline "logs" { from "otlp"; to "loki" "away" }
    }
    loki { retention "31d"; tenant "acme" }
    grafana { reads "loki" }
    external "away" { otlp_http endpoint="https://otlp.example.com/a?b=1&c=2" }
}
"#;

#[test]
fn a_small_stack() {
    insta::assert_snapshot!(svg(&system(SMALL_STACK), Theme::Light));
}

#[test]
fn a_stack_of_one_node_and_a_stack_of_none() {
    let one = svg(&system("stack \"one\" { platform \"compose\"; loki }"), Theme::Auto);
    assert!(one.contains("1 service") && one.contains("prefers-color-scheme:dark"), "{one}");
    let none = svg(&system("stack \"none\" { platform \"compose\" }"), Theme::Dark);
    assert!(none.contains("0 services") && !none.contains("prefers-color-scheme"), "{none}");
}

#[test]
fn every_class_that_is_drawn_has_a_colour() {
    let drawing = svg(&system(SMALL_STACK), Theme::Auto);
    for (_, rest) in drawing.match_indices("class=\"").map(|(at, start)| drawing.split_at(at + start.len())) {
        let classes = rest.split('"').next().unwrap_or_default();
        let known = |class: &str| style(Theme::Light).contains(&format!(".{class}"));
        assert!(classes.split(' ').any(|class| known(class) || class.ends_with("plain")), "{classes}");
    }
}

/// A frame: left, top, right, bottom.
type Frame = (i32, i32, i32, i32);

fn apart(a: Frame, b: Frame) -> bool {
    a.2 <= b.0 || b.2 <= a.0 || a.3 <= b.1 || b.3 <= a.1
}

fn boxes(scene: &Scene) -> Vec<Frame> {
    let corners = scene.cards.iter().zip(&scene.layout.cards);
    corners.map(|(card, (x, y))| (*x, *y, x + card.width, y + card.height)).collect()
}

fn written(scene: &Scene) -> Vec<Frame> {
    let frame = |((x, y), link): (Point, &Link)| {
        let wide = link.width();
        (x - wide, y - 15, x, if link.below.is_empty() { y } else { y + 15 })
    };
    labels(scene).into_iter().map(frame).collect()
}

/// Stacks of collectors that feed each other, stores and something outside, as chance will have it.
fn stacks() -> impl Strategy<Value = String> {
    let pipeline = (0_usize..3, prop::collection::btree_set(0_usize..10, 1..4));
    let collector = prop::collection::vec(pipeline, 1..4);
    prop::collection::vec(collector, 1..7).prop_map(|collectors| {
        let count = collectors.len();
        let mut text = String::from("stack \"some\" {\n    platform \"compose\"\n");
        for (at, pipelines) in collectors.iter().enumerate() {
            let _ =
                writeln!(text, "collector \"c{at}\" {{ receiver \"otlp\"; receiver \"zipkin\"; processor \"batch\"");
            for (number, (signal, targets)) in pipelines.iter().enumerate() {
                let signal = ["traces", "metrics", "logs"][*signal];
                let store = ["tempo", "prometheus", "loki"]
                    [["traces", "metrics", "logs"].iter().position(|it| *it == signal).unwrap_or(0)];
                let names: BTreeSet<String> = targets
                    .iter()
                    .map(|target| match target {
                        0..5 if *target < count && *target != at => format!("\"c{target}\""),
                        5..7 => "\"away\"".to_owned(),
                        _ => format!("\"{store}\""),
                    })
                    .collect();
                let names: Vec<String> = names.into_iter().collect();
                let from = if signal == "traces" { "\"otlp\" \"zipkin\"" } else { "\"otlp\"" };
                let _ = writeln!(text, "pipeline \"{signal}/{number}\" {{ from {from}; to {} }}", names.join(" "));
            }
            text.push_str("}\n");
        }
        text.push_str("tempo; loki; prometheus; grafana; alertmanager\n");
        text.push_str("external \"away\" { otlp endpoint=\"https://otlp.example.com\" }\n}\n");
        text
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn boxes_and_labels_never_overlap(text in stacks()) {
        let system = system(&text);
        let scene = scene(&system);
        let (boxes, labels) = (boxes(&scene), written(&scene));
        for (at, label) in labels.iter().enumerate() {
            for other in &labels[at + 1..] {
                prop_assert!(apart(*label, *other), "labels {:?} and {:?} in\n{}", label, other, text);
            }
        }
        for (at, frame) in boxes.iter().enumerate() {
            for other in boxes[at + 1..].iter().chain(&labels) {
                prop_assert!(apart(*frame, *other), "{:?} and {:?} in\n{}", frame, other, text);
            }
        }
        prop_assert_eq!(svg(&system, Theme::Auto), svg(&system, Theme::Auto));
    }
}
