//! Programs with an SDK of OpenTelemetry: where they send, and the variables that tell them.

use telstack_catalog::{operator as facts, sdk};
use telstack_diagnostics::{Diagnostic, Diagnostics};

use super::{Pass, codes};
use crate::{
    graph::{EdgeId, NodeId, System},
    known::Known,
    model::{
        Dial, EnvValue, EnvVar, Listener, Node, Platform, Programs, Protocol, Purpose, SecretRef, Tls,
        cluster::Instrumentation,
    },
    origin::{Origin, Sourced},
};

const NAME: &str = "programs";

pub(super) const PASS: Pass = Pass {
    name: NAME,
    reason: "tell programs with an SDK of OpenTelemetry where to send, by variables or by a resource of the operator",
    run,
};

fn run(system: &mut System, out: &mut Diagnostics) {
    for id in system.node_ids() {
        let Some(programs) = programs(system.node(id)).cloned() else { continue };
        for (edge, to) in system.outgoing(id, Purpose::Telemetry) {
            let Some(dial) = dial(system, edge, id, to, out) else { continue };
            let node = system.node(id);
            let kubernetes = system.platform.value == Platform::Kubernetes;
            let environment = variables(&node.name, &node.origin, &dial, &programs, kubernetes);
            system.edge_mut(edge).dial = Some(dial);
            system.node_mut(id).environment = environment;
        }
    }
}

/// What is said of programs.
fn programs(node: &Node) -> Option<&Programs> {
    node.external()?.programs.as_ref()
}

/// The doors of a collector that programs can send to, the best first.
fn doors(node: &Node) -> Vec<&Listener> {
    // Every SDK has OTLP over HTTP.
    let of = |protocol: Protocol| node.listeners.iter().filter(move |it| it.protocol == protocol);
    of(Protocol::OTLP_HTTP).chain(of(Protocol::OTLP_GRPC)).collect()
}

fn dial(system: &System, edge: EdgeId, from: NodeId, to: NodeId, out: &mut Diagnostics) -> Option<Dial> {
    let (sender, receiver, edge) = (system.node(from), system.node(to), system.edge(edge));
    let doors = doors(receiver);
    let wanted = edge.wanted.as_ref();
    let fits = |it: &&&Listener| wanted.is_none_or(|wanted| it.protocol.is_spoken_by(wanted.value));
    let Some(door) = doors.iter().find(fits) else {
        // What was not understood may well be a door.
        if system.complete {
            let place = wanted.and_then(Sourced::span).or(edge.origin.span());
            let message = match wanted {
                Some(wanted) if !doors.is_empty() => {
                    format!("`{}` takes no {}, which `{}` is to speak", receiver.name, wanted.value, sender.name)
                }
                _ => format!("`{}` takes no OTLP, and that is what programs with an SDK speak", receiver.name),
            };
            let finding = Diagnostic::new(&codes::PROTOCOL_NOT_AVAILABLE, message).at(place, "sends here");
            let finding = finding.label(receiver.span(), "has no such receiver");
            out.push(finding.help(format!("declare `receiver \"otlp\"` in `{}`", receiver.name)));
        }
        return None;
    };
    Some(towards(door, receiver, sender, &edge.origin))
}

/// What a program dials to reach a door.
fn towards(door: &Listener, receiver: &Node, sender: &Node, origin: &Origin) -> Dial {
    let reason = format!("`{}` takes {} here", receiver.name, door.protocol);
    Dial {
        component: None,
        protocol: door.protocol,
        host: receiver.host_at(Some(door), sender),
        port: door.port,
        path: String::new(),
        only: None,
        tls: door.tls,
        tenant: None,
        origin: Origin::fact(NAME, reason, &[origin, &receiver.origin, &door.origin]),
    }
}

/// What an SDK is told to send to a node of the stack, as somebody who is not declared: its name is that of the node.
/// None where the node takes no OTLP.
pub fn environment_for(system: &System, id: NodeId) -> Option<Vec<EnvVar>> {
    let node = system.node(id);
    if programs(node).is_some() {
        return Some(node.environment.clone());
    }
    // Stores have paths of their own, and are written to by collectors.
    node.collector()?;
    let door = *doors(node).first()?;
    let kubernetes = system.platform.value == Platform::Kubernetes;
    // Whoever sends may be in any namespace.
    let mut sender = node.clone();
    sender.placement.namespace = kubernetes.then(|| Sourced::new(String::new(), node.origin.clone()));
    let dial = towards(door, node, &sender, &node.origin);
    Some(variables(UNNAMED, &node.origin, &dial, &Programs::default(), kubernetes))
}

