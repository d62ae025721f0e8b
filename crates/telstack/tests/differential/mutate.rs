//! Changes by rule: each base, line by line, with choices that a fixed seed makes.

use crate::bases;

/// A changed configuration.
#[derive(Clone, Debug)]
pub struct Case {
    /// Base, line and change.
    pub name: String,
    /// The text.
    pub text: String,
    /// Other texts that the same collector is given before it, and after it.
    pub beside: [Vec<String>; 2],
    /// Lines where a finding belongs, from 1; none where the change has no place, as when something is gone.
    pub lines: Vec<usize>,
    /// What was changed, where it is one line of a base put in place of another.
    pub edit: Option<Edit>,
}

impl Case {
    /// A configuration in one file.
    pub fn new(name: String, text: String, lines: Vec<usize>) -> Self {
        Self { name, text, beside: Default::default(), lines, edit: None }
    }

    /// All texts that the collector is given, in order.
    pub fn texts(&self) -> Vec<&str> {
        let [before, after] = &self.beside;
        before.iter().chain([&self.text]).chain(after).map(String::as_str).collect()
    }
}

/// A line of a base, and what stands in its place.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Edit {
    /// Which base.
    pub base: usize,
    /// Which line, from 0.
    pub line: usize,
    /// What is put there.
    pub new: String,
}

/// Small, even and the same everywhere.
pub struct Random(pub u64);

impl Random {
    pub fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap_or_default() % end.max(1)
    }
}

/// Values of every kind that somebody might put somewhere.
const VALUES: [&str; 33] = [
    "hello",
    "5",
    "0",
    "-1",
    "\"5\"",
    "true",
    "\"true\"",
    "yes",
    "1.5",
    "5s",
    "\"5s\"",
    "5",
    "1d",
    "-5s",
    "5 s",
    "1h30m",
    "\"\"",
    "~",
    "[a]",
    "[]",
    "{a: b}",
    "{}",
    "8k",
    "1e3",
    "0x10",
    "1_000",
    "${env:UNSET:-5}",
    "${env:UNSET:-5s}",
    "${env:UNSET:-true}",
    "${env:UNSET:-hello}",
    "$$x",
    "x${env:UNSET:-5}",
    "${env:not-a-name}",
];
/// How many of the values each setting gets.
const TRIES: usize = 5;

