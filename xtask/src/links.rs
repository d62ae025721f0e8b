//! Links of the documents: what they point at is there.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// Every link of a document to a file or a heading that is not there.
pub fn broken(root: &Path) -> Vec<String> {
    let mut documents = Vec::new();
    for folder in [root.to_owned(), root.join("docs"), root.join("docs/rules")] {
        let entries = fs::read_dir(folder).into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path()));
        documents.extend(entries.filter(|it| it.extension().is_some_and(|it| it == "md")));
    }
    documents.sort();
    let mut wrong = Vec::new();
    for document in documents {
        let shown = document.strip_prefix(root).unwrap_or(&document).display().to_string();
        for target in targets(&fs::read_to_string(&document).unwrap_or_default()) {
            let (path, heading) = target.split_once('#').unwrap_or((&target, ""));
            let at: PathBuf = match path {
                "" => document.clone(),
                path => document.parent().unwrap_or(root).join(path),
            };
            if !at.exists() {
                wrong.push(format!("{shown}: `{target}` is not there"));
            } else if !heading.is_empty() && !headings(&fs::read_to_string(&at).unwrap_or_default()).contains(heading) {
                wrong.push(format!("{shown}: `{target}`: no such heading"));
            }
        }
    }
    wrong
}

/// What the lines outside of code blocks satisfy.
fn prose(text: &str) -> impl Iterator<Item = &str> {
    let mut code = false;
    text.lines().filter(move |line| {
        let fence = line.trim_start().starts_with("```");
        code ^= fence;
        !code && !fence
    })
}

/// Links into the project.
fn targets(text: &str) -> Vec<String> {
    let links = prose(text).flat_map(|line| line.split("](").skip(1));
    let targets = links.filter_map(|rest| Some(rest.split_once(')')?.0));
    targets.filter(|it| !it.contains("://") && !it.starts_with("mailto:")).map(str::to_owned).collect()
}

/// The names that a document's headings have in links.
fn headings(text: &str) -> BTreeSet<String> {
    let titles = prose(text).filter(|line| line.starts_with('#')).map(|line| line.trim_start_matches('#').trim());
    let kept = |it: &char| it.is_alphanumeric() || matches!(it, '-' | '_' | ' ');
    titles.map(|it| it.to_lowercase().chars().filter(kept).collect::<String>().replace(' ', "-")).collect()
}
