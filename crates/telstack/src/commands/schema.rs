//! `schema`: what a file may hold, for programs.

use telstack_workspace::Described;

use super::assumed;
use crate::{
    args::{Schema, SchemaOf},
    output::{Fatal, Outcome, Output},
};

/// `schema`.
pub fn schema(output: &Output, args: &Schema) -> Result<Outcome, Fatal> {
    let (version, distribution) = (args.version.as_deref(), args.distribution.as_deref());
    let described = match args.what {
        SchemaOf::Otelcol => Described::Collector(assumed(version, distribution)?),
        _ if version.or(distribution).is_some() => {
            return Err(Fatal::new("`--version` and `--distribution` belong to `telstack schema otelcol`")
                .help("leave them out"));
        }
        SchemaOf::Stack => Described::Stack,
        SchemaOf::Diagnostics => Described::Diagnostics,
        SchemaOf::Settings => Described::Settings,
    };
    output.print(&telstack_workspace::schema(described));
    Ok(Outcome::Clean)
}
