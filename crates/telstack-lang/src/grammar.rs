//! The grammar: which words stand where, and what they take.
//!
//! One table serves the checker, its messages, the JSON Schema of stacks and the test that keeps docs/language.md
//! complete.

mod several;
mod workload;

use self::{
    several::{CLUSTER, CLUSTERS, ENV, EXPOSE, NAMESPACE, TEMPLATE, USE},
    workload::WORKLOAD,
};
pub(crate) use crate::form::{Args, Block, Form, Kind, Props};
use crate::{
    allocator::TARGET_ALLOCATOR,
    scrapes::{KUBE_STATE_METRICS, SCRAPE},
};

pub(crate) const PLAIN: Form = Form {
    word: "",
    args: Args::None,
    props: Props::Only(&[]),
    block: Block::None,
    needs: &[],
    spared: &[],
    later: &[],
    once: false,
    about: "",
    example: "",
};
const ONCE: Form = Form { once: true, ..PLAIN };

/// A file.
pub(crate) static FILE: Form = Form { block: Block::Words(&[&STACK, &LET, &INCLUDE]), needs: &[STACK.word], ..PLAIN };

pub(crate) static STACK: Form = Form {
    word: "stack",
    about: "The whole; its name becomes that of the compose project, or of the namespace.",
    args: Args::One(Kind::Name),
    block: Block::Words(&[
        &PLATFORM,
        &VERSIONS,
        &ENV,
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
        &LET,
        &INCLUDE,
    ]),
    needs: &["platform"],
    later: &["queue", "balancer", "mimir"],
    example: r#"stack "shop" { platform "compose"; loki }"#,
    ..PLAIN
};

static LET: Form = Form {
    word: "let",
    about: "Constants for the whole stack, put in with `{let: name}`.",
    args: Args::Some(Kind::Any),
    props: Props::Any(Kind::Any),
    example: r#"let keep "30d""#,
    ..PLAIN
};

pub(crate) static INCLUDE: Form = Form {
    word: "include",
    about: "Puts the lines of another file in its place; the path is relative to this file.",
    args: Args::One(Kind::Text),
    example: r#"include "stores.kdl""#,
    ..PLAIN
};

static PLATFORM: Form = Form {
    word: "platform",
    about: "Where the stack runs.",
    args: Args::One(Kind::Word(&["compose", "kubernetes"], &[])),
    block: Block::Words(&[
        &Form {
            word: "namespace",
            about: "The namespace of Kubernetes that everything is in; without it, one called like the stack.",
            args: Args::One(Kind::Name),
            example: r#"namespace "observability""#,
            ..ONCE
        },
        &Form {
            word: "storage-class",
            about: "The storage class of volumes; without it, what the cluster takes by itself.",
            args: Args::One(Kind::Text),
            example: r#"storage-class "ssd""#,
            ..ONCE
        },
        &Form {
            word: "network-policies",
            about: "Pods talk to those only that the stack joins them with.",
            props: Props::Only(&[("default", Kind::Word(&["allow", "deny"], &[]))]),
            example: r#"network-policies default="deny""#,
            ..ONCE
        },
        &Form {
            word: "via",
            about: "Who makes the pods of collectors: the OpenTelemetry operator, of resources that describe them.",
            args: Args::One(Kind::Word(&["operator"], &[])),
            example: r#"via "operator""#,
            ..ONCE
        },
    ]),
    example: r#"platform "compose""#,
    ..ONCE
};

/// Where a node is; `namespace` blocks say it of all that is in them.
const OWN_NAMESPACE: (&str, Kind) = ("namespace", Kind::Name);

