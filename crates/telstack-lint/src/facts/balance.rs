//! Exporters that spread data over the replicas of a collector.

use telstack_catalog::otelcol::Trait;
use telstack_syntax::tree::Kind;
use telstack_system::{NodeId, Origin, System, Value, link};

use super::{Facts, Part};
use crate::words::is_reference;

/// A host that an exporter spreads data over, with the setting that names it.
#[derive(Debug)]
pub(crate) struct Spread<'a> {
    /// How it finds the servers: `dns`, `k8s`, `static`.
    pub(crate) resolver: &'static str,
    /// The host.
    pub(crate) host: &'a str,
    /// The port of the servers.
    pub(crate) port: u16,
    /// What names the host.
    pub(crate) value: &'a Value,
}

/// How servers are found, and the setting with the host of each.
const RESOLVERS: [(&str, &str, &str); 2] =
    [("dns", "resolver.dns.hostname", "resolver.dns.port"), ("k8s", "resolver.k8s.service", "resolver.k8s.ports")];
const STATIC: (&str, &str) = ("static", "resolver.static.hostnames");
/// By what data is spread where nothing is written.
const BY_TRACE: &str = "traceID";

/// The hosts that an exporter spreads data over, as far as they are known.
pub(crate) fn spreads<'a>(part: &Part<'a>) -> Vec<Spread<'a>> {
    let mut found = Vec::new();
    let component = part.component;
    for (resolver, setting, ports) in RESOLVERS {
        let Some(value) = component.setting(setting) else { continue };
        let Some(host) = value.as_str().filter(|it| !is_reference(it)) else { continue };
        let written = component.setting(ports).and_then(|it| it.as_int().or_else(|| it.as_seq()?.first()?.as_int()));
        let usual = || {
            let (fact, version) = part.usable()?;
            let default = fact.default_value(ports, version)?;
            default.as_i64().or_else(|| default.as_array()?.first()?.as_i64())
        };
        let Some(number) = written.or_else(usual).and_then(|it| u16::try_from(it).ok()) else { continue };
        found.push(Spread { resolver, host, port: number, value });
    }
    for value in component.setting(STATIC.1).and_then(Value::as_seq).unwrap_or_default() {
        let Some(text) = value.as_str().filter(|it| !is_reference(it)) else { continue };
        let (host, written) = text.rsplit_once(':').unwrap_or((text, ""));
        let usual = part.usable().and_then(|(fact, version)| fact.default_value(RESOLVERS[0].2, version)?.as_u64());
        let number = written.parse().ok().or(usual.and_then(|it| u16::try_from(it).ok()));
        if let Some(port) = number {
            found.push(Spread { resolver: STATIC.0, host, port, value });
        }
    }
    found
}

/// Settings in which an exporter is to name the servers that it spreads data over and names none, each with its place.
/// Without, the collector does not start.
pub(crate) fn nameless<'a>(part: &Part<'a>) -> Vec<(&'static str, &'a Origin)> {
    let ways = RESOLVERS.iter().map(|(_, setting, _)| *setting).chain([STATIC.1]);
    let lacks = |setting: &'static str| {
        let (way, key) = setting.rsplit_once('.')?;
        let way = part.component.setting(way)?;
        let map = way.as_map().filter(|map| !map.contains("<<"))?;
        let given = map.get(key).is_some_and(|value| match &value.kind {
            Kind::Null => false,
            Kind::String(text) => !text.is_empty(),
            Kind::Seq(list) => !list.items.is_empty(),
            _ => true,
        });
        (!given).then_some((setting, &way.mark))
    };
    ways.filter_map(lacks).collect()
}

/// The exporters that spread traces over the replicas of a node, each with whether it goes by the trace.
pub(crate) fn spread_over<'f, 'a>(system: &System, facts: &'f Facts<'a>, to: NodeId) -> Vec<(&'f Part<'a>, bool)> {
    let leads = |part: &Part<'_>, it: &Spread<'_>| matches!(link::way(system, part.id, it.host, it.port), link::Way::To(found, _) if found == to);
    let balancers = facts.parts.iter().filter(|part| part.has(Trait::Balances) && part.runs());
    let found = balancers.filter(|part| spreads(part).iter().any(|it| leads(part, it)));
    found
        .map(|part| {
            let key = part.component.setting("routing_key").and_then(Value::as_str);
            (part, key.is_none_or(|key| key.is_empty() || key == BY_TRACE))
        })
        .collect()
}
