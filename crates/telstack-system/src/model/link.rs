//! Edges between nodes, and what stands at their ends.

use std::fmt;

use telstack_catalog::{Signal, SignalSet, otelcol::Transport, product::Need};

use crate::{
    expansion::is_unsettled,
    known::Known,
    model::{ComponentRef, collector::ComponentId},
    origin::{Origin, Sourced},
};

/// A protocol by the catalog's word for it: `otlp-grpc`, `loki-push`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Protocol(pub &'static str);

impl Protocol {
    /// OTLP over gRPC.
    pub const OTLP_GRPC: Self = Self("otlp-grpc");
    /// OTLP, over gRPC or HTTP: which of them, only the program that dials knows.
    pub const OTLP: Self = Self("otlp");
    /// OTLP over HTTP.
    pub const OTLP_HTTP: Self = Self("otlp-http");
    /// Prometheus remote write.
    pub const REMOTE_WRITE: Self = Self("prometheus-remote-write");
    /// Loki's own push API.
    pub const LOKI_PUSH: Self = Self("loki-push");
    /// A scrape.
    pub const EXPOSITION: Self = Self("prometheus-exposition");
    /// Messages of Kafka.
    pub const KAFKA: Self = Self("kafka");
    /// Whatever comes: a proxy hands it on.
    pub const ANY: Self = Self("any");
    /// Plain HTTP: queries, health, user interfaces.
    pub const HTTP: Self = Self("http");
    /// Bytes in a form that only the receiver knows.
    pub const fn raw(transport: Transport) -> Self {
        match transport {
            Transport::Tcp => Self("tcp"),
            Transport::Udp => Self("udp"),
        }
    }

    /// Can who speaks the other protocol be speaking this one?
    pub fn is_spoken_by(self, other: Self) -> bool {
        self == other || other == Self::OTLP && [Self::OTLP_GRPC, Self::OTLP_HTTP].contains(&self)
    }

    /// As people say it.
    pub fn title(self) -> &'static str {
        match self.0 {
            "otlp-grpc" => "OTLP over gRPC",
            "otlp-http" => "OTLP over HTTP",
            "otlp" => "OTLP",
            "prometheus-remote-write" => "Prometheus remote write",
            "prometheus-exposition" => "a Prometheus scrape",
            "prometheus-remote-read" => "Prometheus remote read",
            "loki-push" => "Loki push",
            "jaeger-grpc" => "Jaeger gRPC",
            "jaeger-thrift-http" => "Jaeger Thrift over HTTP",
            "jaeger-thrift-compact" => "Jaeger Thrift, compact",
            "jaeger-thrift-binary" => "Jaeger Thrift, binary",
            "statsd" => "StatsD",
            "zipkin" => "Zipkin",
            "http" => "HTTP",
            "tcp" => "bytes over TCP",
            "udp" => "bytes over UDP",
            "kafka" => "Kafka",
            "any" => "what it is sent",
            "splunk-hec" => "Splunk HEC",
            "datadog" => "Datadog",
            other => other,
        }
    }

    /// Does it travel in gRPC (HTTP/2 frames)? A plain HTTP server cannot answer it, nor the reverse.
    pub fn is_grpc(self) -> bool {
        self.0.ends_with("grpc")
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.title())
    }
}

/// Is a connection encrypted?
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Tls {
    /// Plain text.
    Off,
    /// TLS, the server is verified.
    On,
    /// TLS, both sides are verified.
    Mutual,
}

/// The interface that a listener binds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Bind {
    /// Every interface: `0.0.0.0`, `::`, an empty host.
    All,
    /// Only this container: `localhost`, `127.0.0.1`.
    Loopback,
    /// A named host or address.
    Host(String),
    /// Run time decides.
    Unknown,
}

impl Bind {
    /// Reads the host part of an endpoint.
    pub fn parse(host: &str) -> Self {
        match host.trim_matches(['[', ']']) {
            host if is_unsettled(host) => Bind::Unknown,
            "" | "0.0.0.0" | "::" => Bind::All,
            "localhost" | "127.0.0.1" | "::1" => Bind::Loopback,
            host => Bind::Host(host.to_owned()),
        }
    }

    /// Can two listeners in one network surely not have these on one port?
    pub fn meets(&self, other: &Self) -> bool {
        match (self, other) {
            (Bind::Unknown, _) | (_, Bind::Unknown) => false,
            (Bind::All, _) | (_, Bind::All) => true,
            (one, other) => one == other,
        }
    }
}

/// Something a listener needs before it answers, and whether it is there.
#[derive(Clone, PartialEq, Debug)]
pub struct Requirement {
    /// What.
    pub need: Need,
    /// Is it there?
    pub met: bool,
}

