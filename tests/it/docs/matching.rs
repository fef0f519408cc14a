//! Whether a command said what a page shows.
//!
//! A page is written once and the program changes: numbers and times differ from run to run. So a
//! number stands for any number, `…` for anything, and the lines shown must come in that order;
//! what stands between them need not be shown. Where the same files always give the same numbers, a
//! page says `text exact`, and a number stands for itself.

use regex::Regex;

/// What a number on a page stands for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Numbers {
    /// Any number.
    Any,
    /// Itself.
    Exact,
}

/// Returns the first line shown that was not said, or nothing when all were.
pub(crate) fn first_unsaid<'s>(shown: &'s str, said: &str, numbers: Numbers) -> Option<&'s str> {
    let mut said = said.lines();
    shown
        .lines()
        .filter(|line| !line.trim().is_empty() && line.trim() != "…")
        .find(|line| !said.by_ref().any(|each| pattern(line, numbers).is_match(each)))
}

/// A number, with thousands set apart and a fraction or not.
const NUMBER: &str = r"[0-9]+(?:,[0-9]{3})*(?:\.[0-9]+)?";

fn pattern(shown: &str, numbers: Numbers) -> Regex {
    let open = Regex::new(&format!("…| +|{NUMBER}")).unwrap();
    let mut pattern = String::from("^ *");
    let mut rest = shown.trim();
    while let Some(found) = open.find(rest) {
        let (before, after) = rest.split_at(found.start());
        pattern.push_str(&regex::escape(before));
        match (found.as_str(), numbers) {
            ("…", _) => pattern.push_str(".*"),
            (spaces, _) if spaces.starts_with(' ') => pattern.push_str(" +"),
            (_, Numbers::Any) => pattern.push_str(NUMBER),
            (number, Numbers::Exact) => pattern.push_str(&regex::escape(number)),
        }
        rest = after.split_at(found.len()).1;
    }
    pattern.push_str(&regex::escape(rest));
    pattern.push_str(" *$");
    Regex::new(&pattern).unwrap()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_gaps_stand_for_any() {
        #[track_caller]
        fn check(shown: &str, said: &str, unsaid: Option<&str>) {
            assert_eq!(first_unsaid(shown, said, Numbers::Any), unsaid);
        }
        check("1,234 a, 5, b", "12 a, 6,789, b", None);
        check("{\"x\":4,\"y\":[0,1]}", "{\"x\":1.16,\"y\":[10,2]}", None);
        check("  indented", "indented", None);
        check("7 lines = 3 accepted…", "19 lines = 18 accepted + 1 reject\n", None);
        check("a 1\n…\nb", "x\na   22\ny\nb\n", None);
        check("a\nb", "b\na\n", Some("b"));
        check("a 1", "a one\n", Some("a 1"));
        check("{…\"valence\":\"pain\"…}", "{\"x\":1,\"valence\":\"pain\",\"y\":2}", None);
        check("whole", "the whole line\n", Some("whole"));
    }

    #[test]
    fn where_a_page_says_exact_a_number_stands_for_itself() {
        #[track_caller]
        fn check(shown: &str, said: &str, unsaid: Option<&str>) {
            assert_eq!(first_unsaid(shown, said, Numbers::Exact), unsaid);
        }
        check("3 lines = 2 accepted…", "3 lines = 2 accepted + 1 rejects", None);
        check("3 lines = 2 accepted…", "3 lines = 12 accepted", Some("3 lines = 2 accepted…"));
        check("3 lines", "13 lines", Some("3 lines"));
        check("pain   late 1", "pain late  1\n", None);
        check("\"x\":1,…", "\"x\":1.5,\"y\":2", Some("\"x\":1,…"));
    }
}
