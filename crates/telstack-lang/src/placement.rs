//! `platform`, and what lines say of where and how often their nodes run.

use telstack_catalog::{host::HostSystem, product::Product};
use telstack_diagnostics::{Diagnostic, Diagnostics, Span};
use telstack_syntax::stack::{Atom, Node as Line};
use telstack_system::{Isolation, Origin, Placement, Platform, Resources, SecretRef, Sourced, WorkloadKind};

use crate::{
    allocator,
    check::value,
    codes, exposure, sidecar,
    words::{self, sourced, sourced_text, text},
};

/// Where everything runs, unless a line says otherwise.
pub(crate) struct Placed {
    /// The platform.
    pub(crate) platform: Sourced<Platform>,
    /// Who may talk to whom, if the stack says anything of that.
    pub(crate) isolation: Option<Isolation>,
    namespace: Option<Sourced<String>>,
    storage_class: Option<Sourced<String>>,
    operated: Option<Origin>,
}

/// Properties that only Kubernetes has a meaning for.
const OF_KUBERNETES: [&str; 5] = ["mode", "replicas", "namespace", "tolerations", "host"];
/// Those that a machine outside of the cluster has no meaning for.
const OF_PODS: [&str; 3] = ["mode", "replicas", "tolerations"];
/// Lines that say something of volumes, with properties that only Kubernetes has a meaning for.
const VOLUMES: [&str; 2] = ["volume", "durable"];
const OF_VOLUMES: [&str; 2] = ["size", STORAGE_CLASS];
const STORAGE_CLASS: &str = "storage-class";
impl Placed {
    /// As the stack says; `origin` is where it is declared. Without a namespace of its own it is one of the stack's
    /// name.
    pub(crate) fn read(stack: &Line, origin: &Origin, out: &mut Diagnostics) -> Self {
        let line = stack.children().iter().find(|line| line.name.value == "platform");
        let atom = line.and_then(|line| line.args.first());
        let platform = match atom.and_then(text) {
            Some(word) if word == Platform::Kubernetes.id() => Platform::Kubernetes,
            _ => Platform::Compose,
        };
        let place = atom.map_or_else(|| origin.clone(), |atom| Origin::written(atom.span));
        let named = line.and_then(|line| value(line, "namespace")).and_then(sourced_text);
        let own = || {
            let name = stack.args.first().and_then(Atom::as_str).unwrap_or_default().to_owned();
            let reason = "`platform` names no namespace: one called like the stack";
            Sourced::new(name, Origin::derived(crate::stack::PASS, reason, &[origin, &place]))
        };
        let is_kubernetes = platform == Platform::Kubernetes;
        let platform = Sourced::new(platform, place.clone());
        let namespace = is_kubernetes.then(|| named.unwrap_or_else(own));
        let storage_class = line.and_then(|line| value(line, STORAGE_CLASS)).and_then(sourced_text);
        let inner = line.map(Line::children).unwrap_or_default();
        let isolation = inner.iter().find(|it| it.name.value == "network-policies").filter(|_| is_kubernetes);
        let operated = line.and_then(|line| value(line, "via")).map(|atom| Origin::written(atom.span));
        let operated = operated.filter(|_| is_kubernetes);
        let placed = Self { platform, isolation: isolation.map(isolated), namespace, storage_class, operated };
        if let Some(atom) = line.and_then(|line| value(line, STORAGE_CLASS)).filter(|_| is_kubernetes) {
            out.extend(text(atom).and_then(|name| placed.no_object("a storage class", name, atom)));
        }
        for line in inner.iter().filter(|_| !is_kubernetes) {
            let at = line.args.first().map_or_else(|| line.head(), |atom| atom.span);
            out.push(placed.of_kubernetes(&line.name.value, at));
        }
        placed
    }

    /// What says that the OpenTelemetry operator runs collectors.
    pub(crate) fn operator(&self) -> Option<&Origin> {
        self.operated.as_ref()
    }

