use telstack_catalog::ComponentKind;
use telstack_diagnostics::{Diagnostic, RuleInfo, Severity};
use telstack_system::{Known, Origin, Purpose, Tls};

use crate::{
    Cx, Rule,
    facts::{Arrival, Link, Part},
    words::is_reference,
};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        code: "X004",
        name: "auth-one-sided",
        severity: Severity::Error,
        summary: "A receiver asks who is there, and the exporter that dials it does not say; or a certificate is named \
                  that the container does not have.",
        why: "A request without credentials is answered 401, or `Unauthenticated`, and its data dropped. A server that \
              wants certificates of its clients breaks the connection off. A file that is not there stops the \
              collector at its start.",
        bad: r#"collector "agent" {
    receiver "otlp"
    exporter "otlp_http" { endpoint "http://gateway:4318" }
    pipeline "traces" { from "otlp"; to "otlp_http" }
}
collector "gateway" {
    extension "basicauth" { htpasswd { inline "${env:USERS}" } }
    receiver "otlp" { protocols { http { endpoint "0.0.0.0:4318"; auth authenticator="basicauth" } } }
    pipeline "traces" { from "otlp"; to "tempo" }
}"#,
        good: r#"collector "agent" {
    receiver "otlp"
    extension "basicauth" { client_auth { username "agent"; password "${env:PASSWORD}" } }
    exporter "otlp_http" { endpoint "http://gateway:4318"; auth authenticator="basicauth" }
    pipeline "traces" { from "otlp"; to "otlp_http" }
}
collector "gateway" {
    extension "basicauth" { htpasswd { inline "${env:USERS}" } }
    receiver "otlp" { protocols { http { endpoint "0.0.0.0:4318"; auth authenticator="basicauth" } } }
    pipeline "traces" { from "otlp"; to "tempo" }
}"#,
        silent: "The exporter sends any headers, which may hold the credentials; either end is outside; something \
                 stands between them; the files of a container are not all known; the file is where a cluster puts the \
                 certificates and tokens of its pods.",
        sources: &[
            "https://github.com/open-telemetry/opentelemetry-collector/blob/main/config/configauth/README.md",
            "https://github.com/open-telemetry/opentelemetry-collector/blob/main/config/configtls/README.md",
            "https://github.com/open-telemetry/opentelemetry-collector/issues/4544",
        ],
    },
    check,
};

/// Settings that name a file of the container.
const FILES: [&str; 4] = ["ca_file", "cert_file", "key_file", "client_ca_file"];
/// Where images keep the authorities that everybody trusts.
const SYSTEM: [&str; 3] = ["/etc/ssl/", "/etc/pki/", "/usr/share/ca-certificates/"];
/// Where a cluster puts files into pods that no manifest tells of: those of the service account, and what webhooks add.
const OF_CLUSTER: [&str; 2] = ["/var/run/secrets/", "/run/secrets/"];

fn check(cx: &mut Cx<'_>) {
    for link in cx.facts.links.iter().filter(|link| link.purpose == Purpose::Telemetry) {
        if let Some(finding) = judge(cx, link) {
            cx.report(finding);
        }
    }
    for part in cx.facts.parts.iter().filter(|part| part.runs() && part.usable().is_some()) {
        for (path, at) in missing_files(cx, part) {
            let message = format!("{} reads `{path}`, which its container does not have", part.title());
            let finding = cx
                .finding(message, at, "the collector does not start without it")
                .label(part.node.span(), format!("`{}` is given no such path", part.node.name))
                .help("mount the file, or the folder that it is in");
            cx.report(finding);
        }
    }
}

fn judge(cx: &Cx<'_>, link: &Link<'_>) -> Option<Diagnostic> {
    let Arrival::Answer(listener) = &link.arrival else { return None };
    let owner = listener.owner.as_ref()?;
    let receiver = link.to.collector()?.component(owner.kind, &owner.id)?;
    let exporter = link.dial.component.as_ref()?;
    let exporter = link.from.collector()?.component(ComponentKind::Exporter, &exporter.id)?;
    let (fact, version) = cx.facts.part(receiver)?.usable()?;
    let mine = fact.listens(version).into_iter().find(|it| it.protocol == Some(listener.protocol.0))?;
    let block = mine.setting.rsplit_once('.').map_or(String::new(), |(block, _)| format!("{block}."));
    if let Some(auth) = receiver.setting(&format!("{block}auth.authenticator"))
        && exporter.setting("auth").is_none()
        && exporter.setting("headers").is_none()
    {
        let message = format!("{} says nothing of who it is, and `{}` asks", link.dialer(), link.to.name);
        return Some(
            cx.finding(message, &link.dial.origin, "without credentials")
                .label(auth.mark.span(), "lets in only whom this knows")
                .help("name an extension that adds credentials in the exporter: `auth.authenticator`"),
        );
    }
    let wants = receiver.setting(&format!("{block}tls.client_ca_file"))?;
    if link.dial.tls == Known::Value(Tls::On) && exporter.setting("tls").is_none_or(|it| it.as_str().is_none()) {
        let given = ["tls.cert_file", "tls.cert_pem"].iter().any(|path| exporter.setting(path).is_some());
        if given {
            return None;
        }
        let message = format!("{} shows no certificate, and `{}` wants one", link.dialer(), link.to.name);
        return Some(
            cx.finding(message, &link.dial.origin, "without a certificate of its own")
                .label(wants.mark.span(), "takes only clients that this authority vouches for")
                .help("give the exporter a certificate: `tls.cert_file` and `tls.key_file`"),
        );
    }
    None
}

