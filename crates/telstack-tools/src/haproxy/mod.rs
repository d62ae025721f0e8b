//! HAProxy's configuration.

mod addresses;
mod build;
mod codes;
mod lines;
mod sections;
mod servers;

use std::rc::Rc;

use telstack_catalog::{Version, otelcol::Transport, product::Product};
use telstack_diagnostics::{Diagnostics, FileId};
use telstack_system::{Container, EnvValue, Known, Listener, Node, NodeKind, Protocol, Proxy, Sourced};

pub(crate) use codes::{DUPLICATE_SECTION, INCOMPLETE_LINE, UNDEFINED_BACKEND, UNKNOWN_KEYWORD};
use lines::{Context, Line, Variable, lines};

use crate::{
    command,
    folder::{Dialled, Folder, Piece},
    reading::Place,
    remark,
};

/// How files in a folder end that HAProxy is told to read.
const ENDING: &str = ".cfg";

/// The release that comments of a configuration name.
pub fn release(file: FileId, text: &str, out: &mut Diagnostics) -> Option<Sourced<Version>> {
    remark::release(Product::Haproxy, file, text, Place::Start, out)
}

/// Reads a configuration that stands alone: nothing is known of the environment.
pub fn read_alone(file: FileId, text: &str, release: Option<Version>, out: &mut Diagnostics) -> Proxy {
    let variable = |_: &str| Variable::Unknown;
    let context = Context { file, place: Place::Start, fill: &str::to_owned, variable: &variable };
    build::proxy(&lines(text, &context), release, out)
}

/// What listens in a proxy.
pub fn listeners(proxy: &Proxy) -> Vec<Listener> {
    let of = |(name, door): (&String, &telstack_system::ProxyDoor)| Listener {
        name: name.clone(),
        port: door.port,
        transport: Transport::Tcp,
        bind: door.bind.clone(),
        protocol: Protocol::ANY,
        signals: telstack_catalog::SignalSet::default(),
        path: None,
        base: None,
        paths: Vec::new(),
        tls: door.tls,
        requirement: None,
        owner: None,
        origin: door.origin.clone(),
    };
    proxy.frontends.iter().flat_map(|it| it.doors.iter().map(move |door| (&it.name, door))).map(of).collect()
}

pub(crate) fn read(node: &mut Node, folder: &mut Folder<'_>) -> Vec<Dialled> {
    let mut paths: Vec<String> =
        command::flags(node).into_iter().filter(|(name, ..)| name == "f").filter_map(|(_, value, _)| value).collect();
    if paths.is_empty() {
        paths.extend(command::config_path(node, "f"));
    }
    let Some(container) = &mut node.container else { return Vec::new() };
    let mut pieces = Vec::new();
    let mut all = true;
    for path in &paths {
        let found = given(path, container, folder);
        all &= !found.is_empty();
        pieces.extend(found);
    }
    if pieces.is_empty() {
        return Vec::new();
    }
    for piece in &pieces {
        folder.release_of(node, piece);
    }
    let version = node.version();
    let Some(container) = &node.container else { return Vec::new() };
    let read: Vec<Line> = pieces.iter().flat_map(|piece| of_piece(piece, container)).collect();
    let proxy = build::proxy(&read, version, folder.out);
    let NodeKind::Proxy(known) = &mut node.kind else { return Vec::new() };
    **known = Proxy { open: proxy.open || !all, ..proxy };
    // Where not all is known, more may listen.
    node.listeners = if known.open { Vec::new() } else { listeners(known) };
    Vec::new()
}

/// The files that a path stands for: itself, or those in a folder.
fn given<'a>(path: &str, container: &mut Container, folder: &mut Folder<'a>) -> Vec<Rc<Piece<'a>>> {
    let inside: Vec<String> = folder.seen(container, path).into_iter().map(|(path, _)| path).collect();
    let paths: Vec<String> = if inside.iter().any(|it| it == path) || inside.is_empty() {
        vec![path.to_owned()]
    } else {
        inside.into_iter().filter(|it| it.ends_with(ENDING)).collect()
    };
    paths.iter().filter_map(|path| folder.take(container, "config", path)).collect()
}

fn of_piece(piece: &Piece<'_>, container: &Container) -> Vec<Line> {
    let variable = |name: &str| match container.env.iter().rev().find(|it| it.name == name).map(|it| &it.value) {
        Some(EnvValue::Literal(text)) if !text.contains('$') => Variable::Set(text.clone()),
        Some(_) => Variable::Unknown,
        None if container.gaps.env => Variable::Unknown,
        None => Variable::Unset,
    };
    let fill = |text: &str| piece.filled(text);
    lines(&piece.text, &Context { file: piece.file, place: piece.place, fill: &fill, variable: &variable })
}

/// Does a frontend that is not told to take HTTP/2 do so?
fn by_release(version: Option<Version>, of: fn(Version) -> bool) -> Known<bool> {
    version.map_or(Known::Unknown, |version| Known::Value(of(version)))
}
