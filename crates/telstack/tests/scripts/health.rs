//! `health-check.sh`.

use std::fs;

use serde_json::Value;

use super::{
    KEEPERS, World,
    support::{stderr, stdout},
};

fn health(world: &World, env: &[(&str, &str)]) -> (i32, Value) {
    let output = world.run("health-check.sh", &["--json"], env);
    let answer = serde_json::from_str(&stdout(&output))
        .unwrap_or_else(|error| panic!("{error}: {}{}", stdout(&output), stderr(&output)));
    (output.status.code().expect("a code"), answer)
}

fn failing(answer: &Value) -> Vec<String> {
    let checks = answer["checks"].as_array().expect("checks");
    let failed = checks.iter().filter(|check| check["status"] != "ok");
    failed.map(|check| format!("{} {}", check["check"], check["name"]).replace('"', "")).collect()
}

#[test]
fn a_stack_that_is_well() {
    let world = World::new();
    let (code, answer) = health(&world, &[]);
    assert_eq!((code, &answer["status"]), (0, &Value::from("ok")), "{answer:#}");
    assert_eq!(answer["stack"], "single-node");
    let names: Vec<&str> =
        answer["checks"].as_array().expect("checks").iter().filter_map(|check| check["name"].as_str()).collect();
    for node in KEEPERS {
        assert!(names.contains(&node), "{node} is checked");
    }
    let text = stdout(&world.run("health-check.sh", &[], &[]));
    assert!(text.ends_with("all is well\n") && text.contains("scrapes jaeger loki"), "{text}");
}

#[test]
fn what_is_not_well_is_named() {
    let world = World::new();
    fs::write(world.path("down/loki"), "").expect("writable");
    world.answer("down", r#"{"data":{"result":[{"metric":{"job":"loki"}}]}}"#);
    world.answer("alerts", r#"{"data":{"result":[{"metric":{"alertname":"CollectorSendFailing"}}]}}"#);
    let (code, answer) = health(&world, &[]);
    assert_eq!(code, 1);
    assert_eq!(failing(&answer), ["pipeline prometheus", "pipeline prometheus", "container loki"]);
    let (code, answer) = health(&world, &[("CODE", "503"), ("PORTS", "1"), ("HEALTH", "unhealthy")]);
    assert_eq!(code, 1);
    let failing = failing(&answer).join("\n");
    for check in ["http grafana", "http otel-collector", "port otel-collector", "container jaeger"] {
        assert!(failing.contains(check), "{check}: {failing}");
    }
}

#[test]
fn a_check_that_cannot_run_says_so() {
    let world = World::new();
    assert_eq!(world.run("health-check.sh", &["--jsno"], &[]).status.code(), Some(2));
    world.program("docker", "#!/bin/sh\nexit 1\n");
    let output = world.run("health-check.sh", &[], &[]);
    assert_eq!(output.status.code(), Some(2));
    assert!(!stderr(&output).is_empty());
}

/// Everything telstack knows, at these releases.
fn everything(versions: &str) -> String {
    format!(
        r#"stack "all" {{
            platform "compose"
            versions {{ {versions} }}
            collector "c" {{
                receiver "otlp"
                exporter "prometheus" {{ endpoint "0.0.0.0:8889" }}
                pipeline "traces" {{ from "otlp"; to "jaeger" "tempo" }}
                pipeline "metrics" {{ from "otlp"; to "prometheus" "metrics-store" }}
                pipeline "logs" {{ from "otlp"; to "loki" }}
            }}
            prometheus "metrics-store"; loki; jaeger; tempo; alertmanager; grafana
        }}"#
    )
}

#[test]
fn every_address_answers_who_asks_nothing_in_particular() {
    let folder = tempfile::tempdir().expect("a folder");
    let old = "otelcol \"0.91.0\"; loki \"2.9.3\"; tempo \"2.4.2\"; jaeger \"1.53.0\"; prometheus \"2.48.1\"";
    let mut stacks = vec!["stacks/single-node.stack.kdl".to_owned(), "stacks/single-node-2024.stack.kdl".to_owned()];
    for (name, versions) in [("new", "otelcol \"0.158.0\""), ("old", old)] {
        let path = folder.path().join(format!("{name}.stack.kdl"));
        fs::write(&path, everything(versions)).expect("writable");
        stacks.push(path.to_str().expect("UTF-8").to_owned());
    }
    for stack in stacks {
        let world = World::of(&stack);
        let (code, answer) = health(&world, &[]);
        assert_eq!((code, failing(&answer)), (0, Vec::new()), "{stack}: {answer:#}");
        let asked = answer["checks"].as_array().expect("checks").iter().filter(|check| check["check"] == "http");
        assert!(asked.count() >= 6, "{stack}");
    }
}

#[test]
fn compose_that_cannot_be_asked_is_named() {
    let world = World::new();
    fs::write(world.path("unreadable"), "required variable \"X\" is\nmissing a value\n").expect("writable");
    let (code, answer) = health(&world, &[]);
    assert_eq!((code, &answer["status"]), (1, &Value::from("failed")));
    let first = &answer["checks"][0];
    assert_eq!((&first["check"], &first["status"]), (&Value::from("compose"), &Value::from("failed")));
    let detail = first["detail"].as_str().expect("words");
    assert!(detail.contains("required variable \"X\" is missing a value"), "{detail}");
    let text = stdout(&world.run("health-check.sh", &[], &[]));
    assert!(text.contains("required variable \"X\" is missing a value\n"), "{text}");
    // Nobody knows whether they run: starting them is no advice.
    assert!(text.contains("not known whether it runs") && !text.contains("up -d"), "{text}");
    assert!(text.contains("/-/ready answers 200"), "what can be asked is asked: {text}");
}
