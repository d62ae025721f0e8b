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
        silent: "The collector's release or its distribution is not known; no distribution has the component at that \
                 release (V001); the distribution was built with modules that are not known here.",
        sources: &["https://github.com/open-telemetry/opentelemetry-collector-releases"],
    },
    check,
};

fn check(cx: &mut Cx<'_>) {
    for part in &cx.facts.parts {
        let (fact, version) = match (part.standing, &part.collector.built) {
            (Standing::Elsewhere { fact, version }, _) => (fact, version),
            (Standing::NotBuilt { fact, version }, Some(built)) => {
                let (name, module) = (&built.name, fact.module());
                let finding = cx
                    .finding(
                        format!("{} is not in the distribution `{name}`", part.title()),
                        &part.component.origin,
                        format!("`{name}` does not have it"),
                    )
                    .label(built.origin.span(), format!("`{name}` is built here"))
                    .help(format!("build it in: `- gomod: {module} v{version}` below `{}`", fact.kind().section()));
                cx.report(finding);
                continue;
            }
            _ => continue,
        };
        // Nobody says which one runs: it may well be that other one.
        if part.collector.gaps.distribution {
            continue;
        }
        let distribution = part.distribution();
        let with = fact.distributions_at(version);
        let message = format!("{} is not in the `{distribution}` distribution at {version}", part.title());
        let finding = cx
            .finding(message, &part.component.origin, format!("`{}` does not have it", distribution.binary()))
            .label(part.collector.distribution.span(), format!("`{distribution}` runs here"))
            .help(cx.words(
                format!(
                    "run {}: `distribution=\"{}\"`",
                    either(&with),
                    with.first().map_or("contrib", |it| it.as_str())
                ),
                format!("run {}: `{}`", either(&with), with.first().map_or("", |it| it.image())),
            ));
        cx.report(finding);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use telstack_catalog::{ComponentKind, Distribution};
    use telstack_system::BuiltDistribution;

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

    /// A distribution that was built with these receivers.
    fn built(modules: &[&str], receiver: &str) -> Bench {
        let mut bench = Bench::new("");
        bench.add_collector("agent", Distribution::Contrib, "0.158.0", &format!("receivers: {{{receiver}: }}"));
        let origin = bench.at(receiver);
        let modules = modules.iter().map(|it| (ComponentKind::Receiver, (*it).to_owned())).collect();
        let built = BuiltDistribution { name: "ours".to_owned(), modules, origin };
        bench.first().collector_mut().expect("a collector").built = Some(Arc::new(built));
        bench
    }

    const OTLP: &str = "go.opentelemetry.io/collector/receiver/otlpreceiver";

    #[test]
    fn fails_for_what_was_not_built_in() {
        built(&[OTLP], "kafka").finds("V002", "kafka");
        built(&[OTLP], "otlp").silent("V002");
        // It is in no release of today.
        built(&[OTLP], "opencensus").silent("V002");
        built(&[OTLP], "opencensus").finds("V001", "opencensus");
        built(&[OTLP], "batsh").finds("Y006", "batsh");
    }

    #[test]
    fn silent_where_a_module_is_not_known() {
        for receiver in ["kafka", "batsh"] {
            let bench = built(&[OTLP, "example.com/ours"], receiver);
            bench.silent("V002");
            bench.silent("Y006");
        }
    }

    #[test]
    fn silent_for_what_nobody_has() {
        let bench = processor(Distribution::Core, "batsh");
        bench.silent("V002");
        bench.finds("Y006", "batsh");
    }
}