static VERSIONS: Form = Form {
    word: "versions",
    about: "The releases that run; what is not named runs in the newest release that is known.",
    block: Block::Words(&[
        &Form {
            word: "otelcol",
            about: "The release and the distribution of the OpenTelemetry Collectors.",
            args: Args::One(Kind::Release),
            props: Props::Only(&[("distribution", Kind::Distribution)]),
            example: r#"otelcol "0.158.0" distribution="contrib""#,
            ..ONCE
        },
        &Form { word: "prometheus", example: r#"prometheus "3.14.0""#, ..PIN },
        &Form { word: "loki", example: r#"loki "3.7.6""#, ..PIN },
        &Form { word: "tempo", example: r#"tempo "2.10.8""#, ..PIN },
        &Form { word: "jaeger", example: r#"jaeger "2.20.0""#, ..PIN },
        &Form { word: "grafana", example: r#"grafana "13.0.1""#, ..PIN },
        &Form { word: "alertmanager", example: r#"alertmanager "0.32.0""#, ..PIN },
        &Form { word: "kube-state-metrics", example: r#"kube-state-metrics "2.20.0""#, ..PIN },
    ]),
    later: &["alloy", "mimir", "kafka", "haproxy"],
    example: r#"versions { otelcol "0.158.0" }"#,
    ..ONCE
};
const PIN: Form = Form { about: "The release that runs.", args: Args::One(Kind::Release), ..ONCE };

pub(crate) static COLLECTOR: Form = Form {
    word: "collector",
    about: "An OpenTelemetry Collector.",
    args: Args::One(Kind::Name),
    props: Props::Only(&[
        ("distribution", Kind::Distribution),
        ("version", Kind::Release),
        ("mode", Kind::Word(&["daemonset", "deployment", "sidecar", "statefulset"], &[])),
        ("replicas", Kind::Replicas),
        ("host", Kind::Word(&["macos"], &["linux", "windows"])),
        OWN_NAMESPACE,
        ("tolerations", Kind::Word(&["all", "none"], &[])),
    ]),
    block: Block::Words(&[
        &RESOURCES,
        &RECEIVER,
        &SCRAPE,
        &TARGET_ALLOCATOR,
        &PROCESSOR,
        &EXPORTER,
        &CONNECTOR,
        &EXTENSION,
        &PIPELINE,
        &DURABLE,
        &TELEMETRY,
        &TLS,
        &MOUNT,
        &USER,
        &EXPOSE,
    ]),
    needs: &["pipeline"],
    later: &["engine"],
    example: r#"collector "gateway" { … }"#,
    ..PLAIN
};

pub(crate) static RESOURCES: Form = Form {
    word: "resources",
    about: "The most processor time and memory that it gets; of a range, the lower end is kept for it.",
    props: Props::Only(&[("cpu", Kind::Cpu), ("memory", Kind::Bytes)]),
    example: r#"resources cpu=2 memory="2GiB""#,
    ..ONCE
};

const COMPONENT: Form = Form { args: Args::One(Kind::Id), props: Props::Settings, block: Block::Settings, ..PLAIN };
static RECEIVER: Form = Form {
    word: "receiver",
    about: "Brings data in; its settings are upstream's, word for word.",
    example: r#"receiver "otlp""#,
    ..COMPONENT
};
static PROCESSOR: Form = Form {
    word: "processor",
    about: "Changes or drops data; its settings are upstream's, word for word.",
    example: r#"processor "batch""#,
    ..COMPONENT
};
static EXPORTER: Form = Form {
    word: "exporter",
    about: "Sends data to what is neither a store nor an `external` of the stack; its settings are upstream's.",
    example: r#"exporter "debug""#,
    ..COMPONENT
};
static CONNECTOR: Form = Form {
    word: "connector",
    about: "Joins pipelines: an exporter of one and a receiver of another; its settings are upstream's.",
    example: r#"connector "span_metrics""#,
    ..COMPONENT
};
static EXTENSION: Form = Form {
    word: "extension",
    about: "Adds a service to the collector itself, and is switched on; its settings are upstream's.",
    example: r#"extension "health_check""#,
    ..COMPONENT
};

pub(crate) static PIPELINE: Form = Form {
    word: "pipeline",
    about: "One signal, from its sources to its ends; several signals make one pipeline each.",
    args: Args::Some(Kind::Signal),
    block: Block::Words(&[&FROM, &THROUGH, &TO]),
    needs: &["from", "to"],
    spared: &[("from", SCRAPE.word)],
    example: r#"pipeline "traces" { from "otlp"; to "tempo" }"#,
    ..PLAIN
};
static FROM: Form = Form {
    word: "from",
    about: "Receivers and connectors of this collector.",
    args: Args::Some(Kind::Mention),
    example: r#"from "otlp""#,
    ..PLAIN
};
static THROUGH: Form = Form {
    word: "through",
    about: "Processors, in this order; without it, all of the collector that can treat the signal.",
    args: Args::Some(Kind::Mention),
    example: r#"through "filter" "batch""#,
    ..ONCE
};
static TO: Form = Form {
    word: "to",
    about: "Exporters and connectors of this collector, stores, other collectors and externals.",
    args: Args::Some(Kind::Mention),
    props: Props::Only(&[
        ("protocol", Kind::Word(&["otlp", "otlp-grpc", "otlp-http", "remote-write", "loki"], &[])),
        ("tenant", Kind::Text),
    ]),
    example: r#"to "loki""#,
    ..PLAIN
};

static MOUNT: Form = Form {
    word: "mount",
    about: "A file, a folder or a socket of the host that the collector sees.",
    args: Args::One(Kind::HostPath),
    props: Props::Only(&[("to", Kind::InnerPath), ("writable", Kind::Truth)]),
    example: r#"mount "/var/log""#,
    ..PLAIN
};
static USER: Form = Form {
    word: "user",
    about: "Who the process runs as, by number: a user, or a user and a group.",
    args: Args::One(Kind::Text),
    example: r#"user "0""#,
    ..ONCE
};

static TELEMETRY: Form = Form {
    word: "telemetry",
    about: "What the collector says of itself, in upstream's words (`service.telemetry`).",
    block: Block::Settings,
    example: r#"telemetry { logs { encoding "json" } }"#,
    ..ONCE
};

static DURABLE: Form = Form {
    word: "durable",
    about: "Queues on disk: what is not delivered yet survives a restart.",
    props: Props::Only(&[
        ("queue_size", Kind::Count),
        ("give_up_after", Kind::Period),
        ("size", Kind::Bytes),
        ("storage-class", Kind::Text),
    ]),
    example: r#"durable queue_size=10000 give_up_after="5m""#,
    ..ONCE
};

static VOLUME: Form = Form {
    word: "volume",
    about: "How much the volumes hold that data is kept on, and their storage class.",
    props: Props::Only(&[("size", Kind::Bytes), ("storage-class", Kind::Text)]),
    example: r#"volume size="50GiB" storage-class="ssd""#,
    ..ONCE
};
pub(crate) const STORE: Form = Form { args: Args::Maybe(Kind::Name), props: Props::Only(&[OWN_NAMESPACE]), ..PLAIN };
static PROMETHEUS: Form = Form {
    word: "prometheus",
    about: "A Prometheus, which keeps metrics.",
    block: Block::Words(&[
        &Form {
            word: "retention",
            about: "How long, and how much, data is kept.",
            args: Args::One(Kind::Period),
            props: Props::Only(&[("size", Kind::Bytes)]),
            example: r#"retention "30d" size="40GB""#,
            ..ONCE
        },
        &Form {
            word: "size",
            about: "How much is kept at most.",
            args: Args::One(Kind::Bytes),
            example: r#"size "40GB""#,
            ..ONCE
        },
        &Form {
            word: "scrape_interval",
            about: "How often it scrapes.",
            args: Args::One(Kind::Period),
            example: r#"scrape_interval "15s""#,
            ..ONCE
        },
        &Form {
            word: "external_labels",
            about: "Labels for everything that leaves it.",
            props: Props::Any(Kind::Text),
            example: r#"external_labels cluster="eu-1""#,
            ..ONCE
        },
        &Form {
            word: "flag",
            about: "Command line flags: `name` or `name=value`.",
            args: Args::Some(Kind::Text),
            example: r#"flag "web.enable-lifecycle""#,
            ..PLAIN
        },
        &TLS,
        &VOLUME,
        &RESOURCES,
    ]),
    example: r#"prometheus "prometheus" { retention "30d" size="40GB" }"#,
    ..STORE
};
static LOKI: Form = Form {
    word: "loki",
    about: "A Loki, which keeps logs.",
    block: Block::Words(&[&RETENTION, &TENANT, &TLS, &VOLUME, &RESOURCES]),
    example: r#"loki "loki" { retention "31d" }"#,
    ..STORE
};
static TEMPO: Form = Form {
    word: "tempo",
    about: "A Tempo, which keeps traces.",
    block: Block::Words(&[&RETENTION, &TENANT, &TLS, &VOLUME, &RESOURCES]),
    example: r#"tempo "tempo" { retention "14d" }"#,
    ..STORE
};
static JAEGER: Form = Form {
    word: "jaeger",
    about: "A Jaeger, which keeps traces.",
    block: Block::Words(&[
        &RETENTION,
        &Form {
            word: "storage",
            about: "Where spans are kept.",
            args: Args::One(Kind::Word(&["badger", "memory"], &[])),
            example: r#"storage "badger""#,
            ..ONCE
        },
        &TLS,
        &VOLUME,
        &RESOURCES,
    ]),
    example: r#"jaeger "jaeger" { retention "30d" }"#,
    ..STORE
};
static RETENTION: Form = Form {
    word: "retention",
    about: "How long data is kept.",
    args: Args::One(Kind::Period),
    example: r#"retention "30d""#,
    ..ONCE
};
static TENANT: Form = Form {
    word: "tenant",
    about: "Tenants are told apart; writers and readers name this one.",
    args: Args::One(Kind::Text),
    example: r#"tenant "acme""#,
    ..ONCE
};
static TLS: Form = Form {
    word: "tls",
    about: "Its listeners are encrypted, with this certificate, its key and the authority that made it out.",
    props: Props::Only(&[("cert", Kind::Text), ("key", Kind::Text), ("ca", Kind::Text)]),
    needs: &["cert", "key", "ca"],
    example: r#"tls cert="./certs/loki.pem" key="./certs/loki-key.pem" ca="./certs/ca.pem""#,
    ..ONCE
};

static GRAFANA: Form = Form {
    word: "grafana",
    about: "A Grafana, which shows what the stores keep.",
    block: Block::Words(&[
        &Form {
            word: "reads",
            about: "The stores that it gets data sources for; without it, every store of the stack.",
            args: Args::Some(Kind::Mention),
            example: r#"reads "prometheus" "loki""#,
            ..PLAIN
        },
        &Form {
            word: "admin_user",
            about: "The administrator's name.",
            args: Args::One(Kind::Text),
            example: r#"admin_user "ops""#,
            ..ONCE
        },
        &Form {
            word: "admin_password",
            about: "The administrator's password.",
            args: Args::One(Kind::Secret),
            example: r#"admin_password (secret)"grafana/admin-password""#,
            ..ONCE
        },
        &VOLUME,
        &RESOURCES,
    ]),
    example: r#"grafana "grafana" { reads "prometheus" }"#,
    ..STORE
};
static ALERTMANAGER: Form = Form {
    word: "alertmanager",
    about: "An Alertmanager, which every Prometheus and Loki of the stack sends its alerts to.",
    block: Block::Words(&[
        &Form {
            word: "webhook",
            about: "Where alerts are posted.",
            args: Args::One(Kind::Url),
            example: r#"webhook "http://pager.example.com/alerts""#,
            ..PLAIN
        },
        &Form {
            word: "repeat_interval",
            about: "When it says the same again.",
            args: Args::One(Kind::Period),
            example: r#"repeat_interval "4h""#,
            ..ONCE
        },
        &VOLUME,
        &RESOURCES,
    ]),
    example: r#"alertmanager "alertmanager" { webhook "http://pager.example.com/alerts" }"#,
    ..STORE
};

static EXTERNAL: Form = Form {
    word: "external",
    about: "Something that is not this stack's to run, and how it is reached.",
    args: Args::One(Kind::Name),
    block: Block::Words(&[
        &Form {
            word: "otlp",
            about: "OTLP, over HTTP to a URL, over gRPC to `host:port`; further keys are settings of the exporter.",
            props: Props::Only(&[("endpoint", Kind::Address), ("token", Kind::Secret)]),
            example: r#"otlp endpoint="https://otlp.example.com" token=(secret)"otlp/token""#,
            ..ENDPOINT
        },
        &Form {
            word: "otlp_grpc",
            about: "OTLP over gRPC; further keys are settings of the exporter.",
            props: Props::Only(&[("endpoint", Kind::Address), ("token", Kind::Secret)]),
            example: r#"otlp_grpc endpoint="otlp.example.com:4317""#,
            ..ENDPOINT
        },
        &Form {
            word: "otlp_http",
            about: "OTLP over HTTP; further keys are settings of the exporter.",
            props: Props::Only(&[("endpoint", Kind::Url), ("token", Kind::Secret)]),
            example: r#"otlp_http endpoint="https://otlp.example.com""#,
            ..ENDPOINT
        },
        &Form {
            word: "prometheus_remote_write",
            about: "Prometheus remote write, for metrics; further keys are settings of the exporter.",
            props: Props::Only(&[("endpoint", Kind::Url), ("token", Kind::Secret)]),
            example: r#"prometheus_remote_write endpoint="https://metrics.example.com/api/v1/write""#,
            ..ENDPOINT
        },
        &Form {
            word: "splunk_hec",
            about: "Splunk's HTTP event collector; further keys are settings of the exporter.",
            props: Props::Only(&[("endpoint", Kind::Url), ("token", Kind::Secret), ("index", Kind::Text)]),
            needs: &["endpoint", "token"],
            example: r#"splunk_hec endpoint="https://splunk.example.com:8088" token=(secret)"splunk/token""#,
            ..ENDPOINT
        },
        &Form {
            word: "datadog",
            about: "Datadog; further keys are settings of the exporter.",
            props: Props::Only(&[("site", Kind::Text), ("key", Kind::Secret)]),
            needs: &["site", "key"],
            example: r#"datadog site="datadoghq.com" key=(secret)"datadog/api-key""#,
            ..ENDPOINT
        },
        &Form {
            word: "zipkin",
            about: "Zipkin, for traces; further keys are settings of the exporter.",
            props: Props::Only(&[("endpoint", Kind::Url)]),
            example: r#"zipkin endpoint="http://zipkin.example.com:9411/api/v2/spans""#,
            ..ENDPOINT
        },
    ]),
    example: r#"external "cloud" { otlp endpoint="https://otlp.example.com" }"#,
    ..PLAIN
};
const ENDPOINT: Form = Form { block: Block::Settings, needs: &["endpoint"], once: true, ..PLAIN };

/// The words in whose blocks `word` stands; the empty word is the file.
pub(crate) fn places_of(word: &str) -> Vec<&'static str> {
    fn walk(form: &'static Form, word: &str, found: &mut Vec<&'static str>) {
        if form.child(word).is_some() && !found.contains(&form.word) {
            found.push(form.word);
        }
        for child in form.words() {
            walk(child, word, found);
        }
    }
    let mut found = Vec::new();
    walk(&FILE, word, &mut found);
    found
}
