use telstack_catalog::{container, otelcol};
use telstack_diagnostics::{Diagnostic, RuleInfo, Severity};
use telstack_syntax::tree::Kind;
use telstack_system::{
    Node, Platform, Value,
    expansion::{self, ENV, Piece, Reference, YAML},
};

use crate::{
    Cx, Rule,
    facts::{Part, downward},
    words::either,
};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        code: "E002",
        name: "env-not-provided",
        severity: Severity::Error,
        summary: "A reference to an environment variable that the container does not have or that no container can \
                  have, or to a provider that there is not.",
        why: "A variable that is not set is an empty text, and only a line of the log says so: addresses lead nowhere, \
              and a required setting is missing. `.env` is for compose: its variables reach a container only where \
              `environment` hands them on. With a name that cannot be, or a provider that there is not, the collector \
              does not start: `environment variable \"a-b\" has invalid name`, `scheme \"x\" is not supported`. \
              `${NAME:-default}` is one of these: a default needs the `env:` in front.",
        bad: "exporters: {otlp_http: {endpoint: '${HOST:-http://localhost:4318}'}}",
        good: "exporters: {otlp_http: {endpoint: '${env:HOST:-http://localhost:4318}'}}",
        silent: "Files that no deployment describes; a container whose variables are not all known (`env_file` that is \
                 not there, an image of one's own); a default; what Kubernetes sets for Services \
                 (`REDIS_SERVICE_HOST`); a warning where it is no address, or the host of one to listen on. An unknown provider is a warning where \
                 nothing says which distribution runs. References inside references; `$$`, which stands for one `$`; \
                 `${1}`, which is E001.",
        sources: &["https://opentelemetry.io/docs/collector/configuration/#environment-variables"],
    },
    check,
};

/// What provides values in the distributions' collectors.
const PROVIDERS: [&str; 5] = [ENV, "file", "http", "https", YAML];

fn check(cx: &mut Cx<'_>) {
    let parts = cx.facts.parts.iter();
    let mut values: Vec<(bool, &Value)> =
        parts.map(|part| (part.collector.gaps.distribution, &part.component.settings)).collect();
    for (_, _, collector) in cx.system.collectors() {
        values.extend(collector.telemetry.iter().map(|entry| (collector.gaps.distribution, &entry.value)));
    }
    for (open, value) in values {
        walk(cx, value, open);
    }
    for part in cx.facts.parts.iter().filter(|part| part.runs()) {
        unset(cx, part.node, Some(part), "", &part.component.settings);
    }
    for (_, node, collector) in cx.system.collectors() {
        for entry in &collector.telemetry {
            unset(cx, node, None, &entry.key, &entry.value);
        }
    }
}

/// Reports references to variables that the container surely does not have.
fn unset(cx: &mut Cx<'_>, node: &Node, part: Option<&Part<'_>>, key: &str, value: &Value) {
    match &value.kind {
        Kind::String(text) if text.contains('$') => {
            let references = expansion::pieces(text).into_iter().filter_map(|it| match it {
                Piece::Reference(reference) => Some(reference),
                _ => None,
            });
            let missing = references.into_iter().find(|it| is_missing(cx, node, it));
            if let Some(finding) = missing.map(|it| not_set(cx, (node, part), key, it.name, value)) {
                cx.report_once(finding);
            }
        }
        Kind::Seq(seq) => seq.items.iter().for_each(|item| unset(cx, node, part, key, item)),
        Kind::Map(map) => map.iter().for_each(|entry| unset(cx, node, part, &entry.key, &entry.value)),
        _ => {}
    }
}

fn is_missing(cx: &Cx<'_>, node: &Node, reference: &Reference<'_>) -> bool {
    let Some(container) = node.container.as_ref().filter(|it| cx.system.from_files && !it.gaps.env) else {
        return false;
    };
    let cluster = cx.system.platform.value == Platform::Kubernetes;
    let known = |name: &str| {
        let set = !container.variable(name).is_absent();
        set || container::always_sets(name) || cluster && container::is_of_a_service(name)
    };
    reference.scheme == ENV
        && reference.default.is_none()
        && !reference.is_nested()
        && reference.names_a_variable()
        && !known(reference.name)
}

