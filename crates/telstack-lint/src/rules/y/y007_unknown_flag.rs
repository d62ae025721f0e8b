use telstack_catalog::{Version, VersionRange, product::Product};
use telstack_diagnostics::{Diagnostic, RuleInfo, Severity};
use telstack_system::Node;

use crate::{
    Cx, Rule,
    facts::{GivenFlag, flags},
    words::{nearest, with_release},
};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        code: "Y007",
        name: "unknown-flag",
        severity: Severity::Error,
        summary: "Prometheus is started with a flag that its release does not have.",
        why: "It ends at once: `unknown long flag`.",
        bad: r#"prometheus "prometheus" { flag "web.enable-lifecyle" }"#,
        good: r#"prometheus "prometheus" { flag "web.enable-lifecycle" }"#,
        silent: "The release is not known, or run time decides the flag. A warning where the flag resembles none that \
                 the catalog knows: it may be newer than the catalog.",
        sources: &["https://prometheus.io/docs/prometheus/latest/command-line/prometheus/"],
    },
    check,
};

fn check(cx: &mut Cx<'_>) {
    for (_, node) in cx.system.nodes().filter(|(_, node)| node.product() == Some(Product::Prometheus)) {
        let Some(version) = node.version() else { continue };
        for given in flags(node) {
            let known = |name: &str| Product::Prometheus.flag(version, name);
            if !known(given.name) && !given.name.strip_prefix("no-").is_some_and(known) {
                cx.report(with_release(judge(cx, node, version, &given), node));
            }
        }
    }
}

fn judge(cx: &Cx<'_>, node: &Node, version: Version, given: &GivenFlag<'_>) -> Diagnostic {
    let product = Product::Prometheus;
    let message = format!("{} has no flag `--{}`", node.title(), given.name);
    let ranges = product.flag_ranges(given.name);
    let later = ranges.iter().filter_map(|range| range.since).filter(|since| version < *since).min();
    let earlier = |range: &VersionRange| range.until.filter(|until| *until < version);
    if let Some(since) = later {
        let finding = cx.finding(message, given.origin, format!("there since {}.{}", since.major, since.minor));
        return finding.help("leave it out, or pin that release or a later one");
    }
    if let Some(until) = ranges.iter().filter_map(earlier).max() {
        let finding = cx.finding(message, given.origin, format!("last there in {}.{}", until.major, until.minor));
        return match product.flag_instead(version, given.name) {
            Some(name) => finding.help(match given.value {
                Some(value) => format!("write `--{name}={value}`"),
                None => format!("write `--{name}`"),
            }),
            None => finding.help("leave it out"),
        };
    }
    let names = product.flags(version);
    match nearest(given.name, names) {
        Some(slip) => cx.finding(message, given.origin, "unknown").help(format!("did you mean `{slip}`?")),
        None => cx
            .finding(message, given.origin, "the catalog does not know it")
            .severity(Severity::Warning)
            .help("leave it out, unless the release is newer than the catalog"),
    }
}

#[cfg(test)]
mod tests {
    use telstack_catalog::product::Product;
    use telstack_diagnostics::Severity;
    use telstack_system::Sourced;

    use crate::test_support::Bench;

    fn started(version: &str, flag: &str) -> Bench {
        let mut bench = Bench::new(flag);
        let id = bench.add(Product::Prometheus, version);
        let origin = bench.at(flag);
        bench.container(id).command.push(Sourced::new(flag.to_owned(), origin));
        bench
    }

    #[test]
    fn offers_what_took_its_place() {
        let helps = |flag: &str| started("3.4.0", flag).helps("Y007");
        assert_eq!(helps("--storage.tsdb.retention=30d"), ["write `--storage.tsdb.retention.time=30d`"]);
        assert_eq!(helps("--alertmanager.timeout=10s"), ["leave it out"]);
    }

    #[test]
    fn fails_on_a_slip_and_on_a_flag_of_another_release() {
        for (version, flag) in [
            ("3.14.0", "--web.enable-lifecyle"),
            ("3.0.0", "--storage.tsdb.retention=30d"),
            ("2.53.0", "--web.enable-otlp-receiver"),
        ] {
            assert_eq!(started(version, flag).finds("Y007", flag), Severity::Error);
        }
    }

    #[test]
    fn doubts_what_resembles_nothing() {
        assert_eq!(started("3.14.0", "--colour-of-the-sky").finds("Y007", "--colour-of-the-sky"), Severity::Warning);
    }

    #[test]
    fn passes_on_what_is_there() {
        for flag in [
            "--web.enable-lifecycle",
            "--no-web.enable-lifecycle",
            "--web.config.file=/x",
            "--log.level=debug",
            "--enable-feature=native-histograms",
            "--${FLAG}",
        ] {
            started("3.14.0", flag).silent("Y007");
        }
    }
}
