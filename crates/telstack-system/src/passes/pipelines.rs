//! Pipelines: the memory limiter comes first, wherever the stack does not say otherwise.

use telstack_catalog::ComponentKind;
use telstack_diagnostics::Diagnostics;

use super::Pass;
use crate::{
    graph::System,
    model::{Component, ComponentId, Reference},
    origin::{Origin, Value},
};

const NAME: &str = "pipelines";

pub(super) const PASS: Pass = Pass {
    name: NAME,
    reason: "put the memory limiter first in every pipeline, so that receivers are refused before data piles up",
    run,
};

/// The processor that keeps a collector within its memory.
pub(super) const MEMORY_LIMITER: &str = "memory_limiter";

fn run(system: &mut System, _: &mut Diagnostics) {
    for id in system.node_ids() {
        let (origin, version) = (system.node(id).origin.clone(), system.node(id).version());
        let Some(collector) = system.node_mut(id).collector_mut() else { continue };
        if collector.pipelines.is_empty() {
            continue;
        }
        let written = collector.of_kind(ComponentKind::Processor).find(|it| it.id.ty == MEMORY_LIMITER);
        let limiter = written.map_or_else(|| ComponentId::new(MEMORY_LIMITER, None), |it| it.id.clone());
        if written.is_none() {
            // Not every distribution ships it.
            if !version.is_some_and(|version| collector.ships(ComponentKind::Processor, MEMORY_LIMITER, version)) {
                continue;
            }
            let reason =
                "every collector gets one: without it a slow backend fills the memory until the process is killed";
            let origin = Origin::builtin(NAME, reason, &[&origin]);
            let component = Component {
                kind: ComponentKind::Processor,
                id: limiter.clone(),
                settings: Value::map(origin.clone()),
                origin,
            };
            let at = collector.components.iter().position(|it| it.kind == ComponentKind::Processor);
            collector.components.insert(at.unwrap_or(collector.components.len()), component);
        }
        for pipeline in &mut collector.pipelines {
            let mentioned = pipeline.processors.iter().position(|it| it.id.ty == MEMORY_LIMITER);
            match mentioned {
                // The order was written out: it is the author's, and a rule judges it.
                Some(_) if pipeline.ordered => {}
                Some(at) => {
                    let limiter = pipeline.processors.remove(at);
                    pipeline.processors.insert(0, limiter);
                }
                None => {
                    let reason = "first, so that receivers are refused before data piles up behind it";
                    let origin = Origin::builtin(NAME, reason, &[&pipeline.origin]);
                    pipeline.processors.insert(0, Reference { id: limiter.clone(), origin });
                }
            }
        }
    }
}
