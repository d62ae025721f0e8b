//! Findings as text. Each format is a pure function of the findings and their sources.

mod excerpt;
mod human;
pub mod json;
mod page;

pub use excerpt::printable;
pub use human::{Colour, human, summary};
pub use page::rule_page;
