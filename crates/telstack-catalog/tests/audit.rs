//! Facts that a comparison with upstream's source put right: see "Audit" in `docs/catalog.md`.

use std::sync::Arc;

use telstack_catalog::otelcol::{SettingType, SettingsNode, component, sampled_versions};
use telstack_catalog::{ComponentKind, Version};

use ComponentKind::{Exporter, Processor, Receiver};

fn settings(kind: ComponentKind, name: &str, minor: u32) -> Arc<SettingsNode> {
    component(kind, name).expect(name).settings(Version::new(0, minor, 0)).expect(name)
}

fn ty(kind: ComponentKind, name: &str, path: &str, minor: u32) -> Option<SettingType> {
    settings(kind, name, minor).at(path).map(|node| node.ty)
}

#[test]
fn settings_that_upstream_parses_itself_are_known() {
    for minor in [70, 91, 124, 150, 158] {
        assert!(settings(Receiver, "receiver_creator", minor).child("receivers").is_some(), "0.{minor}.0");
    }
    for minor in [110, 124, 150, 158] {
        assert!(settings(Processor, "geoip", minor).child("providers").is_some(), "0.{minor}.0");
    }
    assert!(settings(Exporter, "googlemanagedprometheus", 120).at("metric").is_some_and(|node| node.open));
}

#[test]
fn flat_statements_and_conditions_pass_and_maps_are_still_checked() {
    for (name, path, minor) in [
        ("transform", "trace_statements[]", 120),
        ("transform", "log_statements[]", 158),
        ("filter", "log_conditions[]", 158),
    ] {
        let tree = settings(Processor, name, minor);
        let item = tree.at(path).expect(path);
        assert_eq!(item.ty, SettingType::Any, "{name} {path}");
        assert!(!item.open && item.child("context").is_some(), "{name} {path}");
    }
    // Before 0.120.0 a statement stood in `statements` only.
    assert_eq!(ty(Processor, "transform", "trace_statements[]", 110), Some(SettingType::Map));
}

#[test]
fn values_of_two_types_pass() {
    for &version in sampled_versions() {
        let kafka = component(Exporter, "kafka").expect("kafka").settings(version).expect("kafka");
        assert_eq!(kafka.at("producer.required_acks").map(|node| node.ty), Some(SettingType::Any), "{version}");
    }
    assert_eq!(ty(Processor, "k8sattributes", "filter.namespace", 148), Some(SettingType::String));
    assert_eq!(ty(Processor, "k8sattributes", "filter.namespace", 158), Some(SettingType::Any));
    assert!(!settings(Processor, "tail_sampling", 135).at("policies[]").expect("policy").open);
    let drop = "policies[].drop.drop_sub_policy[]";
    assert!(settings(Processor, "tail_sampling", 158).at(drop).expect("sub-policy").open);
}

#[test]
fn log_receivers_have_settings_at_every_release() {
    for name in ["filelog", "journald", "syslog", "tcplog", "udplog", "windowseventlog"] {
        for &version in sampled_versions() {
            // The facts do not have it at 0.70.0.
            if name == "windowseventlog" && version == Version::new(0, 70, 0) {
                continue;
            }
            let tree = component(Receiver, name).expect(name).settings(version);
            assert!(tree.is_some_and(|tree| tree.child("operators").is_some()), "{name} at {version}");
        }
    }
    let has = |key, minor| settings(Receiver, "filelog", minor).child(key).is_some();
    assert!(!has("polls_to_archive", 124) && has("polls_to_archive", 130));
    assert!(!has("exclude_older_than", 91) && has("exclude_older_than", 100));
    assert_eq!(ty(Receiver, "filelog", "max_log_size", 100), Some(SettingType::Any));
    assert_eq!(ty(Receiver, "filelog", "multiline.line_start_pattern", 100), Some(SettingType::String));
    assert_eq!(settings(Receiver, "filelog", 100).at("start_at").map(|node| node.enumeration.len()), Some(2));
    // The facts had none for these up to 0.90.0.
    assert_eq!(ty(ComponentKind::Extension, "file_storage", "compaction.on_start", 80), Some(SettingType::Bool));
    assert_eq!(ty(ComponentKind::Connector, "servicegraph", "store.ttl", 90), Some(SettingType::Duration));
    assert_eq!(ty(Receiver, "syslog", "tcp.tls.cert_file", 100), Some(SettingType::String));
}

#[test]
fn contrib_settings_are_exact_between_samples_up_to_0_124() {
    let has = |kind, name, path, minor| settings(kind, name, minor).at(path).is_some();
    // In only one of the samples around the release.
    assert!(!has(Exporter, "loadbalancing", "resolver.k8s.timeout", 91));
    assert!(has(Exporter, "loadbalancing", "resolver.k8s.timeout", 100));
    assert!(!has(Exporter, "kafka", "topic_from_attribute", 91));
    assert!(has(Exporter, "kafka", "topic_from_attribute", 100));
    assert!(!has(Processor, "tail_sampling", "policies[].drop", 124));
    assert!(has(Processor, "tail_sampling", "policies[].drop", 130));
    // Keys with dots: the one is no part of the other.
    assert!(!has(Receiver, "k8s_cluster", "resource_attributes.container.runtime.version", 91));
    // In neither.
    assert!(has(Exporter, "loadbalancing", "resolver.awsCloudMap.serviceName", 98));
    assert!(!has(Exporter, "loadbalancing", "resolver.awsCloudMap", 99));
    assert!(has(Receiver, "sqlserver", "top_query_collection.enabled", 124));
    assert!(has(Exporter, "faro", "sending_queue.blocking", 124));
    assert!(has(ComponentKind::Extension, "zpages", "dialer.timeout", 101));
    assert!(!has(ComponentKind::Extension, "zpages", "dialer", 103));
}
