//! One folder for each family of codes. Written by `cargo xtask gen`.

pub(crate) mod c {
    pub(crate) mod c001_healthcheck_binary_missing;
    pub(crate) mod c002_config_not_mounted_where_read;
    pub(crate) mod c003_data_dir_not_persisted;
    pub(crate) mod c004_depends_on_unready;
    pub(crate) mod c005_compose_network_split;
    pub(crate) mod c006_published_port_vs_container_port;
}

pub(crate) mod d {
    pub(crate) mod d001_memory_limit_over_container_limit;
    pub(crate) mod d002_memory_limiter_not_first;
    pub(crate) mod d003_persistent_queue_not_durable;
    pub(crate) mod d004_storage_dir_missing_or_unwritable;
    pub(crate) mod d005_retry_gives_up_before_outage;
    pub(crate) mod d006_queue_exceeds_memory;
    pub(crate) mod d007_sending_queue_unsupported;
    pub(crate) mod d008_queue_config_contradiction;
    pub(crate) mod d009_batch_before_persistent_queue;
    pub(crate) mod d010_shared_queue_directory;
    pub(crate) mod d011_startup_probe_vs_compaction;
    pub(crate) mod d012_termination_grace_too_short;
    pub(crate) mod d013_no_memory_limiter;
    pub(crate) mod d014_nothing_batches;
}

pub(crate) mod e {
    pub(crate) mod e001_bare_dollar_not_expanded;
    pub(crate) mod e002_env_not_provided;
}

pub(crate) mod f {
    pub(crate) mod f001_filelog_self_ingestion;
    pub(crate) mod f002_filelog_no_checkpoint;
    pub(crate) mod f003_log_path_not_mounted;
    pub(crate) mod f004_hostmetrics_sees_container;
}

pub(crate) mod g {
    pub(crate) mod g001_datasource_uid_dangling;
    pub(crate) mod g002_metric_name_not_produced;
    pub(crate) mod g003_datasource_url_unreachable;
    pub(crate) mod g004_provisioning_dollar_escape;
    pub(crate) mod g005_dashboard_input_placeholder;
    pub(crate) mod g006_dashboard_path_not_mounted;
}

pub(crate) mod h {
    pub(crate) mod h001_haproxy_http_check_on_grpc;
    pub(crate) mod h002_haproxy_check_port_mismatch;
    pub(crate) mod h003_haproxy_grpc_mode;
}

pub(crate) mod k {
    pub(crate) mod k001_probe_without_health_check;
    pub(crate) mod k002_cluster_singleton_replicated;
    pub(crate) mod k003_rbac_gap;
    pub(crate) mod k004_kubeletstats_endpoint;
    pub(crate) mod k005_agent_without_node_filter;
    pub(crate) mod k006_service_selects_nothing;
    pub(crate) mod k007_app_protocol_missing_in_mesh;
    pub(crate) mod k008_networkpolicy_blocks_flow;
    pub(crate) mod k009_configmap_without_rollout;
    pub(crate) mod k010_rwo_rolling_update;
    pub(crate) mod k011_host_port_conflict;
    pub(crate) mod k012_downward_env_missing;
    pub(crate) mod k013_no_resources_on_agent;
    pub(crate) mod k014_rbac_excess;
}

pub(crate) mod l {
    pub(crate) mod l001_retention_not_enforced;
    pub(crate) mod l002_structured_metadata_schema;
    pub(crate) mod l003_loki_config_removed_field;
    pub(crate) mod l004_replication_factor_exceeds_replicas;
    pub(crate) mod l005_tenant_header_missing;
    pub(crate) mod l006_old_sample_window;
    pub(crate) mod l008_retention_has_no_effect;
}

pub(crate) mod m {
    pub(crate) mod m001_remote_write_receiver_flag;
    pub(crate) mod m002_otlp_receiver_flag;
    pub(crate) mod m003_prom_scrape_duplicated_by_replicas;
    pub(crate) mod m004_scrape_target_not_listening;
    pub(crate) mod m005_delta_into_prometheus;
    pub(crate) mod m006_rule_files_match_nothing;
    pub(crate) mod m007_alert_routing_missing;
    pub(crate) mod m008_resource_to_labels_cardinality;
    pub(crate) mod m009_spanmetrics_unbounded_dimension;
    pub(crate) mod m010_prometheus_exporter_expiry;
    pub(crate) mod m011_telemetry_loop;
    pub(crate) mod m012_ha_labels_missing;
}

