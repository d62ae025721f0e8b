use telstack_diagnostics::{RuleInfo, Severity};
use telstack_system::{Node, Sourced, units::Bytes};

use crate::{Cx, Rule};

/// The processor that this rule is about.
const LIMITER: &str = "memory_limiter";

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        code: "D001",
        name: "memory-limit-over-container-limit",
        severity: Severity::Error,
        summary: "`memory_limiter` allows as much memory as the container has, or more.",
        why: "The limiter refuses data when its limit is reached. If the container's limit is reached first, the \
              kernel kills the collector instead, with everything in its queues. A percentage without a container \
              limit is a share of the whole host.",
        bad: r#"collector "gateway" {
    resources memory="512MiB"
    receiver "otlp"
    processor "memory_limiter" { check_interval "1s"; limit_mib 512 }
    pipeline "traces" { from "otlp"; to "tempo" }
}"#,
        good: r#"collector "gateway" {
    resources memory="512MiB"
    receiver "otlp"     // the limiter follows from the memory
    pipeline "traces" { from "otlp"; to "tempo" }
}"#,
        silent: "`limit_mib` without a container limit (bare metal); limits from the environment. A percentage without \
                 a container limit is a warning.",
        sources: &[
            "https://github.com/open-telemetry/opentelemetry-collector/blob/main/processor/memorylimiterprocessor/README.md",
            "https://github.com/open-telemetry/opentelemetry-collector/issues/12743",
        ],
    },
    check,
};

fn check(cx: &mut Cx<'_>) {
    for part in cx.facts.parts.iter().filter(|part| part.is(LIMITER)) {
        let (component, node) = (part.component, part.node);
        let megabytes = component.setting("limit_mib").filter(|it| it.as_int() != Some(0));
        if let Some(value) = megabytes {
            let (Some(limit), Some(memory)) = (value.as_int(), memory(node)) else { continue };
            if u64::try_from(limit).is_ok_and(|limit| limit >= memory.value.mib()) {
                let message = format!("{} allows {limit}MiB in a container of {}", part.title(), memory.value);
                let finding = cx
                    .finding(message, &value.mark, format!("{limit}MiB"))
                    .label(memory.span(), format!("the container has {}", memory.value))
                    .help(cx.words(
                        format!(
                            "allow less, about 80 % of the container: `limit_mib {}`",
                            memory.value.percent(80).mib()
                        ),
                        format!(
                            "allow less, about 80 % of the container: `limit_mib: {}`",
                            memory.value.percent(80).mib()
                        ),
                    ));
                let finding = if cx.system.from_files {
                    finding
                } else {
                    finding.help("leave `memory_limiter` out: it is added and sized from the container's memory")
                };
                cx.report(finding);
            }
        } else if let Some(value) = component.setting("limit_percentage").filter(|it| it.as_int().is_some())
            && memory(node).is_none()
            && node.container.is_some()
        {
            let message =
                format!("{} takes its share of the host's memory: `{}` has no memory limit", part.title(), node.name);
            let finding = cx
                .finding(message, &value.mark, "a percentage of what?")
                .label(node.span(), cx.words("no `resources memory=…` here", "no `mem_limit` here"))
                .severity(Severity::Warning)
                .help(cx.words(
                    format!("give `{}` a limit: `resources memory=\"2GiB\"`", node.name),
                    format!("give `{}` a limit: `mem_limit: 2g`", node.name),
                ));
            cx.report(finding);
        }
    }
}

fn memory(node: &Node) -> Option<&Sourced<Bytes>> {
    let container = node.container.as_ref().and_then(|container| container.resources.memory.as_ref());
    container.or(node.resources.memory.as_ref())
}

#[cfg(test)]
mod tests {
    use telstack_diagnostics::Severity;
    use telstack_system::{Sourced, units::Bytes};

    use crate::test_support::Bench;

    fn limiter(settings: &str, memory: Option<u64>) -> Bench {
        let mut bench = Bench::collector("0.158.0", &format!("processors: {{memory_limiter: {{{settings}}}}}"));
        let origin = bench.at("processors");
        bench.first().resources.memory = memory.map(|mib| Sourced::new(Bytes::from_mib(mib), origin));
        bench
    }

    #[test]
    fn fails_when_the_limits_meet() {
        let bench = limiter("check_interval: 1s, limit_mib: 512", Some(512));
        assert_eq!(bench.finds("D001", "512"), Severity::Error);
    }

    #[test]
    fn warns_about_a_share_of_the_host() {
        let bench = limiter("check_interval: 1s, limit_percentage: 80", None);
        assert_eq!(bench.finds("D001", "80"), Severity::Warning);
    }

    #[test]
    fn passes_below_the_limit() {
        limiter("check_interval: 1s, limit_mib: 400", Some(512)).silent("D001");
        limiter("check_interval: 1s, limit_percentage: 80", Some(512)).silent("D001");
    }

    #[test]
    fn silent_without_a_container_limit_or_a_known_one() {
        limiter("check_interval: 1s, limit_mib: 512", None).silent("D001");
        limiter("check_interval: 1s, limit_mib: '${env:LIMIT}'", Some(512)).silent("D001");
    }
}
