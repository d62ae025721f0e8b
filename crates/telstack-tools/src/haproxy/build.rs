//! From sections to the model of a proxy.

use telstack_catalog::{
    Version,
    product::{
        Product,
        haproxy::{Words, knows, offers_http2, takes_plain_http2},
    },
};
use telstack_diagnostics::{Diagnostic, Diagnostics};
use telstack_system::{
    Backend, Frontend, HttpProbe, Known, Layer, Origin, Proxy, ProxyDoor, Route, Sourced, Tls, units::Period,
};

use super::{
    addresses::{Address, Port, address, interface, ports},
    by_release,
    codes::{INCOMPLETE_LINE, UNDEFINED_BACKEND},
    lines::{Line, Word},
    sections::{Section, check, outline},
    servers::{Said, server},
};
use crate::reading;

/// Reads a configuration.
pub(super) fn proxy(lines: &[Line], version: Option<Version>, out: &mut Diagnostics) -> Proxy {
    let outline = outline(lines, out);
    let mut quiet = Diagnostics::default();
    // What is so only under a condition is not judged.
    let out = if outline.open { &mut quiet } else { out };
    let sections = &outline.sections;
    let dialling: Vec<&Section<'_>> = sections.iter().filter(|it| it.kind.dials()).collect();
    let backends = dialling.iter().map(|it| backend(it, out)).collect();
    let listening = sections.iter().filter(|it| it.kind.listens());
    let frontends = listening.map(|it| frontend(it, &dialling, version, out)).collect();
    Proxy { product: Product::Haproxy, frontends, backends, open: outline.open }
}

fn layer(section: &Section<'_>, out: &mut Diagnostics) -> Option<Sourced<Layer>> {
    let Some(line) = section.last("mode") else {
        return Some(Sourced::new(Layer::Connections, section.name.origin.clone()));
    };
    let word = line.get(1)?;
    if section.own("mode").next().is_some() {
        check(Words::Mode, word, out);
    }
    let layer = match word.text.as_str() {
        "tcp" => Layer::Connections,
        "http" => Layer::Requests,
        _ => return None,
    };
    (!word.open).then(|| Sourced::new(layer, word.origin.clone()))
}

/// How long the other end may be silent: `timeout client 30s`; milliseconds without a unit.
fn idle(section: &Section<'_>, side: &str) -> Option<Sourced<Period>> {
    let of_side = |line: &&Line| line.get(1).is_some_and(|it| it.text == side);
    let word = section.all("timeout").filter(of_side).last()?.get(2).filter(|it| !it.open)?;
    let text = &word.text;
    let plain = text.chars().all(|c| c.is_ascii_digit());
    let period = if plain { Period::parse(&format!("{text}ms")) } else { Period::parse(text) };
    Some(Sourced::new(period?, word.origin.clone()))
}

/// May requests be others behind it?
fn changes(section: &Section<'_>) -> bool {
    let by = |line: &Line| {
        let action = line.get(1).map(|it| it.text.split('(').next().unwrap_or_default()).unwrap_or_default();
        match line.first().map(|it| it.text.as_str()) {
            Some("http-request") => knows(Words::Rewrites, action) || action.starts_with("lua."),
            Some("redirect" | "filter" | "http-send-name-header" | "use-fcgi-app" | "dispatch") => true,
            Some(word) => word.starts_with("req") || word.starts_with("rsp"),
            None => false,
        }
    };
    section.inherited.iter().chain(&section.own).any(|line| by(line))
}

fn judge(section: &Section<'_>, out: &mut Diagnostics) {
    for (keyword, place) in [("option", Words::Option), ("timeout", Words::Timeout)] {
        for word in section.own(keyword).filter_map(|line| line.get(1)) {
            check(place, word, out);
        }
    }
}

