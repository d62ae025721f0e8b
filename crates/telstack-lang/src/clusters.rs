//! A stack of several environments or clusters: `env`, `cluster`, `clusters`, `template`, `use`, `namespace`, and what of
//! it is one of them.
//!
//! Each is a System of its own, made of the lines that count for it: those of the stack and of the environment, those of
//! the templates that the cluster uses, and its own, each over the ones before. What another cluster exposes is outside of it.

mod fleet;
mod mentions;

use std::collections::BTreeMap;

use telstack_diagnostics::{Diagnostic, Diagnostics, SourceMap, Span};
use telstack_syntax::stack::{Atom, Node as Line, Prop, Scalar, Spanned};
use telstack_system::{Origin, Platform, Sourced, System};

use self::mentions::Exposed;
pub(crate) use self::mentions::Reached;
use crate::{Loader, check, check::twice, codes, grammar, layers::lay, names::did_you_mean, stack, words::text};

/// How deep templates may use each other.
const DEEPEST: usize = 16;
/// The tag of a value that the cluster gives.
const OF_CLUSTER: &str = "cluster";
/// The tag of a value that whoever uses a template gives.
const OF_TEMPLATE: &str = "param";
/// Words that say where or how, and make no node.
const NO_NODES: [&str; 7] = ["platform", "versions", "namespace", "use", "template", "cluster", "clusters"];
/// Words by which lines count elsewhere than where they stand.
const LAYERS: [&str; 6] = ["env", "template", "cluster", "clusters", "use", "namespace"];
/// What is the same wherever it is named.
const EVERYWHERE: &str = "external";

/// All that a stack description says: one System, or one for each of its environments and clusters.
#[derive(Debug)]
pub struct Description {
    environments: Vec<Environment>,
}

/// What a stack says in one environment, or in all of one without any.
#[derive(Debug)]
struct Environment {
    /// Its name, where there are several.
    name: Option<Sourced<String>>,
    /// The line of the stack, with what counts for all clusters.
    stack: Line,
    templates: BTreeMap<String, Line>,
    members: Vec<Member>,
    exposed: BTreeMap<(String, String), Exposed>,
    /// Is it what was written, line by line, which has been checked?
    is_plain: bool,
    incomplete: bool,
}

/// What of a stack becomes one System.
#[derive(Clone, Debug)]
struct Member {
    /// Its cluster, of a stack of several.
    name: Option<Sourced<String>>,
    /// What it says of itself: what `(cluster)"key"` stands for.
    facts: BTreeMap<String, Atom>,
    /// Its own lines.
    lines: std::sync::Arc<[Line]>,
    /// Where it is declared.
    head: Span,
    /// Is it a row of a fleet?
    in_table: bool,
}

impl Description {
    /// What the `stack` line of a file says.
    pub(crate) fn new(
        line: &Line,
        sources: &mut SourceMap,
        loader: &dyn Loader,
        incomplete: bool,
        out: &mut Diagnostics,
    ) -> Self {
        let is_plain = !line.children().iter().any(|it| LAYERS.contains(&&*it.name.value));
        if is_plain {
            check::check(line, &grammar::STACK, out);
        } else {
            check::check_part(line, &grammar::STACK, out);
        }
        let mut stack = line.clone();
        let (layers, shared): (Vec<Line>, Vec<Line>) =
            flat(stack.children.take().unwrap_or_default()).into_iter().partition(|it| it.name.value == "env");
        let mut reader = Reader { sources, loader, incomplete, is_plain, out };
        let mut environments: Vec<Environment> = Vec::new();
        for layer in &layers {
            let Some(atom) = layer.args.first() else { continue };
            let Some(name) = text(atom) else { continue };
            let first = environments.iter().find_map(|it| it.name.as_ref().filter(|it| it.value == name)?.span());
            if let Some(first) = first {
                let message = format!("the environment `{name}` is declared twice");
                reader.out.push(twice(message, atom.span, first).help("write what both say in one block"));
                continue;
            }
            let mut lines = shared.clone();
            lay(&mut lines, layer.children().to_vec(), Some(&grammar::STACK));
            let stack = Line { children: Some(lines), ..stack.clone() };
            let name = Sourced::new(name.to_owned(), Origin::written(atom.span));
            environments.push(reader.environment(Some(name), stack));
        }
        if environments.is_empty() {
            environments.push(reader.environment(None, Line { children: Some(shared), ..stack }));
        }
        Self { environments }
    }

