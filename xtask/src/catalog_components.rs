//! Components: names, presence, signals, settings, replacements.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use super::Error;
use super::enums;
use super::facts::{Facts, V, entries, list, strip, strip_pair, text, version, word};
use super::trees::{self, Store, alternatives};

/// Records by key, and the canonical key of every `kind/name`.
pub struct Built {
    pub names: BTreeMap<String, Value>,
    pub components: BTreeMap<String, Value>,
    pub trees: BTreeMap<String, Value>,
    pub canonical: HashMap<String, String>,
}

/// The names of one component, oldest first; the last is the canonical one.
type Group = (String, Vec<String>);

fn by_key(facts: &Facts) -> HashMap<String, &Value> {
    let key = |c: &Value| format!("{}/{}", word(c, "kind"), word(c, "type"));
    facts.components.iter().map(|component| (key(component), component)).collect()
}

/// Joins the names of each component: aliases, and renames that kept no alias.
fn groups(facts: &Facts) -> Result<Vec<Group>, Error> {
    let all = by_key(facts);
    let mut newer: HashMap<String, String> = HashMap::new();
    for component in &facts.components {
        let kind = word(component, "kind");
        for alias in list(component, "aliases") {
            let key = format!("{kind}/{}", word(component, "type"));
            newer.insert(format!("{kind}/{}", word(alias, "name")), key);
        }
    }
    for event in &facts.events {
        let renamed = word(event, "event") == "component_renamed" && event["alias_kept"] == json!(false);
        if renamed && all.contains_key(word(event, "replacement")) {
            let old = format!("{}/{}", word(event, "kind"), word(event, "type"));
            newer.insert(old, word(event, "replacement").to_owned());
        }
    }
    let mut joined: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for key in all.keys() {
        let mut last = key;
        while let Some(next) = newer.get(last) {
            last = next;
        }
        joined.entry(last.clone()).or_default().push(key.clone());
    }
    let mut groups = Vec::new();
    for (canonical, mut names) in joined {
        let mut sort = Vec::new();
        for name in names.drain(..) {
            let component = all.get(&name).ok_or_else(|| format!("no component {name}"))?;
            let since = list(component, "lifespans").first().map_or("", |span| word(span, "since"));
            sort.push((name == canonical, version(since)?, name));
        }
        sort.sort();
        groups.push((canonical, sort.into_iter().map(|(_, _, name)| name).collect()));
    }
    Ok(groups)
}

/// `kind/name` to `name`.
fn bare(key: &str) -> &str {
    key.split_once('/').map_or(key, |(_, name)| name)
}

fn tree_at(component: &Value, sample: V) -> Result<Option<&Value>, Error> {
    for range in list(component, "config") {
        if version(word(range, "from"))? <= sample && sample <= version(word(range, "to"))? {
            return Ok(Some(&range["fields"]));
        }
    }
    Ok(None)
}

/// The settings of a component at every sample: `None` where unknown, absent where it was not there.
fn samples_of(
    facts: &Facts,
    names: &[String],
    all: &HashMap<String, &Value>,
    mut each: impl FnMut(V, Option<Value>) -> Result<(), Error>,
) -> Result<(), Error> {
    for &sample in &facts.samples {
        let mut chosen: Option<Option<Value>> = None;
        for name in names.iter().rev() {
            let Some(fields) = tree_at(all[name], sample)? else { continue };
            let mut tree = match fields {
                Value::Null => trees::own(facts, names, sample)?,
                fields => Some(trees::expand(facts, fields)?),
            };
            if let Some(tree) = &mut tree {
                trees::correct(facts, name, names, sample, tree)?;
            }
            match &chosen {
                // Aliases that differ would be a hole in the facts: the newest name decides.
                Some(known) if *known != tree => {
                    println!("note: {} differ at {}", names.join(" and "), text(sample));
                }
                Some(_) => {}
                None => chosen = Some(tree),
            }
        }
        if let Some(tree) = chosen {
            each(sample, tree)?;
        }
    }
    Ok(())
}

