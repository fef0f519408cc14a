//! Rega against real parts: a native Kafka broker that this binary starts and takes down.
#![cfg(test)]

mod alarms;
mod broker;
mod browser;
mod chaos;
mod client;
mod command_line;
mod console;
mod deploy;
mod dialects;
mod disk;
mod docs;
mod erase;
mod failpoints;
mod idle;
mod kcat;
mod owners;
mod packs;
mod process;
mod refusals;
mod reload;
mod retention;
mod route;
mod security;
mod service;
mod simulated;
mod startup;
mod stream;
mod topics;
mod transactions;
mod watching;
mod web;
