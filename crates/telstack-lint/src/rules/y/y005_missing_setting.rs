use telstack_catalog::otelcol::Trait;
use telstack_diagnostics::{RuleInfo, Severity};

use crate::{
    Cx, Rule,
    facts::{ProblemKind, nameless},
    words::either,
};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        code: "Y005",
        name: "missing-setting",
        severity: Severity::Error,
        summary: "A component lacks a setting that it cannot do without.",
        why: "The collector checks it when it starts and refuses.",
        bad: r#"exporter "otlp_grpc""#,
        good: r#"exporter "otlp_grpc" { endpoint "gateway:4317" }"#,
        silent: "It is not known which settings the component needs; the block that should hold it comes from the \
                 environment. A component that nothing uses is a warning where the collector looks at it only when it \
                 builds it (`memory_limiter` before 0.92.0).",
        sources: &["https://opentelemetry.io/docs/collector/configuration/"],
    },
    check,
};

fn check(cx: &mut Cx<'_>) {
    for problem in &cx.facts.problems {
        let ProblemKind::Missing(paths) = &problem.kind else { continue };
        let one_of = if paths.len() > 1 { "one of " } else { "" };
        let message = format!("{} needs {one_of}{}", problem.owner(), either(paths));
        let finding = cx.finding(message, problem.at, "not given");
        cx.report(problem.if_noticed(finding.help(format!("give it {}", either(paths)))));
    }
    for part in cx.facts.parts.iter().filter(|it| it.has(Trait::Balances) && it.runs()) {
        if part.usable().is_none() || part.collector.may_have_more(part.component.kind) {
            continue;
        }
        for (setting, at) in nameless(part) {
            let message = format!("{} needs `{setting}`: it is to find its servers by that", part.title());
            let finding = cx.finding(message, at, "names no servers").help(format!("give it `{setting}`"));
            cx.report(finding);
        }
    }
}

#[cfg(test)]
mod tests {
    use telstack_diagnostics::Severity;

    use crate::test_support::Bench;

    #[test]
    fn fails_without() {
        Bench::collector("0.158.0", "exporters: {otlp_grpc: {tls: {insecure: true}}}").finds("Y005", "otlp_grpc");
        Bench::collector("0.158.0", "receivers: {otlp: {protocols: }}").finds("Y005", "otlp");
    }

    #[test]
    fn passes_with() {
        Bench::collector("0.158.0", "exporters: {otlp_grpc: {endpoint: 'a:4317'}}").silent("Y005");
        Bench::collector("0.158.0", "receivers: {otlp: {protocols: {http: }}}").silent("Y005");
        Bench::collector("0.158.0", "exporters: {load_balancing: {resolver: {dns: {hostname: a}}}}").silent("Y005");
    }

    #[test]
    fn fails_without_the_address_of_a_signal() {
        let yaml = |signal: &str| {
            format!(
                "exporters: {{otlp_http: {{logs_endpoint: 'http://a:1'}}}}\n\
                 service: {{pipelines: {{{signal}: {{exporters: [otlp_http]}}}}}}"
            )
        };
        Bench::collector("0.158.0", &yaml("traces")).finds("Y005", "'http://a:1'");
        Bench::collector("0.158.0", &yaml("logs")).silent("Y005");
    }

    #[test]
    fn warns_of_what_nothing_uses_and_the_release_does_not_look_at() {
        let limiter = |version: &str, used: &str| {
            let yaml = format!(
                "processors: {{memory_limiter: {{check_interval: 1s}}}}\n\
                 service: {{pipelines: {{traces: {{receivers: [otlp], processors: [{used}], exporters: [debug]}}}}}}"
            );
            Bench::collector(version, &yaml).finds("Y005", "memory_limiter")
        };
        assert_eq!(limiter("0.91.0", ""), Severity::Warning);
        assert_eq!(limiter("0.91.0", "memory_limiter"), Severity::Error);
        assert_eq!(limiter("0.92.0", ""), Severity::Error);
    }

    #[test]
    fn silent_when_the_cause_is_reported() {
        for (yaml, code, at) in [
            ("receivers: {otlp: {protocols: [grpc]}}", "Y002", "[grpc]"),
            ("exporters: {otlp_grpc: 'a:4317'}", "Y002", "'a:4317'"),
            ("exporters: {otlp_grpc: {endpiont: 'a:4317'}}", "Y001", "endpiont"),
        ] {
            let bench = Bench::collector("0.158.0", yaml);
            bench.silent("Y005");
            bench.finds(code, at);
        }
        Bench::collector("0.158.0", "exporters: {otlp_grpc: {tls: a}}").finds("Y005", "otlp_grpc");
    }

    #[test]
    fn silent_when_run_time_decides() {
        Bench::collector("0.158.0", "receivers: {otlp: {protocols: '${file:protocols.yaml}'}}").silent("Y005");
        Bench::collector("0.158.0", "exporters: {otlp_grpc: {endpoint: '${env:GATEWAY}'}}").silent("Y005");
    }

    #[test]
    fn servers_that_nobody_names() {
        let of = |resolver: &str| {
            Bench::collector(
                "0.158.0",
                &format!(
                    "exporters: {{load_balancing: {{protocol: {{otlp: {{}}}}, resolver: {{{resolver}}}}}}}\n\
                     service: {{pipelines: {{traces: {{receivers: [otlp], exporters: [load_balancing]}}}}}}"
                ),
            )
        };
        of("k8s: {ports: [4317]}").finds("Y005", "{ports: [4317]}");
        of("static: {hostnames: []}").finds("Y005", "{hostnames: []}");
        of("dns: {hostname: ''}").finds("Y005", "{hostname: ''}");
        for named in ["k8s: {service: gw}", "dns: {hostname: '${env:GW}'}", "static: {hostnames: '${env:ALL}'}"] {
            of(named).silent("Y005");
        }
    }
}
