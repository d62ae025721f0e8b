//! What components need of a cluster, by their settings.

use telstack_catalog::{
    Version, operator,
    otelcol::{self, Access, Condition, Need, SERVICE_ACCOUNT},
    product::Product,
};
use telstack_syntax::tree::Kind;

use crate::{
    expansion::is_open as is_reference,
    model::{Component, Node, NodeKind, ScrapeJob, Store},
    origin::{Origin, Value},
    wiring::Wiring,
};

/// The values at a path, where `[]` behind a key stands for each item of a list; none if a part of the way is not
/// known.
pub fn values_at<'a>(value: &'a Value, path: &str) -> Option<Vec<&'a Value>> {
    if value.as_str().is_some_and(is_reference) {
        return None;
    }
    if path.is_empty() {
        return Some(vec![value]);
    }
    let Some(map) = value.as_map() else { return Some(Vec::new()) };
    // Keys may have dots of their own: the longest one that fits.
    let fits = |key: &str| {
        let rest = path.strip_prefix(key)?;
        let rest = rest.strip_prefix("[]").map_or((rest, false), |rest| (rest, true));
        (rest.0.is_empty() || rest.0.starts_with('.')).then_some(rest)
    };
    let found =
        map.iter().filter_map(|entry| Some((entry, fits(&entry.key)?))).max_by_key(|(entry, _)| entry.key.len());
    let Some((entry, (rest, list))) = found else { return Some(Vec::new()) };
    let rest = rest.trim_start_matches('.');
    match entry.value.as_seq().filter(|_| list) {
        Some(items) => {
            let found = items.iter().map(|item| values_at(item, rest)).collect::<Option<Vec<_>>>()?;
            Some(found.into_iter().flatten().collect())
        }
        None if list && entry.value.as_str().is_some_and(is_reference) => None,
        None if list => Some(Vec::new()),
        None => values_at(&entry.value, rest),
    }
}

/// Is there anything in a value?
fn is_something(value: &Value) -> bool {
    match &value.kind {
        Kind::Null => false,
        Kind::String(text) => !text.is_empty(),
        Kind::Seq(seq) => !seq.items.is_empty(),
        _ => true,
    }
}

/// Does a condition hold? None where run time decides it.
pub fn holds(component: &Component, condition: &Condition) -> Option<bool> {
    let values = values_at(&component.settings, &condition.setting)?;
    if condition.absent {
        return Some(values.is_empty());
    }
    if let Some(truth) = condition.is {
        return Some(values.iter().any(|it| it.as_bool() == Some(truth)));
    }
    if condition.has.is_empty() {
        return Some(values.into_iter().any(is_something));
    }
    let words = values.iter().flat_map(|value| value.as_seq().unwrap_or(std::slice::from_ref(*value)));
    let words: Vec<&str> = words.filter_map(Value::as_str).collect();
    if words.iter().any(|word| condition.has.iter().any(|it| it == word)) {
        return Some(true);
    }
    if words.iter().any(|word| is_reference(word)) { None } else { Some(false) }
}

/// Does any condition hold? None where run time decides it.
pub fn any_holds(component: &Component, conditions: &[Condition]) -> Option<bool> {
    let mut unknown = false;
    for condition in conditions {
        match holds(component, condition) {
            Some(true) => return Some(true),
            Some(false) => {}
            None => unknown = true,
        }
    }
    if unknown { None } else { Some(false) }
}

/// Does each replica look at a part of the cluster only, by a setting that all items of a list have?
pub fn is_limited(component: &Component, once: &otelcol::Once) -> bool {
    let Some((list, key)) = &once.limited_by else { return false };
    let items = component.setting(list).and_then(Value::as_seq);
    items.is_none_or(|items| items.iter().all(|item| item.at(key).is_some()))
}

/// Something that a component surely asks of the API of the cluster, as the account of its pod.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The group of the API; none where any will do.
    pub group: Option<String>,
    /// The resources.
    pub resources: Vec<String>,
    /// Is one of them enough?
    pub any: bool,
    /// What is done with them.
    pub verbs: Vec<String>,
    /// Must it be allowed in the whole cluster, and not in a namespace only?
    pub everywhere: bool,
    /// The namespaces that it is asked of, where the settings name them.
    pub namespaces: Vec<String>,
}