fn indent(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

/// Swaps two letters inside a word, so that it is another.
fn slip(word: &str, random: &mut Random) -> String {
    let mut letters: Vec<char> = word.chars().collect();
    for _ in 0..9 {
        let at = random.below(letters.len().saturating_sub(1));
        if letters.len() > 2 && letters[at] != letters[at + 1] && letters[at].is_alphabetic() {
            letters.swap(at, at + 1);
            return letters.into_iter().collect();
        }
    }
    format!("{word}x")
}

/// All cases by rule.
pub fn cases() -> Vec<Case> {
    let all = bases::ALL.iter().enumerate();
    all.flat_map(|(base, (name, text))| changed(base, name, text)).collect()
}

/// Is there nothing on the line that a collector reads?
fn is_blank(line: &str) -> bool {
    line.trim_start().is_empty() || line.trim_start().starts_with('#')
}

/// A text, changed in one place in all ways.
pub fn changed(base: usize, name: &str, text: &str) -> Vec<Case> {
    let mut out = Vec::new();
    let lines: Vec<&str> = text.lines().collect();
    for (at, line) in lines.iter().enumerate().filter(|(_, line)| !is_blank(line)) {
        let mut random = Random(base as u64 * 1_000 + at as u64 + 7);
        let replace = |new: String, what: &str| one(base, name, &lines, at, new, what);
        let Some((key, value)) = line.split_once(':').filter(|(key, _)| !key.contains("- ") && !key.contains('$'))
        else {
            // An item of a list.
            if let Some(item) = line.trim_start().strip_prefix("- ") {
                let start = &line[..indent(line)];
                out.push(replace(format!("{start}- {}", slip(item, &mut random)), "slip"));
                out.push(replace(format!("{start}- 7"), "number"));
                out.push(replace(format!("{start}- {{a: b}}"), "map"));
                out.push(gone(name, &lines, at));
            }
            continue;
        };
        if key.trim() != "<<" {
            let slipped = slip(key.trim(), &mut random);
            out.push(replace(format!("{}{slipped}:{value}", &line[..indent(line)]), "slip"));
        }
        out.push(gone(name, &lines, at));
        out.push(after(name, &lines, at, &format!("{}surplus: 1", &line[..indent(line)])));
        let value = value.trim();
        if value.is_empty() {
            // A block in place of which something else stands.
            for new in ["hello", "[a]", "7"] {
                out.push(block(name, &lines, at, new));
            }
            continue;
        }
        out.push(after(name, &lines, at, line));
        for _ in 0..TRIES {
            let new = VALUES[random.below(VALUES.len())];
            out.push(replace(format!("{key}: {new}"), new));
        }
    }
    out
}

fn one(base: usize, name: &str, lines: &[&str], at: usize, new: String, what: &str) -> Case {
    let mut changed: Vec<&str> = lines.to_vec();
    changed[at] = &new;
    let text = changed.join("\n") + "\n";
    let name = format!("{name}:{} {} -> {what}", at + 1, lines[at].trim());
    Case { edit: Some(Edit { base, line: at, new }), ..Case::new(name, text, vec![at + 1]) }
}

/// The line with everything below it; blank lines and comments at its end are not.
fn below(lines: &[&str], at: usize) -> usize {
    let own = indent(lines[at]);
    let rest = lines.iter().enumerate().skip(at + 1);
    let deeper = rest.take_while(|(_, line)| is_blank(line) || indent(line) > own);
    deeper.filter(|(_, line)| !is_blank(line)).last().map_or(at, |(last, _)| last) + 1
}

fn gone(name: &str, lines: &[&str], at: usize) -> Case {
    let mut changed: Vec<&str> = lines.to_vec();
    changed.drain(at..below(lines, at));
    let name = format!("{name}:{} {} gone", at + 1, lines[at].trim());
    Case::new(name, changed.join("\n") + "\n", Vec::new())
}

fn after(name: &str, lines: &[&str], at: usize, new: &str) -> Case {
    let mut changed: Vec<&str> = lines.to_vec();
    let end = below(lines, at);
    changed.insert(end, new);
    let name = format!("{name}:{} {} then {}", at + 1, lines[at].trim(), new.trim());
    Case::new(name, changed.join("\n") + "\n", vec![end + 1])
}

fn block(name: &str, lines: &[&str], at: usize, new: &str) -> Case {
    let mut changed: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
    changed.drain(at + 1..below(lines, at));
    changed[at] = format!("{} {new}", lines[at]);
    let name = format!("{name}:{} {} -> {new}", at + 1, lines[at].trim());
    Case::new(name, changed.join("\n") + "\n", vec![at + 1])
}

/// Two or three changes at once, of lines that are far enough apart to be independent, each of which both
/// refuse by itself.
pub fn several(singles: &[Case]) -> Vec<Case> {
    let mut random = Random(42);
    let refused: Vec<&Case> = singles.iter().filter(|case| case.edit.is_some() && is_clear(case)).collect();
    let mut out = Vec::new();
    for round in 0..400 {
        let Some(first) = refused.get(random.below(refused.len())).and_then(|it| it.edit.clone()) else { continue };
        let mut edits = vec![first];
        for _ in 0..40 {
            let Some(next) = refused.get(random.below(refused.len())).and_then(|it| it.edit.clone()) else { continue };
            if next.base == edits[0].base && edits.iter().all(|it| are_apart(it, &next)) {
                edits.push(next);
            }
            if edits.len() == 2 + round % 2 {
                break;
            }
        }
        if edits.len() < 2 {
            continue;
        }
        edits.sort_by_key(|edit| edit.line);
        let (name, text) = bases::ALL[edits[0].base];
        let mut lines: Vec<&str> = text.lines().collect();
        for edit in &edits {
            lines[edit.line] = &edit.new;
        }
        let places: Vec<usize> = edits.iter().map(|edit| edit.line + 1).collect();
        let what: Vec<&str> = edits.iter().map(|edit| edit.new.trim()).collect();
        let text = lines.join("\n") + "\n";
        let name = format!("{name}:{places:?} {}", what.join(" / "));
        out.push(Case::new(name, text, places));
    }
    out
}

/// Does neither stand in what the other takes away, or name it, and are they some lines apart?
fn are_apart(one: &Edit, other: &Edit) -> bool {
    let lines: Vec<&str> = bases::ALL[one.base].1.lines().collect();
    let holds = |outer: &Edit, inner: &Edit| (outer.line..below(&lines, outer.line)).contains(&inner.line);
    // A slip in a name shows where the name is used, if that is still there.
    let names = |named: &Edit, user: &Edit| {
        let name = lines[named.line].split(':').next().unwrap_or_default().trim();
        lines[user.line].contains(['[', '*']) && lines[user.line].contains(name)
    };
    let tied = |one: &Edit, other: &Edit| holds(one, other) || names(one, other);
    one.line.abs_diff(other.line) > 3 && !tied(one, other) && !tied(other, one)
}

/// Is the change one that is found at its place, in a file that can be read at all?
fn is_clear(case: &Case) -> bool {
    let Some(edit) = &case.edit else { return false };
    let verdict = crate::telstack(&case.texts());
    verdict.lines(0).contains(&(edit.line + 1)) && !verdict.codes().contains("R001")
}
