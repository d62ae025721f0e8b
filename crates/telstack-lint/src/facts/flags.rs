//! Command lines: the flags that a server is started with.

use telstack_system::{Node, Origin, expansion};

/// A flag on a command line.
#[derive(Debug)]
pub(crate) struct GivenFlag<'a> {
    /// Without dashes.
    pub(crate) name: &'a str,
    /// What follows its `=`.
    pub(crate) value: Option<&'a str>,
    /// Where it is given.
    pub(crate) origin: &'a Origin,
}

/// The flags of a container's command, in order. What run time decides is left out.
pub(crate) fn flags(node: &Node) -> Vec<GivenFlag<'_>> {
    let words = node.container.iter().flat_map(|container| &container.command);
    words
        .filter_map(|word| {
            let bare = word.value.strip_prefix('-')?.trim_start_matches('-');
            let (name, value) = bare.split_once('=').map_or((bare, None), |(name, value)| (name, Some(value)));
            (!name.is_empty() && !expansion::is_unsettled(name)).then_some(GivenFlag {
                name,
                value,
                origin: &word.origin,
            })
        })
        .collect()
}
