//! Stores: what of their configuration the System knows. The tool modules turn it into files.

use telstack_catalog::product::Product;

use crate::{
    model::{
        link::{Dial, Purpose},
        tls::ServerTls,
    },
    origin::{Origin, Settings, Sourced, Value},
    units::{Bytes, Period},
};

/// Prometheus, Loki, Tempo, Mimir or Jaeger.
#[derive(Clone, Debug)]
pub struct Store {
    /// How long data is kept.
    pub retention: Option<Sourced<Period>>,
    /// How much data is kept at most.
    pub size: Option<Sourced<Bytes>>,
    /// The tenant that writers and readers name; multi-tenancy is on where there is one.
    pub tenant: Option<Sourced<String>>,
    /// Are tenants told apart, as its configuration says? In a stack it follows from `tenant`.
    pub multi_tenant: Option<Sourced<bool>>,
    /// The certificate that its listeners answer with; in plain text where there is none.
    pub tls: Option<ServerTls>,
    /// How many of the processes that keep data each piece of it goes to, as its configuration or its own default
    /// says. Not known of a stack.
    pub replication: Option<Sourced<u64>>,
    /// What says that each process keeps the ring in its own memory, where no other finds it. Not known of a stack.
    pub ring_alone: Option<Origin>,
    /// What says that it keeps data on a disk of its own, not in a store that several can share. Not known of a stack.
    pub local: Option<Origin>,
    /// How large a message its gRPC servers take, in MiB; their own default where nobody needs more.
    pub max_message: Option<Sourced<u64>>,
    /// Where its data is, inside the container.
    pub data_path: Option<Sourced<String>>,
    /// What only this product has.
    pub facet: StoreFacet,
}

/// What only one product has.
#[derive(Clone, Debug)]
pub enum StoreFacet {
    /// Prometheus.
    Prometheus(PrometheusFacet),
    /// Loki.
    Loki(LokiFacet),
    /// Tempo. Its receivers are the node's listeners.
    Tempo(TempoFacet),
    /// Mimir. The stack language has no word for it: it is only ever read.
    Mimir(MimirFacet),
    /// Jaeger.
    Jaeger(Option<Sourced<JaegerStorage>>),
}

/// Prometheus beyond what all stores have.
#[derive(Clone, Debug, Default)]
pub struct PrometheusFacet {
    /// Command line flags, without dashes.
    pub flags: Vec<Flag>,
    /// `global.scrape_interval`.
    pub scrape_interval: Option<Sourced<Period>>,
    /// `global.external_labels`.
    pub external_labels: Settings,
    /// Scrape jobs.
    pub jobs: Vec<ScrapeJob>,
    /// Alert rules, grouped by the tool.
    pub alerts: Vec<AlertRule>,
    /// Series that rules record. A stack has none.
    pub recorded: Vec<Recorded>,
    /// How much older than the newest a sample may be, as its configuration says; none where it is not known to say
    /// anything.
    pub out_of_order: Option<Sourced<Period>>,
    /// Files that it is told to read beside its configuration. Not known of a stack.
    pub named_files: Vec<NamedFiles>,
    /// Does its configuration say whom alerts are sent to? None where nobody knows.
    pub sends_alerts: Option<bool>,
    /// What it dials at `localhost`: what it scrapes, and who is told of alerts.
    pub dials_home: Vec<(Purpose, Dial)>,
}

/// Files that a program is told to read beside its configuration.
#[derive(Clone, PartialEq, Debug)]
pub struct NamedFiles {
    /// The setting that names them.
    pub setting: &'static str,
    /// Their path inside the container; it may hold `*` and the like.
    pub path: Sourced<String>,
    /// Is any of them there? None where nobody knows.
    pub there: Option<bool>,
    /// May something write them while it runs?
    pub comes_later: bool,
}

/// A command line flag.
#[derive(Clone, PartialEq, Debug)]
pub struct Flag {
    /// Without dashes: `web.enable-remote-write-receiver`.
    pub name: String,
    /// Its value, if it takes one.
    pub value: Option<String>,
    /// What sets it.
    pub origin: Origin,
}

/// A scrape job.
#[derive(Clone, PartialEq, Debug)]
pub struct ScrapeJob {
    /// `job_name`.
    pub name: String,
    /// Where its name stands, if somebody wrote one.
    pub named: Option<Origin>,
    /// `host:port` of each target that is written out.
    pub targets: Vec<Sourced<String>>,
    /// `metrics_path`; `/metrics` is not written.
    pub path: String,
    /// Why the target's own `job` and `instance` are kept; none where those of the scrape hold.
    pub honor_labels: Option<Origin>,
    /// The file with the authority that the target's certificate is checked against; plain text without.
    pub ca: Option<Sourced<String>>,
    /// How it finds its targets by the API of the cluster: settings, word for word.
    pub discovery: Settings,
    /// What makes it.
    pub origin: Origin,
}

