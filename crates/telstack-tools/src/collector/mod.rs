//! The OpenTelemetry Collector's configuration.

mod emit;
mod environment;
mod keys;
mod manifest;
mod node;
mod read;
pub(crate) mod replaced;
mod schema;

pub use crate::remark::{Remark, remarks, remarks_of_loose};
pub(crate) use emit::emit;
pub use manifest::{Manifest, manifest};
pub use node::names_no_release;
pub(crate) use node::{adopt, read_node};
pub use read::{Configuration, Extent, Runs, read};
pub use schema::schema;
