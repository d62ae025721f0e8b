//! Stores: versions, endpoints, flags, options, images.

use telstack_catalog::Version;
use telstack_catalog::product::{Need, Product, image_facts, running};

fn v(major: u32, minor: u32, patch: u32) -> Version {
    Version::new(major, minor, patch)
}

#[test]
fn products_and_versions() {
    for &product in Product::ALL {
        assert_eq!(Product::parse(product.id()), Some(product));
        assert!(product.knows(product.newest()), "{product}");
        assert!(product.knows(product.oldest()), "{product}");
        assert!(product.oldest() < product.newest());
        // What HAProxy listens on, its configuration says.
        assert!(product == Product::Haproxy || !product.endpoints(product.newest()).is_empty());
    }
    assert!(Product::Loki.knows(v(3, 7, 6)) && !Product::Loki.knows(v(2, 8, 0)));
    assert!(Product::Grafana.knows(v(11, 4, 2)) && !Product::Grafana.knows(v(11, 9, 0)));
    assert_eq!(Product::Loki.last_patch(v(3, 6, 99)), Some(v(3, 6, 15)));
    assert_eq!(Product::Grafana.last_patch(v(12, 4, 0)), None);
    assert_eq!(Product::Tempo.nearest(v(2, 11, 0)), v(2, 10, 8));
    assert_eq!(Product::Loki.nearest(v(2, 8, 0)), v(2, 9, 17));
    assert_eq!(Product::Prometheus.image(v(3, 14, 0)).to_string(), "prom/prometheus:v3.14.0");
    assert_eq!(Product::Jaeger.image(v(1, 53, 0)).to_string(), "jaegertracing/all-in-one:1.53.0");
    assert_eq!(Product::Jaeger.image(v(2, 20, 0)).to_string(), "jaegertracing/jaeger:2.20.0");
    assert_eq!(Product::Loki.image(v(2, 9, 3)).to_string(), "grafana/loki:2.9.3");
    assert_eq!(Product::Otelcol.newest(), v(0, 159, 0));
    let github = "ghcr.io/open-telemetry/opentelemetry-collector-releases/opentelemetry-collector-contrib";
    for (version, repository) in [
        (v(0, 123, 0), "otel/opentelemetry-collector-contrib"),
        (v(0, 123, 1), github),
        (v(0, 125, 0), github),
        (v(0, 126, 0), "otel/opentelemetry-collector-contrib"),
    ] {
        assert_eq!(Product::Otelcol.image(version).repository, repository, "{version}");
    }
}

#[test]
fn loki_takes_otlp_since_3() {
    assert!(Product::Loki.endpoint(v(2, 9, 3), "otlp-http").is_none());
    let otlp = Product::Loki.endpoint(v(3, 0, 0), "otlp-http").expect("otlp");
    assert_eq!((otlp.port, otlp.base, otlp.path), (3100, Some("/otlp"), Some("/otlp/v1/logs")));
    assert_eq!(otlp.needs, Some(Need::Setting("limits_config.allow_structured_metadata")));
    assert!(Product::Loki.endpoint(v(2, 9, 3), "push").is_some());
}

#[test]
fn prometheus_needs_flags() {
    let needs = |version, name| Product::Prometheus.endpoint(version, name).and_then(|e| e.needs);
    let write = Some(Need::Flag("--web.enable-remote-write-receiver"));
    assert_eq!(needs(v(2, 42, 0), "remote-write"), write);
    assert_eq!(needs(v(2, 46, 0), "otlp-http"), None);
    assert!(Product::Prometheus.endpoint(v(2, 46, 0), "otlp-http").is_none());
    assert_eq!(needs(v(2, 55, 1), "otlp-http"), Some(Need::Feature("otlp-write-receiver")));
    assert_eq!(needs(v(3, 0, 1), "otlp-http"), Some(Need::Flag("--web.enable-otlp-receiver")));
    assert!(!Product::Prometheus.flag(v(2, 55, 0), "--web.enable-otlp-receiver"));
    assert!(Product::Prometheus.flag(v(3, 0, 0), "web.enable-otlp-receiver"));
    assert!(Product::Prometheus.flag(v(2, 42, 0), "web.enable-remote-write-receiver"));
    assert!(!Product::Prometheus.flag(v(3, 0, 0), "no.such"));
    assert!(Product::Prometheus.feature(v(2, 50, 0), "otlp-write-receiver"));
    assert!(!Product::Prometheus.feature(v(3, 0, 0), "otlp-write-receiver"));
}

