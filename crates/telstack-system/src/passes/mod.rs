//! Passes: small named steps that complete a System, run in a fixed order.
//!
//! Each value that a pass adds says which pass, and why: `telstack why` answers from that.

mod alerts;
mod backends;
mod codes;
mod connections;
mod containers;
mod delivery;
mod encryption;
mod exposure;
mod health;
mod hosts;
mod kubernetes;
mod leader;
mod links;
mod listeners;
mod messages;
mod negotiate;
mod pipelines;
mod policies;
mod presets;
mod programs;
mod scrape;
mod sizing;
mod targets;
mod telemetry;
mod views;

use telstack_diagnostics::Diagnostics;

pub use codes::{NAME_COLLIDES, RULES};
pub use containers::labels;
pub use listeners::collector_listeners;
pub use messages::{DEFAULT as MESSAGE_MIB, ITEM as ITEM_BYTES};
pub use programs::environment_for;

use crate::graph::System;

/// A step.
#[derive(Clone, Copy, Debug)]
pub struct Pass {
    /// Its name, as `telstack why` shows it.
    pub name: &'static str,
    /// What it does and why, in a line.
    pub reason: &'static str,
    run: fn(&mut System, &mut Diagnostics),
}

/// All passes in the order they run.
pub const ALL: &[Pass] = &[
    exposure::REACH_PASS,
    negotiate::PASS,
    exposure::EXPOSE_PASS,
    backends::PASS,
    pipelines::PASS,
    sizing::PASS,
    presets::PASS,
    delivery::PASS,
    leader::PASS,
    kubernetes::PASS,
    health::PASS,
    telemetry::PASS,
    listeners::PASS,
    messages::PASS,
    connections::PASS,
    targets::PASS,
    programs::PASS,
    scrape::PASS,
    alerts::PASS,
    views::PASS,
    hosts::PASS,
    containers::PASS,
    links::PASS,
    policies::PASS,
];

/// Runs all passes. A System with mistakes goes through as far as it makes sense: one run reports every
/// independent mistake.
pub fn run(system: &mut System, diagnostics: &mut Diagnostics) {
    for pass in ALL {
        (pass.run)(system, diagnostics);
    }
}

/// Runs the passes up to and with the one of that name; all of them if there is none.
pub fn run_until(system: &mut System, diagnostics: &mut Diagnostics, last: &str) {
    for pass in ALL {
        (pass.run)(system, diagnostics);
        if pass.name == last {
            break;
        }
    }
}