/// Joins equal neighbours of ranges over samples.
fn join_ranges(facts: &Facts, rows: Vec<(V, V, Value)>) -> Result<Value, Error> {
    let mut out: Vec<(V, V, Value)> = Vec::new();
    for (from, to, value) in rows {
        if let Some(last) = out.last_mut() {
            let next = facts.samples.iter().find(|&&sample| sample > last.1);
            if last.2 == value && (next == Some(&from) || from <= last.1) {
                last.1 = to.max(last.1);
                continue;
            }
            if from <= last.1 {
                let key = format!("{} to {}", text(from), text(to));
                if to <= last.1 {
                    continue;
                }
                return Err(format!("overlapping ranges at {key}"));
            }
        }
        out.push((from, to, value));
    }
    Ok(out.into_iter().map(|(from, to, value)| json!([text(from), text(to), value])).collect())
}

/// A ranged fact of all names together; the newest name goes first where two overlap.
fn ranged(facts: &Facts, names: &[String], all: &HashMap<String, &Value>, what: &str) -> Result<Value, Error> {
    let mut rows = Vec::new();
    for &sample in &facts.samples {
        for name in names.iter().rev() {
            let mut hit = None;
            for row in list(all[name], what) {
                if version(word(row, "from"))? <= sample && sample <= version(word(row, "to"))? {
                    hit = Some(row["v"].clone());
                }
            }
            if let Some(value) = hit {
                rows.push((sample, sample, value));
                break;
            }
        }
    }
    join_ranges(facts, rows)
}

/// Builds every record.
pub fn build(facts: &Facts) -> Result<Built, Error> {
    let all = by_key(facts);
    let groups = groups(facts)?;
    let canonical: HashMap<String, String> =
        groups.iter().flat_map(|(key, names)| names.iter().map(|name| (name.clone(), key.clone()))).collect();
    let mut store = Store::default();
    let mut roots: Vec<usize> = Vec::new();
    let mut trees_of: BTreeMap<&str, Vec<(V, Option<usize>)>> = BTreeMap::new();
    for (key, names) in &groups {
        let rows = trees_of.entry(key).or_default();
        samples_of(facts, names, &all, |sample, tree| {
            let root = tree.map(|tree| store.insert(&tree, key)).transpose()?;
            roots.extend(root);
            rows.push((sample, root));
            Ok(())
        })?;
    }
    roots.sort_unstable();
    roots.dedup();
    let (lines, ids) = store.lines(&roots);
    let mut components = BTreeMap::new();
    for (key, names) in &groups {
        let newest = all[key.as_str()];
        let mut record = Map::new();
        record.insert("module".to_owned(), newest["module"].clone());
        let bare_names: Vec<&str> = names.iter().map(|name| bare(name)).collect();
        record.insert("names".to_owned(), json!(bare_names));
        record.insert("in".to_owned(), presence(facts, names));
        for what in ["signals", "pairs", "stability"] {
            let value = ranged(facts, names, &all, what)?;
            if value != json!([]) {
                record.insert(what.to_owned(), value);
            }
        }
        let rows = &trees_of[key.as_str()];
        let ranges =
            rows.iter().map(|(sample, root)| (*sample, *sample, root.map_or(Value::Null, |root| json!(ids[&root]))));
        record.insert("trees".to_owned(), join_ranges(facts, ranges.collect())?);
        if let Some(since) = deprecated(facts, names) {
            record.insert("deprecated".to_owned(), json!(since));
        }
        if let Some(replacement) = replacement(facts, key, names, &canonical) {
            record.insert("replacement".to_owned(), replacement);
        }
        let gone = gone(facts, names, rows, &store);
        if !gone.is_empty() {
            record.insert("gone".to_owned(), Value::Array(gone));
        }
        for (sort, rows) in entries(&facts.fix_dates["components"], key) {
            record.insert(sort.clone(), rows.clone());
        }
        components.insert(key.clone(), Value::Object(record));
    }
    let names = canonical.iter().map(|(name, key)| (name.clone(), json!(bare(key)))).collect();
    Ok(Built { names, components, trees: lines, canonical })
}

/// Ranges over releases by distribution and name, from the manifests.
fn presence(facts: &Facts, names: &[String]) -> Value {
    let mut found = Map::new();
    for (distribution, value) in entries(&facts.distributions, "distributions") {
        let mut by_name = Map::new();
        for key in names {
            let Some((kind, name)) = key.split_once('/') else { continue };
            if let Some(ranges) = value["components"][kind][name].as_array() {
                by_name.insert(name.to_owned(), ranges.iter().map(strip_pair).collect());
            }
        }
        if !by_name.is_empty() {
            found.insert(distribution.clone(), Value::Object(by_name));
        }
    }
    Value::Object(found)
}

