//! What compose makes of `$` where something else was meant to see it.

use std::collections::{BTreeMap, BTreeSet};

use telstack_diagnostics::{Change, Diagnostic, Edit, Fix, RuleInfo, Severity, Span};
use telstack_syntax::tree::Kind;
use telstack_system::{Value, expansion};

use super::{
    merge::pairs,
    values::{Reference, Variables},
};
use crate::folder::Folder;

pub(crate) static RULE: RuleInfo = RuleInfo {
    code: "E003",
    name: "compose-dollar-interpolation",
    severity: Severity::Error,
    summary: "Compose fills in a `$` that a program inside was meant to see.",
    why: "Compose reads every `$` of its file first: in commands, variables and configurations that stand in it. \
          `${env:TOKEN}` is nothing that it knows, so it refuses the file: `invalid interpolation format`. `$TOKEN` it \
          fills in from its own environment, where a variable of the container is not set: nothing is left.",
    bad: "configs:\n  otel:\n    content: |\n      exporters: {otlp_grpc: {endpoint: '${env:GATEWAY}'}}",
    good: "configs:\n  otel:\n    content: |\n      exporters: {otlp_grpc: {endpoint: '$${env:GATEWAY}'}}",
    silent: "`$$`; a `$` before neither a name nor `{`, such as `$1` and `$(date)`, which compose leaves alone; files \
             that compose does not read itself; keys that start with `x-`. A variable that compose can fill in is a \
             warning, and only where the same file gives it to that container and `.env` does not.",
    sources: &[
        "https://docs.docker.com/reference/compose-file/interpolation/",
        "https://github.com/docker/compose/issues/4485",
        "https://github.com/docker/compose/issues/3768",
        "https://github.com/compose-spec/compose-go/pull/307",
    ],
};

/// Parts of a service that a program inside reads.
const READ_INSIDE: [&str; 3] = ["command", "entrypoint", "healthcheck"];

/// Looks at all texts of a compose file.
pub(super) fn check(document: &Value, variables: &Variables, folder: &mut Folder<'_>) {
    let mut texts = Texts { document, anchored: None, told: BTreeSet::new() };
    refused(document, &mut texts, folder);
    let services = document.at("services").and_then(Value::as_map);
    let mut anywhere = BTreeSet::new();
    for service in services.into_iter().flatten() {
        let mut given: BTreeSet<String> =
            service.value.at("environment").map(set_inside).unwrap_or_default().into_iter().collect();
        given.retain(|name| !variables.contains_key(name));
        for key in READ_INSIDE {
            if let Some(value) = service.value.at(key) {
                emptied(value, &given, &mut texts, folder);
            }
        }
        anywhere.append(&mut given);
    }
    for config in document.at("configs").and_then(Value::as_map).into_iter().flatten() {
        // Whoever has it mounted may read it.
        if let Some(value) = config.value.at("content") {
            emptied(value, &anywhere, &mut texts, folder);
        }
    }
}

/// The texts of a compose file, and those of which something was said.
struct Texts<'v> {
    document: &'v Value,
    /// Where each text with a `$` is written out, for those who name it by an alias.
    anchored: Option<BTreeMap<&'v str, &'v Value>>,
    told: BTreeSet<Span>,
}

impl<'v> Texts<'v> {
    /// Where a text is written out, the first time that it is asked for.
    fn place(&mut self, value: &'v Value, text: &str, folder: &Folder<'_>) -> Option<Span> {
        let written = |value: &Value| value.mark.span().filter(|_| value.mark.is_written());
        let mut span = written(value)?;
        if folder.source(span).starts_with('*') {
            let document = self.document;
            let anchored = self.anchored.get_or_insert_with(|| {
                let mut found = BTreeMap::new();
                written_out(document, folder, &mut found);
                found
            });
            span = written(anchored.get(text)?)?;
        }
        self.told.insert(span).then_some(span)
    }
}

fn written_out<'v>(value: &'v Value, folder: &Folder<'_>, found: &mut BTreeMap<&'v str, &'v Value>) {
    let alias = || value.mark.span().is_none_or(|span| folder.source(span).starts_with('*'));
    match &value.kind {
        Kind::String(text) if text.contains('$') && !alias() => {
            found.entry(text).or_insert(value);
        }
        Kind::Seq(seq) => seq.items.iter().for_each(|item| written_out(item, folder, found)),
        Kind::Map(map) => map.iter().for_each(|entry| written_out(&entry.value, folder, found)),
        _ => {}
    }
}

/// The variables that a service sets by itself, whatever compose's own are.
fn set_inside(environment: &Value) -> Vec<String> {
    let Kind::Map(map) = pairs(environment.clone()) else { return Vec::new() };
    let own = |value: &Value| value.as_str().map_or(!matches!(value.kind, Kind::Null), |text| !text.contains('$'));
    map.iter().filter(|entry| own(&entry.value)).map(|entry| entry.key.clone()).collect()
}

fn refused<'v>(value: &'v Value, texts: &mut Texts<'v>, folder: &mut Folder<'_>) {
    match &value.kind {
        Kind::String(text) if text.contains('$') => {
            let found = dollars(text).into_iter().filter(|it| it.name.is_none());
            report(value, text, &found.collect::<Vec<_>>(), texts, folder, |written| {
                Diagnostic::new(&RULE, format!("`{written}` is nothing that compose can fill in"))
                    .note("compose refuses the whole file: `invalid interpolation format`")
            });
        }
        Kind::Seq(seq) => seq.items.iter().for_each(|item| refused(item, texts, folder)),
        Kind::Map(map) => {
            for entry in map.iter().filter(|entry| !entry.key.starts_with("x-")) {
                refused(&entry.value, texts, folder);
            }
        }
        _ => {}
    }
}

