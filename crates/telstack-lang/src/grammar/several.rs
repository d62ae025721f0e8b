//! Words by which one stack is several: environments, clusters, templates.

use super::{
    ALERTMANAGER, Args, Block, COLLECTOR, EXTERNAL, Form, GRAFANA, JAEGER, KUBE_STATE_METRICS, Kind, LOKI, ONCE, PLAIN,
    PLATFORM, PROMETHEUS, Props, TEMPO, VERSIONS, WORKLOAD,
};

/// The words that say what runs in one cluster.
const OF_A_CLUSTER: &[&Form] = &[
    &VERSIONS,
    &USE,
    &NAMESPACE,
    &COLLECTOR,
    &PROMETHEUS,
    &LOKI,
    &TEMPO,
    &JAEGER,
    &GRAFANA,
    &ALERTMANAGER,
    &KUBE_STATE_METRICS,
    &EXTERNAL,
    &WORKLOAD,
];

pub(super) static ENV: Form = Form {
    word: "env",
    about: "An environment, with what is different there; each is compiled to a folder of its own.",
    args: Args::One(Kind::Name),
    block: Block::Words(&[
        &PLATFORM,
        &VERSIONS,
        &TEMPLATE,
        &CLUSTER,
        &CLUSTERS,
        &USE,
        &NAMESPACE,
        &COLLECTOR,
        &PROMETHEUS,
        &LOKI,
        &TEMPO,
        &JAEGER,
        &GRAFANA,
        &ALERTMANAGER,
        &KUBE_STATE_METRICS,
        &EXTERNAL,
        &WORKLOAD,
    ]),
    example: r#"env "prod" { collector "gateway" replicas=3 }"#,
    ..PLAIN
};

pub(super) static CLUSTER: Form = Form {
    word: "cluster",
    about: "One of several clusters, with what runs in it; its properties are what `(cluster)\"key\"` stands for.",
    args: Args::One(Kind::Name),
    props: Props::Any(Kind::Any),
    block: Block::Words(OF_A_CLUSTER),
    example: r#"cluster "hub" role="hub" { use "observed" }"#,
    ..PLAIN
};

pub(super) static CLUSTERS: Form = Form {
    word: "clusters",
    about: "A cluster for each row of a CSV file; its columns are what `(cluster)\"key\"` stands for, `name` among them.",
    props: Props::Only(&[("from", Kind::Text)]),
    block: Block::Words(OF_A_CLUSTER),
    needs: &["from"],
    example: r#"clusters from="fleet.csv" { use "observed" }"#,
    ..PLAIN
};

pub(super) static TEMPLATE: Form = Form {
    word: "template",
    about: "Lines for each cluster that uses them; its properties are parameters, `(param)\"key\"`, with what they are \
            where nobody says.",
    args: Args::One(Kind::Name),
    props: Props::Any(Kind::Any),
    block: Block::Words(OF_A_CLUSTER),
    example: r#"template "observed" interval="30s" { loki }"#,
    ..PLAIN
};

pub(super) static USE: Form = Form {
    word: "use",
    about: "Puts the lines of a template in its place, with these parameters.",
    args: Args::One(Kind::Name),
    props: Props::Any(Kind::Any),
    example: r#"use "observed" interval="10s""#,
    ..PLAIN
};

pub(super) static NAMESPACE: Form = Form {
    word: "namespace",
    about: "The namespace of Kubernetes of all that is in its block; without one, of all beside it.",
    args: Args::One(Kind::Name),
    block: Block::Words(&[
        &USE,
        &COLLECTOR,
        &PROMETHEUS,
        &LOKI,
        &TEMPO,
        &JAEGER,
        &GRAFANA,
        &ALERTMANAGER,
        &KUBE_STATE_METRICS,
        &WORKLOAD,
    ]),
    example: r#"namespace "monitoring" { loki }"#,
    ..PLAIN
};

pub(super) static EXPOSE: Form = Form {
    word: "expose",
    about: "Lets what is outside of the cluster send to it, at this host name; encrypted, unless `tls=\"off\"`.",
    args: Args::One(Kind::Word(&["load-balancer"], &["ingress", "node-port"])),
    props: Props::Only(&[
        ("host", Kind::Text),
        ("tls", Kind::Word(&["on", "mutual", "off"], &[])),
        ("issuer", Kind::Name),
    ]),
    needs: &["host"],
    example: r#"expose "load-balancer" host="otlp.example.com""#,
    ..ONCE
};
