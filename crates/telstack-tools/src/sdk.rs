//! What a program with an OpenTelemetry SDK dials, as the variables say that all SDKs read.

use telstack_catalog::Signal;
use telstack_system::{
    Dial, EnvValue, EnvVar, Known, NodeId, Protocol, Purpose, System, Tls,
    link::{self, Address, Call, Way},
};

use crate::folder::Dialled;

/// What they all start with.
const OTLP: &str = "OTEL_EXPORTER_OTLP_";
const ENDPOINT: &str = "ENDPOINT";
const PROTOCOL: &str = "PROTOCOL";
/// It sends nothing at all.
const DISABLED: &str = "OTEL_SDK_DISABLED";
/// OTLP, and nobody says over what: it depends on the language and its release.
const EITHER: Protocol = Protocol("otlp");

/// What the variables of a program say that it dials.
pub(crate) fn dialled(environment: &[EnvVar]) -> Vec<Dialled> {
    let text = |name: &str| {
        let variable = environment.iter().find(|it| it.name == name)?;
        match &variable.value {
            EnvValue::Literal(text) if !text.is_empty() => Some((text.as_str(), &variable.origin)),
            _ => None,
        }
    };
    if text(DISABLED).is_some_and(|(value, _)| value.eq_ignore_ascii_case("true")) {
        return Vec::new();
    }
    let prefixes = std::iter::once(None).chain(Signal::ALL.iter().map(Some));
    let dials = prefixes.filter_map(|signal| {
        let prefix = signal.map_or(OTLP.to_owned(), |it| format!("{OTLP}{}_", it.as_str().to_uppercase()));
        let (address, origin) = text(&format!("{prefix}{ENDPOINT}"))?;
        let address = Address::parse(address).filter(|_| !address.contains('$'))?;
        let protocol = text(&format!("{prefix}{PROTOCOL}")).or_else(|| text(&format!("{OTLP}{PROTOCOL}")));
        let protocol = match protocol.map(|(word, _)| word) {
            None => EITHER,
            Some("grpc") => Protocol::OTLP_GRPC,
            Some("http/protobuf" | "http/json") => Protocol::OTLP_HTTP,
            Some(_) => return None,
        };
        let tls = match address.scheme.as_str() {
            "https" => Known::Value(Tls::On),
            "http" => Known::Value(Tls::Off),
            _ => Known::Unknown,
        };
        // The address for one signal is the whole address.
        let end = signal.map(|it| format!("/v1/{}", it.as_str()));
        let path = address.path.trim_end_matches('/');
        let path = end.and_then(|end| path.strip_suffix(end.as_str())).unwrap_or(path).to_owned();
        let (host, port, origin) = (address.host, address.port?, origin.clone());
        let dial = Dial { component: None, protocol, host, port, path, tls, tenant: None, origin };
        Some(Dialled { purpose: Purpose::Telemetry, dial })
    });
    dials.collect()
}

/// Where a program does not say which OTLP it speaks, it speaks what it is answered in; false if it is answered in
/// something else altogether.
pub(crate) fn settle(system: &System, from: NodeId, call: &mut Call) -> bool {
    if call.dial.protocol != EITHER {
        return true;
    }
    let dialled = call.dial.port;
    let (to, port) = match link::way(system, from, &call.dial.host, dialled) {
        Way::To(to, via) => (Some(to), via.and_then(|via| via.port).unwrap_or(dialled)),
        Way::Service(_) | Way::Out | Way::Nowhere => (None, dialled),
    };
    let here = || to.into_iter().flat_map(|to| &system.node(to).listeners).filter(|it| it.port == port);
    let spoken = [Protocol::OTLP_HTTP, Protocol::OTLP_GRPC];
    let found = spoken.into_iter().find(|it| here().any(|listener| listener.protocol == *it));
    let strange = found.is_none() && here().next().is_some();
    // What the specification wants of those that say nothing.
    call.dial.protocol = found.unwrap_or(Protocol::OTLP_HTTP);
    !strange
}
