//! What a word of the language may take: the columns of the table in [`grammar`](crate::grammar).

use telstack_syntax::stack::Words;

/// What a value may be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    /// The name of a node: it becomes a host, service and file name.
    Name,
    /// A component id: `otlp`, `otlp/internal`.
    Id,
    /// A name that is declared elsewhere.
    Mention,
    /// A pipeline id: `traces`, `traces/sampled`.
    Signal,
    /// Any text but the empty one.
    Text,
    /// A length of time.
    Period,
    /// An amount of memory or disk, or a range of it.
    Bytes,
    /// A share of processor time, or a range of it.
    Cpu,
    /// A whole number above zero.
    Count,
    /// How many of something run: a whole number above zero, or a range of them.
    Replicas,
    /// A release: `0.158.0`.
    Release,
    /// A collector distribution.
    Distribution,
    /// One of these words; those of the second list are for later releases.
    Word(&'static [&'static str], &'static [&'static str]),
    /// A text or a reference to a secret.
    Secret,
    /// `http://…` or `https://…`.
    Url,
    /// A URL, or `host:port`.
    Address,
    /// A file or folder of the host.
    HostPath,
    /// A path inside a container, from its root.
    InnerPath,
    /// A share: a number from zero to one.
    Share,
    /// `#true` or `#false`.
    Truth,
    /// Any scalar.
    Any,
}

/// How many values a word takes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Args {
    /// None.
    None,
    /// Exactly one.
    One(Kind),
    /// One or none.
    Maybe(Kind),
    /// One or more.
    Some(Kind),
}

/// What a word's block holds.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Block {
    /// It takes no block.
    None,
    /// These words.
    Words(&'static [&'static Form]),
    /// Settings in upstream's words.
    Settings,
}

/// Properties that a word takes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Props {
    /// These.
    Only(&'static [(&'static str, Kind)]),
    /// Any, with values of one kind.
    Any(Kind),
    /// They are settings in upstream's words.
    Settings,
}

/// A word: what it takes, and how it is written.
#[derive(Debug)]
pub(crate) struct Form {
    /// The word.
    pub word: &'static str,
    /// Its values.
    pub args: Args,
    /// Its properties.
    pub props: Props,
    /// Its block.
    pub block: Block,
    /// Words or properties that it must have.
    pub needs: &'static [&'static str],
    /// Which of them it may lack beside which other words.
    pub spared: &'static [(&'static str, &'static str)],
    /// Words and properties of later releases.
    pub later: &'static [&'static str],
    /// May it stand only once in its block?
    pub once: bool,
    /// What it says, in a line.
    pub about: &'static str,
    /// How it is written, for help texts.
    pub example: &'static str,
}

impl Form {
    /// The words of its block; none if it has no such block.
    pub(crate) fn words(&self) -> &'static [&'static Form] {
        match self.block {
            Block::Words(words) => words,
            Block::None | Block::Settings => &[],
        }
    }

    /// The form of a word in its block.
    pub(crate) fn child(&self, word: &str) -> Option<&'static Form> {
        self.words().iter().find(|form| form.word == word).copied()
    }
}

impl Words for Form {
    fn child(&self, word: &str) -> Option<&dyn Words> {
        Form::child(self, word).map(|form| form as &dyn Words)
    }

    fn is_named(&self) -> bool {
        let name =
            matches!(self.args, Args::One(Kind::Name | Kind::Id) | Args::Maybe(Kind::Name) | Args::Some(Kind::Signal));
        name && !matches!(self.block, Block::None)
    }

    fn may_be_nameless(&self) -> bool {
        matches!(self.args, Args::Maybe(_))
    }

    fn takes_several(&self) -> bool {
        matches!(self.args, Args::Some(_))
    }

    fn takes_one(&self) -> bool {
        matches!(self.args, Args::One(_) | Args::Maybe(_))
    }

    fn has_property(&self, key: &str) -> bool {
        match self.props {
            Props::Only(known) => known.iter().any(|it| it.0 == key),
            Props::Any(_) => true,
            Props::Settings => false,
        }
    }

    fn has_settings(&self) -> bool {
        matches!(self.block, Block::Settings)
    }
}
