//! `expose`: how what is outside the cluster reaches a collector.

use core::net::IpAddr;

use telstack_diagnostics::{Diagnostic, Diagnostics};
use telstack_syntax::stack::{Atom, Node as Line};
use telstack_system::{ComponentId, Exposure, ExposureTls, Origin};

use crate::{
    codes,
    stack::name_of,
    words::{sourced, sourced_text, text},
};

/// The type of the receivers that others may send to.
pub(crate) const RECEIVER: &str = "otlp";

/// What an `expose` line says; none where it says too little or no host, which the grammar and [`check`] report.
pub(crate) fn of(line: &Line) -> Option<Exposure> {
    let host = line.prop("host").and_then(sourced_text)?;
    let is_plain = line.prop("tls").and_then(text) == Some("off");
    let can_be_reached = is_full_name(&host.value) || is_plain && host.value.parse::<IpAddr>().is_ok();
    if !can_be_reached {
        return None;
    }
    let tls = line.prop("tls").and_then(|atom| {
        let tls = match text(atom)? {
            "on" => ExposureTls::On,
            "mutual" => ExposureTls::Mutual,
            "off" => ExposureTls::Off,
            _ => return None,
        };
        Some(sourced(atom, tls))
    });
    let issuer = line.prop("issuer").and_then(sourced_text);
    Some(Exposure { host, tls, issuer, origin: Origin::written(line.head()) })
}

/// What is wrong with a host that nobody can be led to, or made a certificate out to.
fn no_host(atom: &Atom) -> Option<Diagnostic> {
    let host = text(atom)?;
    let finding = |message: &str| {
        Diagnostic::new(&codes::WRONG_VALUE, format!("`host` takes a host name, not {message}`{host}`"))
    };
    let address = |it: &str| it.trim_matches(['[', ']']).parse::<IpAddr>().is_ok();
    if address(host) {
        let finding = finding("the address ").at(atom.span, "no name to make a certificate out to");
        return Some(finding.help("write a name that leads to it: `host=\"otlp.example.com\"`"));
    }
    let bare = host.split_once("://").map_or(host, |(_, rest)| rest).split(['/', ':']).next().unwrap_or_default();
    let bare = bare.to_ascii_lowercase();
    let finding =
        finding(if host.contains("://") { "the URL " } else { "" }).at(atom.span, "a name alone, as DNS has it");
    let finding = finding.note("port and protocol follow: OTLP over gRPC at its own port");
    Some(if is_full_name(&bare) {
        finding.help(format!("write `host=\"{bare}\"`"))
    } else {
        finding.help("write a name as in `host=\"otlp.example.com\"`: letters, digits, `-` and `.`")
    })
}

/// Is it a name as DNS has them, and no address?
fn is_full_name(text: &str) -> bool {
    let label = |it: &str| {
        !it.is_empty()
            && it.len() <= 63
            && !it.starts_with('-')
            && !it.ends_with('-')
            && it.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
    };
    let numbers = text.rsplit('.').next().is_some_and(|it| it.chars().all(|c| c.is_ascii_digit()));
    text.len() <= 253 && text.split('.').all(label) && !numbers
}

/// Reports what contradicts itself.
pub(crate) fn check(collector: &Line, line: &Line, exposure: Option<&Exposure>, out: &mut Diagnostics) {
    let Some(exposure) = exposure else {
        out.extend(line.prop("host").and_then(no_host));
        return;
    };
    let takes = |it: &Line| {
        let id = it.args.first().and_then(text).map(ComponentId::parse);
        it.name.value == "receiver" && id.is_some_and(|id| id.ty == RECEIVER)
    };
    if !collector.is_incomplete() && !collector.children().iter().any(takes) {
        let message = format!("`{}` is exposed, and has no receiver for what others send", name_of(collector));
        let finding = Diagnostic::new(&codes::MISSING_PART, message).at(line.head(), "for OTLP");
        let finding = finding.label(collector.head(), "has no `receiver \"otlp\"`");
        out.push(finding.help("add `receiver \"otlp\"`, and name it in `from`"));
    }
    let mutual = exposure.tls.as_ref().filter(|it| it.value == ExposureTls::Mutual);
    if let (Some(mutual), Some(issuer)) = (mutual, &exposure.issuer) {
        let message = "an issuer whom everybody knows makes certificates out to everybody: nobody would be kept out";
        let finding = Diagnostic::new(&codes::WRONG_VALUE, message).at(issuer.span(), "of all certificates");
        let finding = finding.label(mutual.span(), "only some are let in");
        out.push(finding.help("drop `issuer`: the collector gets an authority of its own"));
    }
    let off = exposure.tls.as_ref().filter(|it| it.value == ExposureTls::Off);
    if let (Some(off), Some(issuer)) = (off, &exposure.issuer) {
        let finding = Diagnostic::new(&codes::WRONG_VALUE, "without TLS nobody issues a certificate");
        let finding = finding.at(issuer.span(), "of a certificate").label(off.span(), "in plain text");
        out.push(finding.label(line.head(), "exposed here").help("drop `issuer`, or `tls=\"off\"`"));
    }
}
