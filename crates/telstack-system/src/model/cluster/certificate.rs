//! What cert-manager is asked for.

use crate::origin::{Origin, Sourced};

/// Who makes certificates out.
#[derive(Clone, Debug)]
pub struct Issuer {
    /// Its name.
    pub name: String,
    /// Where it is.
    pub namespace: Option<String>,
    /// The Secret with the authority that it signs with; none: certificates sign themselves.
    pub authority: Option<String>,
    /// What declares it.
    pub origin: Origin,
}

/// A certificate, kept in a Secret.
#[derive(Clone, Debug)]
pub struct Certificate {
    /// Its name.
    pub name: String,
    /// Where it is.
    pub namespace: Option<String>,
    /// The Secret that it is kept in, with its key and the authority: `tls.crt`, `tls.key`, `ca.crt`.
    pub secret: String,
    /// Whom it is for, where no host is.
    pub common_name: Option<Sourced<String>>,
    /// The host names and addresses that it is for.
    pub hosts: Vec<Sourced<String>>,
    /// Is it an authority itself?
    pub is_authority: bool,
    /// What it may be used for, in the words of cert-manager: `server auth`, `client auth`.
    pub usages: Vec<String>,
    /// Who makes it out.
    pub issuer: Sourced<IssuerRef>,
    /// The cluster in which it is asked for, if it is another one.
    pub elsewhere: Option<String>,
    /// What declares it.
    pub origin: Origin,
}

/// An issuer by its name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct IssuerRef {
    /// Is it one of the whole cluster?
    pub cluster: bool,
    /// Its name.
    pub name: String,
}
