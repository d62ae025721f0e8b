use telstack_diagnostics::{Diagnostic, Fix, RuleInfo, Severity};
use telstack_system::{Bind, Listener, NodeId, Origin, Protocol};

use crate::{
    Cx, Rule,
    facts::proxies::{self, Behind, says_health, serves},
    repair,
};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        code: "H002",
        name: "haproxy-check-port-mismatch",
        severity: Severity::Error,
        summary: "A proxy asks a collector whether it is well where it does not say so.",
        why: "The check never succeeds: all servers are DOWN, and every client gets a 503, while the collectors run. \
              A collector answers on the port and path of its `health_check` extension, and nowhere else: its OTLP \
              port answers 404 to everything but OTLP.",
        bad: "# haproxy.cfg\nbackend otlp_http\n    mode http\n    option httpchk GET /health\n    server one collector:4318 check",
        good: "# haproxy.cfg\nbackend otlp_http\n    mode http\n    option httpchk GET /\n    server one collector:4318 check port \
               13133",
        silent: "The port or path comes from the environment; the server is not a collector of the stack; what is \
                 expected of the answer is more than that it went well (`http-check expect`).",
        sources: &[
            "https://github.com/DataDog/documentation/pull/5608",
            "https://github.com/open-telemetry/opentelemetry-collector-contrib/issues/34133",
            "https://github.com/open-telemetry/opentelemetry-collector-contrib/issues/24655",
        ],
    },
    check,
};

fn check(cx: &mut Cx<'_>) {
    for (id, proxy, number) in proxies::backends(cx.system) {
        if proxy.backends[number].probe.as_ref().is_some_and(|it| it.open) {
            continue;
        }
        // What goes for several servers in the same way is one finding.
        let mut told: Vec<(Wrong, Diagnostic, Vec<Behind<'_>>)> = Vec::new();
        for behind in proxies::behind(cx.system, id, number) {
            let Some((wrong, finding)) = judge(cx, &behind) else { continue };
            let way = |it: &Diagnostic| it.fix.as_ref().map(|fix| fix.title.clone());
            match told.iter_mut().find(|(it, first, _)| *it == wrong && way(first) == way(&finding)) {
                Some((_, first, others)) => {
                    let known = first.fix.as_mut().zip(finding.fix);
                    if let Some((fix, more)) = known {
                        fix.changes.extend(
                            more.changes.into_iter().filter(|it| !fix.changes.contains(it)).collect::<Vec<_>>(),
                        );
                    }
                    others.push(behind);
                }
                None => told.push((wrong, finding, Vec::new())),
            }
        }
        for (_, finding, others) in told {
            cx.report(with_others(finding, &others));
        }
    }
}

/// What is wrong with a question.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wrong {
    /// Nothing listens there.
    Nothing,
    /// Only the server itself is answered.
    Inside,
    /// It is said on another path.
    Path,
    /// Nothing but OTLP is answered.
    Otlp,
}

/// Servers that are shown beside the first one.
const SHOWN: usize = 3;

