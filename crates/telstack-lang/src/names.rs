//! Names: constants, included files, and the nearest known name.

use std::collections::BTreeMap;

use telstack_catalog::near::Near;
use telstack_diagnostics::{Change, Diagnostic, Diagnostics, FileId, Fix, SourceMap, Span};
use telstack_syntax::stack::{Atom, Node as Line};

use crate::{Loader, check::twice, codes, grammar, rewrite};

/// How deep files may include each other.
const DEEPEST: usize = 16;

/// The known name closest to a misspelt one, if it is close enough to be a slip.
pub(crate) fn nearest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    const SLIP: Near = Near {
        letter: |c| !matches!(c, '-' | '_' | ' '),
        case: false,
        limit: |asked, other| Some((asked.max(other) / 3).max(1).min(asked.checked_sub(1)?)),
    };
    SLIP.nearest(word, known.filter(|name| *name != word))
}

/// `` `a`, `b` and `c` ``.
pub(crate) fn listed(names: &[&str]) -> String {
    joined(names, "and")
}

/// `` `a`, `b` or `c` ``.
pub(crate) fn one_of(names: &[&str]) -> String {
    joined(names, "or")
}

/// Most names that a message lists.
const LISTED: usize = 20;

fn joined(names: &[&str], last: &str) -> String {
    let mut quoted: Vec<String> = names.iter().take(LISTED).map(|name| format!("`{name}`")).collect();
    if names.len() > LISTED {
        quoted.push(format!("{} more", names.len() - LISTED));
    }
    match quoted.as_slice() {
        [] => "nothing".to_owned(),
        [one] => one.clone(),
        [start @ .., end] => format!("{} {last} {end}", start.join(", ")),
    }
}

/// Adds the nearest name, or all there are.
pub(crate) fn did_you_mean(finding: Diagnostic, word: &str, known: &[&str], what: &str) -> Diagnostic {
    match nearest(word, known.iter().copied()) {
        Some(near) => {
            let change = finding.primary.as_ref().map(|label| Change::rename(label.span, word, near));
            let finding = finding.help(format!("did you mean `{near}`?"));
            match change {
                Some(change) => finding.fix(Fix::unsafe_(format!("write `{near}`"), vec![change])),
                None => finding,
            }
        }
        None if known.is_empty() => finding.note(format!("there are no {what} here")),
        None => {
            let listed: Vec<String> = known.iter().take(LISTED).map(|it| format!("`{it}`")).collect();
            let more = if known.len() > LISTED { format!(" and {} more", known.len() - LISTED) } else { String::new() };
            finding.note(format!("{what} here: {}{more}", listed.join(", ")))
        }
    }
}

/// Reads a file's lines, with included ones in place of each `include`.
pub(crate) struct Files<'a> {
    pub sources: &'a mut SourceMap,
    pub loader: &'a dyn Loader,
    pub out: &'a mut Diagnostics,
    /// A file is missing, or some line of the stack could not be read: names may be declared that nobody
    /// here knows of.
    pub incomplete: bool,
    chain: Vec<(String, Option<Span>)>,
    seen: BTreeMap<String, Span>,
}

impl<'a> Files<'a> {
    /// A reader that starts with no file.
    pub(crate) fn new(sources: &'a mut SourceMap, loader: &'a dyn Loader, out: &'a mut Diagnostics) -> Self {
        Self { sources, loader, out, incomplete: false, chain: Vec::new(), seen: BTreeMap::new() }
    }

    /// The lines of a file of the map.
    pub(crate) fn read(&mut self, file: FileId) -> Vec<Line> {
        let name = self.sources.file(file).name().to_owned();
        self.lines(file, name, None)
    }

