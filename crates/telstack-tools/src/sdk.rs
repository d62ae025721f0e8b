//! What programs with an SDK of OpenTelemetry are told, for people to put where the programs run.

use telstack_syntax::yaml;
use telstack_system::{EnvValue, EnvVar, NodeId, System, passes};

use crate::{doc, kubernetes};

/// The form of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SdkFormat {
    /// `env` of a container in Kubernetes.
    Container,
    /// Lines of `NAME=value`, for everything else.
    Dotenv,
}

/// The environment of programs that send to a node, or are one. None where the node takes no OTLP.
pub fn sdk_env(system: &System, id: NodeId, format: SdkFormat) -> Option<String> {
    let variables = passes::environment_for(system, id)?;
    let node = system.node(id);
    let who = if node.collector().is_some() { "programs that send to" } else { "the containers of" };
    let header = format!("For {who} `{}` of the stack \"{}\"", node.name, system.name);
    Some(match format {
        SdkFormat::Container => {
            let env = variables.iter().map(|it| kubernetes::variable(system, it));
            let origin = doc::follows("its environment", &[&node.origin]);
            let document = node.origin.map([("env", origin.block(env))]);
            yaml::write(&header, &node.origin, &document).text
        }
        SdkFormat::Dotenv => {
            let lines: Vec<String> = variables.iter().filter_map(line).collect();
            format!("# {header}\n{}\n", lines.join("\n"))
        }
    })
}

/// What only a pod has is left out, and what is secret is to be filled in.
fn line(variable: &EnvVar) -> Option<String> {
    let value = match &variable.value {
        EnvValue::Literal(text) if !text.contains("$(") => text,
        EnvValue::Required(_) => "",
        EnvValue::Literal(_) | EnvValue::Field(_) => return None,
    };
    Some(format!("{}={value}", variable.name))
}
