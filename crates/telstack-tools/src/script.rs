//! Shell scripts beside what is deployed.

use telstack_syntax::Writer;
use telstack_system::{Listener, Node, Origin, System};

use crate::{Artefact, doc};

/// The names by which listeners say whether the node is well.
pub(crate) const PROBES: [&str; 2] = ["ready", "health"];
/// A program of bash: what depends on the stack, then what is the same in all of them.
pub(crate) fn script(
    system: &System,
    path: &str,
    what: &str,
    parts: &[&str],
    head: impl Fn(&mut Writer<Origin>),
) -> Artefact {
    let mut out = Writer::default();
    let mark = doc::follows("says what the file is and which stack it comes from", &[&system.origin]);
    out.line("#!/usr/bin/env bash", &mark);
    for line in doc::header(system, &format!("{}: {what}", system.name), path).lines() {
        out.line(&format!("# {line}"), &mark);
    }
    let strict = doc::chosen("a misspelt variable or a failing part of a pipe is not passed over", &system.origin);
    out.line("set -uo pipefail", &strict);
    out.newline();
    out.line(&format!("stack={}", quoted(&system.name)), &doc::follows("the stack's name", &[&system.origin]));
    head(&mut out);
    let same = doc::chosen("the same in every stack: what it works on stands above", &system.origin);
    for part in parts {
        out.newline();
        for line in part.lines() {
            if line.is_empty() {
                out.newline();
            } else {
                out.line(line, &same);
            }
        }
    }
    Artefact { executable: true, ..Artefact::new(path, out.finish()) }
}

/// The path of a listener that answers whoever asks it nothing in particular.
pub(crate) fn probe_path<'a>(node: &Node, listener: &'a Listener) -> &'a str {
    let release = node.product().zip(node.version()).filter(|_| listener.owner.is_none());
    let fact = release.and_then(|(product, version)| product.endpoint(version, &listener.name));
    fact.and_then(|it| it.probe).or(listener.path.as_deref()).unwrap_or("/")
}

/// Is it a Prometheus that scrapes something?
pub(crate) fn scrapes(node: &Node) -> bool {
    node.store().and_then(|store| store.prometheus()).is_some_and(|facet| !facet.jobs.is_empty())
}

/// A word that the shell takes as it is.
pub(crate) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}
