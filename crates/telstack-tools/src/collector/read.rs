//! Reading it: what people write, into the model, every value with its place.

use telstack_catalog::{ComponentKind, Distribution, Signal, Version, otelcol};
use telstack_diagnostics::{Diagnostic, Diagnostics, FileId, Severity, Span};
use telstack_syntax::tree::{Entry, Kind};
use telstack_system::{
    Collector, Component, ComponentId, Gaps, Origin, Pipeline, Reference, Sourced, Value, expansion,
};

use super::keys;
use crate::folder::Loose;
use crate::reading::{self, MISSING_PART, UNKNOWN_PART, UNKNOWN_SIGNAL, wrong_shape};

/// What is known of the collector that runs a file: the file itself does not say.
#[derive(Clone, Debug)]
pub struct Runs {
    /// Its distribution.
    pub distribution: Sourced<Distribution>,
    /// Does something say so? Else it may be one of somebody's own.
    pub certain: bool,
    /// Its release.
    pub version: Version,
    /// Does an operator read the configuration first, and hand on only what a collector has?
    pub operated: bool,
}

/// Source: opentelemetry-operator `apis/v1beta1/config.go`, into which `apis/v1alpha1/convert.go` reads the text.
const DROPPED: &str = "the operator drops what it does not know: the collector starts, without this";
/// The section that says what runs.
const SERVICE: &str = "service";
/// Sections of vendors' distributions. Source: signalfx/splunk-otel-collector `internal/configsource`.
const OF_VENDORS: [&str; 1] = ["config_sources"];
/// Keys of `service`.
const SERVICE_KEYS: [&str; 3] = ["extensions", PIPELINES, "telemetry"];
const PIPELINES: &str = "pipelines";
/// Keys of a pipeline.
const PIPELINE_KEYS: [&str; 3] = ["receivers", "processors", "exporters"];

/// Reads a collector's configuration. What has another form than the collector takes is reported and left
/// out; what stands elsewhere (`${file:…}`) is left out too, and noted as a gap.
pub fn read(file: FileId, text: &str, runs: Runs, out: &mut Diagnostics) -> Collector {
    Configuration::of_files(&[(file, text)], out).collector(runs, Extent::Whole, out)
}

/// How much of a configuration files are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Extent {
    /// All of it.
    Whole,
    /// Some of it: nothing is known to be missing.
    Part,
}

/// A configuration as one tree, before anybody says which release runs it.
#[derive(Clone, Debug)]
pub struct Configuration {
    document: Option<Value>,
    start: Option<Span>,
    /// Was all of it YAML?
    whole: bool,
    /// What a list of a later file left out.
    lost: Vec<ComponentId>,
}

impl Configuration {
    /// What several files say, merged as the collector merges them: maps into each other, anything else is replaced by
    /// what later files say.
    pub fn of_files(files: &[(FileId, &str)], out: &mut Diagnostics) -> Self {
        let mut documents = Vec::new();
        let mut whole = true;
        for (file, text) in files {
            let mut found = Diagnostics::default();
            let document = reading::document(*file, text, &mut found);
            // What is no YAML has been reported.
            whole &= document.is_some() || !found.has_errors();
            documents.extend(document);
            out.append(found);
        }
        let start = files.first().map(|(file, _)| Span::new(*file, 0, 0));
        Self { whole, ..Self::of_documents(documents, start, Lists::Replaced, out) }
    }

    /// What a text says that stands inside of a file.
    pub fn of_loose(loose: &Loose, out: &mut Diagnostics) -> Self {
        let mut found = Diagnostics::default();
        let document = reading::document_at(loose.file, &loose.text, loose.place, &mut found);
        let whole = document.is_some() || !found.has_errors();
        out.append(found);
        let start = document.as_ref().and_then(|it| it.mark.span());
        Self { whole, ..Self::of_documents(document.into_iter().collect(), start, Lists::Replaced, out) }
    }

    /// What documents say, in their order. Reports what lists lose.
    pub(super) fn of_documents(
        documents: Vec<Value>,
        start: Option<Span>,
        lists: Lists,
        out: &mut Diagnostics,
    ) -> Self {
        let lost = match lists {
            Lists::Replaced => super::replaced::report(&documents, out),
            Lists::Appended => Vec::new(),
        };
        // An empty file adds nothing to others.
        let several = documents.len() > 1;
        let documents = documents.into_iter().filter(|it| !several || !matches!(it.kind, Kind::Null)).map(keys::split);
        Self { document: documents.reduce(|under, over| merged(under, over, lists)), start, whole: true, lost }
    }