/// Events of a sort about a component under any of its names.
fn events_of<'a>(facts: &'a Facts, names: &'a [String], sort: &'a str) -> impl Iterator<Item = &'a Value> {
    facts.events.iter().filter(move |event| {
        word(event, "event") == sort
            && names.contains(&format!("{}/{}", word(event, "kind"), word(event, "type")))
            && event.get("scope").is_none()
    })
}

fn deprecated(facts: &Facts, names: &[String]) -> Option<String> {
    events_of(facts, names, "component_deprecated").filter_map(|event| event["version"].as_str()).map(strip).next()
}

fn replacement(facts: &Facts, key: &str, names: &[String], canonical: &HashMap<String, String>) -> Option<Value> {
    if let Some(fixed) = facts.fix_components["replacement"].get(key) {
        let stored = ["name", "kind", "note", "settings"].into_iter();
        let stored = stored.filter_map(|it| Some((it.to_owned(), fixed.get(it)?.clone())));
        return Some(Value::Object(stored.collect()));
    }
    let text = ["component_removed", "component_deprecated"]
        .iter()
        .flat_map(|sort| events_of(facts, names, sort))
        .find_map(|event| event["replacement"].as_str())?;
    let own_kind = key.split('/').next().unwrap_or("");
    let mut options = text.split('|');
    let first = options.next().unwrap_or("");
    let mut note: Vec<String> = options.map(|other| format!("or {other}")).collect();
    let (first, remark) = first.split_once(" (").unwrap_or((first, ""));
    if !remark.is_empty() {
        note.push(remark.trim_end_matches(')').to_owned());
    }
    if let Some(outside) = first.strip_prefix("external: ").or(first.strip_prefix("env:")) {
        return Some(json!({"name": outside, "kind": null, "note": null}));
    }
    let (kind, name) = first.split_once('/').unwrap_or((own_kind, first));
    let known = canonical.get(&format!("{kind}/{name}"))?;
    let note = if note.is_empty() { Value::Null } else { json!(note.join("; ")) };
    Some(json!({"name": bare(known), "kind": kind, "note": note}))
}

/// Settings that vanished: seen as a difference of two samples, dated by an event where there is one.
fn gone(facts: &Facts, names: &[String], rows: &[(V, Option<usize>)], store: &Store) -> Vec<Value> {
    let events = setting_events(facts, names);
    let known: Vec<(V, usize)> = rows.iter().filter_map(|(v, root)| Some((*v, (*root)?))).collect();
    let mut out = Vec::new();
    for pair in known.windows(2) {
        let ((at, before), (by, after)) = (pair[0], pair[1]);
        let mut paths = Vec::new();
        store.vanished(before, after, "", &mut paths);
        for path in paths {
            let mut row = json!({"p": path, "at": text(at), "by": text(by)});
            // An event of this removal: its release lies after the one sample, up to the other.
            for (pattern, removed, replacement) in &events {
                let shared = pattern.strip_prefix("*.").is_some_and(|end| path.ends_with(end));
                let here = *pattern == path || shared;
                if !here || removed.is_some_and(|removed| removed <= at || by < removed) {
                    continue;
                }
                if let Some(removed) = removed {
                    row["in"] = json!(text(*removed));
                }
                if !replacement.is_empty() {
                    row["r"] = json!(replacement);
                }
            }
            if row.get("in").is_none()
                && let Some(removed) = read_removal(facts, names, &path, at, by)
            {
                row["in"] = json!(removed);
            }
            if let Some(words) = advice(facts, names, &path) {
                row["r"] = json!(words);
            }
            out.push(row);
        }
    }
    out
}

/// The release that removed a setting which one sample has and the next has not, as read at every release between.
fn read_removal(facts: &Facts, names: &[String], path: &str, at: V, by: V) -> Option<String> {
    let dated = names.iter().find_map(|name| facts.fix_dates["components"].get(name))?;
    list(dated, "absent").iter().find_map(|row| {
        let part = |at: usize| row.get(at).and_then(Value::as_str).unwrap_or("");
        let (from, to) = (version(part(1)).ok()?, version(part(2)).ok()?);
        (part(0) == path && at < from && to < by && part(3).is_empty()).then(|| part(1).to_owned())
    })
}

