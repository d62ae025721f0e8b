//! Environments, clusters, templates and fleets.

use telstack_catalog::Signal;
use telstack_diagnostics::{Diagnostics, SourceMap};
use telstack_system::{ExposureTls, Purpose, System};

use super::{Folder, Outcome};
use crate::read;

const COLLECTOR: &str = "collector \"agent\" { receiver \"otlp\"; exporter \"debug\"; pipeline \"traces\" { from \"otlp\"; to \"debug\" } }";

/// What each part of a stack on Kubernetes becomes.
fn all_in(folder: &Folder, lines: &str) -> (Vec<System>, Outcome) {
    let mut sources = SourceMap::default();
    let text = format!("stack \"s\" {{\n platform \"kubernetes\"\n{lines}\n}}\n");
    let file = sources.add("s.stack.kdl", text);
    let mut out = Diagnostics::default();
    let description = read(file, &mut sources, folder, &mut out).expect("a stack");
    let systems = (0..description.len()).map(|at| description.lower(at, &mut out)).collect();
    (systems, Outcome { system: None, findings: out.sorted(&sources), sources })
}

fn all(lines: &str) -> (Vec<System>, Outcome) {
    all_in(&Folder::default(), lines)
}

#[track_caller]
fn sound(lines: &str) -> Vec<System> {
    let (systems, outcome) = all(lines);
    assert_eq!(outcome.marks(), [], "{:#?}", outcome.findings);
    systems
}

fn places(systems: &[System]) -> Vec<String> {
    systems.iter().map(|it| it.place().unwrap_or_default()).collect()
}

/// Namespace and name of each node that runs in the cluster.
fn nodes(system: &System) -> Vec<String> {
    let namespace =
        |node: &telstack_system::Node| node.placement.namespace.as_ref().map_or("", |it| &it.value).to_owned();
    let ours = system.nodes().filter(|(_, node)| node.external().is_none());
    ours.map(|(_, node)| format!("{}/{}", namespace(node), node.name)).collect()
}

#[test]
fn templates_are_put_in_with_their_parameters_and_what_the_cluster_says() {
    let systems = sound(
        r#"template "observed" interval="30s" {
             namespace "watch"
             collector "agent" {
               receiver "kubelet_stats" { collection_interval (param)"interval" }
               processor "resource" { attributes { - key="role" value=(cluster)"role" action="upsert" } }
               exporter "debug"
               pipeline "metrics" { from "kubelet_stats"; to "debug" }
             }
           }
           cluster "a" role="hub" { use "observed"; namespace "stores" { loki } }
           cluster "b" role="edge" { use "observed" interval="10s"; namespace "elsewhere" { tempo "t" } }"#,
    );
    assert_eq!(places(&systems), ["a", "b"]);
    assert_eq!(nodes(&systems[0]), ["watch/agent", "stores/loki"]);
    assert_eq!(nodes(&systems[1]), ["watch/agent", "elsewhere/t"]);
    let setting = |system: &System, id: &str, path: &str| {
        let (_, _, collector) = system.collectors().next().expect("a collector");
        let component = collector.components.iter().find(|it| it.id.to_string() == id).expect("declared");
        component.setting(path).and_then(|it| it.as_str().map(str::to_owned))
    };
    let interval = |at: usize| setting(&systems[at], "kubelet_stats", "collection_interval");
    assert_eq!([interval(0), interval(1)], [Some("30s".to_owned()), Some("10s".to_owned())]);
}

#[test]
fn what_a_cluster_says_lies_over_its_templates() {
    let systems = sound(&format!(
        "template \"t\" {{ namespace \"n\" {{ {COLLECTOR} }} }}
         cluster \"a\" {{ use \"t\" }}
         cluster \"b\" {{ use \"t\"; collector \"agent\" replicas=3 {{ exporter \"nop\"; pipeline \"traces\" {{ to \"nop\" }} }} }}"
    ));
    let exporters = |system: &System| {
        let (_, node, collector) = system.collectors().next().expect("a collector");
        let ids: Vec<String> = collector.pipelines[0].exporters.iter().map(|it| it.id.to_string()).collect();
        (ids.join(" "), node.placement.replicas.as_ref().map(|it| it.value))
    };
    assert_eq!(exporters(&systems[0]), ("debug".to_owned(), None));
    assert_eq!(exporters(&systems[1]), ("debug nop".to_owned(), Some(3)));
    assert_eq!(nodes(&systems[1]), ["n/agent"]);
}

