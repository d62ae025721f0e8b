//! Chores of the project: `cargo xtask <chore>`.

mod catalog;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(about = "Chores of the project")]
struct Cli {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Subcommand)]
enum Chore {
    /// Rebuild the embedded catalog from a folder of facts
    Catalog {
        /// Folder with `otelcol` and `backends`
        #[arg(long)]
        facts: PathBuf,
        /// Write nothing; fail when the committed data is not what the facts give
        #[arg(long)]
        check: bool,
    },
}

fn main() -> ExitCode {
    let result = match Cli::parse().chore {
        Chore::Catalog { facts, check } => catalog::run(&facts, check),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
