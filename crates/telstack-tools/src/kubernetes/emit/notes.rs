//! What people need to know who apply it: what must be there before, in which order, and what to look at after.

use std::collections::{BTreeMap, BTreeSet};

use telstack_catalog::operator as facts;
use telstack_syntax::Writer;
use telstack_system::{
    Cluster, EnvValue, Exposure, ExposureTls, Node, Origin, Purpose, Remote, SecretRef, ServiceType, System,
    cluster::Certificate,
};

use super::{patch::Patch, smoke};
use crate::{Artefact, doc};

const PATH: &str = "NOTES.md";

pub(super) fn emit(system: &System, cluster: &Cluster) -> Artefact {
    let mut notes = Notes { system, cluster, out: Writer::default(), steps: 0, gap: false };
    notes.write();
    Artefact::new(PATH, notes.out.finish())
}

struct Notes<'a> {
    system: &'a System,
    cluster: &'a Cluster,
    out: Writer<Origin>,
    steps: usize,
    /// Must an empty line follow before the next step?
    gap: bool,
}

impl Notes<'_> {
    fn write(&mut self) {
        let origin = &self.system.origin;
        let title = match self.system.place() {
            Some(place) => format!("{}: {place}", self.system.name),
            None => self.system.name.clone(),
        };
        let of = [&self.system.cluster_name, &self.system.environment].into_iter().flatten().next();
        let of = of.map_or(origin, |it| &it.origin);
        let mark = doc::follows("says what the file is and which stack it comes from", &[of, origin]);
        self.out.line(&format!("# {title}"), &mark);
        self.out.newline();
        let text = format!(
            "Compiled by telstack from the stack \"{}\". Change the stack, not this folder:\n\
             `telstack why FILE:LINE` tells where a line comes from.",
            self.system.name
        );
        text.lines().for_each(|line| self.out.line(line, &mark));
        self.heading("Before");
        self.needs();
        self.secrets();
        self.brought();
        self.heading("Apply");
        self.apply();
        self.heading("After");
        self.after();
    }

    fn heading(&mut self, text: &str) {
        let mark = doc::follows("in the order in which it is done", &[&self.system.origin]);
        self.out.newline();
        self.out.line(&format!("## {text}"), &mark);
        self.out.newline();
        (self.steps, self.gap) = (0, false);
    }

    /// A numbered step, with commands below it.
    fn step(&mut self, text: &str, commands: &[String], origin: &Origin) {
        if self.gap {
            self.out.newline();
        }
        self.steps += 1;
        self.out.line(&format!("{}. {text}", self.steps), origin);
        self.gap = !commands.is_empty();
        if !commands.is_empty() {
            self.out.newline();
            self.out.line("   ```sh", origin);
            commands.iter().flat_map(|it| it.lines()).for_each(|line| self.out.line(&format!("   {line}"), origin));
            self.out.line("   ```", origin);
        }
    }

    fn nodes(&self) -> impl Iterator<Item = &Node> {
        self.system.nodes().map(|(_, node)| node).filter(|it| it.container.is_some())
    }

    /// What the cluster must have.
    fn needs(&mut self) {
        let certificates = self.cluster.certificates.iter().filter(|it| it.elsewhere.is_none());
        if let Some(origin) = certificates.map(|it| it.origin.clone()).next() {
            let text = "cert-manager in the cluster: it makes out the certificates of `certificates.yaml`.";
            self.step(text, &[], &doc::follows("its objects are applied", &[&origin]));
        }
        let operated = self.system.nodes().find_map(|(_, node)| node.placement.operated.clone());
        if let Some(origin) = operated {
            let text = format!("{} in the cluster: collectors are resources of its kinds.", facts::needs());
            self.step(&text, &[], &doc::follows("the operator runs them", &[&origin]));
        }
        if let Some(origin) = self.cluster.autoscalers.first().map(|it| it.origin.clone()) {
            let text = "metrics-server in the cluster: autoscalers ask it how busy pods are.";
            self.step(text, &[], &doc::follows("pods are scaled", &[&origin]));
        }
        let spaces =
            self.cluster.instrumentations.iter().filter_map(|it| Some((it.namespace.clone()?, it.origin.clone())));
        let foreign: BTreeMap<String, Origin> = spaces.filter(|it| self.cluster.namespace(&it.0).is_none()).collect();
        for (name, origin) in foreign {
            let text = format!("The namespace `{name}`, where programs are: it is not this stack's.");
            self.step(&text, &[], &doc::follows("what they are told is applied there", &[&origin]));
        }
        let claims = &self.cluster.claims;
        if let Some(origin) = claims.iter().find(|it| it.storage_class.is_none()).map(|it| it.origin.clone()) {
            let text = "A default StorageClass: volumes are claimed without naming one. `kubectl get storageclass` shows \
                        `(default)` behind it.";
            self.step(text, &[], &doc::follows("volumes are claimed", &[&origin]));
        }
    }

    /// Secrets that are nobody's but the reader's to make.
    fn secrets(&mut self) {
        let mut wanted: BTreeMap<(String, String), (BTreeSet<String>, Vec<Origin>)> = BTreeMap::new();
        for node in self.system.nodes().map(|(_, node)| node) {
            let Some(container) = &node.container else { continue };
            let namespace = node.placement.namespace.as_ref().map_or("", |it| &it.value);
            for variable in &container.env {
                let (name, key) = match &variable.value {
                    EnvValue::Required(SecretRef::Secret { name, key }) => (name, key),
                    EnvValue::Required(SecretRef::Env(key)) => (&self.system.name, key),
                    _ => continue,
                };
                let (keys, origins) = wanted.entry((namespace.to_owned(), name.clone())).or_default();
                keys.insert(key.clone());
                origins.push(variable.origin.clone());
            }
        }
        for ((namespace, name), (keys, origins)) in wanted {
            let values = keys.iter().fold(String::new(), |all, key| all + &format!(" \\\n  --from-literal={key}=…"));
            let command = format!("kubectl create secret generic {name} --namespace {namespace}{values}");
            let text =
                format!("The Secret `{name}` in the namespace `{namespace}`, whose values are not in the stack:");
            let origin = doc::follows_all("a secret is never written down", origins.iter(), &self.system.origin);
            let make =
                format!("kubectl create namespace {namespace} --dry-run=client --output yaml | kubectl apply -f -");
            self.step(&text, &[make, command], &origin);
        }
    }

    /// Certificates and authorities of other clusters.
    fn brought(&mut self) {
        let Some(own) = self.system.cluster_name.clone() else { return };
        let nodes: Vec<&Node> = self.system.nodes().map(|(_, node)| node).collect();
        let remotes: Vec<Remote> = nodes.iter().filter_map(|it| it.external()?.exposed.clone()).collect();
        for remote in remotes {
            let Some(secret) = remote.secret() else { continue };
            let Remote { cluster, node, namespace, exposure } = &remote;
            let here: BTreeSet<&str> = self
                .nodes()
                .filter(|it| {
                    it.container
                        .as_ref()
                        .is_some_and(|it| it.mounts.iter().any(|it| it.source.secret_name() == Some(&secret)))
                })
                .filter_map(|it| it.placement.namespace.as_ref().map(|it| &*it.value))
                .collect();
            let here: Vec<String> = here.into_iter().map(str::to_owned).collect();
            let asked = |it: &&Certificate| it.elsewhere.as_ref() == Some(cluster);
            let certificate = self.cluster.certificates.iter().find(asked).map(|it| it.name.clone());
            let (from, data) = match &certificate {
                Some(name) => (name.clone(), ".data".to_owned()),
                None => (Exposure::secret(node), "{\"ca.crt\": .data[\"ca.crt\"]}".to_owned()),
            };
            let mut commands = Vec::new();
            if let Some(name) = &certificate {
                commands.push(format!("kubectl --context {cluster} apply -f for-{cluster}/{name}.yaml"));
                commands.push(format!(
                    "kubectl --context {cluster} wait --for=condition=Ready certificate/{name} --namespace {namespace}"
                ));
            }
            for here in here {
                commands.push(format!(
                    "kubectl --context {own} create namespace {here} --dry-run=client --output yaml | kubectl --context {own} apply -f -\n\
                     kubectl --context {cluster} get secret {from} --namespace {namespace} --output json \\\n  | \
                     jq '{{apiVersion, kind, data: {data}, metadata: {{name: \"{secret}\", namespace: \"{here}\"}}}}' \\\n  | \
                     kubectl --context {own} apply -f -",
                    own = own.value
                ));
            }
            let again = if certificate.is_some() { "; it lasts a year, so do this again in time" } else { "" };
            let what = match exposure.encryption() {
                ExposureTls::Mutual => "What this cluster shows",
                _ => "What this cluster trusts",
            };
            let text = format!(
                "{what} at `{node}` of the cluster `{cluster}`, which must be applied before{again}. Contexts of kubectl \
                 are called like the clusters here:"
            );
            let origin = doc::follows("the other cluster asks for it", &[exposure.encrypted_by(), &own.origin]);
            self.step(&text, &commands, &origin);
        }
        if self.steps == 0 {
            let text = "Nothing: all that it needs is in this folder.";
            self.out.line(text, &doc::follows("nothing else is referred to", &[&self.system.origin]));
        }
    }

    fn apply(&mut self) {
        let origin = self.system.origin.clone();
        let mark = doc::follows("`kustomization.yaml` names all of it", &[&origin]);
        self.step("Everything in this folder, namespaces first:", &["kubectl apply -k .".to_owned()], &mark);
        self.sidecars();
        self.patches();
        let exposed: Vec<_> =
            self.nodes().filter_map(|it| Some((it.name.clone(), it.placement.exposure.clone()?))).collect();
        for (name, exposure) in exposed {
            let service = Exposure::secret(&name);
            let namespaces =
                self.cluster.services.iter().filter(|it| it.name == service && it.ty == ServiceType::LoadBalancer);
            let namespace = namespaces.into_iter().find_map(|it| it.namespace.clone()).unwrap_or_default();
            let text = format!("Let `{}` lead to the address of the load balancer of `{name}`:", exposure.host.value);
            let path = "{.status.loadBalancer.ingress[0]}";
            let command = format!("kubectl get service {service} --namespace {namespace} --output jsonpath='{path}'");
            self.step(&text, &[command], &doc::follows("others dial it by that name", &[&exposure.host.origin]));
        }
    }

    /// How programs get a collector into their pods.
    fn sidecars(&mut self) {
        let sidecars = self.system.nodes().filter_map(|(id, node)| Some((id, node, node.placement.sidecar()?)));
        let mut steps = Vec::new();
        for (id, node, origin) in sidecars {
            let own = node.placement.namespace.as_ref().map_or("", |it| &it.value);
            let (key, name) = (&facts::sidecar().annotation, format!("{own}/{}", node.name));
            let text = format!(
                "The operator puts `{}` into pods with the annotation `{}`, once they are made anew; in other namespaces \
                 its value is `{name}`:",
                node.name,
                format_args!("{key}: {}", node.name)
            );
            let programs = self.system.incoming(id, Purpose::Telemetry).into_iter();
            let commands = programs.map(|(_, from)| {
                let workload = self.system.node(from);
                let namespace = workload.placement.namespace.as_ref().map_or("", |it| &it.value);
                let value = if namespace == own { &node.name } else { &name };
                format!(
                    "kubectl patch deployment {} --namespace {namespace} --patch \\\n  \
                     '{{\"spec\": {{\"template\": {{\"metadata\": {{\"annotations\": {{\"{key}\": \"{value}\"}}}}}}}}}}'",
                    workload.name
                )
            });
            let commands: Vec<String> = commands.collect();
            let text = if commands.is_empty() { text.trim_end_matches(':').to_owned() + "." } else { text };
            steps.push((text, commands, doc::follows("pods ask for it", &[origin, &node.origin])));
        }
        for (text, commands, origin) in steps {
            self.step(&text, &commands, &origin);
        }
    }

    /// Patches of what is not of this stack.
    fn patches(&mut self) {
        let found = self.system.nodes().filter_map(|(_, node)| Some((node, Patch::of(node)?)));
        let steps = found.map(|(node, patch)| {
            let (name, container) = (&node.name, &patch.container.value);
            let text = format!(
                "Tell the container `{container}` of the Deployment `{name}` where to send. It must be there, and its \
                 pods are made anew:"
            );
            let command = format!(
                "kubectl patch deployment {name} --namespace {} --patch-file {}",
                patch.namespace,
                patch.path(node)
            );
            (text, command, doc::follows("it is not of this stack", &[&patch.container.origin]))
        });
        for (text, command, origin) in steps.collect::<Vec<_>>() {
            self.step(&text, &[command], &origin);
        }
    }

    fn after(&mut self) {
        let machines = self.system.nodes().filter_map(|(_, node)| Some((node, node.machine.as_deref()?)));
        let machines: Vec<_> = machines.map(|(node, it)| (node.clone(), it.service.clone())).collect();
        for (node, service) in machines {
            let text =
                format!("On the machine of `{}`: the first lines of `{service}` say what belongs where.", node.name);
            self.step(&text, &[], &doc::follows("it is outside of the cluster", &[&node.origin]));
        }
        let mark = doc::follows("every node is asked", &[&self.system.origin]);
        let text = "Is everything well? A span is sent, and looked for where it should be:";
        self.step(text, &[format!("./{}", smoke::PATH)], &mark);
        let viewers: Vec<_> = self.nodes().filter(|it| it.viewer().is_some()).cloned().collect();
        for node in viewers {
            let Some(door) = node.listeners.first() else { continue };
            let namespace = node.placement.namespace.as_ref().map_or("", |it| &it.value);
            let command =
                format!("kubectl port-forward --namespace {namespace} service/{} 3000:{}", node.name, door.port);
            self.step("Look at it: http://localhost:3000", &[command], &node.origin);
        }
    }
}