    /// The collector that it is, run by that release.
    pub fn collector(&self, runs: Runs, extent: Extent, out: &mut Diagnostics) -> Collector {
        let Runs { distribution, certain, version, operated } = runs;
        let extent = if self.whole { extent } else { Extent::Part };
        let mut reader = Reader { version, certain, operated, extent, collector: Collector::new(distribution), out };
        reader.collector.gaps.distribution = !certain;
        reader.collector.lost.clone_from(&self.lost);
        match &self.document {
            Some(document) => reader.document(document),
            None => {
                reader.missing(
                    "the configuration is empty",
                    self.start,
                    "a collector needs receivers, exporters and pipelines",
                );
            }
        }
        if extent == Extent::Part {
            reader.nothing_is_known();
        }
        reader.collector
    }
}

/// What becomes of a list that a later document writes again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Lists {
    /// The later one stands.
    Replaced,
    /// They follow each other, and what is there already stands once. Source: opentelemetry-collector
    /// `confmap/merge.go`.
    Appended,
}

/// A document on top of another.
fn merged(under: Value, over: Value, lists: Lists) -> Value {
    match (under.kind, over.kind) {
        (Kind::Seq(mut seq), Kind::Seq(other)) if lists == Lists::Appended => {
            for item in other.items {
                if item.as_str().is_none_or(|name| seq.items.iter().all(|it| it.as_str() != Some(name))) {
                    seq.items.push(item);
                }
            }
            Value { kind: Kind::Seq(seq), mark: under.mark }
        }
        (Kind::Map(mut map), Kind::Map(other)) => {
            for entry in other {
                if let Some(known) = map.iter_mut().find(|known| known.key == entry.key) {
                    let both = matches!((&known.value.kind, &entry.value.kind), (Kind::Map(_), Kind::Map(_)));
                    let was = std::mem::replace(&mut known.value, Value { kind: Kind::Null, mark: over.mark.clone() });
                    known.value = merged(was, entry.value, lists);
                    if !both {
                        known.key_mark = entry.key_mark;
                    }
                } else {
                    map.push(entry);
                }
            }
            Value { kind: Kind::Map(map), mark: under.mark }
        }
        (_, kind) => Value { kind, mark: over.mark },
    }
}

struct Reader<'a> {
    version: Version,
    /// Is it known which distribution runs? Those of vendors may have sections of their own.
    certain: bool,
    operated: bool,
    extent: Extent,
    collector: Collector,
    out: &'a mut Diagnostics,
}

/// Does the whole value come from elsewhere, at run time? Text beside a reference makes it a text, and what
/// stands in for a variable that is not set must be of the form that is wanted.
fn is_elsewhere(value: &Value) -> bool {
    let Some(text) = value.as_str() else { return false };
    let reference = expansion::sole(text);
    expansion::is_placeholder(text)
        || reference
            .is_some_and(|it| it.default.is_none_or(|text| text.is_empty() || text.starts_with(['[', '{', '$'])))
}

