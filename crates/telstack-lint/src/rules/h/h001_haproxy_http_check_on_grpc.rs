use telstack_diagnostics::{Diagnostic, Fix, RuleInfo, Severity};
use telstack_system::{HttpProbe, Known};

use crate::{
    Cx, Rule,
    facts::proxies::{self, Behind, Grpc},
    repair,
    words::ticked,
};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        code: "H001",
        name: "haproxy-http-check-on-grpc",
        severity: Severity::Error,
        summary: "A proxy asks a gRPC server over HTTP/1 whether it is well.",
        why: "A gRPC server closes a connection that starts with HTTP/1, so the check never succeeds: all servers are \
              DOWN, and every client gets a 503 or a closed connection. `haproxy -c` finds nothing wrong. The line may \
              be one of `defaults`.",
        bad: "# haproxy.cfg\nbackend otlp_grpc\n    option httpchk GET /\n    server one collector:4317 check",
        good: "# haproxy.cfg\nbackend otlp_grpc\n    option httpchk GET /\n    server one collector:4317 check port 13133",
        silent: "The check goes to another port, another host, or in HTTP/2 (`proto h2`, `check-proto`, `check-alpn`); \
                 `option tcp-check`. A warning where only the port number says that it is gRPC.",
        sources: &[
            "https://github.com/haproxy/haproxy/issues/1214",
            "https://github.com/haproxy/haproxy/issues/683",
            "https://github.com/DataDog/documentation/pull/5608",
        ],
    },
    check,
};

fn check(cx: &mut Cx<'_>) {
    for (id, proxy, number) in proxies::backends(cx.system) {
        let Some(probe) = proxy.backends[number].probe.as_ref().filter(|it| !it.open) else { continue };
        let all = proxies::behind(cx.system, id, number);
        let refusing: Vec<(&Behind<'_>, Grpc)> =
            all.iter().filter(|it| asks_there(it)).filter_map(|it| Some((it, it.grpc()?))).collect();
        if !refusing.is_empty() {
            let finding = finding(cx, probe, &refusing);
            cx.report(finding);
        }
    }
}

/// Is the server asked in HTTP/1 on the port that it serves on?
fn asks_there(behind: &Behind<'_>) -> bool {
    let asked = behind.server.check.as_ref().is_some_and(|it| !it.own_way && it.port.is_none());
    asked && matches!(behind.server.http2, Known::Absent | Known::Value(false))
}

fn finding(cx: &Cx<'_>, probe: &HttpProbe, refusing: &[(&Behind<'_>, Grpc)]) -> Diagnostic {
    let (first, _) = refusing[0];
    let sure = refusing.iter().any(|(_, grpc)| *grpc == Grpc::Surely);
    let addresses = ticked(refusing.iter().map(|(it, _)| it.address()));
    let speaks = if sure { "which speaks gRPC" } else { "the port of gRPC" };
    let message = format!("`{}` asks {addresses} over HTTP/1 whether it is well, {speaks}", first.backend.name);
    let mut finding = cx.finding(message, &probe.origin, "asked in HTTP/1").severity(if sure {
        Severity::Error
    } else {
        Severity::Warning
    });
    for (it, _) in refusing {
        finding = finding.label(it.server.host.span(), "this server is never well");
        if let Some(listener) = it.listener {
            finding = finding.label(listener.origin.span(), format!("speaks {}", listener.protocol));
        }
    }
    let path = &probe.path.value;
    let ports: Vec<Option<u16>> = refusing.iter().map(|(it, _)| it.health(cx.facts, path).map(|it| it.port)).collect();
    let hidden = first.hidden_health(cx.facts, path);
    finding = match (ports.first(), hidden) {
        (Some(Some(port)), _) => finding.help(format!("ask the `health_check` extension: `check port {port}`")),
        (_, Some(hidden)) => {
            let port = hidden.port;
            finding.label(hidden.origin.span(), "answers inside its own container only").help(format!(
                "ask the `health_check` extension, `check port {port}`, and let it bind every interface: \
                 `endpoint: 0.0.0.0:{port}`"
            ))
        }
        _ => finding.help("ask the `health_check` extension of the collector: `check port 13133`"),
    };
    finding = finding.help("or only try to connect: `option tcp-check`");
    let mut changes = Vec::new();
    for ((it, _), port) in refusing.iter().zip(ports) {
        let word = it.server.check.as_ref().map(|it| &it.origin);
        match word.zip(port).and_then(|(word, port)| repair::word(word, "check", &format!("check port {port}"))) {
            Some(more) => changes.extend(more),
            None => return finding,
        }
    }
    finding.fix(Fix::safe("ask the `health_check` extension", changes))
}

