use telstack_catalog::otelcol::{Bound, Unusual, unusual_service};
use telstack_diagnostics::{RuleInfo, Severity};
use telstack_syntax::tree::Kind;
use telstack_system::Value;

use crate::{Cx, Rule, facts::nanoseconds, words::is_reference};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        code: "Y010",
        name: "unusual-value",
        severity: Severity::Info,
        summary: "A setting has a value that works, and seldom does what whoever wrote it wants.",
        why: "Each is told what comes of it: a queue that is full at once, a batch that waits for minutes, a log that \
              grows with all that passes, a page for developers that everybody reaches.",
        bad: "processors: {batch: {timeout: 1ms}}
service: {pipelines: {traces: {receivers: [otlp], processors: [batch], exporters: [debug]}}}",
        good: "processors: {batch: {timeout: 1s}}
service: {pipelines: {traces: {receivers: [otlp], processors: [batch], exporters: [debug]}}}",
        silent: "What run time decides; components that nothing uses; a stack description.",
        sources: &[
            "https://opentelemetry.io/docs/collector/scaling/",
            "https://opentelemetry.io/docs/security/config-best-practices/",
        ],
    },
    check,
};

fn check(cx: &mut Cx<'_>) {
    if !cx.system.from_files {
        return;
    }
    let mut found: Vec<(String, String, &Value, &'static Unusual)> = Vec::new();
    for part in cx.facts.parts.iter().filter(|part| part.runs()) {
        let Some((fact, _)) = part.usable() else { continue };
        let rows: Vec<&'static Unusual> = fact.unusual().collect();
        let settings = &part.component.settings;
        let mut here = Vec::new();
        walk(settings, "", &mut |path, value| {
            let of = rows.iter().filter(|row| row.is_at(path) && is_unusual(row, value));
            let of = of.filter(|row| row.unless.iter().all(|other| settings.at(other).is_none()));
            here.extend(of.map(|row| (part.title(), path.to_owned(), value, *row)));
        });
        found.append(&mut here);
    }
    for (_, _, collector) in cx.system.collectors() {
        for entry in &collector.telemetry {
            walk(&entry.value, &format!("telemetry.{}", entry.key), &mut |path, value| {
                let rows = unusual_service().filter(|row| row.is_at(path) && is_unusual(row, value));
                found.extend(rows.map(|row| ("`service`".to_owned(), path.to_owned(), value, row)));
            });
        }
    }
    for (owner, path, value, row) in found {
        let said = said(value).unwrap_or_default();
        let finding = cx
            .finding(format!("`{path}` of {owner} is `{said}`: {}", row.so), &value.mark, "works, and is seldom meant")
            .help(row.help.as_str());
        cx.report_once(finding);
    }
}

/// All plain values below a value, with their paths, in which items of lists have no number.
fn walk<'a>(value: &'a Value, path: &str, see: &mut impl FnMut(&str, &'a Value)) {
    match &value.kind {
        Kind::Map(map) => {
            for entry in map {
                let below = if path.is_empty() { entry.key.clone() } else { format!("{path}.{}", entry.key) };
                walk(&entry.value, &below, see);
            }
        }
        Kind::Seq(seq) => seq.items.iter().for_each(|item| walk(item, path, see)),
        _ => see(path, value),
    }
}

/// A plain value as it is written.
fn said(value: &Value) -> Option<String> {
    let number = || value.as_int().map(|it| it.to_string());
    let text = value.as_str().map(str::to_owned).or_else(number);
    text.or_else(|| value.as_bool().map(|it| it.to_string()))
}

fn is_unusual(row: &Unusual, value: &Value) -> bool {
    let Some(said) = said(value).filter(|it| !is_reference(it)) else { return false };
    let measured = |bound: &Bound| match bound {
        Bound::Duration(bound) => Some((nanoseconds(&said)?, nanoseconds(bound)?)),
        Bound::Number(bound) => Some((said.parse().ok()?, *bound)),
    };
    // Nothing at all is a choice of its own: `timeout: 0s`.
    let below = |bound| measured(bound).is_some_and(|(it, bound)| it > 0.0 && it < bound);
    let above = |bound| measured(bound).is_some_and(|(it, bound)| it > bound);
    row.below.as_ref().is_some_and(below)
        || row.above.as_ref().is_some_and(above)
        || row.is.contains(&said)
        || row.ends.iter().any(|end| said.ends_with(end.as_str()))
        || row.reaches && reaches_out(&said)
}

/// Does an address listen for others than this host?
fn reaches_out(address: &str) -> bool {
    let host = address.rsplit_once(':').map_or(address, |(host, _)| host);
    !(host.eq_ignore_ascii_case("localhost") || host.starts_with("127.") || matches!(host, "[::1]" | "::1"))
}

#[cfg(test)]
mod tests {
    use crate::test_support::Bench;

    fn collector(yaml: &str) -> Bench {
        let mut bench = Bench::collector("0.158.0", yaml);
        bench.system.from_files = true;
        bench
    }

    fn batch(timeout: &str) -> Bench {
        collector(&format!(
            "processors: {{batch: {{timeout: {timeout}}}}}\n\
             service: {{pipelines: {{traces: {{receivers: [otlp], processors: [batch], exporters: [debug]}}}}}}"
        ))
    }

    #[test]
    fn tells_of_numbers_durations_words_and_lists() {
        batch("1ms").finds("Y010", "1ms");
        batch("5m").finds("Y010", "5m");
        collector("service: {telemetry: {logs: {level: debug}}}").finds("Y010", "debug");
        let cors = "receivers: {otlp: {protocols: {http: {cors: {allowed_origins: ['*']}}}}}\n\
                    service: {pipelines: {traces: {receivers: [otlp]}}}";
        collector(cors).finds("Y010", "'*'");
        collector("extensions: {pprof: {endpoint: '0.0.0.0:1777'}}\nservice: {extensions: [pprof]}")
            .finds("Y010", "'0.0.0.0:1777'");
    }

    #[test]
    fn passes_on_what_is_common() {
        batch("1s").silent("Y010");
        collector("extensions: {pprof: {endpoint: 'localhost:1777'}}\nservice: {extensions: [pprof]}").silent("Y010");
    }

    #[test]
    fn silent_about_nothing_at_all_and_about_run_time() {
        batch("0s").silent("Y010");
        batch("'${env:TIMEOUT}'").silent("Y010");
        collector("processors: {batch: {timeout: 1ms}}").silent("Y010");
        let kept = "exporters: {otlp_grpc: {retry_on_failure: {max_elapsed_time: 0s}, sending_queue: {storage: file_storage}}}\n\
                    service: {pipelines: {traces: {exporters: [otlp_grpc]}}}";
        collector(kept).silent("Y010");
        collector(&kept.replace("storage: file_storage", "")).finds("Y010", "0s");
        let large = kept.replace("{storage", "{queue_size: 100000, storage");
        collector(&large).silent("Y010");
        collector(&large.replace(", storage: file_storage", "").replace("0s", "5m")).finds("Y010", "100000");
    }
}
