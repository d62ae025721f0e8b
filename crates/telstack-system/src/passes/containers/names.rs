//! Names that follow from the names of nodes: services, volumes, files. No two may be one.

use std::{collections::HashMap, fmt};

use telstack_diagnostics::{Diagnostic, Diagnostics, Span};

use super::super::codes;
use crate::{graph::System, model::MountSource};

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    Service,
    Volume,
    File,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Kind::Service => "services",
            Kind::Volume => "volumes",
            Kind::File => "files",
        })
    }
}

/// A name that a node needs for something.
struct Claim<'a> {
    kind: Kind,
    name: String,
    node: &'a str,
    /// What for.
    what: String,
    place: Option<Span>,
}

/// Reports each name that is needed twice.
pub(super) fn check(system: &System, out: &mut Diagnostics) {
    let claims = claims(system);
    let mut firsts = HashMap::new();
    for later in &claims {
        let first = *firsts.entry((later.kind, &later.name)).or_insert(later);
        if std::ptr::eq(first, later) {
            continue;
        }
        // What somebody chose to call so is easier to change than what follows from another name.
        let (chosen, other) = if first.node == first.name { (first, later) } else { (later, first) };
        let message = format!("two {} would be called `{}`", later.kind, later.name);
        out.push(
            Diagnostic::new(&codes::NAME_COLLIDES, message)
                .at(chosen.place, chosen.what.clone())
                .label(other.place, other.what.clone())
                .help(format!("give `{}` another name", chosen.node)),
        );
    }
}

fn claims(system: &System) -> Vec<Claim<'_>> {
    let mut out = Vec::new();
    for (_, node) in system.nodes() {
        let Some(container) = &node.container else { continue };
        let mut claim = |kind, name: &str, what: String| {
            out.push(Claim { kind, name: name.to_owned(), node: &node.name, what, place: node.span() });
        };
        let owner = &node.name;
        if node.placement.sidecar().is_none() {
            let service = node.host_for(node);
            claim(Kind::Service, &service, format!("the service of `{owner}`"));
        }
        if let Some(name) = container.init_service(owner) {
            claim(Kind::Service, &name, format!("`{owner}` needs it to be given its volumes"));
        }
        for mount in &container.mounts {
            if let MountSource::Volume(name) = &mount.source {
                claim(Kind::Volume, name, format!("`{owner}` keeps `{}` in it", mount.target));
            }
        }
        for file in &container.files {
            claim(Kind::File, &file.path, format!("`{owner}` reads it as `{}`", file.target));
        }
    }
    out
}
