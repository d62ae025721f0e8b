//! What the README shows: a report as a terminal draws it, and a stack, as a picture and as a graph.

use std::{fmt::Write as _, fs, path::Path};

use anstyle::{Color, RgbColor};
use anstyle_svg::{Palette, Term};
use telstack_diagnostics::render::{Colour, human, summary};
use telstack_workspace::{Compiled, DiskFiles, Theme, compile, mermaid, svg};

/// A stack that is broken on purpose, and what telstack says about it.
const STACK: &str = "docs/pictures/loki.stack.kdl";
const PICTURE: &str = "docs/pictures/diagnostic.svg";

/// A stack, drawn.
const DRAWN: &str = "stacks/single-node.stack.kdl";
const DRAWING: &str = "docs/pictures/single-node.svg";

/// A terminal's sixteen colours that can be read on the dark ground: the plain ones, then the bright.
const PALETTE: Palette = Palette([
    RgbColor(0x48, 0x4f, 0x58),
    RgbColor(0xff, 0x7b, 0x72),
    RgbColor(0x7e, 0xe7, 0x87),
    RgbColor(0xe3, 0xb3, 0x41),
    RgbColor(0x79, 0xc0, 0xff),
    RgbColor(0xd2, 0xa8, 0xff),
    RgbColor(0x56, 0xd4, 0xdd),
    RgbColor(0xe6, 0xed, 0xf3),
    RgbColor(0x8b, 0x94, 0x9e),
    RgbColor(0xff, 0xa1, 0x98),
    RgbColor(0x9b, 0xf0, 0xa3),
    RgbColor(0xf2, 0xcc, 0x60),
    RgbColor(0xa5, 0xd6, 0xff),
    RgbColor(0xe2, 0xc5, 0xff),
    RgbColor(0x7d, 0xe8, 0xf0),
    RgbColor(0xff, 0xff, 0xff),
]);
const INK: Color = Color::Rgb(RgbColor(0xe6, 0xed, 0xf3));
const GROUND: Color = Color::Rgb(RgbColor(0x0d, 0x11, 0x17));

/// The README, and the lines around its graph. The first names the stack.
const README: &str = "README.md";
const GRAPH: &str = "<!-- graph ";
const END_OF_GRAPH: &str = "<!-- end of graph -->";

/// Draws, or with `check` compares, the pictures.
pub fn run(check: bool) -> Result<(), String> {
    // Names in the report are relative to the project's folder.
    std::env::set_current_dir(crate::tidy::root()).map_err(|error| error.to_string())?;
    for (path, wanted) in [(PICTURE, report()?), (DRAWING, drawing()?), (README, readme()?)] {
        if fs::read_to_string(path).is_ok_and(|found| found == wanted) {
            continue;
        }
        if check {
            return Err(format!("{path}: not what `cargo xtask pictures` draws"));
        }
        fs::write(path, wanted).map_err(|error| format!("{path}: {error}"))?;
    }
    Ok(())
}

fn compiled(path: &str) -> Result<Compiled, String> {
    compile(&DiskFiles, Path::new(path)).map_err(|error| format!("{path}: {error}"))
}

/// What `telstack check` prints on the broken stack.
fn report() -> Result<String, String> {
    let compiled = compiled(STACK)?;
    if compiled.diagnostics.is_empty() {
        return Err(format!("{STACK} has no findings to draw"));
    }
    let mut screen = format!("\u{1b}[2m$\u{1b}[0m telstack check {STACK}\n");
    for diagnostic in &compiled.diagnostics {
        screen.push_str(&human(diagnostic, &compiled.sources, Colour::On));
    }
    let _ = writeln!(screen, "{}", summary(&compiled.diagnostics));
    Ok(draw(&screen))
}

/// What `telstack graph --format svg` draws.
fn drawing() -> Result<String, String> {
    let system = compiled(DRAWN)?;
    let system = system.whole().ok_or_else(|| format!("{DRAWN} is no stack"))?;
    Ok(svg(&system, Theme::Auto))
}

/// The README with today's graph in it.
fn readme() -> Result<String, String> {
    let text = fs::read_to_string(README).map_err(|error| format!("{README}: {error}"))?;
    let missing = || format!("{README} has no place for a graph: `{GRAPH}STACK -->`, `{END_OF_GRAPH}`");
    let (before, rest) = text.split_once(GRAPH).ok_or_else(missing)?;
    let (stack, rest) = rest.split_once(" -->\n").ok_or_else(missing)?;
    let (_, after) = rest.split_once(END_OF_GRAPH).ok_or_else(missing)?;
    let system = compiled(stack)?;
    let system = system.whole().ok_or_else(|| format!("{stack} is no stack"))?;
    let graph = mermaid(&system);
    Ok(format!("{before}{GRAPH}{stack} -->\n```mermaid\n{graph}```\n{END_OF_GRAPH}{after}"))
}

/// Light text on a dark ground of its own, so that a light and a dark page both show it.
fn draw(screen: &str) -> String {
    let svg = Term::new().palette(PALETTE).fg_color(INK).bg_color(GROUND).render_svg(&merged(screen));
    let size = |name: &str| {
        let (_, rest) = svg.split_once(&format!("{name}=\""))?;
        rest.split_once("px\"").map(|(number, _)| number)
    };
    // With a view box a narrow page scales the picture instead of cutting it off.
    match (size("width"), size("height")) {
        (Some(width), Some(height)) => svg.replacen("<svg ", &format!("<svg viewBox=\"0 0 {width} {height}\" "), 1),
        _ => svg,
    }
}

/// The renderer colours each character by itself: joins neighbours of one colour.
fn merged(screen: &str) -> String {
    const END: &str = "\u{1b}[0m";
    let mut out = String::with_capacity(screen.len());
    let mut open = "";
    let mut rest = screen;
    while let Some(at) = rest.find('\u{1b}') {
        let (text, escape) = rest.split_at(at);
        let end = escape.find('m').map_or(escape.len(), |end| end + 1);
        let (code, after) = escape.split_at(end);
        out.push_str(text);
        let goes_on = code == END && !open.is_empty() && after.starts_with(open);
        if !goes_on && code != open {
            out.push_str(code);
            open = if code == END { "" } else { code };
        }
        rest = after;
    }
    out.push_str(rest);
    out
}
