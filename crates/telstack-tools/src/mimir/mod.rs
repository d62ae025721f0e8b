//! Mimir's configuration. The stack language has no word for Mimir, so nothing is written for it.

mod read;

pub(crate) use read::read;
