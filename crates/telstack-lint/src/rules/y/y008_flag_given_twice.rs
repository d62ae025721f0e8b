use telstack_catalog::product::Product;
use telstack_diagnostics::{RuleInfo, Severity};

use crate::{
    Cx, Rule,
    facts::{GivenFlag, flags},
};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        code: "Y008",
        name: "flag-given-twice",
        severity: Severity::Error,
        summary: "Prometheus is started with the same flag twice.",
        why: "It ends at once: `flag … cannot be repeated`.",
        bad: r#"prometheus "prometheus" { retention "30d"; flag "storage.tsdb.retention.time=15d" }"#,
        good: r#"prometheus "prometheus" { retention "30d" }"#,
        silent: "The flag is one that adds up, such as `--enable-feature`; or the release is not known.",
        sources: &["https://pkg.go.dev/github.com/alecthomas/kingpin/v2"],
    },
    check,
};

fn check(cx: &mut Cx<'_>) {
    for (_, node) in cx.system.nodes().filter(|(_, node)| node.product() == Some(Product::Prometheus)) {
        let Some(version) = node.version() else { continue };
        let mut seen: Vec<GivenFlag<'_>> = Vec::new();
        for given in flags(node) {
            let name = |flag: &GivenFlag<'_>| flag.name.strip_prefix("no-").unwrap_or(flag.name).to_owned();
            let first = seen.iter().find(|flag| name(flag) == name(&given));
            let adds_up = || Product::Prometheus.flag_adds_up(version, given.name);
            let Some(first) = first.filter(|_| !adds_up()) else {
                seen.push(given);
                continue;
            };
            // Of a flag that somebody wrote and one that follows, the written one is at fault.
            let (fault, other) =
                if first.origin.is_written() && !given.origin.is_written() { (first, &given) } else { (&given, first) };
            let message = format!("`--{}` is given to `{}` twice", fault.name, node.name);
            let what = match other.value {
                Some(value) if other.origin.is_written() => format!("first given here, as `{value}`"),
                Some(value) => format!("`--{}={value}` follows from this", other.name),
                None => "first given here".to_owned(),
            };
            let finding = cx.finding(message, fault.origin, "given again").label(other.origin.span(), what);
            cx.report(finding.help("take one of them out"));
        }
    }
}

#[cfg(test)]
mod tests {
    use telstack_catalog::product::Product;
    use telstack_system::Sourced;

    use crate::test_support::Bench;

    fn started(flags: [&str; 2]) -> Bench {
        let mut bench = Bench::new(&flags.join(" "));
        let id = bench.add(Product::Prometheus, "3.14.0");
        for flag in flags {
            let origin = bench.at(flag);
            bench.container(id).command.push(Sourced::new(flag.to_owned(), origin));
        }
        bench
    }

    #[test]
    fn fails_on_the_second() {
        let flags = ["--storage.tsdb.path=/prometheus", "--storage.tsdb.path=/data"];
        started(flags).finds("Y008", flags[1]);
        started(["--no-web.enable-lifecycle", "--web.enable-lifecycle"]).finds("Y008", "--web.enable-lifecycle");
    }

    #[test]
    fn passes_on_flags_that_add_up() {
        started(["--enable-feature=exemplar-storage", "--enable-feature=native-histograms"]).silent("Y008");
        started(["--web.listen-address=:9090", "--web.listen-address=:9091"]).silent("Y008");
    }
}
