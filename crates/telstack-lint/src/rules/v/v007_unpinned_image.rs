use telstack_diagnostics::{RuleInfo, Severity};

use crate::{Cx, Rule};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        code: "V007",
        name: "unpinned-image",
        severity: Severity::Info,
        summary: "An image is named without a release: what runs depends on the day.",
        why: "The collector breaks settings with its releases, twice a month; Tempo 3 and Loki 4 refuse configurations \
              that were fine. With `latest` that happens at whatever moment the image is pulled again, and what \
              depends on the release cannot be told for sure.",
        bad: r"services:
  loki:
    image: grafana/loki:latest",
        good: r"services:
  loki:
    image: grafana/loki:3.7.6",
        silent: "A digest is named; the tag comes from the environment; the image is none of those that are known.",
        sources: &[
            "https://github.com/open-telemetry/opentelemetry-helm-charts/issues/1935",
            "https://github.com/grafana/alloy-scenarios/issues/55",
        ],
    },
    check,
};

/// What a tag that is not written means.
const LATEST: &str = "latest";

fn check(cx: &mut Cx<'_>) {
    for (_, node) in cx.system.nodes() {
        let (Some(product), Some(container)) = (node.product(), &node.container) else { continue };
        let image = container.base.as_ref().unwrap_or(&container.image);
        if image.value.tag != LATEST || !image.origin.is_written() {
            continue;
        }
        let finding = cx
            .finding(
                format!("`{}` runs whatever release of {product} there is", node.name),
                &image.origin,
                "no release",
            )
            .help(format!("name one: `{}:{}`", image.value.repository, product.image(product.newest()).tag));
        cx.report(finding);
    }
}

#[cfg(test)]
mod tests {
    use telstack_catalog::product::Product;
    use telstack_diagnostics::Severity;
    use telstack_system::{ImageRef, Sourced};

    use crate::test_support::Bench;

    fn loki(tag: &str) -> Bench {
        let mut bench = Bench::new("image");
        let id = bench.add(Product::Loki, "3.7.6");
        let origin = bench.at("image");
        bench.node(id).version = None;
        let image = ImageRef { repository: "grafana/loki".to_owned(), tag: tag.to_owned() };
        bench.container(id).image = Sourced::new(image, origin);
        bench
    }

    #[test]
    fn tells_when_no_release_is_named() {
        assert_eq!(loki("latest").finds("V007", "image"), Severity::Info);
    }

    #[test]
    fn passes_with_a_release() {
        loki("3.7.6").silent("V007");
    }

    #[test]
    fn silent_for_digests_and_what_is_not_known() {
        loki("sha256:0123").silent("V007");
        loki("${TAG}").silent("V007");
    }
}
