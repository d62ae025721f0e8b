//! The manifest from which the OpenTelemetry Collector Builder makes a distribution.

use std::collections::BTreeSet;

use telstack_catalog::{ComponentKind, Version};
use telstack_diagnostics::FileId;
use telstack_syntax::{tree::Value, yaml};
use telstack_system::{BuiltDistribution, Origin};

/// A manifest, read.
#[derive(Clone, Debug)]
pub struct Manifest {
    /// The distribution that it describes.
    pub distribution: BuiltDistribution,
    /// The release of the components, where the manifest says it.
    pub version: Option<Version>,
}

/// Reads a manifest; why it is none otherwise. `name` is what the distribution is called where the manifest does not
/// say it.
pub fn manifest(file: FileId, text: &str, name: &str) -> Result<Manifest, String> {
    let documents = yaml::read(file, text).map_err(|error| format!("it is no YAML: {}", error.message))?;
    let document = documents.first().ok_or("it is empty")?;
    let map = document.as_map().ok_or("it is no manifest of the OpenTelemetry Collector Builder")?;
    let mut modules = BTreeSet::new();
    let mut versions = BTreeSet::new();
    let mut sections = 0;
    for kind in ComponentKind::ALL {
        let Some(entries) = map.get(kind.section()).and_then(Value::as_seq) else { continue };
        sections += 1;
        for entry in entries {
            let Some(module) = entry.at("gomod").and_then(Value::as_str) else {
                return Err(format!("an entry of `{}` names no module (`gomod`)", kind.section()));
            };
            let mut words = module.split_whitespace();
            modules.insert((*kind, words.next().unwrap_or_default().to_owned()));
            versions.extend(words.next().and_then(release));
        }
    }
    if sections == 0 {
        return Err("it lists no components: `receivers`, `exporters` and the others, each with a `gomod`".to_owned());
    }
    let dist = |key: &str| map.get("dist").and_then(|dist| dist.at(key)).and_then(Value::as_str);
    let name = dist("name").filter(|it| !it.is_empty()).unwrap_or(name).to_owned();
    // Components of several releases do not say which one runs.
    let version = dist("otelcol_version").and_then(release).or_else(|| match versions.len() {
        1 => versions.first().copied(),
        _ => None,
    });
    let origin = Origin::written(map.entry("dist").map_or(document.mark, |entry| entry.key_mark));
    Ok(Manifest { distribution: BuiltDistribution { name, modules, origin }, version })
}

/// `v0.135.0`. Modules of the core have versions from 1 on, which are not those of releases.
fn release(text: &str) -> Option<Version> {
    Version::parse(text.strip_prefix('v').unwrap_or(text)).filter(|it| it.major == 0)
}

#[cfg(test)]
mod tests {
    use telstack_diagnostics::SourceMap;

    use super::*;

    fn read(text: &str) -> Result<Manifest, String> {
        manifest(SourceMap::default().add("builder.yaml", text), text, "ours")
    }

    #[test]
    fn modules_and_versions() {
        let read = read(
            "dist:\n  name: shop-otelcol\nreceivers:\n  - gomod: go.opentelemetry.io/collector/receiver/otlpreceiver \
             v0.135.0\nextensions:\n  - gomod: example.com/ours v1.2.3\n    import: example.com/ours/ext\n",
        )
        .expect("a manifest");
        assert_eq!(read.distribution.name, "shop-otelcol");
        assert_eq!(read.version, Some(Version::new(0, 135, 0)));
        assert_eq!(read.distribution.modules.len(), 2);
        assert!(read.distribution.has_unknown(ComponentKind::Extension));
        assert!(!read.distribution.has_unknown(ComponentKind::Receiver));
        let otlp = telstack_catalog::otelcol::component(ComponentKind::Receiver, "otlp").expect("known");
        assert!(read.distribution.has(otlp));
    }

    #[test]
    fn several_versions_are_none() {
        let text = "receivers:\n- gomod: a v0.1.0\n- gomod: b v0.2.0\n";
        assert_eq!(read(text).expect("a manifest").version, None);
        assert_eq!(read(text).expect("a manifest").distribution.name, "ours");
        let said = format!("dist: {{otelcol_version: 0.135.0}}\n{text}");
        assert_eq!(read(&said).expect("a manifest").version, Some(Version::new(0, 135, 0)));
    }

    #[test]
    fn what_is_no_manifest() {
        for text in ["", "a: [", "text", "a: 1", "receivers:\n- import: x\n", "receivers:\n  otlp:\n"] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
