use telstack_catalog::{otelcol, product::Product};
use telstack_diagnostics::{RuleInfo, Severity};
use telstack_system::{Node, Origin, Protocol, Value};

use super::m009_spanmetrics_unbounded_dimension::mentions;
use crate::{
    Cx, Rule,
    facts::{Facts, Link, Part, Place},
    words::ticked,
};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        code: "M008",
        name: "resource-to-labels-cardinality",
        severity: Severity::Warning,
        summary: "All attributes of a resource become labels, and some of them change with every start of a pod.",
        why: "With `resource_to_telemetry_conversion`, or `promote_all_resource_attributes` of Prometheus, each attribute of the resource is a label of each metric. A \
              label that changes with every pod makes new series of all metrics at every restart: the store fills with \
              series that are never written again.",
        bad: r#"collector "agent" {
    receiver "otlp"
    processor "k8s_attributes"      // adds k8s.pod.uid and k8s.pod.start_time by itself
    exporter "prometheus_remote_write" {
        endpoint "http://metrics.example/api/v1/push"
        resource_to_telemetry_conversion enabled=#true
    }
    pipeline "metrics" { from "otlp"; through "k8s_attributes"; to "prometheus_remote_write" }
}"#,
        good: r#"collector "agent" {
    receiver "otlp"
    processor "k8s_attributes" { extract { metadata "k8s.namespace.name" "k8s.deployment.name" "k8s.node.name" } }
    exporter "prometheus_remote_write" {
        endpoint "http://metrics.example/api/v1/push"
        resource_to_telemetry_conversion enabled=#true
    }
    pipeline "metrics" { from "otlp"; through "k8s_attributes"; to "prometheus_remote_write" }
}"#,
        silent: "A later processor mentions the attribute: it may take it away; the list of attributes comes from the \
                 environment, or asks about several platforms of which it may be one. What applications send by themselves is not known.",
        sources: &[
            "https://github.com/open-telemetry/opentelemetry-operator/issues/2965",
            "https://github.com/open-telemetry/opentelemetry-collector-contrib/tree/main/processor/k8sattributesprocessor",
        ],
    },
    check,
};

/// The same in Prometheus, of what it is sent as OTLP, and which attributes it leaves out.
const PROMOTION: &str = "otlp.promote_all_resource_attributes";
const EXCEPTIONS: &str = "otlp.ignore_resource_attributes";
const CONVERSION: &str = "resource_to_telemetry_conversion.enabled";

fn check(cx: &mut Cx<'_>) {
    let facts = cx.facts;
    for place in Place::all(cx.system).filter(|place| !place.pipeline.open) {
        for (_, exporter) in place.exporters(facts) {
            let Some(exporter) = exporter else { continue };
            let own = exporter.component.setting(CONVERSION).filter(|it| it.as_bool() == Some(true));
            let Some(setting) = own.map(|it| (it, None)).or_else(|| promoted(facts, exporter)) else { continue };
            for (at, (reference, part)) in place.processors(facts).enumerate() {
                let Some((churning, origin)) = part.and_then(|it| churning(it).or_else(|| detected(it))) else {
                    continue;
                };
                let later = || place.processors(facts).skip(at + 1);
                let stays = |attribute: &&str| {
                    later().all(|(_, part)| part.is_some_and(|it| !mentions(&it.component.settings, attribute)))
                };
                let left: Vec<&str> = churning.into_iter().filter(stays).collect();
                if left.is_empty() {
                    continue;
                }
                let who = match setting.1 {
                    Some(store) => format!("`{}`", store.name),
                    None => exporter.title(),
                };
                let message = format!("{who} makes labels of {}, which change with every start", ticked(&left));
                let mut finding = cx
                    .finding(message, &setting.0.mark, "every attribute of the resource becomes a label")
                    .label(reference.origin.span(), format!("adds {}", ticked(&left)));
                if let Some(origin) = origin {
                    finding = finding.label(origin.span(), "asked for here");
                }
                cx.report_once(finding.help(format!("let `{}` add only what is to be a label", reference.id)));
            }
        }
    }
}