/// Certificates that settings name and that nothing brings into the container.
fn missing_files<'a>(cx: &Cx<'_>, part: &Part<'a>) -> Vec<(&'a str, &'a Origin)> {
    let container = part.node.container.as_ref().filter(|it| !cx.may_have_more_files(it));
    let Some(container) = container else { return Vec::new() };
    let mut named = Vec::new();
    files(&part.component.settings, &mut named);
    let in_pod = OF_CLUSTER.iter().filter(|_| container.pod.is_some());
    let elsewhere: Vec<&&str> = SYSTEM.iter().chain(in_pod).collect();
    named.retain(|(path, _)| {
        let brought = container.mount_of(path).is_some() || container.files.iter().any(|file| file.target == *path);
        path.starts_with('/') && !brought && !elsewhere.iter().any(|start| path.starts_with(**start))
    });
    named
}

fn files<'a>(value: &'a telstack_system::Value, found: &mut Vec<(&'a str, &'a Origin)>) {
    for entry in value.as_map().into_iter().flatten() {
        if entry.key == "tls" {
            let inside = entry.value.as_map().into_iter().flatten().filter(|it| FILES.contains(&it.key.as_str()));
            found.extend(
                inside.filter_map(|it| Some((it.value.as_str().filter(|it| !is_reference(it))?, &it.value.mark))),
            );
        } else {
            files(&entry.value, found);
        }
    }
}

#[cfg(test)]
mod tests {
    use telstack_catalog::{Distribution, otelcol::Transport};
    use telstack_diagnostics::Severity;
    use telstack_system::{ComponentId, ComponentRef, Known, Mount, MountSource, Protocol, Tls, WorkloadKind};

    use crate::test_support::Bench;

    fn sends(exporter: &str, receiver: &str, tls: Tls) -> Bench {
        let mut bench = Bench::new("http");
        let scheme = if tls == Tls::Off { "http" } else { "https" };
        let yaml = format!(
            "exporters: {{otlphttp: {{endpoint: '{scheme}://gateway:4318', {exporter}}}}}\n\
             service: {{pipelines: {{traces: {{receivers: [otlp], exporters: [otlphttp]}}}}}}"
        );
        bench.add_collector("agent", Distribution::Contrib, "0.140.0", &yaml);
        let yaml = format!("receivers: {{otlp: {{protocols: {{http: {{endpoint: '0.0.0.0:4318', {receiver}}}}}}}}}");
        let gateway = bench.add_collector("gateway", Distribution::Contrib, "0.140.0", &yaml);
        let mut http = bench.listener("otlp-http", 4318, "http");
        (http.protocol, http.transport, http.tls) = (Protocol::OTLP_HTTP, Transport::Tcp, Known::Value(tls));
        let kind = telstack_catalog::ComponentKind::Receiver;
        http.owner = Some(ComponentRef { kind, id: ComponentId::parse("otlp") });
        bench.node(gateway).listeners.push(http);
        bench
    }

    #[test]
    fn fails_where_one_side_asks() {
        let found = sends("", "auth: {authenticator: basicauth}", Tls::Off).finds("X004", "'http://gateway:4318'");
        assert_eq!(found, Severity::Error);
        sends("", "tls: {client_ca_file: /etc/ssl/ca.pem}", Tls::Mutual).finds("X004", "'https://gateway:4318'");
    }

    #[test]
    fn passes_where_both_do() {
        sends("auth: {authenticator: b}", "auth: {authenticator: basicauth}", Tls::Off).silent("X004");
        let own = "tls: {cert_file: /etc/ssl/a.pem, key_file: /etc/ssl/a.key}";
        sends(own, "tls: {client_ca_file: /etc/ssl/ca.pem}", Tls::Mutual).silent("X004");
        sends("", "", Tls::Off).silent("X004");
    }

    #[test]
    fn silent_where_credentials_may_be_sent() {
        let asks = "auth: {authenticator: basicauth}";
        sends("headers: {authorization: '${env:T}'}", asks, Tls::Off).silent("X004");
        sends("tls: '${file:tls.yaml}'", "tls: {client_ca_file: /etc/ssl/ca.pem}", Tls::Mutual).silent("X004");
    }

    #[test]
    fn passes_on_what_a_cluster_puts_into_pods() {
        let yaml = "tls: {ca_file: /var/run/secrets/kubernetes.io/serviceaccount/service-ca.crt}";
        let mut bench = sends(yaml, "", Tls::On);
        bench.finds("X004", "/var/run/secrets/kubernetes.io/serviceaccount/service-ca.crt");
        bench.in_pod(WorkloadKind::Deployment);
        bench.silent("X004");
        let mut other = sends("tls: {ca_file: /certs/ca.pem}", "", Tls::On);
        other.in_pod(WorkloadKind::Deployment);
        other.finds("X004", "/certs/ca.pem");
    }

    #[test]
    fn fails_on_certificates_that_are_nowhere() {
        let mut bench = sends("tls: {ca_file: /certs/ca.pem}", "", Tls::On);
        bench.finds("X004", "/certs/ca.pem");
        let (origin, id) = (bench.at("exporters"), bench.system.node_ids()[0]);
        let source = MountSource::Bind("./certs".into());
        bench.container(id).mounts.push(Mount { source, target: "/certs".into(), read_only: true, origin });
        bench.silent("X004");
    }
}
