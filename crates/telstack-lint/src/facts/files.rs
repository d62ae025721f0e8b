//! Walks the files of products beside the catalog's settings of them: what is wrong, found once, reported by the rule
//! whose matter it is. The settings of collectors' components have a walk of their own (`settings`).

use telstack_catalog::{
    Version,
    product::{self, Level, Moved, OptionFact, Product, Setting},
};
use telstack_syntax::tree::Kind;
use telstack_system::{Node, Origin, System, Value, expansion};

use crate::{
    facts::flags,
    words::{is_reference, nearest},
};

/// Something wrong with a setting of a product's file.
#[derive(Debug)]
pub(crate) struct FileProblem<'a> {
    /// Who reads the file.
    pub(crate) node: &'a Node,
    /// Which of its files: `config`, `rules`.
    role: &'static str,
    /// Dotted path; `[]` behind the key of a list.
    pub(crate) path: String,
    /// The key or value to change.
    pub(crate) at: &'a Origin,
    /// What is wrong.
    pub(crate) kind: FileProblemKind,
}

/// What is wrong with a setting of a product's file.
#[derive(Debug)]
pub(crate) enum FileProblemKind {
    /// No release that is known has such a key there.
    Unknown {
        /// What was probably meant.
        nearest: Option<&'static str>,
        /// What there is.
        known: Vec<&'static str>,
        /// Is the release one whose settings are known?
        sure: bool,
    },
    /// It was there up to an earlier minor release.
    Gone {
        /// The last minor release that has it.
        last: Version,
        /// What became of it.
        moved: Option<Moved>,
    },
    /// It comes with a later minor release.
    NotYet(Version),
    /// Another type is wanted.
    Type { wanted: &'static str, found: &'static str },
    /// A duration that is none.
    Unit { found: String },
}

impl FileProblem<'_> {
    /// Whose setting it is: `Loki 3.7.6`, `a rule`.
    pub(crate) fn owner(&self) -> String {
        if self.role == RULES { "a file of rules".to_owned() } else { self.node.title() }
    }

    /// The key itself, without what it stands in.
    pub(crate) fn key(&self) -> &str {
        self.path.rsplit('.').next().unwrap_or(&self.path).trim_end_matches("[]")
    }
}

/// The roles of files whose settings are known.
const CONFIG: &str = "config";
const RULES: &str = "rules";

pub(super) fn problems(system: &System) -> Vec<FileProblem<'_>> {
    let mut found = Vec::new();
    for (_, node) in system.nodes() {
        let Some(product) = node.product() else { continue };
        for file in &node.written {
            let level = match file.role {
                CONFIG => product.settings(),
                RULES => product::rule_file(),
                _ => None,
            };
            let Some(level) = level else { continue };
            // Rules are the same in all releases that are known.
            let version = node.version().filter(|_| file.role == CONFIG);
            if version.is_some_and(|it| !product.knows_settings(it)) {
                continue;
            }
            let mut walk =
                Walk { node, role: file.role, product, version, document: &file.document, found: &mut found };
            walk.level(&level, &file.document, "");
        }
    }
    found
}

