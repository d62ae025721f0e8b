//! Tempo's configuration.

mod emit;
mod read;

pub(crate) use emit::emit;
pub(crate) use read::read;

/// Where the age of blocks is limited: 2.x has the compactor for it, 3.0 a worker.
const RETENTION: [&[&str]; 2] =
    [&["compactor", "compaction", "block_retention"], &["backend_worker", "compaction", "block_retention"]];
