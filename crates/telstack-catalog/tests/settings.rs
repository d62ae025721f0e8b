//! Settings trees, the service section, environment expansion.

use telstack_catalog::otelcol::{
    self, AddressState, BareDollar, InternalMetric, MetricsEndpoint, SettingType, component, env_expansion,
    service_settings, telemetry,
};
use telstack_catalog::{ComponentKind, Distribution, Signal, Version};

use ComponentKind::{Exporter, Extension, Processor, Receiver};

fn v(minor: u32) -> Version {
    Version::new(0, minor, 0)
}

#[test]
fn batch_between_samples_and_at_one() {
    let batch = component(Processor, "batch").expect("batch");
    for minor in [91, 158] {
        let settings = batch.settings(v(minor)).expect("settings");
        let keys: Vec<&str> = settings.children.keys().map(AsRef::as_ref).collect();
        assert_eq!(
            keys,
            ["metadata_cardinality_limit", "metadata_keys", "send_batch_max_size", "send_batch_size", "timeout"],
        );
        assert_eq!(settings.at("timeout").map(|node| node.ty), Some(SettingType::Duration));
        assert_eq!(settings.at("send_batch_size").map(|node| node.ty), Some(SettingType::Int));
        assert_eq!(settings.nearest_child("send_batchsize"), Some("send_batch_size"));
    }
    // Exact to the release, although the samples are 0.70.0 and 0.80.0.
    let has = |minor| batch.settings(v(minor)).is_some_and(|s| s.child("metadata_keys").is_some());
    assert!(!has(77) && has(78) && has(79));
}

#[test]
fn core_structs_are_exact_between_samples() {
    let has = |kind, name, path: &str, minor| {
        component(kind, name).expect(name).settings(v(minor)).expect(name).at(path).is_some()
    };
    let limiter = "min_gc_interval_when_soft_limited";
    assert!(!has(Processor, "memory_limiter", limiter, 119));
    assert!(has(Processor, "memory_limiter", limiter, 121));
    let queue = "sending_queue.block_on_overflow";
    assert!(!has(Exporter, "otlp", queue, 122));
    assert!(has(Exporter, "otlp", queue, 123));
    assert!(has(Exporter, "otlp", "sending_queue.blocking", 128));
    assert!(!has(Exporter, "otlp", "sending_queue.blocking", 129));
    assert!(!has(Exporter, "otlp", "tls.cipher_suites", 92));
    assert!(has(Exporter, "otlp", "tls.cipher_suites", 93));
    assert!(!has(Exporter, "otlphttp", "encoding", 94));
    assert!(has(Exporter, "otlphttp", "encoding", 95));
    let batcher = |minor| {
        let settings = component(Exporter, "otlp").expect("otlp").settings(v(minor)).expect("otlp");
        settings.at("batcher").map(|batcher| batcher.children.keys().map(ToString::to_string).collect::<Vec<_>>())
    };
    assert_eq!(batcher(107), None);
    let old = ["enabled", "flush_timeout", "max_size_items", "min_size_items"];
    assert_eq!(batcher(110), Some(old.map(str::to_owned).to_vec()));
    let new = ["enabled", "flush_timeout", "max_size", "min_size", "sizer"];
    assert_eq!(batcher(125), Some(new.map(str::to_owned).to_vec()));
    assert_eq!(batcher(130), None);
}

#[test]
fn remote_write_has_its_own_queue() {
    let exporter = component(Exporter, "prometheusremotewrite").expect("exporter");
    for &version in otelcol::sampled_versions() {
        let settings = exporter.settings(version).expect("settings");
        assert!(settings.at("remote_write_queue").is_some(), "{version}");
        assert!(settings.at("sending_queue").is_none(), "{version}");
        // Repeated from a nested map by mistake in the facts.
        assert!(settings.at("initial_interval").is_none(), "{version}");
        assert!(settings.at("retry_on_failure.initial_interval").is_some(), "{version}");
    }
}

#[test]
fn otlp_queue_takes_a_storage() {
    let otlp = component(Exporter, "otlp").expect("otlp");
    for &version in otelcol::sampled_versions() {
        let settings = otlp.settings(version).expect("settings");
        assert!(settings.at("sending_queue.storage").is_some(), "{version}");
        assert!(settings.at("sending_queue.enabled").is_some(), "{version}");
        assert!(settings.at("endpoint").is_some_and(|node| !node.opaque), "{version}");
    }
}

