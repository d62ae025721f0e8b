use telstack_catalog::{Signal, sdk};
use telstack_diagnostics::{Fix, RuleInfo, Severity};
use telstack_system::{
    EnvValue, Origin, Protocol, Value,
    link::{self, Address},
};

use crate::{
    Cx, Rule,
    facts::{Link, Part},
    repair,
    words::is_reference,
};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        code: "N004",
        name: "otlp-http-signal-path-doubled",
        severity: Severity::Error,
        summary: "The address of an OTLP exporter has the path of a signal too often, or not at all.",
        why: "The exporter adds `/v1/traces`, `/v1/metrics` or `/v1/logs` to `endpoint` by itself. With the path \
              written there it posts to `/v1/traces/v1/traces`, is answered 404, and drops the data without a retry. \
              An address for one signal, such as `traces_endpoint`, is taken as it is.",
        bad: r#"collector "agent" {
    receiver "otlp"
    exporter "otlp_http" { endpoint "http://traces.example:4318/v1/traces" }
    pipeline "traces" { from "otlp"; to "otlp_http" }
}"#,
        good: r#"collector "agent" {
    receiver "otlp"
    exporter "otlp_http" { endpoint "http://traces.example:4318" }
    pipeline "traces" { from "otlp"; to "otlp_http" }
}"#,
        silent: "The address comes from the environment; each signal that flows has an address of its own \
                 (`traces_endpoint`); what is left without the path is wrong for the store that is \
                 dialled (N005). An address for one signal without any path is a warning, as long as nothing of the \
                 stack answers there. Programs that are told an address by `OTEL_EXPORTER_OTLP_ENDPOINT` and neither a \
                 protocol nor a port that answers.",
        sources: &[
            "https://github.com/open-telemetry/opentelemetry-collector/tree/main/exporter/otlphttpexporter",
            "https://github.com/grafana/loki/issues/14238",
            "https://github.com/open-telemetry/opentelemetry.io/pull/2406",
        ],
    },
    check,
};

fn check(cx: &mut Cx<'_>) {
    for part in cx.facts.parts.iter().filter(|part| part.runs()) {
        let Some((fact, _)) = part.usable().filter(|(fact, _)| fact.protocol() == Some(Protocol::OTLP_HTTP.0)) else {
            continue;
        };
        if let Some((text, at)) = part.component.setting(fact.address_setting()).and_then(literal) {
            doubled(cx, part, text, at);
        }
        for signal in Signal::ALL.iter().copied().filter(|signal| path_of(*signal).is_some()) {
            if let Some((text, at)) = link::own_address(part.component, signal).and_then(literal) {
                missing(cx, part, signal, text, at);
            }
        }
    }
    let facts = cx.facts;
    let by_http = |link: &&Link<'_>| link.dial.protocol == Protocol::OTLP_HTTP && link.from.external().is_some();
    for link in facts.links.iter().filter(by_http) {
        of_program(cx, link);
    }
}

/// The same of a program, by the variables of its container.
fn of_program(cx: &mut Cx<'_>, link: &Link<'_>) {
    let Some(variable) = link.told_by() else { return };
    let EnvValue::Literal(text) = &variable.value else { return };
    let (name, program) = (&variable.name, &link.from.name);
    let trimmed = text.trim_end_matches('/');
    if let Some(signal) = sdk::signal_of(name) {
        let Some(path) = path_of(signal) else { return };
        let bare = Address::parse(text).is_some_and(|it| it.path.trim_matches('/').is_empty());
        // Only what answers there is known to want the path.
        if bare && let Some(answer) = link.answer() {
            let path = answer.path_of(signal).unwrap_or(path);
            let finding = cx
                .finding(
                    format!("`{program}` posts {signal} to `{}` without a path", link.dial.host),
                    &variable.origin,
                    "taken as it is: nothing is added",
                )
                .label(link.listener().and_then(|it| it.origin.span()), format!("takes {signal} at `{path}`"))
                .help(format!("write the whole address: `{trimmed}{path}`"))
                .help(format!("or set `{}`, to which the path of each signal is added", sdk::shared().endpoint));
            cx.report(finding);
        }
    } else {
        let mut paths = Signal::ALL.iter().copied().filter_map(|it| Some((it, path_of(it)?)));
        let Some((signal, path)) = paths.find(|(_, path)| trimmed.ends_with(path.as_str())) else { return };
        let own = sdk::of_signal(signal).map_or("", |it| it.endpoint.as_str());
        let rest = &trimmed[..trimmed.len() - path.len()];
        // Another path is wanted there: that is the other mistake.
        let base = Address::parse(rest).map(|address| address.path).unwrap_or_default();
        let wanted = link.answer().map(|it| it.base.clone().unwrap_or_default());
        if wanted.as_ref().is_some_and(|wanted| wanted.trim_matches('/') != base.trim_matches('/')) {
            return;
        }
        let finding = cx
            .finding(
                format!("`{program}` posts to `{path}{path}`"),
                &variable.origin,
                format!("`{path}` is added to this"),
            )
            .help(format!("leave the path out: `{name}={rest}`"))
            .severity(if wanted.is_some() { Severity::Error } else { Severity::Warning })
            .help(format!("for one signal only, `{own}` is taken as it is"));
        cx.report(finding);
    }
}

