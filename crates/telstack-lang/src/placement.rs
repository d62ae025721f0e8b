//! `platform`, and what lines say of where and how often their nodes run.

use telstack_diagnostics::{Diagnostic, Diagnostics};
use telstack_syntax::stack::{Atom, Node as Line};
use telstack_system::{Origin, Placement, Platform, Sourced, WorkloadKind};

use crate::{
    check::value,
    codes,
    words::{self, sourced, sourced_text, text},
};

/// Where everything runs, unless a line says otherwise.
pub(crate) struct Placed {
    /// The platform.
    pub(crate) platform: Sourced<Platform>,
    namespace: Option<Sourced<String>>,
}

/// Properties that only Kubernetes has a meaning for.
const OF_KUBERNETES: [&str; 2] = ["mode", "replicas"];

impl Placed {
    /// As the stack says; `origin` is where it is declared. Without a namespace of its own it is one of the stack's
    /// name.
    pub(crate) fn read(stack: &Line, origin: &Origin) -> Self {
        let atom = value(stack, "platform");
        let platform = match atom.and_then(text) {
            Some(word) if word == Platform::Kubernetes.id() => Platform::Kubernetes,
            _ => Platform::Compose,
        };
        let place = atom.map_or_else(|| origin.clone(), |atom| Origin::written(atom.span));
        let line = stack.children().iter().find(|line| line.name.value == "platform");
        let named = line.and_then(|line| value(line, "namespace")).and_then(sourced_text);
        let own = || {
            let name = stack.args.first().and_then(Atom::as_str).unwrap_or_default().to_owned();
            let reason = "`platform` names no namespace: one called like the stack";
            Sourced::new(name, Origin::derived(crate::stack::PASS, reason, &[origin, &place]))
        };
        let namespace = (platform == Platform::Kubernetes).then(|| named.unwrap_or_else(own));
        Self { platform: Sourced::new(platform, place), namespace }
    }

    /// Where a line wants its node to run.
    pub(crate) fn of(&self, line: &Line, out: &mut Diagnostics) -> Placement {
        if self.platform.value == Platform::Compose {
            for key in OF_KUBERNETES {
                if let Some(atom) = line.prop(key) {
                    let message = format!("`{key}` has no meaning in docker compose");
                    let finding = Diagnostic::new(&codes::WRONG_VALUE, message).at(atom.span, "for Kubernetes");
                    out.push(
                        finding
                            .label(self.platform.span(), "runs here")
                            .help(format!("drop `{key}`, or write `platform \"kubernetes\"`")),
                    );
                }
            }
            return Placement::default();
        }
        Placement {
            namespace: self.namespace.clone(),
            kind: line.prop("mode").and_then(kind),
            replicas: line
                .prop("replicas")
                .and_then(|atom| Some(sourced(atom, u64::try_from(words::count(atom)?).ok()?))),
        }
    }
}

fn kind(atom: &Atom) -> Option<Sourced<WorkloadKind>> {
    let kind = match text(atom)? {
        "daemonset" => WorkloadKind::DaemonSet,
        "deployment" => WorkloadKind::Deployment,
        "statefulset" => WorkloadKind::StatefulSet,
        _ => return None,
    };
    Some(sourced(atom, kind))
}
