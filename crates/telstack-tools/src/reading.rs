//! What reading any tool's files shares: one document with origins, and the codes of what is wrong with its
//! form. What settings mean is the rules' matter.

use std::collections::HashMap;

use telstack_catalog::near::Near;
use telstack_diagnostics::{Diagnostic, Diagnostics, FileId, RuleInfo, Severity, Span};
use telstack_syntax::{tree::Kind, yaml};
use telstack_system::{
    Dial, Known, Origin, Protocol, Purpose, Sourced, Tls, Value, expansion, link::Address, units::Period,
};

use crate::{escapes, folder::Dialled, haproxy};

/// Everything that can be wrong with the form of a file.
pub static RULES: &[&RuleInfo] = &[
    &NOT_YAML,
    &DUPLICATE_KEY,
    &WRONG_SHAPE,
    &UNKNOWN_PART,
    &MISSING_PART,
    &LATER_DOCUMENT,
    &UNKNOWN_SIGNAL,
    &UNKNOWN_REMARK,
    &crate::compose::read::dollars::RULE,
    &crate::collector::replaced::RULE,
    &haproxy::UNKNOWN_KEYWORD,
    &haproxy::INCOMPLETE_LINE,
    &haproxy::UNDEFINED_BACKEND,
    &haproxy::DUPLICATE_SECTION,
];

const COLLECTOR_DOCS: &[&str] = &["https://opentelemetry.io/docs/collector/configuration/"];

pub(crate) static NOT_YAML: RuleInfo = RuleInfo {
    code: "R001",
    name: "not-yaml",
    severity: Severity::Error,
    summary: "The text of a file is not YAML.",
    why: "The program that reads it does not start. A tab in the indentation and a colon behind a space in a plain \
          text are the usual causes.",
    bad: "exporters:\n\totlp_http:\n",
    good: "exporters:\n  otlp_http:\n    endpoint: http://gateway:4318\n",
    silent: "A template, such as one of Helm, ytt or, in a file that is named a template, `envsubst`.",
    sources: &["https://yaml.org/spec/1.2.2/"],
};

pub(crate) static DUPLICATE_KEY: RuleInfo = RuleInfo {
    code: "R002",
    name: "duplicate-key",
    severity: Severity::Error,
    summary: "A key stands twice in one map.",
    why: "Readers written in Go refuse the file: `mapping key already defined`. Where it is not refused, one of the \
          two is lost without a word.",
    bad: "processors:\n  batch:\n    timeout: 1s\n  batch:\n    timeout: 5s\n",
    good: "processors:\n  batch:\n    timeout: 1s\n  batch/slow:\n    timeout: 5s\n",
    silent: "A key beside a merge key (`<<`) that brings the same one: what is written wins.",
    sources: &["https://yaml.org/spec/1.2.2/#mapping"],
};

pub(crate) static WRONG_SHAPE: RuleInfo = RuleInfo {
    code: "R003",
    name: "wrong-shape",
    severity: Severity::Error,
    summary: "A part of a file is a list where a map is wanted, text where a list is wanted, or the like.",
    why: "The program that reads the file does not start: `expected a map or struct, got \"slice\"`.",
    bad: "receivers:\n  - otlp\n",
    good: "receivers:\n  otlp:\n    protocols:\n      grpc:\n",
    silent: "The part is a reference (`${file:…}`). Inside the settings of a component it is Y002. Collectors before \
             0.105.0 take one name where a list of names is wanted.",
    sources: COLLECTOR_DOCS,
};

pub(crate) static UNKNOWN_PART: RuleInfo = RuleInfo {
    code: "R004",
    name: "unknown-part",
    severity: Severity::Error,
    summary: "A file has a section, or a pipeline a key, that its program does not know.",
    why: "The collector does not start: `has invalid keys`. There is no room for keys of one's own, not even ones that \
          start with `x-`.",
    bad: "recievers:\n  otlp:\n    protocols:\n      grpc:\n",
    good: "receivers:\n  otlp:\n    protocols:\n      grpc:\n",
    silent: "Inside the settings of a component and in `service.telemetry` it is Y001. A warning for the \
             section of a vendor's distribution (`config_sources`) where nothing says which distribution runs, and for what an operator \
             drops before a collector reads it.",
    sources: COLLECTOR_DOCS,
};