/// A port that a node opens.
#[derive(Clone, PartialEq, Debug)]
pub struct Listener {
    /// `otlp-grpc`, `query`, `metrics`, `health`.
    pub name: String,
    /// The port.
    pub port: u16,
    /// TCP or UDP: a number of one is free for the other.
    pub transport: Transport,
    /// The interface.
    pub bind: Bind,
    /// What it speaks.
    pub protocol: Protocol,
    /// The signals it takes; none for queries, scrapes and probes.
    pub signals: SignalSet,
    /// The path below which it answers.
    pub path: Option<String>,
    /// For OTLP over HTTP: what a sender's endpoint must end with, before `/v1/<signal>`.
    pub base: Option<String>,
    /// For OTLP over HTTP: the paths of signals that it takes elsewhere, whole; none that run time decides.
    pub paths: Vec<(Signal, Option<String>)>,
    /// Encrypted?
    pub tls: Known<Tls>,
    /// A flag or setting without which it does not answer.
    pub requirement: Option<Requirement>,
    /// The component that opens it, in a collector.
    pub owner: Option<ComponentRef>,
    /// What opens it.
    pub origin: Origin,
}

impl Listener {
    /// Would it and another one surely not get the same port of one network? Port 0 is any that is free.
    pub fn clashes(&self, other: &Self) -> bool {
        let opens = |it: &Self| it.port != 0 && it.requirement.as_ref().is_none_or(|it| it.met);
        let same = (self.port, self.transport) == (other.port, other.transport);
        same && opens(self) && opens(other) && self.bind.meets(&other.bind)
    }

    /// The whole path at which a signal is taken that comes as OTLP over HTTP; none where run time decides it.
    pub fn path_of(&self, signal: Signal) -> Option<String> {
        match self.paths.iter().find(|(it, _)| *it == signal) {
            Some((_, path)) => path.clone(),
            None => Some(format!("{}/v1/{signal}", self.base.as_deref().unwrap_or_default().trim_end_matches('/'))),
        }
    }
}

/// What an edge is for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Purpose {
    /// Telemetry flows along it.
    Telemetry,
    /// Prometheus scrapes.
    Scrape,
    /// Grafana queries.
    Query,
    /// Alerts are sent.
    Alert,
    /// A proxy hands on what it takes.
    Forward,
    /// Messages are read from a broker.
    Consume,
}

/// What the sending side does.
#[derive(Clone, PartialEq, Debug)]
pub struct Dial {
    /// The exporter, in a collector.
    pub component: Option<ComponentRef>,
    /// What it speaks.
    pub protocol: Protocol,
    /// The host that it dials.
    pub host: String,
    /// The port that it dials.
    pub port: u16,
    /// The path that it calls, as far as the configuration says: for OTLP over HTTP what stands before
    /// `/v1/<signal>`, unless the address is for one signal only.
    pub path: String,
    /// The signal, where the address is for that one only: then nothing is added to the path.
    pub only: Option<Signal>,
    /// Encrypted?
    pub tls: Known<Tls>,
    /// The tenant that it names.
    pub tenant: Option<String>,
    /// The setting that says so.
    pub origin: Origin,
}

/// A server of a proxy, by numbers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Hop {
    /// The backend.
    pub backend: usize,
    /// The server in it.
    pub server: usize,
}

/// A directed edge between two nodes: from the one that dials to the one that listens.
#[derive(Clone, Debug)]
pub struct Edge {
    /// What it is for.
    pub purpose: Purpose,
    /// The signals that flow along it, for telemetry.
    pub signals: SignalSet,
    /// What declares it.
    pub origin: Origin,
    /// In the sending collector, the pipelines that feed it, with the place that says so.
    pub pipelines: Vec<Sourced<usize>>,
    /// A protocol that the stack asks for.
    pub wanted: Option<Sourced<Protocol>>,
    /// The tenant that the stack names for it.
    pub tenant: Option<Sourced<String>>,
    /// What the sending side does, once negotiated or read.
    pub dial: Option<Dial>,
    /// In a sending proxy, the server that it stands for.
    pub hop: Option<Hop>,
    /// What stands between the two ends; none where the one dials the other.
    pub via: Option<Via>,
}

/// What stands between the two ends of an edge in Kubernetes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Via {
    /// The Service that is dialled, by its place in the cluster; none where both ends are in one pod, and meet on
    /// `localhost`.
    pub service: Option<usize>,
    /// The port that is reached in the end; none where the Service has none that is dialled.
    pub port: Option<u16>,
    /// Does the name stand for the pods themselves, one by one, and not for all of them together?
    pub pods: bool,
}

impl Edge {
    /// An edge that is only declared so far.
    pub fn new(purpose: Purpose, origin: Origin) -> Self {
        Self {
            purpose,
            signals: SignalSet::default(),
            origin,
            pipelines: Vec::new(),
            wanted: None,
            tenant: None,
            dial: None,
            hop: None,
            via: None,
        }
    }

    /// The port that is reached, which is another than the one dialled where a Service stands in between; none
    /// where nothing leads there.
    pub fn port(&self) -> Option<u16> {
        let dial = self.dial.as_ref()?;
        self.via.map_or(Some(dial.port), |via| via.port)
    }

    /// The exporter that serves it.
    pub fn exporter(&self) -> Option<&ComponentId> {
        self.dial.as_ref()?.component.as_ref().map(|component| &component.id)
    }
}
