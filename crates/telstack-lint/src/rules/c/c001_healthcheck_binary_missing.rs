use telstack_catalog::product::{ImageFacts, image_facts};
use telstack_diagnostics::{RuleInfo, Severity};
use telstack_system::{HealthCheck, ProbeAction};

use crate::{Cx, Rule};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        code: "C001",
        name: "healthcheck-binary-missing",
        severity: Severity::Warning,
        summary: "A health check runs a program that the image does not have.",
        why: "The check never succeeds: the container is unhealthy for ever, and whatever waits for it to be healthy \
              never starts. Images of collectors, Tempo and newer Loki hold one program and no shell.",
        bad: r#"services:
  collector:
    image: otel/opentelemetry-collector-contrib:0.158.0
    healthcheck: {test: [CMD, wget, -q, --spider, "http://localhost:13133"]}"#,
        good: r"services:
  loki:
    image: grafana/loki:3.7.6
    healthcheck: {test: [CMD, /usr/bin/loki, -health]}",
        silent: "The image or the program is not known; a `-debug` or `-alpine` tag. An error where another container \
                 waits for this one to be healthy, and for probes of Kubernetes, which kill the container or keep it \
                 from being ready. A stack description need not say it: checks follow from the image.",
        sources: &[
            "https://github.com/open-telemetry/opentelemetry-collector-releases",
            "https://docs.docker.com/reference/compose-file/services/#healthcheck",
        ],
    },
    check,
};

fn check(cx: &mut Cx<'_>) {
    for (_, node) in cx.system.nodes() {
        let Some((container, health)) = node.container.as_ref().and_then(|it| Some((it, it.health.as_ref()?))) else {
            continue;
        };
        let image = &container.image;
        let Some(facts) = image_facts(&image.value.repository, &image.value.tag) else { continue };
        let Some(missing) = missing(health, &facts) else { continue };
        let name = format!("{}:{}", image.value.repository, image.value.tag);
        let message = format!("the health check of `{}` runs {missing}, which its image does not have", node.name);
        let mut finding = cx
            .finding(message, &health.origin, format!("{missing} is not there"))
            .label(image.span(), format!("`{name}`"));
        let waiting = cx.system.nodes().find_map(|(_, other)| {
            let container = other.container.as_ref()?;
            Some((other, container.depends_on.iter().find(|it| it.node == node.name && it.healthy)?))
        });
        if let Some((other, dependency)) = waiting {
            finding = finding
                .severity(Severity::Error)
                .label(dependency.origin.span(), format!("`{}` waits for it, and never starts", other.name));
        }
        finding = match &facts.builtin_health {
            Some(command) => finding.help(format!("run what the image has for it: `{}`", command.join(" "))),
            None => finding.help("leave the check out: the image has nothing to run"),
        };
        cx.report(finding);
    }
    probes(cx);
}

/// What Kubernetes runs inside of a container, by the exec call itself: without a shell.
fn probes(cx: &mut Cx<'_>) {
    for (_, node) in cx.system.nodes() {
        let Some(container) = node.container.as_ref().filter(|it| !it.is_patched()) else { continue };
        let image = &container.image;
        let Some(facts) = image_facts(&image.value.repository, &image.value.tag) else { continue };
        let commands = container.probes.iter().filter_map(|it| match &it.action {
            ProbeAction::Exec(command) => Some((it, command)),
            _ => None,
        });
        for (probe, command) in commands {
            let Some(missing) = command.first().and_then(|it| absent(it, &facts)) else { continue };
            let name = format!("{}:{}", image.value.repository, image.value.tag);
            let message =
                format!("{} of `{}` runs {missing}, which its image does not have", probe.kind.title(), node.name);
            let mut finding = cx
                .finding(message, &probe.origin, "fails every time")
                .severity(Severity::Error)
                .label(image.span(), format!("`{name}`"))
                .help("ask from outside: `httpGet` or `tcpSocket`");
            if let Some(command) = &facts.builtin_health {
                finding = finding.help(format!("or run what the image has for it: `{}`", command.join(" ")));
            }
            cx.report(finding);
        }
    }
}

/// The program that is not there, in words; none if all is there or nobody knows.
fn missing(health: &HealthCheck, facts: &ImageFacts) -> Option<String> {
    if health.shell && !facts.has_shell {
        return Some("a shell".to_owned());
    }
    let first = health.command.first()?;
    let program = if health.shell { first.split_whitespace().next()? } else { first };
    absent(program, facts)
}

/// A program that is not there, in words; none if it is, or nobody knows.
fn absent(program: &str, facts: &ImageFacts) -> Option<String> {
    let there = match program.rsplit('/').next()? {
        "wget" => facts.has_wget,
        "curl" => facts.has_curl,
        "sh" | "bash" | "ash" => facts.has_shell,
        _ => return None,
    };
    (!there).then(|| format!("`{program}`"))
}

#[cfg(test)]
mod tests {
    use telstack_diagnostics::Severity;
    use telstack_system::{Dependency, HealthCheck, units::Period};

    use crate::test_support::Bench;

    fn health(command: &[&str], shell: bool) -> Bench {
        let mut bench = Bench::new("check waits");
        let id = bench.add_collector("collector", telstack_catalog::Distribution::Contrib, "0.158.0", "");
        let origin = bench.at("check");
        bench.container(id).health = Some(HealthCheck {
            command: command.iter().map(ToString::to_string).collect(),
            shell,
            start_period: Period::from_secs(0),
            origin,
        });
        bench
    }

    #[test]
    fn warns_when_the_program_is_not_there() {
        assert_eq!(health(&["wget", "-q", "http://localhost:13133"], false).finds("C001", "check"), Severity::Warning);
        health(&["true"], true).finds("C001", "check");
    }

    #[test]
    fn fails_when_somebody_waits() {
        let mut bench = health(&["curl", "localhost"], false);
        let id = bench.add(telstack_catalog::product::Product::Grafana, "13.0.1");
        let origin = bench.at("waits");
        let waits = Dependency { node: "collector".into(), healthy: true, completed: false, origin };
        bench.container(id).depends_on.push(waits);
        assert_eq!(bench.finds("C001", "check"), Severity::Error);
    }

    #[test]
    fn passes_where_the_image_has_it() {
        let mut bench = Bench::new("check");
        let id = bench.add(telstack_catalog::product::Product::Prometheus, "3.14.0");
        let origin = bench.at("check");
        bench.container(id).health = Some(HealthCheck {
            command: vec!["wget".into(), "localhost:9090".into()],
            shell: false,
            start_period: Period::from_secs(0),
            origin,
        });
        bench.silent("C001");
    }

    #[test]
    fn silent_for_programs_and_images_that_nobody_knows() {
        health(&["/probe"], false).silent("C001");
        let mut bench = health(&["wget"], false);
        let id = bench.system.node_ids()[0];
        bench.container(id).image.value.repository = "example.com/own".into();
        bench.silent("C001");
    }
}
