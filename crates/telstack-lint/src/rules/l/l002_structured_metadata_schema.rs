use telstack_catalog::product::Product;
use telstack_diagnostics::{RuleInfo, Severity};

use crate::{Cx, Rule};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        code: "L002",
        name: "structured-metadata-schema",
        severity: Severity::Error,
        summary: "Loki stores structured metadata, but its newest schema period cannot hold it.",
        why: "Structured metadata (and with it OTLP) needs schema v13 on the `tsdb` index. It is on by default since \
              3.0, and Loki refuses to start with an older schema.",
        bad: r"schema_config: {configs: [{from: 2020-10-24, store: boltdb-shipper, schema: v11, object_store: filesystem}]}",
        good: r"schema_config: {configs: [{from: 2024-04-01, store: tsdb, schema: v13, object_store: filesystem}]}",
        silent: "`allow_structured_metadata` is false, in the file or by its flag; releases before 3.0, which drop it; no \
                 schema is known.",
        sources: &[
            "https://github.com/grafana/loki/blob/main/pkg/loki/validation.go",
            "https://grafana.com/docs/loki/latest/setup/upgrade/",
        ],
    },
    check,
};

const SETTING: &str = "limits_config.allow_structured_metadata";
/// The first schema that can hold it, and the index it needs.
const SCHEMA: u32 = 13;
const INDEX: &str = "tsdb";

fn check(cx: &mut Cx<'_>) {
    for (_, node) in cx.system.nodes() {
        let Some(loki) = node.store().and_then(telstack_system::Store::loki) else { continue };
        let Some(version) = node.version() else { continue };
        // While it was off by default, it was dropped and nothing was refused.
        let default = Product::Loki.option(version, SETTING).and_then(|fact| fact.default?.as_bool());
        let written = loki.structured_metadata.as_ref();
        if default != Some(true) || written.is_some_and(|it| !it.value) {
            continue;
        }
        let Some(last) = loki.schema.iter().max_by(|one, other| one.from.cmp(&other.from)) else { continue };
        let Some(schema) = last.schema.strip_prefix('v').and_then(|it| it.parse::<u32>().ok()) else { continue };
        if schema >= SCHEMA && last.store == INDEX {
            continue;
        }
        let message = format!(
            "`{}` stores structured metadata, which schema {} on `{}` cannot hold",
            node.name, last.schema, last.store
        );
        let mut finding = cx
            .finding(message, &last.origin, format!("schema {} on `{}`", last.schema, last.store))
            .help(format!(
                "set `{SETTING}` to false, and send logs without OTLP, until a period with `schema: v{SCHEMA}` and \
                 `store: {INDEX}` has started: Loki judges the period of the day it starts on"
            ))
            .help("add that period now, with a day in the future: what is stored keeps its schema");
        finding = match written {
            Some(written) => finding.label(written.span(), "switched on here"),
            None => finding.note(format!("`{SETTING}` is true by default at {version}")),
        };
        cx.report(finding);
    }
}

#[cfg(test)]
mod tests {
    use telstack_catalog::product::Product;
    use telstack_system::{SchemaPeriod, Sourced};

    use crate::test_support::Bench;

    fn loki(version: &str, store: &str, schema: &str, metadata: Option<bool>) -> Bench {
        let mut bench = Bench::new("period metadata");
        let id = bench.add(Product::Loki, version);
        let (origin, at) = (bench.at("period"), bench.at("metadata"));
        let loki = bench.node(id).store_mut().expect("store").loki_mut().expect("loki");
        loki.schema.push(SchemaPeriod {
            from: "2024-01-01".into(),
            store: store.into(),
            schema: schema.into(),
            origin,
        });
        loki.structured_metadata = metadata.map(|it| Sourced::new(it, at));
        bench
    }

    #[test]
    fn fails_on_an_old_schema_or_index() {
        loki("3.7.6", "tsdb", "v12", None).finds("L002", "period");
        loki("3.7.6", "boltdb-shipper", "v13", Some(true)).finds("L002", "period");
    }

    #[test]
    fn passes_on_the_new_one() {
        loki("3.7.6", "tsdb", "v13", None).silent("L002");
    }

    #[test]
    fn silent_when_it_is_off() {
        loki("3.7.6", "boltdb-shipper", "v11", Some(false)).silent("L002");
        loki("2.9.3", "boltdb-shipper", "v11", None).silent("L002");
        // It is dropped, and nothing is refused.
        loki("2.9.8", "tsdb", "v12", Some(true)).silent("L002");
    }

    #[test]
    fn a_flag_goes_before_the_file() {
        const PERIOD: &str = "{from: 2024-04-01, store: tsdb, object_store: filesystem, schema: v12}";
        let project = |flag: &str| {
            let compose = format!(
                "services:\n  loki:\n    image: grafana/loki:3.5.0\n    command: [-config.file=/l.yaml{flag}]\n    \
                 volumes: ['./l.yaml:/l.yaml']\n"
            );
            let config = format!("schema_config:\n  configs:\n    - {PERIOD}\n");
            Bench::project(&[("compose.yaml", &compose), ("l.yaml", &config)])
        };
        project("").finds("L002", PERIOD);
        project(", -validation.allow-structured-metadata=true").finds("L002", PERIOD);
        project(", -validation.allow-structured-metadata=false").silent("L002");
    }
}
