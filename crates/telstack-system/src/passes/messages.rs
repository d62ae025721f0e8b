//! Messages: what one side sends at once, the other takes.
//!
//! A gRPC server refuses messages above 4 MiB unless told otherwise, and a batch of the usual ten thousand items is
//! larger. The refusal is final: the batch is dropped, not sent again in parts.

use std::collections::BTreeMap;

use telstack_catalog::{ComponentKind, Version, product::Product};
use telstack_diagnostics::Diagnostics;

use super::Pass;
use crate::{
    graph::{EdgeId, NodeId, System},
    known::Known,
    model::{Collector, Component, ComponentRef, Edge, Node, Pipeline, Protocol, Purpose},
    origin::{Origin, Sourced},
};

const NAME: &str = "messages";

pub(super) const PASS: Pass =
    Pass { name: NAME, reason: "let servers take messages as large as the batches that their senders make", run };

/// What a span, a log record or a metric point with its attributes takes in a message, in bytes: more than most.
pub const ITEM: u64 = 1024;
const MIB: u64 = 1 << 20;
/// What a gRPC server takes by itself, in MiB.
pub const DEFAULT: u64 = 4;
/// The most that is ever allowed, in MiB: a server holds the whole message in memory.
const MOST: u64 = 64;
/// What the batch processor collects by itself.
const BATCH_SIZE: u64 = 8192;
/// The processor that collects batches, and the setting of a receiver that limits messages.
const BATCH: &str = "batch";
const LIMIT: &str = "max_recv_msg_size_mib";

/// How large messages may be, in MiB, and what makes them so.
type Sizes = BTreeMap<NodeId, Sourced<u64>>;

fn run(system: &mut System, _: &mut Diagnostics) {
    let mut sizes = Sizes::new();
    // What a collector passes on unbatched is as large as what it takes: that goes along every chain of them.
    for _ in 0..system.node_ids().len() {
        if !grow(system, &mut sizes) {
            break;
        }
    }
    for id in system.node_ids() {
        let node = system.node(id);
        if let (Some(version), Some(door)) = (node.version(), from_outside(node, sizes.get(&id))) {
            let owners = node.listeners.iter().filter(|it| it.protocol.is_grpc() && node.is_exposed(it));
            let owners = owners.filter_map(|it| Some((it.owner.clone()?, it.protocol))).collect();
            limit(system, id, version, owners, &door);
        }
    }
    for (id, size) in sizes {
        let version = system.node(id).version();
        if let Some(store) = system.node_mut(id).store_mut() {
            store.max_message = Some(size);
        } else if let Some(version) = version {
            limit_receivers(system, id, version, &size);
        }
    }
}

/// How large messages may be that come from outside of the cluster, from senders that are not seen from here.
fn from_outside(node: &Node, inside: Option<&Sourced<u64>>) -> Option<Sourced<u64>> {
    let exposure = node.placement.exposure.as_ref()?;
    let usual = (BATCH_SIZE * ITEM + DEFAULT * MIB).div_ceil(MIB).next_power_of_two();
    if let Some(inside) = inside.filter(|it| it.value > usual) {
        return Some(inside.clone());
    }
    let reason = format!(
        "who sends from outside is not seen from here: room for batches of {BATCH_SIZE} items, which is what the batch \
         processor makes by itself, at 1 KiB an item"
    );
    Some(Sourced::new(usual, Origin::fact(NAME, reason, &[&exposure.origin])))
}

/// Takes one step along all edges. Has anything grown?
fn grow(system: &System, sizes: &mut Sizes) -> bool {
    let mut grown = false;
    for (edge, from, to) in fed(system) {
        let Some(collector) = system.node(from).collector() else { continue };
        let taken = [sizes.get(&from).cloned(), written(collector)].into_iter().flatten();
        let taken = taken.max_by_key(|size| size.value);
        let Some((bytes, origin)) = largest(collector, system.edge(edge), taken.as_ref()) else { continue };
        let size = bytes.div_ceil(MIB).next_power_of_two().min(MOST);
        if size > DEFAULT && sizes.get(&to).is_none_or(|known| known.value < size) {
            sizes.insert(to, Sourced::new(size, origin));
            grown = true;
        }
    }
    grown
}

/// The edges that end at a gRPC server; Loki's own parts talk by gRPC, however logs came in.
fn fed(system: &System) -> Vec<(EdgeId, NodeId, NodeId)> {
    let mut edges = Vec::new();
    for edge in system.edge_ids() {
        let (from, to) = system.ends(edge);
        let Some(dial) = system.edge(edge).dial.as_ref() else { continue };
        let counts = dial.protocol.is_grpc() || system.node(to).product() == Some(Product::Loki);
        if system.edge(edge).purpose == Purpose::Telemetry && counts {
            edges.push((edge, from, to));
        }
    }
    edges
}

