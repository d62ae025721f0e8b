use telstack_catalog::otelcol::{HostPath, HostPathKind};
use telstack_diagnostics::{Diagnostic, RuleInfo, Severity};
use telstack_system::Known;

use crate::{
    Cx, Rule,
    facts::Part,
    words::{mount_host, ticked},
};

/// Where the root of the host is mounted by habit.
const HABIT: &str = "/hostfs";

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        code: "F004",
        name: "hostmetrics-sees-container",
        severity: Severity::Warning,
        summary: "`host_metrics` runs in a container without the host's root, so it measures the container.",
        why: "Disks and processes are those of the container: the numbers look right, and tell nothing about the host. \
              A `root_path` that is not there stops the collector.",
        bad: r#"collector "agent" {
    receiver "host_metrics" { scrapers { filesystem; cpu } }
    pipeline "metrics" { from "host_metrics"; to "prometheus" }
}"#,
        good: r#"collector "agent" {
    mount "/" to="/hostfs"
    receiver "host_metrics" { root_path "/hostfs"; scrapers { filesystem; cpu } }
    pipeline "metrics" { from "host_metrics"; to "prometheus" }
}"#,
        silent: "Only `cpu`, `memory`, `load` and others are measured that containers share with their host; \
                 `root_path` leads to a mount or comes from the environment; the collector runs in no container. An \
                 error where `root_path` is not there.",
        sources: &[
            "https://github.com/open-telemetry/opentelemetry-collector-contrib/issues/16307",
            "https://github.com/open-telemetry/opentelemetry-collector-contrib/issues/5879",
        ],
    },
    check,
};

fn check(cx: &mut Cx<'_>) {
    for (part, fact, _) in cx.facts.usable() {
        // A mount may be among what was not understood.
        if part.node.container.as_ref().is_none_or(|it| cx.may_have_more_files(it)) || !part.runs() {
            continue;
        }
        for path in fact.host_paths().filter(|it| it.holds == HostPathKind::Root) {
            if let Some(finding) = judge(cx, part, path) {
                cx.report(finding);
            }
        }
    }
}

fn judge(cx: &Cx<'_>, part: &Part<'_>, path: &HostPath) -> Option<Diagnostic> {
    let container = part.node.container.as_ref()?;
    let setting = &path.setting;
    match part.component.text(setting) {
        Known::Value(root) if root != "/" => {
            let below = |target: &str| target.strip_prefix(root).is_some_and(|rest| rest.starts_with('/'));
            if container.mount_of(root).is_some() || container.mounts.iter().any(|mount| below(&mount.target)) {
                return None;
            }
            let message = format!("{} looks for the host at `{root}`, where its container has nothing", part.title());
            let place = part.component.setting(setting).map_or(&part.component.origin, |value| &value.mark);
            let finding = cx.finding(message, place, "not mounted").severity(Severity::Error);
            Some(finding.help(format!("mount the host's root there: {}", mount_host(cx, "/", root))))
        }
        Known::Unknown => None,
        Known::Value(_) | Known::Absent => {
            let block = part.component.setting(path.block.as_deref()?)?.as_map()?;
            let blind: Vec<&str> = block
                .iter()
                .map(|entry| entry.key.as_str())
                .filter(|key| path.blind.iter().any(|it| it == key))
                .collect();
            if blind.is_empty() {
                return None;
            }
            let message = format!("{} measures {} of its container, not of the host", part.title(), ticked(&blind));
            let finding = cx.finding(message, &part.component.origin, format!("no `{setting}`"));
            let say =
                cx.words(format!("`{setting} \"{HABIT}\"` in the receiver's"), format!("`{setting}: {HABIT}` here"));
            let mount = mount_host(cx, "/", HABIT);
            Some(finding.help(format!("mount the host's root, {mount}, and say where it is: {say}")))
        }
    }
}

#[cfg(test)]
mod tests {
    use telstack_diagnostics::Severity;
    use telstack_system::{Mount, MountSource};

    use crate::test_support::Bench;

    fn measures(settings: &str, mounted: bool) -> Bench {
        let mut bench = Bench::collector(
            "0.158.0",
            &format!(
                "receivers: {{host_metrics: {{{settings}}}}}\nexporters: {{debug: {{}}}}\n\
                 service: {{pipelines: {{metrics: {{receivers: [host_metrics], exporters: [debug]}}}}}}"
            ),
        );
        let origin = bench.at("receivers");
        let (source, target) = (MountSource::Bind("/".to_owned()), "/hostfs".to_owned());
        let mount = Mount { source, target, read_only: true, origin };
        let container = bench.first().container.as_mut().expect("container");
        container.mounts.extend(mounted.then_some(mount));
        bench
    }

    #[test]
    fn warns_when_it_sees_the_container() {
        assert_eq!(measures("scrapers: {filesystem: {}}", false).finds("F004", "host_metrics"), Severity::Warning);
        measures("root_path: /, scrapers: {process: {}}", false).finds("F004", "host_metrics");
        measures("scrapers: {filesystem: {}}", true).finds("F004", "host_metrics");
    }

    #[test]
    fn fails_when_the_root_is_not_there() {
        let bench = measures("root_path: /hostfs, scrapers: {cpu: {}}", false);
        assert_eq!(bench.finds("F004", "/hostfs"), Severity::Error);
    }

    #[test]
    fn passes_with_the_root_mounted() {
        measures("root_path: /hostfs, scrapers: {filesystem: {}}", true).silent("F004");
    }

    #[test]
    fn silent_for_what_containers_share_and_for_what_run_time_decides() {
        measures("scrapers: {cpu: {}, memory: {}, load: {}}", false).silent("F004");
        measures("root_path: '${env:ROOT}', scrapers: {filesystem: {}}", false).silent("F004");
        let mut bench = measures("scrapers: {filesystem: {}}", false);
        bench.first().container = None;
        bench.silent("F004");
    }
}
