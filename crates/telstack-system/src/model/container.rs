//! The container that a node runs in.

use std::sync::Arc;

use telstack_catalog::otelcol::Transport;

use crate::{
    known::Known,
    model::{
        Resources,
        network::{Joined, Network},
        pod::{ContainerPort, Pod, Probe},
    },
    origin::{Origin, Sourced},
    units::Period,
};

/// A secret or an environment value that the deployment provides.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SecretRef {
    /// `(secret)"name/key"`.
    Secret {
        /// The secret.
        name: String,
        /// The key in it.
        key: String,
    },
    /// `(env)"NAME"`.
    Env(String),
    /// Written in the open.
    Literal(String),
}

impl SecretRef {
    /// The environment variable that carries it: `(secret)"grafana/admin-password"` is
    /// `GRAFANA_ADMIN_PASSWORD`. A literal has none.
    pub fn variable(&self) -> Option<String> {
        let upper = |text: &str| -> String {
            text.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' }).collect()
        };
        match self {
            SecretRef::Secret { name, key } => Some(format!("{}_{}", upper(name), upper(key))),
            SecretRef::Env(name) => Some(name.clone()),
            SecretRef::Literal(_) => None,
        }
    }
}

/// The value of an environment variable.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum EnvValue {
    /// Text.
    Literal(String),
    /// Given by the deployment at start; the deployment refuses to start without it.
    Required(SecretRef),
    /// A field of the pod or a limit of a container, such as `status.podIP`, which Kubernetes fills in.
    Field(String),
}

/// An environment variable of a container.
#[derive(Clone, PartialEq, Debug)]
pub struct EnvVar {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: EnvValue,
    /// What sets it.
    pub origin: Origin,
    /// Does any of its value stand elsewhere: in a file of variables, in the environment of whoever starts it?
    pub filled: bool,
}

impl EnvVar {
    /// One whose value stands where it is set.
    pub fn new(name: impl Into<String>, value: EnvValue, origin: Origin) -> Self {
        Self { name: name.into(), value, origin, filled: false }
    }
}

/// An image.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ImageRef {
    /// `grafana/loki`.
    pub repository: String,
    /// `3.7.6`.
    pub tag: String,
}

/// Where a mount comes from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum MountSource {
    /// A named volume: it outlives the container. Behind a slash, the folder of it that is mounted alone.
    Volume(String),
    /// A file or folder of the host, or of the build folder.
    Bind(String),
    /// A file or folder beside the project that is put into the image when it is built.
    Copied(String),
    /// Memory, or a volume that ends with the container or pod. What containers of one pod may share has a name among
    /// them: that of the volume, and the folder of it behind a `/`.
    Ephemeral(Option<String>),
    /// Files that Kubernetes hands in, of a ConfigMap or a Secret: where they are found. Nobody can write there.
    Handed(String),
}

impl MountSource {
    /// The files of a Secret of Kubernetes.
    pub fn secret(namespace: Option<&str>, name: &str) -> Self {
        Self::Handed(format!("{SECRET}{}:{name}", namespace.unwrap_or_default()))
    }

    /// The name of the Secret whose files they are, all of them.
    pub fn secret_name(&self) -> Option<&str> {
        let Self::Handed(path) = self else { return None };
        let (_, name) = path.strip_prefix(SECRET)?.split_once(':')?;
        (!name.contains('/')).then_some(name)
    }

    /// The name of a volume that outlives the container, without the folder in it.
    pub fn volume(&self) -> Option<&str> {
        match self {
            Self::Volume(name) => name.split('/').next(),
            _ => None,
        }
    }

    /// The same, of a volume that ends with the pod.
    pub fn pod_volume(&self) -> Option<&str> {
        match self {
            Self::Ephemeral(Some(name)) => name.split('/').next(),
            _ => None,
        }
    }
}

/// A mount.
#[derive(Clone, PartialEq, Debug)]
pub struct Mount {
    /// Where it comes from.
    pub source: MountSource,
    /// The path inside.
    pub target: String,
    /// Read only?
    pub read_only: bool,
    /// What makes it.
    pub origin: Origin,
}

impl Mount {
    /// Is there surely a folder at its target, whatever is in it: the whole of what Kubernetes hands in?
    pub fn is_folder(&self) -> bool {
        matches!(&self.source, MountSource::Handed(path) if !path.contains('/'))
    }
}

/// A port that is reachable from outside.
#[derive(Clone, PartialEq, Debug)]
pub struct Published {
    /// The address on the host; none is every interface.
    pub host_ip: Option<String>,
    /// The port on the host.
    pub host_port: u16,
    /// The port inside.
    pub container_port: u16,
    /// TCP or UDP.
    pub transport: Transport,
    /// What it is, for a comment.
    pub what: String,
    /// What makes it.
    pub origin: Origin,
}

/// A command that the platform runs inside to see whether the container is well.
#[derive(Clone, PartialEq, Debug)]
pub struct HealthCheck {
    /// The command, first the program.
    pub command: Vec<String>,
    /// Run through the image's shell?
    pub shell: bool,
    /// How long after the start failures do not count.
    pub start_period: Period,
    /// What makes it.
    pub origin: Origin,
}

