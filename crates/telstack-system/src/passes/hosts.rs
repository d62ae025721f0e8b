//! Collectors on machines outside of the cluster: programs that the machine itself starts.

use telstack_diagnostics::Diagnostics;

use super::Pass;
use crate::{
    graph::System,
    model::{ConfigFile, Machine, Node},
    origin::{Origin, Sourced},
};

const NAME: &str = "hosts";

pub(super) const PASS: Pass = Pass {
    name: NAME,
    reason: "give each collector on a machine outside of the cluster its place there, and what starts it",
    run,
};

/// The folder of what is for machines.
const FOLDER: &str = "hosts";

fn run(system: &mut System, _: &mut Diagnostics) {
    for id in system.node_ids() {
        let machine = machine(system.node(id));
        system.node_mut(id).machine = machine.map(Box::new);
    }
}

fn machine(node: &Node) -> Option<Machine> {
    let host = node.placement.host.as_ref()?;
    let collector = node.collector()?;
    let (title, layout) = (host.value.title(), host.value.layout());
    let because = [&node.origin, &host.origin];
    let origin = |reason: &str| Origin::fact(NAME, format!("{reason} on {title}"), &because);
    let target = format!("{}/{}.yaml", layout.configs, node.name);
    let program = format!("{}/{}", layout.programs, collector.distribution.value.binary());
    let label = format!("{}.{}", layout.label, node.name);
    let word = |text: String, reason: &str| Sourced::new(text, origin(reason));
    Some(Machine {
        command: vec![
            Sourced::new(program, Origin::fact(NAME, format!("where programs are on {title}"), &because)),
            word(format!("--config={target}"), "where its configuration is"),
        ],
        config: ConfigFile {
            role: "config",
            path: format!("{FOLDER}/{}/config.yaml", node.name),
            target,
            origin: origin("where its configuration is"),
        },
        service: format!("{FOLDER}/{}/{label}.plist", node.name),
        log: word(format!("{}/otelcol-{}.log", layout.logs, node.name), "where logs are"),
        label: word(label, "what it is called by what starts it"),
    })
}