impl Asked {
    /// Is it the API that is asked, and not the kubelet of a machine, which asks the API in turn whether it may answer?
    pub fn is_of_api(&self) -> bool {
        !self.resources.iter().all(|it| it.starts_with("nodes/"))
    }
}

/// What a component surely asks for at a release, and what becomes of it without. None where nothing is known, or run
/// time decides whether it asks.
pub fn asked(component: &Component, fact: otelcol::Component, version: Version) -> Option<(Vec<Asked>, &'static str)> {
    if let Some(access) = fact.access() {
        let as_account = as_account(component, access.auth.as_deref(), &access.default_auth);
        if !as_account || any_holds(component, &access.unless) != Some(false) {
            return None;
        }
        let within = is_within(component, access);
        let needs = access.needs.iter().filter(|need| need.holds(version) && is_needed(component, need));
        return Some((needs.map(|need| of_need(need, within)).collect(), &access.without));
    }
    if let Some(below) = fact.discovers_below() {
        return discovered(component, below);
    }
    let objects = fact.asked_objects()?;
    if !as_account(component, Some(&objects.auth), &objects.default_auth) {
        return None;
    }
    let items = component.setting(&objects.list)?.as_seq()?;
    let mut found = Vec::new();
    for item in items {
        let text = |key: &str| item.at(key).and_then(Value::as_str).filter(|it| !is_reference(it));
        let Some(name) = text(&objects.name) else { continue };
        let mode = if item.at(&objects.mode).is_some() { text(&objects.mode) } else { Some(&*objects.default_mode) };
        let Some(mode) = mode else { continue };
        found.push(Asked {
            group: text(&objects.group).map(str::to_owned),
            resources: vec![name.to_lowercase()],
            any: false,
            verbs: objects.verbs(mode).to_vec(),
            everywhere: !item.at(&objects.namespaces).is_some_and(is_something),
            namespaces: item.at(&objects.namespaces).map(texts).unwrap_or_default(),
        });
    }
    Some((found, &objects.without))
}

/// What a component may ask for at a release, as far as settings do not rule it out. None where that is not known.
pub fn may_ask(component: &Component, fact: otelcol::Component, version: Version) -> Option<Vec<Asked>> {
    if fact.asks_otherwise() {
        return None;
    }
    if let Some((setting, quiet)) = fact.local_detectors() {
        let words = values_at(&component.settings, setting)?;
        let words = words.iter().flat_map(|it| it.as_seq().unwrap_or(std::slice::from_ref(*it)));
        let known = fact.access().map(|it| it.needs.iter().flat_map(|it| &it.when).flat_map(|it| &it.has));
        let known: Vec<&String> = known.into_iter().flatten().chain(quiet).collect();
        if !words.map(Value::as_str).all(|word| word.is_some_and(|word| known.iter().any(|it| *it == word))) {
            return None;
        }
    }
    if let Some(access) = fact.access() {
        let needs = access.needs.iter().filter(|need| need.holds(version));
        let possible = |need: &&Need| {
            let when = need.when.is_empty() || any_holds(component, &need.when) != Some(false);
            when && any_holds(component, &need.unless) != Some(true)
        };
        return Some(needs.filter(possible).map(|need| of_need(need, false)).collect());
    }
    if fact.discovers_below().is_some() || fact.asked_objects().is_some() {
        // Names, modes and roles that run time decides, or that are not known, are left out of what is surely asked.
        return None;
    }
    Some(Vec::new())
}

fn of_need(need: &Need, within: bool) -> Asked {
    Asked {
        group: Some(need.group.clone()),
        resources: need.resources.clone(),
        any: need.any,
        verbs: need.verbs.clone(),
        everywhere: need.cluster || !within,
        namespaces: Vec::new(),
    }
}

/// What components ask for that run, and that are to be looked at.
fn asked_by_those(node: &Node, wanted: impl Fn(&Component) -> bool) -> Vec<(Asked, Origin)> {
    let (Some(collector), Some(version)) = (node.collector(), node.version()) else { return Vec::new() };
    let wiring = Wiring::of(collector);
    let running = collector.components.iter().filter(|it| wiring.runs(it) && wanted(it));
    let asked = running.filter_map(|it| Some((asked(it, it.fact()?, version)?.0, &it.origin)));
    asked.flat_map(|(all, origin)| all.into_iter().map(|it| (it, origin.clone()))).collect()
}

