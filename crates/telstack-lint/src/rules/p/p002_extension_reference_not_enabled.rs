use telstack_catalog::ComponentKind;
use telstack_diagnostics::{Fix, RuleInfo, Severity};
use telstack_syntax::tree::{Entry, Kind};
use telstack_system::{ComponentId, Origin, Value};

use crate::{
    Cx, Rule,
    facts::Part,
    repair,
    words::{is_reference, nearest},
};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        code: "P002",
        name: "extension-reference-not-enabled",
        severity: Severity::Error,
        summary: "A setting names an extension that is not declared, or not listed in `service.extensions`.",
        why: "The collector finds out only when it starts the component: `otelcol validate` does not look. It stops \
              with `extension not found` or `failed to resolve authenticator`.",
        bad: r#"collector "gateway" {
    receiver "otlp"
    extension "file_storage"
    exporter "otlp_grpc" { endpoint "gw:4317"; sending_queue storage="file_storage/otc" }
    pipeline "traces" { from "otlp"; to "otlp_grpc" }
}"#,
        good: r#"collector "gateway" {
    receiver "otlp"
    extension "file_storage/otc"
    exporter "otlp_grpc" { endpoint "gw:4317"; sending_queue storage="file_storage/otc" }
    pipeline "traces" { from "otlp"; to "otlp_grpc" }
}"#,
        silent: "No pipeline has the component: it is never built (P005). The name comes from the environment; an `encoding` that is not declared as an extension is a built-in \
                 word of that component.",
        sources: &[
            "https://github.com/open-telemetry/opentelemetry-collector/issues/8721",
            "https://github.com/open-telemetry/opentelemetry-collector/blob/main/exporter/exporterhelper/README.md",
        ],
    },
    check,
};

fn check(cx: &mut Cx<'_>) {
    // What nothing mentions is never built.
    let built = |it: &&Part<'_>| it.runs() || it.collector.pipelines.is_empty() || it.wiring.has_open_pipelines();
    for part in cx.facts.parts.iter().filter(built) {
        for (path, value) in references(part) {
            judge(cx, part, &path, value);
        }
    }
}

/// Settings of a component that name an extension.
pub(crate) fn references<'a>(part: &Part<'a>) -> Vec<(String, &'a Value)> {
    let storage = part.usable().and_then(|(fact, _)| fact.storage_setting());
    let mut found = Vec::new();
    walk(&part.component.settings, "", &mut |path, entry| {
        let key = entry.key.as_str();
        let parent = path.rsplit('.').nth(1).unwrap_or_default();
        let names_one = Some(path) == storage
            || (key == "authenticator" && parent == "auth")
            || (key == "storage" && parent == "sending_queue")
            || (key == "id" && parent == "middlewares[]")
            || key == "k8s_leader_elector"
            || (key == "encoding" && is_declared(part, &entry.value));
        if part.lacks(path) {
            return;
        }
        if names_one {
            found.push((path.to_owned(), &entry.value));
        }
        if key == "watch_observers" {
            let observers = entry.value.as_seq().unwrap_or_default().iter();
            found.extend(observers.map(|it| (path.to_owned(), it)));
        }
    });
    found
}

fn is_declared(part: &Part<'_>, value: &Value) -> bool {
    let id = value.as_str().map(ComponentId::parse);
    id.is_some_and(|id| part.wiring.component(ComponentKind::Extension, &id).is_some())
}

fn walk<'a>(value: &'a Value, path: &str, visit: &mut impl FnMut(&str, &'a Entry<Origin>)) {
    match &value.kind {
        Kind::Map(map) => {
            for entry in map {
                let path = if path.is_empty() { entry.key.clone() } else { format!("{path}.{}", entry.key) };
                visit(&path, entry);
                walk(&entry.value, &path, visit);
            }
        }
        Kind::Seq(seq) => seq.items.iter().for_each(|item| walk(item, &format!("{path}[]"), visit)),
        _ => {}
    }
}

fn judge(cx: &mut Cx<'_>, part: &Part<'_>, path: &str, value: &Value) {
    let Some(name) = value.as_str().filter(|name| !name.is_empty() && !is_reference(name)) else { return };
    let id = ComponentId::parse(name);
    let collector = part.collector;
    if collector.may_have_more(ComponentKind::Extension) {
        return;
    }
    let message = |what| format!("`{path}` of {} names extension `{id}`, which is {what}", part.title());
    let finding = match part.wiring.component(ComponentKind::Extension, &id) {
        Some(extension) if part.wiring.runs(extension) => return,
        Some(extension) => {
            let finding = cx
                .finding(message("not in `service.extensions`"), &value.mark, "not started")
                .label(extension.origin.span(), "declared here, and not started")
                .help(format!("add `{id}` to `service.extensions`"));
            let fix = repair::enable(collector, &id).map(|it| Fix::safe(format!("start `{id}`"), it));
            repair::with(finding, fix)
        }
        None => {
            let known = if cx.may_compare(collector.components.len()) { &collector.components[..] } else { &[] };
            let known = known.iter().filter(|it| it.kind == ComponentKind::Extension);
            let declared: Vec<String> = known.map(|it| it.id.to_string()).collect();
            let finding = cx.finding(message("not declared"), &value.mark, "no such extension");
            // `file_storage` for `file_storage/otc` is the usual slip.
            let slip = declared.iter().find(|it| ComponentId::parse(it).ty == id.ty).map(String::as_str);
            let finding = match slip.or_else(|| nearest(name, declared.iter().map(String::as_str))) {
                Some(slip) => {
                    let change = repair::word(&value.mark, name, slip);
                    let finding = finding.help(format!("did you mean `{slip}`?"));
                    repair::with(finding, change.map(|it| Fix::unsafe_(format!("name `{slip}`"), it)))
                }
                None => finding,
            };
            finding.help(cx.words(
                format!("declare it: `extension \"{id}\"`"),
                format!("declare `{id}` below `extensions`, and name it in `service.extensions`"),
            ))
        }
    };
    cx.report(finding);
}