fn with_others(mut finding: Diagnostic, others: &[Behind<'_>]) -> Diagnostic {
    let shown =
        |finding: &Diagnostic, span| finding.primary.iter().chain(&finding.labels).any(|it| Some(it.span) == span);
    // Lines that stand for several are shown once.
    let others: Vec<&Behind<'_>> = others.iter().filter(|it| !shown(&finding, it.server.host.span())).collect();
    for behind in others.iter().take(SHOWN) {
        finding = finding.label(behind.server.host.span(), format!("the same of `{}`", behind.server.name));
    }
    match others.len().saturating_sub(SHOWN) {
        0 => finding,
        1 => finding.note("and of one server more"),
        more => finding.note(format!("and of {more} servers more")),
    }
}

fn judge(cx: &Cx<'_>, behind: &Behind<'_>) -> Option<(Wrong, Diagnostic)> {
    let (id, node) = behind.to.filter(|(_, node)| node.collector().is_some())?;
    let check = behind.server.check.as_ref().filter(|it| !it.own_way)?;
    let probe = behind.backend.probe.as_ref();
    let asked = match &check.port {
        Some(port) => behind.on(port.value),
        None => behind.listener,
    };
    let port = check.port.as_ref().map_or(behind.port, |it| it.value);
    let at = check.port.as_ref().map_or(&check.origin, |it| &it.origin);
    let whom = format!("`{}` asks `{}:{port}` whether it is well", behind.backend.name, behind.server.host.value);
    let Some(listener) = asked else {
        // That nothing listens where it is dialled is another finding.
        check.port.as_ref().filter(|_| behind.opens_no_other())?;
        let finding = cx
            .finding(format!("{whom}, where nothing listens"), at, format!("no such port on `{}`", node.name))
            .label(node.span(), format!("`{}` is never well", behind.server.name));
        return Some((Wrong::Nothing, mended(cx, behind, at, finding)));
    };
    if listener.bind == Bind::Loopback && check.port.is_some() {
        let finding = cx
            .finding(format!("{whom}, which answers inside its own container only"), at, "refused from here")
            .label(listener.origin.span(), "binds loopback")
            .help(format!("bind every interface: `0.0.0.0:{port}`"));
        return Some((Wrong::Inside, finding));
    }
    let probe = probe?;
    let path = &probe.path.value;
    if let Some(says) = says_health(cx.facts, id, node, listener) {
        if serves(says, path) {
            return None;
        }
        let message = format!("{whom} with `{path}`, and it says so on `{says}` only");
        let finding = cx
            .finding(message, &probe.path.origin, "answered 404")
            .label(listener.origin.span(), format!("answers on `{says}`"))
            .help(format!("ask for `{says}`"));
        let change =
            repair::word(&probe.path.origin, path, says).map(|it| Fix::unsafe_(format!("ask for `{says}`"), it));
        return Some((Wrong::Path, repair::with(finding, change)));
    }
    if listener.protocol != Protocol::OTLP_HTTP || !probe.plain {
        return None;
    }
    let finding = cx
        .finding(format!("{whom} with `{path}`, where only OTLP is answered"), at, "answered 404: never well")
        .label(Some(probe.origin.span()?), "asked like this")
        .label(listener.origin.span(), format!("takes {}", listener.protocol));
    Some((Wrong::Otlp, mended(cx, behind, at, finding)))
}

/// The finding with what to ask instead.
fn mended(cx: &Cx<'_>, behind: &Behind<'_>, at: &Origin, finding: Diagnostic) -> Diagnostic {
    let path = behind.backend.probe.as_ref().map_or("/", |it| &it.path.value);
    let Some(health) = behind.health(cx.facts, path) else {
        return match extension(cx, behind) {
            Some((health, says)) => finding
                .label(health.origin.span(), format!("says on `{says}` whether it is well"))
                .help(format!("ask the `health_check` extension: `check port {}`, and for `{says}`", health.port)),
            None => finding
                .help("switch the `health_check` extension of the collector on, and ask it: `check port 13133`")
                .help("or only try to connect: `option tcp-check`"),
        };
    };
    let finding = finding
        .label(health.origin.span(), "says whether it is well")
        .help(format!("ask the `health_check` extension: `check port {}`", health.port));
    let port = health.port.to_string();
    let change = match behind.server.check.as_ref().and_then(|it| it.port.as_ref()) {
        Some(wrong) => repair::word(at, &wrong.value.to_string(), &port),
        None => repair::word(at, "check", &format!("check port {port}")),
    };
    repair::with(finding, change.map(|it| Fix::safe(format!("ask on port {port}"), it)))
}

/// The extension that says it on another path.
fn extension<'a>(cx: &Cx<'a>, behind: &Behind<'a>) -> Option<(&'a Listener, &'a str)> {
    let (id, node): (NodeId, _) = behind.to?;
    let mut reached = node.listeners.iter().filter(|it| it.bind == Bind::All);
    reached.find_map(|it| Some((it, says_health(cx.facts, id, node, it)?)))
}

#[cfg(test)]
mod tests {
    use telstack_diagnostics::{Applicability, Severity};

    use crate::test_support::Bench;

    fn gateway(extension: &str) -> String {
        format!(
            "receivers: {{otlp: {{protocols: {{http: {{endpoint: '0.0.0.0:4318'}}}}}}}}\nextensions: {{health_check: \
             {{{extension}}}}}\nservice: {{extensions: [health_check], pipelines: {{traces: {{receivers: [otlp], \
             exporters: [debug]}}}}}}\nexporters: {{debug: }}"
        )
    }

    fn bench(cfg: &str, extension: &str) -> Bench {
        Bench::proxy(cfg, &[("gateway", &gateway(extension))])
    }

    const OPEN: &str = "endpoint: '0.0.0.0:13133'";

    #[test]
    fn fails_on_the_port_of_otlp() {
        let cfg = "backend b\n mode http\n option httpchk GET /health\n server s gateway:4318 check inter 5s\n";
        let bench = bench(cfg, OPEN);
        assert_eq!(bench.finds("H002", "check"), Severity::Error);
        assert_eq!(bench.fixes("H002", &cfg.replace(" check ", " check port 13133 ")), Applicability::Safe);
    }

