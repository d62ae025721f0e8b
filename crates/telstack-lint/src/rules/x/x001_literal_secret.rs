use std::collections::BTreeSet;

use telstack_catalog::{
    container::placeholder,
    otelcol,
    tokens::{Token, live_token},
};
use telstack_diagnostics::{Diagnostic, RuleInfo, Severity};
use telstack_system::{DataSource, EnvValue, EnvVar, Node, Platform};

use super::x002_default_password::{VARIABLE as ADMIN_PASSWORD, WELL_KNOWN};
use crate::{
    Cx, Rule,
    facts::{ProblemKind, headers::is_credential},
    words::is_reference,
};

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
                 Of variables of a container, those of programs that are known are looked at, unless what everybody \
                 tries first stands there, or the value comes from a file of variables. \
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
    for (_, node) in cx.system.nodes().filter(|_| cx.system.from_files) {
        for variable in node.container.iter().flat_map(|it| &it.env) {
            if let Some(finding) = of_variable(cx, node, variable) {
                cx.report_once(finding);
            }
        }
        for source in node.viewer().iter().flat_map(|viewer| &viewer.data_sources) {
            for finding in of_source(cx, source) {
                cx.report_once(finding);
            }
        }
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

/// A variable of a container whose value is written beside its name.
fn of_variable(cx: &Cx<'_>, node: &Node, variable: &EnvVar) -> Option<Diagnostic> {
    let EnvValue::Literal(text) = &variable.value else { return None };
    let live = live_token(text);
    let named = node.product().is_some() && variable.name != ADMIN_PASSWORD && otelcol::is_secret(&variable.name);
    // `POSTGRES_PASSWORD: postgres` is no secret of anybody.
    let named = named && !variable.name.to_ascii_lowercase().contains(&text.to_ascii_lowercase());
    if variable.filled || live.is_none() && !(named && is_secret(text)) {
        return None;
    }
    let message = format!("variable `{}` of `{}` holds a secret, written in the open", variable.name, node.name);
    let finding = cx.finding(message, &variable.origin, "anyone who reads this file can use it");
    let finding = finding.severity(Severity::Warning).help(match cx.system.platform.value {
        Platform::Compose => format!("let whoever starts it give it: `{0}: ${{{0}:?}}`", variable.name),
        Platform::Kubernetes => {
            "take it from a Secret: `valueFrom: {secretKeyRef: {name: …, key: …}}` in the place of `value`".to_owned()
        }
    });
    Some(sharper(finding, live))
}

/// What a data source of Grafana keeps as secrets, where it is written in a provisioning file.
fn of_source(cx: &Cx<'_>, source: &DataSource) -> Vec<Diagnostic> {
    const HEADER: (&str, &str) = ("httpHeaderValue", "httpHeaderName");
    let mut found = Vec::new();
    for entry in source.secure_json_data.as_map().into_iter().flatten() {
        let named = match entry.key.strip_prefix(HEADER.0) {
            Some(at) => {
                let header = source.json_data.at(&format!("{}{at}", HEADER.1)).and_then(|it| it.as_str());
                header.is_some_and(is_credential)
            }
            None => otelcol::is_secret(&snake(&entry.key)),
        };
        let Some(text) = entry.value.as_str().filter(|_| entry.value.mark.is_written()) else { continue };
        let live = live_token(text);
        if live.is_none() && !(named && is_secret(text)) {
            continue;
        }
        let message = format!(
            "`secureJsonData.{}` of data source `{}` holds a secret, written in the open",
            entry.key, source.name
        );
        let finding = cx.finding(message, &entry.value.mark, "anyone who reads this file can use it");
        let finding = finding.severity(Severity::Warning).help("take it from Grafana's environment: `$NAME`");
        found.push(sharper(finding, live));
    }
    found
}

/// A text under the name of a secret that may well be one, and is no stand-in.
fn is_secret(text: &str) -> bool {
    const SHORTEST: usize = 6;
    let drawn = text.chars().collect::<BTreeSet<char>>().len() > SHORTEST / 2;
    let path = text.starts_with(['/', '.']) || text.contains("://") || text.starts_with("your");
    let plain = text.len() >= SHORTEST && drawn && !path && !is_reference(text);
    plain && !WELL_KNOWN.contains(&text.to_lowercase().as_str()) && placeholder(text).is_none()
}

/// `basicAuthPassword` as collectors would write it.
fn snake(key: &str) -> String {
    key.chars().fold(String::new(), |mut out, c| {
        if c.is_ascii_uppercase() && !out.is_empty() {
            out.push('_');
        }
        out.push(c.to_ascii_lowercase());
        out
    })
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

    fn grafana(environment: &str, more: &str) -> Bench {
        let compose = format!(
            "services:\n  grafana:\n    image: grafana/grafana:12.1.0\n    env_file: f\n    environment: {{{environment}}}\n    \
             volumes: ['./s.yml:/etc/grafana/provisioning/datasources/s.yml']\n"
        );
        let sources = format!("datasources: [{{name: P, type: prometheus, url: 'https://p.acme.io', {more}}}]\n");
        Bench::project(&[("compose.yaml", &compose), ("s.yml", &sources), ("f", "SMTP_PASSWORD=kJ8s7dK2ls\n")])
    }

    #[test]
    fn variables_of_containers() {
        assert_eq!(grafana("GF_DATABASE_PASSWORD: s3cr3tdb99", "").finds("X001", "s3cr3tdb99"), Severity::Warning);
        let token = format!("glsa_{}", "Q7mZ2kVx9TbR4cNw8HsJ5dLf3GpY6aEu_1a2b3c4d");
        assert_eq!(grafana(&format!("ANY: {token}"), "").finds("X001", &token), Severity::Error);
        // Given by whoever starts it, a stand-in, or nobody's secret; Grafana's own is X002's.
        for said in [
            "GF_DATABASE_PASSWORD: '${PW}'",
            "GF_DATABASE_PASSWORD: '${PW:-s3cr3tdb99}'",
            "GF_DATABASE_PASSWORD: changeme",
            "GF_DATABASE_PASSWORD: your-token-here",
            "GF_DATABASE_PASSWORD: '00000000-0000'",
            "GF_DATABASE_PASSWORD: '/run/secrets/pw'",
            "GF_DATABASE_PASSWORD__FILE: s3cr3tdb99",
            "GF_DATABASE_PASSWORD: ''",
            "GF_DATABASE_PASSWORD: database",
            "GF_DATABASE_PASSWORD: your_client_secret",
            "GF_DATABASE_NAME: s3cr3tdb99",
            "GF_SECURITY_ADMIN_PASSWORD: s3cr3tdb99",
        ] {
            grafana(said, "").silent("X001");
        }
        let other = "services:\n  db:\n    image: acme/db:1\n    environment: {DB_PASSWORD: s3cr3tdb99}\n";
        Bench::project(&[("compose.yaml", other)]).silent("X001");
    }

    #[test]
    fn secrets_of_data_sources() {
        grafana("", "secureJsonData: {basicAuthPassword: kJ8s7dK2ls}").finds("X001", "kJ8s7dK2ls");
        let header = |name: &str, value: &str| {
            grafana(
                "",
                &format!("jsonData: {{httpHeaderName1: {name}}}, secureJsonData: {{httpHeaderValue1: {value}}}"),
            )
        };
        header("Authorization", "Bearer kJ8s7dK2ls").finds("X001", "Bearer kJ8s7dK2ls");
        header("X-Scope-OrgID", "some-tenant").silent("X001");
        header("Authorization", "Bearer $TOKEN").silent("X001");
        for value in ["$PW", "'${PW}'", "'$__file{/run/pw}'", "''", "password"] {
            grafana("", &format!("secureJsonData: {{basicAuthPassword: {value}}}")).silent("X001");
        }
    }

    #[test]
    fn silent_for_an_empty_value_and_for_other_headers() {
        password("''").silent("X001");
        let yaml = "exporters: {otlp_http: {endpoint: 'https://x', headers: {X-Scope-OrgID: acme}}}";
        Bench::collector("0.158.0", yaml).silent("X001");
    }
}
