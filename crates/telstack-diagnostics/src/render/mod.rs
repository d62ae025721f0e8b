//! Findings as text. Each format is a pure function of the findings and their sources.

mod human;
pub mod json;
mod page;

pub use human::{Colour, human, summary};
pub use page::rule_page;
