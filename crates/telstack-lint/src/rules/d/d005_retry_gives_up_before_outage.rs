use telstack_catalog::{Version, otelcol};
use telstack_diagnostics::{Fix, RuleInfo, Severity};
use telstack_system::{Known, units::Period};

use crate::{Cx, Rule, facts::Part, repair};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        code: "D005",
        name: "retry-gives-up-before-outage",
        severity: Severity::Warning,
        summary: "A queue is kept on disk, but its batches are dropped after five minutes of trying.",
        why: "A queue on disk is there for outages. A batch that is taken from it is retried only as long as \
              `max_elapsed_time` says, five minutes by itself, and is then dropped, however much of the disk is free. \
              In an outage of an hour the queue throws away batch after batch.",
        bad: r#"collector "gateway" {
    receiver "otlp"
    extension "file_storage" { directory "/var/lib/otelcol" }
    exporter "otlp_grpc" { endpoint "hub.example:4317"; sending_queue storage="file_storage" }
    pipeline "traces" { from "otlp"; to "otlp_grpc" }
}"#,
        good: r#"collector "gateway" {
    receiver "otlp"
    pipeline "traces" { from "otlp"; to "tempo" }
    durable     // queues on disk, and no end to trying
}"#,
        silent: "The queue is in memory; five minutes or more are written: then that is meant; retrying is switched \
                 off; the value comes from the environment; releases before 0.92.0, which put a batch back.",
        sources: &[
            "https://github.com/open-telemetry/opentelemetry-collector/issues/8382",
            "https://github.com/open-telemetry/opentelemetry-collector/issues/7480",
            "https://github.com/open-telemetry/opentelemetry-collector/issues/15324",
        ],
    },
    check,
};

const STORAGE: &str = "sending_queue.storage";
const END: &str = "retry_on_failure.max_elapsed_time";

fn check(cx: &mut Cx<'_>) {
    for part in cx.facts.parts.iter().filter(|part| part.runs()) {
        let Some((_, version)) = part.usable().filter(|(_, version)| otelcol::gives_up_for_good(*version)) else {
            continue;
        };
        let Some(storage) = part.component.setting(STORAGE).filter(|it| it.as_str().is_some()) else { continue };
        let on = |path: &str| part.truth(path) == Some(true);
        if !part.knows(END) || part.lacks(STORAGE) || !on("retry_on_failure.enabled") || !on("sending_queue.enabled") {
            continue;
        }
        let Some((end, written)) = end(part, version) else { continue };
        let at = written.map_or(&storage.mark, |value| &value.mark);
        let message = format!("{} drops what its queue on disk holds after {end} of an outage", part.title());
        let remark = if written.is_some() { "the end of trying" } else { "kept on disk, for outages" };
        let mut finding = cx.finding(message, at, remark);
        if written.is_some() {
            finding = finding.label(storage.mark.span(), "kept on disk, for outages");
        } else {
            finding = finding.note(format!("`{END}` is {end} where it is not written"));
        }
        finding = finding.help(format!("write `{END}: 0s`, which is no end, or the longest outage to live through"));
        if !cx.system.from_files && part.collector.delivery.is_none() {
            finding = finding.help("write `durable` in the collector: queue, storage and retrying follow from it");
        }
        let change = repair::set(&part.component.origin, &part.component.settings, END, "0s");
        let fix = change.filter(|_| cx.system.from_files).map(|it| Fix::unsafe_("try until it is delivered", it));
        cx.report(repair::with(finding, fix));
    }
}

/// When a batch is dropped, if nobody says so, or sooner than by itself. A time that is written is meant.
fn end<'a>(part: &Part<'a>, version: Version) -> Option<(Period, Option<&'a telstack_system::Value>)> {
    let (fact, _) = part.usable()?;
    let default = Period::parse(fact.default_value(END, version)?.as_str()?)?;
    match part.component.period(END) {
        Known::Absent => Some((default, None)),
        Known::Value(end) if end.millis() > 0 && end < default => Some((end, part.component.setting(END))),
        Known::Value(_) | Known::Unknown => None,
    }
}

#[cfg(test)]
mod tests {
    use telstack_diagnostics::Applicability;

    use crate::test_support::Bench;

    fn exporter(version: &str, settings: &str) -> Bench {
        Bench::collector(
            version,
            &format!(
                "extensions: {{file_storage: }}\n\
                 exporters: {{otlp: {{endpoint: 'gw:4317', {settings}}}}}\n\
                 service: {{extensions: [file_storage], pipelines: {{logs: {{receivers: [otlp], exporters: [otlp]}}}}}}"
            ),
        )
    }

    #[test]
    fn warns_of_the_default_and_of_less() {
        exporter("0.140.0", "sending_queue: {storage: file_storage}").finds("D005", "file_storage");
        exporter("0.140.0", "sending_queue: {storage: file_storage}, retry_on_failure: {max_elapsed_time: 60s}")
            .finds("D005", "60s");
    }

    #[test]
    fn passes_without_an_end_or_with_a_later_one() {
        for end in ["0s", "0", "5m", "24h", "'${env:END}'"] {
            let settings =
                format!("sending_queue: {{storage: file_storage}}, retry_on_failure: {{max_elapsed_time: {end}}}");
            exporter("0.140.0", &settings).silent("D005");
        }
    }

    #[test]
    fn silent_in_memory_and_where_nothing_is_retried_and_where_batches_are_put_back() {
        exporter("0.140.0", "sending_queue: {queue_size: 10}").silent("D005");
        exporter("0.140.0", "sending_queue: {storage: file_storage}, retry_on_failure: {enabled: false}")
            .silent("D005");
        exporter("0.90.0", "sending_queue: {storage: file_storage}").silent("D005");
    }

    #[test]
    fn it_can_try_until_it_is_delivered() {
        let otel = |more: &str| {
            format!(
                "extensions: {{file_storage: }}\nreceivers: {{otlp: {{protocols: {{grpc: }}}}}}\nexporters:\n  otlp:\n    endpoint: \
                 gw:4317\n    sending_queue: # on disk\n      storage: file_storage\n{more}service: {{extensions: \
                 [file_storage], pipelines: {{logs: {{receivers: [otlp], exporters: [otlp]}}}}}}\n"
            )
        };
        let compose = "services:\n  otel:\n    image: otel/opentelemetry-collector-contrib:0.140.0\n    volumes: \
                       ['./o.yaml:/etc/otelcol-contrib/config.yaml']\n";
        for (before, after) in [
            ("", "    retry_on_failure:\n      max_elapsed_time: 0s\n"),
            (
                "    retry_on_failure: {max_elapsed_time: 60s} # short\n",
                "    retry_on_failure: {max_elapsed_time: 0s} # short\n",
            ),
        ] {
            let bench = Bench::project(&[("compose.yaml", compose), ("o.yaml", &otel(before))]);
            assert_eq!(bench.fixed("D005", &otel(after)), Applicability::Unsafe);
        }
    }
}
