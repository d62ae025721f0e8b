use telstack_diagnostics::{Diagnostic, RuleInfo, Severity};
use telstack_syntax::tree::Kind;
use telstack_system::{Origin, Value};

use crate::{
    Cx, Rule,
    facts::{Part, nanoseconds, unnoticed},
};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        code: "D008",
        name: "queue-config-contradiction",
        severity: Severity::Error,
        summary: "Two settings of a queue, batch or limiter contradict each other.",
        why: "The collector checks these when it starts and refuses: a batch that may never be as big as it should \
              get, a queue that cannot hold one batch, a limiter that never looks.",
        bad: r#"processor "batch" { send_batch_size 8192; send_batch_max_size 1000 }"#,
        good: r#"processor "batch" { send_batch_size 8192; send_batch_max_size 10000 }"#,
        silent: "A value comes from the environment; sizes that count different things (`sizer`); a queue or retry \
                 that is switched off. A component that nothing uses is a warning where the collector looks at it only \
                 when it builds it (`memory_limiter` before 0.92.0).",
        sources: &[
            "https://github.com/open-telemetry/opentelemetry-collector/blob/main/exporter/exporterhelper/README.md",
            "https://github.com/open-telemetry/opentelemetry-collector/blob/main/processor/memorylimiterprocessor/README.md",
            "https://github.com/open-telemetry/opentelemetry-collector/tree/main/exporter/exporterhelper/internal/queuebatch",
        ],
    },
    check,
};

/// `low` must not exceed `high`. Where one is not written its default counts; a `high` of zero often means
/// that there is no limit.
struct Order {
    low: &'static str,
    high: &'static str,
    zero_is_unlimited: bool,
    /// Equal is wrong too.
    strict: bool,
}

const fn order(low: &'static str, high: &'static str) -> Order {
    Order { low, high, zero_is_unlimited: true, strict: false }
}

/// What upstream compares when it starts.
const ORDERS: [Order; 9] = [
    order("send_batch_size", "send_batch_max_size"),
    order("sending_queue.batch.min_size", "sending_queue.batch.max_size"),
    order("sending_queue.batch.min_size", "sending_queue.queue_size"),
    order("retry_on_failure.initial_interval", "retry_on_failure.max_elapsed_time"),
    order("retry_on_failure.max_interval", "retry_on_failure.max_elapsed_time"),
    Order {
        zero_is_unlimited: false,
        ..order("min_gc_interval_when_hard_limited", "min_gc_interval_when_soft_limited")
    },
    Order { zero_is_unlimited: false, ..order("tls.min_version", "tls.max_version") },
    Order { strict: true, ..order("spike_limit_mib", "limit_mib") },
    Order { strict: true, ..order("spike_limit_percentage", "limit_percentage") },
];

/// What upstream wants above zero, if it is written.
const POSITIVE: [&str; 3] = ["check_interval", "sending_queue.queue_size", "sending_queue.num_consumers"];
/// The processor whose `check_interval` is meant.
const LIMITER: &str = "memory_limiter";

fn check(cx: &mut Cx<'_>) {
    for part in &cx.facts.parts {
        let mut told = Vec::new();
        for order in &ORDERS {
            // One value that is too low for two others is one mistake.
            if !told.contains(&order.high) && judge_order(cx, part, order) {
                told.push(order.high);
            }
        }
        for path in POSITIVE {
            judge_positive(cx, part, path);
        }
        judge_wait(cx, part);
    }
}

/// A number or duration, with what says so; none where it is not known.
struct Amount<'a> {
    value: f64,
    text: String,
    origin: Option<&'a Origin>,
}

fn amount<'a>(part: &Part<'a>, path: &str) -> Option<Amount<'a>> {
    if let Some(value) = part.component.setting(path) {
        let text = shown(value)?;
        return Some(Amount { value: number(value)?, text, origin: Some(&value.mark) });
    }
    let (fact, version) = part.usable()?;
    let default = fact.default_value(path, version)?;
    let value = default.as_f64().or_else(|| nanoseconds(default.as_str()?))?;
    let text = default.as_str().map_or_else(|| default.to_string(), str::to_owned);
    Some(Amount { value, text, origin: None })
}

