//! A distribution of the collector that somebody built.

use std::collections::BTreeSet;

use telstack_catalog::{ComponentKind, otelcol};

use crate::origin::Origin;

/// A distribution that somebody built from modules of their choice.
#[derive(Clone, Debug)]
pub struct BuiltDistribution {
    /// What it is called.
    pub name: String,
    /// The Go modules of each kind, without versions.
    pub modules: BTreeSet<(ComponentKind, String)>,
    /// What describes it.
    pub origin: Origin,
}

/// A component that somebody wrote, whatever else goes by its name.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct OwnComponent {
    /// What it is.
    pub kind: ComponentKind,
    /// Its type as modules are named: without underscores.
    pub name: String,
}

impl OwnComponent {
    /// Is that its type?
    pub fn is(&self, kind: ComponentKind, ty: &str) -> bool {
        self.kind == kind && ty.chars().filter(|c| !matches!(c, '_' | '-')).eq(self.name.chars())
    }
}

impl BuiltDistribution {
    /// Was it built with that component?
    pub fn has(&self, component: otelcol::Component) -> bool {
        self.modules.iter().any(|(kind, module)| *kind == component.kind() && module == component.module())
    }

    /// Its components of somebody's own, by their modules: neither these nor others of that origin are known.
    pub fn own(&self) -> impl Iterator<Item = OwnComponent> {
        let origin = |module: &str| module.splitn(3, '/').take(2).collect::<Vec<_>>().join("/");
        let all = ComponentKind::ALL.iter().flat_map(|kind| otelcol::components(*kind));
        let known: BTreeSet<String> = all.map(|it| origin(it.module())).collect();
        self.modules.iter().filter(move |(_, module)| !known.contains(&origin(module))).filter_map(|(kind, module)| {
            let last = module.rsplit('/').next()?.to_ascii_lowercase();
            let name = last.strip_suffix(&kind.to_string()).filter(|it| !it.is_empty())?;
            Some(OwnComponent { kind: *kind, name: name.to_owned() })
        })
    }

    /// May it hold components of a kind that nobody knows the types of?
    pub fn has_unknown(&self, kind: ComponentKind) -> bool {
        let known: BTreeSet<&str> = otelcol::components(kind).map(otelcol::Component::module).collect();
        self.modules.iter().any(|(of, module)| *of == kind && !known.contains(module.as_str()))
    }
}
