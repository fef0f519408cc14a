//! The engine against laws and against a naive oracle.
//!
//! The [`oracle`] tells a customer's story from the sorted list of all their touchpoints, with
//! sums over everything that ever happened: no tail, no settled state, no rows, no fading in
//! steps. [`world`] runs the engine as the service would, with commits, crashes and restarts.

mod batches;
mod duplicates;
mod grammar;
mod journey;
mod oracle;
mod pack;
mod permutations;
mod rows;
mod seeds;
mod shop;
mod told;
mod world;