fn number(value: &Value) -> Option<f64> {
    match &value.kind {
        #[allow(clippy::cast_precision_loss)]
        Kind::Int(number) => Some(*number as f64),
        // A release of TLS is a number in quotes.
        Kind::String(text) => nanoseconds(text).or_else(|| text.parse().ok()),
        _ => None,
    }
}

fn shown(value: &Value) -> Option<String> {
    match &value.kind {
        Kind::Int(number) => Some(number.to_string()),
        Kind::String(text) => Some(text.clone()),
        _ => None,
    }
}

/// Is the block that the setting stands in switched off?
fn is_off(part: &Part<'_>, path: &str) -> bool {
    let Some((block, _)) = path.split_once('.') else { return false };
    part.component.setting(&format!("{block}.enabled")).is_some_and(|value| value.as_bool() != Some(true))
}

fn judge_order(cx: &mut Cx<'_>, part: &Part<'_>, order: &Order) -> bool {
    let (Some(low), Some(high)) = (amount(part, order.low), amount(part, order.high)) else { return false };
    let fits = if order.strict { low.value < high.value } else { low.value <= high.value };
    let unlimited = order.zero_is_unlimited && high.value == 0.0;
    // Between two defaults there is no contradiction, and none between sizes of different things.
    let Some(at) = high.origin.or(low.origin) else { return false };
    if fits || unlimited || is_off(part, order.low) || !same_measure(part, order) {
        return false;
    }
    let relation = if order.strict { "is not below" } else { "exceeds" };
    let message = format!(
        "`{}` of {} is {}, which {relation} its `{}` of {}",
        order.low,
        part.title(),
        low.text,
        order.high,
        high.text
    );
    let by_default = |amount: &Amount<'_>| if amount.origin.is_none() { " by default" } else { "" };
    let (here, there) = if high.origin.is_some() { (order.high, order.low) } else { (order.low, order.high) };
    let amounts = if high.origin.is_some() { (&high, &low) } else { (&low, &high) };
    let mut finding = cx.finding(message, at, format!("`{here}` is {}", amounts.0.text));
    match amounts.1.origin {
        Some(origin) => finding = finding.label(origin.span(), format!("`{there}` is {}", amounts.1.text)),
        None => finding = finding.note(format!("`{there}` is {}{}", amounts.1.text, by_default(amounts.1))),
    }
    report(cx, part, finding.help(format!("raise `{}` or lower `{}`", order.high, order.low)));
    true
}

/// A batch's size and a queue's may count different things.
fn same_measure(part: &Part<'_>, order: &Order) -> bool {
    if !(order.high == "sending_queue.queue_size" && order.low == "sending_queue.batch.min_size") {
        return true;
    }
    // No batching is asked for, or nobody can say what is counted.
    let Some(batch) = part.component.setting("sending_queue.batch") else { return false };
    let sizer = |path: &str| -> Option<String> {
        match part.component.setting(path) {
            Some(value) => value.as_str().map(str::to_owned),
            None => {
                part.usable().and_then(|(fact, version)| fact.default_value(path, version)?.as_str().map(str::to_owned))
            }
        }
    };
    let both = (sizer("sending_queue.sizer"), sizer("sending_queue.batch.sizer"));
    batch.as_map().is_some() && both.0.is_some() && both.0 == both.1
}

fn judge_positive(cx: &mut Cx<'_>, part: &Part<'_>, path: &str) {
    let Some(value) = part.component.setting(path) else { return };
    let about = path.contains('.') || part.is(LIMITER);
    // Written and left empty is zero to the collector, not the default.
    let empty = matches!(value.kind, Kind::Null) && path.contains('.');
    let fits = number(value).is_none_or(|number| number > 0.0) && !empty;
    if !about || part.usable().is_none() || is_off(part, path) || fits {
        return;
    }
    let message = format!("`{path}` of {} must be above zero", part.title());
    let finding = cx.finding(message, &value.mark, "the collector does not start with this");
    let finding = match part.usable().and_then(|(fact, version)| fact.default_value(path, version)) {
        Some(default) => finding.help(format!("leave it out for upstream's default, {default}")),
        None => finding.help(format!("give `{path}` a value above zero, `1s` for an interval")),
    };
    report(cx, part, finding);
}

