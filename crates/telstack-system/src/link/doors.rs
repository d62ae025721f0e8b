//! What stores, Grafana and Alertmanager listen on: the catalog's endpoints, as their configuration opens them.

use telstack_catalog::{
    Version,
    otelcol::Transport,
    product::{Endpoint, Need, Product},
};

use crate::{
    known::Known,
    model::{Bind, EnvValue, Listener, Node, Protocol, Requirement, Store, Tls},
    origin::Origin,
};

/// Where an endpoint is open.
#[derive(Clone, Debug)]
pub struct Door {
    /// The port.
    pub port: u16,
    /// The interface.
    pub bind: Bind,
    /// Encrypted?
    pub tls: Known<Tls>,
    /// What opens it.
    pub origin: Origin,
}

/// The listeners of a node that runs a product, in the order of the catalog. `door` says where an endpoint is
/// open, and says none where the configuration does not open it. What takes telemetry only with a flag or a
/// setting is listed only where that is there.
pub fn listeners(
    node: &Node,
    product: Product,
    version: Version,
    mut door: impl FnMut(&Endpoint) -> Option<Door>,
) -> Vec<Listener> {
    let mut found = Vec::new();
    for endpoint in product.endpoints(version) {
        let Some(Door { port, bind, tls, origin }) = door(&endpoint) else { continue };
        let met = endpoint.needs.is_none_or(|need| is_met(node, version, need).unwrap_or(true));
        if !met && !endpoint.signals.is_empty() {
            continue;
        }
        found.push(Listener {
            name: endpoint.name.to_owned(),
            port,
            transport: Transport::Tcp,
            bind,
            protocol: Protocol(endpoint.protocol),
            signals: endpoint.signals,
            path: endpoint.path.map(str::to_owned),
            base: endpoint.base.map(str::to_owned),
            paths: Vec::new(),
            tls,
            requirement: endpoint.needs.map(|need| Requirement { need, met }),
            owner: None,
            origin,
        });
    }
    found
}

/// What starts the names of flags that switch something on.
const SWITCH: &str = "web.enable-";

/// Is there what an endpoint needs? None where nothing in the model says so.
pub fn is_met(node: &Node, version: Version, need: Need) -> Option<bool> {
    let store = node.store();
    match need {
        Need::Flag(name) => {
            let (facet, name) = (store?.prometheus()?, name.trim_start_matches('-'));
            let flag = facet.flag(name);
            // What was a feature before it had a flag stays one for a while.
            let feature = name.strip_prefix(SWITCH).filter(|it| Product::Prometheus.feature(version, it));
            let by_feature = feature.is_some_and(|it| facet.has_feature(it));
            Some(by_feature || flag.is_some_and(|flag| flag.value.as_deref() != Some("false")))
        }
        Need::Feature(name) => Some(store?.prometheus()?.has_feature(name)),
        Need::Setting(path) if path == STRUCTURED_METADATA => Some(takes_metadata(store?, version)),
        Need::Setting(_) => None,
        Need::Env(name) => {
            let set = |it: &&crate::model::EnvVar| it.name == name;
            let container = node.container.as_ref()?;
            let variable = container.env.iter().find(set);
            if variable.is_none() && container.gaps.env {
                return None;
            }
            Some(variable.is_some_and(|it| !matches!(&it.value, EnvValue::Literal(text) if text.is_empty())))
        }
    }
}

/// Endpoints of Jaeger 1, and what the variables of their encryption start with. Source: jaeger
/// v1.53.0 `cmd/query/app/flags.go`, `cmd/collector/app/flags/flags.go` (flags become variables in upper case).
pub const JAEGER_1_TLS: [(&[&str], &str); 4] = [
    (&["otlp-grpc"], "COLLECTOR_OTLP_GRPC_TLS"),
    (&["otlp-http"], "COLLECTOR_OTLP_HTTP_TLS"),
    (&["query", "ui"], "QUERY_HTTP_TLS"),
    (&["query-grpc"], "QUERY_GRPC_TLS"),
];

/// The flag that switches on features, in a list.
pub(crate) const FEATURES: &str = "enable-feature";
/// The setting without which Loki takes no OTLP.
const STRUCTURED_METADATA: &str = "limits_config.allow_structured_metadata";

fn takes_metadata(store: &Store, version: Version) -> bool {
    let written = store.loki().and_then(|loki| loki.structured_metadata.as_ref()).map(|it| it.value);
    let default = || {
        let fact = Product::Loki.option(version, STRUCTURED_METADATA);
        fact.and_then(|fact| fact.default).is_none_or(|default| default != false)
    };
    written.unwrap_or_else(default)
}
