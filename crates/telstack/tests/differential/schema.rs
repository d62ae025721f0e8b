//! The JSON Schema of a collector's configuration, on the same cases: it refuses nothing that telstack takes.

use std::{fs, process::Command};

use telstack_workspace::{Assumed, Described, schema};

use crate::{RELEASE, single_cases, support::json_of_yaml, telstack};

#[test]
fn the_schema_refuses_nothing_that_is_right() {
    let described = Described::Collector(Assumed::new(Some(RELEASE), Some("contrib")).expect("a release"));
    let text = schema(described);
    let validator = jsonschema::validator_for(&serde_json::from_str(&text).expect("JSON")).expect("a schema");
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("schema.json"), text).expect("writable");
    let mut args = vec!["--schemafile".to_owned(), "schema.json".to_owned()];
    let (mut wrong, mut taken, mut mistakes, mut found) = (String::new(), 0, 0, 0);
    for (at, case) in single_cases().iter().enumerate() {
        let ours = telstack(&case.texts());
        // What a key means that stands for several no schema can say.
        if case.text.contains("::") {
            continue;
        }
        let Some(value) = json_of_yaml(&case.text) else { continue };
        let said = validator.iter_errors(&value).next().map(|it| format!("{}: {it}", it.instance_path()));
        match (ours.errors.is_empty(), said) {
            (true, Some(said)) => wrong += &format!("{}: {said}\n", case.name),
            (true, None) => {
                taken += 1;
                // That validator reads no second document, where a collector leaves it alone.
                if case.text.contains("\n---\n") {
                    continue;
                }
                let name = format!("{at}.yaml");
                fs::write(folder.path().join(&name), &case.text).expect("writable");
                args.push(name);
            }
            (false, said) => {
                mistakes += 1;
                found += usize::from(said.is_some());
            }
        }
    }
    assert!(wrong.is_empty(), "refused without reason:\n{wrong}");
    println!("{taken} taken, {found} of {mistakes} mistakes found");
    assert!(taken > 200 && found * 100 > mistakes * 60, "{taken} taken, {found} of {mistakes} mistakes found");
    let output = Command::new("check-jsonschema")
        .args(&args)
        .current_dir(folder.path())
        .output()
        .unwrap_or_else(|error| panic!("check-jsonschema is needed ({error}): run scripts/tools.sh"));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}
