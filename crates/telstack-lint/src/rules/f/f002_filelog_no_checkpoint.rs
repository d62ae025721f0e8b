use telstack_catalog::otelcol::Trait;
use telstack_diagnostics::{RuleInfo, Severity};
use telstack_system::{Pod, WorkloadKind};

use crate::{Cx, Rule, facts::own_pod};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        code: "F002",
        name: "filelog-no-checkpoint",
        severity: Severity::Warning,
        summary: "A receiver follows files and keeps nowhere how far it has read them.",
        why: "After a restart the receiver starts anew. With `start_at: end` the lines that were written meanwhile are \
              lost, with `start_at: beginning` every file is sent once more.",
        bad: r#"collector "agent" {
    mount "/var/log/nginx"
    receiver "file_log" { include "/var/log/nginx/*.log"; start_at "beginning" }
    pipeline "logs" { from "file_log"; to "loki" }
}"#,
        good: r#"collector "agent" {
    mount "/var/log/nginx"
    extension "file_storage"
    receiver "file_log" { include "/var/log/nginx/*.log"; start_at "beginning"; storage "file_storage" }
    pipeline "logs" { from "file_log"; to "loki" }
    durable
}"#,
        silent: "Files are deleted once they are read (`delete_after_read`); the pod ends (a Job); the receiver is in no pipeline; the \
                 collector is not seen in a container that is kept running, as an example or a test is.",
        sources: &[
            "https://github.com/open-telemetry/opentelemetry-collector-contrib/tree/main/receiver/filelogreceiver",
            "https://github.com/open-telemetry/opentelemetry-helm-charts/pull/904",
        ],
    },
    check,
};

const STORAGE: &str = "storage";
const START: &str = "start_at";

fn check(cx: &mut Cx<'_>) {
    for part in cx.facts.parts.iter().filter(|part| part.has(Trait::FollowsFiles) && part.runs()) {
        let deleted = part.component.setting("delete_after_read").is_some_and(|it| it.as_bool() != Some(false));
        if part.component.setting(STORAGE).is_some() || deleted || part.node.container.is_none() || !part.knows(STORAGE)
        {
            continue;
        }
        // A pod that ends does not start again where it was.
        let ends = |it: &Pod| matches!(it.kind, WorkloadKind::Job | WorkloadKind::CronJob);
        if own_pod(part.node).is_some_and(ends) {
            continue;
        }
        let what = match part.text(START) {
            Some("beginning") => "sends every file once more after a restart",
            Some(_) => "loses what is written while it restarts",
            None => continue,
        };
        let at = part.component.setting(START).map_or(&part.component.origin, |value| &value.mark);
        let finding = cx
            .finding(format!("{} {what}", part.title()), at, "how far it has read is kept nowhere")
            .help(cx.words(
                format!(
                    "declare `extension \"file_storage\" {{ directory \"/var/lib/otelcol\" }}`, which gets a volume, and name it here: \
                     `{STORAGE} \"file_storage\"`"
                ),
                format!("name a storage extension: `{STORAGE}: file_storage`, with its folder on a volume"),
            ));
        cx.report(finding);
    }
}

#[cfg(test)]
mod tests {
    use telstack_system::WorkloadKind;

    use crate::test_support::Bench;

    fn follows(settings: &str) -> Bench {
        Bench::collector(
            "0.140.0",
            &format!(
                "receivers: {{filelog: {{include: [/var/log/a.log], {settings}}}}}\n\
                 service: {{pipelines: {{logs: {{receivers: [filelog], exporters: [debug]}}}}}}"
            ),
        )
    }

    #[test]
    fn silent_in_pods_that_end() {
        for (kind, found) in [(WorkloadKind::Job, 0), (WorkloadKind::CronJob, 0), (WorkloadKind::DaemonSet, 1)] {
            let mut bench = follows("start_at: beginning");
            bench.in_pod(kind);
            assert_eq!(bench.found().iter().filter(|it| it.0 == "F002").count(), found, "{kind:?}");
        }
    }

    #[test]
    fn warns_without_a_place_to_remember() {
        follows("").finds("F002", "filelog");
        follows("start_at: beginning").finds("F002", "beginning");
    }

    #[test]
    fn passes_with_storage() {
        follows("storage: file_storage").silent("F002");
    }

    #[test]
    fn silent_for_files_that_are_deleted_and_outside_of_containers() {
        follows("delete_after_read: true, start_at: beginning").silent("F002");
        follows("start_at: '${env:START}'").silent("F002");
        let mut bench = follows("");
        bench.first().container = None;
        bench.silent("F002");
    }
}