fn frontend(
    section: &Section<'_>,
    backends: &[&Section<'_>],
    version: Option<Version>,
    out: &mut Diagnostics,
) -> Frontend {
    if !section.kind.dials() {
        judge(section, out);
    }
    let layer = layer(section, &mut Diagnostics::default());
    let stays_http1 = section.all("option").any(|line| line.get(1).is_some_and(|it| it.text == "disable-h2-upgrade"));
    let mut found = Frontend {
        name: section.name.text.clone(),
        origin: section.name.origin.clone(),
        layer,
        doors: Vec::new(),
        routes: Vec::new(),
        idle: idle(section, "client"),
        changes: changes(section),
    };
    for line in section.own("bind") {
        doors(line, &mut found, stays_http1, version, out);
    }
    if section.kind.dials() && has_servers(section) {
        let own = backends.iter().position(|it| it.name.text == section.name.text);
        found.routes.extend(own.map(|backend| Route {
            backend,
            conditional: false,
            origin: section.name.origin.clone(),
        }));
    }
    routes(section, backends, &mut found, out);
    found
}

fn has_servers(section: &Section<'_>) -> bool {
    section.own("server").chain(section.own("server-template")).next().is_some()
}

/// The ports of a `bind` line.
fn doors(line: &Line, found: &mut Frontend, stays_http1: bool, version: Option<Version>, out: &mut Diagnostics) {
    let Some(places) = line.get(1) else {
        out.push(
            Diagnostic::new(&INCOMPLETE_LINE, "this `bind` says not where")
                .at(line[0].origin.span(), "HAProxy does not start")
                .help("name a port: `bind :4317`"),
        );
        return;
    };
    let said = Said::of(Words::Bind, &line[2..], out);
    if places.open {
        return;
    }
    let requests = found.layer.as_ref().is_some_and(|it| it.value == Layer::Requests);
    let encrypted = said.switch("ssl").is_some();
    let tls = match said.tls("ca-file") {
        // What is not decrypted here goes on as it comes.
        Known::Value(Tls::Off) if !requests => Known::Unknown,
        tls => tls,
    };
    let http2 = match said.http2() {
        Known::Absent if encrypted => by_release(version, offers_http2),
        Known::Absent if stays_http1 => Known::Value(false),
        Known::Absent => by_release(version, takes_plain_http2),
        known => known,
    };
    for place in places.text.split(',') {
        match address(place) {
            Address::Host(host, Some(Port::Range(from, to))) => {
                let bind = interface(&host);
                let origin = &places.origin;
                found.doors.extend(ports(from, to).map(|port| ProxyDoor {
                    bind: bind.clone(),
                    port,
                    tls,
                    http2,
                    only_http2: said.only_http2(),
                    origin: origin.clone(),
                }));
            }
            Address::Host(_, None | Some(Port::Wrong)) => {
                out.push(
                    Diagnostic::new(&INCOMPLETE_LINE, format!("`{place}` names no port"))
                        .at(places.origin.span(), "HAProxy does not start")
                        .help(format!("name a port: `bind {}:4317`", place.split(':').next().unwrap_or_default())),
                );
            }
            Address::Host(_, Some(Port::Offset)) | Address::NoHost | Address::Wrong => {}
        }
    }
}

/// The backends that a frontend may hand on to.
fn routes(section: &Section<'_>, backends: &[&Section<'_>], found: &mut Frontend, out: &mut Diagnostics) {
    let conditional = section.own("use_backend").map(|line| (line, true));
    // A later one takes the place of an earlier one, also of that of the defaults.
    let all = conditional.chain(section.last("default_backend").map(|line| (line, false)));
    for (line, conditional) in all {
        let Some(name) = line.get(1) else { continue };
        if name.open || name.text.contains('%') {
            // It is another one for each request.
            found.changes = true;
            continue;
        }
        match backends.iter().position(|it| it.name.text == name.text) {
            Some(backend) => {
                found.routes.push(Route { backend, conditional, origin: name.origin.clone() });
            }
            None if backends.iter().any(|it| it.name.open) => found.changes = true,
            None => undefined(name, backends, out),
        }
    }
    // What other routes take, the last one does not.
    if found.routes.len() > 1 {
        found.routes.iter_mut().for_each(|it| it.conditional = true);
    }
}

