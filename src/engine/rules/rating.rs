//! Ratings as people and tools write them: `4`, "4,5", "4/5", "4 out of 5", "★★★★☆", "5 stars".
//!
//! Only a rating is read so. Elsewhere a comma may part thousands, and a slash a date.

use super::expression::number_of;
use crate::model::Property;

/// Returns the rating, and the best that there is where the text says so itself.
pub(super) fn rating_of(value: &Property<'_>) -> Option<(f64, Option<f64>)> {
    let plain = number_of(value).map(|number| (number, None));
    plain.or_else(|| match value {
        Property::Text(text) => written(text.trim()),
        Property::Number(_) | Property::Flag(_) => None,
    })
}

fn written(text: &str) -> Option<(f64, Option<f64>)> {
    for between in ["/", " out of ", " of ", " von ", " de ", " sur ", " su "] {
        if let Some((rating, best)) = text.split_once(between) {
            return Some((decimal(rating)?, Some(decimal(best)?)));
        }
    }
    let drawn = |sign: char| text.chars().filter(|one| *one == sign).count();
    let only_stars = |one: char| matches!(one, '★' | '⭐' | '☆' | '\u{fe0f}' | ' ');
    if !text.is_empty() && text.chars().all(only_stars) {
        let stars = u32::try_from(drawn('★') + drawn('⭐')).ok()?;
        return Some((f64::from(stars), None));
    }
    let (number, unit) = text.split_once(' ').unwrap_or((text, ""));
    let is_unit = ["", "star", "stars", "sterne", "stern", "estrellas", "étoiles", "stelle"]
        .contains(&&*unit.to_lowercase());
    is_unit.then(|| decimal(number)).flatten().map(|rating| (rating, None))
}

/// Reads a number, also with a decimal comma.
fn decimal(text: &str) -> Option<f64> {
    let text = text.trim();
    let number: f64 = match text.split_once(',') {
        Some((whole, part)) if part.len() <= 2 => format!("{whole}.{part}").parse().ok()?,
        Some(_) => return None,
        None => text.parse().ok()?,
    };
    number.is_finite().then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<(f64, Option<f64>)>) {
        assert_eq!(rating_of(&Property::Text(text.into())), expected, "{text}");
    }

    #[test]
    fn a_rating_is_read_as_it_is_written() {
        check("4", Some((4.0, None)));
        check(" 4.5 ", Some((4.5, None)));
        check("4,5", Some((4.5, None)));
        check("4/5", Some((4.0, Some(5.0))));
        check("8 / 10", Some((8.0, Some(10.0))));
        check("3 out of 5", Some((3.0, Some(5.0))));
        check("★★★★☆", Some((4.0, None)));
        check("⭐️⭐️", Some((2.0, None)));
        check("5 Sterne", Some((5.0, None)));
        for text in ["", "good", "1,200", "4 apples", "1/2/2026", "five", "n/a", "inf"] {
            check(text, None);
        }
    }
}