impl Reader<'_> {
    fn nothing_is_known(&mut self) {
        nothing_is_known(&mut self.collector);
    }

    fn missing(&mut self, message: impl Into<String>, at: impl Into<Option<Span>>, help: &str) {
        if self.extent == Extent::Part {
            return;
        }
        self.out.push(Diagnostic::new(&MISSING_PART, message).at(at, "the collector does not start").help(help));
    }

    fn document(&mut self, document: &Value) {
        let Some(map) = document.as_map() else {
            self.nothing_is_known();
            if matches!(document.kind, Kind::Null) {
                let help = "a collector needs receivers, exporters and pipelines";
                return self.missing("the configuration is empty", document.mark.span(), help);
            }
            if !is_elsewhere(document) {
                let help = format!("write its sections: `receivers:`, `exporters:`, `{SERVICE}:`");
                wrong_shape("the configuration", "a map of sections", document, help, self.out);
            }
            return;
        };
        let known = || ComponentKind::ALL.iter().map(|kind| kind.section()).chain([SERVICE]);
        for entry in map {
            match ComponentKind::ALL.iter().find(|kind| kind.section() == entry.key) {
                Some(kind) => self.section(*kind, entry),
                None if entry.key == SERVICE => self.service(entry, map.contains(PIPELINES)),
                None => {
                    let known: Vec<&str> = known().collect();
                    let sure = self.certain || !OF_VENDORS.contains(&entry.key.as_str());
                    let mut finding = unknown("the collector has no section", entry, &known);
                    if SERVICE_KEYS.contains(&entry.key.as_str()) && !known.contains(&entry.key.as_str()) {
                        finding = finding.help(format!("it belongs below `{SERVICE}`"));
                    }
                    if self.operated {
                        finding = finding.note(DROPPED);
                    }
                    self.out.push(if sure && !self.operated { finding } else { finding.severity(Severity::Warning) });
                }
            }
        }
        // A misspelt section is there in another sense.
        let misspelt = |section: &str| map.iter().any(|it| reading::nearest(&it.key, &[section]).is_some());
        let first = map.iter().next().and_then(|entry| entry.key_mark.span());
        for kind in [ComponentKind::Receiver, ComponentKind::Exporter] {
            let section = kind.section();
            if self.collector.of_kind(kind).next().is_some() || self.collector.may_have_more(kind) {
                continue;
            }
            if map.contains(section) || !misspelt(section) {
                let at = map.entry(section).and_then(|entry| entry.key_mark.span()).or(first);
                self.missing(format!("no {kind} is declared"), at, &format!("declare one below `{section}:`"));
            }
        }
        if !map.contains(SERVICE) && !misspelt(SERVICE) {
            self.missing("there is no `service`: nothing would run", first, "join the parts in `service.pipelines`");
        }
    }

    fn section(&mut self, kind: ComponentKind, entry: &Entry<Origin>) {
        match &entry.value.kind {
            Kind::Null => {}
            Kind::Map(map) => self.collector.components.extend(map.iter().map(|component| Component {
                kind,
                id: ComponentId::parse(&component.key),
                settings: component.value.clone(),
                origin: component.key_mark.clone(),
            })),
            _ => {
                self.collector.gaps.sections.push(kind);
                if !is_elsewhere(&entry.value) {
                    let what = format!("`{}`", entry.key);
                    let help = format!("write each {kind} as a key: `{}: {{NAME: {{…}}}}`", entry.key);
                    wrong_shape(&what, &format!("a map of {}", kind.section()), &entry.value, help, self.out);
                }
            }
        }
    }

    /// Pipelines that stand `beside` it are reported there.
    fn service(&mut self, service: &Entry<Origin>, beside: bool) {
        let map = match &service.value.kind {
            Kind::Map(map) => Some(map),
            Kind::Null => None,
            _ => {
                self.collector.gaps.pipelines = true;
                self.collector.gaps.extensions = true;
                if !is_elsewhere(&service.value) {
                    let help = "write `service: {pipelines: {…}}`".to_owned();
                    wrong_shape("`service`", "a map", &service.value, help, self.out);
                }
                return;
            }
        };
        for entry in map.into_iter().flatten() {
            match entry.key.as_str() {
                "extensions" => {
                    let (references, open) = self.references("`service.extensions`", &entry.value);
                    self.collector.extensions = references;
                    self.collector.gaps.extensions = open;
                }
                PIPELINES => self.pipelines(entry),
                "telemetry" => match &entry.value.kind {
                    Kind::Map(telemetry) => self.collector.telemetry = telemetry.clone(),
                    Kind::Null => {}
                    _ if is_elsewhere(&entry.value) => {}
                    _ => {
                        let help = "write `telemetry: {logs: {…}, metrics: {…}}`".to_owned();
                        wrong_shape("`service.telemetry`", "a map", &entry.value, help, self.out);
                    }
                },
                _ => self.out.push(unknown("`service` has no key", entry, &SERVICE_KEYS)),
            }
        }
        let written = map.is_some_and(|map| map.contains(PIPELINES));
        let misspelt = map.into_iter().flatten().any(|it| reading::nearest(&it.key, &[PIPELINES]).is_some());
        if self.collector.pipelines.is_empty() && !self.collector.gaps.pipelines && (written || !misspelt && !beside) {
            let at = map.and_then(|map| map.entry(PIPELINES)).unwrap_or(service);
            self.missing("there is no pipeline: nothing would run", at.key_mark.span(), "declare one: `traces: {…}`");
        }
    }

    fn pipelines(&mut self, pipelines: &Entry<Origin>) {
        let map = match &pipelines.value.kind {
            Kind::Map(map) => map,
            Kind::Null => return,
            _ => {
                self.collector.gaps.pipelines = true;
                if !is_elsewhere(&pipelines.value) {
                    let help = "write each pipeline as a key: `pipelines: {traces: {…}}`".to_owned();
                    wrong_shape("`service.pipelines`", "a map of pipelines", &pipelines.value, help, self.out);
                }
                return;
            }
        };
        for entry in map {
            let id = ComponentId::parse(&entry.key);
            if let Some(signal) = Signal::parse(&id.ty) {
                let pipeline = self.pipeline(signal, id.name, entry);
                self.collector.pipelines.push(pipeline);
            } else {
                self.collector.gaps.pipelines = true;
                self.unknown_signal(&id, entry);
            }
        }
    }

    fn unknown_signal(&mut self, id: &ComponentId, entry: &Entry<Origin>) {
        let known: Vec<&str> = Signal::ALL.iter().map(|signal| signal.as_str()).collect();
        let mut finding = Diagnostic::new(&UNKNOWN_SIGNAL, format!("there is no signal `{}`", id.ty))
            .at(entry.key_mark.span(), "names no signal");
        if let Some(near) = reading::nearest(&id.ty, &known) {
            finding = finding.help(format!("did you mean `{near}`?"));
        }
        let known: Vec<String> = known.iter().map(|it| format!("`{it}`")).collect();
        self.out.push(finding.note(format!("there is {}", known.join(", "))));
    }

    fn pipeline(&mut self, signal: Signal, name: Option<String>, entry: &Entry<Origin>) -> Pipeline {
        let mut pipeline = Pipeline {
            signal,
            name,
            receivers: Vec::new(),
            processors: Vec::new(),
            ordered: true,
            exporters: Vec::new(),
            open: false,
            origin: entry.key_mark.clone(),
        };
        let map = match &entry.value.kind {
            Kind::Map(map) => map,
            Kind::Null => return pipeline,
            _ => {
                pipeline.open = true;
                if !is_elsewhere(&entry.value) {
                    let help = "write `receivers:`, `processors:` and `exporters:`".to_owned();
                    wrong_shape(&format!("pipeline `{}`", entry.key), "a map", &entry.value, help, self.out);
                }
                return pipeline;
            }
        };
        for list in map {
            let place = format!("`{}` of pipeline `{}`", list.key, entry.key);
            let into = match list.key.as_str() {
                "receivers" => &mut pipeline.receivers,
                "processors" => &mut pipeline.processors,
                "exporters" => &mut pipeline.exporters,
                _ => {
                    let message = format!("pipeline `{}` has no key", entry.key);
                    self.out.push(unknown(&message, list, &PIPELINE_KEYS));
                    pipeline.open = true;
                    continue;
                }
            };
            let (references, open) = self.references(&place, &list.value);
            *into = references;
            pipeline.open |= open;
        }
        pipeline
    }

    /// The components that a list names, and whether it may name more.
    fn references(&mut self, place: &str, value: &Value) -> (Vec<Reference>, bool) {
        let help = || format!("write a list: `[{}]`", value.as_str().unwrap_or("NAME"));
        let items = match &value.kind {
            Kind::Null => return (Vec::new(), false),
            Kind::Seq(seq) => seq.items.as_slice(),
            _ if is_elsewhere(value) => return (Vec::new(), true),
            Kind::String(_) if !otelcol::is_strictly_typed(self.version) => std::slice::from_ref(value),
            _ => {
                wrong_shape(place, "a list of names", value, help(), self.out);
                return (Vec::new(), true);
            }
        };
        let (mut references, mut open) = (Vec::new(), false);
        for item in items {
            match item.as_str() {
                Some(name) if is_filled_in(name) => open = true,
                Some(name) => references.push(Reference { id: ComponentId::parse(name), origin: item.mark.clone() }),
                None => {
                    open = true;
                    let what = format!("an item of {place}");
                    wrong_shape(&what, "a name", item, "name a component by its id, as declared".to_owned(), self.out);
                }
            }
        }
        (references, open)
    }
}

/// Is a name of a component filled in before it is read?
fn is_filled_in(name: &str) -> bool {
    expansion::is_placeholder(name) || expansion::is_open(name) && name.contains('{')
}

fn unknown(message: &str, entry: &Entry<Origin>, known: &[&str]) -> Diagnostic {
    let mut finding =
        Diagnostic::new(&UNKNOWN_PART, format!("{message} `{}`", entry.key)).at(entry.key_mark.span(), "unknown here");
    if let Some(near) = reading::nearest(&entry.key, known) {
        finding = finding.help(format!("did you mean `{near}`?"));
    }
    let known: Vec<String> = known.iter().map(|it| format!("`{it}`")).collect();
    finding.note(format!("there is {}", known.join(", ")))
}

pub(super) fn nothing_is_known(collector: &mut Collector) {
    let distribution = collector.gaps.distribution;
    collector.pipelines.iter_mut().for_each(|pipeline| pipeline.open = true);
    let own = std::mem::take(&mut collector.gaps.own);
    collector.gaps =
        Gaps { sections: ComponentKind::ALL.to_vec(), pipelines: true, extensions: true, distribution, own };
}
