//! Words for messages.

use std::fmt::Display;

use telstack_catalog::{
    Version,
    near::Near,
    otelcol,
    product::{Product, SettingFlag},
};
use telstack_diagnostics::Diagnostic;
use telstack_system::{Container, Listener, Node, Platform};

use crate::Cx;

/// `` `a` ``, `` `a` and `b` ``, `` `a`, `b` and `c` ``.
pub(crate) fn ticked<T: Display>(items: impl IntoIterator<Item = T>) -> String {
    joined(items.into_iter().map(|item| format!("`{item}`")), "and")
}

/// `` `a` ``, `` `a` or `b` ``, `` `a`, `b` or `c` ``.
pub(crate) fn either<T: Display>(items: impl IntoIterator<Item = T>) -> String {
    joined(items.into_iter().map(|item| format!("`{item}`")), "or")
}

fn joined(items: impl Iterator<Item = String>, word: &str) -> String {
    let items: Vec<String> = items.collect();
    match items.as_slice() {
        [] => "nothing".to_owned(),
        [one] => one.clone(),
        [start @ .., last] => format!("{} {word} {last}", start.join(", ")),
    }
}

/// A value in one line.
pub(crate) fn one_line(value: &str) -> String {
    value.replace('\n', "\\n")
}

/// What to do about a value that ends with a line break, which nobody means.
pub(crate) fn at_its_end(value: &str) -> Option<&'static str> {
    let help = "a block keeps the line break at its end: start it with `>-` or `|-`, or write the value behind its key";
    value.ends_with('\n').then_some(help)
}

/// "a map", "an exporter".
pub(crate) fn article(noun: &str) -> &'static str {
    if noun.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" }
}

/// The candidate closest to a misspelt word, if it is close enough to be a slip.
pub(crate) fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    const SLIP: Near =
        Near { letter: |_| true, case: true, limit: |asked, other| Some((asked.max(other) / 3).clamp(1, 4)) };
    SLIP.nearest(word, candidates.into_iter().filter(|it| *it != word))
}

/// The finding with the place that decides the release of a node.
pub(crate) fn with_release(finding: Diagnostic, node: &Node) -> Diagnostic {
    let Some(version) = &node.version else { return finding };
    let how = if version.origin.is_written() { "is pinned here" } else { "runs here, as no release is named" };
    finding.label(version.span(), format!("{} {how}", version.value))
}

/// How to mount a path of the host at a path of a container, in the words of what runs it: a stack, compose, a cluster.
pub(crate) fn mount_host(cx: &Cx<'_>, path: &str, at: &str) -> String {
    if cx.system.platform.value == Platform::Kubernetes && cx.system.from_files {
        return format!(
            "`{{name: host, mountPath: {at}, readOnly: true}}` among the container's `volumeMounts`, and `{{name: host, \
             hostPath: {{path: {path}}}}}` among the pod's `volumes`"
        );
    }
    let there = if path == at { String::new() } else { format!(" to=\"{at}\"") };
    cx.words(
        format!("`mount \"{path}\"{there}` in the collector's block"),
        format!("`{path}:{at}:ro` among its `volumes`"),
    )
}

/// What a collector serves itself, without a component.
pub(crate) const OWN_METRICS: &str = "the server of the collector's own metrics";

/// How to let a collector of a release serve its own metrics at an address.
pub(crate) fn own_metrics_at(version: Version, address: &str) -> String {
    match address.rsplit_once(':').filter(|_| otelcol::telemetry(version).readers) {
        Some((host, port)) => format!(
            "`service.telemetry.metrics.readers: [{{pull: {{exporter: {{prometheus: {{host: {host}, port: {port}}}}}}}}}]`"
        ),
        None => format!("`service.telemetry.metrics.address: {address}`"),
    }
}

/// The flag that says which interface the server of a store binds.
const SERVER_ADDRESS: &str = "server.http-listen-address";

/// How to bind every interface.
pub(crate) fn bind_all(node: &Node, listener: &Listener) -> String {
    let address = format!("0.0.0.0:{}", listener.port);
    // Loki, Tempo and Mimir name address and port apart; what Tempo is sent comes to its receivers.
    let server = node.product().filter(|it| listener.signals.is_empty() || *it != Product::Tempo);
    if let Some(SettingFlag::Sets(path)) = server.and_then(|it| it.setting_flag(SERVER_ADDRESS)) {
        let flag = node.container.iter().flat_map(|it| &it.command).any(|word| word.origin == listener.origin);
        let said = if flag { format!("-{SERVER_ADDRESS}=0.0.0.0") } else { format!("{path}: 0.0.0.0") };
        return format!("bind every interface: `{said}`, which it does by itself");
    }
    let own = node.version().filter(|_| node.collector().is_some() && listener.owner.is_none());
    let what = own.map_or_else(|| format!("`{address}`"), |version| own_metrics_at(version, &address));
    format!("bind every interface: {what}")
}

/// What listens, and where.
pub(crate) fn served(node: &Node, listener: &Listener) -> String {
    if node.collector().is_some() && listener.owner.is_none() {
        return format!("{OWN_METRICS} in `{}`", node.name);
    }
    format!("`{}` of `{}`", listener.name, node.name)
}

/// Does run time decide any of this text, or whoever fills in a template? `${env:X}`, `$X`, `{{ .X }}`.
pub(crate) fn is_reference(text: &str) -> bool {
    telstack_system::expansion::is_open(text)
}

/// How files get into a container at a path inside.
pub(crate) fn mount_files(container: Option<&Container>, what: &str, path: &str) -> String {
    if container.is_some_and(|it| it.pod.is_some()) {
        return format!(
            "mount {what} at `{path}`: `{{name: …, mountPath: {path}}}` among the container's `volumeMounts`, of a \
             ConfigMap whose keys are the names of the files"
        );
    }
    format!("mount {what} at `{path}`")
}
