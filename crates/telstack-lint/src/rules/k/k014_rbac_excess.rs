use telstack_diagnostics::{RuleInfo, Severity};
use telstack_system::{
    Cluster, Node, Pod, System,
    access::{self, Asked},
    cluster::{Binding, Role, RoleRule},
};

use crate::{Cx, Rule, facts::own_pod, words::ticked};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        code: "K014",
        name: "rbac-excess",
        severity: Severity::Warning,
        summary: "The role of a collector allows what is dangerous and what none of its components asks for.",
        why: "Collectors read, and little of it: pods, nodes, events. Whoever breaks into one, or gets hold of its token, may do \
              what its account may. `secrets` are all passwords of the namespace, `*` and verbs that write are the cluster, and \
              `nodes/proxy` runs commands in every pod of a node, with `get` alone.",
        bad: r#"receivers:
  kubelet_stats: {auth_type: serviceAccount}
---
kind: ClusterRole
rules:
  - apiGroups: [""]
    resources: [nodes/stats, nodes/proxy]
    verbs: [get]"#,
        good: r#"receivers:
  kubelet_stats: {auth_type: serviceAccount}
---
kind: ClusterRole
rules:
  - apiGroups: [""]
    resources: [nodes/stats]
    verbs: [get]"#,
        silent: "Anything but a collector has the account, or a pod of which not all is known: its components, what they ask for, \
                 the operator that makes it, a patch; the role is not among the files, or somebody else is bound to it; a rule is \
                 for objects of some names. A collector that scrapes may need `nodes/proxy`, and one that discovers its targets or lists its \
                 objects whatever they are. Reading more than is asked for, such as `namespaces`, is not told.",
        sources: &[
            "https://kubernetes.io/docs/concepts/security/rbac-good-practices/",
            "https://github.com/open-telemetry/opentelemetry-collector-contrib/blob/main/receiver/kubeletstatsreceiver/README.md",
        ],
    },
    check,
};

/// Verbs that change nothing.
const READING: [&str; 3] = ["get", "list", "watch"];
const EVERYTHING: &str = "*";
const SECRETS: &str = "secrets";
/// What leads to everything that the kubelet does.
const PROXY: &str = "nodes/proxy";

fn check(cx: &mut Cx<'_>) {
    let system = cx.system;
    let Some(cluster) = system.cluster.as_deref().filter(|it| !it.open) else { return };
    if !cluster.unread.iter().all(|it| telstack_catalog::otelcol::runs_no_pods(&it.value)) {
        return;
    }
    let mut told: Vec<&RoleRule> = Vec::new();
    for (_, node) in system.nodes() {
        let Some(pod) = own_pod(node).filter(|pod| cluster.account(pod).is_some()) else { continue };
        let Some(asked) = asked(system, pod) else { continue };
        for (binding, role) in roles(cluster, pod) {
            for rule in &role.rules {
                let Some(excess) = excess(rule, &asked).filter(|_| !told.iter().any(|it| std::ptr::eq(*it, rule)))
                else {
                    continue;
                };
                told.push(rule);
                let account = pod.service_account.as_ref().map_or("default", |it| it.value.as_str());
                let kind = if role.cluster { "ClusterRole" } else { "Role" };
                let message = format!(
                    "the account `{account}` may {}, and no component of `{}` asks for that",
                    excess.may, node.name
                );
                let finding = cx
                    .finding(message, &rule.origin, excess.label)
                    .label(binding.role.span(), format!("`{account}` has this {kind}"))
                    .help(excess.help);
                cx.report(finding);
            }
        }
    }
}

/// All that those with the account of a pod may ask for; none where that is not known.
fn asked(system: &System, pod: &Pod) -> Option<Vec<Asked>> {
    let account = &pod.service_account.as_ref()?.value;
    let mut all = Vec::new();
    for (_, node) in system.nodes() {
        let Some(other) = node.container.as_ref().and_then(|it| it.pod.as_deref()) else { continue };
        let shares = other.service_account.as_ref().is_some_and(|it| it.value == *account);
        if !shares || pod.namespace.is_some() && other.namespace.is_some() && pod.namespace != other.namespace {
            continue;
        }
        own_pod(node)?;
        all.extend(of_collector(node)?);
    }
    Some(all)
}

