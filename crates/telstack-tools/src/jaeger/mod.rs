//! Jaeger: its configuration from 2.0 on, its environment before.

mod emit;
mod read;

pub(crate) use emit::emit;
pub(crate) use read::read;
