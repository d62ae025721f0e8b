use telstack_catalog::otelcol::{self, Replacement};
use telstack_diagnostics::{Change, Fix, RuleInfo, Severity};
use telstack_system::Component;

use crate::{Cx, Rule, facts::Standing, repair, words::with_release};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        code: "V001",
        name: "component-removed",
        severity: Severity::Error,
        summary: "The component does not exist in the pinned release: it was removed, came later, or has another name \
                  there.",
        why: "The collector does not start: `unknown type: \"logging\"`. Names that were changed are mostly kept as \
              aliases, from the release on that changed them; removed components leave nothing.",
        bad: r#"versions { otelcol "0.130.0" }
collector "gateway" {
    receiver "otlp"
    exporter "logging"          // removed in 0.111.0
    pipeline "traces" { from "otlp"; to "logging" }
}"#,
        good: r#"versions { otelcol "0.130.0" }
collector "gateway" {
    receiver "otlp"
    exporter "debug"
    pipeline "traces" { from "otlp"; to "debug" }
}"#,
        silent: "The collector's release is not known.",
        sources: &[
            "https://github.com/open-telemetry/opentelemetry-collector/blob/main/CHANGELOG.md",
            "https://github.com/open-telemetry/opentelemetry-collector-contrib/blob/main/CHANGELOG.md",
        ],
    },
    check,
};

fn check(cx: &mut Cx<'_>) {
    for part in &cx.facts.parts {
        let (title, at) = (part.title(), &part.component.origin);
        let finding = match part.standing {
            Standing::Removed { fact, version, last, removed_in } => {
                let message = format!("{title} does not exist in {version}: it was removed in {removed_in}");
                let mut finding = cx.finding(message, at, format!("last seen in {last}"));
                if let Some(replacement) = fact.replacement() {
                    let kind = replacement.kind.map(|kind| format!("{kind} ")).unwrap_or_default();
                    // Its name at the release that runs, which may be older than the newest name.
                    let fact = replacement.kind.and_then(|kind| otelcol::component(kind, replacement.name));
                    let name = fact.map_or(replacement.name, |fact| fact.name_at(version));
                    finding = finding.help(format!("use {kind}`{name}` in its place"));
                    // An address may mean something else to another component.
                    let dials = fact.and_then(|it| part.component.setting(it.address_setting())).is_some();
                    if replacement.kind == Some(part.component.kind) && !dials {
                        let change = repair::component_type(cx.facts, part, name);
                        let change = change.and_then(|it| Some([it, settings(part.component, replacement)?].concat()));
                        finding = repair::with(finding, change.map(|it| Fix::unsafe_(format!("use `{name}`"), it)));
                    }
                    if let Some(note) = replacement.note {
                        finding = finding.note(note);
                    }
                }
                finding.help(format!("pin a release that still has it: {last} is the last"))
            }
            Standing::NotYet { version, since } => {
                let message = format!("{title} does not exist in {version} yet: it came with {since}");
                cx.finding(message, at, format!("there since {since}")).help(format!("pin {since} or later"))
            }
            Standing::Renamed { version, is_called, since } => {
                let message = format!("{title} is called `{is_called}` in {version}");
                let remark = since.map_or_else(
                    || format!("`{}` is not accepted any more", part.component.id.ty),
                    |since| format!("`{}` is accepted since {since}", part.component.id.ty),
                );
                let finding = cx.finding(message, at, remark).help(format!("write `{is_called}`"));
                let change = repair::component_type(cx.facts, part, is_called);
                repair::with(finding, change.map(|it| Fix::safe(format!("rename to `{is_called}`"), it)))
            }
            _ => continue,
        };
        cx.report(with_release(finding, part.node));
    }
}

/// Settings that have another name and other values in what replaces the component; none if a value has no like.
fn settings(component: &Component, replacement: Replacement) -> Option<Vec<Change>> {
    let mut changes = Vec::new();
    for entry in component.settings.as_map().into_iter().flatten() {
        let written = entry.value.as_str().unwrap_or_default();
        if let Some((name, value)) = replacement.setting(&entry.key, written) {
            changes.extend(repair::word(&entry.key_mark, &entry.key, name)?);
            changes.extend(repair::word(&entry.value.mark, written, value?)?);
        }
    }
    Some(changes)
}

#[cfg(test)]
mod tests {
    use telstack_diagnostics::Applicability;

    use crate::test_support::Bench;

    fn exporter(version: &str, name: &str) -> Bench {
        Bench::collector(version, &format!("exporters: {{{name}: }}"))
    }

    #[test]
    fn fails_on_what_is_gone_and_says_nothing_of_its_settings() {
        let bench = Bench::collector("0.130.0", "exporters: {logging: {loglevel: debug, nonsense: 1}}");
        bench.finds("V001", "logging");
        bench.silent("Y001");
    }

    #[test]
    fn fails_on_a_name_from_the_future() {
        exporter("0.120.0", "otlp_grpc").finds("V001", "otlp_grpc");
    }

    #[test]
    fn passes_while_it_is_there() {
        exporter("0.100.0", "logging").silent("V001");
        exporter("0.158.0", "otlp_grpc").silent("V001");
    }

    #[test]
    fn silent_for_aliases_that_are_still_accepted() {
        exporter("0.158.0", "otlphttp").silent("V001");
    }

    #[test]
    fn fixes_write_the_name_of_the_release() {
        let yaml = |name: &str| {
            format!(
                "exporters:\n  {name}: # mine\n    endpoint: http://gw:4318\n\
                 service: {{pipelines: {{traces: {{exporters: [{name}]}}}}}}\n"
            )
        };
        let old = Bench::collector("0.120.0", &yaml("otlp_http"));
        assert_eq!(old.fixed("V001", &yaml("otlphttp")), Applicability::Safe);
        let gone = |name: &str| {
            format!("exporters:\n  {name}:\nservice: {{pipelines: {{traces: {{exporters: [{name}]}}}}}}\n")
        };
        let bench = Bench::collector("0.158.0", &gone("logging"));
        assert_eq!(bench.fixed("V001", &gone("debug")), Applicability::Unsafe);
        let verbose = |name: &str, setting: &str| {
            format!(
                "exporters:\n  {name}: {{{setting}, sampling_initial: 5}} # mine\n\
                 service: {{pipelines: {{traces: {{exporters: [{name}]}}}}}}\n"
            )
        };
        let bench = Bench::collector("0.158.0", &verbose("logging", "loglevel: debug"));
        assert_eq!(bench.fixed("V001", &verbose("debug", "verbosity: detailed")), Applicability::Unsafe);
        Bench::collector("0.158.0", &verbose("logging", "loglevel: '${env:LEVEL}'")).leaves("V001");
        // What its address means, another exporter may not know.
        Bench::collector("0.158.0", "exporters: {loki: {endpoint: 'http://loki:3100/loki/api/v1/push'}}")
            .leaves("V001");
    }
}
