//! The engine against laws and against a naive oracle.
//!
//! The [`oracle`] tells a customer's story from the sorted list of all their touchpoints, with
//! sums over everything that ever happened: no tail, no settled state, no rows, no fading in
//! steps. [`world`] runs the engine as the service would, with commits, crashes and restarts.

#![expect(
    clippy::filter_map_next,
    clippy::naive_bytecount,
    clippy::needless_pass_by_value,
    clippy::single_match_else,
    clippy::too_many_arguments,
    clippy::type_complexity,
    clippy::unnecessary_wraps,
    clippy::wildcard_enum_match_arm,
    reason = "an oracle is written to be plainly right, and otherwise than the engine"
)]

mod batches;
mod duplicates;
mod erasure;
mod explained;
mod grammar;
mod herds;
mod journey;
mod late;
mod oracle;
mod pack;
mod permutations;
mod rates;
mod reload;
mod rows;
mod seeds;
mod shop;
mod told;
mod world;
