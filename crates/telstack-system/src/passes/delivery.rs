//! Delivery: what is declared durable gets a queue on disk, as far as the exporter has one.

use telstack_catalog::{ComponentKind, Version, product::Product};
use telstack_diagnostics::{Diagnostic, Diagnostics};
use telstack_syntax::tree::Entry;

use super::{Pass, codes};
use crate::{
    graph::{NodeId, System},
    model::{Component, ComponentId, Delivery, Purpose, Reference},
    origin::{Origin, Value},
};

const NAME: &str = "delivery";

pub(super) const PASS: Pass = Pass {
    name: NAME,
    reason: "give the exporters of a durable collector queues on disk, with the storage that they need",
    run,
};

/// The extension that queues and checkpoints are stored with.
const STORAGE: &str = "file_storage";

fn run(system: &mut System, diagnostics: &mut Diagnostics) {
    for id in system.node_ids() {
        let (Some(version), Some(collector)) = (system.node(id).version(), system.node(id).collector()) else {
            continue;
        };
        let Some(delivery) = collector.delivery.clone() else { continue };
        let exporters: Vec<ComponentId> = collector.of_kind(ComponentKind::Exporter).map(|it| it.id.clone()).collect();
        let edges = system.outgoing(id, Purpose::Telemetry);
        let mut on_disk = false;
        let (mut in_memory, mut unknown) = (Vec::new(), Vec::new());
        for exporter in exporters {
            let edge =
                edges.iter().map(|(edge, _)| *edge).find(|edge| system.edge(*edge).exporter() == Some(&exporter));
            let place = edge.map(|edge| system.edge(edge).origin.clone());
            let Some(component) = system
                .node_mut(id)
                .collector_mut()
                .and_then(|collector| collector.component_mut(ComponentKind::Exporter, &exporter))
            else {
                continue;
            };
            match queue_of(component, version) {
                Queue::OnDisk => {
                    on_disk = true;
                    on_disk_queue(component, &delivery);
                    keep_trying(component, version, &delivery);
                }
                Queue::InMemory(key) => {
                    in_memory_queue(component, key, &delivery);
                    in_memory.push((exporter, key, place));
                }
                Queue::Unknown => unknown.push((format!("`{}`", component.id), component.origin.clone(), place)),
                Queue::None => {}
            }
        }
        if on_disk {
            let reason = "`durable`: queues on disk need a storage extension";
            storage(system, id, NAME, reason, &delivery.origin);
        }
        for (exporter, key, place) in in_memory {
            diagnostics.push(queue_in_memory(&exporter, key, &delivery, place.as_ref()));
        }
        for (exporter, origin, place) in unknown {
            diagnostics.push(queue_unknown(&exporter, &delivery, &place.unwrap_or(origin)));
        }
    }
}