/// Another container that must be there first.
#[derive(Clone, PartialEq, Debug)]
pub struct Dependency {
    /// The other node.
    pub node: String,
    /// Must it be healthy, or only started?
    pub healthy: bool,
    /// Must it have ended well?
    pub completed: bool,
    /// What makes it.
    pub origin: Origin,
}

/// A file that the node reads, and where it is in the output.
#[derive(Clone, PartialEq, Debug)]
pub struct ConfigFile {
    /// Which one, for the tool that writes it: `config`, `web`, `rules`, `datasources`, `dashboards`, `dashboard`.
    pub role: &'static str,
    /// Path below the output folder.
    pub path: String,
    /// Path inside the container.
    pub target: String,
    /// What makes it.
    pub origin: Origin,
}

/// Where a program looks for its configuration.
#[derive(Clone, PartialEq, Debug)]
pub struct ConfigPath {
    /// The path inside.
    pub path: String,
    /// What is there.
    pub state: Looked,
    /// What says so.
    pub origin: Origin,
    /// Does somebody say so, or does the program or its image look there by itself?
    pub told: bool,
}

/// How the files of Secrets are told from others that Kubernetes hands in.
const SECRET: &str = "secret:";

/// A ConfigMap or a Secret that a container is given, all of whose keys are known.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Handed {
    /// Where its files are, as mounts say it ([`MountSource::Handed`]).
    pub files: String,
    /// What it is: "ConfigMap `agent`".
    pub title: String,
    /// Its keys.
    pub keys: Vec<String>,
}

/// What a program finds where it looks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Looked {
    /// A file that was read.
    Found,
    /// What the image has there, if anything: nothing is mounted.
    Image,
    /// Something is mounted there that is not here to be read.
    Elsewhere,
    /// A file beside the project is mounted there, and it was looked for and is not there; or a ConfigMap, which
    /// has no such key.
    Missing,
}

/// What of a container is not known. Nothing is known to be missing from it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ContainerGaps {
    /// It may hold files that nothing here puts there: its image is built from something unknown, or a mount
    /// was not understood.
    pub files: bool,
    /// Variables may be set that nothing here sets.
    pub env: bool,
}

/// A reference to a variable that nothing fills in.
#[derive(Clone, Debug)]
pub struct Unfilled {
    /// The variable whose value holds it.
    pub by: String,
    /// The variable that it names.
    pub name: String,
    /// The value.
    pub origin: Origin,
}

/// A container.
#[derive(Clone, Debug)]
pub struct Container {
    /// The image.
    pub image: Sourced<ImageRef>,
    /// The user it runs as; none is the image's own.
    pub user: Option<Sourced<String>>,
    /// The arguments behind the entry point.
    pub command: Vec<Sourced<String>>,
    /// Environment.
    pub env: Vec<EnvVar>,
    /// References in values of its variables that stay as they are written: in Kubernetes, `$(NAME)` of what does not
    /// stand above.
    pub unfilled: Vec<Unfilled>,
    /// Mounts other than config files.
    pub mounts: Vec<Mount>,
    /// Config files.
    pub files: Vec<ConfigFile>,
    /// ConfigMaps and Secrets among its mounts, as far as all that they hold is known.
    pub handed: Vec<Handed>,
    /// Targets of its mounts of folders of the host that are made for root where they are not there.
    pub made: Vec<String>,
    /// Ports reachable from outside.
    pub published: Vec<Published>,
    /// Health check.
    pub health: Option<HealthCheck>,
    /// What it may use of the host, and what is kept for it.
    pub resources: Resources,
    /// What must be there first.
    pub depends_on: Vec<Dependency>,
    /// Paths of its volumes that must belong to a user before it starts, because the image does not own
    /// them and does not run as root.
    pub owned_paths: Vec<Sourced<String>>,
    /// How many of it run; one where nothing is written, none known where run time decides.
    pub replicas: Known<Sourced<u64>>,
    /// How many may run where an autoscaler decides; absent where none does.
    pub most_replicas: Known<Sourced<u64>>,
    /// Time to stop in.
    pub stop_grace: Option<Sourced<Period>>,
    /// The network that it is in.
    pub network: Network,
    /// The networks that it joins, where it has one of its own; none: the one that all join.
    pub networks: Vec<Joined>,
    /// Names that it has addresses of its own for.
    pub hosts: Vec<Sourced<String>>,
    /// Names that it alone knows other nodes by, each with the node's own name.
    pub links: Vec<(String, String)>,
    /// What its image is built from, where it is built here.
    pub base: Option<Sourced<ImageRef>>,
    /// Where its program looks for its configuration, as far as it was asked for.
    pub reads: Vec<ConfigPath>,
    /// It runs only when one of these is asked for; none of them, always.
    pub profiles: Vec<String>,
    /// The pod that it is in; none outside of Kubernetes.
    pub pod: Option<Arc<Pod>>,
    /// Probes of Kubernetes.
    pub probes: Vec<Probe>,
    /// Ports that it says it has, in Kubernetes. It may listen on others too.
    pub ports: Vec<ContainerPort>,
    /// May it do whatever the machine's root may?
    pub privileged: bool,
    /// May it write nothing but its mounts? None is no.
    pub read_only_root: Option<Sourced<bool>>,
    /// What of it is not known.
    pub gaps: ContainerGaps,
    /// What makes it.
    pub origin: Origin,
}

