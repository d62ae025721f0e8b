use telstack_catalog::container::end_of_life;
use telstack_diagnostics::{RuleInfo, Severity};

use crate::{Cx, Rule};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        code: "V005",
        name: "eol-component",
        severity: Severity::Warning,
        summary: "A program of the stack is at the end of its life.",
        why: "Nobody mends it any more, whatever is found in it, and the others of the stack move on without it.",
        bad: "services:\n  promtail:\n    image: grafana/promtail:3.5.0",
        good: "services:\n  collector:\n    image: otel/opentelemetry-collector-contrib:0.158.0",
        silent: "The image is not one of those that are known. Whoever stays with it says why: `# telstack: \
                 ignore[V005] until we move`.",
        sources: &[
            "https://grafana.com/docs/loki/latest/send-data/promtail/",
            "https://grafana.com/docs/agent/latest/",
            "https://github.com/timescale/tobs/pull/692",
        ],
    },
    check,
};

fn check(cx: &mut Cx<'_>) {
    for (_, node) in cx.system.nodes() {
        let Some(container) = &node.container else { continue };
        let image = container.base.as_ref().unwrap_or(&container.image);
        let Some(fact) = end_of_life(&image.value.repository) else { continue };
        let message = format!("{} is not maintained since {}", fact.what, fact.since);
        let finding = cx
            .finding(message, &image.origin, "at the end of its life")
            .help(format!("move to {}", fact.instead))
            .note(format!("see {}", fact.source));
        cx.report(finding);
    }
}

#[cfg(test)]
mod tests {
    use telstack_diagnostics::Severity;

    use crate::test_support::Bench;

    fn runs(image: &str) -> Bench {
        Bench::project(&[("compose.yaml", &format!("services:\n  it:\n    image: {image}\n"))])
    }

    #[test]
    fn warns_of_what_nobody_maintains() {
        assert_eq!(runs("grafana/promtail:3.5.0").finds("V005", "grafana/promtail:3.5.0"), Severity::Warning);
        runs("docker.io/grafana/agent").finds("V005", "docker.io/grafana/agent");
    }

    #[test]
    fn passes_on_what_somebody_does() {
        runs("grafana/alloy:v1.13.0").silent("V005");
    }

    #[test]
    fn silent_where_it_is_not_known() {
        runs("acme/promtail:3.5.0").silent("V005");
    }
}
