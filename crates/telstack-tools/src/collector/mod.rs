//! The OpenTelemetry Collector's configuration.

mod emit;
mod manifest;
mod read;
mod schema;

pub(crate) use emit::emit;
pub use manifest::{Manifest, manifest};
pub(crate) use read::read_node;
pub use read::{Runs, read};
pub use schema::schema;