    fn lines(&mut self, file: FileId, name: String, by: Option<Span>) -> Vec<Line> {
        let words = if by.is_some() { &grammar::STACK } else { &grammar::FILE };
        let (document, errors) = rewrite::parse(file, self.sources.file(file), words);
        self.incomplete |= document.is_incomplete();
        for error in errors {
            self.out.push(rewrite::finding(error).label(by, "included here"));
        }
        self.chain.push((name, by));
        let lines = self.splice(document.nodes);
        self.chain.pop();
        lines
    }

    /// Follows each `include` among lines of the file itself or of its `stack` block.
    fn splice(&mut self, lines: Vec<Line>) -> Vec<Line> {
        let mut out = Vec::new();
        for mut line in lines {
            match line.name.value.as_str() {
                // Its path could not be read, which was reported.
                "include" if line.broken => {}
                "include" => out.extend(self.include(&line)),
                "stack" => {
                    self.incomplete |= line.is_incomplete();
                    line.children = line.children.map(|children| self.splice(children));
                    out.push(line);
                }
                _ => out.push(line),
            }
        }
        out
    }

    fn include(&mut self, line: &Line) -> Vec<Line> {
        let path = match line.args.as_slice() {
            [path] if path.tag.is_none() && line.props.is_empty() && line.children.is_none() => path.as_str(),
            _ => None,
        };
        let Some(path) = path else {
            let finding = Diagnostic::new(&codes::WRONG_VALUE, "`include` takes the path of one file");
            self.out.push(finding.at(line.head(), "not one path").help("write `include \"stores.kdl\"`"));
            self.incomplete = true;
            return Vec::new();
        };
        let at = line.args[0].span;
        let including = self.chain.last().map_or("", |it| it.0.as_str());
        let loaded = match self.loader.load(including, path) {
            Ok(loaded) => loaded,
            Err(why) => {
                let finding = Diagnostic::new(&codes::INCLUDE_FAILS, format!("cannot include `{path}`: {why}"));
                self.out.push(finding.at(at, "cannot be read").note(format!("paths are relative to `{including}`")));
                self.incomplete = true;
                return Vec::new();
            }
        };
        if let Some(from) = self.chain.iter().position(|it| it.0 == loaded.name) {
            let message = format!("`{}` includes itself", loaded.name);
            self.refuse(message, at, from, &loaded.name, "leave one of the includes out");
            return Vec::new();
        }
        if self.chain.len() > DEEPEST {
            let message = format!("files include each other more than {DEEPEST} deep");
            self.refuse(message, at, 0, &loaded.name, "include some of the files from the stack itself");
            return Vec::new();
        }
        if let Some(first) = self.seen.get(&loaded.name) {
            let finding = twice(format!("`{}` is included twice", loaded.name), at, *first);
            self.out.push(finding.help("include it once: its lines count for the whole stack"));
            return Vec::new();
        }
        self.seen.insert(loaded.name.clone(), at);
        let file = self.sources.add(loaded.name.clone(), loaded.text);
        self.lines(file, loaded.name, Some(at))
    }

    /// Reports a chain of includes that is not followed further.
    fn refuse(&mut self, message: String, at: Span, from: usize, next: &str, help: &str) {
        let mut finding = Diagnostic::new(&codes::INCLUDE_FAILS, message).at(at, "not followed").help(help);
        for (name, by) in self.chain.iter().skip(from + 1) {
            finding = finding.label(*by, format!("`{name}` is included here"));
        }
        let chain = self.chain.iter().skip(from).map(|it| it.0.as_str()).chain([next]);
        self.out.push(finding.note(format!("the chain: {}", chain.collect::<Vec<_>>().join(" → "))));
    }
}

/// Constants by name.
pub(crate) struct Constants {
    values: BTreeMap<String, (Atom, Span)>,
    /// Constants that could not be read; their uses are not reported again.
    broken: Vec<String>,
    /// Constants may be declared in a file that could not be read.
    incomplete: bool,
}

impl Constants {
    /// No constants yet.
    pub(crate) fn new(incomplete: bool) -> Self {
        Self { values: BTreeMap::new(), broken: Vec::new(), incomplete }
    }

