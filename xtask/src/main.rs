//! Chores of the project: `cargo xtask <chore>`.

mod catalog;
mod golden;
mod links;
mod measure;
mod pictures;
mod rules;
mod tidy;

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
        #[arg(long, required_unless_present = "show")]
        facts: Option<PathBuf>,
        /// Write nothing; fail when the committed data is not what the facts give
        #[arg(long)]
        check: bool,
        /// Print the settings that the embedded catalog has instead: `receiver/otlp@0.120.0`
        #[arg(long, value_name = "KIND/NAME@RELEASE", num_args = 1.., conflicts_with_all = ["facts", "check"])]
        show: Vec<String>,
    },
    /// Compile every stack into its folder in `golden/`
    Golden,
    /// Measure whole runs of the optimised binary; needs valgrind and GNU time
    Measure {
        /// Only the runs that have this in their names
        #[arg(default_value = "")]
        only: String,
    },
    /// Check the house rules that no compiler checks
    Tidy,
    /// Draw the pictures of the README
    Pictures {
        /// Write nothing; fail when what is committed is not what telstack says today
        #[arg(long)]
        check: bool,
    },
    /// Rewrite the registry of rules, their docs pages and the published schemas
    Gen {
        /// Write nothing; fail when what is committed is not what the rules give
        #[arg(long)]
        check: bool,
    },
}

fn main() -> ExitCode {
    let result = match Cli::parse().chore {
        Chore::Catalog { facts: Some(facts), check, .. } => catalog::run(&facts, check),
        Chore::Catalog { show, .. } => show.iter().try_for_each(|what| {
            print!("{}", catalog::show(what)?);
            Ok(())
        }),
        Chore::Gen { check } => rules::run(check),
        Chore::Golden => golden::run(),
        Chore::Measure { only } => measure::run(&only),
        Chore::Pictures { check } => pictures::run(check),
        Chore::Tidy => tidy::run(),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
