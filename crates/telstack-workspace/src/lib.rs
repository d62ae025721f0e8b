//! What a user does with a stack, as plain data: compile, build, explain, draw.
//!
//! The command line is one caller; a language server is to be another. Files are reached through
//! [`Files`] only, so that both can bring their own.
//!
//! Invariant: nothing here prints, and nothing but [`DiskFiles`] touches a disk.

mod build;
mod compile;
mod draw;
mod explain;
mod files;
mod new;
mod rewrite;
mod why;

pub use build::{BuildError, BuildPlan, BuildReport, MANIFEST, Stale, check_folder, plan, write};
pub use compile::{Compiled, compile};
pub use draw::{dot, mermaid};
pub use explain::{all_rules, nearest_code, rule};
pub use files::{DiskFiles, Files, MemoryFiles, Mode, ReadFailure};
pub use new::{NewError, first_stack};
pub use rewrite::{Rewritten, format};
pub use why::{Why, WhyError, WhyOrigin, why};