    /// Takes the `let` lines out of `lines`, and out of `stack` blocks in it.
    pub(crate) fn take(&mut self, lines: &mut Vec<Line>, out: &mut Diagnostics) {
        lines.retain_mut(|line| match line.name.value.as_str() {
            "let" => {
                self.declare(line, out);
                false
            }
            "stack" => {
                if let Some(children) = &mut line.children {
                    self.take(children, out);
                }
                true
            }
            _ => true,
        });
    }

    fn declare(&mut self, line: &Line, out: &mut Diagnostics) {
        if line.broken {
            self.incomplete = true; // Reported where it was read.
        }
        let named = match line.args.as_slice() {
            [] if !line.props.is_empty() => Vec::new(),
            [name, value] if name.tag.is_none() => match name.as_str() {
                Some(text) => vec![(text, name.span, value)],
                None => Vec::new(),
            },
            _ => Vec::new(),
        };
        if line.broken && named.is_empty() && line.props.is_empty() {
            return;
        }
        if (named.is_empty() && line.props.is_empty())
            || (!line.args.is_empty() && named.is_empty())
            || line.children.is_some()
        {
            let finding = Diagnostic::new(&codes::WRONG_VALUE, "`let` takes a name and a value");
            out.push(
                finding
                    .at(line.head(), "not a name and a value")
                    .help("write `let keep \"30d\"` or `let keep=\"30d\"`"),
            );
            self.broken.extend(line.args.first().and_then(Atom::as_str).map(str::to_owned));
            return;
        }
        let props = line.props.iter().map(|prop| (prop.key.value.as_str(), prop.key.span, &prop.value));
        for (name, span, value) in named.into_iter().chain(props) {
            if let Some((_, first)) = self.values.get(name) {
                out.push(twice(format!("the constant `{name}` is declared twice"), span, *first));
                continue;
            }
            self.values.insert(name.to_owned(), (value.clone(), span));
        }
    }

    /// Puts constants in place of `(let)"name"` everywhere below `lines`.
    pub(crate) fn put_in(&self, lines: &mut [Line], out: &mut Diagnostics) {
        for line in lines {
            for atom in line.args.iter_mut().chain(line.props.iter_mut().map(|prop| &mut prop.value)) {
                self.replace(atom, out);
            }
            if let Some(children) = &mut line.children {
                self.put_in(children, out);
            }
        }
    }

    /// The place stays that of the use: that is where a wrong value is to be changed or explained.
    fn replace(&self, atom: &mut Atom, out: &mut Diagnostics) {
        let mut passed: Vec<String> = Vec::new();
        while let Some(tag) = &atom.tag
            && tag.value == "let"
        {
            let name = atom.as_str().unwrap_or_default().to_owned();
            if passed.contains(&name) {
                let finding = Diagnostic::new(&codes::WRONG_VALUE, format!("the constant `{name}` is made of itself"));
                let declared = self.values.get(&name).map(|it| it.1);
                let finding = finding.at(atom.span, "used here").label(declared, "declared here");
                out.push(finding.help(format!("give it a value of its own: `let {name} \"…\"`")));
                return;
            }
            let Some((value, _)) = self.values.get(&name) else {
                if !self.incomplete && !self.broken.contains(&name) {
                    let finding = Diagnostic::new(&codes::UNKNOWN_NAME, format!("there is no constant `{name}`"));
                    let known: Vec<&str> = self.values.keys().map(String::as_str).collect();
                    let finding = finding.at(atom.span, "unknown");
                    let finding = did_you_mean(finding, &name, &known, "constants");
                    out.push(finding.help(format!("declare it: `let {name} \"…\"`")));
                }
                return;
            };
            atom.tag.clone_from(&value.tag);
            atom.scalar = value.scalar.clone();
            passed.push(name);
        }
    }
}
