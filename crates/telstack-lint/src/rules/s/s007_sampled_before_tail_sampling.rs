use telstack_catalog::otelcol::Trait;
use telstack_diagnostics::{RuleInfo, Severity};

use crate::{Cx, Rule, facts::Place};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        code: "S007",
        name: "sampled-before-tail-sampling",
        severity: Severity::Info,
        summary: "A sampler throws traces away before the one that would look at them.",
        why: "Tail sampling keeps what is slow or fails; of what a sampler in front of it has dropped by chance it \
              sees nothing. The rates multiply too: a tenth of a tenth is a hundredth.",
        bad: "processors: {probabilistic_sampler: {sampling_percentage: 10}, tail_sampling: {}}
service: {pipelines: {traces: {receivers: [otlp], processors: [probabilistic_sampler, tail_sampling], exporters: [debug]}}}",
        good: "processors: {tail_sampling: {policies: [{name: some, type: probabilistic, probabilistic: {sampling_percentage: 10}}]}}
service: {pipelines: {traces: {receivers: [otlp], processors: [tail_sampling], exporters: [debug]}}}",
        silent: "The other order, which thins out what was chosen; samplers in different pipelines; one that keeps \
                 everything.",
        sources: &["https://opentelemetry.io/docs/concepts/sampling/"],
    },
    check,
};

fn check(cx: &mut Cx<'_>) {
    for place in Place::all(cx.system) {
        let parts: Vec<_> = place.processors(cx.facts).filter_map(|(at, part)| Some((at, part?))).collect();
        let Some(tail) = parts.iter().position(|(_, part)| part.has(Trait::SamplesByTrace)) else { continue };
        let by_chance = parts[..tail].iter().find(|(_, part)| {
            let all = part.number("sampling_percentage") == Some(100);
            part.has(Trait::Samples) && !part.has(Trait::SamplesByTrace) && !all
        });
        let Some((first, sampler)) = by_chance else { continue };
        let (late, _) = parts[tail];
        let message = format!("{} drops traces that `{}` never sees", sampler.title(), late.id);
        let finding = cx
            .finding(message, &first.origin, "by chance")
            .label(late.origin.span(), "by what a trace holds")
            .help(format!("leave `{}` out, and give `{}` a policy of type `probabilistic`", first.id, late.id));
        cx.report_once(finding);
    }
}

#[cfg(test)]
mod tests {
    use crate::test_support::Bench;

    fn through(processors: &str, settings: &str) -> Bench {
        let yaml = format!(
            "processors: {{probabilistic_sampler: {{{settings}}}, tail_sampling: {{}}}}\n\
             service: {{pipelines: {{traces: {{processors: [{processors}]}}}}}}"
        );
        Bench::collector("0.158.0", &yaml)
    }

    #[test]
    fn tells_of_chance_in_front() {
        through("probabilistic_sampler, tail_sampling", "sampling_percentage: 10")
            .finds("S007", "probabilistic_sampler");
    }

    #[test]
    fn passes_on_one() {
        through("tail_sampling", "").silent("S007");
    }

    #[test]
    fn silent_about_the_other_order_and_about_all() {
        through("tail_sampling, probabilistic_sampler", "sampling_percentage: 10").silent("S007");
        through("probabilistic_sampler, tail_sampling", "sampling_percentage: 100").silent("S007");
    }
}