    #[test]
    fn fails_where_nothing_listens_or_not_for_others() {
        let cfg = "backend b\n server s gateway:4318 check port 13134\n";
        let wrong = bench(cfg, OPEN);
        wrong.finds("H002", "13134");
        assert_eq!(wrong.fixes("H002", &cfg.replace("13134", "13133")), Applicability::Safe);
        bench("backend b\n server s gateway:4318 check port 13133\n", "endpoint: 'localhost:13133'")
            .finds("H002", "13133");
    }

    #[test]
    fn fails_on_another_path() {
        let cfg = "backend b\n option httpchk GET /health\n server s gateway:4318 check port 13133\n";
        let bench = bench(cfg, "endpoint: '0.0.0.0:13133', path: /status");
        bench.finds("H002", "/health");
        assert_eq!(bench.fixes("H002", &cfg.replace("/health", "/status")), Applicability::Unsafe);
    }

    #[test]
    fn servers_of_one_backend_are_one_finding() {
        let servers = |check: &str| {
            let of = |at: usize| format!(" server s{at} g{at}:4317 {check}\n").replace("4317", "4318");
            format!("backend b\n mode http\n option httpchk GET /health\n{}", (1..6).map(of).collect::<String>())
        };
        let gateway = gateway(OPEN);
        let names = ["g1", "g2", "g3", "g4", "g5"];
        let five = |cfg: &str| Bench::proxy(cfg, &names.map(|name| (name, gateway.as_str())));
        let bench = five(&servers("check"));
        bench.finds("H002", "check");
        assert_eq!(bench.fixes("H002", &servers("check port 13133")), Applicability::Safe);
        five(&servers("check port 13133")).silent("H002");
        // One that is said once for all of them is put right once.
        let all = servers("").replace("backend b\n", "backend b\n default-server check\n");
        let bench = five(&all);
        bench.finds("H002", "check");
        bench.fixes("H002", &all.replace("default-server check", "default-server check port 13133"));
        // What is wrong in another way is another finding.
        let both = servers("check").replace("g2:4318 check", "g2:4318 check port 1");
        let found = five(&both).found();
        assert_eq!(found.iter().filter(|it| it.0 == "H002").count(), 2, "{found:?}");
    }

    #[test]
    fn passes_where_it_is_said() {
        for cfg in [
            "backend b\n option httpchk GET /health\n server s gateway:4318 check port 13133\n",
            "backend b\n option httpchk\n server s gateway:4318 check port 13133\n",
            "backend b\n server s gateway:4318 check port 13133\n",
            "backend b\n server s gateway:4318 check\n",
            "backend b\n option httpchk\n server s gateway:4318\n",
        ] {
            bench(cfg, OPEN).silent("H002");
        }
    }

    #[test]
    fn a_question_of_its_own_takes_the_place_of_an_inherited_one() {
        let cfg = |own: &str| {
            format!(
                "defaults\n option httpchk\n http-check send meth GET uri /\nbackend b\n{own} server s gateway:4318 \
                 check port 13133\n"
            )
        };
        let status = |own: &str| bench(&cfg(own), "endpoint: '0.0.0.0:13133', path: /status");
        status(" option httpchk GET /status\n").silent("H002");
        status(" option httpchk GET /other\n").finds("H002", "/other");
        status(" option httpchk GET /other\n http-check send uri /status\n").silent("H002");
        status("").finds("H002", "/");
    }

    #[test]
    fn silent_where_it_cannot_know() {
        for cfg in [
            "backend b\n option httpchk\n server s elsewhere:4318 check port 1\n",
            "backend b\n server s gateway:4318 check port \"${P}\"\n",
            "backend b\n option httpchk GET \"${P}\"\n server s gateway:4318 check\n",
            "backend b\n option httpchk\n http-check expect status 404\n server s gateway:4318 check\n",
            "backend b\n option httpchk\n server s gateway:4318 check check-ssl\n",
        ] {
            bench(cfg, OPEN).silent("H002");
        }
        bench("backend b\n server s gateway:4318 check port 13133\n", "endpoint: '${env:E}'").silent("H002");
        let cfg = "backend b\n option httpchk\n server s gateway:4318 check port 13133\n";
        bench(cfg, "endpoint: '0.0.0.0:13133', path: '${env:P}'").silent("H002");
    }
}
