//! Writing it.

use telstack_catalog::ComponentKind;
use telstack_system::{Collector, Component, Node, Pipeline, Reference, System, Value};

use crate::{
    Artefact,
    doc::{self, Block},
};

/// Sections in the order that upstream's documentation has them.
const SECTIONS: [ComponentKind; 5] = [
    ComponentKind::Extension,
    ComponentKind::Receiver,
    ComponentKind::Processor,
    ComponentKind::Exporter,
    ComponentKind::Connector,
];

pub(crate) fn emit(system: &System, node: &Node, collector: &Collector) -> Vec<Artefact> {
    let contained = || node.container.as_ref().and_then(|container| container.file("config"));
    let Some(file) = node.machine.as_ref().map(|it| &it.config).or_else(contained) else { return Vec::new() };
    vec![doc::node_yaml(system, node, file, None, &document(node, collector))]
}

fn document(node: &Node, collector: &Collector) -> Value {
    let mut out = Block::new();
    for kind in SECTIONS {
        let components = in_reading_order(collector, kind);
        if !components.is_empty() {
            out.gap().put(kind.section(), section(node, kind, &components));
        }
    }
    out.gap().put("service", service(node, collector));
    out.finish(&node.origin)
}

/// Processors in the order they first run; everything else as declared.
fn in_reading_order(collector: &Collector, kind: ComponentKind) -> Vec<&Component> {
    let mut components: Vec<&Component> = collector.of_kind(kind).collect();
    if kind == ComponentKind::Processor {
        let place = |component: &&Component| {
            let at = |pipeline: &Pipeline| pipeline.processors.iter().position(|it| it.id == component.id);
            collector.pipelines.iter().filter_map(at).min().unwrap_or(usize::MAX)
        };
        components.sort_by_key(place);
    }
    components
}

fn section(node: &Node, kind: ComponentKind, components: &[&Component]) -> Value {
    let mut out = Block::new();
    for component in components {
        // What the stack does not write needs a word of explanation.
        let reason = component.origin.reason();
        if !component.origin.is_written() && !reason.is_empty() {
            out.gap().comment(&doc::sentence(reason));
        }
        out.put(&component.id.to_string(), component.settings.clone());
    }
    let reason = format!("the {} of `{}`", kind.section(), node.name);
    let mut value =
        out.finish(&doc::follows_all(reason, components.iter().map(|component| &component.origin), &node.origin));
    // The key of a component comes from what declares it, whatever its settings come from.
    if let Some(map) = value.as_map_mut() {
        for (entry, component) in map.iter_mut().zip(components) {
            entry.key_mark = component.origin.clone();
        }
    }
    value
}

fn service(node: &Node, collector: &Collector) -> Value {
    let mut out = Block::new();
    if !collector.extensions.is_empty() {
        out.put("extensions", references(node, "the extensions that run", &collector.extensions));
    }
    if !collector.telemetry.is_empty() {
        let reason = format!("what `{}` tells about itself", node.name);
        out.put("telemetry", doc::map_of(&collector.telemetry, &reason, &node.origin));
    }
    if !collector.pipelines.is_empty() {
        let mut pipelines = Block::new();
        for pipeline in &collector.pipelines {
            pipelines.gap().put(&pipeline.id(), flow(node, pipeline));
        }
        let origins = collector.pipelines.iter().map(|pipeline| &pipeline.origin);
        let reason = format!("the pipelines of `{}`", node.name);
        out.gap().put("pipelines", pipelines.finish(&doc::follows_all(reason, origins, &node.origin)));
    }
    out.finish(&doc::follows("what runs of the components above", &[&node.origin]))
}

fn flow(node: &Node, pipeline: &Pipeline) -> Value {
    let mut out = Block::new();
    let id = pipeline.id();
    let lists = [
        ("receivers", "what feeds", &pipeline.receivers),
        ("processors", "what happens in", &pipeline.processors),
        ("exporters", "where data goes from", &pipeline.exporters),
    ];
    for (key, role, list) in lists {
        // `processors` may be left out; the other two must be there even if the stack is wrong.
        if key != "processors" || !list.is_empty() {
            out.put(key, references(node, &format!("{role} the pipeline `{id}`"), list));
        }
    }
    out.finish(&pipeline.origin)
}

fn references(node: &Node, reason: &str, list: &[Reference]) -> Value {
    let origin = doc::follows_all(reason, list.iter().map(|it| &it.origin), &node.origin);
    origin.flow(list.iter().map(|it| it.origin.string(it.id.to_string())))
}

#[cfg(test)]
mod tests {
    use telstack_system::OriginKind;

    use crate::testing::{Choice, parsed, part, stack, text, written};

    const PATH: &str = "configs/otel-collector.yaml";

    #[test]
    fn sections_components_and_pipelines() {
        let artefacts = written(&stack(&Choice::default()));
        let document = parsed(&artefacts, PATH);
        let sections: Vec<&str> = document.as_map().into_iter().flatten().map(|it| it.key.as_str()).collect();
        assert_eq!(sections, ["extensions", "receivers", "processors", "exporters", "service"]);
        assert_eq!(part(&document, &["receivers", "otlp", "protocols", "grpc", "endpoint"]), "\"0.0.0.0:4317\"");
        assert_eq!(
            part(&document, &["service", "pipelines", "logs", "processors"]),
            r#"["memory_limiter", "resource", "batch"]"#
        );
    }

    #[test]
    fn processors_stand_in_the_order_they_run() {
        let artefacts = written(&stack(&Choice::default()));
        let text = text(&artefacts, PATH);
        let at = |key: &str| text.find(&format!("\n  {key}:")).expect("declared");
        assert!(at("memory_limiter") < at("resource") && at("resource") < at("batch"));
    }

    #[test]
    fn what_the_stack_does_not_write_is_explained() {
        let artefacts = written(&stack(&Choice::default()));
        let artefact = artefacts.iter().find(|it| it.path == PATH).expect("written");
        let lines: Vec<&str> = artefact.written.text.lines().collect();
        let at = lines.iter().position(|line| *line == "  memory_limiter:").expect("added by a pass");
        assert!(lines[at - 1].starts_with("  # "), "{}", lines[at - 1]);
        assert!(artefact.written.lines[at].iter().any(|origin| origin.kind() == OriginKind::Builtin));
        let own = lines.iter().position(|line| *line == "  resource:").expect("written in the stack");
        assert!(!lines[own - 1].contains('#'));
        assert!(artefact.written.lines[own].iter().all(telstack_system::Origin::is_written));
    }
}
