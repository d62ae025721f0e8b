//! Checks a line and all below it against the grammar, and reports every mistake in it.

use std::collections::HashMap;

use telstack_diagnostics::{Change, Diagnostic, Diagnostics, Fix, Span};
use telstack_syntax::stack::{Atom, Node as Line, Prop, Spanned};

use crate::{
    codes,
    grammar::{Args, Block, Form, Props, places_of},
    names::{listed, nearest, one_of},
    words::{self, title},
};

/// Reports what is wrong with the shape of `line`, which is meant as `form`.
///
/// Of a line that could not be read to its end, only the block is looked at: what follows from a slip that was
/// reported is not another mistake.
pub(crate) fn check(line: &Line, form: &'static Form, out: &mut Diagnostics) {
    shape(line, &[], form, true, out);
}

/// The same of lines to which others may add what they lack.
pub(crate) fn check_part(line: &Line, form: &'static Form, out: &mut Diagnostics) {
    shape(line, &[], form, false, out);
}

/// `beside` are the lines of the same block.
fn shape(line: &Line, beside: &[Line], form: &'static Form, whole: bool, out: &mut Diagnostics) {
    if !line.broken {
        values(line, form, out);
        properties(line, form, out);
    }
    block(line, form, whole, out);
    if whole {
        needs(line, beside, form, out);
    }
}

/// Reports all that a line lacks in one finding: it is one line to write.
fn needs(line: &Line, beside: &[Line], form: &'static Form, out: &mut Diagnostics) {
    let spared = |need: &str| {
        let mut instead = form.spared.iter().filter(|it| it.0 == need).map(|it| it.1);
        instead.any(|word| beside.iter().any(|line| line.name.value == word))
    };
    let has = |need: &str| line.prop(need).is_some() || line.children().iter().any(|child| child.name.value == need);
    let missing: Vec<&str> = form.needs.iter().copied().filter(|need| !has(need) && !spared(need)).collect();
    if missing.is_empty() || line.is_incomplete() {
        return;
    }
    let words: Option<Vec<&str>> = missing.iter().map(|need| Some(form.child(need)?.example)).collect();
    let help = match words {
        Some(words) => format!("add `{}`", words.join("; ")),
        None => format!("write `{}`", form.example),
    };
    let is = if missing.len() == 1 { "is" } else { "are" };
    let finding = Diagnostic::new(&codes::MISSING_PART, format!("{} has no {}", title(line), one_of(&missing)));
    out.push(finding.at(line.head(), format!("{} {is} missing", listed(&missing))).help(help));
}

/// Reports each word of `lines` that stands twice although it may stand once.
fn once(lines: &[Line], form: &'static Form, out: &mut Diagnostics) {
    let mut firsts: HashMap<&str, &Line> = HashMap::new();
    let single = |line: &&Line| !line.broken && form.child(&line.name.value).is_some_and(|form| form.once);
    for line in lines.iter().filter(single) {
        let first = *firsts.entry(&line.name.value).or_insert(line);
        if std::ptr::eq(first, line) {
            continue;
        }
        out.push(twice(format!("`{}` stands twice in one block", line.name.value), line.head(), first.head()));
    }
}

/// A finding for the second of two.
pub(crate) fn twice(message: String, second: Span, first: Span) -> Diagnostic {
    Diagnostic::new(&codes::DECLARED_TWICE, message).at(second, "again here").label(first, "first here")
}

fn values(line: &Line, form: &'static Form, out: &mut Diagnostics) {
    let word = &line.name.value;
    let (least, most, kind) = match form.args {
        Args::None => (0, 0, None),
        Args::One(kind) => (1, 1, Some(kind)),
        Args::Maybe(kind) => (0, 1, Some(kind)),
        Args::Some(kind) => (1, usize::MAX, Some(kind)),
    };
    if line.args.len() < least {
        let finding = Diagnostic::new(&codes::MISSING_PART, format!("`{word}` needs a value"));
        out.push(finding.at(line.head(), "nothing behind the word").help(format!("write `{}`", form.example)));
    }
    if let Some(extra) = line.args.get(most) {
        let takes = if most == 0 { "no value" } else { "one value" };
        let finding = Diagnostic::new(&codes::WRONG_VALUE, format!("`{word}` takes {takes}"));
        let finding = finding.at(extra.span, if most == 0 { "a value" } else { "one more" });
        out.push(finding.help(format!("write `{}`", form.example)));
    }
    if let Some(kind) = kind {
        for atom in line.args.iter().take(most) {
            words::check(kind, word, atom, out);
        }
    }
}

