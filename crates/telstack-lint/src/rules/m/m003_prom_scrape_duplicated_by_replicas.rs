use telstack_diagnostics::{RuleInfo, Severity};
use telstack_syntax::tree::Kind;
use telstack_system::{Bind, Instances, Value, link::Address};

use crate::{Cx, Rule};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        code: "M003",
        name: "prom-scrape-duplicated-by-replicas",
        severity: Severity::Warning,
        summary: "A collector that runs several times scrapes the same targets from each of them.",
        why: "Every sample is sent once for each replica: sums and counts are too high, and stores refuse what comes \
              out of order. The targets, too, are asked more often.",
        bad: r"receivers:
  prometheus:
    config:
      scrape_configs:
        - job_name: app
          static_configs: [{targets: [app:8080]}]
# in a service with deploy: {replicas: 2}",
        good: r"receivers:
  prometheus:
    config:
      scrape_configs:
        - job_name: app
          static_configs: [{targets: [app:8080]}]
# in a service with deploy: {replicas: 1}",
        silent: "A target allocator shares the targets out; `hashmod` or the name of the node picks some; each scrapes \
                 itself only, or is labelled by itself; run time decides what is scraped.",
        sources: &[
            "https://github.com/open-telemetry/opentelemetry-collector/issues/2175",
            "https://github.com/open-telemetry/opentelemetry-collector-contrib/issues/11438",
            "https://opentelemetry.io/docs/platforms/kubernetes/operator/target-allocator/",
        ],
    },
    check,
};

/// The setting of who shares targets out.
const ALLOCATOR: &str = "target_allocator";
/// The action that picks one part of all targets.
const PICKS: &str = "hashmod";
/// Endings of names of lists of what finds targets.
const DISCOVERY: &str = "_sd_configs";

fn check(cx: &mut Cx<'_>) {
    for (part, fact, _) in cx.facts.usable().filter(|(part, ..)| part.runs()) {
        let Some((block, _)) = fact.server_only() else { continue };
        let Some(container) = &part.node.container else { continue };
        let instances = container.instances();
        let (Some(several), Some(config)) = (instances.several(), part.component.setting(block)) else { continue };
        // Up to several may be one.
        let sure = matches!(instances, Instances::Count(..) | Instances::EachMachine(_));
        let shared = part.component.setting(ALLOCATOR).is_some()
            || container.pod.as_ref().is_some_and(|it| it.allocates(part.component));
        if !sure || shared || config.at("global.external_labels").is_some() {
            continue;
        }
        let jobs = config.at("scrape_configs").and_then(Value::as_seq).unwrap_or_default();
        let Some(job) = jobs.iter().find(|it| is_the_same_everywhere(it)) else { continue };
        let name = job.at("job_name").and_then(Value::as_str).unwrap_or("?");
        let message =
            format!("`{}` runs {}, and each scrapes all targets of job `{name}`", part.node.name, instances.words());
        let at = job.at("job_name").unwrap_or(job);
        let finding = cx
            .finding(message, &at.mark, "scraped by each")
            .label(several.span(), format!("runs {}", instances.words()))
            .help("run one of it that scrapes")
            .help(format!("or let a target allocator share the targets out: `{ALLOCATOR}`"));
        cx.report(finding);
    }
}

/// Does a job surely find the same targets wherever it runs?
fn is_the_same_everywhere(job: &Value) -> bool {
    let Some(map) = job.as_map() else { return false };
    if decides_itself(job) {
        return false;
    }
    map.iter().any(|entry| {
        let items = entry.value.as_seq().unwrap_or_default();
        if entry.key.ends_with(DISCOVERY) {
            return !items.is_empty();
        }
        let targets = items.iter().filter_map(|it| it.at("targets")?.as_seq()).flatten();
        entry.key == "static_configs" && targets.filter_map(Value::as_str).any(is_elsewhere)
    })
}

