//! What people look at: Grafana, Alertmanager; and what is outside.

use std::collections::BTreeMap;

use telstack_catalog::SignalSet;

use crate::{
    model::{container::SecretRef, link::Protocol, placement::Remote},
    origin::{Origin, Sourced, Value},
    units::Period,
};

/// Grafana.
#[derive(Clone, Debug, Default)]
pub struct Viewer {
    /// The administrator's name; none is Grafana's own `admin`.
    pub admin_user: Option<Sourced<String>>,
    /// The administrator's password.
    pub admin_password: Option<AdminPassword>,
    /// Can nobody log in with a password? There is no administrator, or no way to give one.
    pub no_passwords: bool,
    /// Data sources. Made for each store that it reads.
    pub data_sources: Vec<DataSource>,
    /// Dashboards that are provisioned.
    pub dashboards: Vec<Dashboard>,
    /// Where dashboards are looked for. Not known of a stack.
    pub dashboard_folders: Vec<DashboardFolder>,
    /// The alerts that it judges itself, by what they ask. Not known of a stack.
    pub asking_alerts: Vec<AskingAlert>,
    /// Does more than one organisation share it? Each has data sources and dashboards of its own.
    pub several_organisations: bool,
    /// What says that nobody needs to log in, and as what visitors are taken then: `Viewer`, `Editor`, `Admin`.
    pub anonymous: Option<Sourced<String>>,
}

/// An alert that Grafana judges itself.
#[derive(Clone, PartialEq, Debug)]
pub struct AskingAlert {
    /// Its title.
    pub title: String,
    /// The uids of the data sources that it asks, each with its type if that is said.
    pub data_sources: Vec<(Sourced<String>, Option<String>)>,
}

/// A folder in which Grafana looks for dashboards.
#[derive(Clone, PartialEq, Debug)]
pub struct DashboardFolder {
    /// Its path inside the container.
    pub path: Sourced<String>,
    /// How many dashboards are in it. None where nobody knows.
    pub holds: Option<usize>,
    /// Is the folder there at all, as the image has it or a file is mounted beside?
    pub exists: bool,
}

/// A password: a reference, or (in files people wrote) a literal.
pub type AdminPassword = Sourced<SecretRef>;

/// A Grafana data source.
#[derive(Clone, Debug)]
pub struct DataSource {
    /// The name people see.
    pub name: String,
    /// The id that links use.
    pub uid: String,
    /// Is the id written? Else Grafana makes one up of the name.
    pub uid_written: bool,
    /// Grafana's word: `prometheus`, `loki`, `tempo`, `jaeger`, `alertmanager`.
    pub ty: String,
    /// The address that Grafana dials.
    pub url: Sourced<String>,
    /// Is it the browser that dials it, not Grafana?
    pub by_browser: bool,
    /// Is it the one that panels without one use?
    pub default: bool,
    /// `jsonData`.
    pub json_data: Value,
    /// `secureJsonData` values, written in the open where they are no secrets (a tenant's name).
    pub secure_json_data: Value,
    /// Other data sources that it links to, by uid, with the place of the link.
    pub links: Vec<Sourced<String>>,
    /// What makes it.
    pub origin: Origin,
}

/// A Grafana dashboard.
#[derive(Clone, Debug)]
pub struct Dashboard {
    /// Its id in URLs.
    pub uid: String,
    /// Its title.
    pub title: String,
    /// What it shows, for its description.
    pub description: String,
    /// The uids of the data sources that it queries, the one of its first panel first.
    pub data_sources: Vec<Sourced<String>>,
    /// The types that it says they have, by uid. Not known of a stack.
    pub types: BTreeMap<String, String>,
    /// Data sources that whoever imports it is to choose: `DS_PROMETHEUS` of `${DS_PROMETHEUS}`, with the place of each
    /// use. Variables of the dashboard are none.
    pub inputs: Vec<Sourced<String>>,
    /// Its panels, in reading order.
    pub panels: Vec<Panel>,
    /// What makes it.
    pub origin: Origin,
}

/// A graph on a dashboard.
#[derive(Clone, Debug)]
pub struct Panel {
    /// Its title.
    pub title: String,
    /// What a reader should conclude from it.
    pub description: String,
    /// What each line asks for.
    pub queries: Vec<Query>,
    /// Grafana's unit id: `short`, `percentunit`, `bytes`.
    pub unit: String,
    /// What makes it.
    pub origin: Origin,
}

/// What a line of a graph asks for.
#[derive(Clone, PartialEq, Debug)]
pub struct Query {
    /// `PromQL`, or what else the data source speaks.
    pub expr: Sourced<String>,
    /// What the line is called.
    pub legend: String,
}

/// Alertmanager.
#[derive(Clone, Debug, Default)]
pub struct Alerter {
    /// Who is told. Nobody: alerts show only in its own page.
    pub webhooks: Vec<Webhook>,
    /// The names of its receivers, and those that its routes name. Not known of a stack, which has one.
    pub receivers: Vec<Sourced<String>>,
    /// The names of receivers in routes.
    pub routed: Vec<Sourced<String>>,
    /// The names of its time intervals; none where nobody can tell which there are.
    pub intervals: Option<Vec<Sourced<String>>>,
    /// The names of time intervals in routes.
    pub timed: Vec<Sourced<String>>,
    /// How long it waits before it repeats itself; none is its own default.
    pub repeat_interval: Option<Sourced<Period>>,
}

/// An address that alerts are posted to.
#[derive(Clone, PartialEq, Debug)]
pub struct Webhook {
    /// The address.
    pub url: String,
    /// What declares it.
    pub origin: Origin,
}

/// Something that is not ours to run.
#[derive(Clone, Debug, Default)]
pub struct External {
    /// Where it can be reached, and how.
    pub endpoints: Vec<ExternalEndpoint>,
    /// The collector of another cluster of the same stack that it is.
    pub exposed: Option<Remote>,
    /// What is said of programs that send telemetry; none of what only takes it.
    pub programs: Option<Programs>,
}

/// Programs with an SDK of OpenTelemetry: how they treat traces, and who tells them.
#[derive(Clone, Debug, Default)]
pub struct Programs {
    /// How they hand traces on.
    pub propagators: Vec<Sourced<String>>,
    /// Which traces they keep.
    pub sampler: Option<Sourced<String>>,
    /// The share of them, as written.
    pub ratio: Option<Sourced<String>>,
    /// The token that they send along.
    pub token: Option<Sourced<SecretRef>>,
    /// What asks for a resource of the operator, which instruments them.
    pub instrumented: Option<Origin>,
    /// The container of a Deployment called like them that a patch is written for.
    pub patched: Option<Sourced<String>>,
}

/// One way to reach something outside.
#[derive(Clone, Debug)]
pub struct ExternalEndpoint {
    /// What it speaks.
    pub protocol: Protocol,
    /// The signals it takes.
    pub signals: SignalSet,
    /// The address as written: `https://host:port/path`, or `host:port` for gRPC.
    pub endpoint: Sourced<String>,
    /// Is the address among `settings`? Else it is the exporter's `endpoint`.
    pub in_settings: bool,
    /// The bearer token that it wants.
    pub token: Option<Sourced<SecretRef>>,
    /// Further settings for the exporter.
    pub settings: Vec<(String, Value)>,
    /// What declares it.
    pub origin: Origin,
}