/// The name of a service that nobody named.
const UNNAMED: &str = "my-service";

/// Where the certificate of an authority is, that programs are to mount.
const AUTHORITY: &str = "/etc/otel/ca.crt";

/// The address, as variables have it.
fn endpoint(dial: &Dial) -> String {
    let scheme = if dial.tls == Known::Value(Tls::Off) { "http" } else { "https" };
    format!("{scheme}://{}:{}", dial.host, dial.port)
}

/// The variables in an order in which each is defined before it is used: `$(NAME)` is filled in by Kubernetes.
fn variables(name: &str, node: &Origin, dial: &Dial, programs: &Programs, kubernetes: bool) -> Vec<EnvVar> {
    let said = sdk::said();
    let mut out = Vec::new();
    let mut put = |name: &str, value: EnvValue, origin: Origin| out.push(EnvVar::new(name, value, origin));
    let text = |text: &str| EnvValue::Literal(text.to_owned());
    put(&said.service, text(name), Origin::derived(NAME, "the service is called like the node", &[node]));
    if kubernetes {
        let mut attributes = Vec::new();
        for sdk::Identity(attribute, variable, field) in sdk::identity() {
            let origin = Origin::fact(NAME, format!("`{field}` of the pod, for `{attribute}`"), &[node]);
            put(variable, EnvValue::Field(field.clone()), origin);
            attributes.push(format!("{attribute}=$({variable})"));
        }
        let origin = Origin::derived(NAME, "says which pod telemetry is of", &[node]);
        put(&said.attributes, EnvValue::Literal(attributes.join(",")), origin);
    }
    let shared = sdk::shared();
    put(&shared.endpoint, EnvValue::Literal(endpoint(dial)), dial.origin.clone());
    if let Some(word) = sdk::protocol_word(dial.protocol.0) {
        let reason = "without it, each language speaks another one";
        put(&shared.protocol, text(word), Origin::fact(NAME, reason, &[&dial.origin]));
    }
    if dial.tls != Known::Value(Tls::Off) {
        let reason = "the file of the authority that vouches for the collector: to be mounted there";
        put(&shared.certificate, text(AUTHORITY), Origin::builtin(NAME, reason, &[&dial.origin]));
    }
    if let Some(token) = &programs.token
        && let Some(variable) = token.value.variable()
        && !matches!(token.value, SecretRef::Literal(_))
    {
        let header = format!("Authorization=Bearer%20$({variable})");
        put(&variable, EnvValue::Required(token.value.clone()), token.origin.clone());
        put(&said.headers, EnvValue::Literal(header), Origin::derived(NAME, "the token goes along", &[&token.origin]));
    }
    if let Some(first) = programs.propagators.first() {
        let words: Vec<&str> = programs.propagators.iter().map(|it| it.value.as_str()).collect();
        put(&said.propagators, EnvValue::Literal(words.join(",")), first.origin.clone());
    }
    for (variable, value) in [(&said.sampler, &programs.sampler), (&said.sampler_argument, &programs.ratio)] {
        if let Some(value) = value {
            put(variable, text(&value.value), value.origin.clone());
        }
    }
    out
}

/// The resource of the operator that tells programs the same. What it says by itself is left out.
pub(super) fn instrumentation(node: &Node) -> Option<Instrumentation> {
    let programs = programs(node)?;
    let asked = programs.instrumented.as_ref()?;
    let (said, shared) = (sdk::said(), sdk::shared());
    let literal = |name: &str| node.environment.iter().find(|it| it.name == name);
    let endpoint = literal(&shared.endpoint).and_then(|it| match &it.value {
        EnvValue::Literal(text) => Some(Sourced::new(text.clone(), it.origin.clone())),
        _ => None,
    });
    let token = programs.token.as_ref().and_then(|it| it.value.variable());
    let kept = [&shared.protocol, &shared.certificate, &said.headers];
    let further = |it: &&EnvVar| kept.contains(&&it.name) || token.as_ref() == Some(&it.name);
    let reason = format!("the operator reads it and changes pods that name this {}", facts::instrumentation().kind);
    Some(Instrumentation {
        name: node.name.clone(),
        namespace: node.placement.namespace.as_ref().map(|it| it.value.clone()),
        endpoint,
        propagators: programs.propagators.clone(),
        sampler: programs.sampler.clone().map(|it| (it, programs.ratio.clone())),
        env: node.environment.iter().filter(further).cloned().collect(),
        origin: Origin::derived(NAME, reason, &[asked, &node.origin]),
    })
}
