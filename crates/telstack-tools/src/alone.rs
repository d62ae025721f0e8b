//! A file of a product that is read by itself: what runs it, and what is beside it, is not known.

use telstack_catalog::{Version, product::Product};
use telstack_diagnostics::{Diagnostics, FileId, Span};
use telstack_system::{Node, NodeKind, Origin, Platform, Sourced, Store, System};

use crate::{
    SourceFile,
    folder::{CONFIG, Folder, Loose},
    read_node,
};

/// What a file is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Alone {
    /// The configuration of a product.
    Config(Product),
    /// Alert and recording rules.
    Rules,
    /// Data sources of Grafana.
    DataSources,
    /// Where Grafana finds dashboards.
    DashboardProviders,
    /// `grafana.ini`.
    GrafanaIni,
}

impl Alone {
    /// The product that reads it.
    pub fn product(self) -> Product {
        match self {
            Self::Config(product) => product,
            Self::Rules => Product::Prometheus,
            Self::DataSources | Self::DashboardProviders | Self::GrafanaIni => Product::Grafana,
        }
    }

    fn role(self) -> &'static str {
        match self {
            Self::Config(_) => CONFIG,
            Self::Rules => "rules",
            Self::DataSources => "datasources",
            Self::DashboardProviders => "dashboards",
            Self::GrafanaIni => "ini",
        }
    }
}

/// Reads one file as a System of one node, of the release that its comments name, else of the one that was `told`.
/// Nothing is known to be missing from it.
pub fn read_alone(
    file: SourceFile<'_>,
    name: &str,
    what: Alone,
    told: Option<Sourced<Version>>,
    out: &mut Diagnostics,
) -> System {
    // Its path is of no use: nothing else is there.
    let files = [SourceFile { path: CONFIG, ..file }];
    read(file.file, &mut Folder::new(&files, String::new(), out), name, what, told)
}

/// The same of a text that stands inside of a file.
pub fn read_loose_alone(
    loose: &Loose,
    name: &str,
    what: Alone,
    told: Option<Sourced<Version>>,
    out: &mut Diagnostics,
) -> System {
    read(loose.file, &mut Folder::of_loose(CONFIG, loose, out), name, what, told)
}

fn read(file: FileId, folder: &mut Folder<'_>, name: &str, what: Alone, told: Option<Sourced<Version>>) -> System {
    let origin = Origin::written(Span::new(file, 0, 0));
    let by_itself = || Origin::builtin("check", "the file stands by itself", &[]);
    let mut system = System::new(name, origin.clone(), Sourced::new(Platform::Compose, by_itself()));
    (system.from_files, system.complete) = (true, false);
    let product = what.product();
    let kind = match Store::new(product) {
        Some(store) => NodeKind::Store(Box::new(store)),
        None if product == Product::Alertmanager => NodeKind::Alerter(Box::default()),
        None => NodeKind::Viewer(Box::default()),
    };
    (folder.alone, folder.told) = (Some(what.role()), told);
    let id = system.add(Node::new(name, origin, None, kind));
    read_node(system.node_mut(id), folder);
    system
}
