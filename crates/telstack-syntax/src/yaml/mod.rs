//! YAML: a span-exact reader and a writer that quotes whatever any YAML reader could mistake.

mod merge;
mod read;
mod write;

pub use merge::{MERGE_KEY, merge_keys};
pub(crate) use read::{Read, Tagged, read_marked};
pub use read::{ReadError, read};
pub use write::{Texts, write, write_all};
pub(crate) use write::{comment, float, flow_scalar, is_block_text, scalar};
