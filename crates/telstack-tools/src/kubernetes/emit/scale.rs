//! How many pods of a node there are, and where.

use telstack_system::{
    Value,
    cluster::{Autoscaler, Budget},
};

use super::{Of, chosen, count};
use crate::doc::{self, Block};

/// The share of the processor time that is kept for a pod, in percent, above which there are more of them.
pub(super) const BUSY_PERCENT: i64 = 80;
/// What tells one machine from another.
const MACHINE: &str = "kubernetes.io/hostname";

impl Of<'_> {
    /// Autoscalers and disruption budgets.
    pub(super) fn scaling(&self) -> Vec<Value> {
        let mine = |it: &&Autoscaler| it.target == self.pod.name && self.pod.is_in(it.namespace.as_deref());
        let scalers = self.cluster.autoscalers.iter().filter(mine).map(|it| self.autoscaler(it));
        let picks = |it: &&Budget| {
            let here = self.pod.is_in(it.namespace.as_deref());
            here && it.selector.as_ref().is_some_and(|it| it.picks(&self.pod.labels))
        };
        scalers.chain(self.cluster.budgets.iter().filter(picks).map(|it| self.budget(it))).collect()
    }

    fn autoscaler(&self, it: &Autoscaler) -> Value {
        let origin = &it.origin;
        let mut spec = Block::new();
        spec.put(
            "scaleTargetRef",
            origin.map([
                ("apiVersion", origin.string("apps/v1")),
                ("kind", origin.string(&*it.target_kind)),
                ("name", origin.string(&*it.target)),
            ]),
        );
        spec.put_some("minReplicas", it.min.as_ref().map(|it| it.origin.int(count(it.value))));
        spec.put_some("maxReplicas", it.max.as_ref().map(|it| it.origin.int(count(it.value))));
        let reason = "there are more of them before those that there are have nothing to spare";
        let busy = doc::chosen(reason, origin);
        let target = busy.map([("type", busy.string("Utilization")), ("averageUtilization", busy.int(BUSY_PERCENT))]);
        let resource = busy.map([("name", busy.string("cpu")), ("target", target)]);
        let metric = busy.map([("type", busy.string("Resource")), ("resource", resource)]);
        spec.put("metrics", busy.block([metric]));
        let mut out = self.object("autoscaling/v2", "HorizontalPodAutoscaler", &it.name, true, origin);
        out.put("spec", spec.finish(origin));
        out.finish(origin)
    }

    fn budget(&self, it: &Budget) -> Value {
        let origin = &it.origin;
        let mut spec = Block::new();
        spec.put("maxUnavailable", doc::chosen("one after the other", origin).int(1));
        let labels = it.selector.as_ref().map(|it| (&it.labels, &it.origin));
        spec.put_some("selector", labels.map(|(labels, origin)| chosen(labels, origin)));
        let mut out = self.object("policy/v1", "PodDisruptionBudget", &it.name, true, origin);
        out.put("spec", spec.finish(origin));
        out.finish(origin)
    }

    /// Spreads the pods over machines, where there are several.
    pub(super) fn spread(&self) -> Option<Value> {
        let several = self.container.instances().several()?.clone();
        if self.pod.kind == telstack_system::WorkloadKind::DaemonSet {
            return None;
        }
        let origin = doc::chosen("a machine that fails takes as few of them with it as can be", &several);
        let rule = origin.map([
            ("maxSkew", origin.int(1)),
            ("topologyKey", origin.string(MACHINE)),
            // One machine alone must do too.
            ("whenUnsatisfiable", origin.string("ScheduleAnyway")),
            ("labelSelector", chosen(self.selector(), &origin)),
        ]);
        Some(origin.block([rule]))
    }
}
