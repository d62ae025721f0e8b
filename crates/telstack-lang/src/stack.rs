//! The `stack` block: releases, nodes by name, then the edges between them.

use std::collections::BTreeMap;

use telstack_catalog::{Distribution, Version, otelcol, product::Product};
use telstack_diagnostics::{Diagnostic, Diagnostics, Severity};
use telstack_syntax::stack::{Atom, Node as Line};
use telstack_system::{Node, NodeId, NodeKind, Origin, Resources, Sourced, System};

use crate::{
    check::twice,
    clusters::Reached,
    codes, collector, external, pipelines,
    placement::Placed,
    presets, scrapes, stores, views,
    words::{self, sourced, text},
    workload,
};

/// The name that origins of derived names give as their pass.
pub(crate) const PASS: &str = "names";

/// What lowering a line may need to know and to tell.
pub(crate) struct Context<'a> {
    /// The releases that the stack names.
    pub versions: Versions,
    /// Where everything runs.
    pub placed: Placed,
    /// Names may be declared in a file or a line that could not be read.
    pub incomplete: bool,
    /// The same of the collector whose pipelines are made.
    pub collector_incomplete: bool,
    /// Findings.
    pub out: &'a mut Diagnostics,
}

/// The System of a `stack` line that has been checked against the grammar. `reached` is what it sends to in other
/// clusters.
pub(crate) fn lower(line: &Line, reached: &[Reached], incomplete: bool, out: &mut Diagnostics) -> System {
    let origin = Origin::written(line.head());
    let name = line.args.first().and_then(Atom::as_str).unwrap_or_default();
    let placed = Placed::read(line, &origin, out);
    let mut system = System::new(name, origin, placed.platform.clone());
    system.isolation.clone_from(&placed.isolation);
    let versions = Versions::read(line, out);
    let mut context = Context { versions, placed, incomplete, collector_incomplete: false, out };
    let made: Vec<(NodeId, &Line)> =
        line.children().iter().filter_map(|line| Some((declare(&mut system, line, &mut context)?, line))).collect();
    for node in reached.iter().filter_map(external::of_cluster) {
        system.add(node);
    }
    for (id, line) in made {
        match line.name.value.as_str() {
            "collector" => {
                scrapes::targets(&system, id, &mut context);
                pipelines::wire(&mut system, id, line, &mut context);
            }
            "grafana" => views::reads(&mut system, id, line, &mut context),
            "alertmanager" => views::alerts(&mut system, id),
            workload::WORD => workload::wire(&mut system, id, line, &mut context),
            _ => {}
        }
    }
    external::hand_over_variables(&mut system);
    if system.nodes().next().is_none() && !incomplete && !out.has_errors() {
        let finding = Diagnostic::new(&codes::MISSING_PART, "there is nothing in this stack to run");
        out.push(
            finding
                .at(line.head(), "declares no collector and no store")
                .help("`telstack new NAME` writes a first stack"),
        );
    }
    system
}

/// Makes the node of a line, if it declares one.
fn declare(system: &mut System, line: &Line, context: &mut Context<'_>) -> Option<NodeId> {
    let mut node = match line.name.value.as_str() {
        "collector" => collector::node(line, context),
        "prometheus" | "loki" | "tempo" | "jaeger" => stores::node(line, context)?,
        "grafana" => views::grafana(line, context),
        "alertmanager" => views::alertmanager(line, context),
        "kube-state-metrics" => scrapes::informer(line, context),
        "external" => external::node(line, context),
        workload::WORD => workload::node(line, context),
        _ => return None,
    };
    if node.name.is_empty() {
        return None; // Without a name, which was reported, nothing can refer to it.
    }
    if let Some(first) = system.find(&node.name).map(|id| system.node(id)) {
        let message = format!("the name `{}` is taken", node.name);
        let finding = match first.span() {
            Some(span) => twice(message, line.head(), span),
            None => Diagnostic::new(&codes::DECLARED_TWICE, message).at(line.head(), "again here"),
        };
        context.out.push(
            finding
                .note("names become host names, so all nodes of a stack share one set of names")
                .help("give one of the two another name"),
        );
        return None;
    }
    node.placement = context.placed.of(line, &node.resources, context.out);
    presets::check(&node, context);
    Some(system.add(node))
}