impl ScrapeJob {
    /// Where it finds targets by the API of the cluster, as a job's settings say it; none where they are written out.
    pub fn settings(&self) -> Option<Value> {
        let found = !self.discovery.is_empty();
        found.then(|| Value {
            kind: telstack_syntax::tree::Kind::Map(self.discovery.clone()),
            mark: self.origin.clone(),
        })
    }
}

/// An alert rule.
#[derive(Clone, PartialEq, Debug)]
pub struct AlertRule {
    /// The group it is written in.
    pub group: String,
    /// `alert`.
    pub name: String,
    /// `PromQL`.
    pub expr: Sourced<String>,
    /// How long it must hold.
    pub hold: Period,
    /// The label `severity`.
    pub severity: String,
    /// One line for the notification.
    pub summary: String,
    /// What it means and what to do.
    pub description: String,
    /// What makes it.
    pub origin: Origin,
}

/// A series that a rule records.
#[derive(Clone, PartialEq, Debug)]
pub struct Recorded {
    /// `record`.
    pub name: String,
    /// `PromQL`.
    pub expr: Sourced<String>,
}

/// Loki beyond what all stores have.
#[derive(Clone, Debug, Default)]
pub struct LokiFacet {
    /// `schema_config.configs`.
    pub schema: Vec<SchemaPeriod>,
    /// `compactor.retention_enabled`.
    pub retention_enabled: Option<Sourced<bool>>,
    /// `compactor.delete_request_store`.
    pub delete_request_store: Option<Sourced<String>>,
    /// `limits_config.allow_structured_metadata`; none is the version's default.
    pub structured_metadata: Option<Sourced<bool>>,
    /// Alerts that its ruler evaluates, of files. Not known of a stack.
    pub alerts: Vec<AlertRule>,
    /// Is the ruler told whom to send alerts to? None where that may be said elsewhere.
    pub sends_alerts: Option<bool>,
}

/// Mimir beyond what all stores have.
#[derive(Clone, Debug, Default)]
pub struct MimirFacet {
    /// How much older than the newest a sample may be, as `limits` say; none where they say nothing.
    pub out_of_order: Option<Sourced<Period>>,
    /// Are samples of replicas told apart, so that one of them is kept? None where another file may say so.
    pub dedupes: Option<Sourced<bool>>,
    /// The folder of what is in no block yet: that of its ingester.
    pub head_path: Option<Sourced<String>>,
}

/// Tempo beyond what all stores have.
#[derive(Clone, Debug, Default)]
pub struct TempoFacet {
    /// The part that makes metrics of spans, if its configuration sets it up.
    pub generator: Option<MetricsGenerator>,
}

/// The part of Tempo that makes metrics of spans.
#[derive(Clone, Debug)]
pub struct MetricsGenerator {
    /// Does it have somewhere to send them?
    pub has_target: bool,
    /// Is there a place where it is to keep what it has not sent?
    pub has_storage: bool,
    /// Is any of its processors switched on for every tenant? None where another file may say so.
    pub active: Option<bool>,
    /// What sets it up.
    pub origin: Origin,
}

/// One period of Loki's schema.
#[derive(Clone, PartialEq, Debug)]
pub struct SchemaPeriod {
    /// First day, `YYYY-MM-DD`.
    pub from: String,
    /// The index: `tsdb`, `boltdb-shipper`.
    pub store: String,
    /// `v13`.
    pub schema: String,
    /// What sets it.
    pub origin: Origin,
}

/// Traces that Jaeger keeps in memory. Its own limit is none, and then it grows until it is killed.
pub const JAEGER_TRACES_IN_MEMORY: i64 = 100_000;

/// Where Jaeger keeps spans.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum JaegerStorage {
    /// Badger files.
    Badger,
    /// Memory.
    Memory,
}

impl JaegerStorage {
    /// The folders of Badger below the data path, keys and values: the same for Jaeger 1 and 2, so that an upgrade
    /// finds what is there.
    pub const BADGER_FOLDERS: [&'static str; 2] = ["key", "data"];
}

/// Can a stack declare that product? What it cannot is only ever read.
pub fn is_declared_in_stacks(product: Product) -> bool {
    !matches!(product, Product::Mimir | Product::Haproxy)
}

impl Store {
    /// A store with everything left to the passes.
    pub fn new(product: Product) -> Option<Self> {
        let facet = match product {
            Product::Prometheus => StoreFacet::Prometheus(PrometheusFacet::default()),
            Product::Loki => StoreFacet::Loki(LokiFacet::default()),
            Product::Tempo => StoreFacet::Tempo(TempoFacet::default()),
            Product::Mimir => StoreFacet::Mimir(MimirFacet::default()),
            Product::Jaeger => StoreFacet::Jaeger(None),
            Product::Otelcol
            | Product::Grafana
            | Product::Alertmanager
            | Product::Haproxy
            | Product::KubeStateMetrics => return None,
        };
        Some(Self {
            retention: None,
            size: None,
            tenant: None,
            multi_tenant: None,
            replication: None,
            ring_alone: None,
            local: None,
            tls: None,
            max_message: None,
            data_path: None,
            facet,
        })
    }