    /// Where a line wants its node to run.
    pub(crate) fn of(&self, line: &Line, resources: &Resources, out: &mut Diagnostics) -> Placement {
        let exposed = line.children().iter().find(|it| it.name.value == "expose");
        if self.platform.value == Platform::Compose {
            if let Some(line) = exposed {
                out.push(self.of_kubernetes("expose", line.head()));
            }
            if let Some(line) = allocator::line(line) {
                out.push(self.of_kubernetes(&line.name.value, line.head()));
            }
            if line.name.value == Product::KubeStateMetrics.id() {
                out.push(self.of_kubernetes(&line.name.value, line.head()));
            }
            for key in OF_KUBERNETES {
                if let Some(atom) = line.prop(key) {
                    out.push(self.of_kubernetes(key, atom.span));
                }
            }
            for line in line.children().iter().filter(|it| VOLUMES.contains(&&*it.name.value)) {
                for (key, atom) in OF_VOLUMES.iter().filter_map(|key| Some((key, line.prop(key)?))) {
                    out.push(self.of_kubernetes(key, atom.span));
                }
            }
            return Placement::default();
        }
        self.not_yet(line, out);
        let host = line.prop("host").and_then(|atom| Some(sourced(atom, HostSystem::parse(text(atom)?)?)));
        if let Some(host) = host {
            of_a_machine(line, &host, exposed, out);
            return Placement { host: Some(host), ..Placement::default() };
        }
        self.named(line, out);
        let kind = line.prop("mode").and_then(kind);
        let count = line.prop("replicas").and_then(|atom| Some((atom, words::replicas(atom)?)));
        let replicas = count.map(|(atom, (least, _))| sourced(atom, least));
        let most_replicas = count.and_then(|(atom, (_, most))| Some(sourced(atom, most?)));
        if let (Some(kind), Some(replicas)) = (&kind, &replicas)
            && kind.value == WorkloadKind::DaemonSet
        {
            let finding = Diagnostic::new(&codes::WRONG_VALUE, "a DaemonSet has no number of replicas");
            let finding = finding.at(replicas.span(), "decided by the nodes").label(kind.span(), "one on each node");
            out.push(finding.help("drop `replicas`, or write `mode=\"deployment\"`"));
        }
        if let Some(kind) = kind.as_ref().filter(|it| it.value == WorkloadKind::Sidecar) {
            sidecar::check(line, kind, self, out);
        }
        self.scaled(resources, most_replicas.as_ref(), out);
        let exposure = exposed.and_then(exposure::of);
        if let Some(exposed) = exposed {
            exposure::check(line, exposed, exposure.as_ref(), out);
        }
        let namespace = self.namespace_of(line);
        let tolerant = line.prop("tolerations").map(|atom| sourced(atom, text(atom) == Some("all")));
        let volumes = line.children().iter().find(|it| VOLUMES.contains(&&*it.name.value));
        let of_volumes = |key: &str| volumes.and_then(|line| line.prop(key));
        let volume = of_volumes("size").and_then(|atom| Some(sourced(atom, words::bytes(atom)?)));
        let named = of_volumes(STORAGE_CLASS).and_then(sourced_text);
        if let Some(kind) = kind.as_ref().filter(|it| it.value == WorkloadKind::DaemonSet) {
            for (key, atom) in OF_VOLUMES.iter().filter_map(|key| Some((key, of_volumes(key)?))) {
                let message = format!("`{key}` says nothing of a folder of a node");
                let finding = Diagnostic::new(&codes::WRONG_VALUE, message).at(atom.span, "for volumes of a pod");
                let finding = finding.label(kind.span(), "keeps what it keeps in a folder of each node");
                out.push(finding.help(format!("drop `{key}`, or write `mode=\"statefulset\"`")));
            }
        }
        Placement {
            namespace,
            replicas,
            most_replicas,
            exposure,
            tolerant,
            volume,
            storage_class: named.or_else(|| self.storage_class.clone()),
            host: None,
            operated: self.operated.clone().filter(|_| line.name.value == "collector"),
            allocated: allocator::asked(line, self, kind.as_ref(), out),
            kind,
        }
    }

    /// The namespace of the node of a line.
    pub(crate) fn namespace_of(&self, line: &Line) -> Option<Sourced<String>> {
        line.prop("namespace").and_then(sourced_text).or_else(|| self.namespace.clone())
    }

    /// Reports an autoscaler that nothing is asked for to take a share of.
    fn scaled(&self, resources: &Resources, most: Option<&Sourced<u64>>, out: &mut Diagnostics) {
        let Some(most) = most else { return };
        if resources.cpu.is_none() {
            let message = "an autoscaler compares with the processor time that is kept for a pod, and none is kept";
            let finding = Diagnostic::new(&codes::MISSING_PART, message).at(most.span(), "as many as are busy");
            out.push(
                finding
                    .label(self.platform.span(), "by a HorizontalPodAutoscaler")
                    .help("say what is kept: `resources cpu=\"500m..2\"`"),
            );
        }
    }

