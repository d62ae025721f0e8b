//! Sizing: memory limits follow from the memory that the stack grants.

use telstack_catalog::ComponentKind;
use telstack_diagnostics::Diagnostics;
use telstack_syntax::tree::{Entry, Map};

use super::{Pass, pipelines::MEMORY_LIMITER};
use crate::{
    graph::System,
    model::{EnvValue, EnvVar, NodeKind},
    origin::{Origin, Sourced},
    units::Bytes,
};

const NAME: &str = "sizing";

pub(super) const PASS: Pass = Pass {
    name: NAME,
    reason: "derive the memory limiter and the Go runtime's limit from the memory that the collector is granted",
    run,
};

/// Share of the container's memory that the collector may fill; the rest is for what Go cannot count.
const LIMIT_PERCENT: u64 = 80;
/// Share of the container's memory that one burst may take between two looks.
const SPIKE_PERCENT: u64 = 20;
/// What a collector gets when the stack says nothing.
const DEFAULT_MEMORY: Bytes = Bytes::from_mib(1024);

fn run(system: &mut System, _: &mut Diagnostics) {
    for id in system.node_ids() {
        let node = system.node_mut(id);
        let origin = node.origin.clone();
        let NodeKind::Collector(collector) = &mut node.kind else { continue };
        let memory = node.resources.memory.get_or_insert_with(|| {
            let reason = "no `resources memory=…`: a collector without a limit can take its host down with it";
            Sourced::new(DEFAULT_MEMORY, Origin::builtin(NAME, reason, &[&origin]))
        });
        let because = memory.origin.clone();
        let limit = memory.value.percent(LIMIT_PERCENT).mib().max(1);
        let spike = memory.value.percent(SPIKE_PERCENT).mib().max(1);
        let limiters = collector
            .components
            .iter_mut()
            .filter(|it| it.kind == ComponentKind::Processor && it.id.ty == MEMORY_LIMITER);
        for limiter in limiters {
            let own = limiter.origin.clone();
            let settings = limiter.settings_mut();
            if !settings.contains("check_interval") {
                let reason = "upstream's advice; the limiter does not start without an interval";
                settings.push_front(Entry::new("check_interval", Origin::builtin(NAME, reason, &[&own]).string("1s")));
            }
            if !["limit_mib", "limit_percentage"].iter().any(|key| settings.contains(key)) {
                number(
                    settings,
                    "limit_mib",
                    limit,
                    format!("{LIMIT_PERCENT} % of the {} that the container has", memory.value),
                    &because,
                );
                if !settings.contains("spike_limit_mib") {
                    number(
                        settings,
                        "spike_limit_mib",
                        spike,
                        format!("{SPIKE_PERCENT} % of the {} that the container has", memory.value),
                        &because,
                    );
                }
            }
        }
        if !node.environment.iter().any(|it| it.name == "GOMEMLIMIT") {
            let reason = format!(
                "{LIMIT_PERCENT} % of the {} that the container has: Go collects garbage before the limiter has to refuse",
                memory.value
            );
            node.environment.push(EnvVar::new(
                "GOMEMLIMIT",
                EnvValue::Literal(format!("{limit}MiB")),
                Origin::derived(NAME, reason, &[&because]),
            ));
        }
    }
}

fn number(settings: &mut Map<Origin>, key: &str, mib: u64, reason: String, because: &Origin) {
    let origin = Origin::derived(NAME, reason, &[because]);
    settings.push(Entry::new(key, origin.int(i64::try_from(mib).unwrap_or(i64::MAX))));
}
