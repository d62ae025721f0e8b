use telstack_catalog::{Version, product::Moved, product::Product};
use telstack_diagnostics::{Diagnostic, Fix, RuleInfo, Severity};

use crate::{
    Cx, Rule,
    facts::{FileProblem, FileProblemKind},
    repair,
    words::with_release,
};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        code: "L003",
        name: "loki-config-removed-field",
        severity: Severity::Error,
        summary: "The configuration of Loki, Tempo or Mimir has a setting that its release has no longer.",
        why: "They refuse what they do not know, also what they knew a release ago: `field … not found in type …`, and \
              do not start. Loki 3.0 and Tempo 3.0 dropped whole blocks.",
        bad: r"# telstack: tempo=3.0.2
ingester:
  max_block_duration: 5m",
        good: r"# telstack: tempo=3.0.2
live_store:
  max_block_duration: 5m",
        silent: "The release is not known, or is newer than those that telstack knows. Settings that come with a later \
                 release are V003; Tempo's flat overrides may be switched on again.",
        sources: &[
            "https://github.com/grafana/loki/blob/main/tools/deprecated-config-checker/deleted-config.yaml",
            "https://grafana.com/docs/loki/latest/setup/upgrade/",
            "https://grafana.com/docs/tempo/latest/set-up-for-tracing/setup-tempo/upgrade/",
        ],
    },
    check,
};

fn check(cx: &mut Cx<'_>) {
    for problem in &cx.facts.files {
        if problem.node.product() == Some(Product::Prometheus) {
            continue;
        }
        if let FileProblemKind::Gone { last, moved } = &problem.kind {
            cx.report(gone(cx, problem, *last, moved.as_ref()));
        }
    }
}

/// A setting that was there up to a release.
pub(crate) fn gone(cx: &Cx<'_>, problem: &FileProblem<'_>, last: Version, moved: Option<&Moved>) -> Diagnostic {
    let message = format!(
        "`{}` does not exist in {}: {}.{} was the last to have it",
        problem.path,
        problem.owner(),
        last.major,
        last.minor
    );
    let finding = with_release(cx.finding(message, problem.at, "unknown to it"), problem.node);
    match moved.and_then(|it| it.to.as_deref()) {
        // A path has no spaces; anything else says what to do.
        Some(path) if !path.contains(' ') => {
            let key = repair::sibling(&problem.path, path);
            let change = key.and_then(|key| repair::word(problem.at, problem.key(), key));
            let fix = change.map(|it| Fix::unsafe_(format!("rename to `{path}`"), it));
            repair::with(finding.help(format!("use `{path}`")), fix)
        }
        Some(words) => finding.help(words),
        None => finding.help("leave it out"),
    }
}

#[cfg(test)]
mod tests {
    use telstack_catalog::product::Product;
    use telstack_diagnostics::{Applicability, Severity};

    use crate::test_support::Bench;

    const TEMPO: &str = "ingester: {max_block_duration: 5m}";

    #[test]
    fn fails_on_blocks_that_are_gone() {
        let bench = Bench::file(Product::Tempo, "3.0.2", TEMPO);
        assert_eq!(bench.finds("L003", "ingester"), Severity::Error);
        bench.silent("Y001");
        Bench::file(Product::Loki, "3.0.0", "ingester: {max_transfer_retries: 0}")
            .finds("L003", "max_transfer_retries");
    }

    #[test]
    fn passes_while_they_are_there_and_where_nobody_knows_the_release() {
        for release in ["2.10.8", "", "3.7.0"] {
            Bench::file(Product::Tempo, release, TEMPO).silent("L003");
        }
        Bench::file(Product::Loki, "2.9.3", "ingester: {max_transfer_retries: 0}").silent("L003");
    }

    #[test]
    fn flat_overrides_may_be_switched_on_again() {
        let flat = |more: &str| format!("overrides:\n  max_traces_per_user: 5\n{more}");
        Bench::file(Product::Tempo, "3.0.2", &flat("")).finds("L003", "max_traces_per_user");
        Bench::file(Product::Tempo, "3.0.2", &flat("  enable_legacy_overrides: true\n")).silent("L003");
        Bench::file(Product::Tempo, "2.10.8", &flat("")).silent("L003");
    }

    #[test]
    fn a_new_name_beside_the_old_one_can_be_written() {
        let yaml = |key: &str| format!("compactor:\n  {key}: s3 # mine\n");
        let bench = Bench::file(Product::Loki, "3.5.0", &yaml("shared_store"));
        assert_eq!(bench.fixed("L003", &yaml("delete_request_store")), Applicability::Unsafe);
    }
}
