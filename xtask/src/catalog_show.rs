//! `cargo xtask catalog --show receiver/otlp@0.120.0`: a settings tree as lines, for a comparison by eye or by script.

use std::fmt::Write as _;

use telstack_catalog::otelcol::{SettingType, SettingsNode, component};
use telstack_catalog::{ComponentKind, Version};

use super::Error;

/// The settings of a component at a release, one `path: type [words]` a line. `[]` stands for a list's element, `*`
/// for keys of any name. A setting without a known tree gives the line `?`.
pub fn show(what: &str) -> Result<String, Error> {
    let bad = || format!("write KIND/NAME@RELEASE, like receiver/otlp@0.120.0, not {what}");
    let (path, release) = what.split_once('@').ok_or_else(bad)?;
    let (kind, name) = path.split_once('/').ok_or_else(bad)?;
    let kind: ComponentKind = kind.parse().map_err(|_| bad())?;
    let version = Version::parse(release).ok_or_else(bad)?;
    let component = component(kind, name).ok_or_else(|| format!("no component {path}"))?;
    let mut text = format!("# {what}\n");
    match component.settings(version) {
        Some(tree) => write("", &tree, &mut text),
        None => text.push_str("?\n"),
    }
    Ok(text)
}

fn write(path: &str, node: &SettingsNode, text: &mut String) {
    if !path.is_empty() {
        let ty = match node.ty {
            SettingType::String => "string",
            SettingType::Int => "int",
            SettingType::Float => "float",
            SettingType::Bool => "bool",
            SettingType::Duration => "duration",
            SettingType::List => "list",
            SettingType::Map => "map",
            SettingType::Any => "any",
        };
        let _ = write!(text, "{path}: {ty}");
        if !node.enumeration.is_empty() {
            let _ = write!(text, " [{}]", node.enumeration.join(" "));
        }
        text.push_str(if node.deprecated { " deprecated\n" } else { "\n" });
    }
    let dot = if path.is_empty() { "" } else { "." };
    for (key, child) in &node.children {
        write(&format!("{path}{dot}{key}"), child, text);
    }
    if node.open {
        let _ = writeln!(text, "{path}{dot}*: any");
    }
    if let Some(item) = &node.item {
        write(&format!("{path}[]"), item, text);
    }
}
