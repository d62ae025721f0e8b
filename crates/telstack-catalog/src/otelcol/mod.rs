//! Facts about the OpenTelemetry Collector: releases, components, settings, own telemetry.

mod behaviour;
mod component;
mod host_paths;
mod kubernetes;
mod limits;
mod merge;
mod metrics;
pub(crate) mod near;
mod presets;
mod record;
mod releases;
mod scrapes;
mod settings;
mod structs;
mod telemetry;
mod traits;
mod unusual;

pub use behaviour::{
    AddressState, BareDollar, EnvExpansion, TelemetryFacts, checks_ids, default_host, env_expansion, gives_up_for_good,
    has_exact_keys, is_strictly_typed, queues_keep_context, span_metrics_namespace, telemetry,
};
pub use component::{
    Component, ENDPOINT, Listen, Presence, Replacement, Required, Transport, component, component_names, components,
    plain_exporters,
};
pub use host_paths::{HostPath, HostPathKind, is_of_roots_group, is_roots, own_logs};
pub use kubernetes::{
    Access, Condition, Discovery, Kubelet, Leader, Mesh, NamedVariable, Need, NodeFilter, Objects, Once, PodsBy,
    SERVICE_ACCOUNT, api_ports, discovery, dns_namespace, dns_on_node, dns_ports, field_of, grace_seconds,
    is_inner_class, is_other_policy, is_plain_node_label, is_private_balancer, is_reloader, leader,
    may_guard_an_ingress, mesh, namespace_label, runs_no_pods, tells_of_a_change,
};
pub use limits::{Alternatives, Demand, Limit, service_limits};
pub use metrics::{Metric, MetricKind, named_like_us, own_metrics, tempo_span_metrics};
pub use near::{nearest, nearest_in};
pub use presets::{Pattern, Preset, PresetMount, PresetSetting};
pub use releases::{
    CollectorContainer, Release, distribution_has_release, first_release_of, is_released, nearest_release, newest,
    releases, sampled_versions,
};
pub use scrapes::{ANNOTATED_PODS, Finding, Targets, finding, on_own_machine};
pub use settings::{SettingGone, SettingType, SettingsNode, is_secret, is_secret_path};
pub use telemetry::{InternalMetric, MetricsEndpoint, internal_metric, service_settings};
pub use traits::{Adds, Delta, Detects, Trait, churns, is_unbounded, renamed_attribute, routing_keys, with_trait};
pub use unusual::{Bound, Unusual, unusual_service};