/// A queue on disk cannot make the sender wait for the outcome.
fn judge_wait(cx: &mut Cx<'_>, part: &Part<'_>) {
    let Some(wait) = part.component.setting("sending_queue.wait_for_result") else { return };
    let Some(storage) = part.component.setting("sending_queue.storage") else { return };
    if wait.as_bool() != Some(true) || matches!(storage.kind, Kind::Null) || is_off(part, "sending_queue.storage") {
        return;
    }
    let message = format!("{} cannot wait for the result of a queue on disk", part.title());
    let finding = cx
        .finding(message, &wait.mark, "waits until the data is sent")
        .label(storage.mark.span(), "keeps it on disk for later")
        .help("leave `wait_for_result` out: data on disk is safe")
        .help("leave `storage` out: the sender keeps what is not sent");
    report(cx, part, finding);
}

fn report(cx: &mut Cx<'_>, part: &Part<'_>, finding: Diagnostic) {
    cx.report(if part.is_compared() { finding } else { unnoticed(finding) });
}

#[cfg(test)]
mod tests {
    use telstack_diagnostics::Severity;

    use crate::test_support::Bench;

    fn batch(settings: &str) -> Bench {
        Bench::collector("0.158.0", &format!("processors: {{batch: {{{settings}}}}}"))
    }

    fn limiter(settings: &str) -> Bench {
        Bench::collector("0.158.0", &format!("processors: {{memory_limiter: {{{settings}}}}}"))
    }

    fn exporter(settings: &str) -> Bench {
        Bench::collector("0.158.0", &format!("exporters: {{otlp_grpc: {{endpoint: 'a:1', {settings}}}}}"))
    }

    #[test]
    fn fails_on_sizes_the_wrong_way_round() {
        batch("send_batch_size: 8192, send_batch_max_size: 1000").finds("D008", "1000");
        batch("send_batch_max_size: 100").finds("D008", "100");
        limiter("check_interval: 1s, limit_mib: 400, spike_limit_mib: 400").finds("D008", "400");
        exporter("sending_queue: {queue_size: 10, sizer: items, batch: {min_size: 20}}").finds("D008", "10");
        exporter("retry_on_failure: {initial_interval: 10s, max_elapsed_time: 5s}").finds("D008", "5s");
    }

    #[test]
    fn fails_on_zero_and_on_waiting_for_a_disk() {
        limiter("check_interval: 0s, limit_mib: 400").finds("D008", "0s");
        exporter("sending_queue: {queue_size: 0}").finds("D008", "0");
        exporter("sending_queue: {wait_for_result: true, storage: file_storage}").finds("D008", "true");
    }

    #[test]
    fn warns_of_what_nothing_uses_and_the_release_does_not_look_at() {
        let limiter = |version: &str, used: &str| {
            let yaml = format!(
                "processors: {{memory_limiter: {{limit_mib: 400, check_interval: 0s}}}}\n\
                 service: {{pipelines: {{traces: {{receivers: [otlp], processors: [{used}], exporters: [debug]}}}}}}"
            );
            Bench::collector(version, &yaml).finds("D008", "0s")
        };
        assert_eq!(limiter("0.91.0", ""), Severity::Warning);
        assert_eq!(limiter("0.91.0", "memory_limiter"), Severity::Error);
        assert_eq!(limiter("0.92.0", ""), Severity::Error);
        let yaml = "processors: {batch: {send_batch_size: 8192, send_batch_max_size: 1000}}";
        assert_eq!(Bench::collector("0.91.0", yaml).finds("D008", "1000"), Severity::Error);
    }

    #[test]
    fn passes_the_right_way_round() {
        batch("send_batch_size: 8192, send_batch_max_size: 8192").silent("D008");
        batch("send_batch_max_size: 0").silent("D008");
        limiter("check_interval: 1s, limit_mib: 400, spike_limit_mib: 100").silent("D008");
        exporter("retry_on_failure: {initial_interval: 10s, max_elapsed_time: 0s}").silent("D008");
    }

    #[test]
    fn silent_when_it_cannot_know() {
        batch("send_batch_size: '${env:SIZE}', send_batch_max_size: 1").silent("D008");
        exporter("sending_queue: {queue_size: 10, batch: {min_size: 20}}").silent("D008");
        exporter("retry_on_failure: {enabled: false, initial_interval: 10s, max_elapsed_time: 5s}").silent("D008");
    }
}
