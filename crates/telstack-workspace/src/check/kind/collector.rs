//! What is a collector's configuration, or a part of one, and what only has the same words.

use std::path::Path;

use telstack_catalog::{ComponentKind, near, otelcol};
use telstack_diagnostics::SourceMap;
use telstack_syntax::yaml;

use super::{
    FileKind, SERVICE,
    outline::{Keys, Top},
};

/// Keys that Elastic Agent has beside those of the collector that it runs.
const ELASTIC_AGENT: [&str; 3] = ["agent", "outputs", "fleet"];
/// What stands below `service`; at the start of a line it is in the wrong place.
const OF_SERVICE: [&str; 2] = ["pipelines", "telemetry"];
/// Keys at the start of lines that values of a chart have, and nothing that a collector reads.
const OF_CHARTS: [&str; 16] = [
    "affinity",
    "autoscaling",
    "fullnameOverride",
    "global",
    "image",
    "imagePullSecrets",
    "images",
    "ingress",
    "nameOverride",
    "nodeSelector",
    "podAnnotations",
    "podSecurityContext",
    "replicaCount",
    "securityContext",
    "serviceAccount",
    "tolerations",
];
/// What a distribution is built from.
pub(crate) const MANIFEST: &str = "a manifest of the collector's builder";
/// How files with such values are named.
const VALUES: &str = "values";
/// So many keys that no collector has are no slip of the pen.
const SEVERAL: usize = 3;

/// Has a collector's configuration all the sections without which it does not start? Components that stand empty are
/// left for somebody else to fill.
pub(crate) fn is_whole(text: &str) -> bool {
    let keys = Keys::of(text);
    let filled = |section: &&str| keys.top(section).is_some_and(|it| !it.keys.is_empty());
    ["receivers", "exporters"].iter().all(filled) && keys.top(SERVICE).is_some()
}

/// What a file is in which the sections of a collector stand; none where they do not.
pub(super) fn of_keys(path: &Path, text: &str, keys: &Keys<'_>) -> Option<FileKind> {
    let has = |key: &str| keys.top(key).is_some();
    let below = |key: &str, inner: &str| keys.top(key).is_some_and(|top| top.keys.contains(&inner));
    // What a distribution is built from names the same parts.
    if has("dist") && keys.tops.iter().any(|it| it.is_list && it.keys.contains(&"gomod")) {
        return Some(FileKind::Other(MANIFEST));
    }
    if has("buildinfo") && keys.tops.iter().any(|it| it.is_list && it.keys.contains(&"module")) {
        return Some(FileKind::Other("a list of the components of a collector"));
    }
    // A registry of parts, such as documentation is made of.
    let sections = || keys.tops.iter().filter(|it| ComponentKind::ALL.iter().any(|kind| kind.section() == it.key));
    let listed = |top: &Top<'_>| top.is_list && top.keys.contains(&"name") && top.keys.contains(&"stability");
    if sections().any(|it| it.keys.contains(&"gomod") || it.deeper.contains(&"gomod") || listed(it)) {
        return Some(FileKind::Other("a list of the components of a collector"));
    }
    if has("receivers") && ELASTIC_AGENT.iter().any(|key| has(key)) {
        return Some(FileKind::Other("a configuration of Elastic Agent"));
    }
    if has("receivers") && has("exporters") || below(SERVICE, "pipelines") && !is_partial(keys) {
        if are_values(path, keys) {
            return Some(FileKind::Other("the values of a chart"));
        }
        if is_inventory(text, keys) {
            return Some(FileKind::Other("a list of the components of a collector"));
        }
        return Some(FileKind::Collector);
    }
    None
}

/// Values of a chart may have sections of that name, beside others.
fn are_values(path: &Path, keys: &Keys<'_>) -> bool {
    let ours = |it: &Top<'_>| it.keys.is_empty() || it.keys.iter().any(|key| OF_SERVICE.contains(key));
    if keys.top(SERVICE).is_some_and(ours) {
        return false;
    }
    let known = |key: &str| is_section(key) || key.starts_with("x-") || OF_SERVICE.contains(&key);
    let foreign: Vec<&str> = keys.tops.iter().map(|it| it.key).filter(|key| !known(key)).collect();
    let named = path.file_name().is_some_and(|it| it.to_string_lossy().starts_with(VALUES));
    let of_chart = named || foreign.iter().any(|key| OF_CHARTS.contains(key));
    foreign.len() >= SEVERAL || !foreign.is_empty() && of_chart
}

