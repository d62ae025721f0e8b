//! Files that belong to no bundle, each by itself, and files that are given to one collector together.

use std::{
    collections::BTreeMap,
    num::NonZero,
    path::{Path, PathBuf},
    sync::Arc,
};

use telstack_catalog::{Distribution, Version, product::Product};
use telstack_diagnostics::{Diagnostic, Diagnostics, FileId, SourceMap, Span};
use telstack_system::{Node, NodeKind, Origin, Platform, Sourced, System, passes};
pub(super) use telstack_tools::collector::Extent;
use telstack_tools::{
    Alone, Loose, SourceFile,
    collector::{self, Configuration, Remark, Runs},
    haproxy, read_alone, read_loose_alone,
};

use super::{About, Assumed, CheckFailure, discover::Found, soften::soften};
use crate::{FileKind, compile::shown, files::Files};

/// Checks configurations of which each stands alone. Those that were checked for a collector that nobody named,
/// with what was assumed.
pub(super) fn check(
    alone: &[(&Found, About)],
    sources: &SourceMap,
    out: &mut Diagnostics,
) -> BTreeMap<FileId, Assumed> {
    let threads = std::thread::available_parallelism().map_or(1, NonZero::get);
    let share = alone.len().div_ceil(threads).max(1);
    let found: Vec<(Diagnostics, BTreeMap<FileId, Assumed>)> = std::thread::scope(|scope| {
        let work = |part: &[(&Found, About)]| {
            let (mut out, mut unnamed) = (Diagnostics::default(), BTreeMap::new());
            for (it, about) in part {
                if let Some(what) = product_file(it.kind) {
                    product(&it.path, it.file, what, about, sources, &mut out);
                    continue;
                }
                let extent = if it.kind == FileKind::Fragment { Extent::Part } else { Extent::Whole };
                let system = collector(&it.path, &[it.file], about, extent, sources, &mut out);
                unnamed.extend(is_assumed(&system).then_some((it.file, about.assumed)));
            }
            (out, unnamed)
        };
        let mut parts = alone.chunks(share);
        let here = parts.next();
        let others: Vec<_> = parts.map(|part| scope.spawn(move || work(part))).collect();
        let here = here.map(work);
        // A thread that fails has a bug, which is not to be hidden.
        let others = others.into_iter().map(|it| it.join().unwrap_or_else(|bug| std::panic::resume_unwind(bug)));
        here.into_iter().chain(others).collect()
    });
    let mut all = BTreeMap::new();
    for (findings, unnamed) in found {
        out.append(findings);
        all.extend(unnamed);
    }
    all
}

/// Is a file of that kind checked by itself?
pub(super) fn is_checked(kind: FileKind) -> bool {
    matches!(kind, FileKind::Collector | FileKind::Fragment) || product_file(kind).is_some()
}

/// What a file of a product other than the collector is; none for files that say nothing by themselves.
pub(super) fn product_file(kind: FileKind) -> Option<Alone> {
    Some(match kind {
        // It has a door of its own.
        FileKind::Config(Product::Haproxy) => return None,
        FileKind::Config(product) => Alone::Config(product),
        FileKind::AlertRules => Alone::Rules,
        FileKind::DataSources => Alone::DataSources,
        FileKind::DashboardProviders => Alone::DashboardProviders,
        FileKind::GrafanaIni => Alone::GrafanaIni,
        _ => return None,
    })
}

/// Checks a file of a product by itself: what is beside it is not known.
pub(super) fn product(
    path: &Path,
    file: FileId,
    what: Alone,
    about: &About,
    sources: &SourceMap,
    out: &mut Diagnostics,
) -> System {
    let shown = shown(path);
    let text = SourceFile { path: &shown, file, text: sources.file(file).text() };
    let system = read_alone(text, &name_of(path), what, about.release(what.product()), out);
    telstack_lint::check(&system, out);
    system
}

/// The same of a text that stands inside of a file and that nothing reads, as far as is known.
pub(super) fn loose_product(loose: &Loose, what: Alone, about: &About, out: &mut Diagnostics) {
    let release = about.release(what.product());
    let system = read_loose_alone(loose, &name_of(Path::new(&loose.name)), what, release, out);
    telstack_lint::check(&system, out);
}

fn name_of(path: &Path) -> String {
    path.file_stem().map_or_else(|| "file".into(), |stem| stem.to_string_lossy()).into_owned()
}

/// Was the release that runs made up?
pub(super) fn is_assumed(system: &System) -> bool {
    system.nodes().any(|(_, node)| node.version.as_ref().is_some_and(|it| it.origin.pass() == Some(ASSUMED)))
}

/// The step that makes up what nothing says.
const ASSUMED: &str = "assumed";

/// Checks files that one collector is given together.
pub(super) fn merged(
    files: &dyn Files,
    first: &Path,
    paths: &[PathBuf],
    about: &About,
    sources: &mut SourceMap,
    out: &mut Diagnostics,
) -> Result<(), CheckFailure> {
    let mut ids = Vec::new();
    for path in paths {
        let text = files.read(path).map_err(|failure| CheckFailure::Read(path.clone(), failure))?;
        ids.push(sources.add(shown(path), text));
    }
    collector(first, &ids, about, Extent::Whole, sources, out);
    Ok(())
}

