//! A parcel misses its promise. Some customers ask, the brand apologises to some, and it comes.

use super::Next;
use crate::simulation::{
    phrases::Mood,
    rhythm::{DAY, HOUR, MINUTE, midnight},
    scene::{DELIVERY, EMAIL, REVIEW_SITE, Scene, WEB},
};

/// Where in it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Step {
    /// The promise has passed; looks where the parcel is.
    Look,
    /// Complains.
    Complain,
    /// The brand apologises with a coupon.
    Apologise,
    /// The parcel comes, late.
    Arrive { apologised: bool },
    /// The complaint is closed.
    Resolve { apologised: bool },
    /// Writes about it.
    Review { apologised: bool },
    /// Uses the coupon.
    Redeem,
}

impl Step {
    pub(crate) const BEGIN: Self = Self::Look;

    pub(super) fn play(self, scene: &mut Scene<'_>) -> Next {
        match self {
            Self::Look => Self::look(scene),
            Self::Complain => {
                let (order, words) = (scene.errand.id, scene.words(Mood::Late));
                let line = scene.ticket(WEB, "ticket_opened");
                line.id("order_id", "o-", order).text("topic", "delivery").says(words);
                if scene.chance(0.75) {
                    return scene.after(2 * HOUR, 30 * HOUR, Self::Apologise);
                }
                Self::arrive_later(scene, false)
            }
            Self::Apologise => {
                let coupon = scene.errand.id.rotate_right(8);
                let line = scene.order(EMAIL, "coupon_issued");
                line.text("reason", "apology").id("coupon_id", "k-", coupon);
                line.number("percent", 15).actor("brand");
                Self::arrive_later(scene, true)
            }
            Self::Arrive { apologised } => {
                let line = scene.order(DELIVERY, "order_delivered");
                line.text("handed_to", "customer").actor("system");
                match scene.errand.dice.below(10) {
                    0..6 => scene.after(HOUR, 20 * HOUR, Self::Resolve { apologised }),
                    6..9 => scene.on_day(1, 17, 23, Self::Review { apologised }),
                    _ => None,
                }
            }
            Self::Resolve { apologised } => {
                let line = scene.ticket(WEB, "ticket_resolved");
                line.text("topic", "delivery").text("resolution", "delivered").actor("brand");
                scene.on_day(2, 17, 23, Self::Review { apologised })
            }
            Self::Review { apologised } => {
                let rating = scene
                    .errand
                    .dice
                    .between(if apologised { 3 } else { 1 }, if apologised { 5 } else { 3 });
                let mood = if 4 <= rating { Mood::Praise } else { Mood::Late };
                let (words, product) = (scene.words(mood), scene.errand.product);
                let line = scene.order(REVIEW_SITE, "review_submitted");
                line.numbered("product_id", "p-", product).number("rating", rating);
                line.number("worst", 1).number("best", 5).says(words);
                if apologised && scene.chance(0.5) {
                    return scene.on_day(5, 18, 22, Self::Redeem);
                }
                None
            }
            Self::Redeem => {
                let coupon = scene.errand.id.rotate_right(8);
                scene.here("coupon_redeemed").id("coupon_id", "k-", coupon).number("percent", 15);
                None
            }
        }
    }

    /// Waits for the promise to pass, then looks at the tracking page.
    fn look(scene: &mut Scene<'_>) -> Next {
        if let Some(end) = scene.promise_ends().filter(|end| scene.now < *end) {
            let span = end.since(scene.now);
            return scene.after(span + 20 * MINUTE, span + 14 * HOUR, Self::Look);
        }
        scene.sit_down(WEB);
        scene.order(WEB, "order_tracked").text("page", "/orders/tracking");
        match scene.errand.dice.below(10) {
            0..5 => scene.after(2 * MINUTE, 20 * HOUR, Self::Complain),
            // A brand that watches its parcels apologises before anybody asks.
            5..8 => scene.after(HOUR, 12 * HOUR, Self::Apologise),
            _ => Self::arrive_later(scene, false),
        }
    }

    fn arrive_later(scene: &mut Scene<'_>, apologised: bool) -> Next {
        let passed = scene.now.since(midnight(scene.now));
        let days = scene.errand.dice.between(1, 3);
        // Not on a Sunday of the carrier's, which is simply another day late.
        let days = if passed < DAY / 2 { days } else { days + 1 };
        scene.on_day(days, 8, 19, Self::Arrive { apologised })
    }
}
