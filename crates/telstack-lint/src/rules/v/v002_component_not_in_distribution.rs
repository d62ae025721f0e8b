use telstack_diagnostics::{RuleInfo, Severity};

use crate::{Cx, Rule, facts::Standing, words::either};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        code: "V002",
        name: "component-not-in-distribution",
        severity: Severity::Error,
        summary: "The component exists at that release, but not in the distribution that runs.",
        why: "Each image holds only the components that its distribution was built with. The collector does not start: \
              `unknown type`.",
        bad: r#"versions { otelcol "0.158.0" distribution="core" }
collector "agent" {
    receiver "otlp"
    processor "k8s_attributes"
    pipeline "traces" { from "otlp"; to "tempo" }
}"#,
        good: r#"versions { otelcol "0.158.0" distribution="k8s" }
collector "agent" {
    receiver "otlp"
    processor "k8s_attributes"
    pipeline "traces" { from "otlp"; to "tempo" }
}"#,
        silent: "The collector's release is not known; no distribution has the component at that release (V001).",
        sources: &["https://github.com/open-telemetry/opentelemetry-collector-releases"],
    },
    check,
};

fn check(cx: &mut Cx<'_>) {
    for part in &cx.facts.parts {
        let Standing::Elsewhere { fact, version } = part.standing else { continue };
        let distribution = part.distribution();
        let with = fact.distributions_at(version);
        let message = format!("{} is not in the `{distribution}` distribution at {version}", part.title());
        let finding = cx
            .finding(message, &part.component.origin, format!("`{}` does not have it", distribution.binary()))
            .label(part.collector.distribution.span(), format!("`{distribution}` runs here"))
            .help(format!(
                "run {}: `distribution=\"{}\"`",
                either(&with),
                with.first().map_or("contrib", |it| it.as_str())
            ));
        cx.report(finding);
    }
}

#[cfg(test)]
mod tests {
    use telstack_catalog::Distribution;

    use crate::test_support::Bench;

    fn processor(distribution: Distribution, name: &str) -> Bench {
        let mut bench = Bench::new("");
        bench.add_collector("agent", distribution, "0.158.0", &format!("processors: {{{name}: }}"));
        bench
    }

    #[test]
    fn fails_in_another_distribution() {
        let bench = processor(Distribution::Core, "k8sattributes");
        bench.finds("V002", "k8sattributes");
        bench.silent("V006");
    }

    #[test]
    fn passes_where_it_is() {
        processor(Distribution::K8s, "k8sattributes").silent("V002");
    }

    #[test]
    fn silent_for_what_nobody_has() {
        let bench = processor(Distribution::Core, "batsh");
        bench.silent("V002");
        bench.finds("Y006", "batsh");
    }
}
