use telstack_catalog::ComponentKind;
use telstack_diagnostics::{RuleInfo, Severity};
use telstack_system::Purpose;

use crate::{Cx, Rule};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        code: "L006",
        name: "old-sample-window",
        severity: Severity::Warning,
        summary: "A queue on disk sends samples after an outage that Prometheus then refuses, because they are late.",
        why: "Several consumers empty a queue at once, so that samples arrive out of order. Prometheus takes none that \
              is older than the newest of its series unless `out_of_order_time_window` says how much older: what the \
              queue kept through the outage is refused when it is sent.",
        bad: r"storage:
  tsdb: {}
# and a collector with `sending_queue.storage` that sends OTLP to it",
        good: r"storage:
  tsdb:
    out_of_order_time_window: 30m
# and a collector with `sending_queue.storage` that sends OTLP to it",
        silent: "The queue is in memory, or has one consumer; a window is written; the configuration of Prometheus is \
                 not known. A stack description need not say it.",
        sources: &[
            "https://prometheus.io/docs/guides/opentelemetry/#enable-out-of-order-ingestion",
            "https://github.com/prometheus/prometheus/issues/12052",
        ],
    },
    check,
};

const STORAGE: &str = "sending_queue.storage";
const CONSUMERS: &str = "sending_queue.num_consumers";

fn check(cx: &mut Cx<'_>) {
    for link in cx.facts.links.iter().filter(|link| link.purpose == Purpose::Telemetry) {
        let facet = link.to.store().and_then(|store| store.prometheus());
        let Some(window) = facet.and_then(|it| it.out_of_order.as_ref()).filter(|it| it.value.millis() == 0) else {
            continue;
        };
        let (Some(id), Some(collector)) = (&link.dial.component, link.from.collector()) else { continue };
        let Some(exporter) = collector.component(ComponentKind::Exporter, &id.id) else { continue };
        let Some(part) = cx.facts.part(exporter).filter(|part| part.truth("sending_queue.enabled") == Some(true))
        else {
            continue;
        };
        let Some(storage) = exporter.setting(STORAGE).filter(|it| it.as_str().is_some()) else { continue };
        if part.number(CONSUMERS).is_none_or(|consumers| consumers < 2) {
            continue;
        }
        let message =
            format!("{} keeps samples through an outage that `{}` then refuses as late", link.dialer(), link.to.name);
        let finding = cx
            .finding(message, &storage.mark, "kept on disk, sent out of order")
            .label(window.span(), "takes no sample that is older than the newest of its series")
            .help("say how late samples may be: `storage.tsdb.out_of_order_time_window: 30m`");
        cx.report(finding);
    }
}

#[cfg(test)]
mod tests {
    use telstack_catalog::product::Product;
    use telstack_system::{Protocol, Sourced, units::Period};

    use crate::test_support::Bench;

    fn sends(queue: &str, window: Option<u64>) -> Bench {
        let yaml = format!(
            "exporters: {{otlphttp: {{endpoint: 'http://prometheus:9090/api/v1/otlp', sending_queue: {{{queue}}}}}}}\n\
             service: {{pipelines: {{metrics: {{receivers: [otlp], exporters: [otlphttp]}}}}}}"
        );
        let mut bench = Bench::collector("0.140.0", &yaml);
        let id = bench.add(Product::Prometheus, "3.14.0");
        let mut otlp = bench.listener("otlp-http", 9090, "service");
        (otlp.protocol, otlp.base) = (Protocol::OTLP_HTTP, Some("/api/v1/otlp".to_owned()));
        let origin = bench.at("service");
        bench.node(id).listeners.push(otlp);
        let facet = bench.node(id).store_mut().and_then(|it| it.prometheus_mut()).expect("prometheus");
        facet.out_of_order = window.map(|secs| Sourced::new(Period::from_secs(secs), origin));
        bench
    }

    #[test]
    fn warns_where_late_samples_are_refused() {
        sends("storage: file_storage", Some(0)).finds("L006", "file_storage");
    }

    #[test]
    fn passes_with_a_window() {
        sends("storage: file_storage", Some(1800)).silent("L006");
    }

    #[test]
    fn silent_in_memory_in_order_and_where_it_is_not_known() {
        sends("queue_size: 10", Some(0)).silent("L006");
        sends("storage: file_storage, num_consumers: 1", Some(0)).silent("L006");
        sends("storage: file_storage", None).silent("L006");
    }
}
