//! What can be asked over HTTP: metrics, health, readiness, one customer, open spikes, and the console.
//!
//! This is the window, not the house: it knows no worker, store or metric, only what a [`Site`]
//! lends it. Everything is bounded, because whoever can reach the port can try to fill it:
//! connections, header size and time, body size, the time of a request and of a connection.

mod answer;
mod bind;
mod console;
mod pages;
mod server;
mod site;
mod stream;
#[cfg(test)]
mod tests;
mod token;
mod viewers;

pub use self::{
    bind::{BindError, bind},
    server::serve,
    site::{
        CustomerLookup, Limits, LookupError, LookupFuture, MetricsText, OpenSpikes, Reach,
        Readiness, Site, SummaryJson,
    },
    token::Token,
    viewers::{Full, Viewers},
};
