//! Kustomizations, as far as they say which manifests are applied together.

use telstack_diagnostics::{FileId, Span};
use telstack_syntax::{
    tree::{self, Value as _Value},
    yaml,
};
use telstack_system::Origin;
use telstack_tools::{Generated, ImageChange, Patch, plain_path};

type Value = _Value<Span>;

/// What a kustomization says. Paths are from the root of the file system on.
#[derive(Debug, Default)]
pub(super) struct Kustomization {
    /// Manifests, and folders of other kustomizations.
    pub(super) resources: Vec<String>,
    /// Manifests that only say what changes.
    pub(super) patches: Vec<String>,
    pub(super) namespace: Option<String>,
    pub(super) generated: Vec<Generated>,
    pub(super) images: Vec<ImageChange>,
    /// Does it change what is in its resources?
    pub(super) patched: bool,
    /// What those changes are, as far as it says of what.
    pub(super) changes: Vec<Change>,
    /// Does it give objects other names?
    pub(super) renames: bool,
    /// Does it take in what is not here?
    pub(super) open: bool,
}

/// A change of objects.
#[derive(Debug, Default)]
pub(super) struct Change {
    /// The kind and the name that it is for, where it says so; otherwise its text does.
    target: Option<(Option<String>, Option<String>)>,
    /// Where its text is, unless it stands in the kustomization.
    pub(super) path: Option<String>,
    text: Option<String>,
}

impl Change {
    /// What it changes. `text`: what stands at its path.
    pub(super) fn patches(&self, file: FileId, text: Option<&str>) -> Vec<Patch> {
        let Some(text) = self.text.as_deref().or(text) else {
            let (kind, name) = self.target.clone().unwrap_or_default();
            return vec![Patch { kind, name, image: self.target.is_some() || self.path.is_some() }];
        };
        let image = text.contains("image");
        if let Some((kind, name)) = &self.target {
            return vec![Patch { kind: kind.clone(), name: name.clone(), image }];
        }
        let Ok(documents) = yaml::read(file, text) else { return vec![Patch { image, ..Patch::default() }] };
        let of = |it: &Value, path: &str| it.at(path).and_then(Value::as_str).map(str::to_owned);
        documents.iter().map(|it| Patch { kind: of(it, "kind"), name: of(it, "metadata.name"), image }).collect()
    }
}

/// The changes of a kustomization that may be of anything that it takes in.
const OF_ANYTHING: [&str; 3] = ["components", "replacements", "transformers"];
/// Keys of what gives objects other names.
const RENAMES: [&str; 2] = ["namePrefix", "nameSuffix"];

/// A change as an item of a list says it. `folder` is that of the kustomization.
fn change(item: &Value, folder: &str) -> Change {
    // Where it is no word but an expression, it may be anything.
    let plain = |it: &&str| it.chars().all(|it| it.is_ascii_alphanumeric() || matches!(it, '-' | '.'));
    let text = |path: &str| item.at(path).and_then(Value::as_str);
    let owned = |path: &str| text(path).filter(plain).map(str::to_owned);
    let target = item.at("target").map(|_| (owned("target.kind"), owned("target.name")));
    // In a list of merges an item is a path, or the patch itself.
    let (path, inline) = match item.as_str() {
        Some(it) if it.contains('\n') => (None, Some(it)),
        it => (it.or_else(|| text("path")), text("patch")),
    };
    Change { target, path: path.map(|it| joined(folder, it).unwrap_or_default()), text: inline.map(str::to_owned) }
}

/// The group of the API that kustomizations are of, in those that say so.
pub(super) const GROUP: &str = "kustomize.config.k8s.io";
/// Keys of lists with further resources.
const RESOURCES: [&str; 2] = ["resources", "bases"];
/// Keys whose changes to resources are not followed.
const CHANGES: [&str; 9] = [
    "patches",
    "patchesStrategicMerge",
    "patchesJson6902",
    "components",
    "replacements",
    "replicas",
    "transformers",
    "namePrefix",
    "nameSuffix",
];
/// Keys that make resources in ways that are not followed.
const MAKES: [&str; 5] = ["helmCharts", "helmChartInflationGenerator", "generators", "secretGenerator", "crds"];
/// All keys by which a kustomization is known that does not say what it is.
const OWN: [&str; 4] = ["resources", "bases", "configMapGenerator", "patchesStrategicMerge"];