/// Somebody's list of parts, with words on each of them. The settings of a component are no list.
fn is_inventory(text: &str, keys: &Keys<'_>) -> bool {
    if keys.top(SERVICE).is_some() {
        return false;
    }
    let Ok(documents) = yaml::read(SourceMap::default().add("", ""), text) else { return false };
    let Some(map) = documents.first().and_then(|it| it.as_map()) else { return false };
    let sections = ComponentKind::ALL.iter().filter_map(|kind| map.get(kind.section())?.as_map());
    let mut all = sections.flat_map(|section| section.iter()).peekable();
    all.peek().is_some() && all.all(|it| it.value.as_seq().is_some())
}

/// Is that a section of a collector, misspelt or not?
pub(crate) fn is_section(key: &str) -> bool {
    let mut sections = ComponentKind::ALL.iter().map(|kind| kind.section()).chain([SERVICE]);
    sections.any(|it| near::distance(&key.to_lowercase(), it) < 3)
}

/// Does some pipeline say only what it changes? Then another file completes it.
fn is_partial(keys: &Keys<'_>) -> bool {
    let lists = |name: &str| keys.pipeline_lists.iter().filter(|it| **it == name).count();
    let missing = |section: &str| keys.top(section).is_none();
    missing("receivers") && lists("receivers") == 0 || missing("exporters") && lists("exporters") == 0
}

/// Sections of a collector and nothing else, with something in them that a collector has.
pub(super) fn is_fragment(keys: &Keys<'_>) -> bool {
    let kind = |key: &str| ComponentKind::ALL.iter().copied().find(|kind| kind.section() == key);
    let sections = || keys.tops.iter().filter_map(|top| Some((kind(top.key)?, top)));
    let ours = |key: &str| kind(key).is_some() || key == SERVICE || key.starts_with("x-");
    // The collector's own telemetry has lists of such names.
    let known = sections().filter(|(_, top)| !top.is_list).any(|(kind, top)| {
        let mut types = top.keys.iter().map(|key| key.split('/').next().unwrap_or_default());
        types.any(|ty| otelcol::component(kind, ty).is_some())
    });
    let service = keys.top(SERVICE).is_some_and(|it| it.keys.iter().any(|key| OF_SERVICE.contains(key)));
    !keys.tops.is_empty() && keys.tops.iter().all(|it| ours(it.key)) && (known || service)
}

#[cfg(test)]
mod tests {
    use super::{super::kind, *};

    fn is(text: &str) -> FileKind {
        kind(Path::new("f.yaml"), text)
    }

    const COLLECTOR: &str = "receivers:\n  otlp:\nexporters:\n  debug:\nservice:\n  pipelines:\n    traces:\n      \
                             receivers: [otlp]\n      exporters: [debug]\n";

    #[test]
    fn collectors_and_parts_of_them() {
        assert_eq!(is(COLLECTOR), FileKind::Collector);
        assert_eq!(kind(Path::new("noending"), COLLECTOR), FileKind::Collector);
        assert_eq!(is("receivers:\n\tx\nexporters:\nservices:\n"), FileKind::Collector);
        assert_eq!(is("{receivers: {otlp: }, exporters: {debug: }}"), FileKind::Collector);
        assert_eq!(is("\"receivers\":\n  \"otlp\":\n'exporters':\n"), FileKind::Collector);
        // Something is missing, but it says all that it needs.
        assert_eq!(is(&COLLECTOR.replace("receivers:\n  otlp:\n", "")), FileKind::Collector);
        assert_eq!(is("receivers:\n  otlp:\n"), FileKind::Fragment);
        assert_eq!(is("processors:\n  batch/2:\n"), FileKind::Fragment);
        let extras = "exporters:\n  debug:\nservice:\n  pipelines:\n    traces:\n      exporters: [debug]\n";
        assert_eq!(is(extras), FileKind::Fragment);
        // The same words elsewhere.
        for text in [
            "receivers:\n  - me\n",
            "processors:\n  - batch:\n      exporter:\n",
            "service:\n  type: ClusterIP\n",
            "exporters:\n  csv:\n",
            "processors: 4\n",
        ] {
            assert_eq!(is(text), FileKind::Unknown, "{text}");
        }
        assert_eq!(is("mode: daemonset\nconfig:\n  receivers:\n  exporters:\n"), FileKind::Unknown);
    }