/// Checks the configuration of a collector by itself: whoever sends to it, and whatever it sends to, is not known.
pub(super) fn collector(
    path: &Path,
    files: &[FileId],
    about: &About,
    extent: Extent,
    sources: &SourceMap,
    out: &mut Diagnostics,
) -> System {
    let mut told = Remark::default();
    for file in files {
        told.extend(collector::remarks(*file, sources.file(*file).text(), out));
    }
    let start = files.first().map(|file| Origin::written(Span::new(*file, 0, 0)));
    let texts: Vec<(FileId, &str)> = files.iter().map(|file| (*file, sources.file(*file).text())).collect();
    let written = (Configuration::of_files(&texts, out), extent);
    assumed(about, out, |about, judge, out| judged(path, (&told, start.clone()), &written, (about, judge), out))
}

/// How a System is judged: by all rules, or by some.
type Judge = fn(&System, &mut Diagnostics);

/// Runs for the release that is known; for one that is made up, what another release takes is no error.
fn assumed(about: &About, out: &mut Diagnostics, run: impl Fn(&About, Judge, &mut Diagnostics) -> System) -> System {
    let mut found = Diagnostics::default();
    let system = run(about, telstack_lint::check, &mut found);
    if is_assumed(&system) {
        found = soften(found, |version| {
            let assumed = Assumed { version: Some(version), ..about.assumed };
            let mut others = Diagnostics::default();
            run(&About { assumed, ..about.clone() }, telstack_lint::check_by_release, &mut others);
            others
        });
    }
    out.append(found);
    system
}

/// The same of one that stands inside of a file and that nothing reads, as far as is known.
pub(super) fn loose(path: &Path, loose: &Loose, about: &About, extent: Extent, out: &mut Diagnostics) -> System {
    let told = collector::remarks_of_loose(loose, out);
    let start = Some(Origin::written(Span::new(loose.file, 0, 0)));
    let written = (Configuration::of_loose(loose, out), extent);
    assumed(about, out, |about, judge, out| judged(path, (&told, start.clone()), &written, (about, judge), out))
}

fn judged(
    path: &Path,
    (told, start): (&Remark, Option<Origin>),
    (configuration, extent): &(Configuration, Extent),
    (about, judge): (&About, Judge),
    out: &mut Diagnostics,
) -> System {
    let assumed = about.assumed;
    let by_asker = || Origin::builtin("check", "whoever asked said so", &[]);
    let made_up = || Origin::builtin(ASSUMED, "the file does not say which collector runs it", &[]);
    let version: Sourced<Version> = match (assumed.version, told.version.clone()) {
        (Some(version), _) => Sourced::new(version, by_asker()),
        (None, Some(version)) => version,
        (None, None) => Sourced::new(assumed.version(), made_up()),
    };
    let distribution: Sourced<Distribution> = match (assumed.distribution, told.distribution.clone()) {
        (Some(distribution), _) => Sourced::new(distribution, by_asker()),
        (None, Some(distribution)) => distribution,
        (None, None) => Sourced::new(assumed.distribution(), made_up()),
    };
    let start = start.unwrap_or_else(made_up);
    let certain = about.built.is_some() || distribution.origin.pass() != Some(ASSUMED);
    let runs = Runs { distribution, certain, version: version.value, operated: false };
    let mut collector = configuration.collector(runs, *extent, out);
    collector.built.clone_from(&about.built);
    if !certain {
        collector.gaps.own = Arc::clone(&about.own);
    }

    let name = path.file_stem().map_or_else(|| "collector".into(), |stem| stem.to_string_lossy());
    let mut system = System::new(&*name, start.clone(), Sourced::new(Platform::Compose, made_up()));
    system.from_files = true;
    let release = version.value;
    let kind = NodeKind::Collector(Box::new(collector));
    let mut node = Node::new(Product::Otelcol.id(), start, Some(version), kind);
    node.listeners = node.collector().map(|it| passes::collector_listeners(it, release)).unwrap_or_default();
    system.add(node);
    judge(&system, out);
    system
}

/// Checks the configuration of a proxy by itself: what sends to it, and whom it dials, is not known.
pub(super) fn proxy(file: FileId, about: &About, sources: &SourceMap, out: &mut Diagnostics) {
    let text = sources.file(file).text();
    let start = Origin::written(Span::new(file, 0, 0));
    let made_up = Origin::builtin(ASSUMED, "the file does not say what runs it", &[]);
    let mut system = System::new("haproxy", start.clone(), Sourced::new(Platform::Compose, made_up));
    system.from_files = true;
    let release = haproxy::release(file, text, out).or_else(|| about.release(Product::Haproxy));
    let proxy = haproxy::read_alone(file, text, release.as_ref().map(|it| it.value), out);
    let mut node = Node::new(Product::Haproxy.id(), start, release, NodeKind::Proxy(Box::new(proxy)));
    node.listeners = node.proxy().map(haproxy::listeners).unwrap_or_default();
    system.add(node);
    telstack_lint::check(&system, out);
}

/// Says once which collector was assumed, where something was found for it.
pub(super) fn say_what_was_assumed(found: &mut [Diagnostic], files: &BTreeMap<FileId, Assumed>) {
    let assumed = |it: &Diagnostic| files.get(&it.primary.as_ref()?.span.file).copied();
    // What is wrong with the form of a file is so in every release.
    let first = found.iter_mut().find(|it| !it.rule.code.starts_with('R') && assumed(it).is_some());
    if let Some((first, assumed)) = first.and_then(|it| assumed(it).map(|assumed| (it, assumed))) {
        let (version, distribution) = (assumed.version(), assumed.distribution());
        first.notes.push(format!(
            "checked for {} {version}, as nothing says which collector runs this: `--otelcol-version` and \
             `--distribution` do, or a comment in the file, `# telstack: otelcol={version} distribution={distribution}`",
            distribution.binary()
        ));
    }
}
