//! `collector`: its components, as declared.

use telstack_catalog::{ComponentKind, Version, otelcol};
use telstack_diagnostics::Diagnostic;
use telstack_syntax::stack::Node as Line;
use telstack_system::{
    Collector, Component, ComponentId, Delivery, EnvVar, Mount, MountSource, Node, NodeKind, Origin, Reference,
};

use crate::{
    allocator,
    check::{twice, value},
    codes, presets, scrapes,
    settings::Shaper,
    stack::{Context, name_of, resources},
    stores,
    words::{self, sourced, sourced_text, text},
};

/// The node of a `collector` line, with everything but its pipelines.
pub(crate) fn node(line: &Line, context: &mut Context<'_>) -> Node {
    let (distribution, version) = context.versions.of_collector(line, context.out);
    let mut collector = Collector::new(distribution);
    let mut environment = Vec::new();
    let shared = allocator::line(line).is_some();
    for child in line.children() {
        match ComponentKind::parse(&child.name.value) {
            Some(kind) => component(&mut collector, kind, child, version.value, &mut environment, context),
            None if child.name.value == "scrape" => scrapes::scrape(&mut collector, child, shared, context),
            None if child.name.value == "durable" && collector.delivery.is_none() => {
                collector.delivery = Some(delivery(child));
            }
            None if child.name.value == "telemetry" && collector.telemetry.is_empty() => {
                let service = otelcol::service_settings(version.value);
                let mut shaper = Shaper { environment: &mut environment, out: context.out };
                collector.telemetry = shaper.block(child, service.at("telemetry"));
            }
            None => {}
        }
    }
    collector.tls = stores::tls(line);
    collector.user = value(line, "user").and_then(sourced_text);
    mounts(&mut collector, line, context);
    let mut node =
        Node::new(name_of(line), Origin::written(line.head()), Some(version), NodeKind::Collector(Box::new(collector)));
    node.resources = resources(line);
    node.environment = environment;
    node
}

fn component(
    collector: &mut Collector,
    kind: ComponentKind,
    line: &Line,
    version: Version,
    environment: &mut Vec<EnvVar>,
    context: &mut Context<'_>,
) {
    let Some(id) = line.args.first().and_then(text).map(ComponentId::parse) else { return };
    if let Some(first) = collector.component(kind, &id) {
        let message = format!("the {kind} `{id}` is declared twice");
        let finding = match first.origin.span() {
            Some(span) => twice(message, line.head(), span),
            None => Diagnostic::new(&codes::DECLARED_TWICE, message).at(line.head(), "again here"),
        };
        context.out.push(finding.help(format!("give the second one a name of its own: `{kind} \"{}/name\"`", id.ty)));
        return;
    }
    let origin = Origin::written(line.head());
    collector.presets.extend(presets::wanted(line, kind, &id, version, context));
    let tree = otelcol::component(kind, &id.ty).and_then(|fact| fact.settings(version));
    let mut shaper = Shaper { environment, out: context.out };
    let settings = shaper.component(line, tree.as_deref());
    if kind == ComponentKind::Extension {
        collector.extensions.push(Reference { id: id.clone(), origin: origin.clone() });
    }
    collector.components.push(Component { kind, id, settings, origin });
}

/// `mount`, each to a place of its own.
fn mounts(collector: &mut Collector, line: &Line, context: &mut Context<'_>) {
    for line in line.children().iter().filter(|child| child.name.value == "mount") {
        let Some(source) = line.args.first().and_then(text) else { continue };
        let target = line.prop("to").map_or(Some(source), text);
        let Some(target) = target.filter(|path| path.starts_with('/')) else {
            if line.prop("to").is_none() {
                let message = format!("`mount` has no place for `{source}` in the container");
                let finding = Diagnostic::new(&codes::MISSING_PART, message).at(line.head(), "`to` is missing");
                context.out.push(finding.help(format!("say where it is to be: `mount \"{source}\" to=\"/data\"`")));
            }
            continue;
        };
        if let Some(first) = collector.mounts.iter().find(|it| it.target == target).and_then(|it| it.origin.span()) {
            context.out.push(twice(format!("two mounts lead to `{target}`"), line.head(), first));
            continue;
        }
        let read_only = !line.prop("writable").and_then(words::truth).unwrap_or(false);
        collector.mounts.push(Mount {
            source: MountSource::Bind(source.to_owned()),
            target: target.to_owned(),
            read_only,
            origin: Origin::written(line.head()),
        });
    }
}

fn delivery(line: &Line) -> Delivery {
    Delivery {
        queue_size: line.prop("queue_size").and_then(|atom| Some(sourced(atom, words::count(atom)?))),
        give_up_after: line.prop("give_up_after").and_then(|atom| Some(sourced(atom, words::period(atom)?))),
        origin: Origin::written(line.head()),
    }
}