/// The largest limit that the settings of a collector's receivers name, in MiB.
fn written(collector: &Collector) -> Option<Sourced<u64>> {
    let limits = collector.of_kind(ComponentKind::Receiver).filter_map(|receiver| {
        let path = format!("protocols.grpc.{LIMIT}");
        let Known::Value(limit) = receiver.number(&path) else { return None };
        Some(Sourced::new(u64::try_from(limit).ok()?, receiver.setting(&path)?.mark.clone()))
    });
    limits.max_by_key(|limit| limit.value)
}

/// The largest message of an edge in bytes. `taken` is what the sender accepts, in MiB, where that is not the default.
fn largest(collector: &Collector, edge: &Edge, taken: Option<&Sourced<u64>>) -> Option<(u64, Origin)> {
    let pipelines = edge.pipelines.iter().filter_map(|at| collector.pipelines.get(at.value));
    let message = |pipeline| match (batch(collector, pipeline), taken) {
        (Some(batch), _) => Some(batched(edge, batch, taken)),
        (None, Some(taken)) => {
            let reason = format!("its sender takes messages of {} MiB and passes them on as they are", taken.value);
            let origin = Origin::derived(NAME, reason, &[&edge.origin, &taken.origin]);
            Some((taken.value.saturating_mul(MIB), origin))
        }
        (None, None) => None,
    };
    pipelines.filter_map(message).max_by_key(|(bytes, _)| *bytes)
}

/// The largest message that a batch processor makes.
fn batched(edge: &Edge, batch: &Component, taken: Option<&Sourced<u64>>) -> (u64, Origin) {
    let number = |key: &str| match batch.number(key) {
        Known::Value(number) => u64::try_from(number).ok(),
        _ => None,
    };
    let (bytes, what) = if let Some(most) = number("send_batch_max_size").filter(|most| *most > 0) {
        (most.saturating_mul(ITEM), format!("batches of up to {most} items"))
    } else {
        let size = number("send_batch_size").unwrap_or(BATCH_SIZE);
        let last = taken.map_or(DEFAULT, |size| size.value).saturating_mul(MIB);
        (size.saturating_mul(ITEM).saturating_add(last), format!("batches of {size} items and what came last"))
    };
    let reason = format!("takes {what}, at 1 KiB an item; above 4 MiB, the default, they would be dropped");
    (bytes, Origin::derived(NAME, reason, &[&edge.origin, &batch.origin]))
}

fn batch<'a>(collector: &'a Collector, pipeline: &Pipeline) -> Option<&'a Component> {
    let last = pipeline.processors.iter().rev().find(|it| it.id.ty == BATCH)?;
    collector.component(ComponentKind::Processor, &last.id)
}

/// Raises the limit of the gRPC receivers that other collectors feed, where the stack sets none.
fn limit_receivers(system: &mut System, id: NodeId, version: Version, size: &Sourced<u64>) {
    let dialled: Vec<u16> = system
        .incoming(id, Purpose::Telemetry)
        .into_iter()
        .filter_map(|(edge, _)| system.edge(edge).dial.as_ref())
        .filter(|dial| dial.protocol.is_grpc())
        .map(|dial| dial.port)
        .collect();
    let node = system.node(id);
    let owners: Vec<_> = node
        .listeners
        .iter()
        .filter(|it| it.protocol.is_grpc() && dialled.contains(&it.port))
        .filter_map(|it| Some((it.owner.clone()?, it.protocol)))
        .collect();
    limit(system, id, version, owners, size);
}

/// Raises the limit of receivers, where the stack sets none.
fn limit(
    system: &mut System,
    id: NodeId,
    version: Version,
    owners: Vec<(ComponentRef, Protocol)>,
    size: &Sourced<u64>,
) {
    let Some(collector) = system.node_mut(id).collector_mut() else { return };
    for (owner, protocol) in owners {
        let Some(component) = collector.component_mut(owner.kind, &owner.id) else { continue };
        let Some(path) = limit_path(component, version, protocol) else { continue };
        if component.setting(&path).is_some() {
            continue;
        }
        component.put(&path, size.origin.int(i64::try_from(size.value).unwrap_or(i64::MAX)));
    }
}

/// Where a receiver is told how large messages may be: beside the address.
fn limit_path(component: &Component, version: Version, protocol: Protocol) -> Option<String> {
    let fact = component.fact()?;
    let listen = fact.listens(version).into_iter().find(|it| it.protocol == Some(protocol.0))?;
    let path = format!("{}.{LIMIT}", listen.setting.rsplit_once('.')?.0);
    fact.settings(version).is_some_and(|tree| tree.at(&path).is_some()).then_some(path)
}