fn emptied<'v>(value: &'v Value, given: &BTreeSet<String>, texts: &mut Texts<'v>, folder: &mut Folder<'_>) {
    match &value.kind {
        Kind::String(text) if text.contains('$') => {
            let found = dollars(text).into_iter().filter(|it| it.name.is_some_and(|name| given.contains(name)));
            report(value, text, &found.collect::<Vec<_>>(), texts, folder, |written| {
                Diagnostic::new(&RULE, format!("compose fills in `{written}` before the container sees it"))
                    .severity(Severity::Warning)
                    .note("compose takes it from its own environment, not from the container's")
            });
        }
        Kind::Seq(seq) => seq.items.iter().for_each(|item| emptied(item, given, texts, folder)),
        Kind::Map(map) => map.iter().for_each(|entry| emptied(&entry.value, given, texts, folder)),
        _ => {}
    }
}

/// A `$` of a text that compose does not leave alone.
struct Dollar<'a> {
    /// Which of all that the text has, and how long what it starts is.
    number: usize,
    length: usize,
    written: &'a str,
    /// The variable; none where compose understands nothing.
    name: Option<&'a str>,
}

/// All that compose would fill in without anything to fall back to, or not understand.
fn dollars(text: &str) -> Vec<Dollar<'_>> {
    let braces = expansion::braces(text, |_| true);
    let (mut found, mut number, mut at) = (Vec::new(), 0, 0);
    while let Some(next) = text[at..].find('$') {
        let start = at + next;
        let tail = &text[start + 1..];
        if tail.starts_with('$') {
            (at, number) = (start + 2, number + 2);
            continue;
        }
        let (length, reference) = if tail.starts_with('{') {
            match expansion::closed_at(&braces, start + 1) {
                Some(close) => (close + 1 - start, Reference::parse(&text[start + 2..close])),
                None => (2, None),
            }
        } else {
            let end = tail.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(tail.len());
            let Some(reference) = Reference::parse(&tail[..end]) else {
                // It stays as it is.
                (at, number) = (start + 1, number + 1);
                continue;
            };
            (end + 1, Some(reference))
        };
        let written = &text[start..start + length];
        match reference {
            None => found.push(Dollar { number, length, written, name: None }),
            Some(it) if it.operator.is_empty() => found.push(Dollar { number, length, written, name: Some(it.name) }),
            Some(_) => {}
        }
        number += 1 + text[start + 1..start + length].matches('$').count();
        at = start + length;
    }
    found
}

/// Reports the first of them, at its place, and doubles all.
fn report<'v>(
    value: &'v Value,
    text: &str,
    found: &[Dollar<'_>],
    texts: &mut Texts<'v>,
    folder: &mut Folder<'_>,
    finding: impl FnOnce(&str) -> Diagnostic,
) {
    let Some(first) = found.first() else { return };
    let Some(span) = texts.place(value, text, folder) else { return };
    let raw = folder.source(span);
    let places: Vec<usize> = raw.match_indices('$').map(|(at, _)| at).collect();
    // Quoted in a way that hides some of them, nobody can tell which is which.
    let whole = places.len() == text.matches('$').count();
    let place = |it: &Dollar<'_>| places.get(it.number).copied().filter(|_| whole);
    let at = place(first).map_or(span, |at| {
        let end = (at + first.length).min(raw.len());
        Span::new(span.file, span.range().start + at, span.range().start + end)
    });
    let shown = first.written;
    let double = |it: &Dollar<'_>| {
        let at = span.range().start + place(it)?;
        Some(Change::Replace(Edit { span: Span::new(span.file, at, at), text: "$".to_owned() }))
    };
    let changes: Option<Vec<Change>> = found.iter().map(double).collect();
    let finding =
        finding(shown).at(at, "compose reads this").help(format!("write `${shown}`: compose makes one `$` of two"));
    let safe = finding.severity == Severity::Error;
    let title = "double the `$`";
    folder.out.push(match changes {
        Some(changes) if safe => finding.fix(Fix::safe(title, changes)),
        Some(changes) => finding.fix(Fix::unsafe_(title, changes)),
        None => finding,
    });
}

#[cfg(test)]
mod tests {
    use super::dollars;

    #[test]
    fn what_compose_does_not_understand() {
        let wrong = |text| dollars(text).iter().filter(|it| it.name.is_none()).count();
        for text in ["${env:X}", "${", "${1}", "${A:x}", "${}", "$1 ${2}"] {
            assert_eq!(wrong(text), 1, "{text}");
        }
        for text in ["$1", "^(.*)$", "$(date)", "$@", "$|", "a$ b", "$", "$é"] {
            assert_eq!(dollars(text).len(), 0, "{text}");
        }
        for text in ["$$1", "$A", "${A}", "${A:-x}", "${A:?no}", "${A:+${B}}", "$$", "$${env:X}", "$_x"] {
            assert_eq!(wrong(text), 0, "{text}");
        }
        let numbers: Vec<usize> = dollars("$$ ${1} ${A:-$B} $3 ${2}").iter().map(|it| it.number).collect();
        assert_eq!(numbers, [2, 6]);
        assert_eq!(dollars("x $A ${B}").iter().filter_map(|it| it.name).collect::<Vec<_>>(), ["A", "B"]);
    }
}