/// The name that a line gives its node; the word itself where a store or viewer is not named.
pub(crate) fn name_of(line: &Line) -> &str {
    match line.args.first() {
        Some(atom) => text(atom).unwrap_or_default(),
        None if Product::parse(&line.name.value).is_some() => &line.name.value,
        None => "",
    }
}

/// `resources`, wherever it stands.
pub(crate) fn resources(line: &Line) -> Resources {
    let Some(line) = line.children().iter().find(|child| child.name.value == "resources") else {
        return Resources::default();
    };
    let (cpu, memory) = (line.prop("cpu"), line.prop("memory"));
    Resources {
        cpu: cpu.and_then(|atom| Some(sourced(atom, words::cpu(atom)?))),
        memory: memory.and_then(|atom| Some(sourced(atom, words::bytes(atom)?))),
        cpu_request: cpu.and_then(|atom| Some(sourced(atom, words::cpu_request(atom)?))),
        memory_request: memory.and_then(|atom| Some(sourced(atom, words::bytes_request(atom)?))),
    }
}

/// What a node is, for messages.
pub(crate) fn what(node: &Node) -> &'static str {
    match &node.kind {
        NodeKind::Collector(_) => "a collector",
        NodeKind::Store(_) => "a store",
        NodeKind::Viewer(_) => "Grafana",
        NodeKind::Alerter(_) => "Alertmanager",
        NodeKind::Informer(_) => "there to be scraped",
        NodeKind::Proxy(_) => "a proxy",
        NodeKind::Broker(_) => "a broker",
        NodeKind::External(_) => "outside the stack",
    }
}

/// The releases and the distribution that `versions` names.
pub(crate) struct Versions {
    pins: BTreeMap<Product, Sourced<Version>>,
    distribution: Option<Sourced<Distribution>>,
}

impl Versions {
    fn read(stack: &Line, out: &mut Diagnostics) -> Self {
        let mut versions = Self { pins: BTreeMap::new(), distribution: None };
        let blocks = stack.children().iter().filter(|line| line.name.value == "versions");
        for line in blocks.flat_map(Line::children) {
            let Some(product) = Product::parse(&line.name.value) else { continue };
            let distribution = line.prop("distribution").and_then(distribution);
            let version = line.args.first().and_then(|atom| release(product, distribution.as_ref(), atom, out));
            if let Some(version) = version {
                versions.pins.entry(product).or_insert(version);
            }
            if distribution.is_some() && versions.distribution.is_none() {
                versions.distribution = distribution;
            }
        }
        versions
    }

    /// The release of a product: the one named, else the newest that the catalog knows.
    pub(crate) fn of(&self, product: Product, line: &Line) -> Sourced<Version> {
        self.pins.get(&product).cloned().unwrap_or_else(|| {
            let version = if product == Product::Otelcol { otelcol::newest() } else { product.newest() };
            let reason =
                format!("`versions` names no `{}`: {version} is the newest that the catalog knows", product.id());
            Sourced::new(version, Origin::fact(PASS, reason, &[&Origin::written(line.head())]))
        })
    }

    /// The distribution and release of a collector: its own, else the stack's, else contrib.
    pub(crate) fn of_collector(&self, line: &Line, out: &mut Diagnostics) -> (Sourced<Distribution>, Sourced<Version>) {
        let own = line.prop("distribution").and_then(distribution);
        let chosen = own.clone().or_else(|| self.distribution.clone()).unwrap_or_else(|| {
            let reason = "no distribution is named: contrib has every component";
            Sourced::new(Distribution::Contrib, Origin::builtin(PASS, reason, &[&Origin::written(line.head())]))
        });
        let version = line.prop("version").and_then(|atom| release(Product::Otelcol, Some(&chosen), atom, out));
        let pinned = version.is_some();
        let mut version = version.unwrap_or_else(|| self.of(Product::Otelcol, line));
        // A distribution of its own with the stack's release: that pair has not been looked at yet.
        if let Some(other) = own.filter(|_| !pinned).and_then(|own| published(&own, &version, out)) {
            version.value = other;
        }
        (chosen, version)
    }
}

