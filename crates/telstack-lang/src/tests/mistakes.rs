//! Texts with mistakes: each is found, at its place, and once.

use telstack_diagnostics::Severity;

use super::{Folder, collector, run, run_in, stack};
use crate::{RULES, grammar};

#[test]
fn every_rule_finds_its_bad_example_and_not_its_good_one() {
    let folder = Folder([("stores.kdl", "loki\n")].into());
    for rule in RULES {
        let bad = run_in(&folder, rule.bad);
        assert!(bad.findings.iter().all(|it| it.rule == *rule), "{}: {:#?}", rule.code, bad.findings);
        assert_eq!(bad.findings.len(), 1, "{}: {:#?}", rule.code, bad.findings);
        let good = run_in(&folder, rule.good);
        assert!(good.findings.is_empty(), "{}: {:#?}", rule.code, good.findings);
    }
}

#[test]
fn findings_are_written_as_the_house_writes_them() {
    let texts = [
        "stack \"Shop_1\" { platform \"kubernetes\"; colector \"c\"; cluster \"x\"; loki { size \"1GB\" } }",
        "stack \"s\" { platform \"compose\"; loki { retention 5; retention \"0d\"; tls \"on\" cert=\"\"; tenant \"\" } }",
        "stack \"s\" { versions { otelcol \"latest\"; loki 3.7; tempo \"9.9.9\"; kafka \"1\" } }",
        "stack \"s\" { platform \"compose\"; collector { pipeline \"trace\" {} } ; grafana { reads \"x\" } }",
    ];
    for text in texts {
        for finding in run(text).findings {
            let message = &finding.message;
            assert!(!message.ends_with('.') && !message.starts_with(char::is_uppercase), "{message}");
            assert!(finding.primary.is_some(), "{message}");
            assert!(!finding.help.is_empty() || !finding.notes.is_empty() || !finding.labels.is_empty(), "{message}");
        }
    }
}

#[test]
fn words() {
    let outcome = stack(
        r#"
        colector "c" {}
        from "otlp"
        queue "kafka" {}
        prometheus { tenant "acme"; retention "30d" sise="1GB" }
        loki { resources cpus=2 }"#,
    );
    let marks = outcome.marks();
    assert_eq!(
        marks,
        [
            ("Z002", "colector"),
            ("Z002", "from"),
            ("Z008", "queue"),
            ("Z002", "tenant"),
            ("Z002", "sise"),
            ("Z002", "cpus")
        ]
    );
    let help: Vec<&str> = outcome.findings.iter().filter_map(|it| it.help.first()).map(String::as_str).collect();
    assert_eq!(help[0], "did you mean `collector`?");
    assert_eq!(help[1], "`from` stands in `pipeline`");
    assert_eq!(help[3], "`tenant` stands in `loki` or `tempo`");
    assert!(outcome.findings[0].fix.is_some());
}

#[test]
fn values() {
    let outcome = stack(
        r#"
        prometheus "My_Store" { retention 30; size "40Gi"; scrape_interval "fast" }
        loki { tls cert="" key=(env)"K" ca="./ca.pem"; tenant (env)"T"; retention "30d" "40d" }
        grafana { admin_password 5 }
        alertmanager { webhook "pager:8080" }
        external "x" { splunk_hec endpoint="https://s:8088" token=(secret)"token" }"#,
    );
    assert_eq!(
        outcome.marks(),
        [
            ("Z004", "\"My_Store\""),
            ("Z004", "30"),
            ("Z004", "\"40Gi\""),
            ("Z004", "\"fast\""),
            ("Z004", "\"\""),
            ("Z004", "(env)\"K\""),
            ("Z004", "(env)\"T\""),
            ("Z004", "\"40d\""),
            ("Z004", "5"),
            ("Z004", "\"pager:8080\""),
            ("Z004", "(secret)\"token\""),
        ]
    );
    assert!(outcome.findings[0].help[0].contains("`\"my-store\"`"), "{:?}", outcome.findings[0].help);
    assert_eq!(outcome.findings[2].help[0], "write `\"40GiB\"`");
}