fn not_set(cx: &Cx<'_>, (node, part): (&Node, Option<&Part<'_>>), key: &str, name: &str, value: &Value) -> Diagnostic {
    let address = ["endpoint", "url"].iter().any(|it| key == *it || key.ends_with(&format!("_{it}")));
    let bound = part.is_some_and(|part| is_bound(part, name, value));
    let severity = if address && !bound { Severity::Error } else { Severity::Warning };
    let remark = if bound { "becomes nothing: binds every interface" } else { "becomes nothing" };
    let finding = cx
        .finding(format!("`{name}` is not set in `{}`", node.name), &value.mark, remark)
        .severity(severity)
        .label(node.span(), format!("is given no variable `{name}`"));
    match cx.system.platform.value {
        Platform::Compose => {
            finding.help(format!("hand it on: `{name}: ${{{name}:?}}` in the service's `environment`"))
        }
        Platform::Kubernetes => finding.help(match otelcol::field_of(name) {
            Some(field) => format!("set it in `env`: {}", downward(name, field)),
            None => format!("set it: `{{name: {name}, value: …}}` in the container's `env`"),
        }),
    }
}

/// Is the variable the host of an address that a component listens on? Without one it listens on every interface.
fn is_bound(part: &Part<'_>, name: &str, value: &Value) -> bool {
    let Some((fact, version)) = part.usable() else { return false };
    let listens = |it: &otelcol::Listen| part.component.setting(it.setting).is_some_and(|it| it.mark == value.mark);
    let mut hosts = value.as_str().and_then(|it| it.rsplit_once(':')).map(|it| it.0).into_iter();
    let host = hosts.find(|host| [format!("${{env:{name}}}"), format!("${{{name}}}")].iter().any(|it| it == host));
    host.is_some() && fact.listens(version).iter().any(listens)
}

/// Finds references in a value of a collector, whose distribution may be `open`.
fn walk(cx: &mut Cx<'_>, value: &Value, open: bool) {
    match &value.kind {
        Kind::String(text) if text.contains("${") => {
            let references = expansion::pieces(text).into_iter().filter_map(|it| match it {
                Piece::Reference(reference) => Some(reference),
                _ => None,
            });
            if let Some(finding) = references.into_iter().find_map(|it| judge(cx, it, value, open)) {
                // One value in two pipelines, or by an alias in two components, is one mistake.
                cx.report_once(finding);
            }
        }
        Kind::Seq(seq) => seq.items.iter().for_each(|item| walk(cx, item, open)),
        Kind::Map(map) => map.iter().for_each(|entry| walk(cx, &entry.value, open)),
        _ => {}
    }
}

fn judge(cx: &Cx<'_>, reference: Reference<'_>, value: &Value, open: bool) -> Option<Diagnostic> {
    let Reference { scheme, name, .. } = reference;
    if reference.is_nested() {
        return None;
    }
    if !PROVIDERS.contains(&scheme) {
        let finding = cx
            .finding(format!("nothing provides `{scheme}:` values"), &value.mark, "not a provider")
            .note(format!("values come from {}", either(PROVIDERS)));
        return Some(match name.strip_prefix('-') {
            Some(default) => finding.help(format!("write `${{env:{scheme}:-{default}}}`: a default needs the `env:`")),
            // Vendors build collectors that have more.
            None if open => finding.severity(Severity::Warning).note("only a distribution of one's own can have more"),
            None => finding.help(format!("write `$${{{scheme}:{name}}}` if it is meant literally")),
        });
    }
    let number = !name.is_empty() && name.bytes().all(|it| it.is_ascii_digit());
    if scheme != ENV || reference.names_a_variable() || number {
        return None;
    }
    let message = format!("`{name}` cannot be the name of an environment variable");
    Some(
        cx.finding(message, &value.mark, "the collector does not start")
            .help("use letters, digits and underscores, and start with no digit")
            .help(format!("write `$${{{name}}}` if it is meant literally")),
    )
}

#[cfg(test)]
mod tests {
    use telstack_diagnostics::Severity;

    use crate::test_support::Bench;

