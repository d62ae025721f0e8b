//! Values: what an atom means as a duration, a size, a name; and what to say when it means nothing.
//!
//! [`check`] reports; the readers below it are silent, because whatever they read has been checked.

use telstack_catalog::{Distribution, Signal, Version, product::Product};
use telstack_diagnostics::{Diagnostic, Diagnostics};
use telstack_syntax::stack::{Atom, Node as Line, Scalar};
use telstack_system::{
    Origin, SecretRef, Sourced,
    units::{Bytes, Cpu, Period},
};

use crate::{
    codes,
    grammar::Kind,
    names::{did_you_mean, nearest, one_of},
};

/// Longest host name label that DNS and container platforms take.
const LONGEST_NAME: usize = 63;

/// Pipeline signals that this release compiles.
pub(crate) const SIGNALS: [&str; 3] = [Signal::Traces.as_str(), Signal::Metrics.as_str(), Signal::Logs.as_str()];

/// Compose parts the two sides of a mount by a colon.
fn is_path(text: &str) -> bool {
    !text.contains(':')
}

/// `#true` or `#false`.
pub(crate) fn truth(atom: &Atom) -> Option<bool> {
    match atom.scalar {
        Scalar::Bool(truth) => Some(truth),
        _ => None,
    }
}

/// Reports an atom that is no value of `kind`. `word` is the word or property that it belongs to.
pub(crate) fn check(kind: Kind, word: &str, atom: &Atom, out: &mut Diagnostics) {
    if atom.tag.is_some() {
        if let Ok(Some(_)) = reference(atom, out)
            && kind != Kind::Secret
        {
            out.push(
                Diagnostic::new(&codes::WRONG_VALUE, format!("`{word}` cannot be a reference"))
                    .at(atom.span, "known only when the stack runs")
                    .note("names, sizes, durations and addresses decide what is compiled, so they must be known now")
                    .help("write the value itself, or name it once with `let` and use `(let)\"name\"`"),
            );
        }
        return;
    }
    match kind {
        Kind::Word(words, later) => word_of(word, words, later, atom, out),
        Kind::Distribution => {
            let words: Vec<&str> = Distribution::ALL.iter().map(|it| it.as_str()).collect();
            word_of(word, &words, &[], atom, out);
        }
        Kind::Signal => signal_word(word, atom, out),
        _ if fits(kind, atom) => {}
        _ => {
            let (wanted, help) = explain(kind, word, atom);
            let message = format!("`{word}` takes {wanted}, not {}", given(atom));
            let quoted = kind == Kind::Count && atom.as_str().is_some();
            let label = if quoted { "a text".to_owned() } else { format!("not {wanted}") };
            out.push(Diagnostic::new(&codes::WRONG_VALUE, message).at(atom.span, label).help(help));
        }
    }
}

fn fits(kind: Kind, atom: &Atom) -> bool {
    match kind {
        Kind::Name => text(atom).is_some_and(is_host_name),
        Kind::Id => text(atom).is_some_and(is_component_id),
        Kind::Mention | Kind::Text | Kind::Secret => text(atom).is_some(),
        Kind::Period => period(atom).is_some(),
        Kind::Bytes => bytes(atom).is_some(),
        Kind::Cpu => cpu(atom).is_some(),
        Kind::Count => count(atom).is_some(),
        Kind::Replicas => replicas(atom).is_some(),
        Kind::Release => release(atom).is_some(),
        Kind::Url => text(atom).is_some_and(is_url),
        Kind::Address => text(atom).is_some_and(|it| is_url(it) || is_host_and_port(it)),
        Kind::HostPath => text(atom).is_some_and(is_path),
        Kind::InnerPath => text(atom).is_some_and(|it| is_path(it) && it.starts_with('/')),
        Kind::Share => share(atom).is_some(),
        Kind::Truth => truth(atom).is_some(),
        Kind::Any => atom.scalar != Scalar::Null,
        Kind::Signal | Kind::Word(..) | Kind::Distribution => true,
    }
}

