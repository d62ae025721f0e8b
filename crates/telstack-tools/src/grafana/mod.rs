//! Grafana's provisioning.

mod emit;
mod read;

pub(crate) use emit::emit;
pub(crate) use read::read;
