//! Environments and clusters of one stack: each is compiled by itself, all at once, and what is found in several is told once.

use std::{
    collections::{HashMap, HashSet},
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use telstack_diagnostics::{Diagnostic, Span};
use telstack_system::System;

use crate::compile::Judged;

/// Fewer are not worth a second thread.
const FEW: usize = 4;
/// Most clusters that a finding names.
const NAMED: usize = 3;

/// What `make` gives for each number below `count`, in their order, made by as many threads as there are processors.
pub(crate) fn each<T: Send>(count: usize, make: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let threads = thread::available_parallelism().map_or(1, usize::from).min(count / FEW).max(1);
    if threads == 1 {
        return (0..count).map(make).collect();
    }
    let next = AtomicUsize::new(0);
    let work = || {
        let mut done = Vec::new();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            if index >= count {
                return done;
            }
            done.push((index, make(index)));
        }
    };
    let mut done: Vec<(usize, T)> = thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(work)).collect();
        let mut done = work();
        for other in others {
            match other.join() {
                Ok(more) => done.extend(more),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        done
    });
    done.sort_by_key(|it| it.0);
    done.into_iter().map(|it| it.1).collect()
}

/// Puts the clusters of a stack together.
pub(crate) fn gather(members: Vec<Judged>, into: &mut Judged) {
    let several = members.len() > 1;
    let known = into.diagnostics.iter().map(|it| (key(it), Vec::new()));
    let mut found: HashMap<Key, Vec<String>> = known.collect();
    let of_text: HashSet<Key> = found.keys().cloned().collect();
    let mut order: Vec<(Key, Diagnostic)> = Vec::new();
    for Judged { systems, diagnostics, artefacts } in members {
        let name = systems.first().and_then(System::place);
        into.systems.extend(systems);
        into.artefacts.extend(artefacts);
        for finding in diagnostics {
            let key = key(&finding);
            match found.get_mut(&key) {
                // Of a stack without clusters every finding counts, and so do those of one cluster.
                Some(clusters) if several && clusters.last() != name.as_ref() => clusters.extend(name.clone()),
                Some(_) if !several && !of_text.contains(&key) => into.diagnostics.push(finding),
                Some(_) => {}
                None => {
                    found.insert(key.clone(), name.clone().into_iter().collect());
                    order.push((key, finding));
                }
            }
        }
    }
    for (key, finding) in order {
        let clusters = found.remove(&key).unwrap_or_default();
        into.diagnostics.push(if several { finding.note(named(&clusters)) } else { finding });
    }
}

/// What makes two findings the same.
type Key = (&'static str, Option<Span>, String);

fn key(finding: &Diagnostic) -> Key {
    (finding.rule.code, finding.primary.as_ref().map(|it| it.span), finding.message.clone())
}

fn named(clusters: &[String]) -> String {
    let quoted: Vec<String> = clusters.iter().take(NAMED).map(|it| format!("`{it}`")).collect();
    let listed = quoted.join(", ");
    match clusters.len() {
        0 => "in all of them".to_owned(),
        1 => format!("in {listed}"),
        count if count > NAMED => format!("in {count} of them: {listed} and {} more", count - NAMED),
        count => format!("in {count} of them: {listed}"),
    }
}