/// What is wanted, and what to write.
fn explain(kind: Kind, word: &str, atom: &Atom) -> (&'static str, String) {
    let text = atom.as_str().unwrap_or_default();
    let number = match atom.scalar {
        Scalar::Int(number) => Some(number),
        _ => text.trim().parse().ok(),
    };
    if let Some(help) = upwards(kind, text) {
        let wanted = match kind {
            Kind::Replicas => "a range that goes upwards",
            _ => "a range from what is kept to what is allowed",
        };
        return (wanted, help);
    }
    match kind {
        Kind::Name => {
            let name = host_name_from(text);
            let help = if text.len() > LONGEST_NAME {
                format!("write at most {LONGEST_NAME} letters, digits and `-`: it becomes a host name")
            } else if name.is_empty() {
                "start with a letter, then letters, digits and `-`".to_owned()
            } else {
                format!(
                    "write `\"{name}\"`: it becomes a host name, so lower case letters, digits and `-`, a letter first"
                )
            };
            ("a host name", help)
        }
        Kind::Id => {
            ("a component id", "write `\"type\"` or `\"type/name\"`: `\"otlp\"`, `\"otlp/internal\"`".to_owned())
        }
        Kind::Period => {
            let help = match number {
                Some(number) if number > 0 => {
                    format!("add the unit: `\"{number}s\"`, `\"{number}m\"`, `\"{number}h\"`, `\"{number}d\"`")
                }
                _ if let Some(short) = short_period(text) => format!("write `\"{short}\"`"),
                _ => {
                    "write a number with its unit, above zero: `\"500ms\"`, `\"5s\"`, `\"1h30m\"`, `\"30d\"`".to_owned()
                }
            };
            ("a duration", help)
        }
        Kind::Bytes => {
            let binary = text.ends_with("Ki") || text.ends_with("Mi") || text.ends_with("Gi") || text.ends_with("Ti");
            let help = match number {
                Some(number) if number > 0 => format!("add the unit: `\"{number}MiB\"`, `\"{number}GiB\"`"),
                _ if binary => format!("write `\"{text}B\"`"),
                _ => "write a number with its unit, above zero: `\"512MiB\"`, `\"2GiB\"` (powers of 1024), `\"40GB\"` (powers of 1000)".to_owned(),
            };
            ("a size", help)
        }
        Kind::Cpu => {
            ("a share of processor time", "write cores or thousandths of one: `2`, `0.5`, `\"500m\"`".to_owned())
        }
        Kind::Count => match number {
            Some(number) if number > 0 => ("a whole number above zero", format!("take the quotes off: `{number}`")),
            _ => ("a whole number above zero", "write it without quotes: `10000`".to_owned()),
        },
        Kind::Replicas => {
            ("a number of replicas", "write a whole number above zero, or a range: `3`, `\"2..10\"`".to_owned())
        }
        Kind::Release => {
            let newest = Product::parse(word).unwrap_or(Product::Otelcol).newest();
            let help = match atom.scalar {
                Scalar::Int(_) | Scalar::Float(_) => format!("write the release in quotes: `\"{newest}\"`"),
                _ => format!("name one release: `\"{newest}\"`; settings and ports are checked for exactly that one"),
            };
            ("a release", help)
        }
        Kind::Url => {
            let help = if is_host_and_port(text) {
                format!("say how it is dialled: `\"https://{text}\"` or `\"http://{text}\"`")
            } else {
                "write `\"https://host:port/path\"`".to_owned()
            };
            ("a URL", help)
        }
        Kind::Address => {
            ("an address", "write a URL for HTTP, `\"https://host/path\"`, or `\"host:port\"` for gRPC".to_owned())
        }
        Kind::HostPath => (
            "a path",
            "write a path from the root, or one below the build folder: `\"./data\"`; without `:`".to_owned(),
        ),
        Kind::InnerPath => {
            ("a path from the root", "write where it is to be in the container, such as `\"/data\"`".to_owned())
        }
        Kind::Share => ("a share", "write a number from zero to one, without quotes: `0.25`".to_owned()),
        Kind::Truth => ("a truth value", "write `#true` or `#false`".to_owned()),
        Kind::Any => ("a value", "write a text, a number, `#true` or `#false`".to_owned()),
        Kind::Mention => ("a name", "write the name in quotes".to_owned()),
        Kind::Secret => ("a secret", "write `(secret)\"name/key\"` or `(env)\"NAME\"`".to_owned()),
        Kind::Text if matches!(&atom.scalar, Scalar::String(text) if text.trim().is_empty()) => {
            ("a text", "write one, or leave the word out".to_owned())
        }
        Kind::Text | Kind::Signal | Kind::Word(..) | Kind::Distribution => ("a text", "write it in quotes".to_owned()),
    }
}

