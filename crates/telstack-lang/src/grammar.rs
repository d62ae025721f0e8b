//! The grammar: which words stand where, and what they take.
//!
//! One table serves the checker, its messages and the test that keeps docs/language.md complete.

use telstack_syntax::stack::Words;

/// What a value may be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    /// The name of a node: it becomes a host, service and file name.
    Name,
    /// A component id: `otlp`, `otlp/internal`.
    Id,
    /// A name that is declared elsewhere.
    Mention,
    /// A pipeline id: `traces`, `traces/sampled`.
    Signal,
    /// Any text but the empty one.
    Text,
    /// A length of time.
    Period,
    /// An amount of memory or disk, or a range of it.
    Bytes,
    /// A share of processor time, or a range of it.
    Cpu,
    /// A whole number above zero.
    Count,
    /// A release: `0.158.0`.
    Release,
    /// A collector distribution.
    Distribution,
    /// One of these words; those of the second list are for later releases.
    Word(&'static [&'static str], &'static [&'static str]),
    /// A text or a reference to a secret.
    Secret,
    /// `http://…` or `https://…`.
    Url,
    /// A URL, or `host:port`.
    Address,
    /// A file or folder of the host.
    HostPath,
    /// A path inside a container, from its root.
    InnerPath,
    /// `#true` or `#false`.
    Truth,
    /// Any scalar.
    Any,
}

/// How many values a word takes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Args {
    /// None.
    None,
    /// Exactly one.
    One(Kind),
    /// One or none.
    Maybe(Kind),
    /// One or more.
    Some(Kind),
}

/// What a word's block holds.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Block {
    /// It takes no block.
    None,
    /// These words.
    Words(&'static [&'static Form]),
    /// Settings in upstream's words.
    Settings,
}

/// Properties that a word takes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Props {
    /// These.
    Only(&'static [(&'static str, Kind)]),
    /// Any, with values of one kind.
    Any(Kind),
    /// They are settings in upstream's words.
    Settings,
}

/// A word: what it takes, and how it is written.
#[derive(Debug)]
pub(crate) struct Form {
    /// The word.
    pub word: &'static str,
    /// Its values.
    pub args: Args,
    /// Its properties.
    pub props: Props,
    /// Its block.
    pub block: Block,
    /// Words or properties that it must have.
    pub needs: &'static [&'static str],
    /// Words and properties of later releases.
    pub later: &'static [&'static str],
    /// May it stand only once in its block?
    pub once: bool,
    /// How it is written, for help texts.
    pub example: &'static str,
}

const PLAIN: Form = Form {
    word: "",
    args: Args::None,
    props: Props::Only(&[]),
    block: Block::None,
    needs: &[],
    later: &[],
    once: false,
    example: "",
};
const ONCE: Form = Form { once: true, ..PLAIN };

/// A file.
pub(crate) static FILE: Form = Form { block: Block::Words(&[&STACK, &LET, &INCLUDE]), ..PLAIN };

pub(crate) static STACK: Form = Form {
    word: "stack",
    args: Args::One(Kind::Name),
    block: Block::Words(&[
        &PLATFORM,
        &VERSIONS,
        &COLLECTOR,
        &PROMETHEUS,
        &LOKI,
        &TEMPO,
        &JAEGER,
        &GRAFANA,
        &ALERTMANAGER,
        &EXTERNAL,
        &LET,
        &INCLUDE,
    ]),
    needs: &["platform"],
    later: &[
        "cluster",
        "clusters",
        "template",
        "use",
        "env",
        "workload",
        "queue",
        "balancer",
        "namespace",
        "kube-state-metrics",
        "mimir",
    ],
    example: r#"stack "shop" { platform "compose"; loki }"#,
    ..PLAIN
};

static LET: Form = Form {
    word: "let",
    args: Args::Some(Kind::Any),
    props: Props::Any(Kind::Any),
    example: r#"let keep "30d""#,
    ..PLAIN
};

