//! Components: names, presence, replacements, runtime facts.

use telstack_catalog::otelcol::{self, Component, Presence, Required, component, nearest, nearest_in};
use telstack_catalog::{ComponentKind, Distribution, Signal, SignalSet, Version};

use ComponentKind::{Connector, Exporter, Extension, Processor, Receiver};
use Distribution::{Contrib, Core, EbpfProfiler, K8s, Otlp};

fn v(minor: u32) -> Version {
    Version::new(0, minor, 0)
}

#[test]
fn releases_are_exact_tags() {
    assert_eq!(otelcol::releases().len(), 112);
    assert_eq!(otelcol::newest(), v(159));
    assert_eq!(otelcol::releases()[0].version, v(70));
    assert_eq!(otelcol::releases()[0].date, "2023-01-23");
    assert!(otelcol::releases().is_sorted_by_key(|release| release.version));
    assert!(otelcol::is_released(Version::new(0, 76, 1)));
    assert!(!otelcol::is_released(v(76)));
    assert_eq!(otelcol::nearest_release(v(76)), Version::new(0, 76, 1));
    assert_eq!(otelcol::nearest_release(v(500)), v(159));
    assert_eq!(otelcol::nearest_release(v(1)), v(70));
    assert_eq!(otelcol::sampled_versions().len(), 31);
}

#[test]
fn distributions_start_at_their_first_release() {
    assert!(otelcol::distribution_has_release(Core, v(70)));
    assert!(!otelcol::distribution_has_release(K8s, v(97)));
    assert!(otelcol::distribution_has_release(K8s, v(98)));
    assert!(!otelcol::distribution_has_release(Otlp, v(110)));
    assert!(otelcol::distribution_has_release(EbpfProfiler, v(125)));
    assert!(!otelcol::distribution_has_release(Contrib, Version::new(0, 158, 7)));
    let container = Contrib.container(v(158)).expect("a container");
    assert_eq!(container.uid, Some(10001));
    assert_eq!(container.entrypoint, "/otelcol-contrib");
    assert_eq!(container.default_config.as_deref(), Some("/etc/otelcol-contrib/config.yaml"));
    assert_eq!(K8s.container(v(158)).expect("a container").default_config, None);
    assert_eq!(K8s.container(v(90)), None);
}

#[test]
fn both_names_are_one_component() {
    for (kind, old, new, since) in [
        (Exporter, "otlp", "otlp_grpc", 144),
        (Exporter, "otlphttp", "otlp_http", 144),
        (Receiver, "filelog", "file_log", 149),
        (Processor, "k8sattributes", "k8s_attributes", 146),
        (Exporter, "prometheusremotewrite", "prometheus_remote_write", 154),
        (Connector, "spanmetrics", "span_metrics", 151),
        (Receiver, "hostmetrics", "host_metrics", 151),
    ] {
        let (one, other) = (component(kind, old).expect(old), component(kind, new).expect(new));
        assert_eq!(one, other, "{old}");
        assert_eq!(one.names(), [old, new]);
        assert_eq!(one.name_since(new), Some(v(since)), "{new}");
        assert_eq!(one.name_at(v(since - 1)), old);
        assert_eq!(one.name_at(v(since)), new);
        assert_eq!(other.name_at(v(158)), new);
        assert_eq!(one.name_presence(new, Contrib, v(since - 1)), Presence::NotYet { since: v(since) });
        assert_eq!(one.name_presence(old, Contrib, v(158)), Presence::Present);
        assert_eq!(one.presence(Contrib, v(since - 1)), Presence::Present);
    }
    assert!(component(Exporter, "file_log").is_none());
    assert!(component(Exporter, "no\"such").is_none());
}

#[test]
fn a_rename_without_alias_joins_the_names_only() {
    let taps = component(Processor, "remoteobserver").expect("remoteobserver");
    assert_eq!(Some(taps), component(Processor, "remotetap"));
    assert_eq!(taps.name_at(v(88)), "remoteobserver");
    assert_eq!(taps.name_at(v(100)), "remotetap");
    assert_eq!(taps.presence(Contrib, v(100)), Presence::Present);
    assert!(matches!(taps.name_presence("remoteobserver", Contrib, v(100)), Presence::Removed { .. }));
}

