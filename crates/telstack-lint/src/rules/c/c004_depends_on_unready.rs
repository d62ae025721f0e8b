use std::collections::BTreeMap;

use telstack_catalog::{ComponentKind, product::image_facts};
use telstack_diagnostics::{RuleInfo, Severity};
use telstack_system::{Container, Dependency, Known, Node, Purpose, circles_among};

use crate::{Cx, Rule, words::ticked};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        code: "C004",
        name: "depends-on-unready",
        severity: Severity::Error,
        summary: "A service waits for something that never comes: the health of one that has no health check, or \
                  itself.",
        why: "`condition: service_healthy` needs a health check, from the compose file or the image. Without one \
              compose gives up: `container … has no healthcheck configured`. Services that wait for each other do not \
              start at all.",
        bad: "services:\n  app:\n    image: acme/app:1\n    depends_on: {collector: {condition: service_healthy}}\n  \
              collector:\n    image: otel/opentelemetry-collector:0.158.0",
        good: "services:\n  app:\n    image: acme/app:1\n    depends_on: [collector]\n  collector:\n    image: \
               otel/opentelemetry-collector:0.158.0",
        silent: "The image is not known or is built here: it may bring a health check. Nothing is said of a missing \
                 `depends_on`: exporters retry. Only where an exporter does not, advice to wait for the other side.",
        sources: &[
            "https://docs.docker.com/reference/compose-file/services/#depends_on",
            "https://github.com/SigNoz/signoz/issues/12657",
        ],
    },
    check,
};

/// The switch of an exporter's second attempts.
const RETRIES: &str = "retry_on_failure.enabled";

fn check(cx: &mut Cx<'_>) {
    for (_, node) in cx.system.nodes() {
        for dependency in depends_on(node) {
            never_healthy(cx, node, dependency);
        }
    }
    wait_for_themselves(cx);
    impatient(cx);
}

fn depends_on(node: &Node) -> &[Dependency] {
    node.container.as_ref().map(|it| it.depends_on.as_slice()).unwrap_or_default()
}

fn never_healthy(cx: &mut Cx<'_>, node: &Node, dependency: &Dependency) {
    let other = cx.system.find(&dependency.node).map(|id| cx.system.node(id));
    let Some((other, container)) = other.and_then(|it| Some((it, it.container.as_ref()?))) else { return };
    let image = &container.image.value;
    // None of the images that are known brings a check of its own.
    let known =
        container.base.is_none() && !container.gaps.files && image_facts(&image.repository, &image.tag).is_some();
    if !dependency.healthy || container.health.is_some() || !known {
        return;
    }
    let message = format!("`{}` waits for `{}` to be healthy, which has no health check", node.name, other.name);
    let finding = cx
        .finding(message, &dependency.origin, "compose gives up here")
        .label(other.span(), "no `healthcheck` here, and none in its image")
        .help(format!("wait for its start only: `depends_on: [{}]`", other.name))
        .help(format!("give `{}` a `healthcheck`", other.name));
    cx.report(finding);
}

/// Longer circles are shown by their start.
const SHOWN: usize = 12;

/// Those that wait for each other: a circle that they are on.
fn wait_for_themselves(cx: &mut Cx<'_>) {
    let nodes: Vec<&Node> = cx.system.nodes().map(|(_, node)| node).collect();
    let places: BTreeMap<&str, usize> = nodes.iter().enumerate().map(|(at, it)| (it.name.as_str(), at)).collect();
    let place = |it: &Dependency| places.get(it.node.as_str()).copied();
    let targets: Vec<Vec<usize>> = nodes.iter().map(|it| depends_on(it).iter().filter_map(place).collect()).collect();
    for circle in circles_among(&targets) {
        let circle: Vec<&Node> = circle.into_iter().map(|at| nodes[at]).collect();
        let message = match circle.as_slice() {
            [one] => format!("`{}` waits for itself", one.name),
            [one, other] => format!("`{}` and `{}` wait for each other", one.name, other.name),
            all => {
                let shown = &all[..all.len().min(SHOWN)];
                let names = ticked(shown.iter().map(|it| it.name.as_str()));
                let more = all.len() - shown.len();
                let names = if more > 0 { format!("{names}, and {more} more") } else { names };
                format!("services wait for each other in a circle: {names}")
            }
        };
        let waits = circle.iter().zip(circle.iter().cycle().skip(1));
        let mut waits = waits.filter_map(|(one, next)| depends_on(one).iter().find(|it| it.node == next.name));
        let Some(first) = waits.next() else { continue };
        let mut finding = cx.finding(message, &first.origin, "none of them ever starts");
        for wait in waits.take(SHOWN) {
            finding = finding.label(wait.origin.span(), format!("waits for `{}`", wait.node));
        }
        cx.report(finding.help("let one of them not wait"));
    }
}

