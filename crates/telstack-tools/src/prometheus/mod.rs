//! Prometheus: its configuration, its alert rules and its web file.

mod emit;
mod read;

pub(crate) use emit::emit;
pub(crate) use read::read;