    /// How many Systems there are.
    pub fn len(&self) -> usize {
        self.environments.iter().map(|it| it.members.len()).sum()
    }

    /// Never: there is at least one.
    pub fn is_empty(&self) -> bool {
        self.environments.is_empty()
    }

    /// The System of that number. While `out` has errors, things may be missing from it that are not missing from the
    /// text.
    ///
    /// # Panics
    ///
    /// If there are not so many.
    pub fn lower(&self, index: usize, out: &mut Diagnostics) -> System {
        let mut numbered = self
            .environments
            .iter()
            .flat_map(|environment| environment.members.iter().map(move |it| (environment, it)));
        let (environment, member) = numbered.nth(index).expect("a number below `len`");
        environment.lower(member, out)
    }
}

/// The templates of a cluster that were followed already.
#[derive(Default)]
struct Followed {
    /// Those around the line that is read.
    chain: Vec<String>,
    /// Where each was first used.
    firsts: BTreeMap<String, Span>,
}

/// What is needed to read the clusters of an environment.
struct Reader<'a> {
    sources: &'a mut SourceMap,
    loader: &'a dyn Loader,
    incomplete: bool,
    is_plain: bool,
    out: &'a mut Diagnostics,
}

impl Reader<'_> {
    fn environment(&mut self, name: Option<Sourced<String>>, mut stack: Line) -> Environment {
        let lines = stack.children.take().unwrap_or_default();
        let (mut shared, mut templates, mut members) = (Vec::new(), BTreeMap::new(), Vec::new());
        let mut incomplete = self.incomplete;
        for line in lines {
            match line.name.value.as_str() {
                "template" => declare(&mut templates, line, self.out),
                "cluster" => {
                    outside_of_templates(line.children(), self.out);
                    members.extend(Member::of(&line));
                }
                "clusters" => match fleet::members(&line, self.sources, self.loader, self.out) {
                    Some(rows) => {
                        outside_of_templates(line.children(), self.out);
                        members.extend(rows);
                    }
                    None => incomplete = true,
                },
                _ => shared.push(line),
            }
        }
        outside_of_templates(&shared, self.out);
        stack.children = Some(shared);
        if members.is_empty() {
            let (facts, head) = (BTreeMap::new(), stack.head());
            members.push(Member { name: None, facts, lines: Vec::new().into(), head, in_table: false });
        } else {
            outside_of_clusters(&stack, self.out);
            on_kubernetes(&mut stack, &members, self.out);
            named_once(&mut members, self.out);
        }
        let (is_plain, exposed) = (self.is_plain, BTreeMap::new());
        let mut out = Environment { name, stack, templates, members, exposed, is_plain, incomplete };
        out.exposed = mentions::exposed(&out);
        out
    }
}

impl Environment {
    fn lower(&self, member: &Member, out: &mut Diagnostics) -> System {
        let mut line = self.lines_of(member, out);
        let reached = mentions::resolve(self, member.name.as_ref().map(|it| &*it.value), &mut line, out);
        if !self.is_plain {
            check::check(&line, &grammar::STACK, out);
        }
        let mut system = stack::lower(&line, &reached, self.incomplete, out);
        // What another cluster does not say is reported there.
        system.complete = !line.holes;
        system.cluster_name.clone_from(&member.name);
        system.environment.clone_from(&self.name);
        system
    }