    fn otel(service: &str, exporter: &str) -> Bench {
        let compose = format!(
            "services:\n  otel:\n    image: otel/opentelemetry-collector:0.158.0\n    volumes: \
             ['./o.yaml:/etc/otelcol/config.yaml']\n{service}"
        );
        let config = format!(
            "receivers: {{otlp: {{protocols: {{grpc: }}}}}}\nexporters: {{otlp_http: {{{exporter}}}}}\nservice: {{pipelines: \
             {{traces: {{receivers: [otlp], exporters: [otlp_http]}}}}}}\n"
        );
        Bench::project(&[("compose.yaml", &compose), ("o.yaml", &config)])
    }

    #[test]
    fn fails_where_an_address_is_nothing() {
        let found = otel("", "endpoint: '${env:GATEWAY}'").finds("E002", "'${env:GATEWAY}'");
        assert_eq!(found, Severity::Error);
        let found = otel("", "endpoint: 'http://a:1', headers: {x: '${env:X}'}").finds("E002", "'${env:X}'");
        assert_eq!(found, Severity::Warning);
    }

    #[test]
    fn warns_of_a_host_to_listen_on() {
        let otel = |receiver: &str, exporter: &str| {
            let compose = "services:\n  otel:\n    image: otel/opentelemetry-collector:0.158.0\n    volumes: \
                           ['./o.yaml:/etc/otelcol/config.yaml']\n";
            let config = format!(
                "receivers: {{otlp: {{protocols: {{grpc: {{endpoint: '{receiver}'}}}}}}}}\nexporters: {{otlp_grpc: \
                 {{endpoint: '{exporter}'}}}}\nservice: {{pipelines: {{traces: {{receivers: [otlp], exporters: [otlp_grpc]}}}}}}\n"
            );
            Bench::project(&[("compose.yaml", compose), ("o.yaml", &config)])
        };
        let found = otel("${env:BIND}:4317", "a:1").finds("E002", "'${env:BIND}:4317'");
        assert_eq!(found, Severity::Warning);
        // Without a port there is no address, and nobody answers at a host that is none.
        assert_eq!(otel("${env:BIND}", "a:1").finds("E002", "'${env:BIND}'"), Severity::Error);
        assert_eq!(otel("0.0.0.0:4317", "${env:B}:4317").finds("E002", "'${env:B}:4317'"), Severity::Error);
    }

    #[test]
    fn silent_where_it_is_set_or_not_known() {
        for service in [
            "    environment: [GATEWAY]\n",
            "    env_file: not-there.env\n",
            "    environment: {GATEWAY: 'http://a:1'}\n",
        ] {
            otel(service, "endpoint: '${env:GATEWAY}'").silent("E002");
        }
        otel("", "endpoint: '${env:GATEWAY:-http://a:1}'").silent("E002");
        otel("", "endpoint: 'http://a:1', headers: {x: '${env:HOSTNAME}'}").silent("E002");
        endpoint("${env:GATEWAY}").silent("E002");
    }

    fn endpoint(value: &str) -> Bench {
        Bench::collector("0.158.0", &format!("exporters: {{otlp_http: {{endpoint: '{value}'}}}}"))
    }

    #[test]
    fn fails_on_names_and_providers_that_cannot_be() {
        for value in [
            "${env:a-b}",
            "${}",
            "${env:}",
            "x${env:a b}y",
            "${HOST:-http://a}",
            "${vault:a}",
            "${N:-5}",
            "${:-5}",
            "${ENV:X}",
        ] {
            endpoint(value).finds("E002", &format!("'{value}'"));
        }
    }

    #[test]
    fn warns_of_a_provider_that_a_distribution_of_ones_own_may_have() {
        let mut bench = endpoint("${vault:a}");
        bench.first().collector_mut().expect("a collector").gaps.distribution = true;
        assert_eq!(bench.finds("E002", "'${vault:a}'"), Severity::Warning);
        let mut bench = endpoint("${HOST:-http://a}");
        bench.first().collector_mut().expect("a collector").gaps.distribution = true;
        assert_eq!(bench.finds("E002", "'${HOST:-http://a}'"), Severity::Error);
    }

    #[test]
    fn passes_on_what_there_is() {
        for value in ["${env:HOST}", "${HOST}", "${env:HOST:-http://a:1}", "${file:/host}"] {
            endpoint(value).silent("E002");
        }
    }

    #[test]
    fn silent_for_escapes_and_nesting() {
        for value in ["$${a-b}", "${env:${env:X}}", "${env:a-b"] {
            endpoint(value).silent("E002");
        }
    }
}