fn of_collector(node: &Node) -> Option<Vec<Asked>> {
    let collector = node.collector()?;
    let gaps = &collector.gaps;
    if !gaps.sections.is_empty()
        || gaps.pipelines
        || gaps.extensions
        || gaps.distribution
        || collector.components.is_empty()
    {
        return None;
    }
    let version = node.version()?;
    let asked = collector.components.iter().map(|it| access::may_ask(it, it.fact()?, version));
    Some(asked.collect::<Option<Vec<_>>>()?.into_iter().flatten().collect())
}

/// The roles that the account of a pod alone has.
fn roles<'a>(cluster: &'a Cluster, pod: &Pod) -> Vec<(&'a Binding, &'a Role)> {
    let Some(account) = &pod.service_account else { return Vec::new() };
    let is = |binding: &Binding, role: &Role| {
        let wanted = &binding.role.value;
        let here = role.cluster || role.namespace == binding.namespace;
        role.cluster == wanted.cluster && role.name == wanted.name && here
    };
    let alone = |role: &Role| {
        let mut subjects = cluster.bindings.iter().filter(|it| is(it, role)).flat_map(|it| &it.subjects);
        subjects.all(|it| it.kind == "ServiceAccount" && it.name == account.value)
    };
    let bound = cluster
        .bindings_of(pod)
        .into_iter()
        .filter_map(|binding| Some((binding, cluster.roles.iter().find(|role| is(binding, role))?)));
    bound.filter(|(_, role)| !role.aggregated && alone(role)).collect()
}

struct Excess {
    /// What the account may do.
    may: String,
    label: &'static str,
    help: String,
}

