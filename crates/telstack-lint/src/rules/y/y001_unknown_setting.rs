use telstack_catalog::{near, product::Product};
use telstack_diagnostics::{Diagnostic, Fix, RuleInfo, Severity};

use crate::{
    Cx, Rule,
    facts::{FileProblem, FileProblemKind, Part, Problem, ProblemKind, Standing},
    repair,
    words::ticked,
};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        code: "Y001",
        name: "unknown-setting",
        severity: Severity::Error,
        summary: "A component, or the file of a product, is given a setting that no release has.",
        why: "Collectors refuse unknown keys: `has invalid keys`. So do Prometheus, Loki, Tempo and Mimir: `field … \
              not found in type …`. It is nearly always a slip of the keyboard, or a key that belongs a level higher \
              or lower.",
        bad: r#"processor "batch" { time_out "5s" }"#,
        good: r#"processor "batch" { timeout "5s" }"#,
        silent: "The settings at that release are not known, or that place takes any key. Keys of other releases are \
                 V003 or L003, queues that an exporter does not have D007. Where the catalog may be incomplete, or \
                 nobody says which release of a product reads the file, it is a warning; so it is where nobody says which \
                 collector runs and another component shows that the file is old, maybe older than all that is known, and for the few \
                 components that pass over keys that they do not know.",
        sources: &["https://opentelemetry.io/docs/collector/configuration/"],
    },
    check,
};

/// Letters that may be wrong in a key that is meant to be another.
const SLIP: usize = 2;
/// Most keys that help a reader.
const SHOWN: usize = 12;

fn check(cx: &mut Cx<'_>) {
    for problem in &cx.facts.problems {
        let ProblemKind::Unknown { nearest, known, doubtful } = &problem.kind else { continue };
        let message = format!("{} has no setting `{}`", problem.owner(), problem.path);
        let mut finding = cx.finding(message, problem.at, format!("unknown at {}", problem.version));
        if let Some(component) = problem.component {
            finding = finding.label(component.origin.span(), format!("settings of this {}", component.kind));
        }
        finding = problem.if_read_over(finding);
        if let Some(gone) = older(cx, problem, nearest.as_deref()) {
            let oldest = Product::Otelcol.oldest();
            finding = finding.severity(Severity::Warning).note(format!(
                "no release since {oldest} has it; {} is gone too, so the file may be of an older one",
                gone.title()
            ));
        }
        if *doubtful {
            finding = finding.severity(Severity::Warning).note("some optional blocks take `enabled` without saying so");
        }
        if let Some(nearest) = nearest {
            let settings = problem.component.iter().map(|it| &it.settings);
            let change = repair::key(settings, problem.at, problem.key(), nearest);
            finding = finding.help(format!("did you mean `{nearest}`?"));
            finding =
                repair::with(finding, change.map(|it| Fix::unsafe_(format!("rename the key to `{nearest}`"), it)));
        }
        if known.is_empty() {
            finding = finding.note("no settings are known there");
        } else if known.len() <= SHOWN {
            finding = finding.note(format!("there is {}", ticked(known)));
        } else if nearest.is_none() {
            let more = known.len() - SHOWN;
            finding = finding.note(format!("there is {} and {more} more", ticked(&known[..SHOWN])));
        }
        cx.report(finding);
    }
    for problem in &cx.facts.files {
        let FileProblemKind::Unknown { nearest, known, sure } = &problem.kind else { continue };
        cx.report(of_a_file(cx, problem, *nearest, known, *sure));
    }
}

/// What shows that a file may be older than all that is known, where nobody says what runs it. A slip of the keyboard is
/// one in every release.
fn older<'a>(cx: &'a Cx<'_>, problem: &Problem<'_>, nearest: Option<&str>) -> Option<&'a Part<'a>> {
    let open = problem.node.collector().is_some_and(|it| it.gaps.distribution);
    let slip = nearest.is_some_and(|it| near::distance(problem.key(), it) <= SLIP);
    let gone = |it: &&Part<'_>| std::ptr::eq(it.node, problem.node) && matches!(it.standing, Standing::Removed { .. });
    cx.facts.parts.iter().find(gone).filter(|_| open && !slip && problem.component.is_some())
}

fn of_a_file(cx: &Cx<'_>, problem: &FileProblem<'_>, nearest: Option<&str>, known: &[&str], sure: bool) -> Diagnostic {
    let message = format!("{} has no setting `{}`", problem.owner(), problem.path);
    let mut finding = match problem.node.version().filter(|_| sure) {
        Some(version) => cx.finding(message, problem.at, format!("unknown at {version}")),
        None => {
            cx.finding(message, problem.at, "unknown in every release that telstack knows").severity(Severity::Warning)
        }
    };
    if let Some(nearest) = nearest {
        let documents = problem.node.written.iter().map(|it| &it.document);
        let change = repair::key(documents, problem.at, problem.key(), nearest);
        finding = finding.help(format!("did you mean `{nearest}`?"));
        finding = repair::with(finding, change.map(|it| Fix::unsafe_(format!("rename the key to `{nearest}`"), it)));
    }
    if known.len() <= SHOWN && !known.is_empty() {
        finding.note(format!("there is {}", ticked(known)))
    } else {
        finding
    }
}

