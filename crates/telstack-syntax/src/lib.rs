//! Text to spanned trees and back.
//!
//! - [`tree`]: the value tree that settings and emitted files share; each node carries a mark (a span
//!   when it was read, an origin when it was derived).
//! - [`stack`]: the tree of a stack description, and its KDL reader.
//! - [`yaml`], [`json`], [`env`]: readers and writers. Writers report which mark each line came from.
//!
//! Invariant: nothing here knows what the text means.

pub mod env;
pub mod json;
pub mod stack;
pub mod tree;
mod written;
pub mod yaml;

pub use written::{Piece, Writer, Written};
