use telstack_diagnostics::{Diagnostic, Fix, RuleInfo, Severity};
use telstack_system::{Container, EnvValue, Known, Node, Platform, Sourced, Value, units::Bytes};

use crate::{Cx, Rule, facts::Part, repair};

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
        silent: "`limit_mib` without a container limit (bare metal); limits from the environment. Warnings are a \
                 percentage without a container limit, less than 50 MiB of headroom where more than 80 % is allowed, \
                 and a `GOMEMLIMIT` that is no less than the container has. Limits of several limiters are not added \
                 up: each looks at the memory of the whole process.",
        sources: &[
            "https://github.com/open-telemetry/opentelemetry-collector/blob/main/processor/memorylimiterprocessor/README.md",
            "https://github.com/open-telemetry/opentelemetry-collector/issues/12743",
        ],
    },
    check,
};

/// How much of the container's memory is left to what the limiter does not count, at the least, in MiB.
const HEADROOM: u64 = 50;
/// The share of the container that a limiter should allow, in percent.
const SHARE: u64 = 80;
/// The variable that tells the program's runtime how much there is.
const RUNTIME: &str = "GOMEMLIMIT";

fn check(cx: &mut Cx<'_>) {
    for part in cx.facts.parts.iter().filter(|part| part.is(LIMITER) && !is_patched(part.node)) {
        let (component, node) = (part.component, part.node);
        let megabytes = component.setting("limit_mib").filter(|it| it.as_int() != Some(0));
        if let Some(value) = megabytes {
            let (Some(limit), Some(memory)) = (value.as_int(), memory(node)) else { continue };
            let finding = u64::try_from(limit).ok().and_then(|limit| judge(cx, part, value, limit, memory));
            if let Some(finding) = finding {
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
                .label(node.span(), cx.words("no `resources memory=…` here", "no memory limit here"))
                .severity(Severity::Warning)
                .help(cx.words(
                    format!("give `{}` a limit: `resources memory=\"2GiB\"`", node.name),
                    match cx.system.platform.value {
                        Platform::Compose => format!("give `{}` a limit: `mem_limit: 2g`", node.name),
                        Platform::Kubernetes => {
                            format!("give `{}` a limit: `resources: {{limits: {{memory: 2Gi}}}}`", node.name)
                        }
                    },
                ));
            cx.report(finding);
        }
    }
    for (_, node, _) in cx.system.collectors().filter(|(_, node, _)| !is_patched(node)) {
        if let Some(finding) = runtime(cx, node) {
            cx.report(finding);
        }
    }
}

fn judge(cx: &Cx<'_>, part: &Part<'_>, value: &Value, limit: u64, memory: &Sourced<Bytes>) -> Option<Diagnostic> {
    let has = memory.value.mib();
    let right = memory.value.percent(SHARE).mib();
    // A little container has little to spare: less than this share nobody is asked to allow.
    let tight = limit < has && limit > right && has - limit < HEADROOM;
    if limit < has && !tight {
        return None;
    }
    let message = if tight {
        format!("{} leaves {}MiB of {} to everything that it does not count", part.title(), has - limit, memory.value)
    } else {
        format!("{} allows {limit}MiB in a container of {}", part.title(), memory.value)
    };
    let finding = cx
        .finding(message, &value.mark, format!("{limit}MiB"))
        .severity(if tight { Severity::Warning } else { Severity::Error })
        .label(memory.span(), format!("the container has {}", memory.value))
        .help(cx.words(
            format!("allow less, about {SHARE} % of the container: `limit_mib {right}`"),
            format!("allow less, about {SHARE} % of the container: `limit_mib: {right}`"),
        ));
    let finding = if cx.system.from_files {
        finding
    } else {
        finding.help("leave `memory_limiter` out: it is added and sized from the container's memory")
    };
    // Less than is kept for peaks would not start.
    let fits = match part.component.number("spike_limit_mib") {
        Known::Absent => right > 0,
        Known::Value(spike) => u64::try_from(spike).is_ok_and(|spike| spike < right),
        Known::Unknown => false,
    };
    let change = repair::word(&value.mark, &limit.to_string(), &right.to_string()).filter(|_| fits);
    let fix = change.map(|it| {
        let title = format!("allow {right}MiB");
        if tight { Fix::unsafe_(title, it) } else { Fix::safe(title, it) }
    });
    Some(repair::with(finding, fix))
}

/// A runtime that is told of more memory than there is cleans up too late.
fn runtime(cx: &Cx<'_>, node: &Node) -> Option<Diagnostic> {
    let variable = node.container.as_ref()?.env.iter().find(|it| it.name == RUNTIME)?;
    let EnvValue::Literal(text) = &variable.value else { return None };
    let told = Bytes::parse(text).or_else(|| text.parse().ok().map(Bytes::new))?;
    let memory = memory(node).filter(|memory| told >= memory.value)?;
    let message = format!("`{RUNTIME}` of `{}` is {told}, in a container of {}", node.name, memory.value);
    Some(
        cx.finding(message, &variable.origin, "the kernel ends it before it cleans up")
            .severity(Severity::Warning)
            .label(memory.span(), format!("the container has {}", memory.value))
            .help(format!("say about {SHARE} % of the container: `{}MiB`", memory.value.percent(SHARE).mib())),
    )
}

/// May the container have other limits than those that are written?
fn is_patched(node: &Node) -> bool {
    node.container.as_ref().is_some_and(Container::is_patched)
}

fn memory(node: &Node) -> Option<&Sourced<Bytes>> {
    let container = node.container.as_ref().and_then(|container| container.resources.memory.as_ref());
    container.or(node.resources.memory.as_ref())
}

#[cfg(test)]
mod tests {
    use telstack_diagnostics::{Applicability, Severity};
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
    fn warns_where_little_is_left_and_where_the_runtime_is_told_too_much() {
        let bench = limiter("check_interval: 1s, limit_mib: 480", Some(512));
        assert_eq!(bench.finds("D001", "480"), Severity::Warning);
        let compose = |limit: &str| {
            let compose = format!(
                "services:\n  otel:\n    image: otel/opentelemetry-collector:0.158.0\n    mem_limit: 512m\n    \
                 environment: [GOMEMLIMIT={limit}]\n"
            );
            Bench::project(&[("compose.yaml", &compose)])
        };
        assert_eq!(compose("512MiB").finds("D001", "GOMEMLIMIT=512MiB"), Severity::Warning);
        compose("400MiB").silent("D001");
        compose("${LIMIT}").silent("D001");
    }

    #[test]
    fn less_can_be_allowed() {
        let otel = |limit: &str| {
            format!("processors:\n  memory_limiter:\n    check_interval: 1s\n    limit_mib: {limit} # all of it\n")
        };
        let compose = "services:\n  otel:\n    image: otel/opentelemetry-collector:0.158.0\n    mem_limit: 512m\n    \
                       volumes: ['./o.yaml:/etc/otelcol/config.yaml']\n";
        let bench = Bench::project(&[("compose.yaml", compose), ("o.yaml", &otel("512"))]);
        assert_eq!(bench.fixed("D001", &otel("409")), Applicability::Safe);
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