enum Queue {
    /// `sending_queue` with a storage setting.
    OnDisk,
    /// A queue of another kind, under this key.
    InMemory(&'static str),
    /// The catalog has a hole here.
    Unknown,
    None,
}

fn queue_of(component: &Component, version: Version) -> Queue {
    let Some(fact) = component.fact() else { return Queue::None };
    // What an exporter prints or throws away is of no use after a restart.
    if fact.protocol() == Some("none") {
        return Queue::None;
    }
    let Some(settings) = fact.settings(version) else { return Queue::Unknown };
    if settings.at("sending_queue.storage").is_some() {
        Queue::OnDisk
    } else if settings.at("remote_write_queue.queue_size").is_some() {
        Queue::InMemory("remote_write_queue")
    } else {
        Queue::None
    }
}

fn on_disk_queue(component: &mut Component, delivery: &Delivery) {
    let reason = "`durable`: the queue is kept on disk and survives a restart";
    let origin = Origin::derived(NAME, reason, &[&delivery.origin, &component.origin]);
    let size = delivery.queue_size.clone();
    let settings = component.settings_mut();
    let queue = settings.map_mut("sending_queue", &origin);
    if !queue.contains("storage") {
        queue.push(Entry::new("storage", origin.string(STORAGE)));
    }
    if let Some(size) = size
        && !queue.contains("queue_size")
    {
        queue.push(Entry::new("queue_size", size.origin.int(size.value)));
    }
    give_up(component, delivery);
}

fn in_memory_queue(component: &mut Component, key: &str, delivery: &Delivery) {
    if let Some(size) = &delivery.queue_size {
        let reason = "this exporter's own kind of queue";
        let origin = Origin::fact(NAME, reason, &[&size.origin, &component.origin]);
        let queue = component.settings_mut().map_mut(key, &origin);
        if !queue.contains("queue_size") {
            queue.push(Entry::new("queue_size", size.origin.int(size.value)));
        }
    }
    give_up(component, delivery);
}

fn give_up(component: &mut Component, delivery: &Delivery) {
    let Some(after) = &delivery.give_up_after else { return };
    let origin = Origin::derived(NAME, "`give_up_after`: a batch is retried this long", &[&after.origin]);
    let retry = component.settings_mut().map_mut("retry_on_failure", &origin);
    if !retry.contains("max_elapsed_time") {
        retry.push(Entry::new("max_elapsed_time", after.origin.string(after.value.go())));
    }
}

/// A queue that survives a restart is no use when its batches are dropped five minutes into an outage.
fn keep_trying(component: &mut Component, version: Version, delivery: &Delivery) {
    const RETRY: &str = "retry_on_failure";
    const LIMIT: &str = "max_elapsed_time";
    let limit = format!("{RETRY}.{LIMIT}");
    let known =
        component.fact().and_then(|fact| fact.settings(version)).is_some_and(|settings| settings.at(&limit).is_some());
    let is_off = component.setting("retry_on_failure.enabled").and_then(Value::as_bool) == Some(false);
    if !known || is_off || component.setting(&limit).is_some() {
        return;
    }
    let reason = "0 is never: by itself the exporter drops a batch after five minutes, however durable its queue; \
                  `give_up_after` sets an end";
    let origin = Origin::fact(NAME, reason, &[&delivery.origin, &component.origin]);
    let retry = component.settings_mut().map_mut(RETRY, &origin);
    retry.push(Entry::new(LIMIT, origin.string("0s")));
}

/// Gives a collector a storage extension in its data folder, unless it has one of that name, which is returned.
pub(super) fn storage(
    system: &mut System,
    id: NodeId,
    pass: &'static str,
    reason: &str,
    because: &Origin,
) -> &'static str {
    let data =
        system.node(id).version().and_then(|version| Product::Otelcol.layout(version)).and_then(|it| it.data_path);
    let Some(collector) = system.node_mut(id).collector_mut() else { return STORAGE };
    let extension = ComponentId::new(STORAGE, None);
    let origin = Origin::derived(pass, reason, &[because]);
    if collector.component(ComponentKind::Extension, &extension).is_none() {
        let directory = data.unwrap_or_default();
        let folder = Origin::derived(pass, "the collector's data folder, which is a volume", &[because]);
        let compaction = Origin::builtin(pass, "gives back the disk that a long outage filled", &[because]);
        let settings = origin.map([
            ("directory", folder.string(directory)),
            (
                "compaction",
                compaction.map([("on_rebound", compaction.bool(true)), ("directory", folder.string(directory))]),
            ),
        ]);
        let settings = Value { kind: settings.kind, mark: origin.clone() };
        collector.components.push(Component {
            kind: ComponentKind::Extension,
            id: extension.clone(),
            settings,
            origin: origin.clone(),
        });
    }
    if !collector.is_enabled(&extension) {
        collector.extensions.push(Reference { id: extension, origin });
    }
    STORAGE
}

fn queue_unknown(exporter: &str, delivery: &Delivery, place: &Origin) -> Diagnostic {
    Diagnostic::new(
        &codes::QUEUE_IN_MEMORY,
        format!("`durable` leaves {exporter} as it is: its settings at this release are not known"),
    )
    .at(delivery.origin.span(), "what this makes durable may not reach its queue")
    .label(place.span(), "this exporter")
    .help(format!(
        "if that release keeps queues on disk, say so in the exporter's block, `sending_queue storage=\"{STORAGE}\"`, \
         and declare `extension \"{STORAGE}\"`"
    ))
}

fn queue_in_memory(exporter: &ComponentId, key: &str, delivery: &Delivery, place: Option<&Origin>) -> Diagnostic {
    Diagnostic::new(
        &codes::QUEUE_IN_MEMORY,
        format!("the queue of `{exporter}` stays in memory: `{key}` cannot use a storage extension"),
    )
    .at(delivery.origin.span(), "what this makes durable does not reach that queue")
    .label(place.and_then(Origin::span), format!("the edge that `{exporter}` serves; its queue is `{key}`"))
    .help("if metrics must survive a restart of the collector too, send them by OTLP: `to \"…\" protocol=\"otlp\"`")
}
