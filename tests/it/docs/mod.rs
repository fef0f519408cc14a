//! The documentation does what it says: its commands run, its files are sound, its tables complete.
//!
//! The words after a fence say what an example is:
//!
//! | fence | what happens |
//! |---|---|
//! | `sh` | typed into a terminal, must succeed |
//! | `console` | its `$ rega …` must be understood; it is not run |
//! | `sh fails` | typed, must fail |
//! | `sh beside` | typed into another terminal, where it runs on until `sh interrupt` |
//! | `text` | the command before must have said it, with whatever numbers |
//! | `text exact` | the command before must have said it, with these numbers |
//! | `text picture` | only looked at |
//! | `yaml FILE`, `ndjson FILE` | saved there; YAML is checked, and its tests run |
//! | `yaml` | checked |
//! | `json SCHEMA` | satisfies `docs/schemas/SCHEMA.json` |

mod matching;
pub(crate) mod page;
mod pages;
mod reader;
mod settings;
mod terminal;
mod words;
