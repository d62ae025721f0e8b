use telstack_diagnostics::{RuleInfo, Severity};
use telstack_system::{Node, PrometheusFacet, Protocol, Purpose, Value};

use crate::{Cx, Rule};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        code: "M012",
        name: "ha-labels-missing",
        severity: Severity::Warning,
        summary: "Two Prometheus that scrape the same write to one store, and nothing tells their series apart.",
        why: "Both write the same series: the store refuses one sample of each pair as out of order or duplicate, and \
              graphs jump between the two.",
        bad: r"# prometheus-a.yml and prometheus-b.yml
global: {external_labels: {cluster: prod}}
remote_write: [{url: http://mimir:9009/api/v1/push}]",
        good: r"# prometheus-a.yml, and with replica b in prometheus-b.yml
global: {external_labels: {cluster: prod, __replica__: a}}
remote_write: [{url: http://mimir:9009/api/v1/push}]",
        silent: "They scrape different targets, or write to different stores; run time decides the labels.",
        sources: &[
            "https://github.com/prometheus/prometheus/issues/9214",
            "https://grafana.com/docs/mimir/latest/configure/configure-high-availability-deduplication/",
        ],
    },
    check,
};

fn check(cx: &mut Cx<'_>) {
    let facts = cx.facts;
    let writers: Vec<_> = facts
        .links
        .iter()
        .filter(|it| it.purpose == Purpose::Telemetry && it.dial.protocol == Protocol::REMOTE_WRITE)
        .filter_map(|it| Some((it, it.from.store()?.prometheus()?)))
        .collect();
    for (at, (link, facet)) in writers.iter().enumerate() {
        if let Some(container) = &link.from.container
            && let Some(several) = container.instances().several()
            && !facet.jobs.is_empty()
            && !is_told_apart_at_run_time(facet)
        {
            let message = format!(
                "`{}` runs {} and writes the same series from each to `{}`",
                link.from.name,
                container.instances().words(),
                link.to.name
            );
            let finding =
                cx.finding(message, &link.dial.origin, "written by each").label(several.span(), "several of it");
            cx.report(finding.help("give each a label of its own in `global.external_labels`"));
            continue;
        }
        let twin = writers[..at].iter().find(|(other, theirs)| {
            other.to_id == link.to_id
                && other.from_id != link.from_id
                && run_together(other.from, link.from)
                && is_the_same(theirs, facet)
        });
        let Some((other, _)) = twin.filter(|_| !is_told_apart_at_run_time(facet)) else { continue };
        let message = format!(
            "`{}` and `{}` scrape the same and write it to `{}` with the same labels",
            other.from.name, link.from.name, link.to.name
        );
        let finding = cx
            .finding(message, &link.dial.origin, "the same series again")
            .label(other.dial.origin.span(), format!("`{}` writes them here", other.from.name))
            .help("give each a label of its own: `global: {external_labels: {__replica__: …}}`");
        cx.report(finding);
    }
}

fn run_together(one: &Node, other: &Node) -> bool {
    one.container.as_ref().zip(other.container.as_ref()).is_some_and(|(one, other)| one.runs_beside(other))
}

/// Do two scrape the same targets, and label them alike?
fn is_the_same(one: &PrometheusFacet, other: &PrometheusFacet) -> bool {
    let jobs = |facet: &PrometheusFacet| -> Vec<(String, Vec<String>)> {
        let targets = |it: &telstack_system::ScrapeJob| it.targets.iter().map(|it| it.value.clone()).collect();
        facet.jobs.iter().map(|it| (it.name.clone(), targets(it))).collect()
    };
    !one.jobs.is_empty() && jobs(one) == jobs(other) && labels(one) == labels(other)
}

fn labels(facet: &PrometheusFacet) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().map_or_else(|| value.describe().to_owned(), str::to_owned);
    let mut all: Vec<_> = facet.external_labels.iter().map(|it| (it.key.clone(), text(&it.value))).collect();
    all.sort();
    all
}

fn is_told_apart_at_run_time(facet: &PrometheusFacet) -> bool {
    labels(facet).iter().any(|(_, value)| value.contains('$') || value.contains('%'))
}

#[cfg(test)]
mod tests {
    use telstack_diagnostics::Severity;

    use crate::test_support::Bench;

    fn pair(labels: &str, target: &str, deploy: &str) -> Bench {
        let one = |name: &str| {
            format!(
                "  {name}:\n    image: prom/prometheus:v3.5.0\n    volumes: ['./{name}.yml:/etc/prometheus/prometheus.yml']\n    \
                 deploy: {{{deploy}}}\n"
            )
        };
        let compose = format!("services:\n  mimir:\n    image: grafana/mimir:2.17.0\n{}{}", one("a"), one("b"));
        let config = |labels: &str, target: &str| {
            format!(
                "global: {{external_labels: {{cluster: prod{labels}}}}}\nscrape_configs: [{{job_name: x, static_configs: \
                 [{{targets: ['{target}']}}]}}]\nremote_write: [{{url: 'http://mimir:8080/api/v1/push'}}]\n"
            )
        };
        Bench::project(&[
            ("compose.yaml", &compose),
            ("a.yml", &config("", "app:1")),
            ("b.yml", &config(labels, target)),
        ])
    }

    #[test]
    fn warns_of_two_that_write_the_same() {
        assert_eq!(pair("", "app:1", "").finds("M012", "'http://mimir:8080/api/v1/push'"), Severity::Warning);
    }

    #[test]
    fn passes_where_something_differs() {
        pair(", __replica__: b", "app:1", "").silent("M012");
        pair("", "other:1", "").silent("M012");
    }

    #[test]
    fn silent_where_run_time_decides() {
        pair(", __replica__: '${HOSTNAME}'", "app:1", "").silent("M012");
        pair(", __replica__: '${HOSTNAME}'", "other:1", "replicas: 1").silent("M012");
    }
}
