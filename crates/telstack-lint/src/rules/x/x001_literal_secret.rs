use telstack_diagnostics::{RuleInfo, Severity};

use crate::{Cx, Rule, facts::ProblemKind};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        code: "X001",
        name: "literal-secret",
        severity: Severity::Error,
        summary: "A password, token or key is written in the open.",
        why: "Whoever can read the repository, the container's configuration or a backup of either can use it, and \
              it stays in their history after it is changed. A reference keeps it out of every file that is written.",
        bad: r#"exporter "otlp_http" {
    endpoint "https://otlp.example.com"
    headers authorization="Bearer 8f14e45fceea167a"
}"#,
        good: r#"exporter "otlp_http" {
    endpoint "https://otlp.example.com"
    headers authorization=(secret)"otlp/authorization"
}"#,
        silent: "The value is a reference (`${env:…}`, `(secret)`, `(env)`) or empty. Grafana's own password is X002.",
        sources: &[
            "https://github.com/open-telemetry/opentelemetry-collector-contrib/issues/12414",
            "https://opentelemetry.io/docs/security/config-best-practices/",
        ],
    },
    check,
};

fn check(cx: &mut Cx<'_>) {
    for problem in cx.facts.problems.iter().filter(|it| matches!(it.kind, ProblemKind::Secret)) {
        let message = format!("`{}` of {} holds a secret, written in the open", problem.path, problem.owner());
        // A named exporter is called after what it sends to.
        let name = problem
            .component
            .map_or_else(String::new, |it| it.id.name.clone().unwrap_or_else(|| it.id.ty.replace('_', "-")));
        let finding = cx
            .finding(message, problem.at, "anyone who reads this file can use it")
            .help(format!("refer to it: `(secret)\"{name}/{}\"`", problem.key().to_lowercase()))
            .help("or take it from the environment: `(env)\"NAME\"`");
        cx.report(finding);
    }
}

#[cfg(test)]
mod tests {
    use crate::test_support::Bench;

    fn password(value: &str) -> Bench {
        let yaml = format!("extensions: {{basicauth: {{client_auth: {{username: admin, password: {value}}}}}}}");
        Bench::collector("0.158.0", &yaml)
    }

    #[test]
    fn fails_on_a_literal() {
        password("hunter2").finds("X001", "hunter2");
    }

    #[test]
    fn fails_on_a_header_that_carries_a_credential() {
        let yaml = "exporters: {otlp_http: {endpoint: 'https://x', headers: {Authorization: Bearer abc}}}";
        Bench::collector("0.158.0", yaml).finds("X001", "Bearer abc");
    }

    #[test]
    fn passes_on_a_reference() {
        password("'${env:PASSWORD}'").silent("X001");
    }

    #[test]
    fn silent_for_an_empty_value_and_for_other_headers() {
        password("''").silent("X001");
        let yaml = "exporters: {otlp_http: {endpoint: 'https://x', headers: {X-Scope-OrgID: acme}}}";
        Bench::collector("0.158.0", yaml).silent("X001");
    }
}