fn undefined(name: &Word, backends: &[&Section<'_>], out: &mut Diagnostics) {
    let names: Vec<&str> = backends.iter().map(|it| it.name.text.as_str()).collect();
    let finding = Diagnostic::new(&UNDEFINED_BACKEND, format!("there is no backend `{}`", name.text))
        .at(name.origin.span(), "HAProxy does not start");
    out.push(match (reading::nearest(&name.text, &names), names.as_slice()) {
        (Some(near), _) => finding.help(format!("write `{near}`")),
        (None, []) => finding.help(format!("declare it: `backend {}`", name.text)),
        (None, _) => finding.help(format!("there are `{}`", names.join("`, `"))),
    });
}

fn backend(section: &Section<'_>, out: &mut Diagnostics) -> Backend {
    judge(section, out);
    let balance = section.last("balance").and_then(|line| line.get(1));
    if let Some(word) = section.own("balance").filter_map(|line| line.get(1)).last() {
        check(Words::Balance, word, out);
    }
    let sticks = section.all("stick").next().is_some() || section.all("cookie").next().is_some();
    let by_word = balance.map(|it| it.text.split('(').next().unwrap_or_default());
    let keyed = match by_word {
        _ if sticks || balance.is_some_and(|it| it.open) => Known::Unknown,
        Some(word) if [Words::Keyed, Words::FillsOne].iter().any(|it| knows(*it, word)) => Known::Unknown,
        _ => Known::Value(false),
    };
    let default: Vec<&Line> = section.all("default-server").collect();
    for line in section.own("default-server") {
        Said::of(Words::Server, &line[1..], out);
    }
    let lines = section.own.iter().copied();
    let of_servers = lines.filter(|line| matches!(line[0].text.as_str(), "server" | "server-template"));
    let servers = of_servers.filter_map(|line| server(line, &default, out)).collect();
    Backend {
        name: section.name.text.clone(),
        origin: section.name.origin.clone(),
        layer: layer(section, out),
        balance: balance
            .filter(|it| !it.open)
            .map(|it| Sourced::new(it.text.split('(').next().unwrap_or_default().to_owned(), it.origin.clone())),
        keyed,
        by_client: by_word.is_some_and(|it| knows(Words::KeyedByClient, it) || knows(Words::FillsOne, it)),
        probe: probe(section),
        servers,
        idle: idle(section, "server"),
        changes: changes(section),
    }
}

/// How a backend asks its servers over HTTP whether they are well, if the last word on it is that.
fn probe(section: &Section<'_>) -> Option<HttpProbe> {
    const OTHERS: [&str; 9] = [
        "tcp-check",
        "ssl-hello-chk",
        "smtpchk",
        "pgsql-check",
        "redis-check",
        "mysql-check",
        "ldap-check",
        "spop-check",
        "external-check",
    ];
    let word = |line: &Line, at: usize| line.get(at).map(|it| it.text.clone()).unwrap_or_default();
    let says = |line: &&Line| word(line, 1) == "httpchk" || OTHERS.contains(&word(line, 1).as_str());
    let line = section.all("option").filter(says).last().filter(|line| word(line, 1) == "httpchk")?;
    let origin = line.get(1)?.origin.to_end_of(line.last()?);
    // `option httpchk [METHOD] [PATH [VERSION]]`
    let written = match line.len() {
        0..=2 => None,
        3 => line.get(2),
        _ => line.get(3),
    };
    let mut path = written.map_or_else(
        || Sourced::new("/".to_owned(), line[1].origin.clone()),
        |it| Sourced::new(it.text.clone(), it.origin.clone()),
    );
    let mut open = written.is_some_and(|it| it.open);
    let mut plain = true;
    // Rules of its own take the place of inherited ones, and so does a question of its own.
    let own = |line: &&Line| word(line, 1) == "httpchk";
    let rules: Vec<&Line> = if section.own("http-check").next().is_some() || section.own("option").any(|it| own(&it)) {
        section.own("http-check").collect()
    } else {
        section.all("http-check").collect()
    };
    for rule in rules {
        match word(rule, 1).as_str() {
            "send" => {
                let uri = rule.iter().position(|it| it.text == "uri").and_then(|at| rule.get(at + 1));
                if let Some(uri) = uri {
                    open |= uri.open;
                    path = Sourced::new(uri.text.clone(), uri.origin.clone());
                }
            }
            "expect" => plain &= is_plain(rule),
            "disable-on-404" | "send-state" | "comment" => {}
            _ => open = true,
        }
    }
    let path = Sourced::new(path.value.split('?').next().unwrap_or_default().to_owned(), path.origin);
    Some(HttpProbe { path, plain, open, origin })
}

/// Is what is expected an answer that says it went well, by its number?
fn is_plain(rule: &Line) -> bool {
    let Some(at) = rule.iter().position(|it| it.text == "status") else { return false };
    let negated = rule.iter().take(at).any(|it| it.text == "!");
    let well = |it: &str| it.starts_with(['2', '3']);
    !negated && rule.get(at + 1).is_some_and(|it| !it.open && it.text.split([',', '-']).all(well))
}

/// Places from one word to another.
trait ToEnd {
    fn to_end_of(&self, last: &Word) -> Origin;
}

impl ToEnd for Origin {
    fn to_end_of(&self, last: &Word) -> Origin {
        match (self.span(), last.origin.span()) {
            (Some(from), Some(to)) if self.is_written() && from.file == to.file => Origin::written(from.to(to)),
            _ => self.clone(),
        }
    }
}
