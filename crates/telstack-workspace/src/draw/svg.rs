//! The drawing as SVG: a picture for a design review, on light and dark pages.

use std::{collections::BTreeSet, fmt::Write as _};

use telstack_system::{Platform, System};

use super::{
    card::{Anchor, NAME, PAD, PLAIN, SMALL, Shape},
    layout::{Place, Point},
    scene::{Link, Scene, scene},
    text::{escape, fit, width},
};

/// The colours of a picture.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Theme {
    /// Dark on light.
    Light,
    /// Light on dark.
    Dark,
    /// What the reader's system prefers.
    Auto,
}

/// Space around everything.
const MARGIN: i32 = 24;
/// Space inside the frame of the platform: sides, top.
const FRAME: (i32, i32) = (14, 40);
/// Height of the title and of the legend.
const TITLE: i32 = 44;
const LEGEND: i32 = 40;
/// How far before a box the label of its wire ends.
const LABEL_END: i32 = 22;
/// The least width of a picture.
const NARROWEST: i32 = 320;

/// A colour of the style sheet: what it paints, then light and dark.
type Paint = (&'static str, &'static str, &'static str);

/// Each thing that has a colour.
const PAINTS: &[Paint] = &[
    (".ground{fill:", "#ffffff", "#0d1117"),
    (".frame{fill:", "#f6f8fa", "#151b23"),
    (".frame{stroke:", "#d1d9e0", "#3d444d"),
    (".box{fill:", "#ffffff", "#0d1117"),
    (".box{stroke:", "#59636e", "#9198a1"),
    (".collector{stroke:", "#0550ae", "#79c0ff"),
    (".outside{stroke:", "#818b98", "#656c76"),
    (".name{fill:", "#1f2328", "#f0f6fc"),
    (".title{fill:", "#424a53", "#c4ccd5"),
    (".fact,.note,.processors{fill:", "#59636e", "#9198a1"),
    (".label{fill:", "#1f2328", "#e6edf3"),
    (".label{stroke:", "#f6f8fa", "#151b23"),
    (".chip{fill:", "#eff2f5", "#212830"),
    (".chip{stroke:", "#818b98", "#656c76"),
    (".chip-name{fill:", "#1f2328", "#f0f6fc"),
    (".lane-traces{fill:", "#ddf4ff", "#0c2d4d"),
    (".lane-metrics{fill:", "#fff1d6", "#3b2a0a"),
    (".lane-logs{fill:", "#dafbe1", "#0f3320"),
    (".lane-profiles{fill:", "#fbefff", "#352049"),
];

/// The colours of lines, arrow heads and words: class, light, dark.
const LINES: &[Paint] = &[
    ("traces", "#0969da", "#58a6ff"),
    ("metrics", "#9a6700", "#e3b341"),
    ("logs", "#1a7f37", "#56d364"),
    ("profiles", "#8250df", "#d2a8ff"),
    ("several", "#424a53", "#b7bdc8"),
    ("query", "#6e7781", "#8b949e"),
    ("alert", "#cf222e", "#ff7b72"),
];

/// What the lines of the legend say, in its order.
const MEANINGS: &[(&str, &str)] = &[
    ("traces", "traces"),
    ("metrics", "metrics"),
    ("logs", "logs"),
    ("profiles", "profiles"),
    ("several", "several signals"),
    ("query", "read by queries"),
    ("alert", "alerts"),
];

/// Draws a System. The same System gives the same bytes.
pub fn svg(system: &System, theme: Theme) -> String {
    let scene = scene(system);
    let entries = legend(&scene);
    let legend_width: i32 = entries.iter().map(|(_, text)| legend_entry(text)).sum();
    let services = system.nodes().filter(|(_, node)| node.external().is_none()).count();
    let platform = match system.platform.value {
        Platform::Compose => "docker compose, one host",
        Platform::Kubernetes => "Kubernetes",
    };
    let outside = system.nodes().count() - services;
    let mut subtitle = format!("{services} {}", if services == 1 { "service" } else { "services" });
    if outside > 0 {
        let _ = write!(subtitle, ", {outside} outside");
    }

    let (origin_x, origin_y) = (MARGIN + FRAME.0, TITLE + FRAME.1);
    let inner = (scene.layout.width + 2 * FRAME.0).max(legend_width).max(NARROWEST);
    let (wide, high) = (inner + 2 * MARGIN, origin_y + scene.layout.height + FRAME.0 + LEGEND);
    let mut out = String::new();
    let name = escape(&system.name);
    let _ = writeln!(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {wide} {high}\" width=\"{wide}\" height=\"{high}\" \
         role=\"img\" aria-labelledby=\"title\">"
    );
    let _ = writeln!(out, "<title id=\"title\">{name}: {}</title>", escape(&subtitle));
    out.push_str(&style(theme));
    arrows(&mut out, &scene);
    let _ = writeln!(out, "<rect class=\"ground\" width=\"{wide}\" height=\"{high}\"/>");
    let shown = fit(&system.name, 18, true, inner - width(&subtitle, PLAIN, false) - 16);
    text(&mut out, (MARGIN, 34), Anchor::Start, "name stack", &shown);
    let behind = MARGIN + width(&shown, 18, true) + 12;
    text(&mut out, (behind, 34), Anchor::Start, "note", &subtitle);

    if let Some((left, right)) = frame(&scene) {
        let (x, y) = (origin_x + left - FRAME.0, origin_y - FRAME.1 + 8);
        let (w, h) = (right - left + 2 * FRAME.0, scene.layout.height + FRAME.1 - 8 + FRAME.0);
        let _ = writeln!(out, "<rect class=\"frame\" x=\"{x}\" y=\"{y}\" width=\"{w}\" height=\"{h}\" rx=\"10\"/>");
        let says = fit(platform, SMALL, false, w - 2 * PAD);
        text(&mut out, (x + PAD, y + 16), Anchor::Start, "note", &says);
    }
    for ((card, corner), title) in scene.cards.iter().zip(&scene.layout.cards).zip(&scene.titles) {
        let _ = writeln!(out, "<g><title>{}</title>", escape(title));
        for it in &card.shapes {
            shape(&mut out, it, (origin_x + corner.0, origin_y + corner.1));
        }
        out.push_str("</g>\n");
    }
    wires(&mut out, &scene, (origin_x, origin_y));
    let mut x = MARGIN;
    let y = high - 16;
    for (class, says) in entries {
        let _ = writeln!(out, "<path class=\"wire line-{class}\" d=\"M{x} {}h24\"/>", y - 4);
        text(&mut out, (x + 30, y), Anchor::Start, "note", says);
        x += legend_entry(says);
    }
    out.push_str("</svg>\n");
    out
}

fn legend(scene: &Scene) -> Vec<(&'static str, &'static str)> {
    let used = |class: &str| scene.links.iter().any(|link| link.class == class);
    MEANINGS.iter().copied().filter(|(class, _)| used(class)).collect()
}

fn legend_entry(says: &str) -> i32 {
    30 + width(says, SMALL, false) + 20
}

/// From where to where the frame of the platform goes: around all that runs on it.
fn frame(scene: &Scene) -> Option<(i32, i32)> {
    let inside = |at: &usize| scene.places[*at] == Place::Between;
    let cards = (0..scene.cards.len()).filter(inside);
    let spans: Vec<(i32, i32)> =
        cards.map(|at| (scene.layout.cards[at].0, scene.layout.cards[at].0 + scene.cards[at].width)).collect();
    Some((spans.iter().map(|span| span.0).min()?, spans.iter().map(|span| span.1).max()?))
}

/// The style sheet of a theme.
fn style(theme: Theme) -> String {
    let rules = |dark: bool| {
        let mut out = String::new();
        let mut rule = |start: &str, paint: &Paint| {
            let _ = write!(out, "{start}{}}}", if dark { paint.2 } else { paint.1 });
        };
        for paint in PAINTS {
            rule(paint.0, paint);
        }
        for paint in LINES {
            rule(&format!(".line-{}{{stroke:", paint.0), paint);
            rule(&format!(".text-{0},.head-{0}{{fill:", paint.0), paint);
        }
        out
    };
    let shapes = format!(
        "text{{font-family:system-ui,-apple-system,\"Segoe UI\",Roboto,Helvetica,Arial,sans-serif;font-size:{SMALL}px}}\
         .name{{font-size:{NAME}px;font-weight:bold}}.stack{{font-size:18px}}.title,.chip-name{{font-size:{PLAIN}px}}\
         .lane-name{{font-size:{PLAIN}px;font-weight:bold}}.box{{stroke-width:1.5}}.outside{{stroke-dasharray:5 3}}\
         .frame,.chip{{stroke-width:1}}.connector{{stroke-dasharray:3 2}}.wire,.inner{{fill:none;stroke-width:1.5}}\
         .inner{{opacity:.7}}.line-query,.line-alert{{stroke-dasharray:5 4}}\
         .label{{paint-order:stroke;stroke-width:3px;stroke-linejoin:round}}"
    );
    let colours = match theme {
        Theme::Light => rules(false),
        Theme::Dark => rules(true),
        Theme::Auto => format!("{}@media (prefers-color-scheme:dark){{{}}}", rules(false), rules(true)),
    };
    format!("<style>{shapes}{colours}</style>\n")
}

/// Arrow heads, one for each colour: heads that take the colour of their line are not drawn everywhere.
fn arrows(out: &mut String, scene: &Scene) {
    out.push_str("<defs>");
    for (class, _) in legend(scene) {
        let _ = write!(
            out,
            "<marker id=\"to-{class}\" class=\"head-{class}\" viewBox=\"0 0 8 8\" refX=\"8\" refY=\"4\" \
             markerWidth=\"8\" markerHeight=\"8\" markerUnits=\"userSpaceOnUse\" orient=\"auto\">\
             <path d=\"M0 0.5L8 4L0 7.5z\"/></marker>"
        );
    }
    out.push_str("</defs>\n");
}

fn text(out: &mut String, at: Point, anchor: Anchor, class: &str, text: &str) {
    let anchor = match anchor {
        Anchor::Start => "",
        Anchor::Middle => " text-anchor=\"middle\"",
        Anchor::End => " text-anchor=\"end\"",
    };
    let _ = writeln!(out, "<text x=\"{}\" y=\"{}\"{anchor} class=\"{class}\">{}</text>", at.0, at.1, escape(text));
}

fn shape(out: &mut String, it: &Shape, corner: Point) {
    match it {
        Shape::Rect { x, y, width, height, round, class } => {
            let (x, y) = (corner.0 + x, corner.1 + y);
            let _ = writeln!(
                out,
                "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" rx=\"{round}\" class=\"{class}\"/>"
            );
        }
        Shape::Text { x, y, anchor, class, text: says } => {
            text(out, (corner.0 + x, corner.1 + y), *anchor, class, says);
        }
        Shape::Curve { from, to, class } => {
            let (a, b) = ((corner.0 + from.0, corner.1 + from.1), (corner.0 + to.0, corner.1 + to.1));
            let _ = writeln!(out, "<path class=\"{class}\" d=\"M{} {}{}\"/>", a.0, a.1, curve(a, b));
        }
    }
}

/// A curve that leaves and arrives level.
fn curve(a: Point, b: Point) -> String {
    if a.1 == b.1 {
        return format!("H{}", b.0);
    }
    let bend = i32::midpoint(a.0, b.0);
    format!("C{bend} {} {bend} {} {} {}", a.1, b.1, b.0, b.1)
}

/// Every wire, then every label: no line runs over a word. What wires of one bundle share is drawn once,
/// or their dashes would fill each other.
fn wires(out: &mut String, scene: &Scene, origin: Point) {
    let shift = |at: Point| (origin.0 + at.0, origin.1 + at.1);
    let mut reached: BTreeSet<(&str, Point)> = BTreeSet::new();
    for (link, route) in scene.links.iter().zip(&scene.layout.routes) {
        let Some(route) = route else { continue };
        let (mut start, mut end) = (shift(route.start), shift(route.end));
        if !route.backwards {
            start.0 -= scene.cards[link.from].inset;
            end.0 += scene.cards[link.to].inset;
        }
        let curves: Vec<(Point, Point)> = route.curves.iter().map(|(a, b)| (shift(*a), shift(*b))).collect();
        let mut path = String::new();
        let mut joins = false;
        if route.backwards {
            let _ = write!(path, "M{} {}", end.0, end.1);
            for (a, b) in curves.iter().rev() {
                let _ = write!(path, "H{}{}", b.0, curve(*b, *a));
            }
            let _ = write!(path, "H{}", start.0);
        } else {
            let _ = write!(path, "M{} {}", start.0, start.1);
            for (a, b) in &curves {
                let _ = write!(path, "H{}{}", a.0, curve(*a, *b));
                joins = !reached.insert((link.class, *b));
                if joins {
                    break;
                }
            }
            if !joins {
                let _ = write!(path, "H{}", end.0);
            }
        }
        let head = if joins { String::new() } else { format!(" marker-end=\"url(#to-{})\"", link.class) };
        let (class, title) = (link.class, escape(&link.title));
        let _ = writeln!(out, "<path class=\"wire line-{class}\"{head} d=\"{path}\"><title>{title}</title></path>");
    }
    for ((x, y), link) in labels(scene) {
        let (x, y) = (x + origin.0, y + origin.1);
        text(out, (x, y - 5), Anchor::End, "label", &link.above);
        if link.below.is_empty() {
            continue;
        }
        let words: Vec<String> = link
            .below
            .iter()
            .map(|(word, class)| format!("<tspan class=\"text-{class}\">{}</tspan>", escape(word)))
            .collect();
        let _ = writeln!(
            out,
            "<text x=\"{x}\" y=\"{}\" text-anchor=\"end\" class=\"label\">{}</text>",
            y + 12,
            words.join(" · ")
        );
    }
}

/// Where labels end, seen from the layout's corner: beside the wire, before the box that it reaches. Wires
/// that arrive together are labelled once.
fn labels(scene: &Scene) -> Vec<(Point, &Link)> {
    let mut labels: Vec<(Point, &Link)> = Vec::new();
    for (link, route) in scene.links.iter().zip(&scene.layout.routes) {
        let Some(route) = route else { continue };
        let place = (route.end.0 - LABEL_END, route.end.1);
        if !labels.iter().any(|(known, other)| *known == place && other.above == link.above) {
            labels.push((place, link));
        }
    }
    labels
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
