use telstack_catalog::{container::is_of_a_service, otelcol::NamedVariable};
use telstack_diagnostics::{Diagnostic, RuleInfo, Severity};
use telstack_system::{Container, EnvValue, Node, Origin, Unfilled, Value, access, expansion};

use crate::{
    Cx, Rule,
    facts::{Part, downward, own_pod},
};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        code: "K012",
        name: "downward-env-missing",
        severity: Severity::Warning,
        summary: "A component goes by a variable for a field of the pod or node that its container does not set.",
        why: "Kubernetes sets no such variable by itself. What is not set becomes nothing: an address loses its host, \
              a filter by node lets everything through, and the `k8snode` detector stops the collector. `$(NAME)` in a \
              value stays as it stands where the variable is set further down, or nowhere.",
        bad: r"processors:
  k8s_attributes:
    filter: {node_from_env_var: KUBE_NODE_NAME}
---
env:
  - name: K8S_NODE_NAME
    valueFrom: {fieldRef: {fieldPath: spec.nodeName}}",
        good: r"processors:
  k8s_attributes:
    filter: {node_from_env_var: K8S_NODE_NAME}
---
env:
  - name: K8S_NODE_NAME
    valueFrom: {fieldRef: {fieldPath: spec.nodeName}}",
        silent: "The container takes variables from elsewhere (`envFrom`, a shell); an operator makes the pod; the \
                 reference has a default. A variable that the configuration itself takes in is E002.",
        sources: &[
            "https://kubernetes.io/docs/tasks/inject-data-application/define-interdependent-environment-variables/",
            "https://github.com/open-telemetry/opentelemetry-collector-contrib/issues/26481",
        ],
    },
    check,
};

fn check(cx: &mut Cx<'_>) {
    let facts = cx.facts;
    for part in facts.parts.iter().filter(|part| part.runs()) {
        let Some(container) = known(part.node) else { continue };
        let Some((fact, _)) = part.usable() else { continue };
        for row in fact.named_variables() {
            if let Some(finding) = named(cx, part, container, row) {
                cx.report(finding);
            }
        }
    }
    for (_, node) in cx.system.nodes() {
        // Where more variables may come from, so may this one.
        let Some(container) = node.container.as_ref().filter(|it| !it.gaps.env) else { continue };
        unfilled(cx, node, container);
    }
}

/// The container of a node in a pod, if all of its variables are known.
fn known(node: &Node) -> Option<&Container> {
    own_pod(node)?;
    node.container.as_ref().filter(|it| !it.gaps.env)
}

fn named(cx: &Cx<'_>, part: &Part<'_>, container: &Container, row: &NamedVariable) -> Option<Diagnostic> {
    if row.when.as_ref().is_some_and(|it| access::holds(part.component, it) != Some(true)) {
        return None;
    }
    let written = part.component.setting(&row.setting).and_then(|it| Some((it.as_str()?, it)));
    let variable = written.map(|(text, _)| text).or(row.default.as_deref())?;
    let there = container.env.iter().any(|it| it.name == variable);
    if there || variable.is_empty() || expansion::is_open(variable) {
        return None;
    }
    let at: &Origin = written.map_or(&part.component.origin, |(_, value): (&str, &Value)| &value.mark);
    let message = format!("{} goes by the variable `{variable}`, which its container does not have", part.title());
    let severity = if row.stops { Severity::Error } else { Severity::Warning };
    let mut finding = cx
        .finding(message, at, "not set")
        .severity(severity)
        .label(container.origin.span(), format!("sets no `{variable}`"))
        .note(format!("without it, {}", row.without));
    let holds = container.env.iter().find(|it| matches!(&it.value, EnvValue::Field(field) if *field == row.field));
    if let Some(other) = holds {
        finding = finding.label(other.origin.span(), format!("`{}` has `{}`", other.name, row.field)).help(format!(
            "name that one: `{}: {}`",
            row.setting.rsplit('.').next().unwrap_or(&row.setting),
            other.name
        ));
    }
    Some(finding.help(format!("set it in `env`: {}", downward(variable, &row.field))))
}

