//! Where every scalar of every golden comes from, and how much of it telstack chose by itself.

#[path = "support/mod.rs"]
mod support;

use std::{collections::BTreeMap, fmt::Write as _, ops::Range};

use support::{root, stacks};
use telstack_system::OriginKind;
use telstack_workspace::{DiskFiles, compile};

/// The figures that are kept. `TELSTACK_DERIVED=write cargo test -p telstack --test derived` writes them anew.
const KEPT: &str = "golden/derived.txt";

/// What one stack's scalars come from.
#[derive(Default)]
struct Share {
    kinds: [usize; 4],
    /// Reasons of what is built in, with one of the scalars.
    reasons: BTreeMap<String, (usize, String)>,
}

impl Share {
    fn all(&self) -> usize {
        self.kinds.iter().sum()
    }

    /// The most frequent reasons of what is built in: where the share can fall.
    fn choices(&self) -> String {
        let mut sorted: Vec<_> = self.reasons.iter().collect();
        sorted.sort_by_key(|(_, (count, _))| std::cmp::Reverse(*count));
        sorted.iter().take(60).fold(String::new(), |mut out, (reason, (count, text))| {
            let _ = writeln!(out, "{count:5} {reason}: {text}");
            out
        })
    }

    fn built_in(&self) -> usize {
        self.kinds[OriginKind::Builtin as usize]
    }
}

/// Scripts are programs: what is not a name or a port in them is ours by nature.
fn has_scalars(path: &str) -> bool {
    std::path::Path::new(path).extension().is_none_or(|it| it != "sh")
}

/// What telstack adds of its own accord: alert rules and a dashboard for the pipeline itself. Its words are ours, as a
/// comment is; what they are about follows from the stack.
fn is_own(path: &str) -> bool {
    path.contains("-rules/") || path.contains("/dashboards/")
}

/// Where a file holds such things: all of it, or keys of a ConfigMap.
fn own_parts(path: &str, text: &str) -> Vec<Range<usize>> {
    if is_own(path) {
        return std::iter::once(0..text.len()).collect();
    }
    let mut parts: Vec<Range<usize>> = Vec::new();
    let (mut at, mut inside) = (0, false);
    for line in text.split_inclusive('\n') {
        if !line.starts_with("    ") && !line.trim().is_empty() {
            let key = line.strip_prefix("  ").and_then(|it| it.trim_end().strip_suffix(": |"));
            inside = key.is_some_and(|it| OWN_KEYS.iter().any(|end| it.ends_with(end)));
        }
        if inside {
            parts.push(at..at + line.len());
        }
        at += line.len();
    }
    parts
}

/// How the keys of a ConfigMap end that hold rules and dashboards.
const OWN_KEYS: [&str; 2] = ["pipeline-health.yml", "pipeline-health.json"];

/// What the scalars of a stack's configuration come from, and those of its own alert rules and dashboards.
fn shares(stack: &str) -> [Share; 2] {
    let compiled = compile(&DiskFiles, &root().join(format!("stacks/{stack}.stack.kdl"))).expect("readable");
    assert!(!compiled.artefacts.is_empty());
    let mut shares = [Share::default(), Share::default()];
    for artefact in compiled.artefacts.iter().filter(|it| has_scalars(&it.path)) {
        let written = &artefact.written;
        let own = own_parts(&artefact.path, &written.text);
        let mut covered = vec![false; written.text.len()];
        for piece in &written.pieces {
            let text = &written.text[piece.range.clone()];
            covered[piece.range.clone()].fill(true);
            // Keys and values; not brackets, dashes, comments.
            if text.starts_with("# ") || !text.contains(char::is_alphanumeric) && !text.starts_with(['"', '\'']) {
                continue;
            }
            let share = &mut shares[usize::from(own.iter().any(|it| it.contains(&piece.range.start)))];
            let origin = &piece.mark;
            let place = || format!("{stack}/{}: {text}", artefact.path);
            assert!(origin.span().is_some(), "{}: names no line of the stack", place());
            assert!(origin.is_written() || !origin.reason().is_empty(), "{}: no reason", place());
            share.kinds[origin.kind() as usize] += 1;
            if origin.kind() == OriginKind::Builtin {
                let reason = format!("{}: {}", origin.pass().unwrap_or_default(), origin.reason());
                share.reasons.entry(reason).or_insert_with(|| (0, place())).0 += 1;
            }
        }
        // What stands in a file without a mark of its own says nothing.
        for (at, c) in written.text.char_indices().filter(|(at, _)| !covered[*at]) {
            let line = written.text[..at].lines().count();
            assert!(!c.is_alphanumeric(), "{stack}/{}:{line}: `{c}` comes from nowhere", artefact.path);
        }
    }
    shares
}

#[test]
fn little_is_telstacks_own_choice_and_less_each_time() {
    let mut now = String::from(
        "# Scalars (keys and values) of the files of each golden, and how many of them are telstack's own choice: neither\n\
         # written in the stack, nor following from it, nor a fact of the catalog. The share may only fall.\n\
         # `monitoring`: the alert rules and dashboards that telstack adds. Scripts are programs and have no scalars.\n\
         # stack, part, scalars, built in\n",
    );
    let shares: Vec<(String, Share)> = stacks()
        .into_iter()
        .flat_map(|stack| {
            let [configuration, monitoring] = shares(&stack);
            [(format!("{stack} configuration"), configuration), (format!("{stack} monitoring"), monitoring)]
        })
        .collect();
    for (stack, share) in &shares {
        let _ = writeln!(now, "{stack} {} {}", share.all(), share.built_in());
        println!("{stack}:\n{}", share.choices());
    }
    if std::env::var_os("TELSTACK_DERIVED").is_some_and(|it| it == "write") {
        std::fs::write(root().join(KEPT), &now).expect("writable");
    }
    let kept = std::fs::read_to_string(root().join(KEPT)).unwrap_or_default();
    for (stack, share) in &shares {
        let line = kept.lines().find_map(|line| line.strip_prefix(&format!("{stack} ")));
        let mut numbers = line.into_iter().flat_map(|it| it.split(' ')).filter_map(|it| it.parse::<usize>().ok());
        let (Some(all), Some(most)) = (numbers.next(), numbers.next()) else {
            panic!("{KEPT} has no line for {stack}:\n{now}")
        };
        let (all_now, built_in) = (share.all(), share.built_in());
        // By share: a stack that says more may hold more.
        assert!(
            built_in * all <= most * all_now,
            "{stack}: {built_in} of {all_now} scalars are telstack's own choice; it was {most} of {all}\n{}",
            share.choices()
        );
        assert!(
            !stack.ends_with("configuration") || built_in * 100 <= all_now * MOST_PERCENT,
            "{stack}: {built_in} of {all_now} are telstack's own choice"
        );
    }
    assert_eq!(kept, now, "fewer, or of more: write {KEPT} anew with TELSTACK_DERIVED=write, and commit it");
}

/// Above this telstack would be a template, not a compiler.
const MOST_PERCENT: usize = 24;