/// What the target allocator of a node asks of the API of the cluster: about targets in place of the receiver that
/// scrapes them, and about the pods that it shares them out among.
pub fn asked_by_allocator(node: &Node) -> Vec<(Asked, Origin)> {
    let Some(allocated) = &node.placement.allocated else { return Vec::new() };
    let mut found = asked_by_those(node, Component::is_allocatable);
    let facts = operator::allocator();
    let known =
        |it: &(Asked, Origin)| it.0.everywhere && facts.resources.iter().all(|own| it.0.resources.contains(own));
    if !found.iter().any(known) {
        let own = Asked {
            group: None,
            resources: facts.resources.clone(),
            any: false,
            verbs: facts.verbs.clone(),
            everywhere: false,
            namespaces: Vec::new(),
        };
        found.push((own, allocated.clone()));
    }
    found
}

/// What the components of a node ask of the API of the cluster, each with where it is declared.
pub fn asked_by(node: &Node) -> Vec<(Asked, Origin)> {
    if let (NodeKind::Informer(product), Some(version)) = (&node.kind, node.version()) {
        let asked = asked_by_product(*product, version).into_iter();
        return asked.map(|it| (it, node.origin.clone())).collect();
    }
    if let Some(facet) = node.store().and_then(Store::prometheus) {
        let of_job = |job: &ScrapeJob| {
            let asked = asked_by_jobs(job.settings().iter()).into_iter();
            asked.map(|it| (it, job.origin.clone())).collect::<Vec<_>>()
        };
        return facet.jobs.iter().flat_map(of_job).collect();
    }
    asked_by_those(node, |it| node.placement.allocated.is_none() || !it.is_allocatable())
}

/// What a product asks for at a release.
pub fn asked_by_product(product: Product, version: Version) -> Vec<Asked> {
    product.cluster_needs(version).map(|need| of_need(need, false)).collect()
}

/// What the jobs of a Prometheus ask for that find their targets by the API.
pub fn asked_by_jobs<'a>(jobs: impl Iterator<Item = &'a Value>) -> Vec<Asked> {
    let facts = otelcol::discovery();
    let blocks = jobs.filter_map(|job| job.at(&facts.block)?.as_seq()).flatten();
    let here = blocks.filter(|block| !facts.elsewhere.iter().any(|key| block.at(key).is_some()));
    here.flat_map(|block| {
        let role = block.at(&facts.role).and_then(Value::as_str).unwrap_or_default();
        let within = block.at(&facts.namespaces);
        let names = within.and_then(|it| it.at(&facts.names)).map(texts).unwrap_or_default();
        let needs = facts.needs(role).iter();
        needs
            .map(move |need| Asked { namespaces: names.clone(), ..of_need(need, within.is_some()) })
            .collect::<Vec<_>>()
    })
    .collect()
}

/// The texts of a list, those that only run time knows left out.
fn texts(list: &Value) -> Vec<String> {
    let items = list.as_seq().unwrap_or_default();
    items.iter().filter_map(Value::as_str).filter(|it| !is_reference(it)).map(str::to_owned).collect()
}

fn discovered(component: &Component, below: &str) -> Option<(Vec<Asked>, &'static str)> {
    let facts = otelcol::discovery();
    let jobs = component.setting(below)?.at(&facts.list)?.as_seq()?;
    Some((asked_by_jobs(jobs.iter()), &facts.without))
}

fn as_account(component: &Component, setting: Option<&str>, default: &str) -> bool {
    let written = setting.and_then(|setting| component.setting(setting));
    written.map_or(default == SERVICE_ACCOUNT, |it| it.as_str() == Some(SERVICE_ACCOUNT))
}

fn is_within(component: &Component, access: &Access) -> bool {
    access.within.iter().any(|it| component.setting(it).is_some_and(is_something))
}

fn is_needed(component: &Component, need: &Need) -> bool {
    let when = need.when.is_empty() || any_holds(component, &need.when) == Some(true);
    when && any_holds(component, &need.unless) == Some(false)
}
