//! The networks that containers are in.

use crate::origin::Origin;

/// The network that a container is in where nothing names one.
const DEFAULT: &str = "default";

/// The network that a container is in.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Network {
    /// One of its own: others reach its listeners by its name.
    #[default]
    Own,
    /// That of the host: `localhost` is the host's.
    Host,
    /// That of another node, by its name: both have one `localhost`, and others know them by that node's names.
    With(String),
    /// None, or one that nothing is known of.
    Other(String),
}

/// A network that containers join, and hear each other in.
#[derive(Clone, PartialEq, Debug)]
pub struct Joined {
    /// What tells it from others.
    pub name: String,
    /// Names that the container has there besides its own.
    pub aliases: Vec<String>,
    /// Does no way lead out of it?
    pub internal: bool,
    /// What joins it.
    pub origin: Origin,
}

/// The names of the networks of a container that joins those.
pub(crate) fn names(joined: &[Joined]) -> Vec<&str> {
    if joined.is_empty() { vec![DEFAULT] } else { joined.iter().map(|it| it.name.as_str()).collect() }
}