pub(crate) static MISSING_PART: RuleInfo = RuleInfo {
    code: "R005",
    name: "missing-part",
    severity: Severity::Error,
    summary: "A file lacks a part without which its program does not start.",
    why: "A collector needs a receiver, an exporter and a pipeline that joins them: `service must have at least one \
          pipeline`.",
    bad: "receivers:\n  otlp:\n    protocols:\n      grpc:\nexporters:\n  debug:\n",
    good: "receivers:\n  otlp:\n    protocols:\n      grpc:\nexporters:\n  debug:\nservice:\n  pipelines:\n    traces:\n      \
           receivers: [otlp]\n      exporters: [debug]\n",
    silent: "The part is a reference (`${file:…}`), or was not understood and is reported as such; in a folder, a file that \
             nothing is seen to run and that lacks a section, or has an empty one: another file may fill it.",
    sources: COLLECTOR_DOCS,
};

pub(crate) static LATER_DOCUMENT: RuleInfo = RuleInfo {
    code: "R006",
    name: "later-document-ignored",
    severity: Severity::Warning,
    summary: "A file holds several YAML documents, of which only the first is read.",
    why: "Everything behind the `---` has no effect, and nothing says so.",
    bad: "receivers:\n  otlp:\n---\nexporters:\n  debug:\n",
    good: "receivers:\n  otlp:\nexporters:\n  debug:\n",
    silent: "The later documents are empty.",
    sources: COLLECTOR_DOCS,
};

pub(crate) static UNKNOWN_SIGNAL: RuleInfo = RuleInfo {
    code: "R007",
    name: "unknown-signal",
    severity: Severity::Error,
    summary: "The name of a pipeline does not start with a signal.",
    why: "What stands before the slash says what flows: `traces`, `metrics`, `logs` or `profiles`. With anything else \
          the collector does not start: `unknown pipeline signal`.",
    bad: "service:\n  pipelines:\n    trace:\n      receivers: [otlp]\n      exporters: [debug]\n",
    good: "service:\n  pipelines:\n    traces:\n      receivers: [otlp]\n      exporters: [debug]\n",
    silent: "Never.",
    sources: COLLECTOR_DOCS,
};

pub(crate) static UNKNOWN_REMARK: RuleInfo = RuleInfo {
    code: "R008",
    name: "unknown-remark",
    severity: Severity::Warning,
    summary: "A comment to telstack names a release or a distribution that does not exist.",
    why: "The comment says which collector runs a configuration. It is not heeded, so the configuration is checked for \
          another one.",
    bad: "# telstack: otelcol=0.1350.0 distribution=contrib\nreceivers:\n",
    good: "# telstack: otelcol=0.135.0 distribution=contrib\nreceivers:\n",
    silent: "Comments that do not start with `telstack:`, and other words in those that do.",
    sources: &["https://github.com/open-telemetry/opentelemetry-collector-releases/releases"],
};

/// The header that names a tenant.
pub(crate) const TENANT: &str = "X-Scope-OrgID";

/// A tenant that nobody can tell: run time names one, or none.
pub(crate) const ANY_TENANT: &str = "${tenant}";

/// Where a text stands in its file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Place {
    /// It is the whole file.
    Start,
    /// It is a part of the file that starts at a byte.
    Offset(usize),
    /// It is made from what stands there, in other words.
    Inside(Span),
}

impl Place {
    /// The place in the file of a place in the text.
    pub(crate) fn of(self, span: Span) -> Span {
        match self {
            Place::Start => span,
            Place::Offset(offset) => Span::new(span.file, span.range().start + offset, span.range().end + offset),
            Place::Inside(span) => span,
        }
    }
}

/// The first document of a YAML text, every value with the place where it is written; merge keys applied.
/// None if there is no document that can be read, which is reported unless the text is empty.
pub(crate) fn document(file: FileId, text: &str, out: &mut Diagnostics) -> Option<Value> {
    document_at(file, text, Place::Start, out)
}

/// A document of JSON, whose readers take the last of two keys that are the same.
pub(crate) fn json_at(file: FileId, text: &str, place: Place, out: &mut Diagnostics) -> Option<Value> {
    let mut found = Diagnostics::default();
    let document = tree_at(file, text, place, &mut found);
    for finding in found.iter().filter(|it| it.rule.code == NOT_YAML.code) {
        out.push(finding.clone());
    }
    document
}

/// The same of a text inside of a file.
pub(crate) fn document_at(file: FileId, text: &str, place: Place, out: &mut Diagnostics) -> Option<Value> {
    let document = tree_at(file, text, place, out);
    if document.is_some() {
        escapes::check(file, text, place, out);
    }
    document
}