    /// Does it tell tenants apart?
    pub fn tells_tenants_apart(&self) -> bool {
        self.tenant.is_some() || self.multi_tenant.as_ref().is_some_and(|it| it.value)
    }

    /// The product.
    pub fn product(&self) -> Product {
        match self.facet {
            StoreFacet::Prometheus(_) => Product::Prometheus,
            StoreFacet::Loki(_) => Product::Loki,
            StoreFacet::Tempo(_) => Product::Tempo,
            StoreFacet::Mimir(_) => Product::Mimir,
            StoreFacet::Jaeger(_) => Product::Jaeger,
        }
    }

    /// Prometheus beyond what all stores have.
    pub fn prometheus(&self) -> Option<&PrometheusFacet> {
        match &self.facet {
            StoreFacet::Prometheus(it) => Some(it),
            _ => None,
        }
    }

    /// Prometheus beyond what all stores have, to change.
    pub fn prometheus_mut(&mut self) -> Option<&mut PrometheusFacet> {
        match &mut self.facet {
            StoreFacet::Prometheus(it) => Some(it),
            _ => None,
        }
    }

    /// Loki beyond what all stores have.
    pub fn loki(&self) -> Option<&LokiFacet> {
        match &self.facet {
            StoreFacet::Loki(it) => Some(it),
            _ => None,
        }
    }

    /// Tempo beyond what all stores have.
    pub fn tempo(&self) -> Option<&TempoFacet> {
        match &self.facet {
            StoreFacet::Tempo(it) => Some(it),
            _ => None,
        }
    }

    /// Is it a Tempo that is to make metrics of spans, and surely makes none?
    pub fn makes_no_metrics(&self) -> bool {
        let generator = self.tempo().and_then(|it| it.generator.as_ref());
        generator.is_some_and(|it| it.active == Some(false))
    }

    /// Tempo beyond what all stores have, to change.
    pub fn tempo_mut(&mut self) -> Option<&mut TempoFacet> {
        match &mut self.facet {
            StoreFacet::Tempo(it) => Some(it),
            _ => None,
        }
    }

    /// Mimir beyond what all stores have.
    pub fn mimir(&self) -> Option<&MimirFacet> {
        match &self.facet {
            StoreFacet::Mimir(it) => Some(it),
            _ => None,
        }
    }

    /// Mimir beyond what all stores have, to change.
    pub fn mimir_mut(&mut self) -> Option<&mut MimirFacet> {
        match &mut self.facet {
            StoreFacet::Mimir(it) => Some(it),
            _ => None,
        }
    }

    /// Loki beyond what all stores have, to change.
    pub fn loki_mut(&mut self) -> Option<&mut LokiFacet> {
        match &mut self.facet {
            StoreFacet::Loki(it) => Some(it),
            _ => None,
        }
    }
}

impl PrometheusFacet {
    /// The flag of that name.
    pub fn flag(&self, name: &str) -> Option<&Flag> {
        self.flags.iter().find(|flag| flag.name == name)
    }

    /// Is a word of `--enable-feature` given?
    pub fn has_feature(&self, word: &str) -> bool {
        let lists = self.flags.iter().filter(|flag| flag.name == "enable-feature").filter_map(|it| it.value.as_deref());
        lists.flat_map(|words| words.split(',')).any(|it| it.trim() == word)
    }

    /// Adds a flag. A value for a flag that is there already joins its list; a word of the list is not said twice.
    pub fn enable(&mut self, flag: Flag) {
        let Some(known) = self.flags.iter_mut().find(|known| known.name == flag.name) else {
            self.flags.push(flag);
            return;
        };
        let mut words: Vec<&str> = known.value.iter().flat_map(|value| value.split(',')).collect();
        let before = words.len();
        for word in flag.value.iter().flat_map(|value| value.split(',')) {
            if !words.contains(&word) {
                words.push(word);
            }
        }
        if words.len() > before {
            known.value = Some(words.join(","));
            let reason = format!("a word more in its list: {}", flag.origin.reason());
            known.origin = Origin::derived("backends", reason, &[&known.origin, &flag.origin]);
        }
    }
}
