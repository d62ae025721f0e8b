use telstack_catalog::{ComponentKind, otelcol::Trait};
use telstack_diagnostics::{Change, Fix, RuleInfo, Severity};
use telstack_system::Pipeline;

use crate::{
    Cx, Rule,
    facts::{Part, Place, nanoseconds},
    repair,
    words::is_reference,
};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        code: "D009",
        name: "batch-before-persistent-queue",
        severity: Severity::Info,
        summary: "A `batch` processor keeps in memory what the queue behind it would keep on disk.",
        why: "What `batch` collects is lost when the collector is killed: up to a batch of each pipeline. And it says yes \
              to the sender before the queue has anything, so that nobody hears of a queue that is full. The queue can \
              make the batches itself, of what it holds on disk already.",
        bad: "processors: {memory_limiter: {…}, batch: {timeout: 1s}}
exporters: {otlp_grpc: {endpoint: 'gw:4317', sending_queue: {storage: file_storage}}}
service: {pipelines: {logs: {receivers: [otlp], processors: [memory_limiter, batch], exporters: [otlp_grpc]}}}",
        good: "processors: {memory_limiter: {…}}
exporters:
  otlp_grpc:
    endpoint: gw:4317
    sending_queue: {storage: file_storage, batch: {flush_timeout: 1s, min_size: 8192, sizer: items}}
service: {pipelines: {logs: {receivers: [otlp], processors: [memory_limiter], exporters: [otlp_grpc]}}}",
        silent: "Releases before 0.130.0, whose queues on disk make no batches; another exporter of the pipeline has no \
                 queue on disk, so that it needs the processor; a stack description, in which `durable` makes the queue.",
        sources: &[
            "https://github.com/open-telemetry/opentelemetry-collector/issues/12711",
            "https://github.com/open-telemetry/opentelemetry-collector/issues/11018",
            "https://github.com/open-telemetry/opentelemetry-collector/blob/main/docs/rfcs/batching-migration.md",
        ],
    },
    check,
};

const STORAGE: &str = "sending_queue.storage";
const BATCH: &str = "sending_queue.batch";
/// What a queue counts by is the same as what its batches are counted by, until this setting is there: and one on disk
/// counts requests, of which no batch is made.
const SIZER: &str = "sending_queue.batch.sizer";

fn check(cx: &mut Cx<'_>) {
    if !cx.system.from_files {
        return;
    }
    for place in Place::all(cx.system).filter(|place| !place.pipeline.open) {
        let exporters: Option<Vec<&Part<'_>>> = place.exporters(cx.facts).map(|(_, part)| part).collect();
        let Some(exporters) = exporters.filter(|all| !all.is_empty() && all.iter().all(|part| keeps(part))) else {
            continue;
        };
        let batch = place.processors(cx.facts).find(|(_, part)| part.is_some_and(|it| it.has(Trait::Batches)));
        let Some((reference, Some(batch))) = batch else { continue };
        let Some(storage) = exporters[0].component.setting(STORAGE) else { continue };
        let message =
            format!("`{}` keeps in memory what the queue of {} would keep on disk", reference.id, exporters[0].title());
        let finding = cx
            .finding(message, &reference.origin, "lost when the collector is killed")
            .label(storage.mark.span(), "kept on disk")
            .help(format!("let the queue make the batches: `{BATCH}`, and take `{}` out", reference.id));
        let title = format!("let the queue make the batches in place of `{}`", reference.id);
        let fix = moved(batch, &exporters, place.pipeline, reference).map(|it| Fix::unsafe_(title, it));
        cx.report_once(repair::with(finding, fix));
    }
}

/// Does an exporter keep its queue on disk, and can that queue make batches?
fn keeps(part: &Part<'_>) -> bool {
    part.component.kind == ComponentKind::Exporter
        && part.knows(SIZER)
        && part.truth("sending_queue.enabled") != Some(false)
        && part.component.setting(STORAGE).is_some_and(|it| it.as_str().is_some_and(|it| !it.is_empty()))
}

