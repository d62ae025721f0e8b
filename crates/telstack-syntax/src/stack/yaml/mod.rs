//! A stack in YAML: the same tree as in KDL.
//!
//! A block is a map of its words. What a word takes says how the rest is written: see [`Words`], and
//! docs/language.md, "The same in YAML". Whatever the tree can hold can be written: where the plain form would be
//! read as something else, a line is spelt out, with its values under [`VALUES`], each property with a `=` behind
//! its key, and its block as a list under [`BLOCK`].

mod layout;
mod read;
mod write;

pub use self::{
    read::{parse_yaml, yaml_notes},
    write::{Unsayable, write_yaml},
};

/// The key of a line's values, where they stand beside properties.
const VALUES: &str = "is";
/// The key of a line's block, where it is spelt out.
const BLOCK: &str = "block";
/// Tags that may also be written as a map of one key: `{env: NAME}`.
const REFERENCES: [&str; 3] = ["secret", "env", "let"];
/// What divides the values of a line that has several and a block, where they become a key.
const BETWEEN: &str = ", ";

/// What a word takes, as far as it must be known to tell names, properties, lines and settings apart in a map.
pub trait Words {
    /// A word of its block.
    fn child(&self, word: &str) -> Option<&dyn Words>;
    /// Is it written as a map by name: `collector: {gateway: …}`?
    fn is_named(&self) -> bool;
    /// May the name be left out?
    fn may_be_nameless(&self) -> bool;
    /// Does it take several values before its block, as a pipeline takes signals?
    fn takes_several(&self) -> bool;
    /// Does a list of values mean several lines, because a line takes one value?
    fn takes_one(&self) -> bool;
    /// Does it take such a property?
    fn has_property(&self, key: &str) -> bool;
    /// Does its block hold settings in upstream's words, which are plain YAML?
    fn has_settings(&self) -> bool;
}

/// A word that nobody knows.
struct Unknown;

impl Words for Unknown {
    fn child(&self, _: &str) -> Option<&dyn Words> {
        None
    }

    fn is_named(&self) -> bool {
        false
    }

    fn may_be_nameless(&self) -> bool {
        false
    }

    fn takes_several(&self) -> bool {
        true
    }

    fn takes_one(&self) -> bool {
        false
    }

    fn has_property(&self, _: &str) -> bool {
        false
    }

    fn has_settings(&self) -> bool {
        false
    }
}

/// What a word of a block takes.
fn child<'a>(words: &'a dyn Words, word: &str) -> &'a dyn Words {
    words.child(word).unwrap_or(&Unknown)
}

/// Is it a key that spells a line out?
fn is_explicit(key: &str) -> bool {
    key == VALUES || key == BLOCK || (key.len() > 1 && key.ends_with('='))
}

/// Does the word's block, as a map, surely not look like a map by name? `keys` with whether their values are maps
/// or nothing.
fn looks_nameless<'a>(words: &dyn Words, mut keys: impl Iterator<Item = (&'a str, bool)>) -> bool {
    keys.any(|(key, inner)| !inner || words.child(key).is_some() || words.has_property(key) || is_explicit(key))
}
