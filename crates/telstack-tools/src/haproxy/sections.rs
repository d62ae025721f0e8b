//! Sections, each with the lines that it says and those that it has from its defaults.

use telstack_catalog::{
    near::Near,
    product::haproxy::{Words, knows, words},
};
use telstack_diagnostics::{Diagnostic, Diagnostics};

use super::{
    codes::{DUPLICATE_SECTION, INCOMPLETE_LINE, UNKNOWN_KEYWORD},
    lines::{Line, Word},
};

/// A third of the known word may differ, and no more than two letters: more of them are no slip but another word, of a
/// release that is newer than what is known.
const SLIP: Near = Near { limit: |_, known| Some((known / 3).min(2)), ..Near::THIRD };

/// The word among `known` that was surely meant.
fn nearest<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    SLIP.nearest(word, known.iter().copied())
}

/// What a section is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    Frontend,
    Backend,
    /// Both in one.
    Listen,
}

impl Kind {
    pub(super) fn listens(self) -> bool {
        self != Kind::Backend
    }

    pub(super) fn dials(self) -> bool {
        self != Kind::Frontend
    }
}

/// A section that listens or dials.
pub(super) struct Section<'a> {
    pub(super) kind: Kind,
    /// The word that names it.
    pub(super) name: &'a Word,
    /// What its defaults say.
    pub(super) inherited: Vec<&'a Line>,
    /// What it says.
    pub(super) own: Vec<&'a Line>,
}

impl<'a> Section<'a> {
    /// All lines that start so; what its defaults say comes first.
    pub(super) fn all(&self, word: &str) -> impl Iterator<Item = &'a Line> {
        let lines = self.inherited.iter().chain(&self.own).copied();
        lines.filter(move |line| line.first().is_some_and(|it| it.text == word))
    }

    /// Those of its own lines that start so.
    pub(super) fn own(&self, word: &str) -> impl Iterator<Item = &'a Line> {
        self.own.iter().copied().filter(move |line| line.first().is_some_and(|it| it.text == word))
    }

    /// The last line that starts so.
    pub(super) fn last(&self, word: &str) -> Option<&'a Line> {
        self.all(word).last()
    }
}

/// What a whole configuration says.
pub(super) struct Outline<'a> {
    pub(super) sections: Vec<Section<'a>>,
    /// Is some of it only so if something else is, or from a template?
    pub(super) open: bool,
}

/// A `defaults` section: its name, and its lines with those that it has from another.
type Defaults<'a> = (Option<&'a str>, Vec<&'a Line>);

/// The sections of a configuration.
pub(super) fn outline<'a>(lines: &'a [Line], out: &mut Diagnostics) -> Outline<'a> {
    let template = |word: &Word| word.text.starts_with("{{") || word.text.starts_with("{%") || word.text.contains("<%");
    let condition = |line: &Line| line.first().is_some_and(|it| it.text.starts_with(".if"));
    let open = lines.iter().any(|line| condition(line) || line.iter().any(template));
    let mut found = Outline { sections: Vec::new(), open };
    let mut defaults: Vec<Defaults<'a>> = Vec::new();
    // Whose lines follow: none of ours, those of defaults, or those of the last section.
    let mut inside = Inside::Nothing;
    for line in lines {
        let Some(first) = line.first() else { continue };
        let word = first.text.as_str();
        if word.starts_with('.') {
            continue;
        }
        if knows(Words::Section, word) && !(word == "cache" && line.len() == 1) {
            inside = start(line, &mut defaults, &mut found, out);
            continue;
        }
        match inside {
            Inside::Nothing => {
                if !open {
                    outside(first, out);
                }
                // Said once.
                inside = Inside::Other;
            }
            Inside::Other => section_that_was_meant(first, open, out),
            Inside::Defaults => {
                if let Some((_, all)) = defaults.last_mut() {
                    all.push(line);
                }
                known(first, open, out);
            }
            Inside::Section => {
                if let Some(section) = found.sections.last_mut() {
                    section.own.push(line);
                }
                known(first, open, out);
            }
        }
    }
    found
}

#[derive(Clone, Copy)]
enum Inside {
    Nothing,
    Other,
    Defaults,
    Section,
}

