//! The command line: arguments, exit codes, and which output goes where.

mod args;
mod commands;
mod output;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    let args = args::Args::parse();
    let output = output::Output::new(args.color);
    let result = match args.command {
        args::Command::New(it) => commands::new(&output, &it),
        args::Command::Check(it) => commands::check(&output, &it),
        args::Command::Build(it) => commands::build(&output, &it),
        args::Command::Convert(it) => commands::convert(&output, &it),
        args::Command::Fmt(it) => commands::fmt(&output, &it),
        args::Command::Why(it) => commands::why(&output, &it),
        args::Command::Rules(it) => Ok(commands::rules(&output, &it)),
        args::Command::Explain(it) => commands::explain(&output, &it),
        args::Command::Graph(it) => commands::graph(&output, &it),
        args::Command::Diff(it) => commands::diff(&output, &it),
        args::Command::Schema(it) => commands::schema(&output, &it),
        args::Command::SdkEnv(it) => commands::sdk_env(&output, &it),
        args::Command::Completions { shell } => {
            commands::completions(shell);
            Ok(output::Outcome::Clean)
        }
    };
    match result {
        Ok(outcome) => outcome.into(),
        Err(fatal) => {
            output.fatal(&fatal);
            output::Outcome::CouldNotRun.into()
        }
    }
}