/// The store that an exporter sends to, where that makes labels of all attributes, and what says so.
fn promoted<'a>(facts: &'a Facts<'_>, exporter: &Part<'_>) -> Option<(&'a Value, Option<&'a Node>)> {
    let mine = |link: &&Link<'_>| {
        let of_it = link.dial.component.as_ref().is_some_and(|it| it.id == exporter.component.id);
        link.from_id == exporter.id && of_it && link.dial.protocol == Protocol::OTLP_HTTP && link.answer().is_some()
    };
    let store = facts.links.iter().find(mine)?.to;
    let config = store.written.iter().find(|it| store.product() == Some(Product::Prometheus) && it.role == "config")?;
    // Some may be left out.
    let all = config.document.at(PROMOTION).filter(|it| it.as_bool() == Some(true))?;
    config.document.at(EXCEPTIONS).is_none().then_some((all, Some(store)))
}

/// The attributes that a processor adds and that change with every start, with what lists them.
fn churning<'a>(part: &Part<'a>) -> Option<(Vec<&'a str>, Option<&'a Origin>)> {
    let (fact, _) = part.usable()?;
    let adds = fact.adds()?;
    let list = part.component.setting(&adds.setting);
    let all: Vec<&str> = match list {
        Some(value) => value.as_seq()?.iter().filter_map(Value::as_str).collect(),
        None if part.component.setting("extract").is_some_and(|it| it.as_str().is_some()) => return None,
        None => adds.default.iter().map(String::as_str).collect(),
    };
    let churning: Vec<&str> = all.into_iter().filter(|it| otelcol::churns(it)).collect();
    (!churning.is_empty()).then_some((churning, list.map(|value| &value.mark)))
}

/// The attributes that detectors add and that change with every start, with what lists the detectors. Where several
/// platforms are asked about, nobody can tell which of them it is.
fn detected<'a>(part: &Part<'a>) -> Option<(Vec<&'a str>, Option<&'a Origin>)> {
    let (fact, _) = part.usable()?;
    let detects = fact.detects()?;
    let list = part.component.setting(&detects.setting)?;
    let named: Vec<&str> = list.as_seq()?.iter().map(Value::as_str).collect::<Option<_>>()?;
    let mut platforms = named.into_iter().filter(|it| !detects.everywhere.iter().any(|known| known == it));
    let (platform, None) = (platforms.next()?, platforms.next()) else { return None };
    // A list of what to keep, or a word of run time instead of settings, may leave them out.
    let chosen = part.component.setting(platform).is_some_and(|it| it.as_map().is_none());
    if chosen || part.component.setting("attributes").is_some() {
        return None;
    }
    let settings = part.component.setting(&format!("{platform}.resource_attributes"));
    let on = |name: &&str| match settings {
        Some(settings) => settings.as_map().is_some_and(|map| {
            map.get(name).is_none_or(|it| it.at("enabled").is_none_or(|it| it.as_bool() == Some(true)))
        }),
        None => true,
    };
    let found: Vec<&str> = detects.finds.get(platform)?.iter().map(String::as_str).filter(on).collect();
    (!found.is_empty()).then_some((found, Some(&list.mark)))
}

#[cfg(test)]
mod tests {
    use crate::test_support::Bench;

    fn labels(conversion: &str, extract: &str, processors: &str) -> Bench {
        Bench::collector(
            "0.140.0",
            &format!(
                "processors: {{k8sattributes: {{{extract}}}, resource: {{attributes: [{{key: k8s.pod.uid, action: delete}}, \
                 {{key: k8s.pod.start_time, action: delete}}]}}}}\n\
                 exporters: {{prometheusremotewrite: {{endpoint: 'http://m/api/v1/push', \
                 resource_to_telemetry_conversion: {{enabled: {conversion}}}}}}}\n\
                 service: {{pipelines: {{metrics: {{receivers: [otlp], processors: [{processors}], \
                 exporters: [prometheusremotewrite]}}}}}}"
            ),
        )
    }

