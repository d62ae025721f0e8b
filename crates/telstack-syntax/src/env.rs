//! `.env` files: names and values, one a line.

use crate::{Writer, Written};

/// One variable.
#[derive(Clone, Debug)]
pub struct Variable<M> {
    /// The name.
    pub name: String,
    /// The value as written.
    pub value: String,
    /// A comment for the lines above.
    pub comment: String,
    /// Where it comes from.
    pub mark: M,
}

/// Writes variables, each with its comment above it, under a header.
pub fn write<M: Clone + PartialEq>(header: &str, header_mark: &M, variables: &[Variable<M>]) -> Written<M> {
    let mut out = Writer::default();
    crate::yaml::comment(&mut out, 0, header, header_mark);
    for variable in variables {
        out.newline();
        crate::yaml::comment(&mut out, 0, &variable.comment, &variable.mark);
        out.line(&format!("{}={}", variable.name, variable.value), &variable.mark);
    }
    out.finish()
}
