//! `expose`: how what is outside the cluster reaches a collector.

use telstack_diagnostics::{Diagnostic, Diagnostics};
use telstack_syntax::stack::Node as Line;
use telstack_system::{ComponentId, Exposure, ExposureTls, Origin};

use crate::{
    codes,
    stack::name_of,
    words::{sourced, sourced_text, text},
};

/// What an `expose` line says; none where it says too little, which the grammar reports.
pub(crate) fn of(line: &Line) -> Option<Exposure> {
    let host = line.prop("host").and_then(sourced_text)?;
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

/// Reports what contradicts itself.
pub(crate) fn check(collector: &Line, line: &Line, exposure: &Exposure, out: &mut Diagnostics) {
    let takes = |it: &Line| {
        let id = it.args.first().and_then(text).map(ComponentId::parse);
        it.name.value == "receiver" && id.is_some_and(|id| id.ty == "otlp")
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
