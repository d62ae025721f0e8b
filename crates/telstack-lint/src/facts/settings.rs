//! Walks settings beside the catalog's tree of them: what is wrong, found once, reported by the rule whose
//! matter it is.

mod limits;
mod types;

use std::sync::Arc;

use telstack_catalog::{
    ComponentKind, Signal, SignalSet, Version,
    container::placeholder,
    otelcol::{self, AddressState, Required, SettingGone, SettingType, SettingsNode},
    product::Product,
    tokens::{Token, live_token},
};
use telstack_diagnostics::{Diagnostic, Severity};
use telstack_syntax::tree::{Entry, Kind, Map};
use telstack_system::{Component, Node, Origin, System, Value, Wiring};

use super::{components::Part, headers::is_credential};
use crate::words::is_reference;

/// Something wrong with a setting.
#[derive(Debug)]
pub(crate) struct Problem<'a> {
    /// The collector's node.
    pub(crate) node: &'a Node,
    /// The component; none for the collector's own telemetry.
    pub(crate) component: Option<&'a Component>,
    /// The collector's release.
    pub(crate) version: Version,
    /// Dotted path; `[]` behind the key of a list.
    pub(crate) path: String,
    /// The key or value to change.
    pub(crate) at: &'a Origin,
    /// What is wrong.
    pub(crate) kind: ProblemKind,
    /// The collector does not notice: it looks when it builds the component, which nothing uses.
    pub(crate) unnoticed: bool,
}

/// What is wrong with a setting.
#[derive(Debug)]
pub(crate) enum ProblemKind {
    /// No release knows such a key there.
    Unknown {
        /// What was probably meant.
        nearest: Option<String>,
        /// Some of what there is.
        known: Vec<String>,
        /// Maybe the catalog's fault.
        doubtful: bool,
    },
    /// The key was there in earlier releases.
    Gone(SettingGone),
    /// The key is there in a later release, at the latest in this one.
    NotYet(Version),
    /// The exporter has no queue or retry of its own; these keys serve instead.
    NoQueue(Vec<String>),
    /// Another type is wanted.
    Type {
        wanted: &'static str,
        found: &'static str,
        hint: Option<String>,
        /// Does the collector not start? It may also make something else of the value.
        stops: bool,
    },
    /// A duration without a unit that Go knows.
    Unit {
        found: String,
        hint: Option<String>,
        /// Does the collector not start? A bare number counts nanoseconds.
        stops: bool,
    },
    /// What stands in for a variable that is not set is wrong.
    Default { found: String, problem: Box<ProblemKind> },
    /// Outside of what is taken, in words that follow the setting's name.
    Range(String),
    /// Another setting is given that rules this one out.
    Beside(String),
    /// Not one of the words allowed.
    Word { found: String, allowed: Vec<String> },
    /// One of these must be given.
    Missing(Vec<String>),
    /// Still accepted, not for ever.
    Deprecated(Option<String>),
    /// A secret in the open; what it is, if its shape says so.
    Secret(Option<&'static Token>),
}

impl ProblemKind {
    /// What is wrong, and the default of a reference that it is wrong with.
    pub(crate) fn behind_default(&self) -> (&ProblemKind, Option<&str>) {
        match self {
            ProblemKind::Default { found, problem } => (problem, Some(found)),
            kind => (kind, None),
        }
    }
}

impl Problem<'_> {
    /// ``exporter `otlp` ``, or the section that holds the collector's own telemetry.
    pub(crate) fn owner(&self) -> String {
        match self.component {
            Some(component) => format!("{} `{}`", component.kind, component.id),
            None => "`service.telemetry`".to_owned(),
        }
    }

    /// The finding about what the collector refuses, which is milder where it does not notice.
    pub(crate) fn if_noticed(&self, finding: Diagnostic) -> Diagnostic {
        if self.unnoticed { unnoticed(finding) } else { finding }
    }

    /// The finding about a key that is not known, which is milder where the component passes over such keys.
    pub(crate) fn if_read_over(&self, finding: Diagnostic) -> Diagnostic {
        let fact = self.component.and_then(|it| otelcol::component(it.kind, &it.id.ty));
        if !fact.is_some_and(|it| it.reads_over(&self.path)) {
            return finding;
        }
        finding
            .severity(Severity::Warning)
            .note("this one starts all the same, and passes over keys that it does not know")
    }

