//! HAProxy's configuration, as people write it.

use std::{
    io::Write,
    process::{Command, Stdio},
};

use telstack_catalog::Version;
use telstack_diagnostics::{Diagnostics, SourceMap};
use telstack_system::{Bind, Known, Layer, NodeKind, Proxy, Purpose, Tls, link};
use telstack_tools::{SourceFile, haproxy, read};

/// What was read, and `CODE text` of each finding about the form.
fn of(text: &str) -> (Proxy, Vec<String>) {
    let mut sources = SourceMap::default();
    let file = sources.add("haproxy.cfg", text);
    let mut out = Diagnostics::default();
    let proxy = haproxy::read_alone(file, text, None, &mut out);
    let slice = |it: &telstack_diagnostics::Diagnostic| {
        let place = it.primary.as_ref().map(|label| sources.slice(label.span).to_owned());
        format!("{} {}", it.rule.code, place.unwrap_or_default())
    };
    (proxy, out.iter().map(slice).collect())
}

fn clean(text: &str) -> Proxy {
    let (proxy, wrong) = of(text);
    assert!(wrong.is_empty(), "{wrong:?}");
    proxy
}

#[track_caller]
fn wrong(text: &str, wanted: &[&str]) {
    assert_eq!(of(text).1, wanted, "{text}");
}

const GATEWAYS: &str = r"
global
    log stdout format raw local0   # here
defaults
    mode tcp
    balance leastconn
    option httpchk GET /health
    timeout client 1h
    timeout server 3600000
    default-server check inter 5s
frontend grpc
    bind *:4317
    default_backend gateways
listen http
    mode http
    bind :4318,127.0.0.1:4319 ssl crt /x.pem alpn h2,http/1.1
    http-check expect status 200
    server one gateway-1:4318 check port 13133
    server two gateway-2:4318 ssl verify none no-check backup
backend gateways
    balance roundrobin
    option tcp-check
    server one gateway-1:4317 proto h2
    server-template more 2-4 gateway:4317 resolvers docker init-addr none
resolvers docker
    nameserver d 127.0.0.11:53
";

#[test]
fn what_listens_and_what_is_dialled() {
    let proxy = clean(GATEWAYS);
    let [grpc, http] = proxy.frontends.as_slice() else { panic!("{:?}", proxy.frontends) };
    let doors = |it: &telstack_system::Frontend| -> Vec<(Bind, u16, Known<Tls>)> {
        it.doors.iter().map(|door| (door.bind.clone(), door.port, door.tls)).collect()
    };
    // Bytes go on as they come.
    assert_eq!(doors(grpc), [(Bind::All, 4317, Known::Unknown)]);
    let tls = Known::Value(Tls::On);
    assert_eq!(doors(http), [(Bind::All, 4318, tls), (Bind::Loopback, 4319, tls)]);
    assert_eq!(http.doors[0].http2, Known::Value(true));
    assert_eq!(grpc.idle.as_ref().map(|it| it.value.millis()), Some(3_600_000));
    assert_eq!(http.layer.as_ref().map(|it| it.value), Some(Layer::Requests));
    assert_eq!([grpc.only_backend(), http.only_backend()], [Some(1), Some(0)]);

    let [http, gateways] = proxy.backends.as_slice() else { panic!("{:?}", proxy.backends) };
    assert_eq!(http.balance.as_ref().map(|it| it.value.as_str()), Some("leastconn"));
    assert_eq!(http.probe.as_ref().map(|it| (it.path.value.as_str(), it.plain)), Some(("/health", true)));
    assert!(http.servers[1].check.is_none() && http.servers[1].tls == Known::Value(Tls::On));
    let check = http.servers[0].check.as_ref().expect("checked");
    assert_eq!((check.port.as_ref().map(|it| it.value), check.own_way), (Some(13_133), false));
    assert_eq!(gateways.balance.as_ref().map(|it| it.value.as_str()), Some("roundrobin"));
    assert!(gateways.probe.is_none(), "the last check counts");
    assert_eq!((gateways.turns(), gateways.servers[0].http2), (Some(4), Known::Value(true)));
    assert_eq!(gateways.servers[1].host.value, "gateway");
    assert_eq!(gateways.idle.as_ref().map(|it| it.value.millis()), Some(3_600_000));
}

