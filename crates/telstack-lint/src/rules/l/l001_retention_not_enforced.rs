use telstack_catalog::{Version, product::Product};
use telstack_diagnostics::{Fix, RuleInfo, Severity};

use crate::{Cx, Rule, repair};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        code: "L001",
        name: "retention-not-enforced",
        severity: Severity::Error,
        summary: "Loki is told how long to keep logs, but nothing deletes them; or it is to delete and not told where \
                  to keep its list.",
        why: "`retention_period` alone only hides nothing and frees nothing: without `compactor.retention_enabled` the \
              disk grows until it is full. Since 3.0 Loki does not start with retention enabled and no \
              `delete_request_store`.",
        bad: r"limits_config: {retention_period: 744h}
compactor: {working_directory: /loki/compactor}",
        good: r"limits_config: {retention_period: 744h}
compactor: {working_directory: /loki/compactor, retention_enabled: true, delete_request_store: filesystem}",
        silent: "No retention is asked for. A period that is not enforced is a warning. A stack description need not \
                 say more than `retention`: the rest follows.",
        sources: &[
            "https://grafana.com/docs/loki/latest/operations/storage/retention/",
            "https://github.com/grafana/loki/blob/main/pkg/compactor/config.go",
            "https://github.com/grafana/loki/issues/9990",
        ],
    },
    check,
};

/// The role of the file that both are set in.
const CONFIG: &str = "config";
const ENABLED: &str = "compactor.retention_enabled";
const STORE: &str = "compactor.delete_request_store";
/// What stood in for it while it was optional.
const OLD_STORE: &str = "compactor.shared_store";

fn check(cx: &mut Cx<'_>) {
    for (_, node) in cx.system.nodes() {
        let Some((store, loki)) = node.store().and_then(|store| Some((store, store.loki()?))) else { continue };
        match (&store.retention, &loki.retention_enabled) {
            (_, Some(enabled)) if enabled.value => {
                let Some(version) = node.version().filter(|_| loki.delete_request_store.is_none()) else { continue };
                if !wants_store(version) {
                    continue;
                }
                let message =
                    format!("`{}` deletes old logs, but is not told where to keep its list of them", node.name);
                let finding = cx
                    .finding(message, &enabled.origin, format!("needs `{STORE}` at {version}"))
                    .label(node.span(), "does not start like this")
                    .help(format!("set `{STORE}`, to `filesystem` for a single Loki on local disk"));
                // On the disk of one Loki there is one place for it.
                let change = store.local.as_ref().and_then(|_| repair::set_in_file(node, CONFIG, STORE, "filesystem"));
                cx.report(repair::with(finding, change.map(|it| Fix::safe("keep the list on disk", it))));
            }
            (Some(retention), _) if retention.value.millis() > 0 => {
                let message =
                    format!("`{}` is to keep logs for {}, but nothing deletes older ones", node.name, retention.value);
                let finding = cx
                    .finding(message, &retention.origin, "not enforced")
                    .label(
                        loki.retention_enabled.as_ref().and_then(telstack_system::Sourced::span),
                        "switched off here",
                    )
                    .severity(Severity::Warning)
                    .help(format!("set `{ENABLED}` to true"));
                // It deletes what is there.
                let wants_store = node.version().is_some_and(wants_store) && loki.delete_request_store.is_none();
                let mut settings = vec![(ENABLED, "true")];
                if wants_store {
                    settings.push((STORE, "filesystem"));
                }
                let change = repair::written_for(node, CONFIG)
                    .filter(|_| !wants_store || store.local.is_some())
                    .and_then(|it| repair::set_all(&it.mark, it, &settings));
                cx.report(repair::with(finding, change.map(|it| Fix::unsafe_("delete older logs", it))));
            }
            _ => {}
        }
    }
}

/// Must a release be told where to keep its list of what to delete?
fn wants_store(version: Version) -> bool {
    let known = |path| Product::Loki.option(version, path).is_some();
    !known(OLD_STORE) && known(STORE)
}

#[cfg(test)]
mod tests {
    use telstack_catalog::product::Product;
    use telstack_diagnostics::{Applicability, Severity};
    use telstack_system::{Sourced, units::Period};

    use crate::test_support::Bench;

