//! The command line of a program: its flags, and the configuration that they name.

use telstack_catalog::product::Product;
use telstack_system::{Node, Origin};

/// The flags of a command line, in order: name without dashes, value, and the place in the command.
pub(crate) fn flags(node: &Node) -> Vec<(String, Option<String>, usize)> {
    let words = node.container.as_ref().map(|it| it.command.as_slice()).unwrap_or_default();
    let mut found: Vec<(String, Option<String>, usize)> = Vec::new();
    for (at, word) in words.iter().enumerate() {
        if let Some(flag) = word.value.strip_prefix('-') {
            let flag = flag.strip_prefix('-').unwrap_or(flag);
            let (name, value) = flag.split_once('=').map_or((flag, None), |(name, value)| (name, Some(value)));
            found.push((name.to_owned(), value.map(str::to_owned), at));
        } else if let Some((_, value @ None, before)) = found.last_mut()
            && *before + 1 == at
        {
            *value = Some(word.value.clone());
        }
    }
    found
}

/// The place of the last flag of that name.
pub(crate) fn flag_origin<'a>(node: &'a Node, name: &str) -> Option<&'a Origin> {
    let (_, at) = last(node, name)?;
    Some(&node.container.as_ref()?.command.get(at)?.origin)
}

/// The value of the last flag of that name.
pub(crate) fn flag(node: &Node, name: &str) -> Option<String> {
    last(node, name)?.0
}

/// The last flag of that name, which is the one that counts: its value, and which word of the command it is.
fn last(node: &Node, name: &str) -> Option<(Option<String>, usize)> {
    let found = flags(node).into_iter().rev().find(|(known, ..)| known == name);
    found.map(|(_, value, at)| (value, at))
}

/// Where a program reads its configuration: as its flag says, else where its image has it.
pub(crate) fn config_path(node: &Node, flag_name: &str) -> Option<String> {
    let own = || {
        let container = node.container.as_ref()?;
        let image = &container.base.as_ref().unwrap_or(&container.image).value;
        let facts = telstack_catalog::product::image_facts(&image.repository, &image.tag);
        let layout = || node.product().zip(node.version()).and_then(|(product, version)| product.layout(version));
        let known = facts.and_then(|facts| facts.default_config).or_else(|| layout()?.config_path);
        known.map(str::to_owned)
    };
    let told = flag(node, flag_name);
    // Jaeger 2 is a collector.
    if let (Some(Product::Jaeger), Some(name)) = (node.product(), &told) {
        return Some(of_provider(name).unwrap_or_default().to_owned());
    }
    told.or_else(own)
}

/// The path of a configuration that a collector is told to read; none where it is to come from something else than
/// a file: a variable, an address.
pub(crate) fn of_provider(name: &str) -> Option<&str> {
    match name.split_once(':') {
        Some(("file", path)) => Some(path),
        Some((scheme, _)) if scheme.chars().all(|c| c.is_ascii_alphanumeric()) => None,
        _ => Some(name),
    }
}

#[cfg(test)]
mod tests {
    use super::of_provider;

    #[test]
    fn providers_of_configurations() {
        assert_eq!(of_provider("file:/a.yaml"), Some("/a.yaml"));
        assert_eq!(of_provider("/a:b.yaml"), Some("/a:b.yaml"));
        for other in ["env:CONFIG", "yaml:receivers::otlp:", "https://host/a.yaml"] {
            assert_eq!(of_provider(other), None, "{other}");
        }
    }
}