    #[test]
    fn warns_of_what_is_added_by_itself_and_on_request() {
        labels("true", "", "k8sattributes").finds("M008", "true");
        labels("true", "extract: {metadata: [container.id]}", "k8sattributes").finds("M008", "true");
    }

    fn detects(settings: &str) -> Bench {
        Bench::collector(
            "0.140.0",
            &format!(
                "processors: {{resourcedetection: {{{settings}}}}}\n\
                 exporters: {{prometheusremotewrite: {{endpoint: 'http://m/api/v1/push', \
                 resource_to_telemetry_conversion: {{enabled: true}}}}}}\n\
                 service: {{pipelines: {{metrics: {{receivers: [otlp], processors: [resourcedetection], \
                 exporters: [prometheusremotewrite]}}}}}}"
            ),
        )
    }

    #[test]
    fn warns_of_what_is_found_out() {
        detects("detectors: [env, ecs]").finds("M008", "true");
        detects("detectors: [env, system, lambda]").finds("M008", "true");
        let one = "lambda: {resource_attributes: {faas.instance: {enabled: false}}}";
        detects(&format!("detectors: [lambda], {one}")).finds("M008", "true");
    }

    #[test]
    fn silent_about_what_stays_or_is_left_out() {
        detects("detectors: [env, system, docker, ec2]").silent("M008");
        // Where it runs, nobody can tell.
        detects("detectors: [env, ec2, ecs, eks]").silent("M008");
        detects("detectors: [ecs], ecs: {resource_attributes: {aws.ecs.task.arn: {enabled: false}}}").silent("M008");
        detects("detectors: [ecs], ecs: '${env:E}'").silent("M008");
        detects("detectors: '${env:D}'").silent("M008");
        detects("detectors: ['${env:D}', ecs]").silent("M008");
    }

    #[test]
    fn warns_where_prometheus_makes_them() {
        let sends = |otlp: &str, processors: &str| {
            let compose = "services:\n  otel:\n    image: otel/opentelemetry-collector-contrib:0.140.0\n    volumes: \
                           ['./c.yaml:/etc/otelcol-contrib/config.yaml']\n  prom:\n    image: prom/prometheus:v3.5.0\n    \
                           command: [--config.file=/p.yml, --web.enable-otlp-receiver]\n    volumes: \
                           ['./p.yml:/p.yml']\n";
            let otel = format!(
                "receivers: {{otlp: {{protocols: {{grpc: }}}}}}\nprocessors: {{k8sattributes: }}\nexporters: {{otlphttp: \
                 {{endpoint: 'http://prom:9090/api/v1/otlp'}}}}\nservice: {{pipelines: {{metrics: {{receivers: [otlp], \
                 processors: [{processors}], exporters: [otlphttp]}}}}}}\n"
            );
            let prometheus = format!("otlp: {{{otlp}}}\n");
            Bench::project(&[("compose.yaml", compose), ("c.yaml", &otel), ("p.yml", &prometheus)])
        };
        sends("promote_all_resource_attributes: true", "k8sattributes").finds("M008", "true");
        sends("promote_all_resource_attributes: true", "").silent("M008");
        sends("promote_all_resource_attributes: false", "k8sattributes").silent("M008");
        sends("promote_resource_attributes: [service.name]", "k8sattributes").silent("M008");
        sends("promote_all_resource_attributes: true, ignore_resource_attributes: [k8s.pod.uid]", "k8sattributes")
            .silent("M008");
    }

    #[test]
    fn passes_without_them() {
        labels("true", "extract: {metadata: [k8s.node.name]}", "k8sattributes").silent("M008");
        labels("false", "", "k8sattributes").silent("M008");
        labels("true", "", "k8sattributes, resource").silent("M008");
    }

    #[test]
    fn silent_when_it_is_not_known() {
        labels("true", "extract: {metadata: '${env:M}'}", "k8sattributes").silent("M008");
        labels("'${env:C}'", "", "k8sattributes").silent("M008");
        labels("true", "", "k8sattributes, unknown_to_us").silent("M008");
    }
}
