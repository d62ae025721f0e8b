//! Prometheus: its configuration and its alert rules.

use std::collections::HashMap;

use telstack_catalog::product::Product;
use telstack_system::{
    AlertRule, Dial, Known, Node, NodeId, Origin, PrometheusFacet, Protocol, Purpose, ScrapeJob, System, Tls, Value,
};

use crate::{
    Artefact,
    doc::{self, Block},
    tls,
};

/// What a scrape asks for where nothing else is said.
const METRICS_PATH: &str = "/metrics";
/// How old a sample may be that is taken after newer ones; and how much that is where it is needed.
const OUT_OF_ORDER: [&str; 3] = ["storage", "tsdb", "out_of_order_time_window"];
const OUT_OF_ORDER_WINDOW: &str = "30m";
/// Expressions up to here stand on one line.
const SHORT_EXPR: usize = 80;

pub(crate) fn emit(system: &System, id: NodeId, node: &Node, facet: &PrometheusFacet) -> Vec<Artefact> {
    let Some(container) = &node.container else { return Vec::new() };
    let mut out = Vec::new();
    if let Some(file) = container.file("config") {
        out.push(doc::node_yaml(system, node, file, None, &config(system, id, node, facet)));
    }
    let encrypted = doc::listener(node, &["query"]).and_then(|it| tls::server(node, it));
    if let (Some(file), Some(tls)) = (container.file("web"), encrypted) {
        let document = file.origin.map([("tls_server_config", tls)]);
        out.push(doc::node_yaml(system, node, file, Some("encryption"), &document));
    }
    if let Some(file) = container.file("rules").filter(|_| !facet.alerts.is_empty()) {
        out.push(doc::node_yaml(system, node, file, Some("alert rules"), &rules(system, id, node, &facet.alerts)));
    }
    out
}

fn config(system: &System, id: NodeId, node: &Node, facet: &PrometheusFacet) -> Value {
    let mut out = Block::new();
    out.put_some("global", global(node, facet));
    out.gap().put_some("alerting", alerting(system, id, node));
    out.gap().put_some("rule_files", rule_files(node, facet));
    out.gap().put_some("storage", storage(system, id, node));
    if !facet.jobs.is_empty() {
        let origin = doc::follows_all("what is scraped", facet.jobs.iter().map(|job| &job.origin), &node.origin);
        out.gap().put("scrape_configs", origin.block(facet.jobs.iter().map(scrape_job)));
    }
    out.finish(&node.origin)
}

fn global(node: &Node, facet: &PrometheusFacet) -> Option<Value> {
    let mut out = Block::new();
    if let Some(interval) = &facet.scrape_interval {
        let text = interval.value.prometheus();
        let evaluation = doc::follows(
            "rules are evaluated as often as targets are scraped: more often sees nothing new",
            &[&interval.origin],
        );
        out.put("scrape_interval", interval.origin.string(text.clone()));
        out.put("evaluation_interval", evaluation.string(text));
    }
    if !facet.external_labels.is_empty() {
        let reason = "labels on everything that leaves this Prometheus";
        out.put("external_labels", doc::map_of(&facet.external_labels, reason, &node.origin));
    }
    out.finish_some(&doc::follows("what holds for every scrape and rule", &[&node.origin]))
}

fn alerting(system: &System, id: NodeId, node: &Node) -> Option<Value> {
    let mut managers = Vec::new();
    let mut origins = Vec::new();
    for (edge, _) in system.outgoing(id, Purpose::Alert) {
        let edge = system.edge(edge);
        let Some(dial) = &edge.dial else { continue };
        let target = dial.origin.string(format!("{}:{}", dial.host, dial.port));
        let mut manager = Block::new();
        if matches!(dial.tls, Known::Value(Tls::On | Tls::Mutual)) {
            manager.put("scheme", dial.origin.string("https"));
        }
        manager.put("static_configs", static_configs(vec![target], &dial.origin));
        managers.push(manager.finish(&edge.origin));
        origins.push(edge.origin.clone());
    }
    if managers.is_empty() {
        return None;
    }
    let origin = doc::follows_all("where alerts are sent", &origins, &node.origin);
    Some(origin.map([("alertmanagers", origin.block(managers))]))
}

