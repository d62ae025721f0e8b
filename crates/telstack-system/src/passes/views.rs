//! Views: Grafana's data sources, the links between them, and the dashboard of the pipeline's health.

use telstack_catalog::{Version, otelcol::InternalMetric, product::Product};
use telstack_diagnostics::Diagnostics;
use telstack_syntax::tree::Entry;

use super::{
    Pass,
    alerts::{items, metric, signals},
    encryption,
    scrape::watched,
};
use crate::{
    graph::{EdgeId, NodeId, System},
    known::Known,
    model::{Dashboard, DataSource, Dial, Panel, Protocol, Purpose, Query, SecretRef, Tls},
    origin::{Origin, Sourced, Value},
};

const NAME: &str = "views";

pub(super) const PASS: Pass = Pass {
    name: NAME,
    reason: "give Grafana a data source for each store it reads, links between them, and a dashboard of the pipeline",
    run,
};

fn run(system: &mut System, _: &mut Diagnostics) {
    for id in system.node_ids() {
        let Some(viewer) = system.node(id).viewer() else { continue };
        let needs_password = viewer.admin_password.is_none();
        let origin = system.node(id).origin.clone();
        let reads = system.outgoing(id, Purpose::Query);
        let mut sources = Vec::new();
        for (edge, store) in &reads {
            if let Some((source, dial)) = data_source(system, *edge, *store) {
                system.edge_mut(*edge).dial = Some(dial);
                sources.push((*edge, *store, source));
            }
        }
        let plain: Vec<(EdgeId, NodeId, String)> =
            sources.iter().map(|(edge, store, source)| (*edge, *store, source.uid.clone())).collect();
        for (edge, store, source) in &mut sources {
            link(system, id, (*edge, *store), &plain, source);
        }
        let default = sources.iter().position(|(_, store, _)| is(system, *store, Product::Prometheus)).unwrap_or(0);
        if let Some((_, _, source)) = sources.get_mut(default) {
            source.default = true;
        }
        let dashboard = dashboard(system, id, &plain);
        if let Some(viewer) = system.node_mut(id).viewer_mut() {
            viewer.data_sources.extend(sources.into_iter().map(|(_, _, source)| source));
            viewer.dashboards.extend(dashboard);
            if needs_password {
                let reason = "Grafana's own default is admin: a stack has no default passwords";
                let secret = SecretRef::Secret { name: "grafana".to_owned(), key: "admin-password".to_owned() };
                viewer.admin_password = Some(Sourced::new(secret, Origin::builtin(NAME, reason, &[&origin])));
            }
        }
    }
}

fn is(system: &System, id: NodeId, product: Product) -> bool {
    system.node(id).product() == Some(product)
}

fn keeps_traces(system: &System, id: NodeId) -> bool {
    is(system, id, Product::Tempo) || is(system, id, Product::Jaeger)
}

