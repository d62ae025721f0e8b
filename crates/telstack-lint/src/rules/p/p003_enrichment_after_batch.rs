use telstack_catalog::ComponentKind;
use telstack_diagnostics::{Fix, RuleInfo, Severity};
use telstack_syntax::tree::Kind;
use telstack_system::{Component, Value};

use crate::{Cx, Rule, facts, facts::Part, repair};

/// Puts requests of several senders into one.
const BATCH: &str = "batch";
/// Where that names headers that it keeps.
const KEPT: &str = "metadata_keys";

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        code: "P003",
        name: "enrichment-after-batch",
        severity: Severity::Error,
        summary: "A processor that needs the sender's connection runs behind one that has regrouped the data.",
        why: "`batch`, `tail_sampling` and `groupbytrace` join data of many senders. After them there is no connection \
              to ask for an address or a header: the pod is not found, the attribute stays empty, and nothing is \
              logged.",
        bad: r#"collector "agent" {
    receiver "otlp"
    processor "batch"
    processor "k8s_attributes" { pod_association { - { sources { - from="connection" } } } }
    pipeline "traces" { from "otlp"; through "batch" "k8s_attributes"; to "tempo" }
}"#,
        good: r#"collector "agent" {
    receiver "otlp"
    processor "batch"
    processor "k8s_attributes" { pod_association { - { sources { - from="connection" } } } }
    pipeline "traces" { from "otlp"; through "k8s_attributes" "batch"; to "tempo" }
}"#,
        silent: "The pod is found by resource attributes that the agent has set; `batch` keeps the headers asked for \
                 (`metadata_keys`). Where no association is written it is a warning.",
        sources: &[
            "https://github.com/open-telemetry/opentelemetry-collector-contrib/issues/29630",
            "https://github.com/open-telemetry/opentelemetry-collector-contrib/issues/32857",
            "https://github.com/open-telemetry/opentelemetry-collector/issues/4544",
        ],
    },
    check,
};

fn check(cx: &mut Cx<'_>) {
    for (id, _, _, _, pipeline) in facts::pipelines(cx.system) {
        let mut regrouped = None;
        for (at, reference) in pipeline.processors.iter().enumerate() {
            let Some(part) = cx.facts.named(id, ComponentKind::Processor, &reference.id) else { continue };
            if let (Some((first, keeps_headers)), Some(need)) = (regrouped, need(part)) {
                if need == Need::Header && keeps_headers == Keeps::Some {
                    continue;
                }
                let (first_at, first): (usize, &telstack_system::Reference) = first;
                let message = format!(
                    "{} needs the sender's {}, but runs behind `{}` in pipeline `{}`",
                    part.title(),
                    if need == Need::Header { "headers" } else { "address" },
                    first.id,
                    pipeline.id()
                );
                let lost = if need == Need::Header { "their headers are" } else { "their addresses are" };
                let finding = cx
                    .finding(message, &reference.origin, format!("here {lost} no longer known"))
                    .label(first.origin.span(), format!("joins data of many senders: {lost} lost"))
                    .severity(if need == Need::AddressByDefault { Severity::Warning } else { Severity::Error })
                    .help(format!("put `{}` in front of `{}`", reference.id, first.id));
                let finding = match need {
                    Need::Header if keeps_headers == Keeps::None => finding,
                    Need::Header => finding.help(format!("name the headers in `{KEPT}` of `{}`", first.id)),
                    _ => finding.help("associate by `k8s.pod.ip` or `k8s.pod.uid`, set by the agent on the node"),
                };
                let change = repair::processor_to(pipeline, at, first_at);
                let title = || format!("put `{}` in front of `{}`", reference.id, first.id);
                cx.report_once(repair::with(finding, change.map(|it| Fix::unsafe_(title(), it))));
            }
            if regrouped.is_none() && regroups(part) {
                let keeps = match part.component.setting(KEPT) {
                    Some(_) => Keeps::Some,
                    None if part.is(BATCH) => Keeps::Ready,
                    None => Keeps::None,
                };
                regrouped = Some(((at, reference), keeps));
            }
        }
    }
}

fn regroups(part: &Part<'_>) -> bool {
    part.is(BATCH) || part.usable().is_some_and(|(fact, _)| fact.is_stateful_by_trace())
}

/// Does what regroups keep headers?
#[derive(Clone, Copy, PartialEq)]
enum Keeps {
    /// Those that it is told to.
    Some,
    /// It could be told to.
    Ready,
    /// It cannot.
    None,
}

/// What a processor needs of the connection.
#[derive(Clone, Copy, PartialEq)]
enum Need {
    /// The sender's address, as written.
    Address,
    /// The sender's address, because nothing else is written.
    AddressByDefault,
    /// A header.
    Header,
}

