//! `workload`: programs of the cluster that send telemetry, and are not this stack's to run.

use telstack_diagnostics::Diagnostic;
use telstack_syntax::stack::Node as Line;
use telstack_system::{
    Edge, External, Node, NodeId, NodeKind, Origin, Platform, Programs, Protocol, Purpose, Sourced, System,
};

use crate::{
    check::value,
    codes,
    names::did_you_mean,
    stack::{Context, name_of, what},
    words::{self, secret, sourced, sourced_text, text},
};

/// The word.
pub(crate) const WORD: &str = "workload";

/// The node of a `workload` line.
pub(crate) fn node(line: &Line, context: &mut Context<'_>) -> Node {
    let child = |word: &str| line.children().iter().find(|it| it.name.value == word);
    let sampler = child("sampler");
    let programs = Programs {
        propagators: child("propagators").iter().flat_map(|it| &it.args).filter_map(sourced_text).collect(),
        sampler: sampler.and_then(|it| it.args.first()).and_then(sourced_text),
        ratio: sampler
            .and_then(|it| it.prop("ratio"))
            .and_then(|atom| Some(sourced(atom, words::share(atom)?.to_string()))),
        token: child("to").and_then(|it| it.prop("token")).and_then(secret),
        patched: child("patch").map(|it| {
            let usual = || Sourced::new(name_of(line).to_owned(), Origin::written(it.head()));
            it.prop("container").and_then(sourced_text).unwrap_or_else(usual)
        }),
        instrumented: child("instrumentation").map(|it| Origin::written(it.head())),
    };
    if context.placed.platform.value == Platform::Compose {
        let finding = Diagnostic::new(&codes::WRONG_VALUE, "`workload` has no meaning in docker compose");
        let finding = finding.at(line.head(), "for Kubernetes").label(context.placed.platform.span(), "runs here");
        context.out.push(finding.help("drop it: programs send to the port of the collector that the host has"));
    } else {
        contradictions(&programs, line, context);
    }
    let external = External { programs: Some(programs), ..External::default() };
    Node::new(name_of(line), Origin::written(line.head()), None, NodeKind::External(Box::new(external)))
}

fn contradictions(programs: &Programs, line: &Line, context: &mut Context<'_>) {
    if let (Some(ratio), Some(sampler)) = (&programs.ratio, &programs.sampler)
        && !telstack_catalog::sdk::takes_ratio(&sampler.value)
    {
        let message = format!("the sampler `{}` takes no `ratio`", sampler.value);
        let finding = Diagnostic::new(&codes::WRONG_VALUE, message).at(ratio.span(), "a share of all traces");
        let finding = finding.label(sampler.span(), "keeps all or none");
        context.out.push(finding.help("drop `ratio`, or write `sampler \"parentbased_traceidratio\"`"));
    }
    if let Some(asked) = &programs.instrumented
        && context.placed.operator().is_none()
    {
        let message = "only the OpenTelemetry operator knows an `instrumentation`, and it does not run this stack";
        let finding = Diagnostic::new(&codes::WRONG_VALUE, message).at(asked.span(), "a resource of the operator");
        let finding = finding.label(context.placed.platform.span(), "without it");
        context.out.push(finding.help("write `platform \"kubernetes\" { via \"operator\" }`").help(format!(
            "or take it out: `telstack sdk-env {}` prints what containers are to be told",
            name_of(line)
        )));
    }
}

/// The edge to the collector that the programs send to.
pub(crate) fn wire(system: &mut System, id: NodeId, line: &Line, context: &mut Context<'_>) {
    let Some(to) = line.children().iter().find(|it| it.name.value == "to") else { return };
    let Some(atom) = value(line, "to") else { return };
    let Some(name) = text(atom) else { return };
    let collectors: Vec<String> =
        system.nodes().filter(|(_, node)| node.collector().is_some()).map(|(_, node)| node.name.clone()).collect();
    let known: Vec<&str> = collectors.iter().map(String::as_str).collect();
    let Some(target) = system.find(name) else {
        if !context.incomplete {
            let message = format!("`to` names `{name}`, but no node of the stack has that name");
            let finding = Diagnostic::new(&codes::UNKNOWN_NAME, message).at(atom.span, "declared nowhere");
            context.out.push(did_you_mean(finding, name, &known, "collectors"));
        }
        return;
    };
    let node = system.node(target);
    if let Some(host) = &node.placement.host {
        let message = format!("a workload cannot send to `{name}`: that is on a machine outside of the cluster");
        let finding = Diagnostic::new(&codes::WRONG_END, message).at(atom.span, "not in the cluster");
        context.out.push(finding.label(host.span(), "runs there").help("send to a collector of the cluster"));
        return;
    }
    if node.collector().is_none() {
        let message = format!("a workload cannot send to `{name}`: it is {}", what(node));
        let finding = Diagnostic::new(&codes::WRONG_END, message).at(atom.span, "not a collector");
        let finding = finding.label(node.span(), "declared here");
        context.out.push(finding.help("send to a collector, and let it send on"));
        return;
    }
    let mut edge = Edge::new(Purpose::Telemetry, Origin::written(atom.span));
    edge.wanted = to.prop("protocol").and_then(|atom| {
        let protocol = match text(atom)? {
            "otlp-grpc" => Protocol::OTLP_GRPC,
            "otlp-http" => Protocol::OTLP_HTTP,
            "otlp" => Protocol::OTLP,
            _ => return None,
        };
        Some(Sourced::new(protocol, Origin::written(atom.span)))
    });
    system.connect(id, target, edge);
}