#[test]
fn vanished_settings_say_why() {
    let otlp = component(Exporter, "otlp_grpc").expect("otlp");
    assert_eq!(otlp.setting_gone("sending_queue.blocking", v(125)), None);
    let blocking = otlp.setting_gone("sending_queue.blocking", v(158)).expect("gone");
    assert_eq!(blocking.removed_in, Some(v(129)));
    assert_eq!(blocking.replacement, Some("sending_queue.block_on_overflow"));
    assert!(blocking.exact);
    let batcher = otlp.setting_gone("batcher.min_size", v(131)).expect("gone");
    assert_eq!((batcher.removed_in, batcher.replacement), (Some(v(130)), Some("sending_queue.batch")));
    assert_eq!(otlp.setting_gone("endpoint", v(158)), None);
    assert_eq!(otlp.setting_gone("never_was", v(158)), None);
    let kafka = component(Receiver, "kafka").expect("kafka");
    let topic = kafka.setting_gone("topic", v(141)).expect("gone");
    assert_eq!(topic.removed_in, Some(v(141)));
    let http = component(Exporter, "otlphttp").expect("otlphttp");
    let middleware = http.setting_gone("middleware", v(140)).expect("gone");
    assert_eq!((middleware.removed_in, middleware.replacement), (Some(v(132)), Some("middlewares")));
    let routing = component(ComponentKind::Connector, "routing").expect("routing");
    let once = routing.setting_gone("match_once", v(158)).expect("gone");
    assert_eq!((once.removed_in, once.exact), (None, false));
    assert_eq!((once.present_at, once.absent_at), (v(110), v(120)));
}

#[test]
fn secrets_are_told_by_name() {
    for secret in [
        "password",
        "api_key",
        "token",
        "hec_token",
        "client_secret",
        "bearer_token",
        "key_pem",
        "access_key",
        "tokens",
    ] {
        assert!(otelcol::is_secret(secret), "{secret}");
    }
    for plain in [
        "token_url",
        "token_file",
        "password_file",
        "tokenizer",
        "key_file",
        "endpoint",
        "access_key_id",
        "routing_key",
        "credentials",
        "secretary",
        "max_token",
    ] {
        assert!(!otelcol::is_secret(plain), "{plain}");
    }
    let splunk = component(Exporter, "splunk_hec").and_then(|c| c.settings(v(158))).expect("tree");
    assert!(splunk.at("token").is_some_and(|node| node.opaque));
    let loki = component(Exporter, "otlphttp").and_then(|c| c.settings(v(111))).expect("tree");
    assert!(loki.at("tls.key_pem").is_some_and(|node| node.opaque));
}

#[test]
fn free_form_values_accept_anything() {
    let resource = component(Processor, "resource").and_then(|c| c.settings(v(158))).expect("tree");
    let value = resource.at("attributes[].value").expect("value");
    assert_eq!(value.ty, SettingType::Any);
    assert_eq!(resource.at("attributes.0.value"), Some(value));
    let hostmetrics = component(Receiver, "hostmetrics").and_then(|c| c.settings(v(120))).expect("tree");
    assert!(hostmetrics.at("scrapers").is_some());
    let filelog = component(Receiver, "filelog").and_then(|c| c.settings(v(158))).expect("tree");
    assert_eq!(filelog.at("max_log_size").map(|node| node.ty), Some(SettingType::Any));
    let google = component(Exporter, "googlecloud").and_then(|c| c.settings(v(158))).expect("tree");
    assert!(google.open);
    assert_eq!(component(Exporter, "datadog").and_then(|c| c.settings(v(158))), None);
}

#[test]
fn optional_maps_take_enabled() {
    let has = |minor| {
        let tree = component(Receiver, "otlp").and_then(|c| c.settings(v(minor))).expect("tree");
        tree.at("protocols.grpc.enabled").is_some()
    };
    assert!(!has(139) && has(140) && has(159));
}