#[test]
fn jaeger_is_asked_for_its_services() {
    for version in [v(1, 53, 0), v(2, 20, 0)] {
        let query = Product::Jaeger.endpoint(version, "query").expect("queries");
        // Traces are wanted of a service: without one it answers 400.
        assert_eq!((query.path, query.probe), (Some("/api/traces"), Some("/api/services")));
    }
    assert_eq!(Product::Loki.endpoint(v(3, 7, 6), "ready").map(|it| it.probe), Some(None));
}

#[test]
fn tempo_binds_localhost_since_2_7() {
    let bind = |version| Product::Tempo.endpoint(version, "otlp-grpc").map(|e| e.default_bind);
    assert_eq!(bind(v(2, 6, 1)), Some("0.0.0.0"));
    assert_eq!(bind(v(2, 7, 0)), Some("localhost"));
    assert_eq!(Product::Tempo.endpoint(v(3, 0, 3), "query").map(|e| e.port), Some(3200));
    let jaeger = |version| Product::Jaeger.endpoint(version, "otlp-grpc").map(|e| e.default_bind);
    assert_eq!(jaeger(v(1, 58, 1)), Some("0.0.0.0"));
    assert_eq!(jaeger(v(1, 59, 0)), Some("localhost"));
    assert_eq!(jaeger(v(1, 60, 0)), Some("0.0.0.0"));
    assert_eq!(Product::Jaeger.endpoint(v(1, 76, 0), "metrics").map(|e| e.port), Some(14269));
    assert_eq!(Product::Jaeger.endpoint(v(2, 0, 0), "metrics").map(|e| e.port), Some(8888));
}

#[test]
fn options_by_version() {
    let loki = |version, path| Product::Loki.option(version, path);
    assert_eq!(loki(v(3, 7, 6), "server.http_listen_port").and_then(|o| o.default), Some(3100.into()));
    let metadata = "limits_config.allow_structured_metadata";
    assert_eq!(loki(v(2, 9, 0), metadata).and_then(|o| o.default), Some(false.into()));
    assert_eq!(loki(v(3, 0, 0), metadata).and_then(|o| o.default), Some(true.into()));
    assert!(loki(v(2, 9, 0), "compactor.shared_store").is_some());
    assert!(loki(v(3, 0, 0), "compactor.shared_store").is_none());
    assert!(loki(v(3, 0, 0), "no.such").is_none());
    // Through a group of settings that several blocks share.
    assert!(loki(v(3, 0, 0), "server.http_tls_config.cert_file").is_some());
    assert!(loki(v(3, 0, 0), "schema_config.configs[].store").is_some());
    assert!(loki(v(3, 0, 0), "schema_config.configs.0.store").is_some());
    let tempo = |version, path| Product::Tempo.option(version, path);
    assert_eq!(tempo(v(2, 7, 0), "server.http_listen_port").and_then(|o| o.default), Some(80.into()));
    assert_eq!(tempo(v(2, 8, 0), "server.http_listen_port").and_then(|o| o.default), Some(3200.into()));
    assert!(tempo(v(2, 10, 0), "ingester").is_some() && tempo(v(3, 0, 0), "ingester").is_none());
    let prometheus = |version, path| Product::Prometheus.option(version, path);
    assert_eq!(prometheus(v(3, 0, 0), "global.scrape_interval").and_then(|o| o.default), Some("1m".into()));
    assert!(prometheus(v(3, 0, 0), "scrape_configs[].job_name").is_some());
    assert!(prometheus(v(3, 0, 0), "scrape_configs.0.basic_auth").is_some());
    assert!(prometheus(v(3, 0, 0), "scrape_configs[].static_configs[].targets").is_some());
    assert!(prometheus(v(2, 42, 0), "scrape_config_files").is_none());
    assert!(prometheus(v(2, 43, 0), "scrape_config_files").is_some());
    assert!(prometheus(v(3, 0, 0), "scrape_configs[].job_nam").is_none());
}