/// What to write for a range that goes downwards.
fn upwards(kind: Kind, text: &str) -> Option<String> {
    let (from, to) = text.split_once("..")?;
    let turned = format!("{}..{}", to.trim(), from.trim());
    let fits = match kind {
        Kind::Bytes => limit(&turned, Bytes::parse).is_some(),
        Kind::Cpu => limit(&turned, Cpu::parse).is_some(),
        Kind::Replicas => range(&turned).is_some(),
        _ => false,
    };
    fits.then(|| format!("write the least first: `\"{turned}\"`"))
}

/// `30d` for `30 days`.
fn short_period(text: &str) -> Option<String> {
    let (number, unit) = text.trim().split_once(' ')?;
    let letter = unit.trim().get(..1)?.to_lowercase();
    let short = format!("{number}{letter}");
    Period::parse(&short).filter(|period| period.millis() > 0).map(|_| short)
}

fn given(atom: &Atom) -> String {
    match &atom.scalar {
        Scalar::String(text) if text.is_empty() => "an empty text".to_owned(),
        Scalar::String(text) if text.parse::<f64>().is_ok() => format!("the text `\"{text}\"`"),
        Scalar::String(text) => format!("`{text}`"),
        Scalar::Int(number) => format!("`{number}`"),
        _ => atom.describe().to_owned(),
    }
}

fn word_of(word: &str, words: &[&str], later: &[&str], atom: &Atom, out: &mut Diagnostics) {
    let text = atom.as_str().unwrap_or_default();
    if words.contains(&text) {
        return;
    }
    if later.contains(&text) {
        let message = format!("`{word} \"{text}\"` is not supported yet");
        let finding = Diagnostic::new(&codes::NOT_SUPPORTED_YET, message).at(atom.span, "for a later release");
        out.push(finding.help(format!("this release knows {}", one_of(words))));
        return;
    }
    let finding = Diagnostic::new(&codes::WRONG_VALUE, format!("`{word}` cannot be {}", given(atom)));
    let finding = finding.at(atom.span, format!("not one of {}", one_of(words)));
    out.push(match nearest(text, words.iter().copied()) {
        Some(near) => finding.help(format!("did you mean `{near}`?")),
        None => finding.help(format!("write {}", one_of(words))),
    });
}

fn signal_word(word: &str, atom: &Atom, out: &mut Diagnostics) {
    if signal(atom).is_some() {
        return;
    }
    let text = atom.as_str().unwrap_or_default();
    let (bare, name) = text.split_once('/').map_or((text, None), |(bare, name)| (bare, Some(name)));
    if bare == Signal::Profiles.as_str() {
        let finding = Diagnostic::new(&codes::NOT_SUPPORTED_YET, "pipelines of profiles are not supported yet");
        out.push(finding.at(atom.span, "for a later release").note("upstream calls the signal experimental"));
        return;
    }
    if SIGNALS.contains(&bare) && name.is_some() {
        let finding = Diagnostic::new(&codes::WRONG_VALUE, format!("`{text}` is no pipeline id"));
        out.push(finding.at(atom.span, "nothing useful behind the `/`").help(format!("write `{bare}/name`")));
        return;
    }
    let message = format!("`{word}` takes a signal, not {}", given(atom));
    let finding = Diagnostic::new(&codes::WRONG_VALUE, message).at(atom.span, "not a signal");
    out.push(match (nearest(bare, SIGNALS.into_iter()), name) {
        (Some(near), Some(name)) => finding.help(format!("did you mean `{near}/{name}`?")),
        _ => did_you_mean(finding, bare, &SIGNALS, "signals"),
    });
}

