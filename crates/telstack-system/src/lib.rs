//! The System: nodes placed in containers, joined by typed edges, each value with its origin.
//!
//! The stack language makes a System; reading what people already have makes one too. The passes
//! complete it, the rules judge it, the tools write it down.
//!
//! Invariants: no file format and no stack syntax is known here; petgraph types do not leave this crate.

pub mod access;
mod canonical;
pub mod expansion;
pub mod glob;
mod graph;
mod known;
pub mod link;
mod model;
mod origin;
pub mod passes;
pub mod units;
mod wiring;

pub use canonical::canonical;
pub use graph::{Circles, EdgeId, NodeId, System, circles_among, shortest_circle};
pub use known::Known;
pub use model::*;
pub use origin::{Origin, OriginKind, Settings, Sourced, Value};
pub use passes::RULES;
pub use wiring::{Mention, Wiring};
