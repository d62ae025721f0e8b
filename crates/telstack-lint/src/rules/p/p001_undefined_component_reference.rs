use telstack_catalog::{ComponentKind, otelcol};
use telstack_diagnostics::{Fix, RuleInfo, Severity};
use telstack_system::{Alerter, ComponentId, NodeId, Reference, Sourced};

use crate::{
    Cx, Rule, facts, repair,
    words::{article, either, is_reference, nearest},
};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        code: "P001",
        name: "undefined-component-reference",
        severity: Severity::Error,
        summary: "A pipeline or `service.extensions` names a component that is not declared, or a route of \
                  Alertmanager a receiver or a time interval.",
        why: "The collector does not start: `references processor \"x\" which is not configured`. Often the component \
              is declared under another name, or in the section of another kind. Alertmanager refuses to start, \
              too: `undefined receiver \"x\" used in route`, `undefined time interval \"x\" used in route`.",
        bad: r"processors: {batch: {}}
service: {pipelines: {traces: {receivers: [otlp], processors: [batch/big], exporters: [debug]}}}",
        good: r"processors: {batch/big: {}}
service: {pipelines: {traces: {receivers: [otlp], processors: [batch/big], exporters: [debug]}}}",
        silent: "In a stack description it is Z006. The component is declared but not there at that release (V001, \
                 V002): that is reported once, where it is declared. A file by itself whose name \
                 says that it is put on top of one beside it (`collector.prod.yaml`), which declares all that is \
                 missing.",
        sources: &[
            "https://github.com/open-telemetry/opentelemetry-collector/issues/8721",
            "https://github.com/open-telemetry/opentelemetry-collector/issues/12645",
            "https://prometheus.io/docs/alerting/latest/configuration/#route",
        ],
    },
    check,
};

fn check(cx: &mut Cx<'_>) {
    use ComponentKind::{Connector, Exporter, Extension, Processor, Receiver};
    for (id, _, _, _, pipeline) in facts::pipelines(cx.system) {
        let place = format!("pipeline `{}`", pipeline.id());
        for (references, kinds) in [
            (&pipeline.receivers, &[Receiver, Connector][..]),
            (&pipeline.processors, &[Processor]),
            (&pipeline.exporters, &[Exporter, Connector]),
        ] {
            for reference in references {
                judge(cx, id, reference, kinds, &place);
            }
        }
    }
    for (id, _, collector) in cx.system.collectors() {
        for reference in &collector.extensions {
            judge(cx, id, reference, &[Extension], "`service.extensions`");
        }
    }
    for (_, node) in cx.system.nodes() {
        node.alerter().into_iter().for_each(|it| routes(cx, it));
    }
}

/// Routes of Alertmanager to receivers, or by time intervals, that there are not.
fn routes(cx: &mut Cx<'_>, alerter: &Alerter) {
    // Without any receivers it is a piece of a configuration.
    if alerter.receivers.is_empty() || alerter.receivers.iter().any(|it| is_reference(&it.value)) {
        return;
    }
    undeclared(cx, &alerter.routed, &alerter.receivers, "receiver", "receivers");
    if let Some(intervals) = alerter.intervals.as_ref().filter(|all| !all.iter().any(|it| is_reference(&it.value))) {
        undeclared(cx, &alerter.timed, intervals, "time interval", "time_intervals");
    }
}

/// Names in routes that are not among those that the section declares.
fn undeclared(cx: &mut Cx<'_>, named: &[Sourced<String>], all: &[Sourced<String>], what: &str, section: &str) {
    let known: Vec<&str> = all.iter().map(|it| it.value.as_str()).collect();
    for route in named.iter().filter(|it| !known.contains(&it.value.as_str()) && !is_reference(&it.value)) {
        let message = format!("a route of Alertmanager names the {what} `{}`, which is not declared", route.value);
        let mut finding = cx.finding(message, &route.origin, format!("no such {what}: Alertmanager does not start"));
        if let Some(slip) = nearest(&route.value, known.iter().copied()) {
            let declared = all.iter().find(|it| it.value == slip).and_then(|it| it.origin.span());
            finding =
                finding.label(declared, format!("`{slip}` is declared here")).help(format!("did you mean `{slip}`?"));
            let change = repair::word(&route.origin, &route.value, slip);
            finding = repair::with(finding, change.map(|it| Fix::unsafe_(format!("name `{slip}`"), it)));
        }
        cx.report(finding.help(format!("declare it below `{section}`: `- name: {}`", route.value)));
    }
}