/// The sizes of the processor, as the queues know them, and the pipeline without it.
fn moved(
    batch: &Part<'_>,
    exporters: &[&Part<'_>],
    pipeline: &Pipeline,
    reference: &telstack_system::Reference,
) -> Option<Vec<Change>> {
    // Batches of one tenant each are made otherwise.
    if batch.component.setting("metadata_keys").is_some() {
        return None;
    }
    let timeout = batch.text("timeout").filter(|it| nanoseconds(it).is_some_and(|it| it > 0.0))?;
    let (size, most) = (batch.number("send_batch_size")?, batch.number("send_batch_max_size")?);
    // What the processor may not have, queues may not have either (D008).
    let fits = (most == 0 || size <= most) && exporters.iter().all(|part| holds(part, size));
    if !fits {
        return None;
    }
    let most = if most > 0 { format!(", max_size: {most}") } else { String::new() };
    let new = format!("{{flush_timeout: {timeout}, min_size: {size}{most}, sizer: items}}");
    let mut changes = repair::without_processor(pipeline, reference)?;
    for part in exporters.iter().filter(|part| part.component.setting(BATCH).is_none()) {
        changes.extend(repair::set(&part.component.origin, &part.component.settings, BATCH, &new)?);
    }
    Some(changes)
}

/// Can the queue of an exporter hold a batch of so many items? Where it counts something else, it can.
fn holds(part: &Part<'_>, items: i64) -> bool {
    match part.component.setting("sending_queue.sizer") {
        None => true,
        Some(sizer) if sizer.as_str().is_some_and(|it| it != "items" && !is_reference(it)) => true,
        Some(_) => part.number("sending_queue.queue_size").is_some_and(|size| size >= items),
    }
}

#[cfg(test)]
mod tests {
    use telstack_diagnostics::{Applicability, Severity};

    use crate::test_support::Bench;

    fn yaml(processors: &str, exporter: &str, exporters: &str) -> String {
        format!(
            "processors:\n  memory_limiter: {{check_interval: 1s, limit_mib: 400}}\n  batch: {{send_batch_max_size: 10000}}\n\
             exporters:\n  debug:\n  otlp:\n    endpoint: gw:4317\n    sending_queue:\n{exporter}\nservice:\n  pipelines:\n    logs:\n      \
             receivers: [otlp]\n      processors: {processors}\n      exporters: [{exporters}]\n"
        )
    }

    fn collector(version: &str, yaml: &str) -> Bench {
        let mut bench = Bench::collector(version, yaml);
        bench.system.from_files = true;
        bench
    }

    const DISK: &str = "      storage: file_storage";

    #[test]
    fn tells_and_moves_the_sizes() {
        let bench = collector("0.140.0", &yaml("[memory_limiter, batch]", DISK, "otlp"));
        assert_eq!(bench.finds("D009", "batch"), Severity::Info);
        let sizes = "      batch: {flush_timeout: 200ms, min_size: 8192, max_size: 10000, sizer: items}";
        let after = yaml("[memory_limiter]", &format!("{DISK}\n{sizes}"), "otlp");
        assert_eq!(bench.fixes("D009", &after), Applicability::Unsafe);
        collector("0.140.0", &after).silent("D009");
    }

    #[test]
    fn moves_nothing_that_the_queue_would_refuse() {
        let text = yaml("[memory_limiter, batch]", DISK, "otlp");
        let small = text.replace("send_batch_max_size: 10000", "send_batch_max_size: 1000");
        collector("0.140.0", &small).leaves("D009");
        let queue = |size: u64| format!("{DISK}\n      sizer: items\n      queue_size: {size}");
        collector("0.140.0", &yaml("[memory_limiter, batch]", &queue(100), "otlp")).leaves("D009");
        let after = yaml(
            "[memory_limiter]",
            &format!(
                "{}\n      batch: {{flush_timeout: 200ms, min_size: 8192, max_size: 10000, sizer: items}}",
                queue(9000)
            ),
            "otlp",
        );
        collector("0.140.0", &yaml("[memory_limiter, batch]", &queue(9000), "otlp")).fixes("D009", &after);
    }

    #[test]
    fn takes_it_out_of_lines_too() {
        let before = "\n      - memory_limiter\n      - batch # last";
        let own = format!("{DISK}\n      batch: {{flush_timeout: 1s, min_size: 10, sizer: items}}");
        let bench = collector("0.140.0", &yaml(before, &own, "otlp"));
        bench.fixes("D009", &yaml("\n      - memory_limiter", &own, "otlp"));
        // Alone, nothing would be left of the list.
        collector("0.140.0", &yaml("[batch]", DISK, "otlp")).leaves("D009");
    }

    #[test]
    fn passes_without_the_one_or_the_other() {
        collector("0.140.0", &yaml("[memory_limiter]", DISK, "otlp")).silent("D009");
        collector("0.140.0", &yaml("[batch]", "      queue_size: 10", "otlp")).silent("D009");
    }

    #[test]
    fn silent_where_it_is_needed() {
        // One on disk makes no batches there.
        collector("0.129.0", &yaml("[batch]", DISK, "otlp")).silent("D009");
        collector("0.140.0", &yaml("[batch]", DISK, "otlp, debug")).silent("D009");
        collector("0.140.0", &yaml("[batch]", &format!("{DISK}\n      enabled: false"), "otlp")).silent("D009");
        Bench::collector("0.140.0", &yaml("[batch]", DISK, "otlp")).silent("D009");
    }
}
