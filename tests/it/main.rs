//! Rega against real parts: a native Kafka broker that this binary starts and takes down.
#![cfg(test)]

mod broker;
mod client;
mod idle;
mod kcat;
mod docs;
mod packs;
mod process;
mod service;
mod startup;
mod stream;
mod command_line;
mod command_line;
mod packs;
mod topics;
mod transactions;