/// What a tag in front of a value refers to: `Ok(None)` without a tag. Reports tags that are none.
pub(crate) fn reference(atom: &Atom, out: &mut Diagnostics) -> Result<Option<SecretRef>, ()> {
    let Some(tag) = &atom.tag else { return Ok(None) };
    let text = atom.as_str().unwrap_or_default();
    let finding = match tag.value.as_str() {
        "secret" => match text.split_once('/') {
            Some((name, key)) if is_secret_part(name) && is_secret_part(key) => {
                return Ok(Some(SecretRef::Secret { name: name.to_owned(), key: key.to_owned() }));
            }
            _ => Diagnostic::new(&codes::WRONG_VALUE, format!("`{text}` names no secret"))
                .at(atom.span, "not `name/key`")
                .help("write the secret and the key in it: `(secret)\"grafana/admin-password\"`")
                .note("both parts start with a letter and hold letters, digits, `-`, `_` and `.`"),
        },
        "env" if is_variable(text) => return Ok(Some(SecretRef::Env(text.to_owned()))),
        "env" => Diagnostic::new(&codes::WRONG_VALUE, format!("`{text}` names no environment variable"))
            .at(atom.span, "not the name of a variable")
            .help("write its name alone: `(env)\"DD_API_KEY\"`"),
        // Nothing of that name: reported where values are put in.
        "let" | "cluster" | "param" => return Err(()),
        other => {
            let finding = Diagnostic::new(&codes::WRONG_VALUE, format!("`({other})` is no kind of reference"))
                .at(tag.span, "unknown");
            did_you_mean(finding, other, &["secret", "env", "let", "cluster", "param"], "references")
        }
    };
    out.push(finding);
    Err(())
}

/// A text that is not empty and no reference.
pub(crate) fn text(atom: &Atom) -> Option<&str> {
    atom.as_str().filter(|text| atom.tag.is_none() && !text.trim().is_empty())
}

/// The same, with its origin.
pub(crate) fn sourced_text(atom: &Atom) -> Option<Sourced<String>> {
    Some(sourced(atom, text(atom)?.to_owned()))
}

/// A value as written by an atom.
pub(crate) fn sourced<T>(atom: &Atom, value: T) -> Sourced<T> {
    Sourced::new(value, Origin::written(atom.span))
}

/// A duration above zero.
pub(crate) fn period(atom: &Atom) -> Option<Period> {
    Period::parse(text(atom)?).filter(|period| period.millis() > 0)
}

/// A size above zero; of a range `request..limit` the limit.
pub(crate) fn bytes(atom: &Atom) -> Option<Bytes> {
    limit(text(atom)?, |text| Bytes::parse(text).filter(|size| size.bytes() > 0))
}

/// A share of processor time above zero; of a range `request..limit` the limit.
pub(crate) fn cpu(atom: &Atom) -> Option<Cpu> {
    let some = |cpu: &Cpu| cpu.millis() > 0;
    match atom.scalar {
        Scalar::Int(cores) if atom.tag.is_none() => Cpu::parse(&cores.to_string()).filter(some),
        Scalar::Float(cores) if atom.tag.is_none() => Cpu::from_cores(cores).filter(some),
        _ => limit(text(atom)?, |text| Cpu::parse(text).filter(some)),
    }
}

/// Of a range `request..limit` of processor time the request.
pub(crate) fn cpu_request(atom: &Atom) -> Option<Cpu> {
    cpu(atom)?;
    Cpu::parse(text(atom)?.split_once("..")?.0.trim())
}

/// Of a range `request..limit` of bytes the request.
pub(crate) fn bytes_request(atom: &Atom) -> Option<Bytes> {
    bytes(atom)?;
    Bytes::parse(text(atom)?.split_once("..")?.0.trim())
}

fn limit<T: PartialOrd>(text: &str, parse: impl Fn(&str) -> Option<T>) -> Option<T> {
    match text.split_once("..") {
        Some((request, limit)) => {
            let (request, limit) = (parse(request.trim())?, parse(limit.trim())?);
            (request <= limit).then_some(limit)
        }
        None => parse(text),
    }
}

/// A whole number above zero.
pub(crate) fn count(atom: &Atom) -> Option<i64> {
    match atom.scalar {
        Scalar::Int(number) if atom.tag.is_none() && number > 0 => Some(number),
        _ => None,
    }
}

/// A share of something, from zero to one.
pub(crate) fn share(atom: &Atom) -> Option<f64> {
    let number = match atom.scalar {
        Scalar::Int(0) => 0.0,
        Scalar::Int(1) => 1.0,
        Scalar::Float(number) => number,
        _ => return None,
    };
    (atom.tag.is_none() && (0.0..=1.0).contains(&number)).then_some(number)
}