#[cfg(test)]
mod tests {
    use telstack_diagnostics::{Applicability, Severity};

    use crate::test_support::Bench;

    const GATEWAY: &str = "receivers: {otlp: {protocols: {grpc: {endpoint: '0.0.0.0:4317'}}}}\nextensions: \
                           {health_check: {endpoint: '0.0.0.0:13133'}}\nservice: {extensions: [health_check], \
                           pipelines: {traces: {receivers: [otlp], exporters: [debug]}}}\nexporters: {debug: }";

    fn bench(cfg: &str) -> Bench {
        Bench::proxy(cfg, &[("gateway", GATEWAY)])
    }

    #[test]
    fn fails_where_the_server_speaks_grpc() {
        let cfg = "backend b\n option httpchk GET /\n server s gateway:4317 check\n";
        assert_eq!(bench(cfg).finds("H001", "httpchk GET /"), Severity::Error);
        let inherited = "defaults\n option httpchk\nbackend b\n server s gateway:4317 check\n";
        assert_eq!(bench(inherited).finds("H001", "httpchk"), Severity::Error);
        let encrypted = "backend b\n option httpchk\n server s gateway:4317 check ssl verify none\n";
        bench(encrypted).finds("H001", "httpchk");
    }

    #[test]
    fn warns_where_only_the_port_says_so() {
        let cfg = "backend b\n option httpchk\n server s elsewhere:4317 check\n server t else:4317 check\n";
        assert_eq!(bench(cfg).finds("H001", "httpchk"), Severity::Warning);
        bench(cfg).leaves("H001");
    }

    #[test]
    fn asks_where_it_is_answered() {
        let cfg = "backend b\n option httpchk GET /\n server s gateway:4317 check inter 5s # x\n";
        let after = "backend b\n option httpchk GET /\n server s gateway:4317 check port 13133 inter 5s # x\n";
        assert_eq!(bench(cfg).fixes("H001", after), Applicability::Safe);
    }

    #[test]
    fn shows_who_answers_inside_only() {
        let hidden = GATEWAY.replace("0.0.0.0:13133", "localhost:13133");
        let bench = Bench::proxy("backend b\n option httpchk\n server s gateway:4317 check\n", &[("gateway", &hidden)]);
        let help = "ask the `health_check` extension, `check port 13133`, and let it bind every interface: `endpoint: \
                    0.0.0.0:13133`";
        assert_eq!(bench.helps("H001")[0], help);
        bench.leaves("H001");
    }

    #[test]
    fn silent_where_it_is_asked_otherwise() {
        for (check, server) in [
            ("option httpchk", "check port 13133"),
            ("option httpchk", "check check-proto h2"),
            ("option httpchk", "check proto h2"),
            ("option httpchk", "check addr 10.0.0.1"),
            ("option httpchk", ""),
            ("option httpchk\n http-check connect port 13133", "check"),
            ("option httpchk\n option tcp-check", "check"),
            ("option tcp-check", "check"),
        ] {
            bench(&format!("backend b\n {check}\n server s gateway:4317 {server}\n")).silent("H001");
        }
        bench("backend b\n option httpchk\n server s gateway:4318 check\n").silent("H001");
        bench("backend b\n option httpchk\n server s elsewhere:8080 check\n").silent("H001");
    }
}
