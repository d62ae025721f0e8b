use telstack_catalog::{Version, otelcol, product::Product};
use telstack_diagnostics::{Diagnostic, Fix, RuleInfo, Severity};
use telstack_system::{ImageRef, Node, Origin};

use crate::{Cx, Rule, repair};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        code: "V008",
        name: "no-such-image",
        severity: Severity::Error,
        summary: "The image of the collector has a tag that never was: there is no such release, its distribution came \
                  later, or the tag has a `v`.",
        why: "Nothing can be pulled, so nothing starts: `manifest unknown`.",
        bad: r"services:
  agent:
    image: otel/opentelemetry-collector-k8s:0.95.0",
        good: r"services:
  agent:
    image: otel/opentelemetry-collector-k8s:0.98.0",
        silent: "The release is newer than those that are known; the image is built here, or is of another registry \
                 that may hold images of its own.",
        sources: &["https://github.com/open-telemetry/opentelemetry-collector-releases/releases"],
    },
    check,
};

fn check(cx: &mut Cx<'_>) {
    for (_, node, collector) in cx.system.collectors() {
        let (Some(version), Some(container)) = (node.version(), &node.container) else { continue };
        let (distribution, image) = (collector.distribution.value, &container.image);
        let official = [distribution.image(), distribution.ghcr_image()].contains(&image.value.repository.as_str());
        if official && image.origin.is_written() && has_mark(&image.value.tag, version) {
            cx.report(marked(cx, node, &image.value, &image.origin));
            continue;
        }
        if official && image.origin.is_written() && never_was(&image.value.tag, version) {
            if let Some(finding) = unreleased(cx, node, version) {
                cx.report(finding);
            }
            continue;
        }
        // What is there from the beginning of what is known may be older.
        let later = |first: &Version| version < *first && *first > Product::Otelcol.oldest();
        let first = otelcol::first_release_of(distribution).filter(later);
        let (true, true, Some(first)) = (official, image.origin.is_written(), first) else { continue };
        let message = format!("there is no image `{}:{}`", image.value.repository, image.value.tag);
        let finding = cx
            .finding(message, &image.origin, format!("`{distribution}` begins with {first}"))
            .label(node.span(), "its container never starts")
            .help(format!("take a release that there is: `{}:{first}` is the first", image.value.repository));
        cx.report(finding);
    }
}

/// Is it no release, of the time of which all are known?
fn never_was(tag: &str, version: Version) -> bool {
    let numbers: Vec<&str> = tag.split('.').collect();
    let plain = numbers.iter().all(|it| !it.is_empty() && it.bytes().all(|byte| byte.is_ascii_digit()));
    let known = version >= Product::Otelcol.oldest() && version <= otelcol::newest();
    plain && known && (numbers.len() != 3 || !otelcol::is_released(version))
}

fn unreleased(cx: &Cx<'_>, node: &Node, version: Version) -> Option<Diagnostic> {
    let image = &node.container.as_ref()?.image;
    let ImageRef { repository, tag } = &image.value;
    let why = if tag.split('.').count() == 3 { "no such release" } else { "its tags have three numbers" };
    let nearest = otelcol::nearest_release(version);
    let finding = cx
        .finding(format!("there is no image `{repository}:{tag}`"), &image.origin, why)
        .label(node.span(), "its container never starts");
    Some(finding.help(format!("the nearest release is `{repository}:{nearest}`")))
}

/// What tags of the source start with, and tags of the images do not.
const MARK: char = 'v';

/// Is it the tag of the source at a release of which the images are known?
fn has_mark(tag: &str, version: Version) -> bool {
    tag.starts_with(MARK) && version >= Product::Otelcol.oldest()
}

fn marked(cx: &Cx<'_>, node: &Node, image: &ImageRef, at: &Origin) -> Diagnostic {
    let ImageRef { repository, tag } = image;
    let right = tag.trim_start_matches(MARK);
    let finding = cx
        .finding(format!("there is no image `{repository}:{tag}`"), at, format!("its tags have no `{MARK}`"))
        .label(node.span(), "its container never starts")
        .help(format!("write `{repository}:{right}`"));
    let change = repair::word(at, &format!("{repository}:{tag}"), &format!("{repository}:{right}"));
    repair::with(finding, change.map(|it| Fix::safe(format!("write the tag without `{MARK}`"), it)))
}

#[cfg(test)]
mod tests {
    use telstack_catalog::Distribution;
    use telstack_system::ImageRef;

    use crate::test_support::Bench;

    fn k8s(repository: &str, version: &str) -> Bench {
        let mut bench = Bench::new("image");
        let id = bench.add_collector("agent", Distribution::K8s, version, "receivers: {k8s_cluster: }");
        let (origin, image) = (bench.at("image"), &mut bench.container(id).image);
        image.value = ImageRef { repository: repository.to_owned(), tag: version.to_owned() };
        image.origin = origin;
        bench
    }

    const IMAGE: &str = "otel/opentelemetry-collector-k8s";

    #[test]
    fn fails_before_the_first() {
        let bench = k8s(IMAGE, "0.95.0");
        bench.finds("V008", "image");
        // What it would hold is told by the first.
        bench.silent("V002");
    }

    #[test]
    fn fails_with_the_tag_of_the_source() {
        let mut bench = k8s(IMAGE, "0.130.0");
        let id = bench.system.node_ids()[0];
        bench.container(id).image.value.tag = "v0.130.0".to_owned();
        bench.finds("V008", "image");
    }

    #[test]
    fn fails_for_a_release_that_never_was() {
        let of = |version: &str, tag: &str| {
            let mut bench = k8s(IMAGE, version);
            let id = bench.system.node_ids()[0];
            bench.container(id).image.value.tag = tag.to_owned();
            bench
        };
        for (version, tag) in [("0.153.7", "0.153.7"), ("0.131.7", "0.131.7"), ("0.131.0", "0.131")] {
            of(version, tag).finds("V008", "image");
        }
        // Newer than what is known; another architecture; one that somebody made.
        for (version, tag) in [("1.2.3", "1.2.3"), ("0.153.0", "0.153.0-arm64"), ("0.153.7", "0.153.7-acme")] {
            of(version, tag).silent("V008");
        }
    }

    #[test]
    fn passes_from_the_first_on() {
        k8s(IMAGE, "0.98.0").silent("V008");
    }

    #[test]
    fn silent_about_what_is_older_than_the_catalog() {
        let mut bench = k8s("otel/opentelemetry-collector-contrib", "0.40.0");
        bench.first().collector_mut().expect("a collector").distribution.value = Distribution::Contrib;
        bench.silent("V008");
    }

    #[test]
    fn silent_about_images_of_others() {
        k8s("acme/opentelemetry-collector-k8s", "0.95.0").silent("V008");
    }
}