    /// The key itself, without what it stands in.
    pub(crate) fn key(&self) -> &str {
        self.path.rsplit('.').next().unwrap_or(&self.path).trim_end_matches("[]")
    }
}

impl Problem<'_> {
    /// Would what is written for the key also be right below another key beside it?
    pub(crate) fn fits(&self, key: &str) -> bool {
        let Self { node, component, version, .. } = *self;
        let path = self.path.rsplit_once('.').map_or_else(|| key.to_owned(), |(above, _)| format!("{above}.{key}"));
        let fact = component.and_then(|it| otelcol::component(it.kind, &it.id.ty));
        let service = otelcol::service_settings(version);
        let whole = match component {
            Some(_) => fact.and_then(|it| it.settings(version)),
            None => service.child("telemetry").map(Arc::clone),
        };
        let telemetry = || node.collector().map(|it| &it.telemetry).filter(|_| component.is_none());
        let value = component
            .and_then(|it| named(it.settings.as_map()?, self.at))
            .or_else(|| telemetry().and_then(|map| named(map, self.at)));
        let (Some(tree), Some(value)) = (whole.as_ref().and_then(|it| it.at(&path)), value) else { return false };
        let mut found = Vec::new();
        let fed = SignalSet::default();
        let mut walk = Walk { node, component, fact, fed, wiring: None, version, found: &mut found };
        walk.value(value, &Arc::new(tree.clone()), &path);
        found.iter().all(|it| matches!(it.kind, ProblemKind::Secret(_) | ProblemKind::Deprecated(_)))
    }
}

/// The value whose key stands at a place.
fn named<'a>(map: &'a Map<Origin>, key: &Origin) -> Option<&'a Value> {
    fn below<'a>(value: &'a Value, key: &Origin) -> Option<&'a Value> {
        match &value.kind {
            Kind::Map(map) => named(map, key),
            Kind::Seq(seq) => seq.items.iter().find_map(|it| below(it, key)),
            _ => None,
        }
    }
    map.iter().find_map(|it| if it.key_mark == *key { Some(&it.value) } else { below(&it.value, key) })
}

/// The finding about a component that nothing uses and that the collector looks at only when it builds it.
pub(crate) fn unnoticed(finding: Diagnostic) -> Diagnostic {
    let finding = finding.severity(Severity::Warning);
    finding.note("nothing uses it, and this collector looks only at what it builds: it starts, until something does")
}

