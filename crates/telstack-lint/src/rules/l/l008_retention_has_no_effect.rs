use telstack_catalog::product::Product;
use telstack_diagnostics::{RuleInfo, Severity};
use telstack_system::{JaegerStorage, StoreFacet};

use crate::{Cx, Rule};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        code: "L008",
        name: "retention-has-no-effect",
        severity: Severity::Warning,
        summary: "A store is told how long to keep data, but it cannot do so.",
        why: "Jaeger with its storage in memory keeps a number of traces, not an age of them, and none after a \
              restart. Loki deletes whole days of its index: the least that it is meant to keep is 24 hours.",
        bad: r#"jaeger { storage "memory"; retention "7d" }"#,
        good: r#"jaeger { retention "7d" }"#,
        silent: "No retention is asked for.",
        sources: &[
            "https://www.jaegertracing.io/docs/latest/storage/memory/",
            "https://grafana.com/docs/loki/latest/operations/storage/retention/",
        ],
    },
    check,
};

/// The period that Loki cuts its index by.
const LOKI_LEAST_HOURS: u64 = 24;

fn check(cx: &mut Cx<'_>) {
    for (_, node) in cx.system.nodes() {
        let Some((store, retention)) = node.store().and_then(|store| Some((store, store.retention.as_ref()?))) else {
            continue;
        };
        let asked = retention.value;
        let finding = match &store.facet {
            StoreFacet::Jaeger(Some(storage)) if storage.value == JaegerStorage::Memory => cx
                .finding(
                    format!("`{}` keeps traces in memory, so `retention` has no effect", node.name),
                    &retention.origin,
                    "a number of traces is kept, not an age",
                )
                .label(storage.span(), "forgotten at each restart")
                .help("leave `storage` out: traces are then kept on disk")
                .help("or leave `retention` out"),
            StoreFacet::Loki(_) if asked.millis() > 0 && asked.millis() < LOKI_LEAST_HOURS * 3_600_000 => cx
                .finding(
                    format!("`{}` is to keep logs for {asked}, less than {} can", node.name, Product::Loki),
                    &retention.origin,
                    format!("the least is {LOKI_LEAST_HOURS}h"),
                )
                .help(format!("write `\"{LOKI_LEAST_HOURS}h\"` or more")),
            _ => continue,
        };
        cx.report(finding);
    }
}

#[cfg(test)]
mod tests {
    use telstack_catalog::product::Product;
    use telstack_system::{JaegerStorage, Sourced, StoreFacet, units::Period};

    use crate::test_support::Bench;

    fn store(product: Product, version: &str, hours: u64, storage: Option<JaegerStorage>) -> Bench {
        let mut bench = Bench::new("retention storage");
        let id = bench.add(product, version);
        let (retention, kept) = (bench.at("retention"), bench.at("storage"));
        let node = bench.node(id).store_mut().expect("a store");
        node.retention = Some(Sourced::new(Period::from_secs(hours * 3600), retention));
        if product == Product::Jaeger {
            node.facet = StoreFacet::Jaeger(storage.map(|it| Sourced::new(it, kept)));
        }
        bench
    }

    #[test]
    fn fails_for_memory_and_for_half_a_day() {
        store(Product::Jaeger, "2.20.0", 48, Some(JaegerStorage::Memory)).finds("L008", "retention");
        store(Product::Loki, "3.7.6", 12, None).finds("L008", "retention");
    }

    #[test]
    fn passes_on_disk_and_for_a_day() {
        store(Product::Jaeger, "2.20.0", 48, Some(JaegerStorage::Badger)).silent("L008");
        store(Product::Loki, "3.7.6", 24, None).silent("L008");
    }

    #[test]
    fn silent_without_retention() {
        let mut bench = store(Product::Loki, "3.7.6", 12, None);
        let id = bench.system.node_ids()[0];
        bench.node(id).store_mut().expect("a store").retention = None;
        bench.silent("L008");
        store(Product::Tempo, "3.0.3", 12, None).silent("L008");
    }
}