#[cfg(test)]
mod tests {
    use telstack_catalog::product::Product;
    use telstack_diagnostics::{Applicability, Severity};

    use crate::test_support::Bench;

    #[test]
    fn fails_on_a_slip() {
        Bench::collector("0.158.0", "processors: {batch: {time_out: 5s}}").finds("Y001", "time_out");
    }

    #[test]
    fn warns_where_the_key_is_passed_over() {
        let yaml = "receivers: {hostmetrics: {scrape_interval: 5s, scrapers: {cpu: {}}}}";
        assert_eq!(Bench::collector("0.112.0", yaml).finds("Y001", "scrape_interval"), Severity::Warning);
    }

    #[test]
    fn fails_deep_inside() {
        let yaml = "receivers: {otlp: {protocols: {grpc: {endpiont: '0.0.0.0:4317'}}}}";
        Bench::collector("0.158.0", yaml).finds("Y001", "endpiont");
    }

    #[test]
    fn passes_on_the_wrong_case_where_that_does_not_count() {
        Bench::collector("0.70.0", "exporters: {logging: {logLevel: debug}}").silent("Y001");
        Bench::collector("0.71.0", "exporters: {logging: {logLevel: debug}}").finds("Y001", "logLevel");
    }

    #[test]
    fn passes_when_it_is_known() {
        Bench::collector("0.158.0", "processors: {batch: {timeout: 5s}}").silent("Y001");
    }

    #[test]
    fn silent_where_any_key_goes() {
        let yaml = "exporters: {otlp_http: {endpoint: 'http://a:4318', headers: {x-any-key: a}}}";
        Bench::collector("0.158.0", yaml).silent("Y001");
    }
    #[test]
    fn a_list_of_texts_or_of_maps() {
        let flat = r#"processors: {transform: {log_statements: ['set(log.body, "a")']}}"#;
        let bench = Bench::collector("0.158.0", flat);
        bench.silent("Y001");
        bench.silent("Y002");
        let maps = r#"processors: {transform: {log_statements: [{contxt: log, statements: ['set(log.body, "a")']}]}}"#;
        Bench::collector("0.158.0", maps).finds("Y001", "contxt");
    }

    #[test]
    fn log_receivers_of_early_releases_are_checked() {
        let yaml = "receivers: {filelog: {include: [/var/log/a.log], inclde_file_path: true}}";
        Bench::collector("0.100.0", yaml).finds("Y001", "inclde_file_path");
    }

    #[test]
    fn a_word_too_many() {
        let mimir = Bench::file(Product::Mimir, "2.17.0", "query_frontend: {align_queries_with_step: true}\n");
        mimir.finds("Y001", "query_frontend");
        assert!(mimir.helps("Y001")[0].contains("`frontend`"), "{:?}", mimir.helps("Y001"));
    }

    #[test]
    fn files_of_products() {
        let loki = |release: &str| {
            Bench::file(Product::Loki, release, "serer: {http_listen_port: 3100}\ncommon:\n  ring: {}\n")
        };
        assert_eq!(loki("3.5.0").finds("Y001", "serer"), Severity::Error);
        assert_eq!(loki("").finds("Y001", "serer"), Severity::Warning);
        // Of releases that nobody knows yet, nothing is known to be missing.
        loki("9.0.0").silent("Y001");
        let whole =
            "server: {http_listen_port: 3100}\nstorage_config: {aws: {s3: a}, named_stores: {aws: {mine: {x: 1}}}}";
        Bench::file(Product::Loki, "3.5.0", whole).silent("Y001");
        let prometheus = "scrape_configs: [{job_name: a, static_config: [{targets: [a]}]}]";
        Bench::file(Product::Prometheus, "3.5.0", prometheus).finds("Y001", "static_config");
        Bench::file(Product::Tempo, "", "storage: {trace: {backnd: local}}").finds("Y001", "backnd");
        Bench::file(Product::Mimir, "2.17.0", "limits: {max_global_series_per_usr: 1}")
            .finds("Y001", "max_global_series_per_usr");
    }

    #[test]
    fn a_slip_can_be_put_right() {
        let yaml = |key: &str| format!("processors:\n  batch:\n    # slow\n    \"{key}\": 1s # mine\n");
        let bench = Bench::collector("0.158.0", &yaml("timout"));
        assert_eq!(bench.fixed("Y001", &yaml("timeout")), Applicability::Unsafe);
        Bench::collector("0.158.0", "processors: {batch: {nothing_like_it: 1}}").leaves("Y001");
    }
}
