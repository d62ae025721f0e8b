//! `target-allocator` of a collector: the operator shares out what its pods scrape.

use telstack_diagnostics::{Diagnostic, Diagnostics};
use telstack_syntax::stack::Node as Line;
use telstack_system::{Origin, Sourced, WorkloadKind};

use crate::{codes, form::Form, grammar, placement::Placed, scrapes::SCRAPE};

/// `target-allocator` of a collector.
pub(crate) static TARGET_ALLOCATOR: Form = Form {
    word: "target-allocator",
    about: "With `via \"operator\"`: each target of `scrape` is given to one of the pods, so that several may scrape.",
    example: "target-allocator",
    once: true,
    ..grammar::PLAIN
};

/// The line that asks for it.
pub(crate) fn line(collector: &Line) -> Option<&Line> {
    collector.children().iter().find(|it| it.name.value == TARGET_ALLOCATOR.word)
}

/// What asks for it, where there can be one.
pub(crate) fn asked(
    collector: &Line,
    placed: &Placed,
    kind: Option<&Sourced<WorkloadKind>>,
    out: &mut Diagnostics,
) -> Option<Origin> {
    let line = line(collector)?;
    if placed.operator().is_none() {
        let message = "only the OpenTelemetry operator starts a target allocator, and it does not run this stack";
        let finding = Diagnostic::new(&codes::WRONG_VALUE, message).at(line.head(), "started by the operator");
        let finding = finding.label(placed.platform.span(), "without it");
        out.push(
            finding.help("write `platform \"kubernetes\" { via \"operator\" }`").help(
                "or take it out, and let one pod scrape, or one on each node what is there: `mode=\"daemonset\"`",
            ),
        );
        return None;
    }
    let named = |it: &&Sourced<WorkloadKind>| matches!(it.value, WorkloadKind::StatefulSet | WorkloadKind::DaemonSet);
    if let Some(kind) = kind.filter(|it| !named(it)) {
        let message = "the target allocator gives targets to the pods of a StatefulSet or a DaemonSet only";
        let finding = Diagnostic::new(&codes::WRONG_VALUE, message).at(line.head(), "refused by the operator");
        let finding = finding.label(kind.span(), "pods without lasting names");
        out.push(finding.help("write `mode=\"statefulset\"`"));
        return None;
    }
    if !collector.children().iter().any(|it| it.name.value == SCRAPE.word) {
        let message = "there is nothing for the target allocator to share out: the collector has no `scrape`";
        let finding = Diagnostic::new(&codes::MISSING_PART, message).at(line.head(), "no targets");
        out.push(finding.help("say what is scraped, such as `scrape \"annotated-pods\"`, or take it out"));
        return None;
    }
    Some(Origin::written(line.head()))
}