#[test]
fn defaults_go_for_what_follows_and_start_anew() {
    let proxy = clean(
        "defaults web\n mode http\ndefaults\n timeout client 1s\nbackend a\nbackend b from web\ndefaults c from web\n \
         balance first\nbackend d\n",
    );
    let of = |it: &telstack_system::Backend| (it.layer.as_ref().map(|it| it.value), it.balance.is_some());
    let found: Vec<_> = proxy.backends.iter().map(of).collect();
    assert_eq!(
        found,
        [(Some(Layer::Connections), false), (Some(Layer::Requests), false), (Some(Layer::Requests), true)]
    );
}

#[test]
fn routes() {
    let proxy = clean(
        "frontend a\n bind :80\n use_backend x if TRUE\n default_backend y\nfrontend b\n bind :81\n use_backend \
         %[path]\n default_backend y\nbackend x\nbackend y\n",
    );
    assert_eq!(
        [proxy.frontends[0].only_backend(), proxy.frontends[0].routes.first().map(|it| it.backend)],
        [None, Some(0)]
    );
    assert!(!proxy.frontends[0].changes && proxy.frontends[1].changes);
}

#[test]
fn how_servers_are_asked() {
    let probe = |more: &str| clean(&format!("backend a\n{more}\n server s h:1 check\n")).backends[0].probe.clone();
    let path = |more: &str| probe(more).map(|it| (it.path.value.clone(), it.plain, it.open));
    let is = |path: &str, plain, open| Some((path.to_owned(), plain, open));
    assert_eq!(path(""), None);
    assert_eq!(path(" option httpchk"), is("/", true, false));
    assert_eq!(path(" option httpchk /a"), is("/a", true, false));
    assert_eq!(path(" option httpchk HEAD /a?b HTTP/1.1"), is("/a", true, false));
    assert_eq!(path(" option httpchk\n http-check send meth GET uri /b"), is("/b", true, false));
    assert_eq!(path(" option httpchk\n http-check expect status 200-299,302"), is("/", true, false));
    for other in ["status 405", "status 200,404", "! status 500", "string ok", "rstatus ^2"] {
        assert_eq!(path(&format!(" option httpchk\n http-check expect {other}")), is("/", false, false), "{other}");
    }
    assert_eq!(path(" option httpchk\n http-check connect port 9"), is("/", true, true));
}

#[test]
fn what_haproxy_refuses() {
    wrong("backend a\n server s h:1 chek\n", &["R020 chek"]);
    wrong("backend a\n ballance source\n", &["R020 ballance"]);
    wrong(
        "backend a\n balance rondrobin\n mode tpc\n option httpchek\n timeout sever 1s\n",
        &["R020 httpchek", "R020 sever", "R020 rondrobin", "R020 tpc"],
    );
    wrong("backend a\nbakend b\n server s h:1\n", &["R020 bakend"]);
    wrong("fronted a\n bind :80\n", &["R020 fronted"]);
    wrong("foo bar\n", &["R020 foo"]);
    wrong("backend a\n server h:1\n", &["R021 h:1"]);
    wrong("backend a\n server s h:http\n server-template s 3\n", &["R021 h:http", "R021 3"]);
    wrong("frontend a\n bind\n bind gateway\nbackend\n", &["R021 backend", "R021 bind", "R021 gateway"]);
    wrong("frontend a\n default_backend gateway\nbackend gateways\n", &["R022 gateway"]);
    wrong("backend a\nbackend a\n", &["R023 a"]);
}

#[test]
fn silent_where_it_cannot_know() {
    for text in [
        "backend a\n server s \"h:${PORT}\"\n server t ${HOST}:1\n server u /run/x.sock\n",
        "backend a\n something-new x\n server s h:1 quite-new 3\n",
        "frontend a\n default_backend b\n.if defined(X)\nbackend b\n server\n.endif\n",
        "frontend a\n use_backend bk_%[hdr(host)]\nfrontend b\n default_backend \"${B}\"\nbackend c\n",
        "frontend a\n bind fd@3\n bind \"${X}\"\n",
        "{{ range services }}\nbackend {{ . }}\n servr\n",
        "frontend a\n bind :80\nbackend a\n",
        "global\n nbthread 4\n whatever 1\nuserlist u\n user x\ncache c\n total-max-size 4\n",
    ] {
        wrong(text, &[]);
    }
}