/// The path that the exporter adds for a signal; that of profiles is not settled.
fn path_of(signal: Signal) -> Option<String> {
    (signal != Signal::Profiles).then(|| format!("/v1/{signal}"))
}

fn literal(value: &Value) -> Option<(&str, &Origin)> {
    Some((value.as_str().filter(|text| !is_reference(text))?, &value.mark))
}

fn doubled(cx: &mut Cx<'_>, part: &Part<'_>, text: &str, at: &Origin) {
    let trimmed = text.trim_end_matches('/');
    let mut paths = Signal::ALL.iter().filter_map(|signal| path_of(*signal));
    let Some(path) = paths.find(|path| trimmed.ends_with(path.as_str())) else { return };
    let rest = &trimmed[..trimmed.len() - path.len()];
    // Another path is wanted there: that is the other mistake.
    let base = Address::parse(rest).map(|address| address.path).unwrap_or_default();
    let answers = cx.facts.links.iter().filter(|link| link.dial.origin == *at);
    let wanted = |link: &Link<'_>| Some(link.answer()?.base.clone().unwrap_or_default());
    if answers.filter_map(wanted).any(|wanted| wanted.trim_matches('/') != base.trim_matches('/')) {
        return;
    }
    // A signal with an address of its own is not sent to this one.
    let goes = |signal: &Signal| link::own_address(part.component, *signal).is_none();
    let signals: Vec<Signal> = part.pipelines().map(|it| it.signal).filter(goes).collect();
    if signals.is_empty() {
        return;
    }
    let signals = signals.into_iter();
    let posts: Vec<String> = signals.filter_map(path_of).map(|own| format!("{path}{own}")).collect();
    let shown = posts.first().cloned().unwrap_or_else(|| format!("{path}{path}"));
    let finding = cx
        .finding(format!("{} posts to `{shown}`", part.title()), at, format!("`{path}` is added to this"))
        .help(format!("leave the path out: `{rest}`"))
        .help(format!("for one signal only, an address such as `{}_endpoint` is taken as it is", &path[4..]));
    let fix = repair::word(at, text, rest).map(|changes| Fix::safe(format!("leave `{path}` out"), changes));
    cx.report(repair::with(finding, fix));
}

fn missing(cx: &mut Cx<'_>, part: &Part<'_>, signal: Signal, text: &str, at: &Origin) {
    let Some(path) = path_of(signal) else { return };
    let Some(address) = Address::parse(text).filter(|it| it.path.trim_matches('/').is_empty()) else { return };
    let feeds = |it: &telstack_system::Pipeline| it.signal == signal;
    if !part.pipelines().any(feeds) {
        return;
    }
    let answer = cx.facts.links.iter().filter(|link| link.dial.origin == *at).find_map(Link::answer);
    let (answered, path) = (answer.is_some(), answer.and_then(|it| it.path_of(signal)).unwrap_or(path));
    let message = format!("{} posts {signal} to `{}` without a path", part.title(), address.host);
    let finding = cx
        .finding(message, at, "taken as it is: nothing is added")
        .severity(if answered { Severity::Error } else { Severity::Warning })
        .help(format!("write the whole address: `{}{path}`", text.trim_end_matches('/')));
    cx.report(finding);
}

#[cfg(test)]
mod tests {
    use telstack_diagnostics::Severity;

    use crate::test_support::Bench;

    fn exporter(settings: &str) -> Bench {
        Bench::exporter("0.140.0", &format!("otlphttp: {{{settings}}}"))
    }

    #[test]
    fn fails_on_a_path_that_is_added_anyway() {
        for address in ["http://t:4318/v1/traces", "https://t/otlp/v1/traces/", "http://t/v1/logs"] {
            let found = exporter(&format!("endpoint: '{address}'")).finds("N004", &format!("'{address}'"));
            assert_eq!(found, Severity::Error);
        }
    }

    #[test]
    fn warns_of_an_address_for_one_signal_without_a_path() {
        let found = exporter("traces_endpoint: 'http://t:4318'").finds("N004", "'http://t:4318'");
        assert_eq!(found, Severity::Warning);
    }

    #[test]
    fn passes_on_whole_and_on_bare_addresses() {
        exporter("endpoint: 'http://t:4318'").silent("N004");
        exporter("endpoint: 'http://t:4318/otlp'").silent("N004");
        exporter("traces_endpoint: 'http://t:4318/v1/traces'").silent("N004");
        exporter("traces_endpoint: 'http://t/api/public/otel'").silent("N004");
    }

    #[test]
    fn silent_when_the_address_is_not_known_or_serves_nothing() {
        exporter("endpoint: '${env:E}/v1/traces'").silent("N004");
        exporter("endpoint: 'http://t', logs_endpoint: 'http://l'").silent("N004");
    }

    #[test]
    fn silent_where_each_signal_has_an_address_of_its_own() {
        exporter("endpoint: 'http://t/v1/traces', traces_endpoint: 'http://t/v1/traces'").silent("N004");
        for other in ["metrics_endpoint: 'http://t/v1/metrics'", "traces_endpoint: ''"] {
            exporter(&format!("endpoint: 'http://t/v1/traces', {other}")).finds("N004", "'http://t/v1/traces'");
        }
    }
}