#[test]
fn presence_by_release_and_distribution() {
    let logging = component(Exporter, "logging").expect("logging");
    assert_eq!(logging.presence(Core, v(110)), Presence::Present);
    assert_eq!(logging.presence(Core, v(158)), Presence::Removed { last: v(110), removed_in: v(111) });
    assert_eq!(logging.presence(K8s, v(158)), Presence::Never);
    let debug = component(Exporter, "debug").expect("debug");
    assert_eq!(debug.presence(Core, v(80)), Presence::NotYet { since: v(86) });

    let loki = component(Exporter, "loki").expect("loki");
    assert_eq!(loki.presence(Contrib, v(121)), Presence::Present);
    // Left out by mistake in 0.122.0, back in 0.123.0.
    assert_eq!(loki.presence(Contrib, v(122)), Presence::Removed { last: v(121), removed_in: v(122) });
    assert_eq!(loki.returns_in(Contrib, v(122)), Some(v(123)));
    assert_eq!(loki.presence(Contrib, v(130)), Presence::Present);
    let last = Version::new(0, 130, 1);
    assert_eq!(loki.presence(Contrib, v(131)), Presence::Removed { last, removed_in: v(131) });
    assert_eq!(loki.returns_in(Contrib, v(131)), None);
    assert_eq!(loki.presence(Core, v(100)), Presence::Never);

    let otlp = component(Exporter, "otlp").expect("otlp");
    assert_eq!(otlp.distributions_at(v(158)), [Core, Contrib, K8s, Otlp, EbpfProfiler]);
    assert_eq!(otlp.distributions_at(v(97)), [Core, Contrib]);
    assert_eq!(otlp.lifespan(Core).len(), 1);
    assert_eq!(component(Receiver, "filelog").expect("filelog").presence(Core, v(158)), Presence::Never);
}

#[test]
fn replacements_name_components_that_exist() {
    let of = |kind, name| component(kind, name).expect(name).replacement().expect(name);
    let logging = of(Exporter, "logging");
    assert_eq!((logging.name, logging.kind), ("debug", Some(Exporter)));
    assert_eq!(of(Exporter, "loki").name, "otlp_http");
    assert_eq!(of(Exporter, "jaeger").name, "otlp_grpc");
    let spanmetrics = of(Processor, "spanmetrics");
    assert_eq!((spanmetrics.name, spanmetrics.kind), ("span_metrics", Some(Connector)));
    assert_eq!(of(Processor, "routing").kind, Some(Connector));
    let ballast = of(Extension, "memory_ballast");
    assert_eq!((ballast.name, ballast.kind), ("GOMEMLIMIT", None));
    for &kind in ComponentKind::ALL {
        for component in otelcol::components(kind) {
            if let Some(replacement) = component.replacement()
                && let Some(kind) = replacement.kind
            {
                assert!(otelcol::component(kind, replacement.name).is_some(), "{component:?}");
            }
        }
    }
    assert_eq!(component(Exporter, "logging").and_then(Component::deprecated_since), Some(v(86)));
}

#[test]
fn signals_and_pairs() {
    let logs = SignalSet::from([Signal::Logs]);
    let all = SignalSet::from([Signal::Traces, Signal::Metrics, Signal::Logs]);
    assert_eq!(component(Receiver, "filelog").and_then(|c| c.signals(v(130))), Some(logs));
    // The facts have a hole before 0.100 here: the next sample counts.
    assert_eq!(component(Receiver, "otlp").and_then(|c| c.signals(v(75))), Some(all));
    let spanmetrics = component(Connector, "spanmetrics").expect("spanmetrics");
    assert_eq!(spanmetrics.signals(v(120)), None);
    assert_eq!(spanmetrics.pairs(v(120)), Some(vec![(Signal::Traces, Signal::Metrics)]));
    assert_eq!(spanmetrics.stability(v(120), Signal::Traces), Some("alpha"));
    assert_eq!(spanmetrics.stability(v(120), Signal::Logs), None);
    let health = component(Extension, "health_check").expect("health_check");
    assert_eq!(health.stability(v(100), Signal::Logs), Some("beta"));
}

#[test]
fn ports_and_default_hosts() {
    let otlp = component(Receiver, "otlp").expect("otlp");
    let ports = |minor| -> Vec<_> {
        let listens = otlp.listens(v(minor));
        listens.iter().map(|l| (l.setting, l.port, l.default_host, l.protocol)).collect()
    };
    assert_eq!(
        ports(158),
        [
            ("protocols.grpc.endpoint", Some(4317), Some("localhost"), Some("otlp-grpc")),
            ("protocols.http.endpoint", Some(4318), Some("localhost"), Some("otlp-http")),
        ]
    );
    assert_eq!(ports(103)[0].2, Some("0.0.0.0"));
    assert_eq!(ports(104)[0].2, Some("localhost"));
    let health = component(Extension, "health_check").expect("health_check");
    assert_eq!(health.listens(v(110))[0].port, Some(13133));
    assert_eq!(health.listens(v(110))[0].protocol, None);
    let jaeger = component(Receiver, "jaeger").expect("jaeger");
    let words: Vec<_> = jaeger.listens(v(120)).iter().filter_map(|l| l.protocol).collect();
    assert_eq!(words, ["jaeger-grpc", "jaeger-thrift-http", "jaeger-thrift-compact", "jaeger-thrift-binary"]);
}