#[test]
fn who_gets_what() {
    let turns = |more: &str| clean(&format!("backend b\n server a h:1\n server b h:2 {more}\n")).backends[0].turns();
    assert_eq!(turns("check"), Some(2));
    assert_eq!((turns("backup"), turns("disabled"), turns("weight 0")), (Some(1), Some(1), Some(1)));
    assert_eq!((turns("backup no-backup"), turns("weight 5")), (Some(2), Some(2)));
    assert_eq!(turns("weight \"${W}\""), Some(1), "who knows");
    let balance = |word: &str| {
        let backend = &clean(&format!("backend b\n balance {word}\n server a h:1\n")).backends[0];
        (backend.keyed, backend.by_client)
    };
    assert_eq!(balance("roundrobin"), (Known::Value(false), false));
    assert_eq!(balance("source"), (Known::Value(false), true));
    assert_eq!(balance("first"), (Known::Unknown, true));
    assert_eq!(balance("hash req.hdr(x-trace)"), (Known::Unknown, false));
}

#[test]
fn what_a_release_decides() {
    let text = "# telstack: haproxy=2.9\nfrontend a\n mode http\n bind :443 ssl crt /x.pem\n";
    let file = SourceMap::default().add("haproxy.cfg", text);
    let mut out = Diagnostics::default();
    let release = haproxy::release(file, text, &mut out).map(|it| it.value);
    let http2 = |release: Option<Version>| {
        haproxy::read_alone(file, text, release, &mut Diagnostics::default()).frontends[0].doors[0].http2
    };
    assert_eq!(release, Some(Version::new(2, 9, 0)));
    assert_eq!(http2(release), Known::Value(true));
    assert_eq!(http2(Some(Version::new(2, 4, 0))), Known::Value(false));
    assert_eq!(http2(None), Known::Unknown);
}

#[test]
fn a_proxy_of_a_compose_project() {
    let compose = "services:\n  lb:\n    image: haproxy:2.9\n    environment: {PORT: 4317}\n    volumes: \
                   [./haproxy.cfg:/usr/local/etc/haproxy/haproxy.cfg:ro]\n  agent:\n    image: \
                   otel/opentelemetry-collector-contrib:0.120.0\n    command: [--config=/a.yaml]\n    volumes: \
                   [./agent.yaml:/a.yaml]\n  gateway:\n    image: otel/opentelemetry-collector-contrib:0.120.0\n    \
                   command: [--config=/g.yaml]\n    volumes: [./gateway.yaml:/g.yaml]\n";
    let cfg = "frontend f\n bind \":${PORT}\"\n default_backend b\nbackend b\n server g gateway:4317\n server x \
               elsewhere:4317\n";
    let agent = "receivers: {otlp: {protocols: {http: }}}\nexporters: {otlp: {endpoint: 'lb:4317', tls: {insecure: \
                 true}}}\nservice: {pipelines: {traces: {receivers: [otlp], exporters: [otlp]}}}\n";
    let gateway = "receivers: {otlp: {protocols: {grpc: {endpoint: '0.0.0.0:4317'}}}}\nexporters: {debug: \
                   }\nservice: {pipelines: {traces: {receivers: [otlp], exporters: [debug]}}}\n";
    let files = [("compose.yaml", compose), ("haproxy.cfg", cfg), ("agent.yaml", agent), ("gateway.yaml", gateway)];
    let mut sources = SourceMap::default();
    let given: Vec<SourceFile<'_>> =
        files.iter().map(|(path, text)| SourceFile { path, file: sources.add(*path, *text), text }).collect();
    let mut out = Diagnostics::default();
    let system = read(&given, &mut out).expect("a compose file");
    assert_eq!(out.iter().map(|it| it.message.clone()).collect::<Vec<_>>(), Vec::<String>::new());

    let id = |name| system.find(name).expect("there");
    let proxy = system.node(id("lb"));
    assert!(matches!(proxy.kind, NodeKind::Proxy(_)) && proxy.version() == Some(Version::new(2, 9, 0)));
    assert_eq!(proxy.listeners.iter().map(|it| it.port).collect::<Vec<_>>(), [4317]);
    assert_eq!(system.outgoing(id("lb"), Purpose::Forward).len(), 1, "who is not there is not dialled");

    let senders = link::senders(&system, id("gateway"));
    let [sender] = senders.as_slice() else { panic!("{senders:?}") };
    let spread = sender.through.as_ref().expect("through the proxy");
    assert_eq!((sender.from, spread.node, spread.over.as_slice()), (id("agent"), id("lb"), &[id("gateway")][..]));
    assert_eq!((spread.count, spread.keyed), (Some(2), Known::Value(false)));
}