fn need(part: &Part<'_>) -> Option<Need> {
    let (fact, _) = part.usable()?;
    if from_context(&part.component.settings) {
        return Some(Need::Header);
    }
    if fact.context_reader() { association(part.component) } else { None }
}

/// By what pods are found: the first association that matches wins, so one that needs no connection is enough.
fn association(component: &Component) -> Option<Need> {
    if component.truth("passthrough").value() == Some(true) {
        return Some(Need::Address);
    }
    let Some(rules) = component.setting("pod_association") else { return Some(Need::AddressByDefault) };
    let rules = rules.as_seq().filter(|rules| !rules.is_empty())?;
    let by_connection = |source: &Value| source.at("from").and_then(|from| from.as_str()) == Some("connection");
    let needs_connection = |rule: &Value| match rule.at("sources").and_then(|sources| sources.as_seq()) {
        Some(sources) => sources.iter().any(by_connection),
        None => by_connection(rule),
    };
    rules.iter().all(needs_connection).then_some(Need::Address)
}

/// Does a setting take its value from the request's metadata?
fn from_context(value: &Value) -> bool {
    match &value.kind {
        Kind::Map(map) => map.iter().any(|entry| {
            let metadata =
                || entry.value.as_str().is_some_and(|it| it.starts_with("metadata.") || it.starts_with("client."));
            (entry.key == "from_context" && metadata()) || from_context(&entry.value)
        }),
        Kind::Seq(seq) => seq.items.iter().any(from_context),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use telstack_diagnostics::{Applicability, Severity};

    use crate::test_support::Bench;

    fn pipeline(attributes: &str, processors: &str) -> Bench {
        let yaml = format!(
            "processors: {{batch: , k8sattributes: {{{attributes}}}}}\n\
             service: {{pipelines: {{traces: {{receivers: [otlp], processors: [{processors}], exporters: [debug]}}}}}}"
        );
        Bench::collector("0.140.0", &yaml)
    }

    const BY_CONNECTION: &str = "pod_association: [{sources: [{from: connection}]}]";

    #[test]
    fn fails_behind_batch() {
        let bench = pipeline(BY_CONNECTION, "batch, k8sattributes");
        assert_eq!(bench.finds("P003", "k8sattributes"), Severity::Error);
    }

    #[test]
    fn one_order_for_two_pipelines_is_reported_once() {
        let mut bench = pipeline(BY_CONNECTION, "batch, k8sattributes");
        let collector = bench.first().collector_mut().expect("collector");
        let mut other = collector.pipelines[0].clone();
        other.name = Some("again".to_owned());
        collector.pipelines.push(other);
        bench.finds("P003", "k8sattributes");
    }

    #[test]
    fn warns_where_no_association_is_written() {
        assert_eq!(pipeline("", "batch, k8sattributes").finds("P003", "k8sattributes"), Severity::Warning);
    }

    #[test]
    fn passes_in_front_of_batch() {
        pipeline(BY_CONNECTION, "k8sattributes, batch").silent("P003");
    }

    #[test]
    fn silent_when_attributes_find_the_pod() {
        let by_attribute = "pod_association: [{sources: [{from: resource_attribute, name: k8s.pod.uid}]}, {sources: [{from: connection}]}]";
        pipeline(by_attribute, "batch, k8sattributes").silent("P003");
    }

    #[test]
    fn the_order_can_be_put_right() {
        let yaml = |order: &str| {
            format!(
                "processors: {{batch: , filter: , k8sattributes: {{{BY_CONNECTION}}}}}\nservice:\n  pipelines:\n    \
                 traces:\n      receivers: [otlp]\n      processors:{order}      exporters: [debug]\n"
            )
        };
        let before = yaml("\n        - batch # many\n        - filter\n        # the pod\n        - k8sattributes\n");
        let after = yaml("\n        # the pod\n        - k8sattributes\n        - batch # many\n        - filter\n");
        assert_eq!(Bench::collector("0.140.0", &before).fixed("P003", &after), Applicability::Unsafe);
    }

    #[test]
    fn names_settings_that_there_are() {
        let helps = |processor: &str, settings: &str| {
            let yaml = format!(
                "processors: {{{processor}: {{{settings}}}, attributes: {{actions: [{{key: t, action: insert, from_context: \
                 metadata.t}}]}}}}\nservice: {{pipelines: {{traces: {{receivers: [otlp], processors: [{processor}, \
                 attributes], exporters: [debug]}}}}}}"
            );
            Bench::collector("0.158.0", &yaml).helps("P003").join("; ")
        };
        assert!(helps("batch", "").contains("`metadata_keys` of `batch`"));
        assert!(!helps("groupbytrace", "").contains("metadata_keys"));
        assert!(helps("groupbytrace", "").contains("in front of"));
        assert_eq!(helps("batch", "metadata_keys: [t]"), "");
    }
}