/// Our own words for what to write in place of a vanished setting.
fn advice<'f>(facts: &'f Facts, names: &[String], path: &str) -> Option<&'f str> {
    let meant = |row: &&Value| {
        names.iter().any(|name| name == word(row, "component")) && list(row, "paths").iter().any(|it| it == path)
    };
    list(&facts.fix_settings, "gone").iter().find(meant).map(|row| word(row, "use"))
}

/// Fails when our words are for a setting that no record says vanished.
fn advice_met(facts: &Facts, records: &HashMap<String, Value>) -> Result<(), Error> {
    for row in list(&facts.fix_settings, "gone") {
        let gone = records.get(word(row, "component")).map_or(&[][..], |record| list(record, "gone"));
        let told = |path: &Value| gone.iter().any(|it| it["p"] == *path && it["r"] == row["use"]);
        if let Some(path) = list(row, "paths").iter().find(|path| !told(path)) {
            return Err(format!("{} has not lost {path}: the correction is for nothing", word(row, "component")));
        }
    }
    Ok(())
}

/// Removals and renames of settings: path (or `*.` and its end), release when known, replacement.
fn setting_events(facts: &Facts, names: &[String]) -> Vec<(String, Option<V>, String)> {
    let exporter = names.iter().any(|name| name.starts_with("exporter/"));
    let mut out = Vec::new();
    for event in &facts.events {
        if !["setting_removed", "setting_renamed"].contains(&word(event, "event")) {
            continue;
        }
        let prefix = match word(event, "component") {
            "exporterhelper" if exporter => "*.",
            "confighttp" => "*.",
            components if components.split(',').any(|c| names.iter().any(|n| n == c)) => "",
            _ => continue,
        };
        // A rename that only deprecates the old key is not its removal.
        if word(event, "state") == "deprecated" {
            continue;
        }
        let removed = event["version"].as_str().and_then(|text| version(text).ok());
        let replacements = alternatives(word(event, "replacement"));
        let settings = alternatives(word(event, "setting"));
        for (at, setting) in settings.iter().enumerate() {
            let path = setting.replace("[]", ".item");
            let replacement = match replacements.len() {
                count if count == settings.len() => replacements[at].replace("[]", ".item"),
                _ => word(event, "replacement").to_owned(),
            };
            if prefix == "*." {
                out.push((path.clone(), removed, replacement.clone()));
            }
            out.push((format!("{prefix}{path}"), removed, replacement));
        }
    }
    out
}

/// `releases.json`: releases, samples, distributions.
pub fn releases(facts: &Facts) -> Result<String, Error> {
    let mut out = String::from("{\n \"releases\": [\n");
    let tags: Vec<&str> = list(&facts.distributions, "releases").iter().filter_map(Value::as_str).collect();
    for (at, tag) in tags.iter().enumerate() {
        let date = &facts.distributions["release_dates"][tag];
        let samples = list(&facts.meta["sample_for"], tag).iter().filter_map(Value::as_str);
        let samples: Vec<String> = samples.map(strip).collect();
        if samples.is_empty() || date.is_null() {
            return Err(format!("{tag} has no sample or no date"));
        }
        let comma = if at + 1 < tags.len() { "," } else { "" };
        let _ = writeln!(out, "  {}{comma}", json!([strip(tag), date, samples]));
    }
    let samples: Vec<String> = facts.samples.iter().map(|&sample| text(sample)).collect();
    let _ = writeln!(out, " ],\n \"samples\": {},\n \"distributions\": {{", json!(samples));
    let all: Vec<(&String, &Value)> = entries(&facts.distributions, "distributions").collect();
    for (at, (name, value)) in all.iter().enumerate() {
        let containers = list(value, "container").iter().map(|row| {
            let range = strip_pair(&json!([row["since"], row["until"]]));
            let facts = json!({"uid": row["uid"], "gid": row["gid"], "entrypoint": row["entrypoint"], "default_config": row["default_config"]});
            json!([range, facts])
        });
        let containers: Vec<Value> = containers.collect();
        let first = strip(word(value, "first_manifest"));
        let comma = if at + 1 < all.len() { "," } else { "" };
        let entry = json!({"first": first, "containers": containers});
        let _ = writeln!(out, "  {}: {entry}{comma}", json!(name));
    }
    out.push_str(" }\n}\n");
    Ok(out)
}

