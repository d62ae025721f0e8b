use telstack_catalog::container;
use telstack_diagnostics::{Diagnostic, Fix, RuleInfo, Severity};
use telstack_system::{EnvValue, Node, Origin, Published, SecretRef};

use crate::{Cx, Rule, repair};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        code: "X002",
        name: "default-password",
        severity: Severity::Warning,
        summary: "An administrator has the default password or one that is written in the open, or everybody is one.",
        why: "Grafana starts with `admin`/`admin`. Whoever reaches its port may read every data source and change \
              every dashboard; scanners try these first.",
        bad: r#"grafana "grafana" { reads "prometheus"; admin_password "admin" }"#,
        good: r#"grafana "grafana" { reads "prometheus"; admin_password (secret)"grafana/admin-password" }"#,
        silent: "The password is a reference, or Grafana gets it from its environment. A default password is let pass \
                 where Grafana can be reached from this host only, and so are administrators without one; there is no administrator, or \
                 neither a login form nor basic authentication.",
        sources: &[
            "https://grafana.com/docs/grafana/latest/setup-grafana/configure-grafana/#admin_password",
            "https://github.com/Tr3kkR/Yuzu/issues/661",
        ],
    },
    check,
};

/// The variable that sets it from outside the stack.
pub(super) const VARIABLE: &str = "GF_SECURITY_ADMIN_PASSWORD";
/// What people type first.
pub(super) const WELL_KNOWN: [&str; 8] =
    ["admin", "password", "grafana", "changeme", "secret", "root", "test", "123456"];

/// Variables that let everybody in, and say as what.
const ANONYMOUS: &str = "GF_AUTH_ANONYMOUS_ENABLED";
const ANONYMOUS_ROLE: &str = "GF_AUTH_ANONYMOUS_ORG_ROLE";

fn check(cx: &mut Cx<'_>) {
    for (_, node) in cx.system.nodes() {
        let findings = [judge(cx, node), anonymous(cx, node), known_by_all(cx, node)];
        for finding in findings.into_iter().flatten() {
            cx.report(finding);
        }
    }
}

fn judge(cx: &Cx<'_>, node: &Node) -> Option<Diagnostic> {
    let viewer = node.viewer().filter(|it| !it.no_passwords)?;
    let help = |finding: Diagnostic| {
        finding.help(cx.words(
            format!("refer to it: `admin_password (secret)\"{}/admin-password\"`", node.name),
            format!("give it one from outside: `{VARIABLE}: ${{{VARIABLE}:?}}`"),
        ))
    };
    if let Some(password) = &viewer.admin_password {
        let SecretRef::Literal(text) = &password.value else { return None };
        let known = WELL_KNOWN.contains(&text.to_lowercase().as_str());
        if known && only_local(node) {
            return None;
        }
        let what = if known { "is one that everybody tries first" } else { "is written in the open" };
        let message = format!("the administrator's password of `{}` {what}", node.name);
        // It goes into a file, as any other literal secret does (X001).
        let severity = if cx.system.from_files { Severity::Warning } else { Severity::Error };
        let finding =
            help(cx.finding(message, &password.origin, "anyone who reads this file knows it").severity(severity));
        return Some(repair::with(finding, asked_for(&password.origin)));
    }
    let container = node.container.as_ref()?;
    let mut given = container.env.iter().chain(&node.environment).filter(|it| it.name.starts_with(VARIABLE));
    let default = match given.next() {
        None => true,
        Some(variable) => matches!(&variable.value, EnvValue::Literal(text) if WELL_KNOWN.contains(&text.as_str())),
    };
    if !default || container.gaps.env || container.published.is_empty() || only_local(node) {
        return None;
    }
    let message = format!("the administrator of `{}` has the default password", node.name);
    let mut finding = cx.finding(message, &node.origin, "no password is set");
    for published in &container.published {
        finding =
            finding.label(published.origin.span(), format!("port {} can be reached from outside", published.host_port));
    }
    Some(help(finding))
}

/// A default that everybody knows becomes a question to whoever starts it.
fn asked_for(at: &Origin) -> Option<Fix> {
    let changes = WELL_KNOWN.iter().find_map(|word| repair::word(at, &format!(":-{word}}}"), ":?set it}"))?;
    Some(Fix::unsafe_("let whoever starts it set one", changes))
}

/// The text that a variable is given.
fn text<'a>(node: &'a Node, name: &str) -> Option<(&'a str, &'a Origin)> {
    let variable = node.container.as_ref()?.env.iter().find(|it| it.name == name)?;
    match &variable.value {
        EnvValue::Literal(text) => Some((text.as_str(), &variable.origin)),
        EnvValue::Required(_) | EnvValue::Field(_) => None,
    }
}

/// Everybody is an administrator, without any password.
fn anonymous(cx: &Cx<'_>, node: &Node) -> Option<Diagnostic> {
    // Said by a variable or in its configuration file.
    let role = &node.viewer()?.anonymous.as_ref().filter(|it| it.value.eq_ignore_ascii_case("admin"))?.origin;
    let on = text(node, ANONYMOUS).map(|(_, on)| on);
    let published = node.container.as_ref()?.published.iter().find(|it| !is_local(it))?;
    let message = format!("whoever reaches `{}` is its administrator, without a password", node.name);
    Some(
        cx.finding(message, role, "everybody may do everything")
            .label(on.and_then(Origin::span), "nobody needs to log in")
            .label(published.origin.span(), format!("port {} can be reached from outside", published.host_port))
            .help(format!("let them look only: `{ANONYMOUS_ROLE}: Viewer`"))
            .help(format!("or publish it on this host only: `127.0.0.1:{}:…`", published.host_port)),
    )
}

