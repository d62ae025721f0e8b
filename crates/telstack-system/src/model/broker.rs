//! Brokers of messages: who writes to a topic and who reads it need not know of each other.

use crate::origin::Origin;

/// A broker that is known by its image.
#[derive(Clone, Debug, Default)]
pub struct Broker {
    /// Where it tells its clients to come back to; nothing where that is not known.
    pub advertised: Vec<Advertised>,
}

/// An address that a broker tells its clients.
#[derive(Clone, PartialEq, Debug)]
pub struct Advertised {
    /// The name of the listener: `PLAINTEXT`, `INTERNAL`.
    pub listener: String,
    /// The host.
    pub host: String,
    /// The port that clients are told.
    pub port: u16,
    /// The port that the listener of that name has, if it is known.
    pub binds: Option<u16>,
    /// What says so.
    pub origin: Origin,
}
