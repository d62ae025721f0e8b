use std::collections::HashSet;

use telstack_catalog::otelcol::Trait;
use telstack_diagnostics::{Fix, RuleInfo, Severity};
use telstack_system::{Purpose, Value};

use crate::{
    Cx, Rule,
    facts::{Arrival, Link, Place},
    repair,
    words::{is_reference, ticked},
};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        code: "P008",
        name: "resource-detection-overrides",
        severity: Severity::Warning,
        summary: "A gateway writes its own host over the one that the sender named.",
        why: "`resource_detection` finds out what the collector itself runs on, and by default replaces what is there. \
              On a gateway every host of the fleet then has the name of the gateway.",
        bad: r#"collector "agent" { receiver "otlp"; pipeline "traces" { from "otlp"; to "gateway" } }
collector "gateway" {
    receiver "otlp"
    processor "resource_detection" { detectors "system" "ec2" }
    pipeline "traces" { from "otlp"; to "tempo" }
}"#,
        good: r#"collector "agent" { receiver "otlp"; pipeline "traces" { from "otlp"; to "gateway" } }
collector "gateway" {
    receiver "otlp"
    processor "resource_detection" { detectors "system" "ec2"; override #false }
    pipeline "traces" { from "otlp"; to "tempo" }
}"#,
        silent: "No collector of the stack sends to the pipeline; only the `env` detector runs; the setting comes from \
                 the environment.",
        sources: &[
            "https://github.com/open-telemetry/opentelemetry-collector-contrib/tree/main/processor/resourcedetectionprocessor",
        ],
    },
    check,
};

const OVERRIDE: &str = "override";
/// The detector that reads what the stack says of the process itself.
const ENV: &str = "env";

fn check(cx: &mut Cx<'_>) {
    let facts = cx.facts;
    let mut told = HashSet::new();
    for place in Place::all(cx.system) {
        let Some((reference, part)) = place
            .processors(facts)
            .filter_map(|(it, part)| Some((it, part?)))
            .find(|(_, it)| it.has(Trait::DetectsResources))
        else {
            continue;
        };
        // It replaces unless told otherwise.
        let replaces = part.component.setting(OVERRIDE).is_none_or(|it| it.as_bool() == Some(true));
        let Some(link) = facts.links.iter().find(|link| sends(link, &place)).filter(|_| replaces) else { continue };
        let detectors = part.component.setting("detectors").and_then(Value::as_seq).unwrap_or_default();
        let named = detectors.iter().filter_map(Value::as_str).filter(|it| *it != ENV && !is_reference(it));
        let named: Vec<&str> = named.collect();
        // One processor in several pipelines is one mistake.
        if named.is_empty() || !told.insert((place.id, &part.component.id)) {
            continue;
        }
        let at = part.component.setting(OVERRIDE).map_or(&part.component.origin, |value| &value.mark);
        let message = format!(
            "{} replaces what `{}` says of its host by what it finds by {}",
            part.title(),
            link.from.name,
            ticked(&named)
        );
        let finding = cx
            .finding(message, at, "replaces what the sender named")
            .label(link.dial.origin.span(), format!("`{}` sends here", link.from.name))
            .label(reference.origin.span(), format!("in pipeline `{}`", place.pipeline.id()))
            .help(format!("set `{OVERRIDE}: false`"))
            .help("detect resources in the agents, where the data comes from");
        let change = repair::set(&part.component.origin, &part.component.settings, OVERRIDE, "false");
        let fix =
            change.filter(|_| cx.system.from_files).map(|it| Fix::unsafe_(format!("set `{OVERRIDE}: false`"), it));
        cx.report(repair::with(finding, fix));
    }
}

/// Does another collector send to that pipeline?
fn sends(link: &Link<'_>, place: &Place<'_>) -> bool {
    let Arrival::Answer(listener) = &link.arrival else { return false };
    let fed = |owner: &telstack_system::ComponentRef| place.pipeline.receivers.iter().any(|it| it.id == owner.id);
    link.purpose == Purpose::Telemetry
        && link.to_id == place.id
        && link.from_id != place.id
        && link.from.collector().is_some()
        && listener.signals.contains(place.pipeline.signal)
        && listener.owner.as_ref().is_some_and(fed)
}

#[cfg(test)]
mod tests {
    use telstack_catalog::{ComponentKind, Distribution};
    use telstack_system::{ComponentId, ComponentRef, Protocol};

    use crate::test_support::Bench;

    fn gateway(settings: &str, sent: bool) -> Bench {
        let mut bench = Bench::new("grpc dials");
        let yaml = format!(
            "processors: {{resourcedetection: {{{settings}}}}}\n\
             service: {{pipelines: {{traces: {{receivers: [otlp], processors: [resourcedetection]}}}}}}"
        );
        let gateway = bench.add_collector("gateway", Distribution::Contrib, "0.140.0", &yaml);
        let mut grpc = bench.listener("otlp-grpc", 4317, "grpc");
        grpc.owner = Some(ComponentRef { kind: ComponentKind::Receiver, id: ComponentId::parse("otlp") });
        bench.node(gateway).listeners.push(grpc);
        if sent {
            let agent = bench.add_collector("agent", Distribution::Contrib, "0.140.0", "");
            let edge = bench.edge(Protocol::OTLP_GRPC, "gateway", 4317, "dials");
            bench.system.connect(agent, gateway, edge);
        }
        bench
    }

    #[test]
    fn warns_on_a_gateway() {
        gateway("detectors: [env, system]", true).finds("P008", "resourcedetection");
        gateway("detectors: [ec2], override: true", true).finds("P008", "true");
    }

    #[test]
    fn passes_where_the_sender_is_left_alone() {
        gateway("detectors: [system], override: false", true).silent("P008");
        gateway("detectors: [env]", true).silent("P008");
    }

    #[test]
    fn silent_on_agents_and_where_it_is_not_known() {
        gateway("detectors: [system]", false).silent("P008");
        gateway("detectors: [system], override: '${env:O}'", true).silent("P008");
        gateway("detectors: '${env:D}'", true).silent("P008");
    }
}