    /// The `stack` line as it counts for one member.
    fn lines_of(&self, member: &Member, out: &mut Diagnostics) -> Line {
        let mut stack = self.stack.clone();
        let mut lines = self.spread(stack.children.take().unwrap_or_default(), &mut Followed::default(), out);
        let own = self.spread(member.lines.to_vec(), &mut Followed::default(), out);
        lay(&mut lines, own, Some(&grammar::STACK));
        if self.incomplete || lines.iter().any(|line| line.broken) {
            stack.holes = true;
        }
        let given = Given { tag: OF_CLUSTER, facts: &member.facts, of: Some(member.head), in_table: member.in_table };
        given.put_in(&mut lines, out);
        stack.children = Some(lines);
        stack
    }

    /// Lines with templates in place of each `use`.
    fn spread(&self, lines: Vec<Line>, followed: &mut Followed, out: &mut Diagnostics) -> Vec<Line> {
        let (mut used, mut own) = (Vec::new(), Vec::new());
        for mut line in lines {
            match line.name.value.as_str() {
                "use" => used.extend(self.used(&line, followed, out)),
                "namespace" => {
                    let mut inner = self.spread(line.children.take().unwrap_or_default(), followed, out);
                    line.args.first().into_iter().for_each(|it| inhabit(&mut inner, it));
                    used.extend(inner);
                }
                _ => own.push(line),
            }
        }
        lay(&mut used, own, Some(&grammar::STACK));
        used
    }

    /// The lines of a template, as a `use` line wants them.
    fn used(&self, line: &Line, followed: &mut Followed, out: &mut Diagnostics) -> Vec<Line> {
        let Some(atom) = line.args.first() else { return Vec::new() };
        let Some(name) = text(atom) else { return Vec::new() };
        let Some(template) = self.templates.get(name) else {
            if !self.incomplete {
                let finding = Diagnostic::new(&codes::UNKNOWN_NAME, format!("there is no template `{name}`"));
                let known: Vec<&str> = self.templates.keys().map(String::as_str).collect();
                let finding = did_you_mean(finding.at(atom.span, "unknown"), name, &known, "templates");
                out.push(finding.help(format!("declare it: `template \"{name}\" {{ … }}`")));
            }
            return Vec::new();
        };
        if followed.chain.iter().any(|it| it == name) || followed.chain.len() > DEEPEST {
            let message = format!("the template `{name}` uses itself");
            let finding = Diagnostic::new(&codes::WRONG_VALUE, message).at(atom.span, "not followed");
            let finding = finding.label(template.head(), "declared here");
            out.push(finding.help("leave one of the `use` lines out"));
            return Vec::new();
        }
        if let Some(first) = followed.firsts.insert(name.to_owned(), line.head()) {
            let finding = twice(format!("the template `{name}` is used twice in one cluster"), line.head(), first);
            let finding = finding.note("its nodes would be there twice, under the same names");
            out.push(finding.help("leave one of the `use` lines out"));
            return Vec::new();
        }
        for prop in line.props.iter().filter(|it| template.prop(&it.key.value).is_none()) {
            let message = format!("the template `{name}` has no parameter `{}`", prop.key.value);
            let known: Vec<&str> = template.props.iter().map(|it| it.key.value.as_str()).collect();
            let finding = Diagnostic::new(&codes::UNKNOWN_NAME, message).at(prop.key.span, "unknown");
            let finding = finding.label(template.head(), "declared here");
            out.push(did_you_mean(finding, &prop.key.value, &known, "parameters"));
        }
        let values = template.props.iter().chain(&line.props);
        let facts = values.map(|it| (it.key.value.clone(), it.value.clone())).collect();
        followed.chain.push(name.to_owned());
        let mut lines = template.children().to_vec();
        // Before its own `use` lines are followed: it may hand its parameters on.
        Given { tag: OF_TEMPLATE, facts: &facts, of: Some(template.head()), in_table: false }.put_in(&mut lines, out);
        let lines = self.spread(lines, followed, out);
        followed.chain.pop();
        lines
    }
}

