//! The OpenTelemetry Collector's configuration.

mod emit;
mod read;

pub(crate) use emit::emit;
pub use read::{Runs, read};
