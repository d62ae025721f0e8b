//! Does a value have the type that its setting wants? As lenient as the collector of that release is: what
//! it converts is not worth a finding.

use telstack_catalog::{
    Version,
    otelcol::{self, SettingType, SettingsNode},
};
use telstack_diagnostics::SourceMap;
use telstack_syntax::{tree::Kind, yaml};
use telstack_system::{
    Origin, Value,
    expansion::{self, Piece, YAML},
    units::{Bytes, Period},
};

use super::ProblemKind;
use crate::{facts::nanoseconds, words::either};

/// What is wrong with a value, if anything. Of a text that run time completes, what is known of it counts:
/// what stands around the reference, and what stands in for a variable that is not set.
pub(super) fn problem(value: &Value, tree: &SettingsNode, version: Version) -> Option<ProblemKind> {
    let strict = otelcol::is_strictly_typed(version);
    let judge = Judge { tree, strict };
    let Some(text) = value.as_str() else { return judge.known(&value.kind, value.describe()) };
    if expansion::is_placeholder(text) {
        return None;
    }
    if let Some(literal) = expansion::literal(text) {
        return judge.known(&Kind::String(literal.into_owned()), value.describe());
    }
    match expansion::sole(text) {
        Some(reference) => {
            if reference.scheme == YAML {
                return judge.default(reference.name);
            }
            let default = reference.default.filter(|_| otelcol::env_expansion(version).defaults)?;
            let problem = judge.default(default)?;
            Some(ProblemKind::Default { found: default.to_owned(), problem: Box::new(problem) })
        }
        None if strict => judge.around(&expansion::pieces(text)),
        None => None,
    }
}

struct Judge<'a> {
    tree: &'a SettingsNode,
    strict: bool,
}