#[test]
fn protocols_and_needs() {
    let protocol = |kind, name| component(kind, name).expect(name).protocol();
    assert_eq!(protocol(Exporter, "otlp"), Some("otlp-grpc"));
    assert_eq!(protocol(Exporter, "otlphttp"), Some("otlp-http"));
    assert_eq!(protocol(Exporter, "prometheusremotewrite"), Some("prometheus-remote-write"));
    assert_eq!(protocol(Exporter, "prometheus"), Some("prometheus-exposition"));
    assert_eq!(protocol(Exporter, "debug"), Some("none"));
    let otlp = component(Exporter, "otlp").expect("otlp");
    assert_eq!(otlp.required(v(120)), [Required::All("endpoint")]);
    assert_eq!(otlp.storage_setting(), Some("sending_queue.storage"));
    let size = |minor| otlp.default_value("sending_queue.queue_size", v(minor)).cloned();
    assert_eq!(size(76), Some(5000.into()));
    assert_eq!(size(100), Some(1000.into()));
    assert_eq!(otlp.default_value("timeout", v(100)), Some(&"5s".into()));
    let http = component(Exporter, "otlphttp").expect("otlphttp");
    assert_eq!(http.default_value("timeout", v(100)), Some(&"30s".into()));
    let batch = component(Processor, "batch").expect("batch");
    assert_eq!(batch.default_value("timeout", v(100)), Some(&"200ms".into()));
    assert!(component(Processor, "tail_sampling").is_some_and(Component::is_stateful_by_trace));
    assert!(!batch.is_stateful_by_trace());
    assert!(component(Processor, "k8sattributes").is_some_and(Component::context_reader));
    let storage = component(Extension, "file_storage").expect("file_storage");
    assert_eq!(storage.provides(), Some("storage"));
    let placement = |name| component(Receiver, name).expect(name).placement();
    assert_eq!(placement("hostmetrics"), Some("one_per_node"));
    assert_eq!(placement("k8s_cluster"), Some("one_per_cluster"));
    assert_eq!(component(Extension, "zpages").and_then(Component::storage_setting), None);
}

#[test]
fn suggestions() {
    assert_eq!(nearest(Exporter, "prometheusremotewite"), Some("prometheusremotewrite"));
    assert_eq!(nearest(Exporter, "prometheus-remote-write"), Some("prometheus_remote_write"));
    assert_eq!(nearest(Receiver, "otpl"), Some("otlp"));
    assert_eq!(nearest(Receiver, "hostmetric"), Some("hostmetrics"));
    assert_eq!(nearest(Processor, "memorylimiter"), Some("memory_limiter"));
    assert_eq!(nearest(Exporter, "completely_different_thing"), None);
    assert_eq!(nearest(Exporter, ""), None);
    assert_eq!(nearest_in(Exporter, "loging", Core, v(158)), None);
    assert_eq!(nearest_in(Exporter, "loging", Core, v(100)), Some("logging"));
    assert_eq!(nearest_in(Exporter, "otlp_http", Core, v(120)), Some("otlphttp"));
}

/// What the parts of the catalog say about presence agrees.
#[test]
fn presence_agrees_with_lifespans_and_names() {
    for &kind in ComponentKind::ALL {
        assert!(otelcol::component_names(kind).count() > 10);
        for name in otelcol::component_names(kind) {
            let component = component(kind, name).expect(name);
            assert!(component.names().contains(&name));
            assert!(component.name_since(name).is_some(), "{kind}/{name} is in no distribution");
        }
        for component in otelcol::components(kind) {
            for release in otelcol::releases() {
                let version = release.version;
                let here = component.distributions_at(version);
                for &distribution in Distribution::ALL {
                    let spans = component.lifespan(distribution);
                    let present = component.presence(distribution, version) == Presence::Present;
                    assert_eq!(present, spans.iter().any(|span| span.contains(version)));
                    assert_eq!(present, here.contains(&distribution));
                    let named = component
                        .names()
                        .iter()
                        .any(|name| component.name_presence(name, distribution, version) == Presence::Present);
                    assert_eq!(present, named, "{component:?} {version} {distribution}");
                    if present {
                        assert!(otelcol::distribution_has_release(distribution, version));
                    }
                }
                if !here.is_empty() {
                    let preferred = component.name_at(version);
                    assert!(here.iter().any(|&distribution| {
                        component.name_presence(preferred, distribution, version) == Presence::Present
                    }));
                }
            }
        }
    }
}