/// How many there are at least, and of a range how many at most.
pub(crate) fn replicas(atom: &Atom) -> Option<(u64, Option<u64>)> {
    if let Some(number) = count(atom) {
        return Some((u64::try_from(number).ok()?, None));
    }
    range(text(atom)?).map(|(least, most)| (least, Some(most)))
}

fn range(text: &str) -> Option<(u64, u64)> {
    let (least, most) = text.split_once("..")?;
    let (least, most): (u64, u64) = (least.trim().parse().ok()?, most.trim().parse().ok()?);
    (least > 0 && least < most && most <= MOST_REPLICAS).then_some((least, most))
}

/// More than anybody runs.
const MOST_REPLICAS: u64 = 10_000;

/// A release.
pub(crate) fn release(atom: &Atom) -> Option<Version> {
    Version::parse(text(atom)?)
}

/// A pipeline id: its signal and what stands behind the slash.
pub(crate) fn signal(atom: &Atom) -> Option<(Signal, Option<&str>)> {
    let text = text(atom)?;
    let (bare, name) = text.split_once('/').map_or((text, None), |(bare, name)| (bare, Some(name)));
    let named = name.is_none_or(|name| !name.trim().is_empty());
    Signal::parse(bare).filter(|signal| named && SIGNALS.contains(&signal.as_str())).map(|signal| (signal, name))
}

/// A secret, a variable or a literal.
pub(crate) fn secret(atom: &Atom) -> Option<Sourced<SecretRef>> {
    let mut silent = Diagnostics::default();
    let literal = || text(atom).map(|text| SecretRef::Literal(text.to_owned()));
    reference(atom, &mut silent).ok()?.or_else(literal).map(|it| sourced(atom, it))
}

/// `collector "gateway"`: a line in messages.
pub(crate) fn title(line: &Line) -> String {
    match line.args.first().and_then(Atom::as_str) {
        Some(name) => format!("`{} \"{name}\"`", line.name.value),
        None => format!("`{}`", line.name.value),
    }
}

/// Is it `http://host…` or `https://host…`?
pub(crate) fn is_url(text: &str) -> bool {
    let rest = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://"));
    rest.is_some_and(|rest| !rest.is_empty() && !rest.starts_with(['/', ':']) && !rest.contains(char::is_whitespace))
}

fn is_host_and_port(text: &str) -> bool {
    text.rsplit_once(':').is_some_and(|(host, port)| {
        !host.is_empty() && !host.contains(['/', ' ']) && port.parse::<u16>().is_ok_and(|port| port > 0)
    })
}

/// Can this be the name of a stack or a node? It becomes a host name: lower-case letters, digits and dashes,
/// a letter first, 63 at most.
pub fn is_host_name(text: &str) -> bool {
    text.len() <= LONGEST_NAME
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && !text.ends_with('-')
        && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
}

/// Can an object of Kubernetes have this name? Host names with dots between them.
pub(crate) fn is_object_name(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let part = |it: &str| it.starts_with(plain) && it.ends_with(plain) && it.chars().all(|c| plain(c) || c == '-');
    text.len() <= 253 && text.split('.').all(part)
}

/// The name of an object that somebody probably meant.
pub(crate) fn object_name_from(text: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '.' { c.to_ascii_lowercase() } else { '-' };
    let name: String = text.chars().map(plain).collect();
    let name = name.trim_matches(['-', '.']);
    if is_object_name(name) { name.to_owned() } else { String::new() }
}

/// The host name that somebody probably meant.
fn host_name_from(text: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    let name: String = text.chars().map(plain).skip_while(|c| !c.is_ascii_lowercase()).take(LONGEST_NAME).collect();
    name.trim_end_matches('-').to_owned()
}

fn is_component_id(text: &str) -> bool {
    let (ty, name) = text.split_once('/').map_or((text, None), |(ty, name)| (ty, Some(name)));
    ty.starts_with(|c: char| c.is_ascii_alphabetic())
        && ty.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && name.is_none_or(|name| !name.trim().is_empty() && !name.contains(char::is_whitespace))
}

fn is_secret_part(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
}

fn is_variable(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}