fn data_source(system: &System, edge: EdgeId, store: NodeId) -> Option<(DataSource, Dial)> {
    let node = system.node(store);
    let host = node.host_for(system.node(system.ends(edge).0));
    let product = node.product()?;
    let ty = product.id();
    let listener = node
        .listeners
        .iter()
        .find(|it| it.name == "query")
        .or_else(|| node.listeners.iter().find(|it| it.name == "ui"))?;
    let origin =
        Origin::derived(NAME, format!("Grafana reads {}", node.title()), &[&system.edge(edge).origin, &node.origin]);
    let place = Origin::fact(NAME, format!("{} answers queries here", node.title()), &[&node.origin]);
    let tls = listener.tls.value().unwrap_or(Tls::Off);
    let scheme = if tls == Tls::Off { "http" } else { "https" };
    let mut json_data = Value::map(origin.clone());
    let mut secure = Value::map(origin.clone());
    let tenant = node.store().and_then(|it| it.tenant.clone());
    if let (Some(tenant), Some(json), Some(secure)) = (&tenant, json_data.as_map_mut(), secure.as_map_mut()) {
        let header =
            Origin::derived(NAME, "the store tells tenants apart: its reader names the same one", &[&tenant.origin]);
        json.push(Entry::new("httpHeaderName1", header.string("X-Scope-OrgID")));
        secure.push(Entry::new("httpHeaderValue1", header.string(&tenant.value)));
    }
    if let (Product::Alertmanager, Some(json)) = (product, json_data.as_map_mut()) {
        let reason = "Grafana takes an Alertmanager for Mimir's unless told: then it asks below /alertmanager";
        let origin = Origin::fact(NAME, reason, &[&node.origin]);
        json.push(Entry::new("implementation", origin.string("prometheus")));
    }
    let authority = encryption::authority(NAME, Product::Grafana, node).filter(|_| tls != Tls::Off);
    if let (Some(file), Some(json), Some(secure)) = (authority, json_data.as_map_mut(), secure.as_map_mut()) {
        json.push(Entry::new("tlsAuthWithCACert", file.origin.bool(true)));
        secure.push(Entry::new("tlsCACert", file.origin.string(format!("$__file{{{}}}", file.value))));
    }
    let dial = Dial {
        component: None,
        protocol: Protocol::HTTP,
        host: host.clone(),
        port: listener.port,
        path: String::new(),
        only: None,
        tls: Known::Value(tls),
        tenant: tenant.map(|it| it.value),
        origin: place.clone(),
    };
    let source = DataSource {
        name: node.name.clone(),
        uid: node.name.clone(),
        uid_written: true,
        ty: ty.to_owned(),
        url: Sourced::new(format!("{scheme}://{host}:{}", listener.port), origin.clone()),
        by_browser: false,
        default: false,
        json_data,
        secure_json_data: secure,
        links: Vec::new(),
        origin,
    };
    Some((source, dial))
}