#[test]
fn deprecated_settings_are_marked() {
    let node = |kind, name, path: &str, minor| {
        let tree = component(kind, name).and_then(|c| c.settings(v(minor))).expect(name);
        tree.at(path).cloned().expect(path)
    };
    let topic = |minor| node(Exporter, "kafka", "topic", minor);
    assert!(!topic(120).deprecated && topic(130).deprecated);
    assert_eq!(topic(130).replaced_by.as_deref(), Some("{logs,metrics,traces}.{topic,encoding}"));
    assert!(node(Extension, "health_check", "check_collector_pipeline", 120).deprecated);
    assert!(!node(Exporter, "otlp", "sending_queue", 120).deprecated);
}

/// Every tree of every component at every release opens, and knows its own children.
#[test]
fn every_tree_opens() {
    let (mut trees, mut alive) = (0, 0);
    for &kind in ComponentKind::ALL {
        for component in otelcol::components(kind) {
            for release in otelcol::releases() {
                let here = !component.distributions_at(release.version).is_empty();
                alive += usize::from(here);
                let Some(tree) = component.settings(release.version) else { continue };
                trees += 1;
                for (key, child) in &tree.children {
                    assert_eq!(tree.at(key), Some(child.as_ref()), "{component:?} {key}");
                }
                assert!(matches!(tree.ty, SettingType::Map), "{component:?} at {}", release.version);
            }
        }
    }
    assert!(trees > 20_000 && alive > 20_000, "{trees} {alive}");
}

#[test]
fn service_section_by_version() {
    let has = |path: &str, version| service_settings(version).at(path).is_some();
    let address = "telemetry.metrics.address";
    assert!(has(address, v(70)) && has(address, v(127)) && !has(address, v(128)));
    assert!(!has("telemetry.metrics.readers", v(81)) && has("telemetry.metrics.readers", v(82)));
    assert!(has("telemetry.metrics.metric_readers", v(80)));
    assert!(!has("telemetry.metrics.views", v(122)) && has("telemetry.metrics.views", v(123)));
    assert!(has("telemetry.logs.sampling.tick", v(87)));
    assert!(has("extensions", v(100)) && has("pipelines.item.receivers", v(100)));
    let service = service_settings(v(120));
    assert_eq!(service.at("telemetry.metrics.level").map(|node| node.enumeration.len()), Some(4));
    assert!(service.at(address).is_some_and(|node| node.deprecated));
    assert!(service.at("telemetry.resource").is_some_and(|node| node.open));
    assert_eq!(service.nearest_child("extentions"), Some("extensions"));
}