/// Reads a kustomization; none if it is something else. `folder` is that of the file, with a `/` at its end.
pub(super) fn read(file: FileId, text: &str, folder: &str) -> Option<Kustomization> {
    let documents = yaml::read(file, text).ok()?;
    let map = documents.first()?.as_map()?;
    let kind = map.get("kind").and_then(Value::as_str);
    let named = matches!(kind, Some("Kustomization" | "Component"));
    if !named && (kind.is_some() || !OWN.iter().any(|it| map.contains(it))) {
        return None;
    }
    let mut found = Kustomization::default();
    for path in RESOURCES.iter().flat_map(|key| texts(map.get(key))) {
        match joined(folder, path) {
            Some(path) => found.resources.push(path),
            None => found.open = true,
        }
    }
    found.patched = CHANGES.iter().any(|key| map.contains(key)) || kind == Some("Component");
    if OF_ANYTHING.iter().any(|key| map.contains(key)) || kind == Some("Component") {
        found.changes.push(Change::default());
    }
    found.renames = RENAMES.iter().any(|key| map.contains(key));
    found.open |= MAKES.iter().any(|key| map.contains(key)) || kind == Some("Component");
    found.namespace = map.get("namespace").and_then(Value::as_str).map(str::to_owned);
    for key in ["patches", "patchesStrategicMerge", "patchesJson6902"] {
        let items = map.get(key).and_then(Value::as_seq).unwrap_or_default();
        let paths = items.iter().filter_map(|it| it.as_str().or_else(|| it.at("path")?.as_str()));
        found.patches.extend(paths.filter_map(|path| joined(folder, path)));
        found.changes.extend(items.iter().map(|it| change(it, folder)));
    }
    for item in map.get("images").and_then(Value::as_seq).unwrap_or_default() {
        let text = |key: &str| item.at(key).and_then(plain);
        let Some(name) = text("name") else { continue };
        let tag = text("newTag").or_else(|| text("digest"));
        let place = ["newTag", "digest"].iter().find_map(|key| item.at(key));
        let origin = place.map(|it| Origin::written(it.mark));
        found.images.push(ImageChange { name, repository: text("newName"), tag, origin });
    }
    for item in map.get("configMapGenerator").and_then(Value::as_seq).unwrap_or_default() {
        let Some(name) = item.at("name").and_then(Value::as_str) else { continue };
        let files = texts(item.at("files")).into_iter().filter_map(|it| {
            let (key, path) = it.split_once('=').unwrap_or((it.rsplit('/').next().unwrap_or(it), it));
            Some((key.to_owned(), joined(folder, path)?))
        });
        let namespace = item.at("namespace").and_then(Value::as_str).map(str::to_owned);
        found.generated.push(Generated { name: name.to_owned(), namespace, files: files.collect() });
    }
    Some(found)
}

fn texts(value: Option<&Value>) -> Vec<&str> {
    value.and_then(Value::as_seq).unwrap_or_default().iter().filter_map(Value::as_str).collect()
}

fn plain(value: &Value) -> Option<String> {
    match &value.kind {
        tree::Kind::String(text) => Some(text.clone()),
        tree::Kind::Int(number) => Some(number.to_string()),
        tree::Kind::Float(number) => Some(number.to_string()),
        _ => None,
    }
}

/// A path from the root of the file system on; none for what is elsewhere in the world.
fn joined(folder: &str, path: &str) -> Option<String> {
    let elsewhere = ["://", "?ref=", "github.com"].iter().any(|it| path.contains(it)) || path.starts_with('/');
    if elsewhere { None } else { plain_path(folder, path) }
}

#[cfg(test)]
mod tests {
    use telstack_diagnostics::SourceMap;

    use super::*;

    fn of(text: &str) -> Option<Kustomization> {
        read(SourceMap::default().add("kustomization.yaml", text), text, "a/b/")
    }

    #[test]
    fn what_belongs_together() {
        let text = "resources:\n- x.yaml\n- ../base\n- https://github.com/a/b?ref=v1\nnamespace: obs\nimages:\n- name: \
                    otel\n  newTag: 0.120.0\nconfigMapGenerator:\n- name: cfg\n  files: [config.yaml=otel.yaml, \
                    b.yaml]\npatches:\n- path: p.yaml\n";
        let read = of(text).expect("a kustomization");
        assert_eq!(read.resources, ["a/b/x.yaml", "a/base"]);
        assert_eq!((read.patches, read.open, read.patched), (vec!["a/b/p.yaml".to_owned()], true, true));
        let file = |key: &str, path: &str| (key.to_owned(), path.to_owned());
        assert_eq!(read.generated[0].files, [file("config.yaml", "a/b/otel.yaml"), file("b.yaml", "a/b/b.yaml")]);
        assert_eq!(read.images[0].tag.as_deref(), Some("0.120.0"));
    }

    #[test]
    fn what_is_something_else() {
        for text in ["apiVersion: v1\nkind: Service\nmetadata: {namespace: x}\n", "namespace: x\n", "resources: [\n"] {
            assert!(of(text).is_none(), "{text}");
        }
    }
}