/// Is anything in it different from one replica or node to the next?
fn decides_itself(value: &Value) -> bool {
    match &value.kind {
        Kind::Map(map) => map.iter().any(|entry| decides_itself(&entry.value)),
        Kind::Seq(seq) => seq.items.iter().any(decides_itself),
        Kind::String(text) => {
            // `$1` of a replacement is no variable of the environment.
            let filled = text.contains("${") || text.to_ascii_lowercase().contains("node_name");
            filled || text == PICKS || text.contains("spec.nodeName")
        }
        _ => false,
    }
}

fn is_elsewhere(target: &str) -> bool {
    Address::parse(target).is_some_and(|it| matches!(Bind::parse(&it.host), Bind::Host(_)))
}

#[cfg(test)]
mod tests {
    use telstack_diagnostics::Severity;
    use telstack_system::{Allocator, Known, Sourced, WorkloadKind};

    use crate::test_support::Bench;

    fn collector(deploy: &str, job: &str, more: &str) -> Bench {
        let compose = format!(
            "services:\n  it:\n    image: otel/opentelemetry-collector-contrib:0.140.0\n    command: [--config=/o.yaml]\n    \
             volumes: ['./o.yaml:/o.yaml']\n    deploy: {{{deploy}}}\n"
        );
        let otel = format!(
            "receivers:\n  prometheus:\n    {more}config: {{scrape_configs: [{{job_name: app, {job}}}]}}\nexporters: {{debug: \
             {{}}}}\nservice: {{pipelines: {{metrics: {{receivers: [prometheus], exporters: [debug]}}}}}}\n"
        );
        Bench::project(&[("compose.yaml", &compose), ("o.yaml", &otel)])
    }

    const STATIC: &str = "static_configs: [{targets: ['app:8080']}]";

    #[test]
    fn silent_where_the_operator_shares_targets_out() {
        let scraper = |allocator: bool| {
            let yaml = "receivers: {prometheus: {config: {scrape_configs: [{job_name: pods, kubernetes_sd_configs: \
                        [{role: pod}]}]}}}\nservice: {pipelines: {metrics: {receivers: [prometheus], exporters: [debug]}}}";
            let mut bench = Bench::collector("0.140.0", yaml);
            let origin = bench.at("pods");
            let pod = bench.in_pod(WorkloadKind::StatefulSet);
            let shared = Allocator { account: None, strategy: None, origin: origin.clone() };
            pod.targets_shared = allocator.then_some(shared);
            let container = bench.first().container.as_mut().expect("a container");
            container.replicas = Known::Value(Sourced::new(2, origin));
            bench
        };
        scraper(true).silent("M003");
        scraper(false).finds("M003", "pods");
    }

    #[test]
    fn warns_where_each_scrapes_all() {
        assert_eq!(collector("replicas: 2", STATIC, "").finds("M003", "app"), Severity::Warning);
        collector("replicas: 2", "kubernetes_sd_configs: [{role: pod}]", "").finds("M003", "app");
        collector("mode: global", STATIC, "").silent("M003");
    }

    #[test]
    fn passes_with_one() {
        collector("replicas: 1", STATIC, "").silent("M003");
        collector("", STATIC, "").silent("M003");
    }

    #[test]
    fn silent_where_targets_are_shared_out() {
        for job in [
            "static_configs: [{targets: ['localhost:8888', '0.0.0.0:8888']}]",
            "static_configs: [{targets: ['${env:HOST}:8080']}]",
            "kubernetes_sd_configs: [{role: pod}], relabel_configs: [{action: hashmod, modulus: 2}]",
            "kubernetes_sd_configs: [{role: pod, selectors: [{role: pod, field: 'spec.nodeName=$${NODE}'}]}]",
            "kubernetes_sd_configs: [{role: pod}], relabel_configs: [{source_labels: [__meta_kubernetes_pod_node_name]}]",
        ] {
            collector("replicas: 2", job, "").silent("M003");
        }
        collector("replicas: 2", STATIC, "target_allocator: {endpoint: 'http://ta', collector_id: a}\n    ")
            .silent("M003");
    }
}
