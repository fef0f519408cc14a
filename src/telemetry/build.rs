//! Which build this is.
//!
//! The commit comes from the environment of the compiler (`REGA_COMMIT`), and not from git at build
//! time: what is built from an archive or in an image has no repository, and builds as well.

use std::sync::LazyLock;

/// The version that was released.
pub(super) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// What stands where nobody said.
const UNKNOWN: &str = "unknown";

/// Returns the commit that this was built from; `unknown` where nobody said.
pub(super) fn revision() -> &'static str {
    match option_env!("REGA_COMMIT") {
        None | Some("") => UNKNOWN,
        Some(commit) => commit,
    }
}

/// Returns version and commit as a person reads them; the version alone where no commit is known.
pub fn version() -> &'static str {
    static TEXT: LazyLock<String> = LazyLock::new(|| written(revision()));
    &TEXT
}

fn written(revision: &str) -> String {
    if revision == UNKNOWN { VERSION.to_owned() } else { format!("{VERSION} ({revision})") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_commit_is_shown_where_it_is_known() {
        assert_eq!(written(UNKNOWN), VERSION);
        assert_eq!(written("1a2b3c4"), format!("{VERSION} (1a2b3c4)"));
    }
}