pub(super) fn problems<'a>(system: &'a System, parts: &[Part<'a>]) -> Vec<Problem<'a>> {
    let mut problems = Vec::new();
    for part in parts {
        let Some((fact, version)) = part.usable() else { continue };
        let fed = part.wiring.mentions(part.component).map(|(at, _)| part.collector.pipelines[at].signal).collect();
        let (node, component) = (part.node, Some(part.component));
        let wiring = Some(&*part.wiring);
        let mut walk = Walk { node, component, fact: Some(fact), fed, wiring, version, found: &mut problems };
        let Some(tree) = fact.settings(version) else {
            // The catalog does not know these settings; a secret is known by its name.
            walk.secrets(&part.component.settings, "");
            continue;
        };
        walk.value(&part.component.settings, &tree, "");
        walk.limits(fact, &part.component.settings, &tree);
        walk.required(fact, &part.component.settings, &tree);
    }
    for (_, node, collector) in system.collectors() {
        let Some(version) = node.version().filter(|it| *it >= Product::Otelcol.oldest()) else { continue };
        let service = otelcol::service_settings(version);
        let Some(tree) = service.child("telemetry") else { continue };
        let mut walk = Walk {
            node,
            component: None,
            fact: None,
            fed: SignalSet::default(),
            wiring: None,
            version,
            found: &mut problems,
        };
        for entry in &collector.telemetry {
            walk.entry(entry, tree, "");
        }
        let at = |path: &str| {
            let (key, rest) = path.split_once('.').unwrap_or((path, ""));
            let value = collector.telemetry.get(key)?;
            if rest.is_empty() { Some(value) } else { value.at(rest) }
        };
        for limit in otelcol::service_limits(version) {
            let words = tree.at(&limit.path).map_or(&[][..], |node| &node.enumeration);
            let default = |path: &str| limits::telemetry_default(path, version);
            if let Some((origin, kind)) = limits::problem(limit, at, default, words) {
                walk.report(&limit.path, origin, kind);
            }
        }
    }
    problems
}

struct Walk<'a, 'b> {
    node: &'a Node,
    component: Option<&'a Component>,
    fact: Option<otelcol::Component>,
    /// The signals of the pipelines that name the component.
    fed: SignalSet,
    /// Who mentions the component.
    wiring: Option<&'b Wiring<'a>>,
    version: Version,
    found: &'b mut Vec<Problem<'a>>,
}

impl<'a> Walk<'a, '_> {
    fn report(&mut self, path: &str, at: &'a Origin, kind: ProblemKind) {
        let Self { node, component, version, .. } = *self;
        self.found.push(Problem { node, component, version, path: path.to_owned(), at, kind, unnoticed: false });
    }

    /// Reports what the collector compares once all types are right, which some do only for what they build.
    fn report_compared(&mut self, path: &str, at: &'a Origin, kind: ProblemKind, when_built: bool) {
        let checked = !when_built && self.fact.is_none_or(|fact| fact.is_checked_unused(self.version));
        let used = || self.component.zip(self.wiring).is_none_or(|(component, wiring)| wiring.may_run(component));
        let unnoticed = !checked && !used();
        self.report(path, at, kind);
        if let Some(last) = self.found.last_mut() {
            last.unnoticed = unnoticed;
        }
    }

    fn value(&mut self, value: &'a Value, tree: &Arc<SettingsNode>, path: &str) {
        if let Some(kind) = types::problem(value, tree, self.version) {
            return self.report(path, &value.mark, kind);
        }
        if value.as_str().is_some_and(is_reference) {
            return;
        }
        if tree.opaque && value.as_str().is_some_and(|text| !text.is_empty()) {
            self.secret(path, value);
        }
        match &value.kind {
            Kind::Map(map) if tree.ty == SettingType::Map || is_maybe_map(tree) => {
                for entry in map {
                    self.entry(entry, tree, path);
                }
            }
            Kind::Seq(seq) => {
                if let Some(item) = &tree.item {
                    for value in &seq.items {
                        self.value(value, item, &format!("{path}[]"));
                    }
                }
            }
            _ => {}
        }
        if path.ends_with("headers") {
            self.headers(value, path);
        }
    }

    fn entry(&mut self, entry: &'a Entry<Origin>, tree: &Arc<SettingsNode>, parent: &str) {
        let path = if parent.is_empty() { entry.key.clone() } else { format!("{parent}.{}", entry.key) };
        let Some(child) = tree.child(&entry.key) else {
            let merged = entry.key == "<<" || is_reference(&entry.key);
            if let Some(any) = tree.item.as_ref().filter(|_| tree.open && !merged) {
                let any = Arc::clone(any);
                return self.value(&entry.value, &any, &path);
            }
            let other_case = || tree.children.keys().any(|key| key.eq_ignore_ascii_case(&entry.key));
            let taken = !otelcol::has_exact_keys(self.version) && other_case();
            if !tree.open && !merged && !taken && !self.is_removed_address(&path) {
                let kind = self.unknown(entry, tree, &path);
                self.report(&path, &entry.key_mark, kind);
            }
            return;
        };
        if child.deprecated && !self.is_removed_address(&path) {
            let instead = child.replaced_by.as_deref().map(str::to_owned);
            self.report(&path, &entry.key_mark, ProblemKind::Deprecated(instead));
        }
        let child = Arc::clone(child);
        self.value(&entry.value, &child, &path);
    }

    /// `service.telemetry.metrics.address` has a rule of its own once it is ignored.
    fn is_removed_address(&self, path: &str) -> bool {
        self.component.is_none()
            && path == "metrics.address"
            && otelcol::telemetry(self.version).metrics_address >= AddressState::Ignored
    }

    fn unknown(&self, entry: &Entry<Origin>, tree: &SettingsNode, path: &str) -> ProblemKind {
        if let Some(fact) = self.fact {
            if let Some(gone) = fact.setting_gone(path, self.version) {
                return ProblemKind::Gone(gone);
            }
            if fact.kind() == ComponentKind::Exporter && QUEUE_KEYS.contains(&path) {
                let similar = |key: &&str| key.contains("queue") || key.contains("wal");
                let instead = tree.children.keys().map(AsRef::as_ref).filter(similar);
                return ProblemKind::NoQueue(instead.map(str::to_owned).collect());
            }
            let later = otelcol::sampled_versions().iter().copied().filter(|it| *it > self.version);
            let has = |version: &Version| fact.settings(*version).is_some_and(|tree| tree.at(path).is_some());
            if let Some(version) = later.into_iter().find(has) {
                return ProblemKind::NotYet(version);
            }
        }
        // The catalog knows only of some optional blocks that they can be switched off.
        let doubtful = entry.key == "enabled" && entry.value.as_bool().is_some() && path.contains('.');
        ProblemKind::Unknown {
            nearest: tree.nearest_child(&entry.key).map(str::to_owned),
            known: tree.children.keys().map(ToString::to_string).collect(),
            doubtful,
        }
    }

    /// A secret, unless it only stands for one that is to be written (X005).
    fn secret(&mut self, path: &str, value: &'a Value) {
        let live = value.as_str().and_then(live_token);
        if live.is_some() || value.as_str().and_then(placeholder).is_none() {
            self.report(path, &value.mark, ProblemKind::Secret(live));
        }
    }

    /// Secrets among settings that no tree describes.
    fn secrets(&mut self, value: &'a Value, path: &str) {
        for entry in value.as_map().into_iter().flatten() {
            let path = if path.is_empty() { entry.key.clone() } else { format!("{path}.{}", entry.key) };
            let literal = entry.value.as_str().is_some_and(|text| !text.is_empty() && !is_reference(text));
            if literal && otelcol::is_secret_path(&path) {
                self.secret(&path, &entry.value);
            }
            self.secrets(&entry.value, &path);
        }
    }

    /// Upstream keeps header values as secrets; those that name a credential are.
    fn headers(&mut self, value: &'a Value, path: &str) {
        for entry in value.as_map().into_iter().flatten() {
            let literal = entry.value.as_str().is_some_and(|text| !text.is_empty() && !is_reference(text));
            if literal && is_credential(&entry.key) {
                self.secret(&format!("{path}.{}", entry.key), &entry.value);
            }
        }
    }

    fn limits(&mut self, fact: otelcol::Component, settings: &'a Value, tree: &SettingsNode) {
        let fed = self.fed;
        for limit in fact.limits(self.version).filter(|it| it.signal.is_none_or(|signal| fed.contains(signal))) {
            let words = tree.at(&limit.path).map_or(&[][..], |node| &node.enumeration);
            let default = |path: &str| fact.default_value(path, self.version)?.as_str().map(str::to_owned);
            if let Some((origin, kind)) = limits::problem(limit, |path| settings.at(path), default, words) {
                self.report_compared(&limit.path, origin, kind, limit.when_built);
            }
        }
        for both in fact.alternatives() {
            let given =
                |path: &&String| settings.at(path).is_some_and(|it| it.as_str().is_some_and(|it| !it.is_empty()));
            let mut there = both.paths.iter().filter(given);
            if let (Some(first), Some(second)) = (there.next(), there.next())
                && let Some(value) = settings.at(second)
            {
                self.report_compared(second, &value.mark, ProblemKind::Beside(first.clone()), false);
            }
        }
    }

    fn required(&mut self, fact: otelcol::Component, settings: &'a Value, tree: &SettingsNode) {
        let Some(component) = self.component else { return };
        // What another file completes may be given there.
        if self.node.collector().is_some_and(|it| it.may_have_more(component.kind)) {
            return;
        }
        for required in fact.required(self.version) {
            let paths = match &required {
                Required::All(path) => vec![*path],
                Required::OneOf(paths) => paths.clone(),
            };
            // A path that this release does not know cannot be wanted of it.
            let paths: Vec<&str> = paths.into_iter().filter(|path| tree.at(path).is_some()).collect();
            // An address for one signal does not serve another.
            let serves = |path: &str, signal| {
                let own = fact.limits(self.version).find_map(|it| it.signal.filter(|_| it.path == path));
                own.is_none_or(|own| own == signal)
            };
            let there: Vec<&str> = paths.iter().copied().filter(|path| given(settings, path, tree)).collect();
            let lacks = |signal: &Signal| !there.iter().any(|path| serves(path, *signal));
            let lacking = self.fed.iter().find(lacks);
            if paths.is_empty() || (!there.is_empty() && lacking.is_none()) {
                continue;
            }
            if paths.iter().any(|path| self.is_reported(path)) {
                continue;
            }
            let paths: Vec<&str> =
                paths.into_iter().filter(|path| lacking.is_none_or(|signal| serves(path, signal))).collect();
            let missing = paths.iter().map(|&path| path.to_owned()).collect();
            // Written and empty, or for another signal, is shown where it is written.
            let other = there.first().and_then(|path| settings.at(path));
            let written =
                other.or_else(|| paths.iter().find_map(|path| settings.at(path))).filter(|it| it.as_map().is_none());
            let at = written.map_or(&component.origin, |value| &value.mark);
            self.report_compared(paths[0], at, ProblemKind::Missing(missing), false);
        }
    }
}