fn declare(templates: &mut BTreeMap<String, Line>, line: Line, out: &mut Diagnostics) {
    let Some(name) = line.args.first().and_then(text) else { return };
    if let Some(first) = templates.get(name) {
        let finding = twice(format!("the template `{name}` is declared twice"), line.head(), first.head());
        out.push(finding.help("give the second one another name"));
        return;
    }
    templates.insert(name.to_owned(), line);
}

/// Nodes beside clusters are in none of them.
fn outside_of_clusters(stack: &Line, out: &mut Diagnostics) {
    let makes_node = |line: &&Line| {
        let word = line.name.value.as_str();
        word != EVERYWHERE && !NO_NODES.contains(&word) && grammar::STACK.child(word).is_some()
    };
    for line in stack.children().iter().filter(makes_node) {
        let title = crate::words::title(line);
        let finding = Diagnostic::new(&codes::WRONG_END, format!("{title} is in no cluster"));
        let finding = finding.at(line.head(), "beside the clusters of the stack");
        out.push(finding.help("move it into a `cluster` block, or into a `template` that clusters use"));
    }
}

/// Parameters are those of a template: elsewhere nobody says what they are.
fn outside_of_templates(lines: &[Line], out: &mut Diagnostics) {
    for line in lines {
        for atom in line.args.iter().chain(line.props.iter().map(|prop| &prop.value)) {
            if atom.tag.as_ref().is_none_or(|tag| tag.value != OF_TEMPLATE) {
                continue;
            }
            let key = atom.as_str().unwrap_or_default();
            let message = format!("`(param)\"{key}\"` stands in no template, so nobody says what it is");
            let finding = Diagnostic::new(&codes::WRONG_VALUE, message).at(atom.span, "outside of templates");
            out.push(finding.help("write the value itself, or `(let)\"name\"` for a constant of the stack"));
        }
        outside_of_templates(line.children(), out);
    }
}

/// One host is no cluster. What else is wrong is told as it is on Kubernetes: there `mode` and `expose` have a meaning.
fn on_kubernetes(stack: &mut Line, members: &[Member], out: &mut Diagnostics) {
    let lines = stack.children.iter_mut().flatten();
    let Some(platform) = lines.filter(|it| it.name.value == "platform").find_map(|it| it.args.first_mut()) else {
        return;
    };
    if text(platform).is_some_and(|it| it != Platform::Kubernetes.id()) {
        let finding = Diagnostic::new(&codes::WRONG_VALUE, "docker compose runs on one host, and not on clusters");
        let finding = finding.at(platform.span, "one host").label(members.first().map(|it| it.head), "a cluster");
        out.push(finding.help("write `platform \"kubernetes\"`, or put what differs into `env` blocks"));
        platform.scalar = Scalar::String(Platform::Kubernetes.id().to_owned());
    }
}

fn named_once(members: &mut Vec<Member>, out: &mut Diagnostics) {
    let mut firsts: BTreeMap<String, Span> = BTreeMap::new();
    members.retain(|member| {
        let Some(name) = &member.name else { return true };
        let here = name.span().unwrap_or(member.head);
        if let Some(first) = firsts.get(&name.value) {
            out.push(twice(format!("the cluster `{}` is declared twice", name.value), here, *first));
            return false;
        }
        firsts.insert(name.value.clone(), here);
        true
    });
}

