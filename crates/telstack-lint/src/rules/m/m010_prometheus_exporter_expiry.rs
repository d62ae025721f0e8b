use telstack_catalog::otelcol::Trait;
use telstack_diagnostics::{RuleInfo, Severity};
use telstack_system::{Known, Purpose};

use crate::{Cx, Rule, facts::Arrival};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        code: "M010",
        name: "prometheus-exporter-expiry",
        severity: Severity::Warning,
        summary: "Prometheus scrapes metrics that several collectors hold by one name.",
        why: "Each scrape reaches another one of them, which holds other values of the same series. Counters jump up \
              and down between them, and every step down is a restart to `rate()`: graphs show many times what \
              happened.",
        bad: r#"services:
  gateway:
    image: otel/opentelemetry-collector-contrib:0.158.0     # with the exporter `prometheus`
    deploy: {replicas: 3}
  prometheus:
    image: prom/prometheus:v3.14.0                          # targets: ["gateway:8889"]"#,
        good: r#"services:
  gateway:
    image: otel/opentelemetry-collector-contrib:0.158.0     # with the exporter `prometheus`
  prometheus:
    image: prom/prometheus:v3.14.0                          # targets: ["gateway:8889"]"#,
        silent: "One of the collector runs, or it is not known how many; Prometheus finds each of them by itself.",
        sources: &[
            "https://github.com/open-telemetry/opentelemetry-collector-contrib/issues/5134",
            "https://github.com/open-telemetry/opentelemetry-collector-contrib/tree/main/exporter/prometheusexporter",
        ],
    },
    check,
};

fn check(cx: &mut Cx<'_>) {
    for link in cx.facts.links.iter().filter(|link| link.purpose == Purpose::Scrape) {
        let Arrival::Answer(listener) = &link.arrival else { continue };
        let (Some(owner), Some(collector)) = (&listener.owner, link.to.collector()) else { continue };
        let Some(part) = collector.component(owner.kind, &owner.id).and_then(|it| cx.facts.part(it)) else { continue };
        let Some(container) = link.to.container.as_ref().filter(|_| part.has(Trait::HoldsMetrics)) else { continue };
        let Known::Value(replicas) = &container.replicas else { continue };
        if replicas.value < 2 {
            continue;
        }
        let message = format!("`{}` scrapes {} of `{}` by one name", link.from.name, replicas.value, link.to.name);
        let finding = cx
            .finding(message, &link.dial.origin, "each scrape reaches another one")
            .label(replicas.span(), format!("{} of it run", replicas.value))
            .label(listener.origin.span(), format!("{} holds what it was given until it is asked", part.title()))
            .help("find each of them, by `dns_sd_configs` or the like, and let each add a label of its own")
            .help("let the collectors write to Prometheus instead");
        cx.report(finding);
    }
}

#[cfg(test)]
mod tests {
    use telstack_catalog::{ComponentKind, Distribution, product::Product};
    use telstack_system::{ComponentId, ComponentRef, Known, Protocol, Purpose, Sourced};

    use crate::test_support::Bench;

    fn scraped(replicas: Known<u64>) -> Bench {
        let mut bench = Bench::new("scrapes exposes replicas");
        let yaml = "exporters: {prometheus: {endpoint: '0.0.0.0:8889'}}";
        let gateway = bench.add_collector("gateway", Distribution::Contrib, "0.140.0", yaml);
        let prometheus = bench.add(Product::Prometheus, "3.14.0");
        let mut listener = bench.listener("prometheus", 8889, "exposes");
        listener.protocol = Protocol::EXPOSITION;
        listener.owner = Some(ComponentRef { kind: ComponentKind::Exporter, id: ComponentId::parse("prometheus") });
        bench.node(gateway).listeners.push(listener);
        let mut edge = bench.edge(Protocol::EXPOSITION, "gateway", 8889, "scrapes");
        edge.purpose = Purpose::Scrape;
        bench.system.connect(prometheus, gateway, edge);
        let origin = bench.at("replicas");
        bench.container(gateway).replicas = replicas.map(|it| Sourced::new(it, origin));
        bench
    }

    #[test]
    fn warns_where_one_name_means_several() {
        scraped(Known::Value(3)).finds("M010", "scrapes");
    }

    #[test]
    fn passes_for_one() {
        scraped(Known::Value(1)).silent("M010");
    }

    #[test]
    fn silent_when_it_is_not_known() {
        scraped(Known::Unknown).silent("M010");
        scraped(Known::Absent).silent("M010");
    }
}
