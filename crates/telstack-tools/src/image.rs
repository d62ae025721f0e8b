//! What runs in a container follows from its image.

use telstack_catalog::{
    Distribution,
    product::{self, Product, Running},
};
use telstack_system::{
    Collector, Container, ContainerGaps, External, ImageRef, Node, NodeKind, Origin, Proxy, Sourced, Store,
};

/// `registry:5000/repository:tag@digest`; without a tag, or with one that names no release, it is the digest, and
/// `latest` without both.
pub(crate) fn image_ref(text: &str) -> ImageRef {
    let (named, digest) = text.split_once('@').map_or((text, None), |(named, digest)| (named, Some(digest)));
    // A colon in front of a slash belongs to the registry, one inside `${…}` to a variable.
    let start = named.rfind('/').map_or(0, |at| at + 1);
    let (repository, tag) = match named[start..].find(':') {
        // A digest says what runs, whatever `latest` was by then.
        Some(at) => {
            let tag = &named[start + at + 1..];
            (&named[..start + at], digest.filter(|_| !tag.contains(|c: char| c.is_ascii_digit())).unwrap_or(tag))
        }
        None => (named, digest.unwrap_or("latest")),
    };
    ImageRef { repository: repository.to_owned(), tag: tag.to_owned() }
}

/// What runs in a container, by its image.
pub(crate) fn running(container: &Container) -> Option<Running> {
    product::running(&container.image.value.repository, &container.image.value.tag)
}

/// The node of a container in which that runs. One of an image that nobody knows is a node too: others depend on it.
pub(crate) fn node(name: &str, origin: Origin, mut container: Option<Container>, running: Option<Running>) -> Node {
    if let Some(container) = container.as_mut().filter(|_| running.is_none()) {
        container.gaps = ContainerGaps { files: true, env: true };
    }
    let place =
        container.as_ref().map_or_else(|| origin.clone(), |it| it.base.as_ref().unwrap_or(&it.image).origin.clone());
    let version = running.and_then(|it| it.version).map(|version| Sourced::new(version, place.clone()));
    let kind = match running.map(|it| (it.product, it.distribution)) {
        Some((Product::Otelcol, distribution)) => {
            let distribution = distribution.unwrap_or(Distribution::Contrib);
            NodeKind::Collector(Box::new(Collector::new(Sourced::new(distribution, place))))
        }
        Some((Product::Grafana, _)) => NodeKind::Viewer(Box::default()),
        Some((Product::Alertmanager, _)) => NodeKind::Alerter(Box::default()),
        // With a command of its own it may listen anywhere, and so may a release that nobody knows.
        Some((product @ Product::KubeStateMetrics, _))
            if version.as_ref().is_some_and(|it| product.knows(it.value))
                && container.as_ref().is_some_and(|it| it.command.is_empty()) =>
        {
            NodeKind::Informer(product)
        }
        Some((product @ Product::Haproxy, _)) => NodeKind::Proxy(Box::new(Proxy::new(product))),
        Some((product, _)) => match Store::new(product) {
            Some(store) => NodeKind::Store(Box::new(store)),
            None => NodeKind::External(Box::default()),
        },
        None => NodeKind::External(Box::<External>::default()),
    };
    let mut node = Node::new(name, origin, version, kind);
    if let Some(container) = container {
        node.resources.clone_from(&container.resources);
        if node.product().is_some() {
            node.environment.clone_from(&container.env);
        }
        node.container = Some(container);
    }
    node
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images() {
        let read = |text: &str| image_ref(text);
        let is = |repository: &str, tag: &str| ImageRef { repository: repository.to_owned(), tag: tag.to_owned() };
        assert_eq!(read("grafana/loki:3.7.6"), is("grafana/loki", "3.7.6"));
        assert_eq!(read("localhost:5000/loki"), is("localhost:5000/loki", "latest"));
        assert_eq!(read("a/b:1.2@sha256:ff"), is("a/b", "1.2"));
        assert_eq!(read("a/b@sha256:ff"), is("a/b", "sha256:ff"));
        assert_eq!(read("a/b:latest@sha256:ff"), is("a/b", "sha256:ff"));
        assert_eq!(read("a/b:${TAG:-x}"), is("a/b", "${TAG:-x}"));
    }
}
