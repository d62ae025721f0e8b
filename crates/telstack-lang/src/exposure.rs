//! `expose`: how what is outside the cluster reaches a collector.

use telstack_diagnostics::{Diagnostic, Diagnostics};
use telstack_syntax::stack::Node as Line;
use telstack_system::{Exposure, ExposureTls, Origin};

use crate::{
    codes,
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
pub(crate) fn check(line: &Line, exposure: &Exposure, out: &mut Diagnostics) {
    let off = exposure.tls.as_ref().filter(|it| it.value == ExposureTls::Off);
    if let (Some(off), Some(issuer)) = (off, &exposure.issuer) {
        let finding = Diagnostic::new(&codes::WRONG_VALUE, "without TLS nobody issues a certificate");
        let finding = finding.at(issuer.span(), "of a certificate").label(off.span(), "in plain text");
        out.push(finding.label(line.head(), "exposed here").help("drop `issuer`, or `tls=\"off\"`"));
    }
}
