use telstack_diagnostics::{Fix, RuleInfo, Severity};
use telstack_system::{Known, Protocol, link::Address};

use crate::{Cx, Rule, repair, words::is_reference};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        code: "N007",
        name: "grpc-scheme-contradicts-tls",
        severity: Severity::Warning,
        summary: "The address of a gRPC exporter begins with `http://` or `https://`, and `tls` says the opposite.",
        why: "A gRPC exporter goes by `tls`. `http://` is taken off and switches nothing off: the exporter encrypts. \
              `https://` encrypts, whatever `insecure` says.",
        bad: r#"exporter "otlp_grpc" { endpoint "http://gateway.example:4317" }"#,
        good: r#"exporter "otlp_grpc" { endpoint "gateway.example:4317"; tls insecure=#true }"#,
        silent: "A scheme that says the same as `tls`; a value that comes from the environment; a server of the stack \
                 answers there, so that it is known who is right (N006).",
        sources: &[
            "https://github.com/open-telemetry/opentelemetry-collector/blob/main/config/configgrpc/configgrpc.go",
            "https://github.com/open-telemetry/opentelemetry-collector/issues/7680",
        ],
    },
    check,
};

const INSECURE: &str = "tls.insecure";

fn check(cx: &mut Cx<'_>) {
    for part in cx.facts.parts.iter().filter(|part| part.runs()) {
        let Some((fact, _)) = part.usable() else { continue };
        let grpc = fact.protocol().map(Protocol).is_some_and(Protocol::is_grpc);
        if !grpc || !part.knows(INSECURE) || part.component.setting("tls").is_some_and(|it| it.as_str().is_some()) {
            continue;
        }
        let Some(value) = part.component.setting(fact.address_setting()) else { continue };
        let Some(address) = value.as_str().filter(|it| !is_reference(it)).and_then(Address::parse) else { continue };
        let plain = match part.component.truth(INSECURE) {
            Known::Absent => false,
            Known::Value(plain) => plain,
            Known::Unknown => continue,
        };
        let (message, remark) = match (address.scheme.as_str(), plain) {
            ("http", false) => ("says `http://`, but encrypts", "taken off: `tls` alone decides"),
            ("https", true) => ("says `https://`, and encrypts, although `insecure` is set", "this decides"),
            _ => continue,
        };
        if cx.facts.links.iter().any(|link| link.dial.origin == value.mark && link.answer().is_some()) {
            continue;
        }
        let setting = part.component.setting(INSECURE);
        let mut finding = cx
            .finding(format!("{} {message}", part.title()), &value.mark, remark)
            .label(setting.and_then(|it| it.mark.span()), if plain { "has no effect" } else { "encrypted" });
        finding = if plain {
            finding.help(format!("leave `{INSECURE}` out"))
        } else {
            finding
                .help(format!("to send in plain text, set `{INSECURE}: true`"))
                .help("to encrypt, leave `http://` out")
        };
        let to = if plain { "false" } else { "true" };
        let change = repair::set(&part.component.origin, &part.component.settings, INSECURE, to);
        let fix = change.filter(|_| cx.system.from_files).map(|it| Fix::unsafe_(format!("set `{INSECURE}: {to}`"), it));
        cx.report(repair::with(finding, fix));
    }
}

#[cfg(test)]
mod tests {
    use telstack_diagnostics::Applicability;

    use crate::test_support::Bench;

    fn exporter(settings: &str) -> Bench {
        Bench::exporter("0.140.0", &format!("otlp: {{{settings}}}"))
    }

    #[test]
    fn warns_of_a_contradiction() {
        exporter("endpoint: 'http://gw:4317'").finds("N007", "'http://gw:4317'");
        exporter("endpoint: 'https://gw:4317', tls: {insecure: true}").finds("N007", "'https://gw:4317'");
    }

    #[test]
    fn passes_where_both_say_the_same() {
        exporter("endpoint: 'http://gw:4317', tls: {insecure: true}").silent("N007");
        exporter("endpoint: 'https://gw:4317'").silent("N007");
        exporter("endpoint: 'gw:4317', tls: {insecure: true}").silent("N007");
    }

    #[test]
    fn silent_when_it_is_not_known() {
        exporter("endpoint: 'http://gw:4317', tls: {insecure: '${env:PLAIN}'}").silent("N007");
        exporter("endpoint: '${env:GW}'").silent("N007");
    }

    #[test]
    fn it_can_be_said_once() {
        let otel = |tls: &str| {
            format!(
                "receivers: {{otlp: {{protocols: {{grpc: }}}}}}\nexporters:\n  otlp:\n    endpoint: http://gw.example.com:4317\n{tls}\
                 service: {{pipelines: {{traces: {{receivers: [otlp], exporters: [otlp]}}}}}}\n"
            )
        };
        let compose = "services:\n  otel:\n    image: otel/opentelemetry-collector:0.140.0\n    volumes: \
                       ['./o.yaml:/etc/otelcol/config.yaml']\n";
        let bench = Bench::project(&[("compose.yaml", compose), ("o.yaml", &otel(""))]);
        assert_eq!(bench.fixed("N007", &otel("    tls:\n      insecure: true\n")), Applicability::Unsafe);
    }
}
