//! YAML: a span-exact reader and a writer that quotes whatever any YAML reader could mistake.

mod merge;
mod read;
mod write;

pub use merge::{MERGE_KEY, merge_keys};
pub use read::{ReadError, read};
pub(crate) use write::comment;
pub use write::write;
