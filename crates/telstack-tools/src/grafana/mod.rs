//! Grafana's provisioning.

mod dashboard;
mod emit;
mod ini;
mod read;

pub(crate) use emit::emit;
pub(crate) use read::read;