/// The one key that a word is more or less than by words before it: `frontend` of `query_frontend`.
fn longer(word: &str, known: &[&'static str]) -> Option<&'static str> {
    let ends = |long: &str, short: &str| long.strip_suffix(short).is_some_and(|start| start.ends_with('_'));
    let mut alike = known.iter().filter(|it| ends(word, it) || ends(it, word));
    let (Some(one), None) = (alike.next(), alike.next()) else { return None };
    Some(one)
}

struct Walk<'a, 'b> {
    node: &'a Node,
    role: &'static str,
    product: Product,
    /// The release, if it is known; all of its settings are known then.
    version: Option<Version>,
    document: &'a Value,
    found: &'b mut Vec<FileProblem<'a>>,
}

impl<'a> Walk<'a, '_> {
    fn report(&mut self, path: &str, at: &'a Origin, kind: FileProblemKind) {
        let Self { node, role, .. } = *self;
        self.found.push(FileProblem { node, role, path: path.to_owned(), at, kind });
    }

    fn level(&mut self, level: &Level, value: &'a Value, parent: &str) {
        for entry in value.as_map().into_iter().flatten() {
            if entry.key == "<<" || is_reference(&entry.key) || entry.key.contains("{{") {
                continue;
            }
            let path = if parent.is_empty() { entry.key.clone() } else { format!("{parent}.{}", entry.key) };
            let Some(setting) = level.setting(&entry.key) else {
                let known = level.keys();
                let nearest = nearest(&entry.key, known.iter().copied()).or_else(|| longer(&entry.key, &known));
                let sure = self.version.is_some();
                self.report(&path, &entry.key_mark, FileProblemKind::Unknown { nearest, known, sure });
                continue;
            };
            let fact = match self.version {
                None => setting.always(),
                Some(version) if setting.at(version).is_none() => {
                    if let Some(kind) = self.absent(&setting, version, &path) {
                        self.report(&path, &entry.key_mark, kind);
                    }
                    continue;
                }
                Some(version) => setting.at(version),
            };
            if let Some(kind) = fact.and_then(|fact| mismatch(self.product, fact, &entry.value)) {
                self.report(&path, &entry.value.mark, kind);
                continue;
            }
            let Some(below) = &setting.below else { continue };
            match entry.value.as_seq() {
                Some(items) => items.iter().for_each(|item| self.level(below, item, &format!("{path}[]"))),
                None => self.level(below, &entry.value, &path),
            }
        }
    }

    /// Why a release does not have a setting.
    fn absent(&self, setting: &Setting, version: Version, path: &str) -> Option<FileProblemKind> {
        let Some(last) = setting.last_before(version) else {
            return setting.first_after(version).map(FileProblemKind::NotYet);
        };
        let moved = product::moved(self.product, path);
        let brought_back = |moved: &Moved| {
            let set = |path: &String| self.document.at(path).is_some_and(|it| it.as_bool() != Some(false));
            let flag = |name: &String| flags(self.node).iter().any(|it| it.name == name);
            moved.unless.as_ref().is_some_and(set) || moved.unless_flag.as_ref().is_some_and(flag)
        };
        if moved.as_ref().is_some_and(brought_back) {
            return None;
        }
        Some(FileProblemKind::Gone { last, moved })
    }
}

/// What is wrong with the type of a value, if anything surely is. As lenient as the readers of these programs.
fn mismatch(product: Product, fact: &OptionFact, value: &Value) -> Option<FileProblemKind> {
    let wrong = |wanted| Some(FileProblemKind::Type { wanted, found: value.describe() });
    let text = value.as_str();
    let open = text.is_some_and(|text| expansion::is_unsettled(text) || text.is_empty());
    if open || matches!(value.kind, Kind::Null) {
        return None;
    }
    let (map, list) = (value.as_map().is_some(), value.as_seq().is_some());
    match fact.ty.split('<').next().unwrap_or_default() {
        "block" | "map" if !map => wrong("a map"),
        "list" if !list => wrong("a list"),
        "string" | "secret" | "url" | "regex" | "date" | "string(csv)" if map || list => wrong("a string"),
        "bool" if value.as_bool().is_none() && !text.is_some_and(is_truth) => wrong("a boolean"),
        "int" | "uint" if !is_whole(value) && !stands_for_a_number(fact, value) => wrong("a whole number"),
        "float" if !is_whole(value) && !matches!(value.kind, Kind::Float(_)) => wrong("a number"),
        "duration" | "go-duration" if map || list => wrong("a duration"),
        "duration" | "go-duration" if text.is_some_and(|text| !is_duration(text)) => {
            Some(FileProblemKind::Unit { found: text.unwrap_or_default().to_owned() })
        }
        // The others count nanoseconds, some of them.
        "duration" if product == Product::Prometheus && value.as_int().is_some_and(|it| it != 0) => {
            Some(FileProblemKind::Unit { found: value.as_int().unwrap_or_default().to_string() })
        }
        _ => None,
    }
}

fn is_whole(value: &Value) -> bool {
    match &value.kind {
        Kind::Int(_) => true,
        Kind::Float(number) => number.fract() == 0.0,
        Kind::String(text) => is_number(text),
        _ => false,
    }
}

/// Is it a word of a setting that is a number to the program?
fn stands_for_a_number(fact: &OptionFact, value: &Value) -> bool {
    value.as_str().is_some() && fact.is_word()
}

/// Is it a truth value in YAML 1.1?
fn is_truth(text: &str) -> bool {
    ["true", "false", "yes", "no", "on", "off", "y", "n"].contains(&text.to_ascii_lowercase().as_str())
}

fn is_number(text: &str) -> bool {
    let plain = text.replace('_', "");
    plain.parse::<f64>().is_ok() || plain.trim_start_matches(['+', '-']).starts_with("0x")
}

/// `1h30m`, `5d`, `0`, `-1s`, `1.5h`.
fn is_duration(text: &str) -> bool {
    const UNITS: [&str; 9] = ["ns", "us", "µs", "ms", "s", "m", "h", "d", "w"];
    let mut rest = text.trim().trim_start_matches(['+', '-']);
    if rest == "0" {
        return true;
    }
    let mut any = false;
    while !rest.is_empty() {
        let number = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.').len();
        let after = &rest[number..];
        let unit = after.find(|c: char| c.is_ascii_digit() || c == '.').map_or(after, |at| &after[..at]);
        if number == 0 || !(UNITS.contains(&unit) || unit == "y") {
            return false;
        }
        (rest, any) = (&after[unit.len()..], true);
    }
    any
}

#[cfg(test)]
mod tests {
    use super::{is_duration, is_number};

    #[test]
    fn durations_and_numbers() {
        for text in ["1h30m", "5d", "0", "-1s", "1.5h", "168h", "1y", "10ms"] {
            assert!(is_duration(text), "{text}");
        }
        for text in ["5", "5 m", "five", "1hour", "h", ""] {
            assert!(!is_duration(text), "{text}");
        }
        assert!(is_number("10_000") && is_number("0x1F") && !is_number("10MB"));
    }
}
