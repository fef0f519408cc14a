//! Whether a command said what a page shows.
//!
//! A page is written once and the program changes: numbers and times differ from run to run. So a
//! number stands for any number, `…` for anything, and the lines shown must come in that order;
//! what stands between them need not be shown.

use regex::Regex;

/// Returns the first line shown that was not said, or nothing when all were.
pub(crate) fn first_unsaid<'s>(shown: &'s str, said: &str) -> Option<&'s str> {
    let mut said = said.lines();
    shown
        .lines()
        .filter(|line| !line.trim().is_empty() && line.trim() != "…")
        .find(|line| !said.by_ref().any(|each| pattern(line).is_match(each)))
}

fn pattern(shown: &str) -> Regex {
    let mut pattern = String::from("^");
    let mut rest = shown.trim().chars().peekable();
    while let Some(letter) = rest.next() {
        let digits = |each: &char| each.is_ascii_digit();
        match letter {
            '…' => pattern.push_str(".*"),
            _ if letter.is_ascii_digit() => {
                while rest.next_if(digits).is_some() {}
                pattern.push_str("[0-9]+");
            }
            ' ' => {
                while rest.next_if_eq(&' ').is_some() {}
                pattern.push_str(" +");
            }
            _ => pattern.push_str(&regex::escape(&letter.to_string())),
        }
    }
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
            assert_eq!(first_unsaid(shown, said), unsaid);
        }
        check("7 lines = 3 accepted…", "19 lines = 18 accepted + 1 reject\n", None);
        check("a 1\n…\nb", "x\na   22\ny\nb\n", None);
        check("a\nb", "b\na\n", Some("b"));
        check("a 1", "a one\n", Some("a 1"));
        check("{…\"valence\":\"pain\"…}", "{\"x\":1,\"valence\":\"pain\",\"y\":2}", None);
        check("whole", "the whole line\n", Some("whole"));
    }
}