fn distribution(atom: &Atom) -> Option<Sourced<Distribution>> {
    Some(sourced(atom, Distribution::parse(text(atom)?)?))
}

/// The release that an atom names. One that the catalog does not know is reported, and the release that the report
/// proposes is taken in its place: what else is said is then true once that is written.
fn release(
    product: Product,
    distribution: Option<&Sourced<Distribution>>,
    atom: &Atom,
    out: &mut Diagnostics,
) -> Option<Sourced<Version>> {
    let version = words::release(atom)?;
    let release = sourced(atom, version);
    if product == Product::Otelcol {
        if !otelcol::is_released(version) {
            let nearest = otelcol::nearest_release(version);
            let message = format!("the catalog knows no release {version} of the collector");
            out.push(
                Diagnostic::new(&codes::UNKNOWN_RELEASE, message)
                    .at(atom.span, "unknown")
                    .note(format!("the newest that the catalog knows is {}", otelcol::newest()))
                    .help(format!("the nearest release is `\"{nearest}\"`")),
            );
            return Some(sourced(atom, nearest));
        }
        let other = distribution.and_then(|it| published(it, &release, out));
        return Some(other.map_or(release, |other| sourced(atom, other)));
    }
    let newest = product.newest();
    let newer_than_known = |what: String, known: Version| {
        Diagnostic::new(&codes::UNKNOWN_RELEASE, what)
            .at(atom.span, "newer than the catalog, or never released")
            .severity(Severity::Warning)
            .note("an image is only there if the release is: nothing starts without")
            .help(format!("the newest that is known is `\"{known}\"`"))
    };
    if !product.knows(version) {
        let minor = format!("{product} {}.{}", version.major, version.minor);
        // A new minor of the newest major is likely to work like the last that is known.
        if product == Product::Grafana && version.major == newest.major {
            out.push(newer_than_known(format!("the catalog knows no {minor}"), newest));
            return Some(release);
        }
        let (oldest, nearest) = (product.oldest(), product.nearest(version));
        let finding = Diagnostic::new(&codes::UNKNOWN_RELEASE, format!("the catalog knows no {minor}"))
            .at(atom.span, "unknown")
            .note(format!("it knows {product} {}.{} to {newest}", oldest.major, oldest.minor));
        out.push(match nearest {
            nearest if nearest == newest => finding.help(format!("the newest is `\"{newest}\"`")),
            nearest => finding
                .help(format!("the nearest release is `\"{nearest}\"`"))
                .help(format!("the newest is `\"{newest}\"`")),
        });
        return Some(sourced(atom, nearest));
    }
    if let Some(last) = product.last_patch(version).filter(|last| version > *last) {
        out.push(newer_than_known(format!("the catalog knows no {product} {version}"), last));
    }
    Some(release)
}

/// Reports a release that a distribution was not published in; the release that it was, in its place.
fn published(
    distribution: &Sourced<Distribution>,
    version: &Sourced<Version>,
    out: &mut Diagnostics,
) -> Option<Version> {
    let known = otelcol::distribution_has_release(distribution.value, version.value);
    (!known).then(|| {
        let (binary, release) = (distribution.value.binary(), version.value);
        let finding = Diagnostic::new(&codes::UNKNOWN_RELEASE, format!("{binary} has no release {release}"));
        let finding = finding.at(version.span().or(distribution.span()), "this release");
        let finding = finding.label(distribution.span(), "this distribution");
        let has = |it: &Version| otelcol::distribution_has_release(distribution.value, *it);
        let releases = || otelcol::releases().iter().map(|it| it.version).filter(has);
        let (next, newest) = (releases().find(|it| *it > release), releases().next_back());
        out.push(match (next, newest) {
            (Some(next), Some(newest)) if next < newest => {
                finding.help(format!("the next release of {binary} is `\"{next}\"`, its newest `\"{newest}\"`"))
            }
            (_, Some(newest)) => finding.help(format!("the newest of {binary} is `\"{newest}\"`")),
            (_, None) => finding.help("name another distribution"),
        });
        next.or(newest).unwrap_or(release)
    })
}
