//! "Did you mean": the name that somebody most likely wanted to write.

/// Returns the name nearest to `written` if it is near enough to be meant: as many slips as one
/// makes in a word of that length (one in three letters; swapping two neighbours is one slip).
pub(super) fn nearest<'a>(
    written: &str,
    names: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let folded = fold(written);
    // A word of which nothing is left was another word.
    let limit = (folded.len() / 3).max(1).min(folded.len().checked_sub(1)?);
    let near = names.into_iter().map(|name| (slips(&folded, &fold(name)), name));
    near.filter(|(slips, _)| *slips <= limit).min_by_key(|(slips, _)| *slips).map(|(_, name)| name)
}

/// Returns letters and digits alone, in lower case: `timeTolerance` and `time-tolerance` are the
/// same slip.
fn fold(name: &str) -> Vec<char> {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// Returns how many letters must be added, dropped, replaced or swapped with their neighbour
/// (optimal string alignment distance).
fn slips(one: &[char], other: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=other.len()).collect();
    for (row, letter) in one.iter().enumerate() {
        let mut current = vec![row + 1];
        let mut left = row + 1;
        for (column, wanted) in other.iter().enumerate() {
            let at = |line: &[usize], index: usize| line.get(index).copied().unwrap_or(usize::MAX);
            let replaced = at(&above, column).saturating_add(usize::from(letter != wanted));
            let mut best = replaced.min(at(&above, column + 1).saturating_add(1)).min(left + 1);
            let swapped = row.checked_sub(1).zip(column.checked_sub(1)).filter(|(up, back)| {
                one.get(*up) == Some(wanted) && other.get(*back) == Some(letter)
            });
            if let Some((_, back)) = swapped {
                best = best.min(at(&before, back).saturating_add(1));
            }
            current.push(best);
            left = best;
        }
        before = above;
        above = current;
    }
    above.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(written: &str, expected: Option<&str>) {
        let names = ["tolerance", "order_window", "once_per", "add", "cap", "half_life"];
        assert_eq!(nearest(written, names), expected);
    }

    #[test]
    fn a_slip_of_the_pen_is_understood() {
        check("tolerence", Some("tolerance"));
        check("oncePer", Some("once_per"));
        check("order-window", Some("order_window"));
        check("hlaf_life", Some("half_life"));
        check("ad", Some("add"));
    }

    #[test]
    fn another_word_is_no_slip() {
        check("weight", None);
        check("", None);
        check("retention", None);
        assert_eq!(nearest("4", ["1", "2"]), None);
        assert_eq!(nearest("=>", ["=", ">="]), None);
    }
}
