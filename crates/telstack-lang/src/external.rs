//! `external`: what is not ours to run, and how it is reached.

use telstack_catalog::{ComponentKind, Signal, SignalSet, otelcol};
use telstack_diagnostics::Diagnostic;
use telstack_syntax::{
    stack::Node as Line,
    tree::{Entry, Map},
};
use telstack_system::{
    Exposure, External, ExternalEndpoint, Node, NodeKind, Origin, Protocol, Purpose, SecretRef, Settings, Sourced,
    System, Value,
};

use crate::{
    clusters::Reached,
    codes,
    names::one_of,
    settings::{Shaper, require},
    stack::{Context, PASS, name_of},
    words::{is_url, secret, sourced_text, text, title},
};

/// Whatever a collector sends.
pub(crate) const ALL: SignalSet = SignalSet::of(&[Signal::Traces, Signal::Metrics, Signal::Logs]);

/// A way to be reached.
struct Speech {
    /// The word of the language.
    word: &'static str,
    /// The protocol, for a URL and for `host:port`.
    protocols: (Protocol, Protocol),
    /// The signals that it takes.
    signals: SignalSet,
    /// The property with the address.
    address: &'static str,
    /// Properties that are settings of the exporter, with their paths.
    settings: &'static [(&'static str, &'static [&'static str])],
}

const SPLUNK: Protocol = Protocol("splunk-hec");
const DATADOG: Protocol = Protocol("datadog");
const ZIPKIN: Protocol = Protocol("zipkin");

static SPEECHES: &[Speech] = &[
    Speech {
        word: "otlp",
        protocols: (Protocol::OTLP_HTTP, Protocol::OTLP_GRPC),
        signals: ALL,
        address: "endpoint",
        settings: &[],
    },
    Speech {
        word: "otlp_grpc",
        protocols: (Protocol::OTLP_GRPC, Protocol::OTLP_GRPC),
        signals: ALL,
        address: "endpoint",
        settings: &[],
    },
    Speech {
        word: "otlp_http",
        protocols: (Protocol::OTLP_HTTP, Protocol::OTLP_HTTP),
        signals: ALL,
        address: "endpoint",
        settings: &[],
    },
    Speech {
        word: "prometheus_remote_write",
        protocols: (Protocol::REMOTE_WRITE, Protocol::REMOTE_WRITE),
        signals: SignalSet::of(&[Signal::Metrics]),
        address: "endpoint",
        settings: &[],
    },
    Speech {
        word: "splunk_hec",
        protocols: (SPLUNK, SPLUNK),
        signals: ALL,
        address: "endpoint",
        settings: &[("index", &["index"])],
    },
    Speech {
        word: "datadog",
        protocols: (DATADOG, DATADOG),
        signals: ALL,
        address: "site",
        settings: &[("site", &["api", "site"]), ("key", &["api", "key"])],
    },
    Speech {
        word: "zipkin",
        protocols: (ZIPKIN, ZIPKIN),
        signals: SignalSet::of(&[Signal::Traces]),
        address: "endpoint",
        settings: &[],
    },
];

/// The node of an `external` line.
pub(crate) fn node(line: &Line, context: &mut Context<'_>) -> Node {
    let mut external = External::default();
    let mut environment = Vec::new();
    for child in line.children() {
        let Some(speech) = SPEECHES.iter().find(|it| it.word == child.name.value) else { continue };
        let mut shaper = Shaper { environment: &mut environment, out: context.out };
        external.endpoints.extend(endpoint(speech, child, &mut shaper));
    }
    if line.children().is_empty() && !line.is_incomplete() {
        let words: Vec<&str> = SPEECHES.iter().map(|it| it.word).collect();
        let message = format!("{} does not say how it is reached", title(line));
        let finding = Diagnostic::new(&codes::MISSING_PART, message).at(line.head(), "no endpoint");
        let finding = finding.note(format!("it may speak {}", one_of(&words)));
        context.out.push(finding.help("add what it speaks: `{ otlp endpoint=\"https://otlp.example.com\" }`"));
    }
    let kind = NodeKind::External(Box::new(external));
    let mut node = Node::new(name_of(line), Origin::written(line.head()), None, kind);
    node.environment = environment;
    node
}

