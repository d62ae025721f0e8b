use telstack_catalog::ComponentKind;
use telstack_diagnostics::{RuleInfo, Severity};
use telstack_system::{Origin, Protocol, Purpose, Store};

use crate::{
    Cx, Rule,
    facts::Link,
    words::{either, is_reference},
};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        code: "L005",
        name: "tenant-header-missing",
        severity: Severity::Error,
        summary: "A store tells tenants apart, and who writes to it or reads it names none, or another one.",
        why: "A request without the header `X-Scope-OrgID` is answered 401 `no org id`: the exporter drops the data, \
              the data source shows an error. With another tenant than the writers' everything looks well, and every \
              dashboard is empty.",
        bad: r#"collector "agent" {
    receiver "otlp"
    exporter "otlp_http" { endpoint "http://loki:3100/otlp" }
    pipeline "logs" { from "otlp"; to "otlp_http" }
}
loki "loki" { tenant "shop" }"#,
        good: r#"collector "agent" {
    receiver "otlp"
    pipeline "logs" { from "otlp"; to "loki" }
}
loki "loki" { tenant "shop" }"#,
        silent: "The header or its value comes from the environment, or an extension sets it; the store is reached \
                 through something else; its configuration or command line does not say whether it tells tenants \
                 apart; the `loki` exporter, which takes the tenant from an attribute. Another tenant than the \
                 writers' is a warning, and advice where files are read: others may write too.",
        sources: &[
            "https://grafana.com/docs/loki/latest/operations/multi-tenancy/",
            "https://github.com/grafana/loki/issues/7081",
            "https://github.com/grafana/mimir/issues/2030",
        ],
    },
    check,
};

/// The header.
const HEADER: &str = "X-Scope-OrgID";

fn check(cx: &mut Cx<'_>) {
    let facts = cx.facts;
    let mut told = Vec::new();
    for link in &facts.links {
        let Some(apart) = link.to.store().and_then(apart).filter(|_| concerns(link)) else { continue };
        if link.dial.tenant.is_some() || may_be_named(cx, link) {
            continue;
        }
        let message = format!("{} names no tenant, and `{}` wants one", link.dialer(), link.to.name);
        let mut finding = cx
            .finding(message, &link.dial.origin, format!("without `{HEADER}`"))
            .label(apart.span(), format!("tells tenants apart: {}", refusal(link)));
        finding = match link.better() {
            Some(better) => finding.help(better),
            None if link.purpose == Purpose::Query => finding.help(format!(
                "add the header: `httpHeaderName1: {HEADER}` in `jsonData`, `httpHeaderValue1` in `secureJsonData`"
            )),
            None => finding.help(format!("name it: `headers: {{{HEADER}: …}}`")),
        };
        if link.from.collector().is_none() || cx.system.from_files {
            finding = finding.help(format!("if there is one tenant only, let `{}` not tell them apart", link.to.name));
        }
        told.push(link.to_id);
        cx.report(finding);
    }
    for reader in facts.links.iter().filter(|link| link.purpose == Purpose::Query && !told.contains(&link.to_id)) {
        differs(cx, reader);
    }
}

