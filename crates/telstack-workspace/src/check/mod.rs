//! From files and folders to their findings: stacks, and what people wrote by hand.
//!
//! 1. [`discover`]: which files there are, and what each of them is, by its content.
//! 2. [`bundle`]: those that belong together are read as one System.
//! 3. Files that belong to no bundle are read by themselves.
//!
//! All files of a run are in one map of sources, so all findings make one report.

mod bundle;
mod discover;
mod kind;
mod kustomize;
mod lone;
mod manifests;
mod overlay;
mod soften;
mod unnamed;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    sync::Arc,
};

use telstack_catalog::{Distribution, Version, otelcol, product::Product};
use telstack_diagnostics::{Diagnostic, Diagnostics, Severity, SourceMap};
use telstack_system::{BuiltDistribution, Origin, OwnComponent, Sourced, System};
use telstack_tools::Said;

use crate::{
    compile::{Compiled, LARGEST_STACK, compile_file, compile_text, shown},
    explain::nearest,
    files::{Files, ReadFailure},
};
use discover::{Found, discover};
pub use kind::{FileKind, kind};

/// Which collector runs a configuration, as far as whoever asks says so.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Assumed {
    /// Its release.
    pub version: Option<Version>,
    /// Its distribution.
    pub distribution: Option<Distribution>,
}

/// The word for the newest release that is known.
const NEWEST: &str = "newest";

/// Why no such collector can be assumed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum AssumedError {
    /// Not a release; the nearest one.
    NoRelease(Version),
    /// Not a distribution.
    NoDistribution {
        /// The one that may be meant.
        near: Option<&'static str>,
        /// Those that there are.
        known: Vec<&'static str>,
    },
    /// The distribution came later.
    NotTogether {
        /// The distribution.
        distribution: Distribution,
        /// Its first release; none if no release of it is known.
        first: Option<Version>,
    },
}

impl Assumed {
    /// The collector that is named; nothing is known of what is not.
    pub fn new(version: Option<&str>, distribution: Option<&str>) -> Result<Self, AssumedError> {
        let version = match version {
            None => None,
            Some(NEWEST) => Some(otelcol::newest()),
            Some(text) => Some(Product::Otelcol.release(text).map_err(AssumedError::NoRelease)?),
        };
        let distribution = match distribution {
            None => None,
            Some(text) => Some(Distribution::parse(text).ok_or_else(|| {
                let known: Vec<&'static str> = Distribution::ALL.iter().map(|it| it.as_str()).collect();
                AssumedError::NoDistribution { near: nearest(text, known.iter().copied()), known }
            })?),
        };
        let assumed = Self { version, distribution };
        let has = |release: Version| otelcol::distribution_has_release(assumed.distribution(), release);
        if !has(assumed.version()) {
            let first = otelcol::releases().iter().map(|it| it.version).find(|it| has(*it));
            return Err(AssumedError::NotTogether { distribution: assumed.distribution(), first });
        }
        Ok(assumed)
    }

    /// The release that a file by itself is checked for: the newest one where none is named.
    pub fn version(self) -> Version {
        self.version.unwrap_or_else(otelcol::newest)
    }

    /// The distribution that a file by itself is checked for: contrib where none is named.
    pub fn distribution(self) -> Distribution {
        self.distribution.unwrap_or(Distribution::Contrib)
    }
}

/// Why a file could not be checked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum CheckFailure {
    /// It could not be read.
    Read(PathBuf, ReadFailure),
    /// It is something that is not read, in words.
    NotYet(PathBuf, &'static str),
    /// There is nothing in the folder that can be checked.
    Nothing(PathBuf),
    /// No such collector runs.
    Assumed(AssumedError),
}

/// A distribution that somebody built: the text of the manifest that describes it, which can be read.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct BuiltBy {
    /// What settings call it.
    pub distribution: String,
    /// The manifest's name in reports.
    pub name: String,
    /// The manifest's text.
    pub text: String,
}

/// What is known beforehand of the program that a file is about.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Told {
    /// The release and the distribution of a collector.
    pub assumed: Assumed,
    /// The distribution, where somebody built it.
    pub built: Option<BuiltBy>,
    /// Releases of other products, for files that stand by themselves.
    pub products: BTreeMap<Product, Version>,
}

/// What to check.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Input {
    /// A file, or everything in a folder.
    Path(PathBuf),
    /// A text that is in no file, under the name that reports show.
    Text(String, String),
}