/// Reads the written lines back, expands every tree and compares it with the facts.
pub fn verify(facts: &Facts, files: &BTreeMap<&str, String>) -> Result<String, Error> {
    let parse = |name: &str| -> Result<HashMap<String, Value>, Error> {
        let lines = files.get(name).ok_or_else(|| format!("no file {name}"))?.lines();
        lines.map(|line| serde_json::from_str::<(String, Value)>(line).map_err(|e| format!("{name}: {e}"))).collect()
    };
    let (stored_trees, records) = (parse("otelcol/trees.jsonl")?, parse("otelcol/components.jsonl")?);
    let all = by_key(facts);
    let (mut compared, mut nodes, mut unknown) = (0, 0, 0);
    let (mut used, mut met) = (BTreeSet::new(), BTreeSet::new());
    for (key, names) in groups(facts)? {
        let record = records.get(&key).ok_or_else(|| format!("no record {key}"))?;
        samples_of(facts, &names, &all, |sample, tree| {
            let mut row = None;
            for range in list(record, "trees") {
                if version(range[0].as_str().unwrap_or(""))? <= sample
                    && sample <= version(range[1].as_str().unwrap_or(""))?
                {
                    row = Some(&range[2]);
                }
            }
            let row = row.ok_or_else(|| format!("{key} has no tree at {}", text(sample)))?;
            let Some(mut tree) = tree else {
                unknown += 1;
                return if row.is_null() { Ok(()) } else { Err(format!("{key}: a tree for null")) };
            };
            met.extend(enums::apply(facts, &names, sample, &mut tree)?);
            let mut store = Store::default();
            let wanted = store.insert(&tree, &key)?;
            let wanted = store.plain(wanted);
            let found = resolve(&Value::String(format!("#{}", row.as_str().unwrap_or(""))), &stored_trees, &mut used)?;
            compared += 1;
            nodes += count(&found);
            if wanted == found { Ok(()) } else { Err(format!("{key} at {} differs", text(sample))) }
        })?;
    }
    enums::all_met(facts, &met)?;
    advice_met(facts, &records)?;
    if let Some(unused) = stored_trees.keys().find(|id| !used.contains(*id)) {
        return Err(format!("the tree {unused} is used by nothing"));
    }
    let mut missing = 0;
    for row in &facts.gone {
        let key = word(row, "component");
        let record = records.values().zip(records.keys()).find(|(record, canonical)| {
            let kind = canonical.split('/').next().unwrap_or("");
            list(record, "names").iter().any(|name| format!("{kind}/{}", name.as_str().unwrap_or("")) == key)
        });
        let Some((record, _)) = record else { return Err(format!("no record of {key}")) };
        for path in list(row, "settings").iter().filter_map(Value::as_str) {
            let told = list(record, "gone").iter().any(|gone| gone["p"] == path);
            if !told {
                println!("note: {key}: {path} of the facts' list of vanished settings is not told");
                missing += 1;
            }
        }
    }
    Ok(format!(
        "{} components under {} names; {compared} trees compared, {nodes} nodes, {unknown} unknown; {} stored subtrees; {missing} vanished settings not told",
        records.len(),
        all.len(),
        stored_trees.len(),
    ))
}

/// A stored tree with its references resolved, plain words as they are.
fn resolve(value: &Value, all: &HashMap<String, Value>, used: &mut BTreeSet<String>) -> Result<Value, Error> {
    match value {
        Value::String(word) => match word.strip_prefix('#') {
            Some(id) => {
                used.insert(id.to_owned());
                resolve(all.get(id).ok_or_else(|| format!("no tree {id}"))?, all, used)
            }
            None => Ok(value.clone()),
        },
        Value::Object(object) => {
            let mut object = object.clone();
            if let Some(children) = object.get("c").and_then(Value::as_object) {
                let children = children
                    .iter()
                    .map(|(key, child)| Ok((key.clone(), resolve(child, all, used)?)))
                    .collect::<Result<Map<_, _>, Error>>()?;
                object.insert("c".to_owned(), Value::Object(children));
            }
            if let Some(item) = object.get("i").cloned() {
                object.insert("i".to_owned(), resolve(&item, all, used)?);
            }
            Ok(Value::Object(object))
        }
        other => Err(format!("not a node: {other}")),
    }
}

fn count(value: &Value) -> usize {
    let below = value.get("c").and_then(Value::as_object).into_iter().flat_map(Map::values);
    1 + below.chain(value.get("i")).map(count).sum::<usize>()
}
