//! What the containers of somebody else's Deployment are told, as a patch of it.

use telstack_syntax::yaml;
use telstack_system::{Node, Origin, Sourced, System, Value};

use super::variable;
use crate::{
    Artefact,
    doc::{self, Block},
};

/// The patch of a workload, where it is, and which container it is for.
pub(super) struct Patch<'a> {
    /// The namespace of the Deployment.
    pub namespace: &'a str,
    /// Its container.
    pub container: &'a Sourced<String>,
}

impl<'a> Patch<'a> {
    /// That of a node, if the stack asks for one.
    pub(super) fn of(node: &'a Node) -> Option<Self> {
        let container = node.external()?.programs.as_ref()?.patched.as_ref()?;
        let namespace = node.placement.namespace.as_ref().map_or("", |it| &it.value);
        (!node.environment.is_empty()).then_some(Self { namespace, container })
    }

    /// Its file. No kustomization names it: what it changes is not of this stack.
    pub(super) fn path(&self, node: &Node) -> String {
        format!("{}/{}-otel-env.patch.yaml", self.namespace, node.name)
    }
}

/// The file of a workload that asks for one.
pub(super) fn emit(system: &System, node: &Node) -> Option<Artefact> {
    let patch = Patch::of(node)?;
    let file = patch.path(node);
    let what =
        format!("{}: what the containers of this Deployment are told; to be applied with `kubectl patch`", node.name);
    let at: &Origin = &patch.container.origin;
    let env = node.environment.iter().map(|it| variable(system, it));
    let env = doc::follows("what an SDK is told", &[at, &node.origin]).block(env);
    let mut container = Block::new();
    container.put("name", at.string(&*patch.container.value)).put("env", env);
    let containers = doc::fact("where a Deployment has its containers, told apart by name", &[at]);
    let within = |key: &str, value: Value| containers.map([(key, value)]);
    let inner = within("containers", containers.block([container.finish(at)]));
    let document = within("spec", within("template", within("spec", inner)));
    let header = doc::header(system, &what, &file);
    Some(Artefact::new(file, yaml::write(&header, at, &document)))
}