/// What to check, and how.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Request {
    /// Files, folders and texts.
    pub inputs: Vec<Input>,
    /// Files that one collector is given together, in order.
    pub configs: Vec<PathBuf>,
    /// Are files passed over without a word that are nothing to check?
    pub pass_over_unknown: bool,
}

/// What was found in everything that was asked for.
#[derive(Debug, Default)]
pub struct Checked {
    /// Every file that was read.
    pub sources: SourceMap,
    /// Findings in reading order, each once.
    pub diagnostics: Vec<Diagnostic>,
    /// Files that were named and are nothing that is checked, in words.
    pub left_alone: Vec<(PathBuf, Option<&'static str>)>,
    /// Folders that hold more than is looked at.
    pub cut: Vec<PathBuf>,
    /// Folders with manifests that are still to be filled in, from the root of the file system on.
    templates: BTreeSet<String>,
    /// Components of somebody's own, which manifests in the folders name.
    own: BTreeSet<OwnComponent>,
}

impl Checked {
    /// Is a finding at least this bad?
    pub fn has(&self, level: Severity) -> bool {
        self.diagnostics.iter().any(|it| it.severity >= level)
    }
}

/// The files that are checked when that is asked for, so that settings can be read before.
pub fn checkable(files: &dyn Files, request: &Request) -> Result<Vec<PathBuf>, CheckFailure> {
    let found = discover(files, request, &mut Checked::default())?;
    Ok(request.configs.iter().cloned().chain(found.into_iter().map(|it| it.path)).collect())
}

/// Checks everything that is asked for, in one report. `told` says what is known beforehand of the program that a file
/// is about.
pub fn check_all(
    files: &dyn Files,
    request: &Request,
    told: &mut dyn FnMut(&Path) -> Result<Told, AssumedError>,
) -> Result<Checked, CheckFailure> {
    let mut checked = Checked::default();
    let found = discover(files, request, &mut checked)?;
    let mut out = Diagnostics::default();
    let mut known = Known { told, manifests: BTreeMap::new(), own: Arc::new(std::mem::take(&mut checked.own)) };
    if let Some(first) = request.configs.first() {
        let about = known.about(first, &mut checked.sources)?;
        lone::merged(files, first, &request.configs, &about, &mut checked.sources, &mut out)?;
    }
    let mut texts = bundle::Texts::of(files, &found);
    let mut used = bundle::check(&found, &mut texts, &mut known, &mut checked.sources, &mut out)?;
    let templates = std::mem::take(&mut checked.templates);
    let cluster = manifests::check(&found, &templates, &mut texts, &mut known, &mut checked.sources, &mut out)?;
    used.extend(cluster.used);
    let alone: Vec<&Found> = found.iter().filter(|it| !used.contains(&it.file)).collect();
    for stack in alone.iter().filter(|it| it.kind == FileKind::Stack) {
        out.append(compile_file(files, &stack.path, stack.file, &mut checked.sources).diagnostics);
    }
    let mut collectors = Vec::new();
    for it in alone.iter().filter(|it| lone::is_checked(it.kind)) {
        collectors.push((*it, known.about(&it.path, &mut checked.sources)?));
    }
    for it in alone.iter().filter(|it| it.kind == FileKind::Config(Product::Haproxy)) {
        let about = known.about(&it.path, &mut checked.sources)?;
        lone::proxy(it.file, &about, &checked.sources, &mut out);
    }
    let mut assumed = lone::check(&collectors, &checked.sources, &mut out);
    assumed.extend(cluster.unnamed);
    checked.diagnostics = once(out.sorted(&checked.sources));
    lone::say_what_was_assumed(&mut checked.diagnostics, &assumed);
    Ok(checked)
}

/// What is known beforehand, with manifests read.
#[derive(Clone, Default)]
struct About {
    assumed: Assumed,
    built: Option<Arc<BuiltDistribution>>,
    products: BTreeMap<Product, Version>,
    own: Arc<BTreeSet<OwnComponent>>,
}

impl About {
    /// Lets the collectors of a System be those that somebody built.
    fn built_into(&self, system: &mut System) {
        for id in system.node_ids() {
            if let (Some(collector), Some(built)) = (system.node_mut(id).collector_mut(), &self.built) {
                collector.built = Some(built.clone());
                collector.gaps.distribution = false;
            }
        }
    }