static INCLUDE: Form =
    Form { word: "include", args: Args::One(Kind::Text), example: r#"include "stores.kdl""#, ..PLAIN };

static PLATFORM: Form = Form {
    word: "platform",
    args: Args::One(Kind::Word(&["compose"], &["kubernetes"])),
    example: r#"platform "compose""#,
    ..ONCE
};

static VERSIONS: Form = Form {
    word: "versions",
    block: Block::Words(&[
        &Form {
            word: "otelcol",
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
    ]),
    later: &["alloy", "mimir", "kafka", "haproxy"],
    example: r#"versions { otelcol "0.158.0" }"#,
    ..ONCE
};
const PIN: Form = Form { args: Args::One(Kind::Release), ..ONCE };

static COLLECTOR: Form = Form {
    word: "collector",
    args: Args::One(Kind::Name),
    props: Props::Only(&[("distribution", Kind::Distribution), ("version", Kind::Release)]),
    block: Block::Words(&[
        &RESOURCES, &RECEIVER, &PROCESSOR, &EXPORTER, &CONNECTOR, &EXTENSION, &PIPELINE, &DURABLE, &TELEMETRY, &TLS,
        &MOUNT, &USER,
    ]),
    needs: &["pipeline"],
    later: &["replicas", "mode", "engine", "expose", "scrape"],
    example: r#"collector "gateway" { … }"#,
    ..PLAIN
};

static RESOURCES: Form = Form {
    word: "resources",
    props: Props::Only(&[("cpu", Kind::Cpu), ("memory", Kind::Bytes)]),
    example: r#"resources cpu=2 memory="2GiB""#,
    ..ONCE
};

const COMPONENT: Form =
    Form { args: Args::One(Kind::Id), props: Props::Settings, block: Block::Settings, later: &["preset"], ..PLAIN };
static RECEIVER: Form = Form { word: "receiver", example: r#"receiver "otlp""#, ..COMPONENT };
static PROCESSOR: Form = Form { word: "processor", example: r#"processor "batch""#, ..COMPONENT };
static EXPORTER: Form = Form { word: "exporter", example: r#"exporter "debug""#, ..COMPONENT };
static CONNECTOR: Form = Form { word: "connector", example: r#"connector "span_metrics""#, ..COMPONENT };
static EXTENSION: Form = Form { word: "extension", example: r#"extension "health_check""#, ..COMPONENT };

static PIPELINE: Form = Form {
    word: "pipeline",
    args: Args::Some(Kind::Signal),
    block: Block::Words(&[&FROM, &THROUGH, &TO]),
    needs: &["from", "to"],
    example: r#"pipeline "traces" { from "otlp"; to "tempo" }"#,
    ..PLAIN
};
static FROM: Form = Form { word: "from", args: Args::Some(Kind::Mention), example: r#"from "otlp""#, ..PLAIN };
static THROUGH: Form =
    Form { word: "through", args: Args::Some(Kind::Mention), example: r#"through "filter" "batch""#, ..ONCE };
static TO: Form = Form {
    word: "to",
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
    args: Args::One(Kind::HostPath),
    props: Props::Only(&[("to", Kind::InnerPath), ("writable", Kind::Truth)]),
    example: r#"mount "/var/log""#,
    ..PLAIN
};
static USER: Form = Form { word: "user", args: Args::One(Kind::Text), example: r#"user "0""#, ..ONCE };

static TELEMETRY: Form =
    Form { word: "telemetry", block: Block::Settings, example: r#"telemetry { logs { encoding "json" } }"#, ..ONCE };

static DURABLE: Form = Form {
    word: "durable",
    props: Props::Only(&[("queue_size", Kind::Count), ("give_up_after", Kind::Period)]),
    later: &["size"],
    example: r#"durable queue_size=10000 give_up_after="5m""#,
    ..ONCE
};

const STORE: Form = Form { args: Args::Maybe(Kind::Name), ..PLAIN };
static PROMETHEUS: Form = Form {
    word: "prometheus",
    block: Block::Words(&[
        &Form {
            word: "retention",
            args: Args::One(Kind::Period),
            props: Props::Only(&[("size", Kind::Bytes)]),
            example: r#"retention "30d" size="40GB""#,
            ..ONCE
        },
        &Form { word: "size", args: Args::One(Kind::Bytes), example: r#"size "40GB""#, ..ONCE },
        &Form { word: "scrape_interval", args: Args::One(Kind::Period), example: r#"scrape_interval "15s""#, ..ONCE },
        &Form {
            word: "external_labels",
            props: Props::Any(Kind::Text),
            example: r#"external_labels cluster="eu-1""#,
            ..ONCE
        },
        &Form { word: "flag", args: Args::Some(Kind::Text), example: r#"flag "web.enable-lifecycle""#, ..PLAIN },
        &TLS,
        &RESOURCES,
    ]),
    example: r#"prometheus "prometheus" { retention "30d" size="40GB" }"#,
    ..STORE
};
static LOKI: Form = Form {
    word: "loki",
    block: Block::Words(&[&RETENTION, &TENANT, &TLS, &RESOURCES]),
    example: r#"loki "loki" { retention "31d" }"#,
    ..STORE
};
static TEMPO: Form = Form {
    word: "tempo",
    block: Block::Words(&[&RETENTION, &TENANT, &TLS, &RESOURCES]),
    example: r#"tempo "tempo" { retention "14d" }"#,
    ..STORE
};
static JAEGER: Form = Form {
    word: "jaeger",
    block: Block::Words(&[
        &RETENTION,
        &Form {
            word: "storage",
            args: Args::One(Kind::Word(&["badger", "memory"], &[])),
            example: r#"storage "badger""#,
            ..ONCE
        },
        &TLS,
        &RESOURCES,
    ]),
    example: r#"jaeger "jaeger" { retention "30d" }"#,
    ..STORE
};
static RETENTION: Form =
    Form { word: "retention", args: Args::One(Kind::Period), example: r#"retention "30d""#, ..ONCE };
static TENANT: Form = Form { word: "tenant", args: Args::One(Kind::Text), example: r#"tenant "acme""#, ..ONCE };
static TLS: Form = Form {
    word: "tls",
    props: Props::Only(&[("cert", Kind::Text), ("key", Kind::Text), ("ca", Kind::Text)]),
    needs: &["cert", "key", "ca"],
    example: r#"tls cert="./certs/loki.pem" key="./certs/loki-key.pem" ca="./certs/ca.pem""#,
    ..ONCE
};

static GRAFANA: Form = Form {
    word: "grafana",
    block: Block::Words(&[
        &Form { word: "reads", args: Args::Some(Kind::Mention), example: r#"reads "prometheus" "loki""#, ..PLAIN },
        &Form { word: "admin_user", args: Args::One(Kind::Text), example: r#"admin_user "ops""#, ..ONCE },
        &Form {
            word: "admin_password",
            args: Args::One(Kind::Secret),
            example: r#"admin_password (secret)"grafana/admin-password""#,
            ..ONCE
        },
        &RESOURCES,
    ]),
    example: r#"grafana "grafana" { reads "prometheus" }"#,
    ..STORE
};
static ALERTMANAGER: Form = Form {
    word: "alertmanager",
    block: Block::Words(&[
        &Form {
            word: "webhook",
            args: Args::One(Kind::Url),
            example: r#"webhook "http://pager.example.com/alerts""#,
            ..PLAIN
        },
        &Form { word: "repeat_interval", args: Args::One(Kind::Period), example: r#"repeat_interval "4h""#, ..ONCE },
        &RESOURCES,
    ]),
    example: r#"alertmanager "alertmanager" { webhook "http://pager.example.com/alerts" }"#,
    ..STORE
};

static EXTERNAL: Form = Form {
    word: "external",
    args: Args::One(Kind::Name),
    block: Block::Words(&[
        &Form {
            word: "otlp",
            props: Props::Only(&[("endpoint", Kind::Address), ("token", Kind::Secret)]),
            example: r#"otlp endpoint="https://otlp.example.com" token=(secret)"otlp/token""#,
            ..ENDPOINT
        },
        &Form {
            word: "otlp_grpc",
            props: Props::Only(&[("endpoint", Kind::Address), ("token", Kind::Secret)]),
            example: r#"otlp_grpc endpoint="otlp.example.com:4317""#,
            ..ENDPOINT
        },
        &Form {
            word: "otlp_http",
            props: Props::Only(&[("endpoint", Kind::Url), ("token", Kind::Secret)]),
            example: r#"otlp_http endpoint="https://otlp.example.com""#,
            ..ENDPOINT
        },
        &Form {
            word: "prometheus_remote_write",
            props: Props::Only(&[("endpoint", Kind::Url), ("token", Kind::Secret)]),
            example: r#"prometheus_remote_write endpoint="https://metrics.example.com/api/v1/write""#,
            ..ENDPOINT
        },
        &Form {
            word: "splunk_hec",
            props: Props::Only(&[("endpoint", Kind::Url), ("token", Kind::Secret), ("index", Kind::Text)]),
            needs: &["endpoint", "token"],
            example: r#"splunk_hec endpoint="https://splunk.example.com:8088" token=(secret)"splunk/token""#,
            ..ENDPOINT
        },
        &Form {
            word: "datadog",
            props: Props::Only(&[("site", Kind::Text), ("key", Kind::Secret)]),
            needs: &["site", "key"],
            example: r#"datadog site="datadoghq.com" key=(secret)"datadog/api-key""#,
            ..ENDPOINT
        },
        &Form {
            word: "zipkin",
            props: Props::Only(&[("endpoint", Kind::Url)]),
            example: r#"zipkin endpoint="http://zipkin.example.com:9411/api/v2/spans""#,
            ..ENDPOINT
        },
    ]),
    example: r#"external "cloud" { otlp endpoint="https://otlp.example.com" }"#,
    ..PLAIN
};
const ENDPOINT: Form = Form { block: Block::Settings, needs: &["endpoint"], once: true, ..PLAIN };

impl Form {
    /// The words of its block; none if it has no such block.
    pub(crate) fn words(&self) -> &'static [&'static Form] {
        match self.block {
            Block::Words(words) => words,
            Block::None | Block::Settings => &[],
        }
    }

    /// The form of a word in its block.
    pub(crate) fn child(&self, word: &str) -> Option<&'static Form> {
        self.words().iter().find(|form| form.word == word).copied()
    }
}

impl Words for Form {
    fn child(&self, word: &str) -> Option<&dyn Words> {
        Form::child(self, word).map(|form| form as &dyn Words)
    }

    fn is_named(&self) -> bool {
        let name =
            matches!(self.args, Args::One(Kind::Name | Kind::Id) | Args::Maybe(Kind::Name) | Args::Some(Kind::Signal));
        name && !matches!(self.block, Block::None)
    }

    fn may_be_nameless(&self) -> bool {
        matches!(self.args, Args::Maybe(_))
    }

    fn takes_several(&self) -> bool {
        matches!(self.args, Args::Some(_))
    }

    fn takes_one(&self) -> bool {
        matches!(self.args, Args::One(_) | Args::Maybe(_))
    }

    fn has_property(&self, key: &str) -> bool {
        match self.props {
            Props::Only(known) => known.iter().any(|it| it.0 == key),
            Props::Any(_) => true,
            Props::Settings => false,
        }
    }

    fn has_settings(&self) -> bool {
        matches!(self.block, Block::Settings)
    }
}

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
