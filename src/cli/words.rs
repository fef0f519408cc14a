//! Numbers as people write them: one pain, two pains, and never a minus before nothing.

/// Returns a count with what was counted.
pub(super) fn counted(count: impl TryInto<u64>, noun: &str) -> String {
    let count = count.try_into().unwrap_or(u64::MAX);
    format!("{count} {}", plural(count, noun))
}

/// Returns the noun as it stands after that count.
pub(super) fn plural(count: u64, noun: &str) -> String {
    match noun.strip_suffix('y') {
        _ if count == 1 => noun.to_owned(),
        Some(stem) => format!("{stem}ies"),
        None => format!("{noun}s"),
    }
}

/// Returns a number with so many places after the point. What rounds to nothing is nothing, from
/// whichever side.
pub(super) fn fixed(value: f64, places: usize) -> String {
    let text = format!("{value:.places$}");
    match text.strip_prefix('-') {
        Some(rest) if rest.chars().all(|each| matches!(each, '0' | '.')) => rest.to_owned(),
        Some(_) | None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_one_and_the_others_are_many() {
        assert_eq!(counted(1_u64, "pain"), "1 pain");
        assert_eq!(counted(0_u64, "pain"), "0 pains");
        assert_eq!(
            (counted(1_u64, "glory"), counted(2_u64, "glory")),
            ("1 glory".into(), "2 glories".into())
        );
    }

    #[test]
    fn nothing_has_no_sign() {
        assert_eq!(
            (fixed(-0.4, 0), fixed(-0.004, 2), fixed(0.0, 2)),
            ("0".into(), "0.00".into(), "0.00".into())
        );
        assert_eq!((fixed(-0.6, 0), fixed(-1.5, 1)), ("-1".into(), "-1.5".into()));
    }
}
