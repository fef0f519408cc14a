//! The wait for a parcel that comes in time, and what people do with what was in it.

use super::{Next, Plot, late_parcel, refund, returning};
use crate::simulation::{
    misfortune::Misfortune,
    phrases::Mood,
    rhythm::{DAY, HOUR, MINUTE, SECOND, midnight},
    scene::{DELIVERY, EMAIL, PRODUCT, REVIEW_SITE, Scene, WEB},
};

/// Where in it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Step {
    /// The shop packs, or finds that it cannot.
    Ship,
    /// The van sets out.
    Attempt,
    /// The doorbell rings.
    Deliver,
    /// Rates the delivery at the door; it went well or not.
    RateDoor { well: bool },
    /// Sets it up.
    Use,
    /// The shop checks in.
    CheckIn,
    /// Writes a review.
    Review,
}

impl Step {
    pub(crate) const BEGIN: Self = Self::Ship;

    pub(super) fn play(self, scene: &mut Scene<'_>) -> Next {
        match self {
            Self::Ship => Self::ship(scene),
            Self::Attempt => {
                if scene.promise_ends().is_some()
                    && scene.struck(Misfortune::LateDelivery, DELIVERY)
                {
                    return scene.after(SECOND, MINUTE, late_parcel::Step::BEGIN);
                }
                scene.after(SECOND, MINUTE, Self::Deliver)
            }
            Self::Deliver => Self::deliver(scene),
            Self::RateDoor { well } => {
                let score =
                    scene.errand.dice.between(if well { 4 } else { 1 }, if well { 5 } else { 2 });
                let line = scene.order(DELIVERY, "survey_answered");
                line.text("kind", "csat").number("score", score);
                line.number("worst", 1).number("best", 5);
                if !well {
                    line.text("reason", "damaged");
                }
                let next: Plot = if well { Self::Use.into() } else { refund::Step::BEGIN.into() };
                scene.on_day(1, 17, 22, next)
            }
            Self::Use => {
                let product = scene.product();
                let line = scene.on(PRODUCT, "article_read");
                line.text("article_id", product.category.article).text("purpose", "using");
                line.numbered("product_id", "p-", product.number);
                if scene.chance(0.5) {
                    return scene.on_day(2, 9, 12, Self::CheckIn);
                }
                scene.on_day(3, 17, 23, Self::Review)
            }
            Self::CheckIn => {
                let line = scene.order(EMAIL, "check_in_made");
                line.text("campaign", "how-is-it-going").actor("brand");
                scene.on_day(1, 17, 23, Self::Review)
            }
            Self::Review => Self::review(scene),
        }
    }

    fn ship(scene: &mut Scene<'_>) -> Next {
        if scene.struck(Misfortune::CancelledByBrand, WEB) {
            let line = scene.order(WEB, "order_cancelled");
            line.text("cancelled_by", "brand").text("reason", "out_of_stock").actor("brand");
            return None;
        }
        let item = scene.errand.product;
        let line = scene.order(DELIVERY, "order_shipped");
        line.numbered("product_id", "p-", item).text("depot", "north").actor("system");
        let days = match scene.promise_ends() {
            // On the promised day or the day before, and in time for a promised hour.
            Some(end) => end.minus(14 * HOUR).since(midnight(scene.now)) / DAY,
            None => scene.errand.dice.between(2, 6),
        };
        let early = i64::from(scene.chance(0.4));
        scene.on_day((days - early).max(1), 8, 12, Self::Attempt)
    }

    fn deliver(scene: &mut Scene<'_>) -> Next {
        let item = scene.errand.product;
        let line = scene.order(DELIVERY, "order_delivered");
        line.numbered("product_id", "p-", item).text("handed_to", "customer").actor("system");
        let damaged = scene.struck(Misfortune::BadDelivery, DELIVERY);
        if damaged || scene.chance(0.25) {
            return scene.after(MINUTE, 20 * MINUTE, Self::RateDoor { well: !damaged });
        }
        match scene.errand.dice.below(100) {
            0..30 => scene.on_day(0, 18, 23, Self::Use),
            30..36 => scene.on_day(1, 17, 23, refund::Step::BEGIN),
            36..66 => scene.on_day(2, 17, 23, returning::Step::BEGIN),
            66..80 => scene.on_day(3, 17, 23, Self::Review),
            _ => None,
        }
    }

    fn review(scene: &mut Scene<'_>) -> Next {
        let item = scene.errand.product;
        let disappointed = scene.struck(Misfortune::NotAsDescribed, REVIEW_SITE);
        let rating = match scene.errand.dice.below(10) {
            _ if disappointed => scene.errand.dice.between(1, 2),
            0..6 => 5,
            6..9 => 4,
            _ => 3,
        };
        let words = match rating {
            0..=2 => Some(scene.words(Mood::NotAsDescribed)),
            3 => None,
            _ => Some(scene.words(Mood::Praise)),
        };
        let line = scene.order(REVIEW_SITE, "review_submitted");
        line.numbered("product_id", "p-", item).number("rating", rating);
        line.number("worst", 1).number("best", 5);
        if disappointed {
            line.text("reason", "not_as_described");
        }
        if let Some(words) = words {
            line.says(words);
        }
        let next: Plot =
            if disappointed { refund::Step::BEGIN.into() } else { returning::Step::BEGIN.into() };
        if disappointed || scene.chance(0.3) {
            return scene.on_day(1, 17, 23, next);
        }
        None
    }
}