fn static_configs(targets: Vec<Value>, origin: &Origin) -> Value {
    origin.block([origin.map([("targets", origin.flow(targets))])])
}

fn rule_files(node: &Node, facet: &PrometheusFacet) -> Option<Value> {
    let file = node.container.as_ref()?.file("rules").filter(|_| !facet.alerts.is_empty())?;
    let origins = facet.alerts.iter().map(|alert| &alert.origin);
    let origin = doc::follows_all("there are alerts on what runs here", origins, &node.origin);
    Some(origin.block([file.origin.string(&file.target)]))
}

/// OTLP senders retry on their own: what comes late is still wanted.
fn storage(system: &System, id: NodeId, node: &Node) -> Option<Value> {
    node.version().and_then(|version| Product::Prometheus.option(version, OUT_OF_ORDER.join(".").as_str()))?;
    let is_otlp = |dial: &Dial| matches!(dial.protocol, Protocol::OTLP_HTTP | Protocol::OTLP_GRPC);
    let sender = system
        .incoming(id, Purpose::Telemetry)
        .into_iter()
        .map(|(edge, _)| system.edge(edge))
        .find(|edge| edge.dial.as_ref().is_some_and(is_otlp))?;
    let reason = "OTLP senders batch and retry on their own, so samples may come in another order than they were taken";
    let origin = doc::chosen(reason, &sender.origin);
    let window = origin.string(OUT_OF_ORDER_WINDOW);
    Some(OUT_OF_ORDER[1..].iter().rev().fold(window, |value, key| origin.map([(*key, value)])))
}

fn scrape_job(job: &ScrapeJob) -> Value {
    let mut out = Block::new();
    out.put("job_name", job.origin.string(&job.name));
    if job.path != METRICS_PATH && !job.path.is_empty() {
        out.put("metrics_path", job.origin.string(&job.path));
    }
    if let Some(origin) = &job.honor_labels {
        out.put("honor_labels", origin.bool(true));
    }
    if let Some(ca) = &job.ca {
        out.put("scheme", ca.origin.string("https"));
        out.put("tls_config", ca.origin.map([("ca_file", ca.origin.string(&ca.value))]));
    }
    if let Some(first) = job.targets.first() {
        let targets = job.targets.iter().map(|target| target.origin.string(&target.value)).collect();
        out.put("static_configs", static_configs(targets, &first.origin));
    }
    for entry in &job.discovery {
        out.put(&entry.key, entry.value.clone());
    }
    out.finish(&job.origin)
}

fn rules(system: &System, id: NodeId, node: &Node, alerts: &[AlertRule]) -> Value {
    // In the order of the first alert of each.
    let mut groups: Vec<(&str, Vec<&AlertRule>)> = Vec::new();
    let mut places: HashMap<&str, usize> = HashMap::new();
    for alert in alerts {
        let place = *places.entry(&alert.group).or_insert(groups.len());
        if place == groups.len() {
            groups.push((&alert.group, Vec::new()));
        }
        groups[place].1.push(alert);
    }
    let group = |(name, members): (&str, Vec<&AlertRule>)| {
        let origin = doc::follows_all(
            format!("the alerts about `{name}`"),
            members.iter().map(|alert| &alert.origin),
            &node.origin,
        );
        let rules = origin.block(members.into_iter().map(rule));
        origin.map([("name", origin.string(name)), ("rules", rules)])
    };
    let origin = doc::follows_all("alerts on what runs here", alerts.iter().map(|alert| &alert.origin), &node.origin);
    let mut out = Block::new();
    if system.outgoing(id, Purpose::Alert).is_empty() {
        out.comment(
            "Nobody is told: alerts show in Prometheus's own page only. An `alertmanager` in the stack changes that.",
        );
    }
    out.put("groups", origin.block(groups.into_iter().map(group)));
    out.finish(&origin)
}

