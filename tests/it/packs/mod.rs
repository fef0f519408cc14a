//! The shipped packs and the examples of the rule reference keep what their tests promise.

mod journeys;
mod names;
mod reference;
mod shipped;

use std::path::Path;

use rega::{
    config::{Colour, Environment, load_suites},
    trial::{self, PackOutcome},
};

/// Loads a pack and runs its tests, as `rega test` does.
///
/// # Errors
///
/// Returns the problems of the files, or what is not as expected, as a person would read it.
pub(crate) fn run(pack: &Path) -> Result<PackOutcome, String> {
    let path = pack.to_str().ok_or("a path that is no text")?;
    let suites = load_suites(&[path.to_owned()], &Environment::default());
    let suites = suites.map_err(|report| report.render(Colour::Never))?;
    let [suite] = suites.as_slice() else { return Err(format!("{} packs", suites.len())) };
    let verdict = trial::run(&suite.pack, &suite.settings);
    if verdict.failures.is_empty() {
        return Ok(verdict);
    }
    let failures = verdict.failures.iter();
    let told = failures.map(|one| format!("{}: {}\n{}", one.place, one.test, one.text));
    Err(told.collect::<Vec<_>>().join("\n"))
}

/// Returns the names of rules that no test hits.
pub(crate) fn idle(verdict: &PackOutcome) -> String {
    verdict.idle_rules.iter().map(|(_, rule)| &**rule).collect::<Vec<_>>().join(", ")
}
