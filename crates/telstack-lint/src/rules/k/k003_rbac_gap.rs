use telstack_diagnostics::{Diagnostic, RuleInfo, Severity};
use telstack_system::{
    Cluster, Origin, Pod,
    access::Asked,
    cluster::{Binding, RoleRule},
};

use crate::{
    Cx, Rule,
    facts::{Part, own_pod},
    words::ticked,
};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        code: "K003",
        name: "rbac-gap",
        severity: Severity::Error,
        summary: "A component asks the API of the cluster for what its service account may not have.",
        why: "The API answers `forbidden`, over and over, and the collector logs it. `k8s_attributes` then knows no \
              pod and adds nothing, a discovery finds no target, and `k8s_cluster` waits ten minutes for all of its \
              objects and then stops the collector.",
        bad: r#"processors:
  k8s_attributes:
    extract: {metadata: [k8s.deployment.name]}
---
kind: ClusterRole
rules:
  - apiGroups: [""]
    resources: [pods]
    verbs: [get, list, watch]"#,
        good: r#"processors:
  k8s_attributes:
    extract: {metadata: [k8s.deployment.name]}
---
kind: ClusterRole
rules:
  - apiGroups: [""]
    resources: [pods]
    verbs: [get, list, watch]
  - apiGroups: [apps]
    resources: [replicasets]
    verbs: [get, list, watch]"#,
        silent: "The service account or a role that it has is not among the files; the role takes rules of others; the \
                 component does not ask as the account of its pod (`auth_type`); a rule is for objects of some names; \
                 an operator makes the pod; what is asked for comes from the environment. Without any binding it is a \
                 warning, and advice where the pod names no account: something elsewhere may bind it. Where the \
                 files have no role at all, one remark for each account.",
        sources: &[
            "https://github.com/open-telemetry/opentelemetry-collector-contrib/blob/main/processor/k8sattributesprocessor/README.md",
            "https://github.com/open-telemetry/opentelemetry-collector-contrib/issues/30928",
            "https://github.com/open-telemetry/opentelemetry-collector-contrib/issues/44494",
            "https://github.com/open-telemetry/opentelemetry-operator/issues/2823",
        ],
    },
    check,
};

/// One verb on one resource that is refused.
struct Refused {
    group: Option<String>,
    resources: Vec<String>,
    verbs: Vec<String>,
    /// Is one of the resources enough?
    any: bool,
    /// It is allowed in a namespace only.
    narrow: Option<Origin>,
}

fn check(cx: &mut Cx<'_>) {
    let Some(cluster) = cx.system.cluster.as_deref().filter(|it| !it.open) else { return };
    let facts = cx.facts;
    if cluster.roles.is_empty() && cluster.bindings.is_empty() {
        return elsewhere(cx);
    }
    for part in facts.parts.iter().filter(|part| part.runs()) {
        let Some(pod) = own_pod(part.node) else { continue };
        let Some((all, without)) = part.asked().filter(|(all, _)| !all.is_empty()) else { continue };
        if let Some(finding) = judge(cx, cluster, pod, part, &all) {
            cx.report(finding.note(format!("while the API refuses, {without}")));
        }
    }
}

/// Where the files have no role at all, they are made elsewhere, or forgotten: one remark for each account.
fn elsewhere(cx: &mut Cx<'_>) {
    let mut told: Vec<(Option<&str>, &str)> = Vec::new();
    let asking = |part: &&Part<'_>| part.runs() && part.asked().is_some_and(|(all, _)| !all.is_empty());
    for part in cx.facts.parts.iter().filter(asking) {
        let Some(pod) = own_pod(part.node) else { continue };
        let account = pod.service_account.as_ref().map_or("default", |it| it.value.as_str());
        let who = (pod.namespace.as_deref(), account);
        if told.contains(&who) {
            continue;
        }
        told.push(who);
        let (all, without) = part.asked().unwrap_or_default();
        let message =
            format!("{} asks the API as the account `{account}`, and these files have no role for it", part.title());
        let mut finding = cx
            .finding(message, &part.component.origin, "needs a role, if nothing elsewhere gives one")
            .severity(Severity::Info)
            .note(format!("while the API refuses, {without}"));
        for it in all.iter().filter_map(|it| refused(&[], it)) {
            finding = finding.help(format!("a role that allows it: `{}`", rule(&it)));
        }
        cx.report(finding);
    }
}

/// The rule of a role that allows what is refused.
fn rule(it: &Refused) -> String {
    let group = it.group.as_deref().map_or_else(|| "GROUP".to_owned(), |group| format!("\"{group}\""));
    let all =
        if it.verbs.iter().all(|verb| USUAL.contains(verb.as_str())) { USUAL.to_owned() } else { it.verbs.join(", ") };
    let resources = if it.any { it.resources.iter().take(1).cloned().collect() } else { it.resources.join(", ") };
    format!("{{apiGroups: [{group}], resources: [{resources}], verbs: [{all}]}}")
}

