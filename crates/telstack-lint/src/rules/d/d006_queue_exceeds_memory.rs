use std::collections::BTreeMap;

use telstack_catalog::ComponentKind;
use telstack_diagnostics::{Diagnostic, RuleInfo, Severity};
use telstack_system::{Cluster, ComponentId, Container, NodeId, Origin, Sourced, cluster::Claim, units::Bytes};

use crate::{Cx, Rule, facts::Part, words::is_reference};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        code: "D006",
        name: "queue-exceeds-memory",
        severity: Severity::Warning,
        summary: "The queues may grow larger than the memory, or the claim of a disk, that the collector is given.",
        why: "A queue fills while its server does not answer, which is when the collector is killed for want of \
              memory, and everything in its queues is lost at once. On a disk that is full nothing more is queued.",
        bad: r#"collector "gateway" {
    resources memory="512MiB"
    receiver "otlp"
    exporter "otlp_grpc" { endpoint "hub.example:4317"; sending_queue sizer="bytes" queue_size=1000000000 }
    pipeline "traces" { from "otlp"; to "otlp_grpc" }
}"#,
        good: r#"collector "gateway" {
    resources memory="512MiB"
    receiver "otlp"
    exporter "otlp_grpc" { endpoint "hub.example:4317"; sending_queue sizer="bytes" queue_size=200000000 }
    pipeline "traces" { from "otlp"; to "otlp_grpc" }
}"#,
        silent: "A queue counts requests: how large one is nobody knows. One on disk counts anything but bytes, or is on no \
                 claim of these manifests. No limit of memory is known. \
                 Queues that count items are said as advice, at 1 KiB an item.",
        sources: &[
            "https://github.com/open-telemetry/opentelemetry-collector/issues/7359",
            "https://github.com/open-telemetry/opentelemetry-collector/tree/main/exporter/exporterhelper",
        ],
    },
    check,
};

const SIZE: &str = "sending_queue.queue_size";
const STORAGE: &str = "sending_queue.storage";
const SIZER: &str = "sending_queue.sizer";
/// What a span, a log record or a metric point takes, in bytes: more than most.
const ITEM: u64 = 1024;

fn check(cx: &mut Cx<'_>) {
    for (id, node, _) in cx.system.collectors() {
        if node.container.as_ref().is_some_and(Container::is_patched) {
            continue;
        }
        let granted = node.container.as_ref().and_then(|it| it.resources.memory.as_ref());
        let Some(memory) = granted.or(node.resources.memory.as_ref()) else { continue };
        let queues: Vec<Queue<'_>> =
            cx.facts.parts.iter().filter(|part| part.id == id && part.runs()).filter_map(queue).collect();
        if let Some(finding) = judge(cx, &queues, memory) {
            cx.report(finding);
        }
    }
    on_disk(cx);
}

/// Queues on a claim that asks for less than they may grow to.
fn on_disk(cx: &mut Cx<'_>) {
    let Some(cluster) = cx.system.cluster.as_deref() else { return };
    let mut claims: BTreeMap<(NodeId, &str), (&Claim, Vec<Queue<'_>>)> = BTreeMap::new();
    for part in cx.facts.parts.iter().filter(|it| it.runs()) {
        let Some((claim, queue)) = kept(cx, cluster, part) else { continue };
        claims.entry((part.id, claim.name.as_str())).or_insert((claim, Vec::new())).1.push(queue);
    }
    for (claim, queues) in claims.into_values() {
        let Some(size) = &claim.size else { continue };
        let all = queues.iter().fold(0_u64, |sum, it| sum.saturating_add(it.bytes));
        let Some(largest) = queues.iter().max_by_key(|it| it.bytes).filter(|_| all > size.value.bytes()) else {
            continue;
        };
        let (all, most) = (mebibytes(all), mebibytes(size.value.bytes()));
        let message = format!("queues of {all} on disk, and a claim of {most} to hold them");
        let mut finding = cx
            .finding(message, largest.at, format!("{} of {}", mebibytes(largest.bytes), largest.title))
            .label(size.span(), "all the disk that is asked for");
        for queue in queues.iter().filter(|it| !std::ptr::eq(it.at, largest.at)) {
            finding = finding.label(queue.at.span(), format!("{} of {}", mebibytes(queue.bytes), queue.title));
        }
        cx.report(finding.help("ask for more disk than the queues may take, or make them smaller"));
    }
}

/// The queue of an exporter that is counted in bytes and kept on a claim.
fn kept<'a>(cx: &Cx<'a>, cluster: &'a Cluster, part: &Part<'a>) -> Option<(&'a Claim, Queue<'a>)> {
    let storage = part.component.setting(STORAGE)?.as_str().filter(|it| !is_reference(it))?;
    let storage = cx.facts.named(part.id, ComponentKind::Extension, &ComponentId::parse(storage))?;
    let (_, version) = storage.usable()?;
    let directory = storage.component.storage_directory(version)?;
    let container = part.node.container.as_ref()?;
    let claim = cluster.claim(container.pod.as_deref()?, container.mount_of(&directory.value)?.source.volume()?)?;
    let size = part.component.setting(SIZE)?;
    let bytes = u64::try_from(part.number(SIZE)?).ok().filter(|_| part.text(SIZER) == Some("bytes"))?;
    let on = part.truth("sending_queue.enabled") == Some(true);
    on.then(|| (claim, Queue { bytes, exact: true, title: part.title(), at: &size.mark }))
}

fn mebibytes(bytes: u64) -> String {
    format!("{} MiB", bytes >> 20)
}

struct Queue<'a> {
    bytes: u64,
    /// Counted, not guessed by the number of items?
    exact: bool,
    title: String,
    at: &'a Origin,
}

