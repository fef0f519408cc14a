//! `(arrived|came) late` becomes the two phrases that it stands for.

/// One entry stands for at most so many phrases: more is a slip of brackets, not a list.
const PHRASES_MAX: usize = 2048;

/// Brackets lie at most so deep within each other.
const DEPTH_MAX: usize = 4;

/// Returns every phrase that an entry stands for; `None` if its brackets do not pair, lie too deep,
/// or give too many.
pub(super) fn expand(entry: &str) -> Option<Vec<String>> {
    let mut rest = entry;
    let phrases = sequence(&mut rest, 0)?;
    rest.is_empty().then_some(phrases)
}

/// Reads up to the end of the alternative.
fn sequence(rest: &mut &str, depth: usize) -> Option<Vec<String>> {
    let mut phrases = vec![String::new()];
    loop {
        let end = rest.find(['(', '|', ')']).unwrap_or(rest.len());
        let (plain, after) = rest.split_at_checked(end)?;
        for phrase in &mut phrases {
            phrase.push_str(plain);
        }
        *rest = after;
        let Some(inside) = rest.strip_prefix('(') else { return Some(phrases) };
        *rest = inside;
        let endings = alternatives(rest, depth + 1)?;
        phrases = phrases
            .iter()
            .flat_map(|phrase| endings.iter().map(move |ending| format!("{phrase}{ending}")))
            .collect();
        if PHRASES_MAX < phrases.len() {
            return None;
        }
    }
}

/// Reads up to and with the closing bracket.
fn alternatives(rest: &mut &str, depth: usize) -> Option<Vec<String>> {
    if DEPTH_MAX < depth {
        return None;
    }
    let mut all = Vec::new();
    loop {
        all.extend(sequence(rest, depth)?);
        if let Some(after) = rest.strip_prefix('|') {
            *rest = after;
        } else {
            *rest = rest.strip_prefix(')')?;
            return Some(all);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(entry: &str, expected: &[&str]) {
        let phrases = expand(entry).unwrap_or_default();
        assert_eq!(phrases, expected);
    }

    #[test]
    fn brackets_hold_alternatives() {
        check("late", &["late"]);
        check("bo(m|a)", &["bom", "boa"]);
        check("(is|was) (too |)late", &["is too late", "is late", "was too late", "was late"]);
        check("(a|b(c|d)) e", &["a e", "bc e", "bd e"]);
    }

    #[test]
    fn brackets_that_do_not_pair_are_nothing() {
        for entry in ["(a", "a)", "a|b", "(a|b) c)", "(((((a)))))"] {
            check(entry, &[]);
        }
        check(&"(a|b)".repeat(12), &[]);
    }
}