/// What a cluster reaches in another one: the standard port of OTLP over gRPC, behind the host that leads there.
pub(crate) fn of_cluster(reached: &Reached) -> Option<Node> {
    let exposure = &reached.remote.exposure;
    let mention = Origin::written(reached.mention);
    let reason = "the other cluster exposes it by this name";
    let origin = Origin::derived(PASS, reason, &[&exposure.host.origin, &mention]);
    let address = format!("{}:{}", exposure.host.value, Exposure::port()?);
    let endpoint = ExternalEndpoint {
        protocol: Protocol::OTLP_GRPC,
        signals: reached.signals,
        endpoint: Sourced::new(address, origin.clone()),
        in_settings: false,
        token: None,
        settings: Vec::new(),
        origin: origin.clone(),
    };
    let external = External { endpoints: vec![endpoint], exposed: Some(reached.remote.clone()), programs: None };
    let kind = NodeKind::External(Box::new(external));
    Some(Node::new(&*reached.name, exposure.origin.clone(), None, kind))
}

fn endpoint(speech: &Speech, line: &Line, shaper: &mut Shaper<'_>) -> Option<ExternalEndpoint> {
    let endpoint = line.prop(speech.address).and_then(sourced_text)?;
    let protocol = if is_url(&endpoint.value) { speech.protocols.0 } else { speech.protocols.1 };
    let token = line.prop("token").and_then(secret);
    if let Some(Sourced { value: reference @ (SecretRef::Secret { .. } | SecretRef::Env(_)), origin }) = &token
        && let Some(name) = reference.variable()
    {
        require(shaper.environment, name, reference.clone(), origin, shaper.out);
    }
    let mut exporters = otelcol::components(ComponentKind::Exporter);
    let exporter = exporters.find(|it| it.protocol() == Some(protocol.0));
    let tree = exporter.and_then(|it| it.settings(otelcol::newest()));
    let mut settings = Settings::default();
    for (prop, path) in speech.settings {
        let Some(atom) = line.prop(prop) else { continue };
        let written = Origin::written(atom.span);
        let value = match secret(atom) {
            Some(reference) if reference.value.variable().is_some() => shaper.variable(reference.value, &written),
            _ => text(atom).map(|text| Value::string(text, written)),
        };
        if let Some(value) = value {
            put(&mut settings, path, value);
        }
    }
    for entry in &shaper.block(line, tree.as_deref()) {
        settings.push(entry.clone());
    }
    let settings = settings.iter().map(|entry| (entry.key.clone(), entry.value.clone())).collect();
    Some(ExternalEndpoint {
        protocol,
        signals: speech.signals,
        endpoint,
        in_settings: speech.settings.iter().any(|(prop, _)| *prop == speech.address),
        token,
        settings,
        origin: Origin::written(line.head()),
    })
}

/// Puts a value at a path of map keys.
fn put(settings: &mut Settings, path: &[&str], value: Value) {
    match path {
        [] => {}
        [key] => settings.push(Entry::new(*key, value)),
        [key, rest @ ..] => {
            let mark = value.mark.clone();
            let inner: &mut Map<Origin> = settings.map_mut(key, &mark);
            put(inner, rest, value);
        }
    }
}

/// A collector needs the variables of everything outside that it sends to: its exporter refers to them.
pub(crate) fn hand_over_variables(system: &mut System) {
    for collector in system.node_ids() {
        for (_, target) in system.outgoing(collector, Purpose::Telemetry) {
            if system.node(target).external().is_none() {
                continue;
            }
            for variable in system.node(target).environment.clone() {
                let known = &mut system.node_mut(collector).environment;
                if !known.iter().any(|it| it.name == variable.name) {
                    known.push(variable);
                }
            }
        }
    }
}
