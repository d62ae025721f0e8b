//! `sdk-env`: what programs are told that send telemetry.

use std::path::PathBuf;

use telstack_diagnostics::Severity;
use telstack_workspace::{SdkError, SdkFormat, sdk_env as environment};

use super::{read, report, stacks};
use crate::{
    args::{SdkEnv, SdkEnvFormat},
    output::{Fatal, Outcome, Output},
};

/// `sdk-env`.
pub fn sdk_env(output: &Output, args: &SdkEnv) -> Result<Outcome, Fatal> {
    let stack = match &args.stack {
        Some(stack) => stack.clone(),
        None => only_stack()?,
    };
    let compiled = read(&stack)?;
    // What is wrong elsewhere does not matter, but what is wrong may be here.
    if compiled.has(Severity::Error) {
        return Ok(report(output, &compiled, Severity::Error));
    }
    let format = match args.format {
        SdkEnvFormat::Container => SdkFormat::Container,
        SdkEnvFormat::Dotenv => SdkFormat::Dotenv,
    };
    let node = &args.node;
    let listed = |known: Vec<String>| match known.as_slice() {
        [] => "no node of the stack takes OTLP: declare `receiver \"otlp\"` in a collector".to_owned(),
        known => format!("there is {}", known.join(", ")),
    };
    match environment(&compiled, node, format) {
        Ok(text) => {
            output.print(&text);
            Ok(Outcome::Clean)
        }
        Err(SdkError::Unknown(Some(near), _)) => {
            Err(Fatal::new(format!("there is no node `{node}`")).help(format!("did you mean `{near}`?")))
        }
        Err(SdkError::Unknown(None, known)) => {
            Err(Fatal::new(format!("there is no node `{node}`")).help(listed(known)))
        }
        Err(SdkError::TakesNone(known)) => {
            Err(Fatal::new(format!("programs cannot send to `{node}`: it takes no OTLP from them")).help(listed(known)))
        }
        Err(SdkError::Several(names)) => Err(Fatal::new(format!("several clusters have a node `{node}`"))
            .help(format!("say which one: {}", names.join(", ")))),
    }
}

/// The stack of the working folder.
fn only_stack() -> Result<PathBuf, Fatal> {
    let mut found = stacks(&[PathBuf::from(".")])?;
    match found.as_slice() {
        [_] => Ok(found.remove(0)),
        several => {
            let names: Vec<String> = several.iter().map(|it| it.display().to_string()).collect();
            Err(Fatal::new("there are several stacks here").help(format!("name one of them: {}", names.join(", "))))
        }
    }
}