/// Exporters that do not retry, of collectors that do not wait.
fn impatient(cx: &mut Cx<'_>) {
    for link in cx.facts.links.iter().filter(|link| link.purpose == Purpose::Telemetry && link.to_id != link.from_id) {
        let Some(component) = link.dial.component.as_ref() else { continue };
        let exporter = link.from.collector().and_then(|it| it.component(ComponentKind::Exporter, &component.id));
        let Some(exporter) = exporter.filter(|it| it.truth(RETRIES) == Known::Value(false)) else { continue };
        let waits = |container: &Container| container.depends_on.iter().any(|it| it.node == link.to.name && it.healthy);
        let there = link.to.container.is_some() && cx.system.from_files;
        if !there || link.from.container.as_ref().is_none_or(waits) {
            continue;
        }
        let place = exporter.setting(RETRIES).map_or(&link.dial.origin, |it| &it.mark);
        let message = format!("{} loses what comes in before `{}` is up", link.dialer(), link.to.name);
        let finding = cx
            .finding(message, place, "nothing is sent again")
            .severity(Severity::Info)
            .label(link.from.span(), format!("does not wait for `{}`", link.to.name))
            .help("let it retry: leave `retry_on_failure` on")
            .help(format!("wait for it: `depends_on: {{{}: {{condition: service_healthy}}}}`", link.to.name));
        cx.report(finding);
    }
}

#[cfg(test)]
mod tests {
    use telstack_diagnostics::Severity;

    use crate::test_support::Bench;

    fn waits(condition: &str, collector: &str) -> Bench {
        let compose = format!(
            "services:\n  app:\n    image: acme/app:1\n    depends_on: {{otel: {{condition: {condition}}}}}\n  otel:\n    \
             {collector}\n"
        );
        Bench::project(&[("compose.yaml", &compose)])
    }

    const IMAGE: &str = "image: otel/opentelemetry-collector:0.158.0";

    #[test]
    fn fails_where_nothing_checks() {
        assert_eq!(waits("service_healthy", IMAGE).finds("C004", "otel"), Severity::Error);
        waits("service_healthy", &format!("{IMAGE}\n    healthcheck: {{disable: true}}")).finds("C004", "otel");
    }

    #[test]
    fn fails_on_circles_once() {
        let compose = "services:\n  a:\n    image: x\n    depends_on: [b]\n  b:\n    image: x\n    depends_on: [c]\n  c:\n    \
                       image: x\n    depends_on: [a, d]\n  d: {image: x}\n  e:\n    image: x\n    depends_on: [a]\n";
        Bench::project(&[("compose.yaml", compose)]).finds("C004", "b");
    }

    #[test]
    fn tells_of_many_in_a_circle_once() {
        use std::fmt::Write;

        let ring = |services: usize, waits: &dyn Fn(usize) -> Vec<usize>| {
            let mut compose = "services:\n".to_owned();
            for at in 0..services {
                let waits: Vec<String> = waits(at).iter().map(|it| format!("s{}", it % services)).collect();
                let _ = writeln!(compose, "  s{at}: {{image: x, depends_on: [{}]}}", waits.join(", "));
            }
            Bench::project(&[("compose.yaml", &compose)])
        };
        ring(800, &|at| vec![at + 1]).finds("C004", "s1");
        ring(30, &|at| (0..30).filter(|it| *it != at).collect()).finds("C004", "s1");
        ring(1, &|at| vec![at]).finds("C004", "s0");
        let two = ring(4, &|at| vec![at ^ 1]);
        assert_eq!(two.found().iter().filter(|(code, ..)| *code == "C004").count(), 2);
        ring(30, &|at| (at + 1..30).collect()).silent("C004");
    }

    #[test]
    fn tells_of_exporters_that_give_up_at_once() {
        let compose = "services:\n  a:\n    image: otel/opentelemetry-collector:0.158.0\n    command: [--config=/a.yaml]\n    \
                       volumes: ['./a.yaml:/a.yaml']\n  tempo: {image: 'grafana/tempo:2.8.0'}\n";
        let config = |retry: &str| {
            format!(
                "receivers: {{otlp: {{protocols: {{grpc: }}}}}}\nexporters: {{otlp_grpc: {{endpoint: 'tempo:4317', tls: \
                 {{insecure: true}}{retry}}}}}\nservice: {{pipelines: {{traces: {{receivers: [otlp], exporters: \
                 [otlp_grpc]}}}}}}\n"
            )
        };
        let project = |retry: &str| Bench::project(&[("compose.yaml", compose), ("a.yaml", &config(retry))]);
        let found = project(", retry_on_failure: {enabled: false}").finds("C004", "false");
        assert_eq!(found, Severity::Info);
        project("").silent("C004");
    }

    #[test]
    fn passes_with_a_check_and_without_waiting_for_one() {
        waits("service_healthy", &format!("{IMAGE}\n    healthcheck: {{test: [CMD, /otelcol, --version]}}"))
            .silent("C004");
        waits("service_started", IMAGE).silent("C004");
    }

    #[test]
    fn silent_where_the_image_may_have_one() {
        waits("service_healthy", "image: acme/otel:1").silent("C004");
        waits("service_healthy", "build: .").silent("C004");
    }
}