fn judge(cx: &Cx<'_>, cluster: &Cluster, pod: &Pod, part: &Part<'_>, all: &[Asked]) -> Option<Diagnostic> {
    let bindings = cluster.bindings_of(pod);
    let (granted, severity) = match (&pod.service_account, cluster.account(pod)) {
        (_, Some(_)) if !bindings.is_empty() => (cluster.granted(pod)?, Severity::Error),
        (_, Some(_)) => (Vec::new(), Severity::Warning),
        (None, None) if bindings.is_empty() => (Vec::new(), Severity::Info),
        _ => return None,
    };
    let refused: Vec<Refused> = all.iter().filter_map(|it| refused(&granted, it)).collect();
    let first = refused.first()?;
    let account = pod.service_account.as_ref().map_or("default", |it| it.value.as_str());
    let what = ticked(refused.iter().map(|it| it.resources.join(if it.any { "` or `" } else { "`, `" })));
    let narrow = refused.iter().all(|it| it.narrow.is_some());
    let how = if narrow { "only in its namespace" } else { "not" };
    let message = format!("{} asks the API for {what}, which the account `{account}` may {how}", part.title());
    let mut finding = cx.finding(message, &part.component.origin, "the API answers `forbidden`").severity(severity);
    if let Some(account) = &pod.service_account {
        finding = finding.label(account.span(), "asks as this account");
    }
    for label in bindings.iter().take(LABELS) {
        finding = bound(finding, cluster, label);
    }
    if narrow {
        let place = first.narrow.as_ref().and_then(Origin::span);
        finding = finding.label(place, "allowed by a RoleBinding: in one namespace");
        return Some(
            finding.help("bind the role with a ClusterRoleBinding, or let the component keep to the namespace"),
        );
    }
    for it in &refused {
        finding = finding.help(format!("allow it, in a role that the account has: `{}`", rule(it)));
    }
    Some(finding)
}

/// Bindings that are shown.
const LABELS: usize = 2;
/// What roles for readers usually allow.
const USUAL: &str = "get, list, watch";

fn bound(finding: Diagnostic, cluster: &Cluster, binding: &Binding) -> Diagnostic {
    let wanted = &binding.role.value;
    let role = cluster.roles.iter().find(|it| it.cluster == wanted.cluster && it.name == wanted.name);
    let finding = finding.label(binding.role.span(), "has this role");
    match role {
        Some(role) => finding.label(role.origin.span(), "which does not allow it"),
        None => finding,
    }
}

/// What of a wish is refused; none if nothing is, or nobody can tell.
fn refused(granted: &[(&RoleRule, bool)], asked: &Asked) -> Option<Refused> {
    let mut found: Option<Refused> = None;
    let mut allowed = false;
    for resource in &asked.resources {
        let mut lacks = Vec::new();
        let mut narrow = None;
        for verb in &asked.verbs {
            match allows(granted, asked, resource, verb) {
                Allowed::Yes => {}
                Allowed::Narrow(origin) => {
                    narrow.get_or_insert(origin);
                    lacks.push(verb.clone());
                }
                Allowed::No => {
                    lacks.push(verb.clone());
                }
            }
        }
        if lacks.is_empty() {
            allowed = true;
            continue;
        }
        let it = found.get_or_insert_with(|| Refused {
            group: asked.group.clone(),
            resources: Vec::new(),
            verbs: lacks,
            any: asked.any,
            narrow: narrow.clone(),
        });
        it.resources.push(resource.clone());
        if narrow.is_none() {
            it.narrow = None;
        }
    }
    found.filter(|_| !(asked.any && allowed))
}

enum Allowed {
    Yes,
    /// Somewhere, but it must be everywhere.
    Narrow(Origin),
    No,
}

fn allows(granted: &[(&RoleRule, bool)], asked: &Asked, resource: &str, verb: &str) -> Allowed {
    let mut narrow = None;
    for (rule, everywhere) in granted {
        let group = asked.group.as_deref();
        let any_name = RoleRule { names: Vec::new(), ..RoleRule::clone(rule) };
        let fits = match group {
            Some(group) => any_name.allows(group, resource, verb),
            None => rule.groups.iter().any(|group| any_name.allows(group, resource, verb)),
        };
        if !fits {
            continue;
        }
        if *everywhere || !asked.everywhere || !rule.names.is_empty() {
            return Allowed::Yes;
        }
        narrow.get_or_insert(rule.origin.clone());
    }
    narrow.map_or(Allowed::No, Allowed::Narrow)
}