/// Lines with nodes that know their namespace in place of each `namespace`, so that each can be found by its name. What
/// a template brings is not known yet: `namespace` blocks are left around `use`.
fn flat(lines: Vec<Line>) -> Vec<Line> {
    let bare = |line: &&Line| line.name.value == "namespace" && line.children.is_none();
    let everything = lines.iter().find(bare).cloned();
    let within = |namespace: &Line, mut lines: Vec<Line>| {
        let Some(atom) = namespace.args.first() else { return lines };
        inhabit(&mut lines, atom);
        let wrap = |line: Line| match line.name.value.as_str() {
            "use" => Line { children: Some(vec![line]), ..namespace.clone() },
            _ => line,
        };
        lines.into_iter().map(wrap).collect()
    };
    let mut out = Vec::new();
    for mut line in lines {
        match line.name.value.as_str() {
            "namespace" => {
                let children = line.children.take().unwrap_or_default();
                out.extend(within(&line, flat(children)));
            }
            "env" | "cluster" | "clusters" | "template" => {
                line.children = line.children.map(flat);
                out.push(line);
            }
            _ => out.push(line),
        }
    }
    match everything {
        Some(namespace) => within(&namespace, out),
        None => out,
    }
}

/// Puts the nodes among lines into a namespace, but those that have one.
fn inhabit(lines: &mut [Line], namespace: &Atom) {
    for line in lines {
        let word = line.name.value.as_str();
        let of_nodes = grammar::STACK.child(word).is_some() && !NO_NODES.contains(&word) && word != EVERYWHERE;
        if of_nodes && line.prop("namespace").is_none() {
            let key = Spanned { value: "namespace".to_owned(), span: namespace.span };
            line.props.push(Prop { key, value: namespace.clone() });
        }
    }
}

impl Member {
    fn of(line: &Line) -> Option<Self> {
        let atom = line.args.first()?;
        let name = Sourced::new(text(atom)?.to_owned(), Origin::written(atom.span));
        let mut facts: BTreeMap<String, Atom> =
            line.props.iter().map(|it| (it.key.value.clone(), it.value.clone())).collect();
        facts.insert("name".to_owned(), atom.clone());
        let lines = line.children().to_vec().into();
        Some(Self { name: Some(name), facts, lines, head: line.head(), in_table: false })
    }
}

/// What a tag stands for.
struct Given<'a> {
    tag: &'static str,
    facts: &'a BTreeMap<String, Atom>,
    of: Option<Span>,
    /// Is it given by the columns of a table?
    in_table: bool,
}

impl Given<'_> {
    /// Puts values in place of the tag everywhere below `lines`. Their place is where they are given: there a wrong
    /// one is to be changed.
    fn put_in(&self, lines: &mut [Line], out: &mut Diagnostics) {
        for line in lines {
            for atom in line.args.iter_mut().chain(line.props.iter_mut().map(|prop| &mut prop.value)) {
                self.replace(atom, out);
            }
            if let Some(children) = &mut line.children {
                self.put_in(children, out);
            }
        }
    }

    fn replace(&self, atom: &mut Atom, out: &mut Diagnostics) {
        if atom.tag.as_ref().is_none_or(|tag| tag.value != self.tag) {
            return;
        }
        let key = atom.as_str().unwrap_or_default();
        if let Some(value) = self.facts.get(key) {
            *atom = value.clone();
            return;
        }
        let known: Vec<&str> = self.facts.keys().map(String::as_str).collect();
        let finding = if known.is_empty() && self.tag == OF_CLUSTER {
            let finding = Diagnostic::new(&codes::UNKNOWN_NAME, format!("there is no cluster to say its `{key}`"));
            finding.at(atom.span, "outside of clusters").help("declare one: `cluster \"hub\" { … }`")
        } else {
            let (what, of) = match self.tag {
                OF_CLUSTER => ("the cluster says nothing of its", "properties"),
                _ => ("the template has no parameter", "parameters"),
            };
            let finding = Diagnostic::new(&codes::UNKNOWN_NAME, format!("{what} `{key}`"));
            let finding = finding.at(atom.span, "asked for here");
            let finding = if self.in_table {
                finding.label(self.of, "a row without it").help(format!("give the fleet a column `{key}`"))
            } else {
                finding.label(self.of, format!("write `{key}=\"…\"` here"))
            };
            did_you_mean(finding, key, &known, of)
        };
        out.push(finding);
    }
}
