//! Three-valued inputs: a rule that cannot know stays silent.

/// What is known of a value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Known<T> {
    /// It is not set.
    Absent,
    /// It is set to something that only run time will tell: `${env:X}`.
    Unknown,
    /// It is this.
    Value(T),
}

impl<T> Known<T> {
    /// The value, if it is set and known.
    pub fn value(self) -> Option<T> {
        match self {
            Known::Value(value) => Some(value),
            _ => None,
        }
    }

    /// Surely not set?
    pub fn is_absent(&self) -> bool {
        matches!(self, Known::Absent)
    }

    /// Set, but not known here?
    pub fn is_unknown(&self) -> bool {
        matches!(self, Known::Unknown)
    }

    /// The value, or `default` where it is surely not set; none if it is not known.
    pub fn or_default(self, default: T) -> Option<T> {
        match self {
            Known::Absent => Some(default),
            Known::Unknown => None,
            Known::Value(value) => Some(value),
        }
    }

    /// The same with another type inside.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Known<U> {
        match self {
            Known::Absent => Known::Absent,
            Known::Unknown => Known::Unknown,
            Known::Value(value) => Known::Value(f(value)),
        }
    }
}