    fn loki(version: &str, hours: u64, enabled: Option<bool>, store: Option<&str>) -> Bench {
        let mut bench = Bench::new("retention enabled store");
        let id = bench.add(Product::Loki, version);
        let (retention, on, at) = (bench.at("retention"), bench.at("enabled"), bench.at("store"));
        let node = bench.node(id).store_mut().expect("store");
        node.retention = Some(Sourced::new(Period::from_secs(hours * 3600), retention));
        let loki = node.loki_mut().expect("loki");
        loki.retention_enabled = enabled.map(|it| Sourced::new(it, on));
        loki.delete_request_store = store.map(|it| Sourced::new(it.to_owned(), at));
        bench
    }

    #[test]
    fn warns_when_nothing_deletes() {
        assert_eq!(loki("3.7.6", 744, None, None).finds("L001", "retention"), Severity::Warning);
    }

    #[test]
    fn fails_without_a_place_for_the_list() {
        assert_eq!(loki("3.7.6", 744, Some(true), None).finds("L001", "enabled"), Severity::Error);
    }

    #[test]
    fn passes_with_both() {
        loki("3.7.6", 744, Some(true), Some("filesystem")).silent("L001");
    }

    #[test]
    fn silent_without_retention_and_where_the_store_is_optional() {
        loki("3.7.6", 0, None, None).silent("L001");
        loki("2.9.3", 744, Some(true), None).silent("L001");
    }

    #[test]
    fn it_can_be_switched_on_with_a_place_for_the_list() {
        let compose = "services:\n  loki:\n    image: grafana/loki:3.5.0\n    volumes: \
                       ['./loki.yaml:/etc/loki/local-config.yaml']\n";
        let config = |compactor: &str| {
            format!(
                "schema_config:\n  configs: [{{from: 2024-01-01, store: tsdb, object_store: filesystem, schema: \
                 v13}}]\nlimits_config: {{retention_period: 720h}} # a month\n{compactor}"
            )
        };
        let project = |compactor: &str| Bench::project(&[("compose.yaml", compose), ("loki.yaml", &config(compactor))]);
        let with_store = "compactor: {delete_request_store: filesystem, retention_enabled: true}\n";
        let found = project("compactor: {delete_request_store: filesystem}\n").fixed("L001", &config(with_store));
        assert_eq!(found, Applicability::Unsafe);
        // At once: without the place it would not start.
        for (before, after) in [
            ("", None),
            (
                "compactor: {working_directory: /x}\n",
                Some("compactor: {working_directory: /x, retention_enabled: true, delete_request_store: filesystem}\n"),
            ),
            (
                "compactor:\n  working_directory: /x\n",
                Some(
                    "compactor:\n  working_directory: /x\n  retention_enabled: true\n  delete_request_store: filesystem\n",
                ),
            ),
            (
                "compactor:\n  retention_enabled: false\n",
                Some("compactor:\n  retention_enabled: true\n  delete_request_store: filesystem\n"),
            ),
        ] {
            let after = after.unwrap_or("compactor:\n  retention_enabled: true\n  delete_request_store: filesystem\n");
            assert_eq!(project(before).fixed("L001", &config(after)), Applicability::Unsafe);
        }
        let both = "compactor:\n  retention_enabled: true # yes\n  delete_request_store: filesystem\n";
        let found = project("compactor:\n  retention_enabled: true # yes\n").fixed("L001", &config(both));
        assert_eq!(found, Applicability::Safe);
    }

    #[test]
    fn flags_go_before_the_file() {
        let project = |compactor: &str, flag: &str| {
            let compose = format!(
                "services:\n  loki:\n    image: grafana/loki:3.5.0\n    command: [-config.file=/l.yaml, {flag}]\n    \
                 volumes: ['./l.yaml:/l.yaml']\n"
            );
            let config = format!("limits_config: {{retention_period: 720h}}\ncompactor: {{{compactor}}}\n");
            Bench::project(&[("compose.yaml", &compose), ("l.yaml", &config)])
        };
        project("retention_enabled: true", "-log.level=info").finds("L001", "true");
        project("retention_enabled: true", "-compactor.delete-request-store=filesystem").silent("L001");
        project("delete_request_store: filesystem", "-log.level=info").finds("L001", "720h");
        project("delete_request_store: filesystem", "-compactor.retention-enabled").silent("L001");
        project("delete_request_store: filesystem", "-compactor.retention-enabled=false").finds("L001", "720h");
    }
}