/// What becomes of a request that names no tenant.
fn refusal(link: &Link<'_>) -> &'static str {
    if link.dial.protocol.is_grpc() { "refuses calls without one, `no org id`" } else { "answers 401 without one" }
}

/// What says that a store tells tenants apart.
fn apart(store: &Store) -> Option<&Origin> {
    match (&store.multi_tenant, &store.tenant) {
        (Some(it), _) => it.value.then_some(&it.origin),
        (None, Some(tenant)) => Some(&tenant.origin),
        (None, None) => None,
    }
}

/// Does the link write or query, and is it answered?
fn concerns(link: &Link<'_>) -> bool {
    matches!(link.purpose, Purpose::Telemetry | Purpose::Query) && link.answer().is_some()
}

/// May the dialler name a tenant in a way that is not known here?
fn may_be_named(cx: &Cx<'_>, link: &Link<'_>) -> bool {
    let Some(id) = link.dial.component.as_ref() else {
        // What stores write to others is all in their configuration.
        let store = link.from.store().is_some() && link.dial.protocol == Protocol::REMOTE_WRITE;
        return link.purpose == Purpose::Telemetry && !store;
    };
    let collector = link.from.collector();
    let Some(exporter) = collector.and_then(|it| it.component(ComponentKind::Exporter, &id.id)) else { return true };
    let unknown = exporter.setting("headers").is_some_and(|it| it.as_str().is_some());
    unknown
        || exporter.setting("auth").is_some()
        || link.dial.protocol == Protocol::LOKI_PUSH
        || !(cx.system.complete || cx.system.from_files)
}

fn differs(cx: &mut Cx<'_>, reader: &Link<'_>) {
    let facts = cx.facts;
    let Some(read) = reader.dial.tenant.as_deref().filter(|it| !is_reference(it) && concerns(reader)) else { return };
    let to_it = |link: &&Link<'_>| link.to_id == reader.to_id && link.purpose == Purpose::Telemetry;
    let mut written: Vec<(&str, &Link<'_>)> = Vec::new();
    for writer in facts.links.iter().filter(to_it) {
        let Some(tenant) = writer.dial.tenant.as_deref().filter(|it| !is_reference(it)) else { return };
        written.push((tenant, writer));
    }
    // One reader may ask for several.
    if read.split('|').any(|asked| written.iter().any(|(tenant, _)| *tenant == asked.trim())) {
        return;
    }
    let Some((_, writer)) = written.first() else { return };
    let mut tenants: Vec<&str> = written.iter().map(|(tenant, _)| *tenant).collect();
    tenants.dedup();
    let message = format!("{} reads tenant `{read}` of `{}`, and nobody writes it", reader.dialer(), reader.to.name);
    let finding = cx
        .finding(message, &reader.dial.origin, format!("tenant `{read}`"))
        // Beside files there may be writers that nobody sees here.
        .severity(if cx.system.from_files { Severity::Info } else { Severity::Warning })
        .label(writer.dial.origin.span(), format!("writes {}", either(&tenants)))
        .help(format!("read {}", either(&tenants)));
    cx.report(finding);
}

#[cfg(test)]
mod tests {
    use telstack_catalog::{Distribution, product::Product};
    use telstack_diagnostics::Severity;
    use telstack_system::{Protocol, Purpose, Sourced};

    use crate::test_support::Bench;

    fn loki(exporter: &str, apart: Option<bool>, reads: Option<&str>) -> Bench {
        let mut bench = Bench::new("apart http reads grafana");
        let yaml = format!(
            "exporters: {{otlp_http: {{endpoint: 'http://loki:3100/otlp', {exporter}}}}}\n\
             service: {{pipelines: {{logs: {{receivers: [otlp], exporters: [otlp_http]}}}}}}"
        );
        bench.add_collector("agent", Distribution::Contrib, "0.158.0", &yaml);
        let id = bench.add(Product::Loki, "3.7.6");
        let says = bench.at("apart");
        let mut http = bench.listener("otlp-http", 3100, "http");
        (http.protocol, http.base) = (Protocol::OTLP_HTTP, Some("/otlp".to_owned()));
        let mut query = bench.listener("query", 3100, "http");
        query.protocol = Protocol::HTTP;
        let node = bench.node(id);
        node.listeners = vec![http, query];
        node.store_mut().expect("store").multi_tenant = apart.map(|it| Sourced::new(it, says));
        if let Some(tenant) = reads {
            let grafana = bench.add(Product::Grafana, "13.0.1");
            let mut edge = bench.edge(Protocol::HTTP, "loki", 3100, "reads");
            edge.purpose = Purpose::Query;
            edge.dial.as_mut().expect("dial").tenant = Some(tenant.to_owned()).filter(|it| !it.is_empty());
            bench.system.connect(grafana, id, edge);
        }
        bench
    }

    #[test]
    fn fails_without_a_tenant() {
        assert_eq!(loki("", Some(true), None).finds("L005", "'http://loki:3100/otlp'"), Severity::Error);
        loki("headers: {x-scope-orgid: a}", Some(true), Some("")).finds("L005", "reads");
    }

    #[test]
    fn warns_of_another_tenant_than_the_writers() {
        let bench = loki("headers: {X-Scope-OrgID: a}", Some(true), Some("b"));
        assert_eq!(bench.finds("L005", "reads"), Severity::Warning);
    }

    #[test]
    fn passes_with_the_same_tenant_and_without_tenants() {
        loki("headers: {X-Scope-OrgID: a}", Some(true), Some("b|a")).silent("L005");
        loki("", Some(false), Some("")).silent("L005");
    }

    #[test]
    fn a_flag_goes_before_the_configuration() {
        let reads = |flag: &str, file: &str| {
            let compose = format!(
                "services:\n  loki:\n    image: grafana/loki:3.5.0\n    command: [-config.file=/l.yml, '{flag}']\n    volumes: \
                 ['./l.yml:/l.yml']\n  grafana:\n    image: grafana/grafana:12.0.0\n    volumes: \
                 ['./data.yml:/etc/grafana/provisioning/datasources/data.yml']\n"
            );
            let data = "datasources: [{name: l, type: loki, url: 'http://loki:3100'}]\n";
            Bench::project(&[("compose.yaml", &compose), ("data.yml", data), ("l.yml", file)])
        };
        reads("-auth.enabled=false", "auth_enabled: true\n").silent("L005");
        reads("-auth.enabled=${AUTH}", "auth_enabled: true\n").silent("L005");
        reads("-auth.enabled", "auth_enabled: false\n").finds("L005", "'http://loki:3100'");
        reads("-target=all", "auth_enabled: true\n").finds("L005", "'http://loki:3100'");
    }

    const URL: &str = "http://mimir:8080/api/v1/push";

    #[test]
    fn what_stores_write_to_others() {
        let mimir = |says: &str, who: &str, flag: &str, config: &str| {
            let compose = format!(
                "services:\n  mimir:\n    image: grafana/mimir:2.17.1\n    command: [-config.file=/m.yml]\n    volumes: \
                 ['./m.yml:/m.yml']\n  who:\n    image: {who}\n    command: [{flag}=/w.yml]\n    volumes: \
                 ['./w.yml:/w.yml']\n"
            );
            let mimir = format!("target: all\n{says}");
            Bench::project(&[("compose.yaml", &compose), ("m.yml", &mimir), ("w.yml", config)])
        };
        let prometheus = |says: &str, more: &str| {
            let config = format!("remote_write: [{{url: '{URL}'{more}}}]\n");
            mimir(says, "prom/prometheus:v3.5.0", "--config.file", &config)
        };
        let url = format!("'{URL}'");
        // It tells them apart by itself.
        assert_eq!(prometheus("", "").finds("L005", &url), Severity::Error);
        prometheus("multitenancy_enabled: true\n", "").finds("L005", &url);
        prometheus("multitenancy_enabled: false\n", "").silent("L005");
        prometheus("multitenancy_enabled: ${APART}\n", "").silent("L005");
        prometheus("", ", headers: {X-Scope-OrgID: a}").silent("L005");
        prometheus("", ", headers: ${HEADERS}").silent("L005");
        let tempo = |first: &str, storage: &str, overrides: &str| {
            let config = format!(
                "{first}metrics_generator: {{storage: {{path: /g, remote_write: [{{url: '{URL}'}}]{storage}}}}}\noverrides: \
                 {{defaults: {{metrics_generator: {{processors: [span-metrics]{overrides}}}}}}}\n"
            );
            mimir("", "grafana/tempo:2.8.2", "-config.file", &config)
        };
        tempo("", "", "").finds("L005", &url);
        let apart = "multitenancy_enabled: true\n";
        tempo(apart, ", remote_write_add_org_id_header: false", "").finds("L005", &url);
        // It hands on the tenant of the spans.
        tempo(apart, "", "").silent("L005");
        tempo("", "", ", remote_write_headers: {X-Scope-OrgID: a}").silent("L005");
        let loki = |more: &str| {
            let config =
                format!("ruler: {{remote_write: {{enabled: true, clients: {{m: {{url: '{URL}'}}}}{more}}}}}\n");
            mimir("", "grafana/loki:3.5.0", "-config.file", &config)
        };
        loki(", add_org_id_header: false").finds("L005", &url);
        loki("").silent("L005");
        loki(", add_org_id_header: ${ADD}").silent("L005");
    }

    #[test]
    fn silent_when_it_is_not_known() {
        loki("", None, None).silent("L005");
        loki("headers: {X-Scope-OrgID: '${env:T}'}", Some(true), Some("b")).silent("L005");
        loki("auth: {authenticator: headers_setter}", Some(true), None).silent("L005");
    }
}
