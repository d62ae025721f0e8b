use telstack_catalog::product::Product;
use telstack_diagnostics::{Fix, RuleInfo, Severity};

use crate::{Cx, Rule, repair};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        code: "T001",
        name: "metrics-generator-inactive",
        severity: Severity::Warning,
        summary: "Tempo is set up to make metrics of spans, but no processor of it is switched on, or they go nowhere.",
        why: "The block `metrics_generator` alone does nothing: each tenant has no processors until `overrides` give \
              it some. The service graph in Grafana stays empty, and nothing is logged.",
        bad: r"metrics_generator:
  storage:
    path: /var/tempo/generator
    remote_write:
      - url: http://prometheus:9090/api/v1/write",
        good: r"metrics_generator:
  storage:
    path: /var/tempo/generator
    remote_write:
      - url: http://prometheus:9090/api/v1/write
overrides:
  defaults:
    metrics_generator:
      processors: [service-graphs, span-metrics]",
        silent: "Overrides per tenant are in a file of their own, or are set over the API; the block is empty.",
        sources: &[
            "https://grafana.com/docs/tempo/latest/metrics-from-traces/metrics-generator/",
            "https://github.com/grafana/tempo/issues/4835",
        ],
    },
    check,
};

/// The setting that switches processors on, and both of them.
const PROCESSORS: &str = "overrides.defaults.metrics_generator.processors";
const ALL: &str = "[service-graphs, span-metrics]";
/// The role of the file that it is set in.
const CONFIG: &str = "config";

fn check(cx: &mut Cx<'_>) {
    for (_, node) in cx.system.nodes() {
        let Some(generator) = node.store().and_then(|store| store.tempo()?.generator.as_ref()) else { continue };
        let message = match (generator.active, generator.has_target) {
            (Some(false), true) => {
                format!("`{}` is to make metrics of spans, and no processor is switched on", node.name)
            }
            (Some(true), false) => format!("`{}` makes metrics of spans, and sends them nowhere", node.name),
            _ => continue,
        };
        let finding = cx.finding(message, &generator.origin, "makes nothing that anybody sees");
        let finding = if generator.has_target {
            finding.help(
                "name the processors: `overrides.defaults.metrics_generator.processors: [service-graphs, span-metrics]`",
            )
        } else {
            finding.help("name a target: `metrics_generator.storage.remote_write`")
        };
        let known = node.version().is_some_and(|version| Product::Tempo.option(version, PROCESSORS).is_some());
        let change = repair::set_in_file(node, CONFIG, PROCESSORS, ALL).filter(|_| known && generator.has_target);
        cx.report(repair::with(finding, change.map(|it| Fix::unsafe_("switch both processors on", it))));
    }
}

#[cfg(test)]
mod tests {
    use telstack_catalog::product::Product;
    use telstack_diagnostics::Applicability;
    use telstack_system::MetricsGenerator;

    use crate::test_support::Bench;

    fn tempo(active: Option<bool>, has_target: bool) -> Bench {
        let mut bench = Bench::new("generator");
        let id = bench.add(Product::Tempo, "2.10.8");
        let origin = bench.at("generator");
        let facet = bench.node(id).store_mut().and_then(|it| it.tempo_mut()).expect("tempo");
        facet.generator = Some(MetricsGenerator { has_target, active, origin });
        bench
    }

    #[test]
    fn warns_without_processors_and_without_a_target() {
        tempo(Some(false), true).finds("T001", "generator");
        tempo(Some(true), false).finds("T001", "generator");
    }

    #[test]
    fn passes_with_both() {
        tempo(Some(true), true).silent("T001");
    }

    #[test]
    fn silent_when_another_file_may_say_so_and_when_nothing_was_meant() {
        tempo(None, true).silent("T001");
        tempo(Some(false), false).silent("T001");
    }

    #[test]
    fn processors_can_be_switched_on() {
        let compose = "services:\n  tempo:\n    image: grafana/tempo:2.8.0\n    command: [-config.file=/t.yaml]\n    volumes: \
                       ['./t.yaml:/t.yaml']\n";
        let config = |overrides: &str| {
            format!(
                "metrics_generator:\n  storage:\n    path: /g\n    remote_write: [{{url: 'http://m:9090/api/v1/write'}}] # there\n\
                 {overrides}"
            )
        };
        let bench = Bench::project(&[("compose.yaml", compose), ("t.yaml", &config(""))]);
        let after =
            "overrides:\n  defaults:\n    metrics_generator:\n      processors: [service-graphs, span-metrics]\n";
        assert_eq!(bench.fixed("T001", &config(after)), Applicability::Unsafe);
    }
}
