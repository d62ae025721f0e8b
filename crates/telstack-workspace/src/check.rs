//! From any file that can be checked to its findings. What a file is, its name and content tell.

use std::{path::Path, sync::Arc};

use telstack_catalog::{Distribution, Version, otelcol, product::Product};
use telstack_diagnostics::{Diagnostics, SourceMap, Span};
use telstack_system::{Node, NodeKind, Origin, Platform, Sourced, System, passes};
use telstack_tools::collector::{self, Runs};

use crate::{
    compile::{Compiled, LARGEST_STACK, compile_text, shown},
    explain::nearest,
    files::{Files, ReadFailure},
};

/// What a file is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FileKind {
    /// A stack description.
    Stack,
    /// The configuration of an OpenTelemetry Collector.
    Collector,
    /// Something that is known by sight but not read yet, in words.
    Other(&'static str),
}

/// Endings of names that only stack descriptions have.
const STACK_ENDINGS: [&str; 3] = [".kdl", ".stack.yaml", ".stack.yml"];

/// Top-level keys that give away what a YAML file is, where it is no collector's.
const TELLING_KEYS: [(&str, &str); 5] = [
    ("apiVersion", "a Kubernetes manifest"),
    ("services", "a docker compose file"),
    ("scrape_configs", "a Prometheus configuration"),
    ("schema_config", "a Loki configuration"),
    ("route", "an Alertmanager configuration"),
];

/// What a file is, by its name and by the keys at the start of its lines: a file with a mistake in its YAML
/// is still recognised. YAML that looks like nothing else is taken for a collector's.
pub fn kind(path: &Path, text: &str) -> FileKind {
    let name = path.to_string_lossy();
    if STACK_ENDINGS.iter().any(|ending| name.ends_with(ending)) {
        return FileKind::Stack;
    }
    let has = |key: &str| text.lines().any(|line| line.strip_prefix(key).is_some_and(|rest| rest.starts_with(':')));
    if has("receivers") && has("exporters") {
        return FileKind::Collector;
    }
    match TELLING_KEYS.iter().find(|(key, _)| has(key)) {
        Some((_, what)) => FileKind::Other(what),
        None if name.ends_with(".yaml") || name.ends_with(".yml") => FileKind::Collector,
        None => FileKind::Stack,
    }
}

/// Is a file surely one that can be checked? For those who name every file they have.
pub fn is_known(path: &Path, text: &str) -> bool {
    let name = path.to_string_lossy();
    let stack = [".stack.kdl", STACK_ENDINGS[1], STACK_ENDINGS[2]].iter().any(|ending| name.ends_with(ending));
    // YAML is taken for a collector's where somebody asks about it; here nobody has.
    let has = |key: &str| text.lines().any(|line| line.strip_prefix(key).is_some_and(|rest| rest.starts_with(':')));
    stack || (kind(path, text) == FileKind::Collector && has("exporters") && (has("receivers") || has("connectors")))
}

/// Which collector runs a configuration: the file does not say.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Assumed {
    /// Its release.
    pub version: Version,
    /// Its distribution.
    pub distribution: Distribution,
}

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
    /// The collector that is named; the newest release and the contrib distribution where it is not.
    pub fn new(version: Option<&str>, distribution: Option<&str>) -> Result<Self, AssumedError> {
        let version = match version {
            None => otelcol::newest(),
            Some(text) => {
                let parsed = Version::parse(text.strip_prefix('v').unwrap_or(text));
                let near = || parsed.map_or_else(otelcol::newest, otelcol::nearest_release);
                parsed.filter(|it| otelcol::is_released(*it)).ok_or_else(|| AssumedError::NoRelease(near()))?
            }
        };
        let distribution = match distribution {
            None => Distribution::Contrib,
            Some(text) => Distribution::parse(text).ok_or_else(|| {
                let known: Vec<&'static str> = Distribution::ALL.iter().map(|it| it.as_str()).collect();
                AssumedError::NoDistribution { near: nearest(text, known.iter().copied()), known }
            })?,
        };
        let has = |release: Version| otelcol::distribution_has_release(distribution, release);
        if !has(version) {
            let first = otelcol::releases().iter().map(|it| it.version).find(|it| has(*it));
            return Err(AssumedError::NotTogether { distribution, first });
        }
        Ok(Self { version, distribution })
    }
}

