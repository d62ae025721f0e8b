use telstack_catalog::otelcol::{self, Trait};
use telstack_diagnostics::{Diagnostic, RuleInfo, Severity};
use telstack_system::{Collector, Origin, Value, glob};

use crate::{
    Cx, Rule,
    facts::{Follow, Part, Place, reached},
    words::is_reference,
};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        code: "F001",
        name: "filelog-self-ingestion",
        severity: Severity::Warning,
        summary: "A collector reads the log of its own container, and writes what it reads to it.",
        why: "Each line that is read is printed, becomes a new line of the container's log, and is read again, for \
              ever. With `verbosity: detailed` one line becomes a dozen, and the loop grows until disk or processor \
              give out.",
        bad: r#"collector "agent" {
    mount "/var/log/pods"
    receiver "file_log" { include "/var/log/pods/*/*/*.log" }
    exporter "debug" { verbosity "detailed" }
    pipeline "logs" { from "file_log"; to "debug" }
}"#,
        good: r#"collector "agent" {
    mount "/var/log/pods"
    receiver "file_log" {
        include "/var/log/pods/*/*/*.log"
        exclude "/var/log/pods/*/agent/*.log"
    }
    exporter "debug" { verbosity "detailed" }
    pipeline "logs" { from "file_log"; to "debug" }
}"#,
        silent: "Anything is excluded; the patterns name an application; a processor filters or a connector chooses; \
                 what is printed goes to a file, or is below the level that the collector logs at. An error where \
                 everything is printed (`detailed`).",
        sources: &[
            "https://github.com/open-telemetry/opentelemetry-helm-charts/pull/36",
            "https://github.com/open-telemetry/opentelemetry-collector-contrib/issues/35686",
        ],
    },
    check,
};

fn check(cx: &mut Cx<'_>) {
    let facts = cx.facts;
    for part in facts.parts.iter().filter(|part| part.has(Trait::FollowsFiles)) {
        let excluded = part.component.setting("exclude").is_some_and(|it| it.as_seq().is_none_or(|it| !it.is_empty()));
        let Some((pattern, at)) = own_output(part).filter(|_| !excluded) else { continue };
        for start in Place::fed_by(part) {
            let goes_on = |place: &Place<'_>| place.id == part.id && !place.may(facts, Trait::Chooses);
            for place in reached(cx.system, facts, start, Follow::All, goes_on) {
                for (reference, exporter) in place.exporters(facts) {
                    let Some(exporter) = exporter.filter(|it| prints(it)) else { continue };
                    let finding = told(cx, part, exporter, pattern, at);
                    cx.report_once(finding.label(reference.origin.span(), "prints what it is given to that log"));
                }
            }
        }
    }
}

/// The pattern that means the collector's own output.
fn own_output<'a>(part: &Part<'a>) -> Option<(&'a str, &'a Origin)> {
    let include = part.component.setting("include")?;
    let items = include.as_seq().unwrap_or(std::slice::from_ref(include));
    let mine = |text: &str| otelcol::own_logs().iter().any(|path| glob::matches(text, path));
    let texts = items.iter().filter_map(|item: &Value| Some((item.as_str()?, &item.mark)));
    let mut texts = texts.filter(|(text, _)| !is_reference(text));
    texts.find(|(text, _)| mine(text))
}

/// Does what it is given surely come out as the container's output?
fn prints(exporter: &Part<'_>) -> bool {
    if !exporter.has(Trait::Prints) {
        return false;
    }
    let log = |path: &str| telemetry(exporter.collector, path);
    if exporter.knows("use_internal_logger") && exporter.truth("use_internal_logger") != Some(true) {
        return exporter.truth("use_internal_logger") == Some(false)
            && exporter.component.setting("output_paths").is_none();
    }
    let shown = |value: &Value| value.as_str().is_some_and(|it| SHOWN.contains(&it.to_ascii_lowercase().as_str()));
    log("output_paths").is_none() && log("level").is_none_or(shown)
}

/// Levels of the collector's own log at which an exporter that prints is seen.
const SHOWN: [&str; 2] = ["info", "debug"];

fn telemetry<'a>(collector: &'a Collector, path: &str) -> Option<&'a Value> {
    collector.telemetry.get("logs")?.at(path)
}

fn told(cx: &Cx<'_>, part: &Part<'_>, exporter: &Part<'_>, pattern: &str, at: &Origin) -> Diagnostic {
    let all = exporter.text("verbosity") == Some("detailed");
    let message =
        format!("{} reads `{pattern}`, which is its own log too, and {} writes to it", part.title(), exporter.title());
    cx.finding(message, at, "the output of every container, its own among them")
        .severity(if all { Severity::Error } else { Severity::Warning })
        .help("`exclude` the files of the collector's own container")
        .help(format!("take `{}` out of the pipeline", exporter.component.id))
}

#[cfg(test)]
mod tests {
    use telstack_diagnostics::Severity;

    use crate::test_support::Bench;

    fn reads(receiver: &str, exporter: &str, more: &str) -> Bench {
        Bench::collector(
            "0.140.0",
            &format!(
                "receivers: {{filelog: {{{receiver}}}}}\n\
                 processors: {{filter: }}\n\
                 exporters: {{debug: {{{exporter}}}}}\n\
                 service: {{{more} pipelines: {{logs: {{receivers: [filelog], exporters: [debug]}}}}}}"
            ),
        )
    }

    #[test]
    fn fails_on_the_logs_of_all_containers() {
        let detailed = "verbosity: detailed";
        let found = reads("include: [/var/log/pods/*/*/*.log]", detailed, "").finds("F001", "/var/log/pods/*/*/*.log");
        assert_eq!(found, Severity::Error);
        for pattern in ["/var/log/containers/*.log", "/var/lib/docker/containers/*/*-json.log", "/var/log/**/*.log"] {
            assert_eq!(reads(&format!("include: [{pattern}]"), "", "").finds("F001", pattern), Severity::Warning);
        }
    }

    #[test]
    fn passes_when_excluded_or_named() {
        reads("include: [/var/log/pods/*/*/*.log], exclude: [/var/log/pods/*/otelcol/*.log]", "", "").silent("F001");
        reads("include: [/var/log/pods/shop_*/*/*.log]", "", "").silent("F001");
        reads("include: [/var/log/nginx/*.log]", "", "").silent("F001");
    }

    #[test]
    fn silent_when_it_is_not_printed_there() {
        let include = "include: [/var/log/pods/*/*/*.log]";
        reads(include, "", "telemetry: {logs: {level: warn}},").silent("F001");
        reads(include, "", "telemetry: {logs: {output_paths: [/tmp/x.log]}},").silent("F001");
        reads(include, "use_internal_logger: false, output_paths: [/tmp/x]", "").silent("F001");
        reads(include, "use_internal_logger: '${env:X}'", "").silent("F001");
    }
}
