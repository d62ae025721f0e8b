//! What the world's components are, by version.
//!
//! The catalog answers questions about collectors and telemetry stores: does this component exist in
//! that distribution at that release, what are its settings, which ports does it bind, what does this
//! image contain, which path takes remote write. Everything is embedded as text, one record a line,
//! and nothing is parsed before it is asked for. `docs/catalog.md` says where each fact comes from.

pub mod container;
pub mod host;
pub mod near;
pub mod operator;
pub mod otelcol;
pub mod product;
pub mod sdk;
mod signal;
mod text;
pub mod tokens;
mod version;

/// A value of the catalog as JSON has it.
pub use serde_json::Value as Json;
pub use signal::{ComponentKind, Distribution, Signal, SignalSet, UnknownWord};
pub use version::{Version, VersionRange};
