//! The documents that hold a reference against a stack name files, keys and lines that are there.
//!
//! In the last of three columns a file of the golden, or the word `stack:`, says where the code that follows is to be
//! found. Behind ` – ` stands why, in words.

mod support;

use std::fs;

use support::root;

/// The document, and the stack that it is about.
const PAGES: [(&str, &str); 3] =
    [("reference-000", "node-collectors"), ("reference-001", "k3s-operator"), ("reference-004", "federated")];

/// The cells of a row of a table.
fn cells(line: &str) -> Option<Vec<String>> {
    let inner = line.strip_prefix("| ")?.strip_suffix(" |")?.replace("\\|", "\u{0}");
    Some(inner.split(" | ").map(|it| it.replace('\u{0}', "|")).collect())
}

/// What is wrong with what a cell says; nothing where it names nothing.
fn wrong(stack: &str, cell: &str) -> Vec<String> {
    let golden = root().join("golden").join(stack);
    let written = fs::read_to_string(root().join(format!("stacks/{stack}.stack.kdl"))).expect("a stack");
    let mut text: Option<String> = None;
    let mut found = Vec::new();
    for (at, piece) in cell.split('`').enumerate() {
        if at % 2 == 0 {
            if piece.contains("stack:") {
                text = Some(written.clone());
            }
        } else if golden.join(piece).is_file() {
            text = fs::read_to_string(golden.join(piece)).ok();
        } else if !text.as_ref().is_some_and(|it| it.contains(piece)) {
            found.push(piece.to_owned());
        }
    }
    found
}

#[test]
fn what_the_documents_map_is_there() {
    let mut missing = Vec::new();
    for (page, stack) in PAGES {
        let document = fs::read_to_string(root().join(format!("docs/{page}.md"))).expect("a document");
        let (mapped, mistakes) = document.split_once("\n## Mistakes ").expect("mistakes are listed");
        assert!(mistakes.lines().filter_map(cells).count() > 5, "{page} lists no mistakes");
        let rows: Vec<Vec<String>> = mapped.lines().filter_map(cells).filter(|it| it[0] != "reference").collect();
        assert!(rows.len() > 25, "{page} maps {} things", rows.len());
        for row in rows {
            let [section, says, place] = &row[..] else { panic!("{page}: not three columns: {row:?}") };
            let place = place.split(" – ").next().unwrap_or_default();
            missing.extend(wrong(stack, place).into_iter().map(|it| format!("{page}, {section}, {says}: `{it}`")));
        }
    }
    assert!(missing.is_empty(), "not where the documents say:\n{}", missing.join("\n"));
}

#[test]
fn what_is_not_there_is_told() {
    assert_eq!(
        wrong("federated", "`hub/NOTES.md`: `## Before`, `nowhere`; stack: `durable`, `nowhere`"),
        ["nowhere"; 2]
    );
    assert_eq!(wrong("federated", "`hub/nothing.yaml`: `kind`"), ["hub/nothing.yaml", "kind"]);
    assert_eq!(wrong("federated", "default"), [""; 0]);
}