#[test]
fn releases() {
    let outcome = run(r#"stack "s" {
        platform "compose"
        versions { otelcol "0.158.7"; loki "9.1.0"; tempo "latest"; alloy "1.0.0" }
        collector "c" version="0.1" distribution="contrb" {
            receiver "otlp"; exporter "debug"; pipeline "logs" { from "otlp"; to "debug" }
        }
    }"#);
    assert_eq!(
        outcome.marks(),
        [
            ("Z009", "\"0.158.7\""),
            ("Z009", "\"9.1.0\""),
            ("Z004", "\"latest\""),
            ("Z008", "alloy"),
            ("Z009", "\"0.1\""),
            ("Z004", "\"contrb\"")
        ]
    );
}

#[test]
fn releases_of_stores() {
    let outcome = run(r#"stack "s" {
        platform "compose"
        versions { loki "3.6.99"; tempo "2.11.0"; prometheus "3.14.0"; grafana "11.9.0"; alertmanager "0.28.1"; jaeger "1.58.2" }
        loki
    }"#);
    assert_eq!(
        outcome.marks(),
        [("Z009", "\"3.6.99\""), ("Z009", "\"2.11.0\""), ("Z009", "\"11.9.0\""), ("Z009", "\"1.58.2\"")]
    );
    let severities: Vec<Severity> = outcome.findings.iter().map(|it| it.severity).collect();
    assert_eq!(severities, [Severity::Warning, Severity::Error, Severity::Error, Severity::Warning]);
    assert_eq!(outcome.findings[0].help, ["the newest that is known is `\"3.6.15\"`"]);
    assert_eq!(outcome.findings[1].help[0], "the nearest release is `\"2.10.8\"`");
    assert_eq!(outcome.findings[2].help[0], "the nearest release is `\"11.6.0\"`");
}

#[test]
fn ends_of_pipelines() {
    let outcome = stack(
        r#"
        collector "other" { receiver "otlp"; exporter "debug"; pipeline "logs" { from "otlp"; to "debug" } }
        collector "c" {
            receiver "otlp"
            processor "batch"
            pipeline "logs" { from "otpl" "batch" "kafka"; through "memory_limiter" "batch"; to "lokki" "c" "graf" "tempo" "debug" }
            pipeline "logs" { from "otlp"; to "loki" "loki" }
            pipeline "spans" { from "otlp"; to "loki" }
        }
        grafana "graf"
        loki"#,
    );
    assert_eq!(
        outcome.marks(),
        [
            ("Z006", "\"otpl\""),
            ("Z010", "\"batch\""),
            ("Z006", "\"kafka\""),
            ("Z006", "\"memory_limiter\""),
            ("Z006", "\"lokki\""),
            ("Z010", "\"c\""),
            ("Z010", "\"graf\""),
            ("Z006", "\"tempo\""),
            ("Z006", "\"debug\""),
            ("Z005", "\"logs\""),
            ("Z005", "\"loki\""),
            ("Z004", "\"spans\""),
        ]
    );
    let help = |at: usize| outcome.findings[at].help.first().map(String::as_str);
    assert_eq!(help(0), Some("did you mean `otlp`?"));
    assert_eq!(help(2), Some("declare it: `receiver \"kafka\"`"));
    assert_eq!(help(4), Some("did you mean `loki`?"));
    assert_eq!(help(7), Some("declare the store: a line `tempo` in the stack"));
    assert_eq!(help(8), Some("declare it: `exporter \"debug\"`"));
    // What could be understood is in the System all the same.
    assert_eq!(outcome.system.expect("a System").nodes().count(), 4);
}

#[test]
fn settings() {
    let outcome = collector(
        r#"
        processor "batch" { timeout "1s"; timeout "2s" }
        processor "batch" {}
        processor "resource" { attributes { - key="a"; b 1 } }
        processor "filter" { traces "x" { span "y" } ; - "z" }
        exporter "otlphttp" { headers { a (secrt)"x/y"; b (secret)"x"; c (env)"A B"; d (env)"X_Y"; e (secret)"x/y" } }
        receiver "filelog" preset="pod-logs""#,
    );
    assert_eq!(
        outcome.marks(),
        [
            ("Z005", "timeout"),
            ("Z005", "processor \"batch\""),
            ("Z004", "b"),
            ("Z004", "\"x\""),
            ("Z004", "- \"z\""),
            ("Z004", "secrt"),
            ("Z004", "(secret)\"x\""),
            ("Z004", "(env)\"A B\""),
            ("Z005", "(secret)\"x/y\""),
            ("Z004", "\"pod-logs\""),
        ]
    );
}