fn rule(alert: &AlertRule) -> Value {
    let origin = &alert.origin;
    let mut out = Block::new();
    out.put("alert", origin.string(&alert.name));
    let metrics =
        doc::fact("the metrics as the release that is watched names them, and when they are too bad", &[origin]);
    out.put("expr", metrics.string(readable(&alert.expr.value)));
    if alert.hold.millis() > 0 {
        out.put("for", origin.string(alert.hold.prometheus()));
    }
    // Without the second label the rules of two services would be one rule written twice.
    let watched = doc::follows("the service that is watched", &[origin]);
    let labels = [("severity", origin.string(&alert.severity)), ("service", watched.string(&alert.group))];
    out.put("labels", origin.map(labels));
    let mut annotations = Block::new();
    annotations.put("summary", origin.string(&alert.summary));
    if !alert.description.is_empty() {
        annotations.put("description", origin.string(&alert.description));
    }
    out.put("annotations", annotations.finish(origin));
    out.finish(origin)
}

/// A long expression with each operator of its outermost level on a line of its own: as a block it needs
/// no escapes.
fn readable(expr: &str) -> String {
    const OPERATORS: [&str; 13] = ["/", "*", "+", "-", ">", ">=", "<", "<=", "==", "!=", "and", "or", "unless"];
    if expr.len() <= SHORT_EXPR || expr.contains('\n') {
        return expr.to_owned();
    }
    let mut out = String::with_capacity(expr.len());
    let (mut depth, mut quote, mut escaped) = (0_usize, None, false);
    for (at, c) in expr.char_indices() {
        match quote {
            Some(_) if escaped => escaped = false,
            Some(open) if c == '\\' && open != '`' => escaped = true,
            Some(open) if c == open => quote = None,
            Some(_) => {}
            None => match c {
                '"' | '\'' | '`' => quote = Some(c),
                '(' | '{' | '[' => depth += 1,
                ')' | '}' | ']' => depth = depth.saturating_sub(1),
                ' ' if depth == 0 && expr[at + 1..].split(' ').next().is_some_and(|it| OPERATORS.contains(&it)) => {
                    out.push('\n');
                    continue;
                }
                _ => {}
            },
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::readable;
    use crate::testing::{Choice, parsed, part, stack, text, written};

    #[test]
    fn config_and_rules_find_each_other() {
        let artefacts = written(&stack(&Choice::default()));
        let document = parsed(&artefacts, "configs/prometheus.yml");
        assert_eq!(
            part(&document, &["global", "evaluation_interval"]),
            part(&document, &["global", "scrape_interval"])
        );
        assert_eq!(part(&document, &["global", "external_labels", "cluster"]), "\"single-node\"");
        assert_eq!(
            part(&document, &["alerting", "alertmanagers", "0", "static_configs", "0", "targets"]),
            r#"["alertmanager:9093"]"#
        );
        let file = part(&document, &["rule_files", "0"]);
        let compose = text(&artefacts, "docker-compose.yml");
        assert!(compose.contains(&format!(":{}:ro", file.trim_matches('"'))), "{file}");
    }

    #[test]
    fn the_usual_path_is_not_written() {
        let artefacts = written(&stack(&Choice::default()));
        let text = text(&artefacts, "configs/prometheus.yml");
        assert!(text.contains("job_name: otel-collector") && !text.contains("metrics_path"));
    }

    #[test]
    fn long_expressions_break_at_outer_operators_only() {
        let long = "sum by (job) (rate(a{x=\"a > b\"}[5m])) / sum by (job) (rate(b{y=\"c\"}[5m]) + rate(c[5m])) > 0.8";
        let broken = readable(long);
        assert_eq!(broken.lines().count(), 3, "{broken}");
        assert_eq!(broken.replace('\n', " "), long);
        assert_eq!(readable("up == 0"), "up == 0");
    }
}
