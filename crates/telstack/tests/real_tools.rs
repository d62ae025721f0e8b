//! Real tools accept every golden. `scripts/tools.sh` installs them; a missing one fails here.

mod support;

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use support::{files_ending, root, stacks_with};

fn accepts(folder: &Path, program: &str, args: &[&str]) {
    let output = Command::new(program)
        .args(args)
        .current_dir(folder)
        // What the .env file of a deployment would hold.
        .envs(required(folder))
        .output()
        .unwrap_or_else(|error| panic!("{program} is needed ({error}): run scripts/tools.sh"));
    assert!(
        output.status.success(),
        "{program} {} in {}:\n{}{}",
        args.join(" "),
        folder.display(),
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
}

fn required(folder: &Path) -> Vec<(String, String)> {
    let text = std::fs::read_to_string(folder.join(".env.example")).unwrap_or_default();
    let names = text.lines().filter_map(|line| line.split_once('=')).filter(|(name, _)| !name.starts_with('#'));
    names.map(|(name, _)| (name.to_owned(), "test".to_owned())).collect()
}

fn goldens(with: &str) -> Vec<PathBuf> {
    stacks_with(with).iter().map(|stack| root().join("golden").join(stack)).collect()
}

const COMPOSE: &str = "docker-compose.yml";
const KUSTOMIZATION: &str = "kustomization.yaml";

#[test]
fn promtool_accepts_configurations_and_rules() {
    for folder in goldens(COMPOSE) {
        // promtool looks for rule files where Prometheus will: stage them under that path.
        let stage = tempfile::tempdir().expect("a folder");
        let text = std::fs::read_to_string(folder.join("configs/prometheus.yml")).expect("prometheus.yml");
        let rules = folder.join("configs/prometheus-rules/pipeline-health.yml");
        let staged = text.replace("/etc/prometheus/rules/pipeline-health.yml", rules.to_str().expect("UTF-8"));
        assert_ne!(text, staged, "the rule file is named");
        std::fs::write(stage.path().join("prometheus.yml"), staged).expect("writable");
        accepts(stage.path(), "promtool", &["check", "config", "prometheus.yml"]);
        accepts(&folder, "promtool", &["check", "rules", "configs/prometheus-rules/pipeline-health.yml"]);
    }
}

#[test]
fn amtool_accepts_alertmanager() {
    for folder in goldens(COMPOSE) {
        accepts(&folder, "amtool", &["check-config", "configs/alertmanager.yml"]);
    }
}

#[test]
fn docker_compose_accepts_the_project() {
    for folder in goldens(COMPOSE) {
        accepts(&folder, "docker-compose", &["-f", "docker-compose.yml", "config", "--quiet"]);
    }
}

#[test]
fn shellcheck_finds_nothing() {
    for folder in goldens(COMPOSE) {
        for file in files_ending(&folder, &["sh"]) {
            accepts(&folder, "shellcheck", &["--severity=style", &file]);
        }
    }
}

#[test]
fn yamllint_likes_the_style() {
    const RULES: &str = "{extends: default, rules: {line-length: disable, document-start: disable, comments-indentation: disable, truthy: {check-keys: false}}}";
    for folder in goldens(COMPOSE) {
        for file in files_ending(&folder, &["yaml", "yml"]) {
            accepts(&folder, "yamllint", &["--strict", "-d", RULES, &file]);
        }
    }
}

#[test]
fn dashboards_are_json_with_unique_panels() {
    for folder in goldens(COMPOSE) {
        let dashboards = files_ending(&folder.join("grafana"), &["json"]);
        assert!(!dashboards.is_empty());
        for file in dashboards {
            let text = std::fs::read_to_string(folder.join("grafana").join(&file)).expect("readable");
            let value: serde_json::Value = serde_json::from_str(&text).expect("JSON");
            let ids: Vec<_> =
                value["panels"].as_array().expect("panels").iter().map(|panel| panel["id"].as_i64()).collect();
            let unique: std::collections::BTreeSet<_> = ids.iter().collect();
            assert_eq!(ids.len(), unique.len(), "{file}");
        }
    }
}

/// The oldest and newest release of Kubernetes that manifests are for, and some between.
const KUBERNETES: [&str; 4] = ["1.28", "1.31", "1.34", "1.37"];

#[test]
fn kubernetes_accepts_the_manifests() {
    for folder in goldens(KUSTOMIZATION) {
        let mut files = files_ending(&folder, &["yaml"]);
        // Kustomize's own file is no object of the cluster.
        files.retain(|it| !it.ends_with(KUSTOMIZATION));
        // What machines outside read is none either.
        files.retain(|it| !it.starts_with("hosts/"));
        for version in KUBERNETES {
            let mut args = vec!["--strict", "--quiet", "--kubernetes-version", version];
            args.extend(files.iter().map(String::as_str));
            accepts(&folder, "kubernetes-validate", &args);
        }
    }
}

#[test]
fn kustomize_builds_the_manifests() {
    for folder in goldens(KUSTOMIZATION) {
        accepts(&folder, "kubectl", &["kustomize", "."]);
    }
}