/// Why a file could not be checked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum CheckFailure {
    /// It could not be read.
    Read(ReadFailure),
    /// It is something that is not read yet, in words.
    NotYet(&'static str),
}

/// A distribution that somebody built: the text of the manifest that describes it, which can be read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BuiltBy {
    /// What settings call it.
    pub distribution: String,
    /// The manifest's name in reports.
    pub name: String,
    /// The manifest's text.
    pub text: String,
}

/// Checks the file at `path`, whatever it is.
pub fn check(files: &dyn Files, path: &Path, assumed: Assumed) -> Result<Compiled, CheckFailure> {
    check_built(files, path, assumed, None)
}

/// The same for a collector that somebody built.
pub fn check_built(
    files: &dyn Files,
    path: &Path,
    assumed: Assumed,
    built: Option<&BuiltBy>,
) -> Result<Compiled, CheckFailure> {
    let text = files.read(path).map_err(CheckFailure::Read)?;
    match kind(path, &text) {
        FileKind::Stack if text.len() as u64 > LARGEST_STACK => {
            Err(CheckFailure::Read(ReadFailure::TooLarge(LARGEST_STACK)))
        }
        FileKind::Stack => Ok(compile_text(files, path, text)),
        FileKind::Collector => Ok(check_collector(path, &text, assumed, built)),
        FileKind::Other(what) => Err(CheckFailure::NotYet(what)),
    }
}

/// Checks a collector's configuration by itself: whoever sends to it, and whatever it sends to, is not known.
fn check_collector(path: &Path, text: &str, assumed: Assumed, built: Option<&BuiltBy>) -> Compiled {
    let mut sources = SourceMap::default();
    let file = sources.add(shown(path), text);
    let origin = Origin::written(Span::new(file, 0, 0));
    // Nothing in the file says which collector runs it, so no place can be shown for that.
    let told = || Origin::builtin("check", "the file does not say which collector runs it", &[]);
    let mut diagnostics = Diagnostics::default();
    let version = assumed.version;
    let runs = Runs { distribution: Sourced::new(assumed.distribution, told()), version };
    let mut collector = collector::read(file, text, runs, &mut diagnostics);
    if let Some(built) = built {
        let file = sources.add(&*built.name, &*built.text);
        let manifest = collector::manifest(file, &built.text, &built.distribution);
        collector.built = manifest.ok().map(|it| Arc::new(it.distribution));
    }

    let name = path.file_stem().map_or_else(|| "collector".into(), |stem| stem.to_string_lossy());
    let mut system = System::new(&*name, origin.clone(), Sourced::new(Platform::Compose, told()));
    system.from_files = true;
    let kind = NodeKind::Collector(Box::new(collector));
    let mut node = Node::new(Product::Otelcol.id(), origin, Some(Sourced::new(version, told())), kind);
    node.listeners = node.collector().map(|it| passes::collector_listeners(it, version)).unwrap_or_default();
    system.add(node);
    telstack_lint::check(&system, &mut diagnostics);
    Compiled { diagnostics: diagnostics.sorted(&sources), sources, system: Some(system), artefacts: Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::MemoryFiles;

    fn codes(text: &str) -> Vec<(&'static str, String)> {
        let files = MemoryFiles::new([("otel.yaml", text)]);
        let assumed = Assumed::new(Some("0.135.0"), None).expect("a release");
        let compiled = check(&files, Path::new("otel.yaml"), assumed).expect("checked");
        let slice = |it: &telstack_diagnostics::Diagnostic| {
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
    fn files_are_known_by_name_and_content() {
        let is = |name: &str, text: &str| kind(Path::new(name), text);
        assert_eq!(is("a.stack.kdl", ""), FileKind::Stack);
        assert_eq!(is("a.stack.yaml", "receivers:\nexporters:\n"), FileKind::Stack);
        assert_eq!(is("a.yaml", GOOD), FileKind::Collector);
        assert_eq!(is("noending", GOOD), FileKind::Collector);
        assert_eq!(is("a.yaml", ""), FileKind::Collector);
        assert_eq!(is("a.yml", "services:\n  a:\n"), FileKind::Other("a docker compose file"));
        assert_eq!(is("a.yml", "receivers:\n\tx\nexporters:\nservices:\n"), FileKind::Collector);
    }

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
        assert_eq!(Assumed::new(Some("v0.135.0"), Some("core")).map(|it| it.distribution), Ok(Distribution::Core));
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
