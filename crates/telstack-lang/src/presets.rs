//! `preset`: settings of a component for one task, by name.

use telstack_catalog::{ComponentKind, Version, otelcol};
use telstack_diagnostics::Diagnostic;
use telstack_syntax::stack::{Atom, Node as Line};
use telstack_system::{Collector, ComponentId, ComponentRef, Node, Origin, Platform, PresetUse, Sourced, WorkloadKind};

use crate::{
    check::{twice, value},
    codes,
    form::Kind,
    names::{did_you_mean, nearest},
    stack::Context,
    words::{self, text},
};

/// The word, as a property or as a line of the block: settings of components have no such name.
pub(crate) const PRESET: &str = "preset";

/// The preset that a component's line asks for. Those that there are not are reported.
pub(crate) fn wanted(
    line: &Line,
    kind: ComponentKind,
    id: &ComponentId,
    version: Version,
    context: &mut Context<'_>,
) -> Option<PresetUse> {
    let (beside, inside) = (line.prop(PRESET), value(line, PRESET));
    if let (Some(first), Some(second)) = (beside, inside) {
        context
            .out
            .push(twice(format!("`{PRESET}` is set twice"), second.span, first.span).help("keep one of the two"));
    }
    let atom: &Atom = beside.or(inside)?;
    let component = otelcol::component(kind, &id.ty);
    let known: Vec<&str> =
        component.into_iter().flat_map(otelcol::Component::presets).map(|it| it.name.as_str()).collect();
    let used = |name: &str| {
        let name = Sourced::new(name.to_owned(), Origin::written(atom.span));
        Some(PresetUse { component: ComponentRef { kind, id: id.clone() }, name })
    };
    let Some(name) = text(atom).filter(|it| !it.trim().is_empty()) else {
        words::check(Kind::Text, PRESET, atom, context.out);
        return used(known.first()?);
    };
    let Some(preset) = component.and_then(|it| it.preset(name)) else {
        let message = format!("the {kind} `{id}` has no preset `{name}`");
        let finding = Diagnostic::new(&codes::WRONG_VALUE, message).at(atom.span, "unknown");
        context.out.push(match known.as_slice() {
            [] => finding.help(format!("leave `{PRESET}` out, and write its settings, which are upstream's")),
            known => did_you_mean(finding, name, known, "presets"),
        });
        // What one of them would have set is not missing besides.
        return used(nearest(name, known.iter().copied()).or(known.first().copied())?);
    };
    if version < preset.since {
        let message = format!("the preset `{name}` needs release {} of the collector", preset.since);
        let finding = Diagnostic::new(&codes::WRONG_VALUE, message).at(atom.span, format!("{version} runs"));
        let finding = finding.note(preset.lacks.as_str());
        context
            .out
            .push(finding.help(format!("take release {} or later, or write its settings by hand", preset.since)));
    }
    used(name)
}

/// Reports presets that mean nothing where the collector runs.
pub(crate) fn check(node: &Node, context: &mut Context<'_>) {
    let platform = &context.placed.platform;
    let presets = |collector: &Collector| collector.presets.clone();
    for wanted in node.collector().map(presets).unwrap_or_default() {
        let ComponentRef { kind, id } = &wanted.component;
        let Some(preset) = otelcol::component(*kind, &id.ty).and_then(|it| it.preset(&wanted.name.value)) else {
            continue;
        };
        if preset.kubernetes && platform.value != Platform::Kubernetes {
            let message = format!("the preset `{}` has no meaning in docker compose", preset.name);
            let finding = Diagnostic::new(&codes::WRONG_VALUE, message).at(wanted.name.span(), "for Kubernetes");
            let finding = finding.label(platform.span(), "runs here").note(format!("it is for {}", preset.about));
            context.out.push(finding.help("write the settings instead, or `platform \"kubernetes\"`"));
            continue;
        }
        let placed = node.placement.kind.as_ref();
        if preset.each_machine && placed.is_none_or(|it| it.value != WorkloadKind::DaemonSet) {
            let message = format!(
                "the preset `{}` reads {}, and `{}` does not run on each",
                preset.name, preset.about, node.name
            );
            let finding = Diagnostic::new(&codes::WRONG_VALUE, message).at(wanted.name.span(), "of one machine");
            let finding = finding.label(placed.map_or(node.span(), Sourced::span), "runs on any machine, or on some");
            context.out.push(finding.help("let one run on each: `mode=\"daemonset\"`"));
        }
    }
}