#[test]
fn environments_lie_over_what_is_the_same_in_all() {
    let systems = sound(&format!(
        "namespace \"n\" {{ {COLLECTOR} }}
         env \"local\" {{ }}
         env \"prod\" {{ collector \"agent\" replicas=2; loki }}"
    ));
    assert_eq!(places(&systems), ["local", "prod"]);
    assert_eq!(nodes(&systems[0]), ["n/agent"]);
    assert_eq!(nodes(&systems[1]), ["n/agent", "s/loki"]);
    let systems = sound(&format!(
        "env \"dev\" {{ }}\n env \"prod\" {{ cluster \"b\" {{ {COLLECTOR} }} }}\n cluster \"a\" {{ {COLLECTOR} }}"
    ));
    assert_eq!(places(&systems), ["dev/a", "prod/a", "prod/b"]);
}

#[test]
fn other_clusters_are_reached_where_they_are_exposed() {
    let gateway = |expose: &str| {
        format!(
            "cluster \"hub\" {{ namespace \"in\" {{ collector \"gateway\" {{ {expose}; receiver \"otlp\"; exporter \"debug\"
             pipeline \"traces\" {{ from \"otlp\"; to \"debug\" }} }}
             collector \"near\" {{ receiver \"otlp\"; pipeline \"traces\" {{ from \"otlp\"; to \"hub/gateway\" }} }} }} }}
             cluster \"edge\" {{ collector \"far\" {{ receiver \"otlp\"; pipeline \"traces\" {{ from \"otlp\"; to \"hub/gateway\" }} }} }}"
        )
    };
    let systems = sound(&gateway("expose \"load-balancer\" host=\"otlp.example.com\" tls=\"mutual\""));
    let target = |system: &System, name: &str| {
        let from = system.find(name).expect("there");
        let (_, to) = system.outgoing(from, Purpose::Telemetry)[0];
        (system.node(to).name.clone(), system.node(to).external().cloned())
    };
    let (near, inside) = target(&systems[0], "near");
    assert_eq!((near.as_str(), inside.is_none()), ("gateway", true));
    let (far, outside) = target(&systems[1], "far");
    let external = outside.expect("outside");
    let signals: Vec<_> = external.endpoints[0].signals.iter().collect();
    assert_eq!(signals, [Signal::Traces], "those of the pipelines that take OTLP");
    let remote = external.exposed.expect("exposed");
    assert_eq!((far.as_str(), external.endpoints[0].endpoint.value.as_str()), ("hub/gateway", "otlp.example.com:4317"));
    assert_eq!((remote.namespace.as_str(), remote.exposure.encryption()), ("in", ExposureTls::Mutual));

    let marks =
        |text: &str| all(text).1.marks().into_iter().map(|(code, at)| format!("{code} {at}")).collect::<Vec<_>>();
    assert_eq!(marks(&gateway("resources cpu=1")), ["Z006 \"hub/gateway\""]);
    let at = |host: &str| gateway(&format!("expose \"load-balancer\" host={host}"));
    for host in [
        "\"https://otlp.example.com\"",
        "\"otlp.example.com:4317\"",
        "\"203.0.113.7\"",
        "\"2001:db8::1\"",
        "\"a_b.com\"",
    ] {
        assert_eq!(marks(&at(host)), [format!("Z004 {host}")]);
    }
    // In plain text nobody is made a certificate out to.
    for host in ["\"203.0.113.7\" tls=\"off\"", "\"Otlp.example.com\"", "\"hub\""] {
        assert_eq!(marks(&at(host)), [""; 0]);
    }
    // What is wrong with the line is told there, and not at those who send to it.
    assert_eq!(marks(&gateway("expose \"load-balancer\"")), ["Z003 expose \"load-balancer\""]);
    let open = gateway("expose \"load-balancer\" host=\"otlp.example.com\"");
    assert_eq!(
        marks(&open.replace(
            "\"far\" { receiver \"otlp\"; pipeline \"traces\" { from \"otlp\"; to \"hub/gateway\"",
            "\"far\" { receiver \"otlp\"; pipeline \"traces\" { from \"otlp\"; to \"hubb/gateway\""
        )),
        ["Z006 \"hubb/gateway\""]
    );
    assert_eq!(
        marks(&open.replace(
            "\"far\" { receiver \"otlp\"; pipeline \"traces\" { from \"otlp\"; to \"hub/gateway\"",
            "\"far\" { receiver \"otlp\"; pipeline \"traces\" { from \"otlp\"; to \"hub/gatewy\""
        )),
        ["Z006 \"hub/gatewy\""]
    );
    assert_eq!(
        marks(&open.replace(
            "\"near\" {",
            "\"near\" { expose \"load-balancer\" host=\"h.example.com\" tls=\"off\" issuer=\"x\";"
        )),
        ["Z004 \"x\""]
    );
}

