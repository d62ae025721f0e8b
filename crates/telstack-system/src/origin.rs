//! Where a value comes from. No value of the System or of an emitted file is without one.

use std::{collections::HashSet, sync::Arc};

use telstack_diagnostics::Span;
use telstack_syntax::tree;

/// A value of the System: each node and key says where it comes from.
pub type Value = tree::Value<Origin>;
/// A map of the System.
pub type Settings = tree::Map<Origin>;

/// Where a value comes from. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Origin(Arc<Data>);

#[derive(PartialEq, Debug)]
struct Data {
    kind: OriginKind,
    pass: Option<&'static str>,
    reason: String,
    spans: Vec<Span>,
}

/// The kind of an [`Origin`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum OriginKind {
    /// Somebody wrote it.
    Written,
    /// It follows from what somebody wrote.
    Derived,
    /// A fact of the catalog decided it, for what somebody wrote.
    Fact,
    /// telstack chose it; the reason says why.
    Builtin,
}

impl PartialEq for Origin {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.0 == other.0
    }
}

impl Origin {
    /// Written at `span`.
    pub fn written(span: Span) -> Self {
        Self(Arc::new(Data { kind: OriginKind::Written, pass: None, reason: String::new(), spans: vec![span] }))
    }

    /// Follows, by `pass`, from values that somebody wrote.
    pub fn derived(pass: &'static str, reason: impl Into<String>, from: &[&Origin]) -> Self {
        Self::made(OriginKind::Derived, pass, reason.into(), from)
    }

    /// A catalog fact decided it in `pass`; `from` is what it was decided for.
    pub fn fact(pass: &'static str, reason: impl Into<String>, from: &[&Origin]) -> Self {
        Self::made(OriginKind::Fact, pass, reason.into(), from)
    }

    /// Chosen by `pass` whatever the stack says. The reason is shown to people: write it for them.
    /// `from` is the node that it was chosen for.
    pub fn builtin(pass: &'static str, reason: impl Into<String>, from: &[&Origin]) -> Self {
        Self::made(OriginKind::Builtin, pass, reason.into(), from)
    }

    fn made(kind: OriginKind, pass: &'static str, reason: String, from: &[&Origin]) -> Self {
        let all = from.iter().flat_map(|origin| origin.spans()).copied();
        let spans = if let [_] = from {
            all.collect()
        } else {
            let mut seen = HashSet::new();
            all.filter(|span| seen.insert(*span)).collect()
        };
        Self(Arc::new(Data { kind, pass: Some(pass), reason, spans }))
    }

    /// The kind.
    pub fn kind(&self) -> OriginKind {
        self.0.kind
    }

    /// The pass that made the value; none if somebody wrote it.
    pub fn pass(&self) -> Option<&'static str> {
        self.0.pass
    }

    /// Why the pass made it; empty if somebody wrote it.
    pub fn reason(&self) -> &str {
        &self.0.reason
    }

    /// The places it was written at or follows from.
    pub fn spans(&self) -> &[Span] {
        &self.0.spans
    }

    /// The first place it was written at or follows from.
    pub fn span(&self) -> Option<Span> {
        self.0.spans.first().copied()
    }

    /// Did somebody write it?
    pub fn is_written(&self) -> bool {
        self.0.kind == OriginKind::Written
    }

    /// A string with this origin.
    pub fn string(&self, text: impl Into<String>) -> Value {
        Value::string(text, self.clone())
    }

    /// A whole number with this origin.
    pub fn int(&self, number: impl Into<i64>) -> Value {
        Value::int(number.into(), self.clone())
    }

    /// A truth value with this origin.
    pub fn bool(&self, truth: bool) -> Value {
        Value::bool(truth, self.clone())
    }

    /// A map with this origin.
    pub fn map<const N: usize>(&self, entries: [(&str, Value); N]) -> Value {
        let map = entries.into_iter().map(|(key, value)| tree::Entry::new(key, value)).collect();
        Value { kind: tree::Kind::Map(map), mark: self.clone() }
    }

    /// A list on one line with this origin.
    pub fn flow(&self, items: impl IntoIterator<Item = Value>) -> Value {
        Value::flow(items.into_iter().collect(), self.clone())
    }

    /// A list, one item a line, with this origin.
    pub fn block(&self, items: impl IntoIterator<Item = Value>) -> Value {
        Value::block(items.into_iter().collect(), self.clone())
    }
}

/// A plain value with its origin.
#[derive(Clone, PartialEq, Debug)]
pub struct Sourced<T> {
    /// The value.
    pub value: T,
    /// Where it comes from.
    pub origin: Origin,
}

impl<T> Sourced<T> {
    /// Both together.
    pub fn new(value: T, origin: Origin) -> Self {
        Self { value, origin }
    }

    /// The first place it was written at or follows from.
    pub fn span(&self) -> Option<Span> {
        self.origin.span()
    }
}
