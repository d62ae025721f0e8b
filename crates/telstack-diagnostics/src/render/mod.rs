//! Findings as text. Each format is a pure function of the findings and their sources.

mod excerpt;
mod github;
mod gitlab;
mod human;
pub mod json;
mod junit;
mod page;
mod sarif;
mod statistics;

pub use excerpt::printable;
pub use github::github;
pub use gitlab::gitlab;
pub use human::{Colour, human, summary};
pub use junit::junit;
pub use page::rule_page;
pub use sarif::sarif;
pub use statistics::{statistics, statistics_json};

/// Indented JSON, ending in a newline. Strings, numbers, lists and maps of them always serialise.
fn pretty(value: &impl serde::Serialize) -> String {
    let mut out = serde_json::to_string_pretty(value).unwrap_or_default();
    out.push('\n');
    out
}
