//! YAML: a span-exact reader and a writer that quotes whatever any YAML reader could mistake.

mod read;
mod write;

pub use read::{ReadError, read};
pub(crate) use write::comment;
pub use write::write;
