//! Does a value have the type that its setting wants? As lenient as the collector is: what it converts is
//! not worth a finding.

use telstack_catalog::otelcol::{SettingType, SettingsNode};
use telstack_syntax::tree::Kind;
use telstack_system::{Value, units::Bytes, units::Period};

use super::ProblemKind;
use crate::facts::nanoseconds;

/// What is wrong with a literal value, if anything.
pub(super) fn problem(value: &Value, tree: &SettingsNode) -> Option<ProblemKind> {
    if matches!(value.kind, Kind::Null) {
        return None;
    }
    let wrong = |wanted, hint| Some(ProblemKind::Type { wanted, found: value.describe(), hint });
    match (tree.ty, &value.kind) {
        (SettingType::Any | SettingType::List, Kind::Seq(_))
        | (SettingType::Any | SettingType::Map, Kind::Map(_))
        | (SettingType::Bool, Kind::Bool(_))
        | (SettingType::Int, Kind::Int(_))
        | (SettingType::Float, Kind::Int(_) | Kind::Float(_))
        | (SettingType::Any, _) => None,
        (SettingType::String, Kind::Seq(_) | Kind::Map(_)) => wrong("a string", None),
        (SettingType::String, _) => word(value, tree),
        (SettingType::Bool, Kind::String(text)) if matches!(text.as_str(), "true" | "false") => {
            wrong("a boolean", Some(format!("take the quotes off: `#{text}`")))
        }
        (SettingType::Bool, _) => wrong("a boolean", None),
        (SettingType::Int, Kind::Float(number)) if number.fract() == 0.0 => None,
        (SettingType::Int, Kind::String(text)) if text.trim().parse::<i64>().is_ok() => None,
        (SettingType::Int, Kind::String(text)) => {
            let size = |bytes: Bytes| {
                format!("write a number in the unit that the key names: {text} is {} bytes", bytes.bytes())
            };
            wrong("a whole number", Bytes::parse(text).map(size))
        }
        (SettingType::Int, _) => wrong("a whole number", None),
        (SettingType::Float, Kind::String(text)) if text.trim().parse::<f64>().is_ok() => None,
        (SettingType::Float, _) => wrong("a number", None),
        (SettingType::Duration, kind) => duration(kind, value),
        (SettingType::List, Kind::Map(_)) => wrong("a list", None),
        // The collector makes a list of one value.
        (SettingType::List, _) => None,
        (SettingType::Map, _) => wrong("a map", None),
    }
}

/// Upstream reads such words in any case.
fn word(value: &Value, tree: &SettingsNode) -> Option<ProblemKind> {
    let found = match &value.kind {
        Kind::String(text) if !text.is_empty() => text.clone(),
        _ => return None,
    };
    if tree.enumeration.is_empty() || tree.enumeration.iter().any(|word| word.eq_ignore_ascii_case(&found)) {
        return None;
    }
    let allowed = tree.enumeration.iter().filter(|word| !word.is_empty()).map(ToString::to_string).collect();
    Some(ProblemKind::Word { found, allowed })
}

fn duration(kind: &Kind<telstack_system::Origin>, value: &Value) -> Option<ProblemKind> {
    match kind {
        Kind::Int(0) => None,
        Kind::Int(number) => Some(ProblemKind::Unit {
            found: number.to_string(),
            hint: Some(format!("write a unit: `{number}s`, `{number}m` or `{number}ms`")),
        }),
        Kind::Float(number) => Some(ProblemKind::Unit {
            found: number.to_string(),
            hint: Some(format!("write a unit: `{number}s`, `{number}m` or `{number}ms`")),
        }),
        Kind::String(text) if text.is_empty() || nanoseconds(text).is_some() => None,
        Kind::String(text) => {
            let bare = text.trim().parse::<f64>().is_ok();
            let hint = match Period::parse(text) {
                Some(period) => Some(format!("write `{}`", period.go())),
                None if bare => Some(format!("write a unit: `{0}s`, `{0}m` or `{0}ms`", text.trim())),
                None => None,
            };
            Some(ProblemKind::Unit { found: text.clone(), hint })
        }
        _ => Some(ProblemKind::Type { wanted: "a duration", found: value.describe(), hint: None }),
    }
}