/// Links from one data source to the others that the same Grafana reads.
fn link(
    system: &System,
    viewer: NodeId,
    me: (EdgeId, NodeId),
    all: &[(EdgeId, NodeId, String)],
    source: &mut DataSource,
) {
    let (my_edge, my_node) = me;
    let Some(json) = source.json_data.as_map_mut() else { return };
    let find = |wanted: &dyn Fn(NodeId) -> bool| all.iter().find(|(_, node, _)| wanted(*node));
    let logs = find(&|node| is(system, node, Product::Loki));
    let metrics = find(&|node| is(system, node, Product::Prometheus));
    let traces = find(&|node| keeps_traces(system, node));
    let because = |other: EdgeId, why: &str| {
        Origin::derived(NAME, why, &[&system.edge(my_edge).origin, &system.edge(other).origin])
    };
    if keeps_traces(system, my_node) {
        if let Some((edge, node, uid)) = logs {
            let origin = because(*edge, "from a span to the log lines of its trace");
            let otlp = takes_otlp(system, *node);
            // Loki names the service after the protocol that brought it.
            let label = if otlp { "service_name" } else { "job" };
            let tag = origin.map([("key", origin.string("service.name")), ("value", origin.string(label))]);
            let grafana = system.node(viewer).version();
            let second = grafana.is_some_and(|version| Product::Grafana.supports(version, "traces-to-logs-v2"));
            let (name, tags) = if second { ("tracesToLogsV2", "tags") } else { ("tracesToLogs", "mappedTags") };
            let mut block = origin.map([
                ("datasourceUid", origin.string(uid)),
                ("spanStartTimeShift", origin.string("-5m")),
                ("spanEndTimeShift", origin.string("5m")),
                (tags, origin.block([tag])),
            ]);
            if let Some(block) = block.as_map_mut() {
                if !second {
                    let reason = "until Grafana 9.4 tags have other names in logs only if told so";
                    let fact = Origin::fact(NAME, reason, &[&system.node(viewer).origin]);
                    block.push(Entry::new("mapTagNamesEnabled", fact.bool(true)));
                }
                if otlp && !second {
                    // The old link looks for the trace id in the line, where OTLP does not put it: the service's
                    // lines of that time are what it can show.
                } else if otlp {
                    block.push(Entry::new("customQuery", origin.bool(true)));
                    block.push(Entry::new("query", origin.string("{${__tags}} | trace_id = \"${__trace.traceId}\"")));
                } else {
                    block.push(Entry::new("filterByTraceID", origin.bool(true)));
                }
            }
            json.push(Entry::new(name, block));
            source.links.push(Sourced::new(uid.clone(), origin));
        }
        if let Some((edge, _, uid)) = metrics {
            let origin = because(*edge, "from a span to the metrics that its service sends");
            let tag = origin.map([("key", origin.string("service.name")), ("value", origin.string("job"))]);
            let query = origin.map([
                ("name", origin.string("Metrics of the service")),
                ("query", origin.string("count by (__name__) ({$__tags})")),
            ]);
            let block = origin.map([
                ("datasourceUid", origin.string(uid)),
                ("tags", origin.block([tag])),
                ("queries", origin.block([query])),
            ]);
            json.push(Entry::new("tracesToMetrics", block));
            source.links.push(Sourced::new(uid.clone(), origin));
        }
    } else if is(system, my_node, Product::Loki) {
        let otlp = takes_otlp(system, my_node);
        let labels = otlp && grafana_reads_labels(system.node(viewer).version());
        // An older Grafana looks into the line only, and OTLP keeps the trace id beside it: no link is better than
        // one that never shows.
        if let Some((edge, _, uid)) = traces.filter(|_| labels || !otlp) {
            let origin = because(*edge, "from a log line to its trace");
            let mut field = origin.map([("name", origin.string("TraceID"))]);
            if let Some(field) = field.as_map_mut() {
                if labels {
                    field.push(Entry::new("matcherType", origin.string("label")));
                    field.push(Entry::new("matcherRegex", origin.string("trace_id")));
                } else {
                    field.push(Entry::new("matcherRegex", origin.string(r#""trace_?id":"(\w+)""#)));
                }
                field.push(Entry::new("url", origin.string("${__value.raw}")));
                field.push(Entry::new("datasourceUid", origin.string(uid)));
            }
            json.push(Entry::new("derivedFields", origin.block([field])));
            source.links.push(Sourced::new(uid.clone(), origin));
        }
    } else if is(system, my_node, Product::Prometheus) {
        let origin = Origin::builtin(NAME, "long queries do not fit into an address", &[&system.edge(my_edge).origin]);
        json.push(Entry::new("httpMethod", origin.string("POST")));
        let interval = system.node(my_node).store().and_then(|store| store.prometheus()?.scrape_interval.clone());
        if let Some(interval) = interval {
            let origin =
                Origin::derived(NAME, "Grafana should not ask for finer steps than are scraped", &[&interval.origin]);
            json.push(Entry::new("timeInterval", origin.string(interval.value.prometheus())));
        }
        if let Some((edge, _, uid)) = traces {
            let origin = because(*edge, "from an exemplar to its trace");
            let block = origin.map([("name", origin.string("trace_id")), ("datasourceUid", origin.string(uid))]);
            json.push(Entry::new("exemplarTraceIdDestinations", origin.block([block])));
            source.links.push(Sourced::new(uid.clone(), origin));
        }
    }
}

/// Do logs arrive by OTLP? Then Loki keeps the trace id beside the line, else it is in the line.
fn takes_otlp(system: &System, loki: NodeId) -> bool {
    super::negotiate::telemetry_into(system, loki).into_iter().any(|edge| {
        system
            .edge(edge)
            .dial
            .as_ref()
            .is_some_and(|dial| matches!(dial.protocol, Protocol::OTLP_HTTP | Protocol::OTLP_GRPC))
    })
}

fn grafana_reads_labels(version: Option<Version>) -> bool {
    version.is_some_and(|version| Product::Grafana.supports(version, "derived-field-labels"))
}

fn dashboard(system: &System, viewer: NodeId, reads: &[(EdgeId, NodeId, String)]) -> Option<Dashboard> {
    let (edge, prometheus, uid) = reads.iter().find(|(_, node, _)| is(system, *node, Product::Prometheus))?;
    let watched: Vec<NodeId> =
        watched(system, *prometheus).into_iter().filter(|target| system.node(*target).collector().is_some()).collect();
    if watched.is_empty() {
        return None;
    }
    let own = &system.node(viewer).origin;
    let origin = Origin::builtin(
        NAME,
        "one dashboard that shows whether telemetry gets through",
        &[own, &system.edge(*edge).origin],
    );
    let mut panels = Vec::new();
    for target in watched {
        panels.extend(collector_panels(system, target));
    }
    let source = Origin::derived(NAME, "the Prometheus that scrapes the collectors", &[&system.edge(*edge).origin]);
    Some(Dashboard {
        inputs: Vec::new(),
        uid: format!("{}-pipeline-health", system.name).chars().take(40).collect(),
        title: format!("Pipeline health: {}", system.name),
        description: "Does telemetry get through? What arrives, what leaves, what waits and what is lost.".to_owned(),
        data_sources: vec![Sourced::new(uid.clone(), source)],
        types: std::collections::BTreeMap::new(),
        panels,
        origin,
    })
}

fn collector_panels(system: &System, id: NodeId) -> Vec<Panel> {
    let node = system.node(id);
    let Some(version) = node.version() else { return Vec::new() };
    let name = &node.name;
    let job = format!("{{job=\"{name}\"}}");
    let origin = Origin::builtin(NAME, "shown for every collector that Prometheus scrapes", &[&node.origin]);
    let rates = |which: fn(telstack_catalog::Signal) -> InternalMetric, by: &str| -> Vec<(String, String)> {
        let line = |signal| {
            let expr = format!("sum by ({by}) (rate({}{job}[$__rate_interval]))", metric(which(signal), version));
            (expr, format!("{} {{{{{by}}}}}", items(signal)))
        };
        signals(node).into_iter().map(line).collect()
    };
    let lost =
        [rates(InternalMetric::SendFailed, "exporter"), rates(InternalMetric::EnqueueFailed, "exporter")].concat();
    let by = "max by (exporter)";
    let fill = format!(
        "{by} ({}{job}) / {by} ({}{job})",
        metric(InternalMetric::QueueSize, version),
        metric(InternalMetric::QueueCapacity, version)
    );
    let memory = format!("{}{job}", metric(InternalMetric::MemoryRss, version));
    let panel = |title: &str, description: &str, queries: Vec<(String, String)>, unit: &'static str| Panel {
        title: format!("{name}: {title}"),
        description: description.to_owned(),
        queries: queries
            .into_iter()
            .map(|(expr, legend)| Query { expr: Sourced::new(expr, origin.clone()), legend })
            .collect(),
        unit: unit.to_owned(),
        origin: origin.clone(),
    };
    vec![
        panel(
            "up",
            "1 while Prometheus reaches the collector.",
            vec![(format!("up{job}"), "{{instance}}".to_owned())],
            "short",
        ),
        panel(
            "received per second",
            "What senders handed over and the pipeline took.",
            rates(InternalMetric::Accepted, "receiver"),
            "cps",
        ),
        panel(
            "refused per second",
            "What senders were told to send again. Above zero for long: memory is short.",
            rates(InternalMetric::Refused, "receiver"),
            "cps",
        ),
        panel(
            "sent per second",
            "What backends took. It should follow what is received.",
            rates(InternalMetric::Sent, "exporter"),
            "cps",
        ),
        panel("lost per second", "Given up after retries, or turned away by a full queue.", lost, "cps"),
        panel(
            "queues",
            "How full the sending queues are. At 100 % data is lost.",
            vec![(fill, "{{exporter}}".to_owned())],
            "percentunit",
        ),
        panel("memory", "Resident memory of the process.", vec![(memory, "{{instance}}".to_owned())], "bytes"),
    ]
}