#[test]
fn images_hold_what_their_dockerfiles_say() {
    for repository in [
        "otel/opentelemetry-collector",
        "otel/opentelemetry-collector-contrib",
        "docker.io/otel/opentelemetry-collector-k8s",
        "ghcr.io/open-telemetry/opentelemetry-collector-releases/opentelemetry-collector-contrib",
    ] {
        let facts = image_facts(repository, "0.158.0").expect(repository);
        assert!(!facts.has_shell && !facts.has_wget && !facts.has_curl, "{repository}");
        assert_eq!(facts.user_id, Some(10001));
        assert!(facts.builtin_health.is_none());
    }
    let loki = |tag| image_facts("grafana/loki", tag).expect(tag);
    assert!(loki("2.9.3").has_wget && loki("3.5.12").has_wget);
    assert!(!loki("3.6.0").has_wget && loki("3.6.0").builtin_health.is_none());
    assert_eq!(loki("3.7.6").builtin_health, Some(vec!["/usr/bin/loki", "-health"]));
    assert_eq!(loki("latest"), loki("3.7.6"));
    assert_eq!(loki("3.7.6").data_dir, Some("/loki"));
    let tempo = |tag| image_facts("grafana/tempo", tag).expect(tag);
    assert_eq!((tempo("2.4.2").data_dir, tempo("2.5.0").data_dir), (None, Some("/var/tempo")));
    assert_eq!((tempo("2.4.2").user_id, tempo("2.5.0").user_id), (Some(0), Some(10001)));
    assert!(tempo("2.9.2").has_wget && !tempo("2.9.3").has_wget);
    assert!(tempo("3.0.3").builtin_health.is_some());
    let prometheus = |tag| image_facts("prom/prometheus", tag).expect(tag);
    assert!(prometheus("v3.14.0").has_wget && !prometheus("v3.14.0").has_curl);
    assert!(!prometheus("v3.14.0-distroless").has_wget);
    assert_eq!(image_facts("quay.io/prometheus/prometheus", "v3.14.0"), Some(prometheus("v3.14.0")));
    assert!(image_facts("grafana/grafana", "11.4.0").expect("grafana").has_curl);
    assert!(image_facts("library/unknown", "1.0").is_none());
    for &product in Product::ALL {
        let image = product.image(product.newest());
        assert!(image_facts(image.repository, &image.tag).is_some(), "{image}");
        let image = product.image(product.oldest());
        assert!(image_facts(image.repository, &image.tag).is_some(), "{image}");
    }
}

#[test]
fn images_tell_what_runs() {
    let of = |repository: &str, tag: &str| running(repository, tag).map(|it| (it.product, it.version));
    for &product in Product::ALL {
        for version in [product.newest(), product.oldest()] {
            let image = product.image(version);
            assert_eq!(of(image.repository, &image.tag), Some((product, Some(version))), "{image}");
        }
    }
    assert_eq!(of("docker.io/grafana/grafana-oss", "11.2.0-ubuntu"), Some((Product::Grafana, Some(v(11, 2, 0)))));
    assert_eq!(of("quay.io/prometheus/prometheus", "latest"), Some((Product::Prometheus, None)));
    assert_eq!(of("example/loki", "3.0.0"), None);
    assert_eq!(of("haproxy", "2.9-alpine"), Some((Product::Haproxy, Some(v(2, 9, 0)))));
    assert_eq!(of("haproxytech/haproxy-alpine", "3.0.5"), Some((Product::Haproxy, Some(v(3, 0, 5)))));
    let haproxy = |tag| image_facts("haproxy", tag);
    assert!(haproxy("2.9").is_some_and(|it| it.has_shell && !it.has_wget));
    assert!(haproxy("2.9-alpine").is_some_and(|it| it.has_wget));
    assert!(haproxy("lts-alpine").is_some_and(|it| it.has_wget) && haproxy("alpine").is_some_and(|it| it.has_wget));
    assert!(haproxy("latest").is_some_and(|it| !it.has_wget) && haproxy("2.9-something").is_none());
    let k8s = running("otel/opentelemetry-collector-k8s", "0.158.0").expect("known");
    assert_eq!(k8s.distribution, Some(telstack_catalog::Distribution::K8s));
}