    /// The release of a product whose file says none.
    fn release(&self, product: Product) -> Option<Sourced<Version>> {
        let version = *self.products.get(&product)?;
        Some(Sourced::new(version, Origin::builtin("check", "the settings say so", &[])))
    }

    fn said(&self) -> Said {
        let Assumed { version, distribution } = self.assumed;
        Said { version, distribution, ..Said::default() }
    }
}

struct Known<'a> {
    told: &'a mut dyn FnMut(&Path) -> Result<Told, AssumedError>,
    manifests: BTreeMap<BuiltBy, Option<Arc<BuiltDistribution>>>,
    own: Arc<BTreeSet<OwnComponent>>,
}

impl Known<'_> {
    fn about(&mut self, path: &Path, sources: &mut SourceMap) -> Result<About, CheckFailure> {
        let Told { assumed, built, products } = (self.told)(path).map_err(CheckFailure::Assumed)?;
        let read = |built: BuiltBy| {
            let known = self.manifests.entry(built).or_insert_with_key(|built| manifest(built, sources));
            known.clone()
        };
        Ok(About { assumed, built: built.and_then(read), products, own: Arc::clone(&self.own) })
    }
}

/// The distribution that a manifest describes.
fn manifest(built: &BuiltBy, sources: &mut SourceMap) -> Option<Arc<BuiltDistribution>> {
    let file = sources.add(&*built.name, &*built.text);
    let manifest = telstack_tools::collector::manifest(file, &built.text, &built.distribution);
    manifest.ok().map(|it| Arc::new(it.distribution))
}

/// The same thing said of the same place for two reasons is one finding.
fn once(sorted: Vec<Diagnostic>) -> Vec<Diagnostic> {
    let mut kept: Vec<Diagnostic> = Vec::with_capacity(sorted.len());
    for it in sorted {
        let place = |it: &Diagnostic| it.primary.as_ref().map(|label| label.span);
        let same = |known: &Diagnostic| {
            known.rule.code == it.rule.code && place(known) == place(&it) && known.message == it.message
        };
        // Sorted, they follow each other.
        match kept.last_mut().filter(|known| same(known) && it.primary.is_some()) {
            Some(known) => known.severity = known.severity.max(it.severity),
            None => kept.push(it),
        }
    }
    kept
}

/// Checks the file at `path` by itself, whatever it is: a stack, or the whole configuration of a collector.
pub fn check(files: &dyn Files, path: &Path, assumed: Assumed) -> Result<Compiled, CheckFailure> {
    check_told(files, path, &Told { assumed, ..Told::default() })
}

