//! What a Dockerfile says of the image that it builds: where that starts from, which files of the project it is
//! given, and what it runs.

use std::collections::BTreeMap;

use telstack_diagnostics::{FileId, Span};
use telstack_system::{Origin, Sourced};

use crate::compose::read::values::{self, interpolate};

/// Longest chain of stages that build on each other.
const DEEPEST: usize = 32;

/// One stage, on top of the stages of the same file that it builds on.
#[derive(Clone, Debug, Default)]
pub(super) struct Image {
    /// The image that it starts from.
    pub(super) from: Option<Sourced<String>>,
    /// Files and folders of the project that are copied into it: from, to.
    pub(super) copies: Vec<(String, Sourced<String>)>,
    /// The program, and what it is told first.
    pub(super) entrypoint: Option<Vec<Sourced<String>>>,
    /// What it is told where nobody says anything else.
    pub(super) command: Option<Vec<Sourced<String>>>,
}

/// The image that a Dockerfile builds, up to the stage of that name or to the end. `given` are arguments.
pub(super) fn read(file: FileId, text: &str, target: Option<&str>, given: &BTreeMap<String, String>) -> Option<Image> {
    let mut arguments = BTreeMap::new();
    let mut stages: Vec<(String, Image)> = Vec::new();
    for instruction in instructions(text) {
        let at = Origin::written(Span::new(file, instruction.start, instruction.end));
        let rest = instruction.rest.as_str();
        let sourced = |value: String| Sourced::new(value, at.clone());
        if instruction.name == "ARG" && stages.is_empty() {
            let (name, default) = rest.split_once('=').unwrap_or((rest, ""));
            let value = given.get(name).cloned().unwrap_or_else(|| default.trim_matches('"').to_owned());
            arguments.insert(name.to_owned(), value);
            continue;
        }
        if instruction.name == "FROM" {
            let mut words = rest.split_whitespace().filter(|word| !word.starts_with("--"));
            let from = interpolate(words.next()?, &arguments);
            let named = words.next().filter(|it| it.eq_ignore_ascii_case("as")).and_then(|_| words.next());
            let earlier = stages.iter().find(|(name, _)| name.eq_ignore_ascii_case(&from)).map(|(_, it)| it.clone());
            let image = earlier.unwrap_or_else(|| Image { from: Some(sourced(from)), ..Image::default() });
            if stages.len() >= DEEPEST || stages.last().is_some_and(|(name, _)| is_target(name, target)) {
                break;
            }
            stages.push((named.unwrap_or_default().to_owned(), image));
            continue;
        }
        let Some((_, image)) = stages.last_mut() else { continue };
        match instruction.name.as_str() {
            "COPY" | "ADD" => image.copies.extend(copy(rest).map(|(from, to)| (from, sourced(to)))),
            "CMD" => image.command = Some(words(rest).into_iter().map(sourced).collect()),
            "ENTRYPOINT" => {
                image.entrypoint = Some(words(rest).into_iter().map(sourced).collect());
                // What the image that it starts from says is forgotten.
                image.command = None;
            }
            _ => {}
        }
    }
    let (name, image) = stages.pop()?;
    (target.is_none() || is_target(&name, target)).then_some(image)
}

fn is_target(name: &str, target: Option<&str>) -> bool {
    target.is_some_and(|target| !name.is_empty() && name.eq_ignore_ascii_case(target))
}

struct Instruction {
    name: String,
    rest: String,
    start: usize,
    end: usize,
}

