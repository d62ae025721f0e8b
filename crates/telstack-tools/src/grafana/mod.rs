//! Grafana's provisioning.

mod emit;
mod ini;
mod read;

pub(crate) use emit::emit;
pub(crate) use read::read;
