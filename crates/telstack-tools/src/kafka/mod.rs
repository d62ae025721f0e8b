//! Brokers of Kafka: where they listen, and where they send their clients.

use telstack_catalog::{
    SignalSet,
    otelcol::Transport,
    product::kafka::{self, BrokerImage},
};
use telstack_system::{
    Advertised, Bind, Broker, Container, EnvValue, Known, Listener, Node, NodeKind, Origin, Protocol, Sourced, Tls,
    expansion,
};

use crate::command;

/// A container of an image that holds a broker is one.
pub(crate) fn adopt(node: &mut Node) {
    let Some(container) = node.container.as_ref().filter(|_| node.external().is_some()) else { return };
    let Some(image) = kafka::broker(&container.image.value.repository) else { return };
    let listed = |variable: &Option<String>, flag: &Option<String>| match (variable, flag) {
        (Some(name), _) => variable_of(container, name),
        (None, Some(flag)) => flag_of(node, flag),
        (None, None) => None,
    };
    let advertised = listed(&image.advertised, &image.advertised_flag);
    let written = listed(&image.listeners, &image.listeners_flag);
    // Only the port is taken over then.
    let derived = written.is_none() && image.listens_where_advertised;
    let listeners = written.or_else(|| advertised.clone().filter(|_| derived));
    let told = advertised.as_ref().map(|it| addresses(&it.value)).unwrap_or_default();
    let bound = listeners.as_ref().map(|it| addresses(&it.value)).unwrap_or_default();
    let open = !container.mounts.is_empty() && listeners.is_none();
    if let Some(listeners) = listeners.filter(|_| !open) {
        let of = |it: &Named| {
            let found = listener(container, image, it, &listeners.origin);
            Listener { bind: if derived { Bind::All } else { found.bind }, ..found }
        };
        node.listeners = bound.iter().map(of).collect();
    }
    let tell = |it: &Named| Advertised {
        listener: it.listener.clone(),
        host: it.host.clone(),
        port: it.port,
        binds: bound.iter().find(|at| at.listener == it.listener).map(|at| at.port),
        origin: advertised.as_ref().map_or_else(|| container.origin.clone(), |it| it.origin.clone()),
    };
    node.kind = NodeKind::Broker(Box::new(Broker { advertised: told.iter().map(tell).collect() }));
}

fn listener(container: &Container, image: &BrokerImage, at: &Named, origin: &Origin) -> Listener {
    let map = image.protocols.as_ref().and_then(|name| variable_of(container, name));
    let mapped = map.as_ref().and_then(|it| {
        let mut pairs = it.value.split(',').filter_map(|pair| pair.trim().split_once(':'));
        pairs.find(|(name, _)| *name == at.listener).map(|(_, protocol)| protocol.to_owned())
    });
    let encrypted = kafka::encrypts(mapped.as_deref().unwrap_or(&at.listener));
    Listener {
        name: at.listener.clone(),
        port: at.port,
        transport: Transport::Tcp,
        bind: Bind::parse(&at.host),
        protocol: Protocol::KAFKA,
        signals: SignalSet::default(),
        path: None,
        base: None,
        paths: Vec::new(),
        tls: encrypted.map_or(Known::Unknown, |on| Known::Value(if on { Tls::On } else { Tls::Off })),
        requirement: None,
        owner: None,
        origin: origin.clone(),
    }
}

/// The value of a variable; none if it is not set, or run time decides.
fn variable_of(container: &Container, name: &str) -> Option<Sourced<String>> {
    let variable = container.env.iter().rev().find(|it| it.name == name)?;
    match &variable.value {
        EnvValue::Literal(text) if !text.contains('$') => Some(Sourced::new(text.clone(), variable.origin.clone())),
        _ => None,
    }
}

fn flag_of(node: &Node, name: &str) -> Option<Sourced<String>> {
    let (value, at) = command::flags(node).into_iter().rev().find_map(|(known, value, at)| {
        // Some images split their words once more: `--kafka-addr ADDRESS` may be one.
        let inside = known.strip_prefix(name).and_then(|rest| rest.strip_prefix(' ')).map(|it| it.trim().to_owned());
        inside.or(value.filter(|_| known == name)).map(|value| (value, at))
    })?;
    let word = node.container.as_ref()?.command.get(at)?;
    (!expansion::is_unsettled(&value)).then(|| Sourced::new(value, word.origin.clone()))
}

/// An address with the name of its listener.
struct Named {
    listener: String,
    host: String,
    port: u16,
}

/// `INTERNAL://0.0.0.0:9092,EXTERNAL://localhost:19092`; without names there is one.
fn addresses(text: &str) -> Vec<Named> {
    let one = |item: &str| {
        let (listener, rest) = item.trim().split_once("://").unwrap_or(("", item.trim()));
        let (host, port) = rest.rsplit_once(':')?;
        let (listener, host) = (listener.to_owned(), host.trim_matches(['[', ']']).to_owned());
        Some(Named { listener, host, port: port.parse().ok()? })
    };
    let items: Option<Vec<Named>> = text.split(',').map(one).collect();
    // What was understood only in part is not known.
    items.unwrap_or_default()
}