fn start<'a>(
    line: &'a Line,
    defaults: &mut Vec<Defaults<'a>>,
    found: &mut Outline<'a>,
    out: &mut Diagnostics,
) -> Inside {
    let text = |at: usize| line.get(at).map(|it| it.text.as_str());
    // `defaults [NAME] [from NAME]`, `backend NAME [from NAME]`.
    let from = line.iter().position(|it| it.text == "from").filter(|at| *at > 0).and_then(|at| text(at + 1));
    let named = |name: Option<&str>| -> Vec<&'a Line> {
        let wanted = |(known, _): &&Defaults<'a>| name.is_none_or(|name| *known == Some(name));
        defaults.iter().rev().find(wanted).map(|(_, lines)| lines.clone()).unwrap_or_default()
    };
    let kind = match text(0) {
        Some("frontend") => Kind::Frontend,
        Some("backend") => Kind::Backend,
        Some("listen") => Kind::Listen,
        Some("defaults") => {
            // Without `from` it starts anew.
            let lines = if from.is_some() { named(from) } else { Vec::new() };
            defaults.push((text(1).filter(|it| *it != "from"), lines));
            return Inside::Defaults;
        }
        _ => return Inside::Other,
    };
    let Some(name) = line.get(1) else {
        let word = &line[0];
        out.push(
            Diagnostic::new(&INCOMPLETE_LINE, format!("this `{}` has no name", word.text))
                .at(word.origin.span(), "HAProxy does not start")
                .help(format!("name it: `{} NAME`", word.text)),
        );
        return Inside::Other;
    };
    let same = |it: &&Section<'a>| {
        it.name.text == name.text && (it.kind.listens() && kind.listens() || it.kind.dials() && kind.dials())
    };
    if let Some(first) = found.sections.iter().find(same).filter(|_| !found.open && !name.open) {
        out.push(
            Diagnostic::new(&DUPLICATE_SECTION, format!("`{}` is there twice", name.text))
                .at(name.origin.span(), "the same name again")
                .label(first.name.origin.span(), "it is the name of this one")
                .help("give one of them another name"),
        );
    }
    found.sections.push(Section { kind, name, inherited: named(from), own: Vec::new() });
    Inside::Section
}

fn outside(word: &Word, out: &mut Diagnostics) {
    if word.open {
        return;
    }
    let sections: Vec<&str> = words(Words::Section).iter().map(String::as_str).collect();
    let finding = Diagnostic::new(&UNKNOWN_KEYWORD, format!("`{}` starts no section", word.text))
        .at(word.origin.span(), "HAProxy does not start");
    out.push(match nearest(&word.text, &sections) {
        Some(near) => finding.help(format!("write `{near}`")),
        None => finding.help("start with `global`, `defaults`, `frontend`, `backend` or `listen`"),
    });
}

/// A misspelt section inside of one that is not read.
fn section_that_was_meant(word: &Word, open: bool, out: &mut Diagnostics) {
    const OURS: [&str; 4] = ["frontend", "backend", "listen", "defaults"];
    let known = OURS.contains(&word.text.as_str()) || knows(Words::Proxy, &word.text);
    if let Some(near) = nearest(&word.text, &OURS).filter(|_| !open && !word.open && !known && word.text.len() > 5) {
        unknown(word, near, out);
    }
}

fn known(word: &Word, open: bool, out: &mut Diagnostics) {
    if open || word.open || knows(Words::Proxy, &word.text) {
        return;
    }
    let known: Vec<&str> = words(Words::Proxy).iter().chain(words(Words::Section)).map(String::as_str).collect();
    if let Some(near) = nearest(&word.text, &known) {
        unknown(word, near, out);
    }
}

/// Reports a word that is none, but near one.
pub(super) fn unknown(word: &Word, near: &str, out: &mut Diagnostics) {
    out.push(
        Diagnostic::new(&UNKNOWN_KEYWORD, format!("HAProxy knows no `{}`", word.text))
            .at(word.origin.span(), "HAProxy does not start")
            .help(format!("write `{near}`")),
    );
}

/// Reports a word at a place if it is near one of those that are known there, and none of them.
pub(super) fn check(place: Words, word: &Word, out: &mut Diagnostics) {
    let plain = word.text.split('(').next().unwrap_or_default();
    if word.open || knows(place, plain) {
        return;
    }
    let all: Vec<&str> = words(place).iter().map(String::as_str).collect();
    if let Some(near) = nearest(plain, &all) {
        unknown(word, near, out);
    }
}
