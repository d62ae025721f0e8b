use telstack_diagnostics::{RuleInfo, Severity};
use telstack_system::{Probe, ProbeKind};

use crate::{Cx, Rule, facts::own_pod};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        code: "D011",
        name: "startup-probe-vs-compaction",
        severity: Severity::Info,
        summary: "A collector that compacts its queue at the start may be killed before it answers.",
        why: "With `compaction.on_start` the files of the queue are written anew before anything else starts. With a \
              large queue on a slow disk that takes minutes, in which the liveness probe fails; the container is \
              killed and begins again, with a queue that only grows.",
        bad: r"extensions:
  file_storage: {directory: /q, compaction: {on_start: true, directory: /q}}
---
livenessProbe: {httpGet: {path: /, port: 13133}, periodSeconds: 10, failureThreshold: 3}",
        good: r"extensions:
  file_storage: {directory: /q, compaction: {on_start: true, directory: /q}}
---
startupProbe: {httpGet: {path: /, port: 13133}, periodSeconds: 10, failureThreshold: 60}
livenessProbe: {httpGet: {path: /, port: 13133}}",
        silent: "A startup probe is there; the liveness probe waits a minute or more before it counts; no liveness \
                 probe; an operator makes the pod.",
        sources: &["https://github.com/open-telemetry/opentelemetry-collector-contrib/issues/32456"],
    },
    check,
};

const SETTING: &str = "compaction.on_start";
/// Seconds that are time enough for a start.
const PATIENT: u64 = 60;
/// What Kubernetes takes where nothing is written: seconds between two probes, failures in a row.
const PERIOD: u64 = 10;
const FAILURES: u64 = 3;

fn check(cx: &mut Cx<'_>) {
    for part in cx.facts.parts.iter().filter(|part| part.runs()) {
        let Some(value) = part.component.setting(SETTING).filter(|it| it.as_bool() == Some(true)) else { continue };
        let (Some(_), Some(container)) = (own_pod(part.node), &part.node.container) else { continue };
        let of = |kind: ProbeKind| container.probes.iter().find(|it| it.kind == kind);
        let Some(liveness) = of(ProbeKind::Liveness).filter(|it| patience(it) < PATIENT) else { continue };
        if of(ProbeKind::Startup).is_some() {
            continue;
        }
        let message = format!(
            "`{}` compacts its queue before it answers, and is killed after {} s",
            part.node.name,
            patience(liveness)
        );
        let finding = cx
            .finding(message, &value.mark, "before anything else starts")
            .label(liveness.origin.span(), format!("fails from the start, and counts after {} s", patience(liveness)))
            .help("give it time by a `startupProbe` with a large `failureThreshold`")
            .help("or compact while it runs: `compaction: {on_rebound: true}`");
        cx.report(finding);
    }
}

/// After how many seconds a container is killed that does not answer.
fn patience(probe: &Probe) -> u64 {
    let seconds = |it: &Option<telstack_system::Sourced<telstack_system::units::Period>>| {
        it.as_ref().map(|it| it.value.millis() / 1000)
    };
    let period = seconds(&probe.period).unwrap_or(PERIOD);
    let failures = probe.failures.as_ref().map_or(FAILURES, |it| it.value);
    seconds(&probe.initial_delay).unwrap_or_default().saturating_add(period.saturating_mul(failures))
}

#[cfg(test)]
mod tests {
    use telstack_diagnostics::Severity;
    use telstack_system::{Probe, ProbeAction, ProbeKind, Sourced, TargetPort, WorkloadKind, units::Period};

    use crate::test_support::Bench;

    fn queue(on_start: bool, delay: u64, kinds: &[ProbeKind]) -> Bench {
        let mut bench = Bench::collector(
            "0.158.0",
            &format!(
                "extensions: {{file_storage: {{directory: /q, compaction: {{on_start: {on_start}, directory: /q}}}}}}\n\
                 service: {{extensions: [file_storage], pipelines: {{}}}}"
            ),
        );
        bench.in_pod(WorkloadKind::StatefulSet);
        let origin = bench.at("service");
        let container = bench.first().container.as_mut().expect("a container");
        for kind in kinds {
            let port = Sourced::new(TargetPort::Number(13133), origin.clone());
            container.probes.push(Probe {
                kind: *kind,
                action: ProbeAction::Tcp { port, host: None },
                initial_delay: Some(Sourced::new(Period::from_secs(delay), origin.clone())),
                period: None,
                timeout: None,
                failures: None,
                origin: origin.clone(),
            });
        }
        bench
    }

    #[test]
    fn tells_of_a_start_that_may_take_too_long() {
        assert_eq!(queue(true, 5, &[ProbeKind::Liveness]).finds("D011", "true"), Severity::Info);
    }

    #[test]
    fn passes_with_time_enough() {
        queue(true, 5, &[ProbeKind::Liveness, ProbeKind::Startup]).silent("D011");
        queue(true, 120, &[ProbeKind::Liveness]).silent("D011");
        queue(false, 5, &[ProbeKind::Liveness]).silent("D011");
    }

    #[test]
    fn silent_without_a_liveness_probe() {
        queue(true, 5, &[ProbeKind::Readiness]).silent("D011");
    }
}