fn queue<'a>(part: &Part<'a>) -> Option<Queue<'a>> {
    let stored = part.component.setting(STORAGE).is_some();
    if stored || part.truth("sending_queue.enabled") != Some(true) {
        return None;
    }
    let at = &part.component.setting(SIZE)?.mark;
    let size = u64::try_from(part.number(SIZE)?).ok()?;
    let (bytes, exact) = match part.text(SIZER)? {
        "bytes" => (size, true),
        "items" => (size.saturating_mul(ITEM), false),
        _ => return None,
    };
    Some(Queue { bytes, exact, title: part.title(), at })
}

fn judge(cx: &Cx<'_>, queues: &[Queue<'_>], memory: &Sourced<Bytes>) -> Option<Diagnostic> {
    let sum = |exact: bool| -> u64 {
        queues.iter().filter(|it| it.exact || !exact).fold(0, |sum, queue| sum.saturating_add(queue.bytes))
    };
    let (counted, guessed) = (sum(true), sum(false));
    let most = memory.value.bytes();
    let (size, severity) = match (counted > most, guessed > most) {
        (true, _) => (counted, Severity::Warning),
        (false, true) => (guessed, Severity::Info),
        (false, false) => return None,
    };
    let largest = queues.iter().filter(|it| it.exact || severity == Severity::Info).max_by_key(|it| it.bytes)?;
    let shown = mebibytes;
    let message = format!("queues of {} in memory, and {} to hold them", shown(size), shown(most));
    let mut finding = cx
        .finding(message, largest.at, format!("{} of {}", shown(largest.bytes), largest.title))
        .severity(severity)
        .label(memory.span(), "all the memory there is");
    for queue in queues.iter().filter(|it| !std::ptr::eq(it.at, largest.at) && (it.exact || severity == Severity::Info))
    {
        finding = finding.label(queue.at.span(), format!("{} of {}", shown(queue.bytes), queue.title));
    }
    if severity == Severity::Info {
        finding = finding.note("at 1 KiB an item");
    }
    Some(finding.help("make the queues smaller, give the collector more memory, or keep the queues on disk: `storage`"))
}

#[cfg(test)]
mod tests {
    use telstack_diagnostics::Severity;
    use telstack_system::{Sourced, units::Bytes};

    use crate::test_support::Bench;

    fn queue(settings: &str, mib: Option<u64>) -> Bench {
        let mut bench = Bench::collector(
            "0.158.0",
            &format!(
                "exporters: {{otlp_grpc: {{endpoint: 'gw:4317', sending_queue: {{{settings}}}}}}}\n\
                 service: {{pipelines: {{traces: {{receivers: [otlp], exporters: [otlp_grpc]}}}}}}"
            ),
        );
        let origin = bench.at("service");
        let id = bench.system.node_ids()[0];
        bench.container(id).resources.memory = mib.map(|it| Sourced::new(Bytes::from_mib(it), origin));
        bench
    }

    #[test]
    fn warns_where_bytes_are_counted_and_tells_where_items_are() {
        let bytes = queue("sizer: bytes, queue_size: 1000000000", Some(512));
        assert_eq!(bytes.finds("D006", "1000000000"), Severity::Warning);
        let items = queue("sizer: items, queue_size: 1000000", Some(512));
        assert_eq!(items.finds("D006", "1000000"), Severity::Info);
    }

    #[test]
    fn passes_where_there_is_room() {
        queue("sizer: bytes, queue_size: 200000000", Some(512)).silent("D006");
        queue("sizer: items, queue_size: 100000", Some(512)).silent("D006");
    }

    #[test]
    fn silent_for_requests_for_disks_and_without_a_limit() {
        queue("queue_size: 100000", Some(512)).silent("D006");
        queue("sizer: bytes, queue_size: 1000000000, storage: file_storage", Some(512)).silent("D006");
        queue("sizer: bytes, queue_size: 1000000000", None).silent("D006");
        queue("sizer: '${env:S}', queue_size: 1000000000", Some(512)).silent("D006");
    }

    #[test]
    fn warns_of_a_claim_that_is_too_small() {
        let bench = |sizer: &str, size: &str| {
            Bench::manifests(&format!(
                "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: c}}\ndata:\n  c.yaml: |\n    extensions: {{file_storage: \
                 {{directory: /q}}}}\n    receivers: {{otlp: {{protocols: {{grpc: }}}}}}\n    exporters: {{otlp_grpc: {{endpoint: \
                 'a.internal:4317', sending_queue: {{storage: file_storage, sizer: {sizer}, queue_size: \
                 2000000000}}}}}}\n    service: {{extensions: [file_storage], pipelines: {{traces: {{receivers: [otlp], exporters: \
                 [otlp_grpc]}}}}}}\n---\napiVersion: apps/v1\nkind: StatefulSet\nmetadata: {{name: s}}\nspec:\n  template:\n    \
                 spec:\n      securityContext: {{fsGroup: 10001}}\n      containers:\n      - name: otel\n        image: \
                 otel/opentelemetry-collector-contrib:0.153.0\n        args: [--config=/conf/c.yaml]\n        volumeMounts: \
                 [{{name: c, mountPath: /conf}}, {{name: q, mountPath: /q}}]\n      volumes: [{{name: c, configMap: {{name: \
                 c}}}}]\n  volumeClaimTemplates:\n  - metadata: {{name: q}}\n    spec: {{resources: {{requests: {{storage: \
                 {size}}}}}}}\n"
            ))
        };
        assert_eq!(bench("bytes", "1Gi").finds("D006", "2000000000"), Severity::Warning);
        bench("bytes", "2Gi").silent("D006");
        bench("items", "1Gi").silent("D006");
    }
}
