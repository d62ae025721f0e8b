//! `mode="sidecar"`: collectors that the operator puts into the pods of programs.

use telstack_diagnostics::{Diagnostic, Diagnostics, Span};
use telstack_syntax::stack::Node as Line;
use telstack_system::{Node, Sourced, WorkloadKind};

use crate::{codes, placement::Placed};

/// What has no meaning for something in the pods of others.
const OF_OWN_PODS: [&str; 2] = ["replicas", "tolerations"];
const LINES_OF_OWN_PODS: [&str; 3] = ["expose", "durable", "mount"];

/// Reports what a sidecar cannot be or have.
pub(crate) fn check(line: &Line, kind: &Sourced<WorkloadKind>, placed: &Placed, out: &mut Diagnostics) {
    if placed.operator().is_none() {
        let message = "only the OpenTelemetry operator puts collectors into the pods of programs, and it does not run \
                       this stack";
        let finding = Diagnostic::new(&codes::WRONG_VALUE, message).at(kind.span(), "put there by the operator");
        let finding = finding.label(placed.platform.span(), "without it");
        out.push(
            finding
                .help("write `platform \"kubernetes\" { via \"operator\" }`")
                .help("or run one on each node, beside all programs there: `mode=\"daemonset\"`"),
        );
    }
    let mut report = |word: &str, at: Span| {
        let message = format!("`{word}` has no meaning for a sidecar: the pods that it is in are not this stack's");
        let finding = Diagnostic::new(&codes::WRONG_VALUE, message).at(at, "of pods of its own");
        let finding = finding.label(kind.span(), "in the pods of programs");
        out.push(finding.help(format!("drop `{word}`, or write `mode=\"daemonset\"`")));
    };
    for key in OF_OWN_PODS {
        if let Some(atom) = line.prop(key) {
            report(key, atom.span);
        }
    }
    for child in line.children().iter().filter(|it| LINES_OF_OWN_PODS.contains(&&*it.name.value)) {
        report(&child.name.value, child.head());
    }
    for child in line.children().iter().filter(|it| it.name.value == "scrape" && it.prop("port").is_none()) {
        let message = "`scrape` of a sidecar needs the port of the program in its pod";
        let finding = Diagnostic::new(&codes::MISSING_PART, message).at(child.head(), "no port");
        let finding = finding.label(kind.span(), "in the pods of programs");
        out.push(finding.help("write it: `scrape \"app\" port=8080`"));
    }
}

/// That nothing of the stack reaches a sidecar; none if the node is no such one.
pub(crate) fn unreached(node: &Node, at: Option<Span>) -> Option<Diagnostic> {
    let sidecar = node.placement.sidecar()?;
    let message = format!("nothing of the stack reaches `{}`: it is in the pods of programs", node.name);
    let finding = Diagnostic::new(&codes::WRONG_END, message).at(at, "named here");
    let finding = finding.label(sidecar.span(), "only the programs beside it reach it");
    Some(finding.help("let it send, and not be sent to: a `workload` may send to it"))
}
