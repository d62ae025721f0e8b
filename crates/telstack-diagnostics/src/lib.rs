//! Files, spans, findings and how they are shown.
//!
//! One [`Diagnostic`] type serves every layer: the parser, the stack language, the passes and the
//! rules. Renderers are pure functions of it; see [`render`].
//!
//! Invariant: nothing here knows what a stack, a collector or a rule is.

mod diagnostic;
mod fingerprint;
mod fix;
pub mod render;
mod rule;
mod source;

pub use diagnostic::{Diagnostic, Diagnostics, Label, Severity};
pub use fingerprint::{fingerprint, unique_fingerprints};
pub use fix::{Applicability, Change, Edit, Fix, Spot, apply};
pub use rule::RuleInfo;
pub use source::{FileId, LineColumn, SourceFile, SourceMap, Span};