impl Walk<'_, '_> {
    /// Is it known already why that setting is not there: what it would stand in is no map, or its key is misspelt?
    fn is_reported(&self, path: &str) -> bool {
        let own =
            |it: &&Problem<'_>| it.component.zip(self.component).is_some_and(|(one, other)| std::ptr::eq(one, other));
        self.found.iter().rev().take_while(own).any(|it| match it.kind.behind_default().0 {
            ProblemKind::Type { .. } => path
                .strip_prefix(&*it.path)
                .is_some_and(|rest| it.path.is_empty() || rest.is_empty() || rest.starts_with('.')),
            ProblemKind::Unknown { nearest: Some(near), .. } => {
                let parent = it.path.rsplit_once('.').map_or(String::new(), |(parent, _)| format!("{parent}."));
                path == format!("{parent}{near}")
            }
            _ => false,
        })
    }
}

/// Top-level settings of the queue and retry that most exporters share.
const QUEUE_KEYS: [&str; 3] = ["sending_queue", "retry_on_failure", "storage"];

/// A value of several types, the keys of which are known when it is a map.
fn is_maybe_map(tree: &SettingsNode) -> bool {
    tree.ty == SettingType::Any && !tree.open && !tree.children.is_empty()
}

/// Is there a value at the path, in every element of the lists on the way? What cannot be seen counts. A
/// block may be there and empty; any other setting must hold something, and a number more than zero.
fn given(value: &Value, path: &str, tree: &SettingsNode) -> bool {
    let block = tree.ty == SettingType::Map;
    if path.is_empty() {
        return block
            || match &value.kind {
                Kind::Null => tree.ty == SettingType::Any,
                Kind::Int(number) => tree.ty != SettingType::Int || *number != 0,
                Kind::String(text) => !text.is_empty(),
                Kind::Seq(seq) => !seq.items.is_empty(),
                _ => true,
            };
    }
    if value.as_str().is_some_and(is_reference) {
        return true;
    }
    let (key, rest) = path.split_once('.').unwrap_or((path, ""));
    let (key, list) = key.strip_suffix("[]").map_or((key, false), |key| (key, true));
    let Some(map) = value.as_map() else { return false };
    let Some(below) = map.get(key) else { return map.contains("<<") };
    let any = SettingsNode::new(SettingType::Any);
    let below_tree = tree.child(key).map_or(&any, AsRef::as_ref);
    match below.as_seq().filter(|_| list) {
        Some(items) => {
            let item = below_tree.item.as_deref().unwrap_or(&any);
            items.iter().all(|it| given(it, rest, item))
        }
        None => given(below, rest, below_tree),
    }
}