#[cfg(test)]
mod tests {
    use telstack_diagnostics::Severity;
    use telstack_system::{
        Sourced, WorkloadKind,
        cluster::{Binding, Role, RoleRef, RoleRule, ServiceAccount, Subject},
    };

    use crate::test_support::Bench;

    fn words(list: &[&str]) -> Vec<String> {
        list.iter().map(ToString::to_string).collect()
    }

    /// A collector with a processor, in a pod whose account may list and watch some resources.
    fn with(processor: &str, rules: &[(&str, &[&str])], everywhere: bool) -> Bench {
        let mut bench = Bench::collector(
            "0.158.0",
            &format!(
                "processors: {{k8s_attributes: {{{processor}}}}}\n\
                 service: {{pipelines: {{traces: {{receivers: [otlp], processors: [k8s_attributes], exporters: \
                 [debug]}}}}}}"
            ),
        );
        let origin = bench.at("receivers");
        bench.in_pod(WorkloadKind::Deployment).service_account = Some(Sourced::new("otel".to_owned(), origin.clone()));
        let cluster = bench.cluster();
        cluster.accounts.push(ServiceAccount { name: "otel".to_owned(), namespace: None, origin: origin.clone() });
        let rules = rules.iter().map(|(group, resources)| RoleRule {
            groups: words(&[group]),
            resources: words(resources),
            names: Vec::new(),
            urls: Vec::new(),
            verbs: words(&["get", "list", "watch"]),
            origin: origin.clone(),
        });
        cluster.roles.push(Role {
            name: "otel".to_owned(),
            namespace: None,
            cluster: true,
            rules: rules.collect(),
            aggregated: false,
            origin: origin.clone(),
        });
        let subject = Subject {
            kind: "ServiceAccount".to_owned(),
            name: "otel".to_owned(),
            namespace: None,
            origin: origin.clone(),
        };
        cluster.bindings.push(Binding {
            name: "otel".to_owned(),
            namespace: None,
            cluster: everywhere,
            role: Sourced::new(RoleRef { cluster: true, name: "otel".to_owned() }, origin.clone()),
            subjects: vec![subject],
            origin,
        });
        bench
    }

    const BOTH: [(&str, &[&str]); 2] = [("", &["pods"]), ("apps", &["replicasets"])];

    #[test]
    fn fails_on_what_is_missing() {
        assert_eq!(with("", &[("", &["pods", "namespaces"])], true).finds("K003", "k8s_attributes"), Severity::Error);
        with("extract: {labels: [{key: a, from: node}]}", &BOTH, true).finds("K003", "k8s_attributes");
        with("", &BOTH, false).finds("K003", "k8s_attributes");
    }

    #[test]
    fn passes_where_all_is_there() {
        with("", &BOTH, true).silent("K003");
        with("", &[("*", &["*"])], true).silent("K003");
        with("extract: {metadata: [k8s.pod.name]}", &[("", &["pods"])], true).silent("K003");
        with("filter: {namespace: shop}", &BOTH, false).silent("K003");
        with("passthrough: true", &[], true).silent("K003");
    }

    #[test]
    fn silent_when_it_asks_as_somebody_else_or_the_role_is_not_known() {
        with("auth_type: kubeConfig", &[], true).silent("K003");
        with("extract: {metadata: '${env:FIELDS}'}", &[("", &["pods"])], true).silent("K003");
        let mut bench = with("", &[], true);
        bench.cluster().roles.clear();
        bench.silent("K003");
        let mut bench = with("", &[], true);
        bench.cluster().accounts.clear();
        bench.silent("K003");
    }

    #[test]
    fn warns_where_nothing_binds_the_account() {
        let mut bench = with("", &BOTH, true);
        bench.cluster().bindings.clear();
        assert_eq!(bench.finds("K003", "k8s_attributes"), Severity::Warning);
        bench.in_pod(WorkloadKind::Deployment);
        assert_eq!(bench.finds("K003", "k8s_attributes"), Severity::Info);
    }

    #[test]
    fn is_one_remark_for_an_account_where_no_role_is_in_the_files() {
        let mut bench = Bench::collector(
            "0.158.0",
            "receivers: {k8s_cluster: , kubeletstats: }\n\
             service: {pipelines: {metrics: {receivers: [k8s_cluster, kubeletstats], exporters: [debug]}}}",
        );
        bench.in_pod(WorkloadKind::Deployment);
        assert_eq!(bench.finds("K003", "k8s_cluster"), Severity::Info);
        assert!(bench.helps("K003").iter().all(|it| it.starts_with("a role that allows it")));
        let mut bench = with("", &BOTH, true);
        (bench.cluster().roles, bench.cluster().bindings) = Default::default();
        assert_eq!(bench.finds("K003", "k8s_attributes"), Severity::Info);
    }
}