/// Does the program itself take a configuration?
fn is_taken(text: &str) -> bool {
    let mut program = Command::new("haproxy")
        .args(["-c", "-q", "-f", "/dev/stdin"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("haproxy is installed: scripts/tools.sh does it");
    program.stdin.take().expect("piped").write_all(text.as_bytes()).expect("written");
    program.wait().expect("it ends").success()
}

#[test]
fn what_is_refused_the_program_refuses_too() {
    const HEAD: &str = "defaults\n mode http\n timeout connect 1s\n timeout client 1s\n timeout server 1s\n";
    for text in [
        "backend a\n server s 127.0.0.1:1 chek\n",
        "backend a\n ballance source\n",
        "backend a\n balance rondrobin\n",
        "backend a\n mode tpc\n",
        "backend a\n option httpchek\n",
        "backend a\n timeout sever 1s\n",
        "backend a\nbakend b\n server s 127.0.0.1:1\n",
        "backend a\n server 127.0.0.1:1\n",
        "backend a\n server s 127.0.0.1:http\n",
        "backend a\n server-template s 3\n",
        "frontend a\n bind\n",
        "frontend a\n bind :80\n default_backend gateway\nbackend gateways\n",
        "backend a\nbackend a\n",
        "backend\n",
    ] {
        let text = format!("{HEAD}{text}");
        assert!(!of(&text).1.is_empty() && !is_taken(&text), "{text}");
    }
    for text in [
        "frontend a\n bind :1-3,127.0.0.1:9\n use_backend b if TRUE\n default_backend \"b\"\nbackend b\n server s \
         127.0.0.1:1 check port 2 inter 5s proto h2 # c\n",
        "listen a\n bind *:80\n option httpchk GET /\n http-check expect status 200\n default-server check\n server s \
         [::1]:1\n server t /run/x\n",
        "frontend a\n bind :80\n use_backend b%[path]\nbackend a\n balance hdr(x)\n balance random(2)\n",
        "resolvers r\n nameserver n 127.0.0.1:53\nuserlist u\npeers p\nlisten l\n bind :80\n",
        ".if defined(NOTHING)\nbackend z\n server\n.endif\nlisten y\n bind :80\n",
    ] {
        let text = format!("{HEAD}{text}");
        assert!(is_taken(&text), "{text}");
        wrong(&text, &[]);
    }
}

/// Whatever becomes of a text, it is read, and every place is one.
#[test]
fn broken_configurations_are_read() {
    const BITS: [&str; 12] = ["\"", "'", "\\", "$", "${", "}", "é", "\n", " ", ":", "server", "[::"];
    let mut seed: u64 = 7;
    let mut random = |most: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(seed >> 33).unwrap_or_default() % most.max(1)
    };
    for _ in 0..3_000 {
        let mut text: Vec<char> = GATEWAYS.chars().collect();
        for _ in 0..=random(5) {
            let at = random(text.len());
            let end = (at + random(6)).min(text.len());
            text.splice(at..end, BITS[random(BITS.len())].chars());
        }
        of(&text.into_iter().collect::<String>());
    }
}

#[test]
fn a_brace_that_is_never_closed_is_no_template() {
    // Found by fuzzing.
    assert!(!telstack_tools::is_template("a.cfg", "global\n${\n"));
    assert!(telstack_tools::is_template("a.cfg", "a: b\n${MORE}\n{{ x }}: :\n- y\n"));
}
