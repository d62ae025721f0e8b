use telstack_catalog::ComponentKind;
use telstack_diagnostics::{Fix, RuleInfo, Severity};
use telstack_system::{NodeId, Pipeline, Reference};

use crate::{Cx, Rule, facts, repair};

/// The processor that this rule is about.
const LIMITER: &str = "memory_limiter";
/// Holds data back although it keeps no state between requests.
const BATCH: &str = "batch";
/// State, in the catalog's words, that holds no data.
const HOLDS_NO_DATA: [&str; 3] = ["none", "process", "k8s_metadata_cache"];

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        code: "D002",
        name: "memory-limiter-not-first",
        severity: Severity::Warning,
        summary: "`memory_limiter` is in a pipeline, but not in front of all other processors.",
        why: "What it refuses is already held by the processors before it, so memory goes on growing, and the \
              receiver gets no error back: senders never learn that they should slow down.",
        bad: r#"collector "gateway" {
    receiver "otlp"
    processor "batch"
    processor "memory_limiter" { check_interval "1s"; limit_mib 400 }
    pipeline "traces" { from "otlp"; through "batch" "memory_limiter"; to "tempo" }
}"#,
        good: r#"collector "gateway" {
    receiver "otlp"
    processor "memory_limiter" { check_interval "1s"; limit_mib 400 }
    processor "batch"
    pipeline "traces" { from "otlp"; through "memory_limiter" "batch"; to "tempo" }
}"#,
        silent: "It is first. Only info where nothing before it holds data back, or where the pipeline is fed by \
                 connectors alone and has no sender to push back on.",
        sources: &[
            "https://github.com/open-telemetry/opentelemetry-collector/blob/main/processor/memorylimiterprocessor/README.md",
            "https://github.com/open-telemetry/opentelemetry-collector/issues/11018",
        ],
    },
    check,
};

fn check(cx: &mut Cx<'_>) {
    for (id, _, _, _, pipeline) in facts::pipelines(cx.system) {
        let is_limiter = |reference: &Reference| {
            let part = cx.facts.named(id, ComponentKind::Processor, &reference.id);
            part.is_some_and(|part| part.is(LIMITER))
        };
        let Some(at) = pipeline.processors.iter().position(is_limiter).filter(|at| *at > 0) else { continue };
        let (limiter, before) = (&pipeline.processors[at], &pipeline.processors[..at]);
        let message = format!("`{}` is not the first processor of pipeline `{}`", limiter.id, pipeline.id());
        let harmless = !holds_back(cx, id, before) || only_connectors(cx, id, pipeline);
        let finding = cx
            .finding(message, &limiter.origin, "too late")
            .label(before[0].origin.span(), "runs first")
            .severity(if harmless { Severity::Info } else { Severity::Warning })
            .help(format!("put `{}` in front of `{}`", limiter.id, before[0].id));
        let finding = if cx.system.from_files {
            finding
        } else {
            finding.help("leave `memory_limiter` out: every pipeline gets it first")
        };
        let change = repair::processor_to(pipeline, at, 0);
        let finding = repair::with(finding, change.map(|it| Fix::safe(format!("put `{}` first", limiter.id), it)));
        cx.report_once(finding);
    }
}

/// Does one of these processors hold data back?
fn holds_back(cx: &Cx<'_>, id: NodeId, processors: &[Reference]) -> bool {
    processors.iter().any(|reference| {
        let part = cx.facts.named(id, ComponentKind::Processor, &reference.id);
        part.and_then(|part| Some((part, part.usable()?.0))).is_none_or(|(part, fact)| {
            part.is(BATCH) || fact.state_scope().is_some_and(|scope| !HOLDS_NO_DATA.contains(&scope))
        })
    })
}

fn only_connectors(cx: &Cx<'_>, id: NodeId, pipeline: &Pipeline) -> bool {
    let is_connector = |it| cx.facts.named(id, ComponentKind::Connector, it).is_some();
    !pipeline.receivers.is_empty() && pipeline.receivers.iter().all(|it| is_connector(&it.id))
}

#[cfg(test)]
mod tests {
    use telstack_diagnostics::{Applicability, Severity};

    use crate::test_support::Bench;

    fn pipeline(processors: &str) -> Bench {
        let yaml = format!(
            "processors: {{batch: , attributes: , memory_limiter: {{check_interval: 1s, limit_mib: 400}}}}\n\
             service: {{pipelines: {{traces: {{receivers: [otlp], processors: [{processors}], exporters: [debug]}}}}}}"
        );
        Bench::collector("0.158.0", &yaml)
    }

    #[test]
    fn fails_behind_batch() {
        assert_eq!(pipeline("batch, memory_limiter").finds("D002", "memory_limiter"), Severity::Warning);
    }

    #[test]
    fn passes_in_front() {
        pipeline("memory_limiter, batch").silent("D002");
    }

    #[test]
    fn is_only_advice_behind_what_holds_nothing_back() {
        assert_eq!(pipeline("attributes, memory_limiter").finds("D002", "memory_limiter"), Severity::Info);
    }

    #[test]
    fn the_limiter_can_be_put_first() {
        let yaml = |order: &str| {
            format!(
                "processors: {{batch: , memory_limiter: {{check_interval: 1s, limit_mib: 400}}}}\n\
                 service: {{pipelines: {{traces: {{receivers: [otlp], processors: [{order}], exporters: [debug]}}}}}}\n"
            )
        };
        let bench = Bench::collector("0.158.0", &yaml("batch, memory_limiter"));
        assert_eq!(bench.fixed("D002", &yaml("memory_limiter, batch")), Applicability::Safe);
    }
}