impl Judge<'_> {
    fn known(&self, kind: &Kind<Origin>, found: &'static str) -> Option<ProblemKind> {
        let wrong = |wanted, hint| Some(ProblemKind::Type { wanted, found, hint, stops: true });
        let cut = || {
            let hint = Some("write a whole number: the collector cuts the rest off".to_owned());
            Some(ProblemKind::Type { wanted: "a whole number", found, hint, stops: false })
        };
        if !self.strict && self.is_converted(kind) {
            return None;
        }
        match (self.tree.ty, kind) {
            (_, Kind::Null)
            | (SettingType::Any, _)
            | (SettingType::List, Kind::Seq(_))
            | (SettingType::Map, Kind::Map(_))
            | (SettingType::Bool, Kind::Bool(_))
            | (SettingType::Int, Kind::Int(_))
            | (SettingType::Float, Kind::Int(_) | Kind::Float(_)) => None,
            (SettingType::String, Kind::String(text)) => self.word(text),
            (SettingType::String, Kind::Seq(_) | Kind::Map(_)) => wrong("a string", None),
            (SettingType::String, Kind::Int(_) | Kind::Float(_)) if self.is_level() => None,
            (SettingType::String, _) => wrong("a string", Some("put it in quotes".to_owned())),
            (SettingType::Bool, Kind::String(text)) if matches!(text.as_str(), "true" | "false") => {
                wrong("a boolean", Some(format!("take the quotes off: `{text}`, in a stack `#{text}`")))
            }
            (SettingType::Bool, _) => wrong("a boolean", None),
            (SettingType::Int, Kind::Float(number)) if number.fract() == 0.0 || number.is_infinite() => None,
            (SettingType::Int, Kind::Float(_)) => cut(),
            (SettingType::Int, Kind::String(text)) if text.trim().parse::<i64>().is_ok() => {
                wrong("a whole number", Some("take the quotes off".to_owned()))
            }
            (SettingType::Int, Kind::String(text)) => {
                let size = |bytes: Bytes| {
                    format!("write a number in the unit that the key names: {text} is {} bytes", bytes.bytes())
                };
                wrong("a whole number", Bytes::parse(text).map(size))
            }
            (SettingType::Int, _) => wrong("a whole number", None),
            (SettingType::Float, Kind::String(text)) if text.trim().parse::<f64>().is_ok() => {
                wrong("a number", Some("take the quotes off".to_owned()))
            }
            (SettingType::Float, _) => wrong("a number", None),
            (SettingType::Duration, kind) => duration(kind, found),
            // The collector makes a list of one text.
            (SettingType::List, Kind::String(_)) if self.holds_texts() => None,
            (SettingType::List, _) => wrong("a list", None),
            (SettingType::Map, _) => wrong("a map", None),
        }
    }

    /// Does a collector before 0.105.0 make one of the other?
    fn is_converted(&self, kind: &Kind<Origin>) -> bool {
        match (self.tree.ty, kind) {
            (SettingType::String, Kind::Bool(_) | Kind::Int(_) | Kind::Float(_))
            | (SettingType::Bool, Kind::Int(_))
            | (SettingType::List, Kind::Bool(_) | Kind::Int(_) | Kind::Float(_) | Kind::String(_)) => true,
            (SettingType::Bool, Kind::String(text)) => GO_TRUTHS.contains(&text.as_str()),
            (SettingType::Int, Kind::String(text)) => text.trim().parse::<i64>().is_ok(),
            (SettingType::Float, Kind::String(text)) => text.trim().parse::<f64>().is_ok(),
            (SettingType::Duration, Kind::String(text)) => text.is_empty(),
            _ => false,
        }
    }

    /// Levels are numbers to the collector as well.
    fn is_level(&self) -> bool {
        self.tree.enumeration.iter().any(|word| matches!(&**word, "detailed" | "dpanic"))
    }

    /// A list of texts, or of something that is not known.
    fn holds_texts(&self) -> bool {
        self.tree.item.as_ref().is_none_or(|item| matches!(item.ty, SettingType::String | SettingType::Any))
            || self.tree.item.as_ref().is_some_and(|item| item.ty == SettingType::Duration)
    }

    /// What stands for a variable that is not set, read as the collector reads it: as YAML, and as it stands
    /// where a text is wanted.
    fn default(&self, text: &str) -> Option<ProblemKind> {
        if text.contains('$') || text.trim().is_empty() {
            return None;
        }
        let mut sources = SourceMap::default();
        let documents = yaml::read(sources.add("", text), text).ok();
        // What is no YAML is text.
        let Some(value) = documents.and_then(|it| it.into_iter().next()) else {
            return self.known(&Kind::String(text.to_owned()), "a string");
        };
        let found = value.map_marks(&mut |_| Origin::builtin("check", "", &[]));
        match &found.kind {
            Kind::Seq(_) | Kind::Map(_) => self.known(&found.kind, found.describe()),
            // Text is taken as it was written, with quotes.
            _ if self.tree.ty == SettingType::String && !self.is_level() => self.word(text),
            kind => self.known(kind, found.describe()),
        }
    }

    /// A text with a reference in it is a text, whatever the reference stands for.
    fn around(&self, pieces: &[Piece<'_>]) -> Option<ProblemKind> {
        if !pieces.iter().any(|it| matches!(it, Piece::Reference(_))) {
            return None;
        }
        let edge = |piece: Option<&Piece<'_>>| match piece {
            Some(Piece::Text(text)) => (*text).to_owned(),
            _ => String::new(),
        };
        let (start, end) = (edge(pieces.first()), edge(pieces.last()));
        let wrong = |wanted| {
            let hint = Some("let the reference stand alone: beside it is text, so that it is text".to_owned());
            Some(ProblemKind::Type { wanted, found: "a string", hint, stops: true })
        };
        match self.tree.ty {
            SettingType::Bool => wrong("a boolean"),
            SettingType::Int => wrong("a whole number"),
            SettingType::Float => wrong("a number"),
            SettingType::Map => wrong("a map"),
            SettingType::Duration if start.starts_with(|c: char| c.is_ascii_alphabetic()) => {
                Some(ProblemKind::Unit { found: format!("{start}…"), hint: None, stops: true })
            }
            SettingType::String if !self.tree.enumeration.is_empty() => {
                let (start, end) = (start.to_ascii_lowercase(), end.to_ascii_lowercase());
                let fits = |word: &str| {
                    let word = word.to_ascii_lowercase();
                    word.starts_with(&start) && word.ends_with(&end) && word.len() >= start.len() + end.len()
                };
                let words = &self.tree.enumeration;
                (!words.iter().any(|word| fits(word)))
                    .then(|| ProblemKind::Word { found: format!("{start}…{end}"), allowed: self.allowed() })
            }
            _ => None,
        }
    }

    fn allowed(&self) -> Vec<String> {
        self.tree.enumeration.iter().filter(|word| !word.is_empty()).map(ToString::to_string).collect()
    }

    /// In any case and empty, unless a limit says otherwise.
    fn word(&self, text: &str) -> Option<ProblemKind> {
        let words = &self.tree.enumeration;
        if text.is_empty() || words.is_empty() || words.iter().any(|word| word.eq_ignore_ascii_case(text)) {
            return None;
        }
        Some(ProblemKind::Word { found: text.to_owned(), allowed: self.allowed() })
    }
}

fn duration(kind: &Kind<Origin>, found: &'static str) -> Option<ProblemKind> {
    let bare = |number: String, value: f64| {
        let hint = Some(format!("write a unit: {}", either(["s", "m", "ms"].map(|unit| format!("{number}{unit}")))));
        (value != 0.0).then_some(ProblemKind::Unit { found: number, hint, stops: false })
    };
    match kind {
        #[allow(clippy::cast_precision_loss)]
        Kind::Int(number) => bare(number.to_string(), *number as f64),
        Kind::Float(number) => bare(number.to_string(), *number),
        Kind::String(text) if nanoseconds(text).is_some() => None,
        Kind::String(text) => {
            let number = text.trim().parse::<f64>().is_ok();
            let hint = match Period::parse(text) {
                Some(period) => Some(format!("write `{}`", period.go())),
                None if number => Some(format!("write a unit: `{0}s`, `{0}m` or `{0}ms`", text.trim())),
                None => None,
            };
            Some(ProblemKind::Unit { found: text.clone(), hint, stops: true })
        }
        _ => Some(ProblemKind::Type { wanted: "a duration", found, hint: None, stops: true }),
    }
}

/// What Go reads as a truth value.
const GO_TRUTHS: [&str; 13] = ["", "1", "t", "T", "true", "TRUE", "True", "0", "f", "F", "false", "FALSE", "False"];
