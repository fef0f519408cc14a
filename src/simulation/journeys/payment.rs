//! Pays; sometimes at the second try, sometimes never.

use super::{Next, fulfilment};
use crate::simulation::{
    misfortune::Misfortune,
    rhythm::{HOUR, MINUTE, SECOND},
    scene::Scene,
};

/// How often somebody tries before they give up.
const ATTEMPTS_MAX: u8 = 3;

/// Where in it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Step {
    /// Tries to pay.
    Pay { attempt: u8 },
    /// Gives up.
    GiveUp,
}

impl Step {
    pub(crate) const BEGIN: Self = Self::Pay { attempt: 1 };

    pub(super) fn play(self, scene: &mut Scene<'_>) -> Next {
        match self {
            Self::Pay { attempt } => {
                let place = scene.errand.place;
                // The reason a bank said no often still holds a minute later.
                let again = 1 < attempt && scene.chance(0.3);
                if again || scene.struck(Misfortune::PaymentFailed, place) {
                    return Self::fail(scene, attempt);
                }
                let cents = scene.product().cents;
                let line = scene.order(place, "payment_approved");
                line.money("value", cents).text("method", "card").number("attempt", attempt.into());
                line.actor("system");
                scene.on_day(1, 6, 20, fulfilment::Step::BEGIN)
            }
            Self::GiveUp => {
                let place = scene.errand.place;
                let line = scene.order(place, "order_cancelled");
                line.text("cancelled_by", "customer").text("cause", "payment");
                None
            }
        }
    }

    fn fail(scene: &mut Scene<'_>, attempt: u8) -> Next {
        let place = scene.errand.place;
        let cents = scene.product().cents;
        let cause = scene.errand.dice.pick(&["card_declined", "expired_card", "bank_timeout"]);
        let line = scene.order(place, "payment_failed");
        line.money("value", cents).text("method", "card").number("attempt", attempt.into());
        line.text("cause", cause).actor("system");
        if attempt < ATTEMPTS_MAX && scene.chance(0.85) {
            let next = Self::Pay { attempt: attempt.saturating_add(1) };
            return scene.after(40 * SECOND, 15 * MINUTE, next);
        }
        scene.after(HOUR, 20 * HOUR, Self::GiveUp)
    }
}