/// What of a rule is dangerous and not asked for.
fn excess(rule: &RoleRule, asked: &[Asked]) -> Option<Excess> {
    if !rule.names.is_empty() || rule.resources.is_empty() {
        return None;
    }
    let has = |list: &[String], word: &str| list.iter().any(|it| it == word);
    let wanted = |resource: &str, verb: &str| {
        asked.iter().any(|it| has(&it.resources, resource) && it.verbs.iter().any(|it| it == verb))
    };
    let list = || "list what its components ask for, with `get`, `list` and `watch`".to_owned();
    if has(&rule.resources, EVERYTHING) {
        let may = if has(&rule.verbs, EVERYTHING) {
            "do everything with everything"
        } else {
            "ask for everything, `secrets` included"
        };
        return Some(Excess { may: may.to_owned(), label: "everything", help: list() });
    }
    if has(&rule.verbs, EVERYTHING) {
        let may = format!("do everything with {}", ticked(rule.resources.iter().cloned()));
        let help = "name the verbs: `verbs: [get, list, watch]`".to_owned();
        return Some(Excess { may, label: "everything may be done with it", help });
    }
    let is_core = rule.groups.iter().any(|it| it.is_empty() || it == EVERYTHING);
    if is_core && has(&rule.resources, SECRETS) && !READING.iter().any(|verb| wanted(SECRETS, verb)) {
        let help = format!("drop `{SECRETS}` from the rule: what a pod mounts or has as a variable needs no role");
        return Some(Excess { may: "read `secrets`".to_owned(), label: "all passwords of the namespace", help });
    }
    if is_core && has(&rule.resources, PROXY) && !wanted(PROXY, "get") {
        let help = "write `nodes/stats` in its place: that is all that `kubelet_stats` asks for with these settings"
            .to_owned();
        let may = format!("use `{PROXY}`");
        return Some(Excess { may, label: "runs commands in every pod of a node", help });
    }
    let writes =
        |verb: &&String| !READING.contains(&verb.as_str()) && !rule.resources.iter().any(|it| wanted(it, verb));
    let verbs: Vec<String> = rule.verbs.iter().filter(writes).cloned().collect();
    (!verbs.is_empty()).then(|| Excess {
        may: format!("{} {}", ticked(verbs.iter().cloned()), ticked(rule.resources.iter().cloned())),
        label: "a collector that changes things",
        help: format!("drop {}", ticked(verbs)),
    })
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

    /// A collector with that receiver, in a pod whose account has a role with one rule.
    fn with(receiver: &str, settings: &str, resources: &[&str], verbs: &[&str]) -> Bench {
        let text = format!(
            "receivers: {{{receiver}: {{{settings}}}}}\nexporters: {{debug: {{}}}}\n\
             service: {{pipelines: {{metrics: {{receivers: [{receiver}], exporters: [debug]}}}}}}"
        );
        let mut bench = Bench::collector("0.158.0", &text);
        let origin = bench.at("receivers");
        bench.in_pod(WorkloadKind::DaemonSet).service_account = Some(Sourced::new("otel".to_owned(), origin.clone()));
        let cluster = bench.cluster();
        cluster.accounts.push(ServiceAccount { name: "otel".to_owned(), namespace: None, origin: origin.clone() });
        let rule = RoleRule {
            groups: words(&[""]),
            resources: words(resources),
            names: Vec::new(),
            urls: Vec::new(),
            verbs: words(verbs),
            origin: origin.clone(),
        };
        let (name, namespace) = ("otel".to_owned(), None);
        cluster.roles.push(Role {
            name: name.clone(),
            namespace: None,
            cluster: true,
            rules: vec![rule],
            aggregated: false,
            origin: origin.clone(),
        });
        let subject =
            Subject { kind: "ServiceAccount".to_owned(), name: name.clone(), namespace: None, origin: origin.clone() };
        let given = Sourced::new(RoleRef { cluster: true, name: name.clone() }, origin.clone());
        cluster.bindings.push(Binding { name, namespace, cluster: true, role: given, subjects: vec![subject], origin });
        bench
    }

    const READ: [&str; 3] = ["get", "list", "watch"];

    #[test]
    fn fails_on_what_is_dangerous_and_not_asked_for() {
        assert_eq!(
            with("kubelet_stats", "", &["nodes/stats", "nodes/proxy"], &["get"]).finds("K014", "receivers"),
            Severity::Warning
        );
        with("k8s_cluster", "", &["pods", "secrets"], &READ).finds("K014", "receivers");
        with("k8s_cluster", "", &["*"], &READ).finds("K014", "receivers");
        with("k8s_cluster", "", &["pods", "nodes"], &["*"]).finds("K014", "receivers");
        with("k8s_cluster", "", &["pods"], &["list", "delete"]).finds("K014", "receivers");
    }

    #[test]
    fn passes_on_what_is_asked_for_and_on_a_bit_more_to_read() {
        with("kubelet_stats", "", &["nodes/stats"], &["get"]).silent("K014");
        with("k8s_cluster", "", &["pods", "nodes", "namespaces", "configmaps"], &READ).silent("K014");
        with("kubelet_stats", "extra_metadata_labels: [k8s.volume.type]", &["nodes/stats", "nodes/proxy"], &["get"])
            .silent("K014");
        with("kubelet_stats", "extra_metadata_labels: '${env:LABELS}'", &["nodes/proxy"], &["get"]).silent("K014");
    }

    #[test]
    fn silent_where_not_all_is_known() {
        let bad = || with("k8s_cluster", "", &["secrets"], &READ);
        bad().finds("K014", "receivers");
        // What it scrapes may be behind the proxy, and what it lists may be anything.
        with("prometheus", "config: {scrape_configs: []}", &["nodes/proxy"], &["get"]).silent("K014");
        with("k8s_objects", "objects: [{name: secrets}]", &["secrets"], &READ).silent("K014");
        with("somebodys_own", "", &["secrets"], &READ).silent("K014");
        let mut bench = bad();
        bench.cluster().open = true;
        bench.silent("K014");
        let mut bench = bad();
        bench.cluster().roles[0].rules[0].names = words(&["token"]);
        bench.silent("K014");
        let mut bench = bad();
        let mut other = bench.cluster().bindings[0].subjects[0].clone();
        other.name = "grafana".to_owned();
        bench.cluster().bindings[0].subjects.push(other);
        bench.silent("K014");
        let mut bench = bad();
        let origin = bench.at("receivers");
        bench.cluster().unread.push(Sourced::new("Rollout".to_owned(), origin));
        bench.silent("K014");
    }

    #[test]
    fn silent_where_something_else_has_the_account() {
        let mut bench = with("k8s_cluster", "", &["secrets"], &READ);
        let origin = bench.at("receivers");
        let id = bench.add(telstack_catalog::product::Product::Grafana, "13.0.1");
        bench.pod_of(id, WorkloadKind::Deployment).service_account = Some(Sourced::new("otel".to_owned(), origin));
        bench.silent("K014");
    }
}