    /// Reports names of Secrets and storage classes that no object of Kubernetes can have.
    fn named(&self, line: &Line, out: &mut Diagnostics) {
        for atom in line.args.iter().chain(line.props.iter().map(|prop| &prop.value)) {
            if let Ok(Some(SecretRef::Secret { name, .. })) = words::reference(atom, &mut Diagnostics::default()) {
                out.extend(self.no_object("a Secret", &name, atom));
            }
        }
        if let Some(atom) = line.prop(STORAGE_CLASS).filter(|_| VOLUMES.contains(&&*line.name.value)) {
            out.extend(text(atom).and_then(|name| self.no_object("a storage class", name, atom)));
        }
        for line in line.children() {
            self.named(line, out);
        }
    }

    fn no_object(&self, what: &str, name: &str, atom: &Atom) -> Option<Diagnostic> {
        if words::is_object_name(name) {
            return None;
        }
        let message = format!("{what} of Kubernetes cannot be called `{name}`");
        let finding = Diagnostic::new(&codes::WRONG_VALUE, message).at(atom.span, "no name of an object");
        let finding = finding.label(self.platform.span(), "takes lower case letters, digits, `-` and `.`");
        let right = words::object_name_from(name);
        Some(if right.is_empty() { finding } else { finding.help(format!("write `{right}`")) })
    }

    fn of_kubernetes(&self, word: &str, at: Span) -> Diagnostic {
        Diagnostic::new(&codes::WRONG_VALUE, format!("`{word}` has no meaning in docker compose"))
            .at(at, "for Kubernetes")
            .label(self.platform.span(), "runs here")
            .help(format!("drop `{word}`, or write `platform \"kubernetes\"`"))
    }

    /// Reports files beside the stack, which no pod finds on its node.
    fn not_yet(&self, line: &Line, out: &mut Diagnostics) {
        let is_beside = |line: &Line| match line.name.value.as_str() {
            "tls" => true,
            "mount" => line.args.first().and_then(text).is_some_and(|path| !path.starts_with('/')),
            _ => false,
        };
        for line in line.children().iter().filter(|it| is_beside(it)) {
            let message = format!(
                "`{}` names files beside the stack, which cannot be compiled to Kubernetes yet",
                line.name.value
            );
            let finding = Diagnostic::new(&codes::NOT_SUPPORTED_YET, message).at(line.head(), "for a later release");
            out.push(finding.label(self.platform.span(), "no pod finds them on its node"));
        }
    }
}

fn isolated(line: &Line) -> Isolation {
    let deny = line.prop("default").filter(|atom| text(atom) == Some("deny"));
    Isolation { origin: Origin::written(line.head()), deny: deny.map(|atom| Origin::written(atom.span)) }
}

/// Reports what means nothing for a program of a machine outside of the cluster.
fn of_a_machine(line: &Line, host: &Sourced<HostSystem>, exposed: Option<&Line>, out: &mut Diagnostics) {
    let mut report = |word: &str, at: Span| {
        let message = format!("`{word}` has no meaning on a machine outside of the cluster");
        let finding = Diagnostic::new(&codes::WRONG_VALUE, message).at(at, "of pods");
        out.push(finding.label(host.span(), "runs there").help(format!("drop `{word}`, or `host`")));
    };
    for key in OF_PODS {
        if let Some(atom) = line.prop(key) {
            report(key, atom.span);
        }
    }
    for line in exposed.into_iter().chain(allocator::line(line)) {
        report(&line.name.value, line.head());
    }
    for child in line.children().iter().filter(|it| ["mount", "user"].contains(&&*it.name.value)) {
        report(&child.name.value, child.head());
    }
    for child in line.children().iter().filter(|it| it.name.value == "scrape" && it.prop("port").is_none()) {
        let finding =
            Diagnostic::new(&codes::MISSING_PART, "`scrape` on a machine needs the port of the program there");
        let finding = finding.at(child.head(), "no port").label(host.span(), "runs there");
        out.push(finding.help("write it: `scrape \"power\" port=9101`"));
    }
    for child in line.children().iter().filter(|it| it.name.value == "durable") {
        let message = "queues on the disk of a machine outside of the cluster cannot be compiled yet";
        let finding = Diagnostic::new(&codes::NOT_SUPPORTED_YET, message).at(child.head(), "for a later release");
        out.push(finding.label(host.span(), "runs there"));
    }
}

fn kind(atom: &Atom) -> Option<Sourced<WorkloadKind>> {
    let kind = match text(atom)? {
        "daemonset" => WorkloadKind::DaemonSet,
        "deployment" => WorkloadKind::Deployment,
        "statefulset" => WorkloadKind::StatefulSet,
        "sidecar" => WorkloadKind::Sidecar,
        _ => return None,
    };
    Some(sourced(atom, kind))
}