/// The instructions of a Dockerfile, those over several lines put together.
fn instructions(text: &str) -> Vec<Instruction> {
    let mut found: Vec<Instruction> = Vec::new();
    let mut open = false;
    let mut until: Option<String> = None;
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let (start, plain) = (at, line.trim());
        at += line.len();
        if let Some(word) = &until {
            if plain == word {
                until = None;
            }
            continue;
        }
        if plain.is_empty() || plain.starts_with('#') {
            continue;
        }
        let goes_on = plain.ends_with('\\');
        let words = plain.trim_end_matches('\\').trim_end();
        let indent = line.len() - line.trim_start().len();
        let end = start + indent + plain.len();
        if let Some(last) = found.last_mut().filter(|_| open) {
            last.rest.push(' ');
            last.rest.push_str(words);
            last.end = end;
        } else {
            let (name, rest) = words.split_once(char::is_whitespace).unwrap_or((words, ""));
            let (name, rest) = (name.to_ascii_uppercase(), rest.trim().to_owned());
            found.push(Instruction { name, rest, start: start + indent, end });
        }
        open = goes_on;
        let here = words.split_once("<<").map(|(_, word)| word.trim_start_matches('-'));
        let word = here.and_then(|it| it.split_whitespace().next()).map(|it| it.trim_matches(['"', '\'']).to_owned());
        until = word.filter(|it| it.starts_with(|c: char| c.is_ascii_alphabetic()));
    }
    found
}

/// `a /etc/b` of the project; none where it is from elsewhere, several, or a pattern.
fn copy(rest: &str) -> Option<(String, String)> {
    let words = words(rest);
    let mut paths = words.iter().map(String::as_str).filter(|word| !word.starts_with("--"));
    let (from, to) = (paths.next()?, paths.next()?);
    let odd = |path: &str| path.contains(['*', '?', '$', '<']) || path.contains("://");
    let elsewhere = words.iter().any(|word| word.starts_with("--from"));
    if elsewhere || paths.next().is_some() || odd(from) || odd(to) || !to.starts_with('/') {
        return None;
    }
    let name = from.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    // A file that is copied into a folder keeps its name.
    let to = if to.ends_with('/') && name.contains('.') && name != "." { format!("{to}{name}") } else { to.to_owned() };
    Some((from.trim_start_matches('/').to_owned(), to))
}

/// The words of `["a", "b"]` or of `a b`.
fn words(rest: &str) -> Vec<String> {
    let listed = rest.strip_prefix('[').and_then(|it| it.strip_suffix(']'));
    match listed {
        Some(list) => values::split(&list.replace(',', " ")),
        None => values::split(rest),
    }
}

#[cfg(test)]
mod tests {
    use telstack_diagnostics::SourceMap;

    use super::*;

    fn image(text: &str, target: Option<&str>) -> Option<Image> {
        let file = SourceMap::default().add("Dockerfile", text);
        read(file, text, target, &[("TAG".to_owned(), "3.1.0".to_owned())].into())
    }

    fn plain(words: Option<Vec<Sourced<String>>>) -> Vec<String> {
        words.unwrap_or_default().into_iter().map(|it| it.value).collect()
    }

    #[test]
    fn the_last_stage_counts() {
        let text = "# syntax\nARG TAG=2.0\nFROM alpine AS build\nRUN <<EOF\nFROM nothing\nEOF\n\
                    from --platform=x grafana/loki:${TAG} as run\nCOPY --chown=1 ./a.yaml \\\n  /etc/loki/\n\
                    COPY --from=build /x /y\nCOPY a b /c/\nCMD [\"-config.file=/etc/loki/a.yaml\", \"-x\"]\n";
        let read = image(text, None).expect("an image");
        assert_eq!(read.from.map(|it| it.value).as_deref(), Some("grafana/loki:3.1.0"));
        let copies: Vec<_> = read.copies.iter().map(|(from, to)| (from.as_str(), to.value.as_str())).collect();
        assert_eq!(copies, [("./a.yaml", "/etc/loki/a.yaml")]);
        assert_eq!(plain(read.command), ["-config.file=/etc/loki/a.yaml", "-x"]);
        assert_eq!(image(text, Some("build")).and_then(|it| it.from).map(|it| it.value).as_deref(), Some("alpine"));
        assert!(image(text, Some("other")).is_none() && image("RUN x", None).is_none());
    }

    #[test]
    fn stages_build_on_each_other() {
        let text = "FROM prom/prometheus:v3.0.0 AS base\nCMD --a\nFROM base\nENTRYPOINT [\"/bin/prometheus\"]\n";
        let read = image(text, None).expect("an image");
        assert_eq!(read.from.map(|it| it.value).as_deref(), Some("prom/prometheus:v3.0.0"));
        assert_eq!((plain(read.entrypoint), read.command.is_none()), (vec!["/bin/prometheus".to_owned()], true));
    }
}
