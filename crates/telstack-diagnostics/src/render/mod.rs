//! Findings as text. Each format is a pure function of the findings and their sources.

mod human;
pub mod json;

pub use human::{Colour, human, summary};
