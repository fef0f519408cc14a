//! Rega against real parts: a native Kafka broker that this binary starts and takes down.
#![cfg(test)]

mod broker;
mod client;
mod command_line;
mod docs;
mod erase;
mod idle;
mod kcat;
mod owners;
mod packs;
mod process;
mod route;
mod security;
mod service;
mod simulated;
mod startup;
mod stream;
mod topics;
mod transactions;