#[test]
fn a_fleet_is_a_table() {
    let stack = format!("clusters from=\"fleet.csv\" {{ {COLLECTOR} }}");
    let with = |table: &'static str| {
        let (systems, outcome) = all_in(&Folder([("fleet.csv", table)].into()), &stack);
        let marks: Vec<String> = outcome.marks().into_iter().map(|(code, at)| format!("{code} {at}")).collect();
        (places(&systems), marks)
    };
    let none = Vec::<String>::new();
    assert_eq!(
        with("name,zone\n# of last year\neu-1,01\n\"eu-2\",\"a, b\"\n"),
        (vec!["eu-1".to_owned(), "eu-2".to_owned()], none)
    );
    assert_eq!(with("nam,zone\neu-1,1\n").1, ["Z003 nam,zone"]);
    assert_eq!(with("name,zone\nEU 1,1\n").1, ["Z004 EU 1"]);
    assert_eq!(with("name,zone\neu-1,1\neu-1,2\n").1, ["Z005 eu-1"]);
    assert_eq!(with("name,zone\neu-1\n").1, ["Z001 eu-1"]);
    assert_eq!(with("name,zone,zone\neu-1,1,2\n").1, ["Z005 name,zone,zone"]);
    assert_eq!(with("name,zone\n").1, ["Z003 name,zone"]);
    assert_eq!(with("name,zone\neu-1,\"a\neu-2,b\n").1, ["Z001 eu-1,\"a"]);
    // Lines and quotes within quotes, and a quote in the middle of a value, are values.
    let clusters = |table| with(table).0.join(" ");
    assert_eq!(clusters("\u{feff}name,zone\r\neu-1,\"a\nb\"\r\neu-2,\"say \"\"b\"\"\"\r\n"), "eu-1 eu-2");
    assert_eq!(clusters("name,zone\neu-1,5\" disks\neu-2,b\n# \"of last year\n"), "eu-1 eu-2");
    assert_eq!(all(&stack).1.marks(), [("Z007", "\"fleet.csv\"")]);
}

#[test]
fn mistakes_are_found_once_and_where_they_are() {
    let marks =
        |text: &str| all(text).1.marks().into_iter().map(|(code, at)| format!("{code} {at}")).collect::<Vec<_>>();
    let template = "template \"t\" keep=\"30d\" { loki { retention (param)\"keep\" } }";
    assert_eq!(marks(&format!("{template}\n cluster \"a\" {{ use \"u\" }}")), ["Z006 \"u\""]);
    assert_eq!(marks(&format!("{template}\n cluster \"a\" {{ use \"t\" kep=\"1d\" }}")), ["Z006 kep"]);
    assert_eq!(marks(&format!("{template}\n cluster \"a\" {{ use \"t\" keep=30 }}")), ["Z004 30"]);
    assert_eq!(marks("cluster \"a\" { loki { retention (cluster)\"keep\" } }"), ["Z006 (cluster)\"keep\""]);
    assert_eq!(marks("loki { retention (cluster)\"keep\" }"), ["Z006 (cluster)\"keep\""]);
    assert_eq!(marks("loki { retention (param)\"keep\" }"), ["Z004 (param)\"keep\""]);
    assert_eq!(
        marks(&format!("{template}\n cluster \"a\" {{ tempo {{ retention (param)\"keep\" }} }}")),
        ["Z004 (param)\"keep\""]
    );
    assert_eq!(
        marks(&format!("{template}\n cluster \"a\" {{ use \"t\"; use \"t\" keep=\"1d\" }}")),
        ["Z005 use \"t\" keep=\"1d\""]
    );
    assert_eq!(marks(&format!("{template}\n cluster \"a\" {{ use \"t\" }}\n cluster \"b\" {{ use \"t\" }}")), [""; 0]);
    assert_eq!(marks("template \"t\" { use \"t\" }\n cluster \"a\" { use \"t\" }"), ["Z004 \"t\""]);
    assert_eq!(marks("loki\n cluster \"a\" { tempo }"), ["Z010 loki"]);
    assert_eq!(marks("cluster \"a\" { loki }\n cluster \"a\" { tempo }"), ["Z005 \"a\""]);
    assert_eq!(marks("env \"a\" { loki }\n env \"a\" { tempo }"), ["Z005 \"a\""]);
    assert_eq!(marks("cluster \"a\" { loki; loki }"), ["Z005 loki"]);
    assert_eq!(marks("cluster \"a\" { collector \"c\" { receiver \"otlp\" } }"), ["Z003 collector \"c\""]);
}
