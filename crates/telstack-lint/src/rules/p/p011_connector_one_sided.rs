use telstack_catalog::{ComponentKind, Signal, SignalSet};
use telstack_diagnostics::{Diagnostic, RuleInfo, Severity};
use telstack_system::{Mention, Origin, Pipeline, Reference};

use crate::{Cx, Rule, facts::Part};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        code: "P011",
        name: "connector-one-sided",
        severity: Severity::Error,
        summary: "A connector does not join two pipelines: one side is missing, or it cannot turn the one signal into \
                  the other.",
        why: "A connector is an exporter of one pipeline and a receiver of another. With one side missing, or with a \
              pair of signals that it does not know, the collector does not start.",
        bad: r#"collector "gateway" {
    receiver "otlp"
    connector "spanmetrics"
    pipeline "traces" { from "otlp"; to "tempo" "spanmetrics" }
}"#,
        good: r#"collector "gateway" {
    receiver "otlp"
    connector "spanmetrics"
    pipeline "traces"  { from "otlp"; to "tempo" "spanmetrics" }
    pipeline "metrics" { from "spanmetrics"; to "prometheus" }
}"#,
        silent: "It is in no pipeline at all (P005); the signals that it joins at that release are not known.",
        sources: &[
            "https://github.com/open-telemetry/opentelemetry-collector/blob/main/connector/README.md",
            "https://github.com/open-telemetry/opentelemetry-collector/issues/8721",
        ],
    },
    check,
};

/// Mentions of a connector on one side.
type Mentions<'a> = Vec<(&'a Pipeline, &'a Reference)>;

fn check(cx: &mut Cx<'_>) {
    // What is missing here may have been written, and reported as not understood.
    if !cx.system.complete && !cx.system.from_files {
        return;
    }
    let connectors = cx.facts.parts.iter().filter(|it| it.component.kind == ComponentKind::Connector);
    for part in connectors.filter(|it| !it.wiring.has_open_pipelines()) {
        let fed = side(part, part.wiring.feeding(&part.component.id));
        let feeds = side(part, part.wiring.fed_by(&part.component.id));
        let findings = match (fed.first(), feeds.first()) {
            (Some((pipeline, reference)), None) => vec![one_sided(cx, part, pipeline, &reference.origin, true)],
            (None, Some((pipeline, reference))) => vec![one_sided(cx, part, pipeline, &reference.origin, false)],
            (Some(_), Some(_)) => unpaired(cx, part, &fed, &feeds),
            (None, None) => Vec::new(),
        };
        for finding in findings {
            cx.report_once(finding);
        }
    }
}

