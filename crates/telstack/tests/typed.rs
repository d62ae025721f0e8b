//! Manifests go through the types of Kubernetes and come out as they went in: no field is unknown, none is of another
//! type. The types are those of the oldest and of the newest release; `real_tools` asks a validator about more.

mod support;

use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use support::{all_of_yaml, files_ending, root, stacks_with};

const KUSTOMIZATION: &str = "kustomization.yaml";

/// What a type keeps of a value.
fn kept<T: Serialize + DeserializeOwned>(value: &Value) -> Result<Value, serde_json::Error> {
    let mut kept = serde_json::to_value(serde_json::from_value::<T>(value.clone())?)?;
    // What a template of claims is, the crate writes, and Kubernetes knows.
    if let Some(templates) = kept.pointer_mut("/spec/volumeClaimTemplates").and_then(Value::as_array_mut) {
        for template in templates.iter_mut().filter_map(Value::as_object_mut) {
            for key in ["apiVersion", "kind"] {
                template.remove(key);
            }
        }
    }
    Ok(kept)
}

/// What the types of a release keep of an object; none for a kind that is not listed.
macro_rules! release {
    ($name:ident, $types:ident) => {
        fn $name(object: &Value) -> Option<Result<Value, serde_json::Error>> {
            use $types::api::{apps::v1 as apps, autoscaling::v2 as scaling, core::v1 as core};
            use $types::api::{networking::v1 as net, policy::v1 as policy, rbac::v1 as rbac};
            let read: fn(&Value) -> Result<Value, serde_json::Error> =
                match (object["apiVersion"].as_str()?, object["kind"].as_str()?) {
                    ("v1", "Namespace") => kept::<core::Namespace>,
                    ("v1", "ServiceAccount") => kept::<core::ServiceAccount>,
                    ("v1", "ConfigMap") => kept::<core::ConfigMap>,
                    ("v1", "Service") => kept::<core::Service>,
                    ("v1", "PersistentVolumeClaim") => kept::<core::PersistentVolumeClaim>,
                    ("apps/v1", "DaemonSet") => kept::<apps::DaemonSet>,
                    ("apps/v1", "Deployment") => kept::<apps::Deployment>,
                    ("apps/v1", "StatefulSet") => kept::<apps::StatefulSet>,
                    ("rbac.authorization.k8s.io/v1", "ClusterRole") => kept::<rbac::ClusterRole>,
                    ("rbac.authorization.k8s.io/v1", "ClusterRoleBinding") => kept::<rbac::ClusterRoleBinding>,
                    ("rbac.authorization.k8s.io/v1", "Role") => kept::<rbac::Role>,
                    ("rbac.authorization.k8s.io/v1", "RoleBinding") => kept::<rbac::RoleBinding>,
                    ("autoscaling/v2", "HorizontalPodAutoscaler") => kept::<scaling::HorizontalPodAutoscaler>,
                    ("policy/v1", "PodDisruptionBudget") => kept::<policy::PodDisruptionBudget>,
                    ("networking.k8s.io/v1", "NetworkPolicy") => kept::<net::NetworkPolicy>,
                    _ => return None,
                };
            Some(read(object))
        }
    };
}
release!(oldest, k8s_oldest);
release!(newest, k8s_newest);

/// Kinds that are no types of Kubernetes itself.
fn is_custom(object: &Value) -> bool {
    let group = object["apiVersion"].as_str().and_then(|it| it.split_once('/')).map_or("", |it| it.0);
    group.contains('.') && !group.ends_with(".k8s.io")
}

#[test]
fn manifests_are_what_the_types_of_kubernetes_hold() {
    let mut seen = std::collections::BTreeSet::new();
    for stack in stacks_with(KUSTOMIZATION) {
        let folder = root().join("golden").join(&stack);
        for file in files_ending(&folder, &["yaml"]).into_iter().filter(|it| !it.ends_with(KUSTOMIZATION)) {
            // What runs outside of the cluster is no object of it.
            if file.split('/').any(|it| it == "hosts") {
                continue;
            }
            let text = std::fs::read_to_string(folder.join(&file)).expect("readable");
            for object in all_of_yaml(&text).expect("YAML") {
                if is_custom(&object) {
                    continue;
                }
                let kind = object["kind"].as_str().unwrap_or_default();
                let name = format!("{stack}/{file}: {kind} {}", object["metadata"]["name"]);
                for (release, types) in [("1.28", oldest as fn(&Value) -> _), ("1.37", newest)] {
                    let kept: Option<Result<Value, serde_json::Error>> = types(&object);
                    let kept = kept.unwrap_or_else(|| panic!("{name}: add its type to this test"));
                    let kept = kept.unwrap_or_else(|error| panic!("{name}: {release}: {error}"));
                    assert_eq!(kept, object, "{name}: {release}");
                }
                seen.insert(kind.to_owned());
            }
        }
    }
    assert!(seen.len() >= 10, "{seen:?}");
}

#[test]
fn what_the_types_do_not_know_is_noticed() {
    let object = |spec: &str| {
        let text = format!("apiVersion: v1\nkind: Service\nmetadata: {{name: x}}\nspec: {spec}\n");
        all_of_yaml(&text).expect("YAML").remove(0)
    };
    for types in [oldest as fn(&Value) -> _, newest] {
        let right = object("{ports: [{port: 80, targetPort: http}], clusterIP: None}");
        assert_eq!(types(&right).expect("known").expect("fits"), right);
        let unknown = object("{ports: [{port: 80, tragetPort: http}]}");
        assert_ne!(types(&unknown).expect("known").expect("fits"), unknown);
        assert!(types(&object("{ports: [{port: \"80\"}]}")).expect("known").is_err());
    }
}