fn judge(cx: &mut Cx<'_>, node: NodeId, reference: &Reference, kinds: &[ComponentKind], place: &str) {
    let id = &reference.id;
    let Some(wiring) = cx.facts.wiring(node) else { return };
    let collector = wiring.collector();
    if kinds.iter().any(|kind| wiring.component(*kind, id).is_some() || collector.may_have_more(*kind)) {
        return;
    }
    let kind = kinds[0];
    let message = format!("{place} names {kind} `{id}`, which is not declared");
    let mut finding = cx.finding(message, &reference.origin, format!("no such {}", either(kinds)));
    let elsewhere = ComponentKind::ALL.iter().find_map(|kind| wiring.component(*kind, id));
    let declared = || collector.components.iter().filter(|it| kinds.contains(&it.kind));
    let alias = || {
        kinds.iter().find_map(|kind| {
            let names = otelcol::component(*kind, &id.ty)?.names();
            let same = |name| wiring.component(*kind, &ComponentId::new(name, id.name.as_deref()));
            names.into_iter().find_map(same)
        })
    };
    // What only the other of the kinds can be.
    let kind = kinds.iter().copied().find(|it| otelcol::component(*it, &id.ty).is_some()).unwrap_or(kind);
    if let Some(other) = elsewhere.filter(|_| alias().is_none()) {
        finding = finding
            .label(other.origin.span(), format!("`{id}` is {} {} here", article(other.kind.as_str()), other.kind))
            .help(format!(
                "declare {} {kind} `{id}` as well, or name it where {} belong",
                article(kind.as_str()),
                other.kind.section()
            ));
    } else if let Some(alias) = alias() {
        finding = finding
            .label(alias.origin.span(), "the same component under another name")
            .help(format!("name it `{}`, as it is declared", alias.id));
        let change = repair::word(&reference.origin, &id.ty, &alias.id.ty);
        finding = repair::with(finding, change.map(|it| Fix::safe(format!("name it `{}`", alias.id), it)));
    } else if cx.may_compare(collector.components.len()) {
        let names: Vec<String> = declared().map(|it| it.id.to_string()).collect();
        let text = id.to_string();
        let slip = nearest(&text, names.iter().map(String::as_str));
        if let Some(slip) = slip {
            let origin = declared().find(|it| it.id.to_string() == slip).and_then(|it| it.origin.span());
            finding =
                finding.label(origin, format!("`{slip}` is declared here")).help(format!("did you mean `{slip}`?"));
            let change = repair::word(&reference.origin, &text, slip);
            finding = repair::with(finding, change.map(|it| Fix::unsafe_(format!("name `{slip}`"), it)));
        }
        finding = finding.help(
            cx.words(format!("declare it: `{kind} \"{id}\"`"), format!("declare `{id}` below `{}`", kind.section())),
        );
    } else {
        finding = finding.help(
            cx.words(format!("declare it: `{kind} \"{id}\"`"), format!("declare `{id}` below `{}`", kind.section())),
        );
    }
    cx.report_once(finding);
}

#[cfg(test)]
mod tests {
    use telstack_diagnostics::Applicability;

    use crate::test_support::Bench;

    fn pipeline(processors: &str) -> Bench {
        let yaml = format!(
            "receivers: {{otlp: {{protocols: {{grpc: }}}}}}\nprocessors: {{batch: }}\nexporters: {{debug: }}\n\
             service: {{pipelines: {{traces: {{receivers: [otlp], processors: [{processors}], exporters: [debug]}}}}}}"
        );
        Bench::collector("0.158.0", &yaml)
    }

    #[test]
    fn fails_on_a_name_that_is_not_declared() {
        pipeline("batch/big").finds("P001", "batch/big");
        pipeline("debug").finds("P001", "debug");
    }

    #[test]
    fn fails_in_the_list_of_extensions() {
        Bench::collector("0.158.0", "service: {extensions: [zpages]}").finds("P001", "zpages");
    }

