//! Nodes that share a configuration: what is said of each of them at the same places is one finding.

use std::collections::{BTreeSet, HashMap};

use telstack_diagnostics::{Diagnostic, Diagnostics, Span};
use telstack_system::System;

/// Keeps the first of findings that differ in nothing but which node they are about, and lets it name the others.
pub(crate) fn together(system: &System, found: Diagnostics, out: &mut Diagnostics) {
    let names: BTreeSet<&str> = system.nodes().map(|(_, node)| node.name.as_str()).collect();
    let mut kept: Vec<(Diagnostic, BTreeSet<String>)> = Vec::new();
    let mut firsts: HashMap<(&str, Vec<Span>, String), usize> = HashMap::new();
    for it in found {
        let places: Vec<Span> = it.places().collect();
        if places.is_empty() {
            kept.push((it, BTreeSet::new()));
            continue;
        }
        let (plain, mine) = without(&it.message, &names);
        let first = *firsts.entry((it.rule.code, places, plain)).or_insert(kept.len());
        if let Some((first, others)) = kept.get_mut(first) {
            first.severity = first.severity.max(it.severity);
            let (_, known) = without(&first.message, &names);
            others.extend(mine.into_iter().filter(|name| !known.contains(name)).map(str::to_owned));
        } else {
            kept.push((it, BTreeSet::new()));
        }
    }
    for (it, others) in kept {
        let rest: Vec<String> = others.iter().map(|name| format!("`{name}`")).collect();
        out.push(if rest.is_empty() { it } else { it.note(format!("it is the same with {}", rest.join(", "))) });
    }
}

/// A message without the names of nodes that stand in it between backticks, and those names.
fn without<'m>(message: &'m str, names: &BTreeSet<&str>) -> (String, Vec<&'m str>) {
    let (mut plain, mut found) = (String::with_capacity(message.len()), Vec::new());
    for (at, part) in message.split('`').enumerate() {
        if at % 2 == 1 && names.contains(part) {
            found.push(part);
        } else {
            plain += part;
        }
        plain.push('`');
    }
    (plain, found)
}