/// The same, with all that is known beforehand.
pub fn check_told(files: &dyn Files, path: &Path, told: &Told) -> Result<Compiled, CheckFailure> {
    let text = files.read(path).map_err(|failure| CheckFailure::Read(path.to_owned(), failure))?;
    let kind = kind(path, &text);
    match kind {
        FileKind::Stack if text.len() as u64 > LARGEST_STACK => {
            Err(CheckFailure::Read(path.to_owned(), ReadFailure::TooLarge(LARGEST_STACK)))
        }
        FileKind::Stack => Ok(compile_text(files, path, text)),
        FileKind::Other(what) => Err(CheckFailure::NotYet(path.to_owned(), what)),
        _ => {
            let mut sources = SourceMap::default();
            let file = sources.add(shown(path), text);
            let mut out = Diagnostics::default();
            let Told { assumed, built, products } = told.clone();
            let built = built.and_then(|it| manifest(&it, &mut sources));
            let about = About { assumed, built, products, own: Arc::default() };
            let system = match lone::product_file(kind) {
                Some(what) => lone::product(path, file, what, &about, &sources, &mut out),
                None => lone::collector(path, &[file], &about, lone::Extent::Whole, &sources, &mut out),
            };
            let diagnostics = out.sorted(&sources);
            Ok(Compiled { sources, systems: vec![system], diagnostics, artefacts: Vec::new() })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::MemoryFiles;

    fn codes(text: &str) -> Vec<(&'static str, String)> {
        let files = MemoryFiles::new([("otel.yaml", text)]);
        let assumed = Assumed::new(Some("0.135.0"), None).expect("a release");
        let compiled = check(&files, Path::new("otel.yaml"), assumed).expect("checked");
        let slice = |it: &Diagnostic| {
            it.primary.as_ref().map(|label| compiled.sources.slice(label.span).to_owned()).unwrap_or_default()
        };
        compiled.diagnostics.iter().map(|it| (it.rule.code, slice(it))).collect()
    }

    fn found(text: &str, wanted: &[(&str, &str)]) {
        let wanted: Vec<(&str, String)> = wanted.iter().map(|(code, slice)| (*code, (*slice).to_owned())).collect();
        assert_eq!(codes(text), wanted, "{text}");
    }

    const GOOD: &str = "receivers:\n  otlp:\n    protocols:\n      grpc:\nexporters:\n  debug:\nservice:\n  pipelines:\n    \
                        traces:\n      receivers: [otlp]\n      exporters: [debug]\n";

    #[test]
    fn a_good_file_has_no_findings() {
        found(GOOD, &[]);
    }

    #[test]
    fn what_a_file_is_made_of() {
        found("", &[("R005", "")]);
        found("# nothing\n", &[("R005", "")]);
        found("hello\n", &[("R003", "hello")]);
        found("a: b: c\n", &[("R001", "")]);
        found(&format!("{GOOD}---\nx: 1\n"), &[("R006", "")]);
        found(&format!("{GOOD}recievers:\n"), &[("R004", "recievers")]);
        found(&GOOD.replace("receivers: [otlp]", "receivers: otlp"), &[("R003", "otlp")]);
        found(&GOOD.replace("[otlp]", "[otlp, 1]"), &[("R003", "1")]);
        found(&GOOD.replace("    traces:", "    trace:"), &[("R007", "trace")]);
        found(&GOOD.replace("exporters: [debug]", "exporters: [debug]\n      foo: 1"), &[("R004", "foo")]);
        found(&GOOD.replace("  debug:\n", "  debug:\n  debug:\n"), &[("R002", "debug")]);
        found(&GOOD.replace("service:\n", "service:\n  foo: 1\n"), &[("R004", "foo")]);
        let (parts, service) = GOOD.split_at(GOOD.find("service").expect("there"));
        found(parts, &[("R005", "receivers")]);
        found(&format!("{parts}service:\n  pipelines: {{}}\n"), &[("R005", "pipelines")]);
        found(&format!("receivers:\n  - otlp\nexporters:\n  debug:\n{service}"), &[("R003", "- otlp")]);
    }

    #[test]
    fn what_stands_elsewhere_is_not_missing() {
        let service = &GOOD[GOOD.find("exporters").expect("there")..];
        found(&format!("receivers: ${{file:receivers.yaml}}\n{service}"), &[]);
        found(&GOOD.replace("[otlp]", "${env:RECEIVERS}"), &[("P005", "otlp")][..0]);
        found(&GOOD.replace("[otlp]", "[otlp, '${env:MORE}']"), &[]);
        found("${file:all.yaml}\n", &[]);
    }

    #[test]
    fn anchors_and_merge_keys_are_followed() {
        let text = GOOD.replace("  debug:\n", "  debug: &d\n    verbosity: loud\n  debug/2:\n    <<: *d\n");
        let text = text.replace("[debug]", "[debug, debug/2]");
        let codes: Vec<_> = codes(&text).into_iter().collect();
        assert!(codes.iter().all(|it| *it == ("Y004", "loud".to_owned())) && !codes.is_empty(), "{codes:?}");
    }

    #[test]
    fn the_collector_that_is_assumed() {
        assert_eq!(Assumed::new(Some("v0.135.0"), Some("core")).map(Assumed::distribution), Ok(Distribution::Core));
        assert!(matches!(Assumed::new(Some("0.76.0"), None), Err(AssumedError::NoRelease(_))));
        assert!(matches!(Assumed::new(None, Some("x")), Err(AssumedError::NoDistribution { near: None, .. })));
        let near = |text| match Assumed::new(None, Some(text)) {
            Err(AssumedError::NoDistribution { near, .. }) => near,
            _ => None,
        };
        assert_eq!([near("contirb"), near("K8"), near("alloy")], [Some("contrib"), Some("k8s"), None]);
        let first = Some(Version::new(0, 98, 0));
        let expected = AssumedError::NotTogether { distribution: Distribution::K8s, first };
        assert_eq!(Assumed::new(Some("0.90.0"), Some("k8s")), Err(expected));
    }
}