    #[test]
    fn passes_when_all_are_declared() {
        pipeline("batch").silent("P001");
    }

    #[test]
    fn silent_when_the_component_is_declared_but_gone() {
        let bench = Bench::collector(
            "0.130.0",
            "exporters: {logging: }\nservice: {pipelines: {traces: {receivers: [], exporters: [logging]}}}",
        );
        bench.silent("P001");
        bench.finds("V001", "logging");
    }

    #[test]
    fn references_can_be_put_right() {
        let yaml = |name: &str, reference: &str| {
            format!(
                "processors: {{{name}: }}\nservice:\n  pipelines:\n    traces:\n      processors:\n        \
                 - {reference} # mine\n"
            )
        };
        let slip = Bench::collector("0.158.0", &yaml("batch", "batsh"));
        assert_eq!(slip.fixed("P001", &yaml("batch", "batch")), Applicability::Unsafe);
        let alias = Bench::collector("0.158.0", &yaml("k8s_attributes", "k8sattributes"));
        assert_eq!(alias.fixed("P001", &yaml("k8s_attributes", "k8s_attributes")), Applicability::Safe);
    }

    #[test]
    fn says_what_the_name_can_be() {
        let yaml = |reference: &str| {
            format!(
                "receivers: {{otlp: {{protocols: {{grpc: }}}}}}\nexporters: {{otlp_grpc: {{endpoint: 'a:1'}}}}\n\
                 service: {{pipelines: {{traces: {{receivers: [otlp], exporters: [{reference}]}}}}}}\n"
            )
        };
        // A receiver has that name, and the exporter another one.
        let alias = Bench::collector("0.158.0", &yaml("otlp"));
        assert_eq!(alias.fixed("P001", &yaml("otlp_grpc")), Applicability::Safe);
        let helps = Bench::collector("0.158.0", &yaml("spanmetrics")).helps("P001");
        assert!(helps.iter().any(|it| it == "declare it: `connector \"spanmetrics\"`"), "{helps:?}");
        let helps = Bench::collector("0.158.0", &yaml("debug")).helps("P001");
        assert!(helps.iter().any(|it| it == "declare it: `exporter \"debug\"`"), "{helps:?}");
    }

    fn routes(receiver: &str) -> Bench {
        let text = format!(
            "route:\n  receiver: team\n  routes:\n  - {{matchers: [a=b], receiver: {receiver}}}\nreceivers:\n- name: team\n- name: pager\n"
        );
        Bench::file(telstack_catalog::product::Product::Alertmanager, "0.28.0", &text)
    }

    #[test]
    fn fails_on_a_route_to_nobody() {
        routes("nobody").finds("P001", "nobody");
        routes("pagr").finds("P001", "pagr");
    }

    #[test]
    fn passes_on_a_route_to_somebody() {
        routes("pager").silent("P001");
        // To be filled in.
        routes("'{{ .Values.receiver }}'").silent("P001");
    }

    fn timed(route: &str, more: &str) -> Bench {
        let text = format!(
            "route:\n  receiver: team\n  routes:\n  - {{matchers: [a=b], {route}}}\nreceivers:\n- name: team\n{more}"
        );
        Bench::file(telstack_catalog::product::Product::Alertmanager, "0.28.0", &text)
    }

    #[test]
    fn fails_on_a_time_interval_that_is_not_declared() {
        const NIGHTS: &str = "[{name: nights, time_intervals: [{weekdays: [saturday]}]}]\n";
        let declared = |key: &str| format!("{key}: {NIGHTS}");
        for key in ["mute_time_intervals", "active_time_intervals"] {
            timed(&format!("{key}: [night]"), "").finds("P001", "night");
            timed(&format!("{key}: [night]"), &declared("time_intervals")).finds("P001", "night");
            // Both sections declare for both keys.
            timed(&format!("{key}: [nights]"), &declared("time_intervals")).silent("P001");
            timed(&format!("{key}: [nights]"), &declared("mute_time_intervals")).silent("P001");
            // To be filled in.
            timed(&format!("{key}: ['{{{{ .Values.nights }}}}']"), "").silent("P001");
            timed(&format!("{key}: [nights]"), "time_intervals: '{{ .Values.intervals }}'\n").silent("P001");
        }
    }
}
