//! What a user does with a stack, or with files written by hand, as plain data: compile, check, build, compare,
//! explain, draw.
//!
//! The command line is one caller; a language server is to be another. Files are reached through
//! [`Files`] only, so that both can bring their own.
//!
//! Invariant: nothing here prints, and nothing but [`DiskFiles`] touches a disk.

mod acting;
mod build;
mod check;
mod clusters;
mod compile;
mod derived;
mod diff;
mod draw;
mod dump;
mod explain;
mod files;
mod ir;
mod new;
mod rewrite;
mod schema;
mod sdk;
mod why;

pub use acting::{
    Baseline, BaselineError, Changed, Chosen, Findings, Fixed, FixedFile, Policy, SETTINGS, Settings, SettingsFile,
    SettingsFrom, fix, fixable, settings_schema,
};
pub use build::{BuildError, BuildReport, MANIFEST, Stale, build, check_folder};
pub use check::{
    Assumed, AssumedError, BuiltBy, CheckFailure, Checked, FileKind, Input, Request, Told, check, check_all,
    check_told, checkable, kind,
};
pub use compile::{Compiled, compile};
pub use derived::{Decision, Derivation, DerivedGroup, derivation};
pub use diff::{Change, EdgeDiff, FileDiff, Kind, NodeDiff, StackDiff, diff};
pub use draw::{Theme, dot, mermaid, svg};
pub use dump::{Dump, DumpError, RAW, dump_ir, pass_list};
pub use explain::{all_rules, nearest_code, rule};
pub use files::{Claim, DiskFiles, Files, LARGEST, MemoryFiles, Mode, ReadFailure, Walk, Walked};
pub use new::{NewError, first_stack};
pub use rewrite::{Rewritten, Syntax, convert, format, includes};
pub use schema::{Described, schema};
pub use sdk::{SdkError, sdk_env};
pub use telstack_tools::SdkFormat;
pub use why::{Why, WhyError, WhyOrigin, why};
