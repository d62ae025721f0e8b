use telstack_catalog::ComponentKind;
use telstack_diagnostics::{RuleInfo, Severity};
use telstack_system::{Component, Known, Listener, Node, Protocol, Purpose, passes};

use crate::{
    Cx, Rule,
    facts::{Arrival, Link},
};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        code: "N009",
        name: "otlp-message-too-big",
        severity: Severity::Info,
        summary: "Batches are made larger than the gRPC server at the other end takes.",
        why: "A gRPC server refuses messages above its limit, 4 MiB unless told otherwise: `ResourceExhausted`. The \
              refusal is final, so the whole batch is dropped.",
        bad: "batch: {send_batch_size: 50000}   # to a gateway whose receiver takes 4 MiB",
        good: "batch: {send_batch_size: 2000, send_batch_max_size: 2000}",
        silent: "The size of batches is the default; the limit of the server comes from the environment; OTLP over \
                 HTTP. What one span, record or point takes is an estimate: this is advice.",
        sources: &[
            "https://github.com/grafana/tempo/issues/860",
            "https://github.com/open-telemetry/opentelemetry-collector/issues/12219",
            "https://github.com/open-telemetry/opentelemetry-collector/issues/6046",
        ],
    },
    check,
};

/// The processor that makes batches, and its sizes: the one that ends a batch, and the one that cuts it.
const BATCH: &str = "batch";
const SIZES: [&str; 2] = ["send_batch_max_size", "send_batch_size"];
/// The setting of a receiver that limits messages, in MiB.
const LIMIT: &str = "protocols.grpc.max_recv_msg_size_mib";

fn check(cx: &mut Cx<'_>) {
    let concerns = |link: &&Link<'_>| link.purpose == Purpose::Telemetry && link.dial.protocol == Protocol::OTLP_GRPC;
    for link in cx.facts.links.iter().filter(concerns) {
        let Arrival::Answer(listener) = link.arrival else { continue };
        let (Some(collector), Some(limit)) = (link.from.collector(), takes(link.to, listener)) else { continue };
        let Some(exporter) = link.dial.component.as_ref() else { continue };
        let pipelines = collector.pipelines.iter().filter(|it| it.exporters.iter().any(|it| it.id == exporter.id));
        let batches = pipelines.flat_map(|it| &it.processors).filter(|it| it.id.ty == BATCH);
        for batch in batches.filter_map(|it| collector.component(ComponentKind::Processor, &it.id)) {
            let Some((size, items)) = largest(batch) else { continue };
            let bytes = items.saturating_mul(passes::ITEM_BYTES);
            if bytes <= limit << 20 {
                continue;
            }
            let Some(value) = batch.setting(size) else { continue };
            let message =
                format!("batches of {items} may be too large for `{}`, which takes {limit} MiB at once", link.to.name);
            let fits = (limit << 20) / passes::ITEM_BYTES;
            let finding = cx
                .finding(message, &value.mark, format!("about {} MiB, if each takes 1 KiB", bytes >> 20))
                .label(link.dial.origin.span(), "sends them here")
                .label(listener.origin.span(), format!("takes {limit} MiB"))
                .help(format!("cut them: `send_batch_max_size: {fits}`"))
                .help(format!("or let `{}` take more: `max_recv_msg_size_mib`", link.to.name));
            cx.report_once(finding);
        }
    }
}

/// The most items of a batch, and the setting that says so; none where nobody says it.
fn largest(batch: &Component) -> Option<(&'static str, u64)> {
    for size in SIZES {
        match batch.number(size) {
            Known::Value(items) if items > 0 => return Some((size, u64::try_from(items).ok()?)),
            Known::Unknown => return None,
            _ => {}
        }
    }
    None
}

/// How large a message a listener takes, in MiB; none where that is not known.
fn takes(node: &Node, listener: &Listener) -> Option<u64> {
    if let Some(store) = node.store() {
        return Some(store.max_message.as_ref().map_or(passes::MESSAGE_MIB, |it| it.value));
    }
    let owner = listener.owner.as_ref()?;
    match node.collector()?.component(owner.kind, &owner.id)?.number(LIMIT) {
        Known::Value(limit) => u64::try_from(limit).ok().filter(|it| *it > 0),
        Known::Absent => Some(passes::MESSAGE_MIB),
        Known::Unknown => None,
    }
}

#[cfg(test)]
mod tests {
    use telstack_diagnostics::Severity;

    use crate::test_support::Bench;

    fn sends(batch: &str, limit: &str) -> Bench {
        let compose = "services:\n  a:\n    image: otel/opentelemetry-collector:0.158.0\n    volumes: \
                       ['./a.yaml:/etc/otelcol/config.yaml']\n  b:\n    image: otel/opentelemetry-collector:0.158.0\n    \
                       volumes: ['./b.yaml:/etc/otelcol/config.yaml']\n";
        let agent = format!(
            "receivers: {{otlp: {{protocols: {{grpc: }}}}}}\nprocessors: {{batch: {batch}}}\nexporters: {{otlp_grpc: {{endpoint: \
             'b:4317', tls: {{insecure: true}}}}}}\nservice: {{pipelines: {{traces: {{receivers: [otlp], processors: [batch], \
             exporters: [otlp_grpc]}}}}}}\n"
        );
        let gateway = format!(
            "receivers: {{otlp: {{protocols: {{grpc: {{endpoint: '0.0.0.0:4317'{limit}}}}}}}}}\nexporters: {{debug:              }}\nservice: {{pipelines: {{traces: {{receivers: [otlp], exporters: [debug]}}}}}}\n"
        );
        Bench::project(&[("compose.yaml", compose), ("a.yaml", &agent), ("b.yaml", &gateway)])
    }

    #[test]
    fn tells_of_large_batches() {
        assert_eq!(sends("{send_batch_size: 50000}", "").finds("N009", "50000"), Severity::Info);
        sends("{send_batch_size: 5000, send_batch_max_size: 9999}", "").finds("N009", "9999");
    }

    #[test]
    fn passes_where_they_fit() {
        sends("{send_batch_size: 50000, send_batch_max_size: 2000}", "").silent("N009");
        sends("{send_batch_size: 50000}", ", max_recv_msg_size_mib: 64").silent("N009");
    }

    #[test]
    fn silent_about_defaults_and_what_is_not_known() {
        sends("{}", "").silent("N009");
        sends("{send_batch_size: 50000}", ", max_recv_msg_size_mib: '${env:L}'").silent("N009");
    }
}
