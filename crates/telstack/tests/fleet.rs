//! A fleet is data: a row is a cluster, and what is changed in one concerns no other.

mod support;

#[path = "support/fleet.rs"]
mod fleet;

use std::{collections::BTreeMap, fs, path::Path};

use support::{files, root, stderr, stdout, telstack_in};

const EDGES: usize = 12;

fn built(folder: &Path) -> String {
    let run = telstack_in(folder, &["build", "s.stack.kdl", "-o", "out"]);
    assert_eq!(run.status.code(), Some(0), "{}", stderr(&run));
    stdout(&run)
}

fn fleet_in(folder: &Path) {
    let federated = fs::read_to_string(root().join("stacks/federated.stack.kdl")).expect("a stack");
    fs::write(folder.join("s.stack.kdl"), fleet::stack(&federated, "fleet.csv")).expect("written");
    fs::write(folder.join("fleet.csv"), fleet::table(EDGES)).expect("written");
}

#[test]
fn a_changed_row_changes_the_files_of_its_cluster_and_no_others() {
    let folder = tempfile::tempdir().expect("a folder");
    fleet_in(folder.path());
    built(folder.path());
    let table = fs::read_to_string(folder.path().join("fleet.csv")).expect("readable");
    fs::write(folder.path().join("fleet.csv"), table.replace("site-0003,edge", "site-0003,outpost")).expect("written");
    let said = built(folder.path());
    let touched: Vec<&str> = said.lines().filter(|it| it.starts_with("wrote") || it.starts_with("removed")).collect();
    assert!(!touched.is_empty(), "{said}");
    assert!(touched.iter().all(|it| it.contains("out/site-0003/")), "{touched:#?}");
    let config = fs::read_to_string(folder.path().join("out/site-0003/observability/agent.yaml")).expect("there");
    assert!(config.contains("value: outpost"), "{config}");
    assert!(built(folder.path()).lines().all(|it| !it.starts_with("wrote")), "nothing has changed since");
}

#[test]
fn a_row_more_is_a_folder_more_and_a_row_less_one_less() {
    let folder = tempfile::tempdir().expect("a folder");
    fleet_in(folder.path());
    built(folder.path());
    let before = files(&folder.path().join("out"));
    fs::write(folder.path().join("fleet.csv"), fleet::table(EDGES + 1)).expect("written");
    built(folder.path());
    let more = files(&folder.path().join("out"));
    assert!(more.iter().filter(|it| !before.contains(it)).all(|it| it.starts_with("site-0012/")));
    fs::write(folder.path().join("fleet.csv"), fleet::table(EDGES)).expect("written");
    built(folder.path());
    assert_eq!(files(&folder.path().join("out")), before);
}

#[test]
fn every_edge_is_as_large_as_the_next() {
    let folder = tempfile::tempdir().expect("a folder");
    fleet_in(folder.path());
    built(folder.path());
    let out = folder.path().join("out");
    let mut sizes: BTreeMap<String, u64> = BTreeMap::new();
    for file in files(&out) {
        if let Some((cluster, _)) = file.split_once('/').filter(|it| it.0.starts_with("site-")) {
            *sizes.entry(cluster.to_owned()).or_default() += fs::metadata(out.join(&file)).expect("there").len();
        }
    }
    let (least, most) = (sizes.values().min(), sizes.values().max());
    assert_eq!((sizes.len(), least), (EDGES, most), "{sizes:?}");
}
