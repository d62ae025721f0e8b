use telstack_catalog::otelcol;
use telstack_diagnostics::{RuleInfo, Severity};
use telstack_system::{Known, Origin, units::Period};

use crate::{
    Cx, Rule,
    facts::{Part, own_pod},
};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        code: "D012",
        name: "termination-grace-too-short",
        severity: Severity::Info,
        summary: "A pod may be killed before its collector has sent what is in its queue.",
        why: "When a pod is to stop, its collector sends what its queues in memory hold, and is killed when the grace \
              period is over: 30 seconds, unless written. With a destination that is slow or away, a full queue takes \
              the number of requests, by the number sent at once, times the timeout of each; what is left is lost.",
        bad: r"exporters:
  otlp_grpc:
    endpoint: gateway:4317
    sending_queue: {queue_size: 5000, num_consumers: 10}    # 5000 / 10 × 5 s
---
spec: {containers: […]}    # 30 s to stop in",
        good: r"exporters:
  otlp_grpc:
    endpoint: gateway:4317
    sending_queue: {queue_size: 5000, num_consumers: 10, storage: file_storage}
---
spec: {containers: […]}",
        silent: "The size of the queue is not written, or counts something else than requests; the queue is on disk; \
                 the worst fits into the grace period; an operator makes the pod.",
        sources: &[
            "https://github.com/open-telemetry/opentelemetry-helm-charts/issues/2143",
            "https://github.com/open-telemetry/opentelemetry-collector/issues/5902",
        ],
    },
    check,
};

const SIZE: &str = "sending_queue.queue_size";
const CONSUMERS: &str = "sending_queue.num_consumers";
const TIMEOUT: &str = "timeout";
/// What queues count unless told otherwise.
const REQUESTS: &str = "requests";

fn check(cx: &mut Cx<'_>) {
    for part in cx.facts.parts.iter().filter(|part| part.runs()) {
        let (Some(pod), Some(container)) = (own_pod(part.node), &part.node.container) else { continue };
        let Some((seconds, at)) = drain(part) else { continue };
        let grace = container.stop_grace.as_ref();
        let limit = grace.map_or(otelcol::grace_seconds(), |it| it.value.millis() / 1000);
        if seconds <= limit {
            continue;
        }
        let message = format!(
            "a full queue of {} takes up to {seconds} s to send, and the pod has {limit} s to stop",
            part.title()
        );
        let finding = cx
            .finding(message, at, "what is left is lost")
            .label(grace.map_or(&pod.origin, |it| &it.origin).span(), format!("{limit} s to stop in"))
            .help("keep the queue on disk: `sending_queue: {storage: …}`")
            .help("or give the pod more time: `terminationGracePeriodSeconds`");
        cx.report(finding);
    }
}

/// How many seconds the worst takes, and what says how long the queue is.
fn drain<'a>(part: &Part<'a>) -> Option<(u64, &'a Origin)> {
    let component = part.component;
    let size = component.setting(SIZE)?;
    let stored = component.setting("sending_queue.storage").is_some();
    let sizer = part.text("sending_queue.sizer").unwrap_or(REQUESTS);
    if stored || part.truth("sending_queue.enabled") == Some(false) || sizer != REQUESTS {
        return None;
    }
    let requests = u64::try_from(size.as_int()?).ok()?;
    let consumers = u64::try_from(part.number(CONSUMERS)?).ok().filter(|it| *it > 0)?;
    let timeout = match component.period(TIMEOUT) {
        Known::Value(it) => it,
        Known::Absent => Period::parse(part.text(TIMEOUT)?)?,
        Known::Unknown => return None,
    };
    let rounds = requests.div_ceil(consumers);
    Some((rounds.saturating_mul(timeout.millis()) / 1000, &size.mark))
}

#[cfg(test)]
mod tests {
    use telstack_diagnostics::Severity;
    use telstack_system::{Sourced, WorkloadKind, units::Period};

    use crate::test_support::Bench;

    fn queue(settings: &str, grace: Option<u64>) -> Bench {
        let mut bench = Bench::collector(
            "0.158.0",
            &format!(
                "exporters: {{otlp_grpc: {{endpoint: 'gw:4317', timeout: 5s, sending_queue: {{{settings}}}}}}}\n\
                 service: {{pipelines: {{traces: {{receivers: [otlp], exporters: [otlp_grpc]}}}}}}"
            ),
        );
        bench.in_pod(WorkloadKind::Deployment);
        let origin = bench.at("service");
        let grace = grace.map(|it| Sourced::new(Period::from_secs(it), origin));
        bench.first().container.as_mut().expect("a container").stop_grace = grace;
        bench
    }

    #[test]
    fn tells_of_what_cannot_be_sent_in_time() {
        let bench = queue("queue_size: 5000, num_consumers: 10", None);
        assert_eq!(bench.finds("D012", "5000"), Severity::Info);
    }

    #[test]
    fn passes_with_time_enough_and_on_disk() {
        queue("queue_size: 5000, num_consumers: 10", Some(3000)).silent("D012");
        queue("queue_size: 50, num_consumers: 10", None).silent("D012");
        queue("queue_size: 5000, num_consumers: 10, storage: file_storage", None).silent("D012");
    }

    #[test]
    fn silent_when_the_size_is_not_written_or_counts_items() {
        queue("num_consumers: 10", None).silent("D012");
        queue("queue_size: 5000, num_consumers: 10, sizer: items", None).silent("D012");
    }
}