#[test]
fn allowed_words() {
    let words = |kind, name, path: &str, minor| {
        let settings = component(kind, name).expect(name).settings(v(minor)).expect(name);
        settings.at(path).expect(path).enumeration.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    for (name, minor) in [("logging", 70), ("debug", 90), ("debug", 159)] {
        assert_eq!(words(Exporter, name, "verbosity", minor), ["basic", "normal", "detailed"]);
    }
    for path in ["sending_queue.sizer", "sending_queue.batch.sizer"] {
        assert_eq!(words(Exporter, "otlp", path, 158), ["requests", "items", "bytes"]);
    }
    assert_eq!(words(Exporter, "loadbalancing", "protocol.otlp.tls.min_version", 95), ["1.0", "1.1", "1.2", "1.3"]);
    assert_eq!(words(Processor, "resource", "attributes[].action", 70).len(), 7);
    assert_eq!(
        words(Processor, "tail_sampling", "policies[].status_code.status_codes[]", 120),
        ["OK", "ERROR", "UNSET"]
    );
    assert_eq!(words(Processor, "filter", "metrics.include.match_type", 100), ["strict", "regexp", "expr"]);
    assert_eq!(words(Processor, "filter", "logs.include.match_type", 100), ["strict", "regexp"]);
    // The same key is another thing elsewhere.
    for (kind, name, path) in [
        (Exporter, "kafka", "producer.compression"),
        (Receiver, "filelog", "compression"),
        (Receiver, "snmp", "auth_type"),
        (Receiver, "statsd", "transport"),
        (Processor, "tail_sampling", "policies[].type"),
    ] {
        assert!(words(kind, name, path, 158).is_empty(), "{name}.{path}");
    }
}

#[test]
fn allowed_words_by_release() {
    let takes = |kind, name, path: &str, word: &str, minor| {
        let settings = component(kind, name).expect(name).settings(v(minor)).expect(name);
        settings.at(path).expect(path).enumeration.iter().any(|known| &**known == word)
    };
    for minor in [70, 100, 112, 125, 158] {
        assert!(takes(Exporter, "otlphttp", "compression", "gzip", minor));
        assert!(takes(Exporter, "otlphttp", "compression", "none", minor));
        assert!(!takes(Exporter, "otlp", "compression", "zlib", minor));
    }
    // Between two samples the words of both pass.
    assert!(!takes(Exporter, "otlphttp", "compression", "lz4", 110));
    assert!(takes(Exporter, "otlphttp", "compression", "lz4", 112));
    assert!(takes(Exporter, "otlphttp", "compression", "x-snappy-framed", 126));
    assert!(!takes(Receiver, "otlp", "protocols.grpc.transport", "npipe", 150));
    assert!(takes(Receiver, "otlp", "protocols.grpc.transport", "npipe", 151));
}

#[test]
fn telemetry_address_thresholds() {
    let state = |minor| telemetry(v(minor)).metrics_address;
    assert_eq!(state(70), AddressState::Accepted);
    assert_eq!(state(110), AddressState::Accepted);
    assert_eq!(state(111), AddressState::Deprecated);
    assert_eq!(telemetry(Version::new(0, 122, 1)).metrics_address, AddressState::Deprecated);
    assert_eq!(state(123), AddressState::Ignored);
    assert_eq!(state(127), AddressState::Ignored);
    assert_eq!(state(128), AddressState::Rejected);
    assert_eq!(telemetry(v(158)).address_removed_in, Some(v(128)));
    assert_eq!(telemetry(v(98)).default_metrics_level, "basic");
    assert_eq!(telemetry(v(99)).default_metrics_level, "normal");
    assert_eq!(telemetry(v(110)).default_bind, "0.0.0.0");
    assert_eq!(telemetry(v(111)).default_bind, "localhost");
}

#[test]
fn environment_expansion_thresholds() {
    let bare = |minor, patch| env_expansion(Version::new(0, minor, patch)).bare_dollar;
    assert_eq!(bare(103, 1), BareDollar::Expanded);
    assert_eq!(bare(104, 0), BareDollar::Error);
    assert_eq!(bare(106, 1), BareDollar::Error);
    assert_eq!(bare(107, 0), BareDollar::Literal);
}

#[test]
fn internal_metric_names() {
    let name = |which, endpoint| otelcol::internal_metric(which, v(158), endpoint);
    let sent = InternalMetric::Sent(Signal::Logs);
    let readers = |minor| otelcol::internal_metric(sent, v(minor), MetricsEndpoint::Readers);
    assert_eq!(readers(118), "otelcol_exporter_sent_log_records");
    assert_eq!(readers(119), "otelcol_exporter_sent_log_records_total");
    assert_eq!(readers(151), "otelcol_exporter_sent_log_records_total");
    assert_eq!(readers(152), "otelcol_exporter_sent_log_records");
    let refused = InternalMetric::LimiterRefused(Signal::Traces);
    let refused = |minor| otelcol::internal_metric(refused, v(minor), MetricsEndpoint::Address);
    assert_eq!(refused(154), "otelcol_processor_refused_spans");
    assert_eq!(refused(155), "otelcol_processor_memory_limiter_refused_spans");
    assert_eq!(
        name(InternalMetric::SendFailed(Signal::Traces), MetricsEndpoint::Address),
        "otelcol_exporter_send_failed_spans"
    );
    assert_eq!(name(InternalMetric::QueueSize, MetricsEndpoint::Readers), "otelcol_exporter_queue_size");
}

#[test]
fn opening_is_quick() {
    let start = std::time::Instant::now();
    let found = component(Extension, "health_check").expect("health_check");
    assert!(!found.distributions_at(v(158)).contains(&Distribution::Otlp));
    assert!(found.settings(v(158)).is_some());
    // Well below this even without optimisation; the bound only catches reading everything.
    assert!(start.elapsed().as_millis() < 50, "{:?}", start.elapsed());
}