/// The first mention in each pipeline.
fn side<'a>(part: &Part<'a>, mentions: &[Mention<'a>]) -> Mentions<'a> {
    let mut mentions = mentions.to_vec();
    mentions.dedup_by_key(|(at, _)| *at);
    mentions.into_iter().map(|(at, reference)| (&part.collector.pipelines[at], reference)).collect()
}

fn one_sided(cx: &Cx<'_>, part: &Part<'_>, pipeline: &Pipeline, at: &Origin, fed: bool) -> Diagnostic {
    let id = &part.component.id;
    let (does, lacks, word, list) = if fed {
        ("takes data from", "no pipeline takes data from it", "from", "receivers")
    } else {
        ("gives data to", "no pipeline feeds it", "to", "exporters")
    };
    let message = format!("{} {does} pipeline `{}`, but {lacks}", part.title(), pipeline.id());
    let mut finding =
        cx.finding(message, at, "one side only").label(part.component.origin.span(), "declared here").help(cx.words(
            format!("name it in another pipeline: `{word} \"{id}\"`"),
            format!("name it among the `{list}` of another pipeline"),
        ));
    let pairs = part.usable().and_then(|(fact, version)| fact.pairs(version)).unwrap_or_default();
    let fits = |(from, to): &&(Signal, Signal)| pipeline.signal == if fed { *from } else { *to };
    for (from, to) in pairs.iter().filter(fits) {
        finding = finding.note(format!("it turns {from} into {to}"));
    }
    finding
}

/// Each pipeline on one side needs one on the other that the connector can join it to.
fn unpaired(cx: &Cx<'_>, part: &Part<'_>, fed: &Mentions<'_>, feeds: &Mentions<'_>) -> Vec<Diagnostic> {
    let known = part.usable().and_then(|(fact, version)| Some((fact.pairs(version)?, version)));
    let Some((pairs, version)) = known.filter(|(pairs, _)| !pairs.is_empty()) else { return Vec::new() };
    let turns = || {
        let words: Vec<String> = pairs.iter().map(|(from, to)| format!("{from} into {to}")).collect();
        format!("at {version} it turns {}", words.join(", "))
    };
    let mut findings = Vec::new();
    let (before, behind): (SignalSet, SignalSet) =
        (fed.iter().map(|it| it.0.signal).collect(), feeds.iter().map(|it| it.0.signal).collect());
    let is_fed = |to: &Pipeline| pairs.iter().any(|pair| pair.1 == to.signal && before.contains(pair.0));
    let feeds_one = |from: &Pipeline| pairs.iter().any(|pair| pair.0 == from.signal && behind.contains(pair.1));
    for (from, reference) in fed.iter().filter(|(from, _)| !feeds_one(from)) {
        let makes: SignalSet = pairs.iter().filter(|pair| pair.0 == from.signal).map(|pair| pair.1).collect();
        let takes = format!("{} takes {} from pipeline `{}`", part.title(), from.signal, from.id());
        let message = if makes.is_empty() {
            format!("{takes}, but cannot turn them into anything")
        } else {
            format!("{takes}, but feeds no pipeline of {makes}")
        };
        let mut finding = cx.finding(message, &reference.origin, format!("takes {} here", from.signal));
        if !makes.is_empty() {
            finding = finding.help(cx.words(
                format!("name it in a pipeline of {makes}: `from \"{}\"`", part.component.id),
                format!("name it among the `receivers` of a pipeline of {makes}"),
            ));
        }
        let (to, other) = feeds[0];
        findings.push(finding.label(other.origin.span(), format!("cannot give {} here", to.signal)).note(turns()));
    }
    // A pair that does not fit is one finding, not one for each end.
    if !findings.is_empty() {
        return findings;
    }
    for (to, reference) in feeds.iter().filter(|(to, _)| !is_fed(to)) {
        let from_what: SignalSet = pairs.iter().filter(|pair| pair.1 == to.signal).map(|pair| pair.0).collect();
        let gives = format!("{} is to give {} to pipeline `{}`", part.title(), to.signal, to.id());
        let message = if from_what.is_empty() {
            format!("{gives}, but cannot make them from anything")
        } else {
            format!("{gives}, but no pipeline of {from_what} feeds it")
        };
        let mut finding = cx.finding(message, &reference.origin, format!("cannot give {} here", to.signal));
        if !from_what.is_empty() {
            finding = finding.help(cx.words(
                format!("name it in a pipeline of {from_what}: `to \"{}\"`", part.component.id),
                format!("name it among the `exporters` of a pipeline of {from_what}"),
            ));
        }
        let (from, other) = fed[0];
        findings.push(finding.label(other.origin.span(), format!("takes {} here", from.signal)).note(turns()));
    }
    findings
}

#[cfg(test)]
mod tests {
    use crate::test_support::Bench;

    fn collector(pipelines: &str) -> Bench {
        let yaml = format!(
            "receivers: {{otlp: {{protocols: {{grpc: }}}}}}\nexporters: {{debug: }}\nconnectors: {{spanmetrics: }}\n\
             service: {{pipelines: {{{pipelines}}}}}"
        );
        Bench::collector("0.140.0", &yaml)
    }

    #[test]
    fn fails_with_one_side() {
        collector("traces: {receivers: [otlp], exporters: [spanmetrics]}").finds("P011", "spanmetrics");
        collector("metrics: {receivers: [spanmetrics], exporters: [debug]}").finds("P011", "spanmetrics");
    }

    #[test]
    fn fails_with_signals_that_it_cannot_join() {
        let bench = collector(
            "traces: {receivers: [otlp], exporters: [spanmetrics]}, logs: {receivers: [spanmetrics], exporters: [debug]}",
        );
        bench.finds("P011", "spanmetrics");
    }

    #[test]
    fn passes_when_it_joins_two() {
        let bench = collector(
            "traces: {receivers: [otlp], exporters: [spanmetrics]}, metrics: {receivers: [spanmetrics], exporters: [debug]}",
        );
        bench.silent("P011");
    }

    #[test]
    fn silent_when_it_is_not_used() {
        let bench = collector("traces: {receivers: [otlp], exporters: [debug]}");
        bench.silent("P011");
        bench.finds("P005", "spanmetrics");
    }
}