pub(crate) mod n {
    pub(crate) mod n001_loopback_bind_in_container;
    pub(crate) mod n002_protocol_port_mismatch;
    pub(crate) mod n003_no_listener_on_peer_port;
    pub(crate) mod n004_otlp_http_signal_path_doubled;
    pub(crate) mod n005_backend_otlp_path;
    pub(crate) mod n006_tls_plaintext_mismatch;
    pub(crate) mod n007_grpc_scheme_contradicts_tls;
    pub(crate) mod n008_duplicate_listen_port;
    pub(crate) mod n009_otlp_message_too_big;
    pub(crate) mod n010_grpc_pinned_connection;
}

pub(crate) mod p {
    pub(crate) mod p001_undefined_component_reference;
    pub(crate) mod p002_extension_reference_not_enabled;
    pub(crate) mod p003_enrichment_after_batch;
    pub(crate) mod p004_request_context_lost;
    pub(crate) mod p005_unused_component;
    pub(crate) mod p006_signal_not_supported;
    pub(crate) mod p007_no_default_route;
    pub(crate) mod p008_resource_detection_overrides;
    pub(crate) mod p009_include_metadata_off;
    pub(crate) mod p010_server_only_prometheus_section;
    pub(crate) mod p011_connector_one_sided;
    pub(crate) mod p012_pipeline_cycle;
    pub(crate) mod p013_empty_pipeline;
    pub(crate) mod p014_processor_twice;
    pub(crate) mod p015_invalid_id;
    pub(crate) mod p016_listed_twice;
    pub(crate) mod p017_batch_not_last;
}

pub(crate) mod q {
    pub(crate) mod q001_kafka_encoding_topic_mismatch;
}

pub(crate) mod s {
    pub(crate) mod s001_tail_sampling_split_traces;
    pub(crate) mod s002_loadbalancing_to_clusterip;
    pub(crate) mod s003_loadbalancing_routing_key;
    pub(crate) mod s004_spanmetrics_after_sampling;
    pub(crate) mod s005_stateful_metrics_replicated;
    pub(crate) mod s006_tail_sampling_memory;
    pub(crate) mod s007_sampled_before_tail_sampling;
}

pub(crate) mod t {
    pub(crate) mod t001_metrics_generator_inactive;
    pub(crate) mod t002_local_storage_distributed;
    pub(crate) mod t003_wait_durations_inverted;
}

pub(crate) mod v {
    pub(crate) mod v001_component_removed;
    pub(crate) mod v002_component_not_in_distribution;
    pub(crate) mod v003_setting_removed;
    pub(crate) mod v004_telemetry_metrics_address;
    pub(crate) mod v005_eol_component;
    pub(crate) mod v006_deprecated_alias;
    pub(crate) mod v007_unpinned_image;
    pub(crate) mod v008_no_such_image;
    pub(crate) mod v009_unstable_component;
}

pub(crate) mod x {
    pub(crate) mod x001_literal_secret;
    pub(crate) mod x002_default_password;
    pub(crate) mod x003_plaintext_over_public_network;
    pub(crate) mod x004_auth_one_sided;
    pub(crate) mod x005_placeholder_endpoint;
}

pub(crate) mod y {
    pub(crate) mod y001_unknown_setting;
    pub(crate) mod y002_wrong_type;
    pub(crate) mod y003_invalid_unit;
    pub(crate) mod y004_unknown_value;
    pub(crate) mod y005_missing_setting;
    pub(crate) mod y006_unknown_component;
    pub(crate) mod y007_unknown_flag;
    pub(crate) mod y008_flag_given_twice;
    pub(crate) mod y009_out_of_range;
    pub(crate) mod y010_unusual_value;
    pub(crate) mod y011_renamed_attribute;
}