    #[test]
    fn manifests_of_distributions_are_no_configurations() {
        let manifest = "dist:\n  name: x\nreceivers:\n  - gomod: a v1\nexporters:\n- gomod: b v1\n";
        assert_eq!(is(manifest), FileKind::Other("a manifest of the collector's builder"));
        assert_eq!(is(&format!("dist: x\n{COLLECTOR}")), FileKind::Collector);
        let listed =
            "buildinfo:\n  version: 1\nreceivers:\n  - name: otlp\n    module: a v1\nexporters:\n  - name: debug\n";
        let components = FileKind::Other("a list of the components of a collector");
        assert_eq!(is(listed), components);
        for text in [
            "receivers: {apache: {gomod: g.example/x, docs_url: u}}\nexporters: {debug: {gomod: g.example/y}}\n",
            "receivers:\n  apache:\n    gomod: g.example/x\n",
            "receivers: [{name: filelog, stability: {logs: beta}}]\nexporters: [{name: debug, stability: {logs: beta}}]\n",
            "exporters:\n  - name: debug\n    stability:\n      logs: beta\nreceivers:\n  - name: otlp\n",
        ] {
            assert_eq!(is(text), components, "{text}");
        }
        // What is wrong with it, the reader says.
        assert_eq!(is("receivers:\n  - name: otlp\nexporters:\n  - name: debug\n"), FileKind::Collector);
        let agent = format!("outputs:\n  default:\n    type: elasticsearch\n{COLLECTOR}");
        assert_eq!(is(&agent), FileKind::Other("a configuration of Elastic Agent"));
    }

    #[test]
    fn values_of_charts_are_no_configurations() {
        let values = FileKind::Other("the values of a chart");
        let parts = "receivers: {}\nprocessors: {}\nexporters: {}\n";
        for more in [
            "fullnameOverride: x\nimage: {repository: a}\n",
            "image: {repository: a}\nservice:\n  type: ClusterIP\n",
            "cluster: x\nlicenseKey: y\nproxy: z\n",
        ] {
            assert_eq!(is(&format!("{parts}{more}")), values, "{more}");
        }
        let named = |name: &str, text: &str| kind(Path::new(name), text);
        assert_eq!(named("d/values-prod.yaml", &format!("{parts}cluster: x\n")), values);
        // Slips of the pen, and what stands one level too high.
        let collector = FileKind::Collector;
        assert_eq!(named("d/values.yaml", COLLECTOR), collector);
        for more in ["procesors:\n  batch:\n", "cluster: x\n", "pipelines: {}\ntelemetry: {}\nservices: {}\n"] {
            assert_eq!(is(&format!("{parts}{more}")), collector, "{more}");
        }
        for more in ["procesors:\n  batch:\n", "image: x\ncluster: x\nproxy: y\n"] {
            assert_eq!(is(&format!("{COLLECTOR}{more}")), collector, "{more}");
        }
    }

    #[test]
    fn inventories_are_no_configurations() {
        let listed =
            "receivers:\n  otlpreceiver: [Core]\nexporters:\n  debugexporter:\n    - Core\nproviders:\n  env: [x]\n";
        assert_eq!(is(listed), FileKind::Other("a list of the components of a collector"));
        assert_eq!(is(&listed.replace("[Core]", "")), FileKind::Collector);
        assert_eq!(is(&format!("{listed}service:\n  pipelines: {{}}\n")), FileKind::Collector);
    }
}