#[cfg(test)]
mod tests {
    use telstack_diagnostics::Applicability;

    use crate::test_support::Bench;

    fn queue(storage: &str, extensions: &str) -> Bench {
        let yaml = format!(
            "extensions: {{file_storage: }}\n\
             exporters: {{otlp_grpc: {{endpoint: 'gw:4317', sending_queue: {{storage: {storage}}}}}}}\n\
             service: {{extensions: [{extensions}]}}"
        );
        Bench::collector("0.158.0", &yaml)
    }

    #[test]
    fn fails_when_it_is_not_declared() {
        queue("file_storage/otc", "file_storage").finds("P002", "file_storage/otc");
    }

    #[test]
    fn fails_when_it_is_not_started() {
        let bench = queue("file_storage", "");
        bench.finds("P002", "file_storage");
        bench.silent("P005");
    }

    #[test]
    fn fails_on_an_authenticator_deep_in_a_receiver() {
        let yaml = "receivers: {otlp: {protocols: {grpc: {auth: {authenticator: oidc}}}}}";
        Bench::collector("0.158.0", yaml).finds("P002", "oidc");
    }

    #[test]
    fn silent_where_the_component_is_never_built() {
        let used = |exporter: &str| {
            let yaml = format!(
                "receivers: {{otlp: {{protocols: {{grpc: }}}}}}\n\
                 exporters: {{otlp_grpc: {{endpoint: 'gw:4317', sending_queue: {{storage: file_storage}}}}, debug: }}\n\
                 service: {{pipelines: {{traces: {{receivers: [otlp], exporters: [{exporter}]}}}}}}"
            );
            Bench::collector("0.158.0", &yaml)
        };
        used("otlp_grpc").finds("P002", "file_storage");
        used("debug").silent("P002");
    }

    #[test]
    fn passes_when_it_is_started() {
        queue("file_storage", "file_storage").silent("P002");
    }

    #[test]
    fn silent_for_references_and_built_in_encodings() {
        queue("'${env:STORAGE}'", "").silent("P002");
        Bench::collector("0.158.0", "exporters: {kafka: {encoding: otlp_proto}}").silent("P002");
    }

    #[test]
    fn what_is_declared_can_be_started() {
        let yaml = |list: &str, name: &str| {
            format!(
                "extensions: {{health_check: , file_storage/q: }}\nexporters:\n  otlp_grpc:\n    \
                 endpoint: gw:4317\n    sending_queue: {{storage: {name}}} # mine\nservice:\n  extensions:{list}\n"
            )
        };
        let (start, done) = ("\n    - health_check # up", "\n    - health_check # up\n    - file_storage/q");
        let bench = Bench::collector("0.158.0", &yaml(start, "file_storage/q"));
        assert_eq!(bench.fixed("P002", &yaml(done, "file_storage/q")), Applicability::Safe);
        let bench = Bench::collector("0.158.0", &yaml(" [health_check]", "file_storage/q"));
        assert_eq!(
            bench.fixed("P002", &yaml(" [health_check, file_storage/q]", "file_storage/q")),
            Applicability::Safe
        );
        let (list, done) = (" [health_check, file_storage/q]", "file_storage/q");
        let bench = Bench::collector("0.158.0", &yaml(list, "file_storage"));
        assert_eq!(bench.fixed("P002", &yaml(list, done)), Applicability::Unsafe);
    }

    #[test]
    fn silent_where_the_setting_itself_is_none() {
        let queue = |exporter: &str| {
            let yaml = format!(
                "exporters: {{{exporter}: {{endpoint: 'http://a:1', sending_queue: {{storage: file_storage}}}}}}\n\
                 service: {{pipelines: {{metrics: {{receivers: [otlp], exporters: [{exporter}]}}}}}}"
            );
            Bench::collector("0.158.0", &yaml)
        };
        queue("otlp_http").finds("P002", "file_storage");
        let none = queue("prometheusremotewrite");
        none.finds("D007", "sending_queue");
        none.silent("P002");
        none.silent("D005");
    }

    #[test]
    fn observers_that_are_watched_must_run() {
        let creator = |extensions: &str, started: &str| {
            let yaml = format!(
                "extensions: {{{extensions}}}\nreceivers: {{receiver_creator: {{watch_observers: [k8s_observer]}}}}\n\
                 exporters: {{debug: }}\nservice: {{extensions: [{started}], pipelines: {{metrics: {{receivers: \
                 [receiver_creator], exporters: [debug]}}}}}}"
            );
            Bench::collector("0.158.0", &yaml)
        };
        creator("", "").finds("P002", "k8s_observer");
        creator("k8s_observer: ", "").finds("P002", "k8s_observer");
        creator("k8s_observer: ", "k8s_observer").silent("P002");
    }
}