/// Programs that have a password before anybody sets one.
fn known_by_all(cx: &Cx<'_>, node: &Node) -> Option<Diagnostic> {
    let container = node.container.as_ref().filter(|_| node.product().is_none())?;
    let fact = container::default_password(&container.image.value.repository)?;
    let published = container.published.iter().find(|it| !is_local(it))?;
    let (_, origin) =
        fact.variables.iter().find_map(|name| text(node, name)).filter(|(value, _)| *value == fact.password)?;
    let message = format!("{} of `{}` has the password that it has everywhere", fact.what, node.name);
    Some(
        cx.finding(message, origin, "is one that everybody tries first")
            .label(published.origin.span(), format!("port {} can be reached from outside", published.host_port))
            .help("give it one from outside: `${NAME:?}`")
            .help(format!("or publish it on this host only: `127.0.0.1:{}:…`", published.host_port)),
    )
}

/// Is a port open to programs of the host only?
fn is_local(port: &Published) -> bool {
    port.host_ip.as_deref().is_some_and(|ip| ip.starts_with("127.") || ip == "::1")
}

/// Can it be reached from this host only?
fn only_local(node: &Node) -> bool {
    let Some(container) = &node.container else { return false };
    !container.published.is_empty() && container.published.iter().all(is_local)
}

#[cfg(test)]
mod tests {
    use telstack_catalog::{otelcol::Transport, product::Product};
    use telstack_diagnostics::{Applicability, Severity};
    use telstack_system::{Published, SecretRef, Sourced};

    use crate::test_support::Bench;

    fn service(text: &str) -> Bench {
        Bench::project(&[("compose.yaml", &format!("services:\n  it:\n    {text}\n"))])
    }

    #[test]
    fn silent_where_nobody_logs_in_with_a_password() {
        let grafana = |environment: &str| {
            service(&format!(
                "image: grafana/grafana:12.0.0\n    ports: ['3000:3000']\n    environment: [{environment}]"
            ))
        };
        grafana("GF_LOG_LEVEL=info").finds("X002", "it");
        grafana("GF_SECURITY_DISABLE_INITIAL_ADMIN_CREATION=true").silent("X002");
        grafana("GF_AUTH_DISABLE_LOGIN_FORM=true, GF_AUTH_BASIC_ENABLED=false").silent("X002");
        // One of the two ways is left.
        grafana("GF_AUTH_DISABLE_LOGIN_FORM=true").finds("X002", "it");
    }

    #[test]
    fn warns_where_everybody_is_an_administrator() {
        let grafana = |role: &str, port: &str| {
            service(&format!(
                "image: grafana/grafana:12.0.0\n    ports: ['{port}']\n    environment: [GF_AUTH_ANONYMOUS_ENABLED=true, \
                 GF_AUTH_ANONYMOUS_ORG_ROLE={role}, 'GF_SECURITY_ADMIN_PASSWORD=${{P:?}}']"
            ))
        };
        let found = grafana("Admin", "3000:3000").finds("X002", "GF_AUTH_ANONYMOUS_ORG_ROLE=Admin");
        assert_eq!(found, Severity::Warning);
        grafana("Viewer", "3000:3000").silent("X002");
        grafana("Admin", "127.0.0.1:3000:3000").silent("X002");
    }

    #[test]
    fn warns_of_passwords_that_a_program_comes_with() {
        let minio = |password: &str| {
            service(&format!(
                "image: minio/minio:latest\n    ports: ['9000:9000']\n    environment: {{MINIO_ROOT_PASSWORD: {password}}}"
            ))
        };
        minio("minioadmin").finds("X002", "minioadmin");
        minio("'${P:-minioadmin}'").finds("X002", "'${P:-minioadmin}'");
        minio("'${P:?}'").silent("X002");
    }

    fn grafana(password: Option<SecretRef>, host_ip: Option<&str>) -> Bench {
        let mut bench = Bench::new("grafana password port");
        let id = bench.add(Product::Grafana, "13.0.1");
        let (origin, port, node) = (bench.at("password"), bench.at("port"), bench.at("grafana"));
        bench.node(id).origin = node;
        bench.node(id).viewer_mut().expect("viewer").admin_password = password.map(|it| Sourced::new(it, origin));
        bench.container(id).published.push(Published {
            host_ip: host_ip.map(str::to_owned),
            host_port: 3000,
            container_port: 3000,
            transport: Transport::Tcp,
            what: String::new(),
            origin: port,
        });
        bench
    }

    #[test]
    fn fails_on_a_literal_or_none_at_all() {
        let literal = grafana(Some(SecretRef::Literal("admin".into())), None).finds("X002", "password");
        assert_eq!(literal, Severity::Error);
        grafana(Some(SecretRef::Literal("x7Kf9".into())), Some("127.0.0.1")).finds("X002", "password");
        grafana(None, None).finds("X002", "grafana");
    }

    #[test]
    fn passes_with_a_reference() {
        grafana(Some(SecretRef::Env("PASSWORD".into())), None).silent("X002");
    }

    #[test]
    fn silent_when_only_this_host_can_reach_it() {
        grafana(None, Some("127.0.0.1")).silent("X002");
    }

    #[test]
    fn whoever_starts_it_can_be_asked() {
        let compose = |password: &str| {
            format!(
                "services:\n  it:\n    image: grafana/grafana:12.0.0\n    ports: ['3000:3000']\n    environment:\n      - \
                 GF_SECURITY_ADMIN_PASSWORD=${{PW:{password}}} # mine\n"
            )
        };
        let bench = Bench::project(&[("compose.yaml", &compose("-admin"))]);
        assert_eq!(bench.fixed("X002", &compose("?set it")), Applicability::Unsafe);
    }
}