impl Container {
    /// An empty container of an image.
    pub fn new(image: Sourced<ImageRef>, origin: Origin) -> Self {
        Self {
            image,
            user: None,
            command: Vec::new(),
            env: Vec::new(),
            unfilled: Vec::new(),
            mounts: Vec::new(),
            files: Vec::new(),
            handed: Vec::new(),
            made: Vec::new(),
            published: Vec::new(),
            health: None,
            resources: Resources::default(),
            depends_on: Vec::new(),
            owned_paths: Vec::new(),
            replicas: Known::Absent,
            most_replicas: Known::Absent,
            stop_grace: None,
            network: Network::default(),
            networks: Vec::new(),
            hosts: Vec::new(),
            links: Vec::new(),
            base: None,
            reads: Vec::new(),
            profiles: Vec::new(),
            pod: None,
            probes: Vec::new(),
            ports: Vec::new(),
            privileged: false,
            read_only_root: None,
            gaps: ContainerGaps::default(),
            origin,
        }
    }

    /// The name of the service that gives the volumes of `node` to its user; none where it needs none.
    pub fn init_service(&self, node: &str) -> Option<String> {
        (!self.owned_paths.is_empty()).then(|| format!("{node}-init"))
    }

    /// Is it not said that none of it run?
    pub fn runs(&self) -> bool {
        !matches!(&self.replicas, Known::Value(it) if it.value == 0) || !self.most_replicas.is_absent()
    }

    /// Do both run, whenever one of them does? Those of different profiles are often alternatives.
    pub fn runs_beside(&self, other: &Self) -> bool {
        self.profiles.is_empty() && other.profiles.is_empty()
            || self.profiles.iter().any(|it| other.profiles.contains(it))
    }

    /// The mount that holds a path inside, the deepest one.
    pub fn mount_of(&self, path: &str) -> Option<&Mount> {
        let holds = |mount: &&Mount| {
            let target = mount.target.trim_end_matches('/');
            path == target || path.strip_prefix(target).is_some_and(|rest| rest.starts_with('/'))
        };
        self.mounts.iter().filter(holds).max_by_key(|mount| mount.target.len())
    }

    /// All mounts as deep as [the one that holds a path](Self::mount_of): a volume may be put together of several.
    pub fn mounts_of(&self, path: &str) -> impl Iterator<Item = &Mount> {
        let target = self.mount_of(path).map(|it| it.target.trim_end_matches('/'));
        self.mounts.iter().filter(move |it| Some(it.target.trim_end_matches('/')) == target)
    }

    /// What is handed in at a mount, if all of it is known, with the key where a mount is of one alone.
    pub fn handed_at<'a>(&'a self, mount: &'a Mount) -> Option<(&'a Handed, Option<&'a str>)> {
        let MountSource::Handed(path) = &mount.source else { return None };
        self.handed.iter().find_map(|it| match path.strip_prefix(&it.files)? {
            "" => Some((it, None)),
            rest => Some((it, Some(rest.strip_prefix('/')?))),
        })
    }

    /// The variable of that name; absent only where it is surely not set.
    pub fn variable(&self, name: &str) -> Known<&EnvVar> {
        // Kubernetes sets some for each Service of the namespace.
        const OF_SERVICES: [&str; 3] = ["_SERVICE_HOST", "_SERVICE_PORT", "_PORT"];
        let of_service = || {
            let named = OF_SERVICES.iter().any(|end| name.ends_with(end)) || name.contains("_SERVICE_PORT_");
            named && self.pod.as_ref().is_some_and(|pod| pod.links || name.starts_with("KUBERNETES_"))
        };
        match self.env.iter().rev().find(|it| it.name == name) {
            Some(variable) => Known::Value(variable),
            None if self.gaps.env || of_service() => Known::Unknown,
            None => Known::Absent,
        }
    }

    /// Do all that run of it have the same files at a mount?
    pub fn is_shared(&self, mount: &Mount) -> bool {
        match (&mount.source, &self.pod) {
            (source @ MountSource::Volume(_), Some(pod)) => {
                !pod.own_volumes.iter().any(|own| source.volume() == Some(own))
            }
            // Each machine has files of its own, and nobody knows how many pods run on one.
            (MountSource::Ephemeral(_), _) | (MountSource::Bind(_), Some(_)) => false,
            _ => true,
        }
    }

    /// The config file of that role.
    pub fn file(&self, role: &str) -> Option<&ConfigFile> {
        self.files.iter().find(|file| file.role == role)
    }
}