fn tree_at(file: FileId, text: &str, place: Place, out: &mut Diagnostics) -> Option<Value> {
    let documents = match yaml::read(file, text) {
        Ok(documents) if place == Place::Start => documents,
        Ok(documents) => documents.into_iter().map(|it| it.map_marks(&mut |span| place.of(*span))).collect(),
        Err(error) => {
            out.push(
                Diagnostic::new(&NOT_YAML, format!("this is not YAML: {}", error.message))
                    .at(place.of(error.span), "the reader gave up here")
                    .note("nothing else in this file can be checked before"),
            );
            return None;
        }
    };
    let mut documents = documents.into_iter();
    let mut first = documents.next()?;
    if let Some(later) = documents.find(|it| !matches!(it.kind, Kind::Null)) {
        let at = later.mark;
        out.push(
            Diagnostic::new(&LATER_DOCUMENT, "only the first document of a file is read")
                .at(Span::new(at.file, at.start as usize, at.start as usize), "this one has no effect")
                .help("put it into a file of its own"),
        );
    }
    duplicates(&first, out);
    yaml::merge_keys(&mut first);
    placeholders(&mut first);
    left_over_merges(&first, out);
    let written = |span: &Span| match place {
        // Nobody wrote it like that: nothing can be changed there.
        Place::Inside(_) => Origin::derived("read", "it stands inside of another text", &[&Origin::written(*span)]),
        Place::Start | Place::Offset(_) => Origin::written(*span),
    };
    Some(first.map_marks(&mut |span| written(span)))
}

/// Templates in brackets, `[[ .Name ]]`, look like lists in lists; they are texts.
fn placeholders(value: &mut telstack_syntax::tree::Value<Span>) {
    let inside = |value: &telstack_syntax::tree::Value<Span>| {
        let [inner] = value.as_seq()? else { return None };
        let [word] = inner.as_seq()? else { return None };
        word.as_str().filter(|it| it.starts_with('.') && it.len() > 1).map(|it| format!("[[ {it} ]]"))
    };
    if let Some(text) = inside(value) {
        value.kind = Kind::String(text);
    }
    match &mut value.kind {
        Kind::Seq(seq) => seq.items.iter_mut().for_each(placeholders),
        Kind::Map(map) => map.iter_mut().for_each(|entry| placeholders(&mut entry.value)),
        _ => {}
    }
}

/// Merge keys that hold nothing to merge.
fn left_over_merges(value: &telstack_syntax::tree::Value<Span>, out: &mut Diagnostics) {
    match &value.kind {
        Kind::Seq(seq) => seq.items.iter().for_each(|item| left_over_merges(item, out)),
        Kind::Map(map) => {
            for entry in map {
                if entry.key == yaml::MERGE_KEY {
                    let found = entry.value.describe();
                    out.push(
                        Diagnostic::new(&WRONG_SHAPE, format!("`<<` merges {found}, not a map or a list of maps"))
                            .at(entry.value.mark, format!("this is {found}"))
                            .help("name a map by its alias: `<<: *name`"),
                    );
                }
                left_over_merges(&entry.value, out);
            }
        }
        _ => {}
    }
}

fn duplicates(value: &telstack_syntax::tree::Value<Span>, out: &mut Diagnostics) {
    match &value.kind {
        Kind::Seq(seq) => seq.items.iter().for_each(|item| duplicates(item, out)),
        Kind::Map(map) => {
            let mut seen: HashMap<&str, Span> = HashMap::new();
            for entry in map {
                match seen.get(entry.key.as_str()) {
                    Some(first) => out.push(
                        Diagnostic::new(&DUPLICATE_KEY, format!("`{}` stands twice", entry.key))
                            .at(entry.key_mark, "again")
                            .label(*first, "stands here already")
                            .help("leave one of them out, or give one another name"),
                    ),
                    None => {
                        seen.insert(&entry.key, entry.key_mark);
                    }
                }
                duplicates(&entry.value, out);
            }
        }
        _ => {}
    }
}

/// A scalar as text, with its place. Numbers and truth values are text where text is wanted.
pub(crate) fn word(value: &Value) -> Option<Sourced<String>> {
    let text = match &value.kind {
        Kind::String(text) => text.clone(),
        Kind::Int(it) => it.to_string(),
        Kind::Float(it) => it.to_string(),
        Kind::Bool(it) => it.to_string(),
        Kind::Null | Kind::Seq(_) | Kind::Map(_) => return None,
    };
    Some(Sourced::new(text, value.mark.clone()))
}

/// The same at a dotted path.
pub(crate) fn text(value: &Value, path: &str) -> Option<Sourced<String>> {
    word(value.at(path)?)
}

/// A duration at a dotted path; none where run time decides it, or it is no duration.
pub(crate) fn period(value: &Value, path: &str) -> Option<Sourced<Period>> {
    let text = text(value, path)?;
    Some(Sourced::new(Period::parse(&text.value)?, text.origin))
}

