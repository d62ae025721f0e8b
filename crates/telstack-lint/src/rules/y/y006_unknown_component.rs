use telstack_catalog::{ComponentKind, near::distance, otelcol};
use telstack_diagnostics::{Fix, RuleInfo, Severity};

use crate::{Cx, Rule, facts::Standing, repair};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        code: "Y006",
        name: "unknown-component",
        severity: Severity::Error,
        summary: "No release of any distribution has a component of that name.",
        why: "The collector does not start: `unknown type`.",
        bad: r#"processor "bacth""#,
        good: r#"processor "batch""#,
        silent: "The component exists in another release (V001) or another distribution (V002). Where nothing says \
                 which distribution runs, only a name with one letter wrong is an error; where an image of one's own \
                 runs, what looks like a slip is a warning, and the rest is silent.",
        sources: &["https://github.com/open-telemetry/opentelemetry-collector-releases"],
    },
    check,
};

fn check(cx: &mut Cx<'_>) {
    for part in &cx.facts.parts {
        let Standing::Unknown { nearest } = part.standing else { continue };
        let near = nearest.is_some_and(|it| crate::words::nearest(&part.component.id.ty, [it]).is_some());
        let severity = match (part.is_foreign(), part.collector.distribution.origin.is_written()) {
            // Somebody's own distribution may have components of its own.
            (true, true) if !near => continue,
            (true, _) => Severity::Warning,
            (false, true) if part.collector.gaps.distribution => Severity::Warning,
            (false, _) => Severity::Error,
        };
        let kind = part.component.kind;
        let ty = &part.component.id.ty;
        let message = format!("there is no {kind} `{ty}`");
        let mut finding =
            cx.finding(message, &part.component.origin, "in no distribution of any release").severity(severity);
        let others = || ComponentKind::ALL.iter().filter(|it| **it != kind && otelcol::component(**it, ty).is_some());
        for other in others() {
            finding = finding.help(format!("there is {} {other} of that name", crate::words::article(other.as_str())));
        }
        // Who names a component of another kind has written it in the wrong section.
        if let Some(nearest) = nearest.filter(|_| others().next().is_none()) {
            let fact = otelcol::component(part.component.kind, nearest);
            let name = fact.and_then(|it| part.called(it)).unwrap_or(nearest);
            // More than a slip may be another component.
            let slip = distance(ty, nearest).min(distance(ty, name)) <= 2;
            let change = repair::component_type(cx.facts, part, name).filter(|_| slip);
            finding = finding.help(format!("did you mean `{name}`?"));
            finding = repair::with(finding, change.map(|it| Fix::unsafe_(format!("rename to `{name}`"), it)));
        }
        cx.report(finding);
    }
}

#[cfg(test)]
mod tests {
    use telstack_diagnostics::Applicability;

    use crate::test_support::Bench;

    #[test]
    fn fails_on_a_slip_and_on_the_wrong_section() {
        Bench::collector("0.158.0", "processors: {bacth: }").finds("Y006", "bacth");
        Bench::collector("0.158.0", "exporters: {batch: }").finds("Y006", "batch");
    }

    #[test]
    fn passes_on_a_name_that_exists() {
        Bench::collector("0.158.0", "processors: {batch: }").silent("Y006");
    }

    #[test]
    fn distributions_of_ones_own_may_have_more() {
        use telstack_diagnostics::Severity::{Error, Warning};
        let bench = |name: &str, open: bool| {
            let mut bench = Bench::collector("0.158.0", &format!("processors: {{{name}: }}"));
            bench.first().collector_mut().expect("a collector").gaps.distribution = open;
            bench
        };
        assert_eq!(bench("acme_cloud", false).finds("Y006", "acme_cloud"), Error);
        assert_eq!(bench("bacth", true).finds("Y006", "bacth"), Warning);
        bench("acme_cloud", true).silent("Y006");
        bench("batch", true).silent("Y006");
    }

    #[test]
    fn silent_for_what_once_was() {
        Bench::collector("0.158.0", "exporters: {logging: }").silent("Y006");
    }

    #[test]
    fn what_may_be_another_component_is_not_renamed() {
        let bench = Bench::collector("0.158.0", "processors: {span_metrics: }");
        assert_eq!(bench.helps("Y006"), ["there is a connector of that name"]);
        bench.leaves("Y006");
        Bench::collector("0.130.0", "extensions: {healthcheckv2/x: }").leaves("Y006");
    }

    #[test]
    fn the_name_of_the_release_is_what_was_meant() {
        let yaml = |name: &str| format!("receivers:\n  {name}:\n    include: [/a]\n");
        let bench = Bench::collector("0.158.0", &yaml("filelogs"));
        assert_eq!(bench.helps("Y006"), ["did you mean `file_log`?"]);
        assert_eq!(bench.fixed("Y006", &yaml("file_log")), Applicability::Unsafe);
        let bench = Bench::collector("0.120.0", &yaml("filelogs"));
        assert_eq!(bench.fixed("Y006", &yaml("filelog")), Applicability::Unsafe);
    }

    #[test]
    fn a_slip_can_be_put_right() {
        let yaml = |name: &str| {
            format!("processors:\n  {name}/2: # mine\nservice: {{pipelines: {{traces: {{processors: [{name}/2]}}}}}}\n")
        };
        let bench = Bench::collector("0.158.0", &yaml("batsh"));
        assert_eq!(bench.fixed("Y006", &yaml("batch")), Applicability::Unsafe);
    }
}