fn properties(line: &Line, form: &'static Form, out: &mut Diagnostics) {
    let mut firsts: HashMap<&str, &Prop> = HashMap::new();
    for prop in &line.props {
        let key = &prop.key;
        let first = *firsts.entry(&key.value).or_insert(prop);
        if !std::ptr::eq(first, prop) {
            out.push(twice(format!("`{}` is set twice on one line", key.value), key.span, first.key.span));
            continue;
        }
        let kind = match form.props {
            Props::Only(known) => known.iter().find(|it| it.0 == key.value).map(|it| it.1),
            Props::Any(kind) => Some(kind),
            Props::Settings if form.later.contains(&key.value.as_str()) => None,
            Props::Settings => continue,
        };
        match kind {
            Some(kind) => words::check(kind, &key.value, &prop.value, out),
            None => out.push(unknown_property(line, form, prop)),
        }
    }
}

fn unknown_property(line: &Line, form: &'static Form, Prop { key, value }: &Prop) -> Diagnostic {
    let owner = format!("`{}`", line.name.value);
    if form.later.contains(&key.value.as_str()) {
        return later(key, &owner);
    }
    let known: Vec<&str> = match form.props {
        Props::Only(known) => known.iter().map(|it| it.0).collect(),
        Props::Any(_) | Props::Settings => Vec::new(),
    };
    let finding = Diagnostic::new(&codes::UNKNOWN_WORD, format!("{owner} has no property `{}`", key.value));
    let finding = finding.at(key.span, "unknown");
    if let Some(near) = nearest(&key.value, known.iter().copied()) {
        return renamed(finding, key, near);
    }
    if let Some(child) = form.child(&key.value) {
        let written = match value.as_str() {
            Some(text) if !matches!(child.args, Args::None) => format!("{} {text:?}", key.value),
            _ => child.example.to_owned(),
        };
        return finding.help(format!("write it as a line of the block: `{written}`"));
    }
    if known.is_empty() {
        finding.note(format!("{owner} takes no properties")).help(format!("write `{}`", form.example))
    } else {
        finding.help(format!("{owner} takes {}", listed(&known)))
    }
}

fn block(line: &Line, form: &'static Form, whole: bool, out: &mut Diagnostics) {
    match form.block {
        Block::Settings => {}
        Block::None => {
            if let Some(first) = line.children().first() {
                let word = &line.name.value;
                let finding = Diagnostic::new(&codes::UNKNOWN_WORD, format!("`{word}` takes no block"));
                let finding = finding.at(first.name.span, "in a block").label(line.name.span, "of this word");
                out.push(finding.help(format!("write `{}`", form.example)));
            }
        }
        Block::Words(_) => {
            for child in line.children() {
                match form.child(&child.name.value) {
                    Some(form) => shape(child, line.children(), form, whole, out),
                    None if child.broken => {}
                    None => out.push(unknown_word(&child.name, form, &title(line))),
                }
            }
            once(line.children(), form, out);
        }
    }
}

/// A word that means nothing in the block of `form`.
pub(crate) fn unknown_word(word: &Spanned<String>, form: &'static Form, owner: &str) -> Diagnostic {
    let text = word.value.as_str();
    if form.later.contains(&text) {
        return later(word, owner);
    }
    let known: Vec<&str> = form.words().iter().map(|form| form.word).collect();
    let finding = Diagnostic::new(&codes::UNKNOWN_WORD, format!("`{text}` is no word of {owner}"));
    let finding = finding.at(word.span, "unknown here");
    if let Props::Only(props) = form.props
        && props.iter().any(|it| it.0 == text)
    {
        return finding.help(format!("write it on the line itself: `{}`", form.example));
    }
    let places: Vec<&str> =
        places_of(text).iter().map(|it| if it.is_empty() { "the file itself" } else { *it }).collect();
    if !places.is_empty() {
        return finding
            .note(format!("{owner} holds {}", listed(&known)))
            .help(format!("`{text}` stands in {}", one_of(&places)));
    }
    if let Some(near) = nearest(text, known.iter().copied()) {
        return renamed(finding, word, near);
    }
    finding.help(format!("{owner} holds {}", listed(&known)))
}

fn later(word: &Spanned<String>, owner: &str) -> Diagnostic {
    let text = &word.value;
    Diagnostic::new(&codes::NOT_SUPPORTED_YET, format!("`{text}` in {owner} is not supported yet"))
        .at(word.span, "for a later release")
        .note("this release compiles collectors, stores, Grafana and Alertmanager to docker compose, and to one Kubernetes cluster")
        .help(format!("leave `{text}` out"))
}

fn renamed(finding: Diagnostic, word: &Spanned<String>, near: &str) -> Diagnostic {
    let change = Change::rename(word.span, &*word.value, near);
    finding.help(format!("did you mean `{near}`?")).fix(Fix::unsafe_(format!("rename to `{near}`"), vec![change]))
}

/// The first value of a line's word in its block.
pub(crate) fn value<'a>(line: &'a Line, word: &str) -> Option<&'a Atom> {
    line.children().iter().find(|child| child.name.value == word)?.args.first()
}