/// A truth value at a dotted path.
pub(crate) fn truth(value: &Value, path: &str) -> Option<Sourced<bool>> {
    let value = value.at(path)?;
    Some(Sourced::new(value.as_bool()?, value.mark.clone()))
}

/// Does each request need a tenant? At the first of these paths that is written; by default, it does. None if run time
/// decides it.
pub(crate) fn multi_tenant(value: &Value, paths: &[&str], node: &Origin) -> Option<Sourced<bool>> {
    let written = paths.iter().find_map(|path| value.at(path));
    if written.and_then(Value::as_str).is_some_and(expansion::is_open) {
        return None;
    }
    let truth = written.and_then(|it| Some(Sourced::new(it.as_bool()?, it.mark.clone())));
    Some(truth.unwrap_or_else(|| Sourced::new(true, node.clone())))
}

/// Where a product's ring is kept in the memory of each process, at the first of these paths that is written.
pub(crate) fn ring_alone(value: &Value, paths: &[&str]) -> Option<Origin> {
    let store = paths.iter().find_map(|path| text(value, path))?;
    (store.value == "inmemory").then_some(store.origin)
}

/// A whole number that is not negative, at a dotted path.
pub(crate) fn number(value: &Value, path: &str) -> Option<Sourced<u64>> {
    let value = value.at(path)?;
    Some(Sourced::new(u64::try_from(value.as_int()?).ok()?, value.mark.clone()))
}

/// The items of a list at a dotted path.
pub(crate) fn items<'v>(value: &'v Value, path: &str) -> &'v [Value] {
    value.at(path).and_then(Value::as_seq).unwrap_or_default()
}

/// Is a server with these settings (`http_tls_config`, `tls`) encrypted?
pub(crate) fn server_tls(settings: Option<&Value>) -> Known<Tls> {
    let Some(map) = settings.and_then(Value::as_map) else {
        return if settings.is_some_and(|it| it.as_str().is_some()) { Known::Unknown } else { Known::Value(Tls::Off) };
    };
    let named = |names: &[&str]| names.iter().any(|name| map.contains(name));
    match (named(&["cert_file", "cert_pem", "cert"]), named(&["client_ca_file", "client_ca"])) {
        (false, _) => Known::Value(Tls::Off),
        (true, false) => Known::Value(Tls::On),
        (true, true) => Known::Value(Tls::Mutual),
    }
}

/// What dials an address, as far as it is known: none if run time decides it.
pub(crate) fn dial(protocol: Protocol, address: &Sourced<String>) -> Option<Dial> {
    let Sourced { value, origin } = address;
    let parsed = Address::parse(value).filter(|_| !expansion::is_unsettled(value))?;
    let tls = match parsed.scheme.as_str() {
        "https" => Known::Value(Tls::On),
        "http" | "" => Known::Value(Tls::Off),
        _ => Known::Unknown,
    };
    Some(Dial {
        component: None,
        protocol,
        port: parsed.port.unwrap_or(if parsed.scheme == "https" { 443 } else { 80 }),
        host: parsed.host,
        path: parsed.path.trim_end_matches('/').to_owned(),
        only: None,
        tls,
        tenant: None,
        origin: origin.clone(),
    })
}

/// What is dialled by entries of `remote_write`, as Prometheus has them and Tempo and Loki take them over.
pub(crate) fn remote_writes<'v>(entries: impl IntoIterator<Item = &'v Value>) -> Vec<Dialled> {
    let tenant = |entry: &Value| {
        let headers = entry.at("headers").filter(|it| !matches!(it.kind, Kind::Null))?;
        // Run time decides which headers there are.
        let Some(headers) = headers.as_map() else { return Some(ANY_TENANT.to_owned()) };
        let named = headers.iter().find(|it| it.key.eq_ignore_ascii_case(TENANT))?;
        Some(named.value.as_str().unwrap_or_default().to_owned())
    };
    let dialled = |entry: &Value| {
        let dial = dial(Protocol::REMOTE_WRITE, &text(entry, "url")?)?;
        Some(Dialled { purpose: Purpose::Telemetry, dial: Dial { tenant: tenant(entry), ..dial } })
    };
    entries.into_iter().filter_map(dialled).collect()
}

/// Reports a part of another form than its program takes.
pub(crate) fn wrong_shape(what: &str, wanted: &str, found: &Value, help: String, out: &mut Diagnostics) {
    let found_is = found.describe();
    out.push(
        Diagnostic::new(&WRONG_SHAPE, format!("{what} is {found_is}, not {wanted}"))
            .at(found.mark.span(), format!("this is {found_is}"))
            .help(help),
    );
}

/// The word among `known` that was probably meant.
pub(crate) fn nearest<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    Near::THIRD.nearest(word, known.iter().copied())
}