#[test]
fn two_ways_to_one_node() {
    let outcome = stack(
        r#"
        collector "c" {
            receiver "otlp"; exporter "debug"
            pipeline "logs" { from "otlp"; to "loki" protocol="otlp" }
            pipeline "logs/b" { from "otlp"; to "loki" protocol="loki"; to "debug" tenant="x" }
            pipeline "metrics" { from "otlp"; to "prometheus" tenant="acme" }
        }
        loki
        prometheus"#,
    );
    assert_eq!(outcome.marks(), [("Z004", "\"loki\""), ("Z004", "tenant"), ("Z004", "tenant")]);
    assert!(outcome.findings[2].message.ends_with("Prometheus does not tell tenants apart"));
}

#[test]
fn names_and_constants() {
    let outcome = run(r#"
        let a "1d"
        let a "2d"
        let b (let)"c"
        let c (let)"b"
        let d
        stack "s" {
            platform "compose"
            loki { retention (let)"b" }
            tempo { retention (let)"zzzz" }
            prometheus { retention (let)"d" }
            grafana "loki"
        }
        stack "t" { platform "compose" }
        loki"#);
    assert_eq!(
        outcome.marks(),
        [
            ("Z005", "a"),
            ("Z004", "let d"),
            ("Z004", "(let)\"b\""),
            ("Z006", "(let)\"zzzz\""),
            ("Z005", "grafana \"loki\""),
            ("Z005", "stack \"t\""),
            ("Z002", "loki"),
        ]
    );
}

#[test]
fn includes() {
    let folder = Folder(
        [("a.kdl", "include \"b.kdl\"\n"), ("b.kdl", "loki\ninclude \"a.kdl\"\nstack \"x\"\n"), ("c.kdl", "loki {\n")]
            .into(),
    );
    let text = "stack \"s\" {\n platform \"compose\"\n include \"a.kdl\"\n include \"a.kdl\"\n include 5\n}\n";
    let outcome = run_in(&folder, text);
    let marks = outcome.marks();
    assert_eq!(marks, [("Z007", "\"a.kdl\""), ("Z002", "stack"), ("Z005", "\"a.kdl\""), ("Z004", "include 5")]);
    assert_eq!(outcome.findings[0].notes, ["the chain: a.kdl → b.kdl → a.kdl"]);

    // Names that the broken file may declare are not reported.
    let text = "stack \"s\" {\n platform \"compose\"\n include \"c.kdl\"\n grafana { reads \"loki\" }\n}\n";
    let outcome = run_in(&folder, text);
    assert!(outcome.findings.iter().all(|it| it.rule.code == "Z001"), "{:#?}", outcome.findings);
    assert!(!outcome.findings.is_empty());
}

#[test]
fn a_yaml_habit_is_one_finding() {
    let outcome = run("stack \"s\" {\n platform: \"compose\"\n loki { retention: \"30d\" }\n}\n");
    assert_eq!(outcome.marks(), [("Z001", "platform:"), ("Z001", "retention:")]);
}

#[test]
fn no_stack_at_all() {
    for text in ["", "loki \"loki\"\n", "let a 1\n", "\"x\n", "}\n"] {
        let outcome = run(text);
        assert!(outcome.system.is_none(), "{text}");
        assert!(!outcome.findings.is_empty(), "{text}");
    }
}

#[test]
fn nothing_makes_it_panic() {
    let text = RULES.iter().map(|rule| rule.good).collect::<String>();
    for end in (0..text.len()).filter(|end| text.is_char_boundary(*end)) {
        let _ = run(&text[..end]);
    }
    let words =
        ["stack", "let", "include", "pipeline", "from", "-", "(let)\"x\"", "\"\"", "#null", "a=1", "{", "}", ";"];
    for a in words {
        for b in words {
            for c in words {
                let _ = run(&format!("stack \"s\" {{ collector \"c\" {{ {a} {b} {c} }} }}"));
                let _ = run(&format!("{a} {b} {c}"));
            }
        }
    }
}

#[test]
fn the_reference_names_every_word_and_its_examples_compile() {
    let docs = include_str!("../../../../docs/language.md");
    let folder = Folder([("stores.kdl", "loki\n")].into());
    let mut examples = 0;
    for block in docs.split("```kdl\n").skip(1) {
        let text = block.split("```").next().unwrap_or_default();
        if text.starts_with("stack ") || text.starts_with("let ") {
            let outcome = run_in(&folder, text);
            assert_eq!(outcome.marks(), [], "{text}\n{:#?}", outcome.findings);
            examples += 1;
        }
    }
    assert!(examples > 2, "only {examples} examples");
    let mut forms = vec![&grammar::FILE];
    while let Some(form) = forms.pop() {
        forms.extend(form.words());
        let mut words = vec![form.word];
        if let grammar::Props::Only(props) = form.props {
            words.extend(props.iter().map(|it| it.0));
        }
        for word in words {
            assert!(docs.contains(word), "docs/language.md does not mention `{word}`");
        }
    }
}

#[test]
fn words_of_kubernetes_on_compose() {
    let outcome = run(r#"stack "s" {
        platform "compose" { namespace "n"; storage-class "ssd"; network-policies }
        collector "c" tolerations="all" {
            receiver "otlp"; exporter "debug"; pipeline "logs" { from "otlp"; to "debug" }
            durable size="5GiB"
        }
        loki { volume size="50GiB" storage-class="ssd" }
    }"#);
    let places = ["\"n\"", "\"ssd\"", "network-policies", "\"all\"", "\"5GiB\"", "\"50GiB\"", "\"ssd\""];
    let marks = outcome.marks();
    assert_eq!(marks.len(), places.len(), "{marks:?}");
    for ((code, mark), place) in marks.iter().zip(places) {
        assert!(*code == "Z004" && mark.starts_with(place), "{mark}: {place}");
    }
}

#[test]
fn volumes_of_agents() {
    let stack = |mode: &str| {
        run(&format!(
            "stack \"s\" {{ platform \"kubernetes\"; loki\ncollector \"c\" mode=\"{mode}\" {{ resources memory=\"512MiB\"; \
             receiver \"otlp\"; pipeline \"logs\" {{ from \"otlp\"; to \"loki\" }}; durable size=\"5GiB\" }} }}"
        ))
    };
    assert_eq!(stack("daemonset").marks(), [("Z004", "\"5GiB\"")]);
    assert_eq!(stack("statefulset").marks(), []);
}

#[test]
fn objects_of_a_cluster_have_names_of_their_kind() {
    let marks = |platform: &str, lines: &str| -> Vec<String> {
        let text = format!("stack \"s\" {{\n platform {platform}\n{lines}\n}}\n");
        run(&text).marks().into_iter().map(|(code, at)| format!("{code} {at}")).collect()
    };
    let none = [""; 0];
    let grafana = "grafana { admin_password (secret)\"Grafana_Admin/password\" }";
    assert_eq!(marks("\"kubernetes\"", grafana), ["Z004 (secret)\"Grafana_Admin/password\""]);
    // In compose it becomes a variable.
    assert_eq!(marks("\"compose\"", grafana), none);
    assert_eq!(marks("\"kubernetes\" { storage-class \"Fast SSD\" }", "loki"), ["Z004 \"Fast SSD\""]);
    assert_eq!(marks("\"kubernetes\"", "loki { volume size=\"1GiB\" storage-class=\"ssd_1\" }"), ["Z004 \"ssd_1\""]);
    assert_eq!(marks("\"kubernetes\" { storage-class \"linode-block-storage.retain\" }", "loki"), none);
}

#[test]
fn ranges_go_upwards() {
    let help = |line: &str| {
        let text = format!("stack \"s\" {{\n platform \"kubernetes\"\n loki {{ resources {line} }}\n}}\n");
        run(&text).findings.iter().flat_map(|it| it.help.clone()).collect::<Vec<String>>()
    };
    assert_eq!(help("cpu=\"2..1\""), ["write the least first: `\"1..2\"`"]);
    assert_eq!(help("memory=\"2GiB..1GiB\""), ["write the least first: `\"1GiB..2GiB\"`"]);
    assert_eq!(help("cpu=\"2..x\""), ["write cores or thousandths of one: `2`, `0.5`, `\"500m\"`"]);
}