/// `$(NAME)` of what does not stand above.
fn unfilled(cx: &mut Cx<'_>, node: &Node, container: &Container) {
    for Unfilled { by, name, origin } in container.unfilled.iter().filter(|it| it.by != it.name) {
        let message = format!("`{by}` of `{}` has `$({name})` in it, as it stands", node.name);
        let below = container.env.iter().find(|it| it.name == *name);
        let finding = match below {
            Some(other) => cx
                .finding(message, origin, "only variables that stand above are filled in")
                .label(other.origin.span(), format!("`{name}` is set here"))
                .help(format!("move `{name}` above `{by}`")),
            // Kubernetes sets those of Services.
            None if is_of_a_service(name) || !is_a_variable(name) => continue,
            None => cx
                .finding(message, origin, format!("its container sets no `{name}`"))
                .help(format!("set `{name}` in `env`, above `{by}`; a text with `$(` in it is written `$$(`")),
        };
        cx.report(finding);
    }
}

/// Shells run what looks alike: `$(hostname)`.
fn is_a_variable(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_uppercase() || c == '_')
        && name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
}

#[cfg(test)]
mod tests {
    use telstack_diagnostics::Severity;
    use telstack_system::{EnvValue, EnvVar, Unfilled, WorkloadKind};

    use crate::test_support::Bench;

    fn agent(processor: &str, set: &[(&str, EnvValue)]) -> Bench {
        let name = processor.split_once(':').map_or(processor, |(name, _)| name);
        let mut bench = Bench::collector(
            "0.158.0",
            &format!(
                "processors: {{{processor}}}\n\
                 service: {{pipelines: {{logs: {{receivers: [otlp], processors: [{name}], exporters: [debug]}}}}}}"
            ),
        );
        bench.in_pod(WorkloadKind::DaemonSet);
        let origin = bench.at("service");
        let container = bench.first().container.as_mut().expect("a container");
        for (name, value) in set {
            container.env.push(EnvVar::new(*name, value.clone(), origin.clone()));
        }
        bench
    }

    fn field(path: &str) -> EnvValue {
        EnvValue::Field(path.to_owned())
    }

    const FILTER: &str = "k8s_attributes: {filter: {node_from_env_var: KUBE_NODE_NAME}}";

    #[test]
    fn warns_of_a_filter_by_what_is_not_set() {
        let bench = agent(FILTER, &[("K8S_NODE_NAME", field("spec.nodeName"))]);
        assert_eq!(bench.finds("K012", "KUBE_NODE_NAME"), Severity::Warning);
    }

    #[test]
    fn fails_where_the_collector_does_not_start() {
        let bench = agent("resource_detection: {detectors: [k8snode]}", &[]);
        assert_eq!(bench.finds("K012", "resource_detection"), Severity::Error);
    }

    fn refers(name: &str, set: &[(&str, EnvValue)]) -> Bench {
        let mut bench = agent("batch: {}", set);
        let origin = bench.at("service");
        let container = bench.first().container.as_mut().expect("a container");
        container.unfilled.push(Unfilled { by: "A".to_owned(), name: name.to_owned(), origin });
        bench
    }

    #[test]
    fn warns_of_what_is_set_further_down_or_nowhere() {
        refers("B", &[("B", field("metadata.name"))]).finds("K012", "service");
        refers("POD_NAME", &[]).finds("K012", "service");
        refers("X", &[]).finds("K012", "service");
    }

    #[test]
    fn silent_where_others_may_fill_it_in() {
        for name in ["KUBERNETES_SERVICE_HOST", "GATEWAY_PORT_4317_TCP", "hostname", "cat /etc/x", "A"] {
            refers(name, &[]).silent("K012");
        }
        for set in [&[("B", field("metadata.name"))][..], &[]] {
            let mut bench = refers("B", set);
            bench.first().container.as_mut().expect("a container").gaps.env = true;
            bench.silent("K012");
        }
    }

    #[test]
    fn passes_where_it_is_set() {
        agent(FILTER, &[("KUBE_NODE_NAME", field("spec.nodeName"))]).silent("K012");
        agent("resource_detection: {detectors: [env]}", &[]).silent("K012");
    }

    #[test]
    fn silent_when_variables_come_from_elsewhere() {
        let mut bench = agent(FILTER, &[]);
        bench.first().container.as_mut().expect("a container").gaps.env = true;
        bench.silent("K012");
    }
}
