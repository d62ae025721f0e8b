use telstack_catalog::tokens::{Token, live_token};
use telstack_diagnostics::{Diagnostic, RuleInfo, Severity};

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
        silent: "The value is a reference (`${env:…}`, `(secret)`, `(env)`) or empty. Grafana's own password is X002. \
                 A credential in the address of a webhook is a warning, as there is no other place for it yet, and so \
                 is one in a file that was not compiled: it may be nobody else's. What is known by its \
                 shape to be a live credential (`glc_eyJ…`, `AKIA…`, `ghp_…`) is an error everywhere; one that was \
                 made up for an example is not.",
        sources: &[
            "https://github.com/open-telemetry/opentelemetry-collector-contrib/issues/12414",
            "https://opentelemetry.io/docs/security/config-best-practices/",
        ],
    },
    check,
};

fn check(cx: &mut Cx<'_>) {
    // What the environment fills in is written elsewhere.
    for problem in cx.facts.problems.iter().filter(|it| it.at.is_written()) {
        let ProblemKind::Secret(live) = problem.kind else { continue };
        let message = format!("`{}` of {} holds a secret, written in the open", problem.path, problem.owner());
        // A named exporter is called after what it sends to.
        let name = problem
            .component
            .map_or_else(String::new, |it| it.id.name.clone().unwrap_or_else(|| it.id.ty.replace('_', "-")));
        let finding = cx.finding(message, problem.at, "anyone who reads this file can use it");
        let finding = if cx.system.from_files {
            // The file may be one that nobody else sees.
            finding.severity(Severity::Warning).help("take it from the environment: `${env:NAME}`")
        } else {
            finding
                .help(format!("refer to it: `(secret)\"{name}/{}\"`", problem.key().to_lowercase()))
                .help("or take it from the environment: `(env)\"NAME\"`")
        };
        cx.report(sharper(finding, live));
    }
    for (_, node) in cx.system.nodes() {
        for webhook in node.alerter().iter().flat_map(|alerter| &alerter.webhooks) {
            let live = live_token(&webhook.url);
            if live.is_none() && !holds_a_credential(&webhook.url) {
                continue;
            }
            let message = format!("an address that `{}` posts to holds a credential, written in the open", node.name);
            let finding = cx
                .finding(message, &webhook.origin, "stands as it is in the file that Alertmanager reads")
                .severity(Severity::Warning)
                .note("Alertmanager takes nothing from its environment, so a reference cannot stand here")
                .help(
                    "post to a receiver that asks for no credential, inside the stack, and let that one pass alerts on",
                );
            cx.report(sharper(finding, live));
        }
    }
}

/// Of a credential that is one beyond doubt, nobody needs to guess whether it opens anything.
fn sharper(finding: Diagnostic, live: Option<&Token>) -> Diagnostic {
    let Some(token) = live else { return finding };
    finding
        .severity(Severity::Error)
        .note(format!("it has the shape of {}", token.what))
        .help("withdraw it where it was issued, if anybody else could read this file: it stays in the history")
}

/// A password before the host, or a query that hands over a token.
fn holds_a_credential(url: &str) -> bool {
    const WORDS: [&str; 6] = ["token", "key", "secret", "password", "signature", "sig"];
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let user = authority.rsplit_once('@').and_then(|(user, _)| user.split_once(':'));
    let query = rest.split_once('?').map_or("", |(_, query)| query);
    let named = |pair: &str| {
        pair.split_once('=').is_some_and(|(name, value)| {
            let name = name.to_ascii_lowercase();
            !value.is_empty() && WORDS.iter().any(|word| name == *word || name.ends_with(&format!("_{word}")))
        })
    };
    user.is_some_and(|(_, password)| !password.is_empty()) || query.split('&').any(named)
}

#[cfg(test)]
mod tests {
    use telstack_catalog::product::Product;
    use telstack_diagnostics::Severity;
    use telstack_system::{NodeKind, Webhook};

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
    fn a_live_token_is_an_error_in_files_too() {
        // Put together here, so that nobody takes this file for one that leaks something.
        let header = |token: &str| {
            let yaml = format!(
                "exporters: {{otlp_http: {{endpoint: 'https://x', headers: {{Authorization: Bearer {token}}}}}}}"
            );
            let mut bench = Bench::collector("0.158.0", &yaml);
            bench.system.from_files = true;
            bench.finds("X001", &format!("Bearer {token}"))
        };
        assert_eq!(header(&format!("ghp_{}", "Q7mZ2kVx9TbR4cNw8HsJ5dLf3GpY6aEu1WqX")), Severity::Error);
        assert_eq!(header("ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"), Severity::Warning);
        assert_eq!(header("8f14e45fceea167a"), Severity::Warning);
        let url = format!("https://x.example.com/glsa_{}", "Q7mZ2kVx9TbR4cNw8HsJ5dLf3GpY6aEu_1a2b3c4d");
        assert_eq!(webhook(&url).finds("X001", "webhook"), Severity::Error);
    }

    #[test]
    fn leaves_placeholders_to_another_rule() {
        let yaml = |header: &str| {
            format!(
                "exporters: {{otlp_http: {{endpoint: 'https://x', headers: {{Authorization: {header}}}}}}}\nservice: \
                 {{pipelines: {{traces: {{receivers: [otlp], exporters: [otlp_http]}}}}}}"
            )
        };
        let bench = Bench::collector("0.158.0", &yaml("Bearer CHANGE_ME"));
        bench.silent("X001");
        bench.finds("X005", "Bearer CHANGE_ME");
        Bench::collector("0.158.0", &yaml("Bearer abc")).finds("X001", "Bearer abc");
    }

    #[test]
    fn passes_on_a_reference() {
        password("'${env:PASSWORD}'").silent("X001");
    }

    fn webhook(url: &str) -> Bench {
        let mut bench = Bench::new("webhook");
        let id = bench.add(Product::Alertmanager, "0.34.0");
        let origin = bench.at("webhook");
        if let NodeKind::Alerter(alerter) = &mut bench.node(id).kind {
            alerter.webhooks.push(Webhook { url: url.to_owned(), origin });
        }
        bench
    }

    #[test]
    fn warns_of_a_credential_in_an_address() {
        for url in ["https://x.example.com/hook?api_key=1f2e", "https://ops:hunter2@x.example.com/hook"] {
            assert_eq!(webhook(url).finds("X001", "webhook"), Severity::Warning, "{url}");
        }
        for url in ["http://pager.example.com/alerts", "http://x/y?keyboard=1&token=", "http://x/@a:b"] {
            webhook(url).silent("X001");
        }
    }

    #[test]
    fn silent_for_an_empty_value_and_for_other_headers() {
        password("''").silent("X001");
        let yaml = "exporters: {otlp_http: {endpoint: 'https://x', headers: {X-Scope-OrgID: acme}}}";
        Bench::collector("0.158.0", yaml).silent("X001");
    }
}
